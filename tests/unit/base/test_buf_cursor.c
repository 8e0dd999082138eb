/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"

/* One random value of a random kind, written now and compared later with what the cursor reads. */
static void put_random(struct buf *b, struct prop *p)
{
	uint8_t bytes[64];
	size_t n = prop_below(p, sizeof(bytes));
	prop_bytes(p, bytes, n);
	switch (prop_below(p, 7)) {
	case 0: buf_u8(b, (uint8_t)prop_u64(p)); break;
	case 1: buf_u16(b, (uint16_t)prop_u64(p)); break;
	case 2: buf_u32(b, (uint32_t)prop_u64(p)); break;
	case 3: buf_u64(b, prop_u64(p)); break;
	case 4: buf_i64(b, (int64_t)prop_u64(p)); break;
	case 5: buf_f64(b, (double)(int64_t)prop_u64(p) / 3); break;
	default: buf_bytes(b, bytes, n); break;
	}
}

static void expect_random(struct cursor *c, struct prop *p)
{
	uint8_t bytes[64];
	size_t n = prop_below(p, sizeof(bytes)), got;
	prop_bytes(p, bytes, n);
	switch (prop_below(p, 7)) {
	case 0: assert_int_equal(cur_u8(c), (uint8_t)prop_u64(p)); break;
	case 1: assert_int_equal(cur_u16(c), (uint16_t)prop_u64(p)); break;
	case 2: assert_int_equal(cur_u32(c), (uint32_t)prop_u64(p)); break;
	case 3: assert_true(cur_u64(c) == prop_u64(p)); break;
	case 4: assert_true(cur_i64(c) == (int64_t)prop_u64(p)); break;
	case 5: assert_true(cur_f64(c) == (double)(int64_t)prop_u64(p) / 3); break;
	default: {
		const uint8_t *q = cur_bytes(c, 64, &got);
		assert_int_equal(got, n);
		assert_memory_equal(q, bytes, n);
	}
	}
}

static void test_what_is_written_is_read(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < prop_rounds(200); seed++) {
		struct buf b;
		buf_init(&b, 1 << 16);
		struct prop p = { seed };
		size_t n = prop_below(&p, 40);
		for (size_t i = 0; i < n; i++)
			put_random(&b, &p);
		assert_false(buf_failed(&b));
		struct cursor c;
		cur_init(&c, b.data, b.len);
		p = (struct prop){ seed };
		n = prop_below(&p, 40);
		for (size_t i = 0; i < n; i++)
			expect_random(&c, &p);
		assert_int_equal(cur_end(&c), 0);
		buf_release(&b);
	}
}

static void test_after_an_error_reads_give_nothing(void **state)
{
	(void)state;
	const uint8_t bytes[] = { 1, 2, 3, 4, 5 };
	struct cursor c;
	cur_init(&c, bytes, sizeof(bytes));
	assert_int_equal(cur_u32(&c), 0x04030201);
	assert_int_equal(cur_u16(&c), 0);
	assert_int_equal(cur_error(&c), FW_ETRUNC);
	assert_int_equal(cur_u8(&c), 0);
	assert_null(cur_take(&c, 1));
	assert_int_equal(cur_left(&c), 0);
	uint8_t out[3] = { 9, 9, 9 };
	cur_copy(&c, out, 3);
	assert_memory_equal(out, "\0\0\0", 3);
	cur_fail(&c, FW_ERANGE);
	assert_int_equal(cur_error(&c), FW_ETRUNC); /* the first one stays */
	size_t n = 7;
	assert_null(cur_bytes(&c, 100, &n));
	assert_int_equal(n, 0);
	struct cursor sub = cur_sub(&c, 1);
	assert_int_equal(cur_error(&sub), FW_ETRUNC);
}

static void test_byte_orders_and_ends(void **state)
{
	(void)state;
	const uint8_t bytes[] = { 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 9 };
	struct cursor c;
	cur_init(&c, bytes, sizeof(bytes));
	assert_int_equal(cur_u16be(&c), 1);
	assert_int_equal(cur_u32be(&c), 2);
	struct cursor sub = cur_sub(&c, 8);
	assert_int_equal(cur_u64be(&sub), 3);
	assert_int_equal(cur_end(&sub), 0);
	assert_int_equal(cur_end(&c), FW_EFORMAT); /* one byte is left */
	cur_init(&c, NULL, 0);
	assert_non_null(cur_take(&c, 0));
	assert_int_equal(cur_end(&c), 0);
}

static void test_strings_are_checked(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t n, max;
		int error;
	} rows[] = {
		{ "\3\0\0\0abc", 7, 10, 0 },
		{ "\3\0\0\0a\0c", 7, 10, FW_EFORMAT },
		{ "\2\0\0\0\xc3\x28", 6, 10, FW_EFORMAT },
		{ "\3\0\0\0abc", 7, 2, FW_ELIMIT },
		{ "\4\0\0\0abc", 7, 10, FW_ETRUNC },
		{ "\377\377\377\377", 4, 10, 0 },
		{ "\376\377\377\377", 4, 10, FW_ELIMIT },
	};
	struct arena *a = arena_new(1 << 16);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cursor c;
		cur_init(&c, rows[i].bytes, rows[i].n);
		char *s = cur_str(&c, a, rows[i].max);
		assert_int_equal(cur_error(&c), rows[i].error);
		if (i == 0)
			assert_string_equal(s, "abc");
		else
			assert_null(s);
	}
	arena_free(a);
}

static void test_the_maximum_is_hard_and_sticks(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 10);
	buf_put(&b, "12345678", 8);
	buf_put(&b, "abc", 3);
	assert_int_equal(b.error, FW_ELIMIT);
	buf_putc(&b, 'x');
	assert_int_equal(b.len, 8);
	assert_memory_equal(b.data, "12345678", 8);
	buf_clear(&b);
	buf_put(&b, "1234567890", 10);
	assert_false(buf_failed(&b));
	buf_consume(&b, 9);
	assert_int_equal(b.len, 1);
	assert_int_equal(b.data[0], '0');
	buf_wipe(&b);
	assert_int_equal(b.data[0], 0);
	buf_printf(&b, "%0*d", 400, 1);
	assert_int_equal(b.error, FW_ELIMIT);
	buf_release(&b);
}

static void test_printf_of_any_length(void **state)
{
	(void)state;
	for (int n = 250; n < 262; n++) {
		struct buf b;
		buf_init(&b, 1000);
		buf_printf(&b, "%0*d", n, 7);
		assert_int_equal(b.len, n);
		assert_int_equal(b.data[n - 1], '7');
		buf_release(&b);
	}
}

static void test_no_memory_leaves_what_was_there(void **state)
{
	(void)state;
	for (uint64_t n = 1;; n++) {
		struct buf b;
		buf_init(&b, 1 << 16);
		mem_fault_at(n);
		for (int i = 0; i < 3000; i++)
			buf_u32(&b, (uint32_t)i);
		bool fell = mem_fault_hit();
		mem_fault_at(0);
		assert_int_equal(b.error, fell ? -ENOMEM : 0);
		struct cursor c;
		cur_init(&c, b.data, b.len);
		for (uint32_t i = 0; i < b.len / 4; i++)
			assert_int_equal(cur_u32(&c), i);
		buf_release(&b);
		if (!fell)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_read),
		cmocka_unit_test(test_after_an_error_reads_give_nothing),
		cmocka_unit_test(test_byte_orders_and_ends),
		cmocka_unit_test(test_strings_are_checked),
		cmocka_unit_test(test_the_maximum_is_hard_and_sticks),
		cmocka_unit_test(test_printf_of_any_length),
		cmocka_unit_test(test_no_memory_leaves_what_was_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
