/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "import_world.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/io.h"
#include "domain/report/report_int.h"
#include "domain/report/report_record.h"
#include "gen/tables.h"
#include "reading.h"

enum { DRIVEN_MAX = 100000, RECORD = 4 << 20 };

/* ---- scripts ---- */

void script_release(struct script *s)
{
	buf_release(&s->items);
	*s = (struct script){ 0 };
}

void script_of_bytes(struct script *s, const void *p, size_t n)
{
	script_release(s);
	buf_init(&s->items, 64 << 20);
	buf_put(&s->items, p, n);
	s->cut[s->n++] = n;
}

void script_of_file(struct script *s, const void *p, size_t n)
{
	struct diag d = DIAG_INIT;
	struct buf items;
	int code = reading_test_run(p, n, 0, "", &items, &d);
	script_of_bytes(s, items.data, items.len);
	buf_release(&items);
	s->code = code;
	s->words = code != 0 ? "The file is none." : "";
}

void script_cut(struct script *s, size_t per, struct prop *p)
{
	struct cursor c;
	struct incident inc;
	struct test_item item;
	size_t left = per;
	incident_init(&inc);
	cur_init(&c, s->items.data, s->items.len);
	s->n = 0;
	while (next_item(&c, &inc, &item)) {
		bool last = cur_left(&c) == 0;
		left = per > 0 ? left - 1 : prop_below(p, 3);
		if (left > 0 && !last)
			continue;
		assert_true(s->n < CUTS);
		s->cut[s->n++] = c.pos;
		left = per;
	}
	incident_release(&inc);
}

/* ---- the reader that is none: node/process/reading.c in its place ---- */

struct reading {
	const struct reading_callbacks *cb;
	void *arg;
	int fd;
	size_t next;
	bool active, busy;
};
static struct reading reader;
static struct world *the_world;

int reading_start(struct worker *w, const char *kind, const char *layout, int fd, const struct reading_callbacks *cb,
		  void *arg, struct reading **ret, struct diag *reterr)
{
	(void)w;
	(void)layout;
	(void)reterr;
	assert_string_equal(kind, "report");
	assert_false(reader.active);
	reader = (struct reading){ .cb = cb, .arg = arg, .fd = fd, .active = true };
	*ret = &reader;
	return 0;
}

void reading_go(struct reading *r)
{
	assert_ptr_equal(r, &reader);
	r->busy = false;
}

void reading_stop(struct reading *r)
{
	assert_true(r->active);
	(void)io_close(r->fd);
	r->active = false;
}

uint64_t reading_bytes(const struct reading *r)
{
	return r->next * 100;
}

static void reader_done(int code, const char *words)
{
	reading_stop(&reader);
	reader.cb->on_done(reader.arg, code, words);
}

/* One batch or the end. False if there is no reader, or it waits. */
static bool reader_says(size_t *batches)
{
	const struct script *s = &the_world->script;
	if (!reader.active || reader.busy)
		return false;
	if (s->none) {
		reader_done(FW_EBUSY, "none");
		return true;
	}
	if (reader.next == s->n) {
		reader_done(s->code, s->words);
		return true;
	}
	if (*batches == 0)
		return false;
	(*batches)--;
	struct cursor c;
	size_t from = reader.next > 0 ? s->cut[reader.next - 1] : 0;
	cur_init(&c, s->items.data + from, s->cut[reader.next] - from);
	reader.next++;
	reader.busy = true;
	int r = reader.cb->on_records(reader.arg, &c);
	if (r != 0)
		reader_done(r, err_text(r));
	return true;
}

/* ---- the vault ---- */

static int may_all(struct worker *w, struct store *db, const struct uuid *account, uint64_t *ret, struct diag *reterr)
{
	(void)w;
	(void)db;
	(void)account;
	(void)reterr;
	*ret = UINT64_C(1) << perm_rows[PERM_REPORT_READ].bit | UINT64_C(1) << perm_rows[PERM_REPORT_IMPORT].bit;
	return 0;
}

static const struct vault_def *def(void)
{
	static const struct call_row *const tables[] = { report_calls, NULL };
	static struct task_row tasks[3];
	static struct vault_def vault;
	tasks[0] = report_import_task;
	tasks[1] = report_keep_task;
	vault = (struct vault_def){ .vault = VAULT_STRATEGIC, .calls = tables, .tasks = tasks, .start = report_start,
				    .end = report_end, .permissions = may_all };
	return &vault;
}

static void open_vault(struct world *x)
{
	x->w = fake_worker_new(def(), x->place.url, x->settings, x->nsettings);
	/* Given after the start, so that files no import names stay for a look at them. */
	((struct wire_boot *)(uintptr_t)worker_boot(x->w))->folder = x->place.dir;
	the_world = x;
}

void world_up(struct world *x, const struct wire_pair *settings, size_t nsettings)
{
	*x = (struct world){ .settings = settings, .nsettings = nsettings };
	report_db_make(&x->place);
	(void)snprintf(x->spool, sizeof(x->spool), "%s/spool", x->place.dir);
	assert_int_equal(mkdir(x->spool, 0700), 0);
	reader = (struct reading){ 0 };
	open_vault(x);
}

void world_down(struct world *x)
{
	fake_worker_free(x->w);
	script_release(&x->script);
	(void)rmdir(x->spool);
	report_db_remove(&x->place);
}

void world_restart(struct world *x)
{
	fake_worker_free(x->w);
	open_vault(x);
}

/* ---- officers ---- */

static struct ticket officer(const struct uuid *owner)
{
	struct ticket t = { .agency = *owner, .account = { { 7 } }, .session = { { 8 } } };
	return t;
}

int world_try_hand_in(struct world *x, const struct uuid *owner, struct uuid *ret)
{
	char path[200], id[UUID_TEXT_LEN + 1];
	struct uuid spool = uuid_new();
	struct ticket t = officer(owner);
	struct fake_answer a;
	uuid_format(&spool, id);
	(void)snprintf(path, sizeof(path), "%s/%s", x->spool, id);
	int fd = io_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(io_write(fd, "x", 1), 0);
	(void)io_close(fd);
	fake_call(x->w, &(struct fake_request){ .op = OP_START_IMPORT, .who = &t, .query = { { "file", "some.csv" } }, .upload = path,
						.upload_size = 1 },
		  &a);
	int status = a.status;
	if (status == 202)
		assert_int_equal(uuid_parse(fake_text(&a, "id"), ret), 0);
	else
		assert_int_equal(io_unlink(path), 0); /* as the worker does */
	fake_answer_release(&a);
	return status;
}

struct uuid world_hand_in(struct world *x, const struct uuid *owner)
{
	struct uuid id;
	assert_int_equal(world_try_hand_in(x, owner, &id), 202);
	return id;
}

size_t world_imports(struct world *x, const struct uuid *owner)
{
	struct ticket t = officer(owner);
	struct fake_answer a;
	fake_call(x->w, &(struct fake_request){ .op = OP_LIST_IMPORTS, .who = &t }, &a);
	assert_int_equal(a.status, 200);
	size_t n = json_array_size(json_object_get(a.json, "imports"));
	fake_answer_release(&a);
	return n;
}

void world_drive(struct world *x, size_t batches)
{
	for (unsigned n = 0;; n++) {
		assert_true(n < DRIVEN_MAX);
		(void)fake_run_task(x->w, "report_import", 10000);
		if (!reader_says(&batches) && !fake_was_woken(x->w, "report_import"))
			return;
	}
}

static int64_t number(const struct fake_answer *a, const char *name)
{
	return json_integer_value(json_object_get(a->json, name));
}

static struct standing ask(struct world *x, int op, const struct uuid *owner, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1];
	struct ticket t = officer(owner);
	struct fake_answer a;
	uuid_format(id, text);
	fake_call(x->w, &(struct fake_request){ .op = op, .who = &t, .param = { text } }, &a);
	struct standing s = { .status = a.status, .rows = number(&a, "rows"), .added = number(&a, "added"),
			      .changed = number(&a, "changed"), .same = number(&a, "same"), .refused = number(&a, "refused"),
			      .problems = (int64_t)json_array_size(json_object_get(a.json, "problems")) };
	(void)snprintf(s.state, sizeof(s.state), "%s", fake_text(&a, "state"));
	(void)snprintf(s.message, sizeof(s.message), "%s", a.status == 200 ? fake_text(&a, "message") : a.diag.text);
	fake_answer_release(&a);
	return s;
}

struct standing world_see(struct world *x, const struct uuid *owner, const struct uuid *id)
{
	return ask(x, OP_SEE_IMPORT, owner, id);
}

struct standing world_cancel(struct world *x, const struct uuid *owner, const struct uuid *id)
{
	return ask(x, OP_CANCEL_IMPORT, owner, id);
}

void world_refused(struct world *x, const struct uuid *owner, const struct uuid *id, struct buf *out)
{
	char text[UUID_TEXT_LEN + 1];
	struct ticket t = officer(owner);
	struct fake_answer a;
	uuid_format(id, text);
	buf_init(out, 8 << 20);
	assert_int_equal(fake_call_stream(x->w, &(struct fake_request){ .op = OP_SEE_REFUSED, .who = &t, .param = { text } }, &a, out), 0);
	assert_true(a.status == 200 || a.status == 404);
	if (a.status == 404) /* their time is over */
		buf_puts(out, "\n");
	fake_answer_release(&a);
}

/* ---- what is there ---- */

static void digest_one(struct store *db, const struct index_entry *e, struct incident *inc, struct arena *mem, struct buf *b,
		       uint8_t sum[DIGEST])
{
	struct report_head h;
	uint8_t hash[DIGEST];
	assert_int_equal(report_load(db, &e->owner, &e->id, e->version, &h, inc, mem, NULL), 0);
	buf_clear(b);
	record_put(b, inc);
	assert_false(buf_failed(b));
	assert_int_equal(crypto_generichash(hash, DIGEST, b->data, b->len, NULL, 0), 0);
	for (size_t i = 0; i < DIGEST; i++)
		sum[i] ^= hash[i];
	arena_reset(mem);
}

size_t world_digest(struct world *x, const struct uuid *owner, uint8_t ret[DIGEST])
{
	struct report_index *index;
	struct store *db = worker_store(x->w);
	struct arena *mem = arena_new(8 << 20);
	struct incident inc;
	struct buf b;
	size_t n = 0;
	incident_init(&inc);
	buf_init(&b, RECORD);
	memset(ret, 0, DIGEST);
	assert_int_equal(index_new(&index), 0);
	assert_int_equal(store_begin(db, STORE_READ, NULL), 0);
	assert_int_equal(index_ready(index, db, NULL), 0);
	for (size_t row = 0; row < index_count(index); row++) {
		struct index_entry e;
		index_get(index, row, &e);
		if (!uuid_equal(&e.owner, owner))
			continue;
		digest_one(db, &e, &inc, mem, &b, ret);
		n++;
	}
	store_rollback(db);
	index_free(index);
	incident_release(&inc);
	buf_release(&b);
	arena_free(mem);
	return n;
}

static size_t lines_of(const struct buf *b)
{
	size_t n = 0;
	for (size_t i = 0; i < b->len; i++)
		n += b->data[i] == '\n';
	return n;
}

void world_check(struct world *x, const struct uuid *owner, const struct uuid *id)
{
	struct report_index *fresh, *live = report_of(x->w)->index;
	struct store *db = worker_store(x->w);
	struct standing s = world_see(x, owner, id);
	struct buf refused;
	size_t own = 0;
	if (s.status != 200)
		fail_msg("%d %s", s.status, s.message);
	assert_true(s.rows == s.added + s.changed + s.same + s.refused);
	assert_int_equal(index_new(&fresh), 0);
	assert_int_equal(store_begin(db, STORE_READ, NULL), 0);
	assert_int_equal(index_ready(fresh, db, NULL), 0);
	assert_int_equal(index_ready(live, db, NULL), 0); /* as every answer does first */
	store_rollback(db);
	assert_int_equal(index_count(fresh), index_count(live));
	for (size_t row = 0; row < index_count(fresh); row++) {
		struct index_entry a, b;
		memset(&a, 0, sizeof(a));
		memset(&b, 0, sizeof(b));
		index_get(fresh, row, &a);
		assert_true(index_find(live, &a.id, &b));
		assert_true(uuid_equal(&a.owner, &b.owner) && a.version == b.version && a.first == b.first && a.last == b.last);
		assert_true(a.lat == b.lat && a.lon == b.lon && a.causes == b.causes && a.means == b.means && a.route == b.route);
		assert_true(a.country == b.country && a.cause == b.cause && a.meansof == b.meansof && a.status == b.status);
		assert_true(a.precision == b.precision && a.position == b.position && a.personal == b.personal);
		assert_memory_equal(a.count, b.count, sizeof(a.count));
		own += uuid_equal(&a.owner, owner);
	}
	index_free(fresh);
	assert_int_equal(own, s.added);
	world_refused(x, owner, id, &refused);
	assert_int_equal(lines_of(&refused), s.refused + 1);
	buf_release(&refused);
}

void sample(const char *name, struct buf *out)
{
	char path[4096];
	const char *source = getenv("FAIRWAY_SOURCE");
	(void)snprintf(path, sizeof(path), "%s/tests/data/report/%s", source != NULL ? source : ".", name);
	buf_init(out, 1 << 20);
	assert_int_equal(io_read_file(path, out, NULL), 0);
}
