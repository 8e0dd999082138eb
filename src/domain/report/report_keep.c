/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What imports leave behind, and how long: refused rows and the first
 * problems are words of a file, about people perhaps, and go import.keep_days
 * after the import ended.  Its counters and its ledger entries stay.
 */
#include "base/err.h"
#include "domain/report/report_int.h"
#include "gen/sql.h"
#include "node/process/child.h"
#include "store/store.h"

enum { DAYS_USUAL = 30, AGAIN_HOURS = 1 };

/* A piece of the oldest import that has something to let go; *arg: whether there was one. */
static int let_go(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	bool *more = arg;
	struct store_rows *rows = NULL;
	usec_t days = child_setting_int(worker_boot(w), "import.keep_days", DAYS_USUAL);
	const struct store_value before[] = { sv_int(time_now() - days * 86400 * USEC_PER_SEC) };
	struct uuid import = { { 0 } };
	int r = store_one(db, SQL_REPORT_IMPORT_OUTLIVED, before, 1, &rows, reterr);
	*more = r == 0;
	if (r == 0)
		import = store_uuid(rows, 0);
	store_rows_close(rows);
	const struct store_value key[] = { sv_uuid(&import) };
	if (r == 0)
		r = store_exec(db, SQL_REPORT_PROBLEM_DELETE, key, 1, NULL, reterr);
	if (r == 0)
		r = store_exec(db, SQL_REPORT_REFUSED_DELETE, key, 1, NULL, reterr);
	return r == FW_ENOTFOUND ? 0 : r;
}

static usec_t keep_run(struct worker *w)
{
	bool more = false;
	int r = worker_tx(w, let_go, &more, NULL);
	return r == 0 && more ? 0 : time_mono() + AGAIN_HOURS * 3600 * USEC_PER_SEC;
}

const struct task_row report_keep_task = { "report_keep", keep_run };
