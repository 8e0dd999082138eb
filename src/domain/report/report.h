/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Incident reports: the face of the workspace.  cmd/vaults.c puts these into
 * the strategic vault, cmd/readers.c the reader's row into the readers.
 */
#ifndef FW_REPORT_H
#define FW_REPORT_H

#include "node/process/worker.h"

/* Handlers of the routes under /api/report, ended by op -1. */
extern const struct call_row report_calls[];
/* The import, which goes on by itself after a restart. */
extern const struct task_row report_import_task;
/* Refused rows of imports go when their time is over. */
extern const struct task_row report_keep_task;
/* Kind "report", ended by kind NULL. */
extern const struct reader_row report_readers[];

/* After the store is open: the index of reports into memory, imports under way found again. */
int report_start(struct worker *w, struct diag *reterr);
void report_end(struct worker *w);

#endif
