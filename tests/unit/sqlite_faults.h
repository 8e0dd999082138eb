/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Faults under SQLite: its memory comes from mem_alloc, so that mem_fault_at()
 * reaches it, and a VFS "faults" whose n-th changing operation fails.
 *
 *	sqlite_faults_install(true);      before anything else uses SQLite
 *	calls = 0, fail_with = SQLITE_FULL, fail_at = n;
 *	...
 *	fell = calls >= n, fail_at = 0;
 */
#ifndef FW_TESTS_SQLITE_FAULTS_H
#define FW_TESTS_SQLITE_FAULTS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

/* ---- SQLite's memory through mem_alloc, so that mem_fault_at() reaches it. The size stands before the block. ---- */

static void *m_malloc(int n)
{
	int64_t *p = mem_alloc((size_t)n + 16);
	if (p != NULL)
		p[0] = n;
	return p != NULL ? p + 2 : NULL;
}

static void m_free(void *b)
{
	mem_free(b != NULL ? (int64_t *)b - 2 : NULL);
}

static void *m_realloc(void *b, int n)
{
	int64_t *p = mem_realloc((int64_t *)b - 2, (size_t)n + 16);
	if (p != NULL)
		p[0] = n;
	return p != NULL ? p + 2 : NULL;
}

static int m_size(void *b)
{
	return b != NULL ? (int)((int64_t *)b)[-2] : 0;
}

static int m_round(int n)
{
	return (n + 7) & ~7;
}

static int m_init(void *arg)
{
	(void)arg;
	return SQLITE_OK;
}

static void m_shutdown(void *arg)
{
	(void)arg;
}

/* ---- A VFS whose n-th changing operation fails, and all after it while `stuck`. ---- */

static sqlite3_vfs *real_vfs;
static int calls, fail_at, fail_with;
static bool stuck;

struct shim {
	sqlite3_file base, real;
};
#define REAL(f) (&((struct shim *)(f))->real)

static bool fails(void)
{
	calls++;
	return fail_at > 0 && (calls == fail_at || (stuck && calls > fail_at));
}

static int f_close(sqlite3_file *f) { return REAL(f)->pMethods->xClose(REAL(f)); }
static int f_read(sqlite3_file *f, void *b, int n, sqlite3_int64 at) { return REAL(f)->pMethods->xRead(REAL(f), b, n, at); }
static int f_write(sqlite3_file *f, const void *b, int n, sqlite3_int64 at)
{
	return fails() ? fail_with : REAL(f)->pMethods->xWrite(REAL(f), b, n, at);
}
static int f_truncate(sqlite3_file *f, sqlite3_int64 n) { return fails() ? fail_with : REAL(f)->pMethods->xTruncate(REAL(f), n); }
static int f_sync(sqlite3_file *f, int flags)
{
	(void)f;
	(void)flags; /* what is tested is the error, not the disk */
	return fails() ? (fail_with == SQLITE_IOERR_WRITE ? SQLITE_IOERR_FSYNC : fail_with) : SQLITE_OK;
}
static int f_size(sqlite3_file *f, sqlite3_int64 *n) { return REAL(f)->pMethods->xFileSize(REAL(f), n); }
static int f_lock(sqlite3_file *f, int l) { return REAL(f)->pMethods->xLock(REAL(f), l); }
static int f_unlock(sqlite3_file *f, int l) { return REAL(f)->pMethods->xUnlock(REAL(f), l); }
static int f_reserved(sqlite3_file *f, int *r) { return REAL(f)->pMethods->xCheckReservedLock(REAL(f), r); }
static int f_control(sqlite3_file *f, int op, void *a) { return REAL(f)->pMethods->xFileControl(REAL(f), op, a); }
static int f_sector(sqlite3_file *f) { return REAL(f)->pMethods->xSectorSize(REAL(f)); }
static int f_device(sqlite3_file *f) { return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f)); }
static int f_map(sqlite3_file *f, int p, int n, int x, void volatile **r) { return REAL(f)->pMethods->xShmMap(REAL(f), p, n, x, r); }
static int f_shm_lock(sqlite3_file *f, int a, int n, int l) { return REAL(f)->pMethods->xShmLock(REAL(f), a, n, l); }
static void f_barrier(sqlite3_file *f) { REAL(f)->pMethods->xShmBarrier(REAL(f)); }
static int f_unmap(sqlite3_file *f, int d) { return REAL(f)->pMethods->xShmUnmap(REAL(f), d); }
static const sqlite3_io_methods methods = { 2, f_close, f_read, f_write, f_truncate, f_sync, f_size, f_lock, f_unlock,
					    f_reserved, f_control, f_sector, f_device, f_map, f_shm_lock, f_barrier,
					    f_unmap, NULL, NULL };

static int v_open(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags, int *ret)
{
	(void)v;
	f->pMethods = NULL;
	int rc = real_vfs->xOpen(real_vfs, path, REAL(f), flags, ret);
	if (rc == SQLITE_OK)
		f->pMethods = &methods;
	return rc;
}

/* One fault of a test's loop: the n-th changing operation on a file (and all behind it, where the disk is full or all die), or the n-th allocation. */
enum kind { FILE_ERROR, FILE_FULL, DEATH, MEMORY };

static inline void begin_fault(enum kind k, int n)
{
	calls = 0;
	fail_with = k == FILE_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	stuck = k == FILE_FULL || k == DEATH;
	if (k == MEMORY)
		mem_fault_at((uint64_t)n);
	else
		fail_at = n;
}

/* Whether it fell. */
static inline bool end_fault(enum kind k, int n)
{
	bool fell = k == MEMORY ? mem_fault_hit() : calls >= n;
	mem_fault_at(0);
	fail_at = 0;
	return fell;
}

/* ${everywhere}: the VFS is the one that is used when none is named. 0 or an error of SQLite. */
static inline int sqlite_faults_install(bool everywhere)
{
	static sqlite3_vfs vfs;
	const sqlite3_mem_methods mem = { m_malloc, m_free, m_realloc, m_size, m_round, m_init, m_shutdown, NULL };
	int rc = sqlite3_config(SQLITE_CONFIG_MALLOC, &mem);
	if (rc != SQLITE_OK)
		return rc;
	real_vfs = sqlite3_vfs_find(NULL);
	vfs = *real_vfs;
	vfs.zName = "faults";
	vfs.pNext = NULL;
	vfs.szOsFile = (int)sizeof(struct shim) + real_vfs->szOsFile;
	vfs.xOpen = v_open;
	return sqlite3_vfs_register(&vfs, everywhere);
}

#endif
