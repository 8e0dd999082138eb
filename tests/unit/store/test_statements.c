/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Every vault's store is built by its migrations, and the engine takes every
 * statement that names the vault's process.  On PostgreSQL (FAIRWAY_TEST_PG)
 * each vault has a database of its own.  Several programs may start at once.
 */
#include "test.h"

#include <libpq-fe.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "gen/sql.h"
#include "store/store.h"

enum { STARTERS = 6 };

static const struct {
	const char *vault;
	enum store_role role;
} owners[] = {
	{ "strategic", STORE_ROLE_STRATEGIC }, { "operational", STORE_ROLE_OPERATIONAL },
	{ "protection", STORE_ROLE_PROTECTION }, { "house", STORE_ROLE_HOUSE },
};

static char folder[] = "/tmp/fairway-statements-XXXXXX";

/* A new, empty place for a store. */
static void new_place(const char *name, char *url, size_t cap)
{
	const char *pg = getenv("FAIRWAY_TEST_PG"), *slashes = pg != NULL ? strstr(pg, ":///") : NULL;
	const char *rest = slashes != NULL ? strchr(slashes, '?') : NULL;
	if (rest == NULL) {
		(void)snprintf(url, cap, "sqlite:%s/%s.db", folder, name);
		return;
	}
	char sql[100];
	(void)snprintf(sql, sizeof(sql), "CREATE DATABASE place_%s", name);
	PGconn *c = PQconnectdb(pg);
	PGresult *r = PQexec(c, sql);
	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		fail_msg("%s", PQerrorMessage(c));
	PQclear(r);
	PQfinish(c);
	(void)snprintf(url, cap, "postgresql:///place_%s%s", name, rest);
}

static void test_the_engine_takes_every_statement(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(owners) / sizeof(*owners); i++) {
		char url[400];
		struct store *s = NULL;
		struct diag d = DIAG_INIT;
		new_place(owners[i].vault, url, sizeof(url));
		const struct store_options opt = { .url = url, .role = owners[i].role, .vault = owners[i].vault,
						   .create = true, .migrate = true };
		int err = store_open(&opt, &s, &d);
		if (err == 0)
			err = store_check(s, &d);
		if (err != 0)
			fail_msg("%s: %s", owners[i].vault, d.text);
		store_close(s);
	}
}

/* Processes, not threads: that is how programs start at once. */
static void test_programs_that_start_at_once_share_the_work(void **state)
{
	(void)state;
	char url[400];
	pid_t pid[STARTERS];
	new_place("rivals", url, sizeof(url));
	const struct store_options opt = { .url = url, .role = STORE_ROLE_STRATEGIC, .vault = "strategic",
					   .create = true, .migrate = true };
	for (int i = 0; i < STARTERS; i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i] == 0) {
			struct store *s = NULL;
			struct diag d = DIAG_INIT;
			int err = store_open(&opt, &s, &d);
			if (err != 0)
				(void)fprintf(stderr, "# %s: %s\n", err_name(err), d.text);
			store_close(s);
			_exit(err != 0);
		}
	}
	for (int i = 0; i < STARTERS; i++) {
		int status = -1;
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	struct store *s = NULL;
	assert_int_equal(store_open(&opt, &s, NULL), 0);
	assert_int_equal(store_check(s, NULL), 0);
	store_close(s);
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "strategic", "operational", "protection", "house", "rivals" };
	static const char *const ends[] = { "", "-wal", "-shm" };
	(void)state;
	for (size_t i = 0; i < 5 * 3; i++) {
		char path[120];
		(void)snprintf(path, sizeof(path), "%s/%s.db%s", folder, names[i / 3], ends[i % 3]);
		(void)unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_engine_takes_every_statement),
		cmocka_unit_test(test_programs_that_start_at_once_share_the_work),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
