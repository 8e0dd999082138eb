/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * How often: token buckets in tables of a fixed size.
 *
 * A table keeps, for each key, how many tokens it had and when.  Keys are
 * hashed with a secret of this process (SipHash), so that nobody can aim at a
 * place in the table, and no address or name is stored.  A table is made of
 * sets of eight: a new key takes a free place of its set, or that of the key
 * whose bucket is nearest to full, whose loss forgives least.  So memory and time are bounded
 * whatever comes, and an attacker with many addresses gains what these give
 * him anyway.
 */
#ifndef FW_NODE_FRONT_LIMITS_H
#define FW_NODE_FRONT_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

struct bucket {
	uint64_t key; /* 0: free */
	double tokens;
	usec_t at;
};

struct buckets {
	struct bucket *rows; /* owned */
	size_t sets;
	double rate;  /* tokens a second; 0: no limit at all */
	double burst; /* tokens of a full bucket */
	uint8_t secret[16];
};

enum { BUCKETS_SET = 8 };

/* ${keys} at most at a time (rounded up to a multiple of eight, a power of two). 0 or -ENOMEM. */
int buckets_init(struct buckets *b, size_t keys, double rate, double burst);
void buckets_release(struct buckets *b);
/* Take one token of ${key}: 0, or how many seconds (rounded up, at least 1) until there is one. */
unsigned buckets_take(struct buckets *b, const void *key, size_t n, usec_t now);
/* Give one back: the attempt turned out not to be one. */
void buckets_return(struct buckets *b, const void *key, size_t n, usec_t now);

#endif
