/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The rules of grants as a state machine: random acts of random persons, with
 * crashes, failed commits and a silent house between them; after each of them
 * what must hold is held against what the stores say.
 */
#include "test.h"

#include <sodium.h>

#include "access_fixture.h"
#include "base/arena.h"
#include "gen/sql.h"
#include "node/access/account.h"
#include "node/access/grants.h"
#include "store/store.h"

static const struct uuid *id_of(const struct node *n, const char *login)
{
	return &node_person(n, login)->id;
}

enum { MODEL_PEOPLE = 40, MODEL_GRANTS = 400 };

struct model_grant {
	struct uuid id, account, by;
	const struct role_row *role;
};

/* What the stores hold, read past the handlers. */
struct model {
	struct model_grant grants[VAULT_COUNT][MODEL_GRANTS];
	size_t ngrants[VAULT_COUNT];
	char hash[MODEL_PEOPLE][160]; /* of each person's password */
	uint32_t hold[MODEL_PEOPLE];
};

struct world {
	struct node n;
	struct uuid people[MODEL_PEOPLE];
	size_t npeople;
	struct model now, before;
	struct prop p;
};

static void read_world(struct world *w)
{
	w->before = w->now;
	for (int v = 0; v < VAULT_COUNT; v++) {
		struct store *db = worker_store(w->n.w[v]);
		struct store_rows *rows;
		size_t k = 0;
		assert_int_equal(store_begin(db, STORE_READ, NULL), 0);
		assert_int_equal(store_query(db, SQL_ACCESS_GRANT_LIST, NULL, 0, &rows, NULL), 0);
		while (store_next(rows, NULL) == 1) {
			assert_true(k < MODEL_GRANTS);
			struct model_grant *g = &w->now.grants[v][k++];
			size_t len;
			const uint8_t *role = store_bytes(rows, 3, &len);
			char name[64] = "";
			memcpy(name, role, len);
			*g = (struct model_grant){.id = store_uuid(rows, 0),
						  .account = store_uuid(rows, 1),
						  .role = grants_role(v, name),
						  .by = store_uuid(rows, 5)};
			assert_non_null(g->role);
		}
		store_rows_close(rows);
		store_rollback(db);
		w->now.ngrants[v] = k;
	}
	struct store *house = worker_store(w->n.w[VAULT_HOUSE]);
	struct arena *a = arena_new(1 << 20);
	assert_int_equal(store_begin(house, STORE_READ, NULL), 0);
	for (size_t i = 0; i < w->npeople; i++) {
		struct account acc;
		assert_int_equal(account_get(house, &w->people[i], a, &acc, NULL), 0);
		(void)snprintf(w->now.hash[i], sizeof(w->now.hash[i]), "%s", acc.hash);
		assert_int_equal(hold_of(house, &w->people[i], &w->now.hold[i], NULL), 0);
	}
	store_rollback(house);
	arena_free(a);
}

static bool model_custodian(const struct model *m, int v, const struct uuid *who)
{
	for (size_t i = 0; i < m->ngrants[v]; i++)
		if (uuid_equal(&m->grants[v][i].account, who) &&
		    grants_is_custody(m->grants[v][i].role))
			return true;
	return false;
}

static bool model_holds(const struct model *m, int v, const struct uuid *who)
{
	for (size_t i = 0; i < m->ngrants[v]; i++)
		if (uuid_equal(&m->grants[v][i].account, who))
			return true;
	return false;
}

static unsigned model_custodians(const struct world *w, int v)
{
	unsigned n = 0;
	for (size_t i = 0; i < w->npeople; i++)
		n += model_custodian(&w->now, v, &w->people[i]);
	return n;
}

static bool model_had(const struct model *m, int v, const struct uuid *grant_id)
{
	for (size_t i = 0; i < m->ngrants[v]; i++)
		if (uuid_equal(&m->grants[v][i].id, grant_id))
			return true;
	return false;
}

/* What must hold after every step, whatever was tried by whomever. */
static void check_world(struct world *w, const struct uuid *actor, int vault, int op, uint64_t seed,
			int step)
{
	read_world(w);
#define HOLDS(what)                                                                                \
	do {                                                                                       \
		if (!(what))                                                                       \
			fail_msg("seed %d step %d op %d vault %d: " #what, (int)seed, step, op,    \
				 vault);                                                           \
	} while (0)
	for (int v = 0; v < VAULT_COUNT; v++) {
		HOLDS(model_custodians(w, v) >= custodians_needed(v));
		for (size_t i = 0; i < w->now.ngrants[v]; i++) {
			const struct model_grant *g = &w->now.grants[v][i];
			if (model_had(&w->before, v, &g->id))
				continue;
			/* A new role: by a custodian of this vault, not for himself, in protection
			 * by the second of two. */
			HOLDS(v == vault && actor != NULL);
			HOLDS(model_custodian(&w->before, v, actor));
			HOLDS(!uuid_equal(&g->account, actor));
			HOLDS(!uuid_equal(&g->account, &g->by));
			HOLDS(model_custodian(&w->before, v, &g->by));
			HOLDS(v == VAULT_PROTECTION
				      ? op == OP_AGREE_ACT && !uuid_equal(&g->by, actor)
				      : op == OP_MAKE_GRANT && uuid_equal(&g->by, actor));
		}
	}
	for (size_t i = 0; i < w->npeople; i++) {
		for (int v = 0; v < VAULT_COUNT; v++)
			HOLDS(!model_holds(&w->now, v, &w->people[i]) ||
			      (w->now.hold[i] & 1U << v) != 0);
		if (strcmp(w->now.hash[i], w->before.hash[i]) == 0)
			continue;
		/* A credential changed by somebody else. */
		HOLDS(actor != NULL && !uuid_equal(&w->people[i], actor));
		bool protection = model_holds(&w->before, VAULT_PROTECTION, &w->people[i]);
		if (op == OP_RESET_ACCOUNT) {
			for (int v = 0; v < VAULT_COUNT; v++)
				HOLDS(!model_holds(&w->before, v, &w->people[i]));
		} else {
			HOLDS(model_custodian(&w->before, vault, actor));
			HOLDS(model_holds(&w->before, vault, &w->people[i]));
			HOLDS(op == (protection ? OP_AGREE_ACT : OP_MAKE_RESET));
			HOLDS(!protection || vault == VAULT_PROTECTION);
		}
	}
#undef HOLDS
}

static const struct uuid *anybody(struct world *w)
{
	return &w->people[prop_below(&w->p, w->npeople)];
}

/* Custodians more often than others, or little would happen. */
static const struct uuid *somebody(struct world *w, int v)
{
	if (prop_below(&w->p, 4) != 0)
		for (int i = 0; i < 20; i++) {
			const struct uuid *u = anybody(w);
			if (model_custodian(&w->now, v, u))
				return u;
		}
	return anybody(w);
}

static bool pending_act(struct world *w, int v, char out[64])
{
	struct store *db = worker_store(w->n.w[v]);
	struct store_value since = sv_int(0);
	struct store_rows *rows;
	uint64_t n = 0;
	assert_int_equal(store_begin(db, STORE_READ, NULL), 0);
	assert_int_equal(store_query(db, SQL_ACCESS_ACT_LIST, &since, 1, &rows, NULL), 0);
	while (store_next(rows, NULL) == 1) {
		struct uuid id = store_uuid(rows, 0);
		if (prop_below(&w->p, ++n) == 0)
			uuid_format(&id, out);
	}
	store_rows_close(rows);
	store_rollback(db);
	return n > 0;
}

static const struct role_row *any_role(struct world *w, int v)
{
	for (;;) {
		const struct role_row *r = &role_rows[prop_below(&w->p, ROLE_COUNT)];
		if (r->vault == v || prop_below(&w->p, 10) == 0)
			return r;
	}
}

/* One random request of a random person, or an accident. */
static void random_step(struct world *w, uint64_t seed, int step)
{
	int v = (int)prop_below(&w->p, VAULT_COUNT), op = -1;
	if (prop_below(&w->p, 3) == 0)
		v = VAULT_PROTECTION;
	const struct uuid *who = somebody(w, v);
	char body[200] = "", param[64] = "", id[UUID_TEXT_LEN + 1];
	struct fake_answer a;
	uuid_format(anybody(w), id);
	switch (prop_below(&w->p, 20)) {
	case 0:
		node_restart(&w->n, v);
		break;
	case 1:
		(void)fake_run_task(w->n.w[v], "access.grants",
				    (unsigned)(1 + prop_below(&w->p, 3)));
		break;
	case 2:
	case 3:
	case 4:
		if (w->now.ngrants[v] > 0) {
			op = OP_END_GRANT;
			uuid_format(&w->now.grants[v][prop_below(&w->p, w->now.ngrants[v])].id,
				    param);
		}
		break;
	case 5:
	case 16:
	case 17:
	case 18:
		op = OP_MAKE_RESET;
		(void)snprintf(body, sizeof(body), "{\"account_id\":\"%s\"}", id);
		break;
	case 6:
	case 7:
	case 8:
		op = pending_act(w, v, param) ? OP_AGREE_ACT : -1;
		break;
	case 9:
		op = pending_act(w, v, param) ? OP_REFUSE_ACT : -1;
		break;
	case 10:
		v = VAULT_HOUSE;
		op = OP_RESET_ACCOUNT;
		(void)snprintf(param, sizeof(param), "%s", id);
		if (prop_below(&w->p, 2) == 0)
			who = id_of(&w->n, "administrator");
		break;
	default:
		op = OP_MAKE_GRANT;
		(void)snprintf(body, sizeof(body), "{\"account_id\":\"%s\",\"role\":\"%s\"}", id,
			       any_role(w, v)->name);
	}
	if (op >= 0) {
		if (prop_below(&w->p, 12) == 0)
			fake_fail_commit(w->n.w[prop_below(&w->p, 2) == 0 ? v : VAULT_HOUSE], 1);
		if (prop_below(&w->p, 20) == 0 && v != VAULT_HOUSE)
			fake_worker_set_house(w->n.w[v], NULL);
		struct ticket t = node_ticket_for(who);
		fake_call(w->n.w[v],
			  &(struct fake_request){.op = op,
						 .who = &t,
						 .param = {param[0] != '\0' ? param : NULL},
						 .body = body[0] != '\0' ? body : NULL},
			  &a);
		fake_answer_release(&a);
		fake_fail_commit(w->n.w[v], 0);
		fake_fail_commit(w->n.w[VAULT_HOUSE], 0);
		if (v != VAULT_HOUSE)
			fake_worker_set_house(w->n.w[v], w->n.w[VAULT_HOUSE]);
	}
	check_world(w, who, v, op, seed, step);
}

static void run_world(uint64_t seed, int steps, unsigned *ret_grants, unsigned *ret_resets)
{
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	w->p.state = seed;
	node_start(&w->n, NULL, 0);
	for (size_t i = 0; i < w->n.npeople; i++)
		w->people[w->npeople++] = w->n.people[i].id;
	static const char *const fresh[] = {"n.one", "n.two", "n.three"};
	for (size_t i = 0; i < 3; i++)
		w->people[w->npeople++] = node_make_ready(&w->n, fresh[i]);
	read_world(w);
	for (int step = 0; step < steps; step++) {
		random_step(w, seed, step);
		for (int v = 0; v < VAULT_COUNT; v++)
			for (size_t i = 0; i < w->now.ngrants[v]; i++)
				*ret_grants += !model_had(&w->before, v, &w->now.grants[v][i].id);
		for (size_t i = 0; i < w->npeople; i++)
			*ret_resets += strcmp(w->now.hash[i], w->before.hash[i]) != 0;
	}
	/* When everything has come to rest the marks are exactly the truth. */
	for (int v = 0; v < VAULT_COUNT; v++)
		node_restart(&w->n, v);
	node_settle(&w->n);
	read_world(w);
	for (size_t i = 0; i < w->npeople; i++)
		for (int v = 0; v < VAULT_COUNT; v++)
			assert_int_equal(model_holds(&w->now, v, &w->people[i]),
					 (w->now.hold[i] & 1U << v) != 0);
	node_stop(&w->n);
	free(w);
}

static void test_no_sequence_of_acts_breaks_the_rules(void **state)
{
	(void)state;
	unsigned grants = 0, resets = 0;
	for (uint64_t seed = 1; seed <= prop_rounds(6); seed++)
		run_world(seed, 250, &grants, &resets);
	print_message("%u grants, %u resets\n", grants, resets);
	/* A run in which nothing happens proves nothing. */
	assert_true(grants > 30);
	assert_true(resets > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_sequence_of_acts_breaks_the_rules),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
