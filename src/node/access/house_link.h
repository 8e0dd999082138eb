/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The questions of house.h as calls, the same for a vault, which sends a
 * message, and for the house itself, which looks into its own store (${db},
 * in the caller's transaction; vaults ignore it).  A vault's question is
 * answered when the house has made it durable.
 *
 * Each returns 0 with the answer, whose own code says what the house found;
 * FW_EBUSY when the house did not answer: then it may or may not have acted,
 * and asking again is harmless.
 */
#ifndef FW_NODE_ACCESS_HOUSE_LINK_H
#define FW_NODE_ACCESS_HOUSE_LINK_H

#include "node/access/house.h"

struct diag;
struct store;
struct worker;

int link_name(struct worker *w, struct store *db, const struct wire_name_ask *ask,
	      struct wire_name *ret, struct diag *reterr);
int link_hold(struct worker *w, struct store *db, const struct wire_hold_ask *ask,
	      struct wire_hold *ret, struct diag *reterr);
int link_reset(struct worker *w, struct store *db, const struct wire_reset_ask *ask,
	       struct wire_reset *ret, struct diag *reterr);

#endif
