/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Memory of one lifetime.
 *
 * An arena hands out memory by moving a pointer and gives all of it back at
 * once.  It has a hard cap given at creation.  When the cap (or the machine)
 * is exhausted the call returns NULL *and* the arena remembers it, so that a
 * caller may allocate many times and check arena_failed() once: later calls
 * keep returning NULL until arena_reset().
 *
 * There are three lifetimes in the program (docs/architecture.md): process,
 * generation, request.  Anything else names its owner.
 */
#ifndef FW_BASE_ARENA_H
#define FW_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* A point to return to: everything allocated after it is given back. */
struct arena_mark {
	void *block;
	size_t used;
	size_t total;
};

/* A new arena that will never hold more than ${cap} bytes; NULL if out of memory. */
struct arena *arena_new(size_t cap);

/* Give everything back. NULL is allowed. */
void arena_free(struct arena *a);

/* Forget the contents and the failure; keeps the first block for reuse. */
void arena_reset(struct arena *a);

/* The same, but overwrites what was handed out first: for secrets and personal data. */
void arena_wipe(struct arena *a);

/* ${n} bytes, zeroed, aligned for any type. NULL on failure, which sticks. n == 0 gives a valid pointer. */
__attribute__((malloc, alloc_size(2))) void *arena_alloc(struct arena *a, size_t n);

/* ${n} elements of ${size}; the product is checked. */
__attribute__((malloc, alloc_size(2, 3))) void *arena_array(struct arena *a, size_t n, size_t size);

/* A copy of ${n} bytes with a NUL after them. */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_strdup(struct arena *a, const char *s);
__attribute__((format(printf, 2, 3))) char *arena_printf(struct arena *a, const char *fmt, ...);

/* Whether any call since the last reset failed. */
bool arena_failed(const struct arena *a);

/* Bytes handed out, and the cap. */
size_t arena_used(const struct arena *a);
size_t arena_cap(const struct arena *a);

struct arena_mark arena_mark(struct arena *a);
void arena_release(struct arena *a, struct arena_mark m);

/*
 * Fault injection for tests: the ${n}-th allocation from the system (malloc
 * inside base/, counted from now, over all arenas and buffers) fails; 0 turns
 * it off.  mem_fault_hit() says whether it fell.  In release builds too: it
 * costs one branch, and what is tested is what is shipped.
 */
void mem_fault_at(uint64_t n);
bool mem_fault_hit(void);

/* malloc, realloc, free that obey mem_fault_at. All of the house allocates through these or an arena. */
__attribute__((malloc, alloc_size(1))) void *mem_alloc(size_t n);
__attribute__((alloc_size(2))) void *mem_realloc(void *p, size_t n);
void mem_free(void *p);

#endif
