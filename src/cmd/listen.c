/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"

enum { BACKLOG = 511 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
};

static int refuse(const char *address, struct diag *reterr)
{
	return diag_set(reterr, FW_EINVALID, "\"%s\" is no address to listen on: 127.0.0.1:8080, [::1]:8080 or unix:PATH",
			address);
}

static int parse_port(const char *s, uint16_t *ret)
{
	char *end;
	unsigned long n = strtoul(s, &end, 10);
	if (*s < '0' || *s > '9' || *end != '\0' || n > 65535)
		return FW_EINVALID;
	*ret = htons((uint16_t)n);
	return 0;
}

static int parse_tcp(const char *text, union address *ret, socklen_t *ret_len, struct diag *reterr)
{
	const char *colon = strrchr(text, ':');
	bool v6 = text[0] == '[';
	size_t n = colon == NULL ? 0 : (size_t)(colon - text) - (v6 ? 2 : 0);
	char host[64];
	if (colon == NULL || n >= sizeof(host) || (v6 && colon[-1] != ']'))
		return refuse(text, reterr);
	(void)snprintf(host, sizeof(host), "%.*s", (int)n, text + (v6 ? 1 : 0));
	*ret = (union address){ .any = { .sa_family = v6 ? AF_INET6 : AF_INET } };
	*ret_len = v6 ? sizeof(ret->v6) : sizeof(ret->v4);
	if (inet_pton(ret->any.sa_family, host, v6 ? (void *)&ret->v6.sin6_addr : (void *)&ret->v4.sin_addr) != 1 ||
	    parse_port(colon + 1, v6 ? &ret->v6.sin6_port : &ret->v4.sin_port) != 0)
		return refuse(text, reterr);
	return 0;
}

static int listen_tcp(const char *text, int *ret_fd, char *words, size_t cap, struct diag *reterr)
{
	union address a;
	socklen_t len;
	char host[INET6_ADDRSTRLEN];
	int err = parse_tcp(text, &a, &len, reterr), one = 1;
	if (err != 0)
		return err;
	int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return diag_set(reterr, -errno, "no socket: %s", err_text(-errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &a.any, len) != 0 || listen(fd, BACKLOG) != 0 || getsockname(fd, &a.any, &len) != 0) {
		err = diag_set(reterr, -errno, "cannot listen on %s: %s", text, err_text(-errno));
		(void)close(fd);
		return err;
	}
	bool v6 = a.any.sa_family == AF_INET6;
	(void)inet_ntop(a.any.sa_family, v6 ? (void *)&a.v6.sin6_addr : (void *)&a.v4.sin_addr, host, sizeof(host));
	(void)snprintf(words, cap, v6 ? "http://[%s]:%u" : "http://%s:%u", host,
		       ntohs(v6 ? a.v6.sin6_port : a.v4.sin_port));
	*ret_fd = fd;
	return 0;
}

/* A socket that nobody listens on any more goes away; anything else at the path stays, and is an error. */
static int clear_path(const union address *a, struct diag *reterr)
{
	struct stat st;
	const char *path = a->un.sun_path;
	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 : diag_set(reterr, -errno, "%s: %s", path, err_text(-errno));
	if (!S_ISSOCK(st.st_mode))
		return diag_set(reterr, FW_EEXISTS, "%s is there and is no socket", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int used = fd >= 0 && connect(fd, &a->any, sizeof(a->un)) == 0;
	if (fd >= 0)
		(void)close(fd);
	if (used)
		return diag_set(reterr, FW_EBUSY, "another program listens on %s", path);
	return unlink(path) == 0 ? 0 : diag_set(reterr, -errno, "%s: %s", path, err_text(-errno));
}

static int listen_unix(const struct listen_at *at, const char *path, int *ret_fd, struct diag *reterr)
{
	union address a = { .un = { .sun_family = AF_UNIX } };
	if (path[0] != '/' || strlen(path) >= sizeof(a.un.sun_path))
		return refuse(at->address, reterr);
	memcpy(a.un.sun_path, path, strlen(path) + 1);
	int err = clear_path(&a, reterr);
	if (err != 0)
		return err;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Closed to everybody until its owner and mode are right. */
	mode_t mask = umask(0777);
	bool ok = fd >= 0 && bind(fd, &a.any, sizeof(a.un)) == 0;
	(void)umask(mask);
	/* The mode first: root without CAP_FOWNER changes none of what it has given away. */
	ok = ok && chmod(path, at->mode) == 0 && (at->owner == 0 || chown(path, at->owner, at->group) == 0) &&
	     listen(fd, BACKLOG) == 0;
	if (!ok) {
		err = diag_set(reterr, -errno, "cannot listen on %s: %s", path, err_text(-errno));
		if (fd >= 0)
			(void)close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

int listen_open(const struct listen_at *at, int *ret_fd, char *words, size_t cap, struct diag *reterr)
{
	if (strncmp(at->address, "unix:", 5) != 0)
		return listen_tcp(at->address, ret_fd, words, cap, reterr);
	(void)snprintf(words, cap, "%s", at->address);
	return listen_unix(at, at->address + 5, ret_fd, reterr);
}
