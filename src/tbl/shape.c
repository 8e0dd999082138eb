/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tbl/shape.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "base/uuid.h"

enum { CHOICES_TEXT = 200 };

/* Where we are, innermost first; on the stack of the recursion, whose depth the shapes bound: they
 * hold no cycle. */
struct at {
	const struct at *above;
	const char *name; /* NULL: element ${index} of the array above */
	size_t index;
};

static size_t put_path(const struct at *at, char *out, size_t cap)
{
	size_t n = at->above != NULL ? put_path(at->above, out, cap) : 0;
	if (n + 1 >= cap)
		return n;
	int r = at->name == NULL ? snprintf(out + n, cap - n, "[%zu]", at->index)
		: at->name[0] == '\0'
			? 0
			: snprintf(out + n, cap - n, "%s%s", n > 0 ? "." : "", at->name);
	return r < 0 ? n : n + (size_t)r < cap ? n + (size_t)r : cap - 1;
}

static int refuse(const struct at *at, struct diag *d, const char *expected)
{
	char path[DIAG_PLACE_MAX + 8] = ""; /* longer: diag_place() cuts between characters */
	(void)put_path(at, path, sizeof(path));
	(void)diag_set(d, FW_EINVALID, "%s", expected);
	if (path[0] != '\0')
		diag_place(d, "%s", path);
	return FW_EINVALID;
}

/* "one of a, b, c", cut where it grows too long to be of help. */
static void list_choices(const char *const *choices, char *out, size_t cap)
{
	size_t n = (size_t)snprintf(out, cap, "one of ");
	for (size_t i = 0; choices[i] != NULL; i++) {
		if (n + strlen(choices[i]) + 6 > cap) {
			(void)snprintf(out + n, cap - n, ", ...");
			return;
		}
		n += (size_t)snprintf(out + n, cap - n, "%s%s", i > 0 ? ", " : "", choices[i]);
	}
}

/* What a value of this type looks like, in words. */
static void describe(const struct value_type *t, char *out, size_t cap)
{
	char choices[CHOICES_TEXT];
	switch ((enum shape_type)t->type) {
	case SHAPE_STRING:
		(void)snprintf(out, cap, "text of %.0f to %.0f bytes", t->min, t->max);
		break;
	case SHAPE_INT:
		(void)snprintf(out, cap, "a whole number from %.0f to %.0f", t->min, t->max);
		break;
	case SHAPE_REAL:
		(void)snprintf(out, cap, "a number from %g to %g", t->min, t->max);
		break;
	case SHAPE_BOOL:
		(void)snprintf(out, cap, "true or false");
		break;
	case SHAPE_UUID:
		(void)snprintf(out, cap,
			       "an identifier of the form 01234567-89ab-cdef-0123-456789abcdef");
		break;
	case SHAPE_TIME:
		(void)snprintf(out, cap, "a time like 2026-11-25T04:57:03Z");
		break;
	case SHAPE_DATE:
		(void)snprintf(out, cap,
			       "a date like 2026-11-25, 2026-11 or 2026, or nothing if unknown");
		break;
	case SHAPE_COUNT:
		(void)snprintf(out, cap,
			       "a whole number from 0 to %d, or unknown, not_collected or withheld",
			       SHAPE_COUNT_MAX);
		break;
	case SHAPE_CODE:
		(void)snprintf(out, cap, "a code%s%s: letters, digits, _ . : -, at most %d",
			       t->codebook != NULL ? " of codebook " : "",
			       t->codebook != NULL ? t->codebook : "", SHAPE_CODE_MAX);
		break;
	case SHAPE_ENUM:
		list_choices(t->choices, choices, sizeof(choices));
		(void)snprintf(out, cap, "%s", choices);
		break;
	case SHAPE_SHAPE:
		(void)snprintf(out, cap, "an object (%s)", t->shape->name);
		break;
	case SHAPE_OBJECT:
		(void)snprintf(out, cap, "an object");
		break;
	}
}

static int refuse_value(const struct value_type *t, const struct at *at, struct diag *d)
{
	char what[CHOICES_TEXT + 60], text[DIAG_TEXT_MAX];
	describe(t, what, sizeof(what));
	(void)snprintf(text, sizeof(text), "expected %s", what);
	return refuse(at, d, text);
}

bool code_wellformed(const char *s)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-";
	size_t n = strlen(s);
	return n >= 1 && n <= SHAPE_CODE_MAX && strchr("_.:-", s[0]) == NULL &&
	       strspn(s, letters) == n;
}

static bool is_choice(const char *const *choices, const char *s)
{
	for (size_t i = 0; choices[i] != NULL; i++)
		if (strcmp(choices[i], s) == 0)
			return true;
	return false;
}

/* Text of one of the types that JSON holds as a string. */
static bool text_fits(const struct value_type *t, const char *s, size_t n)
{
	struct uuid u;
	struct date d;
	usec_t when;
	switch ((enum shape_type)t->type) {
	case SHAPE_STRING:
		return (double)n >= t->min && (double)n <= t->max;
	case SHAPE_UUID:
		return uuid_parse(s, &u) == 0;
	case SHAPE_TIME:
		return time_parse(s, &when) == 0;
	case SHAPE_DATE:
		return date_parse(s, &d) == 0;
	case SHAPE_CODE:
		return code_wellformed(s);
	case SHAPE_ENUM:
		return is_choice(t->choices, s);
	case SHAPE_COUNT:
		return strcmp(s, "unknown") == 0 || strcmp(s, "not_collected") == 0 ||
		       strcmp(s, "withheld") == 0;
	default:
		return false;
	}
}

/* Whether a number fits; *ret_other is what to put in its place, NULL to leave it. */
static int number_fits(const struct value_type *t, const json_t *v, bool *ret_fits,
		       json_t **ret_other)
{
	double x = json_number_value(v);
	*ret_other = NULL;
	*ret_fits = x >= t->min && x <= t->max;
	if (!*ret_fits)
		return 0;
	if (t->type == SHAPE_REAL) {
		if (json_is_real(v))
			return 0;
		*ret_other = json_real(x);
	} else {
		if (json_is_integer(v))
			return 0;
		*ret_fits = x == floor(x);
		if (!*ret_fits)
			return 0;
		*ret_other = json_integer((json_int_t)x);
	}
	return *ret_other == NULL ? -ENOMEM : 0;
}

static int check_object(const struct shape *s, json_t *v, const struct at *at, struct diag *d);

/* One value, not null; *ret_other as above. */
static int check_value(const struct value_type *t, json_t *v, const struct at *at,
		       json_t **ret_other, struct diag *d)
{
	bool fits = false;
	*ret_other = NULL;
	if (t->type == SHAPE_SHAPE && json_is_object(v))
		return check_object(t->shape, v, at, d);
	if (t->type == SHAPE_OBJECT) {
		fits = json_is_object(v);
	} else if (t->type == SHAPE_BOOL) {
		fits = json_is_boolean(v);
	} else if (json_is_string(v)) {
		fits = text_fits(t, json_string_value(v), json_string_length(v));
	} else if (json_is_number(v) &&
		   (t->type == SHAPE_INT || t->type == SHAPE_REAL || t->type == SHAPE_COUNT)) {
		int err = number_fits(t, v, &fits, ret_other);
		if (err < 0)
			return diag_set(d, err, "no memory");
	}
	return fits ? 0 : refuse_value(t, at, d);
}

static int check_array(const struct shape_field *f, json_t *v, const struct at *at, struct diag *d)
{
	char text[DIAG_TEXT_MAX], what[CHOICES_TEXT + 60];
	if (!json_is_array(v) || json_array_size(v) < f->array_min ||
	    json_array_size(v) > f->array_max) {
		describe(&f->value, what, sizeof(what));
		(void)snprintf(text, sizeof(text), "expected a list of %u to %u elements, each %s",
			       f->array_min, f->array_max, what);
		return refuse(at, d, text);
	}
	for (size_t i = 0; i < json_array_size(v); i++) {
		struct at here = {.above = at, .index = i};
		json_t *other;
		int err = check_value(&f->value, json_array_get(v, i), &here, &other, d);
		if (err < 0)
			return err;
		if (other != NULL && json_array_set_new(v, i, other) != 0)
			return diag_set(d, -ENOMEM, "no memory");
	}
	return 0;
}

static const struct shape_field *field_of(const struct shape *s, const char *name)
{
	for (size_t i = 0; i < s->nfields; i++)
		if (strcmp(s->fields[i].name, name) == 0)
			return &s->fields[i];
	return NULL;
}

/* The member ${name} of ${object}: its array, or its one value. */
static int check_member(const struct shape_field *f, json_t *object, json_t *v, const struct at *at,
			struct diag *d)
{
	if (f->array)
		return check_array(f, v, at, d);
	json_t *other;
	int err = check_value(&f->value, v, at, &other, d);
	if (err == 0 && other != NULL && json_object_set_new_nocheck(object, f->name, other) != 0)
		return diag_set(d, -ENOMEM, "no memory");
	return err;
}

static int check_object(const struct shape *s, json_t *v, const struct at *at, struct diag *d)
{
	const char *name;
	json_t *member;
	void *next;
	json_object_foreach_safe(v, next, name, member)
	{
		struct at here = {.above = at, .name = name};
		const struct shape_field *f = field_of(s, name);
		if (f == NULL)
			return refuse(&here, d, "there is no such field here");
		if (json_is_null(member) && !f->required) {
			(void)json_object_del(v, name);
			continue;
		}
		int err = check_member(f, v, member, &here, d);
		if (err < 0)
			return err;
	}
	for (size_t i = 0; i < s->nfields; i++) {
		struct at here = {.above = at, .name = s->fields[i].name};
		if (s->fields[i].required && json_object_get(v, s->fields[i].name) == NULL)
			return refuse(&here, d, "this field is required");
	}
	return 0;
}

int shape_check(const struct shape *s, json_t *v, struct diag *reterr)
{
	const struct at top = {.name = ""};
	struct value_type whole = {.type = SHAPE_SHAPE, .shape = s};
	json_t *other;
	return check_value(&whole, v, &top, &other, reterr);
}

/* Plain decimals: no blanks, no plus, no hexadecimal, no infinity. */
static bool decimal_fits(const struct value_type *t, const char *s)
{
	size_t digits = s[0] == '-' ? 1 : 0, n = strlen(s);
	size_t whole = strspn(s + digits, "0123456789");
	size_t rest = digits + whole;
	if (whole == 0 || n > 40)
		return false;
	if (t->type == SHAPE_REAL && s[rest] == '.') {
		size_t part = strspn(s + rest + 1, "0123456789");
		rest += part > 0 ? part + 1 : 0;
	}
	double x = strtod(s, NULL);
	return rest == n && x >= t->min && x <= t->max;
}

int value_check_text(const struct value_type *t, const char *name, const char *text,
		     struct diag *reterr)
{
	const struct at at = {.name = name};
	bool fits = t->type == SHAPE_INT || t->type == SHAPE_REAL ? decimal_fits(t, text)
		    : t->type == SHAPE_BOOL
			    ? strcmp(text, "true") == 0 || strcmp(text, "false") == 0
			    : text_fits(t, text, strlen(text));
	return fits ? 0 : refuse_value(t, &at, reterr);
}
