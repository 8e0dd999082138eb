/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A law in memory, and what its readers share.
 *
 * Conditions are a tree: first child, next sibling.  A variable is a slot in
 * an array of members: the subjects of the rule take the first slots, each
 * quantifier the next one.  Names are resolved while reading, so that
 * evaluation never looks at a name.
 */
#ifndef FW_ENGINE_RULES_LAW_H
#define FW_ENGINE_RULES_LAW_H

#include "fairway/rules.h"

enum cond_kind {
	COND_ALL,
	COND_ANY,
	COND_NONE,
	COND_COUNT, /* at least n of */
	COND_NOT,
	COND_SOME, /* for some LIST */
	COND_EACH,
	COND_NO,
	COND_MANY, /* for at least n LIST */
	COND_FACT,
	COND_CONCLUSION,
	COND_SAME,
	COND_DIFFERS,
};

static inline bool cond_is_quantifier(enum cond_kind k)
{
	return k >= COND_SOME && k <= COND_MANY;
}

enum cond_test {
	TEST_NONE, /* yes or no */
	TEST_CODE,
	TEST_AT_LEAST,
	TEST_AT_MOST,
	TEST_MORE,
	TEST_LESS,
	TEST_EXACTLY,
	TEST_BEFORE,
	TEST_AFTER,
	TEST_ON_OR_BEFORE,
	TEST_ON_OR_AFTER,
	TEST_ON,
	TEST_WITHIN_AFTER,
	TEST_WITHIN_BEFORE,
	TEST_WITHIN_OF,
};

enum cond_unit { UNIT_DAYS, UNIT_MONTHS, UNIT_YEARS };

struct cond_term {
	const struct rules_fact *fact;
	const struct rules_conclusion *conclusion;
	uint8_t slot[RULES_SUBJECTS_MAX];
};

struct rules_cond {
	enum cond_kind kind;
	enum cond_test test;
	enum cond_unit unit;
	uint32_t n;                    /* of: at least n, within n days */
	const char *label;             /* "(a)"; NULL */
	const struct rules_list *list; /* of a quantifier */
	const char *as;                /* its variable */
	uint8_t slot;                  /* and the slot of it */
	bool such_that;                /* the first child restricts */
	struct cond_term term;
	bool has_value; /* compared with a value, else with a term */
	struct rules_value value;
	struct cond_term with;
	const uint16_t *code; /* of TEST_CODE: any of these */
	uint32_t ncode;
	struct rules_cond *child, *next;
	unsigned line;
};

struct strength {
	const char *name, *words;
};

enum name_space { NAME_TERM, NAME_CODES, NAME_STRENGTH };
enum name_kind { NAME_LIST = 1, NAME_FACT, NAME_CONCLUSION, NAME_BOOK, NAME_STRENGTH_WORD };

struct name_entry {
	const char *name;
	enum name_space space;
	enum name_kind kind;
	void *thing;
	const char *file;
	unsigned line;
};

struct rules_law {
	struct name_entry *name; /* open addressing over name_cap, a power of two */
	uint32_t names, name_cap;
	struct rules_list **list;
	struct rules_codes **book;
	struct strength **strength;
	struct rules_fact **fact;
	struct rules_conclusion **conclusion;
	struct rules_rule **rule; /* all versions, as they stand in the files */
	uint32_t lists, books, strengths, facts, conclusions, rules, nodes;
};

/* One line of a file that is neither blank nor a remark. */
struct line {
	const char *file, *text; /* without blanks at either end */
	unsigned no, indent;
};

struct lines {
	struct line *line;
	size_t n;
};

struct scope {
	const struct rules_list *list[RULES_VARS_MAX];
	const char *name[RULES_VARS_MAX];
	unsigned n;
};

struct reader {
	struct arena *mem;
	struct rules_law *law;
	struct lines lines;
	struct diag *err;
};

/* Words of a line from left to right. */
struct words {
	struct reader *r;
	const struct line *line;
	const char *at;
};

/* One word and its length: not NUL-terminated. */
struct word {
	const char *s;
	size_t n;
};

/* law.c */
int name_add(struct reader *r, enum name_space space, enum name_kind kind, const char *name,
	     void *thing, const struct line *at);
const struct name_entry *name_find(const struct rules_law *law, enum name_space space,
				   const char *name, size_t n);
/* ", did you mean x?" among the names of ${space}, or "" */
const char *name_hint(struct reader *r, enum name_space space, const char *name, size_t n);
/* The slot of the innermost variable ${name}, -1 if there is none. */
int scope_find(const struct scope *s, const char *name, size_t n);
int scope_push(struct scope *s, const struct rules_list *list, const char *name);
struct scope scope_of(const struct rules_subject *subject, uint32_t n);
/* The slot that a subject means where nothing is said, -1 if there is none. */
int scope_default(const struct scope *s, const struct rules_subject *subject);

/* lines.c */
int lines_read(struct reader *r, const struct rules_file *files, size_t n);
__attribute__((format(printf, 3, 4))) int fault(struct reader *r, const struct line *at,
						const char *fmt, ...);
struct words words_of(struct reader *r, const struct line *line, const char *at);
bool words_end(struct words *w);
struct word word_peek(struct words *w);
struct word word_next(struct words *w);
bool word_is(struct word w, const char *s);
/* Take ${s} (words with one blank between them, or one of ",:()") if it comes next. */
bool word_take(struct words *w, const char *s);
/* Refuse what stands here: "found ..., expected ...". */
int word_expected(struct words *w, const char *what);
/* A name in small letters, digits, '.', '-', '_'. */
int word_name(struct words *w, const char *what, const char **ret);
int word_count(struct words *w, uint32_t max, uint32_t *ret);

/* value.c */
int value_number(const char *s, size_t n, int64_t *ret);
int value_read(struct words *w, const struct rules_fact *f, struct rules_value *ret);
void value_write_number(int64_t v, struct buf *out);
int codes_find(const struct rules_codes *book, const char *s, size_t n);

/* condition.c */
int cond_line(struct words *w, size_t from, size_t to, struct scope *s, unsigned depth,
	      struct rules_cond **ret);
int cond_unless(struct words *w, struct scope *s, struct rules_cond **ret);

/* stanza.c */
int stanzas_declare(struct reader *r);
int stanzas_read(struct reader *r);

/* check.c */
int law_check(struct reader *r);

/* print.c: one condition without what stands below it. */
void cond_words(const struct rules_cond *c, const struct scope *s, struct buf *out);

#endif
