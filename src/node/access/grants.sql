-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Statements about roles in a vault: the same in the three vaults and the house.

-- name: access_grant_of
-- roles: strategic operational protection house
-- args: account:uuid
SELECT role FROM access_grant WHERE account = $1;

-- name: access_grant_list
-- roles: strategic operational protection house
SELECT id, account, login, role, since, by_account FROM access_grant ORDER BY login, role LIMIT 10000;

-- name: access_grant_get
-- roles: strategic operational protection house
-- args: id:uuid
SELECT account, login, role FROM access_grant WHERE id = $1;

-- name: access_grant_with_role
-- roles: strategic operational protection house
-- args: role:text
SELECT account FROM access_grant WHERE role = $1;

-- name: access_grant_insert
-- roles: strategic operational protection house init
-- args: id:uuid account:uuid login:text role:text since:int by:uuid second:uuid
INSERT INTO access_grant (id, account, login, role, since, by_account, second_account)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING;

-- name: access_grant_delete
-- roles: strategic operational protection house
-- args: id:uuid
DELETE FROM access_grant WHERE id = $1;

-- name: access_grant_accounts
-- roles: strategic operational protection house
-- args: after:uuid limit:int
SELECT DISTINCT account FROM access_grant WHERE account > $1 ORDER BY account LIMIT $2;

-- name: access_act_insert
-- roles: strategic operational protection house
-- args: id:uuid kind:text account:uuid login:text role:text by:uuid since:int
INSERT INTO access_act (id, kind, account, login, role, by_account, since) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: access_act_get
-- roles: strategic operational protection house
-- args: id:uuid
SELECT kind, account, login, role, by_account, since FROM access_act WHERE id = $1;

-- name: access_act_list
-- roles: strategic operational protection house
-- args: not_before:int
SELECT id, kind, account, login, role, by_account, since FROM access_act WHERE since >= $1 ORDER BY since, id LIMIT 1000;

-- name: access_act_count
-- roles: strategic operational protection house
SELECT COUNT(*) FROM access_act;

-- name: access_act_delete
-- roles: strategic operational protection house
-- args: id:uuid
DELETE FROM access_act WHERE id = $1;

-- name: access_act_purge
-- roles: strategic operational protection house
-- args: before:int
DELETE FROM access_act WHERE since < $1;

-- name: access_unhold_insert
-- roles: strategic operational protection house
-- args: account:uuid
INSERT INTO access_unhold (account) VALUES ($1) ON CONFLICT DO NOTHING;

-- name: access_unhold_list
-- roles: strategic operational protection house
-- args: limit:int
SELECT account FROM access_unhold ORDER BY account LIMIT $1;

-- name: access_unhold_delete
-- roles: strategic operational protection house
-- args: account:uuid
DELETE FROM access_unhold WHERE account = $1;
