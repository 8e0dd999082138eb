/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The second factor of an account in the store: its secret sealed under the
 * house's data key and bound to its row, the last step that served, and the
 * recovery codes as keyed hashes.  In the caller's transaction.
 */
#ifndef FW_NODE_ACCESS_FACTOR_H
#define FW_NODE_ACCESS_FACTOR_H

#include <stdint.h>

#include "base/time.h"
#include "base/uuid.h"
#include "node/access/totp.h"

struct diag;
struct store;

/* Begin a new one, in place of one that waits for its confirmation; the confirmed one stays. */
int factor_begin(struct store *db, const uint8_t key[32], const struct uuid *account, usec_t now,
		 uint8_t ret_secret[TOTP_SECRET], struct diag *reterr);
/* Confirm it with a code: it takes the old one's place. FW_EAUTH wrong code, FW_ENOTFOUND none
 * waits. */
int factor_confirm(struct store *db, const uint8_t key[32], const struct uuid *account,
		   const char *code, usec_t now, struct diag *reterr);
/* New recovery codes, which end the old ones. */
int factor_make_recovery(struct store *db, const uint8_t key[32], const struct uuid *account,
			 char ret[RECOVERY_CODES][RECOVERY_TEXT + 1], struct diag *reterr);
/* 0, or FW_EAUTH. Each code serves once. */
int factor_use_code(struct store *db, const uint8_t key[32], const struct uuid *account,
		    const char *code, usec_t now, struct diag *reterr);
int factor_use_recovery(struct store *db, const uint8_t key[32], const struct uuid *account,
			const char *code, struct diag *reterr);

#endif
