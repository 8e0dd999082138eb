/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What an import leaves behind goes when its time is over: the refused rows as
 * they were handed in, and what was said of rows, both of which may speak of
 * persons.  The import itself stays, with its counts.  Some thousand rows go
 * in each transaction, so that nobody waits.
 */
#include "base/err.h"
#include "domain/report/report_int.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/ledger/ledger.h"
#include "node/process/child.h"
#include "store/store.h"

enum { ROWS_AT_ONCE = 5000, DAYS_USUAL = 30, EVERY_MINUTES = 60, RETRY_SECONDS = 60 };

usec_t import_kept_since(const struct worker *w)
{
	return time_now() - child_setting_int(worker_boot(w), "import.keep_days", DAYS_USUAL) * USEC_PER_DAY;
}

static int expire_some(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	const struct store_value since[] = { sv_int(import_kept_since(w)) };
	struct store_rows *rows = NULL;
	struct uuid id;
	int64_t gone = 0;
	bool *more = arg;
	*more = false;
	int r = store_one(db, SQL_REPORT_KEEP_NEXT, since, 1, &rows, NULL);
	if (r == 0)
		id = store_uuid(rows, 0);
	store_rows_close(rows);
	if (r != 0)
		return r == FW_ENOTFOUND ? 0 : r;
	const struct store_value refused[] = { sv_uuid(&id), sv_int(ROWS_AT_ONCE) };
	struct ledger_note note = { .event = LEDGER_EV_IMPORT_EXPIRE, .subjects = &id, .nsubjects = 1 };
	r = store_exec(db, SQL_REPORT_KEEP_REFUSED, refused, 2, &gone, reterr);
	if (r == 0)
		r = store_exec(db, SQL_REPORT_KEEP_PROBLEMS, refused, 1, NULL, reterr);
	*more = true;
	return r == 0 && gone < ROWS_AT_ONCE ? worker_ledger_note(w, db, &note, reterr) : r;
}

static usec_t keep(struct worker *w)
{
	bool more = false;
	int r = worker_tx(w, expire_some, &more, NULL);
	if (r != 0)
		return time_mono() + RETRY_SECONDS * USEC_PER_SEC;
	return more ? 0 : time_mono() + EVERY_MINUTES * 60 * USEC_PER_SEC;
}

const struct task_row report_keep_task = { "report_keep", keep };
