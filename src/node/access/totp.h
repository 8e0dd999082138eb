/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Codes of the second factor: RFC 6238 with SHA-1, 30 seconds, 6 digits, as
 * every authenticator program has them, and the texts around them: base32
 * (RFC 4648 section 6), the otpauth address, the picture of its QR code, and
 * recovery codes.
 */
#ifndef FW_NODE_ACCESS_TOTP_H
#define FW_NODE_ACCESS_TOTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

struct buf;
struct diag;

enum {
	TOTP_SECRET = 20, /* bytes: what RFC 4226 section 4 recommends for SHA-1 */
	TOTP_SECRET_TEXT = 32,
	TOTP_DIGITS = 6,
	TOTP_SECONDS = 30,
	TOTP_WINDOW = 1, /* steps before and after the present one that are taken */
};

int64_t totp_step(usec_t now);
/* HMAC-SHA-1 of ${step} under the secret, cut to six digits. */
void totp_code(const uint8_t *secret, size_t n, int64_t step, char out[TOTP_DIGITS + 1]);
/*
 * The step for which ${code} is right, within the window around ${now} and
 * above ${last} (the step that served last); -1 for none.  Takes the same
 * time whichever step fits.
 */
int64_t totp_match(const uint8_t secret[TOTP_SECRET], const char *code, usec_t now, int64_t last);

/* Base32 without padding; ${out} has room for (n * 8 + 4) / 5 + 1. */
void base32_format(const uint8_t *p, size_t n, char *out);

/* otpauth://totp/ISSUER:LOGIN?secret=...&issuer=ISSUER, percent-encoded, appended to ${out}. */
void totp_uri(const char *issuer, const char *login, const char *secret_text, struct buf *out);

/*
 * The QR code of ${text} as data of one SVG path on a square of *ret_size
 * modules: a rectangle for each run of dark modules ("M3 0h4v1h-4z").
 * FW_ELIMIT when the text is too long for a code.
 */
int totp_qr(const char *text, struct buf *out, int *ret_size, struct diag *reterr);

enum { RECOVERY_CODES = 10, RECOVERY_TEXT = 19, RECOVERY_HASH = 32 };
/* Four groups of four of 32 unambiguous characters: 80 bits. */
void recovery_code(char out[RECOVERY_TEXT + 1]);
/* What is stored: BLAKE2b of the code (case and hyphens do not matter) keyed with ${key}. */
void recovery_hash(const uint8_t key[32], const char *code, uint8_t out[RECOVERY_HASH]);

#endif
