/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * JSON (RFC 8259) in and out.
 *
 * In: jansson builds the tree, under limits of ours: size, depth, number of
 * values, no duplicate names, no NUL in strings, nothing after the value.
 *
 * Out: a writer that appends to a struct buf as it is told; no tree.  It puts
 * the commas itself, and its errors stick (nesting wrong or too deep is a bug
 * and asserts; lack of room or of memory sticks in the buf), so that a caller
 * writes freely and checks buf_failed() once.  Text that is not UTF-8 is
 * written with U+FFFD in place of each bad byte: an answer must never be
 * refused by its reader for one bad byte in the store.  Its names begin with
 * jw_ because jansson has taken json_.  For locals, jansson's json_auto_t.
 */
#ifndef FW_CODEC_JSON_H
#define FW_CODEC_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/uuid.h"
#include "base/time.h"

struct diag;

enum { JSON_DEPTH = 32, JSON_VALUES = 200000 };

/*
 * Parse ${n} bytes that hold one value.  0 with *ret to be given back by
 * json_decref(); FW_EFORMAT with place "line L, column C"; FW_ELIMIT for too
 * many values or too deep; -ENOMEM.  Cost: linear in n; no more than JSON_DEPTH nesting is ever built.
 */
int json_parse(const void *text, size_t n, json_t **ret, struct diag *reterr);

struct jw {
	struct buf *out; /* not owned */
	uint32_t depth;  /* open objects and arrays */
	uint64_t array;  /* bit d: level d is an array */
	uint64_t filled; /* bit d: level d has a member already */
	bool named;      /* a name was written; a value must follow */
};

void jw_init(struct jw *j, struct buf *out);
void jw_object(struct jw *j); /* { */
void jw_array(struct jw *j);  /* [ */
void jw_end(struct jw *j);    /* closes the innermost */
/* The name of the next member; static or caller's text, written escaped. */
void jw_name(struct jw *j, const char *name);
void jw_string(struct jw *j, const char *s); /* NULL writes null */
void jw_stringn(struct jw *j, const char *s, size_t n);
void jw_i64(struct jw *j, int64_t v);
/* The shortest text that reads back as the same number; not finite writes null. */
void jw_f64(struct jw *j, double v);
void jw_bool(struct jw *j, bool v);
void jw_null(struct jw *j);
void jw_uuid(struct jw *j, const struct uuid *u); /* nil writes null */
void jw_time(struct jw *j, usec_t t);
void jw_date(struct jw *j, struct date d); /* unknown writes "" */
/* ${n} bytes that are JSON already (from our own store). */
void jw_raw(struct jw *j, const char *s, size_t n);

/* Name and value in one. */
static inline void jw_put_string(struct jw *j, const char *name, const char *s)
{
	jw_name(j, name);
	jw_string(j, s);
}
static inline void jw_put_i64(struct jw *j, const char *name, int64_t v)
{
	jw_name(j, name);
	jw_i64(j, v);
}
static inline void jw_put_f64(struct jw *j, const char *name, double v)
{
	jw_name(j, name);
	jw_f64(j, v);
}
static inline void jw_put_bool(struct jw *j, const char *name, bool v)
{
	jw_name(j, name);
	jw_bool(j, v);
}
static inline void jw_put_uuid(struct jw *j, const char *name, const struct uuid *u)
{
	jw_name(j, name);
	jw_uuid(j, u);
}
static inline void jw_put_time(struct jw *j, const char *name, usec_t t)
{
	jw_name(j, name);
	jw_time(j, t);
}
static inline void jw_put_date(struct jw *j, const char *name, struct date d)
{
	jw_name(j, name);
	jw_date(j, d);
}

/* Append ${n} bytes of text as a quoted JSON string: for those who stream without a struct jw. */
void jw_quote(struct buf *out, const char *s, size_t n);

#endif
