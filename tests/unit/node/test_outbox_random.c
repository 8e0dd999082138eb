/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Random schedules: rows are put, sent, lost, delivered twice and out of turn;
 * either side dies before or after a commit; links are cut, rows are refused
 * for a while.  At every moment what was applied of a source's subject is a
 * beginning of what was put, over all vaults; and once the links are good again it is all of it.
 */
#include "outbox_world.h"

#include "test.h"

#include <sodium.h>

#include "base/arena.h"
#include "sqlite_faults.h"

enum { SUBJECTS = 4, STEPS = 150, PUTS = 400 };

/* What was committed, in order. */
struct model {
	struct {
		int from, to;
		uint32_t number;
		uint8_t subject;
	} put[PUTS];
	size_t n;
	uint32_t next;
};

static struct world w;
static struct model m;
static struct prop p;

static struct uuid subject_of(uint8_t n)
{
	return (struct uuid){ { 0x5b, n } };
}

/* ---- the check ---- */

static int by_key(const void *a, const void *b)
{
	return uuid_compare(&((const struct applied *)a)->key, &((const struct applied *)b)->key);
}

/* Walks what was applied anywhere, in the order of applying, beside what was put of each (source, subject). */
static void check(uint64_t seed, bool all)
{
	static struct applied got[SIDES * APPLIED];
	static size_t at[SIDES][SUBJECTS];
	size_t n = 0, seen = 0;
	memset(at, 0, sizeof(at));
	for (int v = 0; v < SIDES; v++)
		n += world_applied(&w, v, got + n);
	qsort(got, n, sizeof(*got), by_key);
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;
		while (k < m.n && m.put[k].number != got[i].number)
			k++;
		if (k == m.n)
			fail_msg("seed %llu: number %u was applied and never put", (unsigned long long)seed, got[i].number);
		size_t *next = &at[m.put[k].from][m.put[k].subject];
		while (*next < m.n && (m.put[*next].from != m.put[k].from || m.put[*next].subject != m.put[k].subject))
			++*next;
		if (*next != k)
			fail_msg("seed %llu: number %u was applied %s", (unsigned long long)seed, got[i].number,
				 k < *next ? "twice" : "before an earlier one of its subject");
		++*next;
		seen++;
	}
	if (all && seen != m.n)
		fail_msg("seed %llu: %zu of %zu rows were applied", (unsigned long long)seed, seen, m.n);
}

/* ---- steps ---- */

static int alive(void)
{
	return (int)prop_below(&p, SIDES);
}

/* One in five is put into a commit that fails; some are undone by the act itself. */
static void step_put(void)
{
	static const char *const kinds[] = { "note", "note", "silent", "healing" };
	int from = alive(), to = (from + 1 + (int)prop_below(&p, 2)) % SIDES;
	uint8_t s = (uint8_t)prop_below(&p, SUBJECTS);
	struct uuid subject = subject_of(s);
	const char *kind = kinds[prop_below(&p, 4)];
	uint32_t number = ++m.next;
	if (prop_below(&p, 6) == 0) {
		assert_int_equal(world_put_and_undo(&w, from, to, kind, &subject, number), FW_EBUSY);
		return;
	}
	bool dies = prop_below(&p, 6) == 0;
	if (dies)
		fake_fail_commit(w.w[from], 1);
	int err = world_put(&w, from, to, kind, &subject, number);
	assert_true((err != 0) == dies);
	if (err == 0) {
		assert_true(m.n < PUTS);
		m.put[m.n].from = from;
		m.put[m.n].to = to;
		m.put[m.n].number = number;
		m.put[m.n++].subject = s;
	}
}

static void restart(int v)
{
	world_crash(&w, v);
	world_start(&w, v);
}

/* A letter, any of those on the road, taken or left there to come again; sometimes its receiver dies of it. */
static void step_deliver(void)
{
	if (w.nletters == 0)
		return;
	size_t k = prop_below(&p, w.nletters);
	int to = w.letters[k].to;
	uint64_t fate = prop_below(&p, 10);
	if (fate == 0)
		fake_fail_commit(w.w[to], 1);
	assert_int_equal(world_deliver(&w, k, prop_below(&p, 4) > 0 || w.nletters > LETTERS / 2), 0);
	if (fate <= 1)
		restart(to); /* before the commit, or after it: either way nobody hears of it */
}

static void step(void)
{
	switch (prop_below(&p, 12)) {
	case 0:
	case 1:
	case 2: step_put(); break;
	case 3:
	case 4: (void)world_send(&w, alive()); break;
	case 5:
	case 6:
	case 7:
	case 8: step_deliver(); break;
	case 9:
		if (w.nletters > 0)
			world_lose(&w, prop_below(&p, w.nletters));
		break;
	case 10: world_wait_ms(prop_below(&p, 2) == 0 ? 600 : 6000); break;
	default:
		if (prop_below(&p, 3) == 0)
			restart(alive());
		else if (prop_below(&p, 3) == 0)
			world_healed = !world_healed;
		else
			world_cut(&w, alive(), alive(), prop_below(&p, 2) == 0);
	}
}

static void links_are_good_again(void)
{
	for (int a = 0; a < SIDES; a++)
		for (int b = 0; b < SIDES; b++)
			world_cut(&w, a, b, false);
	world_healed = true;
	for (int v = 0; v < SIDES; v++)
		if (world_rows(&w, v, OUTBOX_REFUSED, NULL) > 0)
			restart(v); /* what was refused has its second chance */
}

static void test_any_schedule_ends_with_each_row_applied_once_in_order(void **state)
{
	(void)state;
	size_t rows = 0;
	/* On PostgreSQL each commit is a sync of a real disk. */
	const unsigned usual = getenv("FAIRWAY_TEST_PG") != NULL ? 8 : 60;
	for (uint64_t seed = 1; seed <= prop_rounds(usual); seed++) {
		p = (struct prop){ seed };
		m = (struct model){ .n = 0 };
		world_up(&w);
		for (int i = 0; i < STEPS; i++) {
			step();
			if (i % 30 == 29)
				check(seed, false);
		}
		links_are_good_again();
		world_settle(&w);
		links_are_good_again(); /* a late letter may have said that a row is refused */
		world_settle(&w);
		check(seed, true);
		for (int v = 0; v < SIDES; v++) {
			assert_int_equal(world_rows(&w, v, OUTBOX_WAITING, NULL), 0);
			assert_int_equal(world_rows(&w, v, OUTBOX_REFUSED, NULL), 0);
		}
		rows += m.n;
		world_down(&w);
	}
	print_message("# %zu rows\n", rows);
	assert_true(rows > usual * 10);
}

static int set_up(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : sqlite_faults_install(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_schedule_ends_with_each_row_applied_once_in_order),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
