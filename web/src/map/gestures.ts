// SPDX-License-Identifier: AGPL-3.0-or-later
// Mouse, touch and keys on the map, all turned into a new view.
import { zoomAt, type View } from './plane';

interface Host {
  get: () => View;
  set: (v: View) => void;
  minK: () => number;
  home: () => void;
}

const STEP = 60;

export function listenGestures(el: HTMLElement, host: Host): () => void {
  const down = new Map<number, { x: number; y: number }>();
  let moved = 0;

  const at = (e: { clientX: number; clientY: number }) => {
    const r = el.getBoundingClientRect();
    return { x: e.clientX - r.left, y: e.clientY - r.top };
  };

  const onWheel = (e: WheelEvent) => {
    e.preventDefault();
    const p = at(e);
    const factor = Math.exp(-Math.max(-120, Math.min(120, e.deltaY * (e.deltaMode ? 30 : 1))) * 0.0035);
    host.set(zoomAt(host.get(), factor, p.x, p.y, host.minK()));
  };

  const onDown = (e: PointerEvent) => {
    if (e.button !== 0 || (e.target as Element).closest('button, a, .mtools, .mpop')) return;
    down.set(e.pointerId, at(e));
    moved = 0;
  };

  const onMove = (e: PointerEvent) => {
    const before = down.get(e.pointerId);
    if (!before) return;
    const now = at(e);
    const v = host.get();
    moved += Math.hypot(now.x - before.x, now.y - before.y);
    if (moved > 4 && !el.hasPointerCapture(e.pointerId)) el.setPointerCapture(e.pointerId);
    if (down.size === 1) {
      if (moved > 4) host.set({ k: v.k, tx: v.tx + now.x - before.x, ty: v.ty + now.y - before.y });
    } else {
      const other = [...down.entries()].find(([id]) => id !== e.pointerId)?.[1];
      if (other) {
        const was = Math.hypot(before.x - other.x, before.y - other.y);
        const is = Math.hypot(now.x - other.x, now.y - other.y);
        if (was > 10) host.set(zoomAt(v, is / was, (now.x + other.x) / 2, (now.y + other.y) / 2, host.minK()));
      }
    }
    if (moved > 4 || down.size > 1) down.set(e.pointerId, now);
  };

  const onUp = (e: PointerEvent) => {
    down.delete(e.pointerId);
  };

  /* A drag that ends on a circle is no click on it. */
  const onClick = (e: MouseEvent) => {
    if (moved > 4) {
      e.stopPropagation();
      e.preventDefault();
    }
    moved = 0;
  };

  const onDouble = (e: MouseEvent) => {
    if ((e.target as Element).closest('button, a, [role="button"]')) return;
    const p = at(e);
    host.set(zoomAt(host.get(), 2, p.x, p.y, host.minK()));
  };

  const onKey = (e: KeyboardEvent) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const v = host.get();
    const cx = el.clientWidth / 2;
    const cy = el.clientHeight / 2;
    const pan = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] }[e.key];
    if (pan && e.target === el) host.set({ k: v.k, tx: v.tx + (pan[0] ?? 0), ty: v.ty + (pan[1] ?? 0) });
    else if (e.key === '+' || e.key === '=') host.set(zoomAt(v, 1.5, cx, cy, host.minK()));
    else if (e.key === '-') host.set(zoomAt(v, 1 / 1.5, cx, cy, host.minK()));
    else if (e.key === '0') host.home();
    else return;
    e.preventDefault();
  };

  el.addEventListener('wheel', onWheel, { passive: false });
  el.addEventListener('pointerdown', onDown);
  el.addEventListener('pointermove', onMove);
  el.addEventListener('pointerup', onUp);
  el.addEventListener('pointercancel', onUp);
  el.addEventListener('click', onClick, true);
  el.addEventListener('dblclick', onDouble);
  el.addEventListener('keydown', onKey);
  return () => {
    el.removeEventListener('wheel', onWheel);
    el.removeEventListener('pointerdown', onDown);
    el.removeEventListener('pointermove', onMove);
    el.removeEventListener('pointerup', onUp);
    el.removeEventListener('pointercancel', onUp);
    el.removeEventListener('click', onClick, true);
    el.removeEventListener('dblclick', onDouble);
    el.removeEventListener('keydown', onKey);
  };
}
