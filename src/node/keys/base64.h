/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Base64 (RFC 4648 section 4, with padding), read strictly: the alphabet and
 * nothing else, so that one sequence of bytes has one text.  libsodium 1.0.18
 * takes some bytes above 0x7f for letters.
 */
#ifndef FW_NODE_BASE64_H
#define FW_NODE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decode all of ${text}; with ${lines} line ends are passed over. 0 or FW_EFORMAT; more than ${cap} bytes is FW_EFORMAT too. */
int base64_read(const char *text, size_t n, bool lines, uint8_t *out, size_t cap, size_t *ret_n);

#endif
