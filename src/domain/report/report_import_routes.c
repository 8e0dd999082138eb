/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Routes of imports: hand a file in, see how it goes, stop it, take the refused rows back. */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "codec/csv.h"
#include "codec/json.h"
#include "domain/report/report_int.h"
#include "domain/report/report_reader.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/ledger/ledger.h"
#include "store/store.h"

enum {
	WAITING_MAX = 20, /* imports of an agency that are not over */
	REFUSED_PAGE = 200,
	REFUSED_STEP = 240 * 1024,
};

/* Layouts that may be asked for; report_read() recognises the same. */
static const char *const layouts[] = { "fairway", "mmp_1", "mmp_2", "mmp_web", "mmp_2019" };

static bool sees(const struct call *c, const struct uuid *owner)
{
	return call_may(c, PERM_REPORT_READ_ALL) || uuid_equal(owner, &c->who->agency);
}

/* The import that the address names, as its agency or the focal point may see it. */
static int find_import(struct call *c, struct import_row *ret, struct diag *reterr)
{
	struct uuid id;
	struct store_rows *rows = NULL;
	int r = uuid_parse(c->param[0], &id) < 0 ? FW_ENOTFOUND : 0;
	const struct store_value v[] = { sv_uuid(&id) };
	if (r == 0)
		r = store_one(c->db, SQL_REPORT_IMPORT_GET, v, 1, &rows, reterr);
	if (r == 0)
		import_get(rows, ret, c->mem);
	store_rows_close(rows);
	if (r == 0 && arena_failed(c->mem))
		return -ENOMEM;
	if (r == FW_ENOTFOUND || (r == 0 && !sees(c, &ret->owner)))
		return diag_set(reterr, FW_ENOTFOUND, "There is no import of this id that you may see.");
	return r;
}

/* ---- as JSON ---- */

static int put_problems(struct call *c, const struct uuid *import, struct jw *w, struct diag *reterr)
{
	const struct store_value v[] = { sv_uuid(import) };
	struct store_rows *rows = NULL;
	int r = store_query(c->db, SQL_REPORT_PROBLEM_LIST, v, 1, &rows, reterr), more = 0;
	while (r == 0 && (more = store_next(rows, reterr)) == 1) {
		jw_object(w);
		jw_put_i64(w, "row", store_int(rows, 0));
		jw_put_string(w, "column", store_text(rows, 1, c->mem));
		jw_put_string(w, "text", store_text(rows, 2, c->mem));
		jw_put_bool(w, "stops", store_int(rows, 3) != 0);
		jw_end(w);
	}
	store_rows_close(rows);
	return r < 0 ? r : more;
}

static int put_import(struct call *c, const struct import_row *i, bool problems, struct jw *w, struct diag *reterr)
{
	const char *waits = import_waits(c->worker, &i->id), *words = waits != NULL ? waits : i->words;
	int r = 0;
	jw_object(w);
	jw_put_uuid(w, "id", &i->id);
	jw_put_string(w, "file", i->file);
	if (i->layout[0] != '\0')
		jw_put_string(w, "layout", i->layout);
	jw_put_string(w, "state", i->state);
	jw_put_i64(w, "bytes", i->size);
	jw_put_i64(w, "bytes_read", i->size_read);
	jw_put_i64(w, "rows", i->added + i->changed + i->same + i->refused);
	jw_put_i64(w, "added", i->added);
	jw_put_i64(w, "changed", i->changed);
	jw_put_i64(w, "same", i->same);
	jw_put_i64(w, "refused", i->refused);
	jw_put_i64(w, "flagged", i->flagged);
	jw_put_time(w, "started", i->started);
	if (i->ended != 0)
		jw_put_time(w, "ended", i->ended);
	if (words[0] != '\0')
		jw_put_string(w, "message", words);
	jw_name(w, "problems");
	jw_array(w);
	if (problems)
		r = put_problems(c, &i->id, w, reterr);
	jw_end(w);
	jw_end(w);
	return r;
}

static int answer_import(struct call *c, struct reply *reply, const struct uuid *id, struct diag *reterr)
{
	const struct store_value v[] = { sv_uuid(id) };
	struct store_rows *rows = NULL;
	struct import_row row;
	struct jw w;
	int r = store_one(c->db, SQL_REPORT_IMPORT_GET, v, 1, &rows, reterr);
	if (r == 0)
		import_get(rows, &row, c->mem);
	store_rows_close(rows);
	if (r != 0 || arena_failed(c->mem))
		return r != 0 ? r : -ENOMEM;
	jw_init(&w, &reply->body);
	return put_import(c, &row, true, &w, reterr);
}

int report_list_imports(struct call *c, struct reply *reply, struct diag *reterr)
{
	const struct store_value v[] = { sv_uuid(&c->who->agency), sv_int(call_may(c, PERM_REPORT_READ_ALL)) };
	struct store_rows *rows = NULL;
	struct jw w;
	jw_init(&w, &reply->body);
	jw_object(&w);
	jw_name(&w, "imports");
	jw_array(&w);
	int r = store_query(c->db, SQL_REPORT_IMPORT_LIST, v, 2, &rows, reterr), more = 0;
	while (r == 0 && (more = store_next(rows, reterr)) == 1) {
		struct import_row row;
		import_get(rows, &row, c->mem);
		r = arena_failed(c->mem) ? -ENOMEM : put_import(c, &row, false, &w, reterr);
	}
	store_rows_close(rows);
	jw_end(&w);
	jw_end(&w);
	return r < 0 ? r : more;
}

int report_see_import(struct call *c, struct reply *reply, struct diag *reterr)
{
	struct import_row row;
	struct jw w;
	int r = find_import(c, &row, reterr);
	jw_init(&w, &reply->body);
	return r == 0 ? put_import(c, &row, true, &w, reterr) : r;
}

/* ---- beginning ---- */

static int check_wish(struct call *c, const char **ret_layout, struct diag *reterr)
{
	const char *layout = call_query(c, "layout"), *file = call_query(c, "file");
	*ret_layout = layout != NULL ? layout : "";
	for (const char *p = file; *p != '\0'; p++)
		if ((unsigned char)*p < ' ') {
			diag_place(reterr, "file");
			return diag_set(reterr, FW_EINVALID, "Expected a file name without control characters.");
		}
	if (**ret_layout == '\0')
		return 0;
	for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++)
		if (strcmp(layouts[i], layout) == 0)
			return 0;
	diag_place(reterr, "layout");
	return diag_set(reterr, FW_EINVALID, "Expected one of fairway, mmp_1, mmp_2, mmp_web, mmp_2019, or none to have it recognised.");
}

static int check_waiting(struct call *c, struct diag *reterr)
{
	const struct store_value v[] = { sv_uuid(&c->who->agency) };
	struct store_rows *rows = NULL;
	int r = store_one(c->db, SQL_REPORT_IMPORT_WAITING, v, 1, &rows, reterr);
	bool many = r == 0 && store_int(rows, 0) >= WAITING_MAX;
	store_rows_close(rows);
	return many ? diag_set(reterr, FW_EBUSY, "%d files of your agency wait to be imported; wait until one of them is done.", WAITING_MAX) : r;
}

static void wake(struct worker *w, void *unused)
{
	(void)unused;
	worker_wake(w, report_import_task.name);
}

int report_start_import(struct call *c, struct reply *reply, struct diag *reterr)
{
	const char *layout, *spool = strrchr(c->upload, '/');
	struct uuid id = uuid_new();
	struct ledger_note note = { .event = LEDGER_EV_IMPORT_BEGIN, .subjects = &id, .nsubjects = 1 };
	int r = check_wish(c, &layout, reterr);
	if (r == 0 && c->upload_size == 0)
		r = diag_set(reterr, FW_EINVALID, "The file is empty.");
	if (r == 0)
		r = check_waiting(c, reterr);
	const struct store_value v[] = {
		sv_uuid(&id), sv_uuid(&c->who->agency), sv_uuid(&c->who->account), sv_uuid(&c->who->session),
		sv_text(call_query(c, "file")), sv_text(layout), sv_text(spool != NULL ? spool + 1 : c->upload),
		sv_int((int64_t)c->upload_size), sv_int(time_now()), sv_text(""), sv_bytes("", 0),
	};
	if (r == 0)
		r = store_exec(c->db, SQL_REPORT_IMPORT_ADD, v, sizeof(v) / sizeof(*v), NULL, reterr);
	if (r == 0)
		r = call_ledger(c, &note, reterr);
	if (r == 0)
		r = call_after_commit(c, wake, NULL);
	reply->status = 202;
	return r == 0 ? answer_import(c, reply, &id, reterr) : r;
}

/* ---- stopping ---- */

struct stopped {
	struct uuid id;
	const char *spool;
};

static void stop(struct worker *w, void *arg)
{
	const struct stopped *s = arg;
	import_stopped(w, &s->id, s->spool);
}

int report_cancel_import(struct call *c, struct reply *reply, struct diag *reterr)
{
	struct import_row row;
	int64_t changed = 0;
	struct stopped *s = arena_alloc(c->mem, sizeof(*s));
	int r = s == NULL ? -ENOMEM : find_import(c, &row, reterr);
	if (r != 0)
		return r;
	*s = (struct stopped){ row.id, row.spool };
	const char *words = arena_printf(c->mem, "Stopped by a person. What was written before stays: %lld added, %lld changed.",
					 (long long)row.added, (long long)row.changed);
	const struct store_value v[] = { sv_uuid(&row.id), sv_text("cancelled"), sv_int(time_now()), sv_text(words), sv_text("") };
	struct ledger_note note = { .event = LEDGER_EV_IMPORT_CANCEL, .subjects = &row.id, .nsubjects = 1 };
	r = words == NULL ? -ENOMEM : store_exec(c->db, SQL_REPORT_IMPORT_END, v, 5, &changed, reterr);
	if (r == 0 && changed == 0)
		return diag_set(reterr, FW_ECONFLICT, "This import has ended already: %s.", row.state);
	if (r == 0)
		r = call_ledger(c, &note, reterr);
	if (r == 0)
		r = call_after_commit(c, stop, s);
	return r == 0 ? answer_import(c, reply, &row.id, reterr) : r;
}

/* ---- the refused rows ---- */

struct refused {
	struct uuid import;
	int64_t after; /* the last row given out */
	bool begun;
	size_t nheader;
	char header[];
};

/* The original is a line of CSV already, safe to open (report_reader.c). */
static void put_refused(const struct store_rows *rows, struct buf *out)
{
	size_t nfield, nreason, n;
	const char *field = (const char *)store_bytes(rows, 1, &nfield), *reason = (const char *)store_bytes(rows, 2, &nreason);
	const char *original = (const char *)store_bytes(rows, 3, &n);
	buf_printf(out, "%lld,", (long long)store_int(rows, 0));
	csv_put(out, field, nfield, ',', true);
	buf_putc(out, ',');
	csv_put(out, reason, nreason, ',', true);
	buf_putc(out, ',');
	buf_put(out, original, n);
	buf_puts(out, "\r\n");
}

static int more_refused(struct worker *w, struct store *db, void *arg, struct buf *out, struct diag *reterr)
{
	struct refused *f = arg;
	int more = 1;
	(void)w;
	if (!f->begun) {
		buf_puts(out, "fairway_row,fairway_column,fairway_reason,");
		buf_put(out, f->header, f->nheader);
		buf_puts(out, "\r\n");
		f->begun = true;
	}
	while (more == 1 && out->len < REFUSED_STEP) {
		const struct store_value v[] = { sv_uuid(&f->import), sv_int(f->after), sv_int(REFUSED_PAGE) };
		struct store_rows *rows = NULL;
		int n = 0, r = store_query(db, SQL_REPORT_REFUSED_PAGE, v, 3, &rows, reterr), next = 0;
		while (r == 0 && out->len < REFUSED_STEP && (next = store_next(rows, reterr)) == 1) {
			put_refused(rows, out);
			f->after = store_int(rows, 0);
			n++;
		}
		store_rows_close(rows);
		if (r < 0 || next < 0)
			return r < 0 ? r : next;
		more = next == 1 || n == REFUSED_PAGE;
	}
	return more;
}

int report_see_refused(struct call *c, struct reply *reply, struct diag *reterr)
{
	struct import_row row;
	int r = find_import(c, &row, reterr);
	if (r != 0)
		return r;
	struct ledger_note note = { .event = LEDGER_EV_IMPORT_REFUSED_READ, .subjects = &row.id, .nsubjects = 1 };
	if (row.refused > 0 && row.ended != 0 && row.ended < import_kept_since(c->worker))
		return diag_set(reterr, FW_ENOTFOUND, "Refused rows are kept for the days that import.keep_days says; these are gone.");
	bool lines = strcmp(row.layout, "fairway") == 0 || row.header_len == 0;
	const char *header = lines ? "line" : (const char *)row.header;
	size_t n = lines ? 4 : row.header_len;
	struct refused *f = mem_alloc(sizeof(*f) + n);
	if (f == NULL)
		return -ENOMEM;
	*f = (struct refused){ .import = row.id, .nheader = n };
	memcpy(f->header, header, n);
	reply->more = more_refused;
	reply->more_arg = f;
	reply->type = "text/csv; charset=utf-8";
	reply->filename = arena_printf(c->mem, "refused-%s.csv", c->param[0]);
	return call_ledger(c, &note, reterr);
}
