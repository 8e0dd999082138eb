/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The facts of a case in memory.
 *
 * Statements are kept in chains, one chain for each fact of each members, as
 * they were made.  The chains hang in a hash table, so that a case costs what
 * was said and not what could have been; an evaluation lays them out in a
 * table of its own, where a fact of given members is one look.
 */
#ifndef FW_ENGINE_RULES_CASE_H
#define FW_ENGINE_RULES_CASE_H

#include "engine/rules/law.h"

/* All that was said of one fact of these members. */
struct entry {
	const struct rules_fact *fact;
	uint32_t member[RULES_SUBJECTS_MAX];
	struct rules_statement *first, *last;
	uint32_t n;
	struct entry *chain; /* in the hash table */
	struct entry *next;  /* in the order in which they were first stated */
};

struct member_list {
	const char **name;
	uint32_t n, cap;
	bool complete;
};

struct rules_case {
	struct arena *mem;
	const struct rules_law *law;
	struct member_list *list; /* by the list's index */
	struct entry **bucket;
	uint32_t buckets, entries;
	struct entry *first, *last;
};

const struct entry *case_entry(const struct rules_case *c, const struct rules_fact *f,
			       const uint32_t *members);

#endif
