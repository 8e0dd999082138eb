/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "base/err.h"
#include "codec/json.h"
#include "codec/json_pull.h"

/* Pull everything and write it again with the writer: one form for each value. */
static void copy(struct jp *j, struct jw *w)
{
	const char *s;
	size_t n;
	switch (jp_peek(j)) {
	case JP_OBJECT:
		jp_object(j);
		jw_object(w);
		while (jp_member(j, &s, &n)) {
			char name[300];
			assert_true(n < sizeof(name));
			memcpy(name, s, n);
			name[n] = '\0';
			jw_name(w, name);
			copy(j, w);
		}
		if (jp_error(j) == 0)
			jw_end(w);
		break;
	case JP_ARRAY:
		jp_array(j);
		jw_array(w);
		while (jp_element(j))
			copy(j, w);
		if (jp_error(j) == 0)
			jw_end(w);
		break;
	case JP_STRING:
		jp_string(j, &s, &n);
		jw_stringn(w, s, n);
		break;
	case JP_NUMBER:
		jp_number(j, &s, &n);
		jw_raw(w, s, n);
		break;
	case JP_TRUE:
	case JP_FALSE:
		jw_bool(w, jp_bool(j));
		break;
	case JP_NULL:
		if (!jp_null(j))
			jp_fail(j, FW_EFORMAT, "null");
		jw_null(w);
		break;
	case JP_END:
		jp_fail(j, FW_EFORMAT, "a value");
		jw_null(w);
		break;
	}
}

static int pull(const char *text, size_t n, struct buf *out)
{
	char *own = malloc(n + 1);
	memcpy(own, text, n);
	struct jp j;
	struct jw w;
	jp_init(&j, own, n);
	jw_init(&w, out);
	/* The writer insists on whole nesting; only whole texts are compared. */
	struct jp probe = j;
	char *second = malloc(n + 1);
	memcpy(second, text, n);
	jp_init(&probe, second, n);
	jp_skip(&probe);
	int r = jp_end(&probe);
	free(second);
	if (r == 0) {
		copy(&j, &w);
		assert_int_equal(jp_end(&j), 0);
	}
	free(own);
	return r;
}

static void test_good_texts(void **state)
{
	(void)state;
	static const char *const good[][2] = {
		{ "{}", "{}" },
		{ " [ ] ", "[]" },
		{ "{\"a\":[1,-2.5e3,true,false,null,\"x\"]}", NULL },
		{ "\"\\u0e01\\ud83d\\ude00\\n\\t\\\"\\\\\\/\\b\\f\\r\"", "\"\u0e01\U0001f600\\n\\t\\\"\\\\/\\b\\f\\r\"" },
		{ "\"a long string without anything to escape in it at all\"", NULL },
		{ "{\"a\":{\"b\":{\"c\":[[[]]]}},\"d\":0}", NULL },
		{ "[0,-0,10,0.5,1E+2]", NULL },
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct buf out;
		buf_init(&out, 10000);
		assert_int_equal(pull(good[i][0], strlen(good[i][0]), &out), 0);
		buf_u8(&out, 0);
		assert_string_equal((char *)out.data, good[i][1] != NULL ? good[i][1] : good[i][0]);
		buf_release(&out);
	}
}

static void test_bad_texts(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "{", "[", "[1", "[1,", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "[1 2]", "tru", "nul", "01",
		"-", "1.", ".5", "1e", "+1", "\"", "\"\\x\"", "\"\\u12\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\ud800\\u0041\"",
		"\"\\udc00\"", "\"\n\"", "\"\\", "1 1", "{}}", "[]]", "'a'", "NaN", "]", "}", "[}", "{]",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct buf out;
		buf_init(&out, 10000);
		if (pull(bad[i], strlen(bad[i]), &out) == 0)
			fail_msg("taken: %s", bad[i]);
		buf_release(&out);
	}
	char deep[100];
	memset(deep, '[', sizeof(deep));
	struct buf out;
	buf_init(&out, 10000);
	assert_int_equal(pull(deep, sizeof(deep), &out), FW_ELIMIT);
	buf_release(&out);
}

static void test_whole_numbers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int error;
		int64_t v;
	} cases[] = {
		{ "0", 0, 0 }, { "-1", 0, -1 }, { "9223372036854775807", 0, INT64_MAX },
		{ "-9223372036854775808", 0, INT64_MIN }, { "9223372036854775808", FW_ELIMIT, 0 },
		{ "-9223372036854775809", FW_ELIMIT, 0 }, { "1.0", FW_EFORMAT, 0 }, { "1e3", FW_EFORMAT, 0 },
		{ "x", FW_EFORMAT, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[40];
		struct jp j;
		jp_init(&j, text, (size_t)snprintf(text, sizeof(text), "%s", cases[i].text));
		assert_true(jp_i64(&j) == cases[i].v);
		assert_int_equal(jp_error(&j), cases[i].error);
	}
}

static void test_errors_stick_and_say_where(void **state)
{
	(void)state;
	char text[] = "{\"a\": 1, \"b\": oops}";
	struct jp j;
	const char *name;
	size_t n, members = 0;
	jp_init(&j, text, strlen(text));
	jp_object(&j);
	while (jp_member(&j, &name, &n)) {
		members++;
		jp_skip(&j);
	}
	assert_int_equal(members, 2);
	assert_int_equal(jp_error(&j), FW_EFORMAT);
	assert_int_equal(jp_at(&j), 14);
	assert_int_equal(jp_i64(&j), 0);
	assert_false(jp_element(&j));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_texts),
		cmocka_unit_test(test_bad_texts),
		cmocka_unit_test(test_whole_numbers),
		cmocka_unit_test(test_errors_stick_and_say_where),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
