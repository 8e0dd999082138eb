// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * Overview: all incidents one may see, in columns, and every question about
 * them answered in the page.  The filter lives in the address; while a brush
 * is being dragged a live one stands before it.
 */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Overview } from '../gen/api';
import { get } from '../lib/api';
import { useCodebooks } from '../lib/codes';
import { alpha2 } from '../lib/countries';
import { formatNumber } from '../lib/format';
import { look, t } from '../lib/i18n';
import { query, setQuery } from '../lib/router';
import { mayIn } from '../lib/session';
import { boundsOf, lonOf, latOf, planeX, planeY } from '../map/plane';
import { WorldMap, type MapPicture, type View3 } from '../map/map';
import type { Cluster, Points } from '../map/cluster';
import { Icon, Gap } from '../ui/icon';
import { announce, ErrorBox } from '../ui/say';
import { useLoad } from '../ui/use';
import { binName, livesOf, TimeBand, type Range } from './band';
import { DIMS, makeColumns, type Columns, type Dim } from './columns';
import { Cross } from './cross';
import { makeBins } from './days';
import { ExportDialog } from './exportdialog';
import { copyFigure } from './figure';
import { FigureMenu } from './figuremenu';
import { filterQuery, readFilter, toggle, type Filter } from './filter';
import { Dates, FilterBar, filterWords } from './filterbar';
import { Kpi } from './kpi';
import { mapParts, mapSheet } from './mapfigure';
import { HarmPanel, Panel } from './panels';
import { PlaceDialog } from './place';

function readView(v: string | null): View3 | undefined {
  const m = /^(-?[\d.]+),(-?[\d.]+),([\d.]+)$/.exec(v ?? '');
  if (!m) return undefined;
  return { y: planeY(Number(m[1])), x: planeX(Number(m[2])), k: 2 ** Number(m[3]) };
}

const writeView = (v: View3): string => `${latOf(v.y).toFixed(3)},${lonOf(v.x).toFixed(3)},${Math.log2(v.k).toFixed(2)}`;

/* The bits of the filters set on the incidents; returns the counts. */
function apply(cross: Cross, f: Filter) {
  cross.setRange(f.from, f.to);
  for (const d of DIMS) cross.setCodes(d, f.codes[d]);
  return cross.count(f.counted);
}

/* As many rows a panel as the window has room for, so that all panels stand in one screen. */
function useRoom(): Record<Dim, number> {
  const [h, set] = useState(innerHeight);
  useEffect(() => {
    const on = () => set(innerHeight);
    addEventListener('resize', on);
    return () => removeEventListener('resize', on);
  }, []);
  const more = Math.max(0, Math.min(12, Math.floor((h - 880) / 100)));
  return { route: 5 + more, country: 4 + more, cause: 4 + more, means: 3 + more };
}

function Board({ c }: { c: Columns }) {
  useCodebooks();
  const lang = look.value.lang;
  const fromAddress = useMemo(() => readFilter(query.value), [query.value]);
  const [live, setLive] = useState<Range | undefined>();
  const [place, setPlace] = useState<Cluster | undefined>();
  const [exporting, setExporting] = useState(false);
  const picture = useRef<MapPicture | undefined>(undefined);
  const band = useRef<SVGSVGElement | null>(null);
  const tick = useRef(0);
  const start = useMemo(() => readView(query.value.get('at')), []);

  const bins = useMemo(() => makeBins(c.firstDay, c.lastDay), [c]);
  const cross = useMemo(() => new Cross(c, bins), [c, bins]);
  const f: Filter = live ? { ...fromAddress, ...live } : fromAddress;
  const result = useMemo(() => {
    tick.current++;
    return apply(cross, f);
  }, [cross, fromAddress, live]);
  const points: Points = useMemo(() => ({ x: c.x, y: c.y, place: c.place, dead: c.counts.dead, missing: c.counts.missing, fail: cross.fail }), [c, cross]);
  const home = useMemo(() => boundsOf(c.x, c.y), [c]);
  const chosen = useMemo(() => new Set(f.codes.country.map(alpha2)), [fromAddress]);

  const put = (next: Filter) => setQuery(filterQuery(next));
  const onRange = (r: Range, done: boolean) => {
    if (!done) return setLive(r);
    setLive(undefined);
    if (r.from !== fromAddress.from || r.to !== fromAddress.to) put({ ...fromAddress, ...r });
  };

  useEffect(() => {
    announce(t('overview.heard', { n: result.n, out: formatNumber(c.n - result.n, lang) }));
  }, [fromAddress]);

  const limits = useRoom();
  const words = filterWords(f);
  const unit = t(`unit.${bins.unit}`);
  const lives = livesOf(result.band);
  const bandTitle = t('band.title', { what: t(`count.${f.counted}`), unit });
  const bandSheet = () => ({
    head: [unit, t(`count.${f.counted}`), t('figure.reports'), t('figure.lives')],
    numeric: [false, true, true, false],
    rows: Array.from({ length: bins.count }, (_, i) => {
      const b = result.band;
      if (!b.held[i]) return [binName(bins, i, lang), t('band.nothing_held'), undefined, undefined];
      return [binName(bins, i, lang), f.counted === 'incidents' ? b.n[i] : b.sum[i], b.n[i], b.lives[i] ? t('answer.yes') : t('answer.no')];
    }),
    note: t('band.table_note'),
  });
  const bandPicture = () => (band.current ? { width: band.current.clientWidth, height: 100, body: [copyFigure(band.current)] } : undefined);

  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{t('nav.overview')}</h1>
        <span class="sub" data-testid="counted">
          {t('overview.sub', { n: result.n })} {t('overview.out', { n: c.n - result.n })}
          {c.leftOut > 0 && <> · {t('overview.older', { n: c.leftOut })}</>}
        </span>
        <span class="acts">
          <a class="btn" href={`/report/incidents?${new URLSearchParams(Object.entries(filterQuery(f)).filter((e): e is [string, string] => e[0] !== 'count' && e[1] !== undefined))}`}>
            <Icon name="list" />
            {t('overview.list')}
          </a>
          {mayIn('strategic', 'report.export') && (
            <button type="button" class="btn" onClick={() => setExporting(true)}>
              <Icon name="exports" />
              {t('action.export')}
            </button>
          )}
          <button type="button" class="btn" onClick={() => print()}>
            <Icon name="print" />
            {t('action.print')}
          </button>
        </span>
      </div>
      <FilterBar f={f} onChange={put} />
      <div class="board">
        <div class="mid">
          <Kpi result={result} />
          <WorldMap
            points={points}
            tick={tick.current}
            home={home}
            chosen={chosen}
            start={start}
            onView={(v) => setQuery({ at: writeView(v) }, 'replace')}
            onOpen={setPlace}
            label={t('map.label', { n: result.withPosition })}
            picture={picture}
          />
          <div class="legend">
            <ul>
              <li>
                <svg class="lg" viewBox="0 0 16 16" aria-hidden="true"><circle class="ring" cx="8" cy="8" r="6.5" /></svg>
                {t('legend.cluster')}
              </li>
              <li>
                <svg class="lg" viewBox="0 0 16 16" aria-hidden="true"><circle class="dotmark" cx="8" cy="8" r="4" /></svg>
                {t('legend.one')}
              </li>
              <li>
                <svg class="lg" viewBox="0 0 16 16" aria-hidden="true"><circle class="ring vague" cx="8" cy="8" r="6.5" /></svg>
                {t('legend.vague')}
              </li>
              <li>
                <svg class="lg" viewBox="0 0 16 16" aria-hidden="true"><path class="dm" d="M8 3 13 8 8 13 3 8z" /></svg>
                {t('legend.lives')}
              </li>
            </ul>
            <span class="small">{t('map.borders')}</span>
            <FigureMenu title={t('map.title')} filters={words} sheet={() => mapSheet(picture.current)} picture={() => picture.current && mapParts(picture.current)} />
          </div>
          <section class="tband" aria-label={bandTitle}>
            <header>
              <h2>{bandTitle}</h2>
              {lives.rare && (
                <span class="k">
                  <svg class="lg" viewBox="0 0 16 16" aria-hidden="true"><path class="dm" d="M8 4 12 8 8 12 4 8z" /></svg>
                  {t('legend.lives')}
                </span>
              )}
              {lives.held < bins.count && (
                <span class="k">
                  <Gap name="not_collected" />
                  {t('band.nothing_held')}
                </span>
              )}
              {result.band.vague + result.band.undated > 0 && <span class="k">{t('band.vague', { n: result.band.vague + result.band.undated })}</span>}
              <span class="grow" />
              <Dates f={f} onChange={put} />
              <FigureMenu title={bandTitle} filters={words} sheet={bandSheet} picture={bandPicture} />
            </header>
            <TimeBand bins={bins} band={result.band} counted={f.counted} lives={lives.rare} range={{ from: f.from, to: f.to }} onChange={onRange} svg={band} />
          </section>
        </div>
        <aside class="side" aria-label={t('overview.breakdowns')}>
          {DIMS.map((d) => (
            <Panel key={d} dim={d} codes={c.codes[d]} group={result.dims[d]} counted={f.counted} chosen={f.codes[d]} filters={words} limit={limits[d]} onToggle={(code) => put(toggle(fromAddress, d, code))} />
          ))}
          <HarmPanel result={result} filters={words} />
        </aside>
      </div>
      {place && <PlaceDialog cluster={place} c={c} fail={cross.fail} onClose={() => setPlace(undefined)} />}
      {exporting && <ExportDialog f={f} n={result.n} onClose={() => setExporting(false)} />}
    </>
  );
}

function Empty() {
  return (
    <div class="empty">
      <h1 tabIndex={-1}>{t('overview.empty')}</h1>
      <p>{t('overview.empty.detail')}</p>
      <span class="row">
        {mayIn('strategic', 'report.import') && (
          <a class="btn primary" href="/report/imports">
            {t('overview.empty.import')}
          </a>
        )}
        {mayIn('strategic', 'report.write') && (
          <a class="btn" href="/report/new">
            {t('overview.empty.write')}
          </a>
        )}
      </span>
    </div>
  );
}

export default function OverviewPage() {
  const { data, error, again } = useLoad((signal) => get<Overview>('/api/report/overview', undefined, { signal }), []);
  const columns = useMemo(() => (data ? makeColumns(data) : undefined), [data]);
  useEffect(() => {
    document.title = `${t('nav.overview')} · Fairway`;
  });
  if (error) {
    return (
      <div class="pad">
        <h1 tabIndex={-1}>{t('nav.overview')}</h1>
        <ErrorBox error={error} again={again} />
      </div>
    );
  }
  if (!columns) return <p class="pad quiet" role="status">{t('overview.loading')}</p>;
  return columns.n === 0 ? <Empty /> : <Board c={columns} />;
}

