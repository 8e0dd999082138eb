/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store/store.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "base/utf8.h"
#include "gen/sql.h"
#include "store/store_int.h"

enum { TRIES = 10, FIRST_WAIT_US = 500, WAIT_TOTAL_US = 2000000 };

struct store_value sv_null(void)
{
	return (struct store_value){ .type = STORE_NULL };
}

struct store_value sv_int(int64_t i)
{
	return (struct store_value){ .type = STORE_INT, .i = i };
}

struct store_value sv_real(double r)
{
	return (struct store_value){ .type = STORE_REAL, .r = r };
}

struct store_value sv_textn(const char *s, size_t n)
{
	return s == NULL ? sv_null() : (struct store_value){ .type = STORE_TEXT, .s = { s, n } };
}

struct store_value sv_text(const char *s)
{
	return sv_textn(s, s == NULL ? 0 : strlen(s));
}

struct store_value sv_bytes(const void *p, size_t n)
{
	return p == NULL && n == 0 ? (struct store_value){ .type = STORE_BYTES, .s = { "", 0 } } :
				     (struct store_value){ .type = STORE_BYTES, .s = { p, n } };
}

struct store_value sv_uuid(const struct uuid *u)
{
	return u == NULL ? sv_null() : (struct store_value){ .type = STORE_UUID, .s = { u->b, sizeof(u->b) } };
}

static int vault_of(const char *name)
{
	static const char *const names[] = { "strategic", "operational", "protection", "house", "test" };
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

int store_open(const struct store_options *opt, struct store **ret, struct diag *reterr)
{
	struct store *s = NULL;
	int vault = vault_of(opt->vault), err;
	if (vault < 0)
		return diag_set(reterr, FW_EINVALID, "there is no vault \"%s\"", opt->vault);
	if (strncmp(opt->url, "sqlite:", 7) == 0)
		err = store_sqlite_open(opt, &s, reterr);
	else if (strncmp(opt->url, "postgresql://", 13) == 0)
		err = store_pg_open(opt, &s, reterr);
	else
		err = diag_set(reterr, FW_EINVALID, "a store's address begins with sqlite: or postgresql://");
	if (err != 0)
		return err;
	s->role = opt->role;
	s->vault = (enum store_vault)vault;
	s->read_only = opt->read_only;
	s->jitter = (uint64_t)time_mono() | 1;
	err = store_migrate(s, opt->migrate && !opt->read_only, reterr);
	if (err != 0) {
		store_close(s);
		return err;
	}
	*ret = s;
	return 0;
}

void store_close(struct store *s)
{
	if (s == NULL) /* Behave consistently with free(NULL). */
		return;
	if (s->in_tx)
		store_rollback(s);
	s->ops->close(s);
}

enum store_engine store_engine(const struct store *s)
{
	return s->engine;
}

/* ---- transactions ---- */

/* Wait before try ${n}: doubling, and between half and the whole of it, so that two that collided part. */
static void wait_before(struct store *s, int n, int64_t *left_us)
{
	int64_t us = (int64_t)FIRST_WAIT_US << n;
	s->jitter = s->jitter * UINT64_C(6364136223846793005) + 1442695040888963407;
	us = us / 2 + (int64_t)((s->jitter >> 33) % (uint64_t)(us / 2 + 1));
	us = us < *left_us ? us : *left_us;
	*left_us -= us;
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };
	(void)nanosleep(&t, NULL);
}

static int try_once(struct store *s, enum store_tx_kind kind, store_tx_fn *fn, void *arg, struct diag *reterr)
{
	int err = store_begin(s, kind, reterr);
	if (err != 0)
		return err;
	err = fn(s, arg, reterr);
	if (err == 0)
		err = store_commit(s, reterr);
	if (s->in_tx)
		store_rollback(s);
	return err;
}

int store_tx(struct store *s, enum store_tx_kind kind, store_tx_fn *fn, void *arg, struct diag *reterr)
{
	int64_t left_us = WAIT_TOTAL_US;
	int err = FW_ERETRY;
	for (int n = 0; n < TRIES && err == FW_ERETRY; n++) {
		if (n > 0) {
			wait_before(s, n - 1, &left_us);
			diag_clear(reterr);
		}
		err = try_once(s, kind, fn, arg, reterr);
	}
	if (err == FW_ERETRY) {
		struct diag last = reterr != NULL ? *reterr : DIAG_INIT;
		diag_clear(reterr);
		err = diag_set(reterr, FW_EBUSY, "the store is busy after %d tries; try again later (%s)", TRIES, last.text);
	}
	return err;
}

int store_begin(struct store *s, enum store_tx_kind kind, struct diag *reterr)
{
	assert(!s->in_tx);
	int err = s->ops->begin(s, kind, reterr);
	s->in_tx = err == 0;
	s->kind = kind;
	s->in_savepoint = s->gone = false;
	s->broken = 0;
	return err;
}

/*
 * An error inside a transaction spoils it until its savepoint, or all of it, is
 * rolled back.  PostgreSQL has it so; SQLite would go on, and then a caller that overlooked an
 * error would keep half a change on one engine and nothing on the other.
 */
static int noted(struct store *s, int err)
{
	if (err < 0 && s->in_tx) {
		s->broken = s->broken == 0 || err == FW_ERETRY ? err : s->broken;
		s->gone = s->gone || !s->ops->alive(s);
	}
	return err;
}

static int still_whole(const struct store *s, struct diag *reterr)
{
	if (!s->in_tx || s->broken == 0)
		return 0;
	return diag_set(reterr, s->broken, "an earlier part of this change failed");
}

int store_commit(struct store *s, struct diag *reterr)
{
	assert(s->in_tx && !s->in_savepoint);
	int err = still_whole(s, reterr);
	if (err == 0)
		err = noted(s, s->ops->commit(s, reterr));
	if (err == 0 || err == FW_EUNKNOWNOUTCOME)
		s->in_tx = false;
	return err;
}

void store_rollback(struct store *s)
{
	if (!s->in_tx)
		return;
	s->ops->rollback(s);
	s->in_tx = s->in_savepoint = false;
}

int store_savepoint(struct store *s, struct diag *reterr)
{
	assert(s->in_tx && !s->in_savepoint);
	int err = still_whole(s, reterr);
	if (err == 0)
		err = noted(s, s->ops->savepoint(s, reterr));
	s->in_savepoint = err == 0;
	return err;
}

int store_savepoint_release(struct store *s, struct diag *reterr)
{
	assert(s->in_savepoint);
	int err = still_whole(s, reterr);
	if (err == 0)
		err = noted(s, s->ops->savepoint_release(s, reterr));
	s->in_savepoint = err != 0; /* what was sent without waiting may fail only now: the caller rolls back */
	return err;
}

int store_savepoint_rollback(struct store *s, struct diag *reterr)
{
	assert(s->in_savepoint);
	s->in_savepoint = false;
	/* A collision, or an engine that gave the whole change up, is not mended by undoing a part. */
	if (s->broken == FW_ERETRY || s->gone)
		return still_whole(s, reterr);
	int err = s->ops->savepoint_rollback(s, reterr);
	s->broken = 0;
	return noted(s, err);
}

bool store_in_tx(const struct store *s)
{
	return s->in_tx;
}

/* ---- statements ---- */

/* What both engines take: text is UTF-8 without NUL, a number is one. A wrong type is a fault of the program. */
static int check_value(const struct store_statement *st, size_t i, const struct store_value *v, struct diag *reterr)
{
	assert(v->type == STORE_NULL || v->type == st->arg_types[i]);
	if (v->type == STORE_TEXT && (!utf8_valid(v->s.p, v->s.n) || memchr(v->s.p, 0, v->s.n) != NULL))
		return diag_set(reterr, FW_EINVALID, "argument %zu of %s is not text (UTF-8 without NUL)", i + 1, st->name);
	if (v->type == STORE_REAL && isnan(v->r))
		return diag_set(reterr, FW_EINVALID, "argument %zu of %s is not a number", i + 1, st->name);
	return 0;
}

static int check_call(const struct store *s, int id, const struct store_value *args, size_t n, struct diag *reterr)
{
	assert(id >= 0 && id < SQL_COUNT);
	const struct store_statement *st = &store_statements[id];
	if ((st->roles & (uint32_t)s->role) == 0)
		return diag_set(reterr, FW_EDENIED, "the statement %s is not for this process", st->name);
	if (st->writes && s->in_tx && s->kind == STORE_READ)
		return diag_set(reterr, FW_EDENIED, "the statement %s writes, and this transaction only reads", st->name);
	assert(n == st->nargs);
	int err = still_whole(s, reterr);
	for (size_t i = 0; err == 0 && i < n; i++)
		err = check_value(st, i, &args[i], reterr);
	return err;
}

int store_exec(struct store *s, int id, const struct store_value *args, size_t n, int64_t *ret_changed,
	       struct diag *reterr)
{
	int err = check_call(s, id, args, n, reterr);
	return err != 0 ? err : noted(s, s->ops->exec(s, id, args, n, ret_changed, reterr));
}

int store_query(struct store *s, int id, const struct store_value *args, size_t n, struct store_rows **ret,
		struct diag *reterr)
{
	int err = check_call(s, id, args, n, reterr);
	return err != 0 ? err : noted(s, s->ops->query(s, id, args, n, ret, reterr));
}

int store_one(struct store *s, int id, const struct store_value *args, size_t n, struct store_rows **ret,
	      struct diag *reterr)
{
	struct store_rows *r = NULL;
	int err = store_query(s, id, args, n, &r, reterr);
	if (err != 0)
		return err;
	int got = store_next(r, reterr);
	if (got == 1) {
		*ret = r;
		return 0;
	}
	store_rows_close(r);
	return got == 0 ? FW_ENOTFOUND : got;
}

int store_next(struct store_rows *r, struct diag *reterr)
{
	struct store *s = r->store;
	return noted(s, s->ops->next(r, reterr));
}

void store_rows_close(struct store_rows *r)
{
	if (r != NULL) /* Behave consistently with free(NULL). */
		r->store->ops->rows_close(r);
}

size_t store_columns(const struct store_rows *r)
{
	return r->store->ops->columns(r);
}

bool store_is_null(const struct store_rows *r, size_t col)
{
	return r->store->ops->is_null(r, col);
}

int64_t store_int(const struct store_rows *r, size_t col)
{
	return r->store->ops->get_int(r, col);
}

double store_real(const struct store_rows *r, size_t col)
{
	return r->store->ops->get_real(r, col);
}

const uint8_t *store_bytes(const struct store_rows *r, size_t col, size_t *ret_len)
{
	return r->store->ops->get_bytes(r, col, ret_len);
}

char *store_text(const struct store_rows *r, size_t col, struct arena *a)
{
	size_t n;
	const uint8_t *p = store_bytes(r, col, &n);
	return store_is_null(r, col) ? NULL : arena_strndup(a, (const char *)p, n);
}

struct uuid store_uuid(const struct store_rows *r, size_t col)
{
	struct uuid u = UUID_NIL;
	size_t n;
	const uint8_t *p = store_bytes(r, col, &n);
	if (n == sizeof(u.b))
		memcpy(u.b, p, n);
	return u;
}

/* A vault's own process: it may run everything that names its role, and all tables are there. */
static bool is_owner(const struct store *s)
{
	return s->role != STORE_ROLE_TEST && (uint32_t)s->role == 1U << s->vault;
}

int store_check(struct store *s, struct diag *reterr)
{
	int err = s->ops->check(s, reterr);
	for (int id = 0; err == 0 && is_owner(s) && id < SQL_COUNT; id++)
		if (store_statements[id].roles & (uint32_t)s->role)
			err = s->ops->prepare(s, id, reterr);
	return err;
}

int store_maintain(struct store *s, struct diag *reterr)
{
	return s->ops->maintain(s, reterr);
}
