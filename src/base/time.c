/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/time.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"

static _Atomic int64_t floor_usec;
static _Atomic int64_t test_offset;

static usec_t clock_usec(clockid_t id)
{
	struct timespec ts;
	(void)clock_gettime(id, &ts);
	return (usec_t)ts.tv_sec * USEC_PER_SEC + ts.tv_nsec / 1000;
}

usec_t time_now(void)
{
	usec_t t = clock_usec(CLOCK_REALTIME) + atomic_load(&test_offset);
	usec_t least = atomic_load(&floor_usec);
	return t > least ? t : least;
}

void time_floor_raise(usec_t least)
{
	int64_t was = atomic_load(&floor_usec);
	while (was < least && !atomic_compare_exchange_weak(&floor_usec, &was, least))
		;
}

void time_test_offset(int64_t usec)
{
	atomic_store(&test_offset, usec);
}

usec_t time_mono(void)
{
	return clock_usec(CLOCK_MONOTONIC);
}

/*
 * Days and calendar, after Howard Hinnant's well-known method: years begin in
 * March, so that the leap day is the last of its year, and 400 years are
 * 146097 days.
 */
static int32_t days_of(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year;
	int era = (y >= 0 ? y : y - 399) / 400;
	int of_era = y - era * 400;
	int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct date date_from_days(int32_t days)
{
	int64_t z = (int64_t)days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t of_era = z - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t mp = (5 * of_year + 2) / 153;
	int64_t month = mp < 10 ? mp + 3 : mp - 9;
	return (struct date){
		.year = (int16_t)(year + era * 400 + (month <= 2)),
		.month = (uint8_t)month,
		.day = (uint8_t)(of_year - (153 * mp + 2) / 5 + 1),
		.precision = DATE_DAY,
	};
}

static int month_length(int year, int month)
{
	static const uint8_t n[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return n[month - 1] + (month == 2 && leap);
}

void time_format(usec_t t, char out[TIME_TEXT_LEN + 1])
{
	int64_t days = t / USEC_PER_DAY - (t % USEC_PER_DAY < 0);
	int64_t in_day = t - days * USEC_PER_DAY;
	struct date d = date_from_days((int32_t)days);
	unsigned sec = (unsigned)(in_day / USEC_PER_SEC);
	/* The masks tell the compiler that nothing can overflow the 28 bytes. */
	(void)snprintf(out, TIME_TEXT_LEN + 1, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ",
		       (unsigned)d.year % 10000, d.month % 100U, d.day % 100U, sec / 3600 % 100,
		       sec / 60 % 60, sec % 60, (unsigned)(in_day % USEC_PER_SEC) % 1000000);
}

/* ${n} digits at *s, moving it; false if there are not so many. */
static bool digits(const char **s, int n, int *ret)
{
	int v = 0;
	for (int i = 0; i < n; i++, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		v = v * 10 + (**s - '0');
	}
	*ret = v;
	return true;
}

static bool literal(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

/* ".5" up to six digits, as microseconds; nothing there is 0. */
static bool fraction(const char **s, int *ret)
{
	*ret = 0;
	if (!literal(s, '.'))
		return true;
	int n = 0;
	for (; **s >= '0' && **s <= '9'; (*s)++, n++) {
		if (n == 6)
			return false;
		*ret = *ret * 10 + (**s - '0');
	}
	for (int i = n; i < 6; i++)
		*ret *= 10;
	return n > 0;
}

/* "Z", "+05:30", in minutes east. */
static int zone(const char **s, int *ret)
{
	if (literal(s, 'Z')) {
		*ret = 0;
		return 0;
	}
	int sign = **s == '-' ? -1 : 1, hours, minutes;
	if (!literal(s, '+') && !literal(s, '-'))
		return FW_EFORMAT;
	if (!digits(s, 2, &hours) || !literal(s, ':') || !digits(s, 2, &minutes))
		return FW_EFORMAT;
	*ret = sign * (hours * 60 + minutes);
	return hours > 23 || minutes > 59 ? FW_ERANGE : 0;
}

int time_parse(const char *s, usec_t *ret)
{
	int year, month, day, hour, minute, second, usec, east;
	if (!digits(&s, 4, &year) || !literal(&s, '-') || !digits(&s, 2, &month) ||
	    !literal(&s, '-') || !digits(&s, 2, &day) || !literal(&s, 'T') ||
	    !digits(&s, 2, &hour) || !literal(&s, ':') || !digits(&s, 2, &minute) ||
	    !literal(&s, ':') || !digits(&s, 2, &second) || !fraction(&s, &usec))
		return FW_EFORMAT;
	int err = zone(&s, &east);
	if (err != 0)
		return err;
	if (*s != '\0')
		return FW_EFORMAT;
	if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_length(year, month) ||
	    hour > 23 || minute > 59 || second > 59)
		return FW_ERANGE;
	*ret = days_of(year, month, day) * USEC_PER_DAY +
	       ((int64_t)(hour * 60 + minute - east) * 60 + second) * USEC_PER_SEC + usec;
	return 0;
}

void date_format(struct date d, char out[DATE_TEXT_LEN + 1])
{
	unsigned y = (unsigned)d.year % 10000, m = d.month % 100U, day = d.day % 100U;
	if (d.precision == DATE_DAY)
		(void)snprintf(out, DATE_TEXT_LEN + 1, "%04u-%02u-%02u", y, m, day);
	else if (d.precision == DATE_MONTH)
		(void)snprintf(out, DATE_TEXT_LEN + 1, "%04u-%02u", y, m);
	else if (d.precision == DATE_YEAR)
		(void)snprintf(out, DATE_TEXT_LEN + 1, "%04u", y);
	else
		out[0] = '\0';
}

int date_parse(const char *s, struct date *ret)
{
	struct date d = { .precision = DATE_UNKNOWN };
	int year, month, day;
	if (*s == '\0') {
		*ret = d;
		return 0;
	}
	if (!digits(&s, 4, &year))
		return FW_EFORMAT;
	d.year = (int16_t)year;
	d.precision = DATE_YEAR;
	bool fits = year >= 1;
	if (*s != '\0') {
		if (!literal(&s, '-') || !digits(&s, 2, &month))
			return FW_EFORMAT;
		d.month = (uint8_t)month;
		d.precision = DATE_MONTH;
		fits = fits && month >= 1 && month <= 12;
	}
	if (*s != '\0') {
		if (!literal(&s, '-') || !digits(&s, 2, &day) || *s != '\0')
			return FW_EFORMAT;
		d.day = (uint8_t)day;
		d.precision = DATE_DAY;
		fits = fits && day >= 1 && day <= month_length(year, month);
	}
	if (!fits)
		return FW_ERANGE;
	*ret = d;
	return 0;
}

int32_t date_first_day(struct date d)
{
	if (d.precision == DATE_UNKNOWN)
		return INT32_MIN;
	return days_of(d.year, d.precision >= DATE_MONTH ? d.month : 1,
		       d.precision == DATE_DAY ? d.day : 1);
}

int32_t date_last_day(struct date d)
{
	if (d.precision == DATE_UNKNOWN)
		return INT32_MIN;
	int month = d.precision >= DATE_MONTH ? d.month : 12;
	return days_of(d.year, month, d.precision == DATE_DAY ? d.day : month_length(d.year, month));
}
