/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "domain/protect/protect.h"

#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/signs.h"
#include "codec/json.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/ledger/ledger.h"
#include "node/outbox/referral.h"
#include "store/store.h"
#include "tbl/codebook/codebook.h"

enum { REFERRALS_SHOWN = 200, MEM = 64 * 1024, RECEIPT_LEN = 14, NEEDS_TEXT = 1300 };

/* ---- arriving ---- */

/* P-XXXXX-XXXXXX: 55 random bits in signs that nobody mistypes; it tells nothing of the person, the case or the time. */
static void make_receipt(char out[RECEIPT_LEN + 1])
{
	uint8_t r[RECEIPT_LEN];
	randombytes_buf(r, sizeof(r));
	signs_of(r, sizeof(r), out);
	out[0] = 'P';
	out[1] = out[7] = '-';
	out[RECEIPT_LEN] = '\0';
}

static size_t join_needs(const struct referral *ref, char out[NEEDS_TEXT])
{
	size_t n = 0;
	for (unsigned i = 0; i < ref->nneeds; i++) {
		const struct codebook_value *v = &codebooks[CB_NEED].values[ref->need[i]];
		if (n + v->len + 1 > NEEDS_TEXT)
			break; /* cannot be: twenty codes of at most 60 bytes */
		if (n > 0)
			out[n++] = ',';
		memcpy(out + n, v->code, v->len);
		n += v->len;
	}
	return n;
}

static int add_referral(struct worker *w, struct store *db, int from_vault, const struct uuid *key,
			const struct uuid *subject, const struct referral *ref, const char *receipt, struct diag *reterr)
{
	char needs[NEEDS_TEXT];
	size_t n = join_needs(ref, needs);
	const struct store_value v[] = { sv_uuid(key), sv_text(receipt), sv_int(from_vault), sv_uuid(subject), sv_uuid(&ref->agency),
					 sv_uuid(&ref->account), sv_int(time_now()), sv_textn(needs, n), sv_text(ref->urgency), sv_text(ref->note) };
	struct ledger_note note = { .event = LEDGER_EV_REFERRAL_RECEIVE, .account = ref->account, .subjects = key, .nsubjects = 1 };
	int r = store_exec(db, SQL_PROTECT_REFERRAL_ADD, v, sizeof(v) / sizeof(*v), NULL, reterr);
	return r == 0 ? worker_ledger_note(w, db, &note, reterr) : r;
}

static int apply_referral(struct worker *w, struct store *db, int from_vault, const struct uuid *key,
			  const struct uuid *subject, const uint8_t *body, size_t n, struct buf *ret_receipt,
			  struct diag *reterr)
{
	struct cursor c;
	struct referral ref;
	char receipt[RECEIPT_LEN + 1];
	struct arena *mem = arena_new(MEM);
	if (mem == NULL)
		return -ENOMEM;
	cur_init(&c, body, n);
	int r = referral_get(&c, &ref, mem);
	if (r == FW_EFORMAT || r == FW_ETRUNC)
		r = diag_set(reterr, FW_EINVALID, "the referral cannot be read");
	if (r == 0) {
		make_receipt(receipt);
		r = add_referral(w, db, from_vault, key, subject, &ref, receipt, reterr);
	}
	if (r == 0)
		buf_puts(ret_receipt, receipt);
	arena_wipe(mem);
	arena_free(mem);
	return r;
}

const struct apply_row protect_applies[] = {
	{ referral_kind, apply_referral },
	{ NULL, NULL },
};

/* ---- reading ---- */

static void put_needs(struct jw *w, const char *needs)
{
	jw_name(w, "needs");
	jw_array(w);
	while (needs != NULL && *needs != '\0') {
		size_t n = strcspn(needs, ",");
		jw_stringn(w, needs, n);
		needs += n + (needs[n] == ',');
	}
	jw_end(w);
}

static void put_referral(const struct store_rows *rows, struct jw *w, struct arena *mem)
{
	struct uuid id = store_uuid(rows, 0);
	const char *note = store_text(rows, 5, mem);
	jw_object(w);
	jw_put_uuid(w, "id", &id);
	jw_put_string(w, "receipt", store_text(rows, 1, mem));
	jw_put_time(w, "at", store_int(rows, 2));
	put_needs(w, store_text(rows, 3, mem));
	jw_put_string(w, "urgency", store_text(rows, 4, mem));
	if (note != NULL && note[0] != '\0')
		jw_put_string(w, "note", note);
	jw_end(w);
}

/* Every reading is noted, with what was seen. */
static int list_referrals(struct call *c, struct reply *reply, struct diag *reterr)
{
	const struct store_value v[] = { sv_int(REFERRALS_SHOWN) };
	struct uuid seen[REFERRALS_SHOWN];
	struct store_rows *rows = NULL;
	struct jw w;
	size_t n = 0;
	jw_init(&w, &reply->body);
	jw_object(&w);
	jw_name(&w, "referrals");
	jw_array(&w);
	int r = store_query(c->db, SQL_PROTECT_REFERRAL_NEWEST, v, 1, &rows, reterr), more = 0;
	while (r == 0 && n < REFERRALS_SHOWN && (more = store_next(rows, reterr)) == 1) {
		seen[n++] = store_uuid(rows, 0);
		put_referral(rows, &w, c->mem);
	}
	store_rows_close(rows);
	jw_end(&w);
	jw_end(&w);
	if (r < 0 || more < 0)
		return r < 0 ? r : more;
	struct ledger_note note = { .event = LEDGER_EV_REFERRAL_READ, .subjects = seen, .nsubjects = n };
	return call_ledger(c, &note, reterr);
}

const struct call_row protect_calls[] = {
	{ OP_LIST_REFERRALS, list_referrals },
	{ -1, NULL },
};
