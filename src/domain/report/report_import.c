/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Importing: the task that carries an import from its row in the store to its
 * end, slice by slice, and goes on with it after a restart.
 *
 *   queued --a reader runs--> running --all rows written--> done
 *      \                         \--reader's or row's fault--> failed
 *       \--------------------------\--asked to stop--------> cancelled
 *
 * A slice is up to two thousand rows in one transaction: the reports, the refused
 * rows, the counters, one ledger entry, and rows_done, which says how far it
 * got.  So at any instant the store holds whole slices only, and a run that
 * dies goes on behind the last one: the file is read again from its
 * beginning, and rows up to rows_done are passed over.  The spooled file goes
 * once the import has ended.
 *
 * One import runs at a time.  When the store cannot write (a full disk), the
 * slice is tried again every few seconds and see_import says so.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "domain/report/report_import.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/ledger/ledger.h"
#include "node/process/child.h"
#include "store/store.h"

enum {
	WAIT = 3,        /* seconds until a slice that failed is tried again */
	READER_WAIT = 2, /* and a reader that could not be started */
	NO_READER_MAX = 30,
	ROW_MEM = 64 << 10,
	ROWS_USUAL = 20000000, /* as in the settings */
	REFUSED_USUAL = 100000,
};

bool import_path(const struct worker *w, const char *spool, char *out, size_t cap)
{
	const char *folder = worker_boot(w)->folder;
	int n = folder != NULL && strchr(spool, '/') == NULL ? snprintf(out, cap, "%s/spool/%s", folder, spool) : -1;
	return n > 0 && (size_t)n < cap;
}

void import_get(const struct store_rows *rows, struct import_row *ret, struct arena *a)
{
	size_t n;
	const uint8_t *header = store_bytes(rows, 20, &n);
	*ret = (struct import_row){
		.id = store_uuid(rows, 0),
		.owner = store_uuid(rows, 1),
		.account = store_uuid(rows, 2),
		.session = store_uuid(rows, 3),
		.file = store_text(rows, 4, a),
		.wanted = store_text(rows, 5, a),
		.layout = store_text(rows, 6, a),
		.state = store_text(rows, 7, a),
		.spool = store_text(rows, 8, a),
		.size = store_int(rows, 9),
		.size_read = store_int(rows, 10),
		.rows_done = store_int(rows, 11),
		.added = store_int(rows, 12),
		.changed = store_int(rows, 13),
		.same = store_int(rows, 14),
		.refused = store_int(rows, 15),
		.flagged = store_int(rows, 16),
		.started = store_int(rows, 17),
		.ended = store_int(rows, 18),
		.words = store_text(rows, 19, a),
		.header = (const uint8_t *)arena_strndup(a, (const char *)header, n),
		.header_len = n,
	};
}

static void run_free(struct import_run *run)
{
	if (run == NULL)
		return;
	if (run->reading != NULL)
		reading_stop(run->reading);
	incident_release(&run->inc);
	buf_release(&run->batch);
	buf_release(&run->hash);
	arena_free(run->mem);
	mem_free(run->entry);
	mem_free(run);
}

static void remove_spool(struct worker *w, const char *spool)
{
	char path[4200];
	if (spool[0] != '\0' && import_path(w, spool, path, sizeof(path)))
		(void)io_unlink(path); /* what stays is found and removed at the next start */
}

/* ---- the reader's side ---- */

static int on_records(void *arg, struct cursor *records)
{
	struct import_run *run = arg;
	size_t n = cur_left(records);
	buf_clear(&run->batch);
	buf_put(&run->batch, cur_take(records, n), n);
	run->at = 0;
	run->have = true;
	worker_wake(run->rp->w, report_import_task.name);
	return buf_failed(&run->batch) ? run->batch.error : 0;
}

static void on_done(void *arg, int code, const char *words)
{
	struct import_run *run = arg;
	run->reading = NULL;
	run->ended = true;
	run->code = code;
	(void)snprintf(run->words, sizeof(run->words), "%s", words != NULL && words[0] != '\0' ? words : err_text(code));
	if (code == FW_EGONE)
		(void)snprintf(run->words, sizeof(run->words), "The reader of this file died; the file may be made to do that.");
	worker_wake(run->rp->w, report_import_task.name);
}

/* ---- beginning ---- */

static int find_next(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	struct import_run *run = arg;
	struct store_rows *rows = NULL;
	(void)w;
	arena_reset(run->mem);
	int r = store_one(db, SQL_REPORT_IMPORT_NEXT, NULL, 0, &rows, reterr);
	if (r == 0)
		import_get(rows, &run->row, run->mem);
	store_rows_close(rows);
	const struct store_value key[] = { sv_uuid(&run->row.id) };
	rows = NULL;
	if (r == 0)
		r = store_one(db, SQL_REPORT_PROBLEM_COUNT, key, 1, &rows, reterr);
	if (r == 0)
		run->problems = store_int(rows, 0);
	store_rows_close(rows);
	return r == 0 && arena_failed(run->mem) ? -ENOMEM : r;
}

static int run_new(struct report *rp, struct import_run **ret)
{
	struct import_run *run = mem_alloc(sizeof(*run));
	if (run == NULL)
		return -ENOMEM;
	const struct wire_boot *boot = worker_boot(rp->w);
	*run = (struct import_run){ .rp = rp, .mem = arena_new(ROW_MEM), .limit = SLICE_ROWS,
				    .rows_max = child_setting_int(boot, "import.rows", ROWS_USUAL),
				    .refused_max = child_setting_int(boot, "import.refused", REFUSED_USUAL) };
	run->entry = mem_alloc(SLICE_ROWS * sizeof(*run->entry));
	incident_init(&run->inc);
	buf_init(&run->batch, READING_BATCH);
	buf_init(&run->hash, HASH_MAX);
	if (run->mem == NULL || run->entry == NULL) {
		run_free(run);
		return -ENOMEM;
	}
	*ret = run;
	return 0;
}

static int start_reading(struct import_run *run)
{
	static const struct reading_callbacks callbacks = { on_records, on_done };
	char path[4200];
	struct diag d = DIAG_INIT;
	if (!import_path(run->rp->w, run->row.spool, path, sizeof(path)))
		return FW_EINVALID;
	int fd = io_open(path, O_RDONLY, 0);
	return fd < 0 ? fd : reading_start(run->rp->w, "report", run->row.wanted, fd, &callbacks, run, &run->reading, &d);
}

/* Begin again from what is written. */
static usec_t take_up_again(struct report *rp, usec_t at)
{
	run_free(rp->run);
	rp->run = NULL;
	return at;
}

/* Take the next import up. The time at which to be called again. */
static usec_t begin(struct report *rp)
{
	struct import_run *run = NULL;
	struct diag d = DIAG_INIT;
	int r = run_new(rp, &run);
	if (r == 0)
		r = worker_tx(rp->w, find_next, run, &d);
	if (r != 0) {
		run_free(run);
		return r == FW_ENOTFOUND ? INT64_MAX : time_mono() + WAIT * USEC_PER_SEC;
	}
	rp->run = run;
	run->done = run->row.rows_done;
	r = start_reading(run);
	if (r == -ENOMEM || r == -EMFILE || r == -ENFILE)
		return take_up_again(rp, time_mono() + WAIT * USEC_PER_SEC);
	if (r < 0) {
		run->ended = true;
		run->code = r;
		(void)snprintf(run->words, sizeof(run->words), "The file that was kept cannot be read: %s.", err_text(r));
		return 0;
	}
	return INT64_MAX;
}

/* ---- the end ---- */

struct ending {
	struct import_run *run;
	const char *state;
	char words[1000];
};

static int write_end(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	struct ending *e = arg;
	const struct import_row *row = &e->run->row;
	int64_t changed = 0;
	const struct store_value v[] = { sv_uuid(&row->id), sv_text(e->state), sv_int(time_now()), sv_text(e->words), sv_text("") };
	struct ledger_note note = { .event = LEDGER_EV_IMPORT_END, .account = row->account, .session = row->session,
				    .route = "start_import", .subjects = &row->id, .nsubjects = 1 };
	int r = store_exec(db, SQL_REPORT_IMPORT_END, v, 5, &changed, reterr);
	return r == 0 && changed == 1 ? worker_ledger_note(w, db, &note, reterr) : r;
}

static usec_t hold_up(struct import_run *run, int r, const struct diag *d)
{
	(void)snprintf(run->waits, sizeof(run->waits), "Waiting: %s", d->text[0] != '\0' ? d->text : err_text(r));
	log_line(LOG_L_WARN, "import.waits", "%s", err_name(r));
	return time_mono() + WAIT * USEC_PER_SEC;
}

static usec_t end(struct report *rp)
{
	struct import_run *run = rp->run;
	struct ending e = { .run = run, .state = run->code == 0 ? "done" : "failed" };
	struct diag d = DIAG_INIT;
	if (run->code == FW_EBUSY && rp->no_reader++ < NO_READER_MAX) /* no reader just now */
		return take_up_again(rp, time_mono() + READER_WAIT * USEC_PER_SEC);
	if (run->code != 0)
		(void)snprintf(e.words, sizeof(e.words), "%s What was written before stays: %lld added, %lld changed.", run->words,
			       (long long)run->row.added, (long long)run->row.changed);
	int r = worker_tx(rp->w, write_end, &e, &d);
	if (r != 0)
		return hold_up(run, r, &d);
	remove_spool(rp->w, run->row.spool);
	rp->run = NULL;
	run_free(run);
	return 0; /* perhaps another waits */
}

/* ---- the task ---- */

static void count(struct import_row *row, const struct slice *s)
{
	row->added += s->added;
	row->changed += s->changed;
	row->same += s->same;
	row->refused += s->refused;
	row->flagged += s->flagged;
}

/* Nothing more is read of this file; run->words say why. */
static usec_t give_up(struct import_run *run, int r)
{
	if (run->reading != NULL)
		reading_stop(run->reading);
	run->reading = NULL;
	run->have = false;
	run->ended = true;
	run->code = r;
	return 0;
}

static void take_over(struct report *rp)
{
	struct import_run *run = rp->run;
	for (size_t i = 0; i < run->slice.nentries; i++)
		index_put(rp->index, &run->entry[i]);
	count(&run->row, &run->slice);
	run->at = run->slice.at;
	run->done = run->slice.done;
	run->seen = run->slice.seen;
	run->problems = run->slice.problems;
	run->limit = run->limit * 2 < SLICE_ROWS ? run->limit * 2 : SLICE_ROWS;
	run->not_taken = false;
	run->waits[0] = '\0';
	rp->no_reader = 0;
}

/* Write the next rows of the batch. */
static usec_t work(struct report *rp)
{
	struct import_run *run = rp->run;
	struct diag d = DIAG_INIT;
	run->from = time_mono();
	int r = worker_tx(rp->w, import_slice, run, &d);
	if (r == FW_EPROTO) {
		(void)snprintf(run->words, sizeof(run->words), "What the reader of this file says behind row %lld makes no sense.",
			       (long long)run->done);
		return give_up(run, r);
	}
	if (r == FW_EUNKNOWNOUTCOME) { /* nobody knows whether the slice is written: the store does */
		index_stale(rp->index);
		return take_up_again(rp, time_mono() + WAIT * USEC_PER_SEC);
	}
	if (r == FW_ECONSTRAINT && !run->not_taken) {
		run->not_taken = run->limit == 1;
		run->limit = run->limit > 1 ? run->limit / 2 : 1;
		return 0;
	}
	if (r == FW_EGONE && run->slice.cancelled) {
		import_stopped(rp->w, &run->row.id, run->row.spool);
		return 0;
	}
	if (r != 0)
		return hold_up(run, r, &d);
	take_over(rp);
	if (run->slice.full)
		return give_up(run, FW_ELIMIT);
	if (run->at == run->batch.len) {
		run->have = false;
		if (run->reading != NULL)
			reading_go(run->reading);
	}
	return run->have || run->ended ? 0 : INT64_MAX;
}

static usec_t import_run(struct worker *w)
{
	struct report *rp = report_of(w);
	if (rp->run == NULL)
		return begin(rp);
	if (rp->run->have)
		return work(rp);
	return rp->run->ended ? end(rp) : INT64_MAX;
}

const struct task_row report_import_task = { "report_import", import_run };

/* ---- from outside ---- */

void import_stopped(struct worker *w, const struct uuid *id, const char *spool)
{
	struct report *rp = report_of(w);
	remove_spool(w, spool);
	if (rp->run != NULL && uuid_equal(&rp->run->row.id, id)) {
		run_free(rp->run);
		rp->run = NULL;
		worker_wake(w, report_import_task.name);
	}
}

const char *import_waits(struct worker *w, const struct uuid *id)
{
	struct import_run *run = report_of(w)->run;
	return run != NULL && run->waits[0] != '\0' && uuid_equal(&run->row.id, id) ? run->waits : NULL;
}

void import_end(struct report *rp)
{
	run_free(rp->run);
	rp->run = NULL;
}

/* ---- at start: files that no import names ---- */

enum { SPOOLS_MAX = 4000 };

struct spools {
	char (*name)[UUID_TEXT_LEN + 1];
	size_t n;
};

static int list_spools(struct store *db, struct spools *s, struct diag *reterr)
{
	struct store_rows *rows = NULL;
	int r = store_query(db, SQL_REPORT_IMPORT_SPOOLS, NULL, 0, &rows, reterr), more = 0;
	while (r == 0 && s->n < SPOOLS_MAX && (more = store_next(rows, reterr)) == 1) {
		size_t n;
		const uint8_t *p = store_bytes(rows, 0, &n);
		if (n == UUID_TEXT_LEN)
			memcpy(s->name[s->n++], p, n);
	}
	store_rows_close(rows);
	return r < 0 ? r : more < 0 ? more : s->n == SPOOLS_MAX ? FW_ELIMIT : 0;
}

static void clean_spool(struct worker *w, const struct spools *s)
{
	char path[4200], id[UUID_TEXT_LEN + 1];
	DIR *d = import_path(w, "", path, sizeof(path)) ? opendir(path) : NULL;
	if (d == NULL)
		return;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		struct uuid u;
		bool named = false;
		if (uuid_parse(e->d_name, &u) < 0)
			continue;
		uuid_format(&u, id);
		for (size_t i = 0; i < s->n; i++)
			named = named || strcmp(s->name[i], id) == 0;
		if (!named)
			remove_spool(w, id);
	}
	(void)closedir(d);
}

int import_start(struct report *rp, struct diag *reterr)
{
	struct store *db = worker_store(rp->w);
	struct spools s = { .name = mem_alloc(SPOOLS_MAX * sizeof(*s.name)) };
	if (s.name == NULL)
		return -ENOMEM;
	memset(s.name, 0, SPOOLS_MAX * sizeof(*s.name));
	int r = store_begin(db, STORE_READ, reterr);
	if (r == 0) {
		r = list_spools(db, &s, reterr);
		store_rollback(db);
	}
	if (r == 0)
		clean_spool(rp->w, &s);
	mem_free(s.name);
	return r == FW_ELIMIT ? 0 : r;
}
