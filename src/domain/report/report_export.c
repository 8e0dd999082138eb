/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Reports leave as a file: CSV for spreadsheets, GeoJSON (RFC 7946) for maps,
 * JSON Lines with all that a report says, which this or another node reads
 * back in (layout "fairway").
 *
 * Which versions go out is settled when the request comes, and so is its entry
 * in the ledger with the purpose and all the ids, before the first byte
 * leaves.  The versions never change, so the file may take as long as its
 * reader likes.  Memory: 36 bytes a report, and one report at a time.
 *
 * CSV and GeoJSON have a line a report, with codes for values, and no free
 * text but the place.  A measure is a number or one of the words unknown,
 * not_collected, withheld: never a number that stands for a word.
 */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "codec/csv.h"
#include "codec/json.h"
#include "domain/report/report_int.h"
#include "domain/report/report_json.h"
#include "gen/tables.h"
#include "node/ledger/ledger.h"
#include "tbl/codebook/codebook.h"

enum {
	STEP = 240 * 1024,
	REPORT_MEM = 4 << 20,
	REPORT_BYTES = 2 << 20, /* one report as JSON */
	FLAT_BLOCKS = 1 << B_COUNTS | 1 << B_PROV | 1 << B_CAUSE | 1 << B_MEANS,
};

enum format { FORMAT_CSV, FORMAT_GEOJSON, FORMAT_JSONL };

static const struct {
	const char *name, *type, *suffix;
} formats[] = {
	[FORMAT_CSV] = { "csv", "text/csv; charset=utf-8", "csv" },
	[FORMAT_GEOJSON] = { "geojson", "application/geo+json", "geojson" },
	[FORMAT_JSONL] = { "jsonl", "application/x-ndjson", "jsonl" },
};

struct chosen {
	struct uuid owner, id;
	uint32_t version;
};

struct export {
	enum format format;
	size_t n, at, written;
	bool begun;
	struct chosen chosen[];
};

/* One report being written out. */
struct going {
	const struct report_head *head;
	const struct incident *inc;
	struct buf *out;
	struct jw *json; /* the object "properties" is open; NULL for CSV */
};

/* ---- the flat line: one table for its columns in both forms ---- */

static void put_text(struct going *g, const char *name, const char *s, size_t n)
{
	if (g->json == NULL) {
		csv_put(g->out, s, n, ',', true);
	} else if (n > 0) {
		jw_name(g->json, name);
		jw_stringn(g->json, s, n);
	}
}

static void put_number(struct going *g, const char *name, int64_t v)
{
	if (g->json == NULL)
		buf_printf(g->out, "%lld", (long long)v);
	else
		jw_put_i64(g->json, name, v);
}

static void put_cell(struct going *g, const char *name, enum block b, size_t i)
{
	const struct cell *c = &g->inc->at[b][i];
	const struct field *f = &blocks[b].fields[i];
	char text[DATE_TEXT_LEN + DEG_TEXT_LEN + 2];
	const char *s = "";
	if (f->kind == COUNT && (!cell_set(c) || c->i < COUNT_LEAST)) {
		s = !cell_set(c) ? "not_collected" : c->i == COUNT_UNKNOWN ? "unknown" : "withheld";
	} else if (!cell_set(c)) {
		s = "";
	} else if (f->kind == COUNT) {
		put_number(g, name, c->i);
		return;
	} else if (f->kind == TEXT) {
		put_text(g, name, c->s, (size_t)c->i);
		return;
	} else if (f->kind == CODE) {
		s = codebook_code(f->arg, (int)c->i);
	} else if (f->kind == ENUM) {
		s = choices[f->arg][c->i];
	} else if (f->kind == DATE) {
		date_format(date_unpack(c->i), text);
		s = text;
	} else if (f->kind == DEG) {
		text[deg_format(c->i, text)] = '\0';
		s = text;
	}
	put_text(g, name, s, strlen(s));
}

/* The codes of the rows of a block, joined by semicolons. */
static void put_codes(struct going *g, const char *name, enum block b, size_t field)
{
	char text[1024];
	size_t n = 0;
	for (size_t i = 0; i < g->inc->n[b]; i++) {
		const struct cell *c = &incident_row(g->inc, b, i)[field];
		const struct codebook_value *v = cell_set(c) ? &codebooks[blocks[b].fields[field].arg].values[c->i] : NULL;
		if (v == NULL || n + v->len + 1 > sizeof(text))
			continue; /* cannot be too long: a code has 24 bytes at most, a block 40 rows */
		if (n > 0)
			text[n++] = ';';
		memcpy(text + n, v->code, v->len);
		n += v->len;
	}
	put_text(g, name, text, n);
}

static void put_uuid(struct going *g, const char *name, const struct uuid *u)
{
	char text[UUID_TEXT_LEN + 1];
	uuid_format(u, text);
	put_text(g, name, text, UUID_TEXT_LEN);
}

static const struct {
	const char *name;
	uint8_t block;
	uint8_t field;
} cells[] = {
	{ "number", B_CORE, CORE_NUMBER },	 { "type", B_CORE, CORE_TYPE },
	{ "from", B_CORE, CORE_FROM_DAY },	 { "to", B_CORE, CORE_TO_DAY },
	{ "country", B_CORE, CORE_COUNTRY },	 { "region", B_CORE, CORE_REGION },
	{ "place", B_CORE, CORE_PLACE },	 { "lat", B_CORE, CORE_LAT },
	{ "lon", B_CORE, CORE_LON },		 { "precision", B_CORE, CORE_POSITION },
	{ "route", B_CORE, CORE_ROUTE },	 { "facilitation", B_CORE, CORE_FACILITATION },
	{ "counts_are", B_COUNTS, COUNTS_COUNTS_ARE },
	{ "source_system", B_PROV, PROV_SYSTEM }, { "source_id", B_PROV, PROV_SOURCE_ID },
};
enum { CELLS = sizeof(cells) / sizeof(*cells) };

/* Called with ${head} NULL for the names alone. */
static void put_flat(struct going *g)
{
	static const char *const before[] = { "id", "version", "owner", "status", "synthetic" };
	static const char *const behind[] = { "causes", "means", "attribution" };
	const struct cell *synthetic = g->head != NULL ? &g->inc->at[B_CORE][CORE_SYNTHETIC] : NULL;
	size_t column = 0;
#define NEXT(name, put)                                    \
	do {                                               \
		if (g->json == NULL && column++ > 0)       \
			buf_putc(g->out, ',');             \
		if (g->head == NULL)                       \
			buf_puts(g->out, name);            \
		else                                       \
			put;                               \
	} while (0)
	NEXT(before[0], put_uuid(g, before[0], &g->head->id));
	NEXT(before[1], put_number(g, before[1], g->head->version));
	NEXT(before[2], put_uuid(g, before[2], &g->head->owner));
	NEXT(before[3], put_text(g, before[3], g->head->status, strlen(g->head->status)));
	NEXT(before[4], put_text(g, before[4], cell_set(synthetic) && synthetic->i != 0 ? "yes" : "no", cell_set(synthetic) && synthetic->i != 0 ? 3 : 2));
	for (size_t i = 0; i < CELLS; i++)
		NEXT(cells[i].name, put_cell(g, cells[i].name, cells[i].block, cells[i].field));
	for (size_t m = 0; m < COUNTS_MEASURES; m++)
		NEXT(blocks[B_COUNTS].fields[m].name, put_cell(g, blocks[B_COUNTS].fields[m].name, B_COUNTS, m));
	NEXT(behind[0], put_codes(g, behind[0], B_CAUSE, CAUSE_CODE));
	NEXT(behind[1], put_codes(g, behind[1], B_MEANS, MEANS_KIND));
	NEXT(behind[2], put_text(g, behind[2], report_attribution(g->inc), strlen(report_attribution(g->inc))));
#undef NEXT
}

/* ---- one report in each form ---- */

static void put_feature(struct going *g)
{
	const struct cell *lat = &g->inc->at[B_CORE][CORE_LAT], *lon = &g->inc->at[B_CORE][CORE_LON];
	char text[DEG_TEXT_LEN + 1];
	struct jw w;
	jw_init(&w, g->out);
	jw_object(&w);
	jw_put_string(&w, "type", "Feature");
	jw_put_uuid(&w, "id", &g->head->id);
	jw_name(&w, "geometry");
	if (cell_set(lat)) {
		jw_object(&w);
		jw_put_string(&w, "type", "Point");
		jw_name(&w, "coordinates");
		jw_array(&w);
		jw_raw(&w, text, deg_format(lon->i, text));
		jw_raw(&w, text, deg_format(lat->i, text));
		jw_end(&w);
		jw_end(&w);
	} else {
		jw_null(&w);
	}
	jw_name(&w, "properties");
	jw_object(&w);
	g->json = &w;
	put_flat(g);
	jw_end(&w);
	jw_end(&w);
	g->json = NULL;
}

static void put_attribution(struct jw *w, void *arg)
{
	const struct going *g = arg;
	if (report_attribution(g->inc)[0] != '\0')
		jw_put_string(w, "attribution", report_attribution(g->inc));
}

static void put_line(struct going *g)
{
	struct jw w;
	jw_init(&w, g->out);
	jw_object(&w);
	report_put_head(&w, g->head, g->inc);
	incident_write(&w, g->inc, put_attribution, g);
	jw_end(&w);
	buf_putc(g->out, '\n');
}

static void put_report(struct export *x, struct going *g)
{
	switch (x->format) {
	case FORMAT_CSV:
		put_flat(g);
		buf_puts(g->out, "\r\n");
		break;
	case FORMAT_GEOJSON:
		if (x->written > 0)
			buf_puts(g->out, ",\n");
		put_feature(g);
		break;
	case FORMAT_JSONL:
		put_line(g);
		break;
	}
	x->written++;
}

static int put_next(struct export *x, struct store *db, struct incident *inc, struct arena *mem, struct buf *out,
		    struct diag *reterr)
{
	const struct chosen *c = &x->chosen[x->at];
	struct report_head h;
	uint32_t which = x->format == FORMAT_JSONL ? UINT32_MAX : FLAT_BLOCKS;
	int r = report_load_blocks(db, &c->owner, &c->id, c->version, which, &h, inc, mem, reterr);
	if (r == FW_ENOTFOUND) { /* erased since: it leaves no trace in the file */
		diag_clear(reterr);
		return 0;
	}
	struct going g = { .head = &h, .inc = inc, .out = out };
	if (r == 0)
		put_report(x, &g);
	arena_reset(mem);
	return r == 0 && buf_failed(out) ? out->error : r;
}

static void put_begin(const struct export *x, struct buf *out)
{
	struct going g = { .out = out };
	if (x->format == FORMAT_CSV) {
		put_flat(&g);
		buf_puts(out, "\r\n");
	} else if (x->format == FORMAT_GEOJSON) {
		buf_puts(out, "{\"type\":\"FeatureCollection\",\"features\":[\n");
	}
}

static int more_export(struct worker *w, struct store *db, void *arg, struct buf *out, struct diag *reterr)
{
	struct export *x = arg;
	struct incident inc;
	struct arena *mem = arena_new(REPORT_MEM);
	int r = mem == NULL ? -ENOMEM : 0;
	(void)w;
	incident_init(&inc);
	if (!x->begun)
		put_begin(x, out);
	x->begun = true;
	for (; r == 0 && x->at < x->n && out->len < STEP; x->at++)
		r = put_next(x, db, &inc, mem, out, reterr);
	if (r == 0 && x->at == x->n && x->format == FORMAT_GEOJSON)
		buf_puts(out, "\n]}\n");
	incident_release(&inc);
	arena_free(mem);
	return r != 0 ? r : buf_failed(out) ? out->error : x->at < x->n;
}

/* ---- the request ---- */

static int choose(struct call *c, const struct index_filter *f, struct export **ret, struct uuid **ret_ids)
{
	const struct report_index *x = report_of(c->worker)->index;
	size_t all = index_count(x), n = 0;
	for (size_t row = 0; row < all; row++)
		n += index_match(x, row, f);
	struct export *e = mem_alloc(sizeof(*e) + n * sizeof(*e->chosen));
	struct uuid *ids = mem_alloc((n > 0 ? n : 1) * sizeof(*ids));
	if (e == NULL || ids == NULL) {
		mem_free(e);
		mem_free(ids);
		return -ENOMEM;
	}
	*e = (struct export){ .n = n };
	n = 0;
	for (size_t row = 0; row < all && n < e->n; row++) {
		struct index_entry i;
		if (!index_match(x, row, f))
			continue;
		index_get(x, row, &i);
		ids[n] = i.id;
		e->chosen[n++] = (struct chosen){ i.owner, i.id, i.version };
	}
	*ret = e;
	*ret_ids = ids;
	return 0;
}

static int find_format(const struct call *c, enum format *ret, struct diag *reterr)
{
	const char *name = call_query(c, "format");
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (strcmp(formats[i].name, name) == 0) {
			*ret = (enum format)i;
			return 0;
		}
	diag_place(reterr, "format");
	return diag_set(reterr, FW_EINVALID, "Expected csv, geojson or jsonl.");
}

int report_export_incidents(struct call *c, struct reply *reply, struct diag *reterr)
{
	struct index_filter f;
	struct export *x = NULL;
	struct uuid *ids = NULL;
	enum format format = FORMAT_CSV;
	char now[TIME_TEXT_LEN + 1];
	int r = find_format(c, &format, reterr);
	if (r == 0)
		r = report_filter(c, &f, reterr);
	if (r == 0)
		r = index_ready(report_of(c->worker)->index, c->db, reterr);
	if (r == 0)
		r = choose(c, &f, &x, &ids);
	if (r != 0)
		return r;
	x->format = format;
	const char *detail = arena_printf(c->mem, "{\"format\":\"%s\"}", formats[format].name);
	struct ledger_note note = { .event = LEDGER_EV_INCIDENT_EXPORT, .subjects = ids, .nsubjects = x->n, .detail = detail };
	r = call_ledger(c, &note, reterr);
	mem_free(ids);
	time_format(time_now(), now);
	reply->more = more_export;
	reply->more_arg = x;
	reply->type = formats[format].type;
	reply->filename = arena_printf(c->mem, "incidents-%.10s.%s", now, formats[format].suffix);
	return r;
}
