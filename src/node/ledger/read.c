/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Pages of entries, newest first, for those who may read the ledger.
 *
 * First come the entries that have no position yet (younger than a second),
 * then positions downwards, run by run.  A page's mark is the position it ended
 * at; what has no position is shown on the first page only.  A filter is
 * applied to what is read, and at most LEDGER_PAGE_LOOK entries are read for a
 * page: a rare kind of event may give a short or empty page with a mark to go
 * on from, instead of a request that reads the whole ledger.
 */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "gen/sql.h"
#include "node/ledger/ledger_int.h"
#include "node/ledger/read.h"
#include "store/store.h"

enum { WRITERS = 64 };

struct paging {
	struct store *s;
	const struct ledger_filter *filter;
	size_t shown, looked;
	int (*each)(void *arg, const struct ledger_row *row);
	void *arg;
};

static bool full(const struct paging *p)
{
	return p->shown >= p->filter->limit || p->looked >= LEDGER_PAGE_LOOK;
}

/* One row of SQL_LEDGER_ENTRY_RANGE_DOWN. */
static int show(struct paging *p, const struct store_rows *r, uint64_t position)
{
	struct ledger_row row = { .id = store_uuid(r, 1), .position = position };
	size_t n;
	const uint8_t *body = store_bytes(r, 3, &n);
	p->looked++;
	row.at = ledger_id_time(&row.id);
	row.erased = body == NULL;
	row.readable = body != NULL && n >= LEDGER_SALT &&
		       ledger_content_get(body + LEDGER_SALT, n - LEDGER_SALT, &row.content) == 0;
	/* An erased entry says nothing of its kind: it is not in a filtered list. */
	if (p->filter->event >= 0 && (!row.readable || row.content.event != p->filter->event))
		return 0;
	p->shown++;
	return p->each(p->arg, &row);
}

/* Entries ${to} down to ${from} of a writer; ${position} is that of ${to}. *ret_low: the lowest counter looked at. */
static int show_range(struct paging *p, const struct uuid *writer, uint64_t from, uint64_t to, uint64_t position,
		      uint64_t *ret_low, struct diag *reterr)
{
	size_t room = LEDGER_PAGE_LOOK - p->looked;
	/* With no filter every row is shown: no more are fetched than fit. */
	if (p->filter->event < 0 && p->filter->limit - p->shown < room)
		room = p->filter->limit - p->shown;
	struct store_value args[] = { sv_uuid(writer), sv_int((int64_t)from), sv_int((int64_t)to), sv_int((int64_t)room) };
	struct store_rows *r;
	int err = store_query(p->s, SQL_LEDGER_ENTRY_RANGE_DOWN, args, 4, &r, reterr);
	*ret_low = to + 1;
	if (err < 0)
		return err;
	while (!full(p) && (err = store_next(r, reterr)) > 0) {
		*ret_low = (uint64_t)store_int(r, 0);
		err = show(p, r, position == LEDGER_NO_POSITION ? position : position - (to - *ret_low));
		if (err < 0)
			break;
	}
	store_rows_close(r);
	return err < 0 ? err : 0;
}

static int show_tails(struct paging *p, struct diag *reterr)
{
	struct uuid writer[WRITERS];
	uint64_t sequenced[WRITERS], low;
	struct uuid after = UUID_NIL;
	struct store_value args[] = { sv_uuid(&after), sv_int(WRITERS) };
	struct store_rows *r;
	size_t n = 0;
	int err = store_query(p->s, SQL_LEDGER_WRITER_OPEN_LIST, args, 2, &r, reterr);
	if (err < 0)
		return err;
	while ((err = store_next(r, reterr)) > 0 && n < WRITERS) {
		writer[n] = store_uuid(r, 0);
		sequenced[n++] = (uint64_t)store_int(r, 1);
	}
	store_rows_close(r);
	/* The newest writer is the last: identifiers rise with time. */
	while (err >= 0 && n-- > 0 && !full(p))
		err = show_range(p, &writer[n], sequenced[n] + 1, INT64_MAX, LEDGER_NO_POSITION, &low, reterr);
	return err < 0 ? err : 0;
}

/* Positions below *pos downwards, until the page is full or none are left; *pos moves to where it ended. */
static int show_positions(struct paging *p, uint64_t *pos, struct diag *reterr)
{
	int err = 0;
	while (err == 0 && *pos > 0 && !full(p)) {
		struct ledger_run run;
		uint64_t low;
		err = ledger_run_before(p->s, *pos - 1, &run, reterr);
		if (err == FW_ENOTFOUND || (err == 0 && (run.position >= *pos || run.n < *pos - run.position)))
			return diag_set(reterr, FW_ETAMPERED, "the ledger has a gap below position %llu",
					(unsigned long long)*pos);
		if (err < 0)
			return err;
		uint64_t to = run.counter + (*pos - 1 - run.position);
		err = show_range(p, &run.writer, run.counter, to, *pos - 1, &low, reterr);
		if (err == 0)
			*pos = low > to ? run.position : run.position + (low - run.counter);
	}
	return err;
}

int ledger_page(struct store *s, const struct ledger_filter *filter,
		int (*each)(void *arg, const struct ledger_row *row), void *arg, uint64_t *ret_next,
		struct diag *reterr)
{
	struct paging p = { .s = s, .filter = filter, .each = each, .arg = arg };
	struct ledger_head head;
	uint64_t pos = filter->below;
	int err = ledger_head(s, &head, reterr);
	if (err == 0 && pos > head.size)
		pos = head.size;
	if (err == 0 && filter->below == LEDGER_NO_POSITION)
		err = show_tails(&p, reterr);
	if (err == 0)
		err = show_positions(&p, &pos, reterr);
	if (err == 0)
		*ret_next = pos;
	return err;
}
