/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Puts the processes of a node together: each learns in its BOOT what it may know, and no more. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/listen.h"
#include "cmd/node_dir.h"
#include "cmd/vaults.h"
#include "node/process/front.h"
#include "node/process/keeper.h"
#include "node/process/supervisor.h"
#include "tbl/settings.h"

enum { CONTROL_FD = 3, LISTEN_FD = 4, READERS = 4, READER_SECONDS = 6 * 3600 };

/* Which sections of fairway.conf a process is told. */
static const char *const sections[PROC_COUNT][6] = {
	[PROC_FRONT] = { "http", "session", "process", "log" },
	[PROC_HOUSE] = { "session", "ledger", "process", "log" },
	[PROC_STRATEGIC] = { "http", "import", "ledger", "process", "log" },
	[PROC_OPERATIONAL] = { "http", "import", "ledger", "process", "log" },
	[PROC_PROTECTION] = { "http", "import", "ledger", "process", "log" },
	[PROC_KEEPER] = { "ledger", "process", "log" },
};

static bool told(enum proc p, const char *section)
{
	for (const char *const *s = sections[p]; *s != NULL; s++)
		if (strcmp(*s, section) == 0)
			return true;
	return false;
}

static void add_settings(const struct node_dir *n, enum proc p, struct arena *mem, struct wire_boot *boot)
{
	char text[SETTING_TEXT_MAX];
	for (size_t i = 0; i < SETTING_COUNT && boot->nsettings < WIRE_SETTINGS; i++) {
		const struct setting_row *row = &setting_rows[i];
		if (!told(p, row->section))
			continue;
		setting_text(&n->settings, row, text, sizeof(text));
		boot->setting[boot->nsettings++] = (struct wire_pair){
			.name = arena_printf(mem, "%s.%s", row->section, row->key), .value = arena_strdup(mem, text) };
	}
}

static int vault_of(enum proc p)
{
	switch (p) {
	case PROC_HOUSE: return VAULT_HOUSE;
	case PROC_STRATEGIC: return VAULT_STRATEGIC;
	case PROC_OPERATIONAL: return VAULT_OPERATIONAL;
	case PROC_PROTECTION: return VAULT_PROTECTION;
	default: return -1;
	}
}

static const char *user_setting(const struct settings *s, enum proc p)
{
	const char *const users[PROC_COUNT] = {
		[PROC_FRONT] = s->process_front,	     [PROC_HOUSE] = s->process_house,
		[PROC_STRATEGIC] = s->process_strategic,     [PROC_OPERATIONAL] = s->process_operational,
		[PROC_PROTECTION] = s->process_protection,   [PROC_KEEPER] = s->process_keeper,
		[PROC_READER] = s->process_reader,
	};
	return users[p] != NULL ? users[p] : "";
}

static int set_user(const struct settings *s, enum proc p, struct supervisor_child *c, struct diag *reterr)
{
	const char *name = user_setting(s, p);
	if (name[0] == '\0')
		return 0;
	if (geteuid() != 0)
		return diag_set(reterr, FW_EINVALID, "process.%s names the user %s, which only root can become", proc_name(p), name);
	const struct passwd *pw = getpwnam(name);
	if (pw == NULL || pw->pw_uid == 0)
		return diag_set(reterr, FW_EINVALID, "process.%s names %s, which is no user of this machine other than root",
				proc_name(p), name);
	c->uid = pw->pw_uid;
	c->gid = pw->pw_gid;
	return 0;
}

/* Tests move the clock; only where all data is synthetic. */
static int64_t test_clock(const struct settings *s)
{
	const char *text = getenv("FAIRWAY_TEST_CLOCK");
	return s->node_exercise && text != NULL ? strtoll(text, NULL, 10) : 0;
}

static int describe(const struct node_dir *n, enum proc p, struct arena *mem, struct supervisor_child *c,
		    struct diag *reterr)
{
	int vault = vault_of(p);
	c->boot = (struct wire_boot){ .node_name = n->settings.node_name, .node_state = n->settings.node_state,
				      .origin = n->settings.node_origin, .exercise = n->settings.node_exercise,
				      .test_clock = test_clock(&n->settings) };
	if (vault >= 0) {
		c->boot.store_url = node_dir_store_url(n, mem, vault);
		c->boot.folder = node_dir_path(n, mem, vault_rows[vault].name);
	}
	add_settings(n, p, mem, &c->boot);
	if (p == PROC_KEEPER) {
		c->boot.folder = node_dir_path(n, mem, "keeper");
		c->boot.auditor_file = n->settings.ledger_auditor_file[0] != '\0' ? n->settings.ledger_auditor_file : NULL;
		c->boot.setting[c->boot.nsettings++] =
			(struct wire_pair){ "keeper.node_key", node_dir_path(n, mem, "keys/node.key") };
	}
	return arena_failed(mem) ? diag_set(reterr, -ENOMEM, "no memory for the settings") :
				   set_user(&n->settings, p, c, reterr);
}

static int prepare(struct cmd_context *c, struct node_dir *n, struct supervisor_config *cfg, struct diag *reterr)
{
	int err = node_dir_open(cmd_argument(c, 0), c->mem, n, reterr);
	if (err == 0 && cmd_option(c, "listen") != NULL)
		err = settings_set(&n->settings, "http.listen", cmd_option(c, "listen"), c->mem, reterr);
	if (err == 0 && access(node_dir_path(n, c->mem, "restoring"), F_OK) == 0)
		err = diag_set(reterr, FW_ECONFLICT,
			       "a restore into this folder is not finished: run \"fairway restore\" again; until then it must not serve");
	cfg->folder = n->path;
	cfg->readers = READERS;
	cfg->reader_seconds = READER_SECONDS;
	for (int p = PROC_FRONT; err == 0 && p < PROC_COUNT; p++)
		err = describe(n, (enum proc)p, c->mem, &cfg->child[p], reterr);
	if (err == 0)
		err = listen_on(n->settings.http_listen, n->settings.http_socket_mode, &cfg->listen_fd, reterr);
	return err;
}

static void say_ready(void *arg)
{
	const struct node_dir *n = arg;
	if (strncmp(n->settings.http_listen, "unix:", 5) == 0)
		(void)printf("Ready on %s\n", n->settings.http_listen);
	else
		(void)printf("Ready on http://%s\n", n->settings.http_listen);
	(void)fflush(stdout);
}

int cmd_serve(struct cmd_context *c)
{
	static struct supervisor_config cfg;
	struct node_dir n;
	struct diag d = DIAG_INIT;
	cfg.listen_fd = -1;
	int err = prepare(c, &n, &cfg, &d);
	if (err != 0)
		return cmd_fail(c, err, &d);
	if (cmd_flag(c, "check")) {
		(void)close(cfg.listen_fd);
		(void)printf("%s can be served on %s\n", n.path, n.settings.http_listen);
		return FW_EXIT_OK;
	}
	log_process("supervisor");
	cfg.on_ready = say_ready;
	cfg.arg = &n;
	err = supervisor_run(&cfg, &d);
	return err == 0 ? FW_EXIT_OK : cmd_fail(c, err, &d);
}

int cmd_process(int argc, char **argv)
{
	const char *name = argv[2];
	(void)argc;
	if (strcmp(name, "front") == 0)
		return front_main(CONTROL_FD, LISTEN_FD);
	if (strcmp(name, "keeper") == 0)
		return keeper_main(CONTROL_FD);
	if (strcmp(name, "reader") == 0)
		return reader_main(readers, CONTROL_FD);
	for (int p = PROC_HOUSE; p <= PROC_PROTECTION; p++)
		if (strcmp(name, proc_name((enum proc)p)) == 0)
			return worker_main(&vaults[vault_of((enum proc)p)], CONTROL_FD);
	return FW_EXIT_USAGE;
}
