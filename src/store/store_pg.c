/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The store on PostgreSQL, through libpq.
 *
 * Statements are prepared at first use in each connection, under their own
 * names; arguments and results travel in binary form.
 *
 * Isolation is SERIALIZABLE: what holds on SQLite, where writers follow one
 * another, holds here, and what collides is run again by store_tx().
 *
 * Pipeline.  store_exec() that wants no count is sent without waiting; the
 * answers are read at the next call that needs one, at commit at the latest.
 * An error met then is the transaction's error: the rest of the pipeline was
 * not executed and the transaction is rolled back.
 *
 * Loss of the connection.  Before COMMIT nothing was kept, so the transaction
 * is run again on a new connection (FW_ERETRY).  During COMMIT nobody knows:
 * FW_EUNKNOWNOUTCOME, and callers look by their idempotency key.
 *
 * Durability.  A server with fsync off, or that answers before its own disk has the
 * commit (synchronous_commit off), is refused, at the start and after each reconnection.
 */
#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "gen/sql.h"
#include "store/store_int.h"

enum {
	ARGS_MAX = 100, /* tools/sqllint.py holds statements to it */
	PENDING_MAX = 200, /* statements sent and not answered: their answers fit in the socket's buffers */
	OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25,
	OID_FLOAT8 = 701, OID_NUMERIC = 1700, OID_UUID = 2950,
};

struct pg_rows {
	struct store_rows base;
	PGresult *res; /* NULL: not being walked */
	int at;        /* row; -1 before the first */
};

struct pg_store {
	struct store base;
	PGconn *conn;
	bool prepared[SQL_COUNT];
	unsigned pending; /* answers outstanding in pipeline mode */
	bool allow_unsafe;
	struct pg_rows rows[SQL_COUNT];
};

static struct pg_store *of(struct store *s)
{
	return (struct pg_store *)s;
}

/* ---- errors ---- */

static int code_of_state(const char *state)
{
	if (strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0 || strcmp(state, "42P07") == 0)
		return FW_ERETRY; /* 42P07: two programs made the same table at once */
	if (strcmp(state, "55P03") == 0 || strcmp(state, "57014") == 0)
		return FW_EBUSY;
	if (strncmp(state, "23", 2) == 0)
		return FW_ECONSTRAINT;
	if (strncmp(state, "08", 2) == 0 || strncmp(state, "57P", 3) == 0)
		return FW_ERETRY;
	return FW_ESTORE;
}

/* The first line of libpq's words: the rest may quote values. */
static int fail(struct pg_store *s, const PGresult *res, const char *what, struct diag *reterr)
{
	const char *state = res != NULL ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
	const char *words = res != NULL ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	bool lost = PQstatus(s->conn) == CONNECTION_BAD;
	int code = lost ? FW_ERETRY : state != NULL ? code_of_state(state) : FW_ESTORE;
	if (words == NULL)
		words = lost ? "the connection to the database was lost" : PQerrorMessage(s->conn);
	if (state != NULL && strcmp(state, "53100") == 0)
		return diag_set(reterr, FW_ESTORE,
				"%s: the database's disk is full; make room: nothing that was acknowledged is lost", what);
	return diag_set(reterr, code, "%s: %.*s", what, (int)strcspn(words, "\n"), words);
}

static bool good(const PGresult *res)
{
	ExecStatusType st = PQresultStatus(res);
	return st == PGRES_COMMAND_OK || st == PGRES_TUPLES_OK;
}

/* ---- pipeline ---- */

/* Read every outstanding answer and leave pipeline mode; the first error among them, if any. */
static int drain(struct pg_store *s, struct diag *reterr)
{
	if (PQpipelineStatus(s->conn) == PQ_PIPELINE_OFF)
		return 0;
	int err = 0;
	bool synced = PQpipelineSync(s->conn) != 1;
	while (!synced) {
		PGresult *res = PQgetResult(s->conn);
		if (res == NULL) {
			synced = PQstatus(s->conn) == CONNECTION_BAD;
			continue; /* the end of one statement's answers */
		}
		ExecStatusType st = PQresultStatus(res);
		synced = st == PGRES_PIPELINE_SYNC;
		if (!synced && !good(res) && st != PGRES_PIPELINE_ABORTED && err == 0)
			err = fail(s, res, "a change", reterr);
		PQclear(res);
	}
	s->pending = 0;
	if (PQexitPipelineMode(s->conn) != 1 && err == 0)
		err = fail(s, NULL, "a change", reterr);
	return err;
}

static int plain(struct pg_store *s, const char *sql, const char *what, struct diag *reterr)
{
	PGresult *res = PQexec(s->conn, sql);
	int err = good(res) ? 0 : fail(s, res, what, reterr);
	PQclear(res);
	return err;
}

/* ---- connection ---- */

static int refuse_unsafe(struct pg_store *s, const char *name, const char *const *allowed, struct diag *reterr)
{
	char sql[80];
	(void)snprintf(sql, sizeof(sql), "SHOW %s", name);
	PGresult *res = PQexec(s->conn, sql);
	if (!good(res) || PQntuples(res) != 1) {
		int err = fail(s, res, "asking the database how it keeps data", reterr);
		PQclear(res);
		return err;
	}
	char value[40];
	(void)snprintf(value, sizeof(value), "%s", PQgetvalue(res, 0, 0));
	PQclear(res);
	for (; *allowed != NULL; allowed++)
		if (strcmp(*allowed, value) == 0)
			return 0;
	return diag_set(reterr, FW_ESTORE, "the database has %s = %s: what it acknowledges could be lost; set it to on", name, value);
}

static void no_notice(void *arg, const char *message)
{
	(void)arg;
	(void)message; /* a library never logs */
}

/* What every connection is told, a new one and one made again. */
static int prepare_connection(struct pg_store *s, struct diag *reterr)
{
	static const char *const on[] = { "on", NULL };
	static const char *const durable[] = { "on", "remote_apply", NULL };
	memset(s->prepared, 0, sizeof(s->prepared));
	s->pending = 0;
	(void)PQsetNoticeProcessor(s->conn, no_notice, NULL);
	int err = plain(s, "SET statement_timeout = '60s'; SET lock_timeout = '10s'; SET client_min_messages = error;"
			   "SET idle_in_transaction_session_timeout = '120s'; SET application_name = 'fairway';"
			   "SET extra_float_digits = 3; SET standard_conforming_strings = on", "opening the store", reterr);
	if (err == 0 && s->base.read_only)
		err = plain(s, "SET default_transaction_read_only = on", "opening the store", reterr);
	if (err == 0 && s->allow_unsafe)
		return 0;
	if (err == 0)
		err = refuse_unsafe(s, "fsync", on, reterr);
	if (err == 0)
		err = refuse_unsafe(s, "full_page_writes", on, reterr);
	return err != 0 ? err : refuse_unsafe(s, "synchronous_commit", durable, reterr);
}

static void end_all_rows(struct pg_store *s)
{
	for (size_t i = 0; i < SQL_COUNT; i++) {
		PQclear(s->rows[i].res);
		s->rows[i].res = NULL;
	}
}

static int reconnect(struct pg_store *s, struct diag *reterr)
{
	end_all_rows(s);
	PQreset(s->conn);
	if (PQstatus(s->conn) != CONNECTION_OK)
		return diag_set(reterr, FW_EBUSY, "the database does not answer: %.*s",
				(int)strcspn(PQerrorMessage(s->conn), "\n"), PQerrorMessage(s->conn));
	return prepare_connection(s, reterr);
}

static void pg_close(struct store *base)
{
	struct pg_store *s = of(base);
	end_all_rows(s);
	PQfinish(s->conn);
	mem_free(s);
}

/* ---- transactions ---- */

static int pg_begin(struct store *base, enum store_tx_kind kind, struct diag *reterr)
{
	struct pg_store *s = of(base);
	const char *sql = kind == STORE_WRITE ? "BEGIN ISOLATION LEVEL SERIALIZABLE" :
						"BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY";
	if (PQstatus(s->conn) == CONNECTION_BAD) {
		int err = reconnect(s, reterr);
		if (err != 0)
			return err;
	}
	return plain(s, sql, "beginning a change", reterr);
}

static int pg_commit(struct store *base, struct diag *reterr)
{
	struct pg_store *s = of(base);
	end_all_rows(s);
	int err = drain(s, reterr);
	if (err != 0)
		return err;
	if (PQtransactionStatus(s->conn) != PQTRANS_INTRANS)
		return diag_set(reterr, PQstatus(s->conn) == CONNECTION_BAD ? FW_ERETRY : FW_ESTORE,
				"a part of the change failed before");
	PGresult *res = PQexec(s->conn, "COMMIT");
	if (PQstatus(s->conn) == CONNECTION_BAD)
		err = diag_set(reterr, FW_EUNKNOWNOUTCOME, "the connection to the database was lost while it kept the change");
	else if (!good(res))
		err = fail(s, res, "keeping a change", reterr);
	else if (strcmp(PQcmdStatus(res), "COMMIT") != 0) /* ROLLBACK: it was aborted before */
		err = diag_set(reterr, FW_ESTORE, "the database rolled the change back");
	PQclear(res);
	return err;
}

static void pg_rollback(struct store *base)
{
	struct pg_store *s = of(base);
	end_all_rows(s);
	(void)drain(s, NULL);
	if (PQtransactionStatus(s->conn) != PQTRANS_IDLE && PQstatus(s->conn) == CONNECTION_OK)
		(void)plain(s, "ROLLBACK", "", NULL);
}

static bool pg_alive(const struct store *base)
{
	const struct pg_store *s = (const struct pg_store *)base;
	PGTransactionStatusType t = PQtransactionStatus(s->conn);
	return t == PQTRANS_INTRANS || t == PQTRANS_INERROR || t == PQTRANS_ACTIVE;
}

static int pg_savepoint(struct store *base, struct diag *reterr)
{
	int err = drain(of(base), reterr);
	return err != 0 ? err : plain(of(base), "SAVEPOINT part", "keeping a part of a change", reterr);
}

static int pg_savepoint_release(struct store *base, struct diag *reterr)
{
	int err = drain(of(base), reterr);
	return err != 0 ? err : plain(of(base), "RELEASE SAVEPOINT part", "keeping a part of a change", reterr);
}

static int pg_savepoint_rollback(struct store *base, struct diag *reterr)
{
	struct pg_store *s = of(base);
	end_all_rows(s);
	(void)drain(s, NULL); /* its errors belong to the part that goes */
	int err = plain(s, "ROLLBACK TO SAVEPOINT part", "undoing a part of a change", reterr);
	return err != 0 ? err : plain(s, "RELEASE SAVEPOINT part", "undoing a part of a change", reterr);
}

/* ---- statements ---- */

struct bound {
	const char *value[ARGS_MAX];
	int length[ARGS_MAX], format[ARGS_MAX];
	uint8_t number[ARGS_MAX][8];
};

static void put_be(uint8_t out[8], uint64_t v)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
}

static int bind_all(const struct store_value *args, size_t n, struct bound *b, struct diag *reterr)
{
	for (size_t i = 0; i < n; i++) {
		b->format[i] = 1;
		b->length[i] = 8;
		b->value[i] = (const char *)b->number[i];
		if (args[i].type == STORE_INT) {
			put_be(b->number[i], (uint64_t)args[i].i);
		} else if (args[i].type == STORE_REAL) {
			uint64_t bits;
			memcpy(&bits, &args[i].r, sizeof(bits));
			put_be(b->number[i], bits);
		} else if (args[i].type == STORE_NULL) {
			b->value[i] = NULL;
		} else {
			if (args[i].s.n > INT32_MAX / 2)
				return diag_set(reterr, FW_ELIMIT, "a value is too long");
			b->value[i] = args[i].s.n > 0 ? args[i].s.p : "";
			b->length[i] = (int)args[i].s.n;
		}
	}
	return 0;
}

static int pg_prepare(struct store *base, int id, struct diag *reterr)
{
	struct pg_store *s = of(base);
	const struct store_statement *st = &store_statements[id];
	static const Oid oids[] = { [STORE_INT] = OID_INT8, [STORE_REAL] = OID_FLOAT8, [STORE_TEXT] = OID_TEXT,
				    [STORE_BYTES] = OID_BYTEA, [STORE_UUID] = OID_UUID };
	Oid types[ARGS_MAX];
	if (s->prepared[id])
		return 0;
	int err = drain(s, reterr);
	if (err != 0)
		return err;
	for (size_t i = 0; i < st->nargs; i++)
		types[i] = oids[st->arg_types[i]];
	PGresult *res = PQprepare(s->conn, st->name, st->sql[STORE_PG], st->nargs, types);
	s->prepared[id] = good(res);
	err = s->prepared[id] ? 0 : fail(s, res, st->name, reterr);
	PQclear(res);
	return err;
}

static int send_only(struct pg_store *s, int id, const struct bound *b, size_t n, struct diag *reterr)
{
	const char *name = store_statements[id].name;
	if (PQpipelineStatus(s->conn) == PQ_PIPELINE_OFF && PQenterPipelineMode(s->conn) != 1)
		return fail(s, NULL, name, reterr);
	if (PQsendQueryPrepared(s->conn, name, (int)n, b->value, b->length, b->format, 1) != 1)
		return fail(s, NULL, name, reterr);
	return ++s->pending < PENDING_MAX ? 0 : drain(s, reterr);
}

static int run(struct pg_store *s, int id, const struct store_value *args, size_t n, PGresult **ret,
	       struct diag *reterr)
{
	struct bound b;
	int err = pg_prepare(&s->base, id, reterr);
	if (err == 0)
		err = bind_all(args, n, &b, reterr);
	if (err == 0 && ret == NULL)
		return send_only(s, id, &b, n, reterr);
	if (err == 0)
		err = drain(s, reterr);
	if (err != 0)
		return err;
	PGresult *res = PQexecPrepared(s->conn, store_statements[id].name, (int)n, b.value, b.length, b.format, 1);
	if (!good(res)) {
		err = fail(s, res, store_statements[id].name, reterr);
		PQclear(res);
		return err;
	}
	*ret = res;
	return 0;
}

static int pg_exec(struct store *base, int id, const struct store_value *args, size_t n, int64_t *ret_changed,
		   struct diag *reterr)
{
	struct pg_store *s = of(base);
	/* Outside a transaction nobody would read the answer. */
	if (ret_changed == NULL && base->in_tx)
		return run(s, id, args, n, NULL, reterr);
	PGresult *res = NULL;
	int err = run(s, id, args, n, &res, reterr);
	if (err == 0 && ret_changed != NULL)
		*ret_changed = strtoll(PQcmdTuples(res), NULL, 10);
	PQclear(res);
	return err;
}

static int pg_query(struct store *base, int id, const struct store_value *args, size_t n, struct store_rows **ret,
		    struct diag *reterr)
{
	struct pg_store *s = of(base);
	struct pg_rows *r = &s->rows[id];
	PGresult *res = NULL;
	int err = run(s, id, args, n, &res, reterr);
	if (err != 0)
		return err;
	PQclear(r->res);
	*r = (struct pg_rows){ .base = { base }, .res = res, .at = -1 };
	*ret = &r->base;
	return 0;
}

/* ---- rows ---- */

static struct pg_rows *rows_of(const struct store_rows *r)
{
	return (struct pg_rows *)(uintptr_t)r;
}

static int pg_next(struct store_rows *r, struct diag *reterr)
{
	struct pg_rows *q = rows_of(r);
	(void)reterr;
	if (q->res == NULL || ++q->at >= PQntuples(q->res)) {
		PQclear(q->res);
		q->res = NULL;
		return 0;
	}
	return 1;
}

static void pg_rows_close(struct store_rows *r)
{
	PQclear(rows_of(r)->res);
	rows_of(r)->res = NULL;
}

static size_t pg_columns(const struct store_rows *r)
{
	return rows_of(r)->res == NULL ? 0 : (size_t)PQnfields(rows_of(r)->res);
}

static bool pg_is_null(const struct store_rows *r, size_t col)
{
	return PQgetisnull(rows_of(r)->res, rows_of(r)->at, (int)col) == 1;
}

static const uint8_t *pg_bytes(const struct store_rows *r, size_t col, size_t *ret_len)
{
	const struct pg_rows *q = rows_of(r);
	*ret_len = 0;
	if (pg_is_null(r, col))
		return NULL;
	*ret_len = (size_t)PQgetlength(q->res, q->at, (int)col);
	return (const uint8_t *)PQgetvalue(q->res, q->at, (int)col);
}

static uint64_t take_be(const uint8_t *p, size_t n)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

/* sum() of 64-bit numbers is a numeric: i16 digits, i16 weight, u16 sign, u16 scale, digits to the base 10000. */
static int64_t numeric(const uint8_t *p, size_t n)
{
	int64_t v = 0;
	if (n < 8)
		return 0;
	int digits = (int)take_be(p, 2), weight = (int16_t)take_be(p + 2, 2);
	for (int i = 0; i <= weight; i++) {
		int64_t d = i < digits && (size_t)(8 + 2 * i) + 2 <= n ? (int64_t)take_be(p + 8 + 2 * i, 2) : 0;
		if (__builtin_mul_overflow(v, 10000, &v) || __builtin_add_overflow(v, d, &v))
			return INT64_MAX;
	}
	return take_be(p + 4, 2) == 0x4000 ? -v : v;
}

static int64_t pg_int(const struct store_rows *r, size_t col)
{
	size_t n;
	const uint8_t *p = pg_bytes(r, col, &n);
	if (p == NULL)
		return 0;
	switch (PQftype(rows_of(r)->res, (int)col)) {
	case OID_INT8: return (int64_t)take_be(p, 8);
	case OID_INT4: return (int32_t)take_be(p, 4);
	case OID_INT2: return (int16_t)take_be(p, 2);
	case OID_BOOL: return p[0] != 0;
	case OID_NUMERIC: return numeric(p, n);
	default: return 0;
	}
}

static double pg_real(const struct store_rows *r, size_t col)
{
	size_t n;
	const uint8_t *p = pg_bytes(r, col, &n);
	double v = 0;
	if (p != NULL && PQftype(rows_of(r)->res, (int)col) == OID_FLOAT8) {
		uint64_t bits = take_be(p, 8);
		memcpy(&v, &bits, sizeof(v));
		return v;
	}
	return (double)pg_int(r, col);
}

/* ---- the rest ---- */

static int pg_script(struct store *base, const char *sql, struct diag *reterr)
{
	int err = drain(of(base), reterr);
	return err != 0 ? err : plain(of(base), sql, "a migration", reterr);
}

/* PostgreSQL checks its pages itself; what can be asked from here is whether every constraint holds for every row. */
static int pg_check(struct store *base, struct diag *reterr)
{
	struct pg_store *s = of(base);
	PGresult *res = PQexec(s->conn, "SELECT conname FROM pg_constraint WHERE NOT convalidated");
	int err = good(res) ? 0 : fail(s, res, "checking the store", reterr);
	if (err == 0 && PQntuples(res) > 0)
		err = diag_set(reterr, FW_ESTORE, "the constraint %s was never checked against the rows", PQgetvalue(res, 0, 0));
	PQclear(res);
	return err;
}

static int pg_maintain(struct store *base, struct diag *reterr)
{
	(void)base; /* autovacuum does it */
	(void)reterr;
	return 0;
}

static const struct engine_ops pg_ops = {
	.close = pg_close,
	.begin = pg_begin,
	.commit = pg_commit,
	.rollback = pg_rollback,
	.alive = pg_alive,
	.savepoint = pg_savepoint,
	.savepoint_release = pg_savepoint_release,
	.savepoint_rollback = pg_savepoint_rollback,
	.exec = pg_exec,
	.query = pg_query,
	.next = pg_next,
	.rows_close = pg_rows_close,
	.columns = pg_columns,
	.is_null = pg_is_null,
	.get_int = pg_int,
	.get_real = pg_real,
	.get_bytes = pg_bytes,
	.prepare = pg_prepare,
	.script = pg_script,
	.check = pg_check,
	.maintain = pg_maintain,
};

int store_pg_open(const struct store_options *opt, struct store **ret, struct diag *reterr)
{
	struct pg_store *s = mem_alloc(sizeof(*s));
	if (s == NULL)
		return diag_set(reterr, -ENOMEM, "no memory for a store");
	*s = (struct pg_store){ .base = { .ops = &pg_ops, .engine = STORE_PG, .read_only = opt->read_only }, .allow_unsafe = opt->allow_unsafe };
	const char *const keys[] = { "dbname", "connect_timeout", "client_encoding", NULL };
	const char *const values[] = { opt->url, "10", "UTF8", NULL };
	s->conn = PQconnectdbParams(keys, values, 1);
	int err = 0;
	if (s->conn == NULL)
		err = diag_set(reterr, -ENOMEM, "no memory for a connection");
	else if (PQstatus(s->conn) != CONNECTION_OK)
		err = diag_set(reterr, FW_ENOTFOUND, "cannot connect to the database: %.*s",
			       (int)strcspn(PQerrorMessage(s->conn), "\n"), PQerrorMessage(s->conn));
	else
		err = prepare_connection(s, reterr);
	if (err != 0) {
		pg_close(&s->base);
		return err;
	}
	*ret = &s->base;
	return 0;
}
