-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The ledger of a vault. src/node/ledger/tiles.c and writer.c say why it is laid out so.

-- migration: ledger 1
-- vaults: any
CREATE TABLE ledger_writer (
	writer UUID NOT NULL,
	sequenced INT NOT NULL, -- entries of this writer that have a position
	moved INT NOT NULL,     -- when the last of them got it, microseconds
	closed INT NOT NULL,    -- 1: looked at only when a process starts
	PRIMARY KEY (writer)
) WITHOUT ROWID;
CREATE INDEX ledger_writer_open ON ledger_writer (closed, writer);
CREATE TABLE ledger_entry (
	writer UUID NOT NULL,
	counter INT NOT NULL,
	id UUID NOT NULL,
	leaf BYTES NOT NULL, -- SHA-256
	body BYTES,          -- salt and content; null once erased
	inner_hash BYTES,    -- SHA-256 of body; only once erased
	PRIMARY KEY (writer, counter)
) WITHOUT ROWID;
CREATE TABLE ledger_run (
	position INT NOT NULL, -- of the first entry
	writer UUID NOT NULL,
	counter INT NOT NULL,  -- of the first entry
	n INT NOT NULL,
	id_first UUID NOT NULL,
	id_last UUID NOT NULL,
	PRIMARY KEY (position)
) WITHOUT ROWID;
CREATE INDEX ledger_run_ids ON ledger_run (id_last);
CREATE TABLE ledger_tile (
	level INT NOT NULL,
	number INT NOT NULL,
	hashes BYTES NOT NULL,
	PRIMARY KEY (level, number)
) WITHOUT ROWID;
CREATE TABLE ledger_state (
	one INT NOT NULL CHECK (one = 1),
	size INT NOT NULL,
	root BYTES,
	PRIMARY KEY (one)
);
INSERT INTO ledger_state (one, size) VALUES (1, 0);
CREATE TABLE ledger_checkpoint (
	size INT NOT NULL,
	saved INT NOT NULL, -- when, microseconds
	note TEXT NOT NULL, -- signed, as it left
	PRIMARY KEY (size)
);
