/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Sessions: who is logged in, and how far.
 *
 *   log-in ──> second_factor ──> change_password ──> enrol ──> open
 *
 * Each arrow skips what is not owed: session_state_of() says what is owed next
 * from four facts and nothing else decides it.  A session that is not open
 * reaches only the routes whose permission is "session", and each of those
 * looks at the state again.
 *
 * The token is 32 random bytes that only the client has; the store keeps its
 * SHA-256.  A token is changed whenever the session rises to another state,
 * so that one planted or overheard before log-in is worth nothing after it.
 */
#ifndef FW_NODE_ACCESS_SESSION_H
#define FW_NODE_ACCESS_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "base/uuid.h"

struct arena;
struct buf;
struct diag;
struct store;

/* Numbers stand in the store: permanent. */
enum session_state {
	SESSION_OPEN = 0,
	SESSION_SECOND_FACTOR = 1,
	SESSION_ENROL = 2,
	SESSION_CHANGE_PASSWORD = 3,
};

/* "open", "second_factor", "enrol", "change_password"; "?" for no state. */
const char *session_state_name(int state);

struct session_facts {
	bool has_factor;       /* the account has a confirmed second factor */
	bool gave_factor;      /* this session gave it */
	bool fresh;            /* the password was given out by somebody else */
	bool must_have_factor; /* policy */
};
int session_state_of(const struct session_facts *f);

enum {
	SESSION_TOKEN = 32,
	SESSION_TOKEN_TEXT = 43, /* base64url without padding */
	SESSION_ADDRESS_MAX = 64,
	SESSION_AGENT_MAX = 200,
	SESSION_TICKET_SECONDS = 30, /* a ticket is worth no longer, whatever the session */
	SESSION_TOUCH_SECONDS = 60,  /* "last used" is written at most this often */
};

/* A row of the store. Strings are in the arena given to session_get(). */
struct session {
	struct uuid id, account;
	int state; /* enum session_state */
	bool gave_factor;
	usec_t started;
	usec_t proved; /* when a password or a code was last given */
	usec_t last;   /* last used, to the minute */
	usec_t ends;   /* whatever happens */
	const char *address, *agent;
};

/* A new token: text for the client, SHA-256 for the store. */
void session_token(char ret_text[SESSION_TOKEN_TEXT + 1], uint8_t ret_hash[SESSION_TOKEN]);

/*
 * Writes ${s} (id, account, state, gave_factor, address, agent are read) with
 * times from ${now}; beyond ${most} sessions the account's least used end.
 */
int session_insert(struct store *db, struct session *s, const uint8_t token_hash[SESSION_TOKEN],
		   usec_t now, int64_t hours, int64_t most, struct diag *reterr);
/* The session if it has not run out at ${now}: FW_ENOTFOUND otherwise. */
int session_get(struct store *db, const struct uuid *id, usec_t now, int64_t idle_minutes,
		struct arena *a, struct session *ret, struct diag *reterr);
/* The same by the hash of its token. */
int session_find(struct store *db, const uint8_t token_hash[SESSION_TOKEN], usec_t now,
		 int64_t idle_minutes, struct arena *a, struct session *ret, struct diag *reterr);
/* Those of an account that have not run out, newest first. */
int session_list(struct store *db, const struct uuid *account, usec_t now, int64_t idle_minutes,
		 struct arena *a, struct session *ret, size_t max, size_t *ret_n,
		 struct diag *reterr);
/* Writes state, gave_factor and proved, and a new token; the old one is worth nothing from the
 * commit on. */
int session_raise(struct store *db, const struct session *s,
		  const uint8_t token_hash[SESSION_TOKEN], struct diag *reterr);
/* The same without a new token. */
int session_set_state(struct store *db, const struct session *s, struct diag *reterr);
int session_touch(struct store *db, const struct uuid *id, usec_t now, struct diag *reterr);
/* *ret_n: 1, or 0 if the account has no such session. */
int session_end(struct store *db, const struct uuid *id, const struct uuid *account, int64_t *ret_n,
		struct diag *reterr);
/* All of an account but ${keep} (NULL: all). */
int session_end_all(struct store *db, const struct uuid *account, const struct uuid *keep,
		    struct diag *reterr);
/* Those that ran out: for the house's task. */
int session_purge(struct store *db, usec_t now, int64_t idle_minutes, struct diag *reterr);

#endif
