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

/* A password file of libpq for one role. */
void store_pgpass(const char *password, struct buf *out);

#endif
