/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Codebooks: the closed lists that reports are written in (data/codebooks,
 * docs/codebooks.md).  Inside the program a value is its index in its book,
 * outside (store, files, network) its code, which never changes its meaning.
 *
 * All is constant and lives as long as the process.
 */
#ifndef FW_TBL_CODEBOOK_H
#define FW_TBL_CODEBOOK_H

#include <stddef.h>
#include <stdint.h>

#include "gen/codebooks.h"

enum codebook_lang { CODEBOOK_EN, CODEBOOK_AR, CODEBOOK_TH, CODEBOOK_LANGS };

enum codebook_flag {
	CODEBOOK_MINOR = 1,     /* an age band below eighteen */
	CODEBOOK_PROTECTED = 2, /* a need or a status that makes a record personal */
};

struct codebook_value {
	const char *code;
	uint16_t len;   /* of the code */
	uint16_t flags; /* bits of enum codebook_flag */
	const char *label[CODEBOOK_LANGS]; /* NULL where there is none; English always */
	const char *parent; /* a broader code, "" for none; of another book where the book's words say so */
	const char *note;   /* definition, "" for none */
	const char *maps;   /* lines "scheme=value\n" */
};

struct codebook_name {
	const char *text; /* folded */
	uint16_t len;
	uint16_t value;
};

struct codebook {
	const char *name, *version, *words, *source;
	const struct codebook_value *values;
	size_t n;
	const struct codebook_name *names; /* labels and aliases */
	const uint16_t *code_slots;
	size_t ncode_slots;
	const uint16_t *name_slots;
	size_t nname_slots;
};

extern const struct codebook codebooks[CB_COUNT];

/* The index of a value by its code, -1 if there is none. Constant time. */
int codebook_find(int book, const char *code, size_t n);
/* By a label or an alias: blanks joined, ASCII letters in either case. -1 if there is none. */
int codebook_match(int book, const char *label, size_t n);
/* The book of this name, -1 if there is none. */
int codebook_by_name(const char *name);
/* The label in the language of the tag ("ar", "th-TH"), English where there is none. */
const char *codebook_label(int book, int value, const char *lang);
static inline const char *codebook_code(int book, int value) { return codebooks[book].values[value].code; }

#endif
