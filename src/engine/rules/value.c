/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Values as text.  Numbers are fixed-point with four digits after the point:
 * no floating number is used anywhere, so that the same law gives the same
 * answer on every machine.
 */
#include "engine/rules/law.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FRACTION = 4, VALUE_TEXT_MAX = 200 };
#define NUMBER_MAX (INT64_MAX / RULES_ONE / 1000)

struct rules_value rules_yes(bool yes)
{
	return (struct rules_value){.type = RULES_YESNO, .lo = yes, .hi = yes};
}

struct rules_value rules_date(struct date d)
{
	return (struct rules_value){
		.type = RULES_DATE, .lo = date_first_day(d), .hi = date_last_day(d)};
}

/* [-]digits[.digits] with at most four after the point. */
int value_number(const char *s, size_t n, int64_t *ret)
{
	size_t i = n > 0 && s[0] == '-';
	bool negative = i == 1;
	int64_t whole = 0, part = 0;
	size_t first = i, digits = 0;
	for (; i < n && s[i] >= '0' && s[i] <= '9'; i++) {
		whole = whole * 10 + (s[i] - '0');
		if (whole > NUMBER_MAX)
			return FW_ERANGE;
	}
	if (i == first)
		return FW_EFORMAT;
	if (i < n && s[i] == '.' && i + 1 < n) {
		for (i++; i < n && s[i] >= '0' && s[i] <= '9'; i++, digits++)
			part = part * 10 + (s[i] - '0');
		if (digits > FRACTION)
			return FW_ERANGE;
	}
	if (i != n)
		return FW_EFORMAT;
	for (; digits < FRACTION; digits++)
		part *= 10;
	*ret = (negative ? -1 : 1) * (whole * RULES_ONE + part);
	return 0;
}

/* A number, or LOW..HIGH. */
static int number_range(struct word x, struct rules_value *v)
{
	for (size_t i = 1; i + 2 < x.n; i++)
		if (x.s[i] == '.' && x.s[i + 1] == '.') {
			int err = value_number(x.s, i, &v->lo);
			if (err == 0)
				err = value_number(x.s + i + 2, x.n - i - 2, &v->hi);
			return err != 0 ? err : v->lo <= v->hi ? 0 : FW_ERANGE;
		}
	int err = value_number(x.s, x.n, &v->lo);
	v->hi = v->lo;
	return err;
}

static bool is_currency(struct word x)
{
	for (size_t i = 0; i < x.n; i++)
		if (x.s[i] < 'A' || x.s[i] > 'Z')
			return false;
	return x.n == 3;
}

static int date_of(struct word x, struct rules_value *v)
{
	char text[DATE_TEXT_LEN + 1];
	struct date d;
	if (x.n == 0 || x.n > DATE_TEXT_LEN)
		return FW_EFORMAT;
	memcpy(text, x.s, x.n);
	text[x.n] = '\0';
	int err = date_parse(text, &d);
	if (err == 0)
		*v = rules_date(d);
	return err;
}

int codes_find(const struct rules_codes *book, const char *s, size_t n)
{
	for (uint32_t i = 0; i < book->n; i++)
		if (strncmp(book->code[i].name, s, n) == 0 && book->code[i].name[n] == '\0')
			return (int)i;
	return -1;
}

static int read_number(struct words *w, struct rules_value *v)
{
	if (number_range(word_peek(w), v) != 0)
		return word_expected(w, "a number such as 3, 2.5 or 10..20, with at most four "
					"digits after the point");
	(void)word_next(w);
	return 0;
}

static int read_amount(struct words *w, struct rules_value *v)
{
	int err = read_number(w, v);
	if (err != 0)
		return err;
	struct word x = word_peek(w);
	if (!is_currency(x))
		return word_expected(w, "a currency as three capitals, such as USD");
	memcpy(v->currency, x.s, 3);
	(void)word_next(w);
	return 0;
}

static int read_code(struct words *w, const struct rules_codes *book, struct rules_value *v)
{
	struct word x = word_peek(w);
	int i = codes_find(book, x.s, x.n);
	if (i < 0) {
		char what[VALUE_TEXT_MAX];
		(void)snprintf(what, sizeof(what), "a value of the codes \"%s\" (%s, line %u)",
			       book->name, book->file, book->line);
		return word_expected(w, what);
	}
	v->lo = v->hi = i;
	(void)word_next(w);
	return 0;
}

int value_read(struct words *w, const struct rules_fact *f, struct rules_value *ret)
{
	*ret = (struct rules_value){.type = f->type};
	switch (f->type) {
	case RULES_YESNO:
		*ret = rules_yes(word_is(word_peek(w), "yes"));
		return word_take(w, "yes") || word_take(w, "no")
			       ? 0
			       : word_expected(w, "\"yes\" or \"no\"");
	case RULES_NUMBER:
		return read_number(w, ret);
	case RULES_AMOUNT:
		return read_amount(w, ret);
	case RULES_DATE:
		if (date_of(word_peek(w), ret) != 0)
			return word_expected(w,
					     "a date that exists, as 2026, 2026-11 or 2026-11-25");
		(void)word_next(w);
		return 0;
	case RULES_CODE:
		return read_code(w, f->codes, ret);
	}
	return FW_EINVALID;
}

int rules_value_parse(const struct rules_fact *fact, const char *text, struct rules_value *ret,
		      struct diag *reterr)
{
	struct diag own = DIAG_INIT;
	struct reader r = {.err = reterr != NULL ? reterr : &own};
	struct line line = {.file = fact->name, .text = text, .no = 1};
	struct words w = words_of(&r, &line, text);
	struct rules_value v;
	int err = value_read(&w, fact, &v);
	if (err == 0 && !words_end(&w))
		err = word_expected(&w, "nothing after the value");
	if (err == 0)
		*ret = v;
	return err;
}

void value_write_number(int64_t v, struct buf *out)
{
	uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;
	unsigned part = (unsigned)(u % RULES_ONE), digits = FRACTION;
	buf_printf(out, "%s%" PRIu64, v < 0 ? "-" : "", u / RULES_ONE);
	if (part == 0)
		return;
	for (; part % 10 == 0; part /= 10)
		digits--;
	buf_printf(out, ".%0*u", (int)digits, part);
}

static void write_range(const struct rules_value *v, struct buf *out)
{
	value_write_number(v->lo, out);
	if (v->hi != v->lo) {
		buf_puts(out, "..");
		value_write_number(v->hi, out);
	}
}

static void write_day(int64_t day, struct buf *out)
{
	char text[DATE_TEXT_LEN + 1];
	date_format(date_from_days((int32_t)day), text);
	buf_puts(out, text);
}

static void write_date(const struct rules_value *v, struct buf *out)
{
	for (int p = DATE_YEAR; p <= DATE_DAY; p++) {
		struct date d = date_from_days((int32_t)v->lo);
		d.precision = (uint8_t)p;
		d.month = p >= DATE_MONTH ? d.month : 0;
		d.day = p >= DATE_DAY ? d.day : 0;
		if (date_first_day(d) == v->lo && date_last_day(d) == v->hi) {
			char text[DATE_TEXT_LEN + 1];
			date_format(d, text);
			buf_puts(out, text);
			return;
		}
	}
	write_day(v->lo, out);
	buf_puts(out, "..");
	write_day(v->hi, out);
}

void rules_value_format(const struct rules_fact *fact, const struct rules_value *v, struct buf *out)
{
	switch (v->type) {
	case RULES_YESNO:
		buf_puts(out, v->lo != 0 ? "yes" : "no");
		break;
	case RULES_NUMBER:
		write_range(v, out);
		break;
	case RULES_AMOUNT:
		write_range(v, out);
		buf_printf(out, " %s", v->currency);
		break;
	case RULES_DATE:
		write_date(v, out);
		break;
	case RULES_CODE:
		buf_puts(out, fact->codes->code[v->lo].name);
		break;
	}
}
