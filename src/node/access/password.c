/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/access/password.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "node/access/totp.h"

struct password_params password_params(int64_t ops, int64_t mib)
{
	const int64_t ops_max = 100, mib_max = 4096;
	struct password_params p = {.ops = PASSWORD_OPS_MIN, .mib = PASSWORD_MIB_MIN};
	if (ops > PASSWORD_OPS_MIN)
		p.ops = (unsigned)(ops < ops_max ? ops : ops_max);
	if (mib > PASSWORD_MIB_MIN)
		p.mib = (unsigned)(mib < mib_max ? mib : mib_max);
	return p;
}

static size_t memory(struct password_params p)
{
	return (size_t)p.mib << 20;
}

int password_hash(const char *password, struct password_params p, char out[PASSWORD_HASH])
{
	_Static_assert(crypto_pwhash_STRBYTES == PASSWORD_HASH, "libsodium's size");
	return crypto_pwhash_str_alg(out, password, strlen(password), p.ops, memory(p),
				     crypto_pwhash_ALG_ARGON2ID13) == 0
		       ? 0
		       : -ENOMEM;
}

int password_verify(const char *hash, const char *password)
{
	if (strncmp(hash, crypto_pwhash_argon2id_STRPREFIX,
		    strlen(crypto_pwhash_argon2id_STRPREFIX)) != 0)
		return FW_EFORMAT;
	/* With the right beginning libsodium says EINVAL for the wrong password and for nothing
	 * else. */
	errno = 0;
	if (crypto_pwhash_str_verify(hash, password, strlen(password)) == 0)
		return 0;
	return errno == EINVAL ? FW_EAUTH : -ENOMEM;
}

bool password_outdated(const char *hash, struct password_params p)
{
	return crypto_pwhash_str_needs_rehash(hash, p.ops, memory(p)) != 0;
}

void password_dummy(struct password_params p, char out[PASSWORD_HASH])
{
	uint8_t random[16 + 32];
	char salt[23], hash[44]; /* base64 of 16 and 32 bytes without padding */
	randombytes_buf(random, sizeof(random));
	sodium_bin2base64(salt, sizeof(salt), random, 16,
			  sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	sodium_bin2base64(hash, sizeof(hash), random + 16, 32,
			  sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	memset(out, 0, PASSWORD_HASH);
	(void)snprintf(out, PASSWORD_HASH, "$argon2id$v=19$m=%zu,t=%u,p=1$%s$%s", memory(p) / 1024,
		       p.ops, salt, hash);
}

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Whether ${s} is ${unit} (of ${n} bytes) over and over, the last time perhaps cut. */
static bool repeats(const char *s, const char *unit, size_t n)
{
	for (size_t i = 0; s[i] != '\0'; i++)
		if (lower(s[i]) != lower(unit[i % n]))
			return false;
	return true;
}

/* Neighbours everywhere: "abcdefghijkl", "987654321098". */
static bool is_run(const char *s)
{
	bool up = true, down = true;
	for (size_t i = 1; s[i] != '\0'; i++) {
		int step = lower(s[i]) - lower(s[i - 1]);
		up = up && (step == 1 || (s[i - 1] == '9' && s[i] == '0'));
		down = down && (step == -1 || (s[i - 1] == '0' && s[i] == '9'));
	}
	return up || down;
}

/*
 * The roots of what people choose most when twelve characters are asked for.
 * A password is refused when nothing but digits and signs stands around one
 * of them, however its letters are dressed up.
 */
static const char *const common[] = {
	"112233445566",
	"password",
	"passwort",
	"passphrase",
	"mypassword",
	"yourpassword",
	"thepassword",
	"newpassword",
	"oldpassword",
	"passwordpassword",
	"changeme",
	"changemenow",
	"letmein",
	"letmeinnow",
	"pleaseletmein",
	"welcome",
	"welcometo",
	"welcomehome",
	"iloveyou",
	"iloveyousomuch",
	"administrator",
	"admin",
	"adminadmin",
	"superadmin",
	"qwerty",
	"qwertyuiop",
	"qwertyuiopasdf",
	"qwertyqwerty",
	"qwertyasdfgh",
	"qwertyasdfghzxcvbn",
	"asdfghjkl",
	"asdfasdfasdf",
	"zxcvbnm",
	"qazwsxedc",
	"qazwsxedcrfv",
	"qazwsxqazwsx",
	"azerty",
	"azertyuiop",
	"qwertz",
	"qwertzuiop",
	"abc",
	"abcabcabcabc",
	"abcdef",
	"abcd",
	"abcdefghijkl",
	"football",
	"baseball",
	"basketball",
	"superman",
	"batman",
	"spiderman",
	"starwars",
	"dragon",
	"sunshine",
	"princess",
	"monkey",
	"michael",
	"jennifer",
	"trustno",
	"trustnoone",
	"secret",
	"topsecret",
	"mysecret",
	"secretpassword",
	"default",
	"defaultpassword",
	"computer",
	"internet",
	"master",
	"masterpassword",
	"temporary",
	"temppassword",
	"test",
	"testtest",
	"testtesttest",
	"testpassword",
	"login",
	"loginlogin",
	"user",
	"username",
	"guest",
	"root",
	"rootroot",
	"toor",
	"winter",
	"spring",
	"summer",
	"autumn",
	"monday",
	"january",
	"police",
	"border",
	"borderguard",
	"immigration",
	"ministry",
	"government",
	"fairway",
	"fairwayfairway",
	"passwordfairway",
	"fairwaypassword",
	"correcthorsebatterystaple",
	"147258369",
	"123456789",
	"987654321",
	"1qaz2wsx3edc",
	"1q2w3e4r5t6y",
	"q1w2e3r4t5y6",
};

/* Digits and signs that stand for letters. */
static char undress(char c)
{
	static const char from[] = "0134578@$!|+", to[] = "oleastbasiit";
	const char *p = c == '\0' ? NULL : strchr(from, c);
	return p == NULL ? lower(c) : to[p - from];
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (uint8_t)c >= 0x80;
}

/* Whether ${s} is ${root} with only digits and signs before and after it, its letters taken through
 * ${map}. */
static bool is_dressed(const char *s, const char *root, char (*map)(char))
{
	size_t n = strlen(s), m = strlen(root);
	for (size_t at = 0; at + m <= n; at++) {
		size_t i = 0;
		while (i < m && map(s[at + i]) == root[i])
			i++;
		bool around = i == m;
		for (size_t k = at + m; around && k < n; k++)
			around = !is_letter(lower(s[k]));
		if (around)
			return true;
		if (is_letter(lower(s[at])))
			return false;
	}
	return false;
}

static bool is_common(const char *s)
{
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (is_dressed(s, common[i], lower) || is_dressed(s, common[i], undress))
			return true;
	return false;
}

static size_t count_chars(const char *s)
{
	size_t n = 0;
	for (; *s != '\0'; s++)
		n += ((uint8_t)*s & 0xc0) != 0x80;
	return n;
}

int password_acceptable(const char *password, const char *login, struct diag *reterr)
{
	size_t n = strlen(password);
	if (n > PASSWORD_BYTES_MAX || !utf8_valid(password, n))
		return diag_set(reterr, FW_EINVALID, "A password has at most %d bytes of text.",
				PASSWORD_BYTES_MAX);
	if (count_chars(password) < PASSWORD_CHARS_MIN)
		return diag_set(reterr, FW_EINVALID,
				"A password has at least %d characters; several words are easy to "
				"remember.",
				PASSWORD_CHARS_MIN);
	bool few = is_run(password);
	for (size_t unit = 1; unit <= 6; unit++)
		few = few || repeats(password, password, unit);
	if (few || is_common(password))
		return diag_set(
			reterr, FW_EINVALID,
			"This password is among the first that anybody would try; choose another.");
	if (login[0] != '\0' &&
	    (repeats(password, login, strlen(login)) || is_dressed(password, login, lower)))
		return diag_set(reterr, FW_EINVALID, "The account's own name is no password.");
	return 0;
}

void password_given(char out[PASSWORD_GIVEN + 1])
{
	_Static_assert((int)RECOVERY_TEXT == (int)PASSWORD_GIVEN, "the same form");
	recovery_code(out);
}

struct password_job *password_job(struct arena *a, struct password_params p, const char *hash,
				  const char *password, const char *next)
{
	struct password_job *j = arena_alloc(a, sizeof(*j));
	if (j == NULL)
		return NULL;
	*j = (struct password_job){.params = p};
	j->hash = hash != NULL ? arena_strdup(a, hash) : NULL;
	j->password = password != NULL ? arena_strdup(a, password) : NULL;
	j->next = next != NULL ? arena_strdup(a, next) : NULL;
	return arena_failed(a) ? NULL : j;
}

void password_job_run(void *job)
{
	struct password_job *j = job;
	if (j->hash != NULL)
		j->verified = password_verify(j->hash, j->password);
	if (j->verified != 0) {
		j->error = j->verified == FW_EAUTH ? 0 : j->verified;
		return;
	}
	const char *make = j->next;
	if (make == NULL && j->hash != NULL && password_outdated(j->hash, j->params))
		make = j->password;
	if (make != NULL)
		j->error = password_hash(make, j->params, j->made);
}
