/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reads a file of reports without processes, and gives its items to the test. */
#ifndef FW_TESTS_READING_H
#define FW_TESTS_READING_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "domain/report/report_reader.h"
#include "domain/report/report_record.h"

struct reading_test {
	const uint8_t *p;
	size_t n, step; /* bytes left; chunk, 0 for all at once */
	struct buf batch, all;
	uint8_t chunk[70000];
};

static int reading_test_next(void *arg, const uint8_t **ret_p, size_t *ret_n)
{
	struct reading_test *t = arg;
	size_t most = t->step != 0 ? t->step : sizeof(t->chunk), m = t->n < most ? t->n : most;
	if (m == 0)
		return 0;
	memcpy(t->chunk, t->p, m); /* what the parser holds is gone at the next call */
	t->p += m;
	t->n -= m;
	*ret_p = t->chunk;
	*ret_n = m;
	return 1;
}

static struct buf *reading_test_batch(void *arg)
{
	return &((struct reading_test *)arg)->batch;
}

static int reading_test_send(void *arg)
{
	struct reading_test *t = arg;
	if (t->batch.len > 0)
		buf_put(&t->all, t->batch.data, t->batch.len);
	buf_clear(&t->batch);
	return buf_failed(&t->all) ? t->all.error : 0;
}

/* The items of the file in *ret_all (to be released). The reading's result. */
static int reading_test_run(const void *p, size_t n, size_t step, const char *layout, struct buf *ret_all,
			    struct diag *d)
{
	static struct reading_test t;
	t.p = p;
	t.n = n;
	t.step = step;
	buf_init(&t.batch, BATCH_MAX);
	buf_init(&t.all, 256 << 20);
	const struct reading_io io = { reading_test_next, reading_test_batch, reading_test_send, &t };
	struct arena *mem = arena_new(8 << 20);
	int r = mem != NULL ? report_read(&io, layout, mem, d) : -12;
	arena_free(mem);
	buf_release(&t.batch);
	*ret_all = t.all;
	return r;
}

struct test_item {
	int kind;
	uint64_t row;
	char field[200], words[500]; /* of a row: nothing; of the header: layout, header */
	char original[4000];
};

/* The next item; a row's report goes into ${inc}. False at the end. */
static inline bool next_item(struct cursor *c, struct incident *inc, struct test_item *ret)
{
	if (cur_left(c) == 0)
		return false;
	size_t n;
	const uint8_t *p;
	*ret = (struct test_item){ .kind = cur_u8(c) };
	if (ret->kind != ITEM_HEADER)
		ret->row = cur_u64(c);
	if (ret->kind == ITEM_ROW) {
		n = cur_u32(c);
		struct cursor sub = cur_sub(c, n);
		assert_int_equal(record_get(&sub, inc), 0);
		assert_int_equal(cur_end(&sub), 0);
		return true;
	}
	p = cur_bytes(c, sizeof(ret->field) - 1, &n);
	memcpy(ret->field, p, n);
	p = cur_bytes(c, ret->kind == ITEM_HEADER ? ITEM_HEADER_MAX : sizeof(ret->words) - 1, &n);
	memcpy(ret->words, p, n < sizeof(ret->words) ? n : sizeof(ret->words) - 1);
	if (ret->kind == ITEM_REFUSED) {
		p = cur_bytes(c, ITEM_ORIGINAL_MAX, &n);
		memcpy(ret->original, p, n < sizeof(ret->original) ? n : sizeof(ret->original) - 1);
	}
	assert_int_equal(cur_error(c), 0);
	return true;
}

#endif
