/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A report goes into the store and comes back as it was: every field, every
 * block to its last row, on both engines; and what a reader may hand over and
 * validation passes, the tables take.
 */
#include "test.h"

#include <sodium.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "domain/report/report_record.h"
#include "domain/report/report_store.h"
#include "domain/report/report_validate.h"
#include "random_incident.h"
#include "report_db.h"

enum { MEM = 64 << 20, RECORD = 4 << 20 };

static struct report_db place;
static struct store *db;
static struct arena *mem;
static struct incident inc, back;

static struct report_head head_of(struct prop *p)
{
	struct report_head h = { .owner = uuid_new(), .id = uuid_new(), .version = 1 + (int64_t)prop_below(p, 100), .author = uuid_new(),
				 .at = (usec_t)prop_below(p, UINT64_C(4000000000000000)), .reason = "imported", .status = "submitted",
				 .import = uuid_new(), .import_row = (int64_t)prop_below(p, 1000000) + 1 };
	return h;
}

static int add(struct report_head *h, const struct incident *i, struct diag *d)
{
	int r = store_begin(db, STORE_WRITE, d);
	if (r == 0)
		r = report_add(db, h, i, d);
	if (r == 0)
		r = store_commit(db, d);
	if (r != 0)
		store_rollback(db);
	return r;
}

static void load_back(const struct report_head *h, struct report_head *ret)
{
	struct diag d = DIAG_INIT;
	assert_int_equal(store_begin(db, STORE_READ, NULL), 0);
	int r = report_load(db, &h->owner, &h->id, h->version, ret, &back, mem, &d);
	store_rollback(db);
	if (r != 0)
		fail_msg("%s: %s", err_name(r), d.text);
}

/* In, and out again the same. */
static void there_and_back(struct prop *p, uint64_t seed)
{
	struct report_head h = head_of(p), got;
	struct diag d = DIAG_INIT;
	if (report_validate(&inc, &d) != 0)
		fail_msg("seed %lu: the test's report is none: %s %s", (unsigned long)seed, d.place, d.text);
	if (add(&h, &inc, &d) != 0)
		fail_msg("seed %lu: not taken: %s", (unsigned long)seed, d.text);
	load_back(&h, &got);
	const char *where = incident_difference(&inc, &back);
	if (where != NULL)
		fail_msg("seed %lu: %s", (unsigned long)seed, where);
	assert_memory_equal(&got.author, &h.author, sizeof(h.author));
	assert_memory_equal(&got.import, &h.import, sizeof(h.import));
	assert_true(got.at == h.at && got.import_row == h.import_row && got.version == h.version && got.personal == h.personal);
	assert_int_equal(got.personal, report_personal(&inc));
	assert_string_equal(got.reason, "imported");
	assert_string_equal(got.status, "submitted");
	assert_true(uuid_is_nil(&got.verified_by) && uuid_is_nil(&got.validated_by) && got.closed_reason[0] == '\0');
}

static void test_every_field_comes_back(void **state)
{
	struct prop p = { 1 };
	(void)state;
	random_incident(&p, &inc, 1, 3, mem);
	for (unsigned b = 0; b < B_COUNT; b++)
		for (size_t i = 0; i < blocks[b].n; i++)
			assert_true(cell_set(&incident_row(&inc, (enum block)b, 0)[i]));
	there_and_back(&p, 1);
}

static void test_the_last_row_of_every_block_comes_back(void **state)
{
	struct prop p = { 2 };
	(void)state;
	random_incident(&p, &inc, 1, 255, mem);
	for (unsigned b = B_FIRST_MANY; b < B_COUNT; b++)
		assert_int_equal(inc.n[b], blocks[b].max);
	there_and_back(&p, 2);
}

static void test_nothing_comes_back_as_nothing(void **state)
{
	struct prop p = { 3 };
	(void)state;
	incident_clear(&inc);
	inc.at[B_CORE][CORE_TYPE] = cell_int(0);
	inc.at[B_CORE][CORE_NUMBER] = cell_text("1", 1);
	there_and_back(&p, 3);
}

static void test_any_report_comes_back(void **state)
{
	(void)state;
	for (uint64_t seed = 10; seed < 10 + prop_rounds(150); seed++) {
		struct prop p = { seed };
		random_incident(&p, &inc, 1 + (unsigned)prop_below(&p, 6), prop_below(&p, 6), mem);
		there_and_back(&p, seed);
		arena_reset(mem);
	}
}

/* A record that is spoilt in places: what the parser and validation still take, the tables must take too. */
static void test_what_passes_the_checks_is_taken(void **state)
{
	unsigned taken = 0;
	struct buf record;
	(void)state;
	buf_init(&record, RECORD);
	for (uint64_t seed = 5000; seed < 5000 + prop_rounds(400); seed++) {
		struct prop p = { seed };
		struct cursor c;
		struct diag d = DIAG_INIT;
		arena_reset(mem);
		random_incident(&p, &inc, 1 + (unsigned)prop_below(&p, 3), 2, mem);
		buf_clear(&record);
		record_put(&record, &inc);
		for (size_t i = prop_below(&p, 4); i > 0; i--)
			record.data[prop_below(&p, record.len)] ^= (uint8_t)(1U << prop_below(&p, 8));
		cur_init(&c, record.data, record.len);
		if (record_get(&c, &inc) != 0 || report_validate(&inc, NULL) != 0)
			continue;
		taken++;
		struct report_head h = head_of(&p);
		if (add(&h, &inc, &d) != 0)
			fail_msg("seed %lu: not taken: %s", (unsigned long)seed, d.text);
		struct report_head got;
		load_back(&h, &got);
		const char *where = incident_difference(&inc, &back);
		if (where != NULL)
			fail_msg("seed %lu: %s", (unsigned long)seed, where);
	}
	buf_release(&record);
	assert_true(taken > 50);
}

static void test_versions_follow_one_another(void **state)
{
	struct prop p = { 4 };
	int64_t latest = 0;
	struct report_head first = head_of(&p), second, got;
	struct diag d = DIAG_INIT;
	(void)state;
	first.version = 1;
	random_incident(&p, &inc, 2, 2, mem);
	assert_int_equal(add(&first, &inc, &d), 0);
	assert_int_equal(add(&first, &inc, &d), FW_ECONSTRAINT);
	assert_int_equal(store_begin(db, STORE_WRITE, NULL), 0);
	assert_int_equal(report_latest(db, &first.owner, &first.id, &latest, NULL), 0);
	assert_int_equal(latest, 1);
	assert_int_equal(report_supersede(db, &first.owner, &first.id, 1, NULL), 0);
	second = first;
	second.version = 2;
	second.reason = "changed";
	struct incident other;
	incident_init(&other);
	random_incident(&p, &other, 2, 2, mem);
	assert_int_equal(report_add(db, &second, &other, NULL), 0);
	assert_int_equal(report_supersede(db, &first.owner, &first.id, 1, NULL), FW_ECONFLICT);
	assert_int_equal(store_commit(db, NULL), 0);
	assert_int_equal(store_begin(db, STORE_READ, NULL), 0);
	assert_int_equal(report_latest(db, &first.owner, &first.id, &latest, NULL), 0);
	assert_int_equal(report_latest(db, &first.id, &first.id, &(int64_t){ 0 }, NULL), FW_ENOTFOUND);
	struct report_head none;
	assert_int_equal(report_load(db, &first.owner, &first.id, 3, &none, &back, mem, NULL), FW_ENOTFOUND);
	assert_int_equal(report_load(db, &first.id, &first.id, 1, &none, &back, mem, NULL), FW_ENOTFOUND);
	store_rollback(db);
	assert_int_equal(latest, 2);
	load_back(&first, &got);
	assert_null(incident_difference(&inc, &back));
	load_back(&second, &got);
	assert_null(incident_difference(&other, &back));
	assert_string_equal(got.reason, "changed");
	incident_release(&other);
}

static void test_the_hash_is_of_what_is_said(void **state)
{
	uint8_t a[REPORT_HASH], b[REPORT_HASH];
	struct buf scratch;
	(void)state;
	buf_init(&scratch, 2 << 20);
	for (uint64_t seed = 1; seed < 40; seed++) {
		struct prop p = { seed };
		int r = 0;
		arena_reset(mem);
		random_incident(&p, &inc, 1 + (unsigned)prop_below(&p, 3), 3, mem);
		buf_clear(&scratch);
		assert_int_equal(report_hash(&inc, &scratch, a), 0);
		/* Where it came from and what was noticed do not count. */
		inc.at[B_PROV][PROV_SOURCE_ID] = random_cell(&p, &blocks[B_PROV].fields[PROV_SOURCE_ID], mem);
		struct cell *doubt = incident_add(&inc, B_DOUBT, &r);
		doubt[DOUBT_CODE] = cell_int(0);
		doubt[DOUBT_FIELD] = cell_text("x", 1);
		buf_clear(&scratch);
		assert_int_equal(report_hash(&inc, &scratch, b), 0);
		assert_memory_equal(a, b, REPORT_HASH);
		/* Everything else does: a cell that is taken away, or another row. */
		unsigned k = (unsigned)prop_below(&p, B_PROV);
		size_t i = prop_below(&p, blocks[k].n);
		struct cell *cell = &inc.at[k][i], was = *cell;
		*cell = cell_set(cell) ? CELL_ABSENT : random_cell(&p, &blocks[k].fields[i], mem);
		buf_clear(&scratch);
		assert_int_equal(report_hash(&inc, &scratch, b), 0);
		assert_memory_not_equal(a, b, REPORT_HASH);
		*cell = was;
		assert_non_null(incident_add(&inc, B_CAUSE, &r));
		buf_clear(&scratch);
		assert_int_equal(report_hash(&inc, &scratch, b), 0);
		assert_memory_not_equal(a, b, REPORT_HASH);
	}
	buf_release(&scratch);
}

/* Kept in stores: it may change with no later program. */
static void test_the_hash_of_a_report_stays(void **state)
{
	static const uint8_t want[REPORT_HASH] = { 0x2d, 0x84, 0x24, 0x08, 0xee, 0x37, 0xc5, 0x15, 0x76, 0x2b, 0x3f, 0x04, 0x77, 0x25, 0x27, 0x9e };
	uint8_t got[REPORT_HASH];
	struct buf scratch;
	int r = 0;
	(void)state;
	incident_clear(&inc);
	inc.at[B_CORE][CORE_NUMBER] = cell_text("X1", 2);
	inc.at[B_CORE][CORE_TYPE] = cell_int(codebook_find(CB_INCIDENT_TYPE, "death_or_disappearance", 22));
	inc.at[B_CORE][CORE_FROM_DAY] = cell_int(20260100);
	inc.at[B_COUNTS][COUNTS_DEAD] = cell_int(2);
	inc.at[B_COUNTS][COUNTS_MISSING] = cell_int(COUNT_UNKNOWN);
	inc.at[B_COUNTS][COUNTS_COUNTS_ARE] = cell_int(2);
	struct cell *people = incident_add(&inc, B_PEOPLE, &r);
	people[PEOPLE_NATIONALITY] = cell_int(codebook_find(CB_COUNTRY, "MMR", 3));
	people[PEOPLE_NEEDS] = cell_int(INT64_C(1) << codebook_find(CB_NEED, "shelter", 7));
	buf_init(&scratch, 2 << 20);
	assert_int_equal(report_hash(&inc, &scratch, got), 0);
	buf_release(&scratch);
	for (size_t i = 0; i < REPORT_HASH; i++)
		if (got[i] != want[i])
			print_message("byte %zu is 0x%02x\n", i, got[i]);
	assert_memory_equal(got, want, REPORT_HASH);
}

static void test_what_is_known_is_found_again(void **state)
{
	struct uuid owner = uuid_new(), other = uuid_new();
	struct report_known k = { .incident = uuid_new(), .version = 1, .hash = { 1, 2, 3 } }, got;
	(void)state;
	incident_clear(&inc);
	inc.at[B_PROV][PROV_SYSTEM] = cell_int(CV_SYSTEM_IOM_MMP);
	inc.at[B_PROV][PROV_SOURCE_ID] = cell_text("X'; --", 6);
	assert_int_equal(store_begin(db, STORE_WRITE, NULL), 0);
	assert_int_equal(report_known_get(db, &owner, &inc, &got, NULL), FW_ENOTFOUND);
	assert_int_equal(report_known_add(db, &owner, &inc, &k, NULL), 0);
	assert_int_equal(report_known_get(db, &other, &inc, &got, NULL), FW_ENOTFOUND);
	k.version = 2;
	k.hash[0] = 9;
	assert_int_equal(report_known_change(db, &owner, &inc, &k, NULL), 0);
	assert_int_equal(store_commit(db, NULL), 0);
	assert_int_equal(store_begin(db, STORE_READ, NULL), 0);
	assert_int_equal(report_known_get(db, &owner, &inc, &got, NULL), 0);
	inc.at[B_PROV][PROV_SYSTEM] = cell_int(CV_SYSTEM_FAIRWAY_SYNTHETIC);
	struct report_known none;
	assert_int_equal(report_known_get(db, &owner, &inc, &none, NULL), FW_ENOTFOUND);
	store_rollback(db);
	assert_memory_equal(&got.incident, &k.incident, sizeof(k.incident));
	assert_true(got.version == 2 && memcmp(got.hash, k.hash, REPORT_HASH) == 0);
}

static int start(void **state)
{
	(void)state;
	if (sodium_init() < 0 || (mem = arena_new(MEM)) == NULL)
		return -1;
	incident_init(&inc);
	incident_init(&back);
	report_db_make(&place);
	db = report_db_open(&place);
	return 0;
}

static int end(void **state)
{
	(void)state;
	store_close(db);
	report_db_remove(&place);
	incident_release(&inc);
	incident_release(&back);
	arena_free(mem);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_field_comes_back),
		cmocka_unit_test(test_the_last_row_of_every_block_comes_back),
		cmocka_unit_test(test_nothing_comes_back_as_nothing),
		cmocka_unit_test(test_any_report_comes_back),
		cmocka_unit_test(test_what_passes_the_checks_is_taken),
		cmocka_unit_test(test_versions_follow_one_another),
		cmocka_unit_test(test_the_hash_is_of_what_is_said),
		cmocka_unit_test(test_the_hash_of_a_report_stays),
		cmocka_unit_test(test_what_is_known_is_found_again),
	};
	return cmocka_run_group_tests(tests, start, end);
}
