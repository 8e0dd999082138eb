/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The store on SQLite: one file, one connection, write-ahead log.
 *
 * synchronous=FULL makes every commit wait for the log to be on the disk; the
 * folder is synced once when the file is made (SQLite syncs it itself for the
 * log).  Statements are prepared at first use and kept by id; arguments are
 * bound in place (SQLITE_STATIC) and the statement is reset before the call
 * returns, so that nothing is copied and nothing dangles.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "gen/sql.h"
#include "store/store_int.h"

enum { BUSY_MS = 1000, BACKUP_PAGES = 512, VALUE_MAX = 16 << 20, LOG_TRIES = 200, LOG_WAIT_MS = 15 };

struct sqlite_rows {
	struct store_rows base;
	sqlite3_stmt *st; /* NULL: not being walked */
};

struct sqlite_store {
	struct store base;
	sqlite3 *db;
	char path[PATH_MAX];
	sqlite3_stmt *prepared[SQL_COUNT];
	struct sqlite_rows rows[SQL_COUNT];
};

static struct sqlite_store *of(struct store *s)
{
	return (struct sqlite_store *)s;
}

static int fail(struct sqlite_store *s, int rc, const char *what, struct diag *reterr)
{
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return diag_set(reterr, FW_ERETRY, "%s: another change is under way", what);
	case SQLITE_TOOBIG: return diag_set(reterr, FW_ELIMIT, "%s: a value is longer than %d bytes", what, VALUE_MAX);
	case SQLITE_NOMEM: return diag_set(reterr, -ENOMEM, "%s: no memory", what);
	case SQLITE_CONSTRAINT: return diag_set(reterr, FW_ECONSTRAINT, "%s: %s", what, sqlite3_errmsg(s->db));
	case SQLITE_FULL:
		return diag_set(reterr, FW_ESTORE,
				"%s: the disk of %s is full; make room: nothing that was acknowledged is lost", what,
				s->path);
	case SQLITE_READONLY:
		return diag_set(reterr, FW_ESTORE, "%s: %s cannot be written: the disk or the file is read-only",
				what, s->path);
	case SQLITE_IOERR:
		return diag_set(reterr, FW_ESTORE, "%s: reading or writing %s failed (%s); look at the disk", what,
				s->path, sqlite3_errstr(rc));
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return diag_set(reterr, FW_ESTORE, "%s: %s is damaged; \"fairway doctor\" says more, a backup mends it",
				what, s->path);
	default: return diag_set(reterr, FW_ESTORE, "%s: %s", what, sqlite3_errmsg(s->db));
	}
}

static int pragma(struct sqlite_store *s, const char *text, struct diag *reterr)
{
	int rc = sqlite3_exec(s->db, text, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : fail(s, rc, "opening the store", reterr);
}

/* The one value that a PRAGMA answers, as text; "" for none. */
static int pragma_value(struct sqlite_store *s, const char *text, char *out, size_t cap, struct diag *reterr)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, text, -1, &st, NULL);
	out[0] = '\0';
	if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		const char *v = (const char *)sqlite3_column_text(st, 0);
		(void)snprintf(out, cap, "%s", v != NULL ? v : "");
		rc = SQLITE_OK;
	}
	(void)sqlite3_finalize(st);
	return rc == SQLITE_OK || rc == SQLITE_DONE ? 0 : fail(s, rc, "asking the store", reterr);
}

/*
 * Debian's SQLite has no memory of its own for small things, so every step allocates; counting what is
 * allocated, which nobody here reads, takes a lock each time and an eighth of an import.
 */
static void set_up(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* refused where SQLite is in use already: then it counts */
}

/* Two programs that start at once ask for it at once, and for this SQLite does not wait by itself. */
static int keep_a_log(struct sqlite_store *s, char *mode, size_t cap, struct diag *reterr)
{
	int err = FW_ERETRY;
	for (int n = 0; n < LOG_TRIES && err == FW_ERETRY; n++) {
		if (n > 0)
			(void)sqlite3_sleep(LOG_WAIT_MS);
		diag_clear(reterr);
		err = pragma_value(s, "PRAGMA journal_mode=WAL", mode, cap, reterr);
	}
	return err;
}

static void set_limits(sqlite3 *db)
{
	static const int limits[][2] = {
		{ SQLITE_LIMIT_ATTACHED, 0 }, { SQLITE_LIMIT_LENGTH, VALUE_MAX }, { SQLITE_LIMIT_SQL_LENGTH, 100000 },
		{ SQLITE_LIMIT_COLUMN, 200 }, { SQLITE_LIMIT_EXPR_DEPTH, 100 }, { SQLITE_LIMIT_COMPOUND_SELECT, 20 },
		{ SQLITE_LIMIT_FUNCTION_ARG, 16 }, { SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000 },
		{ SQLITE_LIMIT_VARIABLE_NUMBER, 200 }, { SQLITE_LIMIT_TRIGGER_DEPTH, 10 },
		{ SQLITE_LIMIT_WORKER_THREADS, 0 },
	};
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		(void)sqlite3_limit(db, limits[i][0], limits[i][1]);
}

static int configure(struct sqlite_store *s, const struct store_options *opt, struct diag *reterr)
{
	char mode[20];
	(void)sqlite3_extended_result_codes(s->db, 1);
	(void)sqlite3_busy_timeout(s->db, BUSY_MS);
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	set_limits(s->db);
	int err = pragma(s, "PRAGMA foreign_keys=ON; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;"
			    "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384; PRAGMA secure_delete=ON;"
			    "PRAGMA case_sensitive_like=ON", reterr);
	if (err == 0 && !opt->read_only)
		err = keep_a_log(s, mode, sizeof(mode), reterr);
	if (err == 0 && !opt->read_only && strcmp(mode, "wal") != 0)
		err = diag_set(reterr, FW_ESTORE, "%s cannot keep a write-ahead log here (journal mode %s)", s->path, mode);
	if (err == 0)
		err = pragma(s, opt->allow_unsafe ? "PRAGMA synchronous=OFF" :
						    "PRAGMA synchronous=FULL; PRAGMA fullfsync=ON; "
						    "PRAGMA checkpoint_fullfsync=ON", reterr);
	/* A checkpoint holds up who commits: often and short, which costs an import nothing and halves an officer's longest wait. */
	return err != 0 ? err : pragma(s, "PRAGMA wal_autocheckpoint=1000; PRAGMA journal_size_limit=67108864", reterr);
}

static int sync_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	(void)snprintf(folder, sizeof(folder), "%.*s", slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path),
		       slash == NULL ? "." : path);
	return io_sync_dir(folder);
}

static void sq_close(struct store *base)
{
	struct sqlite_store *s = of(base);
	for (size_t i = 0; i < SQL_COUNT; i++)
		(void)sqlite3_finalize(s->prepared[i]);
	(void)sqlite3_close_v2(s->db);
	mem_free(s);
}

static void end_all_rows(struct sqlite_store *s)
{
	for (size_t i = 0; i < SQL_COUNT; i++)
		if (s->rows[i].st != NULL) {
			(void)sqlite3_reset(s->rows[i].st);
			s->rows[i].st = NULL;
		}
}

static void sq_rollback(struct store *base)
{
	struct sqlite_store *s = of(base);
	end_all_rows(s);
	/* After some errors SQLite has rolled back by itself; and its own parser may lack memory for the word. */
	for (int tries = 0; tries < 3 && sqlite3_get_autocommit(s->db) == 0; tries++)
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

static int sq_begin(struct store *base, enum store_tx_kind kind, struct diag *reterr)
{
	struct sqlite_store *s = of(base);
	if (sqlite3_get_autocommit(s->db) == 0)
		sq_rollback(base); /* one that found no memory before: else no change could ever begin again */
	int rc = sqlite3_exec(s->db, kind == STORE_WRITE ? "BEGIN IMMEDIATE" : "BEGIN", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		return 0;
	int err = fail(s, rc, "beginning a change", reterr);
	sq_rollback(base); /* memory may end just when it has begun */
	return err;
}

static int sq_commit(struct store *base, struct diag *reterr)
{
	struct sqlite_store *s = of(base);
	end_all_rows(s);
	int rc = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : fail(s, rc, "keeping a change", reterr);
}

static bool sq_alive(const struct store *base)
{
	return sqlite3_get_autocommit(((const struct sqlite_store *)base)->db) == 0;
}

static int words_only(struct store *base, const char *text, struct diag *reterr)
{
	struct sqlite_store *s = of(base);
	int rc = sqlite3_exec(s->db, text, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : fail(s, rc, "keeping a part of a change", reterr);
}

static int sq_savepoint(struct store *s, struct diag *reterr)
{
	return words_only(s, "SAVEPOINT part", reterr);
}

static int sq_savepoint_release(struct store *s, struct diag *reterr)
{
	return words_only(s, "RELEASE part", reterr);
}

static int sq_savepoint_rollback(struct store *s, struct diag *reterr)
{
	end_all_rows(of(s));
	return words_only(s, "ROLLBACK TO part; RELEASE part", reterr);
}

static int bind_one(sqlite3_stmt *st, int at, const struct store_value *v, sqlite3_destructor_type life)
{
	switch (v->type) {
	case STORE_INT: return sqlite3_bind_int64(st, at, v->i);
	case STORE_REAL: return sqlite3_bind_double(st, at, v->r);
	case STORE_TEXT: return sqlite3_bind_text64(st, at, v->s.p, v->s.n, life, SQLITE_UTF8);
	case STORE_BYTES:
	case STORE_UUID: return sqlite3_bind_blob64(st, at, v->s.p, v->s.n, life);
	default: return sqlite3_bind_null(st, at);
	}
}

static int sq_prepare(struct store *base, int id, struct diag *reterr)
{
	struct sqlite_store *s = of(base);
	if (s->prepared[id] != NULL)
		return 0;
	int rc = sqlite3_prepare_v3(s->db, store_statements[id].sql[STORE_SQLITE], -1, SQLITE_PREPARE_PERSISTENT,
				    &s->prepared[id], NULL);
	return rc == SQLITE_OK ? 0 : fail(s, rc, store_statements[id].name, reterr);
}

/*
 * The statement, prepared, with its arguments bound: in place (SQLITE_STATIC) where it ends within
 * the call, copied (SQLITE_TRANSIENT) where its rows outlive the caller's bytes.
 */
static int ready(struct sqlite_store *s, int id, const struct store_value *args, size_t n,
		 sqlite3_destructor_type life, sqlite3_stmt **ret, struct diag *reterr)
{
	int err = sq_prepare(&s->base, id, reterr), rc = SQLITE_OK;
	if (err != 0)
		return err;
	for (size_t i = 0; rc == SQLITE_OK && i < n; i++)
		rc = bind_one(s->prepared[id], (int)i + 1, &args[i], life);
	*ret = s->prepared[id];
	return rc == SQLITE_OK ? 0 : fail(s, rc, store_statements[id].name, reterr);
}

static int sq_exec(struct store *base, int id, const struct store_value *args, size_t n, int64_t *ret_changed,
		   struct diag *reterr)
{
	struct sqlite_store *s = of(base);
	sqlite3_stmt *st = NULL;
	int err = ready(s, id, args, n, SQLITE_STATIC, &st, reterr);
	if (err != 0)
		return err;
	int rc = sqlite3_step(st);
	err = rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : fail(s, rc, store_statements[id].name, reterr);
	(void)sqlite3_reset(st);
	if (err == 0 && ret_changed != NULL)
		*ret_changed = sqlite3_changes64(s->db);
	return err;
}

static int sq_query(struct store *base, int id, const struct store_value *args, size_t n, struct store_rows **ret,
		    struct diag *reterr)
{
	struct sqlite_store *s = of(base);
	struct sqlite_rows *r = &s->rows[id];
	if (r->st != NULL)
		(void)sqlite3_reset(r->st);
	r->st = NULL;
	sqlite3_stmt *st = NULL;
	int err = ready(s, id, args, n, SQLITE_TRANSIENT, &st, reterr);
	if (err != 0)
		return err;
	r->base.store = base;
	r->st = st;
	*ret = &r->base;
	return 0;
}

static sqlite3_stmt *st_of(const struct store_rows *r)
{
	return ((const struct sqlite_rows *)r)->st;
}

static int sq_next(struct store_rows *r, struct diag *reterr)
{
	struct sqlite_store *s = of(r->store);
	if (st_of(r) == NULL)
		return 0;
	int rc = sqlite3_step(st_of(r));
	if (rc == SQLITE_ROW)
		return 1;
	int err = rc == SQLITE_DONE ? 0 : fail(s, rc, "reading the store", reterr);
	r->store->ops->rows_close(r);
	return err;
}

static void sq_rows_close(struct store_rows *r)
{
	struct sqlite_rows *q = (struct sqlite_rows *)r;
	if (q->st != NULL)
		(void)sqlite3_reset(q->st);
	q->st = NULL;
}

static size_t sq_columns(const struct store_rows *r)
{
	return st_of(r) == NULL ? 0 : (size_t)sqlite3_column_count(st_of(r));
}

static bool sq_is_null(const struct store_rows *r, size_t col)
{
	return sqlite3_column_type(st_of(r), (int)col) == SQLITE_NULL;
}

static int64_t sq_int(const struct store_rows *r, size_t col)
{
	return sqlite3_column_int64(st_of(r), (int)col);
}

static double sq_real(const struct store_rows *r, size_t col)
{
	return sqlite3_column_double(st_of(r), (int)col);
}

static const uint8_t *sq_bytes(const struct store_rows *r, size_t col, size_t *ret_len)
{
	static const uint8_t nothing[1];
	const void *p = sqlite3_column_blob(st_of(r), (int)col);
	*ret_len = p == NULL ? 0 : (size_t)sqlite3_column_bytes(st_of(r), (int)col);
	if (p != NULL)
		return p;
	return sq_is_null(r, col) ? NULL : nothing;
}

static int sq_script(struct store *base, const char *sql, struct diag *reterr)
{
	struct sqlite_store *s = of(base);
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : fail(s, rc, "a migration", reterr);
}

static int sq_check(struct store *base, struct diag *reterr)
{
	char answer[300];
	int err = pragma_value(of(base), "PRAGMA integrity_check(1)", answer, sizeof(answer), reterr);
	if (err == 0 && strcmp(answer, "ok") != 0)
		err = diag_set(reterr, FW_ESTORE, "%s is damaged: %s", of(base)->path, answer);
	if (err == 0)
		err = pragma_value(of(base), "PRAGMA foreign_key_check", answer, sizeof(answer), reterr);
	if (err == 0 && answer[0] != '\0')
		err = diag_set(reterr, FW_ESTORE, "%s: a row of %s refers to one that is not there", of(base)->path, answer);
	return err;
}

static int sq_maintain(struct store *base, struct diag *reterr)
{
	struct sqlite_store *s = of(base);
	int rc = sqlite3_exec(s->db, "PRAGMA wal_checkpoint(PASSIVE); PRAGMA optimize", NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : fail(s, rc, "tending the store", reterr);
}

static const struct engine_ops sqlite_ops = {
	.close = sq_close,
	.begin = sq_begin,
	.commit = sq_commit,
	.rollback = sq_rollback,
	.alive = sq_alive,
	.savepoint = sq_savepoint,
	.savepoint_release = sq_savepoint_release,
	.savepoint_rollback = sq_savepoint_rollback,
	.exec = sq_exec,
	.query = sq_query,
	.next = sq_next,
	.rows_close = sq_rows_close,
	.columns = sq_columns,
	.is_null = sq_is_null,
	.get_int = sq_int,
	.get_real = sq_real,
	.get_bytes = sq_bytes,
	.prepare = sq_prepare,
	.script = sq_script,
	.check = sq_check,
	.maintain = sq_maintain,
};

int store_sqlite_open(const struct store_options *opt, struct store **ret, struct diag *reterr)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct sqlite_store *s = mem_alloc(sizeof(*s));
	if (s == NULL)
		return diag_set(reterr, -ENOMEM, "no memory for a store");
	(void)pthread_once(&once, set_up);
	*s = (struct sqlite_store){ .base = { .ops = &sqlite_ops, .engine = STORE_SQLITE } };
	(void)snprintf(s->path, sizeof(s->path), "%s", opt->url + strlen("sqlite:"));
	int flags = SQLITE_OPEN_NOMUTEX | (opt->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
		    (opt->create ? SQLITE_OPEN_CREATE : 0);
	int rc = sqlite3_open_v2(s->path, &s->db, flags, opt->vfs);
	int err = 0;
	if ((rc & 0xff) == SQLITE_CANTOPEN)
		err = diag_set(reterr, FW_ENOTFOUND, "cannot open the store %s", s->path);
	else if (rc != SQLITE_OK)
		err = fail(s, rc, "opening the store", reterr);
	if (err == 0)
		err = configure(s, opt, reterr);
	if (err == 0 && opt->create && opt->vfs == NULL && (err = sync_folder(s->path)) != 0)
		err = diag_set(reterr, err, "cannot sync the folder of %s: %s", s->path, err_text(err));
	if (err != 0) {
		sq_close(&s->base);
		return err;
	}
	*ret = &s->base;
	return 0;
}

int store_backup_sqlite(struct store *base, const char *path, void (*progress)(void *arg, int64_t done, int64_t total),
			void *arg, struct diag *reterr)
{
	if (base->engine != STORE_SQLITE)
		return diag_set(reterr, FW_EINVALID, "this store is on PostgreSQL: its own tools make the copy");
	struct sqlite_store *s = of(base);
	sqlite3 *to = NULL;
	int fd = io_open(path, O_RDWR | O_CREAT | O_EXCL, 0600); /* never over another file */
	if (fd < 0)
		return diag_set(reterr, fd, "cannot make %s: %s", path, err_text(fd));
	int rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	sqlite3_backup *b = rc == SQLITE_OK ? sqlite3_backup_init(to, "main", s->db, "main") : NULL;
	if (rc == SQLITE_OK && b == NULL)
		rc = sqlite3_errcode(to);
	while (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED) {
		rc = sqlite3_backup_step(b, BACKUP_PAGES);
		if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
			(void)sqlite3_sleep(20);
		if (progress != NULL && b != NULL)
			progress(arg, sqlite3_backup_pagecount(b) - sqlite3_backup_remaining(b),
				 sqlite3_backup_pagecount(b));
	}
	(void)sqlite3_backup_finish(b);
	int closed = sqlite3_close(to);
	int err = rc == SQLITE_DONE && closed == SQLITE_OK ? io_sync(fd) : fail(s, rc, "copying the store", reterr);
	(void)io_close(fd);
	if (err == 0)
		err = sync_folder(path);
	if (err != 0)
		(void)io_unlink(path);
	return err;
}
