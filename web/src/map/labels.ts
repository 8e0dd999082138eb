// SPDX-License-Identifier: AGPL-3.0-or-later
// Names on the map: large countries first, never over a circle or another name, so that no count is hidden.
import { countryName } from '../lib/countries';
import { radius, type Cluster } from './cluster';
import type { View } from './plane';
import type { Country } from './world';

export interface Label {
  text: string;
  /* In pixels, as the circles. */
  x: number;
  y: number;
}

interface Rect {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

const apart = (a: Rect, b: Rect): boolean => a.x1 < b.x0 || b.x1 < a.x0 || a.y1 < b.y0 || b.y1 < a.y0;

const HEIGHT = 16;

export function placeLabels(countries: Country[], clusters: Cluster[], view: View, width: number, height: number, lang: string): Label[] {
  const taken: Rect[] = clusters.map((c) => {
    const r = radius(c.n) + 2;
    const x = c.x * view.k + view.tx;
    const y = c.y * view.k + view.ty;
    return { x0: x - r, y0: y - r, x1: x + r, y1: y + r };
  });
  const out: Label[] = [];
  const large = countries.filter((c) => c.size * view.k > 26).sort((a, b) => b.size - a.size);
  for (const c of large) {
    const text = countryName(c.code, lang);
    if (!text) continue;
    const half = text.length * 3.4 + 3;
    if (c.size * view.k < half * 1.1) continue;
    const x = c.x * view.k + view.tx;
    const y = c.y * view.k + view.ty;
    for (const dy of [0, -18, 18, -34, 34]) {
      if (Math.abs(dy) > c.size * view.k * 0.35) break;
      const r = { x0: x - half, y0: y + dy - HEIGHT / 2, x1: x + half, y1: y + dy + HEIGHT / 2 };
      if (r.x0 < 2 || r.y0 < 2 || r.x1 > width - 2 || r.y1 > height - 2) continue;
      if (taken.every((t) => apart(t, r))) {
        taken.push(r);
        out.push({ text, x, y: y + dy });
        break;
      }
    }
    if (out.length >= 40) break;
  }
  return out;
}
