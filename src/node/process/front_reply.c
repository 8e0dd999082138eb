/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The way out, and uploads.  Nothing here holds more of a body than a few
 * parts: an upload is taken from the network as fast as its worker takes it
 * (CHUNK_WINDOW), an answer from its worker as fast as the client takes it.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "gen/tables.h"
#include "node/process/front_int.h"

/* ---- uploads ---- */

size_t front_on_body(void *arg, struct http_request *r, const void *bytes, size_t n)
{
	struct front *f = arg;
	struct exchange *x = http_user(r);
	if (x->answered)
		return n;
	if (!x->called || x->chunks == CHUNK_WINDOW) {
		x->sleeping = true;
		return 0;
	}
	size_t take = n < CHUNK_MAX ? n : CHUNK_MAX;
	x->uploaded += take;
	if (x->uploaded > f->set.upload_max) {
		(void)front_send(f, x->proc, MSG_CALL_GONE, x->tag, NULL, 0);
		exchange_fail(x, 413, "FW_ELIMIT", "the file is too large", NULL);
		return n;
	}
	x->chunks++;
	x->deadline = 0; /* the server's own limits hold while the client sends */
	(void)front_send(f, x->proc, MSG_CALL_CHUNK, x->tag, bytes, take);
	return take;
}

void front_taken(struct exchange *x)
{
	if (x->chunks > 0)
		x->chunks--;
	if (x->whole || x->chunks == CHUNK_WINDOW)
		return;
	if (x->sleeping) {
		x->sleeping = false;
		http_resume_body(x->r);
	}
}

/* ---- answers ---- */

/* What may stand in a header: printable ASCII. */
static bool is_plain(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s < 0x20 || *s > 0x7e)
			return false;
	return true;
}

/* Content-Disposition for any file name (RFC 6266, RFC 8187). */
static const char *disposition(struct arena *a, const char *name)
{
	static const char safe[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	struct buf b;
	buf_init(&b, 4096);
	buf_puts(&b, "attachment; filename=\"");
	for (const char *p = name; *p != '\0'; p++)
		buf_putc(&b, strchr(safe, *p) != NULL ? *p : '_');
	buf_puts(&b, "\"; filename*=UTF-8''");
	for (const char *p = name; *p != '\0'; p++) {
		if (strchr(safe, *p) != NULL)
			buf_putc(&b, *p);
		else
			buf_printf(&b, "%%%02X", (unsigned)(uint8_t)*p);
	}
	const char *text = buf_failed(&b) ? NULL : arena_strndup(a, (const char *)b.data, b.len);
	buf_release(&b);
	return text;
}

/* The cookie of a new session, or of one that ended. NULL for a token that is none. */
static const char *cookie(const struct front *f, struct arena *a, const char *token)
{
	uint8_t hash[WIRE_TOKEN];
	const char *secure = f->set.tls ? "; Secure" : "";
	if (token[0] == '\0')
		return arena_printf(
			a, SESSION_COOKIE "=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0%s",
			secure);
	if (!session_hash(token, hash))
		return NULL;
	return arena_printf(a, SESSION_COOKIE "=%s; HttpOnly; SameSite=Strict; Path=/%s", token,
			    secure);
}

enum { HEADERS = 4 };

/* The headers of an answer into ${h}; how many, or FW_EPROTO. */
static int build_headers(struct front *f, struct exchange *x, const struct wire_reply *w,
			 struct http_pair *h)
{
	int n = 0;
	if (w->type != NULL) {
		if (!is_plain(w->type))
			return FW_EPROTO;
		h[n++] = (struct http_pair){"Content-Type", w->type};
	}
	if (w->filename != NULL)
		h[n++] =
			(struct http_pair){"Content-Disposition", disposition(f->mem, w->filename)};
	if (w->token != NULL) {
		const char *text = x->proc == PROC_HOUSE ? cookie(f, f->mem, w->token) : NULL;
		if (text == NULL)
			return FW_EPROTO;
		h[n++] = (struct http_pair){"Set-Cookie", text};
	}
	if (w->status == 401)
		h[n++] = (struct http_pair){"WWW-Authenticate", "Bearer"};
	else if (w->status == 503 || w->status == 429)
		h[n++] = (struct http_pair){"Retry-After", "2"};
	return n;
}

static void count_login(struct front *f, const struct exchange *x, int status)
{
	if (x->match.row->op != OP_OPEN_SESSION)
		return;
	metrics_add(f->metrics, METRIC_LOGINS_TOTAL,
		    status == 200   ? "open"
		    : status == 429 ? "delayed"
				    : "refused",
		    NULL, 1);
}

int front_reply(struct front *f, struct exchange *x, struct message *m)
{
	struct wire_reply w;
	struct http_pair h[HEADERS];
	int err = wire_reply_get(&m->body, f->mem, &w);
	if (err != 0)
		return err;
	if (x->answered || w.status < 200 || w.status > 599)
		return FW_EPROTO;
	int n = build_headers(f, x, &w, h);
	if (n < 0)
		return n;
	if (arena_failed(f->mem)) {
		exchange_fail(x, 503, "ENOMEM", "no memory for the answer", NULL);
		return 0;
	}
	count_login(f, x, w.status);
	x->answered = true;
	x->over = !w.more;
	x->deadline = 0;
	x->first = time_mono();
	struct http_response resp = {.status = w.status,
				     .headers = h,
				     .nheaders = (size_t)n,
				     .body = w.body_len > 0 ? w.body : (const uint8_t *)"",
				     .len = w.body_len};
	if (w.more)
		http_reply_stream(x->r, &resp);
	else
		http_reply(x->r, &resp);
	return 0;
}

int front_more(struct front *f, struct exchange *x, struct message *m)
{
	(void)f;
	uint8_t state = cur_u8(&m->body);
	size_t n = cur_left(&m->body);
	const uint8_t *bytes = cur_take(&m->body, n);
	if (!x->answered || !x->pulled || state > WIRE_CUT)
		return FW_EPROTO;
	x->pulled = false;
	x->deadline = 0;
	x->over = state != WIRE_MORE;
	if (state == WIRE_CUT)
		http_abort(x->r);
	else
		http_stream(x->r, bytes, n, state == WIRE_LAST);
	return 0;
}

/* The client took what there was: ask the worker for the next part. */
void front_on_drain(void *arg, struct http_request *r)
{
	struct front *f = arg;
	struct exchange *x = http_user(r);
	if (x->over || x->pulled)
		return;
	x->pulled = true;
	x->deadline = time_mono() + STREAM_WAIT;
	(void)front_send(f, x->proc, MSG_PULL, x->tag, NULL, 0);
}
