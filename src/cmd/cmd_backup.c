/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Makes sealed backups, of a node that runs or does not.
 *
 *     OUT/keys.fwbackup        node.key                    sealed to the custodians of the house
 *     OUT/VAULT.fwbackup       store, spool, last signed   sealed to that vault's custodians,
 *                              head, journal of erasures   two of them for protection
 *     (the house's also has fairway.conf and custodians.pub)
 *
 * A vault's ledger gets an entry before its copy is made: a backup is a
 * handing-over, and the entry, with the marks of the keys it was sealed to, is in the
 * backup itself.  The signed head is read before the store is copied, so that the store
 * always reaches at least as far as the head.
 *
 * A store on PostgreSQL is copied by pg_dump, which begins after the head was read, too.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/time.h"
#include "cmd/cmd.h"
#include "cmd/node_dir.h"
#include "cmd/pg_tool.h"
#include "node/backup/archive.h"
#include "node/backup/erasures.h"
#include "node/ledger/ledger.h"
#include "store/store.h"

struct backup {
	struct cmd_context *c;
	struct node_dir n;
	struct node_keys *keys;
	const char *out;
	struct buf publics; /* custodians.pub */
	json_t *made;       /* what was made, for --json */
};

static unsigned quorum_of(int vault)
{
	return vault == VAULT_PROTECTION ? 2 : 1;
}

static int recipients(struct backup *b, int vault, struct custodian_public to[CUSTODIANS_MAX], size_t *ret_n,
		      struct diag *reterr)
{
	const char *name = vault_rows[vault].name;
	int err = custodians_parse(b->publics.data, b->publics.len, name, to, CUSTODIANS_MAX, ret_n, reterr);
	if (err == 0 && *ret_n < quorum_of(vault))
		err = diag_set(reterr, FW_EINVALID, "keys/custodians.pub names %zu custodian%s of %s, and sealing needs %u", *ret_n,
			       *ret_n == 1 ? "" : "s", name, quorum_of(vault));
	return err;
}

/* ---- the entry in the ledger ---- */

struct entry {
	struct ledger_writer *w;
	const char *detail;
};

static int entry_tx(struct store *s, void *arg, struct diag *reterr)
{
	struct entry *e = arg;
	struct ledger_note note = { .event = LEDGER_EV_BACKUP_MAKE, .detail = e->detail };
	ledger_writer_rollback(e->w);
	return ledger_append(s, e->w, &note, NULL, reterr);
}

static int note_backup(struct store *s, const struct custodian_public *to, size_t n, unsigned quorum, struct diag *reterr)
{
	struct ledger_writer *w;
	struct buf detail;
	char mark[CUSTODIAN_MARK_LEN + 1];
	int err = ledger_writer_new(&w);
	if (err < 0)
		return err;
	buf_init(&detail, 2000);
	buf_printf(&detail, "{\"quorum\":%u,\"sealed_to\":[", quorum);
	for (size_t i = 0; i < n; i++) {
		custodian_mark(to[i].pk, mark);
		buf_printf(&detail, "%s\"%s\"", i > 0 ? "," : "", mark);
	}
	buf_puts(&detail, "]}");
	buf_putc(&detail, '\0');
	struct entry e = { w, (const char *)detail.data };
	err = buf_failed(&detail) ? detail.error : ledger_start(s, reterr);
	if (err == 0)
		err = store_tx(s, STORE_WRITE, entry_tx, &e, reterr);
	buf_release(&detail);
	ledger_writer_free(w);
	return err;
}

/* ---- parts ---- */

static int put_text(struct archive_writer *w, const char *name, const void *p, size_t n, struct diag *reterr)
{
	int err = archive_begin(w, name, reterr);
	return err < 0 ? err : archive_put(w, p, n, reterr);
}

/* A file of the node; absent ones are passed over when ${optional}. */
static int put_file(struct archive_writer *w, const char *name, const char *path, bool optional, struct diag *reterr)
{
	IO_AUTOCLOSE int fd = io_open(path, O_RDONLY | O_NOFOLLOW, 0);
	if (fd == -ENOENT && optional)
		return 0;
	if (fd < 0)
		return diag_set(reterr, fd, "%s cannot be read: %s", path, err_text(fd));
	return archive_put_fd(w, name, fd, reterr);
}

static int put_spool(struct backup *b, struct archive_writer *w, int vault, struct diag *reterr)
{
	const char *folder = node_dir_path(&b->n, b->c->mem, arena_printf(b->c->mem, "%s/spool", vault_rows[vault].name));
	DIR *d = opendir(folder);
	int err = 0;
	if (d == NULL)
		return errno == ENOENT ? 0 : diag_set(reterr, -errno, "%s cannot be read: %s", folder, err_text(-errno));
	for (const struct dirent *e; err == 0 && (e = readdir(d)) != NULL;) {
		struct arena_mark mark = arena_mark(b->c->mem);
		const char *name = arena_printf(b->c->mem, "spool/%s", e->d_name);
		if (e->d_name[0] != '.' && archive_name_fits(name))
			/* One that an import has finished with meanwhile is gone. */
			err = put_file(w, name, arena_printf(b->c->mem, "%s/%s", folder, e->d_name), true, reterr);
		arena_release(b->c->mem, mark);
	}
	(void)closedir(d);
	return err;
}

static int put_manifest(struct backup *b, struct archive_writer *w, int vault, const char *engine, struct diag *reterr)
{
	char at[TIME_TEXT_LEN + 1];
	time_format(time_now(), at);
	json_t *j = json_pack("{s:i,s:s,s:s,s:s,s:s,s:s}", "format", 1, "node", b->n.settings.node_name, "origin",
			      b->n.settings.node_origin, "vault", vault_rows[vault].name, "engine", engine, "made", at);
	char *text = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;
	int err = text == NULL ? -ENOMEM : put_text(w, "backup.json", text, strlen(text), reterr);
	json_free_t give_back = NULL;
	json_get_alloc_funcs(NULL, &give_back);
	if (text != NULL)
		give_back(text);
	json_decref(j);
	return err;
}

/* The last signed head, as the keeper has it now. Its text, for later: the store is copied after it was read. */
static int read_head(struct backup *b, int vault, struct buf *out, const char **ret_name, struct diag *reterr)
{
	char *name = arena_printf(b->c->mem, "keeper/%s.head", node_dir_origin(&b->n, b->c->mem, vault));
	if (name == NULL)
		return -ENOMEM;
	for (char *p = name + strlen("keeper/"); *p != '\0'; p++)
		*p = *p == '/' ? '+' : *p;
	*ret_name = name;
	return io_read_file(node_dir_path(&b->n, b->c->mem, name), out, reterr);
}

static void show_copy(void *arg, int64_t done, int64_t total)
{
	const struct backup *b = arg;
	if (cmd_progress(b->c) && total > 0)
		(void)fprintf(stderr, "\rcopying the store: %lld %%  ", (long long)(done * 100 / total));
}

/* The copy lies in the vault's own folder, without a name as soon as it is whole. */
static int put_sqlite(struct backup *b, struct archive_writer *w, struct store *s, int vault, struct diag *reterr)
{
	const char *name = vault_rows[vault].name;
	const char *path = node_dir_path(&b->n, b->c->mem, arena_printf(b->c->mem, "%s/backup.copy", name));
	(void)io_unlink(path); /* of a backup that was killed */
	int err = store_backup_sqlite(s, path, show_copy, b, reterr);
	if (err == 0) {
		IO_AUTOCLOSE int fd = io_open(path, O_RDONLY, 0);
		(void)io_unlink(path);
		err = fd < 0 ? fd : archive_put_fd(w, arena_printf(b->c->mem, "%s.db", name), fd, reterr);
	}
	(void)io_unlink(path);
	return err;
}

static int put_dump(struct backup *b, struct archive_writer *w, int vault, struct diag *reterr)
{
	struct pg_tool t;
	int err = pg_tool_dump(node_dir_store_url(&b->n, b->c->mem, vault), &t, reterr);
	if (err != 0)
		return err;
	err = archive_put_fd(w, arena_printf(b->c->mem, "%s.dump", vault_rows[vault].name), t.fd, reterr);
	int ended = pg_tool_end(&t, err == 0 ? reterr : NULL);
	return err != 0 ? err : ended;
}

static int fill_vault(struct backup *b, struct archive_writer *w, int vault, struct store *s, const struct buf *head,
		      const char *head_name, struct diag *reterr)
{
	struct arena *mem = b->c->mem;
	const char *name = vault_rows[vault].name;
	bool dump = store_engine(s) == STORE_PG;
	int err = put_manifest(b, w, vault, dump ? "postgresql" : "sqlite", reterr);
	if (err == 0 && vault == VAULT_HOUSE)
		err = put_file(w, "fairway.conf", node_dir_path(&b->n, mem, "fairway.conf"), false, reterr);
	if (err == 0 && vault == VAULT_HOUSE)
		err = put_text(w, "custodians.pub", b->publics.data, b->publics.len, reterr);
	if (err == 0)
		err = put_text(w, head_name, head->data, head->len, reterr);
	if (err == 0)
		err = dump ? put_dump(b, w, vault, reterr) : put_sqlite(b, w, s, vault, reterr);
	/* After the store: what was erased since is in the journal and only done again. */
	if (err == 0)
		err = put_file(w, ERASURES_FILE, node_dir_path(&b->n, mem, arena_printf(mem, "%s/%s", name, ERASURES_FILE)), true,
			       reterr);
	return err < 0 ? err : put_spool(b, w, vault, reterr);
}

/* ---- files ---- */

/* Sealed under a name that is taken only when it is whole. ${fill} writes the content. */
static int make_file(struct backup *b, const char *item, int vault, const struct custodian_public *to, size_t n,
		     int (*fill)(struct backup *b, struct archive_writer *w, void *arg, struct diag *reterr), void *arg,
		     struct diag *reterr)
{
	struct arena *mem = b->c->mem;
	char at[TIME_TEXT_LEN + 1];
	struct archive_writer *w = NULL;
	const char *path = arena_printf(mem, "%s/%s.fwbackup", b->out, item), *part = arena_printf(mem, "%s.part", path);
	time_format(time_now(), at);
	const char *label = arena_printf(mem, "%s, %.100s, %s", item, b->n.settings.node_origin, at);
	if (arena_failed(mem))
		return -ENOMEM;
	if (access(path, F_OK) == 0)
		return diag_set(reterr, FW_EEXISTS, "%s is there already; each backup goes into a new folder", path);
	int fd = io_open(part, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return diag_set(reterr, fd, "%s cannot be made: %s", part, err_text(fd));
	int err = archive_writer_new(fd, to, n, quorum_of(vault), label, &w, reterr);
	if (err == 0)
		err = fill(b, w, arg, reterr);
	if (err == 0)
		err = archive_end(w, b->keys, reterr);
	uint64_t taken = w != NULL ? archive_taken(w) : 0;
	archive_writer_free(w);
	int closed = io_close(fd);
	if (err == 0 && closed < 0)
		err = diag_set(reterr, closed, "%s cannot be written: %s", part, err_text(closed));
	if (err == 0 && (err = io_rename(part, path)) == 0)
		err = io_sync_dir(b->out);
	if (err < 0) {
		(void)io_unlink(part);
		return diag_set(reterr, err, "%s could not be made: %s", path, err_text(err));
	}
	if (cmd_progress(b->c))
		(void)fprintf(stderr, "\r%60s\r", "");
	if (!cmd_json(b->c) && !cmd_flag(b->c, "quiet"))
		(void)printf("%s: %llu bytes, opens for %s of %zu custodian%s\n", path, (unsigned long long)taken,
			     quorum_of(vault) == 2 ? "two together" : "any one", n, n == 1 ? "" : "s");
	return json_array_append_new(b->made, json_pack("{s:s,s:I,s:i}", "file", path, "bytes", (json_int_t)taken, "quorum",
							(int)quorum_of(vault))) < 0 ? -ENOMEM : 0;
}

static int fill_keys(struct backup *b, struct archive_writer *w, void *arg, struct diag *reterr)
{
	(void)arg;
	return put_file(w, "node.key", node_dir_path(&b->n, b->c->mem, "keys/node.key"), false, reterr);
}

struct vault_part {
	int vault;
	struct store *s;
	struct buf head;
	const char *head_name;
};

static int fill_part(struct backup *b, struct archive_writer *w, void *arg, struct diag *reterr)
{
	struct vault_part *p = arg;
	return fill_vault(b, w, p->vault, p->s, &p->head, p->head_name, reterr);
}

static int backup_vault(struct backup *b, int vault, struct diag *reterr)
{
	struct custodian_public to[CUSTODIANS_MAX];
	struct vault_part p = { .vault = vault };
	size_t n = 0;
	buf_init(&p.head, 16384);
	int err = recipients(b, vault, to, &n, reterr);
	if (err == 0)
		err = node_dir_store(&b->n, b->c->mem, vault, false, &p.s, reterr);
	if (err == 0)
		err = note_backup(p.s, to, n, quorum_of(vault), reterr);
	if (err == 0)
		err = read_head(b, vault, &p.head, &p.head_name, reterr);
	if (err == 0)
		err = make_file(b, vault_rows[vault].name, vault, to, n, fill_part, &p, reterr);
	if (err == 0 && vault == VAULT_HOUSE)
		err = make_file(b, "keys", vault, to, n, fill_keys, NULL, reterr);
	store_close(p.s);
	buf_release(&p.head);
	return err;
}

static int make_folder(const char *path, struct diag *reterr)
{
	int err = io_mkdir(path, 0700);
	return err == 0 || err == -EEXIST ? 0 : diag_set(reterr, err, "cannot make the folder %s: %s", path, err_text(err));
}

static int run(struct backup *b, struct diag *reterr)
{
	const char *only[VAULT_COUNT];
	size_t n = cmd_option_all(b->c, "vault", only, VAULT_COUNT);
	int err = node_dir_open(cmd_argument(b->c, 0), b->c->mem, &b->n, reterr);
	if (err == 0)
		err = keys_start();
	if (err == 0)
		err = node_keys_load(node_dir_path(&b->n, b->c->mem, "keys/node.key"), &b->keys, reterr);
	if (err == 0)
		err = io_read_file(node_dir_path(&b->n, b->c->mem, "keys/custodians.pub"), &b->publics, reterr);
	if (err == 0)
		err = make_folder(b->out, reterr);
	for (int v = 0; err == 0 && v < VAULT_COUNT; v++) {
		bool wanted = n == 0;
		for (size_t i = 0; i < n; i++)
			wanted = wanted || strcmp(only[i], vault_rows[v].name) == 0;
		if (wanted)
			err = backup_vault(b, v, reterr);
	}
	return err;
}

int cmd_backup(struct cmd_context *c)
{
	struct backup b = { .c = c, .out = cmd_option(c, "output"), .made = json_array() };
	struct diag d = DIAG_INIT;
	buf_init(&b.publics, CUSTODIANS_FILE_MAX);
	int err = run(&b, &d);
	node_keys_free(b.keys);
	buf_release(&b.publics);
	if (err == 0 && cmd_json(c)) {
		(void)json_dumpf(b.made, stdout, JSON_COMPACT);
		(void)putchar('\n');
	}
	json_decref(b.made);
	return err == 0 ? FW_EXIT_OK : cmd_fail(c, err, &d);
}
