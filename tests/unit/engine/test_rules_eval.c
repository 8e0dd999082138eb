/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Evaluation by the book: the truth tables, and each thing a rule may hold a fact against. */
#include "rules_help.h"

#include <errno.h>

/* The values of the tables, and how a fact comes to have them. */
#define N RULES_NOT_MET
#define T RULES_MET
#define U RULES_UNKNOWN
#define D RULES_DISPUTED

static void say_status(struct rules_case *c, const struct rules_law *law, const char *fact,
		       int status)
{
	if (status == T || status == D)
		help_say(c, law, fact, 0, 0, "yes", "one", false);
	if (status == N || status == D)
		help_say(c, law, fact, 0, 0, "no", "another", false);
}

#define TWO LAW_HEAD FACT("a") FACT("b")

static void strong_kleene(void **state)
{
	(void)state;
	/* not met, met, unknown, disputed by the same */
	static const int all[4][4] = {{N, N, N, N}, {N, T, U, D}, {N, U, U, U}, {N, D, U, D}};
	static const int any[4][4] = {{N, T, U, D}, {T, T, T, T}, {U, T, U, U}, {D, T, U, D}};
	static const int not [4] = {T, N, U, D};
	for (int a = 0; a < 4; a++) {
		for (int b = 0; b < 4; b++) {
			struct arena *mem = arena_new(HELP_MEM);
			const struct rules_law *law = help_law(
				mem,
				TWO RULE("rule all", "  met if all of:\n    a\n    b")
					RULE("rule any", "  met if any of:\n    a\n    b")
						RULE("rule none", "  met if none of:\n    a\n    b")
							RULE("rule not", "  met if not a"));
			struct rules_case *c = rules_case_new(mem, law);
			say_status(c, law, "a", a);
			say_status(c, law, "b", b);
			assert_int_equal(help_find(mem, c, law, "all", 0, 0).status, all[a][b]);
			assert_int_equal(help_find(mem, c, law, "any", 0, 0).status, any[a][b]);
			assert_int_equal(help_find(mem, c, law, "none", 0, 0).status,
					 not [any[a][b]]);
			assert_int_equal(help_find(mem, c, law, "not", 0, 0).status, not [a]);
			bool dispute = a == D || b == D;
			struct rules_finding f = help_find(mem, c, law, "all", 0, 0);
			assert_true(((f.flags & RULES_BY_DISPUTE) != 0) ==
				    (dispute && (int)f.status >= U));
			arena_free(mem);
		}
	}
}

static void quantifiers_over_open_and_complete_lists(void **state)
{
	(void)state;
	static const struct {
		const char *said; /* of each leg: y, n, ? */
		bool complete;
		int some, each, no, two;
	} rows[] = {{"", true, N, T, T, N},    {"", false, U, U, U, U},  {"y", true, T, T, N, N},
		    {"y", false, T, U, N, U},  {"n", true, N, N, T, N},  {"n", false, U, N, U, U},
		    {"?", true, U, U, U, N},   {"yn", true, T, N, N, N}, {"yy", true, T, T, N, T},
		    {"yy", false, T, U, N, T}, {"y?", true, T, U, N, U}, {"n?", true, U, N, U, N},
		    {"nn?", false, U, N, U, U}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *mem = arena_new(HELP_MEM);
		const struct rules_law *law = help_law(
			mem,
			LAW_HEAD FACT_OF("f", "leg") RULE("rule some", "  met if for some leg, f")
				RULE("rule each", "  met if for each leg, f")
					RULE("rule no", "  met if for no leg, f")
						RULE("rule two", "  met if for at least 2 leg, f"));
		struct rules_case *c = rules_case_new(mem, law);
		const struct rules_list *leg = rules_list_find(law, "leg");
		for (uint32_t k = 0; rows[i].said[k] != '\0'; k++) {
			char name[16];
			uint32_t at;
			(void)snprintf(name, sizeof(name), "leg %u", k);
			assert_int_equal(rules_case_add(c, leg, name, &at), 0);
			assert_int_equal(rules_case_add(c, leg, name, &at), FW_EEXISTS);
			if (rows[i].said[k] != '?')
				help_say(c, law, "f", at, 0, rows[i].said[k] == 'y' ? "yes" : "no",
					 "x", false);
		}
		rules_case_complete(c, leg, rows[i].complete);
		assert_int_equal(help_find(mem, c, law, "some", 0, 0).status, rows[i].some);
		assert_int_equal(help_find(mem, c, law, "each", 0, 0).status, rows[i].each);
		assert_int_equal(help_find(mem, c, law, "no", 0, 0).status, rows[i].no);
		struct rules_finding f = help_find(mem, c, law, "two", 0, 0);
		assert_int_equal(f.status, rows[i].two);
		assert_true(((f.flags & RULES_BY_OPEN_LIST) != 0) ==
			    (f.status == U && !rows[i].complete));
		arena_free(mem);
	}
}

#define TYPED                                                                                      \
	LAW_HEAD "codes kind\n  sea: by sea\n  land: by land\n  air: by air\nfact n: number\n  "   \
		 "ask: n?\nfact m: number\n"                                                       \
		 "  ask: m?\nfact fee: amount\n  ask: fee?\nfact day: date\n  ask: day?\nfact "    \
		 "then: date\n  ask: then?\n"                                                      \
		 "fact means: code of kind\n  ask: means?\n"

static void what_a_fact_is_held_against(void **state)
{
	(void)state;
	static const struct {
		const char *cond, *fact, *value, *fact2, *value2;
		int status;
	} rows[] = {
		{"n is at least 3", "n", "3", NULL, NULL, T},
		{"n is at least 3", "n", "2.9999", NULL, NULL, N},
		{"n is at least 3", "n", "2..4", NULL, NULL, U},
		{"n is at least 3", "n", "3..4", NULL, NULL, T},
		{"n is at most 3", "n", "3", NULL, NULL, T},
		{"n is more than 3", "n", "3", NULL, NULL, N},
		{"n is more than 3", "n", "3.0001", NULL, NULL, T},
		{"n is less than -1", "n", "-2", NULL, NULL, T},
		{"n is exactly 3", "n", "3", NULL, NULL, T},
		{"n is exactly 3", "n", "2..3", NULL, NULL, U},
		{"n is exactly 3..5", "n", "4", NULL, NULL, T},
		{"n is exactly 3..5", "n", "6", NULL, NULL, N},
		{"n is at least m", "n", "3", "m", "3", T},
		{"n is at least m", "n", "3", "m", "2..4", U},
		{"n is at least m", "n", "3", NULL, NULL, U},
		{"n is less than m", "n", "3", "m", "4..9", T},
		{"fee is at least 100 USD", "fee", "100 USD", NULL, NULL, T},
		{"fee is at least 100 USD", "fee", "99.99 USD", NULL, NULL, N},
		{"fee is at least 100 USD", "fee", "5000 EUR", NULL, NULL, U},
		{"day is before 2015", "day", "2014", NULL, NULL, T},
		{"day is before 2015", "day", "2015-01-01", NULL, NULL, N},
		{"day is before 2015-06", "day", "2015", NULL, NULL, U},
		{"day is after 2015", "day", "2015-12-31", NULL, NULL, N},
		{"day is after 2015", "day", "2016", NULL, NULL, T},
		{"day is on or after 2015", "day", "2015-01-01", NULL, NULL, T},
		{"day is on or after 2015-01-02", "day", "2015-01", NULL, NULL, U},
		{"day is on or before 2015", "day", "2015-12-31", NULL, NULL, T},
		{"day is on 2015-02", "day", "2015-02-28", NULL, NULL, T},
		{"day is on 2015-02", "day", "2015-03-01", NULL, NULL, N},
		{"day is on 2015-02", "day", "2015", NULL, NULL, U},
		{"day is before then", "day", "2015", "then", "2016-01-01", T},
		{"day is before then", "day", "2015", "then", "2015", U},
		{"day is on then", "day", "2015-02-03", "then", "2015-02-03", T},
		{"day is within 12 months after then", "day", "2016-02-29", "then", "2015-02-28",
		 N},
		{"day is within 12 months after then", "day", "2016-02-28", "then", "2015-02-28",
		 T},
		{"day is within 1 month after then", "day", "2015-02-28", "then", "2015-01-31", T},
		{"day is within 1 month after then", "day", "2015-01-30", "then", "2015-01-31", N},
		{"day is within 10 days before then", "day", "2015-01-21", "then", "2015-01-31", T},
		{"day is within 10 days before then", "day", "2015-01-20", "then", "2015-01-31", N},
		{"day is within 10 days of then", "day", "2015-02-10", "then", "2015-01-31", T},
		{"day is within 10 days of then", "day", "2015-02", "then", "2015-01-31", U},
		{"day is within 99999 years of then", "day", "9999", "then", "0001", T},
		{"day is within 1 year of 2015", "day", "2014-01-01", NULL, NULL, T},
		{"day is within 1 year of 2015", "day", "2013-12-31", NULL, NULL, N},
		{"means is sea or air", "means", "air", NULL, NULL, T},
		{"means is sea or air", "means", "land", NULL, NULL, N},
		{"not means is sea", "means", "land", NULL, NULL, T},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *mem = arena_new(HELP_MEM);
		char text[2000];
		(void)snprintf(text, sizeof(text), TYPED RULE("rule r", "  met if %s"),
			       rows[i].cond);
		const struct rules_law *law = help_law(mem, text);
		struct rules_case *c = rules_case_new(mem, law);
		assert_int_equal(help_find(mem, c, law, "r", 0, 0).status, U);
		help_say(c, law, rows[i].fact, 0, 0, rows[i].value, "x", false);
		if (rows[i].fact2 != NULL)
			help_say(c, law, rows[i].fact2, 0, 0, rows[i].value2, "x", false);
		struct rules_finding f = help_find(mem, c, law, "r", 0, 0);
		if ((int)f.status != rows[i].status)
			fail_msg("%s with %s: %d", rows[i].cond, rows[i].value, f.status);
		arena_free(mem);
	}
}

static void values_print_as_they_are_written(void **state)
{
	(void)state;
	static const char *const rows[][2] = {{"n", "3"},           {"n", "-2.5"},
					      {"n", "10..20.0001"}, {"n", "-0.25"},
					      {"fee", "12.34 USD"}, {"day", "2015"},
					      {"day", "2015-02"},   {"day", "2015-02-03"},
					      {"day", "0001"},      {"day", "9999-12-31"},
					      {"means", "land"}};
	struct arena *mem = arena_new(HELP_MEM);
	const struct rules_law *law = help_law(mem, TYPED);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct rules_fact *f = rules_fact_find(law, rows[i][0]);
		struct rules_value v;
		struct buf b;
		buf_init(&b, 100);
		assert_int_equal(rules_value_parse(f, rows[i][1], &v, NULL), 0);
		rules_value_format(f, &v, &b);
		buf_putc(&b, '\0');
		assert_string_equal((const char *)b.data, rows[i][1]);
		buf_release(&b);
	}
	struct diag d = DIAG_INIT;
	struct rules_value v;
	assert_int_equal(rules_value_parse(rules_fact_find(law, "n"), "3 4", &v, &d), FW_EINVALID);
	assert_non_null(strstr(d.text, "expected nothing after the value"));
	arena_free(mem);
}

static void who_differs_matters_only_where_it_decides(void **state)
{
	(void)state;
	struct arena *mem = arena_new(HELP_MEM);
	const struct rules_law *law =
		help_law(mem, TYPED RULE("rule low", "  met if fee is at least 100 USD")
				      RULE("rule high", "  met if fee is at least 1000 USD")
					      RULE("rule early", "  met if day is before 2016"));
	struct rules_case *c = rules_case_new(mem, law);
	help_say(c, law, "fee", 0, 0, "500 USD", "witness", false);
	help_say(c, law, "fee", 0, 0, "2000 USD", "another", false);
	assert_int_equal(help_find(mem, c, law, "low", 0, 0).status, T);
	assert_int_equal(help_find(mem, c, law, "high", 0, 0).status, D);
	/* A denial alone says nothing of how much it was. */
	help_say(c, law, "fee", 0, 0, "2000 USD", "accused", true);
	struct rules_finding f = help_find(mem, c, law, "low", 0, 0);
	assert_int_equal(f.status, U);
	assert_true(f.flags & RULES_BY_DISPUTE);
	/* Two that agree, one more exactly, are no dispute. */
	help_say(c, law, "day", 0, 0, "2015", "witness", false);
	help_say(c, law, "day", 0, 0, "2015-03", "another", false);
	f = help_find(mem, c, law, "early", 0, 0);
	assert_int_equal(f.status, T);
	assert_int_equal(f.flags, 0);
	arena_free(mem);
}

#define HEARD                                                                                      \
	LAW_HEAD FACT_OF("a", "thing") FACT_OF("x", "thing") FACT_OF("y", "thing") FACT_OF(        \
		"claimed", "thing") RULE("rule r of thing", "  met if a\n  unless: e")             \
		RULE("exception e of thing",                                                       \
		     "  met if all of:\n    x\n    y\n  unless: ee\n  raised by: claimed, x")      \
			RULE("exception ee of thing", "  met if not y")                            \
				RULE("rule s of thing", "  met if not r")

static void exceptions_are_heard_when_raised(void **state)
{
	(void)state;
	static const struct {
		char a, x, y, claimed;
		int status;
		unsigned flags;
	} rows[] = {
		{'?', '?', '?', '?', U, RULES_UNEXAMINED},
		{'y', '?', '?', '?', T, RULES_UNEXAMINED},
		{'n', '?', '?', 'y', N, 0},
		{'y', '?', '?', 'y', U, RULES_UNEXAMINED},
		{'y', 'y', '?', '?', U, RULES_UNEXAMINED},
		{'y', 'n', '?', '?', T, 0},
		{'y', 'y', 'y', '?', N, RULES_DEFEATED},
		{'y', '?', 'n', '?', T, 0},
		{'y', '?', 'y', '?', T, RULES_UNEXAMINED},
		{'?', 'y', 'y', '?', N, RULES_DEFEATED},
		{'n', 'y', 'y', '?', N, 0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *mem = arena_new(HELP_MEM);
		const struct rules_law *law = help_law(mem, HEARD);
		struct rules_case *c = rules_case_new(mem, law);
		uint32_t at;
		const char said[4] = {rows[i].a, rows[i].x, rows[i].y, rows[i].claimed};
		static const char *const facts[] = {"a", "x", "y", "claimed"};
		assert_int_equal(rules_case_add(c, rules_list_find(law, "thing"), "one", &at), 0);
		for (int k = 0; k < 4; k++)
			if (said[k] != '?')
				help_say(c, law, facts[k], 0, 0, said[k] == 'y' ? "yes" : "no", "x",
					 false);
		struct rules_finding f = help_find(mem, c, law, "r", 0, 0),
				     s = help_find(mem, c, law, "s", 0, 0);
		unsigned flags = f.flags & (RULES_UNEXAMINED | RULES_DEFEATED);
		if ((int)f.status != rows[i].status || flags != rows[i].flags)
			fail_msg("row %zu: status %d, flags %x", i, f.status, flags);
		/* What rests on a finding knows what was not examined. */
		assert_true(((s.flags & RULES_UNEXAMINED) != 0) ==
			    ((f.flags & RULES_UNEXAMINED) != 0));
		arena_free(mem);
	}
}

/* What one limb decides for good is not in doubt for another's sake, whichever stands first. */
static void firm_in_any_order(void **state)
{
	(void)state;
	static const char *const conds[] = {
		"any of:\n    d\n    b",         "any of:\n    b\n    d",
		"none of:\n    d\n    b",        "none of:\n    b\n    d",
		"all of:\n    not d\n    not b", "all of:\n    not b\n    not d"};
	for (size_t i = 0; i < sizeof(conds) / sizeof(conds[0]); i++) {
		struct arena *mem = arena_new(HELP_MEM);
		char text[2000];
		(void)snprintf(text, sizeof(text),
			       TWO FACT("x") RULE("definition d", "  met if a\n  unless: e")
				       RULE("exception e", "  met if x")
					       RULE("rule r", "  met if %s"),
			       conds[i]);
		const struct rules_law *law = help_law(mem, text);
		struct rules_case *c = rules_case_new(mem, law);
		say_status(c, law, "a", T);
		struct rules_finding f = help_find(mem, c, law, "r", 0, 0);
		assert_true(i < 2 ? f.status == T : f.status == N);
		assert_true(f.flags & RULES_UNEXAMINED);
		say_status(c, law, "b", T);
		f = help_find(mem, c, law, "r", 0, 0);
		assert_true(i < 2 ? f.status == T : f.status == N);
		assert_false(f.flags & RULES_UNEXAMINED);
		arena_free(mem);
	}
}

static void readings_that_differ_leave_it_open(void **state)
{
	(void)state;
	for (int a = 0; a < 4; a++) {
		for (int b = 0; b < 4; b++) {
			struct arena *mem = arena_new(HELP_MEM);
			const struct rules_law *law = help_law(
				mem, TWO RULE("rule r", "  reading wide: x\n    met if a\n  "
							"reading narrow: y\n    met if b"));
			struct rules_case *c = rules_case_new(mem, law);
			say_status(c, law, "a", a);
			say_status(c, law, "b", b);
			struct rules_finding f = help_find(mem, c, law, "r", 0, 0);
			assert_int_equal(f.status, a == b ? a : a == U || b == U ? U : D);
			assert_true(((f.flags & RULES_BY_READING) != 0) ==
				    (a != b && (a < U || b < U)));
			arena_free(mem);
		}
	}
}

static void the_law_of_the_day(void **state)
{
	(void)state;
	struct arena *mem = arena_new(HELP_MEM);
	const struct rules_law *law = help_law(
		mem, TWO RULE("rule r",
			      "  law of: the act\n  met if a\n  in force: from 2010 until 2019")
			     RULE("rule r", "  met if b\n  in force: from 2020")
				     RULE("rule p", "  met if a\n  in force: from 2015"));
	struct rules_case *c = rules_case_new(mem, law);
	say_status(c, law, "a", T);
	say_status(c, law, "b", N);
	static const struct {
		int32_t act, request;
		int r, p;
		unsigned flags;
	} rows[] = {{14609, 18262, N, T, RULES_NOT_IN_FORCE},
		    {14610, 16435, T, N, 0},
		    {18262, 16436, N, T, 0},
		    {INT32_MAX, INT32_MAX, N, T, 0}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rules_options o = RULES_OPTIONS;
		struct rules_eval *e;
		size_t n;
		o.act_day = rows[i].act;
		o.request_day = rows[i].request;
		assert_int_equal(rules_evaluate(mem, c, &o, &e, NULL), 0);
		const struct rules_finding *f = rules_findings(e, &n);
		assert_int_equal(n, 2);
		assert_int_equal(f[0].status, rows[i].r);
		assert_int_equal(f[0].flags & RULES_NOT_IN_FORCE, rows[i].flags);
		assert_true((f[0].rule == NULL) == (rows[i].flags != 0));
		assert_int_equal(f[1].status, rows[i].p);
	}
	arena_free(mem);
}

/* Conduct over two periods, and a later law beside both. */
static void the_law_at_the_act_beside_later_law(void **state)
{
	(void)state;
	struct arena *mem = arena_new(HELP_MEM);
	const struct rules_law *law = help_law(
		mem,
		TWO RULE("rule r",
			 "  law of: the act\n  met if a\n  in force: from 2010 until 2014")
			RULE("rule r",
			     "  met if any of:\n    a\n    b\n  in force: from 2015 until 2019")
				RULE("rule r", "  met if b\n  in force: from 2020"));
	struct rules_case *c = rules_case_new(mem, law);
	struct rules_period *p;
	struct rules_change *change;
	size_t n, changes;
	say_status(c, law, "a", T);
	say_status(c, law, "b", N);
	/* 2014-06-01 to 2016-01-01, seen from 2026-01-01 */
	assert_int_equal(rules_over_time(mem, c, NULL, 16222, 16801, 20454, &p, &n, NULL), 0);
	assert_int_equal(n, 3);
	static const int status[] = {T, T, N};
	for (size_t i = 0; i < 3; i++) {
		size_t count;
		assert_int_equal(rules_findings(p[i].eval, &count)[0].status, status[i]);
		assert_int_equal(p[i].at_act, i < 2);
	}
	assert_int_equal(p[0].from, 16222);
	assert_int_equal(p[0].to, 16435);
	assert_int_equal(p[1].from, 16436);
	assert_int_equal(p[2].to, 20454);
	assert_int_equal(rules_diff(p[1].eval, p[2].eval, mem, &change, &changes), 0);
	assert_int_equal(changes, 1);
	assert_int_equal(change[0].cause[0].kind, RULES_CAUSE_LAW);
	struct diag d = DIAG_INIT;
	assert_int_equal(rules_over_time(mem, c, NULL, 10, 9, 20, &p, &n, &d), FW_EINVALID);
	assert_int_equal(rules_over_time(mem, c, NULL, 9, 21, 20, &p, &n, NULL), FW_EINVALID);
	arena_free(mem);
}

static void what_does_not_fit_is_refused(void **state)
{
	(void)state;
	struct arena *mem = arena_new(HELP_MEM);
	const struct rules_law *law = help_law(
		mem,
		TYPED FACT_OF("f", "leg") RULE(
			"rule r",
			"  met if for some leg as x, for some leg as y, for some leg as z, f (z)"));
	struct rules_case *c = rules_case_new(mem, law);
	const struct rules_fact *f = rules_fact_find(law, "f"), *n = rules_fact_find(law, "n"),
				*day = rules_fact_find(law, "day");
	uint32_t none = 0, at;
	assert_int_equal(rules_case_state(c, f, &none, rules_yes(true), NULL), FW_ENOTFOUND);
	assert_int_equal(rules_case_state(c, n, &none, rules_yes(true), NULL), FW_ERANGE);
	assert_int_equal(
		rules_case_state(c, day, &none,
				 (struct rules_value){.type = RULES_DATE, .lo = 5, .hi = 4}, NULL),
		FW_ERANGE);
	assert_int_equal(
		rules_case_state(c, day, &none,
				 (struct rules_value){.type = RULES_DATE, .lo = 0, .hi = INT64_MAX},
				 NULL),
		FW_ERANGE);
	for (int i = 0; i < RULES_SAID_MAX; i++)
		help_say(c, law, "n", 0, 0, "1", "x", false);
	assert_int_equal(
		rules_case_state(c, n, &none, (struct rules_value){.type = RULES_NUMBER}, NULL),
		FW_ELIMIT);
	for (int i = 0; i < 100; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(rules_case_add(c, rules_list_find(law, "leg"), name, &at), 0);
	}
	struct rules_options o = RULES_OPTIONS;
	struct rules_eval *e;
	struct diag d = DIAG_INIT;
	o.steps_max = 1000;
	assert_int_equal(rules_evaluate(mem, c, &o, &e, &d), FW_ELIMIT);
	assert_non_null(strstr(d.text, "more than 1000 conditions"));
	o.steps_max = 0;
	assert_int_equal(rules_evaluate(mem, c, &o, &e, NULL), 0);
	arena_free(mem);
}

static void a_fork_is_a_case_of_its_own(void **state)
{
	(void)state;
	struct arena *mem = arena_new(HELP_MEM);
	const struct rules_law *law =
		help_law(mem, TWO RULE("rule r", "  met if all of:\n    a\n    b"));
	struct rules_case *c = rules_case_new(mem, law);
	uint32_t none = 0;
	say_status(c, law, "a", D);
	say_status(c, law, "b", T);
	struct rules_case *fork = rules_case_fork(mem, c);
	assert_int_equal(help_find(mem, fork, law, "r", 0, 0).status, D);
	rules_case_unstate(fork, rules_fact_find(law, "a"), &none);
	assert_int_equal(help_find(mem, fork, law, "r", 0, 0).status, U);
	say_status(fork, law, "a", T);
	assert_int_equal(help_find(mem, fork, law, "r", 0, 0).status, T);
	assert_int_equal(help_find(mem, c, law, "r", 0, 0).status, D);
	arena_free(mem);
}

/* Every memory failure is an answer; the case and the law stay as they were. */
static void every_allocation_may_fail(void **state)
{
	(void)state;
	size_t n;
	char *text = help_corpus("carriage", &n);
	struct rules_file f = {"carriage", text, n};
	struct arena *mem = arena_new(HELP_MEM);
	const struct rules_law *law;
	assert_int_equal(rules_law_load(mem, &f, 1, &law, NULL), 0);
	for (size_t cap = 256; cap < 600000; cap += cap < 30000 ? 97 : 9001) {
		struct arena *small = arena_new(cap);
		struct rules_case *c = rules_case_new(small, law);
		int err = c == NULL ? -ENOMEM : 0;
		for (uint32_t i = 0, at; err == 0 && i < 40; i++) {
			char name[16];
			(void)snprintf(name, sizeof(name), "%u", i);
			err = rules_case_add(c, rules_list(law, i % 3), name, &at);
			uint32_t members[3] = {at, 0, 0};
			if (err == 0 && i % 3 == 0)
				err = rules_case_state(c, rules_fact_find(law, "paid"), members,
						       rules_yes(true),
						       &(struct rules_said){.who = name});
		}
		struct rules_eval *e = NULL;
		if (err == 0 && rules_case_fork(small, c) == NULL)
			err = -ENOMEM;
		if (err == 0)
			err = rules_evaluate(small, c, NULL, &e, NULL);
		assert_true(err == 0 ? e != NULL : err == -ENOMEM);
		arena_free(small);
	}
	arena_free(mem);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strong_kleene),
		cmocka_unit_test(quantifiers_over_open_and_complete_lists),
		cmocka_unit_test(what_a_fact_is_held_against),
		cmocka_unit_test(values_print_as_they_are_written),
		cmocka_unit_test(who_differs_matters_only_where_it_decides),
		cmocka_unit_test(exceptions_are_heard_when_raised),
		cmocka_unit_test(firm_in_any_order),
		cmocka_unit_test(readings_that_differ_leave_it_open),
		cmocka_unit_test(the_law_of_the_day),
		cmocka_unit_test(the_law_at_the_act_beside_later_law),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(a_fork_is_a_case_of_its_own),
		cmocka_unit_test(every_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
