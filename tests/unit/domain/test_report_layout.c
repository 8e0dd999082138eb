/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the layouts make of files, from the tables' own documentation and the list of their traps. */
#include "test.h"

#include "base/io.h"
#include "codec/json.h"
#include "domain/report/report_json.h"
#include "reading.h"
#include "tbl/codebook/codebook.h"

static struct incident inc;
static struct buf items;
static struct cursor at;
static struct test_item item;

static void read_sample(const char *name, size_t step)
{
	char path[4096];
	struct buf file;
	const char *source = getenv("FAIRWAY_SOURCE");
	(void)snprintf(path, sizeof(path), "%s/tests/data/report/%s", source != NULL ? source : ".", name);
	buf_init(&file, 1 << 20);
	struct diag d = DIAG_INIT;
	assert_int_equal(io_read_file(path, &file, NULL), 0);
	if (reading_test_run(file.data, file.len, step, "", &items, &d) != 0)
		fail_msg("%s: %s %s", name, d.place, d.text);
	buf_release(&file);
	cur_init(&at, items.data, items.len);
}

static void next_is(int kind, uint64_t row)
{
	assert_true(next_item(&at, &inc, &item));
	if (item.kind != kind)
		fail_msg("row %lu: %s: %s", (unsigned long)item.row, item.field, item.words);
	assert_int_equal(item.row, row);
}

static void end_is_here(void)
{
	assert_false(next_item(&at, &inc, &item));
	buf_release(&items);
}

/* The report as JSON is exactly this, doubts included. */
static void json_is(const char *want)
{
	struct buf b;
	struct jw w;
	buf_init(&b, 100000);
	jw_init(&w, &b);
	jw_object(&w);
	incident_write(&w, &inc, NULL, NULL);
	jw_end(&w);
	buf_u8(&b, 0);
	assert_string_equal((char *)b.data, want);
	buf_release(&b);
}

static void test_first_generation(void **state)
{
	(void)state;
	read_sample("mmp_1.csv", 0);
	next_is(ITEM_HEADER, 0);
	assert_string_equal(item.field, "mmp_1");
	next_is(ITEM_ROW, 2);
	json_is("{\"number\":\"X014.T0001\",\"type\":\"death_or_disappearance\",\"form\":\"single\",\"when\":{\"from\":\"2014-01-06\"},"
		"\"place\":{\"country\":\"USA\",\"region\":\"northern_america\",\"un_region\":\"northern_america\","
		"\"text\":\"Invented desert (see coordinates)\",\"lat\":31.650259,\"lon\":-110.366453,\"precision\":\"area\"},"
		"\"journey\":{\"route\":\"us_mexico\"},\"origins\":[{\"country\":\"GTM\"},{\"region\":\"central_america\"}],"
		"\"counts\":{\"dead\":1,\"missing\":\"unknown\",\"survivors\":\"unknown\",\"female\":\"unknown\",\"male\":1,"
		"\"children\":\"unknown\"},\"counts_are\":\"minimum\",\"harm\":{\"causes\":[\"mixed_unknown\"]},"
		"\"facilitation\":{\"state\":\"not_collected\"},\"confidence\":{\"scheme\":\"iom_source_quality\",\"original\":\"5\"},"
		"\"sources\":[{\"title\":\"Invented Office\",\"url\":\"http://example.org/a\"}],"
		"\"provenance\":{\"system\":\"iom_mmp\",\"source_id\":\"X014.T0001\"}}");
	next_is(ITEM_ROW, 3); /* joined numbers, joined countries, markup and a line break, a comma inside an address */
	json_is("{\"number\":\"X014.T0002\",\"type\":\"death_or_disappearance\",\"form\":\"part\",\"when\":{\"from\":\"2014-10-27\"},"
		"\"place\":{\"country\":\"TUR\",\"region\":\"mediterranean\",\"un_region\":\"western_africa\","
		"\"text\":\"Invented place in an invented sea\",\"lat\":38.74477,\"lon\":26.486067,\"precision\":\"area\"},"
		"\"journey\":{\"route\":\"eastern_mediterranean\"},\"origins\":[{\"country\":\"PSE\"},{\"country\":\"SDN\"},"
		"{\"region\":\"northern_africa\"},{\"region\":\"western_asia\"}],"
		"\"counts\":{\"dead\":\"unknown\",\"missing\":3,\"survivors\":\"unknown\",\"female\":\"unknown\",\"male\":1,"
		"\"children\":\"unknown\"},\"counts_are\":\"minimum\",\"harm\":{\"causes\":[\"drowning\"]},"
		"\"facilitation\":{\"state\":\"not_collected\"},\"confidence\":{\"scheme\":\"iom_source_quality\",\"original\":\"1\"},"
		"\"sources\":[{\"title\":\"invented.example\",\"url\":\"https://example.org/b\"},{\"url\":\"https://example.org/c,d\"}],"
		"\"links\":[{\"kind\":\"part_of\",\"ref\":\"X014.T0002\"}],"
		"\"provenance\":{\"system\":\"iom_mmp\",\"source_id\":\"X014.T0002,X014.T00023\",\"ids\":[\"X014.T0002\",\"X014.T00023\"],"
		"\"doubts\":[{\"field\":\"Location of Incident\",\"code\":\"html\","
		"\"text\":\"<p>Invented place in an invented sea</p>\"},"
		"{\"field\":\"UNSD Geographical Grouping\",\"code\":\"several\",\"text\":\"Uncategorized,Western Africa\"}]}}");
	next_is(ITEM_ROW, 4); /* a cumulative one, negative, labels with commas of their own, 0/0, no address */
	json_is("{\"number\":\"X015.T0003\",\"type\":\"death_or_disappearance\",\"form\":\"several\",\"when\":{\"from\":\"2015-03-01\"},"
		"\"place\":{\"country\":\"NAM\",\"region\":\"mediterranean\",\"un_region\":\"northern_africa\",\"text\":\"Invented bay\"},"
		"\"journey\":{\"route\":\"central_mediterranean\"},\"origins\":[{\"country\":\"ERI\"},{\"country\":\"ETH\"},{\"country\":\"SDN\"},"
		"{\"country\":\"ZZZ\"},{\"region\":\"sub_saharan_africa\",\"presumed\":true}],"
		"\"counts\":{\"dead\":2,\"missing\":-13,\"survivors\":-1,\"female\":2,\"male\":4,\"children\":0},\"counts_are\":\"minimum\","
		"\"harm\":{\"causes\":[\"drowning\",\"environment\"]},\"facilitation\":{\"state\":\"not_collected\"},"
		"\"confidence\":{\"scheme\":\"iom_source_quality\",\"original\":\"3,5\"},\"sources\":[{\"title\":\"Invented Times\"}],"
		"\"provenance\":{\"system\":\"iom_mmp\",\"source_id\":\"X015.T0003\",\"doubts\":["
		"{\"field\":\"Minimum Estimated Number of Missing\",\"code\":\"negative\",\"text\":\"-13\"},"
		"{\"field\":\"Number of Survivors\",\"code\":\"negative\",\"text\":\"-1\"},"
		"{\"field\":\"Total Number of Dead and Missing\",\"code\":\"negative\",\"text\":\"-11\"},"
		"{\"field\":\"Number of Females\",\"code\":\"sum_differs\",\"text\":\"Number of Females and Number of Males above "
		"Number of Dead and Minimum Estimated Number of Missing\"},"
		"{\"field\":\"Region of Incident\",\"code\":\"several\",\"text\":\"Mediterranean,Northern Africa\"},"
		"{\"field\":\"Migration Route\",\"code\":\"several\",\"text\":\"Central Mediterranean,Sahara Desert crossing\"},"
		"{\"field\":\"Coordinates\",\"code\":\"position_odd\",\"text\":\"0, 0\"},"
		"{\"field\":\"URL\",\"code\":\"url_odd\",\"text\":\"not\"},{\"field\":\"URL\",\"code\":\"url_odd\",\"text\":\"an\"},"
		"{\"field\":\"URL\",\"code\":\"url_odd\",\"text\":\"address\"}]}}");
	next_is(ITEM_ROW, 5); /* "0.0" for a date: year and month stand in */
	assert_true(inc.at[B_CORE][CORE_FROM_DAY].i == 20200900);
	assert_int_equal(inc.n[B_DOUBT], 1);
	assert_true(incident_row(&inc, B_DOUBT, 0)[DOUBT_CODE].i == CV_DOUBT_DATE_MISSING);
	assert_true(inc.at[B_CORE][CORE_COUNTRY].i == CV_COUNTRY_IRN);
	next_is(ITEM_ROW, 6); /* no date at all; labels with commas; unknown labels kept as text */
	assert_false(cell_set(&inc.at[B_CORE][CORE_FROM_DAY]));
	assert_true(inc.at[B_CORE][CORE_COUNTRY].i == CV_COUNTRY_MAC);
	assert_int_equal(inc.n[B_ORIGIN], 3);
	assert_true(incident_row(&inc, B_ORIGIN, 0)[ORIGIN_COUNTRY].i == CV_COUNTRY_HKG);
	assert_true(incident_row(&inc, B_ORIGIN, 1)[ORIGIN_COUNTRY].i == CV_COUNTRY_ZZM);
	assert_false(cell_set(&inc.at[B_CORE][CORE_ROUTE]));
	assert_int_equal(inc.n[B_DOUBT], 3);
	assert_memory_equal(incident_row(&inc, B_DOUBT, 2)[DOUBT_WORDS].s, "Frostbite on an invented mountain", 33);
	assert_true(incident_row(&inc, B_CAUSE, 0)[CAUSE_CODE].i == CV_CAUSE_OTHER);
	next_is(ITEM_REFUSED, 7);
	assert_string_equal(item.field, "Number of Dead");
	assert_non_null(strstr(item.original, "X021.T0006,"));
	next_is(ITEM_ROW, 8); /* "<5", a date that differs, an unknown country, a position that does not read */
	assert_true(inc.at[B_COUNTS][COUNTS_DEAD].i == COUNT_WITHHELD);
	assert_false(cell_set(&inc.at[B_CORE][CORE_LAT]));
	static const int codes[] = { CV_DOUBT_SEVERAL, CV_DOUBT_SUPPRESSED, CV_DOUBT_SUM_DIFFERS, CV_DOUBT_DATE_DIFFERS,
				     CV_DOUBT_LABEL_UNKNOWN, CV_DOUBT_POSITION_ODD };
	assert_int_equal(inc.n[B_DOUBT], 6);
	for (size_t i = 0; i < 6; i++)
		assert_true(incident_row(&inc, B_DOUBT, i)[DOUBT_CODE].i == codes[i]);
	next_is(ITEM_REFUSED, 9);
	assert_string_equal(item.words, "Expected 25 columns as in the header, found 2.");
	assert_string_equal(item.original, "X021.T0008,too few columns");
	next_is(ITEM_REFUSED, 10);
	assert_string_equal(item.field, "Incident ID");
	end_is_here();
}

static void test_second_generation(void **state)
{
	(void)state;
	read_sample("mmp_2.csv", 0);
	next_is(ITEM_HEADER, 0);
	assert_string_equal(item.field, "mmp_2");
	next_is(ITEM_ROW, 2);
	assert_true(inc.at[B_CORE][CORE_FROM_DAY].i == 20260101);
	assert_true(inc.at[B_COUNTS][COUNTS_MISSING].i == 0);
	assert_int_equal(inc.n[B_SOURCE], 3);
	assert_int_equal(inc.n[B_CAUSE], 1);
	assert_int_equal(inc.n[B_DOUBT], 0);
	next_is(ITEM_ROW, 3); /* month first: the third of May */
	assert_true(inc.at[B_CORE][CORE_FROM_DAY].i == 20260503);
	assert_true(inc.at[B_COUNTS][COUNTS_MISSING].i == -5);
	assert_true(inc.at[B_COUNTS][COUNTS_DEAD].i == COUNT_UNKNOWN);
	assert_true(inc.at[B_CORE][CORE_ROUTE].i == CV_ROUTE_ANDAMAN);
	assert_int_equal(inc.n[B_LINK], 1);
	next_is(ITEM_ROW, 4); /* the same main number, another incident */
	assert_memory_equal(inc.at[B_PROV][PROV_SOURCE_ID].s, "X026.T00079", 11);
	assert_memory_equal(incident_row(&inc, B_LINK, 0)[LINK_REF].s, "X026.T0007", 10);
	assert_true(inc.at[B_CORE][CORE_ROUTE].i == CV_ROUTE_NAF);
	assert_true(incident_row(&inc, B_ORIGIN, 1)[ORIGIN_PRESUMED].i == 1);
	end_is_here();
}

static void test_other_layouts(void **state)
{
	(void)state;
	read_sample("mmp_web.csv", 0);
	next_is(ITEM_HEADER, 0);
	assert_string_equal(item.field, "mmp_web");
	next_is(ITEM_ROW, 2);
	assert_true(inc.at[B_CORE][CORE_LAT].i == 245000000 && inc.at[B_CORE][CORE_LON].i == -777500000);
	assert_true(inc.at[B_CORE][CORE_FROM_DAY].i == 20220704);
	assert_true(inc.at[B_COUNTS][COUNTS_CHILDREN].i == 1);
	assert_memory_equal(inc.at[B_DETAIL][DETAIL_CAUSE_TEXT].s, "Capsized at an invented reef", 28);
	assert_int_equal(inc.n[B_DOUBT], 0);
	end_is_here();
	read_sample("mmp_2019.csv", 0);
	next_is(ITEM_HEADER, 0);
	assert_string_equal(item.field, "mmp_2019");
	next_is(ITEM_ROW, 2);
	assert_true(inc.at[B_CORE][CORE_FROM_DAY].i == 20190328);
	assert_true(inc.at[B_CORE][CORE_REGION].i == CV_REGION_HORN_OF_AFRICA);
	assert_true(incident_row(&inc, B_DOUBT, 0)[DOUBT_CODE].i == CV_DOUBT_LABEL_UNKNOWN);
	end_is_here();
}

static void test_lines_of_json(void **state)
{
	(void)state;
	read_sample("fairway.jsonl", 0);
	next_is(ITEM_HEADER, 0);
	assert_string_equal(item.field, "fairway");
	next_is(ITEM_ROW, 1);
	assert_true(inc.at[B_PROV][PROV_SYSTEM].i == CV_SYSTEM_FAIRWAY_SYNTHETIC);
	assert_memory_equal(inc.at[B_PROV][PROV_SOURCE_ID].s, "0192aaaa-0000-7000-8000-000000000001", 36);
	assert_memory_equal(inc.at[B_PROV][PROV_SOURCE_STATUS].s, "verified", 8);
	assert_true(inc.at[B_COUNTS][COUNTS_MISSING].i == COUNT_UNKNOWN);
	assert_false(cell_set(&inc.at[B_COUNTS][COUNTS_DISABILITY]));
	assert_true(inc.at[B_CORE][CORE_LAT].i == 64000000);
	for (unsigned b = B_FIRST_MANY; b < B_COUNT; b++) /* every block has rows, but these two */
		assert_int_equal(inc.n[b] > 0, b != B_ORIGIN && b != B_DOUBT);
	next_is(ITEM_ROW, 3); /* codes that no codebook has */
	assert_true(inc.at[B_CORE][CORE_TYPE].i == CV_INCIDENT_TYPE_OTHER);
	assert_true(inc.at[B_CORE][CORE_COUNTRY].i == CV_COUNTRY_ZZZ);
	assert_true(incident_row(&inc, B_MEANS, 0)[MEANS_KIND].i == CV_MEANS_OTHER);
	assert_int_equal(inc.n[B_DOUBT], 3);
	assert_memory_equal(incident_row(&inc, B_DOUBT, 2)[DOUBT_WORDS].s, "hovercraft", 10);
	next_is(ITEM_REFUSED, 4);
	assert_string_equal(item.field, "when.from");
	next_is(ITEM_REFUSED, 5);
	next_is(ITEM_REFUSED, 6);
	next_is(ITEM_REFUSED, 7);
	assert_string_equal(item.original, "not json");
	end_is_here();
}

static void test_any_chunks_give_the_same_items(void **state)
{
	(void)state;
	static const char *const names[] = { "mmp_1.csv", "mmp_2.csv", "mmp_web.csv", "mmp_2019.csv", "fairway.jsonl" };
	for (size_t i = 0; i < 5; i++) {
		read_sample(names[i], 0);
		struct buf whole = items;
		for (size_t step = 1; step < 400; step = step * 2 + 1) {
			read_sample(names[i], step);
			assert_int_equal(items.len, whole.len);
			assert_memory_equal(items.data, whole.data, whole.len);
			buf_release(&items);
		}
		buf_release(&whole);
	}
}

static int read_text(const char *text, struct diag *d)
{
	int r = reading_test_run(text, strlen(text), 0, "", &items, d);
	buf_release(&items);
	return r;
}

static void test_files_that_are_none(void **state)
{
	(void)state;
	struct diag d = DIAG_INIT;
	assert_int_equal(read_text("", &d), FW_EFORMAT);
	assert_string_equal(d.text, "The file is empty.");
	diag_clear(&d);
	assert_int_equal(read_text("a,b,c\n1,2,3\n", &d), FW_EFORMAT);
	assert_string_equal(d.place, "row 1");
	diag_clear(&d);
	assert_int_equal(read_text("\x1f\x8b\x08 this is not gzip", &d), FW_EFORMAT);
	diag_clear(&d);
	assert_int_equal(reading_test_run("{}", 2, 0, "mmp_1", &items, &d), FW_EINVALID);
	buf_release(&items);
}

static void test_another_character_set_is_read(void **state)
{
	(void)state;
	static const char head[] = "Main ID;Incident Date;Number Dead;Minimum Estimated Number of Missing;Country of Incident;Location of death\r\n";
	char text[500];
	int n = snprintf(text, sizeof(text), "%sX1;2020-01-01;1;0;T\xfcrkiye;Caf\xe9 \x81\r\n", head);
	assert_int_equal(reading_test_run(text, (size_t)n, 0, "", &items, NULL), 0);
	cur_init(&at, items.data, items.len);
	next_is(ITEM_HEADER, 0);
	next_is(ITEM_ROW, 2);
	assert_true(inc.at[B_CORE][CORE_COUNTRY].i == CV_COUNTRY_TUR);
	assert_memory_equal(inc.at[B_CORE][CORE_PLACE].s, "Caf\u00e9 \ufffd", 8);
	assert_true(incident_row(&inc, B_DOUBT, 0)[DOUBT_CODE].i == CV_DOUBT_CHARSET);
	next_is(ITEM_NOTE, 1);
	end_is_here();
}

static void test_every_allocation_may_fail(void **state)
{
	(void)state;
	static const char *const names[] = { "mmp_1.csv", "fairway.jsonl" };
	for (size_t i = 0; i < 2; i++) {
		char path[4096];
		struct buf file;
		const char *source = getenv("FAIRWAY_SOURCE");
		(void)snprintf(path, sizeof(path), "%s/tests/data/report/%s", source != NULL ? source : ".", names[i]);
		buf_init(&file, 1 << 20);
		assert_int_equal(io_read_file(path, &file, NULL), 0);
		unsigned hits = 0;
		for (uint64_t n = 1;; n++, hits++) {
			mem_fault_at(n);
			int r = reading_test_run(file.data, file.len, 1000, "", &items, NULL);
			bool hit = mem_fault_hit();
			mem_fault_at(0);
			buf_release(&items);
			if (!hit) {
				assert_int_equal(r, 0);
				break;
			}
			if (r != -12)
				fail_msg("%s: allocation %lu failed and gave %d", names[i], (unsigned long)n, r);
		}
		assert_true(hits > 10);
		buf_release(&file);
	}
}

static int start(void **state)
{
	(void)state;
	incident_init(&inc);
	return 0;
}

static int end(void **state)
{
	(void)state;
	incident_release(&inc);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_generation),
		cmocka_unit_test(test_second_generation),
		cmocka_unit_test(test_other_layouts),
		cmocka_unit_test(test_lines_of_json),
		cmocka_unit_test(test_any_chunks_give_the_same_items),
		cmocka_unit_test(test_files_that_are_none),
		cmocka_unit_test(test_another_character_set_is_read),
		cmocka_unit_test(test_every_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, start, end);
}
