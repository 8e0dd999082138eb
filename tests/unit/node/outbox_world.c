/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "outbox_world.h"

#include "test.h"

#include <libpq-fe.h>

#include "base/arena.h"
#include "gen/sql.h"

bool world_healed;

/* ---- the clock ---- */

static int64_t waited_us;
usec_t __real_time_mono(void);
usec_t __wrap_time_mono(void);
usec_t __wrap_time_mono(void)
{
	return __real_time_mono() + waited_us;
}

void world_wait_ms(int64_t ms)
{
	waited_us += ms * 1000;
}

/* ---- what vaults take ---- */

/* So that a row of the same subject in the receiver's own outbox holds nothing back. */
static struct uuid turned(const struct uuid *u)
{
	struct uuid t = *u;
	for (size_t i = 0; i < sizeof(t.b); i++)
		t.b[i] ^= 0xff;
	return t;
}

static int keep(struct worker *w, struct store *db, const struct uuid *subject, const uint8_t *body, size_t n,
		struct diag *reterr)
{
	struct uuid key, t = turned(subject);
	return outbox_put(db, worker_vault(w), "applied", &t, body, n, &key, reterr);
}

#define APPLY(name)                                                                                                    \
	static int name(struct worker *w, struct store *db, int from, const struct uuid *key,                          \
			const struct uuid *subject, const uint8_t *body, size_t n, struct buf *receipt,                \
			struct diag *reterr)

APPLY(take_note)
{
	(void)from;
	(void)key;
	buf_puts(receipt, "noted");
	return keep(w, db, subject, body, n, reterr);
}

APPLY(take_silent)
{
	(void)from;
	(void)key;
	(void)receipt;
	return keep(w, db, subject, body, n, reterr);
}

APPLY(take_wordy)
{
	(void)from;
	(void)key;
	for (int i = 0; i < OUTBOX_RECEIPT_MAX; i++)
		buf_putc(receipt, 'w');
	return keep(w, db, subject, body, n, reterr);
}

APPLY(take_talkative)
{
	int err = take_wordy(w, db, from, key, subject, body, n, receipt, reterr);
	buf_putc(receipt, '!');
	return err;
}

APPLY(take_nonsense)
{
	(void)from;
	(void)key;
	buf_put(receipt, "a\0\xff", 3);
	return keep(w, db, subject, body, n, reterr);
}

APPLY(take_poison)
{
	(void)from;
	(void)key;
	buf_puts(receipt, "not to be seen");
	int err = keep(w, db, subject, body, n, reterr);
	return err != 0 ? err : diag_set(reterr, FW_EINVALID, "number %u is not acceptable", (unsigned)body[0]);
}

APPLY(take_late)
{
	(void)from;
	(void)key;
	(void)receipt;
	int err = keep(w, db, subject, body, n, reterr);
	return err != 0 ? err : diag_set(reterr, FW_EBUSY, "not now");
}

/* The same key twice in the inbox. */
APPLY(take_clash)
{
	const struct store_value add[] = { sv_int(from), sv_uuid(key), sv_int(1), sv_text("") };
	int err = keep(w, db, subject, body, n, reterr);
	(void)receipt;
	for (int i = 0; err == 0 && i < 2; i++)
		err = store_exec(db, SQL_INBOX_ADD, add, 4, NULL, reterr);
	return err;
}

APPLY(take_healing)
{
	return world_healed ? take_note(w, db, from, key, subject, body, n, receipt, reterr) :
			      take_poison(w, db, from, key, subject, body, n, receipt, reterr);
}

static const struct apply_row applies[] = { { "note", take_note },	     { "silent", take_silent },
					    { "wordy", take_wordy },	     { "talkative", take_talkative },
					    { "nonsense", take_nonsense }, { "poison", take_poison },
					    { "late", take_late },	     { "clash", take_clash },
					    { "healing", take_healing },   { NULL, NULL } };

/* ---- stores ---- */

void world_url(const struct world *o, int v, char url[WORLD_URL])
{
	const char *pg = getenv("FAIRWAY_TEST_PG");
	if (pg != NULL)
		(void)snprintf(url, WORLD_URL, "%s&options=-csearch_path%%3Do%s_%s", pg, strrchr(o->folder, '-') + 1, vault_rows[v].name);
	else
		(void)snprintf(url, WORLD_URL, "sqlite:%s/%s.db", o->folder, vault_rows[v].name);
}

/* Past bad weather, if there is any. */
static void each_schema(const struct world *o, const char *verb, const char *rest)
{
	const char *direct = getenv("FAIRWAY_TEST_PG_DIRECT"), *pg = direct != NULL ? direct : getenv("FAIRWAY_TEST_PG");
	PGconn *c = pg != NULL ? PQconnectdb(pg) : NULL;
	for (int v = 0; c != NULL && v < SIDES; v++) {
		char sql[120];
		(void)snprintf(sql, sizeof(sql), "SET client_min_messages = error; %s SCHEMA o%s_%s %s", verb, strrchr(o->folder, '-') + 1,
			       vault_rows[v].name, rest);
		PGresult *r = PQexec(c, sql);
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			fail_msg("%s: %s", sql, PQerrorMessage(c));
		PQclear(r);
	}
	PQfinish(c);
}

/* ---- processes ---- */

static const enum proc procs[SIDES] = { [VAULT_STRATEGIC] = PROC_STRATEGIC,
					[VAULT_OPERATIONAL] = PROC_OPERATIONAL,
					[VAULT_PROTECTION] = PROC_PROTECTION };

static void join(struct world *o, int a, int b)
{
	bool joined = a != b && o->w[a] != NULL && o->w[b] != NULL && !o->cut[a][b];
	if (o->w[a] != NULL)
		fake_worker_set_peer(o->w[a], procs[b], joined ? &o->chan[a][b] : NULL);
}

static void join_all(struct world *o)
{
	for (int a = 0; a < SIDES; a++)
		for (int b = 0; b < SIDES; b++)
			join(o, a, b);
}

static void open_channel(struct world *o, int a, int b)
{
	chan_init(&o->chan[a][b], -1, procs[a], procs[b], false);
	/* Never read or written: what is queued is what is sent. */
	o->chan[a][b].fd = INT32_MAX;
}

void world_rejoin(struct world *o)
{
	for (int a = 0; a < SIDES; a++)
		for (int b = 0; b < SIDES; b++)
			if (!chan_open(&o->chan[a][b]))
				open_channel(o, a, b);
}

void world_cut(struct world *o, int v, int to, bool cut)
{
	o->cut[v][to] = cut;
	join_all(o);
}

void world_start(struct world *o, int v)
{
	static struct task_row tasks[2];
	static struct vault_def defs[SIDES];
	char url[WORLD_URL];
	tasks[0] = outbox_task;
	defs[v] = (struct vault_def){ .vault = v, .tasks = tasks, .applies = applies };
	world_url(o, v, url);
	assert_null(o->w[v]);
	o->w[v] = fake_worker_new(&defs[v], url, NULL, 0);
	join_all(o);
}

void world_crash(struct world *o, int v)
{
	struct worker *w = o->w[v];
	for (size_t k = o->nletters; k-- > 0;)
		if (o->letters[k].from == v || o->letters[k].to == v)
			world_lose(o, k);
	for (int i = 0; i < SIDES; i++) {
		buf_clear(&o->chan[v][i].out);
		buf_clear(&o->chan[i][v].out);
	}
	if (w == NULL)
		return;
	void *sender = worker_get(w, "outbox");
	o->w[v] = NULL;
	join_all(o);
	fake_worker_free(w);
	mem_free(sender);
}

void world_up(struct world *o)
{
	*o = (struct world){ .nletters = 0 };
	world_healed = false;
	(void)snprintf(o->folder, sizeof(o->folder), "/tmp/fairway-outbox-XXXXXX");
	assert_non_null(mkdtemp(o->folder));
	each_schema(o, "CREATE", "");
	for (int a = 0; a < SIDES; a++)
		for (int b = 0; b < SIDES; b++)
			open_channel(o, a, b);
	for (int v = 0; v < SIDES; v++)
		world_start(o, v);
}

void world_down(struct world *o)
{
	char cmd[100];
	for (int v = 0; v < SIDES; v++) {
		world_crash(o, v);
		store_close(o->look[v]);
	}
	for (int a = 0; a < SIDES; a++)
		for (int b = 0; b < SIDES; b++) {
			o->chan[a][b].fd = -1;
			chan_close(&o->chan[a][b]);
		}
	each_schema(o, "DROP", "CASCADE");
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", o->folder);
	assert_int_equal(system(cmd), 0);
}

/* ---- rows ---- */

struct putting {
	int to;
	const char *kind;
	const struct uuid *subject;
	uint32_t number;
	bool undo;
};

static int put(struct worker *w, struct store *db, void *arg, struct diag *reterr)
{
	const struct putting *p = arg;
	struct uuid key;
	(void)w;
	int err = outbox_put(db, p->to, p->kind, p->subject, &p->number, sizeof(p->number), &key, reterr);
	return err == 0 && p->undo ? FW_EBUSY : err;
}

int world_put(struct world *o, int v, int to, const char *kind, const struct uuid *subject, uint32_t number)
{
	struct putting p = { to, kind, subject, number, false };
	int err = worker_tx(o->w[v], put, &p, NULL);
	if (err == 0)
		outbox_wake(o->w[v], NULL);
	return err;
}

int world_put_and_undo(struct world *o, int v, int to, const char *kind, const struct uuid *subject, uint32_t number)
{
	struct putting p = { to, kind, subject, number, true };
	return worker_tx(o->w[v], put, &p, NULL);
}

/* ---- the road ---- */

static void collect(struct world *o, int a, int b)
{
	struct buf *out = &o->chan[a][b].out;
	for (size_t at = 0; at < out->len;) {
		struct cursor cur;
		assert_true(o->nletters < LETTERS);
		struct letter *l = &o->letters[o->nletters++];
		cur_init(&cur, out->data + at, out->len - at);
		uint32_t len = cur_u32(&cur);
		*l = (struct letter){ .from = a, .to = b, .type = cur_u16(&cur) };
		(void)cur_u16(&cur);
		l->tag = cur_u64(&cur);
		l->n = len - (CHAN_HEAD - 4);
		l->bytes = malloc(l->n);
		assert_non_null(l->bytes);
		cur_copy(&cur, l->bytes, l->n);
		assert_int_equal(cur_error(&cur), 0);
		/* What the table says is held on the way in too. */
		assert_true(l->n >= message_rows[l->type].min && l->n <= message_rows[l->type].max);
		at += 4 + len;
	}
	buf_clear(out);
}

static void collect_all(struct world *o)
{
	for (int a = 0; a < SIDES; a++)
		for (int b = 0; b < SIDES; b++)
			collect(o, a, b);
}

size_t world_send(struct world *o, int v)
{
	(void)fake_run_task(o->w[v], "outbox", 1);
	collect_all(o);
	return o->nletters;
}

void world_lose(struct world *o, size_t k)
{
	free(o->letters[k].bytes);
	memmove(&o->letters[k], &o->letters[k + 1], (o->nletters - k - 1) * sizeof(*o->letters));
	o->nletters--;
}

void world_lose_all(struct world *o)
{
	while (o->nletters > 0)
		world_lose(o, o->nletters - 1);
}

int world_deliver(struct world *o, size_t k, bool take)
{
	const struct letter *l = &o->letters[k];
	struct message m = { .type = l->type, .tag = l->tag, .fd = -1 };
	int to = l->to;
	cur_init(&m.body, l->bytes, l->n);
	int err = outbox_on_message(o->w[to], &o->chan[to][l->from], &m);
	if (take)
		world_lose(o, k);
	collect_all(o);
	return err;
}

size_t world_letters(const struct world *o, uint16_t type)
{
	size_t n = 0;
	for (size_t i = 0; i < o->nletters; i++)
		n += o->letters[i].type == type;
	return n;
}

/* Time passes after each round in which nothing moved, until every wait that there is has ended. */
void world_settle(struct world *o)
{
	for (int still = 0; still < 6;) {
		int64_t before = 0, after = 0;
		for (int v = 0; v < SIDES; v++)
			before += world_rows(o, v, OUTBOX_DONE, NULL);
		for (int v = 0; v < SIDES; v++)
			(void)world_send(o, v);
		while (o->nletters > 0)
			assert_int_equal(world_deliver(o, 0, true), 0);
		for (int v = 0; v < SIDES; v++)
			after += world_rows(o, v, OUTBOX_DONE, NULL);
		if (after == before) {
			world_wait_ms(still < 4 ? 10000 : 601000);
			still++;
		} else {
			still = 0;
		}
	}
}

/* ---- looking ---- */

static struct store *look(struct world *o, int v)
{
	char url[WORLD_URL];
	struct diag d = DIAG_INIT;
	world_url(o, v, url);
	const struct store_options opt = { .url = url, .role = STORE_ROLE_TEST, .vault = vault_rows[v].name };
	if (o->look[v] == NULL && store_open(&opt, &o->look[v], &d) != 0)
		fail_msg("%s: %s", url, d.text);
	return o->look[v];
}

size_t world_applied(struct world *o, int v, struct applied *ret)
{
	const struct store_value args[] = { sv_int(v) };
	struct store *s = look(o, v);
	struct store_rows *rows = NULL;
	size_t n = 0, len;
	assert_int_equal(store_query(s, SQL_OUTBOX_WORLD_APPLIED, args, 1, &rows, NULL), 0);
	while (store_next(rows, NULL) == 1) {
		struct uuid t = store_uuid(rows, 1);
		assert_true(n < APPLIED);
		ret[n].key = store_uuid(rows, 0);
		ret[n].subject = turned(&t);
		const uint8_t *p = store_bytes(rows, 2, &len);
		assert_int_equal(len, sizeof(ret[n].number));
		memcpy(&ret[n++].number, p, len);
	}
	store_rows_close(rows);
	return n;
}

int64_t world_rows(struct world *o, int v, int state, int64_t *ret_bytes)
{
	const struct store_value args[] = { sv_int(v) };
	struct store *s = look(o, v);
	struct store_rows *rows = NULL;
	int64_t n = 0, bytes = 0;
	assert_int_equal(store_query(s, SQL_OUTBOX_WORLD_STATES, args, 1, &rows, NULL), 0);
	while (store_next(rows, NULL) == 1)
		if (store_int(rows, 0) == state) {
			n = store_int(rows, 1);
			bytes = store_int(rows, 2);
		}
	store_rows_close(rows);
	if (ret_bytes != NULL)
		*ret_bytes = bytes;
	return n;
}

static int64_t count(struct world *o, int v, size_t col)
{
	struct store *s = look(o, v);
	struct store_rows *rows = NULL;
	assert_int_equal(store_one(s, SQL_OUTBOX_WORLD_COUNTS, NULL, 0, &rows, NULL), 0);
	int64_t n = store_int(rows, col);
	store_rows_close(rows);
	return n;
}

int64_t world_inbox(struct world *o, int v)
{
	return count(o, v, 0);
}

int64_t world_ledger(struct world *o, int v)
{
	return count(o, v, 1);
}

struct outbox_row world_newest(struct world *o, int v, const struct uuid *subject)
{
	struct outbox_row r[1];
	size_t n = 0;
	struct store *s = look(o, v);
	assert_int_equal(store_begin(s, STORE_READ, NULL), 0);
	assert_int_equal(outbox_of_subject(s, subject, r, 1, &n, NULL), 0);
	store_rollback(s);
	assert_int_equal(n, 1);
	return r[0];
}
