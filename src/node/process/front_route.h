/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * From method and path to the row of the route table, and with it to the one
 * vault whose worker may get the request.
 *
 * The rows are sorted into a tree of path segments once, at start: a literal
 * segment goes before a parameter, and there is no going back, so that one
 * path has one meaning.
 */
#ifndef FW_NODE_FRONT_ROUTE_H
#define FW_NODE_FRONT_ROUTE_H

#include <stddef.h>
#include <stdint.h>

#include "tbl/rows.h"

enum { ROUTE_PARAMS = 4, ROUTE_SEGMENTS = 10, ROUTE_METHODS = 6 };

struct route_tree; /* of ${rows}, which must outlive it */

/* 0; FW_EINVALID for two rows that one request could mean; -ENOMEM. */
int route_tree_new(const struct route_row *rows, size_t n, struct route_tree **ret);
void route_tree_free(struct route_tree *t);

struct route_match {
	const struct route_row *row;
	const char *param[ROUTE_PARAMS]; /* into ${text} */
	size_t nparams;
	char text[256]; /* the segments, cut apart */
	char allow[64]; /* of a path that is there with other methods: "GET, PUT" */
};

/* 0; FW_ENOTFOUND: no such path; FW_EINVALID: another method, ret->allow says which. */
int route_find(const struct route_tree *t, const char *method, const char *path,
	       struct route_match *ret);

#endif
