/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd/pg_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"

enum { ABSENT = 127 };

/* In the child. What an address leaves open is said as the store says it (store_pg_connect.c). */
static void become(const char *const argv[], int out, pid_t parent)
{
	bool good = prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent && (out < 0 || dup2(out, STDOUT_FILENO) >= 0) &&
		    setenv("PGSSLMODE", "verify-full", 1) == 0 && setenv("PGGSSENCMODE", "disable", 1) == 0 &&
		    setenv("PGCONNECT_TIMEOUT", "10", 1) == 0;
	(void)signal(SIGPIPE, SIG_DFL);
	if (good)
		(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(ABSENT);
}

static int start(const char *const argv[], int out, pid_t *ret, struct diag *reterr)
{
	const pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		return diag_set(reterr, -errno, "no new process: %s", err_text(-errno));
	if (pid == 0)
		become(argv, out, parent);
	*ret = pid;
	return 0;
}

static int finish(pid_t pid, const char *name, struct diag *reterr)
{
	int status = -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return diag_set(reterr, -errno, "nobody knows how %s ended", name);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == ABSENT)
		return diag_set(reterr, FW_ENOTFOUND, "%s cannot be started: install PostgreSQL's client programs (Debian: postgresql-client-15)", name);
	return diag_set(reterr, FW_ESTORE, "%s did not succeed; what it said stands above", name);
}

int pg_tool_dump(const char *url, struct pg_tool *ret, struct diag *reterr)
{
	const char *const argv[] = { "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--no-password", "--dbname", url, NULL };
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) != 0)
		return diag_set(reterr, -errno, "no pipe: %s", err_text(-errno));
	int err = start(argv, fds[1], &ret->pid, reterr);
	(void)io_close(fds[1]);
	if (err != 0)
		(void)io_close(fds[0]);
	else
		ret->fd = fds[0];
	return err;
}

int pg_tool_end(struct pg_tool *t, struct diag *reterr)
{
	(void)io_close(t->fd); /* one that still writes ends by it */
	return finish(t->pid, "pg_dump", reterr);
}

int pg_tool_load(const char *url, const char *path, struct diag *reterr)
{
	const char *const argv[] = { "pg_restore", "--no-owner", "--no-privileges", "--no-password", "--exit-on-error",
				     "--single-transaction", "--dbname", url, path, NULL };
	pid_t pid;
	int err = start(argv, -1, &pid, reterr);
	return err != 0 ? err : finish(pid, "pg_restore", reterr);
}
