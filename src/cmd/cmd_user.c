/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Accounts and agencies (the administrator), roles and credentials in a vault (its custodians). */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/uuid.h"
#include "cmd/online.h"
#include "tbl/find.h"

/* The path's text with its NUL, in the process's memory. */
static const char *path_text(struct cmd_context *c, struct buf *b)
{
	const char *s = buf_failed(b) ? NULL : arena_strndup(c->mem, (const char *)b->data, b->len);
	buf_release(b);
	return s != NULL ? s : "/";
}

static const char *path3(struct cmd_context *c, const char *before, const char *part, const char *after)
{
	struct buf b;
	buf_init(&b, 2000);
	client_path(&b, before, part, after, NULL);
	return path_text(c, &b);
}

static bool is_uuid(const char *s)
{
	struct uuid u;
	return uuid_parse(s, &u) == 0;
}

/* ${wanted} is an id already, or the member ${key} of one of the list's elements: then that element's id. */
static int find_id(struct cmd_context *c, struct client *cl, const char *list_path, const char *list_name,
		   const char *key, const char *wanted, const char **ret, struct diag *reterr)
{
	if (is_uuid(wanted)) {
		*ret = wanted;
		return 0;
	}
	json_t *answer = NULL, *v;
	size_t i;
	int err = client_call(cl, "GET", list_path, NULL, &answer, reterr);
	if (err != 0)
		return err;
	*ret = NULL;
	json_array_foreach(json_object_get(answer, list_name), i, v)
		if (strcmp(text_of(v, key), wanted) == 0)
			*ret = arena_strdup(c->mem, text_of(v, "id"));
	json_decref(answer);
	return *ret != NULL ? 0 : diag_set(reterr, FW_ENOTFOUND, "there is no \"%s\" among the %s", wanted, list_name);
}

static int account_id(struct cmd_context *c, struct client *cl, const char **ret, struct diag *reterr)
{
	return find_id(c, cl, "/api/accounts", "accounts", "account", cmd_argument(c, 0), ret, reterr);
}

static void print_accounts(struct cmd_context *c, const json_t *answer)
{
	size_t i, k;
	json_t *a, *v;
	(void)c;
	json_array_foreach(json_object_get(answer, "accounts"), i, a) {
		(void)printf("%-20s %-7s %-12s %-24s", text_of(a, "account"), text_of(a, "state"), text_of(a, "agency"),
			     text_of(a, "display"));
		json_array_foreach(json_object_get(a, "vaults"), k, v)
			(void)printf(" %s", json_string_value(v));
		(void)printf("\n");
	}
}

int cmd_user_list(struct cmd_context *c)
{
	return ask_and_print(c, "GET", "/api/accounts", NULL, print_accounts);
}

static void print_password(struct cmd_context *c, const json_t *answer)
{
	(void)c;
	if (text_of(answer, "password")[0] != '\0')
		(void)printf("Password to hand over, to be changed at the first log-in: %s\n", text_of(answer, "password"));
}

int cmd_user_add(struct cmd_context *c)
{
	struct diag d = DIAG_INIT;
	struct client *cl = NULL;
	const char *agency = NULL;
	int err = client_new(c, &cl, &d);
	if (err == 0)
		err = find_id(c, cl, "/api/agencies", "agencies", "code", cmd_option(c, "agency"), &agency, &d);
	if (err != 0)
		return cmd_fail(c, err, &d);
	json_t *body = json_pack("{s:s,s:s,s:s}", "account", cmd_argument(c, 0), "display",
				 cmd_option(c, "display"), "agency", agency);
	return ask_and_print(c, "POST", "/api/accounts", body, print_password);
}

/* lock, unlock, and the administrator's reset: POST /api/accounts/ID/WHAT. */
static int act_on_account(struct cmd_context *c, const char *what)
{
	struct diag d = DIAG_INIT;
	struct client *cl = NULL;
	const char *id = NULL;
	int err = client_new(c, &cl, &d);
	if (err == 0)
		err = account_id(c, cl, &id, &d);
	if (err != 0)
		return cmd_fail(c, err, &d);
	return ask_and_print(c, "POST", path3(c, "/api/accounts/", id, what), NULL, print_password);
}

int cmd_user_lock(struct cmd_context *c)
{
	return act_on_account(c, "/lock");
}

int cmd_user_unlock(struct cmd_context *c)
{
	return act_on_account(c, "/unlock");
}

static void print_act(struct cmd_context *c, const json_t *answer)
{
	size_t i;
	json_t *v;
	if (strcmp(text_of(answer, "state"), "pending") != 0) {
		print_password(c, answer);
		return;
	}
	(void)printf("Waits for others to agree; id %s\n", text_of(answer, "id"));
	json_array_foreach(json_object_get(answer, "missing"), i, v)
		(void)printf("  the custodians of %s\n", json_string_value(v));
}

/* A custodian names an account by id or by login name; the vault finds it. */
static json_t *account_body(const struct cmd_context *c)
{
	const char *who = cmd_argument(c, 0);
	return json_pack("{s:s}", is_uuid(who) ? "account_id" : "account", who);
}

int cmd_user_reset(struct cmd_context *c)
{
	const char *vault = cmd_option(c, "vault");
	if (vault == NULL)
		return act_on_account(c, "/reset");
	return ask_and_print(c, "POST", path3(c, "/api/", vault, "/resets"), account_body(c), print_act);
}

static void print_agencies(struct cmd_context *c, const json_t *answer)
{
	size_t i;
	json_t *a;
	(void)c;
	json_array_foreach(json_object_get(answer, "agencies"), i, a)
		(void)printf("%-12s %s\n", text_of(a, "code"), text_of(a, "name"));
}

int cmd_user_agencies(struct cmd_context *c)
{
	return ask_and_print(c, "GET", "/api/agencies", NULL, print_agencies);
}

int cmd_user_agency(struct cmd_context *c)
{
	json_t *body = json_pack("{s:s,s:s}", "code", cmd_argument(c, 0), "name", cmd_argument(c, 1));
	return ask_and_print(c, "POST", "/api/agencies", body, NULL);
}

static void print_grants(struct cmd_context *c, const json_t *answer)
{
	size_t i;
	json_t *g;
	(void)c;
	json_array_foreach(json_object_get(answer, "grants"), i, g)
		(void)printf("%s  %-20s %-20s since %s\n", text_of(g, "id"), text_of(g, "account"), text_of(g, "role"),
			     text_of(g, "since"));
	json_array_foreach(json_object_get(answer, "pending"), i, g)
		(void)printf("%s  %-20s %-20s waits for a second custodian (%s)\n", text_of(g, "id"),
			     text_of(g, "account"), text_of(g, "role"), text_of(g, "kind"));
}

int cmd_user_grants(struct cmd_context *c)
{
	return ask_and_print(c, "GET", path3(c, "/api/", cmd_option(c, "vault"), "/grants"), NULL, print_grants);
}

int cmd_user_grant(struct cmd_context *c)
{
	const char *vault = cmd_option(c, "vault");
	int role = role_find(cmd_argument(c, 1));
	if (vault == NULL && role < 0) {
		struct diag d = DIAG_INIT;
		(void)diag_set(&d, FW_EINVALID, "there is no role \"%s\"; docs/access.md lists them", cmd_argument(c, 1));
		return cmd_fail(c, FW_EINVALID, &d);
	}
	if (vault == NULL)
		vault = vault_rows[role_rows[role].vault].name;
	json_t *body = account_body(c);
	(void)json_object_set_new(body, "role", json_string(cmd_argument(c, 1)));
	return ask_and_print(c, "POST", path3(c, "/api/", vault, "/grants"), body, print_act);
}

static const char *path_of_id(struct cmd_context *c, const char *what, const char *after)
{
	struct buf b;
	buf_init(&b, 2000);
	client_path(&b, "/api/", cmd_option(c, "vault"), what, cmd_argument(c, 0), after, NULL);
	return path_text(c, &b);
}

int cmd_user_revoke(struct cmd_context *c)
{
	return ask_and_print(c, "DELETE", path_of_id(c, "/grants/", ""), NULL, print_act);
}

int cmd_user_agree(struct cmd_context *c)
{
	const char *how = cmd_flag(c, "refuse") ? "/refuse" : "/agree";
	return ask_and_print(c, "POST", path_of_id(c, "/acts/", how), NULL, print_act);
}
