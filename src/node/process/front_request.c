/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The way in.  A request goes to its worker when three things are there: its
 * row of the table, the ticket of who asks (or none, on a public route), and
 * its body (an upload: its head).  The cheap refusals come first, so that
 * what is refused costs little and reaches no vault.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>
#include <sodium.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "base/utf8.h"
#include "codec/json.h"
#include "gen/tables.h"
#include "node/process/front_int.h"
#include "tbl/shape.h"

/* Answer with a problem and one more header. */
static void refuse(struct exchange *x, int status, const char *code, const char *detail,
		   const char *name, const char *value)
{
	struct http_pair h = {name, value};
	x->answered = x->over = true;
	x->first = time_mono();
	http_reply_problem(x->r, status, code, detail, NULL, &h, 1);
}

static void fail(struct exchange *x, int status, const char *code, const char *detail,
		 const char *place)
{
	exchange_fail(x, status, code, detail, place);
}

/* ---- checks of the head; each answers and gives false when it refuses ---- */

static bool check_route(struct front *f, struct exchange *x)
{
	int err = route_find(f->routes, http_method(x->r), http_path(x->r), &x->match);
	if (err == FW_ENOTFOUND)
		fail(x, 404, "FW_ENOTFOUND", "there is nothing at this address", NULL);
	else if (err != 0)
		refuse(x, 405, "FW_EINVALID", "this address has other methods", "Allow",
		       x->match.allow);
	else
		x->proc = front_proc_of(x->match.row->vault);
	return err == 0;
}

/* Take a token of ${key}, or answer that there is none. */
static bool take_token(struct exchange *x, struct buckets *b, const void *key, size_t n,
		       const char *words)
{
	unsigned wait = buckets_take(b, key, n, time_mono());
	if (wait == 0)
		return true;
	char seconds[16];
	(void)snprintf(seconds, sizeof(seconds), "%u", wait);
	refuse(x, 429, "FW_EBUSY", words, "Retry-After", seconds);
	return false;
}

static bool check_address_rate(struct front *f, struct exchange *x)
{
	const char *address = http_address(x->r);
	return take_token(x, &f->per_address, address, strlen(address),
			  "too many requests of this address; wait a little");
}

static bool check_session_rate(struct front *f, struct exchange *x)
{
	return !x->has_token || take_token(x, &f->per_session, x->token_hash, sizeof(x->token_hash),
					   "too many requests of this session; wait a little");
}

static bool changes_something(const struct route_row *row)
{
	return strcmp(row->method, "GET") != 0;
}

static bool check_who(struct exchange *x)
{
	const struct http_request *r = x->r;
	const struct route_row *row = x->match.row;
	bool bearer;
	const char *words =
		session_origin(http_header(r, "Origin"), http_header(r, "Sec-Fetch-Site"),
			       http_header(r, "Host"), changes_something(row));
	if (words != NULL) {
		fail(x, 403, "FW_EDENIED", words, NULL);
		return false;
	}
	int got = session_of(http_header(r, "Authorization"), http_cookie(r, SESSION_COOKIE),
			     x->token_hash, &bearer);
	x->has_token = got == 1;
	if (got < 0 || (got == 0 && row->perm != PERM_PUBLIC)) {
		refuse(x, 401, "FW_EAUTH", "no session", "WWW-Authenticate", "Bearer");
		return false;
	}
	/* Only a browser sends a cookie by itself; only then can another site use it. */
	if (row->perm != PERM_PUBLIC && !bearer && changes_something(row) &&
	    !session_csrf(http_header(r, "X-Fairway-CSRF"), x->token_hash)) {
		fail(x, 403, "FW_EDENIED",
		     "the X-Fairway-CSRF header is missing or is not this session's", NULL);
		return false;
	}
	return true;
}

static const struct query_row *find_query(const struct route_row *row, const char *name)
{
	for (size_t i = 0; i < row->nqueries; i++)
		if (strcmp(row->queries[i].name, name) == 0)
			return &row->queries[i];
	return NULL;
}

static bool check_query(struct exchange *x)
{
	const struct route_row *row = x->match.row;
	const struct http_pair *q;
	size_t n = http_query(x->r, &q);
	uint32_t seen = 0;
	for (size_t i = 0; i < n; i++) {
		const struct query_row *known = find_query(row, q[i].name);
		struct diag d = DIAG_INIT;
		if (known == NULL) {
			fail(x, 400, "FW_EINVALID",
			     "a query parameter that this address does not have", NULL);
			return false;
		}
		uint32_t bit = 1U << (known - row->queries);
		if ((seen & bit) != 0) {
			fail(x, 400, "FW_EINVALID", "a query parameter came twice", known->name);
			return false;
		}
		seen |= bit;
		if (value_check_text(&known->value, known->name, q[i].value, &d) != 0) {
			fail(x, 422, "FW_EINVALID", d.text, d.place);
			return false;
		}
	}
	for (size_t i = 0; i < row->nqueries; i++)
		if (row->queries[i].required && (seen & (1U << i)) == 0) {
			fail(x, 422, "FW_EINVALID", "a query parameter is missing",
			     row->queries[i].name);
			return false;
		}
	return true;
}

static bool check_purpose(struct exchange *x)
{
	const struct route_row *row = x->match.row;
	const struct http_pair *q;
	size_t n = http_query(x->r, &q);
	x->purpose = http_header(x->r, "X-Fairway-Purpose");
	for (size_t i = 0; x->purpose == NULL && i < n; i++)
		if (strcmp(q[i].name, "purpose") == 0)
			x->purpose = q[i].value;
	if ((row->flags & ROUTE_PURPOSE) == 0) {
		x->purpose = NULL;
		return true;
	}
	for (size_t i = 0; x->purpose != NULL && i < PURPOSE_COUNT; i++)
		if (strcmp(purpose_rows[i].code, x->purpose) == 0 &&
		    (purpose_rows[i].vaults & (1U << row->vault)) != 0)
			return true;
	fail(x, 422, "FW_EINVALID", "X-Fairway-Purpose must name a purpose of this vault",
	     "X-Fairway-Purpose");
	return false;
}

/* Whether a Content-Type is ${want}, whatever its parameters. */
static bool is_type(const char *have, const char *want)
{
	size_t n = strlen(want);
	return have != NULL && strncasecmp(have, want, n) == 0 &&
	       (have[n] == '\0' || have[n] == ';' || have[n] == ' ' || have[n] == '\t');
}

static bool check_body(struct front *f, struct exchange *x)
{
	const struct route_row *row = x->match.row;
	const char *type = http_header(x->r, "Content-Type");
	uint64_t n;
	bool has = http_has_body(x->r, &n);
	if (row->body == BODY_NONE) {
		if (has)
			fail(x, 400, "FW_EINVALID", "this address takes no body", NULL);
		return !has;
	}
	if (!has) {
		fail(x, 400, "FW_EINVALID", "the body is missing", NULL);
		return false;
	}
	uint64_t max = row->body == BODY_JSON ? (uint64_t)WIRE_BODY_MAX : f->set.upload_max;
	if (n != UINT64_MAX && n > max) {
		char words[80];
		(void)snprintf(words, sizeof(words), "the body is too large: at most %llu %s are taken",
			       (unsigned long long)(max >> 20 != 0 ? max >> 20 : max), max >> 20 != 0 ? "MiB" : "bytes");
		fail(x, 413, "FW_ELIMIT", words, NULL);
		return false;
	}
	bool good = row->body == BODY_JSON ? is_type(type, "application/json")
					   : is_type(type, "application/octet-stream") ||
						     is_type(type, "text/csv");
	if (!good || http_header(x->r, "Content-Encoding") != NULL)
		fail(x, 415, "FW_EINVALID",
		     row->body == BODY_JSON ? "the body must be application/json, not compressed"
					    : "the body must be application/octet-stream or "
					      "text/csv, not compressed",
		     NULL);
	return !x->answered;
}

static bool check_room(struct front *f, struct exchange *x)
{
	bool house = x->match.row->perm == PERM_PUBLIC || f->ready[PROC_HOUSE];
	if (f->ready[x->proc] && house && f->stop_at == 0)
		return true;
	fail(x, 503, "FW_EGONE", "the part of the node that answers this is not there; try again",
	     NULL);
	return false;
}

/* ---- trace and log ---- */

/* The id of the trace that a caller began (W3C Trace Context), or a new one. */
static void take_trace(struct exchange *x)
{
	const char *p = http_header(x->r, "traceparent");
	bool good = p != NULL && strlen(p) == 55 && strncmp(p, "00-", 3) == 0 && p[35] == '-' &&
		    strspn(p + 3, "0123456789abcdef") == TRACE_LEN &&
		    strspn(p + 3, "0") < TRACE_LEN;
	if (good) {
		memcpy(x->trace, p + 3, TRACE_LEN);
		return;
	}
	uint8_t id[TRACE_LEN / 2];
	randombytes_buf(id, sizeof(id));
	(void)sodium_bin2hex(x->trace, sizeof(x->trace), id, sizeof(id));
}

static void note(struct front *f, const struct exchange *x, int status)
{
	char text[8];
	const struct route_row *row = x->match.row;
	const char *operation = row != NULL ? row->operation : "none";
	usec_t now = time_mono();
	(void)snprintf(text, sizeof(text), "%d", status);
	metrics_add(f->metrics, METRIC_HTTP_REQUESTS_TOTAL, operation, text, 1);
	if (row != NULL && x->first != 0)
		metrics_observe(f->metrics, METRIC_HTTP_REQUEST_SECONDS,
				vault_rows[row->vault].name, NULL,
				(double)(x->first - x->began) / (double)USEC_PER_SEC);
	/* The row's path, not the request's: no ids, no query. */
	log_line(status >= 500 ? LOG_L_WARN : LOG_L_INFO, "request", "%s %s %d %lld us trace %s",
		 row != NULL ? row->method : "-", row != NULL ? row->path : "-", status,
		 (long long)(now - x->began), x->trace);
}

/* ---- to the worker ---- */

static const char *agent_of(const struct exchange *x)
{
	const char *s = http_header(x->r, "User-Agent");
	size_t n = s != NULL ? strlen(s) : 0;
	if (s == NULL || !utf8_valid(s, n))
		return NULL;
	return n <= 200 ? s : arena_strndup(http_arena(x->r), s, utf8_cut(s, 200));
}

/* The first language of Accept-Language, if it looks like one. */
static const char *lang_of(const struct exchange *x)
{
	const char *s = http_header(x->r, "Accept-Language");
	if (s == NULL)
		return NULL;
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
	return n > 0 && n <= 20 ? arena_strndup(http_arena(x->r), s, n) : NULL;
}

static void send_call(struct front *f, struct exchange *x)
{
	const struct route_row *row = x->match.row;
	const struct http_pair *q;
	struct wire_call c = {.op = (uint16_t)row->op,
			      .upload = row->body == BODY_UPLOAD,
			      .ticket = x->ticket_len > 0 ? x->ticket : NULL,
			      .ticket_len = x->ticket_len,
			      .nparams = x->match.nparams,
			      .purpose = x->purpose,
			      .lang = lang_of(x),
			      .address = http_address(x->r),
			      .agent = agent_of(x)};
	for (size_t i = 0; i < x->match.nparams; i++)
		c.param[i] = x->match.param[i];
	c.nqueries = http_query(x->r, &q);
	for (size_t i = 0; i < c.nqueries; i++) /* each name once and known: at most WIRE_QUERIES */
		c.query[i] = (struct wire_pair){q[i].name, q[i].value};
	if (row->body == BODY_JSON)
		c.body = http_body_bytes(x->r, &c.body_len);
	if (x->has_token)
		memcpy(c.token_hash, x->token_hash, sizeof(c.token_hash));
	buf_clear(&f->out);
	wire_call_put(&f->out, &c);
	x->called = true;
	x->deadline = time_mono() + CALL_WAIT;
	int err = buf_failed(&f->out)
			  ? f->out.error
			  : front_send(f, x->proc, MSG_CALL, x->tag, f->out.data, f->out.len);
	buf_wipe(&f->out);
	if (err != 0 && !x->answered) {
		x->called = false;
		fail(x, 503, "FW_EBUSY", "the node has too much to do; try again", NULL);
	}
}

/* Call when everything is there. */
static void advance(struct front *f, struct exchange *x)
{
	bool upload = x->match.row->body == BODY_UPLOAD;
	if (x->answered || x->called || !x->ticket_known || (!upload && !x->whole))
		return;
	send_call(f, x);
	if (upload && x->sleeping) {
		x->sleeping = false;
		http_resume_body(x->r);
	}
}

void front_ticket(struct front *f, struct exchange *x, const uint8_t *ticket, size_t n)
{
	x->ticket_known = true;
	if (x->answered)
		return;
	if (n == 0 && x->match.row->perm != PERM_PUBLIC) {
		refuse(x, 401, "FW_EAUTH", "the session has ended", "WWW-Authenticate", "Bearer");
		return;
	}
	memcpy(x->ticket, ticket, n);
	x->ticket_len = n;
	advance(f, x);
}

static void want_ticket(struct front *f, struct exchange *x)
{
	/* A public route needs none; who logs in again is somebody new. */
	if (x->match.row->perm == PERM_PUBLIC) {
		x->ticket_known = true;
		return;
	}
	const struct kept_ticket *t = tickets_find(&f->tickets, x->token_hash, time_mono());
	if (t != NULL) {
		front_ticket(f, x, t->bytes, t->len);
		return;
	}
	x->deadline = time_mono() + CALL_WAIT;
	(void)front_send(f, PROC_HOUSE, MSG_TICKET_ASK, x->tag, x->token_hash,
			 sizeof(x->token_hash));
}

/* ---- log-in ---- */

/*
 * Guessing passwords is slowed down by the house, which knows what failed;
 * here only the number of tries of an address is limited, so that nobody makes
 * the house compute without end.  Tries to an account are not: one stranger
 * would use them up and so keep its owner out.
 */
static bool check_login(struct front *f, struct exchange *x)
{
	const char *address = http_address(x->r);
	static const char words[] = "too many tries to log in; wait a little";
	if (take_token(x, &f->logins, address, strlen(address), words))
		return true;
	metrics_add(f->metrics, METRIC_LOGINS_TOTAL, "delayed", NULL, 1);
	return false;
}

/* The JSON of a body against its shape; the worker checks again. */
static bool check_json(struct front *f, struct exchange *x)
{
	size_t n;
	const uint8_t *bytes = http_body_bytes(x->r, &n);
	struct diag d = DIAG_INIT;
	json_t *body = NULL;
	int err = json_parse(bytes, n, &body, &d);
	if (err != 0) {
		fail(x, 400, err_name(err), d.text, d.place);
		return false;
	}
	err = shape_check(x->match.row->in, body, &d);
	if (err != 0)
		fail(x, 422, err_name(err), d.text, d.place);
	bool good = err == 0 && (x->match.row->op != OP_OPEN_SESSION || check_login(f, x));
	json_decref(body);
	return good;
}

/* ---- callbacks ---- */

static bool host_is_ours(const struct front *f, const struct http_request *r)
{
	const char *host = http_header(r, "Host");
	if (f->set.host == NULL || host == NULL)
		return true;
	size_t n = strlen(f->set.host);
	return strncasecmp(host, f->set.host, n) == 0 && (host[n] == '\0' || host[n] == ':');
}

enum http_body front_on_head(void *arg, struct http_request *r)
{
	struct front *f = arg;
	if (!host_is_ours(f, r)) {
		http_reply_problem(r, 400, "FW_EINVALID", "this node has another name", NULL, NULL,
				   0);
		return HTTP_BODY_NONE;
	}
	if (front_page(f, r))
		return HTTP_BODY_NONE;
	struct exchange *x = exchange_new(f, r);
	if (x == NULL) {
		http_reply_problem(r, 503, "FW_EBUSY", "the node has too much to do; try again",
				   NULL, NULL, 0);
		return HTTP_BODY_NONE;
	}
	take_trace(x);
	if (!check_address_rate(f, x) || !check_route(f, x) || !check_who(x) ||
	    !check_session_rate(f, x) || !check_query(x) || !check_purpose(x) ||
	    !check_body(f, x) || !check_room(f, x))
		return HTTP_BODY_NONE;
	want_ticket(f, x);
	int body = x->match.row->body;
	return body == BODY_JSON     ? HTTP_BODY_BUFFER
	       : body == BODY_UPLOAD ? HTTP_BODY_STREAM
				     : HTTP_BODY_NONE;
}

void front_on_complete(void *arg, struct http_request *r)
{
	struct front *f = arg;
	struct exchange *x = http_user(r);
	if (x == NULL || x->answered)
		return;
	x->whole = true;
	if (x->match.row->body == BODY_UPLOAD) {
		x->deadline = time_mono() + CALL_WAIT;
		(void)front_send(f, x->proc, MSG_CALL_END, x->tag, NULL, 0);
		return;
	}
	if (x->match.row->body == BODY_JSON && !check_json(f, x))
		return;
	advance(f, x);
}

void front_on_gone(void *arg, struct http_request *r)
{
	struct front *f = arg;
	struct exchange *x = http_user(r);
	int status = http_status(r);
	if (x == NULL) {
		char text[8];
		(void)snprintf(text, sizeof(text), "%d", status);
		metrics_add(f->metrics, METRIC_HTTP_REQUESTS_TOTAL, "pages", text, 1);
		return;
	}
	if (x->called && !x->over && chan_open(&f->to[x->proc]))
		(void)front_send(f, x->proc, MSG_CALL_GONE, x->tag, NULL, 0);
	note(f, x, status);
	exchange_free(f, x);
}
