/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <zlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "codec/gz.h"

static size_t pack(const void *p, size_t n, uint8_t *out, size_t cap)
{
	z_stream z = { 0 };
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)p;
	z.avail_in = (uInt)n;
	z.next_out = out;
	z.avail_out = (uInt)cap;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	(void)deflateEnd(&z);
	return cap - z.avail_out;
}

static int unpack(const uint8_t *p, size_t n, size_t step, uint64_t max, struct buf *out)
{
	struct gz *g = NULL;
	int r = gz_new(max, &g);
	while (r == 0 && n > 0) {
		size_t m = n < step ? n : step, left = m, got;
		const uint8_t *at = p;
		uint8_t room[777];
		do {
			r = gz_next(g, &at, &left, room, sizeof(room), &got, NULL);
			if (r == 0)
				buf_put(out, room, got);
		} while (r == 0 && (left > 0 || got == sizeof(room)));
		p += m;
		n -= m;
	}
	r = r == 0 ? gz_end(g, NULL) : r;
	gz_free(g);
	return r;
}

static void test_members_in_any_chunks(void **state)
{
	(void)state;
	static uint8_t plain[50000], packed[60000];
	struct prop p = { 7 };
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)('a' + prop_below(&p, 20));
	size_t n = pack(plain, 30000, packed, sizeof(packed));
	n += pack(plain + 30000, 20000, packed + n, sizeof(packed) - n);
	assert_true(gz_recognised(packed, n));
	assert_false(gz_recognised(plain, 3));
	for (size_t step = 1; step < 70000; step = step * 3 + 1) {
		struct buf out;
		buf_init(&out, 1 << 20);
		assert_int_equal(unpack(packed, n, step, 1 << 20, &out), 0);
		assert_int_equal(out.len, sizeof(plain));
		assert_memory_equal(out.data, plain, sizeof(plain));
		buf_release(&out);
	}
}

static void test_damage_and_bombs_are_refused(void **state)
{
	(void)state;
	static uint8_t zeros[4 << 20], packed[60000];
	struct buf out;
	buf_init(&out, 8 << 20);
	size_t n = pack(zeros, sizeof(zeros), packed, sizeof(packed));
	assert_int_equal(unpack(packed, n, 4096, UINT64_MAX, &out), FW_ELIMIT);
	assert_true(out.len < 3 << 20);
	buf_clear(&out);
	n = pack("some words, some more words", 27, packed, sizeof(packed));
	assert_int_equal(unpack(packed, n, 4096, 10, &out), FW_ELIMIT);
	buf_clear(&out);
	assert_int_equal(unpack(packed, n - 1, 4096, 1000, &out), FW_ETRUNC);
	assert_int_equal(unpack(packed, 0, 4096, 1000, &out), FW_ETRUNC);
	packed[n] = 'x';
	assert_int_equal(unpack(packed, n + 1, 4096, 1000, &out), FW_ETRUNC);
	packed[n + 1] = 'y';
	assert_int_equal(unpack(packed, n + 2, 4096, 1000, &out), FW_EFORMAT);
	packed[12] ^= 0x55;
	assert_true(unpack(packed, n, 4096, 1000, &out) < 0);
	buf_release(&out);
}

static void test_every_allocation_may_fail(void **state)
{
	(void)state;
	uint8_t packed[1000];
	size_t n = pack("some words, some more words", 27, packed, sizeof(packed));
	unsigned hits = 0;
	for (uint64_t at = 1;; at++, hits++) {
		struct buf out;
		buf_init(&out, 1 << 20);
		(void)buf_reserve(&out, 1000);
		mem_fault_at(at);
		int r = unpack(packed, n, 1000, 1000, &out);
		bool hit = mem_fault_hit();
		mem_fault_at(0);
		buf_release(&out);
		if (!hit) {
			assert_int_equal(r, 0);
			break;
		}
		assert_int_equal(r, -12);
	}
	assert_true(hits >= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_in_any_chunks),
		cmocka_unit_test(test_damage_and_bombs_are_refused),
		cmocka_unit_test(test_every_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
