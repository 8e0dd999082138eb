/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A request as a vault's worker sees it, and the answer it gives.
 *
 * The worker's loop takes every request that stands ready, opens one write
 * transaction, runs each handler inside a savepoint, commits once, and only
 * then lets the answers go: nothing is acknowledged before it is durable, and
 * many requests share one sync.  So a handler may be run again (after a
 * serialization failure): it must set its results anew each time, keep no
 * state of its own outside the store, and do nothing that cannot be undone by
 * a rollback; what must follow a commit goes through call_after_commit().
 *
 * The loop has done before the handler runs: matched the route, verified the
 * ticket, checked that the account holds the route's permission in this vault,
 * checked the body against its shape, checked path and query parameters.
 */
#ifndef FW_NODE_CALL_H
#define FW_NODE_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/time.h"
#include "base/uuid.h"

struct arena;
struct diag;
struct ledger_note;
struct store;
struct worker;

/* Who asks, proven by the house's message authentication code (node/access/ticket.h). */
struct ticket {
	struct uuid account;
	struct uuid session;
	struct uuid agency;
	usec_t expires;
	uint8_t state;     /* enum session_state: open, second_factor, enrol, change_password */
	char login[65];    /* for display in answers to this very account; never into the ledger */
};

struct call {
	struct worker *worker;
	struct store *db;          /* in a write transaction */
	struct arena *mem;         /* request lifetime */
	int op;                    /* enum op from routes.tbl: OP_LIST_INCIDENTS ... */
	const struct ticket *who;  /* zero account for a public route */
	uint64_t permissions;      /* bits of enum perm held in this vault */
	const char *param[4];      /* path parameters in order, decoded */
	json_t *body;              /* checked against the shape; NULL without one */
	const char *upload;        /* path of the spooled file, synced; NULL without one */
	uint64_t upload_size;
	const char *purpose;       /* code, checked; NULL if the route needs none */
	const char *lang;          /* wanted language tag, "en" if unknown */
	void *deferred;            /* what call_defer() computed (worker.h); NULL at the first run */
	const uint8_t *token_hash; /* 32 bytes; the house only */
	const char *address;       /* client's, for sessions only */
	const char *agent;         /* User-Agent, cut to 200, for sessions only */
};

/* Decoded query parameter, or NULL. Checked against its type already. */
const char *call_query(const struct call *c, const char *name);
/* Whether this account holds ${perm} (enum perm) in this vault. */
bool call_may(const struct call *c, int perm);
/* An entry in the vault's ledger, in this transaction; account, session, purpose and route are filled in. */
int call_ledger(struct call *c, struct ledger_note *note, struct diag *reterr);
/* Run fn(arg) once the group's transaction is durable (not if it fails). ${arg} from c->mem. */
int call_after_commit(struct call *c, void (*fn)(struct worker *w, void *arg), void *arg);

struct reply {
	int status;                /* 200 unless set */
	const char *type;          /* content type; "application/json" unless set */
	const char *filename;      /* for Content-Disposition; NULL for none */
	const char *token;         /* house only: as in struct wire_reply */
	struct buf body;
	/*
	 * For answers of any length: called, in a read transaction of its own,
	 * each time the client has taken what was sent; appends to ${out} at
	 * most about 256 KiB and returns 1 for more to come, 0 at the end, or
	 * an error (the connection is cut, so that a short file is noticed).
	 * ${arg} is owned by the reply and freed with mem_free.
	 */
	int (*more)(struct worker *w, struct store *db, void *arg, struct buf *out,
		    struct diag *reterr);
	void *more_arg;
};

/*
 * A handler returns 0 with the reply filled (whatever its status: what it wrote is kept), or an error: the loop rolls its
 * savepoint back and answers with the Problem that fits (FW_ENOTFOUND 404,
 * FW_ECONFLICT and FW_EEXISTS 409, FW_EINVALID and FW_EFORMAT 422, FW_EDENIED 403,
 * FW_EAUTH 401, FW_ELIMIT 413, FW_EBUSY 503, and what says that the store or the disk
 * fails 503) with the diag's words and place.  Anything else is 500, and its
 * words go to the log only.
 */
typedef int call_fn(struct call *c, struct reply *r, struct diag *reterr);

/* One row of a vault's dispatch table. */
struct call_row {
	int op;
	call_fn *fn;
};

#endif
