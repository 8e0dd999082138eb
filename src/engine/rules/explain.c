/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Why a finding is what it is: the evaluated conditions as a tree, pruned to
 * what decided.
 *
 * Where "all of" is not met, the limbs that are met explain nothing and are
 * left out (and counted); where it is met, all of them are needed; where it is
 * open, what is still open is shown.  The other groups and the quantifiers
 * likewise.  A conclusion that comes up a second time for the same members is
 * named and not opened again, so that a tree is never larger than what was
 * evaluated.
 */
#include "engine/rules/eval.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"

enum { NODES_USUAL = 100000, WORDS_MAX = 8192 };

/* A node and its last child, while the tree grows. */
struct node {
	struct rules_why why;
	struct rules_why *last;
};

struct telling {
	struct rules_eval *e;
	struct arena *mem;
	uint8_t *told;    /* conclusions by their place */
	struct buf words; /* in the arena: it does not grow */
	uint32_t nodes, nodes_max;
	bool failed, cut;
};

static struct rules_why *tell_cond(struct telling *t, const struct rules_cond *c, struct scope *s,
				   uint32_t *bind);
static struct rules_why *tell_conclusion(struct telling *t, const struct rules_conclusion *c,
					 const uint32_t *members);

static struct rules_why *why_new(struct telling *t, enum rules_why_kind kind, result_t r)
{
	if (t->nodes >= t->nodes_max) {
		t->cut = true;
		return NULL;
	}
	struct node *n = arena_alloc(t->mem, sizeof(*n));
	if (n == NULL) {
		t->failed = true;
		return NULL;
	}
	struct rules_why *w = &n->why;
	t->nodes++;
	w->kind = kind;
	w->status = status_of(r);
	w->flags = r & (unsigned)~RESULT_STATUS;
	return w;
}

/* At the end of the children; NULL is what could not be told. */
static void put(struct rules_why *parent, struct rules_why *child)
{
	if (parent == NULL || child == NULL)
		return;
	struct node *n = (struct node *)parent;
	if (n->last != NULL)
		n->last->next = child;
	else
		parent->child = child;
	n->last = child;
}

static const char *say(struct telling *t, const struct rules_cond *c, const struct scope *s)
{
	buf_clear(&t->words);
	cond_words(c, s, &t->words);
	while (t->words.len > 0 && t->words.data[t->words.len - 1] == ' ')
		t->words.len--; /* "not ", before what stands below it */
	const char *text =
		buf_failed(&t->words)
			? NULL
			: arena_strndup(t->mem, (const char *)t->words.data, t->words.len);
	t->failed = t->failed || text == NULL;
	return text;
}

/* Whether a part with status ${part} is among what made the whole ${whole}. */
static bool decides(enum cond_kind kind, enum rules_status whole, enum rules_status part)
{
	bool is_open = whole >= RULES_UNKNOWN;
	if (is_open)
		return part >= RULES_UNKNOWN;
	if (kind == COND_NONE || kind == COND_NO)
		return part == (whole == RULES_MET ? RULES_NOT_MET : RULES_MET);
	return part == whole;
}

static void tell_group(struct telling *t, const struct rules_cond *c, struct scope *s,
		       uint32_t *bind, struct rules_why *w)
{
	for (const struct rules_cond *child = c->child; child != NULL; child = child->next) {
		if (decides(c->kind, w->status, status_of(eval_cond(t->e, child, bind))))
			put(w, tell_cond(t, child, s, bind));
		else
			w->hidden++;
	}
}

/* Of a member that is left out only why. */
static void tell_member(struct telling *t, const struct rules_cond *c, struct scope *s,
			uint32_t *bind, struct rules_why *w)
{
	const struct rules_cond *body = c->such_that ? c->child->next : c->child;
	bool out = c->such_that && status_of(eval_cond(t->e, c->child, bind)) == RULES_NOT_MET;
	if (c->such_that)
		put(w, tell_cond(t, c->child, s, bind));
	if (!out)
		put(w, tell_cond(t, body, s, bind));
}

static void tell_quantifier(struct telling *t, const struct rules_cond *c, struct scope *s,
			    uint32_t *bind, struct rules_why *w)
{
	uint32_t n = eval_size(t->e, c->list);
	(void)scope_push(s, c->list, c->as);
	w->list = c->list;
	for (uint32_t i = 0; i < n && !t->cut; i++) {
		bind[c->slot] = i;
		result_t r = eval_member(t->e, c, bind);
		if (!decides(c->kind, w->status, status_of(r))) {
			w->hidden++;
			continue;
		}
		struct rules_why *m = why_new(t, RULES_WHY_MEMBER, r);
		if (m == NULL)
			break;
		m->list = c->list;
		m->member[0] = i;
		put(w, m);
		tell_member(t, c, s, bind, m);
	}
	if (w->status == RULES_UNKNOWN && eval_open(t->e, c->list)) {
		struct rules_why *m =
			why_new(t, RULES_WHY_OPEN_LIST, RULES_UNKNOWN | RULES_BY_OPEN_LIST);
		if (m != NULL)
			m->list = c->list;
		put(w, m);
	}
	s->n--;
}

static void tell_fact(struct telling *t, const struct rules_cond *c, const uint32_t *bind,
		      struct rules_why *w)
{
	const struct cell *x = eval_cell(t->e, &c->term, bind);
	w->fact = c->term.fact;
	term_members(&c->term, bind, w->member);
	w->said = x->entry != NULL ? x->entry->first : NULL;
	if (c->with.fact == NULL)
		return;
	x = eval_cell(t->e, &c->with, bind);
	w->with = c->with.fact;
	term_members(&c->with, bind, w->with_member);
	w->with_said = x->entry != NULL ? x->entry->first : NULL;
}

static struct rules_why *tell_cond(struct telling *t, const struct rules_cond *c, struct scope *s,
				   uint32_t *bind)
{
	static const enum rules_why_kind kinds[] = {
		[COND_ALL] = RULES_WHY_GROUP,       [COND_ANY] = RULES_WHY_GROUP,
		[COND_NONE] = RULES_WHY_GROUP,      [COND_COUNT] = RULES_WHY_GROUP,
		[COND_NOT] = RULES_WHY_GROUP,       [COND_SOME] = RULES_WHY_GROUP,
		[COND_EACH] = RULES_WHY_GROUP,      [COND_NO] = RULES_WHY_GROUP,
		[COND_MANY] = RULES_WHY_GROUP,      [COND_FACT] = RULES_WHY_FACT,
		[COND_CONCLUSION] = RULES_WHY_RULE, [COND_SAME] = RULES_WHY_IDENTITY,
		[COND_DIFFERS] = RULES_WHY_IDENTITY};
	uint32_t members[RULES_SUBJECTS_MAX];
	struct rules_why *w;
	if (c->kind == COND_CONCLUSION) {
		term_members(&c->term, bind, members);
		w = tell_conclusion(t, c->term.conclusion, members);
	} else {
		w = why_new(t, kinds[c->kind], eval_cond(t->e, c, bind));
	}
	if (w == NULL)
		return NULL;
	w->label = c->label;
	w->words = say(t, c, s);
	if (c->kind == COND_NOT)
		put(w, tell_cond(t, c->child, s, bind));
	else if (c->kind == COND_FACT)
		tell_fact(t, c, bind, w);
	else if (cond_is_quantifier(c->kind))
		tell_quantifier(t, c, s, bind, w);
	else if (c->kind <= COND_COUNT)
		tell_group(t, c, s, bind, w);
	return w;
}

/* Exceptions that were heard, and by name those that nobody raised. */
static void tell_exceptions(struct telling *t, const struct rules_rule *rule, uint32_t *bind,
			    struct rules_why *w)
{
	uint32_t members[RULES_SUBJECTS_MAX];
	for (const struct rules_cond *c = rule->unless; c != NULL; c = c->next) {
		const struct rules_rule *version = eval_version(t->e, c->term.conclusion);
		term_members(&c->term, bind, members);
		result_t r = eval_conclusion(t->e, c->term.conclusion, members);
		bool raised =
			version != NULL && (is_settled(r) || eval_raised(t->e, version, members));
		struct rules_why *x = NULL;
		if (raised) {
			x = tell_conclusion(t, c->term.conclusion, members);
		} else if (version != NULL) {
			x = why_new(t, RULES_WHY_RULE, RULES_UNKNOWN | RULES_UNEXAMINED);
			if (x != NULL) {
				x->rule = version;
				memcpy(x->member, members, sizeof(members));
			}
		}
		if (x != NULL)
			x->kind = raised ? RULES_WHY_EXCEPTION : RULES_WHY_UNEXAMINED;
		put(w, x);
	}
}

static void tell_rule(struct telling *t, const struct rules_rule *rule, const uint32_t *members,
		      struct rules_why *w)
{
	const struct rules_conclusion *c = rule->conclusion;
	struct scope s = scope_of(c->subject, c->subjects);
	uint32_t bind[RULES_VARS_MAX] = {0};
	memcpy(bind, members, c->subjects * sizeof(bind[0]));
	for (uint32_t i = 0; i < rule->readings; i++) {
		const struct rules_reading *x = &rule->reading[i];
		if (x->name == NULL) {
			put(w, tell_cond(t, x->cond, &s, bind));
			continue;
		}
		struct rules_why *r = why_new(t, RULES_WHY_READING, eval_cond(t->e, x->cond, bind));
		if (r == NULL)
			return;
		r->rule = rule;
		r->label = x->name;
		r->words = x->words;
		put(w, r);
		put(r, tell_cond(t, x->cond, &s, bind));
	}
	result_t elements = eval_readings(t->e, rule, bind);
	if (status_of(elements) != RULES_NOT_MET)
		tell_exceptions(t, rule, bind, w);
}

static struct rules_why *tell_conclusion(struct telling *t, const struct rules_conclusion *c,
					 const uint32_t *members)
{
	result_t r = eval_conclusion(t->e, c, members);
	struct rules_why *w = why_new(t, RULES_WHY_RULE, r);
	if (w == NULL)
		return NULL;
	uint8_t *told = &t->told[eval_place(t->e, c, members)];
	w->rule = eval_version(t->e, c);
	w->conclusion = c;
	memcpy(w->member, members, c->subjects * sizeof(w->member[0]));
	w->again = *told != 0;
	if (*told == 0 && w->rule != NULL) {
		*told = 1;
		tell_rule(t, w->rule, members, w);
	}
	return w;
}

int rules_explain(struct rules_eval *e, const struct rules_finding *f, struct arena *mem,
		  uint32_t nodes_max, const struct rules_why **ret, bool *ret_cut)
{
	struct telling t = {.e = e, .mem = mem};
	t.nodes_max = nodes_max != 0 ? nodes_max : NODES_USUAL;
	t.told = arena_alloc(mem, e->places);
	t.words = (struct buf){
		.data = arena_alloc(mem, WORDS_MAX), .cap = WORDS_MAX, .max = WORDS_MAX};
	if (t.told == NULL || t.words.data == NULL)
		return -ENOMEM;
	e->steps = 0;
	struct rules_why *w = tell_conclusion(&t, f->conclusion, f->member);
	if (t.failed || e->exhausted)
		return t.failed ? -ENOMEM : FW_ELIMIT;
	*ret = w;
	*ret_cut = t.cut;
	return 0;
}

/* ---- as text ---- */

static const char *const status_words[] = {"not met", "met", "unknown", "disputed"};

static void write_members(const struct rules_eval *e, const struct rules_subject *s, uint32_t n,
			  const uint32_t *members, struct buf *out)
{
	for (uint32_t i = 0; i < n; i++)
		buf_printf(out, "%s%s", i == 0 ? " of " : ", ",
			   rules_case_member(e->c, s[i].list, members[i]));
}

static void write_said(const struct rules_fact *f, const struct rules_statement *s, struct buf *out)
{
	const char *before = ": ";
	for (; s != NULL; s = s->next, before = "; ") {
		buf_printf(out, "%s%s", before, s->said.denies ? "not " : "");
		rules_value_format(f, &s->value, out);
		if (s->said.who != NULL)
			buf_printf(out, " (%s%s%s)", s->said.who,
				   s->said.evidence != NULL ? ", " : "",
				   s->said.evidence != NULL ? s->said.evidence : "");
	}
}

static void write_fact(const struct rules_eval *e, const struct rules_fact *f,
		       const uint32_t *members, const struct rules_statement *said, struct buf *out)
{
	buf_printf(out, " [%s", f->name);
	write_members(e, f->subject, f->subjects, members, out);
	write_said(f, said, out);
	buf_puts(out, said == NULL ? ": nobody said]" : "]");
}

static void write_rule(const struct rules_eval *e, const struct rules_why *w, struct buf *out)
{
	const struct rules_conclusion *c = w->rule != NULL ? w->rule->conclusion : w->conclusion;
	buf_puts(out, c->name);
	write_members(e, c->subject, c->subjects, w->member, out);
	if (w->rule != NULL)
		buf_printf(out, " (%s)", w->rule->article);
	else
		buf_puts(out, " (not in force)");
	if (w->again)
		buf_puts(out, ", as above");
}

static void write_why(const struct rules_eval *e, const struct rules_why *w, unsigned depth,
		      struct buf *out)
{
	buf_printf(out, "%*s%s%s", (int)depth * 2, "", w->label != NULL ? w->label : "",
		   w->label != NULL ? " " : "");
	switch (w->kind) {
	case RULES_WHY_UNEXAMINED:
		buf_puts(out, "not examined: ");
		write_rule(e, w, out);
		buf_putc(out, '\n');
		return;
	case RULES_WHY_EXCEPTION:
		buf_puts(out, "exception ");
		write_rule(e, w, out);
		break;
	case RULES_WHY_RULE:
		write_rule(e, w, out);
		break;
	case RULES_WHY_MEMBER:
		buf_puts(out, rules_case_member(e->c, w->list, w->member[0]));
		break;
	case RULES_WHY_OPEN_LIST:
		buf_printf(out, "another %s", w->list->name);
		break;
	default:
		buf_puts(out, w->words);
		break;
	}
	buf_printf(out, " -> %s%s", status_words[w->status],
		   w->flags & RULES_DEFEATED ? " (defeated)" : "");
	if (w->fact != NULL)
		write_fact(e, w->fact, w->member, w->said, out);
	if (w->with != NULL)
		write_fact(e, w->with, w->with_member, w->with_said, out);
	if (w->hidden > 0)
		buf_printf(out, " {%u more did not decide}", w->hidden);
	buf_putc(out, '\n');
	for (const struct rules_why *child = w->child; child != NULL; child = child->next)
		write_why(e, child, depth + 1, out);
}

void rules_why_write(const struct rules_eval *e, const struct rules_why *w, struct buf *out)
{
	write_why(e, w, 0, out);
}
