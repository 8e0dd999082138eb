/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reports in the store: writing a version with all its rows, reading one back. */
#ifndef FW_REPORT_STORE_H
#define FW_REPORT_STORE_H

#include "base/time.h"
#include "base/uuid.h"
#include "domain/report/report_fields.h"

struct arena;
struct buf;
struct diag;
struct jw;
struct store;

enum { REPORT_HASH = 16 };

/* What stands beside the report in its row. */
struct report_head {
	struct uuid owner, id;
	int64_t version;
	struct uuid author;
	usec_t at;
	const char *reason; /* written, corrected, imported, changed; static */
	char status[12];
	struct uuid verified_by, validated_by; /* nil for none */
	char closed_reason[61];
	bool personal;
	struct uuid import; /* nil for none */
	int64_t import_row;
};

/* Insert the version ${h}->version with all rows. In the caller's transaction. Sets h->personal. */
int report_add(struct store *db, struct report_head *h, const struct incident *inc, struct diag *reterr);
/* Make ${version} an older one; FW_ECONFLICT if it is not the newest. */
int report_supersede(struct store *db, const struct uuid *owner, const struct uuid *id, int64_t version,
		     struct diag *reterr);
/* The number of the newest version; FW_ENOTFOUND. */
int report_latest(struct store *db, const struct uuid *owner, const struct uuid *id, int64_t *ret, struct diag *reterr);
/*
 * Read a version; ${inc} must be initialised and its texts live in ${a}.
 * FW_ENOTFOUND.  A code that is in no codebook of this program: FW_ENEWER.
 */
int report_load(struct store *db, const struct uuid *owner, const struct uuid *id, int64_t version,
		struct report_head *ret, struct incident *inc, struct arena *a, struct diag *reterr);
/* Only the blocks of the bits 1 << enum block; the core in any case. */
int report_load_blocks(struct store *db, const struct uuid *owner, const struct uuid *id, int64_t version, uint32_t which,
		       struct report_head *ret, struct incident *inc, struct arena *a, struct diag *reterr);

/* Over what the report says, without where it came from and what was noticed on the way. ${scratch} is empty, with room for 2 MiB. */
int report_hash(const struct incident *inc, struct buf *scratch, uint8_t ret[REPORT_HASH]);

/* What came from where. ${hash} of REPORT_HASH bytes. */
struct report_known {
	struct uuid incident;
	int64_t version;
	uint8_t hash[REPORT_HASH];
};
/* FW_ENOTFOUND. ${system}: of the codebook system. */
int report_known_get(struct store *db, const struct uuid *owner, const struct incident *inc, struct report_known *ret,
		     struct diag *reterr);
int report_known_add(struct store *db, const struct uuid *owner, const struct incident *inc,
		     const struct report_known *k, struct diag *reterr);
int report_known_change(struct store *db, const struct uuid *owner, const struct incident *inc,
			const struct report_known *k, struct diag *reterr);

#endif
