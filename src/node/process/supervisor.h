/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The supervisor: starts the processes of a node, joins them by channels,
 * starts again what dies, and ends all in good order.  It parses nothing from
 * outside, opens no store and holds no key.
 *
 * A child is this same program, executed anew (so that each has an address
 * space laid out afresh) with
 *
 *     fairway --process NAME         descriptor 3: control channel; 5: the node's lock
 *     fairway --process front        descriptor 4: the listening socket
 *     fairway --process keeper       descriptor 4: node.key
 *     fairway --process reader OF    descriptor 3: channel to the worker OF
 *
 * No other descriptor than 0, 1, 2 is left open.
 *
 * Who is joined to whom (edges in supervisor.c): the front to the house and
 * the vaults; the vaults to the house and to each other; the keeper to all
 * four.  When a child is started again its partners get new channels; when
 * one of two says that it has no channel to the other any more (REJOIN), the two
 * get a new one, but not with the keeper, who gives keys once for each start.
 *
 * A child that dies is started again after a wait that doubles from 100 ms to
 * 10 s and falls back once it has lived half a minute.  A child that dies before
 * it was ever READY, five times running, ends the node: it cannot start, and its
 * reason stands in the log.
 *
 * The end goes in three steps, each when all of the step before are gone or
 * its time is over: the front, which lets present requests end; house and
 * vaults; the keeper.
 */
#ifndef FW_NODE_SUPERVISOR_H
#define FW_NODE_SUPERVISOR_H

#include <sys/types.h>

#include "node/process/chan.h"
#include "node/process/wire.h"

struct diag;

struct supervisor_child {
	struct wire_boot boot;
	uid_t uid; /* 0: stay who we are */
	gid_t gid;
};

struct supervisor_config {
	int lock_fd;   /* of supervisor_lock(); closed by the supervisor */
	int listen_fd; /* bound and listening; closed by the supervisor */
	const char *key_path; /* node.key, opened anew for each start of the keeper */
	struct supervisor_child child[PROC_COUNT];
	unsigned readers;       /* at once */
	uint64_t reader_memory; /* bytes of address space of each */
	/* Once, when every process is READY for the first time. May be NULL. */
	void (*on_ready)(void *arg);
	void *arg;
};

/*
 * Take the lock that says that the node in ${folder} is in use: FOLDER/lock.
 * Children hold it too, so that it is free only when the last of them has
 * ended; for those of a supervisor that was killed it waits up to three
 * seconds.  FW_EBUSY.
 */
int supervisor_lock(const char *folder, int *ret_fd, struct diag *reterr);

/* Until SIGTERM or SIGINT. 0, or an error when the node could not start. Signals are blocked for the caller from then on. */
int supervisor_run(const struct supervisor_config *cfg, struct diag *reterr);

/* Tell the service manager (sd_notify protocol, NOTIFY_SOCKET); does nothing without one. */
void notify_manager(const char *state);

#endif
