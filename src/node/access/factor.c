/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/access/factor.h"

#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "gen/sql.h"
#include "node/keys/keys.h"
#include "store/store.h"

/* What the sealed secret is bound to: it cannot be moved to another row. */
struct bound {
	char table[16];
	struct uuid id, account;
};

static struct bound bound_to(const struct uuid *id, const struct uuid *account)
{
	return (struct bound){.table = "access_factor", .id = *id, .account = *account};
}

int factor_begin(struct store *db, const uint8_t key[32], const struct uuid *account, usec_t now,
		 uint8_t ret_secret[TOTP_SECRET], struct diag *reterr)
{
	struct uuid id = uuid_new();
	struct bound ad = bound_to(&id, account);
	struct buf sealed;
	buf_init(&sealed, TOTP_SECRET + SEAL_OVERHEAD);
	randombytes_buf(ret_secret, TOTP_SECRET);
	int e = seal(key, ret_secret, TOTP_SECRET, &ad, sizeof(ad), &sealed);
	struct store_value drop[] = {sv_uuid(account), sv_int(0)};
	if (e == 0)
		e = store_exec(db, SQL_ACCESS_FACTOR_DROP, drop, 2, NULL, reterr);
	struct store_value row[] = {sv_uuid(account), sv_uuid(&id),
				    sv_bytes(sealed.data, sealed.len), sv_int(now)};
	if (e == 0)
		e = store_exec(db, SQL_ACCESS_FACTOR_INSERT, row, 4, NULL, reterr);
	buf_release(&sealed);
	return e;
}

/* The step for which ${code} is right with the account's factor, or FW_EAUTH, FW_ENOTFOUND. */
static int match(struct store *db, const uint8_t key[32], const struct uuid *account, int confirmed,
		 const char *code, usec_t now, int64_t *ret_step, struct diag *reterr)
{
	struct store_value args[] = {sv_uuid(account), sv_int(confirmed)};
	struct store_rows *rows;
	int e = store_one(db, SQL_ACCESS_FACTOR_GET, args, 2, &rows, reterr);
	if (e != 0)
		return e;
	struct uuid id = store_uuid(rows, 0);
	struct bound ad = bound_to(&id, account);
	int64_t last = store_int(rows, 2);
	size_t n;
	const uint8_t *sealed = store_bytes(rows, 1, &n);
	struct buf secret;
	buf_init(&secret, TOTP_SECRET);
	e = unseal(key, sealed, n, &ad, sizeof(ad), &secret);
	store_rows_close(rows);
	if (e == 0 && secret.len != TOTP_SECRET)
		e = FW_ECRYPTO;
	int64_t step = e == 0 ? totp_match(secret.data, code, now, last) : -1;
	buf_wipe(&secret);
	buf_release(&secret);
	if (e != 0)
		return diag_set(reterr, e, "The second factor cannot be read.");
	*ret_step = step;
	return step >= 0 ? 0 : FW_EAUTH;
}

int factor_confirm(struct store *db, const uint8_t key[32], const struct uuid *account,
		   const char *code, usec_t now, struct diag *reterr)
{
	int64_t step = -1;
	int e = match(db, key, account, 0, code, now, &step, reterr);
	struct store_value drop[] = {sv_uuid(account), sv_int(1)};
	if (e == 0)
		e = store_exec(db, SQL_ACCESS_FACTOR_DROP, drop, 2, NULL, reterr);
	struct store_value row[] = {sv_uuid(account), sv_int(step)};
	return e == 0 ? store_exec(db, SQL_ACCESS_FACTOR_CONFIRM, row, 2, NULL, reterr) : e;
}

static void recovery_key(const uint8_t key[32], uint8_t out[32])
{
	crypto_kdf_derive_from_key(out, 32, 1, "recovery", key);
}

int factor_make_recovery(struct store *db, const uint8_t key[32], const struct uuid *account,
			 char ret[RECOVERY_CODES][RECOVERY_TEXT + 1], struct diag *reterr)
{
	uint8_t k[32], hash[RECOVERY_HASH];
	struct store_value args[] = {sv_uuid(account), sv_bytes(hash, sizeof(hash))};
	int e = store_exec(db, SQL_ACCESS_RECOVERY_DROP, args, 1, NULL, reterr);
	recovery_key(key, k);
	for (size_t i = 0; e == 0 && i < RECOVERY_CODES; i++) {
		recovery_code(ret[i]);
		recovery_hash(k, ret[i], hash);
		e = store_exec(db, SQL_ACCESS_RECOVERY_INSERT, args, 2, NULL, reterr);
	}
	sodium_memzero(k, sizeof(k));
	return e;
}

int factor_use_code(struct store *db, const uint8_t key[32], const struct uuid *account,
		    const char *code, usec_t now, struct diag *reterr)
{
	int64_t step = -1, n = 0;
	int e = match(db, key, account, 1, code, now, &step, reterr);
	if (e == FW_ENOTFOUND)
		return FW_EAUTH;
	struct store_value args[] = {sv_uuid(account), sv_int(step)};
	if (e == 0)
		e = store_exec(db, SQL_ACCESS_FACTOR_STEP, args, 2, &n, reterr);
	return e == 0 && n == 0 ? FW_EAUTH : e;
}

int factor_use_recovery(struct store *db, const uint8_t key[32], const struct uuid *account,
			const char *code, struct diag *reterr)
{
	uint8_t k[32], hash[RECOVERY_HASH];
	recovery_key(key, k);
	recovery_hash(k, code, hash);
	sodium_memzero(k, sizeof(k));
	struct store_value args[] = {sv_uuid(account), sv_bytes(hash, sizeof(hash))};
	int64_t n;
	int e = store_exec(db, SQL_ACCESS_RECOVERY_USE, args, 2, &n, reterr);
	return e == 0 && n == 0 ? FW_EAUTH : e;
}
