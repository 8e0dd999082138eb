/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The front as a process of its own, behind its walls, between HTTP clients
 * and workers that this test plays: it holds the other ends of all channels.
 */
#include "../test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "gen/tables.h"
#include "node/access/house.h"
#include "node/process/chan.h"
#include "node/process/front.h"
#include "node/process/front_session.h"

#define TOKEN "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define ID    "0193607c-7b2a-7c00-8000-0123456789ab"
#define LOGIN "{\"account\":\"a\",\"password\":\"b\"}"

enum manner {
	ANSWER,        /* every CALL at once: 200 and a small JSON */
	HOLD,          /* nothing */
	STREAM,        /* parts of 100000 bytes, stream_parts of them */
	CUT,           /* a first part, then WIRE_CUT */
	REFUSE_UPLOAD, /* 403 at the first chunk */
	NO_TAKEN,      /* chunks are not acknowledged */
	TOKEN_NEW,
	TOKEN_END, /* the answer sets, ends the cookie */
	BAD_TOKEN,
	BAD_TYPE,
	BAD_STATUS,
	TWICE,
	FILENAME,
};

static struct world {
	pid_t pid;
	uint16_t port;
	struct chan control, to[PROC_COUNT];
	enum manner manner;
	int stream_parts;
	bool session; /* the house knows the token */
	int asked, calls, gone, ended, pulls;
	uint64_t chunk_bytes, chunks;
	uint64_t held_tag;
	enum proc held_proc;
	struct arena *mem;
	struct wire_call call; /* the last, in mem */
	enum proc call_proc;
	struct buf out;
	struct wire_pair setting[16];
	size_t nsettings;
} w;

static const enum proc workers[] = {PROC_HOUSE, PROC_STRATEGIC, PROC_OPERATIONAL, PROC_PROTECTION};

static void send_buf(enum proc p, uint16_t type, uint64_t tag)
{
	assert_false(buf_failed(&w.out));
	assert_int_equal(chan_send(&w.to[p], type, tag, w.out.data, w.out.len), 0);
	buf_clear(&w.out);
}

static void reply(enum proc p, uint64_t tag, const struct wire_reply *r)
{
	wire_reply_put(&w.out, r);
	send_buf(p, MSG_REPLY, tag);
}

static void simple_reply(enum proc p, uint64_t tag, int status)
{
	struct wire_reply r = {.status = (uint16_t)status,
			       .type = "application/json",
			       .body = (const uint8_t *)"{}",
			       .body_len = 2};
	reply(p, tag, &r);
}

static void more(enum proc p, uint64_t tag, enum wire_more state, size_t n)
{
	static char part[100000];
	memset(part, 'x', sizeof(part));
	buf_u8(&w.out, state);
	buf_put(&w.out, part, n);
	send_buf(p, MSG_REPLY_MORE, tag);
}

static void on_call(enum proc p, struct message *m)
{
	struct wire_reply r = {.status = 200,
			       .type = "application/json",
			       .body = (const uint8_t *)"{}",
			       .body_len = 2};
	arena_reset(w.mem);
	assert_int_equal(wire_call_get(&m->body, w.mem, &w.call), 0);
	w.calls++;
	w.call_proc = w.held_proc = p;
	w.held_tag = m->tag;
	if (w.call.upload || w.manner == HOLD)
		return;
	switch (w.manner) {
	case STREAM:
	case CUT:
		r.more = true;
		break;
	case TOKEN_NEW:
		r.token = TOKEN;
		break;
	case TOKEN_END:
		r.token = "";
		break;
	case BAD_TOKEN:
		r.token = "nonsense; Domain=evil";
		break;
	case BAD_TYPE:
		r.type = "text/html\r\nX: y";
		break;
	case BAD_STATUS:
		r.status = 100;
		break;
	case FILENAME:
		r.filename = "r\xc3\xa9sum\xc3\xa9 \"1\".csv";
		break;
	default:
		break;
	}
	reply(p, m->tag, &r);
	if (w.manner == TWICE)
		reply(p, m->tag, &r);
}

static void on_chunk(enum proc p, struct message *m)
{
	w.chunks++;
	w.chunk_bytes += cur_left(&m->body);
	if (w.manner == REFUSE_UPLOAD)
		simple_reply(p, m->tag, 403);
	else if (w.manner != NO_TAKEN)
		assert_int_equal(chan_send(&w.to[p], MSG_TAKEN, m->tag, NULL, 0), 0);
}

static void on_message(enum proc p, struct message *m)
{
	static const uint8_t ticket[] = "a sealed ticket";
	switch (m->type) {
	case MSG_TICKET_ASK:
		w.asked++;
		wire_ticket_put(&w.out, w.session ? ticket : NULL, w.session ? sizeof(ticket) : 0);
		send_buf(p, MSG_TICKET, m->tag);
		break;
	case MSG_CALL:
		on_call(p, m);
		break;
	case MSG_CALL_CHUNK:
		on_chunk(p, m);
		break;
	case MSG_CALL_END:
		w.ended++;
		simple_reply(p, m->tag, 202);
		break;
	case MSG_CALL_GONE:
		w.gone++;
		break;
	case MSG_PULL:
		w.pulls++;
		if (w.manner == CUT)
			more(p, m->tag, WIRE_CUT, 0);
		else if (w.manner == STREAM)
			more(p, m->tag, --w.stream_parts > 0 ? WIRE_MORE : WIRE_LAST, 100000);
		break;
	default:
		fail_msg("the front sent %s", message_rows[m->type].name);
	}
}

/* What the front said until now, for at most ${ms} of quiet. */
static void pump(int ms)
{
	for (;;) {
		struct pollfd p[PROC_COUNT];
		size_t n = 0;
		for (size_t i = 0; i < 4; i++)
			p[n++] = (struct pollfd){.fd = w.to[workers[i]].fd, .events = POLLIN};
		for (size_t i = 0; i < 4; i++)
			if (chan_open(&w.to[workers[i]]))
				(void)chan_flush(&w.to[workers[i]]);
		if (poll(p, (nfds_t)n, ms) <= 0)
			return;
		for (size_t i = 0; i < 4; i++) {
			struct chan *c = &w.to[workers[i]];
			struct message m;
			if (p[i].revents == 0)
				continue;
			if (chan_fill(c) != 0) {
				chan_close(c); /* the front broke with it */
				continue;
			}
			int got = 0;
			while (chan_open(c) && (got = chan_next(c, &m)) > 0)
				on_message(workers[i], &m);
			assert_true(got >= 0);
		}
	}
}

static void give_peer(enum proc p, bool hello)
{
	int pair[2];
	uint8_t which = (uint8_t)p;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(chan_send_fd(&w.control, MSG_PEER, 0, &which, 1, pair[0]), 0);
	(void)close(pair[0]);
	chan_close(&w.to[p]);
	chan_init(&w.to[p], pair[1], p, PROC_FRONT, false);
	if (hello)
		assert_int_equal(chan_send(&w.to[p], MSG_HELLO, 0, NULL, 0), 0);
}

static int listen_on(uint16_t *port)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(sa);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	*port = ntohs(sa.sin_port);
	return fd;
}

static void set(const char *name, const char *value)
{
	w.setting[w.nsettings++] = (struct wire_pair){name, value};
}

static void start(bool peers)
{
	int pair[2], fd = listen_on(&w.port);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	(void)fflush(NULL);
	w.pid = fork();
	if (w.pid == 0) {
		(void)close(pair[1]);
		log_level(LOG_L_ERROR);
		_exit(front_main(pair[0], fd));
	}
	(void)close(pair[0]);
	(void)close(fd);
	chan_init(&w.control, pair[1], PROC_SUPERVISOR, PROC_FRONT, true);
	struct wire_boot boot = {
		.node_name = "Test node", .node_state = "", .origin = "test.example/1"};
	for (size_t i = 0; i < w.nsettings; i++)
		boot.setting[boot.nsettings++] = w.setting[i];
	wire_boot_put(&w.out, &boot);
	assert_int_equal(chan_send(&w.control, MSG_BOOT, 0, w.out.data, w.out.len), 0);
	buf_clear(&w.out);
	assert_int_equal(chan_flush(&w.control), 0);
	struct message m;
	while (chan_next(&w.control, &m) == 0) {
		struct pollfd p = {.fd = w.control.fd, .events = POLLIN};
		assert_int_equal(poll(&p, 1, 10000), 1);
		assert_int_equal(chan_fill(&w.control), 0);
	}
	assert_int_equal(m.type, MSG_READY);
	for (size_t i = 0; peers && i < 4; i++)
		give_peer(workers[i], true);
	pump(20);
}

static int setup(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	for (size_t i = 0; i < PROC_COUNT; i++)
		w.to[i].fd = -1;
	w.control.fd = -1;
	buf_init(&w.out, CHAN_PAYLOAD_MAX);
	w.mem = arena_new(8 << 20);
	w.session = true;
	set("http.address_rate", "0");
	set("http.session_rate", "0");
	set("http.login_rate", "0");
	return 0;
}

/* End it as the supervisor does; whatever happened, it must end in good order. */
static int teardown(void **state)
{
	(void)state;
	int status = 0;
	if (w.pid > 0) {
		(void)chan_send(&w.control, MSG_STOP, 0, NULL, 0);
		(void)chan_flush(&w.control);
		for (int i = 0; i < 800 && waitpid(w.pid, &status, WNOHANG) == 0; i++)
			pump(10);
		if (kill(w.pid, 0) == 0)
			(void)kill(w.pid, SIGKILL);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			print_error("the front ended with %#x\n", (unsigned)status);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	for (size_t i = 0; i < 4; i++)
		chan_close(&w.to[workers[i]]);
	chan_close(&w.control);
	buf_release(&w.out);
	arena_free(w.mem);
	return 0;
}

/* ---- an HTTP client ---- */

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_port = htons(w.port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void say(int fd, const char *s, size_t n)
{
	while (n > 0) {
		ssize_t k = send(fd, s, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (k < 0 && errno == EAGAIN) {
			pump(1);
			continue;
		}
		if (k < 0)
			return;
		s += k;
		n -= (size_t)k;
	}
}

static char text[4 << 20];

/* The answer so far: until ${end} is in it, the peer closes, or ${ms} pass. */
static char *hear_until(int fd, const char *end, int ms)
{
	size_t n = 0;
	usec_t until = time_mono() + (usec_t)ms * 1000;
	text[0] = '\0';
	while (time_mono() < until) {
		pump(1);
		ssize_t r = recv(fd, text + n, sizeof(text) - 1 - n, MSG_DONTWAIT);
		if (r == 0 || (r < 0 && errno != EAGAIN))
			break;
		n += r > 0 ? (size_t)r : 0;
		text[n] = '\0';
		if (end != NULL && strstr(text, end) != NULL)
			break;
		const char *body = strstr(text, "\r\n\r\n"),
			   *len = strstr(text, "Content-Length: ");
		if (end == NULL && body != NULL && len != NULL &&
		    n >= (size_t)(body + 4 - text) + strtoul(len + 16, NULL, 10))
			break;
	}
	return text;
}

/* One request with its own connection: the status. The answer stays in text. */
static int ask(const char *method, const char *target, const char *headers, const char *body)
{
	char head[4096];
	int fd = dial();
	int n = snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\nHost: h\r\n%s", method, target,
			 headers);
	if (body != NULL)
		n += snprintf(head + n, sizeof(head) - (size_t)n, "Content-Length: %zu\r\n",
			      strlen(body));
	n += snprintf(head + n, sizeof(head) - (size_t)n, "\r\n");
	say(fd, head, (size_t)n);
	if (body != NULL)
		say(fd, body, strlen(body));
	const char *a = hear_until(fd, NULL, 3000);
	(void)close(fd);
	if (strncmp(a, "HTTP/1.1 ", 9) != 0)
		return 0;
	int status = atoi(a + 9);
	/* Every error has the one shape. */
	if (status >= 400 && w.calls == 0 && strcmp(target, "/readyz") != 0)
		assert_non_null(strstr(a, "application/problem+json"));
	return status;
}

#define COOKIE "Cookie: fairway_session=" TOKEN "\r\n"
#define BEARER "Authorization: Bearer " TOKEN "\r\n"
#define JSON   "Content-Type: application/json\r\n"

static const char *with_csrf(const char *more_headers)
{
	static char out[600];
	uint8_t h[WIRE_TOKEN];
	char csrf[CSRF_TEXT_LEN + 1];
	assert_true(session_hash(TOKEN, h));
	csrf_of(h, csrf);
	(void)snprintf(out, sizeof(out), COOKIE "X-Fairway-CSRF: %s\r\n%s", csrf, more_headers);
	return out;
}

/* ---- tests ---- */

static void pages_and_probes_need_no_worker(void **state)
{
	(void)state;
	start(false);
	assert_int_equal(ask("GET", "/healthz", "", NULL), 200);
	assert_int_equal(ask("HEAD", "/healthz", "", NULL), 200);
	assert_int_equal(ask("POST", "/healthz", "", NULL), 405);
	assert_int_equal(ask("GET", "/readyz", "", NULL), 503);
	assert_non_null(strstr(text, "\"strategic\":\"down\""));
	assert_int_equal(ask("GET", "/api/openapi.json", "", NULL), 200);
	assert_non_null(strstr(text, "{\"openapi\":\"3.1.0\""));
	assert_int_equal(ask("POST", "/api/openapi.json", "", NULL), 405);
	assert_int_equal(ask("GET", "/", "", NULL), 200);
	assert_non_null(strstr(text, "Content-Security-Policy: default-src 'none'"));
	assert_int_equal(ask("GET", "/report/overview", "", NULL), 200);
	assert_int_equal(ask("GET", "/nothing.js", "", NULL), 404);
	assert_int_equal(ask("DELETE", "/", "", NULL), 405);
	assert_int_equal(ask("GET", "/api", "", NULL), 404);
	assert_int_equal(ask("GET", "/api/nothing", "", NULL), 404);
	assert_int_equal(ask("POST", "/api/session", JSON, LOGIN), 503);
	assert_non_null(strstr(text, "Retry-After: "));
	for (size_t i = 0; i < 4; i++)
		give_peer(workers[i], true);
	pump(20);
	assert_int_equal(ask("GET", "/readyz", "", NULL), 200);
	assert_non_null(strstr(text, "\"ready\":true"));
	assert_int_equal(ask("GET", "/metrics", "", NULL), 200);
	assert_non_null(strstr(text, "fairway_process_up{process=\"house\"} 1\n"));
	assert_non_null(strstr(
		text,
		"fairway_http_requests_total{operation=\"open_session\",status=\"503\"} 1\n"));
}

static void tell_gauge(enum proc p, uint16_t metric, double value)
{
	buf_u16(&w.out, metric);
	buf_f64(&w.out, value);
	send_buf(p, MSG_GAUGE, 0);
	pump(20);
}

/* A worker tells its own figures, and those alone. */
static void a_worker_tells_gauges_of_its_vault(void **state)
{
	(void)state;
	start(true);
	tell_gauge(PROC_PROTECTION, METRIC_OUTBOX_REFUSED, 3);
	tell_gauge(PROC_STRATEGIC, METRIC_OUTBOX_WAITING, 12);
	assert_int_equal(ask("GET", "/metrics", "", NULL), 200);
	assert_non_null(strstr(text, "fairway_outbox_refused{vault=\"protection\"} 3\n"));
	assert_non_null(strstr(text, "fairway_outbox_waiting{vault=\"strategic\"} 12\n"));
	static const uint16_t bad[] = {METRIC_COUNT, UINT16_MAX, METRIC_SESSIONS, METRIC_PROCESS_UP, METRIC_TRANSACTIONS_TOTAL};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		tell_gauge(PROC_PROTECTION, bad[i], 1);
		assert_false(chan_open(&w.to[PROC_PROTECTION]));
		give_peer(PROC_PROTECTION, true);
		pump(20);
	}
	tell_gauge(PROC_PROTECTION, METRIC_OUTBOX_REFUSED, 0.0 / 0.0);
	assert_false(chan_open(&w.to[PROC_PROTECTION]));
}

static void a_call_carries_what_the_worker_needs(void **state)
{
	(void)state;
	start(true);
	assert_int_equal(ask("GET", "/api/report/incidents/" ID "?version=3",
			     COOKIE "X-Fairway-Purpose: statistics\r\nUser-Agent: "
				    "test\r\nAccept-Language: th-TH, en;q=0.5\r\n",
			     NULL),
			 200);
	assert_int_equal(w.calls, 1);
	assert_int_equal(w.call_proc, PROC_STRATEGIC);
	assert_int_equal(w.call.op, OP_SEE_INCIDENT);
	assert_false(w.call.upload);
	assert_int_equal(w.call.ticket_len, sizeof("a sealed ticket"));
	assert_int_equal(w.call.nparams, 1);
	assert_string_equal(w.call.param[0], ID);
	assert_int_equal(w.call.nqueries, 1);
	assert_string_equal(w.call.query[0].name, "version");
	assert_string_equal(w.call.query[0].value, "3");
	assert_null(w.call.purpose); /* this route needs none */
	assert_string_equal(w.call.lang, "th-TH");
	assert_string_equal(w.call.address, "127.0.0.1");
	assert_string_equal(w.call.agent, "test");
	uint8_t h[WIRE_TOKEN];
	assert_true(session_hash(TOKEN, h));
	assert_memory_equal(w.call.token_hash, h, sizeof(h));
	/* A route in several vaults: to the one that its path names. */
	assert_int_equal(ask("GET", "/api/protection/grants", BEARER, NULL), 200);
	assert_int_equal(w.call_proc, PROC_PROTECTION);
	assert_int_equal(w.call.nparams, 0);
	/* A public one carries no ticket. */
	assert_int_equal(ask("POST", "/api/session", JSON, LOGIN), 200);
	assert_int_equal(w.call_proc, PROC_HOUSE);
	assert_int_equal(w.call.ticket_len, 0);
	assert_int_equal(w.call.body_len, strlen(LOGIN));
	assert_memory_equal(w.call.body, LOGIN, strlen(LOGIN));
}

static void tickets_are_asked_for_once_and_voided(void **state)
{
	(void)state;
	start(true);
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask("GET", "/api/session", COOKIE, NULL), 200);
	assert_int_equal(w.asked, 1);
	assert_int_equal(chan_send(&w.to[PROC_HOUSE], MSG_TICKETS_VOID, 0, NULL, 0), 0);
	w.session = false;
	assert_int_equal(ask("GET", "/api/session", COOKIE, NULL), 401);
	assert_non_null(strstr(text, "WWW-Authenticate: Bearer"));
	assert_int_equal(w.asked, 2);
	assert_int_equal(w.calls, 5);
	assert_int_equal(ask("GET", "/api/session", "", NULL), 401);
	assert_int_equal(ask("GET", "/api/session", "Cookie: fairway_session=rubbish\r\n", NULL),
			 401);
	assert_int_equal(ask("GET", "/api/session", "Authorization: Basic YTpi\r\n", NULL), 401);
	assert_int_equal(ask("GET", "/api/session", COOKIE BEARER, NULL), 401);
	assert_int_equal(w.asked, 2);
	/* Without the house nobody is let in by an old ticket. */
	w.session = true;
	usec_t until = time_mono() + 1100000; /* "none" is kept for a second */
	while (time_mono() < until)
		pump(20);
	assert_int_equal(ask("GET", "/api/report/overview", COOKIE, NULL), 200);
	chan_close(&w.to[PROC_HOUSE]);
	assert_int_equal(ask("GET", "/api/report/overview", COOKIE, NULL), 503);
}

static void another_site_cannot_act_in_ones_name(void **state)
{
	(void)state;
	start(true);
	static const char *const target = "/api/account/factor";
	assert_int_equal(ask("POST", target, COOKIE, NULL), 403);
	assert_int_equal(ask("POST", target, COOKIE "X-Fairway-CSRF: 0\r\n", NULL), 403);
	assert_int_equal(ask("DELETE", "/api/session", COOKIE, NULL), 403);
	assert_int_equal(w.calls, 0);
	assert_int_equal(ask("POST", target, with_csrf(""), NULL), 200);
	assert_int_equal(ask("POST", target,
			     with_csrf("Origin: http://h\r\nSec-Fetch-Site: same-origin\r\n"),
			     NULL),
			 200);
	assert_int_equal(ask("POST", target, BEARER, NULL), 200);
	assert_int_equal(w.calls, 3);
	assert_int_equal(ask("POST", target, with_csrf("Origin: http://evil.example\r\n"), NULL),
			 403);
	assert_int_equal(ask("POST", target, with_csrf("Origin: null\r\n"), NULL), 403);
	assert_int_equal(ask("POST", target, with_csrf("Sec-Fetch-Site: cross-site\r\n"), NULL),
			 403);
	assert_int_equal(ask("POST", target, with_csrf("Sec-Fetch-Site: same-site\r\n"), NULL),
			 403);
	assert_int_equal(
		ask("GET", "/api/report/overview", COOKIE "Sec-Fetch-Site: cross-site\r\n", NULL),
		403);
	/* Log-in too, or a victim would work in the attacker's session. */
	assert_int_equal(ask("POST", "/api/session", JSON "Origin: http://evil.example\r\n", LOGIN),
			 403);
	assert_int_equal(ask("POST", "/api/session", "Content-Type: text/plain\r\n", LOGIN), 415);
	assert_int_equal(w.calls, 3);
}

static void what_the_table_does_not_name_is_refused(void **state)
{
	(void)state;
	start(true);
	assert_int_equal(ask("PATCH", "/api/session", COOKIE, NULL), 405);
	assert_non_null(strstr(text, "Allow: "));
	assert_int_equal(ask("HEAD", "/api/session", COOKIE, NULL), 405);
	assert_int_equal(ask("OPTIONS", "/api/session", "", NULL), 405);
	assert_int_equal(ask("GET", "/api/report/incidents/nonsense", COOKIE, NULL), 404);
	assert_int_equal(ask("GET", "/api/report/incidents?nonsense=1", COOKIE, NULL), 400);
	assert_int_equal(ask("GET", "/api/report/incidents?limit=1&limit=2", COOKIE, NULL), 400);
	assert_int_equal(ask("GET", "/api/report/incidents?limit=x", COOKIE, NULL), 422);
	assert_non_null(strstr(text, "limit"));
	assert_int_equal(ask("GET", "/api/report/incidents?limit=201", COOKIE, NULL), 422);
	assert_int_equal(ask("GET", "/api/report/export?purpose=statistics", COOKIE, NULL),
			 422); /* format is missing */
	assert_int_equal(ask("GET", "/api/report/export?format=csv", COOKIE, NULL),
			 422); /* purpose is missing */
	assert_int_equal(
		ask("GET", "/api/report/export?format=csv&purpose=curiosity", COOKIE, NULL), 422);
	assert_int_equal(
		ask("GET", "/api/report/export?format=csv&purpose=investigation", COOKIE, NULL),
		422);
	assert_int_equal(ask("GET", "/api/session", COOKIE, "body"), 400);
	assert_int_equal(ask("POST", "/api/session", JSON, "{"), 400);
	assert_int_equal(ask("POST", "/api/session", JSON, NULL), 400);
	assert_int_equal(ask("POST", "/api/session", JSON "Content-Encoding: gzip\r\n", LOGIN),
			 415);
	assert_int_equal(ask("POST", "/api/session", "", LOGIN), 415);
	assert_int_equal(ask("POST", "/api/session", JSON, "{\"account\":\"a\"}"), 422);
	assert_non_null(strstr(text, "password"));
	assert_int_equal(
		ask("POST", "/api/session", JSON, "{\"account\":\"a\",\"password\":\"b\",\"c\":1}"),
		422);
	assert_int_equal(ask("POST", "/api/session", JSON, "[]"), 422);
	assert_int_equal(w.calls, 0);
	assert_int_equal(ask("GET", "/api/report/export?format=csv",
			     COOKIE "X-Fairway-Purpose: statistics\r\n", NULL),
			 200);
	assert_string_equal(w.call.purpose, "statistics");
	assert_int_equal(
		ask("GET", "/api/report/export?format=csv&purpose=statistics", COOKIE, NULL), 200);
	assert_string_equal(w.call.purpose, "statistics");
	assert_int_equal(ask("POST", "/api/session",
			     "Content-Type: Application/JSON; charset=utf-8\r\n", LOGIN),
			 200);
}

static int upload_head(int fd, uint64_t n)
{
	char head[1024];
	int len = snprintf(head, sizeof(head),
			   "POST /api/report/imports?file=a.csv HTTP/1.1\r\nHost: h\r\n" BEARER
			   "Content-Type: text/csv\r\nContent-Length: %llu\r\n\r\n",
			   (unsigned long long)n);
	say(fd, head, (size_t)len);
	return fd;
}

static void an_upload_goes_as_fast_as_it_is_taken(void **state)
{
	(void)state;
	set("http.upload_mib", "64");
	start(true);
	static char megabyte[1 << 20];
	int fd = upload_head(dial(), 20 << 20);
	for (int i = 0; i < 20; i++)
		say(fd, megabyte, sizeof(megabyte));
	assert_non_null(strstr(hear_until(fd, NULL, 5000), "HTTP/1.1 202"));
	assert_int_equal(w.chunk_bytes, 20 << 20);
	assert_int_equal(w.ended, 1);
	assert_true(w.call.upload);
	(void)close(fd);
	/* A worker that takes nothing: no more than a window is on its way. */
	w.manner = NO_TAKEN;
	w.chunks = w.chunk_bytes = 0;
	fd = upload_head(dial(), 60 << 20);
	usec_t until = time_mono() + 500000;
	uint64_t sent = 0;
	while (time_mono() < until) {
		ssize_t k = send(fd, megabyte, sizeof(megabyte), MSG_NOSIGNAL | MSG_DONTWAIT);
		sent += k > 0 ? (uint64_t)k : 0;
		pump(1);
	}
	assert_int_equal(w.chunks, 4);
	assert_true(sent < 20 << 20);
	/* The client leaves: once the front sees it, the worker hears of it. */
	(void)close(fd);
	w.manner = ANSWER;
	for (int i = 0; i < 4; i++)
		assert_int_equal(chan_send(&w.to[PROC_STRATEGIC], MSG_TAKEN, w.held_tag, NULL, 0),
				 0);
	for (int i = 0; i < 300 && w.gone == 0; i++)
		pump(10);
	assert_int_equal(w.gone, 1);
	/* And while the worker thinks. */
	w.manner = HOLD;
	static const char get[] = "GET /api/report/overview HTTP/1.1\r\nHost: h\r\n" BEARER "\r\n";
	fd = dial();
	say(fd, get, sizeof(get) - 1);
	pump(50);
	(void)close(fd);
	for (int i = 0; i < 300 && w.gone == 1; i++)
		pump(10);
	assert_int_equal(w.gone, 2);
	w.manner = ANSWER;
	/* Too large, told at once or found out on the way. */
	assert_int_equal(ask("GET", "/healthz", "", NULL), 200);
	fd = upload_head(dial(), (uint64_t)65 << 20);
	assert_non_null(strstr(hear_until(fd, NULL, 1000), "HTTP/1.1 413"));
	(void)close(fd);
	/* A form from any page is no upload. */
	assert_int_equal(ask("POST", "/api/report/imports?file=a.csv",
			     BEARER "Content-Type: multipart/form-data\r\n", "x"),
			 415);
}

static void an_upload_of_unknown_length_is_limited_too(void **state)
{
	(void)state;
	set("http.upload_mib", "1");
	start(true);
	static const char head[] = "POST /api/report/imports?file=a.csv HTTP/1.1\r\nHost: h\r\n" BEARER
				   "Content-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n";
	static char chunk[65536];
	int fd = dial();
	say(fd, head, sizeof(head) - 1);
	for (int i = 0; i < 17; i++) {
		say(fd, "10000\r\n", 7);
		say(fd, chunk, sizeof(chunk));
		say(fd, "\r\n", 2);
	}
	say(fd, "0\r\n\r\n", 5);
	assert_non_null(strstr(hear_until(fd, NULL, 3000), "HTTP/1.1 413"));
	assert_true(w.chunk_bytes <= 1 << 20);
	assert_int_equal(w.ended, 0);
	assert_int_equal(w.gone, 1);
	(void)close(fd);
}

static void an_upload_that_is_refused_midway_gets_its_answer(void **state)
{
	(void)state;
	start(true);
	static char megabyte[1 << 20];
	w.manner = REFUSE_UPLOAD;
	int fd = upload_head(dial(), 8 << 20);
	for (int i = 0; i < 8; i++)
		say(fd, megabyte, sizeof(megabyte));
	assert_non_null(strstr(hear_until(fd, NULL, 3000), "HTTP/1.1 403"));
	(void)close(fd);
	/* The worker dies. */
	w.manner = NO_TAKEN;
	fd = upload_head(dial(), 8 << 20);
	say(fd, megabyte, 1000);
	for (int i = 0; i < 50; i++)
		pump(5);
	chan_close(&w.to[PROC_STRATEGIC]);
	for (int i = 0; i < 8; i++)
		say(fd, megabyte, i == 0 ? sizeof(megabyte) - 1000 : sizeof(megabyte));
	assert_non_null(strstr(hear_until(fd, NULL, 3000), "HTTP/1.1 503"));
	(void)close(fd);
}

static void an_answer_of_any_length_is_pulled(void **state)
{
	(void)state;
	start(true);
	w.manner = STREAM;
	w.stream_parts = 200; /* 20 MB */
	static const char get[] = "GET /api/report/export?format=csv&purpose=statistics "
				  "HTTP/1.1\r\nHost: h\r\n" BEARER "\r\n";
	int fd = dial();
	say(fd, get, sizeof(get) - 1);
	for (int i = 0; i < 50; i++)
		pump(5);
	assert_true(w.stream_parts > 50); /* nobody reads: nobody is asked */
	size_t n = 0;
	static char bytes[1 << 20];
	usec_t until = time_mono() + 10 * USEC_PER_SEC;
	bool end = false;
	while (!end && time_mono() < until) {
		pump(1);
		ssize_t r = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		n += r > 0 ? (size_t)r : 0;
		end = r > 5 && memcmp(bytes + r - 5, "0\r\n\r\n", 5) == 0;
	}
	assert_true(end);
	assert_true(n > 20000000);
	assert_int_equal(w.stream_parts, 0);
	/* Cut by the worker: seen as cut. */
	w.manner = CUT;
	say(fd, get, sizeof(get) - 1);
	const char *a = hear_until(fd, "0\r\n\r\n", 2000);
	assert_non_null(strstr(a, "HTTP/1.1 200"));
	assert_null(strstr(a, "\r\n0\r\n\r\n"));
	(void)close(fd);
	/* The client leaves midway. */
	w.manner = STREAM;
	w.stream_parts = 1000;
	w.gone = 0;
	fd = dial();
	say(fd, get, sizeof(get) - 1);
	(void)hear_until(fd, "xxxx", 1000);
	(void)close(fd);
	for (int i = 0; i < 200 && w.gone == 0; i++)
		pump(10);
	assert_int_equal(w.gone, 1);
}

static void cookies_come_from_the_house_alone(void **state)
{
	(void)state;
	start(true);
	w.manner = TOKEN_NEW;
	assert_int_equal(ask("POST", "/api/session", JSON, LOGIN), 200);
	assert_non_null(strstr(text, "Set-Cookie: fairway_session=" TOKEN
				     "; HttpOnly; SameSite=Strict; Path=/\r\n"));
	w.manner = TOKEN_END;
	assert_int_equal(ask("POST", "/api/session", JSON, LOGIN), 200);
	assert_non_null(strstr(
		text,
		"Set-Cookie: fairway_session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0\r\n"));
	/* A vault that sets one is broken. */
	w.manner = TOKEN_NEW;
	assert_int_equal(ask("GET", "/api/report/overview", BEARER, NULL), 503);
	assert_null(strstr(text, "Set-Cookie"));
	pump(20);
	assert_false(chan_open(&w.to[PROC_STRATEGIC]));
}

static void behind_tls_cookies_are_secure(void **state)
{
	(void)state;
	set("http.tls", "yes");
	set("http.host", "h");
	start(true);
	w.manner = TOKEN_NEW;
	assert_int_equal(ask("POST", "/api/session", JSON, LOGIN), 200);
	assert_non_null(strstr(text, "; Path=/; Secure\r\n"));
	assert_non_null(strstr(text, "Strict-Transport-Security: "));
	int fd = dial();
	static const char other[] = "GET / HTTP/1.1\r\nHost: other\r\n\r\n";
	say(fd, other, sizeof(other) - 1);
	assert_non_null(strstr(hear_until(fd, NULL, 1000), "HTTP/1.1 400"));
	(void)close(fd);
}

static void workers_that_break_the_protocol_are_dropped(void **state)
{
	(void)state;
	start(true);
	static const enum manner bad[] = {BAD_TOKEN, BAD_TYPE, BAD_STATUS};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		w.manner = bad[i];
		assert_int_equal(ask("GET", "/api/session", BEARER, NULL), 503);
		pump(20);
		assert_false(chan_open(&w.to[PROC_HOUSE]));
		/* A new one, and all is well. */
		w.manner = ANSWER;
		give_peer(PROC_HOUSE, true);
		pump(20);
		assert_int_equal(ask("GET", "/api/session", BEARER, NULL), 200);
	}
	/* A second answer to one question is late, not wrong: the first client has it. */
	w.manner = TWICE;
	assert_int_equal(ask("GET", "/api/session", BEARER, NULL), 200);
	w.manner = ANSWER;
	assert_int_equal(ask("GET", "/api/session", BEARER, NULL), 200);
	/* What a worker may not say at all. */
	static const uint8_t rubbish[64] = {0xff, 0xff, 0xff};
	assert_int_equal(send(w.to[PROC_PROTECTION].fd, rubbish, sizeof(rubbish), MSG_NOSIGNAL),
			 (int)sizeof(rubbish));
	pump(50);
	assert_false(chan_open(&w.to[PROC_PROTECTION]));
	assert_int_equal(ask("GET", "/api/protection/me", BEARER, NULL), 503);
	assert_int_equal(ask("GET", "/api/operational/me", BEARER, NULL), 200);
}

static void a_worker_that_dies_is_told_to_its_clients(void **state)
{
	(void)state;
	start(true);
	w.manner = HOLD;
	int fd = dial();
	static const char get[] = "GET /api/report/overview HTTP/1.1\r\nHost: h\r\n" BEARER "\r\n";
	say(fd, get, sizeof(get) - 1);
	for (int i = 0; i < 50 && w.calls == 0; i++)
		pump(5);
	assert_int_equal(w.calls, 1);
	chan_close(&w.to[PROC_STRATEGIC]);
	assert_non_null(strstr(hear_until(fd, NULL, 2000), "HTTP/1.1 503"));
	assert_non_null(strstr(text, "Retry-After"));
	/* The same connection, once there is a new worker. */
	w.manner = ANSWER;
	give_peer(PROC_STRATEGIC, true);
	pump(20);
	say(fd, get, sizeof(get) - 1);
	assert_non_null(strstr(hear_until(fd, NULL, 2000), "HTTP/1.1 200"));
	(void)close(fd);
	/* A late answer of the old one's tag goes nowhere. */
	simple_reply(PROC_STRATEGIC, w.held_tag, 200);
	pump(20);
	assert_true(chan_open(&w.to[PROC_STRATEGIC]));
}

static void file_names_are_written_safely(void **state)
{
	(void)state;
	start(true);
	w.manner = FILENAME;
	assert_int_equal(ask("GET", "/api/report/overview", BEARER, NULL), 200);
	assert_non_null(strstr(text,
			       "Content-Disposition: attachment; filename=\"r__sum____1_.csv\"; "
			       "filename*=UTF-8''r%C3%A9sum%C3%A9%20%221%22.csv\r\n"));
}

static void too_many_requests_wait(void **state)
{
	(void)state;
	w.nsettings = 0;
	set("http.address_rate", "2");
	set("http.session_rate", "0");
	set("http.login_rate", "3");
	start(true);
	int good = 0, wait = 0;
	for (int i = 0; i < 14; i++) {
		int status = ask("POST", "/api/session", JSON, LOGIN);
		good += status == 200;
		wait += status == 429;
		if (status == 429)
			assert_non_null(strstr(text, "Retry-After: "));
	}
	assert_int_equal(good,
			 3); /* a minute's worth of log-ins; the address's ten stop the rest */
	assert_int_equal(good + wait, 14);
	/* Pages and probes are not counted. */
	assert_int_equal(ask("GET", "/healthz", "", NULL), 200);
}

static void stop_lets_what_is_under_way_end(void **state)
{
	(void)state;
	start(true);
	w.manner = HOLD;
	int fd = dial();
	static const char get[] = "GET /api/report/overview HTTP/1.1\r\nHost: h\r\n" BEARER "\r\n";
	say(fd, get, sizeof(get) - 1);
	for (int i = 0; i < 50 && w.calls == 0; i++)
		pump(5);
	assert_int_equal(chan_send(&w.control, MSG_STOP, 0, NULL, 0), 0);
	assert_int_equal(chan_flush(&w.control), 0);
	pump(100);
	simple_reply(w.held_proc, w.held_tag, 200);
	assert_non_null(strstr(hear_until(fd, NULL, 2000), "HTTP/1.1 200"));
	assert_non_null(strstr(text, "Connection: close"));
	(void)close(fd);
}

/* Whatever comes, the front lives and answers in its shape. Seeds are in the messages. */
static void random_requests_never_reach_another_vault(void **state)
{
	(void)state;
	start(true);
	struct prop p = {42};
	static const char *const parts[] = {"GET ",        "POST ",
					    "DELETE ",     "/api/",
					    "report/",     "protection/",
					    "incidents",   "grants",
					    "me",          ID,
					    "?",           "limit=1",
					    "&",           "%2f",
					    "%00",         "..",
					    "/",           " HTTP/1.1\r\n",
					    "Host: h\r\n", BEARER,
					    COOKIE,        JSON,
					    "\r\n",        "\n",
					    "{}",          "Content-Length: 2\r\n"};
	for (unsigned i = 0; i < prop_rounds(300); i++) {
		char bytes[2048] = "";
		for (uint64_t k = prop_below(&p, 16) + 2; k > 0; k--)
			strcat(bytes, parts[prop_below(&p, sizeof(parts) / sizeof(*parts))]);
		int fd = dial();
		w.calls = 0;
		say(fd, bytes, strlen(bytes));
		(void)shutdown(fd, SHUT_WR);
		pump(1);
		if (w.calls > 0 && strstr(bytes, "/api/") != NULL) {
			bool named = false;
			for (size_t r = 0; r < ROUTE_COUNT; r++)
				named = named || (route_rows[r].op == w.call.op &&
						  ((route_rows[r].vault == VAULT_PROTECTION &&
						    w.call_proc == PROC_PROTECTION) ||
						   (route_rows[r].vault == VAULT_STRATEGIC &&
						    w.call_proc == PROC_STRATEGIC) ||
						   (route_rows[r].vault == VAULT_OPERATIONAL &&
						    w.call_proc == PROC_OPERATIONAL) ||
						   (route_rows[r].vault == VAULT_HOUSE &&
						    w.call_proc == PROC_HOUSE)));
			if (!named)
				fail_msg("seed 42, round %u: %s", i, bytes);
		}
		(void)close(fd);
	}
	assert_int_equal(ask("GET", "/healthz", "", NULL), 200);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(pages_and_probes_need_no_worker),
		T(a_worker_tells_gauges_of_its_vault),
		T(a_call_carries_what_the_worker_needs),
		T(tickets_are_asked_for_once_and_voided),
		T(another_site_cannot_act_in_ones_name),
		T(what_the_table_does_not_name_is_refused),
		T(an_upload_goes_as_fast_as_it_is_taken),
		T(an_upload_of_unknown_length_is_limited_too),
		T(an_upload_that_is_refused_midway_gets_its_answer),
		T(an_answer_of_any_length_is_pulled),
		T(cookies_come_from_the_house_alone),
		T(behind_tls_cookies_are_secure),
		T(workers_that_break_the_protocol_are_dropped),
		T(a_worker_that_dies_is_told_to_its_clients),
		T(file_names_are_written_safely),
		T(too_many_requests_wait),
		T(stop_lets_what_is_under_way_end),
		T(random_requests_never_reach_another_vault),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
