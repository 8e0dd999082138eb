/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Commands that stand in the table and are not in this build yet: they say so. A real function of the name takes precedence. */
#include "base/err.h"
#include "cmd/cmd.h"

static int absent(const struct cmd_context *c)
{
	struct diag d = DIAG_INIT;
	(void)diag_set(&d, FW_EINVALID, "this build has no \"%s\"", c->row->command);
	return cmd_fail(c, FW_EINVALID, &d);
}

#define ABSENT(name)                                                       \
	__attribute__((weak)) int name(struct cmd_context *c)              \
	{                                                                  \
		return absent(c);                                          \
	}

ABSENT(cmd_init)
ABSENT(cmd_serve)
ABSENT(cmd_backup)
ABSENT(cmd_restore)

__attribute__((weak)) int cmd_process(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return FW_EXIT_USAGE;
}
