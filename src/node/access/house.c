/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The house: its start and end, its task, and what the front and the vaults ask it. */
#include "node/access/access.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/access/house_int.h"
#include "node/ledger/ledger.h"
#include "store/store.h"
#include "tbl/find.h"

static const char own_name[] = "access.house";

struct house *house_of(struct worker *w)
{
	return worker_get(w, own_name);
}

static const char *setting(const struct wire_boot *boot, const char *name, const char *standard)
{
	for (size_t i = 0; i < boot->nsettings; i++)
		if (strcmp(boot->setting[i].name, name) == 0)
			return boot->setting[i].value;
	return standard;
}

/* The supervisor has checked the settings against their table; out of bounds here means a bug
 * there, so bound again. */
static int64_t setting_int(const struct wire_boot *boot, const char *name, int64_t standard,
			   int64_t least, int64_t most)
{
	const char *text = setting(boot, name, NULL);
	char *stop = NULL;
	int64_t v = text != NULL ? strtoll(text, &stop, 10) : standard;
	if (text != NULL && (stop == text || *stop != '\0'))
		v = standard;
	return v < least ? least : v > most ? most : v;
}

static enum factor_policy factor_policy(const char *name)
{
	return strcmp(name, "optional") == 0     ? FACTOR_OPTIONAL
	       : strcmp(name, "custodians") == 0 ? FACTOR_CUSTODIANS
						 : FACTOR_EVERYONE;
}

int access_house_start(struct worker *w, struct diag *reterr)
{
	const struct wire_boot *boot = worker_boot(w);
	struct house *h = mem_alloc(sizeof(*h));
	if (h == NULL)
		return -ENOMEM;
	*h = (struct house){
		.argon = password_params(setting_int(boot, "session.argon2_passes", 2, 1, 20),
					 setting_int(boot, "session.argon2_mib", 64, 1, 4096)),
		.backoff = {.free = setting_int(boot, "session.free_attempts", 5, 1, 100),
			    .most = setting_int(boot, "session.wait_max_seconds", 900, 1, 86400) *
				    USEC_PER_SEC},
		.idle_minutes = setting_int(boot, "session.idle_minutes", 30, 1, 1440),
		.session_hours = setting_int(boot, "session.absolute_hours", 12, 1, 168),
		.per_account = setting_int(boot, "session.per_account", 10, 1, 100),
		.factor = factor_policy(setting(boot, "session.factor", "everyone")),
	};
	password_dummy(h->argon, h->dummy);
	worker_set(w, own_name, h);
	return grants_start(w, reterr);
}

void access_house_end(struct worker *w)
{
	grants_end(w);
	mem_free(house_of(w));
	worker_set(w, own_name, NULL);
}

static int purge(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	const usec_t now = time_now();
	(void)arg;
	int e = session_purge(db, now, house_of(w)->idle_minutes, reterr);
	if (e == 0)
		e = backoff_purge(db, now, reterr);
	struct store_value hour_ago = sv_int(now - 3600 * USEC_PER_SEC);
	if (e == 0)
		e = store_exec(db, SQL_ACCESS_FACTOR_PURGE, &hour_ago, 1, NULL, reterr);
	struct store_value consents = sv_int(now - CONSENT_DAYS * USEC_PER_DAY);
	return e == 0 ? store_exec(db, SQL_ACCESS_CONSENT_PURGE, &consents, 1, NULL, reterr) : e;
}

/* Whatever fails is tried again a minute later: what ran out is refused anyway. */
static usec_t run_purge(struct worker *w)
{
	(void)worker_tx(w, purge, NULL, NULL);
	return time_mono() + 60 * USEC_PER_SEC;
}
const struct task_row house_task = {"access.house", run_purge};

/* One question and its answer; lives on the stack of access_house_message(). */
struct question {
	struct worker *w;
	struct arena *mem;
	enum proc from;
	struct cursor *body;
	struct buf *out;
	union {
		struct wire_hold_ask hold;
		struct wire_name_ask name;
		struct wire_reset_ask reset;
		uint8_t token_hash[SESSION_TOKEN];
	};
	bool touch; /* ticket: its session must be marked as used */
	struct uuid session;
};

static int vault_of_proc(enum proc p)
{
	return vault_find(proc_name(p));
}

static int find_ticket(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	struct question *q = arg;
	const struct house *h = house_of(w);
	const usec_t now = time_now();
	struct session s;
	struct account acc;
	int e = session_find(db, q->token_hash, now, h->idle_minutes, q->mem, &s, reterr);
	if (e == 0)
		e = account_get(db, &s.account, q->mem, &acc, reterr);
	if (e == FW_ENOTFOUND || (e == 0 && acc.locked)) {
		wire_ticket_put(q->out, NULL, 0);
		return 0;
	}
	if (e != 0)
		return e;
	struct ticket t = {
		.account = s.account,
		.session = s.id,
		.agency = acc.agency,
		.expires = now + SESSION_TICKET_SECONDS * USEC_PER_SEC,
		.state = (uint8_t)s.state,
	};
	if (t.expires > s.ends)
		t.expires = s.ends;
	(void)snprintf(t.login, sizeof(t.login), "%s", acc.login);
	struct buf sealed;
	buf_init(&sealed, WIRE_TICKET_MAX);
	ticket_seal(&t, worker_ticket_key(w), &sealed);
	e = sealed.error;
	if (e == 0)
		wire_ticket_put(q->out, sealed.data, sealed.len);
	buf_release(&sealed);
	q->session = s.id;
	q->touch = now - s.last > SESSION_TOUCH_SECONDS * USEC_PER_SEC;
	return e;
}

static int touch_session(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	const struct question *q = arg;
	(void)w;
	return session_touch(db, &q->session, time_now(), reterr);
}

struct reading_tx {
	struct question *q;
	int (*fn)(struct worker *w, struct store *db, void *arg, struct diag *reterr);
};

static int in_read(struct store *db, void *arg, struct diag *reterr)
{
	struct reading_tx *t = arg;
	buf_clear(t->q->out);
	return t->fn(t->q->w, db, t->q, reterr);
}

static int read_tx(struct question *q,
		   int (*fn)(struct worker *, struct store *, void *, struct diag *))
{
	struct reading_tx t = {q, fn};
	return store_tx(worker_store(q->w), STORE_READ, in_read, &t, NULL);
}

static int answer_ticket(struct question *q)
{
	cur_copy(q->body, q->token_hash, sizeof(q->token_hash));
	if (cur_end(q->body) != 0)
		return FW_EPROTO;
	int e = read_tx(q, find_ticket);
	/* A failed touch only makes the session look older than it is. */
	if (e == 0 && q->touch)
		(void)worker_tx(q->w, touch_session, q, NULL);
	return e;
}

static int do_hold(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	struct question *q = arg;
	struct wire_hold h;
	int e = house_hold(w, db, vault_of_proc(q->from), &q->hold, &h, reterr);
	buf_clear(q->out);
	if (e == 0)
		wire_hold_put(q->out, &h);
	return e == 0 ? q->out->error : e;
}

static int answer_hold(struct question *q)
{
	int e = wire_hold_ask_get(q->body, &q->hold);
	if (e != 0)
		return e;
	return q->hold.what == HOLD_LIST ? read_tx(q, do_hold) : worker_tx(q->w, do_hold, q, NULL);
}

static int do_name(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	struct question *q = arg;
	struct wire_name n;
	(void)w;
	int e = house_name(db, &q->name, &n, reterr);
	if (e == 0)
		wire_name_put(q->out, &n);
	return e == 0 ? q->out->error : e;
}

static int answer_name(struct question *q)
{
	int e = wire_name_ask_get(q->body, &q->name);
	return e == 0 ? read_tx(q, do_name) : e;
}

static int do_reset(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	struct question *q = arg;
	struct wire_reset r;
	int e = house_reset(w, db, vault_of_proc(q->from), &q->reset, &r, reterr);
	buf_clear(q->out);
	if (e == 0)
		wire_reset_put(q->out, &r);
	sodium_memzero(&r, sizeof(r));
	return e == 0 ? q->out->error : e;
}

static int answer_reset(struct question *q)
{
	int e = wire_reset_ask_get(q->body, &q->reset);
	if (e == 0)
		e = worker_tx(q->w, do_reset, q, NULL);
	if (e == 0 && q->reset.what == RESET_AGREE)
		house_tickets_void(q->w, NULL);
	return e;
}

static const struct {
	uint16_t ask, answer;
	int (*fn)(struct question *q);
} questions[] = {
	{MSG_TICKET_ASK, MSG_TICKET, answer_ticket},
	{MSG_HOLD_ASK, MSG_HOLD, answer_hold},
	{MSG_NAME_ASK, MSG_NAME, answer_name},
	{MSG_RESET_ASK, MSG_RESET, answer_reset},
};

enum { QUESTION_MEM = 1 << 16, ANSWER_MAX = 512 };

/*
 * A question that fails in the store gets no answer: who asked waits its two
 * seconds and says so.  The front, behind which people wait, is told at once.  Only a broken payload drops the channel.
 */
int access_house_message(struct worker *w, struct chan *from, struct message *m)
{
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		if (questions[i].ask != m->type)
			continue;
		struct arena *mem = arena_new(QUESTION_MEM);
		if (mem == NULL)
			return 0;
		struct buf out;
		buf_init(&out, ANSWER_MAX);
		struct question q = {
			.w = w, .mem = mem, .from = from->peer, .body = &m->body, .out = &out};
		int e = questions[i].fn(&q);
		if (e == 0)
			(void)chan_send(from, questions[i].answer, m->tag, out.data, out.len);
		else if (e != FW_EPROTO && m->type == MSG_TICKET_ASK)
			(void)chan_send(from, MSG_TICKET_LATER, m->tag, NULL, 0);
		buf_wipe(&out);
		buf_release(&out);
		arena_free(mem);
		return e == FW_EPROTO ? FW_EPROTO : 0;
	}
	return FW_EPROTO;
}

const struct call_row house_calls[] = {
	{OP_OPEN_SESSION, house_open_session},
	{OP_SEE_SESSION, house_see_session},
	{OP_CLOSE_SESSION, house_close_session},
	{OP_GIVE_FACTOR, house_give_factor},
	{OP_LIST_SESSIONS, house_list_sessions},
	{OP_REVOKE_SESSION, house_revoke_session},
	{OP_CHANGE_PASSWORD, house_change_password},
	{OP_ENROL_FACTOR, house_enrol_factor},
	{OP_CONFIRM_FACTOR, house_confirm_factor},
	{OP_LIST_AGENCIES, house_list_agencies},
	{OP_MAKE_AGENCY, house_make_agency},
	{OP_LIST_ACCOUNTS, house_list_accounts},
	{OP_MAKE_ACCOUNT, house_make_account},
	{OP_LOCK_ACCOUNT, house_lock_account},
	{OP_UNLOCK_ACCOUNT, house_unlock_account},
	{OP_RESET_ACCOUNT, house_reset_account},
	{-1, NULL},
};
