/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Parses: src/codec/gz.c */
#include <stdlib.h>

#include "codec/gz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct gz *g;
	if (gz_new(4 << 20, &g) < 0)
		abort();
	uint8_t room[4096];
	size_t got = 0;
	uint64_t all = 0;
	int r = 0;
	while (r == 0 && (n > 0 || got == sizeof(room))) {
		r = gz_next(g, &data, &n, room, sizeof(room), &got, NULL);
		all += r == 0 ? got : 0;
	}
	if (all > 4 << 20)
		abort();
	(void)gz_end(g, NULL);
	gz_free(g);
	return 0;
}
