/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Parses: src/tbl/settings.c
 * Whatever is taken as settings is written and read back to the same values.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "tbl/settings.h"

static void compare(const struct settings *a, const struct settings *b)
{
	char x[SETTING_TEXT_MAX], y[SETTING_TEXT_MAX];
	for (int i = 0; i < SETTING_COUNT; i++) {
		setting_text(a, &setting_rows[i], x, sizeof(x));
		setting_text(b, &setting_rows[i], y, sizeof(y));
		if (strcmp(x, y) != 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem = arena_new(1 << 20);
	struct settings s, back;
	struct diag d = DIAG_INIT;
	struct buf b;
	if (mem == NULL)
		return 0;
	buf_init(&b, SETTING_FILE_MAX);
	int err = settings_parse("/f", data, size, mem, &s, &d);
	if (err == 0) {
		settings_write(&s, &b);
		if (buf_failed(&b) || settings_parse("/f", b.data, b.len, mem, &back, NULL) != 0)
			abort();
		compare(&s, &back);
	} else if (d.code != err) {
		abort();
	}
	buf_release(&b);
	arena_free(mem);
	return 0;
}
