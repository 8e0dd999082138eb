/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Numbers that people read aloud and type: 32 signs without I, L, O and U
 * (Crockford's base 32), so that none is taken for another.
 */
#ifndef FW_BASE_SIGNS_H
#define FW_BASE_SIGNS_H

#include <stddef.h>
#include <stdint.h>

/* One sign for the low five bits of each of ${n} bytes; no NUL. */
static inline void signs_of(const uint8_t *p, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[p[i] & 31];
}

#endif
