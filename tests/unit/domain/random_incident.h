/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reports out of a seed, of every field and block: what a reader may hand over and report_validate() passes. Nothing in them happened. */
#ifndef FW_TESTS_RANDOM_INCIDENT_H
#define FW_TESTS_RANDOM_INCIDENT_H

#include "test.h"

#include "base/arena.h"
#include "domain/report/report_fields.h"
#include "tbl/codebook/codebook.h"

/* Words with everything that a text may hold: quotes, line ends, wide characters, what SQL and CSV take for their own. */
static inline struct cell random_text(struct prop *p, size_t max, struct arena *mem)
{
	static const char *const parts[] = { "a", "'", "\"", ",", ";", "\n", "\r\n", "%", "\\", "$1", "\u00e9", "\u0639\u0628", "\u0e17",
					     "\U0001f6a4", "=1+1", "--", "NULL", " ", "\t", "word", "\u202e" };
	size_t want = prop_below(p, 8) == 0 ? max : 1 + prop_below(p, max < 60 ? max : 60), n = 0;
	char *s = arena_alloc(mem, max + 1);
	assert_non_null(s);
	while (n < want) {
		const char *part = parts[prop_below(p, sizeof(parts) / sizeof(*parts))];
		size_t len = strlen(part);
		if (n + len > want) {
			part = "x";
			len = 1;
		}
		memcpy(s + n, part, len);
		n += len;
	}
	return cell_text(s, n);
}

static inline int64_t random_date(struct prop *p)
{
	int64_t year = 1900 + (int64_t)prop_below(p, 200) + 1, month = (int64_t)prop_below(p, 13);
	return year * 10000 + month * 100 + (month > 0 ? (int64_t)prop_below(p, 29) : 0);
}

static inline int64_t random_count(struct prop *p)
{
	static const int64_t odd[] = { 0, COUNT_UNKNOWN, COUNT_WITHHELD, COUNT_LEAST, COUNT_MOST, -1 };
	return prop_below(p, 3) == 0 ? odd[prop_below(p, 6)] : (int64_t)prop_below(p, 400);
}

static inline struct cell random_cell(struct prop *p, const struct field *f, struct arena *mem)
{
	uint8_t *id;
	size_t n = 0;
	switch ((enum field_kind)f->kind) {
	case TEXT:
		return random_text(p, (size_t)f->max, mem);
	case UUID:
		id = arena_alloc(mem, 16);
		assert_non_null(id);
		prop_bytes(p, id, 16);
		return (struct cell){ (const char *)id, 16 };
	case CODE:
		return cell_int((int64_t)prop_below(p, codebooks[f->arg].n));
	case ENUM:
		while (choices[f->arg][n] != NULL)
			n++;
		return cell_int((int64_t)prop_below(p, n));
	case SET:
		return cell_int((int64_t)(1 + prop_below(p, (UINT64_C(1) << codebooks[f->arg].n) - 1)));
	case COUNT:
		return cell_int(random_count(p));
	case INT:
	case BOOL:
		return cell_int((int64_t)prop_below(p, (uint64_t)f->max + 1));
	case DATE:
		return cell_int(random_date(p));
	case TIME:
		return cell_int((int64_t)prop_below(p, UINT64_C(4000000000000000)));
	case DEG:
		return cell_int((int64_t)prop_below(p, 2 * (uint64_t)f->max * DEG_ONE + 1) - f->max * DEG_ONE);
	}
	return CELL_ABSENT;
}

/* Of the fields about one in ${sparse}; 1: all. */
static inline void random_row(struct prop *p, unsigned b, struct cell *row, unsigned sparse, struct arena *mem)
{
	for (size_t i = 0; i < blocks[b].n; i++)
		if (prop_below(p, sparse) == 0)
			row[i] = random_cell(p, &blocks[b].fields[i], mem);
}

static inline void ensure(struct prop *p, unsigned b, struct cell *row, size_t field, struct arena *mem)
{
	if (!cell_set(&row[field]))
		row[field] = random_cell(p, &blocks[b].fields[field], mem);
}

/* What report_validate() asks of rows. */
static inline void mend_row(struct prop *p, unsigned b, struct cell *row, struct arena *mem)
{
	if (b == B_FEE) {
		for (size_t i = FEE_LOW; i <= FEE_HIGH; i++)
			row[i] = cell_int((int64_t)(i * 1000 + prop_below(p, 1000)));
		ensure(p, b, row, FEE_CURRENCY, mem);
		return;
	}
	for (size_t i = 0; i < blocks[b].n; i++)
		if (b != B_LEG && b != B_ORIGIN && b != B_PEOPLE && b != B_FACILITATOR && b != B_SOURCE)
			ensure(p, b, row, i, mem);
}

/* ${inc} is initialised; its texts live in ${mem}. Of the blocks each has up to ${rows} rows. */
static inline void random_incident(struct prop *p, struct incident *inc, unsigned sparse, size_t rows, struct arena *mem)
{
	incident_clear(inc);
	for (unsigned b = 0; b < B_FIRST_MANY; b++)
		random_row(p, b, inc->at[b], sparse, mem);
	struct cell *core = inc->at[B_CORE];
	ensure(p, B_CORE, core, CORE_TYPE, mem);
	ensure(p, B_CORE, core, CORE_NUMBER, mem);
	ensure(p, B_PROV, inc->at[B_PROV], PROV_SYSTEM, mem);
	ensure(p, B_PROV, inc->at[B_PROV], PROV_SOURCE_ID, mem);
	if (cell_set(&core[CORE_LAT]) || cell_set(&core[CORE_LON])) {
		ensure(p, B_CORE, core, CORE_LAT, mem);
		ensure(p, B_CORE, core, CORE_LON, mem);
		ensure(p, B_CORE, core, CORE_POSITION, mem);
	}
	if (cell_set(&core[CORE_TO_DAY])) {
		core[CORE_FROM_DAY] = cell_int(random_date(p));
		core[CORE_TO_DAY] = cell_int((core[CORE_FROM_DAY].i / 10000 + 1) * 10000);
	}
	for (unsigned b = B_FIRST_MANY; b < B_COUNT; b++) {
		size_t most = rows < blocks[b].max ? rows : blocks[b].max, n = sparse == 1 ? most : prop_below(p, most + 1);
		for (size_t i = 0; i < n; i++) {
			int r = 0;
			struct cell *row = incident_add(inc, (enum block)b, &r);
			assert_non_null(row);
			random_row(p, b, row, sparse, mem);
			mend_row(p, b, row, mem);
		}
	}
}

/* Where they differ, as text for a message; NULL if nowhere. */
static inline const char *incident_difference(const struct incident *a, const struct incident *b)
{
	static char where[200];
	for (unsigned k = 0; k < B_COUNT; k++) {
		size_t n = k < B_FIRST_MANY ? 1 : a->n[k];
		(void)snprintf(where, sizeof(where), "rows of %s", blocks[k].name);
		if (k >= B_FIRST_MANY && a->n[k] != b->n[k])
			return where;
		for (size_t r = 0; r < n; r++)
			for (size_t i = 0; i < blocks[k].n; i++) {
				(void)snprintf(where, sizeof(where), "%s %s of row %zu", blocks[k].name, blocks[k].fields[i].column, r);
				if (!cell_same(&incident_row(a, (enum block)k, r)[i], &incident_row(b, (enum block)k, r)[i]))
					return where;
			}
	}
	return NULL;
}

#endif
