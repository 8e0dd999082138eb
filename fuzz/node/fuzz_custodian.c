/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Parses: src/node/keys/custodian.c src/node/keys/base64.c
 *
 * A custodian's file before its passphrase, and the list of custodians: what
 * the list's reader takes must come out the same when written and read again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "node/keys/keys_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct custodian_file f;
	struct custodian_public who[CUSTODIANS_MAX], again[CUSTODIANS_MAX];
	struct buf b;
	size_t found, found_again;
	if (keys_start() < 0)
		abort();
	if (custodian_parse(data, n, &f, NULL) == 0 &&
	    (f.bound + sizeof(f.sealed) > sizeof(f.raw) || memchr(f.who.account, 0, sizeof(f.who.account)) == NULL))
		abort();
	if (custodians_parse(data, n, "strategic", who, CUSTODIANS_MAX, &found, NULL) < 0)
		return 0;
	buf_init(&b, CUSTODIANS_FILE_MAX);
	for (size_t i = 0; i < found; i++)
		custodians_put(&b, "strategic", &who[i]);
	if (found > 0 && (custodians_parse(b.data, b.len, "strategic", again, CUSTODIANS_MAX, &found_again, NULL) < 0 ||
			  found_again != found || strcmp(who[0].account, again[0].account) != 0 ||
			  memcmp(who[found - 1].pk, again[found - 1].pk, KEY_BYTES) != 0))
		abort();
	buf_release(&b);
	return 0;
}
