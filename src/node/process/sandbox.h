/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The walls of a process.
 *
 * Each process ends its start-up with sandbox_enter() and can then do what
 * its row of the table in sandbox.c says and nothing else:
 *
 *   Landlock   which folders it may read and write, and that it may neither
 *              bind nor connect (ports by ABI 4; abstract sockets and signals
 *              by ABI 6 where the kernel has it);
 *   seccomp    which system calls; anything else kills the process, so that
 *              an attempt is seen in the supervisor's log;
 *   limits     no core dump, few descriptors, no new processes;
 *   privileges none: no_new_privs, no capabilities, not dumpable.
 *
 * A kernel without Landlock: sandbox_enter() says so in *ret_missing and the
 * node's doctor and /readyz repeat it; seccomp is never optional.
 */
#ifndef FW_NODE_SANDBOX_H
#define FW_NODE_SANDBOX_H

#include <stdbool.h>

#include "node/process/chan.h"

struct diag;
struct store_reach;

struct sandbox {
	enum proc proc;
	const char *dirs_rw[4]; /* folders it may write, NULL after the last */
	const char *dirs_ro[4]; /* folders it may read */
	const struct store_reach *store; /* what its store needs: files to read, a Unix socket, ports; NULL for none */
	unsigned descriptors;   /* if it needs more than its row gives: a front with many connections */
};

/* 0, or an error after which the caller must exit. *ret_missing (static words) names a wall the kernel lacks, else NULL. */
int sandbox_enter(const struct sandbox *sb, const char **ret_missing, struct diag *reterr);

/*
 * The supervisor's own, from when it starts its first child.  They hold its children too,
 * so they are wide: sandbox_supervisor.c says what they forbid and what remains.
 */
struct supervisor_walls {
	const char *dirs_rw[4]; /* where it and its children write, NULL after the last */
	bool connects;          /* a child's store is on PostgreSQL */
};
int sandbox_supervisor(const struct supervisor_walls *w, const char **ret_missing, struct diag *reterr);

#endif
