/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "domain/report/report_fields.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "tbl/codebook/codebook.h"

static const char *const outcome[] = { "actual", "attempted", "unknown", NULL };
static const char *const manner[] = { "overt", "clandestine", "unknown", NULL };
static const char *const crossing[] = { "official", "unofficial", "none", "unknown", NULL };
static const char *const direction[] = { "in", "out", "through", "unknown", NULL };
static const char *const counts_are[] = { "exact", "estimate", "minimum", "unknown", NULL };
static const char *const empty[] = { "unknown", "not_collected", "withheld", NULL };
static const char *const yes[] = { "yes", "no", "unknown", NULL };
static const char *const population[] = { "smuggled", "irregular", "other", "unknown", NULL };
static const char *const light[] = { "intercepted", "disclosed", "both", "neither", "unknown", NULL };
static const char *const measure_state[] = { "taken", "planned", NULL };
static const char *const impact[] = { "none", "low", "medium", "high", "very_high", "unknown", NULL };
static const char *const tlp[] = { "clear", "green", "amber", "amber_strict", "red", NULL };

const char *const *const choices[CHOICES_COUNT] = {
	[CHOICES_OUTCOME] = outcome,       [CHOICES_MANNER] = manner,         [CHOICES_CROSSING] = crossing,
	[CHOICES_DIRECTION] = direction,   [CHOICES_COUNTS_ARE] = counts_are, [CHOICES_EMPTY] = empty,
	[CHOICES_YES] = yes,               [CHOICES_POPULATION] = population, [CHOICES_LIGHT] = light,
	[CHOICES_MEASURE] = measure_state, [CHOICES_IMPACT] = impact,         [CHOICES_TLP] = tlp,
};

#define FIELD(column, kind, arg, max, name) { #column, kind, arg, max, name }
static const struct field core_fields[] = {
#define CORE(column, kind, arg, max, group, name) FIELD(column, kind, arg, max, name),
#include "domain/report/incident.def"
};
static const struct field counts_fields[] = {
#define COUNTS(column, kind, arg, max, group, name) FIELD(column, kind, arg, max, name),
#include "domain/report/incident.def"
};
static const struct field detail_fields[] = {
#define DETAIL(column, kind, arg, max, group, name) FIELD(column, kind, arg, max, name),
#include "domain/report/incident.def"
};
static const struct field prov_fields[] = {
#define PROV(column, kind, arg, max, group, name) FIELD(column, kind, arg, max, name),
#include "domain/report/incident.def"
};
static const struct field child_fields[] = {
#define BLOCK(block) { NULL, 0, 0, 0, NULL },
#define CHILD(block, column, kind, arg, max, name) FIELD(column, kind, arg, max, name),
#define END(block) { NULL, 0, 0, 0, NULL },
#include "domain/report/incident.def"
};

const struct json_item json_items[] = {
#define CORE(column, kind, arg, max, group, name) { group, name, B_CORE, CORE_##column },
#define COUNTS(column, kind, arg, max, group, name) { group, name, B_COUNTS, COUNTS_##column },
#define DETAIL(column, kind, arg, max, group, name) { group, name, B_DETAIL, DETAIL_##column },
#define PROV(column, kind, arg, max, group, name) { group, name, B_PROV, PROV_##column },
#define ROWS(block, group, name, max) { group, name, B_##block, -1 },
#include "domain/report/incident.def"
};
const size_t json_item_count = sizeof(json_items) / sizeof(*json_items);

const struct block_row blocks[B_COUNT] = {
	[B_CORE] = { "CORE", core_fields, CORE_FIELDS, 1 },
	[B_COUNTS] = { "COUNTS", counts_fields, COUNTS_FIELDS, 1 },
	[B_DETAIL] = { "DETAIL", detail_fields, DETAIL_FIELDS, 1 },
	[B_PROV] = { "PROV", prov_fields, PROV_FIELDS, 1 },
#define ROWS(block, group, name, max) [B_##block] = { #block, child_fields + M_##block + 1, WIDTH_##block, max },
#include "domain/report/incident.def"
};

void incident_init(struct incident *inc)
{
	*inc = (struct incident){ 0 };
	size_t at = 0;
	for (int b = 0; b < B_FIRST_MANY; b++) {
		inc->at[b] = inc->one + at;
		inc->n[b] = inc->cap[b] = 1;
		at += blocks[b].n;
	}
	incident_clear(inc);
}

void incident_release(struct incident *inc)
{
	for (int b = B_FIRST_MANY; b < B_COUNT; b++)
		mem_free(inc->at[b]);
	*inc = (struct incident){ 0 };
}

void incident_clear(struct incident *inc)
{
	for (size_t i = 0; i < INCIDENT_CELLS; i++)
		inc->one[i] = CELL_ABSENT;
	for (int b = B_FIRST_MANY; b < B_COUNT; b++)
		inc->n[b] = 0;
}

struct cell *incident_add(struct incident *inc, enum block b, int *ret_error)
{
	const struct block_row *row = &blocks[b];
	if (inc->n[b] == row->max) {
		*ret_error = FW_ELIMIT;
		return NULL;
	}
	if (inc->n[b] == inc->cap[b]) {
		uint32_t cap = inc->cap[b] == 0 ? 8 : inc->cap[b] * 2;
		struct cell *p = mem_realloc(inc->at[b], cap * row->n * sizeof(*p));
		if (p == NULL) {
			*ret_error = -ENOMEM;
			return NULL;
		}
		inc->at[b] = p;
		inc->cap[b] = cap;
	}
	struct cell *cells = inc->at[b] + inc->n[b]++ * row->n;
	for (size_t i = 0; i < row->n; i++)
		cells[i] = CELL_ABSENT;
	return cells;
}

static bool date_valid(int64_t packed)
{
	if (packed < 10000 || packed > 99991231)
		return false;
	struct date d = date_unpack(packed), back;
	char text[DATE_TEXT_LEN + 1];
	if ((d.day != 0 && d.month == 0))
		return false;
	date_format(d, text);
	return date_parse(text, &back) == 0 && date_pack(back) == packed;
}

static size_t choice_count(int list)
{
	size_t n = 0;
	while (choices[list][n] != NULL)
		n++;
	return n;
}

bool cell_valid(const struct field *f, const struct cell *c)
{
	if (!cell_set(c))
		return true;
	switch ((enum field_kind)f->kind) {
	case TEXT:
		return c->s != NULL && c->i > 0 && c->i <= f->max && memchr(c->s, 0, (size_t)c->i) == NULL &&
		       utf8_valid(c->s, (size_t)c->i);
	case UUID:
		return c->s != NULL && c->i == 16;
	case CODE:
		return c->i >= 0 && (size_t)c->i < codebooks[f->arg].n;
	case ENUM:
		return c->i >= 0 && (size_t)c->i < choice_count(f->arg);
	case SET:
		return c->i > 0 && ((uint64_t)c->i >> codebooks[f->arg].n) == 0;
	case COUNT:
		return (c->i >= COUNT_LEAST && c->i <= COUNT_MOST) || c->i == COUNT_UNKNOWN || c->i == COUNT_WITHHELD;
	case INT:
	case BOOL:
		return c->i >= 0 && c->i <= f->max;
	case DATE:
		return date_valid(c->i);
	case TIME:
		return c->i >= -62135596800 * USEC_PER_SEC && c->i < 253402300800 * USEC_PER_SEC;
	case DEG:
		return c->i >= -f->max * DEG_ONE && c->i <= f->max * DEG_ONE;
	}
	return false;
}

bool cell_same(const struct cell *a, const struct cell *b)
{
	if (a->i != b->i || (a->s == NULL) != (b->s == NULL))
		return false;
	return a->s == NULL || memcmp(a->s, b->s, (size_t)a->i) == 0;
}

int64_t date_pack(struct date d)
{
	return d.precision == DATE_UNKNOWN ? CELL_NONE : d.year * 10000 + d.month * 100 + d.day;
}

struct date date_unpack(int64_t packed)
{
	if (packed == CELL_NONE)
		return (struct date){ 0 };
	struct date d = { (int16_t)(packed / 10000), (uint8_t)(packed / 100 % 100), (uint8_t)(packed % 100), 0 };
	d.precision = d.day != 0 ? DATE_DAY : d.month != 0 ? DATE_MONTH : DATE_YEAR;
	return d;
}
