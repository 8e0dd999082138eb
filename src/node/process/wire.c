/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Each payload is written field by field in the order of its struct, with the
 * integers, strings and byte strings of base/buf.h; what may be absent is the
 * absent string, or a length of zero where an empty value has no meaning.
 */
#include "node/process/wire.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "node/process/chan.h"

enum {
	NAME_MAX_LEN = 64,
	VALUE_MAX = 16384, /* as long as a whole head of HTTP */
	LANG_MAX = 40,
	ADDRESS_MAX = 64,
	AGENT_MAX = 200,
	TYPE_MAX = 100,
	FILENAME_MAX_LEN = 255,
	PATH_MAX_LEN = 4096,
	CODE_LEN = 32,
};

enum { CALL_UPLOAD = 1, CALL_BODY = 2, CALL_FLAGS = CALL_UPLOAD | CALL_BODY };

/* What a reader gives back: its own lack of memory, else the other side's fault. */
static int verdict(struct cursor *cur)
{
	int err = cur_end(cur);
	return err == 0 || err == -ENOMEM ? err : FW_EPROTO;
}

/* A string that must be there. */
static const char *need_str(struct cursor *cur, struct arena *a, size_t max)
{
	const char *s = cur_str(cur, a, max);
	if (s == NULL)
		cur_fail(cur, FW_EFORMAT);
	return s;
}

/* Bytes copied into the arena; NULL when there are none. */
static const uint8_t *copy_bytes(struct cursor *cur, struct arena *a, size_t max, size_t *ret_len)
{
	const uint8_t *p = cur_bytes(cur, max, ret_len);
	if (p == NULL || *ret_len == 0)
		return NULL;
	char *copy = arena_strndup(a, (const char *)p, *ret_len);
	if (copy == NULL)
		cur_fail(cur, -ENOMEM);
	return (const uint8_t *)copy;
}

static size_t get_count(struct cursor *cur, size_t max)
{
	size_t n = cur_u8(cur);
	if (n > max)
		cur_fail(cur, FW_ELIMIT);
	return cur_error(cur) != 0 ? 0 : n;
}

static bool get_bool(struct cursor *cur)
{
	uint8_t v = cur_u8(cur);
	if (v > 1)
		cur_fail(cur, FW_EFORMAT);
	return v == 1;
}

static void put_pairs(struct buf *b, const struct wire_pair *pair, size_t n)
{
	buf_u8(b, (uint8_t)n);
	for (size_t i = 0; i < n; i++) {
		buf_str(b, pair[i].name);
		buf_str(b, pair[i].value);
	}
}

static size_t get_pairs(struct cursor *cur, struct arena *a, struct wire_pair *pair, size_t max)
{
	size_t n = get_count(cur, max);
	for (size_t i = 0; i < n; i++) {
		pair[i].name = need_str(cur, a, NAME_MAX_LEN);
		pair[i].value = need_str(cur, a, VALUE_MAX);
	}
	return n;
}

void wire_call_put(struct buf *b, const struct wire_call *c)
{
	assert(c->nparams <= WIRE_PARAMS && c->nqueries <= WIRE_QUERIES);
	buf_u16(b, c->op);
	buf_u8(b, (uint8_t)((c->upload ? CALL_UPLOAD : 0) | (c->body != NULL ? CALL_BODY : 0)));
	buf_bytes(b, c->ticket, c->ticket != NULL ? c->ticket_len : 0);
	buf_u8(b, (uint8_t)c->nparams);
	for (size_t i = 0; i < c->nparams; i++)
		buf_str(b, c->param[i]);
	put_pairs(b, c->query, c->nqueries);
	if (c->body != NULL)
		buf_bytes(b, c->body, c->body_len);
	buf_str(b, c->purpose);
	buf_str(b, c->lang);
	buf_str(b, c->address);
	buf_str(b, c->agent);
	buf_put(b, c->token_hash, WIRE_TOKEN);
}

int wire_call_get(struct cursor *cur, struct arena *a, struct wire_call *ret)
{
	struct wire_call c = { .op = cur_u16(cur) };
	uint8_t flags = cur_u8(cur);
	if ((flags & ~CALL_FLAGS) != 0 || flags == CALL_FLAGS)
		cur_fail(cur, FW_EFORMAT);
	c.upload = (flags & CALL_UPLOAD) != 0;
	c.ticket = copy_bytes(cur, a, WIRE_TICKET_MAX, &c.ticket_len);
	c.nparams = get_count(cur, WIRE_PARAMS);
	for (size_t i = 0; i < c.nparams; i++)
		c.param[i] = need_str(cur, a, VALUE_MAX);
	c.nqueries = get_pairs(cur, a, c.query, WIRE_QUERIES);
	if ((flags & CALL_BODY) != 0) {
		c.body = copy_bytes(cur, a, WIRE_BODY_MAX, &c.body_len);
		if (c.body == NULL)
			cur_fail(cur, FW_EFORMAT); /* the empty text is no JSON */
	}
	c.purpose = cur_str(cur, a, NAME_MAX_LEN);
	c.lang = cur_str(cur, a, LANG_MAX);
	c.address = cur_str(cur, a, ADDRESS_MAX);
	c.agent = cur_str(cur, a, AGENT_MAX);
	cur_copy(cur, c.token_hash, WIRE_TOKEN);
	int err = verdict(cur);
	if (err == 0)
		*ret = c;
	return err;
}

void wire_reply_put(struct buf *b, const struct wire_reply *r)
{
	buf_u16(b, r->status);
	buf_u8(b, r->more);
	buf_str(b, r->type);
	buf_str(b, r->filename);
	buf_str(b, r->token);
	buf_bytes(b, r->body, r->body != NULL ? r->body_len : 0);
}

int wire_reply_get(struct cursor *cur, struct arena *a, struct wire_reply *ret)
{
	struct wire_reply r = { .status = cur_u16(cur) };
	if (r.status < 200 || r.status > 599)
		cur_fail(cur, FW_EFORMAT);
	r.more = get_bool(cur);
	r.type = cur_str(cur, a, TYPE_MAX);
	r.filename = cur_str(cur, a, FILENAME_MAX_LEN);
	r.token = cur_str(cur, a, NAME_MAX_LEN);
	r.body = copy_bytes(cur, a, CHAN_PAYLOAD_MAX, &r.body_len);
	int err = verdict(cur);
	if (err == 0)
		*ret = r;
	return err;
}

/* What the code of a ticket covers, so that no other use of the key makes one. */
static const char ticket_context[] = "fairway ticket 1";

static void ticket_code(const uint8_t *p, size_t n, const uint8_t key[32], uint8_t code[CODE_LEN])
{
	crypto_generichash_state st;
	(void)crypto_generichash_init(&st, key, 32, CODE_LEN);
	(void)crypto_generichash_update(&st, (const uint8_t *)ticket_context, sizeof(ticket_context));
	(void)crypto_generichash_update(&st, p, n);
	(void)crypto_generichash_final(&st, code, CODE_LEN);
	sodium_memzero(&st, sizeof(st));
}

void ticket_seal(const struct ticket *t, const uint8_t key[32], struct buf *out)
{
	uint8_t code[CODE_LEN];
	size_t at = out->len;
	buf_put(out, t->account.b, sizeof(t->account.b));
	buf_put(out, t->session.b, sizeof(t->session.b));
	buf_put(out, t->agency.b, sizeof(t->agency.b));
	buf_i64(out, t->expires);
	buf_u8(out, t->state);
	buf_str(out, t->login);
	if (buf_failed(out))
		return;
	ticket_code(out->data + at, out->len - at, key, code);
	buf_put(out, code, sizeof(code));
}

int ticket_open(const uint8_t *p, size_t n, const uint8_t key[32], struct arena *a, struct ticket *ret)
{
	uint8_t code[CODE_LEN];
	if (n < CODE_LEN || n > WIRE_TICKET_MAX)
		return FW_EAUTH;
	ticket_code(p, n - CODE_LEN, key, code);
	if (sodium_memcmp(code, p + n - CODE_LEN, CODE_LEN) != 0)
		return FW_EAUTH;
	struct cursor cur;
	cur_init(&cur, p, n - CODE_LEN);
	struct ticket t = { .state = 0 };
	cur_copy(&cur, t.account.b, sizeof(t.account.b));
	cur_copy(&cur, t.session.b, sizeof(t.session.b));
	cur_copy(&cur, t.agency.b, sizeof(t.agency.b));
	t.expires = cur_i64(&cur);
	t.state = cur_u8(&cur);
	const char *login = need_str(&cur, a, sizeof(t.login) - 1);
	int err = verdict(&cur);
	if (err != 0)
		return err == -ENOMEM ? err : FW_EAUTH;
	(void)snprintf(t.login, sizeof(t.login), "%s", login);
	if (t.expires <= time_now())
		return FW_EAUTH;
	*ret = t;
	return 0;
}

void csrf_of(const uint8_t token_hash[WIRE_TOKEN], char out[CSRF_TEXT_LEN + 1])
{
	static const char context[] = "fairway csrf 1";
	uint8_t code[CSRF_TEXT_LEN / 2];
	(void)crypto_generichash(code, sizeof(code), (const uint8_t *)context, sizeof(context), token_hash,
				 WIRE_TOKEN);
	(void)sodium_bin2hex(out, CSRF_TEXT_LEN + 1, code, sizeof(code));
}

void wire_boot_put(struct buf *b, const struct wire_boot *w)
{
	assert(w->nsettings <= WIRE_SETTINGS);
	buf_str(b, w->node_name);
	buf_str(b, w->node_state);
	buf_str(b, w->origin);
	buf_u8(b, w->exercise);
	buf_str(b, w->store_url);
	buf_str(b, w->folder);
	buf_str(b, w->auditor_file);
	buf_i64(b, w->test_clock);
	put_pairs(b, w->setting, w->nsettings);
}

int wire_boot_get(struct cursor *cur, struct arena *a, struct wire_boot *ret)
{
	struct wire_boot w = { .node_name = need_str(cur, a, VALUE_MAX) };
	w.node_state = need_str(cur, a, VALUE_MAX);
	w.origin = need_str(cur, a, VALUE_MAX);
	w.exercise = get_bool(cur);
	w.store_url = cur_str(cur, a, VALUE_MAX);
	w.folder = cur_str(cur, a, PATH_MAX_LEN);
	w.auditor_file = cur_str(cur, a, PATH_MAX_LEN);
	w.test_clock = cur_i64(cur);
	w.nsettings = get_pairs(cur, a, w.setting, WIRE_SETTINGS);
	int err = verdict(cur);
	if (err == 0)
		*ret = w;
	return err;
}

const char *wire_boot_setting(const struct wire_boot *w, const char *name)
{
	for (size_t i = 0; i < w->nsettings; i++)
		if (strcmp(w->setting[i].name, name) == 0)
			return w->setting[i].value;
	return NULL;
}
