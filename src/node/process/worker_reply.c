/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Answers: a handler's, problems (RFC 9457), and streams that go on as the client takes them. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "codec/json.h"
#include "gen/tables.h"
#include "http/http.h"
#include "node/process/worker_int.h"
#include "store/store.h"

static const struct {
	int code, status;
} statuses[] = {
	{ FW_ENOTFOUND, 404 }, { FW_ECONFLICT, 409 }, { FW_EEXISTS, 409 }, { FW_EINVALID, 422 },
	{ FW_EFORMAT, 422 },   { FW_EDENIED, 403 },   { FW_EAUTH, 401 },   { FW_EBUSY, 503 },
	{ FW_ELIMIT, 413 },    { FW_ERETRY, 503 },    { FW_ESTORE, 503 },  { FW_EUNKNOWNOUTCOME, 503 },
	{ -ENOSPC, 503 },      { -EDQUOT, 503 },      { -EROFS, 503 },     { -EIO, 503 },
};

static const char problem_type[] = "application/problem+json";

int status_of(int code)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		if (statuses[i].code == code)
			return statuses[i].status;
	return 500;
}

void reply_reset(struct reply *p)
{
	struct buf body = p->body;
	mem_free(p->more_arg);
	if (body.data == NULL)
		buf_init(&body, REPLY_BODY_MAX);
	buf_clear(&body);
	*p = (struct reply){ .status = 200, .type = "application/json", .body = body };
}

/* Send the head and the first bytes. */
static int send_reply(struct worker *w, uint64_t tag, const struct wire_reply *head)
{
	struct chan *front = &w->peer[PROC_FRONT];
	struct buf b;
	buf_init(&b, CHAN_PAYLOAD_MAX);
	wire_reply_put(&b, head);
	int err = buf_failed(&b) ? b.error : chan_send(front, MSG_REPLY, tag, b.data, b.len);
	buf_wipe(&b); /* personal data, passwords handed over */
	buf_release(&b);
	return err;
}

static void put_problem(struct buf *b, int status, int code, const struct diag *d)
{
	struct jw j;
	jw_init(&j, b);
	jw_object(&j);
	jw_put_string(&j, "type", "about:blank");
	jw_put_string(&j, "title", http_status_words(status));
	jw_put_i64(&j, "status", status);
	jw_put_string(&j, "detail", d->text[0] != '\0' ? d->text : err_text(code));
	if (d->place[0] != '\0')
		jw_put_string(&j, "place", d->place);
	jw_put_string(&j, "code", err_name(code));
	jw_end(&j);
}

void problem_send(struct worker *w, uint64_t tag, int code, const struct diag *d)
{
	struct buf b;
	int status = status_of(code);
	buf_init(&b, 4096);
	put_problem(&b, status, code, d);
	struct wire_reply head = { .status = (uint16_t)status, .type = problem_type, .body = b.data, .body_len = b.len };
	if (!buf_failed(&b))
		(void)send_reply(w, tag, &head); /* a front that is gone has no clients */
	buf_release(&b);
}

void reply_problem(struct worker *w, struct req *r, int code, struct diag *d)
{
	int status = status_of(code);
	if (status >= 500) {
		char words[DIAG_PLACE_MAX + DIAG_TEXT_MAX + 4];
		diag_format(d, code, words, sizeof(words));
		log_line(LOG_L_ERROR, "call.failed", "%s: %s (%s)", r->route != NULL ? r->route->operation : "?",
			 words, err_name(code));
		/* What went wrong inside is for the log; the caller learns that it did, and what it means. */
		if (status == 500) {
			diag_clear(d);
			(void)diag_set(d, code, "the node could not do this; nothing of it was kept");
		}
	}
	problem_send(w, r->tag, code, d);
	req_end(w, r);
}

void reply_send(struct worker *w, struct req *r)
{
	struct reply *p = &r->reply;
	if (buf_failed(&p->body)) {
		(void)diag_set(&r->d, p->body.error, "the answer is too long to be given at once");
		reply_problem(w, r, p->body.error == -ENOMEM ? -ENOMEM : FW_ESTORE, &r->d);
		return;
	}
	assert(p->status >= 200 && p->status <= 599);
	bool empty = p->body.len == 0 && p->more == NULL;
	struct wire_reply head = { .status = (uint16_t)p->status, .more = p->more != NULL,
				   .type = empty ? NULL : p->type, .filename = p->filename, .token = p->token,
				   .body = p->body.data, .body_len = p->body.len };
	int err = send_reply(w, r->tag, &head);
	if (err == 0 && p->more != NULL) {
		r->state = REQ_STREAM;
		buf_wipe(&p->body);
		return;
	}
	req_end(w, r);
}

/* The next part of a stream, in a read transaction of its own. */
static int next_part(struct worker *w, struct req *r, struct buf *out, struct diag *d)
{
	int err = store_begin(w->store, STORE_READ, d);
	if (err != 0)
		return err;
	err = r->reply.more(w, w->store, r->reply.more_arg, out, d);
	store_rollback(w->store); /* it has written nothing */
	return buf_failed(out) ? out->error : err;
}

/* Returns whether the stream goes on. */
static bool send_part(struct worker *w, struct req *r)
{
	struct diag d = DIAG_INIT;
	struct buf out;
	buf_init(&out, MORE_MAX);
	buf_u8(&out, WIRE_MORE);
	int more = next_part(w, r, &out, &d);
	if (more < 0) {
		char words[DIAG_PLACE_MAX + DIAG_TEXT_MAX + 4];
		diag_format(&d, more, words, sizeof(words));
		log_line(LOG_L_ERROR, "stream.cut", "%s: %s", r->route->operation, words);
	}
	if (out.data != NULL)
		out.data[0] = more > 0 ? WIRE_MORE : more == 0 ? WIRE_LAST : WIRE_CUT;
	uint8_t cut = WIRE_CUT;
	int err = more < 0 ? chan_send(&w->peer[PROC_FRONT], MSG_REPLY_MORE, r->tag, &cut, 1) :
			     chan_send(&w->peer[PROC_FRONT], MSG_REPLY_MORE, r->tag, out.data, out.len);
	buf_wipe(&out);
	buf_release(&out);
	return more > 0 && err == 0;
}

void streams_run(struct worker *w)
{
	for (struct req *r = w->reqs, *next; r != NULL; r = next) {
		next = r->next;
		if (r->state != REQ_STREAM || !r->pulled)
			continue;
		r->pulled = false;
		if (!send_part(w, r))
			req_end(w, r);
	}
}
