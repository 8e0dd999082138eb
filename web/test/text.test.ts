// SPDX-License-Identifier: AGPL-3.0-or-later
import './env';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatDate, formatNumber, formatTime } from '../src/lib/format';
import { isRightToLeft, pickLang } from '../src/lib/look';
import { match } from '../src/lib/router';
import { csvCell, fileName } from '../src/lib/save';
import { address } from '../src/lib/api';
import { parseDate } from '../src/ui/dateinput';
import { dateAsKnown, dayOfDate, firstDayOf, lastDayOf, dateOfDay } from '../src/report/days';
import { filterQuery, readFilter, toggle, without } from '../src/report/filter';
import { parsePosition } from '../src/report/checks';

test('numbers are grouped with thin spaces in English, as the language does elsewhere, digits always Latin', () => {
  assert.equal(formatNumber(10120, 'en'), '10\u202f120');
  assert.equal(formatNumber(-5, 'en'), '\u22125');
  assert.match(formatNumber(10120, 'ar'), /^10[,٬.]120$/);
  assert.match(formatNumber(10120, 'th'), /^10,120$/);
});

test('a date shows what is known and no more; the calendar is Gregorian in Thai too', () => {
  assert.equal(formatDate('2026-11-25', 'en', '?'), '25 Nov 2026');
  assert.equal(formatDate('2026-11', 'en', '?'), 'Nov 2026');
  assert.equal(formatDate('2026', 'en', '?'), '2026');
  assert.equal(formatDate('', 'en', 'date unknown'), 'date unknown');
  assert.match(formatDate('2026-11-25', 'th', '?'), /2026/);
  assert.match(formatDate('2026-11-25', 'ar', '?'), /25.*2026/);
  assert.match(formatTime('2026-11-25T10:04:00Z', 'en'), /25 Nov 2026, 10:04 UTC/);
});

test('sizes', () => {
  assert.equal(formatBytes(999, 'en'), '999 B');
  assert.equal(formatBytes(6_560_798, 'en'), '6.6 MB');
});

test('languages that run right to left are known, regional tags too', () => {
  for (const l of ['ar', 'fa', 'ur', 'ps', 'ar-EG']) assert.ok(isRightToLeft(l), l);
  for (const l of ['en', 'th', 'id', 'bn']) assert.ok(!isRightToLeft(l), l);
  assert.equal(pickLang(['fr-FR', 'th-TH', 'en']), 'th');
  assert.equal(pickLang(['xx']), 'en');
});

test('typed dates: by year, month or day; nothing that does not exist', () => {
  assert.equal(parseDate(' 2026/3/5 '), '2026-03-05');
  assert.equal(parseDate('2026'), '2026');
  assert.equal(parseDate('2026.11'), '2026-11');
  assert.equal(parseDate(''), '');
  for (const bad of ['26-11-25', '2026-13', '2026-02-30', '25.11.2026', 'today', '2026-00-10']) assert.equal(parseDate(bad), undefined, bad);
});

test('days', () => {
  assert.equal(dayOfDate('1970-01-01'), 0);
  assert.equal(dayOfDate('2026-02-30'), undefined);
  assert.equal(dateOfDay(dayOfDate('2024-02-29') as number), '2024-02-29');
  assert.equal(dateAsKnown(dayOfDate('2024-06-01') as number, 2), '2024-06');
  assert.equal(dateAsKnown(dayOfDate('2024-06-01') as number, 0), '');
  assert.equal(dateOfDay(firstDayOf('2024') as number), '2024-01-01');
  assert.equal(dateOfDay(lastDayOf('2024') as number), '2024-12-31');
  assert.equal(dateOfDay(lastDayOf('2024-02') as number), '2024-02-29');
});

test('filters go into an address and come back the same', () => {
  const q = new URLSearchParams('from=2019-01-01&to=2020-12-31&route=a,b&country=-&count=dead');
  const f = readFilter(q);
  const back = new URLSearchParams();
  for (const [k, v] of Object.entries(filterQuery(f))) if (v) back.set(k, v);
  assert.deepEqual(readFilter(back), f);
  assert.deepEqual(toggle(f, 'route', 'a').codes.route, ['b']);
  assert.equal(without(f, 'date').from, undefined);
});

test('an address with nonsense in it filters nothing, and a turned period is turned back', () => {
  const f = readFilter(new URLSearchParams('from=x&to=2020-99-99&route=<script>,ok&count=sum'));
  assert.deepEqual([f.from, f.to, f.codes.route, f.counted], [undefined, undefined, ['ok'], 'incidents']);
  const turned = readFilter(new URLSearchParams('from=2021-01-01&to=2020-01-01'));
  assert.ok((turned.from as number) < (turned.to as number));
});

test('paths', () => {
  assert.deepEqual(match('/report/incidents/:id', '/report/incidents/0190-ab'), { id: '0190-ab' });
  assert.deepEqual(match('/report', '/report/'), {});
  assert.equal(match('/report/incidents/:id', '/report/incidents'), undefined);
  assert.equal(match('/report/incidents/:id', '/report/incidents/%2e%2e'), undefined);
  assert.equal(address('/api/x', { a: 'b,c', d: undefined, e: '' }), '/api/x?a=b,c');
});

test('no cell becomes a formula', () => {
  for (const evil of ['=1+1', '+cmd', '-2+3', '@SUM(A1)', '\tx']) assert.ok(csvCell(evil).replace(/^"/, '').startsWith("'"), evil);
  assert.equal(csvCell(-5), '-5', 'a number stays one');
  assert.equal(csvCell('a "b", c'), '"a ""b"", c"');
  assert.equal(fileName('Routes & more', '', '2026'), 'routes-more_2026');
});

test('positions as people write them', () => {
  const same = (text: string, lat: number, lon: number) => assert.deepEqual(parsePosition(text), { lat, lon }, text);
  same('6.4, 96.2', 6.4, 96.2);
  same('6.4 96.2', 6.4, 96.2);
  same('-6.4;96.2', -6.4, 96.2);
  same('6°24′N 96°12′E', 6.4, 96.2);
  same("6° 24' S, 96° 12' W", -6.4, -96.2);
  same('6 24 36 N, 96 12 E', 6.41, 96.2);
  for (const bad of ['', '6.4', 'north', '91, 0', '0, 181', '6 61 N 1 E', '6E 96N']) assert.equal(parsePosition(bad), undefined, bad);
});
