/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "http/assets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/http.h"

/* A quality value: 0 only for "0", "0.", "0.0", ...; what is malformed counts as a refusal. */
static bool quality_is_zero(const char *p, size_t n)
{
	if (n == 0)
		return true;
	if (p[0] == '1')
		return false;
	if (p[0] != '0')
		return true;
	for (size_t i = 1; i < n; i++)
		if (p[i] >= '1' && p[i] <= '9')
			return false;
	return true;
}

/* One element, "gzip" or "br;q=0.5". */
static void take_coding(const char *p, size_t n, unsigned *yes, unsigned *no)
{
	size_t name = 0;
	while (name < n && strchr(" \t;", p[name]) == NULL)
		name++;
	unsigned bits = name == 4 && strncasecmp(p, "gzip", 4) == 0 ? ENCODING_GZIP
			: name == 2 && strncasecmp(p, "br", 2) == 0 ? ENCODING_BROTLI
			: name == 1 && p[0] == '*' ? ENCODING_GZIP | ENCODING_BROTLI
						   : 0;
	bool star = name == 1 && p[0] == '*';
	const char *q = memchr(p, '=', n);
	bool zero = false;
	if (q != NULL) {
		q++;
		size_t left = n - (size_t)(q - p);
		while (left > 0 && (*q == ' ' || *q == '\t')) {
			q++;
			left--;
		}
		while (left > 0 && (q[left - 1] == ' ' || q[left - 1] == '\t'))
			left--;
		zero = quality_is_zero(q, left);
	}
	if (zero)
		*no |= star ? 0 : bits; /* a star speaks only for what is not named */
	else
		*yes |= bits;
}

unsigned http_encodings(const char *accept_encoding)
{
	unsigned yes = 0, no = 0;
	for (const char *p = accept_encoding; p != NULL && *p != '\0';) {
		p += strspn(p, " \t,");
		size_t n = strcspn(p, ",");
		if (n > 0)
			take_coding(p, n, &yes, &no);
		p += n;
	}
	return yes & ~no;
}

bool http_etag_matches(const char *if_none_match, const char *etag)
{
	size_t want = strlen(etag);
	for (const char *p = if_none_match; p != NULL && *p != '\0';) {
		p += strspn(p, " \t,");
		size_t n = strcspn(p, ",");
		while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
			n--;
		const char *tag = n > 2 && p[0] == 'W' && p[1] == '/' ? p + 2 : p;
		size_t len = n - (size_t)(tag - p);
		if (n == 1 && *p == '*')
			return true;
		if (len == want + 2 && tag[0] == '"' && tag[len - 1] == '"' &&
		    memcmp(tag + 1, etag, want) == 0)
			return true;
		p += strcspn(p, ",");
	}
	return false;
}

static int compare(const void *key, const void *row)
{
	return strcmp(key, ((const struct asset *)row)->path);
}

const struct asset *asset_find(const struct asset *table, size_t n, const char *path)
{
	const struct asset *a = bsearch(path, table, n, sizeof(*table), compare);
	if (a != NULL)
		return a;
	/* Addresses of the pages have no extension; a missing file must not turn into a page. */
	const char *last = strrchr(path, '/');
	if (last == NULL || strchr(last, '.') != NULL || strncmp(path, "/assets/", 8) == 0)
		return NULL;
	return bsearch("/index.html", table, n, sizeof(*table), compare);
}

struct variant {
	const uint8_t *data;
	size_t len;
	const char *encoding; /* NULL for the file as it is */
};

static struct variant choose(const struct asset *a, const char *accept_encoding)
{
	unsigned may = http_encodings(accept_encoding);
	if (a->br != NULL && (may & ENCODING_BROTLI) != 0)
		return (struct variant){a->br, a->br_len, "br"};
	if (a->gz != NULL && (may & ENCODING_GZIP) != 0)
		return (struct variant){a->gz, a->gz_len, "gzip"};
	return (struct variant){a->data, a->len, NULL};
}

static void serve(struct http_request *r, const struct asset *a)
{
	struct variant v = choose(a, http_header(r, "Accept-Encoding"));
	char tag[80], quoted[84];
	(void)snprintf(tag, sizeof(tag), "%s%s%s", a->etag, v.encoding != NULL ? "-" : "",
		       v.encoding != NULL ? v.encoding : "");
	(void)snprintf(quoted, sizeof(quoted), "\"%s\"", tag);
	struct http_pair h[6] = {
		{"Cache-Control",
		 a->immutable ? "public, max-age=31536000, immutable" : "no-cache"},
		{"ETag", quoted},
		{"Vary", "Accept-Encoding"},
		{"Content-Type", a->type},
	};
	size_t n = 4;
	if (v.encoding != NULL)
		h[n++] = (struct http_pair){"Content-Encoding", v.encoding};
	struct http_response resp = {
		.status = 200, .headers = h, .nheaders = n, .body = v.data, .len = v.len};
	if (http_etag_matches(http_header(r, "If-None-Match"), tag)) {
		resp = (struct http_response){
			.status = 304, .headers = h, .nheaders = 3, .body = ""};
		http_reply_static(r, &resp);
		return;
	}
	http_reply_static(r, &resp);
}

void asset_serve(struct http_request *r, const struct asset *table, size_t n)
{
	static const struct http_pair allow = {"Allow", "GET, HEAD"};
	const struct asset *a = asset_find(table, n, http_path(r));
	const char *method = http_method(r);
	if (a == NULL)
		http_reply_problem(r, 404, "FW_ENOTFOUND", "there is nothing at this address", NULL,
				   NULL, 0);
	else if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		http_reply_problem(r, 405, "FW_EINVALID", "pages are only read", NULL, &allow, 1);
	else
		serve(r, a);
}
