/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * One vault's database, on SQLite or PostgreSQL, behind one interface.
 *
 * Statements.  SQL stands only in .sql files.  tools/mksql turns every
 *     -- name: report_incident_get
 *     -- roles: strategic
 *     -- args: owner:uuid incident:uuid
 *     SELECT ... WHERE owner = $1 AND incident = $2;
 * into a row of store_statements[] and an id SQL_REPORT_INCIDENT_GET.  A
 * connection is opened in one role and runs only statements that name it, so
 * a broken worker cannot invent SQL nor borrow another's.
 *
 * Migrations stand in the same files, in the file that ends in _schema.sql:
 *     -- migration: ledger 1
 *     -- vaults: strategic operational protection house
 *     CREATE TABLE ...; ...
 * They are keyed by (module, number) and run module by module in the order of
 * the list in tools/mksql.py (which follows the layers), each in a transaction.
 *
 * Types.  A column is INT (64 bits), REAL, TEXT, BYTES or UUID (16 bytes);
 * each may be null.  The words are replaced by each engine's own.
 *
 * Transactions are functions that can be run again: store_tx() calls fn, and
 * after a serialization failure (40001, 40P01, SQLITE_BUSY) calls it again
 * with everything rolled back.  fn must therefore keep its results in memory
 * that it sets anew each time.  When COMMIT itself loses the connection the
 * outcome is unknown: FW_EUNKNOWNOUTCOME, never a silent retry; callers carry
 * an idempotency key.
 *
 * Durability.  When store_tx() returns 0, what was written survives a crash
 * and a power cut: SQLite in WAL with synchronous=FULL (and fullfsync where it
 * exists), PostgreSQL refused at open unless fsync and full_page_writes are
 * on and synchronous_commit is on or remote_apply.
 *
 * One thread per connection.
 */
#ifndef FW_STORE_STORE_H
#define FW_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

struct arena;
struct diag;
struct store;

/* Who a connection is: bits, so that a statement can name several. */
enum store_role {
	STORE_ROLE_STRATEGIC = 1 << 0,
	STORE_ROLE_OPERATIONAL = 1 << 1,
	STORE_ROLE_PROTECTION = 1 << 2,
	STORE_ROLE_HOUSE = 1 << 3,  /* accounts and sessions */
	STORE_ROLE_INIT = 1 << 5,   /* fairway init, backup, restore, doctor */
	STORE_ROLE_TEST = 1 << 6,
};

enum store_type { STORE_NULL, STORE_INT, STORE_REAL, STORE_TEXT, STORE_BYTES, STORE_UUID };

/* A value in or out. Text and bytes are not owned: in, the caller's until the call returns; out, the row's. */
struct store_value {
	enum store_type type;
	union {
		int64_t i;
		double r;
		struct {
			const void *p;
			size_t n; /* bytes; text has no NUL */
		} s;
	};
};

/* Makers for arguments. A NULL string or a nil uuid pointer makes NULL. */
struct store_value sv_null(void);
struct store_value sv_int(int64_t i);
struct store_value sv_real(double r);
struct store_value sv_text(const char *s);
struct store_value sv_textn(const char *s, size_t n);
struct store_value sv_bytes(const void *p, size_t n);
struct store_value sv_uuid(const struct uuid *u);

enum store_engine { STORE_SQLITE, STORE_PG };

/* One generated row. */
struct store_statement {
	const char *name;
	const char *sql[2];        /* by enum store_engine */
	const char *arg_names;     /* "owner incident" for diagnostics */
	const uint8_t *arg_types;  /* enum store_type, one each */
	uint8_t nargs;
	bool writes;               /* INSERT, UPDATE, DELETE */
	bool many;                 /* "-- rows: many": more than should lie in memory at once */
	uint32_t roles;            /* bits of enum store_role */
};

/* One generated migration. */
struct store_migration {
	const char *module; /* NULL ends the list */
	int number;
	uint32_t vaults;      /* bits 1 << enum store_vault */
	uint8_t checksum[32]; /* SHA-256 of its text without layout */
	const char *sql[2];   /* by enum store_engine */
};
enum store_vault { STORE_V_STRATEGIC, STORE_V_OPERATIONAL, STORE_V_PROTECTION, STORE_V_HOUSE, STORE_V_TEST };

struct store_options {
	/* "sqlite:/dir/strategic.db" or "postgresql://..." (libpq URI without a password; the database must exist). */
	const char *url;
	enum store_role role;
	/* Which migrations apply: "strategic", "operational", "protection", "house", "test". */
	const char *vault;
	bool create;    /* make the SQLite file if absent */
	bool migrate;   /* run what is missing; otherwise a difference is an error */
	bool read_only;
	/*
	 * PostgreSQL: refuse a role that could get at another vault's store, FW_EDENIED: a superuser, a member of other
	 * roles, one that may connect to PREFIX_OTHERVAULT where this store is PREFIX_VAULT. On in a node.
	 */
	bool walled;
	bool allow_unsafe; /* the control run of the power-loss test; no syncs. Never in a node. */
	const char *vfs;   /* SQLite VFS name for fault tests; NULL for the default */
};

/*
 * Open, check the schema's checksums against the program's, migrate if asked.
 * FW_ENEWER when a newer program has been here; FW_ETAMPERED when a
 * migration that ran differs from ours.
 */
int store_open(const struct store_options *opt, struct store **ret, struct diag *reterr);
void store_close(struct store *s);
enum store_engine store_engine(const struct store *s);

/*
 * Inside a transaction function.  An error of the engine spoils the transaction (or its open savepoint):
 * until that is rolled back every call gives the error again, commit too, on both engines.
 */
typedef int store_tx_fn(struct store *s, void *arg, struct diag *reterr);

enum store_tx_kind { STORE_READ, STORE_WRITE };

/* Run ${fn} in one transaction; up to 10 tries with growing, jittered waits (at most 2 s in all). */
int store_tx(struct store *s, enum store_tx_kind kind, store_tx_fn *fn, void *arg,
	     struct diag *reterr);

/*
 * The pieces of store_tx for a loop that groups many requests into one commit
 * (node/process/worker.h).  begin and commit may give FW_ERETRY: roll back, run again.
 */
int store_begin(struct store *s, enum store_tx_kind kind, struct diag *reterr);
int store_commit(struct store *s, struct diag *reterr);
void store_rollback(struct store *s);
/* A part of a transaction that may fail alone. Depth 1. A release that fails leaves it open: roll it back. */
int store_savepoint(struct store *s, struct diag *reterr);
int store_savepoint_release(struct store *s, struct diag *reterr);
int store_savepoint_rollback(struct store *s, struct diag *reterr);
bool store_in_tx(const struct store *s);

/*
 * Run statement ${id} for its effect. *ret_changed (NULL allowed) gets the
 * number of rows.  On PostgreSQL with ret_changed NULL the statement is sent
 * without waiting (pipeline); its error then shows at the next call that
 * waits, commit at the latest.
 */
int store_exec(struct store *s, int id, const struct store_value *args, size_t n,
	       int64_t *ret_changed, struct diag *reterr);

/*
 * A result being walked. One at a time per statement id; several ids may be open at once.  PostgreSQL's result lies in
 * memory whole, but for a statement of many rows within a transaction, which is fetched in parts.
 */
struct store_rows;
int store_query(struct store *s, int id, const struct store_value *args, size_t n,
		struct store_rows **ret, struct diag *reterr);
/* 1: a row stands ready; 0: the end; negative: error. */
int store_next(struct store_rows *r, struct diag *reterr);
void store_rows_close(struct store_rows *r); /* NULL allowed */
size_t store_columns(const struct store_rows *r);
bool store_is_null(const struct store_rows *r, size_t col);
int64_t store_int(const struct store_rows *r, size_t col); /* 0 for null */
double store_real(const struct store_rows *r, size_t col);
/* Valid until the next store_next. NULL and 0 for null. */
const uint8_t *store_bytes(const struct store_rows *r, size_t col, size_t *ret_len);
/* Copied into ${a} with a NUL; NULL for null or no memory. */
char *store_text(const struct store_rows *r, size_t col, struct arena *a);
/* The nil uuid for null. */
struct uuid store_uuid(const struct store_rows *r, size_t col);

/* One row or none: 0 with the row ready in *ret (close it), FW_ENOTFOUND. */
int store_one(struct store *s, int id, const struct store_value *args, size_t n,
	      struct store_rows **ret, struct diag *reterr);

/*
 * What a process that will open ${url} must be able to reach, asked before it is walled in: behind
 * its walls it asks no name server and sees no home folder.  Everything lies in ${mem}.
 */
enum { STORE_REACH_MAX = 8 };
struct store_reach {
	const char *url;  /* to be opened instead: host names resolved, user and password file named */
	bool connects;    /* to a server; else the store is a file */
	bool unix_socket; /* by a Unix socket; */
	unsigned port[STORE_REACH_MAX];    /* by TCP to these ports, 0 after the last */
	const char *file[STORE_REACH_MAX]; /* what it reads: password file, certificates; NULL after the last */
};
int store_reach(const char *url, struct arena *mem, struct store_reach *ret, struct diag *reterr);

/* Online copy of a SQLite store to ${path} (a new file, synced), with a call for progress. FW_EINVALID on PostgreSQL. */
int store_backup_sqlite(struct store *s, const char *path,
			void (*progress)(void *arg, int64_t done, int64_t total), void *arg,
			struct diag *reterr);

/* Integrity, foreign keys, and whether the engine takes every statement of a vault's own process: for `fairway doctor`. */
int store_check(struct store *s, struct diag *reterr);

/* SQL with no rows at all that maintenance needs (WAL checkpoint, optimize); by name, not by text. */
int store_maintain(struct store *s, struct diag *reterr);

#endif
