/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd/store_place.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

static const char scheme[] = "postgresql://";

enum { PREFIX_MAX = 40 }; /* with the longest vault's name within PostgreSQL's 63 */

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

void store_pgpass(const char *password, struct buf *out)
{
	buf_puts(out, "*:*:*:*:");
	for (; *password != '\0'; password++) {
		if (*password == ':' || *password == '\\')
			buf_putc(out, '\\');
		buf_putc(out, (uint8_t)*password);
	}
	buf_putc(out, '\n');
}
