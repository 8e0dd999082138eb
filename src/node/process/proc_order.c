/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * tools/tables.py counts the bits of message_row.from and .to in this order:
 * tbl is below node and cannot include its enum.
 */
#include "node/process/chan.h"

_Static_assert(PROC_SUPERVISOR == 0 && PROC_FRONT == 1 && PROC_HOUSE == 2 && PROC_STRATEGIC == 3 &&
		       PROC_OPERATIONAL == 4 && PROC_PROTECTION == 5 && PROC_KEEPER == 6 &&
		       PROC_READER == 7 && PROC_COUNT == 8,
	       "tools/tables.py: PROCS has another order");
_Static_assert(CHAN_PAYLOAD_MAX == 2 * 1024 * 1024, "tools/tables.py: PAYLOAD_MAX is another");
