/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What two readers of one request could read differently is refused, so that
 * nothing can be smuggled past a proxy (RFC 9112 sections 3.2, 5, 6.1, 6.3,
 * 11.2).
 *
 * http_lint() looks at what libmicrohttpd shows: names, values, versions.
 *
 * http_lint_head() looks at what it hides.  libmicrohttpd 0.9.75 parses a head
 * in place: it overwrites the blank after the method, the blank before the
 * version, every colon that ends a name and every line end with NULs, and
 * hands out pointers into that buffer.  So the head can be walked as it came:
 *
 *     GET\0/path?query\0HTTP/1.1\0\0Host\0 example\0\0Accept\0 a/b\0\0\0\0
 *
 * A line end of CR LF leaves two NULs and a bare LF one; a NUL from outside
 * ends a value before its line does; a folded line is copied elsewhere and
 * lies outside the buffer; a header that only the walk sees came with forged
 * NULs.  Whatever is not exactly this layout is refused, so that another
 * version with another layout fails closed and loudly.
 */
#include <string.h>
#include <strings.h>

#include "http/http_int.h"

static bool is_token_char(unsigned char c)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool is_token(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if (!is_token_char((unsigned char)*s))
			return false;
	return true;
}

/* Visible characters, blanks, tabs, and bytes above ASCII (RFC 9110 section 5.5). */
static bool is_value(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool is_digits(const char *s)
{
	size_t n = strspn(s, "0123456789");
	return n > 0 && n <= 18 && s[n] == '\0';
}

static bool is_host(const char *s)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._~:[]%";
	return s[0] != '\0' && s[strspn(s, allowed)] == '\0';
}

/* Headers that may come once only, because who reads the first and who reads the last would differ.
 */
static const char *const single[] = {
	"Host",
	"Content-Length",
	"Transfer-Encoding",
	"Content-Type",
	"Content-Encoding",
	"Authorization",
	"Cookie",
	"Origin",
	"Sec-Fetch-Site",
	"X-Fairway-CSRF",
	"X-Fairway-Purpose",
	"X-Real-IP",
	"Expect",
	"If-None-Match",
	"traceparent",
};
enum { NSINGLE = sizeof(single) / sizeof(*single) };

struct framing {
	const char *host, *length, *encoding;
};

static const char *lint_header(const struct http_pair *h, size_t len, unsigned *seen,
			       struct framing *f)
{
	if (!is_token(h->name))
		return "the name of a header has characters that it may not have";
	if (strlen(h->value) != len || !is_value(h->value, len))
		return "the value of a header has control characters";
	for (unsigned i = 0; i < NSINGLE; i++) {
		if (strcasecmp(h->name, single[i]) != 0)
			continue;
		if ((*seen & (1U << i)) != 0)
			return "a header that may come once came twice";
		*seen |= 1U << i;
		if (i == 0)
			f->host = h->value;
		else if (i == 1)
			f->length = h->value;
		else if (i == 2)
			f->encoding = h->value;
		return NULL;
	}
	return NULL;
}

static const char *lint_framing(const struct framing *f, bool http_1_1)
{
	if (http_1_1 && f->host == NULL)
		return "HTTP/1.1 wants a Host header";
	if (f->host != NULL && !is_host(f->host))
		return "the Host header is malformed";
	if (f->length != NULL && !is_digits(f->length))
		return "Content-Length is not a number";
	if (f->encoding == NULL)
		return NULL;
	if (f->length != NULL)
		return "Transfer-Encoding and Content-Length came together";
	if (!http_1_1)
		return "Transfer-Encoding came with HTTP/1.0";
	if (strcasecmp(f->encoding, "chunked") != 0)
		return "a Transfer-Encoding other than chunked";
	return NULL;
}

const char *http_lint(const struct http_lint_view *v)
{
	if (!is_token(v->method))
		return "the method has characters that it may not have";
	bool http_1_1 = strcmp(v->version, "HTTP/1.1") == 0;
	if (!http_1_1 && strcmp(v->version, "HTTP/1.0") != 0)
		return "neither HTTP/1.1 nor HTTP/1.0";
	if (v->url[0] != '/')
		return "the address must begin with a slash";
	if (v->n > HTTP_HEADERS_MAX)
		return "too many headers";
	unsigned seen = 0;
	struct framing f = {0};
	for (size_t i = 0; i < v->n; i++) {
		const char *words = lint_header(&v->headers[i], v->value_lens[i], &seen, &f);
		if (words != NULL)
			return words;
	}
	return lint_framing(&f, http_1_1);
}

/* The request line: METHOD NUL TARGET NUL VERSION NUL NUL. Gives where the headers begin, or NULL.
 */
static const char *walk_line(const struct http_lint_head *h)
{
	const char *end = h->head + h->len;
	if (h->len < 4 || h->target <= h->head || h->target >= end || h->version >= end ||
	    h->target_len >= (size_t)(end - h->target))
		return NULL;
	if (h->target[-1] != '\0' || strlen(h->head) + 1 != (size_t)(h->target - h->head))
		return NULL;
	if (h->target + h->target_len + 1 != h->version || h->version[-1] != '\0')
		return NULL;
	if (end - h->version < 12 || h->version[8] != '\0' || h->version[9] != '\0')
		return NULL;
	return h->version + 10;
}

/* One header at ${p}, which must be the one libmicrohttpd shows. Gives where the next begins, or
 * NULL. */
static const char *walk_header(const char *p, const char *end, const struct http_pair *h)
{
	if (h->name != p)
		return NULL;
	p = memchr(p, '\0', (size_t)(end - p));
	if (p == NULL)
		return NULL;
	p++;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p >= end || h->value != p)
		return NULL;
	p = memchr(p, '\0', (size_t)(end - p));
	return p != NULL && end - p >= 4 && p[1] == '\0' ? p + 2 : NULL;
}

const char *http_lint_head(const struct http_lint_head *h)
{
	const char *end = h->head + h->len;
	const char *p = walk_line(h);
	for (size_t i = 0; p != NULL && i < h->n; i++)
		p = walk_header(p, end, &h->headers[i]);
	if (p == NULL || p + 2 != end || p[0] != '\0' || p[1] != '\0')
		return "a line does not end with CR LF, a header is folded, or a NUL is in it";
	return NULL;
}
