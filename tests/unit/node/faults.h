/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Faults for the tests of node/: the n-th allocation of any kind, the n-th
 * operation on a file, and a search of this process's own memory for a secret
 * that should be gone.
 */
#ifndef FW_TESTS_NODE_FAULTS_H
#define FW_TESTS_NODE_FAULTS_H

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"

/* ---- sodium_malloc (linked with --wrap) ---- */

void *__real_sodium_malloc(size_t n);
void *__wrap_sodium_malloc(size_t n);
static unsigned sodium_calls, sodium_fail_at;

void *__wrap_sodium_malloc(size_t n)
{
	if (++sodium_calls == sodium_fail_at)
		return NULL;
	return __real_sodium_malloc(n);
}

static inline void sodium_fault_at(unsigned n)
{
	sodium_calls = 0;
	sodium_fail_at = n;
}

static inline bool sodium_fault_hit(void)
{
	return sodium_fail_at != 0 && sodium_calls >= sodium_fail_at;
}

/* ---- files ---- */

static unsigned io_calls, io_fail_at;

static bool io_falls(void) { return ++io_calls == io_fail_at; }
static int fault_open(const char *p, int f, mode_t m) { return io_falls() ? -ENOSPC : io_real.open(p, f, m); }
static ssize_t fault_write(int fd, const void *p, size_t n)
{
	if (!io_falls())
		return io_real.write(fd, p, n);
	/* A full disk takes a part of it first. */
	if (n > 1)
		(void)io_real.write(fd, p, n / 2);
	return -ENOSPC;
}
static int fault_sync(int fd) { return io_falls() ? -EIO : io_real.sync(fd); }
static int fault_close(int fd)
{
	int err = io_real.close(fd);
	return io_falls() ? -EIO : err;
}
static int fault_rename(const char *a, const char *b) { return io_falls() ? -ENOSPC : io_real.rename(a, b); }
static int fault_unlink(const char *p) { return io_real.unlink(p); }
static int fault_mkdir(const char *p, mode_t m) { return io_falls() ? -ENOSPC : io_real.mkdir(p, m); }
static int fault_truncate(int fd, uint64_t n) { return io_falls() ? -EIO : io_real.truncate(fd, n); }
static const struct io_ops fault_ops = { fault_open,   fault_write,  fault_sync,  fault_close,
					 fault_rename, fault_unlink, fault_mkdir, fault_truncate };

/* The n-th operation on a file from now on fails; 0 for none. */
static inline void io_fault_at(unsigned n)
{
	io_calls = 0;
	io_fail_at = n;
	io_set(n == 0 ? NULL : &fault_ops);
}

static inline bool io_fault_hit(void)
{
	return io_fail_at != 0 && io_calls >= io_fail_at;
}

/* ---- memory ---- */

enum { MASK = 0xa5 };

static inline void mask_secret(const uint8_t *secret, size_t n, uint8_t *masked)
{
	for (size_t i = 0; i < n; i++)
		masked[i] = secret[i] ^ MASK;
}

static inline bool masked_at(const uint8_t *p, const uint8_t *masked, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((p[i] ^ MASK) != masked[i])
			return false;
	return true;
}

/*
 * How often the secret, given masked so that the search does not find itself,
 * stands in the memory of this process: heap, stack, everything that can be
 * read.  Not under AddressSanitizer, whose own maps are too large: -1.
 */
static inline int memory_holds(const uint8_t *masked, size_t n)
{
#if defined(__SANITIZE_ADDRESS__)
	(void)masked;
	(void)n;
	return -1;
#else
	FILE *maps = fopen("/proc/self/maps", "r");
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC), found = 0;
	char line[400], mode[8];
	unsigned long from, to;
	uint8_t *page = malloc(4096 + 128);
	assert_non_null(maps);
	assert_true(mem >= 0 && n <= 128);
	assert_non_null(page);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || mode[0] != 'r')
			continue;
		size_t kept = 0;
		for (unsigned long at = from; at < to; at += 4096) {
			if ((unsigned long)page >= at && (unsigned long)page < at + 4096)
				at += 8192; /* do not read the window through itself */
			if (at >= to || pread(mem, page + kept, 4096, (off_t)at) != 4096)
				break;
			size_t have = kept + 4096;
			for (size_t i = 0; i + n <= have; i++)
				found += masked_at(page + i, masked, n);
			memmove(page, page + have - (n - 1), n - 1);
			kept = n - 1;
		}
	}
	memset(page, 0, 4096 + 128);
	free(page);
	(void)fclose(maps);
	(void)close(mem);
	return found;
#endif
}

#endif
