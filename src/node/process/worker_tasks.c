/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Tasks between requests, and transactions of their own. */
#include <assert.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "node/ledger/ledger.h"
#include "node/process/worker_int.h"
#include "store/store.h"

void tx_pause(unsigned n)
{
	/* 1, 2, 4 ... 256 ms, each up to half as long again, so that two who met do not meet again. */
	uint32_t us = 1000U << (n < 8 ? n : 8);
	us += randombytes_uniform(us / 2);
	struct timespec t = { .tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000 };
	(void)nanosleep(&t, NULL);
}

void tx_ledger(struct worker *w, int err)
{
	if (err == 0)
		ledger_writer_commit(w->ledger);
	else
		ledger_writer_rollback(w->ledger);
	if (err == FW_EUNKNOWNOUTCOME)
		ledger_writer_renew(w->ledger);
}

static int tx_once(struct worker *w, int (*fn)(struct worker *, struct store *, void *, struct diag *), void *arg,
		   struct diag *reterr)
{
	int err = store_begin(w->store, STORE_WRITE, reterr);
	if (err != 0)
		return err;
	err = fn(w, w->store, arg, reterr);
	if (err == 0)
		err = store_commit(w->store, reterr);
	if (err != 0)
		store_rollback(w->store);
	tx_ledger(w, err);
	return err;
}

int worker_tx(struct worker *w, int (*fn)(struct worker *w, struct store *db, void *arg, struct diag *reterr),
	      void *arg, struct diag *reterr)
{
	struct diag own = DIAG_INIT, *d = reterr != NULL ? reterr : &own;
	assert(!store_in_tx(w->store));
	int err = FW_ERETRY;
	for (unsigned n = 0; err == FW_ERETRY && n < TRIES; n++) {
		if (n > 0)
			tx_pause(n - 1);
		diag_clear(d);
		err = tx_once(w, fn, arg, d);
	}
	return err;
}

int worker_ledger_note(struct worker *w, struct store *db, struct ledger_note *note, struct diag *reterr)
{
	return ledger_append(db, w->ledger, note, NULL, reterr);
}

void tasks_start(struct worker *w)
{
	while (w->def->tasks != NULL && w->def->tasks[w->ntasks].name != NULL) {
		assert(w->ntasks < TASKS_MAX);
		w->due[w->ntasks++] = 0;
	}
}

usec_t tasks_next(const struct worker *w)
{
	usec_t next = INT64_MAX;
	for (size_t i = 0; i < w->ntasks; i++)
		if (w->due[i] < next)
			next = w->due[i];
	return next;
}

void tasks_run(struct worker *w)
{
	usec_t until = time_mono() + WORKER_TASK_MS * INT64_C(1000);
	/* Each gets its turn: who was not reached now comes first next time. */
	for (size_t n = 0; n < w->ntasks; n++) {
		size_t i = w->task_turn % w->ntasks;
		usec_t now = time_mono();
		if (now >= until)
			return;
		w->task_turn++;
		if (w->due[i] > now)
			continue;
		w->due[i] = INT64_MAX; /* a wake while it runs must count */
		usec_t next = w->def->tasks[i].run(w);
		if (next < w->due[i])
			w->due[i] = next;
	}
}

void worker_wake(struct worker *w, const char *task)
{
	for (size_t i = 0; i < w->ntasks; i++)
		if (strcmp(w->def->tasks[i].name, task) == 0)
			w->due[i] = 0;
}
