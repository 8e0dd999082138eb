/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/process/front_limits.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"

int buckets_init(struct buckets *b, size_t keys, double rate, double burst)
{
	size_t sets = 1;
	while (sets * BUCKETS_SET < keys)
		sets *= 2;
	*b = (struct buckets){.sets = sets, .rate = rate, .burst = burst};
	b->rows = mem_alloc(sets * BUCKETS_SET * sizeof(*b->rows));
	if (b->rows == NULL)
		return -ENOMEM;
	memset(b->rows, 0, sets * BUCKETS_SET * sizeof(*b->rows));
	randombytes_buf(b->secret, sizeof(b->secret));
	return 0;
}

void buckets_release(struct buckets *b)
{
	mem_free(b->rows);
	b->rows = NULL;
}

static void refill(const struct buckets *b, struct bucket *row, usec_t now)
{
	if (now > row->at)
		row->tokens += (double)(now - row->at) / (double)USEC_PER_SEC * b->rate;
	if (row->tokens > b->burst)
		row->tokens = b->burst;
	row->at = now;
}

/* The bucket of a key, refilled until now; a new one is full. */
static struct bucket *find(struct buckets *b, const void *key, size_t n, usec_t now)
{
	uint64_t h;
	(void)crypto_shorthash((unsigned char *)&h, key, n, b->secret);
	h |= 1; /* 0 marks a free place */
	struct bucket *set = b->rows + ((h >> 8) & (b->sets - 1)) * BUCKETS_SET;
	struct bucket *best = &set[0];
	double best_tokens = -1;
	for (size_t i = 0; i < BUCKETS_SET; i++) {
		struct bucket *row = &set[i];
		if (row->key == h) {
			refill(b, row, now);
			return row;
		}
		double worth = b->burst * 2; /* a free place before any other */
		if (row->key != 0) {
			refill(b, row, now);
			worth = row->tokens;
		}
		if (worth > best_tokens) {
			best = row;
			best_tokens = worth;
		}
	}
	*best = (struct bucket){.key = h, .tokens = b->burst, .at = now};
	return best;
}

unsigned buckets_take(struct buckets *b, const void *key, size_t n, usec_t now)
{
	if (b->rate <= 0)
		return 0;
	struct bucket *row = find(b, key, n, now);
	if (row->tokens >= 1) {
		row->tokens -= 1;
		return 0;
	}
	double wait = ceil((1 - row->tokens) / b->rate);
	return wait < 1 ? 1 : wait > 3600 ? 3600 : (unsigned)wait;
}

void buckets_return(struct buckets *b, const void *key, size_t n, usec_t now)
{
	if (b->rate <= 0)
		return;
	struct bucket *row = find(b, key, n, now);
	row->tokens = row->tokens + 1 > b->burst ? b->burst : row->tokens + 1;
}
