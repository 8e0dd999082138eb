/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The tree against RFC 6962: the example of eight leaves that implementations
 * of the RFC share, and the definitions of section 2.1 written down naively.
 */
#include "test.h"

#include <sodium.h>

#include "base/err.h"
#include "node/ledger/merkle.h"

enum { MANY = 700 };
static struct ledger_hash leaves[MANY];

/* MTH of the leaves lo..hi-1, as section 2.1 defines it. */
static void naive_root(uint64_t lo, uint64_t hi, struct ledger_hash *ret)
{
	if (lo == hi) {
		(void)crypto_hash_sha256(ret->b, (const uint8_t *)"", 0);
		return;
	}
	if (hi - lo == 1) {
		*ret = leaves[lo];
		return;
	}
	uint64_t k = 1;
	while (k * 2 < hi - lo)
		k *= 2;
	uint8_t both[65] = { 1 };
	struct ledger_hash left, right;
	naive_root(lo, lo + k, &left);
	naive_root(lo + k, hi, &right);
	memcpy(both + 1, left.b, 32);
	memcpy(both + 33, right.b, 32);
	(void)crypto_hash_sha256(ret->b, both, sizeof(both));
}

static int from_leaves(void *arg, unsigned height, uint64_t index, struct ledger_hash *ret)
{
	(void)arg;
	assert_true((index + 1) << height <= MANY);
	naive_root(index << height, (index + 1) << height, ret);
	return 0;
}
static const struct merkle_source source = { from_leaves, NULL };

static int setup(void **state)
{
	(void)state;
	struct prop p = { 6962 };
	for (size_t i = 0; i < MANY; i++)
		prop_bytes(&p, leaves[i].b, 32);
	return sodium_init() < 0;
}

static struct ledger_hash hex(const char *s)
{
	struct ledger_hash h;
	size_t n;
	assert_int_equal(sodium_hex2bin(h.b, 32, s, strlen(s), NULL, &n, NULL), 0);
	assert_int_equal(n, 32);
	return h;
}

static const char *const vector_leaf[] = { "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
					   "606162636465666768696a6b6c6d6e6f" };
static const char *const vector_root[] = {
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static int vector_node(void *arg, unsigned height, uint64_t index, struct ledger_hash *ret)
{
	struct ledger_hash left, right;
	uint8_t b[16];
	size_t n;
	if (height == 0) {
		assert_int_equal(sodium_hex2bin(b, sizeof(b), vector_leaf[index], strlen(vector_leaf[index]), NULL, &n,
						NULL), 0);
		merkle_leaf(b, n, ret);
		return 0;
	}
	(void)vector_node(arg, height - 1, 2 * index, &left);
	(void)vector_node(arg, height - 1, 2 * index + 1, &right);
	merkle_node(&left, &right, ret);
	return 0;
}
static const struct merkle_source vector = { vector_node, NULL };

static void test_roots_of_the_example(void **state)
{
	(void)state;
	struct merkle_frontier f = { 0 };
	for (uint64_t n = 0; n <= 8; n++) {
		struct ledger_hash want = hex(vector_root[n]), got, leaf;
		assert_int_equal(merkle_root(&vector, n, &got), 0);
		assert_memory_equal(got.b, want.b, 32);
		merkle_frontier_root(&f, &got);
		assert_memory_equal(got.b, want.b, 32);
		if (n < 8) {
			(void)vector_node(NULL, 0, n, &leaf);
			merkle_push(&f, &leaf);
		}
	}
}

static void expect_proof(const struct ledger_hash *got, size_t n, const char *const *want, size_t nwant)
{
	assert_int_equal(n, nwant);
	for (size_t i = 0; i < n; i++) {
		struct ledger_hash h = hex(want[i]);
		assert_memory_equal(got[i].b, h.b, 32);
	}
}

static void test_proofs_of_the_example(void **state)
{
	(void)state;
	struct ledger_hash p[MERKLE_PROOF_MAX];
	size_t n;
	static const char *const path_0_8[] = { "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
						"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
						"6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4" };
	static const char *const path_5_8[] = { "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
						"ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
						"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" };
	static const char *const path_2_3[] = { "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" };
	static const char *const grow_6_8[] = { "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
						"ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
						"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" };
	static const char *const grow_2_5[] = { "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
						"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b" };
	assert_int_equal(merkle_inclusion(&vector, 0, 1, p, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(merkle_inclusion(&vector, 0, 8, p, &n), 0);
	expect_proof(p, n, path_0_8, 3);
	assert_int_equal(merkle_inclusion(&vector, 5, 8, p, &n), 0);
	expect_proof(p, n, path_5_8, 3);
	assert_int_equal(merkle_inclusion(&vector, 2, 3, p, &n), 0);
	expect_proof(p, n, path_2_3, 1);
	assert_int_equal(merkle_consistency(&vector, 1, 8, p, &n), 0);
	expect_proof(p, n, path_0_8, 3);
	assert_int_equal(merkle_consistency(&vector, 6, 8, p, &n), 0);
	expect_proof(p, n, grow_6_8, 3);
	assert_int_equal(merkle_consistency(&vector, 2, 5, p, &n), 0);
	expect_proof(p, n, grow_2_5, 2);
	assert_int_equal(merkle_consistency(&vector, 9, 8, p, &n), FW_ERANGE);
	assert_int_equal(merkle_inclusion(&vector, 8, 8, p, &n), FW_ERANGE);
}

static struct ledger_head head_of(uint64_t size)
{
	struct ledger_head h = { .size = size };
	naive_root(0, size, &h.root);
	return h;
}

static void test_every_inclusion_up_to_seventy(void **state)
{
	(void)state;
	struct ledger_hash p[MERKLE_PROOF_MAX];
	size_t n;
	for (uint64_t size = 1; size <= 70; size++) {
		struct ledger_head h = head_of(size);
		for (uint64_t pos = 0; pos < size; pos++) {
			assert_int_equal(merkle_inclusion(&source, pos, size, p, &n), 0);
			assert_true(n <= 7);
			assert_int_equal(ledger_verify_inclusion(&leaves[pos], pos, &h, p, n), 0);
			/* Not for another leaf, place, size; not with a hash more or fewer. */
			assert_int_equal(ledger_verify_inclusion(&leaves[pos + 1], pos, &h, p, n), FW_ETAMPERED);
			if (size > 1)
				assert_int_equal(ledger_verify_inclusion(&leaves[pos], pos ^ 1, &h, p, n), FW_ETAMPERED);
			assert_int_equal(ledger_verify_inclusion(&leaves[pos], size, &h, p, n), FW_ETAMPERED);
			if (n > 0)
				assert_int_equal(ledger_verify_inclusion(&leaves[pos], pos, &h, p, n - 1), FW_ETAMPERED);
			p[n] = leaves[0];
			assert_int_equal(ledger_verify_inclusion(&leaves[pos], pos, &h, p, n + 1), FW_ETAMPERED);
		}
	}
}

static void test_every_consistency_up_to_seventy(void **state)
{
	(void)state;
	struct ledger_hash p[MERKLE_PROOF_MAX];
	size_t n;
	for (uint64_t size = 0; size <= 70; size++) {
		struct ledger_head now = head_of(size);
		for (uint64_t old = 0; old <= size; old++) {
			struct ledger_head was = head_of(old);
			assert_int_equal(merkle_consistency(&source, old, size, p, &n), 0);
			assert_true(n <= 8);
			assert_int_equal(ledger_verify_consistency(&was, &now, p, n), 0);
			for (size_t i = 0; i < n; i++) {
				p[i].b[i % 32] ^= 0x10;
				assert_int_equal(ledger_verify_consistency(&was, &now, p, n), FW_ETAMPERED);
				p[i].b[i % 32] ^= 0x10;
			}
			p[n] = leaves[0];
			assert_int_equal(ledger_verify_consistency(&was, &now, p, n + 1), FW_ETAMPERED);
			if (n > 0)
				assert_int_equal(ledger_verify_consistency(&was, &now, p, n - 1), FW_ETAMPERED);
			was.root.b[5] ^= 1;
			assert_int_equal(ledger_verify_consistency(&was, &now, p, n), FW_ETAMPERED);
			was.root.b[5] ^= 1;
			if (old > 0) {
				now.root.b[7] ^= 1;
				assert_int_equal(ledger_verify_consistency(&was, &now, p, n), FW_ETAMPERED);
				now.root.b[7] ^= 1;
			}
			if (old < size)
				assert_int_equal(ledger_verify_consistency(&now, &was, p, n), FW_ETAMPERED);
		}
	}
}

/* A tree that was forked after some entry never has a proof, whatever hashes are offered. */
static void test_no_proof_from_a_fork(void **state)
{
	(void)state;
	struct ledger_hash p[MERKLE_PROOF_MAX];
	size_t n;
	struct prop pr = { 77 };
	for (unsigned round = 0; round < prop_rounds(300); round++) {
		uint64_t size = 2 + prop_below(&pr, 300), old = 1 + prop_below(&pr, size - 1), at = prop_below(&pr, old);
		struct ledger_head now = head_of(size), was;
		leaves[at].b[0] ^= 1;
		was = head_of(old);
		leaves[at].b[0] ^= 1;
		assert_int_equal(merkle_consistency(&source, old, size, p, &n), 0);
		assert_int_equal(ledger_verify_consistency(&was, &now, p, n), FW_ETAMPERED);
		prop_bytes(&pr, p, sizeof(p));
		assert_int_equal(ledger_verify_consistency(&was, &now, p, prop_below(&pr, MERKLE_PROOF_MAX)),
				 FW_ETAMPERED);
	}
}

static void test_the_frontier_gives_every_root(void **state)
{
	(void)state;
	struct merkle_frontier f = { 0 };
	for (uint64_t n = 0; n < MANY; n++) {
		struct ledger_hash want, got;
		merkle_frontier_root(&f, &got);
		naive_root(0, n, &want);
		assert_memory_equal(got.b, want.b, 32);
		merkle_push(&f, &leaves[n]);
	}
}

/* Sizes that no ledger will reach must neither loop nor overflow. */
static void test_absurd_sizes(void **state)
{
	(void)state;
	struct ledger_head was = { .size = 1 }, now = { .size = UINT64_MAX };
	struct ledger_hash p[MERKLE_PROOF_MAX] = { 0 };
	for (uint64_t i = 0; i < 64; i++) {
		was.size = UINT64_C(1) << i;
		assert_int_equal(ledger_verify_consistency(&was, &now, p, MERKLE_PROOF_MAX), FW_ETAMPERED);
		was.size = UINT64_MAX - i;
		assert_int_equal(ledger_verify_consistency(&was, &now, p, MERKLE_PROOF_MAX), FW_ETAMPERED);
		assert_int_equal(ledger_verify_inclusion(&p[0], i, &now, p, MERKLE_PROOF_MAX), FW_ETAMPERED);
	}
	was = (struct ledger_head){ .size = 0 }; /* an empty tree has one root only */
	now.size = 5;
	assert_int_equal(ledger_verify_consistency(&was, &now, p, 0), FW_ETAMPERED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roots_of_the_example),
		cmocka_unit_test(test_proofs_of_the_example),
		cmocka_unit_test(test_every_inclusion_up_to_seventy),
		cmocka_unit_test(test_every_consistency_up_to_seventy),
		cmocka_unit_test(test_no_proof_from_a_fork),
		cmocka_unit_test(test_the_frontier_gives_every_root),
		cmocka_unit_test(test_absurd_sizes),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
