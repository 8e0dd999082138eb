/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A law as text again, in the one canonical form of docs/rules.md. */
#include "engine/rules/law.h"

#include <stdio.h>
#include <string.h>

enum { STEP = 2, WIDTH = 100 };

static void indent(struct buf *out, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_putc(out, ' ');
}

/* NAME, and in brackets what it speaks of where that is not what it would be unsaid. */
static void print_term(const struct cond_term *t, const struct scope *s, struct buf *out)
{
	const struct rules_subject *subject =
		t->fact != NULL ? t->fact->subject : t->conclusion->subject;
	uint32_t n = t->fact != NULL ? t->fact->subjects : t->conclusion->subjects;
	bool unsaid = true;
	for (uint32_t i = 0; i < n; i++)
		unsaid = unsaid && scope_default(s, &subject[i]) == t->slot[i];
	buf_puts(out, t->fact != NULL ? t->fact->name : t->conclusion->name);
	for (uint32_t i = 0; i < n && !unsaid; i++)
		buf_printf(out, "%s%s%s", i == 0 ? " (" : ", ", s->name[t->slot[i]],
			   i + 1 == n ? ")" : "");
}

static void print_codes(const struct rules_cond *c, struct buf *out)
{
	for (uint32_t i = 0; i < c->ncode; i++)
		buf_printf(out, "%s%s", i == 0 ? " is " : " or ",
			   c->term.fact->codes->code[c->code[i]].name);
}

static void print_test(const struct rules_cond *c, const struct scope *s, struct buf *out)
{
	static const char *const words[] = {[TEST_AT_LEAST] = "at least",
					    [TEST_AT_MOST] = "at most",
					    [TEST_MORE] = "more than",
					    [TEST_LESS] = "less than",
					    [TEST_EXACTLY] = "exactly",
					    [TEST_BEFORE] = "before",
					    [TEST_AFTER] = "after",
					    [TEST_ON_OR_BEFORE] = "on or before",
					    [TEST_ON_OR_AFTER] = "on or after",
					    [TEST_ON] = "on",
					    [TEST_WITHIN_AFTER] = "after",
					    [TEST_WITHIN_BEFORE] = "before",
					    [TEST_WITHIN_OF] = "of"};
	static const char *const units[] = {"days", "months", "years"};
	if (c->test == TEST_NONE)
		return;
	if (c->test == TEST_CODE) {
		print_codes(c, out);
		return;
	}
	buf_puts(out, " is ");
	if (c->test >= TEST_WITHIN_AFTER)
		buf_printf(out, "within %u %s ", c->n, units[c->unit]);
	buf_printf(out, "%s ", words[c->test]);
	if (c->has_value)
		rules_value_format(c->term.fact, &c->value, out);
	else
		print_term(&c->with, s, out);
}

static void print_leaf(const struct rules_cond *c, const struct scope *s, struct buf *out)
{
	if (c->kind == COND_SAME || c->kind == COND_DIFFERS) {
		buf_printf(out, "%s %s %s", s->name[c->term.slot[0]],
			   c->kind == COND_SAME ? "is the same as" : "differs from",
			   s->name[c->term.slot[1]]);
		return;
	}
	print_term(&c->term, s, out);
	print_test(c, s, out);
}

static void print_such_that(const struct rules_cond *c, const struct scope *s, struct buf *out)
{
	buf_puts(out, " such that ");
	if (c->kind == COND_NOT) {
		buf_puts(out, "not ");
		c = c->child;
	}
	print_leaf(c, s, out);
}

/* ${s} holds the quantifier's own variable already. */
static void print_head(const struct rules_cond *c, const struct scope *s, struct buf *out)
{
	switch (c->kind) {
	case COND_ALL:
		buf_puts(out, "all of:");
		return;
	case COND_ANY:
		buf_puts(out, "any of:");
		return;
	case COND_NONE:
		buf_puts(out, "none of:");
		return;
	case COND_COUNT:
		buf_printf(out, "at least %u of:", c->n);
		return;
	case COND_NOT:
		buf_puts(out, "not ");
		return;
	case COND_MANY:
		buf_printf(out, "for at least %u %s", c->n, c->list->name);
		break;
	default:
		buf_printf(out, "for %s %s",
			   c->kind == COND_SOME   ? "some"
			   : c->kind == COND_EACH ? "each"
						  : "no",
			   c->list->name);
		break;
	}
	if (c->as != c->list->name)
		buf_printf(out, " as %s", c->as);
	if (c->such_that)
		print_such_that(c->child, s, out);
}

void cond_words(const struct rules_cond *c, const struct scope *s, struct buf *out)
{
	struct scope inner = *s;
	if (c->kind >= COND_FACT) {
		print_leaf(c, s, out);
		return;
	}
	if (cond_is_quantifier(c->kind))
		(void)scope_push(&inner, c->list, c->as);
	print_head(c, &inner, out);
}

static void print_line(const struct rules_cond *c, struct scope *s, unsigned depth,
		       struct buf *out);

/* From where the line stands: ends with a line feed. */
static void print_cond(const struct rules_cond *c, struct scope *s, unsigned depth, struct buf *out)
{
	cond_words(c, s, out);
	if (c->kind >= COND_FACT) {
		buf_putc(out, '\n');
	} else if (c->kind == COND_NOT) {
		print_cond(c->child, s, depth, out);
	} else if (cond_is_quantifier(c->kind)) {
		const struct rules_cond *body = c->such_that ? c->child->next : c->child;
		(void)scope_push(s, c->list, c->as);
		if (body->label == NULL && body->kind <= COND_COUNT) {
			buf_puts(out, ", ");
			print_cond(body, s, depth, out);
		} else {
			buf_puts(out, ":\n");
			print_line(body, s, depth + STEP, out);
		}
		s->n--;
	} else {
		buf_putc(out, '\n');
		for (const struct rules_cond *child = c->child; child != NULL; child = child->next)
			print_line(child, s, depth + STEP, out);
	}
}

static void print_line(const struct rules_cond *c, struct scope *s, unsigned depth, struct buf *out)
{
	indent(out, depth);
	if (c->label != NULL)
		buf_printf(out, "%s ", c->label);
	print_cond(c, s, depth, out);
}

static void print_met_if(const struct rules_rule *rule, const struct rules_cond *c, unsigned depth,
			 struct buf *out)
{
	struct scope s = scope_of(rule->conclusion->subject, rule->conclusion->subjects);
	indent(out, depth);
	buf_puts(out, "met if ");
	if (c->label != NULL)
		buf_printf(out, "%s ", c->label);
	print_cond(c, &s, depth, out);
}

/* Up to the next blank at which a line may be broken: what follows must not look like a remark or a
 * condition. */
static size_t piece(const char *s)
{
	size_t n = 0;
	for (;;) {
		n += strcspn(s + n, " ");
		if (s[n] == '\0')
			return n;
		size_t blanks = strspn(s + n, " ");
		if (blanks == 1 && s[n + 1] != '#' && s[n + 1] != '\0' &&
		    strncmp(s + n + 1, "met ", 4) != 0)
			return n;
		n += blanks;
	}
}

/* "key: text", broken into deeper lines where it is long. */
static void print_wrapped(unsigned depth, const char *key, const char *text, struct buf *out)
{
	size_t column = depth + strlen(key) + 1;
	indent(out, depth);
	buf_printf(out, "%s:", key);
	while (*text != '\0') {
		size_t n = piece(text);
		if (column + 1 + n > WIDTH) {
			buf_putc(out, '\n');
			indent(out, depth + STEP);
			column = depth + STEP;
		} else {
			buf_putc(out, ' ');
			column++;
		}
		buf_put(out, text, n);
		column += n;
		text += n + (text[n] == ' ');
	}
	buf_putc(out, '\n');
}

static void print_text(const char *key, const char *text, struct buf *out)
{
	if (text != NULL)
		print_wrapped(STEP, key, text, out);
}

static void print_subjects(const struct rules_subject *s, uint32_t n, struct buf *out)
{
	for (uint32_t i = 0; i < n; i++) {
		buf_printf(out, "%s%s", i == 0 ? " of " : ", ", s[i].list->name);
		if (s[i].as != s[i].list->name)
			buf_printf(out, " as %s", s[i].as);
	}
}

static void print_fact(const struct rules_fact *f, struct buf *out)
{
	static const char *const types[] = {"yes or no", "number", "amount", "date", "code of "};
	buf_printf(out, "\nfact %s", f->name);
	print_subjects(f->subject, f->subjects, out);
	buf_printf(out, ": %s%s\n", types[f->type], f->codes != NULL ? f->codes->name : "");
	print_text("ask", f->ask, out);
	print_text("means", f->means, out);
	print_text("source", f->source, out);
	print_text("note", f->note, out);
}

static void print_days(const struct rules_rule *rule, struct buf *out)
{
	char day[DATE_TEXT_LEN + 1];
	if (rule->from == INT32_MIN && rule->to == INT32_MAX)
		return;
	buf_puts(out, "  in force:");
	if (rule->from != INT32_MIN) {
		date_format(date_from_days(rule->from), day);
		buf_printf(out, " from %s", day);
	}
	if (rule->to != INT32_MAX) {
		date_format(date_from_days(rule->to), day);
		buf_printf(out, " until %s", day);
	}
	buf_putc(out, '\n');
}

static void print_conditions(const struct rules_rule *rule, struct buf *out)
{
	char key[RULES_NAME_MAX + 16];
	for (uint32_t i = 0; i < rule->readings; i++) {
		const struct rules_reading *x = &rule->reading[i];
		if (x->name != NULL) {
			(void)snprintf(key, sizeof(key), "reading %s", x->name);
			print_text(key, x->words, out);
		}
		print_met_if(rule, x->cond, x->name != NULL ? 2 * STEP : STEP, out);
	}
}

static void print_list(const char *key, struct buf *list, struct buf *out)
{
	if (list->len > 0) {
		buf_putc(list, '\0');
		if (buf_failed(list) && out->error == 0)
			out->error = list->error;
		else
			print_text(key, (const char *)list->data, out);
	}
	buf_clear(list);
}

static void print_exceptions(const struct rules_rule *rule, struct buf *out)
{
	struct scope s = scope_of(rule->conclusion->subject, rule->conclusion->subjects);
	struct buf list;
	buf_init(&list, 2 * RULES_TEXT_MAX);
	for (const struct rules_cond *c = rule->unless; c != NULL; c = c->next) {
		print_term(&c->term, &s, &list);
		buf_puts(&list, c->next != NULL ? ", " : "");
	}
	print_list("unless", &list, out);
	for (uint32_t i = 0; i < rule->nraised_by; i++)
		buf_printf(&list, "%s%s", i == 0 ? "" : ", ", rule->raised_by[i]->name);
	print_list("raised by", &list, out);
	buf_release(&list);
}

static void print_rule(const struct rules_rule *rule, struct buf *out)
{
	static const char *const kinds[] = {"rule", "definition", "exception"};
	const struct rules_conclusion *c = rule->conclusion;
	buf_printf(out, "\n%s %s", kinds[c->kind], c->name);
	print_subjects(c->subject, c->subjects, out);
	buf_putc(out, '\n');
	print_text("article", rule->article, out);
	print_text("strength", rule->strength, out);
	if (c->law_of == RULES_OF_ACT)
		print_text("law of", "the act", out);
	print_days(rule, out);
	print_text("sentence", rule->sentence, out);
	print_conditions(rule, out);
	print_exceptions(rule, out);
	print_text("says met", rule->says_met, out);
	print_text("says not met", rule->says_not_met, out);
	print_text("says unknown", rule->says_unknown, out);
	print_text("source", rule->source, out);
	print_text("note", rule->note, out);
}

static void print_named(const char *kind, const char *name, const char *words, struct buf *out)
{
	buf_printf(out, "%s%s %s\n", out->len > 0 ? "\n" : "", kind, name);
	print_text("words", words, out);
}

void rules_law_print(const struct rules_law *law, struct buf *out)
{
	for (uint32_t i = 0; i < law->strengths; i++)
		print_named("strength", law->strength[i]->name, law->strength[i]->words, out);
	for (uint32_t i = 0; i < law->lists; i++)
		print_named("list", law->list[i]->name, law->list[i]->words, out);
	for (uint32_t i = 0; i < law->books; i++) {
		buf_printf(out, "\ncodes %s\n", law->book[i]->name);
		for (uint32_t k = 0; k < law->book[i]->n; k++)
			print_text(law->book[i]->code[k].name, law->book[i]->code[k].words, out);
	}
	for (uint32_t i = 0; i < law->facts; i++)
		print_fact(law->fact[i], out);
	for (uint32_t i = 0; i < law->rules; i++)
		print_rule(law->rule[i], out);
}
