/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd/node_dir.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/store.h"
#include "tbl/settings.h"

const char *node_dir_path(const struct node_dir *n, struct arena *mem, const char *below)
{
	return arena_printf(mem, "%s/%s", n->path, below);
}

int node_dir_open(const char *path, struct arena *mem, struct node_dir *ret, struct diag *reterr)
{
	char real[PATH_MAX];
	if (realpath(path, real) == NULL)
		return diag_set(reterr, errno == ENOENT ? FW_ENOTFOUND : -errno, "there is no folder %s; \"fairway init\" makes a node",
				path);
	struct node_dir n = { .path = arena_strdup(mem, real) };
	const char *conf = node_dir_path(&n, mem, "fairway.conf");
	if (arena_failed(mem))
		return diag_set(reterr, -ENOMEM, "no memory for the settings");
	if (access(conf, F_OK) != 0)
		return diag_set(reterr, FW_ENOTFOUND,
				"%s is not the folder of a node: it has no fairway.conf; \"fairway init\" makes one", real);
	int err = settings_load(conf, mem, &n.settings, reterr);
	if (err == 0)
		*ret = n;
	return err;
}

/* As a value in an address. */
static const char *escaped(struct arena *mem, const char *text)
{
	char *made = arena_alloc(mem, 3 * strlen(text) + 1), *to = made;
	for (; made != NULL && *text != '\0'; text++)
		if (strchr("%&=?#+ ", *text) != NULL)
			to += snprintf(to, 4, "%%%02X", (unsigned)*text);
		else
			*to++ = *text;
	if (made != NULL)
		*to = '\0';
	return made;
}

const char *node_dir_store_url(const struct node_dir *n, struct arena *mem, int vault)
{
	const char *const set[VAULT_COUNT] = {
		[VAULT_HOUSE] = n->settings.store_house,
		[VAULT_STRATEGIC] = n->settings.store_strategic,
		[VAULT_OPERATIONAL] = n->settings.store_operational,
		[VAULT_PROTECTION] = n->settings.store_protection,
	};
	const char *name = vault_rows[vault].name, *url = set[vault];
	if (url == NULL || url[0] == '\0')
		return arena_printf(mem, "sqlite:%s/%s/%s.db", n->path, name, name);
	const char *pgpass = arena_printf(mem, "%s/%s/pgpass", n->path, name);
	if (strncmp(url, "postgresql:", 11) != 0 || strstr(url, "passfile=") != NULL || pgpass == NULL || access(pgpass, F_OK) != 0)
		return url;
	return arena_printf(mem, "%s%cpassfile=%s", url, strchr(url, '?') != NULL ? '&' : '?', escaped(mem, pgpass));
}

int node_dir_store(const struct node_dir *n, struct arena *mem, int vault, bool make, struct store **ret,
		   struct diag *reterr)
{
	const struct store_options opt = { .url = node_dir_store_url(n, mem, vault), .role = STORE_ROLE_INIT,
					   .vault = vault_rows[vault].name, .create = make, .migrate = make,
					   .walled = true };
	if (opt.url == NULL)
		return diag_set(reterr, -ENOMEM, "no memory for a store");
	return store_open(&opt, ret, reterr);
}

const char *node_dir_origin(const struct node_dir *n, struct arena *mem, int vault)
{
	return arena_printf(mem, "%s/%s", n->settings.node_origin, vault_rows[vault].origin);
}
