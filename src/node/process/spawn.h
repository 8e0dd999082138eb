/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* How a child process comes to be. Used by the supervisor alone. */
#ifndef FW_NODE_SPAWN_H
#define FW_NODE_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

struct diag;

/* Where a child finds its descriptors. */
enum {
	SPAWN_CONTROL = 3, /* channel to the supervisor; a reader's to its worker */
	SPAWN_EXTRA = 4,   /* front: the listening socket; keeper: node.key */
	SPAWN_LOCK = 5,    /* the node's lock, so that it is held until the last process has ended */
	SPAWN_FDS = 3,
};

struct spawn {
	const char *args[4];  /* after the program's name, NULL at the end */
	const char *title;    /* argv[0]: what ps shows */
	int fds[SPAWN_FDS];   /* become descriptors 3, 4 and 5; -1 for none */
	uid_t uid;            /* 0: stay */
	gid_t gid;
	uint64_t memory;      /* bytes of address space; 0: no limit */
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
