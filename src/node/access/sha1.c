/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/access/sha1.h"

#include <sodium.h>
#include <string.h>

static uint32_t rol(uint32_t v, unsigned n)
{
	return v << n | v >> (32 - n);
}

/* The function and constant of round ${t}: RFC 3174 section 5. */
static uint32_t mix(unsigned t, uint32_t b, uint32_t c, uint32_t d)
{
	if (t < 20)
		return ((b & c) | (~b & d)) + 0x5a827999;
	if (t < 40)
		return (b ^ c ^ d) + 0x6ed9eba1;
	if (t < 60)
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	return (b ^ c ^ d) + 0xca62c1d6;
}

static void take_block(struct sha1 *s)
{
	uint32_t w[80];
	for (size_t t = 0; t < 16; t++) {
		const uint8_t *p = s->block + 4 * t;
		w[t] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	}
	for (size_t t = 16; t < 80; t++)
		w[t] = rol(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
	uint32_t a = s->h[0], b = s->h[1], c = s->h[2], d = s->h[3], e = s->h[4];
	for (unsigned t = 0; t < 80; t++) {
		uint32_t x = rol(a, 5) + mix(t, b, c, d) + e + w[t];
		e = d;
		d = c;
		c = rol(b, 30);
		b = a;
		a = x;
	}
	s->h[0] += a;
	s->h[1] += b;
	s->h[2] += c;
	s->h[3] += d;
	s->h[4] += e;
	sodium_memzero(w, sizeof(w));
}

void sha1_init(struct sha1 *s)
{
	*s = (struct sha1){.h = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}};
}

void sha1_update(struct sha1 *s, const void *p, size_t n)
{
	const uint8_t *b = p;
	for (size_t i = 0; i < n; i++) {
		s->block[s->bytes++ % SHA1_BLOCK] = b[i];
		if (s->bytes % SHA1_BLOCK == 0)
			take_block(s);
	}
}

void sha1_final(struct sha1 *s, uint8_t out[SHA1_BYTES])
{
	uint64_t bits = s->bytes * 8;
	uint8_t length[8];
	for (unsigned i = 0; i < 8; i++)
		length[i] = (uint8_t)(bits >> (56 - 8 * i));
	sha1_update(s, "\x80", 1);
	while (s->bytes % SHA1_BLOCK != SHA1_BLOCK - 8)
		sha1_update(s, "", 1);
	sha1_update(s, length, sizeof(length));
	for (unsigned i = 0; i < SHA1_BYTES; i++)
		out[i] = (uint8_t)(s->h[i / 4] >> (24 - 8 * (i % 4)));
	sodium_memzero(s, sizeof(*s));
}

static void keyed(struct sha1 *s, const uint8_t key[SHA1_BLOCK], uint8_t with)
{
	uint8_t pad[SHA1_BLOCK];
	for (size_t i = 0; i < SHA1_BLOCK; i++)
		pad[i] = key[i] ^ with;
	sha1_init(s);
	sha1_update(s, pad, sizeof(pad));
	sodium_memzero(pad, sizeof(pad));
}

void hmac_sha1(const uint8_t *key, size_t nkey, const void *msg, size_t n, uint8_t out[SHA1_BYTES])
{
	struct sha1 s;
	uint8_t k[SHA1_BLOCK] = {0};
	if (nkey > SHA1_BLOCK) {
		sha1_init(&s);
		sha1_update(&s, key, nkey);
		sha1_final(&s, k);
	} else {
		memcpy(k, key, nkey);
	}
	keyed(&s, k, 0x36);
	sha1_update(&s, msg, n);
	sha1_final(&s, out);
	keyed(&s, k, 0x5c);
	sha1_update(&s, out, SHA1_BYTES);
	sha1_final(&s, out);
	sodium_memzero(k, sizeof(k));
}
