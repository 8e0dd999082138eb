/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Parses: src/node/keys/stream.c */
/* The head of a sealed stream: every part it names must lie within the bytes given. */
#include <stdlib.h>
#include <string.h>

#include "node/keys/keys_int.h"

static void within(const uint8_t *p, size_t len, const uint8_t *data, size_t n)
{
	if (p < data || len > n || p > data + n - len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct seal_head h;
	if (seal_head_parse(data, n, &h, NULL) < 0)
		return 0;
	within(h.pks, (size_t)h.ncustodians * KEY_BYTES, data, n);
	within(h.wrapped, seal_wraps(h.quorum, h.ncustodians) * SEAL_WRAPPED, data, n);
	within(h.stream_header, SEAL_STREAM_HEADER, data, n);
	if (h.ncustodians < h.quorum || strlen(h.label) > SEAL_LABEL_MAX)
		abort();
	return 0;
}
