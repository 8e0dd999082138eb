/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* node.key, sealed fields, custodian files: right use, every change of every bit, every fault. */
#include "faults.h"

#include <sodium.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "node/keys/keys.h"
#include "node/keys/keys_int.h"

static char folder[] = "/tmp/fairway-keys-XXXXXX";
static const char pass[] = "correct horse battery";

static const char *in_folder(const char *name)
{
	static char path[2][200];
	static int turn;
	turn = !turn;
	(void)snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
	return path[turn];
}

static int setup(void **state)
{
	(void)state;
	return keys_start() == 0 && mkdtemp(folder) != NULL ? 0 : -1;
}

/* ---- node.key ---- */

static void test_node_key_makes_the_same_keys_again(void **state)
{
	(void)state;
	const char *path = in_folder("node.key");
	struct node_keys *k, *again;
	uint8_t a[32], b[32], pk[32], sig[64];
	struct stat st;
	assert_int_equal(node_keys_create(path, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, NODE_KEY_FILE);
	assert_int_equal(node_keys_create(path, NULL), FW_EEXISTS);
	assert_int_equal(node_keys_load(path, &k, NULL), 0);
	assert_int_equal(node_keys_load(path, &again, NULL), 0);
	static const char *const what[] = { "strategic", "operational", "protection", "house", "ticket" };
	uint8_t all[5][32];
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(node_keys_derive(k, what[i], all[i]), 0);
		assert_int_equal(node_keys_derive(again, what[i], b), 0);
		assert_memory_equal(all[i], b, 32);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(all[i], all[j], 32);
	}
	assert_int_equal(node_keys_derive(k, "stratregic", a), FW_EINVALID);
	assert_int_equal(node_keys_derive(k, "signing", a), FW_EINVALID);
	node_keys_public(k, pk);
	node_keys_sign(again, "text", 4, sig);
	assert_int_equal(crypto_sign_verify_detached(sig, (const uint8_t *)"text", 4, pk), 0);
	assert_memory_equal(node_keys_secret(k), node_keys_secret(again), 64);
	node_keys_free(k);
	node_keys_free(again);
	node_keys_free(NULL);
}

static void write_key(const char *path, const uint8_t *p, size_t n)
{
	assert_int_equal(io_write_file(path, p, n, 0600, NULL), 0);
}

static void test_node_key_with_any_bit_flipped_or_cut(void **state)
{
	(void)state;
	const char *path = in_folder("node.key");
	uint8_t file[NODE_KEY_FILE + 1] = { 0 };
	struct node_keys *out = sodium_malloc(sizeof(*out));
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(fread(file, 1, sizeof(file), f), NODE_KEY_FILE);
	(void)fclose(f);
	assert_int_equal(node_keys_parse(file, NODE_KEY_FILE, out, NULL), 0);
	for (size_t bit = 0; bit < NODE_KEY_FILE * 8; bit++) {
		file[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		int err = node_keys_parse(file, NODE_KEY_FILE, out, NULL);
		assert_true(err == FW_ECRYPTO || (bit < 64 && (err == FW_EFORMAT || err == FW_ENEWER)));
		file[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	for (size_t n = 0; n < NODE_KEY_FILE; n++)
		assert_int_equal(node_keys_parse(file, n, out, NULL), n < 8 ? FW_EFORMAT : FW_ETRUNC);
	assert_int_equal(node_keys_parse(file, NODE_KEY_FILE + 1, out, NULL), FW_EFORMAT);
	sodium_free(out);

	struct node_keys *k;
	struct diag d = DIAG_INIT;
	write_key(in_folder("long.key"), file, NODE_KEY_FILE + 1);
	assert_int_equal(node_keys_load(in_folder("long.key"), &k, &d), FW_EFORMAT);
	assert_non_null(strstr(d.place, "long.key"));
	write_key(in_folder("open.key"), file, NODE_KEY_FILE);
	assert_int_equal(chmod(in_folder("open.key"), 0640), 0);
	assert_int_equal(node_keys_load(in_folder("open.key"), &k, NULL), FW_EDENIED);
	assert_int_equal(node_keys_load(in_folder("no.key"), &k, NULL), -ENOENT);
}

static void test_node_key_faults(void **state)
{
	(void)state;
	const char *path = in_folder("fault.key");
	struct node_keys *k;
	unsigned n;
	for (n = 1;; n++) {
		io_fault_at(n);
		int err = node_keys_create(path, NULL);
		bool hit = io_fault_hit();
		io_fault_at(0);
		if (!hit)
			break;
		/* Either there is no file, or it is whole: the fault then fell where it loses nothing. */
		if (err < 0 && access(path, F_OK) != 0)
			continue;
		assert_int_equal(node_keys_load(path, &k, NULL), 0);
		node_keys_free(k);
		assert_int_equal(unlink(path), 0);
	}
	assert_true(n > 3);
	assert_int_equal(unlink(path), 0);
	for (n = 1;; n++) {
		sodium_fault_at(n);
		int err = node_keys_create(path, NULL);
		if (!sodium_fault_hit())
			break;
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(access(path, F_OK), -1);
	}
	assert_int_equal(n, 3);
	for (n = 1;; n++) {
		sodium_fault_at(n);
		int err = node_keys_load(path, &k, NULL);
		if (!sodium_fault_hit())
			break;
		assert_int_equal(err, -ENOMEM);
	}
	sodium_fault_at(0);
	node_keys_free(k);
}

/* A function of its own, so that its stack is below and dead when the search runs. */
static __attribute__((noinline)) void use_keys(uint8_t root[32], uint8_t seed[32], uint8_t data[32])
{
	struct node_keys *k;
	uint8_t *key = sodium_malloc(32);
	struct buf b;
	buf_init(&b, 1000);
	assert_int_equal(node_keys_create(in_folder("wipe.key"), NULL), 0);
	assert_int_equal(node_keys_load(in_folder("wipe.key"), &k, NULL), 0);
	assert_int_equal(node_keys_derive(k, "strategic", key), 0);
	assert_int_equal(seal(key, "text", 4, NULL, 0, &b), 0);
	mask_secret(k->root, 32, root);
	mask_secret(k->sk, 32, seed);
	mask_secret(key, 32, data);
	assert_int_not_equal(memory_holds(root, 32), 0); /* the search works: it is there */
	node_keys_free(k);
	sodium_free(key);
	buf_release(&b);
}

static void test_no_secret_stays(void **state)
{
	(void)state;
	uint8_t root[32], seed[32], data[32];
	use_keys(root, seed, data);
	int left[3] = { memory_holds(root, 32), memory_holds(seed, 32), memory_holds(data, 32) };
	if (left[0] < 0)
		SKIP_TEST("memory is not searched under AddressSanitizer");
	assert_int_equal(left[0], 0);
	assert_int_equal(left[1], 0);
	assert_int_equal(left[2], 0);
}

/* ---- sealed fields ---- */

static void test_sealed_fields(void **state)
{
	(void)state;
	uint8_t key[32], other[32];
	struct prop p = { 20261125 };
	struct buf s, out;
	buf_init(&s, 5000);
	buf_init(&out, 5000);
	prop_bytes(&p, key, 32);
	prop_bytes(&p, other, 32);
	for (unsigned round = 0; round < prop_rounds(200); round++) {
		uint8_t plain[300], ad[40];
		size_t n = prop_below(&p, 300), nad = prop_below(&p, 40);
		prop_bytes(&p, plain, sizeof(plain));
		prop_bytes(&p, ad, sizeof(ad));
		buf_clear(&s);
		buf_clear(&out);
		assert_int_equal(seal(key, plain, n, ad, nad, &s), 0);
		assert_int_equal(s.len, n + SEAL_OVERHEAD);
		assert_int_equal(unseal(key, s.data, s.len, ad, nad, &out), 0);
		assert_int_equal(out.len, n);
		if (n > 0)
			assert_memory_equal(out.data, plain, n);
		size_t bit = prop_below(&p, s.len * 8);
		buf_clear(&out);
		assert_int_equal(unseal(other, s.data, s.len, ad, nad, &out), FW_ECRYPTO);
		assert_int_equal(unseal(key, s.data, s.len, ad, nad + 1, &out), FW_ECRYPTO);
		assert_int_equal(unseal(key, s.data, prop_below(&p, s.len), ad, nad, &out), FW_ECRYPTO);
		s.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_int_equal(unseal(key, s.data, s.len, ad, nad, &out), FW_ECRYPTO);
		assert_int_equal(out.len, 0);
	}
	buf_release(&s);
	buf_release(&out);
}

static void test_a_sealed_field_opens_in_its_own_row_only(void **state)
{
	(void)state;
	uint8_t key[32] = { 7 };
	struct buf s[2], out;
	buf_init(&out, 100);
	for (int i = 0; i < 2; i++) {
		char ad[] = "note.text.0";
		ad[10] = (char)('0' + i);
		buf_init(&s[i], 100);
		assert_int_equal(seal(key, "secret", 6, ad, strlen(ad), &s[i]), 0);
	}
	assert_int_equal(unseal(key, s[0].data, s[0].len, "note.text.0", 11, &out), 0);
	assert_int_equal(unseal(key, s[0].data, s[0].len, "note.text.1", 11, &out), FW_ECRYPTO);
	assert_int_equal(unseal(key, s[1].data, s[1].len, "note.text.0", 11, &out), FW_ECRYPTO);
	buf_release(&s[0]);
	buf_release(&s[1]);
	buf_release(&out);
}

static void test_sealing_into_a_full_buffer_or_without_memory(void **state)
{
	(void)state;
	uint8_t key[32] = { 1 };
	struct buf b;
	buf_init(&b, 45);
	assert_int_equal(seal(key, "123456", 6, NULL, 0, &b), FW_ELIMIT);
	assert_int_equal(b.len, 0);
	buf_clear(&b);
	assert_int_equal(seal(key, "12345", 5, NULL, 0, &b), 0);
	struct buf out;
	buf_init(&out, 4);
	assert_int_equal(unseal(key, b.data, b.len, NULL, 0, &out), FW_ELIMIT);
	buf_release(&out);
	buf_init(&out, 5);
	mem_fault_at(1);
	assert_int_equal(unseal(key, b.data, b.len, NULL, 0, &out), -ENOMEM);
	mem_fault_at(0);
	buf_clear(&out);
	assert_int_equal(unseal(key, b.data, b.len, NULL, 0, &out), 0);
	buf_release(&out);
	buf_release(&b);
}

/* ---- custodians ---- */

/* Argon2id is slow on purpose: one file serves several tests. */
static struct buf custodian;
static struct custodian_public maria;

static void test_custodian_file_opens_with_its_passphrase_only(void **state)
{
	(void)state;
	struct custodian_public who;
	uint8_t sk[32], pk[32];
	struct diag d = DIAG_INIT;
	buf_init(&custodian, CUSTODIAN_FILE_MAX);
	assert_int_equal(custodian_create("maria", pass, &maria, &custodian, NULL), 0);
	assert_int_equal(custodian_open(custodian.data, custodian.len, pass, sk, &who, NULL), 0);
	assert_string_equal(who.account, "maria");
	assert_memory_equal(who.pk, maria.pk, 32);
	assert_int_equal(crypto_scalarmult_base(pk, sk), 0);
	assert_memory_equal(pk, maria.pk, 32);
	assert_int_equal(custodian_open(custodian.data, custodian.len, "correct horse batterz", sk, &who, &d),
			 FW_ECRYPTO);
	assert_non_null(strstr(d.text, "maria"));
	assert_true(sodium_is_zero(sk, 32));
	char mark[CUSTODIAN_MARK_LEN + 1];
	custodian_mark(maria.pk, mark);
	assert_int_equal(strlen(mark), CUSTODIAN_MARK_LEN);
	assert_non_null(memmem(custodian.data, custodian.len, mark, strlen(mark)));
}

static void test_custodian_creation_refuses(void **state)
{
	(void)state;
	struct custodian_public who;
	struct buf b;
	buf_init(&b, CUSTODIAN_FILE_MAX);
	assert_int_equal(custodian_create("maria", "short", &who, &b, NULL), FW_EINVALID);
	assert_int_equal(custodian_create("", pass, &who, &b, NULL), FW_EINVALID);
	assert_int_equal(custodian_create("a b", pass, &who, &b, NULL), FW_EINVALID);
	assert_int_equal(custodian_create("a\nb", pass, &who, &b, NULL), FW_EINVALID);
	char name[200];
	memset(name, 'x', sizeof(name));
	name[128] = '\0';
	assert_int_equal(custodian_create(name, pass, &who, &b, NULL), FW_EINVALID);
	assert_int_equal(b.len, 0);
	buf_release(&b);
	buf_init(&b, 300);
	assert_int_equal(custodian_create("maria", pass, &who, &b, NULL), FW_ELIMIT);
	buf_release(&b);
}

static size_t armour_start(void)
{
	uint8_t *p = memmem(custodian.data, custodian.len, "-----BEGIN", 10);
	assert_non_null(p);
	return (size_t)(p - custodian.data);
}

/* Every bit of the armour; where the form still reads, the seal must refuse: a sample of those, for time. */
static void test_custodian_file_with_any_bit_flipped(void **state)
{
	(void)state;
	struct custodian_file f, good;
	struct custodian_public who;
	uint8_t sk[32];
	size_t opened = 0, from = armour_start();
	assert_int_equal(custodian_parse(custodian.data, custodian.len, &good, NULL), 0);
	for (size_t at = from; at < custodian.len - 1; at++) {
		for (int bit = 0; bit < 8; bit++) {
			custodian.data[at] ^= (uint8_t)(1 << bit);
			if (custodian_parse(custodian.data, custodian.len, &f, NULL) == 0) {
				assert_memory_not_equal(f.raw, good.raw, sizeof(f.raw));
				if (opened++ % 101 == 0)
					assert_true(custodian_open(custodian.data, custodian.len, pass, sk, &who,
								   NULL) < 0);
			}
			custodian.data[at] ^= (uint8_t)(1 << bit);
		}
	}
	assert_true(opened > 500);
}

static void test_custodian_file_cut_anywhere(void **state)
{
	(void)state;
	struct custodian_file f;
	for (size_t n = 0; n < custodian.len - 1; n++)
		assert_true(custodian_parse(custodian.data, n, &f, NULL) < 0);
	assert_int_equal(custodian_parse(custodian.data, custodian.len - 1, &f, NULL), 0); /* the last newline */
	assert_int_equal(custodian_parse(custodian.data, armour_start(), &f, NULL), FW_EFORMAT);
	assert_int_equal(custodian_parse(custodian.data, custodian.len - 10, &f, NULL), FW_ETRUNC);
}

static void put_armoured(struct buf *out, const struct custodian_file *f, size_t n)
{
	char text[1024];
	buf_clear(out);
	(void)sodium_bin2base64(text, sizeof(text), f->raw, n, sodium_base64_VARIANT_ORIGINAL);
	buf_printf(out, "-----BEGIN FAIRWAY CUSTODIAN KEY-----\r\n");
	buf_clear(out);
	buf_printf(out, "-----BEGIN FAIRWAY CUSTODIAN KEY-----\n%s\r\n-----END FAIRWAY CUSTODIAN KEY-----\n", text);
}

static void test_custodian_file_of_a_hostile_maker(void **state)
{
	(void)state;
	struct custodian_file f, got;
	struct buf b;
	buf_init(&b, CUSTODIAN_FILE_MAX);
	assert_int_equal(custodian_parse(custodian.data, custodian.len, &f, NULL), 0);
	size_t n = f.bound + sizeof(f.sealed);
	put_armoured(&b, &f, n);
	assert_int_equal(custodian_parse(b.data, b.len, &got, NULL), 0);
	f.raw[0] = 2;
	put_armoured(&b, &f, n);
	assert_int_equal(custodian_parse(b.data, b.len, &got, NULL), FW_ENEWER);
	f.raw[0] = 1;
	f.raw[8] = 0x7f; /* some two thousand GiB of Argon2id */
	put_armoured(&b, &f, n);
	assert_int_equal(custodian_parse(b.data, b.len, &got, NULL), FW_ERANGE);
	f.raw[8] = 0;
	f.raw[7] = 0; /* and hardly any */
	put_armoured(&b, &f, n);
	assert_int_equal(custodian_parse(b.data, b.len, &got, NULL), FW_ERANGE);
	assert_int_equal(custodian_parse(custodian.data, custodian.len, &f, NULL), 0);
	put_armoured(&b, &f, n + 1);
	assert_int_equal(custodian_parse(b.data, b.len, &got, NULL), FW_EFORMAT);
	put_armoured(&b, &f, n - 1);
	assert_int_equal(custodian_parse(b.data, b.len, &got, NULL), FW_ETRUNC);
	f.raw[85] = 0; /* NUL in the account */
	put_armoured(&b, &f, n);
	assert_int_equal(custodian_parse(b.data, b.len, &got, NULL), FW_EFORMAT);
	buf_release(&b);
}

static void test_custodian_faults(void **state)
{
	(void)state;
	struct custodian_public who;
	struct buf b;
	for (uint64_t n = 1;; n++) {
		buf_init(&b, CUSTODIAN_FILE_MAX);
		mem_fault_at(n);
		int err = custodian_create("maria", pass, &who, &b, NULL);
		bool hit = mem_fault_hit();
		mem_fault_at(0);
		buf_release(&b);
		assert_int_equal(err, hit ? -ENOMEM : 0);
		if (!hit)
			break;
	}
	buf_init(&b, CUSTODIAN_FILE_MAX);
	sodium_fault_at(1);
	assert_int_equal(custodian_create("maria", pass, &who, &b, NULL), -ENOMEM);
	sodium_fault_at(0);
	buf_release(&b);
}

static void test_the_list_of_custodians(void **state)
{
	(void)state;
	struct custodian_public in[3] = { { .account = "anna", .pk = { 1 } },
					  { .account = "bo", .pk = { 2 } },
					  { .account = "chen", .pk = { 3 } } },
				out[3];
	struct buf b;
	size_t n;
	buf_init(&b, CUSTODIANS_FILE_MAX);
	buf_puts(&b, "# remark\n\n");
	custodians_put(&b, "strategic", &in[0]);
	custodians_put(&b, "protection", &in[1]);
	custodians_put(&b, "strategic", &in[2]);
	assert_int_equal(custodians_parse(b.data, b.len, "strategic", out, 3, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_string_equal(out[0].account, "anna");
	assert_string_equal(out[1].account, "chen");
	assert_memory_equal(out[1].pk, in[2].pk, 32);
	assert_int_equal(custodians_parse(b.data, b.len, "strat", out, 3, &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_int_equal(custodians_parse(b.data, b.len, "strategic", out, 1, &n, NULL), FW_ELIMIT);
	assert_int_equal(custodians_parse(b.data, b.len - 1, "strategic", out, 3, &n, NULL), 0);
	struct diag d = DIAG_INIT;
	assert_int_equal(custodians_parse(b.data, b.len - 2, "strategic", out, 3, &n, &d), FW_EFORMAT);
	assert_non_null(strstr(d.place, "line 5"));
	static const char *const bad[] = { "x", "x y", "strategic anna ", " anna AAAA", "strategic anna AAAA",
					   "strategic  AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(custodians_parse(bad[i], strlen(bad[i]), "x", out, 3, &n, NULL), FW_EFORMAT);
	buf_release(&b);
}

static int teardown(void **state)
{
	(void)state;
	buf_release(&custodian);
	char cmd[300];
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", folder);
	return system(cmd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_node_key_makes_the_same_keys_again),
		cmocka_unit_test(test_node_key_with_any_bit_flipped_or_cut),
		cmocka_unit_test(test_node_key_faults),
		cmocka_unit_test(test_no_secret_stays),
		cmocka_unit_test(test_sealed_fields),
		cmocka_unit_test(test_a_sealed_field_opens_in_its_own_row_only),
		cmocka_unit_test(test_sealing_into_a_full_buffer_or_without_memory),
		cmocka_unit_test(test_custodian_file_opens_with_its_passphrase_only),
		cmocka_unit_test(test_custodian_creation_refuses),
		cmocka_unit_test(test_custodian_file_with_any_bit_flipped),
		cmocka_unit_test(test_custodian_file_cut_anywhere),
		cmocka_unit_test(test_custodian_file_of_a_hostile_maker),
		cmocka_unit_test(test_custodian_faults),
		cmocka_unit_test(test_the_list_of_custodians),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
