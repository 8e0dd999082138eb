/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/process/metrics.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"

struct series {
	struct series *next; /* of the same metric, newest first */
	int metric;
	const char *label[METRICS_LABELS];
	double value;      /* of a histogram: the sum */
	uint64_t count;    /* of a histogram */
	uint64_t *buckets; /* of a histogram, one a bound */
};

struct metrics {
	const struct metric_row *rows;
	size_t nrows;
	struct arena *mem;
	struct series **first;                    /* by metric */
	struct series *table[METRICS_SERIES * 2]; /* open addressing */
	size_t n;
};

int metrics_new(const struct metric_row *rows, size_t n, struct metrics **ret)
{
	struct metrics *m = mem_alloc(sizeof(*m));
	struct arena *a = arena_new((size_t)4 << 20);
	struct series **first = a != NULL ? arena_array(a, n, sizeof(*first)) : NULL;
	if (m == NULL || first == NULL) {
		mem_free(m);
		arena_free(a);
		return -ENOMEM;
	}
	*m = (struct metrics){.rows = rows, .nrows = n, .mem = a, .first = first};
	*ret = m;
	return 0;
}

void metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	arena_free(m->mem);
	mem_free(m);
}

static bool same(const char *x, const char *y)
{
	return x == y || (x != NULL && y != NULL && strcmp(x, y) == 0);
}

static size_t hash(int metric, const char *const *label)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)metric; /* FNV-1a */
	for (size_t i = 0; i < METRICS_LABELS; i++)
		for (const char *p = label[i]; p != NULL && *p != '\0'; p++)
			h = (h ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	return (size_t)(h ^ h >> 29);
}

static struct series *make(struct metrics *m, int metric, const char *const *label)
{
	const struct metric_row *row = &m->rows[metric];
	struct series *s = arena_alloc(m->mem, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->metric = metric;
	for (size_t i = 0; i < METRICS_LABELS; i++)
		s->label[i] = label[i] != NULL ? arena_strdup(m->mem, label[i]) : NULL;
	s->buckets = arena_array(m->mem, row->nbounds, sizeof(*s->buckets));
	if (arena_failed(m->mem))
		return NULL;
	s->next = m->first[metric];
	m->first[metric] = s;
	m->n++;
	return s;
}

static struct series *find(struct metrics *m, int metric, const char *a, const char *b)
{
	const char *label[METRICS_LABELS] = {a, b};
	assert(metric >= 0 && (size_t)metric < m->nrows);
	for (size_t i = hash(metric, label);; i++) {
		struct series **at = &m->table[i % (METRICS_SERIES * 2)];
		if (*at == NULL && m->n >= METRICS_SERIES)
			return NULL; /* labels come from closed sets: this is a bug, and it costs a
					number only */
		if (*at == NULL)
			return *at = make(m, metric, label);
		if ((*at)->metric == metric && same((*at)->label[0], a) && same((*at)->label[1], b))
			return *at;
	}
}

void metrics_add(struct metrics *m, int metric, const char *a, const char *b, double by)
{
	struct series *s = find(m, metric, a, b);
	if (s != NULL)
		s->value += by;
}

void metrics_set(struct metrics *m, int metric, const char *a, const char *b, double value)
{
	struct series *s = find(m, metric, a, b);
	if (s != NULL)
		s->value = value;
}

void metrics_observe(struct metrics *m, int metric, const char *a, const char *b, double value)
{
	struct series *s = find(m, metric, a, b);
	if (s == NULL)
		return;
	const struct metric_row *row = &m->rows[metric];
	s->value += value;
	s->count++;
	for (size_t i = 0; i < row->nbounds; i++)
		s->buckets[i] += value <= row->bounds[i];
}

static void put_value(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\n')
			buf_puts(out, "\\n");
		else if (*s == '"' || *s == '\\')
			buf_printf(out, "\\%c", *s);
		else
			buf_putc(out, *s);
	}
}

/* NAME_SUFFIX{label="value",le="..."} */
static void put_name(struct buf *out, const struct metric_row *row, const struct series *s,
		     const char *suffix, const char *le)
{
	bool any = false;
	buf_printf(out, "%s%s", row->name, suffix);
	for (size_t i = 0; i < METRICS_LABELS && row->labels != NULL && row->labels[i] != NULL;
	     i++) {
		buf_printf(out, "%s%s=\"", any ? "," : "{", row->labels[i]);
		put_value(out, s->label[i] != NULL ? s->label[i] : "");
		buf_putc(out, '"');
		any = true;
	}
	if (le != NULL) {
		buf_printf(out, "%sle=\"%s\"", any ? "," : "{", le);
		any = true;
	}
	buf_puts(out, any ? "} " : " ");
}

static void put_number(struct buf *out, double v)
{
	if (v == floor(v) && fabs(v) < 1e15)
		buf_printf(out, "%.0f\n", v);
	else
		buf_printf(out, "%.9g\n", v);
}

static void put_series(struct buf *out, const struct metric_row *row, const struct series *s)
{
	if (row->type != METRIC_HISTOGRAM) {
		put_name(out, row, s, "", NULL);
		put_number(out, s->value);
		return;
	}
	for (size_t i = 0; i < row->nbounds; i++) {
		char le[32];
		(void)snprintf(le, sizeof(le), "%g", row->bounds[i]);
		put_name(out, row, s, "_bucket", le);
		put_number(out, (double)s->buckets[i]);
	}
	put_name(out, row, s, "_bucket", "+Inf");
	put_number(out, (double)s->count);
	put_name(out, row, s, "_sum", NULL);
	put_number(out, s->value);
	put_name(out, row, s, "_count", NULL);
	put_number(out, (double)s->count);
}

void metrics_text(const struct metrics *m, struct buf *out)
{
	static const char *const types[] = {[METRIC_COUNTER] = "counter",
					    [METRIC_GAUGE] = "gauge",
					    [METRIC_HISTOGRAM] = "histogram"};
	for (size_t i = 0; i < m->nrows; i++) {
		if (m->first[i] == NULL)
			continue;
		buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->rows[i].name, m->rows[i].words,
			   m->rows[i].name, types[m->rows[i].type]);
		for (const struct series *s = m->first[i]; s != NULL; s = s->next)
			put_series(out, &m->rows[i], s);
	}
}
