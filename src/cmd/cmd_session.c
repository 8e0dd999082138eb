/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One's own session: log in and out, password, second factor, sessions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "cmd/online.h"

/* A secret from the option's file, else from the variable's file, else asked for. */
static char *secret(struct cmd_context *c, const char *option, const char *variable, const char *prompt,
		    struct diag *reterr)
{
	const char *file = cmd_option(c, option);
	if (file == NULL && variable != NULL)
		file = getenv(variable);
	return file != NULL ? cmd_first_line(c, file, reterr) : cmd_ask_secret(c, prompt, reterr);
}

static char *new_password(struct cmd_context *c, struct diag *reterr)
{
	char *first = secret(c, "new-password-file", NULL, "New password", reterr);
	if (first == NULL || cmd_option(c, "new-password-file") != NULL)
		return first;
	char *again = cmd_ask_secret(c, "The same again", reterr);
	bool same = again != NULL && strcmp(first, again) == 0;
	cmd_wipe(again);
	if (!same) {
		cmd_wipe(first);
		(void)diag_set(reterr, FW_EINVALID, "the two were not the same; nothing was changed");
	}
	return same ? first : NULL;
}

static bool state_is(const json_t *session, const char *state)
{
	return strcmp(text_of(session, "state"), state) == 0;
}

/* The second factor, when it is due. *session is replaced by the newer one. */
static int give_factor(struct cmd_context *c, struct client *cl, json_t **session, struct diag *reterr)
{
	const char *code = cmd_option(c, "code");
	if (code == NULL)
		code = cmd_ask_line(c, "Code of the second factor", reterr);
	if (code == NULL)
		return FW_EINVALID;
	json_decref(*session);
	*session = NULL;
	return client_call(cl, "POST", "/api/session/factor", json_pack("{s:s}", "code", code), session, reterr);
}

static int change(struct cmd_context *c, struct client *cl, const char *old, json_t **session,
		  struct diag *reterr)
{
	if (!cmd_json(c) && !cmd_flag(c, "quiet"))
		(void)fprintf(stderr, "The password has to be changed.\n");
	char *fresh = new_password(c, reterr);
	if (fresh == NULL)
		return FW_EINVALID;
	json_decref(*session);
	*session = NULL;
	int err = client_call(cl, "POST", "/api/account/password", json_pack("{s:s,s:s}", "old", old, "new", fresh),
			      session, reterr);
	cmd_wipe(fresh);
	return err != 0 ? err : client_keep_token(cl, reterr);
}

static int log_in(struct cmd_context *c, struct client *cl, const char *account, const char *password,
		  json_t **session, struct diag *reterr)
{
	int err = client_call(cl, "POST", "/api/session",
			      json_pack("{s:s,s:s}", "account", account, "password", password), session, reterr);
	if (err == 0)
		err = client_keep_token(cl, reterr);
	if (err == 0 && state_is(*session, "second_factor"))
		err = give_factor(c, cl, session, reterr);
	if (err == 0 && state_is(*session, "change_password"))
		err = change(c, cl, password, session, reterr);
	return err;
}

static void print_session(const json_t *s)
{
	(void)printf("%s (%s) on %s", text_of(s, "display"), text_of(s, "account"), text_of(s, "node_name"));
	if (json_is_true(json_object_get(s, "exercise")))
		(void)printf(", an exercise with synthetic data");
	(void)printf("; until %s\n", text_of(s, "expires"));
	if (state_is(s, "enrol"))
		(void)printf("A second factor must be set up first: \"fairway user factor\".\n");
}

int cmd_user_login(struct cmd_context *c)
{
	struct diag d = DIAG_INIT;
	struct client *cl = NULL;
	json_t *session = NULL;
	int err = client_new(c, &cl, &d);
	const char *account = cmd_argument(c, 0);
	if (err == 0 && account == NULL && (account = cmd_ask_line(c, "Account", &d)) == NULL)
		err = d.code;
	char *password = err != 0 ? NULL : secret(c, "password-file", "FAIRWAY_PASSWORD_FILE", "Password", &d);
	if (err == 0)
		err = password != NULL ? log_in(c, cl, account, password, &session, &d) : d.code;
	cmd_wipe(password);
	if (err != 0) {
		json_decref(session);
		return cmd_fail(c, err, &d);
	}
	if (cmd_json(c)) {
		print_json(session);
		return FW_EXIT_OK;
	}
	print_session(session);
	json_decref(session);
	return FW_EXIT_OK;
}

int cmd_user_logout(struct cmd_context *c)
{
	struct diag d = DIAG_INIT;
	struct client *cl = NULL;
	int err = client_new(c, &cl, &d);
	if (err == 0)
		err = client_call(cl, "DELETE", "/api/session", NULL, NULL, &d);
	if (cl != NULL && (err == 0 || err == FW_EAUTH))
		err = client_forget_token(cl, &d); /* a session that ended by itself is ended too */
	return err == 0 ? FW_EXIT_OK : cmd_fail(c, err, &d);
}

int cmd_user_password(struct cmd_context *c)
{
	struct diag d = DIAG_INIT;
	struct client *cl = NULL;
	int err = client_new(c, &cl, &d);
	char *old = err != 0 ? NULL : secret(c, "password-file", "FAIRWAY_PASSWORD_FILE", "Present password", &d);
	char *fresh = old == NULL ? NULL : new_password(c, &d);
	if (err == 0 && fresh == NULL)
		err = d.code;
	if (err == 0)
		err = client_call(cl, "POST", "/api/account/password",
				  json_pack("{s:s,s:s}", "old", old, "new", fresh), NULL, &d);
	if (err == 0)
		err = client_keep_token(cl, &d);
	cmd_wipe(old);
	cmd_wipe(fresh);
	return err == 0 ? FW_EXIT_OK : cmd_fail(c, err, &d);
}

/* Without a code: a new secret is made and shown, then its first code asked for. */
int cmd_user_factor(struct cmd_context *c)
{
	struct diag d = DIAG_INIT;
	struct client *cl = NULL;
	json_t *enrol = NULL, *codes = NULL;
	const char *code = cmd_option(c, "code");
	int err = client_new(c, &cl, &d);
	if (err == 0 && code == NULL) {
		err = client_call(cl, "POST", "/api/account/factor", NULL, &enrol, &d);
		if (err == 0 && cmd_json(c)) {
			print_json(enrol); /* a program confirms with --code */
			return FW_EXIT_OK;
		}
		if (err == 0) {
			(void)printf("Secret for the device: %s\n%s\n", text_of(enrol, "secret"), text_of(enrol, "uri"));
			(void)fflush(stdout);
			code = cmd_ask_line(c, "Code that the device shows", &d);
			err = code == NULL ? d.code : 0;
		}
	}
	json_decref(enrol);
	if (err == 0)
		err = client_call(cl, "POST", "/api/account/factor/confirm", json_pack("{s:s}", "code", code), &codes, &d);
	if (err != 0)
		return cmd_fail(c, err, &d);
	if (cmd_json(c)) {
		print_json(codes);
		return FW_EXIT_OK;
	}
	size_t i;
	json_t *v;
	(void)printf("Recovery codes, shown this once; each works once:\n");
	json_array_foreach(json_object_get(codes, "recovery_codes"), i, v)
		(void)printf("  %s\n", json_string_value(v));
	json_decref(codes);
	return FW_EXIT_OK;
}

static void print_sessions(struct cmd_context *c, const json_t *answer)
{
	size_t i;
	json_t *s;
	(void)c;
	json_array_foreach(json_object_get(answer, "sessions"), i, s)
		(void)printf("%s %s  last %s  %s  %s\n", json_is_true(json_object_get(s, "current")) ? "*" : " ",
			     text_of(s, "id"), text_of(s, "last"), text_of(s, "address"), text_of(s, "agent"));
}

int cmd_user_sessions(struct cmd_context *c)
{
	const char *end = cmd_option(c, "end");
	if (end == NULL)
		return ask_and_print(c, "GET", "/api/account/sessions", NULL, print_sessions);
	struct buf path;
	buf_init(&path, 1000);
	client_path(&path, "/api/account/sessions/", end, NULL);
	buf_putc(&path, '\0');
	int status = ask_and_print(c, "DELETE", (const char *)path.data, NULL, NULL);
	buf_release(&path);
	return status;
}
