/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <errno.h>
#include <sodium.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "node/access/password.h"

static const struct password_params least = {.ops = PASSWORD_OPS_MIN, .mib = PASSWORD_MIB_MIN};

static void test_settings_never_go_below_the_floor(void **state)
{
	(void)state;
	static const struct {
		int64_t ops, mib;
		unsigned want_ops, want_mib;
	} rows[] = {{0, 0, 1, 46},  {-5, -5, 1, 46}, {1, 45, 1, 46},
		    {3, 64, 3, 64}, {2, 46, 2, 46},  {INT64_MAX, INT64_MAX, 100, 4096}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct password_params p = password_params(rows[i].ops, rows[i].mib);
		assert_int_equal(p.ops, rows[i].want_ops);
		assert_int_equal(p.mib, rows[i].want_mib);
	}
}

static void test_a_hash_fits_its_password_alone(void **state)
{
	(void)state;
	char hash[PASSWORD_HASH], again[PASSWORD_HASH];
	assert_int_equal(password_hash("quiet harbour at dusk", least, hash), 0);
	assert_int_equal(password_hash("quiet harbour at dusk", least, again), 0);
	assert_string_not_equal(hash, again);
	assert_memory_equal(hash, "$argon2id$v=19$m=47104,t=1,p=1$", 31);
	assert_int_equal(password_verify(hash, "quiet harbour at dusk"), 0);
	assert_int_equal(password_verify(hash, "quiet harbour at dusk "), FW_EAUTH);
	assert_int_equal(password_verify(hash, ""), FW_EAUTH);
	assert_false(password_outdated(hash, least));
	assert_true(password_outdated(hash, (struct password_params){2, 46}));
	assert_true(password_outdated(hash, (struct password_params){1, 47}));
}

/* The string for names that do not exist is computed like a real one and never fits. */
static void test_the_dummy_costs_the_same_and_fits_nothing(void **state)
{
	(void)state;
	char hash[PASSWORD_HASH], dummy[PASSWORD_HASH];
	assert_int_equal(password_hash("quiet harbour at dusk", least, hash), 0);
	password_dummy(least, dummy);
	assert_int_equal(strlen(dummy), strlen(hash));
	assert_false(password_outdated(dummy, least));
	usec_t real = 0, fake = 0;
	for (int i = 0; i < 3; i++) {
		usec_t t0 = time_mono();
		assert_int_equal(password_verify(hash, "wrong"), FW_EAUTH);
		usec_t t1 = time_mono();
		assert_int_equal(password_verify(dummy, "wrong"), FW_EAUTH);
		usec_t t2 = time_mono();
		real += t1 - t0;
		fake += t2 - t1;
	}
	/* Generous, for busy machines: without the work it would be a thousandth. */
	assert_true(fake * 4 > real);
	assert_true(real * 4 > fake);
}

static void test_a_string_that_is_no_hash_says_nothing_about_the_password(void **state)
{
	(void)state;
	static const char *const broken[] = {"", "no hash", "$argon2i$v=19$m=47104,t=1,p=1$x$y",
					     "$argon2id$"};
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		int e = password_verify(broken[i], "x");
		assert_true(e != 0 && e != FW_EAUTH);
	}
}

static void test_what_is_accepted(void **state)
{
	(void)state;
	static const char *const good[] = {
		"quiet harbour at dusk",
		"lantern-94-cedar",
		"xkzfqmwvbtpr",
		"\xe0\xb8\x9b\xe0\xb8\xa5\xe0\xb8\xb2\xe0\xb8\x94\xe0\xb8\xb3\xe0\xb8\x99\xe0\xb9"
		"\x89\xe0\xb8\xb3\xe0\xb8\x84\xe0\xb9\x88\xe0\xb8\xad\xe0\xb8\x99", /* twelve Thai
										       characters */
		"              x              y",
		"my password is a harbour",
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(password_acceptable(good[i], "n.srisai", NULL), 0);
	char longest[PASSWORD_BYTES_MAX + 2];
	for (size_t i = 0; i < PASSWORD_BYTES_MAX + 1; i++)
		longest[i] = (char)('a' + (i * i + i / 7) % 26);
	longest[PASSWORD_BYTES_MAX + 1] = '\0';
	assert_int_equal(password_acceptable(longest, "n.srisai", NULL), FW_EINVALID);
	longest[PASSWORD_BYTES_MAX] = '\0';
	assert_int_equal(password_acceptable(longest, "n.srisai", NULL), 0);
}

static void test_what_is_refused_and_why(void **state)
{
	(void)state;
	static const struct {
		const char *password, *words;
	} bad[] = {
		{"short", "at least 12"},
		{"elevenchars", "at least 12"},
		{"\xe0\xb8\x9b\xe0\xb8\xa5\xe0\xb8\xb2\xe0\xb8\x94\xe0\xb8\xb3", "at least 12"},
		{"password1234", "first that"},
		{"P@ssw0rd!!!!", "first that"},
		{"2024Password2024", "first that"},
		{"aaaaaaaaaaaa", "first that"},
		{"abababababab", "first that"},
		{"123123123123", "first that"},
		{"123456789012", "first that"},
		{"210987654321", "first that"},
		{"abcdefghijklm", "first that"},
		{"QWERTYUIOP12", "first that"},
		{"Fairway2026!!", "first that"},
		{"n.srisai1234", "own name"},
		{"n.srisain.srisai", "own name"},
		{"N.Srisai!!!!", "own name"},
		{"bad utf-8 \xff here", "text"},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct diag d = DIAG_INIT;
		assert_int_equal(password_acceptable(bad[i].password, "n.srisai", &d), FW_EINVALID);
		assert_non_null(strstr(d.text, bad[i].words));
		assert_null(strstr(d.text, bad[i].password));
	}
}

static void test_a_password_that_is_handed_over_is_accepted_and_new_each_time(void **state)
{
	(void)state;
	char a[PASSWORD_GIVEN + 1], b[PASSWORD_GIVEN + 1];
	for (int i = 0; i < 100; i++) {
		password_given(a);
		password_given(b);
		assert_string_not_equal(a, b);
		assert_int_equal(strlen(a), PASSWORD_GIVEN);
		assert_int_equal(password_acceptable(a, "n.srisai", NULL), 0);
	}
}

static void test_a_job_does_what_it_was_given(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 16);
	char hash[PASSWORD_HASH];
	assert_int_equal(password_hash("quiet harbour at dusk", least, hash), 0);

	struct password_job *j = password_job(a, least, hash, "quiet harbour at dusk", NULL);
	password_job_run(j);
	assert_int_equal(j->verified, 0);
	assert_string_equal(j->made, "");

	j = password_job(a, (struct password_params){2, 46}, hash, "quiet harbour at dusk", NULL);
	password_job_run(j);
	assert_int_equal(password_verify(j->made, "quiet harbour at dusk"), 0);

	j = password_job(a, least, hash, "quiet harbour at dusk", "another harbour at dawn");
	password_job_run(j);
	assert_int_equal(password_verify(j->made, "another harbour at dawn"), 0);

	j = password_job(a, least, hash, "wrong", "another harbour at dawn");
	password_job_run(j);
	assert_int_equal(j->verified, FW_EAUTH);
	assert_string_equal(j->made, "");

	j = password_job(a, least, NULL, NULL, "another harbour at dawn");
	password_job_run(j);
	assert_int_equal(j->error, 0);
	assert_int_equal(password_verify(j->made, "another harbour at dawn"), 0);

	j = password_job(a, least, "no hash", "wrong", NULL);
	password_job_run(j);
	assert_int_equal(j->error, FW_EFORMAT);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings_never_go_below_the_floor),
		cmocka_unit_test(test_a_hash_fits_its_password_alone),
		cmocka_unit_test(test_the_dummy_costs_the_same_and_fits_nothing),
		cmocka_unit_test(test_a_string_that_is_no_hash_says_nothing_about_the_password),
		cmocka_unit_test(test_what_is_accepted),
		cmocka_unit_test(test_what_is_refused_and_why),
		cmocka_unit_test(test_a_password_that_is_handed_over_is_accepted_and_new_each_time),
		cmocka_unit_test(test_a_job_does_what_it_was_given),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
