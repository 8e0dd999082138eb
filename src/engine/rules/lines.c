/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* From bytes to lines, from a line to its words, and how a refusal is said. */
#include "engine/rules/law.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

int fault(struct reader *r, const struct line *at, const char *fmt, ...)
{
	char text[DIAG_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_place(r->err, "%s, line %u", at->file, at->no);
	return diag_set(r->err, FW_EINVALID, "%s", text);
}

static int bad_line(struct reader *r, const char *file, unsigned no, const char *why)
{
	struct line at = {.file = file, .no = no};
	return fault(r, &at, "%s", why);
}

/* NULL if the bytes may stand in a rule file. */
static const char *bad_bytes(const char *s, size_t n)
{
	if (!utf8_valid(s, n))
		return "found bytes that are no UTF-8; expected UTF-8 throughout";
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\t')
			return "found a tab; expected blanks, so that depth looks the same "
			       "everywhere";
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return "found a control character; expected text";
	}
	return NULL;
}

static int one_line(struct reader *r, const char *file, unsigned no, const char *s, size_t n)
{
	const char *why = bad_bytes(s, n);
	if (why != NULL)
		return bad_line(r, file, no, why);
	size_t indent = 0;
	while (indent < n && s[indent] == ' ')
		indent++;
	while (n > indent && s[n - 1] == ' ')
		n--;
	if (indent == n || s[indent] == '#')
		return 0;
	if (n - indent > RULES_LINE_MAX || indent > RULES_LINE_MAX)
		return bad_line(r, file, no,
				"found a line of more than 1000 bytes; expected shorter ones, a "
				"text goes on in deeper lines");
	char *text = arena_strndup(r->mem, s + indent, n - indent);
	if (text == NULL)
		return -ENOMEM;
	r->lines.line[r->lines.n++] = (struct line){file, text, no, (unsigned)indent};
	return 0;
}

static int one_file(struct reader *r, const struct rules_file *f)
{
	const char *s = f->text, *end = s + f->len;
	const char *name = arena_strdup(r->mem, f->name);
	size_t first = r->lines.n;
	if (name == NULL)
		return -ENOMEM;
	if (f->len > RULES_FILE_MAX)
		return bad_line(r, name, 1,
				"found a file of more than 4 MiB; expected rules in several files");
	for (unsigned no = 1; s < end; no++) {
		const char *stop = memchr(s, '\n', (size_t)(end - s));
		size_t n = (size_t)((stop != NULL ? stop : end) - s);
		int err = one_line(r, name, no, s, n > 0 && s[n - 1] == '\r' ? n - 1 : n);
		if (err != 0)
			return err;
		s += n + 1;
	}
	if (r->lines.n > first && r->lines.line[first].indent != 0)
		return fault(r, &r->lines.line[first],
			     "found a line that begins with blanks; expected a stanza to begin at "
			     "the left margin");
	return 0;
}

static size_t count_lines(const struct rules_file *f)
{
	size_t n = 1;
	const char *s = f->text;
	for (size_t i = 0; i < f->len; i++)
		n += s[i] == '\n';
	return n;
}

int lines_read(struct reader *r, const struct rules_file *files, size_t n)
{
	size_t lines = 0;
	for (size_t i = 0; i < n; i++)
		lines += count_lines(&files[i]);
	r->lines.line = arena_array(r->mem, lines, sizeof(struct line));
	if (r->lines.line == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int err = one_file(r, &files[i]);
		if (err != 0)
			return err;
	}
	return 0;
}

struct words words_of(struct reader *r, const struct line *line, const char *at)
{
	return (struct words){r, line, at};
}

bool words_end(struct words *w)
{
	while (*w->at == ' ')
		w->at++;
	return *w->at == '\0';
}

struct word word_peek(struct words *w)
{
	if (words_end(w))
		return (struct word){w->at, 0};
	if (strchr(",:()", *w->at) != NULL)
		return (struct word){w->at, 1};
	return (struct word){w->at, strcspn(w->at, " ,:()")};
}

struct word word_next(struct words *w)
{
	struct word x = word_peek(w);
	w->at += x.n;
	return x;
}

bool word_is(struct word w, const char *s)
{
	return strlen(s) == w.n && memcmp(w.s, s, w.n) == 0;
}

bool word_take(struct words *w, const char *s)
{
	struct words ahead = *w;
	while (*s != '\0') {
		size_t n = strcspn(s, " ");
		struct word x = word_next(&ahead);
		if (x.n != n || memcmp(x.s, s, n) != 0)
			return false;
		s += n + (s[n] == ' ');
	}
	*w = ahead;
	return true;
}

int word_expected(struct words *w, const char *what)
{
	if (words_end(w))
		return fault(w->r, w->line, "found the end of the line; expected %s", what);
	struct word x = word_peek(w);
	size_t n = utf8_cut(x.s, x.n < 60 ? x.n : 60);
	return fault(w->r, w->line, "found \"%.*s\"; expected %s", (int)n, x.s, what);
}

static bool name_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

int word_name(struct words *w, const char *what, const char **ret)
{
	struct word x = word_peek(w);
	bool good = x.n > 0 && x.n <= RULES_NAME_MAX && x.s[0] >= 'a' && x.s[0] <= 'z';
	for (size_t i = 0; good && i < x.n; i++)
		good = name_letter(x.s[i]);
	if (!good)
		return fault(w->r, w->line,
			     "found \"%.*s\"; expected %s: at most %d small letters, digits, '.', "
			     "'-', '_', a letter first",
			     (int)utf8_cut(x.s, x.n < 60 ? x.n : 60), x.s, what, RULES_NAME_MAX);
	*ret = arena_strndup(w->r->mem, x.s, x.n);
	(void)word_next(w);
	return *ret != NULL ? 0 : -ENOMEM;
}

int word_count(struct words *w, uint32_t max, uint32_t *ret)
{
	struct word x = word_peek(w);
	uint64_t v = 0;
	bool good = x.n > 0 && x.n < 10;
	for (size_t i = 0; good && i < x.n; i++) {
		good = x.s[i] >= '0' && x.s[i] <= '9';
		v = v * 10 + (uint64_t)(x.s[i] - '0');
	}
	if (!good || v == 0 || v > max) {
		char what[60];
		(void)snprintf(what, sizeof(what), "a whole number from 1 to %u", max);
		return word_expected(w, what);
	}
	*ret = (uint32_t)v;
	(void)word_next(w);
	return 0;
}
