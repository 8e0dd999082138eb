/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Parses: src/node/access/house_wire.c
 *
 * What the front and the vaults ask the house and what it answers.  The first
 * byte says which payload follows.
 */
#include "round_trip.h"

#include "node/access/house.h"

static int read_and_write(unsigned which, struct cursor *cur, struct arena *mem, struct buf *b)
{
	const uint8_t *ticket;
	size_t n;
	struct wire_hold_ask hold_ask;
	struct wire_hold hold;
	struct wire_name_ask name_ask;
	struct wire_name name;
	struct wire_reset_ask reset_ask;
	struct wire_reset reset;
	int err;
	(void)mem;
	switch (which % 7) {
	case 0:
		err = wire_ticket_get(cur, &ticket, &n);
		if (err == 0)
			wire_ticket_put(b, ticket, n);
		return err;
	case 1:
		err = wire_hold_ask_get(cur, &hold_ask);
		if (err == 0)
			wire_hold_ask_put(b, &hold_ask);
		return err;
	case 2:
		err = wire_hold_get(cur, &hold);
		if (err == 0)
			wire_hold_put(b, &hold);
		return err;
	case 3:
		err = wire_name_ask_get(cur, &name_ask);
		if (err == 0)
			wire_name_ask_put(b, &name_ask);
		return err;
	case 4:
		err = wire_name_get(cur, &name);
		if (err == 0)
			wire_name_put(b, &name);
		return err;
	case 5:
		err = wire_reset_ask_get(cur, &reset_ask);
		if (err == 0)
			wire_reset_ask_put(b, &reset_ask);
		return err;
	default:
		err = wire_reset_get(cur, &reset);
		if (err == 0)
			wire_reset_put(b, &reset);
		return err;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	round_trip_chosen(read_and_write, data, n);
	return 0;
}
