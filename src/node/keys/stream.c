/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A sealed stream: what backups are made of.
 *
 *     8   "FWSEALED"
 *     u32 length of the head
 *     head:
 *         u8   1, the version
 *         u8   quorum, 1 or 2
 *         u8   custodians, n
 *         str  label, what is inside ("strategic, 2026-11-25T...")
 *         n times 32   their public keys
 *         pieces, 80 bytes each: the stream's key or a share of it (crypto_box_seal)
 *             quorum 1: one for each custodian, the key itself
 *             quorum 2: for each pair i < j two, for i: r, for j: r XOR key,
 *                       r fresh and random for each pair; pairs in the order
 *                       (0,1) (0,2) ... (1,2) ...
 *         24   header of crypto_secretstream (XChaCha20-Poly1305)
 *     chunks: 65,536 plain bytes each, the last may have fewer; 17 bytes longer sealed
 *
 * With quorum 2 each share alone is a uniformly random string, so one
 * custodian learns nothing, however many shares he holds.  A Shamir scheme
 * would be shorter and is not needed for two of at most sixteen.
 *
 * The first chunk is bound to BLAKE2b of everything before it; the chunks are
 * bound to each other by crypto_secretstream, and only the last carries the
 * final tag.  So a head exchanged, a chunk changed, moved, doubled or left out
 * and a file cut short are all refused.  Plain bytes are handed out chunk by
 * chunk: whoever reads must not act on them before the proper end came.
 *
 * The head names keys, not people: a lost backup must not tell whom to press.
 */
#include "node/keys/keys.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/io.h"
#include "node/keys/keys_int.h"

#define MAGIC "FWSEALED"
enum { TAG_MESSAGE = 0, HASH = 32 };
_Static_assert(crypto_secretstream_xchacha20poly1305_ABYTES == SEAL_CHUNK_SEALED - SEAL_CHUNK, "chunk size");
_Static_assert(crypto_secretstream_xchacha20poly1305_HEADERBYTES == SEAL_STREAM_HEADER, "header size");
_Static_assert(crypto_box_SEALBYTES + KEY_BYTES == SEAL_WRAPPED, "piece size");

size_t seal_wraps(unsigned quorum, size_t n)
{
	return quorum == 1 ? n : n * (n - 1);
}

/* ---- the head ---- */

int seal_head_parse(const uint8_t *p, size_t n, struct seal_head *ret, struct diag *reterr)
{
	struct seal_head h;
	struct cursor c;
	size_t len;
	cur_init(&c, p, n);
	uint8_t version = cur_u8(&c);
	if (cur_error(&c) == 0 && version != 1)
		return diag_set(reterr, version == 0 ? FW_EFORMAT : FW_ENEWER,
				"a sealed file of version %u; this program knows version 1", version);
	h.quorum = cur_u8(&c);
	h.ncustodians = cur_u8(&c);
	if (h.quorum < 1 || h.quorum > 2 || h.ncustodians < h.quorum || h.ncustodians > CUSTODIANS_MAX)
		cur_fail(&c, FW_EFORMAT);
	const uint8_t *label = cur_bytes(&c, SEAL_LABEL_MAX, &len);
	if (label == NULL || memchr(label, 0, len) != NULL)
		cur_fail(&c, FW_EFORMAT);
	h.pks = cur_take(&c, cur_error(&c) ? 0 : (size_t)h.ncustodians * KEY_BYTES);
	h.wrapped = cur_take(&c, cur_error(&c) ? 0 : seal_wraps(h.quorum, h.ncustodians) * SEAL_WRAPPED);
	h.stream_header = cur_take(&c, SEAL_STREAM_HEADER);
	int err = cur_end(&c);
	if (err < 0)
		return diag_set(reterr, err, "the head of the sealed file is damaged");
	memcpy(h.label, label, len);
	h.label[len] = '\0';
	*ret = h;
	return 0;
}

static int put_piece(struct buf *b, const uint8_t piece[KEY_BYTES], const struct custodian_public *to)
{
	uint8_t *p = buf_reserve(b, SEAL_WRAPPED);
	if (p == NULL)
		return b->error;
	/* Fails for a public key of small order: a custodians.pub that somebody made by hand. */
	if (crypto_box_seal(p, piece, KEY_BYTES, to->pk) != 0)
		return FW_ECRYPTO;
	buf_advance(b, SEAL_WRAPPED);
	return 0;
}

static int put_pieces(struct buf *b, const uint8_t key[KEY_BYTES], const struct custodian_public *to, size_t n,
		      unsigned quorum)
{
	uint8_t share[2][KEY_BYTES];
	int err = 0;
	for (size_t i = 0; quorum == 1 && err == 0 && i < n; i++)
		err = put_piece(b, key, &to[i]);
	for (size_t i = 0; quorum == 2 && err == 0 && i < n; i++) {
		for (size_t j = i + 1; err == 0 && j < n; j++) {
			randombytes_buf(share[0], KEY_BYTES);
			for (size_t k = 0; k < KEY_BYTES; k++)
				share[1][k] = share[0][k] ^ key[k];
			err = put_piece(b, share[0], &to[i]);
			if (err == 0)
				err = put_piece(b, share[1], &to[j]);
		}
	}
	sodium_memzero(share, sizeof(share));
	return err;
}

/* ---- writing ---- */

struct seal_writer_secret {
	crypto_secretstream_xchacha20poly1305_state st;
	uint8_t key[KEY_BYTES];
	uint8_t plain[SEAL_CHUNK];
};

struct seal_writer {
	int fd;        /* the caller's */
	int error;     /* sticky */
	bool ended;
	size_t have;   /* bytes in secret->plain */
	uint8_t bind[HASH]; /* of the head; for the first chunk */
	size_t nbind;  /* HASH, then 0 */
	struct seal_writer_secret *secret; /* sodium_malloc */
	uint8_t sealed[SEAL_CHUNK_SEALED];
};

static int check_recipients(const struct custodian_public *to, size_t n, unsigned quorum, const char *label,
			    struct diag *reterr)
{
	if (quorum < 1 || quorum > 2 || n > CUSTODIANS_MAX || strlen(label) > SEAL_LABEL_MAX)
		return diag_set(reterr, FW_EINVALID, "sealing takes quorum 1 or 2 and at most %d custodians",
				CUSTODIANS_MAX);
	if (n < quorum)
		return diag_set(reterr, FW_EINVALID,
				"sealing needs %u custodian%s and there %s %zu", quorum, quorum == 1 ? "" : "s",
				n == 1 ? "is" : "are", n);
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			if (memcmp(to[i].pk, to[j].pk, KEY_BYTES) == 0)
				return diag_set(reterr, FW_EINVALID, "two custodians have the same key: %s and %s",
						to[i].account, to[j].account);
	return 0;
}

static int write_head(struct seal_writer *w, const struct custodian_public *to, size_t n, unsigned quorum,
		      const char *label)
{
	struct buf b;
	buf_init(&b, SEAL_PREFIX + SEAL_HEAD_MAX);
	buf_puts(&b, MAGIC);
	buf_u32(&b, 0);
	buf_u8(&b, 1);
	buf_u8(&b, (uint8_t)quorum);
	buf_u8(&b, (uint8_t)n);
	buf_str(&b, label);
	for (size_t i = 0; i < n; i++)
		buf_put(&b, to[i].pk, KEY_BYTES);
	crypto_secretstream_xchacha20poly1305_keygen(w->secret->key);
	int err = put_pieces(&b, w->secret->key, to, n, quorum);
	uint8_t header[SEAL_STREAM_HEADER];
	(void)crypto_secretstream_xchacha20poly1305_init_push(&w->secret->st, header, w->secret->key);
	sodium_memzero(w->secret->key, KEY_BYTES);
	buf_put(&b, header, sizeof(header));
	if (err == 0 && buf_failed(&b))
		err = b.error;
	if (err == 0) {
		buf_set_u32(&b, SEAL_PREFIX - 4, (uint32_t)(b.len - SEAL_PREFIX));
		(void)crypto_generichash(w->bind, HASH, b.data, b.len, NULL, 0);
		w->nbind = HASH;
		err = io_write(w->fd, b.data, b.len);
	}
	buf_release(&b);
	return err;
}

int seal_writer_new(int out_fd, const struct custodian_public *to, size_t n, unsigned quorum,
		    const char *label, struct seal_writer **ret, struct diag *reterr)
{
	int err = check_recipients(to, n, quorum, label, reterr);
	if (err < 0)
		return err;
	struct seal_writer *w = mem_alloc(sizeof(*w));
	if (w == NULL)
		return diag_set(reterr, -ENOMEM, "no memory for sealing");
	*w = (struct seal_writer){ .fd = out_fd };
	w->secret = sodium_malloc(sizeof(*w->secret));
	err = w->secret == NULL ? -ENOMEM : write_head(w, to, n, quorum, label);
	if (err < 0) {
		seal_writer_free(w);
		return diag_set(reterr, err, "the head of the sealed file could not be written: %s", err_text(err));
	}
	*ret = w;
	return 0;
}

static int write_chunk(struct seal_writer *w, uint8_t tag, struct diag *reterr)
{
	unsigned long long len;
	(void)crypto_secretstream_xchacha20poly1305_push(&w->secret->st, w->sealed, &len, w->secret->plain, w->have,
							 w->nbind > 0 ? w->bind : NULL, w->nbind, tag);
	w->nbind = 0;
	w->have = 0;
	w->error = io_write(w->fd, w->sealed, (size_t)len);
	return w->error == 0 ? 0 : diag_set(reterr, w->error, "the sealed file could not be written: %s",
					    err_text(w->error));
}

int seal_writer_put(struct seal_writer *w, const void *p, size_t n, struct diag *reterr)
{
	const uint8_t *b = p;
	if (w->error != 0 || w->ended)
		return diag_set(reterr, w->error != 0 ? w->error : FW_EINVALID, "the sealed file takes no more");
	while (n > 0) {
		/* A full chunk waits for a further byte: if none comes it is the last one. */
		if (w->have == SEAL_CHUNK && write_chunk(w, TAG_MESSAGE, reterr) < 0)
			return w->error;
		size_t part = SEAL_CHUNK - w->have < n ? SEAL_CHUNK - w->have : n;
		memcpy(w->secret->plain + w->have, b, part);
		w->have += part;
		b += part;
		n -= part;
	}
	return 0;
}

int seal_writer_end(struct seal_writer *w, struct diag *reterr)
{
	if (w->error != 0 || w->ended)
		return diag_set(reterr, w->error != 0 ? w->error : FW_EINVALID, "the sealed file takes no more");
	w->ended = true;
	if (write_chunk(w, crypto_secretstream_xchacha20poly1305_TAG_FINAL, reterr) < 0)
		return w->error;
	w->error = io_sync(w->fd);
	return w->error == 0 ? 0 : diag_set(reterr, w->error, "the sealed file could not be made durable: %s",
					    err_text(w->error));
}

void seal_writer_free(struct seal_writer *w)
{
	if (w == NULL)
		return;
	sodium_free(w->secret);
	mem_free(w);
}

/* ---- reading ---- */

struct seal_reader_secret {
	crypto_secretstream_xchacha20poly1305_state st;
	uint8_t key[KEY_BYTES];
	uint8_t plain[SEAL_CHUNK];
};

struct seal_reader {
	int fd;           /* the caller's */
	int error;        /* sticky */
	bool final;       /* the last chunk was opened */
	size_t have, at;  /* of secret->plain */
	uint8_t bind[HASH];
	size_t nbind;
	char label[SEAL_LABEL_MAX + 1];
	struct seal_reader_secret *secret; /* sodium_malloc */
	uint8_t sealed[SEAL_CHUNK_SEALED];
};

/* Up to ${n} bytes; fewer only at the end of the file. */
static int read_full(int fd, uint8_t *out, size_t n, size_t *ret_n)
{
	size_t got = 0;
	while (got < n) {
		ssize_t r = read(fd, out + got, n - got);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	*ret_n = got;
	return 0;
}

/* The number of the piece of ${me} in the pair with ${other}. */
static size_t pair_piece(size_t n, size_t me, size_t other)
{
	size_t i = me < other ? me : other, j = me < other ? other : me;
	size_t pair = i * (2 * n - i - 1) / 2 + (j - i - 1);
	return 2 * pair + (me == j);
}

static int open_piece(const struct seal_head *h, size_t piece, size_t who, const uint8_t sk[KEY_BYTES],
		      uint8_t out[KEY_BYTES])
{
	return crypto_box_seal_open(out, h->wrapped + piece * SEAL_WRAPPED, SEAL_WRAPPED, h->pks + who * KEY_BYTES,
				    sk) == 0 ? 0 : FW_ECRYPTO;
}

/* The place of the owner of ${sk} among the custodians, or n. */
static size_t place_of(const struct seal_head *h, const uint8_t sk[KEY_BYTES])
{
	uint8_t pk[KEY_BYTES];
	if (crypto_scalarmult_base(pk, sk) != 0)
		return h->ncustodians;
	for (size_t i = 0; i < h->ncustodians; i++)
		if (memcmp(h->pks + i * KEY_BYTES, pk, KEY_BYTES) == 0)
			return i;
	return h->ncustodians;
}

static int open_pair(const struct seal_head *h, size_t i, const uint8_t *sk_i, size_t j, const uint8_t *sk_j,
		     uint8_t key[KEY_BYTES])
{
	uint8_t share[KEY_BYTES];
	int err = open_piece(h, pair_piece(h->ncustodians, i, j), i, sk_i, key);
	if (err == 0)
		err = open_piece(h, pair_piece(h->ncustodians, j, i), j, sk_j, share);
	for (size_t k = 0; err == 0 && k < KEY_BYTES; k++)
		key[k] ^= share[k];
	sodium_memzero(share, sizeof(share));
	return err;
}

/* FW_EDENIED when the custodians do not suffice. */
static int open_key(const struct seal_head *h, const uint8_t (*sks)[KEY_BYTES], size_t n, uint8_t key[KEY_BYTES])
{
	size_t first = h->ncustodians, first_sk = 0;
	for (size_t s = 0; s < n; s++) {
		size_t i = place_of(h, sks[s]);
		if (i == h->ncustodians || i == first)
			continue;
		if (h->quorum == 1)
			return open_piece(h, i, i, sks[s], key);
		if (first != h->ncustodians)
			return open_pair(h, first, sks[first_sk], i, sks[s], key);
		first = i;
		first_sk = s;
	}
	return FW_EDENIED;
}

static int deny(const struct seal_head *h, int err, struct diag *reterr)
{
	if (err != FW_EDENIED)
		return diag_set(reterr, err, "the sealed file's key does not open: its head was changed");
	char marks[CUSTODIANS_MAX * (CUSTODIAN_MARK_LEN + 1) + 1] = "";
	for (size_t i = 0; i < h->ncustodians; i++) {
		marks[i * (CUSTODIAN_MARK_LEN + 1)] = ' ';
		custodian_mark(h->pks + i * KEY_BYTES, marks + i * (CUSTODIAN_MARK_LEN + 1) + 1);
	}
	return diag_set(reterr, err, "this file opens for %s of the custodians with the key marks%s, not for those given",
			h->quorum == 1 ? "one" : "two together", marks);
}

static int read_head(struct seal_reader *r, uint8_t *head, const uint8_t (*sks)[KEY_BYTES], size_t n,
		     struct diag *reterr)
{
	struct seal_head h;
	struct cursor c;
	size_t got;
	int err = read_full(r->fd, head, SEAL_PREFIX, &got);
	if (err < 0)
		return diag_set(reterr, err, "the sealed file cannot be read: %s", err_text(err));
	if (got != SEAL_PREFIX || memcmp(head, MAGIC, SEAL_PREFIX - 4) != 0)
		return diag_set(reterr, FW_EFORMAT, "this is no sealed file");
	cur_init(&c, head + SEAL_PREFIX - 4, 4);
	size_t len = cur_u32(&c);
	if (len > SEAL_HEAD_MAX)
		return diag_set(reterr, FW_EFORMAT, "the head of the sealed file is damaged");
	if ((err = read_full(r->fd, head + SEAL_PREFIX, len, &got)) < 0 || got != len)
		return diag_set(reterr, err < 0 ? err : FW_ETRUNC, "the sealed file ends within its head");
	if ((err = seal_head_parse(head + SEAL_PREFIX, len, &h, reterr)) < 0)
		return err;
	if ((err = open_key(&h, sks, n, r->secret->key)) < 0)
		return deny(&h, err, reterr);
	(void)crypto_generichash(r->bind, HASH, head, SEAL_PREFIX + len, NULL, 0);
	r->nbind = HASH;
	memcpy(r->label, h.label, sizeof(r->label));
	(void)crypto_secretstream_xchacha20poly1305_init_pull(&r->secret->st, h.stream_header, r->secret->key);
	sodium_memzero(r->secret->key, KEY_BYTES);
	return 0;
}

/* Nothing may follow the last chunk. */
static int check_end(struct seal_reader *r, struct diag *reterr)
{
	uint8_t b;
	size_t got;
	int err = read_full(r->fd, &b, 1, &got);
	if (err == 0 && got != 0)
		err = FW_EFORMAT;
	return err == 0 ? 0 : diag_set(reterr, err, "something follows the end of the sealed file");
}

static int next_chunk(struct seal_reader *r, struct diag *reterr)
{
	size_t got;
	unsigned long long len;
	uint8_t tag;
	int err = read_full(r->fd, r->sealed, SEAL_CHUNK_SEALED, &got);
	if (err < 0)
		return diag_set(reterr, err, "the sealed file cannot be read: %s", err_text(err));
	if (got < SEAL_CHUNK_SEALED - SEAL_CHUNK)
		return diag_set(reterr, FW_ETRUNC, "the sealed file was cut short");
	if (crypto_secretstream_xchacha20poly1305_pull(&r->secret->st, r->secret->plain, &len, &tag, r->sealed, got,
						       r->nbind > 0 ? r->bind : NULL, r->nbind) != 0)
		return diag_set(reterr, FW_ECRYPTO, "the sealed file was changed, or cut within a chunk");
	r->nbind = 0;
	r->final = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
	if (!r->final && got != SEAL_CHUNK_SEALED)
		return diag_set(reterr, FW_ETRUNC, "the sealed file was cut short");
	r->at = 0;
	r->have = (size_t)len;
	return r->final ? check_end(r, reterr) : 0;
}

int seal_reader_new(int in_fd, const uint8_t (*sks)[KEY_BYTES], size_t n, struct seal_reader **ret,
		    struct diag *reterr)
{
	struct seal_reader *r = mem_alloc(sizeof(*r));
	uint8_t *head = mem_alloc(SEAL_PREFIX + SEAL_HEAD_MAX);
	int err = -ENOMEM;
	if (r != NULL && head != NULL) {
		*r = (struct seal_reader){ .fd = in_fd };
		r->secret = sodium_malloc(sizeof(*r->secret));
		err = r->secret == NULL ? -ENOMEM : read_head(r, head, sks, n, reterr);
		if (err == 0)
			err = next_chunk(r, reterr); /* it proves the head, and the label with it */
	} else {
		mem_free(r);
		r = NULL;
	}
	mem_free(head);
	if (err < 0) {
		seal_reader_free(r);
		return diag_set(reterr, err, "the sealed file cannot be opened: %s", err_text(err));
	}
	*ret = r;
	return 0;
}

int seal_reader_get(struct seal_reader *r, void *out, size_t cap, size_t *ret_n, struct diag *reterr)
{
	while (r->error == 0 && r->at == r->have && !r->final)
		r->error = next_chunk(r, reterr);
	if (r->error != 0)
		return diag_set(reterr, r->error, "the sealed file did not open to its end");
	size_t n = r->have - r->at < cap ? r->have - r->at : cap;
	if (n > 0)
		memcpy(out, r->secret->plain + r->at, n);
	r->at += n;
	*ret_n = n;
	return 0;
}

const char *seal_reader_label(const struct seal_reader *r)
{
	return r->label;
}

void seal_reader_free(struct seal_reader *r)
{
	if (r == NULL)
		return;
	sodium_free(r->secret);
	mem_free(r);
}
