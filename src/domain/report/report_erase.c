/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "domain/report/report_erase.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "domain/report/report_int.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/backup/erasures.h"
#include "node/ledger/ledger.h"
#include "store/store.h"

const char report_erasure_kind[] = "report.incident";

/* Before the report's own row, which they refer to. */
static const int16_t parts[] = {
	SQL_REPORT_ERASE_PROBLEM,
	SQL_REPORT_ERASE_COUNTS, SQL_REPORT_ERASE_DETAIL, SQL_REPORT_ERASE_PROV, SQL_REPORT_ERASE_LEG,
	SQL_REPORT_ERASE_ORIGIN, SQL_REPORT_ERASE_PEOPLE, SQL_REPORT_ERASE_CAUSE,
	SQL_REPORT_ERASE_ABUSE, SQL_REPORT_ERASE_MEANS, SQL_REPORT_ERASE_FACILITATOR,
	SQL_REPORT_ERASE_DOCUMENT, SQL_REPORT_ERASE_FEE, SQL_REPORT_ERASE_MEASURE,
	SQL_REPORT_ERASE_REFERRED, SQL_REPORT_ERASE_RELEASE, SQL_REPORT_ERASE_SOURCE,
	SQL_REPORT_ERASE_LINK, SQL_REPORT_ERASE_FURTHER_ID, SQL_REPORT_ERASE_DOUBT,
	SQL_REPORT_ERASE_STEP,
};

int report_erase(struct store *db, const struct uuid *owner, const struct uuid *id, usec_t at, const struct uuid *account,
		 const char *reason, struct diag *reterr)
{
	const struct store_value v[] = { sv_uuid(owner), sv_uuid(id), sv_int(at), sv_uuid(account), sv_text(reason) };
	int64_t gone = 0;
	int r = 0;
	for (size_t i = 0; r == 0 && i < sizeof(parts) / sizeof(*parts); i++)
		r = store_exec(db, parts[i], v, 2, NULL, reterr);
	if (r == 0)
		r = store_exec(db, SQL_REPORT_ERASE_INCIDENT, v, 2, &gone, reterr);
	if (r == 0 && gone == 0)
		return FW_ENOTFOUND;
	return r == 0 ? store_exec(db, SQL_REPORT_ERASED_ADD, v, 5, NULL, reterr) : r;
}

int report_erased(struct store *db, const struct uuid *owner, const struct uuid *id, struct diag *reterr)
{
	const struct store_value v[] = { sv_uuid(owner), sv_uuid(id) };
	struct store_rows *rows = NULL;
	int r = store_one(db, SQL_REPORT_ERASED_HAS, v, 2, &rows, reterr);
	store_rows_close(rows);
	return r;
}

/* ---- the route ---- */

static void forget(struct worker *w, void *unused)
{
	(void)unused;
	index_stale(report_of(w)->index);
}

/* The journal first: what it does not name would come back with a backup. */
static int note_in_journal(struct call *c, const struct index_entry *e, usec_t at, struct diag *reterr)
{
	char path[4200];
	struct erasure line = { .at = at, .id = { e->owner, e->id } };
	const char *folder = worker_boot(c->worker)->folder;
	int n = folder != NULL ? snprintf(path, sizeof(path), "%s/%s", folder, ERASURES_FILE) : -1;
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	(void)snprintf(line.kind, sizeof(line.kind), "%s", report_erasure_kind);
	return erasures_append(path, worker_key(c->worker), &line, reterr);
}

int report_erase_incident(struct call *c, struct reply *reply, struct diag *reterr)
{
	struct uuid id;
	struct index_entry e;
	const char *reason = json_string_value(json_object_get(c->body, "reason"));
	usec_t now = time_now();
	int r = index_ready(report_of(c->worker)->index, c->db, reterr);
	if (r != 0)
		return r;
	/* A custodian reads no reports, so nothing of it is limited to an agency: the id is all that is needed and all that is told. */
	if (uuid_parse(c->param[0], &id) < 0 || !index_find(report_of(c->worker)->index, &id, &e))
		return diag_set(reterr, FW_ENOTFOUND, "There is no report of this id.");
	r = note_in_journal(c, &e, now, reterr);
	if (r == 0)
		r = report_erase(c->db, &e.owner, &e.id, now, &c->who->account, reason, reterr);
	if (r == FW_ENOTFOUND)
		return diag_set(reterr, r, "There is no report of this id.");
	struct ledger_note note = { .event = LEDGER_EV_INCIDENT_ERASE, .subjects = &e.id, .nsubjects = 1 };
	if (r == 0)
		r = call_ledger(c, &note, reterr);
	if (r == 0)
		r = call_after_commit(c, forget, NULL);
	reply->status = 204;
	return r;
}
