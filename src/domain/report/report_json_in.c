/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "codec/json_pull.h"
#include "domain/report/report_json.h"
#include "tbl/codebook/codebook.h"

/* Where the reading stands, for messages. */
struct reading {
	struct jp *j;
	enum json_origin from;
	struct incident *inc;
	struct incident_frame *frame;
	struct diag *reterr;
	const char *group, *name, *sub; /* "" where there is none */
	size_t row;                     /* SIZE_MAX outside rows */
	int error;
};

static void path_of(const struct reading *r, char *out, size_t cap)
{
	int n = snprintf(out, cap, "%s%s%s", r->group, r->group[0] != '\0' ? "." : "", r->name);
	if (r->row != SIZE_MAX && n > 0 && (size_t)n < cap)
		(void)snprintf(out + n, cap - (size_t)n, "[%zu]%s%s", r->row, r->sub[0] != '\0' ? "." : "", r->sub);
}

static void bad(struct reading *r, int error, const char *expected)
{
	char path[DIAG_PLACE_MAX];
	if (r->error != 0)
		return;
	r->error = error;
	path_of(r, path, sizeof(path));
	diag_place(r->reterr, "%s", path);
	diag_set(r->reterr, error, "Expected %s.", expected);
	jp_fail(r->j, FW_EFORMAT, expected);
}

int deg_parse(const char *p, size_t n, int64_t *ret)
{
	bool minus = n > 0 && p[0] == '-', point = false, any = false, up = false;
	int64_t v = 0;
	int places = 0;
	for (size_t i = minus || (n > 0 && p[0] == '+'); i < n; i++) {
		if (p[i] == '.' && !point) {
			point = true;
			continue;
		}
		if (p[i] < '0' || p[i] > '9')
			return FW_EFORMAT;
		any = true;
		if (point && places == 7) { /* the first digit beyond decides */
			up = p[i] >= '5';
			places++;
		} else if (!point || places < 7) {
			v = v * 10 + (p[i] - '0');
			places += point;
		}
		if (v > 1000 * DEG_ONE)
			return FW_ERANGE;
	}
	if (!any)
		return FW_EFORMAT;
	for (; places < 7; places++)
		v *= 10;
	v += up;
	*ret = minus ? -v : v;
	return v > 1000 * DEG_ONE ? FW_ERANGE : 0;
}

int incident_doubt(struct incident *inc, const char *field, int code, const char *text, size_t n)
{
	int error = 0;
	const struct field *words = &blocks[B_DOUBT].fields[DOUBT_WORDS];
	/* The name may be a column's title, which a file can make as long as it likes. */
	size_t name = strlen(field), name_max = (size_t)blocks[B_DOUBT].fields[DOUBT_FIELD].max;
	struct cell *cell = incident_add(inc, B_DOUBT, &error);
	if (cell == NULL)
		return error == FW_ELIMIT ? 0 : error;
	size_t max = (size_t)words->max;
	cell[DOUBT_FIELD] = cell_text(field, name > name_max ? utf8_cut(field, name_max) : name);
	cell[DOUBT_CODE] = cell_int(code);
	cell[DOUBT_WORDS] = cell_text(text, n > max ? utf8_cut(text, max) : n);
	return 0;
}

/* What a code that is in no codebook becomes in a report of a file, beside the doubt that keeps its text. */
static int instead(int book)
{
	static const char *const words[] = { "other", "unknown", "unspecified", "ZZZ" };
	int v = -1;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words) && v < 0; i++)
		v = codebook_find(book, words[i], strlen(words[i]));
	return v;
}

/* A code that no codebook has: refused, or kept as a doubt. The field's name is static, so it outlives the report. */
static void unknown_code(struct reading *r, int book, const char *s, size_t n)
{
	char expected[120];
	if (r->from == JSON_FILE) {
		int e = incident_doubt(r->inc, r->row != SIZE_MAX && r->sub[0] != '\0' ? r->sub : r->name, CV_DOUBT_LABEL_UNKNOWN, s, n);
		if (e < 0)
			bad(r, e, "more memory");
		return;
	}
	(void)snprintf(expected, sizeof(expected), "a code of the codebook %s", codebooks[book].name);
	bad(r, FW_EINVALID, expected);
}

static struct cell read_code(struct reading *r, int book)
{
	const char *s;
	size_t n;
	jp_string(r->j, &s, &n);
	int v = jp_error(r->j) == 0 ? codebook_find(book, s, n) : -1;
	if (v < 0 && jp_error(r->j) == 0) {
		unknown_code(r, book, s, n);
		v = r->error == 0 ? instead(book) : -1;
	}
	return v < 0 ? CELL_ABSENT : cell_int(v);
}

static struct cell read_enum(struct reading *r, int list)
{
	const char *s;
	size_t n;
	jp_string(r->j, &s, &n);
	for (int i = 0; choices[list][i] != NULL; i++)
		if (strlen(choices[list][i]) == n && memcmp(choices[list][i], s, n) == 0)
			return cell_int(i);
	bad(r, FW_EINVALID, "one of the words that the field knows");
	return CELL_ABSENT;
}

static struct cell read_set(struct reading *r, int book)
{
	uint64_t bits = 0;
	jp_array(r->j);
	while (jp_element(r->j)) {
		struct cell c = read_code(r, book);
		bits |= cell_set(&c) ? UINT64_C(1) << c.i : 0;
	}
	return bits == 0 ? CELL_ABSENT : cell_int((int64_t)bits);
}

static struct cell read_count(struct reading *r)
{
	const char *s;
	size_t n;
	if (jp_peek(r->j) == JP_NUMBER)
		return cell_int(jp_i64(r->j));
	jp_string(r->j, &s, &n);
	if (n == 7 && memcmp(s, "unknown", n) == 0)
		return cell_int(COUNT_UNKNOWN);
	if (n == 8 && memcmp(s, "withheld", n) == 0)
		return cell_int(COUNT_WITHHELD);
	if (n != 13 || memcmp(s, "not_collected", n) != 0)
		bad(r, FW_EINVALID, "a number, \"unknown\", \"not_collected\" or \"withheld\"");
	return CELL_ABSENT;
}

static struct cell read_day(struct reading *r)
{
	const char *s;
	size_t n;
	char text[DATE_TEXT_LEN + 1];
	struct date d;
	jp_string(r->j, &s, &n);
	if (n > DATE_TEXT_LEN) {
		bad(r, FW_EINVALID, "a date as 2026-11-25, 2026-11 or 2026");
		return CELL_ABSENT;
	}
	memcpy(text, s, n);
	text[n] = '\0';
	if (jp_error(r->j) == 0 && (strlen(text) != n || date_parse(text, &d) < 0)) {
		bad(r, FW_EINVALID, "a date as 2026-11-25, 2026-11 or 2026");
		return CELL_ABSENT;
	}
	return jp_error(r->j) == 0 ? cell_int(date_pack(d)) : CELL_ABSENT;
}

static struct cell read_time(struct reading *r)
{
	const char *s;
	size_t n;
	char text[48];
	usec_t t = 0;
	jp_string(r->j, &s, &n);
	if (n < sizeof(text)) {
		memcpy(text, s, n);
		text[n] = '\0';
	}
	if (n >= sizeof(text) || time_parse(text, &t) < 0) {
		bad(r, FW_EINVALID, "a time as 2026-11-25T04:57:03Z");
		return CELL_ABSENT;
	}
	return cell_int(t);
}

static struct cell read_deg(struct reading *r)
{
	const char *s;
	size_t n;
	int64_t v = 0;
	jp_number(r->j, &s, &n);
	if (jp_error(r->j) == 0 && deg_parse(s, n, &v) < 0) {
		bad(r, FW_EINVALID, "decimal degrees");
		return CELL_ABSENT;
	}
	return cell_int(v);
}

/* A uuid in its text form, turned into its 16 bytes where the text stood. */
static struct cell read_uuid(struct reading *r)
{
	const char *s;
	size_t n;
	char text[UUID_TEXT_LEN + 1] = "";
	struct uuid u;
	jp_string(r->j, &s, &n);
	if (n == UUID_TEXT_LEN)
		memcpy(text, s, n);
	if (uuid_parse(text, &u) < 0) {
		bad(r, FW_EINVALID, "an identifier");
		return CELL_ABSENT;
	}
	memcpy((char *)(uintptr_t)s, u.b, 16);
	return (struct cell){ s, 16 };
}

static struct cell read_text(struct reading *r)
{
	const char *s;
	size_t n;
	jp_string(r->j, &s, &n);
	return cell_text(s, n);
}

static struct cell read_value(struct reading *r, const struct field *f)
{
	switch ((enum field_kind)f->kind) {
	case TEXT:
		return read_text(r);
	case UUID:
		return read_uuid(r);
	case CODE:
		return read_code(r, f->arg);
	case ENUM:
		return read_enum(r, f->arg);
	case SET:
		return read_set(r, f->arg);
	case COUNT:
		return read_count(r);
	case INT:
		return cell_int(jp_i64(r->j));
	case BOOL: /* a mark: what is not so is not marked */
		return jp_bool(r->j) ? cell_int(1) : CELL_ABSENT;
	case DATE:
		return read_day(r);
	case TIME:
		return read_time(r);
	case DEG:
		return read_deg(r);
	}
	return CELL_ABSENT;
}

static void read_cell(struct reading *r, const struct field *f, struct cell *cell)
{
	if (jp_null(r->j))
		return;
	struct cell c = read_value(r, f);
	if (r->error != 0 || jp_error(r->j) != 0)
		return;
	if (cell_set(cell))
		bad(r, FW_EINVALID, "the field once");
	else if (!cell_valid(f, &c))
		bad(r, FW_EINVALID, f->kind == TEXT ? "a shorter text without NUL" : "a value within its limits");
	*cell = c;
}

static bool same_name(const char *name, const char *s, size_t n)
{
	return strncmp(name, s, n) == 0 && name[n] == '\0';
}

static void read_row(struct reading *r, const struct block_row *block, struct cell *cell)
{
	const char *s;
	size_t n, hint = 0;
	if (block->fields[0].name[0] == '\0') {
		read_cell(r, &block->fields[0], &cell[0]);
		return;
	}
	jp_object(r->j);
	while (jp_member(r->j, &s, &n)) {
		size_t k = 0, at = hint;
		while (k < block->n && !same_name(block->fields[at].name, s, n)) {
			k++;
			at = at + 1 < block->n ? at + 1 : 0;
		}
		if (k == block->n) {
			bad(r, FW_EINVALID, "no field of another name in a row");
			return;
		}
		r->sub = block->fields[at].name;
		read_cell(r, &block->fields[at], &cell[at]);
		hint = at + 1 < block->n ? at + 1 : 0;
		r->sub = "";
	}
}

static void read_rows(struct reading *r, enum block b)
{
	int error = 0;
	if (jp_null(r->j))
		return;
	if (r->inc->n[b] != 0 && b != B_DOUBT) {
		bad(r, FW_EINVALID, "the field once");
		return;
	}
	r->row = 0;
	r->sub = "";
	jp_array(r->j);
	while (jp_element(r->j)) {
		struct cell *cell = incident_add(r->inc, b, &error);
		if (cell == NULL && b == B_DOUBT && error == FW_ELIMIT)
			jp_skip(r->j); /* the reading itself may have filled the room */
		else if (cell == NULL)
			bad(r, error == FW_ELIMIT ? FW_EINVALID : error, "fewer rows");
		else
			read_row(r, &blocks[b], cell);
		r->row++;
		/* A plain value that no codebook has leaves nothing of its row. */
		if (cell != NULL && blocks[b].n == 1 && !cell_set(&cell[0]) && r->error == 0)
			r->inc->n[b]--;
	}
	r->row = SIZE_MAX;
}

static void read_item(struct reading *r, const struct json_item *item)
{
	r->name = item->name;
	if (item->field < 0)
		read_rows(r, item->block);
	else
		read_cell(r, &blocks[item->block].fields[item->field], &r->inc->at[item->block][item->field]);
}

/* The item of this name in the group, looked for from *hint on; -1. At the top, a group's name finds its first item. */
static int find_item(const char *group, const char *s, size_t n, size_t hint)
{
	for (size_t k = 0; k < json_item_count; k++) {
		size_t at = hint + k < json_item_count ? hint + k : hint + k - json_item_count;
		const struct json_item *i = &json_items[at];
		if (i->group[0] == '\0' || group[0] != '\0' ? strcmp(i->group, group) == 0 && same_name(i->name, s, n) :
							      same_name(i->group, s, n))
			return (int)at;
	}
	return -1;
}

/* What the node knows itself, and what goes beside the report. False: no such name. */
static bool read_frame(struct reading *r, const char *s, size_t n)
{
	static const char *const passed_over[] = { "owner",  "version",     "latest",       "versions", "personal",
						   "author", "verified_by", "validated_by", "at",       "closed_reason" };
	if (same_name("status", s, n)) {
		r->name = "status";
		r->frame->status = read_text(r);
		return true;
	}
	if (r->from == JSON_REQUEST && same_name("based_on", s, n)) {
		r->name = "based_on";
		r->frame->based_on = jp_i64(r->j);
		return true;
	}
	if (r->from == JSON_REQUEST)
		return false;
	if (same_name("id", s, n)) {
		r->name = "id";
		r->frame->id = read_text(r);
		return true;
	}
	for (size_t i = 0; i < sizeof(passed_over) / sizeof(*passed_over); i++)
		if (same_name(passed_over[i], s, n)) {
			jp_skip(r->j);
			return true;
		}
	return false;
}

/* In provenance of an answer, beside what comes back in. */
static bool passed_over_provenance(struct reading *r, const char *s, size_t n)
{
	static const char *const names[] = { "attribution", "import", "file", "row", "layout" };
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (same_name(names[i], s, n)) {
			jp_skip(r->j);
			return true;
		}
	return false;
}

static void read_group(struct reading *r, const char *group, size_t hint)
{
	const char *s;
	size_t n;
	r->group = group;
	if (jp_null(r->j))
		return;
	jp_object(r->j);
	while (jp_member(r->j, &s, &n)) {
		int at = find_item(group, s, n, hint);
		if (at >= 0) {
			read_item(r, &json_items[at]);
			hint = (size_t)at + 1 < json_item_count ? (size_t)at + 1 : 0;
		} else if (strcmp(group, "provenance") != 0 || !passed_over_provenance(r, s, n)) {
			r->name = "";
			bad(r, FW_EINVALID, "no field of another name");
		}
	}
}

int incident_read(struct jp *j, enum json_origin from, struct incident *inc, struct incident_frame *frame,
		  struct diag *reterr)
{
	struct reading r = { j, from, inc, frame, reterr, "", "", "", SIZE_MAX, 0 };
	const char *s;
	size_t n, hint = 0;
	incident_clear(inc);
	*frame = (struct incident_frame){ .status = CELL_ABSENT, .id = CELL_ABSENT };
	jp_object(j);
	while (jp_member(j, &s, &n)) {
		int at = find_item("", s, n, hint);
		const struct json_item *item = at >= 0 ? &json_items[at] : NULL;
		if (item != NULL && item->group[0] == '\0') {
			read_item(&r, item);
		} else if (item != NULL && (from == JSON_FILE || strcmp(item->group, "provenance") != 0)) {
			read_group(&r, item->group, (size_t)at);
		} else if (!read_frame(&r, s, n)) {
			r.name = "";
			bad(&r, FW_EINVALID, "no field of another name");
		}
		r.group = r.name = "";
		hint = at >= 0 ? (size_t)at : hint;
	}
	if (r.error != 0)
		return r.error;
	if (jp_error(j) != 0)
		return diag_set(reterr, jp_error(j), "Not JSON as expected near byte %zu: %s.", jp_at(j), j->what);
	return 0;
}
