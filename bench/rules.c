/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * How fast the rule engine is, on an invented law and an invented case.
 *
 *     bench_rules RULES PERSONS LEGS STATED [ASP_FILE]
 *
 * Each of RULES rules speaks of a person and has some twenty conditions: yes
 * and no, any of three, at least two of four, a code and a date of a leg that
 * the person travelled, and an exception.  STATED percent of the facts are
 * stated, at random from a fixed seed.  Prints one JSON object.
 *
 * Measured: reading the law; building the case; evaluating all findings; an
 * explanation of every finding; what would settle every open one.  Beside it
 * the limit: the same number of facts fetched at random from tables of the
 * same size, and nothing done with them.
 *
 * With ASP_FILE the same law and case are written as a logic program, for
 * which everything not stated is false; STATED should be 100.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "fairway/rules.h"

enum {
	PERSON_FACTS = 60,
	PAIR_FACTS = 8,
	LEG_FACTS = 8,
	MEM = 1 << 30,
	TEXT_MAX = 1 << 28,
	ROUNDS = 15
};

struct sizes {
	unsigned rules, persons, legs, stated;
};

static uint64_t state = 1;

static uint64_t below(uint64_t n)
{
	uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % n;
}

static void must(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "bench_rules: %s\n", what);
	exit(1);
}

/* ---- the law
 * -------------------------------------------------------------------------------------- */

static const char head[] =
	"strength shall\n  words: shall\nlist person\n  words: a person\nlist leg\n  words: a leg\n"
	"codes means\n  sea: by sea\n  land: by land\n  air: by air\n";

static void facts_of_the_law(struct buf *law)
{
	for (int i = 0; i < PERSON_FACTS; i++)
		buf_printf(law, "fact u%d of person: yes or no\n  ask: u?\n", i);
	for (int i = 0; i < PAIR_FACTS; i++)
		buf_printf(law, "fact b%d of person, leg: yes or no\n  ask: b?\n", i);
	for (int i = 0; i < LEG_FACTS; i++)
		buf_printf(law, "fact l%d of leg: yes or no\n  ask: l?\n", i);
	buf_puts(law,
		 "fact by of leg: code of means\n  ask: by?\nfact day of leg: date\n  ask: day?\n");
}

/* ${n} different facts of a person. */
static void pick(int *f, int n)
{
	for (int i = 0; i < n; i++) {
		bool again = true;
		while (again) {
			f[i] = (int)below(PERSON_FACTS);
			again = false;
			for (int k = 0; k < i; k++)
				again = again || f[k] == f[i];
		}
	}
}

static void one_rule(unsigned i, struct buf *law, FILE *asp)
{
	static const char *const means[] = {"sea", "land", "air"};
	int f[12];
	pick(f, 12);
	int b = (int)below(PAIR_FACTS), l = (int)below(LEG_FACTS);
	const char *by = means[below(3)];
	int year = 2010 + (int)below(10);
	buf_printf(law,
		   "rule r%u of person\n  article: Act, section %u\n  strength: shall\n  sentence: "
		   "{person} did what section %u says.\n"
		   "  met if all of:\n    (a) u%d\n    (b) any of:\n      u%d\n      u%d\n      "
		   "u%d\n    (c) at least 2 of:\n"
		   "      u%d\n      u%d\n      u%d\n      u%d\n    (d) for some leg such that "
		   "b%d, all of:\n      by is %s\n"
		   "      day is on or after %d\n      not l%d\n    (e) not u%d\n  unless: x%u\n",
		   i, i, i, f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], b, by, year, l, f[8],
		   i);
	buf_printf(law,
		   "exception x%u of person\n  article: Act, section %u(2)\n  strength: shall\n  "
		   "sentence: x\n  met if all of:\n    u%d\n    u%d\n    u%d\n",
		   i, i, f[9], f[10], f[11]);
	if (asp == NULL)
		return;
	(void)fprintf(asp, "b_%u(P) :- u%d(P). b_%u(P) :- u%d(P). b_%u(P) :- u%d(P).\n", i, f[1], i,
		      f[2], i, f[3]);
	(void)fprintf(asp,
		      "c_%u(P) :- person(P), 2 #count { 1 : u%d(P); 2 : u%d(P); 3 : u%d(P); 4 : "
		      "u%d(P) }.\n",
		      i, f[4], f[5], f[6], f[7]);
	(void)fprintf(asp, "d_%u(P) :- b%d(P,L), by(L,%s), day(L,D), D >= %d, not l%d(L).\n", i, b,
		      by, year, l);
	(void)fprintf(asp, "x_%u(P) :- u%d(P), u%d(P), u%d(P).\n", i, f[9], f[10], f[11]);
	(void)fprintf(asp,
		      "r(%u,P) :- u%d(P), b_%u(P), c_%u(P), d_%u(P), not u%d(P), not x_%u(P).\n", i,
		      f[0], i, i, i, f[8], i);
}

/* ---- the case
 * -------------------------------------------------------------------------------------- */

static void say(struct rules_case *c, const struct rules_law *law, const char *name, uint32_t a,
		uint32_t b, int64_t lo, int64_t hi, unsigned stated)
{
	const struct rules_fact *f = rules_fact_find(law, name);
	uint32_t members[RULES_SUBJECTS_MAX] = {a, b, 0};
	if (below(100) < stated)
		must(rules_case_state(c, f, members,
				      (struct rules_value){.type = f->type, .lo = lo, .hi = hi},
				      &(struct rules_said){.who = "a witness"}) == 0,
		     "a fact");
}

static void say_yesno(struct rules_case *c, const struct rules_law *law, char letter, int i,
		      uint32_t a, uint32_t b, bool pair, const struct sizes *s, FILE *asp)
{
	char name[16];
	bool yes = below(2) == 0;
	(void)snprintf(name, sizeof(name), "%c%d", letter, i);
	say(c, law, name, a, b, yes, yes, s->stated);
	if (asp != NULL && yes && pair)
		(void)fprintf(asp, "%s(%u,%u). ", name, a, b);
	else if (asp != NULL && yes)
		(void)fprintf(asp, "%s(%u). ", name, a);
}

static void members(struct rules_case *c, const struct rules_law *law, const char *list, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char name[32];
		uint32_t at;
		(void)snprintf(name, sizeof(name), "%s %u", list, i);
		must(rules_case_add(c, rules_list_find(law, list), name, &at) == 0, "a member");
	}
	rules_case_complete(c, rules_list_find(law, list), true);
}

static struct rules_case *make_case(struct arena *mem, const struct rules_law *law,
				    const struct sizes *s, FILE *asp)
{
	static const char *const means[] = {"sea", "land", "air"};
	struct rules_case *c = rules_case_new(mem, law);
	must(c != NULL, "no memory");
	state = 99;
	members(c, law, "person", s->persons);
	members(c, law, "leg", s->legs);
	for (uint32_t p = 0; p < s->persons; p++) {
		for (int i = 0; i < PERSON_FACTS; i++)
			say_yesno(c, law, 'u', i, p, 0, false, s, asp);
		for (int i = 0; i < PAIR_FACTS; i++)
			for (uint32_t l = 0; l < s->legs; l++)
				say_yesno(c, law, 'b', i, p, l, true, s, asp);
		if (asp != NULL)
			(void)fprintf(asp, "person(%u).\n", p);
	}
	for (uint32_t l = 0; l < s->legs; l++) {
		int64_t by = (int64_t)below(3), year = 2005 + (int64_t)below(20);
		struct date d = {(int16_t)year, 6, 1, DATE_DAY};
		for (int i = 0; i < LEG_FACTS; i++)
			say_yesno(c, law, 'l', i, l, 0, false, s, asp);
		say(c, law, "by", l, 0, by, by, s->stated);
		say(c, law, "day", l, 0, date_first_day(d), date_first_day(d), s->stated);
		if (asp != NULL)
			(void)fprintf(asp, "by(%u,%s). day(%u,%d).\n", l, means[by], l, (int)year);
	}
	return c;
}

/* ---- measuring
 * ------------------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
	usec_t x = *(const usec_t *)a, y = *(const usec_t *)b;
	return (x > y) - (x < y);
}

static double median_ms(usec_t *t, int n)
{
	qsort(t, (size_t)n, sizeof(t[0]), by_time);
	return (double)t[n / 2] / 1000.0;
}

/* As many facts fetched as conditions were looked at, from tables as large. */
static double limit_ms(const struct sizes *s, uint64_t looks)
{
	uint64_t cells = (uint64_t)s->persons * PERSON_FACTS +
			 (uint64_t)s->persons * s->legs * PAIR_FACTS +
			 (uint64_t)s->legs * (LEG_FACTS + 2);
	uint32_t *index = calloc(cells, sizeof(*index));
	uint64_t *value = calloc(cells * 5, sizeof(*value)); /* as wide as a statement's value */
	usec_t times[ROUNDS];
	volatile uint64_t kept = 0;
	must(index != NULL && value != NULL, "no memory");
	for (uint64_t i = 0; i < cells; i++)
		index[i] = (uint32_t)below(cells);
	for (int round = 0; round < ROUNDS; round++) {
		usec_t from = time_mono();
		uint64_t sum = 0, at = 0;
		for (uint64_t i = 0; i < looks; i++) {
			sum += value[(uint64_t)index[at] * 5];
			at += 7919;
			at = at >= cells ? at % cells : at;
		}
		kept += sum;
		times[round] = time_mono() - from;
	}
	free(index);
	free(value);
	return median_ms(times, ROUNDS);
}

static uint64_t count_nodes(const struct rules_why *w)
{
	uint64_t n = 1;
	for (const struct rules_why *c = w->child; c != NULL; c = c->next)
		n += count_nodes(c);
	return n;
}

static void explain_all(struct rules_eval *e, struct arena *mem, double *ms, uint64_t *nodes)
{
	size_t n;
	const struct rules_finding *f = rules_findings(e, &n);
	usec_t from = time_mono();
	*nodes = 0;
	for (size_t i = 0; i < n; i++) {
		struct arena_mark mark = arena_mark(mem);
		const struct rules_why *why;
		bool cut;
		must(rules_explain(e, &f[i], mem, 0, &why, &cut) == 0, "an explanation");
		*nodes += count_nodes(why);
		arena_release(mem, mark);
	}
	*ms = (double)(time_mono() - from) / 1000.0;
}

static void settle_all(struct rules_eval *e, struct arena *mem, double *ms, size_t *questions)
{
	struct rules_question *q;
	bool cut;
	usec_t from = time_mono();
	must(rules_questions(e, mem, &q, questions, &cut) == 0, "the questions");
	*ms = (double)(time_mono() - from) / 1000.0;
}

static void measure(struct arena *mem, const struct sizes *s, const char *text, size_t len,
		    FILE *asp)
{
	const struct rules_law *law;
	struct rules_file file = {"law", text, len};
	struct rules_eval *e = NULL;
	struct diag d = DIAG_INIT;
	usec_t times[ROUNDS], from = time_mono();
	if (rules_law_load(mem, &file, 1, &law, &d) != 0)
		must(false, d.text);
	double load = (double)(time_mono() - from) / 1000.0;
	from = time_mono();
	struct rules_case *c = make_case(mem, law, s, asp);
	double build = (double)(time_mono() - from) / 1000.0;
	for (int i = 0; i < ROUNDS; i++) {
		struct arena_mark mark = arena_mark(mem);
		from = time_mono();
		must(rules_evaluate(mem, c, NULL, &e, &d) == 0, d.text);
		times[i] = time_mono() - from;
		if (i + 1 < ROUNDS)
			arena_release(mem, mark);
	}
	size_t n, met = 0, open = 0, questions;
	const struct rules_finding *f = rules_findings(e, &n);
	for (size_t i = 0; i < n; i++) {
		met += f[i].status == RULES_MET;
		open += f[i].status >= RULES_UNKNOWN;
	}
	uint64_t nodes, looks = rules_steps(e);
	double evaluate = median_ms(times, ROUNDS), explain, settle, limit = limit_ms(s, looks);
	explain_all(e, mem, &explain, &nodes);
	settle_all(e, mem, &settle, &questions);
	(void)printf(
		"{\"rules\": %u, \"persons\": %u, \"legs\": %u, \"stated\": %u, \"law_bytes\": "
		"%zu, \"findings\": %zu, \"met\": %zu, \"open\": %zu, "
		"\"looks\": %" PRIu64 ", \"load_ms\": %.3f, \"case_ms\": %.3f, \"evaluate_ms\": "
		"%.3f, \"limit_ms\": %.3f, \"explain_all_ms\": %.3f, "
		"\"explain_nodes\": %" PRIu64 ", \"settle_all_ms\": %.3f, \"questions\": %zu}\n",
		s->rules, s->persons, s->legs, s->stated, len, n, met, open, looks, load, build,
		evaluate, limit, explain, nodes, settle, questions);
}

int main(int argc, char **argv)
{
	struct buf law;
	must(argc >= 5, "usage: bench_rules RULES PERSONS LEGS STATED [ASP_FILE]");
	struct sizes s = {
		(unsigned)strtoul(argv[1], NULL, 10), (unsigned)strtoul(argv[2], NULL, 10),
		(unsigned)strtoul(argv[3], NULL, 10), (unsigned)strtoul(argv[4], NULL, 10)};
	struct arena *mem = arena_new(MEM);
	FILE *asp = argc > 5 ? fopen(argv[5], "w") : NULL;
	must(mem != NULL && (argc < 6 || asp != NULL), "no memory, or no such file");
	buf_init(&law, TEXT_MAX);
	buf_puts(&law, head);
	facts_of_the_law(&law);
	for (unsigned i = 0; i < s.rules; i++)
		one_rule(i, &law, asp);
	must(!buf_failed(&law), "the law is too large");
	measure(mem, &s, (const char *)law.data, law.len, asp);
	if (asp != NULL) {
		(void)fprintf(asp, "#show r/2.\n");
		must(fclose(asp) == 0, "the program could not be written");
	}
	buf_release(&law);
	arena_free(mem);
	return 0;
}
