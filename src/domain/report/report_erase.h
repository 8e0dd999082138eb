/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Erasing a report whole: every version, every row, in the caller's
 * transaction.  The route (custodians only) writes the vault's journal of
 * erasures first, so that a backup that is restored forgets it again; the
 * restore calls the same function.  SQLite overwrites what it deletes
 * (secure_delete); PostgreSQL's pages are freed at its next vacuum.
 */
#ifndef FW_REPORT_ERASE_H
#define FW_REPORT_ERASE_H

#include "base/time.h"
#include "base/uuid.h"

struct diag;
struct store;

extern const char report_erasure_kind[]; /* in the journal: id[0] the owner, id[1] the report */

/* ${account}: nil when a restore does it again. 0; FW_ENOTFOUND when there is no such report. */
int report_erase(struct store *db, const struct uuid *owner, const struct uuid *id, usec_t at, const struct uuid *account,
		 const char *reason, struct diag *reterr);
/* 0 if it was erased, FW_ENOTFOUND if not. */
int report_erased(struct store *db, const struct uuid *owner, const struct uuid *id, struct diag *reterr);

#endif
