-- SPDX-License-Identifier: AGPL-3.0-or-later
-- What waits to be handed to another vault, and what came from one.
-- state: 0 waiting, 1 done, 2 refused (enum outbox_state).

-- migration: outbox 1
-- vaults: strategic operational protection
CREATE TABLE outbox (
	key UUID NOT NULL PRIMARY KEY,
	to_vault INT NOT NULL,
	kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 31),
	subject UUID NOT NULL,
	body BYTES NOT NULL,
	at INT NOT NULL,
	state INT NOT NULL CHECK (state BETWEEN 0 AND 2),
	receipt TEXT NOT NULL,
	CHECK (state = 0 OR length(body) = 0 OR state = 2),
	CHECK (state <> 0 OR receipt = '')
);
CREATE INDEX outbox_by_subject ON outbox (subject, key);
CREATE INDEX outbox_by_state ON outbox (state, key);
CREATE TABLE inbox (
	from_vault INT NOT NULL,
	key UUID NOT NULL,
	at INT NOT NULL,
	receipt TEXT NOT NULL,
	PRIMARY KEY (from_vault, key)
);

-- Done rows stay; neither the search for a lane's rows nor for what holds a row back may walk over them.
-- migration: outbox 2
-- vaults: strategic operational protection
CREATE INDEX outbox_by_lane ON outbox (to_vault, state, key);
CREATE INDEX outbox_unfinished ON outbox (subject, state, key);
