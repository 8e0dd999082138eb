/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "base/arena.h"
#include "base/utf8.h"
#include "text/charset.h"

/* Convert the bytes in chunks of ${step} (0: random sizes from ${p}); the text, NUL after it. */
static struct buf convert(const void *bytes, size_t n, size_t step, struct prop *p, struct charset_in *c)
{
	struct buf out, scratch;
	buf_init(&out, 1 << 22);
	buf_init(&scratch, 1 << 22);
	charset_start(c);
	const uint8_t *at = bytes;
	while (n > 0) {
		size_t m = step != 0 ? step : 1 + prop_below(p, 9);
		m = m < n ? m : n;
		const uint8_t *q;
		size_t len;
		assert_int_equal(charset_next(c, at, m, false, &scratch, &q, &len), 0);
		assert_true(utf8_valid(q, len));
		buf_put(&out, q, len);
		at += m;
		n -= m;
	}
	const uint8_t *q;
	size_t len;
	assert_int_equal(charset_next(c, NULL, 0, true, &scratch, &q, &len), 0);
	buf_put(&out, q, len);
	buf_u8(&out, 0);
	assert_false(buf_failed(&out));
	buf_release(&scratch);
	return out;
}

static void check(const char *bytes, size_t n, const char *text, enum charset kind, unsigned bad)
{
	for (size_t step = 1; step <= n + 1; step++) {
		struct charset_in c;
		struct buf out = convert(bytes, n, step, NULL, &c);
		assert_string_equal((const char *)out.data, text);
		assert_int_equal(c.kind, kind);
		assert_int_equal(c.bad, bad);
		buf_release(&out);
	}
}
#define CHECK(bytes, text, kind, bad) check(bytes, sizeof(bytes) - 1, text, kind, bad)

static void test_each_set_is_recognised_in_any_chunks(void **state)
{
	(void)state;
	CHECK("", "", CHARSET_UNDECIDED, 0);
	CHECK("plain", "plain", CHARSET_UNDECIDED, 0);
	CHECK("T\xc3\xbcrkiye", "T\u00fcrkiye", CHARSET_UTF8, 0);
	CHECK("\xef\xbb\xbfNo", "No", CHARSET_UTF8, 0);
	CHECK("\xef\xbb\xbf", "", CHARSET_UTF8, 0);
	CHECK("\xe0\xb9\x84\xe0\xb8\x97\xe0\xb8\xa2", "\u0e44\u0e17\u0e22", CHARSET_UTF8, 0);
	CHECK("T\xfcrkiye \x93x\x94 \x80", "T\u00fcrkiye \u201cx\u201d \u20ac", CHARSET_WINDOWS_1252, 0);
	CHECK("caf\xe9", "caf\u00e9", CHARSET_WINDOWS_1252, 0);
	CHECK("\xff\xfe" "a\0\x17\x0e\x3d\xd8\x00\xde", "a\u0e17\U0001f600", CHARSET_UTF16LE, 0);
	CHECK("\xfe\xff\0a\x0e\x17\xd8\x3d\xde\x00", "a\u0e17\U0001f600", CHARSET_UTF16BE, 0);
	CHECK("a\0b\0c\0", "abc", CHARSET_UTF16LE, 0);
	CHECK("\0a\0b\0c", "abc", CHARSET_UTF16BE, 0);
}

static void test_what_is_malformed_is_replaced_and_counted(void **state)
{
	(void)state;
	CHECK("\u00e9 a\xff" "b", "\u00e9 a\ufffd" "b", CHARSET_UTF8, 1);
	CHECK("\u00e9\xe0\xb9", "\u00e9\ufffd\ufffd", CHARSET_UTF8, 2);
	CHECK("\u00e9\xed\xa0\x80.", "\u00e9\ufffd\ufffd\ufffd.", CHARSET_UTF8, 3);
	CHECK("x\x81y\x8d", "x\ufffdy\ufffd", CHARSET_WINDOWS_1252, 2);
	CHECK("\xff\xfe\x00\xd8" "a\0", "\ufffda", CHARSET_UTF16LE, 1);
	CHECK("\xff\xfe\x00\xdc" "a\0", "\ufffda", CHARSET_UTF16LE, 1);
	CHECK("\xff\xfe" "a\0b", "a\ufffd", CHARSET_UTF16LE, 1);
	CHECK("\xff\xfe\x00\xd8", "\ufffd", CHARSET_UTF16LE, 1);
	struct charset_in c;
	struct buf out = convert("\u00e9 abc\xff", 7, 3, NULL, &c);
	assert_int_equal(c.first_bad, 6);
	buf_release(&out);
}

static void test_any_chunks_give_the_same(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= prop_rounds(400); seed++) {
		struct prop p = { seed };
		uint8_t bytes[200];
		size_t n = prop_below(&p, sizeof(bytes));
		prop_bytes(&p, bytes, n);
		if (seed % 2 != 0) /* mostly text, so that well-formed runs occur */
			for (size_t i = 0; i < n; i++)
				bytes[i] = prop_below(&p, 6) != 0 ? (uint8_t)('a' + bytes[i] % 26) : bytes[i];
		struct charset_in whole, parts;
		struct buf a = convert(bytes, n, n + 1, NULL, &whole);
		struct buf b = convert(bytes, n, 0, &p, &parts);
		if (a.len != b.len || memcmp(a.data, b.data, a.len) != 0 || whole.kind != parts.kind ||
		    whole.bad != parts.bad || whole.first_bad != parts.first_bad)
			fail_msg("seed %lu differs by chunking", (unsigned long)seed);
		buf_release(&a);
		buf_release(&b);
	}
}

static void test_lack_of_memory_is_an_error(void **state)
{
	(void)state;
	struct charset_in c;
	struct buf scratch;
	buf_init(&scratch, 1 << 20);
	charset_start(&c);
	const uint8_t *q;
	size_t len;
	mem_fault_at(1);
	assert_true(charset_next(&c, (const uint8_t *)"caf\xe9!!", 6, true, &scratch, &q, &len) < 0);
	assert_true(mem_fault_hit());
	mem_fault_at(0);
	buf_release(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_set_is_recognised_in_any_chunks),
		cmocka_unit_test(test_what_is_malformed_is_replaced_and_counted),
		cmocka_unit_test(test_any_chunks_give_the_same),
		cmocka_unit_test(test_lack_of_memory_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
