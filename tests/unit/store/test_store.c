/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <libpq-fe.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "gen/sql.h"
#include "store/store.h"

static char folder[] = "/tmp/fairway-store-XXXXXX";
static char url[400];
static bool on_pg; /* FAIRWAY_TEST_PG names a database to run on */

static int open_it(struct store **ret, struct diag *d)
{
	const struct store_options opt = { .url = url, .role = STORE_ROLE_TEST, .vault = "test", .create = true,
					   .migrate = true };
	return store_open(&opt, ret, d);
}

static int add(struct store *s, const struct uuid *id, int64_t i, struct diag *d)
{
	const struct store_value args[] = { sv_uuid(id), sv_int(i), sv_null(), sv_null(), sv_null(), sv_null() };
	return store_exec(s, SQL_TEST_ITEM_ADD, args, 6, NULL, d);
}

static int64_t count(struct store *s)
{
	struct store_rows *r = NULL;
	assert_int_equal(store_one(s, SQL_TEST_ITEM_COUNT, NULL, 0, &r, NULL), 0);
	int64_t n = store_int(r, 0);
	store_rows_close(r);
	return n;
}

static int round_trip(struct store *s, void *arg, struct diag *d)
{
	struct prop *p = arg;
	struct uuid id = uuid_new(), u = uuid_new();
	uint8_t bytes[70];
	size_t n = prop_below(p, sizeof(bytes));
	prop_bytes(p, bytes, n);
	int64_t i = (int64_t)prop_u64(p);
	const struct store_value args[] = { sv_uuid(&id), sv_int(i),	   sv_real((double)i / 7),
					    sv_text("a'; DROP TABLE test_item; -- \u0e01"), sv_bytes(bytes, n),
					    sv_uuid(&u) };
	int err = store_exec(s, SQL_TEST_ITEM_ADD, args, 6, NULL, d);
	assert_int_equal(err, 0);
	struct store_rows *r = NULL;
	assert_int_equal(store_one(s, SQL_TEST_ITEM_GET, args, 1, &r, d), 0);
	struct arena *a = arena_new(10000);
	size_t len;
	assert_int_equal(store_columns(r), 6);
	struct uuid got = store_uuid(r, 0);
	assert_true(uuid_equal(&got, &id));
	assert_true(store_int(r, 1) == i);
	assert_true(store_real(r, 2) == (double)i / 7);
	assert_string_equal(store_text(r, 3, a), "a'; DROP TABLE test_item; -- \u0e01");
	const uint8_t *b = store_bytes(r, 4, &len);
	assert_int_equal(len, n);
	assert_memory_equal(b, bytes, n);
	assert_false(store_is_null(r, 4));
	got = store_uuid(r, 5);
	assert_true(uuid_equal(&got, &u));
	assert_int_equal(store_next(r, d), 0);
	store_rows_close(r);
	arena_free(a);
	return 0;
}

static int nulls(struct store *s, void *arg, struct diag *d)
{
	struct uuid id = uuid_new();
	struct store_rows *r = NULL;
	(void)arg;
	const struct store_value args[] = { sv_uuid(&id), sv_null(), sv_null(), sv_text(NULL), sv_null(), sv_uuid(NULL) };
	assert_int_equal(store_exec(s, SQL_TEST_ITEM_ADD, args, 6, NULL, d), 0);
	assert_int_equal(store_one(s, SQL_TEST_ITEM_GET, args, 1, &r, d), 0);
	size_t len = 9;
	for (size_t c = 1; c < 6; c++)
		assert_true(store_is_null(r, c));
	assert_int_equal(store_int(r, 1), 0);
	assert_null(store_bytes(r, 3, &len));
	assert_int_equal(len, 0);
	struct uuid u = store_uuid(r, 5);
	assert_true(uuid_is_nil(&u));
	store_rows_close(r);
	struct uuid absent = uuid_new();
	const struct store_value other[] = { sv_uuid(&absent) };
	assert_int_equal(store_one(s, SQL_TEST_ITEM_GET, other, 1, &r, d), FW_ENOTFOUND);
	return 0;
}

static void test_types_and_nulls(void **state)
{
	struct store *s = *state;
	struct prop p = { 11 };
	for (int i = 0; i < 50; i++)
		assert_int_equal(store_tx(s, STORE_WRITE, round_trip, &p, NULL), 0);
	assert_int_equal(store_tx(s, STORE_WRITE, nulls, NULL, NULL), 0);
}

static void test_a_role_runs_its_own_statements_only(void **state)
{
	struct store *s = *state;
	struct store_rows *r = NULL;
	struct diag d = DIAG_INIT;
	assert_int_equal(store_query(s, SQL_TEST_OF_OTHERS, NULL, 0, &r, &d), FW_EDENIED);
	assert_non_null(strstr(d.text, "test_of_others"));
	assert_int_equal(store_exec(s, SQL_TEST_OF_OTHERS, NULL, 0, NULL, NULL), FW_EDENIED);
}

struct failing {
	int left, error;
};

static int fails_some_times(struct store *s, void *arg, struct diag *d)
{
	struct failing *f = arg;
	struct uuid id = uuid_new();
	int err = add(s, &id, 1, d);
	if (err == 0 && f->left-- > 0)
		return diag_set(d, f->error, "not yet");
	return err;
}

static void test_transactions_run_again_or_leave_nothing(void **state)
{
	struct store *s = *state;
	int64_t before = count(s);
	struct failing f = { 3, FW_ERETRY };
	struct diag d = DIAG_INIT;
	assert_int_equal(store_tx(s, STORE_WRITE, fails_some_times, &f, &d), 0);
	assert_int_equal(d.code, 0);
	assert_int_equal(count(s), before + 1);
	f = (struct failing){ 1, FW_EINVALID };
	assert_int_equal(store_tx(s, STORE_WRITE, fails_some_times, &f, &d), FW_EINVALID);
	assert_int_equal(count(s), before + 1);
	f = (struct failing){ 1000, FW_ERETRY };
	diag_clear(&d);
	assert_int_equal(store_tx(s, STORE_WRITE, fails_some_times, &f, &d), FW_EBUSY);
	assert_int_equal(count(s), before + 1);
	assert_false(store_in_tx(s));
}

struct increment {
	struct uuid id;
	struct store *other; /* makes a conflicting change in the middle of the first try */
	int tries;
};

static int read_int(struct store *s, const struct uuid *id, int64_t *ret, struct diag *d)
{
	struct store_rows *r = NULL;
	const struct store_value args[] = { sv_uuid(id) };
	int err = store_one(s, SQL_TEST_ITEM_GET, args, 1, &r, d);
	if (err == 0)
		*ret = store_int(r, 1);
	store_rows_close(r);
	return err;
}

static int add_one(struct store *s, void *arg, struct diag *d)
{
	struct increment *in = arg;
	int64_t was = 0;
	in->tries++;
	int err = read_int(s, &in->id, &was, d);
	struct increment inner = { .id = in->id };
	if (err == 0 && in->other != NULL && in->tries == 1 && on_pg)
		assert_int_equal(store_tx(in->other, STORE_WRITE, add_one, &inner, NULL), 0);
	const struct store_value set[] = { sv_uuid(&in->id), sv_int(was + 1) };
	return err != 0 ? err : store_exec(s, SQL_TEST_ITEM_SET, set, 2, NULL, d);
}

/* Two read the same number and write it plus one: without a retry one of the two would be lost. */
static void test_no_update_is_lost(void **state)
{
	struct store *s = *state, *other = NULL;
	struct increment in = { .id = uuid_new() };
	int64_t n = 0;
	assert_int_equal(add(s, &in.id, 0, NULL), 0);
	assert_int_equal(open_it(&other, NULL), 0);
	in.other = other;
	assert_int_equal(store_tx(s, STORE_WRITE, add_one, &in, NULL), 0);
	assert_int_equal(read_int(s, &in.id, &n, NULL), 0);
	assert_int_equal(n, on_pg ? 2 : 1);
	assert_int_equal(in.tries, on_pg ? 2 : 1);
	if (!on_pg) { /* SQLite: the second writer waits, and is told in the end */
		assert_int_equal(store_begin(other, STORE_WRITE, NULL), 0);
		in.other = NULL;
		assert_int_equal(store_tx(s, STORE_WRITE, add_one, &in, NULL), FW_EBUSY);
		store_rollback(other);
	}
	store_close(other);
}

/* A constraint that breaks in a statement sent without waiting is told at commit at the latest, and nothing is kept. */
static void test_late_errors_are_not_lost(void **state)
{
	struct store *s = *state;
	int64_t before = count(s);
	struct uuid id = uuid_new();
	assert_int_equal(store_begin(s, STORE_WRITE, NULL), 0);
	int err = add(s, &id, 1, NULL);
	for (int i = 0; err == 0 && i < 3; i++)
		err = add(s, &id, 1, NULL);
	if (err == 0)
		err = store_commit(s, NULL);
	assert_int_equal(err, FW_ECONSTRAINT);
	store_rollback(s);
	assert_int_equal(count(s), before);
}

static void test_many_statements_in_one_transaction(void **state)
{
	struct store *s = *state;
	int64_t before = count(s);
	assert_int_equal(store_begin(s, STORE_WRITE, NULL), 0);
	for (int i = 0; i < 1000; i++) {
		struct uuid id = uuid_new();
		assert_int_equal(add(s, &id, i, NULL), 0);
	}
	assert_int_equal(store_commit(s, NULL), 0);
	assert_int_equal(count(s), before + 1000);
}

static void test_a_part_may_fail_alone(void **state)
{
	struct store *s = *state;
	int64_t before = count(s);
	struct uuid a = uuid_new(), b = uuid_new(), c = uuid_new();
	assert_int_equal(store_begin(s, STORE_WRITE, NULL), 0);
	assert_int_equal(add(s, &a, 1, NULL), 0);
	assert_int_equal(store_savepoint(s, NULL), 0);
	assert_int_equal(add(s, &b, 2, NULL), 0);
	int err = add(s, &b, 2, NULL);
	if (err == 0) /* PostgreSQL tells it when the part ends */
		err = store_savepoint_release(s, NULL);
	assert_int_equal(err, FW_ECONSTRAINT);
	assert_int_equal(store_savepoint_rollback(s, NULL), 0);
	assert_int_equal(store_savepoint(s, NULL), 0);
	assert_int_equal(add(s, &c, 3, NULL), 0);
	assert_int_equal(store_savepoint_release(s, NULL), 0);
	assert_int_equal(store_commit(s, NULL), 0);
	assert_int_equal(count(s), before + 2);
}

struct overlooking {
	struct uuid id;
	int then; /* what the later calls gave */
};

/* A caller that overlooks an error must not keep half of its change, on either engine. */
static int overlooks_an_error(struct store *s, void *arg, struct diag *d)
{
	struct overlooking *o = arg;
	struct uuid nobody = uuid_new();
	int64_t changed;
	const struct store_value set[] = { sv_uuid(&o->id), sv_int(77) }, orphan[] = { sv_uuid(&nobody), sv_int(1) };
	assert_int_equal(store_exec(s, SQL_TEST_ITEM_SET, set, 2, &changed, d), 0);
	assert_int_equal(store_exec(s, SQL_TEST_PART_ADD, orphan, 2, &changed, NULL), FW_ECONSTRAINT);
	o->then = store_exec(s, SQL_TEST_ITEM_SET, set, 2, &changed, NULL);
	return 0;
}

static void test_an_overlooked_error_keeps_nothing(void **state)
{
	struct store *s = *state;
	struct overlooking o = { .id = uuid_new() };
	struct diag d = DIAG_INIT;
	int64_t n = 0;
	assert_int_equal(add(s, &o.id, 5, NULL), 0);
	assert_int_equal(store_tx(s, STORE_WRITE, overlooks_an_error, &o, &d), FW_ECONSTRAINT);
	assert_int_equal(o.then, FW_ECONSTRAINT);
	assert_non_null(strstr(d.text, "earlier part"));
	assert_int_equal(read_int(s, &o.id, &n, NULL), 0);
	assert_int_equal(n, 5);
}

static int writes_in_a_reading(struct store *s, void *arg, struct diag *d)
{
	return add(s, arg, 1, d);
}

static void test_what_neither_engine_takes_is_refused_before(void **state)
{
	struct store *s = *state;
	struct uuid id = uuid_new();
	assert_int_equal(store_tx(s, STORE_READ, writes_in_a_reading, &id, NULL), FW_EDENIED);
	struct store_value args[] = { sv_uuid(&id), sv_int(1), sv_null(), sv_textn("a\0b", 3), sv_null(), sv_null() };
	assert_int_equal(store_exec(s, SQL_TEST_ITEM_ADD, args, 6, NULL, NULL), FW_EINVALID);
	args[3] = sv_text("\xff");
	assert_int_equal(store_exec(s, SQL_TEST_ITEM_ADD, args, 6, NULL, NULL), FW_EINVALID);
	args[3] = sv_null();
	args[2] = sv_real(strtod("nan", NULL));
	assert_int_equal(store_exec(s, SQL_TEST_ITEM_ADD, args, 6, NULL, NULL), FW_EINVALID);
	args[2] = sv_real(-0.5);
	assert_int_equal(store_exec(s, SQL_TEST_ITEM_ADD, args, 6, NULL, NULL), 0);
}

static void test_rules_of_the_schema_hold(void **state)
{
	struct store *s = *state;
	struct uuid id = uuid_new();
	const struct store_value orphan[] = { sv_uuid(&id), sv_int(1) };
	struct diag d = DIAG_INIT;
	assert_int_equal(store_exec(s, SQL_TEST_PART_ADD, orphan, 2, NULL, &d), FW_ECONSTRAINT);
	assert_int_equal(add(s, &id, 1, NULL), 0);
	const struct store_value bad[] = { sv_uuid(&id), sv_int(0) };
	assert_int_equal(store_exec(s, SQL_TEST_PART_ADD, bad, 2, NULL, NULL), FW_ECONSTRAINT);
	int64_t changed = 9;
	const struct store_value set[] = { sv_uuid(&id), sv_int(5) };
	assert_int_equal(store_exec(s, SQL_TEST_ITEM_SET, set, 2, &changed, NULL), 0);
	assert_int_equal(changed, 1);
	struct uuid absent = uuid_new();
	const struct store_value none[] = { sv_uuid(&absent), sv_int(5) };
	assert_int_equal(store_exec(s, SQL_TEST_ITEM_SET, none, 2, &changed, NULL), 0);
	assert_int_equal(changed, 0);
}

/* Change the store's own bookkeeping behind its back. */
static void meddle(const char *sql)
{
	if (on_pg) {
		PGconn *c = PQconnectdb(url);
		PGresult *r = PQexec(c, sql);
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			fail_msg("%s", PQerrorMessage(c));
		PQclear(r);
		PQfinish(c);
		return;
	}
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(url + strlen("sqlite:"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void test_a_newer_program_was_here(void **state)
{
	struct store *s = NULL;
	struct diag d = DIAG_INIT;
	(void)state;
	meddle(on_pg ? "INSERT INTO store_migration VALUES ('test', 99, 'test', '\\x00')" :
		       "INSERT INTO store_migration VALUES ('test', 99, 'test', x'00')");
	assert_int_equal(open_it(&s, &d), FW_ENEWER);
	assert_non_null(strstr(d.text, "test 99"));
	meddle(on_pg ? "DELETE FROM store_migration WHERE number = 99; UPDATE store_migration SET checksum = '\\x0102' WHERE module = 'test'" :
		       "DELETE FROM store_migration WHERE number = 99; UPDATE store_migration SET checksum = x'0102' WHERE module = 'test'");
	diag_clear(&d);
	assert_int_equal(open_it(&s, &d), FW_ETAMPERED);
	meddle("DROP TABLE test_part; DROP TABLE test_item; DELETE FROM store_migration WHERE module = 'test'");
	const struct store_options no = { .url = url, .role = STORE_ROLE_TEST, .vault = "test" };
	diag_clear(&d);
	assert_int_equal(store_open(&no, &s, &d), FW_EINVALID);
	assert_non_null(strstr(d.text, "older program"));
	assert_int_equal(open_it(&s, NULL), 0); /* and from nothing again */
	store_close(s);
}

static void test_addresses_that_lead_nowhere(void **state)
{
	struct store *s = NULL;
	(void)state;
	struct store_options opt = { .url = "sqlite:/nonexistent/x.db", .role = STORE_ROLE_TEST, .vault = "test" };
	struct diag d = DIAG_INIT;
	assert_int_equal(store_open(&opt, &s, &d), FW_ENOTFOUND);
	opt.url = "mysql://x";
	assert_int_equal(store_open(&opt, &s, NULL), FW_EINVALID);
	opt.url = url;
	opt.vault = "nonsense";
	assert_int_equal(store_open(&opt, &s, NULL), FW_EINVALID);
	opt.vault = "strategic"; /* this file belongs to another vault */
	assert_int_equal(store_open(&opt, &s, NULL), FW_EINVALID);
}

static void test_a_backup_is_whole_and_new(void **state)
{
	struct store *s = *state, *copy = NULL;
	char path[120], copy_url[140];
	if (on_pg) {
		assert_int_equal(store_backup_sqlite(s, "/nonexistent", NULL, NULL, NULL), FW_EINVALID);
		return;
	}
	(void)snprintf(path, sizeof(path), "%s/copy.db", folder);
	(void)snprintf(copy_url, sizeof(copy_url), "sqlite:%s", path);
	assert_int_equal(store_backup_sqlite(s, path, NULL, NULL, NULL), 0);
	assert_true(store_backup_sqlite(s, path, NULL, NULL, NULL) != 0); /* never over another file */
	const struct store_options opt = { .url = copy_url, .role = STORE_ROLE_TEST, .vault = "test" };
	assert_int_equal(store_open(&opt, &copy, NULL), 0);
	assert_int_equal(count(copy), count(s));
	assert_int_equal(store_check(copy, NULL), 0);
	store_close(copy);
	assert_int_equal(store_maintain(s, NULL), 0);
}

static int set_up(void **state)
{
	struct store *s = NULL;
	const char *pg = getenv("FAIRWAY_TEST_PG");
	on_pg = pg != NULL;
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(url, sizeof(url), "%s%s%s", on_pg ? pg : "sqlite:", on_pg ? "" : folder, on_pg ? "" : "/test.db");
	int err = open_it(&s, NULL);
	*state = s;
	return err;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "test.db", "test.db-wal", "test.db-shm", "copy.db", "copy.db-wal", "copy.db-shm" };
	store_close(*state);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[120];
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types_and_nulls),
		cmocka_unit_test(test_a_role_runs_its_own_statements_only),
		cmocka_unit_test(test_transactions_run_again_or_leave_nothing),
		cmocka_unit_test(test_no_update_is_lost),
		cmocka_unit_test(test_late_errors_are_not_lost),
		cmocka_unit_test(test_many_statements_in_one_transaction),
		cmocka_unit_test(test_a_part_may_fail_alone),
		cmocka_unit_test(test_an_overlooked_error_keeps_nothing),
		cmocka_unit_test(test_what_neither_engine_takes_is_refused_before),
		cmocka_unit_test(test_rules_of_the_schema_hold),
		cmocka_unit_test(test_a_backup_is_whole_and_new),
		cmocka_unit_test(test_addresses_that_lead_nowhere),
		cmocka_unit_test(test_a_newer_program_was_here),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
