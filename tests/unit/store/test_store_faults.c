/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The n-th allocation and the n-th operation on a file fail, for every n:
 * what was acknowledged stays, what was not is whole or absent, the words say what to do,
 * and once the cause is gone the same program goes on.
 */
#include "test.h"

#include <errno.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "gen/sql.h"
#include "store/store.h"

static char folder[] = "/tmp/fairway-faults-XXXXXX";
static char url[100];

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

/* ---- the script ---- */

static int open_it(const char *vfs, struct store **ret, struct diag *d)
{
	const struct store_options opt = { .url = url, .role = STORE_ROLE_TEST, .vault = "test", .create = true,
					   .migrate = true, .vfs = vfs };
	return store_open(&opt, ret, d);
}

static void remove_files(void)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	for (size_t i = 0; i < 4; i++) {
		char path[120];
		(void)snprintf(path, sizeof(path), "%s/test.db%s", folder, ends[i]);
		(void)unlink(path);
	}
}

static int write_pair(struct store *s, void *arg, struct diag *d)
{
	const int64_t *i = arg;
	int err = 0;
	for (int k = 0; err == 0 && k < 2; k++) {
		struct uuid id = uuid_new();
		const struct store_value args[] = { sv_uuid(&id), sv_int(*i), sv_null(), sv_text("x"), sv_null(), sv_null() };
		err = store_exec(s, SQL_TEST_ITEM_ADD, args, 6, NULL, d);
	}
	return err;
}

/* Transactions first..first+n-1; *kept is the last acknowledged. */
static int write_some(struct store *s, int64_t first, int n, int64_t *kept, struct diag *d)
{
	int err = 0;
	for (int64_t i = first; err == 0 && i < first + n; i++) {
		err = store_tx(s, STORE_WRITE, write_pair, &i, d);
		if (err == 0)
			*kept = i;
	}
	return err;
}

/* Rows are pairs 1..kept, perhaps kept+1, and sound. Returns the last pair there is. */
static int64_t expect_pairs(struct store *s, int64_t kept)
{
	struct store_rows *r = NULL;
	int64_t n = 0, last = 0;
	assert_int_equal(store_query(s, SQL_TEST_ITEM_ALL, NULL, 0, &r, NULL), 0);
	while (store_next(r, NULL) == 1) {
		n++;
		last = store_int(r, 1);
		assert_int_equal(last, (n + 1) / 2);
	}
	store_rows_close(r);
	assert_int_equal(n, 2 * last);
	assert_true(last == kept || last == kept + 1);
	assert_int_equal(store_check(s, NULL), 0);
	return last;
}

static void every_operation_fails(int code, bool stays, const char *words)
{
	fail_with = code;
	stuck = stays;
	int n = 0;
	for (bool fell = true; fell;) {
		struct store *s = NULL;
		struct diag d = DIAG_INIT;
		int64_t kept = 0;
		n++;
		remove_files();
		calls = 0;
		fail_at = n;
		int err = open_it("faults", &s, &d);
		if (err == 0)
			err = write_some(s, 1, 4, &kept, &d);
		fell = calls >= n;
		if (err != 0) {
			assert_int_equal(err, FW_ESTORE);
			if (strstr(d.text, words) == NULL)
				fail_msg("operation %d: \"%s\" does not say \"%s\"", n, d.text, words);
		}
		fail_at = 0; /* the disk has room again; the same connection goes on if it was open */
		if (s != NULL) {
			int64_t there = expect_pairs(s, kept);
			assert_int_equal(write_some(s, there + 1, 1, &kept, NULL), 0);
		}
		store_close(s);
		assert_int_equal(open_it(NULL, &s, NULL), 0);
		(void)expect_pairs(s, kept);
		store_close(s);
	}
	assert_true(n > 20);
}

static void test_a_write_fails(void **state)
{
	(void)state;
	every_operation_fails(SQLITE_IOERR_WRITE, false, "look at the disk");
}

static void test_the_disk_is_full(void **state)
{
	(void)state;
	every_operation_fails(SQLITE_FULL, true, "make room");
}

static void test_the_disk_is_read_only(void **state)
{
	(void)state;
	every_operation_fails(SQLITE_READONLY, true, "read-only");
}

static void test_no_memory(void **state)
{
	(void)state;
	uint64_t n = 0;
	for (bool fell = true; fell;) {
		struct store *s = NULL;
		int64_t kept = 0;
		remove_files();
		mem_fault_at(++n);
		int err = open_it(NULL, &s, NULL);
		if (err == 0)
			err = write_some(s, 1, 2, &kept, NULL);
		fell = mem_fault_hit();
		mem_fault_at(0);
		/* SQLite does without some memory; what it says must be true either way. */
		assert_true(err == 0 || fell);
		if (s != NULL)
			(void)expect_pairs(s, kept);
		store_close(s);
		if (n > 3000)
			n += 40; /* the long tail is alike */
	}
	assert_true(n > 100);
}

static int set_up(void **state)
{
	static sqlite3_vfs vfs;
	const sqlite3_mem_methods mem = { m_malloc, m_free, m_realloc, m_size, m_round, m_init, m_shutdown, NULL };
	(void)state;
	if (mkdtemp(folder) == NULL || sqlite3_config(SQLITE_CONFIG_MALLOC, &mem) != SQLITE_OK)
		return -1;
	(void)snprintf(url, sizeof(url), "sqlite:%s/test.db", folder);
	real_vfs = sqlite3_vfs_find(NULL);
	vfs = *real_vfs;
	vfs.zName = "faults";
	vfs.pNext = NULL;
	vfs.szOsFile = (int)sizeof(struct shim) + real_vfs->szOsFile;
	vfs.xOpen = v_open;
	return sqlite3_vfs_register(&vfs, 0);
}

static int tear_down(void **state)
{
	(void)state;
	remove_files();
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_write_fails),
		cmocka_unit_test(test_the_disk_is_full),
		cmocka_unit_test(test_the_disk_is_read_only),
		cmocka_unit_test(test_no_memory),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
