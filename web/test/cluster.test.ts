// SPDX-License-Identifier: AGPL-3.0-or-later
import { randomFrom } from './env';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cluster, radius, type Points } from '../src/map/cluster';
import { placeLabels } from '../src/map/labels';
import { fit, keepOn, latOf, lonOf, planeX, planeY, WORLD, zoomAt } from '../src/map/plane';
import { parseWorld } from '../src/map/world';

function points(n: number, seed: number): Points {
  const r = randomFrom(seed);
  const x = Float32Array.from({ length: n }, () => (r() < 0.03 ? NaN : 0.3 + (r() + r() + r()) / 8));
  return {
    x,
    y: Float32Array.from(x, (v) => (v !== v ? NaN : 0.4 + r() * 0.2)),
    place: Uint8Array.from({ length: n }, () => 1 + Math.floor(r() * 3)),
    dead: Int32Array.from({ length: n }, () => (r() < 0.3 ? 2 : -1000001)),
    missing: new Int32Array(n),
    fail: Uint8Array.from({ length: n }, () => (r() < 0.2 ? 1 : 0)),
  };
}

test('no count is ever lost and no circle covers another, at any zoom', () => {
  for (let seed = 1; seed <= 6; seed++) {
    const p = points(3000, seed);
    let shown = 0;
    let vague = 0;
    for (let i = 0; i < p.fail.length; i++) {
      if (p.fail[i] || (p.x[i] as number) !== (p.x[i] as number)) continue;
      shown++;
      if (p.place[i] !== 1) vague++;
    }
    for (const k of [300, 700, 1500, 4200, 16000, 110000]) {
      const all = cluster(p, k);
      assert.equal(all.reduce((n, c) => n + c.n, 0), shown);
      assert.equal(all.reduce((n, c) => n + c.vague, 0), vague);
      if (all.length > 1500) continue; // the pairs take too long; the small ones show it
      for (let i = 0; i < all.length; i++) {
        for (let j = i + 1; j < all.length; j++) {
          const a = all[i]!;
          const b = all[j]!;
          const d = Math.hypot(a.x - b.x, a.y - b.y) * k;
          assert.ok(d >= radius(a.n) + radius(b.n), `seed ${seed} k ${k}: ${d.toFixed(1)} px between ${a.n} and ${b.n}`);
        }
      }
    }
  }
});

test('circles stay where they are when the map is moved', () => {
  const p = points(500, 2);
  assert.deepEqual(cluster(p, 900), cluster(p, 900));
});

test('the plane and the globe answer to each other', () => {
  for (const [lat, lon] of [[0, 0], [51.5, -0.1], [-33.9, 18.4], [13.7, 100.5], [72, -179], [-55, 179]] as const) {
    assert.ok(Math.abs(latOf(planeY(lat)) - lat) < 1e-9);
    assert.ok(Math.abs(lonOf(planeX(lon)) - lon) < 1e-9);
  }
});

test('zooming keeps the point under the pointer; the map cannot be lost', () => {
  const v = fit(WORLD, 900, 500, 0);
  const w = zoomAt(v, 2, 300, 200, 100);
  assert.ok(Math.abs((300 - v.tx) / v.k - (300 - w.tx) / w.k) < 1e-9);
  const far = keepOn({ ...w, tx: 1e7, ty: -1e7 }, 900, 500);
  const mid = (450 - far.tx) / far.k;
  assert.ok(mid >= WORLD.x0 - 1e-9 && mid <= WORLD.x1 + 1e-9);
});

test('map data is parsed, and what is not map data is refused', () => {
  const w = parseWorld('width 100\nTH\t75\t45\t3\tM1 2l3 4zM5 6l1 1z\n-\t1\t1\t1\tM0 0l1 1z\n\n');
  assert.equal(w.countries.length, 2);
  assert.equal(w.countries[0]?.code, 'TH');
  assert.equal(w.countries[0]?.x, 0.75);
  assert.throws(() => parseWorld('<!doctype html>'));
});

test('names never cover a count', () => {
  const countries = [{ code: 'DZ', x: 0.5, y: 0.5, size: 0.1, d: '' }];
  const view = { k: 1000, tx: 0, ty: 0 };
  const circle = { key: 'a', x: 0.5, y: 0.5, n: 500, vague: 0, lives: false, x0: 0.5, y0: 0.5, x1: 0.5, y1: 0.5 };
  const free = placeLabels(countries, [], view, 1000, 1000, 'en');
  assert.equal(free.length, 1);
  const [moved] = placeLabels(countries, [circle], view, 1000, 1000, 'en');
  assert.ok(!moved || Math.abs(moved.y - 500) > radius(500), 'beside the circle or not at all');
});
