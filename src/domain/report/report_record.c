/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "domain/report/report_record.h"

#include <string.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"

enum { END = 0xff };

/* Bytes of a set cell by kind; TEXT besides its bytes. */
static const uint8_t widths[] = {
	[TEXT] = 2, [UUID] = 16, [CODE] = 2, [ENUM] = 1, [SET] = 8, [COUNT] = 4,
	[INT] = 8,  [BOOL] = 1,  [DATE] = 4, [TIME] = 8, [DEG] = 4,
};

static size_t row_size(const struct block_row *row, const struct cell *cell)
{
	size_t n = (row->n + 7) / 8;
	for (size_t i = 0; i < row->n; i++)
		if (cell_set(&cell[i]))
			n += widths[row->fields[i].kind] + (row->fields[i].kind == TEXT ? (size_t)cell[i].i : 0U);
	return n;
}

static uint8_t *put_le(uint8_t *p, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*p++ = (uint8_t)(v >> (8 * i));
	return p;
}

static void put_row(struct buf *b, const struct block_row *row, const struct cell *cell)
{
	size_t size = row_size(row, cell), map = (row->n + 7) / 8;
	uint8_t *start = buf_reserve(b, size), *p;
	if (start == NULL)
		return;
	memset(start, 0, map);
	p = start + map;
	for (size_t i = 0; i < row->n; i++) {
		if (!cell_set(&cell[i]))
			continue;
		start[i / 8] |= (uint8_t)(1U << i % 8);
		unsigned kind = row->fields[i].kind;
		if (kind == UUID) {
			memcpy(p, cell[i].s, 16);
			p += 16;
			continue;
		}
		p = put_le(p, (uint64_t)cell[i].i, widths[kind]);
		if (kind == TEXT) {
			memcpy(p, cell[i].s, (size_t)cell[i].i);
			p += cell[i].i;
		}
	}
	buf_advance(b, size);
}

void record_put(struct buf *b, const struct incident *inc)
{
	buf_u8(b, RECORD_VERSION);
	for (unsigned i = 0; i < B_FIRST_MANY; i++)
		put_row(b, &blocks[i], inc->at[i]);
	for (unsigned i = B_FIRST_MANY; i < B_COUNT; i++) {
		if (inc->n[i] == 0)
			continue;
		buf_u8(b, (uint8_t)i);
		buf_u8(b, (uint8_t)inc->n[i]);
		for (size_t r = 0; r < inc->n[i]; r++)
			put_row(b, &blocks[i], incident_row(inc, i, r));
	}
	buf_u8(b, END);
}

static struct cell get_cell(struct cursor *c, const struct field *f)
{
	struct cell cell = CELL_ABSENT;
	switch ((enum field_kind)f->kind) {
	case TEXT:
		cell.i = cur_u16(c);
		cell.s = (const char *)cur_take(c, (size_t)cell.i);
		break;
	case UUID:
		cell.i = 16;
		cell.s = (const char *)cur_take(c, 16);
		break;
	case CODE:
		cell.i = cur_u16(c);
		break;
	case ENUM:
	case BOOL:
		cell.i = cur_u8(c);
		break;
	case COUNT:
	case DATE:
	case DEG:
		cell.i = (int32_t)cur_u32(c);
		break;
	case SET:
	case INT:
	case TIME:
		cell.i = cur_i64(c);
		break;
	}
	if (cur_error(c) == 0 && (!cell_set(&cell) || !cell_valid(f, &cell)))
		cur_fail(c, FW_EFORMAT);
	return cur_error(c) == 0 ? cell : CELL_ABSENT;
}

static void get_row(struct cursor *c, const struct block_row *row, struct cell *cell)
{
	const uint8_t *map = cur_take(c, (row->n + 7) / 8);
	if (map == NULL)
		return;
	for (size_t i = 0; i < row->n; i++)
		if (map[i / 8] & 1U << i % 8)
			cell[i] = get_cell(c, &row->fields[i]);
	if (row->n % 8 != 0 && map[row->n / 8] >> row->n % 8 != 0)
		cur_fail(c, FW_EFORMAT);
}

static void get_rows(struct cursor *c, struct incident *inc, unsigned b)
{
	size_t n = cur_u8(c);
	if (n == 0)
		cur_fail(c, FW_EFORMAT);
	for (size_t i = 0; i < n && cur_error(c) == 0; i++) {
		int r = 0;
		struct cell *cell = incident_add(inc, b, &r);
		if (cell == NULL)
			cur_fail(c, r == FW_ELIMIT ? FW_EFORMAT : r);
		else
			get_row(c, &blocks[b], cell);
	}
}

int record_get(struct cursor *c, struct incident *inc)
{
	incident_clear(inc);
	if (cur_u8(c) != RECORD_VERSION)
		cur_fail(c, FW_EFORMAT);
	for (unsigned b = 0; b < B_FIRST_MANY; b++)
		get_row(c, &blocks[b], inc->at[b]);
	for (unsigned last = B_FIRST_MANY - 1; cur_error(c) == 0;) {
		unsigned b = cur_u8(c);
		if (b == END)
			break;
		if (b <= last || b >= B_COUNT)
			cur_fail(c, FW_EFORMAT);
		else
			get_rows(c, inc, b);
		last = b;
	}
	return cur_error(c);
}
