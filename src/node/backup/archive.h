/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The file of a backup: several files in a row, signed by the node, compressed,
 * sealed to custodians (node/keys/keys.h).  archive.c tells the format.
 */
#ifndef FW_NODE_ARCHIVE_H
#define FW_NODE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/keys/keys.h"

struct diag;

enum { ARCHIVE_NAME_MAX = 300, ARCHIVE_CHUNK = 65536 };

struct archive_writer;
/* ${out_fd}: an empty file, the caller's. ${to}, ${quorum}, ${label} as in seal_writer_new(). */
int archive_writer_new(int out_fd, const struct custodian_public *to, size_t n, unsigned quorum, const char *label,
		       struct archive_writer **ret, struct diag *reterr);
/* Begin a file. Names are relative, of letters, digits and ._+-@= with single slashes, no part beginning with a dot. */
int archive_begin(struct archive_writer *w, const char *name, struct diag *reterr);
int archive_put(struct archive_writer *w, const void *p, size_t n, struct diag *reterr);
/* A file whole, from an open descriptor at its present position. */
int archive_put_fd(struct archive_writer *w, const char *name, int fd, struct diag *reterr);
/* Sign what was written, end, sync. Without it a reader refuses the file. */
int archive_end(struct archive_writer *w, const struct node_keys *keys, struct diag *reterr);
/* Plain bytes taken so far. */
uint64_t archive_taken(const struct archive_writer *w);
void archive_writer_free(struct archive_writer *w);

struct archive_reader;
/* Opens it with custodians' secret keys. FW_EDENIED when they do not suffice. */
int archive_reader_new(int in_fd, const uint8_t (*sks)[KEY_BYTES], size_t n, struct archive_reader **ret,
		       struct diag *reterr);
const char *archive_label(const struct archive_reader *r);
/*
 * The next file: 1 with its name (valid until the next call), skipping what is
 * left of the one before; 0 at the proper end.  Anybody can seal something to a
 * public key: until archive_signed_by() says so after the end, treat what was read
 * as a stranger's.
 */
int archive_next(struct archive_reader *r, const char **ret_name, struct diag *reterr);
/* Bytes of the present file; *ret_n 0 at its end. */
int archive_get(struct archive_reader *r, void *out, size_t cap, size_t *ret_n, struct diag *reterr);
/* After the end: whether this node's key signed all of it. 0 or FW_ECRYPTO. */
int archive_signed_by(const struct archive_reader *r, const uint8_t pk[KEY_ED_PK], struct diag *reterr);
void archive_reader_free(struct archive_reader *r);

/* Whether a name is one that an archive may hold. */
bool archive_name_fits(const char *name);

#endif
