/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/cursor.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"

void cur_init(struct cursor *c, const void *data, size_t len)
{
	*c = (struct cursor){ .data = data, .len = len };
}

void cur_fail(struct cursor *c, int error)
{
	if (c->error == 0)
		c->error = error;
}

int cur_end(struct cursor *c)
{
	if (c->error == 0 && c->pos != c->len)
		c->error = FW_EFORMAT;
	return c->error;
}

const uint8_t *cur_take(struct cursor *c, size_t n)
{
	static const uint8_t nothing[1];
	if (c->error != 0)
		return NULL;
	if (n > c->len - c->pos) {
		c->error = FW_ETRUNC;
		return NULL;
	}
	const uint8_t *p = c->data == NULL ? nothing : c->data + c->pos;
	c->pos += n;
	return p;
}

static uint64_t take_le(struct cursor *c, size_t n)
{
	const uint8_t *p = cur_take(c, n);
	uint64_t v = 0;
	for (size_t i = 0; p != NULL && i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static uint64_t take_be(struct cursor *c, size_t n)
{
	const uint8_t *p = cur_take(c, n);
	uint64_t v = 0;
	for (size_t i = 0; p != NULL && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

uint8_t cur_u8(struct cursor *c)
{
	return (uint8_t)take_le(c, 1);
}

uint16_t cur_u16(struct cursor *c)
{
	return (uint16_t)take_le(c, 2);
}

uint32_t cur_u32(struct cursor *c)
{
	return (uint32_t)take_le(c, 4);
}

uint64_t cur_u64(struct cursor *c)
{
	return take_le(c, 8);
}

int64_t cur_i64(struct cursor *c)
{
	return (int64_t)take_le(c, 8);
}

double cur_f64(struct cursor *c)
{
	uint64_t bits = take_le(c, 8);
	double v;
	memcpy(&v, &bits, sizeof(v));
	return v;
}

uint16_t cur_u16be(struct cursor *c)
{
	return (uint16_t)take_be(c, 2);
}

uint32_t cur_u32be(struct cursor *c)
{
	return (uint32_t)take_be(c, 4);
}

uint64_t cur_u64be(struct cursor *c)
{
	return take_be(c, 8);
}

void cur_copy(struct cursor *c, void *out, size_t n)
{
	const uint8_t *p = cur_take(c, n);
	if (p == NULL)
		memset(out, 0, n);
	else if (n > 0)
		memcpy(out, p, n);
}

void cur_skip(struct cursor *c, size_t n)
{
	(void)cur_take(c, n);
}

const uint8_t *cur_bytes(struct cursor *c, size_t max, size_t *ret_len)
{
	uint32_t n = cur_u32(c);
	if (c->error == 0 && n > max)
		c->error = FW_ELIMIT;
	const uint8_t *p = cur_take(c, n);
	*ret_len = p == NULL ? 0 : n;
	return p;
}

char *cur_str(struct cursor *c, struct arena *a, size_t max)
{
	uint32_t n = cur_u32(c);
	if (c->error != 0 || n == UINT32_MAX)
		return NULL;
	if (n > max) {
		c->error = FW_ELIMIT;
		return NULL;
	}
	const uint8_t *p = cur_take(c, n);
	if (p == NULL)
		return NULL;
	if ((n > 0 && memchr(p, 0, n) != NULL) || !utf8_valid(p, n)) {
		c->error = FW_EFORMAT;
		return NULL;
	}
	char *s = arena_strndup(a, (const char *)p, n);
	if (s == NULL)
		c->error = -ENOMEM;
	return s;
}

struct cursor cur_sub(struct cursor *c, size_t n)
{
	struct cursor sub = { .error = 0 };
	const uint8_t *p = cur_take(c, n);
	if (p == NULL)
		sub.error = c->error;
	else
		cur_init(&sub, p, n);
	return sub;
}
