/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the front answers itself. */
#include <string.h>

#include "base/err.h"
#include "codec/json.h"
#include "gen/tables.h"
#include "http/assets.h"
#include "node/process/front_int.h"
#include "tbl/openapi.h"

static void reply_buf(struct http_request *r, int status, const char *type, struct buf *b)
{
	struct http_pair h = {"Content-Type", type};
	struct http_response resp = {
		.status = status, .headers = &h, .nheaders = 1, .body = b->data, .len = b->len};
	if (buf_failed(b))
		http_reply_problem(r, 503, "ENOMEM", "no memory for the answer", NULL, NULL, 0);
	else
		http_reply(r, &resp);
	buf_release(b);
}

/* The front is alive: whoever reads this has the proof. */
static void health(struct front *f, struct http_request *r)
{
	(void)f;
	static const struct http_pair h = {"Content-Type", "application/json"};
	static const char body[] = "{\"status\":\"ok\"}";
	struct http_response resp = {
		.status = 200, .headers = &h, .nheaders = 1, .body = body, .len = sizeof(body) - 1};
	http_reply_static(r, &resp);
}

static const enum proc parts[] = {PROC_HOUSE, PROC_STRATEGIC, PROC_OPERATIONAL, PROC_PROTECTION};
enum { NPARTS = sizeof(parts) / sizeof(*parts) };

/* Whether every worker serves, and which walls this machine's kernel does not have. */
static void readiness(struct front *f, struct http_request *r)
{
	struct buf b;
	struct jw j;
	bool all = f->stop_at == 0;
	buf_init(&b, 4096);
	jw_init(&j, &b);
	for (size_t i = 0; i < NPARTS; i++)
		all = all && f->ready[parts[i]];
	jw_object(&j);
	jw_put_bool(&j, "ready", all);
	jw_name(&j, "processes");
	jw_object(&j);
	for (size_t i = 0; i < NPARTS; i++)
		jw_put_string(&j, proc_name(parts[i]), f->ready[parts[i]] ? "serving" : "down");
	jw_end(&j);
	jw_name(&j, "missing_walls");
	jw_array(&j);
	if (f->missing != NULL)
		jw_string(&j, f->missing);
	jw_end(&j);
	jw_end(&j);
	reply_buf(r, all ? 200 : 503, "application/json", &b);
}

/* What this node's interface is, for programs; made from the tables, the same on every node of this version. */
static void interface(struct front *f, struct http_request *r)
{
	(void)f;
	static const struct http_pair h = {"Content-Type", "application/openapi+json;version=3.1"};
	struct http_response resp = {
		.status = 200, .headers = &h, .nheaders = 1, .body = openapi_json, .len = openapi_json_len};
	http_reply_static(r, &resp);
}

static bool is_local(const struct http_request *r)
{
	const char *a = http_address(r);
	return strcmp(a, "127.0.0.1") == 0 || strcmp(a, "::1") == 0 || strcmp(a, "local") == 0;
}

static void measure(struct front *f)
{
	struct http_stats st;
	http_server_stats(f->http, &st);
	metrics_set(f->metrics, METRIC_HTTP_CONNECTIONS, NULL, NULL, st.open_connections);
	metrics_set(f->metrics, METRIC_HTTP_REFUSED_CONNECTIONS_TOTAL, NULL, NULL,
		    (double)st.refused_connections);
	metrics_set(f->metrics, METRIC_HTTP_LINTED_TOTAL, NULL, NULL, (double)st.linted);
	for (size_t i = 0; i < NPARTS; i++)
		metrics_set(f->metrics, METRIC_PROCESS_UP, proc_name(parts[i]), NULL,
			    f->ready[parts[i]]);
}

static void figures(struct front *f, struct http_request *r)
{
	if (f->set.metrics == METRICS_OFF || (f->set.metrics == METRICS_LOCAL && !is_local(r))) {
		http_reply_problem(r, 404, "FW_ENOTFOUND", "there is nothing at this address", NULL,
				   NULL, 0);
		return;
	}
	struct buf b;
	buf_init(&b, 4 << 20);
	measure(f);
	metrics_text(f->metrics, &b);
	reply_buf(r, 200, "text/plain; version=0.0.4; charset=utf-8", &b);
}

static const struct {
	const char *path;
	void (*answer)(struct front *f, struct http_request *r);
} rows[] = {
	{"/healthz", health},
	{"/readyz", readiness},
	{"/metrics", figures},
	{"/api/openapi.json", interface},
};

bool front_page(struct front *f, struct http_request *r)
{
	static const struct http_pair allow = {"Allow", "GET, HEAD"};
	const char *path = http_path(r), *method = http_method(r);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strcmp(path, rows[i].path) != 0)
			continue;
		if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
			rows[i].answer(f, r);
		else
			http_reply_problem(r, 405, "FW_EINVALID", "this address is only read", NULL,
					   &allow, 1);
		return true;
	}
	if (strncmp(path, "/api/", 5) == 0 || strcmp(path, "/api") == 0)
		return false;
	asset_serve(r, assets, asset_count);
	return true;
}
