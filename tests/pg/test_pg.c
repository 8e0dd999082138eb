/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What is PostgreSQL's alone: servers that are refused, addresses, connections
 * that are lost or in a state that nobody can vouch for, binary numbers, and libpq without memory.
 */
#include "pg_help.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>

#include "base/arena.h"
#include "store/store_pg_int.h"

static const char *url;

/* ---- the n-th allocation of anybody: libpq has an allocator of its own ---- */

static unsigned heap_calls, heap_fail_at;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
enum { HEAP_FAULTS = 1 };
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static bool heap_falls(void)
{
	return heap_fail_at != 0 && ++heap_calls == heap_fail_at;
}

void *malloc(size_t n) { return heap_falls() ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return heap_falls() ? NULL : __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { return heap_falls() ? NULL : __libc_realloc(p, n); }
#else
enum { HEAP_FAULTS = 0 };
#endif

static void heap_fault_at(unsigned n)
{
	heap_calls = 0;
	heap_fail_at = n;
}

/* ---- servers ---- */

static int open_with(const char *more, struct diag *d)
{
	char at[600];
	struct store *s = NULL;
	(void)snprintf(at, sizeof(at), "%s%s", url, more);
	diag_clear(d);
	int err = open_at(at, STORE_ROLE_TEST, "test", &s, d);
	store_close(s);
	return err;
}

static void test_a_server_that_answers_too_soon_is_refused(void **state)
{
	static const char *const weak[] = { "off", "local", "remote_write" }, *const strong[] = { "on", "remote_apply" };
	struct diag d = DIAG_INIT;
	char more[80];
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(more, sizeof(more), "&options=-csynchronous_commit%%3D%s", weak[i]);
		assert_int_equal(open_with(more, &d), FW_ESTORE);
		(void)snprintf(more, sizeof(more), "the database has synchronous_commit = %s: what it acknowledges could be lost", weak[i]);
		assert_non_null(strstr(d.text, more));
	}
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(more, sizeof(more), "&options=-csynchronous_commit%%3D%s", strong[i]);
		assert_int_equal(open_with(more, &d), 0);
	}
}

/* Set a setting of the whole server and wait until new sessions have it. */
static void server_has(const char *name, const char *value)
{
	char sql[100], words[40] = "";
	(void)snprintf(sql, sizeof(sql), "ALTER SYSTEM SET %s = %s", name, value);
	tell(sql);
	tell("SELECT pg_reload_conf()");
	(void)snprintf(sql, sizeof(sql), "SHOW %s", name);
	for (int i = 0; i < 200 && strcmp(words, value) != 0; i++) {
		PGconn *c = PQconnectdb(url);
		PGresult *r = PQexec(c, sql);
		(void)snprintf(words, sizeof(words), "%s", PQgetvalue(r, 0, 0));
		PQclear(r);
		PQfinish(c);
		if (strcmp(words, value) != 0)
			pause_ms(20);
	}
	assert_string_equal(words, value);
}

static void test_a_server_that_does_not_sync_is_refused(void **state)
{
	static const char *const names[] = { "fsync", "full_page_writes" };
	struct diag d = DIAG_INIT;
	char words[60];
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		server_has(names[i], "off");
		assert_int_equal(open_with("", &d), FW_ESTORE);
		(void)snprintf(words, sizeof(words), "the database has %s = off", names[i]);
		assert_non_null(strstr(d.text, words));
		server_has(names[i], "on");
		assert_int_equal(open_with("", &d), 0);
	}
}

static void test_a_database_that_cannot_hold_every_script_is_refused(void **state)
{
	struct diag d = DIAG_INIT;
	char at[600];
	struct store *s = NULL;
	(void)state;
	tell("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
	(void)snprintf(at, sizeof(at), "postgresql:///latin%s", strchr(url, '?'));
	assert_int_equal(open_at(at, STORE_ROLE_TEST, "test", &s, &d), FW_ESTORE);
	assert_non_null(strstr(d.text, "the database's encoding is LATIN1"));
	tell("DROP DATABASE latin");
}

/* ---- addresses ---- */

static void test_an_address_holds_no_password_and_is_not_repeated(void **state)
{
	static const char *const bad[] = {
		"postgresql://fairway:hunter2@localhost/test", "postgresql:///test?password=hunter2",
		"postgresql:///test?sslpassword=hunter2", "postgresql://fairway:hunter2/x@localhost/test",
		"postgresql://fairway:hunter2@[::1/test", "postgresql://fairway:%hunter2@localhost/test",
		"postgresql://fairway:12/hunter2@localhost/test?nonsense", "postgresql:///test?hunter2=1",
		"postgresql:///test?service=hunter2",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct diag d = DIAG_INIT;
		struct store *s = NULL;
		assert_int_equal(open_at(bad[i], STORE_ROLE_TEST, "test", &s, &d), FW_EINVALID);
		assert_non_null(strstr(d.text, "the store's address"));
		assert_null(strstr(d.text, "hunter2"));
	}
	/* What reads as a port or a host there is refused by the look for it, in words of this program. */
	static const char *const odd[] = { "postgresql://fairway:99999/x", "postgresql://a,b,c,d:x/test" };
	struct arena *mem = arena_new(1 << 16);
	for (size_t i = 0; i < 2; i++) {
		struct store_reach r;
		struct diag d = DIAG_INIT;
		assert_true(store_reach(odd[i], mem, &r, &d) < 0);
	}
	arena_free(mem);
}

static void test_what_an_address_reaches(void **state)
{
	static const struct {
		const char *at;
		bool connects, by_socket;
		unsigned port[3];
		const char *file[3], *ends;
	} rows[] = {
		{ "sqlite:/x/y.db", false, false, { 0 }, { NULL }, "/y.db" },
		{ "postgresql:///db?user=u", true, true, { 0 }, { NULL }, "user=u" },
		{ "postgresql:///db?host=/run/pg&user=u&port=5433", true, true, { 0 }, { NULL }, "port=5433" },
		{ "postgresql://u@%2Frun%2Fpg/db", true, true, { 0 }, { NULL }, "/db" },
		{ "postgresql://u@127.0.0.1/db", true, false, { 5432 }, { NULL }, "?hostaddr=127.0.0.1" },
		{ "postgresql://u@[::1]:6000/db?sslmode=disable", true, false, { 6000 }, { NULL }, "&hostaddr=::1" },
		{ "postgresql://u@127.0.0.1:1,127.0.0.2:2,127.0.0.3:1/db", true, false, { 1, 2 }, { NULL },
		  "?hostaddr=127.0.0.1,127.0.0.2,127.0.0.3" },
		{ "postgresql://u@/db?host=/run/pg,127.0.0.1&port=7", true, true, { 7 }, { NULL }, "&hostaddr=,127.0.0.1" },
		{ "postgresql://u@h/db?hostaddr=192.0.2.1&passfile=/etc/p%20w&sslrootcert=/etc/ca", true, false, { 5432 },
		  { "/etc/p w", "/etc/ca" }, "sslrootcert=/etc/ca" },
	};
	struct arena *mem = arena_new(1 << 16);
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct store_reach r;
		struct diag d = DIAG_INIT;
		if (store_reach(rows[i].at, mem, &r, &d) != 0)
			fail_msg("%s: %s", rows[i].at, d.text);
		assert_int_equal(r.connects, rows[i].connects);
		assert_int_equal(r.unix_socket, rows[i].by_socket);
		for (size_t k = 0; k < 3; k++) {
			assert_int_equal(r.port[k], rows[i].port[k]);
			assert_true((r.file[k] == NULL) == (rows[i].file[k] == NULL));
			if (r.file[k] != NULL)
				assert_string_equal(r.file[k], rows[i].file[k]);
		}
		if (strlen(r.url) < strlen(rows[i].ends) || strcmp(r.url + strlen(r.url) - strlen(rows[i].ends), rows[i].ends) != 0)
			fail_msg("%s leads to %s", rows[i].at, r.url);
		arena_reset(mem);
	}
	struct store_reach r;
	struct diag d = DIAG_INIT;
	assert_int_equal(store_reach("postgresql://u@nowhere.invalid/db?sslrootcert=/etc/ca", mem, &r, &d), FW_ENOTFOUND);
	arena_free(mem);
}

static void test_what_leaves_the_machine_is_verified(void **state)
{
	static const struct {
		const char *host, *more, *words;
	} rows[] = {
		{ "192.0.2.1", "", "sslrootcert=FILE" },
		{ "192.0.2.1", "sslrootcert=ca.pem", "sslrootcert=FILE" },
		{ "192.0.2.1", "sslrootcert=/etc/ca", NULL },
		{ "192.0.2.1", "sslrootcert=/etc/ca&sslmode=verify-full", NULL },
		{ "192.0.2.1", "sslrootcert=/etc/ca&sslmode=verify-ca", "sslmode=verify-full" },
		{ "192.0.2.1", "sslrootcert=/etc/ca&sslmode=require", "sslmode=verify-full" },
		{ "192.0.2.1", "sslrootcert=/etc/ca&sslmode=prefer", "sslmode=verify-full" },
		{ "192.0.2.1", "sslmode=disable", "sslmode=verify-full" },
		{ "192.0.2.1", "sslrootcert=/etc/ca&gssencmode=prefer", "gssencmode" },
		{ "[2001:db8::1]", "sslmode=disable", "sslmode=verify-full" },
		{ "127.0.0.1,192.0.2.1", "sslmode=disable", "sslmode=verify-full" },
		{ "192.0.2.1,127.0.0.1", "sslmode=disable", "sslmode=verify-full" },
		{ "1270.0.0.1", "sslmode=disable", "sslmode=verify-full" },
		{ "127.0.0.1.example", "sslmode=disable", "sslmode=verify-full" },
		{ "localhost.example", "sslmode=disable", "sslmode=verify-full" },
		{ "127.0.0.1", "hostaddr=192.0.2.1&sslmode=disable", "sslmode=verify-full" },
		{ "", "hostaddr=192.0.2.1&sslmode=disable", "sslmode=verify-full" },
		{ "127.0.0.1", "sslmode=disable", NULL },
		{ "127.5.5.5", "sslmode=prefer", NULL },
		{ "[::1]", "sslmode=disable", NULL },
		{ "localhost", "sslmode=disable", NULL },
		{ "%2Frun", "sslmode=disable", NULL },
		{ "", "sslmode=disable", NULL },
	};
	struct arena *mem = arena_new(1 << 16);
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char at[300];
		struct store_reach r;
		struct diag d = DIAG_INIT;
		(void)snprintf(at, sizeof(at), "postgresql://%s/db?user=u&%s", rows[i].host, rows[i].more);
		int err = store_reach(at, mem, &r, &d);
		if (rows[i].words == NULL ? err != 0 : err != FW_EINVALID || strstr(d.text, rows[i].words) == NULL)
			fail_msg("%s: %s %s", at, err_name(err), d.text);
	}
	arena_free(mem);
}

/* ---- connections ---- */

static void cut(void)
{
	tell("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fairway'");
}

static void test_a_lost_connection_is_made_again_and_looked_at_again(void **state)
{
	struct store *s = *state;
	struct uuid id[4] = { uuid_new(), uuid_new(), uuid_new(), uuid_new() };
	struct diag d = DIAG_INIT;
	int64_t before = count_items(s);
	cut();
	assert_int_equal(store_tx(s, STORE_WRITE, add_one_item, &id[0], &d), 0);
	assert_int_equal(d.code, 0);
	cut();
	assert_int_equal(add_item(s, &id[1], 1, NULL), FW_EUNKNOWNOUTCOME); /* outside a transaction nobody may run it again */
	assert_int_equal(add_item(s, &id[1], 1, NULL), 0);
	tell("ALTER DATABASE test SET synchronous_commit = off");
	cut();
	/* Refused, and however often it is asked: not refused once and used the next time. */
	for (int i = 0; i < 3; i++) {
		diag_clear(&d);
		assert_int_equal(store_tx(s, STORE_WRITE, add_one_item, &id[2], &d), FW_ESTORE);
		assert_non_null(strstr(d.text, "synchronous_commit = off"));
		assert_true(add_item(s, &id[2], 1, NULL) < 0);
	}
	tell("ALTER DATABASE test RESET synchronous_commit");
	assert_int_equal(store_tx(s, STORE_WRITE, add_one_item, &id[3], NULL), 0);
	assert_int_equal(count_items(s), before + 3);
}

static void test_what_the_server_promised_holds_for_the_session(void **state)
{
	struct pg_store *s = pg_of(*state);
	server_has("synchronous_commit", "off");
	PGresult *r = PQexec(s->conn, "SHOW synchronous_commit");
	assert_string_equal(PQgetvalue(r, 0, 0), "on");
	PQclear(r);
	server_has("synchronous_commit", "on");
}

struct cut_once {
	struct uuid id;
	int tries;
};

static int is_cut_once(struct store *s, void *arg, struct diag *d)
{
	struct cut_once *c = arg;
	int err = add_item(s, &c->id, 1, d);
	int64_t i;
	if (c->tries++ == 0)
		cut();
	return err != 0 ? err : read_item(s, &c->id, &i, d);
}

static void test_a_transaction_that_loses_its_connection_runs_again(void **state)
{
	struct cut_once c = { .id = uuid_new() };
	int64_t before = count_items(*state);
	assert_int_equal(store_tx(*state, STORE_WRITE, is_cut_once, &c, NULL), 0);
	assert_int_equal(c.tries, 2);
	assert_int_equal(count_items(*state), before + 1);
}

static int is_cut_in_a_part(struct store *s, void *arg, struct diag *d)
{
	struct cut_once *c = arg;
	int64_t i;
	int err = store_savepoint(s, d);
	if (err != 0)
		return err;
	if (c->tries++ == 0)
		cut();
	err = read_item(s, &c->id, &i, d);
	if (err == FW_ENOTFOUND)
		err = add_item(s, &c->id, 1, d);
	if (err == 0)
		return store_savepoint_release(s, d);
	int back = store_savepoint_rollback(s, d);
	return back != 0 ? back : 0; /* a caller that believes the part alone has failed */
}

static void test_a_part_that_loses_the_connection_is_not_undone_alone(void **state)
{
	struct cut_once c = { .id = uuid_new() };
	int64_t before = count_items(*state);
	assert_int_equal(store_tx(*state, STORE_WRITE, is_cut_in_a_part, &c, NULL), 0);
	assert_int_equal(c.tries, 2);
	assert_int_equal(count_items(*state), before + 1);
}

/* What an earlier transaction left behind must not be kept by the next. */
static void test_no_transaction_inherits_another(void **state)
{
	struct pg_store *s = pg_of(*state);
	struct uuid id = uuid_new();
	int64_t before = count_items(*state);
	PQclear(PQexec(s->conn, "BEGIN; INSERT INTO test_item (id) VALUES (gen_random_uuid())"));
	assert_int_equal(store_tx(*state, STORE_WRITE, add_one_item, &id, NULL), 0);
	assert_int_equal(count_items(*state), before + 1);
	PQclear(PQexec(s->conn, "BEGIN; SELECT 1/0"));
	id = uuid_new();
	assert_int_equal(store_tx(*state, STORE_WRITE, add_one_item, &id, NULL), 0);
	assert_int_equal(count_items(*state), before + 2);
}

static void test_statements_that_the_server_forgot_are_made_again(void **state)
{
	struct pg_store *s = pg_of(*state);
	struct uuid id = uuid_new(), other = uuid_new();
	assert_int_equal(store_tx(*state, STORE_WRITE, add_one_item, &id, NULL), 0);
	PQclear(PQexec(s->conn, "DEALLOCATE ALL"));
	assert_int_equal(store_tx(*state, STORE_WRITE, add_one_item, &other, NULL), 0);
}

static int reads_nothing(struct store *s, void *arg, struct diag *d)
{
	(void)s;
	(void)arg;
	(void)d;
	return 0;
}

static void test_a_server_that_takes_no_writes_is_left(void **state)
{
	struct pg_store *s = pg_of(*state);
	struct uuid id = uuid_new();
	PQclear(PQexec(s->conn, "SET default_transaction_read_only = on; SET transaction_read_only = on"));
	assert_int_equal(store_tx(*state, STORE_READ, reads_nothing, NULL, NULL), 0);
	assert_int_equal(store_tx(*state, STORE_WRITE, add_one_item, &id, NULL), 0);
}

static void test_a_server_that_falls_silent_is_left(void **state)
{
	struct pg_store *s = pg_of(*state);
	struct uuid id = uuid_new(), other = uuid_new();
	assert_int_equal(store_tx(*state, STORE_WRITE, add_one_item, &id, NULL), 0);
	int pid = PQbackendPID(s->conn);
	if (kill(pid, SIGSTOP) != 0)
		SKIP_TEST("the server is another user's");
	s->silence = USEC_PER_SEC / 5;
	assert_int_equal(store_tx(*state, STORE_WRITE, add_one_item, &other, NULL), 0);
	assert_true(PQbackendPID(s->conn) != pid);
	(void)kill(pid, SIGCONT);
}

/* ---- many rows ---- */

enum { MANY = 2500, PART = 1000 };

struct walk {
	int64_t rows, least;
	int stop, tries;
	bool cut;
};

/* Through all of them, or ${stop}, with other statements between; no more than a part ever lies here. */
static int walks(struct store *s, void *arg, struct diag *d)
{
	struct walk *w = arg;
	struct store_rows *r = NULL;
	const struct store_value args[] = { sv_int(w->least) };
	int64_t last = w->least - 1, other;
	struct uuid id = uuid_new();
	w->rows = 0;
	w->tries++;
	int err = add_item(s, &id, -1, d); /* without waiting */
	if (err == 0)
		err = store_query(s, SQL_TEST_ITEM_MANY, args, 1, &r, d);
	assert_true(err != 0 || store_columns(r) == 2);
	while (err == 0 && w->rows != w->stop && (err = store_next(r, d)) == 1) {
		assert_true(PQntuples(((struct pg_rows *)r)->res) <= PART);
		assert_true(store_int(r, 1) == last + 1);
		last = store_int(r, 1);
		err = w->rows++ % 300 == 0 ? read_item(s, &id, &other, d) : 0;
		if (w->cut && w->tries == 1 && w->rows == PART / 2)
			cut();
	}
	store_rows_close(r);
	return err;
}

static int adds_many(struct store *s, void *arg, struct diag *d)
{
	int err = 0;
	(void)arg;
	for (int64_t i = 0; err == 0 && i < MANY; i++) {
		struct uuid id = uuid_new();
		err = add_item(s, &id, 1000000 + i, d);
	}
	return err;
}

static int walks_twice(struct store *s, void *arg, struct diag *d)
{
	struct walk first = { .least = 1000000, .stop = 10 }, *second = arg;
	int err = walks(s, &first, d);
	if (err == 0)
		err = store_savepoint(s, d);
	if (err == 0)
		err = walks(s, &first, d);
	if (err == 0)
		err = store_savepoint_rollback(s, d);
	return err == 0 ? walks(s, second, d) : err;
}

/* What failed before a walk was left is heard of. */
static int fails_and_walks(struct store *s, void *arg, struct diag *d)
{
	struct store_rows *r = NULL;
	const struct store_value args[] = { sv_int(1000000) };
	struct uuid id = uuid_new();
	int err = store_query(s, SQL_TEST_ITEM_MANY, args, 1, &r, d);
	(void)arg;
	for (int i = 0; err == 0 && i < 2; i++)
		err = add_item(s, &id, 1, d); /* the same key twice */
	store_rows_close(r);
	return err;
}

static void test_many_rows_come_in_parts(void **state)
{
	struct store *s = *state;
	struct walk all = { .least = 1000000, .stop = -1 }, cut_off = all, none = { .least = 9000000, .stop = -1 },
		    again = all, exactly = { .least = 1000000 + MANY - 2 * PART, .stop = -1 };
	assert_int_equal(store_tx(s, STORE_WRITE, adds_many, NULL, NULL), 0);
	assert_int_equal(store_tx(s, STORE_WRITE, walks, &all, NULL), 0);
	assert_int_equal(all.rows, MANY);
	assert_int_equal(store_tx(s, STORE_WRITE, walks, &none, NULL), 0);
	assert_int_equal(none.rows, 0);
	assert_int_equal(store_tx(s, STORE_WRITE, walks, &exactly, NULL), 0);
	assert_int_equal(exactly.rows, 2 * PART);
	assert_int_equal(store_tx(s, STORE_WRITE, walks_twice, &again, NULL), 0);
	assert_int_equal(again.rows, MANY);
	cut_off.cut = true;
	assert_int_equal(store_tx(s, STORE_WRITE, walks, &cut_off, NULL), 0);
	assert_int_equal(cut_off.rows, MANY);
	assert_int_equal(cut_off.tries, 2);
	assert_int_equal(store_tx(s, STORE_WRITE, fails_and_walks, NULL, NULL), FW_ECONSTRAINT);
}

/* ---- memory ---- */

struct busy {
	struct uuid id;
	bool there;
};

static int does_something(struct store *s, void *arg, struct diag *d)
{
	struct busy *b = arg;
	int64_t i;
	int err = add_item(s, &b->id, 1, d);
	if (err == 0)
		err = store_savepoint(s, d);
	const struct store_value part[] = { sv_uuid(&b->id), sv_int(1) };
	if (err == 0 && (err = store_exec(s, SQL_TEST_PART_ADD, part, 2, NULL, d)) == 0)
		err = store_savepoint_release(s, d);
	return err == 0 ? read_item(s, &b->id, &i, d) : err;
}

static int looks(struct store *s, void *arg, struct diag *d)
{
	struct busy *b = arg;
	int64_t i;
	int err = read_item(s, &b->id, &i, d);
	b->there = err == 0;
	return err == FW_ENOTFOUND ? 0 : err;
}

struct tally {
	unsigned kept, unknown, refused;
};

/* The ${n}-th allocation of a transaction fails; false when there were fewer. */
static bool without_memory(struct store *s, unsigned n, struct tally *t)
{
	struct busy b = { .id = uuid_new() };
	(void)alarm(20);
	heap_fault_at(n);
	int err = store_tx(s, STORE_WRITE, does_something, &b, NULL);
	bool hit = heap_calls >= n;
	heap_fault_at(0);
	assert_int_equal(store_tx(s, STORE_READ, looks, &b, NULL), 0);
	if (err != FW_EUNKNOWNOUTCOME && b.there != (err == 0))
		fail_msg("allocation %u: %s, and it is %sthere", n, err_name(err), b.there ? "" : "not ");
	t->kept += err == 0;
	t->unknown += err == FW_EUNKNOWNOUTCOME;
	t->refused += err != 0 && err != FW_EUNKNOWNOUTCOME;
	(void)alarm(0);
	return hit;
}

static void test_libpq_without_memory(void **state)
{
	struct store *s = *state;
	struct tally t = { 0 };
	unsigned n = 1, m = 1;
	if (!HEAP_FAULTS)
		SKIP_TEST("the sanitizer owns the heap");
	pg_of(s)->silence = USEC_PER_SEC / 5;
	while (without_memory(s, n, &t))
		n++;
	for (bool hit = true; hit; m++) {
		pg_of(s)->usable = false; /* so that it connects again first */
		hit = without_memory(s, m, &t);
	}
	print_message("# %u and %u allocations failed: %u kept, %u of unknown outcome, %u refused\n", n - 1, m - 2, t.kept,
		      t.unknown, t.refused);
	assert_true(n > 10 && m > n + 20 && t.unknown > 0 && t.refused > 0);
}

/* ---- numbers ---- */

static PGresult *ask(PGconn *c, const char *sql)
{
	PGresult *r = PQexecParams(c, sql, 0, NULL, NULL, NULL, NULL, 1);
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(c));
	return r;
}

static void expect_number(PGconn *c, const char *number, int64_t i, double r)
{
	char sql[200];
	(void)snprintf(sql, sizeof(sql), "SELECT %s", number);
	struct pg_rows rows = { .res = ask(c, sql), .at = 0 };
	if (pg_int(&rows.base, 0) != i || pg_real(&rows.base, 0) != r)
		fail_msg("%s reads as %" PRId64 " and %.17g", number, pg_int(&rows.base, 0), pg_real(&rows.base, 0));
	PQclear(rows.res);
}

static void test_numbers_of_every_type(void **state)
{
	PGconn *c = pg_of(*state)->conn;
	struct prop p = { 5 };
	char text[100];
	expect_number(c, "1::int2", 1, 1);
	expect_number(c, "-7::int4", -7, -7);
	expect_number(c, "true", 1, 1);
	expect_number(c, "NULL::int8", 0, 0);
	expect_number(c, "'9223372036854775807'::int8", INT64_MAX, 0x1p63);
	expect_number(c, "'-9223372036854775808'::numeric", INT64_MIN, -0x1p63);
	expect_number(c, "'-9223372036854775809'::numeric", INT64_MIN, -0x1p63);
	expect_number(c, "'9223372036854775807'::numeric", INT64_MAX, 0x1p63);
	expect_number(c, "1e30::numeric", INT64_MAX, 1e30);
	expect_number(c, "0::numeric", 0, 0);
	expect_number(c, "20000::numeric", 20000, 20000);
	expect_number(c, "0.00012::numeric", 0, 0.00012);
	expect_number(c, "-12345.5::numeric", -12345, -12345.5);
	expect_number(c, "'NaN'::numeric", 0, 0);
	expect_number(c, "'Infinity'::numeric", 0, 0);
	expect_number(c, "'-Infinity'::float8", INT64_MIN, strtod("-inf", NULL));
	expect_number(c, "2.75::float8", 2, 2.75);
	expect_number(c, "'text'::text", 0, 0);
	for (unsigned n = 0; n < prop_rounds(200); n++) {
		int64_t v = (int64_t)prop_u64(&p) >> prop_below(&p, 63);
		(void)snprintf(text, sizeof(text), "'%" PRId64 "'::numeric", v);
		expect_number(c, text, v, (double)v);
		(void)snprintf(text, sizeof(text), "avg(x) FROM (VALUES ('%" PRId64 "'::int8), ('%" PRId64 "'::int8)) t(x)", v / 4, v / 4);
		expect_number(c, text, v / 4, (double)(v / 4));
	}
}

static void test_bytes_that_are_not_as_long_as_their_type(void **state)
{
	PGconn *c = pg_of(*state)->conn;
	static const Oid types[] = { 16, 20, 21, 23, 701, 1700 };
	uint8_t bytes[24];
	struct prop p = { 6 };
	for (unsigned n = 0; n < prop_rounds(3000); n++) {
		PGresult *res = PQmakeEmptyPGresult(c, PGRES_TUPLES_OK);
		PGresAttDesc column = { .name = (char *)(uintptr_t)"x", .format = 1, .typid = types[prop_below(&p, 6)] };
		size_t len = prop_below(&p, sizeof(bytes));
		prop_bytes(&p, bytes, sizeof(bytes));
		assert_int_equal(PQsetResultAttrs(res, 1, &column), 1);
		/* In memory of its own, so that a sanitizer sees a byte too far. */
		assert_int_equal(PQsetvalue(res, 0, 0, (char *)bytes, (int)len), 1);
		struct pg_rows rows = { .res = res, .at = 0 };
		(void)pg_int(&rows.base, 0);
		(void)pg_real(&rows.base, 0);
		PQclear(res);
	}
}

static int up(void **state)
{
	struct store *s = NULL;
	struct diag d = DIAG_INIT;
	if (open_at(url, STORE_ROLE_TEST, "test", &s, &d) != 0)
		fail_msg("%s", d.text);
	*state = s;
	return 0;
}

static int down(void **state)
{
	store_close(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_server_that_answers_too_soon_is_refused),
		cmocka_unit_test(test_a_server_that_does_not_sync_is_refused),
		cmocka_unit_test(test_a_database_that_cannot_hold_every_script_is_refused),
		cmocka_unit_test(test_an_address_holds_no_password_and_is_not_repeated),
		cmocka_unit_test(test_what_an_address_reaches),
		cmocka_unit_test(test_what_leaves_the_machine_is_verified),
		cmocka_unit_test_setup_teardown(test_a_lost_connection_is_made_again_and_looked_at_again, up, down),
		cmocka_unit_test_setup_teardown(test_what_the_server_promised_holds_for_the_session, up, down),
		cmocka_unit_test_setup_teardown(test_a_transaction_that_loses_its_connection_runs_again, up, down),
		cmocka_unit_test_setup_teardown(test_a_part_that_loses_the_connection_is_not_undone_alone, up, down),
		cmocka_unit_test_setup_teardown(test_no_transaction_inherits_another, up, down),
		cmocka_unit_test_setup_teardown(test_statements_that_the_server_forgot_are_made_again, up, down),
		cmocka_unit_test_setup_teardown(test_a_server_that_takes_no_writes_is_left, up, down),
		cmocka_unit_test_setup_teardown(test_a_server_that_falls_silent_is_left, up, down),
		cmocka_unit_test_setup_teardown(test_many_rows_come_in_parts, up, down),
		cmocka_unit_test_setup_teardown(test_numbers_of_every_type, up, down),
		cmocka_unit_test_setup_teardown(test_bytes_that_are_not_as_long_as_their_type, up, down),
		cmocka_unit_test_setup_teardown(test_libpq_without_memory, up, down),
	};
	url = getenv("FAIRWAY_TEST_PG");
	if (url == NULL) {
		(void)puts("1..0 # SKIP no PostgreSQL: run this under with_postgres.py");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
