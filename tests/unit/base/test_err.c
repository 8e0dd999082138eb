/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <errno.h>

#include "base/err.h"
#include "base/utf8.h"

static void test_every_code_has_name_and_words(void **state)
{
	(void)state;
#define CHECK(name, number, words)                            \
	assert_string_equal(err_name(name), #name);           \
	assert_string_equal(err_text(name), words);           \
	assert_true((name) <= -1000);
	FW_ERRORS(CHECK)
#undef CHECK
	assert_string_equal(err_name(-ENOSPC), "ENOSPC");
	assert_string_equal(err_name(-999), "?");
	assert_string_equal(err_text(-999), "unknown error");
	assert_string_equal(err_name(0), "FW_OK");
}

static void test_the_first_fault_wins(void **state)
{
	(void)state;
	struct diag d = DIAG_INIT;
	assert_int_equal(diag_set(&d, FW_EFORMAT, "row %d", 3), FW_EFORMAT);
	assert_int_equal(diag_set(&d, FW_ESTORE, "later"), FW_ESTORE);
	diag_place(&d, "a.csv, row %d", 3);
	diag_place(&d, "elsewhere");
	char out[100];
	diag_format(&d, d.code, out, sizeof(out));
	assert_string_equal(out, "a.csv, row 3: row 3");
	diag_clear(&d);
	diag_format(&d, FW_EDENIED, out, sizeof(out));
	assert_string_equal(out, "not permitted");
	assert_int_equal(diag_set(NULL, FW_ERANGE, "nobody listens"), FW_ERANGE);
	diag_place(NULL, "x");
}

static void test_words_are_cut_between_characters(void **state)
{
	(void)state;
	for (int pad = 0; pad < 4; pad++) {
		char text[DIAG_TEXT_MAX * 2] = "";
		size_t n = 0;
		for (int i = 0; i < pad; i++)
			text[n++] = 'x';
		while (n + 4 < sizeof(text))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "\u0e01");
		struct diag d = DIAG_INIT;
		(void)diag_set(&d, FW_EFORMAT, "%s", text);
		assert_true(strlen(d.text) >= DIAG_TEXT_MAX - 4);
		assert_true(utf8_valid(d.text, strlen(d.text)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_code_has_name_and_words),
		cmocka_unit_test(test_the_first_fault_wins),
		cmocka_unit_test(test_words_are_cut_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
