/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The newest version of every report in memory, as columns: what lists,
 * totals, the overview and exports are chosen by.  One generation of it lives
 * as long as the worker; it is filled from the store at start and then
 * follows every commit (never before it: what was rolled back was never here).
 *
 * Columns stand in chunks of rows, so that growth moves nothing, and a
 * measure that nobody in a chunk has used takes no room: 70 bytes a report, 4 for
 * each measure in use, 8 for finding it.  A pass over a million reports takes some
 * milliseconds; the store needs no index beyond its keys, and importing writes
 * no random pages.
 *
 * Rows are found by id over a hash.  Nothing in here knows permissions but
 * the filter's owner, which the routes set from the ticket; the store's
 * statements ask for the owner again.
 */
#ifndef FW_REPORT_INDEX_H
#define FW_REPORT_INDEX_H

#include "base/uuid.h"
#include "domain/report/report_fields.h"

struct buf;
struct diag;
struct jw;
struct report_head;
struct store;

struct report_index;

/* What the index keeps of one report. */
struct index_entry {
	struct uuid owner, id;
	uint32_t version;
	int32_t first, last; /* days since 1970; INT32_MIN unknown */
	int32_t lat, lon;    /* 10 000ths of a degree; INT32_MIN unknown */
	uint64_t causes, means; /* bits by index in their codebook */
	int16_t route, country, cause, meansof; /* index in the codebook, -1 none; the first of several */
	uint8_t status, precision, position; /* CV_STATUS_*, enum date_precision, CV_PRECISION_* + 1 or 0 */
	bool personal, synthetic;
	int32_t count[COUNTS_MEASURES]; /* number, COUNT_UNKNOWN, COUNT_NOT_COLLECTED, COUNT_WITHHELD */
};
void index_entry_of(struct index_entry *ret, const struct report_head *h, const struct incident *inc);

int index_new(struct report_index **ret);
void index_free(struct report_index *x);
/*
 * Everything from the store, in the transaction that is open, unless it is
 * here already.  Call before reading: a lack of memory in index_put(), which
 * comes too late to fail, makes the index stale, and it is filled anew.
 */
int index_ready(struct report_index *x, struct store *db, struct diag *reterr);
/* A new report, or a newer version of one. An older version than is here is passed over. */
void index_put(struct report_index *x, const struct index_entry *e);
/* It may lack something: index_ready() fills it anew. */
void index_stale(struct report_index *x);
size_t index_count(const struct report_index *x);
/* Rises with every index_put(). */
uint64_t index_version(const struct report_index *x);
/* The report, or false. */
bool index_find(const struct report_index *x, const struct uuid *id, struct index_entry *ret);
void index_get(const struct report_index *x, size_t row, struct index_entry *ret);

enum { FILTER_WORDS = 5 }; /* of 64 bits: the largest codebook of a filter is country */
struct index_filter {
	bool own;            /* only those of ${owner} */
	struct uuid owner;
	bool dated;          /* from or to is set: what has no date is left out */
	int32_t from, to;    /* days; a report counts if it may have happened on one of them */
	bool by_route, by_country, by_cause, by_means, by_status;
	uint64_t routes[FILTER_WORDS], countries[FILTER_WORDS], causes, means, statuses;
	bool no_route, no_country, no_cause, no_means; /* "none" among the codes */
};
/* Set one of "from", "to", "route", "country", "cause", "means", "status" from its text. FW_EINVALID. NULL: nothing. */
int filter_set(struct index_filter *f, const char *name, const char *text, struct diag *reterr);
bool index_match(const struct report_index *x, size_t row, const struct index_filter *f);

enum index_sort { SORT_DATE_DESC, SORT_DATE, SORT_DEAD_DESC, SORT_DEAD, SORT_MISSING_DESC, SORT_MISSING };
/* -1 if there is none of this name; NULL is SORT_DATE_DESC. */
int index_sort_of(const char *name);

enum { PAGE_MAX = 200, MARK_MAX = 120 };
struct index_page {
	uint32_t row[PAGE_MAX];
	size_t n;
	bool more;          /* there are further ones; mark goes on from here */
	char mark[MARK_MAX];
	uint64_t total, excluded; /* of all that the owner's filter lets see */
};
/* The next ${limit} after ${mark} (NULL: the first). One pass. FW_EINVALID for a mark that is none. */
int index_page(const struct report_index *x, const struct index_filter *f, enum index_sort sort, const char *mark,
	       size_t limit, struct index_page *ret, struct diag *reterr);

struct index_total {
	int64_t sum;
	uint64_t counted, unknown, not_collected, withheld;
};
/* Sums by measure; *ret_n matched, *ret_excluded of those one may see did not. */
void index_totals(const struct report_index *x, const struct index_filter *f, struct index_total ret[COUNTS_MEASURES],
		  uint64_t *ret_n, uint64_t *ret_excluded);

enum { OVERVIEW_MAX = 200000 };
/* The shape Overview of all that ${f}'s owner lets see, newest first where there are too many. */
int index_overview(const struct report_index *x, const struct index_filter *f, struct buf *out);

#endif
