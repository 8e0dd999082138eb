/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The payloads of the messages (messages.tbl) as structs: one writer and one
 * reader for each, so that both ends agree by construction.  Writers append to
 * a buf (sticky error); readers take a cursor, check every length and every
 * value and give FW_EPROTO for what does not fit: the other process may have
 * been broken into.  Strings and byte ranges read are copied into the arena.
 */
#ifndef FW_NODE_WIRE_H
#define FW_NODE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"
#include "node/process/call.h"

struct arena;
struct buf;
struct cursor;

enum {
	WIRE_PARAMS = 4,
	WIRE_QUERIES = 16,
	WIRE_TICKET_MAX = 300,   /* bytes of a ticket with its code */
	WIRE_BODY_MAX = 1 << 20, /* a JSON body */
	WIRE_TOKEN = 32,         /* bytes of a session token and of its SHA-256 */
	WIRE_SETTINGS = 64,
};

struct wire_pair {
	const char *name, *value;
};

/* CALL: the front has matched the route and checked sizes, names of queries, the CSRF token, the form of the body. */
struct wire_call {
	uint16_t op;            /* enum op */
	bool upload;            /* CALL_CHUNKs follow, then CALL_END */
	const uint8_t *ticket;  /* as the house made it (ticket_seal); NULL on a public route */
	size_t ticket_len;
	const char *param[WIRE_PARAMS];
	size_t nparams;
	struct wire_pair query[WIRE_QUERIES];
	size_t nqueries;
	const uint8_t *body; /* JSON text; NULL without one */
	size_t body_len;
	const char *purpose, *lang, *address, *agent; /* as in struct call; NULL allowed */
	uint8_t token_hash[WIRE_TOKEN]; /* SHA-256 of the session token; zero without one. Only the house looks at it. */
};
void wire_call_put(struct buf *b, const struct wire_call *c);
int wire_call_get(struct cursor *cur, struct arena *a, struct wire_call *ret);

/* REPLY: head and first bytes. With ${more}, the front sends PULL when the client took them and gets REPLY_MORE. */
struct wire_reply {
	uint16_t status;
	bool more;
	const char *type;     /* content type; NULL for an empty body */
	const char *filename; /* NULL for none */
	const char *token;    /* house only: a new session token for the cookie; "" ends the cookie; NULL leaves it */
	const uint8_t *body;
	size_t body_len;
};
void wire_reply_put(struct buf *b, const struct wire_reply *r);
int wire_reply_get(struct cursor *cur, struct arena *a, struct wire_reply *ret);

/* REPLY_MORE: u8 state, then bytes. */
enum wire_more { WIRE_MORE = 0, WIRE_LAST = 1, WIRE_CUT = 2 /* failed midway: cut the connection */ };

/*
 * A ticket: who asks, with a BLAKE2b code under the ticket key, which the
 * house and the vaults have and the front has not.  So the front can pass on
 * tickets but not make one.
 */
void ticket_seal(const struct ticket *t, const uint8_t key[32], struct buf *out);
/* 0, FW_EAUTH for a wrong code or one that ran out. */
int ticket_open(const uint8_t *p, size_t n, const uint8_t key[32], struct arena *a, struct ticket *ret);

/* The CSRF token of a session: hex of BLAKE2b keyed with the token's hash. The house tells it, the front checks it. */
enum { CSRF_TEXT_LEN = 64 };
void csrf_of(const uint8_t token_hash[WIRE_TOKEN], char out[CSRF_TEXT_LEN + 1]);

/* BOOT: all a process learns of the node. Nothing secret. */
struct wire_boot {
	const char *node_name, *node_state, *origin; /* origin: "fairway.example/NODE-ID"; a vault's checkpoints append "/" and its own */
	bool exercise;
	const char *store_url;   /* of this process's vault; NULL if it has none */
	const char *folder;      /* the one folder it may write; NULL if none */
	const char *auditor_file; /* keeper only; NULL if none */
	int64_t test_clock;      /* microseconds added to the clock; 0 outside tests */
	struct wire_pair setting[WIRE_SETTINGS]; /* the settings of the sections this process may see, "section.key" */
	size_t nsettings;
};
void wire_boot_put(struct buf *b, const struct wire_boot *w);
int wire_boot_get(struct cursor *cur, struct arena *a, struct wire_boot *ret);
/* The value of "section.key", or NULL. */
const char *wire_boot_setting(const struct wire_boot *w, const char *name);

/* HOLD_ASK / HOLD, RESET_ASK / RESET, NAME_ASK / NAME: see node/access/house.h, which owns both ends. */

#endif
