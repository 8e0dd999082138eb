/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* An import under way: shared by its task (report_import.c) and its slices (report_slice.c). */
#ifndef FW_REPORT_IMPORT_H
#define FW_REPORT_IMPORT_H

#include <string.h>

#include "base/utf8.h"
#include "domain/report/report_int.h"

enum { SLICE_ROWS = 2000, PROBLEMS_MAX = 50, HASH_MAX = 2 << 20 };

/* What one slice did; set anew each time it is run. */
struct slice {
	int64_t added, changed, same, refused, flagged;
	size_t at;        /* of the batch: behind the last row written */
	int64_t done;     /* its row */
	int64_t seen;     /* the last row that came, written before an interruption or not */
	int64_t problems; /* written in all */
	size_t nentries;
	bool cancelled;   /* somebody ended the import meanwhile: nothing of the slice stays */
	bool full;        /* a limit of the settings is reached: what is in the slice stays, and no more comes */
};

struct import_run {
	struct report *rp;
	struct import_row row; /* as it stood when it was taken up; counters go on */
	struct arena *mem;     /* of row's texts */
	struct reading *reading;
	struct buf batch;      /* of records; have: there are rows behind at */
	size_t at;
	bool have;
	int64_t done, seen;    /* the last row written, the last that came */
	int64_t problems;
	bool ended;            /* the reader is done: code, words */
	int code;
	char words[600];
	int64_t rows_max, refused_max; /* settings */
	char waits[500];       /* what holds it up; "" nothing */
	size_t limit;          /* rows of the next slice: halved when the store takes one not, to find it */
	bool not_taken;        /* it is the next row */
	usec_t from;           /* monotonic: when the slice began */
	struct incident inc;
	struct buf hash;
	struct index_entry *entry; /* SLICE_ROWS of them: what the slice wrote */
	struct slice slice;
};

/*
 * For worker_tx: write the next rows of run->batch and say in run->slice what
 * was done.  FW_EPROTO for a batch that is none; FW_EGONE if the import was cancelled.
 */
int import_slice(struct worker *w, struct store *db, void *run, struct diag *reterr);

/* Whether bytes of a reader are text that a store takes. */
static inline bool import_text(const void *p, size_t n)
{
	return p != NULL && utf8_valid(p, n) && memchr(p, 0, n) == NULL;
}

#endif
