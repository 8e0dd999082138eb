/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/err.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static const struct {
	int code;
	const char *name, *words;
} rows[] = {
#define FW_ERR_ROW(name, number, words) { (number), #name, (words) },
	FW_ERRORS(FW_ERR_ROW)
#undef FW_ERR_ROW
};

const char *err_text(int code)
{
	if (code == 0)
		return "no error";
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].code == code)
			return rows[i].words;
	const char *s = code < 0 && code > -1000 ? strerrordesc_np(-code) : NULL;
	return s != NULL ? s : "unknown error";
}

const char *err_name(int code)
{
	if (code == 0)
		return "FW_OK";
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].code == code)
			return rows[i].name;
	const char *s = code < 0 && code > -1000 ? strerrorname_np(-code) : NULL;
	return s != NULL ? s : "?";
}

/* vsnprintf that cuts between characters, not inside one. */
__attribute__((format(printf, 3, 0))) static void format_cut(char *out, size_t cap, const char *fmt, va_list ap)
{
	int n = vsnprintf(out, cap, fmt, ap);
	if (n < 0)
		out[0] = '\0';
	else if ((size_t)n >= cap)
		out[utf8_cut(out, cap - 1)] = '\0';
}

int diag_set(struct diag *d, int code, const char *fmt, ...)
{
	if (d == NULL || d->code != 0)
		return code;
	d->code = code;
	va_list ap;
	va_start(ap, fmt);
	format_cut(d->text, sizeof(d->text), fmt, ap);
	va_end(ap);
	return code;
}

void diag_place(struct diag *d, const char *fmt, ...)
{
	if (d == NULL || d->place[0] != '\0')
		return;
	va_list ap;
	va_start(ap, fmt);
	format_cut(d->place, sizeof(d->place), fmt, ap);
	va_end(ap);
}

void diag_clear(struct diag *d)
{
	if (d != NULL)
		*d = DIAG_INIT;
}

__attribute__((format(printf, 3, 4))) static void join(char *out, size_t cap, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	format_cut(out, cap, fmt, ap);
	va_end(ap);
}

void diag_format(const struct diag *d, int code, char *out, size_t cap)
{
	const char *text = d != NULL && d->text[0] != '\0' ? d->text : err_text(code);
	bool placed = d != NULL && d->place[0] != '\0';
	join(out, cap, "%s%s%s", placed ? d->place : "", placed ? ": " : "", text);
}
