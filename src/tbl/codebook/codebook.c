/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tbl/codebook/codebook.h"

#include <stdbool.h>
#include <string.h>

enum { NAME_MAX_BYTES = 200 };

/* FNV-1a, as tools/mkcodebooks.py has it. */
static uint32_t hash(const char *s, size_t n)
{
	uint32_t h = 2166136261U;
	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)s[i]) * 16777619U;
	return h;
}

int codebook_find(int book, const char *code, size_t n)
{
	const struct codebook *b = &codebooks[book];
	size_t mask = b->ncode_slots - 1;
	for (size_t at = hash(code, n) & mask;; at = (at + 1) & mask) {
		unsigned slot = b->code_slots[at];
		if (slot == 0)
			return -1;
		const struct codebook_value *v = &b->values[slot - 1];
		if (v->len == n && memcmp(v->code, code, n) == 0)
			return (int)slot - 1;
	}
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* As fold() of tools/mkcodebooks.py; the length, or SIZE_MAX if it does not fit. */
static size_t fold(const char *s, size_t n, char *out, size_t cap)
{
	size_t len = 0;
	bool gap = false;
	for (size_t i = 0; i < n; i++) {
		if (blank(s[i])) {
			gap = len > 0;
			continue;
		}
		if (len + 2 > cap)
			return SIZE_MAX;
		if (gap)
			out[len++] = ' ';
		gap = false;
		if (n - i >= 3 && memcmp(s + i, "\u2019", 3) == 0) {
			out[len++] = '\'';
			i += 2;
		} else {
			out[len++] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] + 32) : s[i];
		}
	}
	return len;
}

int codebook_match(int book, const char *label, size_t n)
{
	const struct codebook *b = &codebooks[book];
	char folded[NAME_MAX_BYTES + 2];
	size_t len = fold(label, n, folded, sizeof(folded)), mask = b->nname_slots - 1;
	if (len == 0 || len == SIZE_MAX)
		return -1;
	for (size_t at = hash(folded, len) & mask;; at = (at + 1) & mask) {
		unsigned slot = b->name_slots[at];
		if (slot == 0)
			return -1;
		const struct codebook_name *name = &b->names[slot - 1];
		if (name->len == len && memcmp(name->text, folded, len) == 0)
			return name->value;
	}
}

int codebook_by_name(const char *name)
{
	for (int i = 0; i < CB_COUNT; i++)
		if (strcmp(codebooks[i].name, name) == 0)
			return i;
	return -1;
}

const char *codebook_label(int book, int value, const char *lang)
{
	static const char *const tags[CODEBOOK_LANGS] = { "en", "ar", "th" };
	const struct codebook_value *v = &codebooks[book].values[value];
	for (int i = 0; i < CODEBOOK_LANGS; i++)
		if (strncmp(lang, tags[i], 2) == 0 && (lang[2] == '\0' || lang[2] == '-') && v->label[i] != NULL)
			return v->label[i];
	return v->label[CODEBOOK_EN];
}
