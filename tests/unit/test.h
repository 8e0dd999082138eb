/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What every unit test includes: cmocka with the headers it wants before it,
 * and a small generator for property tests.  A property test names its seed in
 * its messages, so that a failure can be run again.
 */
#ifndef FW_TESTS_TEST_H
#define FW_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* SplitMix64: the same numbers for the same seed on every machine. */
struct prop {
	uint64_t state;
};

static inline uint64_t prop_u64(struct prop *p)
{
	uint64_t z = (p->state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0 <= result < n. */
static inline uint64_t prop_below(struct prop *p, uint64_t n)
{
	return prop_u64(p) % n;
}

static inline void prop_bytes(struct prop *p, void *out, size_t n)
{
	uint8_t *b = out;
	for (size_t i = 0; i < n; i++)
		b[i] = (uint8_t)prop_u64(p);
}

/* How many rounds: FAIRWAY_LONG multiplies by 50. */
static inline unsigned prop_rounds(unsigned usual)
{
	return getenv("FAIRWAY_LONG") != NULL ? usual * 50 : usual;
}

/* Leave a test that cannot run here. cmocka 1.1.5 says "not ok ... # SKIP" for its own skip(), which readers of TAP count as a failure. */
#define SKIP_TEST(reason)                                                                          \
	do {                                                                                       \
		print_message("# skipped: %s: %s\n", __func__, reason);                            \
		return;                                                                            \
	} while (0)

/*
 * Path of a file of the shared real data in ${out}, or NULL after a message if
 * it is not there: the test then leaves.
 */
static inline const char *shared_file(const char *name, char *out, size_t cap)
{
	const char *root = getenv("FAIRWAY_SHARED"), *source = getenv("FAIRWAY_SOURCE");
	int n = root != NULL ? snprintf(out, cap, "%s/data/%s", root, name) :
			       snprintf(out, cap, "%s/../shared/data/%s", source ? source : ".", name);
	FILE *f = n > 0 && (size_t)n < cap ? fopen(out, "rb") : NULL;
	if (f == NULL) {
		print_message("# skipped: the shared data file %s is not here (FAIRWAY_SHARED)\n", name);
		return NULL;
	}
	(void)fclose(f);
	return out;
}

#endif
