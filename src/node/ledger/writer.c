/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Appending.  Rule 7 of the house wants an entry for every reading, so an
 * entry must cost little and make nobody wait:
 *
 *   - An entry is one narrow row, put in by one prepared statement into one
 *     tree of the store, at its right edge: the key is (writer, counter), a
 *     writer is one run of one process, its identifier rises with time.
 *   - Nothing is read and no row is shared between writers.  The hash of the
 *     entry before, which chains the entries, is in the writer's memory.
 *   - No second index: an entry is found by its identifier through the runs
 *     that the sequencer writes, one row for hundreds of entries.
 *   - The position in the tree is not in the row, or every row would be
 *     written twice; a run says "positions p.. are counters c.. of writer w".
 *
 * Because the chain is anchored in memory, a row changed behind the program's
 * back even before it has a position shows as soon as the same writer's next
 * entry is there.
 *
 * A transaction may fail as a whole or in a part (savepoint).  The writer
 * therefore remembers the leaves since the last commit and can go back to any.
 * When the outcome of a commit is unknown (FW_EUNKNOWNOUTCOME), the counters
 * may be taken or not: ledger_writer_renew() begins a new chain.
 */
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "gen/sql.h"
#include "node/ledger/ledger_int.h"
#include "store/store.h"

enum {
	UNCOMMITTED_MAX = 65536, /* entries in one transaction */
	SALTS = 64,              /* drawn at once: a system call each would cost as much as the hash */
	IDLE_HOURS = 12,         /* after so long a new chain; the sequencer closes a writer after a day */
};

struct ledger_writer {
	struct uuid id;
	uint64_t counter;   /* of the last entry, committed or not */
	uint64_t committed;
	struct ledger_hash prev; /* leaf of the last committed entry */
	struct buf leaves;       /* of the entries since; LEDGER_HASH bytes each */
	usec_t last;             /* monotonic time of the last append */
	struct buf body;         /* scratch */
	size_t salts_left;
	uint8_t salts[SALTS * LEDGER_SALT];
};

void ledger_writer_renew(struct ledger_writer *w)
{
	w->id = uuid_new();
	w->counter = w->committed = 0;
	w->prev = (struct ledger_hash){ { 0 } };
	buf_clear(&w->leaves);
	w->last = time_mono();
}

int ledger_writer_new(struct ledger_writer **ret)
{
	struct ledger_writer *w = mem_alloc(sizeof(*w));
	if (w == NULL)
		return -ENOMEM;
	*w = (struct ledger_writer){ 0 };
	buf_init(&w->leaves, (size_t)UNCOMMITTED_MAX * LEDGER_HASH);
	buf_init(&w->body, LEDGER_BODY_MAX);
	ledger_writer_renew(w);
	*ret = w;
	return 0;
}

void ledger_writer_free(struct ledger_writer *w)
{
	if (w == NULL)
		return;
	buf_release(&w->leaves);
	buf_release(&w->body);
	mem_free(w);
}

/* The salt goes first into the body. */
static void put_salt(struct ledger_writer *w)
{
	if (w->salts_left == 0) {
		randombytes_buf(w->salts, sizeof(w->salts));
		w->salts_left = SALTS;
	}
	w->salts_left--;
	uint8_t *salt = w->salts + w->salts_left * LEDGER_SALT;
	buf_put(&w->body, salt, LEDGER_SALT);
	sodium_memzero(salt, LEDGER_SALT);
}

static const struct ledger_hash *last_leaf(const struct ledger_writer *w)
{
	_Static_assert(sizeof(struct ledger_hash) == LEDGER_HASH, "leaves lie one after the other");
	if (w->leaves.len == 0)
		return &w->prev;
	return (const struct ledger_hash *)(w->leaves.data + w->leaves.len - LEDGER_HASH);
}

static int add_row(struct store *s, struct ledger_writer *w, const struct uuid *id, const struct ledger_hash *leaf,
		   struct diag *reterr)
{
	struct store_value args[] = { sv_uuid(&w->id), sv_int((int64_t)(w->counter + 1)), sv_uuid(id),
				      sv_bytes(leaf->b, LEDGER_HASH), sv_bytes(w->body.data, w->body.len) };
	if (w->counter == 0) {
		struct store_value first[] = { sv_uuid(&w->id), sv_int(time_now()) };
		int err = store_exec(s, SQL_LEDGER_WRITER_ADD, first, 2, NULL, reterr);
		if (err < 0)
			return err;
	}
	return store_exec(s, SQL_LEDGER_ENTRY_ADD, args, 5, NULL, reterr);
}

int ledger_append(struct store *s, struct ledger_writer *w, const struct ledger_note *note, struct uuid *ret_id,
		  struct diag *reterr)
{
	if (w->leaves.len == 0 && time_mono() - w->last > IDLE_HOURS * 3600 * USEC_PER_SEC)
		ledger_writer_renew(w);
	buf_clear(&w->body);
	put_salt(w);
	int err = ledger_content_put(&w->body, note, reterr);
	if (err < 0)
		return err;
	uint8_t *room = buf_reserve(&w->leaves, LEDGER_HASH);
	if (room == NULL) {
		err = w->leaves.error;
		w->leaves.error = 0; /* what it holds is whole, and a rollback needs it */
		return diag_set(reterr, err, "more than %d ledger entries in one transaction", UNCOMMITTED_MAX);
	}
	struct uuid id = uuid_new();
	struct ledger_hash inner, leaf;
	ledger_inner_hash(w->body.data, w->body.len, &inner);
	ledger_leaf_hash(&id, &w->id, w->counter + 1, last_leaf(w), &inner, &leaf);
	err = add_row(s, w, &id, &leaf, reterr);
	if (err < 0)
		return err;
	memcpy(room, leaf.b, LEDGER_HASH);
	buf_advance(&w->leaves, LEDGER_HASH);
	w->counter++;
	w->last = time_mono();
	if (ret_id != NULL)
		*ret_id = id;
	return 0;
}

uint64_t ledger_writer_mark(const struct ledger_writer *w)
{
	return w->counter;
}

void ledger_writer_back_to(struct ledger_writer *w, uint64_t mark)
{
	/* A mark from before a renewal or a commit has nothing to go back over. */
	if (mark < w->committed || mark >= w->counter)
		return;
	w->counter = mark;
	w->leaves.len = (size_t)(mark - w->committed) * LEDGER_HASH;
}

void ledger_writer_commit(struct ledger_writer *w)
{
	w->prev = *last_leaf(w);
	w->committed = w->counter;
	buf_clear(&w->leaves);
}

void ledger_writer_rollback(struct ledger_writer *w)
{
	ledger_writer_back_to(w, w->committed);
}
