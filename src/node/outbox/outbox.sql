-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: outbox_put
-- roles: strategic operational protection test
-- args: key:uuid to_vault:int kind:text subject:uuid body:bytes at:int
INSERT INTO outbox (key, to_vault, kind, subject, body, at, state, receipt)
VALUES ($1, $2, $3, $4, $5, $6, 0, '');

-- The oldest unfinished row of each subject. A refused one holds back those behind it.
-- name: outbox_ready
-- roles: strategic operational protection test
-- args: after:uuid max:int
SELECT o.key, o.to_vault, o.kind, o.subject, o.body, o.at FROM outbox o
WHERE o.state = 0 AND o.key > $1
	AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.subject = o.subject AND p.key < o.key AND p.state <> 1)
ORDER BY o.key LIMIT $2;

-- name: outbox_done
-- roles: strategic operational protection test
-- args: key:uuid receipt:text empty:bytes
UPDATE outbox SET state = 1, receipt = $2, body = $3 WHERE key = $1 AND state = 0;

-- name: outbox_refused
-- roles: strategic operational protection test
-- args: key:uuid why:text
UPDATE outbox SET state = 2, receipt = $2 WHERE key = $1 AND state = 0;

-- name: outbox_of_subject
-- roles: strategic operational protection test
-- args: subject:uuid max:int
SELECT key, at, state, kind, receipt FROM outbox WHERE subject = $1 ORDER BY key DESC LIMIT $2;

-- name: inbox_get
-- roles: strategic operational protection test
-- args: from_vault:int key:uuid
SELECT receipt FROM inbox WHERE from_vault = $1 AND key = $2;

-- name: inbox_add
-- roles: strategic operational protection test
-- args: from_vault:int key:uuid at:int receipt:text
INSERT INTO inbox (from_vault, key, at, receipt) VALUES ($1, $2, $3, $4);
