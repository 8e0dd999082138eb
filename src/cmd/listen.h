/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The socket on which a node is reached. */
#ifndef FW_CMD_LISTEN_H
#define FW_CMD_LISTEN_H

#include <stddef.h>
#include <sys/types.h>

struct diag;

struct listen_at {
	const char *address; /* ADDRESS:PORT, [ADDRESS6]:PORT or unix:PATH */
	mode_t mode;         /* of a Unix socket */
	uid_t owner;         /* of a Unix socket, when root gives it away; 0: nobody */
	gid_t group;
};

/*
 * Bind and listen.  Numbers only, no names: a node should not depend on a
 * resolver.  Port 0 takes a free one.  ${words}: the address as a browser or
 * a program writes it.
 */
int listen_open(const struct listen_at *at, int *ret_fd, char *words, size_t cap, struct diag *reterr);

#endif
