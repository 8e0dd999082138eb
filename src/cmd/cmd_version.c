/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <curl/curl.h>
#include <jansson.h>
#include <libpq-fe.h>
#include <microhttpd.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/online.h"

int cmd_version(struct cmd_context *c)
{
	char pq[32];
	int v = PQlibVersion();
	(void)snprintf(pq, sizeof(pq), "%d.%d", v / 10000, v % 10000);
	const struct {
		const char *name, *version;
	} parts[] = {
		{ "sqlite", sqlite3_libversion() },	{ "libpq", pq },
		{ "libsodium", sodium_version_string() }, { "libmicrohttpd", MHD_get_version() },
		{ "jansson", jansson_version_str() },	{ "libcurl", curl_version_info(CURLVERSION_NOW)->version },
	};
	size_t n = sizeof(parts) / sizeof(*parts);
	if (cmd_json(c)) {
		json_t *j = json_pack("{s:s}", "fairway", FAIRWAY_VERSION);
		for (size_t i = 0; i < n; i++)
			(void)json_object_set_new(j, parts[i].name, json_string(parts[i].version));
		print_json(j);
		return FW_EXIT_OK;
	}
	(void)printf("fairway %s\n", FAIRWAY_VERSION);
	for (size_t i = 0; i < n; i++)
		(void)printf("  %-14s %s\n", parts[i].name, parts[i].version);
	return FW_EXIT_OK;
}
