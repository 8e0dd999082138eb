/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the files of the house's side share. */
#ifndef FW_NODE_ACCESS_HOUSE_INT_H
#define FW_NODE_ACCESS_HOUSE_INT_H

#include <stdbool.h>
#include <stdint.h>

#include "node/access/account.h"
#include "node/access/backoff.h"
#include "node/access/house.h"
#include "node/access/password.h"
#include "node/access/session.h"
#include "node/process/worker.h"

/* Who must have a second factor: setting session.factor. */
enum factor_policy { FACTOR_EVERYONE, FACTOR_CUSTODIANS, FACTOR_OPTIONAL };

/* Lives with the worker process. */
struct house {
	struct password_params argon;
	struct backoff_rules backoff;
	int64_t idle_minutes, session_hours, per_account;
	enum factor_policy factor;
	char dummy[PASSWORD_HASH]; /* what the password of a name that does not exist is compared
				      with */
};
struct house *house_of(struct worker *w);

/* A member of the body that is a string; "" if absent (the shape has checked what is required). */
const char *body_text(const struct call *c, const char *name);

/* The account and session of who asks, as they stand now; FW_EAUTH if the session is over. */
int house_who(struct call *c, struct account *acc, struct session *s, struct diag *reterr);
/* The state of a session from the facts of the account as given; sets s->state. */
int house_next_state(struct call *c, const struct account *acc, struct session *s,
		     struct diag *reterr);
/* The body of SessionState; ${token_hash} gives the CSRF token. */
int house_put_state(struct call *c, struct reply *r, const struct account *acc,
		    const struct session *s, const uint8_t token_hash[SESSION_TOKEN],
		    struct diag *reterr);
/* A new token for the session, to be sent with the reply; writes the session's state. */
int house_raise(struct call *c, struct reply *r, struct session *s, uint8_t ret_hash[SESSION_TOKEN],
		struct diag *reterr);

/* Says TICKETS_VOID to the front. */
void house_tickets_void(struct worker *w, void *unused);
/* The front forgets its tickets once this transaction is durable. */
int house_void_tickets(struct call *c);

/* An answer that must not be rolled back: what was counted and entered in the ledger stays. */
int house_problem(struct call *c, struct reply *r, int status, int code, const char *place,
		  const char *words);
/* Answers 429 when a wait stands. 0: go on; 1: answered; negative: error. */
int house_wait(struct call *c, struct reply *r, const struct backoff *b, usec_t now,
	       struct diag *reterr);

/* Ledger entry about one account. */
int house_note(struct call *c, int event, const struct uuid *account, const char *detail,
	       struct diag *reterr);

/* The house's answers to house.h's questions, from its own store. house_hold and house_reset write.
 */
int house_name(struct store *db, const struct wire_name_ask *ask, struct wire_name *ret,
	       struct diag *reterr);
int house_hold(struct worker *w, struct store *db, int vault, const struct wire_hold_ask *ask,
	       struct wire_hold *ret, struct diag *reterr);
int house_reset(struct worker *w, struct store *db, int vault, const struct wire_reset_ask *ask,
		struct wire_reset *ret, struct diag *reterr);

/* Handlers; house_calls[] in house.c names them. */
call_fn house_open_session, house_see_session, house_close_session, house_give_factor,
	house_list_sessions, house_revoke_session;
call_fn house_change_password, house_enrol_factor, house_confirm_factor;
call_fn house_list_agencies, house_make_agency, house_list_accounts, house_make_account,
	house_lock_account, house_unlock_account, house_reset_account;

#endif
