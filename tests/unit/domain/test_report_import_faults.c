/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The n-th allocation and the n-th write fail, SQLite's own included, for
 * every n, while a file goes in: the vault then holds whole slices, says what
 * it waits for, and ends with what an import without faults ends with.
 */
#include "test.h"

#include <sodium.h>

#include "base/arena.h"
#include "base/log.h"
#include "import_world.h"
#include "sqlite_faults.h"

enum { FRESH = 60 /* faults until the vault is made anew, so that looking at all of it stays quick */ };

static struct world x;
static uint8_t want[DIGEST];
static size_t want_n;
static struct standing whole;

static void file(size_t per)
{
	struct buf b;
	sample("mmp_1.csv", &b);
	script_of_file(&x.script, b.data, b.len);
	script_cut(&x.script, per, NULL);
	buf_release(&b);
}

static bool over(const struct standing *s)
{
	return strcmp(s->state, "queued") != 0 && strcmp(s->state, "running") != 0;
}

/* To the end now that nothing fails; with all that belongs there, counted once. */
static void ends_well(const struct uuid *owner, struct uuid id, int n)
{
	uint8_t got[DIGEST];
	world_check(&x, owner, &id);
	for (int i = 0; i < 4; i++)
		world_drive(&x, ALL_BATCHES);
	struct standing s = world_see(&x, owner, &id), first = s;
	if (!over(&s))
		fail_msg("fault %d: %s: %s", n, s.state, s.message);
	world_check(&x, owner, &id);
	if (strcmp(s.state, "failed") == 0) { /* for want of memory: whoever hands it in again gets the rest */
		assert_non_null(strstr(s.message, "What was written before stays"));
		file(3);
		id = world_hand_in(&x, owner);
		world_drive(&x, ALL_BATCHES);
		s = world_see(&x, owner, &id);
		assert_int_equal(s.same, first.added);
		s.added += first.added;
	}
	assert_string_equal(s.state, "done");
	if (s.added != whole.added || s.refused != whole.refused || s.changed != 0)
		fail_msg("fault %d: %ld added, %ld changed, %ld refused", n, (long)s.added, (long)s.changed, (long)s.refused);
	if (world_digest(&x, owner, got) != want_n || memcmp(got, want, DIGEST) != 0)
		fail_msg("fault %d: the content is another one", n);
}

/* Now and then the process dies of it instead of going on. */
static void perhaps_restart(int n)
{
	if (n % 4 == 3)
		world_restart(&x);
}

static void import_under(enum kind k)
{
	int n = 1, hits = 0;
	for (bool fell = true; fell; n++) {
		struct uuid owner = uuid_new();
		if (n % FRESH == 0) {
			world_down(&x);
			world_up(&x, NULL, 0);
		}
		file(3);
		struct uuid id = world_hand_in(&x, &owner);
		begin_fault(k, n);
		world_drive(&x, ALL_BATCHES);
		struct standing s = k == FILE_FULL && stuck ? world_see(&x, &owner, &id) : (struct standing){ 0 };
		fell = end_fault(k, n);
		hits += fell;
		/* On a full disk: reading goes on, and the import says what it waits for. */
		if (s.status != 0 && strcmp(s.state, "running") == 0)
			assert_int_equal(strncmp(s.message, "Waiting: ", 9), 0);
		perhaps_restart(n);
		ends_well(&owner, id, n);
	}
	print_message("%d faults\n", hits);
	assert_true(hits > 20);
}

static void test_every_write_fails(void **state)
{
	(void)state;
	import_under(FILE_ERROR);
	import_under(FILE_FULL);
}

static void test_every_allocation_fails(void **state)
{
	(void)state;
	import_under(MEMORY);
}

static void handing_in_under(enum kind k)
{
	int n = 1, hits = 0;
	for (bool fell = true; fell; n++) {
		struct uuid owner = uuid_new(), id;
		uint8_t got[DIGEST];
		if (n % FRESH == 0) {
			world_down(&x);
			world_up(&x, NULL, 0);
		}
		file(100);
		begin_fault(k, n);
		int status = world_try_hand_in(&x, &owner, &id);
		fell = end_fault(k, n);
		hits += fell;
		assert_true(fell || status == 202);
		assert_int_equal(world_imports(&x, &owner), status == 202);
		perhaps_restart(n);
		if (status == 202) {
			ends_well(&owner, id, n);
			continue;
		}
		world_drive(&x, ALL_BATCHES);
		assert_int_equal(world_digest(&x, &owner, got), 0);
	}
	print_message("%d faults\n", hits);
	assert_true(hits > 3);
}

static void test_every_fault_of_handing_in(void **state)
{
	(void)state;
	handing_in_under(FILE_ERROR);
	handing_in_under(FILE_FULL);
	handing_in_under(MEMORY);
}

static void stopping_under(enum kind k)
{
	int n = 1, hits = 0;
	for (bool fell = true; fell; n++) {
		struct uuid owner = uuid_new();
		if (n % FRESH == 0) {
			world_down(&x);
			world_up(&x, NULL, 0);
		}
		file(3);
		struct uuid id = world_hand_in(&x, &owner);
		world_drive(&x, 2);
		int64_t added = world_see(&x, &owner, &id).added;
		begin_fault(k, n);
		int status = world_cancel(&x, &owner, &id).status;
		fell = end_fault(k, n);
		hits += fell;
		assert_true(fell || status == 200);
		perhaps_restart(n);
		if (status != 200) {
			ends_well(&owner, id, n);
			continue;
		}
		world_drive(&x, ALL_BATCHES);
		struct standing s = world_see(&x, &owner, &id);
		assert_string_equal(s.state, "cancelled");
		assert_int_equal(s.added, added);
		world_check(&x, &owner, &id);
	}
	print_message("%d faults\n", hits);
	assert_true(hits > 3);
}

static void test_every_fault_of_stopping(void **state)
{
	(void)state;
	stopping_under(FILE_ERROR);
	stopping_under(FILE_FULL);
	stopping_under(MEMORY);
}

static int start(void **state)
{
	struct uuid owner = uuid_new();
	(void)state;
	log_level(LOG_L_ERROR);
	if (sodium_init() < 0 || sqlite_faults_install(true) != SQLITE_OK)
		return -1;
	world_up(&x, NULL, 0);
	file(100);
	struct uuid id = world_hand_in(&x, &owner);
	world_drive(&x, ALL_BATCHES);
	whole = world_see(&x, &owner, &id);
	want_n = world_digest(&x, &owner, want);
	return strcmp(whole.state, "done") == 0 ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	world_down(&x);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_write_fails),
		cmocka_unit_test(test_every_allocation_fails),
		cmocka_unit_test(test_every_fault_of_handing_in),
		cmocka_unit_test(test_every_fault_of_stopping),
	};
	return cmocka_run_group_tests(tests, start, end);
}
