/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* UUID version 7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, then randomness. */
#ifndef FW_BASE_UUID_H
#define FW_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

struct uuid {
	uint8_t b[16];
};

enum { UUID_TEXT_LEN = 36 }; /* without the NUL */

#define UUID_NIL ((struct uuid){ { 0 } })

/*
 * A new one.  Within a process they rise: rand_a carries 12 bits of
 * sub-millisecond time (RFC 9562 section 6.2, method 3) and never goes back.
 */
struct uuid uuid_new(void);
/* Lower-case canonical form into ${out}, NUL included. */
void uuid_format(const struct uuid *u, char out[UUID_TEXT_LEN + 1]);
/* The canonical form in either case, exactly; 0 or FW_EFORMAT. */
int uuid_parse(const char *s, struct uuid *ret);
bool uuid_equal(const struct uuid *a, const struct uuid *b);
int uuid_compare(const struct uuid *a, const struct uuid *b);
bool uuid_is_nil(const struct uuid *u);

#endif
