/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Routes that look at many reports at once: codebooks, overview, totals, the list. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "codec/json.h"
#include "domain/report/report_int.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/ledger/ledger.h"
#include "store/store.h"
#include "tbl/codebook/codebook.h"

enum { LIMIT_USUAL = 50, STEP = 240 * 1024 };

void report_limit(const struct call *c, struct index_filter *f)
{
	f->own = !call_may(c, PERM_REPORT_READ_ALL);
	f->owner = c->who->agency;
}

int report_filter(const struct call *c, struct index_filter *f, struct diag *reterr)
{
	static const char *const names[] = { "from", "to", "route", "country", "cause", "means", "status" };
	*f = (struct index_filter){ 0 };
	report_limit(c, f);
	int r = 0;
	for (size_t i = 0; r == 0 && i < sizeof(names) / sizeof(*names); i++)
		r = filter_set(f, names[i], call_query(c, names[i]), reterr);
	return r;
}

int report_note_reading(struct call *c, int event, const struct uuid *ids, size_t n, struct diag *reterr)
{
	struct ledger_note note = { .event = event, .subjects = ids, .nsubjects = n };
	return n == 0 ? 0 : call_ledger(c, &note, reterr);
}

/* ---- codebooks ---- */

static void put_codebook(struct jw *w, int book, const char *lang)
{
	const struct codebook *b = &codebooks[book];
	jw_object(w);
	jw_put_string(w, "name", b->name);
	jw_put_string(w, "version", b->version);
	jw_name(w, "values");
	jw_array(w);
	for (size_t i = 0; i < b->n; i++) {
		const struct codebook_value *v = &b->values[i];
		jw_object(w);
		jw_put_string(w, "code", v->code);
		jw_put_string(w, "label", codebook_label(book, (int)i, lang));
		if (v->parent[0] != '\0')
			jw_put_string(w, "parent", v->parent);
		if (v->note[0] != '\0')
			jw_put_string(w, "note", v->note);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
}

int report_list_codebooks(struct call *c, struct reply *r, struct diag *reterr)
{
	const char *lang = call_query(c, "lang");
	struct jw w;
	(void)reterr;
	jw_init(&w, &r->body);
	jw_object(&w);
	jw_name(&w, "codebooks");
	jw_array(&w);
	for (int i = 0; i < CB_COUNT; i++)
		put_codebook(&w, i, lang != NULL && lang[0] != '\0' ? lang : c->lang);
	jw_end(&w);
	jw_end(&w);
	return 0;
}

/* ---- the overview ---- */

/* The ids of the personal reports one sees, from ${mem}. */
static int personal_ids(const struct report_index *x, const struct index_filter *f, struct arena *mem,
			const struct uuid **ret, size_t *ret_n)
{
	size_t n = 0, all = index_count(x);
	struct uuid *ids = arena_array(mem, all > 0 ? all : 1, sizeof(*ids));
	if (ids == NULL)
		return -ENOMEM;
	for (size_t row = 0; row < all; row++) {
		struct index_entry e;
		index_get(x, row, &e);
		if (e.personal && index_match(x, row, f))
			ids[n++] = e.id;
	}
	*ret = ids;
	*ret_n = n;
	return 0;
}

/* A text given out in steps; it is this answer's own, since the index goes on meanwhile. */
struct steps {
	size_t at, n;
	char text[];
};

static int more_steps(struct worker *w, struct store *db, void *arg, struct buf *out, struct diag *reterr)
{
	struct steps *s = arg;
	size_t n = s->n - s->at < STEP ? s->n - s->at : STEP;
	(void)w;
	(void)db;
	(void)reterr;
	buf_put(out, s->text + s->at, n);
	s->at += n;
	return s->at < s->n;
}

static int give_in_steps(struct reply *r, const struct buf *text)
{
	struct steps *s = mem_alloc(sizeof(*s) + text->len);
	if (s == NULL)
		return -ENOMEM;
	*s = (struct steps){ .n = text->len };
	memcpy(s->text, text->data, text->len);
	r->more = more_steps;
	r->more_arg = s;
	return 0;
}

int report_see_overview(struct call *c, struct reply *r, struct diag *reterr)
{
	struct report *rp = report_of(c->worker);
	struct index_filter f = { 0 };
	const struct uuid *ids;
	size_t n;
	report_limit(c, &f);
	int e = index_ready(rp->index, c->db, reterr);
	if (e == 0)
		e = personal_ids(rp->index, &f, c->mem, &ids, &n);
	if (e == 0)
		e = report_note_reading(c, LEDGER_EV_INCIDENT_LIST, ids, n, reterr);
	if (e == 0 && (f.own || rp->overview_version != index_version(rp->index))) {
		rp->overview_version = 0;
		buf_clear(&rp->overview);
		e = index_overview(rp->index, &f, &rp->overview);
		rp->overview_version = e == 0 && !f.own ? index_version(rp->index) : 0;
	}
	return e == 0 ? give_in_steps(r, &rp->overview) : e;
}

/* ---- totals ---- */

static void put_total(struct jw *w, size_t measure, const struct index_total *t)
{
	const char *name = blocks[B_COUNTS].fields[measure].name;
	jw_object(w);
	jw_put_string(w, "measure", name);
	jw_put_string(w, "unit", "persons");
	jw_put_i64(w, "sum", t->sum);
	jw_put_i64(w, "counted", (int64_t)t->counted);
	jw_put_i64(w, "unknown", (int64_t)t->unknown);
	jw_put_i64(w, "not_collected", (int64_t)t->not_collected);
	jw_put_i64(w, "withheld", (int64_t)t->withheld);
	jw_end(w);
}

int report_see_summary(struct call *c, struct reply *r, struct diag *reterr)
{
	struct report *rp = report_of(c->worker);
	struct index_filter f;
	struct index_total totals[COUNTS_MEASURES];
	uint64_t n, excluded;
	struct jw w;
	int e = report_filter(c, &f, reterr);
	if (e == 0)
		e = index_ready(rp->index, c->db, reterr);
	if (e != 0)
		return e;
	index_totals(rp->index, &f, totals, &n, &excluded);
	jw_init(&w, &r->body);
	jw_object(&w);
	jw_put_i64(&w, "incidents", (int64_t)n);
	jw_put_i64(&w, "excluded", (int64_t)excluded);
	jw_name(&w, "totals");
	jw_array(&w);
	for (size_t m = 0; m < COUNTS_MEASURES; m++)
		put_total(&w, m, &totals[m]);
	jw_end(&w);
	jw_end(&w);
	return 0;
}

/* ---- the list ---- */

static void put_count(struct jw *w, const char *name, int32_t v)
{
	jw_name(w, name);
	if (v >= COUNT_LEAST)
		jw_i64(w, v);
	else
		jw_string(w, v == COUNT_UNKNOWN ? "unknown" : v == COUNT_WITHHELD ? "withheld" : "not_collected");
}

static void put_code(struct jw *w, const char *name, int book, int v)
{
	if (v >= 0)
		jw_put_string(w, name, codebook_code(book, v));
}

/* What the list shows of a report and the index does not hold. */
static int put_row_texts(struct call *c, const struct index_entry *e, struct jw *w, struct diag *reterr)
{
	const struct store_value key[] = { sv_uuid(&e->owner), sv_uuid(&e->id), sv_int(e->version) };
	struct store_rows *rows = NULL;
	int r = store_one(c->db, SQL_REPORT_ROW_GET, key, 3, &rows, reterr);
	if (r == 0) {
		struct date from = date_unpack(store_is_null(rows, 4) ? CELL_NONE : store_int(rows, 4));
		const char *place = store_text(rows, 2, c->mem);
		jw_put_string(w, "number", store_text(rows, 0, c->mem));
		jw_put_date(w, "from", from);
		jw_put_string(w, "type", store_text(rows, 1, c->mem));
		if (place != NULL) {
			jw_name(w, "place");
			jw_stringn(w, place, strlen(place) > 400 ? utf8_cut(place, 400) : strlen(place));
		}
		if (store_int(rows, 3) > 0)
			jw_put_i64(w, "doubts", store_int(rows, 3));
	}
	store_rows_close(rows);
	return r;
}

static int put_row(struct call *c, const struct index_entry *e, struct jw *w, struct diag *reterr)
{
	jw_object(w);
	jw_put_uuid(w, "id", &e->id);
	jw_put_i64(w, "version", e->version);
	if (e->synthetic)
		jw_put_bool(w, "synthetic", true);
	jw_put_string(w, "status", codebook_code(CB_STATUS, e->status));
	int r = put_row_texts(c, e, w, reterr);
	put_code(w, "country", CB_COUNTRY, e->country);
	put_code(w, "route", CB_ROUTE, e->route);
	put_code(w, "cause", CB_CAUSE, e->cause);
	put_code(w, "means", CB_MEANS, e->meansof);
	if (e->lat != INT32_MIN) {
		jw_put_f64(w, "lat", e->lat / 10000.0);
		jw_put_f64(w, "lon", e->lon / 10000.0);
	}
	put_code(w, "precision", CB_PRECISION, e->position - 1);
	put_count(w, "dead", e->count[COUNTS_DEAD]);
	put_count(w, "missing", e->count[COUNTS_MISSING]);
	put_count(w, "survivors", e->count[COUNTS_SURVIVORS]);
	put_count(w, "persons", e->count[COUNTS_PERSONS]);
	jw_end(w);
	return r;
}

static int put_page(struct call *c, const struct index_page *page, struct jw *w, struct diag *reterr)
{
	struct report *rp = report_of(c->worker);
	struct uuid personal[PAGE_MAX];
	size_t n = 0;
	int r = 0;
	jw_object(w);
	jw_name(w, "incidents");
	jw_array(w);
	for (size_t i = 0; r == 0 && i < page->n; i++) {
		struct index_entry e;
		index_get(rp->index, page->row[i], &e);
		if (e.personal)
			personal[n++] = e.id;
		r = put_row(c, &e, w, reterr);
	}
	if (r != 0)
		return r;
	jw_end(w);
	if (page->more)
		jw_put_string(w, "next", page->mark);
	jw_put_i64(w, "total", (int64_t)page->total);
	jw_put_i64(w, "excluded", (int64_t)page->excluded);
	jw_end(w);
	return report_note_reading(c, LEDGER_EV_INCIDENT_LIST, personal, n, reterr);
}

int report_list_incidents(struct call *c, struct reply *r, struct diag *reterr)
{
	struct report *rp = report_of(c->worker);
	struct index_filter f;
	struct index_page page;
	struct jw w;
	const char *limit = call_query(c, "limit");
	int sort = index_sort_of(call_query(c, "sort"));
	if (sort < 0) {
		diag_place(reterr, "sort");
		return diag_set(reterr, FW_EINVALID, "Expected date, -date, dead, -dead, missing or -missing.");
	}
	int e = report_filter(c, &f, reterr);
	if (e == 0)
		e = index_ready(rp->index, c->db, reterr);
	if (e == 0)
		e = index_page(rp->index, &f, sort, call_query(c, "after"), limit != NULL ? strtoul(limit, NULL, 10) : LIMIT_USUAL,
			       &page, reterr);
	if (e != 0)
		return e;
	jw_init(&w, &r->body);
	return put_page(c, &page, &w, reterr);
}
