/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What the vaults and the front ask the house, outside the requests of
 * people: payloads of messages.tbl with one writer and one reader each.
 *
 *   TICKET_ASK  32 bytes: SHA-256 of a session token
 *   TICKET      u8 0 for none, or u8 1 and the sealed ticket
 *   HOLD_ASK    u8 what, u8 strong, uuid   mark or unmark an account, or list the marked ones after
 * a uuid HOLD        i32 code, u8 n, n uuids NAME_ASK    u8 0 and a uuid, or u8 1 and a login name
 *   NAME        i32 code, uuid, login name, u8 locked, u8 fresh
 *   RESET_ASK   u8 what, account, first custodian, second custodian (nil)
 *   RESET       i32 code, u32 vaults still missing, password
 *
 * The vault is never in the payload: the house takes it from the channel, so
 * that a worker broken into can speak for its own vault only.
 *
 * Holds.  The house must know in which vaults an account holds a role without
 * knowing which role: an administrator may reset only an account that holds
 * none.  A crash may come between the house's commit and the vault's, so the
 * mark is always the wider of the two:
 *
 *   grant    mark in the house (durable) → grant in the vault
 *   revoke   revoke in the vault, with a row in access_unhold → unmark in the house → row gone
 *   start    mark every account with a role; unmark every marked account without one
 */
#ifndef FW_NODE_ACCESS_HOUSE_H
#define FW_NODE_ACCESS_HOUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

struct arena;
struct buf;
struct cursor;

enum {
	ACCESS_LOGIN_MAX = 64,
	HOLD_PAGE = 10, /* accounts in one answer */
	ACCESS_GIVEN_PASSWORD =
		24, /* characters of a password made by the house, hyphens included */
};

/* TICKET. ${ticket} NULL for none. */
void wire_ticket_put(struct buf *b, const uint8_t *ticket, size_t n);
/* *ret is in the cursor's bytes; NULL when there is none. */
int wire_ticket_get(struct cursor *cur, const uint8_t **ret, size_t *ret_len);

enum hold_what { HOLD_MARK, HOLD_UNMARK, HOLD_LIST };
struct wire_hold_ask {
	uint8_t what; /* enum hold_what */
	bool strong;  /* of HOLD_MARK: holds a role that needs a second factor under the policy
			 "custodians" */
	struct uuid account; /* of HOLD_LIST: list those after it */
};
void wire_hold_ask_put(struct buf *b, const struct wire_hold_ask *h);
int wire_hold_ask_get(struct cursor *cur, struct wire_hold_ask *ret);

struct wire_hold {
	int32_t code; /* 0; FW_ENOTFOUND: no such account */
	uint8_t n;
	struct uuid accounts[HOLD_PAGE];
};
void wire_hold_put(struct buf *b, const struct wire_hold *h);
int wire_hold_get(struct cursor *cur, struct wire_hold *ret);

struct wire_name_ask {
	bool by_login;
	struct uuid account;
	char login[ACCESS_LOGIN_MAX + 1];
};
void wire_name_ask_put(struct buf *b, const struct wire_name_ask *n);
int wire_name_ask_get(struct cursor *cur, struct wire_name_ask *ret);

struct wire_name {
	int32_t code; /* 0; FW_ENOTFOUND */
	struct uuid account;
	char login[ACCESS_LOGIN_MAX + 1];
	bool locked;
	bool fresh; /* its owner has not yet set a password of his own */
};
void wire_name_put(struct buf *b, const struct wire_name *n);
int wire_name_get(struct cursor *cur, struct wire_name *ret);

enum reset_what {
	RESET_LOOK,  /* only say which vaults' custodians are still missing */
	RESET_AGREE, /* this vault's custodians agree */
};
struct wire_reset_ask {
	uint8_t what;                    /* enum reset_what */
	struct uuid account, by, second; /* second: nil where one custodian is enough */
};
void wire_reset_ask_put(struct buf *b, const struct wire_reset_ask *r);
int wire_reset_ask_get(struct cursor *cur, struct wire_reset_ask *ret);

struct wire_reset {
	/* 0: done, with the password, or only looked; FW_ECONFLICT: others must agree first;
	 * FW_EDENIED; FW_ENOTFOUND */
	int32_t code;
	uint32_t missing;                         /* bits 1 << enum vault */
	char password[ACCESS_GIVEN_PASSWORD + 1]; /* "" unless it was done */
};
void wire_reset_put(struct buf *b, const struct wire_reset *r);
int wire_reset_get(struct cursor *cur, struct wire_reset *ret);

#endif
