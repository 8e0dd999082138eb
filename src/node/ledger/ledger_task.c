/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The task beside the requests: gives positions once a second, and every
 * ledger.checkpoint_seconds in which the ledger grew asks the keeper to sign.
 *
 * Either side may die between any two steps.  The keeper may have signed what
 * never arrived here: it then says from which size it wants the proof, and the
 * next signature covers the lost one.  What is stored is checked like anybody's
 * words: a checkpoint of this very head under the node's key.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/ledger/checkpoint.h"
#include "node/ledger/ledger_int.h"
#include "node/ledger/ledger_routes.h"
#include "node/ledger/signer.h"
#include "store/store.h"

enum { SLICE = 4000 /* entries: about a dozen milliseconds */, ASK_MS = 500 /* the vault waits so long at most, and then not again for an interval */, SIGN_SECONDS = 10 };

static const char name[] = "ledger";

struct ledger_state {
	bool known;           /* ${size} was read from the store */
	uint64_t size;        /* of the last checkpoint stored */
	usec_t next;          /* when to ask again, monotonic */
	int said;             /* the last error logged: each is said once, not once a second */
};

static struct ledger_state *state_of(struct worker *w)
{
	struct ledger_state *st = worker_get(w, name);
	if (st == NULL && (st = mem_alloc(sizeof(*st))) != NULL) {
		*st = (struct ledger_state){ 0 };
		worker_set(w, name, st); /* as long as the process */
	}
	return st;
}

static void say(struct ledger_state *st, int err, const char *event, const char *words)
{
	if (err != st->said && err != 0)
		log_line(LOG_L_ERROR, event, "%s", words);
	st->said = err;
}

static usec_t interval(struct worker *w)
{
	const struct wire_boot *b = worker_boot(w);
	for (size_t i = 0; i < b->nsettings; i++)
		if (strcmp(b->setting[i].name, "ledger.checkpoint_seconds") == 0) {
			long v = strtol(b->setting[i].value, NULL, 10);
			return (v >= 1 && v <= 3600 ? v : SIGN_SECONDS) * USEC_PER_SEC;
		}
	return SIGN_SECONDS * USEC_PER_SEC;
}

static int last_size_tx(struct store *s, void *arg, struct diag *reterr)
{
	uint64_t *size = arg;
	struct store_rows *r;
	*size = 0;
	int err = store_one(s, SQL_LEDGER_CHECKPOINT_LAST, NULL, 0, &r, reterr);
	if (err < 0)
		return err == FW_ENOTFOUND ? 0 : err;
	*size = (uint64_t)store_int(r, 0);
	store_rows_close(r);
	return 0;
}

/* One question. *ret_head: the head it was about. */
static int ask(struct worker *w, uint64_t from, struct ledger_head *ret_head, struct sign_reply *ret,
	       struct diag *reterr)
{
	struct chan *keeper = worker_peer(w, PROC_KEEPER);
	struct buf proof, q, answer;
	struct cursor c;
	if (keeper == NULL)
		return FW_EGONE;
	buf_init(&proof, 1 + MERKLE_PROOF_MAX * LEDGER_HASH);
	buf_init(&q, 8192);
	buf_init(&answer, 4096);
	int err = ledger_prove_consistency(worker_store(w), from, ret_head, &proof, reterr);
	if (err == 0) {
		sign_ask_put(&q, ret_head, from, proof.data, proof.len);
		err = q.error;
	}
	if (err == 0)
		err = chan_ask(keeper, MSG_SIGN_ASK, q.data, q.len, MSG_SIGN, &answer, ASK_MS);
	if (err == 0) {
		cur_init(&c, answer.data, answer.len);
		err = sign_reply_get(&c, ret);
	}
	buf_release(&proof);
	buf_release(&q);
	buf_release(&answer);
	return err;
}

static int keep(struct worker *w, const struct ledger_head *head, const struct sign_reply *r, struct diag *reterr)
{
	char origin[CHECKPOINT_ORIGIN_MAX + 1];
	struct ledger_head got;
	int err = ledger_origin(worker_boot(w)->origin, worker_vault(w), origin, reterr);
	if (err == 0)
		err = checkpoint_parse(r->text, strlen(r->text), origin, worker_sign_public(w), &got);
	if (err == 0 && (got.size != head->size || memcmp(got.root.b, head->root.b, LEDGER_HASH) != 0))
		err = FW_ECRYPTO;
	if (err < 0)
		return diag_set(reterr, err, "what the keeper signed is not this ledger's head");
	return ledger_checkpoint_save(worker_store(w), r->text, head, reterr);
}

static int sign(struct worker *w, struct ledger_state *st, struct diag *reterr)
{
	struct ledger_head head;
	struct sign_reply r;
	int err = st->known ? 0 : store_tx(worker_store(w), STORE_READ, last_size_tx, &st->size, reterr);
	if (err == 0)
		err = ledger_head(worker_store(w), &head, reterr);
	if (err < 0)
		return err;
	st->known = true;
	if (head.size == st->size)
		return 0;
	err = ask(w, st->size, &head, &r, reterr);
	if (err == 0 && r.state == SIGN_FROM && r.from > head.size)
		return diag_set(reterr, FW_ETAMPERED,
				"%" PRIu64 " entries were signed and there are %" PRIu64 ": an old copy of the store was put back",
				r.from, head.size);
	if (err == 0 && r.state == SIGN_FROM)
		err = ask(w, r.from, &head, &r, reterr);
	if (err == 0 && r.state != SIGN_DONE)
		err = diag_set(reterr, FW_ETAMPERED, "no signature: %s", r.state == SIGN_REFUSED ? r.text : "asked twice");
	if (err == 0)
		err = keep(w, &head, &r, reterr);
	if (err == 0)
		st->size = head.size;
	return err;
}

static usec_t run(struct worker *w)
{
	struct ledger_state *st = state_of(w);
	struct diag d = DIAG_INIT;
	char words[DIAG_TEXT_MAX + DIAG_PLACE_MAX];
	size_t n = 0;
	if (st == NULL)
		return time_mono() + USEC_PER_SEC;
	int err = ledger_sequence(worker_store(w), SLICE, &n, &d);
	if (err == 0 && n == SLICE)
		return 0;
	if (err == 0 && time_mono() >= st->next) {
		err = sign(w, st, &d);
		st->next = time_mono() + interval(w);
	}
	diag_format(&d, err, words, sizeof(words));
	say(st, err, "ledger", words);
	return time_mono() + USEC_PER_SEC;
}

const struct task_row ledger_task = { name, run };
