/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The folder of a node:
 *
 *     fairway.conf              settings; written last by `fairway init`: without it there is no node
 *     keys/node.key             root key, 0600
 *     keys/custodians.pub       public keys of the custodians
 *     NAME/NAME.db, NAME/spool  for house, strategic, operational, protection (SQLite)
 *     NAME/pgpass               the password of the vault's role on PostgreSQL, 0600, in libpq's form; absent where it needs none
 *     keeper/NAME.head          last signed head of each ledger
 *     run/                      sockets
 *     lock                      held while the node runs
 *     restoring                 there while a restore is not finished: the node must not serve
 */
#ifndef FW_CMD_NODE_DIR_H
#define FW_CMD_NODE_DIR_H

#include <stdbool.h>

#include "gen/tables.h"

struct arena;
struct diag;
struct store;

struct node_dir {
	const char *path; /* absolute */
	struct settings settings;
};

/* Open the folder of a node that is there: its settings. Strings in ${mem}. */
int node_dir_open(const char *path, struct arena *mem, struct node_dir *ret, struct diag *reterr);
/* "PATH/a/b" in ${mem}. */
const char *node_dir_path(const struct node_dir *n, struct arena *mem, const char *below);
/* The address of a vault's store: the setting, with the vault's pgpass if there is one; or SQLite in the vault's folder. */
const char *node_dir_store_url(const struct node_dir *n, struct arena *mem, int vault);
/* Open it with STORE_ROLE_INIT; ${make}: create and migrate. */
int node_dir_store(const struct node_dir *n, struct arena *mem, int vault, bool make, struct store **ret,
		   struct diag *reterr);
/* "ORIGIN/strategic". */
const char *node_dir_origin(const struct node_dir *n, struct arena *mem, int vault);

#endif
