/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/access/grants.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "store/store.h"

unsigned custodians_needed(int vault)
{
	return vault == VAULT_PROTECTION ? 2 : 1;
}

static int custody_perm(int vault)
{
	switch (vault) {
	case VAULT_STRATEGIC:
		return PERM_STRATEGIC_CUSTODY;
	case VAULT_OPERATIONAL:
		return PERM_OPERATIONAL_CUSTODY;
	case VAULT_PROTECTION:
		return PERM_PROTECTION_CUSTODY;
	default:
		return PERM_HOUSE_CUSTODY;
	}
}

static bool named(const struct role_row *r, int vault, const void *name, size_t n)
{
	return r->vault == vault && strlen(r->name) == n && memcmp(r->name, name, n) == 0;
}

static const struct role_row *find_role(int vault, const void *name, size_t n)
{
	for (size_t i = 0; i < ROLE_COUNT; i++)
		if (named(&role_rows[i], vault, name, n))
			return &role_rows[i];
	return NULL;
}

const struct role_row *grants_role(int vault, const char *name)
{
	return find_role(vault, name, strlen(name));
}

bool grants_is_custody(const struct role_row *role)
{
	return (role->permissions & UINT64_C(1) << perm_rows[custody_perm(role->vault)].bit) != 0;
}

bool grants_is_strong(const struct role_row *role)
{
	return role->vault == VAULT_HOUSE || role->vault == VAULT_PROTECTION ||
	       grants_is_custody(role);
}

int grants_read_permissions(struct store *db, int vault, const struct uuid *account, uint64_t *ret,
			    struct diag *reterr)
{
	struct store_value arg = sv_uuid(account);
	struct store_rows *rows;
	int e = store_query(db, SQL_ACCESS_GRANT_OF, &arg, 1, &rows, reterr);
	if (e != 0)
		return e;
	uint64_t bits = 0;
	while ((e = store_next(rows, reterr)) == 1) {
		size_t n;
		const uint8_t *name = store_bytes(rows, 0, &n);
		const struct role_row *role = find_role(vault, name, n);
		if (role != NULL) /* a role that this program has no longer gives nothing */
			bits |= role->permissions;
	}
	store_rows_close(rows);
	if (e == 0)
		*ret = bits;
	return e;
}

int grants_holds(struct store *db, int vault, const struct uuid *account, bool *ret,
		 bool *ret_strong, struct diag *reterr)
{
	struct store_value arg = sv_uuid(account);
	struct store_rows *rows;
	int e = store_query(db, SQL_ACCESS_GRANT_OF, &arg, 1, &rows, reterr);
	if (e != 0)
		return e;
	bool any = false, strong = false;
	while ((e = store_next(rows, reterr)) == 1) {
		size_t n;
		const uint8_t *name = store_bytes(rows, 0, &n);
		const struct role_row *role = find_role(vault, name, n);
		any = true;
		strong = strong || (role != NULL && grants_is_strong(role));
	}
	store_rows_close(rows);
	if (e == 0) {
		*ret = any;
		*ret_strong = strong;
	}
	return e;
}

int grants_is_custodian(struct store *db, int vault, const struct uuid *account, bool *ret,
			struct diag *reterr)
{
	uint64_t bits;
	int e = grants_read_permissions(db, vault, account, &bits, reterr);
	if (e == 0)
		*ret = (bits & UINT64_C(1) << perm_rows[custody_perm(vault)].bit) != 0;
	return e;
}

/* How many accounts but ${without} have a role that may grant. Rows of one role hold an account
 * once. */
static int count_other_custodians(struct store *db, int vault, const struct uuid *without,
				  unsigned *ret, struct diag *reterr)
{
	struct uuid seen[8]; /* more than enough to know that enough are left */
	unsigned n = 0;
	int e = 0;
	for (size_t i = 0; e == 0 && i < ROLE_COUNT; i++) {
		const struct role_row *role = &role_rows[i];
		if (role->vault != vault || !grants_is_custody(role))
			continue;
		struct store_value arg = sv_text(role->name);
		struct store_rows *rows;
		e = store_query(db, SQL_ACCESS_GRANT_WITH_ROLE, &arg, 1, &rows, reterr);
		if (e != 0)
			return e;
		while (n < 8 && (e = store_next(rows, reterr)) == 1) {
			struct uuid u = store_uuid(rows, 0);
			bool counts = !uuid_equal(&u, without);
			for (unsigned k = 0; k < n && counts; k++)
				counts = !uuid_equal(&u, &seen[k]);
			if (counts)
				seen[n++] = u;
		}
		store_rows_close(rows);
		if (e > 0)
			e = 0;
	}
	if (e == 0)
		*ret = n;
	return e;
}

static int check_persons(int vault, const struct grant *g, struct diag *reterr)
{
	bool two = !uuid_is_nil(&g->second);
	if (uuid_equal(&g->account, &g->by) || (two && uuid_equal(&g->account, &g->second)))
		return diag_set(reterr, FW_EDENIED,
				"Nobody gives a role to himself; another custodian must.");
	if (uuid_is_nil(&g->by) || uuid_equal(&g->by, &g->second) ||
	    (custodians_needed(vault) == 2) != two)
		return diag_set(reterr, FW_EDENIED,
				"This vault's roles need %u different custodians.",
				custodians_needed(vault));
	return 0;
}

static int check_custodian(struct store *db, int vault, const struct uuid *who, struct diag *reterr)
{
	bool is;
	int e = grants_is_custodian(db, vault, who, &is, reterr);
	return e == 0 && !is ? diag_set(reterr, FW_EDENIED,
					"Only a custodian of the vault gives its roles.")
			     : e;
}

int grants_give(struct store *db, int vault, struct grant *g, usec_t now, struct diag *reterr)
{
	int e = check_persons(vault, g, reterr);
	if (e == 0)
		e = check_custodian(db, vault, &g->by, reterr);
	bool two = !uuid_is_nil(&g->second);
	if (e == 0 && two)
		e = check_custodian(db, vault, &g->second, reterr);
	if (e != 0)
		return e;
	g->id = uuid_new();
	int64_t n;
	struct store_value args[] = {sv_uuid(&g->id),
				     sv_uuid(&g->account),
				     sv_text(g->login),
				     sv_text(g->role->name),
				     sv_int(now),
				     sv_uuid(&g->by),
				     two ? sv_uuid(&g->second) : sv_null()};
	e = store_exec(db, SQL_ACCESS_GRANT_INSERT, args, 7, &n, reterr);
	return e == 0 && n == 0
		       ? diag_set(reterr, FW_EEXISTS, "The account holds this role already.")
		       : e;
}

static void copy_login(char out[ACCESS_LOGIN_MAX + 1], const struct store_rows *rows, size_t col)
{
	size_t n;
	const uint8_t *p = store_bytes(rows, col, &n);
	if (n > ACCESS_LOGIN_MAX)
		n = ACCESS_LOGIN_MAX;
	if (n > 0)
		memcpy(out, p, n);
	out[n] = '\0';
}

static int get_grant(struct store *db, int vault, const struct uuid *id, struct grant *ret,
		     struct diag *reterr)
{
	struct store_value arg = sv_uuid(id);
	struct store_rows *rows;
	int e = store_one(db, SQL_ACCESS_GRANT_GET, &arg, 1, &rows, reterr);
	if (e == FW_ENOTFOUND)
		return diag_set(reterr, e, "There is no such role to take away.");
	if (e != 0)
		return e;
	size_t n;
	const uint8_t *role = store_bytes(rows, 2, &n);
	*ret = (struct grant){
		.id = *id, .account = store_uuid(rows, 0), .role = find_role(vault, role, n)};
	copy_login(ret->login, rows, 1);
	store_rows_close(rows);
	return 0;
}

int grants_end_one(struct store *db, int vault, const struct uuid *id, struct grant *ret,
		   struct diag *reterr)
{
	int e = get_grant(db, vault, id, ret, reterr);
	if (e != 0)
		return e;
	if (ret->role != NULL && grants_is_custody(ret->role)) {
		unsigned left = 0;
		e = count_other_custodians(db, vault, &ret->account, &left, reterr);
		if (e == 0 && left < custodians_needed(vault))
			e = diag_set(reterr, FW_ECONFLICT,
				     "The vault needs %u custodian%s; make another one first.",
				     custodians_needed(vault),
				     custodians_needed(vault) == 1 ? "" : "s");
	}
	struct store_value arg = sv_uuid(id), account = sv_uuid(&ret->account);
	if (e == 0)
		e = store_exec(db, SQL_ACCESS_GRANT_DELETE, &arg, 1, NULL, reterr);
	return e == 0 ? store_exec(db, SQL_ACCESS_UNHOLD_INSERT, &account, 1, NULL, reterr) : e;
}

const char *act_kind_name(enum act_kind k)
{
	return k == ACT_GRANT ? "grant" : "reset";
}

/* One account, one act of a kind: a second one would only hide the first. */
static int check_no_twin(struct store *db, const struct act *act, usec_t now, struct diag *reterr)
{
	struct store_value since = sv_int(now - ACT_DAYS * USEC_PER_DAY);
	struct store_rows *rows;
	int e = store_query(db, SQL_ACCESS_ACT_LIST, &since, 1, &rows, reterr);
	if (e != 0)
		return e;
	size_t n = 0;
	while ((e = store_next(rows, reterr)) == 1) {
		struct uuid account = store_uuid(rows, 2);
		size_t len, rlen;
		const uint8_t *kind = store_bytes(rows, 1, &len),
			      *role = store_bytes(rows, 4, &rlen);
		const char *want = act_kind_name(act->kind);
		bool same = uuid_equal(&account, &act->account) && len == strlen(want) &&
			    memcmp(kind, want, len) == 0;
		if (same && (act->role == NULL || named(act->role, act->role->vault, role, rlen)))
			e = FW_EEXISTS;
		if (++n >= ACTS_MAX)
			e = FW_ECONFLICT;
		if (e < 0)
			break;
	}
	store_rows_close(rows);
	if (e == FW_EEXISTS)
		return diag_set(reterr, e, "The same act waits already for a second custodian.");
	return e == FW_ECONFLICT
		       ? diag_set(reterr, e, "Too many acts wait; agree to some or refuse them.")
		       : e;
}

int act_ask(struct store *db, int vault, struct act *act, usec_t now, struct diag *reterr)
{
	if (uuid_equal(&act->account, &act->by))
		return diag_set(reterr, FW_EDENIED,
				"Nobody asks for himself; another custodian must.");
	int e = check_custodian(db, vault, &act->by, reterr);
	if (e == 0)
		e = check_no_twin(db, act, now, reterr);
	if (e != 0)
		return e;
	act->id = uuid_new();
	act->at = now;
	struct store_value args[] = {sv_uuid(&act->id),
				     sv_text(act_kind_name(act->kind)),
				     sv_uuid(&act->account),
				     sv_text(act->login),
				     act->role != NULL ? sv_text(act->role->name) : sv_null(),
				     sv_uuid(&act->by),
				     sv_int(now)};
	return store_exec(db, SQL_ACCESS_ACT_INSERT, args, 7, NULL, reterr);
}

int act_get(struct store *db, int vault, const struct uuid *id, usec_t now, struct act *ret,
	    struct diag *reterr)
{
	struct store_value arg = sv_uuid(id);
	struct store_rows *rows;
	int e = store_one(db, SQL_ACCESS_ACT_GET, &arg, 1, &rows, reterr);
	if (e == 0) {
		size_t klen, rlen;
		const uint8_t *kind = store_bytes(rows, 0, &klen),
			      *role = store_bytes(rows, 3, &rlen);
		*ret = (struct act){
			.id = *id,
			.account = store_uuid(rows, 1),
			.by = store_uuid(rows, 4),
			.kind = klen == 5 && memcmp(kind, "grant", 5) == 0 ? ACT_GRANT : ACT_RESET,
			.role = rlen > 0 ? find_role(vault, role, rlen) : NULL,
			.at = store_int(rows, 5),
		};
		copy_login(ret->login, rows, 2);
		store_rows_close(rows);
		bool old = now - ret->at > ACT_DAYS * USEC_PER_DAY;
		bool void_role = ret->kind == ACT_GRANT && ret->role == NULL;
		if (old || void_role)
			e = FW_ENOTFOUND;
	}
	return e == FW_ENOTFOUND ? diag_set(reterr, e, "There is no such act that waits.") : e;
}

int act_may_agree(struct store *db, int vault, const struct act *act, const struct uuid *who,
		  struct diag *reterr)
{
	if (uuid_equal(&act->by, who))
		return diag_set(reterr, FW_EDENIED,
				"Another custodian must agree than the one who asked.");
	if (uuid_equal(&act->account, who))
		return diag_set(reterr, FW_EDENIED, "Nobody agrees to an act about himself.");
	bool still;
	int e = grants_is_custodian(db, vault, &act->by, &still, reterr);
	if (e == 0 && !still)
		e = diag_set(reterr, FW_ECONFLICT,
			     "Who asked is a custodian no longer; refuse the act.");
	return e == 0 ? check_custodian(db, vault, who, reterr) : e;
}

int act_delete(struct store *db, const struct uuid *id, struct diag *reterr)
{
	struct store_value arg = sv_uuid(id);
	return store_exec(db, SQL_ACCESS_ACT_DELETE, &arg, 1, NULL, reterr);
}

int act_purge(struct store *db, usec_t now, struct diag *reterr)
{
	struct store_value before = sv_int(now - ACT_DAYS * USEC_PER_DAY);
	return store_exec(db, SQL_ACCESS_ACT_PURGE, &before, 1, NULL, reterr);
}
