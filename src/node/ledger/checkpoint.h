/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What checkpoint.c offers besides ledger.h. */
#ifndef FW_NODE_CHECKPOINT_H
#define FW_NODE_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHECKPOINT_ORIGIN_MAX = 200, CHECKPOINT_TEXT_MAX = 16384, CHECKPOINT_OURS_MAX = 800 /* one that we made */ };

/* Printable ASCII without blank and plus, 1 to 200 bytes. */
bool checkpoint_origin_fits(const char *origin);
/* The public key as verifiers of signed notes take it. 0, FW_EINVALID, FW_ELIMIT. */
int checkpoint_vkey(const char *origin, const uint8_t pk[32], char *out, size_t cap);
/*
 * The next note of a file that has many (the auditor's), whatever its origin;
 * *at moves behind it.  False at the end; a note cut short at the end is
 * passed over.
 */
bool checkpoint_next(const char *text, size_t len, size_t *at, const char **ret, size_t *ret_n);

#endif
