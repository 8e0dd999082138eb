/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Three layers:
 *
 *     sealed stream (node/keys/stream.c)
 *       zstd frame
 *         records
 *
 * Records:
 *
 *     8  "FWBACK1\n"
 *     for each file:
 *         u8  1
 *         str name
 *         chunks: u32 length (1 to 65,536), bytes; ended by u32 0
 *     u8  2
 *     64  Ed25519 signature of the node over
 *         "fairway backup 1\n" || BLAKE2b-256 of everything before the byte 2
 *
 * The seal proves that nothing was changed since it was sealed, not who sealed
 * it: public keys are public.  The signature proves that; it stands at the end,
 * since a database of any size goes through here in one pass.  Chunks carry
 * their own length, because a dump read from a pipe does not know its size.
 *
 * Names are held to a narrow form, so that a forged archive cannot write
 * outside the folder that it is unpacked in.
 */
#include "node/backup/archive.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "node/backup/archive_int.h"

#define MAGIC "FWBACK1\n"
#define SIGNED "fairway backup 1\n"
enum { MAGIC_LEN = 8, RECORD_FILE = 1, RECORD_END = 2, HASH = 32, SIGNED_LEN = sizeof(SIGNED) - 1, LEVEL = 3 };

bool archive_name_fits(const char *s)
{
	size_t n = strlen(s);
	bool start = true; /* of a part */
	if (n == 0 || n > ARCHIVE_NAME_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = s[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			     strchr("_+-@=", c) != NULL;
		if (!plain && (start || (c != '.' && c != '/')))
			return false;
		start = c == '/';
	}
	return !start;
}

static void message_to_sign(const uint8_t hash[HASH], uint8_t out[SIGNED_LEN + HASH])
{
	memcpy(out, SIGNED, SIGNED_LEN);
	memcpy(out + SIGNED_LEN, hash, HASH);
}

/* ---- writing ---- */

struct archive_writer {
	struct seal_writer *seal;
	ZSTD_CCtx *zstd;
	int error; /* sticky */
	bool in_file, ended;
	uint64_t taken;
	crypto_generichash_state st;
	uint8_t out[ARCHIVE_CHUNK];
	uint8_t chunk[ARCHIVE_CHUNK]; /* archive_put_fd() reads here; wiped */
};

/* Plain bytes into the compressor and what it gives into the seal. */
static int feed(struct archive_writer *w, const void *p, size_t n, ZSTD_EndDirective end, struct diag *reterr)
{
	ZSTD_inBuffer in = { p, n, 0 };
	size_t left;
	do {
		ZSTD_outBuffer out = { w->out, sizeof(w->out), 0 };
		left = ZSTD_compressStream2(w->zstd, &out, &in, end);
		if (ZSTD_isError(left))
			return w->error = diag_set(reterr, -ENOMEM, "compressing failed: %s", ZSTD_getErrorName(left));
		if (out.pos > 0 && (w->error = seal_writer_put(w->seal, w->out, out.pos, reterr)) < 0)
			return w->error;
	} while (in.pos < in.size || (end == ZSTD_e_end && left > 0));
	return 0;
}

static int put_hashed(struct archive_writer *w, const void *p, size_t n, struct diag *reterr)
{
	(void)crypto_generichash_update(&w->st, p, n);
	return feed(w, p, n, ZSTD_e_continue, reterr);
}

int archive_writer_new(int out_fd, const struct custodian_public *to, size_t n, unsigned quorum, const char *label,
		       struct archive_writer **ret, struct diag *reterr)
{
	struct archive_writer *w = mem_alloc(sizeof(*w));
	if (w == NULL)
		return diag_set(reterr, -ENOMEM, "no memory for a backup");
	memset(w, 0, sizeof(*w));
	(void)crypto_generichash_init(&w->st, NULL, 0, HASH);
	w->zstd = ZSTD_createCCtx();
	int err = w->zstd == NULL ? diag_set(reterr, -ENOMEM, "no memory for a backup") : 0;
	if (err == 0) {
		(void)ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL);
		err = seal_writer_new(out_fd, to, n, quorum, label, &w->seal, reterr);
	}
	if (err == 0)
		err = put_hashed(w, MAGIC, MAGIC_LEN, reterr);
	if (err < 0) {
		archive_writer_free(w);
		return err;
	}
	*ret = w;
	return 0;
}

static int end_file(struct archive_writer *w, struct diag *reterr)
{
	static const uint8_t none[4];
	if (!w->in_file)
		return 0;
	w->in_file = false;
	return put_hashed(w, none, sizeof(none), reterr);
}

static int check_open(struct archive_writer *w, struct diag *reterr)
{
	if (w->error == 0 && w->ended)
		w->error = FW_EINVALID;
	return w->error == 0 ? 0 : diag_set(reterr, w->error, "the backup takes no more");
}

int archive_begin(struct archive_writer *w, const char *name, struct diag *reterr)
{
	struct buf b;
	int err = check_open(w, reterr);
	if (err == 0 && !archive_name_fits(name))
		err = w->error = diag_set(reterr, FW_EINVALID, "%.100s is no name for a file in a backup", name);
	if (err == 0)
		err = end_file(w, reterr);
	if (err < 0)
		return err;
	buf_init(&b, ARCHIVE_NAME_MAX + 8);
	buf_u8(&b, RECORD_FILE);
	buf_str(&b, name);
	err = w->error = buf_failed(&b) ? b.error : 0;
	if (err == 0)
		err = put_hashed(w, b.data, b.len, reterr);
	buf_release(&b);
	w->in_file = err == 0;
	return err;
}

int archive_put(struct archive_writer *w, const void *p, size_t n, struct diag *reterr)
{
	const uint8_t *b = p;
	int err = check_open(w, reterr);
	if (err == 0 && !w->in_file)
		err = w->error = FW_EINVALID;
	while (err == 0 && n > 0) {
		uint32_t part = n < ARCHIVE_CHUNK ? (uint32_t)n : ARCHIVE_CHUNK;
		uint8_t head[4] = { (uint8_t)part, (uint8_t)(part >> 8), (uint8_t)(part >> 16), (uint8_t)(part >> 24) };
		err = put_hashed(w, head, sizeof(head), reterr);
		if (err == 0)
			err = put_hashed(w, b, part, reterr);
		b += part;
		n -= part;
		w->taken += part;
	}
	return err;
}

int archive_put_fd(struct archive_writer *w, const char *name, int fd, struct diag *reterr)
{
	int err = archive_begin(w, name, reterr);
	while (err == 0) {
		ssize_t n = read(fd, w->chunk, sizeof(w->chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return w->error = diag_set(reterr, -errno, "%s cannot be read: %s", name, err_text(-errno));
		if (n == 0)
			break;
		err = archive_put(w, w->chunk, (size_t)n, reterr);
	}
	return err;
}

int archive_end(struct archive_writer *w, const struct node_keys *keys, struct diag *reterr)
{
	uint8_t hash[HASH], msg[SIGNED_LEN + HASH], last[1 + 64] = { RECORD_END };
	int err = check_open(w, reterr);
	if (err == 0)
		err = end_file(w, reterr);
	if (err < 0)
		return err;
	(void)crypto_generichash_final(&w->st, hash, HASH);
	message_to_sign(hash, msg);
	node_keys_sign(keys, msg, sizeof(msg), last + 1);
	w->ended = true;
	err = feed(w, last, sizeof(last), ZSTD_e_end, reterr);
	return err < 0 ? err : (w->error = seal_writer_end(w->seal, reterr));
}

uint64_t archive_taken(const struct archive_writer *w)
{
	return w->taken;
}

void archive_writer_free(struct archive_writer *w)
{
	if (w == NULL)
		return;
	(void)ZSTD_freeCCtx(w->zstd);
	seal_writer_free(w->seal);
	sodium_memzero(w, sizeof(*w));
	mem_free(w);
}

/* ---- records, read ---- */

void records_init(struct records *r, int (*pull)(void *arg, void *out, size_t cap, size_t *ret_n, struct diag *reterr),
		  void *arg)
{
	*r = (struct records){ .pull = pull, .arg = arg };
	(void)crypto_generichash_init(&r->st, NULL, 0, HASH);
}

static int fail(struct records *r, int code, const char *words, struct diag *reterr)
{
	r->error = code;
	return diag_set(reterr, code, "%s", words);
}

/* Exactly ${n} bytes. */
static int take(struct records *r, void *out, size_t n, struct diag *reterr)
{
	uint8_t *p = out;
	while (n > 0) {
		size_t got = 0;
		int err = r->pull(r->arg, p, n, &got, reterr);
		if (err < 0)
			return r->error = err;
		if (got == 0)
			return fail(r, FW_ETRUNC, "the backup ends too early", reterr);
		p += got;
		n -= got;
	}
	return 0;
}

static int take_hashed(struct records *r, void *out, size_t n, struct diag *reterr)
{
	int err = take(r, out, n, reterr);
	if (err == 0)
		(void)crypto_generichash_update(&r->st, out, n);
	return err;
}

static int take_u32(struct records *r, uint32_t *ret, struct diag *reterr)
{
	uint8_t b[4];
	int err = take_hashed(r, b, sizeof(b), reterr);
	*ret = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
	return err;
}

static int take_name(struct records *r, struct diag *reterr)
{
	uint32_t n = 0;
	int err = take_u32(r, &n, reterr);
	if (err == 0 && n > ARCHIVE_NAME_MAX)
		return fail(r, FW_EFORMAT, "the backup has a file whose name is too long", reterr);
	if (err == 0)
		err = take_hashed(r, r->name, n, reterr);
	if (err < 0)
		return err;
	r->name[n] = '\0';
	if (strlen(r->name) != n || !archive_name_fits(r->name))
		return fail(r, FW_EFORMAT, "the backup has a file whose name is not allowed", reterr);
	return 0;
}

static int take_end(struct records *r, struct diag *reterr)
{
	uint8_t more;
	size_t got = 0;
	(void)crypto_generichash_final(&r->st, r->hash, HASH);
	int err = take(r, r->sig, sizeof(r->sig), reterr);
	if (err == 0 && (err = r->pull(r->arg, &more, 1, &got, reterr)) < 0)
		r->error = err;
	if (err == 0 && got > 0)
		return fail(r, FW_EFORMAT, "something follows the end of the backup", reterr);
	r->ended = err == 0;
	return err;
}

/* At a chunk's head: the next one, or the end of the file. */
static int next_chunk(struct records *r, struct diag *reterr)
{
	int err = take_u32(r, &r->left, reterr);
	if (err == 0 && r->left > ARCHIVE_CHUNK)
		return fail(r, FW_EFORMAT, "the backup has a chunk that is too long", reterr);
	if (err == 0 && r->left == 0)
		r->in_file = false;
	return err;
}

int records_get(struct records *r, void *out, size_t cap, size_t *ret_n, struct diag *reterr)
{
	int err = r->error;
	if (err == 0 && r->in_file && r->left == 0)
		err = next_chunk(r, reterr);
	if (err < 0)
		return diag_set(reterr, err, "the backup cannot be read on");
	size_t n = !r->in_file ? 0 : r->left < cap ? r->left : cap;
	if (n > 0 && (err = take_hashed(r, out, n, reterr)) < 0)
		return err;
	r->left -= (uint32_t)n;
	*ret_n = n;
	return 0;
}

static int skip_rest(struct records *r, struct diag *reterr)
{
	uint8_t part[4096];
	size_t n = 1;
	int err = r->error;
	while (err == 0 && r->in_file && n > 0)
		err = records_get(r, part, sizeof(part), &n, reterr);
	sodium_memzero(part, sizeof(part));
	return err;
}

int records_next(struct records *r, const char **ret_name, struct diag *reterr)
{
	uint8_t kind = 0, magic[MAGIC_LEN];
	int err = r->error;
	if (err == 0 && !r->begun) {
		r->begun = true;
		err = take_hashed(r, magic, sizeof(magic), reterr);
		if (err == 0 && memcmp(magic, MAGIC, MAGIC_LEN) != 0)
			return fail(r, FW_EFORMAT, "this is no backup, or one of a newer program", reterr);
	}
	if (err == 0)
		err = skip_rest(r, reterr);
	if (err == 0 && r->ended)
		return 0;
	if (err == 0)
		err = take(r, &kind, 1, reterr);
	if (err < 0)
		return diag_set(reterr, err, "the backup cannot be read on");
	if (kind == RECORD_END)
		return take_end(r, reterr);
	if (kind != RECORD_FILE)
		return fail(r, FW_EFORMAT, "the backup has a record of an unknown kind", reterr);
	(void)crypto_generichash_update(&r->st, &kind, 1);
	err = take_name(r, reterr);
	if (err < 0)
		return err;
	r->in_file = true;
	r->left = 0;
	*ret_name = r->name;
	return 1;
}

/* ---- reading ---- */

struct archive_reader {
	struct seal_reader *seal;
	ZSTD_DCtx *zstd;
	struct records rec;
	size_t have, at;   /* of in */
	bool frame_ended;  /* the compressed frame is complete */
	uint8_t in[ARCHIVE_CHUNK];
};

/* Compressed bytes out of the seal, when there are none. *ret_end: there are no more. */
static int refill(struct archive_reader *r, bool *ret_end, struct diag *reterr)
{
	int err = 0;
	if (r->at == r->have) {
		r->at = 0;
		err = seal_reader_get(r->seal, r->in, sizeof(r->in), &r->have, reterr);
	}
	*ret_end = err == 0 && r->have == 0;
	return err;
}

static int pull_plain(void *arg, void *out, size_t cap, size_t *ret_n, struct diag *reterr)
{
	struct archive_reader *r = arg;
	ZSTD_outBuffer o = { out, cap, 0 };
	while (o.pos == 0) {
		bool end;
		int err = refill(r, &end, reterr);
		if (err < 0)
			return err;
		if (r->frame_ended && !end)
			return diag_set(reterr, FW_EFORMAT, "something follows the end of the backup");
		if (r->frame_ended)
			break;
		if (end)
			return diag_set(reterr, FW_ETRUNC, "the backup ends too early");
		ZSTD_inBuffer in = { r->in, r->have, r->at };
		size_t left = ZSTD_decompressStream(r->zstd, &o, &in);
		if (ZSTD_isError(left))
			return diag_set(reterr, FW_EFORMAT, "the backup does not decompress: %s", ZSTD_getErrorName(left));
		r->at = in.pos;
		r->frame_ended = left == 0;
	}
	*ret_n = o.pos;
	return 0;
}

int archive_reader_new(int in_fd, const uint8_t (*sks)[KEY_BYTES], size_t n, struct archive_reader **ret,
		       struct diag *reterr)
{
	struct archive_reader *r = mem_alloc(sizeof(*r));
	if (r == NULL)
		return diag_set(reterr, -ENOMEM, "no memory to read a backup");
	memset(r, 0, sizeof(*r));
	records_init(&r->rec, pull_plain, r);
	r->zstd = ZSTD_createDCtx();
	int err = r->zstd == NULL ? diag_set(reterr, -ENOMEM, "no memory to read a backup") :
				    seal_reader_new(in_fd, sks, n, &r->seal, reterr);
	if (err < 0) {
		archive_reader_free(r);
		return err;
	}
	*ret = r;
	return 0;
}

const char *archive_label(const struct archive_reader *r)
{
	return seal_reader_label(r->seal);
}

int archive_next(struct archive_reader *r, const char **ret_name, struct diag *reterr)
{
	return records_next(&r->rec, ret_name, reterr);
}

int archive_get(struct archive_reader *r, void *out, size_t cap, size_t *ret_n, struct diag *reterr)
{
	return records_get(&r->rec, out, cap, ret_n, reterr);
}

int archive_signed_by(const struct archive_reader *r, const uint8_t pk[KEY_ED_PK], struct diag *reterr)
{
	uint8_t msg[SIGNED_LEN + HASH];
	message_to_sign(r->rec.hash, msg);
	if (!r->rec.ended || crypto_sign_verify_detached(r->rec.sig, msg, sizeof(msg), pk) != 0)
		return diag_set(reterr, FW_ECRYPTO, "the backup was not made by the node whose key this is");
	return 0;
}

void archive_reader_free(struct archive_reader *r)
{
	if (r == NULL)
		return;
	(void)ZSTD_freeDCtx(r->zstd);
	seal_reader_free(r->seal);
	sodium_memzero(r, sizeof(*r));
	mem_free(r);
}
