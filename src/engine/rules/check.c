/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What a law must be before it may be used: every conclusion once at any day,
 * none resting on itself, all of them of use, each with texts that do not
 * contradict each other.  Undefined names were refused while reading.
 */
#include "engine/rules/law.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum visit { UNSEEN, OPEN, DONE };

struct walk {
	struct reader *r;
	uint8_t *seen; /* enum visit of each conclusion */
	const struct rules_conclusion *path[RULES_CHAIN_MAX + 1];
	uint32_t depth;
};

__attribute__((format(printf, 3, 4))) static int
rule_fault(struct reader *r, const struct rules_rule *rule, const char *fmt, ...)
{
	struct line at = {.file = rule->file, .no = rule->line};
	char text[DIAG_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return fault(r, &at, "%s", text);
}

static struct line line_of(const struct rules_rule *rule, const struct rules_cond *c)
{
	return (struct line){.file = rule->file, .no = c->line};
}

/* ---- one rule ---- */

static bool same_term(const struct cond_term *a, const struct cond_term *b)
{
	return a->fact == b->fact && a->conclusion == b->conclusion &&
	       memcmp(a->slot, b->slot, sizeof(a->slot)) == 0;
}

static bool same_leaf(const struct rules_cond *a, const struct rules_cond *b)
{
	if (a->kind != b->kind || a->kind < COND_FACT || a->test != b->test ||
	    !same_term(&a->term, &b->term))
		return false;
	if (a->test == TEST_CODE)
		return a->ncode == b->ncode &&
		       memcmp(a->code, b->code, a->ncode * sizeof(a->code[0])) == 0;
	if (a->n != b->n || a->unit != b->unit || a->has_value != b->has_value)
		return false;
	return a->has_value ? memcmp(&a->value, &b->value, sizeof(a->value)) == 0
			    : same_term(&a->with, &b->with);
}

/* Whether ${c} says the contrary of ${other}. */
static bool contrary(const struct rules_cond *c, const struct rules_cond *other)
{
	return (c->kind == COND_NOT && same_leaf(c->child, other)) ||
	       (other->kind == COND_NOT && same_leaf(other->child, c));
}

/* A thing and its contrary side by side: never met in "all of", always in "any of". */
static int check_group(struct reader *r, const struct rules_rule *rule,
		       const struct rules_cond *group)
{
	for (const struct rules_cond *a = group->child; a != NULL; a = a->next) {
		for (const struct rules_cond *b = a->next; b != NULL; b = b->next) {
			struct line at = line_of(rule, b);
			if (group->kind != COND_COUNT && contrary(a, b))
				return fault(r, &at,
					     "found the contrary of line %u beside it; expected a "
					     "condition that can be met and unmet",
					     a->line);
			if (same_leaf(a, b))
				return fault(
					r, &at,
					"found the same as in line %u beside it; expected it once",
					a->line);
		}
	}
	return 0;
}

static int check_cond(struct reader *r, const struct rules_rule *rule, const struct rules_cond *c)
{
	struct line at = line_of(rule, c);
	if (c->kind == COND_CONCLUSION && c->term.conclusion->kind == RULES_EXCEPTION)
		return fault(r, &at,
			     "found the exception \"%s\" among conditions; expected it after "
			     "\"unless:\", or a definition",
			     c->term.conclusion->name);
	int err = c->kind <= COND_COUNT ? check_group(r, rule, c) : 0;
	for (const struct rules_cond *child = c->child; err == 0 && child != NULL;
	     child = child->next)
		err = check_cond(r, rule, child);
	return err;
}

/* Every {hole} names a subject. */
static int check_holes(struct reader *r, const struct line *at, const char *text,
		       const struct rules_subject *s, uint32_t n)
{
	struct scope scope = scope_of(s, n);
	while (text != NULL && (text = strpbrk(text, "{}")) != NULL) {
		size_t len = strcspn(text + 1, "{}");
		if (*text != '{' || text[1 + len] != '}' || scope_find(&scope, text + 1, len) < 0)
			return fault(r, at,
				     "found a hole \"%.*s\" in a text; expected a subject in "
				     "braces, as it is named in line %u",
				     (int)(len < 60 ? len + 2 : 60), text, at->no);
		text += len + 2;
	}
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static int check_texts(struct reader *r, const struct rules_rule *rule)
{
	const char *texts[] = {rule->sentence, rule->says_met, rule->says_not_met,
			       rule->says_unknown};
	struct line at = {.file = rule->file, .no = rule->line};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int err = check_holes(r, &at, texts[i], rule->conclusion->subject,
				      rule->conclusion->subjects);
		if (err != 0)
			return err;
	}
	if (same_text(texts[1], texts[2]) || same_text(texts[1], texts[3]) ||
	    same_text(texts[2], texts[3]))
		return rule_fault(r, rule,
				  "found the same text for two outcomes of \"%s\"; expected texts "
				  "that do not contradict each other",
				  rule->conclusion->name);
	return 0;
}

static int check_rule(struct reader *r, const struct rules_rule *rule)
{
	const char *name = rule->conclusion->name;
	if (rule->readings == 0)
		return rule_fault(r, rule, "found \"%s\" without a condition; expected \"met if\"",
				  name);
	if (rule->readings == 1 && rule->reading[0].name != NULL)
		return rule_fault(
			r, rule,
			"found one reading of \"%s\"; expected two or more, or a plain \"met if\"",
			name);
	if (name_find(r->law, NAME_STRENGTH, rule->strength, strlen(rule->strength)) == NULL)
		return rule_fault(
			r, rule, "found the strength \"%.60s\"; expected one that is declared%s",
			rule->strength,
			name_hint(r, NAME_STRENGTH, rule->strength, strlen(rule->strength)));
	int err = check_texts(r, rule);
	for (uint32_t i = 0; err == 0 && i < rule->readings; i++)
		err = check_cond(r, rule, rule->reading[i].cond);
	return err;
}

/* ---- all rules
 * ----------------------------------------------------------------------------------- */

/* Versions in order of days, none beside another. */
static int check_versions(struct reader *r, struct rules_conclusion *c)
{
	for (uint32_t i = 1; i < c->versions; i++) {
		const struct rules_rule *v = c->version[i];
		uint32_t k = i;
		for (; k > 0 && c->version[k - 1]->from > v->from; k--)
			c->version[k] = c->version[k - 1];
		c->version[k] = v;
	}
	for (uint32_t i = 1; i < c->versions; i++)
		if (c->version[i]->from <= c->version[i - 1]->to)
			return rule_fault(
				r, c->version[i],
				"found \"%s\" a second time for the same days, first in %s, line "
				"%u; expected \"in force:\" with days of its own",
				c->name, c->version[i - 1]->file, c->version[i - 1]->line);
	return 0;
}

static int visit(struct walk *w, const struct rules_conclusion *c, const struct rules_rule *from);

static bool has_days(const struct rules_conclusion *c)
{
	return c->versions > 1 || c->version[0]->from != INT32_MIN ||
	       c->version[0]->to != INT32_MAX;
}

/* A rule of the law at the act must not rest on what may have become law since. */
static int check_day(struct walk *w, const struct rules_rule *rule, const struct rules_cond *c)
{
	const struct rules_conclusion *on = c->term.conclusion;
	struct line at = line_of(rule, c);
	if (rule->conclusion->law_of == RULES_OF_REQUEST || on->law_of == RULES_OF_ACT ||
	    !has_days(on))
		return 0;
	return fault(w->r, &at,
		     "found \"%s\", which has days in force and follows the law of the request, in "
		     "a rule of the law of the act; expected \"law of: the act\" in it",
		     on->name);
}

static int visit_cond(struct walk *w, const struct rules_rule *rule, const struct rules_cond *c)
{
	int err = c->term.conclusion != NULL ? check_day(w, rule, c) : 0;
	if (err == 0 && c->term.conclusion != NULL)
		err = visit(w, c->term.conclusion, rule);
	for (const struct rules_cond *child = c->child; err == 0 && child != NULL;
	     child = child->next)
		err = visit_cond(w, rule, child);
	return err;
}

static int visit_rule(struct walk *w, const struct rules_rule *rule)
{
	int err = 0;
	for (uint32_t i = 0; err == 0 && i < rule->readings; i++)
		err = visit_cond(w, rule, rule->reading[i].cond);
	for (const struct rules_cond *c = rule->unless; err == 0 && c != NULL; c = c->next)
		err = visit_cond(w, rule, c);
	return err;
}

static int cycle(struct walk *w, const struct rules_conclusion *c, const struct rules_rule *from)
{
	uint32_t i = w->depth;
	while (i > 0 && w->path[i - 1] != c)
		i--;
	const char *text = c->name;
	for (; i < w->depth && text != NULL; i++)
		text = arena_printf(w->r->mem, "%s, then %s", text, w->path[i]->name);
	if (text != NULL)
		text = arena_printf(w->r->mem, "%s, then %s", text, c->name);
	return text == NULL
		       ? -ENOMEM
		       : rule_fault(
				 w->r, from,
				 "found a circle: %s; expected conclusions to rest on others only",
				 text);
}

static int visit(struct walk *w, const struct rules_conclusion *c, const struct rules_rule *from)
{
	if (w->seen[c->index] == DONE)
		return 0;
	if (w->seen[c->index] == OPEN)
		return cycle(w, c, from);
	if (w->depth == RULES_CHAIN_MAX)
		return rule_fault(w->r, from,
				  "found conclusions resting on more than %d others in a row",
				  RULES_CHAIN_MAX);
	w->seen[c->index] = OPEN;
	w->path[w->depth++] = c;
	int err = 0;
	for (uint32_t i = 0; err == 0 && i < c->versions; i++)
		err = visit_rule(w, c->version[i]);
	w->depth--;
	w->seen[c->index] = DONE;
	return err;
}

/* First what findings rest on; whatever is left then is of no use, or goes in a circle. */
static int check_graph(struct reader *r)
{
	struct rules_law *law = r->law;
	struct walk w = {.r = r, .seen = arena_alloc(r->mem, law->conclusions)};
	int err = w.seen == NULL ? -ENOMEM : 0;
	for (uint32_t i = 0; err == 0 && i < law->conclusions; i++)
		if (law->conclusion[i]->kind == RULES_RULE)
			err = visit(&w, law->conclusion[i], law->conclusion[i]->version[0]);
	for (uint32_t i = 0; err == 0 && i < law->conclusions; i++) {
		const struct rules_conclusion *c = law->conclusion[i];
		if (w.seen[i] == DONE)
			continue;
		err = visit(&w, c, c->version[0]);
		if (err == 0)
			err = rule_fault(
				r, c->version[0],
				"found \"%s\", which no rule uses; expected a rule to rest on it%s",
				c->name,
				c->kind == RULES_EXCEPTION ? " or to name it after \"unless:\""
							   : "");
	}
	return err;
}

int law_check(struct reader *r)
{
	struct rules_law *law = r->law;
	int err = 0;
	for (uint32_t i = 0; err == 0 && i < law->facts; i++) {
		struct line at = {.file = law->fact[i]->file, .no = law->fact[i]->line};
		err = check_holes(r, &at, law->fact[i]->ask, law->fact[i]->subject,
				  law->fact[i]->subjects);
	}
	for (uint32_t i = 0; err == 0 && i < law->rules; i++)
		err = check_rule(r, law->rule[i]);
	for (uint32_t i = 0; err == 0 && i < law->conclusions; i++)
		err = check_versions(r, law->conclusion[i]);
	return err != 0 ? err : check_graph(r);
}
