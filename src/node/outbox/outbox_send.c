/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The sending half.
 *
 * Each vault that rows go to has a lane: so many rows may be under way to it
 * without a receipt.  One that is down costs nothing, and one that hangs holds
 * up only what is meant for itself.  A lane goes round its rows: it begins
 * after the last one it sent, so that rows which are wanted again and again
 * cannot keep the others from their turn.
 *
 * A row that got no answer twice running is suspected of killing whoever takes
 * it.  It is sent alone, when nothing else is under way there, and more and
 * more rarely, so that it costs the other vault a death in ten minutes and not
 * its life; and what was merely under way beside it is cleared by its own
 * answer.
 *
 * Lanes stand in memory alone; forgetting them (a restart, a time-out) costs a
 * second sending and nothing else.
 */
#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/ledger/ledger.h"
#include "node/outbox/outbox.h"
#include "node/outbox/outbox_int.h"
#include "store/store.h"

enum {
	LANE = 16,         /* rows under way to one vault */
	RECEIPT_MS = 5000, /* after which a row is sent again */
	RETRY_MS = 500,    /* when the other side is down or says later */
	LOOK_MS = 30000,   /* at the latest, should nobody have said that a row was put */
	TELL_MS = 1000,    /* between two counts of what waits */
	SUSPECT_MS = 600000, /* the longest wait of a row that is never answered */
	SUSPECT = 2,       /* times without an answer */
	PAGE = 32,
	PAGES = 64,
	MEM = 64 * 1024,
};

struct flight {
	struct uuid key; /* nil: free */
	usec_t until;    /* monotonic */
	bool later;      /* it was answered: later */
};

struct silence {
	struct uuid key; /* nil: free */
	unsigned times;  /* sent and not answered, running */
	usec_t again;    /* monotonic: not before */
};

struct lane {
	struct flight flights[LANE];
	struct silence silences[LANE];
	struct uuid after; /* the last row it came to */
};

struct outbox_sender {
	struct lane lanes[VAULT_COUNT];
	bool begun;   /* what was refused in an earlier life waits again */
	usec_t telling; /* when the gauges are to be told again */
};

static const char sender_name[] = "outbox";

static struct outbox_sender *sender_of(struct worker *w)
{
	struct outbox_sender *s = worker_get(w, sender_name);
	if (s == NULL && (s = mem_alloc(sizeof(*s))) != NULL) {
		*s = (struct outbox_sender){ .telling = 0 };
		worker_set(w, sender_name, s); /* lives as long as the process */
	}
	return s;
}

/* The flight of ${key}; of the nil key: a free one. NULL if there is none. */
static struct flight *flight_of(struct lane *l, const struct uuid *key)
{
	for (size_t i = 0; i < LANE; i++)
		if (uuid_equal(&l->flights[i].key, key))
			return &l->flights[i];
	return NULL;
}

static struct flight *free_flight(struct lane *l)
{
	return flight_of(l, &UUID_NIL);
}

static struct silence *silence_of(struct lane *l, const struct uuid *key)
{
	for (size_t i = 0; i < LANE; i++)
		if (uuid_equal(&l->silences[i].key, key))
			return &l->silences[i];
	return NULL;
}

static bool suspected(struct lane *l, const struct uuid *key)
{
	const struct silence *s = silence_of(l, key);
	return s != NULL && s->times >= SUSPECT;
}

static void log_silence(int vault, const struct uuid *key)
{
	char text[UUID_TEXT_LEN + 1];
	uuid_format(key, text);
	log_line(LOG_L_ERROR, "outbox.unanswered", "%s gives no answer to row %s; it is sent alone now, and rarely",
		 vault_rows[vault].name, text);
}

/* No answer came. Where there is no room the one that was silent least is forgotten. */
static void note_silence(struct lane *l, int vault, const struct uuid *key, usec_t now)
{
	struct silence *s = silence_of(l, key);
	for (size_t i = 0; s == NULL && i < LANE; i++)
		if (uuid_is_nil(&l->silences[i].key))
			s = &l->silences[i];
	if (s == NULL) {
		s = &l->silences[0];
		for (size_t i = 1; i < LANE; i++)
			if (l->silences[i].times < s->times)
				s = &l->silences[i];
	}
	if (!uuid_equal(&s->key, key))
		*s = (struct silence){ .key = *key };
	s->times++;
	int64_t ms = s->times < SUSPECT ? 0 : RECEIPT_MS;
	for (unsigned i = SUSPECT; i < s->times && ms < SUSPECT_MS; i++)
		ms *= 2;
	s->again = now + (ms < SUSPECT_MS ? ms : SUSPECT_MS) * 1000;
	if (s->times == SUSPECT + 1)
		log_silence(vault, key);
}

static void forget_overdue(struct lane *l, int vault, usec_t now)
{
	for (size_t i = 0; i < LANE; i++) {
		struct flight *f = &l->flights[i];
		if (uuid_is_nil(&f->key) || f->until > now)
			continue;
		if (!f->later)
			note_silence(l, vault, &f->key, now);
		f->key = UUID_NIL;
	}
}

static usec_t first_overdue(const struct lane *l, usec_t now, usec_t next)
{
	for (size_t i = 0; i < LANE; i++)
		if (!uuid_is_nil(&l->flights[i].key) && l->flights[i].until < next)
			next = l->flights[i].until;
	for (size_t i = 0; i < LANE; i++) /* one that is due waits for what is under way */
		if (l->silences[i].times >= SUSPECT && l->silences[i].again > now && l->silences[i].again < next)
			next = l->silences[i].again;
	return next;
}

/* ---- sending ---- */

struct sending {
	struct outbox_sender *s;
	struct arena *mem;
	bool tell;  /* the gauges too */
	bool stuck; /* the lane under way takes no more now */
	bool again; /* something could not be sent now */
};

/* Send the row that stands in ${rows}. */
static bool send_row(struct chan *to, struct flight *f, struct store_rows *rows, struct arena *a)
{
	struct wire_outbox o = { .key = store_uuid(rows, 0), .subject = store_uuid(rows, 2),
				 .at = store_int(rows, 4), .kind = store_text(rows, 1, a) };
	o.body = store_bytes(rows, 3, &o.n);
	struct buf b;
	buf_init(&b, OUTBOX_BODY_MAX + 200);
	wire_outbox_put(&b, &o);
	bool sent = !buf_failed(&b) && !arena_failed(a) && chan_send(to, MSG_OUTBOX, 0, b.data, b.len) == 0;
	if (sent)
		*f = (struct flight){ .key = o.key, .until = time_mono() + RECEIPT_MS * 1000 };
	buf_release(&b);
	arena_reset(a);
	return sent;
}

/* One page of the ready rows after lane->after, which moves. Returns how many were looked at, or an error. */
static int send_page(struct store *db, int vault, struct chan *to, struct sending *g, struct diag *reterr)
{
	struct lane *l = &g->s->lanes[vault];
	const struct store_value args[] = { sv_int(vault), sv_uuid(&l->after), sv_int(PAGE) };
	struct store_rows *rows = NULL;
	int n = 0, got = store_query(db, SQL_OUTBOX_READY, args, 3, &rows, reterr);
	while (got == 0 && free_flight(l) != NULL && (got = store_next(rows, reterr)) == 1) {
		struct uuid key = store_uuid(rows, 0);
		got = 0;
		n++;
		if (flight_of(l, &key) == NULL && !suspected(l, &key) && !send_row(to, free_flight(l), rows, g->mem)) {
			g->stuck = g->again = true;
			break;
		}
		l->after = key;
	}
	store_rows_close(rows);
	return got < 0 ? got : n;
}

/* The suspect that is due and was first, or NULL. */
static struct silence *due_suspect(struct lane *l)
{
	struct silence *due = NULL;
	usec_t now = time_mono();
	for (size_t i = 0; i < LANE; i++) {
		struct silence *s = &l->silences[i];
		if (!uuid_is_nil(&s->key) && s->times >= SUSPECT && s->again <= now &&
		    (due == NULL || s->again < due->again))
			due = s;
	}
	return due;
}

/* One row by its key, if it is still ready. */
static int send_alone(struct store *db, int vault, struct chan *to, struct sending *g, struct silence *s,
		      struct diag *reterr)
{
	struct uuid before = s->key;
	for (size_t i = sizeof(before.b); i-- > 0 && before.b[i]-- == 0;)
		;
	const struct store_value args[] = { sv_int(vault), sv_uuid(&before), sv_int(1) };
	struct store_rows *rows = NULL;
	int err = store_one(db, SQL_OUTBOX_READY, args, 3, &rows, reterr);
	struct uuid key = err == 0 ? store_uuid(rows, 0) : UUID_NIL;
	if (err == FW_ENOTFOUND || (err == 0 && !uuid_equal(&key, &s->key)))
		s->key = UUID_NIL; /* its answer came after all */
	else if (err == 0 && !send_row(to, free_flight(&g->s->lanes[vault]), rows, g->mem))
		g->again = true;
	store_rows_close(rows);
	return err == FW_ENOTFOUND ? 0 : err;
}

/* Nothing is under way but, perhaps, what is on trial: *ret_trial. */
static bool lane_empty(struct lane *l, bool *ret_trial)
{
	bool empty = true;
	*ret_trial = false;
	for (size_t i = 0; i < LANE; i++) {
		if (uuid_is_nil(&l->flights[i].key))
			continue;
		empty = false;
		*ret_trial = *ret_trial || suspected(l, &l->flights[i].key);
	}
	return empty;
}

/* From where it stood to the last row, and once more from the first. */
static int send_lane(struct store *db, int vault, struct chan *to, struct sending *g, struct diag *reterr)
{
	struct lane *l = &g->s->lanes[vault];
	bool trial, empty = lane_empty(l, &trial);
	struct silence *due = due_suspect(l);
	if (due != NULL && empty)
		return send_alone(db, vault, to, g, due, reterr);
	if (due != NULL || trial)
		return 0;
	bool whole = uuid_is_nil(&l->after);
	g->stuck = false;
	for (int pages = 0; pages < PAGES && free_flight(l) != NULL && !g->stuck; pages++) {
		int n = send_page(db, vault, to, g, reterr);
		if (n < 0)
			return n;
		if (n == PAGE || free_flight(l) == NULL || g->stuck)
			continue;
		l->after = UUID_NIL; /* the end was reached */
		if (whole)
			break;
		whole = true;
	}
	return 0;
}

static int tell_gauges(struct worker *w, struct store *db, struct diag *reterr)
{
	struct store_rows *rows = NULL;
	int err = store_one(db, SQL_OUTBOX_COUNT, NULL, 0, &rows, reterr);
	if (err == 0) {
		worker_gauge(w, METRIC_OUTBOX_WAITING, (double)store_int(rows, 0));
		worker_gauge(w, METRIC_OUTBOX_REFUSED, (double)store_int(rows, 1));
	}
	store_rows_close(rows);
	return err;
}

static int send_ready(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	struct sending *g = arg;
	/* A new life may be that of a newer program, which takes what the old one refused. */
	int err = g->s->begun ? 0 : store_exec(db, SQL_OUTBOX_AGAIN, NULL, 0, NULL, reterr);
	for (int v = 0; err == 0 && v < VAULT_COUNT; v++) {
		struct chan *to = v != worker_vault(w) ? worker_peer(w, outbox_proc_of(v)) : NULL;
		if (to != NULL)
			err = send_lane(db, v, to, g, reterr);
		else if (v != worker_vault(w) && outbox_proc_of(v) != PROC_COUNT)
			g->again = true;
	}
	return err != 0 || !g->tell ? err : tell_gauges(w, db, reterr);
}

static usec_t run(struct worker *w)
{
	usec_t now = time_mono(), retry = now + RETRY_MS * 1000, next = now + LOOK_MS * INT64_C(1000);
	struct sending g = { .s = sender_of(w), .mem = arena_new(MEM) };
	if (g.s == NULL || g.mem == NULL) {
		arena_free(g.mem);
		return retry;
	}
	g.tell = g.s->telling <= now;
	for (int v = 0; v < VAULT_COUNT; v++)
		forget_overdue(&g.s->lanes[v], v, now);
	int err = worker_tx(w, send_ready, &g, NULL);
	arena_free(g.mem);
	g.s->begun = g.s->begun || err == 0;
	if (g.tell && err == 0)
		g.s->telling = now + TELL_MS * 1000;
	else if (g.s->telling < next)
		next = g.s->telling > now ? g.s->telling : retry;
	for (int v = 0; v < VAULT_COUNT; v++)
		next = first_overdue(&g.s->lanes[v], now, next);
	return (err != 0 || g.again) && retry < next ? retry : next;
}

const struct task_row outbox_task = { "outbox", run };

/* ---- receipts ---- */

/* A row as a receipt finds it. */
struct settled {
	int state;
	struct uuid subject;
	char kind[OUTBOX_KIND_MAX + 1];
};

static int find_row(struct store *db, int to, const struct uuid *key, struct settled *ret, struct diag *reterr)
{
	const struct store_value args[] = { sv_int(to), sv_uuid(key) };
	struct store_rows *rows = NULL;
	int err = store_one(db, SQL_OUTBOX_GET, args, 2, &rows, reterr);
	if (err != 0)
		return err;
	size_t n;
	const char *kind = (const char *)store_bytes(rows, 2, &n);
	*ret = (struct settled){ .state = (int)store_int(rows, 0), .subject = store_uuid(rows, 1) };
	(void)snprintf(ret->kind, sizeof(ret->kind), "%.*s", (int)n, kind);
	store_rows_close(rows);
	return 0;
}

static int note_receipt(struct worker *w, struct store *db, int from, const struct settled *row,
			struct diag *reterr)
{
	char detail[OUTBOX_DETAIL_MAX];
	(void)snprintf(detail, sizeof(detail), "{\"to\":\"%s\",\"kind\":\"%s\",\"outcome\":\"%s\"}",
		       vault_rows[from].name, row->kind, row->state == OUTBOX_DONE ? "applied" : "refused");
	struct ledger_note n = { .event = LEDGER_EV_OUTBOX_RECEIPT, .subjects = &row->subject, .nsubjects = 1,
				 .detail = detail };
	return worker_ledger_note(w, db, &n, reterr);
}

/*
 * Applied is the truth whatever was said before: a row may be refused, sent a second time because that receipt was
 * late, and applied then.
 */
int outbox_settle(struct worker *w, struct store *db, int from, const struct wire_receipt *r, int *ret_state,
		  struct diag *reterr)
{
	struct settled row;
	*ret_state = OUTBOX_WAITING;
	int err = find_row(db, from, &r->key, &row, reterr);
	if (err == FW_ENOTFOUND)
		return 0;
	if (err != 0)
		return err;
	*ret_state = row.state;
	bool ends = r->outcome == RECEIPT_APPLIED ? row.state != OUTBOX_DONE :
						    r->outcome == RECEIPT_REFUSED && row.state == OUTBOX_WAITING;
	if (!ends)
		return 0;
	const struct store_value args[] = { sv_uuid(&r->key), sv_text(r->text), sv_bytes("", 0) };
	if (r->outcome == RECEIPT_APPLIED)
		err = store_exec(db, SQL_OUTBOX_DONE, args, 3, NULL, reterr);
	else
		err = store_exec(db, SQL_OUTBOX_REFUSED, args, 2, NULL, reterr);
	row.state = r->outcome == RECEIPT_APPLIED ? OUTBOX_DONE : OUTBOX_REFUSED;
	if (err == 0)
		err = note_receipt(w, db, from, &row, reterr);
	if (err == 0)
		*ret_state = row.state;
	return err;
}

struct settling {
	int from, state;
	struct wire_receipt r;
};

static int settle(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	struct settling *s = arg;
	return outbox_settle(w, db, s->from, &s->r, &s->state, reterr);
}

static void log_refusal(const struct settling *s)
{
	char key[UUID_TEXT_LEN + 1];
	uuid_format(&s->r.key, key);
	log_line(LOG_L_ERROR, "outbox.refused", "%s refused row %s; later rows of its subject wait behind it",
		 vault_rows[s->from].name, key);
}

int outbox_on_receipt(struct worker *w, struct chan *from, struct message *m, struct arena *a)
{
	struct settling s = { .from = outbox_vault_of(from->peer) };
	int err = wire_receipt_get(&m->body, a, &s.r);
	if (err != 0)
		return err;
	bool later = s.r.outcome == RECEIPT_LATER || worker_tx(w, settle, &s, NULL) != 0;
	if (!later && s.r.outcome == RECEIPT_REFUSED && s.state == OUTBOX_REFUSED)
		log_refusal(&s);
	struct outbox_sender *sender = sender_of(w);
	struct lane *l = sender != NULL ? &sender->lanes[s.from] : NULL;
	struct flight *f = l != NULL ? flight_of(l, &s.r.key) : NULL;
	struct silence *silent = l != NULL ? silence_of(l, &s.r.key) : NULL;
	if (silent != NULL)
		silent->key = UUID_NIL;
	if (f != NULL && later) {
		f->until = time_mono() + RETRY_MS * 1000;
		f->later = true;
	} else if (f != NULL) {
		f->key = UUID_NIL;
	}
	outbox_wake(w, NULL);
	return 0;
}
