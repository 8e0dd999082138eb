/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* For the tests that know that their store is on PostgreSQL. Run under with_postgres.py. */
#ifndef FW_TESTS_PG_HELP_H
#define FW_TESTS_PG_HELP_H

#include "test.h"

#include <libpq-fe.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "gen/sql.h"
#include "store/store.h"

static inline void pause_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
	(void)nanosleep(&t, NULL);
}

/* Say something to the server past the store (and past a proxy). */
static inline void tell(const char *sql)
{
	const char *direct = getenv("FAIRWAY_TEST_PG_DIRECT");
	PGconn *c = PQconnectdb(direct != NULL ? direct : getenv("FAIRWAY_TEST_PG"));
	PQclear(PQexec(c, "SET client_min_messages = error"));
	PGresult *r = PQexec(c, sql);
	if (!(PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK))
		fail_msg("%s: %s", sql, PQerrorMessage(c));
	PQclear(r);
	PQfinish(c);
}

static inline int open_at(const char *url, enum store_role role, const char *vault, struct store **ret, struct diag *d)
{
	const struct store_options opt = { .url = url, .role = role, .vault = vault, .migrate = true };
	return store_open(&opt, ret, d);
}

/* Through bad weather: as often as it takes. */
static inline struct store *open_patiently(const char *url, enum store_role role, const char *vault)
{
	struct store *s = NULL;
	struct diag d = DIAG_INIT;
	for (int i = 0; i < 400 && s == NULL; i++) {
		diag_clear(&d);
		if (open_at(url, role, vault, &s, &d) != 0)
			pause_ms(25);
	}
	if (s == NULL)
		(void)fprintf(stderr, "# cannot open: %s\n", d.text);
	return s;
}

static inline int add_item(struct store *s, const struct uuid *id, int64_t i, struct diag *d)
{
	const struct store_value args[] = { sv_uuid(id), sv_int(i), sv_null(), sv_null(), sv_null(), sv_null() };
	return store_exec(s, SQL_TEST_ITEM_ADD, args, 6, NULL, d);
}

static inline int read_item(struct store *s, const struct uuid *id, int64_t *ret, struct diag *d)
{
	struct store_rows *r = NULL;
	const struct store_value args[] = { sv_uuid(id) };
	int err = store_one(s, SQL_TEST_ITEM_GET, args, 1, &r, d);
	if (err == 0)
		*ret = store_int(r, 1);
	store_rows_close(r);
	return err;
}

static inline int64_t count_items(struct store *s)
{
	struct store_rows *r = NULL;
	assert_int_equal(store_one(s, SQL_TEST_ITEM_COUNT, NULL, 0, &r, NULL), 0);
	int64_t n = store_int(r, 0);
	store_rows_close(r);
	return n;
}

/* Adds the item ${arg}: a transaction by itself. */
static inline int add_one_item(struct store *s, void *arg, struct diag *d)
{
	return add_item(s, arg, 1, d);
}

#endif
