/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "fake_worker.h"

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include "base/arena.h"
#include "codec/json.h"
#include "gen/tables.h"
#include "node/ledger/ledger.h"
#include "store/store.h"
#include "tbl/shape.h"

enum { KEPT = 8, AFTER = 64, WOKEN = 16 };

struct worker {
	const struct vault_def *def;
	struct store *db;
	struct ledger_writer *ledger;
	struct wire_boot boot;
	uint8_t key[32], ticket_key[32], sign_pk[32];
	struct worker *house;
	struct chan front;   /* what is sent to it is counted and dropped */
	struct chan *keeper; /* the test's, or NULL */
	struct chan *peer[PROC_COUNT]; /* likewise */
	double gauge[METRIC_COUNT];
	char url[300];
	unsigned voids;
	struct {
		char name[40];
		void *p;
	} kept[KEPT];
	struct {
		void (*fn)(struct worker *w, void *arg);
		void *arg;
	} after[AFTER];
	size_t nafter;
	const char *woken[WOKEN];
	size_t nwoken;
	unsigned fail_commit;
	/* Of the request under way. */
	const struct fake_request *rq;
	void (*slow)(void *arg);
	void *slow_arg;
};

enum {
	DEFERRED = 1
}; /* what a handler returns that waits for slow work; no error code is positive */

/* Open /dev/null, so that the channel counts as open. */
static void open_chan(struct chan *c, enum proc self, enum proc peer)
{
	chan_init(c, open("/dev/null", O_RDWR | O_CLOEXEC), self, peer, false);
	assert_true(c->fd >= 0);
}

static enum proc proc_of_vault(int vault)
{
	static const enum proc procs[] = {[VAULT_STRATEGIC] = PROC_STRATEGIC,
					  [VAULT_OPERATIONAL] = PROC_OPERATIONAL,
					  [VAULT_PROTECTION] = PROC_PROTECTION,
					  [VAULT_HOUSE] = PROC_HOUSE};
	return procs[vault];
}

static uint32_t role_of_vault(int vault)
{
	static const uint32_t roles[] = {[VAULT_STRATEGIC] = STORE_ROLE_STRATEGIC,
					 [VAULT_OPERATIONAL] = STORE_ROLE_OPERATIONAL,
					 [VAULT_PROTECTION] = STORE_ROLE_PROTECTION,
					 [VAULT_HOUSE] = STORE_ROLE_HOUSE};
	return roles[vault];
}

struct worker *fake_worker_new(const struct vault_def *def, const char *url,
			       const struct wire_pair *settings, size_t nsettings)
{
	struct worker *w = calloc(1, sizeof(*w));
	struct diag d = DIAG_INIT;
	assert_non_null(w);
	w->def = def;
	for (size_t i = 0; i < METRIC_COUNT; i++)
		w->gauge[i] = -1;
	struct store_options opt = {.url = url,
				    .role = role_of_vault(def->vault),
				    .vault = vault_rows[def->vault].name,
				    .create = true,
				    .migrate = true};
	int e = store_open(&opt, &w->db, &d);
	if (e != 0)
		fail_msg("%s: %s", url, d.text);
	assert_int_equal(ledger_writer_new(&w->ledger), 0);
	w->boot = (struct wire_boot){.node_name = "Test node",
				     .node_state = "Nowhere",
				     .origin = "test.example/1",
				     .exercise = true};
	(void)snprintf(w->url, sizeof(w->url), "%s", url);
	w->boot.store_url = w->url;
	for (size_t i = 0; i < nsettings; i++)
		w->boot.setting[w->boot.nsettings++] = settings[i];
	memset(w->key, 0x40 + def->vault, sizeof(w->key));
	memset(w->ticket_key, 0x77, sizeof(w->ticket_key));
	if (def->vault == VAULT_HOUSE)
		open_chan(&w->front, PROC_HOUSE, PROC_FRONT);
	else
		w->front.fd = -1;
	if (def->start != NULL && (e = def->start(w, &d)) != 0)
		fail_msg("start: %s: %s", err_name(e), d.text);
	return w;
}

void fake_worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	if (w->def->end != NULL)
		w->def->end(w);
	ledger_writer_free(w->ledger);
	store_close(w->db);
	if (w->front.fd >= 0)
		chan_close(&w->front);
	free(w);
}

void fake_worker_set_house(struct worker *w, struct worker *house)
{
	w->house = house;
}

void fake_fail_commit(struct worker *w, unsigned n)
{
	w->fail_commit = n;
}

/* What the front would have got, counted; the bytes go. */
static void drain_front(struct worker *w)
{
	if (w->front.fd < 0)
		return;
	for (size_t at = 0; at + CHAN_HEAD <= w->front.out.len;) {
		struct cursor cur;
		cur_init(&cur, w->front.out.data + at, w->front.out.len - at);
		uint32_t len = cur_u32(&cur);
		w->voids += cur_u16(&cur) == MSG_TICKETS_VOID;
		at += 4 + len;
	}
	buf_clear(&w->front.out);
}

unsigned fake_voids(const struct worker *w)
{
	return w->voids;
}

static int commit(struct worker *w, struct diag *reterr)
{
	int e = 0;
	if (w->fail_commit > 0 && --w->fail_commit == 0) {
		store_rollback(w->db);
		e = diag_set(reterr, FW_ESTORE, "The commit was made to fail.");
	} else {
		e = store_commit(w->db, reterr);
		if (e != 0)
			store_rollback(w->db);
	}
	if (e == 0)
		ledger_writer_commit(w->ledger);
	else
		ledger_writer_rollback(w->ledger);
	return e;
}

static int status_of(int code)
{
	switch (code) {
	case 0:
		return 200;
	case FW_EAUTH:
		return 401;
	case FW_EDENIED:
		return 403;
	case FW_ENOTFOUND:
		return 404;
	case FW_ECONFLICT:
	case FW_EEXISTS:
		return 409;
	case FW_EINVALID:
	case FW_EFORMAT:
		return 422;
	case FW_ELIMIT:
		return 413;
	case FW_EBUSY:
	case FW_ERETRY:
	case FW_ESTORE:
	case FW_EUNKNOWNOUTCOME:
		return 503;
	default:
		return 500;
	}
}

static const struct route_row *route_of(int op, int vault)
{
	for (size_t i = 0; i < ROUTE_COUNT; i++)
		if (route_rows[i].op == op && route_rows[i].vault == vault)
			return &route_rows[i];
	return NULL;
}

static call_fn *handler_of(const struct vault_def *def, int op)
{
	for (const struct call_row *const *t = def->calls; *t != NULL; t++)
		for (const struct call_row *r = *t; r->op >= 0; r++)
			if (r->op == op)
				return r->fn;
	return NULL;
}

/* What the loop does before the handler runs. 0 is SESSION_OPEN in a ticket's state. */
static int check(struct worker *w, const struct route_row *row, struct call *c, struct diag *reterr)
{
	if (row->perm == PERM_PUBLIC)
		return 0;
	if (w->rq->who == NULL)
		return FW_EAUTH;
	if (row->perm == PERM_SESSION)
		return 0;
	if (w->rq->who->state != 0)
		return FW_EAUTH;
	int e = w->def->permissions != NULL ? w->def->permissions(w, w->db, &w->rq->who->account,
								  &c->permissions, reterr)
					    : 0;
	if (e != 0 || row->perm == PERM_SELF)
		return e;
	return (c->permissions & UINT64_C(1) << perm_rows[row->perm].bit) != 0 ? 0 : FW_EDENIED;
}

static int check_input(const struct route_row *row, struct call *c, const struct fake_request *rq,
		       struct diag *reterr)
{
	int e = 0;
	for (size_t i = 0; e == 0 && i < row->nparams; i++) {
		const struct value_type t = {.type = row->params[i].type};
		e = rq->param[i] == NULL
			    ? FW_EINVALID
			    : value_check_text(&t, row->params[i].name, rq->param[i], reterr);
	}
	for (size_t i = 0; e == 0 && i < row->nqueries; i++) {
		const char *v = call_query(c, row->queries[i].name);
		if (v != NULL)
			e = value_check_text(&row->queries[i].value, row->queries[i].name, v,
					     reterr);
		else if (row->queries[i].required)
			e = diag_set(reterr, FW_EINVALID, "query %s is missing",
				     row->queries[i].name);
	}
	if (e == 0 && row->body == BODY_JSON && rq->body == NULL)
		e = FW_EINVALID;
	if (e == 0 && rq->body != NULL)
		e = json_parse(rq->body, strlen(rq->body), &c->body, reterr);
	return e == 0 && rq->body != NULL ? shape_check(row->in, c->body, reterr) : e;
}

/* One run of the handler in its savepoint. *ret_lost: the whole transaction is. */
static int run_once(struct worker *w, call_fn *fn, struct call *c, struct reply *r, bool *ret_lost,
		    struct diag *reterr)
{
	int e = store_savepoint(w->db, reterr);
	*ret_lost = e != 0;
	if (e != 0)
		return e;
	uint64_t mark = ledger_writer_mark(w->ledger);
	w->slow = NULL;
	e = fn(c, r, reterr);
	if (w->slow != NULL)
		e = DEFERRED;
	if (e == 0 && (buf_failed(&r->body) || arena_failed(c->mem)))
		e = -ENOMEM;
	if (e == 0)
		e = store_savepoint_release(w->db, reterr);
	if (e == 0)
		return 0;
	ledger_writer_back_to(w->ledger, mark);
	w->nafter = 0;
	int back = e == FW_ERETRY ? FW_ERETRY : store_savepoint_rollback(w->db, NULL);
	*ret_lost = back != 0;
	return back != 0 ? back : e;
}

static int run_tx(struct worker *w, const struct route_row *row, call_fn *fn, struct call *c,
		  struct reply *r, struct diag *reterr)
{
	buf_clear(&r->body);
	*r = (struct reply){.status = 200, .type = "application/json", .body = r->body};
	diag_clear(reterr);
	w->nafter = 0;
	bool lost = false;
	int e = store_begin(w->db, STORE_WRITE, reterr);
	if (e != 0)
		return e;
	e = check(w, row, c, reterr);
	if (e == 0)
		e = run_once(w, fn, c, r, &lost, reterr);
	if (lost || e == DEFERRED) {
		store_rollback(w->db);
		ledger_writer_rollback(w->ledger);
		return e;
	}
	int done = commit(w, reterr);
	if (done != 0)
		return done;
	for (size_t i = 0; i < w->nafter; i++)
		w->after[i].fn(w, w->after[i].arg);
	drain_front(w);
	return e;
}

static int run_call(struct worker *w, const struct route_row *row, call_fn *fn, struct call *c,
		    struct reply *r, struct diag *reterr)
{
	int e = FW_ERETRY;
	for (unsigned tries = 0; e == DEFERRED || (e == FW_ERETRY && tries < 10); tries++) {
		e = run_tx(w, row, fn, c, r, reterr);
		if (e == DEFERRED) {
			w->slow(w->slow_arg);
			c->deferred = w->slow_arg;
		}
	}
	return e;
}

static void hash_token(const char *text, uint8_t hash[32])
{
	uint8_t token[64];
	size_t n = 0;
	memset(hash, 0, 32);
	if (text != NULL && sodium_base642bin(token, sizeof(token), text, strlen(text), NULL, &n,
					      NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0)
		crypto_hash_sha256(hash, token, n);
}

static void fill_answer(struct fake_answer *a, int e, struct reply *r)
{
	a->code = e;
	a->status = e == 0 ? r->status : status_of(e);
	if (e != 0)
		return;
	a->body = r->body;
	buf_init(&r->body, 0);
	(void)snprintf(a->type, sizeof(a->type), "%s", r->type);
	if (r->token != NULL)
		(void)snprintf(a->token, sizeof(a->token), "%s", r->token);
	a->token_ends = r->token != NULL && r->token[0] == '\0';
	if (strstr(a->type, "json") == NULL || a->body.len == 0)
		return;
	/* Twice, since a fault injected for the handler may fall here. */
	if (json_parse(a->body.data, a->body.len, &a->json, NULL) != 0 &&
	    json_parse(a->body.data, a->body.len, &a->json, NULL) != 0)
		fail_msg("the answer is no JSON: %.*s", (int)a->body.len,
			 (const char *)a->body.data);
}

/* As the loop does: each step into an empty buffer. */
static int stream(struct worker *w, struct reply *r, struct buf *out, struct diag *reterr)
{
	int more = r->more != NULL;
	struct buf step;
	buf_init(&step, 16 << 20);
	while (more == 1) {
		if (store_begin(w->db, STORE_READ, reterr) != 0) {
			more = FW_ESTORE;
			break;
		}
		buf_clear(&step);
		more = r->more(w, w->db, r->more_arg, &step, reterr);
		store_rollback(w->db);
		if (step.len > 0)
			buf_put(out, step.data, step.len);
	}
	buf_release(&step);
	mem_free(r->more_arg);
	return more;
}

int fake_call_stream(struct worker *w, const struct fake_request *rq, struct fake_answer *ret,
		     struct buf *out)
{
	const struct route_row *row = route_of(rq->op, w->def->vault);
	call_fn *fn = handler_of(w->def, rq->op);
	if (row == NULL || fn == NULL)
		fail_msg("no route or no handler for op %d in %s", rq->op,
			 vault_rows[w->def->vault].name);
	static const struct ticket nobody;
	uint8_t hash[32];
	hash_token(rq->token, hash);
	struct call c = {
		.worker = w,
		.db = w->db,
		.mem = arena_new(WORKER_MEM),
		.op = rq->op,
		.who = rq->who != NULL ? rq->who : &nobody,
		.upload = rq->upload,
		.upload_size = rq->upload_size,
		.purpose = rq->purpose,
		.lang = rq->lang != NULL ? rq->lang : "en",
		.token_hash = hash,
		.address = rq->address != NULL ? rq->address : "192.0.2.1",
		.agent = rq->agent != NULL ? rq->agent : "test",
	};
	memcpy(c.param, rq->param, sizeof(c.param));
	struct reply r = {0};
	buf_init(&r.body, 16 << 20);
	*ret = (struct fake_answer){0};
	w->rq = rq;
	int e = c.mem != NULL ? check_input(row, &c, rq, &ret->diag) : -ENOMEM;
	if (e == 0)
		e = run_call(w, row, fn, &c, &r, &ret->diag);
	int end = e == 0 && out != NULL ? stream(w, &r, out, &ret->diag) : 0;
	if (e == 0)
		diag_clear(&ret->diag);
	fill_answer(ret, e, &r);
	buf_release(&r.body);
	json_decref(c.body);
	arena_free(c.mem);
	w->rq = NULL;
	return end;
}

void fake_call(struct worker *w, const struct fake_request *rq, struct fake_answer *ret)
{
	(void)fake_call_stream(w, rq, ret, NULL);
}

void fake_answer_release(struct fake_answer *a)
{
	json_decref(a->json);
	buf_release(&a->body);
	*a = (struct fake_answer){0};
}

const char *fake_text(const struct fake_answer *a, const char *name)
{
	const char *s = json_string_value(json_object_get(a->json, name));
	return s != NULL ? s : "";
}

int fake_message(struct worker *w, enum proc from, uint16_t type, const void *p, size_t n,
		 struct buf *ret)
{
	struct chan c;
	open_chan(&c, proc_of_vault(w->def->vault), from);
	struct message m = {.type = type, .tag = 7, .fd = -1};
	cur_init(&m.body, p, n);
	int e = w->def->on_message != NULL ? w->def->on_message(w, &c, &m) : FW_EPROTO;
	if (e == 0 && c.out.len < CHAN_HEAD)
		e = FW_EGONE;
	if (e == 0)
		buf_put(ret, c.out.data + CHAN_HEAD, c.out.len - CHAN_HEAD);
	drain_front(w);
	chan_close(&c);
	return e;
}

static const struct task_row *task_of(const struct worker *w, const char *name)
{
	for (const struct task_row *t = w->def->tasks; t != NULL && t->name != NULL; t++)
		if (strcmp(t->name, name) == 0)
			return t;
	fail_msg("no task %s", name);
	return NULL;
}

unsigned fake_run_task(struct worker *w, const char *name, unsigned most)
{
	const struct task_row *t = task_of(w, name);
	unsigned n = 0;
	size_t kept = 0;
	for (size_t i = 0; i < w->nwoken; i++)
		if (strcmp(w->woken[i], name) != 0)
			w->woken[kept++] = w->woken[i];
	w->nwoken = kept;
	while (n < most) {
		n++;
		if (t->run(w) > time_mono())
			break;
	}
	return n;
}

bool fake_was_woken(const struct worker *w, const char *task)
{
	for (size_t i = 0; i < w->nwoken; i++)
		if (strcmp(w->woken[i], task) == 0)
			return true;
	return false;
}

/* ---- worker.h and call.h ---- */

struct store *worker_store(struct worker *w)
{
	return w->db;
}
struct ledger_writer *worker_ledger(struct worker *w)
{
	return w->ledger;
}
int worker_vault(const struct worker *w)
{
	return w->def->vault;
}
const struct vault_def *worker_def(const struct worker *w)
{
	return w->def;
}
const struct wire_boot *worker_boot(const struct worker *w)
{
	return &w->boot;
}
const uint8_t *worker_key(const struct worker *w)
{
	return w->key;
}
const uint8_t *worker_ticket_key(const struct worker *w)
{
	return w->ticket_key;
}
const uint8_t *worker_sign_public(const struct worker *w)
{
	return w->sign_pk;
}

void fake_worker_set_keeper(struct worker *w, struct chan *keeper, const uint8_t pk[32])
{
	w->keeper = keeper;
	memcpy(w->sign_pk, pk, 32);
}

struct chan *worker_peer(struct worker *w, enum proc p)
{
	if (p == PROC_KEEPER)
		return w->keeper;
	if (p == PROC_FRONT)
		return w->front.fd >= 0 ? &w->front : NULL;
	return (unsigned)p < PROC_COUNT ? w->peer[p] : NULL;
}

void fake_worker_set_peer(struct worker *w, enum proc p, struct chan *peer)
{
	w->peer[p] = peer;
}

void worker_gauge(struct worker *w, int metric, double value)
{
	w->gauge[metric] = value;
}

double fake_gauge(const struct worker *w, int metric)
{
	return w->gauge[metric];
}

int worker_ask_house(struct worker *w, uint16_t type, const void *p, size_t n, uint16_t answer,
		     struct buf *ret)
{
	(void)answer;
	return w->house != NULL
		       ? fake_message(w->house, proc_of_vault(w->def->vault), type, p, n, ret)
		       : FW_EGONE;
}

bool worker_waited_for(const struct worker *w)
{
	(void)w;
	return false; /* one thread: whoever would wait is not there yet */
}

void worker_wake(struct worker *w, const char *task)
{
	if (!fake_was_woken(w, task)) {
		assert_true(w->nwoken < WOKEN);
		w->woken[w->nwoken++] = task;
	}
}

void worker_set(struct worker *w, const char *name, void *p)
{
	size_t slot = KEPT;
	for (size_t i = KEPT; i-- > 0;)
		if (strcmp(w->kept[i].name, name) == 0 || (slot == KEPT && w->kept[i].p == NULL))
			slot = i;
	assert_true(slot < KEPT);
	(void)snprintf(w->kept[slot].name, sizeof(w->kept[slot].name), "%s", name);
	w->kept[slot].p = p;
}

void *worker_get(const struct worker *w, const char *name)
{
	for (size_t i = 0; i < KEPT; i++)
		if (strcmp(w->kept[i].name, name) == 0)
			return w->kept[i].p;
	return NULL;
}

static int tx_once(struct worker *w,
		   int (*fn)(struct worker *w, struct store *db, void *arg, struct diag *reterr),
		   void *arg, struct diag *reterr)
{
	int e = store_begin(w->db, STORE_WRITE, reterr);
	if (e != 0)
		return e;
	e = fn(w, w->db, arg, reterr);
	if (e == 0)
		return commit(w, reterr);
	store_rollback(w->db);
	ledger_writer_rollback(w->ledger);
	return e;
}

int worker_tx(struct worker *w,
	      int (*fn)(struct worker *w, struct store *db, void *arg, struct diag *reterr),
	      void *arg, struct diag *reterr)
{
	assert_false(store_in_tx(w->db));
	int e = FW_ERETRY;
	for (unsigned tries = 0; e == FW_ERETRY && tries < 10; tries++) {
		diag_clear(reterr);
		e = tx_once(w, fn, arg, reterr);
	}
	return e;
}

int worker_ledger_note(struct worker *w, struct store *db, struct ledger_note *note,
		       struct diag *reterr)
{
	return ledger_append(db, w->ledger, note, NULL, reterr);
}

int call_defer(struct call *c, void (*fn)(void *arg), void *arg)
{
	c->worker->slow = fn;
	c->worker->slow_arg = arg;
	return 0;
}

const char *call_query(const struct call *c, const char *name)
{
	for (const struct wire_pair *q = c->worker->rq->query; q->name != NULL; q++)
		if (strcmp(q->name, name) == 0)
			return q->value;
	return NULL;
}

bool call_may(const struct call *c, int perm)
{
	return perm_rows[perm].vault == c->worker->def->vault &&
	       (c->permissions & UINT64_C(1) << perm_rows[perm].bit) != 0;
}

int call_ledger(struct call *c, struct ledger_note *note, struct diag *reterr)
{
	note->account = c->who->account;
	note->session = c->who->session;
	note->purpose = c->purpose;
	const struct route_row *row = route_of(c->op, c->worker->def->vault);
	note->route = row != NULL ? row->operation : NULL;
	return ledger_append(c->db, c->worker->ledger, note, NULL, reterr);
}

int call_after_commit(struct call *c, void (*fn)(struct worker *w, void *arg), void *arg)
{
	struct worker *w = c->worker;
	if (w->nafter == AFTER)
		return FW_ELIMIT;
	w->after[w->nafter].fn = fn;
	w->after[w->nafter].arg = arg;
	w->nafter++;
	return 0;
}
