// SPDX-License-Identifier: AGPL-3.0-or-later
// The world's outlines (build/world.mjs): the coarse ones at once, the fine ones when somebody looks closely.
import coarseAddress from '../gen/world-110m.map';
import fineAddress from '../gen/world-50m.map';

export interface Country {
  /* ISO alpha-2, "-" where there is none. */
  code: string;
  /* In the plane of width 1: where a name may stand, and how large. */
  x: number;
  y: number;
  size: number;
  d: string;
}

export interface World {
  width: number;
  countries: Country[];
  /* All of them, in steps of the plane. */
  all: Path2D;
}

export function parseWorld(text: string): Omit<World, 'all'> {
  const lines = text.split('\n');
  const width = Number(/^width (\d+)$/.exec(lines[0] ?? '')?.[1]);
  if (!(width > 0)) throw new Error('map data: first line must say the width');
  const countries: Country[] = [];
  for (const line of lines.slice(1)) {
    const [code, x, y, size, d] = line.split('\t');
    if (!d) continue;
    countries.push({ code: code ?? '-', x: Number(x) / width, y: Number(y) / width, size: Number(size) / width, d });
  }
  return { width, countries };
}

async function load(address: string): Promise<World> {
  const r = await fetch(address);
  if (!r.ok) throw new Error(`map data: ${r.status}`);
  const w = parseWorld(await r.text());
  const all = new Path2D();
  for (const c of w.countries) all.addPath(new Path2D(c.d));
  return { ...w, all };
}

let coarse: Promise<World> | undefined;
let fine: Promise<World> | undefined;
export const coarseWorld = (): Promise<World> => (coarse ??= load(coarseAddress));
export const fineWorld = (): Promise<World> => (fine ??= load(fineAddress));

/* From this scale on the coarse outlines look coarse. */
export const FINE_FROM = 2600;
