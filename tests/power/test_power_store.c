/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What a store acknowledged survives a power cut at any point of a script; and
 * the same script without syncs does not, which shows that the harness sees.
 */
#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "gen/sql.h"
#include "power.h"
#include "store/store.h"

enum { PARTS = 3, PAD = 3000 };

static char root[] = "/tmp/fairway-power-XXXXXX";
static char folder[100];

/* The script's own memory of what it was told. */
struct told {
	bool opened;
	int64_t kept; /* transactions acknowledged: 1..kept */
};

static int open_in(const char *where, bool shim, bool unsafe, struct store **ret)
{
	char url[400];
	(void)snprintf(url, sizeof(url), "sqlite:%s/test.db", where);
	const struct store_options opt = { .url = url, .role = STORE_ROLE_TEST, .vault = "test", .create = shim,
					   .migrate = true, .vfs = shim ? "power" : NULL, .allow_unsafe = unsafe };
	return store_open(&opt, ret, NULL);
}

/* A transaction writes PARTS rows of one number, with enough bytes to fill several pages. */
static int write_number(struct store *s, void *arg, struct diag *d)
{
	static uint8_t pad[PAD];
	int64_t *number = arg;
	int err = 0;
	memset(pad, (int)*number & 0xff, sizeof(pad));
	for (int i = 0; err == 0 && i < PARTS; i++) {
		struct uuid id = uuid_new();
		const struct store_value args[] = { sv_uuid(&id), sv_int(*number), sv_null(), sv_null(),
						    sv_bytes(pad, sizeof(pad)), sv_null() };
		err = store_exec(s, SQL_TEST_ITEM_ADD, args, 6, NULL, d);
	}
	return err;
}

/* 1..kept whole, kept+1 whole or absent, nothing else; and the store is sound. */
static bool numbers_hold(struct store *s, int64_t kept)
{
	struct store_rows *r = NULL;
	int64_t expect = 1, parts = 0;
	bool holds = store_query(s, SQL_TEST_ITEM_ALL, NULL, 0, &r, NULL) == 0;
	int got = 0;
	while (holds && (got = store_next(r, NULL)) == 1) {
		holds = store_int(r, 1) == expect;
		if (++parts == PARTS) {
			parts = 0;
			expect++;
		}
	}
	store_rows_close(r);
	return holds && got == 0 && parts == 0 && (expect - 1 == kept || expect - 1 == kept + 1) &&
	       store_check(s, NULL) == 0;
}

static bool check(void *arg, const char *image)
{
	const struct told *t = arg;
	char path[400];
	struct store *s = NULL;
	(void)snprintf(path, sizeof(path), "%s/test.db", image);
	if (!t->opened && access(path, F_OK) != 0)
		return true; /* nothing was acknowledged yet, the file's name included */
	if (open_in(image, false, false, &s) != 0)
		return false;
	bool holds = numbers_hold(s, t->kept);
	store_close(s);
	return holds;
}

static struct power_result run_script(uint64_t seed, int transactions, unsigned images, unsigned at_sync,
				      unsigned at_write, bool unsafe)
{
	struct told t = { .kept = 0 };
	struct store *s = NULL;
	(void)mkdir(folder, 0700);
	const struct power_plan plan = { .folder = folder, .check = check, .arg = &t, .seed = seed, .images = images,
					 .sync_chance = at_sync, .write_chance = at_write };
	power_begin(&plan);
	assert_int_equal(open_in(folder, true, unsafe, &s), 0);
	t.opened = true;
	for (int64_t i = 1; i <= transactions; i++) {
		assert_int_equal(store_tx(s, STORE_WRITE, write_number, &i, NULL), 0);
		t.kept = i;
		if (i % 7 == 0)
			assert_int_equal(store_maintain(s, NULL), 0); /* the log goes into the file */
		if (i % 19 == 0) { /* and a restart, with the log taken away at its end */
			store_close(s);
			assert_int_equal(open_in(folder, true, unsafe, &s), 0);
		}
	}
	power_look();
	store_close(s);
	power_look();
	struct power_result r = power_end();
	static const char *const names[] = { "test.db", "test.db-wal", "test.db-shm" };
	for (size_t i = 0; i < 3; i++) {
		char path[200];
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(folder);
	print_message("# %llu operations, %llu syncs, %llu power cuts, %llu losses\n", (unsigned long long)r.operations,
		      (unsigned long long)r.syncs, (unsigned long long)r.images, (unsigned long long)r.failures);
	return r;
}

static void expect_none(struct power_result r)
{
	if (r.failures != 0)
		fail_msg("%llu of %llu power cuts lost something; first: %s", (unsigned long long)r.failures,
			 (unsigned long long)r.images, r.first);
}

static void test_every_point_of_a_short_script(void **state)
{
	(void)state;
	struct power_result r = run_script(1, 24, 1, 1000, 1000, false);
	assert_true(r.images > 300);
	expect_none(r);
}

static void test_random_points_of_a_long_script(void **state)
{
	(void)state;
	struct power_result r = { .images = 0 };
	uint64_t done = 0;
	for (uint64_t seed = 2; done < (getenv("FAIRWAY_LONG") != NULL ? 10000 : 400); seed++) {
		r = run_script(seed, 120, 2, 120, 20, false);
		expect_none(r);
		done += r.images;
	}
}

static void test_without_syncs_the_harness_sees_losses(void **state)
{
	(void)state;
	struct power_result r = run_script(3, 40, 2, 1000, 100, true);
	assert_true(r.images > 50);
	assert_true(r.failures > 0);
}

/* ---- files of our own ---- */

struct head {
	bool made;
	int value;
};

static bool check_head(void *arg, const char *image)
{
	const struct head *h = arg;
	char path[400], want[2][700];
	struct buf b;
	(void)snprintf(path, sizeof(path), "%s/head", image);
	if (!h->made && access(path, F_OK) != 0)
		return true;
	buf_init(&b, 1000);
	int err = io_read_file(path, &b, NULL);
	for (int i = 0; i < 2; i++)
		(void)snprintf(want[i], sizeof(want[i]), "%0600d", h->value + i);
	bool holds = err == 0 && b.len == 600 && (memcmp(b.data, want[0], 600) == 0 || memcmp(b.data, want[1], 600) == 0);
	buf_release(&b);
	return holds;
}

static void test_a_file_is_old_or_new(void **state)
{
	(void)state;
	struct head h = { .value = 0 };
	char path[200], text[700];
	(void)mkdir(folder, 0700);
	(void)snprintf(path, sizeof(path), "%s/head", folder);
	const struct power_plan plan = { .folder = folder, .check = check_head, .arg = &h, .seed = 9, .images = 8,
					 .sync_chance = 1000, .write_chance = 1000 };
	power_begin(&plan);
	for (int i = 1; i <= 40; i++) {
		(void)snprintf(text, sizeof(text), "%0600d", i);
		assert_int_equal(io_write_file(path, text, 600, 0600, NULL), 0);
		h = (struct head){ true, i };
	}
	power_look();
	struct power_result r = power_end();
	(void)unlink(path);
	(void)rmdir(folder);
	assert_true(r.images > 1000);
	expect_none(r);
}

/* The same file written without the care of io_write_file: the harness must see it torn or lost. */
static void test_a_careless_file_is_seen(void **state)
{
	(void)state;
	struct head h = { .value = 0 };
	char path[200], text[700];
	(void)mkdir(folder, 0700);
	(void)snprintf(path, sizeof(path), "%s/head", folder);
	const struct power_plan plan = { .folder = folder, .check = check_head, .arg = &h, .seed = 10, .images = 4,
					 .sync_chance = 1000, .write_chance = 1000 };
	power_begin(&plan);
	for (int i = 1; i <= 40; i++) {
		(void)snprintf(text, sizeof(text), "%0600d", i);
		int fd = io_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		assert_int_equal(io_write(fd, text, 600), 0);
		assert_int_equal(io_close(fd), 0);
		h = (struct head){ true, i };
	}
	power_look();
	struct power_result r = power_end();
	(void)unlink(path);
	(void)rmdir(folder);
	assert_true(r.failures > 0);
}

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(root) == NULL)
		return -1;
	(void)snprintf(folder, sizeof(folder), "%s/node", root);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_point_of_a_short_script),
		cmocka_unit_test(test_random_points_of_a_long_script),
		cmocka_unit_test(test_without_syncs_the_harness_sees_losses),
		cmocka_unit_test(test_a_file_is_old_or_new),
		cmocka_unit_test(test_a_careless_file_is_seen),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
