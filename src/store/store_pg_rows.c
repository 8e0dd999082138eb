/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Rows of PostgreSQL, in its binary form.  The server's lengths are checked before its bytes are read:
 * what is not as long as its type says reads as 0.
 */
#include <string.h>

#include "store/store_pg_int.h"

enum {
	OID_BOOL = 16, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_FLOAT8 = 701, OID_NUMERIC = 1700,
	NUMERIC_HEAD = 8, NUMERIC_NEGATIVE = 0x4000,
};

static struct pg_rows *rows_of(const struct store_rows *r)
{
	return (struct pg_rows *)(uintptr_t)r;
}

int pg_next(struct store_rows *r, struct diag *reterr)
{
	struct pg_rows *q = rows_of(r);
	if (q->res != NULL && ++q->at < PQntuples(q->res))
		return 1;
	PQclear(q->res);
	q->res = NULL;
	if (q->cursor == 0)
		return 0;
	int err = pg_fetch(pg_of(r->store), q, reterr);
	return err != 0 ? err : pg_next(r, reterr);
}

void pg_rows_close(struct store_rows *r)
{
	PQclear(rows_of(r)->res);
	rows_of(r)->res = NULL;
	pg_close_cursor(pg_of(r->store), rows_of(r));
}

size_t pg_columns(const struct store_rows *r)
{
	return rows_of(r)->res == NULL ? 0 : (size_t)PQnfields(rows_of(r)->res);
}

bool pg_is_null(const struct store_rows *r, size_t col)
{
	const struct pg_rows *q = rows_of(r);
	return q->res == NULL || q->at < 0 || PQgetisnull(q->res, q->at, (int)col) == 1;
}

const uint8_t *pg_bytes(const struct store_rows *r, size_t col, size_t *ret_len)
{
	const struct pg_rows *q = rows_of(r);
	*ret_len = 0;
	if (pg_is_null(r, col))
		return NULL;
	*ret_len = (size_t)PQgetlength(q->res, q->at, (int)col);
	return (const uint8_t *)PQgetvalue(q->res, q->at, (int)col);
}

static uint64_t take_be(const uint8_t *p, size_t n)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

/*
 * sum() and avg() of 64-bit numbers are numeric: u16 digits, i16 weight, u16 sign, u16 scale, digits to the base
 * 10000, the first of them times 10000^weight.  Not a number and infinity, which no sum of numbers is, read as 0.
 */
struct numeric {
	const uint8_t *digit;
	int digits, weight, sign;
};

static bool numeric_of(const uint8_t *p, size_t n, struct numeric *ret)
{
	if (n < NUMERIC_HEAD)
		return false;
	*ret = (struct numeric){ p + NUMERIC_HEAD, (int)take_be(p, 2), (int16_t)take_be(p + 2, 2),
				 take_be(p + 4, 2) == NUMERIC_NEGATIVE ? -1 : 1 };
	return (take_be(p + 4, 2) & 0x8000) == 0 && n == NUMERIC_HEAD + 2 * (size_t)ret->digits;
}

/* Without its fraction, as SQLite reads a REAL; what does not fit is the nearest that does. */
static int64_t numeric_int(const uint8_t *p, size_t n)
{
	struct numeric x;
	int64_t v = 0;
	if (!numeric_of(p, n, &x))
		return 0;
	for (int i = 0; i <= x.weight; i++) {
		int64_t d = i < x.digits ? (int64_t)take_be(x.digit + 2 * i, 2) : 0;
		if (__builtin_mul_overflow(v, 10000, &v) || __builtin_add_overflow(v, x.sign * d, &v))
			return x.sign < 0 ? INT64_MIN : INT64_MAX;
	}
	return v;
}

/* Rounded once, at the end, where a long double has the 64 bits of an INT. */
static double numeric_real(const uint8_t *p, size_t n)
{
	struct numeric x;
	long double v = 0, scale = 1;
	if (!numeric_of(p, n, &x))
		return 0;
	for (int i = 0; i < x.digits; i++)
		v = v * 10000 + (long double)take_be(x.digit + 2 * i, 2);
	int shift = v == 0 ? 0 : x.weight + 1 - x.digits;
	for (int i = 0; i < (shift < 0 ? -shift : shift); i++)
		scale *= 10000;
	return (double)(x.sign * (shift < 0 ? v / scale : v * scale));
}

static double float8(const uint8_t *p, size_t n)
{
	double v = 0;
	if (n != sizeof(v))
		return 0;
	uint64_t bits = take_be(p, n);
	memcpy(&v, &bits, sizeof(v));
	return v;
}

static int64_t nearest(double v)
{
	if (v >= 0x1p63)
		return INT64_MAX;
	return v <= -0x1p63 ? INT64_MIN : v == v ? (int64_t)v : 0;
}

int64_t pg_int(const struct store_rows *r, size_t col)
{
	size_t n;
	const uint8_t *p = pg_bytes(r, col, &n);
	if (p == NULL)
		return 0;
	switch (PQftype(rows_of(r)->res, (int)col)) {
	case OID_INT8: return n == 8 ? (int64_t)take_be(p, 8) : 0;
	case OID_INT4: return n == 4 ? (int32_t)take_be(p, 4) : 0;
	case OID_INT2: return n == 2 ? (int16_t)take_be(p, 2) : 0;
	case OID_BOOL: return n == 1 && p[0] != 0;
	case OID_NUMERIC: return numeric_int(p, n);
	case OID_FLOAT8: return nearest(float8(p, n));
	default: return 0;
	}
}

double pg_real(const struct store_rows *r, size_t col)
{
	size_t n;
	const uint8_t *p = pg_bytes(r, col, &n);
	switch (p != NULL ? PQftype(rows_of(r)->res, (int)col) : 0) {
	case OID_FLOAT8: return float8(p, n);
	case OID_NUMERIC: return numeric_real(p, n);
	default: return (double)pg_int(r, col);
	}
}
