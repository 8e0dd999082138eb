/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The pieces of a restore.  cmd_restore.c asks for keys and keeps account of
 * what is done; restore_unpack.c writes an archive's files to their places;
 * restore_finish.c brings an unpacked vault up to the present: migrations,
 * verification, erasures.
 *
 * The marker DIR/restoring has a line for each item, "NAME STATE".  While it is
 * there the node does not serve:
 *
 *     wanted    not unpacked, or only in part: unpacking begins anew
 *     dump      a dump lies in the vault's folder and has to be loaded into PostgreSQL
 *     unpacked  the files are in their places and carry the node's signature
 *     done
 */
#ifndef FW_CMD_RESTORE_H
#define FW_CMD_RESTORE_H

#include "cmd/cmd.h"
#include "cmd/node_dir.h"
#include "node/backup/archive.h"

/* Items in the order in which they are restored: the node's keys and settings come before the vaults. */
enum { ITEM_KEYS, ITEM_HOUSE, ITEM_STRATEGIC, ITEM_OPERATIONAL, ITEM_PROTECTION, ITEM_COUNT };
enum item_state { ITEM_WANTED, ITEM_DUMP, ITEM_UNPACKED, ITEM_DONE };

struct restore {
	struct cmd_context *c;
	const char *backup; /* folder of the backup */
	const char *dir;    /* absolute path of the node to be */
	struct node_dir n;  /* valid once the house is unpacked */
	struct node_keys *keys; /* valid once the keys are */
	uint8_t (*sks)[KEY_BYTES]; /* custodians' secret keys; sodium_malloc */
	size_t nsks;
	enum item_state state[ITEM_COUNT];
	size_t erased[ITEM_COUNT]; /* erasures done again */
};

const char *item_name(int item);
int item_vault(int item); /* -1 for ITEM_KEYS */
/* "DIR/below". */
const char *restore_path(const struct restore *r, const char *below);

/*
 * Read the item's archive to its end, and unless ${check} write its files.
 * *ret_dump: it holds a dump of PostgreSQL.  FW_EDENIED: the keys at hand do not open it.
 * After ITEM_KEYS r->keys is there.
 */
int restore_unpack(struct restore *r, int item, bool check, bool *ret_dump, struct diag *reterr);
/* The node's key out of the folder, where an earlier run put it. */
int restore_load(struct restore *r, struct diag *reterr);

/* Verify the vault and do the erasures of ${journal} (path, or NULL for none newer) again. */
int restore_finish(struct restore *r, int item, const char *journal, struct diag *reterr);

#endif
