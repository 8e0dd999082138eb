/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the readers of stanzas share: a stanza is a head with fields in deeper lines. */
#ifndef FW_ENGINE_RULES_STANZA_H
#define FW_ENGINE_RULES_STANZA_H

#include "engine/rules/law.h"

struct stanza {
	const struct line *head;
	size_t from, to; /* its deeper lines */
};

/* A field that is a text: where it goes. */
struct text_row {
	const char *key;
	const char **to;
	bool required;
};

/* field.c */
/* The line after ${i} that is not deeper than it. */
size_t field_end(const struct reader *r, size_t i, size_t to);
/* The words after the colon and in the deeper lines, one blank between lines. */
int text_field(struct reader *r, size_t i, size_t end, const char *first, const char **ret);
/* If the line begins with ${key} and a colon, the rest of it; else NULL. */
const char *after_key(const char *text, const char *key);
int unknown_field(struct reader *r, const struct line *at, const struct text_row *rows, size_t n,
		  const char *more);
/* Takes the line at ${i} if it is one of the texts: 1; 0 if it is none. */
int one_text(struct reader *r, size_t i, size_t end, const struct text_row *rows, size_t n);
int required_texts(struct reader *r, const struct stanza *s, const struct text_row *rows, size_t n);
int same_depth(struct reader *r, const struct stanza *s, size_t i);
int line_done(struct words *w);

/* rule.c: what a rule, a definition or an exception says. */
int read_rule(struct reader *r, const struct stanza *s, struct words *w);

#endif
