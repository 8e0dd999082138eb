/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The ledger as a worker has it: pages and verification over HTTP, the task, and a keeper that dies at bad moments. */
#include "fake_worker.h"

#include "test.h"

#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gen/sql.h"
#include "gen/tables.h"
#include "node/keys/keys.h"
#include "node/ledger/checkpoint.h"
#include "node/ledger/ledger.h"
#include "node/ledger/ledger_routes.h"
#include "node/ledger/signer.h"
#include "store/store.h"
#include "base/arena.h"
#include "tbl/find.h"
#include "tbl/shape.h"

static char folder[64], url[100], origin[CHECKPOINT_ORIGIN_MAX + 1];
static struct node_keys *keys;
static struct signer sg;
static uint8_t pk[32];
static struct worker *w;

/* ---- a keeper on a thread ---- */

enum keeper_mood { KEEPS, SIGNS_AND_IS_SILENT, SIGNS_SOMETHING_ELSE, SAYS_NONSENSE };
static struct chan here, there;
static pthread_t keeper_thread;
static _Atomic int mood;

static void answer(struct message *m)
{
	struct buf reply;
	bool made;
	int audit;
	buf_init(&reply, 4096);
	assert_int_equal(m->type, MSG_SIGN_ASK);
	assert_int_equal(signer_answer(&sg, origin, &m->body, &reply, &made, &audit, NULL), 0);
	if (mood == SAYS_NONSENSE) {
		buf_clear(&reply);
		buf_u8(&reply, 9);
	}
	if (mood == SIGNS_SOMETHING_ELSE) {
		char text[CHECKPOINT_OURS_MAX];
		struct ledger_head h = { .size = 1 };
		(void)checkpoint_format(origin, &h, node_keys_secret(keys), pk, text, sizeof(text));
		buf_clear(&reply);
		buf_u8(&reply, SIGN_DONE);
		buf_str(&reply, text);
	}
	if (mood != SIGNS_AND_IS_SILENT)
		(void)chan_send(&there, MSG_SIGN, m->tag, reply.data, reply.len);
	(void)chan_flush(&there);
	buf_release(&reply);
}

static void *keeper(void *arg)
{
	(void)arg;
	for (;;) {
		struct message m;
		int got = chan_next(&there, &m);
		if (got > 0)
			answer(&m);
		else if (got < 0 || poll(&(struct pollfd){ .fd = there.fd, .events = POLLIN }, 1, -1) < 0 ||
			 chan_fill(&there) < 0)
			return NULL;
	}
}

/* ---- set up ---- */

static int permissions(struct worker *wk, struct store *db, const struct uuid *account, uint64_t *ret, struct diag *d)
{
	(void)wk;
	(void)db;
	(void)d;
	*ret = account->b[0] == 1 ? UINT64_C(1) << perm_rows[PERM_OPERATIONAL_LEDGER].bit : 0;
	return 0;
}

static const struct call_row *const calls[] = { ledger_calls, NULL };
static struct task_row tasks[2];
static struct vault_def def = { .vault = VAULT_OPERATIONAL, .calls = calls, .tasks = tasks, .permissions = permissions };
static struct ticket auditor = { .account = { { 1 } } }, nobody = { .account = { { 2 } } };
static const struct wire_pair settings[] = { { "ledger.checkpoint_seconds", "1" } };

static int up(void **state)
{
	(void)state;
	char path[100];
	int fd[2];
	(void)snprintf(folder, sizeof(folder), "/tmp/fairway-lw-XXXXXX");
	assert_int_equal(keys_start(), 0);
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/node.key", folder);
	(void)snprintf(url, sizeof(url), "sqlite:%s/operational.db", folder);
	assert_int_equal(node_keys_create(path, NULL), 0);
	assert_int_equal(node_keys_load(path, &keys, NULL), 0);
	node_keys_public(keys, pk);
	sg = (struct signer){ folder, NULL, keys };
	tasks[0] = ledger_task;
	w = fake_worker_new(&def, url, settings, 1);
	assert_int_equal(ledger_origin(worker_boot(w)->origin, VAULT_OPERATIONAL, origin, NULL), 0);
	assert_int_equal(signer_create(&sg, origin, NULL), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	chan_init(&here, fd[0], PROC_OPERATIONAL, PROC_KEEPER, false);
	chan_init(&there, fd[1], PROC_KEEPER, PROC_OPERATIONAL, false);
	fake_worker_set_keeper(w, &here, pk);
	mood = KEEPS;
	return pthread_create(&keeper_thread, NULL, keeper, NULL);
}

static int down(void **state)
{
	(void)state;
	char cmd[100];
	void *st = worker_get(w, "ledger");
	fake_worker_free(w);
	mem_free(st);
	(void)shutdown(here.fd >= 0 ? here.fd : there.fd, SHUT_RDWR);
	if (here.fd >= 0)
		chan_close(&here);
	(void)pthread_join(keeper_thread, NULL);
	chan_close(&there);
	node_keys_free(keys);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", folder);
	return system(cmd);
}

struct adding {
	unsigned n;
	int event;
};

static int add_tx(struct store *s, void *arg, struct diag *reterr)
{
	const struct adding *a = arg;
	ledger_writer_rollback(worker_ledger(w));
	for (unsigned i = 0; i < a->n; i++) {
		struct ledger_note note = { .event = a->event, .account = auditor.account, .purpose = "statistics",
					    .route = "export_incidents", .detail = "{\"rows\":\"\\\"5\"}" };
		int err = ledger_append(s, worker_ledger(w), &note, NULL, reterr);
		if (err < 0)
			return err;
	}
	return 0;
}

static void add(unsigned n, int event)
{
	struct adding a = { n, event };
	assert_int_equal(store_tx(worker_store(w), STORE_WRITE, add_tx, &a, NULL), 0);
	ledger_writer_commit(worker_ledger(w));
}

/* The task as it runs a second and more after the last time. */
static void tick(void)
{
	(void)fake_run_task(w, "ledger", 100);
	(void)usleep(1010000);
}

static json_t *page(const char *after, const char *event, struct fake_answer *a)
{
	struct fake_request rq = { .op = OP_READ_LEDGER, .who = &auditor };
	size_t n = 0;
	if (after != NULL)
		rq.query[n++] = (struct wire_pair){ "after", after };
	if (event != NULL)
		rq.query[n] = (struct wire_pair){ "event", event };
	fake_call(w, &rq, a);
	if (a->status == 200)
		assert_int_equal(shape_check(shape_find("LedgerPage"), a->json, &a->diag), 0);
	return json_object_get(a->json, "entries");
}

static json_t *verdict(const char *body, struct fake_answer *a)
{
	struct fake_request rq = { .op = OP_VERIFY_LEDGER, .who = &auditor, .body = body };
	fake_call(w, &rq, a);
	assert_int_equal(a->status, 200);
	assert_int_equal(shape_check(shape_find("LedgerVerdict"), a->json, &a->diag), 0);
	return a->json;
}

/* ---- tests ---- */

static void test_only_with_the_permission(void **state)
{
	(void)state;
	struct fake_answer a;
	fake_call(w, &(struct fake_request){ .op = OP_READ_LEDGER, .who = &nobody }, &a);
	assert_int_equal(a.status, 403);
	fake_answer_release(&a);
	fake_call(w, &(struct fake_request){ .op = OP_VERIFY_LEDGER, .who = &nobody, .body = "{}" }, &a);
	assert_int_equal(a.status, 403);
	fake_answer_release(&a);
}

static void test_pages(void **state)
{
	(void)state;
	struct fake_answer a;
	add(250, LEDGER_EV_INCIDENT_EXPORT);
	(void)fake_run_task(w, "ledger", 10);
	json_t *e = page(NULL, NULL, &a);
	assert_int_equal(json_array_size(e), 100);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(e, 0), "position")), 249);
	assert_string_equal(json_string_value(json_object_get(json_array_get(e, 0), "event")), "incident.export");
	assert_string_equal(json_string_value(json_object_get(json_array_get(e, 0), "detail")), "{\"rows\":\"\\\"5\"}");
	assert_string_equal(fake_text(&a, "next"), "150");
	assert_string_equal(fake_text(&a, "origin"), origin);
	assert_memory_equal(fake_text(&a, "vkey"), origin, strlen(origin));
	struct ledger_head h;
	const char *text = fake_text(&a, "checkpoint");
	assert_int_equal(checkpoint_parse(text, strlen(text), origin, pk, &h), 0);
	assert_int_equal(h.size, 250);
	fake_answer_release(&a);
	e = page("150", NULL, &a);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(e, 0), "position")), 149);
	fake_answer_release(&a);
	e = page("50", NULL, &a);
	assert_int_equal(json_array_size(e), 50);
	assert_null(json_object_get(a.json, "next"));
	fake_answer_release(&a);
	/* Each reading is an entry: two have no position yet when the third comes. */
	e = page(NULL, "ledger.read", &a);
	assert_int_equal(json_array_size(e), 3);
	assert_null(json_object_get(json_array_get(e, 0), "position"));
	fake_answer_release(&a);
}

static void test_pages_refuse(void **state)
{
	(void)state;
	static const char *const marks[] = { "0", "-1", "abc", "1x", " 1", "99999999999999999999", "9223372036854775808" };
	struct fake_answer a;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		(void)page(marks[i], NULL, &a);
		assert_int_equal(a.status, 422);
		assert_string_equal(a.diag.place, "after");
		fake_answer_release(&a);
	}
	(void)page(NULL, "no.such", &a);
	assert_int_equal(a.status, 422);
	assert_string_equal(a.diag.place, "event");
	fake_answer_release(&a);
	assert_int_equal(json_array_size(page("9223372036854775807", NULL, &a)), 0);
	fake_answer_release(&a);
}

static void test_verification(void **state)
{
	(void)state;
	struct fake_answer a;
	char text[CHECKPOINT_OURS_MAX], body[CHECKPOINT_OURS_MAX * 2];
	add(30, LEDGER_EV_INCIDENT_READ);
	(void)fake_run_task(w, "ledger", 10);
	json_t *v = verdict("{}", &a);
	assert_true(json_is_true(json_object_get(v, "verified")));
	assert_int_equal(json_integer_value(json_object_get(v, "entries")), 30);
	assert_int_equal(json_integer_value(json_object_get(v, "checkpoints")), 1);
	fake_answer_release(&a);
	/* A checkpoint from elsewhere that knows of more. */
	struct ledger_head h = { .size = 77 };
	assert_int_equal(checkpoint_format(origin, &h, node_keys_secret(keys), pk, text, sizeof(text)), 0);
	json_t *b = json_pack("{s:s}", "outside", text);
	assert_true(json_dumpb(b, body, sizeof(body), 0) < sizeof(body));
	body[json_dumpb(b, body, sizeof(body), 0)] = '\0';
	json_decref(b);
	v = verdict(body, &a);
	assert_false(json_is_true(json_object_get(v, "verified")));
	assert_true(json_is_true(json_object_get(v, "tail_lost")));
	fake_answer_release(&a);
	fake_call(w, &(struct fake_request){ .op = OP_VERIFY_LEDGER, .who = &auditor, .body = "{\"outside\":\"x\"}" }, &a);
	assert_int_equal(a.status, 422);
	fake_answer_release(&a);
	assert_int_equal(json_array_size(page(NULL, "ledger.verify", &a)), 2);
	fake_answer_release(&a);
}

static uint64_t stored(void)
{
	struct fake_answer a;
	struct ledger_head h = { 0 };
	(void)page(NULL, NULL, &a);
	const char *text = fake_text(&a, "checkpoint");
	if (text[0] != '\0')
		assert_int_equal(checkpoint_parse(text, strlen(text), origin, pk, &h), 0);
	fake_answer_release(&a);
	return h.size;
}

static void test_more_than_a_slice(void **state)
{
	(void)state;
	add(9001, LEDGER_EV_INCIDENT_WRITE);
	assert_int_equal(fake_run_task(w, "ledger", 100), 3);
	assert_int_equal(stored(), 9001);
}

static void test_the_keeper_signs_and_the_answer_is_lost(void **state)
{
	(void)state;
	add(10, 1);
	tick();
	assert_int_equal(stored(), 10);
	mood = SIGNS_AND_IS_SILENT;
	add(10, 1);
	tick();
	assert_int_equal(stored(), 10);
	struct ledger_head last;
	assert_int_equal(signer_last(&sg, origin, &last, NULL), 0);
	assert_true(last.size > 10);
	mood = KEEPS;
	add(10, 1);
	tick();
	assert_int_equal(signer_last(&sg, origin, &last, NULL), 0);
	assert_int_equal(stored(), last.size); /* proved from what the keeper had signed */
}

static void test_what_the_keeper_says_is_checked(void **state)
{
	(void)state;
	mood = SIGNS_SOMETHING_ELSE;
	add(10, 1);
	tick();
	assert_int_equal(stored(), 0);
	mood = SAYS_NONSENSE;
	tick();
	assert_int_equal(stored(), 0);
	mood = KEEPS;
	tick();
	assert_true(stored() > 0);
}

static void test_an_old_store_is_not_signed(void **state)
{
	(void)state;
	char cmd[300];
	add(10, 1);
	tick();
	mem_free(worker_get(w, "ledger"));
	fake_worker_free(w);
	(void)snprintf(cmd, sizeof(cmd), "cp %s/operational.db %s/old.db", folder, folder);
	assert_int_equal(system(cmd), 0);
	w = fake_worker_new(&def, url, settings, 1);
	fake_worker_set_keeper(w, &here, pk);
	add(10, 1);
	tick();
	assert_true(stored() >= 20);
	mem_free(worker_get(w, "ledger"));
	fake_worker_free(w);
	(void)snprintf(cmd, sizeof(cmd), "cp %s/old.db %s/operational.db", folder, folder);
	assert_int_equal(system(cmd), 0);
	w = fake_worker_new(&def, url, settings, 1);
	fake_worker_set_keeper(w, &here, pk);
	add(3, 1);
	tick(); /* shorter than what was signed */
	assert_int_equal(stored(), 10);
	add(30, 1);
	tick(); /* longer, and on another branch */
	assert_int_equal(stored(), 10);
}

static void test_no_keeper(void **state)
{
	(void)state;
	fake_worker_set_keeper(w, NULL, pk);
	add(10, 1);
	tick();
	assert_int_equal(stored(), 0);
	fake_worker_set_keeper(w, &here, pk);
	tick();
	assert_true(stored() >= 10);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, up, down)
	const struct CMUnitTest tests[] = {
		T(test_only_with_the_permission),
		T(test_pages),
		T(test_pages_refuse),
		T(test_verification),
		T(test_more_than_a_slice),
		T(test_the_keeper_signs_and_the_answer_is_lost),
		T(test_what_the_keeper_says_is_checked),
		T(test_an_old_store_is_not_signed),
		T(test_no_keeper),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
