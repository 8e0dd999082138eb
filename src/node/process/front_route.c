/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/process/front_route.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/uuid.h"
#include "tbl/shape.h"

/* One segment of a path. Children are a list: few rows share a folder. */
struct node {
	const char *text; /* in the row's path; NULL for a parameter */
	size_t len;
	int type; /* of a parameter: SHAPE_UUID or SHAPE_CODE */
	struct node *first, *next;
	const struct route_row *rows[ROUTE_METHODS]; /* that end here */
};

struct route_tree {
	struct arena *mem;
	struct node root;
};

static int param_type(const struct route_row *row, size_t index)
{
	return index < row->nparams ? row->params[index].type : SHAPE_CODE;
}

static struct node *child(struct route_tree *t, struct node *parent, const char *text, size_t len,
			  int type)
{
	struct node **link = &parent->first;
	for (; *link != NULL; link = &(*link)->next) {
		struct node *c = *link;
		if (text == NULL
			    ? c->text == NULL
			    : c->text != NULL && c->len == len && memcmp(c->text, text, len) == 0)
			return text == NULL && c->type != type ? NULL : c;
		/* A parameter stands last. */
		if (c->text == NULL)
			break;
	}
	struct node *c = arena_alloc(t->mem, sizeof(*c));
	if (c == NULL)
		return NULL;
	*c = (struct node){.text = text, .len = len, .type = type, .next = *link};
	*link = c;
	return c;
}

static int add_row(struct route_tree *t, const struct route_row *row)
{
	struct node *n = &t->root;
	size_t params = 0;
	const char *p = row->path;
	while (*p == '/') {
		const char *segment = ++p;
		size_t len = strcspn(p, "/");
		bool param = segment[0] == '{';
		n = child(t, n, param ? NULL : segment, len, param ? param_type(row, params) : 0);
		if (n == NULL)
			return arena_failed(t->mem) ? -ENOMEM : FW_EINVALID;
		params += param;
		p += len;
	}
	for (size_t i = 0; i < ROUTE_METHODS; i++) {
		if (n->rows[i] == NULL) {
			n->rows[i] = row;
			return params <= ROUTE_PARAMS ? 0 : FW_EINVALID;
		}
		if (strcmp(n->rows[i]->method, row->method) == 0)
			return FW_EINVALID;
	}
	return FW_EINVALID;
}

int route_tree_new(const struct route_row *rows, size_t n, struct route_tree **ret)
{
	struct route_tree *t = mem_alloc(sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	*t = (struct route_tree){.mem = arena_new(1 << 20)};
	int err = t->mem != NULL ? 0 : -ENOMEM;
	for (size_t i = 0; err == 0 && i < n; i++)
		err = add_row(t, &rows[i]);
	if (err != 0) {
		route_tree_free(t);
		return err;
	}
	*ret = t;
	return 0;
}

void route_tree_free(struct route_tree *t)
{
	if (t == NULL)
		return;
	arena_free(t->mem);
	mem_free(t);
}

/* The child that one segment of a path means, its parameter kept. */
static const struct node *step(const struct node *n, const char *segment, size_t len,
			       struct route_match *m)
{
	for (const struct node *c = n->first; c != NULL; c = c->next) {
		if (c->text != NULL) {
			if (c->len == len && memcmp(c->text, segment, len) == 0)
				return c;
			continue;
		}
		struct uuid id;
		bool fits = c->type == SHAPE_UUID ? uuid_parse(segment, &id) == 0
						  : code_wellformed(segment);
		if (!fits)
			return NULL;
		m->param[m->nparams++] = segment;
		return c;
	}
	return NULL;
}

static int choose_method(const struct node *n, const char *method, struct route_match *m)
{
	size_t used = 0;
	for (size_t i = 0; i < ROUTE_METHODS && n->rows[i] != NULL; i++) {
		const char *name = n->rows[i]->method;
		size_t len = strlen(name);
		if (strcmp(name, method) == 0) {
			m->row = n->rows[i];
			return 0;
		}
		if (used + len + 3 < sizeof(m->allow)) {
			memcpy(m->allow + used, used > 0 ? ", " : "", used > 0 ? 2 : 0);
			used += used > 0 ? 2 : 0;
			memcpy(m->allow + used, name, len + 1);
			used += len;
		}
	}
	return used > 0 ? FW_EINVALID : FW_ENOTFOUND;
}

/* Cut a path apart in place; how many segments, 0 for too many. */
static size_t split(char *text, const char *segments[ROUTE_SEGMENTS])
{
	size_t n = 0;
	for (char *p = text; *p == '/';) {
		*p++ = '\0';
		if (n == ROUTE_SEGMENTS)
			return 0;
		segments[n++] = p;
		p += strcspn(p, "/");
	}
	return n;
}

int route_find(const struct route_tree *t, const char *method, const char *path,
	       struct route_match *ret)
{
	const char *segments[ROUTE_SEGMENTS];
	ret->row = NULL;
	ret->nparams = 0;
	ret->allow[0] = '\0';
	size_t len = strlen(path);
	if (len >= sizeof(ret->text) || path[0] != '/')
		return FW_ENOTFOUND;
	memcpy(ret->text, path, len + 1);
	size_t n = split(ret->text, segments);
	const struct node *at = n > 0 ? &t->root : NULL;
	for (size_t i = 0; at != NULL && i < n; i++)
		at = step(at, segments[i], strlen(segments[i]), ret);
	return at != NULL ? choose_method(at, method, ret) : FW_ENOTFOUND;
}
