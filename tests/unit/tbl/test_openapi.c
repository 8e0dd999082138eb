/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "codec/json.h"
#include "gen/tables.h"
#include "tbl/openapi.h"

/* What the front serves is whole JSON and knows every row of the route table. */
static void the_document_in_the_binary(void **state)
{
	(void)state;
	json_t *doc = NULL;
	assert_int_equal(strlen(openapi_json), openapi_json_len);
	assert_int_equal(json_parse(openapi_json, openapi_json_len, &doc, NULL), 0);
	assert_string_equal(json_string_value(json_object_get(doc, "openapi")), "3.1.0");
	json_t *paths = json_object_get(doc, "paths");
	for (int i = 0; i < ROUTE_COUNT; i++) {
		char method[10] = "";
		for (size_t m = 0; route_rows[i].method[m] != '\0'; m++)
			method[m] = (char)(route_rows[i].method[m] | 0x20);
		json_t *op = json_object_get(json_object_get(paths, route_rows[i].path), method);
		assert_string_equal(json_string_value(json_object_get(op, "summary")),
				    route_rows[i].words);
	}
	json_decref(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_document_in_the_binary),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
