/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/err.h"
#include "codec/json.h"
#include "http/http_int.h"

/*
 * The pages run no script and load no style but their own, send nothing to
 * anywhere else, and stand in nobody's frame; "Trusted Types" closes the doors
 * through which text becomes script.
 */
const struct http_pair http_common_headers[] = {
	{"Content-Security-Policy",
	 "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
	 "img-src 'self' data:; font-src 'self'; manifest-src 'self'; base-uri 'none'; "
	 "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"},
	{NULL, NULL},
};

static const struct {
	int status;
	const char *words;
} phrases[] = {
	{400, "Bad request"},
	{401, "Not logged in"},
	{403, "Not permitted"},
	{404, "Not found"},
	{405, "Method not allowed"},
	{406, "Not acceptable"},
	{408, "Too slow"},
	{409, "Conflict"},
	{413, "Too large"},
	{414, "Address too long"},
	{415, "Content type not supported"},
	{417, "Expectation not met"},
	{422, "Not acceptable"},
	{428, "Precondition required"},
	{429, "Too many requests"},
	{431, "Headers too large"},
	{500, "Error of the node"},
	{501, "Not implemented"},
	{503, "Not available now"},
	{504, "No answer in time"},
};

const char *http_status_words(int status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].words;
	return "Error";
}

static bool has_header(const struct http_response *resp, const char *name)
{
	for (size_t i = 0; i < resp->nheaders; i++)
		if (strcasecmp(resp->headers[i].name, name) == 0)
			return true;
	return false;
}

static bool add_headers(const struct http_request *r, struct MHD_Response *m,
			const struct http_response *resp)
{
	bool good = true;
	for (const struct http_pair *h = http_common_headers; h->name != NULL; h++)
		good = good && MHD_add_response_header(m, h->name, h->value) == MHD_YES;
	if (!has_header(resp, "Cache-Control"))
		good = good && MHD_add_response_header(m, "Cache-Control", "no-store") == MHD_YES;
	for (size_t i = 0; i < resp->nheaders; i++)
		good = good && MHD_add_response_header(m, resp->headers[i].name,
						       resp->headers[i].value) == MHD_YES;
	const struct http_pair *more = &r->server->header;
	if (more->name != NULL)
		good = good && MHD_add_response_header(m, more->name, more->value) == MHD_YES;
	if (r->server->quiet)
		good = good && MHD_add_response_header(m, "Connection", "close") == MHD_YES;
	return good;
}

/* Keep the answer until the connection's own callback can take it; without one, cut the connection.
 */
static void answer(struct http_request *r, struct MHD_Response *m, const struct http_response *resp)
{
	assert(r->response == NULL && r->stage != STAGE_REPLY && r->stage != STAGE_REFUSED);
	if (m == NULL || !add_headers(r, m, resp)) {
		if (m != NULL)
			MHD_destroy_response(m);
		http_abort(r);
		return;
	}
	r->response = m;
	r->status = resp->status;
	r->reply_len = r->streaming ? 0 : resp->len;
	http_int_wake(r);
}

void http_reply(struct http_request *r, const struct http_response *resp)
{
	/* libmicrohttpd does not write to what it is to copy. */
	answer(r,
	       MHD_create_response_from_buffer(resp->len, (void *)(uintptr_t)resp->body,
					       MHD_RESPMEM_MUST_COPY),
	       resp);
}

void http_reply_static(struct http_request *r, const struct http_response *resp)
{
	answer(r,
	       MHD_create_response_from_buffer(resp->len, (void *)(uintptr_t)resp->body,
					       MHD_RESPMEM_PERSISTENT),
	       resp);
}

void http_reply_problem(struct http_request *r, int status, const char *code, const char *detail,
			const char *place, const struct http_pair *extra, size_t nextra)
{
	enum { EXTRA_MAX = 6 };
	struct http_pair headers[EXTRA_MAX + 1] = {{"Content-Type", "application/problem+json"}};
	assert(nextra <= EXTRA_MAX);
	if (nextra > 0)
		memcpy(headers + 1, extra, nextra * sizeof(*extra));
	struct buf b;
	struct jw j;
	buf_init(&b, 16384);
	jw_init(&j, &b);
	jw_object(&j);
	jw_put_string(&j, "type", "about:blank");
	jw_put_string(&j, "title", http_status_words(status));
	jw_put_i64(&j, "status", status);
	if (detail != NULL)
		jw_put_string(&j, "detail", detail);
	if (place != NULL && place[0] != '\0')
		jw_put_string(&j, "place", place);
	if (code != NULL)
		jw_put_string(&j, "code", code);
	jw_end(&j);
	struct http_response resp = {.status = status,
				     .headers = headers,
				     .nheaders = nextra + 1,
				     .body = b.data,
				     .len = b.len};
	if (buf_failed(&b))
		http_abort(r);
	else
		http_reply(r, &resp);
	buf_release(&b);
}

/*
 * libmicrohttpd asks for the next bytes of a streamed answer.  When there are
 * none, the source is told, and if it has nothing at hand the connection
 * sleeps until http_stream() wakes it: a slow client holds one part in
 * memory, never more.
 */
static ssize_t next_bytes(void *arg, uint64_t pos, char *out, size_t max)
{
	(void)pos;
	struct http_request *r = arg;
	bool bad = r->aborted || buf_failed(&r->out);
	if (!bad && r->out_taken == r->out.len && !r->last) {
		buf_clear(&r->out);
		r->out_taken = 0;
		r->server->cb.on_drain(r->server->arg, r);
	}
	if (r->aborted || buf_failed(&r->out))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	size_t n = r->out.len - r->out_taken;
	if (n == 0 && r->last)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == 0) {
		http_int_sleep(r);
		return 0;
	}
	n = n < max ? n : max;
	memcpy(out, r->out.data + r->out_taken, n);
	r->out_taken += n;
	r->moved += n;
	return (ssize_t)n;
}

void http_reply_stream(struct http_request *r, const struct http_response *resp)
{
	r->streaming = true;
	if (resp->len > 0)
		buf_put(&r->out, resp->body, resp->len);
	answer(r,
	       MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 32 * 1024, next_bytes, r, NULL),
	       resp);
}

void http_stream(struct http_request *r, const void *bytes, size_t n, bool last)
{
	assert(r->streaming && !r->last);
	buf_put(&r->out, bytes, n);
	r->last = last;
	http_int_wake(r);
}

void http_abort(struct http_request *r)
{
	r->aborted = true;
	http_int_wake(r);
}
