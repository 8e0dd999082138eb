/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Parses: src/node/process/wire.c
 *
 * What the supervisor says at the start: what is read must
 * come out the same when written again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "base/err.h"
#include "node/process/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *mem = arena_new(8 << 20);
	struct buf b;
	struct cursor cur;
	struct wire_boot c;
	if (mem == NULL)
		abort();
	buf_init(&b, 4 << 20);
	cur_init(&cur, data, n);
	int err = wire_boot_get(&cur, mem, &c);
	if (err == 0) {
		wire_boot_put(&b, &c);
		if (b.len != n || memcmp(b.data, data, n) != 0)
			abort();
	} else if (err != FW_EPROTO) {
		abort();
	}
	buf_release(&b);
	arena_free(mem);
	return 0;
}
