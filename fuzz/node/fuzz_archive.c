/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Parses: src/node/backup/archive.c src/node/backup/erasures.c
 *
 * The records of an archive without seal and compression, pulled in pieces of
 * odd sizes; and a journal of erasures.  The first byte chooses.  Whatever name
 * comes out must be one that may be written.
 */
#include <stdlib.h>
#include <string.h>

#include "node/backup/archive_int.h"
#include "node/backup/erasures.h"

struct input {
	const uint8_t *p;
	size_t n, step;
};

static int pull(void *arg, void *out, size_t cap, size_t *ret_n, struct diag *reterr)
{
	struct input *in = arg;
	size_t n = in->n < cap ? in->n : cap;
	(void)reterr;
	if (n > in->step)
		n = in->step;
	in->step = in->step % 13 + 1;
	if (n > 0)
		memcpy(out, in->p, n);
	in->p += n;
	in->n -= n;
	*ret_n = n;
	return 0;
}

static void archive(const uint8_t *data, size_t n)
{
	struct records r;
	struct input in = { data, n, 5 };
	const char *name;
	uint8_t part[100];
	size_t got = 1, files = 0;
	records_init(&r, pull, &in);
	while (records_next(&r, &name, NULL) == 1) {
		if (!archive_name_fits(name) || name[0] == '/' || strstr(name, "..") == name)
			abort();
		if (files++ % 3 == 0) /* some are skipped */
			while (records_get(&r, part, sizeof(part), &got, NULL) == 0 && got > 0)
				;
	}
}

static int see(void *arg, const struct erasure *e, struct diag *reterr)
{
	(void)reterr;
	if (strlen(e->kind) > ERASURE_KIND_MAX)
		abort();
	++*(size_t *)arg;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint8_t key[32] = { 1 };
	size_t seen = 0, lines;
	if (keys_start() < 0 || n == 0)
		return 0;
	if (data[0] % 2 == 0)
		archive(data + 1, n - 1);
	else
		(void)erasures_walk(data + 1, n - 1, key, see, &seen, &lines, NULL);
	return 0;
}
