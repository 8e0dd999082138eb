/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A checkpoint: the tree's head as a signed note (C2SP tlog-checkpoint and
 * signed-note), plain text that can be printed, posted and read by tools of
 * others.
 *
 *     fairway.example/node-7/strategic                   origin
 *     1421                                               entries
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=       root, base64
 *                                                        (empty line)
 *     - fairway.example/node-7/strategic Az3grl...       signature (the dash is U+2014)
 *
 * What is signed are the bytes up to and with the newline before the empty
 * line.  The signature's base64 has four bytes of key identifier and 64 of
 * Ed25519; the identifier is the beginning of
 * SHA-256(name || 0x0A || 0x01 || public key).  Other signatures may stand
 * beside ours (witnesses, one day); a reader passes over keys it does not know.
 *
 * Whoever wants to check needs the public key in this form (checkpoint_vkey):
 *
 *     NAME+0123abcd+BASE64(0x01 || public key)
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "node/keys/base64.h"
#include "node/ledger/checkpoint.h"
#include "node/ledger/ledger_int.h"

#define DASH "\xe2\x80\x94 " /* em dash, space */
enum { ALG_ED25519 = 1, KEY_ID = 4, SIG_LINE_BYTES = KEY_ID + 64 };

static void key_id(const char *name, const uint8_t pk[32], uint8_t id[KEY_ID])
{
	static const uint8_t middle[2] = { '\n', ALG_ED25519 };
	uint8_t h[32];
	crypto_hash_sha256_state st;
	(void)crypto_hash_sha256_init(&st);
	(void)crypto_hash_sha256_update(&st, (const uint8_t *)name, strlen(name));
	(void)crypto_hash_sha256_update(&st, middle, sizeof(middle));
	(void)crypto_hash_sha256_update(&st, pk, 32);
	(void)crypto_hash_sha256_final(&st, h);
	memcpy(id, h, KEY_ID);
}

bool checkpoint_origin_fits(const char *s)
{
	size_t n = strlen(s);
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)s[i] <= ' ' || (uint8_t)s[i] >= 0x7f || s[i] == '+')
			return false;
	return n > 0 && n <= CHECKPOINT_ORIGIN_MAX;
}

static void put_base64(struct buf *b, const void *p, size_t n)
{
	char text[128];
	(void)sodium_bin2base64(text, sizeof(text), p, n, sodium_base64_VARIANT_ORIGINAL);
	buf_puts(b, text);
}

int checkpoint_format(const char *origin, const struct ledger_head *head, const uint8_t sk[64], const uint8_t pk[32],
		      char *out, size_t cap)
{
	struct buf b;
	uint8_t sig[SIG_LINE_BYTES];
	if (!checkpoint_origin_fits(origin))
		return FW_EINVALID;
	buf_init(&b, CHECKPOINT_TEXT_MAX);
	buf_printf(&b, "%s\n%" PRIu64 "\n", origin, head->size);
	put_base64(&b, head->root.b, LEDGER_HASH);
	buf_putc(&b, '\n');
	int err = b.error;
	if (err == 0) {
		key_id(origin, pk, sig);
		(void)crypto_sign_detached(sig + KEY_ID, NULL, b.data, b.len, sk);
		buf_printf(&b, "\n" DASH "%s ", origin);
		put_base64(&b, sig, sizeof(sig));
		buf_putc(&b, '\n');
		err = b.error != 0 ? b.error : b.len + 1 > cap ? FW_ELIMIT : 0;
	}
	if (err == 0) {
		memcpy(out, b.data, b.len);
		out[b.len] = '\0';
	}
	buf_release(&b);
	return err;
}

int checkpoint_vkey(const char *origin, const uint8_t pk[32], char *out, size_t cap)
{
	uint8_t id[KEY_ID], key[33] = { ALG_ED25519 };
	char hex[2 * KEY_ID + 1], text[64];
	if (!checkpoint_origin_fits(origin))
		return FW_EINVALID;
	key_id(origin, pk, id);
	memcpy(key + 1, pk, 32);
	(void)sodium_bin2hex(hex, sizeof(hex), id, sizeof(id));
	(void)sodium_bin2base64(text, sizeof(text), key, sizeof(key), sodium_base64_VARIANT_ORIGINAL);
	int n = snprintf(out, cap, "%s+%s+%s", origin, hex, text);
	return n < 0 || (size_t)n >= cap ? FW_ELIMIT : 0;
}

/* A line of ${text} at *at: its length without the newline, *at moved behind it; -1 if none ends. */
static ssize_t take_line(const char *text, size_t len, size_t *at, const char **ret)
{
	const char *p = text + *at, *end = *at < len ? memchr(p, '\n', len - *at) : NULL;
	if (end == NULL)
		return -1;
	*ret = p;
	*at += (size_t)(end - p) + 1;
	return end - p;
}

/* A decimal number as the form wants it: no sign, no leading zero; within INT64. */
static int take_size(const char *p, size_t n, uint64_t *ret)
{
	uint64_t v = 0;
	if (n == 0 || n > 19 || (n > 1 && p[0] == '0'))
		return FW_EFORMAT;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return FW_EFORMAT;
		v = v * 10 + (uint64_t)(p[i] - '0');
	}
	if (v > INT64_MAX)
		return FW_EFORMAT;
	*ret = v;
	return 0;
}

/* The three lines, and extension lines up to the empty one; *at then stands behind it, *ret_signed bytes are signed. */
static int take_text(const char *text, size_t len, const char *origin, size_t *at, struct ledger_head *ret,
		     size_t *ret_signed)
{
	const char *line;
	size_t root_len;
	ssize_t n = take_line(text, len, at, &line);
	if (n < 0 || (size_t)n != strlen(origin) || memcmp(line, origin, (size_t)n) != 0)
		return FW_EFORMAT;
	n = take_line(text, len, at, &line);
	if (n < 0 || take_size(line, (size_t)n, &ret->size) < 0)
		return FW_EFORMAT;
	n = take_line(text, len, at, &line);
	if (n < 0 || base64_read(line, (size_t)n, false, ret->root.b, LEDGER_HASH, &root_len) < 0 ||
	    root_len != LEDGER_HASH)
		return FW_EFORMAT;
	while ((n = take_line(text, len, at, &line)) > 0)
		;
	if (n < 0)
		return FW_EFORMAT;
	*ret_signed = *at - 1;
	return 0;
}

/* 1 for our good signature, 0 for another's, FW_EFORMAT, FW_ECRYPTO for a bad one in our name and key. */
static int check_signature(const char *line, size_t n, const char *origin, const uint8_t pk[32], const char *text,
			   size_t nsigned)
{
	uint8_t sig[SIG_LINE_BYTES], id[KEY_ID];
	size_t dash = strlen(DASH), name = strlen(origin), got;
	if (n < dash || memcmp(line, DASH, dash) != 0)
		return FW_EFORMAT;
	const char *space = memchr(line + dash, ' ', n - dash);
	if (space == NULL || space == line + dash)
		return FW_EFORMAT;
	if ((size_t)(space - line) != dash + name || memcmp(line + dash, origin, name) != 0)
		return 0;
	const char *base64 = space + 1;
	if (base64_read(base64, (size_t)(line + n - base64), false, sig, sizeof(sig), &got) < 0)
		return 0; /* of another kind: longer than Ed25519 */
	key_id(origin, pk, id);
	if (got != sizeof(sig) || memcmp(sig, id, KEY_ID) != 0)
		return 0;
	return crypto_sign_verify_detached(sig + KEY_ID, (const uint8_t *)text, nsigned, pk) == 0 ? 1 : FW_ECRYPTO;
}

static bool clean(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)text[i] < ' ' && text[i] != '\n')
			return false;
	return utf8_valid(text, len);
}

int checkpoint_parse(const char *text, size_t len, const char *origin, const uint8_t pk[32], struct ledger_head *ret)
{
	struct ledger_head head;
	size_t at = 0, nsigned = 0;
	bool good = false;
	if (len > CHECKPOINT_TEXT_MAX || !clean(text, len))
		return FW_EFORMAT;
	int err = take_text(text, len, origin, &at, &head, &nsigned);
	if (err < 0)
		return err;
	while (at < len) {
		const char *line;
		ssize_t n = take_line(text, len, &at, &line);
		int is = n < 0 ? FW_EFORMAT : check_signature(line, (size_t)n, origin, pk, text, nsigned);
		if (is < 0)
			return is;
		good = good || is == 1;
	}
	if (!good)
		return FW_ECRYPTO;
	*ret = head;
	return 0;
}

bool checkpoint_next(const char *text, size_t len, size_t *at, const char **ret, size_t *ret_n)
{
	const char *line;
	ssize_t n;
	size_t start;
	do {
		start = *at;
		n = take_line(text, len, at, &line);
	} while (n == 0);
	while (n > 0)
		n = take_line(text, len, at, &line);
	if (n < 0)
		return false;
	size_t next = *at;
	while ((n = take_line(text, len, &next, &line)) > (ssize_t)strlen(DASH) &&
	       memcmp(line, DASH, strlen(DASH)) == 0)
		*at = next;
	*ret = text + start;
	*ret_n = *at - start;
	return true;
}
