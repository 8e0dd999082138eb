/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "domain/report/report_reader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "codec/csv.h"
#include "codec/gz.h"
#include "domain/report/report_record.h"
#include "domain/report/report_validate.h"
#include "text/charset.h"

enum {
	UNPACK = 256 * 1024,
	LINE_MAX_BYTES = 1 << 20,
};

struct pipe {
	const struct reading_io *io;
	struct arena *mem;
	struct diag *reterr;
	const char *wanted;
	/* unpacking */
	bool begun;
	struct gz *gz;
	uint8_t *room; /* of UNPACK bytes */
	/* characters */
	struct charset_in charset;
	struct buf scratch;
	/* layout */
	bool chosen, json;
	struct csv *csv;
	struct mmp *mmp;
	size_t skip;      /* columns before the row itself: what was said when it was refused */
	bool table_lines; /* a table whose one column is a line of JSON */
	struct buf line;  /* of JSON: not yet whole */
	size_t looked;    /* of line: no end of a line before this */
	uint64_t row;     /* of JSON: lines seen */
	struct incident inc;
	struct buf record;   /* of JSON: the line as it is read */
	struct buf original; /* a row as it stood */
	bool shortened;      /* ... but for cells that were cut */
};

/* ---- what goes out ---- */

static int item_done(struct pipe *p)
{
	struct buf *b = p->io->batch(p->io->arg);
	if (buf_failed(&p->original))
		return p->original.error;
	if (buf_failed(b))
		return b->error;
	return b->len >= BATCH_SEND ? p->io->send(p->io->arg) : 0;
}

static void put_words(struct buf *b, const char *s, size_t max)
{
	size_t n = strlen(s);
	buf_bytes(b, s, n > max ? utf8_cut(s, max) : n);
}

static int put_header(struct pipe *p, const char *layout)
{
	struct buf *b = p->io->batch(p->io->arg);
	buf_u8(b, ITEM_HEADER);
	buf_str(b, layout);
	buf_bytes(b, p->original.data, p->original.len);
	return item_done(p);
}

static int put_refused(struct pipe *p, uint64_t row, const struct refusal *why)
{
	struct buf *b = p->io->batch(p->io->arg);
	char reason[2 * ITEM_WORDS_MAX];
	(void)snprintf(reason, sizeof(reason), "%s%s", p->shortened ? "The row is too long to come back whole and is shortened here. " : "",
		       why->reason != NULL ? why->reason : "");
	buf_u8(b, ITEM_REFUSED);
	buf_u64(b, row);
	put_words(b, why->field != NULL ? why->field : "", ITEM_FIELD_MAX);
	put_words(b, reason, ITEM_WORDS_MAX);
	buf_bytes(b, p->original.data, p->original.len);
	return item_done(p);
}

static int put_note(struct pipe *p, uint64_t row, const char *field, const char *words)
{
	struct buf *b = p->io->batch(p->io->arg);
	buf_u8(b, ITEM_NOTE);
	buf_u64(b, row);
	put_words(b, field, ITEM_FIELD_MAX);
	put_words(b, words, ITEM_WORDS_MAX);
	return item_done(p);
}

static int put_row(struct pipe *p, uint64_t row)
{
	struct buf *b = p->io->batch(p->io->arg);
	buf_u8(b, ITEM_ROW);
	buf_u64(b, row);
	size_t at = b->len;
	buf_u32(b, 0);
	record_put(b, &p->inc);
	if (!buf_failed(b))
		buf_set_u32(b, at, (uint32_t)(b->len - at - 4));
	return item_done(p);
}

static void put_fields(struct buf *out, const struct csv_field *field, size_t n, size_t longest)
{
	buf_clear(out);
	for (size_t i = 0; i < n; i++) {
		const struct csv_field *f = &field[i];
		if (i > 0)
			buf_putc(out, ',');
		csv_put(out, f->p, f->n <= longest ? f->n : utf8_cut(f->p, longest), ',', true);
	}
	for (size_t i = 0; i < out->len; i++) /* no store takes a NUL in a text */
		if (out->data[i] == '\0')
			out->data[i] = '?';
}

/*
 * A row as it stood, as a line of CSV that a spreadsheet may open, of at most
 * ${max} bytes.  One that is longer is cut within its longest cells, never
 * across them: a quotation mark left open would swallow the rows behind it.
 */
static void keep_original(struct pipe *p, const struct csv_field *field, size_t n, size_t max)
{
	size_t longest = CSV_ROW_MAX;
	put_fields(&p->original, field, n, longest);
	p->shortened = p->original.len > max;
	while (p->original.len > max && !buf_failed(&p->original))
		put_fields(&p->original, field, n, longest /= 2);
}

/* ---- a table ---- */

/* What a row that comes back has before it (report_import_routes.c); it is not part of the row when it is handed in again. */
static const char *const said[] = { "fairway_row", "fairway_column", "fairway_reason" };
enum { SAID = sizeof(said) / sizeof(*said) };

static bool field_is(const struct csv_field *f, const char *s)
{
	return f->n == strlen(s) && memcmp(f->p, s, f->n) == 0;
}

static struct csv_row without_said(const struct pipe *p, const struct csv_row *row)
{
	struct csv_row r = *row;
	size_t skip = p->skip < row->n ? p->skip : row->n;
	r.field += skip;
	r.n -= skip;
	return r;
}

static int check_wanted(struct pipe *p, const char *layout)
{
	if (p->wanted[0] == '\0' || strcmp(p->wanted, layout) == 0)
		return 0;
	return diag_set(p->reterr, FW_EINVALID, "The file has the layout %s, not %s as was said.", layout, p->wanted);
}

static int recognise_table(struct pipe *p, const struct csv_row *whole)
{
	const char *layout = "fairway";
	int r = 0;
	while (p->skip < SAID && p->skip < whole->n && field_is(&whole->field[p->skip], said[p->skip]))
		p->skip++;
	p->skip = p->skip == SAID ? SAID : 0;
	struct csv_row header = without_said(p, whole);
	p->table_lines = p->skip == SAID && header.n == 1 && field_is(&header.field[0], "line");
	keep_original(p, header.field, header.n, ITEM_HEADER_MAX);
	if (!p->table_lines)
		r = mmp_recognise(&header, p->mem, &p->mmp, &layout);
	if (r == FW_EFORMAT) {
		diag_place(p->reterr, "row %llu", (unsigned long long)header.row);
		return diag_set(p->reterr, FW_EFORMAT,
				"The header names no layout that is known. Known are the tables of IOM's Missing Migrants "
				"Project and JSON Lines as export writes them.");
	}
	if (r == 0)
		r = check_wanted(p, layout);
	return r < 0 ? r : put_header(p, layout);
}

/* What a layout gave must make sense as a whole: refused here, the row can go back as it stood. */
static int validate(struct pipe *p, struct refusal *why)
{
	struct diag d = DIAG_INIT;
	if (report_validate(&p->inc, &d) == 0)
		return 0;
	why->field = arena_strdup(p->mem, d.place);
	why->reason = arena_strdup(p->mem, d.text);
	return arena_failed(p->mem) ? -ENOMEM : 1;
}

/* ---- lines of JSON ---- */

static int json_line(struct pipe *p, uint64_t row, const char *line, size_t n)
{
	struct refusal why = { NULL, NULL };
	while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == ' '))
		n--;
	if (n == 0)
		return 0;
	struct arena_mark mark = arena_mark(p->mem);
	buf_clear(&p->record); /* reading writes to the line: a copy is read */
	buf_put(&p->record, line, n);
	if (buf_failed(&p->record))
		return p->record.error;
	int r = jsonl_row((char *)p->record.data, n, &p->inc, p->mem, &why);
	if (r == 0)
		r = validate(p, &why);
	if (r == 0) {
		r = put_row(p, row);
	} else if (r == 1) {
		const struct csv_field whole = { line, n, false };
		keep_original(p, &whole, 1, ITEM_ORIGINAL_MAX);
		r = put_refused(p, row, &why);
	}
	arena_release(p->mem, mark);
	return r;
}

/* ---- rows of a table ---- */

/* A line of JSON that was refused and mended in a spreadsheet. */
static int table_line(struct pipe *p, const struct csv_row *row)
{
	struct csv_field f = row->n > 0 ? row->field[0] : (struct csv_field){ "", 0, false };
	bool guarded = f.n >= 2 && f.p[0] == '\'' && csv_is_formula(f.p + 1, f.n - 1);
	return json_line(p, row->row, f.p + guarded, f.n - guarded);
}

static int table_row(struct pipe *p, const struct csv_row *whole)
{
	struct refusal why = { NULL, NULL };
	if (p->mmp == NULL && !p->table_lines)
		return recognise_table(p, whole);
	struct csv_row row = without_said(p, whole);
	if (p->table_lines)
		return table_line(p, &row);
	struct arena_mark mark = arena_mark(p->mem);
	int r = mmp_row(p->mmp, &row, &p->inc, &why);
	if (r == 0)
		r = validate(p, &why);
	if (r == 0) {
		r = put_row(p, row.row);
	} else if (r == 1) {
		keep_original(p, row.field, row.n, ITEM_ORIGINAL_MAX);
		r = put_refused(p, row.row, &why);
	}
	arena_release(p->mem, mark);
	return r;
}

static int feed_table(struct pipe *p, const uint8_t *bytes, size_t n, bool last)
{
	struct csv_row row;
	int r = csv_feed(p->csv, bytes, n, last);
	while (r == 0 && (r = csv_next(p->csv, &row, p->reterr)) == 1)
		r = table_row(p, &row);
	return r;
}

/* ---- lines of a file ---- */

static int feed_json(struct pipe *p, const uint8_t *bytes, size_t n, bool last)
{
	if (n > 0)
		buf_put(&p->line, bytes, n);
	if (buf_failed(&p->line))
		return p->line.error;
	size_t at = 0;
	int r = 0;
	while (r == 0) {
		uint8_t *from = p->line.data + at + p->looked;
		size_t left = p->line.len - at - p->looked;
		uint8_t *end = left > 0 ? memchr(from, '\n', left) : NULL;
		if (end == NULL)
			break;
		size_t len = (size_t)(end - (p->line.data + at));
		r = json_line(p, ++p->row, (char *)p->line.data + at, len);
		at += len + 1;
		p->looked = 0;
	}
	if (r == 0 && last && p->line.len > at)
		r = json_line(p, ++p->row, (char *)p->line.data + at, p->line.len - at);
	if (at > 0)
		buf_consume(&p->line, at);
	p->looked = p->line.len;
	if (r == 0 && !last && p->line.len > LINE_MAX_BYTES) {
		diag_place(p->reterr, "row %llu", (unsigned long long)p->row + 1);
		return diag_set(p->reterr, FW_ELIMIT, "The line is longer than %d bytes.", LINE_MAX_BYTES);
	}
	return r;
}

/* ---- from bytes to text ---- */

/* By the first character of the text. */
static int choose_layout(struct pipe *p, const uint8_t *bytes, size_t n)
{
	size_t i = 0;
	while (i < n && (bytes[i] == ' ' || bytes[i] == '\n' || bytes[i] == '\r' || bytes[i] == '\t'))
		i++;
	if (i == n)
		return 0;
	p->chosen = true;
	p->json = bytes[i] == '{';
	if (!p->json)
		return csv_new(0, NULL, &p->csv);
	int r = check_wanted(p, "fairway");
	buf_clear(&p->original);
	buf_puts(&p->original, "line");
	return r < 0 ? r : put_header(p, "fairway");
}

static int feed_text(struct pipe *p, const uint8_t *bytes, size_t n, bool last)
{
	const uint8_t *text;
	size_t len;
	int r = charset_next(&p->charset, bytes, n, last, &p->scratch, &text, &len);
	if (r == 0 && !p->chosen)
		r = choose_layout(p, text, len);
	if (r < 0 || !p->chosen)
		return r;
	return p->json ? feed_json(p, text, len, last) : feed_table(p, text, len, last);
}

static int feed_packed(struct pipe *p, const uint8_t *bytes, size_t n)
{
	size_t got = UNPACK;
	int r = 0;
	while (r == 0 && (n > 0 || got == UNPACK)) {
		r = gz_next(p->gz, &bytes, &n, p->room, UNPACK, &got, p->reterr);
		if (r == 0 && got > 0)
			r = feed_text(p, p->room, got, false);
	}
	return r;
}

static int feed(struct pipe *p, const uint8_t *bytes, size_t n)
{
	if (!p->begun) {
		p->begun = true;
		if (gz_recognised(bytes, n)) {
			p->room = arena_alloc(p->mem, UNPACK);
			int r = p->room != NULL ? gz_new((uint64_t)UNPACKED_MAX_GB << 30, &p->gz) : -ENOMEM;
			if (r < 0)
				return r;
		}
	}
	return p->gz != NULL ? feed_packed(p, bytes, n) : feed_text(p, bytes, n, false);
}

static int finish(struct pipe *p)
{
	int r = p->gz != NULL ? gz_end(p->gz, p->reterr) : 0;
	if (r == 0)
		r = feed_text(p, NULL, 0, true);
	if (r == 0 && (!p->chosen || (!p->json && p->mmp == NULL && !p->table_lines)))
		return diag_set(p->reterr, FW_EFORMAT, "The file is empty.");
	if (r == 0 && p->charset.bad > 0) {
		char words[200];
		(void)snprintf(words, sizeof(words), "%llu bytes are no characters of %s, the first at byte %llu; they read as U+FFFD.",
			       (unsigned long long)p->charset.bad, charset_name(p->charset.kind),
			       (unsigned long long)p->charset.first_bad);
		r = put_note(p, 1, "", words);
	}
	return r == 0 ? p->io->send(p->io->arg) : r;
}

int report_read(const struct reading_io *io, const char *layout, struct arena *mem, struct diag *reterr)
{
	struct pipe p = { .io = io, .mem = mem, .reterr = reterr, .wanted = layout };
	const uint8_t *bytes;
	size_t n;
	int r;
	charset_start(&p.charset);
	buf_init(&p.scratch, 3 * UNPACK * 16);
	buf_init(&p.line, LINE_MAX_BYTES + (4 << 20));
	buf_init(&p.original, LINE_MAX_BYTES * 3);
	buf_init(&p.record, LINE_MAX_BYTES + (4 << 20));
	incident_init(&p.inc);
	while ((r = io->next(io->arg, &bytes, &n)) == 1) {
		r = feed(&p, bytes, n);
		if (r < 0)
			break;
	}
	if (r == 0)
		r = finish(&p);
	incident_release(&p.inc);
	csv_free(p.csv);
	mmp_free(p.mmp);
	gz_free(p.gz);
	buf_release(&p.scratch);
	buf_release(&p.line);
	buf_release(&p.original);
	buf_release(&p.record);
	return r;
}
