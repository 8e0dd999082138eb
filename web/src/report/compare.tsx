// SPDX-License-Identifier: AGPL-3.0-or-later
// Two versions side by side: only what differs, field by field.
import type { Incident } from '../gen/api';
import { get } from '../lib/api';
import { formatNumber } from '../lib/format';
import { look, t } from '../lib/i18n';
import { ErrorBox } from '../ui/say';
import { useLoad } from '../ui/use';
import { differences, type Rec } from './record';

export function Compare({ id, i, other }: { id: string; i: Incident; other: number }) {
  const lang = look.value.lang;
  const { data, error, again } = useLoad((signal) => get<Incident>(`/api/report/incidents/${id}`, { version: other }, { signal }), [id, other]);
  if (error) return <ErrorBox error={error} again={again} />;
  if (!data) return <p class="pad quiet">{t('action.wait')}</p>;
  const [before, after] = data.version < i.version ? [data, i] : [i, data];
  const rows = differences(before as unknown as Rec, after as unknown as Rec);
  return (
    <div class="pad">
      <h2>{t('compare.title', { a: formatNumber(before.version, lang), b: formatNumber(after.version, lang) })}</h2>
      {rows.length === 0 ? (
        <p>{t('compare.same')}</p>
      ) : (
        <div class="tablebox" tabIndex={0} role="region" aria-label={t('incident.versions')}>
          <table class="cards diffs">
            <thead>
              <tr>
                <th scope="col">{t('compare.field')}</th>
                <th scope="col">{t('incident.version', { version: formatNumber(before.version, lang) })}</th>
                <th scope="col">{t('incident.version', { version: formatNumber(after.version, lang) })}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((r) => (
                <tr>
                  <th scope="row">{r.label}</th>
                  <td data-label={t('compare.before')} class="wrap">
                    {r.before || <span class="faint">{t('compare.nothing')}</span>}
                  </td>
                  <td data-label={t('compare.after')} class="wrap">
                    {r.after || <span class="faint">{t('compare.nothing')}</span>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p>
        <a href={`/report/incidents/${id}`}>{t('compare.back')}</a>
      </p>
    </div>
  );
}
