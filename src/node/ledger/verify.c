/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Verification: one pass over the positions, holding three things against each
 * other at each of them, and the tree's root against every checkpoint.
 *
 *     computed   the leaf made from the row's content and the leaf before it
 *     row        the leaf that stands in the row
 *     tree       the hash that stands in the tile
 *
 *   - Content, salt, identifier, order or leaf of a row changed: the three
 *     differ at that position.  A row that is not there: likewise.
 *   - The writer's chain and the tiles rewritten with it: the three agree, but
 *     the upper tiles or the root do not follow from the leaves.
 *   - All of it rewritten up to the root: the root differs from the signed one
 *     at the next checkpoint; the change lies between the last checkpoint that
 *     agrees and that one.
 *   - The end cut off, or an older copy of the database put back, with its
 *     checkpoints: only a checkpoint kept outside knows more.  It names a size
 *     that is not here, or another root at its size.
 *
 * Rows that belong to no position and to no writer's tail are found by
 * counting.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "gen/sql.h"
#include "node/ledger/checkpoint.h"
#include "node/ledger/ledger_int.h"
#include "store/store.h"

enum { RUNS = 100, ROWS = 1000, NOTES = 64, OUTSIDE_MAX = 1 << 20, PROGRESS_EVERY = 8192, SKIP_MAX = 1 << 24 };

struct verifying {
	struct store *s;
	const char *origin;
	const uint8_t *pk;
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	void *progress_arg;
	struct ledger_report *r;
	uint64_t size; /* as the ledger says of itself */
	struct ledger_hash root;
	struct merkle_frontier f; /* f.size is the position looked at next */
	/* stored checkpoints, a page at a time */
	struct ledger_head note[NOTES];
	size_t nnotes, at_note;
	int64_t notes_after;
	bool notes_end;
	/* outside checkpoints by size */
	struct ledger_head *outside;
	size_t noutside, at_outside;
	uint64_t agreed; /* the largest checkpoint whose root was right */
	bool stopped;    /* so much is missing that going on would tell nothing */
	/* a reader a level: within a pass each tile is read about once */
	struct tile_reader tile[TILE_LEVELS];
};

/* ---- what is found ---- */

__attribute__((format(printf, 2, 3))) static void say(struct verifying *v, const char *fmt, ...)
{
	va_list ap;
	char *w = v->r->words;
	size_t n = strlen(w), cap = sizeof(v->r->words);
	v->r->verdict = FW_ETAMPERED;
	if (n > 0 && n + 1 < cap)
		w[n++] = ' ';
	va_start(ap, fmt);
	int k = vsnprintf(w + n, cap - n, fmt, ap);
	va_end(ap);
	/* A sentence that does not fit is left out whole. */
	if (k < 0 || (size_t)k >= cap - n)
		w[n > 0 ? n - 1 : 0] = '\0';
}

static void bad_row(struct verifying *v, uint64_t pos, const char *what)
{
	v->r->verdict = FW_ETAMPERED;
	if (v->r->bad_position != LEDGER_NO_POSITION)
		return;
	v->r->bad_position = pos;
	say(v, "The entry at position %" PRIu64 " %s.", pos, what);
}

static void bad_interval(struct verifying *v, uint64_t after, uint64_t before, const char *what)
{
	v->r->verdict = FW_ETAMPERED;
	if (v->r->before != 0)
		return;
	v->r->after = after;
	v->r->before = before;
	say(v, "Between positions %" PRIu64 " and %" PRIu64 " %s.", after, before - 1, what);
}

static void lost_tail(struct verifying *v, uint64_t size, const char *where)
{
	if (!v->r->tail_lost)
		say(v, "The end is lost: %s attests %" PRIu64 " entries and there are %" PRIu64 ".", where, size,
		    v->f.size);
	v->r->tail_lost = true;
}

/* ---- checkpoints ---- */

static void check_note(struct verifying *v, int64_t size, const char *text, size_t len)
{
	struct ledger_head h;
	int err = checkpoint_parse(text, len, v->origin, v->pk, &h);
	if (err < 0 || h.size != (uint64_t)size) {
		say(v, "The stored checkpoint of size %" PRId64 " does not carry this node's signature.", size);
		return;
	}
	v->r->checkpoints++;
	v->note[v->nnotes++] = h;
}

static int more_notes(struct verifying *v, struct diag *reterr)
{
	struct store_value args[] = { sv_int(v->notes_after), sv_int(NOTES) };
	struct store_rows *r;
	int n = 0, err = store_query(v->s, SQL_LEDGER_CHECKPOINT_LIST, args, 2, &r, reterr);
	if (err < 0)
		return err;
	v->nnotes = v->at_note = 0;
	while (n < NOTES && (err = store_next(r, reterr)) > 0) {
		size_t len;
		const uint8_t *text = store_bytes(r, 1, &len);
		v->notes_after = store_int(r, 0);
		check_note(v, v->notes_after, (const char *)text, len);
		n++;
	}
	store_rows_close(r);
	v->notes_end = n < NOTES;
	return err < 0 ? err : 0;
}

/* The next stored checkpoint, or NULL at the end. */
static int next_note(struct verifying *v, const struct ledger_head **ret, struct diag *reterr)
{
	int err = 0;
	while (err == 0 && v->at_note == v->nnotes && !v->notes_end)
		err = more_notes(v, reterr);
	*ret = err == 0 && v->at_note < v->nnotes ? &v->note[v->at_note] : NULL;
	return err;
}

/* All checkpoints of the size that the frontier has now. */
static int check_heads(struct verifying *v, struct diag *reterr)
{
	const struct ledger_head *h;
	struct ledger_hash root;
	bool have = false, agrees = false;
	int err;
	while ((err = next_note(v, &h, reterr)) == 0 && h != NULL && h->size <= v->f.size) {
		if (!have)
			merkle_frontier_root(&v->f, &root);
		have = true;
		agrees = memcmp(root.b, h->root.b, LEDGER_HASH) == 0;
		if (!agrees)
			bad_interval(v, v->agreed, h->size, "entries were rewritten together with their hashes");
		v->at_note++;
	}
	while (v->at_outside < v->noutside && v->outside[v->at_outside].size <= v->f.size) {
		h = &v->outside[v->at_outside++];
		if (!have)
			merkle_frontier_root(&v->f, &root);
		have = true;
		bool same = memcmp(root.b, h->root.b, LEDGER_HASH) == 0;
		agrees = same && (agrees || v->r->before == 0);
		if (!same && !v->r->tail_lost) {
			v->r->tail_lost = true;
			say(v, "The outside checkpoint of %" PRIu64 " entries is of another branch.", h->size);
			bad_interval(v, v->agreed, h->size, "entries differ from what was attested outside");
		}
	}
	if (agrees && v->r->before == 0)
		v->agreed = v->f.size;
	return err;
}

/* ---- the tree ---- */

static void fold_tile(const struct tile_reader *t, struct ledger_hash *ret)
{
	struct merkle_frontier f = { 0 };
	for (size_t i = 0; i < t->n; i++)
		merkle_push(&f, &t->hash[i]);
	merkle_frontier_root(&f, ret);
}

static int node_at(struct verifying *v, unsigned level, uint64_t index, struct ledger_hash *ret)
{
	struct merkle_source src = tile_source(&v->tile[level]);
	return src.node(src.arg, level * TILE_HEIGHT, index, ret);
}

/* A tile was completed: the levels above must follow from it. */
static int check_upper(struct verifying *v)
{
	int err = 0;
	for (unsigned i = 1; err >= 0 && i < TILE_LEVELS && v->f.size % (UINT64_C(1) << (TILE_HEIGHT * i)) == 0; i++) {
		uint64_t index = (v->f.size >> (TILE_HEIGHT * i)) - 1;
		struct ledger_hash below, above;
		uint64_t first = index << (TILE_HEIGHT * i);
		if (!v->tile[i - 1].have || v->tile[i - 1].number != index)
			return 0; /* a tile was missing: said already */
		fold_tile(&v->tile[i - 1], &below);
		err = node_at(v, i, index, &above);
		if (err == FW_ETAMPERED || (err == 0 && memcmp(below.b, above.b, LEDGER_HASH) != 0)) {
			bad_interval(v, first, v->f.size, "the tree does not follow from its leaves");
			err = 0;
		}
	}
	return err;
}

static int advance(struct verifying *v, const struct ledger_hash *leaf, struct diag *reterr)
{
	merkle_push(&v->f, leaf);
	if (v->progress != NULL && v->f.size % PROGRESS_EVERY == 0)
		v->progress(v->progress_arg, v->f.size, v->size);
	int err = v->f.size % TILE_WIDTH == 0 ? check_upper(v) : 0;
	return err < 0 ? err : check_heads(v, reterr);
}

/* The tree's own hash at the present position; what else is known there when the tree has none. */
static int tree_hash(struct verifying *v, const struct ledger_hash *other, struct ledger_hash *ret)
{
	int err = node_at(v, 0, v->f.size, ret);
	if (err != FW_ETAMPERED)
		return err;
	bad_row(v, v->f.size, "is not in the tree");
	*ret = *other;
	return 0;
}

/* Positions up to ${to} have no rows. A forged size must not keep us counting for ever. */
static int skip_to(struct verifying *v, uint64_t to, struct ledger_hash *ret_last, struct diag *reterr)
{
	struct ledger_hash none = { { 0 } };
	int err = 0;
	if (v->f.size < to && to - v->f.size > SKIP_MAX) {
		bad_row(v, v->f.size, "and millions after it are missing");
		v->stopped = true;
	}
	while (err == 0 && !v->stopped && v->f.size < to) {
		bad_row(v, v->f.size, "is missing");
		if ((err = tree_hash(v, &none, ret_last)) == 0)
			err = advance(v, ret_last, reterr);
	}
	return err;
}

/* ---- rows ---- */

/* One row of SQL_LEDGER_ENTRY_RANGE: its leaf computed. False if the row makes no sense. */
static bool row_leaf(struct verifying *v, const struct store_rows *r, const struct uuid *writer,
		     const struct ledger_hash *prev, struct ledger_hash *computed, struct ledger_hash *stored)
{
	size_t nleaf, nbody, ninner;
	const uint8_t *leaf = store_bytes(r, 2, &nleaf), *body = store_bytes(r, 3, &nbody),
		      *kept = store_bytes(r, 4, &ninner);
	struct ledger_hash inner;
	struct uuid id = store_uuid(r, 1);
	if (nleaf != LEDGER_HASH || (body == NULL) == (kept == NULL) || (kept != NULL && ninner != LEDGER_HASH))
		return false;
	memcpy(stored->b, leaf, LEDGER_HASH);
	if (body != NULL) {
		ledger_inner_hash(body, nbody, &inner);
	} else {
		memcpy(inner.b, kept, LEDGER_HASH);
		v->r->erased++;
	}
	ledger_leaf_hash(&id, writer, (uint64_t)store_int(r, 0), prev, &inner, computed);
	return true;
}

static int check_row(struct verifying *v, const struct store_rows *r, const struct uuid *writer,
		     struct ledger_hash *prev, struct diag *reterr)
{
	struct ledger_hash computed, stored = { { 0 } }, tree;
	bool fine = row_leaf(v, r, writer, prev, &computed, &stored);
	uint64_t pos = v->f.size;
	int err = tree_hash(v, &stored, &tree);
	if (err < 0)
		return err;
	if (!fine)
		bad_row(v, pos, "is no entry");
	else if (memcmp(computed.b, stored.b, LEDGER_HASH) != 0)
		bad_row(v, pos, "was changed: it does not give its hash");
	else if (memcmp(stored.b, tree.b, LEDGER_HASH) != 0)
		bad_row(v, pos, "was changed: its hash is not the one in the tree");
	*prev = stored;
	v->r->entries++;
	return advance(v, &tree, reterr);
}

/* The leaf before a run's first entry. */
static int leaf_before(struct verifying *v, const struct ledger_run *run, struct ledger_hash *ret, struct diag *reterr)
{
	*ret = (struct ledger_hash){ { 0 } };
	if (run->counter == 1)
		return 0;
	struct store_value args[] = { sv_uuid(&run->writer), sv_int((int64_t)run->counter - 1) };
	struct store_rows *r;
	int err = store_one(v->s, SQL_LEDGER_ENTRY_LEAF, args, 2, &r, reterr);
	if (err == FW_ENOTFOUND) {
		bad_row(v, v->f.size, "does not follow on an entry of its writer");
		return 0;
	}
	if (err < 0)
		return err;
	size_t n;
	const uint8_t *p = store_bytes(r, 0, &n);
	if (n == LEDGER_HASH)
		memcpy(ret->b, p, LEDGER_HASH);
	store_rows_close(r);
	return 0;
}

/* A page of the rows ${from}..${to}; *ret_next the counter to go on with. */
static int check_page(struct verifying *v, const struct ledger_run *run, uint64_t from, uint64_t to,
		      struct ledger_hash *prev, uint64_t *ret_next, struct diag *reterr)
{
	struct store_value args[] = { sv_uuid(&run->writer), sv_int((int64_t)from), sv_int((int64_t)to), sv_int(ROWS) };
	struct store_rows *r;
	size_t n = 0;
	int err = store_query(v->s, SQL_LEDGER_ENTRY_RANGE, args, 4, &r, reterr);
	if (err < 0)
		return err;
	while ((err = store_next(r, reterr)) > 0) {
		uint64_t counter = (uint64_t)store_int(r, 0);
		if ((err = skip_to(v, run->position + (counter - run->counter), prev, reterr)) < 0 || v->stopped ||
		    (err = check_row(v, r, &run->writer, prev, reterr)) < 0)
			break;
		from = counter + 1;
		n++;
	}
	store_rows_close(r);
	*ret_next = n == ROWS ? from : to + 1;
	return err < 0 ? err : 0;
}

static int check_run(struct verifying *v, const struct ledger_run *run, struct diag *reterr)
{
	struct ledger_hash prev;
	uint64_t last = run->counter + run->n - 1;
	if (run->position < v->f.size || run->n == 0 || run->n > INT64_MAX - run->counter || run->counter == 0 ||
	    run->position + run->n > v->size) {
		bad_row(v, run->position, "stands in a run that makes no sense");
		return 0;
	}
	int err = skip_to(v, run->position, &prev, reterr);
	if (err == 0)
		err = leaf_before(v, run, &prev, reterr);
	for (uint64_t from = run->counter; err == 0 && !v->stopped && from <= last;)
		err = check_page(v, run, from, last, &prev, &from, reterr);
	return err < 0 ? err : skip_to(v, run->position + run->n, &prev, reterr);
}

static int check_runs(struct verifying *v, struct diag *reterr)
{
	struct ledger_run run[RUNS];
	uint64_t from = 0;
	size_t n = RUNS;
	int err = 0;
	while (err == 0 && n == RUNS && !v->stopped) {
		err = ledger_runs(v->s, from, run, RUNS, &n, reterr);
		for (size_t i = 0; err == 0 && i < n && !v->stopped; i++) {
			err = check_run(v, &run[i], reterr);
			from = run[i].position + 1;
		}
	}
	if (err == 0 && v->f.size < v->size)
		bad_row(v, v->f.size, "and all after it are missing");
	return err;
}

/* ---- entries without a position ---- */

static int check_tail(struct verifying *v, const struct uuid *writer, uint64_t sequenced, struct diag *reterr)
{
	struct ledger_run run = { .writer = *writer, .counter = sequenced + 1 };
	struct ledger_hash prev, computed, stored = { { 0 } };
	bool more = true;
	int err = leaf_before(v, &run, &prev, reterr);
	while (err == 0 && more) {
		struct store_value args[] = { sv_uuid(writer), sv_int((int64_t)run.counter), sv_int(INT64_MAX),
					      sv_int(ROWS) };
		struct store_rows *r;
		size_t n = 0;
		if ((err = store_query(v->s, SQL_LEDGER_ENTRY_RANGE, args, 4, &r, reterr)) < 0)
			return err;
		while ((err = store_next(r, reterr)) > 0) {
			if ((uint64_t)store_int(r, 0) != run.counter ||
			    !row_leaf(v, r, writer, &prev, &computed, &stored) ||
			    memcmp(computed.b, stored.b, LEDGER_HASH) != 0)
				bad_row(v, v->size + v->r->unpositioned, "(to be) was changed, or one before it is missing");
			prev = stored;
			run.counter = (uint64_t)store_int(r, 0) + 1;
			v->r->unpositioned++;
			n++;
		}
		store_rows_close(r);
		more = n == ROWS;
	}
	return err < 0 ? err : 0;
}

static int check_tails(struct verifying *v, struct diag *reterr)
{
	struct uuid writer[RUNS], after = UUID_NIL;
	int64_t sequenced[RUNS];
	size_t n = RUNS;
	int err = 0;
	while (err == 0 && n == RUNS) {
		struct store_value args[] = { sv_uuid(&after), sv_int(RUNS) };
		struct store_rows *r;
		if ((err = store_query(v->s, SQL_LEDGER_WRITER_ALL_LIST, args, 2, &r, reterr)) < 0)
			return err;
		n = 0;
		while (n < RUNS && (err = store_next(r, reterr)) > 0) {
			writer[n] = store_uuid(r, 0);
			sequenced[n++] = store_int(r, 1);
		}
		store_rows_close(r);
		err = err < 0 ? err : 0;
		for (size_t i = 0; err == 0 && i < n; i++) {
			after = writer[i];
			if (sequenced[i] < 0)
				say(v, "A writer's place in the tree makes no sense.");
			else
				err = check_tail(v, &writer[i], (uint64_t)sequenced[i], reterr);
		}
	}
	return err;
}

static int check_count(struct verifying *v, struct diag *reterr)
{
	struct store_rows *r;
	int err = store_one(v->s, SQL_LEDGER_ENTRY_COUNT, NULL, 0, &r, reterr);
	if (err < 0)
		return err;
	int64_t rows = store_int(r, 0);
	store_rows_close(r);
	if ((uint64_t)rows != v->r->entries + v->r->unpositioned)
		say(v, "There are %" PRId64 " rows and %" PRIu64 " have a place.", rows,
		    v->r->entries + v->r->unpositioned);
	return 0;
}

/* ---- the whole ---- */

static int check_end(struct verifying *v, struct diag *reterr)
{
	const struct ledger_head *h;
	struct ledger_hash root;
	int err;
	merkle_frontier_root(&v->f, &root);
	if (memcmp(root.b, v->root.b, LEDGER_HASH) != 0) {
		if (v->r->bad_position == LEDGER_NO_POSITION && v->r->before == 0)
			say(v, "The root is not that of the entries.");
		v->r->verdict = FW_ETAMPERED;
	}
	while ((err = next_note(v, &h, reterr)) == 0 && h != NULL) {
		lost_tail(v, h->size, "a stored checkpoint");
		v->at_note++;
	}
	if (v->at_outside < v->noutside)
		lost_tail(v, v->outside[v->noutside - 1].size, "an outside checkpoint");
	return err;
}

static void begin(struct verifying *v)
{
	*v->r = (struct ledger_report){ .bad_position = LEDGER_NO_POSITION };
	v->f.size = 0;
	v->nnotes = v->at_note = v->at_outside = 0;
	v->notes_after = -1;
	v->notes_end = false;
	v->agreed = 0;
	v->stopped = false;
	for (unsigned i = 0; i < TILE_LEVELS; i++)
		tile_reader_init(&v->tile[i], v->s, NULL);
}

static int verify_tx(struct store *s, void *arg, struct diag *reterr)
{
	struct verifying *v = arg;
	v->s = s;
	begin(v);
	int err = ledger_state_read(s, &v->size, &v->root, NULL);
	if (err == FW_ETAMPERED || err == FW_ENOTFOUND) {
		say(v, "The ledger's size and root make no sense.");
		return 0;
	}
	if (err == 0)
		err = check_heads(v, reterr);
	if (err == 0)
		err = check_runs(v, reterr);
	if (err == 0)
		err = check_tails(v, reterr);
	if (err == 0)
		err = check_count(v, reterr);
	return err < 0 ? err : check_end(v, reterr);
}

static int by_size(const void *a, const void *b)
{
	const struct ledger_head *x = a, *y = b;
	return x->size < y->size ? -1 : x->size > y->size;
}

/* Those of ${text} that are this ledger's, sorted. */
static int read_outside(struct verifying *v, const char *text, struct diag *reterr)
{
	size_t at = 0, len = strlen(text), n, cap = 0;
	const char *note;
	struct ledger_head h;
	while (checkpoint_next(text, len, &at, &note, &n)) {
		if (checkpoint_parse(note, n, v->origin, v->pk, &h) < 0)
			continue;
		if (v->noutside == OUTSIDE_MAX)
			return diag_set(reterr, FW_ELIMIT, "more than %d outside checkpoints", OUTSIDE_MAX);
		if (v->noutside == cap) {
			cap = cap == 0 ? 64 : cap * 2;
			struct ledger_head *p = mem_realloc(v->outside, cap * sizeof(*p));
			if (p == NULL)
				return diag_set(reterr, -ENOMEM, "no memory for the outside checkpoints");
			v->outside = p;
		}
		v->outside[v->noutside++] = h;
	}
	if (v->noutside == 0)
		return diag_set(reterr, FW_EINVALID,
				"none of the outside checkpoints is of %s and carries this node's signature", v->origin);
	qsort(v->outside, v->noutside, sizeof(h), by_size);
	return 0;
}

int ledger_verify(struct store *s, const char *origin, const uint8_t pk[32], const char *outside,
		  void (*progress)(void *arg, uint64_t done, uint64_t total), void *arg, struct ledger_report *ret,
		  struct diag *reterr)
{
	struct ledger_report report;
	struct verifying *v = mem_alloc(sizeof(*v));
	if (v == NULL)
		return diag_set(reterr, -ENOMEM, "no memory to verify the ledger");
	*v = (struct verifying){ .origin = origin, .pk = pk, .progress = progress, .progress_arg = arg, .r = &report };
	int err = outside == NULL ? 0 : read_outside(v, outside, reterr);
	if (err == 0)
		err = ledger_in_tx(s, verify_tx, v, reterr);
	mem_free(v->outside);
	mem_free(v);
	if (err == 0)
		*ret = report;
	return err;
}
