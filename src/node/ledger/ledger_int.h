/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the files of node/ledger share, and their tests and fuzz targets. */
#ifndef FW_NODE_LEDGER_INT_H
#define FW_NODE_LEDGER_INT_H

#include <stddef.h>
#include <stdint.h>

#include "node/ledger/ledger.h"
#include "node/ledger/merkle.h"

struct cursor;
struct store;

enum {
	LEDGER_DETAIL_MAX = 2000,
	LEDGER_CODE_MAX = 64, /* bytes of a purpose or a route */
	LEDGER_CONTENT_MAX = 1 + 2 + 1 + 32 + 2 * (1 + LEDGER_CODE_MAX) + 4 + LEDGER_SUBJECTS_INLINE * 16 + 2 +
			     LEDGER_DETAIL_MAX,
	LEDGER_BODY_MAX = LEDGER_SALT + LEDGER_CONTENT_MAX,
};

/* ---- entry.c ---- */

/* Content of an entry, read back. Strings are copies; subjects point into the bytes read. */
struct ledger_content {
	int event;
	struct uuid account, session;      /* nil if absent */
	char purpose[LEDGER_CODE_MAX + 1]; /* "" if absent */
	char route[LEDGER_CODE_MAX + 1];
	uint32_t nsubjects;
	const uint8_t *subjects;           /* nsubjects times 16 bytes; NULL when only counted */
	const uint8_t *subjects_hash;      /* 32 bytes, when only counted; else NULL */
	const uint8_t *detail;             /* JSON text, not NUL-ended; NULL if absent */
	size_t detail_len;
};
/* ${note} as bytes, appended to ${out}. FW_EINVALID for what does not fit. */
int ledger_content_put(struct buf *out, const struct ledger_note *note, struct diag *reterr);
int ledger_content_get(const void *p, size_t n, struct ledger_content *ret);

/* SHA-256(salt || content). */
void ledger_inner_hash(const void *body, size_t n, struct ledger_hash *ret);
void ledger_leaf_hash(const struct uuid *id, const struct uuid *writer, uint64_t counter,
		      const struct ledger_hash *prev, const struct ledger_hash *inner, struct ledger_hash *ret);
/* When an entry was made: the time within its identifier. */
usec_t ledger_id_time(const struct uuid *id);

/* ---- tiles.c ---- */

enum { TILE_HEIGHT = 8, TILE_WIDTH = 1 << TILE_HEIGHT, TILE_LEVELS = 8 };

/* Reads perfect nodes out of the stored tiles; keeps the last tile read. */
struct tile_reader {
	struct store *s;
	struct diag *reterr;
	bool have;
	unsigned level;
	uint64_t number;
	size_t n; /* hashes in it */
	struct ledger_hash hash[TILE_WIDTH];
};
void tile_reader_init(struct tile_reader *r, struct store *s, struct diag *reterr);
/* A merkle_source over ${r}. */
struct merkle_source tile_source(struct tile_reader *r);

/* Appends leaves to the stored tree. From mem_alloc: 64 KiB. */
struct tile_writer;
int tile_writer_new(struct store *s, uint64_t size, struct tile_writer **ret);
int tile_writer_push(struct tile_writer *w, const struct ledger_hash *leaf, struct diag *reterr);
/* Writes the tiles that are not full. */
int tile_writer_end(struct tile_writer *w, struct diag *reterr);
void tile_writer_free(struct tile_writer *w);

/* ---- head.c ---- */

/* Size and root as they stand in the store, in the open transaction. */
int ledger_state_read(struct store *s, uint64_t *ret_size, struct ledger_hash *ret_root, struct diag *reterr);
/* Run ${fn} in the transaction that is open, or in a reading one of its own. */
int ledger_in_tx(struct store *s, int (*fn)(struct store *s, void *arg, struct diag *reterr), void *arg,
		 struct diag *reterr);

/* ---- run.c: which entries stand where ---- */

struct ledger_run {
	uint64_t position;
	struct uuid writer;
	uint64_t counter;
	uint64_t n;
	struct uuid id_first, id_last;
};
/* The runs that begin at ${from} or later, at most ${cap}. */
int ledger_runs(struct store *s, uint64_t from, struct ledger_run *ret, size_t cap, size_t *ret_n,
		struct diag *reterr);
/* The run that position ${pos} lies in, or the last one before it; FW_ENOTFOUND. */
int ledger_run_before(struct store *s, uint64_t pos, struct ledger_run *ret, struct diag *reterr);
/* Where the entry ${id} is, with a position or without; FW_ENOTFOUND. */
int ledger_find(struct store *s, const struct uuid *id, struct uuid *ret_writer, uint64_t *ret_counter,
		struct diag *reterr);

#endif
