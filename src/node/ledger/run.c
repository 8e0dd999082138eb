/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Runs: which entries stand at which positions, and where an entry is.
 *
 * An entry is found by its identifier without an index of its own: a run
 * carries its first and last identifier, and within a writer identifiers rise
 * with the counter.  Runs of other writers may overlap in time, so several are
 * tried; entries without a position are looked for in the tails of the
 * writers.
 */
#include <string.h>

#include "base/err.h"
#include "gen/sql.h"
#include "node/ledger/ledger_int.h"
#include "store/store.h"

int ledger_runs(struct store *s, uint64_t from, struct ledger_run *ret, size_t cap, size_t *ret_n,
		struct diag *reterr)
{
	struct store_value args[] = { sv_int((int64_t)from), sv_int((int64_t)cap) };
	struct store_rows *r;
	size_t n = 0;
	int err = store_query(s, SQL_LEDGER_RUN_LIST, args, 2, &r, reterr);
	if (err < 0)
		return err;
	while ((err = store_next(r, reterr)) > 0 && n < cap)
		ret[n++] = (struct ledger_run){ .position = (uint64_t)store_int(r, 0),
						.writer = store_uuid(r, 1),
						.counter = (uint64_t)store_int(r, 2),
						.n = (uint64_t)store_int(r, 3),
						.id_first = store_uuid(r, 4),
						.id_last = store_uuid(r, 5) };
	store_rows_close(r);
	*ret_n = n;
	return err < 0 ? err : 0;
}

int ledger_run_before(struct store *s, uint64_t pos, struct ledger_run *ret, struct diag *reterr)
{
	struct store_value args[] = { sv_int((int64_t)pos) };
	struct store_rows *r;
	int err = store_one(s, SQL_LEDGER_RUN_BEFORE, args, 1, &r, reterr);
	if (err < 0)
		return err;
	*ret = (struct ledger_run){ .position = (uint64_t)store_int(r, 0),
				    .writer = store_uuid(r, 1),
				    .counter = (uint64_t)store_int(r, 2),
				    .n = (uint64_t)store_int(r, 3),
				    .id_last = store_uuid(r, 4) };
	store_rows_close(r);
	return 0;
}

/* Whether ${id} is among the entries ${from}..${to} of a writer. */
static int in_range(struct store *s, const struct uuid *id, const struct uuid *writer, int64_t from, int64_t to,
		    uint64_t *ret_counter, struct diag *reterr)
{
	struct store_value args[] = { sv_uuid(writer), sv_int(from), sv_int(to), sv_uuid(id) };
	struct store_rows *r;
	int err = store_one(s, SQL_LEDGER_ENTRY_FIND, args, 4, &r, reterr);
	if (err < 0)
		return err;
	*ret_counter = (uint64_t)store_int(r, 0);
	store_rows_close(r);
	return 0;
}

static int find_with_position(struct store *s, const struct uuid *id, struct uuid *ret_writer, uint64_t *ret_counter,
			      struct diag *reterr)
{
	struct store_value args[] = { sv_uuid(id) };
	struct store_rows *r;
	int err = store_query(s, SQL_LEDGER_RUN_OF_ID, args, 1, &r, reterr);
	if (err < 0)
		return err;
	int found = FW_ENOTFOUND;
	while (found == FW_ENOTFOUND && (err = store_next(r, reterr)) > 0) {
		int64_t first = store_int(r, 1);
		*ret_writer = store_uuid(r, 0);
		found = in_range(s, id, ret_writer, first, first + store_int(r, 2) - 1, ret_counter, reterr);
	}
	store_rows_close(r);
	return err < 0 ? err : found;
}

static int find_without(struct store *s, const struct uuid *id, struct uuid *ret_writer, uint64_t *ret_counter,
			struct diag *reterr)
{
	enum { PAGE = 64 };
	struct uuid writer[PAGE], after = UUID_NIL;
	int64_t sequenced[PAGE];
	size_t n = PAGE;
	while (n == PAGE) {
		struct store_value args[] = { sv_uuid(&after), sv_int(PAGE) };
		struct store_rows *r;
		int err = store_query(s, SQL_LEDGER_WRITER_ALL_LIST, args, 2, &r, reterr);
		if (err < 0)
			return err;
		n = 0;
		while ((err = store_next(r, reterr)) > 0 && n < PAGE) {
			writer[n] = store_uuid(r, 0);
			sequenced[n++] = store_int(r, 1);
		}
		store_rows_close(r);
		if (err < 0)
			return err;
		for (size_t i = 0; i < n; i++) {
			err = in_range(s, id, &writer[i], sequenced[i] + 1, INT64_MAX, ret_counter, reterr);
			*ret_writer = writer[i];
			if (err != FW_ENOTFOUND)
				return err;
			after = writer[i];
		}
	}
	return FW_ENOTFOUND;
}

int ledger_find(struct store *s, const struct uuid *id, struct uuid *ret_writer, uint64_t *ret_counter,
		struct diag *reterr)
{
	int err = find_with_position(s, id, ret_writer, ret_counter, reterr);
	return err != FW_ENOTFOUND ? err : find_without(s, id, ret_writer, ret_counter, reterr);
}

int ledger_erase(struct store *s, const struct uuid *id, struct diag *reterr)
{
	struct uuid writer;
	uint64_t counter;
	struct store_rows *r;
	struct ledger_hash inner;
	int err = ledger_find(s, id, &writer, &counter, reterr);
	if (err < 0)
		return diag_set(reterr, err, "the ledger has no such entry");
	struct store_value args[] = { sv_uuid(&writer), sv_int((int64_t)counter), sv_bytes(inner.b, LEDGER_HASH) };
	if ((err = store_one(s, SQL_LEDGER_ENTRY_BODY, args, 2, &r, reterr)) < 0)
		return err;
	size_t n;
	const uint8_t *body = store_bytes(r, 0, &n);
	bool there = body != NULL;
	if (there)
		ledger_inner_hash(body, n, &inner);
	store_rows_close(r);
	return there ? store_exec(s, SQL_LEDGER_ENTRY_ERASE, args, 3, NULL, reterr) : 0;
}
