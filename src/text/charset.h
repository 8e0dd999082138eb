/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Character sets of files that people hand in, turned into UTF-8 as the bytes
 * stream by.
 *
 * Recognised: UTF-8 with and without byte-order mark, UTF-16 little and big
 * endian with and without one, Windows-1252 (what older spreadsheets write).
 * There is no certainty without a mark, so the decision waits as long as it can:
 *
 *   a mark                       decides at once and is dropped
 *   a NUL beside a letter        in the first bytes: UTF-16 of that order
 *   the first byte above 0x7f    UTF-8 if it begins a well-formed character,
 *                                else Windows-1252
 *
 * A file that turns out malformed later keeps going: each bad byte becomes
 * U+FFFD and is counted, with the offset of the first, so that one bad byte
 * costs a doubt in one row and not the file.  The five bytes that
 * Windows-1252 leaves undefined become U+FFFD too.
 */
#ifndef FW_TEXT_CHARSET_H
#define FW_TEXT_CHARSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum charset {
	CHARSET_UNDECIDED, /* only ASCII so far */
	CHARSET_UTF8,
	CHARSET_UTF16LE,
	CHARSET_UTF16BE,
	CHARSET_WINDOWS_1252,
};
/* "UTF-8", "UTF-16LE", ...; "ASCII" while undecided. Static. */
const char *charset_name(enum charset c);

/* A stream being converted. Start from charset_start(); embeds no memory. */
struct charset_in {
	enum charset kind;
	bool begun;         /* the first bytes were looked at */
	uint8_t held[4];    /* bytes of a character that a chunk cut */
	uint8_t nheld;
	uint64_t offset;    /* bytes of input taken */
	uint64_t bad;       /* characters replaced by U+FFFD */
	uint64_t first_bad; /* offset of the first of them */
};
void charset_start(struct charset_in *c);

/*
 * Convert ${n} bytes; ${last} with the final ones (n may be 0).  *ret_p, *ret_n
 * are valid UTF-8: the input itself where nothing needed to change, else the
 * contents of ${scratch}, which is cleared at each call and needs room for
 * 3 * n + 16 bytes.  0, or the scratch buffer's error.
 */
int charset_next(struct charset_in *c, const uint8_t *p, size_t n, bool last, struct buf *scratch,
		 const uint8_t **ret_p, size_t *ret_n);

#endif
