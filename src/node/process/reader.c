/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A reader process: parses one file that it never opens.  Its one channel
 * goes to the worker that asked for it; bytes come by READ_BYTES as far as it
 * says that there is room, records go by READ_RECORDS, two batches under way at most.
 *
 * The worker's messages come in one order and the parser wants two things
 * from them (bytes, and leave to go on), so whatever comes is sorted into the
 * struct at once: bytes into `coming`, leave into `credits`.
 */
#include "node/process/worker.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "gen/tables.h"
#include "node/process/sandbox.h"

enum { READER_MEM = 64 << 20 };

struct reader_out {
	struct reader *r;
	struct buf batch;
};

struct reader_in {
	struct reader *r;
};

struct reader {
	struct chan chan;
	struct buf coming, present; /* bytes of the file: arrived, and given to the parser */
	int credits;
	bool started, ended;
	char kind[33], layout[61];
	struct reader_out out;
	struct reader_in in;
};

static int take_message(struct reader *r, struct message *m)
{
	size_t n = cur_left(&m->body);
	switch (m->type) {
	case MSG_READ_BYTES:
		buf_put(&r->coming, cur_take(&m->body, n), n);
		return buf_failed(&r->coming) ? FW_EPROTO : 0; /* more than there was room for */
	case MSG_READ_END:
		r->ended = true;
		return 0;
	case MSG_READ_GO:
		r->credits++;
		return r->credits <= READING_CREDITS ? 0 : FW_EPROTO;
	default:
		return FW_EPROTO;
	}
}

/* Take what there is; if ${wait}, sleep until something comes. */
static int listen_to_worker(struct reader *r, bool wait)
{
	if (wait) {
		struct pollfd p = { .fd = r->chan.fd,
				    .events = (short)(POLLIN | (chan_waiting(&r->chan) ? POLLOUT : 0)) };
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return FW_EGONE;
	}
	struct message m;
	int err = chan_flush(&r->chan);
	if (err == 0)
		err = chan_fill(&r->chan);
	while (err == 0 && (err = chan_next(&r->chan, &m)) == 1)
		err = take_message(r, &m);
	return err;
}

int reader_next(struct reader_in *in, const uint8_t **ret_p, size_t *ret_n)
{
	struct reader *r = in->r;
	int err = listen_to_worker(r, false);
	while (err == 0 && r->coming.len == 0 && !r->ended)
		err = listen_to_worker(r, true);
	if (err != 0)
		return err;
	if (r->coming.len == 0)
		return 0;
	struct buf swap = r->present;
	r->present = r->coming;
	r->coming = swap;
	buf_clear(&r->coming);
	/* Room for as many again: what the parser holds is no longer in the window. */
	struct buf b;
	buf_init(&b, 4);
	buf_u32(&b, (uint32_t)r->present.len);
	err = chan_send(&r->chan, MSG_READ_TAKEN, 0, b.data, b.len);
	buf_release(&b);
	if (err == 0)
		err = chan_flush(&r->chan);
	*ret_p = r->present.data;
	*ret_n = r->present.len;
	return err != 0 ? err : 1;
}

struct buf *reader_batch(struct reader_out *o)
{
	return &o->batch;
}

int reader_send(struct reader_out *o)
{
	struct reader *r = o->r;
	if (buf_failed(&o->batch))
		return o->batch.error;
	if (o->batch.len == 0)
		return 0;
	int err = 0;
	while (err == 0 && r->credits == 0)
		err = listen_to_worker(r, true);
	if (err == 0)
		err = chan_send(&r->chan, MSG_READ_RECORDS, 0, o->batch.data, o->batch.len);
	if (err == 0)
		err = chan_flush(&r->chan);
	r->credits--;
	buf_clear(&o->batch);
	return err;
}

/* The first message says what to read. */
static int await_start(struct reader *r, struct arena *a)
{
	struct message m;
	int got = 0;
	while (got == 0) {
		struct pollfd p = { .fd = r->chan.fd, .events = POLLIN };
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return FW_EGONE;
		got = chan_fill(&r->chan);
		if (got == 0)
			got = chan_next(&r->chan, &m);
	}
	if (got < 0)
		return got;
	if (m.type != MSG_READ_START)
		return FW_EPROTO;
	const char *kind = cur_str(&m.body, a, sizeof(r->kind) - 1);
	const char *layout = cur_str(&m.body, a, sizeof(r->layout) - 1);
	if (cur_end(&m.body) != 0 || kind == NULL || layout == NULL)
		return FW_EPROTO;
	memcpy(r->kind, kind, strlen(kind) + 1);
	memcpy(r->layout, layout, strlen(layout) + 1);
	return 0;
}

/* READ_DONE: i32 code, words; then wait until everything has gone. */
static int say_done(struct reader *r, int code, const struct diag *d)
{
	char words[DIAG_PLACE_MAX + DIAG_TEXT_MAX + 4];
	struct buf b;
	diag_format(d, code, words, sizeof(words));
	buf_init(&b, 2048);
	buf_u32(&b, (uint32_t)code);
	buf_str(&b, code == 0 ? "" : words);
	int err = buf_failed(&b) ? b.error : chan_send(&r->chan, MSG_READ_DONE, 0, b.data, b.len);
	buf_release(&b);
	while (err == 0 && chan_waiting(&r->chan) > 0)
		err = listen_to_worker(r, true);
	return err;
}

static int read_file(struct reader *r, const struct reader_row *rows, struct arena *a)
{
	struct diag d = DIAG_INIT;
	const struct reader_row *row = rows;
	while (row->kind != NULL && strcmp(row->kind, r->kind) != 0)
		row++;
	int err = row->kind == NULL ? diag_set(&d, FW_EINVALID, "no reader of the kind \"%s\"", r->kind) :
				      row->read(&r->in, &r->out, r->layout, a, &d);
	if (err == 0)
		err = reader_send(&r->out);
	if (err == FW_EGONE || err == FW_EPROTO)
		return err; /* nobody listens */
	return say_done(r, err, &d);
}

int reader_main(const struct reader_row *rows, int fd)
{
	static struct reader r;
	log_process("reader");
	/* The worker at the other end is named by the second argument; the row of messages.tbl is the same for all three. */
	chan_init(&r.chan, fd, PROC_READER, PROC_STRATEGIC, false);
	buf_init(&r.coming, READING_WINDOW);
	buf_init(&r.present, READING_WINDOW);
	buf_init(&r.out.batch, READING_BATCH);
	r.credits = READING_CREDITS;
	r.out.r = r.in.r = &r;
	struct arena *a = arena_new(READER_MEM);
	struct diag d = DIAG_INIT;
	const char *missing = NULL;
	struct sandbox sb = { .proc = PROC_READER };
	int err = a == NULL ? -ENOMEM : sandbox_enter(&sb, &missing, &d);
	if (err == 0)
		err = await_start(&r, a);
	if (err == 0)
		err = read_file(&r, rows, a);
	if (err != 0 && err != FW_EGONE) {
		char words[600];
		diag_format(&d, err, words, sizeof(words));
		log_line(LOG_L_ERROR, "reader.end", "%s", words);
	}
	chan_close(&r.chan);
	return err == 0 || err == FW_EGONE ? EXIT_SUCCESS : EXIT_FAILURE;
}
