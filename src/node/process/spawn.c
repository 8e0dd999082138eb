/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/process/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

enum { HIGH_FD = 64 };

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
	int high[SPAWN_FDS];
	for (int i = 0; i < SPAWN_FDS; i++) {
		high[i] = s->fds[i] >= 0 ? fcntl(s->fds[i], F_DUPFD_CLOEXEC, HIGH_FD) : -1;
		if (s->fds[i] >= 0 && high[i] < 0)
			return -1;
	}
	for (int i = 0; i < SPAWN_FDS; i++) {
		(void)close(SPAWN_CONTROL + i);
		if (high[i] >= 0 && dup2(high[i], SPAWN_CONTROL + i) < 0) /* dup2 clears close-on-exec */
			return -1;
	}
	return 0;
}

static int limit_memory(const struct spawn *s)
{
#if defined(__SANITIZE_ADDRESS__)
	(void)s;
	return 0; /* its shadow is larger than any limit that makes sense */
#else
	struct rlimit r = { s->memory, s->memory };
	return s->memory == 0 ? 0 : setrlimit(RLIMIT_AS, &r);
#endif
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
	if (place_descriptors(s) == 0 && become_user(s) == 0 && limit_memory(s) == 0 &&
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
