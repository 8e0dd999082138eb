/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Encryption of one field:
 *
 *     24 nonce (random) | cipher text | 16 tag
 *
 * XChaCha20-Poly1305: its nonce is long enough to be random without counting.
 * The additional data name the place (table, column, row), so that a sealed
 * value moved to another row does not open there.
 */
#include "node/keys/keys.h"

#include <errno.h>
#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"

enum { NONCE = 24, TAG = 16 };
_Static_assert(NONCE + TAG == SEAL_OVERHEAD, "keys.h tells the overhead");

int seal(const uint8_t key[KEY_BYTES], const void *plain, size_t n, const void *ad, size_t nad,
	 struct buf *out)
{
	uint8_t *p = n > SIZE_MAX - SEAL_OVERHEAD ? NULL : buf_reserve(out, n + SEAL_OVERHEAD);
	if (p == NULL)
		return out->error != 0 ? out->error : FW_ELIMIT;
	randombytes_buf(p, NONCE);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(p + NONCE, NULL, plain, n, ad, nad, NULL, p, key);
	buf_advance(out, n + SEAL_OVERHEAD);
	return 0;
}

int unseal(const uint8_t key[KEY_BYTES], const void *sealed, size_t n, const void *ad, size_t nad,
	   struct buf *out)
{
	const uint8_t *s = sealed;
	if (n < SEAL_OVERHEAD)
		return FW_ECRYPTO;
	uint8_t *p = buf_reserve(out, n - SEAL_OVERHEAD);
	if (p == NULL)
		return out->error;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(p, NULL, NULL, s + NONCE, n - NONCE, ad, nad, s, key) != 0)
		return FW_ECRYPTO;
	buf_advance(out, n - SEAL_OVERHEAD);
	return 0;
}
