/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Parses: src/codec/json_in.c */
/* Any bytes as JSON; whatever parses must be written and parsed again. And any bytes as a string to be quoted. */
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	json_t *j = NULL, *back = NULL;
	if (json_parse(data, n, &j, NULL) == 0) {
		char *text = json_dumps(j, JSON_ENCODE_ANY);
		if (text != NULL && (json_parse(text, strlen(text), &back, NULL) != 0 || !json_equal(j, back)))
			abort();
		json_decref(back);
		free(text);
		json_decref(j);
	}
	struct buf b;
	buf_init(&b, 8 * n + 16);
	jw_quote(&b, (const char *)data, n);
	if (buf_failed(&b) || b.len < 2)
		abort();
	buf_release(&b);
	return 0;
}
