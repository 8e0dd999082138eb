// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * The map: land on a canvas, circles and names in SVG above it.  Moving it
 * touches two attributes; zooming clusters anew.  One stop of the Tab key
 * leads to the map (arrows pan, + - 0 zoom), the next to its circles, among
 * which arrows go to the neighbour in that direction.
 */
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { formatNumber } from '../lib/format';
import { look, t } from '../lib/i18n';
import { Icon } from '../ui/icon';
import { cluster, radius, type Cluster, type Points } from './cluster';
import { coloursOf, drawWorld } from './draw';
import { listenGestures } from './gestures';
import { placeLabels, type Label } from './labels';
import { fit, keepOn, WORLD, zoomAt, type Box, type View } from './plane';
import { coarseWorld, FINE_FROM, fineWorld, type World } from './world';

/* Room at each side for the buttons over the map, whichever side they stand on, and for the outermost circle. */
const HOME_MARGIN = 64;

export interface MapProps {
  points: Points;
  /* Rises when the points that pass have changed. */
  tick: number;
  home: Box | undefined;
  /* ISO alpha-2 of chosen countries. */
  chosen: ReadonlySet<string>;
  start: View3 | undefined;
  onView: (v: View3) => void;
  onOpen: (c: Cluster) => void;
  label: string;
  /* Where the export finds what is drawn. */
  picture: { current: MapPicture | undefined };
}

/* A view that does not depend on the size of the window: the middle in the plane, and the scale. */
export interface View3 {
  x: number;
  y: number;
  k: number;
}

export interface MapPicture {
  view: View;
  width: number;
  height: number;
  world: World | undefined;
  clusters: Cluster[];
  labels: Label[];
  chosen: ReadonlySet<string>;
  fail: number;
}

interface Drawn {
  clusters: Cluster[];
  labels: Label[];
  view: View;
}

function nearestIn(clusters: Cluster[], from: Cluster, key: string): Cluster | undefined {
  const dir = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  if (!dir) return undefined;
  let best: Cluster | undefined;
  let bestScore = Infinity;
  for (const c of clusters) {
    const dx = c.x - from.x;
    const dy = c.y - from.y;
    const along = dx * (dir[0] ?? 0) + dy * (dir[1] ?? 0);
    if (c === from || along <= 0) continue;
    const across = Math.abs(dx * (dir[1] ?? 0)) + Math.abs(dy * (dir[0] ?? 0));
    const score = along + 2.5 * across;
    if (score < bestScore) {
      bestScore = score;
      best = c;
    }
  }
  return best;
}

export function clusterWords(c: Cluster): string {
  const parts = [t('map.cluster', { n: c.n })];
  if (c.lives) parts.push(t('map.cluster.lives'));
  if (c.vague) parts.push(t('map.cluster.vague', { n: c.vague }));
  return parts.join('; ');
}

function Circle({ c, view, first, onOpen, onMove }: { c: Cluster; view: View; first: boolean; onOpen: (c: Cluster) => void; onMove: (c: Cluster, key: string) => boolean }) {
  const r = radius(c.n);
  const words = clusterWords(c);
  const onKey = (e: KeyboardEvent) => {
    if (e.key === 'Enter' || e.key === ' ') onOpen(c);
    else if (!onMove(c, e.key)) return;
    e.preventDefault();
    e.stopPropagation();
  };
  const vague = c.vague === c.n ? ' vague' : '';
  return (
    <g
      class={(c.n === 1 ? 'cl one' : 'cl') + vague}
      data-key={c.key}
      transform={`translate(${(c.x * view.k).toFixed(1)} ${(c.y * view.k).toFixed(1)})`}
      role="button"
      // In SVG the attribute's name is small.
      tabindex={first ? 0 : -1}
      aria-label={words}
      onClick={() => onOpen(c)}
      onKeyDown={onKey}
    >
      <title>{words}</title>
      {c.n === 1 && <circle class="hit" r={12} />}
      <circle class="ring" r={r} />
      {c.n > 1 && (
        <text y="4.2" text-anchor="middle">
          {formatNumber(c.n, look.value.lang)}
        </text>
      )}
      {c.lives && <path class="dm" d="M0 -4.5 4.5 0 0 4.5 -4.5 0z" transform={`translate(${(r * 0.78).toFixed(1)} ${(-r * 0.78).toFixed(1)})`} />}
    </g>
  );
}

export function WorldMap(p: MapProps) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const group = useRef<SVGGElement>(null);
  const view = useRef<View>({ k: 0, tx: 0, ty: 0 });
  const world = useRef<World | undefined>(undefined);
  const frame = useRef(0);
  const settle = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const props = useRef(p);
  props.current = p;
  const [drawn, setDrawn] = useState<Drawn>({ clusters: [], labels: [], view: view.current });
  const drawnRef = useRef(drawn);
  drawnRef.current = drawn;

  const size = () => ({ w: box.current?.clientWidth ?? 0, h: box.current?.clientHeight ?? 0 });
  const minK = () => Math.min(fit(WORLD, size().w, size().h, 0).k, size().w) * 0.9;

  const paint = useCallback(() => {
    frame.current = 0;
    if (!canvas.current || !box.current) return;
    drawWorld(canvas.current, world.current, view.current, props.current.chosen, coloursOf(box.current));
    group.current?.setAttribute('transform', `translate(${view.current.tx.toFixed(1)} ${view.current.ty.toFixed(1)})`);
  }, []);
  const repaint = () => {
    if (!frame.current) frame.current = requestAnimationFrame(paint);
  };

  const regroup = (clusters = cluster(props.current.points, view.current.k)) => {
    const { w, h } = size();
    const v = { ...view.current };
    const labels = world.current ? placeLabels(world.current.countries, clusters, v, w, h, look.value.lang) : [];
    setDrawn({ clusters, labels, view: v });
    props.current.picture.current = { view: v, width: w, height: h, world: world.current, clusters, labels, chosen: props.current.chosen, fail: props.current.tick };
  };

  const setView = (next: View) => {
    const { w, h } = size();
    const before = view.current.k;
    view.current = keepOn(next, w, h);
    if (view.current.k !== before) regroup();
    repaint();
    clearTimeout(settle.current);
    settle.current = setTimeout(() => {
      regroup(drawnRef.current.view.k === view.current.k ? drawnRef.current.clusters : undefined);
      if (view.current.k * Math.min(devicePixelRatio, 2) > FINE_FROM) void fineWorld().then((f) => ((world.current = f), repaint())).catch(() => undefined);
      props.current.onView({ x: (w / 2 - view.current.tx) / view.current.k, y: (h / 2 - view.current.ty) / view.current.k, k: view.current.k });
    }, 250);
  };

  const goHome = () => {
    const { w, h } = size();
    setView(fit(props.current.home ?? WORLD, w, h, HOME_MARGIN));
  };

  useLayoutEffect(() => {
    const el = box.current;
    if (!el) return;
    const { w, h } = size();
    const s = p.start;
    view.current = keepOn(s ? { k: s.k, tx: w / 2 - s.x * s.k, ty: h / 2 - s.y * s.k } : fit(p.home ?? WORLD, w, h, HOME_MARGIN), w, h);
    regroup();
    paint();
    void coarseWorld().then((x) => {
      world.current ??= x;
      regroup();
      repaint();
      setView(view.current);
    }).catch(() => undefined);
    const stop = listenGestures(el, { get: () => view.current, set: setView, minK, home: goHome });
    const resize = new ResizeObserver(() => {
      setView(view.current);
      regroup(drawnRef.current.clusters);
    });
    resize.observe(el);
    const themed = new MutationObserver(repaint);
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    const printed = matchMedia('print');
    printed.addEventListener('change', paint);
    return () => {
      stop();
      resize.disconnect();
      themed.disconnect();
      printed.removeEventListener('change', paint);
      clearTimeout(settle.current);
      cancelAnimationFrame(frame.current);
    };
  }, []);

  const lang = look.value.lang;
  useLayoutEffect(() => {
    regroup();
    repaint();
  }, [p.tick, p.chosen, lang]);

  const open = (c: Cluster) => {
    const spread = Math.max(c.x1 - c.x0, c.y1 - c.y0);
    if (c.n > 1 && spread * 60_000 > 60) {
      const { w, h } = size();
      const target = fit(c, w, h, 80);
      setView(target.k > view.current.k * 1.5 ? target : zoomAt(view.current, 2.2, c.x * view.current.k + view.current.tx, c.y * view.current.k + view.current.ty, minK()));
      return;
    }
    p.onOpen(c);
  };

  const move = (c: Cluster, key: string): boolean => {
    const to = nearestIn(drawn.clusters, c, key);
    if (!to) return key.startsWith('Arrow');
    const { w, h } = size();
    const px = to.x * view.current.k + view.current.tx;
    const py = to.y * view.current.k + view.current.ty;
    if (px < 20 || py < 20 || px > w - 20 || py > h - 20) setView({ ...view.current, tx: view.current.tx + w / 2 - px, ty: view.current.ty + h / 2 - py });
    group.current?.querySelector<SVGElement>(`[data-key="${to.key}"]`)?.focus();
    return true;
  };

  useEffect(() => () => void (p.picture.current = undefined), []);

  const zoom = (f: number) => () => setView(zoomAt(view.current, f, size().w / 2, size().h / 2, minK()));
  return (
    <div class="mapbox" ref={box} tabIndex={0} role="group" aria-label={p.label}>
      <canvas ref={canvas} aria-hidden="true" />
      <svg class="over">
        <g ref={group} transform={`translate(${view.current.tx.toFixed(1)} ${view.current.ty.toFixed(1)})`}>
          <g class="names" aria-hidden="true">
            {drawn.labels.map((l) => (
              <text x={l.x - drawn.view.tx} y={l.y - drawn.view.ty + 4} text-anchor="middle">
                {l.text}
              </text>
            ))}
          </g>
          {drawn.clusters.map((c, i) => (
            <Circle key={c.key} c={c} view={drawn.view} first={i === 0} onOpen={open} onMove={move} />
          ))}
        </g>
      </svg>
      <div class="mtools">
        <button type="button" class="btn icon" aria-label={t('map.closer')} title={t('map.closer')} onClick={zoom(1.8)}>
          <Icon name="plus" />
        </button>
        <button type="button" class="btn icon" aria-label={t('map.farther')} title={t('map.farther')} onClick={zoom(1 / 1.8)}>
          <Icon name="minus" />
        </button>
        <button type="button" class="btn icon" aria-label={t('map.home')} title={t('map.home')} onClick={goHome}>
          <Icon name="globe" />
        </button>
      </div>
    </div>
  );
}
