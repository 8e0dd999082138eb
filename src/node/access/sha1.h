/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * SHA-1 (RFC 3174) and HMAC (RFC 2104), for the codes of authenticator
 * programs alone: libsodium rightly has no SHA-1.  Its known collisions do
 * not touch HMAC with a secret key.
 */
#ifndef FW_NODE_ACCESS_SHA1_H
#define FW_NODE_ACCESS_SHA1_H

#include <stddef.h>
#include <stdint.h>

enum { SHA1_BYTES = 20, SHA1_BLOCK = 64 };

struct sha1 {
	uint32_t h[5];
	uint8_t block[SHA1_BLOCK]; /* the part not yet taken in */
	uint64_t bytes;            /* in all */
};

void sha1_init(struct sha1 *s);
void sha1_update(struct sha1 *s, const void *p, size_t n);
void sha1_final(struct sha1 *s, uint8_t out[SHA1_BYTES]);
/* Wipes what it made of the key. */
void hmac_sha1(const uint8_t *key, size_t nkey, const void *msg, size_t n, uint8_t out[SHA1_BYTES]);

#endif
