/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The stored tree: tiles of 256 hashes.
 *
 * Level 0 has the leaf hashes: tile k those of positions 256k .. 256k+255.
 * Level 1 has the roots of full tiles of level 0, 256 in a tile, and so on, so
 * that a hash of level L covers 256^L entries:
 *
 *     level 1   [ r0 r1 r2 ... ]                    one hash for each full tile below
 *     level 0   [ 256 leaves ][ 256 leaves ][ 100 ] the last one is still growing
 *
 * It is the layout of C2SP tlog-tiles, in rows.  A full tile never changes.
 * Appending writes each leaf once and, a batch at a time, the unfinished tile
 * at the right edge of level 0; higher levels change once in 256 entries: O(1)
 * amortised, and small: 32 bytes an entry and an eighth of a hash more.
 * A proof needs at most 64 perfect nodes from at most two tiles a level:
 * O(log n); nodes within a tile are computed from its hashes when wanted.
 */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "gen/sql.h"
#include "node/ledger/ledger_int.h"
#include "store/store.h"

void tile_reader_init(struct tile_reader *r, struct store *s, struct diag *reterr)
{
	r->s = s;
	r->reterr = reterr;
	r->have = false;
}

/* The hashes of a tile into ${out}; FW_ENOTFOUND. */
static int load(struct store *s, unsigned level, uint64_t number, struct ledger_hash out[TILE_WIDTH], size_t *ret_n,
		struct diag *reterr)
{
	struct store_value args[] = { sv_int(level), sv_int((int64_t)number) };
	struct store_rows *rows;
	int err = store_one(s, SQL_LEDGER_TILE_GET, args, 2, &rows, reterr);
	if (err < 0)
		return err;
	size_t len;
	const uint8_t *p = store_bytes(rows, 0, &len);
	if (len == 0 || len % LEDGER_HASH != 0 || len > TILE_WIDTH * LEDGER_HASH) {
		err = diag_set(reterr, FW_ETAMPERED, "tile %llu of level %u of the ledger is no tile",
			       (unsigned long long)number, level);
	} else {
		memcpy(out, p, len);
		*ret_n = len / LEDGER_HASH;
	}
	store_rows_close(rows);
	return err;
}

static int need(struct tile_reader *r, unsigned level, uint64_t number)
{
	if (r->have && r->level == level && r->number == number)
		return 0;
	r->have = false;
	int err = load(r->s, level, number, r->hash, &r->n, NULL);
	if (err == FW_ENOTFOUND)
		return diag_set(r->reterr, FW_ETAMPERED, "tile %llu of level %u of the ledger is missing",
				(unsigned long long)number, level);
	if (err < 0)
		return diag_set(r->reterr, err, "the ledger's tree cannot be read: %s", err_text(err));
	r->have = true;
	r->level = level;
	r->number = number;
	return 0;
}

/* The node over ${n} hashes, a power of two. */
static void fold(const struct ledger_hash *h, size_t n, struct ledger_hash *ret)
{
	struct ledger_hash row[TILE_WIDTH];
	memcpy(row, h, n * sizeof(*h));
	for (; n > 1; n /= 2)
		for (size_t i = 0; i < n / 2; i++)
			merkle_node(&row[2 * i], &row[2 * i + 1], &row[i]);
	*ret = row[0];
}

static int tile_node(void *arg, unsigned height, uint64_t index, struct ledger_hash *ret)
{
	struct tile_reader *r = arg;
	unsigned level = height / TILE_HEIGHT, within = height % TILE_HEIGHT;
	uint64_t first = index << within; /* of the hashes of that level; index is below 2^(64 - height) */
	int err = need(r, level, first / TILE_WIDTH);
	if (err < 0)
		return err;
	size_t at = (size_t)(first % TILE_WIDTH), n = (size_t)1 << within;
	if (at + n > r->n)
		return diag_set(r->reterr, FW_ETAMPERED, "tile %llu of level %u of the ledger is too short",
				(unsigned long long)(first / TILE_WIDTH), level);
	fold(r->hash + at, n, ret);
	return 0;
}

struct merkle_source tile_source(struct tile_reader *r)
{
	return (struct merkle_source){ tile_node, r };
}

struct level {
	bool loaded;       /* hash has what was stored */
	bool stored;       /* a row of this tile is there */
	bool changed;
	uint64_t number;
	size_t n;
	struct ledger_hash hash[TILE_WIDTH];
};

struct tile_writer {
	struct store *s;
	uint64_t size; /* when it began */
	struct level level[TILE_LEVELS];
};

int tile_writer_new(struct store *s, uint64_t size, struct tile_writer **ret)
{
	struct tile_writer *w = mem_alloc(sizeof(*w));
	if (w == NULL)
		return -ENOMEM;
	w->s = s;
	w->size = size;
	for (unsigned i = 0; i < TILE_LEVELS; i++)
		w->level[i].loaded = false;
	*ret = w;
	return 0;
}

static int load_level(struct tile_writer *w, unsigned i, struct diag *reterr)
{
	struct level *l = &w->level[i];
	uint64_t hashes = w->size >> (TILE_HEIGHT * i); /* full at this level */
	l->number = hashes / TILE_WIDTH;
	l->n = (size_t)(hashes % TILE_WIDTH);
	l->stored = l->n > 0;
	l->changed = false;
	l->loaded = true;
	if (!l->stored)
		return 0;
	size_t n = 0;
	int err = load(w->s, i, l->number, l->hash, &n, reterr);
	if (err == FW_ENOTFOUND || (err == 0 && n != l->n))
		return diag_set(reterr, FW_ETAMPERED, "the last tile of level %u of the ledger is not as it was left", i);
	return err;
}

static int save_level(struct tile_writer *w, unsigned i, struct diag *reterr)
{
	struct level *l = &w->level[i];
	struct store_value args[] = { sv_int(i), sv_int((int64_t)l->number),
				      sv_bytes(l->hash, l->n * LEDGER_HASH) };
	int err = store_exec(w->s, l->stored ? SQL_LEDGER_TILE_SET : SQL_LEDGER_TILE_ADD, args, 3, NULL, reterr);
	l->stored = true;
	l->changed = false;
	return err;
}

int tile_writer_push(struct tile_writer *w, const struct ledger_hash *leaf, struct diag *reterr)
{
	int err = 0;
	struct ledger_hash up = *leaf;
	for (unsigned i = 0; err == 0 && i < TILE_LEVELS; i++) {
		struct level *l = &w->level[i];
		if (!l->loaded && (err = load_level(w, i, reterr)) < 0)
			break;
		l->hash[l->n++] = up;
		l->changed = true;
		if (l->n < TILE_WIDTH)
			break;
		err = save_level(w, i, reterr);
		fold(l->hash, TILE_WIDTH, &up);
		l->number++;
		l->n = 0;
		l->stored = false;
	}
	return err;
}

int tile_writer_end(struct tile_writer *w, struct diag *reterr)
{
	int err = 0;
	for (unsigned i = 0; err == 0 && i < TILE_LEVELS; i++)
		if (w->level[i].loaded && w->level[i].changed && w->level[i].n > 0)
			err = save_level(w, i, reterr);
	return err;
}

void tile_writer_free(struct tile_writer *w)
{
	mem_free(w);
}
