/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The ways to settle a finding while they are sought: settle.c builds them, settle_try.c tries
 * them. */
#ifndef FW_ENGINE_RULES_SETTLE_H
#define FW_ENGINE_RULES_SETTLE_H

#include "engine/rules/eval.h"

enum {
	WAYS_MAX = 24, /* kept at each condition */
	STEPS_WAY = 6, /* conditions of one way */
	STEPS_MAX = 2048,
	STEP_SLOTS = 4096, /* a power of two, above STEPS_MAX */
	DEPTH_MAX = 200,
	WORK_USUAL = 200000,
};

/* One condition of these members. */
struct step {
	const struct rules_cond *cond; /* NULL: that a list is complete */
	const struct rules_list *list;
	const struct rules_fact *fact; /* what is asked: one side of the condition */
	uint32_t member[RULES_SUBJECTS_MAX];
	uint32_t x[RULES_SUBJECTS_MAX], y[RULES_SUBJECTS_MAX]; /* members of both sides */
	uint64_t place;                /* of the fact; of a list, above all facts */
	bool want, second;             /* second: y is asked */
	uint32_t bind[RULES_VARS_MAX]; /* who is in sight, */
	struct scope scope;            /* for its words */
};

struct way {
	uint8_t n, facts;
	uint16_t step[STEPS_WAY];
};

struct ways {
	uint32_t n;
	struct way way[WAYS_MAX];
};

struct search {
	struct rules_eval *e;
	struct arena *mem;
	struct step *step;
	uint8_t *said;  /* as in the evaluation, to try with */
	uint16_t *slot; /* open addressing: index of a step and 1 */
	uint32_t steps, depth;
	uint64_t work, work_max;
	struct buf words;
	bool cut, failed;
};

/* settle.c: the ways to make a conclusion come out as wanted. */
void conclusion_ways(struct search *s, const struct rules_conclusion *c, const uint32_t *members,
		     bool want, struct ways *to);

/* settle_try.c: whether there are values of its facts with which the finding does. */
bool settles(struct search *s, const struct rules_finding *f, const struct way *w, bool want);

#endif
