/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Entries, writers, positions, proofs out of the store, pages, erasure. */
#include "ledger_help.h"

#include <errno.h>

#include "base/time.h"
#include "node/ledger/read.h"

static struct bench_ledger b;

static int up(void **state)
{
	(void)state;
	b = (struct bench_ledger){ 0 };
	ledger_up(&b);
	return 0;
}

static int down(void **state)
{
	(void)state;
	mem_fault_at(0);
	ledger_down(&b);
	return 0;
}

static struct ledger_report verified(void)
{
	struct ledger_report r;
	struct diag d = DIAG_INIT;
	int err = ledger_verify(b.s, origin, b.pk, NULL, NULL, NULL, &r, &d);
	if (err != 0 || r.verdict != 0)
		fail_msg("verify: %s %s %s", err_name(err), d.text, r.words);
	return r;
}

/* ---- content ---- */

static void test_content_round_trip(void **state)
{
	(void)state;
	struct prop p = { 1 };
	struct buf out;
	buf_init(&out, LEDGER_CONTENT_MAX);
	for (unsigned round = 0; round < prop_rounds(300); round++) {
		static struct uuid ids[LEDGER_SUBJECTS_INLINE + 50];
		struct ledger_content c;
		struct ledger_note n = { .event = (int)prop_below(&p, 65536) };
		uint64_t with = prop_u64(&p);
		for (size_t i = 0; i < LEDGER_SUBJECTS_INLINE + 50; i++)
			prop_bytes(&p, ids[i].b, 16);
		if (with & 1)
			n.account = ids[0];
		if (with & 2)
			n.session = ids[1];
		n.purpose = with & 4 ? "statistics" : NULL;
		n.route = with & 8 ? "export_incidents" : NULL;
		n.detail = with & 16 ? "{\"rows\":12}" : NULL;
		n.subjects = ids;
		n.nsubjects = with & 32 ? prop_below(&p, LEDGER_SUBJECTS_INLINE + 50) : 0;
		buf_clear(&out);
		assert_int_equal(ledger_content_put(&out, &n, NULL), 0);
		assert_int_equal(ledger_content_get(out.data, out.len, &c), 0);
		assert_int_equal(c.event, n.event);
		assert_true(uuid_equal(&c.account, &n.account) && uuid_equal(&c.session, &n.session));
		assert_string_equal(c.purpose, n.purpose ? n.purpose : "");
		assert_string_equal(c.route, n.route ? n.route : "");
		assert_int_equal(c.nsubjects, n.nsubjects);
		assert_int_equal(c.detail_len, n.detail ? strlen(n.detail) : 0);
		if (n.nsubjects > LEDGER_SUBJECTS_INLINE) {
			uint8_t h[32];
			(void)crypto_hash_sha256(h, (const uint8_t *)ids, n.nsubjects * 16);
			assert_memory_equal(c.subjects_hash, h, 32);
			assert_true(out.len < 300);
		} else if (n.nsubjects > 0) {
			assert_memory_equal(c.subjects, ids, n.nsubjects * 16);
		}
		assert_true(ledger_content_get(out.data, prop_below(&p, out.len), &c) < 0);
	}
	buf_release(&out);
}

static void test_content_of_its_largest_size_fits(void **state)
{
	(void)state;
	static struct uuid ids[LEDGER_SUBJECTS_INLINE];
	char code[LEDGER_CODE_MAX + 2], detail[LEDGER_DETAIL_MAX + 2];
	memset(code, 'c', sizeof(code));
	memset(detail, ' ', sizeof(detail));
	code[LEDGER_CODE_MAX + 1] = detail[LEDGER_DETAIL_MAX + 1] = '\0';
	struct buf out;
	buf_init(&out, LEDGER_CONTENT_MAX);
	struct ledger_note n = { .event = 1, .account = uuid_new(), .session = uuid_new(), .purpose = code,
				 .route = code + 1, .subjects = ids, .nsubjects = LEDGER_SUBJECTS_INLINE,
				 .detail = detail + 1 };
	assert_int_equal(ledger_content_put(&out, &n, NULL), FW_EINVALID);
	n.purpose = code + 1;
	n.detail = detail;
	assert_int_equal(ledger_content_put(&out, &n, NULL), FW_EINVALID);
	n.detail = detail + 1;
	n.event = 65536;
	assert_int_equal(ledger_content_put(&out, &n, NULL), FW_EINVALID);
	n.event = 65535;
	assert_int_equal(out.len, 0);
	assert_int_equal(ledger_content_put(&out, &n, NULL), 0);
	assert_int_equal(out.len, LEDGER_CONTENT_MAX);
	buf_release(&out);
}

/* The worked example of entry.c, and the leaf of a body spelled out byte by byte. */
static void test_bytes_as_documented(void **state)
{
	(void)state;
	struct ledger_note n = { .event = 3 };
	struct buf out;
	uint8_t want[20] = { 1, 3, 0, 1 };
	memset(want + 4, 0x77, 16);
	memset(n.account.b, 0x77, 16);
	buf_init(&out, 100);
	assert_int_equal(ledger_content_put(&out, &n, NULL), 0);
	assert_int_equal(out.len, 20);
	assert_memory_equal(out.data, want, 20);
	buf_release(&out);

	struct uuid id, writer;
	struct ledger_hash prev, inner, got;
	memset(id.b, 1, 16);
	memset(writer.b, 2, 16);
	memset(prev.b, 3, 32);
	memset(inner.b, 4, 32);
	ledger_leaf_hash(&id, &writer, 0x0102030405060708, &prev, &inner, &got);
	uint8_t bytes[105] = { 0 }, h[32];
	memset(bytes + 1, 1, 16);
	memset(bytes + 17, 2, 16);
	for (int i = 0; i < 8; i++)
		bytes[33 + i] = (uint8_t)(8 - i);
	memset(bytes + 41, 3, 32);
	memset(bytes + 73, 4, 32);
	(void)crypto_hash_sha256(h, bytes, sizeof(bytes));
	assert_memory_equal(got.b, h, 32);
}

static void test_time_within_the_identifier(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		usec_t before = time_now();
		struct uuid id = uuid_new();
		/* Two in a microsecond push the second one on; never back by more than the rounding. */
		assert_true(ledger_id_time(&id) >= before - 1);
		assert_true(ledger_id_time(&id) <= time_now() + 1000);
	}
}

/* ---- writers and positions ---- */

static void test_positions_come_and_everything_verifies(void **state)
{
	(void)state;
	struct ledger_head h;
	struct ledger_hash empty;
	merkle_empty(&empty);
	assert_int_equal(ledger_head(b.s, &h, NULL), 0);
	assert_int_equal(h.size, 0);
	assert_memory_equal(h.root.b, empty.b, 32);
	assert_int_equal(sequence(b.s), 0);
	add(&b, 10);
	struct ledger_report r = verified();
	assert_int_equal(r.entries, 0);
	assert_int_equal(r.unpositioned, 10);
	assert_int_equal(sequence(b.s), 10);
	assert_int_equal(sequence(b.s), 0);
	add(&b, 3);
	assert_int_equal(sequence(b.s), 3);
	assert_int_equal(ledger_head(b.s, &h, NULL), 0);
	assert_int_equal(h.size, 13);
	r = verified();
	assert_int_equal(r.entries, 13);
	assert_int_equal(r.unpositioned, 0);
	assert_true(r.bad_position == LEDGER_NO_POSITION);
}

static void test_several_writers_each_keep_a_chain(void **state)
{
	(void)state;
	struct ledger_writer *w[3];
	struct prop p = { 5 };
	size_t total = 0, positioned = 0;
	for (int i = 0; i < 3; i++)
		assert_int_equal(ledger_writer_new(&w[i]), 0);
	for (int round = 0; round < 60; round++) {
		unsigned n = 1 + (unsigned)prop_below(&p, 20);
		(void)add_of(b.s, w[prop_below(&p, 3)], n, 1);
		total += n;
		if (prop_below(&p, 4) == 0) {
			size_t done, max = 1 + prop_below(&p, 40);
			assert_int_equal(ledger_sequence(b.s, max, &done, NULL), 0);
			assert_true(done <= max);
			positioned += done;
			assert_true(done == max || positioned == total);
		}
	}
	positioned += sequence(b.s);
	assert_int_equal(positioned, total);
	assert_int_equal(verified().entries, total);
	for (int i = 0; i < 3; i++)
		ledger_writer_free(w[i]);
}

static void test_tiles_hold_the_same_tree_at_every_size(void **state)
{
	(void)state;
	struct merkle_frontier f = { 0 };
	struct ledger_head h;
	struct ledger_hash root;
	struct prop p = { 11 };
	uint64_t counter = 0;
	struct uuid writer = UUID_NIL;
	/* Past one full tile of level 0 in odd steps, and over its edges. */
	while (f.size < 1100) {
		unsigned n = 1 + (unsigned)prop_below(&p, f.size % 256 > 200 ? 5 : 90);
		add(&b, n);
		assert_int_equal(sequence(b.s), n);
		if (counter == 0)
			writer = run_at(b.s, 0).writer;
		for (unsigned i = 0; i < n; i++) {
			struct row r = get_row(b.s, writer, ++counter);
			merkle_push(&f, &r.leaf);
		}
		merkle_frontier_root(&f, &root);
		assert_int_equal(ledger_head(b.s, &h, NULL), 0);
		assert_int_equal(h.size, f.size);
		assert_memory_equal(h.root.b, root.b, 32);
	}
	assert_int_equal(verified().entries, f.size);
}

struct rolling {
	struct ledger_writer *w;
	int how;
};

static int rolling_tx(struct store *s, void *arg, struct diag *reterr)
{
	struct rolling *r = arg;
	struct ledger_note note = { .event = 1 };
	ledger_writer_rollback(r->w); /* of an earlier run */
	int err = ledger_append(s, r->w, &note, NULL, reterr);
	if (err < 0)
		return err;
	uint64_t mark = ledger_writer_mark(r->w);
	if ((err = store_savepoint(s, reterr)) < 0)
		return err;
	for (int i = 0; err == 0 && i < 3; i++)
		err = ledger_append(s, r->w, &note, NULL, reterr);
	if (err == 0 && (r->how & 1)) {
		err = store_savepoint_rollback(s, reterr);
		ledger_writer_back_to(r->w, mark);
	} else if (err == 0) {
		err = store_savepoint_release(s, reterr);
	}
	if (err == 0)
		err = ledger_append(s, r->w, &note, NULL, reterr);
	return err < 0 ? err : (r->how & 2) ? FW_EINVALID : 0;
}

static void test_savepoints_and_rollbacks_leave_the_chain_whole(void **state)
{
	(void)state;
	struct prop p = { 3 };
	struct rolling r = { b.w, 0 };
	size_t want = 0;
	for (int i = 0; i < 40; i++) {
		r.how = (int)prop_below(&p, 4);
		int err = store_tx(b.s, STORE_WRITE, rolling_tx, &r, NULL);
		if (err == 0) {
			ledger_writer_commit(b.w);
			want += r.how & 1 ? 2 : 5;
		} else {
			assert_int_equal(err, FW_EINVALID);
			ledger_writer_rollback(b.w);
		}
		if (i % 7 == 0)
			(void)sequence(b.s);
	}
	(void)sequence(b.s);
	assert_int_equal(verified().entries, want);
}

static void test_the_first_entry_of_a_writer_rolled_back_and_made_again(void **state)
{
	(void)state;
	struct rolling r = { b.w, 2 };
	assert_int_equal(store_tx(b.s, STORE_WRITE, rolling_tx, &r, NULL), FW_EINVALID);
	ledger_writer_rollback(b.w);
	add(&b, 2);
	assert_int_equal(sequence(b.s), 2);
	assert_int_equal(verified().entries, 2);
}

/* Two writers with open transactions and a sequencer between them, on one thread: whoever waited would wait for ever. */
static void test_no_writer_waits_for_another(void **state)
{
	(void)state;
	if (postgres() == NULL)
		SKIP_TEST("on SQLite one process writes");
	struct store *other = open_store(b.path);
	struct ledger_writer *w;
	struct diag d = DIAG_INIT;
	assert_int_equal(ledger_writer_new(&w), 0);
	for (int round = 0; round < 5; round++) {
		struct adding mine = { .w = b.w, .n = 5, .event = 1 }, theirs = { .w = w, .n = 4, .event = 2 };
		struct store *third = open_store(b.path);
		assert_int_equal(store_begin(b.s, STORE_WRITE, &d), 0);
		assert_int_equal(store_begin(other, STORE_WRITE, &d), 0);
		assert_int_equal(add_tx(b.s, &mine, &d), 0);
		assert_int_equal(add_tx(other, &theirs, &d), 0);
		assert_int_equal(sequence(third), 0); /* it sees neither, and stops neither */
		assert_int_equal(store_commit(other, &d), 0);
		assert_int_equal(store_commit(b.s, &d), 0);
		ledger_writer_commit(b.w);
		ledger_writer_commit(w);
		store_close(third);
		assert_int_equal(sequence(b.s), 9);
	}
	assert_int_equal(verified().entries, 45);
	ledger_writer_free(w);
	store_close(other);
}

static void test_a_new_chain_after_an_unknown_outcome(void **state)
{
	(void)state;
	struct adding a = { .w = b.w, .n = 4, .event = 1 };
	add(&b, 3);
	/* The commit went through, but the program was told that nobody knows. */
	assert_int_equal(store_tx(b.s, STORE_WRITE, add_tx, &a, NULL), 0);
	ledger_writer_renew(b.w);
	add(&b, 2);
	assert_int_equal(sequence(b.s), 9);
	assert_int_equal(verified().entries, 9);
}

static void test_idle_writers_are_closed_and_found_again(void **state)
{
	(void)state;
	struct ledger_writer *sleeper;
	struct adding a = { .n = 1, .event = 1 };
	assert_int_equal(ledger_writer_new(&sleeper), 0);
	(void)add_of(b.s, sleeper, 1, 1);
	assert_int_equal(sequence(b.s), 1);
	time_test_offset(25 * 3600 * USEC_PER_SEC);
	add(&b, 1);
	assert_int_equal(sequence(b.s), 1); /* closes the sleeper */
	assert_int_equal(sequence(b.s), 0);
	/* The machine's monotonic clock stood still while it slept: it goes on with its chain. */
	a.w = sleeper;
	assert_int_equal(store_tx(b.s, STORE_WRITE, add_tx, &a, NULL), 0);
	ledger_writer_commit(sleeper);
	assert_int_equal(sequence(b.s), 0);
	assert_int_equal(verified().unpositioned, 1);
	assert_int_equal(ledger_start(b.s, NULL), 0);
	assert_int_equal(sequence(b.s), 1);
	assert_int_equal(verified().entries, 3);
	time_test_offset(0);
	ledger_writer_free(sleeper);
}

static void test_time_never_goes_below_the_last_entry(void **state)
{
	(void)state;
	time_test_offset(INT64_C(40) * USEC_PER_DAY);
	struct uuid last = add(&b, 5);
	time_test_offset(0);
	assert_int_equal(ledger_start(b.s, NULL), 0);
	assert_true(time_now() >= ledger_id_time(&last));
}

/* ---- proofs out of the store ---- */

static size_t proof_of(struct buf *out, struct ledger_hash p[MERKLE_PROOF_MAX])
{
	size_t n = out->data[0];
	assert_int_equal(out->len, 1 + n * LEDGER_HASH);
	memcpy(p, out->data + 1, n * LEDGER_HASH);
	buf_clear(out);
	return n;
}

static void test_proofs_out_of_the_store(void **state)
{
	(void)state;
	struct ledger_hash p[MERKLE_PROOF_MAX];
	struct ledger_head heads[30], now;
	struct prop pr = { 23 };
	struct buf out;
	size_t nheads = 0;
	buf_init(&out, 4096);
	while (nheads < 30) {
		add(&b, 1 + (unsigned)prop_below(&pr, 60));
		(void)sequence(b.s);
		assert_int_equal(ledger_head(b.s, &heads[nheads++], NULL), 0);
	}
	for (size_t i = 0; i < nheads; i++) {
		assert_int_equal(ledger_prove_consistency(b.s, heads[i].size, &now, &out, NULL), 0);
		size_t n = proof_of(&out, p);
		assert_int_equal(now.size, heads[29].size);
		assert_int_equal(ledger_verify_consistency(&heads[i], &now, p, n), 0);
	}
	struct uuid writer = run_at(b.s, 0).writer;
	for (int round = 0; round < 100; round++) {
		struct ledger_head *h = &heads[prop_below(&pr, 30)];
		uint64_t pos = prop_below(&pr, h->size);
		assert_int_equal(ledger_prove_inclusion(b.s, pos, h->size, &out, NULL), 0);
		size_t n = proof_of(&out, p);
		struct row r = get_row(b.s, writer, pos + 1);
		assert_int_equal(ledger_verify_inclusion(&r.leaf, pos, h, p, n), 0);
	}
	assert_int_equal(ledger_prove_consistency(b.s, now.size + 1, &now, &out, NULL), FW_ERANGE);
	assert_int_equal(ledger_prove_inclusion(b.s, now.size, now.size, &out, NULL), FW_ERANGE);
	assert_int_equal(ledger_prove_inclusion(b.s, 0, now.size + 1, &out, NULL), FW_ERANGE);
	buf_release(&out);
}

static void test_stored_checkpoints_are_thinned_out(void **state)
{
	(void)state;
	struct ledger_report r;
	for (int minute = 0; minute < 5; minute++) {
		for (int i = 0; i < 10; i++) {
			time_test_offset((minute * 61 + i) * USEC_PER_SEC);
			add(&b, 1);
			(void)sequence(b.s);
			(void)checkpoint(&b, NULL);
			(void)checkpoint(&b, NULL); /* the same head again */
		}
	}
	time_test_offset(0);
	r = verified();
	assert_true(r.checkpoints >= 5 && r.checkpoints <= 11);
}

/* ---- pages ---- */

struct seen {
	size_t n;
	struct uuid id[LEDGER_PAGE_MAX];
	uint64_t pos[LEDGER_PAGE_MAX];
	int event[LEDGER_PAGE_MAX];
	bool erased[LEDGER_PAGE_MAX];
};

static int see(void *arg, const struct ledger_row *row)
{
	struct seen *s = arg;
	assert_true(s->n < LEDGER_PAGE_MAX);
	s->id[s->n] = row->id;
	s->pos[s->n] = row->position;
	s->erased[s->n] = row->erased;
	assert_true(row->readable != row->erased);
	s->event[s->n++] = row->readable ? row->content.event : -1;
	return 0;
}

static void test_pages_newest_first(void **state)
{
	(void)state;
	struct ledger_writer *other;
	struct uuid id[500];
	size_t n = 0;
	assert_int_equal(ledger_writer_new(&other), 0);
	for (int round = 0; round < 45; round++) {
		for (int i = 0; i < 10; i++)
			id[n++] = add_of(b.s, round % 3 ? b.w : other, 1, round);
		(void)sequence(b.s);
	}
	for (int i = 0; i < 7; i++)
		id[n++] = add_of(b.s, b.w, 1, 99);
	struct ledger_filter f = { .event = -1, .below = LEDGER_NO_POSITION, .limit = 50 };
	size_t at = n;
	do {
		struct seen s = { 0 };
		assert_int_equal(ledger_page(b.s, &f, see, &s, &f.below, NULL), 0);
		assert_true(s.n == 50 || f.below == 0);
		for (size_t i = 0; i < s.n; i++) {
			at--;
			assert_true(uuid_equal(&s.id[i], &id[at]));
			assert_true(s.pos[i] == (at >= 450 ? LEDGER_NO_POSITION : at));
		}
	} while (f.below > 0);
	assert_int_equal(at, 0);

	/* A filter: all of one kind, wherever they stand. */
	f = (struct ledger_filter){ .event = 17, .below = LEDGER_NO_POSITION, .limit = 4 };
	size_t found = 0;
	do {
		struct seen s = { 0 };
		assert_int_equal(ledger_page(b.s, &f, see, &s, &f.below, NULL), 0);
		for (size_t i = 0; i < s.n; i++)
			assert_int_equal(s.event[i], 17);
		found += s.n;
	} while (f.below > 0);
	assert_int_equal(found, 10);
	ledger_writer_free(other);
}

static void test_a_page_looks_at_a_limited_number(void **state)
{
	(void)state;
	(void)add_of(b.s, b.w, 1, 7);
	for (int i = 0; i < 3; i++)
		(void)add_of(b.s, b.w, LEDGER_PAGE_LOOK / 2, 1);
	(void)sequence(b.s);
	struct ledger_filter f = { .event = 7, .below = LEDGER_NO_POSITION, .limit = 10 };
	int pages = 0;
	size_t found = 0;
	do {
		struct seen s = { 0 };
		assert_int_equal(ledger_page(b.s, &f, see, &s, &f.below, NULL), 0);
		found += s.n;
		pages++;
	} while (f.below > 0);
	assert_int_equal(found, 1);
	assert_int_equal(pages, 2);
}

/* ---- erasure ---- */

static int erase_tx(struct store *s, void *arg, struct diag *reterr)
{
	return ledger_erase(s, arg, reterr);
}

static void test_erasure_keeps_the_tree(void **state)
{
	(void)state;
	struct ledger_head before, after;
	struct uuid id[40];
	for (int i = 0; i < 40; i++) {
		id[i] = add(&b, 1);
		if (i % 6 == 5)
			(void)sequence(b.s);
	}
	(void)sequence(b.s);
	assert_int_equal(ledger_head(b.s, &before, NULL), 0);
	struct uuid young = add(&b, 1);
	struct uuid none = uuid_new();
	assert_int_equal(store_tx(b.s, STORE_WRITE, erase_tx, &none, NULL), FW_ENOTFOUND);
	assert_int_equal(store_tx(b.s, STORE_WRITE, erase_tx, &id[0], NULL), 0);
	assert_int_equal(store_tx(b.s, STORE_WRITE, erase_tx, &id[17], NULL), 0);
	assert_int_equal(store_tx(b.s, STORE_WRITE, erase_tx, &id[17], NULL), 0); /* again */
	assert_int_equal(store_tx(b.s, STORE_WRITE, erase_tx, &young, NULL), 0);  /* without a position yet */
	assert_int_equal(ledger_head(b.s, &after, NULL), 0);
	assert_memory_equal(before.root.b, after.root.b, 32);
	assert_int_equal(verified().erased, 3);
	(void)sequence(b.s);
	add(&b, 1); /* the chain goes on over an erased entry */
	assert_int_equal(sequence(b.s), 1);
	struct ledger_report r = verified();
	assert_int_equal(r.erased, 3);
	assert_int_equal(r.entries, 42);
	struct row gone = get_row(b.s, run_at(b.s, 17).writer, 18);
	assert_int_equal(gone.n, 0);
	struct ledger_filter f = { .event = -1, .below = LEDGER_NO_POSITION, .limit = LEDGER_PAGE_MAX };
	struct seen s = { 0 };
	assert_int_equal(ledger_page(b.s, &f, see, &s, &f.below, NULL), 0);
	size_t erased = 0;
	for (size_t i = 0; i < s.n; i++)
		erased += s.erased[i];
	assert_int_equal(erased, 3);
}

/* ---- faults ---- */

static void test_every_allocation_may_fail(void **state)
{
	(void)state;
	for (uint64_t n = 1;; n++) {
		struct ledger_writer *w = NULL;
		struct adding a = { .n = 300, .event = 1 };
		struct ledger_report r;
		size_t done = 0;
		mem_fault_at(n);
		int err = ledger_writer_new(&w);
		a.w = w;
		if (err == 0 && (err = store_tx(b.s, STORE_WRITE, add_tx, &a, NULL)) == 0)
			ledger_writer_commit(w);
		else if (w != NULL)
			ledger_writer_rollback(w);
		int serr = ledger_sequence(b.s, 10000, &done, NULL);
		int verr = ledger_verify(b.s, origin, b.pk, NULL, NULL, NULL, &r, NULL);
		bool hit = mem_fault_hit();
		mem_fault_at(0);
		assert_true(err == 0 || err == -ENOMEM);
		assert_true(serr == 0 || serr == -ENOMEM);
		assert_true(verr == 0 || verr == -ENOMEM);
		(void)sequence(b.s);
		assert_int_equal(verified().unpositioned, 0);
		ledger_writer_free(w);
		if (!hit)
			break;
		assert_true(err < 0 || serr < 0 || verr < 0);
	}
}

static void test_a_transaction_of_too_many_entries(void **state)
{
	(void)state;
	struct adding a = { .w = b.w, .n = 65537, .event = 1 };
	assert_int_equal(store_tx(b.s, STORE_WRITE, add_tx, &a, NULL), FW_ELIMIT);
	ledger_writer_rollback(b.w);
	add(&b, 2);
	assert_int_equal(sequence(b.s), 2);
	assert_int_equal(verified().entries, 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, up, down)
	const struct CMUnitTest tests[] = {
		T(test_content_round_trip),
		T(test_content_of_its_largest_size_fits),
		T(test_bytes_as_documented),
		T(test_time_within_the_identifier),
		T(test_positions_come_and_everything_verifies),
		T(test_several_writers_each_keep_a_chain),
		T(test_tiles_hold_the_same_tree_at_every_size),
		T(test_savepoints_and_rollbacks_leave_the_chain_whole),
		T(test_the_first_entry_of_a_writer_rolled_back_and_made_again),
		T(test_no_writer_waits_for_another),
		T(test_a_new_chain_after_an_unknown_outcome),
		T(test_proofs_out_of_the_store),
		T(test_stored_checkpoints_are_thinned_out),
		T(test_pages_newest_first),
		T(test_a_page_looks_at_a_limited_number),
		T(test_erasure_keeps_the_tree),
		T(test_every_allocation_may_fail),
		T(test_a_transaction_of_too_many_entries),
		/* The last ones, since they move the floor of time. */
		T(test_idle_writers_are_closed_and_found_again),
		T(test_time_never_goes_below_the_last_entry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
