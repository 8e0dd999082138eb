/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/err.h"

enum { FIRST = 256 };

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_release(struct buf *b)
{
	mem_free(b->data);
	*b = (struct buf){ .max = b->max };
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->error = 0;
}

void buf_wipe(struct buf *b)
{
	if (b->data != NULL)
		sodium_memzero(b->data, b->cap);
	buf_clear(b);
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
	if (b->error != 0)
		return NULL;
	if (n > b->max || b->len > b->max - n) {
		b->error = FW_ELIMIT;
		return NULL;
	}
	size_t need = b->len + n;
	if (need > b->cap || b->data == NULL) {
		size_t cap = b->cap < FIRST ? FIRST : b->cap;
		while (cap < need)
			cap = cap > b->max / 2 ? b->max : cap * 2;
		if (cap > b->max)
			cap = b->max < need ? need : b->max;
		uint8_t *p = mem_realloc(b->data, cap);
		if (p == NULL) {
			b->error = -ENOMEM;
			return NULL;
		}
		b->data = p;
		b->cap = cap;
	}
	return b->data + b->len;
}

void buf_advance(struct buf *b, size_t n)
{
	if (b->error != 0)
		return;
	assert(n <= b->cap - b->len);
	b->len += n;
}

void buf_put(struct buf *b, const void *bytes, size_t n)
{
	uint8_t *p = buf_reserve(b, n);
	if (p == NULL || n == 0)
		return;
	memcpy(p, bytes, n);
	b->len += n;
}

void buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	char small[256];
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(small)) {
		buf_put(b, small, (size_t)n);
	} else if (n >= 0) {
		/* vsnprintf wants room for its NUL, which then does not count. */
		uint8_t *p = buf_reserve(b, (size_t)n + 1);
		if (p != NULL) {
			(void)vsnprintf((char *)p, (size_t)n + 1, fmt, again);
			b->len += (size_t)n;
		}
	} else {
		b->error = b->error != 0 ? b->error : FW_EFORMAT;
	}
	va_end(again);
}

static void put_le(struct buf *b, uint64_t v, size_t n)
{
	uint8_t *p = buf_reserve(b, n);
	if (p == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * i));
	b->len += n;
}

void buf_u8(struct buf *b, uint8_t v)
{
	put_le(b, v, 1);
}

void buf_u16(struct buf *b, uint16_t v)
{
	put_le(b, v, 2);
}

void buf_u32(struct buf *b, uint32_t v)
{
	put_le(b, v, 4);
}

void buf_u64(struct buf *b, uint64_t v)
{
	put_le(b, v, 8);
}

void buf_i64(struct buf *b, int64_t v)
{
	put_le(b, (uint64_t)v, 8);
}

void buf_f64(struct buf *b, double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof(bits));
	put_le(b, bits, 8);
}

void buf_bytes(struct buf *b, const void *bytes, size_t n)
{
	if (n >= UINT32_MAX) {
		b->error = b->error != 0 ? b->error : FW_ELIMIT;
		return;
	}
	buf_u32(b, (uint32_t)n);
	buf_put(b, bytes, n);
}

void buf_str(struct buf *b, const char *s)
{
	if (s == NULL)
		buf_u32(b, UINT32_MAX);
	else
		buf_bytes(b, s, strlen(s));
}

void buf_set_u32(struct buf *b, size_t at, uint32_t v)
{
	if (b->error != 0)
		return;
	assert(b->len >= 4 && at <= b->len - 4);
	for (size_t i = 0; i < 4; i++)
		b->data[at + i] = (uint8_t)(v >> (8 * i));
}

void buf_consume(struct buf *b, size_t n)
{
	assert(n <= b->len);
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}
