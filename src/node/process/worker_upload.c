/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A file that is handed in: FOLDER/spool/ID.part while it comes, FOLDER/spool/ID
 * once it is whole and synced, which is before its handler runs.  A worker
 * that starts removes what is called .part; a whole file belongs to the
 * domain whose handler took it, which removes it when it is done with it and
 * at start when none of its rows names it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/log.h"
#include "gen/tables.h"
#include "node/process/worker_int.h"

static const char part[] = ".part";

int upload_begin(struct worker *w, struct req *r, struct diag *reterr)
{
	char id[UUID_TEXT_LEN + 1];
	struct uuid u = uuid_new();
	uuid_format(&u, id);
	if (w->boot.folder == NULL)
		return diag_set(reterr, FW_EINVALID, "this process takes no files");
	r->path = arena_printf(r->mem, "%s/spool/%s%s", w->boot.folder, id, part);
	if (r->path == NULL)
		return -ENOMEM;
	r->mark = arena_mark(r->mem);
	r->fd = io_open(r->path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (r->fd < 0) {
		int err = r->fd;
		r->path = NULL;
		return diag_set(reterr, err, "the file cannot be kept: %s", err_text(err));
	}
	r->state = REQ_UPLOAD;
	return 0;
}

int upload_chunk(struct worker *w, struct req *r, struct cursor *body)
{
	size_t n = cur_left(body);
	if (r->size + n > w->upload_max)
		return diag_set(&r->d, FW_ELIMIT, "the file is larger than %llu MiB; nothing of it was kept",
				(unsigned long long)(w->upload_max >> 20));
	int err = io_write(r->fd, cur_take(body, n), n);
	if (err != 0)
		return diag_set(&r->d, err, "the file cannot be kept: %s; nothing of it was kept", err_text(err));
	/* Begin writing now what the sync at the end would have to wait for; only a hint. */
	enum { STEP = 4 << 20 };
	if (r->size / STEP != (r->size + n) / STEP)
		(void)sync_file_range(r->fd, (off_t)(r->size / STEP * STEP), STEP, SYNC_FILE_RANGE_WRITE);
	r->size += n;
	return 0;
}

/* On the thread: make the file and its name durable. */
static void make_durable(void *arg)
{
	struct req *r = arg;
	size_t n = strlen(r->path) - (sizeof(part) - 1);
	int err = io_sync(r->fd), closed = io_close(r->fd);
	r->fd = -1;
	err = err != 0 ? err : closed;
	char whole[4200], folder[4200];
	if (err == 0 && n >= sizeof(whole))
		err = -ENAMETOOLONG;
	if (err == 0) {
		(void)snprintf(whole, sizeof(whole), "%.*s", (int)n, r->path);
		(void)snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(r->path, '/') - r->path), r->path);
		err = io_rename(r->path, whole);
		if (err == 0) {
			r->path[n] = '\0';
			err = io_sync_dir(folder);
		}
	}
	r->upload_error = err;
}

void upload_end(struct worker *w, struct req *r)
{
	r->state = REQ_SYNC;
	r->call.upload = r->path;
	r->call.upload_size = r->size;
	int err = defer_submit(w, r, make_durable, r);
	if (err != 0)
		reply_problem(w, r, err, &r->d);
}

void upload_discard(struct req *r)
{
	(void)io_close(r->fd);
	r->fd = -1;
	if (r->path != NULL)
		(void)io_unlink(r->path);
	r->path = NULL;
}

void upload_keep(struct req *r)
{
	r->path = NULL;
}

int upload_clean(struct worker *w, struct diag *reterr)
{
	char path[4200];
	if (w->boot.folder == NULL)
		return 0;
	(void)snprintf(path, sizeof(path), "%s/spool", w->boot.folder);
	int err = io_mkdir(path, 0700);
	if (err != 0 && err != -EEXIST)
		return diag_set(reterr, err, "the folder for files handed in cannot be made: %s", err_text(err));
	DIR *d = opendir(path);
	if (d == NULL)
		return diag_set(reterr, -errno, "the folder for files handed in cannot be read: %s", err_text(-errno));
	unsigned removed = 0;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		size_t n = strlen(e->d_name);
		if (n < sizeof(part) || strcmp(e->d_name + n - (sizeof(part) - 1), part) != 0)
			continue;
		int len = snprintf(path, sizeof(path), "%s/spool/%s", w->boot.folder, e->d_name);
		removed += len > 0 && (size_t)len < sizeof(path) && io_unlink(path) == 0;
	}
	(void)closedir(d);
	if (removed > 0)
		log_line(LOG_L_INFO, "upload.clean", "%u files that were half handed in are removed", removed);
	return 0;
}
