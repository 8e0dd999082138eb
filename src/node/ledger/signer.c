/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The file of a ledger is FOLDER/ORIGIN.head, "/" in the origin written "+":
 * the last checkpoint signed, as it left.  It carries the node's signature, so
 * that it cannot be written by hand; an older one put back in its place is
 * found by the auditor's file, not here.
 *
 * Order of things, with what a power cut leaves behind:
 *
 *     read the last head from the file
 *     check the proof from it to the new head
 *     sign
 *     write the file durably          cut before: the old head, nothing left
 *     append to the auditor's file    cut before: the new head, nothing left:
 *     answer                          the worker asks again and gets the same text
 *
 * A signature leaves only when the file that forbids its contradiction is on
 * the disk.  Whether the old or the new file is there after a fault does not
 * matter: both are heads that the next one must extend.
 */
#include "node/ledger/signer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/io.h"
#include "node/keys/keys.h"
#include "node/ledger/checkpoint.h"
#include "node/ledger/merkle.h"

enum { PATH_MAX_BYTES = 4096 };

static int head_path(const struct signer *sg, const char *origin, char out[PATH_MAX_BYTES], struct diag *reterr)
{
	if (!checkpoint_origin_fits(origin) || origin[0] == '.')
		return diag_set(reterr, FW_EINVALID, "this is no origin of a ledger");
	int n = snprintf(out, PATH_MAX_BYTES, "%s/%s.head", sg->folder, origin);
	if (n < 0 || n >= PATH_MAX_BYTES)
		return diag_set(reterr, FW_ELIMIT, "the path of the keeper's folder is too long");
	for (char *p = out + strlen(sg->folder) + 1; *p != '\0'; p++)
		if (*p == '/')
			*p = '+';
	return 0;
}

static int format(const struct signer *sg, const char *origin, const struct ledger_head *head,
		  char out[CHECKPOINT_OURS_MAX])
{
	uint8_t pk[KEY_ED_PK];
	node_keys_public(sg->keys, pk);
	return checkpoint_format(origin, head, node_keys_secret(sg->keys), pk, out, CHECKPOINT_OURS_MAX);
}

int signer_create(const struct signer *sg, const char *origin, struct diag *reterr)
{
	char path[PATH_MAX_BYTES], text[CHECKPOINT_OURS_MAX];
	struct ledger_head head = { .size = 0 };
	merkle_empty(&head.root);
	int err = head_path(sg, origin, path, reterr);
	if (err == 0)
		err = format(sg, origin, &head, text);
	if (err == 0)
		err = io_create_file(path, text, strlen(text), 0600, reterr);
	return err;
}

int signer_last(const struct signer *sg, const char *origin, struct ledger_head *ret, struct diag *reterr)
{
	char path[PATH_MAX_BYTES];
	uint8_t pk[KEY_ED_PK];
	struct buf b;
	int err = head_path(sg, origin, path, reterr);
	if (err < 0)
		return err;
	buf_init(&b, CHECKPOINT_OURS_MAX);
	err = io_read_file(path, &b, NULL);
	if (err == 0) {
		node_keys_public(sg->keys, pk);
		err = checkpoint_parse((const char *)b.data, b.len, origin, pk, ret);
		if (err < 0)
			err = diag_set(reterr, FW_ECRYPTO, "%s is not a checkpoint of this node's key", path);
	} else if (err == -ENOENT) {
		err = diag_set(reterr, FW_ENOTFOUND,
			       "%s is missing: nothing is signed for this ledger until it is restored", path);
	} else {
		err = diag_set(reterr, err, "%s cannot be read: %s", path, err_text(err));
	}
	buf_release(&b);
	return err;
}

static int check_growth(const struct ledger_head *last, const struct ledger_head *head, uint64_t from,
			const struct ledger_hash *proof, size_t n, struct diag *reterr)
{
	if (from != last->size)
		return diag_set(reterr, FW_ECONFLICT, "the last head signed has %" PRIu64 " entries", last->size);
	if (head->size < last->size)
		return diag_set(reterr, FW_ETAMPERED,
				"the ledger had %" PRIu64 " entries when it was last signed and has %" PRIu64 " now",
				last->size, head->size);
	if (ledger_verify_consistency(last, head, proof, n) < 0)
		return diag_set(reterr, FW_ETAMPERED,
				"the ledger does not extend what was signed at %" PRIu64 " entries", last->size);
	return 0;
}

int signer_sign(const struct signer *sg, const char *origin, const struct ledger_head *head, uint64_t from,
		const struct ledger_hash *proof, size_t n, struct ledger_head *ret_last, struct buf *out,
		struct diag *reterr)
{
	char path[PATH_MAX_BYTES], text[CHECKPOINT_OURS_MAX];
	struct ledger_head last;
	int err = signer_last(sg, origin, &last, reterr);
	if (err < 0)
		return err;
	*ret_last = last;
	err = check_growth(&last, head, from, proof, n, reterr);
	if (err == 0)
		err = format(sg, origin, head, text);
	if (err == 0)
		err = head_path(sg, origin, path, reterr);
	if (err == 0)
		err = io_write_file(path, text, strlen(text), 0600, reterr);
	if (err == 0) {
		buf_puts(out, text);
		err = out->error;
	}
	return err;
}

int signer_audit(const struct signer *sg, const char *text, size_t n, struct diag *reterr)
{
	if (sg->auditor == NULL)
		return 0;
	struct buf b;
	buf_init(&b, CHECKPOINT_TEXT_MAX + 2);
	/* An empty line before it: after a torn write the next checkpoint is found all the same. */
	buf_putc(&b, '\n');
	buf_put(&b, text, n);
	int err = b.error;
	int fd = err < 0 ? err : io_open(sg->auditor, O_WRONLY | O_APPEND | O_CREAT, 0640);
	if (fd >= 0) {
		err = io_write(fd, b.data, b.len);
		if (err == 0)
			err = io_sync(fd);
		int closed = io_close(fd);
		err = err < 0 ? err : closed;
	} else {
		err = fd;
	}
	buf_release(&b);
	return err < 0 ? diag_set(reterr, err, "the auditor's file %s cannot be written: %s", sg->auditor, err_text(err)) :
			 0;
}

/* ---- messages ---- */

void sign_ask_put(struct buf *b, const struct ledger_head *head, uint64_t from, const void *proof, size_t nproof)
{
	buf_u64(b, head->size);
	buf_put(b, head->root.b, LEDGER_HASH);
	buf_u64(b, from);
	buf_put(b, proof, nproof); /* as ledger_prove_consistency made it: u8 count, hashes */
}

struct ask {
	struct ledger_head head;
	uint64_t from;
	size_t n;
	struct ledger_hash proof[MERKLE_PROOF_MAX];
};

static int ask_get(struct cursor *c, struct ask *a)
{
	a->head.size = cur_u64(c);
	cur_copy(c, a->head.root.b, LEDGER_HASH);
	a->from = cur_u64(c);
	a->n = cur_u8(c);
	if (a->head.size > INT64_MAX || a->from > INT64_MAX || a->n > MERKLE_PROOF_MAX)
		cur_fail(c, FW_EFORMAT);
	for (size_t i = 0; i < a->n && cur_error(c) == 0; i++)
		cur_copy(c, a->proof[i].b, LEDGER_HASH);
	return cur_end(c) < 0 ? FW_EPROTO : 0;
}

static void put_refusal(struct buf *reply, int err, const struct ledger_head *last, const struct diag *d)
{
	char words[DIAG_TEXT_MAX + DIAG_PLACE_MAX];
	if (err == FW_ECONFLICT) {
		buf_u8(reply, SIGN_FROM);
		buf_u64(reply, last->size);
		return;
	}
	diag_format(d, err, words, sizeof(words));
	buf_u8(reply, SIGN_REFUSED);
	buf_str(reply, words);
}

int signer_answer(const struct signer *sg, const char *origin, struct cursor *ask, struct buf *reply,
		  bool *ret_signed, int *ret_audit, struct diag *reterr)
{
	struct ask a;
	struct buf text;
	struct ledger_head last = { 0 };
	struct diag why = DIAG_INIT;
	*ret_signed = false;
	*ret_audit = 0;
	if (ask_get(ask, &a) < 0)
		return diag_set(reterr, FW_EPROTO, "a malformed question for a signature");
	buf_init(&text, CHECKPOINT_TEXT_MAX);
	int err = signer_sign(sg, origin, &a.head, a.from, a.proof, a.n, &last, &text, &why);
	if (err == 0) {
		*ret_audit = signer_audit(sg, (const char *)text.data, text.len, &why);
		*ret_signed = true;
		buf_u8(reply, SIGN_DONE);
		buf_bytes(reply, text.data, text.len);
	} else {
		put_refusal(reply, err, &last, &why);
	}
	buf_release(&text);
	if (why.code != 0 && reterr != NULL && reterr->code == 0)
		*reterr = why;
	return reply->error;
}

int sign_reply_get(struct cursor *c, struct sign_reply *ret)
{
	struct sign_reply r = { .state = cur_u8(c) };
	size_t n = 0;
	const uint8_t *p = NULL;
	if (r.state == SIGN_FROM)
		r.from = cur_u64(c);
	else if (r.state == SIGN_DONE || r.state == SIGN_REFUSED)
		p = cur_bytes(c, sizeof(r.text) - 1, &n);
	else
		cur_fail(c, FW_EFORMAT);
	if ((p != NULL && memchr(p, 0, n) != NULL) || r.from > INT64_MAX)
		cur_fail(c, FW_EFORMAT);
	if (cur_end(c) < 0)
		return FW_EPROTO;
	if (p != NULL)
		memcpy(r.text, p, n);
	r.text[n] = '\0';
	*ret = r;
	return 0;
}
