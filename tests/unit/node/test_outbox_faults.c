/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The n-th write and the n-th allocation fail, SQLite's own included, for
 * every n, while rows are put, sent, applied and receipted; or from the n-th
 * write on nothing reaches the disk and then everybody dies, which is a death
 * at any instant.  What was acknowledged is applied once and in order,
 * what was not is applied once or not at all.
 */
#include "outbox_world.h"

#include "test.h"

#include <sodium.h>

#include "base/arena.h"
#include "sqlite_faults.h"

enum { ROWS = 3, WORLD_LASTS = 100 };

static struct world w;

static void restart(int v)
{
	if (w.w[v] != NULL)
		world_crash(&w, v);
	world_start(&w, v);
}

/* Two subjects, so that there is order and concurrence. acknowledged[i]: row i was. */
static void work(const struct uuid subject[2], bool acknowledged[ROWS])
{
	for (uint32_t i = 0; i < ROWS; i++) {
		acknowledged[i] = world_put(&w, VAULT_STRATEGIC, VAULT_PROTECTION, "note", &subject[i % 2], i) == 0;
		(void)world_send(&w, VAULT_STRATEGIC);
		while (w.nletters > 0)
			assert_int_equal(world_deliver(&w, 0, true), 0); /* a fault is nobody's breach of the protocol */
		world_wait_ms(600);
	}
}

static void check(enum kind k, int n, const struct uuid subject[2], const bool acknowledged[ROWS])
{
	static struct applied got[APPLIED];
	size_t all = world_applied(&w, VAULT_PROTECTION, got);
	unsigned seen[ROWS] = { 0 };
	for (size_t i = 0; i < all; i++) {
		if (!uuid_equal(&got[i].subject, &subject[0]) && !uuid_equal(&got[i].subject, &subject[1]))
			continue;
		assert_true(got[i].number < ROWS);
		seen[got[i].number]++;
		for (uint32_t later = got[i].number + 2; later < ROWS; later += 2)
			if (seen[later] > 0)
				fail_msg("kind %d, fault %d: row %u was applied before row %u", (int)k, n, later, got[i].number);
	}
	for (uint32_t i = 0; i < ROWS; i++)
		if (seen[i] > 1 || (acknowledged[i] && seen[i] == 0))
			fail_msg("kind %d, fault %d: row %u, %sacknowledged, was applied %u times", (int)k, n, i,
				 acknowledged[i] ? "" : "not ", seen[i]);
	assert_int_equal(world_rows(&w, VAULT_STRATEGIC, OUTBOX_WAITING, NULL), 0);
	assert_int_equal(world_rows(&w, VAULT_STRATEGIC, OUTBOX_REFUSED, NULL), 0); /* no fault is taken for a bad row */
}

static void under(enum kind k)
{
	bool fell = true;
	int n = 1, faults = 0;
	world_up(&w);
	for (; fell; n += n > 400 ? 13 : 1, faults++) {
		if (faults % WORLD_LASTS == WORLD_LASTS - 1) {
			world_down(&w);
			world_up(&w);
		}
		const struct uuid subject[2] = { { { 1, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } },
						 { { 2, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } } };
		bool acknowledged[ROWS];
		/* New connections, which prepare their statements under the fault. */
		restart(VAULT_STRATEGIC);
		restart(VAULT_PROTECTION);
		begin_fault(k, n);
		work(subject, acknowledged);
		if (k == DEATH) {
			world_crash(&w, VAULT_STRATEGIC);
			world_crash(&w, VAULT_PROTECTION);
		}
		fell = end_fault(k, n);
		if (k == DEATH) {
			restart(VAULT_STRATEGIC);
			restart(VAULT_PROTECTION);
		}
		world_rejoin(&w);
		world_settle(&w);
		check(k, n, subject, acknowledged);
	}
	print_message("# %d faults up to the %d-th\n", faults, n);
	assert_true(n > 20);
	world_down(&w);
}

static void test_every_write_fails(void **state)
{
	(void)state;
	under(FILE_ERROR);
}

static void test_the_disk_is_full_from_any_write_on(void **state)
{
	(void)state;
	under(FILE_FULL);
}

static void test_all_die_at_any_write(void **state)
{
	(void)state;
	under(DEATH);
}

static void test_every_allocation_fails(void **state)
{
	(void)state;
	under(MEMORY);
}

static int set_up(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : sqlite_faults_install(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_write_fails),
		cmocka_unit_test(test_the_disk_is_full_from_any_write_on),
		cmocka_unit_test(test_all_die_at_any_write),
		cmocka_unit_test(test_every_allocation_fails),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
