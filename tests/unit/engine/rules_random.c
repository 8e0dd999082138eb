/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "rules_random.h"

enum { DEEP = 3 };

/* What may be used where: definitions below ${definitions}, ${vars} variables in sight. */
struct place {
	int definitions, vars, depth;
};

static struct r_node *node(struct r_law *l, enum r_kind kind)
{
	struct r_node *n = &l->node[l->nodes++];
	*n = (struct r_node){.kind = kind};
	return n;
}

static struct r_node *leaf(struct r_law *l, struct prop *p, struct place at)
{
	struct r_node *n =
		node(l, (enum r_kind)(R_FACT + prop_below(p, at.definitions > 0 ? 4 : 3)));
	if (n->kind == R_FACT)
		n->n = (int)prop_below(p, R_PLAIN);
	else if (n->kind == R_FACT_OF)
		n->n = (int)prop_below(p, R_OF);
	else if (n->kind == R_NUMBER)
		n->n = 1 + (int)prop_below(p, R_NUMBERS - 1);
	else
		n->n = (int)prop_below(p, (uint64_t)at.definitions);
	n->var = (int)prop_below(p, (uint64_t)at.vars);
	return n;
}

static bool same(const struct r_node *a, const struct r_node *b)
{
	bool of = a->kind == R_FACT_OF || a->kind == R_DEFINITION;
	return a->kind == b->kind && a->kind >= R_FACT && a->n == b->n && (!of || a->var == b->var);
}

/* The engine refuses a thing or its contrary beside itself: so do we not make them. */
static bool beside(const struct r_node *first, const struct r_node *n)
{
	for (const struct r_node *a = first; a != NULL; a = a->next)
		if (same(a, n) || (a->kind == R_NOT && same(a->child, n)) ||
		    (n->kind == R_NOT && same(n->child, a)) ||
		    (a->kind == R_NOT && n->kind == R_NOT && same(a->child, n->child)))
			return true;
	return false;
}

static struct r_node *cond(struct r_law *l, struct prop *p, struct place at)
{
	if (at.depth == 0 || l->nodes > R_NODES - 60 || prop_below(p, 3) == 0)
		return leaf(l, p, at);
	struct place in = at;
	in.depth--;
	struct r_node *n = node(l, (enum r_kind)prop_below(p, R_FACT));
	if (n->kind == R_NOT) {
		n->child = cond(l, p, in);
	} else if (n->kind >= R_SOME) {
		in.vars++;
		n->n = 1 + (int)prop_below(p, 2);
		n->such_that = prop_below(p, 3) == 0;
		if (n->such_that)
			n->child = leaf(l, p, in);
		*(n->such_that ? &n->child->next : &n->child) = cond(l, p, in);
	} else {
		int count = 0, tries = 2 + (int)prop_below(p, 2);
		struct r_node **last = &n->child;
		for (int i = 0; i < tries; i++) {
			struct r_node *c = cond(l, p, in);
			if (beside(n->child, c))
				continue;
			*last = c;
			last = &c->next;
			count++;
		}
		n->n = 1 + (int)prop_below(p, (uint64_t)count);
	}
	return n;
}

void r_law_make(struct r_law *l, struct prop *p)
{
	memset(l, 0, sizeof(*l));
	for (int i = 0; i < R_DEFINITIONS; i++)
		l->definition[i] = cond(l, p, (struct place){i, 1, DEEP - 1});
	for (int i = 0; i < R_EXCEPTIONS; i++)
		l->exception[i] = cond(l, p, (struct place){0, 1, 1});
	for (int i = 0; i < R_DEFINITIONS; i++)
		for (int k = 0; k < R_EXCEPTIONS; k++)
			l->definition_unless[i][k] = prop_below(p, 4) == 0;
	for (int i = 0; i < R_RULES; i++) {
		l->rule[i] = cond(l, p, (struct place){R_DEFINITIONS, 1, DEEP});
		for (int k = 0; k < R_EXCEPTIONS; k++)
			l->unless[i][k] = prop_below(p, 3) == 0;
	}
}

/* ---- as text ---- */

static void variable(int var, struct buf *out)
{
	if (var == 0)
		buf_puts(out, "thing");
	else
		buf_printf(out, "v%d", var);
}

static void print_leaf(const struct r_node *n, struct buf *out)
{
	if (n->kind == R_FACT)
		buf_printf(out, "p%d", n->n);
	else if (n->kind == R_NUMBER)
		buf_printf(out, "num is at least %d", n->n);
	else
		buf_printf(out, "%s%d (", n->kind == R_FACT_OF ? "of" : "d", n->n);
	if (n->kind == R_FACT_OF || n->kind == R_DEFINITION) {
		variable(n->var, out);
		buf_puts(out, ")");
	}
}

/* After the blanks of its line. */
static void print(const struct r_node *n, int vars, int indent, struct buf *out)
{
	static const char *const words[] = {"all of",   "any of",   "none of", "at least",    "not",
					    "for some", "for each", "for no",  "for at least"};
	if (n->kind >= R_FACT) {
		print_leaf(n, out);
		buf_putc(out, '\n');
		return;
	}
	buf_printf(out, "%s ", words[n->kind]);
	if (n->kind == R_NOT) {
		print(n->child, vars, indent, out);
		return;
	}
	if (n->kind == R_COUNT || n->kind == R_MANY)
		buf_printf(out, "%d ", n->n);
	if (n->kind >= R_SOME) {
		buf_printf(out, "thing as v%d", vars);
		vars++;
		if (n->such_that) {
			buf_puts(out, " such that ");
			print_leaf(n->child, out);
		}
	} else if (n->kind == R_COUNT) {
		buf_puts(out, "of");
	}
	buf_puts(out, ":\n");
	for (const struct r_node *c = n->such_that ? n->child->next : n->child; c != NULL;
	     c = c->next) {
		buf_printf(out, "%*s", indent + 1, "");
		print(c, vars, indent + 1, out);
	}
}

static void print_stanza(const char *kind, char letter, int i, const struct r_node *n,
			 struct buf *out)
{
	buf_printf(out,
		   "%s %c%d of thing\n  article: 1\n  strength: shall\n  sentence: It is so.\n  "
		   "met if ",
		   kind, letter, i);
	print(n, 1, 2, out);
}

static void print_unless(const bool *unless, struct buf *out)
{
	const char *before = "  unless: ";
	for (int k = 0; k < R_EXCEPTIONS; k++)
		if (unless[k]) {
			buf_printf(out, "%sx%d", before, k);
			before = ", ";
		}
	buf_putc(out, '\n');
}

void r_law_print(const struct r_law *l, struct buf *out)
{
	buf_puts(out, LAW_HEAD "fact num: number\n  ask: n?\n");
	for (int i = 0; i < R_PLAIN; i++)
		buf_printf(out, "fact p%d: yes or no\n  ask: p?\n", i);
	for (int i = 0; i < R_OF; i++)
		buf_printf(out, "fact of%d of thing: yes or no\n  ask: of?\n", i);
	for (int i = 0; i < R_RULES; i++) {
		print_stanza("rule", 'r', i, l->rule[i], out);
		print_unless(l->unless[i], out);
	}
	for (int i = 0; i < R_DEFINITIONS; i++) {
		print_stanza("rule", 'd', i, l->definition[i], out);
		print_unless(l->definition_unless[i], out);
	}
	for (int i = 0; i < R_EXCEPTIONS; i++)
		print_stanza("exception", 'x', i, l->exception[i], out);
	/* A rule that every exception defeats, so that none is without use. */
	buf_puts(out, "rule all of thing\n  article: 1\n  strength: shall\n  sentence: It is so.\n "
		      " met if p0\n  unless: x0, x1\n");
}

/* ---- in a world
 * ---------------------------------------------------------------------------------- */

static bool holds(const struct r_law *l, const struct r_world *w, const struct r_node *n, int *bind,
		  int vars);

/* Whether one of these exceptions is met. */
static bool excepted(const struct r_law *l, const struct r_world *w, const bool *unless,
		     int subject)
{
	for (int k = 0; k < R_EXCEPTIONS; k++) {
		int bind[8] = {subject};
		if (unless[k] && holds(l, w, l->exception[k], bind, 1))
			return true;
	}
	return false;
}

static int count_things(const struct r_law *l, const struct r_world *w, const struct r_node *n,
			int *bind, int vars, bool wanted)
{
	int count = 0;
	const struct r_node *body = n->such_that ? n->child->next : n->child;
	for (int i = 0; i < w->things; i++) {
		bind[vars] = i;
		bool is = !n->such_that || holds(l, w, n->child, bind, vars + 1);
		if (!is)
			continue;
		count += holds(l, w, body, bind, vars + 1) == wanted;
	}
	return count;
}

static bool holds(const struct r_law *l, const struct r_world *w, const struct r_node *n, int *bind,
		  int vars)
{
	int yes = 0, no = 0, one[8] = {0};
	if (n->kind <= R_COUNT)
		for (const struct r_node *c = n->child; c != NULL; c = c->next)
			*(holds(l, w, c, bind, vars) ? &yes : &no) += 1;
	switch (n->kind) {
	case R_ALL:
		return no == 0;
	case R_ANY:
		return yes > 0;
	case R_NONE:
		return yes == 0;
	case R_COUNT:
		return yes >= n->n;
	case R_NOT:
		return !holds(l, w, n->child, bind, vars);
	case R_SOME:
		return count_things(l, w, n, bind, vars, true) > 0;
	case R_EACH:
		return count_things(l, w, n, bind, vars, false) == 0;
	case R_NO:
		return count_things(l, w, n, bind, vars, true) == 0;
	case R_MANY:
		return count_things(l, w, n, bind, vars, true) >= n->n;
	case R_FACT:
		return w->plain[n->n];
	case R_FACT_OF:
		return w->of[n->n][bind[n->var]];
	case R_NUMBER:
		return w->number >= n->n;
	case R_DEFINITION:
		one[0] = bind[n->var];
		return holds(l, w, l->definition[n->n], one, 1) &&
		       !excepted(l, w, l->definition_unless[n->n], one[0]);
	}
	return false;
}

bool r_elements(const struct r_law *l, const struct r_world *w, int rule, int subject)
{
	int bind[8] = {subject};
	return holds(l, w, l->rule[rule], bind, 1);
}

bool r_defeated(const struct r_law *l, const struct r_world *w, int rule, int subject)
{
	return excepted(l, w, l->unless[rule], subject);
}

bool r_any_exception(const struct r_law *l, const struct r_world *w)
{
	static const bool all[R_EXCEPTIONS] = {true, true};
	for (int thing = 0; thing < w->things; thing++)
		if (excepted(l, w, all, thing))
			return true;
	return false;
}
