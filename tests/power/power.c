/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The model of the disk.  A file is an array of bytes `synced` (what surely is
 * on the disk) and a list of operations since.  Names are a map from path to
 * file as it surely is (`durable`), and a list of name operations since.
 * The live files are real ones, so the program reads what it wrote.
 */
#include "power.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

enum { SECTOR = 512, FILES = 256, NAMES = 512, FDS = 1024 };

struct op {
	bool truncate;
	uint64_t at; /* offset, or the new length */
	size_t n;
	uint8_t *bytes;
};

struct file {
	uint8_t *synced;
	size_t synced_len;
	struct op *ops;
	size_t nops, cap;
};

struct name {
	char path[PATH_MAX];
	struct file *file;
};

enum name_kind { NAME_SET, NAME_GONE };
struct name_op {
	enum name_kind kind;
	char path[PATH_MAX];
	char from[PATH_MAX]; /* of a rename: the name that goes in the same step; "" else */
	struct file *file;
};

static struct {
	struct power_plan plan;
	bool on, looking;
	uint64_t random;
	struct file file[FILES];
	size_t nfiles;
	struct name live[NAMES], durable[NAMES];
	size_t nlive, ndurable;
	struct name_op pending[NAMES];
	size_t npending;
	struct file *of_fd[FDS];
	char dir_of_fd[FDS][256]; /* a folder opened to be synced */
	struct power_result result;
} p;

static uint64_t luck(uint64_t n)
{
	uint64_t z = (p.random += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % n;
}

static bool watched(const char *path)
{
	size_t n = strlen(p.plan.folder);
	const char *dash = strrchr(path, '-');
	return p.on && strncmp(path, p.plan.folder, n) == 0 && (path[n] == '/' || path[n] == '\0') &&
	       (dash == NULL || strcmp(dash, "-shm") != 0);
}

/* ---- files ---- */

static struct name *find(struct name *map, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (map[i].file != NULL && strcmp(map[i].path, path) == 0)
			return &map[i];
	return NULL;
}

static void set_name(struct name *map, size_t *n, const char *path, struct file *f)
{
	struct name *e = find(map, *n, path);
	for (size_t i = 0; e == NULL && i < *n; i++)
		if (map[i].file == NULL)
			e = &map[i];
	if (e == NULL) {
		assert(*n < NAMES);
		e = &map[(*n)++];
	}
	(void)snprintf(e->path, sizeof(e->path), "%s", path);
	e->file = f;
}

static void name_step(enum name_kind kind, const char *path, const char *from, struct file *f)
{
	assert(p.npending < NAMES);
	struct name_op *o = &p.pending[p.npending++];
	o->kind = kind;
	o->file = f;
	(void)snprintf(o->path, sizeof(o->path), "%s", path);
	(void)snprintf(o->from, sizeof(o->from), "%s", from);
}

/* The file of a path; a new one, with its name pending, if the path had none. */
static struct file *file_of(const char *path)
{
	struct name *e = find(p.live, p.nlive, path);
	if (e != NULL)
		return e->file;
	assert(p.nfiles < FILES);
	struct file *f = &p.file[p.nfiles++];
	*f = (struct file){ .synced = NULL };
	set_name(p.live, &p.nlive, path, f);
	name_step(NAME_SET, path, "", f);
	return f;
}

static void apply(uint8_t **bytes, size_t *len, const struct op *o)
{
	uint64_t end = o->truncate ? o->at : o->at + o->n;
	if (end > *len || o->truncate) {
		uint8_t *grown = realloc(*bytes, end > 0 ? end : 1);
		assert(grown != NULL);
		*bytes = grown;
		if (end > *len)
			memset(grown + *len, 0, end - *len);
		*len = end;
	}
	if (!o->truncate)
		memcpy(*bytes + o->at, o->bytes, o->n);
}

static void drop_ops(struct file *f)
{
	for (size_t i = 0; i < f->nops; i++)
		free(f->ops[i].bytes);
	f->nops = 0;
}

static void add_op(struct file *f, bool truncate, uint64_t at, const void *bytes, size_t n)
{
	if (f->nops == f->cap) {
		f->cap = f->cap > 0 ? f->cap * 2 : 16;
		f->ops = realloc(f->ops, f->cap * sizeof(*f->ops));
		assert(f->ops != NULL);
	}
	struct op *o = &f->ops[f->nops++];
	*o = (struct op){ .truncate = truncate, .at = at, .n = n };
	if (n > 0) {
		o->bytes = malloc(n);
		assert(o->bytes != NULL);
		memcpy(o->bytes, bytes, n);
	}
}

static void sync_file(struct file *f)
{
	for (size_t i = 0; i < f->nops; i++)
		apply(&f->synced, &f->synced_len, &f->ops[i]);
	drop_ops(f);
}

static bool in_dir(const char *path, const char *dir)
{
	size_t n = strlen(dir);
	return strncmp(path, dir, n) == 0 && path[n] == '/' && strchr(path + n + 1, '/') == NULL;
}

static void name_happens(struct name *map, size_t *n, const struct name_op *o)
{
	struct name *e;
	if (o->from[0] != '\0' && (e = find(map, *n, o->from)) != NULL)
		e->file = NULL;
	if (o->kind == NAME_SET)
		set_name(map, n, o->path, o->file);
	else if ((e = find(map, *n, o->path)) != NULL)
		e->file = NULL;
}

/* Everything that happened to names in ${dir} is on the disk. */
static void sync_names(const char *dir)
{
	size_t kept = 0;
	for (size_t i = 0; i < p.npending; i++) {
		if (in_dir(p.pending[i].path, dir))
			name_happens(p.durable, &p.ndurable, &p.pending[i]);
		else
			p.pending[kept++] = p.pending[i];
	}
	p.npending = kept;
}

/* ---- images ---- */

/* What might be left of a file: synced content, with some sectors of later writes. */
static void write_image_file(const struct file *f, const char *path)
{
	uint8_t *bytes = malloc(f->synced_len > 0 ? f->synced_len : 1);
	size_t len = f->synced_len;
	assert(bytes != NULL);
	if (len > 0)
		memcpy(bytes, f->synced, len);
	for (size_t i = 0; i < f->nops; i++) {
		const struct op *o = &f->ops[i];
		if (o->truncate) {
			if (luck(2) == 0)
				apply(&bytes, &len, o);
			continue;
		}
		uint64_t fate = luck(4); /* whole writes survive or vanish more often than sectors part */
		for (uint64_t at = o->at; fate != 0 && at < o->at + o->n;) {
			uint64_t end = (at / SECTOR + 1) * SECTOR;
			end = end < o->at + o->n ? end : o->at + o->n;
			struct op part = { .at = at, .n = end - at, .bytes = o->bytes + (at - o->at) };
			if (fate == 1 || luck(2) == 0)
				apply(&bytes, &len, &part);
			at = end;
		}
	}
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert(fd >= 0);
	for (size_t done = 0; done < len;) {
		ssize_t w = write(fd, bytes + done, len - done);
		assert(w > 0);
		done += (size_t)w;
	}
	(void)close(fd);
	free(bytes);
}

static void remove_tree(const char *path)
{
	DIR *d = opendir(path);
	char inner[PATH_MAX];
	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		(void)snprintf(inner, sizeof(inner), "%s/%.250s", path, e->d_name);
		if (unlink(inner) != 0)
			remove_tree(inner);
	}
	if (d != NULL)
		(void)closedir(d);
	(void)rmdir(path);
}

/* Folders below the image for a path that stands in one. Folders themselves are taken as durable. */
static void make_parents(char *path, size_t root)
{
	for (char *s = path + root + 1; (s = strchr(s, '/')) != NULL; s++) {
		*s = '\0';
		(void)mkdir(path, 0700);
		*s = '/';
	}
}

static void build_image(const char *image)
{
	static struct name names[NAMES];
	size_t n = p.ndurable, happened = luck(p.npending + 1);
	char path[PATH_MAX * 2];
	memcpy(names, p.durable, sizeof(names));
	for (size_t i = 0; i < happened; i++)
		name_happens(names, &n, &p.pending[i]);
	remove_tree(image);
	(void)mkdir(image, 0700);
	for (size_t i = 0; i < n; i++) {
		if (names[i].file == NULL)
			continue;
		(void)snprintf(path, sizeof(path), "%s%s", image, names[i].path + strlen(p.plan.folder));
		make_parents(path, strlen(image));
		write_image_file(names[i].file, path);
	}
}

void power_look(void)
{
	if (!p.on || p.looking)
		return;
	char image[PATH_MAX];
	(void)snprintf(image, sizeof(image), "%.*s-image", PATH_MAX - 10, p.plan.folder);
	p.looking = true;
	for (unsigned i = 0; i < p.plan.images; i++) {
		uint64_t state = p.random;
		build_image(image);
		p.result.images++;
		io_set(NULL); /* the check's own files are not the program's */
		if (!p.plan.check(p.plan.arg, image) && p.result.failures++ == 0)
			(void)snprintf(p.result.first, sizeof(p.result.first), "operation %llu, sync %llu, seed %llu, luck %llx",
				       (unsigned long long)p.result.operations, (unsigned long long)p.result.syncs,
				       (unsigned long long)p.plan.seed, (unsigned long long)state);
	}
	remove_tree(image);
	p.looking = false;
	extern const struct io_ops power_io;
	io_set(&power_io);
}

static void point(bool sync)
{
	if (!p.on || p.looking)
		return;
	p.result.operations++;
	p.result.syncs += sync;
	if (luck(1000) < (sync ? p.plan.sync_chance : p.plan.write_chance))
		power_look();
}

/* ---- base/io.h ---- */

static int sh_open(const char *path, int flags, mode_t mode)
{
	int fd = io_real.open(path, flags, mode);
	if (fd < 0 || fd >= FDS || !watched(path))
		return fd;
	p.of_fd[fd] = NULL;
	p.dir_of_fd[fd][0] = '\0';
	if (flags & O_DIRECTORY) {
		(void)snprintf(p.dir_of_fd[fd], sizeof(p.dir_of_fd[fd]), "%s", path);
	} else if ((flags & O_ACCMODE) != O_RDONLY) {
		bool known = find(p.live, p.nlive, path) != NULL;
		p.of_fd[fd] = file_of(path);
		if ((flags & O_TRUNC) && known)
			add_op(p.of_fd[fd], true, 0, NULL, 0);
		point(false);
	}
	return fd;
}

static ssize_t sh_write(int fd, const void *b, size_t n)
{
	if (fd >= FDS || p.of_fd[fd] == NULL)
		return io_real.write(fd, b, n);
	bool append = (fcntl(fd, F_GETFL) & O_APPEND) != 0;
	off_t at = lseek(fd, 0, append ? SEEK_END : SEEK_CUR);
	ssize_t w = io_real.write(fd, b, n);
	if (w > 0) {
		add_op(p.of_fd[fd], false, (uint64_t)at, b, (size_t)w);
		point(false);
	}
	return w;
}

static int sh_sync(int fd)
{
	if (fd >= FDS || (p.of_fd[fd] == NULL && p.dir_of_fd[fd][0] == '\0'))
		return 0;
	point(true); /* the worst instant is just before */
	if (p.of_fd[fd] != NULL)
		sync_file(p.of_fd[fd]);
	else
		sync_names(p.dir_of_fd[fd]);
	return 0;
}

static int sh_close(int fd)
{
	if (fd >= 0 && fd < FDS) {
		p.of_fd[fd] = NULL;
		p.dir_of_fd[fd][0] = '\0';
	}
	return io_real.close(fd);
}

static int sh_rename(const char *from, const char *to)
{
	int err = io_real.rename(from, to);
	struct name *e = err == 0 && watched(to) ? find(p.live, p.nlive, from) : NULL;
	if (e != NULL) {
		struct file *f = e->file;
		e->file = NULL;
		set_name(p.live, &p.nlive, to, f);
		name_step(NAME_SET, to, from, f);
		point(false);
	}
	return err;
}

static void gone(const char *path)
{
	struct name *e = watched(path) ? find(p.live, p.nlive, path) : NULL;
	if (e == NULL)
		return;
	e->file = NULL;
	name_step(NAME_GONE, path, "", NULL);
	point(false);
}

static int sh_unlink(const char *path)
{
	int err = io_real.unlink(path);
	if (err == 0)
		gone(path);
	return err;
}

static int sh_mkdir(const char *path, mode_t mode)
{
	return io_real.mkdir(path, mode);
}

static int sh_truncate(int fd, uint64_t size)
{
	int err = io_real.truncate(fd, size);
	if (err == 0 && fd < FDS && p.of_fd[fd] != NULL) {
		add_op(p.of_fd[fd], true, size, NULL, 0);
		point(false);
	}
	return err;
}

const struct io_ops power_io = { sh_open, sh_write, sh_sync, sh_close, sh_rename, sh_unlink, sh_mkdir, sh_truncate };

/* ---- SQLite ---- */

struct shim_file {
	sqlite3_file base;
	struct file *file; /* NULL: not watched */
	char path[PATH_MAX];
	bool new_name; /* its folder is synced with its first sync, as SQLite's unix VFS does for logs and journals */
	sqlite3_file real; /* the real file's own struct follows in place */
};

static sqlite3_vfs *real_vfs;

static struct shim_file *shim(sqlite3_file *f)
{
	return (struct shim_file *)f;
}

#define REAL(f) (&shim(f)->real)

static int f_close(sqlite3_file *f)
{
	return REAL(f)->pMethods->xClose(REAL(f));
}

static int f_read(sqlite3_file *f, void *b, int n, sqlite3_int64 at)
{
	return REAL(f)->pMethods->xRead(REAL(f), b, n, at);
}

static int f_write(sqlite3_file *f, const void *b, int n, sqlite3_int64 at)
{
	int rc = REAL(f)->pMethods->xWrite(REAL(f), b, n, at);
	if (rc == SQLITE_OK && shim(f)->file != NULL) {
		add_op(shim(f)->file, false, (uint64_t)at, b, (size_t)n);
		point(false);
	}
	return rc;
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int rc = REAL(f)->pMethods->xTruncate(REAL(f), size);
	if (rc == SQLITE_OK && shim(f)->file != NULL) {
		add_op(shim(f)->file, true, (uint64_t)size, NULL, 0);
		point(false);
	}
	return rc;
}

static int f_sync(sqlite3_file *f, int flags)
{
	struct shim_file *s = shim(f);
	(void)flags;
	if (s->file == NULL)
		return SQLITE_OK;
	point(true);
	sync_file(s->file);
	if (s->new_name) {
		char dir[PATH_MAX];
		(void)snprintf(dir, sizeof(dir), "%s", s->path);
		*strrchr(dir, '/') = '\0';
		sync_names(dir);
		s->new_name = false;
	}
	return SQLITE_OK;
}

static int f_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	return REAL(f)->pMethods->xFileSize(REAL(f), ret);
}

static int f_lock(sqlite3_file *f, int l)
{
	return REAL(f)->pMethods->xLock(REAL(f), l);
}

static int f_unlock(sqlite3_file *f, int l)
{
	return REAL(f)->pMethods->xUnlock(REAL(f), l);
}

static int f_reserved(sqlite3_file *f, int *ret)
{
	return REAL(f)->pMethods->xCheckReservedLock(REAL(f), ret);
}

static int f_control(sqlite3_file *f, int op, void *arg)
{
	return REAL(f)->pMethods->xFileControl(REAL(f), op, arg);
}

static int f_sector(sqlite3_file *f)
{
	(void)f;
	return SECTOR;
}

static int f_device(sqlite3_file *f)
{
	(void)f;
	return 0; /* no promises: neither atomic writes, nor safe append, nor power-safe overwrite */
}

static int f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
	return REAL(f)->pMethods->xShmMap(REAL(f), page, size, extend, ret);
}

static int f_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return REAL(f)->pMethods->xShmLock(REAL(f), at, n, flags);
}

static void f_shm_barrier(sqlite3_file *f)
{
	REAL(f)->pMethods->xShmBarrier(REAL(f));
}

static int f_shm_unmap(sqlite3_file *f, int remove)
{
	return REAL(f)->pMethods->xShmUnmap(REAL(f), remove);
}

static const sqlite3_io_methods methods = { 2,	       f_close,	  f_read,     f_write,	 f_truncate, f_sync,
					    f_size,    f_lock,	  f_unlock,   f_reserved, f_control, f_sector,
					    f_device,  f_shm_map, f_shm_lock, f_shm_barrier, f_shm_unmap, NULL, NULL };

static int v_open(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags, int *ret_flags)
{
	struct shim_file *s = shim(f);
	(void)v;
	memset(s, 0, offsetof(struct shim_file, real));
	bool is_new = path != NULL && access(path, F_OK) != 0;
	int rc = real_vfs->xOpen(real_vfs, path, REAL(f), flags, ret_flags);
	if (rc != SQLITE_OK)
		return rc;
	f->pMethods = &methods;
	if (path == NULL || !watched(path))
		return rc;
	(void)snprintf(s->path, sizeof(s->path), "%s", path);
	s->file = file_of(path);
	s->new_name = is_new && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL)) != 0;
	point(false);
	return rc;
}

static int v_delete(sqlite3_vfs *v, const char *path, int sync_dir)
{
	(void)v;
	int rc = real_vfs->xDelete(real_vfs, path, 0);
	if (rc == SQLITE_OK && watched(path)) {
		gone(path);
		if (sync_dir) {
			char dir[PATH_MAX];
			(void)snprintf(dir, sizeof(dir), "%s", path);
			*strrchr(dir, '/') = '\0';
			point(true);
			sync_names(dir);
		}
	}
	return rc;
}

void power_begin(const struct power_plan *plan)
{
	static sqlite3_vfs vfs;
	if (real_vfs == NULL) {
		real_vfs = sqlite3_vfs_find(NULL);
		vfs = *real_vfs;
		vfs.zName = "power";
		vfs.pNext = NULL;
		vfs.szOsFile = (int)sizeof(struct shim_file) + real_vfs->szOsFile;
		vfs.xOpen = v_open;
		vfs.xDelete = v_delete;
		int rc = sqlite3_vfs_register(&vfs, 0);
		assert(rc == SQLITE_OK);
	}
	for (size_t i = 0; i < p.nfiles; i++) {
		drop_ops(&p.file[i]);
		free(p.file[i].ops);
		free(p.file[i].synced);
	}
	memset(&p, 0, sizeof(p));
	p.plan = *plan;
	p.random = plan->seed;
	p.on = true;
	io_set(&power_io);
}

struct power_result power_end(void)
{
	p.on = false;
	io_set(NULL);
	for (size_t i = 0; i < p.nfiles; i++) {
		drop_ops(&p.file[i]);
		free(p.file[i].ops);
		free(p.file[i].synced);
	}
	p.nfiles = 0;
	return p.result;
}
