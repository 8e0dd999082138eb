/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Resetting the credential of an account that holds roles.
 *
 * Every vault in which it holds one must agree, through its custodians (two
 * in protection).  The house keeps each vault's consent for CONSENT_DAYS and
 * does the reset with the last one.  Whoever gives the last consent is handed
 * the new password and could use it before the account's owner does; so when
 * the account holds a role in protection, protection is the last: a password
 * that opens it is never handed to another vault's custodian.
 */
#include "node/access/house_int.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/ledger/ledger.h"
#include "store/store.h"

static int note(struct worker *w, struct store *db, int event, const struct wire_reset_ask *ask,
		int vault, struct diag *reterr)
{
	char detail[100];
	(void)snprintf(detail, sizeof(detail), "{\"vault\":\"%s\"}", vault_rows[vault].name);
	struct uuid subjects[] = {ask->account, ask->by, ask->second};
	struct ledger_note n = {
		.event = event,
		.account = ask->by,
		.subjects = subjects,
		.nsubjects = uuid_is_nil(&ask->second) ? 2 : 3,
		.detail = detail,
	};
	return worker_ledger_note(w, db, &n, reterr);
}

/* Argon2id in the loop itself: a custodian's reset is rare, and the house may wait a tenth of a
 * second for it. */
static int do_reset(struct worker *w, struct store *db, const struct uuid *account,
		    struct wire_reset *ret, struct diag *reterr)
{
	char hash[PASSWORD_HASH];
	password_given(ret->password);
	int e = password_hash(ret->password, house_of(w)->argon, hash);
	return e == 0 ? account_reset(db, account, hash, time_now(), reterr) : e;
}

/* Whether two different persons, neither of them the one concerned, stand behind what must be
 * agreed by two. */
static bool persons_fit(int vault, const struct wire_reset_ask *ask)
{
	bool two = !uuid_is_nil(&ask->second);
	if (uuid_is_nil(&ask->by) || uuid_equal(&ask->by, &ask->account))
		return false;
	if (two && (uuid_equal(&ask->second, &ask->by) || uuid_equal(&ask->second, &ask->account)))
		return false;
	return two || vault != VAULT_PROTECTION;
}

int house_reset(struct worker *w, struct store *db, int vault, const struct wire_reset_ask *ask,
		struct wire_reset *ret, struct diag *reterr)
{
	const uint32_t own = UINT32_C(1) << vault, protection = UINT32_C(1) << VAULT_PROTECTION;
	const usec_t now = time_now();
	uint32_t holds, agreed;
	*ret = (struct wire_reset){0};
	int e = hold_of(db, &ask->account, &holds, reterr);
	if (e == 0)
		e = consent_of(db, &ask->account, now, &agreed, reterr);
	if (e != 0)
		return e;
	if ((holds & own) == 0) {
		ret->code = FW_ENOTFOUND;
		return 0;
	}
	ret->missing = holds & ~agreed & ~own;
	if (ask->what == RESET_LOOK)
		return 0;
	if (!persons_fit(vault, ask)) {
		ret->code = FW_EDENIED;
		return 0;
	}
	bool last = vault == VAULT_PROTECTION || (holds & protection) == 0;
	if (!last)
		ret->missing |= protection;
	if (ret->missing == 0) {
		e = do_reset(w, db, &ask->account, ret, reterr);
		return e == 0 ? note(w, db, LEDGER_EV_CREDENTIAL_RESET, ask, vault, reterr) : e;
	}
	ret->code = FW_ECONFLICT;
	/* Protection is asked again when the others have agreed: its consent is not kept. */
	if (vault == VAULT_PROTECTION)
		return 0;
	e = consent_put(db, &ask->account, vault, &ask->by, &ask->second, now, reterr);
	return e == 0 ? note(w, db, LEDGER_EV_CREDENTIAL_CONSENT, ask, vault, reterr) : e;
}
