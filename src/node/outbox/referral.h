/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A person in need handed over to protection: what crosses from the strategic
 * vault to the protection vault in an outbox row of the kind "referral".  Its
 * subject is the incident; it says nothing of who the person is beyond the
 * words that the officer wrote for the protection officer.
 *
 *   u8 version, u8 needs, each a code of the codebook need, str urgency,
 *   str note, 16 bytes agency, 16 bytes account that handed over
 */
#ifndef FW_NODE_OUTBOX_REFERRAL_H
#define FW_NODE_OUTBOX_REFERRAL_H

#include "base/uuid.h"

struct arena;
struct buf;
struct cursor;

enum { REFERRAL_NEEDS_MAX = 20, REFERRAL_NOTE_MAX = 2000, REFERRAL_VERSION = 1 };

extern const char referral_kind[]; /* of the outbox */

struct referral {
	int need[REFERRAL_NEEDS_MAX]; /* index in the codebook need */
	unsigned nneeds;              /* at least one */
	const char *urgency;          /* now, today, later; static */
	const char *note;             /* "" for none */
	struct uuid agency, account;
};
/* The static text of an urgency, NULL if it is none. */
const char *referral_urgency(const char *s);
/* Append; errors stick in ${b}. */
void referral_put(struct buf *b, const struct referral *r);
/* Believes nothing. 0 with the note in ${a}; FW_EFORMAT, -ENOMEM. */
int referral_get(struct cursor *c, struct referral *ret, struct arena *a);

#endif
