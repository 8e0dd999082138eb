/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Parses: src/http/lint.c src/http/http.c
 *
 * Bytes of a client against the whole server, libmicrohttpd included, over a
 * socket.  A request that reaches on_head must be one that a strict reading of
 * its bytes, written here apart from the lint, takes for a well-formed head:
 * so the fuzzer looks for what libmicrohttpd hides and the lint lets through.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/http.h"

static struct http_server *server;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t address_len;
static unsigned heads;

static enum http_body on_head(void *arg, struct http_request *r)
{
	(void)arg;
	const struct http_pair *q;
	heads++;
	if (http_path(r)[0] != '/' || http_method(r)[0] == '\0')
		abort();
	for (size_t n = http_query(r, &q); n > 0; n--)
		if (q[n - 1].name[0] == '\0')
			abort();
	(void)http_cookie(r, "s");
	return HTTP_BODY_BUFFER;
}

static size_t on_body(void *arg, struct http_request *r, const void *bytes, size_t n)
{
	(void)arg;
	(void)r;
	(void)bytes;
	return n;
}

static void on_complete(void *arg, struct http_request *r)
{
	(void)arg;
	struct http_response resp = {.status = 200, .body = "x", .len = 1};
	http_reply(r, &resp);
}

static void ignore(void *arg, struct http_request *r)
{
	(void)arg;
	(void)r;
}

static void start(void)
{
	static const struct http_callbacks cb = {on_head, on_body, on_complete, ignore, ignore};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address_len = sizeof(sa_family_t); /* the kernel chooses an abstract name */
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, address_len) != 0 || listen(fd, 8) != 0)
		abort();
	address_len = sizeof(address);
	if (getsockname(fd, (struct sockaddr *)&address, &address_len) != 0 ||
	    http_server_new(fd, &http_default_limits, &cb, NULL, &server, NULL) != 0)
		abort();
}

static int is_token(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] <= ' ' || p[i] >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", p[i]) != NULL)
			return 0;
	return n > 0;
}

/* How many of the next bytes may stand for line ends once libmicrohttpd has overwritten them with
 * NULs. */
static size_t run_of_ends(const uint8_t *p, size_t n)
{
	size_t i = 0;
	while (i < n && (p[i] == '\r' || p[i] == '\n' || p[i] == '\0' || p[i] == ':'))
		i++;
	return i;
}

/*
 * Whether the bytes begin with a head whose every line is well-formed and
 * ends with CR LF, or with what the lint cannot tell from it.  This fuzzer
 * found that: libmicrohttpd 0.9.75 takes a line that begins with a colon or a
 * NUL for the empty line, so that ":" and a bare LF, or NUL and a bare LF, leave the
 * same two NULs behind as CR LF.  None of them changes what the request says
 * (docs/decisions/0010-libmicrohttpd.md).
 */
static int strict_head(const uint8_t *p, size_t n)
{
	/* Empty lines before a request are ignored (RFC 9112 section 2.2). */
	while (n > 0 && (*p == '\n' || *p == '\0' || (n > 1 && p[0] == '\r' && p[1] == '\n'))) {
		const uint8_t *lf = memchr(p, '\n', n);
		if (lf == NULL)
			return 0;
		n -= (size_t)(lf + 1 - p);
		p = lf + 1;
	}
	for (size_t line = 0;; line++) {
		size_t len = 0;
		while (len < n && p[len] != '\r' && p[len] != '\n' && p[len] != '\0')
			len++;
		const uint8_t *end = p + len, *cut = memchr(p, line == 0 ? ' ' : ':', len);
		if (cut == NULL || !is_token(p, (size_t)(cut - p)))
			return 0;
		if (line == 0 && (len < 12 || memcmp(end - 9, " HTTP/1.", 8) != 0 ||
				  memchr(cut + 1, ' ', (size_t)(end - 9 - cut - 1)) != NULL))
			return 0;
		size_t ends = run_of_ends(end, n - len);
		if (ends >= 4 && end[3] == '\n')
			return 1;
		if (ends < 2 || end[1] != '\n')
			return 0;
		p = end + 2;
		n -= len + 2;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (server == NULL)
		start();
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, address_len) != 0)
		abort();
	heads = 0;
	size_t sent = 0;
	unsigned first = 0;
	for (int turn = 0; turn < 12; turn++) {
		ssize_t w =
			sent < n ? send(fd, data + sent, n - sent, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
		sent += w > 0 ? (size_t)w : 0;
		if (turn == 6)
			(void)shutdown(fd, SHUT_WR);
		http_server_run(server);
		first = first != 0 ? first : heads;
	}
	if (first > 0 && !strict_head(data, n))
		abort();
	(void)close(fd);
	for (int turn = 0; turn < 3; turn++)
		http_server_run(server);
	return 0;
}
