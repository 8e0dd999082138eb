/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Request targets and cookies.
 *
 * A target is decoded once and strictly: what could mean one thing to one
 * reader and another to the next is refused, not repaired.  No empty segment,
 * no dot segments in any spelling, no coded slash, backslash or control
 * character in a path; no NUL, nothing but UTF-8, nothing decoded twice.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "http/http_int.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Characters that may stand in a target as they are (RFC 3986), the percent sign aside. */
static bool is_plain(unsigned char c)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return true;
	return c != '\0' && strchr("-._~!$&'()*+,;=:@/?", c) != NULL;
}

/* Decode ${n} bytes into ${out} (room for n + 1). 0 with *ret_len, or FW_EFORMAT. */
static int decode(const char *s, size_t n, bool form, char *out, size_t *ret_len)
{
	size_t o = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '%') {
			int high = n - i > 2 ? hex(s[i + 1]) : -1;
			int low = n - i > 2 ? hex(s[i + 2]) : -1;
			if (high < 0 || low < 0)
				return FW_EFORMAT;
			c = (unsigned char)(high << 4 | low);
			/* A coded slash would change the segments; a value may be any text. */
			bool odd = c < 0x20 || c == 0x7f || c == '/' || c == '\\';
			if (c == '\0' || (!form && odd))
				return FW_EFORMAT;
			i += 2;
		} else if (!is_plain(c)) {
			return FW_EFORMAT;
		} else if (form && c == '+') {
			c = ' ';
		}
		out[o++] = (char)c;
	}
	out[o] = '\0';
	*ret_len = o;
	return utf8_valid(out, o) ? 0 : FW_EFORMAT;
}

/* Segments: none empty but the last, none "." or "..". */
static bool good_segments(const char *path)
{
	if (path[0] != '/')
		return false;
	for (const char *p = path + 1; *p != '\0';) {
		size_t n = strcspn(p, "/");
		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
		if (*p == '/')
			p++;
	}
	return true;
}

static int parse_path(struct arena *a, const char *raw, size_t n, struct http_target *ret)
{
	char *path = arena_alloc(a, n + 1);
	size_t len;
	if (path == NULL)
		return -ENOMEM;
	if (decode(raw, n, false, path, &len) != 0 || !good_segments(path))
		return FW_EFORMAT;
	ret->path = path;
	return 0;
}

static int parse_pair(struct arena *a, const char *s, size_t n, struct http_pair *ret)
{
	const char *eq = memchr(s, '=', n);
	size_t name_len = eq != NULL ? (size_t)(eq - s) : n;
	char *text = arena_alloc(a, n + 2);
	size_t len;
	if (text == NULL)
		return -ENOMEM;
	if (name_len == 0 || decode(s, name_len, true, text, &len) != 0)
		return FW_EFORMAT;
	ret->name = text;
	char *value = text + name_len + 1;
	if (eq == NULL) {
		*value = '\0';
	} else if (decode(eq + 1, n - name_len - 1, true, value, &len) != 0) {
		return FW_EFORMAT;
	}
	ret->value = value;
	return 0;
}

static int parse_query(struct arena *a, const char *s, struct http_target *ret)
{
	if (*s == '\0')
		return 0;
	size_t n = 1;
	for (const char *p = s; *p != '\0'; p++)
		n += *p == '&';
	if (n > HTTP_QUERIES_MAX)
		return FW_ELIMIT;
	struct http_pair *pairs = arena_array(a, n, sizeof(*pairs));
	if (pairs == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		size_t len = strcspn(s, "&");
		int err = parse_pair(a, s, len, &pairs[i]);
		if (err != 0)
			return err;
		s += len + 1;
	}
	ret->query = pairs;
	ret->nquery = n;
	return 0;
}

int http_target_parse(struct arena *a, const char *raw, struct http_target *ret,
		      const char **ret_words)
{
	size_t n = strcspn(raw, "?");
	*ret = (struct http_target){0};
	int err = parse_path(a, raw, n, ret);
	if (err == FW_EFORMAT)
		*ret_words = "the path is malformed";
	if (err == 0 && raw[n] == '?') {
		err = parse_query(a, raw + n + 1, ret);
		if (err == FW_EFORMAT)
			*ret_words = "the query is malformed";
		else if (err == FW_ELIMIT)
			*ret_words = "the query has too many parameters";
	}
	return err;
}

const char *http_cookie_find(struct arena *a, const char *header, const char *name)
{
	size_t want = strlen(name);
	const char *found = NULL;
	size_t found_len = 0;
	for (const char *p = header; *p != '\0';) {
		p += strspn(p, " \t;");
		size_t n = strcspn(p, ";");
		if (n > want && strncmp(p, name, want) == 0 && p[want] == '=') {
			if (found != NULL)
				return NULL; /* somebody planted a second one: neither is believed
					      */
			found = p + want + 1;
			found_len = n - want - 1;
		}
		p += n;
	}
	if (found == NULL)
		return NULL;
	while (found_len > 0 && (found[found_len - 1] == ' ' || found[found_len - 1] == '\t'))
		found_len--;
	return arena_strndup(a, found, found_len);
}
