/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "base/arena.h"

static void test_hands_out_zeroed_aligned_memory(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20);
	struct prop p = { 1 };
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 200; i++) {
			size_t n = prop_below(&p, 900);
			uint8_t *b = arena_alloc(a, n);
			assert_non_null(b);
			assert_int_equal((uintptr_t)b % _Alignof(max_align_t), 0);
			for (size_t k = 0; k < n; k++)
				assert_int_equal(b[k], 0);
			memset(b, 0xa5, n);
		}
		arena_reset(a);
		assert_int_equal(arena_used(a), 0);
	}
	arena_free(a);
	arena_free(NULL);
}

static void test_cap_is_hard_and_failure_sticks(void **state)
{
	(void)state;
	struct arena *a = arena_new(1000);
	assert_non_null(arena_alloc(a, 600));
	assert_null(arena_alloc(a, 600));
	assert_true(arena_failed(a));
	assert_null(arena_alloc(a, 1));
	assert_true(arena_used(a) <= arena_cap(a));
	arena_reset(a);
	assert_false(arena_failed(a));
	assert_non_null(arena_alloc(a, 600));
	arena_reset(a);
	volatile size_t huge = SIZE_MAX / 2; /* the compiler would refuse what it can see */
	assert_null(arena_array(a, huge, 3));
	assert_true(arena_failed(a));
	arena_reset(a);
	huge = SIZE_MAX;
	assert_null(arena_alloc(a, huge));
	arena_free(a);
}

static void test_release_goes_back_to_the_mark(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 22);
	char *kept = arena_strdup(a, "kept");
	struct arena_mark m = arena_mark(a);
	size_t used = arena_used(a);
	for (int i = 0; i < 100; i++)
		assert_non_null(arena_alloc(a, 5000));
	arena_release(a, m);
	assert_int_equal(arena_used(a), used);
	assert_string_equal(kept, "kept");
	char *next = arena_printf(a, "%s-%d", "x", 7);
	assert_string_equal(next, "x-7");
	assert_string_equal(kept, "kept");
	arena_free(a);
}

static void test_every_allocation_may_fail(void **state)
{
	(void)state;
	for (uint64_t n = 1;; n++) {
		mem_fault_at(n);
		struct arena *a = arena_new(1 << 20);
		bool good = a != NULL;
		for (int i = 0; good && i < 40; i++)
			good = arena_alloc(a, 3000) != NULL;
		bool fell = mem_fault_hit();
		mem_fault_at(0);
		assert_true(good != fell);
		assert_true(a == NULL || arena_failed(a) == fell);
		arena_free(a);
		if (!fell)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hands_out_zeroed_aligned_memory),
		cmocka_unit_test(test_cap_is_hard_and_failure_sticks),
		cmocka_unit_test(test_release_goes_back_to_the_mark),
		cmocka_unit_test(test_every_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
