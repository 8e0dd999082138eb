/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "domain/report/report_index.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "domain/report/report_index_int.h"
#include "domain/report/report_store.h"
#include "domain/report/report_validate.h"
#include "gen/sql.h"
#include "store/store.h"
#include "tbl/codebook/codebook.h"

_Static_assert(CV_ROUTE_UNKNOWN < FILTER_WORDS * 64 && CV_COUNTRY_ZZZ < FILTER_WORDS * 64, "a filter has a bit for each");
_Static_assert(CV_CAUSE_OTHER < 64 && CV_MEANS_UNKNOWN < 64 && CV_STATUS_CLOSED < 64, "causes, means and states fit 64 bits");

int index_new(struct report_index **ret)
{
	struct report_index *x = mem_alloc(sizeof(*x));
	if (x == NULL)
		return -ENOMEM;
	*x = (struct report_index){ 0 };
	*ret = x;
	return 0;
}

static void free_chunk(struct chunk *c)
{
	if (c == NULL)
		return;
	for (size_t m = 0; m < COUNTS_MEASURES; m++)
		mem_free(c->count[m]);
	mem_free(c);
}

/* Everything it owns, but not itself. */
static void empty(struct report_index *x)
{
	for (size_t i = 0; i < x->nchunks; i++)
		free_chunk(x->chunk[i]);
	mem_free(x->chunk);
	mem_free(x->slot);
	mem_free(x->owner);
	*x = (struct report_index){ .version = x->version };
}

void index_free(struct report_index *x)
{
	if (x != NULL)
		empty(x);
	mem_free(x);
}

size_t index_count(const struct report_index *x)
{
	return x->n;
}

uint64_t index_version(const struct report_index *x)
{
	return x->version;
}

/* ---- ids ---- */

static size_t hash_of(const struct uuid *id)
{
	uint64_t h;
	memcpy(&h, id->b + 8, sizeof(h)); /* the random half */
	h ^= (uint64_t)id->b[6] << 32 | (uint64_t)id->b[5] << 40 | (uint64_t)id->b[4] << 48;
	return (size_t)(h * UINT64_C(0x9e3779b97f4a7c15) >> 20);
}

/* The slot that holds the id, or the empty one where it would stand. */
static size_t slot_of(const struct report_index *x, const struct uuid *id)
{
	size_t at = hash_of(id) & x->mask;
	while (x->slot[at] != 0 && !uuid_equal(&chunk_of(x, x->slot[at] - 1)->id[offset_of(x->slot[at] - 1)], id))
		at = (at + 1) & x->mask;
	return at;
}

static int grow_slots(struct report_index *x, size_t rows)
{
	size_t size = x->slot != NULL ? x->mask + 1 : 0, want = 1024;
	while (want < rows * 2)
		want *= 2;
	if (want <= size)
		return 0;
	uint32_t *slot = mem_alloc(want * sizeof(*slot));
	if (slot == NULL)
		return -ENOMEM;
	memset(slot, 0, want * sizeof(*slot));
	mem_free(x->slot);
	x->slot = slot;
	x->mask = want - 1;
	for (size_t r = 0; r < x->n; r++)
		x->slot[slot_of(x, &chunk_of(x, r)->id[offset_of(r)])] = (uint32_t)r + 1;
	return 0;
}

/* ---- putting ---- */

static int owner_of(struct report_index *x, const struct uuid *owner)
{
	for (size_t i = 0; i < x->nowners; i++)
		if (uuid_equal(&x->owner[i], owner))
			return (int)i;
	if (x->nowners == OWNERS_MAX)
		return FW_ELIMIT;
	if (x->nowners == x->cowners) {
		size_t cap = x->cowners == 0 ? 8 : x->cowners * 2;
		struct uuid *p = mem_realloc(x->owner, cap * sizeof(*p));
		if (p == NULL)
			return -ENOMEM;
		x->owner = p;
		x->cowners = cap;
	}
	x->owner[x->nowners] = *owner;
	return (int)x->nowners++;
}

static int add_row(struct report_index *x)
{
	int r = grow_slots(x, x->n + 1);
	if (r < 0 || x->n < x->nchunks * CHUNK_ROWS)
		return r;
	if (x->nchunks == x->cchunks) {
		size_t cap = x->cchunks == 0 ? 16 : x->cchunks * 2;
		struct chunk **p = mem_realloc(x->chunk, cap * sizeof(*p));
		if (p == NULL)
			return -ENOMEM;
		x->chunk = p;
		x->cchunks = cap;
	}
	struct chunk *c = mem_alloc(sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	memset(c->count, 0, sizeof(c->count));
	x->chunk[x->nchunks++] = c;
	return 0;
}

static int put_counts(struct chunk *c, size_t o, const int32_t *count)
{
	for (size_t m = 0; m < COUNTS_MEASURES; m++) {
		if (c->count[m] == NULL && count[m] != COUNT_NOT_COLLECTED) {
			c->count[m] = mem_alloc(CHUNK_ROWS * sizeof(**c->count));
			if (c->count[m] == NULL)
				return -ENOMEM;
			for (size_t i = 0; i < CHUNK_ROWS; i++)
				c->count[m][i] = COUNT_NOT_COLLECTED;
		}
		if (c->count[m] != NULL)
			c->count[m][o] = count[m];
	}
	return 0;
}

static int put(struct report_index *x, const struct index_entry *e)
{
	int owner = owner_of(x, &e->owner), r = owner < 0 ? owner : add_row(x);
	if (r < 0)
		return r;
	size_t slot = slot_of(x, &e->id), row = x->slot[slot] != 0 ? x->slot[slot] - 1 : x->n;
	struct chunk *c = chunk_of(x, row);
	size_t o = offset_of(row);
	if (row < x->n && e->version < c->version[o])
		return 0;
	r = put_counts(c, o, e->count);
	if (r < 0)
		return r;
	c->id[o] = e->id;
	c->causes[o] = e->causes;
	c->means[o] = e->means;
	c->first[o] = e->first;
	c->last[o] = e->last;
	c->lat[o] = e->lat;
	c->lon[o] = e->lon;
	c->version[o] = e->version;
	c->owner[o] = (uint16_t)owner;
	c->route[o] = e->route;
	c->country[o] = e->country;
	c->cause[o] = (int8_t)e->cause;
	c->meansof[o] = (int8_t)e->meansof;
	c->status[o] = e->status;
	c->precision[o] = e->precision;
	c->position[o] = e->position;
	c->flags[o] = (uint8_t)(e->personal | e->synthetic << 1);
	if (row == x->n) {
		x->slot[slot] = (uint32_t)row + 1;
		x->n++;
	}
	return 0;
}

void index_put(struct report_index *x, const struct index_entry *e)
{
	x->version++;
	if (x->filled && put(x, e) < 0)
		x->filled = false;
}

void index_stale(struct report_index *x)
{
	x->version++;
	x->filled = false;
}

void index_get(const struct report_index *x, size_t row, struct index_entry *ret)
{
	const struct chunk *c = chunk_of(x, row);
	size_t o = offset_of(row);
	*ret = (struct index_entry){ .owner = x->owner[c->owner[o]], .id = c->id[o], .version = c->version[o],
				     .first = c->first[o], .last = c->last[o], .lat = c->lat[o], .lon = c->lon[o],
				     .causes = c->causes[o], .means = c->means[o], .route = c->route[o],
				     .country = c->country[o], .cause = c->cause[o], .meansof = c->meansof[o],
				     .status = c->status[o], .precision = c->precision[o], .position = c->position[o],
				     .personal = c->flags[o] & 1, .synthetic = c->flags[o] >> 1 & 1 };
	for (size_t m = 0; m < COUNTS_MEASURES; m++)
		ret->count[m] = count_of(c, o, m);
}

bool index_find(const struct report_index *x, const struct uuid *id, struct index_entry *ret)
{
	size_t slot = x->slot != NULL ? slot_of(x, id) : 0;
	if (x->slot == NULL || x->slot[slot] == 0)
		return false;
	index_get(x, x->slot[slot] - 1, ret);
	return true;
}

/* ---- from a report ---- */

static int32_t ten_thousandths(const struct cell *deg)
{
	if (!cell_set(deg))
		return INT32_MIN;
	return (int32_t)((deg->i + (deg->i < 0 ? -500 : 500)) / 1000);
}

static int16_t code_of(const struct cell *c)
{
	return cell_set(c) ? (int16_t)c->i : -1;
}

static uint8_t status_of(const char *status)
{
	int v = codebook_find(CB_STATUS, status, strlen(status));
	return (uint8_t)(v < 0 ? CV_STATUS_SUBMITTED : v);
}

void index_entry_of(struct index_entry *ret, const struct report_head *h, const struct incident *inc)
{
	const struct cell *core = inc->at[B_CORE];
	struct date from = date_unpack(core[CORE_FROM_DAY].i);
	*ret = (struct index_entry){ .owner = h->owner, .id = h->id, .version = (uint32_t)h->version, .first = INT32_MIN,
				     .last = INT32_MIN, .lat = ten_thousandths(&core[CORE_LAT]),
				     .lon = ten_thousandths(&core[CORE_LON]), .route = code_of(&core[CORE_ROUTE]),
				     .country = code_of(&core[CORE_COUNTRY]), .cause = -1, .meansof = -1,
				     .status = status_of(h->status), .precision = from.precision,
				     .position = (uint8_t)(code_of(&core[CORE_POSITION]) + 1), .personal = h->personal,
				     .synthetic = core[CORE_SYNTHETIC].i == 1 };
	(void)report_days(inc, &ret->first, &ret->last);
	for (size_t i = inc->n[B_CAUSE]; i-- > 0;) {
		ret->cause = (int16_t)incident_row(inc, B_CAUSE, i)[CAUSE_CODE].i;
		ret->causes |= UINT64_C(1) << ret->cause;
	}
	for (size_t i = inc->n[B_MEANS]; i-- > 0;) {
		ret->meansof = (int16_t)incident_row(inc, B_MEANS, i)[MEANS_KIND].i;
		ret->means |= UINT64_C(1) << ret->meansof;
	}
	for (size_t m = 0; m < COUNTS_MEASURES; m++) {
		const struct cell *c = &inc->at[B_COUNTS][m];
		ret->count[m] = cell_set(c) ? (int32_t)c->i : COUNT_NOT_COLLECTED;
	}
}

/* ---- from the store ---- */

/* Rows of a child table, walked beside the reports, which come in the same order. */
struct beside {
	struct store_rows *rows;
	int book;
	bool there; /* a row stands ready */
};

static int beside_open(struct beside *b, struct store *db, int sql, int book, struct diag *d)
{
	*b = (struct beside){ .book = book };
	int r = store_query(db, sql, NULL, 0, &b->rows, d);
	if (r == 0 && (r = store_next(b->rows, d)) >= 0)
		b->there = r == 1;
	return r < 0 ? r : 0;
}

static int compare(const struct store_rows *rows, const struct index_entry *e)
{
	struct uuid owner = store_uuid(rows, 0), id = store_uuid(rows, 1);
	int64_t version = store_int(rows, 2);
	int c = uuid_compare(&owner, &e->owner);
	c = c != 0 ? c : uuid_compare(&id, &e->id);
	return c != 0 ? c : (version > e->version) - (version < e->version);
}

/* The first code and the bits of all codes of this report. */
static int beside_take(struct beside *b, const struct index_entry *e, int16_t *first, uint64_t *bits, struct diag *d)
{
	int c = 0, r = 0;
	while (b->there && (c = compare(b->rows, e)) <= 0) {
		size_t n;
		const char *code = (const char *)store_bytes(b->rows, 3, &n);
		int v = c == 0 ? codebook_find(b->book, code, n) : -1;
		if (v >= 0 && *first < 0)
			*first = (int16_t)v;
		*bits |= v >= 0 ? UINT64_C(1) << v : 0;
		r = store_next(b->rows, d);
		if (r < 0)
			return r;
		b->there = r == 1;
	}
	return 0;
}

static int16_t code_at(const struct store_rows *rows, size_t col, int book)
{
	size_t n;
	const char *s = (const char *)store_bytes(rows, col, &n);
	return s != NULL ? (int16_t)codebook_find(book, s, n) : -1;
}

enum { COLUMN_COUNTS = 15 };

static void entry_of_row(const struct store_rows *rows, struct index_entry *e)
{
	struct cell lat = { NULL, store_int(rows, 13) }, lon = { NULL, store_int(rows, 14) };
	bool dated = !store_is_null(rows, 7), placed = !store_is_null(rows, 13);
	*e = (struct index_entry){ .owner = store_uuid(rows, 0), .id = store_uuid(rows, 1),
				   .version = (uint32_t)store_int(rows, 2),
				   .first = dated ? (int32_t)store_int(rows, 7) : INT32_MIN,
				   .last = dated ? (int32_t)store_int(rows, 8) : INT32_MIN,
				   .lat = placed ? ten_thousandths(&lat) : INT32_MIN,
				   .lon = placed ? ten_thousandths(&lon) : INT32_MIN,
				   .route = code_at(rows, 11, CB_ROUTE), .country = code_at(rows, 10, CB_COUNTRY),
				   .cause = -1, .meansof = -1,
				   .position = (uint8_t)(code_at(rows, 12, CB_PRECISION) + 1),
				   .personal = store_int(rows, 5) != 0, .synthetic = store_int(rows, 6) != 0 };
	e->status = (uint8_t)code_at(rows, 4, CB_STATUS);
	e->precision = date_unpack(store_is_null(rows, 9) ? CELL_NONE : store_int(rows, 9)).precision;
	for (size_t m = 0; m < COUNTS_MEASURES; m++) {
		size_t col = COLUMN_COUNTS + 2 * m;
		int64_t why = store_int(rows, col + 1);
		e->count[m] = !store_is_null(rows, col) ? (int32_t)store_int(rows, col) :
			      why == 1 ? COUNT_UNKNOWN : why == 3 ? COUNT_WITHHELD : COUNT_NOT_COLLECTED;
	}
}

static int fill(struct report_index *x, struct store_rows *rows, struct beside *causes, struct beside *means,
		struct diag *d)
{
	int r;
	while ((r = store_next(rows, d)) == 1) {
		struct index_entry e;
		entry_of_row(rows, &e);
		r = beside_take(causes, &e, &e.cause, &e.causes, d);
		if (r == 0)
			r = beside_take(means, &e, &e.meansof, &e.means, d);
		if (r == 0)
			r = put(x, &e);
		if (r < 0)
			break;
	}
	return r;
}

int index_ready(struct report_index *x, struct store *db, struct diag *reterr)
{
	struct store_rows *rows = NULL;
	struct beside causes = { 0 }, means = { 0 };
	if (x->filled)
		return 0;
	empty(x);
	int r = store_query(db, SQL_REPORT_INDEX_ALL, NULL, 0, &rows, reterr);
	if (r == 0)
		r = beside_open(&causes, db, SQL_REPORT_INDEX_CAUSES, CB_CAUSE, reterr);
	if (r == 0)
		r = beside_open(&means, db, SQL_REPORT_INDEX_MEANS, CB_MEANS, reterr);
	if (r == 0)
		r = fill(x, rows, &causes, &means, reterr);
	store_rows_close(rows);
	store_rows_close(causes.rows);
	store_rows_close(means.rows);
	x->filled = r == 0;
	x->version++;
	return r;
}
