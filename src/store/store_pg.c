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
 * Many rows.  libpq gives a result whole.  A statement that says "rows: many" becomes a cursor within
 * the transaction, whose rows come in parts; outside a transaction there are no cursors, and it is read whole.
 *
 * Loss of the connection.  Before COMMIT nothing was kept, so the transaction
 * is run again on a new connection (FW_ERETRY); so is one that only read, whenever.  During the
 * COMMIT of one that wrote nobody knows: FW_EUNKNOWNOUTCOME, and callers look by their idempotency key.
 *
 * A connection of which nobody can say what state it is in (no memory for an
 * answer, a server that stays silent) is not argued with: it is made again before the
 * next transaction (struct pg_store: usable), or what one transaction left behind might be kept by the next.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "store/store_pg_int.h"

enum {
	ARGS_MAX = 100, /* tools/sqllint.py holds statements to it */
	PENDING_MAX = 200, /* statements sent and not answered: their answers fit in the socket's buffers */
	FETCH_ROWS = 1000, /* of many, in memory at once */
	CURSOR_SQL_MAX = 65536,
	SILENCE_S = 90, /* longer than statement_timeout: a server that is alive has said something by then */
	OID_BYTEA = 17, OID_INT8 = 20, OID_TEXT = 25, OID_FLOAT8 = 701, OID_UUID = 2950,
};

/* ---- errors ---- */

static const struct {
	const char *state; /* SQLSTATE, or how it begins */
	int code;
} states[] = {
	{ "40", FW_ERETRY },      /* collisions, deadlocks */
	{ "42P07", FW_ERETRY },   /* two programs made the same table at once */
	{ "08", FW_ERETRY },      /* the connection */
	{ "57P", FW_ERETRY },     /* the server stops or starts */
	{ "55P03", FW_EBUSY },    /* waited too long for a lock */
	{ "57014", FW_EBUSY },    /* took too long */
	{ "23", FW_ECONSTRAINT },
};

/* What is cured by another connection: a server that no longer takes writes, statements that it forgot or that changed under it. */
static bool cured_by_reconnecting(const struct pg_store *s, const char *state)
{
	return strcmp(state, "26000") == 0 || strcmp(state, "0A000") == 0 ||
	       (strcmp(state, "25006") == 0 && !s->base.read_only);
}

static int code_of_state(const char *state)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		if (strncmp(state, states[i].state, strlen(states[i].state)) == 0)
			return states[i].code;
	return FW_ESTORE;
}

static bool lost(const struct pg_store *s)
{
	return !s->usable || PQstatus(s->conn) == CONNECTION_BAD;
}

/* The code of a failure, by the server's word for it. After FATAL and PANIC the connection goes. */
static int code_of(struct pg_store *s, const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
	if (state != NULL && cured_by_reconnecting(s, state))
		s->usable = false;
	if (lost(s) || (severity != NULL && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0)))
		return FW_ERETRY;
	return state != NULL ? code_of_state(state) : FW_ESTORE;
}

/* The first line of the primary message: the rest may quote values. */
int pg_fail(struct pg_store *s, const PGresult *res, const char *what, struct diag *reterr)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *words = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	int code = code_of(s, res);
	if (words == NULL)
		words = lost(s) ? "the connection to the database was lost" : PQerrorMessage(s->conn);
	if (state != NULL && strcmp(state, "53100") == 0)
		return diag_set(reterr, FW_ESTORE,
				"%s: the database's disk is full; make room: nothing that was acknowledged is lost", what);
	return diag_set(reterr, code, "%s: %.*s", what, (int)strcspn(words, "\n"), words);
}

bool pg_good(const PGresult *res)
{
	ExecStatusType st = PQresultStatus(res);
	return st == PGRES_COMMAND_OK || st == PGRES_TUPLES_OK;
}

/* ---- answers ---- */

/*
 * The next answer; NULL at the end of a statement's answers, and when the server stays silent for longer than it may:
 * libpq alone would wait for ever, for a server that is stopped, and where it had no memory for the last answer.
 */
static PGresult *next_answer(struct pg_store *s)
{
	/* What TLS has read ahead does not show at the socket. */
	const int slice_ms = PQsslInUse(s->conn) ? 20 : 1000;
	const usec_t until = time_mono() + s->silence;
	while (PQisBusy(s->conn) == 1) {
		struct pollfd p = { .fd = PQsocket(s->conn), .events = POLLIN };
		const usec_t left_ms = (until - time_mono()) / 1000;
		if (left_ms < 0) {
			s->usable = false;
			return NULL;
		}
		(void)poll(&p, 1, left_ms < slice_ms ? (int)left_ms + 1 : slice_ms);
		if (PQconsumeInput(s->conn) != 1)
			break; /* lost; PQgetResult says it */
	}
	return PQgetResult(s->conn);
}

/*
 * A failure that is libpq's own and not the server's word: no answer, or none that there was memory for.  What
 * the server did is not known any more.
 */
static void judge(struct pg_store *s, const PGresult *res)
{
	if (res == NULL || (!pg_good(res) && PQresultErrorField(res, PG_DIAG_SQLSTATE) == NULL))
		s->usable = false;
}

/* The answer to what was sent (if ${sent} is 1): the first error, else the last. NULL: nobody knows what the server did. */
static PGresult *await(struct pg_store *s, int sent)
{
	PGresult *kept = NULL, *res;
	while (sent == 1 && (res = next_answer(s)) != NULL) {
		bool keep = kept == NULL || pg_good(kept);
		PQclear(keep ? kept : res);
		kept = keep ? res : kept;
	}
	judge(s, kept);
	return kept;
}

PGresult *pg_ask(struct pg_store *s, const char *sql)
{
	return await(s, PQsendQuery(s->conn, sql));
}

int pg_plain(struct pg_store *s, const char *sql, const char *what, struct diag *reterr)
{
	PGresult *res = pg_ask(s, sql);
	int err = pg_good(res) ? 0 : pg_fail(s, res, what, reterr);
	PQclear(res);
	return err;
}

/* ---- pipeline ---- */

/*
 * Read until the answer to the sync; the first error before it, if any.  *ret_synced stays false when it
 * does not come.  libpq ends one statement's answers with NULL; two of them in a row, and nothing more will come.
 */
static int read_answers(struct pg_store *s, bool *ret_synced, struct diag *reterr)
{
	int err = 0;
	for (bool ended = false; !*ret_synced;) {
		PGresult *res = next_answer(s);
		if (res == NULL && (ended || lost(s)))
			break;
		ended = res == NULL;
		if (ended)
			continue;
		ExecStatusType st = PQresultStatus(res);
		*ret_synced = st == PGRES_PIPELINE_SYNC;
		if (!*ret_synced && !pg_good(res) && st != PGRES_PIPELINE_ABORTED) {
			judge(s, res);
			err = err != 0 ? err : pg_fail(s, res, "a change", reterr);
		}
		PQclear(res);
	}
	return err;
}

/* Read every outstanding answer and leave pipeline mode; the first error among them, if any. */
static int drain(struct pg_store *s, struct diag *reterr)
{
	if (PQpipelineStatus(s->conn) == PQ_PIPELINE_OFF)
		return 0;
	bool synced = false;
	int err = PQpipelineSync(s->conn) == 1 ? read_answers(s, &synced, reterr) : 0;
	s->pending = 0;
	if (synced && PQexitPipelineMode(s->conn) == 1)
		return err;
	/* Whatever one of them said before: the whole transaction went with the connection, and has to be run again. */
	s->usable = false;
	diag_clear(reterr);
	return pg_fail(s, NULL, "a change", reterr);
}

/* ---- life ---- */

void pg_end_all_rows(struct pg_store *s)
{
	for (size_t i = 0; i < SQL_COUNT; i++) {
		PQclear(s->rows[i].res);
		s->rows[i].res = NULL;
		s->rows[i].cursor = 0; /* a cursor goes with its transaction, or the part of it */
	}
}

static void pg_close(struct store *base)
{
	struct pg_store *s = pg_of(base);
	pg_end_all_rows(s);
	PQfinish(s->conn);
	mem_free(s);
}

/* Between transactions: a connection that is sound and idle, or another one. */
static int settle(struct pg_store *s, struct diag *reterr)
{
	if (!lost(s) && PQpipelineStatus(s->conn) == PQ_PIPELINE_OFF && PQtransactionStatus(s->conn) == PQTRANS_IDLE)
		return 0;
	return pg_reconnect(s, reterr);
}

/* ---- transactions ---- */

static int pg_begin(struct store *base, enum store_tx_kind kind, struct diag *reterr)
{
	struct pg_store *s = pg_of(base);
	s->wrote = false;
	int err = settle(s, reterr);
	return err != 0 ? err : pg_plain(s, kind == STORE_WRITE ? "BEGIN ISOLATION LEVEL SERIALIZABLE" :
								  "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY",
					 "beginning a change", reterr);
}

/*
 * Of the answer to COMMIT.  A pooler or a distributed server between may say itself that it lost what is behind it (08, 57P)
 * or does not know (40003) and keep the connection; only a collision and a broken rule are a clear no.
 */
static bool nobody_knows(const struct pg_store *s, const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	return s->wrote && (lost(s) || (state != NULL && (strcmp(state, "40003") == 0 || strncmp(state, "08", 2) == 0 ||
							   strncmp(state, "57P", 3) == 0)));
}

static int pg_commit(struct store *base, struct diag *reterr)
{
	struct pg_store *s = pg_of(base);
	pg_end_all_rows(s);
	int err = drain(s, reterr);
	if (err != 0)
		return err;
	if (lost(s) || PQtransactionStatus(s->conn) != PQTRANS_INTRANS)
		return diag_set(reterr, lost(s) ? FW_ERETRY : FW_ESTORE, "a part of the change failed before");
	PGresult *res = pg_ask(s, "COMMIT");
	if (nobody_knows(s, res))
		err = diag_set(reterr, FW_EUNKNOWNOUTCOME, "the connection to the database was lost while it kept the change");
	else if (!pg_good(res))
		err = pg_fail(s, res, "keeping a change", reterr);
	else if (strcmp(PQcmdStatus(res), "COMMIT") != 0) /* ROLLBACK: it was aborted before */
		err = diag_set(reterr, FW_ESTORE, "the database rolled the change back");
	PQclear(res);
	return err;
}

static void pg_rollback(struct store *base)
{
	struct pg_store *s = pg_of(base);
	pg_end_all_rows(s);
	(void)drain(s, NULL);
	if (!lost(s) && PQtransactionStatus(s->conn) != PQTRANS_IDLE)
		(void)pg_plain(s, "ROLLBACK", "", NULL); /* if it fails, the next beginning finds the connection not idle */
}

static bool pg_alive(const struct store *base)
{
	const struct pg_store *s = (const struct pg_store *)base;
	PGTransactionStatusType t = PQtransactionStatus(s->conn);
	return !lost(s) && (t == PQTRANS_INTRANS || t == PQTRANS_INERROR || t == PQTRANS_ACTIVE);
}

static int pg_savepoint(struct store *base, struct diag *reterr)
{
	int err = drain(pg_of(base), reterr);
	return err != 0 ? err : pg_plain(pg_of(base), "SAVEPOINT part", "keeping a part of a change", reterr);
}

static int pg_savepoint_release(struct store *base, struct diag *reterr)
{
	int err = drain(pg_of(base), reterr);
	return err != 0 ? err : pg_plain(pg_of(base), "RELEASE SAVEPOINT part", "keeping a part of a change", reterr);
}

static int pg_savepoint_rollback(struct store *base, struct diag *reterr)
{
	struct pg_store *s = pg_of(base);
	pg_end_all_rows(s);
	(void)drain(s, NULL); /* its errors belong to the part that goes */
	if (lost(s))
		return diag_set(reterr, FW_ERETRY, "the connection to the database was lost");
	return pg_plain(s, "ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part", "undoing a part of a change", reterr);
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

static void types_of(const struct store_statement *st, Oid types[ARGS_MAX])
{
	static const Oid oids[] = { [STORE_INT] = OID_INT8, [STORE_REAL] = OID_FLOAT8, [STORE_TEXT] = OID_TEXT,
				    [STORE_BYTES] = OID_BYTEA, [STORE_UUID] = OID_UUID };
	for (size_t i = 0; i < st->nargs; i++)
		types[i] = oids[st->arg_types[i]];
}

static int pg_prepare(struct store *base, int id, struct diag *reterr)
{
	struct pg_store *s = pg_of(base);
	const struct store_statement *st = &store_statements[id];
	Oid types[ARGS_MAX];
	if (s->prepared[id])
		return 0;
	int err = drain(s, reterr);
	if (err != 0)
		return err;
	types_of(st, types);
	PGresult *res = await(s, PQsendPrepare(s->conn, st->name, st->sql[STORE_PG], st->nargs, types));
	err = pg_good(res) ? 0 : pg_fail(s, res, st->name, reterr);
	s->prepared[id] = err == 0;
	PQclear(res);
	return err;
}

static int send_only(struct pg_store *s, int id, const struct bound *b, size_t n, struct diag *reterr)
{
	const char *name = store_statements[id].name;
	if (PQpipelineStatus(s->conn) == PQ_PIPELINE_OFF && PQenterPipelineMode(s->conn) != 1)
		return pg_fail(s, NULL, name, reterr);
	if (PQsendQueryPrepared(s->conn, name, (int)n, b->value, b->length, b->format, 1) != 1)
		return pg_fail(s, NULL, name, reterr);
	return ++s->pending < PENDING_MAX ? 0 : drain(s, reterr);
}

/* One that is waited for. Outside a transaction the loss of the connection leaves open whether a change was kept. */
static int ask(struct pg_store *s, int id, const struct bound *b, size_t n, PGresult **ret, struct diag *reterr)
{
	const struct store_statement *st = &store_statements[id];
	int err = drain(s, reterr);
	if (err != 0)
		return err;
	PGresult *res = await(s, PQsendQueryPrepared(s->conn, st->name, (int)n, b->value, b->length, b->format, 1));
	if (pg_good(res)) {
		*ret = res;
		return 0;
	}
	if (st->writes && !s->base.in_tx && lost(s))
		err = diag_set(reterr, FW_EUNKNOWNOUTCOME, "%s: the connection to the database was lost", st->name);
	else
		err = pg_fail(s, res, st->name, reterr);
	PQclear(res);
	return err;
}

/* With ${ret} NULL the answer is left for later. */
static int run(struct pg_store *s, int id, const struct store_value *args, size_t n, PGresult **ret,
	       struct diag *reterr)
{
	struct bound b;
	int err = s->base.in_tx ? 0 : settle(s, reterr);
	if (err == 0)
		err = pg_prepare(&s->base, id, reterr);
	if (err == 0)
		err = bind_all(args, n, &b, reterr);
	if (err != 0)
		return err;
	return ret != NULL ? ask(s, id, &b, n, ret, reterr) : send_only(s, id, &b, n, reterr);
}

static int pg_exec(struct store *base, int id, const struct store_value *args, size_t n, int64_t *ret_changed,
		   struct diag *reterr)
{
	struct pg_store *s = pg_of(base);
	s->wrote = true;
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

/* ---- cursors ---- */

static int declare_cursor(struct pg_store *s, const struct store_statement *st, const struct bound *b, unsigned cursor,
			  struct diag *reterr)
{
	struct buf sql;
	Oid types[ARGS_MAX];
	types_of(st, types);
	buf_init(&sql, CURSOR_SQL_MAX);
	buf_printf(&sql, "DECLARE c%u NO SCROLL CURSOR FOR %s", cursor, st->sql[STORE_PG]);
	buf_putc(&sql, '\0');
	if (buf_failed(&sql)) {
		int err = diag_set(reterr, sql.error, "no memory for the statement %s", st->name);
		buf_release(&sql);
		return err;
	}
	PGresult *res = await(s, PQsendQueryParams(s->conn, (const char *)sql.data, st->nargs, types, b->value, b->length, b->format, 1));
	int err = pg_good(res) ? 0 : pg_fail(s, res, st->name, reterr);
	PQclear(res);
	buf_release(&sql);
	return err;
}

int pg_fetch(struct pg_store *s, struct pg_rows *r, struct diag *reterr)
{
	char sql[60];
	int err = drain(s, reterr);
	if (err != 0)
		return err;
	(void)snprintf(sql, sizeof(sql), "FETCH %d FROM c%u", FETCH_ROWS, r->cursor);
	PGresult *res = await(s, PQsendQueryParams(s->conn, sql, 0, NULL, NULL, NULL, NULL, 1));
	if (!pg_good(res)) {
		err = pg_fail(s, res, store_statements[r->id].name, reterr);
		PQclear(res);
		return err;
	}
	r->res = res;
	r->at = -1;
	if (PQntuples(res) < FETCH_ROWS)
		pg_close_cursor(s, r);
	return 0;
}

static int open_cursor(struct pg_store *s, struct pg_rows *r, const struct store_value *args, size_t n, struct diag *reterr)
{
	struct bound b;
	const unsigned cursor = ++s->cursors;
	int err = drain(s, reterr);
	if (err == 0)
		err = bind_all(args, n, &b, reterr);
	if (err == 0)
		err = declare_cursor(s, &store_statements[r->id], &b, cursor, reterr);
	if (err != 0)
		return err;
	r->cursor = cursor;
	return pg_fetch(s, r, reterr);
}

/* Sent without waiting: what was sent before may have failed, and who asks next must hear of it. */
void pg_close_cursor(struct pg_store *s, struct pg_rows *r)
{
	char sql[60];
	(void)snprintf(sql, sizeof(sql), "CLOSE c%u", r->cursor);
	bool open = r->cursor != 0;
	r->cursor = 0;
	if (!open || lost(s) || PQtransactionStatus(s->conn) == PQTRANS_INERROR)
		return;
	if (PQpipelineStatus(s->conn) == PQ_PIPELINE_OFF && PQenterPipelineMode(s->conn) != 1)
		return;
	s->pending += PQsendQueryParams(s->conn, sql, 0, NULL, NULL, NULL, NULL, 1) == 1;
}

static int pg_query(struct store *base, int id, const struct store_value *args, size_t n, struct store_rows **ret,
		    struct diag *reterr)
{
	struct pg_store *s = pg_of(base);
	struct pg_rows *r = &s->rows[id];
	s->wrote = s->wrote || store_statements[id].writes;
	pg_rows_close(&r->base);
	const bool many = store_statements[id].many && base->in_tx;
	*r = (struct pg_rows){ .base = { base }, .at = -1, .id = id };
	int err = many ? open_cursor(s, r, args, n, reterr) : run(s, id, args, n, &r->res, reterr);
	if (err == 0)
		*ret = &r->base;
	return err;
}

/* ---- the rest ---- */

static int pg_script(struct store *base, const char *sql, struct diag *reterr)
{
	struct pg_store *s = pg_of(base);
	s->wrote = true;
	int err = drain(s, reterr);
	return err != 0 ? err : pg_plain(s, sql, "a migration", reterr);
}

/* PostgreSQL checks its pages itself; what can be asked from here is whether every constraint holds for every row. */
static int pg_check(struct store *base, struct diag *reterr)
{
	struct pg_store *s = pg_of(base);
	int err = settle(s, reterr);
	if (err != 0)
		return err;
	PGresult *res = pg_ask(s, "SELECT conname FROM pg_constraint WHERE NOT convalidated");
	err = pg_good(res) ? 0 : pg_fail(s, res, "checking the store", reterr);
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
	*s = (struct pg_store){ .base = { .ops = &pg_ops, .engine = STORE_PG, .read_only = opt->read_only },
				.allow_unsafe = opt->allow_unsafe,
				.walled = opt->walled ? opt->vault : NULL, .silence = SILENCE_S * USEC_PER_SEC };
	int err = pg_connect(s, opt->url, reterr);
	if (err != 0) {
		pg_close(&s->base);
		return err;
	}
	*ret = &s->base;
	return 0;
}
