/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A slice of an import: rows of a reader's batch, believed by nobody until
 * they are checked here, into the store.
 *
 * A report is known again by (owner, system of the source, its number there).
 * Known with the same content: nothing is written.  Known with other content:
 * a new version, unless somebody here has corrected the report since, whose
 * work must not vanish under a file: then the row is refused and says so.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "base/err.h"
#include "codec/csv.h"
#include "domain/report/report_erase.h"
#include "domain/report/report_import.h"
#include "domain/report/report_reader.h"
#include "domain/report/report_record.h"
#include "domain/report/report_validate.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/ledger/ledger.h"
#include "store/store.h"
#include "tbl/codebook/codebook.h"

#define ROW_MOST ((INT64_C(1) << 53) - 1) /* what JSON's numbers hold */
enum { ENOUGH = 1 }; /* of take_item: a limit is reached, the item was not taken */

/* Whether the file may have one row more. */
static int room_for_row(struct import_run *run)
{
	const struct import_row *w = &run->row;
	const struct slice *s = &run->slice;
	if (w->added + w->changed + w->same + w->refused + s->added + s->changed + s->same + s->refused < run->rows_max)
		return 0;
	(void)snprintf(run->words, sizeof(run->words), "The file has more than the %lld rows that one may have; hand it in in parts.",
		       (long long)run->rows_max);
	return ENOUGH;
}

/* A sync a slice: the longer the cheaper, and the longer an officer waits. Long only while nobody waits. */
enum { SLICE_USEC = WORKER_TASK_MS * 1000, SLICE_ALONE_USEC = 4 * SLICE_USEC, ROWS_A_LOOK = 16 };

static bool slice_over(const struct import_run *run, const struct worker *w)
{
	usec_t spent = time_mono() - run->from;
	return spent > SLICE_ALONE_USEC || (spent > SLICE_USEC && worker_waited_for(w));
}

static int problem(struct import_run *run, struct store *db, int64_t row, const char *field, size_t nfield,
		   const char *words, size_t nwords, bool stops, struct diag *d)
{
	struct slice *s = &run->slice;
	if (s->problems >= PROBLEMS_MAX)
		return 0;
	const struct store_value v[] = { sv_uuid(&run->row.id), sv_int(s->problems + 1), sv_int(row), sv_textn(field, nfield),
					 sv_textn(words, nwords), sv_int(stops) };
	int r = store_exec(db, SQL_REPORT_PROBLEM_ADD, v, 6, NULL, d);
	s->problems += r == 0;
	return r;
}

static int refuse(struct import_run *run, struct store *db, int64_t row, const char *field, size_t nfield,
		  const char *reason, size_t nreason, const uint8_t *original, size_t noriginal, struct diag *d)
{
	if (run->row.refused + run->slice.refused >= run->refused_max) {
		(void)snprintf(run->words, sizeof(run->words), "More than %lld rows are refused; mend the file and hand it in again.",
			       (long long)run->refused_max);
		return ENOUGH;
	}
	const struct store_value v[] = { sv_uuid(&run->row.id), sv_int(row), sv_textn(field, nfield),
					 sv_textn(reason, nreason), sv_bytes(original, noriginal) };
	int r = store_exec(db, SQL_REPORT_REFUSED_ADD, v, 5, NULL, d);
	if (r == 0)
		r = problem(run, db, row, field, nfield, reason, nreason, true, d);
	run->slice.refused += r == 0;
	return r;
}

/* Refused here, not by the reader: the row as it stood is not at hand, its number at the source is. */
static int refuse_here(struct import_run *run, struct store *db, int64_t row, const char *field, const char *reason,
		       struct diag *d)
{
	const struct cell *id = &run->inc.at[B_PROV][PROV_SOURCE_ID];
	struct buf original;
	buf_init(&original, ITEM_ORIGINAL_MAX);
	if (cell_set(id))
		csv_put(&original, id->s, (size_t)id->i, ',', true);
	int r = buf_failed(&original) ? original.error :
					refuse(run, db, row, field, strlen(field), reason, strlen(reason), original.data, original.len, d);
	buf_release(&original);
	return r;
}

/* The first doubts of an import are among its problems; all are in their reports. */
static int note_doubts(struct import_run *run, struct store *db, int64_t row, struct diag *d)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < run->inc.n[B_DOUBT] && run->slice.problems < PROBLEMS_MAX; i++) {
		const struct cell *doubt = incident_row(&run->inc, B_DOUBT, i);
		char words[600];
		bool text = cell_set(&doubt[DOUBT_WORDS]);
		int n = snprintf(words, sizeof(words), "%s%s%.*s", codebook_label(CB_DOUBT, (int)doubt[DOUBT_CODE].i, "en"),
				 text ? ": " : "", text ? (int)doubt[DOUBT_WORDS].i : 0, text ? doubt[DOUBT_WORDS].s : "");
		size_t len = n < 500 ? (size_t)n : 0;
		if (len == 0)
			continue;
		r = problem(run, db, row, doubt[DOUBT_FIELD].s, (size_t)doubt[DOUBT_FIELD].i, words, len, false, d);
	}
	run->slice.flagged += run->inc.n[B_DOUBT] > 0;
	return r;
}

static int hash(struct import_run *run, uint8_t out[REPORT_HASH])
{
	buf_clear(&run->hash);
	return report_hash(&run->inc, &run->hash, out);
}

/* A version of a report, new or not, and what the index will know of it. */
static int write(struct import_run *run, struct store *db, int64_t row, const struct report_known *k, usec_t now,
		 struct diag *d)
{
	struct report_head h = { .owner = run->row.owner, .id = k->incident, .version = k->version, .author = run->row.account,
				 .at = now, .reason = k->version == 1 ? "imported" : "changed", .status = "submitted",
				 .import = run->row.id, .import_row = row };
	int r = report_add(db, &h, &run->inc, d);
	if (r == 0)
		index_entry_of(&run->entry[run->slice.nentries++], &h, &run->inc);
	return r;
}

static int add_or_change(struct import_run *run, struct store *db, int64_t row, usec_t now, struct diag *d)
{
	struct report_known k = { 0 };
	uint8_t now_hash[REPORT_HASH];
	int64_t latest = 0;
	int r = hash(run, now_hash);
	if (r == 0)
		r = report_known_get(db, &run->row.owner, &run->inc, &k, NULL);
	if (r == FW_ENOTFOUND) {
		k = (struct report_known){ .incident = uuid_new(), .version = 1 };
		memcpy(k.hash, now_hash, sizeof(now_hash));
		r = write(run, db, row, &k, now, d);
		if (r == 0)
			r = report_known_add(db, &run->row.owner, &run->inc, &k, d);
		run->slice.added += r == 0;
		return r == 0 ? note_doubts(run, db, row, d) : r;
	}
	if (r != 0)
		return r;
	if (memcmp(k.hash, now_hash, sizeof(now_hash)) == 0) {
		run->slice.same++;
		return 0;
	}
	r = report_latest(db, &run->row.owner, &k.incident, &latest, NULL);
	if (r == FW_ENOTFOUND && report_erased(db, &run->row.owner, &k.incident, NULL) == 0)
		return refuse_here(run, db, row, "", "The report was erased here and does not come back with a file.", d);
	if (r == 0 && latest != k.version)
		return refuse_here(run, db, row, "", "The report was corrected here since this source last gave it, and the source has "
						     "changed too; correct it by hand.", d);
	if (r == 0)
		r = report_supersede(db, &run->row.owner, &k.incident, k.version, d);
	k.version++;
	memcpy(k.hash, now_hash, sizeof(now_hash));
	if (r == 0)
		r = write(run, db, row, &k, now, d);
	if (r == 0)
		r = report_known_change(db, &run->row.owner, &run->inc, &k, d);
	run->slice.changed += r == 0;
	return r == 0 ? note_doubts(run, db, row, d) : r;
}

static int take_row(struct import_run *run, struct store *db, struct cursor *c, int64_t row, usec_t now, struct diag *d)
{
	struct diag why = DIAG_INIT;
	struct cursor record = cur_sub(c, cur_u32(c));
	int r = cur_error(c) == 0 ? record_get(&record, &run->inc) : FW_EPROTO;
	if (r == 0)
		r = cur_end(&record);
	if (r != 0)
		return r == -ENOMEM ? r : FW_EPROTO;
	const struct cell *prov = run->inc.at[B_PROV];
	if (!cell_set(&prov[PROV_SYSTEM]) || !cell_set(&prov[PROV_SOURCE_ID]))
		return FW_EPROTO;
	if (row <= run->slice.done)
		return 0; /* written before an interruption */
	if (room_for_row(run) != 0)
		return ENOUGH;
	if (run->not_taken)
		return refuse_here(run, db, row, "", "The store does not take this row: it breaks a rule of the tables.", d);
	if (report_validate(&run->inc, &why) < 0)
		return refuse_here(run, db, row, why.place, why.text, d);
	return add_or_change(run, db, row, now, d);
}

static int take_refused(struct import_run *run, struct store *db, struct cursor *c, int64_t row, struct diag *d)
{
	size_t nfield, nreason, noriginal;
	const uint8_t *field = cur_bytes(c, ITEM_FIELD_MAX, &nfield), *reason = cur_bytes(c, ITEM_WORDS_MAX, &nreason);
	const uint8_t *original = cur_bytes(c, ITEM_ORIGINAL_MAX, &noriginal);
	if (cur_error(c) != 0 || !import_text(field, nfield) || !import_text(reason, nreason) || !import_text(original, noriginal))
		return FW_EPROTO;
	if (row <= run->slice.done)
		return 0;
	return room_for_row(run) != 0 ? ENOUGH : refuse(run, db, row, (const char *)field, nfield, (const char *)reason, nreason, original, noriginal, d);
}

static int take_note(struct import_run *run, struct store *db, struct cursor *c, int64_t row, struct diag *d)
{
	size_t nfield, nwords;
	const uint8_t *field = cur_bytes(c, ITEM_FIELD_MAX, &nfield), *words = cur_bytes(c, ITEM_WORDS_MAX, &nwords);
	if (cur_error(c) != 0 || !import_text(field, nfield) || !import_text(words, nwords))
		return FW_EPROTO;
	return problem(run, db, row, (const char *)field, nfield, (const char *)words, nwords, false, d);
}

static int take_header(struct import_run *run, struct store *db, struct cursor *c, struct diag *d)
{
	size_t nlayout, nheader;
	const uint8_t *layout = cur_bytes(c, 60, &nlayout), *header = cur_bytes(c, ITEM_HEADER_MAX, &nheader);
	if (cur_error(c) != 0 || !import_text(layout, nlayout) || !import_text(header, nheader))
		return FW_EPROTO;
	const struct store_value v[] = { sv_uuid(&run->row.id), sv_textn((const char *)layout, nlayout), sv_bytes(header, nheader) };
	return store_exec(db, SQL_REPORT_IMPORT_LAYOUT, v, 3, NULL, d);
}

/* One item; *ret_row its row, 0 for what is none. */
static int take_item(struct import_run *run, struct store *db, struct cursor *c, usec_t now, int64_t *ret_row, struct diag *d)
{
	int kind = cur_u8(c), r;
	uint64_t row = kind == ITEM_HEADER ? 0 : cur_u64(c);
	*ret_row = kind == ITEM_ROW || kind == ITEM_REFUSED ? (int64_t)row : 0;
	if (cur_error(c) != 0 || row > ROW_MOST || (kind != ITEM_HEADER && row == 0))
		return FW_EPROTO;
	switch (kind) {
	case ITEM_HEADER:
		r = take_header(run, db, c, d);
		break;
	case ITEM_ROW:
		r = take_row(run, db, c, (int64_t)row, now, d);
		break;
	case ITEM_REFUSED:
		r = take_refused(run, db, c, (int64_t)row, d);
		break;
	case ITEM_NOTE:
		r = take_note(run, db, c, (int64_t)row, d);
		break;
	default:
		return FW_EPROTO;
	}
	return r == 0 && cur_error(c) != 0 ? FW_EPROTO : r;
}

/* One entry for the slice: which reports, in which import, which rows. */
static int note(struct import_run *run, struct worker *w, struct store *db, struct diag *d)
{
	const struct slice *s = &run->slice;
	struct uuid ids[SLICE_ROWS];
	char id[UUID_TEXT_LEN + 1], detail[300];
	for (size_t i = 0; i < s->nentries; i++)
		ids[i] = run->entry[i].id;
	uuid_format(&run->row.id, id);
	(void)snprintf(detail, sizeof(detail), "{\"import\":\"%s\",\"from_row\":%lld,\"to_row\":%lld,\"added\":%lld,\"changed\":%lld,\"refused\":%lld}",
		       id, (long long)run->done + 1, (long long)s->done, (long long)s->added, (long long)s->changed,
		       (long long)s->refused);
	struct ledger_note n = { .event = LEDGER_EV_IMPORT_BATCH, .account = run->row.account, .session = run->row.session,
				 .route = "start_import", .subjects = ids, .nsubjects = s->nentries, .detail = detail };
	return worker_ledger_note(w, db, &n, d);
}

static int progress(struct import_run *run, struct store *db, struct diag *d)
{
	struct slice *s = &run->slice;
	int64_t size_read = run->reading != NULL ? (int64_t)reading_bytes(run->reading) : run->row.size, changed = 0;
	const struct store_value v[] = { sv_uuid(&run->row.id), sv_int(size_read), sv_int(s->done), sv_int(s->added),
					 sv_int(s->changed), sv_int(s->same), sv_int(s->refused), sv_int(s->flagged) };
	int r = store_exec(db, SQL_REPORT_IMPORT_PROGRESS, v, 8, &changed, d);
	s->cancelled = r == 0 && changed == 0;
	return s->cancelled ? diag_set(d, FW_EGONE, "The import was stopped.") : r;
}

int import_slice(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	struct import_run *run = arg;
	struct slice *s = &run->slice;
	struct cursor c;
	usec_t now = time_now();
	int r = 0;
	*s = (struct slice){ .done = run->done, .seen = run->seen, .problems = run->problems };
	cur_init(&c, run->batch.data + run->at, run->batch.len - run->at);
	for (size_t n = 0; r == 0 && n < run->limit && cur_left(&c) > 0; n++) {
		int64_t row = 0;
		r = take_item(run, db, &c, now, &row, reterr);
		s->full = r == ENOUGH;
		if (s->full)
			break;
		if (row != 0 && row <= s->seen)
			r = FW_EPROTO; /* rows rise */
		s->seen = row != 0 ? row : s->seen;
		s->done = s->seen > s->done ? s->seen : s->done;
		if (n % ROWS_A_LOOK == ROWS_A_LOOK - 1 && slice_over(run, w))
			break;
	}
	if (r < 0)
		return r;
	s->at = run->at + c.pos;
	r = progress(run, db, reterr);
	if (r == 0 && (s->nentries > 0 || s->refused > 0))
		r = note(run, w, db, reterr);
	return r;
}
