/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/access/house_link.h"

#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "gen/tables.h"
#include "node/access/house_int.h"
#include "node/process/worker.h"

enum { LINK_MAX = 512 };

/* Sends what is in ${b} and leaves the answer there. */
static int ask_house(struct worker *w, uint16_t ask, uint16_t answer, struct buf *b,
		     struct diag *reterr)
{
	struct buf ret;
	buf_init(&ret, LINK_MAX);
	int e = b->error;
	if (e == 0)
		e = worker_ask_house(w, ask, b->data, b->len, answer, &ret);
	buf_clear(b);
	if (e == 0)
		buf_put(b, ret.data, ret.len);
	buf_wipe(&ret);
	buf_release(&ret);
	if (e == 0)
		e = b->error;
	return e == 0 ? 0
		      : diag_set(reterr, FW_EBUSY,
				 "The house does not answer; nothing was changed here.");
}

/* An answer that does not read well is as good as none. */
static int read_well(int e, struct diag *reterr)
{
	return e == 0 ? 0
		      : diag_set(reterr, FW_EBUSY,
				 "The house gave no sense; nothing was changed here.");
}

int link_name(struct worker *w, struct store *db, const struct wire_name_ask *ask,
	      struct wire_name *ret, struct diag *reterr)
{
	if (worker_vault(w) == VAULT_HOUSE)
		return house_name(db, ask, ret, reterr);
	struct buf b;
	buf_init(&b, LINK_MAX);
	wire_name_ask_put(&b, ask);
	int e = ask_house(w, MSG_NAME_ASK, MSG_NAME, &b, reterr);
	struct cursor cur;
	cur_init(&cur, b.data, b.len);
	if (e == 0)
		e = read_well(wire_name_get(&cur, ret), reterr);
	buf_release(&b);
	return e;
}

int link_hold(struct worker *w, struct store *db, const struct wire_hold_ask *ask,
	      struct wire_hold *ret, struct diag *reterr)
{
	if (worker_vault(w) == VAULT_HOUSE)
		return house_hold(w, db, VAULT_HOUSE, ask, ret, reterr);
	struct buf b;
	buf_init(&b, LINK_MAX);
	wire_hold_ask_put(&b, ask);
	int e = ask_house(w, MSG_HOLD_ASK, MSG_HOLD, &b, reterr);
	struct cursor cur;
	cur_init(&cur, b.data, b.len);
	if (e == 0)
		e = read_well(wire_hold_get(&cur, ret), reterr);
	buf_release(&b);
	return e;
}

int link_reset(struct worker *w, struct store *db, const struct wire_reset_ask *ask,
	       struct wire_reset *ret, struct diag *reterr)
{
	if (worker_vault(w) == VAULT_HOUSE)
		return house_reset(w, db, VAULT_HOUSE, ask, ret, reterr);
	struct buf b;
	buf_init(&b, LINK_MAX);
	wire_reset_ask_put(&b, ask);
	int e = ask_house(w, MSG_RESET_ASK, MSG_RESET, &b, reterr);
	struct cursor cur;
	cur_init(&cur, b.data, b.len);
	if (e == 0)
		e = read_well(wire_reset_get(&cur, ret), reterr);
	buf_wipe(&b);
	buf_release(&b);
	return e;
}
