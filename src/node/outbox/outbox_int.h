/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The payloads of OUTBOX and RECEIPT, and the two halves that tests drive
 * without a running node.
 *
 *   OUTBOX   key 16, subject 16, at i64, kind (string), body (bytes)
 *   RECEIPT  key 16, u8 outcome, text (string)
 *
 * A receipt names its row by the key, and not by the tag of one sending: so it
 * counts whichever sending it answers, however late it comes.
 *
 *   outbox.c          putting rows, looking at them
 *   outbox_send.c     the task that sends, receipts
 *   outbox_receive.c  rows of others
 *   wire_outbox.c     the two payloads
 */
#ifndef FW_NODE_OUTBOX_INT_H
#define FW_NODE_OUTBOX_INT_H

#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "base/uuid.h"
#include "node/process/chan.h"

struct arena;
struct buf;
struct cursor;
struct diag;
struct store;
struct worker;

enum { OUTBOX_KIND_MAX = 31, OUTBOX_DETAIL_MAX = 120 };

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
	struct uuid key;
	uint8_t outcome; /* enum receipt_outcome */
	const char *text;
};
void wire_receipt_put(struct buf *b, const struct wire_receipt *r);
int wire_receipt_get(struct cursor *cur, struct arena *a, struct wire_receipt *ret);

/* The vaults that an outbox joins, and their processes; -1 and PROC_COUNT for others. */
int outbox_vault_of(enum proc p);
enum proc outbox_proc_of(int vault);

/*
 * Receive: in an open write transaction, apply ${o} from vault ${from} unless its key is known; ${receipt} gets the
 * receipt's words either way.  An error that does not pass by itself means refused.
 */
int outbox_apply(struct worker *w, struct store *db, int from, const struct wire_outbox *o,
		 struct buf *receipt, struct diag *reterr);
int outbox_on_row(struct worker *w, struct chan *from, struct message *m, struct arena *a);

/*
 * A receipt came from vault ${from}: end the row, if it is one that goes there. In an open write transaction.
 * *ret_state: what the row is now (enum outbox_state); OUTBOX_WAITING too when there is no such row.
 */
int outbox_settle(struct worker *w, struct store *db, int from, const struct wire_receipt *r, int *ret_state,
		  struct diag *reterr);
int outbox_on_receipt(struct worker *w, struct chan *from, struct message *m, struct arena *a);

#endif
