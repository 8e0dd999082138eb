-- SPDX-License-Identifier: AGPL-3.0-or-later
-- What the tests of the outbox look at past its own statements.

-- What was applied stands in the receiver's outbox as rows to itself, which nobody ever sends.
-- name: outbox_world_applied
-- roles: test
-- args: self:int
SELECT key, subject, body FROM outbox WHERE to_vault = $1 ORDER BY key;

-- name: outbox_world_states
-- roles: test
-- args: self:int
SELECT state, count(*), sum(length(body)) FROM outbox WHERE to_vault <> $1 GROUP BY state ORDER BY state;

-- name: outbox_world_counts
-- roles: test
SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM ledger_entry);

-- name: outbox_world_lengthen
-- roles: test
-- args: receipt:text
UPDATE inbox SET receipt = $1 WHERE at > 0;
