/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A strategic vault's store for a test: SQLite in a folder of its own, or an empty PostgreSQL (FAIRWAY_TEST_PG). */
#ifndef FW_TESTS_REPORT_DB_H
#define FW_TESTS_REPORT_DB_H

#include "test.h"

#include <dirent.h>
#include <libpq-fe.h>
#include <unistd.h>

#include "base/err.h"
#include "store/store.h"

struct report_db {
	char dir[64];
	char url[400];
};

static inline void report_db_make(struct report_db *d)
{
	const char *pg = getenv("FAIRWAY_TEST_PG");
	(void)snprintf(d->dir, sizeof(d->dir), "/tmp/fairway-report-XXXXXX");
	assert_non_null(mkdtemp(d->dir));
	int n = snprintf(d->url, sizeof(d->url), "%s%s%s", pg != NULL ? pg : "sqlite:", pg != NULL ? "" : d->dir, pg != NULL ? "" : "/s.db");
	assert_in_range(n, 1, sizeof(d->url) - 1);
	if (pg == NULL)
		return;
	PGconn *c = PQconnectdb(pg);
	PGresult *r = PQexec(c, "SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public");
	assert_int_equal(PQresultStatus(r), PGRES_COMMAND_OK);
	PQclear(r);
	PQfinish(c);
}

static inline struct store *report_db_open(const struct report_db *d)
{
	struct store *s = NULL;
	struct diag e = DIAG_INIT;
	const struct store_options opt = { .url = d->url, .role = STORE_ROLE_STRATEGIC, .vault = "strategic", .create = true, .migrate = true };
	if (store_open(&opt, &s, &e) != 0)
		fail_msg("%s: %s", d->url, e.text);
	return s;
}

static inline void report_db_remove(const struct report_db *d)
{
	char path[400];
	DIR *dir = opendir(d->dir);
	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
		(void)snprintf(path, sizeof(path), "%s/%s", d->dir, e->d_name);
		(void)unlink(path);
	}
	if (dir != NULL)
		(void)closedir(dir);
	(void)rmdir(d->dir);
}

#endif
