/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the commands that speak to a node have in common. */
#ifndef FW_CMD_ONLINE_H
#define FW_CMD_ONLINE_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "cmd/client.h"
#include "cmd/cmd.h"

/* Print ${j} as one line of JSON to standard output, and give it back. */
void print_json(json_t *j);
/* For people: a member a line, blocks named and indented. Depth is bounded by json_parse(). */
void print_indented(const json_t *v, unsigned depth);
/* A string member, or "". */
const char *text_of(const json_t *j, const char *name);
int64_t int_of(const json_t *j, const char *name);
/* A count of an incident: its number, or "unknown", "not collected", "withheld". Into ${out} of 32 bytes. */
const char *count_of(const json_t *j, const char *name, char out[32]);

/*
 * The usual command: one request; with --json its answer as it is, else ${print} says it in words (NULL: nothing).
 * ${body} is given away.  Returns the exit status.
 */
int ask_and_print(struct cmd_context *c, const char *method, const char *path, json_t *body,
		  void (*print)(struct cmd_context *c, const json_t *answer));

#endif
