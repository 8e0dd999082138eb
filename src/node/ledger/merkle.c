/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The Merkle tree of RFC 6962 section 2.1.
 *
 *     leaf(d)    = SHA-256(0x00 || d)
 *     node(l, r) = SHA-256(0x01 || l || r)
 *     root of n leaves: split at the largest power of two below n
 *
 * Seven leaves:
 *
 *             root
 *           /      \
 *          k        l          k covers 0..3: perfect
 *         / \      / \         l covers 4..6: not perfect
 *        g   h    i   d6
 *       / \ / \  / \
 *      d0 ... d3 d4 d5
 *
 * A node that covers 2^h leaves from a multiple of 2^h on is perfect: it never
 * changes, however the tree grows.  So only perfect nodes are stored
 * (tiles.c) and every other is made from at most 64 of them.  That is why a
 * proof for an old size can be given later, and costs O(log n).
 *
 * Verification follows RFC 9162 section 2.1.3.2 and 2.1.4.2, which gives for
 * the same tree the algorithms that RFC 6962 leaves to the reader.
 */
#include "node/ledger/merkle.h"

#include <sodium.h>
#include <string.h>

#include "base/err.h"

void merkle_leaf(const void *p, size_t n, struct ledger_hash *ret)
{
	static const uint8_t zero = 0;
	crypto_hash_sha256_state st;
	(void)crypto_hash_sha256_init(&st);
	(void)crypto_hash_sha256_update(&st, &zero, 1);
	(void)crypto_hash_sha256_update(&st, p, n);
	(void)crypto_hash_sha256_final(&st, ret->b);
}

void merkle_node(const struct ledger_hash *left, const struct ledger_hash *right, struct ledger_hash *ret)
{
	uint8_t both[1 + 2 * LEDGER_HASH] = { 1 };
	memcpy(both + 1, left->b, LEDGER_HASH);
	memcpy(both + 1 + LEDGER_HASH, right->b, LEDGER_HASH);
	(void)crypto_hash_sha256(ret->b, both, sizeof(both));
}

void merkle_empty(struct ledger_hash *ret)
{
	(void)crypto_hash_sha256(ret->b, (const uint8_t *)"", 0);
}

/* The largest power of two below ${n}; n > 1. */
static uint64_t split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* Hash over leaves lo..hi-1, lo < hi; lo is a multiple of the power of two that hi - lo fits in. Depth at most 64. */
static int range_hash(const struct merkle_source *src, uint64_t lo, uint64_t hi, struct ledger_hash *ret)
{
	uint64_t n = hi - lo;
	if ((n & (n - 1)) == 0) {
		unsigned height = (unsigned)__builtin_ctzll(n);
		return src->node(src->arg, height, lo >> height, ret);
	}
	uint64_t k = split(n);
	struct ledger_hash left, right;
	int err = range_hash(src, lo, lo + k, &left);
	if (err == 0)
		err = range_hash(src, lo + k, hi, &right);
	if (err == 0)
		merkle_node(&left, &right, ret);
	return err;
}

int merkle_root(const struct merkle_source *src, uint64_t size, struct ledger_hash *ret)
{
	if (size == 0) {
		merkle_empty(ret);
		return 0;
	}
	return range_hash(src, 0, size, ret);
}

/*
 * Both proofs walk from the root towards a place and gather the siblings; the
 * proof lists them from the leaf upwards, so they are turned round at the end.
 */
static void turn_round(struct ledger_hash *h, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct ledger_hash t = h[i];
		h[i] = h[n - 1 - i];
		h[n - 1 - i] = t;
	}
}

int merkle_inclusion(const struct merkle_source *src, uint64_t pos, uint64_t size,
		     struct ledger_hash ret[MERKLE_PROOF_MAX], size_t *ret_n)
{
	if (pos >= size)
		return FW_ERANGE;
	uint64_t lo = 0, hi = size;
	size_t n = 0;
	int err = 0;
	while (err == 0 && hi - lo > 1) {
		uint64_t middle = lo + split(hi - lo);
		if (pos < middle) {
			err = range_hash(src, middle, hi, &ret[n++]);
			hi = middle;
		} else {
			err = range_hash(src, lo, middle, &ret[n++]);
			lo = middle;
		}
	}
	turn_round(ret, n);
	*ret_n = n;
	return err;
}

int merkle_consistency(const struct merkle_source *src, uint64_t old, uint64_t size,
		       struct ledger_hash ret[MERKLE_PROOF_MAX], size_t *ret_n)
{
	*ret_n = 0;
	if (old > size)
		return FW_ERANGE;
	if (old == 0 || old == size)
		return 0;
	/* SUBPROOF: towards the edge of the old tree, until a subtree ends exactly there. */
	uint64_t lo = 0, hi = size;
	size_t n = 0;
	int err = 0;
	while (err == 0 && hi != old) {
		uint64_t middle = lo + split(hi - lo);
		if (old <= middle) {
			err = range_hash(src, middle, hi, &ret[n++]);
			hi = middle;
		} else {
			err = range_hash(src, lo, middle, &ret[n++]);
			lo = middle;
		}
	}
	/* That subtree is the old tree itself when it began at 0: its root is known to the verifier. */
	if (err == 0 && lo != 0)
		err = range_hash(src, lo, hi, &ret[n++]);
	turn_round(ret, n);
	*ret_n = n;
	return err;
}

static bool same(const struct ledger_hash *a, const struct ledger_hash *b)
{
	return memcmp(a->b, b->b, LEDGER_HASH) == 0;
}

int ledger_verify_inclusion(const struct ledger_hash *leaf, uint64_t pos, const struct ledger_head *head,
			    const struct ledger_hash *proof, size_t n)
{
	if (pos >= head->size)
		return FW_ETAMPERED;
	uint64_t fn = pos, sn = head->size - 1;
	struct ledger_hash r = *leaf;
	for (size_t i = 0; i < n; i++) {
		if (sn == 0)
			return FW_ETAMPERED;
		if ((fn & 1) != 0 || fn == sn) {
			merkle_node(&proof[i], &r, &r);
			while ((fn & 1) == 0 && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			merkle_node(&r, &proof[i], &r);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && same(&r, &head->root) ? 0 : FW_ETAMPERED;
}

/* The part of consistency where old and new differ and the old tree is not empty. */
static int verify_growth(const struct ledger_head *old, const struct ledger_head *new_head,
			 const struct ledger_hash *proof, size_t n)
{
	uint64_t fn = old->size - 1, sn = new_head->size - 1;
	size_t i = 0;
	while ((fn & 1) != 0) {
		fn >>= 1;
		sn >>= 1;
	}
	/* A perfect old tree is its own first hash. */
	bool perfect = (old->size & (old->size - 1)) == 0;
	if (!perfect && n == 0)
		return FW_ETAMPERED;
	struct ledger_hash fr = perfect ? old->root : proof[i++], sr = fr;
	for (; i < n; i++) {
		if (sn == 0)
			return FW_ETAMPERED;
		if ((fn & 1) != 0 || fn == sn) {
			merkle_node(&proof[i], &fr, &fr);
			merkle_node(&proof[i], &sr, &sr);
			while ((fn & 1) == 0 && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			merkle_node(&sr, &proof[i], &sr);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && same(&fr, &old->root) && same(&sr, &new_head->root) ? 0 : FW_ETAMPERED;
}

int ledger_verify_consistency(const struct ledger_head *old, const struct ledger_head *new_head,
			      const struct ledger_hash *proof, size_t n)
{
	struct ledger_hash empty;
	merkle_empty(&empty);
	if ((old->size == 0 && !same(&old->root, &empty)) || (new_head->size == 0 && !same(&new_head->root, &empty)))
		return FW_ETAMPERED;
	if (old->size > new_head->size || n > MERKLE_PROOF_MAX)
		return FW_ETAMPERED;
	if (old->size == new_head->size)
		return n == 0 && same(&old->root, &new_head->root) ? 0 : FW_ETAMPERED;
	if (old->size == 0)
		return n == 0 ? 0 : FW_ETAMPERED;
	return verify_growth(old, new_head, proof, n);
}

void merkle_push(struct merkle_frontier *f, const struct ledger_hash *leaf)
{
	unsigned peaks = (unsigned)__builtin_popcountll(f->size);
	struct ledger_hash h = *leaf;
	/* Each trailing one bit of the size is a perfect subtree that this leaf completes. */
	for (uint64_t s = f->size; (s & 1) != 0; s >>= 1)
		merkle_node(&f->peak[--peaks], &h, &h);
	f->peak[peaks] = h;
	f->size++;
}

void merkle_frontier_root(const struct merkle_frontier *f, struct ledger_hash *ret)
{
	unsigned peaks = (unsigned)__builtin_popcountll(f->size);
	if (peaks == 0) {
		merkle_empty(ret);
		return;
	}
	*ret = f->peak[--peaks];
	while (peaks > 0)
		merkle_node(&f->peak[--peaks], ret, ret);
}
