/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"
#include "fairway/rules.h"
int main(void) {
	struct arena *mem = arena_new(8 << 20);
	static char text[100000];
	FILE *f = fopen("/tmp/wt/rules/tests/unit/engine/carriage.rules", "rb");
	size_t n = fread(text, 1, sizeof(text), f);
	struct rules_file rf = {"carriage.rules", text, n};
	const struct rules_law *law; struct diag d = DIAG_INIT;
	int err = rules_law_load(mem, &rf, 1, &law, &d);
	printf("%d %s: %s\n", err, d.place, d.text);
	if (err == 0) { struct buf b; buf_init(&b, 1 << 20); rules_law_print(law, &b); fwrite(b.data, 1, b.len, stdout); }
	return 0;
}
