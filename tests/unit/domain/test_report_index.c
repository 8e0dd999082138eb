/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The index against a model that is too simple to be wrong: an array of
 * entries, looked at one by one.  Filters, orders, pages and totals, after
 * any sequence of reports and newer versions; and what it fills from the
 * store is what it would have been told.
 */
#include "test.h"

#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"
#include "codec/json.h"
#include "domain/report/report_index.h"
#include "domain/report/report_store.h"
#include "random_incident.h"
#include "report_db.h"

enum { MODEL_MAX = 6000, OWNERS = 4 };

static struct index_entry model[MODEL_MAX];
static size_t model_n;
static struct uuid owners[OWNERS];

/* ---- random entries ---- */

static struct index_entry random_entry(struct prop *p)
{
	struct index_entry e = { .owner = owners[prop_below(p, OWNERS)], .version = 1, .first = INT32_MIN, .last = INT32_MIN,
				 .lat = INT32_MIN, .lon = INT32_MIN, .cause = -1, .meansof = -1,
				 .route = (int16_t)((int)prop_below(p, codebooks[CB_ROUTE].n + 1) - 1),
				 .country = (int16_t)((int)prop_below(p, codebooks[CB_COUNTRY].n + 1) - 1),
				 .status = (uint8_t)prop_below(p, codebooks[CB_STATUS].n), .personal = prop_below(p, 2) != 0 };
	prop_bytes(p, e.id.b, sizeof(e.id.b));
	if (prop_below(p, 5) != 0) {
		e.first = (int32_t)prop_below(p, 40) * 50 - 500; /* many on one day, so that ids break ties */
		e.last = e.first + (int32_t)prop_below(p, 3) * 30;
		e.precision = DATE_DAY;
	}
	if (prop_below(p, 3) != 0) {
		e.lat = (int32_t)prop_below(p, 1800001) - 900000;
		e.lon = (int32_t)prop_below(p, 3600001) - 1800000;
	}
	for (uint64_t n = prop_below(p, 3); n > 0; n--) {
		e.cause = (int16_t)prop_below(p, codebooks[CB_CAUSE].n);
		e.causes |= UINT64_C(1) << e.cause;
	}
	for (uint64_t n = prop_below(p, 3); n > 0; n--) {
		e.meansof = (int16_t)prop_below(p, codebooks[CB_MEANS].n);
		e.means |= UINT64_C(1) << e.meansof;
	}
	for (size_t m = 0; m < COUNTS_MEASURES; m++)
		e.count[m] = prop_below(p, 3) == 0 ? COUNT_NOT_COLLECTED : (int32_t)random_count(p);
	return e;
}

/* ---- the model ---- */

static void model_put(const struct index_entry *e)
{
	for (size_t i = 0; i < model_n; i++)
		if (uuid_equal(&model[i].id, &e->id)) {
			if (e->version >= model[i].version)
				model[i] = *e;
			return;
		}
	assert_true(model_n < MODEL_MAX);
	model[model_n++] = *e;
}

/* A filter as somebody writes it, and what it means. */
struct wish {
	struct index_filter f;
	bool from, to;
	int32_t from_day, to_day;
	bool route[300], country[300], cause[64], means[64], status[64];
	bool by_route, by_country, by_cause, by_means, by_status, none[4];
};

/* Some codes of a book, "none" among them perhaps, as text. */
static bool some_codes(struct prop *p, int book, bool *chosen, bool *none, char *text, size_t cap)
{
	size_t n = 0;
	text[0] = '\0';
	if (prop_below(p, 3) != 0)
		return false;
	for (uint64_t k = 1 + prop_below(p, 5); k > 0; k--) {
		bool no = none != NULL && prop_below(p, 6) == 0;
		size_t v = prop_below(p, codebooks[book].n);
		n += (size_t)snprintf(text + n, cap - n, "%s%s", n > 0 ? "," : "", no ? "none" : codebooks[book].values[v].code);
		if (no)
			*none = true;
		else
			chosen[v] = true;
	}
	return true;
}

static void set(struct wish *w, const char *name, const char *text)
{
	struct diag d = DIAG_INIT;
	if (filter_set(&w->f, name, text, &d) != 0)
		fail_msg("%s=%s: %s", name, text, d.text);
}

static void random_wish(struct prop *p, struct wish *w)
{
	char text[600];
	memset(w, 0, sizeof(*w));
	w->f.own = prop_below(p, 2) != 0;
	w->f.owner = owners[prop_below(p, OWNERS)];
	if (prop_below(p, 8) == 0)
		prop_bytes(p, w->f.owner.b, 16); /* who has nothing here */
	w->from = prop_below(p, 3) == 0;
	w->to = prop_below(p, 3) == 0;
	for (int end = 0; end < 2; end++) {
		if (!(end == 0 ? w->from : w->to))
			continue;
		struct date d = { (int16_t)(1969 + prop_below(p, 6)), (uint8_t)prop_below(p, 13), 0, DATE_YEAR };
		d.day = d.month != 0 ? (uint8_t)prop_below(p, 29) : 0;
		d.precision = d.day != 0 ? DATE_DAY : d.month != 0 ? DATE_MONTH : DATE_YEAR;
		(void)date_format(d, text);
		set(w, end == 0 ? "from" : "to", text);
		if (end == 0)
			w->from_day = date_first_day(d);
		else
			w->to_day = date_last_day(d);
	}
	w->by_route = some_codes(p, CB_ROUTE, w->route, &w->none[0], text, sizeof(text));
	set(w, "route", text);
	w->by_country = some_codes(p, CB_COUNTRY, w->country, &w->none[1], text, sizeof(text));
	set(w, "country", text);
	w->by_cause = some_codes(p, CB_CAUSE, w->cause, &w->none[2], text, sizeof(text));
	set(w, "cause", text);
	w->by_means = some_codes(p, CB_MEANS, w->means, &w->none[3], text, sizeof(text));
	set(w, "means", text);
	w->by_status = some_codes(p, CB_STATUS, w->status, NULL, text, sizeof(text));
	set(w, "status", text);
}

static bool any_of(uint64_t bits, const bool *chosen, bool none)
{
	for (size_t i = 0; i < 64; i++)
		if ((bits >> i & 1) != 0 && chosen[i])
			return true;
	return bits == 0 && none;
}

static bool seen(const struct wish *w, const struct index_entry *e)
{
	return !w->f.own || uuid_equal(&w->f.owner, &e->owner);
}

static bool wanted(const struct wish *w, const struct index_entry *e)
{
	bool dated = e->first != INT32_MIN;
	if ((w->from || w->to) && !dated)
		return false;
	if ((w->from && e->last < w->from_day) || (w->to && e->first > w->to_day))
		return false;
	if (w->by_route && !(e->route < 0 ? w->none[0] : w->route[e->route]))
		return false;
	if (w->by_country && !(e->country < 0 ? w->none[1] : w->country[e->country]))
		return false;
	if (w->by_cause && !any_of(e->causes, w->cause, w->none[2]))
		return false;
	if (w->by_means && !any_of(e->means, w->means, w->none[3]))
		return false;
	return !w->by_status || w->status[e->status];
}

static enum index_sort model_sort;

/* What is unknown comes last in either direction; of equals the newest id first. */
static int in_order(const void *pa, const void *pb)
{
	const struct index_entry *a = pa, *b = pb;
	bool date = model_sort == SORT_DATE || model_sort == SORT_DATE_DESC;
	bool falling = model_sort == SORT_DATE_DESC || model_sort == SORT_DEAD_DESC || model_sort == SORT_MISSING_DESC;
	int measure = model_sort == SORT_DEAD || model_sort == SORT_DEAD_DESC ? COUNTS_DEAD : COUNTS_MISSING;
	int64_t va = date ? a->first : a->count[measure], vb = date ? b->first : b->count[measure];
	bool ka = date ? a->first != INT32_MIN : a->count[measure] >= COUNT_LEAST;
	bool kb = date ? b->first != INT32_MIN : b->count[measure] >= COUNT_LEAST;
	if (ka != kb)
		return ka ? -1 : 1;
	if (ka && va != vb)
		return (va < vb ? -1 : 1) * (falling ? -1 : 1);
	return -uuid_compare(&a->id, &b->id);
}

/* ---- comparing ---- */

static void same_pages(struct report_index *x, const struct wish *w, size_t limit, uint64_t seed)
{
	static struct index_entry list[MODEL_MAX];
	static struct index_page page;
	size_t n = 0, sees = 0, at = 0;
	char mark[MARK_MAX];
	for (size_t i = 0; i < model_n; i++) {
		sees += seen(w, &model[i]);
		if (seen(w, &model[i]) && wanted(w, &model[i]))
			list[n++] = model[i];
	}
	qsort(list, n, sizeof(*list), in_order);
	for (bool more = true, first = true; more; first = false) {
		assert_int_equal(index_page(x, &w->f, model_sort, first ? NULL : mark, limit, &page, NULL), 0);
		if (page.total != n || page.excluded != sees - n)
			fail_msg("seed %lu: %lu and %lu, not %zu and %zu", (unsigned long)seed, (unsigned long)page.total,
				 (unsigned long)page.excluded, n, sees - n);
		size_t most = limit < PAGE_MAX ? limit : PAGE_MAX, left = n - at;
		assert_int_equal(page.n, left < most ? left : most);
		for (size_t i = 0; i < page.n; i++) {
			struct index_entry e;
			index_get(x, page.row[i], &e);
			if (!uuid_equal(&e.id, &list[at + i].id))
				fail_msg("seed %lu: sort %d: another order at %zu", (unsigned long)seed, model_sort, at + i);
		}
		at += page.n;
		more = page.more;
		assert_int_equal(more, at < n);
		memcpy(mark, page.mark, sizeof(mark));
	}
	assert_int_equal(at, n);
}

static void same_totals(struct report_index *x, const struct wish *w)
{
	struct index_total got[COUNTS_MEASURES];
	uint64_t n, excluded, want_n = 0, sees = 0;
	index_totals(x, &w->f, got, &n, &excluded);
	for (size_t m = 0; m < COUNTS_MEASURES; m++) {
		struct index_total t = { 0 };
		for (size_t i = 0; i < model_n; i++) {
			int32_t v = model[i].count[m];
			if (!seen(w, &model[i]) || !wanted(w, &model[i]))
				continue;
			t.unknown += v == COUNT_UNKNOWN;
			t.not_collected += v == COUNT_NOT_COLLECTED;
			t.withheld += v == COUNT_WITHHELD;
			t.counted += v >= COUNT_LEAST;
			t.sum += v >= COUNT_LEAST ? v : 0;
		}
		assert_memory_equal(&got[m], &t, sizeof(t));
	}
	for (size_t i = 0; i < model_n; i++) {
		sees += seen(w, &model[i]);
		want_n += seen(w, &model[i]) && wanted(w, &model[i]);
	}
	assert_true(n == want_n && excluded == sees - want_n);
}

static void same_entries(struct report_index *x)
{
	assert_int_equal(index_count(x), model_n);
	for (size_t i = 0; i < model_n; i++) {
		struct index_entry e;
		const struct index_entry *m = &model[i];
		assert_true(index_find(x, &m->id, &e));
		assert_true(uuid_equal(&e.owner, &m->owner) && e.version == m->version && e.first == m->first && e.last == m->last);
		assert_true(e.lat == m->lat && e.lon == m->lon && e.causes == m->causes && e.means == m->means);
		assert_true(e.route == m->route && e.country == m->country && e.cause == m->cause && e.meansof == m->meansof);
		assert_true(e.status == m->status && e.personal == m->personal && e.precision == m->precision);
		assert_memory_equal(e.count, m->count, sizeof(e.count));
	}
	struct uuid none = { { 0 } };
	assert_false(index_find(x, &none, &(struct index_entry){ 0 }));
}

/* The columns of the overview, each as long as it says. */
static void overview_reads(struct report_index *x, const struct wish *w)
{
	static const char *const columns[] = { "id", "day", "precision", "lat", "lon", "place", "route", "country", "cause", "means",
					       "dead", "missing", "survivors", "persons" };
	struct buf b;
	json_t *v;
	size_t sees = 0;
	for (size_t i = 0; i < model_n; i++)
		sees += seen(w, &model[i]);
	buf_init(&b, 64 << 20);
	assert_int_equal(index_overview(x, &w->f, &b), 0);
	v = json_loadb((const char *)b.data, b.len, 0, NULL);
	assert_non_null(v);
	assert_int_equal(json_integer_value(json_object_get(v, "n")), sees);
	int64_t dead = 0, want = 0;
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
		assert_int_equal(json_array_size(json_object_get(v, columns[i])), sees);
	for (size_t i = 0; i < sees; i++)
		dead += json_integer_value(json_array_get(json_object_get(v, "dead"), i));
	for (size_t i = 0; i < model_n; i++)
		want += seen(w, &model[i]) ? model[i].count[COUNTS_DEAD] : 0;
	assert_true(dead == want);
	json_decref(v);
	buf_release(&b);
}

static struct report_index *filled_index(void)
{
	struct report_index *x;
	struct report_db place;
	struct store *db;
	report_db_make(&place);
	db = report_db_open(&place);
	assert_int_equal(index_new(&x), 0);
	assert_int_equal(store_begin(db, STORE_READ, NULL), 0);
	assert_int_equal(index_ready(x, db, NULL), 0); /* of nothing: from here on it is told */
	store_rollback(db);
	store_close(db);
	report_db_remove(&place);
	return x;
}

static void test_any_index_answers_as_the_model(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= prop_rounds(8); seed++) {
		struct prop p = { seed };
		struct report_index *x = filled_index();
		struct wish w;
		model_n = 0;
		for (size_t i = 0; i < OWNERS; i++)
			prop_bytes(&p, owners[i].b, 16);
		size_t puts = prop_below(&p, seed == 1 ? 5 : 300);
		puts += seed == 2 ? 5000 : 0; /* more than a chunk */
		for (size_t i = 0; i < puts; i++) {
			struct index_entry e = random_entry(&p);
			if (model_n > 0 && prop_below(&p, 4) == 0) { /* another version of one that is there, older ones too */
				const struct index_entry *old = &model[prop_below(&p, model_n)];
				e.id = old->id;
				e.owner = old->owner;
				e.version = old->version + 2 - (uint32_t)prop_below(&p, 4);
				if (e.version == old->version || e.version == 0)
					e.version = old->version + 1;
			}
			index_put(x, &e);
			model_put(&e);
		}
		same_entries(x);
		for (int k = 0; k < 40; k++) {
			static const size_t limits[] = { 1, 2, 7, 50, 200, 1000 };
			random_wish(&p, &w);
			model_sort = (enum index_sort)prop_below(&p, 6);
			size_t limit = limits[prop_below(&p, 6)];
			same_pages(x, &w, model_n > 1000 && limit < 50 ? 200 : limit, seed);
			same_totals(x, &w);
			for (size_t row = 0; row < index_count(x) && row < 300; row++) {
				struct index_entry e;
				index_get(x, row, &e);
				assert_int_equal(index_match(x, row, &w.f), seen(&w, &e) && wanted(&w, &e));
			}
		}
		overview_reads(x, &w);
		index_free(x);
	}
}

/* New reports while somebody turns pages: nothing is shown twice, nothing that was there is left out. */
static void test_pages_hold_while_reports_come(void **state)
{
	(void)state;
	for (uint64_t seed = 100; seed < 100 + prop_rounds(20); seed++) {
		struct prop p = { seed };
		struct report_index *x = filled_index();
		static struct index_page page;
		struct index_filter f = { 0 };
		char mark[MARK_MAX] = "";
		size_t before = 100 + prop_below(&p, 200), found = 0;
		static struct uuid there[MODEL_MAX];
		static bool shown[MODEL_MAX];
		for (size_t i = 0; i < before; i++) {
			struct index_entry e = random_entry(&p);
			there[i] = e.id;
			shown[i] = false;
			index_put(x, &e);
		}
		do {
			assert_int_equal(index_page(x, &f, SORT_DATE_DESC, mark[0] != '\0' ? mark : NULL, 13, &page, NULL), 0);
			for (size_t i = 0; i < page.n; i++) {
				struct index_entry e;
				index_get(x, page.row[i], &e);
				for (size_t k = 0; k < before; k++)
					if (uuid_equal(&there[k], &e.id)) {
						assert_false(shown[k]);
						shown[k] = true;
						found++;
					}
			}
			memcpy(mark, page.mark, sizeof(mark));
			struct index_entry e = random_entry(&p);
			index_put(x, &e);
		} while (page.more);
		assert_int_equal(found, before);
		index_free(x);
	}
}

static void test_what_is_no_filter_is_said(void **state)
{
	static const struct {
		const char *name, *text;
	} bad[] = { { "route", "nowhere" }, { "route", "andaman,,naf" }, { "route", "andaman," }, { "country", "XX" }, { "country", "tha" },
		    { "cause", "drowning;" }, { "status", "none" }, { "from", "yesterday" }, { "from", "2026-13" }, { "to", "2026-02-30" },
		    { "to", "unknown" }, { "means", " none" } };
	struct report_index *x = filled_index();
	static struct index_page page;
	struct index_filter f = { 0 };
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct diag d = DIAG_INIT;
		if (filter_set(&f, bad[i].name, bad[i].text, &d) != FW_EINVALID)
			fail_msg("%s=%s", bad[i].name, bad[i].text);
		assert_string_equal(d.place, bad[i].name);
	}
	f = (struct index_filter){ 0 };
	static const char *const marks[] = { "x", "_", "1", "1_", "1_x", "99999999999999999999_0192aaaa-0000-7000-8000-000000000001", "",
					     "1 _0192aaaa-0000-7000-8000-000000000001" };
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		assert_int_equal(index_page(x, &f, SORT_DATE, marks[i], 10, &page, NULL), FW_EINVALID);
	assert_int_equal(index_sort_of("size"), -1);
	assert_int_equal(index_sort_of(NULL), SORT_DATE_DESC);
	assert_int_equal(index_sort_of("-missing"), SORT_MISSING_DESC);
	index_free(x);
}

/* Filled from the store it holds what it was told when the reports were written. */
static void test_the_store_says_the_same(void **state)
{
	struct report_db place;
	struct report_index *told = filled_index(), *read;
	struct incident inc;
	struct arena *mem = arena_new(32 << 20);
	(void)state;
	report_db_make(&place);
	struct store *db = report_db_open(&place);
	incident_init(&inc);
	model_n = 0;
	assert_int_equal(store_begin(db, STORE_WRITE, NULL), 0);
	for (uint64_t seed = 700; seed < 700 + prop_rounds(150); seed++) {
		struct prop p = { seed };
		struct report_head h = { .owner = owners[prop_below(&p, OWNERS)], .id = uuid_new(), .version = 1, .author = uuid_new(),
					 .reason = "written", .status = "submitted" };
		for (int64_t last = 1 + (int64_t)prop_below(&p, 3); h.version <= last; h.version++) {
			struct index_entry e;
			random_incident(&p, &inc, 1 + (unsigned)prop_below(&p, 4), 4, mem);
			if (h.version > 1)
				assert_int_equal(report_supersede(db, &h.owner, &h.id, h.version - 1, NULL), 0);
			assert_int_equal(report_add(db, &h, &inc, NULL), 0);
			index_entry_of(&e, &h, &inc);
			index_put(told, &e);
			model_put(&e);
			arena_reset(mem);
		}
	}
	assert_int_equal(store_commit(db, NULL), 0);
	assert_int_equal(index_new(&read), 0);
	assert_int_equal(store_begin(db, STORE_READ, NULL), 0);
	assert_int_equal(index_ready(read, db, NULL), 0);
	same_entries(told);
	same_entries(read);
	/* One that may lack something is filled anew. */
	uint64_t version = index_version(told);
	index_stale(told);
	assert_int_equal(index_ready(told, db, NULL), 0);
	assert_true(index_version(told) > version);
	same_entries(told);
	/* For every n: the n-th allocation fails, and the next call has it all. */
	for (uint64_t n = 1, hit = 1; hit != 0; n++) {
		index_stale(read);
		mem_fault_at(n);
		int r = index_ready(read, db, NULL);
		hit = mem_fault_hit();
		mem_fault_at(0);
		assert_int_equal(r, hit != 0 ? -12 : 0);
		store_rollback(db); /* as its callers do: a cursor that found no memory ends PostgreSQL's transaction */
		assert_int_equal(store_begin(db, STORE_READ, NULL), 0);
		assert_int_equal(index_ready(read, db, NULL), 0);
		same_entries(read);
	}
	store_rollback(db);
	index_free(told);
	index_free(read);
	incident_release(&inc);
	arena_free(mem);
	store_close(db);
	report_db_remove(&place);
}

static int start(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_index_answers_as_the_model),
		cmocka_unit_test(test_pages_hold_while_reports_come),
		cmocka_unit_test(test_what_is_no_filter_is_said),
		cmocka_unit_test(test_the_store_says_the_same),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
