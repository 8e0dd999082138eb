/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Parses: src/node/outbox/wire_outbox.c
 *
 * What a vault that was broken into may hand to another: a row, a receipt.
 */
#include "round_trip.h"

#include "node/outbox/outbox.h"
#include "node/outbox/outbox_int.h"

static int row(struct cursor *cur, struct arena *mem, struct buf *out)
{
	struct wire_outbox o;
	int err = wire_outbox_get(cur, mem, &o);
	if (err != 0)
		return err;
	if (o.n > OUTBOX_BODY_MAX || strlen(o.kind) > OUTBOX_KIND_MAX || uuid_is_nil(&o.key))
		abort();
	wire_outbox_put(out, &o);
	return 0;
}

static int receipt(struct cursor *cur, struct arena *mem, struct buf *out)
{
	struct wire_receipt r;
	int err = wire_receipt_get(cur, mem, &r);
	if (err != 0)
		return err;
	if (strlen(r.text) > OUTBOX_RECEIPT_MAX || r.outcome > RECEIPT_LATER || uuid_is_nil(&r.key))
		abort();
	wire_receipt_put(out, &r);
	return 0;
}

static int read_and_write(unsigned which, struct cursor *cur, struct arena *mem, struct buf *out)
{
	return which % 2 == 0 ? row(cur, mem, out) : receipt(cur, mem, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	round_trip_chosen(read_and_write, data, n);
	return 0;
}
