/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/access/house.h"

#include <string.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/utf8.h"
#include "gen/tables.h"
#include "node/process/wire.h"

/* Every reader ends here: whatever was wrong, the other process broke the protocol. */
static int end(struct cursor *cur)
{
	return cur_end(cur) == 0 ? 0 : FW_EPROTO;
}

static struct uuid get_uuid(struct cursor *cur)
{
	struct uuid u;
	cur_copy(cur, u.b, sizeof(u.b));
	return u;
}

/* Text of at most ${cap} - 1 bytes without inner NUL. */
static void get_text(struct cursor *cur, char *out, size_t cap)
{
	size_t n;
	const uint8_t *p = cur_bytes(cur, cap - 1, &n);
	out[0] = '\0';
	if (p == NULL)
		return;
	if (memchr(p, 0, n) != NULL || !utf8_valid(p, n)) {
		cur_fail(cur, FW_EFORMAT);
		return;
	}
	memcpy(out, p, n);
	out[n] = '\0';
}

static uint8_t get_below(struct cursor *cur, uint8_t limit)
{
	uint8_t v = cur_u8(cur);
	if (v < limit)
		return v;
	cur_fail(cur, FW_ERANGE);
	return 0;
}

static int32_t get_code(struct cursor *cur)
{
	uint32_t v = cur_u32(cur);
	int32_t code;
	memcpy(&code, &v, sizeof(code));
	if (code > 0)
		cur_fail(cur, FW_ERANGE);
	return code;
}

void wire_ticket_put(struct buf *b, const uint8_t *ticket, size_t n)
{
	buf_u8(b, ticket != NULL);
	if (ticket != NULL)
		buf_put(b, ticket, n);
}

int wire_ticket_get(struct cursor *cur, const uint8_t **ret, size_t *ret_len)
{
	bool there = get_below(cur, 2) == 1;
	size_t n = cur_left(cur);
	if ((there && (n == 0 || n > WIRE_TICKET_MAX)) || (!there && n != 0))
		cur_fail(cur, FW_EFORMAT);
	const uint8_t *p = there ? cur_take(cur, n) : NULL;
	int e = end(cur);
	if (e == 0) {
		*ret = p;
		*ret_len = there ? n : 0;
	}
	return e;
}

void wire_hold_ask_put(struct buf *b, const struct wire_hold_ask *h)
{
	buf_u8(b, h->what);
	buf_u8(b, h->strong);
	buf_put(b, h->account.b, sizeof(h->account.b));
}

int wire_hold_ask_get(struct cursor *cur, struct wire_hold_ask *ret)
{
	ret->what = get_below(cur, HOLD_LIST + 1);
	ret->strong = get_below(cur, 2) == 1;
	ret->account = get_uuid(cur);
	return end(cur);
}

void wire_hold_put(struct buf *b, const struct wire_hold *h)
{
	buf_u32(b, (uint32_t)h->code);
	buf_u8(b, h->n);
	for (size_t i = 0; i < h->n; i++)
		buf_put(b, h->accounts[i].b, sizeof(h->accounts[i].b));
}

int wire_hold_get(struct cursor *cur, struct wire_hold *ret)
{
	ret->code = get_code(cur);
	ret->n = get_below(cur, HOLD_PAGE + 1);
	for (size_t i = 0; i < ret->n; i++)
		ret->accounts[i] = get_uuid(cur);
	return end(cur);
}

void wire_name_ask_put(struct buf *b, const struct wire_name_ask *n)
{
	buf_u8(b, n->by_login);
	if (n->by_login)
		buf_str(b, n->login);
	else
		buf_put(b, n->account.b, sizeof(n->account.b));
}

int wire_name_ask_get(struct cursor *cur, struct wire_name_ask *ret)
{
	*ret = (struct wire_name_ask){.by_login = get_below(cur, 2) == 1};
	if (ret->by_login)
		get_text(cur, ret->login, sizeof(ret->login));
	else
		ret->account = get_uuid(cur);
	return end(cur);
}

void wire_name_put(struct buf *b, const struct wire_name *n)
{
	buf_u32(b, (uint32_t)n->code);
	buf_put(b, n->account.b, sizeof(n->account.b));
	buf_str(b, n->login);
	buf_u8(b, n->locked);
	buf_u8(b, n->fresh);
}

int wire_name_get(struct cursor *cur, struct wire_name *ret)
{
	*ret = (struct wire_name){.code = get_code(cur), .account = get_uuid(cur)};
	get_text(cur, ret->login, sizeof(ret->login));
	ret->locked = get_below(cur, 2) == 1;
	ret->fresh = get_below(cur, 2) == 1;
	return end(cur);
}

void wire_reset_ask_put(struct buf *b, const struct wire_reset_ask *r)
{
	buf_u8(b, r->what);
	buf_put(b, r->account.b, sizeof(r->account.b));
	buf_put(b, r->by.b, sizeof(r->by.b));
	buf_put(b, r->second.b, sizeof(r->second.b));
}

int wire_reset_ask_get(struct cursor *cur, struct wire_reset_ask *ret)
{
	ret->what = get_below(cur, RESET_AGREE + 1);
	ret->account = get_uuid(cur);
	ret->by = get_uuid(cur);
	ret->second = get_uuid(cur);
	return end(cur);
}

void wire_reset_put(struct buf *b, const struct wire_reset *r)
{
	buf_u32(b, (uint32_t)r->code);
	buf_u32(b, r->missing);
	buf_str(b, r->password);
}

int wire_reset_get(struct cursor *cur, struct wire_reset *ret)
{
	ret->code = get_code(cur);
	ret->missing = cur_u32(cur);
	if (ret->missing >= UINT32_C(1) << VAULT_COUNT)
		cur_fail(cur, FW_ERANGE);
	get_text(cur, ret->password, sizeof(ret->password));
	return end(cur);
}
