/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "base/arena.h"
#include "base/err.h"
#include "codec/csv.h"

/*
 * Read the bytes in chunks of ${step} (0: random) into one text: fields in
 * brackets, a row a line, with what was odd: "[a][b]\n", "!" for oddities.
 */
static int read_all(const char *bytes, size_t n, size_t step, struct prop *p, const struct csv_limits *limits,
		    struct buf *out, struct diag *d)
{
	struct csv *c = NULL;
	int r = csv_new(0, limits, &c);
	if (r < 0)
		return r;
	bool last = false;
	while (!last) {
		size_t m = step != 0 ? step : prop_below(p, 12);
		m = m < n ? m : n;
		last = m == n;
		r = csv_feed(c, bytes, m, last);
		bytes += m;
		n -= m;
		struct csv_row row;
		while (r >= 0 && (r = csv_next(c, &row, d)) == 1) {
			buf_printf(out, "%llu/%llu%s", (unsigned long long)row.row, (unsigned long long)row.line,
				   row.odd != 0 ? "!" : "");
			for (size_t i = 0; i < row.n; i++) {
				buf_putc(out, '[');
				buf_put(out, row.field[i].p, row.field[i].n);
				buf_putc(out, ']');
			}
			buf_putc(out, '\n');
		}
		if (r < 0)
			break;
	}
	csv_free(c);
	buf_u8(out, 0);
	return r;
}

static void check(const char *bytes, size_t n, const char *want)
{
	for (size_t step = 1; step <= n + 1; step++) {
		struct buf out;
		buf_init(&out, 1 << 20);
		assert_int_equal(read_all(bytes, n, step, NULL, NULL, &out, NULL), 0);
		assert_string_equal((char *)out.data, want);
		buf_release(&out);
	}
}
#define CHECK(bytes, want) check(bytes, sizeof(bytes) - 1, want)

static void test_rfc_4180(void **state)
{
	(void)state;
	CHECK("", "");
	CHECK("a,b\r\nc,d\r\n", "1/1[a][b]\n2/2[c][d]\n");
	CHECK("a,b\r\nc,d", "1/1[a][b]\n2/2[c][d]\n");
	CHECK("a,\"b,\r\n\"\"x\"\"\",c\n1,2,3\n", "1/1[a][b,\r\n\"x\"][c]\n2/3[1][2][3]\n");
	CHECK("\"\",\"\"\n,\n", "1/1[][]\n2/2[][]\n");
	CHECK("\"\"\n", "1/1[]\n");
	CHECK("a,\"\"\"\"", "1/1[a][\"]\n");
}

static void test_what_real_files_do(void **state)
{
	(void)state;
	CHECK("a,b\rc,d\r", "1/1[a][b]\n2/2[c][d]\n");
	CHECK("a,b\nc,d\re,f\r\ng,h", "1/1[a][b]\n2/2[c][d]\n3/3[e][f]\n4/4[g][h]\n");
	CHECK("a;b,1;c\n1;2;3", "1/1[a][b,1][c]\n2/2[1][2][3]\n");
	CHECK("a\tb\n1\t2\n", "1/1[a][b]\n2/2[1][2]\n");
	CHECK("sep=;\r\na;b\r\n", "2/2[a][b]\n");
	CHECK("sep=|\na|b,c\n", "2/2[a][b,c]\n");
	CHECK("a,b\n\n\nc,d\n", "1/1[a][b]\n4/4[c][d]\n");
	CHECK("a,b\r\r\nc,d\r\r\n", "1/1[a][b]\n3/3[c][d]\n");
	CHECK("a,b\nc\nd,e,f\n", "1/1[a][b]\n2/2[c]\n3/3[d][e][f]\n");
	CHECK("a,b\"c\",d\n", "1/1![a][b\"c\"][d]\n");
	CHECK("a,\"b\"c,d\n", "1/1![a][bc][d]\n");
	CHECK("a,\"b\"c\"\"d\",e\n", "1/1![a][bc\"\"d\"][e]\n");
	CHECK("a,\"b\nc", "1/1![a][b\nc]\n");
	CHECK("a,b,", "1/1[a][b][]\n");
	CHECK(" a , b \n", "1/1[ a ][ b ]\n");
	CHECK("a,\"x\r\ny\rz\nw\"\nlast,1\n", "1/1[a][x\r\ny\rz\nw]\n2/5[last][1]\n");
}

static void test_a_nul_is_said(void **state)
{
	(void)state;
	struct csv *c;
	struct csv_row row;
	assert_int_equal(csv_new(',', NULL, &c), 0);
	assert_int_equal(csv_feed(c, "a\0b,c\nd,e\n", 10, true), 0);
	assert_int_equal(csv_next(c, &row, NULL), 1);
	assert_int_equal(row.odd, CSV_NUL);
	assert_int_equal(row.field[0].n, 3);
	assert_int_equal(csv_next(c, &row, NULL), 1);
	assert_int_equal(row.odd, 0);
	assert_int_equal(csv_next(c, &row, NULL), 0);
	csv_free(c);
}

static void test_limits_name_the_place(void **state)
{
	(void)state;
	struct csv_limits small = { .row = 100, .fields = 5 };
	struct buf out;
	buf_init(&out, 1 << 20);
	struct diag d = DIAG_INIT;
	assert_int_equal(read_all("a,b\nc,d,e,f,g,h\n", 16, 3, NULL, &small, &out, &d), FW_ELIMIT);
	assert_string_equal(d.place, "line 2, row 2, column 6");
	char text[400];
	size_t n = (size_t)snprintf(text, sizeof(text), "a,b\n1,\"never closed\n");
	while (n < 300)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "x,y\n");
	diag_clear(&d);
	buf_clear(&out);
	assert_int_equal(read_all(text, n, 7, NULL, &small, &out, &d), FW_ELIMIT);
	assert_string_equal(d.place, "line 2, row 2, column 2");
	assert_non_null(strstr(d.text, "opened on line 2"));
	buf_release(&out);
}

/* A table of random fields, out of the bytes that make trouble. */
static size_t make_table(struct prop *p, struct buf *text, struct buf *want, char sep)
{
	static const char *const bits[] = { "a", "bc", " ", "\"", "\"\"", ",", ";", "\t", "\n", "\r", "\r\n", "\u00e9", "=1", "-5",
					    "0123456789012345678901234567890123456789012345678901234567890123456789" };
	size_t rows = 1 + prop_below(p, 8);
	uint64_t line = 1;
	for (size_t i = 0; i < rows; i++) {
		size_t fields = 2 + prop_below(p, 5);
		buf_printf(want, "%zu/%llu", i + 1, (unsigned long long)line);
		for (size_t f = 0; f < fields; f++) {
			char field[400] = "";
			size_t n = 0, parts = prop_below(p, 5);
			for (size_t k = 0; k < parts; k++)
				n += (size_t)snprintf(field + n, sizeof(field) - n, "%s",
						      bits[prop_below(p, sizeof(bits) / sizeof(*bits))]);
			for (size_t k = 0; k < n; k++)
				line += field[k] == '\n' || (field[k] == '\r' && field[k + 1] != '\n');
			if (f > 0)
				buf_putc(text, sep);
			csv_put(text, field, n, sep, false);
			buf_printf(want, "[%s]", field);
		}
		buf_puts(text, prop_below(p, 2) != 0 ? "\r\n" : "\n");
		line++;
		buf_putc(want, '\n');
	}
	buf_u8(want, 0);
	return rows;
}

static void test_what_is_written_is_read_again_in_any_chunks(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= prop_rounds(600); seed++) {
		struct prop p = { seed };
		struct buf text, want, out;
		buf_init(&text, 1 << 20);
		buf_init(&want, 1 << 20);
		buf_init(&out, 1 << 20);
		char sep = ",;\t|"[prop_below(&p, 4)];
		/* A first line that shows the separator beyond doubt. */
		buf_printf(&text, "h1%ch2%ch3%ch4%ch5%ch6\n", sep, sep, sep, sep, sep);
		make_table(&p, &text, &want, sep);
		assert_int_equal(read_all((char *)text.data, text.len, 0, &p, NULL, &out, NULL), 0);
		/* Row and line numbers are one higher for the first line. */
		struct buf again;
		buf_init(&again, 1 << 20);
		assert_int_equal(read_all((char *)text.data, text.len, 1 << 20, NULL, NULL, &again, NULL), 0);
		assert_string_equal((char *)out.data, (char *)again.data);
		const char *rest = strchr((char *)out.data, '\n') + 1, *w = (char *)want.data;
		while (*w != '\0') {
			unsigned long long wr, wl, gr, gl;
			char *end;
			wr = strtoull(w, &end, 10);
			wl = strtoull(end + 1, &end, 10);
			w = end;
			gr = strtoull(rest, &end, 10);
			gl = strtoull(end + 1, &end, 10);
			rest = end;
			if (gr != wr + 1 || gl != wl + 1)
				fail_msg("seed %lu: row or line", (unsigned long)seed);
			size_t n = (size_t)(strstr(w, "]\n") - w) + 2;
			/* A field may hold "]\n" only never: brackets are not among the bits. */
			if (strncmp(w, rest, n) != 0)
				fail_msg("seed %lu: %s", (unsigned long)seed, w);
			w += n;
			rest += n;
		}
		assert_int_equal(*rest, '\0');
		buf_release(&again);
		buf_release(&text);
		buf_release(&want);
		buf_release(&out);
	}
}

static void put_is(const char *in, const char *want)
{
	struct buf b;
	buf_init(&b, 1000);
	csv_puts(&b, in, ',', true);
	buf_u8(&b, 0);
	assert_string_equal((char *)b.data, want);
	buf_release(&b);
}

static void test_formulas_are_disarmed(void **state)
{
	(void)state;
	put_is("=1+1", "\"'=1+1\"");
	put_is("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\"");
	put_is("+cmd|' /C calc'!A0", "\"'+cmd|' /C calc'!A0\"");
	put_is("-2+3", "\"'-2+3\"");
	put_is("@SUM(A1)", "\"'@SUM(A1)\"");
	put_is("\t=1", "\"'\t=1\"");
	put_is("\r=1", "\"'\r=1\"");
	put_is("  =1", "\"'  =1\"");
	put_is("\n=1", "\"'\n=1\"");
	put_is("\uff1d1", "\"'\uff1d1\"");
	put_is("-", "\"'-\"");
	put_is("-31.65, 110.36", "\"'-31.65, 110.36\"");
	put_is("-5", "-5");
	put_is("-5.25", "-5.25");
	put_is("+12", "+12");
	put_is("1=1", "1=1");
	put_is("", "");
	put_is(NULL, "");
	put_is("a,b", "\"a,b\"");
	put_is(" a", "\" a\"");
}

static void test_every_allocation_may_fail(void **state)
{
	(void)state;
	char text[20000];
	size_t n = 0;
	for (unsigned i = 0; i < 300; i++) /* more fields than the first room, a longer row than the first chunk */
		n += (size_t)snprintf(text + n, sizeof(text) - n, "field %u,", i);
	unsigned hits = 0;
	for (uint64_t at = 1;; at++) {
		struct buf out;
		buf_init(&out, 1 << 20);
		(void)buf_reserve(&out, 1 << 19);
		mem_fault_at(at);
		int r = read_all(text, n, 100, NULL, NULL, &out, NULL);
		bool hit = mem_fault_hit();
		mem_fault_at(0);
		buf_release(&out);
		if (!hit) {
			assert_int_equal(r, 0);
			break;
		}
		assert_int_equal(r, -12);
		hits++;
	}
	assert_true(hits >= 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_4180),
		cmocka_unit_test(test_what_real_files_do),
		cmocka_unit_test(test_a_nul_is_said),
		cmocka_unit_test(test_limits_name_the_place),
		cmocka_unit_test(test_what_is_written_is_read_again_in_any_chunks),
		cmocka_unit_test(test_formulas_are_disarmed),
		cmocka_unit_test(test_every_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
