-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Referrals: persons in need, handed over by other vaults of this node.

-- migration: protect 1
-- vaults: protection
CREATE TABLE protect_referral (
	id UUID NOT NULL PRIMARY KEY, -- the key of the outbox row that brought it
	receipt TEXT NOT NULL UNIQUE CHECK (length(receipt) BETWEEN 8 AND 40),
	from_vault INT NOT NULL,
	subject UUID NOT NULL, -- what it was handed over from: an incident report
	agency UUID NOT NULL,
	account UUID NOT NULL,
	at INT NOT NULL,
	needs TEXT NOT NULL CHECK (length(needs) BETWEEN 1 AND 1300), -- codes of the codebook need, joined by commas
	urgency TEXT NOT NULL CHECK (urgency IN ('now', 'today', 'later')),
	note TEXT NOT NULL CHECK (length(note) <= 2000)
);
