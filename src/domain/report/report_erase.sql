-- SPDX-License-Identifier: AGPL-3.0-or-later
-- A report is erased whole: every version, every row.  What stays is that it
-- was erased (report_erasure), its number at the source, so that the same file
-- does not bring it back, and its opaque id in the ledger.

-- name: report_erase_counts
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_counts WHERE owner = $1 AND incident = $2;

-- name: report_erase_detail
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_detail WHERE owner = $1 AND incident = $2;

-- name: report_erase_prov
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_prov WHERE owner = $1 AND incident = $2;

-- name: report_erase_leg
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_leg WHERE owner = $1 AND incident = $2;

-- name: report_erase_origin
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_origin WHERE owner = $1 AND incident = $2;

-- name: report_erase_people
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_people WHERE owner = $1 AND incident = $2;

-- name: report_erase_cause
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_cause WHERE owner = $1 AND incident = $2;

-- name: report_erase_abuse
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_abuse WHERE owner = $1 AND incident = $2;

-- name: report_erase_means
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_means WHERE owner = $1 AND incident = $2;

-- name: report_erase_facilitator
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_facilitator WHERE owner = $1 AND incident = $2;

-- name: report_erase_document
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_document WHERE owner = $1 AND incident = $2;

-- name: report_erase_fee
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_fee WHERE owner = $1 AND incident = $2;

-- name: report_erase_measure
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_measure WHERE owner = $1 AND incident = $2;

-- name: report_erase_referred
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_referred WHERE owner = $1 AND incident = $2;

-- name: report_erase_release
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_release WHERE owner = $1 AND incident = $2;

-- name: report_erase_source
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_source WHERE owner = $1 AND incident = $2;

-- name: report_erase_link
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_link WHERE owner = $1 AND incident = $2;

-- name: report_erase_further_id
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_further_id WHERE owner = $1 AND incident = $2;

-- name: report_erase_doubt
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_doubt WHERE owner = $1 AND incident = $2;

-- name: report_erase_step
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_step WHERE owner = $1 AND incident = $2;

-- What was said of the rows that brought it.
-- name: report_erase_problem
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_problem WHERE EXISTS (SELECT 1 FROM report_incident i WHERE i.owner = $1 AND i.id = $2
	AND i.import = report_problem.import AND i.import_row = report_problem.row_no);

-- name: report_erase_incident
-- roles: strategic init test
-- args: owner:uuid id:uuid
DELETE FROM report_incident WHERE owner = $1 AND id = $2;

-- name: report_erased_add
-- roles: strategic init test
-- args: owner:uuid id:uuid at:int account:uuid reason:text
INSERT INTO report_erasure (owner, incident, at, account, reason) VALUES ($1, $2, $3, $4, $5);

-- name: report_erased_has
-- roles: strategic init test
-- args: owner:uuid id:uuid
SELECT at FROM report_erasure WHERE owner = $1 AND incident = $2;
