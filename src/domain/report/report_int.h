/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the files of the workspace share; report.h is its face. */
#ifndef FW_REPORT_INT_H
#define FW_REPORT_INT_H

#include "base/buf.h"
#include "domain/report/report.h"
#include "domain/report/report_index.h"
#include "domain/report/report_store.h"

struct jw;
struct store_rows;

/* Kept with the worker under "report"; process lifetime. */
struct report {
	struct worker *w;
	struct report_index *index;
	struct buf overview;       /* the last overview of everybody */
	uint64_t overview_version; /* of the index it was made of; 0 none */
	struct import_run *run;    /* the import under way; NULL for none */
	unsigned no_reader;        /* times that none could be started, one after another */
};
struct report *report_of(struct worker *w);

/* ---- routes, by file ---- */

/* report_routes.c */
call_fn report_list_codebooks, report_see_overview, report_see_summary, report_list_incidents;
/* report_incident.c */
call_fn report_see_incident, report_write_incident, report_correct_incident, report_refer_person, report_list_handed_over;
/* report_erase.c */
call_fn report_erase_incident;
/* report_export.c */
call_fn report_export_incidents;
/* report_import_routes.c */
call_fn report_list_imports, report_start_import, report_see_import, report_cancel_import, report_see_refused;

/* Whether the account may see every agency's reports, else the filter is its own agency. */
void report_limit(const struct call *c, struct index_filter *f);
/* All filters that the request names. */
int report_filter(const struct call *c, struct index_filter *f, struct diag *reterr);
/* The newest version of a report that the account may see, by its id in the address; FW_ENOTFOUND. */
int report_find(struct call *c, struct index_entry *ret, struct diag *reterr);
/* One ledger entry for the request with the ids of those records that are personal; none if there are none. */
int report_note_reading(struct call *c, int event, const struct uuid *ids, size_t n, struct diag *reterr);
/* The object Incident of a version, into ${w} where a value belongs. */
int report_put_incident(struct call *c, const struct index_entry *e, int64_t version, struct jw *w, bool *ret_personal,
			struct diag *reterr);
/* Who is to be named whenever the report is shown; static, "" for nobody. */
const char *report_attribution(const struct incident *inc);
/* What stands beside the report, into the object that is open in ${w}. */
void report_put_head(struct jw *w, const struct report_head *h, const struct incident *inc);

/* ---- import ---- */

/* A row of report_import. Texts live in the arena it was read into. */
struct import_row {
	struct uuid id, owner, account, session;
	const char *file, *wanted, *layout, *state, *spool, *words;
	int64_t size, size_read, rows_done, added, changed, same, refused, flagged, started, ended; /* ended 0: not yet */
	const uint8_t *header;
	size_t header_len;
};
void import_get(const struct store_rows *rows, struct import_row *ret, struct arena *a);
/* The import ${id} was ended from outside: stop reading if it is the one under way; take its file away. */
void import_stopped(struct worker *w, const struct uuid *id, const char *spool);
/* Path of a file in the spool; false if it does not fit. */
bool import_path(const struct worker *w, const char *spool, char *out, size_t cap);
/* What holds an import up just now, in words; NULL for nothing. */
const char *import_waits(struct worker *w, const struct uuid *id);
/* Refused rows of imports that ended before this are gone. */
usec_t import_kept_since(const struct worker *w);
int import_start(struct report *rp, struct diag *reterr);
void import_end(struct report *rp);

#endif
