/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What would settle an open finding: the small sets of facts, at most three,
 * that would make it met or not met, and the question worth asking first.
 *
 * A *step* is one condition that would hold or not hold: "fee is at least 50
 * USD" of these members.  The ways to make a condition come out as wanted are
 * built from below: for "all of" to be met, one way of each open limb
 * together; to be not met, a way of any.  Every group and quantifier is an "at
 * least need of", as in evaluation.  Only the smallest ways are kept, so many
 * of them at each condition; whatever is left out is said (cut).
 *
 * Before a way is told it is tried: values are found that make its steps come
 * true together, and the finding is evaluated with them.  What does not settle
 * it then (two steps that exclude each other, a fact that raises an exception)
 * is not told.
 */
#include "engine/rules/settle.h"

#include <string.h>

/* ---- ways ---- */

static bool spend(struct search *s)
{
	if (++s->work > s->work_max)
		s->cut = true;
	return s->work <= s->work_max;
}

static bool part_of(const struct way *a, const struct way *b)
{
	uint8_t k = 0;
	for (uint8_t i = 0; i < a->n; i++) {
		while (k < b->n && b->step[k] < a->step[i])
			k++;
		if (k == b->n || b->step[k] != a->step[i])
			return false;
	}
	return true;
}

static bool smaller(const struct way *a, const struct way *b)
{
	return a->facts != b->facts ? a->facts < b->facts : a->n < b->n;
}

/* Keeps the ways that contain no other, the smallest first. */
static void add_way(struct search *s, struct ways *to, const struct way *w)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < to->n; i++)
		if (part_of(&to->way[i], w))
			return;
	for (uint32_t i = 0; i < to->n; i++)
		if (!part_of(w, &to->way[i]))
			to->way[kept++] = to->way[i];
	to->n = kept;
	if (to->n == WAYS_MAX) {
		s->cut = true;
		if (!smaller(w, &to->way[to->n - 1]))
			return;
		to->n--;
	}
	uint32_t at = to->n++;
	for (; at > 0 && smaller(w, &to->way[at - 1]); at--)
		to->way[at] = to->way[at - 1];
	to->way[at] = *w;
}

static void add_ways(struct search *s, struct ways *to, const struct ways *more)
{
	for (uint32_t i = 0; i < more->n; i++)
		add_way(s, to, &more->way[i]);
}

/* Both together; false if they exclude each other or are too many. */
static bool join(struct search *s, const struct way *a, const struct way *b, struct way *ret)
{
	struct way w = {0};
	uint8_t i = 0, k = 0;
	while (i < a->n || k < b->n) {
		bool first = k == b->n || (i < a->n && a->step[i] <= b->step[k]);
		uint16_t at = first ? a->step[i] : b->step[k];
		if (!first || (k < b->n && b->step[k] == at))
			k++;
		i += first;
		if (w.n == STEPS_WAY) {
			s->cut = true;
			return false;
		}
		bool known = false;
		for (uint8_t m = 0; m < w.n; m++) {
			const struct step *x = &s->step[w.step[m]], *y = &s->step[at];
			known = known || x->place == y->place;
			if (x->place == y->place && x->cond != NULL && x->want != y->want &&
			    ((x->cond == y->cond && x->cond->with.fact == NULL) ||
			     x->fact->type == RULES_YESNO))
				return false;
		}
		w.facts += !known;
		w.step[w.n++] = at;
	}
	if (w.facts > RULES_SETTLE_FACTS)
		s->cut = true;
	*ret = w;
	return w.facts <= RULES_SETTLE_FACTS;
}

static void product(struct search *s, struct ways *to, const struct ways *a, const struct ways *b)
{
	struct way w;
	for (uint32_t i = 0; i < a->n; i++)
		for (uint32_t k = 0; k < b->n && spend(s); k++)
			if (join(s, &a->way[i], &b->way[k], &w))
				add_way(s, to, &w);
}

static void nothing_needed(struct ways *to)
{
	*to = (struct ways){.n = 1};
}

/* ---- steps ---- */

static bool same_step(const struct step *a, const struct step *b)
{
	return a->cond == b->cond && a->place == b->place && a->want == b->want &&
	       a->second == b->second && memcmp(a->x, b->x, sizeof(a->x)) == 0 &&
	       memcmp(a->y, b->y, sizeof(a->y)) == 0;
}

/* The index of the step, made if it is new; -1 when there are too many. */
static int intern(struct search *s, struct step *x, struct scope *scope)
{
	uint64_t h = x->place * 31 + (uint64_t)(x->cond != NULL ? x->cond->line : 0) * 7 + x->want;
	uint32_t i = (uint32_t)(h * UINT64_C(0x9e3779b97f4a7c15) >> 40) & (STEP_SLOTS - 1);
	for (; s->slot[i] != 0; i = (i + 1) & (STEP_SLOTS - 1))
		if (same_step(&s->step[s->slot[i] - 1], x))
			return s->slot[i] - 1;
	if (s->steps == STEPS_MAX) {
		s->cut = true;
		return -1;
	}
	if (scope != NULL)
		x->scope = *scope;
	s->step[s->steps] = *x;
	s->slot[i] = (uint16_t)++s->steps;
	return (int)s->steps - 1;
}

static bool may_be_asked(const struct cell *c)
{
	return c->n != 1 || c->at[0].value.lo != c->at[0].value.hi;
}

/* The ways of a fact, or of two that are held against each other. */
static void fact_ways(struct search *s, const struct rules_cond *c, struct scope *scope,
		      const uint32_t *bind, bool want, struct ways *to)
{
	struct way all = {0}, one = {.n = 1, .facts = 1};
	struct step x = {.cond = c, .want = want};
	memcpy(x.bind, bind, scope->n * sizeof(bind[0]));
	const struct cond_term *side[] = {&c->term, &c->with};
	term_members(&c->term, bind, x.x);
	if (c->with.fact != NULL)
		term_members(&c->with, bind, x.y);
	for (int i = 0; i < (c->with.fact != NULL ? 2 : 1); i++) {
		if (!may_be_asked(eval_cell(s->e, side[i], bind)))
			continue;
		x.second = i == 1;
		x.fact = side[i]->fact;
		term_members(side[i], bind, x.member);
		x.place = eval_fact_place(s->e, x.fact, x.member);
		int at = intern(s, &x, scope);
		one.step[0] = (uint16_t)at;
		if (at < 0 || !join(s, &all, &one, &all))
			return;
	}
	if (all.n > 0)
		add_way(s, to, &all);
}

static void list_ways(struct search *s, const struct rules_list *list, struct ways *to)
{
	struct step x = {.list = list, .want = true, .place = UINT64_MAX - list->index};
	int at = intern(s, &x, NULL);
	struct way w = {.n = 1, .facts = 1, .step = {(uint16_t)at}};
	if (at >= 0)
		add_way(s, to, &w);
}

/* ---- conditions ---- */

/* What is counted: "at least need of" parts, each to come out as good. */
struct count {
	struct ways *reached; /* [k]: the ways to have k of them, k up to need */
	uint32_t need;
};

static void cond_ways(struct search *s, const struct rules_cond *c, struct scope *scope,
		      uint32_t *bind, bool want, struct ways *to);

/* One more part, whose ways are ${part}: it may be used or left. */
static void count_part(struct search *s, struct count *c, const struct ways *part)
{
	for (uint32_t k = c->need; k-- > 0;)
		if (c->reached[k].n > 0 && part->n > 0)
			product(s, &c->reached[k + 1], &c->reached[k], part);
}

static bool wants_all(const struct rules_cond *c, bool want)
{
	bool each = c->kind == COND_ALL || c->kind == COND_EACH;
	bool none = c->kind == COND_NONE || c->kind == COND_NO;
	return each || none ? want : !want;
}

/* Which outcome of the parts is worked for, and of how many of ${total}. */
static uint32_t needed(const struct rules_cond *c, bool want, uint32_t total, bool *good)
{
	bool counted = c->kind == COND_COUNT || c->kind == COND_MANY;
	*good = c->kind == COND_NONE || c->kind == COND_NO ? !want : want;
	if (counted)
		return want ? c->n : total >= c->n ? total - c->n + 1 : 0;
	return wants_all(c, want) ? total : 1;
}

static void member_ways(struct search *s, const struct rules_cond *c, struct scope *scope,
			uint32_t *bind, bool want, struct ways *to)
{
	struct ways is = {0}, body = {0};
	bool each = c->kind == COND_EACH;
	if (!c->such_that) {
		cond_ways(s, c->child, scope, bind, want, to);
		return;
	}
	cond_ways(s, c->child, scope, bind, each != want, &is);
	cond_ways(s, c->child->next, scope, bind, want, &body);
	if (each == want) { /* either will do */
		add_ways(s, to, &is);
		add_ways(s, to, &body);
	} else {
		product(s, to, &is, &body);
	}
}

static void group_ways(struct search *s, const struct rules_cond *c, struct scope *scope,
		       uint32_t *bind, bool want, struct ways *to)
{
	bool quantifier = cond_is_quantifier(c->kind), good;
	uint32_t total = 0;
	for (const struct rules_cond *x = c->child; !quantifier && x != NULL; x = x->next)
		total++;
	if (quantifier)
		total = eval_size(s->e, c->list);
	struct count count = {.need = needed(c, want, total, &good)};
	if (count.need > total)
		return;
	struct arena_mark mark = arena_mark(s->mem);
	count.reached = arena_array(s->mem, (size_t)count.need + 1, sizeof(count.reached[0]));
	struct ways *part = arena_alloc(s->mem, sizeof(*part));
	if (count.reached == NULL || part == NULL) {
		s->failed = true;
		return;
	}
	nothing_needed(&count.reached[0]);
	const struct rules_cond *child = c->child;
	for (uint32_t i = 0; i < total && spend(s); i++) {
		part->n = 0;
		if (quantifier) {
			bind[c->slot] = i;
			member_ways(s, c, scope, bind, good, part);
		} else {
			cond_ways(s, child, scope, bind, good, part);
			child = child->next;
		}
		count_part(s, &count, part);
	}
	/* Where all of a list's members are meant, there must be no others. */
	bool whole = c->kind == COND_MANY ? !want : wants_all(c, want);
	if (quantifier && whole && eval_open(s->e, c->list)) {
		struct ways complete = {0};
		list_ways(s, c->list, &complete);
		product(s, to, &count.reached[count.need], &complete);
	} else {
		add_ways(s, to, &count.reached[count.need]);
	}
	arena_release(s->mem, mark); /* nothing that is kept was taken since */
}

static void cond_ways(struct search *s, const struct rules_cond *c, struct scope *scope,
		      uint32_t *bind, bool want, struct ways *to)
{
	uint32_t members[RULES_SUBJECTS_MAX];
	result_t r = eval_cond(s->e, c, bind);
	if (is_settled(r)) {
		if ((status_of(r) == RULES_MET) == want)
			nothing_needed(to);
		return;
	}
	if (!spend(s) || s->depth == DEPTH_MAX) {
		s->cut = true;
		return;
	}
	s->depth++;
	if (c->kind == COND_NOT) {
		cond_ways(s, c->child, scope, bind, !want, to);
	} else if (c->kind == COND_FACT) {
		fact_ways(s, c, scope, bind, want, to);
	} else if (c->kind == COND_CONCLUSION) {
		term_members(&c->term, bind, members);
		conclusion_ways(s, c->term.conclusion, members, want, to);
	} else if (cond_is_quantifier(c->kind)) {
		(void)scope_push(scope, c->list, c->as);
		group_ways(s, c, scope, bind, want, to);
		scope->n--;
	} else {
		group_ways(s, c, scope, bind, want, to);
	}
	s->depth--;
}

/* All readings must come to it. */
static void reading_ways(struct search *s, const struct rules_rule *rule, uint32_t *bind, bool want,
			 struct ways *to)
{
	struct scope scope = scope_of(rule->conclusion->subject, rule->conclusion->subjects);
	nothing_needed(to);
	for (uint32_t i = 0; i < rule->readings; i++) {
		struct ways one = {0}, both = {0};
		cond_ways(s, rule->reading[i].cond, &scope, bind, want, &one);
		product(s, &both, to, &one);
		*to = both;
	}
}

void conclusion_ways(struct search *s, const struct rules_conclusion *c, const uint32_t *members,
		     bool want, struct ways *to)
{
	uint32_t bind[RULES_VARS_MAX] = {0}, of[RULES_SUBJECTS_MAX];
	const struct rules_rule *rule = eval_version(s->e, c);
	struct ways here = {0};
	if (rule == NULL)
		return;
	memcpy(bind, members, c->subjects * sizeof(bind[0]));
	reading_ways(s, rule, bind, want, &here);
	for (const struct rules_cond *x = rule->unless; x != NULL; x = x->next) {
		struct ways heard = {0}, both = {0};
		term_members(&x->term, bind, of);
		result_t r = eval_conclusion(s->e, x->term.conclusion, of);
		if (is_settled(r) || !eval_raised(s->e, eval_version(s->e, x->term.conclusion), of))
			continue;
		conclusion_ways(s, x->term.conclusion, of, !want, &heard);
		if (want)
			product(s, &both, &here, &heard);
		else
			both = here, add_ways(s, &both, &heard);
		here = both;
	}
	add_ways(s, to, &here);
}
