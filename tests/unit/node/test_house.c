/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Log-in, sessions, second factor, accounts: through the handlers, on a real store. */
#include "test.h"

#include <sodium.h>
#include <time.h>

#include "access_fixture.h"
#include "base/arena.h"
#include "node/access/session.h"
#include "node/access/totp.h"

#define RIGHT        ACCESS_DEMO_PASSWORD
#define NEW_PASSWORD "quiet harbour at dusk"

static const struct wire_pair everyone[] = {{"session.factor", "everyone"}};
static const struct wire_pair optional[] = {{"session.factor", "optional"}};
static const struct wire_pair custodians[] = {{"session.factor", "custodians"}};

static void assert_text(const struct fake_answer *a, const char *name, const char *want)
{
	assert_string_equal(fake_text(a, name), want);
}

static void test_a_log_in_opens_a_session(void **state)
{
	(void)state;
	struct node n;
	struct client c = {0};
	struct fake_answer a;
	node_start(&n, optional, 1);
	assert_int_equal(node_login(&n, &c, "reporter", RIGHT), 200);
	assert_int_equal(strlen(c.token), SESSION_TOKEN_TEXT);
	assert_int_equal(c.ticket.state, SESSION_OPEN);
	assert_true(uuid_equal(&c.ticket.account, &node_person(&n, "reporter")->id));
	assert_string_equal(c.ticket.login, "reporter");
	assert_int_equal(node_call(&n, &c, VAULT_HOUSE, OP_SEE_SESSION, NULL, NULL, &a), 200);
	assert_text(&a, "state", "open");
	assert_text(&a, "account", "reporter");
	assert_text(&a, "node_name", "Test node");
	assert_int_equal(strlen(fake_text(&a, "csrf")), CSRF_TEXT_LEN);
	json_t *vaults = json_object_get(a.json, "vaults");
	assert_int_equal(json_array_size(vaults), 1);
	assert_string_equal(json_string_value(json_array_get(vaults, 0)), "strategic");
	fake_answer_release(&a);
	/* Any case of the name, since people type it so. */
	assert_int_equal(node_login(&n, &c, "Reporter", RIGHT), 200);
	node_stop(&n);
}

/* One answer for a wrong password, a name that does not exist, and a locked account. */
static void test_a_refusal_does_not_say_why(void **state)
{
	(void)state;
	struct node n;
	struct fake_answer a[3];
	struct client admin = {0};
	char id[UUID_TEXT_LEN + 1];
	node_start(&n, optional, 1);
	assert_int_equal(node_login(&n, &admin, "administrator", RIGHT), 200);
	uuid_format(&node_person(&n, "analyst")->id, id);
	assert_int_equal(node_status(&n, &admin, VAULT_HOUSE, OP_LOCK_ACCOUNT, id, NULL), 200);
	static const char *const bodies[] = {
		"{\"account\":\"reporter\",\"password\":\"wrong\"}",
		"{\"account\":\"nobody.at.all\",\"password\":\"wrong\"}",
		"{\"account\":\"analyst\",\"password\":\"" RIGHT "\"}"};
	uint64_t entries = node_ledger_size(&n, VAULT_HOUSE);
	for (size_t i = 0; i < 3; i++) {
		fake_call(n.w[VAULT_HOUSE],
			  &(struct fake_request){.op = OP_OPEN_SESSION, .body = bodies[i]}, &a[i]);
		assert_int_equal(a[i].status, 401);
		assert_int_equal(a[i].code,
				 0); /* not an error, or what was counted would be rolled back */
		assert_string_equal(a[i].token, "");
		assert_int_equal(a[i].body.len, a[0].body.len);
		assert_memory_equal(a[i].body.data, a[0].body.data, a[0].body.len);
	}
	assert_int_equal(node_ledger_size(&n, VAULT_HOUSE), entries + 3);
	for (size_t i = 0; i < 3; i++)
		fake_answer_release(&a[i]);
	node_stop(&n);
}

/* Of the processor, so that a busy machine makes no difference. */
static usec_t work_done(void)
{
	struct timespec t;
	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return t.tv_sec * USEC_PER_SEC + t.tv_nsec / 1000;
}

static usec_t time_of_refusal(struct node *n, const char *name)
{
	char body[100];
	struct fake_answer a;
	(void)snprintf(body, sizeof(body), "{\"account\":\"%s\",\"password\":\"wrong wrong\"}",
		       name);
	usec_t t = work_done();
	fake_call(n->w[VAULT_HOUSE], &(struct fake_request){.op = OP_OPEN_SESSION, .body = body},
		  &a);
	t = work_done() - t;
	assert_int_equal(a.status, 401);
	fake_answer_release(&a);
	return t;
}

/* The shortest of several tries each, since a busy machine only adds; within half of each other. */
static void test_a_refusal_takes_as_long_for_names_that_do_not_exist(void **state)
{
	(void)state;
	static const struct wire_pair free_tries[] = {{"session.free_attempts", "100"}};
	struct node n;
	node_start(&n, free_tries, 1);
	usec_t real = INT64_MAX, fake = INT64_MAX;
	for (int i = 0; i < 6; i++) {
		usec_t t = time_of_refusal(&n, "reporter");
		real = t < real ? t : real;
		t = time_of_refusal(&n, "nobody.at.all");
		fake = t < fake ? t : fake;
	}
	assert_true(fake * 3 > real * 2);
	assert_true(real * 3 > fake * 2);
	node_stop(&n);
}

static void test_after_log_out_the_token_is_worth_nothing(void **state)
{
	(void)state;
	struct node n;
	struct client c = {0};
	struct fake_answer a;
	node_start(&n, optional, 1);
	assert_int_equal(node_login(&n, &c, "reporter", RIGHT), 200);
	struct client kept = c;
	unsigned voids = fake_voids(n.w[VAULT_HOUSE]);
	assert_int_equal(node_call(&n, &c, VAULT_HOUSE, OP_CLOSE_SESSION, NULL, NULL, &a), 204);
	assert_true(a.token_ends);
	fake_answer_release(&a);
	assert_int_equal(fake_voids(n.w[VAULT_HOUSE]), voids + 1);
	assert_false(node_refresh(&n, &kept));
	/* With a ticket that the front still had, the house itself looks again. */
	assert_int_equal(node_status(&n, &kept, VAULT_HOUSE, OP_SEE_SESSION, NULL, NULL), 401);
	node_stop(&n);
}

static void test_a_token_that_nobody_got_opens_nothing(void **state)
{
	(void)state;
	struct node n;
	struct client c = {.token = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
	node_start(&n, optional, 1);
	assert_false(node_refresh(&n, &c));
	struct buf b;
	buf_init(&b, 100);
	assert_int_equal(fake_message(n.w[VAULT_HOUSE], PROC_FRONT, MSG_TICKET_ASK, "short", 5, &b),
			 FW_EPROTO);
	buf_release(&b);
	node_stop(&n);
}

static void test_a_session_ends_when_unused_and_in_any_case(void **state)
{
	(void)state;
	static const struct wire_pair s[] = {{"session.factor", "optional"},
					     {"session.idle_minutes", "10"},
					     {"session.absolute_hours", "1"}};
	struct node n;
	struct client c = {0};
	node_start(&n, s, 3);
	assert_int_equal(node_login(&n, &c, "reporter", RIGHT), 200);
	node_wait(9 * 60);
	assert_true(node_refresh(&n, &c));
	node_wait(9 * 60); /* used meanwhile, so it lives */
	assert_true(node_refresh(&n, &c));
	node_wait(10 * 60 + 1);
	assert_false(node_refresh(&n, &c));
	assert_int_equal(node_login(&n, &c, "reporter", RIGHT), 200);
	for (int i = 0; i < 6; i++) {
		assert_true(node_refresh(&n, &c));
		node_wait(9 * 60 + 55);
	}
	assert_true(node_refresh(&n, &c));
	assert_true(c.ticket.expires <= time_now() + 30 * USEC_PER_SEC);
	node_wait(31);
	assert_false(node_refresh(&n, &c));
	assert_int_equal(fake_run_task(n.w[VAULT_HOUSE], "access.house", 1), 1);
	node_stop(&n);
}

static void test_a_fresh_account_sets_a_password_then_a_factor(void **state)
{
	(void)state;
	struct node n;
	struct client c = {0};
	char given[64], secret[64], recovery[64], code[TOTP_DIGITS + 1], body[300];
	struct fake_answer a;
	node_start(&n, everyone, 1);
	(void)node_make_account(&n, "n.fresh", given);
	assert_int_equal(node_login(&n, &c, "n.fresh", given), 200);
	assert_int_equal(c.ticket.state, SESSION_CHANGE_PASSWORD);
	assert_int_equal(node_status(&n, &c, VAULT_HOUSE, OP_LIST_SESSIONS, NULL, NULL), 401);
	assert_int_equal(node_status(&n, &c, VAULT_STRATEGIC, OP_SEE_OWN_PERMISSIONS, NULL, NULL),
			 401);
	assert_int_equal(node_status(&n, &c, VAULT_HOUSE, OP_ENROL_FACTOR, NULL, NULL), 409);
	assert_int_equal(node_give(&n, &c, OP_GIVE_FACTOR, "123456"), 409);
	char before[64];
	(void)snprintf(before, sizeof(before), "%s", c.token);
	(void)snprintf(body, sizeof(body), "{\"old\":\"%s\",\"new\":\"%s\"}", given, NEW_PASSWORD);
	assert_int_equal(node_call(&n, &c, VAULT_HOUSE, OP_CHANGE_PASSWORD, NULL, body, &a), 200);
	assert_text(&a, "state", "enrol");
	fake_answer_release(&a);
	assert_string_not_equal(c.token, before);
	assert_int_equal(c.ticket.state, SESSION_ENROL);
	assert_int_equal(node_status(&n, &c, VAULT_HOUSE, OP_CHANGE_PASSWORD, NULL, body), 409);
	node_enrol(&n, &c, secret, recovery);
	assert_int_equal(c.ticket.state, SESSION_OPEN);
	assert_int_equal(node_status(&n, &c, VAULT_HOUSE, OP_LIST_SESSIONS, NULL, NULL), 200);
	assert_int_equal(node_login(&n, &c, "n.fresh", given), 401);
	node_wait(60);
	struct client d = {0};
	assert_int_equal(node_login(&n, &d, "n.fresh", NEW_PASSWORD), 200);
	assert_int_equal(d.ticket.state, SESSION_SECOND_FACTOR);
	assert_int_equal(node_status(&n, &d, VAULT_HOUSE, OP_LIST_SESSIONS, NULL, NULL), 401);
	assert_int_equal(node_status(&n, &d, VAULT_HOUSE, OP_ENROL_FACTOR, NULL, NULL), 409);
	(void)snprintf(before, sizeof(before), "%s", d.token);
	node_device_code(secret, code);
	assert_int_equal(node_give(&n, &d, OP_GIVE_FACTOR, code), 200);
	assert_int_equal(d.ticket.state, SESSION_OPEN);
	assert_string_not_equal(d.token, before);
	node_stop(&n);
}

static void test_each_code_serves_once(void **state)
{
	(void)state;
	struct node n;
	struct client c = {0}, d = {0};
	char secret[64], recovery[64], code[TOTP_DIGITS + 1];
	node_start(&n, optional, 1);
	assert_int_equal(node_login(&n, &c, "reporter", RIGHT), 200);
	node_enrol(&n, &c, secret, recovery);
	node_wait(60);
	node_device_code(secret, code);
	assert_int_equal(node_login(&n, &c, "reporter", RIGHT), 200);
	assert_int_equal(node_give(&n, &c, OP_GIVE_FACTOR, code), 200);
	assert_int_equal(node_login(&n, &d, "reporter", RIGHT), 200);
	assert_int_equal(node_give(&n, &d, OP_GIVE_FACTOR, code), 422);
	assert_int_equal(d.ticket.state, SESSION_SECOND_FACTOR);
	assert_int_equal(node_give(&n, &d, OP_GIVE_FACTOR, recovery), 200);
	assert_int_equal(d.ticket.state, SESSION_OPEN);
	assert_int_equal(node_login(&n, &d, "reporter", RIGHT), 200);
	assert_int_equal(node_give(&n, &d, OP_GIVE_FACTOR, recovery), 422);
	assert_int_equal(node_give(&n, &d, OP_GIVE_FACTOR, "0000-0000-0000-0000"), 422);
	node_stop(&n);
}

static void test_who_must_have_a_second_factor(void **state)
{
	(void)state;
	static const struct {
		const struct wire_pair *setting;
		const char *login;
		int state;
	} rows[] = {
		{everyone, "reporter", SESSION_ENROL},
		{everyone, "custodian.strategic", SESSION_ENROL},
		{custodians, "reporter", SESSION_OPEN},
		{custodians, "strategic.auditor", SESSION_OPEN},
		{custodians, "custodian.strategic", SESSION_ENROL},
		{custodians, "administrator", SESSION_ENROL},
		{custodians, "protection.officer", SESSION_ENROL},
		{optional, "custodian.protection.1", SESSION_OPEN},
	};
	struct node n;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct client c = {0};
		if (i == 0 || rows[i].setting != rows[i - 1].setting)
			node_start(&n, rows[i].setting, 1);
		assert_int_equal(node_login(&n, &c, rows[i].login, RIGHT), 200);
		assert_int_equal(c.ticket.state, rows[i].state);
		if (i + 1 == sizeof(rows) / sizeof(rows[0]) ||
		    rows[i].setting != rows[i + 1].setting)
			node_stop(&n);
	}
}

static void test_a_new_factor_needs_a_log_in_just_now(void **state)
{
	(void)state;
	struct node n;
	struct client c = {0}, other = {0};
	char secret[64], recovery[64];
	node_start(&n, optional, 1);
	assert_int_equal(node_login(&n, &c, "reporter", RIGHT), 200);
	assert_int_equal(node_login(&n, &other, "reporter", RIGHT), 200);
	node_wait(11 * 60);
	assert_true(node_refresh(&n, &c));
	assert_int_equal(node_status(&n, &c, VAULT_HOUSE, OP_ENROL_FACTOR, NULL, NULL), 403);
	assert_int_equal(node_login(&n, &c, "reporter", RIGHT), 200);
	assert_int_equal(node_give(&n, &c, OP_CONFIRM_FACTOR, "123456"), 409); /* none begun */
	assert_int_equal(node_status(&n, &c, VAULT_HOUSE, OP_ENROL_FACTOR, NULL, NULL), 200);
	assert_int_equal(node_give(&n, &c, OP_CONFIRM_FACTOR, "000000"), 422);
	node_enrol(&n, &c, secret, recovery);
	assert_false(node_refresh(&n, &other)); /* sessions that began without it are over */
	assert_true(node_refresh(&n, &c));
	node_stop(&n);
}

static void test_a_new_password_ends_other_sessions(void **state)
{
	(void)state;
	struct node n;
	struct client c = {0}, other = {0};
	node_start(&n, optional, 1);
	assert_int_equal(node_login(&n, &c, "reporter", RIGHT), 200);
	assert_int_equal(node_login(&n, &other, "reporter", RIGHT), 200);
	struct client old = c;
	static const struct {
		const char *body;
		int status;
	} rows[] = {
		{"{\"old\":\"wrong\",\"new\":\"" NEW_PASSWORD "\"}", 422},
		{"{\"old\":\"" RIGHT "\",\"new\":\"password1234\"}", 422},
		{"{\"old\":\"" RIGHT "\",\"new\":\"reporter1234\"}", 422},
		{"{\"old\":\"" RIGHT "\",\"new\":\"" RIGHT "\"}", 422},
		{"{\"old\":\"" RIGHT "\",\"new\":\"" NEW_PASSWORD "\"}", 200},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			node_status(&n, &c, VAULT_HOUSE, OP_CHANGE_PASSWORD, NULL, rows[i].body),
			rows[i].status);
	assert_true(node_refresh(&n, &c));
	assert_false(node_refresh(&n, &other));
	assert_false(node_refresh(&n, &old)); /* its own token was changed too */
	assert_int_equal(node_login(&n, &other, "reporter", RIGHT), 401);
	assert_int_equal(node_login(&n, &other, "reporter", NEW_PASSWORD), 200);
	node_stop(&n);
}

static void test_own_sessions_are_listed_and_ended(void **state)
{
	(void)state;
	static const struct wire_pair three[] = {{"session.factor", "optional"},
						 {"session.per_account", "3"}};
	struct node n;
	struct client c[4] = {0}, other = {0};
	struct fake_answer a;
	char id[UUID_TEXT_LEN + 1];
	node_start(&n, three, 2);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(node_login(&n, &c[i], "reporter", RIGHT), 200);
		node_wait(1);
	}
	assert_false(node_refresh(&n, &c[0])); /* a fourth session ended the one used least */
	assert_int_equal(node_call(&n, &c[3], VAULT_HOUSE, OP_LIST_SESSIONS, NULL, NULL, &a), 200);
	json_t *list = json_object_get(a.json, "sessions");
	assert_int_equal(json_array_size(list), 3);
	assert_true(json_is_true(json_object_get(json_array_get(list, 0), "current")));
	assert_true(json_is_false(json_object_get(json_array_get(list, 1), "current")));
	fake_answer_release(&a);
	assert_int_equal(node_login(&n, &other, "analyst", RIGHT), 200);
	uuid_format(&c[1].ticket.session, id);
	assert_int_equal(node_status(&n, &other, VAULT_HOUSE, OP_REVOKE_SESSION, id, NULL), 404);
	assert_true(node_refresh(&n, &c[1]));
	assert_int_equal(node_status(&n, &c[3], VAULT_HOUSE, OP_REVOKE_SESSION, id, NULL), 204);
	assert_false(node_refresh(&n, &c[1]));
	assert_int_equal(node_status(&n, &c[3], VAULT_HOUSE, OP_REVOKE_SESSION, id, NULL), 404);
	uuid_format(&c[3].ticket.session, id);
	assert_int_equal(node_call(&n, &c[3], VAULT_HOUSE, OP_REVOKE_SESSION, id, NULL, &a), 204);
	assert_true(a.token_ends);
	fake_answer_release(&a);
	node_stop(&n);
}

/* ---- accounts ---- */

static void test_accounts_are_made_by_the_rules(void **state)
{
	(void)state;
	struct node n;
	struct client admin = {0}, reporter = {0};
	struct fake_answer a;
	char given[64], body[300];
	node_start(&n, optional, 1);
	(void)node_make_account(&n, "n.first", given);
	assert_int_equal(node_login(&n, &admin, "administrator", RIGHT), 200);
	assert_int_equal(node_call(&n, &admin, VAULT_HOUSE, OP_LIST_AGENCIES, NULL, NULL, &a), 200);
	char agency[UUID_TEXT_LEN + 1];
	(void)snprintf(agency, sizeof(agency), "%s",
		       json_string_value(json_object_get(
			       json_array_get(json_object_get(a.json, "agencies"), 0), "id")));
	fake_answer_release(&a);
	static const struct {
		const char *login, *agency;
		int status;
	} rows[] = {
		{"n.first", NULL, 409},
		{"N.First", NULL, 422},
		{"1first", NULL, 422},
		{"first name", NULL, 422},
		{"first;--", NULL, 422},
		{"a", NULL, 422},
		{"n.second", "00000000-0000-0000-0000-000000000000", 422},
		{"n.second", NULL, 201},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(body, sizeof(body),
			       "{\"account\":\"%s\",\"display\":\"X\",\"agency\":\"%s\"}",
			       rows[i].login, rows[i].agency != NULL ? rows[i].agency : agency);
		assert_int_equal(node_status(&n, &admin, VAULT_HOUSE, OP_MAKE_ACCOUNT, NULL, body),
				 rows[i].status);
	}
	assert_int_equal(node_call(&n, &admin, VAULT_HOUSE, OP_LIST_ACCOUNTS, NULL, NULL, &a), 200);
	assert_int_equal(json_array_size(json_object_get(a.json, "accounts")), n.npeople + 2);
	fake_answer_release(&a);
	assert_int_equal(node_login(&n, &reporter, "reporter", RIGHT), 200);
	assert_int_equal(node_status(&n, &reporter, VAULT_HOUSE, OP_LIST_ACCOUNTS, NULL, NULL),
			 403);
	assert_int_equal(node_status(&n, &reporter, VAULT_HOUSE, OP_MAKE_ACCOUNT, NULL, body), 403);
	assert_int_equal(node_status(&n, &admin, VAULT_HOUSE, OP_MAKE_AGENCY, NULL,
				     "{\"code\":\"A-1\",\"name\":\"A\"}"),
			 201);
	assert_int_equal(node_status(&n, &admin, VAULT_HOUSE, OP_MAKE_AGENCY, NULL,
				     "{\"code\":\"A-1\",\"name\":\"B\"}"),
			 409);
	assert_int_equal(node_status(&n, &admin, VAULT_HOUSE, OP_MAKE_AGENCY, NULL,
				     "{\"code\":\"A 1\",\"name\":\"B\"}"),
			 422);
	node_stop(&n);
}

static void test_a_locked_account_is_out_at_once(void **state)
{
	(void)state;
	struct node n;
	struct client admin = {0}, c = {0};
	char id[UUID_TEXT_LEN + 1];
	node_start(&n, optional, 1);
	assert_int_equal(node_login(&n, &admin, "administrator", RIGHT), 200);
	assert_int_equal(node_login(&n, &c, "reporter", RIGHT), 200);
	struct client kept = c;
	uuid_format(&node_person(&n, "reporter")->id, id);
	unsigned voids = fake_voids(n.w[VAULT_HOUSE]);
	assert_int_equal(node_status(&n, &admin, VAULT_HOUSE, OP_LOCK_ACCOUNT, id, NULL), 200);
	assert_int_equal(fake_voids(n.w[VAULT_HOUSE]), voids + 1);
	assert_false(node_refresh(&n, &kept));
	assert_int_equal(node_login(&n, &c, "reporter", RIGHT), 401);
	assert_int_equal(node_status(&n, &admin, VAULT_HOUSE, OP_UNLOCK_ACCOUNT, id, NULL), 200);
	assert_false(node_refresh(&n, &kept)); /* old sessions do not come back */
	assert_int_equal(node_login(&n, &c, "reporter", RIGHT), 200);
	uuid_format(&admin.ticket.account, id);
	assert_int_equal(node_status(&n, &admin, VAULT_HOUSE, OP_LOCK_ACCOUNT, id, NULL), 403);
	assert_int_equal(node_status(&n, &admin, VAULT_HOUSE, OP_LOCK_ACCOUNT,
				     "00000000-0000-7000-8000-000000000000", NULL),
			 404);
	node_stop(&n);
}

static void test_an_administrator_resets_only_accounts_without_roles(void **state)
{
	(void)state;
	struct node n;
	struct client admin = {0}, c = {0};
	struct fake_answer a;
	char given[64], id[UUID_TEXT_LEN + 1], secret[64], recovery[64], body[300];
	node_start(&n, optional, 1);
	assert_int_equal(node_login(&n, &admin, "administrator", RIGHT), 200);
	for (size_t i = 0; i < n.npeople; i++) {
		uuid_format(&n.people[i].id, id);
		assert_int_equal(node_status(&n, &admin, VAULT_HOUSE, OP_RESET_ACCOUNT, id, NULL),
				 403);
	}
	struct uuid fresh = node_make_account(&n, "n.fresh", given);
	assert_int_equal(node_login(&n, &c, "n.fresh", given), 200);
	(void)snprintf(body, sizeof(body), "{\"old\":\"%s\",\"new\":\"%s\"}", given, NEW_PASSWORD);
	assert_int_equal(node_status(&n, &c, VAULT_HOUSE, OP_CHANGE_PASSWORD, NULL, body), 200);
	node_enrol(&n, &c, secret, recovery);
	uuid_format(&fresh, id);
	assert_int_equal(node_call(&n, &admin, VAULT_HOUSE, OP_RESET_ACCOUNT, id, NULL, &a), 200);
	(void)snprintf(given, sizeof(given), "%s", fake_text(&a, "password"));
	fake_answer_release(&a);
	assert_false(node_refresh(&n, &c));
	assert_int_equal(node_login(&n, &c, "n.fresh", NEW_PASSWORD), 401);
	assert_int_equal(node_login(&n, &c, "n.fresh", given), 200);
	assert_int_equal(c.ticket.state, SESSION_CHANGE_PASSWORD); /* the factor went too */
	node_stop(&n);
}

/* What comes in through a text field comes out as it was and does nothing else. */
static void test_texts_are_only_texts(void **state)
{
	(void)state;
	struct node n;
	struct client admin = {0};
	struct fake_answer a;
	node_start(&n, optional, 1);
	assert_int_equal(node_login(&n, &admin, "administrator", RIGHT), 200);
	static const char evil[] =
		"'; DROP TABLE access_account; -- <script>alert(1)</script> \\u0022 =1+1";
	char body[400];
	(void)snprintf(body, sizeof(body), "{\"code\":\"X\",\"name\":\"%s\"}", evil);
	assert_int_equal(node_call(&n, &admin, VAULT_HOUSE, OP_MAKE_AGENCY, NULL, body, &a), 201);
	assert_text(&a, "name",
		    "'; DROP TABLE access_account; -- <script>alert(1)</script> \" =1+1");
	fake_answer_release(&a);
	assert_int_equal(node_login(&n, &admin, "' OR login LIKE 'admin%", RIGHT), 401);
	assert_int_equal(node_login(&n, &admin, "administrator", RIGHT), 200);
	node_stop(&n);
}

/* ---- faults ---- */

/* Whichever allocation fails, a log-in is refused or goes through; nothing is half done. */
static void test_every_allocation_of_a_log_in_may_fail(void **state)
{
	(void)state;
	static const struct wire_pair free_tries[] = {{"session.free_attempts", "100"},
						      {"session.factor", "optional"}};
	struct node n;
	node_start(&n, free_tries, 2);
	for (uint64_t i = 1;; i++) {
		struct fake_answer a;
		uint64_t before = node_ledger_size(&n, VAULT_HOUSE);
		mem_fault_at(i);
		fake_call(n.w[VAULT_HOUSE],
			  &(struct fake_request){
				  .op = OP_OPEN_SESSION,
				  .body = "{\"account\":\"reporter\",\"password\":\"" RIGHT "\"}"},
			  &a);
		bool hit = mem_fault_hit();
		mem_fault_at(0);
		uint64_t after = node_ledger_size(&n, VAULT_HOUSE);
		if (after - before != (a.status == 200))
			fail_msg("allocation %d (fell: %d): status %d, %d entries, %s %.*s", (int)i,
				 hit, a.status, (int)(after - before), a.diag.text, (int)a.body.len,
				 (const char *)a.body.data);
		if (!hit)
			assert_int_equal(a.status, 200);
		fake_answer_release(&a);
		if (!hit)
			break;
	}
	node_stop(&n);
}

static void test_a_failed_commit_leaves_nothing(void **state)
{
	(void)state;
	struct node n;
	struct client c = {0};
	node_start(&n, optional, 1);
	uint64_t before = node_ledger_size(&n, VAULT_HOUSE);
	fake_fail_commit(n.w[VAULT_HOUSE], 1);
	assert_int_equal(node_login(&n, &c, "reporter", RIGHT), 503);
	assert_int_equal(node_ledger_size(&n, VAULT_HOUSE), before);
	assert_int_equal(node_login(&n, &c, "reporter", RIGHT), 200);
	unsigned voids = fake_voids(n.w[VAULT_HOUSE]);
	fake_fail_commit(n.w[VAULT_HOUSE], 1);
	assert_int_equal(node_status(&n, &c, VAULT_HOUSE, OP_CLOSE_SESSION, NULL, NULL), 503);
	assert_int_equal(fake_voids(n.w[VAULT_HOUSE]), voids);
	assert_true(node_refresh(&n, &c));
	node_stop(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_log_in_opens_a_session),
		cmocka_unit_test(test_a_refusal_does_not_say_why),
		cmocka_unit_test(test_a_refusal_takes_as_long_for_names_that_do_not_exist),
		cmocka_unit_test(test_after_log_out_the_token_is_worth_nothing),
		cmocka_unit_test(test_a_token_that_nobody_got_opens_nothing),
		cmocka_unit_test(test_a_session_ends_when_unused_and_in_any_case),
		cmocka_unit_test(test_a_fresh_account_sets_a_password_then_a_factor),
		cmocka_unit_test(test_each_code_serves_once),
		cmocka_unit_test(test_who_must_have_a_second_factor),
		cmocka_unit_test(test_a_new_factor_needs_a_log_in_just_now),
		cmocka_unit_test(test_a_new_password_ends_other_sessions),
		cmocka_unit_test(test_own_sessions_are_listed_and_ended),
		cmocka_unit_test(test_accounts_are_made_by_the_rules),
		cmocka_unit_test(test_a_locked_account_is_out_at_once),
		cmocka_unit_test(test_an_administrator_resets_only_accounts_without_roles),
		cmocka_unit_test(test_texts_are_only_texts),
		cmocka_unit_test(test_every_allocation_of_a_log_in_may_fail),
		cmocka_unit_test(test_a_failed_commit_leaves_nothing),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
