/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "tbl/find.h"

static void rows_by_their_names(void **state)
{
	(void)state;
	assert_int_equal(vault_find("strategic"), VAULT_STRATEGIC);
	assert_int_equal(vault_find("house"), VAULT_HOUSE);
	assert_int_equal(vault_find("House"), -1);
	assert_int_equal(perm_find("report.read_all"), PERM_REPORT_READ_ALL);
	assert_int_equal(perm_find(""), -1);
	assert_int_equal(role_find("focal_point"), ROLE_FOCAL_POINT);
	assert_int_equal(purpose_find("statistics"), PURPOSE_STATISTICS);
	assert_string_equal(shape_find("Problem")->name, "Problem");
	assert_null(shape_find("problem"));
	assert_int_equal(ledger_event_of("node.start")->number, LEDGER_EV_NODE_START);
	assert_string_equal(ledger_event_find(LEDGER_EV_OUTBOX_APPLY)->code, "outbox.apply");
	assert_null(ledger_event_find(0));
	assert_null(ledger_event_of("node"));
}

/* A vault's permissions are the bits of a role: the focal point holds what the text says, and
 * nothing else. */
static void roles_hold_the_bits_of_their_permissions(void **state)
{
	(void)state;
	uint64_t want = 0;
	int perms[] = {PERM_REPORT_READ, PERM_REPORT_READ_ALL, PERM_REPORT_EXPORT};
	for (size_t i = 0; i < sizeof(perms) / sizeof(perms[0]); i++)
		want |= UINT64_C(1) << perm_rows[perms[i]].bit;
	assert_true(role_rows[ROLE_ANALYST].permissions == want);
	assert_int_equal(role_rows[ROLE_ANALYST].vault, VAULT_STRATEGIC);
	for (int r = 0; r < ROLE_COUNT; r++)
		for (int p = 0; p < PERM_COUNT; p++)
			if (perm_rows[p].vault == role_rows[r].vault && p == PERM_SELF)
				assert_false(role_rows[r].permissions &
					     UINT64_C(1) << perm_rows[p].bit);
}

static const struct route_row *row_of(const char *method, const char *path)
{
	for (int i = 0; i < ROUTE_COUNT; i++)
		if (strcmp(route_rows[i].method, method) == 0 &&
		    strcmp(route_rows[i].path, path) == 0)
			return &route_rows[i];
	return NULL;
}

static void routes_of_several_vaults_have_a_row_for_each(void **state)
{
	(void)state;
	const struct route_row *house = row_of("GET", "/api/house/ledger");
	const struct route_row *protection = row_of("GET", "/api/protection/ledger");
	assert_non_null(house);
	assert_non_null(protection);
	assert_int_equal(house->op, OP_READ_LEDGER);
	assert_int_equal(protection->op, OP_READ_LEDGER);
	assert_int_equal(house->perm, PERM_HOUSE_LEDGER);
	assert_int_equal(protection->perm, PERM_PROTECTION_LEDGER);
	assert_int_equal(protection->vault, VAULT_PROTECTION);
	assert_null(row_of("GET", "/api/{vault}/ledger"));
}

static void a_route_as_its_row_says(void **state)
{
	(void)state;
	const struct route_row *r = row_of("GET", "/api/report/incidents/{id}");
	assert_int_equal(r->nparams, 1);
	assert_int_equal(r->params[0].type, SHAPE_UUID);
	assert_int_equal(r->nqueries, 1);
	assert_string_equal(r->queries[0].name, "version");
	assert_int_equal(r->body, BODY_NONE);
	r = row_of("POST", "/api/report/incidents");
	assert_int_equal(r->body, BODY_JSON);
	assert_ptr_equal(r->in, shape_find("NewIncident"));
	r = row_of("POST", "/api/session");
	assert_int_equal(r->perm, PERM_PUBLIC);
	r = row_of("GET", "/api/report/export");
	assert_int_equal(r->flags, ROUTE_PURPOSE | ROUTE_STREAM);
	assert_true(r->answers[0].bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_by_their_names),
		cmocka_unit_test(roles_hold_the_bits_of_their_permissions),
		cmocka_unit_test(routes_of_several_vaults_have_a_row_for_each),
		cmocka_unit_test(a_route_as_its_row_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
