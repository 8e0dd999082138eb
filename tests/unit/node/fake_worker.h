/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A worker without processes, for tests of handlers, tasks and messages.
 *
 * It stands in for node/process/worker.c (every function of worker.h and
 * call.h that a handler may use is here) and does what the loop does with one
 * request at a time: row of the route, ticket's state, permission, body
 * against its shape, savepoint in a write transaction, slow work, commit, what
 * follows the commit.  The store is a real one.
 *
 *	struct worker *w = fake_worker_new(&def, url, NULL, 0);
 *	struct fake_answer a;
 *	fake_call(w, &(struct fake_request){ .op = OP_X, .who = &t, .body = "{...}" }, &a);
 *	assert_int_equal(a.status, 200);
 *	fake_answer_release(&a);
 *	fake_worker_free(w);
 */
#ifndef FW_TESTS_FAKE_WORKER_H
#define FW_TESTS_FAKE_WORKER_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "node/process/worker.h"

/*
 * Opens (and makes, if it is SQLite) the store, migrates it, runs def->start.
 * Fails the test if it cannot.  ${settings}: pairs as in struct wire_boot.
 */
struct worker *fake_worker_new(const struct vault_def *def, const char *url,
			       const struct wire_pair *settings, size_t nsettings);
/* def->end, and the store is closed: like a process that ends. NULL allowed. */
void fake_worker_free(struct worker *w);
/* Questions to the house go to this one; NULL: it does not answer. */
void fake_worker_set_house(struct worker *w, struct worker *house);
/* Questions to the keeper go over this channel, which signs with the key ${pk}; NULL: it is down.
 */
void fake_worker_set_keeper(struct worker *w, struct chan *keeper, const uint8_t pk[32]);
/* What is sent to that vault goes into this channel, which is the test's; NULL: it is down. */
void fake_worker_set_peer(struct worker *w, enum proc p, struct chan *peer);

struct fake_request {
	int op;
	const struct ticket *who; /* NULL: none */
	const char *param[4];
	struct wire_pair query[8]; /* ended by name NULL */
	const char *body;          /* JSON; NULL for none */
	const char *purpose, *lang, *address, *agent;
	const char *token; /* the session token as text; its hash is given to the handler */
	const char *upload;
	uint64_t upload_size;
};

struct fake_answer {
	int code;   /* what the handler (or a check before it) returned */
	int status; /* as the front would see it */
	struct diag diag;
	json_t *json; /* the body, if it is JSON; NULL otherwise */
	struct buf body;
	char type[64];
	char token[64];  /* new session token; "" none */
	bool token_ends; /* the cookie is taken away */
};

/* Never fails itself: what went wrong is in the answer. */
void fake_call(struct worker *w, const struct fake_request *rq, struct fake_answer *ret);
/* The whole of an answer that streams, appended to ${out}; its end code. */
int fake_call_stream(struct worker *w, const struct fake_request *rq, struct fake_answer *ret,
		     struct buf *out);
void fake_answer_release(struct fake_answer *a);
/* A member of the answer's JSON that is a string; "" if absent. */
const char *fake_text(const struct fake_answer *a, const char *name);

/* Ask it a message of messages.tbl as ${from}; the answer's payload is appended to ${ret}. 0, or
 * FW_EPROTO, FW_EGONE for none. */
int fake_message(struct worker *w, enum proc from, uint16_t type, const void *p, size_t n,
		 struct buf *ret);

/* Run the task of this name until it wants to wait; at most ${most} times. Returns how often it
 * ran. */
unsigned fake_run_task(struct worker *w, const char *name, unsigned most);
/* Whether worker_wake() was called for the task since it last ran. */
bool fake_was_woken(const struct worker *w, const char *task);

/* The last value of a gauge that it told the front; -1: none. */
double fake_gauge(const struct worker *w, int metric);
/* How many TICKETS_VOID the house has sent to the front. */
unsigned fake_voids(const struct worker *w);

/* The n-th commit from now fails as a full disk does and rolls back; 0: never. */
void fake_fail_commit(struct worker *w, unsigned n);

#endif
