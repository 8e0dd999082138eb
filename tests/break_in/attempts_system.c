/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Attempts on other processes, on memory, on privileges and on the kernel. Raw calls where a library would be in the way. */
#include "break_in.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int said(long result)
{
	return result < 0 ? -errno : 0;
}

/* A descriptor is a success, and is closed. */
static int said_fd(long fd)
{
	int ret = said(fd);
	if (fd >= 0)
		(void)close((int)fd);
	return ret;
}

/* ---- other processes ---- */

static int attach(const struct break_in *b)
{
	int ret = said(ptrace(PTRACE_SEIZE, b->sibling, 0, 0));
	if (ret == 0) {
		(void)ptrace(PTRACE_INTERRUPT, b->sibling, 0, 0);
		(void)waitpid(b->sibling, NULL, __WALL);
		(void)ptrace(PTRACE_DETACH, b->sibling, 0, 0);
	}
	return ret;
}

/* The first bytes above the lowest address: whether there is something (EFAULT) comes after whether one may look. */
static int copy_memory(const struct break_in *b, bool out)
{
	char bytes[16] = "";
	struct iovec mine = { bytes, sizeof(bytes) }, theirs = { (void *)(uintptr_t)65536, sizeof(bytes) };
	return said(out ? process_vm_writev(b->sibling, &mine, 1, &theirs, 1, 0) :
			  process_vm_readv(b->sibling, &mine, 1, &theirs, 1, 0));
}

static int read_memory(const struct break_in *b) { return copy_memory(b, false); }
static int write_memory(const struct break_in *b) { return copy_memory(b, true); }
/* SIGURG is ignored where nobody asked for it. */
static int signal_other(const struct break_in *b) { return said(kill(b->sibling, SIGURG)); }
static int signal_thread(const struct break_in *b)
{
	return said(syscall(SYS_tgkill, b->sibling, b->sibling, SIGURG));
}
static int queue_signal(const struct break_in *b)
{
	siginfo_t info = { .si_signo = SIGURG, .si_code = SI_QUEUE };
	return said(syscall(SYS_rt_sigqueueinfo, b->sibling, SIGURG, &info));
}
static int pidfd(const struct break_in *b) { return said_fd(syscall(SYS_pidfd_open, b->sibling, 0)); }

static int take_descriptor(const struct break_in *b)
{
	int fd = (int)syscall(SYS_pidfd_open, b->sibling, 0);
	int ret = fd < 0 ? -errno : said_fd(syscall(SYS_pidfd_getfd, fd, 3, 0));
	if (fd >= 0)
		(void)close(fd);
	return ret;
}

static int limit_other(const struct break_in *b)
{
	struct rlimit r;
	return said(syscall(SYS_prlimit64, b->sibling, RLIMIT_NOFILE, NULL, &r));
}

/* Make the kernel signal another process when something comes in. */
static int signal_by_owner(const struct break_in *b)
{
	int ret = said(fcntl(3, F_SETOWN, b->sibling));
	if (ret == 0)
		(void)fcntl(3, F_SETOWN, 0);
	return ret;
}

/* ---- new processes and programs ---- */

static int new_process(const struct break_in *b)
{
	(void)b;
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		syscall(SYS_exit_group, 0);
	if (pid > 0)
		(void)waitpid((pid_t)pid, NULL, 0);
	return said(pid);
}

static int new_process3(const struct break_in *b)
{
	struct {
		uint64_t flags, pidfd, child, parent, exit, stack, size, tls;
	} args = { .exit = SIGCHLD };
	(void)b;
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		syscall(SYS_exit_group, 0);
	if (pid > 0)
		(void)waitpid((pid_t)pid, NULL, 0);
	return said(pid);
}

static void *nothing(void *arg)
{
	return arg;
}

static int new_thread(const struct break_in *b)
{
	pthread_t t;
	(void)b;
	int err = pthread_create(&t, NULL, nothing, NULL);
	if (err == 0)
		(void)pthread_join(t, NULL);
	return -err;
}

/* On success this process is another program: the row stays begun. */
static int other_program(const struct break_in *b)
{
	char *argv[] = { (char *)(uintptr_t)b->arg, NULL };
	return said(execve(b->arg, argv, argv + 1));
}

static int program_in_memory(const struct break_in *b)
{
	char *argv[] = { (char *)(uintptr_t)"x", NULL };
	(void)b;
	int fd = (int)syscall(SYS_memfd_create, "x", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	int ret = said(syscall(SYS_execveat, fd, "", argv, argv + 1, AT_EMPTY_PATH));
	(void)close(fd);
	return ret == -ENOEXEC ? 0 : ret; /* it was looked at, so it would have been run */
}

/* ---- memory ---- */

static int map(int prot, int flags, int fd)
{
	void *p = mmap(NULL, 4096, prot, flags, fd, 0);
	int ret = p == MAP_FAILED ? -errno : 0;
	if (p != MAP_FAILED)
		(void)munmap(p, 4096);
	return ret;
}

static int map_wx(const struct break_in *b)
{
	(void)b;
	return map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static int map_x(const struct break_in *b)
{
	(void)b;
	return map(PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static int map_file_x(const struct break_in *b)
{
	int fd = open(b->arg, O_RDONLY | O_CLOEXEC);
	int ret = fd < 0 ? -errno : map(PROT_READ | PROT_EXEC, MAP_PRIVATE, fd);
	if (fd >= 0)
		(void)close(fd);
	return ret;
}

static int made_executable(long call)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	int ret = said(syscall(call, p, 4096, PROT_READ | PROT_EXEC, -1));
	(void)munmap(p, 4096);
	return ret;
}

static int protect_x(const struct break_in *b)
{
	(void)b;
	return made_executable(SYS_mprotect);
}

static int protect_key_x(const struct break_in *b)
{
	(void)b;
	return made_executable(SYS_pkey_mprotect);
}

/* After it, what may be read may be run. */
static int read_implies_exec(const struct break_in *b)
{
	(void)b;
	int was = personality(READ_IMPLIES_EXEC);
	if (was >= 0)
		(void)personality((unsigned long)was);
	return said(was);
}

static int memory_file(const struct break_in *b)
{
	(void)b;
	return said_fd(syscall(SYS_memfd_create, "x", MFD_CLOEXEC));
}

static int shared_memory(const struct break_in *b)
{
	(void)b;
	long id = syscall(SYS_shmget, 0 /* private */, 4096, 01000 | 0600);
	int ret = said(id);
	if (id >= 0)
		(void)syscall(SYS_shmctl, id, 0 /* remove */, NULL);
	return ret;
}

/* ---- privileges and walls ---- */

static int become_nobody(const struct break_in *b)
{
	(void)b; /* -1: as it is. Whether the call is heard at all is what counts. */
	return said(syscall(SYS_setresuid, -1, -1, -1));
}

static int become_root(const struct break_in *b)
{
	(void)b;
	return said(syscall(SYS_setuid, 0));
}

static int no_groups(const struct break_in *b)
{
	(void)b;
	return said(syscall(SYS_setgroups, 0, NULL));
}

static int capabilities(const struct break_in *b)
{
	struct {
		uint32_t version;
		int pid;
	} head = { 0x20080522, 0 };
	uint32_t sets[6] = { 0 };
	(void)b;
	long got = syscall(SYS_capget, &head, sets);
	return got < 0 ? -errno : said(syscall(SYS_capset, &head, sets));
}

static int dumpable(const struct break_in *b)
{
	(void)b;
	return said(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int outlive(const struct break_in *b)
{
	(void)b;
	int ret = said(prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0));
	if (ret == 0)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	return ret;
}

static int raise_limit(const struct break_in *b)
{
	struct rlimit r = { .rlim_cur = 0, .rlim_max = 0 };
	(void)b; /* core dumps: they would hold the memory; the same value again asks only whether one may */
	return said(syscall(SYS_prlimit64, 0, RLIMIT_CORE, &r, NULL));
}

static int own_filter(const struct break_in *b)
{
	(void)b; /* a null program: EFAULT once one may */
	return said(syscall(SYS_seccomp, 1, 0, NULL));
}

static int unshare_user(const struct break_in *b)
{
	(void)b;
	return said(unshare(CLONE_FS));
}

static int enter_namespace(const struct break_in *b)
{
	(void)b;
	return said(setns(3, 0));
}

static int mount_something(const struct break_in *b)
{
	/* A kind that there is not (ENODEV): whether one may is asked before. */
	return said(mount("none", b->arg, "break-in", MS_RDONLY, NULL));
}

static int unmount_something(const struct break_in *b)
{
	return said(umount2(b->arg, MNT_EXPIRE));
}

static int other_root(const struct break_in *b)
{
	(void)b;
	return said(chroot("/"));
}

/* ---- the kernel's larger doors ---- */

static int bpf_program(const struct break_in *b)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };
	(void)b;
	return said_fd(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
}

static int ring(const struct break_in *b)
{
	struct io_uring_params p = { .flags = 0 };
	(void)b;
	return said_fd(syscall(SYS_io_uring_setup, 1, &p));
}

static int fault_handler(const struct break_in *b)
{
	(void)b;
	return said_fd(syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* user mode only */));
}

static int counters(const struct break_in *b)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
					.config = PERF_COUNT_SW_TASK_CLOCK, .exclude_kernel = 1 };
	(void)b;
	return said_fd(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}

static int add_key(const struct break_in *b)
{
	(void)b;
	return said(syscall(SYS_add_key, "user", "break-in", "x", 1, -1 /* of this thread */));
}

static int load_module(const struct break_in *b)
{
	(void)b;
	return said(syscall(SYS_init_module, NULL, 0, ""));
}

static int watch_everything(const struct break_in *b)
{
	(void)b;
	return said_fd(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY));
}

static int kernel_log(const struct break_in *b)
{
	char text[16];
	(void)b;
	return said(syscall(SYS_syslog, 3, text, (int)sizeof(text)));
}

static int control_device(const struct break_in *b)
{
	int n;
	(void)b;
	return said(ioctl(3, FIONREAD, &n));
}

/* The numbers of 32-bit programs pass by a filter that forgets them. 20: getpid. */
static int old_numbers(const struct break_in *b)
{
	(void)b;
#ifdef __x86_64__
	long ret = 20;
	__asm__ volatile("int $0x80" : "+a"(ret) : : "memory", "r8", "r9", "r10", "r11");
	return ret < 0 ? (int)ret : 0;
#else
	return -ENOSYS;
#endif
}

/* x32: 64-bit code with other numbers. 39: getpid. */
static int x32_numbers(const struct break_in *b)
{
	(void)b;
#ifdef __x86_64__
	return said(syscall(0x40000000 | 39));
#else
	return -ENOSYS;
#endif
}

const struct attempt attempts_system[] = {
	{ "ptrace", attach },
	{ "vm_read", read_memory },
	{ "vm_write", write_memory },
	{ "kill", signal_other },
	{ "tgkill", signal_thread },
	{ "sigqueue", queue_signal },
	{ "pidfd_open", pidfd },
	{ "pidfd_getfd", take_descriptor },
	{ "prlimit_other", limit_other },
	{ "fcntl_setown", signal_by_owner },
	{ "fork", new_process },
	{ "clone3", new_process3 },
	{ "thread", new_thread },
	{ "execve", other_program },
	{ "memfd_exec", program_in_memory },
	{ "mmap_wx", map_wx },
	{ "mmap_x", map_x },
	{ "mmap_file_x", map_file_x },
	{ "mprotect_x", protect_x },
	{ "pkey_mprotect_x", protect_key_x },
	{ "personality", read_implies_exec },
	{ "memfd", memory_file },
	{ "shmget", shared_memory },
	{ "setresuid", become_nobody },
	{ "setuid", become_root },
	{ "setgroups", no_groups },
	{ "capset", capabilities },
	{ "dumpable", dumpable },
	{ "outlive", outlive },
	{ "setrlimit", raise_limit },
	{ "seccomp", own_filter },
	{ "unshare", unshare_user },
	{ "setns", enter_namespace },
	{ "mount", mount_something },
	{ "umount", unmount_something },
	{ "chroot", other_root },
	{ "bpf", bpf_program },
	{ "io_uring", ring },
	{ "userfaultfd", fault_handler },
	{ "perf_event", counters },
	{ "add_key", add_key },
	{ "init_module", load_module },
	{ "fanotify", watch_everything },
	{ "syslog", kernel_log },
	{ "ioctl", control_device },
	{ "int80", old_numbers },
	{ "x32", x32_numbers },
	{ NULL, NULL },
};
