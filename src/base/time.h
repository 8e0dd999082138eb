/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Time of the machine and dates of the world: two different things.
 *
 * Machine time is UTC microseconds since 1970 in an int64.  It never goes
 * below a floor: a worker raises the floor to the time of its last ledger
 * entry, so that a clock set back does not reorder what was written.
 *
 * A date of the world carries its precision: a report may know the day, only
 * the month, only the year, or nothing.  Proleptic Gregorian calendar.
 */
#ifndef FW_BASE_TIME_H
#define FW_BASE_TIME_H

#include <stdint.h>
#include <stddef.h>

typedef int64_t usec_t; /* UTC microseconds since 1970-01-01T00:00:00Z */

#define USEC_PER_SEC INT64_C(1000000)
#define USEC_PER_DAY (INT64_C(86400) * USEC_PER_SEC)

/* Now, not below the floor. */
usec_t time_now(void);
/* Raise the floor; lowering it is ignored. */
void time_floor_raise(usec_t floor);
/* Tests move the clock: an offset added to the machine's. The floor still holds. */
void time_test_offset(int64_t usec);
/* Monotonic microseconds, for intervals. */
usec_t time_mono(void);

enum { TIME_TEXT_LEN = 27 }; /* 2026-11-25T04:57:03.123456Z */
void time_format(usec_t t, char out[TIME_TEXT_LEN + 1]);
/* RFC 3339 with Z or an offset, 0 to 6 digits of fraction; 0 or FW_EFORMAT, FW_ERANGE. */
int time_parse(const char *s, usec_t *ret);

enum date_precision {
	DATE_UNKNOWN = 0,
	DATE_YEAR = 1,
	DATE_MONTH = 2,
	DATE_DAY = 3,
};

struct date {
	int16_t year;   /* 1..9999; 0 if unknown */
	uint8_t month;  /* 1..12; 0 if not known */
	uint8_t day;    /* 1..31; 0 if not known */
	uint8_t precision; /* enum date_precision */
};

enum { DATE_TEXT_LEN = 10 };
/* "2026-11-25", "2026-11", "2026", or "" when unknown. */
void date_format(struct date d, char out[DATE_TEXT_LEN + 1]);
/* The same forms and nothing else; checks month lengths and leap years. "" gives DATE_UNKNOWN. */
int date_parse(const char *s, struct date *ret);
/* Days since 1970-01-01 of the first day the date may mean; DATE_UNKNOWN gives INT32_MIN. */
int32_t date_first_day(struct date d);
/* And of the last. */
int32_t date_last_day(struct date d);
struct date date_from_days(int32_t days);

#endif
