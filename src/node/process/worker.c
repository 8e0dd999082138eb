/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/log.h"
#include "gen/tables.h"
#include "node/keys/keys.h"
#include "node/ledger/ledger.h"
#include "node/outbox/outbox.h"
#include "node/process/child.h"
#include "node/process/sandbox.h"
#include "node/process/worker_int.h"
#include "store/store.h"

enum {
	BOOT_MEM = 1 << 20,
	KEYS = 3 * KEY_BYTES,
	KEEPER_WAIT_MS = 10000,
	KEY_WAIT_MS = 5000,
	HOUSE_WAIT_MS = 2000,
	SEEK_MS = 2000,
	POLL_MAX = 64,
	HOST_MAX = 300,
};

/* By enum vault. */
static const struct {
	enum proc proc;
	enum store_role role;
} of_vault[] = {
	[VAULT_STRATEGIC] = { PROC_STRATEGIC, STORE_ROLE_STRATEGIC },
	[VAULT_OPERATIONAL] = { PROC_OPERATIONAL, STORE_ROLE_OPERATIONAL },
	[VAULT_PROTECTION] = { PROC_PROTECTION, STORE_ROLE_PROTECTION },
	[VAULT_HOUSE] = { PROC_HOUSE, STORE_ROLE_HOUSE },
};

/* ---- what others may ask ---- */

struct store *worker_store(struct worker *w) { return w->store; }
struct ledger_writer *worker_ledger(struct worker *w) { return w->ledger; }
int worker_vault(const struct worker *w) { return w->def->vault; }
const struct vault_def *worker_def(const struct worker *w) { return w->def; }
const struct wire_boot *worker_boot(const struct worker *w) { return &w->boot; }
const uint8_t *worker_key(const struct worker *w) { return w->keys; }
const uint8_t *worker_ticket_key(const struct worker *w) { return w->keys + KEY_BYTES; }
const uint8_t *worker_sign_public(const struct worker *w) { return w->keys + 2 * KEY_BYTES; }

struct chan *worker_peer(struct worker *w, enum proc p)
{
	return (unsigned)p < PROC_COUNT && chan_open(&w->peer[p]) ? &w->peer[p] : NULL;
}

int worker_ask_house(struct worker *w, uint16_t type, const void *p, size_t n, uint16_t answer, struct buf *ret)
{
	struct chan *c = worker_peer(w, PROC_HOUSE);
	return c == NULL ? FW_EGONE : chan_ask(c, type, p, n, answer, ret, HOUSE_WAIT_MS);
}

void worker_gauge(struct worker *w, int metric, double value)
{
	struct chan *c = worker_peer(w, PROC_FRONT);
	struct buf b;
	if (c == NULL)
		return;
	buf_init(&b, 16);
	buf_u16(&b, (uint16_t)metric);
	buf_f64(&b, value);
	if (!buf_failed(&b))
		(void)chan_send(c, MSG_GAUGE, 0, b.data, b.len);
	buf_release(&b);
}

void worker_set(struct worker *w, const char *name, void *p)
{
	size_t i = 0;
	while (i < POINTERS && w->pointer[i].name != NULL && strcmp(w->pointer[i].name, name) != 0)
		i++;
	assert(i < POINTERS);
	w->pointer[i].name = name;
	w->pointer[i].p = p;
}

void *worker_get(const struct worker *w, const char *name)
{
	for (size_t i = 0; i < POINTERS && w->pointer[i].name != NULL; i++)
		if (strcmp(w->pointer[i].name, name) == 0)
			return w->pointer[i].p;
	return NULL;
}

/* ---- channels ---- */

static void peer_lost(struct worker *w, enum proc p)
{
	chan_close(&w->peer[p]);
	if (p == PROC_FRONT)
		calls_drop_all(w);
}

/* A neighbour that broke the protocol: the channel goes, and the supervisor makes another. */
static void peer_broke(struct worker *w, enum proc p)
{
	uint8_t who = (uint8_t)p;
	log_line(LOG_L_ERROR, "peer.protocol", "%s broke the protocol; its channel is closed", proc_name(p));
	peer_lost(w, p);
	(void)chan_send(&w->control, MSG_REJOIN, 0, &who, 1);
}

static int take_peer(struct worker *w, struct message *m)
{
	enum proc p = cur_u8(&m->body);
	if (p >= PROC_COUNT || p == w->self || p == PROC_SUPERVISOR || p == PROC_READER)
		return FW_EPROTO;
	peer_lost(w, p);
	chan_init(&w->peer[p], m->fd, w->self, p, false);
	w->met[p] = true;
	m->fd = -1;
	if (p == PROC_FRONT && w->store != NULL)
		(void)chan_send(&w->peer[p], MSG_HELLO, 0, NULL, 0);
	return 0;
}

static int control_message(struct worker *w, struct message *m)
{
	switch (m->type) {
	case MSG_PEER:
		return take_peer(w, m);
	case MSG_STOP:
		w->stop = true;
		return 0;
	case MSG_READER:
	case MSG_READER_NONE:
		return readings_message(w, m);
	default:
		return FW_EPROTO;
	}
}

static void hear_control(struct worker *w)
{
	struct message m;
	int got = chan_fill(&w->control);
	while (got == 0 && (got = chan_next(&w->control, &m)) == 1) {
		got = control_message(w, &m);
		if (m.fd >= 0 && m.type == MSG_PEER)
			got = FW_EPROTO;
		if (got == 0 && m.type != MSG_STOP)
			got = chan_fill(&w->control); /* it stops at each descriptor */
	}
	if (got < 0) {
		/* Without the supervisor there is no node. */
		w->failed = got;
		w->stop = true;
	}
}

static int peer_message(struct worker *w, enum proc p, struct message *m)
{
	struct chan *from = &w->peer[p];
	switch (m->type) {
	case MSG_CALL:
	case MSG_CALL_CHUNK:
	case MSG_CALL_END:
	case MSG_CALL_GONE:
	case MSG_PULL:
		return calls_message(w, m);
	case MSG_OUTBOX:
	case MSG_RECEIPT:
		return outbox_on_message(w, from, m);
	case MSG_HOLD:
	case MSG_RESET:
	case MSG_NAME:
	case MSG_KEY:
	case MSG_SIGN:
		return 0; /* the answer to a question that was given up */
	default:
		return w->def->on_message != NULL ? w->def->on_message(w, from, m) : FW_EPROTO;
	}
}

static void hear_peer(struct worker *w, enum proc p)
{
	struct chan *c = &w->peer[p];
	struct message m;
	c->unheard = false;
	int filled = chan_fill(c), got = 0;
	int fd = c->fd;
	while (c->fd == fd && fd >= 0 && (got = chan_next(c, &m)) == 1 && (got = peer_message(w, p, &m)) == 0)
		;
	if (got < 0)
		peer_broke(w, p);
	else if (filled != 0 && c->fd == fd)
		peer_lost(w, p);
}

/*
 * A neighbour that died comes back by itself, with a new channel.  One that lives and is cut off all the same (no
 * memory for a message on either side, a second breach at once) would stay so: ask for another channel now and
 * then.  Not to the keeper, who gives keys once for each start.
 */
static void seek_peers(struct worker *w)
{
	usec_t now = time_mono();
	for (int p = 0; p < PROC_COUNT; p++) {
		uint8_t who = (uint8_t)p;
		if (chan_open(&w->peer[p]) || !w->met[p] || p == PROC_KEEPER) {
			w->seek_at[p] = 0;
			continue;
		}
		if (w->seek_at[p] != 0 && w->seek_at[p] <= now)
			(void)chan_send(&w->control, MSG_REJOIN, 0, &who, 1);
		if (w->seek_at[p] <= now)
			w->seek_at[p] = now + SEEK_MS * INT64_C(1000);
	}
}

static usec_t seek_next(const struct worker *w)
{
	usec_t next = INT64_MAX;
	for (int p = 0; p < PROC_COUNT; p++)
		if (w->seek_at[p] != 0 && w->seek_at[p] < next)
			next = w->seek_at[p];
	return next;
}

static void flush_all(struct worker *w)
{
	if (chan_open(&w->control) && chan_flush(&w->control) != 0)
		w->stop = true;
	for (int p = 0; p < PROC_COUNT; p++)
		if (chan_open(&w->peer[p]) && chan_flush(&w->peer[p]) != 0)
			peer_lost(w, (enum proc)p);
}

/* ---- the loop ---- */

static int sleep_ms(const struct worker *w)
{
	if (w->ready != NULL)
		return 0;
	for (int p = 0; p < PROC_COUNT; p++)
		if (w->peer[p].unheard)
			return 0;
	usec_t now = time_mono(), next = tasks_next(w), stall = readings_next(w), seek = seek_next(w);
	next = stall < next ? stall : next;
	next = seek < next ? seek : next;
	if (next <= now)
		return 0;
	return next - now > 60 * USEC_PER_SEC ? 60000 : (int)((next - now) / 1000) + 1;
}

static struct pollfd wanted(const struct chan *c)
{
	return (struct pollfd){ .fd = c->fd, .events = (short)(POLLIN | (chan_waiting(c) > 0 ? POLLOUT : 0)) };
}

static void turn(struct worker *w)
{
	struct pollfd fds[PROC_COUNT + 2 + POLL_MAX];
	for (int p = 0; p < PROC_COUNT; p++)
		fds[p] = wanted(&w->peer[p]);
	fds[PROC_COUNT] = wanted(&w->control);
	fds[PROC_COUNT + 1] = (struct pollfd){ .fd = w->defer.wake, .events = POLLIN };
	size_t n = readings_poll(w, fds + PROC_COUNT + 2, POLL_MAX);
	if (poll(fds, PROC_COUNT + 2 + n, sleep_ms(w)) < 0 && errno != EINTR)
		w->failed = -errno;
	if (fds[PROC_COUNT].revents & (POLLIN | POLLHUP | POLLERR))
		hear_control(w);
	for (int p = 0; p < PROC_COUNT; p++)
		if (fds[p].fd >= 0 && w->peer[p].fd == fds[p].fd &&
		    (w->peer[p].unheard || (fds[p].revents & (POLLIN | POLLHUP | POLLERR))))
			hear_peer(w, (enum proc)p);
	defer_collect(w);
	calls_run(w);
	streams_run(w);
	flush_all(w); /* answers go before other work begins */
	readings_serve(w);
	tasks_run(w);
	seek_peers(w);
	flush_all(w);
}

bool worker_waited_for(const struct worker *w)
{
	struct pollfd fds[PROC_COUNT + 1];
	for (int p = 0; p < PROC_COUNT; p++)
		fds[p] = (struct pollfd){ .fd = w->peer[p].fd, .events = POLLIN };
	fds[PROC_COUNT] = (struct pollfd){ .fd = w->control.fd, .events = POLLIN };
	return poll(fds, PROC_COUNT + 1, 0) > 0;
}

/* ---- start and end ---- */

static int await_keeper(struct worker *w)
{
	usec_t until = time_mono() + KEEPER_WAIT_MS * INT64_C(1000);
	while (!chan_open(&w->peer[PROC_KEEPER]) && !w->stop) {
		struct pollfd p = wanted(&w->control);
		if (time_mono() > until)
			return FW_EBUSY;
		if (poll(&p, 1, 1000) > 0)
			hear_control(w);
	}
	return w->stop ? FW_EGONE : 0;
}

static int fetch_keys(struct worker *w, struct diag *reterr)
{
	struct buf b;
	int err = await_keeper(w);
	if (err != 0)
		return diag_set(reterr, err, "the keeper did not come");
	w->keys = sodium_malloc(KEYS);
	if (w->keys == NULL)
		return -ENOMEM;
	buf_init(&b, KEYS);
	err = chan_ask(&w->peer[PROC_KEEPER], MSG_KEY_ASK, NULL, 0, MSG_KEY, &b, KEY_WAIT_MS);
	if (err == 0) {
		memcpy(w->keys, b.data, KEYS); /* the table says that it is as long */
		(void)sodium_mprotect_readonly(w->keys);
	}
	buf_wipe(&b);
	buf_release(&b);
	/* What the channel held is no longer needed, and nobody should find it there. */
	if (chan_open(&w->peer[PROC_KEEPER]) && w->peer[PROC_KEEPER].in.data != NULL)
		sodium_memzero(w->peer[PROC_KEEPER].in.data, w->peer[PROC_KEEPER].in_used);
	return err == 0 ? 0 : diag_set(reterr, err, "the keeper gave no keys");
}

static int enter_sandbox(struct worker *w, struct diag *reterr)
{
	struct store_reach reach;
	struct sandbox sb = { .proc = w->self, .dirs_rw = { w->boot.folder }, .store = &reach };
	int err = store_reach(w->boot.store_url, w->mem, &reach, reterr);
	if (err != 0)
		return err;
	w->boot.store_url = reach.url; /* opened again later, behind the walls */
	return child_walls(&w->boot, &sb, &w->missing, reterr);
}

static int open_store(struct worker *w, struct diag *reterr)
{
	struct store_options opt = { .url = w->boot.store_url,
				     .role = of_vault[w->def->vault].role,
				     .vault = vault_rows[w->def->vault].name,
				     .migrate = true,
				     .walled = true };
	struct store *s = NULL;
	int err = store_open(&opt, &s, reterr);
	if (err == 0)
		err = ledger_start(s, reterr);
	if (err == 0)
		err = ledger_writer_new(&w->ledger);
	if (err != 0) {
		store_close(s);
		return err;
	}
	w->store = s;
	return 0;
}

static int note(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	struct ledger_note n = { .event = *(const int *)arg };
	return worker_ledger_note(w, db, &n, reterr);
}

static int start(struct worker *w, int fd, struct diag *reterr)
{
	static const int event = LEDGER_EV_NODE_START;
	int err = child_begin(w->self, fd, &w->control, w->mem, &w->boot, reterr);
	w->upload_max = (uint64_t)child_setting_int(&w->boot, "http.upload_mib", 1024) << 20;
	if (err == 0 && w->boot.store_url == NULL)
		err = diag_set(reterr, FW_EPROTO, "BOOT names no store");
	if (err == 0)
		err = fetch_keys(w, reterr);
	if (err == 0)
		err = defer_open(w, reterr);
	if (err == 0)
		err = enter_sandbox(w, reterr);
	if (err == 0)
		err = defer_start(w, reterr);
	if (err == 0)
		err = upload_clean(w, reterr);
	if (err == 0)
		err = open_store(w, reterr);
	if (err == 0)
		err = worker_tx(w, note, (void *)(uintptr_t)&event, reterr);
	if (err == 0 && w->def->start != NULL)
		err = w->def->start(w, reterr);
	if (err != 0)
		return err;
	tasks_start(w);
	if (chan_open(&w->peer[PROC_FRONT]))
		(void)chan_send(&w->peer[PROC_FRONT], MSG_HELLO, 0, NULL, 0);
	hear_control(w); /* the front may have come meanwhile */
	flush_all(w);    /* who is told that the node is ready finds it so */
	return w->failed != 0 ? w->failed : child_ready(&w->control);
}

static void end(struct worker *w)
{
	static const int event = LEDGER_EV_NODE_STOP;
	defer_stop(w);
	while (w->reqs != NULL)
		req_end(w, w->reqs);
	if (w->store != NULL) {
		if (w->def->end != NULL)
			w->def->end(w);
		if (w->failed == 0)
			(void)worker_tx(w, note, (void *)(uintptr_t)&event, NULL);
		flush_all(w);
		store_close(w->store);
	}
	ledger_writer_free(w->ledger);
	sodium_free(w->keys);
	for (int p = 0; p < PROC_COUNT; p++)
		chan_close(&w->peer[p]);
	chan_close(&w->control);
}

int worker_main(const struct vault_def *def, int fd)
{
	static struct worker worker;
	struct worker *w = &worker;
	struct diag d = DIAG_INIT;
	*w = (struct worker){ .def = def, .self = of_vault[def->vault].proc, .mem = arena_new(BOOT_MEM),
			      .defer = { .wake = -1 } };
	w->ready_end = &w->ready;
	for (int p = 0; p < PROC_COUNT; p++)
		w->peer[p].fd = w->peer[p].pending_fd = -1;
	(void)signal(SIGPIPE, SIG_IGN);
	int err = w->mem == NULL || keys_start() < 0 ? -ENOMEM : start(w, fd, &d);
	if (err == 0) {
		while (!w->stop && w->failed == 0)
			turn(w);
		err = w->failed;
	}
	int status = err == 0 || err == FW_EGONE ? EXIT_SUCCESS : child_failed(err, &d);
	end(w);
	arena_free(w->mem);
	return status;
}
