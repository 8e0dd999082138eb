/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Parses: src/engine/rules/lines.c src/engine/rules/stanza.c src/engine/rules/condition.c
 * Parses: src/engine/rules/value.c
 *
 * Whatever is taken as a law is printed and read back to the same print; whatever is refused says
 * where and why.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fairway/rules.h"

static void round_trip(const struct rules_law *law, struct arena *mem)
{
	struct buf once, twice;
	const struct rules_law *back;
	buf_init(&once, 1 << 22);
	buf_init(&twice, 1 << 22);
	rules_law_print(law, &once);
	struct rules_file f = {"print", once.data, once.len};
	if (buf_failed(&once) || (once.len > 0 && rules_law_load(mem, &f, 1, &back, NULL) != 0))
		abort();
	if (once.len > 0) {
		rules_law_print(back, &twice);
		if (twice.len != once.len || memcmp(once.data, twice.data, once.len) != 0)
			abort();
	}
	buf_release(&once);
	buf_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem = arena_new(8 << 20);
	struct rules_file f = {"f", data, size};
	const struct rules_law *law;
	struct diag d = DIAG_INIT;
	if (mem == NULL)
		return 0;
	int err = rules_law_load(mem, &f, 1, &law, &d);
	if (err == 0)
		round_trip(law, mem);
	else if (d.code != err || d.text[0] == '\0')
		abort();
	arena_free(mem);
	return 0;
}
