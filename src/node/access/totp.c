/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/access/totp.h"

#include <errno.h>
#include <qrencode.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "node/access/sha1.h"

int64_t totp_step(usec_t now)
{
	return now / (TOTP_SECONDS * USEC_PER_SEC);
}

void totp_code(const uint8_t *secret, size_t n, int64_t step, char out[TOTP_DIGITS + 1])
{
	uint8_t counter[8], mac[SHA1_BYTES];
	for (int i = 0; i < 8; i++)
		counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
	hmac_sha1(secret, n, counter, sizeof(counter), mac);
	/* RFC 4226 section 5.3: the last four bits say where the 31 bits stand. */
	const uint8_t *p = mac + (mac[SHA1_BYTES - 1] & 15);
	uint32_t v =
		((uint32_t)(p[0] & 127) << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]) %
		1000000;
	for (int i = TOTP_DIGITS - 1; i >= 0; i--, v /= 10)
		out[i] = (char)('0' + v % 10);
	out[TOTP_DIGITS] = '\0';
	sodium_memzero(mac, sizeof(mac));
}

int64_t totp_match(const uint8_t secret[TOTP_SECRET], const char *code, usec_t now, int64_t last)
{
	if (strlen(code) != TOTP_DIGITS)
		return -1;
	int64_t present = totp_step(now), found = -1;
	for (int64_t step = present - TOTP_WINDOW; step <= present + TOTP_WINDOW; step++) {
		char right[TOTP_DIGITS + 1];
		totp_code(secret, TOTP_SECRET, step, right);
		if (sodium_memcmp(right, code, TOTP_DIGITS) == 0 && step > last && found < 0)
			found = step;
		sodium_memzero(right, sizeof(right));
	}
	return found;
}

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void base32_format(const uint8_t *p, size_t n, char *out)
{
	uint32_t bits = 0;
	unsigned have = 0;
	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | p[i];
		for (have += 8; have >= 5; have -= 5)
			*out++ = base32[bits >> (have - 5) & 31];
	}
	if (have > 0)
		*out++ = base32[bits << (5 - have) & 31];
	*out = '\0';
}

/* RFC 3986 section 2.3: what need not be escaped. */
static void put_escaped(struct buf *out, const char *s)
{
	for (const uint8_t *p = (const uint8_t *)s; *p != '\0'; p++) {
		bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			     (*p >= '0' && *p <= '9') || strchr("-._~", *p) != NULL;
		if (plain)
			buf_putc(out, (char)*p);
		else
			buf_printf(out, "%%%02X", *p);
	}
}

void totp_uri(const char *issuer, const char *login, const char *secret_text, struct buf *out)
{
	buf_puts(out, "otpauth://totp/");
	put_escaped(out, issuer);
	buf_putc(out, ':');
	put_escaped(out, login);
	buf_puts(out, "?secret=");
	buf_puts(out, secret_text);
	buf_puts(out, "&issuer=");
	put_escaped(out, issuer);
}

static void put_row(struct buf *out, const unsigned char *row, int width, int y)
{
	for (int x = 0; x < width; x++) {
		int from = x;
		while (x < width && (row[x] & 1) != 0)
			x++;
		if (x > from)
			buf_printf(out, "M%d %dh%dv1h-%dz", from, y, x - from, x - from);
	}
}

int totp_qr(const char *text, struct buf *out, int *ret_size, struct diag *reterr)
{
	QRcode *q = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
	if (q == NULL)
		return errno == ENOMEM ? -ENOMEM
				       : diag_set(reterr, FW_ELIMIT,
						  "The address is too long for a QR code.");
	for (int y = 0; y < q->width; y++)
		put_row(out, q->data + (size_t)y * (size_t)q->width, q->width, y);
	*ret_size = q->width;
	sodium_memzero(q->data, (size_t)q->width * (size_t)q->width);
	QRcode_free(q);
	return out->error;
}

/* Without i, l, o, u, which are misread or make words. */
static const char unambiguous[] = "0123456789abcdefghjkmnpqrstvwxyz";

void recovery_code(char out[RECOVERY_TEXT + 1])
{
	uint8_t random[16];
	randombytes_buf(random, sizeof(random));
	char *o = out;
	for (size_t i = 0; i < sizeof(random); i++) {
		if (i > 0 && i % 4 == 0)
			*o++ = '-';
		*o++ = unambiguous[random[i] & 31];
	}
	*o = '\0';
	sodium_memzero(random, sizeof(random));
}

void recovery_hash(const uint8_t key[32], const char *code, uint8_t out[RECOVERY_HASH])
{
	crypto_generichash_state st;
	crypto_generichash_init(&st, key, 32, RECOVERY_HASH);
	for (const char *p = code; *p != '\0'; p++) {
		uint8_t c = (uint8_t)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
		if (c != '-' && c != ' ')
			crypto_generichash_update(&st, &c, 1);
	}
	crypto_generichash_final(&st, out, RECOVERY_HASH);
	sodium_memzero(&st, sizeof(st));
}
