/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Losing power, in a test.
 *
 * kill -9 proves little: the page cache survives it.  Here every write of the
 * program under test goes through a shim, SQLite's by a VFS named "power",
 * everything else by base/io.h, and the shim remembers for each file what had
 * been synced and what came since.  At any instant it can build the folder as
 * a disk might hold it after power was lost at that instant:
 *
 *   - of the writes since a file's last sync, each 512-byte sector is there or
 *     not, by chance and independently (so writes are dropped, reordered, torn);
 *     where a sector was written several times, any of its versions may be there;
 *   - a file's unsynced change of length happened or not; bytes that no write reached are zero;
 *   - of the names made, changed or removed since their folder's last sync, any
 *     first part happened (journalling file systems keep that order);
 *   - SQLite's shared memory (-shm) never survives.
 *
 * At each such instant the test's check opens that folder with the real program code
 * and says whether what was acknowledged is there.
 */
#ifndef FW_TESTS_POWER_H
#define FW_TESTS_POWER_H

#include <stdbool.h>
#include <stdint.h>

/* Look at the folder after power loss. True if everything holds. Must not change the folder under test. */
typedef bool power_check(void *arg, const char *image);

struct power_plan {
	const char *folder; /* the program works below it; images are made beside it */
	power_check *check;
	void *arg;
	uint64_t seed;
	unsigned images;    /* built at each instant looked at, each with other luck */
	/* At every sync an instant is looked at with chance sync_chance in 1000, at every other operation with write_chance. */
	unsigned sync_chance, write_chance;
};

/* From now on, everything below plan->folder is watched. One at a time. */
void power_begin(const struct power_plan *plan);
/* Look at this very instant, too. */
void power_look(void);
struct power_result {
	uint64_t operations, syncs, images, failures;
	char first[300]; /* where the first failure was */
};
/* Stop watching. */
struct power_result power_end(void);

#endif
