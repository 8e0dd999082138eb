/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Requests: what the front said is checked again, then every one that stands
 * ready shares a transaction with the others.
 *
 * A group goes wrong in one of three ways.  A handler's error concerns its
 * own savepoint.  A serialization failure rolls everything back and runs the
 * group again.  Anything else at the commit fails all of it, and since
 * one bad request may be the cause, each is then run alone, unless the
 * store itself failed or nobody knows what became of the commit: then
 * everybody is told so, and nothing was acknowledged.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "codec/json.h"
#include "gen/tables.h"
#include "node/ledger/ledger.h"
#include "node/process/worker_int.h"
#include "store/store.h"
#include "tbl/find.h"
#include "tbl/shape.h"

enum { SESSION_STATE_OPEN = 0 };

/* ---- requests and their queues ---- */

static struct req *req_find(struct worker *w, uint64_t tag)
{
	struct req *r = w->reqs;
	while (r != NULL && (r->tag != tag || r->gone))
		r = r->next;
	return r;
}

static struct req *req_new(struct worker *w, uint64_t tag)
{
	struct req *r = mem_alloc(sizeof(*r));
	struct arena *mem = r != NULL ? arena_new(WORKER_MEM) : NULL;
	if (mem == NULL) {
		mem_free(r);
		return NULL;
	}
	*r = (struct req){ .tag = tag, .mem = mem, .fd = -1, .next = w->reqs };
	reply_reset(&r->reply);
	w->reqs = r;
	w->nreqs++;
	return r;
}

void req_ready(struct worker *w, struct req *r)
{
	r->state = REQ_READY;
	r->queue = NULL;
	*w->ready_end = r;
	w->ready_end = &r->queue;
}

static void leave_ready(struct worker *w, struct req *r)
{
	struct req **at = &w->ready;
	while (*at != NULL && *at != r)
		at = &(*at)->queue;
	if (*at == NULL)
		return;
	*at = r->queue;
	if (w->ready_end == &r->queue)
		w->ready_end = at;
}

void req_end(struct worker *w, struct req *r)
{
	struct req **at = &w->reqs;
	leave_ready(w, r);
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	w->nreqs--;
	upload_discard(r);
	json_decref(r->call.body);
	mem_free(r->reply.more_arg);
	buf_wipe(&r->reply.body);
	buf_release(&r->reply.body);
	arena_wipe(r->mem); /* passwords and personal data have been here */
	arena_free(r->mem);
	mem_free(r);
}

/* The client went away. */
static void req_gone(struct worker *w, struct req *r)
{
	if (r->state == REQ_SYNC || r->state == REQ_DEFER)
		r->gone = true; /* the thread has it: it ends when it comes back */
	else
		req_end(w, r);
}

void calls_drop_all(struct worker *w)
{
	for (struct req *r = w->reqs, *next; r != NULL; r = next) {
		next = r->next;
		req_gone(w, r);
	}
}

/* ---- what a handler may ask ---- */

const char *call_query(const struct call *c, const char *name)
{
	const struct wire_call *wire = &req_of(c)->wire;
	for (size_t i = 0; i < wire->nqueries; i++)
		if (strcmp(wire->query[i].name, name) == 0)
			return wire->query[i].value;
	return NULL;
}

bool call_may(const struct call *c, int perm)
{
	assert(perm >= 0 && perm < PERM_COUNT);
	const struct perm_row *row = &perm_rows[perm];
	return row->vault == c->worker->def->vault && (c->permissions >> row->bit & 1) != 0;
}

int call_ledger(struct call *c, struct ledger_note *note, struct diag *reterr)
{
	struct ledger_note full = *note;
	full.account = c->who->account;
	full.session = c->who->session;
	full.purpose = c->purpose;
	full.route = req_of(c)->route->operation;
	return ledger_append(c->db, c->worker->ledger, &full, NULL, reterr);
}

int call_after_commit(struct call *c, void (*fn)(struct worker *w, void *arg), void *arg)
{
	struct req *r = req_of(c);
	struct hook *h = arena_alloc(c->mem, sizeof(*h));
	if (h == NULL)
		return -ENOMEM;
	*h = (struct hook){ .fn = fn, .arg = arg };
	*r->hooks_end = h;
	r->hooks_end = &h->next;
	return 0;
}

/* ---- checks at arrival: nothing of them needs the store ---- */

static const struct route_row *route_of(const struct worker *w, int op)
{
	for (size_t i = 0; i < ROUTE_COUNT; i++)
		if (route_rows[i].op == op && route_rows[i].vault == w->def->vault)
			return &route_rows[i];
	return NULL;
}

static call_fn *function_of(const struct worker *w, int op)
{
	for (size_t t = 0; w->def->calls[t] != NULL; t++)
		for (const struct call_row *row = w->def->calls[t]; row->op != -1; row++)
			if (row->op == op)
				return row->fn;
	return NULL;
}

static int check_ticket(struct worker *w, struct req *r, struct diag *d)
{
	int perm = r->route->perm;
	if (r->wire.ticket == NULL)
		return perm == PERM_PUBLIC ? 0 : diag_set(d, FW_EAUTH, "log in first");
	int err = ticket_open(r->wire.ticket, r->wire.ticket_len, worker_ticket_key(w), r->mem, &r->who);
	r->known = err == 0;
	if (perm == PERM_PUBLIC)
		return 0;
	if (err != 0)
		return diag_set(d, err, "the session ended; log in again");
	if (perm != PERM_SESSION && r->who.state != SESSION_STATE_OPEN)
		return diag_set(d, FW_EAUTH, "the log-in is not complete");
	return 0;
}

static int check_purpose(struct worker *w, struct req *r, struct diag *d)
{
	r->call.purpose = NULL;
	if ((r->route->flags & ROUTE_PURPOSE) == 0)
		return 0;
	int p = r->wire.purpose != NULL ? purpose_find(r->wire.purpose) : -1;
	if (p >= 0 && (purpose_rows[p].vaults >> w->def->vault & 1) != 0) {
		r->call.purpose = purpose_rows[p].code;
		return 0;
	}
	diag_place(d, "X-Fairway-Purpose");
	return diag_set(d, FW_EINVALID, "a purpose that this vault knows must be named");
}

static int check_params(struct req *r, struct diag *d)
{
	const struct route_row *route = r->route;
	if (r->wire.nparams != route->nparams)
		return diag_set(d, FW_EPROTO, "another number of path parameters");
	for (size_t i = 0; i < route->nparams; i++) {
		struct value_type t = { .type = route->params[i].type };
		int err = value_check_text(&t, route->params[i].name, r->wire.param[i], d);
		if (err != 0)
			return err;
		r->call.param[i] = r->wire.param[i];
	}
	return 0;
}

static const struct query_row *query_of(const struct route_row *route, const char *name)
{
	for (size_t i = 0; i < route->nqueries; i++)
		if (strcmp(route->queries[i].name, name) == 0)
			return &route->queries[i];
	return NULL;
}

static int check_queries(struct req *r, struct diag *d)
{
	for (size_t i = 0; i < r->wire.nqueries; i++) {
		const struct wire_pair *q = &r->wire.query[i];
		const struct query_row *row = query_of(r->route, q->name);
		int err = row == NULL ? diag_set(d, FW_EINVALID, "this address takes no such parameter") :
			  call_query(&r->call, q->name) != q->value ?
					diag_set(d, FW_EINVALID, "the parameter is given twice") :
					value_check_text(&row->value, row->name, q->value, d);
		if (err != 0) {
			diag_place(d, "%s", q->name);
			return err;
		}
	}
	for (size_t i = 0; i < r->route->nqueries; i++) {
		const struct query_row *row = &r->route->queries[i];
		if (!row->required || call_query(&r->call, row->name) != NULL)
			continue;
		diag_place(d, "%s", row->name);
		return diag_set(d, FW_EINVALID, "the parameter is missing");
	}
	return 0;
}

static int check_body(struct req *r, struct diag *d)
{
	const struct route_row *route = r->route;
	if ((route->body == BODY_UPLOAD) != r->wire.upload || (route->body != BODY_JSON && r->wire.body != NULL))
		return diag_set(d, FW_EPROTO, "a body of another kind");
	if (route->body != BODY_JSON)
		return 0;
	if (r->wire.body == NULL)
		return diag_set(d, FW_EINVALID, "a JSON body is missing");
	int err = json_parse(r->wire.body, r->wire.body_len, &r->call.body, d);
	return err != 0 ? err : shape_check(route->in, r->call.body, d);
}

static int check(struct worker *w, struct req *r, struct diag *d)
{
	int err = check_ticket(w, r, d);
	if (err == 0)
		err = check_purpose(w, r, d);
	if (err == 0)
		err = check_params(r, d);
	if (err == 0)
		err = check_queries(r, d);
	return err != 0 ? err : check_body(r, d);
}

/* ---- in the transaction ---- */

/* What the account may do here; FW_EDENIED if the route wants more. */
static int check_permission(struct worker *w, struct req *r, struct diag *d)
{
	int perm = r->route->perm, err = 0;
	r->call.permissions = 0;
	if (r->known && r->who.state == SESSION_STATE_OPEN)
		err = w->def->permissions(w, w->store, &r->who.account, &r->call.permissions, d);
	if (err != 0 || perm == PERM_PUBLIC || perm == PERM_SESSION || perm == PERM_SELF)
		return err;
	return call_may(&r->call, perm) ? 0 : diag_set(d, FW_EDENIED, "this account does not hold the permission %s",
						      perm_rows[perm].code);
}

static int handle(struct worker *w, struct req *r)
{
	struct diag found = r->d;
	arena_release(r->mem, r->mark);
	reply_reset(&r->reply);
	r->hooks = NULL;
	r->hooks_end = &r->hooks;
	diag_clear(&r->d);
	/* Who may not is told that, whatever else is wrong with the request. */
	int err = r->checked == FW_EAUTH ? 0 : check_permission(w, r, &r->d);
	if (err == 0 && r->checked != 0) {
		r->d = found;
		return r->checked;
	}
	if (err == 0 && r->upload_error != 0)
		return diag_set(&r->d, r->upload_error, "the file cannot be kept: %s; nothing of it was kept",
				err_text(r->upload_error));
	if (err != 0)
		return err;
	err = r->fn(&r->call, &r->reply, &r->d);
	if (err == 0 && buf_failed(&r->reply.body) && r->reply.body.error != -ENOMEM)
		return diag_set(&r->d, FW_ESTORE, "the answer is too long to be given at once");
	/* What cannot be answered is not done. */
	return err == 0 && (arena_failed(r->mem) || buf_failed(&r->reply.body)) ? -ENOMEM : err;
}

/* One request in its savepoint. An error of this function is one of the whole group. */
static int run_one(struct worker *w, struct req *r)
{
	struct diag d = DIAG_INIT;
	int err = store_savepoint(w->store, &d);
	if (err != 0)
		return err;
	uint64_t mark = ledger_writer_mark(w->ledger);
	r->result = handle(w, r);
	if (r->result == 0)
		r->result = store_savepoint_release(w->store, &r->d);
	if (r->result == 0)
		return 0;
	ledger_writer_back_to(w->ledger, mark);
	if (r->result == FW_ERETRY)
		return FW_ERETRY;
	return store_savepoint_rollback(w->store, &d);
}

static int group_once(struct worker *w, struct req **group, size_t n, struct diag *d)
{
	int err = store_begin(w->store, STORE_WRITE, d);
	if (err != 0)
		return err;
	for (size_t i = 0; err == 0 && i < n; i++)
		err = run_one(w, group[i]);
	if (err == 0)
		err = store_commit(w->store, d);
	if (err != 0)
		store_rollback(w->store);
	tx_ledger(w, err);
	return err;
}

static int group_commit(struct worker *w, struct req **group, size_t n, struct diag *d)
{
	int err = FW_ERETRY;
	for (unsigned k = 0; err == FW_ERETRY && k < TRIES; k++) {
		if (k > 0)
			tx_pause(k - 1);
		diag_clear(d);
		err = group_once(w, group, n, d);
	}
	return err;
}

/* After the commit: hooks, then the answer, so that what a hook tells others is told first. */
static void finish(struct worker *w, struct req *r)
{
	if (r->result == 0) {
		for (struct hook *h = r->hooks; h != NULL; h = h->next)
			h->fn(w, h->arg);
		if (r->path != NULL)
			upload_keep(r);
		reply_send(w, r);
		return;
	}
	if (r->result == CALL_DEFERRED) {
		r->result = defer_submit(w, r, r->defer_fn, r->defer_arg);
		if (r->result == 0) {
			r->state = REQ_DEFER;
			return;
		}
	}
	reply_problem(w, r, r->result, &r->d);
}

static void fail_group(struct worker *w, struct req **group, size_t n, int err, const struct diag *d)
{
	for (size_t i = 0; i < n; i++) {
		struct diag own = DIAG_INIT;
		diag_clear(&group[i]->d);
		if (err == FW_EUNKNOWNOUTCOME)
			(void)diag_set(&own, err, "the store went away during the commit: whether this was kept "
						  "is not known; look before doing it again");
		else if (err == FW_ERETRY)
			(void)diag_set(&own, err, "too many others wrote at the same time; nothing of this was kept; "
						  "try again");
		else
			(void)diag_set(&own, err, "the store could not keep this (%s); nothing of it was kept; "
						  "try again later", err_text(err));
		reply_problem(w, group[i], status_of(err) == 503 ? err : FW_ESTORE, &own);
	}
	char words[DIAG_PLACE_MAX + DIAG_TEXT_MAX + 4];
	diag_format(d, err, words, sizeof(words));
	log_line(LOG_L_ERROR, "group.failed", "%zu requests: %s", n, words);
}

/* Whether one request of the group may be the cause. */
static bool may_be_one(int err)
{
	return err == FW_ECONSTRAINT || err == FW_EINVALID || err == FW_ELIMIT || err == FW_ERANGE || err == -ENOMEM;
}

static void run_group(struct worker *w, struct req **group, size_t n)
{
	struct diag d = DIAG_INIT;
	int err = group_commit(w, group, n, &d);
	if (err == 0) {
		for (size_t i = 0; i < n; i++)
			finish(w, group[i]);
	} else if (n > 1 && may_be_one(err)) {
		for (size_t i = 0; i < n; i++)
			run_group(w, &group[i], 1);
	} else {
		fail_group(w, group, n, err, &d);
	}
}

void calls_run(struct worker *w)
{
	struct req *group[WORKER_GROUP];
	size_t n = 0;
	while (n < WORKER_GROUP && w->ready != NULL) {
		group[n] = w->ready;
		w->ready = group[n]->queue;
		if (w->ready == NULL)
			w->ready_end = &w->ready;
		n++;
	}
	if (n > 0)
		run_group(w, group, n);
}

/* ---- messages of the front ---- */

static void fill_call(struct worker *w, struct req *r)
{
	const struct wire_call *wire = &r->wire;
	r->call = (struct call){ .worker = w, .db = w->store, .mem = r->mem, .op = wire->op, .who = &r->who,
				 .lang = wire->lang != NULL ? wire->lang : "en", .token_hash = wire->token_hash,
				 .address = wire->address, .agent = wire->agent };
}

/* May this file come at all? Asked before its first byte is kept. */
static int admit_upload(struct worker *w, struct req *r)
{
	struct diag found = r->d;
	if (r->checked == FW_EAUTH)
		return r->checked;
	diag_clear(&r->d);
	int err = store_begin(w->store, STORE_READ, &r->d);
	if (err != 0)
		return err;
	err = check_permission(w, r, &r->d);
	store_rollback(w->store);
	if (err == 0 && r->checked != 0) {
		r->d = found;
		err = r->checked;
	}
	return err != 0 ? err : upload_begin(w, r, &r->d);
}

static int on_call(struct worker *w, struct message *m)
{
	if (req_find(w, m->tag) != NULL)
		return FW_EPROTO;
	struct req *r = w->nreqs < REQS_MAX ? req_new(w, m->tag) : NULL;
	if (r == NULL) {
		struct diag d = DIAG_INIT;
		(void)diag_set(&d, FW_EBUSY, "the node is busy; try again later");
		problem_send(w, m->tag, FW_EBUSY, &d);
		return 0;
	}
	int err = wire_call_get(&m->body, r->mem, &r->wire);
	if (err == 0) {
		r->route = route_of(w, r->wire.op);
		r->fn = function_of(w, r->wire.op);
		err = r->route == NULL ? FW_EPROTO : 0;
	}
	if (err != 0) {
		req_end(w, r);
		return FW_EPROTO;
	}
	fill_call(w, r);
	r->checked = check(w, r, &r->d);
	if (r->checked == 0 && r->fn == NULL)
		r->checked = diag_set(&r->d, FW_ENOTFOUND, "this version of the program does not do this yet; a later one will");
	if (r->checked == FW_EPROTO) {
		req_end(w, r);
		return FW_EPROTO;
	}
	r->mark = arena_mark(r->mem);
	if (!r->wire.upload) {
		req_ready(w, r);
	} else if ((err = admit_upload(w, r)) != 0) {
		reply_problem(w, r, err, &r->d);
	}
	return 0;
}

static int on_chunk(struct worker *w, struct req *r, struct message *m)
{
	if (r->state != REQ_UPLOAD)
		return FW_EPROTO;
	int err = upload_chunk(w, r, &m->body);
	if (err != 0)
		reply_problem(w, r, err, &r->d);
	else
		(void)chan_send(&w->peer[PROC_FRONT], MSG_TAKEN, m->tag, NULL, 0);
	return 0;
}

int calls_message(struct worker *w, struct message *m)
{
	if (m->type == MSG_CALL)
		return on_call(w, m);
	struct req *r = req_find(w, m->tag);
	if (r == NULL)
		return 0; /* it was answered while this was on the road */
	switch (m->type) {
	case MSG_CALL_CHUNK:
		return on_chunk(w, r, m);
	case MSG_CALL_END:
		if (r->state != REQ_UPLOAD)
			return FW_EPROTO;
		upload_end(w, r);
		return 0;
	case MSG_CALL_GONE:
		req_gone(w, r);
		return 0;
	case MSG_PULL:
		if (r->state != REQ_STREAM)
			return FW_EPROTO;
		r->pulled = true;
		return 0;
	default:
		return FW_EPROTO;
	}
}
