/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Losing power under base/io.h: a model of what a disk may hold afterwards.
 *
 * All operations go to real files, and the model notes beside them what is
 * durable.  After the cut every operation fails.  power_back() then makes the
 * folder what a disk might show: of the writes to a file since its last sync
 * each is there, torn, or not; of the changes of names since the folder's last
 * sync each is there or not.  A control run with power_honest false makes
 * every sync a lie; a test that passes even then tests nothing.
 */
#ifndef FW_TESTS_NODE_POWER_H
#define FW_TESTS_NODE_POWER_H

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"

enum { POWER_FILES = 256, POWER_NAMES = 16, POWER_OPS = 512, POWER_SIZE = 1 << 16, POWER_FDS = 256 };

struct power_write {
	size_t at, n; /* n == SIZE_MAX: cut the file to ${at} */
	uint8_t *data;
};
struct power_file {
	uint8_t *durable;
	size_t ndurable, size; /* durable bytes; present size */
	struct power_write op[POWER_OPS];
	size_t nops;
};
struct power_name {
	char path[200];
	int durable, now; /* file, -1 none */
};
struct power_change {
	int name[2], file[2]; /* one or two names at once */
	int n;
};

static struct {
	struct power_file *file[POWER_FILES];
	int nfiles;
	struct power_name name[POWER_NAMES];
	int nnames;
	struct power_change change[POWER_OPS];
	int nchanges;
	int fd_file[POWER_FDS]; /* -1 none, -2 folder */
	bool fd_append[POWER_FDS];
	unsigned ops, cut_at; /* 0: never */
	bool honest;
} power;

static bool power_off(void)
{
	return ++power.ops >= power.cut_at && power.cut_at != 0;
}

static int power_name_of(const char *path)
{
	for (int i = 0; i < power.nnames; i++)
		if (strcmp(power.name[i].path, path) == 0)
			return i;
	assert_true(power.nnames < POWER_NAMES);
	struct power_name *n = &power.name[power.nnames];
	(void)snprintf(n->path, sizeof(n->path), "%s", path);
	n->durable = n->now = -1;
	return power.nnames++;
}

static void power_rename_to(int name, int file, int other, int other_file)
{
	assert_true(power.nchanges < POWER_OPS);
	power.change[power.nchanges++] = (struct power_change){ { name, other }, { file, other_file },
								 other < 0 ? 1 : 2 };
	power.name[name].now = file;
	if (other >= 0)
		power.name[other].now = other_file;
}

static void power_note(struct power_file *f, size_t at, size_t n, const void *data)
{
	assert_true(f->nops < POWER_OPS);
	struct power_write *w = &f->op[f->nops++];
	*w = (struct power_write){ at, n, NULL };
	if (n != SIZE_MAX) {
		w->data = malloc(n + 1);
		assert_non_null(w->data);
		memcpy(w->data, data, n);
	}
}

static int power_open(const char *path, int flags, mode_t mode)
{
	if (power_off())
		return -EIO;
	int fd = io_real.open(path, flags, mode);
	if (fd < 0)
		return fd;
	assert_true(fd < POWER_FDS);
	power.fd_append[fd] = (flags & O_APPEND) != 0;
	if (flags & O_DIRECTORY) {
		power.fd_file[fd] = -2;
		return fd;
	}
	int name = power_name_of(path);
	if (power.name[name].now < 0) {
		assert_true(power.nfiles < POWER_FILES);
		power.file[power.nfiles] = calloc(1, sizeof(struct power_file));
		assert_non_null(power.file[power.nfiles]);
		power_rename_to(name, power.nfiles++, -1, 0);
	}
	struct power_file *f = power.file[power.name[name].now];
	if (flags & O_TRUNC) {
		power_note(f, 0, SIZE_MAX, NULL);
		f->size = 0;
	}
	power.fd_file[fd] = power.name[name].now;
	return fd;
}

static ssize_t power_write_op(int fd, const void *p, size_t n)
{
	struct power_file *f = power.file[power.fd_file[fd]];
	bool off = power_off();
	if (off)
		n /= 2; /* some of it was under way */
	off_t at = power.fd_append[fd] ? (off_t)f->size : lseek(fd, 0, SEEK_CUR);
	ssize_t w = io_real.write(fd, p, n);
	assert_true(w == (ssize_t)n);
	power_note(f, (size_t)at, n, p);
	if ((size_t)at + n > f->size)
		f->size = (size_t)at + n;
	return off ? -EIO : w;
}

static size_t power_apply(uint8_t *out, size_t size, const struct power_write *w, size_t n)
{
	if (w->n == SIZE_MAX)
		return w->at;
	assert_true(w->at + n <= POWER_SIZE);
	if (w->at > size)
		memset(out + size, 0, w->at - size);
	memcpy(out + w->at, w->data, n);
	return w->at + n > size ? w->at + n : size;
}

/* What the disk has of a file: everything, or with ${p} whatever chance kept. */
static void power_settle(struct power_file *f, struct prop *p)
{
	uint8_t *out = malloc(POWER_SIZE);
	size_t size = f->ndurable;
	assert_non_null(out);
	if (size > 0)
		memcpy(out, f->durable, size);
	for (size_t i = 0; i < f->nops; i++) {
		size_t n = f->op[i].n;
		uint64_t luck = p == NULL ? 0 : prop_below(p, 3);
		if (luck == 1)
			continue;
		if (luck == 2 && n != SIZE_MAX)
			n = prop_below(p, n + 1);
		size = power_apply(out, size, &f->op[i], n);
	}
	for (size_t i = 0; i < f->nops; i++)
		free(f->op[i].data);
	f->nops = 0;
	free(f->durable);
	f->durable = out;
	f->ndurable = f->size = size;
}

static int power_sync(int fd)
{
	if (power_off())
		return -EIO;
	if (!power.honest)
		return 0;
	if (power.fd_file[fd] >= 0) {
		power_settle(power.file[power.fd_file[fd]], NULL); /* the real disk is not asked: this one is the model's */
		return 0;
	}
	for (int i = 0; i < power.nchanges; i++)
		for (int k = 0; k < power.change[i].n; k++)
			power.name[power.change[i].name[k]].durable = power.change[i].file[k];
	power.nchanges = 0;
	return 0;
}

static int power_close(int fd)
{
	power.fd_file[fd] = -1;
	int err = io_real.close(fd);
	return power_off() ? -EIO : err;
}

static int power_rename(const char *from, const char *to)
{
	if (power_off())
		return -EIO;
	int err = io_real.rename(from, to);
	int a = power_name_of(from), c = power_name_of(to);
	if (err == 0)
		power_rename_to(c, power.name[a].now, a, -1);
	return err;
}

static int power_unlink(const char *path)
{
	if (power_off())
		return -EIO;
	int err = io_real.unlink(path);
	if (err == 0)
		power_rename_to(power_name_of(path), -1, -1, 0);
	return err;
}

static int power_mkdir(const char *path, mode_t mode)
{
	return power_off() ? -EIO : io_real.mkdir(path, mode);
}

static int power_truncate(int fd, uint64_t size)
{
	if (power_off())
		return -EIO;
	power_note(power.file[power.fd_file[fd]], size, SIZE_MAX, NULL);
	power.file[power.fd_file[fd]]->size = size;
	return io_real.truncate(fd, size);
}

static const struct io_ops power_ops = { power_open,   power_write_op, power_sync,  power_close,
					 power_rename, power_unlink,   power_mkdir, power_truncate };

/* From now on; what is in the folder already is not known to the model, so begin with an empty one. */
static inline void power_up(bool honest)
{
	power.honest = honest;
	power.ops = power.cut_at = 0;
	power.nnames = power.nfiles = power.nchanges = 0;
	for (int i = 0; i < POWER_FDS; i++)
		power.fd_file[i] = -1;
	io_set(&power_ops);
}

/* The ${n}-th operation from now finds the power gone. */
static inline void power_cut_at(unsigned n)
{
	power.ops = 0;
	power.cut_at = n;
}

static inline bool power_was_cut(void)
{
	return power.cut_at != 0 && power.ops >= power.cut_at;
}

/* After the cut: the folder as the disk has it, by the chance of ${p}. */
static inline void power_back(struct prop *p)
{
	for (int i = 0; i < power.nchanges; i++)
		if (prop_below(p, 2) == 0)
			for (int k = 0; k < power.change[i].n; k++)
				power.name[power.change[i].name[k]].durable = power.change[i].file[k];
	power.nchanges = 0;
	for (int i = 0; i < power.nfiles; i++)
		power_settle(power.file[i], p);
	for (int i = 0; i < power.nnames; i++)
		(void)unlink(power.name[i].path);
	for (int i = 0; i < power.nnames; i++) {
		struct power_name *n = &power.name[i];
		n->now = n->durable;
		if (n->now < 0)
			continue;
		FILE *f = fopen(n->path, "wb");
		assert_non_null(f);
		if (power.file[n->now]->ndurable > 0)
			assert_int_equal(fwrite(power.file[n->now]->durable, 1, power.file[n->now]->ndurable, f),
					 power.file[n->now]->ndurable);
		assert_int_equal(fclose(f), 0);
	}
	power.ops = power.cut_at = 0;
}

static inline void power_end(void)
{
	io_set(NULL);
	for (int i = 0; i < power.nfiles; i++) {
		for (size_t k = 0; k < power.file[i]->nops; k++)
			free(power.file[i]->op[k].data);
		free(power.file[i]->durable);
		free(power.file[i]);
	}
	for (int i = 0; i < power.nnames; i++)
		(void)unlink(power.name[i].path);
	power.nfiles = power.nnames = 0;
}

#endif
