/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "node/process/sandbox_int.h"

const char landlock_absent[] = "this kernel has no Landlock: processes are not held to their folders";

long landlock_abi(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

int landlock_make(const struct fw_ruleset_attr *attr, long abi)
{
	size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
	int fd = (int)syscall(SYS_landlock_create_ruleset, attr, size, 0);
	return fd < 0 ? -errno : fd;
}

int landlock_allow(int ruleset, const char *path, int kind, uint64_t access, struct diag *reterr)
{
	int fd = open(path, O_PATH | O_CLOEXEC | kind);
	if (fd < 0)
		return diag_set(reterr, -errno, "cannot open %s: %s", path, err_text(-errno));
	struct landlock_path_beneath_attr attr = { .allowed_access = access, .parent_fd = fd };
	long err = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &attr, 0);
	int ret = err == 0 ? 0 : diag_set(reterr, -errno, "Landlock refused %s", path);
	(void)close(fd);
	return ret;
}

int landlock_enter(int ruleset, int err, struct diag *reterr)
{
	if (err == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		err = diag_set(reterr, -errno, "Landlock refused to hold this process");
	(void)close(ruleset);
	return err;
}
