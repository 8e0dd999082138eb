/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A line an erasure:
 *
 *     2026-11-25T04:57:03.123456Z report.incident UUID UUID CODE
 *
 * CODE is the hex of BLAKE2b-128 under a key derived from the vault's data
 * key, over the code of the line before (16 zero bytes for the first) and this
 * line up to its last blank.  So lines cannot be added, changed, moved or left out
 * in between by somebody without the vault's key.  Lines cut off at the end do not
 * show here; the ledger has an entry for each erasure.
 *
 * A power cut may leave the last line without its end: its erasure was not
 * committed, and the next append cuts it off.
 */
#include "node/backup/erasures.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"

enum { CODE = 16, CODE_TEXT = 2 * CODE, LINE_MAX_LEN = 27 + 1 + ERASURE_KIND_MAX + 1 + 37 + 37 + CODE_TEXT + 1 };

static void journal_key(const uint8_t vault_key[32], uint8_t ret[32])
{
	static const char context[] = "fairway erasures 1";
	(void)crypto_generichash(ret, 32, (const uint8_t *)context, sizeof(context) - 1, vault_key, 32);
}

static void code_of(const uint8_t key[32], const uint8_t prev[CODE], const char *line, size_t n, uint8_t ret[CODE])
{
	crypto_generichash_state st;
	(void)crypto_generichash_init(&st, key, 32, CODE);
	(void)crypto_generichash_update(&st, prev, CODE);
	(void)crypto_generichash_update(&st, (const uint8_t *)line, n);
	(void)crypto_generichash_final(&st, ret, CODE);
	sodium_memzero(&st, sizeof(st));
}

static bool kind_fits(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz._");
	return n > 0 && n <= ERASURE_KIND_MAX && s[n] == '\0';
}

/* The last whole line's code out of the file's end, and where that line ends. */
static int last_code(int fd, uint8_t code[CODE], uint64_t *ret_end, struct diag *reterr)
{
	char tail[4 * LINE_MAX_LEN];
	struct stat st;
	size_t n;
	if (fstat(fd, &st) < 0)
		return diag_set(reterr, -errno, "the journal of erasures cannot be read: %s", err_text(-errno));
	off_t from = st.st_size > (off_t)sizeof(tail) ? st.st_size - (off_t)sizeof(tail) : 0;
	ssize_t got = pread(fd, tail, sizeof(tail), from);
	if (got < 0)
		return diag_set(reterr, -errno, "the journal of erasures cannot be read: %s", err_text(-errno));
	memset(code, 0, CODE);
	const char *nl = memrchr(tail, '\n', (size_t)got);
	*ret_end = nl == NULL ? 0 : (uint64_t)from + (uint64_t)(nl - tail) + 1;
	if (nl == NULL)
		return from == 0 ? 0 : diag_set(reterr, FW_ETAMPERED, "the journal of erasures has no lines");
	if (nl - tail < CODE_TEXT ||
	    sodium_hex2bin(code, CODE, nl - CODE_TEXT, CODE_TEXT, NULL, &n, NULL) != 0 || n != CODE)
		return diag_set(reterr, FW_ETAMPERED, "the last line of the journal of erasures was changed");
	return 0;
}

static size_t format_line(const struct erasure *e, const uint8_t key[32], const uint8_t prev[CODE],
			  char out[LINE_MAX_LEN + 1])
{
	char at[TIME_TEXT_LEN + 1], id[2][UUID_TEXT_LEN + 1], hex[CODE_TEXT + 1];
	uint8_t code[CODE];
	time_format(e->at, at);
	uuid_format(&e->id[0], id[0]);
	uuid_format(&e->id[1], id[1]);
	int n = snprintf(out, LINE_MAX_LEN + 1, "%s %s %s %s ", at, e->kind, id[0], id[1]);
	code_of(key, prev, out, (size_t)n, code);
	(void)sodium_bin2hex(hex, sizeof(hex), code, CODE);
	return (size_t)(n + snprintf(out + n, LINE_MAX_LEN + 1 - (size_t)n, "%s\n", hex));
}

static int append_line(int fd, const uint8_t vault_key[32], const struct erasure *e, struct diag *reterr)
{
	uint8_t prev[CODE], key[32];
	uint64_t end = 0;
	char line[LINE_MAX_LEN + 1];
	int err = last_code(fd, prev, &end, reterr);
	if (err < 0)
		return err;
	journal_key(vault_key, key);
	size_t n = format_line(e, key, prev, line);
	sodium_memzero(key, sizeof(key));
	err = io_truncate(fd, end);
	if (err == 0 && lseek(fd, (off_t)end, SEEK_SET) < 0)
		err = -errno;
	if (err == 0)
		err = io_write(fd, line, n);
	if (err == 0)
		err = io_sync(fd);
	return err < 0 ? diag_set(reterr, err, "the journal of erasures cannot be written: %s", err_text(err)) : 0;
}

int erasures_append(const char *path, const uint8_t vault_key[32], const struct erasure *e, struct diag *reterr)
{
	char folder[4096];
	const char *slash = strrchr(path, '/');
	if (!kind_fits(e->kind))
		return diag_set(reterr, FW_EINVALID, "this is no kind of erasure");
	int n = snprintf(folder, sizeof(folder), "%.*s", slash == NULL ? 1 : (int)(slash - path), slash == NULL ? "." : path);
	if (n < 0 || (size_t)n >= sizeof(folder))
		return diag_set(reterr, -ENAMETOOLONG, "the path of the journal of erasures is too long");
	int fd = io_open(path, O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		return diag_set(reterr, fd, "the journal of erasures %s cannot be opened: %s", path, err_text(fd));
	int err = append_line(fd, vault_key, e, reterr);
	int closed = io_close(fd);
	if (err == 0 && closed < 0)
		err = diag_set(reterr, closed, "the journal of erasures cannot be written: %s", err_text(closed));
	/* Each time: the name may be new, or its folder's last sync may have failed. */
	if (err == 0 && (err = io_sync_dir(folder)) < 0)
		(void)diag_set(reterr, err, "the journal of erasures cannot be written: %s", err_text(err));
	return err;
}

/* The word up to ${stop} copied into ${out}; the place behind it, or NULL. */
static const char *take_word(const char *p, const char *end, char stop, char *out, size_t cap)
{
	const char *q = memchr(p, stop, (size_t)(end - p));
	if (q == NULL || (size_t)(q - p) >= cap || memchr(p, 0, (size_t)(q - p)) != NULL)
		return NULL;
	memcpy(out, p, (size_t)(q - p));
	out[q - p] = '\0';
	return q + 1;
}

/* A line with its newline. */
static int parse_line(const char *p, size_t n, const uint8_t key[32], uint8_t code[CODE], struct erasure *ret)
{
	char at[TIME_TEXT_LEN + 1], id[2][UUID_TEXT_LEN + 1], hex[CODE_TEXT + 1];
	char right[CODE_TEXT + 1];
	uint8_t want[CODE];
	const char *end = p + n, *q = take_word(p, end, ' ', at, sizeof(at));
	if (q != NULL)
		q = take_word(q, end, ' ', ret->kind, sizeof(ret->kind));
	if (q != NULL)
		q = take_word(q, end, ' ', id[0], sizeof(id[0]));
	if (q != NULL)
		q = take_word(q, end, ' ', id[1], sizeof(id[1]));
	if (q == NULL)
		return FW_EFORMAT;
	code_of(key, code, p, (size_t)(q - p), want);
	q = take_word(q, end, '\n', hex, sizeof(hex));
	if (q != end || time_parse(at, &ret->at) < 0 || !kind_fits(ret->kind) || uuid_parse(id[0], &ret->id[0]) < 0 ||
	    uuid_parse(id[1], &ret->id[1]) < 0)
		return FW_EFORMAT;
	(void)sodium_bin2hex(right, sizeof(right), want, CODE);
	if (strlen(hex) != CODE_TEXT || sodium_memcmp(hex, right, CODE_TEXT) != 0)
		return FW_ETAMPERED;
	memcpy(code, want, CODE);
	return 0;
}

int erasures_walk(const void *text, size_t n, const uint8_t vault_key[32],
		  int (*each)(void *arg, const struct erasure *e, struct diag *reterr), void *arg, size_t *ret_n,
		  struct diag *reterr)
{
	const char *p = text, *end = p + n;
	uint8_t key[32], code[CODE] = { 0 };
	size_t lines = 0;
	int err = 0;
	journal_key(vault_key, key);
	for (const char *nl; err == 0 && p < end && (nl = memchr(p, '\n', (size_t)(end - p))) != NULL; p = nl + 1) {
		struct erasure e;
		err = parse_line(p, (size_t)(nl + 1 - p), key, code, &e);
		lines++;
		if (err < 0) {
			diag_place(reterr, "line %zu of the journal of erasures", lines);
			err = diag_set(reterr, FW_ETAMPERED,
				       "it was changed, or a line before it is missing, or it is of another vault");
		} else {
			err = each(arg, &e, reterr);
		}
	}
	sodium_memzero(key, sizeof(key));
	*ret_n = lines;
	return err;
}
