/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A vault's ledger: what was done, by whom, for what purpose; append-only and
 * tamper-evident.
 *
 *   entry   id (UUIDv7), writer, counter, prev, salt, content, leaf
 *   leaf  = SHA-256(0x00 || canonical bytes of id, writer, counter, prev, SHA-256(salt || content))
 *   prev  = leaf of the same writer's entry counter-1 (32 zero bytes for the first)
 *
 * Erasing an entry's content drops salt and content and keeps the inner hash,
 * so that the tree still verifies and nothing can be guessed back.
 *
 * A writer never waits for a position.  Once a second ledger_sequence() gives
 * positions to entries that have none, in (writer, counter) order, and extends
 * the tree (RFC 6962 section 2.1: leaf 0x00, node 0x01).  The keeper
 * signs a checkpoint (C2SP tlog-checkpoint: origin, size, root in a signed
 * note) only if it is consistent with the last one it signed.
 *
 * Entries carry no personal data: opaque ids, codes, counts.
 */
#ifndef FW_NODE_LEDGER_H
#define FW_NODE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "base/uuid.h"

struct arena;
struct buf;
struct diag;
struct store;

enum { LEDGER_HASH = 32, LEDGER_SALT = 16, LEDGER_SUBJECTS_INLINE = 200 };

struct ledger_hash {
	uint8_t b[LEDGER_HASH];
};

/* Kinds of event: src/tbl/ledger_events.def makes enum ledger_event (LEDGER_EV_*) and their words. */

/* What an entry says. Everything is optional but the event. Strings are codes, never people's words. */
struct ledger_note {
	int event;                   /* enum ledger_event */
	struct uuid account;         /* who, nil for the node itself */
	struct uuid session;         /* in which session */
	const char *purpose;         /* code from tbl/purposes.def, NULL if none */
	const char *route;           /* operation id of the route or command, NULL if none */
	const struct uuid *subjects; /* opaque ids seen, written or handed over */
	size_t nsubjects;            /* above LEDGER_SUBJECTS_INLINE only count and SHA-256 of the ids are kept */
	const char *detail;          /* small JSON object text made by our own writer, at most 2,000 bytes */
};

/* The writer of one process run: its id is new at each start, its chain begins with counter 1. */
struct ledger_writer;
int ledger_writer_new(struct ledger_writer **ret);
void ledger_writer_free(struct ledger_writer *w);

/*
 * Add an entry in the caller's open write transaction.  If that is rolled
 * back, call ledger_writer_rollback(); on commit ledger_writer_commit().
 * *ret_id (NULL allowed) gets the entry's id.
 */
int ledger_append(struct store *s, struct ledger_writer *w, const struct ledger_note *note,
		  struct uuid *ret_id, struct diag *reterr);
/* For savepoints: the state to return to, so that a failed part leaves the chain whole. */
uint64_t ledger_writer_mark(const struct ledger_writer *w);
void ledger_writer_back_to(struct ledger_writer *w, uint64_t mark);
void ledger_writer_commit(struct ledger_writer *w);
void ledger_writer_rollback(struct ledger_writer *w);
/* After FW_EUNKNOWNOUTCOME, when nobody knows whether the entries are there: a new chain, as at a start. */
void ledger_writer_renew(struct ledger_writer *w);

/*
 * Once at a process's start, before the first entry: raises the floor of
 * time to the last entry (base/time.h) and finds entries of earlier processes that
 * have no position yet.  Own transactions.
 */
int ledger_start(struct store *s, struct diag *reterr);

/* Give positions to what has none (at most ${max}); *ret_n says how many. Own write transaction. */
int ledger_sequence(struct store *s, size_t max, size_t *ret_n, struct diag *reterr);

struct ledger_head {
	uint64_t size;
	struct ledger_hash root;
};
int ledger_head(struct store *s, struct ledger_head *ret, struct diag *reterr);

/* RFC 6962 section 2.1.2 consistency proof from ${old_size} to the present head, into ${out} (u8 count, hashes). */
int ledger_prove_consistency(struct store *s, uint64_t old_size, struct ledger_head *ret_head,
			     struct buf *out, struct diag *reterr);
/* Pure: does the proof carry old to new? 0 or FW_ETAMPERED. */
int ledger_verify_consistency(const struct ledger_head *old, const struct ledger_head *new_head,
			      const struct ledger_hash *proof, size_t n);
/* Inclusion: proof that position ${pos} is in the tree of ${size}. */
int ledger_prove_inclusion(struct store *s, uint64_t pos, uint64_t size, struct buf *out,
			   struct diag *reterr);
int ledger_verify_inclusion(const struct ledger_hash *leaf, uint64_t pos,
			    const struct ledger_head *head, const struct ledger_hash *proof,
			    size_t n);

/* C2SP tlog-checkpoint / signed-note text. Key name is the origin. Ed25519 signature type 0x01. */
int checkpoint_format(const char *origin, const struct ledger_head *head, const uint8_t sk[64],
		      const uint8_t pk[32], char *out, size_t cap);
/* Parses and verifies with ${pk}; 0, FW_EFORMAT, FW_ECRYPTO. */
int checkpoint_parse(const char *text, size_t len, const char *origin, const uint8_t pk[32],
		     struct ledger_head *ret);
/* Store a signed checkpoint beside the ledger. In an own transaction. */
int ledger_checkpoint_save(struct store *s, const char *text, const struct ledger_head *head,
			   struct diag *reterr);

#define LEDGER_NO_POSITION UINT64_MAX

/* What verification found. Fields are filled as far as it got. */
struct ledger_report {
	uint64_t entries;       /* positioned entries read */
	uint64_t unpositioned;  /* younger than a second, or the sequencer stands still */
	uint64_t erased;        /* content erased lawfully */
	uint64_t checkpoints;   /* signed checkpoints checked */
	int verdict;            /* 0 or FW_ETAMPERED */
	uint64_t bad_position;  /* the first row that does not verify, when rows were changed; else LEDGER_NO_POSITION */
	uint64_t after, before; /* sizes: positions after..before-1 were rewritten, hashes too; 0, 0 if not */
	bool tail_lost;         /* the outside checkpoint is longer than the ledger or on another branch */
	char words[400];
};
/*
 * Read the whole ledger and check: each leaf from its content, each writer's
 * chain without gap, positions without gap, each stored checkpoint's signature
 * and root, and ${outside} (text with one or many checkpoints kept elsewhere, those of
 * other origins passed over; NULL if none; FW_EINVALID if none is this ledger's).
 * Cost: one pass, memory constant but for the outside checkpoints (40 bytes each).
 * The verdict is in the report: the result is an error only if reading failed.
 */
int ledger_verify(struct store *s, const char *origin, const uint8_t pk[32], const char *outside,
		  void (*progress)(void *arg, uint64_t done, uint64_t total), void *arg,
		  struct ledger_report *ret, struct diag *reterr);

/*
 * Erase content of the entry ${id}: salt and content go, hashes stay. Caller's
 * transaction. FW_ENOTFOUND; 0 for one that is erased already.
 */
int ledger_erase(struct store *s, const struct uuid *id, struct diag *reterr);

#endif
