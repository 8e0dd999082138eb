/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "base/err.h"
#include "base/time.h"
#include "base/uuid.h"

static void test_version_seven_and_rising(void **state)
{
	(void)state;
	struct uuid last = UUID_NIL;
	usec_t before = time_now() / 1000;
	for (int i = 0; i < 20000; i++) {
		struct uuid u = uuid_new();
		assert_int_equal(u.b[6] >> 4, 7);
		assert_int_equal(u.b[8] >> 6, 2);
		assert_true(uuid_compare(&u, &last) > 0);
		last = u;
	}
	usec_t ms = 0;
	for (int i = 0; i < 6; i++)
		ms = ms << 8 | last.b[i];
	assert_true(ms >= before && ms <= time_now() / 1000 + 100);
}

static void test_text_forms(void **state)
{
	(void)state;
	/* The example of RFC 9562, appendix A.6. */
	struct uuid u, v;
	char text[UUID_TEXT_LEN + 1];
	assert_int_equal(uuid_parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F", &u), 0);
	uuid_format(&u, text);
	assert_string_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
	assert_int_equal(uuid_parse(text, &v), 0);
	assert_true(uuid_equal(&u, &v));
	static const char *const bad[] = {
		"", "017f22e279b07cc398c4dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398ff", "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
		"{17f22e2-79b0-7cc3-98c4-dc0c0c07398f", "017f22e2_79b0-7cc3-98c4-dc0c0c07398f",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(uuid_parse(bad[i], &u), FW_EFORMAT);
	assert_true(uuid_is_nil(&UUID_NIL));
	assert_false(uuid_is_nil(&v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version_seven_and_rising),
		cmocka_unit_test(test_text_forms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
