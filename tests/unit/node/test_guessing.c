/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Guessing passwords and codes: slowed down, and nobody is locked out by it. */
#include "test.h"

#include <sodium.h>

#include "access_fixture.h"
#include "node/access/totp.h"

#define RIGHT ACCESS_DEMO_PASSWORD

static const struct wire_pair optional[] = {{"session.factor", "optional"}};

static void test_one_guesser_waits_longer_and_longer_and_others_do_not(void **state)
{
	(void)state;
	struct node n;
	struct client bad = {.address = "198.51.100.7"}, good = {.address = "203.0.113.9"};
	node_start(&n, optional, 1);
	for (int i = 0; i < 5; i++)
		assert_int_equal(node_login(&n, &bad, "reporter", "wrong"), 401);
	assert_int_equal(node_login(&n, &bad, "reporter", "wrong"),
			 401); /* the first beyond the free ones is the last at once */
	assert_int_equal(node_login(&n, &bad, "reporter", RIGHT), 429); /* even the right one */
	assert_int_equal(node_login(&n, &good, "reporter", RIGHT), 200);
	int64_t waits[12], total = 0;
	for (int i = 0; i < 12; i++) {
		waits[i] = 0;
		int status;
		while ((status = node_login(&n, &bad, "reporter", "wrong")) == 429 &&
		       waits[i] < 2000) {
			node_wait(1);
			waits[i]++;
		}
		assert_int_equal(status, 401);
		total += waits[i];
		if (i > 0)
			assert_true(waits[i] >= waits[i - 1]);
	}
	assert_true(waits[11] >= 899 && waits[11] <= 901); /* the limit, not more */
	assert_true(total > 2500);
	assert_int_equal(node_login(&n, &good, "reporter", RIGHT), 200);
	/* Nobody is locked out for ever: after the wait the right password opens, and the count
	 * begins anew. */
	node_wait(901);
	assert_int_equal(node_login(&n, &bad, "reporter", RIGHT), 200);
	assert_int_equal(node_login(&n, &bad, "reporter", "wrong"), 401);
	assert_int_equal(node_login(&n, &bad, "reporter", RIGHT), 200);
	node_stop(&n);
}

static void test_names_that_do_not_exist_wait_alike(void **state)
{
	(void)state;
	struct node n;
	struct client c = {.address = "198.51.100.7"};
	node_start(&n, optional, 1);
	for (int i = 0; i < 6; i++)
		assert_int_equal(node_login(&n, &c, "nobody.at.all", "wrong"), 401);
	assert_int_equal(node_login(&n, &c, "nobody.at.all", "wrong"), 429);
	node_stop(&n);
}

/* One address over many names: the address waits, whatever the name. */
static void test_one_password_over_many_names_waits_too(void **state)
{
	(void)state;
	struct node n;
	struct client c = {.address = "2001:db8:1:2::3"},
		      same64 = {.address = "2001:db8:1:2:ffff::4"},
		      other64 = {.address = "2001:db8:1:3::3"};
	node_start(&n, optional, 1);
	for (int i = 0; i < 31; i++) {
		char name[20];
		(void)snprintf(name, sizeof(name), "name%d", i);
		assert_int_equal(node_login(&n, &c, name, "wrong"), 401);
	}
	assert_int_equal(node_login(&n, &c, "reporter", RIGHT), 429);
	assert_int_equal(node_login(&n, &same64, "reporter", RIGHT), 429);
	assert_int_equal(node_login(&n, &other64, "reporter", RIGHT), 200);
	node_stop(&n);
}

/* Many addresses against one account: newcomers wait at most a minute, and where the account is at
 * home nobody waits. */
static void test_many_addresses_slow_an_account_down_but_not_at_home(void **state)
{
	(void)state;
	static const struct wire_pair few[] = {{"session.factor", "optional"},
					       {"session.free_attempts", "1"}};
	struct node n;
	struct client home = {.address = "203.0.113.9"}, away = {.address = "203.0.113.10"};
	node_start(&n, few, 2);
	assert_int_equal(node_login(&n, &home, "reporter", RIGHT), 200);
	for (int i = 0; i < 80; i++) {
		char address[20];
		(void)snprintf(address, sizeof(address), "198.51.100.%d", i);
		struct client c = {.address = address};
		int status = node_login(&n, &c, "reporter", "wrong");
		if (status == 429)
			node_wait(61); /* never more than a minute */
		else
			assert_int_equal(status, 401);
	}
	struct client last = {.address = "198.51.100.200"};
	assert_int_equal(node_login(&n, &last, "reporter", "wrong"), 401);
	assert_int_equal(node_login(&n, &away, "reporter", RIGHT), 429);
	assert_int_equal(node_login(&n, &home, "reporter", RIGHT), 200);
	node_wait(61);
	assert_int_equal(node_login(&n, &away, "reporter", RIGHT), 200);
	node_stop(&n);
}

/* Whoever has the password still cannot try codes at will; and the owner elsewhere can. */
static void test_codes_cannot_be_guessed(void **state)
{
	(void)state;
	struct node n;
	struct client c = {.address = "203.0.113.9"}, bad = {.address = "198.51.100.7"};
	char secret[64], recovery[64], code[TOTP_DIGITS + 1], guess[TOTP_DIGITS + 1];
	node_start(&n, optional, 1);
	assert_int_equal(node_login(&n, &c, "reporter", RIGHT), 200);
	node_enrol(&n, &c, secret, recovery);
	node_wait(60);
	assert_int_equal(node_login(&n, &bad, "reporter", RIGHT), 200);
	int tried = 0, status;
	do {
		(void)snprintf(guess, sizeof(guess), "%06d", tried * 7);
		status = node_give(&n, &bad, OP_GIVE_FACTOR, guess);
		tried++;
	} while (status == 422 && tried < 100);
	assert_int_equal(status, 429);
	assert_int_equal(tried, 7);
	node_device_code(secret, code);
	assert_int_equal(node_give(&n, &bad, OP_GIVE_FACTOR, code), 429);
	assert_int_equal(node_login(&n, &bad, "reporter", RIGHT),
			 200); /* a new session changes nothing */
	assert_int_equal(node_give(&n, &bad, OP_GIVE_FACTOR, code), 429);
	assert_int_equal(node_login(&n, &c, "reporter", RIGHT), 200);
	assert_int_equal(node_give(&n, &c, OP_GIVE_FACTOR, code), 200);
	node_stop(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_guesser_waits_longer_and_longer_and_others_do_not),
		cmocka_unit_test(test_names_that_do_not_exist_wait_alike),
		cmocka_unit_test(test_one_password_over_many_names_waits_too),
		cmocka_unit_test(test_many_addresses_slow_an_account_down_but_not_at_home),
		cmocka_unit_test(test_codes_cannot_be_guessed),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
