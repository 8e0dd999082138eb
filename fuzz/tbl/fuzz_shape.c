/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Parses: src/tbl/shape.c
 * The first byte chooses a shape that goes in, the rest is a body for it; and
 * the same bytes as a text of each query parameter there is.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "codec/json.h"
#include "tbl/find.h"
#include "tbl/shape.h"

static void body(const struct shape *s, const uint8_t *data, size_t size)
{
	struct diag d = DIAG_INIT;
	json_t *v = NULL;
	if (json_parse(data, size, &v, NULL) != 0)
		return;
	int err = shape_check(s, v, &d);
	if (err == 0 && shape_check(s, v, NULL) != 0)
		abort();
	if (err != 0 && d.code != err)
		abort();
	json_decref(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	body(&shapes[data[0] % SHAPES_COUNT], data + 1, size - 1);
	char *text = mem_alloc(size);
	if (text == NULL)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	for (int r = 0; r < ROUTE_COUNT; r++)
		for (size_t q = 0; q < route_rows[r].nqueries; q++)
			(void)value_check_text(&route_rows[r].queries[q].value, "q", text, NULL);
	mem_free(text);
	return 0;
}
