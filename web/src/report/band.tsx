// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * The time band.  Bars are what passes the other filters; the brush is the
 * filter on dates.  Three things are never drawn as an empty place: a bin for
 * which the node holds no report at all (slanting lines), a bin whose reports
 * give no number (dots), and reports whose date is too vague for a bin (in
 * words).  Time runs from left to right in every language.
 */
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { formatDate, formatMonth, formatNumber } from '../lib/format';
import { look, t } from '../lib/i18n';
import type { Counted } from './columns';
import type { Band } from './cross';
import { DAY_MS, dateAsKnown, dateOfDay, type Bins } from './days';

export interface Range {
  from: number | undefined;
  to: number | undefined;
}

interface Props {
  bins: Bins;
  band: Band;
  counted: Counted;
  /* Whether to mark the bins in which lives were lost. */
  lives: boolean;
  range: Range;
  /* While dragging, and when done. */
  onChange: (r: Range, done: boolean) => void;
  svg: { current: SVGSVGElement | null };
}

/* A mark that stands in most bins says nothing; then words say it. */
export function livesOf(band: Band): { held: number; rare: boolean } {
  const bins = band.lives.reduce((n, v) => n + v, 0);
  const held = band.held.reduce((n, v) => n + (v ? 1 : 0), 0);
  return { held, rare: bins * 2 <= held };
}

const H = 84;
const TOP = 4;
const BASE = 62;
const LIVES_Y = 72;

const nice = (v: number): number => {
  const p = 10 ** Math.floor(Math.log10(Math.max(1, v)));
  return [1, 2, 2.5, 5, 10].map((m) => m * p).find((x) => x >= v) ?? v;
};

export function binName(bins: Bins, i: number, lang: string): string {
  const day = bins.starts[i] as number;
  if (bins.unit === 'year') return formatDate(dateAsKnown(day, 1), lang, '');
  if (bins.unit === 'month') return formatDate(dateAsKnown(day, 2), lang, '');
  if (bins.unit === 'day') return formatDate(dateOfDay(day), lang, '');
  return `${formatDate(dateOfDay(day), lang, '')} – ${formatDate(dateOfDay((bins.starts[i + 1] as number) - 1), lang, '')}`;
}

function useWidth(el: { current: Element | null }): number {
  const [w, set] = useState(800);
  useLayoutEffect(() => {
    const target = el.current;
    if (!target) return;
    const watch = new ResizeObserver(() => set(Math.max(120, target.clientWidth)));
    watch.observe(target);
    set(Math.max(120, target.clientWidth));
    return () => watch.disconnect();
  }, []);
  return w;
}

interface Shape {
  on: string;
  off: string;
  held: string;
  gap: string;
  unknown: string;
  lives: string;
  max: number;
}

/* All bars of a kind in one path: a drag changes five attributes, not two hundred elements. */
function shape(bins: Bins, band: Band, counted: Counted, range: Range, width: number): Shape {
  const step = width / bins.count;
  const bar = Math.max(1, step > 4 ? step - 1.2 : step);
  const values = counted === 'incidents' ? band.n : band.sum;
  let max = 1;
  for (let i = 0; i < bins.count; i++) max = Math.max(max, values[i] as number);
  max = nice(max);
  const s: Shape = { on: '', off: '', held: '', gap: '', unknown: '', lives: '', max };
  const lo = range.from ?? -Infinity;
  const hi = range.to ?? Infinity;
  for (let i = 0; i < bins.count; i++) {
    const x = i * step;
    const rect = (y: number, h: number) => `M${x.toFixed(1)} ${y.toFixed(1)}h${bar.toFixed(1)}v${h.toFixed(1)}h${(-bar).toFixed(1)}z`;
    if (!band.held[i]) {
      s.gap += rect(TOP + 14, BASE - TOP - 14);
      continue;
    }
    const v = values[i] as number;
    const inside = (bins.starts[i] as number) <= hi && (bins.starts[i + 1] as number) > lo;
    if (v > 0) {
      const h = Math.max(1.5, (v / max) * (BASE - TOP));
      if (inside) s.on += rect(BASE - h, h);
      else s.off += rect(BASE - h, h);
    } else if (counted !== 'incidents' && (band.n[i] as number) > 0 && (band.gap[i] as number) === (band.n[i] as number)) {
      s.unknown += rect(BASE - 10, 10);
    }
    if (band.lives[i]) s.lives += `M${(x + bar / 2).toFixed(1)} ${LIVES_Y - 3}l3 3-3 3-3-3z`;
  }
  return s;
}

interface Tick {
  x: number;
  text: string;
  major: boolean;
}

function ticks(bins: Bins, width: number, lang: string): Tick[] {
  const first = bins.starts[0] as number;
  const last = bins.starts[bins.count] as number;
  const span = last - first;
  const out: Tick[] = [];
  const start = new Date(first * DAY_MS);
  const perYear = (365.25 / span) * width;
  const months = [1, 3, 6].find((m) => (perYear / 12) * m >= 46) ?? 12;
  const years = perYear >= 44 ? 1 : perYear >= 22 ? 2 : perYear >= 9 ? 5 : 10;
  let taken = -Infinity;
  for (let y = start.getUTCFullYear(); y <= start.getUTCFullYear() + 300; y++) {
    for (let m = 0; m < 12; m += months) {
      if (m === 0 && y % years !== 0) continue;
      const at = Date.UTC(y, m, 1);
      const day = at / DAY_MS;
      if (day >= last) return out;
      if (day < first) continue;
      const x = ((day - first) / span) * width;
      const major = m === 0;
      if (x - taken < 30 || x > width - 14) continue;
      taken = x;
      out.push({ x, text: major ? formatDate(String(y), lang, '') : formatMonth(at, lang), major });
    }
  }
  return out;
}

export function TimeBand(p: Props) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const lang = look.value.lang;
  const { bins, range } = p;
  const first = bins.starts[0] as number;
  const last = bins.starts[bins.count] as number;
  const toX = (day: number) => ((day - first) / (last - first)) * width;
  const s = useMemo(() => shape(bins, p.band, p.counted, range, width), [bins, p.band, p.counted, range.from, range.to, width]);
  const marks = useMemo(() => ticks(bins, width, lang), [bins, width, lang]);
  const open = range.from === undefined && range.to === undefined;
  const from = range.from ?? first;
  const to = range.to ?? last - 1;
  const x0 = Math.max(0, toX(from));
  const x1 = Math.min(width, toX(to + 1));

  /* Bin edges next to a place on the band: days snap to them, since bars cannot be split. */
  const edge = (x: number): number => {
    const i = Math.max(0, Math.min(bins.count, Math.round((x / width) * bins.count)));
    return bins.starts[i] as number;
  };
  const put = (a: number, b: number, done: boolean) => {
    const lo = Math.min(a, b);
    const hi = Math.max(a, b);
    if (lo <= first && hi >= last) p.onChange({ from: undefined, to: undefined }, done);
    else if (hi > lo) p.onChange({ from: lo, to: hi - 1 }, done);
    else if (done) p.onChange(range, true);
  };

  const onDown = (e: PointerEvent) => {
    if (e.button !== 0) return;
    const el = e.currentTarget as Element;
    const left = el.getBoundingClientRect().left;
    const at = (ev: PointerEvent) => ev.clientX - left;
    const x = at(e);
    const grip = (e.target as Element).closest('[data-grip]')?.getAttribute('data-grip');
    const anchor = grip === 'from' ? to + 1 : grip === 'to' ? from : edge(x);
    const moving = !grip && !open && x > x0 && x < x1;
    const [f0, t0] = [from, to + 1];
    el.setPointerCapture(e.pointerId);
    const move = (ev: PointerEvent, done: boolean) => {
      if (!moving) return put(anchor, edge(at(ev)), done);
      const shift = Math.max(first - f0, Math.min(last - t0, Math.round(((at(ev) - x) / width) * (last - first))));
      put(edge(toX(f0 + shift)), edge(toX(t0 + shift)), done);
    };
    const onMove = (ev: Event) => move(ev as PointerEvent, false);
    const onUp = (ev: Event) => {
      el.removeEventListener('pointermove', onMove);
      const up = ev as PointerEvent;
      if (Math.abs(at(up) - x) < 3 && !grip) p.onChange(moving ? range : { from: undefined, to: undefined }, true);
      else move(up, true);
    };
    el.addEventListener('pointermove', onMove);
    el.addEventListener('pointerup', onUp, { once: true });
  };

  const onKey = (which: 'from' | 'to') => (e: KeyboardEvent) => {
    const i = bins.starts.indexOf(edge(which === 'from' ? x0 : x1));
    const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: -12, PageUp: 12, ArrowDown: -1, ArrowUp: 1 }[e.key];
    let to2: number | undefined;
    if (step) to2 = i + step;
    else if (e.key === 'Home') to2 = 0;
    else if (e.key === 'End') to2 = bins.count;
    else if (e.key === 'Escape') return p.onChange({ from: undefined, to: undefined }, true);
    if (to2 === undefined) return;
    e.preventDefault();
    const day = bins.starts[Math.max(0, Math.min(bins.count, to2))] as number;
    if (which === 'from' && day < to + 1) put(day, to + 1, true);
    if (which === 'to' && day > from) put(from, day, true);
  };

  const grip = (which: 'from' | 'to', x: number, day: number) => (
    <g class="grip" data-grip={which} transform={`translate(${x.toFixed(1)} 0)`} tabindex={0} role="slider" aria-label={t(`band.${which}`)} aria-valuemin={first} aria-valuemax={last - 1} aria-valuenow={day} aria-valuetext={formatDate(dateOfDay(day), lang, '')} onKeyDown={onKey(which)}>
      <rect class="hit" x="-12" y="0" width="24" height={H - 14} />
      <path class="edge" d={`M0 ${TOP - 2}V${BASE}`} />
      <rect class="knob" x="-4.5" y="22" width="9" height="22" rx="1.5" />
      <path class="lines" d="M-1.2 28v10M1.2 28v10" />
    </g>
  );

  return (
    <div class="tw" ref={box}>
      <svg class="time" ref={(el: SVGSVGElement | null) => void (p.svg.current = el)} width={width} height={H + 16} role="group" aria-label={t('band.label', { unit: t(`unit.${bins.unit}`) })} onPointerDown={onDown}>
        {!open && <rect class="sel" x={x0} y={0} width={Math.max(0, x1 - x0)} height={BASE + 18} />}
        <path class="scale" d={`M0 ${TOP + 0.5}H${width}M0 ${(TOP + BASE) / 2}H${width}`} />
        <text class="max" x={2} y={TOP + 11}>
          {formatNumber(s.max, lang)}
        </text>
        <path d={s.gap} fill="url(#gap-not_collected)" opacity=".75" />
        <path d={s.unknown} fill="url(#gap-unknown)" />
        <path class="off" d={s.off} />
        <path class="on" d={s.on} />
        <path class="ax" d={`M0 ${BASE + 0.5}H${width}`} />
        {p.lives && <path class="lives" d={s.lives} />}
        {marks.map((m) => (
          <g class={m.major ? 'tick major' : 'tick'}>
            <path d={`M${m.x.toFixed(1)} ${BASE + 16}v5`} />
            <text x={m.x} y={H + 12} text-anchor={m.x < 14 ? 'start' : 'middle'}>
              {m.text}
            </text>
          </g>
        ))}
        {grip('from', x0, from)}
        {grip('to', x1, to)}
      </svg>
    </div>
  );
}
