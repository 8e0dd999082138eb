/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the walls of the supervisor and of its children share: Landlock as the kernel has it. */
#ifndef FW_NODE_SANDBOX_INT_H
#define FW_NODE_SANDBOX_INT_H

#include <linux/landlock.h>
#include <stdint.h>

struct diag;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FW_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define FW_SANITIZED 1
#endif
#endif

/* What the headers of Debian 12 do not name yet. Values are ABI. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#define FW_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#define FW_ACCESS_NET_BIND (1ULL << 0)
#define FW_ACCESS_NET_CONNECT (1ULL << 1)
#define FW_RULE_NET_PORT 2
#define FW_SCOPE_ABSTRACT (1ULL << 0)
#define FW_SCOPE_SIGNAL (1ULL << 1)

struct fw_ruleset_attr { /* struct landlock_ruleset_attr of ABI 6 */
	uint64_t fs, net, scoped;
};
struct fw_net_port_attr {
	uint64_t access, port;
};

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_WRITE                                                                                   \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |                          \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |                               \
	 LANDLOCK_ACCESS_FS_REMOVE_DIR)
#define FS_ALL_V1 ((UINT64_C(1) << 13) - 1)

/* The words for a kernel without it. */
extern const char landlock_absent[];
/* Its version; below 1: the kernel has none. */
long landlock_abi(void);
/* Rules of this version, empty: a descriptor or -errno. */
int landlock_make(const struct fw_ruleset_attr *attr, long abi);
/* Allow ${access} at and below ${path}. ${kind}: O_DIRECTORY, or 0 for a file. */
int landlock_allow(int ruleset, const char *path, int kind, uint64_t access, struct diag *reterr);
/* Hold this process to them, unless ${err} says that they are not whole; closes the descriptor. Returns ${err} or its own. */
int landlock_enter(int ruleset, int err, struct diag *reterr);

#endif
