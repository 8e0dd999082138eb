/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Tables of IOM's Missing Migrants Project, in the layouts that are about.
 *
 * They are the same columns under other names, so a column is found by any
 * name it ever had (names below), and the layout's name follows from which
 * names it uses.  What the source means decides how a cell is taken:
 *
 *   a count      blank is unknown, never 0; "<5" is withheld; a number below
 *                zero lowers a total and is kept, with a doubt
 *   a label      the whole cell is looked up first, since labels hold commas
 *                of their own; only then is it split, longest parts first
 *   a date       two forms and a third of 2019; where it is missing or is
 *                "0.0", year and month stand in, with their precision
 *   a position   "lat, lon" in one cell, often chosen for an area: its
 *                precision is always "area"
 *   a label that is in no codebook, a number that is none, an address that is
 *                none: kept as text in a doubt, and the row goes in
 *
 * A row is refused only when it cannot be a row of the table (too few or too
 * many columns, NUL, no identifier) or has a count that is no number: a guess
 * there would change a total.
 *
 * The source records deaths and disappearances.  No row says that anyone was
 * smuggled: facilitation is "not collected".
 */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "codec/csv.h"
#include "domain/report/report_json.h"
#include "domain/report/report_reader.h"
#include "tbl/codebook/codebook.h"

enum column {
	C_MAIN_ID,
	C_INCIDENT_ID,
	C_TYPE,
	C_REGION,
	C_DATE,
	C_YEAR,
	C_MONTH,
	C_DEAD,
	C_MISSING,
	C_TOTAL,
	C_SURVIVORS,
	C_FEMALES,
	C_MALES,
	C_CHILDREN,
	C_ORIGIN_COUNTRY,
	C_ORIGIN_REGION,
	C_CAUSE,
	C_CAUSE_TEXT,
	C_COUNTRY,
	C_ROUTE,
	C_PLACE,
	C_COORDINATES,
	C_LATITUDE,
	C_LONGITUDE,
	C_UN_REGION,
	C_SOURCE,
	C_URL,
	C_QUALITY,
	COLUMNS
};

/* Every name a column goes by, in small letters, with "|" between. */
static const char *const names[COLUMNS] = {
	[C_MAIN_ID] = "main id|web id",
	[C_INCIDENT_ID] = "incident id",
	[C_TYPE] = "incident type",
	[C_REGION] = "region of incident|region",
	[C_DATE] = "incident date|reported date",
	[C_YEAR] = "incident year|year|reported year",
	[C_MONTH] = "month|reported month|incident month",
	[C_DEAD] = "number of dead|number dead|no. dead",
	[C_MISSING] = "minimum estimated number of missing|no. missing",
	[C_TOTAL] = "total number of dead and missing|total dead and missing|no. dead/missing",
	[C_SURVIVORS] = "number of survivors|no. survivors",
	[C_FEMALES] = "number of females|no. female",
	[C_MALES] = "number of males|no. male",
	[C_CHILDREN] = "number of children|no. minors",
	[C_ORIGIN_COUNTRY] = "country of origin",
	[C_ORIGIN_REGION] = "region of origin",
	[C_CAUSE] = "cause of death|cause of death (category)",
	[C_CAUSE_TEXT] = "cause of death (reported)",
	[C_COUNTRY] = "country of incident",
	[C_ROUTE] = "migration route|route",
	[C_PLACE] = "location of incident|location of death|location description",
	[C_COORDINATES] = "coordinates|location coordinates",
	[C_LATITUDE] = "latitude",
	[C_LONGITUDE] = "longitude",
	[C_UN_REGION] = "unsd geographical grouping|unsd region",
	[C_SOURCE] = "information source|source",
	[C_URL] = "url|link",
	[C_QUALITY] = "source quality",
};

enum { MEM = 1 << 20, NAME_CAP = 80 };

struct mmp {
	struct arena *mem;          /* of the present row */
	int16_t at[COLUMNS];        /* index in the row, -1 */
	const char *title[COLUMNS]; /* as the header has it, for doubts and refusals */
	size_t columns;
	/* The present row. */
	const struct csv_row *row;
	struct incident *inc;
	int error;
};

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Bytes of the blank or no-break space at an end of the field; 0 if none is there. */
static size_t blank_before(struct csv_field f)
{
	return f.n > 0 && blank(f.p[0]) ? 1 : f.n >= 2 && memcmp(f.p, "\u00a0", 2) == 0 ? 2 : 0;
}

static size_t blank_behind(struct csv_field f)
{
	return f.n > 0 && blank(f.p[f.n - 1]) ? 1 : f.n >= 2 && memcmp(f.p + f.n - 2, "\u00a0", 2) == 0 ? 2 : 0;
}

static struct csv_field trim_blanks(struct csv_field f)
{
	for (size_t n; (n = blank_before(f)) > 0; f.n -= n)
		f.p += n;
	for (size_t n; (n = blank_behind(f)) > 0;)
		f.n -= n;
	return f;
}

/* Without blanks at both ends, and without the apostrophe that disarms a formula, which may begin with blanks itself. */
static struct csv_field trim(struct csv_field f)
{
	f = trim_blanks(f);
	if (f.n < 2 || f.p[0] != '\'' || !csv_is_formula(f.p + 1, f.n - 1))
		return f;
	f.p++;
	f.n--;
	return trim_blanks(f);
}

/* The field of a column, trimmed; empty if the table does not have it. */
static struct csv_field get(const struct mmp *m, enum column c)
{
	return m->at[c] >= 0 ? trim(m->row->field[m->at[c]]) : (struct csv_field){ "", 0, false };
}

static void doubt(struct mmp *m, enum column c, int code, const char *p, size_t n)
{
	int r = incident_doubt(m->inc, m->title[c] != NULL ? m->title[c] : names[c], code, p, n);
	m->error = m->error == 0 ? r : m->error;
}

static struct cell *add(struct mmp *m, enum block b)
{
	int error = 0;
	struct cell *cell = incident_add(m->inc, b, &error);
	if (cell == NULL && error != FW_ELIMIT)
		m->error = error;
	return cell;
}

/* ---- the header ---- */

static size_t small_letters(struct csv_field f, char out[NAME_CAP])
{
	size_t n = 0;
	f = trim(f);
	for (size_t i = 0; i < f.n && n < NAME_CAP; i++)
		if (!blank(f.p[i]) || (n > 0 && out[n - 1] != ' '))
			out[n++] = blank(f.p[i]) ? ' ' : f.p[i] >= 'A' && f.p[i] <= 'Z' ? (char)(f.p[i] + 32) : f.p[i];
	return n;
}

/* Which of the names of the column it is, from 1; 0 none. */
static int which_name(enum column c, const char *p, size_t n)
{
	int k = 1;
	for (const char *s = names[c]; s != NULL; k++) {
		const char *bar = strchr(s, '|');
		size_t len = bar != NULL ? (size_t)(bar - s) : strlen(s);
		if (len == n && memcmp(s, p, n) == 0)
			return k;
		s = bar != NULL ? bar + 1 : NULL;
	}
	return 0;
}

int mmp_recognise(const struct csv_row *header, struct arena *mem, struct mmp **ret, const char **ret_name)
{
	struct mmp *m = arena_alloc(mem, sizeof(*m));
	int used[COLUMNS] = { 0 };
	if (m == NULL)
		return -ENOMEM;
	for (int c = 0; c < COLUMNS; c++)
		m->at[c] = -1;
	for (size_t i = 0; i < header->n && i < INT16_MAX; i++) {
		char name[NAME_CAP];
		size_t n = small_letters(header->field[i], name);
		for (enum column c = 0; c < COLUMNS; c++) {
			int k = m->at[c] < 0 ? which_name(c, name, n) : 0;
			if (k == 0)
				continue;
			struct csv_field f = trim(header->field[i]);
			used[c] = k;
			m->at[c] = (int16_t)i;
			m->title[c] = arena_strndup(mem, f.p, f.n <= 60 ? f.n : utf8_cut(f.p, 60));
			break;
		}
	}
	if ((m->at[C_MAIN_ID] < 0 && m->at[C_INCIDENT_ID] < 0) || m->at[C_DEAD] < 0 || m->at[C_MISSING] < 0 ||
	    (m->at[C_DATE] < 0 && m->at[C_YEAR] < 0))
		return FW_EFORMAT;
	m->columns = header->n;
	m->mem = arena_new(MEM);
	if (m->mem == NULL || arena_failed(mem))
		return -ENOMEM;
	*ret_name = used[C_DATE] == 2 ? "mmp_2019" : used[C_DEAD] == 3 ? "mmp_web" : used[C_DEAD] == 2 ? "mmp_2" : "mmp_1";
	*ret = m;
	return 0;
}

void mmp_free(struct mmp *m)
{
	if (m != NULL)
		arena_free(m->mem);
}

/* ---- counts ---- */

/* Digits with a sign, with ".0" behind or not. */
static bool whole_number(struct csv_field f, int64_t *ret)
{
	size_t i = 0;
	bool minus = f.n > 0 && f.p[0] == '-';
	int64_t v = 0;
	i += minus;
	if (i == f.n)
		return false;
	for (; i < f.n && f.p[i] >= '0' && f.p[i] <= '9'; i++)
		if ((v = v * 10 + (f.p[i] - '0')) > COUNT_MOST)
			return false;
	if (i == (size_t)minus)
		return false;
	if (i < f.n && f.p[i] == '.')
		for (i++; i < f.n && f.p[i] == '0'; i++)
			;
	*ret = minus ? -v : v;
	return i == f.n && *ret >= COUNT_LEAST;
}

/* 0, or 1 when the row has to be refused. */
static int count(struct mmp *m, enum column c, int field, struct refusal *why)
{
	struct csv_field f = get(m, c);
	struct cell *cell = field >= 0 ? &m->inc->at[B_COUNTS][field] : NULL;
	int64_t v = COUNT_UNKNOWN;
	if (m->at[c] < 0)
		return 0;
	if (f.n > 1 && f.p[0] == '<') {
		v = COUNT_WITHHELD;
		doubt(m, c, CV_DOUBT_SUPPRESSED, f.p, f.n);
	} else if (f.n > 0 && !whole_number(f, &v)) {
		*why = (struct refusal){ m->title[c], "Expected a whole number, a blank for unknown, or <N for withheld." };
		return 1;
	}
	if (f.n > 0 && v < 0 && v >= COUNT_LEAST)
		doubt(m, c, CV_DOUBT_NEGATIVE, f.p, f.n);
	if (cell != NULL)
		*cell = cell_int(v);
	return 0;
}

/* The number of a measure, 0 where there is none: for comparing sums only. */
static int64_t number(const struct mmp *m, int field)
{
	int64_t v = m->inc->at[B_COUNTS][field].i;
	return v >= COUNT_LEAST ? v : 0;
}

static int counts(struct mmp *m, struct refusal *why)
{
	static const struct {
		enum column c;
		int field;
	} measures[] = {
		{ C_DEAD, COUNTS_DEAD },     { C_MISSING, COUNTS_MISSING }, { C_SURVIVORS, COUNTS_SURVIVORS },
		{ C_FEMALES, COUNTS_FEMALE }, { C_MALES, COUNTS_MALE },      { C_CHILDREN, COUNTS_CHILDREN },
		{ C_TOTAL, -1 },
	};
	for (size_t i = 0; i < sizeof(measures) / sizeof(*measures); i++)
		if (count(m, measures[i].c, measures[i].field, why) != 0)
			return 1;
	int64_t both = number(m, COUNTS_DEAD) + number(m, COUNTS_MISSING), total;
	struct csv_field f = get(m, C_TOTAL);
	if (f.n > 0 && whole_number(f, &total) && total != both)
		doubt(m, C_TOTAL, CV_DOUBT_SUM_DIFFERS, f.p, f.n);
	if (number(m, COUNTS_FEMALE) + number(m, COUNTS_MALE) > both) {
		const char *text = arena_printf(m->mem, "%s and %s above %s and %s", m->title[C_FEMALES], m->title[C_MALES],
						m->title[C_DEAD], m->title[C_MISSING]);
		doubt(m, C_FEMALES, CV_DOUBT_SUM_DIFFERS, text, text != NULL ? strlen(text) : 0);
	}
	m->inc->at[B_COUNTS][COUNTS_COUNTS_ARE] = cell_int(2); /* minimum */
	return 0;
}

/* ---- labels ---- */

/* The label at the beginning of ${f} that reaches furthest; its length, 0 if none is known. */
static size_t longest_label(int book, struct csv_field f, int *ret)
{
	for (size_t n = f.n; n > 0;) {
		int v = codebook_match(book, f.p, n);
		if (v >= 0) {
			*ret = v;
			return n;
		}
		while (n > 0 && f.p[n - 1] != ',')
			n--;
		n -= n > 0;
	}
	return 0;
}

/*
 * The next label of a cell that may hold several: *ret is its value, or -1
 * with the text up to the next comma in *ret_text.  False at the end.
 */
static bool next_label(int book, struct csv_field *f, int *ret, struct csv_field *ret_text)
{
	while (f->n > 0 && (f->p[0] == ',' || blank(f->p[0]))) {
		f->p++;
		f->n--;
	}
	if (f->n == 0)
		return false;
	size_t n = longest_label(book, *f, ret);
	if (n == 0) {
		const char *comma = memchr(f->p, ',', f->n);
		n = comma != NULL ? (size_t)(comma - f->p) : f->n;
		*ret = -1;
	}
	*ret_text = trim((struct csv_field){ f->p, n, false });
	f->p += n;
	f->n -= n;
	return true;
}

/* A cell that should hold one label: the first known one, with a doubt if there are more or it is not known. */
static struct cell one_label(struct mmp *m, enum column c, int book, int rather_not)
{
	struct csv_field f = get(m, c), rest = f, text;
	int v, first = -1;
	bool unknown = false;
	size_t n = 0;
	while (next_label(book, &rest, &v, &text)) {
		n++;
		unknown = unknown || v < 0;
		if (v >= 0 && (first < 0 || first == rather_not))
			first = v;
	}
	if (unknown)
		doubt(m, c, CV_DOUBT_LABEL_UNKNOWN, f.p, f.n);
	else if (n > 1)
		doubt(m, c, CV_DOUBT_SEVERAL, f.p, f.n);
	return first >= 0 ? cell_int(first) : CELL_ABSENT;
}

/* "Northern Africa (P)": presumed by the source. */
static bool presumed(struct csv_field *f)
{
	if (f->n < 4 || memcmp(f->p + f->n - 3, "(P)", 3) != 0)
		return false;
	*f = trim((struct csv_field){ f->p, f->n - 3, false });
	return true;
}

static void origins(struct mmp *m, enum column c, int book, int field)
{
	struct csv_field rest = get(m, c), text;
	int v;
	while (next_label(book, &rest, &v, &text)) {
		bool p = v < 0 && presumed(&text);
		v = p ? codebook_match(book, text.p, text.n) : v;
		if (v < 0) {
			doubt(m, c, CV_DOUBT_LABEL_UNKNOWN, text.p, text.n);
			continue;
		}
		struct cell *cell = add(m, B_ORIGIN);
		if (cell == NULL)
			return;
		cell[field] = cell_int(v);
		if (p)
			cell[ORIGIN_PRESUMED] = cell_int(1);
	}
}

static void causes(struct mmp *m)
{
	struct csv_field f = get(m, C_CAUSE), rest = f, text;
	int v;
	while (next_label(CB_CAUSE, &rest, &v, &text)) {
		if (v < 0) {
			doubt(m, C_CAUSE, CV_DOUBT_LABEL_UNKNOWN, text.p, text.n);
			v = CV_CAUSE_OTHER;
		}
		struct cell *cell = add(m, B_CAUSE);
		if (cell != NULL)
			cell[CAUSE_CODE] = cell_int(v);
	}
	if (f.n == 0)
		m->inc->at[B_COUNTS][COUNTS_NO_CAUSES] = cell_int(EMPTY_UNKNOWN);
}

/* ---- texts ---- */

/* A text as far as there is room, markup taken out, with doubts for what was changed. */
static struct cell text_of(struct mmp *m, enum column c, size_t max)
{
	struct csv_field f = get(m, c);
	const char *open = memchr(f.p, '<', f.n), *close = open != NULL ? memchr(open, '>', f.n - (size_t)(open - f.p)) : NULL;
	if (close != NULL) {
		char *out = arena_alloc(m->mem, f.n + 1);
		size_t n = 0, depth = 0;
		if (out == NULL) {
			m->error = -ENOMEM;
			return CELL_ABSENT;
		}
		for (size_t i = 0; i < f.n; i++) {
			depth += f.p[i] == '<';
			if (depth == 0)
				out[n++] = f.p[i];
			depth -= f.p[i] == '>' && depth > 0;
		}
		doubt(m, c, CV_DOUBT_HTML, f.p, f.n);
		f = trim((struct csv_field){ out, n, false });
	}
	for (size_t i = 0; i + 2 < f.n; i++)
		if (memcmp(f.p + i, "\ufffd", 3) == 0) {
			doubt(m, c, CV_DOUBT_CHARSET, f.p, f.n);
			break;
		}
	if (f.n > max) {
		doubt(m, c, CV_DOUBT_SHORTENED, f.p, f.n);
		f.n = utf8_cut(f.p, max);
	}
	return cell_text(f.p, f.n);
}

static bool web_address(struct csv_field f)
{
	if (f.n > 1000 || !((f.n > 8 && memcmp(f.p, "https://", 8) == 0) || (f.n > 7 && memcmp(f.p, "http://", 7) == 0)))
		return false;
	for (size_t i = 0; i < f.n; i++)
		if ((uint8_t)f.p[i] <= ' ' || f.p[i] == '"' || f.p[i] == '<' || f.p[i] == '>')
			return false;
	return true;
}

/* The next address: up to a blank, or to a comma behind which another address begins. */
static struct csv_field next_address(struct csv_field *rest)
{
	struct csv_field f = *rest;
	size_t n = 0;
	for (; n < f.n && !blank(f.p[n]); n++) {
		size_t after = n + 1;
		if (f.n - n >= 2 && memcmp(f.p + n, "\u00a0", 2) == 0)
			break;
		if (f.p[n] != ',' && f.p[n] != ';')
			continue;
		while (after < f.n && blank(f.p[after]))
			after++;
		if (after == f.n || (f.n - after > 4 && memcmp(f.p + after, "http", 4) == 0))
			break;
	}
	rest->p += n;
	rest->n -= n;
	while (rest->n > 0) {
		size_t blanks = blank_before(*rest), step = blanks > 0 ? blanks : rest->p[0] == ',' || rest->p[0] == ';';
		if (step == 0)
			break;
		rest->p += step;
		rest->n -= step;
	}
	return (struct csv_field){ f.p, n, false };
}

static void sources(struct mmp *m)
{
	struct cell title = text_of(m, C_SOURCE, 1000);
	struct csv_field rest = get(m, C_URL);
	struct cell *cell = cell_set(&title) ? add(m, B_SOURCE) : NULL;
	if (cell != NULL)
		cell[SOURCE_TITLE] = title;
	while (rest.n > 0) {
		struct csv_field url = next_address(&rest);
		if (url.n == 0)
			continue;
		if (!web_address(url)) {
			doubt(m, C_URL, CV_DOUBT_URL_ODD, url.p, url.n);
			continue;
		}
		if (cell == NULL && (cell = add(m, B_SOURCE)) == NULL)
			return;
		cell[SOURCE_URL] = cell_text(url.p, url.n);
		cell = NULL;
	}
}

/* ---- time and place ---- */

static int month_of(struct csv_field f)
{
	static const char *const months[] = { "january", "february", "march",	  "april",   "may",	 "june",
					      "july",	 "august",   "september", "october", "november", "december" };
	char name[NAME_CAP];
	size_t n = small_letters(f, name);
	int64_t v;
	for (int i = 0; i < 12; i++)
		if ((n == strlen(months[i]) || n == 3) && memcmp(months[i], name, n) == 0)
			return i + 1;
	return whole_number(f, &v) && v >= 1 && v <= 12 ? (int)v : 0;
}

static int digits(const char *p, size_t n)
{
	int v = 0;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v;
}

/* "2014-01-06", "Thu, 01/01/2026 - 12:00" (month first; the hour means nothing), "March 28, 2019". */
static struct cell day_of(struct csv_field f)
{
	int year = -1, month = -1, day = -1;
	const char *slash = memchr(f.p, '/', f.n), *comma = memchr(f.p, ',', f.n), *space = memchr(f.p, ' ', f.n);
	if (f.n >= 10 && f.p[4] == '-' && f.p[7] == '-' && (f.n == 10 || f.p[10] == ' ' || f.p[10] == 'T')) {
		year = digits(f.p, 4);
		month = digits(f.p + 5, 2);
		day = digits(f.p + 8, 2);
	} else if (slash != NULL && slash - f.p >= 2 && f.p + f.n - slash >= 8 && slash[3] == '/') {
		month = digits(slash - 2, 2);
		day = digits(slash + 1, 2);
		year = digits(slash + 4, 4);
	} else if (comma != NULL && space != NULL && space < comma && f.p + f.n - comma >= 6) {
		month = month_of((struct csv_field){ f.p, (size_t)(space - f.p), false });
		day = digits(space + 1, (size_t)(comma - space - 1));
		year = digits(comma + 2, 4);
	}
	struct field field = { .kind = DATE };
	struct cell cell = cell_int(year > 0 && month > 0 && day > 0 ? year * 10000 + month * 100 + day : 0);
	return cell_valid(&field, &cell) ? cell : CELL_ABSENT;
}

static void when(struct mmp *m)
{
	struct csv_field date = get(m, C_DATE), y = get(m, C_YEAR), mo = get(m, C_MONTH);
	struct cell day = day_of(date);
	int64_t year = 0;
	int month = month_of(mo);
	if (!whole_number(y, &year) || year < 1900 || year > 2200)
		year = 0;
	if (!cell_set(&day) && year != 0)
		day = cell_int(year * 10000 + month * 100);
	if (date.n == 0 || !cell_set(&day) || day.i % 100 == 0)
		doubt(m, C_DATE, CV_DOUBT_DATE_MISSING, date.p, date.n);
	else if ((year != 0 && day.i / 10000 != year) || (month != 0 && day.i / 100 % 100 != month))
		doubt(m, C_DATE, CV_DOUBT_DATE_DIFFERS, date.p, date.n);
	m->inc->at[B_CORE][CORE_FROM_DAY] = day;
}

static void place(struct mmp *m)
{
	struct cell *core = m->inc->at[B_CORE];
	struct csv_field both = get(m, C_COORDINATES), lat = get(m, C_LATITUDE), lon = get(m, C_LONGITUDE);
	const char *comma = memchr(both.p, ',', both.n);
	int64_t a = 0, o = 0;
	core[CORE_PLACE] = text_of(m, C_PLACE, 1000);
	core[CORE_COUNTRY] = one_label(m, C_COUNTRY, CB_COUNTRY, CV_COUNTRY_ZZZ);
	core[CORE_REGION] = one_label(m, C_REGION, CB_REGION, -1);
	core[CORE_UN_REGION] = one_label(m, C_UN_REGION, CB_REGION, CV_REGION_UNCATEGORIZED);
	core[CORE_ROUTE] = one_label(m, C_ROUTE, CB_ROUTE, -1);
	if (comma != NULL) {
		lat = trim((struct csv_field){ both.p, (size_t)(comma - both.p), false });
		lon = trim((struct csv_field){ comma + 1, (size_t)(both.p + both.n - comma) - 1, false });
	}
	if (both.n == 0 && lat.n == 0 && lon.n == 0)
		return;
	if (deg_parse(lat.p, lat.n, &a) < 0 || deg_parse(lon.p, lon.n, &o) < 0 || a > 90 * DEG_ONE || a < -90 * DEG_ONE ||
	    o > 180 * DEG_ONE || o < -180 * DEG_ONE || (a == 0 && o == 0)) {
		enum column c = both.n > 0 ? C_COORDINATES : C_LATITUDE;
		struct csv_field f = both.n > 0 ? both : lat;
		doubt(m, c, CV_DOUBT_POSITION_ODD, f.p, f.n);
		return;
	}
	core[CORE_LAT] = cell_int(a);
	core[CORE_LON] = cell_int(o);
	core[CORE_POSITION] = cell_int(CV_PRECISION_AREA);
}

/* ---- a row ---- */

/* The next part of a list joined by commas; false at the end. */
static bool next_part(struct csv_field *rest, struct csv_field *ret)
{
	while (rest->n > 0) {
		const char *comma = memchr(rest->p, ',', rest->n);
		size_t n = comma != NULL ? (size_t)(comma - rest->p) : rest->n, over = n + (comma != NULL);
		*ret = trim((struct csv_field){ rest->p, n, false });
		rest->p += over;
		rest->n -= over;
		if (ret->n > 0)
			return true;
	}
	return false;
}

/* Numbers: the incident's own, else the main one; further ones beside it; a tie to those that share the main one. */
static int numbers(struct mmp *m, struct refusal *why)
{
	struct csv_field main = get(m, C_MAIN_ID), own = get(m, C_INCIDENT_ID), rest, text;
	own = own.n > 0 ? own : main;
	if (own.n == 0 || own.n > 200 || main.n > 200) {
		*why = (struct refusal){ m->title[m->at[C_INCIDENT_ID] >= 0 ? C_INCIDENT_ID : C_MAIN_ID],
					 "Expected an identifier of at most 200 bytes: without one the row could not be known again." };
		return 1;
	}
	struct cell *prov = m->inc->at[B_PROV], *core = m->inc->at[B_CORE], *cell;
	prov[PROV_SYSTEM] = cell_int(CV_SYSTEM_IOM_MMP);
	prov[PROV_SOURCE_ID] = cell_text(own.p, own.n);
	const char *comma = memchr(own.p, ',', own.n);
	size_t first = comma != NULL ? (size_t)(comma - own.p) : own.n;
	core[CORE_NUMBER] = cell_text(own.p, first < 64 ? first : utf8_cut(own.p, 64));
	for (rest = own; comma != NULL && next_part(&rest, &text);)
		if ((cell = add(m, B_FURTHER_ID)) != NULL)
			cell[FURTHER_ID_ID] = cell_text(text.p, text.n);
	bool other_main = main.n > 0 && (main.n != own.n || memcmp(main.p, own.p, own.n) != 0);
	if (other_main && comma == NULL && (cell = add(m, B_FURTHER_ID)) != NULL)
		cell[FURTHER_ID_ID] = cell_text(main.p, main.n);
	bool part = cell_set(&core[CORE_FORM]) && core[CORE_FORM].i == CV_INCIDENT_FORM_PART;
	if ((other_main || part) && main.n > 0 && (cell = add(m, B_LINK)) != NULL) {
		cell[LINK_KIND] = cell_int(CV_LINK_KIND_PART_OF);
		cell[LINK_REF] = cell_text(main.p, main.n);
	}
	return 0;
}

/* Whether the row is one of this table at all: 0; 1 with the reason. */
static int fits(const struct mmp *m, const struct csv_row *row, struct refusal *why)
{
	bool more = false;
	for (size_t i = m->columns; i < row->n; i++)
		more = more || row->field[i].n > 0;
	if (row->odd & CSV_NUL)
		*why = (struct refusal){ "", "A NUL byte stands in the row; it comes back as a question mark." };
	else if (row->odd & CSV_OPEN_QUOTE)
		*why = (struct refusal){ "", "A quotation mark in the row is never closed." };
	else if (row->n < m->columns || more)
		*why = (struct refusal){ "", arena_printf(m->mem, "Expected %zu columns as in the header, found %zu.",
							  m->columns, row->n) };
	else
		return 0;
	return arena_failed(m->mem) ? -ENOMEM : 1;
}

int mmp_row(struct mmp *m, const struct csv_row *row, struct incident *inc, struct refusal *ret_why)
{
	arena_reset(m->mem);
	incident_clear(inc);
	m->row = row;
	m->inc = inc;
	m->error = 0;
	int r = fits(m, row, ret_why);
	if (r != 0)
		return r;
	struct cell *core = inc->at[B_CORE], *detail = inc->at[B_DETAIL];
	core[CORE_TYPE] = cell_int(CV_INCIDENT_TYPE_DEATH_OR_DISAPPEARANCE);
	core[CORE_FACILITATION] = cell_int(CV_FACILITATION_NOT_COLLECTED);
	core[CORE_FORM] = one_label(m, C_TYPE, CB_INCIDENT_FORM, CV_INCIDENT_FORM_SINGLE);
	if (numbers(m, ret_why) != 0 || counts(m, ret_why) != 0)
		return 1;
	when(m);
	place(m);
	origins(m, C_ORIGIN_COUNTRY, CB_COUNTRY, ORIGIN_COUNTRY);
	origins(m, C_ORIGIN_REGION, CB_REGION, ORIGIN_REGION);
	causes(m);
	detail[DETAIL_CAUSE_TEXT] = text_of(m, C_CAUSE_TEXT, 500);
	sources(m);
	detail[DETAIL_CONFIDENCE_ORIGINAL] = text_of(m, C_QUALITY, 60);
	if (cell_set(&detail[DETAIL_CONFIDENCE_ORIGINAL]))
		detail[DETAIL_CONFIDENCE_SCHEME] = cell_text("iom_source_quality", 18);
	if (arena_failed(m->mem))
		return -ENOMEM;
	return m->error;
}
