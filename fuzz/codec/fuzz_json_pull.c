/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Parses: src/codec/json_pull.c */
/* Any text is taken or refused as jansson takes or refuses it, where both have the same rules. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "codec/json.h"
#include "codec/json_pull.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	/* jansson takes a NUL for the end of the text; it is refused here, and never valid. */
	if (n == 0 || n > 4000 || memchr(data, 0, n) != NULL || !utf8_valid(data, n))
		return 0;
	char *text = malloc(n + 1);
	if (text == NULL)
		return 0;
	if (n > 0)
		memcpy(text, data, n);
	struct jp j;
	jp_init(&j, text, n);
	jp_skip(&j);
	int r = jp_end(&j);
	json_t *tree = NULL;
	if (json_parse(data, n, &tree, NULL) == 0) {
		if (r != 0)
			abort();
		json_decref(tree);
	}
	free(text);
	return 0;
}
