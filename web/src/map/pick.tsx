// SPDX-License-Identifier: AGPL-3.0-or-later
// A small map on which a place is pointed at. Whoever cannot point types the position; both are the same value.
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../lib/i18n';
import { coloursOf, drawWorld } from './draw';
import { listenGestures } from './gestures';
import { fit, keepOn, latOf, lonOf, planeX, planeY, WORLD, type View } from './plane';
import { coarseWorld, fineWorld, type World } from './world';

interface Props {
  lat: number | undefined;
  lon: number | undefined;
  onPick: (lat: number, lon: number) => void;
}

const none: ReadonlySet<string> = new Set();

export function PickMap({ lat, lon, onPick }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const mark = useRef<SVGGElement>(null);
  const view = useRef<View | undefined>(undefined);
  const world = useRef<World | undefined>(undefined);
  const at = useRef({ lat, lon, onPick });
  at.current = { lat, lon, onPick };

  const paint = () => {
    const v = view.current;
    if (!v || !canvas.current || !box.current) return;
    drawWorld(canvas.current, world.current, v, none, coloursOf(box.current));
    const { lat: y, lon: x } = at.current;
    const there = x !== undefined && y !== undefined;
    mark.current?.setAttribute('visibility', there ? 'visible' : 'hidden');
    if (there) mark.current?.setAttribute('transform', `translate(${planeX(x) * v.k + v.tx} ${planeY(y) * v.k + v.ty})`);
  };

  const set = (v: View) => {
    const el = box.current;
    if (!el) return;
    view.current = keepOn(v, el.clientWidth, el.clientHeight);
    if (v.k > 2600 && world.current) void fineWorld().then((w) => ((world.current = w), paint())).catch(() => undefined);
    requestAnimationFrame(paint);
  };

  useEffect(() => {
    const el = box.current;
    if (!el) return;
    const home = () => set(fit(WORLD, el.clientWidth, el.clientHeight, 0));
    home();
    void coarseWorld().then((w) => ((world.current = w), paint())).catch(() => undefined);
    const stop = listenGestures(el, { get: () => view.current ?? { k: 100, tx: 0, ty: 0 }, set, minK: () => el.clientWidth * 0.9, home });
    const click = (e: MouseEvent) => {
      const v = view.current;
      if (!v) return;
      const r = el.getBoundingClientRect();
      const x = lonOf((e.clientX - r.left - v.tx) / v.k);
      const y = latOf((e.clientY - r.top - v.ty) / v.k);
      // As exact as the hand: a pixel of this view.
      const digits = Math.max(0, Math.min(5, Math.round(Math.log10(v.k / 360))));
      if (Math.abs(x) <= 180) at.current.onPick(Number(y.toFixed(digits)), Number(x.toFixed(digits)));
    };
    el.addEventListener('click', click);
    const themed = new MutationObserver(paint);
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    return () => {
      stop();
      el.removeEventListener('click', click);
      themed.disconnect();
    };
  }, []);
  useEffect(paint, [lat, lon]);

  return (
    <div class="mapbox pick" ref={box} tabIndex={0} role="group" aria-label={t('map.pick')}>
      <canvas ref={canvas} aria-hidden="true" />
      <svg class="over" aria-hidden="true">
        <g ref={mark} class="mark" visibility="hidden">
          <path d="M-16 0h10M6 0h10M0 -16v10M0 6v10" />
          <circle r="4" />
        </g>
      </svg>
    </div>
  );
}
