-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: outbox_put
-- roles: strategic operational protection test
-- args: key:uuid to_vault:int kind:text subject:uuid body:bytes at:int
INSERT INTO outbox (key, to_vault, kind, subject, body, at, state, receipt)
VALUES ($1, $2, $3, $4, $5, $6, 0, '');

-- name: outbox_newest
-- roles: strategic operational protection test
-- args: subject:uuid
SELECT key FROM outbox WHERE subject = $1 ORDER BY key DESC LIMIT 1;

-- The oldest unfinished row of each subject. A refused one holds back those behind it, whoever they are for.
-- name: outbox_ready
-- roles: strategic operational protection test
-- args: to_vault:int after:uuid max:int
SELECT o.key, o.kind, o.subject, o.body, o.at FROM outbox o
WHERE o.to_vault = $1 AND o.state = 0 AND o.key > $2
	AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.subject = o.subject AND p.state IN (0, 2) AND p.key < o.key)
ORDER BY o.key LIMIT $3;

-- name: outbox_get
-- roles: strategic operational protection test
-- args: to_vault:int key:uuid
SELECT state, subject, kind FROM outbox WHERE key = $2 AND to_vault = $1;

-- name: outbox_done
-- roles: strategic operational protection test
-- args: key:uuid receipt:text empty:bytes
UPDATE outbox SET state = 1, receipt = $2, body = $3 WHERE key = $1 AND state <> 1;

-- name: outbox_refused
-- roles: strategic operational protection test
-- args: key:uuid why:text
UPDATE outbox SET state = 2, receipt = $2 WHERE key = $1 AND state = 0;

-- What was refused waits again.
-- name: outbox_again
-- roles: strategic operational protection test
UPDATE outbox SET state = 0, receipt = '' WHERE state = 2;

-- name: outbox_count
-- roles: strategic operational protection test
SELECT (SELECT count(*) FROM outbox w WHERE w.state = 0), (SELECT count(*) FROM outbox r WHERE r.state = 2);

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
