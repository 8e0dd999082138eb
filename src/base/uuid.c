/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/uuid.h"

#include <string.h>

#include <sodium.h>

#include "base/err.h"
#include "base/time.h"

struct uuid uuid_new(void)
{
	/*
	 * 60 bits of time: milliseconds, then the twelve bits that 4096ths of a
	 * millisecond give.  Microseconds are too coarse for a burst, so the
	 * number simply goes on by one when the clock has not.
	 */
	static uint64_t last;
	uint64_t us = (uint64_t)time_now();
	uint64_t stamp = (us / 1000) << 12 | ((us % 1000) * 4096 / 1000);
	last = stamp > last ? stamp : last + 1;
	uint64_t ms = last >> 12;
	struct uuid u;
	for (int i = 0; i < 6; i++)
		u.b[i] = (uint8_t)(ms >> (40 - 8 * i));
	u.b[6] = (uint8_t)(0x70 | ((last >> 8) & 0x0f));
	u.b[7] = (uint8_t)last;
	randombytes_buf(u.b + 8, 8);
	u.b[8] = (uint8_t)(0x80 | (u.b[8] & 0x3f));
	return u;
}

void uuid_format(const struct uuid *u, char out[UUID_TEXT_LEN + 1])
{
	static const char hex[] = "0123456789abcdef";
	char *p = out;
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = hex[u->b[i] >> 4];
		*p++ = hex[u->b[i] & 15];
	}
	*p = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int uuid_parse(const char *s, struct uuid *ret)
{
	if (strnlen(s, UUID_TEXT_LEN + 1) != UUID_TEXT_LEN)
		return FW_EFORMAT;
	struct uuid u;
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			if (*s++ != '-')
				return FW_EFORMAT;
		int hi = hex_value(s[0]), lo = hi < 0 ? -1 : hex_value(s[1]);
		if (lo < 0)
			return FW_EFORMAT;
		u.b[i] = (uint8_t)(hi << 4 | lo);
		s += 2;
	}
	*ret = u;
	return 0;
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

int uuid_compare(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

bool uuid_is_nil(const struct uuid *u)
{
	return uuid_equal(u, &UUID_NIL);
}
