/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Protect: referrals that came into the protection vault.  cmd/vaults.c puts
 * these into that vault and no other.
 *
 * What arrives is kept whole here and nowhere else: the sender's copy is
 * emptied when it has the receipt, and the receipt is a random number that
 * says nothing.
 */
#ifndef FW_PROTECT_H
#define FW_PROTECT_H

#include "node/process/worker.h"

/* Handlers of the routes under /api/protection that are not custody's or the ledger's; ended by op -1. */
extern const struct call_row protect_calls[];
/* The kind "referral"; ended by kind NULL. */
extern const struct apply_row protect_applies[];

#endif
