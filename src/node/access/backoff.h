/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * How guessing is slowed down without locking anybody out.
 *
 * Failures are counted under three keys, each a keyed hash (no name and no
 * address is stored):
 *
 *   pair      this account name from this address
 *   address   this address, whatever the account
 *   account   this account name, whatever the address; an address counts here
 *             for its free tries only, so that one attacker cannot
 *             slow the account down for everybody: it takes many addresses
 *
 * Beyond some free tries each failure makes the next try wait longer, up to a
 * limit.  The wait is the longest of the three; an address from which the
 * account got in during the last 90 days waits for its own pair alone.  So a
 * user at the usual place gets in whatever happens elsewhere, a user at a new
 * place gets in unless many addresses attack this very account, and nobody
 * waits for ever: a day without a failure forgives.
 *
 * A try that comes during a wait is refused without computing anything, and
 * counts for nothing.  Names that do not exist are counted like others.
 *
 *   key       free          first wait   doubles every   at most
 *   pair      free          1 s          failure         most
 *   address    6 x free     1 s          5 failures      most / 3
 *   account   10 x free     1 s          10 failures     most / 15
 *
 * with free and most from the settings session.free_attempts (5) and
 * session.wait_max_seconds (900).
 *
 * IPv6 addresses count by their first 64 bits, since one subscriber has all
 * of the rest.
 */
#ifndef FW_NODE_ACCESS_BACKOFF_H
#define FW_NODE_ACCESS_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

struct diag;
struct store;

enum { BACKOFF_KEY = 16, BACKOFF_KNOWN_DAYS = 90 };

struct backoff_rules {
	int64_t free; /* tries */
	usec_t most;
};

enum backoff_of { BACKOFF_PAIR, BACKOFF_ADDRESS, BACKOFF_ACCOUNT, BACKOFF_KEYS };

/* What is tried. Passwords and second factors are counted apart. */
enum backoff_kind { BACKOFF_PASSWORD = 1, BACKOFF_FACTOR = 2 };

struct backoff {
	struct backoff_rules rules;
	uint8_t key[BACKOFF_KEYS][BACKOFF_KEY];
};

/* ${master}: the vault's data key. NULL address: "". */
void backoff_init(struct backoff *b, const struct backoff_rules *rules, const uint8_t master[32],
		  enum backoff_kind kind, const char *login, const char *address);
/* The pure rule: how long after its last failure a key with ${failures} must wait. */
usec_t backoff_wait(const struct backoff_rules *rules, enum backoff_of of, int64_t failures);
/* *ret_wait: microseconds still to wait, 0 for none. */
int backoff_look(struct store *db, const struct backoff *b, usec_t now, usec_t *ret_wait,
		 struct diag *reterr);
/* Count a failure. */
int backoff_failed(struct store *db, const struct backoff *b, usec_t now, struct diag *reterr);
/* It went well: the pair starts anew and is known. */
int backoff_passed(struct store *db, const struct backoff *b, usec_t now, struct diag *reterr);
/* Forget what is forgiven. */
int backoff_purge(struct store *db, usec_t now, struct diag *reterr);

#endif
