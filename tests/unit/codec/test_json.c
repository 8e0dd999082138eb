/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <errno.h>
#include <math.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "codec/json.h"

static int parse(const char *text, json_t **ret, struct diag *d)
{
	return json_parse(text, strlen(text), ret, d);
}

static void test_refuses_what_is_not_one_json_value(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "{", "[1,]", "{\"a\":1,\"a\":2}", "1 2", "nul", "\"\\u0000\"", "\"\\ud800\"", "\"\xff\"",
		"{\"a\" 1}", "[1}", "'a'", "01", "1e999", "99999999999999999999", "[1]x", "\"a",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct diag d = DIAG_INIT;
		json_t *j = NULL;
		assert_int_equal(parse(bad[i], &j, &d), FW_EFORMAT);
		assert_null(j);
		assert_true(strncmp(d.place, "line ", 5) == 0);
	}
}

static void test_limits(void **state)
{
	(void)state;
	char deep[2 * JSON_DEPTH + 4];
	json_t *j = NULL;
	for (int n = JSON_DEPTH; n <= JSON_DEPTH + 1; n++) {
		memset(deep, '[', (size_t)n);
		memset(deep + n, ']', (size_t)n);
		int err = json_parse(deep, 2 * (size_t)n, &j, NULL);
		assert_int_equal(err, n == JSON_DEPTH ? 0 : FW_ELIMIT);
		if (err == 0)
			json_decref(j);
	}
	struct buf b;
	buf_init(&b, 1 << 20);
	buf_puts(&b, "[0");
	for (int i = 0; i < JSON_VALUES; i++)
		buf_puts(&b, ",0");
	buf_puts(&b, "]");
	assert_int_equal(json_parse(b.data, b.len, &j, NULL), FW_ELIMIT);
	buf_release(&b);
	/* Brackets inside a string are no nesting. */
	assert_int_equal(parse("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[\"", &j, NULL), 0);
	json_decref(j);
}

static void test_no_memory_at_any_point(void **state)
{
	(void)state;
	for (uint64_t n = 1;; n++) {
		json_t *j = NULL;
		mem_fault_at(n);
		/* The long string makes jansson's buffer grow, where it would go on with a character less. */
		int err = parse("{\"a\":[1,2.5,\"longer than sixteen bytes\"],\"b\":{\"c\":null}}", &j, NULL);
		bool fell = mem_fault_hit();
		mem_fault_at(0);
		assert_int_equal(err, fell ? -ENOMEM : 0);
		if (err == 0)
			json_decref(j);
		if (!fell)
			break;
	}
}

static void test_writes_what_it_is_told(void **state)
{
	(void)state;
	struct buf b;
	struct jw j;
	buf_init(&b, 4096);
	jw_init(&j, &b);
	jw_object(&j);
	jw_put_string(&j, "s", "a\"\\\b\t\n\f\r\x01/\x7f\u2028\u0e01");
	jw_put_string(&j, "none", NULL);
	jw_put_i64(&j, "min", INT64_MIN);
	jw_put_i64(&j, "max", INT64_MAX);
	jw_put_f64(&j, "f", 0.1);
	jw_put_f64(&j, "inf", INFINITY);
	jw_put_bool(&j, "yes", true);
	jw_put_uuid(&j, "nil", &UUID_NIL);
	jw_put_time(&j, "t", 0);
	jw_put_date(&j, "d", (struct date){ 2024, 2, 0, DATE_MONTH });
	jw_name(&j, "list");
	jw_array(&j);
	jw_array(&j);
	jw_end(&j);
	jw_object(&j);
	jw_end(&j);
	jw_i64(&j, 0);
	jw_end(&j);
	jw_end(&j);
	buf_putc(&b, '\0');
	assert_string_equal((char *)b.data,
			    "{\"s\":\"a\\\"\\\\\\b\\t\\n\\f\\r\\u0001/\\u007f\\u2028\u0e01\",\"none\":null,"
			    "\"min\":-9223372036854775808,\"max\":9223372036854775807,\"f\":0.1,\"inf\":null,"
			    "\"yes\":true,\"nil\":null,\"t\":\"1970-01-01T00:00:00.000000Z\",\"d\":\"2024-02\","
			    "\"list\":[[],{},0]}");
	buf_release(&b);
}

static void test_any_bytes_become_json_that_reads_back(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < prop_rounds(500); seed++) {
		struct prop p = { seed };
		uint8_t bytes[80];
		size_t n = prop_below(&p, sizeof(bytes));
		prop_bytes(&p, bytes, n);
		for (size_t i = 0; i < n; i++)
			if (bytes[i] == 0) /* jansson refuses \u0000; the store never holds one */
				bytes[i] = 'x';
		struct buf b;
		buf_init(&b, 4096);
		jw_quote(&b, (char *)bytes, n);
		json_t *j = NULL;
		assert_int_equal(json_parse(b.data, b.len, &j, NULL), 0);
		assert_true(utf8_valid(json_string_value(j), json_string_length(j)));
		if (utf8_valid(bytes, n)) {
			assert_int_equal(json_string_length(j), n);
			assert_memory_equal(json_string_value(j), bytes, n);
		}
		json_decref(j);
		buf_release(&b);
	}
}

static void test_numbers_read_back_the_same(void **state)
{
	(void)state;
	struct prop p = { 3 };
	for (unsigned i = 0; i < prop_rounds(5000); i++) {
		uint64_t bits = prop_u64(&p);
		double v;
		memcpy(&v, &bits, sizeof(v));
		if (!isfinite(v))
			continue;
		struct buf b;
		struct jw w;
		buf_init(&b, 100);
		jw_init(&w, &b);
		jw_f64(&w, v);
		json_t *j = NULL;
		assert_int_equal(json_parse(b.data, b.len, &j, NULL), 0);
		assert_true(json_number_value(j) == v);
		json_decref(j);
		buf_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refuses_what_is_not_one_json_value),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_no_memory_at_any_point),
		cmocka_unit_test(test_writes_what_it_is_told),
		cmocka_unit_test(test_any_bytes_become_json_that_reads_back),
		cmocka_unit_test(test_numbers_read_back_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
