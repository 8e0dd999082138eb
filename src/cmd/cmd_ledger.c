/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/io.h"
#include "cmd/online.h"

enum { PAGE = 200, AGAINST_MAX = 64 << 20 };

static const char *ledger_path(struct cmd_context *c, const char *after)
{
	return arena_printf(c->mem, "/api/%s/ledger%s", cmd_option(c, "vault"), after);
}

/*
 * The last checkpoint of this vault in a file of several: a checkpoint is its
 * origin's line, size, root, an empty line and signatures; they are separated
 * by empty lines.  The origin ends in "/VAULT".
 */
static const char *last_checkpoint(struct cmd_context *c, const char *text, const char *vault)
{
	const char *found = NULL;
	size_t n = strlen(vault);
	for (const char *line = text; line != NULL && *line != '\0';) {
		const char *end = strchr(line, '\n');
		size_t len = end != NULL ? (size_t)(end - line) : strlen(line);
		bool begins = line == text || (line >= text + 2 && line[-1] == '\n' && line[-2] == '\n');
		if (begins && len > n && line[len - n - 1] == '/' && memcmp(line + len - n, vault, n) == 0)
			found = line;
		line = end != NULL ? end + 1 : NULL;
	}
	if (found == NULL)
		return NULL;
	const char *body_end = strstr(found, "\n\n");
	const char *end = body_end != NULL ? strstr(body_end + 2, "\n\n") : NULL;
	return arena_strndup(c->mem, found, end != NULL ? (size_t)(end + 1 - found) : strlen(found));
}

static int read_against(struct cmd_context *c, const char **ret, struct diag *reterr)
{
	const char *path = cmd_option(c, "against");
	*ret = NULL;
	if (path == NULL)
		return 0;
	struct buf b;
	buf_init(&b, AGAINST_MAX);
	int err = io_read_file(path, &b, reterr);
	buf_putc(&b, '\0');
	if (err == 0)
		*ret = last_checkpoint(c, (const char *)b.data, cmd_option(c, "vault"));
	buf_release(&b);
	if (err == 0 && *ret == NULL)
		err = diag_set(reterr, FW_EINVALID, "%s holds no checkpoint of the vault %s", path, cmd_option(c, "vault"));
	return err;
}

int cmd_ledger_verify(struct cmd_context *c)
{
	struct diag d = DIAG_INIT;
	struct client *cl = NULL;
	const char *outside = NULL;
	json_t *v = NULL;
	int err = client_new(c, &cl, &d);
	if (err == 0)
		err = read_against(c, &outside, &d);
	if (err == 0) {
		json_t *body = outside != NULL ? json_pack("{s:s}", "outside", outside) : json_object();
		err = client_call(cl, "POST", ledger_path(c, "/verify"), body, &v, &d);
	}
	if (err != 0)
		return cmd_fail(c, err, &d);
	bool good = json_is_true(json_object_get(v, "verified"));
	if (!cmd_json(c))
		(void)printf("%s\n%lld entries, %lld still without position, %lld erased, %lld checkpoints%s\n",
			     text_of(v, "words"), (long long)int_of(v, "entries"), (long long)int_of(v, "waiting"),
			     (long long)int_of(v, "erased"), (long long)int_of(v, "checkpoints"),
			     outside != NULL ? ", compared with the one kept elsewhere" : "");
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
