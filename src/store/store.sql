-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The store's own bookkeeping: which migrations ran here.

-- name: store_migration_create
-- roles: any
CREATE TABLE IF NOT EXISTS store_migration (
	module TEXT NOT NULL,
	number INT NOT NULL,
	vault TEXT NOT NULL,
	checksum BYTES NOT NULL,
	PRIMARY KEY (module, number)
);

-- name: store_migration_list
-- roles: any
SELECT module, number, vault, checksum FROM store_migration ORDER BY module, number;

-- name: store_migration_add
-- roles: any
-- args: module:text number:int vault:text checksum:bytes
INSERT INTO store_migration (module, number, vault, checksum) VALUES ($1, $2, $3, $4);
