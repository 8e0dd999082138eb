/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The walls of the supervisor.
 *
 * It must fork, execute this program, change users and open node.key, and all
 * that it keeps to itself is kept from its children too: a filter and a
 * Landlock domain are inherited, and a child's own walls only narrow them.  So
 * its filter names what no process of a node ever does, and answers EPERM;
 * everything else of its children is their own filter's matter.
 *
 * What remains to somebody who breaks in here is told in
 * docs/security-processes.md: nearly everything that the user who started the node may read.
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "node/process/sandbox.h"
#include "node/process/sandbox_int.h"

/* libseccomp's macros leave fields of their structs out. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

static const int never[] = {
	/* other processes: signals and waiting are all that a supervisor needs */
	SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp),
	SCMP_SYS(process_madvise),
	/* programs and code that lie in no file */
	SCMP_SYS(memfd_create), SCMP_SYS(memfd_secret), SCMP_SYS(execveat), SCMP_SYS(personality), SCMP_SYS(uselib),
	/* doors */
	SCMP_SYS(bind), SCMP_SYS(listen),
	/* namespaces, mounts, devices */
	SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(chroot), SCMP_SYS(pivot_root), SCMP_SYS(mount), SCMP_SYS(umount2),
	SCMP_SYS(mount_setattr), SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen), SCMP_SYS(fsconfig),
	SCMP_SYS(fsmount), SCMP_SYS(fspick), SCMP_SYS(mknod), SCMP_SYS(mknodat), SCMP_SYS(name_to_handle_at),
	SCMP_SYS(open_by_handle_at), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(quotactl), SCMP_SYS(acct),
	/* the kernel itself */
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(syslog), SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(keyctl), SCMP_SYS(fanotify_init),
	SCMP_SYS(shmget), SCMP_SYS(shmat), SCMP_SYS(vhangup),
	/* the machine's clock and name */
	SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(adjtimex), SCMP_SYS(clock_adjtime),
	SCMP_SYS(sethostname), SCMP_SYS(setdomainname),
};

/* Kept as root: to change users, to end children of other users, to serve a folder that is another's. */
static const int kept[] = { CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP };

static int add_never(scmp_filter_ctx f, const struct supervisor_walls *w)
{
	static const unsigned wx = PROT_WRITE | PROT_EXEC;
	uint32_t no = SCMP_ACT_ERRNO(EPERM);
	int err = 0;
	for (size_t i = 0; err == 0 && i < sizeof(never) / sizeof(*never); i++)
		err = seccomp_rule_add(f, no, never[i], 0);
#ifndef FW_SANITIZED /* the search for leaks at the end looks into its own process in this way */
	err |= seccomp_rule_add(f, no, SCMP_SYS(ptrace), 0);
#endif
	err |= seccomp_rule_add(f, no, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, wx, wx));
	err |= seccomp_rule_add(f, no, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
	err |= seccomp_rule_add(f, no, SCMP_SYS(pkey_mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
	if (!w->connects) {
		/* The service manager is told by sendto(); only a store on PostgreSQL is connected to. */
		err |= seccomp_rule_add(f, no, SCMP_SYS(connect), 0);
		err |= seccomp_rule_add(f, no, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_NE, AF_UNIX));
	}
	return err;
}

static int enter_filter(const struct supervisor_walls *w, struct diag *reterr)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	if (f == NULL)
		return diag_set(reterr, -ENOMEM, "no memory for the system call filter");
	int err = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));
	if (err == 0)
		err = add_never(f, w);
	if (err == 0)
		err = seccomp_load(f);
	seccomp_release(f);
	return err == 0 ? 0 : diag_set(reterr, -EPERM, "the kernel refused the supervisor's system call filter");
}

/* The loader that the kernel starts this program with; it is a program too. */
static int find_loader(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_INTERP)
			*(const char **)arg = (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	return 1; /* the first is the program */
}

/* Writing in the folders named, executing this program: reading is not held. */
static int enter_domain(const struct supervisor_walls *w, const char **ret_missing, struct diag *reterr)
{
	long abi = landlock_abi();
	const char *loader = NULL;
	if (abi < 1) {
		*ret_missing = landlock_absent;
		return 0;
	}
	struct fw_ruleset_attr attr = { .fs = FS_ALL_V1 & ~(uint64_t)FS_READ };
	attr.fs |= abi >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0;
	attr.fs |= abi >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0;
	attr.net = abi >= 4 ? FW_ACCESS_NET_BIND : 0;
	attr.scoped = abi >= 6 ? FW_SCOPE_SIGNAL : 0;
	int fd = landlock_make(&attr, abi);
	if (fd < 0)
		return diag_set(reterr, fd, "Landlock refused the supervisor's rules");
	uint64_t rw = FS_WRITE | (abi >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0);
	int ret = landlock_allow(fd, "/proc/self/exe", 0, LANDLOCK_ACCESS_FS_EXECUTE, reterr);
	(void)dl_iterate_phdr(find_loader, &loader);
	if (ret == 0 && loader != NULL)
		ret = landlock_allow(fd, loader, 0, LANDLOCK_ACCESS_FS_EXECUTE, reterr);
	for (size_t i = 0; ret == 0 && i < 4 && w->dirs_rw[i] != NULL; i++)
		ret = landlock_allow(fd, w->dirs_rw[i], O_DIRECTORY, rw, reterr);
	return landlock_enter(fd, ret, reterr);
}

static bool is_kept(int cap)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (kept[i] == cap)
			return true;
	return false;
}

static int drop_capabilities(struct diag *reterr)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	if (syscall(SYS_capget, &head, data) != 0)
		return diag_set(reterr, -errno, "the kernel does not say which capabilities there are");
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (is_kept(cap))
			continue;
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
		data[cap / 32].effective &= ~(UINT32_C(1) << cap % 32);
		data[cap / 32].permitted &= ~(UINT32_C(1) << cap % 32);
		data[cap / 32].inheritable = 0;
	}
	return syscall(SYS_capset, &head, data) == 0 ? 0 : diag_set(reterr, -errno, "the kernel refused to drop capabilities");
}

int sandbox_supervisor(const struct supervisor_walls *w, const char **ret_missing, struct diag *reterr)
{
	*ret_missing = NULL;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return diag_set(reterr, -errno, "the kernel refused no_new_privs");
	int ret = drop_capabilities(reterr);
	if (ret == 0)
		ret = enter_domain(w, ret_missing, reterr);
	return ret != 0 ? ret : enter_filter(w, reterr);
}
