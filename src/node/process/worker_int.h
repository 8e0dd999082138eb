/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What the files of the worker share.
 *
 *     worker.c          start, channels, the loop, the end
 *     worker_calls.c    a request from CALL to REPLY: checks, the group's transaction
 *     worker_reply.c    answers, problems, streams
 *     worker_upload.c   the bytes of a file that is handed in
 *     worker_defer.c    the thread for slow computations
 *     worker_tasks.c    tasks, transactions of their own
 *     reading.c         files that a reader parses
 *
 * A request's life (enum req_state):
 *
 *            CALL                 CALL_END             synced
 *     (new) ─────> READY    UPLOAD ────────> SYNC ─────────────> READY
 *        └──────────────────> │ (a file follows)
 *     READY ──group──> answered and gone
 *           ├─ call_defer ──> DEFER ──fn has run──> READY
 *           └─ more() ──────> STREAM ──PULL──> STREAM ... gone
 *
 * CALL_GONE ends it from any state; while the thread works for it, it is only
 * marked and ends when the thread is done.
 */
#ifndef FW_NODE_WORKER_INT_H
#define FW_NODE_WORKER_INT_H

#include <poll.h>
#include <pthread.h>

#include "base/arena.h"
#include "base/err.h"
#include "node/process/worker.h"
#include "tbl/rows.h"

enum {
	REQS_MAX = 2048,     /* under way; the front has its own, lower limit of connections */
	DEFER_MAX = 32,      /* waiting for the thread */
	TRIES = 10,          /* of a transaction, as store_tx() */
	POINTERS = 8,        /* of worker_set */
	TASKS_MAX = 32,
	MORE_MAX = 1 << 20,  /* bytes of one REPLY_MORE */
	REPLY_BODY_MAX = CHAN_PAYLOAD_MAX - 4096,
	CALL_DEFERRED = 1,   /* what call_defer() returns: no error, not done either */
};

enum req_state { REQ_READY, REQ_UPLOAD, REQ_SYNC, REQ_DEFER, REQ_STREAM };

struct hook {
	struct hook *next;
	void (*fn)(struct worker *w, void *arg);
	void *arg;
};

struct req {
	struct req *next;  /* of all requests under way */
	struct req *queue; /* next in the queue it stands in: ready, or the thread's */
	uint64_t tag;
	enum req_state state;
	bool gone;     /* the client went away while the thread worked */
	bool pulled;   /* of a stream: the front took what was sent */
	struct arena *mem;
	struct arena_mark mark; /* below it: what stays over a second run of the handler */
	struct wire_call wire;
	const struct route_row *route;
	call_fn *fn;
	struct ticket who;
	bool known;       /* ${who} is proven */
	struct call call;
	struct reply reply;
	struct hook *hooks, **hooks_end;
	int checked;      /* what the checks at arrival found */
	int result;       /* of the last run of the handler */
	struct diag d;    /* words for either */

	void (*defer_fn)(void *arg);
	void *defer_arg;

	int fd;           /* of an upload; -1 */
	char *path;       /* of the spooled file, NULL for none; ends in .part until it is whole */
	uint64_t size;
	int upload_error;
};

struct defer {
	pthread_t thread;
	bool running, end;
	pthread_mutex_t lock;
	pthread_cond_t come;
	struct req *todo, **todo_end; /* under the lock, as is what follows */
	struct req *done;
	unsigned waiting;
	int wake; /* eventfd: something is done */
};

struct worker {
	const struct vault_def *def;
	enum proc self;
	struct arena *mem; /* lifetime of the process */
	struct wire_boot boot;
	struct chan control;
	struct chan peer[PROC_COUNT];
	bool met[PROC_COUNT];      /* there was a channel once */
	usec_t seek_at[PROC_COUNT]; /* monotonic: when to ask for another; 0: it is open */
	struct store *store;
	struct ledger_writer *ledger;
	uint8_t *keys; /* sodium_malloc: data key, ticket key, public signing key */
	const char *missing; /* a wall that the kernel lacks */

	struct req *reqs;
	unsigned nreqs;
	struct req *ready, **ready_end;
	struct defer defer;
	uint64_t upload_max;

	usec_t due[TASKS_MAX]; /* monotonic; of def->tasks */
	size_t ntasks, task_turn;

	struct {
		const char *name;
		void *p;
	} pointer[POINTERS];

	struct reading *readings;
	uint64_t next_tag; /* of READER_WANT */
	bool stop;
	int failed; /* an error that ends the process */
};

/* worker_calls.c */
int calls_message(struct worker *w, struct message *m); /* from the front; 0 or FW_EPROTO */
void calls_run(struct worker *w);                        /* one group, if any request is ready */
void calls_drop_all(struct worker *w);                   /* the front is gone: so are its clients */
void req_ready(struct worker *w, struct req *r);
void req_end(struct worker *w, struct req *r);
static inline struct req *req_of(const struct call *c)
{
	return (struct req *)(uintptr_t)((const char *)c - offsetof(struct req, call));
}

/* worker_reply.c */
void reply_send(struct worker *w, struct req *r);                    /* the handler's; the request may end */
void reply_problem(struct worker *w, struct req *r, int code, struct diag *d); /* the request ends */
void problem_send(struct worker *w, uint64_t tag, int code, const struct diag *d);
void reply_reset(struct reply *p);
void streams_run(struct worker *w);
int status_of(int code);

/* worker_upload.c */
int upload_begin(struct worker *w, struct req *r, struct diag *reterr);
int upload_chunk(struct worker *w, struct req *r, struct cursor *body);
void upload_end(struct worker *w, struct req *r);
void upload_discard(struct req *r); /* the file goes */
void upload_keep(struct req *r);    /* the file is the handler's */
int upload_clean(struct worker *w, struct diag *reterr); /* at start: what was half handed in */

/* worker_defer.c */
int defer_open(struct worker *w, struct diag *reterr);  /* before the walls: they let no event descriptor be made */
int defer_start(struct worker *w, struct diag *reterr); /* behind them, so that the thread is held too */
void defer_stop(struct worker *w);
/* Hand ${r} to the thread: fn(arg), then it comes back by defer_collect(). FW_EBUSY. */
int defer_submit(struct worker *w, struct req *r, void (*fn)(void *arg), void *arg);
void defer_collect(struct worker *w);

/* worker_tasks.c */
void tasks_start(struct worker *w);
void tasks_run(struct worker *w);
usec_t tasks_next(const struct worker *w); /* when the next is due, monotonic */
/* Wait before try number ${n} of a transaction. */
void tx_pause(unsigned n);
/* The ledger's writer after a transaction that ended with ${err}. */
void tx_ledger(struct worker *w, int err);

/* reading.c */
int readings_message(struct worker *w, struct message *m); /* READER, READER_NONE */
size_t readings_poll(struct worker *w, struct pollfd *fds, size_t cap);
void readings_serve(struct worker *w);
usec_t readings_next(const struct worker *w); /* when the next stall is to be looked at */

#endif
