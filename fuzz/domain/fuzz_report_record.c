/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Parses: src/domain/report/report_record.c */
/* Any bytes as a record from a broken reader; what is taken must be written and taken again as the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "domain/report/report_record.h"

static int write_and_read(struct incident *inc, struct incident *again, struct buf *out)
{
	struct cursor c;
	record_put(out, inc);
	if (buf_failed(out))
		return 0;
	cur_init(&c, out->data, out->len);
	return record_get(&c, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct incident inc, again;
	struct buf first, second;
	struct cursor c;
	incident_init(&inc);
	incident_init(&again);
	buf_init(&first, 8 << 20);
	buf_init(&second, 8 << 20);
	cur_init(&c, data, n);
	if (record_get(&c, &inc) == 0) {
		if (write_and_read(&inc, &again, &first) != 0)
			abort();
		record_put(&second, &again);
		if (!buf_failed(&first) && (first.len != second.len || memcmp(first.data, second.data, first.len) != 0))
			abort();
	}
	buf_release(&first);
	buf_release(&second);
	incident_release(&inc);
	incident_release(&again);
	return 0;
}
