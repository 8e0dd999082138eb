/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Rows of other vaults.
 *
 * What is applied, the key in the inbox and the ledger's entry are one
 * transaction, and the receipt goes after its commit.  A key that is known
 * gives the receipt of the first time and changes nothing.
 *
 * An error either passes by itself (no memory, a full disk, a store that is
 * busy) and the row is wanted again later, or it will be the same next time
 * and the row is refused; were every error called "later", one bad row would
 * be sent twice a second for ever.  Words cross to the other vault only where
 * the domain wrote them for that (FW_EINVALID, FW_EFORMAT): the store's own
 * could tell what this vault holds.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/ledger/ledger.h"
#include "node/outbox/outbox.h"
#include "node/outbox/outbox_int.h"
#include "store/store.h"

static const struct apply_row *apply_of(const struct worker *w, const char *kind)
{
	const struct apply_row *row = worker_def(w)->applies;
	while (row != NULL && row->kind != NULL && strcmp(row->kind, kind) != 0)
		row++;
	return row != NULL && row->kind != NULL ? row : NULL;
}

/* The words of a receipt given earlier, or FW_ENOTFOUND. */
static int known_receipt(struct store *db, int from, const struct uuid *key, struct buf *receipt,
			 struct diag *reterr)
{
	const struct store_value args[] = { sv_int(from), sv_uuid(key) };
	struct store_rows *rows = NULL;
	int err = store_one(db, SQL_INBOX_GET, args, 2, &rows, reterr);
	if (err != 0)
		return err;
	size_t n;
	const uint8_t *p = store_bytes(rows, 0, &n);
	buf_put(receipt, p, n);
	store_rows_close(rows);
	return receipt->error;
}

/* ${kind} is of our own table, or NULL: what a stranger calls a kind is kept out of the ledger. */
static int note(struct worker *w, struct store *db, int event, int from, const char *kind,
		const struct uuid *subject, struct diag *reterr)
{
	char detail[OUTBOX_DETAIL_MAX];
	(void)snprintf(detail, sizeof(detail), "{\"from\":\"%s\",\"kind\":\"%s\"}", vault_rows[from].name,
		       kind != NULL ? kind : "");
	struct ledger_note n = { .event = event, .subjects = subject, .nsubjects = 1, .detail = detail };
	return worker_ledger_note(w, db, &n, reterr);
}

int outbox_apply(struct worker *w, struct store *db, int from, const struct wire_outbox *o,
		 struct buf *receipt, struct diag *reterr)
{
	buf_clear(receipt);
	int err = known_receipt(db, from, &o->key, receipt, reterr);
	if (err != FW_ENOTFOUND)
		return err;
	const struct apply_row *row = apply_of(w, o->kind);
	if (row == NULL)
		return diag_set(reterr, FW_EINVALID, "this vault takes nothing of the kind \"%s\"", o->kind);
	err = row->apply(w, db, from, &o->key, &o->subject, o->body, o->n, receipt, reterr);
	if (err == 0 && (buf_failed(receipt) || receipt->len > OUTBOX_RECEIPT_MAX))
		err = buf_failed(receipt) ? receipt->error : FW_ELIMIT;
	if (err != 0)
		return err;
	const char *words = receipt->len > 0 ? (const char *)receipt->data : "";
	const struct store_value add[] = { sv_int(from), sv_uuid(&o->key), sv_int(time_now()),
					   sv_textn(words, receipt->len) };
	err = store_exec(db, SQL_INBOX_ADD, add, 4, NULL, reterr);
	return err != 0 ? err : note(w, db, LEDGER_EV_OUTBOX_APPLY, from, row->kind, &o->subject, reterr);
}

struct arrival {
	int from;
	const struct wire_outbox *o;
	struct buf receipt;
};

static int apply_arrival(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	struct arrival *in = arg;
	return outbox_apply(w, db, in->from, in->o, &in->receipt, reterr);
}

static int note_refusal(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	const struct arrival *in = arg;
	const struct apply_row *row = apply_of(w, in->o->kind);
	return note(w, db, LEDGER_EV_OUTBOX_REFUSE, in->from, row != NULL ? row->kind : NULL, &in->o->subject,
		    reterr);
}

/* Whether the cause is the machine, the store or the moment, and not the row. Codes above -1000 are the system's. */
static bool passes(int err)
{
	return err > -1000 || err == FW_ESTORE || err == FW_ERETRY || err == FW_EUNKNOWNOUTCOME ||
	       err == FW_EBUSY || err == FW_EGONE;
}

/* What to answer: applied only after the commit, refused only when that stands in the ledger. */
static void receive(struct worker *w, int from, const struct wire_outbox *o, struct buf *answer)
{
	char words[OUTBOX_RECEIPT_MAX + 1] = "";
	struct wire_receipt r = { .key = o->key, .outcome = RECEIPT_APPLIED, .text = words };
	struct arrival in = { .from = from, .o = o };
	struct diag d = DIAG_INIT;
	buf_init(&in.receipt, OUTBOX_RECEIPT_MAX);
	int err = worker_tx(w, apply_arrival, &in, &d);
	if (err == 0) {
		memcpy(words, in.receipt.len > 0 ? in.receipt.data : (const uint8_t *)"", in.receipt.len);
	} else {
		diag_format(err == FW_EINVALID || err == FW_EFORMAT ? &d : NULL, err, words, sizeof(words));
		bool refused = !passes(err) && worker_tx(w, note_refusal, &in, NULL) == 0;
		r.outcome = refused ? RECEIPT_REFUSED : RECEIPT_LATER;
	}
	wire_receipt_put(answer, &r);
	buf_release(&in.receipt);
}

int outbox_on_row(struct worker *w, struct chan *from, struct message *m, struct arena *a)
{
	struct wire_outbox o;
	int err = wire_outbox_get(&m->body, a, &o);
	if (err != 0)
		return err;
	struct buf b;
	buf_init(&b, OUTBOX_RECEIPT_MAX + 64);
	receive(w, outbox_vault_of(from->peer), &o, &b);
	if (!buf_failed(&b))
		(void)chan_send(from, MSG_RECEIPT, m->tag, b.data, b.len); /* a lost receipt is asked for again */
	buf_release(&b);
	return 0;
}
