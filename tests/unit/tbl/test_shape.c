/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "base/err.h"
#include "codec/json.h"
#include "tbl/find.h"
#include "tbl/shape.h"

static const char *const choices[] = {"red", "green", NULL};
static const struct shape inner_shape;

/* One field of each type, so that each line of shapes.tbl's head is tried. */
static const struct shape_field fields[] = {
	{"text", {SHAPE_STRING, 2, 5, NULL, NULL, NULL}, false, 0, 0, false, false, ""},
	{"whole",
	 {SHAPE_INT, -3, 9007199254740991.0, NULL, NULL, NULL},
	 false,
	 0,
	 0,
	 false,
	 false,
	 ""},
	{"real", {SHAPE_REAL, -90, 90, NULL, NULL, NULL}, false, 0, 0, false, false, ""},
	{"yes", {SHAPE_BOOL, 0, 0, NULL, NULL, NULL}, false, 0, 0, false, false, ""},
	{"id", {SHAPE_UUID, 0, 0, NULL, NULL, NULL}, false, 0, 0, false, false, ""},
	{"at", {SHAPE_TIME, 0, 0, NULL, NULL, NULL}, false, 0, 0, false, false, ""},
	{"day", {SHAPE_DATE, 0, 0, NULL, NULL, NULL}, false, 0, 0, false, false, ""},
	{"count",
	 {SHAPE_COUNT, 0, SHAPE_COUNT_MAX, NULL, NULL, NULL},
	 false,
	 0,
	 0,
	 false,
	 false,
	 ""},
	{"code", {SHAPE_CODE, 1, 60, NULL, "colour", NULL}, false, 0, 0, false, false, ""},
	{"pick", {SHAPE_ENUM, 0, 0, choices, NULL, NULL}, false, 0, 0, false, false, ""},
	{"inner", {SHAPE_SHAPE, 0, 0, NULL, NULL, &inner_shape}, true, 1, 4, false, false, ""},
	{"numbers", {SHAPE_INT, 0, 9, NULL, NULL, NULL}, true, 0, 3, false, false, ""},
	{"free", {SHAPE_OBJECT, 0, 0, NULL, NULL, NULL}, false, 0, 0, false, false, ""},
};
static const struct shape all = {"All", "", fields, sizeof(fields) / sizeof(fields[0])};

static const struct shape_field inner_fields[] = {
	{"must", {SHAPE_COUNT, 0, SHAPE_COUNT_MAX, NULL, NULL, NULL}, false, 0, 0, true, false, ""},
	{"secret", {SHAPE_STRING, 12, 40, NULL, NULL, NULL}, false, 0, 0, false, true, ""},
};
static const struct shape inner_shape = {"Inner", "", inner_fields, 2};

static int check(const struct shape *s, const char *text, struct diag *d)
{
	json_t *v = NULL;
	assert_int_equal(json_parse(text, strlen(text), &v, NULL), 0);
	int err = shape_check(s, v, d);
	json_decref(v);
	return err;
}

static void takes(const char *text)
{
	struct diag d = DIAG_INIT;
	if (check(&all, text, &d) != 0)
		fail_msg("%s refused: %s: %s", text, d.place, d.text);
}

static void refuses(const char *text, const char *place, const char *words)
{
	struct diag d = DIAG_INIT;
	if (check(&all, text, &d) != FW_EINVALID)
		fail_msg("%s was taken", text);
	assert_string_equal(d.place, place);
	if (strstr(d.text, words) == NULL)
		fail_msg("%s: the words are \"%s\", not \"%s\"", text, d.text, words);
}

static void each_type_within_its_limits(void **state)
{
	(void)state;
	takes("{}");
	takes("{\"text\":\"ab\",\"whole\":-3,\"real\":90,\"yes\":false}");
	takes("{\"text\":\"\xc3\xa9\xc3\xa9\",\"whole\":9007199254740991,\"real\":-89.5}"); /* 4
											       bytes
											     */
	takes("{\"id\":\"01234567-89ab-7def-8123-456789abcdef\",\"at\":\"2026-11-25T04:57:03+07:"
	      "00\"}");
	takes("{\"day\":\"\"}");
	takes("{\"day\":\"2024-02-29\"}");
	takes("{\"day\":\"2026\"}");
	takes("{\"count\":0}");
	takes("{\"count\":1000000000}");
	takes("{\"count\":\"unknown\"}");
	takes("{\"count\":\"not_collected\"}");
	takes("{\"count\":\"withheld\"}");
	takes("{\"code\":\"sea.boat_small-2:x\",\"pick\":\"green\",\"free\":{\"a\":[1]}}");
	takes("{\"inner\":[{\"must\":1}],\"numbers\":[]}");
	takes("{\"numbers\":[0,9,5]}");
}

static void each_type_beyond_its_limits(void **state)
{
	(void)state;
	refuses("{\"text\":\"a\"}", "text", "text of 2 to 5 bytes");
	refuses("{\"text\":\"abcdef\"}", "text", "text of 2 to 5 bytes");
	refuses("{\"text\":\"\xc3\xa9\xc3\xa9\xc3\xa9\"}", "text",
		"2 to 5 bytes"); /* 3 letters, 6 bytes */
	refuses("{\"text\":7}", "text", "text of");
	refuses("{\"whole\":-4}", "whole", "from -3 to 9007199254740991");
	refuses("{\"whole\":9007199254740992}", "whole", "whole number");
	refuses("{\"whole\":9223372036854775807}", "whole", "whole number");
	refuses("{\"whole\":1.5}", "whole", "whole number");
	refuses("{\"whole\":\"1\"}", "whole", "whole number");
	refuses("{\"real\":90.0001}", "real", "from -90 to 90");
	refuses("{\"real\":true}", "real", "number");
	refuses("{\"yes\":1}", "yes", "true or false");
	refuses("{\"yes\":\"true\"}", "yes", "true or false");
	refuses("{\"id\":\"0123456789ab7def8123456789abcdef\"}", "id", "identifier");
	refuses("{\"at\":\"2026-11-25\"}", "at", "a time like");
	refuses("{\"at\":\"2026-11-25T25:00:00Z\"}", "at", "a time like");
	refuses("{\"day\":\"2023-02-29\"}", "day", "a date like");
	refuses("{\"day\":\"25.11.2026\"}", "day", "a date like");
	refuses("{\"day\":20261125}", "day", "a date like");
	refuses("{\"count\":-1}", "count", "unknown, not_collected or withheld");
	refuses("{\"count\":1000000001}", "count", "0 to 1000000000");
	refuses("{\"count\":\"Unknown\"}", "count", "unknown");
	refuses("{\"count\":\"5\"}", "count", "whole number");
	refuses("{\"count\":0.5}", "count", "whole number");
	refuses("{\"code\":\"\"}", "code", "codebook colour");
	refuses("{\"code\":\"a b\"}", "code", "letters, digits");
	refuses("{\"code\":\"-a\"}", "code", "letters, digits");
	refuses("{\"code\":\"caf\xc3\xa9\"}", "code", "letters, digits");
	refuses("{\"pick\":\"blue\"}", "pick", "one of red, green");
	refuses("{\"pick\":\"\"}", "pick", "one of");
	refuses("{\"free\":[]}", "free", "an object");
}

static void a_code_has_sixty_letters_at_most(void **state)
{
	(void)state;
	char s[63];
	memset(s, 'x', sizeof(s));
	s[60] = '\0';
	assert_true(code_wellformed(s));
	s[60] = 'x';
	s[61] = '\0';
	assert_false(code_wellformed(s));
}

static void objects_and_lists(void **state)
{
	(void)state;
	refuses("{\"inner\":[]}", "inner", "a list of 1 to 4 elements");
	refuses("{\"inner\":[{\"must\":1},{\"must\":1},{\"must\":1},{\"must\":1},{\"must\":1}]}",
		"inner", "1 to 4");
	refuses("{\"inner\":{\"must\":1}}", "inner", "a list");
	refuses("{\"inner\":[{\"must\":1},7]}", "inner[1]", "an object (Inner)");
	refuses("{\"inner\":[{\"must\":1},{\"must\":1},{\"must\":-1}]}", "inner[2].must",
		"whole number");
	refuses("{\"inner\":[{}]}", "inner[0].must", "required");
	refuses("{\"inner\":[{\"must\":null}]}", "inner[0].must", "whole number");
	refuses("{\"inner\":[null]}", "inner[0]", "an object");
	refuses("{\"numbers\":[0,1,10]}", "numbers[2]", "from 0 to 9");
	refuses("{\"numbers\":[0,1,2,3]}", "numbers", "0 to 3");
	refuses("{\"nothing\":1}", "nothing", "no such field");
	refuses("{\"nothing\":null}", "nothing", "no such field");
	refuses("{\"inner\":[{\"must\":1,\"other\":2}]}", "inner[0].other", "no such field");
	refuses("[]", "", "an object (All)");
	refuses("7", "", "an object (All)");
}

static void what_was_given_is_never_repeated(void **state)
{
	(void)state;
	struct diag d = DIAG_INIT;
	assert_int_equal(check(&all, "{\"inner\":[{\"must\":1,\"secret\":\"hunter2\"}]}", &d),
			 FW_EINVALID);
	assert_string_equal(d.place, "inner[0].secret");
	assert_null(strstr(d.text, "hunter2"));
}

static void one_form_after_the_check(void **state)
{
	(void)state;
	const char *text = "{\"whole\":5.0,\"count\":1e3,\"real\":7,\"text\":null,\"inner\":null,"
			   "\"numbers\":[1,2.0]}";
	json_t *v = NULL;
	assert_int_equal(json_parse(text, strlen(text), &v, NULL), 0);
	assert_int_equal(shape_check(&all, v, NULL), 0);
	assert_int_equal(json_integer_value(json_object_get(v, "whole")), 5);
	assert_int_equal(json_integer_value(json_object_get(v, "count")), 1000);
	assert_true(json_real_value(json_object_get(v, "real")) == 7.0);
	assert_null(json_object_get(v, "text"));
	assert_null(json_object_get(v, "inner"));
	assert_int_equal(json_integer_value(json_array_get(json_object_get(v, "numbers"), 1)), 2);
	json_decref(v);
}

static void a_long_name_is_cut_between_characters(void **state)
{
	(void)state;
	char text[1000] = "{\"a";
	for (int i = 0; i < 100; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "\xe0\xb8\x81");
	(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "\":1}");
	struct diag d = DIAG_INIT;
	assert_int_equal(check(&all, text, &d), FW_EINVALID);
	assert_int_equal((strlen(d.place) - 1) % 3, 0);
	assert_true(strlen(d.place) > 100);
}

static void texts_of_queries(void **state)
{
	(void)state;
	struct diag d = DIAG_INIT;
	struct value_type whole = {SHAPE_INT, 1, 200, NULL, NULL, NULL};
	const char *good[] = {"1", "200", "007"},
		   *bad[] = {"",    "0",  "201", "+1",
			     " 1",  "1 ", "1.0", "0x1",
			     "1e1", "-1", "-",   "99999999999999999999999999999999999999999999"};
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(value_check_text(&whole, "limit", good[i], NULL), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(value_check_text(&whole, "limit", bad[i], NULL), FW_EINVALID);
	assert_int_equal(value_check_text(&whole, "limit", "0", &d), FW_EINVALID);
	assert_string_equal(d.place, "limit");
	struct value_type real = {SHAPE_REAL, -90, 90, NULL, NULL, NULL};
	assert_int_equal(value_check_text(&real, "lat", "-12.5", NULL), 0);
	assert_int_equal(value_check_text(&real, "lat", "nan", NULL), FW_EINVALID);
	assert_int_equal(value_check_text(&real, "lat", "inf", NULL), FW_EINVALID);
	assert_int_equal(value_check_text(&real, "lat", "1.", NULL), FW_EINVALID);
	struct value_type yes = {SHAPE_BOOL, 0, 0, NULL, NULL, NULL};
	assert_int_equal(value_check_text(&yes, "b", "true", NULL), 0);
	assert_int_equal(value_check_text(&yes, "b", "1", NULL), FW_EINVALID);
	struct value_type date = {SHAPE_DATE, 0, 0, NULL, NULL, NULL};
	assert_int_equal(value_check_text(&date, "from", "2026-11", NULL), 0);
	assert_int_equal(value_check_text(&date, "from", "2026-13", NULL), FW_EINVALID);
	struct value_type pick = {SHAPE_ENUM, 0, 0, choices, NULL, NULL};
	assert_int_equal(value_check_text(&pick, "p", "red", NULL), 0);
	assert_int_equal(value_check_text(&pick, "p", "re", NULL), FW_EINVALID);
	struct value_type id = {SHAPE_UUID, 0, 0, NULL, NULL, NULL};
	assert_int_equal(value_check_text(&id, "id", "x", NULL), FW_EINVALID);
	struct value_type text = {SHAPE_STRING, 0, 3, NULL, NULL, NULL};
	assert_int_equal(value_check_text(&text, "q", "", NULL), 0);
	assert_int_equal(value_check_text(&text, "q", "abcd", NULL), FW_EINVALID);
}

static void shapes_of_the_node(void **state)
{
	(void)state;
	struct diag d = DIAG_INIT;
	const struct shape *login = shape_find("Login");
	assert_int_equal(check(login, "{\"account\":\"rahma\",\"password\":\"x\"}", NULL), 0);
	assert_int_equal(check(login, "{\"account\":\"rahma\"}", &d), FW_EINVALID);
	assert_string_equal(d.place, "password");
	const struct shape *referral = shape_find("NewReferral");
	assert_int_equal(check(referral, "{\"needs\":[\"medical\"],\"urgency\":\"now\"}", NULL), 0);
	assert_int_equal(check(referral, "{\"needs\":[],\"urgency\":\"now\"}", NULL), FW_EINVALID);
	assert_int_equal(check(referral, "{\"needs\":[\"medical\"],\"urgency\":\"soon\"}", NULL),
			 FW_EINVALID);
}

/* What was taken once is taken again unchanged: the form after the check is a fixed point. */
static void a_checked_body_is_a_fixed_point(void **state)
{
	(void)state;
	static const char *const names[] = {"text",  "whole", "real", "yes",    "day",
					    "count", "code",  "pick", "numbers"};
	static const char *const values[] = {
		"null",    "0",       "1.0",         "5e0",  "\"ab\"", "true", "\"2026\"",
		"\"red\"", "[1.0,2]", "\"unknown\"", "-2.0", "1e300",  "{}"};
	struct prop p = {.state = 20261125};
	unsigned taken = 0;
	for (unsigned round = 0; round < prop_rounds(20000); round++) {
		char text[400] = "{";
		bool used[9] = {false};
		for (uint64_t i = 0, n = prop_below(&p, 4); i < n; i++) {
			uint64_t f = prop_below(&p, 9);
			if (!used[f])
				(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
					       "%s\"%s\":%s", strlen(text) > 1 ? "," : "", names[f],
					       values[prop_below(&p, 13)]);
			used[f] = true;
		}
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "}");
		json_t *v = NULL;
		assert_int_equal(json_parse(text, strlen(text), &v, NULL), 0);
		if (shape_check(&all, v, NULL) == 0) {
			json_t *once = json_deep_copy(v);
			taken++;
			assert_int_equal(shape_check(&all, v, NULL), 0);
			assert_true(json_equal(once, v));
			json_decref(once);
		}
		json_decref(v);
	}
	assert_true(taken > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_within_its_limits),
		cmocka_unit_test(each_type_beyond_its_limits),
		cmocka_unit_test(a_code_has_sixty_letters_at_most),
		cmocka_unit_test(objects_and_lists),
		cmocka_unit_test(what_was_given_is_never_repeated),
		cmocka_unit_test(one_form_after_the_check),
		cmocka_unit_test(a_long_name_is_cut_between_characters),
		cmocka_unit_test(texts_of_queries),
		cmocka_unit_test(shapes_of_the_node),
		cmocka_unit_test(a_checked_body_is_a_fixed_point),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
