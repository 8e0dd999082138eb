/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <string.h>

#include "codec/json.h"
#include "domain/report/report_json.h"
#include "tbl/codebook/codebook.h"

size_t deg_format(int64_t deg, char out[DEG_TEXT_LEN + 1])
{
	char digits[DEG_TEXT_LEN + 8];
	size_t n = 0, len = 0;
	uint64_t v = deg < 0 ? (uint64_t)-deg : (uint64_t)deg;
	while (n < 8 || v > 0) { /* seven places and at least one digit before the point */
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	}
	size_t low = 0;
	while (low < 7 && digits[low] == '0')
		low++;
	if (deg < 0)
		out[len++] = '-';
	for (size_t i = n; i > low && len < DEG_TEXT_LEN; i--) {
		if (i == 7)
			out[len++] = '.';
		out[len++] = digits[i - 1];
	}
	out[len] = '\0';
	return len;
}

static void write_set(struct jw *w, int book, uint64_t bits)
{
	jw_array(w);
	for (int i = 0; bits != 0; i++, bits >>= 1)
		if (bits & 1)
			jw_string(w, codebook_code(book, i));
	jw_end(w);
}

static void write_value(struct jw *w, const struct field *f, const struct cell *c)
{
	struct uuid u;
	char text[DEG_TEXT_LEN + 1];
	switch ((enum field_kind)f->kind) {
	case TEXT:
		jw_stringn(w, c->s, (size_t)c->i);
		break;
	case UUID:
		memcpy(u.b, c->s, 16);
		jw_uuid(w, &u);
		break;
	case CODE:
		jw_string(w, codebook_code(f->arg, (int)c->i));
		break;
	case ENUM:
		jw_string(w, choices[f->arg][c->i]);
		break;
	case SET:
		write_set(w, f->arg, (uint64_t)c->i);
		break;
	case COUNT:
		if (c->i == COUNT_UNKNOWN || c->i == COUNT_WITHHELD)
			jw_string(w, c->i == COUNT_UNKNOWN ? "unknown" : "withheld");
		else
			jw_i64(w, c->i);
		break;
	case INT:
		jw_i64(w, c->i);
		break;
	case BOOL:
		jw_bool(w, c->i != 0);
		break;
	case DATE:
		jw_date(w, date_unpack(c->i));
		break;
	case TIME:
		jw_time(w, c->i);
		break;
	case DEG:
		jw_raw(w, text, deg_format(c->i, text));
		break;
	}
}

static void write_row(struct jw *w, const struct block_row *block, const struct cell *cell)
{
	if (block->fields[0].name[0] == '\0') {
		write_value(w, &block->fields[0], &cell[0]);
		return;
	}
	jw_object(w);
	for (size_t i = 0; i < block->n; i++) {
		const struct field *f = &block->fields[i];
		if (cell_set(&cell[i])) {
			jw_name(w, f->name);
			write_value(w, f, &cell[i]);
		} else if (f->kind == COUNT && strcmp(f->name, "count") == 0) {
			jw_put_string(w, f->name, "not_collected"); /* a row says why it has no number */
		}
	}
	jw_end(w);
}

static bool item_set(const struct incident *inc, const struct json_item *item)
{
	if (item->field < 0)
		return inc->n[item->block] > 0;
	return cell_set(&inc->at[item->block][item->field]);
}

static void write_item(struct jw *w, const struct incident *inc, const struct json_item *item)
{
	jw_name(w, item->name);
	if (item->field >= 0) {
		write_value(w, &blocks[item->block].fields[item->field], &inc->at[item->block][item->field]);
		return;
	}
	jw_array(w);
	for (size_t i = 0; i < inc->n[item->block]; i++)
		write_row(w, &blocks[item->block], incident_row(inc, item->block, i));
	jw_end(w);
}

/* Groups that an answer always has, empty or not. */
static bool always(const char *group, bool provenance)
{
	return strcmp(group, "when") == 0 || strcmp(group, "place") == 0 || strcmp(group, "counts") == 0 ||
	       (provenance && strcmp(group, "provenance") == 0);
}

void incident_write(struct jw *w, const struct incident *inc, void (*provenance)(struct jw *w, void *arg), void *arg)
{
	for (size_t i = 0; i < json_item_count;) {
		const char *group = json_items[i].group;
		size_t end = i + 1;
		if (group[0] == '\0') {
			if (item_set(inc, &json_items[i]))
				write_item(w, inc, &json_items[i]);
			i = end;
			continue;
		}
		bool any = always(group, provenance != NULL) || item_set(inc, &json_items[i]);
		for (; end < json_item_count && strcmp(json_items[end].group, group) == 0; end++)
			any = any || item_set(inc, &json_items[end]);
		if (any) {
			jw_name(w, group);
			jw_object(w);
			for (; i < end; i++)
				if (item_set(inc, &json_items[i]))
					write_item(w, inc, &json_items[i]);
			if (provenance != NULL && strcmp(group, "provenance") == 0)
				provenance(w, arg);
			jw_end(w);
		}
		i = end;
	}
}
