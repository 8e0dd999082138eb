// SPDX-License-Identifier: AGPL-3.0-or-later
import { randomFrom } from './env';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Overview } from '../src/gen/api';
import { makeColumns, type Counted, type Dim, DIMS, MEASURES } from '../src/report/columns';
import { Cross } from '../src/report/cross';
import { binOf, makeBins } from '../src/report/days';
import { NOT_COLLECTED, UNKNOWN, WITHHELD } from '../src/lib/format';

const STATES = [UNKNOWN, NOT_COLLECTED, WITHHELD];

function overview(n: number, seed: number): Overview {
  const r = randomFrom(seed);
  const pick = (k: number) => Math.floor(r() * k);
  const count = () => (r() < 0.3 ? (STATES[pick(3)] as number) : r() < 0.02 ? -3 : pick(40));
  const list = <T>(f: () => T): T[] => Array.from({ length: n }, f);
  return {
    version: 1, n, left_out: 0, id: list(() => 'f'.repeat(32)),
    day: list(() => (r() < 0.02 ? null : 18000 + pick(900))) as number[], precision: list(() => pick(4)),
    lat: list(() => (r() < 0.05 ? null : pick(1_000_000))) as number[], lon: list(() => pick(1_000_000)), place: list(() => 1 + pick(3)),
    route: list(() => pick(6) - 1), country: list(() => pick(12) - 1), cause: list(() => pick(4) - 1), means: list(() => pick(3) - 1),
    dead: list(count), missing: list(count), survivors: list(count), persons: list(count),
    routes: ['a', 'b', 'c', 'd', 'e'], countries: 'KLMNOPQRSTU'.split(''), causes: ['x', 'y', 'z'], means_codes: ['s', 't'],
  };
}

interface Filters {
  from?: number;
  to?: number;
  codes: Partial<Record<Dim, string[]>>;
}

/* The plainest way to say which incidents pass; the fast way must agree. */
function passes(o: Overview, i: number, f: Filters, except?: Dim | 'date'): boolean {
  const day = (o.day as (number | null)[])[i];
  if (except !== 'date' && (f.from !== undefined || f.to !== undefined)) {
    if (day === null || day === undefined || day < (f.from ?? -Infinity) || day > (f.to ?? Infinity)) return false;
  }
  const lists: Record<Dim, [number[], string[]]> = { route: [o.route, o.routes], country: [o.country, o.countries], cause: [o.cause, o.causes], means: [o.means, o.means_codes] };
  return DIMS.every((d) => {
    const want = f.codes[d];
    if (d === except || !want?.length) return true;
    const at = lists[d][0][i] as number;
    return want.includes(at < 0 ? '-' : (lists[d][1][at] as string));
  });
}

function randomFilters(r: () => number): Filters {
  const f: Filters = { codes: {} };
  if (r() < 0.5) f.from = 18000 + Math.floor(r() * 500);
  if (r() < 0.5) f.to = 18400 + Math.floor(r() * 500);
  if (r() < 0.5) f.codes.route = ['a', 'c'].slice(0, 1 + Math.floor(r() * 2));
  if (r() < 0.3) f.codes.country = ['K', '-'];
  if (r() < 0.3) f.codes.cause = ['z'];
  if (r() < 0.3) f.codes.means = ['-'];
  return f;
}

test('the fast way and the plain way count the same', () => {
  const r = randomFrom(3);
  const o = overview(700, 5);
  const c = makeColumns(o);
  const cross = new Cross(c, makeBins(c.firstDay, c.lastDay));
  for (let round = 0; round < 60; round++) {
    const f = randomFilters(r);
    cross.setRange(f.from, f.to);
    for (const d of DIMS) cross.setCodes(d, f.codes[d] ?? []);
    const counted = (['incidents', ...MEASURES] as Counted[])[round % 5] as Counted;
    const got = cross.count(counted);
    const all = Array.from({ length: o.n }, (_, i) => i);
    const hits = all.filter((i) => passes(o, i, f));
    assert.equal(got.n, hits.length);
    for (const m of MEASURES) {
      const v = hits.map((i) => o[m][i] as number);
      assert.equal(got.totals[m].sum, v.filter((x) => x > UNKNOWN).reduce((a, b) => a + b, 0), m);
      assert.equal(got.totals[m].unknown, v.filter((x) => x === UNKNOWN).length);
      assert.equal(got.totals[m].not_collected, v.filter((x) => x === NOT_COLLECTED).length);
      assert.equal(got.totals[m].withheld, v.filter((x) => x === WITHHELD).length);
      assert.equal(got.totals[m].counted + got.totals[m].unknown + got.totals[m].not_collected + got.totals[m].withheld, got.n);
    }
    for (const d of DIMS) {
      const others = all.filter((i) => passes(o, i, f, d));
      assert.equal(got.dims[d].n.reduce((a, b) => a + b, 0), others.length, `a panel counts all that pass the other filters: ${d}`);
    }
    const others = all.filter((i) => passes(o, i, f, 'date'));
    assert.equal(got.band.n.reduce((a, b) => a + b, 0) + got.band.vague + got.band.undated, others.length, 'the band loses nobody');
  }
});

test('a negative count lowers the sum, a missing one does not', () => {
  const o = overview(3, 1);
  o.dead = [5, -3, UNKNOWN];
  const c = makeColumns(o);
  const got = new Cross(c, makeBins(c.firstDay, c.lastDay)).count('dead');
  assert.equal(got.totals.dead.sum, 2);
  assert.equal(got.totals.dead.counted, 2);
  assert.equal(got.totals.dead.unknown, 1);
});

test('a bin without any report is told from one that the filters empty', () => {
  const o = overview(2, 1);
  o.day = [18262, 18262 + 70]; // 1 January and 11 March 2020
  o.precision = [3, 3];
  o.route = [0, 1];
  const c = makeColumns(o);
  const bins = makeBins(c.firstDay, c.lastDay, 'month');
  const cross = new Cross(c, bins);
  cross.setCodes('route', ['a']);
  const { band } = cross.count('incidents');
  assert.deepEqual([...band.held], [1, 0, 1]);
  assert.deepEqual([...band.n], [1, 0, 0]);
});

test('a date known by year has no place in a bin of months', () => {
  const o = overview(1, 1);
  o.day = [18262];
  o.precision = [1];
  const c = makeColumns(o);
  const { band } = new Cross(c, makeBins(18262, 18662, 'month')).count('incidents');
  assert.equal(band.n.reduce((a, b) => a + b, 0), 0);
  assert.equal(band.vague, 1);
});

test('every day lies in exactly one bin, for every unit', () => {
  for (const unit of ['day', 'week', 'month', 'quarter', 'year'] as const) {
    const bins = makeBins(17890, 19001, unit);
    for (let d = 17890; d <= 19001; d++) {
      const b = binOf(bins, d);
      assert.ok(b >= 0 && (bins.starts[b] as number) <= d && d < (bins.starts[b + 1] as number), `${unit} ${d}`);
    }
    assert.equal(binOf(bins, (bins.starts[bins.count] as number)), -1);
  }
});

test('two hundred thousand incidents are filtered and counted within the frame budget', () => {
  const c = makeColumns(overview(200_000, 9));
  const cross = new Cross(c, makeBins(c.firstDay, c.lastDay));
  cross.count('dead');
  const begin = performance.now();
  for (let i = 0; i < 5; i++) {
    cross.setRange(18100 + i, 18500);
    cross.count('dead');
  }
  const each = (performance.now() - begin) / 5;
  assert.ok(each < 100, `${each.toFixed(1)} ms`);
});
