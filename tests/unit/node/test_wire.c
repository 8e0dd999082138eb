/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <errno.h>
#include <sodium.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "base/err.h"
#include "node/process/chan.h"
#include "node/process/wire.h"

static struct arena *mem;
static struct buf b, again;

static int setup(void **state)
{
	(void)state;
	mem = arena_new(8 << 20);
	buf_init(&b, 4 << 20);
	buf_init(&again, 4 << 20);
	return mem == NULL || sodium_init() < 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(mem);
	buf_release(&b);
	buf_release(&again);
	return 0;
}

static const char *any_text(struct prop *p, size_t max, bool maybe_none)
{
	static const char *const pieces[] = { "a", "Z", "9", " ", "é", "ก", "م", "\n", "%", "\xf0\x9f\x9a\xa2" };
	if (maybe_none && prop_below(p, 3) == 0)
		return NULL;
	char *s = arena_alloc(mem, max + 1);
	size_t len = 0, want = prop_below(p, max + 1);
	for (;;) {
		const char *piece = pieces[prop_below(p, 10)];
		if (len + strlen(piece) > want)
			return s;
		memcpy(s + len, piece, strlen(piece) + 1);
		len += strlen(piece);
	}
}

static const uint8_t *any_bytes(struct prop *p, size_t most, size_t *ret_n)
{
	*ret_n = prop_below(p, most + 1);
	uint8_t *out = arena_alloc(mem, *ret_n);
	prop_bytes(p, out, *ret_n);
	return *ret_n > 0 ? out : NULL;
}

static void same_text(const char *x, const char *y)
{
	assert_true((x == NULL) == (y == NULL));
	if (x != NULL)
		assert_string_equal(x, y);
}

static struct wire_call any_call(struct prop *p)
{
	struct wire_call c = { .op = (uint16_t)prop_u64(p) };
	c.ticket = any_bytes(p, WIRE_TICKET_MAX, &c.ticket_len);
	c.nparams = prop_below(p, WIRE_PARAMS + 1);
	for (size_t i = 0; i < c.nparams; i++)
		c.param[i] = any_text(p, 60, false);
	c.nqueries = prop_below(p, WIRE_QUERIES + 1);
	for (size_t i = 0; i < c.nqueries; i++)
		c.query[i] = (struct wire_pair){ any_text(p, 64, false), any_text(p, 300, false) };
	c.body = any_bytes(p, 2000, &c.body_len);
	c.upload = c.body == NULL && prop_below(p, 2);
	c.purpose = any_text(p, 64, true);
	c.lang = any_text(p, 40, true);
	c.address = any_text(p, 64, true);
	c.agent = any_text(p, 200, true);
	prop_bytes(p, c.token_hash, sizeof(c.token_hash));
	return c;
}

static struct wire_reply any_reply(struct prop *p)
{
	struct wire_reply r = { .status = (uint16_t)(200 + prop_below(p, 400)), .more = prop_below(p, 2) };
	r.type = any_text(p, 100, true);
	r.filename = any_text(p, 255, true);
	r.token = any_text(p, 64, true);
	r.body = any_bytes(p, 5000, &r.body_len);
	return r;
}

static struct wire_boot any_boot(struct prop *p)
{
	struct wire_boot w = { .node_name = any_text(p, 100, false) };
	w.node_state = any_text(p, 20, false);
	w.origin = any_text(p, 200, false);
	w.exercise = prop_below(p, 2);
	w.store_url = any_text(p, 200, true);
	w.folder = any_text(p, 300, true);
	w.auditor_file = any_text(p, 300, true);
	w.test_clock = (int64_t)prop_u64(p);
	w.nsettings = prop_below(p, WIRE_SETTINGS + 1);
	for (size_t i = 0; i < w.nsettings; i++)
		w.setting[i] = (struct wire_pair){ any_text(p, 64, false), any_text(p, 100, false) };
	return w;
}

/* The three payloads as one: what is written into ${b}, and read and written again into ${again}. */
enum kind { CALL, REPLY, BOOT, KINDS };

static void write_any(enum kind kind, struct prop *p)
{
	buf_clear(&b);
	if (kind == CALL) {
		struct wire_call c = any_call(p);
		wire_call_put(&b, &c);
	} else if (kind == REPLY) {
		struct wire_reply r = any_reply(p);
		wire_reply_put(&b, &r);
	} else {
		struct wire_boot w = any_boot(p);
		wire_boot_put(&b, &w);
	}
	assert_false(buf_failed(&b));
}

static int read_again(enum kind kind, const uint8_t *bytes, size_t n, struct arena *a)
{
	struct cursor cur;
	struct wire_call c;
	struct wire_reply r;
	struct wire_boot w;
	buf_clear(&again);
	cur_init(&cur, bytes, n);
	int err = kind == CALL	? wire_call_get(&cur, a, &c) :
		  kind == REPLY ? wire_reply_get(&cur, a, &r) :
				  wire_boot_get(&cur, a, &w);
	if (err != 0)
		return err;
	if (kind == CALL)
		wire_call_put(&again, &c);
	else if (kind == REPLY)
		wire_reply_put(&again, &r);
	else
		wire_boot_put(&again, &w);
	return 0;
}

/* What is read is what was written: written again it is the same bytes. */
static void test_round_trips(void **state)
{
	(void)state;
	for (unsigned round = 0; round < prop_rounds(300); round++)
		for (enum kind kind = CALL; kind < KINDS; kind++) {
			struct prop p = { round };
			arena_reset(mem);
			write_any(kind, &p);
			assert_int_equal(read_again(kind, b.data, b.len, mem), 0);
			assert_int_equal(b.len, again.len);
			assert_memory_equal(b.data, again.data, b.len);
		}
}

static void test_fields_of_call(void **state)
{
	(void)state;
	for (unsigned round = 0; round < prop_rounds(100); round++) {
		struct prop p = { round };
		struct cursor cur;
		struct wire_call c = any_call(&p), d;
		arena_reset(mem);
		p.state = round;
		c = any_call(&p);
		buf_clear(&b);
		wire_call_put(&b, &c);
		cur_init(&cur, b.data, b.len);
		assert_int_equal(wire_call_get(&cur, mem, &d), 0);
		assert_true(c.op == d.op && c.upload == d.upload && c.nparams == d.nparams && c.nqueries == d.nqueries);
		assert_int_equal(c.ticket_len, d.ticket_len);
		assert_true((c.ticket == NULL) == (d.ticket == NULL));
		if (c.ticket != NULL)
			assert_memory_equal(c.ticket, d.ticket, c.ticket_len);
		for (size_t i = 0; i < c.nparams; i++)
			assert_string_equal(c.param[i], d.param[i]);
		for (size_t i = 0; i < c.nqueries; i++) {
			assert_string_equal(c.query[i].name, d.query[i].name);
			assert_string_equal(c.query[i].value, d.query[i].value);
		}
		assert_true(c.body_len == d.body_len && (c.body == NULL) == (d.body == NULL));
		if (c.body != NULL)
			assert_memory_equal(c.body, d.body, c.body_len);
		same_text(c.purpose, d.purpose);
		same_text(c.lang, d.lang);
		same_text(c.address, d.address);
		same_text(c.agent, d.agent);
		assert_memory_equal(c.token_hash, d.token_hash, WIRE_TOKEN);
	}
}

/* Cut short or with a byte too many anywhere: the protocol is broken, never a half result. */
static void test_cut_anywhere(void **state)
{
	(void)state;
	for (enum kind kind = CALL; kind < KINDS; kind++)
		for (uint64_t seed = 0; seed < 6; seed++) {
			struct prop p = { seed };
			arena_reset(mem);
			write_any(kind, &p);
			for (size_t n = 0; n < b.len; n++) {
				struct arena_mark m = arena_mark(mem);
				assert_int_equal(read_again(kind, b.data, n, mem), FW_EPROTO);
				arena_release(mem, m);
			}
			buf_u8(&b, 0);
			assert_int_equal(read_again(kind, b.data, b.len, mem), FW_EPROTO);
		}
}

/* Any changed bit is refused or read as exactly what the bytes say. */
static void test_changed_bits(void **state)
{
	(void)state;
	unsigned refused = 0, read = 0;
	for (enum kind kind = CALL; kind < KINDS; kind++)
		for (uint64_t seed = 0; seed < 4; seed++) {
			struct prop p = { seed + 50 };
			arena_reset(mem);
			write_any(kind, &p);
			for (size_t bit = 0; bit < b.len * 8; bit += 1 + bit % 3) {
				struct arena_mark m = arena_mark(mem);
				b.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
				int err = read_again(kind, b.data, b.len, mem);
				if (err == 0) {
					assert_int_equal(again.len, b.len);
					assert_memory_equal(again.data, b.data, b.len);
				} else {
					assert_int_equal(err, FW_EPROTO);
				}
				read += err == 0;
				refused += err != 0;
				b.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
				arena_release(mem, m);
			}
		}
	assert_true(read > 0 && refused > 0);
}

static void test_values_that_make_no_sense(void **state)
{
	(void)state;
	struct wire_call c = { .op = 1 };
	struct wire_reply r = { .status = 200 };
	struct wire_boot w = { .node_name = "n", .node_state = "XA", .origin = "o" };
	buf_clear(&b);
	wire_call_put(&b, &c);
	b.data[2] = 3; /* an upload with a JSON body */
	assert_int_equal(read_again(CALL, b.data, b.len, mem), FW_EPROTO);
	b.data[2] = 4;
	assert_int_equal(read_again(CALL, b.data, b.len, mem), FW_EPROTO);
	b.data[2] = 0;
	assert_int_equal(read_again(CALL, b.data, b.len, mem), 0);
	b.data[7] = WIRE_PARAMS + 1;
	assert_int_equal(read_again(CALL, b.data, b.len, mem), FW_EPROTO);
	static const uint16_t bad[] = { 0, 100, 199, 600, 65535 };
	for (size_t i = 0; i < 5; i++) {
		r.status = bad[i];
		buf_clear(&b);
		wire_reply_put(&b, &r);
		assert_int_equal(read_again(REPLY, b.data, b.len, mem), FW_EPROTO);
	}
	w = (struct wire_boot){ .node_name = NULL, .node_state = "XA", .origin = "o" };
	buf_clear(&b);
	wire_boot_put(&b, &w);
	assert_int_equal(read_again(BOOT, b.data, b.len, mem), FW_EPROTO);
	w.node_name = "not \xff UTF-8";
	buf_clear(&b);
	wire_boot_put(&b, &w);
	assert_int_equal(read_again(BOOT, b.data, b.len, mem), FW_EPROTO);
}

static void test_settings(void **state)
{
	(void)state;
	struct wire_boot w = { .setting = { { "upload.max", "5" }, { "a.b", "" } }, .nsettings = 2 };
	assert_string_equal(wire_boot_setting(&w, "upload.max"), "5");
	assert_string_equal(wire_boot_setting(&w, "a.b"), "");
	assert_null(wire_boot_setting(&w, "a"));
}

/* Lack of memory is our own fault, not the other side's. */
static void test_no_memory(void **state)
{
	(void)state;
	for (enum kind kind = CALL; kind < KINDS; kind++) {
		struct prop p = { 3 };
		arena_reset(mem);
		write_any(kind, &p);
		for (size_t cap = 16; cap < 1 << 20; cap += cap / 3) {
			struct arena *small = arena_new(cap);
			assert_non_null(small);
			int err = read_again(kind, b.data, b.len, small);
			assert_true(err == 0 || err == -ENOMEM);
			arena_free(small);
		}
		for (uint64_t n = 1;; n++) {
			mem_fault_at(n);
			struct arena *a = arena_new(1 << 20);
			int err = a != NULL ? read_again(kind, b.data, b.len, a) : -ENOMEM;
			bool hit = mem_fault_hit();
			mem_fault_at(0);
			arena_free(a);
			assert_true(err == 0 || (hit && err == -ENOMEM));
			if (!hit)
				break;
		}
	}
}

static struct ticket any_ticket(struct prop *p)
{
	struct ticket t = { .expires = time_now() + USEC_PER_SEC * 60, .state = (uint8_t)prop_below(p, 4) };
	prop_bytes(p, &t.account, 16);
	prop_bytes(p, &t.session, 16);
	prop_bytes(p, &t.agency, 16);
	(void)snprintf(t.login, sizeof(t.login), "%s", any_text(p, 64, false));
	return t;
}

static void test_tickets(void **state)
{
	(void)state;
	uint8_t key[32], other[32];
	randombytes_buf(key, 32);
	memcpy(other, key, 32);
	other[31] ^= 1;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct prop p = { seed };
		arena_reset(mem);
		struct ticket t = any_ticket(&p), u;
		buf_clear(&b);
		buf_puts(&b, "before");
		ticket_seal(&t, key, &b);
		uint8_t *at = b.data + 6;
		size_t n = b.len - 6;
		assert_true(n <= WIRE_TICKET_MAX);
		assert_int_equal(ticket_open(at, n, key, mem, &u), 0);
		assert_true(uuid_equal(&t.account, &u.account) && uuid_equal(&t.session, &u.session) &&
			    uuid_equal(&t.agency, &u.agency));
		assert_true(t.expires == u.expires && t.state == u.state);
		assert_string_equal(t.login, u.login);
		assert_int_equal(ticket_open(at, n, other, mem, &u), FW_EAUTH);
		for (size_t cut = 0; cut < n; cut++)
			assert_int_equal(ticket_open(at, cut, key, mem, &u), FW_EAUTH);
		for (size_t bit = 0; bit < n * 8; bit++) {
			at[bit / 8] ^= (uint8_t)(1U << bit % 8);
			assert_int_equal(ticket_open(at, n, key, mem, &u), FW_EAUTH);
			at[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
		/* A code under the same key over the same bytes, but not made as a ticket's. */
		uint8_t forged[WIRE_TICKET_MAX];
		memcpy(forged, at, n);
		(void)crypto_generichash(forged + n - 32, 32, forged, n - 32, key, 32);
		assert_int_equal(ticket_open(forged, n, key, mem, &u), FW_EAUTH);
	}
}

static void test_ticket_runs_out(void **state)
{
	(void)state;
	uint8_t key[32] = { 7 };
	struct prop p = { 1 };
	struct ticket t = any_ticket(&p), u;
	t.expires = time_now() - 1;
	buf_clear(&b);
	ticket_seal(&t, key, &b);
	assert_int_equal(ticket_open(b.data, b.len, key, mem, &u), FW_EAUTH);
	t.expires = time_now() + 30 * USEC_PER_SEC;
	buf_clear(&b);
	ticket_seal(&t, key, &b);
	assert_int_equal(ticket_open(b.data, b.len, key, mem, &u), 0);
	time_test_offset(31 * USEC_PER_SEC);
	assert_int_equal(ticket_open(b.data, b.len, key, mem, &u), FW_EAUTH);
	time_test_offset(0);
}

static void test_csrf(void **state)
{
	(void)state;
	uint8_t one[WIRE_TOKEN] = { 1 }, two[WIRE_TOKEN] = { 2 };
	char a[CSRF_TEXT_LEN + 1], c[CSRF_TEXT_LEN + 1], d[CSRF_TEXT_LEN + 1];
	csrf_of(one, a);
	csrf_of(one, c);
	csrf_of(two, d);
	assert_string_equal(a, c);
	assert_string_not_equal(a, d);
	assert_int_equal(strlen(a), CSRF_TEXT_LEN);
	assert_int_equal(strspn(a, "0123456789abcdef"), CSRF_TEXT_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_fields_of_call),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_changed_bits),
		cmocka_unit_test(test_values_that_make_no_sense),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_tickets),
		cmocka_unit_test(test_ticket_runs_out),
		cmocka_unit_test(test_csrf),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
