/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What custodians do, in every vault alike; and what anybody may ask about himself. */
#include "node/access/access.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "codec/json.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/access/grants_int.h"
#include "node/access/house_link.h"
#include "node/ledger/ledger.h"
#include "store/store.h"

static int see_own_permissions(struct call *c, struct reply *r, struct diag *reterr)
{
	const int vault = worker_vault(c->worker);
	struct jw j;
	(void)reterr;
	jw_init(&j, &r->body);
	jw_object(&j);
	jw_put_string(&j, "vault", vault_rows[vault].name);
	jw_name(&j, "permissions");
	jw_array(&j);
	for (size_t i = 0; i < PERM_COUNT; i++)
		if (perm_rows[i].vault == vault &&
		    (c->permissions & UINT64_C(1) << perm_rows[i].bit) != 0)
			jw_string(&j, perm_rows[i].code);
	jw_end(&j);
	jw_end(&j);
	return r->body.error;
}

static int put_grants(struct call *c, struct jw *j, struct diag *reterr)
{
	struct store_rows *rows;
	int e = store_query(c->db, SQL_ACCESS_GRANT_LIST, NULL, 0, &rows, reterr);
	if (e != 0)
		return e;
	jw_name(j, "grants");
	jw_array(j);
	while ((e = store_next(rows, reterr)) == 1) {
		struct arena_mark mark = arena_mark(c->mem);
		struct uuid id = store_uuid(rows, 0), account = store_uuid(rows, 1),
			    by = store_uuid(rows, 5);
		char nobody[UUID_TEXT_LEN + 1];
		jw_object(j);
		jw_put_uuid(j, "id", &id);
		jw_put_uuid(j, "account_id", &account);
		jw_put_string(j, "account", store_text(rows, 2, c->mem));
		jw_put_string(j, "role", store_text(rows, 3, c->mem));
		jw_put_time(j, "since", store_int(rows, 4));
		/* Nil, written out: the role was made by `fairway init`. */
		uuid_format(&by, nobody);
		jw_put_string(j, "by", nobody);
		jw_end(j);
		arena_release(c->mem, mark);
	}
	jw_end(j);
	store_rows_close(rows);
	return e;
}

static int put_pending(struct call *c, struct jw *j, struct diag *reterr)
{
	struct store_value since = sv_int(time_now() - ACT_DAYS * USEC_PER_DAY);
	struct store_rows *rows;
	int e = store_query(c->db, SQL_ACCESS_ACT_LIST, &since, 1, &rows, reterr);
	if (e != 0)
		return e;
	jw_name(j, "pending");
	jw_array(j);
	while ((e = store_next(rows, reterr)) == 1) {
		struct uuid id = store_uuid(rows, 0), account = store_uuid(rows, 2),
			    by = store_uuid(rows, 5);
		jw_object(j);
		jw_put_uuid(j, "id", &id);
		jw_put_string(j, "kind", store_text(rows, 1, c->mem));
		jw_put_uuid(j, "account_id", &account);
		jw_put_string(j, "account", store_text(rows, 3, c->mem));
		if (!store_is_null(rows, 4))
			jw_put_string(j, "role", store_text(rows, 4, c->mem));
		jw_put_uuid(j, "by", &by);
		jw_put_time(j, "at", store_int(rows, 6));
		jw_end(j);
	}
	jw_end(j);
	store_rows_close(rows);
	return e;
}

static int list_grants(struct call *c, struct reply *r, struct diag *reterr)
{
	struct jw j;
	jw_init(&j, &r->body);
	jw_object(&j);
	int e = put_grants(c, &j, reterr);
	if (e == 0)
		e = put_pending(c, &j, reterr);
	if (e != 0)
		return e;
	jw_end(&j);
	return r->body.error;
}

/* ActDone. ${missing}: bits of vaults; ${password}: "" for none. */
static int put_done(struct reply *r, bool pending, const struct uuid *id, uint32_t missing,
		    const char *password)
{
	struct jw j;
	jw_init(&j, &r->body);
	jw_object(&j);
	jw_put_string(&j, "state", pending ? "pending" : "done");
	jw_put_uuid(&j, "id", id);
	if (missing != 0) {
		jw_name(&j, "missing");
		jw_array(&j);
		for (int v = 0; v < VAULT_COUNT; v++)
			if ((missing & UINT32_C(1) << v) != 0)
				jw_string(&j, vault_rows[v].name);
		jw_end(&j);
	}
	if (password[0] != '\0')
		jw_put_string(&j, "password", password);
	jw_end(&j);
	return r->body.error;
}

/* The entry about an act: subjects are the account and the second person, if any. */
static int note(struct call *c, int event, const struct uuid *account, const struct uuid *other,
		const struct role_row *role, struct diag *reterr)
{
	char detail[100];
	struct uuid subjects[2] = {*account, other != NULL ? *other : UUID_NIL};
	struct ledger_note n = {.event = event,
				.subjects = subjects,
				.nsubjects = other == NULL || uuid_is_nil(other) ? 1 : 2};
	if (role != NULL) {
		(void)snprintf(detail, sizeof(detail), "{\"role\":\"%s\"}", role->name);
		n.detail = detail;
	}
	return call_ledger(c, &n, reterr);
}

/* The account that the body means, by id or by name, as the house knows it. */
static int body_account(struct call *c, struct wire_name *ret, struct diag *reterr)
{
	const char *id = json_string_value(json_object_get(c->body, "account_id"));
	const char *login = json_string_value(json_object_get(c->body, "account"));
	struct wire_name_ask ask = {.by_login = id == NULL};
	int e = 0;
	if ((id == NULL) == (login == NULL))
		e = diag_set(reterr, FW_EINVALID, "Give the account by its id or by its name.");
	else if (id != NULL)
		e = uuid_parse(id, &ask.account);
	else
		(void)snprintf(ask.login, sizeof(ask.login), "%s", login);
	if (e == 0)
		e = link_name(c->worker, c->db, &ask, ret, reterr);
	if (e == 0 && ret->code != 0)
		e = diag_set(reterr, ret->code, "There is no such account.");
	return e;
}

/* Marks the hold in the house, then writes the grant: in this order (house.h). */
static int give(struct call *c, struct grant *g, struct diag *reterr)
{
	const int vault = worker_vault(c->worker);
	bool any, strong = false;
	int e = grants_holds(c->db, vault, &g->account, &any, &strong, reterr);
	struct wire_hold_ask ask = {.what = HOLD_MARK,
				    .account = g->account,
				    .strong = strong || grants_is_strong(g->role)};
	struct wire_hold hold;
	grants_changed(c->worker);
	grants_marked(c->worker, &g->account);
	if (e == 0)
		e = link_hold(c->worker, c->db, &ask, &hold, reterr);
	if (e == 0 && hold.code != 0)
		e = diag_set(reterr, hold.code, "There is no such account.");
	if (e == 0)
		e = grants_give(c->db, vault, g, time_now(), reterr);
	return e == 0 ? note(c, LEDGER_EV_GRANT_GIVE, &g->account, &g->second, g->role, reterr) : e;
}

static int ask_second(struct call *c, struct reply *r, struct act *act, struct diag *reterr)
{
	int e = act_ask(c->db, worker_vault(c->worker), act, time_now(), reterr);
	if (e == 0)
		e = note(c, LEDGER_EV_ACT_PENDING, &act->account, NULL, act->role, reterr);
	return e == 0 ? put_done(r, true, &act->id, 0, "") : e;
}

static int holds_role(struct call *c, const struct uuid *account, const struct role_row *role,
		      bool *ret, struct diag *reterr)
{
	struct store_value arg = sv_text(role->name);
	struct store_rows *rows;
	int e = store_query(c->db, SQL_ACCESS_GRANT_WITH_ROLE, &arg, 1, &rows, reterr);
	if (e != 0)
		return e;
	*ret = false;
	while (!*ret && (e = store_next(rows, reterr)) == 1) {
		struct uuid u = store_uuid(rows, 0);
		*ret = uuid_equal(&u, account);
	}
	store_rows_close(rows);
	return e < 0 ? e : 0;
}

/*
 * Whoever made the account, or reset it, knows its password until its owner
 * has set another: a role given before could fall to him.
 */
static int check_ready(const struct wire_name *who, struct diag *reterr)
{
	if (who->locked)
		return diag_set(reterr, FW_ECONFLICT, "The account is locked.");
	if (who->fresh)
		return diag_set(reterr, FW_ECONFLICT,
				"The account still has the password it was handed; its owner logs "
				"in and sets another, then a role can be given.");
	return 0;
}

static int make_grant(struct call *c, struct reply *r, struct diag *reterr)
{
	const int vault = worker_vault(c->worker);
	const struct role_row *role =
		grants_role(vault, json_string_value(json_object_get(c->body, "role")));
	if (role == NULL) {
		diag_place(reterr, "role");
		return diag_set(reterr, FW_EINVALID, "This vault has no such role.");
	}
	struct wire_name who;
	bool holds = false;
	int e = body_account(c, &who, reterr);
	if (e == 0)
		e = check_ready(&who, reterr);
	if (e == 0)
		e = holds_role(c, &who.account, role, &holds, reterr);
	if (e == 0 && holds)
		e = diag_set(reterr, FW_EEXISTS, "The account holds this role already.");
	if (e != 0)
		return e;
	if (custodians_needed(vault) == 2) {
		struct act act = {.kind = ACT_GRANT,
				  .account = who.account,
				  .by = c->who->account,
				  .role = role};
		(void)snprintf(act.login, sizeof(act.login), "%s", who.login);
		return ask_second(c, r, &act, reterr);
	}
	struct grant g = {.account = who.account, .by = c->who->account, .role = role};
	(void)snprintf(g.login, sizeof(g.login), "%s", who.login);
	if (uuid_equal(&g.account, &g.by))
		return diag_set(reterr, FW_EDENIED,
				"Nobody gives a role to himself; another custodian must.");
	e = give(c, &g, reterr);
	return e == 0 ? put_done(r, false, &g.id, 0, "") : e;
}

static int end_grant(struct call *c, struct reply *r, struct diag *reterr)
{
	struct uuid id;
	struct grant g;
	int e = uuid_parse(c->param[0], &id);
	if (e == 0)
		e = grants_end_one(c->db, worker_vault(c->worker), &id, &g, reterr);
	if (e != 0)
		return e;
	grants_changed(c->worker);
	e = note(c, LEDGER_EV_GRANT_END, &g.account, NULL, g.role, reterr);
	return e == 0 ? put_done(r, false, &id, 0, "") : e;
}

/* What the house said to a reset by these custodians; writes the answer. */
static int reset(struct call *c, struct reply *r, const struct wire_reset_ask *ask, bool *ret_done,
		 struct diag *reterr)
{
	struct wire_reset ret;
	int e = link_reset(c->worker, c->db, ask, &ret, reterr);
	if (e == 0 && ret.code != 0 && ret.code != FW_ECONFLICT)
		e = diag_set(reterr, ret.code, "The house refuses this reset.");
	if (e == 0) {
		*ret_done = ret.code == 0;
		e = note(c, *ret_done ? LEDGER_EV_CREDENTIAL_RESET : LEDGER_EV_CREDENTIAL_CONSENT,
			 &ask->account, &ask->second, NULL, reterr);
	}
	if (e == 0)
		e = put_done(r, !*ret_done, &ask->account, ret.missing, ret.password);
	sodium_memzero(&ret, sizeof(ret));
	return e;
}

/* In protection nothing is begun before the other vaults' custodians have agreed: protection comes
 * last (house_reset.c). */
static int check_others_agreed(struct call *c, const struct uuid *account, struct diag *reterr)
{
	struct wire_reset_ask look = {
		.what = RESET_LOOK, .account = *account, .by = c->who->account};
	struct wire_reset ret;
	int e = link_reset(c->worker, c->db, &look, &ret, reterr);
	for (int v = 0; e == 0 && v < VAULT_COUNT; v++)
		if ((ret.missing & UINT32_C(1) << v) != 0)
			e = diag_set(reterr, FW_ECONFLICT,
				     "The custodians of the vault %s must agree first.",
				     vault_rows[v].name);
	return e;
}

static int make_reset(struct call *c, struct reply *r, struct diag *reterr)
{
	const int vault = worker_vault(c->worker);
	struct wire_name who;
	bool holds = false, strong;
	int e = body_account(c, &who, reterr);
	if (e == 0)
		e = grants_holds(c->db, vault, &who.account, &holds, &strong, reterr);
	if (e == 0 && !holds)
		e = diag_set(reterr, FW_ENOTFOUND, "The account holds no role in this vault.");
	if (e == 0 && uuid_equal(&who.account, &c->who->account))
		e = diag_set(reterr, FW_EDENIED,
			     "Nobody resets his own credential; another custodian must.");
	if (e == 0 && custodians_needed(vault) == 2)
		e = check_others_agreed(c, &who.account, reterr);
	if (e != 0)
		return e;
	if (custodians_needed(vault) == 2) {
		struct act act = {.kind = ACT_RESET, .account = who.account, .by = c->who->account};
		(void)snprintf(act.login, sizeof(act.login), "%s", who.login);
		return ask_second(c, r, &act, reterr);
	}
	struct wire_reset_ask ask = {
		.what = RESET_AGREE, .account = who.account, .by = c->who->account};
	bool done;
	return reset(c, r, &ask, &done, reterr);
}

static int param_act(struct call *c, struct act *ret, struct diag *reterr)
{
	struct uuid id;
	int e = uuid_parse(c->param[0], &id);
	return e == 0 ? act_get(c->db, worker_vault(c->worker), &id, time_now(), ret, reterr) : e;
}

static int agree_grant(struct call *c, struct reply *r, const struct act *act, struct diag *reterr)
{
	struct grant g = {.account = act->account,
			  .by = act->by,
			  .second = c->who->account,
			  .role = act->role};
	const struct wire_name_ask ask = {.account = act->account};
	struct wire_name who;
	(void)snprintf(g.login, sizeof(g.login), "%s", act->login);
	int e = link_name(c->worker, c->db, &ask, &who, reterr);
	if (e == 0)
		e = who.code == 0 ? check_ready(&who, reterr) : who.code;
	if (e == 0)
		e = give(c, &g, reterr);
	if (e == 0)
		e = act_delete(c->db, &act->id, reterr);
	return e == 0 ? put_done(r, false, &g.id, 0, "") : e;
}

static int agree_reset(struct call *c, struct reply *r, const struct act *act, struct diag *reterr)
{
	struct wire_reset_ask ask = {.what = RESET_AGREE,
				     .account = act->account,
				     .by = act->by,
				     .second = c->who->account};
	bool done = false;
	int e = check_others_agreed(c, &act->account, reterr);
	if (e == 0)
		e = reset(c, r, &ask, &done, reterr);
	return e == 0 && done ? act_delete(c->db, &act->id, reterr) : e;
}

static int agree_act(struct call *c, struct reply *r, struct diag *reterr)
{
	struct act act;
	int e = param_act(c, &act, reterr);
	if (e == 0)
		e = act_may_agree(c->db, worker_vault(c->worker), &act, &c->who->account, reterr);
	if (e == 0)
		e = note(c, LEDGER_EV_ACT_AGREE, &act.account, &act.by, act.role, reterr);
	if (e != 0)
		return e;
	return act.kind == ACT_GRANT ? agree_grant(c, r, &act, reterr)
				     : agree_reset(c, r, &act, reterr);
}

/* The one concerned may not: otherwise a custodian suspected of misuse could stop the reset of his
 * own credential. */
static int refuse_act(struct call *c, struct reply *r, struct diag *reterr)
{
	struct act act;
	int e = param_act(c, &act, reterr);
	if (e == 0 && uuid_equal(&act.account, &c->who->account))
		e = diag_set(reterr, FW_EDENIED, "Nobody decides on an act about himself.");
	if (e == 0)
		e = act_delete(c->db, &act.id, reterr);
	if (e == 0)
		e = note(c, LEDGER_EV_ACT_REFUSE, &act.account, &act.by, act.role, reterr);
	r->status = 204;
	return e;
}

const struct call_row grants_calls[] = {
	{OP_SEE_OWN_PERMISSIONS, see_own_permissions},
	{OP_LIST_GRANTS, list_grants},
	{OP_MAKE_GRANT, make_grant},
	{OP_END_GRANT, end_grant},
	{OP_MAKE_RESET, make_reset},
	{OP_AGREE_ACT, agree_act},
	{OP_REFUSE_ACT, refuse_act},
	{-1, NULL},
};
