/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The published files, where they are there. Attribution: IOM's Missing Migrants Project, CC BY 4.0. */
#include "test.h"

#include "base/io.h"
#include "reading.h"
#include "tbl/codebook/codebook.h"

#define FIRST "missing-migrants/mmp_global_2014_2025-04.csv.gz"
#define SECOND "missing-migrants/mmp_global_2026-01_2026-04.csv"

static struct incident inc;
static struct buf items;
static struct cursor at;
static struct test_item item;

/* The real files: every row in, the totals as they were published. */
static void read_real(const char *name, uint64_t rows, int64_t dead, int64_t missing, unsigned negative)
{
	char path[4096];
	struct buf file;
	assert_non_null(shared_file(name, path, sizeof(path)));
	buf_init(&file, 64 << 20);
	struct diag d = DIAG_INIT;
	assert_int_equal(io_read_file(path, &file, NULL), 0);
	if (reading_test_run(file.data, file.len, 0, "", &items, &d) != 0)
		fail_msg("%s: %s", d.place, d.text);
	cur_init(&at, items.data, items.len);
	assert_true(next_item(&at, &inc, &item));
	uint64_t n = 0;
	int64_t sums[2] = { 0, 0 };
	unsigned flagged = 0, unknown_labels = 0;
	while (next_item(&at, &inc, &item)) {
		if (item.kind != ITEM_ROW)
			fail_msg("row %lu refused: %s: %s", (unsigned long)item.row, item.field, item.words);
		n++;
		const struct cell *c = inc.at[B_COUNTS];
		sums[0] += c[COUNTS_DEAD].i >= COUNT_LEAST ? c[COUNTS_DEAD].i : 0;
		sums[1] += c[COUNTS_MISSING].i >= COUNT_LEAST ? c[COUNTS_MISSING].i : 0;
		for (size_t i = 0; i < inc.n[B_DOUBT]; i++) {
			const struct cell *doubt = incident_row(&inc, B_DOUBT, i);
			flagged += doubt[DOUBT_CODE].i == CV_DOUBT_NEGATIVE && memcmp(doubt[DOUBT_FIELD].s, "Total", 5) != 0;
			unknown_labels += doubt[DOUBT_CODE].i == CV_DOUBT_LABEL_UNKNOWN;
			if (doubt[DOUBT_CODE].i == CV_DOUBT_LABEL_UNKNOWN)
				print_message("row %lu: %.*s: %.*s\n", (unsigned long)item.row, (int)doubt[DOUBT_FIELD].i,
					      doubt[DOUBT_FIELD].s, (int)doubt[DOUBT_WORDS].i, doubt[DOUBT_WORDS].s);
		}
		assert_true(inc.at[B_CORE][CORE_POSITION].i == CV_PRECISION_AREA);
	}
	assert_int_equal(n, rows);
	assert_true(sums[0] == dead && sums[1] == missing);
	assert_int_equal(flagged, negative);
	assert_int_equal(unknown_labels, 0);
	buf_release(&items);
	buf_release(&file);
}

static void test_real_first_generation(void **state)
{
	(void)state;
	read_real(FIRST, 19255, 43977, 30399, 6);
}

static void test_real_second_generation(void **state)
{
	(void)state;
	read_real(SECOND, 238, 642, 1258, 2);
}

int main(void)
{
	char path[4096];
	if (shared_file(FIRST, path, sizeof(path)) == NULL || shared_file(SECOND, path, sizeof(path)) == NULL) {
		(void)printf("1..0 # SKIP the published files are not here\n");
		return 0;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_first_generation),
		cmocka_unit_test(test_real_second_generation),
	};
	incident_init(&inc);
	int r = cmocka_run_group_tests(tests, NULL, NULL);
	incident_release(&inc);
	return r;
}
