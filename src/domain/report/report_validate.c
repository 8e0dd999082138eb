/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "domain/report/report_validate.h"

#include "base/err.h"
#include "tbl/codebook/codebook.h"

enum { FEW = 5 };

/* Fields of rows without which the row says nothing. */
static const struct {
	uint8_t block;
	int8_t field;
	const char *place;
} required[] = {
	{ B_CAUSE, CAUSE_CODE, "harm.causes" },      { B_ABUSE, ABUSE_KIND, "harm.abuses.kind" },
	{ B_MEANS, MEANS_KIND, "means.kind" },       { B_DOCUMENT, DOCUMENT_KIND, "documents.kind" },
	{ B_MEASURE, MEASURE_KIND, "response.measures.kind" }, { B_MEASURE, MEASURE_STATE, "response.measures.state" },
	{ B_REFERRED, REFERRED_SERVICE, "response.referred.service" },
	{ B_RELEASE, RELEASE_COUNTRY, "handling.releasable" }, { B_LINK, LINK_KIND, "links.kind" },
	{ B_FURTHER_ID, FURTHER_ID_ID, "provenance.ids" }, { B_DOUBT, DOUBT_FIELD, "provenance.doubts.field" },
	{ B_DOUBT, DOUBT_CODE, "provenance.doubts.code" },
};

static int bad(struct diag *d, const char *place, const char *words)
{
	diag_place(d, "%s", place);
	return diag_set(d, FW_EINVALID, "%s", words);
}

static int check_rows(const struct incident *inc, struct diag *d)
{
	for (size_t i = 0; i < sizeof(required) / sizeof(*required); i++)
		for (size_t r = 0; r < inc->n[required[i].block]; r++)
			if (!cell_set(&incident_row(inc, required[i].block, r)[required[i].field]))
				return bad(d, required[i].place, "Expected a value in every row.");
	for (size_t r = 0; r < inc->n[B_FEE]; r++) {
		const struct cell *fee = incident_row(inc, B_FEE, r);
		int64_t least = cell_set(&fee[FEE_LOW]) ? fee[FEE_LOW].i : 0;
		int64_t usual = cell_set(&fee[FEE_TYPICAL]) ? fee[FEE_TYPICAL].i : least;
		int64_t most = cell_set(&fee[FEE_HIGH]) ? fee[FEE_HIGH].i : usual;
		bool any = cell_set(&fee[FEE_LOW]) || cell_set(&fee[FEE_TYPICAL]) || cell_set(&fee[FEE_HIGH]);
		if (least > usual || usual > most)
			return bad(d, "fees", "Expected low, typical and high in rising order.");
		if (any && !cell_set(&fee[FEE_CURRENCY]))
			return bad(d, "fees.currency", "Expected the currency of the amount.");
	}
	return 0;
}

static int check_dates(const struct cell *core, struct diag *d)
{
	struct date from = date_unpack(core[CORE_FROM_DAY].i), to = date_unpack(core[CORE_TO_DAY].i);
	if (cell_set(&core[CORE_TO_DAY]) && !cell_set(&core[CORE_FROM_DAY]))
		return bad(d, "when.from", "Expected the first day where the last one is given.");
	if (cell_set(&core[CORE_TO_DAY]) && date_last_day(to) < date_first_day(from))
		return bad(d, "when.to", "Expected a day not before when.from.");
	return 0;
}

int report_validate(const struct incident *inc, struct diag *reterr)
{
	const struct cell *core = inc->at[B_CORE];
	if (!cell_set(&core[CORE_TYPE]))
		return bad(reterr, "type", "Expected the kind of event.");
	if (!cell_set(&core[CORE_NUMBER]))
		return bad(reterr, "number", "Expected a report number.");
	if (cell_set(&core[CORE_LAT]) != cell_set(&core[CORE_LON]))
		return bad(reterr, "place.lat", "Expected latitude and longitude, or neither.");
	if (cell_set(&core[CORE_LAT]) && !cell_set(&core[CORE_POSITION]))
		return bad(reterr, "place.precision", "Expected how exact the position is.");
	int r = check_dates(core, reterr);
	return r < 0 ? r : check_rows(inc, reterr);
}

bool report_days(const struct incident *inc, int32_t *ret_first, int32_t *ret_last)
{
	const struct cell *core = inc->at[B_CORE];
	if (!cell_set(&core[CORE_FROM_DAY]))
		return false;
	struct date from = date_unpack(core[CORE_FROM_DAY].i);
	struct date to = cell_set(&core[CORE_TO_DAY]) ? date_unpack(core[CORE_TO_DAY].i) : from;
	*ret_first = date_first_day(from);
	*ret_last = date_last_day(to);
	return true;
}

static bool is_number(const struct cell *c)
{
	return cell_set(c) && c->i >= COUNT_LEAST;
}

/* How many persons it is about, as far as it says; -1 if it does not. */
static int64_t persons(const struct incident *inc)
{
	static const int8_t heads[] = { COUNTS_PERSONS, COUNTS_ARRIVED, COUNTS_RESCUED };
	static const int8_t parts[] = { COUNTS_DEAD, COUNTS_MISSING, COUNTS_SURVIVORS };
	const struct cell *c = inc->at[B_COUNTS];
	int64_t most = -1, sum = 0, people = 0;
	bool any = false;
	for (size_t i = 0; i < sizeof(heads); i++)
		if (is_number(&c[heads[i]]) && c[heads[i]].i > most)
			most = c[heads[i]].i;
	for (size_t i = 0; i < sizeof(parts); i++)
		if (is_number(&c[parts[i]])) {
			any = true;
			sum += c[parts[i]].i > 0 ? c[parts[i]].i : 0;
		}
	most = any && sum > most ? sum : most;
	for (size_t r = 0; r < inc->n[B_PEOPLE]; r++)
		if (is_number(&incident_row(inc, B_PEOPLE, r)[PEOPLE_COUNT]))
			people += incident_row(inc, B_PEOPLE, r)[PEOPLE_COUNT].i;
	return people > most ? people : most;
}

static bool protected_row(const struct cell *row)
{
	if (is_number(&row[PEOPLE_COUNT]) && row[PEOPLE_COUNT].i == 0)
		return false;
	if (cell_set(&row[PEOPLE_AGE]) && codebooks[CB_AGE_BAND].values[row[PEOPLE_AGE].i].flags & CODEBOOK_MINOR)
		return true;
	if (cell_set(&row[PEOPLE_NATIONALITY]) &&
	    codebooks[CB_COUNTRY].values[row[PEOPLE_NATIONALITY].i].flags & CODEBOOK_PROTECTED)
		return true;
	if (row[PEOPLE_UNACCOMPANIED].i == YES_YES || row[PEOPLE_STATELESS].i == YES_YES || row[PEOPLE_ASYLUM].i == YES_YES)
		return true;
	for (size_t v = 0; cell_set(&row[PEOPLE_NEEDS]) && v < codebooks[CB_NEED].n; v++)
		if (row[PEOPLE_NEEDS].i >> v & 1 && codebooks[CB_NEED].values[v].flags & CODEBOOK_PROTECTED)
			return true;
	return false;
}

bool report_personal(const struct incident *inc)
{
	static const int8_t protected_counts[] = { COUNTS_CHILDREN, COUNTS_UNACCOMPANIED, COUNTS_STATELESS,
						   COUNTS_PREGNANT, COUNTS_DISABILITY,    COUNTS_ASYLUM };
	const struct cell *c = inc->at[B_COUNTS];
	if (persons(inc) < FEW)
		return true;
	for (size_t i = 0; i < sizeof(protected_counts); i++) {
		const struct cell *n = &c[protected_counts[i]];
		if (is_number(n) ? n->i != 0 : n->i == COUNT_WITHHELD)
			return true;
	}
	for (size_t r = 0; r < inc->n[B_PEOPLE]; r++)
		if (protected_row(incident_row(inc, B_PEOPLE, r)))
			return true;
	return false;
}
