/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A ledger in a store of its own, for the tests of node/ledger. */
#ifndef FW_TESTS_LEDGER_HELP_H
#define FW_TESTS_LEDGER_HELP_H

#include "test.h"

#include <libpq-fe.h>
#include <sodium.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "gen/sql.h"
#include "node/ledger/checkpoint.h"
#include "node/ledger/ledger_int.h"
#include "store/store.h"

static const char origin[] = "fairway.example/test/strategic";

struct bench_ledger {
	char folder[64], path[96];
	struct store *s;
	struct ledger_writer *w;
	uint8_t pk[32], sk[64];
};

/* The tests run on SQLite, and once more on the PostgreSQL that this names. */
static inline const char *postgres(void)
{
	return getenv("FAIRWAY_TEST_PG");
}

static inline void empty_postgres(void)
{
	PGconn *c = PQconnectdb(postgres());
	PGresult *r = PQexec(c, "SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public");
	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		fail_msg("%s", PQerrorMessage(c));
	PQclear(r);
	PQfinish(c);
}

static inline struct store *open_store(const char *path)
{
	char url[400];
	struct store *s;
	struct diag d = DIAG_INIT;
	(void)snprintf(url, sizeof(url), "%s%s", postgres() ? postgres() : "sqlite:", postgres() ? "" : path);
	struct store_options o = { .url = url, .role = STORE_ROLE_TEST, .vault = "test", .create = true, .migrate = true };
	int err = store_open(&o, &s, &d);
	if (err != 0)
		fail_msg("store_open: %s %s", err_name(err), d.text);
	return s;
}

static inline void ledger_up(struct bench_ledger *b)
{
	uint8_t seed[32] = { 9 };
	assert_true(sodium_init() >= 0);
	(void)crypto_sign_seed_keypair(b->pk, b->sk, seed);
	(void)snprintf(b->folder, sizeof(b->folder), "/tmp/fairway-ledger-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	(void)snprintf(b->path, sizeof(b->path), "%s/test.db", b->folder);
	if (postgres() != NULL)
		empty_postgres();
	b->s = open_store(b->path);
	assert_int_equal(ledger_writer_new(&b->w), 0);
}

static inline void remove_folder(const char *folder)
{
	char cmd[200];
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", folder);
	assert_int_equal(system(cmd), 0);
}

static inline void ledger_down(struct bench_ledger *b)
{
	ledger_writer_free(b->w);
	store_close(b->s);
	remove_folder(b->folder);
}

/* ---- entries ---- */

struct adding {
	struct ledger_writer *w;
	unsigned n;
	int event;
	struct uuid last;
};

static inline int add_tx(struct store *s, void *arg, struct diag *reterr)
{
	struct adding *a = arg;
	ledger_writer_rollback(a->w);
	for (unsigned i = 0; i < a->n; i++) {
		struct uuid subject = uuid_new();
		struct ledger_note note = { .event = a->event, .account = uuid_new(), .purpose = "case_work",
					    .route = "see_incident", .subjects = &subject, .nsubjects = 1 };
		int err = ledger_append(s, a->w, &note, &a->last, reterr);
		if (err < 0)
			return err;
	}
	return 0;
}

/* ${n} entries of ${w} in one transaction; the identifier of the last. */
static inline struct uuid add_of(struct store *s, struct ledger_writer *w, unsigned n, int event)
{
	struct adding a = { .w = w, .n = n, .event = event };
	struct diag d = DIAG_INIT;
	int err = store_tx(s, STORE_WRITE, add_tx, &a, &d);
	if (err != 0)
		fail_msg("append: %s %s", err_name(err), d.text);
	ledger_writer_commit(w);
	return a.last;
}

static inline struct uuid add(struct bench_ledger *b, unsigned n)
{
	return add_of(b->s, b->w, n, 3);
}

static inline size_t sequence(struct store *s)
{
	struct diag d = DIAG_INIT;
	size_t n = 0;
	int err = ledger_sequence(s, 1000000, &n, &d);
	if (err != 0)
		fail_msg("sequence: %s %s", err_name(err), d.text);
	return n;
}

/* Signs the present head and stores it; ${text} (CHECKPOINT_OURS_MAX) gets the note. */
static inline struct ledger_head checkpoint(struct bench_ledger *b, char *text)
{
	char own[CHECKPOINT_OURS_MAX];
	struct ledger_head h;
	if (text == NULL)
		text = own;
	assert_int_equal(ledger_head(b->s, &h, NULL), 0);
	assert_int_equal(checkpoint_format(origin, &h, b->sk, b->pk, text, CHECKPOINT_OURS_MAX), 0);
	assert_int_equal(ledger_checkpoint_save(b->s, text, &h, NULL), 0);
	return h;
}

/* ---- one statement by itself ---- */

struct one_statement {
	int id;
	const struct store_value *args;
	size_t n;
	int64_t changed;
};

static inline int one_tx(struct store *s, void *arg, struct diag *reterr)
{
	struct one_statement *o = arg;
	return store_exec(s, o->id, o->args, o->n, &o->changed, reterr);
}

static inline int64_t run(struct store *s, int id, const struct store_value *args, size_t n)
{
	struct one_statement o = { id, args, n, 0 };
	struct diag d = DIAG_INIT;
	int err = store_tx(s, STORE_WRITE, one_tx, &o, &d);
	if (err != 0)
		fail_msg("statement: %s %s", err_name(err), d.text);
	return o.changed;
}
#define RUN(s, id, ...)                                                                            \
	run(s, id, (const struct store_value[]){ __VA_ARGS__ },                                    \
	    sizeof((const struct store_value[]){ __VA_ARGS__ }) / sizeof(struct store_value))

/* ---- reading rows, for the tests that change them ---- */

struct row {
	struct uuid id;
	struct ledger_hash leaf;
	uint8_t body[LEDGER_BODY_MAX];
	size_t n;
};

static inline int row_tx(struct store *s, void *arg, struct diag *reterr);
struct row_wanted {
	struct uuid writer;
	uint64_t counter;
	struct row row;
};

static inline int row_tx(struct store *s, void *arg, struct diag *reterr)
{
	struct row_wanted *w = arg;
	struct store_value args[] = { sv_uuid(&w->writer), sv_int((int64_t)w->counter), sv_int((int64_t)w->counter),
				      sv_int(1) };
	struct store_rows *r;
	size_t n;
	int err = store_one(s, SQL_LEDGER_ENTRY_RANGE, args, 4, &r, reterr);
	if (err < 0)
		return err;
	w->row.id = store_uuid(r, 1);
	const uint8_t *p = store_bytes(r, 2, &n);
	assert_int_equal(n, LEDGER_HASH);
	memcpy(w->row.leaf.b, p, n);
	p = store_bytes(r, 3, &w->row.n);
	if (p != NULL)
		memcpy(w->row.body, p, w->row.n);
	store_rows_close(r);
	return 0;
}

static inline struct row get_row(struct store *s, struct uuid writer, uint64_t counter)
{
	struct row_wanted w = { .writer = writer, .counter = counter };
	assert_int_equal(store_tx(s, STORE_READ, row_tx, &w, NULL), 0);
	return w.row;
}

static inline int run_at_tx(struct store *s, void *arg, struct diag *reterr)
{
	struct ledger_run *r = arg;
	return ledger_run_before(s, r->position, r, reterr);
}

/* The run that holds ${pos}. */
static inline struct ledger_run run_at(struct store *s, uint64_t pos)
{
	struct ledger_run r = { .position = pos };
	assert_int_equal(store_tx(s, STORE_READ, run_at_tx, &r, NULL), 0);
	assert_true(pos - r.position < r.n);
	return r;
}

#endif
