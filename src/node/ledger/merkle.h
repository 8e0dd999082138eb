/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The tree of RFC 6962 section 2.1 over hashes: pure functions; merkle.c tells how. */
#ifndef FW_NODE_MERKLE_H
#define FW_NODE_MERKLE_H

#include <stddef.h>
#include <stdint.h>

#include "node/ledger/ledger.h"

enum { MERKLE_PROOF_MAX = 64 };

/* The hash of a leaf's bytes, of an inner node, of the empty tree. */
void merkle_leaf(const void *p, size_t n, struct ledger_hash *ret);
void merkle_node(const struct ledger_hash *left, const struct ledger_hash *right, struct ledger_hash *ret);
void merkle_empty(struct ledger_hash *ret);

/*
 * Where perfect nodes come from: ${height} 0 is a leaf; node ${index} at
 * ${height} covers leaves index << height up to (index + 1) << height.
 */
struct merkle_source {
	int (*node)(void *arg, unsigned height, uint64_t index, struct ledger_hash *ret);
	void *arg;
};
/* Root of the first ${size} leaves. */
int merkle_root(const struct merkle_source *src, uint64_t size, struct ledger_hash *ret);
/* PATH(pos, D[size]); pos < size. */
int merkle_inclusion(const struct merkle_source *src, uint64_t pos, uint64_t size,
		     struct ledger_hash ret[MERKLE_PROOF_MAX], size_t *ret_n);
/* PROOF(old, D[size]); 0 <= old <= size; empty for old 0 and old size. */
int merkle_consistency(const struct merkle_source *src, uint64_t old, uint64_t size,
		       struct ledger_hash ret[MERKLE_PROOF_MAX], size_t *ret_n);

/* A tree that only grows, in constant memory: leaves in, roots out. */
struct merkle_frontier {
	uint64_t size;
	struct ledger_hash peak[64]; /* of the perfect subtrees, largest first; as many as size has bits set */
};
void merkle_push(struct merkle_frontier *f, const struct ledger_hash *leaf);
void merkle_frontier_root(const struct merkle_frontier *f, struct ledger_hash *ret);

#endif
