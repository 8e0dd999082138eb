/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Parses: src/codec/csv.c */
/*
 * Any bytes as a table, whole and in chunks (the first byte says how long):
 * the rows must be the same.  What was read is written and read again: the
 * same fields.
 */
#include <stdlib.h>
#include <string.h>

#include "codec/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void put_rows(const uint8_t *p, size_t n, size_t step, struct buf *out, struct buf *table)
{
	struct csv *c;
	struct csv_limits limits = { 4096, 64 };
	if (csv_new(table == NULL ? ',' : 0, &limits, &c) < 0)
		abort();
	bool last = false;
	int r = 0;
	while (!last && r >= 0) {
		size_t m = n < step ? n : step;
		last = m == n;
		if (csv_feed(c, p, m, last) < 0)
			abort();
		p += m;
		n -= m;
		struct csv_row row;
		while ((r = csv_next(c, &row, NULL)) == 1) {
			for (size_t i = 0; i < row.n; i++) {
				buf_bytes(out, row.field[i].p, row.field[i].n);
				if (table != NULL) {
					/* A row of one empty field would be an empty line, which is no row. */
					if (i > 0)
						buf_putc(table, ',');
					if (row.n == 1 && row.field[i].n == 0)
						buf_puts(table, "\"\"");
					csv_put(table, row.field[i].p, row.field[i].n, ',', false);
				}
			}
			buf_puts(out, "\n");
			if (table != NULL)
				buf_putc(table, '\n');
		}
	}
	if (r < 0)
		buf_puts(out, "limit");
	csv_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 1 || n > 20000)
		return 0;
	struct buf whole, parts, table, again, unused;
	struct buf *all[] = { &whole, &parts, &table, &again, &unused };
	for (size_t i = 0; i < 5; i++)
		buf_init(all[i], 1 << 20);
	buf_reserve(&table, 1);
	put_rows(data + 1, n - 1, n, &whole, &table);
	put_rows(data + 1, n - 1, 1U + data[0], &parts, &unused);
	if (whole.len != parts.len || (whole.len > 0 && memcmp(whole.data, parts.data, whole.len) != 0))
		abort();
	bool limit = whole.len >= 5 && memcmp(whole.data + whole.len - 5, "limit", 5) == 0;
	if (!limit && table.len < 4096) {
		put_rows(table.data, table.len, 30000, &again, NULL);
		if (whole.len != again.len || (whole.len > 0 && memcmp(whole.data, again.data, whole.len) != 0))
			abort();
	}
	for (size_t i = 0; i < 5; i++)
		buf_release(all[i]);
	return 0;
}
