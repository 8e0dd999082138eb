/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/outbox/outbox_int.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "node/outbox/outbox.h"

void wire_outbox_put(struct buf *b, const struct wire_outbox *o)
{
	buf_put(b, o->key.b, sizeof(o->key.b));
	buf_put(b, o->subject.b, sizeof(o->subject.b));
	buf_i64(b, o->at);
	buf_str(b, o->kind);
	buf_bytes(b, o->body, o->n);
}

int wire_outbox_get(struct cursor *cur, struct arena *a, struct wire_outbox *ret)
{
	struct wire_outbox o;
	cur_copy(cur, o.key.b, sizeof(o.key.b));
	cur_copy(cur, o.subject.b, sizeof(o.subject.b));
	o.at = cur_i64(cur);
	o.kind = cur_str(cur, a, OUTBOX_KIND_MAX);
	o.body = cur_bytes(cur, OUTBOX_BODY_MAX, &o.n);
	if (cur_end(cur) != 0 || o.kind == NULL || uuid_is_nil(&o.key))
		return cur_error(cur) == -ENOMEM ? -ENOMEM : FW_EPROTO;
	*ret = o;
	return 0;
}

void wire_receipt_put(struct buf *b, const struct wire_receipt *r)
{
	buf_put(b, r->key.b, sizeof(r->key.b));
	buf_u8(b, r->outcome);
	buf_str(b, r->text);
}

int wire_receipt_get(struct cursor *cur, struct arena *a, struct wire_receipt *ret)
{
	struct wire_receipt r;
	cur_copy(cur, r.key.b, sizeof(r.key.b));
	r.outcome = cur_u8(cur);
	r.text = cur_str(cur, a, OUTBOX_RECEIPT_MAX);
	if (cur_end(cur) != 0 || r.text == NULL || r.outcome > RECEIPT_LATER || uuid_is_nil(&r.key))
		return cur_error(cur) == -ENOMEM ? -ENOMEM : FW_EPROTO;
	*ret = r;
	return 0;
}
