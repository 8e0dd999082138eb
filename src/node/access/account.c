/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/access/account.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/access/house.h"
#include "node/access/session.h"
#include "store/store.h"

int account_get(struct store *db, const struct uuid *id, struct arena *a, struct account *ret,
		struct diag *reterr)
{
	struct store_value arg = sv_uuid(id);
	struct store_rows *rows;
	int e = store_one(db, SQL_ACCESS_ACCOUNT_GET, &arg, 1, &rows, reterr);
	if (e != 0)
		return e;
	*ret = (struct account){
		.id = *id,
		.login = store_text(rows, 0, a),
		.display = store_text(rows, 1, a),
		.agency = store_uuid(rows, 2),
		.agency_name = store_text(rows, 3, a),
		.locked = store_int(rows, 4) != 0,
		.made = store_int(rows, 5),
		.hash = store_text(rows, 6, a),
		.fresh = store_int(rows, 7) != 0,
		.has_factor = store_int(rows, 8) != 0,
	};
	store_rows_close(rows);
	return arena_failed(a) ? -ENOMEM : 0;
}

int account_find(struct store *db, const char *login, struct arena *a, struct account *ret,
		 struct diag *reterr)
{
	struct store_value arg = sv_text(login);
	struct store_rows *rows;
	int e = store_one(db, SQL_ACCESS_ACCOUNT_ID, &arg, 1, &rows, reterr);
	if (e != 0)
		return e;
	struct uuid id = store_uuid(rows, 0);
	store_rows_close(rows);
	return account_get(db, &id, a, ret, reterr);
}

bool account_login_valid(const char *login)
{
	size_t n = strlen(login);
	if (n < 2 || n > ACCESS_LOGIN_MAX || login[0] < 'a' || login[0] > 'z')
		return false;
	return strspn(login, "abcdefghijklmnopqrstuvwxyz0123456789.-") == n;
}

int account_insert(struct store *db, const struct account *acc, usec_t now, struct diag *reterr)
{
	int64_t n;
	struct store_value row[] = {sv_uuid(&acc->id), sv_text(acc->login), sv_text(acc->display),
				    sv_uuid(&acc->agency), sv_int(now)};
	int e = store_exec(db, SQL_ACCESS_ACCOUNT_INSERT, row, 5, &n, reterr);
	if (e == 0 && n == 0)
		e = diag_set(reterr, FW_EEXISTS, "There is an account of this name.");
	if (e != 0)
		return e;
	struct store_value cred[] = {sv_uuid(&acc->id), sv_text(acc->hash), sv_int(acc->fresh),
				     sv_int(now)};
	return store_exec(db, SQL_ACCESS_CREDENTIAL_INSERT, cred, 4, NULL, reterr);
}

int account_reset(struct store *db, const struct uuid *id, const char *hash, usec_t now,
		  struct diag *reterr)
{
	struct store_value cred[] = {sv_uuid(id), sv_text(hash), sv_int(1), sv_int(now)};
	int e = store_exec(db, SQL_ACCESS_CREDENTIAL_SET, cred, 4, NULL, reterr);
	for (int confirmed = 0; e == 0 && confirmed <= 1; confirmed++) {
		struct store_value drop[] = {sv_uuid(id), sv_int(confirmed)};
		e = store_exec(db, SQL_ACCESS_FACTOR_DROP, drop, 2, NULL, reterr);
	}
	if (e == 0)
		e = store_exec(db, SQL_ACCESS_RECOVERY_DROP, cred, 1, NULL, reterr);
	if (e == 0)
		e = store_exec(db, SQL_ACCESS_CONSENT_DROP, cred, 1, NULL, reterr);
	return e == 0 ? session_end_all(db, id, NULL, reterr) : e;
}

/* The vaults named in column 0, as bits. */
static int vault_bits(struct store *db, int statement, const struct store_value *args, size_t n,
		      uint32_t *ret, struct diag *reterr)
{
	struct store_rows *rows;
	int e = store_query(db, statement, args, n, &rows, reterr);
	if (e != 0)
		return e;
	uint32_t bits = 0;
	while ((e = store_next(rows, reterr)) == 1) {
		size_t len;
		const uint8_t *name = store_bytes(rows, 0, &len);
		for (int v = 0; v < VAULT_COUNT; v++)
			if (len == strlen(vault_rows[v].name) &&
			    memcmp(name, vault_rows[v].name, len) == 0)
				bits |= UINT32_C(1) << v;
	}
	store_rows_close(rows);
	if (e == 0)
		*ret = bits;
	return e;
}

int hold_of(struct store *db, const struct uuid *account, uint32_t *ret, struct diag *reterr)
{
	struct store_value arg = sv_uuid(account);
	return vault_bits(db, SQL_ACCESS_HOLD_OF, &arg, 1, ret, reterr);
}

int hold_mark(struct store *db, const struct uuid *account, int vault, bool strong, usec_t now,
	      bool *ret_changed, struct diag *reterr)
{
	struct store_value args[] = {sv_uuid(account), sv_text(vault_rows[vault].name),
				     sv_int(strong), sv_int(now)};
	struct store_rows *rows;
	int64_t n;
	int e = store_one(db, SQL_ACCESS_ACCOUNT_GET, args, 1, &rows, reterr);
	if (e != 0)
		return e;
	store_rows_close(rows);
	e = store_exec(db, SQL_ACCESS_HOLD_INSERT, args, 4, &n, reterr);
	if (e == 0 && n == 0)
		e = store_exec(db, SQL_ACCESS_HOLD_UPDATE, args, 3, NULL, reterr);
	if (e == 0)
		*ret_changed = n != 0;
	return e;
}

int hold_unmark(struct store *db, const struct uuid *account, int vault, bool *ret_changed,
		struct diag *reterr)
{
	struct store_value args[] = {sv_uuid(account), sv_text(vault_rows[vault].name)};
	int64_t n;
	int e = store_exec(db, SQL_ACCESS_HOLD_DELETE, args, 2, &n, reterr);
	if (e == 0)
		*ret_changed = n != 0;
	return e;
}

int hold_is_strong(struct store *db, const struct uuid *account, bool *ret, struct diag *reterr)
{
	struct store_value arg = sv_uuid(account);
	struct store_rows *rows;
	int e = store_one(db, SQL_ACCESS_HOLD_STRONG, &arg, 1, &rows, reterr);
	if (e != 0)
		return e;
	*ret = store_int(rows, 0) > 0;
	store_rows_close(rows);
	return 0;
}

int hold_page(struct store *db, int vault, const struct uuid *after, struct uuid *ret, size_t max,
	      size_t *ret_n, struct diag *reterr)
{
	struct store_value args[] = {sv_text(vault_rows[vault].name), sv_uuid(after),
				     sv_int((int64_t)max)};
	struct store_rows *rows;
	int e = store_query(db, SQL_ACCESS_HOLD_PAGE, args, 3, &rows, reterr);
	if (e != 0)
		return e;
	size_t n = 0;
	while ((e = store_next(rows, reterr)) == 1 && n < max)
		ret[n++] = store_uuid(rows, 0);
	store_rows_close(rows);
	if (e < 0)
		return e;
	*ret_n = n;
	return 0;
}

int consent_put(struct store *db, const struct uuid *account, int vault, const struct uuid *by,
		const struct uuid *second, usec_t now, struct diag *reterr)
{
	struct store_value args[] = {sv_uuid(account), sv_text(vault_rows[vault].name), sv_uuid(by),
				     uuid_is_nil(second) ? sv_null() : sv_uuid(second),
				     sv_int(now)};
	int e = store_exec(db, SQL_ACCESS_CONSENT_DELETE, args, 2, NULL, reterr);
	return e == 0 ? store_exec(db, SQL_ACCESS_CONSENT_INSERT, args, 5, NULL, reterr) : e;
}

int consent_of(struct store *db, const struct uuid *account, usec_t now, uint32_t *ret,
	       struct diag *reterr)
{
	struct store_value args[] = {sv_uuid(account), sv_int(now - CONSENT_DAYS * USEC_PER_DAY)};
	return vault_bits(db, SQL_ACCESS_CONSENT_OF, args, 2, ret, reterr);
}
