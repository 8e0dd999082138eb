/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * JSON (RFC 8259) read straight down, without a tree: for files of millions
 * of objects.  The caller walks the text with what it expects:
 *
 *   jp_object(&j);
 *   while (jp_member(&j, &name, &n))
 *           if (is "id") jp_string(&j, &s, &n); else jp_skip(&j);
 *
 * Errors stick: after one, every call gives nothing and loops end; check
 * jp_error() once, jp_at() says where.  The text is the caller's, must be
 * UTF-8 (text/charset.h made it so) and is written to: strings are unescaped
 * in place, so they stay valid as long as the text and hold no NUL.
 */
#ifndef FW_CODEC_JSON_PULL_H
#define FW_CODEC_JSON_PULL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JP_DEPTH = 32 };

enum jp_kind { JP_END, JP_OBJECT, JP_ARRAY, JP_STRING, JP_NUMBER, JP_TRUE, JP_FALSE, JP_NULL };

struct jp {
	char *p, *end, *start;
	const char *what;  /* what was expected, in words; static */
	int error;         /* 0, FW_EFORMAT, FW_ELIMIT */
	uint32_t depth;    /* open objects and arrays */
	uint32_t filled;   /* bit d: level d has a member already */
};

void jp_init(struct jp *j, char *text, size_t n);
static inline int jp_error(const struct jp *j) { return j->error; }
/* Offset of the place that is being read, of the fault after one. */
static inline size_t jp_at(const struct jp *j) { return (size_t)(j->p - j->start); }
/* Set an error from outside: a value that reads well but makes no sense. The first stays. */
void jp_fail(struct jp *j, int error, const char *what);

/* What comes next; moves over blanks only. */
enum jp_kind jp_peek(struct jp *j);
void jp_object(struct jp *j);
/* The next member's name, or false at the end of the object (which is then left) or after an error. */
bool jp_member(struct jp *j, const char **ret_name, size_t *ret_n);
void jp_array(struct jp *j);
bool jp_element(struct jp *j);
/* *ret_n is 0 after an error. */
void jp_string(struct jp *j, const char **ret, size_t *ret_n);
/* The text of a number as it stands. */
void jp_number(struct jp *j, const char **ret, size_t *ret_n);
/* A whole number: no fraction, no exponent, within 64 bits. 0 after an error. */
int64_t jp_i64(struct jp *j);
bool jp_bool(struct jp *j);
/* true and moves over it if null stands there. */
bool jp_null(struct jp *j);
/* Over the next value, whatever it is. */
void jp_skip(struct jp *j);
/* 0 if nothing but blanks is left and nothing went wrong. */
int jp_end(struct jp *j);

#endif
