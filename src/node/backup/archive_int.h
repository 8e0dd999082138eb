/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The records of an archive without seal and compression, for archive.c and its fuzz target. */
#ifndef FW_NODE_ARCHIVE_INT_H
#define FW_NODE_ARCHIVE_INT_H

#include <sodium.h>

#include "node/backup/archive.h"

/* Reads records from ${pull}, which gives up to ${cap} bytes and 0 at the end. */
struct records {
	int (*pull)(void *arg, void *out, size_t cap, size_t *ret_n, struct diag *reterr);
	void *arg;
	int error;         /* sticky */
	bool begun, ended; /* the magic was read; the end was */
	bool in_file;
	uint32_t left;     /* of the present chunk */
	char name[ARCHIVE_NAME_MAX + 1];
	uint8_t sig[64];   /* valid after the end */
	uint8_t hash[32];
	crypto_generichash_state st; /* over everything before the signature */
};
void records_init(struct records *r, int (*pull)(void *arg, void *out, size_t cap, size_t *ret_n, struct diag *reterr),
		  void *arg);
int records_next(struct records *r, const char **ret_name, struct diag *reterr);
int records_get(struct records *r, void *out, size_t cap, size_t *ret_n, struct diag *reterr);

#endif
