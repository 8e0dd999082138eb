/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Attempts on the network. The argument is ADDRESS:PORT, or a path. */
#include "break_in.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CONTROL_FD = 3, LISTEN_FD = 4 };

static struct sockaddr_in address(const struct break_in *b)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	char host[64] = "";
	const char *colon = strchr(b->arg, ':');
	if (colon != NULL) {
		(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - b->arg), b->arg);
		(void)inet_pton(AF_INET, host, &to.sin_addr);
		to.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	}
	return to;
}

/* Under way counts as done: it has left the process. */
static int said(long result)
{
	return result >= 0 || errno == EINPROGRESS ? 0 : -errno;
}

static int make(int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);
	int ret = fd < 0 ? -errno : 0;
	if (fd >= 0)
		(void)close(fd);
	return ret;
}

static int socket_tcp(const struct break_in *b) { (void)b; return make(AF_INET, SOCK_STREAM, 0); }
static int socket_udp(const struct break_in *b) { (void)b; return make(AF_INET, SOCK_DGRAM, 0); }
static int socket_unix(const struct break_in *b) { (void)b; return make(AF_UNIX, SOCK_STREAM, 0); }
static int socket_netlink(const struct break_in *b) { (void)b; return make(AF_NETLINK, SOCK_RAW, 0); }
static int socket_packet(const struct break_in *b) { (void)b; return make(AF_INET, SOCK_RAW, IPPROTO_ICMP); }

static int socket_pair_own(const struct break_in *b)
{
	int fds[2];
	(void)b;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
		return -errno;
	(void)close(fds[0]);
	(void)close(fds[1]);
	return 0;
}

static int connect_tcp(const struct break_in *b)
{
	struct sockaddr_in to = address(b);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int ret = said(connect(fd, (struct sockaddr *)&to, sizeof(to)));
	(void)close(fd);
	return ret;
}

/* The data of TCP Fast Open connects without connect(). */
static int fast_open(int fd, const struct break_in *b)
{
	struct sockaddr_in to = address(b);
	return said(sendto(fd, "x", 1, MSG_FASTOPEN | MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to)));
}

static int connect_fast(const struct break_in *b)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int ret = fd < 0 ? -errno : fast_open(fd, b);
	if (fd >= 0)
		(void)close(fd);
	return ret;
}

static int send_udp(const struct break_in *b)
{
	struct sockaddr_in to = address(b);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int ret = said(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)));
	(void)close(fd);
	return ret;
}

static int connect_unix(const struct break_in *b)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", b->arg);
	socklen_t n = sizeof(to);
	if (b->arg[0] == '@') {
		to.sun_path[0] = '\0';
		n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(b->arg));
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int ret = said(connect(fd, (struct sockaddr *)&to, n));
	(void)close(fd);
	return ret;
}

static int listen_tcp(const struct break_in *b)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	(void)b;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int ret = said(bind(fd, (struct sockaddr *)&at, sizeof(at)));
	if (ret == 0)
		ret = said(listen(fd, 1));
	(void)close(fd);
	return ret;
}

/* With a descriptor that the process has already: no new socket is needed. EISCONN is what one may hear who may ask. */
static int connect_own(const struct break_in *b)
{
	struct sockaddr_in to = address(b);
	return said(connect(CONTROL_FD, (struct sockaddr *)&to, sizeof(to)));
}

static int bind_own(const struct break_in *b)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	(void)b;
	return said(bind(CONTROL_FD, (struct sockaddr *)&at, offsetof(struct sockaddr_un, sun_path)));
}

/* The front's listening socket, shut, is a socket like any other: it could be connected by Fast Open. */
static int listener_fast(const struct break_in *b)
{
	(void)shutdown(LISTEN_FD, SHUT_RDWR);
	return fast_open(LISTEN_FD, b);
}

/* Who shuts it, shuts it for the next front too. */
static int listener_shut(const struct break_in *b)
{
	(void)b;
	return said(shutdown(LISTEN_FD, SHUT_RDWR));
}

static int listener_shut_copy(const struct break_in *b)
{
	int fd = fcntl(LISTEN_FD, F_DUPFD_CLOEXEC, 100);
	(void)b;
	return fd < 0 ? -errno : said(shutdown(fd, SHUT_RDWR));
}

/* On a socket that is there, whatever it is: only whether the flag passes counts. */
static int fast_own(const struct break_in *b)
{
	return fast_open(CONTROL_FD, b);
}

static int listener_connect(const struct break_in *b)
{
	struct sockaddr_in to = address(b);
	(void)shutdown(LISTEN_FD, SHUT_RDWR);
	return said(connect(LISTEN_FD, (struct sockaddr *)&to, sizeof(to)));
}

static int accept_one(const struct break_in *b)
{
	(void)b;
	int fd = accept4(LISTEN_FD, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		(void)close(fd);
	return fd >= 0 || errno == EAGAIN ? 0 : -errno;
}

/* A program of one's own inside the kernel, on a socket that is there. "x = 0": drop nothing. */
static int socket_filter(const struct break_in *b)
{
	struct {
		uint16_t code;
		uint8_t jt, jf;
		uint32_t k;
	} program = { 6, 0, 0, 0xffffffff };
	struct {
		uint16_t len;
		void *at;
	} filter = { 1, &program };
	(void)b;
	return said(setsockopt(CONTROL_FD, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)));
}

const struct attempt attempts_net[] = {
	{ "socket_tcp", socket_tcp },	  { "socket_udp", socket_udp },
	{ "socket_unix", socket_unix },	  { "socket_netlink", socket_netlink },
	{ "socket_raw", socket_packet },  { "socketpair", socket_pair_own },
	{ "connect_tcp", connect_tcp },	  { "connect_fast", connect_fast },
	{ "udp", send_udp },		  { "connect_unix", connect_unix },
	{ "listen", listen_tcp },	  { "connect_own", connect_own },
	{ "bind_own", bind_own },	  { "listener_fast", listener_fast },
	{ "listener_shut", listener_shut }, { "listener_shut_copy", listener_shut_copy },
	{ "fast_own", fast_own },	  { "listener_connect", listener_connect }, { "accept", accept_one },
	{ "socket_filter", socket_filter }, { NULL, NULL },
};
