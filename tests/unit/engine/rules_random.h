/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Random laws, and a second evaluator that knows nothing of unknown.
 *
 * A law is made as a tree of our own, printed for the engine to read.  The
 * reference answers yes or no for a *world*: a case in which everything is
 * known and every list complete.  What the engine says of a case with gaps is
 * held against all worlds that fill the gaps.
 */
#ifndef FW_TESTS_RULES_RANDOM_H
#define FW_TESTS_RULES_RANDOM_H

#include "rules_help.h"

enum {
	R_THINGS = 3,
	R_PLAIN = 3,
	R_OF = 2,
	R_NUMBERS = 3,
	R_DEFINITIONS = 3,
	R_RULES = 3,
	R_EXCEPTIONS = 2,
	R_NODES = 400
};

enum r_kind {
	R_ALL,
	R_ANY,
	R_NONE,
	R_COUNT,
	R_NOT,
	R_SOME,
	R_EACH,
	R_NO,
	R_MANY,
	R_FACT,
	R_FACT_OF,
	R_NUMBER,
	R_DEFINITION
};

struct r_node {
	enum r_kind kind;
	int n;   /* at least n; which fact */
	int var; /* which variable a fact of a thing speaks of: 0 the subject, then quantifiers from
		    outside in */
	bool such_that;
	struct r_node *child, *next;
};

struct r_law {
	struct r_node node[R_NODES];
	int nodes;
	struct r_node *definition[R_DEFINITIONS], *rule[R_RULES], *exception[R_EXCEPTIONS];
	bool unless[R_RULES][R_EXCEPTIONS], definition_unless[R_DEFINITIONS][R_EXCEPTIONS];
};

/* Everything known. number is 0, 1 or 2. */
struct r_world {
	int things;
	bool plain[R_PLAIN], of[R_OF][R_THINGS];
	int number;
};

void r_law_make(struct r_law *l, struct prop *p);
void r_law_print(const struct r_law *l, struct buf *out);
/* The elements of a rule, and whether an exception defeats it. */
bool r_elements(const struct r_law *l, const struct r_world *w, int rule, int subject);
bool r_defeated(const struct r_law *l, const struct r_world *w, int rule, int subject);
/* Whether any exception is met for anybody. */
bool r_any_exception(const struct r_law *l, const struct r_world *w);

#endif
