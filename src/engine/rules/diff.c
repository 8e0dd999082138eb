/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The difference between two evaluations under one law: which findings are
 * others, and what in the case made them so.
 *
 * Everything that a finding looks at is walked in the later case and held
 * against the earlier one: statements, members, completeness of lists,
 * exceptions.  Members are the same if they have the same name.
 */
#include "engine/rules/eval.h"

#include <errno.h>
#include <string.h>

#define NOBODY UINT32_MAX

struct differ {
	struct rules_eval *before, *after;
	struct arena *mem;
	uint32_t **back; /* [list][member of after]: member of before */
	uint8_t *seen;   /* conclusions of after, by place */
	struct rules_change *change;
};

static uint32_t find_member(const struct member_list *l, const char *name, uint32_t guess)
{
	if (guess < l->n && strcmp(l->name[guess], name) == 0)
		return guess;
	for (uint32_t i = 0; i < l->n; i++)
		if (strcmp(l->name[i], name) == 0)
			return i;
	return NOBODY;
}

static int map_members(struct differ *d)
{
	const struct rules_law *law = d->after->law;
	d->back = arena_array(d->mem, law->lists, sizeof(d->back[0]));
	for (uint32_t i = 0; d->back != NULL && i < law->lists; i++) {
		const struct member_list *l = &d->after->c->list[i];
		d->back[i] = arena_array(d->mem, l->n, sizeof(uint32_t));
		for (uint32_t k = 0; d->back[i] != NULL && k < l->n; k++)
			d->back[i][k] = find_member(&d->before->c->list[i], l->name[k], k);
	}
	return arena_failed(d->mem) ? -ENOMEM : 0;
}

/* The members of the earlier case; false if one was not in it. */
static bool members_back(const struct differ *d, const struct rules_subject *s, uint32_t n,
			 const uint32_t *members, uint32_t *ret)
{
	for (uint32_t i = 0; i < n; i++) {
		ret[i] = d->back[s[i].list->index][members[i]];
		if (ret[i] == NOBODY)
			return false;
	}
	return true;
}

static void add_cause(struct differ *d, enum rules_cause_kind kind, const struct rules_fact *fact,
		      const struct rules_list *list, const struct rules_rule *rule,
		      const uint32_t *members)
{
	struct rules_change *c = d->change;
	struct rules_cause x = {.kind = kind, .fact = fact, .list = list, .rule = rule};
	uint32_t n = fact != NULL ? fact->subjects : rule != NULL ? rule->conclusion->subjects : 1;
	memcpy(x.member, members, n * sizeof(x.member[0]));
	for (uint32_t i = 0; i < c->causes; i++)
		if (memcmp(&c->cause[i], &x, sizeof(x)) == 0)
			return;
	if (c->causes < RULES_CAUSES_MAX)
		c->cause[c->causes++] = x;
	else
		c->more_causes++;
}

static bool same_statement(const struct rules_statement *a, const struct rules_statement *b)
{
	return a->value.lo == b->value.lo && a->value.hi == b->value.hi &&
	       strcmp(a->value.currency, b->value.currency) == 0 &&
	       a->said.denies == b->said.denies;
}

static bool same_cell(const struct cell *a, const struct cell *b)
{
	const struct rules_statement *x = a->entry != NULL ? a->entry->first : NULL;
	const struct rules_statement *y = b->entry != NULL ? b->entry->first : NULL;
	for (; x != NULL && y != NULL && same_statement(x, y); x = x->next)
		y = y->next;
	return x == NULL && y == NULL;
}

static void walk_fact(struct differ *d, const struct cond_term *t, const uint32_t *bind)
{
	uint32_t members[RULES_SUBJECTS_MAX], was[RULES_SUBJECTS_MAX] = {0};
	term_members(t, bind, members);
	const struct cell *now = eval_cell(d->after, t, bind), *then = &d->before->cell[0];
	if (members_back(d, t->fact->subject, t->fact->subjects, members, was))
		then = &d->before->cell[d->before->fact_cell[eval_fact_place(d->before, t->fact,
									     was)]];
	if (same_cell(then, now))
		return;
	enum rules_cause_kind kind = now->n > 1 && then->n <= 1 ? RULES_CAUSE_DISPUTED
				     : then->entry == NULL      ? RULES_CAUSE_GIVEN
								: RULES_CAUSE_RESTATED;
	add_cause(d, kind, t->fact, NULL, NULL, members);
}

static void walk_conclusion(struct differ *d, const struct rules_conclusion *c,
			    const uint32_t *members);

static void walk_list(struct differ *d, const struct rules_list *list)
{
	uint32_t none = 0;
	if (eval_open(d->before, list) != eval_open(d->after, list))
		add_cause(d, eval_open(d->after, list) ? RULES_CAUSE_OPENED : RULES_CAUSE_COMPLETED,
			  NULL, list, NULL, &none);
	for (uint32_t i = 0; i < eval_size(d->after, list); i++)
		if (d->back[list->index][i] == NOBODY)
			add_cause(d, RULES_CAUSE_MEMBER, NULL, list, NULL, &i);
	if (eval_size(d->after, list) < eval_size(d->before, list))
		add_cause(d, RULES_CAUSE_REMOVED, NULL, list, NULL, &none);
}

static void walk_cond(struct differ *d, const struct rules_cond *c, uint32_t *bind)
{
	uint32_t members[RULES_SUBJECTS_MAX];
	if (c->kind == COND_FACT) {
		walk_fact(d, &c->term, bind);
		if (c->with.fact != NULL)
			walk_fact(d, &c->with, bind);
	} else if (c->kind == COND_CONCLUSION) {
		term_members(&c->term, bind, members);
		walk_conclusion(d, c->term.conclusion, members);
	} else if (cond_is_quantifier(c->kind)) {
		walk_list(d, c->list);
		for (uint32_t i = 0; i < eval_size(d->after, c->list); i++) {
			bind[c->slot] = i;
			for (const struct rules_cond *x = c->child; x != NULL; x = x->next)
				walk_cond(d, x, bind);
		}
	} else {
		for (const struct rules_cond *x = c->child; x != NULL; x = x->next)
			walk_cond(d, x, bind);
	}
}

/* An exception that is heard otherwise than before is a cause by its name. */
static void walk_exception(struct differ *d, const struct rules_conclusion *c,
			   const uint32_t *members)
{
	uint32_t was[RULES_SUBJECTS_MAX] = {0};
	const struct rules_rule *now = eval_version(d->after, c),
				*then = eval_version(d->before, c);
	result_t r = eval_conclusion(d->after, c, members), before = RULES_UNKNOWN;
	bool there = members_back(d, c->subject, c->subjects, members, was);
	if (there)
		before = eval_conclusion(d->before, c, was);
	bool heard = now != NULL && (is_settled(r) || eval_raised(d->after, now, members));
	bool had =
		there && then != NULL && (is_settled(before) || eval_raised(d->before, then, was));
	if (now != NULL && (heard != had || status_of(r) != status_of(before)))
		add_cause(d, RULES_CAUSE_EXCEPTION, NULL, NULL, now, members);
}

static void walk_conclusion(struct differ *d, const struct rules_conclusion *c,
			    const uint32_t *members)
{
	uint32_t bind[RULES_VARS_MAX] = {0}, of[RULES_SUBJECTS_MAX];
	uint8_t *seen = &d->seen[eval_place(d->after, c, members)];
	const struct rules_rule *rule = eval_version(d->after, c);
	if (*seen)
		return;
	*seen = 1;
	if (rule != eval_version(d->before, c))
		add_cause(d, RULES_CAUSE_LAW, NULL, NULL,
			  rule != NULL ? rule : eval_version(d->before, c), members);
	if (rule == NULL)
		return;
	memcpy(bind, members, c->subjects * sizeof(bind[0]));
	for (const struct rules_cond *x = rule->unless; x != NULL; x = x->next) {
		term_members(&x->term, bind, of);
		walk_exception(d, x->term.conclusion, of);
	}
	for (uint32_t i = 0; i < rule->readings; i++)
		walk_cond(d, rule->reading[i].cond, bind);
	for (const struct rules_cond *x = rule->unless; x != NULL; x = x->next)
		walk_cond(d, x, bind);
}

/* What the finding was; false if it is new. */
static bool was_before(struct differ *d, const struct rules_finding *now, struct rules_finding *ret)
{
	uint32_t was[RULES_SUBJECTS_MAX] = {0};
	const struct rules_conclusion *c = now->conclusion;
	return members_back(d, c->subject, c->subjects, now->member, was) &&
	       rules_find(d->before, c, was, ret) == 0;
}

static bool is_changed(struct differ *d, const struct rules_finding *now)
{
	struct rules_finding was;
	return !was_before(d, now, &was) || was.status != now->status;
}

static int one_change(struct differ *d, const struct rules_finding *now, struct rules_change *ret)
{
	const struct rules_conclusion *c = now->conclusion;
	ret->after = *now;
	ret->is_new = !was_before(d, now, &ret->before);
	d->change = ret;
	memset(d->seen, 0, d->after->places);
	for (uint32_t i = 0; i < c->subjects; i++)
		if (d->back[c->subject[i].list->index][now->member[i]] == NOBODY)
			add_cause(d, RULES_CAUSE_MEMBER, NULL, c->subject[i].list, NULL,
				  &now->member[i]);
	walk_conclusion(d, c, now->member);
	return d->after->exhausted || d->before->exhausted ? FW_ELIMIT : 0;
}

int rules_diff(struct rules_eval *before, struct rules_eval *after, struct arena *mem,
	       struct rules_change **ret, size_t *ret_n)
{
	struct differ d = {.before = before, .after = after, .mem = mem};
	size_t n = 0;
	if (before->law != after->law)
		return FW_EINVALID;
	int err = map_members(&d);
	d.seen = arena_alloc(mem, after->places);
	for (size_t i = 0; err == 0 && i < after->findings; i++)
		n += is_changed(&d, &after->finding[i]);
	struct rules_change *list = err == 0 ? arena_array(mem, n, sizeof(list[0])) : NULL;
	if (d.seen == NULL || list == NULL)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; err == 0 && i < after->findings; i++)
		if (is_changed(&d, &after->finding[i]))
			err = one_change(&d, &after->finding[i], &list[n++]);
	if (err != 0)
		return err;
	*ret = list;
	*ret_n = n;
	return 0;
}
