/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Rules in words: law that a lawyer can read, evaluated over the facts of a case.
 *
 * A *law* is read from text files (docs/rules.md specifies the notation) into
 * an arena and never changes.  A *case* holds lists of things (persons, legs
 * of a journey), each list complete or open, and statements: somebody says
 * that a fact has a value.  An *evaluation* gives every rule a status for
 * every combination of members it speaks of, and can say why.
 *
 * The engine knows nothing of what the rules are about, opens no file, starts
 * nothing, keeps no time and logs nothing.  All memory comes from the arena
 * that is handed in; work is bounded by the limits below.  The same law, case
 * and options give the same bytes on every machine.
 *
 * What a status never says is that somebody is guilty.  Texts are the law's.
 */
#ifndef FAIRWAY_RULES_H
#define FAIRWAY_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

enum {
	RULES_SUBJECTS_MAX = 3,    /* things one fact or rule speaks of at once */
	RULES_NAME_MAX = 60,       /* bytes of a name */
	RULES_FILE_MAX = 4 << 20,  /* bytes of a file */
	RULES_LINE_MAX = 1000,     /* bytes of a line */
	RULES_TEXT_MAX = 8000,     /* bytes of one text over all its lines */
	RULES_DEPTH_MAX = 16,      /* conditions within conditions */
	RULES_NODES_MAX = 200000,  /* conditions of a law */
	RULES_NAMES_MAX = 20000,   /* names of a law */
	RULES_VARS_MAX = 8,        /* variables in sight of one condition */
	RULES_CHAIN_MAX = 64,      /* conclusions resting on conclusions */
	RULES_MEMBERS_MAX = 10000, /* of one list of a case */
	RULES_SAID_MAX = 16,       /* statements that are kept about one fact */
	RULES_PERIODS_MAX = 64,    /* versions of one conclusion */
	RULES_READINGS_MAX = 8,    /* alternative readings of one rule */
};

/* ---- law ---- */

enum rules_type { RULES_YESNO, RULES_NUMBER, RULES_AMOUNT, RULES_DATE, RULES_CODE };

struct rules_list {
	const char *name, *words;
	uint32_t index;
	const char *file;
	unsigned line;
};

struct rules_code {
	const char *name, *words;
};

struct rules_codes {
	const char *name;
	const struct rules_code *code;
	uint32_t n;
	const char *file;
	unsigned line;
};

/* What a fact or a rule speaks of: a member of a list, under a name. */
struct rules_subject {
	const struct rules_list *list;
	const char *as;
};

struct rules_fact {
	const char *name;
	enum rules_type type;
	const struct rules_codes *codes; /* of a code */
	uint32_t index, subjects;
	struct rules_subject subject[RULES_SUBJECTS_MAX];
	const char *ask;                   /* the question, with {holes} */
	const char *means, *source, *note; /* NULL where not said */
	const char *file;
	unsigned line;
};

/* A rule is a finding of its own; a definition serves others; an exception defeats. */
enum rules_kind { RULES_RULE, RULES_DEFINITION, RULES_EXCEPTION };
/* Which day's law governs: that of the act, or that of the request or decision. */
enum rules_law_of { RULES_OF_REQUEST, RULES_OF_ACT };

struct rules_cond;

struct rules_reading {
	const char *name, *words; /* NULL where a rule has one reading only */
	const struct rules_cond *cond;
};

/* One version of a conclusion. */
struct rules_rule {
	const struct rules_conclusion *conclusion;
	const char *article, *strength, *sentence;
	const char *says_met, *says_not_met, *says_unknown, *source,
		*note;    /* NULL where not said */
	int32_t from, to; /* days in force, both inclusive; INT32_MIN, INT32_MAX where open */
	struct rules_reading reading[RULES_READINGS_MAX];
	uint32_t readings;
	const struct rules_cond *unless; /* a chain of leaves */
	const struct rules_fact **raised_by;
	uint32_t nraised_by;
	const char *file;
	unsigned line;
};

/* A conclusion: all versions under one name. */
struct rules_conclusion {
	const char *name;
	enum rules_kind kind;
	enum rules_law_of law_of;
	uint32_t index, subjects;
	struct rules_subject subject[RULES_SUBJECTS_MAX];
	const struct rules_rule *version[RULES_PERIODS_MAX]; /* by day */
	uint32_t versions;
};

struct rules_law;

struct rules_file {
	const char *name; /* as messages shall call it */
	const void *text;
	size_t len;
};

/*
 * Read a law from ${n} files, which may refer to each other, into ${mem}.
 * The texts need not outlive the call.  FW_EINVALID or FW_EFORMAT with the
 * file and the line in reterr->place and, in its text, what was found and what
 * was expected; FW_ELIMIT; -ENOMEM.  Nothing half-read is ever returned: the
 * law in force stays in force.
 */
int rules_law_load(struct arena *mem, const struct rules_file *files, size_t n,
		   const struct rules_law **ret, struct diag *reterr);

/* The law in its canonical form: reading it gives the same law. Remarks are not kept. */
void rules_law_print(const struct rules_law *law, struct buf *out);

/* In the order of the files. ${i} below the count. */
uint32_t rules_list_count(const struct rules_law *law);
const struct rules_list *rules_list(const struct rules_law *law, uint32_t i);
uint32_t rules_fact_count(const struct rules_law *law);
const struct rules_fact *rules_fact(const struct rules_law *law, uint32_t i);
uint32_t rules_conclusion_count(const struct rules_law *law);
const struct rules_conclusion *rules_conclusion(const struct rules_law *law, uint32_t i);
/* By name; NULL if there is none. */
const struct rules_list *rules_list_find(const struct rules_law *law, const char *name);
const struct rules_fact *rules_fact_find(const struct rules_law *law, const char *name);
const struct rules_conclusion *rules_conclusion_find(const struct rules_law *law, const char *name);
/* What is in force on ${day}, NULL if nothing is. */
const struct rules_rule *rules_version(const struct rules_conclusion *c, int32_t day);
/*
 * The days in [${from}, ${to}] on which the law of acts (or of requests)
 * begins to be another, ${from} first; at most ${cap}.  Returns how many there
 * are, which may be more than ${cap}.
 */
size_t rules_periods(const struct rules_law *law, enum rules_law_of of, int32_t from, int32_t to,
		     int32_t *days, size_t cap);

/* ---- case ---- */

/*
 * A value as somebody states it.  Numbers and dates are ranges (both ends
 * belong to it): a date known by its month is the range of its days.  Numbers
 * are fixed-point, RULES_ONE to the whole.
 */
#define RULES_ONE INT64_C(10000)
struct rules_value {
	enum rules_type type;
	int64_t lo, hi;   /* yes is 1; a code is its index; a date is days since 1970-01-01 */
	char currency[4]; /* of an amount */
};

struct rules_value rules_yes(bool yes);
struct rules_value rules_date(struct date d); /* d known */
/* As a rule file writes it: "yes", "12.5", "10..20", "1000 USD", "2026-11", a code. */
int rules_value_parse(const struct rules_fact *fact, const char *text, struct rules_value *ret,
		      struct diag *reterr);
void rules_value_format(const struct rules_fact *fact, const struct rules_value *v,
			struct buf *out);

/* Who says it, and what it rests on: words that are carried along, never looked into. NULL allowed.
 */
struct rules_said {
	const char *who, *evidence, *certainty;
	bool denies; /* says that it is not so, and nothing else */
};

struct rules_case;

/* An empty case: every list open, nothing stated. NULL when the arena is full. */
struct rules_case *rules_case_new(struct arena *mem, const struct rules_law *law);
/* A case that begins with all that ${c} holds; ${c} may be forgotten but not its arena. */
struct rules_case *rules_case_fork(struct arena *mem, const struct rules_case *c);
/* A new member; its index in *ret. FW_EEXISTS if the list has one of that name. */
int rules_case_add(struct rules_case *c, const struct rules_list *list, const char *name,
		   uint32_t *ret);
uint32_t rules_case_members(const struct rules_case *c, const struct rules_list *list);
const char *rules_case_member(const struct rules_case *c, const struct rules_list *list,
			      uint32_t i);
/* Say that a list has no other members than those added (or that it may). */
void rules_case_complete(struct rules_case *c, const struct rules_list *list, bool complete);
bool rules_case_is_complete(const struct rules_case *c, const struct rules_list *list);
/* State a fact of these members (as many as it has subjects). Adds to what others said. Copies all
 * strings. */
int rules_case_state(struct rules_case *c, const struct rules_fact *f, const uint32_t *members,
		     struct rules_value v, const struct rules_said *said);
/* Forget what was said of it: with rules_case_fork and rules_case_state, a what-if. */
void rules_case_unstate(struct rules_case *c, const struct rules_fact *f, const uint32_t *members);

/* ---- evaluation ---- */

/* *Disputed*: it turns on a dispute about a fact or between readings, and on nothing unknown. */
enum rules_status { RULES_NOT_MET = 0, RULES_MET = 1, RULES_UNKNOWN = 2, RULES_DISPUTED = 3 };

/* What a status rests on. */
enum {
	RULES_BY_DISPUTE = 1 << 2,   /* open: the dispute of a fact bears on it */
	RULES_BY_READING = 1 << 3,   /* open: the readings of a rule differ */
	RULES_BY_OPEN_LIST = 1 << 4, /* open: another member of an open list could settle it */
	RULES_UNEXAMINED = 1 << 5,   /* it could change by an exception that nobody raised */
	RULES_DEFEATED = 1 << 6,     /* not met because an exception is met */
	RULES_NOT_IN_FORCE = 1 << 7, /* not met because there was no such rule on that day */
};

struct rules_options {
	int32_t act_day, request_day; /* whose law; INT32_MAX: the latest there is */
	uint64_t steps_max;           /* conditions looked at; 0: 100 million */
};
#define RULES_OPTIONS ((struct rules_options){INT32_MAX, INT32_MAX, 0})

struct rules_finding {
	const struct rules_conclusion *conclusion;
	const struct rules_rule *rule; /* the version in force; NULL if none */
	uint32_t member[RULES_SUBJECTS_MAX];
	enum rules_status status;
	unsigned flags;
};

struct rules_eval;

/*
 * Evaluate all rules (not definitions and exceptions by themselves) for all
 * members.  The case must not change while the evaluation is used.  FW_ELIMIT
 * when the work is above its bound; -ENOMEM when ${mem} is full.
 */
int rules_evaluate(struct arena *mem, const struct rules_case *c, const struct rules_options *o,
		   struct rules_eval **ret, struct diag *reterr);

/* By rule in the order of the files, then by members. */
const struct rules_finding *rules_findings(const struct rules_eval *e, size_t *ret_n);
/* Conditions that were looked at since the evaluation, the last explanation or the last search
 * began. */
uint64_t rules_steps(const struct rules_eval *e);
/* One conclusion of any kind for these members. */
int rules_find(struct rules_eval *e, const struct rules_conclusion *c, const uint32_t *members,
	       struct rules_finding *ret);

/* ---- why ---- */

/* What somebody said of a fact, in the order in which it was stated. */
struct rules_statement {
	struct rules_value value;
	struct rules_said said;
	struct rules_statement *next;
};

enum rules_why_kind {
	RULES_WHY_RULE,       /* a rule or definition; its children are its conditions */
	RULES_WHY_READING,    /* one reading of it */
	RULES_WHY_EXCEPTION,  /* an exception that was heard */
	RULES_WHY_UNEXAMINED, /* an exception that nobody raised */
	RULES_WHY_GROUP,      /* all of, any of, not, for some ... */
	RULES_WHY_MEMBER,     /* one member of the list of a "for" */
	RULES_WHY_OPEN_LIST,  /* another member of it could settle this */
	RULES_WHY_FACT,
	RULES_WHY_IDENTITY,
};

/* A node of an explanation, pruned to what decided. */
struct rules_why {
	enum rules_why_kind kind;
	enum rules_status status;
	unsigned flags;
	const char *label; /* the limb, "(a)(ii)", or the name of a reading; NULL */
	const char *words; /* the condition as the law has it */
	const struct rules_conclusion *conclusion;
	const struct rules_rule *rule; /* article, texts; NULL where not in force */
	const struct rules_list *list;
	const struct rules_fact *fact, *with; /* with: what it is held against, if that is a fact */
	uint32_t member[RULES_SUBJECTS_MAX], with_member[RULES_SUBJECTS_MAX];
	const struct rules_statement *said, *with_said; /* NULL: nobody said anything */
	bool again;                                     /* explained further up */
	uint32_t hidden;                                /* parts that did not decide */
	const struct rules_why *child, *next;
};

/*
 * The explanation of a finding in ${mem}, of at most ${nodes_max} nodes (0:
 * 100,000); *ret_cut says that there would have been more.
 */
int rules_explain(struct rules_eval *e, const struct rules_finding *f, struct arena *mem,
		  uint32_t nodes_max, const struct rules_why **ret, bool *ret_cut);
/* As an outline in plain text, one node a line. */
void rules_why_write(const struct rules_eval *e, const struct rules_why *w, struct buf *out);

/* ---- what would settle it ---- */

enum { RULES_SETTLE_FACTS = 3 }; /* facts of one way */

/* One thing to learn: that a condition holds (or not), or that a list is complete. */
struct rules_step {
	const struct rules_fact *fact; /* what is asked; NULL for a list */
	const struct rules_list *list;
	uint32_t member[RULES_SUBJECTS_MAX];
	const char *words; /* the condition as the law has it */
	bool holds;        /* whether it must hold or not */
	bool disputed;     /* known, but people differ */
};

/* If these all come true, the finding is settled. */
struct rules_way {
	enum rules_status to;
	uint32_t facts, n; /* different facts, steps */
	struct rules_step *step;
};

struct rules_settlings {
	struct rules_way *way; /* fewest facts first; those to met before those to not met */
	uint32_t n;
	bool cut; /* there may be more: the work is bounded, and so are the facts of one way */
};

/*
 * The smallest ways to settle an open finding; none for one that is settled.
 * Every way was tried: some values of its facts do settle the finding.
 */
int rules_settle(struct rules_eval *e, const struct rules_finding *f, struct arena *mem,
		 struct rules_settlings *ret);

/* A question, by how much it would settle. */
struct rules_question {
	const struct rules_fact *fact; /* NULL: is the list complete? */
	const struct rules_list *list;
	uint32_t member[RULES_SUBJECTS_MAX];
	bool disputed;
	uint32_t alone; /* open findings that an answer to it alone could settle */
	uint32_t helps; /* open findings that it could help to settle */
};

/* All questions that could settle something open, the best first. */
int rules_questions(struct rules_eval *e, struct arena *mem, struct rules_question **ret,
		    size_t *ret_n, bool *ret_cut);

/* ---- difference ---- */

enum { RULES_CAUSES_MAX = 12 };

enum rules_cause_kind {
	RULES_CAUSE_GIVEN,     /* a fact that was unknown was stated */
	RULES_CAUSE_RESTATED,  /* a fact is stated otherwise, or no more */
	RULES_CAUSE_DISPUTED,  /* a fact came to be disputed */
	RULES_CAUSE_EXCEPTION, /* an exception is heard, or comes out otherwise */
	RULES_CAUSE_MEMBER,    /* a list has a new member */
	RULES_CAUSE_REMOVED,   /* a list has fewer members */
	RULES_CAUSE_COMPLETED, /* a list was said to be complete */
	RULES_CAUSE_OPENED,
	RULES_CAUSE_LAW, /* another version of a rule is in force */
};

struct rules_cause {
	enum rules_cause_kind kind;
	const struct rules_fact *fact;
	const struct rules_list *list;
	const struct rules_rule *rule;
	uint32_t member[RULES_SUBJECTS_MAX]; /* of the later case */
};

struct rules_change {
	struct rules_finding before, after;
	bool is_new; /* of members that the earlier case did not have */
	struct rules_cause cause[RULES_CAUSES_MAX];
	uint32_t causes, more_causes;
};

/*
 * The findings of ${after} whose status is another than in ${before}, with
 * what changed among all that each looks at.  Both under the same law
 * (FW_EINVALID otherwise), on the same days or others; members are matched by
 * name.
 */
int rules_diff(struct rules_eval *before, struct rules_eval *after, struct arena *mem,
	       struct rules_change **ret, size_t *ret_n);

/* ---- law in time ---- */

/* Days on which the law of acts was one and the same, and what it says of the case. */
struct rules_period {
	int32_t from, to; /* within what was asked for, both inclusive */
	bool at_act;      /* the conduct falls into it; else it is later law */
	struct rules_eval *eval;
};

/*
 * The law at the time of the act beside all later law, for whoever must see
 * which is the lighter: the case is evaluated under the law of acts of each
 * period from ${act_from} until ${today}.  Conduct that goes on from
 * ${act_from} to ${act_to} falls into one period or several.  The law of
 * requests is that of options->request_day throughout; options->act_day is
 * not used.  Two periods are told apart with rules_diff.  FW_EINVALID if the
 * days are not in order, FW_ELIMIT above RULES_PERIODS_MAX periods.
 */
int rules_over_time(struct arena *mem, const struct rules_case *c, const struct rules_options *o,
		    int32_t act_from, int32_t act_to, int32_t today, struct rules_period **ret,
		    size_t *ret_n, struct diag *reterr);

#endif
