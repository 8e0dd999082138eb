/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The inside of the index, for report_index.c and report_index_query.c. */
#ifndef FW_REPORT_INDEX_INT_H
#define FW_REPORT_INDEX_INT_H

#include "domain/report/report_index.h"

enum { CHUNK_ROWS = 4096, OWNERS_MAX = 65535 };

struct chunk {
	struct uuid id[CHUNK_ROWS];
	uint64_t causes[CHUNK_ROWS], means[CHUNK_ROWS];
	int32_t first[CHUNK_ROWS], last[CHUNK_ROWS], lat[CHUNK_ROWS], lon[CHUNK_ROWS];
	uint32_t version[CHUNK_ROWS];
	int32_t *count[COUNTS_MEASURES]; /* owned; NULL: nobody in here has collected it */
	uint16_t owner[CHUNK_ROWS];      /* index in x->owner */
	int16_t route[CHUNK_ROWS], country[CHUNK_ROWS];
	int8_t cause[CHUNK_ROWS], meansof[CHUNK_ROWS];
	uint8_t status[CHUNK_ROWS], precision[CHUNK_ROWS], position[CHUNK_ROWS];
	uint8_t flags[CHUNK_ROWS]; /* 1 personal, 2 synthetic */
};

struct report_index {
	struct chunk **chunk; /* owned, each owned */
	size_t nchunks, cchunks;
	size_t n;
	uint32_t *slot; /* owned: row + 1 by the id's hash, 0 empty */
	size_t mask;
	struct uuid *owner; /* owned */
	size_t nowners, cowners;
	uint64_t version;
	bool filled;
};

static inline struct chunk *chunk_of(const struct report_index *x, size_t row) { return x->chunk[row / CHUNK_ROWS]; }
static inline size_t offset_of(size_t row) { return row % CHUNK_ROWS; }
static inline int32_t count_of(const struct chunk *c, size_t o, size_t m)
{
	return c->count[m] != NULL ? c->count[m][o] : COUNT_NOT_COLLECTED;
}

/* A filter made ready for this index. */
struct ready_filter {
	const struct index_filter *f;
	int owner; /* index; -1 everybody; -2 one who owns nothing here */
};
void filter_ready(const struct report_index *x, const struct index_filter *f, struct ready_filter *ret);
bool filter_sees(const struct ready_filter *f, const struct chunk *c, size_t o);
bool filter_passes(const struct ready_filter *f, const struct chunk *c, size_t o);

#endif
