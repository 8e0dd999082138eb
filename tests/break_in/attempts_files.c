/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Attempts on files. The argument is a path, or two joined by "|"; %s in it is the pid of another process. */
#include "break_in.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

struct paths {
	char first[ARG_LEN], second[ARG_LEN];
};

static struct paths paths_of(const struct break_in *b)
{
	struct paths p = { .first = "" };
	const char *bar = strchr(b->arg, '|'), *pid = strstr(b->arg, "%s");
	if (pid != NULL)
		(void)snprintf(p.first, sizeof(p.first), "%.*s%d%s", (int)(pid - b->arg), b->arg, (int)b->sibling,
			       pid + 2);
	else
		(void)snprintf(p.first, sizeof(p.first), "%.*s", bar != NULL ? (int)(bar - b->arg) : ARG_LEN - 1,
			       b->arg);
	if (bar != NULL)
		(void)snprintf(p.second, sizeof(p.second), "%s", bar + 1);
	return p;
}

static int said(long result)
{
	return result < 0 ? -errno : 0;
}

static int open_as(const struct break_in *b, int flags)
{
	int fd = open(paths_of(b).first, flags | O_CLOEXEC, 0600);
	int ret = said(fd);
	if (fd >= 0)
		(void)close(fd);
	return ret;
}

static int read_file(const struct break_in *b) { return open_as(b, O_RDONLY); }
static int write_file(const struct break_in *b) { return open_as(b, O_WRONLY); }
static int create_file(const struct break_in *b) { return open_as(b, O_WRONLY | O_CREAT); }
static int list_folder(const struct break_in *b) { return open_as(b, O_RDONLY | O_DIRECTORY); }

static int stat_file(const struct break_in *b)
{
	struct stat st;
	return said(stat(paths_of(b).first, &st));
}

static int unlink_file(const struct break_in *b) { return said(unlink(paths_of(b).first)); }
static int truncate_file(const struct break_in *b) { return said(truncate(paths_of(b).first, 1)); }
static int chmod_file(const struct break_in *b) { return said(chmod(paths_of(b).first, 0666)); }
static int enter_folder(const struct break_in *b) { return said(chdir(paths_of(b).first)); }

static int rename_file(const struct break_in *b)
{
	struct paths p = paths_of(b);
	return said(rename(p.first, p.second));
}

static int link_file(const struct break_in *b)
{
	struct paths p = paths_of(b);
	return said(link(p.first, p.second));
}

static int symlink_file(const struct break_in *b)
{
	struct paths p = paths_of(b);
	return said(symlink(p.first, p.second));
}

static int make_device(const struct break_in *b)
{
	return said(mknod(paths_of(b).first, S_IFIFO | 0600, 0));
}

static int watch_folder(const struct break_in *b)
{
	int fd = inotify_init1(IN_CLOEXEC);
	int ret = fd < 0 ? -errno : said(inotify_add_watch(fd, paths_of(b).first, IN_MODIFY));
	if (fd >= 0)
		(void)close(fd);
	return ret;
}

/* What is behind the walls by number, not by path: the way out of containers of old. */
static int open_by_number(const struct break_in *b)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = { .h.handle_bytes = MAX_HANDLE_SZ };
	int mount, at = open("/", O_RDONLY | O_CLOEXEC);
	if (at < 0 || name_to_handle_at(AT_FDCWD, paths_of(b).first, &u.h, &mount, 0) != 0)
		u.h.handle_bytes = 8;
	int fd = open_by_handle_at(at < 0 ? AT_FDCWD : at, &u.h, O_RDONLY);
	int ret = said(fd);
	if (fd >= 0)
		(void)close(fd);
	if (at >= 0)
		(void)close(at);
	return ret;
}

const struct attempt attempts_files[] = {
	{ "read", read_file },	     { "write", write_file },	   { "create", create_file },
	{ "list", list_folder },     { "stat", stat_file },	   { "unlink", unlink_file },
	{ "truncate", truncate_file }, { "chmod", chmod_file },	   { "chdir", enter_folder },
	{ "rename", rename_file },   { "link", link_file },	   { "symlink", symlink_file },
	{ "mknod", make_device },    { "inotify", watch_folder },  { "open_by_handle", open_by_number },
	{ NULL, NULL },
};
