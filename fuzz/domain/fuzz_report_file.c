/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Parses: src/domain/report/layout_mmp.c src/domain/report/layout_jsonl.c src/domain/report/report_record.c */
/*
 * A whole file as a reader process sees it, in pieces as the first byte says.
 * Whatever is read must come out as records that the worker's side takes.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "domain/report/report_reader.h"
#include "domain/report/report_record.h"

struct input {
	const uint8_t *p;
	size_t left, piece;
	struct buf batch;
	struct incident inc;
};

static int next(void *arg, const uint8_t **ret_p, size_t *ret_n)
{
	struct input *in = arg;
	size_t n = in->left < in->piece ? in->left : in->piece;
	*ret_p = in->p;
	*ret_n = n;
	in->p += n;
	in->left -= n;
	return n > 0;
}

static struct buf *batch(void *arg)
{
	return &((struct input *)arg)->batch;
}

/* Each item of a batch by the form that report_reader.h gives. */
static int send_batch(void *arg)
{
	struct input *in = arg;
	struct cursor c;
	size_t n;
	cur_init(&c, in->batch.data, in->batch.len);
	while (cur_left(&c) > 0) {
		uint8_t kind = cur_u8(&c);
		if (kind != ITEM_HEADER)
			(void)cur_u64(&c);
		if (kind == ITEM_HEADER || kind == ITEM_REFUSED || kind == ITEM_NOTE)
			(void)cur_bytes(&c, ITEM_FIELD_MAX, &n);
		if (kind == ITEM_REFUSED || kind == ITEM_NOTE)
			(void)cur_bytes(&c, ITEM_WORDS_MAX, &n);
		if (kind == ITEM_HEADER || kind == ITEM_REFUSED)
			(void)cur_bytes(&c, ITEM_ORIGINAL_MAX, &n);
		if (kind == ITEM_ROW) {
			const uint8_t *p = cur_bytes(&c, RECORD_MAX, &n);
			struct cursor record;
			cur_init(&record, p, n);
			incident_clear(&in->inc);
			if (p == NULL || record_get(&record, &in->inc) != 0)
				abort();
		}
		if (kind < ITEM_HEADER || kind > ITEM_NOTE)
			abort();
	}
	if (cur_error(&c) != 0)
		abort();
	buf_clear(&in->batch);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 1)
		return 0;
	struct input in = { .p = data + 1, .left = n - 1, .piece = (size_t)data[0] * 16 + 1 };
	const struct reading_io io = { .next = next, .batch = batch, .send = send_batch, .arg = &in };
	struct arena *mem = arena_new(16 << 20);
	if (mem == NULL)
		return 0;
	buf_init(&in.batch, BATCH_MAX);
	incident_init(&in.inc);
	(void)report_read(&io, "", mem, NULL);
	if (!buf_failed(&in.batch))
		(void)send_batch(&in);
	incident_release(&in.inc);
	buf_release(&in.batch);
	arena_free(mem);
	return 0;
}
