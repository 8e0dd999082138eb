-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Statements of the incident reports. The columns of blocks follow incident.def.

-- name: report_incident_add
-- roles: strategic test
-- args: owner:uuid id:uuid version:int author:uuid at:int reason:text status:text personal:int first_day:int last_day:int import:uuid import_row:int number:text synthetic:int type:text form:text outcome:text manner:text severity:text from_day:int to_day:int detected_at:int reported_at:int country:text region:text un_region:text place:text lat:int lon:int position:text radius_m:int route:text facilitation:text
INSERT INTO report_incident (
	owner, id, version, author, at, reason, status, personal, first_day, last_day, import, import_row,
	number, synthetic, type, form, outcome, manner, severity, from_day, to_day, detected_at,
	reported_at, country, region, un_region, place, lat, lon, position, radius_m, route, facilitation, latest
) VALUES (
	$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
	$22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, 1
);

-- name: report_incident_supersede
-- roles: strategic test
-- args: owner:uuid id:uuid version:int
UPDATE report_incident SET latest = 0 WHERE owner = $1 AND id = $2 AND version = $3 AND latest = 1;

-- name: report_incident_get
-- roles: strategic test
-- args: owner:uuid id:uuid version:int
SELECT
	author, at, reason, status, verified_by, validated_by, closed_reason, personal, import, import_row,
	number, synthetic, type, form, outcome, manner, severity, from_day, to_day, detected_at,
	reported_at, country, region, un_region, place, lat, lon, position, radius_m, route, facilitation
FROM report_incident WHERE owner = $1 AND id = $2 AND version = $3;

-- name: report_incident_versions
-- roles: strategic test
-- args: owner:uuid id:uuid
SELECT version, latest, at, author, status, reason, personal FROM report_incident
WHERE owner = $1 AND id = $2 ORDER BY version DESC LIMIT 200;

-- name: report_incident_latest
-- roles: strategic test
-- args: owner:uuid id:uuid
SELECT version, number, status, author FROM report_incident WHERE owner = $1 AND id = $2 AND latest = 1;

-- name: report_counts_add
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int persons:int persons_why:int arrived:int arrived_why:int dead:int dead_why:int missing:int missing_why:int injured:int injured_why:int rescued:int rescued_why:int survivors:int survivors_why:int female:int female_why:int male:int male_why:int children:int children_why:int unaccompanied:int unaccompanied_why:int stateless:int stateless_why:int pregnant:int pregnant_why:int disability:int disability_why:int asylum:int asylum_why:int facilitators:int facilitators_why:int counts_are:text no_people:text no_journey:text no_means:text no_causes:text no_facilitators:text no_documents:text no_fees:text no_response:text
INSERT INTO report_counts (
	owner, incident, version, persons, persons_why, arrived, arrived_why, dead, dead_why, missing,
	missing_why, injured, injured_why, rescued, rescued_why, survivors, survivors_why, female,
	female_why, male, male_why, children, children_why, unaccompanied, unaccompanied_why, stateless,
	stateless_why, pregnant, pregnant_why, disability, disability_why, asylum, asylum_why,
	facilitators, facilitators_why, counts_are, no_people, no_journey, no_means, no_causes,
	no_facilitators, no_documents, no_fees, no_response
) VALUES (
	$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
	$22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41,
	$42, $43, $44
);

-- name: report_counts_get
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int
SELECT
	persons, persons_why, arrived, arrived_why, dead, dead_why, missing, missing_why, injured,
	injured_why, rescued, rescued_why, survivors, survivors_why, female, female_why, male, male_why,
	children, children_why, unaccompanied, unaccompanied_why, stateless, stateless_why, pregnant,
	pregnant_why, disability, disability_why, asylum, asylum_why, facilitators, facilitators_why,
	counts_are, no_people, no_journey, no_means, no_causes, no_facilitators, no_documents, no_fees,
	no_response
FROM report_counts WHERE owner = $1 AND incident = $2 AND version = $3;

-- name: report_detail_add
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int section:text crossing:text crossing_kind:text zone:text journey_origin:text embarkation:text destination:text direction:text detection:text sensor:text evasion:text detected_by:text cause_text:text facilitation_basis:text organised:text brought_to_light:text facilitation_text:text sar:text urgency:text reliability:text credibility:text confidence_scheme:text confidence_original:text impact_migration:text impact_crime:text impact_lives:text tlp:text classification:text use_for:text retain_until:int caveat:text words:text
INSERT INTO report_detail (
	owner, incident, version, section, crossing, crossing_kind, zone, journey_origin, embarkation,
	destination, direction, detection, sensor, evasion, detected_by, cause_text, facilitation_basis,
	organised, brought_to_light, facilitation_text, sar, urgency, reliability, credibility,
	confidence_scheme, confidence_original, impact_migration, impact_crime, impact_lives, tlp,
	classification, use_for, retain_until, caveat, words
) VALUES (
	$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
	$22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35
);

-- name: report_detail_get
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int
SELECT
	section, crossing, crossing_kind, zone, journey_origin, embarkation, destination, direction,
	detection, sensor, evasion, detected_by, cause_text, facilitation_basis, organised,
	brought_to_light, facilitation_text, sar, urgency, reliability, credibility, confidence_scheme,
	confidence_original, impact_migration, impact_crime, impact_lives, tlp, classification, use_for,
	retain_until, caveat, words
FROM report_detail WHERE owner = $1 AND incident = $2 AND version = $3;

-- name: report_prov_add
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int system:text source_id:text source_status:text
INSERT INTO report_prov (
	owner, incident, version, system, source_id, source_status
) VALUES (
	$1, $2, $3, $4, $5, $6
);

-- name: report_prov_get
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int
SELECT
	system, source_id, source_status
FROM report_prov WHERE owner = $1 AND incident = $2 AND version = $3;

-- name: report_leg_add
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int n:int place:text country:text mode:text means:text carrier:text from_day:int fee_paid:text
INSERT INTO report_leg (
	owner, incident, version, n, place, country, mode, means, carrier, from_day, fee_paid
) VALUES (
	$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
);

-- name: report_leg_get
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int
SELECT
	place, country, mode, means, carrier, from_day, fee_paid
FROM report_leg WHERE owner = $1 AND incident = $2 AND version = $3 ORDER BY n;

-- name: report_origin_add
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int n:int country:text region:text presumed:int
INSERT INTO report_origin (
	owner, incident, version, n, country, region, presumed
) VALUES (
	$1, $2, $3, $4, $5, $6, $7
);

-- name: report_origin_get
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int
SELECT
	country, region, presumed
FROM report_origin WHERE owner = $1 AND incident = $2 AND version = $3 ORDER BY n;

-- name: report_people_add
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int n:int nationality:text region:text sex:text age:text count:int count_why:int population:text unaccompanied:text stateless:text asylum:text needs:text
INSERT INTO report_people (
	owner, incident, version, n, nationality, region, sex, age, count, count_why, population,
	unaccompanied, stateless, asylum, needs
) VALUES (
	$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15
);

-- name: report_people_get
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int
SELECT
	nationality, region, sex, age, count, count_why, population, unaccompanied, stateless, asylum, needs
FROM report_people WHERE owner = $1 AND incident = $2 AND version = $3 ORDER BY n;

-- name: report_cause_add
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int n:int code:text
INSERT INTO report_cause (
	owner, incident, version, n, code
) VALUES (
	$1, $2, $3, $4, $5
);

-- name: report_cause_get
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int
SELECT
	code
FROM report_cause WHERE owner = $1 AND incident = $2 AND version = $3 ORDER BY n;

-- name: report_abuse_add
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int n:int kind:text count:int count_why:int perpetrator:text country:text
INSERT INTO report_abuse (
	owner, incident, version, n, kind, count, count_why, perpetrator, country
) VALUES (
	$1, $2, $3, $4, $5, $6, $7, $8, $9
);

-- name: report_abuse_get
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int
SELECT
	kind, count, count_why, perpetrator, country
FROM report_abuse WHERE owner = $1 AND incident = $2 AND version = $3 ORDER BY n;

-- name: report_means_add
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int n:int kind:text number:int number_why:int name:text flag:text registration:text persons:int persons_why:int capacity:int capacity_why:int state:text concealment:text
INSERT INTO report_means (
	owner, incident, version, n, kind, number, number_why, name, flag, registration, persons,
	persons_why, capacity, capacity_why, state, concealment
) VALUES (
	$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
);

-- name: report_means_get
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int
SELECT
	kind, number, number_why, name, flag, registration, persons, persons_why, capacity, capacity_why,
	state, concealment
FROM report_means WHERE owner = $1 AND incident = $2 AND version = $3 ORDER BY n;

-- name: report_facilitator_add
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int n:int nationality:text sex:text age:text part:text outcome:text count:int count_why:int
INSERT INTO report_facilitator (
	owner, incident, version, n, nationality, sex, age, part, outcome, count, count_why
) VALUES (
	$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
);

-- name: report_facilitator_get
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int
SELECT
	nationality, sex, age, part, outcome, count, count_why
FROM report_facilitator WHERE owner = $1 AND incident = $2 AND version = $3 ORDER BY n;

-- name: report_document_add
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int n:int kind:text issuer:text fraud:text holder:text count:int count_why:int
INSERT INTO report_document (
	owner, incident, version, n, kind, issuer, fraud, holder, count, count_why
) VALUES (
	$1, $2, $3, $4, $5, $6, $7, $8, $9, $10
);

-- name: report_document_get
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int
SELECT
	kind, issuer, fraud, holder, count, count_why
FROM report_document WHERE owner = $1 AND incident = $2 AND version = $3 ORDER BY n;

-- name: report_fee_add
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int n:int low:int typical:int high:int currency:text per:text buys:text method:text timing:text payee:text basis:text nationality:text
INSERT INTO report_fee (
	owner, incident, version, n, low, typical, high, currency, per, buys, method, timing, payee, basis,
	nationality
) VALUES (
	$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15
);

-- name: report_fee_get
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int
SELECT
	low, typical, high, currency, per, buys, method, timing, payee, basis, nationality
FROM report_fee WHERE owner = $1 AND incident = $2 AND version = $3 ORDER BY n;

-- name: report_measure_add
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int n:int kind:text state:text from_day:int taken_by:text words:text
INSERT INTO report_measure (
	owner, incident, version, n, kind, state, from_day, taken_by, words
) VALUES (
	$1, $2, $3, $4, $5, $6, $7, $8, $9
);

-- name: report_measure_get
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int
SELECT
	kind, state, from_day, taken_by, words
FROM report_measure WHERE owner = $1 AND incident = $2 AND version = $3 ORDER BY n;

-- name: report_referred_add
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int n:int service:text count:int count_why:int
INSERT INTO report_referred (
	owner, incident, version, n, service, count, count_why
) VALUES (
	$1, $2, $3, $4, $5, $6, $7
);

-- name: report_referred_get
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int
SELECT
	service, count, count_why
FROM report_referred WHERE owner = $1 AND incident = $2 AND version = $3 ORDER BY n;

-- name: report_release_add
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int n:int country:text
INSERT INTO report_release (
	owner, incident, version, n, country
) VALUES (
	$1, $2, $3, $4, $5
);

-- name: report_release_get
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int
SELECT
	country
FROM report_release WHERE owner = $1 AND incident = $2 AND version = $3 ORDER BY n;

-- name: report_source_add
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int n:int kind:text title:text url:text of_day:int
INSERT INTO report_source (
	owner, incident, version, n, kind, title, url, of_day
) VALUES (
	$1, $2, $3, $4, $5, $6, $7, $8
);

-- name: report_source_get
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int
SELECT
	kind, title, url, of_day
FROM report_source WHERE owner = $1 AND incident = $2 AND version = $3 ORDER BY n;

-- name: report_link_add
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int n:int kind:text other:uuid ref:text
INSERT INTO report_link (
	owner, incident, version, n, kind, other, ref
) VALUES (
	$1, $2, $3, $4, $5, $6, $7
);

-- name: report_link_get
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int
SELECT
	kind, other, ref
FROM report_link WHERE owner = $1 AND incident = $2 AND version = $3 ORDER BY n;

-- name: report_further_id_add
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int n:int id:text
INSERT INTO report_further_id (
	owner, incident, version, n, id
) VALUES (
	$1, $2, $3, $4, $5
);

-- name: report_further_id_get
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int
SELECT
	id
FROM report_further_id WHERE owner = $1 AND incident = $2 AND version = $3 ORDER BY n;

-- name: report_doubt_add
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int n:int field:text code:text words:text
INSERT INTO report_doubt (
	owner, incident, version, n, field, code, words
) VALUES (
	$1, $2, $3, $4, $5, $6, $7
);

-- name: report_doubt_get
-- roles: strategic test
-- args: owner:uuid incident:uuid version:int
SELECT
	field, code, words
FROM report_doubt WHERE owner = $1 AND incident = $2 AND version = $3 ORDER BY n;

-- name: report_known_get
-- roles: strategic test
-- args: owner:uuid system:text source_id:text
SELECT incident, version, hash FROM report_known WHERE owner = $1 AND system = $2 AND source_id = $3;

-- name: report_known_add
-- roles: strategic test
-- args: owner:uuid system:text source_id:text incident:uuid version:int hash:bytes
INSERT INTO report_known (owner, system, source_id, incident, version, hash) VALUES ($1, $2, $3, $4, $5, $6);

-- name: report_known_change
-- roles: strategic test
-- args: owner:uuid system:text source_id:text version:int hash:bytes
UPDATE report_known SET version = $4, hash = $5 WHERE owner = $1 AND system = $2 AND source_id = $3;

-- name: report_index_all
-- roles: strategic test
-- rows: many
SELECT i.owner, i.id, i.version, i.number, i.status, i.personal, i.synthetic, i.first_day, i.last_day, i.from_day,
	i.country, i.route, i.position, i.lat, i.lon,
	c.persons, c.persons_why, c.arrived, c.arrived_why, c.dead, c.dead_why, c.missing, c.missing_why,
	c.injured, c.injured_why, c.rescued, c.rescued_why, c.survivors, c.survivors_why, c.female,
	c.female_why, c.male, c.male_why, c.children, c.children_why, c.unaccompanied, c.unaccompanied_why,
	c.stateless, c.stateless_why, c.pregnant, c.pregnant_why, c.disability, c.disability_why, c.asylum,
	c.asylum_why, c.facilitators, c.facilitators_why
FROM report_incident i JOIN report_counts c ON c.owner = i.owner AND c.incident = i.id AND c.version = i.version
WHERE i.latest = 1 ORDER BY i.owner, i.id, i.version;

-- name: report_index_causes
-- roles: strategic test
-- rows: many
SELECT owner, incident, version, code FROM report_cause ORDER BY owner, incident, version, n;

-- name: report_index_means
-- roles: strategic test
-- rows: many
SELECT owner, incident, version, kind FROM report_means ORDER BY owner, incident, version, n;

-- name: report_row_get
-- roles: strategic test
-- args: owner:uuid id:uuid version:int
SELECT i.number, i.type, i.place, (SELECT COUNT(*) FROM report_doubt d WHERE d.owner = i.owner AND d.incident = i.id AND d.version = i.version), i.from_day
FROM report_incident i WHERE i.owner = $1 AND i.id = $2 AND i.version = $3;

-- name: report_import_add
-- roles: strategic test
-- args: id:uuid owner:uuid account:uuid session:uuid file:text wanted:text spool:text size:int started:int empty:text header:bytes
INSERT INTO report_import (
	id, owner, account, session, file, wanted, spool, size, started, layout, words, header,
	state, size_read, rows_done, added, changed, same, refused, flagged
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, 'queued', 0, 0, 0, 0, 0, 0, 0);

-- name: report_import_get
-- roles: strategic test
-- args: id:uuid
SELECT id, owner, account, session, file, wanted, layout, state, spool, size, size_read, rows_done, added, changed, same,
	refused, flagged, started, ended, words, header
FROM report_import WHERE id = $1;

-- name: report_import_list
-- roles: strategic test
-- args: owner:uuid everybody:int
SELECT id, owner, account, session, file, wanted, layout, state, spool, size, size_read, rows_done, added, changed, same,
	refused, flagged, started, ended, words, header
FROM report_import WHERE owner = $1 OR $2 = 1 ORDER BY id DESC LIMIT 200;

-- name: report_import_next
-- roles: strategic test
SELECT id, owner, account, session, file, wanted, layout, state, spool, size, size_read, rows_done, added, changed, same,
	refused, flagged, started, ended, words, header
FROM report_import WHERE state IN ('queued', 'running') ORDER BY id LIMIT 1;

-- name: report_import_waiting
-- roles: strategic test
-- args: owner:uuid
SELECT COUNT(*) FROM report_import WHERE owner = $1 AND state IN ('queued', 'running');

-- name: report_import_spools
-- roles: strategic test
SELECT spool FROM report_import WHERE state IN ('queued', 'running');

-- name: report_import_layout
-- roles: strategic test
-- args: id:uuid layout:text header:bytes
UPDATE report_import SET layout = $2, header = $3 WHERE id = $1;

-- name: report_import_progress
-- roles: strategic test
-- args: id:uuid size_read:int rows_done:int added:int changed:int same:int refused:int flagged:int
UPDATE report_import SET state = 'running', size_read = $2, rows_done = $3, added = added + $4, changed = changed + $5,
	same = same + $6, refused = refused + $7, flagged = flagged + $8
WHERE id = $1 AND state IN ('queued', 'running');

-- name: report_import_end
-- roles: strategic test
-- args: id:uuid state:text ended:int words:text spool:text
UPDATE report_import SET state = $2, ended = $3, words = $4, spool = $5
WHERE id = $1 AND state IN ('queued', 'running');

-- The oldest import that ended before its rows' time was over and has some left.
-- name: report_keep_next
-- roles: strategic test
-- args: before:int
SELECT i.id FROM report_import i
WHERE i.ended < $1 AND (EXISTS (SELECT 1 FROM report_refused r WHERE r.import = i.id)
	OR EXISTS (SELECT 1 FROM report_problem p WHERE p.import = i.id))
ORDER BY i.id LIMIT 1;

-- name: report_keep_refused
-- roles: strategic test
-- args: import:uuid max:int
DELETE FROM report_refused WHERE import = $1 AND row_no IN (
	SELECT row_no FROM report_refused WHERE import = $1 ORDER BY row_no LIMIT $2);

-- name: report_keep_problems
-- roles: strategic test
-- args: import:uuid
DELETE FROM report_problem WHERE import = $1;

-- name: report_problem_add
-- roles: strategic test
-- args: import:uuid n:int row_no:int field:text words:text stops:int
INSERT INTO report_problem (import, n, row_no, field, words, stops) VALUES ($1, $2, $3, $4, $5, $6);

-- name: report_problem_count
-- roles: strategic test
-- args: import:uuid
SELECT COUNT(*) FROM report_problem WHERE import = $1;

-- name: report_problem_list
-- roles: strategic test
-- args: import:uuid
SELECT row_no, field, words, stops FROM report_problem WHERE import = $1 ORDER BY n LIMIT 50;

-- name: report_refused_add
-- roles: strategic test
-- args: import:uuid row_no:int field:text reason:text original:bytes
INSERT INTO report_refused (import, row_no, field, reason, original) VALUES ($1, $2, $3, $4, $5);

-- name: report_refused_page
-- roles: strategic test
-- args: import:uuid after:int max:int
SELECT row_no, field, reason, original FROM report_refused
WHERE import = $1 AND row_no > $2 ORDER BY row_no LIMIT $3;

-- name: report_codebook_has
-- roles: strategic test
-- args: name:text version:text
SELECT since FROM report_codebook WHERE name = $1 AND version = $2;

-- name: report_codebook_add
-- roles: strategic test
-- args: name:text version:text since:int
INSERT INTO report_codebook (name, version, since) VALUES ($1, $2, $3);
