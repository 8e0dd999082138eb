/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Files that the node writes itself (keys, heads, spooled uploads, sealed
 * backups, the auditor's file): one thin layer, so that tests can make the
 * n-th operation fail and can lose power at any point.  SQLite has its own
 * files and its own shim.
 *
 * A file counts as written only after io_sync(), a name only after
 * io_sync_dir() of its folder: io_write_file() does all of it in the right
 * order (temporary name, sync, rename, sync of the folder).
 */
#ifndef FW_BASE_IO_H
#define FW_BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct diag;

/* The operations; tests put their own here (io_set). All return 0 or more, or a negated errno. */
struct io_ops {
	int (*open)(const char *path, int flags, mode_t mode); /* O_CLOEXEC is added */
	ssize_t (*write)(int fd, const void *p, size_t n);
	int (*sync)(int fd);
	int (*close)(int fd);
	int (*rename)(const char *from, const char *to);
	int (*unlink)(const char *path);
	int (*mkdir)(const char *path, mode_t mode);
	int (*truncate)(int fd, uint64_t size);
};
extern const struct io_ops io_real;
/* Process-wide, for tests; NULL restores io_real. */
void io_set(const struct io_ops *ops);

int io_open(const char *path, int flags, mode_t mode);
int io_write(int fd, const void *p, size_t n); /* all of it or an error; retries EINTR and short writes */
int io_sync(int fd);
int io_close(int fd); /* negative fd: nothing */
int io_rename(const char *from, const char *to);
int io_unlink(const char *path);
int io_mkdir(const char *path, mode_t mode);
int io_truncate(int fd, uint64_t size);
int io_sync_dir(const char *path);      /* of the folder ${path} */
/* The whole file or the old one, never a mixture, after a crash too. */
int io_write_file(const char *path, const void *p, size_t n, mode_t mode, struct diag *reterr);
/* A new file only; FW_EEXISTS if it is there. */
int io_create_file(const char *path, const void *p, size_t n, mode_t mode, struct diag *reterr);
/* Read a whole file of at most out->max bytes. */
int io_read_file(const char *path, struct buf *out, struct diag *reterr);

/* For __attribute__((cleanup)). */
void io_closep(int *fd);
#define IO_AUTOCLOSE __attribute__((cleanup(io_closep)))

#endif
