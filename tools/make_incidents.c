/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Synthetic incident reports, one JSON object a line, for the demonstration
 * node, for tests and for measurement.
 *
 *     make_incidents COUNT [SEED] [ROWS]
 *
 * Deterministic: the same COUNT, SEED and ROWS give the same bytes, and a longer run
 * begins with a shorter one's lines.  Every report says "synthetic": true;
 * nothing in it happened.  ROWS is how many child rows a report has on average
 * (8 if absent; the blocks are filled until about as many are there).
 *
 * Corridors give place, route, means, causes and nationalities that go
 * together, so that the map and the panels look like something; numbers are
 * drawn so that small events are frequent and large ones rare; what is
 * unknown, not collected or withheld occurs as often as reports of the field have it.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/time.h"
#include "codec/json.h"

struct corridor {
	const char *route, *country, *embarkation, *destination, *region_words;
	double lat, lon, spread; /* centre and width in degrees */
	const char *means[4], *causes[4], *nationalities[6];
	bool sea;
	int weight;
};

static const struct corridor corridors[] = {
	{ "andaman", "MMR", "BGD", "MYS", "Andaman Sea", 13.5, 95.5, 3.0, { "wooden_boat", "fishing_vessel" },
	  { "drowning", "sickness", "violence" }, { "BGD", "MMR" }, true, 14 },
	{ "naf", "BGD", "MMR", "BGD", "Naf river", 20.9, 92.3, 0.4, { "wooden_boat", "swimming" }, { "drowning", "violence" },
	  { "MMR" }, true, 5 },
	{ "malacca", "MYS", "IDN", "MYS", "Strait of Malacca", 3.1, 100.6, 1.4, { "speedboat", "wooden_boat" },
	  { "drowning", "accident" }, { "IDN", "BGD", "MMR" }, true, 9 },
	{ "myanmar_thailand_malaysia", "THA", "MMR", "MYS", "southern provinces", 7.2, 100.2, 1.6,
	  { "pickup", "van", "on_foot", "lorry" }, { "transport", "suffocation", "sickness" }, { "MMR", "BGD" }, false, 13 },
	{ "mekong", "KHM", "VNM", "THA", "lower Mekong", 13.6, 103.4, 1.5, { "van", "on_foot", "bus" }, { "transport", "drowning" },
	  { "VNM", "KHM", "LAO" }, false, 7 },
	{ "indian_ocean_australia", "IDN", "LKA", "AUS", "south of Java", -9.6, 108.0, 4.0, { "fishing_vessel", "wooden_boat" },
	  { "drowning", "environment" }, { "LKA", "AFG", "IRN", "PAK" }, true, 7 },
	{ "sulu_celebes", "PHL", "PHL", "MYS", "Sulu archipelago", 5.6, 120.3, 1.5, { "speedboat", "canoe" }, { "drowning", "violence" },
	  { "PHL", "IDN" }, true, 5 },
	{ "afghanistan_iran", "IRN", "AFG", "TUR", "eastern border districts", 30.6, 61.2, 1.8, { "pickup", "on_foot", "lorry" },
	  { "transport", "environment", "violence" }, { "AFG", "PAK" }, false, 12 },
	{ "iran_turkiye", "TUR", "IRN", "TUR", "mountain border", 38.4, 44.3, 0.9, { "on_foot", "van", "animal" }, { "environment", "accident" },
	  { "AFG", "IRN", "PAK", "BGD" }, false, 8 },
	{ "south_asia_gulf", "ARE", "PAK", "ARE", "Gulf ports", 25.1, 57.4, 2.0, { "wooden_boat", "cargo_ship", "container" },
	  { "drowning", "suffocation" }, { "PAK", "BGD", "IND" }, true, 5 },
	{ "eastern_mediterranean", "GRC", "TUR", "DEU", "eastern Aegean", 37.6, 26.6, 1.2, { "inflatable", "speedboat", "sailing_yacht" },
	  { "drowning" }, { "AFG", "SYR", "PSE", "PAK" }, true, 6 },
	{ "central_mediterranean", "LBY", "LBY", "ITA", "central Mediterranean", 33.9, 13.0, 2.2, { "inflatable", "wooden_boat" },
	  { "drowning", "environment" }, { "BGD", "EGY", "SYR", "ERI" }, true, 6 },
	{ "air_worldwide", "THA", "THA", "AUS", "international airport", 13.7, 100.7, 0.05, { "commercial_flight" }, { "mixed_unknown" },
	  { "LKA", "IRN", "AFG", "IND", "NPL" }, false, 3 },
};
enum { CORRIDORS = sizeof(corridors) / sizeof(*corridors) };

static uint64_t state;

static uint64_t next(void)
{
	uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static unsigned below(unsigned n)
{
	return (unsigned)(next() % n);
}

static bool chance(unsigned percent)
{
	return below(100) < percent;
}

/* Small often, large rarely: between 1 and about ${most}. */
static int64_t few(double most)
{
	double u = (double)(next() >> 11) / 9007199254740992.0;
	return 1 + (int64_t)(most * u * u * u * u);
}

/* One of a list that NULL ends. */
static const char *one_of(const char *const *list, size_t max)
{
	size_t n = 0;
	while (n < max && list[n] != NULL)
		n++;
	return list[below((unsigned)n)];
}
#define ANY(...) one_of((const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

/* Bell-like, between -1 and 1. */
static double around(void)
{
	return ((double)below(2001) + (double)below(2001) + (double)below(2001)) / 3000.0 - 1.0;
}

/* A count: mostly the number, else one of the three states; nothing for "not collected" half of the time. */
static void put_count(struct jw *j, const char *name, int64_t v, unsigned known)
{
	if (chance(known)) {
		jw_put_i64(j, name, v);
	} else if (chance(75)) {
		jw_put_string(j, name, ANY("unknown", "unknown", "not_collected", "withheld"));
	}
}

static void put_when(struct jw *j, int32_t day)
{
	char text[DATE_TEXT_LEN + 1];
	struct date d = date_from_days(day);
	unsigned how = below(100);
	d.precision = how < 90 ? DATE_DAY : how < 97 ? DATE_MONTH : DATE_YEAR;
	date_format(d, text);
	jw_name(j, "when");
	jw_object(j);
	if (how != 99)
		jw_put_string(j, "from", text);
	if (d.precision == DATE_DAY && chance(60))
		jw_put_time(j, "detected", day * USEC_PER_DAY + below(86400) * USEC_PER_SEC);
	jw_end(j);
}

static void put_place(struct jw *j, const struct corridor *c)
{
	char words[120];
	(void)snprintf(words, sizeof(words), "Exercise sector %u, %s", 1 + below(24), c->region_words);
	jw_name(j, "place");
	jw_object(j);
	if (!c->sea || chance(70))
		jw_put_string(j, "country", c->country);
	jw_put_string(j, "text", words);
	if (chance(96)) {
		jw_put_f64(j, "lat", floor((c->lat + around() * c->spread) * 1e4) / 1e4);
		jw_put_f64(j, "lon", floor((c->lon + around() * c->spread) * 1e4) / 1e4);
		bool area = chance(25);
		jw_put_string(j, "precision", area ? "area" : ANY("exact", "near", "place"));
		if (area)
			jw_put_i64(j, "radius_m", 5000 * (1 + below(20)));
	}
	jw_put_string(j, "zone", c->sea ? ANY("territorial_sea", "high_seas", "contiguous_zone") : ANY("land", "land", "river"));
	jw_end(j);
}

static int put_journey(struct jw *j, const struct corridor *c, int32_t day, int legs)
{
	char text[DATE_TEXT_LEN + 1];
	jw_name(j, "journey");
	jw_object(j);
	if (chance(93))
		jw_put_string(j, "route", c->route);
	jw_put_string(j, "embarkation", c->embarkation);
	jw_put_string(j, "destination", c->destination);
	jw_put_string(j, "direction", ANY("in", "out", "through", "unknown"));
	if (legs > 0) {
		jw_name(j, "legs");
		jw_array(j);
		for (int i = 0; i < legs; i++) {
			date_format(date_from_days(day - 3 * (legs - i)), text);
			jw_object(j);
			jw_put_string(j, "country", i == 0 ? c->embarkation : c->country);
			jw_put_string(j, "mode", i + 1 == legs && c->sea ? "sea" : ANY("road", "foot", "rail", "river"));
			jw_put_string(j, "date", text);
			jw_put_string(j, "fee_paid", ANY("yes", "no", "unknown"));
			jw_end(j);
		}
		jw_end(j);
	}
	jw_end(j);
	return legs;
}

static void put_counts(struct jw *j, int64_t persons, bool harm)
{
	int64_t dead = harm ? few(12) : 0, missing = harm && chance(50) ? few(25) : 0;
	int64_t women = persons * below(45) / 100, children = persons * below(30) / 100;
	jw_name(j, "counts");
	jw_object(j);
	put_count(j, "persons", persons, 85);
	put_count(j, "dead", dead, 90);
	put_count(j, "missing", missing, 75);
	put_count(j, "survivors", persons, harm ? 60 : 30);
	put_count(j, "rescued", chance(40) ? persons : 0, 60);
	put_count(j, "injured", chance(20) ? few(6) : 0, 55);
	put_count(j, "female", women, 60);
	put_count(j, "male", persons - women, 60);
	put_count(j, "children", children, 60);
	put_count(j, "unaccompanied", children > 0 && chance(30) ? few((double)children) : 0, 40);
	put_count(j, "facilitators", chance(30) ? few(4) : 0, 45);
	jw_end(j);
	jw_put_string(j, "counts_are", ANY("exact", "exact", "estimate", "minimum"));
}

static int put_people(struct jw *j, const struct corridor *c, int64_t persons, int groups)
{
	if (groups == 0)
		return 0;
	jw_name(j, "people");
	jw_array(j);
	for (int i = 0; i < groups; i++) {
		const char *age = ANY("young_adult", "adult_35", "adult", "minor", "adolescent", "unknown");
		jw_object(j);
		jw_put_string(j, "nationality", one_of(c->nationalities, 6));
		jw_put_string(j, "sex", ANY("male", "male", "female", "unknown"));
		jw_put_string(j, "age", age);
		jw_name(j, "count");
		if (chance(92))
			jw_i64(j, 1 + persons / (groups + 1));
		else
			jw_string(j, "unknown");
		jw_put_string(j, "population", ANY("smuggled", "irregular", "unknown"));
		jw_end(j);
	}
	jw_end(j);
	return groups;
}

static int put_harm(struct jw *j, const struct corridor *c, bool harm)
{
	if (!harm)
		return 0;
	int n = chance(15) ? 2 : 1;
	jw_name(j, "harm");
	jw_object(j);
	jw_name(j, "causes");
	jw_array(j);
	const char *first = one_of(c->causes, 4);
	jw_string(j, first);
	if (n == 2)
		jw_string(j, "mixed_unknown");
	jw_end(j);
	jw_end(j);
	return n;
}

static int put_means(struct jw *j, const struct corridor *c, int64_t persons)
{
	if (chance(8))
		return 0;
	jw_name(j, "means");
	jw_array(j);
	jw_object(j);
	jw_put_string(j, "kind", one_of(c->means, 4));
	jw_put_i64(j, "number", chance(90) ? 1 : 2);
	put_count(j, "persons", persons, 70);
	if (c->sea)
		jw_put_string(j, "condition", ANY("sound", "overloaded", "unseaworthy", "adrift", "unknown"));
	else
		jw_put_string(j, "concealment", ANY("none", "cargo", "compartment", "among_passengers", "unknown"));
	jw_end(j);
	jw_end(j);
	return 1;
}

static int put_facilitation(struct jw *j, const struct corridor *c, int rows)
{
	const char *how = ANY("yes", "yes", "likely", "possible", "no", "unknown", "unknown", "not_collected");
	jw_name(j, "facilitation");
	jw_object(j);
	jw_put_string(j, "state", how);
	if (how[0] == 'y' || how[0] == 'l') {
		jw_name(j, "basis");
		jw_array(j);
		jw_string(j, ANY("own_statement", "witness", "pattern", "caught"));
		jw_end(j);
		jw_put_string(j, "organised", ANY("yes", "no", "unknown"));
	}
	jw_end(j);
	if (rows == 0)
		return 0;
	jw_name(j, "facilitators");
	jw_array(j);
	for (int i = 0; i < rows; i++) {
		jw_object(j);
		jw_put_string(j, "nationality", one_of(c->nationalities, 6));
		jw_put_string(j, "role", ANY("transporter", "guide", "recruiter", "harbourer", "money_handler", "unknown"));
		jw_put_string(j, "outcome", ANY("detected", "arrested", "escaped", "unknown"));
		jw_put_i64(j, "count", few(3));
		jw_end(j);
	}
	jw_end(j);
	return rows;
}

static int put_fee(struct jw *j, const struct corridor *c)
{
	int64_t typical = 200 * (1 + below(30));
	jw_name(j, "fees");
	jw_array(j);
	jw_object(j);
	jw_put_i64(j, "low", typical * 3 / 5);
	jw_put_i64(j, "typical", typical);
	jw_put_i64(j, "high", typical * 3 / 2);
	jw_put_string(j, "currency", ANY("USD", "USD", "EUR", "MYR", "THB"));
	jw_put_string(j, "per", ANY("person", "person", "family"));
	jw_put_string(j, "buys", ANY("whole_journey", "one_leg", "crossing"));
	jw_put_string(j, "method", ANY("cash", "hawala", "mobile_money", "unknown"));
	jw_put_string(j, "timing", ANY("before", "parts", "arrival", "after"));
	jw_put_string(j, "nationality", one_of(c->nationalities, 6));
	jw_put_string(j, "basis", ANY("own_statement", "survey", "estimate"));
	jw_end(j);
	jw_end(j);
	return 1;
}

static int put_document(struct jw *j, const struct corridor *c)
{
	jw_name(j, "documents");
	jw_array(j);
	jw_object(j);
	jw_put_string(j, "kind", ANY("passport", "identity_card", "visa", "none"));
	jw_put_string(j, "issuer", one_of(c->nationalities, 6));
	jw_put_string(j, "fraud", ANY("none", "counterfeit", "forged", "lookalike", "unknown"));
	jw_put_i64(j, "count", few(5));
	jw_end(j);
	jw_end(j);
	return 1;
}

static int put_response(struct jw *j, int64_t persons, int measures)
{
	jw_name(j, "response");
	jw_object(j);
	jw_name(j, "measures");
	jw_array(j);
	for (int i = 0; i < measures; i++) {
		jw_object(j);
		jw_put_string(j, "kind", ANY("rescue", "medical", "reception", "registration", "referral", "information_shared"));
		jw_put_string(j, "state", ANY("taken", "taken", "planned"));
		jw_end(j);
	}
	jw_end(j);
	jw_name(j, "referred");
	jw_array(j);
	jw_object(j);
	jw_put_string(j, "service", ANY("health", "child_protection", "shelter", "tracing"));
	jw_put_i64(j, "count", few((double)persons));
	jw_end(j);
	jw_end(j);
	jw_end(j);
	return measures + 1;
}

static void put_confidence(struct jw *j)
{
	jw_name(j, "confidence");
	jw_object(j);
	jw_put_string(j, "reliability", ANY("A", "B", "B", "C", "F"));
	jw_put_string(j, "credibility", ANY("1", "2", "2", "3", "6"));
	jw_end(j);
	jw_name(j, "sources");
	jw_array(j);
	jw_object(j);
	jw_put_string(j, "kind", ANY("own_authority", "other_authority", "civil_society", "press"));
	jw_put_string(j, "title", "Exercise source");
	jw_end(j);
	jw_end(j);
}

static const struct corridor *pick(void)
{
	unsigned all = 0;
	for (size_t i = 0; i < CORRIDORS; i++)
		all += (unsigned)corridors[i].weight;
	unsigned at = below(all);
	size_t i = 0;
	while (at >= (unsigned)corridors[i].weight)
		at -= (unsigned)corridors[i++].weight;
	return &corridors[i];
}

static void make(struct jw *j, uint64_t number, uint64_t seed, unsigned rows)
{
	char id[40];
	state = seed * UINT64_C(0xd1342543de82ef95) + number; /* each line by itself: the order does not matter */
	const struct corridor *c = pick();
	int32_t day = 19723 + (int32_t)below(1050); /* 2024-01-01 and nearly three years on */
	int64_t persons = few(c->sea ? 180 : 40);
	bool harm = chance(c->sea ? 45 : 25);
	(void)snprintf(id, sizeof(id), "EX-%" PRIu64 "-%07" PRIu64, seed, number);
	jw_object(j);
	jw_put_string(j, "number", id);
	jw_put_bool(j, "synthetic", true);
	jw_put_string(j, "type", harm ? "death_or_disappearance" :
				 c->sea ? ANY("sea_interception", "sea_rescue", "border_entry") :
					  ANY("border_entry", "entry_attempt", "irregular_stay", "land_rescue"));
	jw_put_string(j, "form", "single");
	put_when(j, day);
	put_place(j, c);
	int made = put_journey(j, c, day, (int)below(4));
	put_counts(j, persons, harm);
	made += put_harm(j, c, harm) + put_means(j, c, persons);
	bool fee = chance(45), document = chance(30);
	made += 1 + (fee ? put_fee(j, c) : 0) + (document ? put_document(j, c) : 0); /* 1: the source */
	made += put_facilitation(j, c, chance(35) ? 1 : 0);
	if (chance(60))
		made += put_response(j, persons, 1 + (int)below(2));
	/* Groups of persons make up the rest, so that the average comes out as asked. */
	int target = (int)(rows / 2 + below(rows + 1));
	(void)put_people(j, c, persons, target > made ? target - made : chance(50) ? 1 : 0);
	put_confidence(j);
	jw_end(j);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		(void)fprintf(stderr, "usage: make_incidents COUNT [SEED] [ROWS]\n");
		return 2;
	}
	uint64_t count = strtoull(argv[1], NULL, 10), seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	unsigned rows = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 8;
	struct buf out;
	buf_init(&out, 1 << 22);
	for (uint64_t i = 1; i <= count; i++) {
		struct jw j;
		jw_init(&j, &out);
		make(&j, i, seed, rows);
		buf_putc(&out, '\n');
		if (out.len > 1 << 20 || i == count) {
			if (fwrite(out.data, 1, out.len, stdout) != out.len)
				return 1;
			buf_clear(&out);
		}
	}
	buf_release(&out);
	return fflush(stdout) == 0 ? 0 : 1;
}
