/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The notation: what is taken, what is refused and with which words, and printed back. */
#include "rules_help.h"

#include <errno.h>

struct refusal {
	const char *text, *place, *says;
};

#define R(cond) RULE("rule r of thing", cond)
#define BASE                                                                                       \
	LAW_HEAD FACT_OF("heavy", "thing") FACT_OF("loud", "thing") FACT_OF("fast", "leg")         \
		FACT("wet")

static const struct refusal refusals[] = {
	/* lines */
	{"  list a\n", "law, line 1", "begins with blanks"},
	{"list a\n\twords: x\n", "law, line 2", "found a tab"},
	{"list a\n  words: \xff\n", "law, line 2", "no UTF-8"},
	{"list a\n  words: x\x01\n", "law, line 2", "control character"},
	{"list a\n   words: x\n  note: y\n", "law, line 3", "found a line 2 deep; expected 3"},
	{"lisst a\n", "law, line 1", "found \"lisst\"; expected a stanza"},
	/* lists, codes, strengths */
	{"list A\n  words: x\n", "law, line 1", "found \"A\"; expected the name of the list"},
	{"list a b\n  words: x\n", "law, line 1", "found \"b\"; expected the end of the line"},
	{"list a\n", "law, line 1", "without \"words:\""},
	{"list a\n  word: x\n", "law, line 2", "found \"word\"; expected one of \"words:\""},
	{"list a\n  words: x\n  words: y\n", "law, line 3", "for a second time"},
	{"list a\n  words:\n", "law, line 2", "found no words"},
	{"list a\n  words: # x\n", "law, line 2", "begins with '#'"},
	{"list a\n  words: x\nlist a\n  words: x\n", "law, line 3",
	 "\"a\" is declared twice; first in law, line 1"},
	{"codes c\n", "law, line 1", "without a value"},
	{"codes c\n  x: a\n  x: b\n", "law, line 3", "found the code \"x\" for a second time"},
	{"codes c\n  x\n", "law, line 2", "found the end of the line; expected \":\""},
	/* facts */
	{"fact f: yes\n  ask: f?\n", "law, line 1", "expected \"yes or no\", \"number\""},
	{"fact f of a: number\n  ask: f?\n", "law, line 1", "expected the name of a list"},
	{"fact f number\n  ask: f?\n", "law, line 1",
	 "expected \"of\" and a list, or \":\" and a type"},
	{"fact f: code of c\n  ask: f?\n", "law, line 1", "expected the name of codes"},
	{"fact f: number\n  note: x\n", "law, line 1", "without \"ask:\""},
	{"fact f: number\n  ask: {x}?\n", "law, line 1", "found a hole \"{x}\""},
	{"list a\n  words: x\nfact f of a, a: number\n  ask: f?\n", "law, line 3",
	 "found \"a\" twice"},
	{"list a\n  words: x\nfact f of a as f2, a, a as b, a as c: number\n  ask: f?\n",
	 "law, line 3", "no more than three"},
	/* rules */
	{BASE "rule r of thing\n  strength: shall\n  sentence: x\n  met if heavy\n", "law, line 15",
	 "without \"article:\""},
	{BASE RULE("rule r of thing", ""), "law, line 15", "without a condition"},
	{BASE "rule r of thing\n  article: 1\n  strength: shal\n  sentence: x\n  met if heavy\n",
	 "law, line 15", "did you mean \"shall\""},
	{BASE R("  met if hevy"), "law, line 19",
	 "found \"hevy\"; expected the name of a fact, a rule or a definition that is declared; "
	 "did you mean \"heavy\"?"},
	{BASE R("  met if fast"), "law, line 19",
	 "\"fast\", which speaks of a leg, where none is in sight"},
	{BASE R("  met if heavy and loud"), "law, line 19",
	 "found \"and\"; expected the end of the line"},
	{BASE R("  met if all of:"), "law, line 19", "found nothing below"},
	{BASE R("  met if all of\n    heavy"), "law, line 19", "expected \":\""},
	{BASE R("  met if heavy\n    loud"), "law, line 20",
	 "deeper line below a condition that is whole"},
	{BASE R("  met if all of:\n    heavy\n      loud"), "law, line 21", "deeper line below"},
	{BASE R("  met if all of:\n     heavy\n    loud"), "law, line 21",
	 "found a line 4 deep; expected 5"},
	{BASE R("  met if at least 3 of:\n    heavy\n    loud"), "law, line 19",
	 "\"at least 3 of\" over 2"},
	{BASE R("  met if at least 0 of:\n    heavy\n    loud"), "law, line 19",
	 "a whole number from 1"},
	{BASE R("  met if for every leg, fast"), "law, line 19",
	 "expected \"some\", \"each\", \"no\""},
	{BASE R("  met if for some lag, fast"), "law, line 19", "did you mean \"leg\"?"},
	{BASE R("  met if for some thing, heavy"), "law, line 19",
	 "found \"thing\" for a second time"},
	{BASE R("  met if for some leg as wet, fast"), "law, line 19",
	 "found \"wet\" as a name for a member"},
	{BASE R("  met if for some leg:\n    fast\n    heavy"), "law, line 19",
	 "several lines below"},
	{BASE R("  met if heavy (leg)"), "law, line 19",
	 "expected a thing, subject 1 of \"heavy\""},
	{BASE R("  met if (a heavy"), "law, line 19", "expected a label"},
	{BASE R("  met if heavy is yes"), "law, line 19", "for it is a yes or a no"},
	{BASE R("  met if thing differs from thing"), "law, line 19",
	 "expected another name in sight"},
	{BASE R("  met if heavy\n  met if loud"), "law, line 20", "found a second condition"},
	{BASE R("  reading a: x\n    met if heavy"), "law, line 15", "found one reading"},
	{BASE R("  reading a: x\n    met if heavy\n  reading a: y\n    met if loud"),
	 "law, line 21", "the reading \"a\" for a second time"},
	{BASE R("  reading a: x"), "law, line 19", "without a condition"},
	{BASE R("  met if heavy\n  in force: from 2020 until 2019"), "law, line 20",
	 "first day after the last"},
	{BASE R("  met if heavy\n  in force: from 2021-02-29"), "law, line 20",
	 "a date that exists"},
	{BASE R("  met if heavy\n  law of: acts"), "law, line 20",
	 "\"the act\" or \"the request\""},
	{BASE R("  met if heavy\n  unless: loud"), "law, line 20",
	 "found \"loud\"; expected the name of an exception"},
	{BASE R("  met if heavy\n  raised by: loud"), "law, line 20", "in what is no exception"},
	{BASE R("  met if heavy\n  says met: so\n  says not met: so"), "law, line 15",
	 "the same text for two outcomes"},
	{BASE R("  met if heavy\n  says met: {leg}"), "law, line 15", "found a hole \"{leg}\""},
	{BASE R("  met if heavy\n  say met: x"), "law, line 20",
	 "found \"say met\"; expected one of \"met if\""},
	/* the whole */
	{BASE R("  met if all of:\n    heavy\n    not heavy"), "law, line 21",
	 "the contrary of line 20"},
	{BASE R("  met if any of:\n    heavy\n    heavy"), "law, line 21",
	 "the same as in line 20"},
	{BASE R("  met if heavy") R("  met if loud"), "law, line 20",
	 "found \"r\" a second time for the same days, first in law, line 15"},
	{BASE R("  met if heavy\n  in force: until 2019")
		 R("  met if loud\n  in force: from 2019-12-31"),
	 "law, line 21", "a second time for the same days"},
	{BASE R("  met if heavy") RULE("definition r of thing", "  met if loud"), "law, line 20",
	 "of another kind"},
	{BASE RULE("rule a of thing", "  met if b") RULE("rule b of thing", "  met if a"),
	 "law, line 20", "a circle: a, then b, then a"},
	{BASE RULE("rule a of thing", "  met if a"), "law, line 15", "a circle: a, then a"},
	{BASE RULE("definition d of thing", "  met if heavy"), "law, line 15",
	 "\"d\", which no rule uses"},
	{BASE RULE("exception x of thing", "  met if heavy"), "law, line 15",
	 "\"x\", which no rule uses"},
	{BASE R("  met if d\n  law of: the act")
		 RULE("definition d of thing", "  met if heavy\n  in force: from 2020"),
	 "law, line 19", "which has days in force and follows the law of the request"},
	{BASE R("  met if x") RULE("exception x of thing", "  met if heavy"), "law, line 19",
	 "the exception \"x\" among conditions"},
};

#define TYPED                                                                                      \
	LAW_HEAD "codes kind\n  sea: by sea\n  land: by land\nfact n: number\n  ask: n?\nfact "    \
		 "fee: amount\n  ask: fee?\n"                                                      \
		 "fact day: date\n  ask: day?\nfact means: code of kind\n  ask: means?\n"

static const struct refusal typed[] = {
	{TYPED RULE("rule r", "  met if n"), "law, line 22", "expected \"is\""},
	{TYPED RULE("rule r", "  met if n is before 2020"), "law, line 22",
	 "for it is a number or an amount"},
	{TYPED RULE("rule r", "  met if n is at least 1.00001"), "law, line 22", "four digits"},
	{TYPED RULE("rule r", "  met if n is at least 5..3"), "law, line 22", "expected a number"},
	{TYPED RULE("rule r", "  met if fee is at least 5"), "law, line 22", "expected a currency"},
	{TYPED RULE("rule r", "  met if day is at least 5"), "law, line 22", "for it is a date"},
	{TYPED RULE("rule r", "  met if day is before 2021-13"), "law, line 22",
	 "a date that exists"},
	{TYPED RULE("rule r", "  met if day is within 3 weeks of 2020"), "law, line 22",
	 "\"days\", \"months\" or \"years\""},
	{TYPED RULE("rule r", "  met if day is before n"), "law, line 22", "of another type"},
	{TYPED RULE("rule r", "  met if means is air"), "law, line 22",
	 "a value of the codes \"kind\""},
};

static void refused(const struct refusal *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct arena *mem = arena_new(HELP_MEM);
		struct diag d = DIAG_INIT;
		const struct rules_law *law = NULL;
		int err = help_load(mem, rows[i].text, &law, &d);
		if (err != FW_EINVALID || law != NULL || strcmp(d.place, rows[i].place) != 0 ||
		    strstr(d.text, rows[i].says) == NULL)
			fail_msg("row %zu: wanted %s: %s\n got %d %s: %s", i, rows[i].place,
				 rows[i].says, err, d.place, d.text);
		arena_free(mem);
	}
}

static void refusals_say_where_and_what(void **state)
{
	(void)state;
	refused(refusals, sizeof(refusals) / sizeof(refusals[0]));
	refused(typed, sizeof(typed) / sizeof(typed[0]));
}

static void too_deep_is_refused(void **state)
{
	(void)state;
	struct arena *mem = arena_new(HELP_MEM);
	struct buf b;
	struct diag d = DIAG_INIT;
	const struct rules_law *law = NULL;
	buf_init(&b, 1 << 16);
	buf_puts(&b, BASE "rule r of thing\n  article: 1\n  strength: shall\n  sentence: x\n  met "
			  "if all of:\n");
	for (int i = 0; i < 20; i++)
		buf_printf(&b, "%*sall of:\n", 4 + i, "");
	buf_printf(&b, "%*sheavy\n%c", 40, "", '\0');
	assert_int_equal(help_load(mem, (const char *)b.data, &law, &d), FW_EINVALID);
	assert_non_null(strstr(d.text, "more than 16 deep"));
	buf_release(&b);
	arena_free(mem);
}

static void printing_and_reading_agree(void **state)
{
	(void)state;
	size_t n;
	char *text = help_corpus("carriage", &n);
	struct arena *mem = arena_new(HELP_MEM);
	const struct rules_law *law, *back;
	struct buf one, two;
	struct rules_file f = {"carriage", text, n};
	buf_init(&one, HELP_FILE_MAX);
	buf_init(&two, HELP_FILE_MAX);
	assert_int_equal(rules_law_load(mem, &f, 1, &law, NULL), 0);
	rules_law_print(law, &one);
	f = (struct rules_file){"print", one.data, one.len};
	assert_int_equal(rules_law_load(mem, &f, 1, &back, NULL), 0);
	rules_law_print(back, &two);
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.data, two.data, one.len);
	assert_int_equal(rules_fact_count(law), rules_fact_count(back));
	assert_int_equal(rules_conclusion_find(law, "carriage.unlicensed")->versions, 2);
	buf_release(&one);
	buf_release(&two);
	arena_free(mem);
	free(text);
}

/* A name used before the file that declares it is read. */
static void files_may_stand_in_any_order(void **state)
{
	(void)state;
	static const char rule[] = RULE("rule r of thing", "  met if heavy"), words[] = BASE;
	struct arena *mem = arena_new(HELP_MEM);
	struct rules_file files[] = {{"b", rule, sizeof(rule) - 1},
				     {"a", words, sizeof(words) - 1}};
	const struct rules_law *law;
	assert_int_equal(rules_law_load(mem, files, 2, &law, NULL), 0);
	assert_string_equal(rules_conclusion(law, 0)->version[0]->file, "b");
	assert_null(rules_fact_find(law, "r"));
	assert_null(rules_conclusion_find(law, "heavy"));
	assert_string_equal(rules_list(law, rules_list_find(law, "leg")->index)->words, "a leg");
	arena_free(mem);
}

static void a_long_text_is_broken_where_it_may_be(void **state)
{
	(void)state;
	struct arena *mem = arena_new(HELP_MEM);
	struct buf b;
	const struct rules_law *law, *back;
	buf_init(&b, HELP_FILE_MAX);
	law = help_law(mem, "list a\n  words: one\n    two # three met if four  five six seven "
			    "eight nine ten eleven twelve "
			    "thirteen fourteen fifteen # sixteen met seventeen\n   eighteen\n");
	rules_law_print(law, &b);
	buf_putc(&b, '\0');
	back = help_law(mem, (const char *)b.data);
	assert_string_equal(rules_list(law, 0)->words, rules_list(back, 0)->words);
	assert_non_null(strstr((const char *)b.data, "\n    "));
	buf_release(&b);
	arena_free(mem);
}

static void periods_of_the_law(void **state)
{
	(void)state;
	size_t n;
	char *text = help_corpus("carriage", &n);
	struct arena *mem = arena_new(HELP_MEM);
	struct rules_file f = {"carriage", text, n};
	const struct rules_law *law;
	int32_t days[4];
	assert_int_equal(rules_law_load(mem, &f, 1, &law, NULL), 0);
	/* 2014-01-01 = 16071, 2015-01-01 = 16436, 2020-01-01 = 18262 */
	assert_int_equal(rules_periods(law, RULES_OF_ACT, 16071, 20000, days, 4), 3);
	assert_int_equal(days[0], 16071);
	assert_int_equal(days[1], 16436);
	assert_int_equal(days[2], 18262);
	assert_int_equal(rules_periods(law, RULES_OF_ACT, 16071, 20000, days, 1), 3);
	assert_int_equal(rules_periods(law, RULES_OF_REQUEST, 16071, 20000, days, 4), 1);
	const struct rules_conclusion *c = rules_conclusion_find(law, "carriage.unlicensed");
	assert_null(rules_version(c, 16435));
	assert_ptr_equal(rules_version(c, 18261), c->version[0]);
	assert_ptr_equal(rules_version(c, 18262), c->version[1]);
	arena_free(mem);
	free(text);
}

/* What docs/rules.md shows is what is taken. */
static void the_example_of_the_page(void **state)
{
	(void)state;
	static const char fence[] = "```rules\n";
	char path[500];
	const char *source = getenv("FAIRWAY_SOURCE");
	(void)snprintf(path, sizeof(path), "%s/docs/rules.md", source != NULL ? source : ".");
	FILE *f = fopen(path, "rb");
	char *text = malloc(HELP_FILE_MAX);
	assert_non_null(f);
	assert_non_null(text);
	text[fread(text, 1, HELP_FILE_MAX - 1, f)] = '\0';
	(void)fclose(f);
	char *from = strstr(text, fence);
	assert_non_null(from);
	from += sizeof(fence) - 1;
	*strstr(from, "```") = '\0';
	struct arena *mem = arena_new(HELP_MEM);
	assert_int_equal(rules_conclusion_count(help_law(mem, from)), 2);
	arena_free(mem);
	free(text);
}

/* Any memory that cannot be had is said, and nothing is lost. */
static void every_allocation_may_fail(void **state)
{
	(void)state;
	size_t n;
	char *text = help_corpus("carriage", &n);
	struct rules_file f = {"carriage", text, n};
	for (uint64_t at = 1;; at++) {
		mem_fault_at(at);
		struct arena *mem = arena_new(HELP_MEM);
		const struct rules_law *law = NULL;
		struct diag d = DIAG_INIT;
		int err = mem != NULL ? rules_law_load(mem, &f, 1, &law, &d) : -ENOMEM;
		bool hit = mem_fault_hit();
		mem_fault_at(0);
		assert_int_equal(err, hit ? -ENOMEM : 0);
		assert_true((law != NULL) == (err == 0));
		arena_free(mem);
		if (!hit)
			break;
	}
	/* The same for an arena that is too small, at every size. */
	for (size_t cap = 64; cap < 400000; cap += cap < 20000 ? 61 : 5003) {
		struct arena *mem = arena_new(cap);
		const struct rules_law *law = NULL;
		struct diag d = DIAG_INIT;
		int err = rules_law_load(mem, &f, 1, &law, &d);
		assert_true(err == 0 || (err == -ENOMEM && law == NULL && d.text[0] != '\0'));
		arena_free(mem);
	}
	free(text);
}

/* Each byte of a good file changed: a clear refusal or a law that prints and reads back. */
static void any_byte_may_be_changed(void **state)
{
	(void)state;
	size_t n;
	char *text = help_corpus("carriage", &n);
	static const char others[] = "a :\n(9";
	struct arena *mem = arena_new(HELP_MEM);
	for (size_t i = 0; i < n; i++) {
		char was = text[i];
		text[i] = others[i % (sizeof(others) - 1)];
		struct rules_file f = {"carriage", text, n};
		const struct rules_law *law = NULL;
		struct diag d = DIAG_INIT;
		int err = rules_law_load(mem, &f, 1, &law, &d);
		assert_true((err == 0) == (law != NULL));
		if (err != 0 && (d.place[0] == '\0' || strstr(d.text, "expected") == NULL))
			fail_msg("byte %zu: %s: %s", i, d.place, d.text);
		text[i] = was;
		arena_reset(mem);
	}
	arena_free(mem);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_say_where_and_what),
		cmocka_unit_test(too_deep_is_refused),
		cmocka_unit_test(printing_and_reading_agree),
		cmocka_unit_test(files_may_stand_in_any_order),
		cmocka_unit_test(a_long_text_is_broken_where_it_may_be),
		cmocka_unit_test(periods_of_the_law),
		cmocka_unit_test(the_example_of_the_page),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(any_byte_may_be_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
