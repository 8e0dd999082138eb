/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The ways to settle a finding as they are told, and over all findings the question worth asking
 * first. */
#include "engine/rules/settle.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"

enum { WORDS_MAX = 8192 };

/* The condition with the names of members where the law has its own. */
static const char *step_words(struct search *s, const struct step *x)
{
	struct scope named = x->scope;
	for (unsigned i = 0; i < named.n; i++)
		named.name[i] = rules_case_member(s->e->c, named.list[i], x->bind[i]);
	buf_clear(&s->words);
	cond_words(x->cond, &named, &s->words);
	return arena_strndup(s->mem, (const char *)s->words.data,
			     utf8_cut(s->words.data, s->words.len));
}

static int tell(struct search *s, const struct way *w, bool want, struct rules_way *ret)
{
	*ret = (struct rules_way){
		.to = want ? RULES_MET : RULES_NOT_MET, .facts = w->facts, .n = w->n};
	ret->step = arena_array(s->mem, w->n, sizeof(ret->step[0]));
	if (ret->step == NULL)
		return -ENOMEM;
	for (uint8_t i = 0; i < w->n; i++) {
		const struct step *x = &s->step[w->step[i]];
		struct rules_step *to = &ret->step[i];
		*to = (struct rules_step){.fact = x->fact, .list = x->list, .holds = x->want};
		if (x->cond != NULL && (to->words = step_words(s, x)) == NULL)
			return -ENOMEM;
		memcpy(to->member, x->member, sizeof(to->member));
		to->disputed = x->fact != NULL && s->e->cell[s->e->fact_cell[x->place]].n > 1;
	}
	return 0;
}

static int search_new(struct search *s, struct rules_eval *e, struct arena *mem)
{
	*s = (struct search){.e = e, .mem = mem, .work_max = WORK_USUAL};
	s->step = arena_array(mem, STEPS_MAX, sizeof(s->step[0]));
	s->slot = arena_array(mem, STEP_SLOTS, sizeof(s->slot[0]));
	s->said = arena_alloc(mem, e->places);
	s->words = (struct buf){
		.data = arena_alloc(mem, WORDS_MAX), .cap = WORDS_MAX, .max = WORDS_MAX};
	return s->step != NULL && s->slot != NULL && s->said != NULL && s->words.data != NULL
		       ? 0
		       : -ENOMEM;
}

int rules_settle(struct rules_eval *e, const struct rules_finding *f, struct arena *mem,
		 struct rules_settlings *ret)
{
	struct search s;
	struct ways ways[2] = {{0}, {0}};
	struct rules_settlings out = {0};
	if (f->status < RULES_UNKNOWN) {
		*ret = out;
		return 0;
	}
	if (search_new(&s, e, mem) != 0)
		return -ENOMEM;
	e->steps = 0;
	out.way = arena_array(mem, 2 * WAYS_MAX, sizeof(out.way[0]));
	for (int want = 0; want < 2 && out.way != NULL; want++)
		conclusion_ways(&s, f->conclusion, f->member, want != 0, &ways[want]);
	int err = out.way == NULL || s.failed ? -ENOMEM : 0;
	for (uint32_t facts = 1; facts <= RULES_SETTLE_FACTS; facts++)
		for (int want = 1; want >= 0; want--)
			for (uint32_t i = 0; err == 0 && i < ways[want].n; i++)
				if (ways[want].way[i].facts == facts &&
				    settles(&s, f, &ways[want].way[i], want != 0))
					err = tell(&s, &ways[want].way[i], want != 0,
						   &out.way[out.n++]);
	out.cut = s.cut;
	if (err == 0)
		*ret = out;
	return err;
}

/* ---- which question first ---- */

/* What was seen of one question, and the last finding (and 1) that counted for it. */
struct asked {
	struct rules_question q;
	uint64_t place;
	size_t alone_in, helps_in;
};

struct asking {
	struct rules_eval *e;
	struct asked *list;
	uint32_t n, cap;
};

static uint64_t question_place(const struct rules_eval *e, const struct rules_step *x)
{
	return x->fact != NULL ? eval_fact_place(e, x->fact, x->member)
			       : UINT64_MAX - x->list->index;
}

static struct asked *question(struct asking *a, const struct rules_step *x)
{
	uint64_t place = question_place(a->e, x);
	for (uint32_t i = 0; i < a->n; i++)
		if (a->list[i].place == place)
			return &a->list[i];
	if (a->n == a->cap)
		return NULL;
	struct asked *to = &a->list[a->n++];
	*to = (struct asked){.place = place};
	to->q = (struct rules_question){.fact = x->fact, .list = x->list, .disputed = x->disputed};
	memcpy(to->q.member, x->member, sizeof(to->q.member));
	return to;
}

/* ${at}: the finding and 1. */
static bool ask_way(struct asking *a, const struct rules_way *w, size_t at)
{
	for (uint32_t i = 0; i < w->n; i++) {
		struct asked *to = question(a, &w->step[i]);
		if (to == NULL)
			return false;
		to->q.alone += w->facts == 1 && to->alone_in != at;
		to->q.helps += to->helps_in != at;
		to->alone_in = w->facts == 1 ? at : to->alone_in;
		to->helps_in = at;
	}
	return true;
}

static bool better(const struct asked *a, const struct asked *b)
{
	if (a->q.alone != b->q.alone)
		return a->q.alone > b->q.alone;
	if (a->q.helps != b->q.helps)
		return a->q.helps > b->q.helps;
	return a->place < b->place;
}

static void sort_asked(struct asked *list, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		struct asked x = list[i];
		uint32_t k = i;
		for (; k > 0 && better(&x, &list[k - 1]); k--)
			list[k] = list[k - 1];
		list[k] = x;
	}
}

int rules_questions(struct rules_eval *e, struct arena *mem, struct rules_question **ret,
		    size_t *ret_n, bool *ret_cut)
{
	enum { QUESTIONS_MAX = 2000 };
	struct asking a = {.e = e, .cap = QUESTIONS_MAX};
	bool cut = false;
	a.list = arena_array(mem, a.cap, sizeof(a.list[0]));
	struct rules_question *out = arena_array(mem, a.cap, sizeof(out[0]));
	if (a.list == NULL || out == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < e->findings; i++) {
		struct rules_settlings s = {0};
		struct arena_mark mark = arena_mark(mem);
		int err = rules_settle(e, &e->finding[i], mem, &s);
		if (err != 0)
			return err;
		for (uint32_t k = 0; k < s.n; k++)
			cut = !ask_way(&a, &s.way[k], i + 1) || cut;
		cut = cut || s.cut;
		arena_release(mem, mark);
	}
	sort_asked(a.list, a.n);
	for (uint32_t i = 0; i < a.n; i++)
		out[i] = a.list[i].q;
	*ret = out;
	*ret_n = a.n;
	*ret_cut = cut;
	return 0;
}
