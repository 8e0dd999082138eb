-- SPDX-License-Identifier: AGPL-3.0-or-later

-- ---- writers ----

-- name: ledger_writer_add
-- roles: any
-- args: writer:uuid moved:int
INSERT INTO ledger_writer (writer, sequenced, moved, closed) VALUES ($1, 0, $2, 0);

-- name: ledger_writer_open_list
-- roles: any
-- args: after:uuid n:int
SELECT writer, sequenced, moved FROM ledger_writer WHERE closed = 0 AND writer > $1 ORDER BY writer LIMIT $2;

-- name: ledger_writer_all_list
-- roles: any
-- args: after:uuid n:int
SELECT writer, sequenced, closed FROM ledger_writer WHERE writer > $1 ORDER BY writer LIMIT $2;

-- name: ledger_writer_move
-- roles: any
-- args: writer:uuid sequenced:int moved:int
UPDATE ledger_writer SET sequenced = $2, moved = $3 WHERE writer = $1;

-- name: ledger_writer_close
-- roles: any
-- args: writer:uuid closed:int
UPDATE ledger_writer SET closed = $2 WHERE writer = $1;

-- ---- entries ----

-- name: ledger_entry_add
-- roles: any
-- args: writer:uuid counter:int id:uuid leaf:bytes body:bytes
INSERT INTO ledger_entry (writer, counter, id, leaf, body) VALUES ($1, $2, $3, $4, $5);

-- name: ledger_entry_leaves
-- roles: any
-- args: writer:uuid after:int n:int
SELECT counter, id, leaf FROM ledger_entry WHERE writer = $1 AND counter > $2 ORDER BY counter LIMIT $3;

-- name: ledger_entry_range
-- roles: any
-- args: writer:uuid from:int to:int n:int
SELECT counter, id, leaf, body, inner_hash FROM ledger_entry
WHERE writer = $1 AND counter >= $2 AND counter <= $3 ORDER BY counter LIMIT $4;

-- name: ledger_entry_range_down
-- roles: any
-- args: writer:uuid from:int to:int n:int
SELECT counter, id, leaf, body, inner_hash FROM ledger_entry
WHERE writer = $1 AND counter >= $2 AND counter <= $3 ORDER BY counter DESC LIMIT $4;

-- name: ledger_entry_last
-- roles: any
-- args: writer:uuid
SELECT counter, id FROM ledger_entry WHERE writer = $1 ORDER BY counter DESC LIMIT 1;

-- name: ledger_entry_leaf
-- roles: any
-- args: writer:uuid counter:int
SELECT leaf FROM ledger_entry WHERE writer = $1 AND counter = $2;

-- name: ledger_entry_find
-- roles: any
-- args: writer:uuid from:int to:int id:uuid
SELECT counter FROM ledger_entry WHERE writer = $1 AND counter >= $2 AND counter <= $3 AND id = $4;

-- name: ledger_entry_body
-- roles: any
-- args: writer:uuid counter:int
SELECT body FROM ledger_entry WHERE writer = $1 AND counter = $2;

-- name: ledger_entry_erase
-- roles: any
-- args: writer:uuid counter:int inner_hash:bytes
UPDATE ledger_entry SET body = NULL, inner_hash = $3 WHERE writer = $1 AND counter = $2 AND body IS NOT NULL;

-- name: ledger_entry_count
-- roles: any
SELECT count(*) FROM ledger_entry;

-- ---- runs: which entries stand at which positions ----

-- name: ledger_run_add
-- roles: any
-- args: position:int writer:uuid counter:int n:int id_first:uuid id_last:uuid
INSERT INTO ledger_run (position, writer, counter, n, id_first, id_last) VALUES ($1, $2, $3, $4, $5, $6);

-- name: ledger_run_list
-- roles: any
-- args: from:int n:int
SELECT position, writer, counter, n, id_first, id_last FROM ledger_run WHERE position >= $1 ORDER BY position LIMIT $2;

-- name: ledger_run_before
-- roles: any
-- args: position:int
SELECT position, writer, counter, n, id_last FROM ledger_run WHERE position <= $1 ORDER BY position DESC LIMIT 1;

-- name: ledger_run_of_id
-- roles: any
-- args: id:uuid
SELECT writer, counter, n FROM ledger_run WHERE id_last >= $1 AND id_first <= $1 ORDER BY id_last;

-- ---- the tree ----

-- name: ledger_tile_get
-- roles: any
-- args: level:int number:int
SELECT hashes FROM ledger_tile WHERE level = $1 AND number = $2;

-- name: ledger_tile_add
-- roles: any
-- args: level:int number:int hashes:bytes
INSERT INTO ledger_tile (level, number, hashes) VALUES ($1, $2, $3);

-- name: ledger_tile_set
-- roles: any
-- args: level:int number:int hashes:bytes
UPDATE ledger_tile SET hashes = $3 WHERE level = $1 AND number = $2;

-- name: ledger_state_get
-- roles: any
SELECT size, root FROM ledger_state WHERE one = 1;

-- name: ledger_state_set
-- roles: any
-- args: old_size:int size:int root:bytes
UPDATE ledger_state SET size = $2, root = $3 WHERE one = 1 AND size = $1;

-- ---- checkpoints ----

-- name: ledger_checkpoint_add
-- roles: any
-- args: size:int saved:int note:text
INSERT INTO ledger_checkpoint (size, saved, note) VALUES ($1, $2, $3) ON CONFLICT (size) DO NOTHING;

-- name: ledger_checkpoint_newest
-- roles: any
SELECT size, saved FROM ledger_checkpoint ORDER BY size DESC LIMIT 2;

-- name: ledger_checkpoint_last
-- roles: any
SELECT size, note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1;

-- name: ledger_checkpoint_list
-- roles: any
-- args: after:int n:int
SELECT size, note FROM ledger_checkpoint WHERE size > $1 ORDER BY size LIMIT $2;

-- name: ledger_checkpoint_drop
-- roles: any
-- args: size:int
DELETE FROM ledger_checkpoint WHERE size = $1;
