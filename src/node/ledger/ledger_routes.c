/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Reading and verifying a ledger over HTTP.
 *
 * Verification reads everything and may take long, so it runs beside the loop
 * on a connection of its own: the vault goes on serving, and what is verified is
 * one snapshot.  Both acts are themselves entries of the ledger.
 */
#include "node/ledger/ledger_routes.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "codec/json.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/ledger/checkpoint.h"
#include "node/ledger/read.h"
#include "store/store.h"
#include "tbl/find.h"

enum { PAGE = 100, KEY_TEXT_MAX = CHECKPOINT_ORIGIN_MAX + 80 };

int ledger_origin(const char *node_origin, int vault, char *out, struct diag *reterr)
{
	int n = snprintf(out, CHECKPOINT_ORIGIN_MAX + 1, "%s/%s", node_origin, vault_rows[vault].origin);
	if (n < 0 || n > CHECKPOINT_ORIGIN_MAX || !checkpoint_origin_fits(out))
		return diag_set(reterr, FW_EINVALID,
				"the setting node.origin has to be printable ASCII without blank and plus, and short");
	return 0;
}

/* ---- a page ---- */

static int put_entry(void *arg, const struct ledger_row *row)
{
	struct jw *j = arg;
	const struct ledger_content *c = &row->content;
	const struct ledger_event_row *ev = row->readable ? ledger_event_find(c->event) : NULL;
	jw_object(j);
	jw_put_uuid(j, "id", &row->id);
	if (row->position != LEDGER_NO_POSITION)
		jw_put_i64(j, "position", (int64_t)row->position);
	jw_put_time(j, "at", row->at);
	jw_put_string(j, "event", ev != NULL ? ev->code : row->erased ? "" : "unknown");
	if (row->readable && !uuid_is_nil(&c->account))
		jw_put_uuid(j, "account", &c->account);
	if (row->readable && c->purpose[0] != '\0')
		jw_put_string(j, "purpose", c->purpose);
	if (row->readable && c->route[0] != '\0')
		jw_put_string(j, "route", c->route);
	jw_put_i64(j, "subjects", row->readable ? c->nsubjects : 0);
	jw_put_bool(j, "erased", row->erased);
	if (row->readable && c->detail != NULL) {
		jw_name(j, "detail");
		jw_stringn(j, (const char *)c->detail, c->detail_len);
	}
	jw_end(j);
	return 0;
}

static int put_head(struct call *c, struct jw *j, struct diag *reterr)
{
	char origin[CHECKPOINT_ORIGIN_MAX + 1], key[KEY_TEXT_MAX], root[64];
	struct ledger_head head;
	struct store_rows *r;
	int err = ledger_origin(worker_boot(c->worker)->origin, worker_vault(c->worker), origin, reterr);
	if (err == 0)
		err = ledger_head(c->db, &head, reterr);
	if (err == 0)
		err = checkpoint_vkey(origin, worker_sign_public(c->worker), key, sizeof(key));
	if (err < 0)
		return err;
	(void)sodium_bin2base64(root, sizeof(root), head.root.b, LEDGER_HASH, sodium_base64_VARIANT_ORIGINAL);
	jw_put_string(j, "origin", origin);
	jw_put_string(j, "vkey", key);
	jw_put_i64(j, "size", (int64_t)head.size);
	jw_put_string(j, "root", root);
	err = store_one(c->db, SQL_LEDGER_CHECKPOINT_LAST, NULL, 0, &r, reterr);
	if (err < 0)
		return err == FW_ENOTFOUND ? 0 : err;
	jw_put_string(j, "checkpoint", store_text(r, 1, c->mem));
	store_rows_close(r);
	return 0;
}

/* The mark of a page is a position; the limits of the route allow more than is one. */
static int read_mark(const char *s, uint64_t *ret)
{
	char *end;
	if (s == NULL) {
		*ret = LEDGER_NO_POSITION;
		return 0;
	}
	errno = 0;
	*ret = s[0] >= '1' && s[0] <= '9' ? strtoull(s, &end, 10) : 0;
	return *ret > 0 && *ret <= INT64_MAX && errno == 0 && *end == '\0' ? 0 : FW_EINVALID;
}

static int read_filter(const struct call *c, struct ledger_filter *ret, struct diag *reterr)
{
	const char *event = call_query(c, "event");
	*ret = (struct ledger_filter){ .event = -1, .limit = PAGE };
	if (read_mark(call_query(c, "after"), &ret->below) < 0) {
		diag_place(reterr, "after");
		return diag_set(reterr, FW_EINVALID, "a page mark is what the page before gave as next");
	}
	if (event == NULL)
		return 0;
	const struct ledger_event_row *ev = ledger_event_of(event);
	if (ev == NULL) {
		diag_place(reterr, "event");
		return diag_set(reterr, FW_EINVALID, "no kind of event has this code");
	}
	ret->event = ev->number;
	return 0;
}

static int read_ledger(struct call *c, struct reply *r, struct diag *reterr)
{
	struct ledger_filter f;
	struct ledger_note note = { .event = LEDGER_EV_LEDGER_READ };
	uint64_t next = 0;
	struct jw j;
	char mark[24];
	int err = read_filter(c, &f, reterr);
	if (err < 0)
		return err;
	jw_init(&j, &r->body);
	jw_object(&j);
	jw_name(&j, "entries");
	jw_array(&j);
	err = ledger_page(c->db, &f, put_entry, &j, &next, reterr);
	if (err < 0)
		return err;
	jw_end(&j);
	if (next > 0) {
		(void)snprintf(mark, sizeof(mark), "%" PRIu64, next);
		jw_put_string(&j, "next", mark);
	}
	err = put_head(c, &j, reterr);
	if (err < 0)
		return err;
	jw_end(&j);
	err = call_ledger(c, &note, reterr);
	return err < 0 ? err : r->body.error;
}

/* ---- verification ---- */

struct verification {
	struct store_options store;
	char origin[CHECKPOINT_ORIGIN_MAX + 1];
	uint8_t pk[32];
	const char *outside;
	int err;
	struct diag diag;
	struct ledger_report report;
};

/* On a thread of its own: touches nothing but ${arg}. */
static void verify_aside(void *arg)
{
	struct verification *v = arg;
	struct store *s = NULL;
	v->err = store_open(&v->store, &s, &v->diag);
	if (v->err == 0)
		v->err = ledger_verify(s, v->origin, v->pk, v->outside, NULL, NULL, &v->report, &v->diag);
	store_close(s);
}

static enum store_role role_of(int vault)
{
	static const enum store_role roles[] = { [VAULT_STRATEGIC] = STORE_ROLE_STRATEGIC,
						 [VAULT_OPERATIONAL] = STORE_ROLE_OPERATIONAL,
						 [VAULT_PROTECTION] = STORE_ROLE_PROTECTION,
						 [VAULT_HOUSE] = STORE_ROLE_HOUSE };
	return roles[vault];
}

static int begin_verification(struct call *c, struct diag *reterr)
{
	const struct wire_boot *boot = worker_boot(c->worker);
	const int vault = worker_vault(c->worker);
	const char *outside = json_string_value(json_object_get(c->body, "outside"));
	struct verification *v = arena_alloc(c->mem, sizeof(*v));
	if (v == NULL)
		return -ENOMEM;
	int err = ledger_origin(boot->origin, vault, v->origin, reterr);
	if (err < 0)
		return err;
	v->store = (struct store_options){ .url = arena_strdup(c->mem, boot->store_url), .role = role_of(vault),
					   .vault = vault_rows[vault].name, .read_only = true };
	memcpy(v->pk, worker_sign_public(c->worker), sizeof(v->pk));
	v->outside = outside != NULL ? arena_strdup(c->mem, outside) : NULL;
	return arena_failed(c->mem) ? -ENOMEM : call_defer(c, verify_aside, v);
}

static void put_verdict(struct jw *j, const struct ledger_report *p)
{
	jw_object(j);
	jw_put_bool(j, "verified", p->verdict == 0);
	jw_put_string(j, "words", p->verdict == 0 ? "Everything verifies." : p->words);
	jw_put_i64(j, "entries", (int64_t)p->entries);
	jw_put_i64(j, "waiting", (int64_t)p->unpositioned);
	jw_put_i64(j, "erased", (int64_t)p->erased);
	jw_put_i64(j, "checkpoints", (int64_t)p->checkpoints);
	if (p->bad_position != LEDGER_NO_POSITION)
		jw_put_i64(j, "bad_position", (int64_t)p->bad_position);
	if (p->before > 0) {
		jw_put_i64(j, "after", (int64_t)p->after);
		jw_put_i64(j, "before", (int64_t)p->before);
	}
	jw_put_bool(j, "tail_lost", p->tail_lost);
	jw_end(j);
}

static int verify_ledger(struct call *c, struct reply *r, struct diag *reterr)
{
	const struct verification *v = c->deferred;
	char detail[80];
	struct jw j;
	if (v == NULL)
		return begin_verification(c, reterr);
	if (v->err != 0)
		return diag_set(reterr, v->err, "%s", v->diag.text);
	(void)snprintf(detail, sizeof(detail), "{\"verified\":%s,\"entries\":%" PRIu64 "}",
		       v->report.verdict == 0 ? "true" : "false", v->report.entries);
	struct ledger_note note = { .event = LEDGER_EV_LEDGER_VERIFY, .detail = detail };
	jw_init(&j, &r->body);
	put_verdict(&j, &v->report);
	int err = call_ledger(c, &note, reterr);
	return err < 0 ? err : r->body.error;
}

const struct call_row ledger_calls[] = {
	{ OP_READ_LEDGER, read_ledger },
	{ OP_VERIFY_LEDGER, verify_ledger },
	{ -1, NULL },
};
