// SPDX-License-Identifier: AGPL-3.0-or-later
// What is being counted and which filters hold, each with its way out.
import { label } from '../lib/codes';
import { formatDate } from '../lib/format';
import { look, t } from '../lib/i18n';
import { DateInput } from '../ui/dateinput';
import { Icon } from '../ui/icon';
import { COUNTED, DIMS, type Counted, type Dim } from './columns';
import { dateOfDay, firstDayOf, lastDayOf } from './days';
import { isEmpty, without, type Filter } from './filter';

export const codeLabel = (dim: Dim, code: string): string => (code === '-' ? t(`panel.none.${dim}`) : label(dim, code));

export function periodWords(f: Filter): string {
  const lang = look.value.lang;
  const day = (d: number) => formatDate(dateOfDay(d), lang, '');
  if (f.from !== undefined && f.to !== undefined) return `${day(f.from)} – ${day(f.to)}`;
  if (f.from !== undefined) return t('filter.since', { date: day(f.from) });
  if (f.to !== undefined) return t('filter.until', { date: day(f.to) });
  return '';
}

/* The filters in one line, for captions. */
export function filterWords(f: Filter): string {
  const parts = DIMS.filter((d) => f.codes[d].length).map((d) => `${t(`panel.${d}`)}: ${f.codes[d].map((c) => codeLabel(d, c)).join(', ')}`);
  const period = periodWords(f);
  if (period) parts.unshift(`${t('filter.period')}: ${period}`);
  return parts.length ? parts.join('; ') : t('filter.none');
}

export function Chip({ name, value, onRemove }: { name: string; value: string; onRemove: () => void }) {
  return (
    <span class="chip">
      <em>{name}</em>
      <b title={value}>{value}</b>
      <button type="button" aria-label={t('filter.remove', { name: `${name} ${value}` })} onClick={onRemove}>
        <Icon name="close" />
      </button>
    </span>
  );
}

/* From and to as typed dates; one known by year or month means its first or its last day. */
export function Dates({ f, onChange }: { f: Filter; onChange: (f: Filter) => void }) {
  const value = (d: number | undefined) => (d === undefined ? '' : dateOfDay(d));
  const put = (which: 'from' | 'to') => (v: string) => onChange({ ...f, [which]: v === '' ? undefined : which === 'from' ? firstDayOf(v) : lastDayOf(v) });
  return (
    <span class="dates">
      <label>
        {t('filter.from')} <DateInput value={value(f.from)} onValue={put('from')} />
      </label>
      <label>
        {t('filter.to')} <DateInput value={value(f.to)} onValue={put('to')} />
      </label>
    </span>
  );
}

interface Props {
  f: Filter;
  onChange: (f: Filter) => void;
}

export function FilterBar({ f, onChange }: Props) {
  const empty = isEmpty(f);
  const period = periodWords(f);
  return (
    <div class="bar filters" role="group" aria-label={t('filter.label')}>
      <label class="counted">
        {t('filter.count')}
        <select class="in" value={f.counted} onChange={(e) => onChange({ ...f, counted: e.currentTarget.value as Counted })}>
          {COUNTED.map((m) => (
            <option value={m}>{t(`count.${m}`)}</option>
          ))}
        </select>
      </label>
      {empty && <span class="quiet small">{t('filter.hint')}</span>}
      {period && <Chip name={t('filter.period')} value={period} onRemove={() => onChange(without(f, 'date'))} />}
      {DIMS.filter((d) => f.codes[d].length).map((d) => (
        <Chip key={d} name={t(`panel.${d}`)} value={f.codes[d].map((c) => codeLabel(d, c)).join(', ')} onRemove={() => onChange(without(f, d))} />
      ))}
      {!empty && (
        <>
          <span class="grow" />
          <button type="button" class="btn bare small" onClick={() => onChange({ from: undefined, to: undefined, codes: { route: [], country: [], cause: [], means: [] }, counted: f.counted })}>
            <Icon name="undo" turns />
            {t('filter.clear')}
          </button>
        </>
      )}
    </div>
  );
}
