/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/process/front.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>
#include <sodium.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "gen/tables.h"
#include "node/access/house.h"
#include "node/process/front_int.h"
#include "node/process/sandbox.h"

static const enum proc workers[] = {PROC_HOUSE, PROC_STRATEGIC, PROC_OPERATIONAL, PROC_PROTECTION};
enum { NWORKERS = sizeof(workers) / sizeof(*workers), TURN_MEM = 8 << 20 };

enum proc front_proc_of(int vault)
{
	static const enum proc of[VAULT_COUNT] = {
		[VAULT_STRATEGIC] = PROC_STRATEGIC,
		[VAULT_OPERATIONAL] = PROC_OPERATIONAL,
		[VAULT_PROTECTION] = PROC_PROTECTION,
		[VAULT_HOUSE] = PROC_HOUSE,
	};
	return of[vault];
}

/* ---- exchanges ---- */

struct exchange *exchange_new(struct front *f, struct http_request *r)
{
	struct exchange *x = f->free_slots;
	if (x == NULL)
		return NULL;
	f->free_slots = x->next_free;
	uint64_t tag = x->tag + f->nslots; /* its slot is tag modulo nslots */
	memset(x, 0, sizeof(*x));
	x->tag = tag;
	x->used = true;
	x->r = r;
	x->began = time_mono();
	http_set_user(r, x);
	return x;
}

struct exchange *exchange_of(struct front *f, uint64_t tag, enum proc p)
{
	struct exchange *x = &f->slots[tag % f->nslots];
	return x->used && x->tag == tag && x->proc == p && x->called && !x->over ? x : NULL;
}

void exchange_free(struct front *f, struct exchange *x)
{
	sodium_memzero(x->ticket, sizeof(x->ticket));
	x->used = false;
	x->next_free = f->free_slots;
	f->free_slots = x;
}

void exchange_fail(struct exchange *x, int status, const char *code, const char *detail,
		   const char *place)
{
	static const struct http_pair retry = {"Retry-After", "2"};
	x->over = true;
	x->deadline = 0;
	if (x->answered) {
		http_abort(x->r);
		return;
	}
	x->answered = true;
	x->first = time_mono();
	http_reply_problem(x->r, status, code, detail, place, &retry, status == 503);
}

/* ---- channels ---- */

void front_drop(struct front *f, enum proc p, const char *why)
{
	if (!chan_open(&f->to[p]) && !f->ready[p])
		return;
	log_line(LOG_L_WARN, "worker_gone", "%s: %s", proc_name(p), why);
	chan_close(&f->to[p]);
	f->ready[p] = false;
	/* Tickets are answers of the house: without it nobody could take them back. */
	if (p == PROC_HOUSE)
		tickets_void(&f->tickets);
	for (size_t i = 0; i < f->nslots; i++) {
		struct exchange *x = &f->slots[i];
		bool waits = x->used && !x->over &&
			     (x->called ? x->proc == p : !x->ticket_known && p == PROC_HOUSE);
		if (waits)
			exchange_fail(x, 503, "FW_EGONE",
				      "the part of the node that answers this has just ended; it "
				      "is being started again",
				      NULL);
	}
}

int front_send(struct front *f, enum proc p, uint16_t type, uint64_t tag, const void *payload,
	       size_t n)
{
	int err = chan_send(&f->to[p], type, tag, payload, n);
	if (err != 0 && err != FW_ELIMIT)
		front_drop(f, p, err_text(err));
	return err;
}

static int take_ticket(struct front *f, struct message *m)
{
	const uint8_t *ticket;
	size_t n;
	int err = wire_ticket_get(&m->body, &ticket, &n);
	if (err != 0)
		return err;
	struct exchange *x = &f->slots[m->tag % f->nslots];
	if (!x->used || x->tag != m->tag || x->ticket_known || !x->has_token)
		return 0; /* its client has gone */
	tickets_keep(&f->tickets, x->token_hash, ticket, n, time_mono());
	front_ticket(f, x, ticket, n);
	return 0;
}

/* The house cannot say who asks. That is no log-out: the client keeps its session and tries again. */
static void put_off_ticket(struct front *f, struct message *m)
{
	struct exchange *x = &f->slots[m->tag % f->nslots];
	if (x->used && x->tag == m->tag && !x->ticket_known && x->has_token && !x->over)
		exchange_fail(x, 503, "FW_EBUSY", "the store of the accounts does not answer; try again later", NULL);
}

/* A worker says how much it has of something; only gauges that have the vault as their one label. */
static int take_gauge(struct front *f, enum proc p, struct message *m)
{
	uint16_t metric = cur_u16(&m->body);
	double value = cur_f64(&m->body);
	const struct metric_row *row = metric < METRIC_COUNT ? &metric_rows[metric] : NULL;
	if (cur_end(&m->body) != 0 || row == NULL || row->type != METRIC_GAUGE || row->labels == NULL ||
	    row->labels[0] == NULL || strcmp(row->labels[0], "vault") != 0 || row->labels[1] != NULL || !isfinite(value))
		return FW_EPROTO;
	metrics_set(f->metrics, metric, proc_name(p), NULL, value);
	return 0;
}

/* One message of a worker. FW_EPROTO ends the channel. */
static int take_message(struct front *f, enum proc p, struct message *m)
{
	struct exchange *x = exchange_of(f, m->tag, p);
	switch (m->type) {
	case MSG_HELLO:
		f->ready[p] = true;
		return 0;
	case MSG_GAUGE:
		return take_gauge(f, p, m);
	case MSG_TICKET:
		return take_ticket(f, m);
	case MSG_TICKET_LATER:
		put_off_ticket(f, m);
		return 0;
	case MSG_TICKETS_VOID:
		tickets_void(&f->tickets);
		return 0;
	case MSG_REPLY:
		return x != NULL ? front_reply(f, x, m) : 0;
	case MSG_REPLY_MORE:
		return x != NULL ? front_more(f, x, m) : 0;
	case MSG_TAKEN:
		if (x != NULL)
			front_taken(x);
		return 0;
	default:
		return FW_EPROTO;
	}
}

static void serve_worker(struct front *f, enum proc p)
{
	struct message m;
	int filled = chan_fill(&f->to[p]);
	int got = 0;
	while (chan_open(&f->to[p]) && (got = chan_next(&f->to[p], &m)) > 0) {
		got = take_message(f, p, &m);
		arena_wipe(f->mem);
		if (got < 0)
			break;
	}
	if (got < 0)
		front_drop(f, p, "it broke the protocol");
	else if (filled != 0)
		front_drop(f, p, "it ended");
}

static void take_peer(struct front *f, struct message *m)
{
	enum proc p = cur_u8(&m->body);
	if (p != PROC_HOUSE && p != PROC_STRATEGIC && p != PROC_OPERATIONAL &&
	    p != PROC_PROTECTION) {
		struct chan unwanted;
		chan_init(&unwanted, m->fd, PROC_FRONT, PROC_SUPERVISOR, false);
		chan_close(&unwanted);
		return;
	}
	front_drop(f, p, "a new one was started");
	chan_init(&f->to[p], m->fd, PROC_FRONT, p, false);
}

static void stop(struct front *f, int status)
{
	f->status = status;
	if (f->stop_at != 0)
		return;
	f->stop_at = time_mono() + STOP_WAIT;
	if (f->http != NULL)
		http_server_quiesce(f->http);
}

/* The supervisor speaks. Without it there is nothing to serve for. */
static void serve_control(struct front *f)
{
	struct message m;
	int got = 0, filled = chan_fill(&f->control);
	while ((got = chan_next(&f->control, &m)) > 0) {
		if (m.type == MSG_PEER) {
			take_peer(f, &m);
			(void)chan_fill(&f->control); /* it stops at each descriptor */
		} else if (m.type == MSG_STOP) {
			stop(f, 0);
		} else {
			got = FW_EPROTO;
			break;
		}
	}
	if (got < 0 || filled != 0) {
		log_line(LOG_L_ERROR, "control_lost", "the supervisor is gone");
		f->end = true;
		f->status = 1;
	}
}

/* ---- settings ---- */

static const char *setting(const struct front *f, const char *name)
{
	const char *v = wire_boot_setting(&f->boot, name);
	return v != NULL ? v : "";
}

/* A number that the supervisor has checked against its row; ${standard} where it sent none. */
static unsigned setting_number(const struct front *f, const char *name, unsigned standard)
{
	const char *v = setting(f, name);
	char *end;
	unsigned long n = strtoul(v, &end, 10);
	return *v == '\0' || *end != '\0' || n > INT32_MAX ? standard : (unsigned)n;
}

static void read_settings(struct front *f)
{
	struct front_settings *s = &f->set;
	struct http_limits *l = &s->http;
	*l = http_default_limits;
	l->connections = setting_number(f, "http.connections", l->connections);
	l->per_address = setting_number(f, "http.per_address", l->per_address);
	l->idle_seconds = setting_number(f, "http.idle_seconds", l->idle_seconds);
	l->head_seconds = setting_number(f, "http.head_seconds", l->head_seconds);
	l->body_seconds = setting_number(f, "http.body_seconds", l->body_seconds);
	s->upload_max = (uint64_t)setting_number(f, "http.upload_mib", 1024) << 20;
	s->tls = strcmp(setting(f, "http.tls"), "yes") == 0;
	s->exercise = f->boot.exercise;
	s->host = setting(f, "http.host")[0] != '\0' ? setting(f, "http.host") : NULL;
	const char *metrics = setting(f, "http.metrics");
	s->metrics = strcmp(metrics, "open") == 0  ? METRICS_OPEN
		     : strcmp(metrics, "off") == 0 ? METRICS_OFF
						   : METRICS_LOCAL;
}

/* Whose X-Real-IP is believed on a Unix socket: user ids joined by commas. */
static int trust_peers(struct front *f, struct diag *d)
{
	enum { MOST = 8 };
	uint32_t uids[MOST];
	size_t n = 0;
	const char *p = setting(f, "http.trusted_uids");
	while (*p != '\0') {
		char *end;
		unsigned long uid = strtoul(p, &end, 10);
		if (end == p || uid > UINT32_MAX || n == MOST || (*end != ',' && *end != '\0'))
			return diag_set(d, FW_EINVALID,
					"http.trusted_uids: at most eight user ids joined by "
					"commas were expected");
		uids[n++] = (uint32_t)uid;
		p = *end == ',' ? end + 1 : end;
	}
	if (n > 0)
		http_server_trust(f->http, uids, n);
	return 0;
}

static int make_limits(struct front *f)
{
	enum { ADDRESSES = 8192, SESSIONS = 4096, LOGINS = 8192, BURST_SECONDS = 5 };
	double address = setting_number(f, "http.address_rate", 200);
	double session = setting_number(f, "http.session_rate", 100);
	double login = setting_number(f, "http.login_rate", 60);
	int err = buckets_init(&f->per_address, ADDRESSES, address, address * BURST_SECONDS);
	if (err == 0)
		err = buckets_init(&f->per_session, SESSIONS, session, session * BURST_SECONDS);
	if (err == 0) /* a minute's worth at once, then one after the other */
		err = buckets_init(&f->logins, LOGINS, login / 60, login);
	return err;
}

/* ---- start, loop, end ---- */

/* Wait for BOOT; the supervisor sends it at once. */
static int await_boot(struct front *f)
{
	for (;;) {
		struct message m;
		int got = chan_next(&f->control, &m);
		if (got < 0 || (got > 0 && m.type != MSG_BOOT))
			return FW_EPROTO;
		if (got > 0)
			return wire_boot_get(&m.body, f->boot_mem, &f->boot);
		struct pollfd p = {.fd = f->control.fd, .events = POLLIN};
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return -errno;
		int err = chan_fill(&f->control);
		if (err != 0)
			return err;
	}
}

static int make_slots(struct front *f)
{
	f->nslots = f->set.http.connections;
	f->slots = mem_alloc(f->nslots * sizeof(*f->slots));
	if (f->slots == NULL)
		return -ENOMEM;
	memset(f->slots, 0, f->nslots * sizeof(*f->slots));
	for (size_t i = f->nslots; i-- > 0;) {
		f->slots[i].tag = i;
		f->slots[i].next_free = f->free_slots;
		f->free_slots = &f->slots[i];
	}
	return 0;
}

static int make_parts(struct front *f, int listen_fd, struct diag *d)
{
	static const struct http_callbacks cb = {front_on_head, front_on_body, front_on_complete,
						 front_on_drain, front_on_gone};
	int err = make_limits(f);
	if (err == 0)
		err = make_slots(f);
	if (err == 0)
		err = tickets_init(&f->tickets);
	if (err == 0)
		err = metrics_new(metric_rows, METRIC_COUNT, &f->metrics);
	if (err == 0)
		err = route_tree_new(route_rows, ROUTE_COUNT, &f->routes);
	if (err == 0)
		err = http_server_new(listen_fd, &f->set.http, &cb, f, &f->http, d);
	if (err == 0)
		err = trust_peers(f, d);
	return err;
}

static int start(struct front *f, int listen_fd, struct diag *d)
{
	int err = await_boot(f);
	if (err != 0)
		return diag_set(d, err, "no BOOT from the supervisor");
	time_test_offset(f->boot.test_clock);
	read_settings(f);
	err = make_parts(f, listen_fd, d);
	if (err != 0)
		return diag_set(d, err, "the front could not be made");
	static const struct http_pair stay = {"Strict-Transport-Security", "max-age=31536000"};
	if (f->set.tls)
		http_server_header(f->http, &stay);
	metrics_set(f->metrics, METRIC_BUILD_INFO, FAIRWAY_VERSION, NULL, 1);
	metrics_set(f->metrics, METRIC_START_TIME_SECONDS, NULL, NULL,
		    (double)(time_now() / USEC_PER_SEC));
	/* What libraries read from files the first time: gmtime_r() /etc/localtime, jansson
	 * /dev/urandom. */
	tzset();
	json_object_seed(0);
	struct sandbox sb = {.proc = PROC_FRONT};
	err = sandbox_enter(&sb, &f->missing, d);
	if (err == 0)
		err = chan_send(&f->control, MSG_READY, 0, NULL, 0);
	return err != 0 ? err : chan_flush(&f->control);
}

/* Once a second: whoever has waited too long, and the end of a stop. */
static void sweep(struct front *f, usec_t now)
{
	bool any = false;
	f->next_sweep = now + USEC_PER_SEC;
	for (size_t i = 0; i < f->nslots; i++) {
		struct exchange *x = &f->slots[i];
		any = any || x->used;
		if (!x->used || x->over || x->deadline == 0 || now < x->deadline)
			continue;
		if (x->called && chan_open(&f->to[x->proc]))
			(void)front_send(f, x->proc, MSG_CALL_GONE, x->tag, NULL, 0);
		exchange_fail(x, 503, "FW_EBUSY", "the node did not answer in time", NULL);
	}
	struct http_stats st;
	http_server_stats(f->http, &st);
	if (f->stop_at != 0 && (now >= f->stop_at || (!any && st.open_connections == 0)))
		f->end = true;
}

/* Descriptors in the order of their service: control, workers, HTTP. */
static void turn(struct front *f)
{
	struct pollfd p[NWORKERS + 2] = {{.fd = f->control.fd, .events = POLLIN}};
	for (size_t i = 0; i < NWORKERS; i++) {
		struct chan *c = &f->to[workers[i]];
		p[1 + i] = (struct pollfd){
			.fd = c->fd,
			.events = (short)(POLLIN | (chan_waiting(c) > 0 ? POLLOUT : 0))};
	}
	p[NWORKERS + 1] = (struct pollfd){.fd = http_server_fd(f->http), .events = POLLIN};
	int ms = http_server_timeout(f->http);
	if (poll(p, NWORKERS + 2, ms >= 0 && ms < 1000 ? ms : 1000) < 0 && errno != EINTR)
		f->end = true;
	if (p[0].revents != 0)
		serve_control(f);
	for (size_t i = 0; i < NWORKERS; i++)
		if (p[1 + i].revents != 0 && f->to[workers[i]].fd == p[1 + i].fd)
			serve_worker(f, workers[i]);
	if (p[NWORKERS + 1].revents != 0 || http_server_timeout(f->http) == 0)
		http_server_run(f->http);
	for (size_t i = 0; i < NWORKERS; i++)
		if (chan_open(&f->to[workers[i]]) && chan_flush(&f->to[workers[i]]) != 0)
			front_drop(f, workers[i], "it ended");
	usec_t now = time_mono();
	if (now >= f->next_sweep)
		sweep(f, now);
}

static void release(struct front *f)
{
	http_server_free(f->http);
	for (size_t i = 0; i < NWORKERS; i++)
		chan_close(&f->to[workers[i]]);
	chan_close(&f->control);
	tickets_release(&f->tickets);
	buckets_release(&f->per_address);
	buckets_release(&f->per_session);
	buckets_release(&f->logins);
	metrics_free(f->metrics);
	route_tree_free(f->routes);
	mem_free(f->slots);
	buf_release(&f->out);
	arena_free(f->mem);
	arena_free(f->boot_mem);
	mem_free(f);
}

int front_main(int control_fd, int listen_fd)
{
	struct diag d = DIAG_INIT;
	struct front *f = mem_alloc(sizeof(*f));
	log_process("front");
	(void)signal(SIGPIPE, SIG_IGN);
	if (f == NULL || sodium_init() < 0)
		return 1;
	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < PROC_COUNT; i++)
		f->to[i].fd = -1;
	chan_init(&f->control, control_fd, PROC_FRONT, PROC_SUPERVISOR, true);
	buf_init(&f->out, CHAN_PAYLOAD_MAX);
	f->mem = arena_new(TURN_MEM);
	f->boot_mem = arena_new(1 << 20);
	int err = f->mem == NULL || f->boot_mem == NULL ? -ENOMEM : start(f, listen_fd, &d);
	if (err != 0) {
		char words[600];
		diag_format(&d, err, words, sizeof(words));
		log_line(LOG_L_ERROR, "front_failed", "%s", words);
		f->status = 1;
	} else {
		while (!f->end)
			turn(f);
	}
	int status = f->status;
	release(f);
	return status;
}
