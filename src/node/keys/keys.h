/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Keys of a node, and sealing.
 *
 *   node.key       root key; opened by the keeper alone; from it (BLAKE2b
 *                  with a context, crypto_kdf) come the vaults' data keys and
 *                  the ticket key; the Ed25519 signing pair is random and sealed by it.
 *   custodian key  X25519 pair made at `fairway init` for each custodian; the
 *                  secret half leaves in a file under the custodian's
 *                  passphrase (Argon2id), the public half stays for backups.
 *
 * Secrets live in sodium_malloc memory and are wiped on every path.
 */
#ifndef FW_NODE_KEYS_H
#define FW_NODE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct diag;

enum {
	KEY_BYTES = 32,
	KEY_ED_PK = 32,
	KEY_ED_SK = 64,
	SEAL_OVERHEAD = 40, /* 24 nonce + 16 tag */
};

/* Call once in each process before anything of keys, access or ledger. */
int keys_start(void);

struct node_keys; /* the keeper's; sodium_malloc */

/* Make a new root key and signing pair and write ${path} (0600, synced, never overwrites). */
int node_keys_create(const char *path, struct diag *reterr);
int node_keys_load(const char *path, struct node_keys **ret, struct diag *reterr);
/* From an open descriptor: the supervisor opens, the keeper reads inside its sandbox. */
int node_keys_load_fd(int fd, struct node_keys **ret, struct diag *reterr);
void node_keys_free(struct node_keys *k);
void node_keys_public(const struct node_keys *k, uint8_t pk[KEY_ED_PK]);
void node_keys_sign(const struct node_keys *k, const void *msg, size_t n, uint8_t sig[64]);
/* Also gives the signing secret to checkpoint_format through a callback, so that it is never copied out. */
const uint8_t *node_keys_secret(const struct node_keys *k);
/* The data key of a vault ("strategic", "operational", "protection", "house") or the "ticket" key. */
int node_keys_derive(const struct node_keys *k, const char *what, uint8_t ret[KEY_BYTES]);

/* Field encryption: XChaCha20-Poly1305, nonce first, bound to ${ad} (table, column, row id). */
int seal(const uint8_t key[KEY_BYTES], const void *plain, size_t n, const void *ad, size_t nad,
	 struct buf *out);
/* Appends the plain text to ${out}; FW_ECRYPTO if it was changed or moved. */
int unseal(const uint8_t key[KEY_BYTES], const void *sealed, size_t n, const void *ad, size_t nad,
	   struct buf *out);

/* A custodian's pair. */
struct custodian_public {
	char account[128]; /* login name at the time of making */
	uint8_t pk[KEY_BYTES];
};
/* Makes a pair; the secret file's text (armoured, Argon2id-wrapped under ${passphrase}) goes to ${ret_file}. */
int custodian_create(const char *account, const char *passphrase, struct custodian_public *ret,
		     struct buf *ret_file, struct diag *reterr);
int custodian_open(const void *file, size_t n, const char *passphrase, uint8_t ret_sk[KEY_BYTES],
		   struct custodian_public *ret, struct diag *reterr);

/* Eight hex digits of BLAKE2b of a public key: to tell keys apart without naming their owners. */
enum { CUSTODIAN_MARK_LEN = 8 };
void custodian_mark(const uint8_t pk[KEY_BYTES], char out[CUSTODIAN_MARK_LEN + 1]);
/*
 * keys/custodians.pub: a line "VAULT ACCOUNT PUBLIC-KEY" (base64) for each
 * custodian; lines that begin with # are remarks.
 */
enum { CUSTODIANS_MAX = 16 /* of one vault */, CUSTODIANS_FILE_MAX = 32768 };
void custodians_put(struct buf *out, const char *vault, const struct custodian_public *c);
/* Those of ${vault}; FW_EFORMAT with the line, FW_ELIMIT above ${cap}. None at all is no error: *ret_n is 0. */
int custodians_parse(const void *text, size_t n, const char *vault, struct custodian_public *ret,
		     size_t cap, size_t *ret_n, struct diag *reterr);

/*
 * A sealed stream: header, then 64 KiB chunks by crypto_secretstream under a
 * random key.  The key is wrapped to custodians: with ${quorum} 1 each may
 * open it alone; with 2, any two together (one XOR share pair for each pair of
 * custodians) and none alone.
 */
struct seal_writer;
int seal_writer_new(int out_fd, const struct custodian_public *to, size_t n, unsigned quorum,
		    const char *label, struct seal_writer **ret, struct diag *reterr);
int seal_writer_put(struct seal_writer *w, const void *p, size_t n, struct diag *reterr);
/* Writes the final tag and syncs. Without it a reader refuses the file as cut short. */
int seal_writer_end(struct seal_writer *w, struct diag *reterr);
void seal_writer_free(struct seal_writer *w);

struct seal_reader;
int seal_reader_new(int in_fd, const uint8_t (*sks)[KEY_BYTES], size_t n,
		    struct seal_reader **ret, struct diag *reterr);
/* Up to ${cap} bytes; *ret_n 0 at the proper end. FW_ECRYPTO, FW_ETRUNC. An error sticks. */
int seal_reader_get(struct seal_reader *r, void *out, size_t cap, size_t *ret_n,
		    struct diag *reterr);
const char *seal_reader_label(const struct seal_reader *r);
void seal_reader_free(struct seal_reader *r);

#endif
