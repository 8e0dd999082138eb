/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Help and completion, made from the rows that the parser reads too. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cmd/cmd.h"

static void print_usage_line(FILE *f, const struct command_row *r)
{
	(void)fprintf(f, "fairway %s%s%s", r->command, r->verb ? " " : "", r->verb ? r->verb : "");
	if (r->abstract)
		(void)fprintf(f, " VERB");
	for (size_t i = 0; i < r->noptions; i++)
		if (r->options[i].required)
			(void)fprintf(f, " --%s %s", r->options[i].name, r->options[i].argument);
	(void)fprintf(f, " [OPTION ...]");
	for (size_t i = 0; i < r->narguments; i++) {
		const struct argument_row *a = &r->arguments[i];
		(void)fprintf(f, a->optional ? " [%s%s]" : " %s%s", a->name, a->many ? " ..." : "");
	}
	(void)fprintf(f, "\n");
}

void cmd_print_usage(const struct command_row *row)
{
	if (row == NULL) {
		(void)fprintf(stderr, "usage: fairway COMMAND [OPTION ...]; \"fairway help\" lists the commands\n");
		return;
	}
	(void)fprintf(stderr, "usage: ");
	print_usage_line(stderr, row);
	(void)fprintf(stderr, "\"fairway help %s%s%s\" says more\n", row->command, row->verb ? " " : "",
		      row->verb ? row->verb : "");
}

static void print_option(const struct option_row *o)
{
	char head[80];
	char letter[5] = "    ";
	if (o->letter != 0)
		(void)snprintf(letter, sizeof(letter), "-%c, ", (char)o->letter);
	(void)snprintf(head, sizeof(head), "%s--%s%s%s", letter, o->name, o->argument ? " " : "",
		       o->argument ? o->argument : "");
	(void)printf("  %-32s %s", head, o->words);
	for (size_t i = 0; o->choices != NULL && o->choices[i] != NULL; i++)
		(void)printf("%s%s", i == 0 ? ": " : ", ", o->choices[i]);
	(void)printf("%s\n", o->repeat ? " (may be repeated)" : "");
}

static void print_verbs(const struct command_row *r)
{
	(void)printf("\nVerbs:\n");
	for (size_t i = 0; i < CMD_COUNT; i++) {
		const struct command_row *v = &command_rows[i];
		if (v->verb != NULL && !v->hidden && strcmp(v->command, r->command) == 0)
			(void)printf("  %-14s %s\n", v->verb, v->words);
	}
}

static void print_commands(void)
{
	(void)printf("fairway COMMAND [OPTION ...]\n\nStates together against migrant smuggling; protection for the people smuggled.\n\n");
	for (size_t i = 0; i < CMD_COUNT; i++)
		if (command_rows[i].verb == NULL && !command_rows[i].hidden)
			(void)printf("  %-14s %s\n", command_rows[i].command, command_rows[i].words);
	(void)printf("\n\"fairway help COMMAND\" says more; so does \"man fairway\". Exit status:\n\n");
	for (size_t i = 0; i < EXIT_COUNT; i++)
		(void)printf("  %3d  %s\n", exit_rows[i].status, exit_rows[i].words);
}

void cmd_print_help(const struct command_row *r)
{
	if (r == NULL) {
		print_commands();
		return;
	}
	print_usage_line(stdout, r);
	(void)printf("\n%s.\n", r->words);
	if (r->text[0] != '\0')
		(void)printf("%s\n", r->text);
	if (r->abstract)
		print_verbs(r);
	if (r->narguments > 0)
		(void)printf("\n");
	for (size_t i = 0; i < r->narguments; i++)
		(void)printf("  %-32s %s\n", r->arguments[i].name, r->arguments[i].words);
	(void)printf("\nOptions:\n");
	for (size_t i = 0; i < r->noptions; i++)
		print_option(&r->options[i]);
	for (size_t i = 0; i < r->nexamples; i++)
		(void)printf("%s  %s\n      %s\n", i == 0 ? "\nExamples:\n" : "", r->examples[i].line,
			     r->examples[i].words);
}

int cmd_help(struct cmd_context *c)
{
	const char *command = cmd_argument(c, 0), *verb = cmd_argument(c, 1);
	const struct command_row *found = NULL;
	for (size_t i = 0; command != NULL && i < CMD_COUNT; i++) {
		const struct command_row *r = &command_rows[i];
		bool same = verb == NULL ? r->verb == NULL : r->verb != NULL && strcmp(r->verb, verb) == 0;
		if (strcmp(r->command, command) == 0 && same)
			found = r;
	}
	if (command != NULL && found == NULL) {
		struct diag d = DIAG_INIT;
		(void)diag_set(&d, FW_ENOTFOUND, "there is no command \"%s%s%s\"", command, verb ? " " : "",
			       verb ? verb : "");
		return cmd_fail(c, FW_ENOTFOUND, &d);
	}
	cmd_print_help(found);
	return FW_EXIT_OK;
}

static void complete_row(const struct command_row *r)
{
	(void)printf("\t\"%s%s%s\") words=\"", r->command, r->verb ? " " : "", r->verb ? r->verb : "");
	if (r->abstract) {
		for (size_t i = 0; i < CMD_COUNT; i++)
			if (command_rows[i].verb != NULL && strcmp(command_rows[i].command, r->command) == 0)
				(void)printf("%s ", command_rows[i].verb);
	} else {
		for (size_t i = 0; i < r->noptions; i++)
			(void)printf("--%s ", r->options[i].name);
	}
	(void)printf("\" ;;\n");
}

static void complete_values(void)
{
	for (size_t i = 0; i < CMD_COUNT; i++)
		for (size_t k = 0; k < command_rows[i].noptions; k++) {
			const struct option_row *o = &command_rows[i].options[k];
			if (o->choices == NULL)
				continue;
			(void)printf("\t\"%s%s%s --%s\") words=\"", command_rows[i].command,
				     command_rows[i].verb ? " " : "", command_rows[i].verb ? command_rows[i].verb : "",
				     o->name);
			for (size_t n = 0; o->choices[n] != NULL; n++)
				(void)printf("%s ", o->choices[n]);
			(void)printf("\" ;;\n");
		}
}

int cmd_completion(struct cmd_context *c)
{
	if (strcmp(cmd_argument(c, 0), "bash") != 0) {
		struct diag d = DIAG_INIT;
		(void)diag_set(&d, FW_EINVALID, "completion is made for bash, not for %s", cmd_argument(c, 0));
		return cmd_fail(c, FW_EINVALID, &d);
	}
	(void)printf("_fairway() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=\n"
		     "\tlocal cmd=${COMP_WORDS[1]} verb=\n"
		     "\tcase $cmd in report|user|ledger) [ $COMP_CWORD -gt 2 ] && verb=\" ${COMP_WORDS[2]}\" ;; esac\n"
		     "\tcase \"$cmd$verb $prev\" in\n");
	complete_values();
	(void)printf("\tesac\n\t[ -n \"$words\" ] || case \"$cmd$verb\" in\n");
	for (size_t i = 0; i < CMD_COUNT; i++)
		complete_row(&command_rows[i]);
	(void)printf("\tesac\n\tif [ $COMP_CWORD = 1 ]; then words=\"");
	for (size_t i = 0; i < CMD_COUNT; i++)
		if (command_rows[i].verb == NULL)
			(void)printf("%s ", command_rows[i].command);
	(void)printf("\"; fi\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
		     "\t[ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$cur\"))\n}\n"
		     "complete -F _fairway fairway\n");
	return FW_EXIT_OK;
}
