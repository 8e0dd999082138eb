/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/process/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

enum { FIRST_FD = 3, HIGH_FD = 64 };

extern char **environ;

int socket_pair(int ret[2], struct diag *reterr)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret) != 0)
		return diag_set(reterr, -errno, "no channel between processes: %s", err_text(-errno));
	return 0;
}

/* In the child: put the descriptors where they are expected. By way of high numbers, so that none overwrites another. */
static int place_descriptors(const struct spawn *s)
{
	int high[2] = { -1, -1 };
	for (int i = 0; i < 2; i++)
		if (s->fds[i] >= 0 && (high[i] = fcntl(s->fds[i], F_DUPFD_CLOEXEC, HIGH_FD)) < 0)
			return -1;
	for (int i = 0; i < 2; i++)
		if (high[i] >= 0 && dup2(high[i], FIRST_FD + i) < 0) /* dup2 clears close-on-exec */
			return -1;
	return 0;
}

static int become_user(const struct spawn *s)
{
	if (s->uid == 0)
		return 0;
	return setgroups(0, NULL) != 0 || setresgid(s->gid, s->gid, s->gid) != 0 ||
			       setresuid(s->uid, s->uid, s->uid) != 0 ?
		       -1 :
		       0;
}

/* Between fork and exec: nothing that allocates or locks. */
static void child_life(const struct spawn *s, pid_t parent)
{
	sigset_t none;
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_IGN); /* stays ignored over exec: a lost reader is an error value */
	(void)setsid();
	const char *argv[6] = { s->title };
	for (int i = 0; i < 4; i++)
		argv[i + 1] = s->args[i];
	if (place_descriptors(s) == 0 && become_user(s) == 0 &&
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent)
		(void)execve("/proc/self/exe", (char *const *)argv, environ);
	_exit(127);
}

int spawn_child(const struct spawn *s, pid_t *ret, struct diag *reterr)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid < 0)
		return diag_set(reterr, -errno, "no new process: %s", err_text(-errno));
	if (pid == 0)
		child_life(s, parent);
	*ret = pid;
	return 0;
}
