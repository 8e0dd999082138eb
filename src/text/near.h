/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The nearest known name to a misspelt one, for messages: "did you mean ...?" */
#ifndef FW_TEXT_NEAR_H
#define FW_TEXT_NEAR_H

#include <stddef.h>

enum { NEAR_NAME_MAX = 64 };

/* How many letters must be changed, added, dropped or swapped with a neighbour; longer names than
 * NEAR_NAME_MAX are far from everything. */
unsigned near_distance(const char *a, const char *b);

/* Keeps the nearest of the names offered to it. Start from { .name = NAME, .best_distance = 3 }:
 * three changes make another word. */
struct near {
	const char *name;
	const char *best; /* NULL while none is near */
	unsigned best_distance;
};
void near_offer(struct near *n, const char *candidate);

#endif
