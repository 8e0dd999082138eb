/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "text/charset.h"

#include <string.h>

#include "base/utf8.h"

static const uint16_t windows_1252[32] = {
	0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
	0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
};

const char *charset_name(enum charset c)
{
	static const char *const names[] = { "ASCII", "UTF-8", "UTF-16LE", "UTF-16BE", "Windows-1252" };
	return (size_t)c < sizeof(names) / sizeof(*names) ? names[c] : "?";
}

void charset_start(struct charset_in *c)
{
	*c = (struct charset_in){ .kind = CHARSET_UNDECIDED };
}

static void put(struct buf *out, uint32_t ch)
{
	uint8_t b[4];
	buf_put(out, b, utf8_encode(ch, b));
}

static void put_bad(struct charset_in *c, struct buf *out, uint64_t at)
{
	if (c->bad++ == 0)
		c->first_bad = at;
	put(out, 0xfffd);
}

/* How many bytes a UTF-8 character that begins with ${b} has; 0 if none begins so. */
static size_t utf8_len(uint8_t b)
{
	return b < 0x80 ? 1 : b < 0xc2 ? 0 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : b < 0xf5 ? 4 : 0;
}

/* Whether the bytes are cut off inside a character that is well-formed so far. */
static bool utf8_cut_short(const uint8_t *p, size_t n)
{
	if (n == 0 || utf8_len(p[0]) <= n)
		return false;
	/* Whether some ending would make it whole: try the two extremes of the next byte. */
	for (unsigned fill = 0x80; fill <= 0xbf; fill += 0x3f) {
		uint8_t t[4] = { 0x80, 0x80, 0x80, 0x80 };
		uint32_t ch;
		memcpy(t, p, n);
		t[n] = (uint8_t)fill;
		if (utf8_decode(t, 4, &ch) != 0)
			return true;
	}
	return false;
}

/* Bytes of a mark, with the kind it decides; SIZE_MAX when more bytes are needed to tell. */
static size_t look_for_mark(struct charset_in *c, const uint8_t *p, size_t n, bool last)
{
	static const struct {
		uint8_t mark[3], len;
		enum charset kind;
	} marks[] = {
		{ { 0xef, 0xbb, 0xbf }, 3, CHARSET_UTF8 },
		{ { 0xff, 0xfe }, 2, CHARSET_UTF16LE },
		{ { 0xfe, 0xff }, 2, CHARSET_UTF16BE },
	};
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		size_t m = n < marks[i].len ? n : marks[i].len;
		if (memcmp(p, marks[i].mark, m) != 0)
			continue;
		if (m < marks[i].len) {
			if (!last)
				return SIZE_MAX;
			continue;
		}
		c->kind = marks[i].kind;
		return m;
	}
	if (n < 4 && !last)
		return SIZE_MAX;
	if (n >= 4 && p[0] != 0 && p[1] == 0 && p[2] != 0 && p[3] == 0)
		c->kind = CHARSET_UTF16LE;
	else if (n >= 4 && p[0] == 0 && p[1] != 0 && p[2] == 0 && p[3] != 0)
		c->kind = CHARSET_UTF16BE;
	return 0;
}

static size_t ascii_run(const uint8_t *p, size_t n)
{
	size_t i = 0;
	while (i < n && p[i] < 0x80)
		i++;
	return i;
}

/* Decide by the first character above 0x7f, if there is one and it is whole. */
static void decide(struct charset_in *c, const uint8_t *p, size_t n, bool last)
{
	size_t i = ascii_run(p, n);
	uint32_t ch;
	if (i == n || (!last && utf8_cut_short(p + i, n - i)))
		return;
	c->kind = utf8_decode(p + i, n - i, &ch) != 0 ? CHARSET_UTF8 : CHARSET_WINDOWS_1252;
}

static void hold(struct charset_in *c, const uint8_t *p, size_t n)
{
	memcpy(c->held, p, n);
	c->nheld = (uint8_t)n;
}

/* The slow way through UTF-8: bad bytes replaced, a character cut at the end held back. */
static void repair_utf8(struct charset_in *c, const uint8_t *p, size_t n, bool last, uint64_t base,
			struct buf *out)
{
	size_t i = 0;
	while (i < n) {
		uint32_t ch;
		size_t len = utf8_decode(p + i, n - i, &ch);
		if (len == 0 && !last && utf8_cut_short(p + i, n - i)) {
			hold(c, p + i, n - i);
			return;
		}
		if (len == 0)
			put_bad(c, out, base + i++);
		else
			buf_put(out, p + i, len);
		i += len;
	}
}

static void from_1252(struct charset_in *c, const uint8_t *p, size_t n, uint64_t base, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] < 0x80)
			buf_u8(out, p[i]);
		else if (p[i] >= 0xa0)
			put(out, p[i]);
		else if (windows_1252[p[i] - 0x80] == 0xfffd)
			put_bad(c, out, base + i);
		else
			put(out, windows_1252[p[i] - 0x80]);
	}
}

static void from_utf16(struct charset_in *c, const uint8_t *p, size_t n, bool last, uint64_t base,
		       struct buf *out)
{
	unsigned hi = c->kind == CHARSET_UTF16BE ? 0 : 1;
	size_t i = 0;
	while (n - i >= 2) {
		uint32_t u = (uint32_t)p[i + hi] << 8 | p[i + 1 - hi];
		if (u < 0xd800 || u > 0xdfff) {
			put(out, u);
			i += 2;
			continue;
		}
		if (u < 0xdc00 && n - i < 4 && !last)
			break;
		uint32_t low = n - i >= 4 ? (uint32_t)p[i + 2 + hi] << 8 | p[i + 3 - hi] : 0;
		if (u < 0xdc00 && low >= 0xdc00 && low <= 0xdfff) {
			put(out, 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00));
			i += 4;
		} else {
			put_bad(c, out, base + i);
			i += 2;
		}
	}
	if (i < n && last)
		put_bad(c, out, base + i);
	else if (i < n)
		hold(c, p + i, n - i);
}

static void convert(struct charset_in *c, const uint8_t *p, size_t n, bool last, uint64_t base,
		    struct buf *out)
{
	size_t ascii;
	switch (c->kind) {
	case CHARSET_UNDECIDED: /* a character cut at the end may still decide either way */
		ascii = ascii_run(p, n);
		buf_put(out, p, ascii);
		hold(c, p + ascii, n - ascii);
		break;
	case CHARSET_UTF8:
		repair_utf8(c, p, n, last, base, out);
		break;
	case CHARSET_WINDOWS_1252:
		from_1252(c, p, n, base, out);
		break;
	case CHARSET_UTF16LE:
	case CHARSET_UTF16BE:
		from_utf16(c, p, n, last, base, out);
		break;
	}
}

/* How many more bytes would make whole what is held. */
static size_t wanted(const struct charset_in *c)
{
	if (!c->begun)
		return 4U - c->nheld;
	if (c->kind == CHARSET_UTF16LE || c->kind == CHARSET_UTF16BE)
		return c->nheld < 2 ? 2U - c->nheld : 4U - c->nheld;
	return utf8_len(c->held[0]) - c->nheld;
}

/* A piece with its mark and its kind looked at first. False: more bytes are needed to tell, and it is held. */
static bool begin(struct charset_in *c, const uint8_t **p, size_t *n, bool last, uint64_t *base)
{
	if (!c->begun && *n > 0) {
		size_t skip = look_for_mark(c, *p, *n, last);
		if (skip == SIZE_MAX) {
			hold(c, *p, *n);
			return false;
		}
		c->begun = true;
		*p += skip;
		*n -= skip;
		*base += skip;
	}
	if (c->kind == CHARSET_UNDECIDED)
		decide(c, *p, *n, last);
	return true;
}

int charset_next(struct charset_in *c, const uint8_t *p, size_t n, bool last, struct buf *scratch,
		 const uint8_t **ret_p, size_t *ret_n)
{
	buf_clear(scratch);
	uint64_t base = c->offset - c->nheld;
	c->offset += n;
	while (c->nheld > 0 && (n > 0 || last)) {
		uint8_t piece[8];
		const uint8_t *q = piece;
		size_t want = wanted(c), take = n < want ? n : want, len = c->nheld + take;
		memcpy(piece, c->held, c->nheld);
		if (take > 0) { /* at the end of the input ${p} may be NULL, and even NULL + 0 is undefined */
			memcpy(piece + c->nheld, p, take);
			p += take;
			n -= take;
		}
		c->nheld = 0;
		if (begin(c, &q, &len, last && n == 0, &base)) {
			convert(c, q, len, last && n == 0, base, scratch);
			base += len - c->nheld;
		}
	}
	if (n == 0) {
		*ret_p = scratch->data;
		*ret_n = scratch->len;
		return scratch->error;
	}
	if (!begin(c, &p, &n, last, &base))
		n = 0;
	bool as_is = c->kind == CHARSET_UNDECIDED || c->kind == CHARSET_UTF8;
	if (n == 0 || (as_is && scratch->len == 0 && utf8_valid(p, n))) {
		*ret_p = p;
		*ret_n = n;
		return 0;
	}
	convert(c, p, n, last, base, scratch);
	*ret_p = scratch->data;
	*ret_n = scratch->len;
	return scratch->error;
}
