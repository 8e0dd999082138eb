/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A strategic vault without processes (unit/node/fake_worker.h) whose readers
 * are made up: what a reader says is a script, handed over batch by batch.
 *
 *	struct world x;
 *	world_up(&x, settings, n);
 *	script_of_file(&x.script, bytes, n);        what a real reader would say
 *	struct uuid id = world_hand_in(&x, &owner);
 *	world_drive(&x);                            until nothing more happens by itself
 *	struct standing s = world_see(&x, &owner, &id);
 *	world_down(&x);
 */
#ifndef FW_TESTS_IMPORT_WORLD_H
#define FW_TESTS_IMPORT_WORLD_H

#include "test.h"

#include "base/buf.h"
#include "domain/report/report.h"
#include "fake_worker.h"
#include "report_db.h"

enum { CUTS = 4000, DIGEST = 32 };

/* What a reader says: items, the end of each batch in them, and how it ends. */
struct script {
	struct buf items;
	size_t cut[CUTS];
	size_t n;
	int code;
	const char *words;
	bool none; /* no reader can be started */
};
void script_release(struct script *s);
/* All items of a file in one batch, as a real reader gives them. */
void script_of_file(struct script *s, const void *p, size_t n);
/* Cut between items: ${per} in a batch, or as ${p} will have it. */
void script_cut(struct script *s, size_t per, struct prop *p);
/* One batch of any bytes. */
void script_of_bytes(struct script *s, const void *p, size_t n);

struct world {
	struct report_db place;
	const struct wire_pair *settings;
	size_t nsettings;
	struct worker *w;
	struct script script;
	char spool[120];
};
void world_up(struct world *x, const struct wire_pair *settings, size_t nsettings);
void world_down(struct world *x);
/* As when the process dies and is started again. */
void world_restart(struct world *x);

/* The file of an officer of the agency ${owner}; the import's id. */
struct uuid world_hand_in(struct world *x, const struct uuid *owner);
/* Likewise, where it may fail: the answer's status; *ret only with 202. */
int world_try_hand_in(struct world *x, const struct uuid *owner, struct uuid *ret);
/* How many imports the agency is told of. */
size_t world_imports(struct world *x, const struct uuid *owner);
/* Until nothing happens by itself: the import is over, or waits for the store. ${batches}: at most so many are handed over. */
void world_drive(struct world *x, size_t batches);
#define ALL_BATCHES SIZE_MAX

struct standing {
	int status; /* of the answer; 200, else nothing else is set */
	char state[16], message[600];
	int64_t rows, added, changed, same, refused, problems;
};
struct standing world_see(struct world *x, const struct uuid *owner, const struct uuid *id);
struct standing world_cancel(struct world *x, const struct uuid *owner, const struct uuid *id);
/* The refused rows as CSV, to be released; one empty line once their time is over. */
void world_refused(struct world *x, const struct uuid *owner, const struct uuid *id, struct buf *out);
/* Everything that this agency's reports say, in whatever order and under whatever ids; how many there are. */
size_t world_digest(struct world *x, const struct uuid *owner, uint8_t ret[DIGEST]);
/* The index holds what the store holds; what the import counts is there: whole slices only. */
void world_check(struct world *x, const struct uuid *owner, const struct uuid *id);
/* A file that stands in tests/data/report. To be released. */
void sample(const char *name, struct buf *out);

#endif
