/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd/online.h"

#include <stdio.h>
#include <string.h>

void print_json(json_t *j)
{
	if (j != NULL && json_dumpf(j, stdout, JSON_COMPACT | JSON_ENCODE_ANY) == 0)
		(void)putchar('\n');
	json_decref(j);
}

static void print_scalar(const json_t *v)
{
	if (json_is_string(v))
		(void)printf(" %s\n", json_string_value(v));
	else if (json_is_integer(v))
		(void)printf(" %lld\n", (long long)json_integer_value(v));
	else if (json_is_real(v))
		(void)printf(" %.6g\n", json_real_value(v));
	else
		(void)printf(" %s\n", json_is_true(v) ? "yes" : json_is_false(v) ? "no" : "-");
}

void print_indented(const json_t *v, unsigned depth)
{
	const char *name;
	json_t *m;
	size_t i;
	json_object_foreach((json_t *)v, name, m) {
		(void)printf("%*s%s:", (int)depth * 2, "", name);
		if (json_is_object(m) || json_is_array(m)) {
			(void)printf("%s\n", json_object_size(m) + json_array_size(m) == 0 ? " none" : "");
			print_indented(m, depth + 1);
		} else {
			print_scalar(m);
		}
	}
	json_array_foreach(v, i, m) {
		if (json_is_object(m)) {
			(void)printf("%*s%zu.\n", (int)depth * 2, "", i + 1);
			print_indented(m, depth + 1);
		} else {
			(void)printf("%*s-", (int)depth * 2, "");
			print_scalar(m);
		}
	}
}

const char *text_of(const json_t *j, const char *name)
{
	const char *s = json_string_value(json_object_get(j, name));
	return s != NULL ? s : "";
}

int64_t int_of(const json_t *j, const char *name)
{
	return json_integer_value(json_object_get(j, name));
}

const char *count_of(const json_t *j, const char *name, char out[32])
{
	const json_t *v = json_object_get(j, name);
	if (json_is_integer(v))
		(void)snprintf(out, 32, "%lld", (long long)json_integer_value(v));
	else
		(void)snprintf(out, 32, "%s", v == NULL ? "" : json_string_value(v));
	if (strcmp(out, "not_collected") == 0)
		(void)snprintf(out, 32, "not collected");
	return out;
}

int ask_and_print(struct cmd_context *c, const char *method, const char *path, json_t *body,
		  void (*print)(struct cmd_context *c, const json_t *answer))
{
	struct diag d = DIAG_INIT;
	struct client *cl = NULL;
	json_t *answer = NULL;
	int err = client_new(c, &cl, &d);
	if (err == 0)
		err = client_call(cl, method, path, body, &answer, &d);
	else
		json_decref(body);
	if (err != 0)
		return cmd_fail(c, err, &d);
	if (cmd_json(c)) {
		print_json(answer);
		return FW_EXIT_OK;
	}
	if (print != NULL && answer != NULL)
		print(c, answer);
	json_decref(answer);
	return FW_EXIT_OK;
}
