// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * Numbers, dates and counts as the reader's language writes them.
 *
 * Digits are Latin and the calendar is Gregorian in every language: the same
 * report is read aloud over a telephone line between two States.  Thin spaces
 * group thousands where a comma or a point could be taken for a decimal mark.
 */
import type { Count } from '../gen/api';

const THIN = '\u202f';

const tags: Record<string, string> = { ar: 'ar-u-nu-latn-ca-gregory', th: 'th-u-nu-latn-ca-gregory', en: 'en-GB-u-nu-latn-ca-gregory' };
export const localeTag = (lang: string): string => tags[lang] ?? lang;

const numbers = new Map<string, Intl.NumberFormat>();
const dates = new Map<string, Intl.DateTimeFormat>();

export function formatNumber(n: number, lang: string): string {
  let f = numbers.get(lang);
  if (!f) numbers.set(lang, (f = new Intl.NumberFormat(localeTag(lang), { maximumFractionDigits: 1 })));
  if (lang !== 'en') return f.format(n);
  return f
    .formatToParts(n)
    .map((p) => (p.type === 'group' ? THIN : p.type === 'minusSign' ? '\u2212' : p.value))
    .join('');
}

function dateFormat(lang: string, key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const id = `${lang} ${key}`;
  let f = dates.get(id);
  if (!f) dates.set(id, (f = new Intl.DateTimeFormat(localeTag(lang), { timeZone: 'UTC', ...options })));
  return f;
}

/* A date of the world: "2026-11-25", "2026-11", "2026" or "". Nothing is made up beyond what is known. */
export function formatDate(date: string, lang: string, unknown: string): string {
  const m = /^(-?\d{4,})(?:-(\d\d))?(?:-(\d\d))?$/.exec(date);
  if (!m) return date === '' ? unknown : date;
  const at = Date.UTC(Number(m[1]), m[2] ? Number(m[2]) - 1 : 0, m[3] ? Number(m[3]) : 1);
  if (m[3]) return dateFormat(lang, 'day', { day: 'numeric', month: 'short', year: 'numeric' }).format(at);
  if (m[2]) return dateFormat(lang, 'month', { month: 'short', year: 'numeric' }).format(at);
  return dateFormat(lang, 'year', { year: 'numeric' }).format(at);
}

export function formatMonth(at: number, lang: string): string {
  return dateFormat(lang, 'mon', { month: 'short' }).format(at);
}

/* An instant: "25 Nov 2026, 10:04 UTC". */
export function formatTime(iso: string, lang: string): string {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return iso;
  const f = dateFormat(lang, 'time', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  return `${f.format(at)} UTC`;
}

export function formatBytes(n: number, lang: string): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  let i = 0;
  let v = n;
  while (v >= 1000 && i < units.length - 1) {
    v /= 1000;
    i++;
  }
  return `${formatNumber(v, lang)} ${units[i]}`;
}

export type CountState = 'number' | 'unknown' | 'not_collected' | 'withheld';

export function countState(c: Count | undefined): CountState {
  return typeof c === 'number' ? 'number' : (c ?? 'not_collected');
}

/* In the overview's columns. */
export const UNKNOWN = -1000001;
export const NOT_COLLECTED = -1000002;
export const WITHHELD = -1000003;

export function columnCount(v: number): Count {
  if (v === UNKNOWN) return 'unknown';
  if (v === NOT_COLLECTED) return 'not_collected';
  if (v === WITHHELD) return 'withheld';
  return v;
}
