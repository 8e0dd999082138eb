// SPDX-License-Identifier: AGPL-3.0-or-later
// Land and sea on a canvas: one path, moved and scaled, so that a frame costs what filling it costs.
import type { View } from './plane';
import { lonOf, latOf, planeX, planeY } from './plane';
import type { World } from './world';

export interface Colours {
  sea: string;
  land: string;
  border: string;
  grat: string;
  on: string;
}

export function coloursOf(el: Element): Colours {
  const s = getComputedStyle(el);
  const v = (name: string) => s.getPropertyValue(name).trim();
  return { sea: v('--m-sea'), land: v('--m-land'), border: v('--m-border'), grat: v('--m-grat'), on: v('--m-on') };
}

/* Degrees between lines of the net, so that there are some and not many. */
export function netStep(view: View, width: number): number {
  const seen = (width / view.k) * 360;
  return [30, 20, 10, 5, 2, 1, 0.5].find((s) => seen / s >= 4) ?? 0.5;
}

function net(ctx: CanvasRenderingContext2D, view: View, w: number, h: number): void {
  const step = netStep(view, w);
  ctx.beginPath();
  const lonFrom = Math.max(-180, Math.floor(lonOf(-view.tx / view.k) / step) * step);
  for (let lon = lonFrom; lon <= Math.min(180, lonOf((w - view.tx) / view.k)); lon += step) {
    const x = Math.round(planeX(lon) * view.k + view.tx) + 0.5;
    ctx.moveTo(x, 0);
    ctx.lineTo(x, h);
  }
  const latFrom = Math.max(-80, Math.floor(latOf((h - view.ty) / view.k) / step) * step);
  for (let lat = latFrom; lat <= Math.min(80, latOf(-view.ty / view.k)); lat += step) {
    const y = Math.round(planeY(lat) * view.k + view.ty) + 0.5;
    ctx.moveTo(0, y);
    ctx.lineTo(w, y);
  }
  ctx.stroke();
}

export function drawWorld(canvas: HTMLCanvasElement, world: World | undefined, view: View, chosen: ReadonlySet<string>, colours: Colours): void {
  const ctx = canvas.getContext('2d');
  if (!ctx) return;
  const dpr = Math.min(devicePixelRatio || 1, 2);
  const w = canvas.clientWidth;
  const h = canvas.clientHeight;
  if (canvas.width !== Math.round(w * dpr) || canvas.height !== Math.round(h * dpr)) {
    canvas.width = Math.round(w * dpr);
    canvas.height = Math.round(h * dpr);
  }
  ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
  ctx.fillStyle = colours.sea;
  ctx.fillRect(0, 0, w, h);
  ctx.lineWidth = 1;
  ctx.strokeStyle = colours.grat;
  net(ctx, view, w, h);
  if (!world) return;
  const scale = view.k / world.width;
  ctx.setTransform(dpr * scale, 0, 0, dpr * scale, dpr * view.tx, dpr * view.ty);
  ctx.fillStyle = colours.land;
  ctx.fill(world.all);
  if (chosen.size) {
    ctx.fillStyle = colours.on;
    for (const c of world.countries) if (chosen.has(c.code)) ctx.fill(new Path2D(c.d));
  }
  ctx.lineWidth = 0.8 / scale;
  ctx.lineJoin = 'round';
  ctx.strokeStyle = colours.border;
  ctx.stroke(world.all);
}
