/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF. */
#ifndef FW_BASE_UTF8_H
#define FW_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the ${n} bytes are UTF-8 throughout. A NUL is a character like others. Cost: one pass, eight bytes at a time over ASCII. */
bool utf8_valid(const void *s, size_t n);

/* One character at ${p} (${n} >= 1 bytes are there): its length 1..4 and *ret, or 0 if it is malformed. */
size_t utf8_decode(const uint8_t *p, size_t n, uint32_t *ret);

/* Writes 1..4 bytes to ${out}; 0 for what is no character. */
size_t utf8_encode(uint32_t c, uint8_t out[4]);

/* The largest m <= n such that the first m bytes of the valid text do not cut a character. */
size_t utf8_cut(const void *s, size_t n);

#endif
