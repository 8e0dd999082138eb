/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Parses: src/base/cursor.c src/base/time.c src/base/uuid.c */
/*
 * The cursor driven by the input itself, and the small text parsers of base:
 * what they accept must come out again as the same value.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "base/time.h"
#include "base/utf8.h"
#include "base/uuid.h"

static void drive_cursor(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(1 << 16);
	struct cursor c;
	size_t len;
	cur_init(&c, data, n);
	while (a != NULL && cur_left(&c) > 0) {
		struct cursor sub;
		char *s;
		switch (cur_u8(&c) % 6) {
		case 0: (void)cur_u64(&c); break;
		case 1: (void)cur_bytes(&c, 1000, &len); break;
		case 2:
			s = cur_str(&c, a, 1000);
			if (s != NULL && !utf8_valid(s, strlen(s)))
				abort();
			break;
		case 3:
			sub = cur_sub(&c, cur_u8(&c));
			(void)cur_u32be(&sub);
			break;
		case 4: cur_skip(&c, cur_u16(&c)); break;
		default: (void)cur_f64(&c); break;
		}
	}
	arena_free(a);
}

static void parse_text(const char *s)
{
	usec_t t, t2;
	struct date d, d2;
	struct uuid u, u2;
	char time_text[TIME_TEXT_LEN + 1], date_text[DATE_TEXT_LEN + 1], uuid_text[UUID_TEXT_LEN + 1];
	if (time_parse(s, &t) == 0 && t >= INT64_C(-62135596800000000) && t < INT64_C(253402300800000000)) {
		time_format(t, time_text);
		if (time_parse(time_text, &t2) != 0 || t2 != t)
			abort();
	}
	if (date_parse(s, &d) == 0) {
		date_format(d, date_text);
		if (date_parse(date_text, &d2) != 0 || date_first_day(d) != date_first_day(d2))
			abort();
	}
	if (uuid_parse(s, &u) == 0) {
		uuid_format(&u, uuid_text);
		if (uuid_parse(uuid_text, &u2) != 0 || !uuid_equal(&u, &u2))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	drive_cursor(data, n);
	char text[64];
	size_t m = n < sizeof(text) - 1 ? n : sizeof(text) - 1;
	if (m > 0)
		memcpy(text, data, m);
	text[m] = '\0';
	parse_text(text);
	return 0;
}
