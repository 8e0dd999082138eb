/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The one reader of hostile bytes.
 *
 * A cursor walks a byte range it does not own and never leaves it.  The first
 * error sticks: after it every read gives zero, the empty string, or NULL,
 * never garbage, and moves nothing.  So a parser reads straight down and
 * checks cur_error() once.  All arithmetic on lengths from outside happens in
 * here.
 */
#ifndef FW_BASE_CURSOR_H
#define FW_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct cursor {
	const uint8_t *data; /* not owned */
	size_t len;
	size_t pos;
	int error; /* 0, FW_ETRUNC, FW_EFORMAT, FW_ELIMIT, -ENOMEM */
};

void cur_init(struct cursor *c, const void *data, size_t len);
static inline int cur_error(const struct cursor *c) { return c->error; }
static inline size_t cur_left(const struct cursor *c) { return c->error ? 0 : c->len - c->pos; }
/* Set an error from outside (a value that reads well but makes no sense). The first one stays. */
void cur_fail(struct cursor *c, int error);
/* 0 if nothing went wrong and every byte was read; else the error, FW_EFORMAT for bytes left over. */
int cur_end(struct cursor *c);

uint8_t cur_u8(struct cursor *c);
uint16_t cur_u16(struct cursor *c); /* little-endian, as base/buf.h writes */
uint32_t cur_u32(struct cursor *c);
uint64_t cur_u64(struct cursor *c);
int64_t cur_i64(struct cursor *c);
double cur_f64(struct cursor *c);
uint16_t cur_u16be(struct cursor *c); /* network order, for formats of others */
uint32_t cur_u32be(struct cursor *c);
uint64_t cur_u64be(struct cursor *c);

/* ${n} bytes in place, or NULL on error. Valid as long as the range is. */
const uint8_t *cur_take(struct cursor *c, size_t n);
/* Copy ${n} bytes to ${out}; zeroes it on error. */
void cur_copy(struct cursor *c, void *out, size_t n);
void cur_skip(struct cursor *c, size_t n);
/* A u32-prefixed byte string of at most ${max}, in place; *ret_len is 0 on error. */
const uint8_t *cur_bytes(struct cursor *c, size_t max, size_t *ret_len);
/*
 * A u32-prefixed string of at most ${max} bytes, copied into ${a} with a NUL.
 * Refuses (FW_EFORMAT) an inner NUL and what is not UTF-8.  NULL for the
 * absent string (length 0xffffffff) and on error; look at the error to tell.
 */
char *cur_str(struct cursor *c, struct arena *a, size_t max);
/* A part of the next ${n} bytes as a cursor of its own; this one steps over it. */
struct cursor cur_sub(struct cursor *c, size_t n);

#endif
