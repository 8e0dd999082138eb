/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The tree's head, proofs from it, and the checkpoints kept beside it. */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "gen/sql.h"
#include "node/ledger/ledger_int.h"
#include "store/store.h"

int ledger_state_read(struct store *s, uint64_t *ret_size, struct ledger_hash *ret_root, struct diag *reterr)
{
	struct store_rows *r;
	int err = store_one(s, SQL_LEDGER_STATE_GET, NULL, 0, &r, reterr);
	if (err < 0)
		return diag_set(reterr, err, "the ledger's size cannot be read: %s", err_text(err));
	size_t n;
	const uint8_t *root = store_bytes(r, 1, &n);
	int64_t size = store_int(r, 0);
	if (size < 0 || (size > 0 && n != LEDGER_HASH)) {
		err = diag_set(reterr, FW_ETAMPERED, "the ledger's size and root make no sense");
	} else if (size == 0) {
		merkle_empty(ret_root);
	} else {
		memcpy(ret_root->b, root, LEDGER_HASH);
	}
	*ret_size = (uint64_t)size;
	store_rows_close(r);
	return err;
}

struct proving {
	bool consistency;
	uint64_t from, size; /* old size, or position; size: of the tree wanted, or 0 for the present one */
	struct ledger_head head;
	struct ledger_hash proof[MERKLE_PROOF_MAX];
	size_t n;
};

static int head_tx(struct store *s, void *arg, struct diag *reterr)
{
	struct ledger_head *head = arg;
	return ledger_state_read(s, &head->size, &head->root, reterr);
}

/* In the transaction that is open, or in one of its own. */
int ledger_in_tx(struct store *s, store_tx_fn *fn, void *arg, struct diag *reterr)
{
	return store_in_tx(s) ? fn(s, arg, reterr) : store_tx(s, STORE_READ, fn, arg, reterr);
}

int ledger_head(struct store *s, struct ledger_head *ret, struct diag *reterr)
{
	struct ledger_head head;
	int err = ledger_in_tx(s, head_tx, &head, reterr);
	if (err == 0)
		*ret = head;
	return err;
}

static int prove_tx(struct store *s, void *arg, struct diag *reterr)
{
	struct proving *p = arg;
	int err = ledger_state_read(s, &p->head.size, &p->head.root, reterr);
	if (err < 0)
		return err;
	uint64_t size = p->consistency ? p->head.size : p->size;
	if (size > p->head.size || p->from > size || (!p->consistency && p->from == size))
		return diag_set(reterr, FW_ERANGE, "the ledger has %llu entries, not more",
				(unsigned long long)p->head.size);
	struct tile_reader *tr = mem_alloc(sizeof(*tr));
	if (tr == NULL)
		return -ENOMEM;
	tile_reader_init(tr, s, reterr);
	struct merkle_source src = tile_source(tr);
	err = p->consistency ? merkle_consistency(&src, p->from, size, p->proof, &p->n) :
			       merkle_inclusion(&src, p->from, size, p->proof, &p->n);
	mem_free(tr);
	return err;
}

static int prove(struct store *s, struct proving *p, struct buf *out, struct diag *reterr)
{
	int err = ledger_in_tx(s, prove_tx, p, reterr);
	if (err < 0)
		return err;
	buf_u8(out, (uint8_t)p->n);
	buf_put(out, p->proof, p->n * LEDGER_HASH);
	return out->error;
}

int ledger_prove_consistency(struct store *s, uint64_t old_size, struct ledger_head *ret_head, struct buf *out,
			     struct diag *reterr)
{
	struct proving p = { .consistency = true, .from = old_size };
	int err = prove(s, &p, out, reterr);
	if (err == 0)
		*ret_head = p.head;
	return err;
}

int ledger_prove_inclusion(struct store *s, uint64_t pos, uint64_t size, struct buf *out, struct diag *reterr)
{
	struct proving p = { .from = pos, .size = size };
	return prove(s, &p, out, reterr);
}

/* ---- checkpoints ---- */

/*
 * One a second would double the ledger.  So of those already there the newest
 * goes when it is less than a minute younger than the one before it: what
 * stays is one a minute of activity and the last one.  All of them are in the
 * auditor's file.
 */
enum { KEEP_EVERY = 60 };

struct saving {
	const char *text;
	const struct ledger_head *head;
};

static int thin_out(struct store *s, uint64_t present, struct diag *reterr)
{
	struct store_rows *r;
	int64_t size[2] = { 0 }, saved[2] = { 0 };
	size_t n = 0;
	int err = store_query(s, SQL_LEDGER_CHECKPOINT_NEWEST, NULL, 0, &r, reterr);
	if (err < 0)
		return err;
	while ((err = store_next(r, reterr)) > 0 && n < 2) {
		size[n] = store_int(r, 0);
		saved[n++] = store_int(r, 1);
	}
	store_rows_close(r);
	if (err < 0 || n < 2 || (uint64_t)size[0] >= present || saved[0] - saved[1] >= KEEP_EVERY * USEC_PER_SEC)
		return err < 0 ? err : 0;
	struct store_value args[] = { sv_int(size[0]) };
	return store_exec(s, SQL_LEDGER_CHECKPOINT_DROP, args, 1, NULL, reterr);
}

static int save_tx(struct store *s, void *arg, struct diag *reterr)
{
	const struct saving *sv = arg;
	struct store_value args[] = { sv_int((int64_t)sv->head->size), sv_int(time_now()), sv_text(sv->text) };
	int err = thin_out(s, sv->head->size, reterr);
	return err < 0 ? err : store_exec(s, SQL_LEDGER_CHECKPOINT_ADD, args, 3, NULL, reterr);
}

int ledger_checkpoint_save(struct store *s, const char *text, const struct ledger_head *head, struct diag *reterr)
{
	struct saving sv = { text, head };
	return store_tx(s, STORE_WRITE, save_tx, &sv, reterr);
}
