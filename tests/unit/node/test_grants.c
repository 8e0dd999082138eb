/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Who may give roles, and what crosses between a vault and the house: through the handlers, on real
 * stores. */
#include "test.h"

#include <sodium.h>

#include "access_fixture.h"
#include "base/arena.h"
#include "node/access/account.h"
#include "node/access/grants.h"
#include "store/store.h"

#define RIGHT ACCESS_DEMO_PASSWORD

static const struct uuid *id_of(const struct node *n, const char *login)
{
	return &node_person(n, login)->id;
}

/* A request by a person with an open session; the status, and the answer's id in ${ret_id} (NULL
 * allowed). */
static int act(struct node *n, const struct uuid *who, int vault, int op, const char *param,
	       const char *body, char ret_id[64])
{
	struct ticket t = node_ticket_for(who);
	struct fake_answer a;
	fake_call(n->w[vault],
		  &(struct fake_request){.op = op, .who = &t, .param = {param}, .body = body}, &a);
	int status = a.status;
	if (status == 500)
		fail_msg("op %d: %s: %s", op, err_name(a.code), a.diag.text);
	if (status == 200 && strcmp(fake_text(&a, "state"), "pending") == 0)
		status = 202; /* only here: so that tests tell the two apart */
	if (ret_id != NULL)
		(void)snprintf(ret_id, 64, "%s", fake_text(&a, "id"));
	fake_answer_release(&a);
	return status;
}

static int grant(struct node *n, const char *by, int vault, const char *login, const char *role,
		 char ret_id[64])
{
	char body[200];
	(void)snprintf(body, sizeof(body), "{\"account\":\"%s\",\"role\":\"%s\"}", login, role);
	return act(n, id_of(n, by), vault, OP_MAKE_GRANT, NULL, body, ret_id);
}

static int reset(struct node *n, const char *by, int vault, const char *login, char ret_id[64])
{
	char body[200];
	(void)snprintf(body, sizeof(body), "{\"account\":\"%s\"}", login);
	return act(n, id_of(n, by), vault, OP_MAKE_RESET, NULL, body, ret_id);
}

static bool may(struct node *n, int vault, const struct uuid *account, int perm)
{
	struct ticket t = node_ticket_for(account);
	struct fake_answer a;
	bool found = false;
	size_t i;
	json_t *code;
	fake_call(n->w[vault], &(struct fake_request){.op = OP_SEE_OWN_PERMISSIONS, .who = &t}, &a);
	assert_int_equal(a.status, 200);
	json_array_foreach(json_object_get(a.json, "permissions"), i, code) found =
		found || strcmp(json_string_value(code), perm_rows[perm].code) == 0;
	fake_answer_release(&a);
	return found;
}

static uint32_t holds(struct node *n, const struct uuid *account)
{
	uint32_t bits = 0;
	struct store *db = worker_store(n->w[VAULT_HOUSE]);
	assert_int_equal(store_begin(db, STORE_READ, NULL), 0);
	assert_int_equal(hold_of(db, account, &bits, NULL), 0);
	store_rollback(db);
	return bits;
}

static void test_what_init_made(void **state)
{
	(void)state;
	struct node n;
	node_start(&n, NULL, 0);
	for (size_t i = 0; i < n.npeople; i++) {
		const struct access_made *p = &n.people[i];
		for (int v = 0; v < VAULT_COUNT; v++) {
			bool here = strcmp(vault_rows[v].name, p->vault) == 0;
			assert_int_equal((holds(&n, &p->id) & 1U << v) != 0, here);
		}
	}
	assert_true(may(&n, VAULT_STRATEGIC, id_of(&n, "reporter"), PERM_REPORT_WRITE));
	assert_false(may(&n, VAULT_STRATEGIC, id_of(&n, "reporter"), PERM_STRATEGIC_CUSTODY));
	assert_true(may(&n, VAULT_HOUSE, id_of(&n, "administrator"), PERM_ACCOUNTS_MANAGE));
	assert_false(may(&n, VAULT_STRATEGIC, id_of(&n, "administrator"), PERM_REPORT_READ));
	assert_true(may(&n, VAULT_PROTECTION, id_of(&n, "custodian.protection.2"),
			PERM_PROTECTION_CUSTODY));
	node_stop(&n);
}

static void test_init_runs_once(void **state)
{
	(void)state;
	struct node n;
	node_start(&n, NULL, 0);
	struct access_init in = {.argon2_passes = 1, .argon2_mib = 46};
	const struct access_made *made;
	size_t count;
	for (int v = 0; v < VAULT_COUNT; v++) {
		char url[NODE_URL];
		node_url(&n, v, url);
		struct store_options opt = {
			.url = url, .role = STORE_ROLE_INIT, .vault = vault_rows[v].name};
		assert_int_equal(store_open(&opt, &in.stores[v], NULL), 0);
	}
	assert_int_equal(access_init_demo(&in, n.mem, &made, &count, NULL), FW_EEXISTS);
	assert_int_equal(access_init_first(&in, "A", "A", n.mem, &made, &count, NULL), FW_EEXISTS);
	for (int v = 0; v < VAULT_COUNT; v++)
		store_close(in.stores[v]);
	node_stop(&n);
}

static void test_the_first_accounts_of_a_real_node(void **state)
{
	(void)state;
	char dir[] = "/tmp/fairway-first-XXXXXX";
	assert_non_null(mkdtemp(dir));
	struct arena *a = arena_new(1 << 20);
	struct access_init in = {.argon2_passes = 1, .argon2_mib = 46};
	const struct access_made *made;
	size_t count = 0;
	for (int v = 0; v < VAULT_COUNT; v++) {
		char url[128];
		(void)snprintf(url, sizeof(url), "sqlite:%s/%s.db", dir, vault_rows[v].name);
		struct store_options opt = {.url = url,
					    .role = STORE_ROLE_INIT,
					    .vault = vault_rows[v].name,
					    .create = true,
					    .migrate = true};
		assert_int_equal(store_open(&opt, &in.stores[v], NULL), 0);
	}
	assert_int_equal(access_init_first(&in, "BORDER", "Border service", a, &made, &count, NULL),
			 0);
	assert_int_equal(count, 6);
	unsigned custodians = 0;
	for (size_t i = 0; i < count; i++) {
		custodians += made[i].custodian_of != NULL;
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(made[i].password, made[k].password);
	}
	assert_int_equal(custodians, 5);
	for (int v = 0; v < VAULT_COUNT; v++) {
		store_close(in.stores[v]);
		char name[128];
		(void)snprintf(name, sizeof(name), "%s/%s.db", dir, vault_rows[v].name);
		assert_int_equal(remove(name), 0);
	}
	arena_free(a);
	assert_int_equal(remove(dir), 0);
}

static void test_a_custodian_gives_and_takes_away_at_once(void **state)
{
	(void)state;
	struct node n;
	char id[64];
	node_start(&n, NULL, 0);
	struct uuid fresh = node_make_ready(&n, "n.fresh");
	assert_false(may(&n, VAULT_STRATEGIC, &fresh, PERM_REPORT_READ));
	assert_int_equal(
		grant(&n, "custodian.strategic", VAULT_STRATEGIC, "n.fresh", "analyst", id), 200);
	assert_true(may(&n, VAULT_STRATEGIC, &fresh, PERM_REPORT_READ));
	assert_int_equal(holds(&n, &fresh), 1U << VAULT_STRATEGIC);
	assert_int_equal(
		grant(&n, "custodian.strategic", VAULT_STRATEGIC, "n.fresh", "analyst", NULL), 409);
	assert_int_equal(act(&n, id_of(&n, "custodian.strategic"), VAULT_STRATEGIC, OP_END_GRANT,
			     id, NULL, NULL),
			 200);
	assert_false(may(&n, VAULT_STRATEGIC, &fresh, PERM_REPORT_READ));
	assert_int_equal(act(&n, id_of(&n, "custodian.strategic"), VAULT_STRATEGIC, OP_END_GRANT,
			     id, NULL, NULL),
			 404);
	node_settle(&n);
	assert_int_equal(holds(&n, &fresh), 0);
	node_stop(&n);
}

static void test_nobody_else_gives_a_role(void **state)
{
	(void)state;
	struct node n;
	node_start(&n, NULL, 0);
	(void)node_make_ready(&n, "n.fresh");
	for (size_t i = 0; i < n.npeople; i++) {
		for (int v = 0; v < VAULT_COUNT; v++) {
			const char *const role[] = {[VAULT_STRATEGIC] = "analyst",
						    [VAULT_OPERATIONAL] = "operational_auditor",
						    [VAULT_PROTECTION] = "protection_officer",
						    [VAULT_HOUSE] = "administrator"};
			const char *own = n.people[i].custodian_of;
			bool custodian = own != NULL && strcmp(own, vault_rows[v].name) == 0;
			if (!custodian)
				assert_int_equal(
					grant(&n, n.people[i].login, v, "n.fresh", role[v], NULL),
					403);
		}
	}
	node_stop(&n);
}

static void test_nobody_gives_a_role_to_himself(void **state)
{
	(void)state;
	struct node n;
	node_start(&n, NULL, 0);
	assert_int_equal(grant(&n, "custodian.strategic", VAULT_STRATEGIC, "custodian.strategic",
			       "analyst", NULL),
			 403);
	assert_int_equal(
		grant(&n, "custodian.house", VAULT_HOUSE, "custodian.house", "administrator", NULL),
		403);
	assert_int_equal(grant(&n, "custodian.protection.1", VAULT_PROTECTION,
			       "custodian.protection.1", "protection_officer", NULL),
			 403);
	node_stop(&n);
}

static void test_what_is_no_role_or_no_account_is_refused(void **state)
{
	(void)state;
	struct node n;
	node_start(&n, NULL, 0);
	const struct uuid *by = id_of(&n, "custodian.strategic");
	assert_int_equal(grant(&n, "custodian.strategic", VAULT_STRATEGIC, "reporter",
			       "protection_officer", NULL),
			 422);
	assert_int_equal(
		grant(&n, "custodian.strategic", VAULT_STRATEGIC, "reporter", "king", NULL), 422);
	assert_int_equal(
		grant(&n, "custodian.strategic", VAULT_STRATEGIC, "nobody.at.all", "analyst", NULL),
		404);
	assert_int_equal(
		act(&n, by, VAULT_STRATEGIC, OP_MAKE_GRANT, NULL, "{\"role\":\"analyst\"}", NULL),
		422);
	assert_int_equal(act(&n, by, VAULT_STRATEGIC, OP_MAKE_GRANT, NULL,
			     "{\"role\":\"analyst\",\"account\":\"reporter\",\"account_id\":"
			     "\"01890000-0000-7000-8000-000000000000\"}",
			     NULL),
			 422);
	assert_int_equal(act(&n, by, VAULT_STRATEGIC, OP_MAKE_GRANT, NULL,
			     "{\"role\":\"analyst\",\"account_id\":\"01890000-0000-7000-8000-"
			     "000000000000\"}",
			     NULL),
			 404);
	node_stop(&n);
}

/* The administrator who made the account knows its first password: no role before its owner has set
 * another. */
static void test_a_fresh_account_gets_no_role(void **state)
{
	(void)state;
	struct node n;
	char given[64], id[64];
	node_start(&n, NULL, 0);
	(void)node_make_account(&n, "n.fresh", given);
	assert_int_equal(
		grant(&n, "custodian.strategic", VAULT_STRATEGIC, "n.fresh", "analyst", NULL), 409);
	assert_int_equal(grant(&n, "custodian.protection.1", VAULT_PROTECTION, "n.fresh",
			       "protection_officer", NULL),
			 409);
	/* Nor when the administrator resets it between the first custodian and the second. */
	struct uuid ready = node_make_ready(&n, "n.ready");
	char account[UUID_TEXT_LEN + 1];
	uuid_format(&ready, account);
	assert_int_equal(grant(&n, "custodian.protection.1", VAULT_PROTECTION, "n.ready",
			       "protection_officer", id),
			 202);
	assert_int_equal(act(&n, id_of(&n, "administrator"), VAULT_HOUSE, OP_RESET_ACCOUNT, account,
			     NULL, NULL),
			 200);
	assert_int_equal(act(&n, id_of(&n, "custodian.protection.2"), VAULT_PROTECTION,
			     OP_AGREE_ACT, id, NULL, NULL),
			 409);
	assert_false(may(&n, VAULT_PROTECTION, &ready, PERM_REFERRAL_READ));
	node_stop(&n);
}

static void test_protection_needs_two(void **state)
{
	(void)state;
	struct node n;
	char id[64], again[64];
	node_start(&n, NULL, 0);
	struct uuid fresh = node_make_ready(&n, "n.fresh");
	const struct uuid *one = id_of(&n, "custodian.protection.1"),
			  *two = id_of(&n, "custodian.protection.2");
	assert_int_equal(grant(&n, "custodian.protection.1", VAULT_PROTECTION, "n.fresh",
			       "protection_officer", id),
			 202);
	assert_false(may(&n, VAULT_PROTECTION, &fresh, PERM_REFERRAL_READ));
	assert_int_equal(holds(&n, &fresh), 0);
	assert_int_equal(grant(&n, "custodian.protection.2", VAULT_PROTECTION, "n.fresh",
			       "protection_officer", again),
			 409);
	assert_int_equal(act(&n, one, VAULT_PROTECTION, OP_AGREE_ACT, id, NULL, NULL), 403);
	assert_int_equal(act(&n, id_of(&n, "protection.officer"), VAULT_PROTECTION, OP_AGREE_ACT,
			     id, NULL, NULL),
			 403);
	assert_int_equal(act(&n, two, VAULT_PROTECTION, OP_AGREE_ACT, id, NULL, NULL), 200);
	assert_true(may(&n, VAULT_PROTECTION, &fresh, PERM_REFERRAL_READ));
	assert_int_equal(holds(&n, &fresh), 1U << VAULT_PROTECTION);
	assert_int_equal(act(&n, two, VAULT_PROTECTION, OP_AGREE_ACT, id, NULL, NULL), 404);
	/* A third custodian, so that the one concerned could be the second person: he may not. */
	assert_int_equal(grant(&n, "custodian.protection.1", VAULT_PROTECTION, "n.fresh",
			       "protection_custodian", id),
			 202);
	assert_int_equal(act(&n, two, VAULT_PROTECTION, OP_AGREE_ACT, id, NULL, NULL), 200);
	assert_int_equal(grant(&n, "custodian.protection.1", VAULT_PROTECTION, "n.fresh",
			       "protection_auditor", id),
			 202);
	assert_int_equal(act(&n, &fresh, VAULT_PROTECTION, OP_AGREE_ACT, id, NULL, NULL), 403);
	assert_int_equal(act(&n, &fresh, VAULT_PROTECTION, OP_REFUSE_ACT, id, NULL, NULL), 403);
	assert_int_equal(act(&n, two, VAULT_PROTECTION, OP_REFUSE_ACT, id, NULL, NULL), 204);
	assert_int_equal(act(&n, two, VAULT_PROTECTION, OP_AGREE_ACT, id, NULL, NULL), 404);
	node_stop(&n);
}

static void test_an_act_of_one_who_is_a_custodian_no_longer_is_void(void **state)
{
	(void)state;
	struct node n;
	char id[64], third[64], list[64] = "";
	node_start(&n, NULL, 0);
	(void)node_make_ready(&n, "n.third");
	(void)node_make_ready(&n, "n.fresh");
	const struct uuid *two = id_of(&n, "custodian.protection.2");
	assert_int_equal(grant(&n, "custodian.protection.1", VAULT_PROTECTION, "n.third",
			       "protection_custodian", id),
			 202);
	assert_int_equal(act(&n, two, VAULT_PROTECTION, OP_AGREE_ACT, id, NULL, third), 200);
	assert_int_equal(grant(&n, "custodian.protection.1", VAULT_PROTECTION, "n.fresh",
			       "protection_officer", id),
			 202);
	struct ticket t = node_ticket_for(two);
	struct fake_answer a;
	fake_call(n.w[VAULT_PROTECTION], &(struct fake_request){.op = OP_LIST_GRANTS, .who = &t},
		  &a);
	size_t i;
	json_t *g;
	json_array_foreach(json_object_get(a.json, "grants"), i,
			   g) if (strcmp(json_string_value(json_object_get(g, "account")),
					 "custodian.protection.1") == 0)(void)
		snprintf(list, sizeof(list), "%s", json_string_value(json_object_get(g, "id")));
	assert_int_equal(json_array_size(json_object_get(a.json, "pending")), 1);
	fake_answer_release(&a);
	assert_int_equal(act(&n, two, VAULT_PROTECTION, OP_END_GRANT, list, NULL, NULL), 200);
	assert_int_equal(act(&n, two, VAULT_PROTECTION, OP_AGREE_ACT, id, NULL, NULL), 409);
	/* Two are left: neither may go. */
	assert_int_equal(act(&n, two, VAULT_PROTECTION, OP_END_GRANT, third, NULL, NULL), 409);
	node_stop(&n);
}

static void test_an_act_runs_out(void **state)
{
	(void)state;
	struct node n;
	char id[64];
	node_start(&n, NULL, 0);
	(void)node_make_ready(&n, "n.fresh");
	assert_int_equal(grant(&n, "custodian.protection.1", VAULT_PROTECTION, "n.fresh",
			       "protection_officer", id),
			 202);
	node_wait((ACT_DAYS + 1) * 86400);
	assert_int_equal(act(&n, id_of(&n, "custodian.protection.2"), VAULT_PROTECTION,
			     OP_AGREE_ACT, id, NULL, NULL),
			 404);
	node_settle(&n);
	node_stop(&n);
}

static void test_the_last_custodian_stays(void **state)
{
	(void)state;
	static const char *const login[] = {[VAULT_STRATEGIC] = "custodian.strategic",
					    [VAULT_OPERATIONAL] = "custodian.operational",
					    [VAULT_PROTECTION] = "custodian.protection.1",
					    [VAULT_HOUSE] = "custodian.house"};
	struct node n;
	node_start(&n, NULL, 0);
	for (int v = 0; v < VAULT_COUNT; v++) {
		struct ticket t = node_ticket_for(id_of(&n, login[v]));
		struct fake_answer a;
		fake_call(n.w[v], &(struct fake_request){.op = OP_LIST_GRANTS, .who = &t}, &a);
		size_t i;
		json_t *g;
		json_array_foreach(json_object_get(a.json, "grants"), i, g)
		{
			const char *role = json_string_value(json_object_get(g, "role"));
			if (strstr(role, "custodian") != NULL)
				assert_int_equal(act(&n, &t.account, v, OP_END_GRANT,
						     json_string_value(json_object_get(g, "id")),
						     NULL, NULL),
						 409);
		}
		fake_answer_release(&a);
	}
	node_stop(&n);
}

/* ---- resets ---- */

static int log_in(struct node *n, const char *login, const char *password, struct client *c)
{
	*c = (struct client){.address = "203.0.113.1"};
	return node_login(n, c, login, password);
}

static void test_custodians_reset_who_holds_a_role_of_theirs(void **state)
{
	(void)state;
	struct node n;
	struct client before, c;
	char password[64];
	node_start(&n, NULL, 0);
	assert_int_equal(log_in(&n, "reporter", RIGHT, &before), 200);
	assert_int_equal(reset(&n, "custodian.operational", VAULT_OPERATIONAL, "reporter", NULL),
			 404);
	assert_int_equal(
		reset(&n, "custodian.strategic", VAULT_STRATEGIC, "custodian.strategic", NULL),
		403);
	assert_int_equal(reset(&n, "analyst", VAULT_STRATEGIC, "reporter", NULL), 403);
	struct ticket t = node_ticket_for(id_of(&n, "custodian.strategic"));
	struct fake_answer a;
	fake_call(n.w[VAULT_STRATEGIC],
		  &(struct fake_request){
			  .op = OP_MAKE_RESET, .who = &t, .body = "{\"account\":\"reporter\"}"},
		  &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(fake_text(&a, "state"), "done");
	(void)snprintf(password, sizeof(password), "%s", fake_text(&a, "password"));
	fake_answer_release(&a);
	assert_false(node_refresh(&n, &before));
	assert_int_equal(log_in(&n, "reporter", RIGHT, &c), 401);
	assert_int_equal(log_in(&n, "reporter", password, &c), 200);
	assert_int_equal(c.ticket.state, 3); /* change_password */
	node_stop(&n);
}

/* Whoever holds roles in two vaults belongs to both. */
static void test_two_vaults_must_agree(void **state)
{
	(void)state;
	struct node n;
	struct client c;
	node_start(&n, NULL, 0);
	assert_int_equal(grant(&n, "custodian.operational", VAULT_OPERATIONAL, "reporter",
			       "operational_auditor", NULL),
			 200);
	assert_int_equal(reset(&n, "custodian.strategic", VAULT_STRATEGIC, "reporter", NULL), 202);
	assert_int_equal(log_in(&n, "reporter", RIGHT, &c), 200);
	assert_int_equal(reset(&n, "custodian.strategic", VAULT_STRATEGIC, "reporter", NULL),
			 202); /* one vault twice is still one */
	assert_int_equal(reset(&n, "custodian.operational", VAULT_OPERATIONAL, "reporter", NULL),
			 200);
	assert_int_equal(log_in(&n, "reporter", RIGHT, &c), 401);
	/* The consents are used up. */
	assert_int_equal(reset(&n, "custodian.operational", VAULT_OPERATIONAL, "reporter", NULL),
			 202);
	/* And they run out. */
	node_wait((CONSENT_DAYS + 1) * 86400);
	assert_int_equal(reset(&n, "custodian.strategic", VAULT_STRATEGIC, "reporter", NULL), 202);
	node_stop(&n);
}

/* Protection's consent needs two persons, comes last, and the password goes nowhere else. */
static void test_protection_agrees_last_and_by_two(void **state)
{
	(void)state;
	struct node n;
	struct client c;
	char id[64];
	node_start(&n, NULL, 0);
	assert_int_equal(grant(&n, "custodian.strategic", VAULT_STRATEGIC, "protection.officer",
			       "analyst", NULL),
			 200);
	assert_int_equal(
		reset(&n, "custodian.protection.1", VAULT_PROTECTION, "protection.officer", NULL),
		409);
	assert_int_equal(
		reset(&n, "custodian.strategic", VAULT_STRATEGIC, "protection.officer", NULL), 202);
	assert_int_equal(
		reset(&n, "custodian.protection.1", VAULT_PROTECTION, "protection.officer", id),
		202);
	assert_int_equal(
		reset(&n, "custodian.strategic", VAULT_STRATEGIC, "protection.officer", NULL), 202);
	assert_int_equal(act(&n, id_of(&n, "custodian.protection.1"), VAULT_PROTECTION,
			     OP_AGREE_ACT, id, NULL, NULL),
			 403);
	assert_int_equal(log_in(&n, "protection.officer", RIGHT, &c), 200);
	assert_int_equal(act(&n, id_of(&n, "custodian.protection.2"), VAULT_PROTECTION,
			     OP_AGREE_ACT, id, NULL, NULL),
			 200);
	assert_int_equal(log_in(&n, "protection.officer", RIGHT, &c), 401);
	node_stop(&n);
}

/* A vault's worker that was broken into speaks for its own vault only, and for persons that fit. */
static void test_a_broken_vault_cannot_reset_others(void **state)
{
	(void)state;
	struct node n;
	struct client c;
	node_start(&n, NULL, 0);
	struct uuid officer = *id_of(&n, "protection.officer"), one = uuid_new(), two = uuid_new();
	const struct {
		enum proc from;
		struct uuid account, by, second;
		int code;
	} rows[] = {
		{PROC_STRATEGIC, officer, one, UUID_NIL, FW_ENOTFOUND},
		{PROC_OPERATIONAL, officer, one, two, FW_ENOTFOUND},
		{PROC_PROTECTION, officer, one, UUID_NIL, FW_EDENIED},
		{PROC_PROTECTION, officer, one, one, FW_EDENIED},
		{PROC_PROTECTION, officer, officer, one, FW_EDENIED},
		{PROC_PROTECTION, officer, one, officer, FW_EDENIED},
		{PROC_PROTECTION, officer, UUID_NIL, one, FW_EDENIED},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wire_reset_ask ask = {.what = RESET_AGREE,
					     .account = rows[i].account,
					     .by = rows[i].by,
					     .second = rows[i].second};
		struct wire_reset ret;
		struct buf in, out;
		struct cursor cur;
		buf_init(&in, 200);
		buf_init(&out, 600);
		wire_reset_ask_put(&in, &ask);
		assert_int_equal(fake_message(n.w[VAULT_HOUSE], rows[i].from, MSG_RESET_ASK,
					      in.data, in.len, &out),
				 0);
		cur_init(&cur, out.data, out.len);
		assert_int_equal(wire_reset_get(&cur, &ret), 0);
		assert_int_equal(ret.code, rows[i].code);
		assert_string_equal(ret.password, "");
		buf_release(&in);
		buf_release(&out);
	}
	/* Unmarking from another vault leaves protection's mark. */
	struct wire_hold_ask un = {.what = HOLD_UNMARK, .account = officer};
	struct buf in, out;
	buf_init(&in, 100);
	buf_init(&out, 300);
	wire_hold_ask_put(&in, &un);
	assert_int_equal(
		fake_message(n.w[VAULT_HOUSE], PROC_STRATEGIC, MSG_HOLD_ASK, in.data, in.len, &out),
		0);
	assert_int_equal(holds(&n, &officer), 1U << VAULT_PROTECTION);
	buf_release(&in);
	buf_release(&out);
	assert_int_equal(log_in(&n, "protection.officer", RIGHT, &c), 200);
	node_stop(&n);
}

/* ---- faults between the house and a vault ---- */

static void test_without_the_house_no_role_is_given(void **state)
{
	(void)state;
	struct node n;
	char id[64];
	node_start(&n, NULL, 0);
	struct uuid fresh = node_make_ready(&n, "n.fresh");
	fake_worker_set_house(n.w[VAULT_STRATEGIC], NULL);
	assert_int_equal(
		grant(&n, "custodian.strategic", VAULT_STRATEGIC, "n.fresh", "analyst", NULL), 503);
	assert_false(may(&n, VAULT_STRATEGIC, &fresh, PERM_REPORT_READ));
	fake_worker_set_house(n.w[VAULT_STRATEGIC], n.w[VAULT_HOUSE]);
	assert_int_equal(
		grant(&n, "custodian.strategic", VAULT_STRATEGIC, "n.fresh", "analyst", id), 200);
	/* Taking away works without the house, and the mark goes when it is back. */
	fake_worker_set_house(n.w[VAULT_STRATEGIC], NULL);
	assert_int_equal(act(&n, id_of(&n, "custodian.strategic"), VAULT_STRATEGIC, OP_END_GRANT,
			     id, NULL, NULL),
			 200);
	node_settle(&n);
	assert_int_equal(holds(&n, &fresh), 1U << VAULT_STRATEGIC);
	node_restart(&n, VAULT_STRATEGIC);
	node_settle(&n);
	assert_int_equal(holds(&n, &fresh), 0);
	node_stop(&n);
}

static void test_a_grant_that_fails_leaves_a_mark_that_goes(void **state)
{
	(void)state;
	struct node n;
	node_start(&n, NULL, 0);
	struct uuid fresh = node_make_ready(&n, "n.fresh");
	struct ticket t = node_ticket_for(id_of(&n, "custodian.strategic"));
	struct fake_answer a;
	for (int restart = 0; restart <= 1; restart++) {
		node_settle(&n);
		fake_fail_commit(n.w[VAULT_STRATEGIC], 1);
		fake_call(n.w[VAULT_STRATEGIC],
			  &(struct fake_request){
				  .op = OP_MAKE_GRANT,
				  .who = &t,
				  .body = "{\"account\":\"n.fresh\",\"role\":\"analyst\"}"},
			  &a);
		assert_int_equal(a.status, 503);
		fake_answer_release(&a);
		assert_int_equal(holds(&n, &fresh),
				 1U << VAULT_STRATEGIC); /* wider than the truth, never narrower */
		assert_true(fake_was_woken(n.w[VAULT_STRATEGIC], "access.grants"));
		assert_false(may(&n, VAULT_STRATEGIC, &fresh,
				 PERM_REPORT_READ)); /* nothing of it stays in the cache */
		if (restart == 1)
			node_restart(&n, VAULT_STRATEGIC);
		node_settle(&n);
		assert_int_equal(holds(&n, &fresh), 0);
	}
	node_stop(&n);
}

/* A house from an older backup has lost its marks: the vaults tell it again. */
static int unmark_all(struct store *db, void *arg, struct diag *reterr)
{
	const struct node *n = arg;
	bool changed;
	int e = 0;
	for (size_t i = 0; e == 0 && i < n->npeople; i++)
		for (int v = 0; e == 0 && v < VAULT_COUNT; v++)
			e = hold_unmark(db, &n->people[i].id, v, &changed, reterr);
	return e;
}

static void test_marks_that_were_lost_come_back(void **state)
{
	(void)state;
	struct node n;
	node_start(&n, NULL, 0);
	struct store *db = worker_store(n.w[VAULT_HOUSE]);
	assert_int_equal(store_tx(db, STORE_WRITE, unmark_all, &n, NULL), 0);
	assert_int_equal(holds(&n, id_of(&n, "protection.officer")), 0);
	for (int v = 0; v < VAULT_COUNT; v++)
		node_restart(&n, v);
	node_settle(&n);
	assert_int_equal(holds(&n, id_of(&n, "protection.officer")), 1U << VAULT_PROTECTION);
	assert_int_equal(holds(&n, id_of(&n, "administrator")), 1U << VAULT_HOUSE);
	node_stop(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_init_made),
		cmocka_unit_test(test_init_runs_once),
		cmocka_unit_test(test_the_first_accounts_of_a_real_node),
		cmocka_unit_test(test_a_custodian_gives_and_takes_away_at_once),
		cmocka_unit_test(test_nobody_else_gives_a_role),
		cmocka_unit_test(test_nobody_gives_a_role_to_himself),
		cmocka_unit_test(test_what_is_no_role_or_no_account_is_refused),
		cmocka_unit_test(test_a_fresh_account_gets_no_role),
		cmocka_unit_test(test_protection_needs_two),
		cmocka_unit_test(test_an_act_of_one_who_is_a_custodian_no_longer_is_void),
		cmocka_unit_test(test_an_act_runs_out),
		cmocka_unit_test(test_the_last_custodian_stays),
		cmocka_unit_test(test_custodians_reset_who_holds_a_role_of_theirs),
		cmocka_unit_test(test_two_vaults_must_agree),
		cmocka_unit_test(test_protection_agrees_last_and_by_two),
		cmocka_unit_test(test_a_broken_vault_cannot_reset_others),
		cmocka_unit_test(test_without_the_house_no_role_is_given),
		cmocka_unit_test(test_a_grant_that_fails_leaves_a_mark_that_goes),
		cmocka_unit_test(test_marks_that_were_lost_come_back),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
