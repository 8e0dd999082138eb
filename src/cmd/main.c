/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/err.h"
#include "cmd/client.h"
#include "cmd/cmd.h"

enum { MEM = 64 << 20 };

/* By enum cmd. A row without a function is a command that only has verbs. */
static cmd_fn *const functions[CMD_COUNT] = {
	[CMD_INIT] = cmd_init,
	[CMD_SERVE] = cmd_serve,
	[CMD_BACKUP] = cmd_backup,
	[CMD_RESTORE] = cmd_restore,
	[CMD_DOCTOR] = cmd_doctor,
	[CMD_VERSION] = cmd_version,
	[CMD_COMPLETION] = cmd_completion,
	[CMD_HELP] = cmd_help,
	[CMD_REPORT_IMPORT] = cmd_report_import,
	[CMD_REPORT_IMPORTS] = cmd_report_imports,
	[CMD_REPORT_LIST] = cmd_report_list,
	[CMD_REPORT_SHOW] = cmd_report_show,
	[CMD_REPORT_ERASE] = cmd_report_erase,
	[CMD_REPORT_EXPORT] = cmd_report_export,
	[CMD_USER_LOGIN] = cmd_user_login,
	[CMD_USER_LOGOUT] = cmd_user_logout,
	[CMD_USER_PASSWORD] = cmd_user_password,
	[CMD_USER_FACTOR] = cmd_user_factor,
	[CMD_USER_SESSIONS] = cmd_user_sessions,
	[CMD_USER_LIST] = cmd_user_list,
	[CMD_USER_ADD] = cmd_user_add,
	[CMD_USER_LOCK] = cmd_user_lock,
	[CMD_USER_UNLOCK] = cmd_user_unlock,
	[CMD_USER_RESET] = cmd_user_reset,
	[CMD_USER_AGENCIES] = cmd_user_agencies,
	[CMD_USER_AGENCY] = cmd_user_agency,
	[CMD_USER_GRANTS] = cmd_user_grants,
	[CMD_USER_GRANT] = cmd_user_grant,
	[CMD_USER_REVOKE] = cmd_user_revoke,
	[CMD_USER_AGREE] = cmd_user_agree,
	[CMD_LEDGER_VERIFY] = cmd_ledger_verify,
	[CMD_LEDGER_LIST] = cmd_ledger_list,
	[CMD_LEDGER_CHECKPOINT] = cmd_ledger_checkpoint,
	[CMD_LEDGER_KEY] = cmd_ledger_key,
};

/* What was not understood is told in the form that was asked for, as far as that can be seen. */
static int refuse_line(int argc, char **argv, struct cmd_context *c, const struct diag *d)
{
	static const struct option_row json = { .name = "json" };
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			c->option[0].row = &json;
			c->noptions = 1;
		}
	}
	(void)cmd_fail(c, FW_EINVALID, d);
	if (!cmd_json(c))
		cmd_print_usage(c->row);
	return FW_EXIT_USAGE;
}

static int run(int argc, char **argv, struct cmd_context *c)
{
	struct diag d = DIAG_INIT;
	if (cmd_parse(argc, argv, c, &d) != 0)
		return refuse_line(argc, argv, c, &d);
	if (cmd_flag(c, "help")) {
		cmd_print_help(c->row);
		return FW_EXIT_OK;
	}
	return functions[c->row->cmd](c);
}

int main(int argc, char **argv)
{
	if (sodium_init() < 0)
		return FW_EXIT_FAILED;
	if (argc >= 3 && strcmp(argv[1], "--process") == 0)
		return cmd_process(argc, argv);
	struct cmd_context c = { .mem = arena_new(MEM) };
	if (c.mem == NULL)
		return FW_EXIT_FAILED;
	int status = run(argc, argv, &c);
	if (fflush(stdout) != 0 && status == FW_EXIT_OK) {
		(void)fprintf(stderr, "fairway: the output could not be written\n");
		status = FW_EXIT_FAILED;
	}
	client_free(c.client);
	arena_wipe(c.mem);
	arena_free(c.mem);
	return status;
}
