/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/access/access_init.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/access/account.h"
#include "node/access/grants.h"
#include "node/access/password.h"
#include "node/ledger/ledger.h"
#include "store/store.h"

enum { PEOPLE_MAX = 64, AGENCIES_MAX = 3 };

struct agency {
	struct uuid id;
	const char *code, *name;
};

struct person {
	struct account acc;
	const struct role_row *role;
	const char *password;
};

/* All that is to be written, complete before the first transaction, so that each can be run again.
 */
struct plan {
	struct access_init *in;
	struct arena *mem;
	struct agency agencies[AGENCIES_MAX];
	size_t nagencies;
	struct person people[PEOPLE_MAX];
	size_t npeople;
	int vault; /* whose grants are being written */
	struct ledger_writer *writer;
};

static int note(struct store *db, struct plan *p, int event, const struct uuid *subject,
		const char *detail, struct diag *reterr)
{
	struct ledger_note n = {
		.event = event, .subjects = subject, .nsubjects = 1, .detail = detail};
	return ledger_append(db, p->writer, &n, NULL, reterr);
}

static int check_empty(struct store *db, struct diag *reterr)
{
	struct store_rows *rows;
	int e = store_one(db, SQL_ACCESS_ACCOUNT_COUNT, NULL, 0, &rows, reterr);
	if (e != 0)
		return e;
	int64_t n = store_int(rows, 0);
	store_rows_close(rows);
	return n == 0 ? 0 : diag_set(reterr, FW_EEXISTS, "This node has accounts already.");
}

static int write_agency(struct store *db, struct plan *p, const struct agency *g, usec_t now,
			struct diag *reterr)
{
	struct store_value args[] = {sv_uuid(&g->id), sv_text(g->code), sv_text(g->name),
				     sv_int(now)};
	int e = store_exec(db, SQL_ACCESS_AGENCY_INSERT, args, 4, NULL, reterr);
	return e == 0 ? note(db, p, LEDGER_EV_AGENCY_MAKE, &g->id, NULL, reterr) : e;
}

static int write_person(struct store *db, struct plan *p, const struct person *who, usec_t now,
			struct diag *reterr)
{
	const struct role_row *role = who->role;
	char detail[100];
	(void)snprintf(detail, sizeof(detail), "{\"vault\":\"%s\",\"marked\":true}",
		       vault_rows[role->vault].name);
	int e = account_insert(db, &who->acc, now, reterr);
	struct store_value hold[] = {sv_uuid(&who->acc.id), sv_text(vault_rows[role->vault].name),
				     sv_int(grants_is_strong(role)), sv_int(now)};
	if (e == 0)
		e = store_exec(db, SQL_ACCESS_HOLD_INSERT, hold, 4, NULL, reterr);
	if (e == 0)
		e = note(db, p, LEDGER_EV_ACCOUNT_MAKE, &who->acc.id, NULL, reterr);
	return e == 0 ? note(db, p, LEDGER_EV_ACCOUNT_HOLD, &who->acc.id, detail, reterr) : e;
}

static int write_house(struct store *db, void *arg, struct diag *reterr)
{
	struct plan *p = arg;
	const usec_t now = time_now();
	ledger_writer_rollback(p->writer);
	int e = check_empty(db, reterr);
	for (size_t i = 0; e == 0 && i < p->nagencies; i++)
		e = write_agency(db, p, &p->agencies[i], now, reterr);
	for (size_t i = 0; e == 0 && i < p->npeople; i++)
		e = write_person(db, p, &p->people[i], now, reterr);
	return e;
}

static int write_grants(struct store *db, void *arg, struct diag *reterr)
{
	struct plan *p = arg;
	int e = 0;
	ledger_writer_rollback(p->writer);
	for (size_t i = 0; e == 0 && i < p->npeople; i++) {
		const struct person *who = &p->people[i];
		if (who->role->vault != p->vault)
			continue;
		struct uuid id = uuid_new();
		char detail[100];
		(void)snprintf(detail, sizeof(detail), "{\"role\":\"%s\"}", who->role->name);
		struct store_value args[] = {sv_uuid(&id),
					     sv_uuid(&who->acc.id),
					     sv_text(who->acc.login),
					     sv_text(who->role->name),
					     sv_int(time_now()),
					     sv_null(),
					     sv_null()};
		e = store_exec(db, SQL_ACCESS_GRANT_INSERT, args, 7, NULL, reterr);
		if (e == 0)
			e = note(db, p, LEDGER_EV_GRANT_GIVE, &who->acc.id, detail, reterr);
	}
	return e;
}

static int in_tx(struct plan *p, int vault, store_tx_fn *fn, struct diag *reterr)
{
	int e = ledger_writer_new(&p->writer);
	if (e != 0)
		return e;
	p->vault = vault;
	e = store_tx(p->in->stores[vault], STORE_WRITE, fn, p, reterr);
	if (e == 0)
		ledger_writer_commit(p->writer);
	ledger_writer_free(p->writer);
	p->writer = NULL;
	return e;
}

/* The house first, with its marks; then each vault's grants: never a role without its mark. */
static int write_all(struct plan *p, struct diag *reterr)
{
	int e = in_tx(p, VAULT_HOUSE, write_house, reterr);
	for (int v = 0; e == 0 && v < VAULT_COUNT; v++)
		e = in_tx(p, v, write_grants, reterr);
	return e;
}

static void add_agency(struct plan *p, const char *code, const char *name)
{
	p->agencies[p->nagencies++] = (struct agency){.id = uuid_new(), .code = code, .name = name};
}

/* "custodian.protection.2", "focal.point". ${number} 0: none. */
static const char *login_for(struct arena *mem, const struct role_row *role, unsigned number)
{
	if (grants_is_custody(role))
		return number == 0 ? arena_printf(mem, "custodian.%s", vault_rows[role->vault].name)
				   : arena_printf(mem, "custodian.%s.%u",
						  vault_rows[role->vault].name, number);
	char *login = arena_strdup(mem, role->name);
	for (char *c = login; c != NULL && *c != '\0'; c++)
		if (*c == '_')
			*c = '.';
	return login;
}

static void add_person(struct plan *p, const struct role_row *role, unsigned number,
		       const char *display, size_t agency)
{
	assert(p->npeople < PEOPLE_MAX);
	struct person *who = &p->people[p->npeople++];
	*who = (struct person){.role = role};
	who->acc.id = uuid_new();
	who->acc.agency = p->agencies[agency].id;
	who->acc.agency_name = p->agencies[agency].name;
	who->acc.login = login_for(p->mem, role, number);
	who->acc.display = display;
}

/* As many of a custodian's role as its vault needs, one of any other. */
static unsigned how_many(const struct role_row *role)
{
	return grants_is_custody(role) ? custodians_needed(role->vault) : 1;
}

static int give_password(struct plan *p, struct person *who, struct diag *reterr)
{
	char *made = arena_alloc(p->mem, PASSWORD_GIVEN + 1),
	     *hash = arena_alloc(p->mem, PASSWORD_HASH);
	if (made == NULL || hash == NULL)
		return -ENOMEM;
	const char *password =
		p->in->password != NULL ? p->in->password(p->in->arg, who->acc.login) : NULL;
	if (password == NULL) {
		password_given(made);
		password = made;
	}
	int e = password_hash(password, password_params(p->in->argon2_passes, p->in->argon2_mib),
			      hash);
	if (e != 0)
		return diag_set(reterr, e, "There is not enough memory to hash a password.");
	who->password = password;
	who->acc.hash = hash;
	who->acc.fresh = true;
	return 0;
}

static int answer(const struct plan *p, const struct access_made **ret, size_t *ret_n)
{
	struct access_made *made = arena_array(p->mem, p->npeople, sizeof(*made));
	if (made == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < p->npeople; i++) {
		const struct person *who = &p->people[i];
		made[i] = (struct access_made){
			.id = who->acc.id,
			.login = who->acc.login,
			.display = who->acc.display,
			.agency = who->acc.agency_name,
			.password = who->password,
			.words = who->role->words,
			.vault = vault_rows[who->role->vault].name,
			.custodian_of = grants_is_custody(who->role)
						? vault_rows[who->role->vault].name
						: NULL,
		};
	}
	*ret = made;
	*ret_n = p->npeople;
	return 0;
}

/* The plan is large and holds no secret of its own: it lives in the arena. */
static struct plan *new_plan(struct access_init *in, struct arena *mem)
{
	struct plan *p = arena_alloc(mem, sizeof(*p));
	if (p != NULL)
		*p = (struct plan){.in = in, .mem = mem};
	return p;
}

static bool is_first(const struct role_row *role)
{
	return grants_is_custody(role) || role == &role_rows[ROLE_ADMINISTRATOR];
}

/* The ${k}-th custodian named for ${vault}, from 1; NULL if there are not so many. */
static const char *named(const struct access_init *in, int vault, unsigned k)
{
	for (size_t i = 0; i < in->ncustodians; i++)
		if (in->custodians[i].vault == vault && --k == 0)
			return in->custodians[i].login;
	return NULL;
}

/* The people of one role, with the names that were given for it. */
static int add_first(struct plan *p, const struct role_row *role, struct diag *reterr)
{
	unsigned need = how_many(role), given = 0;
	while (grants_is_custody(role) && named(p->in, role->vault, given + 1) != NULL)
		given++;
	if (given != 0 && given < need)
		return diag_set(reterr, FW_EINVALID, "The vault %s needs %u custodians.",
				vault_rows[role->vault].name, need);
	for (unsigned k = 1, n = given > need ? given : need; k <= n; k++) {
		const char *title =
			arena_printf(p->mem, "%s, %s", role->words, vault_rows[role->vault].words);
		if (n > 1)
			title = arena_printf(p->mem, "%s %u, %s", role->words, k,
					     vault_rows[role->vault].words);
		if (p->npeople == PEOPLE_MAX)
			return diag_set(reterr, FW_ELIMIT, "There are too many custodians.");
		add_person(p, role, n == 1 ? 0 : k, title, 0);
		struct person *who = &p->people[p->npeople - 1];
		if (given > 0)
			who->acc.login = named(p->in, role->vault, k);
		else if (role == &role_rows[ROLE_ADMINISTRATOR] && p->in->administrator != NULL)
			who->acc.login = p->in->administrator;
	}
	return 0;
}

static int check_names(const struct plan *p, struct diag *reterr)
{
	for (size_t i = 0; i < p->npeople; i++) {
		const char *login = p->people[i].acc.login;
		if (!account_login_valid(login))
			return diag_set(
				reterr, FW_EINVALID,
				"\"%s\" is no account name: small letters, digits, dots and "
				"hyphens, beginning with a letter.",
				login);
		for (size_t k = 0; k < i; k++)
			if (strcmp(login, p->people[k].acc.login) == 0)
				return diag_set(reterr, FW_EINVALID,
						"The name \"%s\" is given twice.", login);
	}
	return 0;
}

int access_init_first(struct access_init *in, const char *agency_code, const char *agency_name,
		      struct arena *a, const struct access_made **ret, size_t *ret_n,
		      struct diag *reterr)
{
	struct plan *p = new_plan(in, a);
	int e = p != NULL ? 0 : -ENOMEM;
	if (e != 0)
		return e;
	add_agency(p, agency_code, agency_name);
	for (size_t r = 0; e == 0 && r < ROLE_COUNT; r++)
		if (is_first(&role_rows[r]))
			e = add_first(p, &role_rows[r], reterr);
	if (e == 0)
		e = arena_failed(a) ? -ENOMEM : check_names(p, reterr);
	for (size_t i = 0; e == 0 && i < p->npeople; i++)
		e = give_password(p, &p->people[i], reterr);
	if (e == 0)
		e = write_all(p, reterr);
	return e == 0 ? answer(p, ret, ret_n) : e;
}

/* Nobody: given names in the order of the alphabet, and a family name that says so. */
static const char *const synthetic[] = {
	"Amira Example",  "Boon Example",  "Carla Example",   "Dewi Example",   "Emre Example",
	"Farah Example",  "Goran Example", "Hana Example",    "Idris Example",  "Jana Example",
	"Kofi Example",   "Lina Example",  "Mateo Example",   "Noor Example",   "Olga Example",
	"Pilar Example",  "Qasim Example", "Rosa Example",    "Samir Example",  "Talia Example",
	"Umar Example",   "Vera Example",  "Wanjiru Example", "Ximena Example", "Yusuf Example",
	"Zeynep Example",
};

int access_init_demo(struct access_init *in, struct arena *a, const struct access_made **ret,
		     size_t *ret_n, struct diag *reterr)
{
	struct plan *p = new_plan(in, a);
	char *hash = arena_alloc(a, PASSWORD_HASH);
	if (p == NULL || hash == NULL)
		return -ENOMEM;
	/* One hash for all: the password is printed anyway, and the demonstration starts sooner. */
	int e = password_hash(ACCESS_DEMO_PASSWORD,
			      password_params(in->argon2_passes, in->argon2_mib), hash);
	if (e != 0)
		return diag_set(reterr, e, "There is not enough memory to hash a password.");
	add_agency(p, "EX-BORDER", "Exercise Border Service");
	add_agency(p, "EX-CRIME", "Exercise Investigation Office");
	add_agency(p, "EX-CARE", "Exercise Protection Agency");
	const size_t names = sizeof(synthetic) / sizeof(synthetic[0]);
	for (size_t r = 0; r < ROLE_COUNT; r++) {
		const struct role_row *role = &role_rows[r];
		size_t agency = role->vault == VAULT_PROTECTION    ? 2
				: role->vault == VAULT_OPERATIONAL ? 1
								   : 0;
		for (unsigned k = 1, n = how_many(role); k <= n; k++)
			add_person(p, role, n == 1 ? 0 : k, synthetic[p->npeople % names], agency);
	}
	for (size_t i = 0; i < p->npeople; i++) {
		p->people[i].password = ACCESS_DEMO_PASSWORD;
		p->people[i].acc.hash = hash;
	}
	e = arena_failed(a) ? -ENOMEM : write_all(p, reterr);
	return e == 0 ? answer(p, ret, ret_n) : e;
}
