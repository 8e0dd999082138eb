/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The n-th write and the n-th allocation fail, SQLite's own included, for
 * every n, while somebody logs in, gets a role and loses it: each is done or
 * not done, and the marks of the house are never narrower than the truth.
 */
#include "test.h"

#include <sodium.h>

#include "access_fixture.h"
#include "base/arena.h"
#include "node/access/account.h"
#include "node/access/grants.h"
#include "sqlite_faults.h"
#include "store/store.h"

static const struct wire_pair settings[] = {{"session.free_attempts", "100"},
					    {"session.factor", "optional"}};

static int request(struct node *n, int vault, const struct fake_request *rq, char ret_id[64])
{
	struct fake_answer a;
	fake_call(n->w[vault], rq, &a);
	int status = a.status;
	if (ret_id != NULL && status == 200)
		(void)snprintf(ret_id, 64, "%s", fake_text(&a, "id"));
	fake_answer_release(&a);
	return status;
}

static void log_in_under(enum kind k, int step)
{
	struct node node;
	int n = 1, good = 0;
	node_start(&node, settings, 2);
	const struct fake_request rq = {
		.op = OP_OPEN_SESSION,
		.body = "{\"account\":\"reporter\",\"password\":\"" ACCESS_DEMO_PASSWORD "\"}"};
	for (bool fell = true; fell; n += n < 40 ? 1 : step) {
		uint64_t before = node_ledger_size(&node, VAULT_HOUSE);
		begin_fault(k, n);
		int status = request(&node, VAULT_HOUSE, &rq, NULL);
		fell = end_fault(k, n);
		assert_true(status == 200 || status == 500 || status == 503);
		assert_true(status == 200 || fell);
		assert_int_equal(node_ledger_size(&node, VAULT_HOUSE) - before, status == 200);
		good += status == 200;
	}
	print_message("%d faults\n", n - 1);
	assert_true(good >= 1 && n > 5);
	node_stop(&node);
}

static void test_every_write_of_a_log_in_fails(void **state)
{
	(void)state;
	log_in_under(FILE_ERROR, 1);
	log_in_under(FILE_FULL, 1);
}

/* Each try costs an Argon2id, so of the many allocations beyond the first only some. */
static void test_allocations_of_a_log_in_fail(void **state)
{
	(void)state;
	log_in_under(MEMORY, 29);
}

static bool has_role(struct node *n, const struct uuid *account)
{
	uint64_t bits;
	struct store *db = worker_store(n->w[VAULT_STRATEGIC]);
	assert_int_equal(store_begin(db, STORE_READ, NULL), 0);
	int e = grants_read_permissions(db, VAULT_STRATEGIC, account, &bits, NULL);
	store_rollback(db);
	assert_int_equal(e, 0);
	return bits != 0;
}

static bool has_mark(struct node *n, const struct uuid *account)
{
	uint32_t bits;
	struct store *db = worker_store(n->w[VAULT_HOUSE]);
	assert_int_equal(store_begin(db, STORE_READ, NULL), 0);
	int e = hold_of(db, account, &bits, NULL);
	store_rollback(db);
	assert_int_equal(e, 0);
	return bits != 0;
}

/* Give and take away in turn, so that every fault of both is met, and now and then of the task
 * between them. */
static void grants_under(enum kind k)
{
	struct node node;
	char grant_id[64] = "";
	node_start(&node, settings, 2);
	struct uuid account = node_make_ready(&node, "n.fresh");
	struct ticket t = node_ticket_for(&node_person(&node, "custodian.strategic")->id);
	const struct fake_request give = {.op = OP_MAKE_GRANT,
					  .who = &t,
					  .body = "{\"account\":\"n.fresh\",\"role\":\"analyst\"}"};
	bool give_fell = true, end_fell = true, task_fell = true;
	int n = 1;
	for (; give_fell || end_fell || task_fell; n += n > 600 ? 17 : 1) {
		begin_fault(k, n);
		int status = request(&node, VAULT_STRATEGIC, &give, grant_id);
		give_fell = end_fault(k, n);
		assert_int_equal(has_role(&node, &account), status == 200);
		assert_true(status == 200 || give_fell);
		if (status != 200) {
			assert_int_equal(request(&node, VAULT_STRATEGIC, &give, grant_id), 200);
		}
		assert_true(has_mark(&node, &account));
		const struct fake_request end = {
			.op = OP_END_GRANT, .who = &t, .param = {grant_id}};
		begin_fault(k, n);
		status = request(&node, VAULT_STRATEGIC, &end, NULL);
		end_fell = end_fault(k, n);
		assert_int_equal(has_role(&node, &account), status != 200);
		assert_true(has_mark(&node, &account));
		if (status != 200)
			assert_int_equal(request(&node, VAULT_STRATEGIC, &end, NULL), 200);
		begin_fault(k, n);
		(void)fake_run_task(node.w[VAULT_STRATEGIC], "access.grants", 1);
		task_fell = end_fault(k, n);
		node_settle(&node);
		assert_false(has_mark(&node, &account));
	}
	print_message("%d faults\n", n - 1);
	assert_true(n > 10);
	node_stop(&node);
}

static void test_every_write_of_a_grant_fails(void **state)
{
	(void)state;
	grants_under(FILE_ERROR);
	grants_under(FILE_FULL);
}

static void test_every_allocation_of_a_grant_fails(void **state)
{
	(void)state;
	grants_under(MEMORY);
}

static int set_up(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : sqlite_faults_install(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_write_of_a_log_in_fails),
		cmocka_unit_test(test_allocations_of_a_log_in_fail),
		cmocka_unit_test(test_every_write_of_a_grant_fails),
		cmocka_unit_test(test_every_allocation_of_a_grant_fails),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
