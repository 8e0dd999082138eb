/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/outbox/outbox.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/outbox/outbox_int.h"
#include "store/store.h"

enum { MEM = 512 * 1024 };

int outbox_vault_of(enum proc p)
{
	switch (p) {
	case PROC_STRATEGIC: return VAULT_STRATEGIC;
	case PROC_OPERATIONAL: return VAULT_OPERATIONAL;
	case PROC_PROTECTION: return VAULT_PROTECTION;
	default: return -1;
	}
}

enum proc outbox_proc_of(int vault)
{
	switch (vault) {
	case VAULT_STRATEGIC: return PROC_STRATEGIC;
	case VAULT_OPERATIONAL: return PROC_OPERATIONAL;
	case VAULT_PROTECTION: return PROC_PROTECTION;
	default: return PROC_COUNT;
	}
}

/* The time of a UUIDv7: its first 48 bits are milliseconds. */
static usec_t time_of(const struct uuid *key)
{
	uint64_t ms = 0;
	for (int i = 0; i < 6; i++)
		ms = ms << 8 | key->b[i];
	return (usec_t)ms * 1000;
}

/*
 * A key above every key of the subject.  Keys rise within a process; a clock that was set
 * back while the node was down could still give a lower one, and the order of a subject is the order of its
 * keys.  The floor of time is then raised to the millisecond after the last.
 */
static int key_of(struct store *db, const struct uuid *subject, struct uuid *ret, struct diag *reterr)
{
	const struct store_value args[] = { sv_uuid(subject) };
	struct store_rows *rows = NULL;
	struct uuid key = uuid_new(), last = UUID_NIL;
	int err = store_one(db, SQL_OUTBOX_NEWEST, args, 1, &rows, reterr);
	if (err == 0)
		last = store_uuid(rows, 0);
	store_rows_close(rows);
	if (err != 0 && err != FW_ENOTFOUND)
		return err;
	if (uuid_compare(&key, &last) <= 0) {
		time_floor_raise(time_of(&last) + 1000);
		key = uuid_new();
	}
	*ret = key;
	return 0;
}

int outbox_put(struct store *db, int to_vault, const char *kind, const struct uuid *subject, const void *body,
	       size_t n, struct uuid *ret_key, struct diag *reterr)
{
	size_t len = strlen(kind);
	if (n > OUTBOX_BODY_MAX)
		return diag_set(reterr, FW_ELIMIT, "too long to be handed to another vault");
	if (outbox_proc_of(to_vault) == PROC_COUNT)
		return diag_set(reterr, FW_EINVALID, "nothing is handed to a vault of that number");
	if (len == 0 || len > OUTBOX_KIND_MAX)
		return diag_set(reterr, FW_EINVALID, "the name of a kind has 1 to %d characters", OUTBOX_KIND_MAX);
	struct uuid key;
	int err = key_of(db, subject, &key, reterr);
	if (err != 0)
		return err;
	const struct store_value args[] = { sv_uuid(&key),    sv_int(to_vault),	  sv_text(kind),
					    sv_uuid(subject), sv_bytes(body, n), sv_int(time_now()) };
	err = store_exec(db, SQL_OUTBOX_PUT, args, 6, NULL, reterr);
	if (err == 0)
		*ret_key = key;
	return err;
}

int outbox_of_subject(struct store *db, const struct uuid *subject, struct outbox_row *ret, size_t max,
		      size_t *ret_n, struct diag *reterr)
{
	const struct store_value args[] = { sv_uuid(subject), sv_int((int64_t)max) };
	struct store_rows *rows = NULL;
	size_t n = 0;
	int got = store_query(db, SQL_OUTBOX_OF_SUBJECT, args, 2, &rows, reterr);
	while (got == 0 && n < max && (got = store_next(rows, reterr)) == 1) {
		struct outbox_row *o = &ret[n++];
		*o = (struct outbox_row){ .key = store_uuid(rows, 0), .subject = *subject,
					  .at = store_int(rows, 1), .state = (int)store_int(rows, 2) };
		size_t len;
		const uint8_t *p = store_bytes(rows, 3, &len);
		memcpy(o->kind, p, len < sizeof(o->kind) ? len : sizeof(o->kind) - 1);
		p = store_bytes(rows, 4, &len);
		memcpy(o->receipt, p, len < sizeof(o->receipt) ? len : sizeof(o->receipt) - 1);
		got = 0;
	}
	store_rows_close(rows);
	if (got < 0)
		return got;
	*ret_n = n;
	return 0;
}

void outbox_wake(struct worker *w, void *unused)
{
	(void)unused;
	worker_wake(w, outbox_task.name);
}

int outbox_on_message(struct worker *w, struct chan *from, struct message *m)
{
	struct arena *a = arena_new(MEM);
	if (a == NULL)
		return 0; /* as if it had been lost on the road */
	int err = m->type == MSG_OUTBOX ? outbox_on_row(w, from, m, a) :
		  m->type == MSG_RECEIPT ? outbox_on_receipt(w, from, m, a) : FW_EPROTO;
	arena_free(a);
	return err == -ENOMEM ? 0 : err;
}
