/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The server is stopped without warning and comes back, again and again, under
 * a writer: what was acknowledged is there, and nothing twice.  Run under
 * with_postgres.py.
 */
#include "test.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "gen/sql.h"
#include "store/store.h"

enum { STOPS = 4 };

static const char *url;

static struct uuid key_of(int n)
{
	return (struct uuid){ { 3, [13] = (uint8_t)(n >> 16), [14] = (uint8_t)(n >> 8), [15] = (uint8_t)n } };
}

static int open_it(struct store **ret, struct diag *d)
{
	const struct store_options opt = { .url = url, .role = STORE_ROLE_TEST, .vault = "test", .migrate = true };
	return store_open(&opt, ret, d);
}

static void pause_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
	(void)nanosleep(&t, NULL);
}

static struct store *open_patiently(void)
{
	struct store *s = NULL;
	struct diag d = DIAG_INIT;
	for (int i = 0; i < 400 && s == NULL; i++) {
		diag_clear(&d);
		if (open_it(&s, &d) != 0)
			pause_ms(25);
	}
	if (s == NULL)
		(void)fprintf(stderr, "# cannot open: %s\n", d.text);
	return s;
}

static int add_item(struct store *s, const struct uuid *id, int64_t i, struct diag *d)
{
	const struct store_value args[] = { sv_uuid(id), sv_int(i), sv_null(), sv_null(), sv_null(), sv_null() };
	return store_exec(s, SQL_TEST_ITEM_ADD, args, 6, NULL, d);
}

static int read_item(struct store *s, const struct uuid *id, int64_t *ret, struct diag *d)
{
	struct store_rows *r = NULL;
	const struct store_value args[] = { sv_uuid(id) };
	int err = store_one(s, SQL_TEST_ITEM_GET, args, 1, &r, d);
	if (err == 0)
		*ret = store_int(r, 1);
	store_rows_close(r);
	return err;
}

struct looked {
	const struct uuid *key;
	bool there;
};

static int look(struct store *s, void *arg, struct diag *d)
{
	struct looked *l = arg;
	int64_t i;
	int err = read_item(s, l->key, &i, d);
	l->there = err == 0;
	return err == FW_ENOTFOUND ? 0 : err;
}

/* After an unknown outcome: look by the key, as long as it takes. */
static bool is_there(struct store *s, const struct uuid *key)
{
	struct looked l = { .key = key };
	for (int i = 0; i < 400 && store_tx(s, STORE_READ, look, &l, NULL) != 0; i++)
		pause_ms(25);
	return l.there;
}

/* Until it is done; false if the store says something that it must not. */
static bool do_surely(struct store *s, store_tx_fn *fn, void *arg, const struct uuid *key)
{
	for (int i = 0; i < 400; i++) {
		struct diag d = DIAG_INIT;
		int err = store_tx(s, STORE_WRITE, fn, arg, &d);
		if (err == 0)
			return true;
		if (err == FW_EUNKNOWNOUTCOME) {
			if (is_there(s, key))
				return true;
		} else if (err == FW_EBUSY) {
			pause_ms(25);
		} else {
			(void)fprintf(stderr, "# %s: %s\n", err_name(err), d.text);
			return false;
		}
	}
	return false;
}

static int add_number(struct store *s, void *arg, struct diag *d)
{
	const int *n = arg;
	struct uuid key = key_of(*n);
	return add_item(s, &key, *n, d);
}

/* In a process of its own: stop the server as a power cut would, and start it. */
static int stop_and_start(const char *ctl)
{
	char command[1000];
	(void)snprintf(command, sizeof(command), "cd /tmp && %s -m immediate restart >/dev/null 2>&1", ctl);
	int failed = 0;
	for (int i = 0; i < STOPS && failed == 0; i++) {
		pause_ms(400);
		failed = system(command);
	}
	return failed != 0;
}

static void test_a_server_that_stops_without_warning(void **state)
{
	(void)state;
	const char *ctl = getenv("FAIRWAY_TEST_PG_CTL");
	assert_non_null(ctl);
	struct store *s = open_patiently();
	assert_non_null(s);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(stop_and_start(ctl));
	int kept = 0, status = -1;
	for (; waitpid(pid, &status, WNOHANG) == 0; kept++) {
		struct uuid key = key_of(kept);
		assert_true(do_surely(s, add_number, &kept, &key));
	}
	assert_int_equal(status, 0);
	store_close(s);
	s = open_patiently();
	assert_non_null(s);
	for (int n = 0; n < kept; n++) {
		struct uuid key = key_of(n);
		int64_t i = -1;
		assert_int_equal(read_item(s, &key, &i, NULL), 0);
		assert_int_equal(i, n);
	}
	print_message("# %d transactions across %d stops\n", kept, STOPS);
	assert_true(kept > 2 * STOPS);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_server_that_stops_without_warning),
	};
	url = getenv("FAIRWAY_TEST_PG");
	if (url == NULL) {
		(void)puts("1..0 # SKIP no PostgreSQL: run this under with_postgres.py");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
