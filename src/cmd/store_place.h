/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Where a node's four stores are on one PostgreSQL server: a database and a role each, both named PREFIX_VAULT
 * (docs/decisions/0009-postgresql-walls.md). The server is named once, and without a user or a password.
 */
#ifndef FW_CMD_STORE_PLACE_H
#define FW_CMD_STORE_PLACE_H

struct arena;
struct buf;
struct diag;

/*
 * postgresql://SERVER[/PREFIX][?NAME=VALUE...] -> postgresql://SERVER/PREFIX_VAULT?user=PREFIX_VAULT[&NAME=VALUE...].
 * Without PREFIX: fairway. FW_EINVALID with words that do not repeat the address, which may hold a password by mistake.
 */
int store_place(struct arena *mem, const char *server, const char *vault, const char **ret_url, struct diag *reterr);

/* The text of a file of lines NAME:PASSWORD. Wipe it with cmd_wipe. */
int password_file(struct arena *mem, const char *path, char **ret, struct diag *reterr);
/* The password of a line; NULL if there is none, or ${text} is NULL. */
char *password_line(struct arena *mem, const char *text, const char *name);
/* The password "store.VAULT" to FOLDER/VAULT/pgpass, in libpq's form, 0600, where only the vault's process finds it; 0 if there is none. */
int password_to_store(struct arena *mem, const char *text, const char *folder, const char *vault, struct diag *reterr);

#endif
