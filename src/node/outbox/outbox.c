/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The sending half remembers in memory which rows are under way, so that one
 * is not sent twice while its receipt is on the road; forgetting it (a
 * restart, a time-out) costs a second sending and nothing else.
 */
#include "node/outbox/outbox.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/outbox/outbox_int.h"
#include "store/store.h"

enum {
	UNDER_WAY = 32,     /* rows sent and not yet receipted */
	RECEIPT_MS = 5000,  /* after which a row is sent again */
	RETRY_MS = 500,     /* when the other side is down or says later */
	MEM = 512 * 1024,
	PAGE = 64,
	PAGES = 64,
};

struct flight {
	struct uuid key;
	uint64_t tag; /* 0: free */
	usec_t until; /* monotonic */
};

struct outbox_sender {
	struct flight flights[UNDER_WAY];
	uint64_t next_tag;
};

static const char sender_name[] = "outbox";

static int vault_of(enum proc p)
{
	switch (p) {
	case PROC_STRATEGIC: return VAULT_STRATEGIC;
	case PROC_OPERATIONAL: return VAULT_OPERATIONAL;
	case PROC_PROTECTION: return VAULT_PROTECTION;
	default: return -1;
	}
}

static enum proc proc_of(int vault)
{
	switch (vault) {
	case VAULT_STRATEGIC: return PROC_STRATEGIC;
	case VAULT_OPERATIONAL: return PROC_OPERATIONAL;
	case VAULT_PROTECTION: return PROC_PROTECTION;
	default: return PROC_COUNT;
	}
}

int outbox_put(struct store *db, int to_vault, const char *kind, const struct uuid *subject, const void *body,
	       size_t n, struct uuid *ret_key, struct diag *reterr)
{
	if (n > OUTBOX_BODY_MAX)
		return diag_set(reterr, FW_ELIMIT, "too long to be handed to another vault");
	struct uuid key = uuid_new();
	const struct store_value args[] = { sv_uuid(&key),    sv_int(to_vault),	  sv_text(kind),
					    sv_uuid(subject), sv_bytes(body, n), sv_int(time_now()) };
	int err = store_exec(db, SQL_OUTBOX_PUT, args, 6, NULL, reterr);
	if (err == 0)
		*ret_key = key;
	return err;
}

int outbox_of_subject(struct store *db, const struct uuid *subject, struct outbox_row *ret, size_t max,
		      size_t *ret_n, struct diag *reterr)
{
	const struct store_value args[] = { sv_uuid(subject), sv_int((int64_t)max) };
	struct store_rows *rows = NULL;
	size_t n = 0;
	int got = store_query(db, SQL_OUTBOX_OF_SUBJECT, args, 2, &rows, reterr);
	while (got == 0 && n < max && (got = store_next(rows, reterr)) == 1) {
		struct outbox_row *o = &ret[n++];
		*o = (struct outbox_row){ .key = store_uuid(rows, 0), .subject = *subject,
					  .at = store_int(rows, 1), .state = (int)store_int(rows, 2) };
		size_t len;
		const uint8_t *p = store_bytes(rows, 3, &len);
		memcpy(o->kind, p, len < sizeof(o->kind) ? len : sizeof(o->kind) - 1);
		p = store_bytes(rows, 4, &len);
		memcpy(o->receipt, p, len < sizeof(o->receipt) ? len : sizeof(o->receipt) - 1);
		got = 0;
	}
	store_rows_close(rows);
	if (got < 0)
		return got;
	*ret_n = n;
	return 0;
}

/* ---- sending ---- */

static struct outbox_sender *sender_of(struct worker *w)
{
	struct outbox_sender *s = worker_get(w, sender_name);
	if (s == NULL && (s = mem_alloc(sizeof(*s))) != NULL) {
		*s = (struct outbox_sender){ .next_tag = 1 };
		worker_set(w, sender_name, s); /* lives as long as the process */
	}
	return s;
}

static struct flight *flight_of_key(struct outbox_sender *s, const struct uuid *key)
{
	for (size_t i = 0; i < UNDER_WAY; i++)
		if (s->flights[i].tag != 0 && uuid_equal(&s->flights[i].key, key))
			return &s->flights[i];
	return NULL;
}

static struct flight *free_flight(struct outbox_sender *s)
{
	for (size_t i = 0; i < UNDER_WAY; i++)
		if (s->flights[i].tag == 0)
			return &s->flights[i];
	return NULL;
}

static void forget_overdue(struct outbox_sender *s, usec_t now)
{
	for (size_t i = 0; i < UNDER_WAY; i++)
		if (s->flights[i].tag != 0 && s->flights[i].until <= now)
			s->flights[i].tag = 0;
}

/* Send one row that stands in ${rows}. False when the other side is down. */
static bool send_row(struct worker *w, struct outbox_sender *s, struct flight *f, struct store_rows *rows,
		     struct arena *a)
{
	struct chan *to = worker_peer(w, proc_of((int)store_int(rows, 1)));
	if (to == NULL)
		return false;
	struct wire_outbox o = { .key = store_uuid(rows, 0), .subject = store_uuid(rows, 3),
				 .at = store_int(rows, 5), .kind = store_text(rows, 2, a) };
	o.body = store_bytes(rows, 4, &o.n);
	struct buf b;
	buf_init(&b, OUTBOX_BODY_MAX + 200);
	wire_outbox_put(&b, &o);
	bool sent = !buf_failed(&b) && !arena_failed(a) &&
		    chan_send(to, MSG_OUTBOX, s->next_tag, b.data, b.len) == 0;
	if (sent)
		*f = (struct flight){ .key = o.key, .tag = s->next_tag++,
				      .until = time_mono() + RECEIPT_MS * 1000 };
	buf_release(&b);
	return sent;
}

struct sending {
	struct outbox_sender *s;
	bool down; /* somebody could not be reached */
};

/* One page of ready rows after *after, which moves. Returns how many there were, or an error. */
static int send_page(struct worker *w, struct store *db, struct sending *g, struct uuid *after,
		     struct arena *a, struct diag *reterr)
{
	const struct store_value args[] = { sv_uuid(after), sv_int(PAGE) };
	struct store_rows *rows = NULL;
	int n = 0, got = store_query(db, SQL_OUTBOX_READY, args, 2, &rows, reterr);
	while (got == 0 && (got = store_next(rows, reterr)) == 1) {
		*after = store_uuid(rows, 0);
		struct flight *f = flight_of_key(g->s, after) != NULL ? NULL : free_flight(g->s);
		if (f != NULL && !send_row(w, g->s, f, rows, a))
			g->down = true;
		arena_reset(a);
		n++;
		got = 0;
	}
	store_rows_close(rows);
	return got < 0 ? got : n;
}

/* Page by page, so that a vault that is down does not hold back the rows to another. */
static int send_ready(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	struct sending *g = arg;
	struct arena *a = arena_new(MEM);
	if (a == NULL)
		return -ENOMEM;
	struct uuid after = UUID_NIL;
	int n = PAGE;
	for (int pages = 0; n == PAGE && pages < PAGES && free_flight(g->s) != NULL; pages++)
		n = send_page(w, db, g, &after, a, reterr);
	arena_free(a);
	return n < 0 ? n : 0;
}

static usec_t run(struct worker *w)
{
	usec_t now = time_mono();
	struct sending g = { .s = sender_of(w) };
	if (g.s == NULL)
		return now + RETRY_MS * 1000;
	forget_overdue(g.s, now);
	int err = worker_tx(w, send_ready, &g, NULL);
	if (err != 0 || g.down)
		return now + RETRY_MS * 1000;
	usec_t next = INT64_MAX;
	for (size_t i = 0; i < UNDER_WAY; i++)
		if (g.s->flights[i].tag != 0 && g.s->flights[i].until < next)
			next = g.s->flights[i].until;
	return next;
}

const struct task_row outbox_task = { "outbox", run };

void outbox_wake(struct worker *w, void *unused)
{
	(void)unused;
	worker_wake(w, outbox_task.name);
}

/* ---- receiving ---- */

static const struct apply_row *apply_of(const struct worker *w, const char *kind)
{
	const struct apply_row *row = worker_def(w)->applies;
	while (row != NULL && row->kind != NULL && strcmp(row->kind, kind) != 0)
		row++;
	return row != NULL && row->kind != NULL ? row : NULL;
}

int outbox_apply(struct worker *w, struct store *db, int from, const struct wire_outbox *o,
		 struct buf *receipt, struct diag *reterr)
{
	const struct store_value known[] = { sv_int(from), sv_uuid(&o->key) };
	struct store_rows *rows = NULL;
	buf_clear(receipt);
	int err = store_one(db, SQL_INBOX_GET, known, 2, &rows, reterr);
	if (err == 0) {
		size_t n;
		const uint8_t *p = store_bytes(rows, 0, &n);
		buf_put(receipt, p, n);
		store_rows_close(rows);
		return receipt->error;
	}
	if (err != FW_ENOTFOUND)
		return err;
	diag_clear(reterr);
	const struct apply_row *row = apply_of(w, o->kind);
	if (row == NULL)
		return diag_set(reterr, FW_EINVALID, "this vault takes nothing of the kind \"%s\"", o->kind);
	err = row->apply(w, db, from, &o->key, &o->subject, o->body, o->n, receipt, reterr);
	if (err == 0 && (buf_failed(receipt) || receipt->len > OUTBOX_RECEIPT_MAX))
		err = buf_failed(receipt) ? receipt->error : FW_ELIMIT;
	if (err != 0)
		return err;
	const struct store_value add[] = { sv_int(from), sv_uuid(&o->key), sv_int(time_now()),
					   sv_textn((const char *)receipt->data, receipt->len) };
	return store_exec(db, SQL_INBOX_ADD, add, 4, NULL, reterr);
}

struct arrival {
	int from;
	const struct wire_outbox *o;
	struct buf receipt;
	char why[OUTBOX_RECEIPT_MAX + 1];
};

static int apply_arrival(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	struct arrival *in = arg;
	return outbox_apply(w, db, in->from, in->o, &in->receipt, reterr);
}

/* What to answer: applied only after the commit. */
static void receive(struct worker *w, int from, const struct wire_outbox *o, struct buf *answer)
{
	struct arrival in = { .from = from, .o = o };
	struct diag d = DIAG_INIT;
	buf_init(&in.receipt, OUTBOX_RECEIPT_MAX + 1);
	int err = worker_tx(w, apply_arrival, &in, &d);
	struct wire_receipt r = { .outcome = RECEIPT_APPLIED, .text = in.why };
	if (err == 0) {
		memcpy(in.why, in.receipt.data != NULL ? in.receipt.data : (const uint8_t *)"", in.receipt.len);
	} else {
		r.outcome = err == FW_EINVALID || err == FW_EFORMAT ? RECEIPT_REFUSED : RECEIPT_LATER;
		diag_format(&d, err, in.why, sizeof(in.why));
	}
	wire_receipt_put(answer, &r);
	buf_release(&in.receipt);
}

static int on_row(struct worker *w, struct chan *from, struct message *m, struct arena *a)
{
	struct wire_outbox o;
	int err = wire_outbox_get(&m->body, a, &o);
	if (err != 0)
		return err;
	struct buf b;
	buf_init(&b, OUTBOX_RECEIPT_MAX + 64);
	receive(w, vault_of(from->peer), &o, &b);
	err = buf_failed(&b) ? b.error : chan_send(from, MSG_RECEIPT, m->tag, b.data, b.len);
	buf_release(&b);
	return err == FW_EPROTO ? err : 0; /* a lost receipt is asked for again */
}

/* ---- receipts ---- */

int outbox_settle(struct store *db, const struct uuid *key, const struct wire_receipt *r,
		  struct diag *reterr)
{
	const struct store_value args[] = { sv_uuid(key), sv_text(r->text), sv_bytes("", 0) };
	if (r->outcome == RECEIPT_APPLIED)
		return store_exec(db, SQL_OUTBOX_DONE, args, 3, NULL, reterr);
	if (r->outcome == RECEIPT_REFUSED)
		return store_exec(db, SQL_OUTBOX_REFUSED, args, 2, NULL, reterr);
	return 0;
}

struct settling {
	struct uuid key;
	struct wire_receipt r;
};

static int settle(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	struct settling *s = arg;
	(void)w;
	return outbox_settle(db, &s->key, &s->r, reterr);
}

static int on_receipt(struct worker *w, struct message *m, struct arena *a)
{
	struct settling s;
	int err = wire_receipt_get(&m->body, a, &s.r);
	struct outbox_sender *sender = sender_of(w);
	if (err != 0 || sender == NULL)
		return err;
	for (size_t i = 0; i < UNDER_WAY; i++) {
		struct flight *f = &sender->flights[i];
		if (f->tag == 0 || f->tag != m->tag)
			continue;
		s.key = f->key;
		if (s.r.outcome == RECEIPT_LATER || worker_tx(w, settle, &s, NULL) != 0) {
			f->until = time_mono() + RETRY_MS * 1000;
		} else {
			f->tag = 0;
		}
		outbox_wake(w, NULL);
		break;
	}
	return 0; /* a receipt that nobody waits for: its row was sent twice */
}

int outbox_on_message(struct worker *w, struct chan *from, struct message *m)
{
	struct arena *a = arena_new(MEM);
	if (a == NULL)
		return 0; /* as if it had been lost on the road */
	int err = m->type == MSG_OUTBOX ? on_row(w, from, m, a) :
		  m->type == MSG_RECEIPT ? on_receipt(w, m, a) : FW_EPROTO;
	arena_free(a);
	return err == -ENOMEM ? 0 : err;
}
