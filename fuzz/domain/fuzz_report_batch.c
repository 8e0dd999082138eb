/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Parses: src/domain/report/report_slice.c */
/*
 * Any bytes as what a reader says, into a real store: refused as a breach of
 * the protocol or written, never anything else, and the counters say what
 * was written.  The first byte says how many rows were written before an
 * interruption.  Each run is rolled back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/err.h"
#include "domain/report/report_import.h"
#include "gen/sql.h"
#include "node/ledger/ledger.h"
#include "node/process/worker_int.h"
#include "store/store.h"

/* As much of a worker as a slice asks: its ledger, and channels at which nobody stands. */
static struct worker worker;
static struct import_run run;

static void remove_store(void)
{
	static const char *const names[] = { "/s.db", "/s.db-wal", "/s.db-shm", "" };
	char dir[64], path[80];
	(void)snprintf(dir, sizeof(dir), "/tmp/fairway-fuzz-batch-%d", (int)getpid());
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(path, sizeof(path), "%s%s", dir, names[i]);
		(void)remove(path);
	}
}

/* A store with one import under way. */
static void begin(void)
{
	char dir[64], url[80];
	struct diag d = DIAG_INIT;
	(void)snprintf(dir, sizeof(dir), "/tmp/fairway-fuzz-batch-%d", (int)getpid());
	(void)snprintf(url, sizeof(url), "sqlite:%s/s.db", dir);
	const struct store_options opt = { .url = url, .role = STORE_ROLE_STRATEGIC, .vault = "strategic", .create = true, .migrate = true };
	run = (struct import_run){ .row = { .id = uuid_new(), .owner = uuid_new(), .account = uuid_new(), .session = uuid_new() },
				   .rows_max = 1000, .refused_max = 20, .limit = SLICE_ROWS };
	const struct store_value v[] = { sv_uuid(&run.row.id), sv_uuid(&run.row.owner), sv_uuid(&run.row.account), sv_uuid(&run.row.session),
					 sv_text("f"), sv_text(""), sv_text("s"), sv_int(1), sv_int(1), sv_text(""), sv_bytes("", 0) };
	for (int p = 0; p < PROC_COUNT; p++)
		worker.peer[p].fd = -1;
	worker.control.fd = -1;
	incident_init(&run.inc);
	buf_init(&run.batch, 2 << 20);
	buf_init(&run.hash, HASH_MAX);
	run.entry = mem_alloc(SLICE_ROWS * sizeof(*run.entry));
	if (sodium_init() < 0 || ledger_writer_new(&worker.ledger) != 0 || mkdir(dir, 0700) != 0 || run.entry == NULL)
		abort();
	(void)atexit(remove_store);
	if (store_open(&opt, &worker.store, &d) != 0 || store_begin(worker.store, STORE_WRITE, &d) != 0 ||
	    store_exec(worker.store, SQL_REPORT_IMPORT_ADD, v, sizeof(v) / sizeof(*v), NULL, &d) != 0 || store_commit(worker.store, &d) != 0) {
		(void)fprintf(stderr, "%s\n", d.text);
		abort();
	}
}

static int64_t rows_of(const struct slice *s)
{
	return s->added + s->changed + s->same + s->refused;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct diag d = DIAG_INIT;
	if (worker.store == NULL)
		begin();
	if (n == 0)
		return 0;
	run.done = run.seen = 0;
	run.row.rows_done = run.done = data[0];
	run.at = 0;
	run.from = time_mono();
	run.not_taken = data[0] == 255;
	buf_clear(&run.batch);
	buf_put(&run.batch, data + 1, n - 1);
	if (store_begin(worker.store, STORE_WRITE, &d) != 0)
		abort();
	int r = import_slice(&worker, worker.store, &run, &d);
	const struct slice *s = &run.slice;
	if (r != 0 && r != FW_EPROTO) {
		(void)fprintf(stderr, "%s: %s\n", err_name(r), d.text);
		abort();
	}
	if (r == 0 && (s->at > run.batch.len || s->done < run.done || s->nentries != (size_t)(s->added + s->changed) ||
		       rows_of(s) > s->done - run.done || s->refused > run.refused_max || s->problems > PROBLEMS_MAX))
		abort();
	store_rollback(worker.store);
	ledger_writer_rollback(worker.ledger);
	return 0;
}
