/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "base/utf8.h"

static void test_every_character_goes_there_and_back(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < 0x110100; c++) {
		uint8_t b[4];
		uint32_t back = 0;
		size_t n = utf8_encode(c, b);
		bool scalar = c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff);
		assert_int_equal(n != 0, scalar);
		if (!scalar)
			continue;
		assert_int_equal(utf8_decode(b, n, &back), n);
		assert_int_equal(back, c);
		assert_true(utf8_valid(b, n));
		for (size_t cut = 1; cut < n; cut++)
			assert_int_equal(utf8_decode(b, cut, &back), 0);
	}
}

static void test_what_rfc_3629_forbids_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xff", "\xfe", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc3\x28", "\xe2\x28\xa1",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char text[32];
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
		/* At every offset against the eight-byte steps. */
		for (int pad = 0; pad < 17; pad++) {
			int n = snprintf(text, sizeof(text), "%.*s%s", pad, "abcdefghijklmnopq", bad[i]);
			assert_false(utf8_valid(text, (size_t)n));
		}
	}
	assert_true(utf8_valid("", 0));
	assert_true(utf8_valid("a\0b", 3));
}

static void test_cuts_fall_between_characters(void **state)
{
	(void)state;
	const char s[] = "a\u00e9\u0e01\U0001f600z";
	for (size_t n = 0; n <= strlen(s); n++) {
		size_t m = utf8_cut(s, n);
		assert_true(m <= n && n - m <= 3);
		assert_true(utf8_valid(s, m));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_character_goes_there_and_back),
		cmocka_unit_test(test_what_rfc_3629_forbids_is_refused),
		cmocka_unit_test(test_cuts_fall_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
