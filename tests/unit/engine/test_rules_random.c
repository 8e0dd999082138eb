/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Random laws and random cases with gaps, held against every world that fills
 * the gaps (rules_random.h): a settled finding is right in all of them, and
 * changes for no reason but a named one.
 */
#include "rules_random.h"

enum {
	UNKNOWN = 0,
	YES = 1,
	NO = 2,
	BOTH = 3,
	CELLS = R_PLAIN + R_OF * R_THINGS + 1,
	WORLDS_MAX = 4000
};

/* What was said of each fact; the number is the last, 1..3 for 0..2. */
struct gaps {
	int things;
	bool complete;
	int said[CELLS];
};

static int cell_of(int fact, int thing)
{
	return R_PLAIN + fact * R_THINGS + thing;
}

static struct gaps random_gaps(struct prop *p)
{
	struct gaps g = {.things = (int)prop_below(p, R_THINGS), .complete = prop_below(p, 2) == 0};
	for (int i = 0; i < CELLS; i++)
		g.said[i] = (int)prop_below(p, 12) < 7 ? 1 + (int)prop_below(p, 2)
			    : prop_below(p, 5) == 0    ? BOTH
						       : UNKNOWN;
	return g;
}

static void say_cell(struct rules_case *c, const struct rules_law *law, int cell, int said)
{
	char fact[16];
	int k = cell - R_PLAIN;
	if (cell < R_PLAIN)
		(void)snprintf(fact, sizeof(fact), "p%d", cell);
	else
		(void)snprintf(fact, sizeof(fact), "of%d", k / R_THINGS);
	uint32_t thing = cell < R_PLAIN ? 0 : (uint32_t)(k % R_THINGS);
	if (said & YES)
		help_say(c, law, fact, thing, 0, "yes", "one", false);
	if (said & NO)
		help_say(c, law, fact, thing, 0, "no", "another", false);
}

static bool in_case(const struct gaps *g, int cell)
{
	return cell < R_PLAIN || cell == CELLS - 1 || (cell - R_PLAIN) % R_THINGS < g->things;
}

/* ${turned}: the same, stated in the opposite order. */
static struct rules_case *make_case(struct arena *mem, const struct rules_law *law,
				    const struct gaps *g, bool turned)
{
	struct rules_case *c = rules_case_new(mem, law);
	static const char *const names[] = {"one", "two", "three"};
	for (int i = 0; i < g->things; i++) {
		uint32_t at;
		assert_int_equal(rules_case_add(c, rules_list_find(law, "thing"), names[i], &at),
				 0);
	}
	rules_case_complete(c, rules_list_find(law, "thing"), g->complete);
	for (int i = 0; i < CELLS; i++) {
		int cell = turned ? CELLS - 1 - i : i;
		if (!in_case(g, cell))
			continue;
		if (cell < CELLS - 1)
			say_cell(c, law, cell, g->said[cell]);
		else if (g->said[cell] != UNKNOWN)
			help_say(c, law, "num", 0, 0,
				 g->said[cell] == YES  ? "0"
				 : g->said[cell] == NO ? "2"
						       : "0..2",
				 "x", false);
	}
	return c;
}

/* The ${i}-th world that fills the gaps, with ${more} things beyond those of the case; false when
 * there is none. */
static bool world_of(const struct gaps *g, int more, unsigned i, struct r_world *w)
{
	memset(w, 0, sizeof(*w));
	w->things = g->things + more;
	for (int cell = 0; cell < CELLS - 1; cell++) {
		int thing = cell < R_PLAIN ? 0 : (cell - R_PLAIN) % R_THINGS;
		bool stated = thing < g->things || cell < R_PLAIN;
		int said = stated ? g->said[cell] : UNKNOWN;
		bool yes = said == YES;
		if (thing >= w->things && cell >= R_PLAIN)
			continue;
		if (said == UNKNOWN || said == BOTH) {
			yes = i & 1;
			i >>= 1;
		}
		*(cell < R_PLAIN ? &w->plain[cell] : &w->of[(cell - R_PLAIN) / R_THINGS][thing]) =
			yes;
	}
	int said = g->said[CELLS - 1];
	w->number = said == YES ? 0 : said == NO ? 2 : (int)(i % 3);
	return said == YES || said == NO ? i == 0 : i < 3;
}

/* What the worlds say; plain: those in which no exception is met. */
struct seen {
	bool yes, no, plain_yes, plain_no;
};

static struct seen all_worlds(const struct r_law *l, const struct gaps *g, int rule, int subject)
{
	struct seen s = {0};
	struct r_world w;
	for (int more = 0; more <= (g->complete || g->things == R_THINGS ? 0 : 1); more++)
		for (unsigned i = 0; i < WORLDS_MAX && world_of(g, more, i, &w); i++) {
			bool yes = r_elements(l, &w, rule, subject) &&
				   !r_defeated(l, &w, rule, subject);
			bool plain = !r_any_exception(l, &w);
			s.yes |= yes;
			s.no |= !yes;
			s.plain_yes |= plain && yes;
			s.plain_no |= plain && !yes;
		}
	return s;
}

static const struct rules_law *law_of(struct arena *mem, const struct r_law *l)
{
	struct buf text;
	buf_init(&text, HELP_FILE_MAX);
	r_law_print(l, &text);
	buf_putc(&text, '\0');
	assert_false(buf_failed(&text));
	const struct rules_law *law = help_law(mem, (const char *)text.data);
	buf_release(&text);
	return law;
}

static struct rules_finding find(struct rules_eval *e, const struct rules_law *law, int rule,
				 int thing)
{
	char name[16];
	struct rules_finding f;
	uint32_t members[3] = {(uint32_t)thing, 0, 0};
	(void)snprintf(name, sizeof(name), "r%d", rule);
	assert_int_equal(rules_find(e, rules_conclusion_find(law, name), members, &f), 0);
	return f;
}

static struct rules_eval *evaluate(struct arena *mem, const struct rules_case *c)
{
	struct rules_eval *e;
	assert_int_equal(rules_evaluate(mem, c, NULL, &e, NULL), 0);
	return e;
}

/* How often each status came up, so that the test is known to test something. */
static unsigned counted[4], defeated, unexamined;

static void hold_against_worlds(const struct r_law *l, const struct gaps *g,
				const struct rules_finding *f, int rule, int thing, uint64_t seed)
{
	struct seen s = all_worlds(l, g, rule, thing);
	bool examined = !(f->flags & RULES_UNEXAMINED);
	counted[f->status]++;
	defeated += (f->flags & RULES_DEFEATED) != 0;
	unexamined += !examined;
	if (f->status == RULES_MET && (examined ? s.no : s.plain_no))
		fail_msg("seed %llu: r%d of %d is met, and a world says no",
			 (unsigned long long)seed, rule, thing);
	if (f->status == RULES_NOT_MET && (examined ? s.yes : s.plain_yes))
		fail_msg("seed %llu: r%d of %d is not met, and a world says yes",
			 (unsigned long long)seed, rule, thing);
	if (f->flags & RULES_DEFEATED && examined && s.yes)
		fail_msg("seed %llu: defeated, and a world says yes", (unsigned long long)seed);
}

static void settled_findings_hold_in_every_world(void **state)
{
	(void)state;
	struct arena *mem = arena_new(HELP_MEM);
	static struct r_law l;
	for (uint64_t seed = 1; seed <= prop_rounds(1500); seed++) {
		struct prop p = {seed};
		r_law_make(&l, &p);
		const struct rules_law *law = law_of(mem, &l);
		struct gaps g = random_gaps(&p);
		struct rules_eval *e = evaluate(mem, make_case(mem, law, &g, false));
		for (int rule = 0; rule < R_RULES; rule++)
			for (int thing = 0; thing < g.things; thing++) {
				struct rules_finding f = find(e, law, rule, thing);
				hold_against_worlds(&l, &g, &f, rule, thing, seed);
			}
		arena_reset(mem);
	}
	arena_free(mem);
	for (int i = 0; i < 4; i++)
		assert_true(counted[i] > 20);
	assert_true(defeated > 20);
	assert_true(unexamined > 20);
}

/* With nothing unknown, disputed or open, the engine is the reference. */
static void nothing_unknown_is_plain_logic(void **state)
{
	(void)state;
	struct arena *mem = arena_new(HELP_MEM);
	static struct r_law l;
	for (uint64_t seed = 1; seed <= prop_rounds(1500); seed++) {
		struct prop p = {seed * 7919};
		r_law_make(&l, &p);
		const struct rules_law *law = law_of(mem, &l);
		struct gaps g = random_gaps(&p);
		struct r_world w;
		g.complete = true;
		for (int i = 0; i < CELLS; i++)
			g.said[i] = 1 + (int)prop_below(&p, 2);
		assert_true(world_of(&g, 0, 0, &w));
		struct rules_eval *e = evaluate(mem, make_case(mem, law, &g, false));
		for (int rule = 0; rule < R_RULES; rule++)
			for (int thing = 0; thing < g.things; thing++) {
				struct rules_finding f = find(e, law, rule, thing);
				bool elements = r_elements(&l, &w, rule, thing),
				     def = r_defeated(&l, &w, rule, thing);
				if (f.status != (elements && !def ? RULES_MET : RULES_NOT_MET))
					fail_msg("seed %llu: r%d of %d is %d",
						 (unsigned long long)seed, rule, thing, f.status);
				assert_false(f.flags & (RULES_UNEXAMINED | RULES_BY_DISPUTE |
							RULES_BY_OPEN_LIST));
			}
		arena_reset(mem);
	}
	arena_free(mem);
}

/* A fact that was unknown is given: what was settled stays, unless an exception named it. */
static void a_settled_finding_stays(void **state)
{
	(void)state;
	struct arena *mem = arena_new(HELP_MEM);
	static struct r_law l;
	unsigned changed = 0, held = 0;
	for (uint64_t seed = 1; seed <= prop_rounds(1500); seed++) {
		struct prop p = {seed * 104729};
		r_law_make(&l, &p);
		const struct rules_law *law = law_of(mem, &l);
		struct gaps g = random_gaps(&p), more;
		more = g;
		for (int i = 0; i < CELLS; i++)
			if (g.said[i] == UNKNOWN && prop_below(&p, 2) == 0)
				more.said[i] = 1 + (int)prop_below(&p, 2);
		struct rules_eval *e = evaluate(mem, make_case(mem, law, &g, false)),
				  *after = evaluate(mem, make_case(mem, law, &more, false));
		for (int rule = 0; rule < R_RULES; rule++)
			for (int thing = 0; thing < g.things; thing++) {
				struct rules_finding f = find(e, law, rule, thing),
						     now = find(after, law, rule, thing);
				if (f.status > RULES_MET)
					continue;
				held += f.status == now.status;
				changed += f.status != now.status;
				if (f.status != now.status && !(f.flags & RULES_UNEXAMINED))
					fail_msg("seed %llu: r%d of %d was %d and is %d",
						 (unsigned long long)seed, rule, thing, f.status,
						 now.status);
			}
		arena_reset(mem);
	}
	arena_free(mem);
	assert_true(changed > 5 && held > 100);
}

/* What the explanation names is enough: a case of nothing else comes to the same. */
static void collect(const struct rules_why *w, struct rules_case *only)
{
	if (w->said != NULL)
		rules_case_unstate(only, w->fact, w->member);
	for (const struct rules_statement *x = w->said; x != NULL; x = x->next)
		assert_int_equal(rules_case_state(only, w->fact, w->member, x->value, &x->said), 0);
	for (const struct rules_why *c = w->child; c != NULL; c = c->next)
		collect(c, only);
}

static void an_explanation_is_enough(void **state)
{
	(void)state;
	struct arena *mem = arena_new(HELP_MEM);
	static struct r_law l;
	unsigned explained = 0;
	for (uint64_t seed = 1; seed <= prop_rounds(1000); seed++) {
		struct prop p = {seed * 193939};
		r_law_make(&l, &p);
		const struct rules_law *law = law_of(mem, &l);
		struct gaps g = random_gaps(&p), nothing = g;
		memset(nothing.said, 0, sizeof(nothing.said));
		struct rules_eval *e = evaluate(mem, make_case(mem, law, &g, false));
		for (int rule = 0; rule < R_RULES; rule++)
			for (int thing = 0; thing < g.things; thing++) {
				struct rules_finding f = find(e, law, rule, thing);
				const struct rules_why *w;
				bool cut;
				assert_int_equal(rules_explain(e, &f, mem, 0, &w, &cut), 0);
				assert_false(cut);
				assert_true(w->status == f.status && w->flags == f.flags);
				if (f.status > RULES_MET)
					continue;
				struct rules_case *only = make_case(mem, law, &nothing, false);
				collect(w, only);
				struct rules_finding now =
					find(evaluate(mem, only), law, rule, thing);
				if (now.status != f.status)
					fail_msg("seed %llu: r%d of %d is %d, and what explains it "
						 "gives %d",
						 (unsigned long long)seed, rule, thing, f.status,
						 now.status);
				explained++;
			}
		arena_reset(mem);
	}
	arena_free(mem);
	assert_true(explained > 500);
}

/* States what a way asks for, as far as it is a yes or a no or the number. */
static void follow(struct rules_case *c, const struct rules_way *w)
{
	for (uint32_t i = 0; i < w->n; i++) {
		const struct rules_step *x = &w->step[i];
		if (x->list != NULL) {
			rules_case_complete(c, x->list, true);
			continue;
		}
		if (x->fact->type != RULES_YESNO)
			continue;
		rules_case_unstate(c, x->fact, x->member);
		assert_int_equal(rules_case_state(c, x->fact, x->member, rules_yes(x->holds), NULL),
				 0);
	}
}

static bool asks_number(const struct rules_way *w)
{
	bool asks = false;
	for (uint32_t i = 0; i < w->n; i++)
		asks = asks || (w->step[i].fact != NULL && w->step[i].fact->type == RULES_NUMBER);
	return asks;
}

static void a_way_settles(void **state)
{
	(void)state;
	struct arena *mem = arena_new(HELP_MEM);
	static struct r_law l;
	unsigned followed = 0;
	for (uint64_t seed = 1; seed <= prop_rounds(1000); seed++) {
		struct prop p = {seed * 50021};
		r_law_make(&l, &p);
		const struct rules_law *law = law_of(mem, &l);
		struct gaps g = random_gaps(&p);
		struct rules_case *c = make_case(mem, law, &g, false);
		struct rules_eval *e = evaluate(mem, c);
		for (int rule = 0; rule < R_RULES; rule++)
			for (int thing = 0; thing < g.things; thing++) {
				struct rules_finding f = find(e, law, rule, thing);
				struct rules_settlings s;
				assert_int_equal(rules_settle(e, &f, mem, &s), 0);
				assert_true(f.status > RULES_MET || s.n == 0);
				for (uint32_t i = 0; i < s.n; i++) {
					assert_in_range(s.way[i].facts, 1, RULES_SETTLE_FACTS);
					if (asks_number(&s.way[i]))
						continue;
					struct rules_case *now = rules_case_fork(mem, c);
					follow(now, &s.way[i]);
					struct rules_finding then =
						find(evaluate(mem, now), law, rule, thing);
					if (then.status != s.way[i].to)
						fail_msg("seed %llu: r%d of %d, way %u leads to %d",
							 (unsigned long long)seed, rule, thing, i,
							 then.status);
					followed++;
				}
				/* Trying leaves no trace. */
				struct rules_finding again = find(e, law, rule, thing);
				assert_true(again.status == f.status && again.flags == f.flags);
			}
		arena_reset(mem);
	}
	arena_free(mem);
	assert_true(followed > 500);
}

static bool has_single(const struct rules_settlings *s, const struct rules_fact *f, uint32_t thing,
		       enum rules_status to)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->way[i].facts == 1 && s->way[i].to == to && s->way[i].step[0].fact == f &&
		    (f->subjects == 0 || s->way[i].step[0].member[0] == thing))
			return true;
	return false;
}

/* Each single answer that settles a finding, found by trying them all, is among the ways. */
static void no_single_answer_is_missed(void **state)
{
	(void)state;
	struct arena *mem = arena_new(HELP_MEM);
	static struct r_law l;
	unsigned settled = 0;
	for (uint64_t seed = 1; seed <= prop_rounds(400); seed++) {
		struct prop p = {seed * 611953};
		r_law_make(&l, &p);
		const struct rules_law *law = law_of(mem, &l);
		struct gaps g = random_gaps(&p), one;
		struct rules_eval *e = evaluate(mem, make_case(mem, law, &g, false));
		for (int cell = 0; cell < CELLS; cell++) {
			char name[16];
			if (!in_case(&g, cell) || g.said[cell] == YES || g.said[cell] == NO)
				continue;
			(void)snprintf(name, sizeof(name),
				       cell < R_PLAIN      ? "p%d"
				       : cell == CELLS - 1 ? "num"
							   : "of%d",
				       cell < R_PLAIN ? cell : (cell - R_PLAIN) / R_THINGS);
			for (int said = YES; said <= NO; said++) {
				one = g;
				one.said[cell] = said;
				struct rules_eval *now =
					evaluate(mem, make_case(mem, law, &one, false));
				for (int rule = 0; rule < R_RULES; rule++)
					for (int thing = 0; thing < g.things; thing++) {
						struct rules_finding f = find(e, law, rule, thing),
								     t = find(now, law, rule,
									      thing);
						struct rules_settlings s;
						/* Where an answer would raise an exception at once,
						 * ways are told only if they settle that too. */
						if (f.status <= RULES_MET || t.status > RULES_MET ||
						    f.flags & RULES_UNEXAMINED)
							continue;
						assert_int_equal(rules_settle(e, &f, mem, &s), 0);
						uint32_t of =
							cell < R_PLAIN || cell == CELLS - 1
								? 0
								: (uint32_t)((cell - R_PLAIN) %
									     R_THINGS);
						if (!s.cut &&
						    !has_single(&s, rules_fact_find(law, name), of,
								t.status))
							fail_msg("seed %llu: %s of %u settles r%d "
								 "of %d, and no way says so",
								 (unsigned long long)seed, name, of,
								 rule, thing);
						settled++;
					}
			}
		}
		arena_reset(mem);
	}
	arena_free(mem);
	assert_true(settled > 200);
}

/* Whatever changes has a cause; what was settled and changes, a named one. */
static void every_change_has_its_cause(void **state)
{
	(void)state;
	struct arena *mem = arena_new(HELP_MEM);
	static struct r_law l;
	unsigned unsettled = 0;
	for (uint64_t seed = 1; seed <= prop_rounds(1000); seed++) {
		struct prop p = {seed * 86028121};
		r_law_make(&l, &p);
		const struct rules_law *law = law_of(mem, &l);
		struct gaps g = random_gaps(&p), more = g;
		struct rules_change *change;
		size_t n;
		for (int i = 0; i < CELLS; i++)
			if (g.said[i] == UNKNOWN && prop_below(&p, 2) == 0)
				more.said[i] = 1 + (int)prop_below(&p, 2);
		struct rules_eval *e = evaluate(mem, make_case(mem, law, &g, false)),
				  *after = evaluate(mem, make_case(mem, law, &more, false));
		assert_int_equal(rules_diff(e, e, mem, &change, &n), 0);
		assert_int_equal(n, 0);
		assert_int_equal(rules_diff(e, after, mem, &change, &n), 0);
		for (size_t i = 0; i < n; i++) {
			bool exception = change[i].more_causes > 0;
			assert_true(change[i].causes > 0 && !change[i].is_new);
			for (uint32_t k = 0; k < change[i].causes; k++)
				exception = exception ||
					    change[i].cause[k].kind == RULES_CAUSE_EXCEPTION;
			if (change[i].before.status <= RULES_MET && !exception)
				fail_msg("seed %llu: %s was settled and changed unnamed",
					 (unsigned long long)seed,
					 change[i].after.conclusion->name);
			unsettled += change[i].before.status <= RULES_MET;
		}
		arena_reset(mem);
	}
	arena_free(mem);
	assert_true(unsettled > 5);
}

static void order_does_not_matter(void **state)
{
	(void)state;
	struct arena *mem = arena_new(HELP_MEM);
	static struct r_law l;
	for (uint64_t seed = 1; seed <= prop_rounds(500); seed++) {
		struct prop p = {seed * 31};
		r_law_make(&l, &p);
		const struct rules_law *law = law_of(mem, &l);
		struct gaps g = random_gaps(&p), swapped;
		swapped = g;
		for (int f = 0; f < R_OF; f++) { /* the first and the second thing change places */
			swapped.said[cell_of(f, 0)] = g.said[cell_of(f, 1)];
			swapped.said[cell_of(f, 1)] = g.said[cell_of(f, 0)];
		}
		struct rules_eval *e = evaluate(mem, make_case(mem, law, &g, false)),
				  *turned = evaluate(mem, make_case(mem, law, &g, true));
		struct rules_eval *other = evaluate(mem, make_case(mem, law, &swapped, false));
		for (int rule = 0; rule < R_RULES; rule++)
			for (int thing = 0; thing < g.things; thing++) {
				struct rules_finding f = find(e, law, rule, thing),
						     t = find(turned, law, rule, thing);
				assert_true(f.status == t.status && f.flags == t.flags);
				if (g.things < 2)
					continue;
				struct rules_finding o =
					find(other, law, rule, thing < 2 ? 1 - thing : thing);
				if (f.status != o.status || f.flags != o.flags)
					fail_msg("seed %llu: r%d of %d is %d with %x, and where "
						 "they change places %d with %x",
						 (unsigned long long)seed, rule, thing, f.status,
						 f.flags, o.status, o.flags);
			}
		arena_reset(mem);
	}
	arena_free(mem);
}

/* Disputed means: nobody lacks anything, and whoever is believed, it is settled. */
static void a_dispute_is_settled_by_belief(void **state)
{
	(void)state;
	struct arena *mem = arena_new(HELP_MEM);
	static struct r_law l;
	unsigned disputed = 0;
	for (uint64_t seed = 1; seed <= prop_rounds(1500); seed++) {
		struct prop p = {seed * 65537};
		r_law_make(&l, &p);
		const struct rules_law *law = law_of(mem, &l);
		struct gaps g = random_gaps(&p), believed;
		for (int i = 0; i < CELLS - 1; i++)
			if (prop_below(&p, 3) == 0)
				g.said[i] = BOTH;
		believed = g;
		for (int i = 0; i < CELLS - 1; i++)
			if (g.said[i] == BOTH)
				believed.said[i] = 1 + (int)prop_below(&p, 2);
		struct rules_eval *e = evaluate(mem, make_case(mem, law, &g, false)),
				  *b = evaluate(mem, make_case(mem, law, &believed, false));
		for (int rule = 0; rule < R_RULES; rule++)
			for (int thing = 0; thing < g.things; thing++) {
				struct rules_finding f = find(e, law, rule, thing),
						     now = find(b, law, rule, thing);
				disputed += f.status == RULES_DISPUTED;
				if (f.status == RULES_DISPUTED && now.status > RULES_MET)
					fail_msg("seed %llu: r%d of %d stays open",
						 (unsigned long long)seed, rule, thing);
				assert_true(f.status != RULES_DISPUTED ||
					    f.flags & RULES_BY_DISPUTE);
			}
		arena_reset(mem);
	}
	arena_free(mem);
	assert_true(disputed > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settled_findings_hold_in_every_world),
		cmocka_unit_test(nothing_unknown_is_plain_logic),
		cmocka_unit_test(a_settled_finding_stays),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(a_dispute_is_settled_by_belief),
		cmocka_unit_test(an_explanation_is_enough),
		cmocka_unit_test(a_way_settles),
		cmocka_unit_test(no_single_answer_is_missed),
		cmocka_unit_test(every_change_has_its_cause),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
