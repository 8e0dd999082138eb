/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "codec/json.h"

enum { ANSWER_MAX = 64 << 20, TOKEN_MAX = 100, URL_MAX = 8192, STATE_MAX = 1 << 20 };

struct client {
	struct cmd_context *cmd;
	CURL *curl;
	const char *node;   /* as given: the key of the token's line */
	const char *base;   /* "http://host:port", no slash at the end */
	const char *socket; /* path of a Unix socket, or NULL */
	const char *state;  /* file of tokens */
	char token[TOKEN_MAX + 1];
	char given[TOKEN_MAX + 1]; /* what the last answer's cookie said */
};

/* One request under way. */
struct transfer {
	struct client *cl;
	struct buf answer;
	int out; /* where a good answer goes, -1: into answer */
	long status;
	int in;
	int64_t size, done;
	void (*progress)(void *arg, int64_t done, int64_t total);
	void *arg;
	int io_error;
};

static const char *state_path(struct cmd_context *c)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	if (state != NULL && state[0] == '/')
		return arena_printf(c->mem, "%s/fairway/session", state);
	return arena_printf(c->mem, "%s/.local/state/fairway/session", home != NULL ? home : "");
}

/* Line by line of the file of tokens: "ADDRESS TOKEN". */
static void read_token(struct client *cl)
{
	struct buf b;
	buf_init(&b, STATE_MAX);
	size_t key = strlen(cl->node);
	if (io_read_file(cl->state, &b, NULL) == 0)
		for (size_t at = 0; at < b.len;) {
			const char *line = (const char *)b.data + at;
			const char *end = memchr(line, '\n', b.len - at);
			size_t n = end != NULL ? (size_t)(end - line) : b.len - at;
			if (n > key + 1 && n - key - 1 <= TOKEN_MAX && memcmp(line, cl->node, key) == 0 && line[key] == ' ')
				(void)snprintf(cl->token, sizeof(cl->token), "%.*s", (int)(n - key - 1), line + key + 1);
			at += n + 1;
		}
	buf_wipe(&b);
	buf_release(&b);
}

static int make_folders(const char *path, struct diag *reterr)
{
	char part[4096];
	for (size_t i = 1; path[i] != '\0' && i < sizeof(part) - 1; i++) {
		if (path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		int err = io_mkdir(part, 0700);
		if (err != 0 && err != -EEXIST)
			return diag_set(reterr, err, "cannot make the folder %s: %s", part, err_text(err));
	}
	return 0;
}

/* The file of tokens with this node's line replaced, or dropped for token NULL. */
static int write_token(struct client *cl, const char *token, struct diag *reterr)
{
	struct buf old, new;
	buf_init(&old, STATE_MAX);
	buf_init(&new, STATE_MAX);
	size_t key = strlen(cl->node);
	(void)io_read_file(cl->state, &old, NULL);
	for (size_t at = 0; at < old.len;) {
		const char *line = (const char *)old.data + at;
		const char *end = memchr(line, '\n', old.len - at);
		size_t n = end != NULL ? (size_t)(end - line) + 1 : old.len - at;
		if (n <= key || memcmp(line, cl->node, key) != 0 || line[key] != ' ')
			buf_put(&new, line, n);
		at += n;
	}
	if (token != NULL)
		buf_printf(&new, "%s %s\n", cl->node, token);
	int err = buf_failed(&new) ? new.error : make_folders(cl->state, reterr);
	if (err == 0)
		err = io_write_file(cl->state, new.len > 0 ? new.data : (uint8_t *)"", new.len, 0600, reterr);
	buf_wipe(&old);
	buf_release(&old);
	buf_wipe(&new);
	buf_release(&new);
	return err;
}

/* Whether what goes to this http:// address stays on this machine: passwords and tokens travel readable. */
static bool stays_here(const char *url)
{
	const char *host = url + strlen("http://");
	size_t n = strcspn(host, ":/?#");
	if (strncmp(host, "[::1]", 5) == 0)
		return host[5] == '\0' || strchr(":/", host[5]) != NULL;
	bool name = n == 9 && strncmp(host, "localhost", 9) == 0;
	return memchr(host, '@', strcspn(host, "/?#")) == NULL &&
	       (name || (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == n));
}

static int check_address(const char *node, struct diag *reterr)
{
	if (strncmp(node, "unix:", 5) == 0 || strncmp(node, "https://", 8) == 0)
		return 0;
	if (strncmp(node, "http://", 7) != 0)
		return diag_set(reterr, FW_EINVALID,
				"the node's address begins with http://, https:// or unix:, not \"%s\"", node);
	if (!stays_here(node))
		return diag_set(reterr, FW_EINVALID,
				"over a network a node is spoken to with https://; http:// is for this machine only");
	return 0;
}

int client_new(struct cmd_context *c, struct client **ret, struct diag *reterr)
{
	if (c->client != NULL && c->client->base != NULL) {
		*ret = c->client;
		return 0;
	}
	struct client *cl = arena_alloc(c->mem, sizeof(*cl));
	if (cl == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || (cl->curl = curl_easy_init()) == NULL)
		return diag_set(reterr, -ENOMEM, "no memory to speak to the node");
	c->client = cl;
	const char *node = cmd_option(c, "node");
	if (node == NULL)
		node = getenv("FAIRWAY_NODE");
	if (node == NULL || node[0] == '\0')
		node = "http://127.0.0.1:8080";
	size_t n = strlen(node);
	while (n > 0 && node[n - 1] == '/')
		n--;
	cl->cmd = c;
	cl->node = arena_strndup(c->mem, node, n);
	cl->state = state_path(c);
	if (arena_failed(c->mem))
		return diag_set(reterr, -ENOMEM, "no memory to speak to the node");
	int err = check_address(cl->node, reterr);
	if (err != 0)
		return err;
	cl->base = cl->node;
	if (strncmp(cl->node, "unix:", 5) == 0) {
		cl->socket = cl->node + 5;
		cl->base = "http://localhost";
	}
	read_token(cl);
	*ret = cl;
	return 0;
}

void client_free(struct client *cl)
{
	if (cl == NULL)
		return;
	curl_easy_cleanup(cl->curl);
	curl_global_cleanup();
	sodium_memzero(cl->token, sizeof(cl->token));
	sodium_memzero(cl->given, sizeof(cl->given));
}

static void put_encoded(struct buf *b, const char *s)
{
	static const char hex[] = "0123456789ABCDEF";
	for (; *s != '\0'; s++) {
		unsigned char ch = (unsigned char)*s;
		bool plain = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
			     strchr("-._~", ch) != NULL;
		if (plain)
			buf_putc(b, (char)ch);
		else
			buf_put(b, (char[]){ '%', hex[ch >> 4], hex[ch & 15] }, 3);
	}
}

void client_path(struct buf *b, ...)
{
	va_list ap;
	bool literal = true;
	va_start(ap, b);
	for (const char *s; (s = va_arg(ap, const char *)) != NULL; literal = !literal) {
		if (literal)
			buf_puts(b, s);
		else
			put_encoded(b, s);
	}
	va_end(ap);
}

void client_query(struct buf *b, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_putc(b, b->len > 0 && memchr(b->data, '?', b->len) != NULL ? '&' : '?');
	buf_puts(b, name);
	buf_putc(b, '=');
	put_encoded(b, value);
}

/* ---- libcurl's calls back ---- */

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	static const char cookie[] = "set-cookie: fairway_session=";
	struct transfer *t = arg;
	size_t len = size * n, key = sizeof(cookie) - 1;
	if (len > key && strncasecmp(p, cookie, key) == 0) {
		size_t m = 0;
		while (key + m < len && m < TOKEN_MAX && strchr(";\r\n ", p[key + m]) == NULL)
			m++;
		(void)snprintf(t->cl->given, sizeof(t->cl->given), "%.*s", (int)m, p + key);
	}
	return len;
}

static size_t on_answer(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	if (t->out >= 0) {
		long status = 0;
		(void)curl_easy_getinfo(t->cl->curl, CURLINFO_RESPONSE_CODE, &status);
		if (status == 200) {
			t->io_error = io_write(t->out, p, size * n);
			return t->io_error == 0 ? size * n : 0;
		}
	}
	buf_put(&t->answer, p, size * n);
	return buf_failed(&t->answer) ? 0 : size * n;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	ssize_t got;
	do
		got = read(t->in, p, size * n);
	while (got < 0 && errno == EINTR);
	if (got < 0) {
		t->io_error = -errno;
		return CURL_READFUNC_ABORT;
	}
	t->done += got;
	if (t->progress != NULL)
		t->progress(t->arg, t->done, t->size);
	return (size_t)got;
}

/* ---- a request ---- */

static int code_of(long status)
{
	switch (status) {
	case 401: return FW_EAUTH;
	case 403: return FW_EDENIED;
	case 404: return FW_ENOTFOUND;
	case 409: return FW_ECONFLICT;
	case 429:
	case 503: return FW_EBUSY;
	default: return status >= 400 && status < 500 ? FW_EINVALID : FW_ESTORE;
	}
}

static int problem(const struct transfer *t, struct diag *reterr)
{
	json_t *j = NULL;
	int code = code_of(t->status);
	if (json_parse(t->answer.data, t->answer.len, &j, NULL) == 0 && json_is_object(j)) {
		const char *title = json_string_value(json_object_get(j, "title"));
		const char *detail = json_string_value(json_object_get(j, "detail"));
		const char *place = json_string_value(json_object_get(j, "place"));
		bool twice = title != NULL && detail != NULL && strcmp(title, detail) == 0;
		(void)diag_set(reterr, code, "%s%s%s", title != NULL && !twice ? title : "",
			       title != NULL && detail != NULL && !twice ? ": " : "", detail != NULL ? detail : "");
		if (place != NULL)
			diag_place(reterr, "%s", place);
	} else {
		(void)diag_set(reterr, code, "the node answered with status %ld", t->status);
	}
	json_decref(j);
	if (code == FW_EAUTH && t->cl->token[0] == '\0' && reterr != NULL)
		(void)snprintf(reterr->text, sizeof(reterr->text), "not logged in; \"fairway user login\" does it");
	return code;
}

static struct curl_slist *headers_of(const struct client *cl, bool json, bool upload, const char *purpose)
{
	char line[TOKEN_MAX + 40];
	struct curl_slist *h = curl_slist_append(NULL, "Expect:");
	h = curl_slist_append(h, "Accept: application/json, application/problem+json, */*");
	if (json || upload)
		h = curl_slist_append(h, json ? "Content-Type: application/json" :
						"Content-Type: application/octet-stream");
	if (cl->token[0] != '\0') {
		(void)snprintf(line, sizeof(line), "Authorization: Bearer %s", cl->token);
		h = curl_slist_append(h, line);
	}
	if (purpose != NULL) {
		(void)snprintf(line, sizeof(line), "X-Fairway-Purpose: %.60s", purpose);
		h = curl_slist_append(h, line);
	}
	if (cmd_option(cl->cmd, "lang") != NULL) {
		(void)snprintf(line, sizeof(line), "Accept-Language: %.35s", cmd_option(cl->cmd, "lang"));
		h = curl_slist_append(h, line);
	}
	sodium_memzero(line, sizeof(line));
	return h;
}

static int perform(struct transfer *t, const char *path, struct diag *reterr)
{
	struct client *cl = t->cl;
	char url[URL_MAX], words[CURL_ERROR_SIZE] = "";
	int n = snprintf(url, sizeof(url), "%s%s", cl->base, path);
	if (n < 0 || (size_t)n >= sizeof(url))
		return diag_set(reterr, FW_ELIMIT, "the request's address is too long");
	(void)curl_easy_setopt(cl->curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(cl->curl, CURLOPT_ERRORBUFFER, words);
	(void)curl_easy_setopt(cl->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(cl->curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(cl->curl, CURLOPT_CONNECTTIMEOUT, 10L);
	(void)curl_easy_setopt(cl->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(cl->curl, CURLOPT_LOW_SPEED_TIME, 120L);
	(void)curl_easy_setopt(cl->curl, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(cl->curl, CURLOPT_HEADERDATA, t);
	(void)curl_easy_setopt(cl->curl, CURLOPT_WRITEFUNCTION, on_answer);
	(void)curl_easy_setopt(cl->curl, CURLOPT_WRITEDATA, t);
	if (cl->socket != NULL)
		(void)curl_easy_setopt(cl->curl, CURLOPT_UNIX_SOCKET_PATH, cl->socket);
	CURLcode got = curl_easy_perform(cl->curl);
	(void)curl_easy_getinfo(cl->curl, CURLINFO_RESPONSE_CODE, &t->status);
	if (t->io_error != 0)
		return diag_set(reterr, t->io_error, "reading or writing the file failed: %s", err_text(t->io_error));
	/* An answer may come before the whole file has gone (refused): then the answer counts. */
	if (got != CURLE_OK && t->status >= 400 && t->answer.len > 0)
		return 0;
	if (got == CURLE_PARTIAL_FILE || (got != CURLE_OK && t->status == 200))
		return diag_set(reterr, FW_ETRUNC, "the node cut its answer short: %s", words);
	if (got != CURLE_OK)
		return diag_set(reterr, FW_EGONE, "the node at %s does not answer: %s", cl->node,
				words[0] != '\0' ? words : curl_easy_strerror(got));
	return 0;
}

/* Perform, then turn the answer into JSON or words. Resets the handle. */
static int finish(struct transfer *t, const char *path, struct curl_slist *headers, json_t **ret,
		  struct diag *reterr)
{
	(void)curl_easy_setopt(t->cl->curl, CURLOPT_HTTPHEADER, headers);
	int err = perform(t, path, reterr);
	if (err == 0 && (t->status < 200 || t->status > 299))
		err = problem(t, reterr);
	else if (err == 0 && ret != NULL)
		*ret = NULL;
	if (err == 0 && ret != NULL && t->answer.len > 0)
		err = json_parse(t->answer.data, t->answer.len, ret, reterr);
	curl_slist_free_all(headers);
	curl_easy_reset(t->cl->curl);
	buf_wipe(&t->answer);
	buf_release(&t->answer);
	return err;
}

int client_call(struct client *cl, const char *method, const char *path, json_t *body, json_t **ret,
		struct diag *reterr)
{
	struct transfer t = { .cl = cl, .out = -1 };
	buf_init(&t.answer, ANSWER_MAX);
	char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	(void)curl_easy_setopt(cl->curl, CURLOPT_CUSTOMREQUEST, method);
	if (text != NULL || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0) {
		(void)curl_easy_setopt(cl->curl, CURLOPT_POSTFIELDSIZE, (long)(text != NULL ? strlen(text) : 0));
		(void)curl_easy_setopt(cl->curl, CURLOPT_COPYPOSTFIELDS, text != NULL ? text : "");
	}
	int err = finish(&t, path, headers_of(cl, text != NULL, false, NULL), ret, reterr);
	if (text != NULL) {
		sodium_memzero(text, strlen(text));
		mem_free(text); /* jansson allocates through mem_alloc, see json_parse() */
	}
	return err;
}

int client_upload(struct client *cl, const char *path, int fd, int64_t size,
		  void (*progress)(void *arg, int64_t done, int64_t total), void *arg, json_t **ret,
		  struct diag *reterr)
{
	struct transfer t = { .cl = cl, .out = -1, .in = fd, .size = size, .progress = progress, .arg = arg };
	buf_init(&t.answer, ANSWER_MAX);
	(void)curl_easy_setopt(cl->curl, CURLOPT_POST, 1L);
	(void)curl_easy_setopt(cl->curl, CURLOPT_READFUNCTION, on_body);
	(void)curl_easy_setopt(cl->curl, CURLOPT_READDATA, &t);
	struct curl_slist *h = headers_of(cl, false, true, NULL);
	if (size >= 0)
		(void)curl_easy_setopt(cl->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
	else
		h = curl_slist_append(h, "Transfer-Encoding: chunked");
	return finish(&t, path, h, ret, reterr);
}

int client_download(struct client *cl, const char *path, const char *purpose, int fd, struct diag *reterr)
{
	struct transfer t = { .cl = cl, .out = fd };
	buf_init(&t.answer, ANSWER_MAX);
	(void)curl_easy_setopt(cl->curl, CURLOPT_HTTPGET, 1L);
	return finish(&t, path, headers_of(cl, false, false, purpose), NULL, reterr);
}

static size_t drop(char *p, size_t size, size_t n, void *arg)
{
	(void)p;
	(void)arg;
	return size * n;
}

long client_status_of(const char *listen, const char *path)
{
	char url[URL_MAX];
	long status = 0;
	bool is_socket = strncmp(listen, "unix:", 5) == 0;
	CURL *curl = curl_global_init(CURL_GLOBAL_DEFAULT) == 0 ? curl_easy_init() : NULL;
	int n = snprintf(url, sizeof(url), "http://%s%s", is_socket ? "localhost" : listen, path);
	if (curl == NULL || n < 0 || (size_t)n >= sizeof(url))
		return 0;
	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	(void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, 5L);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
	if (is_socket)
		(void)curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, listen + 5);
	if (curl_easy_perform(curl) == CURLE_OK)
		(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	return status;
}

int client_keep_token(struct client *cl, struct diag *reterr)
{
	if (cl->given[0] == '\0')
		return 0;
	memcpy(cl->token, cl->given, sizeof(cl->token));
	return write_token(cl, cl->token, reterr);
}

int client_forget_token(struct client *cl, struct diag *reterr)
{
	sodium_memzero(cl->token, sizeof(cl->token));
	return write_token(cl, NULL, reterr);
}
