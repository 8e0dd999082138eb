/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "codec/json_pull.h"

#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/err.h"
#include "base/utf8.h"

void jp_init(struct jp *j, char *text, size_t n)
{
	*j = (struct jp){ .p = text, .start = text, .end = text + n };
}

void jp_fail(struct jp *j, int error, const char *what)
{
	if (j->error == 0) {
		j->error = error;
		j->what = what;
	}
}

static inline void blanks(struct jp *j)
{
	while (j->p < j->end && (*j->p == ' ' || *j->p == '\n' || *j->p == '\r' || *j->p == '\t'))
		j->p++;
}

enum jp_kind jp_peek(struct jp *j)
{
	if (j->error != 0)
		return JP_END;
	blanks(j);
	if (j->p == j->end)
		return JP_END;
	switch (*j->p) {
	case '{':
		return JP_OBJECT;
	case '[':
		return JP_ARRAY;
	case '"':
		return JP_STRING;
	case 't':
		return JP_TRUE;
	case 'f':
		return JP_FALSE;
	case 'n':
		return JP_NULL;
	default:
		if (*j->p == '-' || (*j->p >= '0' && *j->p <= '9'))
			return JP_NUMBER;
		jp_fail(j, FW_EFORMAT, "a value");
		return JP_END;
	}
}

/* Over the character ${c}, which must stand here. */
static inline bool take(struct jp *j, char c, const char *what)
{
	if (j->error != 0)
		return false;
	blanks(j);
	if (j->p == j->end || *j->p != c) {
		jp_fail(j, FW_EFORMAT, what);
		return false;
	}
	j->p++;
	return true;
}

static void open_level(struct jp *j, char c, const char *what)
{
	if (!take(j, c, what))
		return;
	if (++j->depth >= JP_DEPTH) {
		j->depth--;
		jp_fail(j, FW_ELIMIT, "less nesting");
		return;
	}
	j->filled &= ~(1U << j->depth);
}

/* Whether another member or element follows; leaves the level where ${close} stands. */
static bool next_of_level(struct jp *j, char close)
{
	if (j->error != 0)
		return false;
	blanks(j);
	if (j->p < j->end && *j->p == close) {
		j->p++;
		j->depth--;
		return false;
	}
	if ((j->filled & 1U << j->depth) != 0 && !take(j, ',', "a comma or the end of the object or array"))
		return false;
	j->filled |= 1U << j->depth;
	return true;
}

void jp_object(struct jp *j)
{
	open_level(j, '{', "an object");
}

void jp_array(struct jp *j)
{
	open_level(j, '[', "an array");
}

bool jp_member(struct jp *j, const char **ret_name, size_t *ret_n)
{
	if (!next_of_level(j, '}'))
		return false;
	jp_string(j, ret_name, ret_n);
	return take(j, ':', "a colon after the name");
}

bool jp_element(struct jp *j)
{
	return next_of_level(j, ']');
}

/* The next quote, backslash or control character at or after ${p}, or ${end}. */
static inline char *string_special(char *p, char *end)
{
#if defined(__SSE2__)
	const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\'), space = _mm_set1_epi8(0x1f);
	while (end - p >= 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i m = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, back)),
					 _mm_cmpeq_epi8(_mm_min_epu8(v, space), v));
		unsigned bits = (unsigned)_mm_movemask_epi8(m);
		if (bits != 0)
			return p + __builtin_ctz(bits);
		p += 16;
	}
#endif
	while (p < end && *p != '"' && *p != '\\' && (uint8_t)*p > 0x1f)
		p++;
	return p;
}

static int hex4(const char *p)
{
	int v = 0;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

/* \uXXXX at p (behind the u), with its second half if it is a pair; bytes written to ${out}, 0 after an error. */
static size_t unescape_u(struct jp *j, char *out)
{
	int u = j->end - j->p >= 4 ? hex4(j->p) : -1;
	uint32_t c = (uint32_t)u;
	j->p += u >= 0 ? 4 : 0;
	if (u >= 0xd800 && u <= 0xdbff) {
		int low = j->end - j->p >= 6 && j->p[0] == '\\' && j->p[1] == 'u' ? hex4(j->p + 2) : -1;
		c = low >= 0xdc00 && low <= 0xdfff ? 0x10000 + (((uint32_t)u - 0xd800) << 10) + ((uint32_t)low - 0xdc00) : 0;
		j->p += 6;
	}
	uint8_t b[4];
	size_t n = u > 0 && c != 0 ? utf8_encode(c, b) : 0;
	if (n == 0) {
		j->p = j->p > j->end ? j->end : j->p;
		jp_fail(j, FW_EFORMAT, "\\u with four digits that name a character other than NUL");
		return 0;
	}
	memcpy(out, b, n);
	return n;
}

/* The rest of a string from its first escape on, gathered at ${out}. */
static char *unescape(struct jp *j, char *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	while (j->p < j->end && *j->p != '"') {
		if (*j->p != '\\') {
			char *q = string_special(j->p, j->end);
			if (q == j->p)
				break;
			memmove(out, j->p, (size_t)(q - j->p));
			out += q - j->p;
			j->p = q;
			continue;
		}
		const char *e = j->end - j->p >= 2 && j->p[1] != '\0' ? strchr(from, j->p[1]) : NULL;
		if (e != NULL) {
			*out++ = to[e - from];
			j->p += 2;
		} else if (j->end - j->p >= 2 && j->p[1] == 'u') {
			j->p += 2;
			out += unescape_u(j, out);
		} else {
			jp_fail(j, FW_EFORMAT, "an escape that JSON knows");
		}
		if (j->error != 0)
			break;
	}
	return out;
}

void jp_string(struct jp *j, const char **ret, size_t *ret_n)
{
	*ret = "";
	*ret_n = 0;
	if (!take(j, '"', "a string"))
		return;
	char *start = j->p, *out;
	j->p = out = string_special(j->p, j->end);
	if (j->p < j->end && *j->p == '\\')
		out = unescape(j, out);
	if (j->error != 0)
		return;
	if (j->p == j->end || *j->p != '"') {
		jp_fail(j, FW_EFORMAT, "the end of the string, and no control characters in it");
		return;
	}
	j->p++;
	*ret = start;
	*ret_n = (size_t)(out - start);
}

static size_t digits(struct jp *j)
{
	char *from = j->p;
	while (j->p < j->end && *j->p >= '0' && *j->p <= '9')
		j->p++;
	return (size_t)(j->p - from);
}

void jp_number(struct jp *j, const char **ret, size_t *ret_n)
{
	*ret = "0";
	*ret_n = 1;
	if (j->error != 0)
		return;
	blanks(j);
	char *start = j->p;
	if (j->p < j->end && *j->p == '-')
		j->p++;
	bool zero = j->p < j->end && *j->p == '0';
	size_t whole = digits(j);
	bool good = whole > 0 && (!zero || whole == 1);
	if (j->p < j->end && *j->p == '.') {
		j->p++;
		good = digits(j) > 0 && good;
	}
	if (j->p < j->end && (*j->p == 'e' || *j->p == 'E')) {
		j->p++;
		if (j->p < j->end && (*j->p == '+' || *j->p == '-'))
			j->p++;
		good = digits(j) > 0 && good;
	}
	if (!good) {
		jp_fail(j, FW_EFORMAT, "a number");
		return;
	}
	*ret = start;
	*ret_n = (size_t)(j->p - start);
}

int64_t jp_i64(struct jp *j)
{
	const char *p;
	size_t n;
	jp_number(j, &p, &n);
	bool minus = p[0] == '-';
	int64_t v = 0;
	for (size_t i = minus; i < n; i++) {
		bool digit = p[i] >= '0' && p[i] <= '9';
		int d = p[i] - '0';
		if (!digit || __builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, d, &v)) {
			jp_fail(j, digit ? FW_ELIMIT : FW_EFORMAT, "a whole number of 64 bits");
			return 0;
		}
	}
	if (!minus && v == INT64_MIN) {
		jp_fail(j, FW_ELIMIT, "a whole number of 64 bits");
		return 0;
	}
	return minus ? v : -v;
}

static bool word(struct jp *j, const char *w)
{
	size_t n = strlen(w);
	if (j->error != 0)
		return false;
	blanks(j);
	if ((size_t)(j->end - j->p) < n || memcmp(j->p, w, n) != 0)
		return false;
	j->p += n;
	return true;
}

bool jp_bool(struct jp *j)
{
	if (word(j, "true"))
		return true;
	if (!word(j, "false"))
		jp_fail(j, FW_EFORMAT, "true or false");
	return false;
}

bool jp_null(struct jp *j)
{
	return word(j, "null");
}

void jp_skip(struct jp *j)
{
	const char *p;
	size_t n;
	switch (jp_peek(j)) {
	case JP_OBJECT: /* the depth is bounded by open_level */
		jp_object(j);
		while (jp_member(j, &p, &n))
			jp_skip(j);
		break;
	case JP_ARRAY:
		jp_array(j);
		while (jp_element(j))
			jp_skip(j);
		break;
	case JP_STRING:
		jp_string(j, &p, &n);
		break;
	case JP_NUMBER:
		jp_number(j, &p, &n);
		break;
	case JP_TRUE:
	case JP_FALSE:
		(void)jp_bool(j);
		break;
	case JP_NULL:
		if (!jp_null(j))
			jp_fail(j, FW_EFORMAT, "null");
		break;
	case JP_END:
		jp_fail(j, FW_EFORMAT, "a value");
		break;
	}
}

int jp_end(struct jp *j)
{
	blanks(j);
	if (j->p != j->end)
		jp_fail(j, FW_EFORMAT, "the end");
	return j->error;
}
