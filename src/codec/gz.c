/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "codec/gz.h"

#include <errno.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/err.h"

enum { RATIO_FROM = 1 << 20 };

struct gz {
	z_stream z;
	uint64_t max, in, out;
	bool inside; /* a member is begun and not ended */
	bool any;    /* one member at least is whole */
};

static voidpf take(voidpf unused, uInt items, uInt size)
{
	(void)unused;
	size_t n;
	return __builtin_mul_overflow((size_t)items, (size_t)size, &n) ? Z_NULL : mem_alloc(n);
}

static void give_back(voidpf unused, voidpf p)
{
	(void)unused;
	mem_free(p);
}

bool gz_recognised(const uint8_t *p, size_t n)
{
	return n >= 3 && p[0] == 0x1f && p[1] == 0x8b && p[2] == 8;
}

int gz_new(uint64_t max, struct gz **ret)
{
	struct gz *g = mem_alloc(sizeof(*g));
	if (g == NULL)
		return -ENOMEM;
	*g = (struct gz){ .max = max, .z = { .zalloc = take, .zfree = give_back } };
	if (inflateInit2(&g->z, 16 + MAX_WBITS) != Z_OK) {
		mem_free(g);
		return -ENOMEM;
	}
	*ret = g;
	return 0;
}

void gz_free(struct gz *g)
{
	if (g == NULL)
		return;
	(void)inflateEnd(&g->z);
	mem_free(g);
}

static int check_limits(const struct gz *g, struct diag *reterr)
{
	if (g->out > g->max)
		return diag_set(reterr, FW_ELIMIT, "The file unpacks to more than %llu bytes.",
				(unsigned long long)g->max);
	if (g->out > RATIO_FROM && g->out / GZ_RATIO_MAX > g->in)
		return diag_set(reterr, FW_ELIMIT, "The file unpacks to more than %d times its size.", GZ_RATIO_MAX);
	return 0;
}

int gz_next(struct gz *g, const uint8_t **p, size_t *n, uint8_t *out, size_t cap, size_t *ret_n,
	    struct diag *reterr)
{
	size_t take_in = *n > 1 << 30 ? 1 << 30 : *n, room = cap > 1 << 30 ? 1 << 30 : cap;
	g->z.next_in = (Bytef *)(uintptr_t)*p;
	g->z.avail_in = (uInt)take_in;
	g->z.next_out = out;
	g->z.avail_out = (uInt)room;
	while (g->z.avail_out > 0 && (g->z.avail_in > 0 || g->inside)) {
		uInt before_in = g->z.avail_in, before_out = g->z.avail_out;
		g->inside = true;
		int r = inflate(&g->z, Z_NO_FLUSH);
		g->in += before_in - g->z.avail_in;
		g->out += before_out - g->z.avail_out;
		if (r == Z_STREAM_END) {
			g->inside = false;
			g->any = true;
			(void)inflateReset(&g->z);
		} else if (r == Z_MEM_ERROR) {
			return -ENOMEM;
		} else if (r == Z_BUF_ERROR) {
			break;
		} else if (r != Z_OK) {
			return diag_set(reterr, FW_EFORMAT, "The packed file is damaged near byte %llu.",
					(unsigned long long)g->in);
		}
		r = check_limits(g, reterr);
		if (r < 0)
			return r;
	}
	*p += take_in - g->z.avail_in;
	*n -= take_in - g->z.avail_in;
	*ret_n = room - g->z.avail_out;
	return 0;
}

int gz_end(const struct gz *g, struct diag *reterr)
{
	if (g->inside || !g->any)
		return diag_set(reterr, FW_ETRUNC, "The packed file ends too early, after %llu bytes.",
				(unsigned long long)g->in);
	return 0;
}
