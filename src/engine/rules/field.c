/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The fields of a stanza: texts that go on in deeper lines, and what is said of those that are
 * wrong. */
#include "engine/rules/stanza.h"

#include <errno.h>
#include <string.h>

/* The line after ${i} that is not deeper than it. */
size_t field_end(const struct reader *r, size_t i, size_t to)
{
	size_t next = i + 1;
	while (next < to && r->lines.line[next].indent > r->lines.line[i].indent)
		next++;
	return next;
}

static void append(char *text, size_t *at, const char *s)
{
	size_t n = strlen(s);
	memcpy(text + *at, s, n);
	*at += n;
}

/* The words after the colon and in the deeper lines, one blank between lines. */
int text_field(struct reader *r, size_t i, size_t end, const char *first, const char **ret)
{
	const struct line *line = r->lines.line;
	size_t n = strlen(first);
	if (*ret != NULL)
		return fault(r, &line[i],
			     "found \"%s\" for a second time; expected it once in a stanza",
			     line[i].text);
	for (size_t k = i + 1; k < end; k++)
		n += 1 + strlen(line[k].text);
	if (n == 0)
		return fault(r, &line[i], "found no words after \":\"; expected some");
	if (n > RULES_TEXT_MAX)
		return fault(r, &line[i], "found a text of %zu bytes; expected at most %d", n,
			     RULES_TEXT_MAX);
	if (*first == '#')
		return fault(r, &line[i],
			     "found a text that begins with '#', as a remark does; expected a "
			     "letter first");
	char *text = arena_alloc(r->mem, n + 1);
	if (text == NULL)
		return -ENOMEM;
	size_t at = 0;
	append(text, &at, first);
	for (size_t k = i + 1; k < end; k++) {
		append(text, &at, at > 0 ? " " : "");
		append(text, &at, line[k].text);
	}
	*ret = text;
	return 0;
}

/* If the line begins with ${key} and a colon, the rest of it; else NULL. */
const char *after_key(const char *text, const char *key)
{
	size_t n = strlen(key);
	if (strncmp(text, key, n) != 0 || text[n] != ':')
		return NULL;
	for (text += n + 1; *text == ' ';)
		text++;
	return text;
}

int unknown_field(struct reader *r, const struct line *at, const struct text_row *rows, size_t n,
		  const char *more)
{
	const char *all = more;
	for (size_t i = 0; i < n && all != NULL; i++)
		all = arena_printf(r->mem, "%s%s\"%s:\"", all, *all == '\0' ? "" : ", ",
				   rows[i].key);
	return all == NULL ? -ENOMEM
			   : fault(r, at, "found \"%.*s\"; expected one of %s",
				   (int)strcspn(at->text, ":"), at->text, all);
}

/* Takes the line at ${i} if it is one of the texts: 1; 0 if it is none. */
int one_text(struct reader *r, size_t i, size_t end, const struct text_row *rows, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		const char *first = after_key(r->lines.line[i].text, rows[k].key);
		if (first != NULL) {
			int err = text_field(r, i, end, first, rows[k].to);
			return err != 0 ? err : 1;
		}
	}
	return 0;
}

int required_texts(struct reader *r, const struct stanza *s, const struct text_row *rows, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (rows[k].required && *rows[k].to == NULL)
			return fault(r, s->head, "found \"%s\" without \"%s:\"; expected one",
				     s->head->text, rows[k].key);
	return 0;
}

int same_depth(struct reader *r, const struct stanza *s, size_t i)
{
	const struct line *line = r->lines.line;
	if (line[i].indent == line[s->from].indent)
		return 0;
	return fault(r, &line[i], "found a line %u deep; expected %u as for the fields beside it",
		     line[i].indent, line[s->from].indent);
}

int line_done(struct words *w)
{
	return words_end(w) ? 0 : word_expected(w, "the end of the line");
}
