/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Evaluation: strong Kleene logic with a fourth value.
 *
 * Not met decides an "all of", met an "any of", whatever else is unknown.
 * What is not decided is *unknown* if anything unknown bears on it, else
 * *disputed*: it would be settled if those who differ agreed.  Everything is
 * an "at least n of" over counts (decide), so that the order of conditions,
 * facts and members cannot matter.
 *
 * Exceptions: one that is met defeats; one that is open counts only if
 * somebody raised it; one that nobody raised does not block and is marked as
 * not examined.
 *
 * Bounded: conclusions do not rest on themselves (check.c), lists are finite,
 * and every condition looked at is a step of options.steps_max.
 */
#include "engine/rules/eval.h"

#include <errno.h>
#include <string.h>

#define CELLS_MAX    (UINT64_C(1) << 27)
#define FINDINGS_MAX (UINT64_C(1) << 24)
#define STEPS_USUAL  UINT64_C(100000000)

uint32_t eval_size(const struct rules_eval *e, const struct rules_list *list)
{
	return e->size[list->index];
}

bool eval_open(const struct rules_eval *e, const struct rules_list *list)
{
	return e->open[list->index];
}

/* The place of these members in a table over the lists of the subjects. */
static uint64_t place(const struct rules_eval *e, const struct rules_subject *s, uint32_t n,
		      const uint32_t *members)
{
	uint64_t at = 0;
	for (uint32_t i = 0; i < n; i++)
		at = at * eval_size(e, s[i].list) + members[i];
	return at;
}

static uint64_t places(const struct rules_eval *e, const struct rules_subject *s, uint32_t n)
{
	uint64_t all = 1;
	for (uint32_t i = 0; i < n; i++)
		all *= eval_size(e, s[i].list);
	return all;
}

uint64_t eval_fact_place(const struct rules_eval *e, const struct rules_fact *f,
			 const uint32_t *members)
{
	return e->fact_base[f->index] + place(e, f->subject, f->subjects, members);
}

uint64_t eval_place(const struct rules_eval *e, const struct rules_conclusion *c,
		    const uint32_t *members)
{
	return e->conclusion_base[c->index] + place(e, c->subject, c->subjects, members);
}

void term_members(const struct cond_term *t, const uint32_t *bind, uint32_t *members)
{
	for (uint32_t i = 0; i < RULES_SUBJECTS_MAX; i++)
		members[i] = bind[t->slot[i]];
}

static const struct cell *cell_of(const struct rules_eval *e, const struct rules_fact *f,
				  const uint32_t *members)
{
	return &e->cell[e->fact_cell[eval_fact_place(e, f, members)]];
}

const struct cell *eval_cell(const struct rules_eval *e, const struct cond_term *t,
			     const uint32_t *bind)
{
	uint32_t members[RULES_SUBJECTS_MAX];
	term_members(t, bind, members);
	return cell_of(e, t->fact, members);
}

const struct rules_rule *eval_version(const struct rules_eval *e, const struct rules_conclusion *c)
{
	int32_t day = c->law_of == RULES_OF_ACT ? e->options.act_day : e->options.request_day;
	return rules_version(c, day);
}

/* ---- counting ---- */

/*
 * Firm: so decided that no exception that was not examined could change it.
 * A settled result that is not firm is flagged as unexamined.
 */
result_t decide(const struct tally *t, uint32_t need, bool open)
{
	const uint32_t *n = t->n, *weak = t->weak;
	uint32_t may = n[RULES_MET] + n[RULES_UNKNOWN] + n[RULES_DISPUTED];
	if (n[RULES_MET] >= need)
		return RULES_MET | (n[RULES_MET] - weak[RULES_MET] >= need ? 0 : RULES_UNEXAMINED);
	if (!open && may < need)
		return RULES_NOT_MET | (may + weak[RULES_NOT_MET] < need ? 0 : RULES_UNEXAMINED);
	unsigned up = t->flags | (weak[0] + weak[1] > 0 ? RULES_UNEXAMINED : 0u);
	enum rules_status status = n[RULES_UNKNOWN] > 0 || open ? RULES_UNKNOWN : RULES_DISPUTED;
	return (result_t)((unsigned)status | up | (open ? RULES_BY_OPEN_LIST : 0u));
}

static struct tally contrary(const struct tally *t)
{
	struct tally c = *t;
	c.n[RULES_MET] = t->n[RULES_NOT_MET];
	c.n[RULES_NOT_MET] = t->n[RULES_MET];
	c.weak[RULES_MET] = t->weak[RULES_NOT_MET];
	c.weak[RULES_NOT_MET] = t->weak[RULES_MET];
	return c;
}

result_t decide_kind(const struct rules_cond *c, const struct tally *t, bool open)
{
	struct tally turned;
	switch (c->kind) {
	case COND_ALL:
	case COND_EACH: /* not any that is not */
		turned = contrary(t);
		return invert(decide(&turned, 1, open));
	case COND_NONE:
	case COND_NO:
		return invert(decide(t, 1, open));
	case COND_COUNT:
	case COND_MANY:
		return decide(t, c->n, open);
	default:
		return decide(t, 1, open);
	}
}

static result_t pair(enum cond_kind kind, result_t a, result_t b)
{
	struct rules_cond two = {.kind = kind};
	struct tally t = {0};
	tally_add(&t, a);
	tally_add(&t, b);
	return decide_kind(&two, &t, false);
}

/* ---- conditions ---- */

result_t eval_member(struct rules_eval *e, const struct rules_cond *c, uint32_t *bind)
{
	if (!c->such_that)
		return eval_cond(e, c->child, bind);
	result_t is = eval_cond(e, c->child, bind);
	if (status_of(is) == RULES_NOT_MET) /* whatever the rest is */
		return c->kind == COND_EACH ? invert(is) : is;
	result_t body = eval_cond(e, c->child->next, bind);
	return c->kind == COND_EACH ? pair(COND_ANY, invert(is), body) : pair(COND_ALL, is, body);
}

/* Whether what was counted decides firmly already, whatever the others are. */
static bool is_firm(const struct rules_cond *c, const struct tally *t)
{
	bool each = c->kind == COND_ALL || c->kind == COND_EACH;
	enum rules_status by = each ? RULES_NOT_MET : RULES_MET;
	return t->n[by] - t->weak[by] >= (c->kind == COND_COUNT || c->kind == COND_MANY ? c->n : 1);
}

static result_t eval_quantifier(struct rules_eval *e, const struct rules_cond *c, uint32_t *bind)
{
	struct tally t = {0};
	uint32_t n = eval_size(e, c->list);
	for (uint32_t i = 0; i < n && !e->exhausted && !is_firm(c, &t); i++) {
		bind[c->slot] = i;
		tally_add(&t, eval_member(e, c, bind));
	}
	return decide_kind(c, &t, eval_open(e, c->list));
}

static result_t eval_group(struct rules_eval *e, const struct rules_cond *c, uint32_t *bind)
{
	struct tally t = {0};
	for (const struct rules_cond *x = c->child; x != NULL && !is_firm(c, &t); x = x->next)
		tally_add(&t, eval_cond(e, x, bind));
	return decide_kind(c, &t, false);
}

result_t eval_cond(struct rules_eval *e, const struct rules_cond *c, uint32_t *bind)
{
	uint32_t members[RULES_SUBJECTS_MAX];
	bool same;
	if (++e->steps > e->options.steps_max) {
		e->exhausted = true;
		return RULES_UNKNOWN;
	}
	switch (c->kind) {
	case COND_NOT:
		return invert(eval_cond(e, c->child, bind));
	case COND_FACT:
		if (c->test == TEST_NONE)
			return eval_cell(e, &c->term, bind)->plain;
		return compare(c, eval_cell(e, &c->term, bind),
			       c->with.fact != NULL ? eval_cell(e, &c->with, bind) : NULL);
	case COND_CONCLUSION:
		term_members(&c->term, bind, members);
		return eval_conclusion(e, c->term.conclusion, members) &
		       (RESULT_UP | RESULT_STATUS);
	case COND_SAME:
	case COND_DIFFERS:
		same = bind[c->term.slot[0]] == bind[c->term.slot[1]];
		return same == (c->kind == COND_SAME) ? RULES_MET : RULES_NOT_MET;
	default:
		return cond_is_quantifier(c->kind) ? eval_quantifier(e, c, bind)
						   : eval_group(e, c, bind);
	}
}

/* Readings that come to the same settle it; those that differ leave it open, and say so. */
result_t eval_readings(struct rules_eval *e, const struct rules_rule *rule, uint32_t *bind)
{
	struct tally t = {0};
	for (uint32_t i = 0; i < rule->readings; i++)
		tally_add(&t, eval_cond(e, rule->reading[i].cond, bind));
	unsigned up = t.flags | (t.weak[0] + t.weak[1] > 0 ? RULES_UNEXAMINED : 0u);
	if (t.n[RULES_MET] == rule->readings)
		return (result_t)(RULES_MET | up);
	if (t.n[RULES_NOT_MET] == rule->readings)
		return (result_t)(RULES_NOT_MET | up);
	unsigned differ = rule->readings > 1 && t.n[RULES_MET] + t.n[RULES_NOT_MET] > 0
				  ? RULES_BY_READING
				  : 0;
	return (result_t)((t.n[RULES_UNKNOWN] > 0 ? RULES_UNKNOWN : RULES_DISPUTED) | up | differ);
}

/* ---- conclusions ---- */

/* Whether anything was said of the fact, its subjects beyond the exception's own being anybody. */
static bool anything_said(struct rules_eval *e, const struct rules_rule *x,
			  const struct rules_fact *f, const uint32_t *bound, uint32_t i,
			  uint32_t *members)
{
	if (i == f->subjects || i == RULES_SUBJECTS_MAX)
		return cell_of(e, f, members)->entry != NULL;
	struct scope s = scope_of(x->conclusion->subject, x->conclusion->subjects);
	int slot = scope_default(&s, &f->subject[i]);
	if (slot >= 0) {
		members[i] = bound[slot];
		return anything_said(e, x, f, bound, i + 1, members);
	}
	for (members[i] = 0; members[i] < eval_size(e, f->subject[i].list); members[i]++) {
		if (++e->steps > e->options.steps_max)
			e->exhausted = true;
		if (e->exhausted || anything_said(e, x, f, bound, i + 1, members))
			return !e->exhausted;
	}
	return false;
}

static bool anything_in(struct rules_eval *e, const struct rules_conclusion *c,
			const uint32_t *members);

/* Whether anything was said of a fact in the condition. */
static bool anything_in_cond(struct rules_eval *e, const struct rules_cond *c, uint32_t *bind)
{
	uint32_t members[RULES_SUBJECTS_MAX];
	if (++e->steps > e->options.steps_max)
		e->exhausted = true;
	if (e->exhausted)
		return false;
	if (c->kind == COND_FACT)
		return eval_cell(e, &c->term, bind)->entry != NULL ||
		       (c->with.fact != NULL && eval_cell(e, &c->with, bind)->entry != NULL);
	if (c->kind == COND_CONCLUSION) {
		term_members(&c->term, bind, members);
		return anything_in(e, c->term.conclusion, members);
	}
	bool quantifier = cond_is_quantifier(c->kind);
	for (uint32_t i = 0; i < (quantifier ? eval_size(e, c->list) : 1); i++) {
		if (quantifier)
			bind[c->slot] = i;
		for (const struct rules_cond *x = c->child; x != NULL; x = x->next)
			if (anything_in_cond(e, x, bind))
				return true;
	}
	return false;
}

static bool anything_in_rule(struct rules_eval *e, const struct rules_rule *rule,
			     const uint32_t *members)
{
	uint32_t bind[RULES_VARS_MAX] = {0};
	memcpy(bind, members, rule->conclusion->subjects * sizeof(bind[0]));
	for (uint32_t i = 0; i < rule->readings; i++)
		if (anything_in_cond(e, rule->reading[i].cond, bind))
			return true;
	for (const struct rules_cond *x = rule->unless; x != NULL; x = x->next)
		if (anything_in_cond(e, x, bind))
			return true;
	return false;
}

static bool anything_in(struct rules_eval *e, const struct rules_conclusion *c,
			const uint32_t *members)
{
	enum { NOT_LOOKED, NOTHING, SOMETHING };
	uint8_t *said = &e->said[eval_place(e, c, members)];
	const struct rules_rule *rule = eval_version(e, c);
	if (*said == NOT_LOOKED)
		*said = rule != NULL && anything_in_rule(e, rule, members) ? SOMETHING : NOTHING;
	return *said == SOMETHING;
}

bool eval_raised(struct rules_eval *e, const struct rules_rule *exception, const uint32_t *members)
{
	uint32_t of[RULES_SUBJECTS_MAX];
	if (exception->nraised_by == 0)
		return anything_in(e, exception->conclusion, members);
	for (uint32_t i = 0; i < exception->nraised_by; i++)
		if (anything_said(e, exception, exception->raised_by[i], members, 0, of))
			return true;
	return false;
}

/* What the elements come to once the exceptions are heard. */
static result_t hear_exceptions(struct rules_eval *e, const struct rules_rule *rule, uint32_t *bind,
				result_t r)
{
	unsigned unexamined = 0, met = 0, firm = 0;
	uint32_t members[RULES_SUBJECTS_MAX];
	if (status_of(r) == RULES_NOT_MET)
		return r;
	for (const struct rules_cond *c = rule->unless; c != NULL && !firm; c = c->next) {
		term_members(&c->term, bind, members);
		result_t x = eval_conclusion(e, c->term.conclusion, members) &
			     (RESULT_UP | RESULT_STATUS);
		if (!is_settled(x) &&
		    !eval_raised(e, eval_version(e, c->term.conclusion), members)) {
			unexamined = RULES_UNEXAMINED;
			continue;
		}
		met += status_of(x) == RULES_MET;
		firm += x == RULES_MET;
		if (status_of(x) != RULES_MET)
			r = pair(COND_ALL, r, invert(x));
	}
	if (met > 0)
		return (result_t)(RULES_NOT_MET | RULES_DEFEATED |
				  (firm > 0 ? 0u : RULES_UNEXAMINED));
	return (result_t)(r | unexamined);
}

static result_t work_out(struct rules_eval *e, const struct rules_conclusion *c,
			 const uint32_t *members)
{
	uint32_t bind[RULES_VARS_MAX] = {0};
	const struct rules_rule *rule = eval_version(e, c);
	if (rule == NULL)
		return RULES_NOT_MET | RULES_NOT_IN_FORCE;
	memcpy(bind, members, c->subjects * sizeof(bind[0]));
	return hear_exceptions(e, rule, bind, eval_readings(e, rule, bind));
}

result_t eval_conclusion(struct rules_eval *e, const struct rules_conclusion *c,
			 const uint32_t *members)
{
	result_t *known = &e->known[eval_place(e, c, members)];
	if (*known == RESULT_NONE)
		*known = work_out(e, c, members);
	return *known;
}

/* ---- laying out the facts
 * ------------------------------------------------------------------------ */

/* What a statement holds. */
static struct position position_of(const struct rules_statement *s)
{
	struct position p = {.value = s->value, .any = s->said.denies};
	if (s->said.denies && s->value.type == RULES_YESNO) {
		p.any = false;
		p.value.lo = p.value.hi = !s->value.lo;
	}
	return p;
}

/* Narrows ${to} to what both hold; false if they cannot both be right. */
static bool agree(struct position *to, const struct position *p)
{
	int64_t lo = to->value.lo > p->value.lo ? to->value.lo : p->value.lo;
	int64_t hi = to->value.hi < p->value.hi ? to->value.hi : p->value.hi;
	if (to->any || p->any || lo > hi ||
	    memcmp(to->value.currency, p->value.currency, sizeof(p->value.currency)) != 0)
		return to->any && p->any;
	to->value.lo = lo;
	to->value.hi = hi;
	return true;
}

static int lay_cell(struct rules_eval *e, const struct entry *from, struct cell *cell)
{
	struct position *at = arena_array(e->mem, from->n, sizeof(*at));
	if (at == NULL)
		return -ENOMEM;
	struct position common = position_of(from->first);
	bool all = true;
	uint32_t n = 0;
	for (const struct rules_statement *s = from->first; s != NULL; s = s->next) {
		at[n] = position_of(s);
		all = all && agree(&common, &at[n]);
		n++;
	}
	if (all) {
		at[0] = common;
		n = common.any ? 0 : 1;
	}
	*cell = cell_new(from, at, n);
	return 0;
}

static int lay_facts(struct rules_eval *e)
{
	const struct rules_law *law = e->law;
	uint64_t total = 0;
	e->size = arena_array(e->mem, law->lists, sizeof(e->size[0]));
	for (uint32_t i = 0; e->size != NULL && i < law->lists; i++)
		e->size[i] = e->c->list[i].n;
	if (e->size == NULL)
		return -ENOMEM;
	e->fact_base = arena_array(e->mem, law->facts, sizeof(e->fact_base[0]));
	for (uint32_t i = 0; i < law->facts && e->fact_base != NULL && total <= CELLS_MAX; i++) {
		e->fact_base[i] = total;
		total += places(e, law->fact[i]->subject, law->fact[i]->subjects);
	}
	if (total > CELLS_MAX)
		return FW_ELIMIT;
	e->fact_cell = arena_array(e->mem, total, sizeof(e->fact_cell[0]));
	e->cell = arena_array(e->mem, (size_t)e->c->entries + 1 + RULES_SETTLE_FACTS,
			      sizeof(e->cell[0]));
	if (e->fact_base == NULL || e->fact_cell == NULL || e->cell == NULL)
		return -ENOMEM;
	uint32_t n = 1;
	e->cell[0] = cell_new(NULL, NULL, 0);
	e->open = arena_array(e->mem, law->lists, sizeof(e->open[0]));
	for (uint32_t i = 0; e->open != NULL && i < law->lists; i++)
		e->open[i] = !e->c->list[i].complete;
	for (const struct entry *x = e->c->first; x != NULL; x = x->next) {
		if (x->n == 0)
			continue;
		int err = lay_cell(e, x, &e->cell[n]);
		if (err != 0)
			return err;
		e->fact_cell[eval_fact_place(e, x->fact, x->member)] = n++;
	}
	e->cells = n;
	return 0;
}

static int lay_conclusions(struct rules_eval *e)
{
	const struct rules_law *law = e->law;
	uint64_t total = 0, findings = 0;
	e->conclusion_base = arena_array(e->mem, law->conclusions, sizeof(e->conclusion_base[0]));
	for (uint32_t i = 0;
	     i < law->conclusions && e->conclusion_base != NULL && total <= CELLS_MAX; i++) {
		const struct rules_conclusion *c = law->conclusion[i];
		uint64_t n = places(e, c->subject, c->subjects);
		e->conclusion_base[i] = total;
		total += n;
		findings += c->kind == RULES_RULE ? n : 0;
	}
	if (total > CELLS_MAX || findings > FINDINGS_MAX)
		return FW_ELIMIT;
	e->known = arena_array(e->mem, total, sizeof(e->known[0]));
	e->said = arena_alloc(e->mem, total);
	e->spare = arena_array(e->mem, total, sizeof(e->spare[0]));
	e->places = total;
	e->finding = arena_array(e->mem, findings, sizeof(e->finding[0]));
	if (e->conclusion_base == NULL || e->known == NULL || e->said == NULL || e->spare == NULL ||
	    e->finding == NULL)
		return -ENOMEM;
	memset(e->known, 0xff, total * sizeof(e->known[0]));
	return 0;
}

/* ---- findings
 * ------------------------------------------------------------------------------------ */

static struct rules_finding finding_of(struct rules_eval *e, const struct rules_conclusion *c,
				       const uint32_t *members)
{
	result_t r = eval_conclusion(e, c, members);
	struct rules_finding f = {.conclusion = c,
				  .rule = eval_version(e, c),
				  .status = status_of(r),
				  .flags = r & (unsigned)~RESULT_STATUS};
	memcpy(f.member, members, c->subjects * sizeof(f.member[0]));
	return f;
}

/* The members that follow in order; false after the last. */
static bool next_members(const struct rules_eval *e, const struct rules_conclusion *c,
			 uint32_t *members)
{
	for (uint32_t i = c->subjects; i-- > 0;) {
		if (++members[i] < eval_size(e, c->subject[i].list))
			return true;
		members[i] = 0;
	}
	return false;
}

static void find_all(struct rules_eval *e)
{
	for (uint32_t i = 0; i < e->law->conclusions && !e->exhausted; i++) {
		const struct rules_conclusion *c = e->law->conclusion[i];
		uint32_t members[RULES_SUBJECTS_MAX] = {0};
		if (c->kind != RULES_RULE || places(e, c->subject, c->subjects) == 0)
			continue;
		do
			e->finding[e->findings++] = finding_of(e, c, members);
		while (!e->exhausted && next_members(e, c, members));
	}
}

int rules_evaluate(struct arena *mem, const struct rules_case *c, const struct rules_options *o,
		   struct rules_eval **ret, struct diag *reterr)
{
	struct rules_eval *e = arena_alloc(mem, sizeof(*e));
	if (e == NULL)
		return diag_set(reterr, -ENOMEM, "no memory is left to evaluate the rules");
	e->mem = mem;
	e->c = c;
	e->law = c->law;
	e->options = o != NULL ? *o : RULES_OPTIONS;
	if (e->options.steps_max == 0)
		e->options.steps_max = STEPS_USUAL;
	int err = lay_facts(e);
	if (err == 0)
		err = lay_conclusions(e);
	if (err == FW_ELIMIT)
		return diag_set(reterr, err,
				"the case has too many members for rules that speak of several of "
				"them at once");
	if (err != 0 || arena_failed(mem))
		return diag_set(reterr, -ENOMEM, "no memory is left to evaluate the rules");
	find_all(e);
	if (e->exhausted)
		return diag_set(reterr, FW_ELIMIT,
				"the rules look at more than %llu conditions for this case",
				(unsigned long long)e->options.steps_max);
	*ret = e;
	return 0;
}

const struct rules_finding *rules_findings(const struct rules_eval *e, size_t *ret_n)
{
	*ret_n = e->findings;
	return e->finding;
}

uint64_t rules_steps(const struct rules_eval *e)
{
	return e->steps;
}

int rules_find(struct rules_eval *e, const struct rules_conclusion *c, const uint32_t *members,
	       struct rules_finding *ret)
{
	for (uint32_t i = 0; i < c->subjects; i++)
		if (members[i] >= eval_size(e, c->subject[i].list))
			return FW_ENOTFOUND;
	struct rules_finding f = finding_of(e, c, members);
	if (e->exhausted)
		return FW_ELIMIT;
	*ret = f;
	return 0;
}
