/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The pages, embedded at build by tools/mkassets.py: each file as it is and,
 * where it gains, compressed with gzip and brotli, so that nothing is
 * compressed while serving.  Files under /assets/ carry a hash of their
 * content in their names and may be kept for ever.
 */
#ifndef FW_HTTP_ASSETS_H
#define FW_HTTP_ASSETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_request;

struct asset {
	const char *path; /* "/assets/main-1A2B3C4D.js" */
	const char *type; /* content type */
	const char *etag; /* hash of the content, without quotes */
	bool immutable;
	const uint8_t *data;
	size_t len;
	const uint8_t *gz, *br; /* NULL where it does not gain */
	size_t gz_len, br_len;
};

/* Ordered by path (strcmp). */
extern const struct asset assets[];
extern const size_t asset_count;

/* The asset that ${path} means in ${table}: itself, the index for an address of the pages, NULL for
 * neither. */
const struct asset *asset_find(const struct asset *table, size_t n, const char *path);

/* Answer ${r} with what its path means; 405 for methods other than GET and HEAD, 404 for what is
 * not there. */
void asset_serve(struct http_request *r, const struct asset *table, size_t n);

/* What an Accept-Encoding header lets us send: bits; no header lets nothing. */
enum { ENCODING_GZIP = 1, ENCODING_BROTLI = 2 };
unsigned http_encodings(const char *accept_encoding);

/* Whether an If-None-Match header names ${etag} (without quotes), weak or not, or is "*". */
bool http_etag_matches(const char *if_none_match, const char *etag);

#endif
