/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Parses: src/node/process/wire.c
 *
 * A ticket as the front hands it over: nothing that the house did not make may
 * open.  Then the same bytes with their code put right, as a broken house could:
 * what opens must come out the same when sealed again.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "node/process/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint8_t key[32] = { 1, 2, 3 };
	struct arena *mem = arena_new(1 << 20);
	struct ticket t;
	if (mem == NULL || sodium_init() < 0)
		abort();
	if (ticket_open(data, n, key, mem, &t) == 0)
		abort();
	if (n <= WIRE_TICKET_MAX - 32) {
		static const char context[] = "fairway ticket 1";
		uint8_t room[WIRE_TICKET_MAX];
		crypto_generichash_state st;
		if (n > 0)
			memcpy(room, data, n);
		(void)crypto_generichash_init(&st, key, 32, 32);
		(void)crypto_generichash_update(&st, (const uint8_t *)context, sizeof(context));
		(void)crypto_generichash_update(&st, room, n);
		(void)crypto_generichash_final(&st, room + n, 32);
		struct buf b;
		buf_init(&b, WIRE_TICKET_MAX);
		if (ticket_open(room, n + 32, key, mem, &t) == 0) {
			ticket_seal(&t, key, &b);
			if (b.len != n + 32 || memcmp(b.data, room, b.len) != 0)
				abort();
		}
		buf_release(&b);
	}
	arena_free(mem);
	return 0;
}
