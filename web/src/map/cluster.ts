// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * Incidents of one neighbourhood as one circle with a count.
 *
 * Points fall into square cells of the plane, whose size depends on the zoom
 * in steps, so that moving the map changes nothing; then circles that would
 * touch are merged, the smaller into the larger, until none does.  So every
 * incident that passes is in exactly one circle and no circle covers another:
 * the counts on the map always add up to the number that the page states.
 */
export interface Cluster {
  /* Stable while nothing changes: the cell it grew from. */
  key: string;
  x: number;
  y: number;
  n: number;
  /* How many of them are at a place known only about. */
  vague: number;
  /* Whether anybody is dead or missing in them. */
  lives: boolean;
  /* Spread in the plane, to know whether a closer look would part them. */
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

export interface Points {
  x: Float32Array;
  y: Float32Array;
  place: Uint8Array;
  dead: Int32Array;
  missing: Int32Array;
  /* 0 passes. */
  fail: Uint8Array;
}

const CELL = 32; // pixels
const GAP = 3;

export function radius(n: number): number {
  if (n === 1) return 6;
  return 9.5 + 3.1 * Math.log10(n) + Math.min(4, String(n).length) * 1.1;
}

/* Zoom in steps of half a doubling. */
export const levelOf = (k: number): number => Math.round(Math.log2(k) * 2) / 2;

function grid(p: Points, size: number): Cluster[] {
  const cells = new Map<number, Cluster>();
  const across = Math.ceil(1 / size) + 1;
  for (let i = 0; i < p.fail.length; i++) {
    if (p.fail[i] !== 0) continue;
    const x = p.x[i] as number;
    const y = p.y[i] as number;
    if (x !== x) continue;
    const id = Math.floor(y / size) * across + Math.floor(x / size);
    let c = cells.get(id);
    if (!c) cells.set(id, (c = { key: String(id), x: 0, y: 0, n: 0, vague: 0, lives: false, x0: x, y0: y, x1: x, y1: y }));
    c.x += x;
    c.y += y;
    c.n++;
    if (p.place[i] !== 1) c.vague++;
    if ((p.dead[i] as number) > 0 || (p.missing[i] as number) > 0) c.lives = true;
    if (x < c.x0) c.x0 = x;
    if (x > c.x1) c.x1 = x;
    if (y < c.y0) c.y0 = y;
    if (y > c.y1) c.y1 = y;
  }
  const out = [...cells.values()];
  for (const c of out) {
    c.x /= c.n;
    c.y /= c.n;
  }
  return out;
}

function absorb(a: Cluster, b: Cluster): void {
  const n = a.n + b.n;
  a.x = (a.x * a.n + b.x * b.n) / n;
  a.y = (a.y * a.n + b.y * b.n) / n;
  a.n = n;
  a.vague += b.vague;
  a.lives ||= b.lives;
  a.x0 = Math.min(a.x0, b.x0);
  a.y0 = Math.min(a.y0, b.y0);
  a.x1 = Math.max(a.x1, b.x1);
  a.y1 = Math.max(a.y1, b.y1);
}

/* One round: larger circles first take in what touches them. Returns whether anything merged. */
function mergeRound(list: Cluster[], k: number): Cluster[] | undefined {
  list.sort((a, b) => b.n - a.n || (a.key < b.key ? -1 : 1));
  const reach = 80 / k;
  const cells = new Map<string, Cluster[]>();
  const kept: Cluster[] = [];
  let merged = false;
  for (const c of list) {
    const cx = Math.floor(c.x / reach);
    const cy = Math.floor(c.y / reach);
    let host: Cluster | undefined;
    for (let dx = -1; dx <= 1 && !host; dx++) {
      for (let dy = -1; dy <= 1 && !host; dy++) {
        for (const other of cells.get(`${cx + dx} ${cy + dy}`) ?? []) {
          const d = Math.hypot(other.x - c.x, other.y - c.y) * k;
          if (d < radius(other.n) + radius(c.n) + GAP) {
            host = other;
            break;
          }
        }
      }
    }
    if (host) {
      absorb(host, c);
      merged = true;
      continue;
    }
    kept.push(c);
    const key = `${cx} ${cy}`;
    const cell = cells.get(key);
    if (cell) cell.push(c);
    else cells.set(key, [c]);
  }
  return merged ? kept : undefined;
}

export function cluster(p: Points, k: number): Cluster[] {
  const level = levelOf(k);
  let list = grid(p, CELL / 2 ** level);
  // Circles grow and move as they merge, so more than one round may be needed; each ends with fewer.
  for (;;) {
    const next = mergeRound(list, k);
    if (!next) return list;
    list = next;
  }
}
