/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What each vault can do, put together from the tables of the houses below; and what files a reader can parse. */
#ifndef FW_CMD_VAULTS_H
#define FW_CMD_VAULTS_H

#include "node/process/worker.h"

/* Of enum vault. Static; made at the first call. */
const struct vault_def *vault_def_of(int vault);
/* What kinds of files a reader knows; ended by kind NULL. */
const struct reader_row *reader_rows(void);

#endif
