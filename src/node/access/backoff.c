/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/access/backoff.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <string.h>

#include "base/err.h"
#include "gen/sql.h"
#include "store/store.h"

/* The table of the header: multiples of the free tries, failures to a doubling, parts of the
 * longest wait. */
static const struct {
	int64_t free, every, part;
} shape[BACKOFF_KEYS] = {
	[BACKOFF_PAIR] = {1, 1, 1},
	[BACKOFF_ADDRESS] = {6, 5, 3},
	[BACKOFF_ACCOUNT] = {10, 10, 15},
};

struct count {
	int64_t failures;
	usec_t last, good; /* good: 0 if never */
	bool there;
};

/* The address as it counts: IPv6 cut to 64 bits, others as they are. */
static void put_address(crypto_generichash_state *st, const char *address)
{
	struct in6_addr six;
	if (inet_pton(AF_INET6, address, &six) == 1 && !IN6_IS_ADDR_V4MAPPED(&six))
		crypto_generichash_update(st, six.s6_addr, 8);
	else
		crypto_generichash_update(st, (const uint8_t *)address, strlen(address));
}

void backoff_init(struct backoff *b, const struct backoff_rules *rules, const uint8_t master[32],
		  enum backoff_kind kind, const char *login, const char *address)
{
	b->rules = *rules;
	uint8_t key[32];
	crypto_kdf_derive_from_key(key, sizeof(key), (uint64_t)kind, "backoff.", master);
	for (uint8_t of = 0; of < BACKOFF_KEYS; of++) {
		crypto_generichash_state st;
		crypto_generichash_init(&st, key, sizeof(key), BACKOFF_KEY);
		crypto_generichash_update(&st, &of, 1);
		if (of != BACKOFF_ADDRESS) /* with its NUL, so that name and address cannot run into
					      each other */
			crypto_generichash_update(&st, (const uint8_t *)login, strlen(login) + 1);
		if (of != BACKOFF_ACCOUNT)
			put_address(&st, address != NULL ? address : "");
		crypto_generichash_final(&st, b->key[of], BACKOFF_KEY);
	}
	sodium_memzero(key, sizeof(key));
}

usec_t backoff_wait(const struct backoff_rules *rules, enum backoff_of of, int64_t failures)
{
	int64_t beyond = failures - shape[of].free * rules->free;
	if (beyond <= 0)
		return 0;
	usec_t most = rules->most / shape[of].part;
	int64_t doublings = (beyond - 1) / shape[of].every;
	usec_t wait = doublings > 20 ? most : USEC_PER_SEC << doublings;
	return wait < most ? wait : most;
}

static int look(struct store *db, const uint8_t key[BACKOFF_KEY], usec_t now, struct count *ret,
		struct diag *reterr)
{
	struct store_value arg = sv_bytes(key, BACKOFF_KEY);
	struct store_rows *rows;
	int e = store_one(db, SQL_ACCESS_FAILURE_GET, &arg, 1, &rows, reterr);
	*ret = (struct count){0};
	if (e == FW_ENOTFOUND)
		return 0;
	if (e != 0)
		return e;
	ret->there = true;
	ret->failures = store_int(rows, 0);
	ret->last = store_int(rows, 1);
	ret->good = store_int(rows, 2);
	store_rows_close(rows);
	if (now - ret->last > USEC_PER_DAY)
		ret->failures = 0;
	if (now - ret->good > BACKOFF_KNOWN_DAYS * USEC_PER_DAY)
		ret->good = 0;
	return 0;
}

static int put(struct store *db, const uint8_t key[BACKOFF_KEY], const struct count *c,
	       struct diag *reterr)
{
	struct store_value args[] = {sv_bytes(key, BACKOFF_KEY), sv_int(c->failures),
				     sv_int(c->last), c->good != 0 ? sv_int(c->good) : sv_null()};
	int id = c->there ? SQL_ACCESS_FAILURE_UPDATE : SQL_ACCESS_FAILURE_INSERT;
	return store_exec(db, id, args, 4, NULL, reterr);
}

int backoff_look(struct store *db, const struct backoff *b, usec_t now, usec_t *ret_wait,
		 struct diag *reterr)
{
	usec_t longest = 0;
	bool known = false;
	for (int of = 0; of < BACKOFF_KEYS && !known; of++) {
		struct count c;
		int e = look(db, b->key[of], now, &c, reterr);
		if (e != 0)
			return e;
		known = of == BACKOFF_PAIR && c.good != 0;
		usec_t left =
			c.last + backoff_wait(&b->rules, (enum backoff_of)of, c.failures) - now;
		if (left > longest)
			longest = left;
	}
	*ret_wait = longest;
	return 0;
}

int backoff_failed(struct store *db, const struct backoff *b, usec_t now, struct diag *reterr)
{
	bool shares = true;
	for (int of = 0; of < BACKOFF_KEYS; of++) {
		struct count c;
		int e = look(db, b->key[of], now, &c, reterr);
		if (e != 0)
			return e;
		if (of == BACKOFF_PAIR)
			shares = c.failures < b->rules.free;
		if (of == BACKOFF_ACCOUNT && !shares)
			continue;
		c.failures++;
		c.last = now;
		e = put(db, b->key[of], &c, reterr);
		if (e != 0)
			return e;
	}
	return 0;
}

int backoff_passed(struct store *db, const struct backoff *b, usec_t now, struct diag *reterr)
{
	struct count c;
	int e = look(db, b->key[BACKOFF_PAIR], now, &c, reterr);
	if (e != 0)
		return e;
	c.failures = 0;
	c.last = c.good = now;
	return put(db, b->key[BACKOFF_PAIR], &c, reterr);
}

int backoff_purge(struct store *db, usec_t now, struct diag *reterr)
{
	struct store_value args[] = {sv_int(now - USEC_PER_DAY),
				     sv_int(now - BACKOFF_KNOWN_DAYS * USEC_PER_DAY)};
	return store_exec(db, SQL_ACCESS_FAILURE_PURGE, args, 2, NULL, reterr);
}
