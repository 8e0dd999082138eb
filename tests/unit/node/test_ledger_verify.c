/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Somebody with the database in hand: every way to change a ledger, and what
 * verification says to it.  The ledger of each test has 600 entries of two
 * writers, 200 of them a batch, a signed checkpoint after each batch, and is
 * copied before anything is done to it.
 */
#include "ledger_help.h"

#include <errno.h>

static struct bench_ledger b;
static struct ledger_writer *second;
static char note[3][CHECKPOINT_OURS_MAX]; /* at 200, 400, 600 */
static struct ledger_head head[3];

static int up(void **state)
{
	(void)state;
	b = (struct bench_ledger){ 0 };
	ledger_up(&b);
	assert_int_equal(ledger_writer_new(&second), 0);
	for (int i = 0; i < 3; i++) {
		for (int k = 0; k < 10; k++) {
			(void)add_of(b.s, b.w, 13, 1);
			(void)add_of(b.s, second, 7, 2);
			if (k % 3 == 2)
				(void)sequence(b.s);
		}
		(void)sequence(b.s);
		head[i] = checkpoint(&b, note[i]);
		assert_int_equal(head[i].size, 200 * (i + 1));
	}
	return 0;
}

static int down(void **state)
{
	(void)state;
	ledger_writer_free(second);
	ledger_down(&b);
	return 0;
}

static struct ledger_report verify(const char *outside)
{
	struct ledger_report r;
	struct diag d = DIAG_INIT;
	int err = ledger_verify(b.s, origin, b.pk, outside, NULL, NULL, &r, &d);
	if (err != 0)
		fail_msg("verify: %s %s", err_name(err), d.text);
	if (r.verdict == 0)
		assert_string_equal(r.words, "");
	else
		assert_true(strlen(r.words) > 20 && r.words[strlen(r.words) - 1] == '.');
	return r;
}

static void expect_row(uint64_t pos)
{
	struct ledger_report r = verify(NULL);
	if (r.verdict != FW_ETAMPERED || r.bad_position != pos)
		fail_msg("expected position %llu, got %lld: %s", (unsigned long long)pos, (long long)r.bad_position, r.words);
	char words[60];
	(void)snprintf(words, sizeof(words), "position %llu ", (unsigned long long)pos);
	assert_non_null(strstr(r.words, words));
	assert_int_equal(r.before, 0);
}

/* Where an entry of position ${pos} is. */
static void place(uint64_t pos, struct uuid *writer, uint64_t *counter)
{
	struct ledger_run r = run_at(b.s, pos);
	*writer = r.writer;
	*counter = r.counter + (pos - r.position);
}

static const uint64_t positions[] = { 0, 1, 39, 199, 200, 255, 256, 257, 431, 511, 512, 598, 599 };
enum { NPOSITIONS = sizeof(positions) / sizeof(positions[0]) };

static void set_body(struct uuid writer, uint64_t counter, const struct row *r)
{
	assert_int_equal(RUN(b.s, SQL_TAMPER_BODY, sv_uuid(&writer), sv_int((int64_t)counter), sv_bytes(r->body, r->n)), 1);
}

static void test_untouched(void **state)
{
	(void)state;
	struct ledger_report r = verify(NULL);
	assert_int_equal(r.verdict, 0);
	assert_int_equal(r.entries, 600);
	assert_int_equal(r.checkpoints, 2); /* thinned out: the first and the last */
	for (int i = 0; i < 3; i++)
		assert_int_equal(verify(note[i]).verdict, 0);
	char all[3 * CHECKPOINT_OURS_MAX];
	(void)snprintf(all, sizeof(all), "%s\n%s\n%s", note[2], note[0], note[1]);
	assert_int_equal(verify(all).verdict, 0);
}

static void test_content_or_salt_changed(void **state)
{
	(void)state;
	for (size_t i = 0; i < NPOSITIONS; i++) {
		struct uuid w;
		uint64_t c;
		place(positions[i], &w, &c);
		struct row good = get_row(b.s, w, c), bad = good;
		bad.body[LEDGER_SALT + 1] ^= 1; /* the event */
		set_body(w, c, &bad);
		expect_row(positions[i]);
		bad = good;
		bad.body[3] ^= 0x80; /* the salt */
		set_body(w, c, &bad);
		expect_row(positions[i]);
		bad = good;
		bad.n--;
		set_body(w, c, &bad);
		expect_row(positions[i]);
		set_body(w, c, &good);
	}
	assert_int_equal(verify(NULL).verdict, 0);
}

static void test_leaf_or_identifier_changed(void **state)
{
	(void)state;
	for (size_t i = 0; i < NPOSITIONS; i++) {
		struct uuid w, other = uuid_new();
		uint64_t c;
		place(positions[i], &w, &c);
		struct row good = get_row(b.s, w, c), bad = good;
		bad.leaf.b[31] ^= 4;
		(void)RUN(b.s, SQL_TAMPER_LEAF, sv_uuid(&w), sv_int((int64_t)c), sv_bytes(bad.leaf.b, 32));
		expect_row(positions[i]);
		(void)RUN(b.s, SQL_TAMPER_LEAF, sv_uuid(&w), sv_int((int64_t)c), sv_bytes(bad.leaf.b, 31));
		expect_row(positions[i]);
		(void)RUN(b.s, SQL_TAMPER_LEAF, sv_uuid(&w), sv_int((int64_t)c), sv_bytes(good.leaf.b, 32));
		(void)RUN(b.s, SQL_TAMPER_ID, sv_uuid(&w), sv_int((int64_t)c), sv_uuid(&other));
		expect_row(positions[i]);
		(void)RUN(b.s, SQL_TAMPER_ID, sv_uuid(&w), sv_int((int64_t)c), sv_uuid(&good.id));
	}
	assert_int_equal(verify(NULL).verdict, 0);
}

/* Content changed and its leaf made to fit: the tree knows better. */
static void test_content_and_leaf_changed_together(void **state)
{
	(void)state;
	for (size_t i = 0; i < NPOSITIONS; i++) {
		struct uuid w;
		uint64_t c;
		struct ledger_hash inner, leaf, prev = { { 0 } };
		place(positions[i], &w, &c);
		struct row good = get_row(b.s, w, c), bad = good;
		if (c > 1)
			prev = get_row(b.s, w, c - 1).leaf;
		bad.body[LEDGER_SALT + 1] ^= 1;
		ledger_inner_hash(bad.body, bad.n, &inner);
		ledger_leaf_hash(&bad.id, &w, c, &prev, &inner, &leaf);
		set_body(w, c, &bad);
		(void)RUN(b.s, SQL_TAMPER_LEAF, sv_uuid(&w), sv_int((int64_t)c), sv_bytes(leaf.b, 32));
		expect_row(positions[i]);
		set_body(w, c, &good);
		(void)RUN(b.s, SQL_TAMPER_LEAF, sv_uuid(&w), sv_int((int64_t)c), sv_bytes(good.leaf.b, 32));
	}
	assert_int_equal(verify(NULL).verdict, 0);
}

static void test_counter_changed(void **state)
{
	(void)state;
	struct uuid w;
	uint64_t c;
	place(300, &w, &c);
	(void)RUN(b.s, SQL_TAMPER_COUNTER, sv_uuid(&w), sv_int((int64_t)c), sv_int(1000000));
	expect_row(300);
}

static void test_two_rows_swapped(void **state)
{
	(void)state;
	struct uuid w1, w2;
	uint64_t c1, c2;
	place(120, &w1, &c1);
	place(431, &w2, &c2);
	struct row r1 = get_row(b.s, w1, c1), r2 = get_row(b.s, w2, c2);
	set_body(w1, c1, &r2);
	set_body(w2, c2, &r1);
	expect_row(120);
	/* With their leaves and identifiers. */
	(void)RUN(b.s, SQL_TAMPER_LEAF, sv_uuid(&w1), sv_int((int64_t)c1), sv_bytes(r2.leaf.b, 32));
	(void)RUN(b.s, SQL_TAMPER_LEAF, sv_uuid(&w2), sv_int((int64_t)c2), sv_bytes(r1.leaf.b, 32));
	(void)RUN(b.s, SQL_TAMPER_ID, sv_uuid(&w1), sv_int((int64_t)c1), sv_uuid(&r2.id));
	(void)RUN(b.s, SQL_TAMPER_ID, sv_uuid(&w2), sv_int((int64_t)c2), sv_uuid(&r1.id));
	expect_row(120);
}

/* Neighbours exchanged by their counters. */
static void test_two_neighbours_exchanged(void **state)
{
	(void)state;
	struct uuid w;
	uint64_t c;
	place(77, &w, &c);
	(void)RUN(b.s, SQL_TAMPER_COUNTER, sv_uuid(&w), sv_int((int64_t)c), sv_int(1000000));
	(void)RUN(b.s, SQL_TAMPER_COUNTER, sv_uuid(&w), sv_int((int64_t)c + 1), sv_int((int64_t)c));
	(void)RUN(b.s, SQL_TAMPER_COUNTER, sv_uuid(&w), sv_int(1000000), sv_int((int64_t)c + 1));
	expect_row(77);
}

static void test_a_row_deleted(void **state)
{
	(void)state;
	struct uuid w;
	uint64_t c;
	place(511, &w, &c);
	(void)RUN(b.s, SQL_TAMPER_DELETE, sv_uuid(&w), sv_int((int64_t)c), sv_int((int64_t)c));
	expect_row(511);
	place(256, &w, &c);
	(void)RUN(b.s, SQL_TAMPER_DELETE, sv_uuid(&w), sv_int((int64_t)c), sv_int((int64_t)c + 3));
	expect_row(256);
	place(0, &w, &c);
	(void)RUN(b.s, SQL_TAMPER_DELETE, sv_uuid(&w), sv_int((int64_t)c), sv_int((int64_t)c));
	expect_row(0);
}

static void test_a_row_added(void **state)
{
	(void)state;
	struct uuid w, id = uuid_new(), nobody = uuid_new();
	uint64_t c;
	struct ledger_report r;
	place(10, &w, &c);
	struct row like = get_row(b.s, w, c);
	/* Before the first of its writer; of a writer that nobody knows. */
	(void)RUN(b.s, SQL_LEDGER_ENTRY_ADD, sv_uuid(&w), sv_int(0), sv_uuid(&id), sv_bytes(like.leaf.b, 32),
		  sv_bytes(like.body, like.n));
	r = verify(NULL);
	assert_int_equal(r.verdict, FW_ETAMPERED);
	assert_non_null(strstr(r.words, "601 rows"));
	(void)RUN(b.s, SQL_LEDGER_ENTRY_ADD, sv_uuid(&nobody), sv_int(1), sv_uuid(&id), sv_bytes(like.leaf.b, 32),
		  sv_bytes(like.body, like.n));
	assert_non_null(strstr(verify(NULL).words, "602 rows"));
}

/* At the end of a writer, as if it were younger than a second: it does not follow from the chain. */
static void test_a_row_added_at_the_end(void **state)
{
	(void)state;
	struct uuid w, id = uuid_new();
	uint64_t c;
	place(599, &w, &c);
	struct row like = get_row(b.s, w, c);
	(void)RUN(b.s, SQL_LEDGER_ENTRY_ADD, sv_uuid(&w), sv_int((int64_t)c + 1), sv_uuid(&id),
		  sv_bytes(like.leaf.b, 32), sv_bytes(like.body, like.n));
	struct ledger_report r = verify(NULL);
	assert_int_equal(r.verdict, FW_ETAMPERED);
	assert_int_equal(r.unpositioned, 1);
}

/* Changed before it had a position: the writer's next entry, chained in its memory, gives it away. */
static void test_changed_before_it_had_a_position(void **state)
{
	(void)state;
	struct uuid w;
	uint64_t c;
	struct ledger_hash inner, leaf;
	place(599, &w, &c);
	struct uuid first = run_at(b.s, 0).writer;
	struct ledger_writer *writer = uuid_equal(&w, &first) ? b.w : second;
	struct ledger_hash prev = get_row(b.s, w, c).leaf;
	(void)add_of(b.s, writer, 1, 1);
	struct row young = get_row(b.s, w, c + 1);
	young.body[LEDGER_SALT + 1] ^= 1;
	ledger_inner_hash(young.body, young.n, &inner);
	ledger_leaf_hash(&young.id, &w, c + 1, &prev, &inner, &leaf);
	set_body(w, c + 1, &young);
	(void)RUN(b.s, SQL_TAMPER_LEAF, sv_uuid(&w), sv_int((int64_t)c + 1), sv_bytes(leaf.b, 32));
	(void)add_of(b.s, writer, 1, 1);
	assert_int_equal(verify(NULL).verdict, FW_ETAMPERED);
	assert_int_equal(sequence(b.s), 2);
	expect_row(601); /* it does not follow on what stands at 600 now */
}

static void test_runs_changed(void **state)
{
	(void)state;
	struct ledger_run r = run_at(b.s, 300);
	(void)RUN(b.s, SQL_TAMPER_RUN_LENGTH, sv_int((int64_t)r.position), sv_int((int64_t)r.n - 1));
	expect_row(r.position + r.n - 1);
	(void)RUN(b.s, SQL_TAMPER_RUN_LENGTH, sv_int((int64_t)r.position), sv_int((int64_t)r.n + 1));
	assert_int_equal(verify(NULL).verdict, FW_ETAMPERED);
	(void)RUN(b.s, SQL_TAMPER_RUN_LENGTH, sv_int((int64_t)r.position), sv_int(INT64_MAX));
	assert_int_equal(verify(NULL).verdict, FW_ETAMPERED);
	(void)RUN(b.s, SQL_TAMPER_RUN_LENGTH, sv_int((int64_t)r.position), sv_int(0));
	assert_int_equal(verify(NULL).verdict, FW_ETAMPERED);
	(void)RUN(b.s, SQL_TAMPER_RUN_LENGTH, sv_int((int64_t)r.position), sv_int((int64_t)r.n));
	assert_int_equal(verify(NULL).verdict, 0);
	(void)RUN(b.s, SQL_TAMPER_RUN_POSITION, sv_int((int64_t)r.position), sv_int(-1));
	assert_int_equal(verify(NULL).verdict, FW_ETAMPERED);
}

static void test_tiles_changed(void **state)
{
	(void)state;
	static uint8_t hashes[TILE_WIDTH * LEDGER_HASH];
	struct ledger_report r;
	/* A leaf in the tree. */
	struct uuid w;
	uint64_t c;
	for (uint64_t i = 0; i < 256; i++) {
		place(256 + i, &w, &c);
		memcpy(hashes + i * 32, get_row(b.s, w, c).leaf.b, 32);
	}
	assert_int_equal(RUN(b.s, SQL_LEDGER_TILE_SET, sv_int(0), sv_int(1), sv_bytes(hashes, sizeof(hashes))), 1);
	assert_int_equal(verify(NULL).verdict, 0);
	hashes[100 * 32 + 5] ^= 1;
	(void)RUN(b.s, SQL_LEDGER_TILE_SET, sv_int(0), sv_int(1), sv_bytes(hashes, sizeof(hashes)));
	r = verify(NULL);
	assert_int_equal(r.bad_position, 356);
	hashes[100 * 32 + 5] ^= 1;
	/* Cut short: the leaves are there, the tree is not. */
	(void)RUN(b.s, SQL_LEDGER_TILE_SET, sv_int(0), sv_int(1), sv_bytes(hashes, 32 * 200));
	assert_int_equal(verify(NULL).bad_position, 456);
	(void)RUN(b.s, SQL_LEDGER_TILE_SET, sv_int(0), sv_int(1), sv_bytes(hashes, 33));
	assert_int_equal(verify(NULL).bad_position, 256);
	(void)RUN(b.s, SQL_LEDGER_TILE_SET, sv_int(0), sv_int(1), sv_bytes(hashes, sizeof(hashes)));
	/* A hash of the level above. */
	(void)RUN(b.s, SQL_LEDGER_TILE_SET, sv_int(1), sv_int(0), sv_bytes(hashes, 64));
	r = verify(NULL);
	assert_int_equal(r.verdict, FW_ETAMPERED);
	assert_int_equal(r.after, 0);
	assert_int_equal(r.before, 256);
	(void)RUN(b.s, SQL_TAMPER_TILES_DELETE, sv_int(1));
	assert_int_equal(verify(NULL).verdict, FW_ETAMPERED);
}

static void test_size_and_root_changed(void **state)
{
	(void)state;
	uint8_t root[32] = { 1 };
	(void)RUN(b.s, SQL_TAMPER_STATE, sv_int(600), sv_bytes(root, 32));
	assert_non_null(strstr(verify(NULL).words, "root"));
	(void)RUN(b.s, SQL_TAMPER_STATE, sv_int(599), sv_bytes(root, 32));
	assert_int_equal(verify(NULL).verdict, FW_ETAMPERED);
	(void)RUN(b.s, SQL_TAMPER_STATE, sv_int(601), sv_bytes(root, 32));
	assert_int_equal(verify(NULL).bad_position, 600);
	(void)RUN(b.s, SQL_TAMPER_STATE, sv_int(INT64_MAX), sv_bytes(root, 32));
	assert_int_equal(verify(NULL).bad_position, 600);
	(void)RUN(b.s, SQL_TAMPER_STATE, sv_int(-1), sv_bytes(root, 32));
	assert_int_equal(verify(NULL).verdict, FW_ETAMPERED);
	(void)RUN(b.s, SQL_TAMPER_STATE, sv_int(600), sv_null());
	assert_int_equal(verify(NULL).verdict, FW_ETAMPERED);
}

/* ---- everything rewritten up to the root ---- */

static int drop_and_push_tx(struct store *s, void *arg, struct diag *reterr)
{
	uint64_t size = *(uint64_t *)arg;
	struct tile_writer *tw;
	static struct tile_reader tr;
	struct ledger_hash root;
	int err = tile_writer_new(s, 0, &tw);
	for (uint64_t pos = 0; err == 0 && pos < size; pos++) {
		struct ledger_run r = { .position = pos };
		err = ledger_run_before(s, pos, &r, reterr);
		struct row_wanted w = { .writer = r.writer, .counter = r.counter + (pos - r.position) };
		if (err == 0)
			err = row_tx(s, &w, reterr);
		if (err == 0)
			err = tile_writer_push(tw, &w.row.leaf, reterr);
	}
	if (err == 0)
		err = tile_writer_end(tw, reterr);
	tile_writer_free(tw);
	tile_reader_init(&tr, s, reterr);
	struct merkle_source src = tile_source(&tr);
	if (err == 0)
		err = merkle_root(&src, size, &root);
	struct store_value args[] = { sv_int((int64_t)size), sv_bytes(root.b, 32) };
	return err < 0 ? err : store_exec(s, SQL_TAMPER_STATE, args, 2, NULL, reterr);
}

/* Change the content at ${pos} and make every hash after it fit. */
static void rewrite_from(uint64_t pos, uint64_t size)
{
	struct uuid w;
	uint64_t c;
	struct ledger_hash prev = { { 0 } }, inner, leaf;
	place(pos, &w, &c);
	if (c > 1)
		prev = get_row(b.s, w, c - 1).leaf;
	bool first = true;
	for (uint64_t p = pos; p < size; p++) {
		struct uuid pw;
		uint64_t pc;
		place(p, &pw, &pc);
		if (!uuid_equal(&pw, &w))
			continue;
		struct row r = get_row(b.s, w, pc);
		if (first)
			r.body[LEDGER_SALT + 1] ^= 1;
		first = false;
		ledger_inner_hash(r.body, r.n, &inner);
		ledger_leaf_hash(&r.id, &w, pc, &prev, &inner, &leaf);
		set_body(w, pc, &r);
		(void)RUN(b.s, SQL_TAMPER_LEAF, sv_uuid(&w), sv_int((int64_t)pc), sv_bytes(leaf.b, 32));
		prev = leaf;
	}
	(void)RUN(b.s, SQL_TAMPER_TILES_DELETE, sv_int(0));
	assert_int_equal(store_tx(b.s, STORE_WRITE, drop_and_push_tx, &size, NULL), 0);
}

static void test_rewritten_up_to_the_root(void **state)
{
	(void)state;
	rewrite_from(250, 600);
	/* The stored checkpoints are of 200 and 600. */
	struct ledger_report r = verify(NULL);
	assert_int_equal(r.verdict, FW_ETAMPERED);
	assert_true(r.bad_position == LEDGER_NO_POSITION);
	assert_int_equal(r.after, 200);
	assert_int_equal(r.before, 600);
	/* With all checkpoints from outside the interval is smaller, and another branch is named. */
	char all[3 * CHECKPOINT_OURS_MAX];
	(void)snprintf(all, sizeof(all), "%s\n%s\n%s", note[0], note[1], note[2]);
	r = verify(all);
	assert_int_equal(r.after, 200);
	assert_int_equal(r.before, 400);
	assert_true(r.tail_lost);
	/* The stored ones thrown away too: only the outside knows. */
	(void)RUN(b.s, SQL_TAMPER_CHECKPOINTS_DELETE, sv_int(0));
	assert_int_equal(verify(NULL).verdict, 0);
	r = verify(note[2]);
	assert_int_equal(r.verdict, FW_ETAMPERED);
	assert_true(r.tail_lost);
	assert_int_equal(r.after, 0);
	assert_int_equal(r.before, 600);
	assert_int_equal(verify(note[0]).verdict, 0); /* from before the change */
}

static void test_rewritten_in_the_first_interval(void **state)
{
	(void)state;
	rewrite_from(0, 600);
	struct ledger_report r = verify(NULL);
	assert_int_equal(r.after, 0);
	assert_int_equal(r.before, 200);
}

static void test_checkpoints_changed(void **state)
{
	(void)state;
	uint8_t pk2[32], sk2[64];
	char forged[CHECKPOINT_OURS_MAX];
	(void)crypto_sign_keypair(pk2, sk2);
	assert_int_equal(checkpoint_format(origin, &head[2], sk2, pk2, forged, sizeof(forged)), 0);
	(void)RUN(b.s, SQL_TAMPER_CHECKPOINT, sv_int(600), sv_text(forged));
	assert_non_null(strstr(verify(NULL).words, "signature"));
	(void)RUN(b.s, SQL_TAMPER_CHECKPOINT, sv_int(600), sv_text(note[0])); /* of another size */
	assert_int_equal(verify(NULL).verdict, FW_ETAMPERED);
	(void)RUN(b.s, SQL_TAMPER_CHECKPOINT, sv_int(600), sv_text(note[2]));
	assert_int_equal(verify(NULL).verdict, 0);
}

/* ---- the end ---- */

static void cut_to(uint64_t size)
{
	struct uuid w[2];
	uint64_t last[2] = { 0 };
	w[0] = run_at(b.s, 0).writer;
	for (uint64_t p = 0; p < size; p++) {
		struct uuid pw;
		uint64_t pc;
		place(p, &pw, &pc);
		int i = uuid_equal(&pw, &w[0]) ? 0 : 1;
		w[i] = pw;
		last[i] = pc;
	}
	for (int i = 0; i < 2; i++) {
		(void)RUN(b.s, SQL_TAMPER_DELETE, sv_uuid(&w[i]), sv_int((int64_t)last[i] + 1), sv_int(INT64_MAX));
		(void)RUN(b.s, SQL_LEDGER_WRITER_MOVE, sv_uuid(&w[i]), sv_int((int64_t)last[i]), sv_int(0));
	}
	struct ledger_run r = run_at(b.s, size - 1);
	(void)RUN(b.s, SQL_TAMPER_RUNS_DELETE, sv_int((int64_t)size));
	(void)RUN(b.s, SQL_TAMPER_RUN_LENGTH, sv_int((int64_t)r.position), sv_int((int64_t)(size - r.position)));
	(void)RUN(b.s, SQL_TAMPER_TILES_DELETE, sv_int(0));
	assert_int_equal(store_tx(b.s, STORE_WRITE, drop_and_push_tx, &size, NULL), 0);
}

static void test_the_end_cut_off(void **state)
{
	(void)state;
	cut_to(470);
	struct ledger_report r = verify(NULL);
	assert_int_equal(r.verdict, FW_ETAMPERED);
	assert_true(r.tail_lost); /* the stored checkpoint of 600 */
	(void)RUN(b.s, SQL_TAMPER_CHECKPOINTS_DELETE, sv_int(471));
	r = verify(NULL);
	assert_int_equal(r.verdict, 0); /* nothing within says otherwise */
	assert_int_equal(r.entries, 470);
	r = verify(note[2]);
	assert_int_equal(r.verdict, FW_ETAMPERED);
	assert_true(r.tail_lost);
	assert_non_null(strstr(r.words, "600"));
	assert_int_equal(verify(note[1]).verdict, 0);
}

static void test_rows_of_the_end_deleted(void **state)
{
	(void)state;
	struct uuid w;
	uint64_t c;
	place(590, &w, &c);
	(void)RUN(b.s, SQL_TAMPER_DELETE, sv_uuid(&w), sv_int((int64_t)c), sv_int(INT64_MAX));
	expect_row(590);
	(void)RUN(b.s, SQL_TAMPER_RUNS_DELETE, sv_int(500));
	assert_true(verify(NULL).bad_position >= 500);
}

static void copy_file(const char *from, const char *to)
{
	char cmd[400];
	(void)snprintf(cmd, sizeof(cmd), "cp '%s' '%s'", from, to);
	assert_int_equal(system(cmd), 0);
}

/* Put the database of a moment ago back: closed, copied, opened again. */
static void keep_copy(const char *to)
{
	store_close(b.s);
	copy_file(b.path, to);
	b.s = open_store(b.path);
}

static void put_back(const char *from)
{
	store_close(b.s);
	copy_file(from, b.path);
	b.s = open_store(b.path);
}

static void test_an_old_database_put_back(void **state)
{
	(void)state;
	if (postgres() != NULL)
		SKIP_TEST("needs a copy of the database's file");
	char old[120], text[CHECKPOINT_OURS_MAX];
	(void)snprintf(old, sizeof(old), "%s/old.db", b.folder);
	keep_copy(old);
	add(&b, 30);
	(void)sequence(b.s);
	(void)checkpoint(&b, text);
	assert_int_equal(verify(text).verdict, 0);
	put_back(old);
	struct ledger_report r = verify(NULL);
	assert_int_equal(r.verdict, 0);
	r = verify(text);
	assert_int_equal(r.verdict, FW_ETAMPERED);
	assert_true(r.tail_lost);
	assert_true(r.bad_position == LEDGER_NO_POSITION);
}

static void test_a_fork(void **state)
{
	(void)state;
	if (postgres() != NULL)
		SKIP_TEST("needs a copy of the database's file");
	char old[120], text[CHECKPOINT_OURS_MAX];
	(void)snprintf(old, sizeof(old), "%s/old.db", b.folder);
	keep_copy(old);
	add(&b, 30);
	(void)sequence(b.s);
	(void)checkpoint(&b, text); /* 630, outside */
	put_back(old);
	ledger_writer_renew(b.w); /* a new process over the old database goes another way */
	add(&b, 50);
	(void)sequence(b.s);
	(void)checkpoint(&b, NULL); /* 650, signed by a keeper that forgot */
	assert_int_equal(verify(NULL).verdict, 0);
	struct ledger_report r = verify(text);
	assert_int_equal(r.verdict, FW_ETAMPERED);
	assert_true(r.tail_lost);
	assert_int_equal(r.after, 200); /* that of 600 was thinned out */
	assert_int_equal(r.before, 630);
}

static void test_outside_checkpoints_of_others(void **state)
{
	(void)state;
	struct ledger_report r;
	char other[CHECKPOINT_OURS_MAX], both[2 * CHECKPOINT_OURS_MAX + 4];
	struct ledger_head far = { .size = 100000 };
	assert_int_equal(checkpoint_format("fairway.example/test/house", &far, b.sk, b.pk, other, sizeof(other)), 0);
	(void)snprintf(both, sizeof(both), "%s\n%s", other, note[1]);
	assert_int_equal(verify(both).verdict, 0); /* the auditor's file is for all ledgers */
	assert_int_equal(ledger_verify(b.s, origin, b.pk, other, NULL, NULL, &r, NULL), FW_EINVALID);
	assert_int_equal(ledger_verify(b.s, origin, b.pk, "", NULL, NULL, &r, NULL), FW_EINVALID);
	note[1][60] ^= 1;
	assert_int_equal(ledger_verify(b.s, origin, b.pk, note[1], NULL, NULL, &r, NULL), FW_EINVALID);
}

/* An erasure that is no erasure: content gone without its hash, or both there. */
static void test_erasure_by_hand(void **state)
{
	(void)state;
	struct uuid w;
	uint64_t c;
	place(42, &w, &c);
	(void)RUN(b.s, SQL_TAMPER_BODY, sv_uuid(&w), sv_int((int64_t)c), sv_null());
	expect_row(42);
}

static void test_memory_faults(void **state)
{
	(void)state;
	char all[3 * CHECKPOINT_OURS_MAX];
	struct ledger_report r;
	(void)snprintf(all, sizeof(all), "%s\n%s\n%s", note[0], note[1], note[2]);
	for (uint64_t n = 1;; n++) {
		mem_fault_at(n);
		int err = ledger_verify(b.s, origin, b.pk, all, NULL, NULL, &r, NULL);
		bool hit = mem_fault_hit();
		mem_fault_at(0);
		assert_int_equal(err, hit ? -ENOMEM : 0);
		if (!hit)
			break;
	}
	assert_int_equal(r.verdict, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, up, down)
	const struct CMUnitTest tests[] = {
		T(test_untouched),
		T(test_content_or_salt_changed),
		T(test_leaf_or_identifier_changed),
		T(test_content_and_leaf_changed_together),
		T(test_counter_changed),
		T(test_two_rows_swapped),
		T(test_two_neighbours_exchanged),
		T(test_a_row_deleted),
		T(test_a_row_added),
		T(test_a_row_added_at_the_end),
		T(test_changed_before_it_had_a_position),
		T(test_runs_changed),
		T(test_tiles_changed),
		T(test_size_and_root_changed),
		T(test_rewritten_up_to_the_root),
		T(test_rewritten_in_the_first_interval),
		T(test_checkpoints_changed),
		T(test_the_end_cut_off),
		T(test_rows_of_the_end_deleted),
		T(test_an_old_database_put_back),
		T(test_a_fork),
		T(test_outside_checkpoints_of_others),
		T(test_erasure_by_hand),
		T(test_memory_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
