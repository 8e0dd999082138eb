/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * gzip (RFC 1952) unpacked as it streams, with limits against files that
 * unpack to more than anybody meant: a total, and a ratio once the first
 * megabyte is out.  Several members one after another are one file, as gzip
 * itself has it; anything else after a member is an error.
 */
#ifndef FW_CODEC_GZ_H
#define FW_CODEC_GZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diag;
struct gz;

enum { GZ_RATIO_MAX = 200 };

/* Whether the ${n} first bytes of a file are gzip's. */
bool gz_recognised(const uint8_t *p, size_t n);

/* ${max}: bytes it may unpack to in all. */
int gz_new(uint64_t max, struct gz **ret);
void gz_free(struct gz *g); /* NULL allowed */
/*
 * Unpack from *p, *n (moved past what was used) into ${out}, at most ${cap}
 * bytes; *ret_n says how many.  Call again while it fills ${out} or *n > 0.
 * FW_EFORMAT, FW_ELIMIT, -ENOMEM.
 */
int gz_next(struct gz *g, const uint8_t **p, size_t *n, uint8_t *out, size_t cap, size_t *ret_n,
	    struct diag *reterr);
/* After the last bytes: 0, or FW_ETRUNC if the file ends inside a member. */
int gz_end(const struct gz *g, struct diag *reterr);

#endif
