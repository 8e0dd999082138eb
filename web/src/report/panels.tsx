// SPDX-License-Identifier: AGPL-3.0-or-later
// The side panels: what else could be chosen, and what each choice would leave.
import { useState } from 'preact/hooks';
import { label } from '../lib/codes';
import { formatNumber } from '../lib/format';
import { look, t } from '../lib/i18n';
import { Gap, type GapName } from '../ui/icon';
import { FigureMenu, type Sheet } from './figuremenu';
import type { Counted, Dim, Measure } from './columns';
import type { Group, Result, Sum } from './cross';

const BOOK: Record<Dim, string> = { route: 'route', country: 'country', cause: 'cause', means: 'means' };

export interface Row {
  code: string;
  label: string;
  n: number;
  value: number;
  gap: number;
  chosen: boolean;
}

/* Rows of a panel, largest first; what has no code stands last, as "-". */
export function rowsOf(dim: Dim, codes: readonly string[], g: Group, counted: Counted, chosen: readonly string[]): Row[] {
  const rows: Row[] = [];
  for (let i = 0; i < g.n.length; i++) {
    const n = g.n[i] as number;
    const code = i === 0 ? '-' : (codes[i - 1] as string);
    const on = chosen.includes(code);
    if (n === 0 && !on) continue;
    const name = i === 0 ? t(`panel.none.${dim}`) : label(BOOK[dim], code);
    rows.push({ code, label: name, n, value: counted === 'incidents' ? n : (g.sum[i] as number), gap: g.gap[i] as number, chosen: on });
  }
  return rows.sort((a, b) => Number(a.code === '-') - Number(b.code === '-') || b.value - a.value || b.n - a.n);
}

interface PanelProps {
  dim: Dim;
  codes: readonly string[];
  group: Group;
  counted: Counted;
  chosen: readonly string[];
  filters: string;
  limit: number;
  onToggle: (code: string) => void;
}

function sheetOf(title: string, rows: Row[], counted: Counted): Sheet {
  const plain = counted === 'incidents';
  return {
    head: plain ? [title, t('count.incidents')] : [title, t(`count.${counted}`), t('figure.reports'), t('figure.no_number')],
    numeric: plain ? [false, true] : [false, true, true, true],
    rows: rows.map((r) => (plain ? [r.label, r.n] : [r.label, r.value, r.n, r.gap])),
    shown: (y, x) => {
      const r = rows[y];
      const v = r && (plain ? [undefined, r.n] : [undefined, r.value, r.n, r.gap])[x];
      return v === undefined ? undefined : formatNumber(v, look.value.lang);
    },
    note: t('figure.others_note'),
  };
}

export function Panel(p: PanelProps) {
  const [all, setAll] = useState(false);
  const lang = look.value.lang;
  const title = t(`panel.${p.dim}`);
  const rows = rowsOf(p.dim, p.codes, p.group, p.counted, p.chosen);
  const max = rows.reduce((m, r) => Math.max(m, r.value), 1);
  // The chosen ones are always in sight, whatever their size.
  const listed = all ? rows : rows.filter((r, i) => i < p.limit || r.chosen || r.code === '-');
  const rest = rows.length - listed.length;
  const any = p.chosen.length > 0;

  const picture = () => ({ width: 460, height: listed.length * 24, body: barPicture(listed, max, lang) });

  return (
    <section class="panel" aria-label={title}>
      <header>
        <h2>{title}</h2>
        <span class="u">{t(`count.${p.counted}`)}</span>
        {(rest > 0 || all) && (
          <button type="button" class="btn bare small" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? t('panel.fewer') : t('panel.more', { n: rest })}
          </button>
        )}
        <FigureMenu title={title} filters={p.filters} sheet={() => sheetOf(title, rows, p.counted)} picture={picture} />
      </header>
      {rows.length === 0 && <p class="small quiet">{t('figure.nothing')}</p>}
      <ul class={any ? 'rows any' : 'rows'}>
        {listed.map((r) => (
          <li key={r.code}>
            <button type="button" aria-pressed={r.chosen} class={r.chosen ? 'on' : undefined} onClick={() => p.onToggle(r.code)} title={rowTitle(r, p.counted)}>
              <span class={r.code === '-' ? 'nm none' : 'nm'}>{r.label}</span>
              <svg class="barline" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
                <rect class="bg" width="100" height="8" />
                <rect class={r.code === '-' ? 'bar none' : 'bar'} width={(Math.max(0, r.value) / max) * 100} height="8" />
              </svg>
              <span class="num">{formatNumber(r.value, lang)}</span>
              <span class="gapmark">{p.counted !== 'incidents' && r.gap > 0 && <Gap name="unknown" />}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function rowTitle(r: Row, counted: Counted): string {
  const n = t('count.reports_n', { n: r.n });
  if (counted === 'incidents') return `${r.label}: ${n}`;
  return `${r.label}: ${t('panel.sum', { value: formatNumber(r.value, look.value.lang), reports: n })}${r.gap ? `; ${t('panel.gap', { n: r.gap })}` : ''}`;
}

const SVG = 'http://www.w3.org/2000/svg';

/* For a file: the bars with their words, drawn anew, since on the page the words are HTML. */
function barPicture(rows: Row[], max: number, lang: string): SVGElement[] {
  const s = getComputedStyle(document.documentElement);
  const el = (name: string, attrs: Record<string, string | number>, words?: string) => {
    const e = document.createElementNS(SVG, name) as SVGElement;
    for (const [k, v] of Object.entries(attrs)) e.setAttribute(k, String(v));
    if (words) e.textContent = words;
    return e;
  };
  return rows.flatMap((r, i) => [
    el('text', { x: 0, y: i * 24 + 15, 'font-size': 12, fill: s.getPropertyValue('--ink') }, r.label.length > 34 ? `${r.label.slice(0, 33)}…` : r.label),
    el('rect', { x: 210, y: i * 24 + 6, width: Math.max(0, (r.value / max) * 180), height: 10, fill: s.getPropertyValue('--c-bar') }),
    el('text', { x: 456, y: i * 24 + 15, 'font-size': 12, 'text-anchor': 'end', fill: s.getPropertyValue('--ink') }, formatNumber(r.value, lang)),
  ]);
}

const GAPS: GapName[] = ['unknown', 'not_collected', 'withheld'];

/* How many of the reports say a number, and what the others say. */
function States({ s, n }: { s: Sum; n: number }) {
  let x = (s.counted / Math.max(1, n)) * 100;
  return (
    <svg class="states" width="100%" height="10" aria-hidden="true">
      <rect class="bg" width="100%" height="10" />
      <rect class="bar" width={`${x}%`} height="10" />
      {GAPS.map((g) => {
        const w = (s[g] / Math.max(1, n)) * 100;
        const at = x;
        x += w;
        return w > 0 ? <rect x={`${at}%`} width={`${w}%`} height="10" fill={`url(#gap-${g})`} /> : null;
      })}
    </svg>
  );
}

const HARM: Measure[] = ['dead', 'missing', 'survivors'];

export function HarmPanel({ result, filters }: { result: Result; filters: string }) {
  const lang = look.value.lang;
  const title = t('panel.harm');
  const n = result.n;
  const sheet = (): Sheet => ({
    head: [t('figure.measure'), t('figure.persons'), t('figure.say_number'), t('state.unknown'), t('state.not_collected'), t('state.withheld')],
    numeric: [false, true, true, true, true, true],
    rows: (['dead', 'missing', 'survivors', 'persons'] as Measure[]).map((m) => {
      const s = result.totals[m];
      return [t(`count.${m}`), s.sum, s.counted, s.unknown, s.not_collected, s.withheld];
    }),
    note: t('panel.harm.never'),
  });
  return (
    <section class="panel" aria-label={title}>
      <header>
        <h2>{title}</h2>
        <span class="u">{t('panel.harm.unit')}</span>
        <FigureMenu title={title} filters={filters} sheet={sheet} />
      </header>
      <div class="harm">
        {HARM.map((m) => {
          const s = result.totals[m];
          return (
            <dl>
              <dt>{t(`harm.${m}`)}</dt>
              <dd class="big">{s.counted ? formatNumber(s.sum, lang) : t('figure.no_total')}</dd>
              <dd>
                <States s={s} n={n} />
              </dd>
              <dd class="small quiet">{t('panel.harm.from', { n: s.counted, of: formatNumber(n, lang) })}</dd>
            </dl>
          );
        })}
      </div>
    </section>
  );
}
