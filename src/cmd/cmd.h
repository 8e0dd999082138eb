/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The doors of the house: one function for each row of commands.tbl.
 *
 * main.c finds the row, options.c reads the words after it into a struct
 * cmd_context, and the command's function does the rest and returns one of
 * enum fw_exit.  What a command was asked for goes to standard output; progress and
 * words about it go to standard error.
 */
#ifndef FW_CMD_CMD_H
#define FW_CMD_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gen/tables.h"

struct arena;
struct client;
struct diag;

enum { CMD_OPTIONS_MAX = 64, CMD_ARGUMENTS_MAX = 16 };

struct cmd_option {
	const struct option_row *row;
	const char *value; /* NULL for a flag */
};

struct cmd_context {
	const struct command_row *row;
	struct cmd_option option[CMD_OPTIONS_MAX];
	size_t noptions;
	const char *argument[CMD_ARGUMENTS_MAX]; /* NULL after the last */
	size_t narguments;
	struct arena *mem; /* as long as the process */
	struct client *client; /* the way to the node, once client_new() opened it; main.c closes it */
};

/*
 * Read argv[1..] (command, verb, options, arguments).  0 with *ret filled;
 * FW_EINVALID with words for what was not understood, ret->row then names the
 * command as far as it was known (NULL if not at all).
 */
int cmd_parse(int argc, char **argv, struct cmd_context *ret, struct diag *reterr);

/* Whether a flag was given. */
bool cmd_flag(const struct cmd_context *c, const char *name);
/* Value of an option, or NULL; the last one where it was given several times. */
const char *cmd_option(const struct cmd_context *c, const char *name);
/* Values of an option that may be repeated, in order; at most ${max}. Returns their number. */
size_t cmd_option_all(const struct cmd_context *c, const char *name, const char **ret, size_t max);
int64_t cmd_option_int(const struct cmd_context *c, const char *name, int64_t absent);
/* The ${i}-th argument, or NULL. */
const char *cmd_argument(const struct cmd_context *c, size_t i);
bool cmd_json(const struct cmd_context *c);
/* Whether to show progress: standard error is a terminal and neither --quiet nor --json was given. */
bool cmd_progress(const struct cmd_context *c);

/* Say on standard error what went wrong, in words or with --json as an object; returns the exit status that fits the code. */
int cmd_fail(const struct cmd_context *c, int code, const struct diag *d);
/* The exit status that fits an error code. */
int cmd_exit_of(int code);

/* A secret typed without echo, or NULL with words. Wipe with cmd_wipe(). Lives in the process. */
char *cmd_ask_secret(const struct cmd_context *c, const char *prompt, struct diag *reterr);
/* A line typed with echo. */
char *cmd_ask_line(const struct cmd_context *c, const char *prompt, struct diag *reterr);
/* The first line of a file, without its end. */
char *cmd_first_line(const struct cmd_context *c, const char *path, struct diag *reterr);
void cmd_wipe(char *secret);

/* Help for a command, or the list of commands for NULL, to standard output. */
void cmd_print_help(const struct command_row *row);
void cmd_print_usage(const struct command_row *row); /* its first line, to standard error */

typedef int cmd_fn(struct cmd_context *c);
cmd_fn cmd_init, cmd_serve, cmd_backup, cmd_restore, cmd_doctor, cmd_version, cmd_completion, cmd_help;
cmd_fn cmd_report_import, cmd_report_imports, cmd_report_list, cmd_report_show, cmd_report_export, cmd_report_erase;
cmd_fn cmd_user_login, cmd_user_logout, cmd_user_password, cmd_user_factor, cmd_user_sessions;
cmd_fn cmd_user_list, cmd_user_add, cmd_user_lock, cmd_user_unlock, cmd_user_reset, cmd_user_agencies, cmd_user_agency;
cmd_fn cmd_user_grants, cmd_user_grant, cmd_user_revoke, cmd_user_agree;
cmd_fn cmd_ledger_verify, cmd_ledger_list, cmd_ledger_checkpoint, cmd_ledger_key;

/* A process of a running node: `fairway --process NAME`, started by the supervisor (cmd_serve.c). Returns the exit status. */
int cmd_process(int argc, char **argv);

#endif
