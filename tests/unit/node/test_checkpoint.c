/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Checkpoints as signed notes, against the texts of C2SP tlog-checkpoint and signed-note. */
#include "test.h"

#include <sodium.h>

#include "base/err.h"
#include "node/keys/base64.h"
#include "node/ledger/checkpoint.h"
#include "node/ledger/ledger.h"

static const char origin[] = "fairway.example/node-7/strategic";
static uint8_t pk[32], sk[64];
static struct ledger_head head;
static char text[CHECKPOINT_OURS_MAX];

static int setup(void **state)
{
	(void)state;
	uint8_t seed[32] = { 1, 2, 3 };
	if (sodium_init() < 0)
		return -1;
	(void)crypto_sign_seed_keypair(pk, sk, seed);
	head.size = 1421;
	memset(head.root.b, 0x5a, 32);
	return checkpoint_format(origin, &head, sk, pk, text, sizeof(text));
}

static int parse(const char *s, struct ledger_head *ret)
{
	return checkpoint_parse(s, strlen(s), origin, pk, ret);
}

static void test_form(void **state)
{
	(void)state;
	char want[400];
	(void)snprintf(want, sizeof(want),
		       "%s\n1421\nWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=\n\n\xe2\x80\x94 %s ", origin, origin);
	assert_memory_equal(text, want, strlen(want));
	assert_int_equal(text[strlen(text) - 1], '\n');
	uint8_t sig[68];
	size_t n;
	const char *base64 = text + strlen(want);
	assert_int_equal(base64_read(base64, strlen(base64) - 1, false, sig, sizeof(sig), &n), 0);
	assert_int_equal(n, 68);
	/* Signed are the three lines with their newlines, and nothing of the rest. */
	size_t body = (size_t)(strstr(text, "\n\n") - text) + 1;
	assert_int_equal(crypto_sign_verify_detached(sig + 4, (const uint8_t *)text, body, pk), 0);
	struct ledger_head got;
	assert_int_equal(parse(text, &got), 0);
	assert_int_equal(got.size, 1421);
	assert_memory_equal(got.root.b, head.root.b, 32);
}

/* The public key of a well-known note verifier; its text names its own key identifier. */
static void test_key_identifier_of_a_known_key(void **state)
{
	(void)state;
	static const char known[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
	uint8_t key[33];
	size_t n;
	char out[200];
	const char *base64 = strrchr(known, '+') + 1;
	assert_int_equal(base64_read(base64, strlen(base64), false, key, sizeof(key), &n), 0);
	assert_int_equal(checkpoint_vkey("PeterNeumann", key + 1, out, sizeof(out)), 0);
	assert_string_equal(out, known);
	assert_int_equal(checkpoint_vkey("PeterNeumann", key + 1, out, strlen(known)), FW_ELIMIT);
	assert_int_equal(checkpoint_vkey("a+b", key + 1, out, sizeof(out)), FW_EINVALID);
}

static void test_every_bit_flipped(void **state)
{
	(void)state;
	struct ledger_head got;
	for (size_t bit = 0; bit < strlen(text) * 8; bit++) {
		text[bit / 8] ^= (char)(1 << (bit % 8));
		int err = checkpoint_parse(text, strlen(text), origin, pk, &got);
		assert_true(err == FW_EFORMAT || err == FW_ECRYPTO);
		text[bit / 8] ^= (char)(1 << (bit % 8));
	}
	for (size_t n = 0; n < strlen(text); n++)
		assert_true(checkpoint_parse(text, n, origin, pk, &got) < 0);
	assert_int_equal(parse(text, &got), 0);
}

static void test_another_origin_or_key(void **state)
{
	(void)state;
	struct ledger_head got;
	uint8_t other_pk[32], other_sk[64];
	char other[CHECKPOINT_OURS_MAX];
	(void)crypto_sign_keypair(other_pk, other_sk);
	assert_int_equal(checkpoint_parse(text, strlen(text), "fairway.example/node-8/strategic", pk, &got), FW_EFORMAT);
	assert_int_equal(checkpoint_parse(text, strlen(text), origin, other_pk, &got), FW_ECRYPTO);
	assert_int_equal(checkpoint_format(origin, &head, other_sk, other_pk, other, sizeof(other)), 0);
	assert_int_equal(parse(other, &got), FW_ECRYPTO);
}

/* Sign any text as a note of our key. */
static void sign(const char *body, char *out, size_t cap, const char *more)
{
	uint8_t sig[68];
	char base64[120];
	const char *our = strrchr(text, ' ') + 1;
	size_t n;
	assert_int_equal(base64_read(our, strlen(our) - 1, false, sig, sizeof(sig), &n), 0);
	(void)crypto_sign_detached(sig + 4, NULL, (const uint8_t *)body, strlen(body), sk);
	(void)sodium_bin2base64(base64, sizeof(base64), sig, sizeof(sig), sodium_base64_VARIANT_ORIGINAL);
	(void)snprintf(out, cap, "%s\n%s\xe2\x80\x94 %s %s\n", body, more, origin, base64);
}

static void test_what_the_form_forbids_even_when_signed(void **state)
{
	(void)state;
	struct ledger_head got;
	char note[2000];
	static const char root[] = "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=";
	static const struct {
		const char *size, *root, *rest;
		int want;
	} cases[] = {
		{ "0", root, "", 0 },
		{ "1", root, "extension\nanother\n", 0 },
		{ "9223372036854775807", root, "", 0 },
		{ "9223372036854775808", root, "", FW_EFORMAT },
		{ "99999999999999999999999", root, "", FW_EFORMAT },
		{ "01", root, "", FW_EFORMAT },
		{ "", root, "", FW_EFORMAT },
		{ "-1", root, "", FW_EFORMAT },
		{ "+1", root, "", FW_EFORMAT },
		{ " 1", root, "", FW_EFORMAT },
		{ "1 ", root, "", FW_EFORMAT },
		{ "0x1", root, "", FW_EFORMAT },
		{ "1", "WlpaWlpa", "", FW_EFORMAT },
		{ "1", "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo", "", FW_EFORMAT },
		{ "1", "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlp=", "", FW_EFORMAT },
		{ "1", "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=WlpaWlo=", "", FW_EFORMAT },
		{ "1", root, "tab\there\n", FW_EFORMAT },
		{ "1", root, "bad \xff utf-8\n", FW_EFORMAT },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char body[600];
		(void)snprintf(body, sizeof(body), "%s\n%s\n%s\n%s", origin, cases[i].size, cases[i].root, cases[i].rest);
		sign(body, note, sizeof(note), "");
		assert_int_equal(parse(note, &got), cases[i].want);
	}
}

static void test_signatures_of_others_beside_ours(void **state)
{
	(void)state;
	struct ledger_head got;
	char note[9000], body[300], big[6000];
	(void)snprintf(body, sizeof(body), "%s\n5\nWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=\n", origin);
	sign(body, note, sizeof(note), "\xe2\x80\x94 witness.example/w Az3grlgtzPICa5OS\n");
	assert_int_equal(parse(note, &got), 0);
	/* A large one of a post-quantum key, in our own name. */
	memset(big, 'A', sizeof(big));
	int n = snprintf(big, sizeof(big), "\xe2\x80\x94 %s ", origin);
	big[n] = 'A';
	big[sizeof(big) - 2] = '\n';
	big[sizeof(big) - 1] = '\0';
	sign(body, note, sizeof(note), big);
	assert_int_equal(parse(note, &got), 0);
	/* Only others: not ours to believe. */
	(void)snprintf(note, sizeof(note), "%s\n\xe2\x80\x94 witness.example/w Az3grlgtzPICa5OS\n", body);
	assert_int_equal(parse(note, &got), FW_ECRYPTO);
	(void)snprintf(note, sizeof(note), "%s\n", body);
	assert_int_equal(parse(note, &got), FW_ECRYPTO);
	/* What is no signature line spoils the note. */
	sign(body, note, sizeof(note), "- witness.example/w AAAA\n");
	assert_int_equal(parse(note, &got), FW_EFORMAT);
}

static void test_formatting_refuses(void **state)
{
	(void)state;
	char out[CHECKPOINT_OURS_MAX], name[CHECKPOINT_ORIGIN_MAX + 2];
	static const char *const bad[] = { "", "a b", "a+b", "a\nb", "\xc3\xa9", "a\x7f" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(checkpoint_format(bad[i], &head, sk, pk, out, sizeof(out)), FW_EINVALID);
	memset(name, 'x', sizeof(name));
	name[CHECKPOINT_ORIGIN_MAX + 1] = '\0';
	assert_int_equal(checkpoint_format(name, &head, sk, pk, out, sizeof(out)), FW_EINVALID);
	name[CHECKPOINT_ORIGIN_MAX] = '\0';
	head.size = INT64_MAX;
	assert_int_equal(checkpoint_format(name, &head, sk, pk, out, sizeof(out)), 0);
	head.size = 1421;
	assert_int_equal(checkpoint_format(origin, &head, sk, pk, out, strlen(text)), FW_ELIMIT);
	assert_int_equal(checkpoint_format(origin, &head, sk, pk, out, strlen(text) + 1), 0);
}

static void test_notes_out_of_a_file_of_many(void **state)
{
	(void)state;
	char file[4000];
	const char *note;
	size_t at = 0, n;
	struct ledger_head got;
	/* Two whole ones, one torn in the middle of its signature and written anew, one cut at the end. */
	(void)snprintf(file, sizeof(file), "\n%s\n\n%s%.*s\n%s\n%.60s", text, text, (int)strlen(text) - 20, text, text,
		       text);
	int whole = 0, torn = 0;
	while (checkpoint_next(file, strlen(file), &at, &note, &n)) {
		if (checkpoint_parse(note, n, origin, pk, &got) == 0)
			whole++;
		else
			torn++;
	}
	assert_int_equal(whole, 3);
	assert_int_equal(torn, 1);
	at = 0;
	assert_false(checkpoint_next("", 0, &at, &note, &n));
	at = 0;
	assert_false(checkpoint_next("\n\n\n", 3, &at, &note, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_key_identifier_of_a_known_key),
		cmocka_unit_test(test_every_bit_flipped),
		cmocka_unit_test(test_another_origin_or_key),
		cmocka_unit_test(test_what_the_form_forbids_even_when_signed),
		cmocka_unit_test(test_signatures_of_others_beside_ours),
		cmocka_unit_test(test_formatting_refuses),
		cmocka_unit_test(test_notes_out_of_a_file_of_many),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
