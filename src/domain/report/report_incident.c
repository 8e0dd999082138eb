/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Routes of one report: see it, write it, correct it; hand a person over.
 *
 * A correction is a whole report again, made from a version that it names: if
 * that is not the newest any more, somebody else was there in between, and
 * the answer is 409 with nothing lost.  Where the report came from goes with
 * it through every version; no request can say that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/signs.h"
#include "codec/json.h"
#include "codec/json_pull.h"
#include "domain/report/report_int.h"
#include "domain/report/report_json.h"
#include "domain/report/report_validate.h"
#include "gen/sql.h"
#include "gen/tables.h"
#include "node/ledger/ledger.h"
#include "node/outbox/outbox.h"
#include "node/outbox/referral.h"
#include "store/store.h"
#include "tbl/codebook/codebook.h"

enum { VERSIONS_MAX = 200, HANDED_OVER_MAX = 100, REFERRAL_BYTES = 8192 };

int report_find(struct call *c, struct index_entry *ret, struct diag *reterr)
{
	struct uuid id;
	struct index_filter limit = { 0 };
	report_limit(c, &limit);
	int r = index_ready(report_of(c->worker)->index, c->db, reterr);
	if (r != 0)
		return r;
	if (uuid_parse(c->param[0], &id) < 0 || !index_find(report_of(c->worker)->index, &id, ret) ||
	    (limit.own && !uuid_equal(&ret->owner, &limit.owner)))
		return diag_set(reterr, FW_ENOTFOUND, "There is no report of this id that you may see.");
	return 0;
}

/* ---- as JSON ---- */

/* What provenance says besides the report's own cells. */
struct origin {
	const char *attribution; /* "" for none */
	struct import_row import;
	int64_t row; /* 0: not imported */
};

static void put_origin(struct jw *w, void *arg)
{
	const struct origin *o = arg;
	if (o->attribution[0] != '\0')
		jw_put_string(w, "attribution", o->attribution);
	if (o->row == 0)
		return;
	jw_put_uuid(w, "import", &o->import.id);
	jw_put_string(w, "file", o->import.file);
	jw_put_i64(w, "row", o->row);
	if (o->import.layout[0] != '\0')
		jw_put_string(w, "layout", o->import.layout);
}

const char *report_attribution(const struct incident *inc)
{
	const struct cell *system = &inc->at[B_PROV][PROV_SYSTEM];
	return cell_set(system) ? codebooks[CB_SYSTEM].values[system->i].note : "";
}

static int find_origin(struct call *c, const struct report_head *h, const struct incident *inc, struct origin *ret,
		       struct diag *reterr)
{
	struct store_rows *rows = NULL;
	*ret = (struct origin){ .attribution = report_attribution(inc) };
	if (uuid_is_nil(&h->import))
		return 0;
	const struct store_value v[] = { sv_uuid(&h->import) };
	int r = store_one(c->db, SQL_REPORT_IMPORT_GET, v, 1, &rows, reterr);
	if (r == 0) {
		import_get(rows, &ret->import, c->mem);
		ret->row = h->import_row;
	}
	store_rows_close(rows);
	return r == 0 && arena_failed(c->mem) ? -ENOMEM : r;
}

/* Newest first; *ret_latest its number. */
static int put_versions(struct call *c, const struct index_entry *e, struct jw *w, int64_t *ret_latest, struct diag *reterr)
{
	const struct store_value v[] = { sv_uuid(&e->owner), sv_uuid(&e->id) };
	struct store_rows *rows = NULL;
	int r = store_query(c->db, SQL_REPORT_INCIDENT_VERSIONS, v, 2, &rows, reterr), more = 0;
	jw_name(w, "versions");
	jw_array(w);
	while (r == 0 && (more = store_next(rows, reterr)) == 1) {
		struct uuid by = store_uuid(rows, 3);
		if (store_int(rows, 1) != 0)
			*ret_latest = store_int(rows, 0);
		jw_object(w);
		jw_put_i64(w, "version", store_int(rows, 0));
		jw_put_time(w, "at", store_int(rows, 2));
		if (!uuid_is_nil(&by))
			jw_put_uuid(w, "by", &by);
		jw_put_string(w, "status", store_text(rows, 4, c->mem));
		jw_put_string(w, "reason", store_text(rows, 5, c->mem));
		jw_end(w);
	}
	jw_end(w);
	store_rows_close(rows);
	return r < 0 ? r : more;
}

void report_put_head(struct jw *w, const struct report_head *h, const struct incident *inc)
{
	const struct cell *synthetic = &inc->at[B_CORE][CORE_SYNTHETIC];
	jw_put_uuid(w, "id", &h->id);
	jw_put_uuid(w, "owner", &h->owner);
	jw_put_i64(w, "version", h->version);
	jw_put_bool(w, "personal", h->personal);
	if (!uuid_is_nil(&h->author))
		jw_put_uuid(w, "author", &h->author);
	if (!uuid_is_nil(&h->verified_by))
		jw_put_uuid(w, "verified_by", &h->verified_by);
	if (!uuid_is_nil(&h->validated_by))
		jw_put_uuid(w, "validated_by", &h->validated_by);
	jw_put_time(w, "at", h->at);
	jw_put_string(w, "status", h->status);
	if (h->closed_reason[0] != '\0')
		jw_put_string(w, "closed_reason", h->closed_reason);
	if (!cell_set(synthetic))
		jw_put_bool(w, "synthetic", false); /* else among the report's own members */
}

static int put_loaded(struct call *c, const struct index_entry *e, const struct report_head *h, const struct incident *inc,
		      struct jw *w, struct diag *reterr)
{
	struct origin o;
	int64_t latest = h->version;
	int r = find_origin(c, h, inc, &o, reterr);
	if (r != 0)
		return r;
	jw_object(w);
	report_put_head(w, h, inc);
	r = put_versions(c, e, w, &latest, reterr);
	jw_put_i64(w, "latest", latest);
	incident_write(w, inc, put_origin, &o);
	jw_end(w);
	return r;
}

int report_put_incident(struct call *c, const struct index_entry *e, int64_t version, struct jw *w, bool *ret_personal,
			struct diag *reterr)
{
	struct report_head h;
	struct incident inc;
	incident_init(&inc);
	int r = report_load(c->db, &e->owner, &e->id, version, &h, &inc, c->mem, reterr);
	if (r == 0)
		r = put_loaded(c, e, &h, &inc, w, reterr);
	if (r == FW_ENOTFOUND)
		r = diag_set(reterr, r, "There is no version %lld of this report.", (long long)version);
	*ret_personal = r == 0 && h.personal;
	incident_release(&inc);
	return r;
}

int report_see_incident(struct call *c, struct reply *reply, struct diag *reterr)
{
	struct index_entry e;
	struct jw w;
	const char *wanted = call_query(c, "version");
	bool personal = false;
	int64_t version = 0;
	int r = report_find(c, &e, reterr);
	if (r != 0)
		return r;
	if (wanted != NULL)
		version = strtoll(wanted, NULL, 10); /* 1..100000, checked by the route's row */
	jw_init(&w, &reply->body);
	r = report_put_incident(c, &e, wanted != NULL ? version : e.version, &w, &personal, reterr);
	return r == 0 ? report_note_reading(c, LEDGER_EV_INCIDENT_READ, &e.id, personal, reterr) : r;
}

/* ---- what a request says ---- */

struct written {
	struct incident inc;
	struct incident_frame frame;
	struct report_head head;
};

/* The body was a tree for the check of its shape; the report's own reader wants text. */
static int read_body(struct call *c, struct written *w, struct diag *reterr)
{
	size_t n = json_dumpb(c->body, NULL, 0, JSON_COMPACT);
	char *text = n > 0 ? arena_alloc(c->mem, n) : NULL;
	struct jp j;
	if (text == NULL)
		return -ENOMEM;
	if (json_dumpb(c->body, text, n, JSON_COMPACT) != n)
		return -ENOMEM;
	jp_init(&j, text, n);
	return incident_read(&j, JSON_REQUEST, &w->inc, &w->frame, reterr);
}

static bool text_is(const struct cell *c, const char *s)
{
	return cell_set(c) && (size_t)c->i == strlen(s) && memcmp(c->s, s, strlen(s)) == 0;
}

/* A number that nobody mistypes: the year and ten signs. */
static int make_number(struct call *c, const struct report_head *h, struct cell *cell)
{
	char text[TIME_TEXT_LEN + 1], code[11] = "";
	time_format(h->at, text);
	signs_of(h->id.b + 6, 10, code); /* of the id's last ten bytes, nearly all random */
	const char *number = arena_printf(c->mem, "%.4s-%.5s-%.5s", text, code, code + 5);
	*cell = number != NULL ? cell_text(number, strlen(number)) : CELL_ABSENT;
	return number != NULL ? 0 : -ENOMEM;
}

/* Fills in what the node says, and holds the report against its rules. */
static int finish(struct call *c, struct written *w, struct diag *reterr)
{
	struct cell *core = w->inc.at[B_CORE];
	bool draft = text_is(&w->frame.status, "draft");
	int r = 0;
	w->head.author = c->who->account;
	w->head.at = time_now();
	memcpy(w->head.status, draft ? "draft" : "submitted", draft ? sizeof("draft") : sizeof("submitted"));
	if (worker_boot(c->worker)->exercise)
		core[CORE_SYNTHETIC] = cell_int(1); /* this node holds nothing else */
	if (!cell_set(&core[CORE_NUMBER]))
		r = make_number(c, &w->head, &core[CORE_NUMBER]);
	return r == 0 ? report_validate(&w->inc, reterr) : r;
}

static void put_index(struct worker *w, void *arg)
{
	index_put(report_of(w)->index, arg);
}

/* Store the version, note it, answer with it. */
static int store_written(struct call *c, struct written *w, int event, struct reply *reply, struct diag *reterr)
{
	struct index_entry *e = arena_alloc(c->mem, sizeof(*e));
	struct ledger_note note = { .event = event, .subjects = &w->head.id, .nsubjects = 1 };
	struct jw j;
	bool personal;
	int r = e == NULL ? -ENOMEM : report_add(c->db, &w->head, &w->inc, reterr);
	if (r == 0)
		r = call_ledger(c, &note, reterr);
	if (r != 0)
		return r;
	index_entry_of(e, &w->head, &w->inc);
	r = call_after_commit(c, put_index, e);
	jw_init(&j, &reply->body);
	return r == 0 ? report_put_incident(c, e, e->version, &j, &personal, reterr) : r;
}

/* ---- writing ---- */

static int write_incident(struct call *c, struct written *w, struct reply *reply, struct diag *reterr)
{
	w->head = (struct report_head){ .owner = c->who->agency, .id = uuid_new(), .version = 1, .reason = "written" };
	int r = read_body(c, w, reterr);
	if (r == 0 && w->frame.based_on != 0) {
		diag_place(reterr, "based_on");
		return diag_set(reterr, FW_EINVALID, "Expected it in a correction only.");
	}
	if (r == 0)
		r = finish(c, w, reterr);
	reply->status = 201;
	return r == 0 ? store_written(c, w, LEDGER_EV_INCIDENT_WRITE, reply, reterr) : r;
}

/* Where the report came from, and what was noticed when it came, as the version before says it. */
static int keep_provenance(struct written *w, const struct incident *before)
{
	static const uint8_t kept[] = { B_FURTHER_ID, B_DOUBT };
	int r = 0;
	memcpy(w->inc.at[B_PROV], before->at[B_PROV], PROV_FIELDS * sizeof(struct cell));
	for (size_t b = 0; b < sizeof(kept); b++)
		for (size_t i = 0; r == 0 && i < before->n[kept[b]]; i++) {
			struct cell *row = incident_add(&w->inc, kept[b], &r);
			if (row != NULL)
				memcpy(row, incident_row(before, kept[b], i), blocks[kept[b]].n * sizeof(*row));
		}
	if (!cell_set(&w->inc.at[B_CORE][CORE_NUMBER]))
		w->inc.at[B_CORE][CORE_NUMBER] = before->at[B_CORE][CORE_NUMBER];
	if (!cell_set(&w->inc.at[B_CORE][CORE_SYNTHETIC]))
		w->inc.at[B_CORE][CORE_SYNTHETIC] = before->at[B_CORE][CORE_SYNTHETIC]; /* what was invented stays so */
	return r;
}

static int correct_from(struct call *c, struct written *w, struct reply *reply, struct diag *reterr)
{
	struct report_head was;
	struct incident before;
	incident_init(&before);
	int r = report_supersede(c->db, &w->head.owner, &w->head.id, w->frame.based_on, reterr);
	if (r == 0)
		r = report_load(c->db, &w->head.owner, &w->head.id, w->frame.based_on, &was, &before, c->mem, reterr);
	if (r == 0) {
		w->head.import = was.import;
		w->head.import_row = was.import_row;
		r = keep_provenance(w, &before);
	}
	if (r == 0)
		r = finish(c, w, reterr);
	if (r == 0)
		r = store_written(c, w, LEDGER_EV_INCIDENT_CORRECT, reply, reterr);
	incident_release(&before);
	return r;
}

static int correct_incident(struct call *c, struct written *w, struct reply *reply, struct diag *reterr)
{
	struct index_entry e;
	int r = report_find(c, &e, reterr);
	if (r == 0 && !uuid_equal(&e.owner, &c->who->agency))
		return diag_set(reterr, FW_EDENIED, "Only the agency that owns the report corrects it; tell it what is wrong.");
	if (r == 0)
		r = read_body(c, w, reterr);
	if (r != 0)
		return r;
	if (w->frame.based_on == 0) {
		diag_place(reterr, "based_on");
		return diag_set(reterr, FW_EINVALID, "Expected the number of the version that this correction was made from.");
	}
	w->head = (struct report_head){ .owner = e.owner, .id = e.id, .version = w->frame.based_on + 1, .reason = "corrected" };
	return correct_from(c, w, reply, reterr);
}

static int with_incident(struct call *c, struct reply *reply, struct diag *reterr,
			 int (*fn)(struct call *, struct written *, struct reply *, struct diag *))
{
	struct written *w = arena_alloc(c->mem, sizeof(*w));
	if (w == NULL)
		return -ENOMEM;
	incident_init(&w->inc);
	int r = fn(c, w, reply, reterr);
	incident_release(&w->inc);
	return r;
}

int report_write_incident(struct call *c, struct reply *reply, struct diag *reterr)
{
	return with_incident(c, reply, reterr, write_incident);
}

int report_correct_incident(struct call *c, struct reply *reply, struct diag *reterr)
{
	return with_incident(c, reply, reterr, correct_incident);
}

/* ---- a person in need ---- */

static int read_referral(struct call *c, struct referral *ret, struct diag *reterr)
{
	const json_t *needs = json_object_get(c->body, "needs");
	const char *note = json_string_value(json_object_get(c->body, "note"));
	*ret = (struct referral){ .urgency = referral_urgency(json_string_value(json_object_get(c->body, "urgency"))),
				  .note = note != NULL ? note : "", .agency = c->who->agency, .account = c->who->account };
	for (size_t i = 0; i < json_array_size(needs) && i < REFERRAL_NEEDS_MAX; i++) {
		const char *code = json_string_value(json_array_get(needs, i));
		int need = code != NULL ? codebook_find(CB_NEED, code, strlen(code)) : -1;
		if (need < 0) {
			diag_place(reterr, "needs[%zu]", i);
			return diag_set(reterr, FW_EINVALID, "Expected a code of the codebook need.");
		}
		ret->need[ret->nneeds++] = need;
	}
	return ret->urgency != NULL ? 0 : diag_set(reterr, FW_EINVALID, "Expected now, today or later.");
}

int report_refer_person(struct call *c, struct reply *reply, struct diag *reterr)
{
	struct index_entry e;
	struct referral referral;
	struct uuid key;
	struct buf body;
	struct jw w;
	struct ledger_note note = { .event = LEDGER_EV_REFERRAL_HAND_OVER, .subjects = &e.id, .nsubjects = 1 };
	int r = report_find(c, &e, reterr);
	if (r == 0)
		r = read_referral(c, &referral, reterr);
	if (r != 0)
		return r;
	buf_init(&body, REFERRAL_BYTES);
	referral_put(&body, &referral);
	r = buf_failed(&body) ? body.error :
				outbox_put(c->db, VAULT_PROTECTION, referral_kind, &e.id, body.data, body.len, &key, reterr);
	buf_wipe(&body);
	buf_release(&body);
	if (r == 0)
		r = call_ledger(c, &note, reterr);
	if (r == 0)
		r = call_after_commit(c, outbox_wake, NULL);
	if (r != 0)
		return r;
	reply->status = 202;
	jw_init(&w, &reply->body);
	jw_object(&w);
	jw_put_uuid(&w, "id", &key);
	jw_end(&w);
	return 0;
}

int report_list_handed_over(struct call *c, struct reply *reply, struct diag *reterr)
{
	struct index_entry e;
	struct jw w;
	size_t n = 0;
	struct outbox_row *rows = arena_array(c->mem, HANDED_OVER_MAX, sizeof(*rows));
	int r = rows == NULL ? -ENOMEM : report_find(c, &e, reterr);
	if (r == 0)
		r = outbox_of_subject(c->db, &e.id, rows, HANDED_OVER_MAX, &n, reterr);
	if (r != 0)
		return r;
	jw_init(&w, &reply->body);
	jw_object(&w);
	jw_name(&w, "handed_over");
	jw_array(&w);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(rows[i].kind, referral_kind) != 0)
			continue;
		jw_object(&w);
		jw_put_uuid(&w, "id", &rows[i].key);
		if (rows[i].state == OUTBOX_DONE)
			jw_put_string(&w, "receipt", rows[i].receipt);
		jw_end(&w);
	}
	jw_end(&w);
	jw_end(&w);
	return 0;
}
