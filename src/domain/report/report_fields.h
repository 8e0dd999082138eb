/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * An incident report in memory, and the description of its fields.
 *
 * A report is blocks of rows of cells.  Four blocks have exactly one row
 * (core, counts, detail, provenance), the others any number up to their
 * maximum.  What a cell holds is said by its field's kind; incident.def lists
 * them all.  So every codec is one loop, and a new field is one line.
 *
 *   kind    cell
 *   TEXT    s, i = bytes; valid UTF-8 without NUL; not owned
 *   UUID    s = 16 bytes, i = 16; not owned
 *   CODE    i = index in its codebook
 *   ENUM    i = index in its list of choices
 *   SET     i = bits, 1 << index in its codebook
 *   COUNT   i = number, or COUNT_UNKNOWN, COUNT_WITHHELD; absent: not collected
 *   INT     i;  BOOL  i = 0 or 1
 *   DATE    i = year * 10000 + month * 100 + day, with zeros for what is not known
 *   TIME    i = UTC microseconds
 *   DEG     i = degrees * 10 000 000
 *
 * An absent cell has s == NULL and i == CELL_NONE.
 */
#ifndef FW_REPORT_FIELDS_H
#define FW_REPORT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

struct cell {
	const char *s;
	int64_t i;
};
#define CELL_NONE INT64_MIN
#define CELL_ABSENT ((struct cell){ NULL, CELL_NONE })

enum {
	COUNT_UNKNOWN = -1000001,
	COUNT_NOT_COLLECTED = -1000002, /* in columns for the browser only; a cell is absent */
	COUNT_WITHHELD = -1000003,
	COUNT_LEAST = -1000000,
	COUNT_MOST = 1000000000,
};
#define DEG_ONE INT64_C(10000000)

enum field_kind { TEXT, UUID, CODE, ENUM, SET, COUNT, INT, BOOL, DATE, TIME, DEG };

enum choices {
	CHOICES_OUTCOME,
	CHOICES_MANNER,
	CHOICES_CROSSING,
	CHOICES_DIRECTION,
	CHOICES_COUNTS_ARE,
	CHOICES_EMPTY,
	CHOICES_YES,
	CHOICES_POPULATION,
	CHOICES_LIGHT,
	CHOICES_MEASURE,
	CHOICES_IMPACT,
	CHOICES_TLP,
	CHOICES_COUNT
};
/* The words of a choice, NULL after the last. */
extern const char *const *const choices[CHOICES_COUNT];
enum { YES_YES, YES_NO, YES_UNKNOWN }; /* CHOICES_YES */
enum { EMPTY_UNKNOWN, EMPTY_NOT_COLLECTED, EMPTY_WITHHELD }; /* CHOICES_EMPTY */

enum block {
	B_CORE,
	B_COUNTS,
	B_DETAIL,
	B_PROV,
#define ROWS(block, group, name, max) B_##block,
#include "domain/report/incident.def"
	B_COUNT
};
enum { B_FIRST_MANY = B_PROV + 1 };

enum {
#define CORE(column, kind, arg, max, group, name) CORE_##column,
#include "domain/report/incident.def"
	CORE_FIELDS
};
enum {
#define COUNTS(column, kind, arg, max, group, name) COUNTS_##column,
#include "domain/report/incident.def"
	COUNTS_FIELDS
};
enum { COUNTS_MEASURES = COUNTS_COUNTS_ARE }; /* the measures stand first */
enum {
#define DETAIL(column, kind, arg, max, group, name) DETAIL_##column,
#include "domain/report/incident.def"
	DETAIL_FIELDS
};
enum {
#define PROV(column, kind, arg, max, group, name) PROV_##column,
#include "domain/report/incident.def"
	PROV_FIELDS
};
/* Fields of rows: their places in one list, then in their own block. */
enum {
#define BLOCK(block) M_##block,
#define CHILD(block, column, kind, arg, max, name) M_##block##_##column,
#define END(block) E_##block,
#include "domain/report/incident.def"
};
enum {
#define END(block) WIDTH_##block = E_##block - M_##block - 1,
#include "domain/report/incident.def"
};
enum {
#define CHILD(block, column, kind, arg, max, name) block##_##column = M_##block##_##column - M_##block - 1,
#include "domain/report/incident.def"
};

struct field {
	const char *column; /* as in SQL, in capitals */
	uint8_t kind;       /* enum field_kind */
	int arg;            /* codebook or choices */
	int64_t max;
	const char *name;   /* in JSON; "" where the row itself is the value */
};

struct block_row {
	const char *name; /* in capitals */
	const struct field *fields;
	size_t n;
	size_t max; /* rows */
};
extern const struct block_row blocks[B_COUNT];

/* The order in JSON: fields and rows; those of one group stand together. */
struct json_item {
	const char *group, *name;
	uint8_t block;
	int16_t field; /* -1: the rows of the block */
};
extern const struct json_item json_items[];
extern const size_t json_item_count;

enum { INCIDENT_CELLS = CORE_FIELDS + COUNTS_FIELDS + DETAIL_FIELDS + PROV_FIELDS };

struct incident {
	struct cell *at[B_COUNT]; /* rows of n * fields cells */
	uint32_t n[B_COUNT];      /* rows; 1 for the first four */
	uint32_t cap[B_COUNT];
	struct cell one[INCIDENT_CELLS];
};
/* Empty; takes no memory until rows are added, and keeps it for the next report until release. */
void incident_init(struct incident *inc);
void incident_release(struct incident *inc);
void incident_clear(struct incident *inc);
/* A new row of absent cells, or NULL with *ret_error -ENOMEM or FW_ELIMIT. */
struct cell *incident_add(struct incident *inc, enum block b, int *ret_error);

static inline struct cell *incident_row(const struct incident *inc, enum block b, size_t row)
{
	return inc->at[b] + row * blocks[b].n;
}
static inline bool cell_set(const struct cell *c) { return c->i != CELL_NONE; }
static inline struct cell cell_int(int64_t i) { return (struct cell){ NULL, i }; }
/* Absent for the empty text. */
static inline struct cell cell_text(const char *s, size_t n)
{
	return n > 0 ? (struct cell){ s, (int64_t)n } : CELL_ABSENT;
}

/* Whether the cell may stand in a field of this kind: range, length, UTF-8, calendar. Absent may always. */
bool cell_valid(const struct field *f, const struct cell *c);
/* Same value. */
bool cell_same(const struct cell *a, const struct cell *b);

int64_t date_pack(struct date d); /* CELL_NONE when unknown */
struct date date_unpack(int64_t packed);

#endif
