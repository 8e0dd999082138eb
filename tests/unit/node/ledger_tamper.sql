-- SPDX-License-Identifier: AGPL-3.0-or-later
-- What somebody with the database in hand might do to a ledger.

-- name: tamper_body
-- roles: test
-- args: writer:uuid counter:int body:bytes
UPDATE ledger_entry SET body = $3 WHERE writer = $1 AND counter = $2;

-- name: tamper_leaf
-- roles: test
-- args: writer:uuid counter:int leaf:bytes
UPDATE ledger_entry SET leaf = $3 WHERE writer = $1 AND counter = $2;

-- name: tamper_id
-- roles: test
-- args: writer:uuid counter:int id:uuid
UPDATE ledger_entry SET id = $3 WHERE writer = $1 AND counter = $2;

-- name: tamper_counter
-- roles: test
-- args: writer:uuid counter:int other:int
UPDATE ledger_entry SET counter = $3 WHERE writer = $1 AND counter = $2;

-- name: tamper_delete
-- roles: test
-- args: writer:uuid from:int to:int
DELETE FROM ledger_entry WHERE writer = $1 AND counter >= $2 AND counter <= $3;

-- name: tamper_runs_delete
-- roles: test
-- args: position:int
DELETE FROM ledger_run WHERE position >= $1;

-- name: tamper_run_length
-- roles: test
-- args: position:int n:int
UPDATE ledger_run SET n = $2 WHERE position = $1;

-- name: tamper_run_position
-- roles: test
-- args: position:int other:int
UPDATE ledger_run SET position = $2 WHERE position = $1;

-- name: tamper_tiles_delete
-- roles: test
-- args: level:int
DELETE FROM ledger_tile WHERE level >= $1;

-- name: tamper_state
-- roles: test
-- args: size:int root:bytes
UPDATE ledger_state SET size = $1, root = $2 WHERE one = 1;

-- name: tamper_checkpoint
-- roles: test
-- args: size:int note:text
UPDATE ledger_checkpoint SET note = $2 WHERE size = $1;

-- name: tamper_checkpoints_delete
-- roles: test
-- args: size:int
DELETE FROM ledger_checkpoint WHERE size >= $1;

-- name: tamper_writer_closed_count
-- roles: test
SELECT count(*) FROM ledger_writer WHERE closed = 1;

-- name: tamper_writer_count
-- roles: test
SELECT count(*) FROM ledger_writer;
