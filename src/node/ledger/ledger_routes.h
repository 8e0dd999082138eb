/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What every vault's worker has of the ledger: handlers and the task that gives positions and asks for signatures. */
#ifndef FW_NODE_LEDGER_ROUTES_H
#define FW_NODE_LEDGER_ROUTES_H

#include "node/process/worker.h"

extern const struct call_row ledger_calls[]; /* OP_READ_LEDGER, OP_VERIFY_LEDGER */
/* Positions once a second; a checkpoint every ledger.checkpoint_seconds in which the ledger grew. */
extern const struct task_row ledger_task;

/* The origin of this worker's checkpoints, into ${out} (CHECKPOINT_ORIGIN_MAX + 1). */
int ledger_origin(const char *node_origin, int vault, char *out, struct diag *reterr);

#endif
