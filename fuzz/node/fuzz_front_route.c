/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Parses: src/node/process/front_route.c src/node/process/front_session.c
 *
 * Method and path to a row; tokens and origins as a client may write them.
 * Input: method NUL path NUL Authorization NUL cookie NUL Origin.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/uuid.h"
#include "gen/tables.h"
#include "node/process/front_route.h"
#include "node/process/front_session.h"

static const char *next(const char **p, const char *end)
{
	const char *s = *p, *nul = s < end ? memchr(s, '\0', (size_t)(end - s)) : NULL;
	*p = nul != NULL ? nul + 1 : end;
	return nul != NULL ? s : "";
}

/* The literal segments of the row's path must be the path's, whatever the tree did. */
static void check(const struct route_match *m, const char *path)
{
	const char *a = m->row->path;
	size_t params = 0;
	while (*a == '/') {
		size_t an, pn;
		if (*path != '/')
			abort();
		an = strcspn(++a, "/");
		pn = strcspn(++path, "/");
		if (*a == '{') {
			struct uuid u;
			const char *v = m->param[params];
			if (strlen(v) != pn || memcmp(v, path, pn) != 0 ||
			    (m->row->params[params].type == SHAPE_UUID && uuid_parse(v, &u) != 0))
				abort();
			params++;
		} else if (an != pn || memcmp(a, path, an) != 0) {
			abort();
		}
		a += an;
		path += pn;
	}
	if (*path != '\0' || params != m->nparams)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct route_tree *tree;
	if (tree == NULL && route_tree_new(route_rows, ROUTE_COUNT, &tree) != 0)
		abort();
	const char *p = (const char *)data, *end = p + n;
	const char *method = next(&p, end), *path = next(&p, end), *authorization = next(&p, end);
	const char *cookie = next(&p, end), *origin = next(&p, end);
	struct route_match m;
	int err = route_find(tree, method, path, &m);
	if (err == 0 && strcmp(m.row->method, method) != 0)
		abort();
	if (err == 0)
		check(&m, path);
	else if (err != FW_ENOTFOUND && (err != FW_EINVALID || m.allow[0] == '\0'))
		abort();
	uint8_t hash[WIRE_TOKEN];
	bool bearer;
	int got =
		session_of(authorization[0] != '\0' ? authorization : NULL, cookie, hash, &bearer);
	if (got == 1 && strlen(bearer ? authorization : cookie) < TOKEN_TEXT)
		abort();
	if (session_origin(origin, NULL, "node.example", true) == NULL &&
	    strstr(origin, "://") == NULL)
		abort();
	return 0;
}
