/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/process/front_session.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/err.h"

bool session_hash(const char *text, uint8_t ret[WIRE_TOKEN])
{
	uint8_t token[WIRE_TOKEN];
	size_t n;
	const char *end;
	if (strlen(text) != TOKEN_TEXT ||
	    sodium_base642bin(token, sizeof(token), text, TOKEN_TEXT, NULL, &n, &end,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
	    n != sizeof(token) || *end != '\0')
		return false;
	(void)crypto_hash_sha256(ret, token, sizeof(token));
	sodium_memzero(token, sizeof(token));
	return true;
}

int session_of(const char *authorization, const char *cookie, uint8_t ret[WIRE_TOKEN],
	       bool *ret_bearer)
{
	*ret_bearer = authorization != NULL;
	if (authorization != NULL && cookie != NULL)
		return FW_EFORMAT;
	if (authorization != NULL) {
		if (strncasecmp(authorization, "Bearer ", 7) != 0)
			return FW_EFORMAT;
		return session_hash(authorization + 7, ret) ? 1 : FW_EFORMAT;
	}
	if (cookie == NULL || cookie[0] == '\0')
		return 0;
	/* A cookie left over from something else is like none: the page shows the log-in. */
	return session_hash(cookie, ret) ? 1 : 0;
}

static bool names_host(const char *origin, const char *host)
{
	const char *p = strstr(origin, "://");
	return p != NULL && host != NULL && strcasecmp(p + 3, host) == 0;
}

const char *session_origin(const char *origin, const char *fetch_site, const char *host,
			   bool changes)
{
	if (fetch_site != NULL && strcmp(fetch_site, "same-origin") != 0 &&
	    (changes || strcmp(fetch_site, "none") != 0))
		return "the request comes from another site";
	if (origin != NULL && !names_host(origin, host))
		return "the request comes from another origin";
	return NULL;
}

bool session_csrf(const char *header, const uint8_t token_hash[WIRE_TOKEN])
{
	char want[CSRF_TEXT_LEN + 1];
	if (header == NULL || strlen(header) != CSRF_TEXT_LEN)
		return false;
	csrf_of(token_hash, want);
	return sodium_memcmp(header, want, CSRF_TEXT_LEN) == 0;
}

int tickets_init(struct tickets *t)
{
	t->rows = mem_alloc(TICKETS_MAX * sizeof(*t->rows));
	if (t->rows == NULL)
		return -ENOMEM;
	memset(t->rows, 0, TICKETS_MAX * sizeof(*t->rows));
	return 0;
}

void tickets_release(struct tickets *t)
{
	if (t->rows != NULL)
		tickets_void(t);
	mem_free(t->rows);
	t->rows = NULL;
}

/* Hashes of secret tokens: nobody can aim at a set. */
static struct kept_ticket *set_of(const struct tickets *t, const uint8_t hash[WIRE_TOKEN])
{
	size_t at = (size_t)hash[0] | (size_t)hash[1] << 8;
	return t->rows + at % (TICKETS_MAX / TICKETS_SET) * TICKETS_SET;
}

const struct kept_ticket *tickets_find(const struct tickets *t, const uint8_t hash[WIRE_TOKEN],
				       usec_t now)
{
	const struct kept_ticket *set = set_of(t, hash);
	for (size_t i = 0; i < TICKETS_SET; i++)
		if (set[i].until > now && sodium_memcmp(set[i].hash, hash, WIRE_TOKEN) == 0)
			return &set[i];
	return NULL;
}

void tickets_keep(struct tickets *t, const uint8_t hash[WIRE_TOKEN], const uint8_t *ticket,
		  size_t n, usec_t now)
{
	struct kept_ticket *set = set_of(t, hash), *best = set;
	assert(n <= WIRE_TICKET_MAX);
	for (size_t i = 0; i < TICKETS_SET; i++) {
		if (memcmp(set[i].hash, hash, WIRE_TOKEN) == 0) {
			best = &set[i];
			break;
		}
		if (set[i].until < best->until)
			best = &set[i];
	}
	memcpy(best->hash, hash, WIRE_TOKEN);
	best->len = (uint16_t)n;
	best->until = now + (n > 0 ? TICKET_KEEP : TICKET_KEEP_NONE);
	if (n > 0)
		memcpy(best->bytes, ticket, n);
}

void tickets_void(struct tickets *t)
{
	sodium_memzero(t->rows, TICKETS_MAX * sizeof(*t->rows));
}
