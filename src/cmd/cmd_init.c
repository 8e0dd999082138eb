/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Makes a node.  fairway.conf is written last: a folder without it is no
 * node, whatever an interrupted init left in it, and init refuses a folder
 * that holds anything, so that nothing is ever mixed.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/uuid.h"
#include "cmd/cmd.h"
#include "cmd/node_dir.h"
#include "node/access/access_init.h"
#include "node/keys/keys.h"
#include "node/ledger/signer.h"
#include "store/store.h"
#include "tbl/settings.h"

enum { PASSPHRASE_WORDS = 6, WORD_LETTERS = 4 };

struct making {
	struct cmd_context *c;
	struct node_dir n;
	struct store *stores[VAULT_COUNT];
	struct node_keys *keys;
	const struct access_made *made;
	size_t nmade;
	const char *passphrase[16]; /* of made[i]'s key file; NULL if it has none */
	const char *keys_out;       /* where the custodians' files go */
};

static int make_empty_folder(const char *path, struct diag *reterr)
{
	int err = io_mkdir(path, 0700);
	if (err == 0)
		return 0;
	if (err != -EEXIST)
		return diag_set(reterr, err, "cannot make the folder %s: %s", path, err_text(err));
	DIR *d = opendir(path);
	if (d == NULL)
		return diag_set(reterr, -errno, "cannot read the folder %s: %s", path, err_text(-errno));
	int entries = 0;
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		entries += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	(void)closedir(d);
	return entries == 0 ? 0 :
			      diag_set(reterr, FW_EEXISTS, "%s is not empty; a node is made in a new folder and never over another",
				       path);
}

static int make_folders(struct making *m, struct diag *reterr)
{
	static const char *const names[] = { "keys",	   "keeper",	    "run",
					     "house",	   "strategic",	    "operational",
					     "protection", "strategic/spool", "operational/spool",
					     "protection/spool" };
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *path = node_dir_path(&m->n, m->c->mem, names[i]);
		int err = io_mkdir(path, 0700);
		if (err != 0)
			return diag_set(reterr, err, "cannot make the folder %s: %s", path, err_text(err));
	}
	return 0;
}

/* postgresql://host/?options -> postgresql://host/fairway_strategic?options */
static const char *pg_url(struct arena *mem, const char *base, const char *vault)
{
	const char *query = strchr(base, '?');
	size_t n = query != NULL ? (size_t)(query - base) : strlen(base);
	while (n > 0 && base[n - 1] == '/')
		n--;
	return arena_printf(mem, "%.*s/fairway_%s%s", (int)n, base, vault, query != NULL ? query : "");
}

static int choose_settings(struct making *m, struct diag *reterr)
{
	struct cmd_context *c = m->c;
	struct uuid id = uuid_new();
	char text[UUID_TEXT_LEN + 1], conf[400];
	const char *domain = cmd_option(c, "origin"), *store = cmd_option(c, "store");
	uuid_format(&id, text);
	/* The required settings first, so that the reader has something whole to begin with. */
	(void)snprintf(conf, sizeof(conf), "[node]\nname = x\norigin = %.200s/%s\n", domain != NULL ? domain : "fairway.invalid",
		       text);
	struct settings *s = &m->n.settings;
	int err = settings_parse(node_dir_path(&m->n, c->mem, "fairway.conf"), conf, strlen(conf), c->mem, s, reterr);
	if (err == 0)
		err = settings_set(s, "node.name", cmd_option(c, "name"), c->mem, reterr);
	if (err == 0 && cmd_option(c, "state") != NULL)
		err = settings_set(s, "node.state", cmd_option(c, "state"), c->mem, reterr);
	if (err == 0 && cmd_flag(c, "exercise"))
		err = settings_set(s, "node.exercise", "yes", c->mem, reterr);
	for (int v = 0; err == 0 && store != NULL && v < VAULT_COUNT; v++)
		err = settings_set(s, arena_printf(c->mem, "store.%s", vault_rows[v].name),
				   pg_url(c->mem, store, vault_rows[v].name), c->mem, reterr);
	return err;
}

static int make_keys(struct making *m, struct diag *reterr)
{
	struct arena *mem = m->c->mem;
	const char *path = node_dir_path(&m->n, mem, "keys/node.key");
	int err = node_keys_create(path, reterr);
	if (err == 0)
		err = node_keys_load(path, &m->keys, reterr);
	const struct signer sg = { .folder = node_dir_path(&m->n, mem, "keeper"), .keys = m->keys };
	for (int v = 0; err == 0 && v < VAULT_COUNT; v++)
		err = signer_create(&sg, node_dir_origin(&m->n, mem, v), reterr);
	return err;
}

static int make_accounts(struct making *m, struct diag *reterr)
{
	struct cmd_context *c = m->c;
	struct access_init in = { .argon2_mib = (unsigned)m->n.settings.session_argon2_mib,
				  .argon2_passes = (unsigned)m->n.settings.session_argon2_passes };
	int err = 0;
	for (int v = 0; err == 0 && v < VAULT_COUNT; v++) {
		err = node_dir_store(&m->n, c->mem, v, true, &m->stores[v], reterr);
		in.stores[v] = m->stores[v];
	}
	if (err == 0 && cmd_flag(c, "exercise"))
		err = access_init_demo(&in, c->mem, &m->made, &m->nmade, reterr);
	else if (err == 0)
		err = access_init_first(&in, "HQ", m->n.settings.node_name, c->mem, &m->made, &m->nmade, reterr);
	return err;
}

/* Six groups of four letters, 112 bits: written down once, typed rarely. */
static const char *new_passphrase(struct arena *mem)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz";
	char *p = arena_alloc(mem, PASSPHRASE_WORDS * (WORD_LETTERS + 1));
	for (int i = 0, at = 0; p != NULL && i < PASSPHRASE_WORDS; i++) {
		for (int k = 0; k < WORD_LETTERS; k++)
			p[at++] = letters[randombytes_uniform(sizeof(letters) - 1)];
		p[at++] = i + 1 < PASSPHRASE_WORDS ? '-' : '\0';
	}
	return p;
}

static int make_custodian(struct making *m, size_t i, struct buf *publics, struct diag *reterr)
{
	const struct access_made *who = &m->made[i];
	struct custodian_public pub;
	struct buf file;
	const char *phrase = cmd_flag(m->c, "exercise") ? who->password : new_passphrase(m->c->mem);
	if (phrase == NULL)
		return -ENOMEM;
	buf_init(&file, 8192);
	int err = custodian_create(who->login, phrase, &pub, &file, reterr);
	if (err == 0)
		err = io_create_file(arena_printf(m->c->mem, "%s/%s.key", m->keys_out, who->login), file.data, file.len, 0600,
				     reterr);
	if (err == 0)
		custodians_put(publics, who->custodian_of, &pub);
	buf_wipe(&file);
	buf_release(&file);
	m->passphrase[i] = phrase;
	return err;
}

static int make_custodians(struct making *m, struct diag *reterr)
{
	struct cmd_context *c = m->c;
	struct buf publics;
	m->keys_out = cmd_option(c, "keys") != NULL ? cmd_option(c, "keys") : node_dir_path(&m->n, c->mem, "custodians");
	int err = io_mkdir(m->keys_out, 0700);
	if (err != 0 && err != -EEXIST)
		return diag_set(reterr, err, "cannot make the folder %s: %s", m->keys_out, err_text(err));
	buf_init(&publics, 65536);
	err = 0;
	for (size_t i = 0; err == 0 && i < m->nmade && i < sizeof(m->passphrase) / sizeof(*m->passphrase); i++)
		if (m->made[i].custodian_of != NULL)
			err = make_custodian(m, i, &publics, reterr);
	if (err == 0)
		err = io_create_file(node_dir_path(&m->n, c->mem, "keys/custodians.pub"), publics.data, publics.len, 0644, reterr);
	buf_release(&publics);
	return err;
}

static int write_conf(struct making *m, struct diag *reterr)
{
	struct buf b;
	buf_init(&b, SETTING_FILE_MAX);
	settings_write(&m->n.settings, &b);
	int err = buf_failed(&b) ? b.error :
				   io_create_file(node_dir_path(&m->n, m->c->mem, "fairway.conf"), b.data, b.len, 0600, reterr);
	buf_release(&b);
	return err != 0 ? err : io_sync_dir(m->n.path);
}

static void print_made(const struct making *m)
{
	if (cmd_json(m->c)) {
		json_t *all = json_array();
		for (size_t i = 0; i < m->nmade; i++)
			(void)json_array_append_new(all, json_pack("{s:s,s:s,s:s,s:s,s:s?}", "account", m->made[i].login, "display",
								   m->made[i].display, "password", m->made[i].password, "words",
								   m->made[i].words, "passphrase", m->passphrase[i]));
		json_t *j = json_pack("{s:s,s:s,s:o}", "node", m->n.path, "keys", m->keys_out, "accounts", all);
		(void)json_dumpf(j, stdout, JSON_COMPACT);
		(void)putchar('\n');
		json_decref(j);
		return;
	}
	(void)printf("Made the node \"%s\" in %s\n\n", m->n.settings.node_name, m->n.path);
	for (size_t i = 0; i < m->nmade; i++)
		(void)printf("  %-24s %-30s %s\n", m->made[i].login, m->made[i].password, m->made[i].words);
	(void)printf("\nThese passwords are shown this once%s.\n",
		     cmd_flag(m->c, "exercise") ? "" : " and must be changed at the first log-in");
	(void)printf("\nCustodians' secret keys are in %s: give each custodian the file of that name and its passphrase,\n"
		     "and keep no copy. Backups open with them and in no other way.\n\n", m->keys_out);
	for (size_t i = 0; i < m->nmade; i++)
		if (m->passphrase[i] != NULL)
			(void)printf("  %-24s %s\n", arena_printf(m->c->mem, "%s.key", m->made[i].login), m->passphrase[i]);
}

int cmd_init(struct cmd_context *c)
{
	static struct making m;
	struct diag d = DIAG_INIT;
	char real[PATH_MAX];
	m.c = c;
	int err = make_empty_folder(cmd_argument(c, 0), &d);
	if (err == 0 && realpath(cmd_argument(c, 0), real) == NULL)
		err = -errno;
	m.n.path = err == 0 ? arena_strdup(c->mem, real) : "";
	if (err == 0)
		err = keys_start();
	if (err == 0)
		err = choose_settings(&m, &d);
	if (err == 0)
		err = make_folders(&m, &d);
	if (err == 0)
		err = make_keys(&m, &d);
	if (err == 0)
		err = make_accounts(&m, &d);
	if (err == 0)
		err = make_custodians(&m, &d);
	if (err == 0)
		err = write_conf(&m, &d);
	for (int v = 0; v < VAULT_COUNT; v++)
		store_close(m.stores[v]);
	node_keys_free(m.keys);
	if (err != 0)
		return cmd_fail(c, err, &d);
	print_made(&m);
	return FW_EXIT_OK;
}
