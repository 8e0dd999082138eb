/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the files of http/ share. Nothing outside this folder includes it, but tests and fuzz
 * targets. */
#ifndef FW_HTTP_HTTP_INT_H
#define FW_HTTP_HTTP_INT_H

#include "http/http.h"

#include "base/buf.h"
#include "base/time.h"

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;
struct arena;
struct connection;

enum { HTTP_HEADERS_MAX = 100, HTTP_QUERIES_MAX = 64, HTTP_TARGET_MAX = 8192 };

/* The head as it lies in libmicrohttpd's buffer; see lint.c. */
struct http_lint_head {
	const char *head; /* where the method begins */
	size_t len;       /* up to and with the empty line */
	const char *target;
	size_t target_len; /* before libmicrohttpd cut it at the question mark */
	const char *version;
	const struct http_pair *headers;
	size_t n;
};
const char *http_lint_head(const struct http_lint_head *h);

/*
 * Split and decode a request target ("/path?name=value&...").  0 with the
 * results in ${a}; FW_EFORMAT or FW_ELIMIT with words in *ret_words; -ENOMEM.
 */
struct http_target {
	const char *path;
	const struct http_pair *query;
	size_t nquery;
};
int http_target_parse(struct arena *a, const char *raw, struct http_target *ret,
		      const char **ret_words);

/* The cookie ${name} in a Cookie header, copied into ${a}; NULL if it is not there, or there twice.
 */
const char *http_cookie_find(struct arena *a, const char *header, const char *name);

/* Where a request stands. */
enum stage {
	STAGE_HEAD,    /* its target is known, its headers are coming */
	STAGE_BODY,    /* on_head was called, its body is coming */
	STAGE_WAIT,    /* whole; nobody has answered yet */
	STAGE_REPLY,   /* the answer is under way */
	STAGE_REFUSED, /* answered before its end; the connection closes */
};

struct http_request {
	struct http_server *server;
	struct MHD_Connection *mhd;
	struct connection *conn;
	struct arena *mem;
	struct http_request *next_free;

	enum stage stage;
	bool known;          /* on_head was called: on_gone must be */
	bool asleep;         /* suspended */
	bool aborted;        /* to be cut */
	const char *trouble; /* of the target: words for the answer */
	int trouble_status;

	const char *target; /* raw */
	size_t target_len;
	struct http_target decoded;
	const char *method;
	struct http_pair headers[HTTP_HEADERS_MAX];
	size_t value_lens[HTTP_HEADERS_MAX];
	size_t nheaders;

	enum http_body mode;
	bool has_body;
	uint64_t announced; /* UINT64_MAX for chunked */
	uint64_t received;
	struct buf body;

	struct MHD_Response *response;
	int status;
	size_t reply_len;
	bool streaming;
	bool last;      /* nothing will follow what is in out */
	struct buf out; /* of a streamed answer */
	size_t out_taken;

	/* Progress while awake, for the slow. */
	usec_t awake_since, awake_total;
	uint64_t moved; /* bytes of the present direction */

	void *user;
};

/* One connection, in the server's list. */
struct connection {
	struct connection *next, **link;
	int fd;
	int family;
	uint8_t address[16]; /* IPv4 in the first four bytes; an IPv6 client counts by its /64 */
	char text[48];
	usec_t since; /* begun, or the last request over */
	bool trusted; /* its X-Real-IP is believed */
	struct http_request *request;
};

/*
 * DISCARD_MAX: how much of a body is read and dropped so that its sender, who
 * does not listen while it sends, sees the answer instead of a reset.
 */
enum { HTTP_DISCARD_MAX = 64 << 20, HTTP_OUT_MAX = 4 << 20 };
enum { HTTP_TRUSTED_MAX = 8, HTTP_SPARE_REQUESTS = 64 };

struct http_server {
	struct MHD_Daemon *daemon;
	struct http_limits lim;
	struct http_callbacks cb;
	void *arg;
	int listen_fd;
	bool quiet; /* no new connections, every answer closes */
	bool dying; /* http_server_free() is under way */
	bool woken; /* a connection was resumed: libmicrohttpd wants a turn, and does not say so
		       itself */
	struct connection *connections;
	unsigned nconnections;
	struct http_request *spare; /* for the next requests: no allocation at work */
	unsigned nspare;
	usec_t next_sweep;
	uint32_t trusted[HTTP_TRUSTED_MAX];
	size_t ntrusted;
	struct http_pair header; /* beyond the common ones; name NULL for none */
	struct http_stats stats;
};

/* Wake a sleeping connection; put one to sleep (from within its own callback only). */
void http_int_wake(struct http_request *r);
void http_int_sleep(struct http_request *r);
/* Give the stored answer to libmicrohttpd: from within its callbacks only. 0 or FW_EGONE. */
int http_int_queue(struct http_request *r);

#endif
