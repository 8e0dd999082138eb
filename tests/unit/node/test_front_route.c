/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "../test.h"

#include <errno.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/uuid.h"
#include "gen/tables.h"
#include "node/process/front_route.h"
#include "tbl/shape.h"

static struct route_tree *tree;

static int setup(void **state)
{
	(void)state;
	return route_tree_new(route_rows, ROUTE_COUNT, &tree);
}

static int teardown(void **state)
{
	(void)state;
	route_tree_free(tree);
	return 0;
}

/* The plain meaning of a row's path, written another way than the tree: segment by segment, no
 * tree. */
static bool row_means(const struct route_row *row, const char *path)
{
	const char *a = row->path;
	size_t param = 0;
	while (*a == '/' && *path == '/') {
		size_t an = strcspn(++a, "/"), pn = strcspn(++path, "/");
		char segment[300];
		(void)snprintf(segment, sizeof(segment), "%.*s", (int)pn, path);
		if (*a == '{') {
			struct uuid u;
			int type = row->params[param++].type;
			if (type == SHAPE_UUID ? uuid_parse(segment, &u) != 0
					       : !code_wellformed(segment))
				return false;
		} else if (an != pn || strncmp(a, path, an) != 0) {
			return false;
		}
		a += an;
		path += pn;
	}
	return *a == '\0' && *path == '\0';
}

#define ID "0193607c-7b2a-7c00-8000-0123456789ab"

static void every_row_is_found_by_its_own_path(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROUTE_COUNT; i++) {
		char path[256] = "";
		for (const char *p = route_rows[i].path; *p != '\0';) {
			size_t n = strcspn(p + 1, "/") + 1;
			(void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "%.*s",
				       p[1] == '{' ? 37 : (int)n, p[1] == '{' ? "/" ID : p);
			p += n;
		}
		struct route_match m;
		assert_int_equal(route_find(tree, route_rows[i].method, path, &m), 0);
		assert_ptr_equal(m.row, &route_rows[i]);
		assert_int_equal(m.nparams, route_rows[i].nparams);
		for (size_t k = 0; k < m.nparams; k++)
			assert_string_equal(m.param[k], ID);
	}
}

static void what_is_not_there_is_not_found(void **state)
{
	(void)state;
	struct route_match m;
	static const char *const paths[] = {"",
					    "/",
					    "/api",
					    "/api/",
					    "/api/session/",
					    "/api/sessions",
					    "/API/session",
					    "/api/report/incidents/1",
					    "/api/report/incidents/" ID "/x",
					    "/api/report/incidents/" ID "0",
					    "/api/nowhere/me",
					    "/api/{vault}/me",
					    "/api/strategic/me/",
					    "/a/b/c/d/e/f/g/h/i/j/k/l"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		assert_int_equal(route_find(tree, "GET", paths[i], &m), FW_ENOTFOUND);
	char lengthy[2000] = "/api/session";
	memset(lengthy + 12, 'x', sizeof(lengthy) - 13);
	assert_int_equal(route_find(tree, "GET", lengthy, &m), FW_ENOTFOUND);
}

static void another_method_is_told_what_there_is(void **state)
{
	(void)state;
	struct route_match m;
	assert_int_equal(route_find(tree, "PATCH", "/api/session", &m), FW_EINVALID);
	assert_non_null(strstr(m.allow, "GET"));
	assert_non_null(strstr(m.allow, "POST"));
	assert_non_null(strstr(m.allow, "DELETE"));
	assert_int_equal(route_find(tree, "HEAD", "/api/session", &m), FW_EINVALID);
	assert_int_equal(route_find(tree, "get", "/api/session", &m), FW_EINVALID);
	assert_int_equal(route_find(tree, "POST", "/api/strategic/me", &m), FW_EINVALID);
	assert_string_equal(m.allow, "GET");
}

/*
 * The property that the walls stand on: no path leads to a vault other than
 * that of its row, and each path has one meaning.
 */
static void a_path_reaches_its_own_row_and_no_other(void **state)
{
	(void)state;
	struct prop p = {20261125};
	static const char *const odd[] = {
		ID,   "strategic", "protection", "operational", "house", "",   ".",
		"..", "%2e",       "{id}",       "{vault}",     "x",     "me", "grants"};
	for (unsigned i = 0; i < prop_rounds(20000); i++) {
		char path[512] = "";
		/* A row's path with some segments exchanged, dropped or added. */
		const char *from = route_rows[prop_below(&p, ROUTE_COUNT)].path;
		while (*from != '\0') {
			size_t n = strcspn(from + 1, "/") + 1;
			const char *other = odd[prop_below(&p, sizeof(odd) / sizeof(*odd))];
			uint64_t dice = prop_below(&p, 8);
			if (from[1] == '{' ? dice > 1 : dice == 0)
				(void)snprintf(path + strlen(path), sizeof(path) - strlen(path),
					       "/%s", from[1] == '{' ? ID : other);
			else if (dice != 1)
				(void)snprintf(path + strlen(path), sizeof(path) - strlen(path),
					       "%.*s", (int)n, from);
			from += n;
		}
		const char *method = route_rows[prop_below(&p, ROUTE_COUNT)].method;
		size_t meanings = 0;
		const struct route_row *only = NULL;
		for (size_t k = 0; k < ROUTE_COUNT; k++)
			if (strcmp(route_rows[k].method, method) == 0 &&
			    row_means(&route_rows[k], path)) {
				meanings++;
				only = &route_rows[k];
			}
		struct route_match m;
		int err = route_find(tree, method, path, &m);
		if (err == 0 ? m.row != only : meanings == 1)
			fail_msg("seed 20261125, round %u: %s %s", i, method, path);
		assert_true(meanings <= 1);
		if (err == 0)
			assert_int_equal(m.row->vault, only->vault);
	}
}

static void rows_that_collide_are_refused_at_start(void **state)
{
	(void)state;
	static const struct param_row id = {"id", SHAPE_UUID}, code = {"code", SHAPE_CODE};
	struct route_row two[2] = {
		{.method = "GET", .path = "/a/{id}", .params = &id, .nparams = 1},
		{.method = "GET", .path = "/a/{code}", .params = &code, .nparams = 1}};
	struct route_tree *t;
	assert_int_equal(route_tree_new(two, 2, &t), FW_EINVALID);
	two[1] = two[0];
	assert_int_equal(route_tree_new(two, 2, &t), FW_EINVALID);
	two[1].method = "PUT";
	assert_int_equal(route_tree_new(two, 2, &t), 0);
	route_tree_free(t);
	/* A literal goes before a parameter. */
	two[1] = (struct route_row){.method = "GET", .path = "/a/" ID};
	assert_int_equal(route_tree_new(two, 2, &t), 0);
	struct route_match m;
	assert_int_equal(route_find(t, "GET", "/a/" ID, &m), 0);
	assert_ptr_equal(m.row, &two[1]);
	assert_int_equal(m.nparams, 0);
	route_tree_free(t);
}

static void lack_of_memory_is_told(void **state)
{
	(void)state;
	struct route_tree *t;
	int err = -1;
	for (uint64_t n = 1; err != 0; n++) {
		mem_fault_at(n);
		err = route_tree_new(route_rows, ROUTE_COUNT, &t);
		mem_fault_at(0);
		assert_true(err == 0 || err == -ENOMEM);
	}
	route_tree_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_found_by_its_own_path),
		cmocka_unit_test(what_is_not_there_is_not_found),
		cmocka_unit_test(another_method_is_told_what_there_is),
		cmocka_unit_test(a_path_reaches_its_own_row_and_no_other),
		cmocka_unit_test(rows_that_collide_are_refused_at_start),
		cmocka_unit_test(lack_of_memory_is_told),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
