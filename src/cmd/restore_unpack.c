/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Which file of an archive goes where.  The list is closed: an archive that
 * holds anything else is refused, signed or not.  Files are written in place,
 * since nothing serves from a folder with its marker; if anything fails, what
 * this item wrote is taken away again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "cmd/restore.h"
#include "node/backup/erasures.h"
#include "node/keys/keys_int.h"

enum { WRITTEN_MAX = 100000 };

struct written {
	const char *path;
	struct written *next;
};

struct unpacking {
	struct restore *r;
	int item;
	bool check;
	bool dump;
	struct written *files;
	size_t nfiles;
};

const char *item_name(int item)
{
	static const char *const names[ITEM_COUNT] = { "keys", "house", "strategic", "operational", "protection" };
	return names[item];
}

int item_vault(int item)
{
	static const int vaults[ITEM_COUNT] = { -1, VAULT_HOUSE, VAULT_STRATEGIC, VAULT_OPERATIONAL, VAULT_PROTECTION };
	return vaults[item];
}

const char *restore_path(const struct restore *r, const char *below)
{
	return arena_printf(r->c->mem, "%s/%s", r->dir, below);
}

/* "NAME.SUFFIX" for this vault's name. */
static bool is_store(const char *name, const char *vault, const char *suffix)
{
	size_t n = strlen(vault);
	return strncmp(name, vault, n) == 0 && strcmp(name + n, suffix) == 0;
}

/* keeper/X+strategic.head of the vault's own ledger. */
static bool is_head(const char *name, const char *origin)
{
	size_t n = strlen(name), o = strlen(origin);
	return strncmp(name, "keeper/", 7) == 0 && strchr(name + 7, '/') == NULL && n > 7 + o + 6 &&
	       strcmp(name + n - 5, ".head") == 0 && strncmp(name + n - 5 - o, origin, o) == 0 && name[n - 6 - o] == '+';
}

/* Where a file goes: *ret_path NULL for one that is read and not kept. */
static int place(struct unpacking *u, const char *name, const char **ret_path, struct diag *reterr)
{
	struct restore *r = u->r;
	const char *below = NULL, *vault = item_name(u->item);
	*ret_path = NULL;
	if (u->item == ITEM_KEYS) {
		if (strcmp(name, "node.key") != 0)
			goto refuse;
		below = "keys/node.key";
	} else if (strcmp(name, "backup.json") == 0) {
		return 0;
	} else if (u->item == ITEM_HOUSE && strcmp(name, "fairway.conf") == 0) {
		below = "fairway.conf";
	} else if (u->item == ITEM_HOUSE && strcmp(name, "custodians.pub") == 0) {
		below = "keys/custodians.pub";
	} else if (is_head(name, vault_rows[item_vault(u->item)].origin)) {
		below = name;
	} else if (is_store(name, vault, ".db") || is_store(name, vault, ".dump") || strcmp(name, ERASURES_FILE) == 0 ||
		   (strncmp(name, "spool/", 6) == 0 && strchr(name + 6, '/') == NULL)) {
		u->dump = u->dump || is_store(name, vault, ".dump");
		below = arena_printf(r->c->mem, "%s/%s", vault, name);
	} else {
		goto refuse;
	}
	*ret_path = below != NULL ? restore_path(r, below) : NULL;
	return *ret_path != NULL ? 0 : -ENOMEM;
refuse:
	return diag_set(reterr, FW_EFORMAT, "the backup of %s holds a file that does not belong there: %.100s", vault, name);
}

static int remember(struct unpacking *u, const char *path, struct diag *reterr)
{
	struct written *w = arena_alloc(u->r->c->mem, sizeof(*w));
	if (w == NULL || u->nfiles == WRITTEN_MAX)
		return diag_set(reterr, w == NULL ? -ENOMEM : FW_ELIMIT, "the backup holds too many files");
	*w = (struct written){ path, u->files };
	u->files = w;
	u->nfiles++;
	return 0;
}

static void take_away(struct unpacking *u)
{
	for (const struct written *w = u->files; w != NULL; w = w->next)
		(void)io_unlink(w->path);
}

/* The present file of the archive to ${fd}, or nowhere for -1. */
static int copy_file(struct archive_reader *a, int fd, struct diag *reterr)
{
	enum { PART = ARCHIVE_CHUNK };
	uint8_t *part = sodium_malloc(PART);
	size_t n = 1;
	int err = part == NULL ? -ENOMEM : 0;
	while (err == 0 && n > 0) {
		err = archive_get(a, part, PART, &n, reterr);
		if (err == 0 && n > 0 && fd >= 0)
			err = io_write(fd, part, n);
	}
	sodium_free(part);
	return err;
}

/* When nothing is written, the node's key is still wanted: it says whose signature the others must carry. */
static int take_key(struct unpacking *u, struct archive_reader *a, struct diag *reterr)
{
	uint8_t *file = sodium_malloc(NODE_KEY_FILE + 1);
	struct node_keys *k = sodium_malloc(sizeof(*k));
	size_t have = 0, n = 1;
	int err = file == NULL || k == NULL ? -ENOMEM : 0;
	while (err == 0 && n > 0) {
		err = archive_get(a, file + have, NODE_KEY_FILE + 1 - have, &n, reterr);
		have += err == 0 ? n : 0;
	}
	if (err == 0)
		err = node_keys_parse(file, have, k, reterr);
	sodium_free(file);
	if (err < 0) {
		sodium_free(k);
		return err;
	}
	node_keys_free(u->r->keys);
	u->r->keys = k;
	return 0;
}

static int unpack_file(struct unpacking *u, struct archive_reader *a, const char *name, struct diag *reterr)
{
	const char *path = NULL;
	int err = place(u, name, &path, reterr);
	if (err == 0 && u->check && u->item == ITEM_KEYS)
		return take_key(u, a, reterr);
	if (err == 0 && (path == NULL || u->check))
		return copy_file(a, -1, reterr);
	if (err == 0)
		err = remember(u, path, reterr);
	if (err < 0)
		return err;
	int fd = io_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	err = fd < 0 ? fd : copy_file(a, fd, reterr);
	if (err == 0)
		err = io_sync(fd);
	int closed = fd < 0 ? 0 : io_close(fd);
	err = err < 0 ? err : closed;
	return err < 0 ? diag_set(reterr, err, "%s cannot be written: %s", path, err_text(err)) : 0;
}

static int sync_folders(struct unpacking *u)
{
	static const char *const folders[] = { "keys", "keeper", "." };
	int err = 0;
	for (size_t i = 0; err == 0 && i < sizeof(folders) / sizeof(folders[0]); i++)
		err = io_sync_dir(restore_path(u->r, folders[i]));
	if (err == 0 && u->item != ITEM_KEYS)
		err = io_sync_dir(restore_path(u->r, item_name(u->item)));
	if (err == 0 && u->item > ITEM_HOUSE)
		err = io_sync_dir(restore_path(u->r, arena_printf(u->r->c->mem, "%s/spool", item_name(u->item))));
	return err;
}

static int check_signature(struct unpacking *u, struct archive_reader *a, struct diag *reterr)
{
	uint8_t pk[KEY_ED_PK];
	/* A check without the house's custodian has no key to hold the signature to. */
	if (u->r->keys == NULL)
		return 0;
	node_keys_public(u->r->keys, pk);
	return archive_signed_by(a, pk, reterr);
}

int restore_load(struct restore *r, struct diag *reterr)
{
	return r->keys != NULL ? 0 : node_keys_load(restore_path(r, "keys/node.key"), &r->keys, reterr);
}

static int unpack(struct unpacking *u, struct archive_reader *a, struct diag *reterr)
{
	const char *name;
	int got, err = 0;
	while (err == 0 && (got = archive_next(a, &name, reterr)) != 0)
		err = got < 0 ? got : unpack_file(u, a, name, reterr);
	if (err == 0 && !u->check)
		err = sync_folders(u);
	if (err == 0 && u->item == ITEM_KEYS && !u->check)
		err = restore_load(u->r, reterr);
	return err < 0 ? err : check_signature(u, a, reterr);
}

int restore_unpack(struct restore *r, int item, bool check, bool *ret_dump, struct diag *reterr)
{
	struct unpacking u = { .r = r, .item = item, .check = check };
	struct archive_reader *a = NULL;
	const char *path = arena_printf(r->c->mem, "%s/%s.fwbackup", r->backup, item_name(item));
	if (path == NULL)
		return -ENOMEM;
	IO_AUTOCLOSE int fd = io_open(path, O_RDONLY, 0);
	if (fd < 0)
		return diag_set(reterr, fd == -ENOENT ? FW_ENOTFOUND : fd, "%s cannot be opened: %s", path, err_text(fd));
	int err = archive_reader_new(fd, (const uint8_t(*)[KEY_BYTES])r->sks, r->nsks, &a, reterr);
	if (err == 0)
		err = unpack(&u, a, reterr);
	if (err < 0 && !check)
		take_away(&u);
	archive_reader_free(a);
	*ret_dump = u.dump;
	if (err < 0)
		diag_place(reterr, "%s", path);
	return err < 0 ? diag_set(reterr, err, "it cannot be restored: %s", err_text(err)) : 0;
}
