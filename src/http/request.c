/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "http/http_int.h"

const char *http_method(const struct http_request *r)
{
	return r->method;
}

const char *http_path(const struct http_request *r)
{
	return r->decoded.path;
}

const char *http_header(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->nheaders; i++)
		if (strcasecmp(r->headers[i].name, name) == 0)
			return r->headers[i].value;
	return NULL;
}

const char *http_cookie(const struct http_request *r, const char *name)
{
	const char *header = http_header(r, "Cookie");
	return header != NULL ? http_cookie_find(r->mem, header, name) : NULL;
}

size_t http_query(const struct http_request *r, const struct http_pair **ret)
{
	*ret = r->decoded.query;
	return r->decoded.nquery;
}

bool http_has_body(const struct http_request *r, uint64_t *ret_len)
{
	*ret_len = r->announced;
	return r->has_body;
}

const uint8_t *http_body_bytes(const struct http_request *r, size_t *ret_len)
{
	*ret_len = r->body.len;
	return r->body.data;
}

int http_status(const struct http_request *r)
{
	return r->status;
}

struct arena *http_arena(const struct http_request *r)
{
	return r->mem;
}

void *http_user(const struct http_request *r)
{
	return r->user;
}

void http_set_user(struct http_request *r, void *p)
{
	r->user = p;
}

void http_resume_body(struct http_request *r)
{
	http_int_wake(r);
}
