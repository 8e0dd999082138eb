/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * PostgreSQL's own pg_dump and pg_restore, run for a vault's store.  They get the address, which holds no password, and
 * ask as this program does for a verified certificate.  What they say goes to standard error.
 */
#ifndef FW_CMD_PG_TOOL_H
#define FW_CMD_PG_TOOL_H

#include <sys/types.h>

struct diag;

struct pg_tool {
	pid_t pid;
	int fd; /* a dump is read from here, to its end */
};

/* Begin a dump; end it with pg_tool_end, which says whether what was read is whole. FW_ENOTFOUND: there is no pg_dump. */
int pg_tool_dump(const char *url, struct pg_tool *ret, struct diag *reterr);
int pg_tool_end(struct pg_tool *t, struct diag *reterr);

/* Load the dump ${path}: all of it, in one transaction, or nothing; nothing, if any of its tables is there already. */
int pg_tool_load(const char *url, const char *path, struct diag *reterr);

#endif
