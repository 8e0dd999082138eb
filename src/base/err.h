/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Errors are values.
 *
 * A function that can fail returns int: 0, or one negative code.  Codes above
 * -1000 are negated errno values; the rest are ours and stand in err.def.
 * Words for people travel separately, in an optional last argument
 * `struct diag *`: a library layer fills it where the fault is first found
 * and never logs.  A caller that does not care passes NULL.
 *
 * Outputs named ret_* are written on success only.
 */
#ifndef FW_BASE_ERR_H
#define FW_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

/* Our own codes: ERR(name, number, words). Numbers are permanent. */
#define FW_ERRORS(ERR)                                                         \
	ERR(FW_ETRUNC, -1000, "input ends too early")                          \
	ERR(FW_ELIMIT, -1001, "a limit was reached")                           \
	ERR(FW_EFORMAT, -1002, "malformed input")                              \
	ERR(FW_ECHARSET, -1003, "bytes are not valid in this character set")   \
	ERR(FW_ERANGE, -1004, "value out of range")                            \
	ERR(FW_ENOTFOUND, -1005, "not found")                                  \
	ERR(FW_EEXISTS, -1006, "exists already")                               \
	ERR(FW_ECONFLICT, -1007, "conflicts with another change")              \
	ERR(FW_EDENIED, -1008, "not permitted")                                \
	ERR(FW_EAUTH, -1009, "not logged in")                                  \
	ERR(FW_ECRYPTO, -1010, "cryptographic check failed")                   \
	ERR(FW_ESTORE, -1011, "the store failed")                              \
	ERR(FW_ERETRY, -1012, "transaction must be run again")                 \
	ERR(FW_ECONSTRAINT, -1013, "a rule of the store forbids it")           \
	ERR(FW_EUNKNOWNOUTCOME, -1014, "connection lost; outcome unknown")     \
	ERR(FW_ENEWER, -1015, "written by a newer program")                    \
	ERR(FW_ETAMPERED, -1016, "the record does not verify")                 \
	ERR(FW_EPROTO, -1017, "a process broke the protocol")                  \
	ERR(FW_EGONE, -1018, "the other side is gone")                         \
	ERR(FW_EBUSY, -1019, "busy; try again later")                          \
	ERR(FW_EINVALID, -1020, "not acceptable")

enum fw_err {
#define FW_ERR_ENUM(name, number, words) name = (number),
	FW_ERRORS(FW_ERR_ENUM)
#undef FW_ERR_ENUM
};

#define FW_OK 0

/* Words for a code, errno ones included. Never NULL; static storage. */
const char *err_text(int code);

/* The symbolic name ("FW_ETRUNC", "ENOSPC", "?"). Static storage. */
const char *err_name(int code);

enum { DIAG_TEXT_MAX = 400, DIAG_PLACE_MAX = 160 };

/*
 * What happened, where, and what would cure it, in words.  Plain data; start
 * from DIAG_INIT.  The first fault wins: diag_set on a filled diag adds
 * nothing, so that a cause is not overwritten by its consequences.
 */
struct diag {
	int code;                   /* 0 while empty */
	char place[DIAG_PLACE_MAX]; /* file, row, column, field; "" if none */
	char text[DIAG_TEXT_MAX];   /* one sentence, what was expected */
};

#define DIAG_INIT ((struct diag){ 0 })

/*
 * Fill ${d} (NULL allowed) unless filled already, and return ${code}, so that
 * `return diag_set(d, FW_EFORMAT, "...")` reads as one statement.  Text that
 * does not fit is cut at a character boundary.
 */
__attribute__((format(printf, 3, 4))) int diag_set(struct diag *d, int code,
						   const char *fmt, ...);

/* Name the place, if none is named yet. Cannot fail. */
__attribute__((format(printf, 2, 3))) void diag_place(struct diag *d,
						      const char *fmt, ...);

void diag_clear(struct diag *d);

/* "place: text", or the words of the code when nothing was said. */
void diag_format(const struct diag *d, int code, char *out, size_t cap);

#endif
