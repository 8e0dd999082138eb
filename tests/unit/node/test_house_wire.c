/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "gen/tables.h"
#include "node/access/house.h"
#include "node/process/wire.h"

static struct uuid random_uuid(struct prop *p)
{
	struct uuid u;
	prop_bytes(p, u.b, sizeof(u.b));
	return u;
}

static void random_login(struct prop *p, char out[ACCESS_LOGIN_MAX + 1])
{
	size_t n = prop_below(p, ACCESS_LOGIN_MAX + 1);
	for (size_t i = 0; i < n; i++)
		out[i] = (char)('a' + prop_below(p, 26));
	out[n] = '\0';
}

static void assert_size(const struct buf *b, int msg)
{
	assert_false(buf_failed(b));
	assert_true(b->len >= message_rows[msg].min);
	assert_true(b->len <= message_rows[msg].max);
}

/* What one end writes the other reads, within the sizes of messages.tbl. */
static void test_every_payload_comes_back(void **state)
{
	(void)state;
	struct buf b;
	struct cursor cur;
	buf_init(&b, 1000);
	for (uint64_t seed = 0; seed < prop_rounds(300); seed++) {
		struct prop p = {seed};
		uint8_t ticket[WIRE_TICKET_MAX];
		prop_bytes(&p, ticket, sizeof(ticket));
		size_t n = 1 + prop_below(&p, WIRE_TICKET_MAX), got_n;
		const uint8_t *got;
		bool none = prop_below(&p, 4) == 0;
		buf_clear(&b);
		wire_ticket_put(&b, none ? NULL : ticket, n);
		assert_size(&b, MSG_TICKET);
		cur_init(&cur, b.data, b.len);
		assert_int_equal(wire_ticket_get(&cur, &got, &got_n), 0);
		assert_int_equal(got_n, none ? 0 : n);
		if (!none)
			assert_memory_equal(got, ticket, n);

		struct wire_hold_ask ha = {.what = (uint8_t)prop_below(&p, 3),
					   .strong = prop_below(&p, 2),
					   .account = random_uuid(&p)},
				     ha2;
		buf_clear(&b);
		wire_hold_ask_put(&b, &ha);
		assert_size(&b, MSG_HOLD_ASK);
		cur_init(&cur, b.data, b.len);
		assert_int_equal(wire_hold_ask_get(&cur, &ha2), 0);
		assert_true(ha2.what == ha.what && ha2.strong == ha.strong &&
			    uuid_equal(&ha.account, &ha2.account));

		struct wire_hold h = {.code = prop_below(&p, 2) ? FW_ENOTFOUND : 0,
				      .n = (uint8_t)prop_below(&p, HOLD_PAGE + 1)},
				 h2;
		for (size_t i = 0; i < h.n; i++)
			h.accounts[i] = random_uuid(&p);
		buf_clear(&b);
		wire_hold_put(&b, &h);
		assert_size(&b, MSG_HOLD);
		cur_init(&cur, b.data, b.len);
		assert_int_equal(wire_hold_get(&cur, &h2), 0);
		assert_true(h2.code == h.code && h2.n == h.n);
		for (size_t i = 0; i < h.n; i++)
			assert_true(uuid_equal(&h.accounts[i], &h2.accounts[i]));

		struct wire_name_ask na = {.by_login = prop_below(&p, 2)}, na2;
		if (na.by_login)
			random_login(&p, na.login);
		else
			na.account = random_uuid(&p);
		buf_clear(&b);
		wire_name_ask_put(&b, &na);
		if (!na.by_login || na.login[0] != '\0')
			assert_size(&b, MSG_NAME_ASK);
		cur_init(&cur, b.data, b.len);
		assert_int_equal(wire_name_ask_get(&cur, &na2), 0);
		assert_true(na.by_login == na2.by_login && uuid_equal(&na.account, &na2.account));
		assert_string_equal(na.login, na2.login);

		struct wire_name nm = {.code = 0,
				       .account = random_uuid(&p),
				       .locked = prop_below(&p, 2),
				       .fresh = prop_below(&p, 2)},
				 nm2;
		random_login(&p, nm.login);
		buf_clear(&b);
		wire_name_put(&b, &nm);
		assert_size(&b, MSG_NAME);
		cur_init(&cur, b.data, b.len);
		assert_int_equal(wire_name_get(&cur, &nm2), 0);
		assert_string_equal(nm.login, nm2.login);
		assert_true(nm.locked == nm2.locked && nm.fresh == nm2.fresh &&
			    uuid_equal(&nm.account, &nm2.account));

		struct wire_reset_ask ra = {.what = (uint8_t)prop_below(&p, 2),
					    .account = random_uuid(&p),
					    .by = random_uuid(&p),
					    .second = random_uuid(&p)},
				      ra2;
		buf_clear(&b);
		wire_reset_ask_put(&b, &ra);
		assert_size(&b, MSG_RESET_ASK);
		cur_init(&cur, b.data, b.len);
		assert_int_equal(wire_reset_ask_get(&cur, &ra2), 0);
		assert_memory_equal(&ra.account, &ra2.account, 3 * sizeof(struct uuid));
		assert_int_equal(ra.what, ra2.what);

		struct wire_reset r = {.code = FW_ECONFLICT,
				       .missing = (uint32_t)prop_below(&p, 1U << VAULT_COUNT),
				       .password = "abcd-efgh-jkmn-pqrs"},
				  r2;
		buf_clear(&b);
		wire_reset_put(&b, &r);
		assert_size(&b, MSG_RESET);
		cur_init(&cur, b.data, b.len);
		assert_int_equal(wire_reset_get(&cur, &r2), 0);
		assert_true(r.code == r2.code && r.missing == r2.missing);
		assert_string_equal(r.password, r2.password);
	}
	buf_release(&b);
}

/* A process broken into may send anything: each reader answers 0 or FW_EPROTO and reads nothing
 * beyond the end. */
static void test_garbage_is_refused_or_harmless(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < prop_rounds(5000); seed++) {
		struct prop p = {seed};
		size_t n = prop_below(&p, 120);
		uint8_t *bytes = malloc(
			n > 0 ? n
			      : 1); /* exactly as long, so that the sanitizer sees a step over */
		assert_non_null(bytes);
		prop_bytes(&p, bytes, n);
		for (size_t i = 0; i < n && i < 6; i++)
			if (prop_below(&p, 2) == 0)
				bytes[i] = (uint8_t)prop_below(&p, 3);
		struct cursor cur;
		const uint8_t *q;
		size_t len;
		union {
			struct wire_hold_ask ha;
			struct wire_hold h;
			struct wire_name_ask na;
			struct wire_name n;
			struct wire_reset_ask ra;
			struct wire_reset r;
		} u;
		int e[7];
		cur_init(&cur, bytes, n);
		e[0] = wire_ticket_get(&cur, &q, &len);
		cur_init(&cur, bytes, n);
		e[1] = wire_hold_ask_get(&cur, &u.ha);
		cur_init(&cur, bytes, n);
		e[2] = wire_hold_get(&cur, &u.h);
		cur_init(&cur, bytes, n);
		e[3] = wire_name_ask_get(&cur, &u.na);
		cur_init(&cur, bytes, n);
		e[4] = wire_name_get(&cur, &u.n);
		cur_init(&cur, bytes, n);
		e[5] = wire_reset_ask_get(&cur, &u.ra);
		cur_init(&cur, bytes, n);
		e[6] = wire_reset_get(&cur, &u.r);
		for (size_t i = 0; i < 7; i++)
			assert_true(e[i] == 0 || e[i] == FW_EPROTO);
		free(bytes);
	}
}

static void assert_refused(const void *bytes, size_t n, int (*get)(struct cursor *cur, void *ret))
{
	struct cursor cur;
	uint8_t room[512];
	cur_init(&cur, bytes, n);
	assert_int_equal(get(&cur, room), FW_EPROTO);
}

static int get_hold(struct cursor *cur, void *ret)
{
	return wire_hold_get(cur, ret);
}
static int get_hold_ask(struct cursor *cur, void *ret)
{
	return wire_hold_ask_get(cur, ret);
}
static int get_name(struct cursor *cur, void *ret)
{
	return wire_name_get(cur, ret);
}
static int get_reset(struct cursor *cur, void *ret)
{
	return wire_reset_get(cur, ret);
}

static void test_values_out_of_bounds_are_refused(void **state)
{
	(void)state;
	uint8_t page[5 + 16 * (HOLD_PAGE + 1)] = {0, 0, 0, 0, HOLD_PAGE + 1};
	assert_refused(page, sizeof(page), get_hold);
	uint8_t what[18] = {HOLD_LIST + 1};
	assert_refused(what, sizeof(what), get_hold_ask);
	uint8_t positive[5] = {1};
	assert_refused(positive, sizeof(positive), get_hold);
	uint8_t missing[12] = {0, 0, 0, 0, 0xff};
	assert_refused(missing, sizeof(missing), get_reset);
	uint8_t inner_nul[4 + 16 + 4 + 3 + 1] = {0};
	inner_nul[20] = 3;
	inner_nul[24] = 'a';
	inner_nul[26] = 'b';
	assert_refused(inner_nul, sizeof(inner_nul), get_name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_payload_comes_back),
		cmocka_unit_test(test_garbage_is_refused_or_harmless),
		cmocka_unit_test(test_values_out_of_bounds_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
