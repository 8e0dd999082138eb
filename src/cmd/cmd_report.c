/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/io.h"
#include "base/time.h"
#include "cmd/online.h"

enum { POLL_MS = 150, LIST_PAGE = 200 };

static const char *const filters[] = { "from", "to", "route", "country", "cause", "means", "status" };

static void add_filters(struct cmd_context *c, struct buf *path)
{
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++)
		client_query(path, filters[i], cmd_option(c, filters[i]));
}

/* ---- import ---- */

struct shown {
	struct cmd_context *c;
	usec_t last;
};

/* At most five times a second, on one line of the terminal. */
static bool due(struct shown *s)
{
	if (!cmd_progress(s->c) || time_mono() - s->last < 200000)
		return false;
	s->last = time_mono();
	return true;
}

static void show_upload(void *arg, int64_t done, int64_t total)
{
	if (!due(arg))
		return;
	if (total > 0)
		(void)fprintf(stderr, "\rhanding in %lld of %lld kB ", (long long)done / 1000, (long long)total / 1000);
	else
		(void)fprintf(stderr, "\rhanding in %lld kB ", (long long)done / 1000);
}

static void show_import(struct shown *s, const json_t *v)
{
	int64_t all = int_of(v, "bytes"), read = int_of(v, "bytes_read");
	if (due(s))
		(void)fprintf(stderr, "\r%lld rows read, %lld added, %lld refused (%lld %%)   ", (long long)int_of(v, "rows"),
			      (long long)int_of(v, "added"), (long long)int_of(v, "refused"),
			      (long long)(all > 0 ? read * 100 / all : 0));
}

static bool over(const json_t *v)
{
	const char *state = text_of(v, "state");
	return strcmp(state, "done") == 0 || strcmp(state, "failed") == 0 || strcmp(state, "cancelled") == 0;
}

static const char *import_path(struct cmd_context *c, const char *id, const char *after)
{
	return arena_printf(c->mem, "/api/report/imports/%s%s", id, after);
}

/* Hand the file in; *ret is the import as it stands. */
static int hand_in(struct cmd_context *c, struct client *cl, json_t **ret, struct diag *reterr)
{
	const char *file = cmd_argument(c, 0), *name = cmd_option(c, "name");
	bool standard = strcmp(file, "-") == 0;
	int fd = standard ? STDIN_FILENO : io_open(file, O_RDONLY, 0);
	if (fd < 0)
		return diag_set(reterr, fd, "cannot open %s: %s", file, err_text(fd));
	struct stat st;
	int64_t size = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (int64_t)st.st_size : -1;
	const char *base = strrchr(file, '/');
	struct buf path;
	buf_init(&path, 4000);
	buf_puts(&path, "/api/report/imports");
	client_query(&path, "file", name != NULL ? name : standard ? "standard input" : base != NULL ? base + 1 : file);
	client_query(&path, "layout", cmd_option(c, "layout"));
	buf_putc(&path, '\0');
	struct shown s = { .c = c };
	int err = buf_failed(&path) ? path.error :
		  client_upload(cl, (const char *)path.data, fd, size, show_upload, &s, ret, reterr);
	buf_release(&path);
	if (!standard)
		(void)io_close(fd);
	return err;
}

/* Ask until it is over; *v is replaced. The import goes on by itself if we are interrupted. */
static int wait_over(struct cmd_context *c, struct client *cl, json_t **v, struct diag *reterr)
{
	const char *path = import_path(c, text_of(*v, "id"), "");
	struct shown s = { .c = c };
	int err = 0;
	while (err == 0 && !over(*v)) {
		const struct timespec t = { .tv_nsec = POLL_MS * 1000000L };
		(void)nanosleep(&t, NULL);
		json_t *next = NULL;
		err = client_call(cl, "GET", path, NULL, &next, reterr);
		if (err == 0) {
			json_decref(*v);
			*v = next;
			show_import(&s, next);
		}
	}
	if (cmd_progress(c))
		(void)fprintf(stderr, "\r\033[K");
	return err;
}

static int save_refused(struct cmd_context *c, struct client *cl, const char *id, const char *out,
			struct diag *reterr)
{
	int fd = io_open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return diag_set(reterr, fd, "cannot write %s: %s", out, err_text(fd));
	int err = client_download(cl, import_path(c, id, "/refused"), NULL, fd, reterr);
	int closed = io_close(fd);
	if (err == 0 && closed != 0)
		err = diag_set(reterr, closed, "cannot write %s: %s", out, err_text(closed));
	return err;
}

static void print_import(struct cmd_context *c, const json_t *v)
{
	size_t i;
	json_t *p;
	(void)printf("%s: %s; %lld rows: %lld added, %lld changed, %lld already here, %lld refused; %lld taken with a doubt\n",
		     text_of(v, "file"), text_of(v, "state"), (long long)int_of(v, "rows"), (long long)int_of(v, "added"),
		     (long long)int_of(v, "changed"), (long long)int_of(v, "same"), (long long)int_of(v, "refused"),
		     (long long)int_of(v, "flagged"));
	if (text_of(v, "message")[0] != '\0')
		(void)printf("%s\n", text_of(v, "message"));
	if (cmd_flag(c, "quiet"))
		return;
	json_array_foreach(json_object_get(v, "problems"), i, p) {
		if (i == 10) {
			(void)printf("  ...\n");
			break;
		}
		(void)printf("  row %lld, %s: %s%s\n", (long long)int_of(p, "row"), text_of(p, "column"), text_of(p, "text"),
			     json_is_true(json_object_get(p, "stops")) ? " (refused)" : "");
	}
}

static int import_status(const json_t *v)
{
	if (strcmp(text_of(v, "state"), "failed") == 0)
		return FW_EXIT_FAILED;
	return int_of(v, "refused") > 0 ? FW_EXIT_PARTLY : FW_EXIT_OK;
}

/* Where the refused rows go: the option, else beside the file; nowhere for standard input. */
static const char *refused_out(struct cmd_context *c)
{
	const char *out = cmd_option(c, "refused");
	if (out != NULL || strcmp(cmd_argument(c, 0), "-") == 0)
		return out;
	return arena_printf(c->mem, "%s.refused.csv", cmd_argument(c, 0));
}

int cmd_report_import(struct cmd_context *c)
{
	struct diag d = DIAG_INIT;
	struct client *cl = NULL;
	json_t *v = NULL;
	int err = client_new(c, &cl, &d);
	if (err == 0)
		err = hand_in(c, cl, &v, &d);
	if (err == 0 && !cmd_flag(c, "no-wait"))
		err = wait_over(c, cl, &v, &d);
	const char *out = err == 0 && int_of(v, "refused") > 0 ? refused_out(c) : NULL;
	if (err == 0 && out != NULL)
		err = save_refused(c, cl, text_of(v, "id"), out, &d);
	if (err != 0) {
		json_decref(v);
		return cmd_fail(c, err, &d);
	}
	int status = import_status(v);
	if (cmd_json(c)) {
		print_json(v);
		return status;
	}
	print_import(c, v);
	if (out != NULL)
		(void)printf("The refused rows are in %s, each with its reason.\n", out);
	json_decref(v);
	return status;
}

static void print_imports(struct cmd_context *c, const json_t *answer)
{
	size_t i;
	json_t *v;
	(void)c;
	json_array_foreach(json_object_get(answer, "imports"), i, v)
		(void)printf("%s  %s  %-9s %8lld added %6lld refused  %s\n", text_of(v, "id"), text_of(v, "started"),
			     text_of(v, "state"), (long long)int_of(v, "added"), (long long)int_of(v, "refused"),
			     text_of(v, "file"));
}

int cmd_report_imports(struct cmd_context *c)
{
	const char *id = cmd_argument(c, 0), *out = cmd_option(c, "refused");
	if (id == NULL)
		return ask_and_print(c, "GET", "/api/report/imports", NULL, print_imports);
	if (cmd_flag(c, "cancel"))
		return ask_and_print(c, "POST", import_path(c, id, "/cancel"), NULL, print_import);
	if (out == NULL)
		return ask_and_print(c, "GET", import_path(c, id, ""), NULL, print_import);
	struct diag d = DIAG_INIT;
	struct client *cl = NULL;
	int err = client_new(c, &cl, &d);
	if (err == 0)
		err = save_refused(c, cl, id, out, &d);
	return err == 0 ? FW_EXIT_OK : cmd_fail(c, err, &d);
}

/* ---- list, show, export ---- */

static void print_row(struct cmd_context *c, json_t *v)
{
	char dead[32], missing[32];
	if (cmd_json(c)) {
		print_json(json_incref(v));
		return;
	}
	(void)printf("%s  %-10s  %-3s  dead %-13s missing %-13s %-24s %s\n", text_of(v, "id"), text_of(v, "from"),
		     text_of(v, "country"), count_of(v, "dead", dead), count_of(v, "missing", missing), text_of(v, "route"),
		     text_of(v, "place"));
}

/* One page; *after is replaced by the next page's mark, NULL at the end. */
static int list_page(struct cmd_context *c, struct client *cl, int64_t *left, const char **after,
		     struct diag *reterr)
{
	char limit[24];
	struct buf path;
	json_t *page = NULL, *v;
	size_t i;
	(void)snprintf(limit, sizeof(limit), "%lld", (long long)(*left < LIST_PAGE ? *left : LIST_PAGE));
	buf_init(&path, 4000);
	buf_puts(&path, "/api/report/incidents");
	add_filters(c, &path);
	client_query(&path, "sort", cmd_option(c, "sort"));
	client_query(&path, "limit", limit);
	client_query(&path, "after", *after);
	buf_putc(&path, '\0');
	int err = buf_failed(&path) ? path.error : client_call(cl, "GET", (const char *)path.data, NULL, &page, reterr);
	buf_release(&path);
	if (err != 0)
		return err;
	bool first = *after == NULL;
	json_array_foreach(json_object_get(page, "incidents"), i, v) {
		print_row(c, v);
		*left -= 1;
	}
	if (first && !cmd_json(c) && !cmd_flag(c, "quiet"))
		(void)fprintf(stderr, "%lld incidents; the filter leaves out %lld\n", (long long)int_of(page, "total"),
			      (long long)int_of(page, "excluded"));
	const char *next = text_of(page, "next");
	*after = next[0] != '\0' ? arena_strdup(c->mem, next) : NULL;
	json_decref(page);
	return 0;
}

int cmd_report_list(struct cmd_context *c)
{
	struct diag d = DIAG_INIT;
	struct client *cl = NULL;
	const char *after = NULL;
	int64_t left = cmd_option_int(c, "limit", 50);
	int err = client_new(c, &cl, &d);
	do {
		if (err == 0)
			err = list_page(c, cl, &left, &after, &d);
	} while (err == 0 && after != NULL && left > 0);
	return err == 0 ? FW_EXIT_OK : cmd_fail(c, err, &d);
}

static void print_incident(struct cmd_context *c, const json_t *v)
{
	(void)c;
	print_indented(v, 0);
}

int cmd_report_show(struct cmd_context *c)
{
	struct buf path;
	buf_init(&path, 2000);
	client_path(&path, "/api/report/incidents/", cmd_argument(c, 0), NULL);
	client_query(&path, "version", cmd_option(c, "version"));
	buf_putc(&path, '\0');
	int status = ask_and_print(c, "GET", (const char *)path.data, NULL, print_incident);
	buf_release(&path);
	return status;
}

int cmd_report_erase(struct cmd_context *c)
{
	struct buf path;
	json_t *body = json_pack("{s:s}", "reason", cmd_option(c, "reason"));
	buf_init(&path, 2000);
	client_path(&path, "/api/report/incidents/", cmd_argument(c, 0), "/erase", NULL);
	buf_putc(&path, '\0');
	int status = ask_and_print(c, "POST", (const char *)path.data, body, NULL);
	buf_release(&path);
	if (status == FW_EXIT_OK && !cmd_json(c))
		(void)printf("Erased: %s\n", cmd_argument(c, 0));
	return status;
}

int cmd_report_export(struct cmd_context *c)
{
	struct diag d = DIAG_INIT;
	struct client *cl = NULL;
	const char *out = cmd_option(c, "output");
	struct buf path;
	buf_init(&path, 4000);
	buf_puts(&path, "/api/report/export");
	client_query(&path, "format", cmd_option(c, "format"));
	add_filters(c, &path);
	buf_putc(&path, '\0');
	int err = client_new(c, &cl, &d);
	int fd = err != 0 || out == NULL ? STDOUT_FILENO : io_open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		err = diag_set(&d, fd, "cannot write %s: %s", out, err_text(fd));
	if (err == 0)
		err = client_download(cl, (const char *)path.data, cmd_option(c, "purpose"), fd, &d);
	if (out != NULL && fd > STDOUT_FILENO) {
		int closed = io_close(fd);
		if (err == 0 && closed != 0)
			err = diag_set(&d, closed, "cannot write %s: %s", out, err_text(closed));
	}
	buf_release(&path);
	return err == 0 ? FW_EXIT_OK : cmd_fail(c, err, &d);
}
