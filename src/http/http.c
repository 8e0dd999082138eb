/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The server: libmicrohttpd in its "external epoll" mode.
 *
 * libmicrohttpd calls handle() several times for each request: once when the
 * head is whole, once for each piece of the body, once at the end.  A request
 * nobody has answered by then is suspended: it is out of the epoll set until
 * http_reply() resumes it, and libmicrohttpd calls handle() again.
 *
 *     on_target ─ HEAD ─ handle ─ BODY ─ handle* ─ WAIT ─ handle ─ REPLY ─ completed
 *
 * libmicrohttpd knows one time limit, for a connection without any progress.
 * Who sends a byte every ten seconds is not without progress: the sweep, once
 * a second, shuts the sockets of connections that are slower than
 * http_limits allow, and libmicrohttpd then sees them closed.
 */
#include "http/http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "http/http_int.h"

const struct http_limits http_default_limits = {
	.head_max = 16384,
	.body_max = 1 << 20,
	.connections = 512,
	.per_address = 64,
	.idle_seconds = 20,
	.head_seconds = 20,
	.body_seconds = 60,
};

enum { REQUEST_ARENA = 256 * 1024, SLOWEST = 1024 /* bytes a second */ };

void http_int_wake(struct http_request *r)
{
	if (!r->asleep)
		return;
	r->asleep = false;
	r->awake_since = time_mono();
	r->server->woken = true;
	MHD_resume_connection(r->mhd);
}

void http_int_sleep(struct http_request *r)
{
	if (r->asleep)
		return;
	r->asleep = true;
	r->awake_total += time_mono() - r->awake_since;
	MHD_suspend_connection(r->mhd);
}

int http_int_queue(struct http_request *r)
{
	struct MHD_Response *m = r->response;
	r->response = NULL;
	r->awake_since = time_mono();
	r->awake_total = 0;
	r->moved = r->reply_len;
	enum MHD_Result done = MHD_queue_response(r->mhd, (unsigned)r->status, m);
	MHD_destroy_response(m);
	return done == MHD_YES ? 0 : FW_EGONE;
}

static struct http_request *request_new(struct http_server *s)
{
	struct http_request *r = s->spare;
	if (r != NULL) {
		s->spare = r->next_free;
		s->nspare--;
	} else {
		r = mem_alloc(sizeof(*r));
		struct arena *a = arena_new(REQUEST_ARENA);
		if (r == NULL || a == NULL) {
			mem_free(r);
			arena_free(a);
			return NULL;
		}
		r->mem = a;
	}
	struct arena *mem = r->mem;
	/* The arrays of headers need no clearing: nheaders says how far they are filled. */
	memset(r, 0, offsetof(struct http_request, headers));
	r->nheaders = 0;
	memset(&r->mode, 0, sizeof(*r) - offsetof(struct http_request, mode));
	r->mem = mem;
	r->server = s;
	buf_init(&r->body, s->lim.body_max);
	buf_init(&r->out, HTTP_OUT_MAX);
	return r;
}

static void request_free(struct http_request *r)
{
	struct http_server *s = r->server;
	if (r->response != NULL)
		MHD_destroy_response(r->response);
	/* Bodies hold personal data and passwords. */
	buf_wipe(&r->body);
	buf_release(&r->body);
	buf_release(&r->out);
	arena_wipe(r->mem);
	if (s->nspare < HTTP_SPARE_REQUESTS) {
		r->next_free = s->spare;
		s->spare = r;
		s->nspare++;
	} else {
		arena_free(r->mem);
		mem_free(r);
	}
}

static struct connection *connection_of(struct MHD_Connection *m)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(m, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return i != NULL ? i->socket_context : NULL;
}

/* The request line is there; the headers are not. What is returned here handle() gets as its
 * request. */
static void *on_target(void *arg, const char *target, struct MHD_Connection *m)
{
	struct http_server *s = arg;
	struct connection *c = connection_of(m);
	struct http_request *r = c != NULL ? request_new(s) : NULL;
	if (r == NULL)
		return NULL;
	r->mhd = m;
	r->conn = c;
	c->request = r;
	c->since = r->awake_since = time_mono();
	r->target = target;
	r->target_len = strlen(target);
	if (r->target_len > HTTP_TARGET_MAX) {
		r->trouble = "the address is too long";
		r->trouble_status = 414;
		return r;
	}
	int err = http_target_parse(r->mem, target, &r->decoded, &r->trouble);
	r->trouble_status = 400;
	if (err != 0 && r->trouble == NULL) {
		r->trouble = "no memory";
		r->trouble_status = 503;
	}
	return r;
}

static enum MHD_Result collect(void *arg, enum MHD_ValueKind kind, const char *name,
			       size_t name_len, const char *value, size_t value_len)
{
	(void)kind;
	(void)name_len;
	struct http_request *r = arg;
	if (r->nheaders == HTTP_HEADERS_MAX) {
		r->trouble = "too many headers";
		r->trouble_status = 431;
		return MHD_NO;
	}
	r->headers[r->nheaders] = (struct http_pair){name, value != NULL ? value : ""};
	r->value_lens[r->nheaders++] = value_len;
	return MHD_YES;
}

/* Everything that can be wrong with a head: words, or NULL. */
static const char *check_head(struct http_request *r, const char *method, const char *target,
			      const char *version)
{
	(void)MHD_get_connection_values_n(r->mhd, MHD_HEADER_KIND, collect, r);
	const union MHD_ConnectionInfo *size =
		MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	if (r->trouble != NULL)
		return r->trouble;
	if (size == NULL || size->header_size > r->server->lim.head_max) {
		r->trouble_status = 431;
		return "the headers are too large";
	}
	struct http_lint_view v = {.method = method,
				   .version = version,
				   .url = target,
				   .headers = r->headers,
				   .value_lens = r->value_lens,
				   .n = r->nheaders};
	const char *words = http_lint(&v);
	struct http_lint_head h = {.head = method,
				   .len = size->header_size,
				   .target = r->target,
				   .target_len = r->target_len,
				   .version = version,
				   .headers = r->headers,
				   .n = r->nheaders};
	return words != NULL ? words : http_lint_head(&h);
}

static void find_body(struct http_request *r)
{
	const char *length = http_header(r, "Content-Length");
	r->announced = 0;
	if (http_header(r, "Transfer-Encoding") != NULL)
		r->announced = UINT64_MAX;
	for (const char *p = length; p != NULL && *p != '\0'; p++)
		r->announced =
			r->announced * 10 + (uint64_t)(*p - '0'); /* at most 18 digits: the lint */
	r->has_body = r->announced > 0;
}

static enum MHD_Result refuse_now(struct http_request *r)
{
	r->stage = STAGE_REFUSED;
	return r->response != NULL && http_int_queue(r) == 0 ? MHD_YES : MHD_NO;
}

static enum MHD_Result handle_head(struct http_request *r, const char *method, const char *target,
				   const char *version)
{
	struct http_server *s = r->server;
	s->stats.requests++;
	r->method = method;
	const char *words = check_head(r, method, target, version);
	r->stage = STAGE_BODY;
	if (words != NULL) {
		s->stats.linted++;
		http_reply_problem(r, r->trouble_status, "FW_EFORMAT", words, NULL, NULL, 0);
		return refuse_now(r);
	}
	find_body(r);
	r->known = true;
	r->mode = s->cb.on_head(s->arg, r);
	if (r->aborted)
		return MHD_NO;
	if (r->response == NULL && r->mode == HTTP_BODY_BUFFER && r->announced != UINT64_MAX &&
	    r->announced > s->lim.body_max)
		http_reply_problem(r, 413, "FW_ELIMIT", "the body is too large", NULL, NULL, 0);
	if (r->response == NULL || !r->has_body)
		return r->aborted ? MHD_NO : MHD_YES;
	/* Answered before the body came. A client that waits for leave to send it gets the answer
	 * at once. */
	bool waits = http_header(r, "Expect") != NULL;
	bool large = r->announced != UINT64_MAX && r->announced > HTTP_DISCARD_MAX;
	return waits || large ? refuse_now(r) : MHD_YES;
}

/* Keep bytes of a body that is wanted whole. */
static void keep_body(struct http_request *r, const char *bytes, size_t n)
{
	buf_put(&r->body, bytes, n);
	if (r->body.error == FW_ELIMIT)
		http_reply_problem(r, 413, "FW_ELIMIT", "the body is too large", NULL, NULL, 0);
	else if (buf_failed(&r->body))
		http_reply_problem(r, 503, "ENOMEM", "no memory for the body", NULL, NULL, 0);
}

static enum MHD_Result handle_body(struct http_request *r, const char *bytes, size_t *n)
{
	struct http_server *s = r->server;
	size_t taken = *n;
	if (r->response != NULL || r->mode == HTTP_BODY_NONE) {
		if (r->received > HTTP_DISCARD_MAX)
			return MHD_NO;
	} else if (r->mode == HTTP_BODY_BUFFER) {
		keep_body(r, bytes, *n);
	} else {
		taken = s->cb.on_body(s->arg, r, bytes, *n);
		assert(taken <= *n);
		if (r->response != NULL)
			taken = *n;
	}
	if (r->aborted)
		return MHD_NO;
	r->received += taken;
	r->moved += taken;
	*n -= taken;
	if (*n > 0)
		http_int_sleep(r);
	return MHD_YES;
}

static enum MHD_Result handle_end(struct http_request *r)
{
	struct http_server *s = r->server;
	if (r->stage == STAGE_BODY) {
		r->stage = STAGE_WAIT;
		if (r->response == NULL)
			s->cb.on_complete(s->arg, r);
	}
	if (r->aborted)
		return MHD_NO;
	if (r->response == NULL) {
		http_int_sleep(r);
		return MHD_YES;
	}
	r->stage = STAGE_REPLY;
	return http_int_queue(r) == 0 ? MHD_YES : MHD_NO;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *m, const char *target,
			      const char *method, const char *version, const char *bytes, size_t *n,
			      void **state)
{
	(void)m;
	struct http_server *s = arg;
	struct http_request *r = *state;
	if (r == NULL || s->dying || r->aborted)
		return MHD_NO;
	if (r->stage == STAGE_HEAD)
		return handle_head(r, method, target, version);
	if (*n > 0)
		return handle_body(r, bytes, n);
	return handle_end(r);
}

static void completed(void *arg, struct MHD_Connection *m, void **state,
		      enum MHD_RequestTerminationCode why)
{
	(void)m;
	(void)why;
	struct http_server *s = arg;
	struct http_request *r = *state;
	if (r == NULL)
		return;
	*state = NULL;
	r->conn->request = NULL;
	r->conn->since = time_mono();
	if (r->known)
		s->cb.on_gone(s->arg, r);
	request_free(r);
}

/* ---- connections ---- */

/* An IPv6 client has a whole /64 to come from: it counts as one. */
static int address_key(const struct sockaddr *sa, uint8_t out[16])
{
	memset(out, 0, 16);
	if (sa->sa_family == AF_INET)
		memcpy(out, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
	if (sa->sa_family != AF_INET6)
		return sa->sa_family;
	const struct in6_addr *a = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
	if (IN6_IS_ADDR_V4MAPPED(a))
		memcpy(out, a->s6_addr + 12, 4);
	else
		memcpy(out, a->s6_addr, 8);
	return IN6_IS_ADDR_V4MAPPED(a) ? AF_INET : AF_INET6;
}

static enum MHD_Result welcome(void *arg, const struct sockaddr *sa, socklen_t len)
{
	(void)len;
	struct http_server *s = arg;
	uint8_t key[16];
	int family = address_key(sa, key);
	if (family != AF_INET && family != AF_INET6)
		return MHD_YES;
	unsigned n = 0;
	for (const struct connection *c = s->connections; c != NULL; c = c->next)
		n += c->family == family && memcmp(c->address, key, sizeof(key)) == 0;
	if (n < s->lim.per_address)
		return MHD_YES;
	s->stats.refused_connections++;
	return MHD_NO;
}

static bool is_trusted(const struct http_server *s, int fd, int family)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	if (family != AF_UNIX)
		return false;
	if (s->ntrusted == 0)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return false;
	for (size_t i = 0; i < s->ntrusted; i++)
		if (s->trusted[i] == cred.uid)
			return true;
	return false;
}

static void connection_begin(struct http_server *s, struct MHD_Connection *m, void **context)
{
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(m, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *addr =
		MHD_get_connection_info(m, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct connection *c = mem_alloc(sizeof(*c));
	if (c == NULL || fd == NULL || addr == NULL) {
		mem_free(c);
		return; /* on_target finds no connection and the request is refused */
	}
	*c = (struct connection){.fd = fd->connect_fd, .since = time_mono(), .text = "local"};
	c->family = address_key(addr->client_addr, c->address);
	c->trusted = is_trusted(s, c->fd, c->family);
	/*
	 * A Unix socket tells of room only when half its buffer is free: with the
	 * usual 208 KiB a slow client behind the proxy would seem to stand still.
	 */
	int room = 64 * 1024;
	if (c->family == AF_UNIX)
		(void)setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	const struct sockaddr_in6 *in6 = (const void *)addr->client_addr;
	if (c->family == AF_INET) /* an IPv4 address within IPv6 too */
		(void)inet_ntop(AF_INET, c->address, c->text, sizeof(c->text));
	else if (c->family == AF_INET6)
		(void)inet_ntop(AF_INET6, &in6->sin6_addr, c->text, sizeof(c->text));
	c->next = s->connections;
	c->link = &s->connections;
	if (c->next != NULL)
		c->next->link = &c->next;
	s->connections = c;
	s->nconnections++;
	*context = c;
}

static void on_connection(void *arg, struct MHD_Connection *m, void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct http_server *s = arg;
	struct connection *c = *context;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		connection_begin(s, m, context);
	} else if (c != NULL) {
		*c->link = c->next;
		if (c->next != NULL)
			c->next->link = c->link;
		/* When full, libmicrohttpd listens again only at its next turn, which it does not
		 * ask for. */
		s->woken = s->woken || s->nconnections >= s->lim.connections;
		s->nconnections--;
		mem_free(c);
		*context = NULL;
	}
}

const char *http_address(const struct http_request *r)
{
	const char *real = r->conn->trusted ? http_header(r, "X-Real-IP") : NULL;
	struct in6_addr any;
	if (real != NULL &&
	    (inet_pton(AF_INET, real, &any) == 1 || inet_pton(AF_INET6, real, &any) == 1))
		return real;
	return r->conn->text;
}

/* Whether this connection has used up its time. */
static bool too_slow(const struct http_limits *lim, const struct connection *c, usec_t now)
{
	const struct http_request *r = c->request;
	unsigned idle =
		lim->idle_seconds > lim->head_seconds ? lim->idle_seconds : lim->head_seconds;
	if (r == NULL)
		return now - c->since > idle * USEC_PER_SEC;
	if (r->stage == STAGE_HEAD)
		return now - c->since > lim->head_seconds * USEC_PER_SEC;
	if (r->asleep)
		return false;
	usec_t allowed = lim->body_seconds * USEC_PER_SEC;
	if (r->stage != STAGE_BODY || r->mode == HTTP_BODY_STREAM)
		allowed += (usec_t)(r->moved / SLOWEST) * USEC_PER_SEC;
	return r->awake_total + now - r->awake_since > allowed;
}

/*
 * Whether the client of a request has closed.  libmicrohttpd does not look
 * while a connection is suspended, and overlooks an end that came together
 * with the last bytes (it takes a short read for an empty socket, and no
 * further edge comes).
 */
static bool has_left(const struct connection *c)
{
	char byte;
	return c->request != NULL && recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void sweep(struct http_server *s, usec_t now)
{
	s->next_sweep = now + USEC_PER_SEC;
	for (struct connection *c = s->connections; c != NULL; c = c->next) {
		bool slow = too_slow(&s->lim, c, now);
		s->stats.cut += slow;
		if (!slow && !has_left(c))
			continue;
		if (c->request != NULL && c->request->asleep)
			http_abort(c->request);
		else
			(void)shutdown(c->fd, SHUT_RDWR);
	}
}

/* ---- the server ---- */

static size_t no_unescape(void *arg, struct MHD_Connection *m, char *s)
{
	(void)arg;
	(void)m;
	return strlen(s); /* target.c decodes, strictly */
}

int http_server_new(int listen_fd, const struct http_limits *lim, const struct http_callbacks *cb,
		    void *arg, struct http_server **ret, struct diag *reterr)
{
	struct http_server *s = mem_alloc(sizeof(*s));
	if (s == NULL)
		return diag_set(reterr, -ENOMEM, "no memory for the HTTP server");
	*s = (struct http_server){.lim = *lim, .cb = *cb, .arg = arg, .listen_fd = listen_fd};
	int flags = fcntl(listen_fd, F_GETFL);
	if (flags < 0 || fcntl(listen_fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		int err = -errno;
		mem_free(s);
		return diag_set(reterr, err, "the listening socket is no socket");
	}
	s->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, welcome, s, handle, s,
		MHD_OPTION_LISTEN_SOCKET, listen_fd,
		/* Room to take a head that is too large whole and to answer it in our own shape. */
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(4 * lim->head_max),
		MHD_OPTION_CONNECTION_LIMIT, lim->connections, MHD_OPTION_CONNECTION_TIMEOUT,
		lim->idle_seconds, MHD_OPTION_NOTIFY_COMPLETED, completed, s,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_URI_LOG_CALLBACK,
		on_target, s, MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, s,
		/* Its own checks answer in HTML: http_lint() makes them again. */
		MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_END);
	if (s->daemon == NULL) {
		mem_free(s);
		return diag_set(reterr, FW_EINVALID, "libmicrohttpd did not start on the socket");
	}
	*ret = s;
	return 0;
}

void http_server_free(struct http_server *s)
{
	if (s == NULL)
		return;
	s->dying = true;
	for (struct connection *c = s->connections; c != NULL; c = c->next)
		if (c->request != NULL)
			http_abort(c->request);
	(void)MHD_run(s->daemon); /* libmicrohttpd may not be stopped with suspended connections */
	MHD_stop_daemon(s->daemon);
	if (s->quiet)
		(void)close(s->listen_fd);
	while (s->spare != NULL) {
		struct http_request *r = s->spare;
		s->spare = r->next_free;
		arena_free(r->mem);
		mem_free(r);
	}
	mem_free(s);
}

void http_server_trust(struct http_server *s, const uint32_t *uids, size_t n)
{
	assert(n <= HTTP_TRUSTED_MAX);
	memcpy(s->trusted, uids, n * sizeof(*uids));
	s->ntrusted = n;
}

void http_server_header(struct http_server *s, const struct http_pair *h)
{
	s->header = *h;
}

int http_server_fd(const struct http_server *s)
{
	const union MHD_DaemonInfo *i = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	return i != NULL ? i->epoll_fd : -1;
}

int http_server_timeout(struct http_server *s)
{
	MHD_UNSIGNED_LONG_LONG ms;
	if (s->woken)
		return 0;
	int64_t least = MHD_get_timeout(s->daemon, &ms) == MHD_YES
				? (int64_t)(ms < 60000 ? ms : 60000)
				: 60000;
	if (s->connections == NULL)
		return least == 60000 ? -1 : (int)least;
	int64_t until = (s->next_sweep - time_mono()) / 1000 + 1;
	until = until < 0 ? 0 : until;
	return (int)(until < least ? until : least);
}

void http_server_run(struct http_server *s)
{
	s->woken = false;
	(void)MHD_run(s->daemon);
	usec_t now = time_mono();
	if (s->connections != NULL && now >= s->next_sweep)
		sweep(s, now);
}

void http_server_quiesce(struct http_server *s)
{
	if (s->quiet)
		return;
	s->quiet = true;
	(void)MHD_quiesce_daemon(s->daemon);
	for (struct connection *c = s->connections; c != NULL; c = c->next)
		if (c->request == NULL)
			(void)shutdown(c->fd, SHUT_RDWR);
}

void http_server_stats(const struct http_server *s, struct http_stats *ret)
{
	*ret = s->stats;
	ret->open_connections = s->nconnections;
}
