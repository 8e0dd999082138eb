/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The outbox on real stores: in the source's transaction, applied once by its
 * key, receipted, in order per subject; what a poison row does, and the bounds.
 */
#include "outbox_world.h"

#include "test.h"

#include <sodium.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "gen/sql.h"
#include "sqlite_faults.h"

enum { S = VAULT_STRATEGIC, O = VAULT_OPERATIONAL, P = VAULT_PROTECTION };

static struct world w;

static int up(void **state)
{
	(void)state;
	world_up(&w);
	return 0;
}

static int down(void **state)
{
	(void)state;
	world_down(&w);
	return 0;
}

static struct uuid subject_of(uint8_t n)
{
	return (struct uuid){ { 0x5b, n } };
}

/* Exactly these numbers of this subject were applied by ${v}, in this order. */
static void expect_applied(int v, const struct uuid *subject, const uint32_t *numbers, size_t n)
{
	static struct applied got[APPLIED];
	size_t all = world_applied(&w, v, got), k = 0;
	for (size_t i = 0; i < all; i++) {
		if (!uuid_equal(&got[i].subject, subject))
			continue;
		assert_true(k < n);
		assert_int_equal(got[i].number, numbers[k++]);
	}
	assert_int_equal(k, n);
}

/* ---- in the source's transaction ---- */

static void test_what_was_rolled_back_was_never_put(void **state)
{
	(void)state;
	struct uuid s = subject_of(1);
	assert_int_equal(world_put_and_undo(&w, S, P, "note", &s, 1), FW_EBUSY);
	assert_int_equal(world_send(&w, S), 0);
	assert_int_equal(world_rows(&w, S, OUTBOX_WAITING, NULL), 0);
	assert_int_equal(world_put(&w, S, P, "note", &s, 2), 0);
	world_settle(&w);
	expect_applied(P, &s, (const uint32_t[]){ 2 }, 1);
}

static int put_in_savepoint(struct worker *k, struct store *db, void *arg, struct diag *reterr)
{
	const struct uuid *s = arg;
	struct uuid key;
	uint32_t one = 1, two = 2;
	(void)k;
	assert_int_equal(store_savepoint(db, reterr), 0);
	assert_int_equal(outbox_put(db, P, "note", s, &one, sizeof(one), &key, reterr), 0);
	assert_int_equal(store_savepoint_rollback(db, reterr), 0);
	return outbox_put(db, P, "note", s, &two, sizeof(two), &key, reterr);
}

static void test_a_failed_part_leaves_the_rest(void **state)
{
	(void)state;
	struct uuid s = subject_of(1);
	assert_int_equal(worker_tx(w.w[S], put_in_savepoint, &s, NULL), 0);
	world_settle(&w);
	expect_applied(P, &s, (const uint32_t[]){ 2 }, 1);
}

static void test_put_before_a_death_is_sent_after_it(void **state)
{
	(void)state;
	struct uuid s = subject_of(1);
	assert_int_equal(world_put(&w, S, P, "note", &s, 1), 0);
	world_crash(&w, S);
	world_start(&w, S);
	world_settle(&w);
	expect_applied(P, &s, (const uint32_t[]){ 1 }, 1);
}

/* ---- applied once, receipted ---- */

static void test_delivered_many_times_applied_once(void **state)
{
	(void)state;
	struct uuid s = subject_of(1);
	assert_int_equal(world_put(&w, S, P, "note", &s, 7), 0);
	assert_int_equal(world_send(&w, S), 1);
	for (int i = 0; i < 20; i++)
		assert_int_equal(world_deliver(&w, 0, false), 0);
	assert_int_equal(world_letters(&w, MSG_RECEIPT), 20);
	for (size_t i = 2; i <= 20; i++) { /* each receipt is the same */
		assert_int_equal(w.letters[i].n, w.letters[1].n);
		assert_memory_equal(w.letters[i].bytes, w.letters[1].bytes, w.letters[1].n);
	}
	expect_applied(P, &s, (const uint32_t[]){ 7 }, 1);
	assert_int_equal(world_inbox(&w, P), 1);
	assert_int_equal(world_rows(&w, S, OUTBOX_WAITING, NULL), 1);
	while (w.nletters > 1)
		assert_int_equal(world_deliver(&w, 1, true), 0);
	assert_int_equal(world_rows(&w, S, OUTBOX_DONE, NULL), 1);
}

static void test_a_receipt_ends_the_row_and_empties_it(void **state)
{
	(void)state;
	struct uuid s = subject_of(1), s2 = subject_of(2), s3 = subject_of(3);
	int64_t bytes = 0;
	assert_int_equal(world_put(&w, S, P, "note", &s, 7), 0);
	assert_int_equal(world_put(&w, S, P, "silent", &s2, 8), 0);
	assert_int_equal(world_put(&w, S, P, "wordy", &s3, 9), 0);
	assert_int_equal(world_rows(&w, S, OUTBOX_WAITING, &bytes), 3);
	assert_int_equal(bytes, 12);
	world_settle(&w);
	assert_int_equal(world_rows(&w, S, OUTBOX_DONE, &bytes), 3);
	assert_int_equal(bytes, 0);
	struct outbox_row r = world_newest(&w, S, &s);
	assert_int_equal(r.state, OUTBOX_DONE);
	assert_string_equal(r.receipt, "noted");
	assert_string_equal(r.kind, "note");
	assert_true(r.at > 0 && !uuid_is_nil(&r.key));
	assert_string_equal(world_newest(&w, S, &s2).receipt, "");
	assert_int_equal(strlen(world_newest(&w, S, &s3).receipt), OUTBOX_RECEIPT_MAX);
}

/* Both ledgers tell it once, however often it came. */
static void test_it_stands_in_both_ledgers(void **state)
{
	(void)state;
	struct uuid s = subject_of(1);
	assert_int_equal(world_put(&w, S, P, "note", &s, 7), 0);
	(void)world_send(&w, S);
	for (int i = 0; i < 3; i++)
		assert_int_equal(world_deliver(&w, 0, false), 0);
	world_settle(&w);
	assert_int_equal(world_ledger(&w, P), 1);
	assert_int_equal(world_ledger(&w, S), 1);
	s = subject_of(2);
	assert_int_equal(world_put(&w, S, P, "poison", &s, 8), 0);
	world_settle(&w);
	assert_int_equal(world_ledger(&w, P), 2);
	assert_int_equal(world_ledger(&w, S), 2);
}

static void test_a_lost_receipt_is_asked_for_again(void **state)
{
	(void)state;
	struct uuid s = subject_of(1);
	assert_int_equal(world_put(&w, S, P, "note", &s, 7), 0);
	(void)world_send(&w, S);
	assert_int_equal(world_deliver(&w, 0, true), 0);
	world_lose_all(&w);
	assert_int_equal(world_send(&w, S), 0); /* not before its time */
	world_wait_ms(5001);
	assert_int_equal(world_send(&w, S), 1);
	world_settle(&w);
	expect_applied(P, &s, (const uint32_t[]){ 7 }, 1);
	assert_int_equal(world_rows(&w, S, OUTBOX_DONE, NULL), 1);
}

/* A receiver that always needs longer than the sender waits is heard all the same. */
static void test_a_late_receipt_counts(void **state)
{
	(void)state;
	struct uuid s = subject_of(1);
	assert_int_equal(world_put(&w, S, P, "note", &s, 7), 0);
	(void)world_send(&w, S);
	assert_int_equal(world_deliver(&w, 0, true), 0);
	for (int i = 0; i < 3; i++) {
		world_wait_ms(5001);
		(void)world_send(&w, S);
	}
	world_crash(&w, P); /* what was sent again is lost with it */
	world_start(&w, P);
	assert_int_equal(world_rows(&w, S, OUTBOX_WAITING, NULL), 1);
	world_settle(&w);

	s = subject_of(2);
	assert_int_equal(world_put(&w, S, P, "note", &s, 8), 0);
	(void)world_send(&w, S);
	assert_int_equal(world_deliver(&w, 0, true), 0);
	world_wait_ms(5001);
	assert_int_equal(world_send(&w, S), 2);
	assert_int_equal(w.letters[0].type, MSG_RECEIPT);
	assert_int_equal(world_deliver(&w, 0, true), 0);
	assert_int_equal(world_newest(&w, S, &s).state, OUTBOX_DONE);
}

/* A receipt for somebody else's row, for none, or one that was had before. */
static void test_receipts_that_mean_nothing(void **state)
{
	(void)state;
	struct uuid s = subject_of(1), none = subject_of(9);
	assert_int_equal(world_put(&w, S, P, "note", &s, 7), 0);
	(void)world_send(&w, S);
	struct uuid key = world_newest(&w, S, &s).key;
	const struct { int from; const struct uuid *key; } bad[] = { { O, &key }, { P, &none }, { O, &none } };
	for (size_t i = 0; i < 3; i++) {
		struct wire_receipt r = { .key = *bad[i].key, .outcome = RECEIPT_APPLIED, .text = "done, really" };
		struct buf b;
		struct message m = { .type = MSG_RECEIPT, .fd = -1 };
		buf_init(&b, 300);
		wire_receipt_put(&b, &r);
		cur_init(&m.body, b.data, b.len);
		assert_int_equal(outbox_on_message(w.w[S], &w.chan[S][bad[i].from], &m), 0);
		buf_release(&b);
		assert_int_equal(world_newest(&w, S, &s).state, OUTBOX_WAITING);
	}
	world_settle(&w);
	expect_applied(P, &s, (const uint32_t[]){ 7 }, 1);
	assert_string_equal(world_newest(&w, S, &s).receipt, "noted");
}

/* ---- order ---- */

static void test_one_of_a_subject_at_a_time(void **state)
{
	(void)state;
	struct uuid s = subject_of(1), t = subject_of(2);
	for (uint32_t i = 1; i <= 3; i++) {
		assert_int_equal(world_put(&w, S, P, "note", &s, i), 0);
		assert_int_equal(world_put(&w, S, P, "note", &t, 10 * i), 0);
	}
	assert_int_equal(world_send(&w, S), 2);
	world_wait_ms(6000);
	assert_int_equal(world_send(&w, S), 4); /* the same two again */
	world_settle(&w);
	expect_applied(P, &s, (const uint32_t[]){ 1, 2, 3 }, 3);
	expect_applied(P, &t, (const uint32_t[]){ 10, 20, 30 }, 3);
}

/* An old letter that turns up after the next of its subject changes nothing. */
static void test_out_of_turn_and_twice(void **state)
{
	(void)state;
	struct uuid s = subject_of(1);
	for (uint32_t i = 1; i <= 3; i++)
		assert_int_equal(world_put(&w, S, P, "note", &s, i), 0);
	(void)world_send(&w, S);
	assert_int_equal(world_deliver(&w, 0, false), 0); /* 1; its letter stays */
	assert_int_equal(world_deliver(&w, 1, true), 0);  /* the receipt */
	assert_int_equal(world_send(&w, S), 2);
	assert_int_equal(world_deliver(&w, 1, false), 0); /* 2 */
	assert_int_equal(world_deliver(&w, 0, true), 0);  /* 1 again */
	assert_int_equal(world_deliver(&w, 0, true), 0);  /* 2 again */
	world_settle(&w);
	expect_applied(P, &s, (const uint32_t[]){ 1, 2, 3 }, 3);
}

/* The order of a subject is one, whoever its rows are for. */
static void test_the_order_holds_over_vaults(void **state)
{
	(void)state;
	struct uuid s = subject_of(1), t = subject_of(2);
	world_cut(&w, S, O, true);
	assert_int_equal(world_put(&w, S, O, "note", &s, 1), 0);
	assert_int_equal(world_put(&w, S, P, "note", &s, 2), 0);
	assert_int_equal(world_put(&w, S, P, "note", &t, 3), 0);
	world_settle(&w);
	expect_applied(P, &s, NULL, 0);
	expect_applied(P, &t, (const uint32_t[]){ 3 }, 1); /* others of the vault that is up go on */
	world_cut(&w, S, O, false);
	world_settle(&w);
	expect_applied(O, &s, (const uint32_t[]){ 1 }, 1);
	expect_applied(P, &s, (const uint32_t[]){ 2 }, 1);
}

static int put_note(struct store *db, void *arg, struct diag *reterr)
{
	const uint32_t *body = arg;
	struct uuid s = subject_of(1), key;
	return outbox_put(db, P, "note", &s, body, sizeof(*body), &key, reterr);
}

/* Two lives of a process, the second with its clock an hour behind the first. In children, since time never goes back. */
static void put_in_a_life(const char *url, int64_t clock, uint32_t number)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct store_options opt = { .url = url, .role = STORE_ROLE_STRATEGIC, .vault = "strategic",
						   .create = true, .migrate = true };
		struct store *db = NULL;
		time_test_offset(clock);
		int err = store_open(&opt, &db, NULL);
		for (uint32_t i = 0; err == 0 && i < 3; i++) {
			uint32_t body = number + i;
			err = store_tx(db, STORE_WRITE, put_note, &body, NULL);
		}
		store_close(db);
		_exit(err == 0 ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_a_clock_set_back_does_not_turn_the_order(void **state)
{
	(void)state;
	char url[WORLD_URL];
	struct uuid s = subject_of(1);
	world_crash(&w, S);
	world_url(&w, S, url);
	put_in_a_life(url, 3600 * USEC_PER_SEC, 1);
	put_in_a_life(url, 0, 4);
	world_start(&w, S);
	world_settle(&w);
	expect_applied(P, &s, (const uint32_t[]){ 1, 2, 3, 4, 5, 6 }, 6);
}

/* ---- refusals ---- */

static void test_a_poison_row_holds_back_its_subject_alone(void **state)
{
	(void)state;
	struct uuid s = subject_of(1), t = subject_of(2);
	assert_int_equal(world_put(&w, S, P, "poison", &s, 1), 0);
	assert_int_equal(world_put(&w, S, P, "note", &s, 2), 0);
	assert_int_equal(world_put(&w, S, O, "note", &s, 3), 0);
	assert_int_equal(world_put(&w, S, P, "note", &t, 4), 0);
	assert_int_equal(world_put(&w, O, P, "note", &s, 5), 0); /* another source's subject of that id */
	world_settle(&w);
	expect_applied(P, &t, (const uint32_t[]){ 4 }, 1);
	expect_applied(P, &s, (const uint32_t[]){ 5 }, 1);
	expect_applied(O, &s, NULL, 0);
	int64_t bytes = 0;
	assert_int_equal(world_rows(&w, S, OUTBOX_REFUSED, &bytes), 1);
	assert_int_equal(bytes, 4); /* what was refused is kept */
	assert_int_equal(world_rows(&w, S, OUTBOX_WAITING, NULL), 2);
	assert_int_equal(world_inbox(&w, P), 2);
	assert_int_equal(fake_gauge(w.w[S], METRIC_OUTBOX_WAITING), 2);
	assert_int_equal(fake_gauge(w.w[S], METRIC_OUTBOX_REFUSED), 1);
	assert_int_equal(fake_gauge(w.w[O], METRIC_OUTBOX_REFUSED), 0);
}

/* Whatever the row does that will be the same next time, it is refused, and nothing of it stays. */
static void test_each_way_to_be_refused(void **state)
{
	(void)state;
	static const struct { const char *kind, *words; } cases[] = {
		{ "poison", "number 1 is not acceptable" },
		{ "unknown", "this vault takes nothing of the kind \"unknown\"" },
		{ "talkative", "a limit was reached" },
		{ "clash", "a rule of the store forbids it" },
		{ "nonsense", "is not text" },
	};
	for (uint8_t i = 0; i < 5; i++) {
		struct uuid s = subject_of(i);
		assert_int_equal(world_put(&w, S, P, cases[i].kind, &s, 1), 0);
	}
	world_settle(&w);
	for (uint8_t i = 0; i < 5; i++) {
		struct uuid s = subject_of(i);
		struct outbox_row r = world_newest(&w, S, &s);
		if (r.state != OUTBOX_REFUSED || strstr(r.receipt, cases[i].words) == NULL)
			fail_msg("%s: state %d, \"%s\"", cases[i].kind, r.state, r.receipt);
		expect_applied(P, &s, NULL, 0);
	}
	assert_int_equal(world_inbox(&w, P), 0);
}

static void test_what_passes_is_wanted_again(void **state)
{
	(void)state;
	struct uuid s = subject_of(1), t = subject_of(2);
	assert_int_equal(world_put(&w, S, P, "late", &s, 1), 0);
	assert_int_equal(world_put(&w, S, P, "note", &t, 2), 0);
	fake_fail_commit(w.w[P], 2);
	(void)world_send(&w, S);
	assert_int_equal(world_letters(&w, MSG_OUTBOX), 2);
	while (w.nletters > 0)
		assert_int_equal(world_deliver(&w, 0, true), 0);
	assert_int_equal(world_rows(&w, S, OUTBOX_WAITING, NULL), 1);
	assert_int_equal(world_send(&w, S), 0);
	world_wait_ms(501);
	assert_int_equal(world_send(&w, S), 1);
	world_settle(&w);
	expect_applied(P, &s, NULL, 0);
	expect_applied(P, &t, (const uint32_t[]){ 2 }, 1);
	assert_int_equal(world_newest(&w, S, &s).state, OUTBOX_WAITING);
}

/* More of them than may be under way at once, and all older than the good one. */
static void test_rows_wanted_again_do_not_starve_others(void **state)
{
	(void)state;
	struct uuid good = subject_of(200);
	for (uint8_t i = 0; i < 100; i++) {
		struct uuid s = subject_of(i);
		assert_int_equal(world_put(&w, S, P, "late", &s, i), 0);
	}
	assert_int_equal(world_put(&w, S, P, "note", &good, 1), 0);
	for (int round = 0; round < 20; round++) {
		(void)world_send(&w, S);
		while (w.nletters > 0)
			assert_int_equal(world_deliver(&w, 0, true), 0);
		world_wait_ms(501);
	}
	expect_applied(P, &good, (const uint32_t[]){ 1 }, 1);
}

/* A vault that takes rows and never answers holds up only what is for itself. */
static void test_a_vault_that_hangs_holds_up_nobody_else(void **state)
{
	(void)state;
	struct uuid good = subject_of(200);
	for (uint8_t i = 0; i < 100; i++) {
		struct uuid s = subject_of(i);
		assert_int_equal(world_put(&w, S, O, "note", &s, i), 0);
	}
	assert_int_equal(world_put(&w, S, P, "note", &good, 1), 0);
	(void)world_send(&w, S);
	size_t to_o = 0;
	for (size_t i = 0; i < w.nletters; i++)
		to_o += w.letters[i].to == O;
	assert_int_equal(to_o, w.nletters - 1);
	assert_true(to_o <= 32); /* nor is more than that on the road to it */
	for (size_t i = w.nletters; i-- > 0;)
		if (w.letters[i].to == P)
			assert_int_equal(world_deliver(&w, i, true), 0);
	expect_applied(P, &good, (const uint32_t[]){ 1 }, 1);
}

/*
 * A row that kills whoever takes it, among forty good ones.  Its receiver dies of it, is there again a second later,
 * and so on for an hour.
 */
static void test_a_deadly_row_does_not_take_the_vault_with_it(void **state)
{
	(void)state;
	struct uuid deadly = subject_of(200);
	unsigned deaths = 0, in_last_half = 0;
	uint32_t number = 1000;
	for (uint8_t i = 0; i < 40; i++) {
		struct uuid s = subject_of(i);
		if (i == 3)
			assert_int_equal(world_put(&w, S, P, "note", &deadly, number), 0);
		assert_int_equal(world_put(&w, S, P, "note", &s, i), 0);
	}
	struct uuid key = world_newest(&w, S, &deadly).key;
	for (int second = 0; second < 3600; second++) {
		(void)world_send(&w, S);
		while (w.nletters > 0) {
			if (w.letters[0].to == P && memcmp(w.letters[0].bytes, key.b, sizeof(key.b)) == 0) {
				deaths++;
				in_last_half += second >= 1800;
				world_crash(&w, P);
				world_start(&w, P);
			} else {
				assert_int_equal(world_deliver(&w, 0, true), 0);
			}
		}
		if (second == 600) { /* the good ones are through, and a new one goes at once */
			struct uuid s = subject_of(100);
			assert_int_equal(world_rows(&w, S, OUTBOX_WAITING, NULL), 1);
			assert_int_equal(world_put(&w, S, P, "note", &s, 1), 0);
			(void)world_send(&w, S);
			assert_int_equal(world_deliver(&w, 0, true), 0);
			expect_applied(P, &s, (const uint32_t[]){ 1 }, 1);
		}
		world_wait_ms(1000);
	}
	print_message("# %u deaths in an hour\n", deaths);
	assert_true(deaths >= 3 && deaths <= 15);
	assert_in_range(in_last_half, 1, 4);
	for (uint8_t i = 0; i < 40; i++) {
		struct uuid s = subject_of(i);
		expect_applied(P, &s, (const uint32_t[]){ i }, 1);
	}
	world_settle(&w); /* and when a mended program takes it, it is applied */
	expect_applied(P, &deadly, (const uint32_t[]){ 1000 }, 1);
}

/* Refused by one life, and by the next once more unless that is wiser. */
static void test_a_refused_row_is_tried_at_each_start(void **state)
{
	(void)state;
	struct uuid s = subject_of(1);
	assert_int_equal(world_put(&w, S, P, "healing", &s, 1), 0);
	assert_int_equal(world_put(&w, S, P, "note", &s, 2), 0);
	world_settle(&w);
	assert_int_equal(world_rows(&w, S, OUTBOX_REFUSED, NULL), 1);
	world_crash(&w, S);
	world_start(&w, S);
	world_settle(&w);
	assert_int_equal(world_rows(&w, S, OUTBOX_REFUSED, NULL), 1);
	expect_applied(P, &s, NULL, 0);
	world_healed = true;
	world_settle(&w); /* not by itself */
	expect_applied(P, &s, NULL, 0);
	world_crash(&w, S);
	world_start(&w, S);
	world_settle(&w);
	expect_applied(P, &s, (const uint32_t[]){ 1, 2 }, 2);
	assert_int_equal(world_rows(&w, S, OUTBOX_REFUSED, NULL), 0);
	assert_string_equal(world_newest(&w, S, &s).receipt, "noted");
}

/* Sent twice, refused the first time and applied the second: the source believes what is true. */
static void test_applied_is_the_truth(void **state)
{
	(void)state;
	struct uuid s = subject_of(1);
	for (int turned_round = 0; turned_round < 2; turned_round++) {
		s = subject_of((uint8_t)turned_round);
		world_healed = false;
		assert_int_equal(world_put(&w, S, P, "healing", &s, 1), 0);
		(void)world_send(&w, S);
		assert_int_equal(world_deliver(&w, 0, false), 0);
		world_healed = true;
		assert_int_equal(world_deliver(&w, 0, true), 0);
		assert_int_equal(world_letters(&w, MSG_RECEIPT), 2);
		assert_int_equal(world_deliver(&w, turned_round ? 1 : 0, true), 0);
		assert_int_equal(world_deliver(&w, 0, true), 0);
		assert_int_equal(world_newest(&w, S, &s).state, OUTBOX_DONE);
		assert_string_equal(world_newest(&w, S, &s).receipt, "noted");
		expect_applied(P, &s, (const uint32_t[]){ 1 }, 1);
	}
}

/* ---- bounds ---- */

struct bounds {
	int to;
	const char *kind;
	size_t n;
	int want;
};

static int put_bounds(struct worker *k, struct store *db, void *arg, struct diag *reterr)
{
	static const uint8_t body[OUTBOX_BODY_MAX + 1];
	const struct bounds *b = arg;
	struct uuid s = subject_of(1), key = UUID_NIL;
	(void)k;
	int err = outbox_put(db, b->to, b->kind, &s, body, b->n, &key, reterr);
	assert_true(uuid_is_nil(&key) == (err != 0));
	assert_int_equal(err, b->want);
	return 0; /* a refusal leaves the transaction whole */
}

static void test_bounds_of_a_row(void **state)
{
	(void)state;
	static const char longest[] = "abcdefghijklmnopqrstuvwxyz01234", longer[] = "abcdefghijklmnopqrstuvwxyz012345";
	struct bounds cases[] = {
		{ P, "note", OUTBOX_BODY_MAX + 1, FW_ELIMIT }, { P, "", 1, FW_EINVALID }, { P, longer, 1, FW_EINVALID },
		{ VAULT_HOUSE, "note", 1, FW_EINVALID },       { -1, "note", 1, FW_EINVALID }, { 99, "note", 1, FW_EINVALID },
		{ P, longest, OUTBOX_BODY_MAX, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(worker_tx(w.w[S], put_bounds, &cases[i], NULL), 0);
	assert_int_equal(world_rows(&w, S, OUTBOX_WAITING, NULL), 1);
	assert_int_equal(world_send(&w, S), 1); /* the longest there is fits into a message */
	assert_int_equal(world_deliver(&w, 0, true), 0);
	assert_int_equal(world_deliver(&w, 0, true), 0);
	struct uuid s = subject_of(1);
	assert_int_equal(world_newest(&w, S, &s).state, OUTBOX_REFUSED);
	assert_string_equal(world_newest(&w, S, &s).kind, longest);
}

static void test_rows_of_a_subject_newest_first(void **state)
{
	(void)state;
	struct uuid s = subject_of(1), t = subject_of(2);
	struct outbox_row r[4];
	size_t n = 99;
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(world_put(&w, S, P, "note", &s, i), 0);
	struct store *db = worker_store(w.w[S]);
	assert_int_equal(store_begin(db, STORE_READ, NULL), 0);
	assert_int_equal(outbox_of_subject(db, &t, r, 4, &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_int_equal(outbox_of_subject(db, &s, r, 0, &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_int_equal(outbox_of_subject(db, &s, r, 3, &n, NULL), 0);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true(uuid_equal(&r[i].subject, &s));
		assert_int_equal(r[i].state, OUTBOX_WAITING);
		assert_true(i == 0 || uuid_compare(&r[i - 1].key, &r[i].key) > 0);
	}
	store_rollback(db);
}

/* What is no message of ours ends the channel; a receipt in the store that was made too long does not overflow. */
static void test_messages_of_a_broken_neighbour(void **state)
{
	(void)state;
	static const uint8_t zeros[64];
	const int types[] = { MSG_OUTBOX, MSG_RECEIPT, MSG_HELLO };
	for (size_t i = 0; i < 3; i++) {
		struct message m = { .type = (uint16_t)types[i], .fd = -1 };
		cur_init(&m.body, zeros, sizeof(zeros));
		assert_int_equal(outbox_on_message(w.w[P], &w.chan[P][S], &m), FW_EPROTO);
	}
	char wrong[OUTBOX_RECEIPT_MAX + 2];
	struct uuid s = subject_of(1);
	memset(wrong, 'x', sizeof(wrong));
	wrong[OUTBOX_RECEIPT_MAX + 1] = '\0';
	assert_int_equal(world_put(&w, S, P, "note", &s, 1), 0);
	(void)world_send(&w, S);
	assert_int_equal(world_deliver(&w, 0, false), 0);
	const struct store_value args[] = { sv_text(wrong) };
	assert_int_equal(world_inbox(&w, P), 1);
	assert_int_equal(store_exec(w.look[P], SQL_OUTBOX_WORLD_LENGTHEN, args, 1, NULL, NULL), 0);
	assert_int_equal(world_deliver(&w, 0, true), 0);
	expect_applied(P, &s, (const uint32_t[]){ 1 }, 1);
}

/* What one end writes the other reads, within the sizes of messages.tbl, and no beginning of it is taken for the whole. */
static void test_payloads_come_back(void **state)
{
	(void)state;
	static uint8_t body[OUTBOX_BODY_MAX];
	struct arena *a = arena_new(1 << 16);
	struct buf b;
	struct cursor cur;
	buf_init(&b, OUTBOX_BODY_MAX + 200);
	for (uint64_t seed = 0; seed < prop_rounds(300); seed++) {
		struct prop p = { seed };
		char text[OUTBOX_RECEIPT_MAX + 1];
		struct wire_outbox o = { .at = (int64_t)prop_u64(&p), .kind = text, .body = body }, o2;
		prop_bytes(&p, o.key.b, sizeof(o.key.b));
		prop_bytes(&p, o.subject.b, sizeof(o.subject.b));
		o.n = prop_below(&p, prop_below(&p, 10) == 0 ? OUTBOX_BODY_MAX + 1 : 100);
		prop_bytes(&p, body, o.n < 100 ? o.n : 100);
		memset(text, 'k', sizeof(text));
		text[prop_below(&p, OUTBOX_KIND_MAX + 1)] = '\0';
		buf_clear(&b);
		wire_outbox_put(&b, &o);
		assert_true(!buf_failed(&b) && b.len >= message_rows[MSG_OUTBOX].min && b.len <= message_rows[MSG_OUTBOX].max);
		cur_init(&cur, b.data, b.len);
		assert_int_equal(wire_outbox_get(&cur, a, &o2), 0);
		assert_true(uuid_equal(&o.key, &o2.key) && uuid_equal(&o.subject, &o2.subject) && o.at == o2.at);
		assert_string_equal(o.kind, o2.kind);
		assert_int_equal(o.n, o2.n);
		assert_memory_equal(o.body, o2.body, o.n);
		cur_init(&cur, b.data, prop_below(&p, b.len));
		assert_int_equal(wire_outbox_get(&cur, a, &o2), FW_EPROTO);

		struct wire_receipt r = { .key = o.key, .outcome = (uint8_t)prop_below(&p, 3), .text = text }, r2;
		memset(text, 'w', sizeof(text));
		text[prop_below(&p, OUTBOX_RECEIPT_MAX + 1)] = '\0';
		buf_clear(&b);
		wire_receipt_put(&b, &r);
		assert_true(b.len >= message_rows[MSG_RECEIPT].min && b.len <= message_rows[MSG_RECEIPT].max);
		cur_init(&cur, b.data, b.len);
		assert_int_equal(wire_receipt_get(&cur, a, &r2), 0);
		assert_true(uuid_equal(&r.key, &r2.key) && r.outcome == r2.outcome);
		assert_string_equal(r.text, r2.text);
		cur_init(&cur, b.data, prop_below(&p, b.len));
		assert_int_equal(wire_receipt_get(&cur, a, &r2), FW_EPROTO);
		arena_reset(a);
	}
	buf_release(&b);
	arena_free(a);
}

/* ---- many ---- */

struct many {
	uint32_t n;
	bool one_subject;
};

static int put_many(struct worker *k, struct store *db, void *arg, struct diag *reterr)
{
	const struct many *m = arg;
	int err = 0;
	(void)k;
	for (uint32_t i = 0; err == 0 && i < m->n; i++) {
		struct uuid s = m->one_subject ? subject_of(1) : (struct uuid){ { 2, (uint8_t)(i >> 8), (uint8_t)i } }, key;
		err = outbox_put(db, P, "note", &s, &i, sizeof(i), &key, reterr);
	}
	return err;
}

static void bring_over(struct many m)
{
	static struct applied got[APPLIED];
	size_t before = world_applied(&w, P, got), rounds = 0;
	assert_int_equal(worker_tx(w.w[S], put_many, &m, NULL), 0);
	usec_t began = time_mono();
	for (; world_send(&w, S) > 0; rounds++)
		while (w.nletters > 0)
			assert_int_equal(world_deliver(&w, 0, true), 0);
	double seconds = (double)(time_mono() - began) / 1e6;
	assert_int_equal(world_applied(&w, P, got), before + m.n);
	for (uint32_t i = 0; i < m.n; i++)
		assert_int_equal(got[before + i].number, i);
	/* A lane full at a time, or one by one; nothing is sent twice. */
	assert_int_equal(rounds, m.one_subject ? m.n : (m.n + 15) / 16);
	print_message("# %u rows of %s: %.0f a second\n", m.n, m.one_subject ? "one subject" : "as many subjects",
		      m.n / seconds);
}

static void test_many_rows_go_over_in_few_rounds(void **state)
{
	(void)state;
	bring_over((struct many){ 1000, false });
	bring_over((struct many){ 300, true });
	assert_int_equal(world_rows(&w, S, OUTBOX_DONE, NULL), 1300);
}

/* FAIRWAY_SYNCS: with the syncs of a real disk, for figures. */
static int set_up(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	return getenv("FAIRWAY_SYNCS") == NULL ? sqlite_faults_install(true) : 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_was_rolled_back_was_never_put),
		TEST(test_a_failed_part_leaves_the_rest),
		TEST(test_put_before_a_death_is_sent_after_it),
		TEST(test_delivered_many_times_applied_once),
		TEST(test_a_receipt_ends_the_row_and_empties_it),
		TEST(test_it_stands_in_both_ledgers),
		TEST(test_a_lost_receipt_is_asked_for_again),
		TEST(test_a_late_receipt_counts),
		TEST(test_receipts_that_mean_nothing),
		TEST(test_one_of_a_subject_at_a_time),
		TEST(test_out_of_turn_and_twice),
		TEST(test_the_order_holds_over_vaults),
		TEST(test_a_clock_set_back_does_not_turn_the_order),
		TEST(test_a_poison_row_holds_back_its_subject_alone),
		TEST(test_each_way_to_be_refused),
		TEST(test_what_passes_is_wanted_again),
		TEST(test_rows_wanted_again_do_not_starve_others),
		TEST(test_a_vault_that_hangs_holds_up_nobody_else),
		TEST(test_a_deadly_row_does_not_take_the_vault_with_it),
		TEST(test_a_refused_row_is_tried_at_each_start),
		TEST(test_applied_is_the_truth),
		TEST(test_bounds_of_a_row),
		TEST(test_rows_of_a_subject_newest_first),
		TEST(test_messages_of_a_broken_neighbour),
		cmocka_unit_test(test_payloads_come_back),
		TEST(test_many_rows_go_over_in_few_rounds),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
