/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The worker's side of a reader.  Bytes go out as far as the reader's window
 * is open; records come in one batch at a time: while one is with its callback's owner
 * the channel is left alone, and what the reader sends meanwhile waits in it.
 *
 *     WANTED ──READER──> RUNNING ──READ_DONE, end, stall, error──> ENDED
 *        └──READER_NONE───────────────────────────────────────────────┘
 *
 * ENDED is swept at the end of readings_serve(), so that a callback may stop its own reading.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/io.h"
#include "base/log.h"
#include "gen/tables.h"
#include "node/process/child.h"
#include "node/process/worker_int.h"

enum { STEP = 256 * 1024, WORDS_MAX = 2000 };

enum reading_state { WANTED, RUNNING, ENDED };

struct reading {
	struct reading *next;
	struct worker *w;
	enum reading_state state;
	uint64_t tag;
	char kind[33], layout[61];
	int fd;
	struct chan chan;
	struct reading_callbacks cb;
	void *arg;
	uint64_t handed; /* bytes */
	size_t window;   /* bytes that may be handed over now */
	bool no_more;    /* READ_END was sent */
	bool busy;       /* a batch is with its owner */
	bool again;      /* something may stand in the channel's memory that no poll will tell of */
	usec_t life;     /* monotonic: the last sign of it */
};

static usec_t stall_limit(const struct worker *w)
{
	return child_setting_int(&w->boot, "import.stall_seconds", 60) * USEC_PER_SEC;
}

int reading_start(struct worker *w, const char *kind, const char *layout, int fd, const struct reading_callbacks *cb,
		  void *arg, struct reading **ret, struct diag *reterr)
{
	struct reading *r = NULL;
	int err = strlen(kind) < sizeof(r->kind) && strlen(layout) < sizeof(r->layout) ? 0 : FW_EINVALID;
	if (err == 0 && (r = mem_alloc(sizeof(*r))) == NULL)
		err = -ENOMEM;
	if (err != 0) {
		(void)io_close(fd);
		return diag_set(reterr, err, "no reader for this file");
	}
	*r = (struct reading){ .next = w->readings, .w = w, .tag = ++w->next_tag, .fd = fd, .cb = *cb, .arg = arg,
			       .window = READING_WINDOW, .life = time_mono() };
	r->chan.fd = r->chan.pending_fd = -1;
	memcpy(r->kind, kind, strlen(kind) + 1);
	memcpy(r->layout, layout, strlen(layout) + 1);
	w->readings = r;
	(void)chan_send(&w->control, MSG_READER_WANT, r->tag, NULL, 0);
	*ret = r;
	return 0;
}

static void end(struct reading *r)
{
	if (r->state == ENDED)
		return;
	/* One that hangs would not notice that nobody listens. */
	(void)chan_send(&r->w->control, MSG_READER_DROP, r->tag, NULL, 0);
	r->state = ENDED;
	chan_close(&r->chan);
	(void)io_close(r->fd);
	r->fd = -1;
}

static void done(struct reading *r, int code, const char *words)
{
	if (r->state == ENDED)
		return;
	end(r);
	r->cb.on_done(r->arg, code, words);
}

void reading_stop(struct reading *r)
{
	end(r);
}

uint64_t reading_bytes(const struct reading *r)
{
	return r->handed;
}

void reading_go(struct reading *r)
{
	if (!r->busy || r->state != RUNNING)
		return;
	r->busy = false;
	r->again = true;
	r->life = time_mono();
	(void)chan_send(&r->chan, MSG_READ_GO, 0, NULL, 0);
}

/* ---- its beginning ---- */

static void send_start(struct reading *r)
{
	struct buf b;
	buf_init(&b, 1024);
	buf_str(&b, r->kind);
	buf_str(&b, r->layout);
	if (!buf_failed(&b))
		(void)chan_send(&r->chan, MSG_READ_START, 0, b.data, b.len);
	buf_release(&b);
}

int readings_message(struct worker *w, struct message *m)
{
	struct reading *r = w->readings;
	while (r != NULL && (r->tag != m->tag || r->state != WANTED))
		r = r->next;
	if (r == NULL) {
		(void)io_close(m->fd); /* nobody wants it any more */
		m->fd = -1;
		return 0;
	}
	if (m->type == MSG_READER_NONE) {
		done(r, FW_EBUSY, "no reader could be started now; try again later");
		return 0;
	}
	r->state = RUNNING;
	r->life = time_mono();
	r->again = true;
	chan_init(&r->chan, m->fd, w->self, PROC_READER, false);
	m->fd = -1;
	send_start(r);
	return 0;
}

/* ---- what it says ---- */

static int on_taken(struct reading *r, struct cursor *body)
{
	uint32_t n = cur_u32(body);
	if (cur_end(body) != 0 || n > READING_WINDOW - r->window)
		return FW_EPROTO;
	r->window += n;
	return 0;
}

static int on_finish(struct reading *r, struct cursor *body)
{
	struct arena *a = arena_new(8192);
	if (a == NULL)
		return -ENOMEM;
	int code = (int)cur_u32(body);
	const char *words = cur_str(body, a, WORDS_MAX);
	int err = cur_end(body) != 0 || words == NULL || code > 0 ? FW_EPROTO : 0;
	if (err == 0)
		done(r, code, words);
	arena_free(a);
	return err;
}

static int on_message(struct reading *r, struct message *m)
{
	int err;
	r->life = time_mono();
	switch (m->type) {
	case MSG_READ_TAKEN:
		return on_taken(r, &m->body);
	case MSG_READ_RECORDS:
		r->busy = true;
		err = r->cb.on_records(r->arg, &m->body);
		if (err != 0)
			done(r, err, err_text(err));
		return 0;
	case MSG_READ_DONE:
		return on_finish(r, &m->body);
	default:
		return FW_EPROTO;
	}
}

static void feed(struct reading *r)
{
	static uint8_t piece[STEP];
	while (r->state == RUNNING && !r->no_more && r->window > 0) {
		ssize_t n = read(r->fd, piece, r->window < STEP ? r->window : STEP);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			done(r, -errno, "the file that was handed in cannot be read");
			return;
		}
		if (n == 0) {
			r->no_more = true;
			(void)chan_send(&r->chan, MSG_READ_END, 0, NULL, 0);
			return;
		}
		(void)chan_send(&r->chan, MSG_READ_BYTES, 0, piece, (size_t)n);
		r->window -= (size_t)n;
		r->handed += (uint64_t)n;
	}
}

static void serve(struct reading *r)
{
	struct message m;
	int got = 0;
	r->again = false;
	int filled = chan_fill(&r->chan);
	while (r->state == RUNNING && !r->busy && (got = chan_next(&r->chan, &m)) == 1)
		if ((got = on_message(r, &m)) < 0)
			break;
	if (r->state != RUNNING || r->busy)
		return;
	if (got < 0)
		log_line(LOG_L_ERROR, "reader.protocol", "a reader broke the protocol and is ended");
	if (got < 0 || filled != 0) {
		done(r, FW_EGONE, "the reader of this file ended before its time");
		return;
	}
	feed(r);
	if (r->state == RUNNING && chan_flush(&r->chan) != 0)
		r->again = true; /* what it said last is still to be read */
	if (r->state == RUNNING && time_mono() - r->life > stall_limit(r->w))
		done(r, FW_EGONE, "the reader of this file stood still and was ended");
}

void readings_serve(struct worker *w)
{
	for (struct reading *r = w->readings; r != NULL; r = r->next)
		if (r->state == RUNNING && !r->busy)
			serve(r);
	for (struct reading **at = &w->readings; *at != NULL;) {
		struct reading *r = *at;
		if (r->state != ENDED) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		mem_free(r);
	}
}

size_t readings_poll(struct worker *w, struct pollfd *fds, size_t cap)
{
	size_t n = 0;
	for (struct reading *r = w->readings; r != NULL && n < cap; r = r->next)
		if (r->state == RUNNING && !r->busy)
			fds[n++] = (struct pollfd){ .fd = r->chan.fd,
						    .events = (short)(POLLIN |
								      (chan_waiting(&r->chan) > 0 ? POLLOUT : 0)) };
	return n;
}

usec_t readings_next(const struct worker *w)
{
	usec_t next = INT64_MAX;
	for (const struct reading *r = w->readings; r != NULL; r = r->next) {
		if (r->state == RUNNING && !r->busy && r->again)
			return 0;
		if (r->state == RUNNING && !r->busy && r->life + stall_limit(w) < next)
			next = r->life + stall_limit(w) + 1000;
		if (r->state == ENDED)
			return 0;
	}
	return next;
}
