/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The journal of erasures: what was erased in a vault, kept beside its
 * database, so that a restored older database can be made to forget again.
 *
 * erasures_append() goes before the commit of the erasure itself: whatever the
 * journal names may be erased again without harm, and what it does not name
 * would come back.  It holds opaque ids only.  erasures.c tells the format.
 */
#ifndef FW_NODE_ERASURES_H
#define FW_NODE_ERASURES_H

#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "base/uuid.h"

struct diag;

/* The file's name in a vault's folder. */
#define ERASURES_FILE "erasures.log"
enum { ERASURE_KIND_MAX = 32, ERASURES_MAX = 64 << 20 /* bytes of a journal */ };

struct erasure {
	usec_t at;
	char kind[ERASURE_KIND_MAX + 1]; /* "ledger.entry": small letters, dot, underscore */
	struct uuid id[2];               /* what; the second nil where one is enough, else owner and id */
};

/* Durable when it returns 0. ${vault_key}: the vault's data key. */
int erasures_append(const char *path, const uint8_t vault_key[32], const struct erasure *e, struct diag *reterr);

/*
 * Call ${each} for all of a journal's lines, oldest first; an error from it
 * stops and is returned.  FW_ETAMPERED with the line when the chain of codes
 * breaks; a last line without its end, left by a power cut, is passed over.
 */
int erasures_walk(const void *text, size_t n, const uint8_t vault_key[32],
		  int (*each)(void *arg, const struct erasure *e, struct diag *reterr), void *arg, size_t *ret_n,
		  struct diag *reterr);

#endif
