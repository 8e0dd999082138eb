/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <time.h>

#include "base/err.h"
#include "base/time.h"

static void test_agrees_with_the_c_library(void **state)
{
	(void)state;
	struct prop p = { 7 };
	for (int i = 0; i < 20000; i++) {
		time_t t = (time_t)prop_below(&p, INT64_C(253402300800)); /* to the end of 9999 */
		struct tm tm;
		char want[64], got[TIME_TEXT_LEN + 1];
		assert_non_null(gmtime_r(&t, &tm));
		assert_true(strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S.000042Z", &tm) > 0);
		time_format((usec_t)t * USEC_PER_SEC + 42, got);
		assert_string_equal(got, want);
		usec_t back;
		assert_int_equal(time_parse(got, &back), 0);
		assert_true(back == (usec_t)t * USEC_PER_SEC + 42);
	}
}

static void test_rfc_3339_forms(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int error;
		usec_t t;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0, 0 },
		{ "1970-01-01T05:30:00.5+05:30", 0, 500000 },
		{ "1969-12-31T23:59:59.999999Z", 0, -1 },
		{ "2000-02-29T00:00:00Z", 0, INT64_C(951782400) * USEC_PER_SEC },
		{ "1900-02-29T00:00:00Z", FW_ERANGE, 0 },
		{ "2026-13-01T00:00:00Z", FW_ERANGE, 0 },
		{ "2026-01-01T24:00:00Z", FW_ERANGE, 0 },
		{ "2026-01-01T00:00:60Z", FW_ERANGE, 0 },
		{ "2026-01-01T00:00:00", FW_EFORMAT, 0 },
		{ "2026-01-01 00:00:00Z", FW_EFORMAT, 0 },
		{ "2026-01-01T00:00:00.Z", FW_EFORMAT, 0 },
		{ "2026-01-01T00:00:00.1234567Z", FW_EFORMAT, 0 },
		{ "2026-01-01T00:00:00Zx", FW_EFORMAT, 0 },
		{ "2026-01-01T00:00:00+24:00", FW_ERANGE, 0 },
		{ "", FW_EFORMAT, 0 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		usec_t t = 0;
		assert_int_equal(time_parse(rows[i].text, &t), rows[i].error);
		assert_true(t == rows[i].t);
	}
}

static void test_the_floor_holds_against_a_clock_set_back(void **state)
{
	(void)state;
	usec_t now = time_now();
	time_floor_raise(now + 10 * USEC_PER_SEC);
	assert_true(time_now() >= now + 10 * USEC_PER_SEC);
	time_floor_raise(now);
	assert_true(time_now() >= now + 10 * USEC_PER_SEC);
	time_test_offset(-3600 * USEC_PER_SEC);
	assert_true(time_now() >= now + 10 * USEC_PER_SEC);
	time_test_offset(3600 * USEC_PER_SEC);
	assert_true(time_now() >= now + 3600 * USEC_PER_SEC);
	time_test_offset(0);
}

static void test_every_day_of_ten_thousand_years(void **state)
{
	(void)state;
	struct date first, last;
	assert_int_equal(date_parse("0001-01-01", &first), 0);
	assert_int_equal(date_parse("9999-12-31", &last), 0);
	assert_int_equal(date_first_day(last) - date_first_day(first) + 1, 3652059);
	for (int32_t day = date_first_day(first); day <= date_first_day(last); day++) {
		struct date d = date_from_days(day), back;
		char text[DATE_TEXT_LEN + 1];
		date_format(d, text);
		assert_int_equal(date_parse(text, &back), 0);
		assert_int_equal(date_first_day(back), day);
		assert_int_equal(date_last_day(back), day);
	}
}

static void test_dates_carry_their_precision(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int error;
		int precision, days;
	} rows[] = {
		{ "", 0, DATE_UNKNOWN, 0 },	      { "2024", 0, DATE_YEAR, 366 },
		{ "2023", 0, DATE_YEAR, 365 },	      { "2024-02", 0, DATE_MONTH, 29 },
		{ "2024-02-29", 0, DATE_DAY, 1 },     { "2023-02-29", FW_ERANGE, 0, 0 },
		{ "2023-00", FW_ERANGE, 0, 0 },	      { "0000", FW_ERANGE, 0, 0 },
		{ "2023-1", FW_EFORMAT, 0, 0 },	      { "2023-01-1", FW_EFORMAT, 0, 0 },
		{ "2023-01-01T", FW_EFORMAT, 0, 0 },  { "23-01-01", FW_EFORMAT, 0, 0 },
		{ " 2023", FW_EFORMAT, 0, 0 },	      { "2023-", FW_EFORMAT, 0, 0 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct date d;
		assert_int_equal(date_parse(rows[i].text, &d), rows[i].error);
		if (rows[i].error != 0)
			continue;
		assert_int_equal(d.precision, rows[i].precision);
		if (d.precision != DATE_UNKNOWN)
			assert_int_equal(date_last_day(d) - date_first_day(d) + 1, rows[i].days);
		else
			assert_int_equal(date_first_day(d), INT32_MIN);
		char text[DATE_TEXT_LEN + 1];
		date_format(d, text);
		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agrees_with_the_c_library),
		cmocka_unit_test(test_rfc_3339_forms),
		cmocka_unit_test(test_the_floor_holds_against_a_clock_set_back),
		cmocka_unit_test(test_every_day_of_ten_thousand_years),
		cmocka_unit_test(test_dates_carry_their_precision),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
