/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "codec/csv.h"

#include <errno.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/arena.h"
#include "base/err.h"

enum {
	BLOCK = 64,         /* bytes looked at together */
	CHUNK_MAX = 16 << 20,
	FIELDS_FIRST = 64,
	SNIFF = 64 * 1024,  /* a first line longer than this is judged by its beginning */
};

/* A field found so far, as offsets from the row's beginning, so that the buffer may move. */
struct span {
	uint32_t at, len;
	bool quoted;
};

enum where {
	AT_FIELD,   /* at the first byte of a field */
	IN_PLAIN,
	IN_QUOTED,
	AFTER_QUOTE, /* behind a closing quote */
};

struct csv {
	struct csv_limits limits;
	char sep;
	bool last, done, sniffed;
	bool skip_lf; /* the row before ended in CR: an LF that follows belongs to it */
	enum where where;

	uint8_t *data; /* owned; BLOCK readable bytes beyond len */
	size_t len, cap;
	size_t row_at;   /* where the present row begins */
	size_t scan;     /* next byte to look at */
	size_t field_at; /* where the present field's text begins */
	size_t write;    /* IN_QUOTED: where its unescaped text ends so far */
	size_t copied;   /* IN_QUOTED: bytes before this are at write already */

	uint64_t mask;   /* bytes that matter from block on; those before scan are gone */
	size_t block;    /* offset of the mask's bit 0; SIZE_MAX: none */

	uint64_t rows, line, row_line;
	uint64_t quote_line; /* where the present quoted field was opened */
	unsigned odd;
	struct span *span; /* owned */
	struct csv_field *field; /* owned, as many */
	size_t nspan, cspan;
};

int csv_new(char sep, const struct csv_limits *limits, struct csv **ret)
{
	struct csv *c = mem_alloc(sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	*c = (struct csv){ .sep = sep, .sniffed = sep != 0, .block = SIZE_MAX, .line = 1, .row_line = 1 };
	c->limits = limits != NULL ? *limits : (struct csv_limits){ CSV_ROW_MAX, CSV_FIELDS_MAX };
	c->span = mem_alloc(FIELDS_FIRST * sizeof(*c->span));
	c->field = mem_alloc(FIELDS_FIRST * sizeof(*c->field));
	c->cspan = FIELDS_FIRST;
	if (c->span == NULL || c->field == NULL) {
		csv_free(c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

void csv_free(struct csv *c)
{
	if (c == NULL)
		return;
	mem_free(c->data);
	mem_free(c->span);
	mem_free(c->field);
	mem_free(c);
}

char csv_separator(const struct csv *c)
{
	return c->sep;
}

int csv_feed(struct csv *c, const void *p, size_t n, bool last)
{
	if (n > CHUNK_MAX)
		return FW_ELIMIT;
	c->last = last;
	if (c->row_at > 0) { /* drop the rows that were given out */
		size_t gone = c->row_at;
		memmove(c->data, c->data + gone, c->len - gone);
		c->len -= gone;
		c->row_at = 0;
		c->scan -= gone;
		c->field_at -= gone;
		c->write -= c->where == IN_QUOTED || c->where == AFTER_QUOTE ? gone : 0;
		c->copied -= c->where == IN_QUOTED || c->where == AFTER_QUOTE ? gone : 0;
	}
	c->block = SIZE_MAX;
	if (c->len + n + BLOCK > c->cap) {
		size_t cap = c->cap * 2 > c->len + n + BLOCK ? c->cap * 2 : c->len + n + BLOCK;
		uint8_t *q = mem_realloc(c->data, cap);
		if (q == NULL)
			return -ENOMEM;
		c->data = q;
		c->cap = cap;
	}
	if (n > 0)
		memcpy(c->data + c->len, p, n);
	c->len += n;
	memset(c->data + c->len, 'x', BLOCK);
	return 0;
}

/* Bit i: byte p[i] is the separator, a quote, CR, LF or NUL. */
static uint64_t special_bytes(const uint8_t *p, char sep)
{
	uint64_t mask = 0;
#if defined(__SSE2__)
	const __m128i vs = _mm_set1_epi8(sep), vq = _mm_set1_epi8('"'), vr = _mm_set1_epi8('\r'),
		      vn = _mm_set1_epi8('\n'), v0 = _mm_setzero_si128();
	for (unsigned i = 0; i < BLOCK; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		__m128i m = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, vs), _mm_cmpeq_epi8(v, vq)),
					 _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, vr), _mm_cmpeq_epi8(v, vn)),
						      _mm_cmpeq_epi8(v, v0)));
		mask |= (uint64_t)(unsigned)_mm_movemask_epi8(m) << i;
	}
#else
	for (unsigned i = 0; i < BLOCK; i++) {
		bool s = p[i] == (uint8_t)sep || p[i] == '"' || p[i] == '\r' || p[i] == '\n' || p[i] == 0;
		mask |= (uint64_t)s << i;
	}
#endif
	return mask;
}

/* The next byte that matters at or after scan, or len. */
static inline size_t next_special(struct csv *c)
{
	for (;;) {
		if (c->block == SIZE_MAX || c->mask == 0) {
			size_t at = c->block == SIZE_MAX ? c->scan : c->block + BLOCK;
			at = at < c->scan ? c->scan : at;
			if (at >= c->len)
				return c->len;
			c->block = at;
			c->mask = special_bytes(c->data + at, c->sep);
			continue;
		}
		size_t at = c->block + (size_t)__builtin_ctzll(c->mask);
		if (at >= c->scan)
			return at < c->len ? at : c->len;
		c->mask &= c->mask - 1;
	}
}

static int grow_spans(struct csv *c)
{
	size_t cap = c->cspan * 2;
	struct span *s = mem_realloc(c->span, cap * sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	c->span = s;
	struct csv_field *f = mem_realloc(c->field, cap * sizeof(*f));
	if (f == NULL)
		return -ENOMEM;
	c->field = f;
	c->cspan = cap;
	return 0;
}

static int too_much(struct csv *c, struct diag *reterr, const char *what, size_t limit)
{
	c->done = true;
	diag_place(reterr, "line %llu, row %llu, column %zu", (unsigned long long)c->row_line,
		   (unsigned long long)c->rows + 1, c->nspan + 1);
	if (c->where == IN_QUOTED)
		return diag_set(reterr, FW_ELIMIT, "The row is longer than %zu %s; a quotation mark opened on line %llu is not closed.",
				limit, what, (unsigned long long)c->quote_line);
	return diag_set(reterr, FW_ELIMIT, "The row is longer than %zu %s.", limit, what);
}

/* A field ends at ${end}; its text is [field_at, end). */
static inline int end_field(struct csv *c, size_t end, bool quoted, struct diag *reterr)
{
	if (c->nspan == c->cspan || c->nspan == c->limits.fields) {
		if (c->nspan >= c->limits.fields)
			return too_much(c, reterr, "columns", c->limits.fields);
		int r = grow_spans(c);
		if (r < 0)
			return r;
	}
	c->span[c->nspan++] = (struct span){ (uint32_t)(c->field_at - c->row_at), (uint32_t)(end - c->field_at), quoted };
	return 0;
}

/* Bring the bytes up to ${upto} of a quoted field to where its text is gathered. */
static void gather(struct csv *c, size_t upto)
{
	size_t n = upto - c->copied;
	if (c->write != c->copied)
		memmove(c->data + c->write, c->data + c->copied, n);
	c->write += n;
	c->copied = upto;
}

/*
 * What the separator is, by the first line: the one that occurs most outside
 * quotes, the comma in doubt.  0 when the line is not whole and ${partial} is not enough.
 */
static char sniff(const uint8_t *p, size_t n, bool partial)
{
	static const char candidates[] = ",;\t|";
	unsigned count[sizeof(candidates) - 1] = { 0 };
	bool quoted = false, whole = partial;
	for (size_t i = 0; i < n; i++) {
		const char *s = p[i] != 0 ? memchr(candidates, p[i], sizeof(candidates) - 1) : NULL;
		if (p[i] == '"') {
			quoted = !quoted;
		} else if (s != NULL && !quoted) {
			count[s - candidates]++;
		} else if (!quoted && (p[i] == '\n' || p[i] == '\r')) {
			whole = true;
			break;
		}
	}
	size_t best = 0;
	for (size_t i = 1; i < sizeof(candidates) - 1; i++)
		best = count[i] > count[best] ? i : best;
	return whole ? candidates[best] : 0;
}

/* Whether the separator is settled; a line "sep=X" is eaten. */
static bool settle(struct csv *c)
{
	size_t n = c->len < SNIFF ? c->len : SNIFF;
	c->sep = sniff(c->data, n, c->last || c->len >= SNIFF);
	if (c->sep == 0)
		return false;
	if (n >= 6 && memcmp(c->data, "sep=", 4) == 0 && (c->data[5] == '\r' || c->data[5] == '\n') &&
	    memchr(",;\t|", c->data[4], 4) != NULL) {
		c->sep = (char)c->data[4];
		c->skip_lf = c->data[5] == '\r';
		c->row_at = c->scan = 6;
		c->rows = 1;
		c->line = c->row_line = 2;
	}
	c->sniffed = true;
	return true;
}

static void give(struct csv *c, struct csv_row *ret)
{
	const char *base = (const char *)c->data + c->row_at;
	for (size_t i = 0; i < c->nspan; i++)
		c->field[i] = (struct csv_field){ base + c->span[i].at, c->span[i].len, c->span[i].quoted };
	*ret = (struct csv_row){ c->field, c->nspan, c->rows, c->row_line, c->odd };
}

/* The row ends; the next begins at ${next}. 1: *ret holds it; 0: it was an empty line. */
static int end_row(struct csv *c, size_t next, struct csv_row *ret)
{
	bool empty = c->nspan == 1 && c->span[0].len == 0 && !c->span[0].quoted;
	c->rows++;
	if (!empty)
		give(c, ret);
	c->row_at = c->scan = next;
	c->row_line = c->line;
	c->where = AT_FIELD;
	c->nspan = 0;
	c->odd = 0;
	return !empty;
}

/* At the end of all bytes: what stands there is a last row, if anything does. */
static int finish(struct csv *c, struct csv_row *ret, struct diag *reterr)
{
	int r;
	c->done = true;
	if (c->where == AT_FIELD && c->nspan == 0)
		return 0;
	if (c->where == IN_QUOTED || c->where == AFTER_QUOTE) {
		c->odd |= c->where == IN_QUOTED ? CSV_OPEN_QUOTE : 0;
		gather(c, c->len);
		r = end_field(c, c->write, true, reterr);
	} else {
		c->field_at = c->where == AT_FIELD ? c->len : c->field_at;
		r = end_field(c, c->len, false, reterr);
	}
	return r < 0 ? r : end_row(c, c->len, ret);
}

/* Begin the field at scan. */
static inline void begin_field(struct csv *c)
{
	c->field_at = c->scan;
	c->where = IN_PLAIN;
	if (c->data[c->scan] == '"') {
		c->where = IN_QUOTED;
		c->field_at = c->write = c->copied = ++c->scan;
		c->quote_line = c->line;
	}
}

/* A byte that matters inside quotes, at ${at}. 1: go on; 0: the byte after it must be seen first. */
static int quoted_special(struct csv *c, size_t at)
{
	uint8_t b = c->data[at];
	if ((b == '"' || b == '\r') && at + 1 == c->len && !c->last)
		return 0;
	if (b == '"') {
		gather(c, at);
		if (at + 1 < c->len && c->data[at + 1] == '"') { /* two mean one */
			c->copied = at + 1;
			c->scan = at + 2;
			gather(c, at + 2);
			return 1;
		}
		c->copied = at + 1;
		c->where = AFTER_QUOTE;
	} else if (b == '\n' || (b == '\r' && (at + 1 == c->len || c->data[at + 1] != '\n'))) {
		c->line++;
	} else if (b == 0) {
		c->odd |= CSV_NUL;
	}
	c->scan = at + 1;
	return 1;
}

/* The byte at ${at} ends a field, and a row unless it is the separator. 1: *ret; 0: go on; negative. */
static inline int end_special(struct csv *c, size_t at, struct csv_row *ret, struct diag *reterr)
{
	bool quoted = c->where == AFTER_QUOTE;
	uint8_t b = c->data[at];
	if (quoted && c->copied != at) {
		c->odd |= CSV_STRAY_QUOTE;
		gather(c, at);
	}
	int r = end_field(c, quoted ? c->write : at, quoted, reterr);
	if (r < 0)
		return r;
	c->scan = at + 1;
	c->where = AT_FIELD;
	if (b == (uint8_t)c->sep)
		return 0;
	c->line++;
	c->skip_lf = b == '\r';
	return end_row(c, at + 1, ret);
}

int csv_next(struct csv *c, struct csv_row *ret, struct diag *reterr)
{
	if (c->done || (!c->sniffed && !settle(c)))
		return 0;
	for (;;) {
		if (c->where == AT_FIELD) {
			if (c->scan >= c->len)
				return c->last ? finish(c, ret, reterr) : 0;
			if (c->skip_lf && c->nspan == 0 && c->data[c->scan] == '\n')
				c->row_at = ++c->scan;
			c->skip_lf = false;
			if (c->scan >= c->len)
				continue;
			begin_field(c);
		}
		size_t at = next_special(c);
		if (at - c->row_at > c->limits.row)
			return too_much(c, reterr, "bytes", c->limits.row);
		if (at == c->len) {
			c->scan = at;
			return c->last ? finish(c, ret, reterr) : 0;
		}
		uint8_t b = c->data[at];
		if (c->where == IN_QUOTED) {
			if (quoted_special(c, at) == 0) {
				c->scan = at;
				return 0;
			}
		} else if (b == '"' || b == 0) {
			c->odd |= b == 0 ? CSV_NUL : CSV_STRAY_QUOTE;
			c->scan = at + 1;
		} else {
			int r = end_special(c, at, ret, reterr);
			if (r != 0)
				return r;
		}
	}
}

bool csv_is_formula(const char *p, size_t n)
{
	static const char *const wide[] = { "\uff1d", "\uff0b", "\uff0d", "\uff20" };
	size_t i = 0;
	while (i < n && (p[i] == ' ' || p[i] == '\n'))
		i++;
	if (i == n)
		return false;
	for (size_t w = 0; w < sizeof(wide) / sizeof(*wide); w++)
		if (n - i >= 3 && memcmp(p + i, wide[w], 3) == 0)
			return true;
	if (memchr("=+-@\t\r", p[i], 6) == NULL)
		return false;
	/* A sign and a plain number is no formula. */
	bool digit = false, point = false;
	size_t j = i + 1;
	if (p[i] != '+' && p[i] != '-')
		return true;
	for (; j < n && ((p[j] >= '0' && p[j] <= '9') || (p[j] == '.' && !point)); j++) {
		digit = digit || p[j] != '.';
		point = point || p[j] == '.';
	}
	return !(digit && j == n && i == 0);
}

void csv_put(struct buf *out, const char *p, size_t n, char sep, bool guard)
{
	bool formula = guard && csv_is_formula(p, n);
	bool quote = n > 0 && (formula || p[0] == ' ' || p[n - 1] == ' ');
	for (size_t i = 0; i < n && !quote; i++)
		quote = p[i] == sep || p[i] == '"' || p[i] == '\n' || p[i] == '\r' || p[i] == 0;
	if (!quote) {
		buf_put(out, p, n);
		return;
	}
	buf_putc(out, '"');
	if (formula)
		buf_putc(out, '\'');
	size_t from = 0;
	for (size_t i = 0; i < n; i++)
		if (p[i] == '"') {
			buf_put(out, p + from, i + 1 - from);
			from = i;
		}
	buf_put(out, p + from, n - from);
	buf_putc(out, '"');
}

void csv_puts(struct buf *out, const char *s, char sep, bool guard)
{
	csv_put(out, s != NULL ? s : "", s != NULL ? strlen(s) : 0, sep, guard);
}
