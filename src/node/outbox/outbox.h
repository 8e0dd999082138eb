/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The outbox: the only way from one vault to another.
 *
 * A domain writes a row in the transaction of the act itself.  A task sends
 * rows oldest first, one under way for each subject; the receiver applies a
 * row in one transaction with its key in the inbox, so that a second arrival
 * of the same key only gives the same receipt again; the receipt ends the
 * row.  Either side may die at any instant:
 *
 *   sender dies before sending      the row is there at its next start
 *   receiver dies before commit     no receipt; sent again
 *   receiver dies after commit      no receipt; sent again; the inbox knows the key
 *   sender dies with the receipt    sent again; likewise
 *
 * Order.  Of each subject only the oldest row that is not done is ever sent
 * (a condition in the statement that reads the rows), so a later one cannot
 * overtake it, whatever is lost and whichever vault it is for.  When a row is
 * done its body is emptied: what it carried lives on in the receiver's vault
 * only.
 *
 * A row that the receiver refuses is kept as refused, with its words, and shown
 * by the log and the metrics.  It holds back the later rows of its subject and
 * no others, and is sent once more at each start of the process: what refused
 * it may have been an older program.
 *
 * docs/outbox.md tells the whole.
 */
#ifndef FW_NODE_OUTBOX_H
#define FW_NODE_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "base/uuid.h"
#include "node/process/worker.h"

struct diag;
struct store;

enum { OUTBOX_BODY_MAX = 100000, OUTBOX_RECEIPT_MAX = 200 };

/*
 * In the caller's open write transaction.  ${kind} is a row of the receiver's apply table. *ret_key: the row's key,
 * above every earlier one of the subject.  FW_ELIMIT, FW_EINVALID (no such vault, no such name of a kind).
 */
int outbox_put(struct store *db, int to_vault, const char *kind, const struct uuid *subject, const void *body,
	       size_t n, struct uuid *ret_key, struct diag *reterr);

enum outbox_state { OUTBOX_WAITING, OUTBOX_DONE, OUTBOX_REFUSED };
struct outbox_row {
	struct uuid key, subject;
	usec_t at;
	int state;       /* enum outbox_state */
	char kind[32];
	char receipt[OUTBOX_RECEIPT_MAX + 1]; /* of OUTBOX_DONE, or why it was refused */
};
/* The rows of a subject, newest first, at most ${max}. */
int outbox_of_subject(struct store *db, const struct uuid *subject, struct outbox_row *ret, size_t max,
		      size_t *ret_n, struct diag *reterr);

/* The sending task, for every vault's task table; outbox_wake() after a commit that put a row. */
extern const struct task_row outbox_task;
void outbox_wake(struct worker *w, void *unused); /* fits call_after_commit */
/* OUTBOX and RECEIPT messages, called by the worker's loop. */
int outbox_on_message(struct worker *w, struct chan *from, struct message *m);

#endif
