/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Agencies and accounts: what an administrator does. No role is given here. */
#include "node/access/house_int.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "codec/json.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "store/store.h"

int house_list_agencies(struct call *c, struct reply *r, struct diag *reterr)
{
	struct store_rows *rows;
	int e = store_query(c->db, SQL_ACCESS_AGENCY_LIST, NULL, 0, &rows, reterr);
	if (e != 0)
		return e;
	struct jw j;
	jw_init(&j, &r->body);
	jw_object(&j);
	jw_name(&j, "agencies");
	jw_array(&j);
	while ((e = store_next(rows, reterr)) == 1) {
		struct uuid id = store_uuid(rows, 0);
		jw_object(&j);
		jw_put_uuid(&j, "id", &id);
		jw_put_string(&j, "code", store_text(rows, 1, c->mem));
		jw_put_string(&j, "name", store_text(rows, 2, c->mem));
		jw_end(&j);
	}
	jw_end(&j);
	jw_end(&j);
	store_rows_close(rows);
	return e != 0 ? e : r->body.error;
}

static bool agency_code_valid(const char *code)
{
	size_t n = strlen(code);
	return n > 0 && n <= 32 &&
	       strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

int house_make_agency(struct call *c, struct reply *r, struct diag *reterr)
{
	const char *code = body_text(c, "code"), *name = body_text(c, "name");
	if (!agency_code_valid(code)) {
		diag_place(reterr, "code");
		return diag_set(reterr, FW_EINVALID,
				"A code is made of letters, digits and hyphens.");
	}
	struct uuid id = uuid_new();
	int64_t n;
	struct store_value args[] = {sv_uuid(&id), sv_text(code), sv_text(name),
				     sv_int(time_now())};
	int e = store_exec(c->db, SQL_ACCESS_AGENCY_INSERT, args, 4, &n, reterr);
	if (e == 0 && n == 0)
		return diag_set(reterr, FW_EEXISTS, "There is an agency of this code.");
	if (e == 0)
		e = house_note(c, LEDGER_EV_AGENCY_MAKE, &id, NULL, reterr);
	if (e != 0)
		return e;
	struct jw j;
	jw_init(&j, &r->body);
	jw_object(&j);
	jw_put_uuid(&j, "id", &id);
	jw_put_string(&j, "code", code);
	jw_put_string(&j, "name", name);
	jw_end(&j);
	r->status = 201;
	return r->body.error;
}

/* Everything of an account but its vaults; the object stays open in the array "vaults". */
static void begin_account(struct jw *j, const struct account *acc)
{
	jw_object(j);
	jw_put_uuid(j, "id", &acc->id);
	jw_put_string(j, "account", acc->login);
	jw_put_string(j, "display", acc->display);
	jw_put_string(j, "agency", acc->agency_name);
	jw_put_string(j, "state", acc->locked ? "locked" : acc->fresh ? "fresh" : "active");
	jw_put_time(j, "made", acc->made);
	jw_name(j, "vaults");
	jw_array(j);
}

static void end_account(struct jw *j)
{
	jw_end(j);
	jw_end(j);
}

static int put_accounts(struct store_rows *rows, struct arena *mem, struct jw *j,
			struct diag *reterr)
{
	struct uuid open = UUID_NIL;
	int e;
	while ((e = store_next(rows, reterr)) == 1) {
		struct arena_mark mark = arena_mark(mem);
		struct account acc = {
			.id = store_uuid(rows, 0),
			.login = store_text(rows, 1, mem),
			.display = store_text(rows, 2, mem),
			.agency_name = store_text(rows, 3, mem),
			.locked = store_int(rows, 4) != 0,
			.fresh = store_int(rows, 5) != 0,
			.made = store_int(rows, 6),
		};
		if (!uuid_equal(&acc.id, &open)) {
			if (!uuid_is_nil(&open))
				end_account(j);
			begin_account(j, &acc);
			open = acc.id;
		}
		if (!store_is_null(rows, 7))
			jw_string(j, store_text(rows, 7, mem));
		arena_release(mem, mark);
	}
	if (!uuid_is_nil(&open))
		end_account(j);
	return e;
}

int house_list_accounts(struct call *c, struct reply *r, struct diag *reterr)
{
	struct store_rows *rows;
	int e = store_query(c->db, SQL_ACCESS_ACCOUNT_LIST, NULL, 0, &rows, reterr);
	if (e != 0)
		return e;
	struct jw j;
	jw_init(&j, &r->body);
	jw_object(&j);
	jw_name(&j, "accounts");
	jw_array(&j);
	e = put_accounts(rows, c->mem, &j, reterr);
	jw_end(&j);
	jw_end(&j);
	store_rows_close(rows);
	return e != 0 ? e : r->body.error;
}

/* The password of a job that made one for handing over. */
static int put_made(struct reply *r, const struct account *acc, const struct password_job *job)
{
	struct jw j;
	jw_init(&j, &r->body);
	jw_object(&j);
	jw_put_uuid(&j, "id", &acc->id);
	jw_put_string(&j, "account", acc->login);
	jw_put_string(&j, "password", job->next);
	jw_end(&j);
	return r->body.error;
}

/* Defers the making of a password and its hash; *ret is set at the second run. */
static int given_password(struct call *c, struct password_job **ret, struct diag *reterr)
{
	struct password_job *job = c->deferred;
	if (job == NULL) {
		char password[PASSWORD_GIVEN + 1];
		password_given(password);
		job = password_job(c->mem, house_of(c->worker)->argon, NULL, NULL, password);
		sodium_memzero(password, sizeof(password));
		return job != NULL ? call_defer(c, password_job_run, job) : -ENOMEM;
	}
	if (job->error != 0)
		return diag_set(reterr, FW_EBUSY, "Try again.");
	*ret = job;
	return 0;
}

static int check_new_account(struct call *c, struct account *acc, struct diag *reterr)
{
	if (!account_login_valid(acc->login)) {
		diag_place(reterr, "account");
		return diag_set(reterr, FW_EINVALID,
				"An account name has small letters, digits, dots and hyphens, and "
				"begins with a letter.");
	}
	int e = uuid_parse(body_text(c, "agency"), &acc->agency);
	struct store_value arg = sv_uuid(&acc->agency);
	struct store_rows *rows;
	if (e == 0)
		e = store_one(c->db, SQL_ACCESS_AGENCY_GET, &arg, 1, &rows, reterr);
	if (e == FW_ENOTFOUND) {
		diag_place(reterr, "agency");
		return diag_set(reterr, FW_EINVALID, "There is no such agency.");
	}
	if (e == 0)
		store_rows_close(rows);
	return e;
}

int house_make_account(struct call *c, struct reply *r, struct diag *reterr)
{
	struct account acc = {
		.id = uuid_new(),
		.login = body_text(c, "account"),
		.display = body_text(c, "display"),
		.fresh = true,
	};
	struct password_job *job = NULL;
	int e = check_new_account(c, &acc, reterr);
	if (e == 0)
		e = given_password(c, &job, reterr);
	if (e != 0 || job == NULL)
		return e;
	acc.hash = job->made;
	e = account_insert(c->db, &acc, time_now(), reterr);
	if (e == 0)
		e = house_note(c, LEDGER_EV_ACCOUNT_MAKE, &acc.id, NULL, reterr);
	r->status = 201;
	return e == 0 ? put_made(r, &acc, job) : e;
}

static int param_account(struct call *c, struct account *acc, struct diag *reterr)
{
	struct uuid id;
	int e = uuid_parse(c->param[0], &id);
	if (e == 0)
		e = account_get(c->db, &id, c->mem, acc, reterr);
	return e == FW_ENOTFOUND ? diag_set(reterr, e, "There is no such account.") : e;
}

static int set_locked(struct call *c, struct reply *r, bool locked, struct diag *reterr)
{
	struct account acc;
	uint32_t vaults = 0;
	int e = param_account(c, &acc, reterr);
	if (e != 0)
		return e;
	if (uuid_equal(&acc.id, &c->who->account))
		return diag_set(reterr, FW_EDENIED, "Nobody locks or unlocks himself.");
	struct store_value args[] = {sv_uuid(&acc.id), sv_int(locked)};
	e = store_exec(c->db, SQL_ACCESS_ACCOUNT_SET_LOCKED, args, 2, NULL, reterr);
	if (e == 0 && locked)
		e = session_end_all(c->db, &acc.id, NULL, reterr);
	if (e == 0 && locked)
		e = house_void_tickets(c);
	if (e == 0)
		e = house_note(c, locked ? LEDGER_EV_ACCOUNT_LOCK : LEDGER_EV_ACCOUNT_UNLOCK,
			       &acc.id, NULL, reterr);
	if (e == 0)
		e = hold_of(c->db, &acc.id, &vaults, reterr);
	if (e != 0)
		return e;
	acc.locked = locked;
	struct jw j;
	jw_init(&j, &r->body);
	begin_account(&j, &acc);
	for (int v = 0; v < VAULT_COUNT; v++)
		if ((vaults & UINT32_C(1) << v) != 0)
			jw_string(&j, vault_rows[v].name);
	end_account(&j);
	return r->body.error;
}

int house_lock_account(struct call *c, struct reply *r, struct diag *reterr)
{
	return set_locked(c, r, true, reterr);
}

int house_unlock_account(struct call *c, struct reply *r, struct diag *reterr)
{
	return set_locked(c, r, false, reterr);
}

/*
 * The administrator's reset.  An account that holds a role anywhere belongs to
 * the custodians there (house_reset.c): otherwise whoever makes accounts could
 * become anybody.
 */
int house_reset_account(struct call *c, struct reply *r, struct diag *reterr)
{
	struct account acc;
	uint32_t vaults = 0;
	int e = param_account(c, &acc, reterr);
	if (e == 0)
		e = hold_of(c->db, &acc.id, &vaults, reterr);
	if (e == 0 && vaults != 0)
		e = diag_set(reterr, FW_EDENIED,
			     "The account holds a role; the custodians of its vaults reset it.");
	struct password_job *job = NULL;
	if (e == 0)
		e = given_password(c, &job, reterr);
	if (e != 0 || job == NULL)
		return e;
	e = account_reset(c->db, &acc.id, job->made, time_now(), reterr);
	if (e == 0)
		e = house_note(c, LEDGER_EV_ACCOUNT_RESET, &acc.id, NULL, reterr);
	if (e == 0)
		e = house_void_tickets(c);
	return e == 0 ? put_made(r, &acc, job) : e;
}
