/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/process/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "node/process/sandbox_int.h"
#include "node/process/spawn.h"
#include "store/store.h"

/* libseccomp's macros leave fields of their structs out. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/*
 * System calls by group; a process gets the groups that its row names.
 *
 *   base     memory, time, its own descriptors, ending
 *   talk     sockets that are there already; descriptors come by recvmsg
 *   files    files, within what Landlock leaves
 *   accept   new connections on a socket that listens already
 *   thread   threads within the process
 *   connect  a store on PostgreSQL (struct sandbox says so, not the row)
 *
 * What is in no group: to make a socket or to bind one, to start a program or
 * a process, to look into or signal another process, to mount, to change user,
 * to load code (mmap and mprotect with PROT_EXEC), io_uring, bpf, keys, namespaces.
 */
static const int calls_base[] = {
	SCMP_SYS(read),		 SCMP_SYS(write),	SCMP_SYS(readv),	SCMP_SYS(writev),
	SCMP_SYS(close),	 SCMP_SYS(brk),		SCMP_SYS(munmap),	SCMP_SYS(mremap),
	SCMP_SYS(madvise),	 SCMP_SYS(exit),	SCMP_SYS(exit_group),	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigaction),	 SCMP_SYS(rt_sigprocmask), SCMP_SYS(sigaltstack), SCMP_SYS(futex),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday),
	SCMP_SYS(getpid),	 SCMP_SYS(gettid),	SCMP_SYS(getrandom),	SCMP_SYS(poll),
	SCMP_SYS(ppoll),	 SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield),
	SCMP_SYS(mlock),	 SCMP_SYS(munlock),	SCMP_SYS(getrusage),	SCMP_SYS(uname),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(rseq),	SCMP_SYS(set_robust_list),
};
static const int calls_talk[] = { /* and sendmsg, sendto, shutdown: add_talk() */
	SCMP_SYS(recvmsg),     SCMP_SYS(recvfrom),    SCMP_SYS(getsockopt),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername),
};
static const int calls_files[] = {
	SCMP_SYS(openat),    SCMP_SYS(open),	  SCMP_SYS(stat),	SCMP_SYS(lstat),
	SCMP_SYS(fstat),     SCMP_SYS(newfstatat), SCMP_SYS(statx),	SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(lseek),	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),  SCMP_SYS(ftruncate), SCMP_SYS(fallocate),	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync), SCMP_SYS(sync_file_range), SCMP_SYS(fadvise64), SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),  SCMP_SYS(rename),	  SCMP_SYS(renameat),	SCMP_SYS(renameat2),
	SCMP_SYS(mkdir),     SCMP_SYS(mkdirat),	  SCMP_SYS(getdents64), SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(getcwd),	  SCMP_SYS(fchmod),	SCMP_SYS(fchown),
	SCMP_SYS(getuid),    SCMP_SYS(geteuid),	  SCMP_SYS(getgid),	SCMP_SYS(getegid),
};
static const int calls_accept[] = {
	SCMP_SYS(accept4),    SCMP_SYS(accept),	     SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
};
/* setsockopt() for these alone: others attach programs to a socket, or make of it what only few have ever tested. */
static const struct option {
	int level, name;
} options_accept[] = {
	{ SOL_SOCKET, SO_SNDBUF }, { IPPROTO_TCP, TCP_NODELAY }, { IPPROTO_TCP, TCP_CORK },
}, options_connect[] = {
	{ SOL_SOCKET, SO_KEEPALIVE },	  { IPPROTO_TCP, TCP_NODELAY }, { IPPROTO_TCP, TCP_KEEPIDLE },
	{ IPPROTO_TCP, TCP_KEEPINTVL }, { IPPROTO_TCP, TCP_KEEPCNT }, { IPPROTO_TCP, TCP_USER_TIMEOUT },
};
static const int calls_thread[] = {
	SCMP_SYS(set_tid_address),
};
static const int calls_connect[] = {
	SCMP_SYS(connect),
};
#ifdef FW_SANITIZED
/* What the runtime of a sanitizer does, mostly when it reports. Not in a release: FW_SANITIZED is the compiler's doing. */
static const int calls_sanitizer[] = {
	SCMP_SYS(open),	   SCMP_SYS(openat),  SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(stat),
	SCMP_SYS(fstat),   SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(sysinfo),	SCMP_SYS(pipe),
	SCMP_SYS(pipe2),   SCMP_SYS(prlimit64), SCMP_SYS(sched_getparam), SCMP_SYS(dup), SCMP_SYS(getcwd),
};
#endif

enum { TALK = 1, FILES = 2, ACCEPT = 4, THREAD = 8 };

/* The walls in seven lines. Folders and PostgreSQL come from struct sandbox. */
static const struct {
	int groups;
	rlim_t descriptors; /* at least */
} rows[PROC_COUNT] = {
	[PROC_FRONT] = { TALK | ACCEPT, 2048 },
	[PROC_HOUSE] = { TALK | FILES | THREAD, 64 },
	[PROC_STRATEGIC] = { TALK | FILES | THREAD, 256 },
	[PROC_OPERATIONAL] = { TALK | FILES | THREAD, 256 },
	[PROC_PROTECTION] = { TALK | FILES | THREAD, 256 },
	[PROC_KEEPER] = { TALK | FILES, 64 },
	[PROC_READER] = { TALK, 16 },
};

static int add_calls(scmp_filter_ctx f, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int err = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
		if (err != 0)
			return err;
	}
	return 0;
}

static int add_options(scmp_filter_ctx f, const struct option *list, size_t n)
{
	int err = 0;
	for (size_t i = 0; i < n; i++)
		err |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2,
					SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)list[i].level),
					SCMP_A2(SCMP_CMP_EQ, (scmp_datum_t)list[i].name));
	return err;
}

/*
 * Sending, but not with MSG_FASTOPEN: by it a TCP socket that is not connected
 * connects without connect(), past Landlock too.  The front's listening socket
 * becomes such a one when it is shut down.
 */
static int add_talk(scmp_filter_ctx f)
{
	return add_calls(f, calls_talk, sizeof(calls_talk) / sizeof(*calls_talk)) |
	       seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1, SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0)) |
	       seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(sendmsg), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0)) |
	       /* Not the listening socket, which the next front needs as well; nor is it given another number. */
	       seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(shutdown), 1, SCMP_A0(SCMP_CMP_NE, SPAWN_EXTRA));
}

/* Calls that are allowed only with harmless arguments. */
static int add_guarded(scmp_filter_ctx f)
{
	static const unsigned fcntls[] = { F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_GETLK, F_SETLK };
	int err = 0;
	/* No memory that is executable, nor made so later. */
	err |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	err |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	for (size_t i = 0; i < sizeof(fcntls) / sizeof(*fcntls); i++)
		err |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
					SCMP_A1(SCMP_CMP_EQ, fcntls[i]));
	err |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 2, SCMP_A0(SCMP_CMP_NE, SPAWN_EXTRA),
				SCMP_A1(SCMP_CMP_EQ, F_DUPFD_CLOEXEC));
	/* A signal to itself alone: abort() needs it. */
	err |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	/* A thread's name; nothing else of prctl. */
	err |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
				SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
	/* Libraries may ask what a descriptor is; the answer is no. */
	err |= seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 0);
	return err;
}

/* Threads, not processes: clone3 hides its arguments from the filter, so glibc is sent back to clone. */
static int add_threads(scmp_filter_ctx f)
{
	int err = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	err |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM));
	/* Asking for a limit of its own, not setting one. */
	err |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, SCMP_A0(SCMP_CMP_EQ, 0),
				SCMP_A2(SCMP_CMP_EQ, 0));
	return err;
}

static int add_family(scmp_filter_ctx f, int family)
{
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family),
				SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_STREAM));
}

/* Stream sockets of the families that the store needs; the resolver's question about interfaces is answered with no. */
static int add_sockets(scmp_filter_ctx f, const struct store_reach *store)
{
	int err = seccomp_rule_add(f, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
				   SCMP_A0(SCMP_CMP_EQ, AF_NETLINK));
#ifndef FW_SANITIZED
	/* The sorting of TLS's parts asks how much memory the machine has, and can do without an answer. */
	err |= seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(sysinfo), 0);
#endif
	if (store->unix_socket)
		err |= add_family(f, AF_UNIX);
	if (store->port[0] != 0)
		err |= add_family(f, AF_INET) | add_family(f, AF_INET6);
	return err;
}

#define ADD(f, list) add_calls(f, list, sizeof(list) / sizeof(*(list)))

static int add_groups(scmp_filter_ctx f, const struct sandbox *sb)
{
	int groups = rows[sb->proc].groups;
	int err = ADD(f, calls_base) | add_guarded(f);
	if (groups & TALK)
		err |= add_talk(f);
	if (groups & FILES)
		err |= ADD(f, calls_files);
	if (groups & ACCEPT)
		err |= ADD(f, calls_accept) |
		       add_options(f, options_accept, sizeof(options_accept) / sizeof(*options_accept));
	if (groups & THREAD)
		err |= ADD(f, calls_thread) | add_threads(f);
	if (sb->store != NULL && sb->store->connects)
		err |= ADD(f, calls_connect) | add_sockets(f, sb->store) |
		       add_options(f, options_connect, sizeof(options_connect) / sizeof(*options_connect));
#ifdef FW_SANITIZED
	err |= ADD(f, calls_sanitizer);
#else
	/* Standard streams ask what kind of file they are; without the right to files the answer is no. */
	if ((groups & FILES) == 0)
		err |= seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(newfstatat), 0) |
		       seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(fstat), 0);
#endif
	return err;
}

static int enter_seccomp(const struct sandbox *sb, struct diag *reterr)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (f == NULL)
		return diag_set(reterr, -ENOMEM, "no memory for the system call filter");
	/* The numbers of another architecture too: libseccomp would end the thread alone and leave a process that answers nobody. */
	int err = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (err == 0)
		err = add_groups(f, sb);
	if (err == 0)
		err = seccomp_load(f);
	seccomp_release(f);
	return err == 0 ? 0 :
			  diag_set(reterr, -EPERM, "the kernel refused the system call filter (%s)",
				   strerror(err < 0 ? -err : err));
}

/* What the store reads, and the ports at which its servers are. */
static int add_store_rules(int ruleset, const struct store_reach *store, long abi, struct diag *reterr)
{
	int ret = 0;
	for (size_t i = 0; ret == 0 && i < STORE_REACH_MAX && store->file[i] != NULL; i++)
		ret = landlock_allow(ruleset, store->file[i], 0, LANDLOCK_ACCESS_FS_READ_FILE, reterr);
	for (size_t i = 0; ret == 0 && abi >= 4 && i < STORE_REACH_MAX && store->port[i] != 0; i++) {
		struct fw_net_port_attr port = { .access = FW_ACCESS_NET_CONNECT, .port = store->port[i] };
		if (syscall(SYS_landlock_add_rule, ruleset, FW_RULE_NET_PORT, &port, 0) != 0)
			ret = diag_set(reterr, -errno, "Landlock refused port %u", store->port[i]);
	}
	return ret;
}

static int add_rules(int ruleset, const struct sandbox *sb, long abi, struct diag *reterr)
{
	uint64_t rw = FS_READ | FS_WRITE | (abi >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0);
	int ret = 0;
	for (size_t i = 0; ret == 0 && i < 4 && sb->dirs_rw[i] != NULL; i++)
		ret = landlock_allow(ruleset, sb->dirs_rw[i], O_DIRECTORY, rw, reterr);
	for (size_t i = 0; ret == 0 && i < 4 && sb->dirs_ro[i] != NULL; i++)
		ret = landlock_allow(ruleset, sb->dirs_ro[i], O_DIRECTORY, FS_READ, reterr);
	return ret == 0 && sb->store != NULL ? add_store_rules(ruleset, sb->store, abi, reterr) : ret;
}

static int enter_landlock(const struct sandbox *sb, const char **ret_missing, struct diag *reterr)
{
	long abi = landlock_abi();
	if (abi < 1) {
		*ret_missing = landlock_absent;
		return 0;
	}
	struct fw_ruleset_attr attr = { .fs = FS_ALL_V1 };
	attr.fs |= abi >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0;
	attr.fs |= abi >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0;
	attr.fs |= abi >= 5 ? FW_ACCESS_FS_IOCTL_DEV : 0;
	attr.net = abi >= 4 ? FW_ACCESS_NET_BIND | FW_ACCESS_NET_CONNECT : 0;
	attr.scoped = abi >= 6 ? FW_SCOPE_ABSTRACT | FW_SCOPE_SIGNAL : 0;
	int fd = landlock_make(&attr, abi);
	if (fd < 0)
		return diag_set(reterr, fd, "Landlock refused the rules");
	return landlock_enter(fd, add_rules(fd, sb, abi, reterr), reterr);
}

static void set_limit(int what, rlim_t n)
{
	struct rlimit r;
	if (getrlimit((__rlimit_resource_t)what, &r) == 0 && r.rlim_max < n)
		n = r.rlim_max; /* never more than was given */
	r = (struct rlimit){ .rlim_cur = n, .rlim_max = n };
	(void)setrlimit((__rlimit_resource_t)what, &r);
}

int sandbox_enter(const struct sandbox *sb, const char **ret_missing, struct diag *reterr)
{
	*ret_missing = NULL;
	set_limit(RLIMIT_CORE, 0);
	set_limit(RLIMIT_NOFILE, sb->descriptors > rows[sb->proc].descriptors ? sb->descriptors :
										rows[sb->proc].descriptors);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return diag_set(reterr, -errno, "the kernel refused no_new_privs");
	/* Capabilities: the bounding set first, then what is held, which setting the ambient and the rest to none drops. */
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	struct {
		uint32_t version;
		int pid;
	} head = { 0x20080522, 0 };
	uint32_t none[6] = { 0 };
	if (syscall(SYS_capset, &head, none) != 0)
		return diag_set(reterr, -errno, "the kernel refused to drop capabilities");
	int ret = enter_landlock(sb, ret_missing, reterr);
	return ret != 0 ? ret : enter_seccomp(sb, reterr);
}
