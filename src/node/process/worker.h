/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The loop of a process that owns a store: the house and the three vaults.
 *
 * What a vault can do is said by a struct vault_def, put together from the
 * tables of node/access, node/outbox and the domains in cmd/vaults.c: the loop
 * knows no domain.
 *
 * One turn of the loop:
 *   1. poll the channels until something stands ready or a task is due;
 *   2. take every CALL that is whole (at most WORKER_GROUP), open one write
 *      transaction, run each handler in a savepoint, commit;
 *   3. let the answers go;
 *   4. run the tasks that are due, each in transactions of its own, each turn
 *      at most about WORKER_TASK_MS, so that an officer's write never waits
 *      behind an import.
 */
#ifndef FW_NODE_WORKER_H
#define FW_NODE_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "base/uuid.h"
#include "node/process/call.h"
#include "node/process/chan.h"
#include "node/process/wire.h"

struct arena;
struct diag;
struct ledger_writer;
struct store;
struct worker;

enum { WORKER_GROUP = 64, WORKER_TASK_MS = 25, WORKER_MEM = 48 << 20 /* cap of a request's arena */ };

/*
 * Work between requests.  run() does a slice and returns the monotonic time at which it
 * wants to be called again: 0 for as soon as nothing waits, INT64_MAX for never
 * until worker_wake().  It must survive being killed between any two of its commits.
 */
struct task_row {
	const char *name;
	usec_t (*run)(struct worker *w);
};

/*
 * How a row that another vault's outbox sent is applied: in the caller's write transaction, once for each key.
 * FW_EINVALID and FW_EFORMAT refuse the row, with words that the other vault may read; FW_EBUSY asks for it again
 * later. ret_receipt takes at most OUTBOX_RECEIPT_MAX bytes of text, for the other vault too.
 */
struct apply_row {
	const char *kind; /* "referral" */
	int (*apply)(struct worker *w, struct store *db, int from_vault, const struct uuid *key,
		     const struct uuid *subject, const uint8_t *body, size_t n, struct buf *ret_receipt,
		     struct diag *reterr);
};

struct vault_def {
	int vault;                           /* enum vault */
	const struct call_row *const *calls; /* tables ended by op -1, the list by NULL */
	const struct task_row *tasks;        /* ended by name NULL */
	const struct apply_row *applies;     /* ended by kind NULL; may be NULL */
	/* After the store is open and migrated, before READY: recover, fill caches. */
	int (*start)(struct worker *w, struct diag *reterr);
	void (*end)(struct worker *w);
	/* HOLD_ASK and others (node/access/house.c): messages that are not calls. NULL if none. */
	int (*on_message)(struct worker *w, struct chan *from, struct message *m);
	/* Bits of enum perm that ${account} holds here, in the open transaction. */
	int (*permissions)(struct worker *w, struct store *db, const struct uuid *account, uint64_t *ret,
			   struct diag *reterr);
};

/* The whole life of a worker process: control channel on ${fd}; returns the exit status. */
int worker_main(const struct vault_def *def, int fd);

struct store *worker_store(struct worker *w);
struct ledger_writer *worker_ledger(struct worker *w);
int worker_vault(const struct worker *w); /* enum vault */
const struct vault_def *worker_def(const struct worker *w);
const struct wire_boot *worker_boot(const struct worker *w);
/* This vault's data key and the ticket key, from the keeper at start; sodium_malloc. */
const uint8_t *worker_key(const struct worker *w);
const uint8_t *worker_ticket_key(const struct worker *w);
const uint8_t *worker_sign_public(const struct worker *w);
/* The channel to another process, or NULL while it is down. */
struct chan *worker_peer(struct worker *w, enum proc p);
/* Ask the house a question of messages.tbl, waiting at most two seconds. */
int worker_ask_house(struct worker *w, uint16_t type, const void *p, size_t n, uint16_t answer,
		     struct buf *ret);
/* Whether somebody's message stands at the door: a task that has had its time then gives way. */
bool worker_waited_for(const struct worker *w);
/* Run a task again at the next turn. */
void worker_wake(struct worker *w, const char *task);
/* Tell the front a gauge of metrics.tbl whose one label is the vault. Say it again now and then: the front may be new. */
void worker_gauge(struct worker *w, int metric, double value);
/* A pointer that a domain keeps with the worker, by a name of its own (at most 8). */
void worker_set(struct worker *w, const char *name, void *p);
void *worker_get(const struct worker *w, const char *name);
/* Run fn in a write transaction of its own, ledger entries included (commit or rollback of the chain is done). For tasks. */
int worker_tx(struct worker *w, int (*fn)(struct worker *w, struct store *db, void *arg, struct diag *reterr),
	      void *arg, struct diag *reterr);
/* A ledger entry of the node itself, inside worker_tx. */
int worker_ledger_note(struct worker *w, struct store *db, struct ledger_note *note, struct diag *reterr);

/*
 * Slow computation inside a handler (Argon2id): return call_defer(c, fn, arg).
 * The loop rolls the savepoint back, runs fn(arg) on a thread of its own (one
 * at a time; others queue, at most 32, then FW_EBUSY), and then runs the handler again with
 * c->deferred == arg.  fn must touch nothing but arg, which lives in c->mem.
 */
int call_defer(struct call *c, void (*fn)(void *arg), void *arg);

/*
 * A file parsed in a reader process.  The worker holds no parser: it hands
 * over bytes and gets records, which it checks again.  ${kind} is a row of the
 * reader's own table (cmd/readers.c).  Callbacks run from the loop, outside any transaction.
 */
struct reading;
enum {
	READING_WINDOW = 1 << 20,     /* bytes handed over that the reader has not taken yet */
	READING_BATCH = 1000 * 1024,  /* bytes of one READ_RECORDS */
	READING_CREDITS = 2,          /* READ_RECORDS under way without a READ_GO */
};
struct reading_callbacks {
	/* One READ_RECORDS payload. Return 0, or an error to stop the reading. The reader gets no more until reading_go(). */
	int (*on_records)(void *arg, struct cursor *records);
	/* The end: 0, or an error with its words; FW_EGONE when the reader died. ${r} is gone after this call. */
	void (*on_done)(void *arg, int code, const char *words);
};
/* ${fd}: the file, read from its present position; owned by the reading from now on. ${layout} may be "". */
int reading_start(struct worker *w, const char *kind, const char *layout, int fd,
		  const struct reading_callbacks *cb, void *arg, struct reading **ret, struct diag *reterr);
void reading_go(struct reading *r);
void reading_stop(struct reading *r); /* on_done is not called */
uint64_t reading_bytes(const struct reading *r); /* handed over so far */

/* The reader's side: one row a kind. */
struct reader_out; /* writes READ_RECORDS, waits for READ_GO when two batches are under way */
struct buf *reader_batch(struct reader_out *o);  /* append records here */
int reader_send(struct reader_out *o);           /* send the batch and wait for room; FW_EGONE */
struct reader_in;  /* pulls READ_BYTES */
/* Next bytes: 1 with *ret_p, *ret_n valid until the next call; 0 at the end; FW_EGONE. */
int reader_next(struct reader_in *in, const uint8_t **ret_p, size_t *ret_n);
struct reader_row {
	const char *kind; /* "report" */
	int (*read)(struct reader_in *in, struct reader_out *out, const char *layout, struct arena *mem,
		    struct diag *reterr);
};
/* The whole life of a reader process. ${rows} ended by kind NULL. */
int reader_main(const struct reader_row *rows, int fd);

#endif
