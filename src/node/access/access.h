/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The face of access to cmd/vaults.c: what of it goes into each struct vault_def.
 *
 *   the house     calls: house_calls, grants_calls    tasks: house_task, grants_task
 *                 start: access_house_start()         end: access_house_end()
 *                 on_message: access_house_message()  permissions: grants_permissions()
 *   each vault    calls: grants_calls                 tasks: grants_task
 *                 start: grants_start()               end: grants_end()
 *                 permissions: grants_permissions()
 *
 * The design and its rules: docs/access-design.md.
 */
#ifndef FW_NODE_ACCESS_H
#define FW_NODE_ACCESS_H

#include <stdint.h>

#include "node/process/worker.h"

/* Routes of the house: sessions, accounts, agencies. Ended by op -1. */
extern const struct call_row house_calls[];
/* Ends what ran out, once a minute. */
extern const struct task_row house_task;
/* Reads the settings; also does grants_start(). */
int access_house_start(struct worker *w, struct diag *reterr);
void access_house_end(struct worker *w);
/* TICKET_ASK, HOLD_ASK, NAME_ASK, RESET_ASK. Outside any transaction. */
int access_house_message(struct worker *w, struct chan *from, struct message *m);

/* Routes /api/{vault}/me, grants, resets, acts: the same in every vault and the house. Ended by op
 * -1. */
extern const struct call_row grants_calls[];
/* Keeps the house's marks in step with the grants (house.h), ends acts that nobody agreed to. */
extern const struct task_row grants_task;
int grants_start(struct worker *w, struct diag *reterr);
void grants_end(struct worker *w);
/* Fits vault_def. Bits 1 << perm_row.bit. Cost: a look into a cache of 256 accounts, else one
 * query. */
int grants_permissions(struct worker *w, struct store *db, const struct uuid *account,
		       uint64_t *ret, struct diag *reterr);

#endif
