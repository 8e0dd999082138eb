/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Parses: src/node/process/wire.c
 *
 * What a front that was broken into may put into a CALL.
 */
#include "round_trip.h"

#include "node/process/wire.h"

static int read_and_write(unsigned which, struct cursor *cur, struct arena *mem, struct buf *out)
{
	struct wire_call c;
	(void)which;
	int err = wire_call_get(cur, mem, &c);
	if (err == 0)
		wire_call_put(out, &c);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	round_trip(read_and_write, 0, data, n);
	return 0;
}
