// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * Days since 1970-01-01 and the bins of the time band.  A date of the world is
 * as precise as it is known: one known by month fills a bin of months and none
 * of days, and nothing is ever put on the first of a month that is not known
 * to have happened there.
 */
export const DAY_MS = 86_400_000;
export type Unit = 'day' | 'week' | 'month' | 'quarter' | 'year';
/* As the column precision: 0 unknown 1 year 2 month 3 day. */
export type Precision = 0 | 1 | 2 | 3;

export const dayOf = (y: number, m: number, d: number): number => Math.floor(Date.UTC(y, m, d) / DAY_MS);

export function dayOfDate(date: string): number | undefined {
  const m = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date);
  if (!m) return undefined;
  const day = dayOf(Number(m[1]), Number(m[2]) - 1, Number(m[3]));
  return dateOfDay(day) === date ? day : undefined;
}

/* The days that a date known by year, month or day may mean. */
export function firstDayOf(date: string): number | undefined {
  const [y, m, d] = date.split('-').map(Number);
  return y === undefined ? undefined : dayOf(y, (m ?? 1) - 1, d ?? 1);
}

export function lastDayOf(date: string): number | undefined {
  const [y, m, d] = date.split('-').map(Number);
  if (y === undefined) return undefined;
  if (d !== undefined) return dayOf(y, (m ?? 1) - 1, d);
  return (m === undefined ? dayOf(y + 1, 0, 1) : dayOf(y, m, 1)) - 1;
}

export const dateOfDay = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

export function dateAsKnown(day: number, precision: number): string {
  return dateOfDay(day).slice(0, [0, 4, 7, 10][precision] ?? 10);
}

export interface Bins {
  unit: Unit;
  /* First day of each bin, and of the one after the last. */
  starts: Int32Array;
  count: number;
}

/* How precise a date must be to have a place in a bin of this unit. */
export const neededPrecision: Record<Unit, Precision> = { day: 3, week: 3, month: 2, quarter: 2, year: 1 };

export function unitFor(first: number, last: number): Unit {
  const span = last - first + 1;
  if (span <= 120) return 'day';
  if (span <= 1100) return 'week';
  if (span <= 7400) return 'month';
  if (span <= 22000) return 'quarter';
  return 'year';
}

function firstOf(day: number, unit: Unit): number {
  const d = new Date(day * DAY_MS);
  const [y, m] = [d.getUTCFullYear(), d.getUTCMonth()];
  if (unit === 'day') return day;
  if (unit === 'week') return day - ((day + 3) % 7 + 7) % 7; // Mondays: 1970-01-01 was a Thursday
  if (unit === 'month') return dayOf(y, m, 1);
  if (unit === 'quarter') return dayOf(y, m - (m % 3), 1);
  return dayOf(y, 0, 1);
}

function nextOf(day: number, unit: Unit): number {
  const d = new Date(day * DAY_MS);
  const [y, m] = [d.getUTCFullYear(), d.getUTCMonth()];
  if (unit === 'day') return day + 1;
  if (unit === 'week') return day + 7;
  if (unit === 'month') return dayOf(y, m + 1, 1);
  if (unit === 'quarter') return dayOf(y, m + 3, 1);
  return dayOf(y + 1, 0, 1);
}

export function makeBins(first: number, last: number, unit = unitFor(first, last)): Bins {
  const starts: number[] = [];
  let day = firstOf(first, unit);
  while (day <= last) {
    starts.push(day);
    day = nextOf(day, unit);
  }
  const count = starts.length;
  starts.push(day);
  return { unit, starts: Int32Array.from(starts), count };
}

/* Which bin a day lies in; -1 outside. */
export function binOf(bins: Bins, day: number): number {
  const s = bins.starts;
  if (day < (s[0] ?? 0) || day >= (s[bins.count] ?? 0)) return -1;
  let lo = 0;
  let hi = bins.count;
  while (hi - lo > 1) {
    const mid = (lo + hi) >> 1;
    if ((s[mid] ?? 0) <= day) lo = mid;
    else hi = mid;
  }
  return lo;
}
