/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/outbox/referral.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "tbl/codebook/codebook.h"

enum { CODE_MAX = 60, URGENCY_MAX = 20 };

const char referral_kind[] = "referral";

const char *referral_urgency(const char *s)
{
	static const char *const words[] = { "now", "today", "later" };
	for (size_t i = 0; s != NULL && i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(words[i], s) == 0)
			return words[i];
	return NULL;
}

void referral_put(struct buf *b, const struct referral *r)
{
	buf_u8(b, REFERRAL_VERSION);
	buf_u8(b, (uint8_t)r->nneeds);
	for (unsigned i = 0; i < r->nneeds; i++)
		buf_str(b, codebook_code(CB_NEED, r->need[i]));
	buf_str(b, r->urgency);
	buf_str(b, r->note);
	buf_put(b, r->agency.b, sizeof(r->agency.b));
	buf_put(b, r->account.b, sizeof(r->account.b));
}

static int get_need(struct cursor *c)
{
	size_t n;
	const char *code = (const char *)cur_bytes(c, CODE_MAX, &n);
	int need = cur_error(c) == 0 && code != NULL ? codebook_find(CB_NEED, code, n) : -1;
	if (need < 0)
		cur_fail(c, FW_EFORMAT);
	return need;
}

int referral_get(struct cursor *c, struct referral *ret, struct arena *a)
{
	*ret = (struct referral){ 0 };
	if (cur_u8(c) != REFERRAL_VERSION)
		cur_fail(c, FW_EFORMAT);
	ret->nneeds = cur_u8(c);
	if (ret->nneeds == 0 || ret->nneeds > REFERRAL_NEEDS_MAX)
		cur_fail(c, FW_EFORMAT);
	for (unsigned i = 0; cur_error(c) == 0 && i < ret->nneeds; i++)
		ret->need[i] = get_need(c);
	const char *urgency = cur_str(c, a, URGENCY_MAX);
	ret->urgency = referral_urgency(urgency);
	ret->note = cur_str(c, a, REFERRAL_NOTE_MAX);
	if (cur_error(c) == 0 && !arena_failed(a) && (ret->urgency == NULL || ret->note == NULL))
		cur_fail(c, FW_EFORMAT);
	cur_copy(c, ret->agency.b, sizeof(ret->agency.b));
	cur_copy(c, ret->account.b, sizeof(ret->account.b));
	return arena_failed(a) ? -ENOMEM : cur_end(c);
}
