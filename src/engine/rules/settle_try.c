/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Trying a way: values are found at which its steps come true together, at the
 * edges of what its conditions hold their facts against, and the finding is
 * evaluated with them in place.
 */
#include "engine/rules/settle.h"

#include <string.h>

enum { TRY_MAX = 64 };

struct trial {
	struct search *s;
	const struct way *way;
	uint64_t place[RULES_SETTLE_FACTS]; /* facts that have a value */
	struct position value[RULES_SETTLE_FACTS];
	uint32_t n;
};

static struct cell cell_at(const struct trial *t, const struct rules_fact *f,
			   const uint32_t *members)
{
	uint64_t place = eval_fact_place(t->s->e, f, members);
	static const struct entry said;
	for (uint32_t i = 0; i < t->n; i++)
		if (t->place[i] == place)
			return cell_new(&said, &t->value[i], 1);
	return t->s->e->cell[t->s->e->fact_cell[place]];
}

/* Whether all steps about facts that have a value come true. */
static bool come_true(const struct trial *t)
{
	for (uint8_t i = 0; i < t->way->n; i++) {
		const struct step *x = &t->s->step[t->way->step[i]];
		if (x->cond == NULL)
			continue;
		struct cell a = cell_at(t, x->cond->term.fact, x->x), b = {0};
		if (x->cond->with.fact != NULL)
			b = cell_at(t, x->cond->with.fact, x->y);
		if (a.n != 1 || (x->cond->with.fact != NULL && b.n != 1))
			continue; /* its other side has its turn later */
		result_t r = compare(x->cond, &a, x->cond->with.fact != NULL ? &b : NULL);
		if (!is_settled(r) || (status_of(r) == RULES_MET) != x->want)
			return false;
	}
	return true;
}

static void offer(struct rules_value *list, uint32_t *n, struct rules_value v, int64_t at)
{
	v.lo = v.hi = at;
	if (*n < TRY_MAX)
		list[(*n)++] = v;
}

/* Values at the edges of what the steps hold the fact against. */
static uint32_t edges(const struct trial *t, const struct step *x, struct rules_value *list)
{
	uint32_t n = 0;
	struct cell known = t->s->e->cell[t->s->e->fact_cell[x->place]];
	for (uint32_t i = 0; i < known.n; i++) {
		offer(list, &n, known.at[i].value, known.at[i].value.lo);
		offer(list, &n, known.at[i].value, known.at[i].value.hi);
	}
	for (uint8_t i = 0; i < t->way->n; i++) {
		const struct step *y = &t->s->step[t->way->step[i]];
		if (y->cond == NULL || y->place != x->place)
			continue;
		struct rules_value v = y->cond->value;
		if (y->cond->with.fact != NULL) {
			struct cell other = y->second ? cell_at(t, y->cond->term.fact, y->x)
						      : cell_at(t, y->cond->with.fact, y->y);
			if (other.n != 1)
				continue;
			v = other.at[0].value;
		}
		int64_t far[] = {0, compare_reach(y->cond, v.lo, -1),
				 compare_reach(y->cond, v.hi, 1)};
		v.type = x->fact->type;
		for (int64_t d = -1; d <= 1; d++) {
			offer(list, &n, v, v.lo + d);
			offer(list, &n, v, v.hi + d);
			offer(list, &n, v, far[1] + d);
			offer(list, &n, v, far[2] + d);
		}
	}
	if (n == 0)
		offer(list, &n, (struct rules_value){.type = x->fact->type, .currency = "XXX"}, 0);
	return n;
}

static bool within_known(const struct trial *t, const struct step *x, const struct rules_value *v)
{
	const struct cell *c = &t->s->e->cell[t->s->e->fact_cell[x->place]];
	bool any = c->n == 0;
	for (uint32_t i = 0; i < c->n; i++)
		any = any || c->at[i].any ||
		      (c->at[i].value.lo <= v->lo && v->hi <= c->at[i].value.hi);
	return any;
}

static bool try_values(struct trial *t, const struct step *x)
{
	struct rules_value list[TRY_MAX];
	uint32_t n = 0;
	if (x->fact->type == RULES_YESNO) {
		list[n++] = rules_yes(true);
		list[n++] = rules_yes(false);
	} else if (x->fact->type == RULES_CODE) {
		for (uint32_t i = 0; i < x->fact->codes->n && n < TRY_MAX; i++)
			offer(list, &n, (struct rules_value){.type = RULES_CODE}, i);
	} else {
		n = edges(t, x, list);
	}
	t->place[t->n] = x->place;
	t->n++;
	for (uint32_t i = 0; i < n; i++) {
		if (!within_known(t, x, &list[i]))
			continue;
		t->value[t->n - 1] = (struct position){.value = list[i]};
		if (come_true(t))
			return true;
	}
	return false;
}

/* A value for each fact of the way; false where none was found. */
static bool find_values(struct trial *t)
{
	for (uint8_t i = 0; i < t->way->n; i++) {
		const struct step *x = &t->s->step[t->way->step[i]];
		bool has = x->cond == NULL;
		for (uint32_t k = 0; k < t->n; k++)
			has = has || t->place[k] == x->place;
		if (!has && !try_values(t, x))
			return false;
	}
	return true;
}

/* The finding with these values: whether it comes to what is wanted. */
bool settles(struct search *s, const struct rules_finding *f, const struct way *w, bool want)
{
	struct trial t = {.s = s, .way = w};
	struct rules_eval try = *s->e;
	uint32_t was[RULES_SETTLE_FACTS];
	static const struct entry said;
	if (!find_values(&t))
		return false;
	for (uint32_t i = 0; i < t.n; i++) {
		was[i] = try.fact_cell[t.place[i]];
		try.fact_cell[t.place[i]] = try.cells + i;
		try.cell[try.cells + i] = cell_new(&said, &t.value[i], 1);
	}
	for (uint8_t i = 0; i < w->n; i++)
		if (s->step[w->step[i]].cond == NULL)
			try.open[s->step[w->step[i]].list->index] = false;
	try.known = try.spare;
	try.said = s->said;
	memset(try.said, 0, try.places);
	memset(try.known, 0xff, try.places * sizeof(try.known[0]));
	result_t r = eval_conclusion(&try, f->conclusion, f->member);
	for (uint32_t i = t.n; i-- > 0;)
		try.fact_cell[t.place[i]] = was[i];
	for (uint8_t i = 0; i < w->n; i++)
		if (s->step[w->step[i]].cond == NULL)
			try.open[s->step[w->step[i]].list->index] = true;
	s->cut = s->cut || try.exhausted;
	return is_settled(r) && (status_of(r) == RULES_MET) == want;
}
