/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The key of a custodian: an X25519 pair.  The public half stays with the node
 * (custodians.pub); the secret half leaves it in a text file under the
 * custodian's passphrase and is never written on the node.
 *
 *     Fairway custodian key of ACCOUNT, mark 0123abcd
 *     Keep it where the node is not, and its passphrase apart from it.
 *     -----BEGIN FAIRWAY CUSTODIAN KEY-----
 *     base64, 64 characters a line
 *     -----END FAIRWAY CUSTODIAN KEY-----
 *
 * What stands before BEGIN and after END is for people and is not looked at.
 * The base64 text is (base/buf.h):
 *
 *     u8   1, the version
 *     u32  passes of Argon2id
 *     u32  memory of Argon2id, KiB
 *     16   salt
 *     24   nonce
 *     32   public key
 *     str  account
 *     48   secret key, sealed (XChaCha20-Poly1305) under
 *          Argon2id(passphrase, salt), bound to everything before it
 *
 * So account and public key cannot be exchanged without the passphrase.  The
 * cost is in the file so that it may rise later; what a file may ask for is
 * limited, or a hostile one could exhaust the machine.
 */
#include "node/keys/keys.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "node/keys/base64.h"
#include "node/keys/keys_int.h"

#define BEGIN "-----BEGIN FAIRWAY CUSTODIAN KEY-----\n"
#define END "-----END FAIRWAY CUSTODIAN KEY-----"

enum {
	PASSES = 3,
	MEMORY_KIB = 128 * 1024,
	PASSES_MAX = 10,
	MEMORY_KIB_MIN = 46 * 1024,
	MEMORY_KIB_MAX = 1024 * 1024,
	PASSPHRASE_MIN = 12,
	ARMOUR_LINE = 64,
};

static int passphrase_key(const char *passphrase, const struct custodian_file *f, uint8_t key[KEY_BYTES])
{
	return crypto_pwhash(key, KEY_BYTES, passphrase, strlen(passphrase), f->salt, f->passes,
			     (size_t)f->memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0 ?
		       -ENOMEM :
		       0;
}

static void put_bound(struct buf *b, const struct custodian_file *f)
{
	buf_u8(b, 1);
	buf_u32(b, f->passes);
	buf_u32(b, f->memory_kib);
	buf_put(b, f->salt, sizeof(f->salt));
	buf_put(b, f->nonce, sizeof(f->nonce));
	buf_put(b, f->who.pk, KEY_BYTES);
	buf_str(b, f->who.account);
}

static void put_armour(struct buf *out, const struct custodian_file *f, const struct buf *body)
{
	char mark[CUSTODIAN_MARK_LEN + 1], line[1024];
	custodian_mark(f->who.pk, mark);
	buf_printf(out, "Fairway custodian key of %s, mark %s\n", f->who.account, mark);
	buf_puts(out, "Keep it where the node is not, and its passphrase apart from it.\n" BEGIN);
	(void)sodium_bin2base64(line, sizeof(line), body->data, body->len, sodium_base64_VARIANT_ORIGINAL);
	for (size_t at = 0, n = strlen(line); at < n; at += ARMOUR_LINE) {
		buf_put(out, line + at, n - at < ARMOUR_LINE ? n - at : ARMOUR_LINE);
		buf_putc(out, '\n');
	}
	buf_puts(out, END "\n");
}

/* No white space and nothing invisible: it stands in a line of custodians.pub. */
static bool account_fits(const char *s)
{
	size_t n = strlen(s);
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)s[i] <= ' ' || s[i] == 0x7f)
			return false;
	return n > 0 && n < sizeof(((struct custodian_public *)0)->account);
}

static int wrap(const uint8_t *sk, const char *passphrase, struct custodian_file *f, struct buf *ret_file)
{
	uint8_t key[KEY_BYTES];
	struct buf body;
	buf_init(&body, sizeof(f->raw));
	int err = passphrase_key(passphrase, f, key);
	if (err == 0) {
		put_bound(&body, f);
		uint8_t *p = buf_reserve(&body, sizeof(f->sealed));
		if (p != NULL) {
			(void)crypto_aead_xchacha20poly1305_ietf_encrypt(p, NULL, sk, KEY_BYTES, body.data,
									 body.len, NULL, f->nonce, key);
			buf_advance(&body, sizeof(f->sealed));
			put_armour(ret_file, f, &body);
		}
		err = buf_failed(&body) ? body.error : ret_file->error;
	}
	sodium_memzero(key, sizeof(key));
	buf_release(&body);
	return err;
}

int custodian_create(const char *account, const char *passphrase, struct custodian_public *ret,
		     struct buf *ret_file, struct diag *reterr)
{
	struct custodian_file f = { .passes = PASSES, .memory_kib = MEMORY_KIB };
	if (!account_fits(account))
		return diag_set(reterr, FW_EINVALID, "a custodian's account name has 1 to 127 bytes and no blanks");
	if (strlen(passphrase) < PASSPHRASE_MIN)
		return diag_set(reterr, FW_EINVALID, "a custodian's passphrase has at least %d characters",
				PASSPHRASE_MIN);
	uint8_t *sk = sodium_malloc(KEY_BYTES);
	if (sk == NULL)
		return diag_set(reterr, -ENOMEM, "no memory for a custodian's key");
	(void)snprintf(f.who.account, sizeof(f.who.account), "%s", account);
	randombytes_buf(f.salt, sizeof(f.salt));
	randombytes_buf(f.nonce, sizeof(f.nonce));
	(void)crypto_box_keypair(f.who.pk, sk);
	int err = wrap(sk, passphrase, &f, ret_file);
	sodium_free(sk);
	if (err < 0)
		return diag_set(reterr, err, "the custodian's key could not be wrapped: %s", err_text(err));
	*ret = f.who;
	return 0;
}

/* The armour's inside as bytes into f->raw; *ret_n of them. */
static int take_armour(const char *text, size_t n, struct custodian_file *f, size_t *ret_n)
{
	const char *begin = memmem(text, n, BEGIN, strlen(BEGIN));
	if (begin == NULL || (begin != text && begin[-1] != '\n'))
		return FW_EFORMAT;
	begin += strlen(BEGIN);
	const char *end = memmem(begin, (size_t)(text + n - begin), END, strlen(END));
	if (end == NULL)
		return FW_ETRUNC;
	return base64_read(begin, (size_t)(end - begin), true, f->raw, sizeof(f->raw), ret_n);
}

static int get_account(struct cursor *c, struct custodian_file *f)
{
	size_t n;
	const uint8_t *s = cur_bytes(c, sizeof(f->who.account) - 1, &n);
	if (s == NULL || memchr(s, 0, n) != NULL)
		return FW_EFORMAT;
	memcpy(f->who.account, s, n);
	f->who.account[n] = '\0';
	return account_fits(f->who.account) ? 0 : FW_EFORMAT;
}

int custodian_parse(const void *file, size_t n, struct custodian_file *ret, struct diag *reterr)
{
	struct custodian_file f = { 0 };
	struct cursor c;
	size_t len = 0;
	int err = n > CUSTODIAN_FILE_MAX ? FW_EFORMAT : take_armour(file, n, &f, &len);
	if (err < 0)
		return diag_set(reterr, err, "this is no whole custodian key: lines from %.*s to %s are expected",
				(int)strlen(BEGIN) - 1, BEGIN, END);
	cur_init(&c, f.raw, len);
	uint8_t version = cur_u8(&c);
	if (cur_error(&c) == 0 && version != 1)
		return diag_set(reterr, version == 0 ? FW_EFORMAT : FW_ENEWER,
				"a custodian key of version %u; this program knows version 1", version);
	f.passes = cur_u32(&c);
	f.memory_kib = cur_u32(&c);
	cur_copy(&c, f.salt, sizeof(f.salt));
	cur_copy(&c, f.nonce, sizeof(f.nonce));
	cur_copy(&c, f.who.pk, KEY_BYTES);
	if (get_account(&c, &f) < 0)
		cur_fail(&c, FW_EFORMAT);
	f.bound = c.pos;
	cur_copy(&c, f.sealed, sizeof(f.sealed));
	if ((err = cur_end(&c)) < 0)
		return diag_set(reterr, err, "the custodian key is damaged");
	if (f.passes < 1 || f.passes > PASSES_MAX || f.memory_kib < MEMORY_KIB_MIN || f.memory_kib > MEMORY_KIB_MAX)
		return diag_set(reterr, FW_ERANGE, "the custodian key asks for an unreasonable amount of work");
	*ret = f;
	return 0;
}

static int open_sealed(const struct custodian_file *f, const char *passphrase, uint8_t sk[KEY_BYTES])
{
	uint8_t key[KEY_BYTES], pk[KEY_BYTES];
	int err = passphrase_key(passphrase, f, key);
	if (err < 0)
		return err;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(sk, NULL, NULL, f->sealed, sizeof(f->sealed), f->raw,
						       f->bound, f->nonce, key) != 0)
		err = FW_ECRYPTO;
	else if (crypto_scalarmult_base(pk, sk) != 0 || sodium_memcmp(pk, f->who.pk, KEY_BYTES) != 0)
		err = FW_ECRYPTO;
	if (err < 0)
		sodium_memzero(sk, KEY_BYTES);
	sodium_memzero(key, sizeof(key));
	return err;
}

int custodian_open(const void *file, size_t n, const char *passphrase, uint8_t ret_sk[KEY_BYTES],
		   struct custodian_public *ret, struct diag *reterr)
{
	struct custodian_file f;
	int err = custodian_parse(file, n, &f, reterr);
	if (err < 0)
		return err;
	err = open_sealed(&f, passphrase, ret_sk);
	if (err == -ENOMEM)
		return diag_set(reterr, err, "opening a custodian key needs %u MiB of memory", f.memory_kib / 1024);
	if (err < 0)
		return diag_set(reterr, err, "wrong passphrase for the key of %s, or the file was changed",
				f.who.account);
	*ret = f.who;
	return 0;
}

void custodian_mark(const uint8_t pk[KEY_BYTES], char out[CUSTODIAN_MARK_LEN + 1])
{
	uint8_t h[crypto_generichash_BYTES];
	(void)crypto_generichash(h, sizeof(h), pk, KEY_BYTES, NULL, 0);
	(void)sodium_bin2hex(out, CUSTODIAN_MARK_LEN + 1, h, CUSTODIAN_MARK_LEN / 2);
}

void custodians_put(struct buf *out, const char *vault, const struct custodian_public *c)
{
	char key[64];
	(void)sodium_bin2base64(key, sizeof(key), c->pk, KEY_BYTES, sodium_base64_VARIANT_ORIGINAL);
	buf_printf(out, "%s %s %s\n", vault, c->account, key);
}

/* One line without its end. 1 for a custodian of ${vault}, 0 for another line, FW_EFORMAT. */
static int parse_line(const char *line, size_t n, const char *vault, struct custodian_public *ret)
{
	if (n == 0 || line[0] == '#')
		return 0;
	const char *a = memchr(line, ' ', n);
	const char *k = a == NULL ? NULL : memchr(a + 1, ' ', (size_t)(line + n - a - 1));
	size_t got = 0;
	if (k == NULL || a == line || (size_t)(k - a - 1) >= sizeof(ret->account))
		return FW_EFORMAT;
	if (base64_read(k + 1, (size_t)(line + n - k - 1), false, ret->pk, KEY_BYTES, &got) < 0 || got != KEY_BYTES)
		return FW_EFORMAT;
	memcpy(ret->account, a + 1, (size_t)(k - a - 1));
	ret->account[k - a - 1] = '\0';
	if (!account_fits(ret->account) || strlen(ret->account) != (size_t)(k - a - 1))
		return FW_EFORMAT;
	return (size_t)(a - line) == strlen(vault) && memcmp(line, vault, strlen(vault)) == 0;
}

int custodians_parse(const void *text, size_t n, const char *vault, struct custodian_public *ret,
		     size_t cap, size_t *ret_n, struct diag *reterr)
{
	const char *p = text, *end = p + n;
	size_t found = 0;
	for (unsigned line = 1; p < end; line++) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((stop != NULL ? stop : end) - p);
		struct custodian_public c;
		int is = parse_line(p, len, vault, &c);
		if (is < 0) {
			diag_place(reterr, "custodians.pub, line %u", line);
			return diag_set(reterr, is, "expected: vault, account, public key");
		}
		if (is > 0 && found == cap)
			return diag_set(reterr, FW_ELIMIT, "more than %zu custodians of one vault", cap);
		if (is > 0)
			ret[found++] = c;
		p += len + 1;
	}
	*ret_n = found;
	return 0;
}
