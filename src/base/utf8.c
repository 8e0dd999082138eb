/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/utf8.h"

#include <string.h>

size_t utf8_decode(const uint8_t *p, size_t n, uint32_t *ret)
{
	uint8_t b = p[0];
	if (b < 0x80) {
		*ret = b;
		return 1;
	}
	size_t len = b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : 2;
	if (b < 0xc2 || b > 0xf4 || n < len)
		return 0;
	uint32_t c = b & (0xffU >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	bool overlong = (len == 3 && c < 0x800) || (len == 4 && c < 0x10000);
	if (overlong || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return len;
}

bool utf8_valid(const void *s, size_t n)
{
	const uint8_t *p = s;
	size_t i = 0;
	while (i < n) {
		uint64_t word;
		while (n - i >= sizeof(word)) {
			memcpy(&word, p + i, sizeof(word));
			if (word & UINT64_C(0x8080808080808080))
				break;
			i += sizeof(word);
		}
		if (i == n)
			break;
		uint32_t c;
		size_t len = utf8_decode(p + i, n - i, &c);
		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

size_t utf8_encode(uint32_t c, uint8_t out[4])
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = len - 1; i > 0; i--) {
		out[i] = (uint8_t)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	out[0] = (uint8_t)((0xf00U >> len) | c);
	return len;
}

size_t utf8_cut(const void *s, size_t n)
{
	const uint8_t *p = s;
	size_t back = 0;
	while (back < 3 && back < n && (p[n - 1 - back] & 0xc0) == 0x80)
		back++;
	if (back == n)
		return n;
	uint8_t lead = p[n - 1 - back];
	size_t len = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
	return len == back + 1 || lead < 0x80 ? n : n - 1 - back;
}
