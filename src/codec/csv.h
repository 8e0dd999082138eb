/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Tables in text: RFC 4180 and what real files do.
 *
 * Reading.  Bytes (UTF-8, see text/charset.h) are fed in chunks of any size;
 * rows come out as they become whole, their fields pointing into the reader's
 * own buffer.  No memory is taken per row or field.  A row of fields:
 *
 *   row       = field *( SEP field ) ( CRLF / LF / CR / end )
 *   field     = plain / quoted
 *   quoted    = QUOTE *( any / QUOTE QUOTE ) QUOTE *plain-rest
 *
 * Beyond the RFC: SEP is the comma, semicolon, tab or bar that the first line
 * shows (or "sep=;" in a line of its own, as spreadsheets write); lines may
 * end in any of three ways, mixed too; the last needs no end; an empty line is
 * no row (but counts); a quote inside an unquoted field is a character; text
 * after a closing quote is kept as it is.  What a field never is: cut, trimmed
 * or dropped.  NULs pass through; the caller must look (CSV_NUL).
 *
 * How it is fast: 64 bytes at a time become a bit mask of the bytes that
 * matter (separator, quote, CR, LF, NUL); the parser steps from bit to bit.
 * Quoted fields are unescaped in place, since they only get shorter.
 *
 * A quote that is never closed swallows rows until a limit; the error then
 * names the line on which it was opened.
 */
#ifndef FW_CODEC_CSV_H
#define FW_CODEC_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct diag;

struct csv_limits {
	size_t row;    /* bytes of a row, its quotes included */
	size_t fields; /* of a row */
};
enum { CSV_ROW_MAX = 1 << 20, CSV_FIELDS_MAX = 1000 };

struct csv_field {
	const char *p; /* no NUL after it; never NULL */
	size_t n;
	bool quoted;
};

enum csv_oddity {
	CSV_NUL = 1,         /* the row holds a NUL */
	CSV_STRAY_QUOTE = 2, /* a quote where none belongs; it was kept */
	CSV_OPEN_QUOTE = 4,  /* the file ended inside quotes */
};

struct csv_row {
	const struct csv_field *field; /* valid until the next call */
	size_t n;
	uint64_t row;  /* from 1, empty lines included: what a spreadsheet shows */
	uint64_t line; /* from 1: the line of the file on which the row begins */
	unsigned odd;  /* bits of enum csv_oddity */
};

struct csv;
/* ${sep} 0: by what the first line shows. Memory: grows to the longest row plus a chunk, never above limits. */
int csv_new(char sep, const struct csv_limits *limits, struct csv **ret);
void csv_free(struct csv *c); /* NULL allowed */
/* More bytes; ${last} with the final ones. Call when csv_next() gave 0. -ENOMEM; FW_ELIMIT for a chunk above 16 MiB. */
int csv_feed(struct csv *c, const void *p, size_t n, bool last);
/*
 * 1 with the next row; 0 when more bytes are needed (or, after the last, at
 * the end); FW_ELIMIT with place "line L, row R, column C" for a row too long
 * or with too many fields, after which the reader is done.
 */
int csv_next(struct csv *c, struct csv_row *ret, struct diag *reterr);
/* The separator in use; 0 before the first line was seen. */
char csv_separator(const struct csv *c);

/*
 * Writing.  A field is quoted when it must be.  ${guard}: text that a
 * spreadsheet would run as a formula (it begins, after blanks, with = + - @,
 * a tab or CR, or the wide forms of these) gets an apostrophe before it; a
 * plain number does not, "-5" is no formula.
 */
void csv_put(struct buf *out, const char *p, size_t n, char sep, bool guard);
void csv_puts(struct buf *out, const char *s, char sep, bool guard); /* NULL: the empty field */
/* Whether csv_put() would guard it. */
bool csv_is_formula(const char *p, size_t n);

#endif
