/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * An evaluation in memory.
 *
 * A result is one number: the status in the low two bits (enum rules_status),
 * the RULES_BY_* and other flags above.  Conclusions are remembered, so that
 * each is worked out once for given members.
 */
#ifndef FW_ENGINE_RULES_EVAL_H
#define FW_ENGINE_RULES_EVAL_H

#include "engine/rules/case.h"

typedef uint16_t result_t;

enum { RESULT_STATUS = 3, RESULT_NONE = 0xffff };
/* What goes up from a condition to the one above. */
enum {
	RESULT_OPEN = RULES_BY_DISPUTE | RULES_BY_READING | RULES_BY_OPEN_LIST,
	RESULT_UP = RESULT_OPEN | RULES_UNEXAMINED,
};

/* One of the values that a fact has according to somebody. */
struct position {
	struct rules_value value;
	bool any; /* only denied: it may be whatever else */
};

struct cell {
	const struct entry *entry;
	const struct position *at;
	uint32_t n;     /* above 1: disputed */
	result_t plain; /* of a yes or a no: what it comes to by itself */
};

struct rules_eval {
	struct arena *mem;
	const struct rules_case *c;
	const struct rules_law *law;
	struct rules_options options;
	uint64_t steps;
	bool exhausted;
	uint32_t *size;      /* members of each list */
	struct cell *cell;   /* [0] is the fact of which nothing was said */
	uint64_t *fact_base; /* where a fact's table begins in ... */
	uint32_t *fact_cell; /* indexes into cell */
	uint64_t *conclusion_base;
	result_t *known; /* of conclusions */
	struct rules_finding *finding;
	size_t findings;
	uint64_t places; /* of conclusions: entries of known */
	result_t *spare; /* as many, to try other facts */
	uint32_t cells;  /* taken of cell; RULES_SETTLE_FACTS more are there to try with */
	uint8_t *said;   /* of conclusions: whether anything was said of what they rest on */
	bool *open;      /* lists */
};

static inline enum rules_status status_of(result_t r)
{
	return (enum rules_status)(r & RESULT_STATUS);
}
static inline bool is_settled(result_t r)
{
	return (r & RESULT_STATUS) < RULES_UNKNOWN;
}
static inline result_t invert(result_t r)
{
	return is_settled(r) ? r ^ 1 : r;
}

/* How many of each status, how many of them unexamined, and the flags of what is open. */
struct tally {
	uint32_t n[4], weak[4];
	unsigned flags;
};

static inline void tally_add(struct tally *t, result_t r)
{
	t->n[r & RESULT_STATUS]++;
	t->weak[r & RESULT_STATUS] += (r & RULES_UNEXAMINED) != 0;
	t->flags |= is_settled(r) ? 0u : r & RESULT_UP;
}

/* compare.c */
/* A cell with what it comes to by itself. */
struct cell cell_new(const struct entry *entry, const struct position *at, uint32_t n);
/* A value moved by what a "within" allows, to one side or the other; the value itself otherwise. */
int64_t compare_reach(const struct rules_cond *c, int64_t at, int sign);
result_t compare(const struct rules_cond *c, const struct cell *x, const struct cell *y);

/* eval.c */
result_t eval_cond(struct rules_eval *e, const struct rules_cond *c, uint32_t *bind);
result_t eval_conclusion(struct rules_eval *e, const struct rules_conclusion *c,
			 const uint32_t *members);
const struct rules_rule *eval_version(const struct rules_eval *e, const struct rules_conclusion *c);
/* What one member brings to a quantifier: its condition, and what restricts it. */
result_t eval_member(struct rules_eval *e, const struct rules_cond *c, uint32_t *bind);
result_t eval_readings(struct rules_eval *e, const struct rules_rule *rule, uint32_t *bind);
/* Whether an exception that is open counts: somebody raised it. */
bool eval_raised(struct rules_eval *e, const struct rules_rule *exception, const uint32_t *members);
const struct cell *eval_cell(const struct rules_eval *e, const struct cond_term *t,
			     const uint32_t *bind);
void term_members(const struct cond_term *t, const uint32_t *bind, uint32_t *members);
uint64_t eval_fact_place(const struct rules_eval *e, const struct rules_fact *f,
			 const uint32_t *members);
uint64_t eval_place(const struct rules_eval *e, const struct rules_conclusion *c,
		    const uint32_t *members);
uint32_t eval_size(const struct rules_eval *e, const struct rules_list *list);
bool eval_open(const struct rules_eval *e, const struct rules_list *list);
/* Status and flags of "at least need of" what was counted; ${open}: there may be more to count. */
result_t decide(const struct tally *t, uint32_t need, bool open);
result_t decide_kind(const struct rules_cond *c, const struct tally *t, bool open);

#endif
