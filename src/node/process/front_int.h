/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the files of the front share. */
#ifndef FW_NODE_FRONT_INT_H
#define FW_NODE_FRONT_INT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/time.h"
#include "http/http.h"
#include "node/process/chan.h"
#include "node/process/front_limits.h"
#include "node/process/front_route.h"
#include "node/process/front_session.h"
#include "node/process/metrics.h"
#include "node/process/wire.h"

struct arena;
struct front;

enum {
	CHUNK_WINDOW = 4,       /* chunks of an upload on their way to the worker */
	CHUNK_MAX = 256 * 1024, /* bytes of one; messages.tbl */
	TRACE_LEN = 32,         /* hex digits of a W3C trace id */
};
#define CALL_WAIT   (30 * USEC_PER_SEC) /* for a worker's answer, or its next sign of life */
#define STREAM_WAIT (60 * USEC_PER_SEC) /* for the next part of an answer */
#define STOP_WAIT   (5 * USEC_PER_SEC)  /* for what is under way when the node ends */

/* One request under /api/ on its way: from its head until it is gone. */
struct exchange {
	uint64_t tag; /* on the channels; never used twice */
	bool used;
	struct exchange *next_free;
	struct http_request *r;
	struct route_match match;
	enum proc proc; /* whose worker answers */

	bool has_token;
	uint8_t token_hash[WIRE_TOKEN];
	bool ticket_known;
	size_t ticket_len; /* 0: none needed */
	uint8_t ticket[WIRE_TICKET_MAX];
	const char *purpose;

	bool whole;      /* the request, body included, has come */
	bool called;     /* CALL was sent */
	bool answered;   /* http_reply was called */
	bool over;       /* the worker has nothing more to say */
	unsigned chunks; /* of an upload, sent and not yet taken */
	uint64_t uploaded;
	bool sleeping; /* the upload waits for TAKEN or for its ticket */
	bool pulled;   /* PULL was sent, REPLY_MORE has not come */

	usec_t began, first; /* head and beginning of the answer, monotonic */
	usec_t deadline;     /* 0: none */
	char trace[TRACE_LEN + 1];
};

struct front_settings {
	bool tls, exercise;
	const char *host; /* NULL: any */
	enum { METRICS_LOCAL, METRICS_OPEN, METRICS_OFF } metrics;
	uint64_t upload_max;
	struct http_limits http;
};

struct front {
	struct chan control;
	struct chan to[PROC_COUNT]; /* house and vaults; others stay closed */
	bool ready[PROC_COUNT];     /* HELLO has come */
	struct http_server *http;
	struct route_tree *routes;
	struct arena *boot_mem;
	struct wire_boot boot;
	struct front_settings set;
	struct exchange *slots; /* owned */
	size_t nslots;
	struct exchange *free_slots;
	struct arena *mem; /* of one turn: messages being read */
	struct buf out;    /* of one message being written */
	struct tickets tickets;
	struct buckets per_address, per_session, logins;
	struct metrics *metrics;
	const char *missing; /* a wall that this kernel lacks; NULL for none */
	usec_t next_sweep;
	usec_t stop_at; /* 0: serving */
	int status;     /* exit status */
	bool end;
};

/* The process whose worker serves a vault (enum vault). */
enum proc front_proc_of(int vault);
/* Break with a worker that broke the protocol or is gone: what waits for it is answered with 503.
 */
void front_drop(struct front *f, enum proc p, const char *why);
/* Send, or drop the channel: 0 or an error. */
int front_send(struct front *f, enum proc p, uint16_t type, uint64_t tag, const void *payload,
	       size_t n);

struct exchange *exchange_new(struct front *f, struct http_request *r);
/* The one with this tag, if it waits for ${p}; else NULL (its client has gone). */
struct exchange *exchange_of(struct front *f, uint64_t tag, enum proc p);
void exchange_free(struct front *f, struct exchange *x);
/* Answer with a problem unless an answer has begun; then cut it. */
void exchange_fail(struct exchange *x, int status, const char *code, const char *detail,
		   const char *place);

/* The callbacks of the server; ${arg} is the front. */
enum http_body front_on_head(void *arg, struct http_request *r);
size_t front_on_body(void *arg, struct http_request *r, const void *bytes, size_t n);
void front_on_complete(void *arg, struct http_request *r);
void front_on_drain(void *arg, struct http_request *r);
void front_on_gone(void *arg, struct http_request *r);

/* A ticket came (${n} 0: there is no such session), or was in the cache. */
void front_ticket(struct front *f, struct exchange *x, const uint8_t *ticket, size_t n);
/* Messages from workers. 0, or FW_EPROTO. */
int front_reply(struct front *f, struct exchange *x, struct message *m);
int front_more(struct front *f, struct exchange *x, struct message *m);
void front_taken(struct exchange *x);

/* What is not under /api/, and /api/openapi.json. True if it was one of them. */
bool front_page(struct front *f, struct http_request *r);

#endif
