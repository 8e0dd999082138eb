// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * The overview's answer as typed arrays.  Twenty thousand incidents are asked
 * thirty questions a second while somebody drags; objects would not do.
 */
import type { Overview } from '../gen/api';
import { planeX, planeY } from '../map/plane';

export const NO_DAY = -0x80000000;
export const DIMS = ['route', 'country', 'cause', 'means'] as const;
export type Dim = (typeof DIMS)[number];
export const MEASURES = ['dead', 'missing', 'survivors', 'persons'] as const;
export type Measure = (typeof MEASURES)[number];
/* What the panels may count. */
export const COUNTED = ['incidents', ...MEASURES] as const;
export type Counted = (typeof COUNTED)[number];

/* How exact a position is, as the column place. */
export const PLACE_NONE = 0;
export const PLACE_EXACT = 1;

export interface Columns {
  n: number;
  version: number;
  leftOut: number;
  id: string[];
  day: Int32Array;
  precision: Uint8Array;
  /* In the plane; NaN without a position. */
  x: Float32Array;
  y: Float32Array;
  place: Uint8Array;
  /* Index + 1 into codes; 0 for none. */
  at: Record<Dim, Uint16Array>;
  codes: Record<Dim, string[]>;
  counts: Record<Measure, Int32Array>;
  firstDay: number;
  lastDay: number;
}

const shifted = (a: number[]): Uint16Array => Uint16Array.from(a, (v) => v + 1);

export function makeColumns(o: Overview): Columns {
  const n = o.n;
  const day = new Int32Array(n);
  const x = new Float32Array(n);
  const y = new Float32Array(n);
  const place = new Uint8Array(n);
  let firstDay = Infinity;
  let lastDay = -Infinity;
  for (let i = 0; i < n; i++) {
    const d = (o.day as (number | null)[])[i];
    day[i] = d ?? NO_DAY;
    if (d !== null && d !== undefined && (o.precision[i] ?? 0) > 0) {
      if (d < firstDay) firstDay = d;
      if (d > lastDay) lastDay = d;
    }
    const lat = (o.lat as (number | null)[])[i];
    const lon = (o.lon as (number | null)[])[i];
    const there = lat !== null && lat !== undefined && lon !== null && lon !== undefined;
    x[i] = there ? planeX(lon / 10000) : NaN;
    y[i] = there ? planeY(lat / 10000) : NaN;
    place[i] = there ? (o.place?.[i] ?? PLACE_EXACT) : PLACE_NONE;
  }
  return {
    n,
    version: o.version,
    leftOut: o.left_out,
    id: o.id,
    day,
    precision: Uint8Array.from(o.precision),
    x,
    y,
    place,
    at: { route: shifted(o.route), country: shifted(o.country), cause: shifted(o.cause), means: shifted(o.means) },
    codes: { route: o.routes, country: o.countries, cause: o.causes, means: o.means_codes },
    counts: {
      dead: Int32Array.from(o.dead),
      missing: Int32Array.from(o.missing),
      survivors: Int32Array.from(o.survivors),
      persons: Int32Array.from(o.persons),
    },
    firstDay: Number.isFinite(firstDay) ? firstDay : 0,
    lastDay: Number.isFinite(lastDay) ? lastDay : -1,
  };
}
