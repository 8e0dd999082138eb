// SPDX-License-Identifier: AGPL-3.0-or-later
// The plane of the map: Mercator, the world one unit wide, y downward; the same formulas as build/world.mjs.

export const planeX = (lon: number): number => lon / 360 + 0.5;

export function planeY(lat: number): number {
  const f = (Math.max(-84, Math.min(84, lat)) * Math.PI) / 180;
  return 0.5 - Math.log(Math.tan(Math.PI / 4 + f / 2)) / (2 * Math.PI);
}

export const lonOf = (x: number): number => (x - 0.5) * 360;

export function latOf(y: number): number {
  return ((2 * Math.atan(Math.exp((0.5 - y) * 2 * Math.PI)) - Math.PI / 2) * 180) / Math.PI;
}

/* What part of the plane is seen: screen = plane * k + t, k being the width of the world in pixels. */
export interface View {
  k: number;
  tx: number;
  ty: number;
}

export interface Box {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/* Where people live: without the ice. */
export const WORLD: Box = { x0: planeX(-172), y0: planeY(74), x1: planeX(180), y1: planeY(-56) };
export const MAX_K = 120_000;

export function fit(box: Box, width: number, height: number, margin: number): View {
  const w = Math.max(box.x1 - box.x0, 0.02);
  const h = Math.max(box.y1 - box.y0, 0.02);
  const k = Math.max(Math.min((width - 2 * margin) / w, (height - 2 * margin) / h, MAX_K), 100);
  return { k, tx: width / 2 - ((box.x0 + box.x1) / 2) * k, ty: height / 2 - ((box.y0 + box.y1) / 2) * k };
}

export function boundsOf(xs: Float32Array, ys: Float32Array): Box | undefined {
  const b: Box = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
  for (let i = 0; i < xs.length; i++) {
    const x = xs[i] as number;
    const y = ys[i] as number;
    if (!(x === x)) continue;
    if (x < b.x0) b.x0 = x;
    if (x > b.x1) b.x1 = x;
    if (y < b.y0) b.y0 = y;
    if (y > b.y1) b.y1 = y;
  }
  return b.x0 <= b.x1 ? b : undefined;
}

/* Zoom by a factor about a point of the screen. */
export function zoomAt(v: View, factor: number, px: number, py: number, minK: number): View {
  const k = Math.max(minK, Math.min(MAX_K, v.k * factor));
  const f = k / v.k;
  return { k, tx: px - (px - v.tx) * f, ty: py - (py - v.ty) * f };
}

/* The middle of the screen stays on the world. */
export function keepOn(v: View, width: number, height: number): View {
  const clamp = (t: number, size: number, lo: number, hi: number) => {
    const mid = Math.max(lo, Math.min(hi, (size / 2 - t) / v.k));
    return size / 2 - mid * v.k;
  };
  return { k: v.k, tx: clamp(v.tx, width, WORLD.x0, WORLD.x1), ty: clamp(v.ty, height, WORLD.y0, WORLD.y1) };
}
