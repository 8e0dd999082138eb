/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "text/near.h"

#include <string.h>

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment, three rows of the usual table. */
unsigned near_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	if (n > NEAR_NAME_MAX || m > NEAR_NAME_MAX)
		return NEAR_NAME_MAX;
	unsigned rows[3][NEAR_NAME_MAX + 1];
	unsigned *two_up = rows[0], *up = rows[1], *row = rows[2];
	for (size_t j = 0; j <= m; j++)
		two_up[j] = up[j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = least(least(up[j], row[j - 1]) + 1,
				       up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], two_up[j - 2] + 1);
		}
		unsigned *free_row = two_up;
		two_up = up;
		up = row;
		row = free_row;
	}
	return up[m];
}

void near_offer(struct near *n, const char *candidate)
{
	unsigned d = near_distance(n->name, candidate);
	if (d < n->best_distance) {
		n->best = candidate;
		n->best_distance = d;
	}
}
