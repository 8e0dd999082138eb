// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * What can be said of a report before it goes: what would be refused, and what
 * is worth a look.  The node checks everything again; this is for the officer,
 * while the facts are at hand.
 */
import type { Count } from '../gen/api';
import { parseDate } from '../ui/dateinput';
import { isBlank, type Rec } from './record';

export interface Finding {
  /* The message's key and what goes into it. */
  key: string;
  params?: Record<string, string | number>;
  /* Block and field it belongs to. */
  block: string;
  field: string;
}

export interface Findings {
  stops: Finding[];
  doubts: Finding[];
}

const num = (v: unknown): number | undefined => (typeof v === 'number' ? v : undefined);

function sumOf(rows: unknown): number | undefined {
  if (!Array.isArray(rows)) return undefined;
  let sum = 0;
  for (const r of rows as Rec[]) {
    const n = num(r.count);
    if (n === undefined) return undefined; // one unknown part makes an unknown whole
    sum += n;
  }
  return rows.length ? sum : undefined;
}

function checkTime(rec: Rec, out: Findings, today: string): void {
  const when = (rec.when ?? {}) as Rec;
  const from = String(when.from ?? '');
  const to = String(when.to ?? '');
  if (!from) out.doubts.push({ key: 'check.no_date', block: 'event', field: 'when.from' });
  for (const [name, v] of [['from', from], ['to', to]] as const) {
    if (parseDate(v) === undefined) out.stops.push({ key: 'check.bad_date', block: 'event', field: `when.${name}` });
  }
  if (from && from.slice(0, 10) > today) out.stops.push({ key: 'check.future', block: 'event', field: 'when.from' });
  if (from && to && to < from.slice(0, to.length)) out.stops.push({ key: 'check.order', block: 'event', field: 'when.to' });
}

function checkPlace(rec: Rec, out: Findings): void {
  const p = (rec.place ?? {}) as Rec;
  const one = (p.lat === undefined) !== (p.lon === undefined);
  if (one) out.stops.push({ key: 'check.half_position', block: 'place', field: 'place.lat' });
  if (isBlank(p)) out.stops.push({ key: 'check.no_place', block: 'place', field: 'place.country' });
  else if (p.lat !== undefined && !p.precision) out.doubts.push({ key: 'check.no_precision', block: 'place', field: 'place.precision' });
}

function checkCounts(rec: Rec, out: Findings): void {
  const c = (rec.counts ?? {}) as Record<string, Count | undefined>;
  const persons = num(c.persons);
  const people = sumOf(rec.people);
  if (persons !== undefined && people !== undefined && people !== persons) {
    out.doubts.push({ key: 'check.people_sum', params: { sum: people, total: persons }, block: 'people', field: 'people' });
  }
  const female = num(c.female);
  const male = num(c.male);
  if (persons !== undefined && female !== undefined && male !== undefined && female + male > persons) {
    out.doubts.push({ key: 'check.sex_sum', params: { sum: female + male, total: persons }, block: 'counts', field: 'counts.persons' });
  }
  for (const part of ['children', 'rescued', 'injured', 'unaccompanied', 'stateless'] as const) {
    const n = num(c[part]);
    if (persons !== undefined && n !== undefined && n > persons) {
      out.doubts.push({ key: 'check.part_larger', params: { part: n, total: persons }, block: 'counts', field: `counts.${part}` });
    }
  }
  const dead = num(c.dead) ?? 0;
  const missing = num(c.missing) ?? 0;
  const causes = ((rec.harm ?? {}) as Rec).causes;
  if (dead + missing > 0 && isBlank(causes)) out.doubts.push({ key: 'check.no_cause', block: 'harm', field: 'harm.causes' });
  if (Object.values(c).every((v) => v === undefined)) out.doubts.push({ key: 'check.no_counts', block: 'counts', field: 'counts.persons' });
}

/* Two or more capitalised words after a title, a document number: what free words must not hold. */
const NAMELIKE = /\b(Mr|Mrs|Ms|Dr|named|called)\.?\s+\p{Lu}\p{L}+|\b[A-Z]{1,2}\d{6,9}\b/u;

function checkWords(rec: Rec, out: Findings): void {
  const text = String(rec.text ?? '');
  if (NAMELIKE.test(text)) out.doubts.push({ key: 'check.name', block: 'text', field: 'text' });
}

export function checkReport(rec: Rec, today = new Date().toISOString().slice(0, 10)): Findings {
  const out: Findings = { stops: [], doubts: [] };
  if (!rec.type) out.stops.push({ key: 'check.no_type', block: 'event', field: 'type' });
  checkTime(rec, out, today);
  checkPlace(rec, out);
  checkCounts(rec, out);
  checkWords(rec, out);
  return out;
}

/* "6°24′N 96°12′E", "6.4, 96.2", "6 24 0 N, 96 12 0 E": latitude first. */
export function parsePosition(text: string): { lat: number; lon: number } | undefined {
  const s = text.trim().replace(/[’′]/g, "'").replace(/[”″]|''/g, '"');
  const one = /^([+-]?)(\d{1,3}(?:\.\d+)?)(?:\s*°\s*|\s+|$)(?:(\d{1,2}(?:\.\d+)?)(?:\s*'\s*|\s+|$))?(?:(\d{1,2}(?:\.\d+)?)\s*"?\s*)?([NSEW])?$/i;
  const split = /^(.+?[NS])[\s,;]+(.+)$/i.exec(s) ?? /^([^,;]+)[,;]\s*(.+)$/.exec(s) ?? /^([+-]?[\d.]+)\s+([+-]?[\d.]+)$/.exec(s);
  if (!split) return undefined;
  const read = (part: string, axes: string, max: number): number | undefined => {
    const m = one.exec(part.trim());
    if (!m) return undefined;
    const axis = (m[5] ?? '').toUpperCase();
    const minutes = Number(m[3] ?? 0);
    const seconds = Number(m[4] ?? 0);
    if ((axis && !axes.includes(axis)) || minutes >= 60 || seconds >= 60) return undefined;
    const sign = (m[1] === '-' ? -1 : 1) * (axis === 'S' || axis === 'W' ? -1 : 1);
    const v = sign * (Number(m[2]) + minutes / 60 + seconds / 3600);
    return Math.abs(v) <= max ? v : undefined;
  };
  const lat = read(split[1] ?? '', 'NS', 90);
  const lon = read(split[2] ?? '', 'EW', 180);
  return lat === undefined || lon === undefined ? undefined : { lat: Math.round(lat * 1e5) / 1e5, lon: Math.round(lon * 1e5) / 1e5 };
}
