/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What each vault of this program can do, put together from node/ and domain/. */
#ifndef FW_CMD_VAULTS_H
#define FW_CMD_VAULTS_H

#include "node/process/worker.h"

/* By enum vault. */
extern const struct vault_def vaults[VAULT_COUNT];
/* What readers can read; ended by kind NULL. */
extern const struct reader_row readers[];

#endif
