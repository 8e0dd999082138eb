/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Law has dates: what changes when, and one case under the law of each period. */
#include "engine/rules/eval.h"

#include <errno.h>

/* The first day after ${day} on which a version begins or has ended; INT32_MAX if there is none. */
static int32_t next_change(const struct rules_law *law, enum rules_law_of of, int32_t day)
{
	int32_t best = INT32_MAX;
	for (uint32_t i = 0; i < law->rules; i++) {
		const struct rules_rule *v = law->rule[i];
		if (v->conclusion->law_of != of)
			continue;
		if (v->from > day && v->from < best)
			best = v->from;
		if (v->to >= day && v->to < best - 1)
			best = v->to + 1;
	}
	return best;
}

size_t rules_periods(const struct rules_law *law, enum rules_law_of of, int32_t from, int32_t to,
		     int32_t *days, size_t cap)
{
	size_t n = 0;
	for (int32_t day = from; day <= to; day = next_change(law, of, day)) {
		if (n < cap)
			days[n] = day;
		n++;
		if (day == INT32_MAX)
			break;
	}
	return n;
}

int rules_over_time(struct arena *mem, const struct rules_case *c, const struct rules_options *o,
		    int32_t act_from, int32_t act_to, int32_t today, struct rules_period **ret,
		    size_t *ret_n, struct diag *reterr)
{
	int32_t days[RULES_PERIODS_MAX];
	struct rules_options at = o != NULL ? *o : RULES_OPTIONS;
	if (act_from > act_to || act_to > today)
		return diag_set(reterr, FW_EINVALID,
				"the days of the act are not in order, or lie in the future");
	size_t n = rules_periods(c->law, RULES_OF_ACT, act_from, today, days, RULES_PERIODS_MAX);
	if (n > RULES_PERIODS_MAX)
		return diag_set(reterr, FW_ELIMIT,
				"the law changed more than %d times since the act",
				RULES_PERIODS_MAX - 1);
	struct rules_period *p = arena_array(mem, n, sizeof(*p));
	if (p == NULL)
		return diag_set(reterr, -ENOMEM, "no memory is left to evaluate the rules");
	for (size_t i = 0; i < n; i++) {
		p[i].from = days[i];
		p[i].to = i + 1 < n ? days[i + 1] - 1 : today;
		p[i].at_act = days[i] <= act_to;
		at.act_day = days[i];
		int err = rules_evaluate(mem, c, &at, &p[i].eval, reterr);
		if (err != 0)
			return err;
	}
	*ret = p;
	*ret_n = n;
	return 0;
}
