/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The rooms of the store on PostgreSQL: store_pg.c (transactions, statements), store_pg_connect.c, store_pg_rows.c. */
#ifndef FW_STORE_STORE_PG_INT_H
#define FW_STORE_STORE_PG_INT_H

#include <libpq-fe.h>

#include "base/time.h"
#include "gen/sql.h"
#include "store/store_int.h"

struct pg_rows {
	struct store_rows base;
	PGresult *res; /* NULL: not being walked */
	int at;        /* row; -1 before the first */
	int id;        /* its statement */
	unsigned cursor; /* the number of its cursor, which may have further rows; 0: it has none */
};

struct pg_store {
	struct store base;
	PGconn *conn;
	bool usable;   /* checked, told what it must be told, and in a known state; else it is made anew before the next use */
	bool prepared[SQL_COUNT];
	bool wrote;    /* something was sent in this transaction that may have changed something */
	unsigned pending; /* answers outstanding in pipeline mode */
	unsigned cursors; /* the number of the last; each has a name of its own */
	bool allow_unsafe;
	const char *walled; /* the vault whose store this is, if the role must reach no other; else NULL */
	usec_t silence; /* how long the server may take for an answer */
	struct pg_rows rows[SQL_COUNT];
};

static inline struct pg_store *pg_of(struct store *s)
{
	return (struct pg_store *)s;
}

/* ---- store_pg.c ---- */

bool pg_good(const PGresult *res);
/* The code and the words of what libpq says failed; ${res} may be NULL. Never the address nor a value. */
int pg_fail(struct pg_store *s, const PGresult *res, const char *what, struct diag *reterr);
/* The answer to statements without arguments; NULL when there is none and the connection is given up. */
PGresult *pg_ask(struct pg_store *s, const char *sql);
int pg_plain(struct pg_store *s, const char *sql, const char *what, struct diag *reterr);
void pg_end_all_rows(struct pg_store *s);

/* The next part of a cursor into r->res; the cursor is closed after the last. */
int pg_fetch(struct pg_store *s, struct pg_rows *r, struct diag *reterr);
void pg_close_cursor(struct pg_store *s, struct pg_rows *r);

/* ---- store_pg_connect.c ---- */

int pg_connect(struct pg_store *s, const char *url, struct diag *reterr);
int pg_reconnect(struct pg_store *s, struct diag *reterr);

/* ---- store_pg_rows.c ---- */

int pg_next(struct store_rows *r, struct diag *reterr);
void pg_rows_close(struct store_rows *r);
size_t pg_columns(const struct store_rows *r);
bool pg_is_null(const struct store_rows *r, size_t col);
const uint8_t *pg_bytes(const struct store_rows *r, size_t col, size_t *ret_len);
int64_t pg_int(const struct store_rows *r, size_t col);
double pg_real(const struct store_rows *r, size_t col);

#endif
