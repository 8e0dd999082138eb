/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * An entry as bytes.
 *
 *     body    = salt (16 random bytes) || content
 *     inner   = SHA-256(body)
 *     leaf    = SHA-256(0x00 || id (16) || writer (16) || counter (u64) || prev (32) || inner (32))
 *
 * prev is the leaf of the same writer's entry before, 32 zero bytes for its
 * first.  Integers are little-endian.
 *
 * The salt is why an erased entry tells nothing: without it, whoever guesses
 * the content could check the guess against the inner hash that stays.
 *
 * Content, version 1:
 *
 *     u8   1
 *     u16  event (src/tbl/ledger_events.tbl)
 *     u8   what follows: bit 0 account, 1 session, 2 purpose, 3 route,
 *          4 subjects, 5 only the number and hash of subjects, 6 detail
 *     16   account
 *     16   session
 *     u8 length, purpose
 *     u8 length, route
 *     u32 number, then 16 bytes each          (bit 4)
 *     u32 number, then SHA-256 of all of them (bit 5)
 *     u16 length, detail: the text of a JSON object
 *
 * Worked example: event 3 of an account, nothing else, is 20 bytes:
 *     01 0300 01 <16 bytes of the account>
 */
#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/utf8.h"
#include "node/ledger/ledger_int.h"

enum {
	HAS_ACCOUNT = 1 << 0,
	HAS_SESSION = 1 << 1,
	HAS_PURPOSE = 1 << 2,
	HAS_ROUTE = 1 << 3,
	HAS_SUBJECTS = 1 << 4,
	HAS_SUBJECT_HASH = 1 << 5,
	HAS_DETAIL = 1 << 6,
};

static unsigned parts_of(const struct ledger_note *n)
{
	return (uuid_is_nil(&n->account) ? 0u : HAS_ACCOUNT) | (uuid_is_nil(&n->session) ? 0u : HAS_SESSION) |
	       (n->purpose == NULL ? 0u : HAS_PURPOSE) | (n->route == NULL ? 0u : HAS_ROUTE) |
	       (n->nsubjects == 0 ? 0u : n->nsubjects > LEDGER_SUBJECTS_INLINE ? HAS_SUBJECT_HASH : HAS_SUBJECTS) |
	       (n->detail == NULL ? 0u : HAS_DETAIL);
}

static int check_note(const struct ledger_note *n, struct diag *reterr)
{
	if (n->event < 0 || n->event > UINT16_MAX)
		return diag_set(reterr, FW_EINVALID, "a ledger entry with event %d", n->event);
	if ((n->purpose != NULL && strlen(n->purpose) > LEDGER_CODE_MAX) ||
	    (n->route != NULL && strlen(n->route) > LEDGER_CODE_MAX))
		return diag_set(reterr, FW_EINVALID, "a purpose or route longer than %d bytes", LEDGER_CODE_MAX);
	if (n->detail != NULL && strlen(n->detail) > LEDGER_DETAIL_MAX)
		return diag_set(reterr, FW_EINVALID, "a ledger entry's detail is longer than %d bytes",
				LEDGER_DETAIL_MAX);
	if (n->nsubjects > UINT32_MAX)
		return diag_set(reterr, FW_EINVALID, "a ledger entry with too many subjects");
	return 0;
}

static void put_code(struct buf *b, const char *s)
{
	size_t n = strlen(s);
	buf_u8(b, (uint8_t)n);
	buf_put(b, s, n);
}

static void put_subjects(struct buf *b, const struct ledger_note *note, unsigned parts)
{
	const uint8_t *ids = (const uint8_t *)note->subjects; /* struct uuid is its 16 bytes */
	_Static_assert(sizeof(struct uuid) == 16, "identifiers lie one after the other");
	if ((parts & (HAS_SUBJECTS | HAS_SUBJECT_HASH)) == 0)
		return;
	buf_u32(b, (uint32_t)note->nsubjects);
	if (parts & HAS_SUBJECTS) {
		buf_put(b, ids, note->nsubjects * 16);
	} else {
		uint8_t h[LEDGER_HASH];
		(void)crypto_hash_sha256(h, ids, note->nsubjects * 16);
		buf_put(b, h, sizeof(h));
	}
}

int ledger_content_put(struct buf *out, const struct ledger_note *note, struct diag *reterr)
{
	int err = check_note(note, reterr);
	if (err < 0)
		return err;
	unsigned parts = parts_of(note);
	buf_u8(out, 1);
	buf_u16(out, (uint16_t)note->event);
	buf_u8(out, (uint8_t)parts);
	if (parts & HAS_ACCOUNT)
		buf_put(out, note->account.b, 16);
	if (parts & HAS_SESSION)
		buf_put(out, note->session.b, 16);
	if (parts & HAS_PURPOSE)
		put_code(out, note->purpose);
	if (parts & HAS_ROUTE)
		put_code(out, note->route);
	put_subjects(out, note, parts);
	if (parts & HAS_DETAIL) {
		size_t n = strlen(note->detail);
		buf_u16(out, (uint16_t)n);
		buf_put(out, note->detail, n);
	}
	return buf_failed(out) ? diag_set(reterr, out->error, "a ledger entry does not fit") : 0;
}

static void get_code(struct cursor *c, char out[LEDGER_CODE_MAX + 1])
{
	size_t n = cur_u8(c);
	const uint8_t *p = cur_take(c, n);
	if (p == NULL)
		return;
	if (n > LEDGER_CODE_MAX || memchr(p, 0, n) != NULL || !utf8_valid((const char *)p, n)) {
		cur_fail(c, FW_EFORMAT);
		return;
	}
	memcpy(out, p, n);
	out[n] = '\0';
}

static void get_subjects(struct cursor *c, unsigned parts, struct ledger_content *ret)
{
	if ((parts & (HAS_SUBJECTS | HAS_SUBJECT_HASH)) == 0)
		return;
	ret->nsubjects = cur_u32(c);
	if ((parts & HAS_SUBJECT_HASH) != 0)
		ret->subjects_hash = cur_take(c, LEDGER_HASH);
	else if (ret->nsubjects > LEDGER_SUBJECTS_INLINE)
		cur_fail(c, FW_EFORMAT);
	else
		ret->subjects = cur_take(c, (size_t)ret->nsubjects * 16);
}

int ledger_content_get(const void *p, size_t n, struct ledger_content *ret)
{
	struct ledger_content r = { 0 };
	struct cursor c;
	cur_init(&c, p, n);
	uint8_t version = cur_u8(&c);
	if (cur_error(&c) == 0 && version != 1)
		return version == 0 ? FW_EFORMAT : FW_ENEWER;
	r.event = cur_u16(&c);
	unsigned parts = cur_u8(&c);
	if ((parts & 0x80) != 0 || (parts & (HAS_SUBJECTS | HAS_SUBJECT_HASH)) == (HAS_SUBJECTS | HAS_SUBJECT_HASH))
		cur_fail(&c, FW_EFORMAT);
	if (parts & HAS_ACCOUNT)
		cur_copy(&c, r.account.b, 16);
	if (parts & HAS_SESSION)
		cur_copy(&c, r.session.b, 16);
	if (parts & HAS_PURPOSE)
		get_code(&c, r.purpose);
	if (parts & HAS_ROUTE)
		get_code(&c, r.route);
	get_subjects(&c, parts, &r);
	if (parts & HAS_DETAIL) {
		r.detail_len = cur_u16(&c);
		r.detail = cur_take(&c, r.detail_len);
	}
	int err = cur_end(&c);
	if (err == 0 && (r.detail_len > LEDGER_DETAIL_MAX ||
			 (r.detail != NULL && !utf8_valid((const char *)r.detail, r.detail_len))))
		err = FW_EFORMAT;
	if (err == 0)
		*ret = r;
	return err;
}

void ledger_inner_hash(const void *body, size_t n, struct ledger_hash *ret)
{
	(void)crypto_hash_sha256(ret->b, body, n);
}

void ledger_leaf_hash(const struct uuid *id, const struct uuid *writer, uint64_t counter,
		      const struct ledger_hash *prev, const struct ledger_hash *inner, struct ledger_hash *ret)
{
	uint8_t b[1 + 16 + 16 + 8 + LEDGER_HASH + LEDGER_HASH] = { 0 };
	memcpy(b + 1, id->b, 16);
	memcpy(b + 17, writer->b, 16);
	for (int i = 0; i < 8; i++)
		b[33 + i] = (uint8_t)(counter >> (8 * i));
	memcpy(b + 41, prev->b, LEDGER_HASH);
	memcpy(b + 73, inner->b, LEDGER_HASH);
	(void)crypto_hash_sha256(ret->b, b, sizeof(b));
}

usec_t ledger_id_time(const struct uuid *id)
{
	uint64_t ms = 0;
	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id->b[i];
	uint64_t part = (uint64_t)(id->b[6] & 0x0f) << 8 | id->b[7]; /* 4096ths of a millisecond */
	return (usec_t)(ms * 1000 + part * 1000 / 4096);
}
