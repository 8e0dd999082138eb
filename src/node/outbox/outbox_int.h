/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The payloads of OUTBOX and RECEIPT, and the two halves that tests drive
 * without a running node.
 *
 *   OUTBOX   key 16, subject 16, at i64, kind (string), body (bytes)
 *   RECEIPT  u8 outcome, text (string)
 */
#ifndef FW_NODE_OUTBOX_INT_H
#define FW_NODE_OUTBOX_INT_H

#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "base/uuid.h"

struct arena;
struct buf;
struct cursor;
struct diag;
struct store;
struct worker;

enum receipt_outcome { RECEIPT_APPLIED, RECEIPT_REFUSED, RECEIPT_LATER };

struct wire_outbox {
	struct uuid key, subject;
	usec_t at;
	const char *kind;
	const uint8_t *body; /* read: in the cursor's bytes */
	size_t n;
};
void wire_outbox_put(struct buf *b, const struct wire_outbox *o);
int wire_outbox_get(struct cursor *cur, struct arena *a, struct wire_outbox *ret);

struct wire_receipt {
	uint8_t outcome; /* enum receipt_outcome */
	const char *text;
};
void wire_receipt_put(struct buf *b, const struct wire_receipt *r);
int wire_receipt_get(struct cursor *cur, struct arena *a, struct wire_receipt *ret);

/*
 * Receive: in an open write transaction, apply ${o} from vault ${from} unless its key is known; ${receipt} gets the
 * receipt's words either way.  FW_EINVALID and FW_EFORMAT mean refused.
 */
int outbox_apply(struct worker *w, struct store *db, int from, const struct wire_outbox *o,
		 struct buf *receipt, struct diag *reterr);
/* A receipt came: end the row. In an open write transaction. */
int outbox_settle(struct store *db, const struct uuid *key, const struct wire_receipt *r,
		  struct diag *reterr);

#endif
