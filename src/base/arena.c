/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Blocks are chained, newest first.  A request that does not fit into the
 * present block gets a new one of at least BLOCK_MIN bytes, twice the last
 * one's size while that stays below BLOCK_MAX, so that the number of calls to
 * the system grows with the logarithm of what is asked.
 */
#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { BLOCK_MIN = 4096, BLOCK_MAX = 1 << 20, ALIGN = 16 };

struct block {
	struct block *older;
	size_t size; /* bytes of data */
	size_t used;
	size_t pad; /* keeps data aligned to ALIGN */
	uint8_t data[];
};

struct arena {
	struct block *top;
	size_t cap;
	size_t held; /* bytes of data in all blocks */
	size_t used; /* bytes handed out, padding included */
	bool failed;
};

static uint64_t fault_countdown;
static bool fault_fell;

void mem_fault_at(uint64_t n)
{
	fault_countdown = n;
	fault_fell = false;
}

bool mem_fault_hit(void)
{
	return fault_fell;
}

static bool fault_now(void)
{
	if (__builtin_expect(fault_countdown == 0, 1) || --fault_countdown != 0)
		return false;
	fault_fell = true;
	return true;
}

void *mem_alloc(size_t n)
{
	return fault_now() ? NULL : malloc(n ? n : 1);
}

void *mem_realloc(void *p, size_t n)
{
	return fault_now() ? NULL : realloc(p, n ? n : 1);
}

void mem_free(void *p)
{
	free(p);
}

struct arena *arena_new(size_t cap)
{
	struct arena *a = mem_alloc(sizeof(*a));
	if (a != NULL)
		*a = (struct arena){ .cap = cap };
	return a;
}

static void drop_blocks_above(struct arena *a, struct block *keep, bool wipe)
{
	while (a->top != keep) {
		struct block *b = a->top;
		a->top = b->older;
		a->held -= b->size;
		if (wipe)
			sodium_memzero(b->data, b->used);
		mem_free(b);
	}
}

void arena_free(struct arena *a)
{
	if (a == NULL) /* Behave consistently with free(NULL). */
		return;
	drop_blocks_above(a, NULL, false);
	mem_free(a);
}

static void reset(struct arena *a, bool wipe)
{
	struct block *first = a->top;
	while (first != NULL && first->older != NULL)
		first = first->older;
	drop_blocks_above(a, first, wipe);
	if (first != NULL) {
		if (wipe)
			sodium_memzero(first->data, first->used);
		first->used = 0;
	}
	a->used = 0;
	a->failed = false;
}

void arena_reset(struct arena *a)
{
	reset(a, false);
}

void arena_wipe(struct arena *a)
{
	reset(a, true);
}

/* A block with room for ${n} bytes on top, or false. */
static bool grow(struct arena *a, size_t n)
{
	size_t size = a->top == NULL ? BLOCK_MIN : a->top->size * 2;
	if (size > BLOCK_MAX)
		size = BLOCK_MAX;
	if (size > a->cap - a->used)
		size = a->cap - a->used; /* the last block is no larger than what may still be used */
	if (size < n)
		size = n;
	struct block *b = mem_alloc(sizeof(*b) + size);
	if (b == NULL)
		return false;
	*b = (struct block){ .older = a->top, .size = size };
	a->top = b;
	a->held += size;
	return true;
}

void *arena_alloc(struct arena *a, size_t n)
{
	if (a->failed)
		return NULL;
	size_t want = n == 0 ? ALIGN : n;
	if (want > a->cap || a->cap - want < ALIGN)
		goto fail;
	want = (want + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (want > a->cap - a->used)
		goto fail;
	if ((a->top == NULL || a->top->size - a->top->used < want) && !grow(a, want))
		goto fail;
	void *p = a->top->data + a->top->used;
	a->top->used += want;
	a->used += want;
	return memset(p, 0, want);
fail:
	a->failed = true;
	return NULL;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(n, size, &total)) {
		a->failed = true;
		return NULL;
	}
	return arena_alloc(a, total);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = n < SIZE_MAX ? arena_alloc(a, n + 1) : NULL;
	if (p != NULL && n > 0)
		memcpy(p, s, n);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *p = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
	if (p != NULL)
		(void)vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

bool arena_failed(const struct arena *a)
{
	return a->failed;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

size_t arena_cap(const struct arena *a)
{
	return a->cap;
}

struct arena_mark arena_mark(struct arena *a)
{
	return (struct arena_mark){ .block = a->top,
				    .used = a->top == NULL ? 0 : a->top->used,
				    .total = a->used };
}

void arena_release(struct arena *a, struct arena_mark m)
{
	assert(m.total <= a->used);
	drop_blocks_above(a, m.block, false);
	if (a->top != NULL)
		a->top->used = m.used;
	a->used = m.total;
}
