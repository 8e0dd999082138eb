/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tbl/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/utf8.h"
#include "text/near.h"

/* What is known while a file is read. */
struct reading {
	const char *path;
	struct arena *mem;
	struct settings *out;
	unsigned line;
	const char *section;           /* of the table; NULL before the first */
	unsigned given[SETTING_COUNT]; /* line at which each was given; 0 not yet */
	struct diag *err;
};

static const char *const bools[] = {"no", "yes", NULL};

static int choice_of(const char *const *choices, const char *value)
{
	for (int i = 0; choices[i] != NULL; i++)
		if (strcmp(choices[i], value) == 0)
			return i;
	return -1;
}

static void *member(struct settings *s, const struct setting_row *row)
{
	return (char *)s + row->offset;
}

static const void *member_of(const struct settings *s, const struct setting_row *row)
{
	return (const char *)s + row->offset;
}

/* What a value may be, for the cure in a message. */
static void describe(const struct setting_row *row, char *out, size_t cap)
{
	const char *const *choices = row->type == SETTING_BOOL ? bools : row->choices;
	if (row->type == SETTING_INT) {
		(void)snprintf(out, cap, "a whole number from %" PRId64 " to %" PRId64, row->min,
			       row->max);
	} else if (choices != NULL) {
		size_t n = (size_t)snprintf(out, cap, "one of");
		for (size_t i = 0; choices[i] != NULL && n < cap; i++)
			n += (size_t)snprintf(out + n, cap - n, "%s %s", i > 0 ? "," : "",
					      choices[i]);
	} else {
		(void)snprintf(out, cap,
			       "%" PRId64 " to %" PRId64 " bytes of UTF-8 text on one line",
			       row->min, row->max);
	}
}

static bool read_int(const struct setting_row *row, const char *value, int64_t *ret)
{
	size_t digits = strspn(value + (value[0] == '-'), "0123456789");
	if (digits == 0 || digits > 18 || value[digits + (value[0] == '-')] != '\0')
		return false;
	int64_t v = strtoll(value, NULL, 10);
	if (v < row->min || v > row->max)
		return false;
	*ret = v;
	return true;
}

/* One line of text: no control characters, which the file could not hold. */
static bool one_line(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)s[i] < ' ' || s[i] == 0x7f)
			return false;
	return utf8_valid(s, n);
}

static int put_text(const struct setting_row *row, const char *value, const char *folder,
		    size_t folder_len, struct arena *mem, const char **ret)
{
	bool relative =
		row->type == SETTING_PATH && value[0] != '\0' && value[0] != '/' && folder_len > 0;
	const char *s = relative ? arena_printf(mem, "%.*s/%s", (int)folder_len, folder, value)
				 : arena_strdup(mem, value);
	if (s == NULL)
		return -ENOMEM;
	*ret = s;
	return 0;
}

/* Check ${value} and set it. ${folder} is before paths that do not begin with /. */
static int put_value(struct settings *s, const struct setting_row *row, const char *value,
		     const char *folder, size_t folder_len, struct arena *mem, struct diag *reterr)
{
	char what[300];
	size_t n = strlen(value);
	int choice;
	switch ((enum setting_type)row->type) {
	case SETTING_STRING:
	case SETTING_PATH:
		if (n < (size_t)row->min || n > (size_t)row->max || !one_line(value, n))
			break;
		if (put_text(row, value, folder, folder_len, mem, member(s, row)) < 0)
			return diag_set(reterr, -ENOMEM, "no memory for the settings");
		return 0;
	case SETTING_INT:
		if (!read_int(row, value, member(s, row)))
			break;
		return 0;
	case SETTING_BOOL:
		if ((choice = choice_of(bools, value)) < 0)
			break;
		*(bool *)member(s, row) = choice == 1;
		return 0;
	case SETTING_ENUM:
		if ((choice = choice_of(row->choices, value)) < 0)
			break;
		*(int *)member(s, row) = choice;
		return 0;
	}
	describe(row, what, sizeof(what));
	return diag_set(reterr, FW_EINVALID, "%s.%s must be %s", row->section, row->key, what);
}

static const struct setting_row *row_of(const char *section, size_t section_len, const char *key)
{
	for (int i = 0; i < SETTING_COUNT; i++)
		if (strlen(setting_rows[i].section) == section_len &&
		    memcmp(setting_rows[i].section, section, section_len) == 0 &&
		    strcmp(setting_rows[i].key, key) == 0)
			return &setting_rows[i];
	return NULL;
}

const struct setting_row *setting_find(const char *name)
{
	const char *dot = strchr(name, '.');
	return dot == NULL ? NULL : row_of(name, (size_t)(dot - name), dot + 1);
}

static int refuse(struct reading *r, int code, const char *text)
{
	(void)diag_set(r->err, code, "%s", text);
	if (r->line == 0)
		diag_place(r->err, "%s", r->path);
	else
		diag_place(r->err, "%s:%u", r->path, r->line);
	return code;
}

static int refuse_section(struct reading *r, const char *name)
{
	struct near near = {.name = name, .best_distance = 3};
	char text[DIAG_TEXT_MAX];
	for (int i = 0; i < SETTING_COUNT; i++)
		near_offer(&near, setting_rows[i].section);
	if (near.best != NULL)
		(void)snprintf(text, sizeof(text),
			       "there is no section of this name; did you mean [%s]?", near.best);
	else
		(void)snprintf(text, sizeof(text),
			       "there is no section of this name; see fairway.conf(5)");
	return refuse(r, FW_EINVALID, text);
}

static int refuse_key(struct reading *r, const char *key)
{
	struct near near = {.name = key, .best_distance = 3};
	char text[DIAG_TEXT_MAX];
	for (int i = 0; i < SETTING_COUNT; i++)
		if (strcmp(setting_rows[i].section, r->section) == 0)
			near_offer(&near, setting_rows[i].key);
	if (near.best != NULL)
		(void)snprintf(text, sizeof(text),
			       "section [%s] has no such setting; did you mean %s?", r->section,
			       near.best);
	else
		(void)snprintf(text, sizeof(text),
			       "section [%s] has no such setting; see fairway.conf(5)", r->section);
	return refuse(r, FW_EINVALID, text);
}

static int take_section(struct reading *r, char *line, size_t n)
{
	if (line[n - 1] != ']')
		return refuse(r, FW_EFORMAT,
			      "a section is written [name]; the closing bracket is missing");
	line[n - 1] = '\0';
	for (int i = 0; i < SETTING_COUNT; i++) {
		if (strcmp(setting_rows[i].section, line + 1) == 0) {
			r->section = setting_rows[i].section;
			return 0;
		}
	}
	return refuse_section(r, line + 1);
}

/* Blanks at both ends off; *n is what is left. */
static char *trim(char *s, size_t *n)
{
	while (*n > 0 && (s[*n - 1] == ' ' || s[*n - 1] == '\t' || s[*n - 1] == '\r'))
		(*n)--;
	s[*n] = '\0';
	size_t blanks = strspn(s, " \t");
	*n -= blanks;
	return s + blanks;
}

static int take_setting(struct reading *r, char *line, size_t n)
{
	char text[DIAG_TEXT_MAX];
	char *equals = memchr(line, '=', n);
	if (equals == NULL)
		return refuse(r, FW_EFORMAT, "expected key = value, [section], or # and a comment");
	if (r->section == NULL)
		return refuse(r, FW_EFORMAT,
			      "a setting stands in a section: write [name] on a line before it");
	size_t key_len = (size_t)(equals - line), value_len = n - key_len - 1;
	char *value = trim(equals + 1, &value_len);
	char *key = trim(line, &key_len);
	if (value_len >= 2 && value[0] == '"' && value[value_len - 1] == '"') {
		value[value_len - 1] = '\0';
		value++;
	}
	const struct setting_row *row = row_of(r->section, strlen(r->section), key);
	if (row == NULL)
		return refuse_key(r, key);
	unsigned *given = &r->given[row - setting_rows];
	if (*given != 0) {
		(void)snprintf(text, sizeof(text),
			       "%s.%s is given already, on line %u; keep one of them", row->section,
			       row->key, *given);
		return refuse(r, FW_EINVALID, text);
	}
	*given = r->line;
	const char *slash = strrchr(r->path, '/');
	int err = put_value(r->out, row, value, r->path,
			    slash != NULL ? (size_t)(slash - r->path) : 0, r->mem, r->err);
	if (err < 0)
		diag_place(r->err, "%s:%u", r->path, r->line);
	return err;
}

static int take_line(struct reading *r, const char *text, size_t n)
{
	char line[SETTING_LINE_MAX + 1];
	if (n > SETTING_LINE_MAX)
		return refuse(r, FW_ELIMIT, "the line is longer than 4,096 bytes");
	if (memchr(text, '\0', n) != NULL || !utf8_valid(text, n))
		return refuse(r, FW_EFORMAT, "the line is not UTF-8 text; save the file as UTF-8");
	memcpy(line, text, n);
	char *s = trim(line, &n);
	if (n == 0 || s[0] == '#' || s[0] == ';')
		return 0;
	return s[0] == '[' ? take_section(r, s, n) : take_setting(r, s, n);
}

/* Standard values for what was not given; what must be given and was not is an error. */
static int complete(struct reading *r)
{
	for (int i = 0; i < SETTING_COUNT; i++) {
		const struct setting_row *row = &setting_rows[i];
		if (r->given[i] != 0)
			continue;
		if (row->standard == NULL) {
			(void)diag_set(r->err, FW_EINVALID,
				       "%s is missing: write %s = ... in section [%s] (%s)",
				       row->key, row->key, row->section, row->words);
			diag_place(r->err, "%s", r->path);
			return FW_EINVALID;
		}
		int err = put_value(r->out, row, row->standard, NULL, 0, r->mem, r->err);
		if (err < 0)
			return err;
	}
	return 0;
}

int settings_parse(const char *path, const void *text, size_t n, struct arena *mem,
		   struct settings *ret, struct diag *reterr)
{
	struct settings s = {0};
	struct reading r = {.path = path, .mem = mem, .out = &s, .err = reterr};
	const char *p = text;
	if (n > SETTING_FILE_MAX)
		return refuse(&r, FW_ELIMIT, "the file is longer than 256 KiB");
	size_t at = n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0
			    ? 3
			    : 0; /* the mark some editors put first */
	while (at < n) {
		const char *stop = memchr(p + at, '\n', n - at);
		size_t len = stop != NULL ? (size_t)(stop - p) - at : n - at;
		r.line++;
		int err = take_line(&r, p + at, len);
		if (err < 0)
			return err;
		at += len + 1;
	}
	int err = complete(&r);
	if (err == 0)
		*ret = s;
	return err;
}

int settings_load(const char *path, struct arena *mem, struct settings *ret, struct diag *reterr)
{
	struct buf b;
	buf_init(&b, SETTING_FILE_MAX + 1);
	int err = io_read_file(path, &b, reterr);
	if (err == 0)
		err = settings_parse(path, b.data, b.len, mem, ret, reterr);
	buf_release(&b);
	return err;
}

int settings_set(struct settings *s, const char *name, const char *value, struct arena *mem,
		 struct diag *reterr)
{
	const struct setting_row *row = setting_find(name);
	if (row == NULL)
		return diag_set(reterr, FW_ENOTFOUND, "there is no setting of this name");
	return put_value(s, row, value, NULL, 0, mem, reterr);
}

void setting_text(const struct settings *s, const struct setting_row *row, char *out, size_t cap)
{
	const void *p = member_of(s, row);
	switch ((enum setting_type)row->type) {
	case SETTING_STRING:
	case SETTING_PATH:
		(void)snprintf(out, cap, "%s",
			       *(const char *const *)p != NULL ? *(const char *const *)p : "");
		break;
	case SETTING_INT:
		(void)snprintf(out, cap, "%" PRId64, *(const int64_t *)p);
		break;
	case SETTING_BOOL:
		(void)snprintf(out, cap, "%s", *(const bool *)p ? "yes" : "no");
		break;
	case SETTING_ENUM:
		(void)snprintf(out, cap, "%s", row->choices[*(const int *)p]);
		break;
	}
}

static void write_setting(const struct settings *s, const struct setting_row *row, struct buf *out)
{
	char text[SETTING_TEXT_MAX];
	setting_text(s, row, text, sizeof(text));
	size_t n = strlen(text);
	bool standard = row->standard != NULL && strcmp(text, row->standard) == 0;
	bool quoted = n > 0 && (text[0] == ' ' || text[0] == '"' || text[n - 1] == ' ' ||
				text[n - 1] == '"');
	buf_printf(out, "# %s\n%s%s =%s", row->words, standard ? "#" : "", row->key,
		   n > 0 ? " " : "");
	buf_puts(out, quoted ? "\"" : "");
	buf_puts(out, text);
	buf_puts(out, quoted ? "\"\n" : "\n");
}

void settings_write(const struct settings *s, struct buf *out)
{
	buf_puts(
		out,
		"# Settings of a Fairway node; fairway.conf(5) says more.\n"
		"# A line that begins with # holds the value that is used when nothing is said.\n");
	for (int i = 0; i < SETTING_COUNT; i++) {
		if (i == 0 || strcmp(setting_rows[i].section, setting_rows[i - 1].section) != 0)
			buf_printf(out, "\n[%s]\n", setting_rows[i].section);
		write_setting(s, &setting_rows[i], out);
	}
}
