/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A growing byte buffer with a maximum, and the writer of all our binary
 * formats.  Overflow and lack of memory are sticky: write freely, check
 * buf_failed() once before using the bytes.  After a failure the buffer takes
 * no more bytes; what it held stays readable.
 *
 * Integers are little-endian.  Strings and byte strings go out as u32 length,
 * then the bytes.  base/cursor.h reads exactly this.
 */
#ifndef FW_BASE_BUF_H
#define FW_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data; /* owned, from mem_alloc; NULL while empty */
	size_t len;    /* bytes written */
	size_t cap;    /* bytes allocated */
	size_t max;    /* never grows above */
	int error;     /* 0, FW_ELIMIT or -ENOMEM; sticky */
};

/* An embedded buffer that will not grow above ${max} bytes. Allocates nothing yet. */
void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);
/* Empty it and forget the error; keeps the memory. */
void buf_clear(struct buf *b);
/* The same, overwriting what was there. */
void buf_wipe(struct buf *b);
static inline bool buf_failed(const struct buf *b) { return b->error != 0; }

void buf_put(struct buf *b, const void *bytes, size_t n);
void buf_puts(struct buf *b, const char *s); /* the characters, no length, no NUL */
void buf_putc(struct buf *b, char c);
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *b, const char *fmt, ...);
void buf_u8(struct buf *b, uint8_t v);
void buf_u16(struct buf *b, uint16_t v);
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);
void buf_i64(struct buf *b, int64_t v);
void buf_f64(struct buf *b, double v);                      /* IEEE bits as u64 */
void buf_bytes(struct buf *b, const void *bytes, size_t n); /* u32 length + bytes */
void buf_str(struct buf *b, const char *s);                 /* same; NULL goes out as length 0xffffffff */
/* Overwrite four bytes at ${at}, written earlier, with ${v}: for lengths known late. */
void buf_set_u32(struct buf *b, size_t at, uint32_t v);
/* Make room for ${n} bytes and return where they will stand, or NULL (sticky). buf_advance() makes them count. */
uint8_t *buf_reserve(struct buf *b, size_t n);
void buf_advance(struct buf *b, size_t n);
/* Drop the first ${n} bytes. */
void buf_consume(struct buf *b, size_t n);

#endif
