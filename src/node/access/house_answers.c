/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the house tells a vault of an account: its name, and whether it is marked. */
#include "node/access/house_int.h"

#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "gen/tables.h"
#include "node/ledger/ledger.h"

int house_name(struct store *db, const struct wire_name_ask *ask, struct wire_name *ret,
	       struct diag *reterr)
{
	struct arena *mem = arena_new(1 << 14);
	struct account acc;
	if (mem == NULL)
		return -ENOMEM;
	int e = ask->by_login ? account_find(db, ask->login, mem, &acc, reterr)
			      : account_get(db, &ask->account, mem, &acc, reterr);
	*ret = (struct wire_name){.code = e};
	if (e == 0) {
		ret->account = acc.id;
		ret->locked = acc.locked;
		ret->fresh = acc.fresh;
		(void)snprintf(ret->login, sizeof(ret->login), "%s", acc.login);
	}
	arena_free(mem);
	return e == FW_ENOTFOUND ? 0 : e;
}

static int note(struct worker *w, struct store *db, int vault, const struct uuid *account,
		bool marked, struct diag *reterr)
{
	char detail[100];
	(void)snprintf(detail, sizeof(detail), "{\"vault\":\"%s\",\"marked\":%s}",
		       vault_rows[vault].name, marked ? "true" : "false");
	struct ledger_note n = {.event = LEDGER_EV_ACCOUNT_HOLD,
				.subjects = account,
				.nsubjects = 1,
				.detail = detail};
	return worker_ledger_note(w, db, &n, reterr);
}

int house_hold(struct worker *w, struct store *db, int vault, const struct wire_hold_ask *ask,
	       struct wire_hold *ret, struct diag *reterr)
{
	size_t n = 0;
	bool changed = false;
	int e = FW_EPROTO;
	*ret = (struct wire_hold){0};
	switch ((enum hold_what)ask->what) {
	case HOLD_MARK:
		e = hold_mark(db, &ask->account, vault, ask->strong, time_now(), &changed, reterr);
		break;
	case HOLD_UNMARK:
		e = hold_unmark(db, &ask->account, vault, &changed, reterr);
		break;
	case HOLD_LIST:
		e = hold_page(db, vault, &ask->account, ret->accounts, HOLD_PAGE, &n, reterr);
		break;
	}
	if (e == 0 && changed)
		e = note(w, db, vault, &ask->account, ask->what == HOLD_MARK, reterr);
	ret->code = e;
	ret->n = (uint8_t)n;
	return e == FW_ENOTFOUND ? 0 : e;
}
