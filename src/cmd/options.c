/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The words of a command line against the rows of commands.tbl.
 *
 * Options may stand anywhere after the command; "--" ends them.  --name=value,
 * --name value, -o value, -ovalue.  A name may not be shortened: a script that
 * works today must not change its meaning when an option is added.
 */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "text/near.h"

struct words {
	int n, at;
	char **v;
};

static const struct command_row *find_row(const char *command, const char *verb)
{
	for (size_t i = 0; i < CMD_COUNT; i++) {
		const struct command_row *r = &command_rows[i];
		bool same_verb = verb == NULL ? r->verb == NULL : r->verb != NULL && strcmp(r->verb, verb) == 0;
		if (strcmp(r->command, command) == 0 && same_verb)
			return r;
	}
	return NULL;
}

/* "; did you mean NAME?", or nothing. */
static const char *meant(const struct near *n, const char *before, char *out, size_t cap)
{
	out[0] = '\0';
	if (n->best != NULL)
		(void)snprintf(out, cap, "; did you mean %s%s?", before, n->best);
	return out;
}

static int no_command(const char *name, struct diag *reterr)
{
	struct near n = { .name = name, .best_distance = 3 };
	char text[100];
	for (size_t i = 0; i < CMD_COUNT; i++)
		if (command_rows[i].verb == NULL)
			near_offer(&n, command_rows[i].command);
	return diag_set(reterr, FW_EINVALID, "there is no command \"%s\"%s", name, meant(&n, "", text, sizeof(text)));
}

static int no_verb(const char *command, const char *verb, struct diag *reterr)
{
	struct near n = { .name = verb, .best_distance = 3 };
	char text[100];
	for (size_t i = 0; i < CMD_COUNT; i++)
		if (command_rows[i].verb != NULL && strcmp(command_rows[i].command, command) == 0)
			near_offer(&n, command_rows[i].verb);
	return diag_set(reterr, FW_EINVALID, "\"%s\" has no verb \"%s\"%s", command, verb,
			meant(&n, "", text, sizeof(text)));
}

static int no_option(const struct command_row *row, const char *name, size_t len, struct diag *reterr)
{
	char given[NEAR_NAME_MAX + 1], text[100];
	(void)snprintf(given, sizeof(given), "%.*s", (int)len, name);
	struct near n = { .name = given, .best_distance = 3 };
	for (size_t i = 0; i < row->noptions; i++)
		near_offer(&n, row->options[i].name);
	return diag_set(reterr, FW_EINVALID, "there is no option --%.*s here%s", (int)len, name,
			meant(&n, "--", text, sizeof(text)));
}

static const struct option_row *option_of(const struct command_row *row, const char *name, size_t n)
{
	for (size_t i = 0; i < row->noptions; i++)
		if (strlen(row->options[i].name) == n && memcmp(row->options[i].name, name, n) == 0)
			return &row->options[i];
	return NULL;
}

static const struct option_row *option_of_letter(const struct command_row *row, char letter)
{
	for (size_t i = 0; i < row->noptions; i++)
		if (row->options[i].letter != 0 && row->options[i].letter == letter)
			return &row->options[i];
	return NULL;
}

static int check_int(const struct option_row *o, const char *value, struct diag *reterr)
{
	char *end;
	errno = 0;
	long long v = strtoll(value, &end, 10);
	if (*value == '\0' || *end != '\0' || errno != 0 || v < o->min || v > o->max)
		return diag_set(reterr, FW_EINVALID, "--%s takes a whole number from %lld to %lld, not \"%s\"",
				o->name, (long long)o->min, (long long)o->max, value);
	return 0;
}

static int check_choice(const struct option_row *o, const char *value, struct diag *reterr)
{
	char all[200] = "";
	size_t n = 0;
	for (const char *const *c = o->choices; *c != NULL; c++) {
		if (strcmp(*c, value) == 0)
			return 0;
		int more = snprintf(all + n, sizeof(all) - n, "%s%s", n ? ", " : "", *c);
		n += more > 0 && (size_t)more < sizeof(all) - n ? (size_t)more : 0;
	}
	return diag_set(reterr, FW_EINVALID, "--%s takes one of %s, not \"%s\"", o->name, all, value);
}

static int check_value(const struct option_row *o, const char *value, struct diag *reterr)
{
	if (o->type == OPTION_INT)
		return check_int(o, value, reterr);
	if (o->type == OPTION_ENUM)
		return check_choice(o, value, reterr);
	size_t n = strlen(value);
	if (n < (size_t)o->min || n > (size_t)o->max)
		return diag_set(reterr, FW_EINVALID, "--%s takes %lld to %lld bytes, not %zu", o->name,
				(long long)o->min, (long long)o->max, n);
	return 0;
}

static int add_option(struct cmd_context *c, const struct option_row *o, const char *value,
		      struct diag *reterr)
{
	if (c->noptions == CMD_OPTIONS_MAX)
		return diag_set(reterr, FW_EINVALID, "too many options");
	if (!o->repeat)
		for (size_t i = 0; i < c->noptions; i++)
			if (c->option[i].row == o)
				return diag_set(reterr, FW_EINVALID, "--%s is given twice", o->name);
	int err = value == NULL ? 0 : check_value(o, value, reterr);
	if (err == 0)
		c->option[c->noptions++] = (struct cmd_option){ o, value };
	return err;
}

/* The value that an option takes: what is joined to it, else the next word. */
static int take_value(struct words *w, const struct option_row *o, const char *joined, const char **ret,
		      struct diag *reterr)
{
	if (o->type == OPTION_FLAG) {
		if (joined != NULL)
			return diag_set(reterr, FW_EINVALID, "--%s takes no value", o->name);
		*ret = NULL;
		return 0;
	}
	if (joined == NULL && w->at >= w->n)
		return diag_set(reterr, FW_EINVALID, "--%s needs a value: %s", o->name, o->argument);
	*ret = joined != NULL ? joined : w->v[w->at++];
	return 0;
}

static int take_long(struct cmd_context *c, struct words *w, const char *word, struct diag *reterr)
{
	const char *equals = strchr(word, '=');
	size_t n = equals != NULL ? (size_t)(equals - word) : strlen(word);
	const struct option_row *o = option_of(c->row, word, n);
	const char *value = NULL;
	if (o == NULL)
		return no_option(c->row, word, n, reterr);
	int err = take_value(w, o, equals != NULL ? equals + 1 : NULL, &value, reterr);
	return err != 0 ? err : add_option(c, o, value, reterr);
}

/* -q, -ofile, -o file, -qo file. */
static int take_short(struct cmd_context *c, struct words *w, const char *word, struct diag *reterr)
{
	for (int err = 0; *word != '\0'; word++) {
		const struct option_row *o = option_of_letter(c->row, *word);
		const char *value = NULL;
		if (o == NULL)
			return diag_set(reterr, FW_EINVALID, "there is no option -%c here", *word);
		bool joined = o->type != OPTION_FLAG && word[1] != '\0';
		err = take_value(w, o, joined ? word + 1 : NULL, &value, reterr);
		if (err == 0)
			err = add_option(c, o, value, reterr);
		if (err != 0)
			return err;
		if (joined)
			break;
	}
	return 0;
}

static int take_argument(struct cmd_context *c, const char *word, struct diag *reterr)
{
	const struct command_row *r = c->row;
	bool room = c->narguments < r->narguments ||
		    (r->narguments > 0 && r->arguments[r->narguments - 1].many);
	if (!room || c->narguments + 1 >= CMD_ARGUMENTS_MAX)
		return diag_set(reterr, FW_EINVALID, "\"%s\" is one word too many", word);
	c->argument[c->narguments++] = word;
	return 0;
}

static int take_words(struct cmd_context *c, struct words *w, struct diag *reterr)
{
	bool options = true;
	int err = 0;
	while (err == 0 && w->at < w->n) {
		const char *word = w->v[w->at++];
		if (!options || word[0] != '-' || word[1] == '\0')
			err = take_argument(c, word, reterr);
		else if (strcmp(word, "--") == 0)
			options = false;
		else if (word[1] == '-')
			err = take_long(c, w, word + 2, reterr);
		else
			err = take_short(c, w, word + 1, reterr);
	}
	return err;
}

/* What the row demands is there; not asked of somebody who wants help. */
static int check_complete(const struct cmd_context *c, struct diag *reterr)
{
	const struct command_row *r = c->row;
	if (cmd_flag(c, "help"))
		return 0;
	if (r->abstract)
		return diag_set(reterr, FW_EINVALID, "\"%s\" needs a verb after it", r->command);
	for (size_t i = c->narguments; i < r->narguments; i++)
		if (!r->arguments[i].optional)
			return diag_set(reterr, FW_EINVALID, "%s is missing", r->arguments[i].name);
	for (size_t i = 0; i < r->noptions; i++) {
		const char *found[1];
		const struct option_row *o = &r->options[i];
		if (o->required && cmd_option_all(c, o->name, found, 1) == 0)
			return diag_set(reterr, FW_EINVALID, "--%s is missing", o->name);
	}
	return 0;
}

int cmd_parse(int argc, char **argv, struct cmd_context *ret, struct diag *reterr)
{
	struct words w = { .n = argc, .at = 1, .v = argv };
	struct cmd_context c = { .mem = ret->mem };
	if (w.at >= w.n)
		return diag_set(reterr, FW_EINVALID, "a command is missing");
	const char *name = w.v[w.at++];
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	else if (strcmp(name, "--version") == 0)
		name = "version";
	c.row = find_row(name, NULL);
	if (c.row == NULL)
		return no_command(name, reterr);
	ret->row = c.row;
	if (c.row->abstract && w.at < w.n && w.v[w.at][0] != '-') {
		const struct command_row *verb = find_row(name, w.v[w.at]);
		if (verb == NULL)
			return no_verb(name, w.v[w.at], reterr);
		w.at++;
		ret->row = c.row = verb;
	}
	int err = take_words(&c, &w, reterr);
	if (err == 0)
		err = check_complete(&c, reterr);
	if (err == 0)
		*ret = c;
	return err;
}

bool cmd_flag(const struct cmd_context *c, const char *name)
{
	for (size_t i = 0; i < c->noptions; i++)
		if (strcmp(c->option[i].row->name, name) == 0)
			return true;
	return false;
}

const char *cmd_option(const struct cmd_context *c, const char *name)
{
	for (size_t i = c->noptions; i-- > 0;)
		if (strcmp(c->option[i].row->name, name) == 0)
			return c->option[i].value;
	return NULL;
}

size_t cmd_option_all(const struct cmd_context *c, const char *name, const char **ret, size_t max)
{
	size_t n = 0;
	for (size_t i = 0; i < c->noptions && n < max; i++)
		if (strcmp(c->option[i].row->name, name) == 0)
			ret[n++] = c->option[i].value;
	return n;
}

int64_t cmd_option_int(const struct cmd_context *c, const char *name, int64_t absent)
{
	const char *v = cmd_option(c, name);
	return v == NULL ? absent : strtoll(v, NULL, 10); /* checked when it was read */
}

const char *cmd_argument(const struct cmd_context *c, size_t i)
{
	return i < c->narguments ? c->argument[i] : NULL;
}

bool cmd_json(const struct cmd_context *c)
{
	return cmd_flag(c, "json");
}
