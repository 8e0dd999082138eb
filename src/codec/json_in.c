/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "codec/json.h"

#include <errno.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * jansson allows 2048 levels and any number of values.  One pass over the
 * bytes before it counts what it would build: levels by brackets outside
 * strings, values by commas, brackets and colons.  The count is an upper
 * bound for text that is JSON; for other text it does not matter.
 */
static int count_limits(const char *s, size_t n)
{
	size_t depth = 0, values = 1;
	bool quoted = false;
	for (size_t i = 0; i < n; i++) {
		char c = s[i];
		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
			continue;
		}
		if (c == '"') {
			quoted = true;
		} else if (c == '[' || c == '{') {
			values++;
			if (++depth > JSON_DEPTH)
				return FW_ELIMIT;
		} else if (c == ']' || c == '}') {
			depth -= depth > 0;
		} else if (c == ',') {
			values++;
		}
	}
	return values > JSON_VALUES ? FW_ELIMIT : 0;
}

/*
 * jansson 2.14 drops a character of a string when its buffer cannot grow, and
 * goes on.  So whether memory ran out is asked here, not there.
 */
static _Thread_local bool starved;

static void *alloc_or_note(size_t n)
{
	void *p = mem_alloc(n);
	if (p == NULL)
		starved = true;
	return p;
}

int json_parse(const void *text, size_t n, json_t **ret, struct diag *reterr)
{
	if (count_limits(text, n) != 0)
		return diag_set(reterr, FW_ELIMIT,
				"JSON is nested more than %d deep or holds more than %d values", JSON_DEPTH,
				JSON_VALUES);
	json_set_alloc_funcs(alloc_or_note, mem_free); /* so that tests can make its allocations fail too */
	starved = false;
	json_error_t e;
	json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
	if (starved || (j == NULL && json_error_code(&e) == json_error_out_of_memory)) {
		json_decref(j);
		return diag_set(reterr, -ENOMEM, "no memory to read the JSON");
	}
	if (j != NULL) {
		*ret = j;
		return 0;
	}
	diag_place(reterr, "line %d, column %d", e.line, e.column);
	return diag_set(reterr, FW_EFORMAT, "not JSON: %s", e.text);
}
