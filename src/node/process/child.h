/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What every child of the supervisor does first. */
#ifndef FW_NODE_CHILD_H
#define FW_NODE_CHILD_H

#include "node/process/chan.h"
#include "node/process/wire.h"

struct arena;
struct diag;
struct sandbox;

/*
 * Begin as ${self} with the control channel on ${fd}: names the process in
 * its log lines, waits for BOOT (at most ten seconds), moves the clock if a test asks for
 * it.  *ret lives in ${mem}.  0, FW_EPROTO, FW_EGONE, FW_EBUSY, -ENOMEM.
 */
int child_begin(enum proc self, int fd, struct chan *ret_control, struct arena *mem, struct wire_boot *ret,
		struct diag *reterr);
/*
 * Put up the walls.  A wall that the kernel lacks is *ret_missing and a line
 * in the log, or an error where the setting process.sandbox is "required".
 */
int child_walls(const struct wire_boot *boot, const struct sandbox *sb, const char **ret_missing, struct diag *reterr);
/* Say READY to the supervisor. */
int child_ready(struct chan *control);
/* The next message on ${c}: 0; FW_EBUSY after ${timeout_ms}, FW_EGONE, FW_EPROTO. */
int child_await(struct chan *c, struct message *ret, int timeout_ms);
/* Say why this process ends, in the log. Returns the exit status. */
int child_failed(int err, const struct diag *d);
/* A setting that is a number; settings.tbl has checked it. ${absent} if the process was not given it. */
int64_t child_setting_int(const struct wire_boot *boot, const char *name, int64_t absent);

#endif
