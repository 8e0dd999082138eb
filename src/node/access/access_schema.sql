-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Who may do what in a vault (all four stores), and who there is (the house).
--
-- The rules that must hold whatever the program does stand here as
-- constraints: nobody gives a role to himself, and in protection two
-- custodians, neither of them the one concerned, stand behind every role.
-- by_account is null only for the roles that `fairway init` writes.
--
-- login is kept beside the account's id so that a custodian sees whom a row
-- means although vaults cannot look into the house. It never changes.

-- migration: access 1
-- vaults: strategic operational house
CREATE TABLE access_grant (
	id UUID NOT NULL PRIMARY KEY,
	account UUID NOT NULL,
	login TEXT NOT NULL,
	role TEXT NOT NULL,
	since INT NOT NULL,
	by_account UUID,
	second_account UUID,
	UNIQUE (account, role),
	CHECK (by_account IS NULL OR by_account <> account),
	CHECK (second_account IS NULL OR second_account <> account)
);
CREATE TABLE access_act (
	id UUID NOT NULL PRIMARY KEY,
	kind TEXT NOT NULL CHECK (kind IN ('grant', 'reset')),
	account UUID NOT NULL,
	login TEXT NOT NULL,
	role TEXT,
	by_account UUID NOT NULL,
	since INT NOT NULL,
	CHECK ((kind = 'grant') = (role IS NOT NULL)),
	CHECK (by_account <> account)
);
CREATE TABLE access_unhold (
	account UUID NOT NULL PRIMARY KEY
);

-- migration: access 2
-- vaults: protection
CREATE TABLE access_grant (
	id UUID NOT NULL PRIMARY KEY,
	account UUID NOT NULL,
	login TEXT NOT NULL,
	role TEXT NOT NULL,
	since INT NOT NULL,
	by_account UUID,
	second_account UUID,
	UNIQUE (account, role),
	CHECK (by_account IS NULL OR by_account <> account),
	CHECK (second_account IS NULL OR second_account <> account),
	CHECK ((by_account IS NULL) = (second_account IS NULL)),
	CHECK (by_account IS NULL OR by_account <> second_account)
);
CREATE TABLE access_act (
	id UUID NOT NULL PRIMARY KEY,
	kind TEXT NOT NULL CHECK (kind IN ('grant', 'reset')),
	account UUID NOT NULL,
	login TEXT NOT NULL,
	role TEXT,
	by_account UUID NOT NULL,
	since INT NOT NULL,
	CHECK ((kind = 'grant') = (role IS NOT NULL)),
	CHECK (by_account <> account)
);
CREATE TABLE access_unhold (
	account UUID NOT NULL PRIMARY KEY
);

-- migration: access 3
-- vaults: house
CREATE TABLE access_agency (
	id UUID NOT NULL PRIMARY KEY,
	code TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL,
	made INT NOT NULL
);
CREATE TABLE access_account (
	id UUID NOT NULL PRIMARY KEY,
	login TEXT NOT NULL UNIQUE,
	display TEXT NOT NULL,
	agency UUID NOT NULL REFERENCES access_agency (id),
	locked INT NOT NULL CHECK (locked IN (0, 1)),
	made INT NOT NULL
);
-- fresh: the password was made by the house and handed over by somebody.
CREATE TABLE access_credential (
	account UUID NOT NULL PRIMARY KEY REFERENCES access_account (id),
	hash TEXT NOT NULL,
	fresh INT NOT NULL CHECK (fresh IN (0, 1)),
	set_at INT NOT NULL
);
-- At most one confirmed and one that waits for its confirmation. The secret is
-- sealed under the house's data key and bound to the row's id.
CREATE TABLE access_factor (
	account UUID NOT NULL REFERENCES access_account (id),
	confirmed INT NOT NULL CHECK (confirmed IN (0, 1)),
	id UUID NOT NULL UNIQUE,
	sealed BYTES NOT NULL,
	last_step INT NOT NULL,
	made INT NOT NULL,
	PRIMARY KEY (account, confirmed)
);
-- Keyed hashes of the recovery codes not yet used.
CREATE TABLE access_recovery (
	account UUID NOT NULL REFERENCES access_account (id),
	code BYTES NOT NULL,
	PRIMARY KEY (account, code)
);
CREATE TABLE access_session (
	id UUID NOT NULL PRIMARY KEY,
	token BYTES NOT NULL UNIQUE,
	account UUID NOT NULL REFERENCES access_account (id),
	state INT NOT NULL,
	gave_factor INT NOT NULL CHECK (gave_factor IN (0, 1)),
	started INT NOT NULL,
	proved INT NOT NULL,
	last INT NOT NULL,
	ends INT NOT NULL,
	address TEXT NOT NULL,
	agent TEXT NOT NULL
);
CREATE INDEX access_session_account ON access_session (account);
CREATE INDEX access_session_last ON access_session (last);
-- That an account holds a role in a vault; which role is the vault's business.
-- strong: one that needs a second factor under the policy "custodians".
CREATE TABLE access_hold (
	account UUID NOT NULL REFERENCES access_account (id),
	vault TEXT NOT NULL,
	strong INT NOT NULL CHECK (strong IN (0, 1)),
	since INT NOT NULL,
	PRIMARY KEY (account, vault)
);
CREATE INDEX access_hold_vault ON access_hold (vault, account);
-- A vault's custodians agreed to reset the account's credential.
CREATE TABLE access_consent (
	account UUID NOT NULL REFERENCES access_account (id),
	vault TEXT NOT NULL,
	by_account UUID NOT NULL,
	second_account UUID,
	since INT NOT NULL,
	PRIMARY KEY (account, vault)
);
-- Failed log-ins by keyed hash of what failed (docs/access-design.md, back-off).
-- good: when the pair of account and address last got in; null for other keys.
CREATE TABLE access_failure (
	key BYTES NOT NULL PRIMARY KEY,
	failures INT NOT NULL,
	last INT NOT NULL,
	good INT
);
CREATE INDEX access_failure_last ON access_failure (last);
