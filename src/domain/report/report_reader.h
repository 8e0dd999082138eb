/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Reading a file of reports: bytes in, records out.  It runs in a reader
 * process, which has no files, no keys and no network; what it says is
 * believed by nobody (import.c checks every byte again).
 *
 *   bytes > gzip > character set > layout > records
 *
 * The layout is recognised: a text that begins with { is JSON Lines (layout
 * "fairway"), else a table whose header names the columns of IOM's Missing
 * Migrants files ("mmp_1", "mmp_2", "mmp_web", "mmp_2019").  A file of refused
 * rows is read again as it was given out: the three columns in front, which
 * say why, are passed over, and lines of JSON stand in its column "line".
 *
 * What goes out, in batches of any number of items:
 *
 *   u8 ITEM_HEADER   str layout, bytes header as a line of CSV without its end
 *   u8 ITEM_ROW      u64 row, bytes record (report_record.h)
 *   u8 ITEM_REFUSED  u64 row, str field, str reason, bytes the row as CSV
 *   u8 ITEM_NOTE     u64 row, str field, str words: said of the file, refuses nothing
 *
 * Rows rise; each row of the file gives exactly one ITEM_ROW or ITEM_REFUSED.
 */
#ifndef FW_REPORT_READER_H
#define FW_REPORT_READER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "domain/report/report_fields.h"

struct arena;
struct csv_row;
struct diag;

enum item { ITEM_HEADER = 1, ITEM_ROW, ITEM_REFUSED, ITEM_NOTE };
enum {
	ITEM_FIELD_MAX = 120,
	ITEM_WORDS_MAX = 400,
	ITEM_ORIGINAL_MAX = 100000, /* a longer row comes back with cells cut */
	ITEM_HEADER_MAX = 20000,
	RECORD_MAX = 400000,        /* bytes of one record */
	BATCH_SEND = 600 * 1024,    /* a batch goes out once it is longer; one item more fits behind it */
	BATCH_MAX = 1024 * 1024,
	UNPACKED_MAX_GB = 64,
};

/* Where bytes come from and batches go to: a reader process, or a test. */
struct reading_io {
	int (*next)(void *arg, const uint8_t **ret_p, size_t *ret_n); /* 1, 0 at the end, negative */
	struct buf *(*batch)(void *arg);
	int (*send)(void *arg);
	void *arg;
};
/* Read it all. ${layout}: "" to recognise it. 0, or an error of the whole file with place and words. */
int report_read(const struct reading_io *io, const char *layout, struct arena *mem, struct diag *reterr);

/* Why a row is refused. Static or in memory of the row. */
struct refusal {
	const char *field, *reason;
};

/* ---- a table of the Missing Migrants Project ---- */

struct mmp;
/* By the header: 0, FW_EFORMAT when it is not one. ${name} is then the layout. Lives in ${mem}. */
int mmp_recognise(const struct csv_row *header, struct arena *mem, struct mmp **ret, const char **ret_name);
/*
 * One row. 0 with the report; 1 with *ret_why when it is refused; negative.
 * Texts point into the row or into memory of ${m} until the next call.
 */
int mmp_row(struct mmp *m, const struct csv_row *row, struct incident *inc, struct refusal *ret_why);
void mmp_free(struct mmp *m); /* NULL allowed */

/* ---- a line of JSON ---- */

/* As mmp_row. The line is written to. */
int jsonl_row(char *line, size_t n, struct incident *inc, struct arena *mem, struct refusal *ret_why);

#endif
