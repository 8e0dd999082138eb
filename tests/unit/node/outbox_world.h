/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Three vaults that hand rows to each other, with a postman who may lose a
 * letter, deliver it twice or out of turn, and with deaths of either side.
 * Stores and ledgers are real; channels and the clock are the test's.
 *
 *	struct world w;
 *	world_up(&w);
 *	world_put(&w, VAULT_STRATEGIC, VAULT_PROTECTION, "note", &subject, 1);
 *	world_send(&w, VAULT_STRATEGIC);
 *	world_deliver(&w, 0, true);
 *	...
 *	world_down(&w);
 *
 * What a vault applied is told by world_applied(), in the order of applying.
 * Needs the link argument --wrap=time_mono.
 */
#ifndef FW_TESTS_OUTBOX_WORLD_H
#define FW_TESTS_OUTBOX_WORLD_H

#include "fake_worker.h"
#include "gen/tables.h"
#include "node/outbox/outbox.h"
#include "node/outbox/outbox_int.h"
#include "store/store.h"

enum { SIDES = 3, LETTERS = 512, APPLIED = 4096 };
_Static_assert((int)VAULT_HOUSE == (int)SIDES, "the other three come first");

/* On the road. */
struct letter {
	int from, to;
	uint16_t type;
	uint64_t tag;
	size_t n;
	uint8_t *bytes;
};

struct world {
	char folder[64];
	struct worker *w[SIDES]; /* NULL: dead */
	struct chan chan[SIDES][SIDES]; /* [a][b]: a's end of the channel to b */
	bool cut[SIDES][SIDES]; /* [a][b]: a has no channel to b just now */
	struct store *look[SIDES]; /* the test's own eyes */
	struct letter letters[LETTERS];
	size_t nletters;
};

void world_up(struct world *o);
void world_down(struct world *o);

/* Where the store of ${v} is: SQLite in the world's folder; on PostgreSQL a schema of its own in the test's database. */
enum { WORLD_URL = 300 };
void world_url(const struct world *o, int v, char url[WORLD_URL]);

/* A process begins, ends as if it were killed: what is on the road from and to it is lost. */
void world_start(struct world *o, int v);
void world_crash(struct world *o, int v);
/* Channels that were closed for lack of memory are made anew. */
void world_rejoin(struct world *o);
/* As if ${v} did not see ${to}, or does again. */
void world_cut(struct world *o, int v, int to, bool cut);
/* Move the monotonic clock. */
void world_wait_ms(int64_t ms);

/* Put a row with the number ${number} as its body, in a transaction that is committed, or rolled back. 0 or an error. */
int world_put(struct world *o, int v, int to, const char *kind, const struct uuid *subject, uint32_t number);
int world_put_and_undo(struct world *o, int v, int to, const char *kind, const struct uuid *subject,
		       uint32_t number);

/* Let ${v}'s task run; what it sent is on the road. Returns how many letters there are now. */
size_t world_send(struct world *o, int v);
/* Deliver letter ${k}; it stays on the road unless ${take}. Answers join the road's end. What the receiver returned. */
int world_deliver(struct world *o, size_t k, bool take);
void world_lose(struct world *o, size_t k);
void world_lose_all(struct world *o);
/* How many letters of this type are on the road. */
size_t world_letters(const struct world *o, uint16_t type);
/* All alive and joined: send and deliver and wait until nothing moves for twenty minutes of their clock. */
void world_settle(struct world *o);

struct applied {
	struct uuid key; /* rises over all vaults, since all are in this process */
	struct uuid subject;
	uint32_t number;
};
/* What ${v} applied, in order; at most APPLIED. */
size_t world_applied(struct world *o, int v, struct applied *ret);
/* Rows of ${v}'s outbox in this state; *ret_bytes (NULL allowed) of bodies in them. */
int64_t world_rows(struct world *o, int v, int state, int64_t *ret_bytes);
int64_t world_inbox(struct world *o, int v);
int64_t world_ledger(struct world *o, int v);
/* The newest row of the subject. */
struct outbox_row world_newest(struct world *o, int v, const struct uuid *subject);

/*
 * Kinds that every vault takes: "note" (receipt "noted"), "silent" (no words), "wordy" (200 bytes), "talkative"
 * (201), "nonsense" (no text), "poison" (refused), "late" (asked for again later), "clash" (breaks a rule of the
 * store after writing), and "healing": refused until world_healed is set.
 */
extern bool world_healed;

#endif
