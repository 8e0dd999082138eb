/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"

enum { BACKLOG = 512 };

union any_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
};

static bool read_port(const char *text, in_port_t *ret)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || v > 65535)
		return false;
	*ret = htons((uint16_t)v);
	return true;
}

/* ADDRESS:PORT with the address in numbers, [in brackets] for version 6. */
static bool read_inet(const char *text, union any_address *ret, socklen_t *ret_len)
{
	char host[64];
	const char *colon = strrchr(text, ':');
	bool six = text[0] == '[';
	size_t n = colon == NULL ? 0 : (size_t)(colon - text);
	if (n == 0 || n >= sizeof(host) || (six && (n < 3 || text[n - 1] != ']')))
		return false;
	memcpy(host, text + six, n - 2U * six);
	host[n - 2U * six] = '\0';
	memset(ret, 0, sizeof(*ret));
	if (six) {
		ret->v6.sin6_family = AF_INET6;
		*ret_len = sizeof(ret->v6);
		return inet_pton(AF_INET6, host, &ret->v6.sin6_addr) == 1 && read_port(colon + 1, &ret->v6.sin6_port);
	}
	ret->v4.sin_family = AF_INET;
	*ret_len = sizeof(ret->v4);
	return inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1 && read_port(colon + 1, &ret->v4.sin_port);
}

static bool read_unix(const char *path, union any_address *ret, socklen_t *ret_len)
{
	memset(ret, 0, sizeof(*ret));
	ret->un.sun_family = AF_UNIX;
	*ret_len = sizeof(ret->un);
	if (path[0] != '/' || strlen(path) >= sizeof(ret->un.sun_path))
		return false;
	memcpy(ret->un.sun_path, path, strlen(path) + 1);
	return true;
}

/* A socket left behind by an earlier run; anything else of that name stays. */
static void remove_old(const char *path)
{
	struct stat st;
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path);
}

int listen_on(const char *address, const char *mode, int *ret_fd, struct diag *reterr)
{
	union any_address at;
	socklen_t len = 0;
	const char *path = strncmp(address, "unix:", 5) == 0 ? address + 5 : NULL;
	if (!(path != NULL ? read_unix(path, &at, &len) : read_inet(address, &at, &len)))
		return diag_set(reterr, FW_EINVALID,
				"\"%s\" is no address to listen on: ADDRESS:PORT in numbers, [ADDRESS6]:PORT or unix:/PATH",
				address);
	int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;
	if (fd < 0)
		return diag_set(reterr, -errno, "no socket: %s", err_text(-errno));
	if (path != NULL)
		remove_old(path);
	else
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (at.any.sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	mode_t old = umask(0177);
	int bound = bind(fd, &at.any, len);
	int err = bound != 0 ? -errno : 0;
	(void)umask(old);
	if (err == 0 && path != NULL && chmod(path, (mode_t)strtoul(mode, NULL, 8) & 0777) != 0)
		err = -errno;
	if (err == 0 && listen(fd, BACKLOG) != 0)
		err = -errno;
	if (err != 0) {
		(void)close(fd);
		return diag_set(reterr, err, "cannot listen on %s: %s%s", address, err_text(err),
				err == -EADDRINUSE ? "; another program has it, or the node runs already" : "");
	}
	*ret_fd = fd;
	return 0;
}
