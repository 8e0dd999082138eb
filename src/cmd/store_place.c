/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd/store_place.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "cmd/cmd.h"

static const char scheme[] = "postgresql://";

enum {
	PREFIX_MAX = 40, /* with the longest vault's name within PostgreSQL's 63 */
	PASSWORDS_MAX = 65536,
};

/* What init decides itself may not be said otherwise, and a password not at all. */
static const char *taken_option(const char *query)
{
	static const char *const names[] = { "user=", "dbname=", "password=", "passfile=", "service=" };
	for (const char *at = query; at != NULL; at = strchr(at, '&')) {
		at++;
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (strncmp(at, names[i], strlen(names[i])) == 0)
				return names[i];
	}
	return NULL;
}

/* A name that needs no quotes in SQL and none in an address. */
static bool good_prefix(const char *p, size_t n)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	return n > 0 && n <= PREFIX_MAX && strspn(p, good) >= n && (*p < '0' || *p > '9');
}

int store_place(struct arena *mem, const char *server, const char *vault, const char **ret_url, struct diag *reterr)
{
	if (strncmp(server, scheme, sizeof(scheme) - 1) != 0)
		return diag_set(reterr, FW_EINVALID, "--store takes postgresql://SERVER[/PREFIX]; without it the stores are on SQLite");
	const char *at = strchr(server, ':') + sizeof("://") - 1;
	const size_t host = strcspn(at, "/?");
	const char *path = at[host] == '/' ? &at[host + 1] : &at[host], *query = strchr(server, '?');
	const size_t n = strcspn(path, "?");
	if (memchr(at, '@', host) != NULL)
		return diag_set(reterr, FW_EINVALID, "--store names the server and no user: each vault has a role of its own, PREFIX_VAULT");
	const char *taken = taken_option(query);
	if (taken != NULL)
		return diag_set(reterr, FW_EINVALID, "--store must not say %s: roles and databases are named PREFIX_VAULT, and passwords stand in "
				"the file of --password-file, as store.VAULT:PASSWORD", taken);
	if (n > 0 && !good_prefix(path, n))
		return diag_set(reterr, FW_EINVALID, "--store: expected one word of a-z, 0-9 and _ after the server, with which the names of the "
				"four databases begin");
	const char *name = arena_printf(mem, "%.*s_%s", n > 0 ? (int)n : 7, n > 0 ? path : "fairway", vault);
	const char *url = arena_printf(mem, "%s%.*s/%s?user=%s%s%s", scheme, (int)host, at, name, name,
				       query != NULL && query[1] != '\0' ? "&" : "", query != NULL ? query + 1 : "");
	if (url == NULL)
		return -ENOMEM;
	*ret_url = url;
	return 0;
}

int password_file(struct arena *mem, const char *path, char **ret, struct diag *reterr)
{
	struct buf b;
	buf_init(&b, PASSWORDS_MAX);
	int err = io_read_file(path, &b, reterr);
	if (err == 0 && (*ret = arena_strndup(mem, b.data != NULL ? (const char *)b.data : "", b.len)) == NULL)
		err = -ENOMEM;
	buf_wipe(&b);
	buf_release(&b);
	return err;
}

char *password_line(struct arena *mem, const char *text, const char *name)
{
	const size_t n = strlen(name);
	for (const char *line = text; line != NULL && *line != '\0';) {
		size_t len = strcspn(line, "\r\n");
		if (len > n + 1 && strncmp(line, name, n) == 0 && line[n] == ':')
			return arena_strndup(mem, line + n + 1, len - n - 1);
		line += len;
		line += strspn(line, "\r\n");
	}
	return NULL;
}

static void put_pgpass(const char *password, struct buf *out)
{
	buf_puts(out, "*:*:*:*:");
	for (; *password != '\0'; password++) {
		if (*password == ':' || *password == '\\')
			buf_putc(out, '\\');
		buf_putc(out, (uint8_t)*password);
	}
	buf_putc(out, '\n');
}

int password_to_store(struct arena *mem, const char *text, const char *folder, const char *vault, struct diag *reterr)
{
	const char *name = arena_printf(mem, "store.%s", vault), *path = arena_printf(mem, "%s/%s/pgpass", folder, vault);
	if (name == NULL || path == NULL)
		return -ENOMEM;
	char *password = password_line(mem, text, name);
	struct buf b;
	if (password == NULL)
		return 0;
	buf_init(&b, PASSWORDS_MAX);
	put_pgpass(password, &b);
	cmd_wipe(password);
	int err = buf_failed(&b) ? b.error : io_write_file(path, b.data, b.len, 0600, reterr);
	buf_wipe(&b);
	buf_release(&b);
	return err;
}
