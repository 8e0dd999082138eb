/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The n-th allocation and the n-th operation on a file fail, for every n:
 * what was acknowledged stays, what was not is whole or absent, the words say what to do,
 * and once the cause is gone the same program goes on.
 */
#include "test.h"

#include <errno.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "gen/sql.h"
#include "sqlite_faults.h"
#include "store/store.h"

static char folder[] = "/tmp/fairway-faults-XXXXXX";
static char url[100];

/* ---- the script ---- */

static int open_it(const char *vfs, struct store **ret, struct diag *d)
{
	const struct store_options opt = { .url = url, .role = STORE_ROLE_TEST, .vault = "test", .create = true,
					   .migrate = true, .vfs = vfs };
	return store_open(&opt, ret, d);
}

static void remove_files(void)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	for (size_t i = 0; i < 4; i++) {
		char path[120];
		(void)snprintf(path, sizeof(path), "%s/test.db%s", folder, ends[i]);
		(void)unlink(path);
	}
}

static int write_pair(struct store *s, void *arg, struct diag *d)
{
	const int64_t *i = arg;
	int err = 0;
	for (int k = 0; err == 0 && k < 2; k++) {
		struct uuid id = uuid_new();
		const struct store_value args[] = { sv_uuid(&id), sv_int(*i), sv_null(), sv_text("x"), sv_null(), sv_null() };
		err = store_exec(s, SQL_TEST_ITEM_ADD, args, 6, NULL, d);
	}
	return err;
}

/* Transactions first..first+n-1; *kept is the last acknowledged. */
static int write_some(struct store *s, int64_t first, int n, int64_t *kept, struct diag *d)
{
	int err = 0;
	for (int64_t i = first; err == 0 && i < first + n; i++) {
		err = store_tx(s, STORE_WRITE, write_pair, &i, d);
		if (err == 0)
			*kept = i;
	}
	return err;
}

/* Rows are pairs 1..kept, perhaps kept+1, and sound. Returns the last pair there is. */
static int64_t expect_pairs(struct store *s, int64_t kept)
{
	struct store_rows *r = NULL;
	int64_t n = 0, last = 0;
	assert_int_equal(store_query(s, SQL_TEST_ITEM_ALL, NULL, 0, &r, NULL), 0);
	while (store_next(r, NULL) == 1) {
		n++;
		last = store_int(r, 1);
		assert_int_equal(last, (n + 1) / 2);
	}
	store_rows_close(r);
	assert_int_equal(n, 2 * last);
	assert_true(last == kept || last == kept + 1);
	assert_int_equal(store_check(s, NULL), 0);
	return last;
}

static void every_operation_fails(int code, bool stays, const char *words)
{
	fail_with = code;
	stuck = stays;
	int n = 0;
	for (bool fell = true; fell;) {
		struct store *s = NULL;
		struct diag d = DIAG_INIT;
		int64_t kept = 0;
		n++;
		remove_files();
		calls = 0;
		fail_at = n;
		int err = open_it("faults", &s, &d);
		if (err == 0)
			err = write_some(s, 1, 4, &kept, &d);
		fell = calls >= n;
		if (err != 0) {
			assert_int_equal(err, FW_ESTORE);
			if (strstr(d.text, words) == NULL)
				fail_msg("operation %d: \"%s\" does not say \"%s\"", n, d.text, words);
		}
		fail_at = 0; /* the disk has room again; the same connection goes on if it was open */
		if (s != NULL) {
			int64_t there = expect_pairs(s, kept);
			assert_int_equal(write_some(s, there + 1, 1, &kept, NULL), 0);
		}
		store_close(s);
		assert_int_equal(open_it(NULL, &s, NULL), 0);
		(void)expect_pairs(s, kept);
		store_close(s);
	}
	assert_true(n > 20);
}

static void test_a_write_fails(void **state)
{
	(void)state;
	every_operation_fails(SQLITE_IOERR_WRITE, false, "look at the disk");
}

static void test_the_disk_is_full(void **state)
{
	(void)state;
	every_operation_fails(SQLITE_FULL, true, "make room");
}

static void test_the_disk_is_read_only(void **state)
{
	(void)state;
	every_operation_fails(SQLITE_READONLY, true, "read-only");
}

/* A ballast of zeros that is taken away to make room. */
static void put_ballast(const char *path, size_t kib)
{
	static const char zeros[1024];
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	for (size_t i = 0; i < kib; i++)
		assert_int_equal(fwrite(zeros, sizeof(zeros), 1, f), 1);
	assert_int_equal(fclose(f), 0);
}

/* No shim: a disk of two MiB, filled, and then given room while the same connection goes on. */
static void test_a_real_disk_is_full(void **state)
{
	char disk[100], ballast[120], usual[sizeof(url)];
	(void)state;
	(void)snprintf(disk, sizeof(disk), "%s/disk", folder);
	(void)snprintf(ballast, sizeof(ballast), "%s/ballast", disk);
	assert_int_equal(mkdir(disk, 0700), 0);
	if (mount("tmpfs", disk, "tmpfs", 0, "size=2m") != 0) {
		print_message("# no small disk can be mounted here (%s)\n", strerror(errno));
		assert_int_equal(rmdir(disk), 0);
		skip();
	}
	memcpy(usual, url, sizeof(url));
	(void)snprintf(url, sizeof(url), "sqlite:%s/disk/test.db", folder);
	put_ballast(ballast, 600);
	struct store *s = NULL;
	struct diag d = DIAG_INIT;
	int64_t kept = 0;
	assert_int_equal(open_it(NULL, &s, NULL), 0);
	assert_int_equal(write_some(s, 1, 100000, &kept, &d), FW_ESTORE);
	assert_true(kept > 10);
	if (strstr(d.text, "make room") == NULL)
		fail_msg("\"%s\" does not say what to do", d.text);
	assert_int_equal(expect_pairs(s, kept), kept);
	assert_int_equal(unlink(ballast), 0);
	assert_int_equal(write_some(s, kept + 1, 20, &kept, NULL), 0);
	store_close(s);
	assert_int_equal(open_it(NULL, &s, NULL), 0);
	assert_int_equal(expect_pairs(s, kept), kept);
	store_close(s);
	memcpy(url, usual, sizeof(url));
	assert_int_equal(umount(disk), 0);
	assert_int_equal(rmdir(disk), 0);
}

static void test_no_memory(void **state)
{
	(void)state;
	uint64_t n = 0;
	for (bool fell = true; fell;) {
		struct store *s = NULL;
		int64_t kept = 0;
		remove_files();
		mem_fault_at(++n);
		int err = open_it(NULL, &s, NULL);
		if (err == 0)
			err = write_some(s, 1, 2, &kept, NULL);
		fell = mem_fault_hit();
		mem_fault_at(0);
		/* SQLite does without some memory; what it says must be true either way. */
		assert_true(err == 0 || fell);
		if (s != NULL)
			(void)expect_pairs(s, kept);
		store_close(s);
		if (n > 3000)
			n += 40; /* the long tail is alike */
	}
	assert_true(n > 100);
}

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(url, sizeof(url), "sqlite:%s/test.db", folder);
	return sqlite_faults_install(false);
}

static int tear_down(void **state)
{
	(void)state;
	remove_files();
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_write_fails),
		cmocka_unit_test(test_the_disk_is_full),
		cmocka_unit_test(test_a_real_disk_is_full),
		cmocka_unit_test(test_the_disk_is_read_only),
		cmocka_unit_test(test_no_memory),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
