-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Incident reports.  docs/incident-record.md explains the blocks; incident.def
-- lists the fields, and a test holds it against the statements of report.sql.
--
-- A report is (owner, id): the agency that answers for it, and a UUIDv7.  Every
-- correction is a further version with all its rows; old ones stay.  A count
-- is a number, or NULL with the reason why: 1 unknown, 2 not collected,
-- 3 withheld; so a SUM can never take a reason for a number.  Dates of the
-- world are year * 10000 + month * 100 + day, with zeros for what is not known.
-- Lists and totals are made from memory (report_index.h), so that writing
-- needs no index besides the keys, which rise.

-- migration: report 1
-- vaults: strategic
-- shared: report_incident report_counts report_detail report_prov report_leg report_origin report_people report_cause report_abuse report_means report_facilitator report_document report_fee report_measure report_referred report_release report_source report_link report_further_id report_doubt
CREATE TABLE report_incident (
	owner UUID NOT NULL,
	id UUID NOT NULL,
	version INT NOT NULL CHECK (version >= 1),
	latest INT NOT NULL CHECK (latest IN (0, 1)),
	author UUID NOT NULL,
	at INT NOT NULL,
	reason TEXT NOT NULL CHECK (reason IN ('written', 'corrected', 'imported', 'changed')),
	status TEXT NOT NULL
		CHECK (status IN ('draft', 'submitted', 'returned', 'verified', 'validated', 'shared', 'closed')),
	verified_by UUID,
	validated_by UUID,
	closed_reason TEXT,
	personal INT NOT NULL CHECK (personal IN (0, 1)),
	first_day INT, -- days since 1970 of the first day it may have been; NULL unknown
	last_day INT,
	import UUID,
	import_row INT,
	number TEXT NOT NULL,
	synthetic INT CHECK (synthetic IN (0, 1)),
	type TEXT NOT NULL,
	form TEXT,
	outcome TEXT,
	manner TEXT,
	severity TEXT,
	from_day INT,
	to_day INT,
	detected_at INT,
	reported_at INT,
	country TEXT,
	region TEXT,
	un_region TEXT,
	place TEXT,
	lat INT CHECK (lat BETWEEN -900000000 AND 900000000), -- degrees * 10 000 000
	lon INT CHECK (lon BETWEEN -1800000000 AND 1800000000),
	position TEXT,
	radius_m INT,
	route TEXT,
	facilitation TEXT,
	PRIMARY KEY (owner, id, version),
	CHECK (verified_by IS NULL OR verified_by <> author),
	CHECK (validated_by IS NULL OR validated_by <> author),
	CHECK (status NOT IN ('verified', 'validated', 'shared') OR verified_by IS NOT NULL),
	CHECK (status NOT IN ('validated', 'shared') OR validated_by IS NOT NULL),
	CHECK ((status = 'closed') = (closed_reason IS NOT NULL)),
	CHECK ((lat IS NULL) = (lon IS NULL)),
	CHECK (lat IS NULL OR position IS NOT NULL),
	CHECK ((first_day IS NULL) = (last_day IS NULL)),
	CHECK (first_day <= last_day),
	CHECK ((import IS NULL) = (import_row IS NULL))
) WITHOUT ROWID;

-- Numbers, and what is said of empty blocks.
CREATE TABLE report_counts (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	persons INT, persons_why INT CHECK ((persons IS NULL) <> (persons_why IS NULL)) CHECK (persons_why BETWEEN 1 AND 3),
	arrived INT, arrived_why INT CHECK ((arrived IS NULL) <> (arrived_why IS NULL)) CHECK (arrived_why BETWEEN 1 AND 3),
	dead INT, dead_why INT CHECK ((dead IS NULL) <> (dead_why IS NULL)) CHECK (dead_why BETWEEN 1 AND 3),
	missing INT, missing_why INT CHECK ((missing IS NULL) <> (missing_why IS NULL)) CHECK (missing_why BETWEEN 1 AND 3),
	injured INT, injured_why INT CHECK ((injured IS NULL) <> (injured_why IS NULL)) CHECK (injured_why BETWEEN 1 AND 3),
	rescued INT, rescued_why INT CHECK ((rescued IS NULL) <> (rescued_why IS NULL)) CHECK (rescued_why BETWEEN 1 AND 3),
	survivors INT, survivors_why INT CHECK ((survivors IS NULL) <> (survivors_why IS NULL)) CHECK (survivors_why BETWEEN 1 AND 3),
	female INT, female_why INT CHECK ((female IS NULL) <> (female_why IS NULL)) CHECK (female_why BETWEEN 1 AND 3),
	male INT, male_why INT CHECK ((male IS NULL) <> (male_why IS NULL)) CHECK (male_why BETWEEN 1 AND 3),
	children INT, children_why INT CHECK ((children IS NULL) <> (children_why IS NULL)) CHECK (children_why BETWEEN 1 AND 3),
	unaccompanied INT, unaccompanied_why INT CHECK ((unaccompanied IS NULL) <> (unaccompanied_why IS NULL)) CHECK (unaccompanied_why BETWEEN 1 AND 3),
	stateless INT, stateless_why INT CHECK ((stateless IS NULL) <> (stateless_why IS NULL)) CHECK (stateless_why BETWEEN 1 AND 3),
	pregnant INT, pregnant_why INT CHECK ((pregnant IS NULL) <> (pregnant_why IS NULL)) CHECK (pregnant_why BETWEEN 1 AND 3),
	disability INT, disability_why INT CHECK ((disability IS NULL) <> (disability_why IS NULL)) CHECK (disability_why BETWEEN 1 AND 3),
	asylum INT, asylum_why INT CHECK ((asylum IS NULL) <> (asylum_why IS NULL)) CHECK (asylum_why BETWEEN 1 AND 3),
	facilitators INT, facilitators_why INT CHECK ((facilitators IS NULL) <> (facilitators_why IS NULL)) CHECK (facilitators_why BETWEEN 1 AND 3),
	counts_are TEXT,
	no_people TEXT CHECK (no_people IN ('unknown', 'not_collected', 'withheld')),
	no_journey TEXT CHECK (no_journey IN ('unknown', 'not_collected', 'withheld')),
	no_means TEXT CHECK (no_means IN ('unknown', 'not_collected', 'withheld')),
	no_causes TEXT CHECK (no_causes IN ('unknown', 'not_collected', 'withheld')),
	no_facilitators TEXT CHECK (no_facilitators IN ('unknown', 'not_collected', 'withheld')),
	no_documents TEXT CHECK (no_documents IN ('unknown', 'not_collected', 'withheld')),
	no_fees TEXT CHECK (no_fees IN ('unknown', 'not_collected', 'withheld')),
	no_response TEXT CHECK (no_response IN ('unknown', 'not_collected', 'withheld')),
	PRIMARY KEY (owner, incident, version),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- What one row can hold besides.
CREATE TABLE report_detail (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	section TEXT,
	crossing TEXT,
	crossing_kind TEXT,
	zone TEXT,
	journey_origin TEXT,
	embarkation TEXT,
	destination TEXT,
	direction TEXT,
	detection TEXT,
	sensor TEXT,
	evasion TEXT,
	detected_by TEXT,
	cause_text TEXT,
	facilitation_basis TEXT,
	organised TEXT,
	brought_to_light TEXT,
	facilitation_text TEXT,
	sar TEXT,
	urgency TEXT,
	reliability TEXT,
	credibility TEXT,
	confidence_scheme TEXT,
	confidence_original TEXT,
	impact_migration TEXT,
	impact_crime TEXT,
	impact_lives TEXT,
	tlp TEXT,
	classification TEXT,
	use_for TEXT,
	retain_until INT,
	caveat TEXT,
	words TEXT,
	PRIMARY KEY (owner, incident, version),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- Where the report came from.
CREATE TABLE report_prov (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	system TEXT NOT NULL,
	source_id TEXT NOT NULL,
	source_status TEXT,
	PRIMARY KEY (owner, incident, version),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- Legs of the journey.
CREATE TABLE report_leg (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	n INT NOT NULL,
	place TEXT,
	country TEXT,
	mode TEXT,
	means TEXT,
	carrier TEXT,
	from_day INT,
	fee_paid TEXT,
	PRIMARY KEY (owner, incident, version, n),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- Countries of origin without numbers.
CREATE TABLE report_origin (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	n INT NOT NULL,
	country TEXT,
	region TEXT,
	presumed INT CHECK (presumed IN (0, 1)),
	PRIMARY KEY (owner, incident, version, n),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- Persons alike in nationality, sex and age.
CREATE TABLE report_people (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	n INT NOT NULL,
	nationality TEXT,
	region TEXT,
	sex TEXT,
	age TEXT,
	count INT, count_why INT CHECK ((count IS NULL) <> (count_why IS NULL)) CHECK (count_why BETWEEN 1 AND 3),
	population TEXT,
	unaccompanied TEXT CHECK (unaccompanied IN ('yes', 'no', 'unknown')),
	stateless TEXT CHECK (stateless IN ('yes', 'no', 'unknown')),
	asylum TEXT CHECK (asylum IN ('yes', 'no', 'unknown')),
	needs TEXT,
	PRIMARY KEY (owner, incident, version, n),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- Causes of harm.
CREATE TABLE report_cause (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	n INT NOT NULL,
	code TEXT NOT NULL,
	PRIMARY KEY (owner, incident, version, n),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- Harm done by others.
CREATE TABLE report_abuse (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	n INT NOT NULL,
	kind TEXT,
	count INT, count_why INT CHECK ((count IS NULL) <> (count_why IS NULL)) CHECK (count_why BETWEEN 1 AND 3),
	perpetrator TEXT,
	country TEXT,
	PRIMARY KEY (owner, incident, version, n),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- Means of transport.
CREATE TABLE report_means (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	n INT NOT NULL,
	kind TEXT NOT NULL,
	number INT, number_why INT CHECK ((number IS NULL) <> (number_why IS NULL)) CHECK (number_why BETWEEN 1 AND 3),
	name TEXT,
	flag TEXT,
	registration TEXT,
	persons INT, persons_why INT CHECK ((persons IS NULL) <> (persons_why IS NULL)) CHECK (persons_why BETWEEN 1 AND 3),
	capacity INT, capacity_why INT CHECK ((capacity IS NULL) <> (capacity_why IS NULL)) CHECK (capacity_why BETWEEN 1 AND 3),
	state TEXT,
	concealment TEXT,
	PRIMARY KEY (owner, incident, version, n),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- Suspected facilitators, by kind.
CREATE TABLE report_facilitator (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	n INT NOT NULL,
	nationality TEXT,
	sex TEXT,
	age TEXT,
	part TEXT,
	outcome TEXT,
	count INT, count_why INT CHECK ((count IS NULL) <> (count_why IS NULL)) CHECK (count_why BETWEEN 1 AND 3),
	PRIMARY KEY (owner, incident, version, n),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- Documents, by kind.
CREATE TABLE report_document (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	n INT NOT NULL,
	kind TEXT NOT NULL,
	issuer TEXT,
	fraud TEXT,
	holder TEXT,
	count INT, count_why INT CHECK ((count IS NULL) <> (count_why IS NULL)) CHECK (count_why BETWEEN 1 AND 3),
	PRIMARY KEY (owner, incident, version, n),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- Fees.
CREATE TABLE report_fee (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	n INT NOT NULL,
	low INT,
	typical INT,
	high INT,
	currency TEXT,
	per TEXT,
	buys TEXT,
	method TEXT,
	timing TEXT,
	payee TEXT,
	basis TEXT,
	nationality TEXT,
	PRIMARY KEY (owner, incident, version, n),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- Measures of the authorities.
CREATE TABLE report_measure (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	n INT NOT NULL,
	kind TEXT NOT NULL,
	state TEXT NOT NULL,
	from_day INT,
	taken_by TEXT,
	words TEXT,
	PRIMARY KEY (owner, incident, version, n),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- Referred to services.
CREATE TABLE report_referred (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	n INT NOT NULL,
	service TEXT NOT NULL,
	count INT, count_why INT CHECK ((count IS NULL) <> (count_why IS NULL)) CHECK (count_why BETWEEN 1 AND 3),
	PRIMARY KEY (owner, incident, version, n),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- States it may be released to.
CREATE TABLE report_release (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	n INT NOT NULL,
	country TEXT NOT NULL,
	PRIMARY KEY (owner, incident, version, n),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- Sources.
CREATE TABLE report_source (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	n INT NOT NULL,
	kind TEXT,
	title TEXT,
	url TEXT,
	of_day INT,
	PRIMARY KEY (owner, incident, version, n),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- Ties to other reports.
CREATE TABLE report_link (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	n INT NOT NULL,
	kind TEXT NOT NULL,
	other UUID,
	ref TEXT,
	PRIMARY KEY (owner, incident, version, n),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- Further numbers at the source.
CREATE TABLE report_further_id (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	n INT NOT NULL,
	id TEXT NOT NULL,
	PRIMARY KEY (owner, incident, version, n),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- What the node noticed and kept as it was.
CREATE TABLE report_doubt (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	n INT NOT NULL,
	field TEXT NOT NULL,
	code TEXT NOT NULL,
	words TEXT,
	PRIMARY KEY (owner, incident, version, n),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- Steps of a report's way that made no new version: who moved it, when, why.
CREATE TABLE report_step (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	version INT NOT NULL,
	n INT NOT NULL,
	status TEXT NOT NULL,
	account UUID NOT NULL,
	at INT NOT NULL,
	reason TEXT,
	PRIMARY KEY (owner, incident, version, n),
	FOREIGN KEY (owner, incident, version) REFERENCES report_incident (owner, id, version)
) WITHOUT ROWID;

-- What came from where: one row for each number of a source, with the hash of
-- what the newest version says, so that the same file twice adds nothing.
CREATE TABLE report_known (
	owner UUID NOT NULL,
	system TEXT NOT NULL,
	source_id TEXT NOT NULL CHECK (length(source_id) BETWEEN 1 AND 200),
	incident UUID NOT NULL,
	version INT NOT NULL,
	hash BYTES NOT NULL CHECK (length(hash) = 16),
	PRIMARY KEY (owner, system, source_id)
) WITHOUT ROWID;

-- Erased reports: what a restored backup has to erase again.
CREATE TABLE report_erasure (
	owner UUID NOT NULL,
	incident UUID NOT NULL,
	at INT NOT NULL,
	account UUID NOT NULL,
	reason TEXT NOT NULL,
	PRIMARY KEY (owner, incident)
) WITHOUT ROWID;

-- The codebooks that reports here were written with.
CREATE TABLE report_codebook (
	name TEXT NOT NULL,
	version TEXT NOT NULL,
	since INT NOT NULL,
	PRIMARY KEY (name, version)
) WITHOUT ROWID;

-- Imports. rows_done is where an interrupted one goes on: it moves in the
-- transaction that writes the rows.
CREATE TABLE report_import (
	id UUID NOT NULL PRIMARY KEY,
	owner UUID NOT NULL,
	account UUID NOT NULL,
	session UUID NOT NULL,
	file TEXT NOT NULL,
	wanted TEXT NOT NULL, -- layout asked for, '' to recognise it
	layout TEXT NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
	spool TEXT NOT NULL, -- name of the file in the vault's spool folder, '' once it is gone
	size INT NOT NULL,
	size_read INT NOT NULL,
	rows_done INT NOT NULL,
	added INT NOT NULL,
	changed INT NOT NULL,
	same INT NOT NULL,
	refused INT NOT NULL,
	flagged INT NOT NULL,
	started INT NOT NULL,
	ended INT,
	words TEXT NOT NULL,
	header BYTES NOT NULL, -- the header of the file as a line of CSV, for the refused rows
	CHECK ((ended IS NULL) = (state IN ('queued', 'running')))
);

CREATE TABLE report_refused (
	import UUID NOT NULL,
	row_no INT NOT NULL,
	field TEXT NOT NULL,
	reason TEXT NOT NULL,
	original BYTES NOT NULL, -- the row as a line of CSV, or the line of JSON
	PRIMARY KEY (import, row_no),
	FOREIGN KEY (import) REFERENCES report_import (id)
) WITHOUT ROWID;

CREATE TABLE report_problem (
	import UUID NOT NULL,
	n INT NOT NULL,
	row_no INT NOT NULL,
	field TEXT NOT NULL,
	words TEXT NOT NULL,
	stops INT NOT NULL CHECK (stops IN (0, 1)),
	PRIMARY KEY (import, n),
	FOREIGN KEY (import) REFERENCES report_import (id)
) WITHOUT ROWID;
