/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What several handlers of the house do alike. */
#include "node/access/house_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "codec/json.h"
#include "gen/tables.h"
#include "node/ledger/ledger.h"

const char *body_text(const struct call *c, const char *name)
{
	const char *s = json_string_value(json_object_get(c->body, name));
	return s != NULL ? s : "";
}

int house_who(struct call *c, struct account *acc, struct session *s, struct diag *reterr)
{
	int e = session_get(c->db, &c->who->session, time_now(), house_of(c->worker)->idle_minutes,
			    c->mem, s, reterr);
	if (e == 0)
		e = account_get(c->db, &s->account, c->mem, acc, reterr);
	if (e == FW_ENOTFOUND ||
	    (e == 0 && (acc->locked || !uuid_equal(&acc->id, &c->who->account))))
		return diag_set(reterr, FW_EAUTH, "The session is over; log in again.");
	return e;
}

static int must_have_factor(struct call *c, const struct uuid *account, bool *ret,
			    struct diag *reterr)
{
	enum factor_policy policy = house_of(c->worker)->factor;
	*ret = policy == FACTOR_EVERYONE;
	return policy == FACTOR_CUSTODIANS ? hold_is_strong(c->db, account, ret, reterr) : 0;
}

int house_next_state(struct call *c, const struct account *acc, struct session *s,
		     struct diag *reterr)
{
	struct session_facts f = {
		.has_factor = acc->has_factor,
		.gave_factor = s->gave_factor,
		.fresh = acc->fresh,
	};
	int e = must_have_factor(c, &acc->id, &f.must_have_factor, reterr);
	if (e == 0)
		s->state = session_state_of(&f);
	return e;
}

static void put_vaults(struct jw *j, uint32_t vaults)
{
	jw_name(j, "vaults");
	jw_array(j);
	for (int v = 0; v < VAULT_COUNT; v++)
		if ((vaults & UINT32_C(1) << v) != 0)
			jw_string(j, vault_rows[v].name);
	jw_end(j);
}

int house_put_state(struct call *c, struct reply *r, const struct account *acc,
		    const struct session *s, const uint8_t token_hash[SESSION_TOKEN],
		    struct diag *reterr)
{
	const struct house *h = house_of(c->worker);
	const struct wire_boot *boot = worker_boot(c->worker);
	uint32_t vaults;
	int e = hold_of(c->db, &acc->id, &vaults, reterr);
	if (e != 0)
		return e;
	char csrf[CSRF_TEXT_LEN + 1];
	csrf_of(token_hash, csrf);
	usec_t idle = s->last + h->idle_minutes * 60 * USEC_PER_SEC;
	struct jw j;
	jw_init(&j, &r->body);
	jw_object(&j);
	jw_put_string(&j, "state", session_state_name(s->state));
	jw_put_string(&j, "csrf", csrf);
	jw_put_string(&j, "account", acc->login);
	jw_put_uuid(&j, "account_id", &acc->id);
	jw_put_string(&j, "display", acc->display);
	jw_put_string(&j, "agency", acc->agency_name);
	jw_put_string(&j, "node_name", boot->node_name != NULL ? boot->node_name : "");
	jw_put_string(&j, "node_state", boot->node_state != NULL ? boot->node_state : "");
	jw_put_bool(&j, "exercise", boot->exercise);
	put_vaults(&j, vaults);
	jw_put_time(&j, "idle_until", idle < s->ends ? idle : s->ends);
	jw_put_time(&j, "expires", s->ends);
	jw_end(&j);
	return r->body.error;
}

int house_raise(struct call *c, struct reply *r, struct session *s, uint8_t ret_hash[SESSION_TOKEN],
		struct diag *reterr)
{
	char text[SESSION_TOKEN_TEXT + 1];
	session_token(text, ret_hash);
	s->last = s->proved = time_now();
	int e = session_raise(c->db, s, ret_hash, reterr);
	if (e == 0)
		e = house_void_tickets(c);
	if (e != 0)
		return e;
	r->token = arena_strdup(c->mem, text);
	return r->token != NULL ? 0 : -ENOMEM;
}

void house_tickets_void(struct worker *w, void *unused)
{
	struct chan *front = worker_peer(w, PROC_FRONT);
	(void)unused;
	/* A front that cannot be told is gone, and its tickets with it. */
	if (front != NULL && chan_open(front))
		(void)chan_send(front, MSG_TICKETS_VOID, 0, NULL, 0);
}

int house_void_tickets(struct call *c)
{
	return call_after_commit(c, house_tickets_void, NULL);
}

int house_problem(struct call *c, struct reply *r, int status, int code, const char *place,
		  const char *words)
{
	struct jw j;
	(void)c;
	r->status = status;
	r->type = "application/problem+json";
	jw_init(&j, &r->body);
	jw_object(&j);
	jw_put_string(&j, "type", "about:blank");
	jw_put_string(&j, "title", err_text(code));
	jw_put_i64(&j, "status", status);
	jw_put_string(&j, "detail", words);
	if (place != NULL)
		jw_put_string(&j, "place", place);
	jw_put_string(&j, "code", err_name(code));
	jw_end(&j);
	return r->body.error;
}

int house_wait(struct call *c, struct reply *r, const struct backoff *b, usec_t now,
	       struct diag *reterr)
{
	usec_t wait;
	int e = backoff_look(c->db, b, now, &wait, reterr);
	if (e != 0 || wait == 0)
		return e;
	char words[120];
	(void)snprintf(words, sizeof(words),
		       "Too many failed tries; the next one is taken in %lld seconds.",
		       (long long)((wait + USEC_PER_SEC - 1) / USEC_PER_SEC));
	e = house_problem(c, r, 429, FW_EBUSY, NULL, words);
	return e == 0 ? 1 : e;
}

int house_note(struct call *c, int event, const struct uuid *account, const char *detail,
	       struct diag *reterr)
{
	struct ledger_note note = {
		.event = event,
		.subjects = account,
		.nsubjects = account != NULL ? 1 : 0,
		.detail = detail,
	};
	return call_ledger(c, &note, reterr);
}
