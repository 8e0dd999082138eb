/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "codec/json.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void jw_init(struct jw *j, struct buf *out)
{
	*j = (struct jw){ .out = out };
}

/* Before a value or a name: the comma where one belongs. */
static void comma(struct jw *j)
{
	uint64_t bit = UINT64_C(1) << j->depth;
	if (j->filled & bit)
		buf_putc(j->out, ',');
	j->filled |= bit;
}

static void before_value(struct jw *j)
{
	bool in_object = j->depth > 0 && (j->array & (UINT64_C(1) << j->depth)) == 0;
	assert(in_object == j->named);
	if (!in_object)
		comma(j);
	j->named = false;
}

static void open_level(struct jw *j, char c, bool array)
{
	before_value(j);
	buf_putc(j->out, c);
	j->depth++;
	assert(j->depth <= JSON_DEPTH);
	uint64_t bit = UINT64_C(1) << j->depth;
	j->filled &= ~bit;
	j->array = array ? j->array | bit : j->array & ~bit;
}

void jw_object(struct jw *j)
{
	open_level(j, '{', false);
}

void jw_array(struct jw *j)
{
	open_level(j, '[', true);
}

void jw_end(struct jw *j)
{
	assert(j->depth > 0 && !j->named);
	bool array = (j->array & (UINT64_C(1) << j->depth)) != 0;
	buf_putc(j->out, array ? ']' : '}');
	j->depth--;
}

/* Bytes that go out as they are: printable ASCII but the two special ones. */
static bool plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* One escaped or multi-byte character at ${p}; returns its length. */
static size_t quote_one(struct buf *out, const uint8_t *p, size_t n)
{
	static const char short_forms[] = "btn\0fr"; /* 8, 9, 10, 12, 13 */
	uint32_t c;
	size_t len = utf8_decode(p, n, &c);
	if (len == 0) {
		buf_puts(out, "\xef\xbf\xbd");
		return 1;
	}
	if (c == '"' || c == '\\') {
		buf_putc(out, '\\');
		buf_putc(out, (char)c);
	} else if (c >= 8 && c <= 13 && short_forms[c - 8] != '\0') {
		buf_putc(out, '\\');
		buf_putc(out, short_forms[c - 8]);
	} else if (c < 0x20 || c == 0x7f || c == 0x2028 || c == 0x2029) {
		buf_printf(out, "\\u%04x", (unsigned)c);
	} else {
		buf_put(out, p, len);
	}
	return len;
}

void jw_quote(struct buf *out, const char *s, size_t n)
{
	const uint8_t *p = (const uint8_t *)s;
	buf_putc(out, '"');
	for (size_t i = 0; i < n;) {
		size_t run = 0;
		while (i + run < n && plain(p[i + run]))
			run++;
		if (run > 0)
			buf_put(out, p + i, run);
		i += run;
		if (i < n)
			i += quote_one(out, p + i, n - i);
	}
	buf_putc(out, '"');
}

void jw_name(struct jw *j, const char *name)
{
	assert(j->depth > 0 && !j->named && (j->array & (UINT64_C(1) << j->depth)) == 0);
	comma(j);
	jw_quote(j->out, name, strlen(name));
	buf_putc(j->out, ':');
	j->named = true;
}

void jw_stringn(struct jw *j, const char *s, size_t n)
{
	before_value(j);
	jw_quote(j->out, s, n);
}

void jw_string(struct jw *j, const char *s)
{
	if (s == NULL)
		jw_null(j);
	else
		jw_stringn(j, s, strlen(s));
}

void jw_i64(struct jw *j, int64_t v)
{
	char digits[24], *p = digits + sizeof(digits);
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	before_value(j);
	do
		*--p = (char)('0' + u % 10);
	while ((u /= 10) != 0);
	if (v < 0)
		*--p = '-';
	buf_put(j->out, p, (size_t)(digits + sizeof(digits) - p));
}

void jw_f64(struct jw *j, double v)
{
	char text[40];
	if (!isfinite(v)) {
		jw_null(j);
		return;
	}
	for (int precision = 6; precision <= 17; precision++) {
		(void)snprintf(text, sizeof(text), "%.*g", precision, v);
		if (strtod(text, NULL) == v)
			break;
	}
	jw_raw(j, text, strlen(text));
}

void jw_bool(struct jw *j, bool v)
{
	jw_raw(j, v ? "true" : "false", v ? 4 : 5);
}

void jw_null(struct jw *j)
{
	jw_raw(j, "null", 4);
}

void jw_raw(struct jw *j, const char *s, size_t n)
{
	before_value(j);
	buf_put(j->out, s, n);
}

void jw_uuid(struct jw *j, const struct uuid *u)
{
	char text[UUID_TEXT_LEN + 1];
	if (uuid_is_nil(u)) {
		jw_null(j);
		return;
	}
	uuid_format(u, text);
	jw_stringn(j, text, UUID_TEXT_LEN);
}

void jw_time(struct jw *j, usec_t t)
{
	char text[TIME_TEXT_LEN + 1];
	time_format(t, text);
	jw_string(j, text);
}

void jw_date(struct jw *j, struct date d)
{
	char text[DATE_TEXT_LEN + 1];
	date_format(d, text);
	jw_string(j, text);
}
