/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "cmd/online.h"

enum { PAGE = 200, AGAINST_MAX = 64 << 20, OUTSIDE_MAX = 490000 /* the shape takes 500,000 */ };

static const char *ledger_path(struct cmd_context *c, const char *after)
{
	return arena_printf(c->mem, "/api/%s/ledger%s", cmd_option(c, "vault"), after);
}

/* Whether a checkpoint of the vault begins with this line: its origin, which ends in "/VAULT". */
static bool begins(const char *text, const char *line, size_t len, const char *vault)
{
	size_t n = strlen(vault);
	bool first = line == text || (line >= text + 2 && line[-1] == '\n' && line[-2] == '\n');
	return first && len > n && line[len - n - 1] == '/' && memcmp(line + len - n, vault, n) == 0;
}

/* Behind the signatures of the checkpoint that begins at ${p}. */
static const char *behind(const char *p)
{
	const char *body = strstr(p, "\n\n"), *end = body != NULL ? strstr(body + 2, "\n\n") : NULL;
	return end != NULL ? end + 1 : p + strlen(p);
}

/*
 * The checkpoints of this vault in a file of several: a checkpoint is its
 * origin's line, size, root, an empty line and signatures; they are separated
 * by empty lines.  All that one request takes; the newest of a longer file.
 */
static int checkpoints_of(const char *text, const char *vault, struct buf *out, size_t *ret_n)
{
	for (const char *line = text; *line != '\0';) {
		const char *end = strchr(line, '\n'), *next = end != NULL ? end + 1 : line + strlen(line);
		if (begins(text, line, (size_t)(end != NULL ? end - line : next - line), vault)) {
			next = behind(line);
			buf_put(out, line, (size_t)(next - line));
			buf_putc(out, '\n');
			*ret_n += 1;
		}
		line = next;
	}
	while (!buf_failed(out) && out->len > OUTSIDE_MAX) {
		const uint8_t *gap = memmem(out->data, out->len, "\n\n", 2);
		gap = gap != NULL ? memmem(gap + 2, out->len - (size_t)(gap + 2 - out->data), "\n\n", 2) : NULL;
		if (gap == NULL)
			return FW_ELIMIT;
		buf_consume(out, (size_t)(gap + 2 - out->data));
		*ret_n -= 1;
	}
	buf_putc(out, '\0');
	return out->error;
}

static int read_against(struct cmd_context *c, const char **ret, size_t *ret_n, struct diag *reterr)
{
	const char *path = cmd_option(c, "against");
	*ret = NULL;
	*ret_n = 0;
	if (path == NULL)
		return 0;
	struct buf b, found;
	buf_init(&b, AGAINST_MAX);
	buf_init(&found, AGAINST_MAX);
	int err = io_read_file(path, &b, reterr);
	buf_putc(&b, '\0');
	if (err == 0)
		err = buf_failed(&b) ? b.error : checkpoints_of((const char *)b.data, cmd_option(c, "vault"), &found, ret_n);
	if (err == 0 && *ret_n > 0 && (*ret = arena_strdup(c->mem, (const char *)found.data)) == NULL)
		err = -ENOMEM;
	buf_release(&found);
	buf_release(&b);
	if (err == 0 && *ret_n == 0)
		err = diag_set(reterr, FW_EINVALID, "%s holds no checkpoint of the vault %s", path, cmd_option(c, "vault"));
	return err;
}

int cmd_ledger_verify(struct cmd_context *c)
{
	struct diag d = DIAG_INIT;
	struct client *cl = NULL;
	const char *outside = NULL;
	size_t n = 0;
	json_t *v = NULL;
	int err = client_new(c, &cl, &d);
	if (err == 0)
		err = read_against(c, &outside, &n, &d);
	if (err == 0) {
		json_t *body = outside != NULL ? json_pack("{s:s}", "outside", outside) : json_object();
		err = client_call(cl, "POST", ledger_path(c, "/verify"), body, &v, &d);
	}
	if (err != 0)
		return cmd_fail(c, err, &d);
	bool good = json_is_true(json_object_get(v, "verified"));
	char against[80] = "";
	if (n > 0)
		(void)snprintf(against, sizeof(against), ", compared with %zu kept elsewhere", n);
	if (!cmd_json(c))
		(void)printf("%s\n%lld entries, %lld still without position, %lld erased, %lld checkpoints%s\n",
			     text_of(v, "words"), (long long)int_of(v, "entries"), (long long)int_of(v, "waiting"),
			     (long long)int_of(v, "erased"), (long long)int_of(v, "checkpoints"),
			     against);
	if (cmd_json(c))
		print_json(v);
	else
		json_decref(v);
	return good ? FW_EXIT_OK : FW_EXIT_UNVERIFIED;
}

static void print_entry(struct cmd_context *c, json_t *e)
{
	if (cmd_json(c)) {
		print_json(json_incref(e));
		return;
	}
	char position[24] = "-"; /* younger than a second */
	if (json_object_get(e, "position") != NULL)
		(void)snprintf(position, sizeof(position), "%lld", (long long)int_of(e, "position"));
	(void)printf("%10s  %s  %-24s %-36s %5lld %s%s\n", position, text_of(e, "at"),
		     text_of(e, "event"), text_of(e, "account"), (long long)int_of(e, "subjects"), text_of(e, "purpose"),
		     json_is_true(json_object_get(e, "erased")) ? " (content erased)" : "");
}

int cmd_ledger_list(struct cmd_context *c)
{
	struct diag d = DIAG_INIT;
	struct client *cl = NULL;
	int64_t left = cmd_option_int(c, "limit", 50);
	const char *after = NULL;
	int err = client_new(c, &cl, &d);
	while (err == 0 && left > 0) {
		struct buf path;
		json_t *page = NULL, *e;
		size_t i;
		buf_init(&path, 4000);
		buf_puts(&path, ledger_path(c, ""));
		client_query(&path, "after", after);
		client_query(&path, "event", cmd_option(c, "event"));
		buf_putc(&path, '\0');
		err = client_call(cl, "GET", (const char *)path.data, NULL, &page, &d);
		buf_release(&path);
		json_array_foreach(json_object_get(page, "entries"), i, e)
			if (left-- > 0)
				print_entry(c, e);
		after = text_of(page, "next")[0] != '\0' ? arena_strdup(c->mem, text_of(page, "next")) : NULL;
		json_decref(page);
		if (after == NULL)
			break;
	}
	return err == 0 ? FW_EXIT_OK : cmd_fail(c, err, &d);
}

int cmd_ledger_checkpoint(struct cmd_context *c)
{
	struct diag d = DIAG_INIT;
	struct client *cl = NULL;
	json_t *page = NULL;
	int err = client_new(c, &cl, &d);
	if (err == 0)
		err = client_call(cl, "GET", ledger_path(c, ""), NULL, &page, &d);
	if (err == 0 && text_of(page, "checkpoint")[0] == '\0')
		err = diag_set(&d, FW_ENOTFOUND, "no checkpoint has been signed yet; one follows within seconds of the first entry");
	const char *out = cmd_option(c, "output");
	if (err == 0 && out == NULL) {
		(void)printf("%s", text_of(page, "checkpoint"));
	} else if (err == 0) {
		FILE *f = fopen(out, "ae");
		bool good = f != NULL && fprintf(f, "%s\n", text_of(page, "checkpoint")) > 0;
		if (f == NULL || fclose(f) != 0 || !good)
			err = diag_set(&d, FW_EINVALID, "cannot append to %s", out);
	}
	json_decref(page);
	return err == 0 ? FW_EXIT_OK : cmd_fail(c, err, &d);
}

int cmd_ledger_key(struct cmd_context *c)
{
	struct diag d = DIAG_INIT;
	struct client *cl = NULL;
	json_t *page = NULL;
	int err = client_new(c, &cl, &d);
	if (err == 0)
		err = client_call(cl, "GET", ledger_path(c, ""), NULL, &page, &d);
	if (err == 0 && cmd_json(c))
		(void)printf("{\"origin\":\"%s\",\"vkey\":\"%s\"}\n", text_of(page, "origin"), text_of(page, "vkey"));
	else if (err == 0)
		(void)printf("%s\n", text_of(page, "vkey"));
	json_decref(page);
	return err == 0 ? FW_EXIT_OK : cmd_fail(c, err, &d);
}
