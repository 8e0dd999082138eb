/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Parses: src/node/ledger/checkpoint.c src/node/ledger/entry.c src/node/ledger/signer.c
 *
 * A checkpoint, a file of many, the content of an entry, the messages of a
 * signature.  The first byte chooses.  A note that parses must parse again
 * when it is formatted anew; a file of many must be walked to its end.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "node/ledger/checkpoint.h"
#include "node/ledger/ledger_int.h"
#include "node/ledger/signer.h"

static const char origin[] = "o.example/l";
static uint8_t pk[32], sk[64];

/* What follows the text is signed here, so that the fuzzer gets past the signature. */
static void note(const uint8_t *data, size_t n)
{
	static char text[CHECKPOINT_TEXT_MAX];
	char own[CHECKPOINT_OURS_MAX];
	struct ledger_head h = { .size = 1 }, got;
	if (n > 4000)
		return;
	(void)checkpoint_format(origin, &h, sk, pk, own, sizeof(own));
	/* Our signature line with the signature over these bytes. */
	uint8_t sig[68], id[68];
	size_t idn;
	char base64[100];
	const char *line = strstr(own, "\n\n") + 2, *sigtext = strrchr(own, ' ') + 1;
	(void)sodium_base642bin(id, sizeof(id), sigtext, strlen(sigtext) - 1, NULL, &idn, NULL,
				sodium_base64_VARIANT_ORIGINAL);
	memcpy(sig, id, 4);
	(void)crypto_sign_detached(sig + 4, NULL, data, n, sk);
	(void)sodium_bin2base64(base64, sizeof(base64), sig, sizeof(sig), sodium_base64_VARIANT_ORIGINAL);
	size_t len = 0;
	memcpy(text, data, n);
	len = n;
	text[len++] = '\n';
	memcpy(text + len, line, (size_t)(sigtext - line));
	len += (size_t)(sigtext - line);
	memcpy(text + len, base64, strlen(base64));
	len += strlen(base64);
	text[len++] = '\n';
	if (checkpoint_parse(text, len, origin, pk, &h) < 0)
		return;
	if (checkpoint_format(origin, &h, sk, pk, own, sizeof(own)) < 0 ||
	    checkpoint_parse(own, strlen(own), origin, pk, &got) < 0 || got.size != h.size ||
	    memcmp(got.root.b, h.root.b, LEDGER_HASH) != 0)
		abort();
}

static void many(const uint8_t *data, size_t n)
{
	size_t at = 0, len;
	const char *p;
	struct ledger_head h;
	while (checkpoint_next((const char *)data, n, &at, &p, &len)) {
		if (len == 0 || (const uint8_t *)p < data || (const uint8_t *)p + len > data + n || at > n)
			abort();
		(void)checkpoint_parse(p, len, origin, pk, &h);
	}
}

static void content(const uint8_t *data, size_t n)
{
	struct ledger_content c;
	if (ledger_content_get(data, n, &c) < 0)
		return;
	if (c.subjects != NULL && (c.subjects < data || c.subjects + (size_t)c.nsubjects * 16 > data + n))
		abort();
	if (c.detail != NULL && (c.detail < data || c.detail + c.detail_len > data + n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint8_t seed[32] = { 7 };
	struct sign_reply r;
	struct cursor c;
	if (sodium_init() < 0 || n == 0)
		return 0;
	(void)crypto_sign_seed_keypair(pk, sk, seed);
	cur_init(&c, data + 1, n - 1);
	switch (data[0] % 4) {
	case 0: note(data + 1, n - 1); break;
	case 1: many(data + 1, n - 1); break;
	case 2: content(data + 1, n - 1); break;
	default: (void)sign_reply_get(&c, &r); break;
	}
	return 0;
}
