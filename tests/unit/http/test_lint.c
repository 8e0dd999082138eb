/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "../test.h"

#include "base/arena.h"
#include "base/err.h"
#include "http/http_int.h"

enum { MAX = 8 };

/* Lint "Name: value" lines with a version. */
static const char *lint(const char *version, const char *const *lines)
{
	static char text[MAX][128];
	struct http_pair h[MAX];
	size_t lens[MAX], n = 0;
	for (; lines[n] != NULL; n++) {
		assert_true(n < MAX && strlen(lines[n]) < sizeof(text[0]));
		memcpy(text[n], lines[n], strlen(lines[n]) + 1);
		char *colon = strchr(text[n], ':');
		*colon = '\0';
		h[n] = (struct http_pair){text[n], colon + 1};
		lens[n] = strlen(colon + 1);
	}
	struct http_lint_view v = {.method = "GET",
				   .version = version,
				   .url = "/",
				   .headers = h,
				   .value_lens = lens,
				   .n = n};
	return http_lint(&v);
}
#define LINT(version, ...) lint(version, (const char *const[]){__VA_ARGS__, NULL})

static void lint_takes_what_is_plain(void **state)
{
	(void)state;
	assert_null(LINT("HTTP/1.1", "Host:a.example"));
	assert_null(LINT("HTTP/1.1", "host:[::1]:8080", "Accept:*/*", "X-Empty:"));
	assert_null(LINT("HTTP/1.0", "Accept:*/*"));
	assert_null(LINT("HTTP/1.1", "Host:a", "Content-Length:0"));
	assert_null(LINT("HTTP/1.1", "Host:a", "Content-Length:123456789012345678"));
	assert_null(LINT("HTTP/1.1", "Host:a", "Transfer-Encoding:Chunked"));
	assert_null(LINT("HTTP/1.1", "Host:a", "Accept:a", "Accept:b"));
	assert_null(LINT("HTTP/1.1", "Host:a", "X-Name:na\xc3\xafve\tname"));
}

static void lint_refuses_what_two_could_read_differently(void **state)
{
	(void)state;
	assert_non_null(LINT("HTTP/1.1", "Accept:*/*"));
	assert_non_null(LINT("HTTP/1.1", "Host:"));
	assert_non_null(LINT("HTTP/1.1", "Host:a b"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "host:a"));
	assert_non_null(LINT("HTTP/1.1", "Host:a/b"));
	assert_non_null(LINT("HTTP/2.0", "Host:a"));
	assert_non_null(LINT("HTTP/1.1 ", "Host:a"));
	assert_non_null(
		LINT("HTTP/1.1", "Host:a", "Content-Length:4", "Transfer-Encoding:chunked"));
	assert_non_null(
		LINT("HTTP/1.1", "Host:a", "Transfer-Encoding:chunked", "Content-Length:4"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "Content-Length:4", "Content-Length:4"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "Content-Length:4", "content-length:5"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "Content-Length:+4"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "Content-Length:-4"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "Content-Length:4 "));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "Content-Length:0x4"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "Content-Length:4,4"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "Content-Length:"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "Content-Length:1234567890123456789"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "Transfer-Encoding:xchunked"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "Transfer-Encoding:gzip, chunked"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "Transfer-Encoding:chunked "));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "Transfer-Encoding:identity"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "Transfer-Encoding:chunked",
			     "Transfer-Encoding:chunked"));
	assert_non_null(LINT("HTTP/1.0", "Host:a", "Transfer-Encoding:chunked"));
	assert_non_null(LINT("HTTP/1.1", "Host :a"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "Accept :a"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", " Accept:a"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "Acc\xc3\xa9pt:a"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", ":a"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "Accept:a\rb"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "Accept:a\x7f"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "Cookie:a=1", "Cookie:b=1"));
	assert_non_null(LINT("HTTP/1.1", "Host:a", "X-Real-IP:1.2.3.4", "x-real-ip:1.2.3.4"));
}

static void lint_sees_inner_nuls_by_length(void **state)
{
	(void)state;
	struct http_pair h[] = {{"Host", "a"}, {"Accept", "a\0b"}};
	size_t lens[] = {1, 3};
	struct http_lint_view v = {.method = "GET",
				   .version = "HTTP/1.1",
				   .url = "/",
				   .headers = h,
				   .value_lens = lens,
				   .n = 2};
	assert_non_null(http_lint(&v));
	lens[1] = 1;
	assert_null(http_lint(&v));
	v.method = "G ET";
	assert_non_null(http_lint(&v));
	v.method = "";
	assert_non_null(http_lint(&v));
	v.method = "GET";
	v.url = "http://other/";
	assert_non_null(http_lint(&v));
	v.url = "*";
	assert_non_null(http_lint(&v));
}

/* Walk a head as it lies in libmicrohttpd's buffer. ${names} are offsets of names and values, in
 * pairs. */
static const char *walk(const char *head, size_t len, size_t target, size_t target_len,
			size_t version, const size_t *offsets, size_t n)
{
	struct http_pair h[MAX];
	for (size_t i = 0; i < n; i++)
		h[i] = (struct http_pair){head + offsets[2 * i], head + offsets[2 * i + 1]};
	struct http_lint_head v = {.head = head,
				   .len = len,
				   .target = head + target,
				   .target_len = target_len,
				   .version = head + version,
				   .headers = h,
				   .n = n};
	return http_lint_head(&v);
}

static void walk_knows_the_layout(void **state)
{
	(void)state;
	static const char good[] = "GET\0/a\0HTTP/1.1\0\0Host\0 h\0\0A\0\0\0\0";
	size_t at[] = {17, 23, 26, 28};
	assert_null(walk(good, 32, 4, 2, 7, at, 2));
	/* One header less than lies there, or more than lie there. */
	assert_non_null(walk(good, 32, 4, 2, 7, at, 1));
	assert_non_null(walk(good, 28, 4, 2, 7, at, 2));
	/* A target that was longer before a NUL cut it. */
	assert_non_null(walk(good, 32, 4, 1, 7, at, 2));
	assert_non_null(walk(good, 31, 4, 2, 7, at, 2));
	/* No headers. */
	static const char none[] = "GET\0/\0HTTP/1.1\0\0\0\0";
	assert_null(walk(none, 18, 4, 1, 6, at, 0));
	assert_non_null(walk(none, 17, 4, 1, 6, at, 0));
	/* A bare LF leaves one NUL: after the request line, after a header, at the end. */
	static const char lf1[] = "GET\0/\0HTTP/1.1\0Host\0 h\0\0\0\0";
	assert_non_null(walk(lf1, 26, 4, 1, 6, (size_t[]){15, 21}, 1));
	static const char lf2[] = "GET\0/\0HTTP/1.1\0\0Host\0 h\0A\0 b\0\0\0\0";
	assert_non_null(walk(lf2, 32, 4, 1, 6, (size_t[]){16, 22, 24, 27}, 2));
	static const char lf3[] = "GET\0/\0HTTP/1.1\0\0Host\0 h\0\0\0";
	assert_non_null(walk(lf3, 26, 4, 1, 6, (size_t[]){16, 22}, 1));
}

static void targets_are_decoded_once_and_strictly(void **state)
{
	(void)state;
	static const struct {
		const char *raw, *path; /* NULL: refused */
	} rows[] = {
		{"/", "/"},
		{"/a/b", "/a/b"},
		{"/a/b/", "/a/b/"},
		{"/%61%c3%a9", "/a\xc3\xa9"},
		{"/a%20b", "/a b"},
		{"/a+b", "/a+b"},
		{"/%252e%252e/x", "/%2e%2e/x"}, /* decoded once: a name, not a way up */
		{"/..a/b..", "/..a/b.."},
		{"", NULL},
		{"a", NULL},
		{"//", NULL},
		{"//a", NULL},
		{"/a//b", NULL},
		{"/.", NULL},
		{"/..", NULL},
		{"/a/./b", NULL},
		{"/a/../b", NULL},
		{"/a/..", NULL},
		{"/%2e%2e/x", NULL},
		{"/.%2E/x", NULL},
		{"/a%2fb", NULL},
		{"/a%5cb", NULL},
		{"/a\\b", NULL},
		{"/a%00b", NULL},
		{"/a%0ab", NULL},
		{"/a%7f", NULL},
		{"/a%", NULL},
		{"/a%4", NULL},
		{"/a%4g", NULL},
		{"/%c0%ae", NULL}, /* an overlong dot */
		{"/%ff", NULL},
		{"/\xc3\xa9", NULL},
		{"/a b", NULL},
		{"/a#b", NULL},
		{"/a\"b", NULL},
		{"/a<b>", NULL},
		{"/a?b=%zz", NULL},
		{"/a?=b", NULL},
		{"/a?b=1&&c=2", NULL},
		{"/a?b%00=1", NULL},
		{"/a?b=%ff", NULL},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct arena *a = arena_new(65536);
		struct http_target t;
		const char *words = NULL;
		int err = http_target_parse(a, rows[i].raw, &t, &words);
		if (rows[i].path == NULL) {
			if (err != FW_EFORMAT || words == NULL)
				fail_msg("taken: %s", rows[i].raw);
		} else {
			if (err != 0)
				fail_msg("refused: %s", rows[i].raw);
			assert_string_equal(t.path, rows[i].path);
		}
		arena_free(a);
	}
}

static void queries_are_pairs(void **state)
{
	(void)state;
	struct arena *a = arena_new(65536);
	struct http_target t;
	const char *words = NULL;
	assert_int_equal(http_target_parse(a, "/a?x=1&y&z=a+b%26%3d%2F=?&%78=", &t, &words), 0);
	assert_int_equal(t.nquery, 4);
	assert_string_equal(t.query[0].name, "x");
	assert_string_equal(t.query[0].value, "1");
	assert_string_equal(t.query[1].name, "y");
	assert_string_equal(t.query[1].value, "");
	assert_string_equal(t.query[2].value, "a b&=/=?");
	assert_string_equal(t.query[3].name, "x");
	assert_int_equal(http_target_parse(a, "/a?x=%0a%09", &t, &words), 0);
	assert_string_equal(t.query[0].value, "\n\t");
	assert_int_equal(http_target_parse(a, "/a?", &t, &words), 0);
	assert_int_equal(t.nquery, 0);
	char many[3 * HTTP_QUERIES_MAX + 8] = "/?a";
	for (int i = 1; i < HTTP_QUERIES_MAX; i++)
		strcat(many, "&a");
	assert_int_equal(http_target_parse(a, many, &t, &words), 0);
	strcat(many, "&a");
	assert_int_equal(http_target_parse(a, many, &t, &words), FW_ELIMIT);
	arena_free(a);
}

static void one_cookie_of_a_name_is_believed(void **state)
{
	(void)state;
	struct arena *a = arena_new(65536);
	assert_string_equal(http_cookie_find(a, "s=abc", "s"), "abc");
	assert_string_equal(http_cookie_find(a, "a=1; s=abc ; b=2", "s"), "abc");
	assert_string_equal(http_cookie_find(a, "xs=1; s=", "s"), "");
	assert_null(http_cookie_find(a, "xs=1", "s"));
	assert_null(http_cookie_find(a, "s", "s"));
	assert_null(http_cookie_find(a, "", "s"));
	assert_null(http_cookie_find(a, ";;; ;", "s"));
	assert_null(http_cookie_find(a, "S=abc", "s"));
	assert_null(http_cookie_find(a, "s=abc; s=def", "s"));
	assert_string_equal(http_cookie_find(a, "s=a=b", "s"), "a=b");
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lint_takes_what_is_plain),
		cmocka_unit_test(lint_refuses_what_two_could_read_differently),
		cmocka_unit_test(lint_sees_inner_nuls_by_length),
		cmocka_unit_test(walk_knows_the_layout),
		cmocka_unit_test(targets_are_decoded_once_and_strictly),
		cmocka_unit_test(queries_are_pairs),
		cmocka_unit_test(one_cookie_of_a_name_is_believed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
