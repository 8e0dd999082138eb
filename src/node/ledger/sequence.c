/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Giving positions.
 *
 *     writer A   1 2 3 | 4 5 6        run: positions 10.. = A 4.., 3 entries
 *     writer B   1 2   | 3            run: position  13   = B 3,   1 entry
 *                      ^ sequenced
 *
 * Once a second, for each open writer in the order of their identifiers, the
 * entries behind the last sequenced one are taken in the order of their
 * counters, their leaves pushed into the tree, and one run written.  All of it
 * is one transaction whose last act moves the size from what was read to what
 * it is now: two sequencers cannot both succeed, and the loser runs again.
 *
 * Which writers have anything new?  A writer that has been still for a day is
 * closed and no longer looked at; writers themselves begin a new chain after
 * twelve idle hours.  Should one write after all (a machine that slept), its
 * entries get their positions at the next ledger_start(), which looks at
 * every writer.
 */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "gen/sql.h"
#include "node/ledger/ledger_int.h"
#include "store/store.h"

enum { WRITERS = 64, LEAVES = 1000, CLOSE_AFTER_HOURS = 24 };

struct open_writer {
	struct uuid id;
	uint64_t sequenced;
	usec_t moved;
};

struct sequencing {
	size_t max, done;
	uint64_t size;        /* of the tree as read */
	struct tile_writer *tiles; /* NULL until there is something */
	struct uuid gap;      /* a writer whose next entry is missing; nil if none */
};

/* The next open writers after ${after}. */
static int open_writers(struct store *s, const struct uuid *after, struct open_writer ret[WRITERS], size_t *ret_n,
			struct diag *reterr)
{
	struct store_value args[] = { sv_uuid(after), sv_int(WRITERS) };
	struct store_rows *r;
	size_t n = 0;
	int err = store_query(s, SQL_LEDGER_WRITER_OPEN_LIST, args, 2, &r, reterr);
	if (err < 0)
		return err;
	while ((err = store_next(r, reterr)) > 0 && n < WRITERS)
		ret[n++] = (struct open_writer){ store_uuid(r, 0), (uint64_t)store_int(r, 1), store_int(r, 2) };
	store_rows_close(r);
	*ret_n = n;
	return err < 0 ? err : 0;
}

/* One page of leaves after run->counter + run->n - 1 into the tree. *ret_more: there may be another. */
static int take_page(struct store *s, struct sequencing *q, struct ledger_run *run, bool *ret_more,
		     struct diag *reterr)
{
	size_t want = q->max - q->done < LEAVES ? q->max - q->done : LEAVES, got = 0;
	struct store_value args[] = { sv_uuid(&run->writer), sv_int((int64_t)(run->counter + run->n - 1)),
				      sv_int((int64_t)want) };
	struct store_rows *r;
	int err = store_query(s, SQL_LEDGER_ENTRY_LEAVES, args, 3, &r, reterr);
	if (err < 0)
		return err;
	while ((err = store_next(r, reterr)) > 0) {
		struct ledger_hash leaf;
		size_t n;
		const uint8_t *p = store_bytes(r, 2, &n);
		if ((uint64_t)store_int(r, 0) != run->counter + run->n || n != LEDGER_HASH) {
			q->gap = run->writer;
			got = 0;
			err = 0;
			break;
		}
		memcpy(leaf.b, p, LEDGER_HASH);
		if (q->tiles == NULL && (err = tile_writer_new(s, q->size, &q->tiles)) < 0)
			break;
		if ((err = tile_writer_push(q->tiles, &leaf, reterr)) < 0)
			break;
		run->id_last = store_uuid(r, 1);
		if (run->n++ == 0)
			run->id_first = run->id_last;
		q->done++;
		got++;
	}
	store_rows_close(r);
	*ret_more = got == LEAVES;
	return err < 0 ? err : 0;
}

static int close_idle(struct store *s, const struct open_writer *w, struct diag *reterr)
{
	struct store_value args[] = { sv_uuid(&w->id), sv_int(1) };
	if (time_now() - w->moved < CLOSE_AFTER_HOURS * 3600 * USEC_PER_SEC)
		return 0;
	return store_exec(s, SQL_LEDGER_WRITER_CLOSE, args, 2, NULL, reterr);
}

static int take_writer(struct store *s, struct sequencing *q, const struct open_writer *w, struct diag *reterr)
{
	struct ledger_run run = { .position = q->size + q->done, .writer = w->id, .counter = w->sequenced + 1 };
	bool more = true;
	int err = 0;
	while (err == 0 && more && q->done < q->max)
		err = take_page(s, q, &run, &more, reterr);
	if (err < 0 || run.n == 0)
		return err < 0 ? err : close_idle(s, w, reterr);
	struct store_value args[] = { sv_int((int64_t)run.position), sv_uuid(&w->id), sv_int((int64_t)run.counter),
				      sv_int((int64_t)run.n),        sv_uuid(&run.id_first), sv_uuid(&run.id_last) };
	struct store_value move[] = { sv_uuid(&w->id), sv_int((int64_t)(w->sequenced + run.n)), sv_int(time_now()) };
	err = store_exec(s, SQL_LEDGER_RUN_ADD, args, 6, NULL, reterr);
	return err < 0 ? err : store_exec(s, SQL_LEDGER_WRITER_MOVE, move, 3, NULL, reterr);
}

/* The tree's new edge and size. */
static int finish(struct store *s, struct sequencing *q, struct diag *reterr)
{
	struct tile_reader *tr = mem_alloc(sizeof(*tr));
	struct ledger_hash root;
	int64_t changed = 0;
	if (tr == NULL)
		return -ENOMEM;
	tile_reader_init(tr, s, reterr);
	struct merkle_source src = tile_source(tr);
	int err = tile_writer_end(q->tiles, reterr);
	if (err == 0)
		err = merkle_root(&src, q->size + q->done, &root);
	mem_free(tr);
	if (err < 0)
		return err;
	struct store_value args[] = { sv_int((int64_t)q->size), sv_int((int64_t)(q->size + q->done)),
				      sv_bytes(root.b, LEDGER_HASH) };
	err = store_exec(s, SQL_LEDGER_STATE_SET, args, 3, &changed, reterr);
	if (err == 0 && changed != 1)
		err = FW_ERETRY; /* another sequencer was here */
	return err;
}

static int sequence_tx(struct store *s, void *arg, struct diag *reterr)
{
	struct sequencing *q = arg;
	struct open_writer w[WRITERS];
	struct uuid after = UUID_NIL;
	struct ledger_hash root;
	size_t n = WRITERS;
	q->done = 0;
	q->gap = UUID_NIL;
	tile_writer_free(q->tiles);
	q->tiles = NULL;
	int err = ledger_state_read(s, &q->size, &root, reterr);
	while (err == 0 && n == WRITERS && q->done < q->max) {
		err = open_writers(s, &after, w, &n, reterr);
		for (size_t i = 0; err == 0 && i < n && q->done < q->max; i++)
			err = take_writer(s, q, &w[i], reterr);
		if (n > 0)
			after = w[n - 1].id;
	}
	if (err == 0 && q->done > 0)
		err = finish(s, q, reterr);
	return err;
}

int ledger_sequence(struct store *s, size_t max, size_t *ret_n, struct diag *reterr)
{
	struct sequencing q = { .max = max };
	int err = store_tx(s, STORE_WRITE, sequence_tx, &q, reterr);
	tile_writer_free(q.tiles);
	if (err < 0)
		return diag_set(reterr, err, "the ledger's entries could not be put in order: %s", err_text(err));
	*ret_n = q.done;
	if (!uuid_is_nil(&q.gap)) {
		char id[UUID_TEXT_LEN + 1];
		uuid_format(&q.gap, id);
		return diag_set(reterr, FW_ETAMPERED, "an entry of the ledger's writer %s is missing", id);
	}
	return 0;
}

/* ---- at a process's start ---- */

struct start {
	struct uuid after, next;
	usec_t last; /* the newest entry's time */
	bool more;
};

/* The last entry of a writer: raise ${st}, and open the writer again if that entry has no position. */
static int look_at(struct store *s, struct start *st, const struct uuid *writer, int64_t sequenced, bool closed,
		   struct diag *reterr)
{
	struct store_value args[] = { sv_uuid(writer), sv_int(0) };
	struct store_rows *r;
	int err = store_one(s, SQL_LEDGER_ENTRY_LAST, args, 1, &r, reterr);
	if (err < 0)
		return err == FW_ENOTFOUND ? 0 : err;
	struct uuid id = store_uuid(r, 1);
	bool behind = store_int(r, 0) > sequenced;
	store_rows_close(r);
	if (ledger_id_time(&id) > st->last)
		st->last = ledger_id_time(&id);
	return behind && closed ? store_exec(s, SQL_LEDGER_WRITER_CLOSE, args, 2, NULL, reterr) : 0;
}

static int start_tx(struct store *s, void *arg, struct diag *reterr)
{
	struct start *st = arg;
	struct uuid id[WRITERS];
	int64_t sequenced[WRITERS];
	bool closed[WRITERS];
	size_t n = 0;
	struct store_value args[] = { sv_uuid(&st->after), sv_int(WRITERS) };
	struct store_rows *r;
	int err = store_query(s, SQL_LEDGER_WRITER_ALL_LIST, args, 2, &r, reterr);
	if (err < 0)
		return err;
	while ((err = store_next(r, reterr)) > 0 && n < WRITERS) {
		id[n] = store_uuid(r, 0);
		sequenced[n] = store_int(r, 1);
		closed[n++] = store_int(r, 2) != 0;
	}
	store_rows_close(r);
	for (size_t i = 0; err >= 0 && i < n; i++)
		err = look_at(s, st, &id[i], sequenced[i], closed[i], reterr);
	st->more = n == WRITERS;
	if (n > 0)
		st->next = id[n - 1];
	return err;
}

int ledger_start(struct store *s, struct diag *reterr)
{
	struct start st = { .more = true };
	int err = 0;
	while (err == 0 && st.more) {
		err = store_tx(s, STORE_WRITE, start_tx, &st, reterr);
		st.after = st.next; /* not in the transaction, which may run twice */
	}
	if (err == 0)
		time_floor_raise(st.last);
	return err;
}
