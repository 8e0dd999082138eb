-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: protect_referral_add
-- roles: protection test
-- args: id:uuid receipt:text from_vault:int subject:uuid agency:uuid account:uuid at:int needs:text urgency:text note:text
INSERT INTO protect_referral (id, receipt, from_vault, subject, agency, account, at, needs, urgency, note)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: protect_referral_newest
-- roles: protection test
-- args: max:int
SELECT id, receipt, at, needs, urgency, note FROM protect_referral ORDER BY at DESC, id DESC LIMIT $1;
