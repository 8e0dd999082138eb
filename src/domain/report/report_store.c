/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "domain/report/report_store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "domain/report/report_validate.h"
#include "gen/sql.h"
#include "store/store.h"
#include "tbl/codebook/codebook.h"

enum { ARGS_MAX = 100, SET_TEXT_MAX = 1000, SYSTEM_COLUMNS = 10 };

/* Statements of each block: add and get. */
static const struct {
	int16_t add, get;
} statements[B_COUNT] = {
	[B_CORE] = { SQL_REPORT_INCIDENT_ADD, SQL_REPORT_INCIDENT_GET },
	[B_COUNTS] = { SQL_REPORT_COUNTS_ADD, SQL_REPORT_COUNTS_GET },
	[B_DETAIL] = { SQL_REPORT_DETAIL_ADD, SQL_REPORT_DETAIL_GET },
	[B_PROV] = { SQL_REPORT_PROV_ADD, SQL_REPORT_PROV_GET },
#define BLOCK(block) [B_##block] = { SQL_REPORT_##block##_ADD, SQL_REPORT_##block##_GET },
#include "domain/report/incident.def"
};

/* Arguments of a statement being gathered, with room for the texts of sets. */
struct args {
	struct store_value v[ARGS_MAX];
	size_t n;
	char text[SET_TEXT_MAX];
	size_t ntext;
};

static void put(struct args *a, struct store_value v)
{
	a->v[a->n++] = v;
}

/* The codes of a set, joined by commas. */
static struct store_value set_text(struct args *a, int book, uint64_t bits)
{
	size_t from = a->ntext;
	for (int i = 0; bits != 0; i++, bits >>= 1) {
		if ((bits & 1) == 0)
			continue;
		const struct codebook_value *v = &codebooks[book].values[i];
		if (a->ntext + v->len + 1 > sizeof(a->text))
			break; /* cannot be: a test holds every book of sets against the room */
		if (a->ntext > from)
			a->text[a->ntext++] = ',';
		memcpy(a->text + a->ntext, v->code, v->len);
		a->ntext += v->len;
	}
	return sv_textn(a->text + from, a->ntext - from);
}

static void put_cell(struct args *a, const struct field *f, const struct cell *c)
{
	if (f->kind == COUNT) {
		bool number = cell_set(c) && c->i >= COUNT_LEAST;
		int64_t why = c->i == COUNT_UNKNOWN ? 1 : c->i == COUNT_WITHHELD ? 3 : 2;
		put(a, number ? sv_int(c->i) : sv_null());
		put(a, number ? sv_null() : sv_int(why));
	} else if (!cell_set(c)) {
		put(a, sv_null());
	} else if (f->kind == TEXT) {
		put(a, sv_textn(c->s, (size_t)c->i));
	} else if (f->kind == UUID) {
		struct store_value v = { .type = STORE_UUID, .s = { c->s, 16 } };
		put(a, v);
	} else if (f->kind == CODE) {
		const struct codebook_value *v = &codebooks[f->arg].values[c->i];
		put(a, sv_textn(v->code, v->len));
	} else if (f->kind == ENUM) {
		put(a, sv_text(choices[f->arg][c->i]));
	} else if (f->kind == SET) {
		put(a, set_text(a, f->arg, (uint64_t)c->i));
	} else {
		put(a, sv_int(c->i));
	}
}

static void put_row(struct args *a, const struct block_row *block, const struct cell *cell)
{
	for (size_t i = 0; i < block->n; i++)
		put_cell(a, &block->fields[i], &cell[i]);
}

static int add_head(struct store *db, const struct report_head *h, const struct incident *inc, struct diag *reterr)
{
	struct args a;
	int32_t first = 0, last = 0;
	bool known = report_days(inc, &first, &last), imported = !uuid_is_nil(&h->import);
	a.n = a.ntext = 0;
	put(&a, sv_uuid(&h->owner));
	put(&a, sv_uuid(&h->id));
	put(&a, sv_int(h->version));
	put(&a, sv_uuid(&h->author));
	put(&a, sv_int(h->at));
	put(&a, sv_text(h->reason));
	put(&a, sv_text(h->status));
	put(&a, sv_int(h->personal));
	put(&a, known ? sv_int(first) : sv_null());
	put(&a, known ? sv_int(last) : sv_null());
	put(&a, imported ? sv_uuid(&h->import) : sv_null());
	put(&a, imported ? sv_int(h->import_row) : sv_null());
	put_row(&a, &blocks[B_CORE], inc->at[B_CORE]);
	return store_exec(db, SQL_REPORT_INCIDENT_ADD, a.v, a.n, NULL, reterr);
}

static bool any_set(const struct incident *inc, unsigned b)
{
	for (size_t i = 0; i < blocks[b].n; i++)
		if (cell_set(&inc->at[b][i]))
			return true;
	return false;
}

static int add_row(struct store *db, const struct report_head *h, unsigned b, size_t n, const struct cell *cell,
		   struct diag *reterr)
{
	struct args a;
	a.n = a.ntext = 0;
	put(&a, sv_uuid(&h->owner));
	put(&a, sv_uuid(&h->id));
	put(&a, sv_int(h->version));
	if (b >= B_FIRST_MANY)
		put(&a, sv_int((int64_t)n + 1));
	put_row(&a, &blocks[b], cell);
	return store_exec(db, statements[b].add, a.v, a.n, NULL, reterr);
}

int report_add(struct store *db, struct report_head *h, const struct incident *inc, struct diag *reterr)
{
	h->personal = report_personal(inc);
	int r = add_head(db, h, inc, reterr);
	if (r == 0)
		r = add_row(db, h, B_COUNTS, 0, inc->at[B_COUNTS], reterr);
	for (unsigned b = B_DETAIL; r == 0 && b < B_FIRST_MANY; b++)
		if (any_set(inc, b))
			r = add_row(db, h, b, 0, inc->at[b], reterr);
	for (unsigned b = B_FIRST_MANY; r == 0 && b < B_COUNT; b++)
		for (size_t i = 0; r == 0 && i < inc->n[b]; i++)
			r = add_row(db, h, b, i, incident_row(inc, b, i), reterr);
	return r;
}

int report_supersede(struct store *db, const struct uuid *owner, const struct uuid *id, int64_t version,
		     struct diag *reterr)
{
	const struct store_value v[] = { sv_uuid(owner), sv_uuid(id), sv_int(version) };
	int64_t changed = 0;
	int r = store_exec(db, SQL_REPORT_INCIDENT_SUPERSEDE, v, 3, &changed, reterr);
	if (r == 0 && changed != 1)
		return diag_set(reterr, FW_ECONFLICT, "Version %lld is not the newest any more; look at what changed, then correct that.",
				(long long)version);
	return r;
}

int report_latest(struct store *db, const struct uuid *owner, const struct uuid *id, int64_t *ret, struct diag *reterr)
{
	const struct store_value v[] = { sv_uuid(owner), sv_uuid(id) };
	struct store_rows *rows = NULL;
	int r = store_one(db, SQL_REPORT_INCIDENT_LATEST, v, 2, &rows, reterr);
	if (r == 0)
		*ret = store_int(rows, 0);
	store_rows_close(rows);
	return r;
}

/* ---- reading back ---- */

static int find_choice(int list, const char *s, size_t n)
{
	for (int i = 0; choices[list][i] != NULL; i++)
		if (strlen(choices[list][i]) == n && memcmp(choices[list][i], s, n) == 0)
			return i;
	return -1;
}

/* The bits of codes joined by commas; CELL_NONE when one is unknown. */
static int64_t parse_set(int book, const char *s, size_t n)
{
	uint64_t bits = 0;
	while (n > 0) {
		const char *comma = memchr(s, ',', n);
		size_t len = comma != NULL ? (size_t)(comma - s) : n, step = len + (comma != NULL);
		int v = codebook_find(book, s, len);
		if (v < 0)
			return CELL_NONE;
		bits |= UINT64_C(1) << v;
		s += step;
		n -= step;
	}
	return (int64_t)bits;
}

static int newer(struct diag *reterr, const struct field *f)
{
	return diag_set(reterr, FW_ENEWER, "%s holds a value that this program's codebooks do not have.", f->column);
}

/* The cell at column *col, which moves behind it. */
static int get_cell(const struct store_rows *rows, size_t *col, const struct field *f, struct cell *c, struct arena *a,
		    struct diag *reterr)
{
	size_t at = (*col)++, n;
	*c = CELL_ABSENT;
	if (f->kind == COUNT) {
		int64_t why = store_int(rows, (*col)++);
		if (!store_is_null(rows, at))
			c->i = store_int(rows, at);
		else if (why != 2)
			c->i = why == 1 ? COUNT_UNKNOWN : COUNT_WITHHELD;
		return 0;
	}
	if (store_is_null(rows, at))
		return 0;
	if (f->kind == UUID) {
		struct uuid u = store_uuid(rows, at);
		c->s = arena_strndup(a, (const char *)u.b, 16);
		c->i = 16;
		return c->s != NULL ? 0 : -ENOMEM;
	}
	if (f->kind != TEXT && f->kind != CODE && f->kind != ENUM && f->kind != SET) {
		c->i = store_int(rows, at);
		return 0;
	}
	const char *s = (const char *)store_bytes(rows, at, &n);
	if (f->kind == TEXT) {
		c->s = arena_strndup(a, s, n);
		c->i = (int64_t)n;
		return c->s != NULL ? 0 : -ENOMEM;
	}
	c->i = f->kind == CODE ? codebook_find(f->arg, s, n) : f->kind == ENUM ? find_choice(f->arg, s, n) : parse_set(f->arg, s, n);
	return c->i < 0 ? newer(reterr, f) : 0;
}

static int get_row(const struct store_rows *rows, size_t col, unsigned b, struct cell *cell, struct arena *a,
		   struct diag *reterr)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < blocks[b].n; i++)
		r = get_cell(rows, &col, &blocks[b].fields[i], &cell[i], a, reterr);
	return r;
}

static const char *reason_of(const char *s)
{
	static const char *const reasons[] = { "written", "corrected", "imported", "changed" };
	for (size_t i = 0; s != NULL && i < sizeof(reasons) / sizeof(*reasons); i++)
		if (strcmp(reasons[i], s) == 0)
			return reasons[i];
	return "written";
}

static void get_head(const struct store_rows *rows, struct report_head *h, struct arena *a)
{
	const char *status = store_text(rows, 3, a), *closed = store_text(rows, 6, a);
	h->author = store_uuid(rows, 0);
	h->at = store_int(rows, 1);
	h->reason = reason_of(store_text(rows, 2, a));
	(void)snprintf(h->status, sizeof(h->status), "%s", status != NULL ? status : "");
	h->verified_by = store_uuid(rows, 4);
	h->validated_by = store_uuid(rows, 5);
	(void)snprintf(h->closed_reason, sizeof(h->closed_reason), "%s", closed != NULL ? closed : "");
	h->personal = store_int(rows, 7) != 0;
	h->import = store_uuid(rows, 8);
	h->import_row = store_int(rows, 9);
}

static int load_block(struct store *db, const struct store_value *key, unsigned b, struct incident *inc, struct arena *a,
		      struct diag *reterr)
{
	struct store_rows *rows = NULL;
	int r = store_query(db, statements[b].get, key, 3, &rows, reterr), more = 0;
	while (r == 0 && (more = store_next(rows, reterr)) == 1) {
		struct cell *cell = b < B_FIRST_MANY ? inc->at[b] : incident_add(inc, b, &r);
		if (cell != NULL)
			r = get_row(rows, 0, b, cell, a, reterr);
	}
	store_rows_close(rows);
	return r < 0 ? r : more;
}

int report_load_blocks(struct store *db, const struct uuid *owner, const struct uuid *id, int64_t version, uint32_t which,
		       struct report_head *ret, struct incident *inc, struct arena *a, struct diag *reterr)
{
	const struct store_value key[] = { sv_uuid(owner), sv_uuid(id), sv_int(version) };
	struct store_rows *rows = NULL;
	incident_clear(inc);
	*ret = (struct report_head){ .owner = *owner, .id = *id, .version = version };
	int r = store_one(db, SQL_REPORT_INCIDENT_GET, key, 3, &rows, reterr);
	if (r == 0) {
		get_head(rows, ret, a);
		r = get_row(rows, SYSTEM_COLUMNS, B_CORE, inc->at[B_CORE], a, reterr);
	}
	store_rows_close(rows);
	for (unsigned b = B_COUNTS; r == 0 && b < B_COUNT; b++)
		if (which >> b & 1)
			r = load_block(db, key, b, inc, a, reterr);
	return r;
}

int report_load(struct store *db, const struct uuid *owner, const struct uuid *id, int64_t version,
		struct report_head *ret, struct incident *inc, struct arena *a, struct diag *reterr)
{
	return report_load_blocks(db, owner, id, version, UINT32_MAX, ret, inc, a, reterr);
}

/* ---- what is known already ---- */

/*
 * The hash is kept, and the next program's codebooks and fields may stand at
 * other places: so it is taken of names and codes, not of their numbers, and
 * only of what is said.  A row is the name of its block, then for each cell
 * that is set the name of its column and the value, each in eight bytes: of a
 * name or code FNV-1a (nobody chooses them but this program's tables), of a
 * text its length with the text behind it, of a set its codes.
 */
static uint64_t name_number(const char *s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (; *s != '\0'; s++)
		h = (h ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
	return h;
}

static uint8_t *put_u64(uint8_t *p, uint64_t v)
{
	for (size_t i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (8 * i));
	return p + 8;
}

static uint8_t *put_value(uint8_t *p, const struct field *f, const struct cell *c)
{
	const struct codebook_value *values = f->kind == CODE || f->kind == SET ? codebooks[f->arg].values : NULL;
	if (f->kind == CODE)
		return put_u64(p, name_number(values[c->i].code));
	if (f->kind == ENUM)
		return put_u64(p, name_number(choices[f->arg][c->i]));
	for (size_t v = 0; f->kind == SET && v < codebooks[f->arg].n; v++)
		if (((uint64_t)c->i >> v & 1) != 0)
			p = put_u64(p, name_number(values[v].code));
	if (f->kind == SET)
		return p;
	p = put_u64(p, (uint64_t)c->i);
	if (f->kind != TEXT && f->kind != UUID)
		return p;
	memcpy(p, c->s, (size_t)c->i);
	return p + c->i;
}

static void hash_row(struct buf *b, const struct block_row *block, const struct cell *row)
{
	size_t size = 8;
	for (size_t i = 0; i < block->n; i++) {
		unsigned kind = block->fields[i].kind;
		if (cell_set(&row[i]))
			size += 16 + (kind == TEXT || kind == UUID ? (size_t)row[i].i : kind == SET ? 64 * 8 : 0U);
	}
	uint8_t *start = buf_reserve(b, size), *p = start;
	if (start == NULL)
		return;
	p = put_u64(p, name_number(block->name));
	for (size_t i = 0; i < block->n; i++)
		if (cell_set(&row[i]))
			p = put_value(put_u64(p, name_number(block->fields[i].column)), &block->fields[i], &row[i]);
	buf_advance(b, (size_t)(p - start));
}

int report_hash(const struct incident *inc, struct buf *scratch, uint8_t ret[REPORT_HASH])
{
	for (unsigned k = 0; k < B_COUNT; k++) {
		bool said = k != B_DOUBT && k != B_PROV && k != B_FURTHER_ID;
		for (size_t r = 0; said && r < (k < B_FIRST_MANY ? 1 : inc->n[k]); r++)
			hash_row(scratch, &blocks[k], incident_row(inc, k, r));
	}
	if (!buf_failed(scratch))
		(void)crypto_generichash(ret, REPORT_HASH, scratch->data, scratch->len, NULL, 0);
	return scratch->error;
}

static void known_key(const struct uuid *owner, const struct incident *inc, struct store_value v[3])
{
	const struct cell *prov = inc->at[B_PROV];
	v[0] = sv_uuid(owner);
	v[1] = sv_text(codebook_code(CB_SYSTEM, (int)prov[PROV_SYSTEM].i));
	v[2] = sv_textn(prov[PROV_SOURCE_ID].s, (size_t)prov[PROV_SOURCE_ID].i);
}

int report_known_get(struct store *db, const struct uuid *owner, const struct incident *inc, struct report_known *ret,
		     struct diag *reterr)
{
	struct store_value v[3];
	struct store_rows *rows = NULL;
	known_key(owner, inc, v);
	int r = store_one(db, SQL_REPORT_KNOWN_GET, v, 3, &rows, reterr);
	if (r == 0) {
		size_t n;
		ret->incident = store_uuid(rows, 0);
		ret->version = store_int(rows, 1);
		const uint8_t *hash = store_bytes(rows, 2, &n);
		if (n == REPORT_HASH)
			memcpy(ret->hash, hash, REPORT_HASH);
	}
	store_rows_close(rows);
	return r;
}

int report_known_add(struct store *db, const struct uuid *owner, const struct incident *inc,
		     const struct report_known *k, struct diag *reterr)
{
	struct store_value v[6];
	known_key(owner, inc, v);
	v[3] = sv_uuid(&k->incident);
	v[4] = sv_int(k->version);
	v[5] = sv_bytes(k->hash, REPORT_HASH);
	return store_exec(db, SQL_REPORT_KNOWN_ADD, v, 6, NULL, reterr);
}

int report_known_change(struct store *db, const struct uuid *owner, const struct incident *inc,
			const struct report_known *k, struct diag *reterr)
{
	struct store_value v[5];
	known_key(owner, inc, v);
	v[3] = sv_int(k->version);
	v[4] = sv_bytes(k->hash, REPORT_HASH);
	return store_exec(db, SQL_REPORT_KNOWN_CHANGE, v, 5, NULL, reterr);
}
