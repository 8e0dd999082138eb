/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Rows of the tables by what stands in texts: names, codes, numbers.  The
 * tables are small and constant; each search reads its table from the start.
 */
#ifndef FW_TBL_FIND_H
#define FW_TBL_FIND_H

#include "gen/tables.h"

/* The index (enum vault, perm, role, purpose), or -1 if there is none of this name. */
int vault_find(const char *name);
int perm_find(const char *code);
int role_find(const char *name);
int purpose_find(const char *code);

/* The row, or NULL. */
const struct ledger_event_row *ledger_event_find(int number);
const struct ledger_event_row *ledger_event_of(const char *code);
const struct shape *shape_find(const char *name);

#endif
