/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Who asks, as far as the front knows: a token from the cookie or the
 * Authorization header, its hash, and the ticket that the house made for it.
 *
 * The cache keeps tickets for a few seconds, so that a page with twenty
 * requests costs the house one question; TICKETS_VOID empties it at once.
 * What is kept is worth nothing to who has not the token: tickets only go on
 * to workers, and answers only to who sent the token.
 */
#ifndef FW_NODE_FRONT_SESSION_H
#define FW_NODE_FRONT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "node/process/wire.h"

struct arena;

#define SESSION_COOKIE "fairway_session"
enum { TOKEN_TEXT = 43 }; /* 32 bytes in base64url without padding */

/* SHA-256 of the token that ${text} spells; false for what is no token. */
bool session_hash(const char *text, uint8_t ret[WIRE_TOKEN]);

/*
 * The token of a request: from "Authorization: Bearer TOKEN" (*ret_bearer) or
 * the cookie.  1 with the hash, 0 without a token, FW_EFORMAT for one that is
 * malformed or for both at once.
 */
int session_of(const char *authorization, const char *cookie, uint8_t ret[WIRE_TOKEN],
	       bool *ret_bearer);

/*
 * What a browser says of where a request comes from.  NULL if it may go on,
 * else words.  ${changes}: not a mere reading.
 *
 *   Sec-Fetch-Site  same-origin, or none (typed, a bookmark) for readings;
 *                   "same-site" is another origin and counts as foreign
 *   Origin          must name the Host
 *
 * Programs send neither and pass: what protects against other sites is that
 * browsers send them.
 */
const char *session_origin(const char *origin, const char *fetch_site, const char *host,
			   bool changes);

/* Whether X-Fairway-CSRF is the token of this session; constant time. */
bool session_csrf(const char *header, const uint8_t token_hash[WIRE_TOKEN]);

enum { TICKETS_MAX = 1024, TICKETS_SET = 8 };
#define TICKET_KEEP      (3 * USEC_PER_SEC)
#define TICKET_KEEP_NONE (1 * USEC_PER_SEC)

struct kept_ticket {
	uint8_t hash[WIRE_TOKEN];
	usec_t until; /* 0: free */
	uint16_t len; /* 0: there is no such session */
	uint8_t bytes[WIRE_TICKET_MAX];
};

struct tickets {
	struct kept_ticket *rows; /* owned */
};

int tickets_init(struct tickets *t);
void tickets_release(struct tickets *t);
/* NULL when it must be asked for. Valid until the next tickets_keep. */
const struct kept_ticket *tickets_find(const struct tickets *t, const uint8_t hash[WIRE_TOKEN],
				       usec_t now);
/* ${n} 0: the house knows no such session. */
void tickets_keep(struct tickets *t, const uint8_t hash[WIRE_TOKEN], const uint8_t *ticket,
		  size_t n, usec_t now);
void tickets_void(struct tickets *t);

#endif
