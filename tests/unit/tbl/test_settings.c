/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "text/near.h"
#include "tbl/settings.h"

#define LEAST "[node]\nname = Post 7\norigin = fairway.example/7\n"

static struct arena *mem;

static int parse(const char *text, struct settings *s, struct diag *d)
{
	return settings_parse("/etc/node/fairway.conf", text, strlen(text), mem, s, d);
}

static void refuses(const char *text, const char *place, const char *words)
{
	struct settings s = {.http_connections = 77};
	struct diag d = DIAG_INIT;
	if (parse(text, &s, &d) == 0)
		fail_msg("taken: %s", text);
	assert_string_equal(d.place, place);
	if (strstr(d.text, words) == NULL)
		fail_msg("%s: the words are \"%s\", not \"%s\"", text, d.text, words);
	assert_int_equal(s.http_connections, 77); /* nothing is set on failure */
}

static void standard_values_hold_where_nothing_is_said(void **state)
{
	(void)state;
	struct settings s;
	assert_int_equal(parse(LEAST, &s, NULL), 0);
	assert_string_equal(s.node_name, "Post 7");
	assert_string_equal(s.http_listen, "127.0.0.1:8080");
	assert_int_equal(s.http_connections, 512);
	assert_false(s.node_exercise);
	assert_int_equal(s.http_metrics, SET_HTTP_METRICS_LOCAL);
	assert_string_equal(s.ledger_auditor_file, "");
}

static void what_the_file_says(void **state)
{
	(void)state;
	struct settings s;
	assert_int_equal(
		parse("\xef\xbb\xbf# first\r\n; second\r\n\r\n" LEAST
		      "  exercise=yes  \nstate = \"  a \"b\" "
		      "\"\n[http]\nconnections\t=\t16\nmetrics = off\n"
		      "[ledger]\nauditor_file = audit/heads.txt\n[session]\nidle_minutes = 1440",
		      &s, NULL),
		0);
	assert_true(s.node_exercise);
	assert_string_equal(s.node_state, "  a \"b\" ");
	assert_int_equal(s.http_connections, 16);
	assert_int_equal(s.http_metrics, SET_HTTP_METRICS_OFF);
	assert_string_equal(s.ledger_auditor_file, "/etc/node/audit/heads.txt");
	assert_int_equal(s.session_idle_minutes, 1440);
}

static void errors_name_line_and_cure(void **state)
{
	(void)state;
	const char *const file = "/etc/node/fairway.conf";
	refuses("", file, "name is missing: write name = ... in section [node]");
	refuses("[node]\nname = x\n", file, "origin is missing");
	refuses("name = x\n", "/etc/node/fairway.conf:1", "write [name] on a line before it");
	refuses("\n\n[nodes]\n", "/etc/node/fairway.conf:3", "did you mean [node]?");
	refuses("[something]\n", "/etc/node/fairway.conf:1", "see fairway.conf(5)");
	refuses("[node\n", "/etc/node/fairway.conf:1", "closing bracket");
	refuses(LEAST "[http]\nconections = 5\n", "/etc/node/fairway.conf:5",
		"did you mean connections?");
	refuses(LEAST "[http]\nname = 5\n", "/etc/node/fairway.conf:5", "no such setting");
	refuses(LEAST "[http]\nconnections = 15\n", "/etc/node/fairway.conf:5",
		"a whole number from 16 to 65536");
	refuses(LEAST "[http]\nconnections = 65537\n", "/etc/node/fairway.conf:5",
		"from 16 to 65536");
	refuses(LEAST "[http]\nconnections = 5x\n", "/etc/node/fairway.conf:5", "from 16 to 65536");
	refuses(LEAST "[http]\nconnections = \n", "/etc/node/fairway.conf:5", "from 16 to 65536");
	refuses(LEAST "[http]\ntls = true\n", "/etc/node/fairway.conf:5", "one of no, yes");
	refuses(LEAST "[http]\nmetrics = all\n", "/etc/node/fairway.conf:5",
		"one of local, open, off");
	refuses(LEAST "name = y\n", "/etc/node/fairway.conf:4", "on line 2");
	refuses(LEAST "what is this\n", "/etc/node/fairway.conf:4", "expected key = value");
	refuses("[node]\nname =\norigin = x\n", "/etc/node/fairway.conf:2", "1 to 200 bytes");
	refuses("[node]\nname = \xff\n", "/etc/node/fairway.conf:2", "UTF-8");
	refuses("[node]\nname = a\x01\n", "/etc/node/fairway.conf:2", "on one line");
}

static void a_line_too_long_and_a_file_too_long(void **state)
{
	(void)state;
	static char text[SETTING_FILE_MAX + 100];
	memset(text, 'x', sizeof(text) - 1);
	refuses(text, "/etc/node/fairway.conf", "256 KiB");
	text[SETTING_LINE_MAX + 1] = '\0';
	refuses(text, "/etc/node/fairway.conf:1", "4,096 bytes");
}

static void a_nul_in_a_line(void **state)
{
	(void)state;
	struct settings s;
	struct diag d = DIAG_INIT;
	assert_int_equal(settings_parse("f", "[node]\nname = a\0b", 17, mem, &s, &d), FW_EFORMAT);
	assert_string_equal(d.place, "f:2");
}

static void one_setting_by_its_name(void **state)
{
	(void)state;
	struct settings s;
	assert_int_equal(parse(LEAST, &s, NULL), 0);
	assert_int_equal(settings_set(&s, "http.listen", "unix:/run/x", mem, NULL), 0);
	assert_string_equal(s.http_listen, "unix:/run/x");
	assert_int_equal(settings_set(&s, "http.listen", "a\nb", mem, NULL), FW_EINVALID);
	assert_string_equal(s.http_listen, "unix:/run/x");
	assert_int_equal(settings_set(&s, "http.connections", "1", mem, NULL), FW_EINVALID);
	assert_int_equal(s.http_connections, 512);
	assert_int_equal(settings_set(&s, "http", "1", mem, NULL), FW_ENOTFOUND);
	assert_int_equal(settings_set(&s, "http.nothing", "1", mem, NULL), FW_ENOTFOUND);
}

static void same(const struct settings *a, const struct settings *b)
{
	char x[SETTING_TEXT_MAX], y[SETTING_TEXT_MAX];
	for (int i = 0; i < SETTING_COUNT; i++) {
		setting_text(a, &setting_rows[i], x, sizeof(x));
		setting_text(b, &setting_rows[i], y, sizeof(y));
		assert_string_equal(x, y);
	}
}

/* A value of the row's own kind, by chance. */
static void any_value(struct prop *p, const struct setting_row *row, char *out, size_t cap)
{
	static const char letters[] = "ab \"'=#[];:/\\.";
	size_t n = 0;
	if (row->type == SETTING_INT) {
		(void)snprintf(
			out, cap, "%lld",
			(long long)(row->min +
				    (int64_t)prop_below(p, (uint64_t)(row->max - row->min) + 1)));
	} else if (row->type == SETTING_BOOL) {
		(void)snprintf(out, cap, "%s", prop_below(p, 2) ? "yes" : "no");
	} else if (row->type == SETTING_ENUM) {
		(void)snprintf(out, cap, "%s", row->choices[prop_below(p, 2)]);
	} else {
		size_t want =
			(size_t)row->min +
			prop_below(p,
				   (uint64_t)(row->max - row->min < 12 ? row->max - row->min : 12) +
					   1);
		out[0] = row->type == SETTING_PATH ? '/' : 'x';
		for (n = row->type == SETTING_PATH ? 1 : 0; n < want; n++)
			out[n] = letters[prop_below(p, sizeof(letters) - 1)];
		out[want == 0 ? 0 : n] = '\0';
	}
}

static void what_is_written_is_read_back(void **state)
{
	(void)state;
	struct prop p = {.state = 4711};
	for (unsigned round = 0; round < prop_rounds(300); round++) {
		struct settings s, back;
		struct buf b;
		arena_reset(mem);
		assert_int_equal(parse(LEAST, &s, NULL), 0);
		for (int i = 0; i < SETTING_COUNT; i++) {
			char value[200], name[100];
			any_value(&p, &setting_rows[i], value, sizeof(value));
			(void)snprintf(name, sizeof(name), "%s.%s", setting_rows[i].section,
				       setting_rows[i].key);
			assert_int_equal(settings_set(&s, name, value, mem, NULL), 0);
		}
		buf_init(&b, SETTING_FILE_MAX);
		settings_write(&s, &b);
		assert_false(buf_failed(&b));
		struct diag d = DIAG_INIT;
		if (settings_parse("f", b.data, b.len, mem, &back, &d) != 0)
			fail_msg("round %u of seed 4711: %s: %s", round, d.place, d.text);
		same(&s, &back);
		buf_release(&b);
	}
}

static void a_file_that_is_not_there(void **state)
{
	(void)state;
	struct settings s;
	struct diag d = DIAG_INIT;
	assert_int_equal(settings_load("/nonexistent/fairway.conf", mem, &s, &d), -ENOENT);
	assert_true(d.code != 0);
}

static void memory_that_runs_out(void **state)
{
	(void)state;
	struct settings s;
	struct arena *small = arena_new(64);
	assert_non_null(small);
	assert_int_equal(settings_parse("f", LEAST, strlen(LEAST), small, &s, NULL), -ENOMEM);
	arena_free(small);
}

/* The n-th allocation fails, for every n: an error each time, nothing set, and success once none fails. */
static void every_allocation_in_turn(void **state)
{
	(void)state;
	for (uint64_t n = 1;; n++) {
		struct settings s = { .http_connections = 77 };
		mem_fault_at(n);
		struct arena *a = arena_new(1 << 20);
		int err = a == NULL ? -ENOMEM : settings_parse("f", LEAST, strlen(LEAST), a, &s, NULL);
		bool hit = mem_fault_hit();
		mem_fault_at(0);
		arena_free(a);
		if (!hit) {
			assert_int_equal(err, 0);
			assert_true(n > 2);
			return;
		}
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(s.http_connections, 77);
	}
}

static void nearness(void **state)
{
	(void)state;
	assert_int_equal(near_distance("listen", "listen"), 0);
	assert_int_equal(near_distance("lisetn", "listen"), 1);
	assert_int_equal(near_distance("", "abc"), 3);
	assert_int_equal(near_distance("kitten", "sitting"), 3);
	assert_int_equal(near_distance("ab", "ba"), 1);
	char far[NEAR_NAME_MAX + 2];
	memset(far, 'x', sizeof(far) - 1);
	far[sizeof(far) - 1] = '\0';
	assert_int_equal(near_distance(far, far), NEAR_NAME_MAX);
	struct near n = {.name = "hose", .best_distance = 3};
	near_offer(&n, "unknown");
	assert_null(n.best);
	near_offer(&n, "horses");
	near_offer(&n, "house");
	near_offer(&n, "horses");
	assert_string_equal(n.best, "house");
}

static int start(void **state)
{
	(void)state;
	mem = arena_new(1 << 20);
	return mem == NULL;
}

static int end(void **state)
{
	(void)state;
	arena_free(mem);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(standard_values_hold_where_nothing_is_said),
		cmocka_unit_test(what_the_file_says),
		cmocka_unit_test(errors_name_line_and_cure),
		cmocka_unit_test(a_line_too_long_and_a_file_too_long),
		cmocka_unit_test(a_nul_in_a_line),
		cmocka_unit_test(one_setting_by_its_name),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(a_file_that_is_not_there),
		cmocka_unit_test(memory_that_runs_out),
		cmocka_unit_test(every_allocation_in_turn),
		cmocka_unit_test(nearness),
	};
	return cmocka_run_group_tests(tests, start, end);
}
