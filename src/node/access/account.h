/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Accounts and what the house knows of them: credential, second factor,
 * holds (house.h), consents to a reset.  Every function works in the caller's
 * transaction and checks no permission.
 */
#ifndef FW_NODE_ACCESS_ACCOUNT_H
#define FW_NODE_ACCESS_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "base/uuid.h"

struct arena;
struct diag;
struct store;

/* Strings are in the arena given. */
struct account {
	struct uuid id, agency;
	const char *login, *display, *agency_name;
	const char *hash; /* of the password */
	bool locked;
	bool fresh;      /* the password was made by the house and handed over by somebody */
	bool has_factor; /* a confirmed second factor */
	usec_t made;
};

/* FW_ENOTFOUND. */
int account_get(struct store *db, const struct uuid *id, struct arena *a, struct account *ret,
		struct diag *reterr);
int account_find(struct store *db, const char *login, struct arena *a, struct account *ret,
		 struct diag *reterr);
/* Small letters, digits, dot, hyphen; begins with a letter; 2 to 64 of them. */
bool account_login_valid(const char *login);
/* FW_EEXISTS for a login name in use. ${acc}: id, agency, login, display, hash, fresh are read. */
int account_insert(struct store *db, const struct account *acc, usec_t now, struct diag *reterr);
/*
 * A new password made by the house; second factor, recovery codes, sessions
 * and consents are gone.
 */
int account_reset(struct store *db, const struct uuid *id, const char *hash, usec_t now,
		  struct diag *reterr);

/* Vaults in which the account holds a role, bits 1 << enum vault. */
int hold_of(struct store *db, const struct uuid *account, uint32_t *ret, struct diag *reterr);
/*
 * ${strong}: a role that must have a second factor under the policy
 * "custodians".  *ret_changed: whether the mark was not there.  FW_ENOTFOUND
 * if there is no such account.
 */
int hold_mark(struct store *db, const struct uuid *account, int vault, bool strong, usec_t now,
	      bool *ret_changed, struct diag *reterr);
int hold_unmark(struct store *db, const struct uuid *account, int vault, bool *ret_changed,
		struct diag *reterr);
/* Whether the account holds a strong role in any vault. */
int hold_is_strong(struct store *db, const struct uuid *account, bool *ret, struct diag *reterr);
/* Accounts marked for ${vault}, after ${after}, in order. */
int hold_page(struct store *db, int vault, const struct uuid *after, struct uuid *ret, size_t max,
	      size_t *ret_n, struct diag *reterr);

enum { CONSENT_DAYS = 7 };
/* The custodians of ${vault} agree (again) to a reset. ${second} nil for one person. */
int consent_put(struct store *db, const struct uuid *account, int vault, const struct uuid *by,
		const struct uuid *second, usec_t now, struct diag *reterr);
/* Vaults whose custodians agreed, bits 1 << enum vault. */
int consent_of(struct store *db, const struct uuid *account, usec_t now, uint32_t *ret,
	       struct diag *reterr);

#endif
