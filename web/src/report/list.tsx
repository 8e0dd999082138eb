// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * The list: a page at a time by the node's page marks, so that a page deep in
 * the list costs what the first one costs.  Everything that decides what is
 * shown stands in the address.
 */
import { useEffect, useState } from 'preact/hooks';
import type { IncidentPage, IncidentRow } from '../gen/api';
import { get } from '../lib/api';
import { label, useCodebooks, valuesOf } from '../lib/codes';
import { formatDate, formatNumber } from '../lib/format';
import { look, t } from '../lib/i18n';
import { query, setQuery, withQuery } from '../lib/router';
import { mayIn } from '../lib/session';
import { CountValue } from '../ui/count';
import { Icon } from '../ui/icon';
import { announce, ErrorBox } from '../ui/say';
import { useLoad } from '../ui/use';
import { DIMS, type Dim } from './columns';
import { ExportDialog } from './exportdialog';
import { apiQuery, filterQuery, isEmpty, readFilter, toggle, without, type Filter } from './filter';
import { Chip, codeLabel, Dates, periodWords } from './filterbar';

const SIZES = ['25', '50', '100', '200'];
const STATUSES = ['draft', 'submitted', 'returned', 'verified', 'validated', 'shared', 'closed'];

export function StatusBadge({ s }: { s: string }) {
  return <span class={s === 'returned' ? 'badge warn' : s === 'shared' || s === 'validated' ? 'badge accent' : 'badge'}>{t(`status.${s}`)}</span>;
}

function Sortable({ name, by, sort, numeric }: { name: string; by: string; sort: string; numeric?: boolean }) {
  const down = sort === `-${by}`;
  const up = sort === by;
  // The first press gives the larger or newer first, which is what is looked for.
  const next = down ? by : `-${by}`;
  return (
    <th scope="col" class={numeric ? 'num' : undefined} aria-sort={down ? 'descending' : up ? 'ascending' : undefined}>
      <button type="button" class="sort" onClick={() => setQuery({ sort: next === '-date' ? undefined : next, after: undefined })}>
        {name}
        {(down || up) && <Icon name={down ? 'down' : 'up'} />}
      </button>
    </th>
  );
}

function Row({ r }: { r: IncidentRow }) {
  const lang = look.value.lang;
  return (
    <tr data-row class="go">
      <th scope="row">
        <a data-open href={`/report/incidents/${r.id}`}>
          {r.number}
        </a>
      </th>
      <td data-label={t('list.date')} class="nowrap">
        {formatDate(r.from, lang, t('date.unknown'))}
      </td>
      <td data-label={t('list.country')}>{label('country', r.country)}</td>
      <td data-label={t('list.route')}>{label('route', r.route)}</td>
      <td data-label={t('list.cause')}>{label('cause', r.cause)}</td>
      <td data-label={t('list.means')}>{label('means', r.means)}</td>
      <td data-label={t('count.dead')} class="num">
        <CountValue c={r.dead} />
      </td>
      <td data-label={t('count.missing')} class="num">
        <CountValue c={r.missing} />
      </td>
      <td data-label={t('count.survivors')} class="num">
        <CountValue c={r.survivors} />
      </td>
      <td data-label={t('list.status')}>
        <span class="row">
          <StatusBadge s={r.status} />
          {(r.doubts ?? 0) > 0 && (
            <span class="badge warn" title={t('list.doubts', { n: r.doubts ?? 0 })}>
              <Icon name="warn" />
              {formatNumber(r.doubts ?? 0, lang)}
            </span>
          )}
        </span>
      </td>
    </tr>
  );
}

function Filters({ f, status, onChange }: { f: Filter; status: string; onChange: (f: Filter) => void }) {
  const period = periodWords(f);
  const add = (dim: Dim) => (
    <select class="in" aria-label={t('filter.add', { name: t(`panel.${dim}`) })} value="" onChange={(e) => onChange(toggle(f, dim, e.currentTarget.value))}>
      <option value="">{t(`panel.${dim}`)} …</option>
      {valuesOf(dim)
        .filter((v) => !f.codes[dim].includes(v.code))
        .map((v) => (
          <option value={v.code}>{v.label}</option>
        ))}
    </select>
  );
  return (
    <div class="bar filters" role="group" aria-label={t('filter.label')}>
      <Dates f={f} onChange={onChange} />
      {DIMS.map(add)}
      <select class="in" aria-label={t('filter.add', { name: t('list.status') })} value={status} onChange={(e) => setQuery({ status: e.currentTarget.value || undefined, after: undefined })}>
        <option value="">{t('list.status_any')}</option>
        {STATUSES.map((s) => (
          <option value={s}>{t(`status.${s}`)}</option>
        ))}
      </select>
      {period && <Chip name={t('filter.period')} value={period} onRemove={() => onChange(without(f, 'date'))} />}
      {DIMS.flatMap((d) => f.codes[d].map((c) => <Chip key={d + c} name={t(`panel.${d}`)} value={codeLabel(d, c)} onRemove={() => onChange(toggle(f, d, c))} />))}
      {(!isEmpty(f) || status) && (
        <button type="button" class="btn bare small" onClick={() => setQuery({ ...filterQuery({ ...f, from: undefined, to: undefined, codes: { route: [], country: [], cause: [], means: [] } }), status: undefined, after: undefined })}>
          <Icon name="undo" turns />
          {t('filter.clear')}
        </button>
      )}
    </div>
  );
}

function Pager({ page, first }: { page: IncidentPage; first: boolean }) {
  const link = (after: string | undefined) => {
    const q = new URLSearchParams(query.value);
    if (after) q.set('after', after);
    else q.delete('after');
    return withQuery('/report/incidents', q);
  };
  return (
    <nav class="pager bar" aria-label={t('list.pages')}>
      {!first && (
        <a class="btn" href={link(undefined)}>
          <Icon name="up" />
          {t('list.first')}
        </a>
      )}
      {page.next && (
        <a class="btn" href={link(page.next)}>
          {t('list.next')}
          <Icon name="next" turns />
        </a>
      )}
      <span class="grow" />
      <label class="counted">
        {t('list.size')}
        <select class="in" value={query.value.get('limit') ?? '50'} onChange={(e) => setQuery({ limit: e.currentTarget.value === '50' ? undefined : e.currentTarget.value, after: undefined })}>
          {SIZES.map((s) => (
            <option>{s}</option>
          ))}
        </select>
      </label>
    </nav>
  );
}

function Table({ page, sort }: { page: IncidentPage; sort: string }) {
  return (
    <div class="sheet tablebox" tabIndex={0} role="region" aria-label={t('nav.list')}>
      <table class="cards list">
        <thead>
          <tr>
            <th scope="col">{t('list.number')}</th>
            <Sortable name={t('list.date')} by="date" sort={sort} />
            <th scope="col">{t('list.country')}</th>
            <th scope="col">{t('list.route')}</th>
            <th scope="col">{t('list.cause')}</th>
            <th scope="col">{t('list.means')}</th>
            <Sortable name={t('count.dead')} by="dead" sort={sort} numeric />
            <Sortable name={t('count.missing')} by="missing" sort={sort} numeric />
            <th scope="col" class="num">
              {t('count.survivors')}
            </th>
            <th scope="col">{t('list.status')}</th>
          </tr>
        </thead>
        <tbody>
          {page.incidents.map((r) => (
            <Row key={r.id} r={r} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

export default function ListPage() {
  useCodebooks();
  const q = query.value;
  const f = readFilter(q);
  const status = STATUSES.find((s) => s === q.get('status')) ?? '';
  const sort = q.get('sort') ?? '-date';
  const [exporting, setExporting] = useState(false);
  const { data, error, again, busy } = useLoad(
    (signal) => get<IncidentPage>('/api/report/incidents', { ...apiQuery(f), status: status || undefined, sort: q.get('sort') ?? undefined, after: q.get('after') ?? undefined, limit: q.get('limit') ?? undefined }, { signal }),
    [q.toString()],
  );
  useEffect(() => {
    document.title = `${t('nav.list')} · Fairway`;
    if (data) announce(t('list.heard', { n: data.total }));
  }, [data]);
  const onChange = (next: Filter) => setQuery({ ...filterQuery(next), after: undefined });
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{t('nav.list')}</h1>
        {data && (
          <span class="sub" data-testid="counted">
            {t('overview.sub', { n: data.total })} {t('overview.out', { n: data.excluded })}
          </span>
        )}
        <span class="acts">
          <a class="btn" href={withQuery('/report', new URLSearchParams(Object.entries(filterQuery(f)).filter((e): e is [string, string] => e[1] !== undefined)))}>
            <Icon name="overview" />
            {t('nav.overview')}
          </a>
          {data && mayIn('strategic', 'report.export') && (
            <button type="button" class="btn" onClick={() => setExporting(true)}>
              <Icon name="exports" />
              {t('action.export')}
            </button>
          )}
          {mayIn('strategic', 'report.write') && (
            <a class="btn primary" href="/report/new">
              <Icon name="plus" />
              {t('nav.form')}
            </a>
          )}
        </span>
      </div>
      <Filters f={f} status={status} onChange={onChange} />
      <div aria-busy={busy}>
        {error ? (
          <div class="pad">
            <ErrorBox error={error} again={again} />
          </div>
        ) : !data ? (
          <p class="pad quiet">{t('overview.loading')}</p>
        ) : data.incidents.length ? (
          <>
            <Table page={data} sort={sort} />
            <Pager page={data} first={!q.get('after')} />
          </>
        ) : (
          <div class="empty">
            <h2>{t('list.nothing')}</h2>
            <p>{data.excluded ? t('list.nothing.filtered', { n: data.excluded }) : t('overview.empty.detail')}</p>
          </div>
        )}
      </div>
      {exporting && data && <ExportDialog f={f} status={status} n={data.total} onClose={() => setExporting(false)} />}
    </>
  );
}
