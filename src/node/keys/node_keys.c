/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * node.key, the root of a node's secrets.
 *
 *     0   7  "FWNODEK"
 *     7   1  '1', the version
 *     8  32  root key, random
 *    40  32  public signing key (Ed25519)
 *    72  24  nonce
 *    96  48  seed of the signing pair, sealed
 *   144      the end
 *
 * The seed is sealed (XChaCha20-Poly1305) under a key derived from the root,
 * bound to the first eight bytes and the public key.  That adds no secrecy in
 * a file that also holds the root; it makes every bit of the file checked: a
 * change of root, public key, nonce or seed fails the seal.
 *
 * Derived keys are BLAKE2b(key = root, "fairway key 1:" WHAT).  The list of
 * what may be derived is closed, so that a slip of the pen makes an error and
 * not a key.
 *
 * The file is never encrypted under a passphrase: a node in a border post must
 * come up by itself after a power cut.  docs/security-ledger.md says what
 * follows from that.
 */
#include "node/keys/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "node/keys/keys_int.h"

#define MAGIC "FWNODEK"
enum {
	AT_VERSION = 7,
	AT_ROOT = 8,
	AT_PK = AT_ROOT + KEY_BYTES,
	AT_NONCE = AT_PK + KEY_ED_PK,
	AT_SEED = AT_NONCE + 24,
};
_Static_assert(AT_SEED + 32 + 16 == NODE_KEY_FILE, "layout of node.key");

int keys_start(void)
{
	return sodium_init() < 0 ? FW_ECRYPTO : 0;
}

static void derive(const uint8_t root[KEY_BYTES], const char *what, uint8_t ret[KEY_BYTES])
{
	static const char context[] = "fairway key 1:";
	crypto_generichash_state st;
	(void)crypto_generichash_init(&st, root, KEY_BYTES, KEY_BYTES);
	(void)crypto_generichash_update(&st, (const uint8_t *)context, sizeof(context) - 1);
	(void)crypto_generichash_update(&st, (const uint8_t *)what, strlen(what));
	(void)crypto_generichash_final(&st, ret, KEY_BYTES);
	sodium_memzero(&st, sizeof(st));
}

int node_keys_derive(const struct node_keys *k, const char *what, uint8_t ret[KEY_BYTES])
{
	static const char *const known[] = { "strategic", "operational", "protection", "house", "ticket" };
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(what, known[i]) == 0) {
			derive(k->root, what, ret);
			return 0;
		}
	}
	return FW_EINVALID;
}

/* What the seal binds besides the seed. */
static void bound_bytes(const uint8_t *file, uint8_t ad[AT_ROOT + KEY_ED_PK])
{
	memcpy(ad, file, AT_ROOT);
	memcpy(ad + AT_ROOT, file + AT_PK, KEY_ED_PK);
}

/* ${file} and ${k} are in sodium_malloc memory. */
static void fill(uint8_t *file, struct node_keys *k)
{
	uint8_t key[KEY_BYTES], ad[AT_ROOT + KEY_ED_PK];
	memcpy(file, MAGIC, AT_VERSION);
	file[AT_VERSION] = '1';
	randombytes_buf(file + AT_ROOT, KEY_BYTES);
	(void)crypto_sign_keypair(k->pk, k->sk);
	memcpy(file + AT_PK, k->pk, KEY_ED_PK);
	randombytes_buf(file + AT_NONCE, AT_SEED - AT_NONCE);
	derive(file + AT_ROOT, "signing", key);
	bound_bytes(file, ad);
	/* An Ed25519 secret key is its seed followed by the public key. */
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(file + AT_SEED, NULL, k->sk, 32, ad, sizeof(ad),
							 NULL, file + AT_NONCE, key);
	sodium_memzero(key, sizeof(key));
}

int node_keys_create(const char *path, struct diag *reterr)
{
	uint8_t *file = sodium_malloc(NODE_KEY_FILE);
	struct node_keys *k = sodium_malloc(sizeof(*k));
	int err = -ENOMEM;
	if (file == NULL || k == NULL) {
		(void)diag_set(reterr, err, "no memory for the keys of the node");
	} else {
		fill(file, k);
		err = io_create_file(path, file, NODE_KEY_FILE, 0600, reterr);
	}
	sodium_free(file);
	sodium_free(k);
	return err;
}

int node_keys_parse(const uint8_t *file, size_t n, struct node_keys *out, struct diag *reterr)
{
	if (n < AT_ROOT || memcmp(file, MAGIC, AT_VERSION) != 0)
		return diag_set(reterr, FW_EFORMAT, "this is no node.key");
	if (file[AT_VERSION] != '1')
		return diag_set(reterr, file[AT_VERSION] > '1' && file[AT_VERSION] <= '9' ? FW_ENEWER : FW_EFORMAT,
				"node.key is of a version that this program does not know");
	if (n != NODE_KEY_FILE)
		return diag_set(reterr, n < NODE_KEY_FILE ? FW_ETRUNC : FW_EFORMAT,
				"node.key must have %d bytes", NODE_KEY_FILE);
	uint8_t key[KEY_BYTES], ad[AT_ROOT + KEY_ED_PK], seed[32];
	derive(file + AT_ROOT, "signing", key);
	bound_bytes(file, ad);
	int bad = crypto_aead_xchacha20poly1305_ietf_decrypt(seed, NULL, NULL, file + AT_SEED, 48, ad,
							     sizeof(ad), file + AT_NONCE, key);
	if (!bad) {
		memcpy(out->root, file + AT_ROOT, KEY_BYTES);
		(void)crypto_sign_seed_keypair(out->pk, out->sk, seed);
		bad = sodium_memcmp(out->pk, file + AT_PK, KEY_ED_PK);
	}
	sodium_memzero(key, sizeof(key));
	sodium_memzero(seed, sizeof(seed));
	if (bad) {
		sodium_memzero(out, sizeof(*out));
		return diag_set(reterr, FW_ECRYPTO, "node.key was changed or damaged");
	}
	return 0;
}

/* One byte more than it should have, so that a longer file shows. */
static int read_file(int fd, uint8_t *out, size_t *ret_n)
{
	size_t n = 0;
	while (n < NODE_KEY_FILE + 1) {
		ssize_t r = read(fd, out + n, NODE_KEY_FILE + 1 - n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		n += (size_t)r;
	}
	*ret_n = n;
	return 0;
}

static int check_mode(int fd, struct diag *reterr)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return diag_set(reterr, -errno, "node.key cannot be looked at");
	if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
		return diag_set(reterr, FW_EDENIED,
				"node.key can be read by others (mode %04o): chmod 600, and think about who read it",
				(unsigned)(st.st_mode & 07777));
	return 0;
}

int node_keys_load_fd(int fd, struct node_keys **ret, struct diag *reterr)
{
	uint8_t *file = sodium_malloc(NODE_KEY_FILE + 1);
	struct node_keys *k = sodium_malloc(sizeof(*k));
	size_t n = 0;
	int err;
	if (file == NULL || k == NULL) {
		err = diag_set(reterr, -ENOMEM, "no memory for the keys of the node");
		goto out;
	}
	err = check_mode(fd, reterr);
	if (err == 0 && (err = read_file(fd, file, &n)) < 0)
		(void)diag_set(reterr, err, "node.key cannot be read");
	if (err == 0)
		err = node_keys_parse(file, n, k, reterr);
	if (err == 0)
		err = sodium_mprotect_readonly(k) < 0 ? diag_set(reterr, -errno, "no protected memory") : 0;
out:
	sodium_free(file);
	if (err < 0) {
		sodium_free(k);
		return err;
	}
	*ret = k;
	return 0;
}

int node_keys_load(const char *path, struct node_keys **ret, struct diag *reterr)
{
	IO_AUTOCLOSE int fd = io_open(path, O_RDONLY | O_NOCTTY, 0);
	if (fd < 0)
		return diag_set(reterr, fd, "%s: cannot be opened", path);
	int err = node_keys_load_fd(fd, ret, reterr);
	if (err < 0)
		diag_place(reterr, "%s", path);
	return err;
}

void node_keys_free(struct node_keys *k)
{
	sodium_free(k); /* wipes */
}

void node_keys_public(const struct node_keys *k, uint8_t pk[KEY_ED_PK])
{
	memcpy(pk, k->pk, KEY_ED_PK);
}

void node_keys_sign(const struct node_keys *k, const void *msg, size_t n, uint8_t sig[64])
{
	(void)crypto_sign_detached(sig, NULL, msg, n, k->sk);
}

const uint8_t *node_keys_secret(const struct node_keys *k)
{
	return k->sk;
}
