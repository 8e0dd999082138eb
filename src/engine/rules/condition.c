/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Conditions: an outline, one condition a line, deeper lines belonging to the
 * line above them.  There is no "and" and no "or" within a line, hence no
 * precedence that a reader would have to know.
 *
 *     met if all of:
 *       (a) paid
 *       (b) for some trip such that carried, any of:
 *         distance is more than 100
 *         not trip.insured
 *
 * docs/rules.md has the grammar; each function here is one line of it.
 */
#include "engine/rules/law.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { COUNT_MAX = 1000, WITHIN_MAX = 100000, CODES_MAX = 1000, WHAT_MAX = 300 };

static struct rules_cond *cond_new(struct words *w, enum cond_kind kind)
{
	struct rules_cond *c = arena_alloc(w->r->mem, sizeof(*c));
	if (c != NULL) {
		c->kind = kind;
		c->line = w->line->no;
		w->r->law->nodes++;
	}
	return c;
}

/* The lines [from, to), all deeper than their head, each with its own deeper lines. */
static int block(struct words *w, size_t from, size_t to, struct scope *s, unsigned depth,
		 struct rules_cond **ret)
{
	struct line *line = w->r->lines.line;
	struct rules_cond **last = ret;
	if (from == to)
		return fault(w->r, w->line,
			     "found nothing below this line; expected conditions in deeper lines");
	for (size_t i = from; i < to;) {
		if (line[i].indent != line[from].indent)
			return fault(w->r, &line[i],
				     "found a line %u deep; expected %u as for the lines beside it",
				     line[i].indent, line[from].indent);
		size_t next = i + 1;
		while (next < to && line[next].indent > line[i].indent)
			next++;
		struct words inner = words_of(w->r, &line[i], line[i].text);
		int err = cond_line(&inner, i + 1, next, s, depth, last);
		if (err != 0)
			return err;
		last = &(*last)->next;
		i = next;
	}
	return 0;
}

/* "(" VAR {"," VAR} ")" or nothing; fills the slots of a term. */
static int arguments(struct words *w, const struct scope *s, const char *name,
		     const struct rules_subject *subject, uint32_t n, uint8_t *slot)
{
	bool given = word_take(w, "(");
	char what[WHAT_MAX];
	for (uint32_t i = 0; i < n; i++) {
		int v;
		if (given) {
			(void)snprintf(what, sizeof(what),
				       "a %s, subject %u of \"%s\": one of the names in sight that "
				       "stand for one",
				       subject[i].list->name, i + 1, name);
			struct word x = word_peek(w);
			v = scope_find(s, x.s, x.n);
			if (v < 0 || s->list[v] != subject[i].list)
				return word_expected(w, what);
			(void)word_next(w);
			if (!word_take(w, i + 1 < n ? "," : ")"))
				return word_expected(w, i + 1 < n ? "\",\" and the next subject"
								  : "\")\" after the last subject");
		} else {
			v = scope_default(s, &subject[i]);
			if (v < 0)
				return fault(w->r, w->line,
					     "found \"%s\", which speaks of a %s, where none is in "
					     "sight; expected it below \"for some %s\", or the "
					     "rule to be \"of %s\"",
					     name, subject[i].list->name, subject[i].list->name,
					     subject[i].list->name);
		}
		slot[i] = (uint8_t)v;
	}
	if (given && n == 0)
		return word_expected(w, "no bracket, for it has no subject");
	return 0;
}

/* NAME [arguments]: a fact or a conclusion. */
static int term(struct words *w, const struct scope *s, struct cond_term *ret)
{
	struct word x = word_peek(w);
	const struct name_entry *e = name_find(w->r->law, NAME_TERM, x.s, x.n);
	if (e == NULL || e->kind == NAME_LIST) {
		char what[WHAT_MAX];
		(void)snprintf(what, sizeof(what),
			       "the name of a fact, a rule or a definition that is declared%s",
			       e == NULL ? name_hint(w->r, NAME_TERM, x.s, x.n)
					 : "; this is a list");
		return word_expected(w, what);
	}
	(void)word_next(w);
	if (e->kind == NAME_FACT) {
		ret->fact = e->thing;
		return arguments(w, s, e->name, ret->fact->subject, ret->fact->subjects, ret->slot);
	}
	ret->conclusion = e->thing;
	return arguments(w, s, e->name, ret->conclusion->subject, ret->conclusion->subjects,
			 ret->slot);
}

static int codes_test(struct words *w, struct rules_cond *c)
{
	uint16_t code[CODES_MAX];
	c->test = TEST_CODE;
	do {
		struct rules_value v;
		if (c->ncode == CODES_MAX)
			return word_expected(w, "no more than 1000 codes");
		int err = value_read(w, c->term.fact, &v);
		if (err != 0)
			return err;
		code[c->ncode++] = (uint16_t)v.lo;
	} while (word_take(w, "or"));
	uint16_t *kept = arena_array(w->r->mem, c->ncode, sizeof(code[0]));
	if (kept == NULL)
		return -ENOMEM;
	memcpy(kept, code, c->ncode * sizeof(code[0]));
	c->code = kept;
	return 0;
}

/* What a fact is held against: a value, or another fact of the same type. */
static int operand(struct words *w, const struct scope *s, struct rules_cond *c)
{
	struct word x = word_peek(w);
	const struct name_entry *e = name_find(w->r->law, NAME_TERM, x.s, x.n);
	if (e == NULL || e->kind != NAME_FACT) {
		c->has_value = true;
		return value_read(w, c->term.fact, &c->value);
	}
	const struct rules_fact *f = e->thing;
	if (f->type != c->term.fact->type)
		return fault(w->r, w->line,
			     "found \"%s\", which is of another type; expected one of the type of "
			     "\"%s\"",
			     f->name, c->term.fact->name);
	return term(w, s, &c->with);
}

static int within(struct words *w, const struct scope *s, struct rules_cond *c)
{
	static const char *const units[] = {"days", "months", "years"}, *const one[] = {"day",
											"month",
											"year"};
	int err = word_count(w, WITHIN_MAX, &c->n);
	if (err != 0)
		return err;
	int unit = -1;
	for (int i = 0; i < 3 && unit < 0; i++)
		if (word_take(w, units[i]) || word_take(w, one[i]))
			unit = i;
	if (unit < 0)
		return word_expected(w, "\"days\", \"months\" or \"years\"");
	c->unit = (enum cond_unit)unit;
	c->test = word_take(w, "after")    ? TEST_WITHIN_AFTER
		  : word_take(w, "before") ? TEST_WITHIN_BEFORE
					   : TEST_WITHIN_OF;
	if (c->test == TEST_WITHIN_OF && !word_take(w, "of"))
		return word_expected(w, "\"after\", \"before\" or \"of\" and a date");
	return operand(w, s, c);
}

static int date_test(struct words *w, const struct scope *s, struct rules_cond *c)
{
	static const struct {
		const char *words;
		enum cond_test test;
	} tests[] = {{"on or before", TEST_ON_OR_BEFORE},
		     {"on or after", TEST_ON_OR_AFTER},
		     {"on", TEST_ON},
		     {"before", TEST_BEFORE},
		     {"after", TEST_AFTER}};
	if (word_take(w, "within"))
		return within(w, s, c);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (word_take(w, tests[i].words)) {
			c->test = tests[i].test;
			return operand(w, s, c);
		}
	return word_expected(w, "\"before\", \"after\", \"on\", \"on or before\", \"on or after\" "
				"or \"within N days of\", for it is a date");
}

static int number_test(struct words *w, const struct scope *s, struct rules_cond *c)
{
	static const struct {
		const char *words;
		enum cond_test test;
	} tests[] = {{"at least", TEST_AT_LEAST},
		     {"at most", TEST_AT_MOST},
		     {"more than", TEST_MORE},
		     {"less than", TEST_LESS},
		     {"exactly", TEST_EXACTLY}};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (word_take(w, tests[i].words)) {
			c->test = tests[i].test;
			return operand(w, s, c);
		}
	return word_expected(w, "\"at least\", \"at most\", \"more than\", \"less than\" or "
				"\"exactly\", for it is a number or an amount");
}

/* VAR is the same as VAR | VAR differs from VAR */
static int identity(struct words *w, const struct scope *s, struct rules_cond **ret)
{
	struct word x = word_next(w);
	int a = scope_find(s, x.s, x.n);
	bool same = word_take(w, "is the same as");
	if (!same && !word_take(w, "differs from"))
		return word_expected(w, "\"is the same as\" or \"differs from\", for a name of "
					"somebody or something stands before it");
	x = word_peek(w);
	int b = scope_find(s, x.s, x.n);
	if (b < 0 || s->list[a] != s->list[b] || a == b)
		return word_expected(
			w, "another name in sight that stands for a member of the same list");
	(void)word_next(w);
	struct rules_cond *c = cond_new(w, same ? COND_SAME : COND_DIFFERS);
	if (c == NULL)
		return -ENOMEM;
	c->term.slot[0] = (uint8_t)a;
	c->term.slot[1] = (uint8_t)b;
	*ret = c;
	return 0;
}

static int fact_test(struct words *w, const struct scope *s, struct rules_cond *c)
{
	enum rules_type type = c->term.fact != NULL ? c->term.fact->type : RULES_YESNO;
	if (type == RULES_YESNO)
		return word_peek(w).n > 0 && word_is(word_peek(w), "is")
			       ? word_expected(w, "nothing after it, for it is a yes or a no")
			       : 0;
	if (!word_take(w, "is"))
		return word_expected(w, "\"is\" and what it is held against");
	if (type == RULES_CODE)
		return codes_test(w, c);
	return type == RULES_DATE ? date_test(w, s, c) : number_test(w, s, c);
}

/* One fact, conclusion or identity. */
static int leaf(struct words *w, const struct scope *s, struct rules_cond **ret)
{
	struct word x = word_peek(w);
	if (scope_find(s, x.s, x.n) >= 0)
		return identity(w, s, ret);
	struct rules_cond *c = cond_new(w, COND_FACT);
	if (c == NULL)
		return -ENOMEM;
	*ret = c;
	int err = term(w, s, &c->term);
	if (err != 0)
		return err;
	if (c->term.conclusion != NULL)
		c->kind = COND_CONCLUSION;
	return fact_test(w, s, c);
}

/* "such that" [not] leaf */
static int such_that(struct words *w, const struct scope *s, struct rules_cond *c)
{
	c->such_that = true;
	if (!word_take(w, "not"))
		return leaf(w, s, &c->child);
	c->child = cond_new(w, COND_NOT);
	return c->child == NULL ? -ENOMEM : leaf(w, s, &c->child->child);
}

static int rest(struct words *w, size_t from, size_t to, struct scope *s, unsigned depth,
		struct rules_cond **ret);

/* LIST [as NAME] [such that LEAF] ("," CONDITION | ":" one deeper line) */
static int quantifier(struct words *w, size_t from, size_t to, struct scope *s, unsigned depth,
		      struct rules_cond *c)
{
	struct word x = word_peek(w);
	const struct name_entry *e = name_find(w->r->law, NAME_TERM, x.s, x.n);
	if (e == NULL || e->kind != NAME_LIST) {
		char what[WHAT_MAX];
		(void)snprintf(what, sizeof(what), "the name of a list%s",
			       e == NULL ? name_hint(w->r, NAME_TERM, x.s, x.n) : "");
		return word_expected(w, what);
	}
	(void)word_next(w);
	c->list = e->thing;
	c->as = e->name;
	int err = word_take(w, "as") ? word_name(w, "a name for each of its members", &c->as) : 0;
	if (err != 0)
		return err;
	if (scope_find(s, c->as, strlen(c->as)) >= 0)
		return fault(w->r, w->line,
			     "found \"%s\" for a second time among the names in sight; expected "
			     "\"for some %s as\" and another name",
			     c->as, c->list->name);
	if (c->as != e->name && name_find(w->r->law, NAME_TERM, c->as, strlen(c->as)) != NULL)
		return fault(w->r, w->line,
			     "found \"%s\" as a name for a member; expected one that no list, fact "
			     "or rule has",
			     c->as);
	c->slot = (uint8_t)s->n;
	if (scope_push(s, c->list, c->as) != 0)
		return fault(w->r, w->line,
			     "found more than %d names in sight; expected a definition that takes "
			     "a part of this",
			     RULES_VARS_MAX);
	if (word_take(w, "such that"))
		err = such_that(w, s, c);
	struct rules_cond **body = c->such_that && c->child != NULL ? &c->child->next : &c->child;
	if (err == 0 && word_take(w, ","))
		err = rest(w, from, to, s, depth + 1, body);
	else if (err == 0 && word_take(w, ":") && words_end(w))
		err = block(w, from, to, s, depth + 1, body);
	else if (err == 0)
		err = word_expected(w, "\", all of:\", \", any of:\", \",\" and a condition, or "
				       "\":\" and one deeper line");
	s->n--;
	if (err == 0 && (*body)->next != NULL)
		err = fault(w->r, w->line,
			    "found several lines below; expected one, or \", all of:\" or \", any "
			    "of:\" in this one");
	return err;
}

/* "at least N of:" and its kind: the head of a block. */
static int group(struct words *w, size_t from, size_t to, struct scope *s, unsigned depth,
		 struct rules_cond *c)
{
	if (!word_take(w, ":") || !words_end(w))
		return word_expected(w, "\":\" and the conditions in deeper lines");
	int err = block(w, from, to, s, depth + 1, &c->child);
	uint32_t n = 0;
	for (const struct rules_cond *x = c->child; err == 0 && x != NULL; x = x->next)
		n++;
	if (err == 0 && c->kind == COND_COUNT && c->n > n)
		err = fault(w->r, w->line,
			    "found \"at least %u of\" over %u conditions; expected at most as many",
			    c->n, n);
	return err;
}

static int quantified(struct words *w, size_t from, size_t to, struct scope *s, unsigned depth,
		      struct rules_cond *c)
{
	if (word_take(w, "some")) {
		c->kind = COND_SOME;
	} else if (word_take(w, "each")) {
		c->kind = COND_EACH;
	} else if (word_take(w, "no")) {
		c->kind = COND_NO;
	} else if (word_take(w, "at least")) {
		c->kind = COND_MANY;
		int err = word_count(w, COUNT_MAX, &c->n);
		if (err != 0)
			return err;
	} else {
		return word_expected(w, "\"some\", \"each\", \"no\" or \"at least N\" and a list");
	}
	return quantifier(w, from, to, s, depth, c);
}

static int grouped(struct words *w, size_t from, size_t to, struct scope *s, unsigned depth,
		   struct rules_cond *c)
{
	int err = 0;
	if (c->kind == COND_COUNT) {
		err = word_count(w, COUNT_MAX, &c->n);
		if (err == 0 && !word_take(w, "of"))
			err = word_expected(w, "\"of:\"");
	}
	return err != 0 ? err : group(w, from, to, s, depth, c);
}

static int rest(struct words *w, size_t from, size_t to, struct scope *s, unsigned depth,
		struct rules_cond **ret)
{
	static const struct {
		const char *words;
		enum cond_kind kind;
	} heads[] = {{"all of", COND_ALL},     {"any of", COND_ANY}, {"none of", COND_NONE},
		     {"at least", COND_COUNT}, {"not", COND_NOT},    {"for", COND_SOME}};
	if (depth > RULES_DEPTH_MAX)
		return fault(w->r, w->line,
			     "found conditions more than %d deep; expected a definition that takes "
			     "a part of them",
			     RULES_DEPTH_MAX);
	if (w->r->law->nodes >= RULES_NODES_MAX)
		return fault(w->r, w->line, "a law has at most %d conditions", RULES_NODES_MAX);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		if (!word_take(w, heads[i].words))
			continue;
		struct rules_cond *c = *ret = cond_new(w, heads[i].kind);
		if (c == NULL)
			return -ENOMEM;
		if (c->kind == COND_NOT)
			return rest(w, from, to, s, depth + 1, &c->child);
		return c->kind == COND_SOME ? quantified(w, from, to, s, depth, c)
					    : grouped(w, from, to, s, depth, c);
	}
	int err = leaf(w, s, ret);
	if (err == 0 && !words_end(w))
		err = word_expected(
			w, "the end of the line: further conditions stand in lines of their own");
	if (err == 0 && from != to)
		err = fault(w->r, &w->r->lines.line[from],
			    "found a deeper line below a condition that is whole; expected it "
			    "beside that, or the line above to end with \":\"");
	return err;
}

/* "(a)(ii)" before a condition. */
static int label(struct words *w, const char **ret)
{
	*ret = NULL;
	if (words_end(w) || *w->at != '(')
		return 0;
	const char *s = w->at;
	size_t n = strcspn(s, " ");
	bool good = n <= RULES_NAME_MAX && s[n - 1] == ')';
	if (!good)
		return word_expected(
			w, "a label such as (a) or (b)(ii) without blanks, then the condition");
	w->at += n;
	*ret = arena_strndup(w->r->mem, s, n);
	return *ret != NULL ? 0 : -ENOMEM;
}

int cond_line(struct words *w, size_t from, size_t to, struct scope *s, unsigned depth,
	      struct rules_cond **ret)
{
	const char *text;
	int err = label(w, &text);
	if (err == 0)
		err = rest(w, from, to, s, depth, ret);
	if (err == 0)
		(*ret)->label = text;
	return err;
}

/* EXCEPTION [arguments] {"," EXCEPTION [arguments]} */
int cond_unless(struct words *w, struct scope *s, struct rules_cond **ret)
{
	do {
		struct rules_cond *c = *ret = cond_new(w, COND_CONCLUSION);
		if (c == NULL)
			return -ENOMEM;
		struct words at = *w;
		int err = term(w, s, &c->term);
		if (err != 0)
			return err;
		if (c->term.conclusion == NULL || c->term.conclusion->kind != RULES_EXCEPTION)
			return word_expected(&at, "the name of an exception");
		ret = &c->next;
	} while (word_take(w, ","));
	return words_end(w)
		       ? 0
		       : word_expected(w, "\",\" and another exception, or the end of the text");
}
