/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * HTTP/1.1 for the front, on libmicrohttpd, of which nothing shows here.
 *
 * One thread.  The front owns the event loop: it polls http_server_fd() for
 * reading, at most http_server_timeout() milliseconds, then calls
 * http_server_run().  A request is answered when its answer is ready, not
 * when it arrives: until http_reply() the connection sleeps and costs nothing
 * but its memory.
 *
 * Every limit is explicit (struct http_limits).  http_lint() refuses what
 * libmicrohttpd lets through and two readers could read differently
 * (RFC 9112 sections 3.2, 5, 6.1, 6.3, 11.2).
 */
#ifndef FW_HTTP_HTTP_H
#define FW_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct diag;
struct http_request; /* lives from its head until on_gone */
struct http_server;

struct http_limits {
	size_t head_max;       /* request line and headers, bytes: 16384 */
	size_t body_max;       /* buffered bodies: 1 MiB */
	unsigned connections;  /* in all: 512 */
	unsigned per_address;  /* ignored on a Unix socket: 64 */
	unsigned idle_seconds; /* without progress: 20 */
	unsigned head_seconds; /* for the whole head, so that slow clients end: 20 */
	unsigned body_seconds; /* for a buffered body: 60; a streamed one must make 1 KiB/s on
				  average after that */
};
extern const struct http_limits http_default_limits;

struct http_pair {
	const char *name;
	const char *value;
};

enum http_body { HTTP_BODY_NONE, HTTP_BODY_BUFFER, HTTP_BODY_STREAM };

struct http_callbacks {
	/*
	 * The head is whole and passed the lint.  Says how to take the body; or
	 * answers at once with http_reply() (then the return value is ignored and
	 * the connection closes after the answer if a body was announced).
	 */
	enum http_body (*on_head)(void *arg, struct http_request *r);
	/* A streamed body's next bytes. Returns how many were taken; fewer than ${n} puts the
	 * connection to sleep until http_resume_body(). */
	size_t (*on_body)(void *arg, struct http_request *r, const void *bytes, size_t n);
	/* The request is whole. From now on http_reply() may come at any time. */
	void (*on_complete)(void *arg, struct http_request *r);
	/* The client took what http_stream() gave; more is welcome. */
	void (*on_drain)(void *arg, struct http_request *r);
	/* The request is over or its client went away: ${r} is gone after this call. Called exactly
	 * once for each on_head. */
	void (*on_gone)(void *arg, struct http_request *r);
};

/* ${listen_fd} is bound and listening already (TCP or Unix); owned by the server from now on. */
int http_server_new(int listen_fd, const struct http_limits *lim, const struct http_callbacks *cb,
		    void *arg, struct http_server **ret, struct diag *reterr);
void http_server_free(struct http_server *s);
/* Peers on a Unix socket whose X-Real-IP is believed, by user id (SO_PEERCRED). Before this call:
 * every peer, since the socket's mode says who may connect. */
void http_server_trust(struct http_server *s, const uint32_t *uids, size_t n);
/* One more header for every answer (Strict-Transport-Security); its strings outlive the server. */
void http_server_header(struct http_server *s, const struct http_pair *h);
int http_server_fd(const struct http_server *s);
int http_server_timeout(struct http_server *s); /* ms, -1 for none */
void http_server_run(struct http_server *s);
/* No new connections; present ones end. */
void http_server_quiesce(struct http_server *s);
struct http_stats {
	uint64_t requests, linted, refused_connections, cut; /* cut: too slow */
	unsigned open_connections;
};
void http_server_stats(const struct http_server *s, struct http_stats *ret);

/* Of a request. Strings live as long as the request; path and query are percent-decoded UTF-8
 * without NUL (else the lint refused). */
const char *http_method(const struct http_request *r);
const char *http_path(const struct http_request *r);
const char *http_header(const struct http_request *r, const char *name); /* NULL if absent */
const char *http_cookie(const struct http_request *r, const char *name);
size_t http_query(const struct http_request *r, const struct http_pair **ret);
/* Whether a body was announced; *ret_len is its length, UINT64_MAX for a chunked one. */
bool http_has_body(const struct http_request *r, uint64_t *ret_len);
const uint8_t *http_body_bytes(const struct http_request *r, size_t *ret_len);
const char *
http_address(const struct http_request *r); /* peer; on a Unix socket X-Real-IP from nginx */
/* The status it was answered with; 0 while it was not. */
int http_status(const struct http_request *r);
/* Memory that lives as long as the request. */
struct arena *http_arena(const struct http_request *r);
void *http_user(const struct http_request *r);
void http_set_user(struct http_request *r, void *p);
void http_resume_body(struct http_request *r);

struct http_response {
	int status;
	const struct http_pair *headers; /* beyond those every answer carries */
	size_t nheaders;
	const void *body; /* copied */
	size_t len;
};
/* Once for each request. Adds: Content-Length, Date, the security headers of http_common_headers.
 * HEAD sends no body. */
void http_reply(struct http_request *r, const struct http_response *resp);
/* The same for static bytes that outlive the server: not copied. */
void http_reply_static(struct http_request *r, const struct http_response *resp);
/* What every answer carries, ended by a NULL name. An answer with a Cache-Control of its own does
 * not get no-store. */
extern const struct http_pair http_common_headers[];
/* An answer in the one shape of all errors (RFC 9457). ${detail}, ${place}, ${code}, ${extra} may
 * be NULL. */
void http_reply_problem(struct http_request *r, int status, const char *code, const char *detail,
			const char *place, const struct http_pair *extra, size_t nextra);
/* "Not Found" and the like: the title of a problem. */
const char *http_status_words(int status);
/* Start an answer of unknown length (chunked); then http_stream() until last. Cutting it short:
 * http_abort(). */
void http_reply_stream(struct http_request *r, const struct http_response *resp);
void http_stream(struct http_request *r, const void *bytes, size_t n, bool last);
void http_abort(struct http_request *r);

/* What the lint found: NULL if nothing, else the words for the 400 answer. Pure, over what
 * libmicrohttpd shows. */
struct http_lint_view {
	const char *method, *version, *url;
	const struct http_pair *headers;
	const size_t *value_lens; /* true lengths, to find inner NULs */
	size_t n;
};
const char *http_lint(const struct http_lint_view *v);

#endif
