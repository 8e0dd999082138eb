/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Parses: src/engine/rules/lines.c src/engine/rules/stanza.c src/engine/rules/condition.c
 * Parses: src/engine/rules/value.c src/engine/rules/field.c src/engine/rules/rule.c
 *
 * Whatever is taken as a law is printed and read back to the same print; whatever is refused says
 * where and why.  What is a law is then applied to a small case, in bounded work.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fairway/rules.h"

static void round_trip(const struct rules_law *law, struct arena *mem)
{
	struct buf once, twice;
	const struct rules_law *back;
	buf_init(&once, 1 << 22);
	buf_init(&twice, 1 << 22);
	rules_law_print(law, &once);
	struct rules_file f = {"print", once.data, once.len};
	if (buf_failed(&once) || (once.len > 0 && rules_law_load(mem, &f, 1, &back, NULL) != 0))
		abort();
	if (once.len > 0) {
		rules_law_print(back, &twice);
		if (twice.len != once.len || memcmp(once.data, twice.data, once.len) != 0)
			abort();
	}
	buf_release(&once);
	buf_release(&twice);
}

/* Two members of each list, and something said of every second fact. */
static struct rules_case *small_case(const struct rules_law *law, struct arena *mem)
{
	struct rules_case *c = rules_case_new(mem, law);
	uint32_t at;
	for (uint32_t i = 0; c != NULL && i < rules_list_count(law); i++) {
		(void)rules_case_add(c, rules_list(law, i), "one", &at);
		(void)rules_case_add(c, rules_list(law, i), "two", &at);
		rules_case_complete(c, rules_list(law, i), i % 2 == 0);
	}
	for (uint32_t i = 0; c != NULL && i < rules_fact_count(law); i += 2) {
		const struct rules_fact *f = rules_fact(law, i);
		uint32_t members[RULES_SUBJECTS_MAX] = {i & 1, 0, 1};
		struct rules_value v = {.type = f->type, .lo = 0, .hi = 0, .currency = "USD"};
		if (f->type != RULES_AMOUNT)
			memset(v.currency, 0, sizeof(v.currency));
		(void)rules_case_state(c, f, members, v, NULL);
		if (i % 3 == 0)
			(void)rules_case_state(c, f, members, v,
					       &(struct rules_said){.denies = true});
	}
	return c;
}

static void apply(const struct rules_law *law, struct arena *mem)
{
	enum { STEPS = 20000, FINDINGS = 4 };
	struct rules_options o = RULES_OPTIONS;
	struct rules_case *c = small_case(law, mem);
	struct rules_eval *e;
	size_t n;
	o.steps_max = STEPS;
	if (c == NULL || rules_evaluate(mem, c, &o, &e, NULL) != 0)
		return;
	const struct rules_finding *f = rules_findings(e, &n);
	for (size_t i = 0; i < n && i < FINDINGS; i++) {
		const struct rules_why *why;
		struct rules_settlings s;
		struct buf out;
		bool cut;
		buf_init(&out, 1 << 20);
		if (rules_explain(e, &f[i], mem, 1000, &why, &cut) == 0) {
			if (why->status != f[i].status)
				abort();
			rules_why_write(e, why, &out);
		}
		(void)rules_settle(e, &f[i], mem, &s);
		buf_release(&out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem = arena_new(8 << 20);
	struct rules_file f = {"f", data, size};
	const struct rules_law *law;
	struct diag d = DIAG_INIT;
	if (mem == NULL)
		return 0;
	int err = rules_law_load(mem, &f, 1, &law, &d);
	if (err == 0) {
		round_trip(law, mem);
		apply(law, mem);
	} else if (d.code != err || d.text[0] == '\0') {
		abort();
	}
	arena_free(mem);
	return 0;
}
