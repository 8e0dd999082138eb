/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The pure parsers of node/keys, for the files of this folder, their tests and their fuzz targets. */
#ifndef FW_NODE_KEYS_INT_H
#define FW_NODE_KEYS_INT_H

#include <stddef.h>
#include <stdint.h>

#include "node/keys/keys.h"

enum {
	NODE_KEY_FILE = 144,    /* bytes of node.key, exactly */
	CUSTODIAN_FILE_MAX = 8192,
	SEAL_CHUNK = 65536,     /* plain bytes of a chunk */
	SEAL_CHUNK_SEALED = SEAL_CHUNK + 17,
	SEAL_WRAPPED = 80,      /* crypto_box_seal of 32 bytes */
	SEAL_PREFIX = 12,       /* magic and length of the head */
	SEAL_LABEL_MAX = 200,
	SEAL_STREAM_HEADER = 24,
	SEAL_HEAD_MAX = 3 + 4 + SEAL_LABEL_MAX + CUSTODIANS_MAX * KEY_BYTES +
			CUSTODIANS_MAX * (CUSTODIANS_MAX - 1) * SEAL_WRAPPED + SEAL_STREAM_HEADER,
};

/* What node.key holds: opened in place. ${out} is in sodium_malloc memory. */
struct node_keys {
	uint8_t root[KEY_BYTES];
	uint8_t sk[KEY_ED_SK];
	uint8_t pk[KEY_ED_PK];
};
int node_keys_parse(const uint8_t *file, size_t n, struct node_keys *out, struct diag *reterr);

/* A custodian file with the armour off, before any passphrase. */
struct custodian_file {
	uint32_t passes, memory_kib; /* of Argon2id, within our limits */
	uint8_t salt[16];
	uint8_t nonce[24];
	struct custodian_public who;
	uint8_t sealed[KEY_BYTES + 16];
	uint8_t raw[512]; /* everything, and how much of it the seal binds */
	size_t bound;
};
int custodian_parse(const void *file, size_t n, struct custodian_file *ret, struct diag *reterr);

/* The head of a sealed stream; pointers into the bytes parsed. */
struct seal_head {
	unsigned quorum, ncustodians;
	char label[SEAL_LABEL_MAX + 1];
	const uint8_t *pks;     /* ncustodians times KEY_BYTES */
	const uint8_t *wrapped; /* seal_wraps() times SEAL_WRAPPED */
	const uint8_t *stream_header;
};
/* ${p}: what follows the prefix. */
int seal_head_parse(const uint8_t *p, size_t n, struct seal_head *ret, struct diag *reterr);
/* Wrapped pieces for ${n} custodians: one each, or two for each pair. */
size_t seal_wraps(unsigned quorum, size_t n);

#endif
