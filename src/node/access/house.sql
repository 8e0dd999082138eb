-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Statements of the house: agencies, accounts, credentials, sessions, holds.

-- name: access_agency_list
-- roles: house
SELECT id, code, name FROM access_agency ORDER BY code LIMIT 1000;

-- name: access_agency_insert
-- roles: house init
-- args: id:uuid code:text name:text made:int
INSERT INTO access_agency (id, code, name, made) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: access_agency_get
-- roles: house
-- args: id:uuid
SELECT name FROM access_agency WHERE id = $1;

-- name: access_account_count
-- roles: house init
SELECT COUNT(*) FROM access_account;

-- name: access_account_insert
-- roles: house init
-- args: id:uuid login:text display:text agency:uuid made:int
INSERT INTO access_account (id, login, display, agency, locked, made) VALUES ($1, $2, $3, $4, 0, $5)
ON CONFLICT DO NOTHING;

-- name: access_account_list
-- roles: house
SELECT a.id, a.login, a.display, g.name, a.locked, c.fresh, a.made, h.vault
FROM access_account a
JOIN access_agency g ON g.id = a.agency
JOIN access_credential c ON c.account = a.id
LEFT JOIN access_hold h ON h.account = a.id
ORDER BY a.login, h.vault;

-- name: access_account_id
-- roles: house
-- args: login:text
SELECT id FROM access_account WHERE login = $1;

-- name: access_account_get
-- roles: house
-- args: id:uuid
SELECT a.login, a.display, a.agency, g.name, a.locked, a.made, c.hash, c.fresh,
	(SELECT COUNT(*) FROM access_factor f WHERE f.account = a.id AND f.confirmed = 1)
FROM access_account a
JOIN access_agency g ON g.id = a.agency
JOIN access_credential c ON c.account = a.id
WHERE a.id = $1;

-- name: access_account_set_locked
-- roles: house
-- args: id:uuid locked:int
UPDATE access_account SET locked = $2 WHERE id = $1;

-- name: access_credential_insert
-- roles: house init
-- args: account:uuid hash:text fresh:int set_at:int
INSERT INTO access_credential (account, hash, fresh, set_at) VALUES ($1, $2, $3, $4);

-- name: access_credential_set
-- roles: house
-- args: account:uuid hash:text fresh:int set_at:int
UPDATE access_credential SET hash = $2, fresh = $3, set_at = $4 WHERE account = $1;

-- name: access_credential_rehash
-- roles: house
-- args: account:uuid hash:text
UPDATE access_credential SET hash = $2 WHERE account = $1;

-- name: access_factor_get
-- roles: house
-- args: account:uuid confirmed:int
SELECT id, sealed, last_step FROM access_factor WHERE account = $1 AND confirmed = $2;

-- name: access_factor_insert
-- roles: house
-- args: account:uuid id:uuid sealed:bytes made:int
INSERT INTO access_factor (account, confirmed, id, sealed, last_step, made) VALUES ($1, 0, $2, $3, 0, $4);

-- A step serves once: 0 rows changed means that it served already.
-- name: access_factor_step
-- roles: house
-- args: account:uuid step:int
UPDATE access_factor SET last_step = $2 WHERE account = $1 AND confirmed = 1 AND last_step < $2;

-- name: access_factor_confirm
-- roles: house
-- args: account:uuid step:int
UPDATE access_factor SET confirmed = 1, last_step = $2 WHERE account = $1 AND confirmed = 0;

-- name: access_factor_drop
-- roles: house
-- args: account:uuid confirmed:int
DELETE FROM access_factor WHERE account = $1 AND confirmed = $2;

-- name: access_factor_purge
-- roles: house
-- args: before:int
DELETE FROM access_factor WHERE confirmed = 0 AND made < $1;

-- name: access_recovery_insert
-- roles: house
-- args: account:uuid code:bytes
INSERT INTO access_recovery (account, code) VALUES ($1, $2);

-- name: access_recovery_use
-- roles: house
-- args: account:uuid code:bytes
DELETE FROM access_recovery WHERE account = $1 AND code = $2;

-- name: access_recovery_drop
-- roles: house
-- args: account:uuid
DELETE FROM access_recovery WHERE account = $1;

-- name: access_session_insert
-- roles: house
-- args: id:uuid token:bytes account:uuid state:int gave_factor:int started:int ends:int address:text agent:text
INSERT INTO access_session (id, token, account, state, gave_factor, started, proved, last, ends, address, agent)
VALUES ($1, $2, $3, $4, $5, $6, $6, $6, $7, $8, $9);

-- name: access_session_get
-- roles: house
-- args: id:uuid
SELECT id, account, state, gave_factor, started, proved, last, ends, address, agent FROM access_session WHERE id = $1;

-- name: access_session_find
-- roles: house
-- args: token:bytes
SELECT id, account, state, gave_factor, started, proved, last, ends, address, agent FROM access_session WHERE token = $1;

-- name: access_session_list
-- roles: house
-- args: account:uuid now:int unused_since:int
SELECT id, account, state, gave_factor, started, proved, last, ends, address, agent FROM access_session
WHERE account = $1 AND ends > $2 AND last > $3 ORDER BY started DESC, id DESC LIMIT 100;

-- name: access_session_raise
-- roles: house
-- args: id:uuid token:bytes state:int gave_factor:int proved:int
UPDATE access_session SET token = $2, state = $3, gave_factor = $4, proved = $5, last = $5 WHERE id = $1;

-- name: access_session_state
-- roles: house
-- args: id:uuid state:int gave_factor:int proved:int
UPDATE access_session SET state = $2, gave_factor = $3, proved = $4 WHERE id = $1;

-- name: access_session_touch
-- roles: house
-- args: id:uuid now:int
UPDATE access_session SET last = $2 WHERE id = $1 AND last < $2;

-- name: access_session_end
-- roles: house
-- args: id:uuid account:uuid
DELETE FROM access_session WHERE id = $1 AND account = $2;

-- name: access_session_end_all
-- roles: house
-- args: account:uuid
DELETE FROM access_session WHERE account = $1;

-- name: access_session_end_others
-- roles: house
-- args: account:uuid keep:uuid
DELETE FROM access_session WHERE account = $1 AND id <> $2;

-- name: access_session_crowd
-- roles: house
-- args: account:uuid keep:int
DELETE FROM access_session WHERE account = $1 AND id NOT IN
	(SELECT s.id FROM access_session s WHERE s.account = $1 ORDER BY s.last DESC, s.id DESC LIMIT $2);

-- name: access_session_purge
-- roles: house
-- args: now:int unused_since:int
DELETE FROM access_session WHERE ends <= $1 OR last <= $2;

-- name: access_hold_insert
-- roles: house init
-- args: account:uuid vault:text strong:int since:int
INSERT INTO access_hold (account, vault, strong, since) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: access_hold_update
-- roles: house
-- args: account:uuid vault:text strong:int
UPDATE access_hold SET strong = $3 WHERE account = $1 AND vault = $2;

-- name: access_hold_strong
-- roles: house
-- args: account:uuid
SELECT COUNT(*) FROM access_hold WHERE account = $1 AND strong = 1;

-- name: access_hold_delete
-- roles: house
-- args: account:uuid vault:text
DELETE FROM access_hold WHERE account = $1 AND vault = $2;

-- name: access_hold_of
-- roles: house
-- args: account:uuid
SELECT vault FROM access_hold WHERE account = $1 ORDER BY vault;

-- name: access_hold_page
-- roles: house
-- args: vault:text after:uuid limit:int
SELECT account FROM access_hold WHERE vault = $1 AND account > $2 ORDER BY account LIMIT $3;

-- name: access_consent_insert
-- roles: house
-- args: account:uuid vault:text by:uuid second:uuid since:int
INSERT INTO access_consent (account, vault, by_account, second_account, since) VALUES ($1, $2, $3, $4, $5);

-- name: access_consent_of
-- roles: house
-- args: account:uuid not_before:int
SELECT vault FROM access_consent WHERE account = $1 AND since >= $2;

-- name: access_consent_delete
-- roles: house
-- args: account:uuid vault:text
DELETE FROM access_consent WHERE account = $1 AND vault = $2;

-- name: access_consent_drop
-- roles: house
-- args: account:uuid
DELETE FROM access_consent WHERE account = $1;

-- name: access_consent_purge
-- roles: house
-- args: before:int
DELETE FROM access_consent WHERE since < $1;

-- name: access_failure_get
-- roles: house
-- args: key:bytes
SELECT failures, last, good FROM access_failure WHERE key = $1;

-- name: access_failure_insert
-- roles: house
-- args: key:bytes failures:int last:int good:int
INSERT INTO access_failure (key, failures, last, good) VALUES ($1, $2, $3, $4);

-- name: access_failure_update
-- roles: house
-- args: key:bytes failures:int last:int good:int
UPDATE access_failure SET failures = $2, last = $3, good = $4 WHERE key = $1;

-- name: access_failure_purge
-- roles: house
-- args: failed_before:int good_before:int
DELETE FROM access_failure WHERE last < $1 AND (good IS NULL OR good < $2);
