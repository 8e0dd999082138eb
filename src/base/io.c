/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"

static int result(int r)
{
	return r < 0 ? -errno : r;
}

static int real_open(const char *path, int flags, mode_t mode)
{
	return result(open(path, flags | O_CLOEXEC, mode));
}

static ssize_t real_write(int fd, const void *p, size_t n)
{
	ssize_t w = write(fd, p, n);
	return w < 0 ? -errno : w;
}

static int real_sync(int fd)
{
	return result(fsync(fd));
}

static int real_close(int fd)
{
	return result(close(fd));
}

static int real_rename(const char *from, const char *to)
{
	return result(rename(from, to));
}

static int real_unlink(const char *path)
{
	return result(unlink(path));
}

static int real_mkdir(const char *path, mode_t mode)
{
	return result(mkdir(path, mode));
}

static int real_truncate(int fd, uint64_t size)
{
	return result(ftruncate(fd, (off_t)size));
}

const struct io_ops io_real = { real_open,   real_write, real_sync, real_close, real_rename,
				real_unlink, real_mkdir, real_truncate };
static const struct io_ops *ops = &io_real;

void io_set(const struct io_ops *o)
{
	ops = o != NULL ? o : &io_real;
}

int io_open(const char *path, int flags, mode_t mode)
{
	int fd;
	do
		fd = ops->open(path, flags, mode);
	while (fd == -EINTR);
	return fd;
}

int io_write(int fd, const void *p, size_t n)
{
	const uint8_t *b = p;
	while (n > 0) {
		ssize_t w = ops->write(fd, b, n);
		if (w == -EINTR)
			continue;
		if (w <= 0)
			return w == 0 ? -EIO : (int)w;
		b += w;
		n -= (size_t)w;
	}
	return 0;
}

int io_sync(int fd)
{
	/* Not tried again: after a failed fsync the kernel may call the pages clean (ext4), and a second one would lie. */
	return ops->sync(fd);
}

int io_close(int fd)
{
	return fd < 0 ? 0 : ops->close(fd);
}

int io_rename(const char *from, const char *to)
{
	return ops->rename(from, to);
}

int io_unlink(const char *path)
{
	return ops->unlink(path);
}

int io_mkdir(const char *path, mode_t mode)
{
	return ops->mkdir(path, mode);
}

int io_truncate(int fd, uint64_t size)
{
	return ops->truncate(fd, size);
}

void io_closep(int *fd)
{
	(void)io_close(*fd);
}

int io_sync_dir(const char *path)
{
	int fd = io_open(path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	int err = io_sync(fd);
	(void)io_close(fd);
	return err;
}

/* Write, sync and close a new file ${path}; on failure it is removed again. */
static int write_new(const char *path, int flags, const void *p, size_t n, mode_t mode)
{
	int fd = io_open(path, O_WRONLY | O_CREAT | flags, mode);
	if (fd < 0)
		return fd;
	int err = io_write(fd, p, n);
	if (err == 0)
		err = io_sync(fd);
	int closed = io_close(fd);
	err = err != 0 ? err : closed;
	if (err != 0)
		(void)io_unlink(path);
	return err;
}

/* The folder of ${path}: "." if it has none. */
static void folder_of(const char *path, char out[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
	(void)snprintf(out, PATH_MAX, "%.*s", n == 0 ? 1 : (int)n, n == 0 ? "." : path);
}

int io_write_file(const char *path, const void *p, size_t n, mode_t mode, struct diag *reterr)
{
	char temp[PATH_MAX], folder[PATH_MAX];
	int len = snprintf(temp, sizeof(temp), "%s.part", path);
	if (len < 0 || (size_t)len >= sizeof(temp))
		return diag_set(reterr, -ENAMETOOLONG, "the path is too long");
	folder_of(path, folder);
	int err = write_new(temp, O_TRUNC, p, n, mode);
	if (err == 0) {
		err = io_rename(temp, path);
		if (err != 0)
			(void)io_unlink(temp);
	}
	if (err == 0)
		err = io_sync_dir(folder);
	return err == 0 ? 0 : diag_set(reterr, err, "cannot write %s: %s", path, err_text(err));
}

int io_create_file(const char *path, const void *p, size_t n, mode_t mode, struct diag *reterr)
{
	char folder[PATH_MAX];
	folder_of(path, folder);
	int err = write_new(path, O_EXCL, p, n, mode);
	if (err == -EEXIST)
		return diag_set(reterr, FW_EEXISTS, "%s is there already", path);
	if (err == 0)
		err = io_sync_dir(folder);
	return err == 0 ? 0 : diag_set(reterr, err, "cannot write %s: %s", path, err_text(err));
}

int io_read_file(const char *path, struct buf *out, struct diag *reterr)
{
	int fd = io_open(path, O_RDONLY, 0);
	if (fd < 0)
		return diag_set(reterr, fd, "cannot open %s: %s", path, err_text(fd));
	int err = 0;
	for (;;) {
		uint8_t piece[16384];
		ssize_t n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = -errno;
		if (n <= 0)
			break;
		buf_put(out, piece, (size_t)n);
		if (buf_failed(out)) {
			err = out->error;
			break;
		}
	}
	(void)io_close(fd);
	return err == 0 ? 0 : diag_set(reterr, err, "cannot read %s: %s", path, err_text(err));
}
