/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What a vault's worker keeps about grants while it runs: a cache of
 * permissions, and the duty to keep the house's marks in step (house.h).
 *
 * The cache must never hold what a rolled-back transaction wrote.  A handler
 * that changes grants shuts it (grants_changed); the task, which runs only
 * between transactions, empties and opens it again.  One worker serves a
 * vault: a second one would need to be told (docs/access-design.md).
 */
#include "node/access/access.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/access/grants_int.h"
#include "node/access/house_link.h"
#include "store/store.h"

enum { CACHE = 256, RECENT = 64, PAGE = HOLD_PAGE, AGAIN_SECONDS = 5, HOUR = 3600 };

static const char own_name[] = "access.grants", task_name[] = "access.grants";

/* Where the comparison with the house stands: first every grant is marked, then every mark is
 * looked at. */
enum phase { PHASE_NONE, PHASE_MARK, PHASE_LIST };

struct grants {
	struct {
		struct uuid account;
		uint64_t permissions;
		bool used;
	} cache[CACHE];
	bool shut;
	struct uuid recent[RECENT]; /* marked, but perhaps without a grant */
	size_t nrecent;
	enum phase phase;
	struct uuid after; /* how far the phase has come */
	usec_t next_full;  /* monotonic */
};

static struct grants *grants_of(struct worker *w)
{
	return worker_get(w, own_name);
}

int grants_start(struct worker *w, struct diag *reterr)
{
	struct grants *g = mem_alloc(sizeof(*g));
	(void)reterr;
	if (g == NULL)
		return -ENOMEM;
	memset(g, 0, sizeof(*g));
	worker_set(w, own_name, g);
	return 0;
}

void grants_end(struct worker *w)
{
	mem_free(grants_of(w));
	worker_set(w, own_name, NULL);
}

/* The last bytes of a UUIDv7 are random. */
static size_t slot_of(const struct uuid *account)
{
	return account->b[15] % CACHE;
}

int grants_permissions(struct worker *w, struct store *db, const struct uuid *account,
		       uint64_t *ret, struct diag *reterr)
{
	struct grants *g = grants_of(w);
	size_t slot = slot_of(account);
	if (!g->shut && g->cache[slot].used && uuid_equal(&g->cache[slot].account, account)) {
		*ret = g->cache[slot].permissions;
		return 0;
	}
	uint64_t bits;
	int e = grants_read_permissions(db, worker_vault(w), account, &bits, reterr);
	if (e != 0)
		return e;
	if (!g->shut) {
		g->cache[slot].account = *account;
		g->cache[slot].permissions = bits;
		g->cache[slot].used = true;
	}
	*ret = bits;
	return 0;
}

void grants_changed(struct worker *w)
{
	grants_of(w)->shut = true;
	worker_wake(w, task_name);
}

void grants_marked(struct worker *w, const struct uuid *account)
{
	struct grants *g = grants_of(w);
	if (g->nrecent < RECENT)
		g->recent[g->nrecent++] = *account;
	else
		g->next_full = 0;
}

static void open_cache(struct grants *g)
{
	memset(g->cache, 0, sizeof(g->cache));
	g->shut = false;
}

/* Tell the house how it is with one account, whatever it thinks. */
static int settle(struct worker *w, struct store *db, const struct uuid *account,
		  struct diag *reterr)
{
	bool any = false, strong = false;
	int e = grants_holds(db, worker_vault(w), account, &any, &strong, reterr);
	struct wire_hold_ask ask = {
		.what = any ? HOLD_MARK : HOLD_UNMARK, .strong = strong, .account = *account};
	struct wire_hold hold;
	/* Its own code does not matter: an account that the house does not know needs no mark. */
	return e == 0 ? link_hold(w, db, &ask, &hold, reterr) : e;
}

static int read_ids(struct store *db, int statement, const struct store_value *args, size_t nargs,
		    struct uuid ret[PAGE], size_t *ret_n, struct diag *reterr)
{
	struct store_rows *rows;
	int e = store_query(db, statement, args, nargs, &rows, reterr);
	if (e != 0)
		return e;
	size_t n = 0;
	while (n < PAGE && (e = store_next(rows, reterr)) == 1)
		ret[n++] = store_uuid(rows, 0);
	store_rows_close(rows);
	*ret_n = n;
	return e < 0 ? e : 0;
}

/* What a transaction found; set anew each time it runs. */
struct turn {
	bool more;         /* something is left to do at once */
	struct uuid after; /* how far it came */
};

/* Accounts that lost a role; the row goes only after the house has answered. */
static int settle_queue(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	struct turn *t = arg;
	struct uuid ids[PAGE];
	size_t n = 0;
	struct store_value limit = sv_int(PAGE);
	int e = read_ids(db, SQL_ACCESS_UNHOLD_LIST, &limit, 1, ids, &n, reterr);
	for (size_t i = 0; e == 0 && i < n; i++) {
		struct store_value arg1 = sv_uuid(&ids[i]);
		e = settle(w, db, &ids[i], reterr);
		if (e == 0)
			e = store_exec(db, SQL_ACCESS_UNHOLD_DELETE, &arg1, 1, NULL, reterr);
	}
	t->more = n == PAGE;
	return e;
}

static int settle_recent(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	const struct grants *g = grants_of(w);
	int e = 0;
	(void)arg;
	for (size_t i = 0; e == 0 && i < g->nrecent; i++)
		e = settle(w, db, &g->recent[i], reterr);
	return e;
}

static int mark_page(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	struct turn *t = arg;
	const struct grants *g = grants_of(w);
	struct uuid ids[PAGE];
	size_t n = 0;
	struct store_value args[] = {sv_uuid(&g->after), sv_int(PAGE)};
	int e = read_ids(db, SQL_ACCESS_GRANT_ACCOUNTS, args, 2, ids, &n, reterr);
	for (size_t i = 0; e == 0 && i < n; i++)
		e = settle(w, db, &ids[i], reterr);
	t->more = n == PAGE;
	if (n > 0)
		t->after = ids[n - 1];
	return e;
}

static int list_page(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	struct turn *t = arg;
	struct wire_hold_ask ask = {.what = HOLD_LIST, .account = grants_of(w)->after};
	struct wire_hold page = {0};
	int e = link_hold(w, db, &ask, &page, reterr);
	for (size_t i = 0; e == 0 && i < page.n; i++) {
		bool any = false, strong;
		e = grants_holds(db, worker_vault(w), &page.accounts[i], &any, &strong, reterr);
		if (e == 0 && !any)
			e = settle(w, db, &page.accounts[i], reterr);
	}
	t->more = page.n == PAGE;
	if (page.n > 0)
		t->after = page.accounts[page.n - 1];
	return e;
}

static int purge_acts(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	(void)w;
	(void)arg;
	return act_purge(db, time_now(), reterr);
}

/* One step of the full comparison. *ret_busy: another one should follow at once. */
static int compare(struct worker *w, bool *ret_busy)
{
	struct grants *g = grants_of(w);
	struct turn t = {0};
	int e = 0;
	if (g->phase == PHASE_NONE) {
		if (time_mono() < g->next_full)
			return 0;
		e = worker_tx(w, purge_acts, NULL, NULL);
		g->phase = PHASE_MARK;
		g->after = UUID_NIL;
	}
	if (e == 0)
		e = worker_tx(w, g->phase == PHASE_MARK ? mark_page : list_page, &t, NULL);
	if (e != 0)
		return e;
	*ret_busy = true;
	g->after = t.after;
	if (t.more)
		return 0;
	g->after = UUID_NIL;
	if (g->phase == PHASE_LIST) {
		g->next_full = time_mono() + HOUR * USEC_PER_SEC;
		*ret_busy = false;
	}
	g->phase = g->phase == PHASE_MARK ? PHASE_LIST : PHASE_NONE;
	return 0;
}

static usec_t run(struct worker *w)
{
	struct grants *g = grants_of(w);
	struct turn t = {0};
	bool busy = false;
	open_cache(g);
	int e = worker_tx(w, settle_queue, &t, NULL);
	if (e == 0 && g->nrecent > 0)
		e = worker_tx(w, settle_recent, NULL, NULL);
	if (e == 0) {
		g->nrecent = 0;
		e = compare(w, &busy);
	}
	if (e != 0)
		return time_mono() + AGAIN_SECONDS * USEC_PER_SEC;
	return t.more || busy ? 0 : g->next_full;
}
const struct task_row grants_task = {task_name, run};
