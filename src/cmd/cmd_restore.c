/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Restores a node, item by item, into a new folder; restore.h tells the states. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "cmd/pg_tool.h"
#include "cmd/restore.h"
#include "cmd/store_place.h"
#include "tbl/settings.h"

enum { KEYS_MAX = 32, KEY_FILE_MAX = 8192, MARKER_MAX = 4096 };

static const char *const state_names[] = { "wanted", "dump", "unpacked", "done" };

/* ---- the marker ---- */

static int write_marker(struct restore *r, struct diag *reterr)
{
	struct buf b;
	buf_init(&b, MARKER_MAX);
	for (int i = 0; i < ITEM_COUNT; i++)
		buf_printf(&b, "%s %s\n", item_name(i), state_names[r->state[i]]);
	int err = buf_failed(&b) ? b.error : io_write_file(restore_path(r, "restoring"), b.data, b.len, 0600, reterr);
	buf_release(&b);
	return err;
}

static int set_state(struct restore *r, int item, enum item_state st, struct diag *reterr)
{
	r->state[item] = st;
	return write_marker(r, reterr);
}

static int read_marker(struct restore *r, struct diag *reterr)
{
	struct buf b;
	buf_init(&b, MARKER_MAX);
	int err = io_read_file(restore_path(r, "restoring"), &b, reterr);
	buf_putc(&b, '\0');
	for (int i = 0; err == 0 && i < ITEM_COUNT; i++) {
		int st = ITEM_WANTED;
		for (int k = 0; k <= ITEM_DONE; k++) {
			const char *line = arena_printf(r->c->mem, "%s %s\n", item_name(i), state_names[k]);
			if (line != NULL && strstr((const char *)b.data, line) != NULL)
				st = k;
		}
		r->state[i] = (enum item_state)st;
	}
	buf_release(&b);
	return err;
}

/* ---- the folder ---- */

static int entries_of(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;
	if (d == NULL)
		return -errno;
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	(void)closedir(d);
	return n;
}

static int make_folders(struct restore *r, struct diag *reterr)
{
	/* As `fairway init` makes them. */
	static const char *const names[] = { "keys", "keeper", "run", "house", "house/spool", "strategic", "strategic/spool",
					     "operational", "operational/spool", "protection", "protection/spool" };
	int err = chmod(r->dir, 0711) < 0 ? -errno : 0;
	for (size_t i = 0; err == 0 && i < sizeof(names) / sizeof(names[0]); i++) {
		const char *path = restore_path(r, names[i]);
		if ((err = io_mkdir(path, 0700)) == -EEXIST)
			err = 0;
		if (err == 0 && chmod(path, strcmp(names[i], "run") == 0 ? 0711 : 0700) < 0)
			err = -errno;
	}
	return err < 0 ? diag_set(reterr, err, "folders cannot be made in %s: %s", r->dir, err_text(err)) : 0;
}

static int open_folder(struct restore *r, const char *path, struct diag *reterr)
{
	char real[PATH_MAX];
	int err = io_mkdir(path, 0700);
	if (err < 0 && err != -EEXIST)
		return diag_set(reterr, err, "cannot make the folder %s: %s", path, err_text(err));
	if (realpath(path, real) == NULL)
		return diag_set(reterr, -errno, "cannot find the folder %s: %s", path, err_text(-errno));
	r->dir = arena_strdup(r->c->mem, real);
	if (r->dir == NULL)
		return -ENOMEM;
	if (access(restore_path(r, "restoring"), F_OK) == 0)
		return read_marker(r, reterr);
	int n = entries_of(real);
	if (n != 0)
		return diag_set(reterr, n < 0 ? n : FW_EEXISTS, "%s is not empty; a node is restored into a new folder and never over another",
				real);
	err = write_marker(r, reterr); /* before anything else is there */
	return err;
}

/* ---- custodians ---- */

static int open_key(struct restore *r, const char *path, const char *phrase_file, struct diag *reterr)
{
	struct custodian_public who;
	struct buf b;
	buf_init(&b, KEY_FILE_MAX);
	int err = io_read_file(path, &b, reterr);
	char *phrase = NULL;
	if (err == 0) {
		phrase = phrase_file != NULL ? cmd_first_line(r->c, phrase_file, reterr) :
					       cmd_ask_secret(r->c, arena_printf(r->c->mem, "Passphrase of %s: ", path), reterr);
		err = phrase == NULL ? FW_EINVALID : 0;
	}
	if (err == 0)
		err = custodian_open(b.data, b.len, phrase, r->sks[r->nsks], &who, reterr);
	if (err == 0)
		r->nsks++;
	if (phrase != NULL)
		cmd_wipe(phrase);
	buf_release(&b);
	if (err < 0)
		diag_place(reterr, "%s", path);
	return err;
}

static int open_keys(struct restore *r, struct diag *reterr)
{
	const char *files[KEYS_MAX], *phrases[KEYS_MAX] = { NULL };
	size_t n = cmd_option_all(r->c, "key", files, KEYS_MAX);
	size_t p = cmd_option_all(r->c, "passphrase-file", phrases, KEYS_MAX);
	r->sks = sodium_malloc(sizeof(*r->sks) * KEYS_MAX);
	if (r->sks == NULL)
		return diag_set(reterr, -ENOMEM, "no memory for the custodians' keys");
	int err = 0;
	for (size_t i = 0; err == 0 && i < n; i++)
		err = open_key(r, files[i], i < p ? phrases[i] : NULL, reterr);
	return err;
}

/* ---- items ---- */

static void tell(const struct restore *r, int item, const char *what)
{
	if (!cmd_json(r->c) && !cmd_flag(r->c, "quiet"))
		(void)printf("%-12s %s\n", item_name(item), what);
}

/* The newer journal given for an item: FW_EINVALID when neither it nor --no-erasures was given. */
static int journal_of(struct restore *r, int item, const char **ret, struct diag *reterr)
{
	const char *given[ITEM_COUNT];
	const char *name = item_name(item);
	size_t n = cmd_option_all(r->c, "erasures", given, ITEM_COUNT), len = strlen(name);
	*ret = NULL;
	for (size_t i = 0; i < n; i++)
		if (strncmp(given[i], name, len) == 0 && given[i][len] == '=')
			*ret = given[i] + len + 1;
	if (*ret != NULL || cmd_flag(r->c, "no-erasures"))
		return 0;
	return diag_set(reterr, FW_EINVALID,
			"what was erased in %s since the backup must not come back: give --erasures %s=FILE, the old node's "
			"%s/erasures.log, or --no-erasures if there is none", name, name, name);
}

static int check_erasure_options(struct restore *r, struct diag *reterr)
{
	const char *given[ITEM_COUNT + 1];
	size_t n = cmd_option_all(r->c, "erasures", given, ITEM_COUNT + 1);
	for (size_t i = 0; i < n; i++) {
		bool known = false;
		for (int k = ITEM_HOUSE; k < ITEM_COUNT; k++)
			known = known || (strncmp(given[i], item_name(k), strlen(item_name(k))) == 0 &&
					  given[i][strlen(item_name(k))] == '=');
		if (!known)
			return diag_set(reterr, FW_EINVALID, "--erasures takes VAULT=FILE, not %.100s", given[i]);
	}
	return 0;
}

static int bring_up(struct restore *r, int item, struct diag *reterr)
{
	const char *journal = NULL;
	int err = journal_of(r, item, &journal, reterr);
	if (err == 0)
		err = restore_finish(r, item, journal, reterr);
	if (err == 0)
		err = set_state(r, item, ITEM_DONE, reterr);
	if (err == 0)
		tell(r, item, arena_printf(r->c->mem, "restored and verified; %zu erasure%s done again", r->erased[item],
					   r->erased[item] == 1 ? "" : "s"));
	return err;
}

/* Load a dump. Into a database that holds anything, a node that still serves maybe, nothing is loaded. */
static int take_up_dump(struct restore *r, int item, struct diag *reterr)
{
	const char *name = item_name(item), *dump = restore_path(r, arena_printf(r->c->mem, "%s/%s.dump", name, name));
	const char *url = node_dir_store_url(&r->n, r->c->mem, item_vault(item));
	struct diag d = DIAG_INIT;
	if (dump == NULL || url == NULL)
		return -ENOMEM;
	if (pg_tool_load(url, dump, &d) != 0) {
		tell(r, item, arena_printf(r->c->mem, "waits: %s. Its database must be there and be empty: make it with "
						      "packaging/postgresql/databases.sql, and name the server with --store and the passwords with "
						      "--password-file if they are not those of the old node; then run this again", d.text));
		return 0;
	}
	int err = set_state(r, item, ITEM_UNPACKED, reterr);
	return err == 0 ? io_unlink(dump) : err;
}

/* ---- where stores on PostgreSQL go ---- */

static int write_conf(struct restore *r, struct diag *reterr)
{
	struct buf b;
	buf_init(&b, SETTING_FILE_MAX);
	settings_write(&r->n.settings, &b);
	int err = buf_failed(&b) ? b.error : io_write_file(restore_path(r, "fairway.conf"), b.data, b.len, 0600, reterr);
	buf_release(&b);
	return err;
}

static int place_store(struct restore *r, const char *server, int vault, struct diag *reterr)
{
	const char *name = vault_rows[vault].name, *url;
	if (strncmp(node_dir_store_url(&r->n, r->c->mem, vault), "postgresql:", 11) != 0)
		return diag_set(reterr, FW_EINVALID, "--store: the backup's store of %s is on SQLite and stays there", name);
	int err = store_place(r->c->mem, server, name, &url, reterr);
	return err != 0 ? err : settings_set(&r->n.settings, arena_printf(r->c->mem, "store.%s", name), url, r->c->mem, reterr);
}

/* The settings of the node, with the stores where --store says. */
static int open_node(struct restore *r, struct diag *reterr)
{
	const char *server = cmd_option(r->c, "store"), *passwords = cmd_option(r->c, "password-file");
	char *text = NULL;
	int err = node_dir_open(r->dir, r->c->mem, &r->n, reterr);
	if (err == 0 && passwords != NULL)
		err = password_file(r->c->mem, passwords, &text, reterr);
	/* What is loaded already stays where it is. */
	for (int i = ITEM_HOUSE; err == 0 && server != NULL && i < ITEM_COUNT; i++)
		if (r->state[i] == ITEM_WANTED || r->state[i] == ITEM_DUMP)
			err = place_store(r, server, item_vault(i), reterr);
	for (int v = 0; err == 0 && text != NULL && v < VAULT_COUNT; v++)
		err = password_to_store(r->c->mem, text, r->dir, vault_rows[v].name, reterr);
	if (text != NULL)
		cmd_wipe(text);
	return err == 0 && server != NULL ? write_conf(r, reterr) : err;
}

static int unpack(struct restore *r, int item, struct diag *reterr)
{
	bool dump = false;
	struct diag d = DIAG_INIT;
	int err = restore_unpack(r, item, false, &dump, &d);
	if ((err == FW_EDENIED || err == FW_ENOTFOUND) && item > ITEM_HOUSE) {
		tell(r, item, err == FW_EDENIED ? "waits for its custodians" : "waits: it is not in this backup");
		return 0;
	}
	if (err == 0 && item == ITEM_HOUSE)
		err = open_node(r, &d);
	if (err == 0)
		err = set_state(r, item, item == ITEM_KEYS ? ITEM_DONE : dump ? ITEM_DUMP : ITEM_UNPACKED, &d);
	if (err < 0) {
		diag_place(reterr, "%s", d.place);
		return diag_set(reterr, err, "%s", d.text[0] != '\0' ? d.text : err_text(err));
	}
	return 0;
}

static int restore_item(struct restore *r, int item, struct diag *reterr)
{
	int err = r->state[item] == ITEM_WANTED ? unpack(r, item, reterr) : 0;
	if (err == 0 && r->state[item] == ITEM_DUMP)
		err = take_up_dump(r, item, reterr);
	if (err == 0 && r->state[item] == ITEM_UNPACKED)
		err = bring_up(r, item, reterr);
	return err;
}

static size_t left(const struct restore *r)
{
	size_t n = 0;
	for (int i = 0; i < ITEM_COUNT; i++)
		n += r->state[i] != ITEM_DONE;
	return n;
}

static int restore_all(struct restore *r, struct diag *reterr)
{
	int err = open_folder(r, cmd_argument(r->c, 1), reterr);
	if (err == 0)
		err = make_folders(r, reterr);
	if (err == 0 && r->state[ITEM_KEYS] == ITEM_DONE)
		err = restore_load(r, reterr);
	if (err == 0 && r->state[ITEM_HOUSE] != ITEM_WANTED)
		err = open_node(r, reterr);
	for (int i = 0; err == 0 && i < ITEM_COUNT; i++)
		err = restore_item(r, i, reterr);
	if (err == 0 && left(r) == 0) {
		err = io_unlink(restore_path(r, "restoring"));
		if (err == 0)
			err = io_sync_dir(r->dir);
	}
	return err;
}

static int check_all(struct restore *r, struct diag *reterr)
{
	int err = 0, opened = 0;
	for (int i = 0; err == 0 && i < ITEM_COUNT; i++) {
		struct diag d = DIAG_INIT;
		bool dump;
		err = restore_unpack(r, i, true, &dump, &d);
		if (err == FW_EDENIED || err == FW_ENOTFOUND) {
			tell(r, i, err == FW_EDENIED ? "does not open with these keys" : "is not in this backup");
			err = 0;
			continue;
		}
		if (err == 0)
			tell(r, i, "opens and is whole");
		else
			diag_place(reterr, "%s", d.place);
		opened += err == 0;
		err = err < 0 ? diag_set(reterr, err, "%s", d.text) : 0;
	}
	return err == 0 && opened == 0 ? diag_set(reterr, FW_EDENIED, "none of the files opens with these keys") : err;
}

static void print_state(const struct restore *r)
{
	json_t *items = json_object();
	for (int i = 0; i < ITEM_COUNT; i++)
		(void)json_object_set_new(items, item_name(i), json_string(state_names[r->state[i]]));
	json_t *j = json_pack("{s:s,s:b,s:o}", "node", r->dir, "finished", left(r) == 0, "items", items);
	(void)json_dumpf(j, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(j);
}

int cmd_restore(struct cmd_context *c)
{
	struct restore r = { .c = c, .backup = cmd_argument(c, 0) };
	struct diag d = DIAG_INIT;
	bool check = cmd_flag(c, "check");
	int err = keys_start();
	if (err == 0)
		err = check_erasure_options(&r, &d);
	if (err == 0)
		err = open_keys(&r, &d);
	if (err == 0)
		err = check ? check_all(&r, &d) : restore_all(&r, &d);
	sodium_free(r.sks);
	node_keys_free(r.keys);
	if (err != 0)
		return cmd_fail(c, err, &d);
	if (check)
		return FW_EXIT_OK;
	if (cmd_json(c))
		print_state(&r);
	else if (left(&r) == 0 && !cmd_flag(c, "quiet"))
		(void)printf("The node in %s is whole and may serve.\n", r.dir);
	else if (!cmd_flag(c, "quiet"))
		(void)printf("Not finished: the node in %s does not serve before the rest is restored.\n", r.dir);
	return left(&r) == 0 ? FW_EXIT_OK : FW_EXIT_PARTLY;
}
