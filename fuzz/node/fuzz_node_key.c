/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Parses: src/node/keys/node_keys.c */
/* node.key: whatever is taken must hold a signing pair that works. */
#include <sodium.h>
#include <stdlib.h>

#include "node/keys/keys_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct node_keys k;
	uint8_t sig[64];
	if (keys_start() < 0)
		abort();
	if (node_keys_parse(data, n, &k, NULL) == 0) {
		node_keys_sign(&k, "x", 1, sig);
		if (crypto_sign_verify_detached(sig, (const uint8_t *)"x", 1, k.pk) != 0)
			abort();
	}
	return 0;
}
