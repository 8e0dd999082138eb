-- SPDX-License-Identifier: AGPL-3.0-or-later
-- A vault of its own for the tests of the store.

-- migration: test 1
-- vaults: test
CREATE TABLE test_item (
	id UUID NOT NULL PRIMARY KEY,
	i INT,
	r REAL,
	t TEXT,
	b BYTES,
	u UUID
);
CREATE TABLE test_part (
	item UUID NOT NULL REFERENCES test_item (id),
	n INT NOT NULL CHECK (n > 0),
	PRIMARY KEY (item, n)
);

-- name: test_item_add
-- roles: test
-- args: id:uuid i:int r:real t:text b:bytes u:uuid
INSERT INTO test_item (id, i, r, t, b, u) VALUES ($1, $2, $3, $4, $5, $6);

-- name: test_item_get
-- roles: test
-- args: id:uuid
SELECT id, i, r, t, b, u FROM test_item WHERE id = $1;

-- name: test_item_all
-- roles: test
SELECT id, i FROM test_item ORDER BY i, id;

-- name: test_item_set
-- roles: test
-- args: id:uuid i:int
UPDATE test_item SET i = $2 WHERE id = $1;

-- name: test_item_many
-- roles: test
-- rows: many
-- args: least:int
SELECT id, i FROM test_item WHERE i >= $1 ORDER BY i, id;

-- name: test_item_count
-- roles: test
SELECT count(*) FROM test_item;

-- name: test_part_add
-- roles: test
-- args: item:uuid n:int
INSERT INTO test_part (item, n) VALUES ($1, $2);

-- name: test_part_count
-- roles: test
-- args: item:uuid
SELECT count(*) FROM test_part WHERE item = $1;

-- name: test_of_others
-- roles: strategic
SELECT 1;
