/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One's own password and second factor. */
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
#include "store/store.h"

/* A new factor needs a password or a code given within this time: a session left open is not
 * enough. */
enum { PROVED_MINUTES = 10 };

static int refuse_old(struct call *c, struct reply *r, const struct backoff *b, struct diag *reterr)
{
	int e = backoff_failed(c->db, b, time_now(), reterr);
	if (e == 0)
		e = house_note(c, LEDGER_EV_SESSION_REFUSE, &c->who->account, NULL, reterr);
	return e == 0 ? house_problem(c, r, 422, FW_EINVALID, "old",
				      "The present password is wrong.")
		      : e;
}

static int set_password(struct call *c, struct reply *r, struct account *acc, struct session *s,
			const struct password_job *job, struct diag *reterr)
{
	struct store_value args[] = {sv_uuid(&acc->id), sv_text(job->made), sv_int(0),
				     sv_int(time_now())};
	uint8_t hash[SESSION_TOKEN];
	int e = store_exec(c->db, SQL_ACCESS_CREDENTIAL_SET, args, 4, NULL, reterr);
	if (e == 0)
		e = session_end_all(c->db, &acc->id, &s->id, reterr);
	acc->fresh = false;
	if (e == 0)
		e = house_next_state(c, acc, s, reterr);
	if (e == 0)
		e = house_raise(c, r, s, hash, reterr);
	if (e == 0)
		e = house_note(c, LEDGER_EV_ACCOUNT_PASSWORD, &acc->id, NULL, reterr);
	return e == 0 ? house_put_state(c, r, acc, s, hash, reterr) : e;
}

static int check_new(struct call *c, const struct account *acc, struct diag *reterr)
{
	const char *old = body_text(c, "old"), *next = body_text(c, "new");
	int e = password_acceptable(next, acc->login, reterr);
	if (e == 0 && strcmp(old, next) == 0)
		e = diag_set(reterr, FW_EINVALID, "The new password is the present one.");
	if (e != 0)
		diag_place(reterr, "new");
	return e;
}

int house_change_password(struct call *c, struct reply *r, struct diag *reterr)
{
	struct account acc;
	struct session s;
	int e = house_who(c, &acc, &s, reterr);
	if (e != 0)
		return e;
	if (s.state != SESSION_OPEN && s.state != SESSION_CHANGE_PASSWORD)
		return diag_set(reterr, FW_ECONFLICT, "Something else comes first: %s.",
				session_state_name(s.state));
	e = check_new(c, &acc, reterr);
	if (e != 0)
		return e;
	struct backoff b;
	backoff_init(&b, &house_of(c->worker)->backoff, worker_key(c->worker), BACKOFF_PASSWORD,
		     acc.login, c->address);
	e = house_wait(c, r, &b, time_now(), reterr);
	if (e != 0)
		return e < 0 ? e : 0;
	struct password_job *job = c->deferred;
	if (job == NULL) {
		job = password_job(c->mem, house_of(c->worker)->argon, acc.hash,
				   body_text(c, "old"), body_text(c, "new"));
		return job != NULL ? call_defer(c, password_job_run, job) : -ENOMEM;
	}
	if (job->error != 0 || strcmp(job->hash, acc.hash) != 0)
		return diag_set(reterr, FW_EBUSY, "Try again.");
	return job->verified == 0 ? set_password(c, r, &acc, &s, job, reterr)
				  : refuse_old(c, r, &b, reterr);
}

/* Whether the session may begin or confirm a factor now. */
static int may_enrol(const struct session *s, struct diag *reterr)
{
	if (s->state != SESSION_OPEN && s->state != SESSION_ENROL)
		return diag_set(reterr, FW_ECONFLICT, "Something else comes first: %s.",
				session_state_name(s->state));
	if (time_now() - s->proved > PROVED_MINUTES * 60 * USEC_PER_SEC)
		return diag_set(
			reterr, FW_EDENIED,
			"A new second factor needs a log-in of the last %d minutes; log in again.",
			PROVED_MINUTES);
	return 0;
}

static int put_enrolment(struct call *c, struct reply *r, const struct account *acc,
			 const uint8_t secret[TOTP_SECRET], struct diag *reterr)
{
	const char *node = worker_boot(c->worker)->node_name;
	char text[TOTP_SECRET_TEXT + 1];
	struct buf uri, path;
	buf_init(&uri, 1000);
	buf_init(&path, 20000);
	base32_format(secret, TOTP_SECRET, text);
	totp_uri(node != NULL ? node : "Fairway", acc->login, text, &uri);
	buf_u8(&uri, 0);
	int size = 0, e = uri.error;
	if (e == 0)
		e = totp_qr((const char *)uri.data, &path, &size, reterr);
	if (e == 0) {
		struct jw j;
		jw_init(&j, &r->body);
		jw_object(&j);
		jw_put_string(&j, "secret", text);
		jw_put_string(&j, "uri", (const char *)uri.data);
		jw_name(&j, "qr");
		jw_stringn(&j, (const char *)path.data, path.len);
		jw_put_i64(&j, "size", size);
		jw_end(&j);
		e = r->body.error;
	}
	buf_wipe(&uri);
	buf_wipe(&path);
	buf_release(&uri);
	buf_release(&path);
	sodium_memzero(text, sizeof(text));
	return e;
}

int house_enrol_factor(struct call *c, struct reply *r, struct diag *reterr)
{
	struct account acc;
	struct session s;
	uint8_t secret[TOTP_SECRET];
	int e = house_who(c, &acc, &s, reterr);
	if (e == 0)
		e = may_enrol(&s, reterr);
	if (e == 0)
		e = factor_begin(c->db, worker_key(c->worker), &acc.id, time_now(), secret, reterr);
	if (e == 0)
		e = put_enrolment(c, r, &acc, secret, reterr);
	sodium_memzero(secret, sizeof(secret));
	return e;
}

static int put_recovery(struct call *c, struct reply *r, const struct uuid *account,
			struct diag *reterr)
{
	char codes[RECOVERY_CODES][RECOVERY_TEXT + 1];
	int e = factor_make_recovery(c->db, worker_key(c->worker), account, codes, reterr);
	if (e != 0)
		return e;
	struct jw j;
	jw_init(&j, &r->body);
	jw_object(&j);
	jw_name(&j, "recovery_codes");
	jw_array(&j);
	for (size_t i = 0; i < RECOVERY_CODES; i++)
		jw_string(&j, codes[i]);
	jw_end(&j);
	jw_end(&j);
	sodium_memzero(codes, sizeof(codes));
	return r->body.error;
}

int house_confirm_factor(struct call *c, struct reply *r, struct diag *reterr)
{
	struct account acc;
	struct session s;
	int e = house_who(c, &acc, &s, reterr);
	if (e == 0)
		e = may_enrol(&s, reterr);
	if (e != 0)
		return e;
	e = factor_confirm(c->db, worker_key(c->worker), &acc.id, body_text(c, "code"), time_now(),
			   reterr);
	if (e == FW_EAUTH) {
		diag_place(reterr, "code");
		return diag_set(reterr, FW_EINVALID,
				"The code is wrong; is the clock of the device right?");
	}
	if (e == FW_ENOTFOUND)
		return diag_set(reterr, FW_ECONFLICT, "No new second factor waits; begin again.");
	acc.has_factor = s.gave_factor = true;
	if (e == 0)
		e = house_next_state(c, &acc, &s, reterr);
	if (e == 0)
		e = session_set_state(c->db, &s, reterr);
	if (e == 0)
		e = session_end_all(c->db, &acc.id, &s.id, reterr);
	if (e == 0)
		e = house_note(c, LEDGER_EV_ACCOUNT_ENROL, &acc.id, NULL, reterr);
	if (e == 0)
		e = house_void_tickets(c);
	return e == 0 ? put_recovery(c, r, &acc.id, reterr) : e;
}
