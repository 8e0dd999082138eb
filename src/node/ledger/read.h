/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reading a ledger page by page; read.c tells the order. */
#ifndef FW_NODE_LEDGER_READ_H
#define FW_NODE_LEDGER_READ_H

#include "node/ledger/ledger_int.h"

enum { LEDGER_PAGE_MAX = 200, LEDGER_PAGE_LOOK = 5000 };

struct ledger_filter {
	int event;      /* enum ledger_event, -1 for all */
	uint64_t below; /* positions below this; LEDGER_NO_POSITION for the first page */
	size_t limit;   /* 1 to LEDGER_PAGE_MAX */
};

/* Valid during the call that gets it. */
struct ledger_row {
	struct uuid id;
	uint64_t position; /* LEDGER_NO_POSITION if it has none yet */
	usec_t at;
	bool erased;
	bool readable;     /* ${content} is filled; false when erased, or of a newer form */
	struct ledger_content content;
};

/*
 * Calls ${each} for at most filter->limit entries, newest first; an error from
 * it stops and is returned.  *ret_next: what ${below} is for the next page; 0 at the end.
 */
int ledger_page(struct store *s, const struct ledger_filter *filter,
		int (*each)(void *arg, const struct ledger_row *row), void *arg, uint64_t *ret_next,
		struct diag *reterr);

#endif
