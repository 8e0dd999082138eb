/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A fact held against a value or another fact.
 *
 * What is stated may be imprecise: a date known by its month is anything
 * within it.  So a comparison is met if it holds for all that the fact may
 * be, not met if for none, and unknown otherwise; making the statement more
 * precise can only turn unknown into one of the others.  What a rule writes is
 * a period and not imprecise: "before 2015" is before its first day.
 */
#include "engine/rules/eval.h"

/* The years 1 to 9999. */
enum { DAY_FIRST = -719162, DAY_LAST = 2932896, YEAR_LAST = 9999, MONTHS = 12 };

struct range {
	int64_t lo, hi;
};

static result_t less(struct range x, struct range y)
{
	return x.hi < y.lo ? RULES_MET : x.lo >= y.hi ? RULES_NOT_MET : RULES_UNKNOWN;
}

static result_t both(result_t a, result_t b)
{
	if (a == RULES_NOT_MET || b == RULES_NOT_MET)
		return RULES_NOT_MET;
	return a == RULES_MET && b == RULES_MET ? RULES_MET : RULES_UNKNOWN;
}

static int64_t within_days(int64_t day)
{
	return day < DAY_FIRST ? DAY_FIRST : day > DAY_LAST ? DAY_LAST : day;
}

/* The same day of a month ${n} months away, or the last of that month if it is shorter. */
static int64_t shift_months(int64_t day, int64_t n)
{
	struct date d = date_from_days((int32_t)within_days(day));
	int64_t month = (int64_t)d.year * MONTHS + d.month - 1 + n;
	if (month < MONTHS)
		return DAY_FIRST;
	if (month >= (int64_t)(YEAR_LAST + 1) * MONTHS)
		return DAY_LAST;
	struct date to = {(int16_t)(month / MONTHS), (uint8_t)(month % MONTHS + 1), 0, DATE_MONTH};
	int64_t last = date_last_day(to), there = (int64_t)date_first_day(to) + d.day - 1;
	return there < last ? there : last;
}

static int64_t shift_day(int64_t day, const struct rules_cond *c, int sign)
{
	int64_t n = (int64_t)c->n * sign;
	if (c->unit == UNIT_DAYS)
		return within_days(day + n);
	return shift_months(day, c->unit == UNIT_YEARS ? n * MONTHS : n);
}

static struct range shift(struct range x, const struct rules_cond *c, int sign)
{
	return (struct range){shift_day(x.lo, c, sign), shift_day(x.hi, c, sign)};
}

int64_t compare_reach(const struct rules_cond *c, int64_t at, int sign)
{
	return c->test >= TEST_WITHIN_AFTER ? shift_day(at, c, sign) : at;
}

/* ${first} and ${last}: the ends of what x is held against; the same where that is a fact. */
static result_t hold(const struct rules_cond *c, struct range x, struct range first,
		     struct range last)
{
	switch (c->test) {
	case TEST_LESS:
	case TEST_BEFORE:
		return less(x, first);
	case TEST_AT_LEAST:
	case TEST_ON_OR_AFTER:
		return invert(less(x, first));
	case TEST_MORE:
	case TEST_AFTER:
		return less(last, x);
	case TEST_AT_MOST:
	case TEST_ON_OR_BEFORE:
		return invert(less(last, x));
	case TEST_WITHIN_AFTER:
		return both(invert(less(x, first)), invert(less(shift(last, c, 1), x)));
	case TEST_WITHIN_BEFORE:
		return both(invert(less(last, x)), invert(less(x, shift(first, c, -1))));
	case TEST_WITHIN_OF:
		return both(invert(less(x, shift(first, c, -1))),
			    invert(less(shift(last, c, 1), x)));
	default: /* on, exactly */
		return both(invert(less(x, first)), invert(less(last, x)));
	}
}

static bool same_currency(const struct rules_value *a, const struct rules_value *b)
{
	for (size_t i = 0; i < sizeof(a->currency); i++)
		if (a->currency[i] != b->currency[i])
			return false;
	return true;
}

static result_t hold_code(const struct rules_cond *c, int64_t code)
{
	for (uint32_t i = 0; i < c->ncode; i++)
		if (c->code[i] == code)
			return RULES_MET;
	return RULES_NOT_MET;
}

/* One position of x, and of y where there is one. Amounts in two currencies cannot be held against
 * each other. */
static result_t compare_one(const struct rules_cond *c, const struct position *x,
			    const struct position *y)
{
	if (x->any || (y != NULL && y->any))
		return RULES_UNKNOWN;
	const struct rules_value *v = &x->value, *w = y != NULL ? &y->value : &c->value;
	if (c->test == TEST_NONE)
		return v->lo != 0 ? RULES_MET : RULES_NOT_MET;
	if (c->test == TEST_CODE)
		return hold_code(c, v->lo);
	if (!same_currency(v, w))
		return RULES_UNKNOWN;
	struct range of = {v->lo, v->hi}, whole = {w->lo, w->hi}, first = {w->lo, w->lo},
		     last = {w->hi, w->hi};
	return y != NULL ? hold(c, of, whole, whole) : hold(c, of, first, last);
}

/* Where people say different things: settled if all of it comes to the same. */
result_t compare(const struct rules_cond *c, const struct cell *x, const struct cell *y)
{
	unsigned seen = 0;
	if (x->n == 0 || (y != NULL && y->n == 0))
		return RULES_UNKNOWN;
	for (uint32_t i = 0; i < x->n; i++)
		for (uint32_t k = 0; k < (y != NULL ? y->n : 1); k++)
			seen |= 1u << compare_one(c, &x->at[i], y != NULL ? &y->at[k] : NULL);
	if ((seen & (seen - 1)) == 0)
		return seen == 1u << RULES_MET       ? RULES_MET
		       : seen == 1u << RULES_NOT_MET ? RULES_NOT_MET
						     : RULES_UNKNOWN;
	return (seen & 1u << RULES_UNKNOWN ? RULES_UNKNOWN : RULES_DISPUTED) | RULES_BY_DISPUTE;
}

struct cell cell_new(const struct entry *entry, const struct position *at, uint32_t n)
{
	static const struct rules_cond plain = {.kind = COND_FACT, .test = TEST_NONE};
	struct cell c = {.entry = entry, .at = at, .n = n};
	c.plain = compare(&plain, &c, NULL);
	return c;
}
