/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * For targets of payloads that processes say to each other: what is read must
 * come out the same when written again, so that no two byte strings mean the
 * same, and what cannot be read is FW_EPROTO and nothing else.
 */
#ifndef FW_FUZZ_ROUND_TRIP_H
#define FW_FUZZ_ROUND_TRIP_H

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Read the payload of kind ${which} and, if that went well, write it. */
typedef int round_trip_fn(unsigned which, struct cursor *cur, struct arena *mem, struct buf *out);

static inline void round_trip(round_trip_fn *fn, unsigned which, const uint8_t *data, size_t n)
{
	struct arena *mem = arena_new(8 << 20);
	struct buf b;
	struct cursor cur;
	if (mem == NULL)
		abort();
	buf_init(&b, 4 << 20);
	cur_init(&cur, data, n);
	int err = fn(which, &cur, mem, &b);
	if (err != 0 && err != FW_EPROTO)
		abort();
	if (err == 0 && (b.len != n || memcmp(b.data, data, n) != 0))
		abort();
	buf_release(&b);
	arena_free(mem);
}

/* For targets of several payloads: the first byte says which. */
static inline void round_trip_chosen(round_trip_fn *fn, const uint8_t *data, size_t n)
{
	if (n > 0)
		round_trip(fn, data[0], data + 1, n - 1);
}

#endif
