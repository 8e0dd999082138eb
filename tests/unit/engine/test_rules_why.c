/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Explanations, what would settle an open finding, and the difference between two evaluations, by
 * example. */
#include "rules_help.h"

#include <errno.h>

#define CARRIAGE                                                                                   \
	"strength shall\n  words: shall\nlist driver\n  words: a driver\nlist trip\n  words: a "   \
	"trip\n"                                                                                   \
	"codes vehicle\n  van: a van\n  bike: a bicycle\nfact paid of driver: yes or no\n  ask: "  \
	"Paid?\n"                                                                                  \
	"fact licensed of driver: yes or no\n  ask: Licensed?\nfact drove of driver, trip: yes "   \
	"or no\n"                                                                                  \
	"  ask: Drove?\nfact made.in of trip: code of vehicle\n  ask: In what?\nfact day of "      \
	"trip: date\n"                                                                             \
	"  ask: When?\nfact fee of driver: amount\n  ask: How much?\nfact saved-life of driver: "  \
	"yes or no\n"                                                                              \
	"  ask: Saved?\nfact family of driver: yes or no\n  ask: Family?\n"                        \
	"rule unlicensed of driver\n  article: s 4\n  strength: shall\n  sentence: {driver} "      \
	"did.\n"                                                                                   \
	"  met if all of:\n    (a) paid\n    (b) for some trip such that drove, made.in is van\n"  \
	"    (c) not licensed\n  unless: emergency, kin\n"                                         \
	"exception emergency of driver\n  article: s 9\n  strength: shall\n  sentence: x\n  met "  \
	"if saved-life\n"                                                                          \
	"exception kin of driver\n  article: s 10\n  strength: shall\n  sentence: y\n  met if "    \
	"family\n"                                                                                 \
	"rule dear of driver\n  article: s 5\n  strength: shall\n  sentence: z\n"                  \
	"  met if all of:\n    fee is at least 100 USD\n    fee is less than 200 USD\n    "        \
	"unlicensed\n"                                                                             \
	"rule never of driver\n  article: s 6\n  strength: shall\n  sentence: z\n"                 \
	"  met if all of:\n    fee is more than 200 USD\n    fee is less than 100 USD\n"           \
	"rule soon of driver\n  article: s 7\n  strength: shall\n  sentence: z\n"                  \
	"  met if for each trip as first, for each trip as then, any of:\n    first is the same "  \
	"as then\n"                                                                                \
	"    day (first) is within 3 days of day (then)\n"

struct world {
	struct arena *mem;
	const struct rules_law *law;
	struct rules_case *c;
};

static struct world world_new(void)
{
	struct world w = {.mem = arena_new(HELP_MEM)};
	uint32_t at;
	w.law = help_law(w.mem, CARRIAGE);
	w.c = rules_case_new(w.mem, w.law);
	assert_int_equal(rules_case_add(w.c, rules_list_find(w.law, "driver"), "Ann", &at), 0);
	assert_int_equal(rules_case_add(w.c, rules_list_find(w.law, "trip"), "t1", &at), 0);
	assert_int_equal(rules_case_add(w.c, rules_list_find(w.law, "trip"), "t2", &at), 0);
	return w;
}

static struct rules_eval *evaluate(struct world *w, const struct rules_case *c)
{
	struct rules_eval *e;
	assert_int_equal(rules_evaluate(w->mem, c, NULL, &e, NULL), 0);
	return e;
}

static struct rules_finding find(struct world *w, struct rules_eval *e, const char *name)
{
	struct rules_finding f;
	uint32_t ann[RULES_SUBJECTS_MAX] = {0};
	assert_int_equal(rules_find(e, rules_conclusion_find(w->law, name), ann, &f), 0);
	return f;
}

static void explained_as(struct world *w, const char *name, const char *text)
{
	struct rules_eval *e = evaluate(w, w->c);
	struct rules_finding f = find(w, e, name);
	const struct rules_why *why;
	bool cut;
	struct buf b;
	buf_init(&b, 1 << 16);
	assert_int_equal(rules_explain(e, &f, w->mem, 0, &why, &cut), 0);
	assert_false(cut);
	rules_why_write(e, why, &b);
	buf_putc(&b, '\0');
	assert_string_equal((const char *)b.data, text);
	buf_release(&b);
}

static void only_what_decided_is_told(void **state)
{
	(void)state;
	struct world w = world_new();
	help_say(w.c, w.law, "paid", 0, 0, "yes", "statement 3", false);
	help_say(w.c, w.law, "drove", 0, 0, "yes", "camera", false);
	help_say(w.c, w.law, "made.in", 0, 0, "van", "camera", false);
	explained_as(&w, "unlicensed",
		     "unlicensed of Ann (s 4) -> unknown\n"
		     "  all of: -> unknown {2 more did not decide}\n"
		     "    (c) not -> unknown\n"
		     "      licensed -> unknown [licensed of Ann: nobody said]\n"
		     "  not examined: emergency of Ann (s 9)\n"
		     "  not examined: kin of Ann (s 10)\n");
	help_say(w.c, w.law, "licensed", 0, 0, "no", "register", false);
	explained_as(&w, "unlicensed",
		     "unlicensed of Ann (s 4) -> met\n"
		     "  all of: -> met\n"
		     "    (a) paid -> met [paid of Ann: yes (statement 3)]\n"
		     "    (b) for some trip such that drove -> met {1 more did not decide}\n"
		     "      t1 -> met\n"
		     "        drove -> met [drove of Ann, t1: yes (camera)]\n"
		     "        made.in is van -> met [made.in of t1: van (camera)]\n"
		     "    (c) not -> met\n"
		     "      licensed -> not met [licensed of Ann: no (register)]\n"
		     "  not examined: emergency of Ann (s 9)\n"
		     "  not examined: kin of Ann (s 10)\n");
	help_say(w.c, w.law, "saved-life", 0, 0, "yes", "Ann", false);
	help_say(w.c, w.law, "saved-life", 0, 0, "yes", "doctor", true);
	help_say(w.c, w.law, "family", 0, 0, "no", "register", false);
	explained_as(
		&w, "dear",
		"dear of Ann (s 5) -> unknown\n"
		"  all of: -> unknown\n"
		"    fee is at least 100 USD -> unknown [fee of Ann: nobody said]\n"
		"    fee is less than 200 USD -> unknown [fee of Ann: nobody said]\n"
		"    unlicensed of Ann (s 4) -> disputed\n"
		"      all of: -> met\n"
		"        (a) paid -> met [paid of Ann: yes (statement 3)]\n"
		"        (b) for some trip such that drove -> met {1 more did not decide}\n"
		"          t1 -> met\n"
		"            drove -> met [drove of Ann, t1: yes (camera)]\n"
		"            made.in is van -> met [made.in of t1: van (camera)]\n"
		"        (c) not -> met\n"
		"          licensed -> not met [licensed of Ann: no (register)]\n"
		"      exception emergency of Ann (s 9) -> disputed\n"
		"        saved-life -> disputed [saved-life of Ann: yes (Ann); not yes (doctor)]\n"
		"      exception kin of Ann (s 10) -> not met\n"
		"        family -> not met [family of Ann: no (register)]\n");
	arena_free(w.mem);
}

static void a_tree_may_be_cut(void **state)
{
	(void)state;
	struct world w = world_new();
	struct rules_eval *e = evaluate(&w, w.c);
	struct rules_finding f = find(&w, e, "dear");
	for (uint32_t max = 1; max < 12; max++) {
		const struct rules_why *why;
		bool cut = false;
		assert_int_equal(rules_explain(e, &f, w.mem, max, &why, &cut), 0);
		assert_true(cut);
		assert_int_equal(why->status, f.status);
	}
	arena_free(w.mem);
}

/* Ways as text: "met: paid (Ann); not licensed (Ann)" */
static void ways_are(struct world *w, const char *name, const char *text)
{
	struct rules_eval *e = evaluate(w, w->c);
	struct rules_finding f = find(w, e, name);
	struct rules_settlings s;
	struct buf b;
	buf_init(&b, 1 << 16);
	assert_int_equal(rules_settle(e, &f, w->mem, &s), 0);
	for (uint32_t i = 0; i < s.n; i++) {
		buf_printf(&b, "%s: ", s.way[i].to == RULES_MET ? "met" : "not met");
		for (uint32_t k = 0; k < s.way[i].n; k++) {
			const struct rules_step *x = &s.way[i].step[k];
			buf_printf(&b, "%s%s%s%s%s", k > 0 ? "; " : "",
				   x->disputed ? "disputed " : "", x->holds ? "" : "not ",
				   x->list != NULL ? "complete " : x->words,
				   x->list != NULL ? x->list->name : "");
		}
		buf_putc(&b, '\n');
	}
	buf_putc(&b, '\0');
	assert_string_equal((const char *)b.data, text);
	buf_release(&b);
}

static void ways_to_settle(void **state)
{
	(void)state;
	struct world w = world_new();
	help_say(w.c, w.law, "drove", 0, 0, "yes", "camera", false);
	help_say(w.c, w.law, "made.in", 0, 0, "van", "camera", false);
	ways_are(&w, "unlicensed",
		 "not met: not paid (Ann)\n"
		 "not met: licensed (Ann)\n"
		 "met: paid (Ann); not licensed (Ann)\n");
	/* Two conditions of one fact are one thing to ask. */
	help_say(w.c, w.law, "paid", 0, 0, "yes", "x", false);
	help_say(w.c, w.law, "licensed", 0, 0, "no", "x", false);
	ways_are(&w, "dear",
		 "met: fee (Ann) is at least 100 USD; fee (Ann) is less than 200 USD\n"
		 "not met: not fee (Ann) is at least 100 USD\n"
		 "not met: not fee (Ann) is less than 200 USD\n");
	/* What excludes itself is no way. */
	ways_are(&w, "never",
		 "not met: not fee (Ann) is more than 200 USD\n"
		 "not met: not fee (Ann) is less than 100 USD\n");
	/* Who is right is a question like others. */
	help_say(w.c, w.law, "paid", 0, 0, "no", "y", false);
	ways_are(&w, "unlicensed", "met: disputed paid (Ann)\nnot met: disputed not paid (Ann)\n");
	arena_free(w.mem);
}

static void a_list_may_be_what_is_asked(void **state)
{
	(void)state;
	struct world w = world_new();
	help_say(w.c, w.law, "paid", 0, 0, "yes", "x", false);
	help_say(w.c, w.law, "licensed", 0, 0, "no", "x", false);
	help_say(w.c, w.law, "drove", 0, 0, "no", "x", false);
	help_say(w.c, w.law, "made.in", 1, 0, "bike", "x", false);
	ways_are(&w, "unlicensed", "not met: complete trip\n");
	/* Two unknown days, held against each other, and an open list. A condition of two unknown
	 * facts is a step for each. */
	ways_are(&w, "soon",
		 "not met: not day (t1) is within 3 days of day (t2); not day (t1) is within 3 "
		 "days of day (t2)\n"
		 "not met: not day (t2) is within 3 days of day (t1); not day (t2) is within 3 "
		 "days of day (t1)\n"
		 "met: day (t1) is within 3 days of day (t2); day (t1) is within 3 days of day "
		 "(t2); complete trip;"
		 " day (t2) is within 3 days of day (t1); day (t2) is within 3 days of day (t1)\n");
	arena_free(w.mem);
}

static void the_best_question_first(void **state)
{
	(void)state;
	struct world w = world_new();
	struct rules_question *q;
	size_t n;
	bool cut;
	help_say(w.c, w.law, "drove", 0, 0, "yes", "camera", false);
	help_say(w.c, w.law, "made.in", 0, 0, "van", "camera", false);
	help_say(w.c, w.law, "licensed", 0, 0, "no", "register", false);
	help_say(w.c, w.law, "fee", 0, 0, "150 USD", "x", false);
	rules_case_complete(w.c, rules_list_find(w.law, "trip"), true);
	help_say(w.c, w.law, "day", 0, 0, "2020-01-01", "x", false);
	struct rules_eval *e = evaluate(&w, w.c);
	assert_int_equal(rules_questions(e, w.mem, &q, &n, &cut), 0);
	assert_int_equal(n, 2);
	assert_string_equal(q[0].fact->name, "paid");
	assert_int_equal(q[0].alone, 2);
	assert_int_equal(q[0].helps, 2);
	assert_string_equal(q[1].fact->name, "day");
	assert_int_equal(q[1].member[0], 1);
	assert_int_equal(q[1].alone, 1);
	assert_false(cut);
	arena_free(w.mem);
}

static void the_cause_of_a_change(void **state)
{
	(void)state;
	struct world w = world_new();
	struct rules_change *c;
	size_t n;
	uint32_t at;
	help_say(w.c, w.law, "paid", 0, 0, "yes", "x", false);
	help_say(w.c, w.law, "licensed", 0, 0, "no", "x", false);
	struct rules_eval *before = evaluate(&w, w.c);
	/* What if Ann had driven another trip, in a van? */
	struct rules_case *what_if = rules_case_fork(w.mem, w.c);
	assert_int_equal(rules_case_add(what_if, rules_list_find(w.law, "trip"), "t3", &at), 0);
	help_say(what_if, w.law, "drove", 0, at, "yes", "x", false);
	help_say(what_if, w.law, "made.in", at, 0, "van", "x", false);
	struct rules_eval *after = evaluate(&w, what_if);
	assert_int_equal(rules_diff(before, after, w.mem, &c, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(c[0].after.conclusion->name, "unlicensed");
	assert_int_equal(c[0].before.status, RULES_UNKNOWN);
	assert_int_equal(c[0].after.status, RULES_MET);
	assert_int_equal(c[0].causes, 3);
	assert_int_equal(c[0].cause[0].kind, RULES_CAUSE_MEMBER);
	assert_int_equal(c[0].cause[0].member[0], at);
	assert_int_equal(c[0].cause[1].kind, RULES_CAUSE_GIVEN);
	assert_string_equal(c[0].cause[1].fact->name, "drove");
	/* An exception is heard, and named. */
	struct rules_case *heard = rules_case_fork(w.mem, what_if);
	help_say(heard, w.law, "saved-life", 0, 0, "yes", "x", false);
	assert_int_equal(rules_diff(after, evaluate(&w, heard), w.mem, &c, &n), 0);
	assert_int_equal(n, 2); /* and what rests on it */
	assert_int_equal(c[0].after.status, RULES_NOT_MET);
	assert_int_equal(c[0].cause[0].kind, RULES_CAUSE_EXCEPTION);
	assert_string_equal(c[0].cause[0].rule->conclusion->name, "emergency");
	/* Somebody contradicts. */
	struct rules_case *disputed = rules_case_fork(w.mem, what_if);
	help_say(disputed, w.law, "paid", 0, 0, "no", "Ann", false);
	assert_int_equal(rules_diff(after, evaluate(&w, disputed), w.mem, &c, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(c[0].after.status, RULES_DISPUTED);
	assert_int_equal(c[0].cause[0].kind, RULES_CAUSE_DISPUTED);
	/* Backwards: a member and what was said are gone. */
	assert_int_equal(rules_diff(after, before, w.mem, &c, &n), 0);
	assert_int_equal(c[0].cause[0].kind, RULES_CAUSE_REMOVED);
	arena_free(w.mem);
}

static void no_memory_is_an_answer(void **state)
{
	(void)state;
	struct world w = world_new();
	help_say(w.c, w.law, "drove", 0, 0, "yes", "camera", false);
	struct rules_eval *e = evaluate(&w, w.c);
	struct rules_finding f = find(&w, e, "dear");
	unsigned good = 0, bad = 0;
	for (size_t cap = 64; cap < 3000000; cap += cap < 20000 ? 211 : 40009) {
		struct arena *mem = arena_new(cap);
		const struct rules_why *why = NULL;
		struct rules_settlings s;
		struct rules_question *q;
		struct rules_change *c;
		size_t n;
		bool cut;
		int err[] = {rules_explain(e, &f, mem, 0, &why, &cut), 0, 0, 0};
		arena_reset(mem);
		err[1] = rules_settle(e, &f, mem, &s);
		arena_reset(mem);
		err[2] = rules_questions(e, mem, &q, &n, &cut);
		arena_reset(mem);
		err[3] = rules_diff(e, e, mem, &c, &n);
		for (int i = 0; i < 4; i++) {
			assert_true(err[i] == 0 || err[i] == -ENOMEM);
			good += err[i] == 0;
			bad += err[i] != 0;
		}
		arena_free(mem);
	}
	assert_true(good > 0 && bad > 0);
	arena_free(w.mem);
}

/* Each call to the machine for memory fails in its turn. */
static int all_of_it(struct arena *mem, const struct rules_case *c)
{
	struct rules_eval *e;
	struct rules_settlings s;
	struct rules_question *q;
	struct rules_change *change;
	struct rules_case *fork = rules_case_fork(mem, c);
	const struct rules_why *why;
	size_t n;
	bool cut;
	int err = fork != NULL ? rules_evaluate(mem, fork, NULL, &e, NULL) : -ENOMEM;
	if (err == 0)
		err = rules_explain(e, rules_findings(e, &n), mem, 0, &why, &cut);
	if (err == 0)
		err = rules_settle(e, rules_findings(e, &n), mem, &s);
	if (err == 0)
		err = rules_questions(e, mem, &q, &n, &cut);
	return err != 0 ? err : rules_diff(e, e, mem, &change, &n);
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	struct world w = world_new();
	help_say(w.c, w.law, "drove", 0, 0, "yes", "camera", false);
	for (uint64_t at = 1;; at++) {
		mem_fault_at(at);
		struct arena *mem = arena_new(HELP_MEM);
		int err = mem != NULL ? all_of_it(mem, w.c) : -ENOMEM;
		bool hit = mem_fault_hit();
		mem_fault_at(0);
		assert_int_equal(err, hit ? -ENOMEM : 0);
		arena_free(mem);
		if (!hit)
			break;
	}
	arena_free(w.mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_decided_is_told),
		cmocka_unit_test(a_tree_may_be_cut),
		cmocka_unit_test(ways_to_settle),
		cmocka_unit_test(a_list_may_be_what_is_asked),
		cmocka_unit_test(the_best_question_first),
		cmocka_unit_test(the_cause_of_a_change),
		cmocka_unit_test(no_memory_is_an_answer),
		cmocka_unit_test(every_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
