/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * `fairway init`: a new node.
 *
 * Everything is made in DIR.unfinished beside the place where it will stand,
 * synced, and only then renamed: an init that is interrupted leaves a folder
 * that no other command takes for a node, and that the next init removes.
 * What is to be handed over once is printed before the rename, so that no node
 * stands whose passwords nobody knows.
 */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "cmd/cmd.h"
#include "cmd/node_dir.h"
#include "cmd/store_place.h"
#include "codec/json.h"
#include "node/access/access_init.h"
#include "node/access/password.h"
#include "node/keys/keys.h"
#include "node/ledger/signer.h"
#include "store/store.h"
#include "tbl/settings.h"

enum { CUSTODIANS = 32, ID_BYTES = 5, USERS_PREFIX_MAX = 20 };

struct made_key {
	const char *vault, *login, *passphrase, *file;
};

struct init {
	struct cmd_context *c;
	struct arena *mem;
	const char *dir;   /* where it will stand, absolute */
	struct node_dir n; /* n.path: where it is made */
	const char *keys_dir; /* where custodians' secret keys go */
	bool keys_inside;     /* in the node's folder */
	struct access_named custodian[CUSTODIANS];
	size_t ncustodians;
	char *passwords; /* text of --password-file, or NULL */
	struct store *stores[VAULT_COUNT];
	const struct access_made *people;
	size_t npeople;
	struct made_key keys[CUSTODIANS];
	size_t nkeys;
	struct diag *d;
};

/* "FOLDER/NAME" of the node that is being made. */
static const char *inside(struct init *in, const char *name)
{
	return node_dir_path(&in->n, in->mem, name);
}

/* ---- the folder ---- */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)at;
	return kind == FTW_DP || kind == FTW_D ? rmdir(path) : unlink(path);
}

static int make_folder(struct init *in, const char *name, mode_t mode)
{
	const char *path = name != NULL ? inside(in, name) : in->n.path;
	int err = path == NULL ? -ENOMEM : io_mkdir(path, mode);
	if (err == 0 && chmod(path, mode) != 0) /* whatever the umask */
		err = -errno;
	return err == 0 ? 0 : diag_set(in->d, err, "cannot make %s: %s", path != NULL ? path : name, err_text(err));
}

/* The place must be free: nothing there, or an empty folder, onto which a folder may be renamed. */
static int look_at_place(struct init *in)
{
	DIR *d = opendir(in->dir);
	unsigned n = 0;
	if (d == NULL && errno == ENOENT)
		return 0;
	for (struct dirent *e; d != NULL && n <= 2 && (e = readdir(d)) != NULL;)
		n++;
	if (d != NULL)
		(void)closedir(d);
	return d != NULL && n <= 2 ? 0 :
				     diag_set(in->d, FW_EEXISTS,
					      "%s is there already and is not an empty folder; nothing was changed", in->dir);
}

/* The folder's path without symbolic links and dots, though its last part need not be there. */
static int place(struct init *in, const char *dir)
{
	char parent[PATH_MAX], *copy = arena_strdup(in->mem, dir);
	if (copy == NULL)
		return -ENOMEM;
	for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
		copy[n - 1] = '\0';
	char *slash = strrchr(copy, '/');
	const char *name = slash != NULL ? slash + 1 : copy;
	const char *before = slash == NULL ? "." : slash == copy ? "/" : copy;
	if (slash != NULL && slash != copy)
		*slash = '\0';
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return diag_set(in->d, FW_EINVALID, "\"%s\" names no new folder", dir);
	if (realpath(before, parent) == NULL)
		return diag_set(in->d, -errno, "%s: %s", before, err_text(-errno));
	in->dir = arena_printf(in->mem, "%s/%s", strcmp(parent, "/") == 0 ? "" : parent, name);
	in->n.path = arena_printf(in->mem, "%s.unfinished", in->dir);
	return in->n.path == NULL ? -ENOMEM : 0;
}

static int make_folders(struct init *in)
{
	/* What an interrupted init left has this name and no other use. */
	if (nftw(in->n.path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
		return diag_set(in->d, -errno, "cannot remove %s, left by an init that was interrupted: %s", in->n.path,
				err_text(-errno));
	int err = make_folder(in, NULL, 0711);
	if (err == 0)
		err = make_folder(in, "keys", 0700);
	if (err == 0)
		err = make_folder(in, "keeper", 0700);
	if (err == 0)
		err = make_folder(in, "run", 0711);
	for (int v = 0; err == 0 && v < VAULT_COUNT; v++) {
		err = make_folder(in, vault_rows[v].name, 0700);
		if (err == 0)
			err = make_folder(in, arena_printf(in->mem, "%s/spool", vault_rows[v].name), 0700);
	}
	if (err == 0 && in->keys_inside)
		err = make_folder(in, "custodians", 0700);
	return err;
}

/* ---- options ---- */

static int read_custodians(struct init *in)
{
	const char *given[CUSTODIANS];
	in->ncustodians = cmd_option_all(in->c, "custodian", given, CUSTODIANS);
	for (size_t i = 0; i < in->ncustodians; i++) {
		const char *eq = strchr(given[i], '=');
		int v = 0;
		while (v < VAULT_COUNT && (eq == NULL || strlen(vault_rows[v].name) != (size_t)(eq - given[i]) ||
					   strncmp(vault_rows[v].name, given[i], (size_t)(eq - given[i])) != 0))
			v++;
		if (v == VAULT_COUNT)
			return diag_set(in->d, FW_EINVALID,
					"--custodian %s: expected VAULT=ACCOUNT, with strategic, operational, protection or house",
					given[i]);
		in->custodian[i] = (struct access_named){ .vault = v, .login = eq + 1 };
	}
	return 0;
}

static int read_passwords(struct init *in)
{
	const char *path = cmd_option(in->c, "password-file");
	return path == NULL ? 0 : password_file(in->mem, path, &in->passwords, in->d);
}

static const char *password_of(void *arg, const char *name)
{
	struct init *in = arg;
	return password_line(in->mem, in->passwords, name);
}

static int plan_stores(struct init *in)
{
	const char *base = cmd_option(in->c, "store"), *url;
	int err = 0;
	for (int v = 0; err == 0 && base != NULL && v < VAULT_COUNT; v++) {
		err = store_place(in->mem, base, vault_rows[v].name, &url, in->d);
		if (err == 0)
			err = settings_set(&in->n.settings, arena_printf(in->mem, "store.%s", vault_rows[v].name), url, in->mem, in->d);
	}
	return err;
}

static int plan_settings(struct init *in)
{
	static const char empty[] = "[node]\nname = x\norigin = x\n";
	uint8_t id[ID_BYTES];
	char hex[2 * ID_BYTES + 1];
	struct settings *s = &in->n.settings;
	const char *conf = inside(in, "fairway.conf");
	int err = conf == NULL ? -ENOMEM : settings_parse(conf, empty, sizeof(empty) - 1, in->mem, s, in->d);
	if (err != 0)
		return err;
	randombytes_buf(id, sizeof(id));
	(void)sodium_bin2hex(hex, sizeof(hex), id, sizeof(id));
	const char *domain = cmd_option(in->c, "origin"), *state = cmd_option(in->c, "state");
	const char *origin = arena_printf(in->mem, "%s/%s", domain != NULL ? domain : "fairway.invalid", hex);
	err = origin == NULL ? -ENOMEM : settings_set(s, "node.name", cmd_option(in->c, "name"), in->mem, in->d);
	if (err == 0)
		err = settings_set(s, "node.origin", origin, in->mem, in->d);
	if (err == 0 && state != NULL)
		err = settings_set(s, "node.state", state, in->mem, in->d);
	if (err == 0 && cmd_flag(in->c, "exercise"))
		err = settings_set(s, "node.exercise", "yes", in->mem, in->d);
	/* The demonstration's passwords are printed: a second factor would only be in the way. */
	if (err == 0 && cmd_flag(in->c, "exercise"))
		err = settings_set(s, "session.factor", "optional", in->mem, in->d);
	return err == 0 ? plan_stores(in) : err;
}

/* ---- stores, accounts, keys ---- */

static int open_stores(struct init *in)
{
	for (int v = 0; v < VAULT_COUNT; v++) {
		int err = password_to_store(in->mem, in->passwords, in->n.path, vault_rows[v].name, in->d);
		if (err == 0)
			err = node_dir_store(&in->n, in->mem, v, true, &in->stores[v], in->d);
		if (err != 0)
			return err;
	}
	return 0;
}

static void close_stores(struct init *in)
{
	for (int v = 0; v < VAULT_COUNT; v++) {
		store_close(in->stores[v]);
		in->stores[v] = NULL;
	}
}

static int make_people(struct init *in)
{
	struct access_init a = { .argon2_passes = (unsigned)in->n.settings.session_argon2_passes,
				 .argon2_mib = (unsigned)in->n.settings.session_argon2_mib,
				 .administrator = cmd_option(in->c, "administrator"),
				 .custodians = in->custodian,
				 .ncustodians = in->ncustodians,
				 .password = password_of,
				 .arg = in };
	for (int v = 0; v < VAULT_COUNT; v++)
		a.stores[v] = in->stores[v];
	if (cmd_flag(in->c, "exercise"))
		return access_init_demo(&a, in->mem, &in->people, &in->npeople, in->d);
	return access_init_first(&a, "HQ", in->n.settings.node_name, in->mem, &in->people, &in->npeople, in->d);
}

static int make_custodian(struct init *in, const struct access_made *who, struct buf *list)
{
	struct custodian_public pub;
	struct buf secret;
	char *made = arena_alloc(in->mem, PASSWORD_GIVEN + 1);
	const char *phrase = password_of(in, arena_printf(in->mem, "%s.key", who->login));
	if (made == NULL || in->nkeys == CUSTODIANS)
		return made == NULL ? -ENOMEM : FW_ELIMIT;
	if (phrase == NULL && cmd_flag(in->c, "exercise")) {
		phrase = who->password;
	} else if (phrase == NULL) {
		password_given(made);
		phrase = made;
	}
	buf_init(&secret, 16384);
	const char *name = arena_printf(in->mem, "%s.key", who->login);
	int err = custodian_create(who->login, phrase, &pub, &secret, in->d);
	if (err == 0)
		err = io_create_file(arena_printf(in->mem, "%s/%s", in->keys_dir, name), secret.data, secret.len, 0600, in->d);
	if (err == 0) {
		custodians_put(list, who->custodian_of, &pub);
		/* Named as it will be found when the node stands. */
		const char *where = in->keys_inside ? arena_printf(in->mem, "%s/custodians", in->dir) : in->keys_dir;
		in->keys[in->nkeys++] = (struct made_key){ who->custodian_of, who->login, phrase,
							   arena_printf(in->mem, "%s/%s", where, name) };
	}
	buf_wipe(&secret);
	buf_release(&secret);
	return err;
}

static int make_custodians(struct init *in)
{
	struct buf list;
	buf_init(&list, CUSTODIANS_FILE_MAX);
	buf_puts(&list, "# Public keys of the custodians, to whom backups are sealed.\n");
	int err = 0;
	for (size_t i = 0; err == 0 && i < in->npeople; i++)
		if (in->people[i].custodian_of != NULL)
			err = make_custodian(in, &in->people[i], &list);
	if (err == 0)
		err = buf_failed(&list) ? list.error :
					  io_create_file(inside(in, "keys/custodians.pub"), list.data,
							 list.len, 0600, in->d);
	buf_release(&list);
	return err;
}

static int make_heads(struct init *in)
{
	struct node_keys *k = NULL;
	const char *path = inside(in, "keys/node.key");
	int err = node_keys_create(path, in->d);
	if (err == 0)
		err = node_keys_load(path, &k, in->d);
	struct signer sg = { .folder = inside(in, "keeper"), .keys = k };
	for (int v = 0; err == 0 && v < VAULT_COUNT; v++)
		err = signer_create(&sg, node_dir_origin(&in->n, in->mem, v), in->d);
	node_keys_free(k);
	return err;
}

static int write_settings(struct init *in)
{
	struct buf b;
	buf_init(&b, SETTING_FILE_MAX);
	settings_write(&in->n.settings, &b);
	int err = buf_failed(&b) ? b.error :
				   io_create_file(inside(in, "fairway.conf"), b.data, b.len, 0600, in->d);
	buf_release(&b);
	return err;
}

/* ---- owners, when root makes a node whose processes have users of their own ---- */

static uid_t give_uid;
static gid_t give_gid;

static int give_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return lchown(path, give_uid, give_gid);
}

static int give_part(struct init *in, const char *process, const char *folder)
{
	const char *user = arena_printf(in->mem, "%s-%s", cmd_option(in->c, "users"), process);
	const struct passwd *pw = user != NULL ? getpwnam(user) : NULL;
	if (pw == NULL || pw->pw_uid == 0)
		return diag_set(in->d, FW_EINVALID, "there is no user %s", user != NULL ? user : process);
	give_uid = pw->pw_uid;
	give_gid = pw->pw_gid;
	if (folder != NULL && nftw(inside(in, folder), give_one, 16, FTW_PHYS) != 0)
		return diag_set(in->d, -errno, "cannot give %s to %s: %s", folder, user, err_text(-errno));
	return settings_set(&in->n.settings, arena_printf(in->mem, "process.%s", process), user, in->mem, in->d);
}

static int give_away(struct init *in)
{
	static const char *const parts[][2] = { { "front", NULL },	       { "house", "house" },
						{ "strategic", "strategic" },  { "operational", "operational" },
						{ "protection", "protection" }, { "keeper", "keeper" },
						{ "reader", NULL } };
	int err = 0;
	if (cmd_option(in->c, "users") == NULL)
		return 0;
	if (geteuid() != 0)
		return diag_set(in->d, -EPERM, "only root can give the parts of a node to several users");
	for (size_t i = 0; err == 0 && i < sizeof(parts) / sizeof(*parts); i++)
		err = give_part(in, parts[i][0], parts[i][1]);
	return err;
}

/* ---- words ---- */

static void print_json(struct init *in)
{
	struct buf b;
	struct jw j;
	buf_init(&b, 1 << 20);
	jw_init(&j, &b);
	jw_object(&j);
	jw_put_string(&j, "node", in->dir);
	jw_put_string(&j, "origin", in->n.settings.node_origin);
	jw_name(&j, "accounts");
	jw_array(&j);
	for (size_t i = 0; i < in->npeople; i++) {
		jw_object(&j);
		jw_put_string(&j, "account", in->people[i].login);
		jw_put_string(&j, "password", in->people[i].password);
		jw_put_string(&j, "display", in->people[i].display);
		jw_put_string(&j, "vault", in->people[i].vault);
		jw_put_string(&j, "role", in->people[i].words);
		jw_end(&j);
	}
	jw_end(&j);
	jw_name(&j, "custodian_keys");
	jw_array(&j);
	for (size_t i = 0; i < in->nkeys; i++) {
		jw_object(&j);
		jw_put_string(&j, "vault", in->keys[i].vault);
		jw_put_string(&j, "account", in->keys[i].login);
		jw_put_string(&j, "passphrase", in->keys[i].passphrase);
		jw_put_string(&j, "file", in->keys[i].file);
		jw_end(&j);
	}
	jw_end(&j);
	jw_end(&j);
	if (!buf_failed(&b))
		(void)fwrite(b.data, 1, b.len, stdout);
	(void)putchar('\n');
	buf_wipe(&b);
	buf_release(&b);
}

static void print_words(struct init *in)
{
	bool demo = cmd_flag(in->c, "exercise");
	(void)printf("Accounts of the node \"%s\". Each password is shown this once%s.\n\n", in->n.settings.node_name,
		     demo ? "" : " and must be changed at the first log-in");
	for (size_t i = 0; i < in->npeople; i++)
		(void)printf("  %-26s %-22s %s\n", in->people[i].login, in->people[i].password, in->people[i].display);
	(void)printf("\nCustodians' secret keys, which open backups. Hand over each file with its passphrase,\n"
		     "take it off this machine, and keep it: nobody can make it again.\n\n");
	for (size_t i = 0; i < in->nkeys; i++)
		(void)printf("  %-26s %-22s %s\n", arena_printf(in->mem, "%s.key", in->keys[i].login), in->keys[i].passphrase,
			     in->keys[i].file);
	(void)printf("\nThe node is in %s\n", in->dir);
}

static int print_all(struct init *in)
{
	if (cmd_json(in->c))
		print_json(in);
	else
		print_words(in);
	return fflush(stdout) == 0 ? 0 : diag_set(in->d, -EIO, "the passwords could not be printed; no node was made");
}

/* ---- the whole ---- */

static int finish(struct init *in)
{
	int err = give_away(in);
	if (err == 0)
		err = write_settings(in);
	for (int v = 0; err == 0 && v < VAULT_COUNT; v++)
		err = io_sync_dir(inside(in, vault_rows[v].name));
	if (err == 0)
		err = io_sync_dir(in->n.path);
	if (err == 0)
		err = print_all(in);
	if (err == 0)
		err = io_rename(in->n.path, in->dir);
	if (err != 0)
		return diag_set(in->d, err, "the node could not be finished: %s", err_text(err));
	char *parent = arena_strdup(in->mem, in->dir);
	char *slash = parent != NULL ? strrchr(parent, '/') : NULL;
	if (slash != NULL)
		slash[slash == parent ? 1 : 0] = '\0';
	return parent == NULL ? -ENOMEM : io_sync_dir(parent);
}

static int make_node(struct init *in)
{
	int err = make_folders(in);
	if (err == 0)
		err = make_heads(in);
	if (err == 0)
		err = open_stores(in);
	if (err == 0)
		err = make_people(in);
	close_stores(in);
	if (err == 0)
		err = make_custodians(in);
	return err == 0 ? finish(in) : err;
}

/* After a failure: nothing of it stays, the keys that went elsewhere included. */
static void undo(struct init *in)
{
	for (size_t i = 0; !in->keys_inside && i < in->nkeys; i++)
		(void)unlink(in->keys[i].file);
	(void)nftw(in->n.path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int cmd_init(struct cmd_context *c)
{
	struct diag d = DIAG_INIT;
	struct init *in = arena_alloc(c->mem, sizeof(*in));
	if (in == NULL || keys_start() < 0)
		return cmd_fail(c, -ENOMEM, &d);
	*in = (struct init){ .c = c, .mem = c->mem, .d = &d };
	(void)umask(0077);
	int err = place(in, cmd_argument(c, 0));
	const char *elsewhere = cmd_option(c, "keys");
	in->keys_inside = elsewhere == NULL;
	in->keys_dir = elsewhere != NULL ? elsewhere : inside(in, "custodians");
	if (err == 0)
		err = read_custodians(in);
	if (err == 0)
		err = read_passwords(in);
	if (err == 0)
		err = plan_settings(in);
	if (err == 0)
		err = look_at_place(in);
	if (err == 0) {
		err = make_node(in);
		if (err != 0)
			undo(in);
	}
	return err == 0 ? FW_EXIT_OK : cmd_fail(c, err, &d);
}
