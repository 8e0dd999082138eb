/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* `fairway serve`: from the node's folder to the supervisor's configuration. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/time.h"
#include "cmd/cmd.h"
#include "cmd/listen.h"
#include "cmd/node_dir.h"
#include "node/process/sandbox.h"
#include "node/process/supervisor.h"
#include "tbl/settings.h"

enum { READERS = 4, WORDS = 300 };

struct serve {
	struct cmd_context *c;
	struct node_dir n;
	struct supervisor_config cfg;
	char address[WORDS];
};

/* What of the settings each process is told: it needs no more, so it gets no more. */
static const struct {
	enum proc proc;
	const char *user; /* its setting */
	const char *sections[5];
} parts[] = {
	{ PROC_FRONT, "process.front", { "http", "log" } },
	{ PROC_HOUSE, "process.house", { "session", "ledger", "log" } },
	{ PROC_STRATEGIC, "process.strategic", { "import", "ledger", "log" } },
	{ PROC_OPERATIONAL, "process.operational", { "import", "ledger", "log" } },
	{ PROC_PROTECTION, "process.protection", { "import", "ledger", "log" } },
	{ PROC_KEEPER, "process.keeper", { "ledger", "log" } },
	{ PROC_READER, "process.reader", { NULL } },
};
enum { PARTS = sizeof(parts) / sizeof(*parts) };

/* Two settings that more than one section's process must know. */
static bool told(size_t part, const struct setting_row *row)
{
	if (strcmp(row->section, "process") == 0)
		return strcmp(row->key, "sandbox") == 0;
	if (strcmp(row->section, "http") == 0 && strcmp(row->key, "upload_mib") == 0)
		return true;
	for (size_t i = 0; parts[part].sections[i] != NULL; i++)
		if (strcmp(parts[part].sections[i], row->section) == 0)
			return true;
	return false;
}

static int tell_settings(struct serve *s, size_t part, struct wire_boot *b)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct setting_row *row = &setting_rows[i];
		char text[SETTING_TEXT_MAX];
		if (!told(part, row))
			continue;
		if (b->nsettings == WIRE_SETTINGS)
			return FW_ELIMIT;
		setting_text(&s->n.settings, row, text, sizeof(text));
		b->setting[b->nsettings++] =
			(struct wire_pair){ arena_printf(s->c->mem, "%s.%s", row->section, row->key),
					    arena_strdup(s->c->mem, text) };
	}
	return 0;
}

static int vault_of(enum proc p)
{
	return p == PROC_HOUSE	     ? VAULT_HOUSE :
	       p == PROC_STRATEGIC   ? VAULT_STRATEGIC :
	       p == PROC_OPERATIONAL ? VAULT_OPERATIONAL :
	       p == PROC_PROTECTION  ? VAULT_PROTECTION :
				       -1;
}

/* A clock moved by a test: on nodes in exercise only. */
static int64_t test_clock(const struct serve *s)
{
	const char *text = getenv("FAIRWAY_TEST_CLOCK");
	return text != NULL && s->n.settings.node_exercise ? strtoll(text, NULL, 10) : 0;
}

static int plan_boot(struct serve *s, size_t part)
{
	enum proc p = parts[part].proc;
	struct wire_boot *b = &s->cfg.child[p].boot;
	int vault = vault_of(p);
	*b = (struct wire_boot){ .node_name = s->n.settings.node_name,
				 .node_state = s->n.settings.node_state,
				 .origin = s->n.settings.node_origin,
				 .exercise = s->n.settings.node_exercise,
				 .test_clock = test_clock(s) };
	if (vault >= 0) {
		b->store_url = node_dir_store_url(&s->n, s->c->mem, vault);
		b->folder = node_dir_path(&s->n, s->c->mem, vault_rows[vault].name);
	}
	if (p == PROC_KEEPER) {
		b->folder = node_dir_path(&s->n, s->c->mem, "keeper");
		b->auditor_file = s->n.settings.ledger_auditor_file[0] != '\0' ? s->n.settings.ledger_auditor_file : NULL;
	}
	return tell_settings(s, part, b);
}

static int plan_user(struct serve *s, size_t part, struct diag *reterr)
{
	char name[SETTING_TEXT_MAX];
	setting_text(&s->n.settings, setting_find(parts[part].user), name, sizeof(name));
	if (name[0] == '\0' || geteuid() != 0)
		return 0;
	const struct passwd *pw = getpwnam(name);
	if (pw == NULL || pw->pw_uid == 0) {
		diag_place(reterr, "%s", parts[part].user);
		return diag_set(reterr, FW_EINVALID, "there is no user \"%s\" that is not root", name);
	}
	s->cfg.child[parts[part].proc].uid = pw->pw_uid;
	s->cfg.child[parts[part].proc].gid = pw->pw_gid;
	return 0;
}

static int plan(struct serve *s, struct diag *reterr)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < PARTS; i++) {
		err = plan_user(s, i, reterr);
		if (err == 0)
			err = plan_boot(s, i);
	}
	s->cfg.key_path = node_dir_path(&s->n, s->c->mem, "keys/node.key");
	s->cfg.readers = READERS;
	s->cfg.reader_memory = (uint64_t)s->n.settings.import_reader_mib << 20;
	if (geteuid() == 0 && s->cfg.child[PROC_KEEPER].uid == 0)
		log_line(LOG_L_WARN, "node.root", "every process runs as root; give each a user in the section [process]");
	return err == 0 && arena_failed(s->c->mem) ? -ENOMEM : err;
}

static int open_socket(struct serve *s, struct diag *reterr)
{
	const struct supervisor_child *front = &s->cfg.child[PROC_FRONT];
	const char *given = cmd_option(s->c, "listen");
	char *end;
	unsigned long mode = strtoul(s->n.settings.http_socket_mode, &end, 8);
	if (*end != '\0' || mode > 0777) {
		diag_place(reterr, "http.socket_mode");
		return diag_set(reterr, FW_EINVALID, "three octal digits are expected, as in 0660");
	}
	struct listen_at at = { .address = given != NULL ? given : s->n.settings.http_listen, .mode = (mode_t)mode,
				.owner = front->uid, .group = front->gid };
	return listen_open(&at, &s->cfg.listen_fd, s->address, sizeof(s->address), reterr);
}

/* What the supervisor will open again and again must be there at the start. */
static int look_at_key(struct serve *s, struct diag *reterr)
{
	int fd = io_open(s->cfg.key_path, O_RDONLY | O_NOFOLLOW, 0);
	if (fd < 0)
		return diag_set(reterr, fd, "cannot open %s: %s", s->cfg.key_path, err_text(fd));
	(void)io_close(fd);
	return 0;
}

static void say_ready(void *arg)
{
	struct serve *s = arg;
	if (cmd_json(s->c))
		(void)printf("{\"listen\":\"%s\"}\n", s->address);
	else if (!cmd_flag(s->c, "quiet"))
		(void)printf("Ready on %s\n", s->address);
	(void)fflush(stdout);
}

static int open_node(struct serve *s, struct diag *reterr)
{
	int err = node_dir_open(cmd_argument(s->c, 0), s->c->mem, &s->n, reterr);
	log_process("supervisor");
	if (err == 0 && access(node_dir_path(&s->n, s->c->mem, "restoring"), F_OK) == 0)
		err = diag_set(reterr, FW_ECONFLICT, "a restore into this folder is not finished: run \"fairway restore\" "
						     "again; until then it must not serve");
	if (err == 0) {
		log_level((enum log_level)s->n.settings.log_level);
		err = plan(s, reterr);
	}
	if (err == 0)
		err = look_at_key(s, reterr);
	if (err == 0)
		err = supervisor_lock(s->n.path, &s->cfg.lock_fd, reterr);
	return err != 0 ? err : open_socket(s, reterr);
}

/* The folder that ${file} lies in, or NULL. */
static const char *folder_of(struct serve *s, const char *file)
{
	const char *slash = strrchr(file, '/');
	return slash == NULL ? NULL : slash == file ? "/" : arena_strndup(s->c->mem, file, (size_t)(slash - file));
}

/* From here on nobody of this node writes elsewhere. */
static int put_up_walls(struct serve *s, struct diag *reterr)
{
	struct supervisor_walls w = { .dirs_rw = { s->n.path, folder_of(s, s->n.settings.ledger_auditor_file) } };
	const char *missing = NULL;
	for (size_t i = 0; i < PROC_COUNT; i++) {
		const char *url = s->cfg.child[i].boot.store_url;
		w.connects = w.connects || (url != NULL && strncmp(url, "sqlite:", 7) != 0);
	}
	return sandbox_supervisor(&w, &missing, reterr); /* each child says what is missing, or refuses to start */
}

int cmd_serve(struct cmd_context *c)
{
	static struct serve s; /* larger than a stack likes */
	struct diag d = DIAG_INIT;
	s = (struct serve){ .c = c, .cfg = { .lock_fd = -1, .listen_fd = -1, .on_ready = say_ready, .arg = &s } };
	/* No file of the node is for others, and no secret of a child for whoever else runs as its user. */
	(void)umask(0077);
	(void)prctl(PR_SET_NAME, "fw-supervisor", 0, 0, 0);
	int err = open_node(&s, &d);
	if (err == 0 && cmd_flag(c, "check")) {
		(void)printf("The node in %s can be served on %s\n", s.n.path, s.address);
		(void)io_close(s.cfg.lock_fd);
		(void)io_close(s.cfg.listen_fd);
		return FW_EXIT_OK;
	}
	if (err == 0)
		err = put_up_walls(&s, &d);
	if (err == 0)
		err = supervisor_run(&s.cfg, &d);
	return err == 0 ? FW_EXIT_OK : cmd_fail(c, err, &d);
}
