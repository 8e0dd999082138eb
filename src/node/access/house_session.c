/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Log in, second factor, log out, own sessions. */
#include "node/access/house_int.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "codec/json.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/access/factor.h"
#include "node/keys/keys.h"
#include "node/ledger/ledger.h"
#include "store/store.h"

/* The login name as typed, in small letters; NULL if out of memory. */
static char *typed_login(struct call *c)
{
	char *s = arena_strdup(c->mem, body_text(c, "account"));
	for (char *p = s; p != NULL && *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return s;
}

/* One answer for every reason, so that it says nothing about which names exist. */
static int refuse(struct call *c, struct reply *r, const struct backoff *b,
		  const struct uuid *account, struct diag *reterr)
{
	int e = backoff_failed(c->db, b, time_now(), reterr);
	if (e == 0)
		e = house_note(c, LEDGER_EV_SESSION_REFUSE, account, NULL, reterr);
	return e == 0 ? house_problem(c, r, 401, FW_EAUTH, NULL, "Account or password is wrong.")
		      : e;
}

static int admit(struct call *c, struct reply *r, const struct backoff *b, struct account *acc,
		 const struct password_job *job, struct diag *reterr)
{
	const struct house *h = house_of(c->worker);
	const usec_t now = time_now();
	int e = backoff_passed(c->db, b, now, reterr);
	struct store_value rehash[] = {sv_uuid(&acc->id), sv_text(job->made)};
	if (e == 0 && job->made[0] != '\0')
		e = store_exec(c->db, SQL_ACCESS_CREDENTIAL_REHASH, rehash, 2, NULL, reterr);
	struct session s = {
		.id = uuid_new(), .account = acc->id, .address = c->address, .agent = c->agent};
	char token[SESSION_TOKEN_TEXT + 1];
	uint8_t hash[SESSION_TOKEN];
	session_token(token, hash);
	if (e == 0)
		e = house_next_state(c, acc, &s, reterr);
	if (e == 0)
		e = session_insert(c->db, &s, hash, now, h->session_hours, h->per_account, reterr);
	struct uuid subjects[] = {acc->id, s.id};
	struct ledger_note note = {
		.event = LEDGER_EV_SESSION_OPEN, .subjects = subjects, .nsubjects = 2};
	if (e == 0)
		e = call_ledger(c, &note, reterr);
	if (e != 0)
		return e;
	r->token = arena_strdup(c->mem, token);
	sodium_memzero(token, sizeof(token));
	return r->token != NULL ? house_put_state(c, r, acc, &s, hash, reterr) : -ENOMEM;
}

int house_open_session(struct call *c, struct reply *r, struct diag *reterr)
{
	const struct house *h = house_of(c->worker);
	const char *login = typed_login(c);
	if (login == NULL)
		return -ENOMEM;
	struct backoff b;
	backoff_init(&b, &house_of(c->worker)->backoff, worker_key(c->worker), BACKOFF_PASSWORD,
		     login, c->address);
	int e = house_wait(c, r, &b, time_now(), reterr);
	if (e != 0)
		return e < 0 ? e : 0;
	struct account acc = {0};
	e = account_find(c->db, login, c->mem, &acc, reterr);
	if (e != 0 && e != FW_ENOTFOUND)
		return e;
	bool there = e == 0;
	const char *hash = there ? acc.hash : h->dummy;
	struct password_job *job = c->deferred;
	if (job == NULL) {
		job = password_job(c->mem, h->argon, hash, body_text(c, "password"), NULL);
		return job != NULL ? call_defer(c, password_job_run, job) : -ENOMEM;
	}
	if (job->error != 0 || strcmp(job->hash, hash) != 0)
		return diag_set(reterr, FW_EBUSY, "Try again.");
	bool right = there && job->verified == 0 && !acc.locked;
	return right ? admit(c, r, &b, &acc, job, reterr)
		     : refuse(c, r, &b, there ? &acc.id : NULL, reterr);
}

int house_see_session(struct call *c, struct reply *r, struct diag *reterr)
{
	struct account acc;
	struct session s;
	int e = house_who(c, &acc, &s, reterr);
	return e == 0 ? house_put_state(c, r, &acc, &s, c->token_hash, reterr) : e;
}

/* Ends the session that asks: the cookie goes too. */
static int end_own(struct call *c, struct reply *r, int event, struct diag *reterr)
{
	int e = session_end(c->db, &c->who->session, &c->who->account, NULL, reterr);
	if (e == 0)
		e = house_note(c, event, &c->who->account, NULL, reterr);
	if (e == 0)
		e = house_void_tickets(c);
	r->status = 204;
	r->token = "";
	return e;
}

int house_close_session(struct call *c, struct reply *r, struct diag *reterr)
{
	return end_own(c, r, LEDGER_EV_SESSION_CLOSE, reterr);
}

static int wrong_code(struct call *c, struct reply *r, const struct backoff *b, struct diag *reterr)
{
	int e = backoff_failed(c->db, b, time_now(), reterr);
	if (e == 0)
		e = house_note(c, LEDGER_EV_SESSION_REFUSE_FACTOR, &c->who->account, NULL, reterr);
	return e == 0 ? house_problem(c, r, 422, FW_EINVALID, "code",
				      "The code is wrong, ran out, or was used already.")
		      : e;
}

static int right_code(struct call *c, struct reply *r, const struct backoff *b, struct account *acc,
		      struct session *s, bool recovery, struct diag *reterr)
{
	uint8_t hash[SESSION_TOKEN];
	int e = backoff_passed(c->db, b, time_now(), reterr);
	s->gave_factor = true;
	if (e == 0)
		e = house_next_state(c, acc, s, reterr);
	if (e == 0)
		e = house_raise(c, r, s, hash, reterr);
	if (e == 0)
		e = house_note(c, recovery ? LEDGER_EV_ACCOUNT_RECOVER : LEDGER_EV_SESSION_FACTOR,
			       &acc->id, NULL, reterr);
	return e == 0 ? house_put_state(c, r, acc, s, hash, reterr) : e;
}

int house_give_factor(struct call *c, struct reply *r, struct diag *reterr)
{
	struct account acc;
	struct session s;
	int e = house_who(c, &acc, &s, reterr);
	if (e != 0)
		return e;
	if (s.state != SESSION_SECOND_FACTOR)
		return diag_set(reterr, FW_ECONFLICT, "This session owes no second factor.");
	struct backoff b;
	backoff_init(&b, &house_of(c->worker)->backoff, worker_key(c->worker), BACKOFF_FACTOR,
		     acc.login, c->address);
	e = house_wait(c, r, &b, time_now(), reterr);
	if (e != 0)
		return e < 0 ? e : 0;
	const char *code = body_text(c, "code");
	bool recovery = strlen(code) != TOTP_DIGITS;
	e = recovery ? factor_use_recovery(c->db, worker_key(c->worker), &acc.id, code, reterr)
		     : factor_use_code(c->db, worker_key(c->worker), &acc.id, code, time_now(),
				       reterr);
	if (e == FW_EAUTH)
		return wrong_code(c, r, &b, reterr);
	return e == 0 ? right_code(c, r, &b, &acc, &s, recovery, reterr) : e;
}

int house_list_sessions(struct call *c, struct reply *r, struct diag *reterr)
{
	struct session *all = arena_array(c->mem, 100, sizeof(*all));
	size_t n;
	if (all == NULL)
		return -ENOMEM;
	int e = session_list(c->db, &c->who->account, time_now(), house_of(c->worker)->idle_minutes,
			     c->mem, all, 100, &n, reterr);
	if (e != 0)
		return e;
	struct jw j;
	jw_init(&j, &r->body);
	jw_object(&j);
	jw_name(&j, "sessions");
	jw_array(&j);
	for (size_t i = 0; i < n; i++) {
		jw_object(&j);
		jw_put_uuid(&j, "id", &all[i].id);
		jw_put_bool(&j, "current", uuid_equal(&all[i].id, &c->who->session));
		jw_put_time(&j, "started", all[i].started);
		jw_put_time(&j, "last", all[i].last);
		jw_put_string(&j, "address", all[i].address);
		jw_put_string(&j, "agent", all[i].agent);
		jw_end(&j);
	}
	jw_end(&j);
	jw_end(&j);
	return r->body.error;
}

int house_revoke_session(struct call *c, struct reply *r, struct diag *reterr)
{
	struct uuid id;
	int64_t n;
	int e = uuid_parse(c->param[0], &id);
	if (e == 0 && uuid_equal(&id, &c->who->session))
		return end_own(c, r, LEDGER_EV_SESSION_REVOKE, reterr);
	if (e == 0)
		e = session_end(c->db, &id, &c->who->account, &n, reterr);
	if (e == 0 && n == 0)
		return diag_set(reterr, FW_ENOTFOUND, "There is no such session of yours.");
	if (e == 0)
		e = house_note(c, LEDGER_EV_SESSION_REVOKE, &c->who->account, NULL, reterr);
	if (e == 0)
		e = house_void_tickets(c);
	r->status = 204;
	return e;
}
