/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Small doors to the rule engine for its tests: invented laws only. */
#ifndef FW_TESTS_RULES_HELP_H
#define FW_TESTS_RULES_HELP_H

#include "test.h"

#include "fairway/rules.h"

enum { HELP_MEM = 64 << 20, HELP_FILE_MAX = 1 << 20 };

/* What every law of the tests begins with. */
#define LAW_HEAD                                                                                   \
	"strength shall\n  words: shall\nlist thing\n  words: a thing\nlist leg\n  words: a leg\n"
#define FACT(name)        "fact " name ": yes or no\n  ask: " name "?\n"
#define FACT_OF(name, of) "fact " name " of " of ": yes or no\n  ask: " name "?\n"
#define RULE(head, cond)  head "\n  article: 1\n  strength: shall\n  sentence: It is so.\n" cond "\n"

static inline int help_load(struct arena *mem, const char *text, const struct rules_law **ret,
			    struct diag *d)
{
	struct rules_file f = {"law", text, strlen(text)};
	return rules_law_load(mem, &f, 1, ret, d);
}

/* A law that must be good. */
static inline const struct rules_law *help_law(struct arena *mem, const char *text)
{
	struct diag d = DIAG_INIT;
	const struct rules_law *law = NULL;
	if (help_load(mem, text, &law, &d) != 0)
		fail_msg("%s: %s", d.place, d.text);
	return law;
}

/* A file of the corpus, with its length; the caller frees. */
static inline char *help_corpus(const char *name, size_t *ret_n)
{
	char path[500];
	const char *source = getenv("FAIRWAY_SOURCE");
	(void)snprintf(path, sizeof(path), "%s/fuzz/corpus/rules/%s", source != NULL ? source : ".",
		       name);
	FILE *f = fopen(path, "rb");
	char *text = malloc(HELP_FILE_MAX);
	assert_non_null(f);
	assert_non_null(text);
	*ret_n = fread(text, 1, HELP_FILE_MAX, f);
	(void)fclose(f);
	return text;
}

/* State a fact as a rule file would write the value. */
static inline void help_say(struct rules_case *c, const struct rules_law *law, const char *fact,
			    uint32_t a, uint32_t b, const char *value, const char *who, bool denies)
{
	const struct rules_fact *f = rules_fact_find(law, fact);
	uint32_t members[RULES_SUBJECTS_MAX] = {a, b, 0};
	struct rules_value v;
	struct diag d = DIAG_INIT;
	struct rules_said said = {.who = who, .denies = denies};
	assert_non_null(f);
	if (rules_value_parse(f, value, &v, &d) != 0)
		fail_msg("%s: %s", d.place, d.text);
	assert_int_equal(rules_case_state(c, f, members, v, &said), 0);
}

static inline struct rules_finding help_find(struct arena *mem, const struct rules_case *c,
					     const struct rules_law *law, const char *name,
					     uint32_t a, uint32_t b)
{
	struct rules_eval *e;
	struct rules_finding f;
	uint32_t members[RULES_SUBJECTS_MAX] = {a, b, 0};
	assert_int_equal(rules_evaluate(mem, c, NULL, &e, NULL), 0);
	assert_int_equal(rules_find(e, rules_conclusion_find(law, name), members, &f), 0);
	return f;
}

#endif
