/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The command line's way to the running node: HTTP over TCP or a Unix socket
 * (libcurl), as a logged-in account.  The token of a session lies in
 * $XDG_STATE_HOME/fairway/session (mode 0600; ~/.local/state where the variable is not
 * set), one line a node: its address and the token.
 */
#ifndef FW_CMD_CLIENT_H
#define FW_CMD_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "cmd/cmd.h"

struct client;

/* For the node that the options name: one for the whole command. Nothing is sent yet. c->client keeps it, and main.c frees it at the end. */
int client_new(struct cmd_context *c, struct client **ret, struct diag *reterr);
void client_free(struct client *cl); /* NULL allowed; its token is wiped */

/* An address with what goes into it percent-encoded: client_path(b, "/api/x/", id, "/lock", NULL). */
void client_path(struct buf *b, ...);
/* Add "?name=value" or "&name=value" unless ${value} is NULL. */
void client_query(struct buf *b, const char *name, const char *value);

/*
 * One request.  ${body} (NULL for none) is given away.  0 for an answer of
 * 2xx, with its JSON in *ret (NULL allowed; NULL for an answer without a body;
 * to be given back); else the error that fits the status, and the Problem's words.
 * FW_EGONE: the node does not answer.
 */
int client_call(struct client *cl, const char *method, const char *path, json_t *body, json_t **ret,
		struct diag *reterr);
/* POST the bytes of ${fd} (${size} or -1 if unknown). ${progress} (NULL allowed) hears how many have gone. */
int client_upload(struct client *cl, const char *path, int fd, int64_t size,
		  void (*progress)(void *arg, int64_t done, int64_t total), void *arg, json_t **ret,
		  struct diag *reterr);
/* GET into ${fd}. FW_ETRUNC if the node cut the answer short. */
int client_download(struct client *cl, const char *path, const char *purpose, int fd, struct diag *reterr);

/* The status that ${path} answers at an address as the setting http.listen has it, without a session; 0: no answer in five seconds. */
long client_status_of(const char *listen, const char *path);

/* Keep the token that the last answer's cookie gave, or forget the kept one. */
int client_keep_token(struct client *cl, struct diag *reterr);
int client_forget_token(struct client *cl, struct diag *reterr);

#endif
