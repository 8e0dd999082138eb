/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The server over real sockets on loopback, in one thread: pump() gives it its turns. */
#include "../test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "http/http.h"

struct fixture {
	struct http_server *s;
	uint16_t port;
	struct http_request *held; /* answered later */
	int heads, completes, gone, drains;
	size_t room; /* how many bytes of a stream are taken before it sleeps */
	struct buf streamed;
	int parts; /* of a streamed answer, to come */
	char address[64], query[64], cookie[64];
};

static struct fixture *fx;

static void text(struct http_request *r, int status, const char *body)
{
	struct http_pair type = {"Content-Type", "text/plain"};
	struct http_response resp = {.status = status,
				     .headers = &type,
				     .nheaders = 1,
				     .body = body,
				     .len = strlen(body)};
	http_reply(r, &resp);
}

static enum http_body on_head(void *arg, struct http_request *r)
{
	struct fixture *f = arg;
	const struct http_pair *q;
	f->heads++;
	(void)snprintf(f->address, sizeof(f->address), "%s", http_address(r));
	(void)snprintf(f->query, sizeof(f->query), "%s", http_query(r, &q) > 0 ? q[0].value : "");
	const char *c = http_cookie(r, "s");
	(void)snprintf(f->cookie, sizeof(f->cookie), "%s", c != NULL ? c : "");
	const char *path = http_path(r);
	if (strcmp(path, "/early") == 0)
		text(r, 403, "early");
	else if (strcmp(path, "/cut") == 0)
		http_abort(r);
	return strcmp(path, "/buffer") == 0   ? HTTP_BODY_BUFFER
	       : strcmp(path, "/stream") == 0 ? HTTP_BODY_STREAM
					      : HTTP_BODY_NONE;
}

static size_t on_body(void *arg, struct http_request *r, const void *bytes, size_t n)
{
	struct fixture *f = arg;
	size_t take = n < f->room ? n : f->room;
	f->room -= take;
	buf_put(&f->streamed, bytes, take);
	f->held = r;
	return take;
}

static void on_complete(void *arg, struct http_request *r)
{
	struct fixture *f = arg;
	size_t n;
	const char *path = http_path(r);
	f->completes++;
	if (strcmp(path, "/later") == 0) {
		f->held = r;
	} else if (strcmp(path, "/buffer") == 0) {
		const uint8_t *p = http_body_bytes(r, &n);
		struct http_response resp = {.status = 200, .body = p, .len = n};
		http_reply(r, &resp);
	} else if (strcmp(path, "/down") == 0) {
		struct http_response resp = {.status = 200};
		http_reply_stream(r, &resp);
		f->held = r;
	} else if (strcmp(path, "/static") == 0) {
		struct http_response resp = {.status = 200, .body = "static", .len = 6};
		http_reply_static(r, &resp);
	} else {
		text(r, 200, path);
	}
}

static void on_drain(void *arg, struct http_request *r)
{
	struct fixture *f = arg;
	f->drains++;
	if (f->parts > 0) {
		static char part[50000];
		memset(part, 'x', sizeof(part));
		f->parts--;
		http_stream(r, part, sizeof(part), f->parts == 0);
	}
}

static void on_gone(void *arg, struct http_request *r)
{
	struct fixture *f = arg;
	f->gone++;
	if (f->held == r)
		f->held = NULL;
}

static int listen_on(uint16_t *port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(sa);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	*port = ntohs(sa.sin_port);
	return fd;
}

static void start(const struct http_limits *lim, int fd)
{
	static const struct http_callbacks cb = {on_head, on_body, on_complete, on_drain, on_gone};
	assert_int_equal(http_server_new(fd, lim, &cb, fx, &fx->s, NULL), 0);
}

static int setup(void **state)
{
	fx = calloc(1, sizeof(*fx));
	buf_init(&fx->streamed, 64 << 20);
	fx->room = SIZE_MAX;
	start(&http_default_limits, listen_on(&fx->port));
	*state = fx;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	http_server_free(fx->s);
	assert_int_equal(fx->heads, fx->gone);
	buf_release(&fx->streamed);
	free(fx);
	return 0;
}

static void restart(const struct http_limits *lim)
{
	http_server_free(fx->s);
	start(lim, listen_on(&fx->port));
}

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_port = htons(fx->port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

/* Turns for the server while there is something for it to do, at most ${ms} of quiet. */
static void pump(int ms)
{
	for (int i = 0; i < 2000; i++) {
		int t = http_server_timeout(fx->s);
		struct pollfd p = {.fd = http_server_fd(fx->s), .events = POLLIN};
		int n = poll(&p, 1, t >= 0 && t < ms ? t : ms);
		if (n == 0 && (t < 0 || t >= ms))
			return;
		http_server_run(fx->s);
	}
}

static void say(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t w = send(fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (w < 0 && errno == EAGAIN) {
			pump(1);
			continue;
		}
		if (w < 0)
			return; /* the server has cut it */
		bytes += w;
		n -= (size_t)w;
	}
}

#define SAY(fd, s) say(fd, s, sizeof(s) - 1)

/* What has come back, NUL-terminated; *ret_end says whether the server closed. */
static char *hear(int fd, bool *ret_end)
{
	static char text[8 << 20];
	size_t n = 0;
	if (ret_end != NULL)
		*ret_end = false;
	for (int quiet = 0; quiet < 3;) {
		pump(2);
		ssize_t r = recv(fd, text + n, sizeof(text) - 1 - n, MSG_DONTWAIT);
		if (r > 0) {
			n += (size_t)r;
			quiet = 0;
		} else if (r == 0 || errno != EAGAIN) {
			if (ret_end != NULL)
				*ret_end = true;
			break;
		} else {
			quiet++;
		}
	}
	text[n] = '\0';
	return text;
}

/* One exchange on a connection of its own: the status, or 0 when cut without one. */
static int status_of(const char *bytes, size_t n)
{
	int fd = dial();
	say(fd, bytes, n);
	const char *answer = hear(fd, NULL);
	int status = strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
	(void)close(fd);
	pump(1);
	return status;
}
#define STATUS(s) status_of(s, sizeof(s) - 1)

static void an_answer_carries_the_headers(void **state)
{
	(void)state;
	int fd = dial();
	SAY(fd, "GET /x?a=b%20c HTTP/1.1\r\nHost: h\r\nCookie: s=t\r\n\r\n");
	const char *a = hear(fd, NULL);
	assert_non_null(strstr(a, "HTTP/1.1 200 OK\r\n"));
	for (const struct http_pair *h = http_common_headers; h->name != NULL; h++)
		assert_non_null(strstr(a, h->value));
	assert_non_null(strstr(a, "Cache-Control: no-store\r\n"));
	assert_non_null(strstr(a, "Content-Length: 2\r\n"));
	assert_non_null(strstr(a, "\r\n\r\n/x"));
	assert_string_equal(fx->query, "b c");
	assert_string_equal(fx->cookie, "t");
	assert_string_equal(fx->address, "127.0.0.1");
	(void)close(fd);
}

static void a_connection_serves_many_requests(void **state)
{
	(void)state;
	int fd = dial();
	/* Pipelined: three at once. */
	static const char three[] =
		"GET /1 HTTP/1.1\r\nHost: h\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: h\r\n\r\n"
		"GET /static HTTP/1.1\r\nHost: h\r\n\r\n";
	say(fd, three, sizeof(three) - 1);
	bool end;
	const char *a = hear(fd, &end);
	assert_false(end);
	assert_int_equal(fx->completes, 3);
	const char *one = strstr(a, "\r\n\r\n/1HTTP/1.1 200"); /* HEAD: no body follows */
	assert_non_null(one);
	assert_non_null(strstr(one + 8, "\r\n\r\nHTTP/1.1 200"));
	assert_non_null(strstr(a, "\r\n\r\nstatic"));
	assert_int_equal(fx->gone, 3);
	(void)close(fd);
}

static void an_answer_may_come_later(void **state)
{
	(void)state;
	int fd = dial();
	SAY(fd, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_string_equal(hear(fd, NULL), "");
	assert_non_null(fx->held);
	text(fx->held, 201, "now");
	assert_non_null(strstr(hear(fd, NULL), "HTTP/1.1 201"));
	/* And the same connection goes on. */
	SAY(fd, "GET /y HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_non_null(strstr(hear(fd, NULL), "/y"));
	/* A server that ends while somebody waits: teardown checks that on_gone came. */
	SAY(fd, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_string_equal(hear(fd, NULL), "");
	(void)close(fd);
}

static void bodies_are_kept_whole_or_refused(void **state)
{
	(void)state;
	static char big[(1 << 20) + 4096];
	int n = snprintf(big, sizeof(big),
			 "POST /buffer HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", 1 << 20);
	memset(big + n, 'a', 1 << 20);
	int fd = dial();
	say(fd, big, (size_t)n + (1 << 20));
	assert_int_equal(strlen(strstr(hear(fd, NULL), "\r\n\r\n") + 4), 1 << 20);
	/* One byte more: refused, and the connection still works once it is read off. */
	n = snprintf(big, sizeof(big),
		     "POST /buffer HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n",
		     (1 << 20) + 1);
	memset(big + n, 'a', (1 << 20) + 1);
	say(fd, big, (size_t)n + (1 << 20) + 1);
	const char *a = hear(fd, NULL);
	assert_non_null(strstr(a, "HTTP/1.1 413"));
	assert_non_null(strstr(a, "application/problem+json"));
	SAY(fd, "GET /y HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_non_null(strstr(hear(fd, NULL), "/y"));
	(void)close(fd);
	/* Chunked. */
	assert_int_equal(
		STATUS("POST /buffer HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
		       "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"),
		200);
	fd = dial();
	SAY(fd, "POST /buffer HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n");
	memset(big, 'a', sizeof(big));
	say(fd, big, sizeof(big));
	memset(big, 'a', sizeof(big));
	say(fd, big, 0x200000 - sizeof(big));
	SAY(fd, "\r\n0\r\n\r\n");
	assert_non_null(strstr(hear(fd, NULL), "HTTP/1.1 413"));
	(void)close(fd);
	/* Announced and waited for with Expect: refused without a byte of it, and closed. */
	bool end;
	fd = dial();
	static const char expect[] =
		"POST /buffer HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n"
		"Expect: 100-continue\r\n\r\n";
	say(fd, expect, sizeof(expect) - 1);
	assert_non_null(strstr(hear(fd, &end), "HTTP/1.1 413"));
	assert_true(end);
	(void)close(fd);
	/* And leave given when it is welcome. */
	fd = dial();
	static const char welcome[] = "POST /buffer HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
				      "Expect: 100-continue\r\n\r\n";
	say(fd, welcome, sizeof(welcome) - 1);
	assert_non_null(strstr(hear(fd, NULL), "HTTP/1.1 100"));
	SAY(fd, "abc");
	assert_non_null(strstr(hear(fd, NULL), "\r\n\r\nabc"));
	(void)close(fd);
}

static void a_stream_waits_for_its_taker(void **state)
{
	(void)state;
	static char chunk[100000];
	for (size_t i = 0; i < sizeof(chunk); i++)
		chunk[i] = (char)(i * 7);
	fx->room = 70000;
	int fd = dial();
	static const char head[] =
		"PUT /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 400000\r\n\r\n";
	say(fd, head, sizeof(head) - 1);
	for (int i = 0; i < 4; i++) {
		size_t done = 0;
		/* The sender must not be let on for ever: its socket fills. */
		for (int tries = 0; done < sizeof(chunk) && tries < 100; tries++) {
			ssize_t w = send(fd, chunk + done, sizeof(chunk) - done,
					 MSG_DONTWAIT | MSG_NOSIGNAL);
			done += w > 0 ? (size_t)w : 0;
			pump(1);
			if (fx->room == 0 && fx->held != NULL) {
				fx->room = 70000;
				http_resume_body(fx->held);
			}
		}
		assert_int_equal(done, sizeof(chunk));
	}
	for (int i = 0; i < 20 && fx->completes == 0; i++) {
		pump(1);
		fx->room = 70000;
		if (fx->held != NULL)
			http_resume_body(fx->held);
	}
	assert_non_null(strstr(hear(fd, NULL), "HTTP/1.1 200"));
	assert_int_equal(fx->streamed.len, 400000);
	for (size_t i = 0; i < fx->streamed.len; i++)
		assert_int_equal(fx->streamed.data[i], (uint8_t)((i % 100000) * 7));
	(void)close(fd);
}

static void a_stream_refused_midway_gets_its_answer(void **state)
{
	(void)state;
	static char chunk[100000];
	fx->room = 1000;
	int fd = dial();
	static const char head[] =
		"PUT /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n";
	say(fd, head, sizeof(head) - 1);
	say(fd, chunk, 50000);
	pump(2);
	text(fx->held, 503, "gone");
	pump(2);
	say(fd, chunk, 50000);
	bool end;
	assert_non_null(strstr(hear(fd, &end), "HTTP/1.1 503"));
	assert_false(end);
	(void)close(fd);
}

static void a_streamed_answer_waits_for_its_reader(void **state)
{
	(void)state;
	fx->parts = 400; /* 20 MB */
	int fd = dial();
	SAY(fd, "GET /down HTTP/1.1\r\nHost: h\r\n\r\n");
	for (int i = 0; i < 50; i++)
		pump(1);
	/* The sockets hold a few megabytes; the rest has not been asked for. */
	assert_true(fx->parts > 100);
	size_t n = 0;
	static char bytes[65536];
	for (int quiet = 0; quiet < 5;) {
		pump(1);
		ssize_t r = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		quiet = r > 0 ? 0 : quiet + 1;
		n += r > 0 ? (size_t)r : 0;
	}
	assert_true(n > 20000000);
	assert_int_equal(fx->parts, 0);
	assert_int_equal(fx->gone, 1);
	/* One that has nothing at hand sleeps until it is given something; one that is cut is seen
	 * as cut. */
	SAY(fd, "GET /down HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_non_null(strstr(hear(fd, NULL), "chunked"));
	http_stream(fx->held, "abc", 3, false);
	assert_non_null(strstr(hear(fd, NULL), "abc"));
	bool end;
	http_abort(fx->held);
	assert_null(strstr(hear(fd, &end), "0\r\n\r\n"));
	assert_true(end);
	(void)close(fd);
}

static void early_answers_and_cuts(void **state)
{
	(void)state;
	bool end;
	int fd = dial();
	SAY(fd, "GET /early HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_non_null(strstr(hear(fd, &end), "HTTP/1.1 403"));
	assert_false(end);
	SAY(fd, "POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
	assert_non_null(strstr(hear(fd, &end), "HTTP/1.1 403"));
	assert_false(end);
	SAY(fd, "GET /cut HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_string_equal(hear(fd, &end), "");
	assert_true(end);
	(void)close(fd);
}

/* The eleven malformed requests of the comparison of servers, and others. No callback ever sees
 * one. */
static void hostile_requests_are_refused(void **state)
{
	(void)state;
	assert_int_equal(STATUS("GET / HTTP/1.1\r\n\r\n"), 400);
	assert_int_equal(STATUS("POST /buffer HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n"
				"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
			 400);
	assert_int_equal(STATUS("POST /buffer HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n"
				"Content-Length: 5\r\n\r\nabcde"),
			 400);
	assert_int_equal(STATUS("GET / HTTP/1.1\nHost: h\n\n"), 400);
	assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: h\nAccept: a\r\n\r\n"), 400);
	assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: h\r\n\n"), 400);
	assert_int_equal(STATUS("GET / HTTP/1.1\nHost: h\r\n\r\n"), 400);
	assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost : h\r\n\r\n"), 400);
	assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: h\r\nAccept : a\r\n\r\n"), 400);
	assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: h\r\nX-A: a\r\n b\r\n\r\n"), 400);
	assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: h\r\nX-A: a\r\n\tb\r\nAccept: c\r\n\r\n"),
			 400);
	assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: h\r\n \r\n\r\n"), 400);
	assert_int_equal(
		STATUS("POST /buffer HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n"
		       "0\r\n\r\n"),
		400);
	assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: h\r\nX-A: a\0b\r\n\r\n"), 400);
	assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: h\r\nX-A: a\0\0Host\0 x\r\n\r\n"), 400);
	assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: h\r\nX-A: a\0\0\0\0\r\n\r\n"), 400);
	assert_int_equal(STATUS("GET /a\0b HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
	assert_int_equal(STATUS("GET /a\0HTTP/1.1 HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
	assert_int_equal(STATUS("GET\0X / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
	assert_int_equal(
		STATUS("POST /buffer HTTP/1.1\r\nHost: h\r\nContent-Length: +4\r\n\r\nabcd"), 400);
	assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n"), 400);
	assert_int_equal(STATUS("GET  / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
	assert_int_equal(STATUS("GET /  HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
	assert_int_equal(STATUS("GET /a b HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
	assert_int_equal(STATUS("GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
	assert_int_equal(STATUS("G@T / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
	assert_int_equal(STATUS("GET /../x HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
	assert_int_equal(STATUS("GET /%2e%2e/x HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
	assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: h\r\nX-A: a\rb\r\n\r\n"), 400);
	assert_int_equal(STATUS("GET /?a%00 HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
	/* These libmicrohttpd refuses itself. */
	assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost\r\n\r\n"), 400);
	assert_int_equal(STATUS("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), 505);
	assert_int_equal(STATUS("POST /buffer HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
				"chunked\r\n\r\nx\r\n"),
			 400);
	assert_int_equal(STATUS("GARBAGE\r\n\r\n"), 0);
	assert_int_equal(fx->completes, 0);
	assert_true(fx->heads <= 1); /* the malformed chunk comes after a good head */
	struct http_stats st;
	http_server_stats(fx->s, &st);
	assert_true(st.linted >= 28);
	assert_int_equal(st.open_connections, 0);
}

static void large_heads_are_refused(void **state)
{
	(void)state;
	static char head[70000];
	int n = snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: h\r\nX-A: ");
	memset(head + n, 'a', 40000);
	memcpy(head + n + 40000, "\r\n\r\n", 5);
	assert_int_equal(status_of(head, (size_t)n + 40004), 431);
	memset(head + n, 'a', sizeof(head) - (size_t)n);
	assert_int_equal(status_of(head, sizeof(head)), 431);
	n = snprintf(head, sizeof(head), "GET /");
	memset(head + n, 'a', 9000);
	int m = snprintf(head + n + 9000, 1000, " HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_int_equal(status_of(head, (size_t)(n + 9000 + m)), 414);
	n = snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: h\r\n");
	for (int i = 0; i < 100; i++)
		n += snprintf(head + n, 100, "A%d: b\r\n", i);
	n += snprintf(head + n, 100, "\r\n");
	assert_int_equal(status_of(head, (size_t)n), 431);
	assert_int_equal(fx->heads, 0);
}

static void the_slow_are_cut(void **state)
{
	(void)state;
	struct http_limits lim = http_default_limits;
	lim.idle_seconds = 2;
	lim.head_seconds = 1;
	lim.body_seconds = 1;
	restart(&lim);
	int head = dial(), target = dial(), body = dial(), late = dial();
	static const char post[] =
		"POST /buffer HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n";
	SAY(head, "GET / HTTP/1.1\r\n");
	say(body, post, sizeof(post) - 1);
	SAY(late, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	bool cut[3] = {false, false, false};
	int fds[3] = {head, target, body};
	/* A byte every tenth of a second each: never idle, never done. */
	usec_t until = time_mono() + 6 * USEC_PER_SEC;
	while (time_mono() < until && !(cut[0] && cut[1] && cut[2])) {
		for (int i = 0; i < 3; i++) {
			(void)send(fds[i], "a", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
			char c;
			ssize_t r = recv(fds[i], &c, 1, MSG_DONTWAIT);
			cut[i] = cut[i] || r == 0 || (r < 0 && errno != EAGAIN);
		}
		usec_t turn = time_mono() + 100000;
		while (time_mono() < turn)
			pump(20);
	}
	assert_true(cut[0] && cut[1] && cut[2]);
	/* Who waits for us is not slow. */
	assert_non_null(fx->held);
	text(fx->held, 200, "late");
	assert_non_null(strstr(hear(late, NULL), "late"));
	struct http_stats st;
	http_server_stats(fx->s, &st);
	assert_true(st.cut >= 3);
	for (int i = 0; i < 3; i++)
		(void)close(fds[i]);
	(void)close(late);
}

static void connections_are_limited(void **state)
{
	(void)state;
	struct http_limits lim = http_default_limits;
	lim.per_address = 3;
	restart(&lim);
	int fd[4];
	for (int i = 0; i < 4; i++) {
		fd[i] = dial();
		pump(5);
	}
	bool end;
	SAY(fd[2], "GET /y HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_non_null(strstr(hear(fd[2], NULL), "/y"));
	(void)hear(fd[3], &end);
	assert_true(end);
	struct http_stats st;
	http_server_stats(fx->s, &st);
	assert_int_equal(st.refused_connections, 1);
	assert_int_equal(st.open_connections, 3);
	/* In all: the next one waits until another goes. */
	lim.per_address = 64;
	lim.connections = 2;
	for (int i = 0; i < 4; i++)
		(void)close(fd[i]);
	restart(&lim);
	for (int i = 0; i < 3; i++) {
		fd[i] = dial();
		pump(5);
	}
	SAY(fd[2], "GET /y HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_string_equal(hear(fd[2], NULL), "");
	(void)close(fd[0]);
	assert_non_null(strstr(hear(fd[2], NULL), "/y"));
	(void)close(fd[1]);
	(void)close(fd[2]);
}

static void a_unix_socket_tells_the_address(void **state)
{
	(void)state;
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "/tmp/fairway-test-%d.sock",
		       (int)getpid());
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 8), 0);
	http_server_free(fx->s);
	start(&http_default_limits, fd);
	static const char get[] = "GET /y HTTP/1.1\r\nHost: h\r\nX-Real-IP: 203.0.113.7\r\n\r\n";
	static const char bad[] = "GET /y HTTP/1.1\r\nHost: h\r\nX-Real-IP: nonsense\r\n\r\n";
	for (int round = 0; round < 3; round++) {
		int c = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(c, (struct sockaddr *)&sa, sizeof(sa)), 0);
		say(c, get, sizeof(get) - 1);
		assert_non_null(strstr(hear(c, NULL), "200"));
		assert_string_equal(fx->address, round < 2 ? "203.0.113.7" : "local");
		say(c, bad, sizeof(bad) - 1);
		assert_non_null(strstr(hear(c, NULL), "200"));
		assert_string_equal(fx->address, "local");
		(void)close(c);
		pump(1);
		/* Ours is trusted by name, then another's only. */
		uint32_t uid = round == 0 ? getuid() : getuid() + 1;
		http_server_trust(fx->s, &uid, 1);
	}
	(void)unlink(sa.sun_path);
	/* Over TCP the header is nobody's word. */
	restart(&http_default_limits);
	assert_int_equal(status_of(get, sizeof(get) - 1), 200);
	assert_string_equal(fx->address, "127.0.0.1");
}

static void a_quiet_server_ends_what_it_has(void **state)
{
	(void)state;
	bool end;
	int idle = dial(), busy = dial();
	SAY(busy, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	pump(5);
	http_server_quiesce(fx->s);
	(void)hear(idle, &end);
	assert_true(end);
	text(fx->held, 200, "bye");
	const char *a = hear(busy, &end);
	assert_non_null(strstr(a, "bye"));
	assert_non_null(strstr(a, "Connection: close"));
	assert_true(end);
	(void)close(idle);
	(void)close(busy);
}

static void lack_of_memory_cuts_and_nothing_else(void **state)
{
	(void)state;
	static const char post[] =
		"POST /buffer?a=b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
	bool hit = true;
	for (uint64_t n = 1; hit; n++) {
		restart(&http_default_limits); /* nothing spare */
		mem_fault_at(n);
		int status = status_of(post, sizeof(post) - 1);
		hit = mem_fault_hit();
		mem_fault_at(0);
		assert_true(status == 200 || (hit && (status == 0 || status == 503)));
		assert_int_equal(status_of(post, sizeof(post) - 1), 200);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(an_answer_carries_the_headers),
		T(a_connection_serves_many_requests),
		T(an_answer_may_come_later),
		T(bodies_are_kept_whole_or_refused),
		T(a_stream_waits_for_its_taker),
		T(a_stream_refused_midway_gets_its_answer),
		T(a_streamed_answer_waits_for_its_reader),
		T(early_answers_and_cuts),
		T(hostile_requests_are_refused),
		T(large_heads_are_refused),
		T(the_slow_are_cut),
		T(connections_are_limited),
		T(a_unix_socket_tells_the_address),
		T(a_quiet_server_ends_what_it_has),
		T(lack_of_memory_cuts_and_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
