/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Parses: src/http/target.c src/http/assets.c
 *
 * The texts within a request: its target, a Cookie header, Accept-Encoding,
 * If-None-Match.  The first byte chooses.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "http/assets.h"
#include "http/http_int.h"

/* What is accepted is a path of plain segments and pairs of UTF-8 with names. */
static void target(struct arena *a, const char *text)
{
	struct http_target t;
	const char *words = NULL;
	if (http_target_parse(a, text, &t, &words) != 0)
		return;
	if (t.path[0] != '/' || strstr(t.path, "//") != NULL || strstr(t.path, "/../") != NULL ||
	    strstr(t.path, "/./") != NULL || !utf8_valid(t.path, strlen(t.path)) ||
	    strlen(t.path) > strlen(text))
		abort();
	if (t.nquery > HTTP_QUERIES_MAX)
		abort();
	for (size_t i = 0; i < t.nquery; i++)
		if (t.query[i].name[0] == '\0' ||
		    !utf8_valid(t.query[i].value, strlen(t.query[i].value)))
			abort();
	(void)asset_find(assets, asset_count, t.path);
}

static void cookie(struct arena *a, const char *text)
{
	const char *v = http_cookie_find(a, text, "fairway_session");
	if (v != NULL && (strchr(v, ';') != NULL || strstr(text, v) == NULL))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(1 << 20);
	char *text = a != NULL && n > 0 && n < 65536
			     ? arena_strndup(a, (const char *)data + 1, n - 1)
			     : NULL;
	if (text != NULL && data[0] % 4 == 0)
		target(a, text);
	else if (text != NULL && data[0] % 4 == 1)
		cookie(a, text);
	else if (text != NULL && data[0] % 4 == 2 &&
		 http_encodings(text) > (ENCODING_GZIP | ENCODING_BROTLI))
		abort();
	else if (text != NULL && http_etag_matches(text, "0123abcd") && strchr(text, '*') == NULL &&
		 strstr(text, "\"0123abcd\"") == NULL)
		abort();
	arena_free(a);
	return 0;
}
