/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "domain/report/report.h"

#include <errno.h>

#include "base/arena.h"
#include "base/err.h"
#include "domain/report/report_int.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "store/store.h"
#include "tbl/codebook/codebook.h"

enum { OVERVIEW_BYTES = 64 << 20 };

const struct call_row report_calls[] = {
	{ OP_LIST_CODEBOOKS, report_list_codebooks },
	{ OP_SEE_OVERVIEW, report_see_overview },
	{ OP_SEE_SUMMARY, report_see_summary },
	{ OP_LIST_INCIDENTS, report_list_incidents },
	{ OP_WRITE_INCIDENT, report_write_incident },
	{ OP_SEE_INCIDENT, report_see_incident },
	{ OP_CORRECT_INCIDENT, report_correct_incident },
	{ OP_ERASE_INCIDENT, report_erase_incident },
	{ OP_REFER_PERSON, report_refer_person },
	{ OP_LIST_HANDED_OVER, report_list_handed_over },
	{ OP_EXPORT_INCIDENTS, report_export_incidents },
	{ OP_LIST_IMPORTS, report_list_imports },
	{ OP_START_IMPORT, report_start_import },
	{ OP_SEE_IMPORT, report_see_import },
	{ OP_CANCEL_IMPORT, report_cancel_import },
	{ OP_SEE_REFUSED, report_see_refused },
	{ -1, NULL },
};

struct report *report_of(struct worker *w)
{
	return worker_get(w, "report");
}

/* Which codebooks are in use here, from when. */
static int note_codebooks(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	int r = 0;
	(void)w;
	(void)arg;
	for (int i = 0; r == 0 && i < CB_COUNT; i++) {
		const struct store_value v[] = { sv_text(codebooks[i].name), sv_text(codebooks[i].version), sv_int(time_now()) };
		struct store_rows *rows = NULL;
		r = store_one(db, SQL_REPORT_CODEBOOK_HAS, v, 2, &rows, reterr);
		store_rows_close(rows);
		if (r == FW_ENOTFOUND)
			r = store_exec(db, SQL_REPORT_CODEBOOK_ADD, v, 3, NULL, reterr);
	}
	return r;
}

static int fill_index(struct report *rp, struct diag *reterr)
{
	struct store *db = worker_store(rp->w);
	int r = store_begin(db, STORE_READ, reterr);
	if (r != 0)
		return r;
	r = index_ready(rp->index, db, reterr);
	store_rollback(db);
	return r;
}

int report_start(struct worker *w, struct diag *reterr)
{
	struct report *rp = mem_alloc(sizeof(*rp));
	if (rp == NULL)
		return -ENOMEM;
	*rp = (struct report){ .w = w };
	buf_init(&rp->overview, OVERVIEW_BYTES);
	int r = index_new(&rp->index);
	worker_set(w, "report", rp);
	if (r == 0)
		r = worker_tx(w, note_codebooks, NULL, reterr);
	if (r == 0)
		r = fill_index(rp, reterr);
	return r == 0 ? import_start(rp, reterr) : r;
}

void report_end(struct worker *w)
{
	struct report *rp = report_of(w);
	if (rp == NULL)
		return;
	import_end(rp);
	index_free(rp->index);
	buf_release(&rp->overview);
	mem_free(rp);
	worker_set(w, "report", NULL);
}
