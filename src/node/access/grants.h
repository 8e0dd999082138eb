/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Roles in one vault, in its own store: the rules, without requests.
 *
 * An account gets a role from custodians of the vault and from nobody else:
 * one, or in protection two different ones.  Nobody gives one to himself.
 * A role can be taken away at once by one custodian, but never so that fewer
 * custodians are left than a grant needs.
 *
 * Every function works in the caller's write transaction and answers with
 * 0, FW_EDENIED, FW_ECONFLICT, FW_EEXISTS, FW_ENOTFOUND, FW_EINVALID and words.
 */
#ifndef FW_NODE_ACCESS_GRANTS_H
#define FW_NODE_ACCESS_GRANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "base/uuid.h"
#include "node/access/house.h"

struct arena;
struct diag;
struct role_row;
struct store;
struct worker;

enum {
	ACT_DAYS = 14,         /* after which an act that nobody agreed to is gone */
	ACTS_MAX = 1000,       /* waiting ones */
	CUSTODIANS_MAX = 1000, /* looked at */
};

/* How many custodians stand behind a grant or a reset in ${vault}: 2 in protection, else 1. */
unsigned custodians_needed(int vault);
/* Row of the vault's role of this name; NULL if it has none. */
const struct role_row *grants_role(int vault, const char *name);
/* Whether the role may grant others. */
bool grants_is_custody(const struct role_row *role);

/* Whether it needs a second factor under the policy "custodians": custody, the house, protection.
 */
bool grants_is_strong(const struct role_row *role);

/* Bits of the permissions that ${account} holds, from its grants. */
int grants_read_permissions(struct store *db, int vault, const struct uuid *account, uint64_t *ret,
			    struct diag *reterr);
/* Whether the account holds any role, and a strong one; and whether it is a custodian. */
int grants_holds(struct store *db, int vault, const struct uuid *account, bool *ret,
		 bool *ret_strong, struct diag *reterr);
int grants_is_custodian(struct store *db, int vault, const struct uuid *account, bool *ret,
			struct diag *reterr);

struct grant {
	struct uuid id, account, by, second; /* second: nil where one is enough */
	char login[ACCESS_LOGIN_MAX + 1];
	const struct role_row *role;
};
/*
 * Checks and writes a grant; grant->id is set.  The caller has marked the hold
 * in the house before.
 */
int grants_give(struct store *db, int vault, struct grant *g, usec_t now, struct diag *reterr);
/* Ends one; the account is queued to be unmarked. *ret says whose and which it was. */
int grants_end_one(struct store *db, int vault, const struct uuid *id, struct grant *ret,
		   struct diag *reterr);

enum act_kind { ACT_GRANT, ACT_RESET };
struct act {
	struct uuid id, account, by;
	char login[ACCESS_LOGIN_MAX + 1];
	enum act_kind kind;
	const struct role_row *role; /* of ACT_GRANT */
	usec_t at;
};
const char *act_kind_name(enum act_kind k);
/* Writes an act that waits for a second custodian; act->id is set. */
int act_ask(struct store *db, int vault, struct act *act, usec_t now, struct diag *reterr);
int act_get(struct store *db, int vault, const struct uuid *id, usec_t now, struct act *ret,
	    struct diag *reterr);
/* Whether ${who} may agree: another custodian than who asked, not the one concerned, and who asked
 * is one still. */
int act_may_agree(struct store *db, int vault, const struct act *act, const struct uuid *who,
		  struct diag *reterr);
int act_delete(struct store *db, const struct uuid *id, struct diag *reterr);
int act_purge(struct store *db, usec_t now, struct diag *reterr);

#endif
