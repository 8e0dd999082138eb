/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* How a child process comes to be. Used by the supervisor alone. */
#ifndef FW_NODE_SPAWN_H
#define FW_NODE_SPAWN_H

#include <sys/types.h>

struct diag;

struct spawn {
	const char *args[4]; /* after the program's name, NULL at the end */
	const char *title;   /* argv[0]: what ps shows */
	int fds[2];          /* become descriptors 3 and 4; -1 for none */
	uid_t uid;           /* 0: stay */
	gid_t gid;
};

/*
 * Fork and execute this program again.  The child gets: the descriptors named
 * and 0, 1, 2; default signals; its own session; user and group if given; death when the
 * supervisor dies.  The caller's copies of the descriptors stay its own.
 */
int spawn_child(const struct spawn *s, pid_t *ret, struct diag *reterr);

/* A pair of connected stream sockets, close-on-exec, not blocking. */
int socket_pair(int ret[2], struct diag *reterr);

#endif
