/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/access/session.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "gen/sql.h"
#include "store/store.h"

const char *session_state_name(int state)
{
	static const char *const names[] = {
		[SESSION_OPEN] = "open",
		[SESSION_SECOND_FACTOR] = "second_factor",
		[SESSION_ENROL] = "enrol",
		[SESSION_CHANGE_PASSWORD] = "change_password",
	};
	return state >= 0 && state <= SESSION_CHANGE_PASSWORD ? names[state] : "?";
}

int session_state_of(const struct session_facts *f)
{
	if (f->has_factor && !f->gave_factor)
		return SESSION_SECOND_FACTOR;
	if (f->fresh)
		return SESSION_CHANGE_PASSWORD;
	if (f->must_have_factor && !f->has_factor)
		return SESSION_ENROL;
	return SESSION_OPEN;
}

void session_token(char ret_text[SESSION_TOKEN_TEXT + 1], uint8_t ret_hash[SESSION_TOKEN])
{
	uint8_t token[SESSION_TOKEN];
	randombytes_buf(token, sizeof(token));
	sodium_bin2base64(ret_text, SESSION_TOKEN_TEXT + 1, token, sizeof(token),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	crypto_hash_sha256(ret_hash, token, sizeof(token));
	sodium_memzero(token, sizeof(token));
}

static usec_t unused_since(usec_t now, int64_t idle_minutes)
{
	return now - idle_minutes * 60 * USEC_PER_SEC;
}

/* Text of at most ${max} bytes; NULL is "". */
static struct store_value cut_text(const char *s, size_t max)
{
	size_t n = s != NULL ? strlen(s) : 0;
	return sv_textn(s != NULL ? s : "", n > max ? utf8_cut(s, max) : n);
}

int session_insert(struct store *db, struct session *s, const uint8_t token_hash[SESSION_TOKEN],
		   usec_t now, int64_t hours, int64_t most, struct diag *reterr)
{
	s->started = s->proved = s->last = now;
	s->ends = now + hours * 3600 * USEC_PER_SEC;
	struct store_value crowd[] = {sv_uuid(&s->account), sv_int(most - 1)};
	int e = store_exec(db, SQL_ACCESS_SESSION_CROWD, crowd, 2, NULL, reterr);
	if (e != 0)
		return e;
	struct store_value args[] = {sv_uuid(&s->id),
				     sv_bytes(token_hash, SESSION_TOKEN),
				     sv_uuid(&s->account),
				     sv_int(s->state),
				     sv_int(s->gave_factor),
				     sv_int(now),
				     sv_int(s->ends),
				     cut_text(s->address, SESSION_ADDRESS_MAX),
				     cut_text(s->agent, SESSION_AGENT_MAX)};
	return store_exec(db, SQL_ACCESS_SESSION_INSERT, args, 9, NULL, reterr);
}

static int read_row(const struct store_rows *rows, struct arena *a, struct session *ret)
{
	*ret = (struct session){
		.id = store_uuid(rows, 0),
		.account = store_uuid(rows, 1),
		.state = (int)store_int(rows, 2),
		.gave_factor = store_int(rows, 3) != 0,
		.started = store_int(rows, 4),
		.proved = store_int(rows, 5),
		.last = store_int(rows, 6),
		.ends = store_int(rows, 7),
		.address = store_text(rows, 8, a),
		.agent = store_text(rows, 9, a),
	};
	return arena_failed(a) ? -ENOMEM : 0;
}

static int one(struct store *db, int statement, struct store_value arg, usec_t now,
	       int64_t idle_minutes, struct arena *a, struct session *ret, struct diag *reterr)
{
	struct store_rows *rows;
	int e = store_one(db, statement, &arg, 1, &rows, reterr);
	if (e != 0)
		return e;
	struct session s;
	e = read_row(rows, a, &s);
	store_rows_close(rows);
	if (e == 0 && (now >= s.ends || s.last <= unused_since(now, idle_minutes)))
		e = FW_ENOTFOUND;
	if (e == 0)
		*ret = s;
	return e;
}

int session_get(struct store *db, const struct uuid *id, usec_t now, int64_t idle_minutes,
		struct arena *a, struct session *ret, struct diag *reterr)
{
	return one(db, SQL_ACCESS_SESSION_GET, sv_uuid(id), now, idle_minutes, a, ret, reterr);
}

int session_find(struct store *db, const uint8_t token_hash[SESSION_TOKEN], usec_t now,
		 int64_t idle_minutes, struct arena *a, struct session *ret, struct diag *reterr)
{
	return one(db, SQL_ACCESS_SESSION_FIND, sv_bytes(token_hash, SESSION_TOKEN), now,
		   idle_minutes, a, ret, reterr);
}

int session_list(struct store *db, const struct uuid *account, usec_t now, int64_t idle_minutes,
		 struct arena *a, struct session *ret, size_t max, size_t *ret_n,
		 struct diag *reterr)
{
	struct store_value args[] = {sv_uuid(account), sv_int(now),
				     sv_int(unused_since(now, idle_minutes))};
	struct store_rows *rows;
	int e = store_query(db, SQL_ACCESS_SESSION_LIST, args, 3, &rows, reterr);
	if (e != 0)
		return e;
	size_t n = 0;
	while (n < max && (e = store_next(rows, reterr)) == 1 &&
	       (e = read_row(rows, a, &ret[n])) == 0)
		n++;
	store_rows_close(rows);
	if (e < 0)
		return e;
	*ret_n = n;
	return 0;
}

int session_raise(struct store *db, const struct session *s,
		  const uint8_t token_hash[SESSION_TOKEN], struct diag *reterr)
{
	struct store_value args[] = {sv_uuid(&s->id), sv_bytes(token_hash, SESSION_TOKEN),
				     sv_int(s->state), sv_int(s->gave_factor), sv_int(s->proved)};
	return store_exec(db, SQL_ACCESS_SESSION_RAISE, args, 5, NULL, reterr);
}

int session_set_state(struct store *db, const struct session *s, struct diag *reterr)
{
	struct store_value args[] = {sv_uuid(&s->id), sv_int(s->state), sv_int(s->gave_factor),
				     sv_int(s->proved)};
	return store_exec(db, SQL_ACCESS_SESSION_STATE, args, 4, NULL, reterr);
}

int session_touch(struct store *db, const struct uuid *id, usec_t now, struct diag *reterr)
{
	struct store_value args[] = {sv_uuid(id), sv_int(now)};
	return store_exec(db, SQL_ACCESS_SESSION_TOUCH, args, 2, NULL, reterr);
}

int session_end(struct store *db, const struct uuid *id, const struct uuid *account, int64_t *ret_n,
		struct diag *reterr)
{
	struct store_value args[] = {sv_uuid(id), sv_uuid(account)};
	return store_exec(db, SQL_ACCESS_SESSION_END, args, 2, ret_n, reterr);
}

int session_end_all(struct store *db, const struct uuid *account, const struct uuid *keep,
		    struct diag *reterr)
{
	struct store_value args[] = {sv_uuid(account), sv_uuid(keep)};
	return keep == NULL ? store_exec(db, SQL_ACCESS_SESSION_END_ALL, args, 1, NULL, reterr)
			    : store_exec(db, SQL_ACCESS_SESSION_END_OTHERS, args, 2, NULL, reterr);
}

int session_purge(struct store *db, usec_t now, int64_t idle_minutes, struct diag *reterr)
{
	struct store_value args[] = {sv_int(now), sv_int(unused_since(now, idle_minutes))};
	return store_exec(db, SQL_ACCESS_SESSION_PURGE, args, 2, NULL, reterr);
}
