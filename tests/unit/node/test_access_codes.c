/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "node/access/sha1.h"
#include "node/access/totp.h"

static void assert_hex(const uint8_t *p, size_t n, const char *hex)
{
	char text[2 * SHA1_BYTES + 1];
	assert_true(n <= SHA1_BYTES);
	sodium_bin2hex(text, sizeof(text), p, n);
	assert_string_equal(text, hex);
}

/* RFC 3174 section 7.3, and the empty message. */
static void test_sha1_gives_the_published_digests(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned times;
		const char *hex;
	} vectors[] = {
		{"", 1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
		{"abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
		 "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
		{"a", 1000000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"},
		{"0123456701234567012345670123456701234567012345670123456701234567", 10,
		 "dea356a2cddd90c7a7ecedc5ebb563934f460452"},
	};
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct sha1 s;
		uint8_t out[SHA1_BYTES];
		sha1_init(&s);
		for (unsigned k = 0; k < vectors[i].times; k++)
			sha1_update(&s, vectors[i].text, strlen(vectors[i].text));
		sha1_final(&s, out);
		assert_hex(out, sizeof(out), vectors[i].hex);
	}
}

/* However a message is cut into pieces, its digest is the same. */
static void test_sha1_does_not_see_the_pieces(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < prop_rounds(100); seed++) {
		struct prop p = {seed};
		uint8_t text[300], whole[SHA1_BYTES], cut[SHA1_BYTES];
		size_t n = prop_below(&p, sizeof(text) + 1);
		prop_bytes(&p, text, n);
		struct sha1 s;
		sha1_init(&s);
		sha1_update(&s, text, n);
		sha1_final(&s, whole);
		sha1_init(&s);
		for (size_t at = 0; at < n;) {
			size_t k = 1 + prop_below(&p, n - at);
			sha1_update(&s, text + at, k);
			at += k;
		}
		sha1_final(&s, cut);
		assert_memory_equal(whole, cut, sizeof(cut));
	}
}

/* RFC 2202 section 3: a short key, a text key, a key longer than a block. */
static void test_hmac_gives_the_published_codes(void **state)
{
	(void)state;
	uint8_t key[80], out[SHA1_BYTES];
	memset(key, 0x0b, 20);
	hmac_sha1(key, 20, "Hi There", 8, out);
	assert_hex(out, sizeof(out), "b617318655057264e28bc0b6fb378c8ef146be00");
	hmac_sha1((const uint8_t *)"Jefe", 4, "what do ya want for nothing?", 28, out);
	assert_hex(out, sizeof(out), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	memset(key, 0xaa, sizeof(key));
	hmac_sha1(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54,
		  out);
	assert_hex(out, sizeof(out), "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

static const uint8_t rfc_secret[TOTP_SECRET] = {'1', '2', '3', '4', '5', '6', '7', '8', '9', '0',
						'1', '2', '3', '4', '5', '6', '7', '8', '9', '0'};

/* RFC 6238 appendix B, the rows of SHA-1; our six digits are the last of its eight. */
static void test_totp_gives_the_published_codes(void **state)
{
	(void)state;
	static const struct {
		int64_t second;
		const char *code;
	} vectors[] = {{59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
		       {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		char code[TOTP_DIGITS + 1];
		usec_t now = vectors[i].second * USEC_PER_SEC;
		totp_code(rfc_secret, sizeof(rfc_secret), totp_step(now), code);
		assert_string_equal(code, vectors[i].code);
		assert_int_equal(totp_match(rfc_secret, code, now, -1), totp_step(now));
	}
}

/* RFC 4226 appendix D: counters 0 to 9. */
static void test_hotp_gives_the_published_codes(void **state)
{
	(void)state;
	static const char *const codes[] = {"755224", "287082", "359152", "969429", "338314",
					    "254676", "287922", "162583", "399871", "520489"};
	for (int64_t i = 0; i < 10; i++) {
		char code[TOTP_DIGITS + 1];
		totp_code(rfc_secret, sizeof(rfc_secret), i, code);
		assert_string_equal(code, codes[i]);
	}
}

static void test_a_code_fits_one_step_before_and_after_and_no_more(void **state)
{
	(void)state;
	const usec_t now = INT64_C(1764000000) * USEC_PER_SEC;
	for (int64_t off = -4; off <= 4; off++) {
		char code[TOTP_DIGITS + 1];
		totp_code(rfc_secret, sizeof(rfc_secret), totp_step(now) + off, code);
		int64_t found = totp_match(rfc_secret, code, now, -1);
		if (off >= -1 && off <= 1)
			assert_int_equal(found, totp_step(now) + off);
		else
			assert_int_equal(found, -1);
	}
}

static void test_a_step_that_served_does_not_serve_again(void **state)
{
	(void)state;
	const usec_t now = INT64_C(1764000000) * USEC_PER_SEC;
	char code[TOTP_DIGITS + 1];
	totp_code(rfc_secret, sizeof(rfc_secret), totp_step(now), code);
	assert_int_equal(totp_match(rfc_secret, code, now, totp_step(now) - 1), totp_step(now));
	assert_int_equal(totp_match(rfc_secret, code, now, totp_step(now)), -1);
	/* A later step that served ends the earlier ones of the window too. */
	assert_int_equal(totp_match(rfc_secret, code, now, totp_step(now) + 1), -1);
}

static void test_what_is_no_code_fits_nothing(void **state)
{
	(void)state;
	const usec_t now = 59 * USEC_PER_SEC;
	static const char *const bad[] = {"",       "28708",    "2870822", "28708a",
					  " 87082", "287082\n", "000000"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(totp_match(rfc_secret, bad[i], now, -1), -1);
}

/* RFC 4648 section 10, without the padding. */
static void test_base32_gives_the_published_texts(void **state)
{
	(void)state;
	static const char *const texts[] = {"",        "MY",       "MZXQ",      "MZXW6",
					    "MZXW6YQ", "MZXW6YTB", "MZXW6YTBOI"};
	for (size_t n = 0; n <= 6; n++) {
		char out[16];
		base32_format((const uint8_t *)"foobar", n, out);
		assert_string_equal(out, texts[n]);
	}
	char secret[TOTP_SECRET_TEXT + 1];
	base32_format(rfc_secret, sizeof(rfc_secret), secret);
	assert_string_equal(secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
}

static void test_the_address_escapes_names(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 1000);
	totp_uri("Ministry & \xc3\x89tat", "n.srisai", "ABC", &b);
	buf_u8(&b, 0);
	assert_string_equal(
		(const char *)b.data,
		"otpauth://totp/"
		"Ministry%20%26%20%C3%89tat:n.srisai?secret=ABC&issuer=Ministry%20%26%20%C3%89tat");
	buf_release(&b);
}

/* The path's rectangles cover the three finder patterns of every QR code: dark frames of seven
 * modules. */
static void test_the_qr_code_is_a_square_with_its_corners(void **state)
{
	(void)state;
	struct buf b;
	int size = 0;
	buf_init(&b, 20000);
	assert_int_equal(
		totp_qr("otpauth://totp/Fairway:n.srisai?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
			&b, &size, NULL),
		0);
	buf_u8(&b, 0);
	assert_true(size >= 21 && (size - 17) % 4 == 0);
	char corner[40];
	assert_non_null(strstr((const char *)b.data, "M0 0h7v1h-7z"));
	(void)snprintf(corner, sizeof(corner), "M%d 0h7v1h-7z", size - 7);
	assert_non_null(strstr((const char *)b.data, corner));
	(void)snprintf(corner, sizeof(corner), "M0 %dh7v1h-7z", size - 7);
	assert_non_null(strstr((const char *)b.data, corner));
	buf_release(&b);
}

static void test_a_text_too_long_for_a_qr_code_is_refused(void **state)
{
	(void)state;
	static char text[5000];
	struct buf b;
	int size = 0;
	memset(text, 'x', sizeof(text) - 1);
	buf_init(&b, 20000);
	assert_int_equal(totp_qr(text, &b, &size, NULL), FW_ELIMIT);
	buf_release(&b);
}

static void test_recovery_codes_differ_and_forgive_form(void **state)
{
	(void)state;
	char a[RECOVERY_TEXT + 1], b[RECOVERY_TEXT + 1], c[RECOVERY_TEXT + 1];
	uint8_t key[32] = {1}, other[32] = {2}, x[RECOVERY_HASH], y[RECOVERY_HASH];
	recovery_code(a);
	recovery_code(b);
	assert_int_equal(strlen(a), RECOVERY_TEXT);
	assert_int_equal(strspn(a, "0123456789abcdefghjkmnpqrstvwxyz-"), RECOVERY_TEXT);
	assert_string_not_equal(a, b);
	recovery_hash(key, a, x);
	size_t n = 0;
	for (const char *p = a; *p != '\0'; p++)
		if (*p != '-')
			c[n++] = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
	c[n] = '\0';
	recovery_hash(key, c, y);
	assert_memory_equal(x, y, sizeof(x));
	recovery_hash(key, b, y);
	assert_memory_not_equal(x, y, sizeof(x));
	recovery_hash(other, a, y);
	assert_memory_not_equal(x, y, sizeof(x));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha1_gives_the_published_digests),
		cmocka_unit_test(test_sha1_does_not_see_the_pieces),
		cmocka_unit_test(test_hmac_gives_the_published_codes),
		cmocka_unit_test(test_totp_gives_the_published_codes),
		cmocka_unit_test(test_hotp_gives_the_published_codes),
		cmocka_unit_test(test_a_code_fits_one_step_before_and_after_and_no_more),
		cmocka_unit_test(test_a_step_that_served_does_not_serve_again),
		cmocka_unit_test(test_what_is_no_code_fits_nothing),
		cmocka_unit_test(test_base32_gives_the_published_texts),
		cmocka_unit_test(test_the_address_escapes_names),
		cmocka_unit_test(test_the_qr_code_is_a_square_with_its_corners),
		cmocka_unit_test(test_a_text_too_long_for_a_qr_code_is_refused),
		cmocka_unit_test(test_recovery_codes_differ_and_forgive_form),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
