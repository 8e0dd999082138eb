/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "access_fixture.h"

#include "test.h"

#include <dirent.h>
#include <libpq-fe.h>
#include <sodium.h>
#include <unistd.h>

#include "base/arena.h"
#include "node/access/access.h"
#include "node/access/totp.h"
#include "node/ledger/ledger.h"
#include "store/store.h"

static const struct call_row *const house_tables[] = {house_calls, grants_calls, NULL};
static const struct call_row *const vault_tables[] = {grants_calls, NULL};

static const struct vault_def *def_of(int vault)
{
	static struct task_row house_tasks[3], vault_tasks[2];
	static struct vault_def defs[VAULT_COUNT];
	house_tasks[0] = house_task;
	house_tasks[1] = grants_task;
	vault_tasks[0] = grants_task;
	for (int v = 0; v < VAULT_COUNT; v++)
		defs[v] = (struct vault_def){.vault = v,
					     .calls = vault_tables,
					     .tasks = vault_tasks,
					     .start = grants_start,
					     .end = grants_end,
					     .permissions = grants_permissions};
	defs[VAULT_HOUSE].calls = house_tables;
	defs[VAULT_HOUSE].tasks = house_tasks;
	defs[VAULT_HOUSE].start = access_house_start;
	defs[VAULT_HOUSE].end = access_house_end;
	defs[VAULT_HOUSE].on_message = access_house_message;
	return &defs[vault];
}

void node_url(const struct node *n, int vault, char out[NODE_URL])
{
	const char *pg = getenv("FAIRWAY_TEST_PG");
	int len = pg != NULL ? snprintf(out, NODE_URL, "%s&options=-csearch_path%%3Dn%s_%s", pg,
					strrchr(n->dir, '-') + 1, vault_rows[vault].name)
			     : snprintf(out, NODE_URL, "sqlite:%s/%s.db", n->dir,
					vault_rows[vault].name);
	assert_in_range(len, 1, NODE_URL - 1);
}

/* On PostgreSQL a store is a schema of its own in the test's database, its name in small letters
 * whatever is given. */
static void each_schema(const struct node *n, const char *verb, const char *rest)
{
	const char *pg = getenv("FAIRWAY_TEST_PG");
	if (pg == NULL)
		return;
	PGconn *c = PQconnectdb(pg);
	assert_int_equal(PQstatus(c), CONNECTION_OK);
	PQclear(PQexec(c, "SET client_min_messages = warning"));
	for (int v = 0; v < VAULT_COUNT; v++) {
		char sql[200];
		(void)snprintf(sql, sizeof(sql), "%s SCHEMA n%s_%s %s", verb,
			       strrchr(n->dir, '-') + 1, vault_rows[v].name, rest);
		PGresult *r = PQexec(c, sql);
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			fail_msg("%s: %s", sql, PQerrorMessage(c));
		PQclear(r);
	}
	PQfinish(c);
}

static void start_worker(struct node *n, int vault)
{
	static const struct wire_pair cheap[] = {{"session.argon2_mib", "46"},
						 {"session.argon2_passes", "1"}};
	struct wire_pair all[32];
	char url[NODE_URL];
	size_t count = 0;
	node_url(n, vault, url);
	for (size_t i = 0; i < n->nsettings; i++)
		all[count++] = n->settings[i];
	all[count++] = cheap[0];
	all[count++] = cheap[1];
	n->w[vault] = fake_worker_new(def_of(vault), url, all, count);
}

static void connect_house(struct node *n)
{
	for (int v = 0; v < VAULT_COUNT; v++)
		if (v != VAULT_HOUSE && n->w[v] != NULL)
			fake_worker_set_house(n->w[v], n->w[VAULT_HOUSE]);
}

/* Of the whole program: the clock goes forward and never back. */
static int64_t offset;

void node_wait(int64_t seconds)
{
	offset += seconds * USEC_PER_SEC;
	time_test_offset(offset);
}

void node_start(struct node *n, const struct wire_pair *settings, size_t nsettings)
{
	struct access_init in = {.argon2_passes = 1, .argon2_mib = 46};
	struct diag d = DIAG_INIT;
	time_test_offset(offset);
	*n = (struct node){.settings = settings, .nsettings = nsettings};
	(void)snprintf(n->dir, sizeof(n->dir), "/tmp/fairway-access-XXXXXX");
	assert_non_null(mkdtemp(n->dir));
	each_schema(n, "CREATE", "");
	n->mem = arena_new(1 << 20);
	assert_non_null(n->mem);
	for (int v = 0; v < VAULT_COUNT; v++) {
		char url[NODE_URL];
		node_url(n, v, url);
		struct store_options opt = {.url = url,
					    .role = STORE_ROLE_INIT,
					    .vault = vault_rows[v].name,
					    .create = true,
					    .migrate = true};
		if (store_open(&opt, &in.stores[v], &d) != 0)
			fail_msg("%s: %s", url, d.text);
	}
	int e = access_init_demo(&in, n->mem, &n->people, &n->npeople, &d);
	if (e != 0)
		fail_msg("init: %s: %s", err_name(e), d.text);
	for (int v = 0; v < VAULT_COUNT; v++)
		store_close(in.stores[v]);
	for (int v = 0; v < VAULT_COUNT; v++)
		start_worker(n, v);
	connect_house(n);
}

void node_stop(struct node *n)
{
	for (int v = 0; v < VAULT_COUNT; v++)
		fake_worker_free(n->w[v]);
	each_schema(n, "DROP", "CASCADE");
	DIR *d = opendir(n->dir);
	for (struct dirent *f; d != NULL && (f = readdir(d)) != NULL;)
		if (f->d_name[0] != '.')
			(void)unlinkat(dirfd(d), f->d_name, 0);
	if (d != NULL)
		(void)closedir(d);
	(void)rmdir(n->dir);
	arena_free(n->mem);
}

void node_restart(struct node *n, int vault)
{
	fake_worker_free(n->w[vault]);
	start_worker(n, vault);
	connect_house(n);
}

void node_settle(struct node *n)
{
	for (int v = 0; v < VAULT_COUNT; v++)
		(void)fake_run_task(n->w[v], "access.grants", 1000);
	(void)fake_run_task(n->w[VAULT_HOUSE], "access.house", 1);
}

const struct access_made *node_person(const struct node *n, const char *login)
{
	for (size_t i = 0; i < n->npeople; i++)
		if (strcmp(n->people[i].login, login) == 0)
			return &n->people[i];
	fail_msg("nobody is called %s", login);
	return NULL;
}

struct ticket node_ticket_for(const struct uuid *account)
{
	return (struct ticket){.account = *account, .session = uuid_new(), .expires = INT64_MAX};
}

bool node_refresh(struct node *n, struct client *c)
{
	uint8_t token[32], hash[32];
	size_t len = 0;
	if (sodium_base642bin(token, sizeof(token), c->token, strlen(c->token), NULL, &len, NULL,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
	    len != sizeof(token))
		return false;
	crypto_hash_sha256(hash, token, sizeof(token));
	struct buf b;
	buf_init(&b, 1000);
	assert_int_equal(
		fake_message(n->w[VAULT_HOUSE], PROC_FRONT, MSG_TICKET_ASK, hash, sizeof(hash), &b),
		0);
	struct cursor cur;
	const uint8_t *sealed;
	size_t sealed_len;
	cur_init(&cur, b.data, b.len);
	assert_int_equal(wire_ticket_get(&cur, &sealed, &sealed_len), 0);
	bool there = sealed != NULL;
	if (there) {
		struct arena *a = arena_new(4096);
		assert_int_equal(ticket_open(sealed, sealed_len,
					     worker_ticket_key(n->w[VAULT_HOUSE]), a, &c->ticket),
				 0);
		arena_free(a);
	}
	buf_release(&b);
	return there;
}

static void follow(struct node *n, struct client *c, const struct fake_answer *a)
{
	if (a->token[0] != '\0')
		(void)snprintf(c->token, sizeof(c->token), "%s", a->token);
	if (a->token_ends)
		c->token[0] = '\0';
	if (a->token[0] != '\0')
		assert_true(node_refresh(n, c));
	else
		(void)node_refresh(n, c);
}

int node_login(struct node *n, struct client *c, const char *login, const char *password)
{
	char body[2400];
	struct fake_answer a;
	(void)snprintf(body, sizeof(body), "{\"account\":\"%s\",\"password\":\"%s\"}", login,
		       password);
	fake_call(
		n->w[VAULT_HOUSE],
		&(struct fake_request){.op = OP_OPEN_SESSION, .body = body, .address = c->address},
		&a);
	int status = a.status;
	if (status == 200)
		follow(n, c, &a);
	fake_answer_release(&a);
	return status;
}

int node_call(struct node *n, struct client *c, int vault, int op, const char *param,
	      const char *body, struct fake_answer *ret)
{
	fake_call(n->w[vault],
		  &(struct fake_request){.op = op,
					 .who = c->token[0] != '\0' ? &c->ticket : NULL,
					 .param = {param},
					 .body = body,
					 .token = c->token,
					 .address = c->address},
		  ret);
	follow(n, c, ret);
	return ret->status;
}

int node_status(struct node *n, struct client *c, int vault, int op, const char *param,
		const char *body)
{
	struct fake_answer a;
	int status = node_call(n, c, vault, op, param, body, &a);
	fake_answer_release(&a);
	return status;
}

struct uuid node_make_account(struct node *n, const char *login, char ret_password[64])
{
	struct ticket admin = node_ticket_for(&node_person(n, "administrator")->id);
	struct fake_answer a;
	char body[400];
	struct uuid id;
	fake_call(n->w[VAULT_HOUSE], &(struct fake_request){.op = OP_LIST_AGENCIES, .who = &admin},
		  &a);
	assert_int_equal(a.status, 200);
	const char *agency = json_string_value(
		json_object_get(json_array_get(json_object_get(a.json, "agencies"), 0), "id"));
	(void)snprintf(body, sizeof(body),
		       "{\"account\":\"%s\",\"display\":\"Nobody Example\",\"agency\":\"%s\"}",
		       login, agency);
	fake_answer_release(&a);
	fake_call(n->w[VAULT_HOUSE],
		  &(struct fake_request){.op = OP_MAKE_ACCOUNT, .who = &admin, .body = body}, &a);
	if (a.status != 201)
		fail_msg("make_account: %d %s", a.status, a.diag.text);
	assert_int_equal(uuid_parse(fake_text(&a, "id"), &id), 0);
	(void)snprintf(ret_password, 64, "%s", fake_text(&a, "password"));
	fake_answer_release(&a);
	return id;
}

struct uuid node_make_ready(struct node *n, const char *login)
{
	char given[64], body[200];
	struct client c = {.address = "192.0.2.200"};
	struct uuid id = node_make_account(n, login, given);
	assert_int_equal(node_login(n, &c, login, given), 200);
	(void)snprintf(body, sizeof(body), "{\"old\":\"%s\",\"new\":\"%s\"}", given,
		       NODE_OWN_PASSWORD);
	assert_int_equal(node_status(n, &c, VAULT_HOUSE, OP_CHANGE_PASSWORD, NULL, body), 200);
	return id;
}

void node_device_code(const char *base32, char out[TOTP_DIGITS + 1])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint8_t secret[TOTP_SECRET] = {0};
	size_t bit = 0;
	for (const char *p = base32; *p != '\0'; p++, bit += 5) {
		unsigned v = (unsigned)(strchr(alphabet, *p) - alphabet);
		for (unsigned k = 0; k < 5; k++)
			if ((v & 16U >> k) != 0)
				secret[(bit + k) / 8] |= (uint8_t)(128U >> (bit + k) % 8);
	}
	totp_code(secret, sizeof(secret), totp_step(time_now()), out);
}

int node_give(struct node *n, struct client *c, int op, const char *code)
{
	char body[80];
	(void)snprintf(body, sizeof(body), "{\"code\":\"%s\"}", code);
	return node_status(n, c, VAULT_HOUSE, op, NULL, body);
}

void node_enrol(struct node *n, struct client *c, char secret[64], char recovery[64])
{
	struct fake_answer a;
	char code[TOTP_DIGITS + 1], body[80];
	assert_int_equal(node_call(n, c, VAULT_HOUSE, OP_ENROL_FACTOR, NULL, NULL, &a), 200);
	(void)snprintf(secret, 64, "%s", fake_text(&a, "secret"));
	assert_int_equal(strlen(secret), TOTP_SECRET_TEXT);
	assert_non_null(strstr(fake_text(&a, "uri"), secret));
	assert_true(strlen(fake_text(&a, "qr")) > 100);
	fake_answer_release(&a);
	node_device_code(secret, code);
	(void)snprintf(body, sizeof(body), "{\"code\":\"%s\"}", code);
	assert_int_equal(node_call(n, c, VAULT_HOUSE, OP_CONFIRM_FACTOR, NULL, body, &a), 200);
	json_t *codes = json_object_get(a.json, "recovery_codes");
	assert_int_equal(json_array_size(codes), RECOVERY_CODES);
	(void)snprintf(recovery, 64, "%s", json_string_value(json_array_get(codes, 0)));
	fake_answer_release(&a);
}

uint64_t node_ledger_size(struct node *n, int vault)
{
	struct ledger_head head;
	size_t done = 1;
	while (done > 0)
		assert_int_equal(ledger_sequence(worker_store(n->w[vault]), 1000, &done, NULL), 0);
	assert_int_equal(ledger_head(worker_store(n->w[vault]), &head, NULL), 0);
	return head.size;
}
