/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The front's pure parts: how often, who asks, figures. */
#include "../test.h"

#include <errno.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "node/process/front_limits.h"
#include "node/process/front_session.h"
#include "node/process/metrics.h"

static void a_bucket_gives_its_burst_then_its_rate(void **state)
{
	(void)state;
	struct buckets b;
	usec_t now = USEC_PER_SEC;
	assert_int_equal(buckets_init(&b, 64, 2, 10), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(buckets_take(&b, "a", 1, now), 0);
	assert_int_equal(buckets_take(&b, "a", 1, now), 1);
	/* Others are not touched. */
	assert_int_equal(buckets_take(&b, "b", 1, now), 0);
	now += USEC_PER_SEC;
	assert_int_equal(buckets_take(&b, "a", 1, now), 0);
	assert_int_equal(buckets_take(&b, "a", 1, now), 0);
	assert_int_equal(buckets_take(&b, "a", 1, now), 1);
	/* It never holds more than its burst, and a clock that goes back gives nothing. */
	now += 3600 * USEC_PER_SEC;
	for (int i = 0; i < 10; i++)
		assert_int_equal(buckets_take(&b, "a", 1, now), 0);
	assert_int_equal(buckets_take(&b, "a", 1, now - 1800 * USEC_PER_SEC), 1);
	buckets_release(&b);
	/* Rate 0: no limit. A slow rate tells a longer wait, an hour at most. */
	assert_int_equal(buckets_init(&b, 8, 0, 0), 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buckets_take(&b, "a", 1, now), 0);
	buckets_release(&b);
	assert_int_equal(buckets_init(&b, 8, 0.1, 1), 0);
	assert_int_equal(buckets_take(&b, "a", 1, now), 0);
	assert_int_equal(buckets_take(&b, "a", 1, now), 10);
	buckets_release(&b);
	assert_int_equal(buckets_init(&b, 8, 1e-6, 1), 0);
	assert_int_equal(buckets_take(&b, "a", 1, now), 0);
	assert_int_equal(buckets_take(&b, "a", 1, now), 3600);
	buckets_release(&b);
}

/* Keys by the million leave the table as large as it was, and a key that is used up is not forgiven
 * by few others. */
static void a_flood_of_keys_is_bounded(void **state)
{
	(void)state;
	struct buckets b;
	struct prop p = {7};
	usec_t now = USEC_PER_SEC;
	assert_int_equal(buckets_init(&b, 1024, 0.001, 5), 0);
	assert_int_equal(b.sets * BUCKETS_SET, 1024);
	for (int i = 0; i < 5; i++)
		assert_int_equal(buckets_take(&b, "guilty", 6, now), 0);
	for (int i = 0; i < 100000; i++) {
		uint64_t key = prop_u64(&p);
		assert_int_equal(buckets_take(&b, &key, sizeof(key), now), 0);
	}
	/* Full buckets were given up first: this one is still empty. */
	assert_true(buckets_take(&b, "guilty", 6, now) > 0);
	buckets_release(&b);
	mem_fault_at(1);
	assert_int_equal(buckets_init(&b, 1024, 1, 5), -ENOMEM);
	mem_fault_at(0);
}

#define TOKEN "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static void a_token_is_32_bytes_in_base64url(void **state)
{
	(void)state;
	uint8_t h[WIRE_TOKEN], want[WIRE_TOKEN], token[WIRE_TOKEN];
	for (int i = 0; i < WIRE_TOKEN; i++)
		token[i] = (uint8_t)i;
	crypto_hash_sha256(want, token, sizeof(token));
	assert_true(session_hash(TOKEN, h));
	assert_memory_equal(h, want, sizeof(h));
	assert_false(session_hash("", h));
	assert_false(session_hash(TOKEN "A", h));
	assert_false(session_hash("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh", h));
	assert_false(session_hash("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH+8", h));
	assert_false(session_hash("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", h));
	assert_false(session_hash(" AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", h));
	/* The last character carries two bits only: another spelling of the same token is none. */
	assert_false(session_hash("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9", h));
}

static void a_token_comes_one_way(void **state)
{
	(void)state;
	uint8_t h[WIRE_TOKEN];
	bool bearer;
	assert_int_equal(session_of(NULL, NULL, h, &bearer), 0);
	assert_int_equal(session_of(NULL, "", h, &bearer), 0);
	assert_int_equal(session_of(NULL, "rubbish", h, &bearer), 0);
	assert_int_equal(session_of(NULL, TOKEN, h, &bearer), 1);
	assert_false(bearer);
	assert_int_equal(session_of("Bearer " TOKEN, NULL, h, &bearer), 1);
	assert_true(bearer);
	assert_int_equal(session_of("bearer " TOKEN, NULL, h, &bearer), 1);
	assert_int_equal(session_of("Bearer " TOKEN, TOKEN, h, &bearer), FW_EFORMAT);
	assert_int_equal(session_of("Bearer", NULL, h, &bearer), FW_EFORMAT);
	assert_int_equal(session_of("Basic abc", NULL, h, &bearer), FW_EFORMAT);
	assert_int_equal(session_of("Bearer  " TOKEN, NULL, h, &bearer), FW_EFORMAT);
}

static void other_sites_are_known_by_what_browsers_say(void **state)
{
	(void)state;
	const char *host = "node.example:8080";
	/* Programs say nothing. */
	assert_null(session_origin(NULL, NULL, host, true));
	assert_null(session_origin("http://node.example:8080", "same-origin", host, true));
	assert_null(session_origin("https://NODE.example:8080", NULL, host, true));
	assert_null(session_origin(NULL, "none", host, false));
	assert_non_null(session_origin(NULL, "none", host, true));
	assert_non_null(session_origin(NULL, "same-site", host, false));
	assert_non_null(session_origin(NULL, "cross-site", host, false));
	assert_non_null(session_origin(NULL, "cross-site", host, true));
	assert_non_null(session_origin(NULL, "", host, true));
	assert_non_null(session_origin("http://evil.example", NULL, host, true));
	assert_non_null(session_origin("http://node.example", NULL, host, true));
	assert_non_null(session_origin("http://node.example:8080.evil.example", NULL, host, true));
	assert_non_null(session_origin("http://evil.example/node.example:8080", NULL, host, false));
	assert_non_null(session_origin("null", NULL, host, true));
	assert_non_null(session_origin("", NULL, host, true));
	assert_non_null(session_origin("http://node.example:8080", NULL, NULL, true));
}

static void the_csrf_token_is_the_sessions(void **state)
{
	(void)state;
	uint8_t one[WIRE_TOKEN] = {1}, two[WIRE_TOKEN] = {2};
	char text[CSRF_TEXT_LEN + 1];
	csrf_of(one, text);
	assert_true(session_csrf(text, one));
	assert_false(session_csrf(text, two));
	assert_false(session_csrf(NULL, one));
	assert_false(session_csrf("", one));
	text[CSRF_TEXT_LEN - 1] ^= 1;
	assert_false(session_csrf(text, one));
	text[CSRF_TEXT_LEN - 1] = '\0';
	assert_false(session_csrf(text, one));
}

static void tickets_are_kept_for_seconds(void **state)
{
	(void)state;
	struct tickets t;
	uint8_t h[WIRE_TOKEN] = {5}, none[WIRE_TOKEN] = {6};
	usec_t now = 100 * USEC_PER_SEC;
	assert_int_equal(tickets_init(&t), 0);
	assert_null(tickets_find(&t, h, now));
	tickets_keep(&t, h, (const uint8_t *)"ticket", 6, now);
	tickets_keep(&t, none, NULL, 0, now);
	const struct kept_ticket *k = tickets_find(&t, h, now + TICKET_KEEP - 1);
	assert_non_null(k);
	assert_int_equal(k->len, 6);
	assert_memory_equal(k->bytes, "ticket", 6);
	assert_null(tickets_find(&t, h, now + TICKET_KEEP));
	assert_int_equal(tickets_find(&t, none, now)->len, 0);
	assert_null(tickets_find(&t, none, now + TICKET_KEEP_NONE));
	tickets_void(&t);
	assert_null(tickets_find(&t, h, now));
	/* Any number of sessions: the newest of a set stay. */
	struct prop p = {3};
	for (int i = 0; i < 20000; i++) {
		prop_bytes(&p, h, sizeof(h));
		tickets_keep(&t, h, (const uint8_t *)"x", 1, now + i);
		assert_non_null(tickets_find(&t, h, now + i));
	}
	tickets_release(&t);
	mem_fault_at(1);
	assert_int_equal(tickets_init(&t), -ENOMEM);
	mem_fault_at(0);
}

static void figures_are_text_for_prometheus(void **state)
{
	(void)state;
	static const char *const labels[] = {"operation", "status", NULL}, *const vault[] = {
										   "vault", NULL};
	static const double bounds[] = {0.1, 1};
	static const struct metric_row rows[] = {
		{"fairway_a_total", METRIC_COUNTER, labels, NULL, 0, "Words"},
		{"fairway_b", METRIC_GAUGE, NULL, NULL, 0, "More words"},
		{"fairway_c_seconds", METRIC_HISTOGRAM, vault, bounds, 2, "Times"},
		{"fairway_never", METRIC_GAUGE, NULL, NULL, 0, "Never touched"},
	};
	struct metrics *m;
	struct buf b;
	buf_init(&b, 65536);
	assert_int_equal(metrics_new(rows, 4, &m), 0);
	metrics_add(m, 0, "see", "200", 1);
	metrics_add(m, 0, "see", "200", 2);
	metrics_add(m, 0, "o\"d\\d\n", "404", 1);
	metrics_set(m, 1, NULL, NULL, 7.25);
	metrics_observe(m, 2, "house", NULL, 0.05);
	metrics_observe(m, 2, "house", NULL, 0.5);
	metrics_observe(m, 2, "house", NULL, 5);
	metrics_text(m, &b);
	buf_putc(&b, '\0');
	assert_string_equal((char *)b.data,
			    "# HELP fairway_a_total Words\n# TYPE fairway_a_total counter\n"
			    "fairway_a_total{operation=\"o\\\"d\\\\d\\n\",status=\"404\"} 1\n"
			    "fairway_a_total{operation=\"see\",status=\"200\"} 3\n"
			    "# HELP fairway_b More words\n# TYPE fairway_b gauge\nfairway_b 7.25\n"
			    "# HELP fairway_c_seconds Times\n# TYPE fairway_c_seconds histogram\n"
			    "fairway_c_seconds_bucket{vault=\"house\",le=\"0.1\"} 1\n"
			    "fairway_c_seconds_bucket{vault=\"house\",le=\"1\"} 2\n"
			    "fairway_c_seconds_bucket{vault=\"house\",le=\"+Inf\"} 3\n"
			    "fairway_c_seconds_sum{vault=\"house\"} 5.55\n"
			    "fairway_c_seconds_count{vault=\"house\"} 3\n");
	/* More series than there is room for are not counted, and nothing breaks. */
	for (int i = 0; i < 2 * METRICS_SERIES; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "n%d", i);
		metrics_add(m, 0, name, "200", 1);
	}
	metrics_add(m, 0, "see", "200", 1);
	buf_clear(&b);
	buf_release(&b);
	buf_init(&b, 4 << 20);
	metrics_text(m, &b);
	buf_putc(&b, '\0');
	assert_non_null(strstr((char *)b.data, "{operation=\"see\",status=\"200\"} 4\n"));
	buf_release(&b);
	metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_gives_its_burst_then_its_rate),
		cmocka_unit_test(a_flood_of_keys_is_bounded),
		cmocka_unit_test(a_token_is_32_bytes_in_base64url),
		cmocka_unit_test(a_token_comes_one_way),
		cmocka_unit_test(other_sites_are_known_by_what_browsers_say),
		cmocka_unit_test(the_csrf_token_is_the_sessions),
		cmocka_unit_test(tickets_are_kept_for_seconds),
		cmocka_unit_test(figures_are_text_for_prometheus),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
