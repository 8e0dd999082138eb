/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The import by itself, without processes: however batches are cut, whatever
 * fails and when, the vault holds whole slices, and goes on to the same end.
 */
#include "test.h"

#include <sodium.h>

#include "base/arena.h"
#include "domain/report/report_import.h"
#include "domain/report/report_reader.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "import_world.h"
#include "tbl/codebook/codebook.h"

static struct world x;

static void file(const char *name)
{
	struct buf b;
	sample(name, &b);
	script_of_file(&x.script, b.data, b.len);
	buf_release(&b);
}

static void is_over(const struct standing *s, const char *state, int64_t added, int64_t changed, int64_t same, int64_t refused)
{
	if (strcmp(s->state, state) != 0 || s->added != added || s->changed != changed || s->same != same || s->refused != refused)
		fail_msg("%s: %ld added, %ld changed, %ld same, %ld refused: %s", s->state, (long)s->added, (long)s->changed,
			 (long)s->same, (long)s->refused, s->message);
}

static bool over(const struct standing *s)
{
	return strcmp(s->state, "done") == 0 || strcmp(s->state, "failed") == 0 || strcmp(s->state, "cancelled") == 0;
}

static void test_a_file_goes_in(void **state)
{
	struct uuid owner = uuid_new(), id;
	struct buf refused;
	(void)state;
	file("mmp_1.csv");
	id = world_hand_in(&x, &owner);
	struct standing s = world_see(&x, &owner, &id);
	assert_string_equal(s.state, "queued");
	world_drive(&x, ALL_BATCHES);
	s = world_see(&x, &owner, &id);
	is_over(&s, "done", 6, 0, 0, 3);
	assert_int_equal(s.problems, 25);
	world_check(&x, &owner, &id);
	world_refused(&x, &owner, &id, &refused);
	assert_int_equal(memcmp(refused.data, "fairway_row,fairway_column,fairway_reason,Main ID,", 50), 0);
	buf_release(&refused);
	/* The same file twice adds nothing. */
	id = world_hand_in(&x, &owner);
	world_drive(&x, ALL_BATCHES);
	s = world_see(&x, &owner, &id);
	is_over(&s, "done", 0, 0, 6, 3);
	/* Nobody else sees it. */
	struct uuid other = uuid_new();
	assert_int_equal(world_see(&x, &other, &id).status, 404);
	assert_int_equal(world_cancel(&x, &other, &id).status, 404);
}

static void test_however_it_is_cut_it_is_the_same(void **state)
{
	static const char *const names[] = { "mmp_1.csv", "mmp_2.csv", "fairway.jsonl" };
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		uint8_t want[DIGEST], got[DIGEST];
		size_t n = 0;
		for (uint64_t seed = 0; seed < 12; seed++) {
			struct prop p = { seed };
			struct uuid owner = uuid_new();
			file(names[i]);
			if (seed > 0)
				script_cut(&x.script, seed < 3 ? seed : 0, &p);
			struct uuid id = world_hand_in(&x, &owner);
			world_drive(&x, ALL_BATCHES);
			assert_string_equal(world_see(&x, &owner, &id).state, "done");
			world_check(&x, &owner, &id);
			size_t m = world_digest(&x, &owner, seed == 0 ? want : got);
			assert_true(m > 1 && (seed == 0 || (m == n && memcmp(want, got, DIGEST) == 0)));
			n = m;
		}
	}
}

static void test_it_goes_on_after_any_batch(void **state)
{
	static const char *const names[] = { "mmp_1.csv", "fairway.jsonl" };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct uuid owner = uuid_new(), id;
		uint8_t want[DIGEST], got[DIGEST];
		file(names[i]);
		id = world_hand_in(&x, &owner);
		world_drive(&x, ALL_BATCHES);
		struct standing whole = world_see(&x, &owner, &id);
		size_t n = world_digest(&x, &owner, want);
		for (size_t batches = 0; batches < 12; batches++) {
			owner = uuid_new();
			file(names[i]);
			script_cut(&x.script, 1, NULL);
			id = world_hand_in(&x, &owner);
			world_drive(&x, batches);
			struct standing s = world_see(&x, &owner, &id);
			world_restart(&x);
			struct standing after = world_see(&x, &owner, &id);
			assert_true(after.rows == s.rows && after.added == s.added && after.refused == s.refused);
			world_check(&x, &owner, &id);
			world_drive(&x, ALL_BATCHES);
			s = world_see(&x, &owner, &id);
			is_over(&s, "done", whole.added, 0, 0, whole.refused);
			assert_int_equal(s.problems, whole.problems);
			world_check(&x, &owner, &id);
			assert_int_equal(world_digest(&x, &owner, got), n);
			assert_memory_equal(want, got, DIGEST);
		}
	}
}

static void test_it_can_be_stopped_after_any_batch(void **state)
{
	(void)state;
	for (size_t batches = 0; batches < 10; batches++) {
		struct uuid owner = uuid_new();
		char words[40];
		file("mmp_1.csv");
		script_cut(&x.script, 1, NULL);
		struct uuid id = world_hand_in(&x, &owner);
		world_drive(&x, batches);
		int64_t added = world_see(&x, &owner, &id).added;
		struct standing s = world_cancel(&x, &owner, &id);
		assert_int_equal(s.status, 200);
		assert_string_equal(s.state, "cancelled");
		(void)snprintf(words, sizeof(words), "stays: %ld added", (long)added);
		assert_non_null(strstr(s.message, words));
		assert_int_equal(world_cancel(&x, &owner, &id).status, 409);
		world_drive(&x, ALL_BATCHES);
		s = world_see(&x, &owner, &id);
		assert_string_equal(s.state, "cancelled");
		assert_int_equal(s.added, added);
		world_check(&x, &owner, &id);
	}
}

static int end_behind_its_back(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	const struct store_value v[] = { sv_uuid(arg), sv_text("cancelled"), sv_int(1), sv_text("Elsewhere."), sv_text("") };
	int64_t changed = 0;
	(void)w;
	int r = store_exec(db, SQL_REPORT_IMPORT_END, v, 5, &changed, reterr);
	return r == 0 && changed != 1 ? FW_ENOTFOUND : r;
}

/* Another worker on the same database ended it: the slice that comes then must not stay. */
static void test_a_slice_of_an_ended_import_does_not_stay(void **state)
{
	struct uuid owner = uuid_new();
	(void)state;
	file("mmp_1.csv");
	script_cut(&x.script, 3, NULL);
	struct uuid id = world_hand_in(&x, &owner);
	world_drive(&x, 1);
	struct standing before = world_see(&x, &owner, &id);
	assert_true(before.added > 0);
	assert_int_equal(worker_tx(x.w, end_behind_its_back, &id, NULL), 0);
	world_drive(&x, ALL_BATCHES);
	struct standing s = world_see(&x, &owner, &id);
	assert_string_equal(s.state, "cancelled");
	assert_string_equal(s.message, "Elsewhere.");
	assert_int_equal(s.added, before.added);
	world_check(&x, &owner, &id);
}

/* A person here makes a version 2 of every report of the import's agency. */
static int correct_all(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	struct report_index *index;
	struct arena *mem = arena_new(8 << 20);
	struct incident inc;
	int r = index_new(&index);
	incident_init(&inc);
	(void)w;
	r = r == 0 ? index_ready(index, db, reterr) : r;
	for (size_t row = 0; r == 0 && row < index_count(index); row++) {
		struct index_entry e;
		struct report_head h;
		index_get(index, row, &e);
		if (!uuid_equal(&e.owner, arg))
			continue;
		r = report_load(db, &e.owner, &e.id, e.version, &h, &inc, mem, reterr);
		h.version = e.version + 1;
		h.reason = "corrected";
		h.import = (struct uuid){ { 0 } };
		r = r == 0 ? report_supersede(db, &e.owner, &e.id, e.version, reterr) : r;
		r = r == 0 ? report_add(db, &h, &inc, reterr) : r;
		if (r == 0)
			index_entry_of(&e, &h, &inc);
		if (r == 0)
			index_put(report_of(w)->index, &e);
	}
	index_free(index);
	incident_release(&inc);
	arena_free(mem);
	return r;
}

static void test_a_correction_made_here_is_not_overwritten(void **state)
{
	static const char table[] = "Main ID,Incident ID,Year,Number Dead,Minimum Estimated Number of Missing\n"
				    "Y1,Y1,2026,%d,0\nY2,Y2,2026,2,0\nY3,Y3,2026,%d,0\n";
	struct uuid owner = uuid_new(), id;
	char text[300];
	(void)state;
	int n = snprintf(text, sizeof(text), table, 1, 3);
	script_of_file(&x.script, text, (size_t)n);
	id = world_hand_in(&x, &owner);
	world_drive(&x, ALL_BATCHES);
	struct standing s = world_see(&x, &owner, &id);
	is_over(&s, "done", 3, 0, 0, 0);
	assert_int_equal(worker_tx(x.w, correct_all, &owner, NULL), 0);
	uint8_t before[DIGEST], after[DIGEST];
	(void)world_digest(&x, &owner, before);
	n = snprintf(text, sizeof(text), table, 7, 3); /* the source changes the first */
	script_of_file(&x.script, text, (size_t)n);
	id = world_hand_in(&x, &owner);
	world_drive(&x, ALL_BATCHES);
	s = world_see(&x, &owner, &id);
	is_over(&s, "done", 0, 0, 2, 1);
	(void)world_digest(&x, &owner, after);
	assert_memory_equal(before, after, DIGEST);
	struct buf refused;
	world_refused(&x, &owner, &id, &refused);
	buf_u8(&refused, 0);
	assert_non_null(strstr((char *)refused.data, "corrected here"));
	assert_non_null(strstr((char *)refused.data, "\r\n2,,"));
	assert_non_null(strstr((char *)refused.data, ",Y1"));
	buf_release(&refused);
}

static void test_a_reader_that_cannot_be_started_is_asked_for_again(void **state)
{
	struct uuid owner = uuid_new();
	(void)state;
	file("mmp_2.csv");
	x.script.none = true;
	struct uuid id = world_hand_in(&x, &owner);
	for (int i = 0; i < 5; i++) {
		world_drive(&x, ALL_BATCHES);
		assert_string_equal(world_see(&x, &owner, &id).state, "queued");
	}
	x.script.none = false;
	world_drive(&x, ALL_BATCHES);
	struct standing s = world_see(&x, &owner, &id);
	is_over(&s, "done", 3, 0, 0, 0);
	x.script.none = true;
	id = world_hand_in(&x, &owner);
	for (int i = 0; i < 40; i++)
		world_drive(&x, ALL_BATCHES);
	s = world_see(&x, &owner, &id);
	is_over(&s, "failed", 0, 0, 0, 0); /* not for ever */
}

static void test_a_reader_that_dies_fails_its_file_only(void **state)
{
	(void)state;
	for (size_t batches = 0; batches <= 3; batches++) {
		struct uuid owner = uuid_new();
		file("mmp_2.csv");
		script_cut(&x.script, 1, NULL);
		x.script.n = batches;
		x.script.code = FW_EGONE;
		struct uuid id = world_hand_in(&x, &owner);
		world_drive(&x, ALL_BATCHES);
		struct standing s = world_see(&x, &owner, &id);
		is_over(&s, "failed", batches > 0 ? (int64_t)batches - 1 : 0, 0, 0, 0);
		assert_non_null(strstr(s.message, "died"));
		world_check(&x, &owner, &id);
		file("mmp_2.csv");
		id = world_hand_in(&x, &owner);
		world_drive(&x, ALL_BATCHES);
		struct standing again = world_see(&x, &owner, &id);
		is_over(&again, "done", 3 - s.added, 0, s.added, 0);
	}
}

static size_t refused_lines(const struct uuid *owner, const struct uuid *id)
{
	struct buf b;
	size_t n = 0;
	world_refused(&x, owner, id, &b);
	for (size_t i = 0; i < b.len; i++)
		n += b.data[i] == '\n';
	buf_release(&b);
	return n - 1;
}

static void test_refused_rows_go_when_their_time_is_over(void **state)
{
	static const struct wire_pair at_once[] = { { "import.keep_days", "0" } };
	struct uuid owner = uuid_new(), id, running;
	char text[90000];
	size_t n = (size_t)snprintf(text, sizeof(text), "Main ID,Year,Number Dead,Minimum Estimated Number of Missing\n");
	(void)state;
	for (int i = 0; i < 4500; i++) /* more than go at once */
		n += (size_t)snprintf(text + n, sizeof(text) - n, "Z%d,2026,x,0\n", i);
	script_of_file(&x.script, text, n);
	id = world_hand_in(&x, &owner);
	world_drive(&x, ALL_BATCHES);
	assert_int_equal(refused_lines(&owner, &id), 4500);
	(void)fake_run_task(x.w, "report_keep", 100);
	assert_int_equal(refused_lines(&owner, &id), 4500); /* thirty days */
	x.settings = at_once;
	x.nsettings = 1;
	world_restart(&x);
	script_cut(&x.script, 500, NULL);
	running = world_hand_in(&x, &owner);
	world_drive(&x, 2);
	assert_int_equal(refused_lines(&owner, &running), 999);
	(void)fake_run_task(x.w, "report_keep", 100);
	assert_int_equal(refused_lines(&owner, &id), 0);
	struct standing s = world_see(&x, &owner, &id);
	assert_true(s.refused == 4500 && s.problems == 0); /* that there were some stays known */
	assert_int_equal(refused_lines(&owner, &running), 999);
	x.settings = NULL;
	x.nsettings = 0;
	world_restart(&x);
	world_drive(&x, ALL_BATCHES);
	assert_int_equal(refused_lines(&owner, &running), 4500);
}

static void test_limits_end_an_import(void **state)
{
	static const struct wire_pair few[] = { { "import.rows", "7" }, { "import.refused", "2" } };
	struct uuid owner = uuid_new(), id;
	(void)state;
	x.settings = few;
	x.nsettings = 2;
	for (size_t per = 1; per < 12; per++) {
		owner = uuid_new();
		world_restart(&x);
		file("mmp_1.csv");
		script_cut(&x.script, per, NULL);
		id = world_hand_in(&x, &owner);
		world_drive(&x, per % 2 == 0 ? 1 : ALL_BATCHES);
		world_restart(&x); /* what was written before counts too */
		world_drive(&x, ALL_BATCHES);
		struct standing s = world_see(&x, &owner, &id);
		assert_string_equal(s.state, "failed");
		assert_int_equal(s.rows, 7);
		assert_non_null(strstr(s.message, "more than the 7 rows"));
		world_check(&x, &owner, &id);
	}
	static const struct wire_pair none[] = { { "import.refused", "1" } };
	x.settings = none;
	x.nsettings = 1;
	world_restart(&x);
	owner = uuid_new();
	file("mmp_1.csv");
	id = world_hand_in(&x, &owner);
	world_drive(&x, ALL_BATCHES);
	struct standing s = world_see(&x, &owner, &id);
	is_over(&s, "failed", 6, 0, 0, 1);
	assert_non_null(strstr(s.message, "More than 1 rows are refused"));
	world_check(&x, &owner, &id);
	x.settings = NULL;
	x.nsettings = 0;
	world_restart(&x);
}

/* ---- readers that lie ---- */

static void lie(const uint8_t *p, size_t n, const struct uuid *owner)
{
	script_of_bytes(&x.script, p, n);
	struct uuid id = world_hand_in(&x, owner);
	world_drive(&x, ALL_BATCHES);
	struct standing s = world_see(&x, owner, &id);
	if (!over(&s))
		fail_msg("%s: %s", s.state, s.message);
	if (strcmp(s.state, "failed") == 0) {
		assert_non_null(strstr(s.message, "makes no sense"));
		assert_int_equal(s.rows, 0); /* nothing of its slice stays */
	}
	assert_true(s.rows == s.added + s.changed + s.same + s.refused);
}

static void test_every_byte_of_a_batch_may_be_a_lie(void **state)
{
	struct buf all;
	unsigned failed = 0;
	(void)state;
	file("mmp_2.csv");
	buf_init(&all, 1 << 20);
	buf_put(&all, x.script.items.data, x.script.items.len);
	size_t step = getenv("FAIRWAY_LONG") != NULL ? 1 : 3;
	struct uuid owner = uuid_new();
	for (size_t at = 0; at < all.len; at += step) {
		struct prop p = { at };
		uint8_t was = all.data[at];
		all.data[at] = (uint8_t)(was ^ (prop_below(&p, 2) == 0 ? 0xffU : 1U << prop_below(&p, 8)));
		lie(all.data, all.len, &owner);
		all.data[at] = was;
		lie(all.data, at, &owner);
		failed++;
	}
	assert_true(failed > 100);
	buf_release(&all);
	/* Rows that do not rise, a row 0, one beyond all numbers, an item that is none. */
	struct buf b;
	static const struct {
		uint8_t kind;
		uint64_t row;
	} items[][2] = { { { ITEM_REFUSED, 5 }, { ITEM_REFUSED, 5 } }, { { ITEM_REFUSED, 5 }, { ITEM_REFUSED, 4 } },
			 { { ITEM_REFUSED, 0 }, { ITEM_REFUSED, 1 } }, { { ITEM_REFUSED, 1 }, { ITEM_REFUSED, UINT64_MAX } },
			 { { ITEM_REFUSED, 1 }, { ITEM_REFUSED, INT64_MAX } }, { { ITEM_REFUSED, 1 }, { 77, 2 } },
			 { { ITEM_NOTE, 0 }, { ITEM_REFUSED, 2 } } };
	for (size_t i = 0; i < sizeof(items) / sizeof(*items); i++) {
		struct uuid other = uuid_new();
		buf_init(&b, 1000);
		for (size_t k = 0; k < 2; k++) {
			buf_u8(&b, items[i][k].kind);
			buf_u64(&b, items[i][k].row);
			buf_str(&b, "");
			buf_str(&b, "why");
			if (items[i][k].kind == ITEM_REFUSED)
				buf_str(&b, "what");
		}
		script_of_bytes(&x.script, b.data, b.len);
		struct uuid id = world_hand_in(&x, &other);
		world_drive(&x, ALL_BATCHES);
		struct standing s = world_see(&x, &other, &id);
		is_over(&s, "failed", 0, 0, 0, 0);
		buf_release(&b);
	}
}

static int start(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	world_up(&x, NULL, 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_down(&x);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_goes_in),
		cmocka_unit_test(test_however_it_is_cut_it_is_the_same),
		cmocka_unit_test(test_it_goes_on_after_any_batch),
		cmocka_unit_test(test_it_can_be_stopped_after_any_batch),
		cmocka_unit_test(test_a_slice_of_an_ended_import_does_not_stay),
		cmocka_unit_test(test_a_correction_made_here_is_not_overwritten),
		cmocka_unit_test(test_a_reader_that_cannot_be_started_is_asked_for_again),
		cmocka_unit_test(test_a_reader_that_dies_fails_its_file_only),
		cmocka_unit_test(test_refused_rows_go_when_their_time_is_over),
		cmocka_unit_test(test_limits_end_an_import),
		cmocka_unit_test(test_every_byte_of_a_batch_may_be_a_lie),
	};
	return cmocka_run_group_tests(tests, start, end);
}
