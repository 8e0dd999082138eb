/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The keeper's judgement: whether to sign a ledger's new head.
 *
 * For every ledger the keeper has a file with the last checkpoint it signed.
 * A new head is signed only with a proof that its tree contains the old one;
 * the file is durable before the signature leaves.  A missing file is not an
 * empty ledger but a refusal: it is made once, by `fairway init`.
 */
#ifndef FW_NODE_SIGNER_H
#define FW_NODE_SIGNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/ledger/ledger.h"

struct buf;
struct cursor;
struct diag;
struct node_keys;

struct signer {
	const char *folder;  /* the keeper's */
	const char *auditor; /* the auditor's file; NULL if none */
	const struct node_keys *keys;
};

/* The first file of a ledger: a signed head of size 0. FW_EEXISTS if it is there. */
int signer_create(const struct signer *sg, const char *origin, struct diag *reterr);
/* The last head signed. FW_ENOTFOUND, FW_ECRYPTO if the file was changed. */
int signer_last(const struct signer *sg, const char *origin, struct ledger_head *ret, struct diag *reterr);

/*
 * Sign ${head}: its checkpoint is appended to ${out}.  FW_ECONFLICT when the
 * proof does not begin at the last head (*ret_last says which that is: prove
 * from there); FW_ETAMPERED when it does and does not hold; then nothing is signed.
 * ${from}: the size that the proof begins at.
 */
int signer_sign(const struct signer *sg, const char *origin, const struct ledger_head *head, uint64_t from,
		const struct ledger_hash *proof, size_t n, struct ledger_head *ret_last, struct buf *out,
		struct diag *reterr);

/* Append a checkpoint to the auditor's file, synced. 0 without one. */
int signer_audit(const struct signer *sg, const char *text, size_t n, struct diag *reterr);

/*
 * The messages.  SIGN_ASK: u64 size, root, u64 from, u8 n, n hashes.
 * SIGN: u8 state, then for SIGN_DONE the checkpoint's text (str), for
 * SIGN_FROM the u64 size to prove from, for SIGN_REFUSED the words (str).
 */
enum sign_state { SIGN_DONE = 0, SIGN_FROM = 1, SIGN_REFUSED = 2 };
void sign_ask_put(struct buf *b, const struct ledger_head *head, uint64_t from, const void *proof, size_t nproof);

/*
 * The keeper's whole answer to one SIGN_ASK.  Result: 0 with ${reply} filled
 * (a refusal too; its words are in ${reterr} for the log); FW_EPROTO when the
 * question is malformed.  *ret_signed: a checkpoint was signed; its text, for
 * the log, is what sign_reply_get() finds in ${reply}.  An auditor's file that
 * cannot be written does not stop the ledger: *ret_audit has the error.
 */
int signer_answer(const struct signer *sg, const char *origin, struct cursor *ask, struct buf *reply,
		  bool *ret_signed, int *ret_audit, struct diag *reterr);

/* What a SIGN message says. ${text} is copied into ret_text with a NUL. */
struct sign_reply {
	int state; /* enum sign_state */
	uint64_t from;
	char text[1200]; /* checkpoint, or why it was refused */
};
int sign_reply_get(struct cursor *c, struct sign_reply *ret);

#endif
