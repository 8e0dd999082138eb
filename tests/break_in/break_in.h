/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Hostile code inside the processes of a node.
 *
 * The program fairway-break-in is fairway linked with this folder: the linker's
 * --wrap puts hook.c between the processes and sandbox_enter(), chan_init(),
 * chan_send(), poll() and others, so that no line of the product knows of it.
 * An attempt runs where injected code would run: in the process itself, on its
 * own thread, with its memory and descriptors, after its walls are up.
 *
 * The test and the processes share one file, the board: rows of attempts, each
 * for one process.  A process takes its rows in order and writes what came of
 * each.  An attempt that a wall kills leaves its row BEGUN; the test sees the
 * death, notes it, and lets the next life go on with the next row.
 */
#ifndef FW_TEST_BREAK_IN_H
#define FW_TEST_BREAK_IN_H

#include <stdbool.h>
#include <stdint.h>

#include "node/process/chan.h"

enum { BOARD_ROWS = 2048, NAME_LEN = 32, ARG_LEN = 256 };

enum row_state { ROW_OPEN = 0, ROW_BEGUN = 1, ROW_ENDED = 2, ROW_KILLED = 3 /* written by the test */ };

/* Its layout is known to test_break_in.py too. */
struct row {
	char attempt[NAME_LEN];
	char arg[ARG_LEN];
	uint32_t proc;  /* enum proc */
	uint32_t state; /* enum row_state */
	int32_t result; /* 0 or more: it succeeded; -errno */
	uint32_t unused;
};

struct board {
	char magic[16];
	uint32_t go;        /* rows may be taken */
	uint32_t walls_off; /* the control: nothing is forbidden */
	uint32_t rows;
	uint32_t connects;  /* strategic: as if its store were on PostgreSQL at this port */
	uint32_t uploads;   /* readers come by uploads alone */
	int32_t pid[PROC_COUNT];
	uint8_t token_hash[32]; /* of somebody who is logged in */
	struct row row[BOARD_ROWS];
};

/* What an attempt may use. */
struct break_in {
	const struct board *board;
	enum proc self;
	const char *arg;
	int32_t sibling; /* pid of another process: of the one with the keys, or of the house */
};

struct attempt {
	const char *name;
	int (*run)(const struct break_in *b); /* 0 or more, or -errno */
};
extern const struct attempt attempts_files[], attempts_system[], attempts_net[], attempts_messages[];

/* The channel to ${p} as the process has it now; NULL for none. */
struct chan *break_in_channel(enum proc p);

#endif
