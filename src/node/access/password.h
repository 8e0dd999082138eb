/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Passwords: what is accepted, how it is kept, how it is computed.
 *
 * Kept as Argon2id strings ("$argon2id$v=19$m=...").  Memory and passes come
 * from the settings session.argon2_mib and session.argon2_passes and never go below
 * 46 MiB and one pass (OWASP's password storage advice); a hash made under
 * other settings is made anew at the next log-in.
 *
 * A log-in under a name that does not exist computes just as long, against a
 * string that no password fits.
 */
#ifndef FW_NODE_ACCESS_PASSWORD_H
#define FW_NODE_ACCESS_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct diag;

enum {
	PASSWORD_CHARS_MIN = 12,
	PASSWORD_BYTES_MAX = 1024,
	PASSWORD_HASH = 128, /* room for the string with its NUL */
	PASSWORD_GIVEN = 19, /* characters of a password that the house makes */
	PASSWORD_MIB_MIN = 46,
	PASSWORD_OPS_MIN = 1,
};

struct password_params {
	unsigned ops; /* passes */
	unsigned mib;
};
/* Raised to the floor. */
struct password_params password_params(int64_t ops, int64_t mib);

/* -ENOMEM when the machine has not the memory. */
int password_hash(const char *password, struct password_params p, char out[PASSWORD_HASH]);
/* 0, FW_EAUTH for the wrong one; -ENOMEM and FW_EFORMAT (no hash of ours): then nothing is known.
 */
int password_verify(const char *hash, const char *password);
/* Whether ${hash} was made under other settings. */
bool password_outdated(const char *hash, struct password_params p);
/* A string of the right form and cost that no password fits. */
void password_dummy(struct password_params p, char out[PASSWORD_HASH]);

/*
 * 0, or FW_EINVALID with words: too short (12 characters, whatever they are),
 * among the commonest, one character or a run over and over, or made of the
 * account's name.  No rule asks for digits or signs.
 */
int password_acceptable(const char *password, const char *login, struct diag *reterr);

/* A password to be handed over: 80 bits in four groups. */
void password_given(char out[PASSWORD_GIVEN + 1]);

/*
 * The slow work of one request for call_defer(): verify ${hash} against
 * ${password} if both are there; then, if that went well (or there was nothing
 * to verify), make ${made} of ${next}, or of ${password} when ${next} is NULL
 * and the hash is outdated.  Touches nothing but itself.
 */
struct password_job {
	struct password_params params;
	const char *hash, *password, *next;
	int verified;             /* as password_verify */
	char made[PASSWORD_HASH]; /* "" if none was wanted */
	int error;                /* 0, -ENOMEM, FW_EFORMAT */
};
/* Strings are copied into ${a}; NULL if it has no room. NULL arguments as above. */
struct password_job *password_job(struct arena *a, struct password_params p, const char *hash,
				  const char *password, const char *next);
void password_job_run(void *job);

#endif
