/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The listening socket that the supervisor makes for the front. */
#ifndef FW_CMD_LISTEN_H
#define FW_CMD_LISTEN_H

struct diag;

/*
 * "127.0.0.1:8080", "[::1]:8080", "unix:/run/fairway/http.sock" (with the octal
 * permissions ${mode}).  Bound, listening, close-on-exec, not blocking.  FW_EINVALID
 * for an address that cannot be read; else the system's error with words.
 */
int listen_on(const char *address, const char *mode, int *ret_fd, struct diag *reterr);

#endif
