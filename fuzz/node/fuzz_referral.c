/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Parses: src/node/outbox/referral.c
 *
 * A referral as another vault wrote it: what is read must come out the same
 * when written again, and read again as the same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "node/outbox/referral.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c;
	struct referral r;
	struct buf b;
	struct arena *a = arena_new(16384);
	if (a == NULL)
		return 0;
	cur_init(&c, data, size);
	if (referral_get(&c, &r, a) == 0) {
		buf_init(&b, 16384);
		referral_put(&b, &r);
		if (buf_failed(&b) || b.len != size || memcmp(b.data, data, size) != 0)
			abort();
		buf_release(&b);
	}
	arena_free(a);
	return 0;
}
