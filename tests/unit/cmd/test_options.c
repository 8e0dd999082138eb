/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Command lines against commands.tbl: what is understood, and in which words the rest is refused. */
#include "test.h"

#include "base/arena.h"
#include "base/err.h"
#include "cmd/cmd.h"

static int parse(struct cmd_context *c, struct diag *d, const char *line)
{
	static char copy[400];
	char *argv[32] = { (char *)"fairway" };
	int n = 1;
	(void)snprintf(copy, sizeof(copy), "%s", line);
	for (char *p = copy; *p != '\0' && n < 31;) {
		argv[n++] = p;
		p += strcspn(p, " ");
		if (*p != '\0')
			*p++ = '\0';
	}
	*c = (struct cmd_context){ .mem = NULL };
	*d = DIAG_INIT;
	return cmd_parse(n, argv, c, d);
}

static void test_what_is_understood(void **state)
{
	(void)state;
	struct cmd_context c;
	struct diag d;
	assert_int_equal(parse(&c, &d, "report import --layout mmp a.csv -q"), 0);
	assert_int_equal(c.row->cmd, CMD_REPORT_IMPORT);
	assert_string_equal(cmd_option(&c, "layout"), "mmp");
	assert_string_equal(cmd_argument(&c, 0), "a.csv");
	assert_true(cmd_flag(&c, "quiet"));
	assert_false(cmd_json(&c));
	assert_int_equal(parse(&c, &d, "report export --format=csv -pstatistics -o out.csv --json"), 0);
	assert_string_equal(cmd_option(&c, "format"), "csv");
	assert_string_equal(cmd_option(&c, "purpose"), "statistics");
	assert_string_equal(cmd_option(&c, "output"), "out.csv");
	assert_int_equal(parse(&c, &d, "report import -- --odd"), 0);
	assert_string_equal(cmd_argument(&c, 0), "--odd");
	assert_int_equal(parse(&c, &d, "report import -"), 0);
	assert_string_equal(cmd_argument(&c, 0), "-");
	const char *all[4];
	assert_int_equal(parse(&c, &d, "backup d -o out --vault house --vault protection"), 0);
	assert_int_equal(cmd_option_all(&c, "vault", all, 4), 2);
	assert_string_equal(all[1], "protection");
	assert_int_equal(cmd_option_int(&c, "limit", 7), 7);
	assert_int_equal(parse(&c, &d, "--version"), 0);
	assert_int_equal(c.row->cmd, CMD_VERSION);
	assert_int_equal(parse(&c, &d, "report --help"), 0);
	assert_int_equal(parse(&c, &d, "report import --help"), 0); /* the file is not asked for */
}

static void test_what_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *line, *words;
	} rows[] = {
		{ "", "a command is missing" },
		{ "nonsense", "there is no command \"nonsense\"" },
		{ "report", "needs a verb" },
		{ "report frob", "no verb \"frob\"" },
		{ "report import", "FILE is missing" },
		{ "report import a b", "one word too many" },
		{ "report import a --nonsense", "no option --nonsense" },
		{ "report import a --lay x", "no option --lay" },
		{ "report import a -z", "no option -z" },
		{ "report import a --quiet=1", "takes no value" },
		{ "report import a --layout", "needs a value" },
		{ "report import a --quiet --quiet", "given twice" },
		{ "report list --limit 0", "whole number from 1" },
		{ "report list --limit 1x", "whole number" },
		{ "report list --limit 99999999999999999999", "whole number" },
		{ "report list --sort up", "takes one of date" },
		{ "report list --from 202", "takes 4 to 10 bytes" },
		{ "report export --format csv", "--purpose is missing" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cmd_context c;
		struct diag d;
		assert_int_equal(parse(&c, &d, rows[i].line), FW_EINVALID);
		if (strstr(d.text, rows[i].words) == NULL)
			fail_msg("\"%s\" gave \"%s\"", rows[i].line, d.text);
	}
}

static void test_every_error_has_its_exit_status(void **state)
{
	(void)state;
	assert_int_equal(cmd_exit_of(0), FW_EXIT_OK);
	assert_int_equal(cmd_exit_of(FW_EAUTH), FW_EXIT_LOGIN);
	assert_int_equal(cmd_exit_of(FW_EDENIED), FW_EXIT_DENIED);
	assert_int_equal(cmd_exit_of(FW_EGONE), FW_EXIT_UNREACHABLE);
	assert_int_equal(cmd_exit_of(FW_ETAMPERED), FW_EXIT_UNVERIFIED);
	assert_int_equal(cmd_exit_of(-5), FW_EXIT_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_understood),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_every_error_has_its_exit_status),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
