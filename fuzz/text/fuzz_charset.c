/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Parses: src/text/charset.c */
/* Any bytes, whole and in chunks: valid UTF-8 both times, and the same. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "text/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void convert(const uint8_t *p, size_t n, size_t step, struct buf *out)
{
	struct charset_in c;
	struct buf scratch;
	buf_init(&scratch, 1 << 20);
	charset_start(&c);
	bool last = false;
	while (!last) {
		size_t m = n < step ? n : step, len;
		const uint8_t *q;
		last = m == n;
		if (charset_next(&c, p, m, last, &scratch, &q, &len) < 0 || !utf8_valid(q, len))
			abort();
		if (len > 0)
			buf_put(out, q, len);
		p += m;
		n -= m;
	}
	buf_release(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 1 || n > 20000)
		return 0;
	struct buf whole, parts;
	buf_init(&whole, 1 << 20);
	buf_init(&parts, 1 << 20);
	convert(data + 1, n - 1, n, &whole);
	convert(data + 1, n - 1, 1U + data[0] % 16, &parts);
	if (whole.len != parts.len || (whole.len > 0 && memcmp(whole.data, parts.data, whole.len) != 0))
		abort();
	buf_release(&whole);
	buf_release(&parts);
	return 0;
}
