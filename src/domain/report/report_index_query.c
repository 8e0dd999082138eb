/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Asking the index: filters, pages, totals, the overview. Each is one pass over the columns. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "codec/json.h"
#include "domain/report/report_index_int.h"
#include "tbl/codebook/codebook.h"

/* ---- filters ---- */

static int no_filter(const char *name, const char *words, struct diag *reterr)
{
	diag_place(reterr, "%s", name);
	return diag_set(reterr, FW_EINVALID, "%s", words);
}

/* The bits of codes joined by commas; "none" sets *none. */
static int codes(const char *name, const char *text, int book, uint64_t *bits, bool *none, struct diag *reterr)
{
	for (const char *s = text; s != NULL;) {
		const char *comma = strchr(s, ',');
		size_t n = comma != NULL ? (size_t)(comma - s) : strlen(s);
		int v = codebook_find(book, s, n);
		if (v >= 0)
			bits[v / 64] |= UINT64_C(1) << v % 64;
		else if (none != NULL && n == 4 && memcmp(s, "none", 4) == 0)
			*none = true;
		else
			return no_filter(name, "Expected codes of the codebook, joined by commas.", reterr);
		s = comma != NULL ? comma + 1 : NULL;
	}
	return 0;
}

static int day(const char *name, const char *text, struct index_filter *f, struct diag *reterr)
{
	struct date d;
	if (date_parse(text, &d) < 0 || d.precision == DATE_UNKNOWN)
		return no_filter(name, "Expected a date.", reterr);
	if (!f->dated) {
		f->from = INT32_MIN + 1;
		f->to = INT32_MAX;
	}
	f->dated = true;
	if (strcmp(name, "from") == 0)
		f->from = date_first_day(d);
	else
		f->to = date_last_day(d);
	return 0;
}

int filter_set(struct index_filter *f, const char *name, const char *text, struct diag *reterr)
{
	if (text == NULL || text[0] == '\0')
		return 0;
	if (strcmp(name, "route") == 0) {
		f->by_route = true;
		return codes(name, text, CB_ROUTE, f->routes, &f->no_route, reterr);
	}
	if (strcmp(name, "country") == 0) {
		f->by_country = true;
		return codes(name, text, CB_COUNTRY, f->countries, &f->no_country, reterr);
	}
	if (strcmp(name, "cause") == 0) {
		f->by_cause = true;
		return codes(name, text, CB_CAUSE, &f->causes, &f->no_cause, reterr);
	}
	if (strcmp(name, "means") == 0) {
		f->by_means = true;
		return codes(name, text, CB_MEANS, &f->means, &f->no_means, reterr);
	}
	if (strcmp(name, "status") == 0) {
		f->by_status = true;
		return codes(name, text, CB_STATUS, &f->statuses, NULL, reterr);
	}
	return day(name, text, f, reterr);
}

void filter_ready(const struct report_index *x, const struct index_filter *f, struct ready_filter *ret)
{
	*ret = (struct ready_filter){ f, f->own ? -2 : -1 };
	for (size_t i = 0; f->own && i < x->nowners; i++)
		if (uuid_equal(&x->owner[i], &f->owner))
			ret->owner = (int)i;
}

bool filter_sees(const struct ready_filter *f, const struct chunk *c, size_t o)
{
	return f->owner == -1 || f->owner == c->owner[o];
}

static bool one_of(const uint64_t *bits, int code, bool none)
{
	return code < 0 ? none : bits[code / 64] >> code % 64 & 1;
}

bool filter_passes(const struct ready_filter *ready, const struct chunk *c, size_t o)
{
	const struct index_filter *f = ready->f;
	if (f->dated && (c->first[o] == INT32_MIN || c->first[o] > f->to || c->last[o] < f->from))
		return false;
	if (f->by_route && !one_of(f->routes, c->route[o], f->no_route))
		return false;
	if (f->by_country && !one_of(f->countries, c->country[o], f->no_country))
		return false;
	if (f->by_cause && !(c->causes[o] == 0 ? f->no_cause : (c->causes[o] & f->causes) != 0))
		return false;
	if (f->by_means && !(c->means[o] == 0 ? f->no_means : (c->means[o] & f->means) != 0))
		return false;
	return !f->by_status || (f->statuses >> c->status[o] & 1) != 0;
}

bool index_match(const struct report_index *x, size_t row, const struct index_filter *f)
{
	struct ready_filter ready;
	filter_ready(x, f, &ready);
	const struct chunk *c = chunk_of(x, row);
	return filter_sees(&ready, c, offset_of(row)) && filter_passes(&ready, c, offset_of(row));
}

/* ---- pages ---- */

int index_sort_of(const char *name)
{
	static const char *const names[] = { "-date", "date", "-dead", "dead", "-missing", "missing" };
	if (name == NULL)
		return SORT_DATE_DESC;
	for (int i = 0; i < 6; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

/* Where a row stands in the order: rising, what is unknown last; id breaks ties, newest first. */
struct place {
	int64_t key;
	struct uuid id;
	uint32_t row;
};

static int64_t key_of(const struct chunk *c, size_t o, enum index_sort sort)
{
	int64_t v;
	if (sort == SORT_DATE || sort == SORT_DATE_DESC)
		v = c->first[o] == INT32_MIN ? INT64_MAX : c->first[o];
	else
		v = count_of(c, o, sort == SORT_DEAD || sort == SORT_DEAD_DESC ? COUNTS_DEAD : COUNTS_MISSING);
	if (v == INT64_MAX || (sort >= SORT_DEAD_DESC && v < COUNT_LEAST))
		return INT64_MAX;
	return sort == SORT_DATE_DESC || sort == SORT_DEAD_DESC || sort == SORT_MISSING_DESC ? -v : v;
}

static bool before(const struct place *a, const struct place *b)
{
	return a->key != b->key ? a->key < b->key : uuid_compare(&a->id, &b->id) > 0;
}

static int read_mark(const char *mark, struct place *ret, struct diag *reterr)
{
	char *end = NULL;
	errno = 0;
	ret->key = strtoll(mark, &end, 10);
	if (errno != 0 || end == mark || *end != '_' || uuid_parse(end + 1, &ret->id) < 0)
		return no_filter("after", "Expected the page mark of an answer.", reterr);
	return 0;
}

/* The ${limit} + 1 first of what is offered, as a heap whose root is the last of them. */
struct best {
	struct place p[PAGE_MAX + 1];
	size_t n, limit;
};

static void sink(struct best *b, size_t i)
{
	for (;;) {
		size_t child = 2 * i + 1;
		if (child + 1 < b->n && before(&b->p[child], &b->p[child + 1]))
			child++;
		if (child >= b->n || !before(&b->p[i], &b->p[child]))
			return;
		struct place t = b->p[i];
		b->p[i] = b->p[child];
		b->p[child] = t;
		i = child;
	}
}

static void offer(struct best *b, const struct place *p)
{
	if (b->n < b->limit) {
		size_t i = b->n++;
		b->p[i] = *p;
		while (i > 0 && before(&b->p[(i - 1) / 2], &b->p[i])) {
			struct place t = b->p[i];
			b->p[i] = b->p[(i - 1) / 2];
			b->p[(i - 1) / 2] = t;
			i = (i - 1) / 2;
		}
	} else if (before(p, &b->p[0])) {
		b->p[0] = *p;
		sink(b, 0);
	}
}

/* From the heap into rising order. */
static void order(struct best *b)
{
	size_t all = b->n;
	while (b->n > 1) {
		struct place t = b->p[0];
		b->n--;
		b->p[0] = b->p[b->n];
		b->p[b->n] = t;
		sink(b, 0);
	}
	b->n = all;
}

int index_page(const struct report_index *x, const struct index_filter *f, enum index_sort sort, const char *mark,
	       size_t limit, struct index_page *ret, struct diag *reterr)
{
	struct best best = { .limit = (limit < PAGE_MAX ? limit : PAGE_MAX) + 1 };
	struct place after = { 0 };
	struct ready_filter ready;
	int r = mark != NULL ? read_mark(mark, &after, reterr) : 0;
	if (r < 0)
		return r;
	*ret = (struct index_page){ 0 };
	filter_ready(x, f, &ready);
	for (size_t row = 0; row < x->n; row++) {
		const struct chunk *c = chunk_of(x, row);
		size_t o = offset_of(row);
		if (!filter_sees(&ready, c, o))
			continue;
		if (!filter_passes(&ready, c, o)) {
			ret->excluded++;
			continue;
		}
		ret->total++;
		struct place p = { key_of(c, o, sort), c->id[o], (uint32_t)row };
		if (mark == NULL || before(&after, &p))
			offer(&best, &p);
	}
	order(&best);
	ret->more = best.n == best.limit;
	ret->n = best.n - ret->more;
	for (size_t i = 0; i < ret->n; i++)
		ret->row[i] = best.p[i].row;
	if (ret->more && ret->n > 0) {
		char id[UUID_TEXT_LEN + 1];
		uuid_format(&best.p[ret->n - 1].id, id);
		(void)snprintf(ret->mark, sizeof(ret->mark), "%lld_%s", (long long)best.p[ret->n - 1].key, id);
	}
	return 0;
}

/* ---- totals ---- */

static void add(struct index_total *t, int32_t v)
{
	if (v >= COUNT_LEAST) {
		t->sum += v;
		t->counted++;
	} else if (v == COUNT_UNKNOWN) {
		t->unknown++;
	} else if (v == COUNT_WITHHELD) {
		t->withheld++;
	} else {
		t->not_collected++;
	}
}

void index_totals(const struct report_index *x, const struct index_filter *f, struct index_total ret[COUNTS_MEASURES],
		  uint64_t *ret_n, uint64_t *ret_excluded)
{
	struct ready_filter ready;
	filter_ready(x, f, &ready);
	*ret_n = *ret_excluded = 0;
	memset(ret, 0, COUNTS_MEASURES * sizeof(*ret));
	for (size_t row = 0; row < x->n; row++) {
		const struct chunk *c = chunk_of(x, row);
		size_t o = offset_of(row);
		if (!filter_sees(&ready, c, o))
			continue;
		if (!filter_passes(&ready, c, o)) {
			(*ret_excluded)++;
			continue;
		}
		(*ret_n)++;
		for (size_t m = 0; m < COUNTS_MEASURES; m++)
			add(&ret[m], count_of(c, o, m));
	}
}

/* ---- the overview ---- */

/* The rows it shows: all one may see, or the newest where there are too many. Owned by the caller. */
struct shown {
	uint32_t *row;
	size_t n;
	uint64_t left_out;
};

static int by_newest(const void *pa, const void *pb)
{
	const int32_t *a = pa, *b = pb;
	return (a[0] < b[0]) - (a[0] > b[0]);
}

/* The day before which rows are left out so that at most OVERVIEW_MAX are shown. */
static int newest(const struct report_index *x, struct shown *s)
{
	struct {
		int32_t first;
		uint32_t row;
	} *pair = mem_alloc(s->n * sizeof(*pair));
	if (pair == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++) {
		pair[i].first = chunk_of(x, s->row[i])->first[offset_of(s->row[i])];
		pair[i].row = s->row[i];
	}
	qsort(pair, s->n, sizeof(*pair), by_newest);
	s->left_out = s->n - OVERVIEW_MAX;
	s->n = OVERVIEW_MAX;
	for (size_t i = 0; i < s->n; i++)
		s->row[i] = pair[i].row;
	mem_free(pair);
	return 0;
}

static int choose(const struct report_index *x, const struct index_filter *f, struct shown *s)
{
	struct ready_filter ready;
	filter_ready(x, f, &ready);
	*s = (struct shown){ .row = mem_alloc((x->n > 0 ? x->n : 1) * sizeof(*s->row)) };
	if (s->row == NULL)
		return -ENOMEM;
	for (size_t row = 0; row < x->n; row++)
		if (filter_sees(&ready, chunk_of(x, row), offset_of(row)))
			s->row[s->n++] = (uint32_t)row;
	return s->n > OVERVIEW_MAX ? newest(x, s) : 0;
}

static void put_i64(struct buf *b, int64_t v)
{
	char text[24];
	size_t at = sizeof(text);
	uint64_t u = v < 0 ? (uint64_t)-v : (uint64_t)v;
	do {
		text[--at] = (char)('0' + u % 10);
		u /= 10;
	} while (u > 0);
	if (v < 0)
		text[--at] = '-';
	buf_put(b, text + at, sizeof(text) - at);
}

enum column { ID, DAY, PRECISION, LAT, LON, PLACE, ROUTE, COUNTRY, CAUSE_OF, MEANS_OF, DEAD, MISSING, SURVIVORS, PERSONS, COLUMN_COUNT };

static void put_id(struct buf *b, const struct uuid *id)
{
	static const char hex[] = "0123456789abcdef";
	char text[34] = "\"";
	for (size_t i = 0; i < 16; i++) {
		text[1 + 2 * i] = hex[id->b[i] >> 4];
		text[2 + 2 * i] = hex[id->b[i] & 15];
	}
	text[33] = '"';
	buf_put(b, text, 34);
}

static void put_or_null(struct buf *b, int32_t v)
{
	if (v == INT32_MIN)
		buf_puts(b, "null");
	else
		put_i64(b, v);
}

/* 0 not said, 1 exact, 2 about, 3 an area the point only stands for. */
static int place_of(uint8_t position)
{
	switch (position - 1) {
	case CV_PRECISION_EXACT:
		return 1;
	case CV_PRECISION_NEAR:
	case CV_PRECISION_PLACE:
		return 2;
	case CV_PRECISION_AREA:
	case CV_PRECISION_COUNTRY:
		return 3;
	default:
		return 0;
	}
}

static void put_value(struct buf *b, enum column column, const struct chunk *c, size_t o)
{
	switch (column) {
	case ID:
		put_id(b, &c->id[o]);
		break;
	case DAY:
		put_or_null(b, c->first[o]);
		break;
	case PRECISION:
		put_i64(b, c->precision[o]);
		break;
	case LAT:
		put_or_null(b, c->lat[o]);
		break;
	case LON:
		put_or_null(b, c->lon[o]);
		break;
	case PLACE:
		put_i64(b, place_of(c->position[o]));
		break;
	case ROUTE:
		put_i64(b, c->route[o]);
		break;
	case COUNTRY:
		put_i64(b, c->country[o]);
		break;
	case CAUSE_OF:
		put_i64(b, c->cause[o]);
		break;
	case MEANS_OF:
		put_i64(b, c->meansof[o]);
		break;
	case DEAD:
		put_i64(b, count_of(c, o, COUNTS_DEAD));
		break;
	case MISSING:
		put_i64(b, count_of(c, o, COUNTS_MISSING));
		break;
	case SURVIVORS:
		put_i64(b, count_of(c, o, COUNTS_SURVIVORS));
		break;
	case PERSONS:
		put_i64(b, count_of(c, o, COUNTS_PERSONS));
		break;
	case COLUMN_COUNT:
		break;
	}
}

static void put_codes(struct buf *b, const char *name, int book)
{
	buf_printf(b, ",\"%s\":[", name);
	for (size_t i = 0; i < codebooks[book].n; i++)
		buf_printf(b, "%s\"%s\"", i > 0 ? "," : "", codebooks[book].values[i].code);
	buf_putc(b, ']');
}

int index_overview(const struct report_index *x, const struct index_filter *f, struct buf *out)
{
	static const char *const names[COLUMN_COUNT] = { "id",    "day",     "precision", "lat",   "lon",  "place",   "route",
							 "country", "cause", "means",     "dead",  "missing", "survivors", "persons" };
	struct shown s;
	int r = choose(x, f, &s);
	if (r == 0) {
		buf_printf(out, "{\"version\":%llu,\"n\":%zu,\"left_out\":%llu", (unsigned long long)x->version, s.n,
			   (unsigned long long)s.left_out);
		for (enum column column = 0; column < COLUMN_COUNT; column++) {
			buf_printf(out, ",\"%s\":[", names[column]);
			for (size_t i = 0; i < s.n; i++) {
				if (i > 0)
					buf_putc(out, ',');
				put_value(out, column, chunk_of(x, s.row[i]), offset_of(s.row[i]));
			}
			buf_putc(out, ']');
		}
		put_codes(out, "routes", CB_ROUTE);
		put_codes(out, "countries", CB_COUNTRY);
		put_codes(out, "causes", CB_CAUSE);
		put_codes(out, "means_codes", CB_MEANS);
		buf_putc(out, '}');
		r = out->error;
	}
	mem_free(s.row);
	return r;
}
