/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The other side of node/process/spawn.c: one process of a running node. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/vaults.h"
#include "node/process/front.h"
#include "node/process/keeper.h"
#include "node/process/spawn.h"

static int vault_of(const char *name)
{
	for (int v = 0; v < VAULT_COUNT; v++)
		if (strcmp(vault_rows[v].name, name) == 0)
			return v;
	return -1;
}

static int live(const char *name)
{
	int vault = vault_of(name);
	if (vault >= 0)
		return worker_main(vault_def_of(vault), SPAWN_CONTROL);
	if (strcmp(name, "front") == 0)
		return front_main(SPAWN_CONTROL, SPAWN_EXTRA);
	if (strcmp(name, "keeper") == 0)
		return keeper_main(SPAWN_CONTROL, SPAWN_EXTRA);
	if (strcmp(name, "reader") == 0)
		return reader_main(reader_rows(), SPAWN_CONTROL);
	(void)fprintf(stderr, "fairway: there is no process \"%s\"\n", name);
	return FW_EXIT_USAGE;
}

int cmd_process(int argc, char **argv)
{
	char title[16];
	if (argc < 3)
		return FW_EXIT_USAGE;
	(void)snprintf(title, sizeof(title), "fw-%s", argv[2]);
	(void)prctl(PR_SET_NAME, title, 0, 0, 0);
	/* Not by way of exit(): what libraries would still do then, the walls do not let them. */
	_exit(live(argv[2]));
}
