// SPDX-License-Identifier: AGPL-3.0-or-later
// What lies under one circle of the map: its reports, newest first, each a link.
import { label } from '../lib/codes';
import { columnCount, formatDate } from '../lib/format';
import { look, t } from '../lib/i18n';
import { CountValue } from '../ui/count';
import { Dialog } from '../ui/dialog';
import type { Cluster } from '../map/cluster';
import { NO_DAY, type Columns } from './columns';
import { dateAsKnown } from './days';

const SHOWN = 200;

/* Ids travel as 32 digits in the columns; addresses carry hyphens. */
export const uuidOf = (hex: string): string => (hex.length === 32 ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') : hex);

export function membersOf(cl: Cluster, c: Columns, fail: Uint8Array): number[] {
  const out: number[] = [];
  for (let i = 0; i < c.n; i++) {
    const x = c.x[i] as number;
    const y = c.y[i] as number;
    if (fail[i] === 0 && x >= cl.x0 && x <= cl.x1 && y >= cl.y0 && y <= cl.y1) out.push(i);
  }
  return out.sort((a, b) => (c.day[b] as number) - (c.day[a] as number));
}

export function PlaceDialog({ cluster, c, fail, onClose }: { cluster: Cluster; c: Columns; fail: Uint8Array; onClose: () => void }) {
  const all = membersOf(cluster, c, fail);
  const lang = look.value.lang;
  const code = (dim: 'cause' | 'route', i: number) => label(dim, c.codes[dim][(c.at[dim][i] as number) - 1]);
  return (
    <Dialog wide title={t('place.title', { n: all.length })} onClose={onClose}>
      {cluster.vague > 0 && <p class="small">{t('place.vague', { n: cluster.vague })}</p>}
      <div class="tablebox">
        <table class="cards">
          <thead>
            <tr>
              <th scope="col">{t('list.date')}</th>
              <th scope="col">{t('list.cause')}</th>
              <th scope="col">{t('list.route')}</th>
              <th scope="col" class="num">{t('count.dead')}</th>
              <th scope="col" class="num">{t('count.missing')}</th>
            </tr>
          </thead>
          <tbody>
            {all.slice(0, SHOWN).map((i) => (
              <tr>
                <th scope="row">
                  <a href={`/report/incidents/${uuidOf(c.id[i] as string)}`}>{formatDate(c.day[i] === NO_DAY ? '' : dateAsKnown(c.day[i] as number, c.precision[i] as number), lang, t('date.unknown'))}</a>
                </th>
                <td data-label={t('list.cause')}>{code('cause', i)}</td>
                <td data-label={t('list.route')}>{code('route', i)}</td>
                <td data-label={t('count.dead')} class="num"><CountValue c={columnCount(c.counts.dead[i] as number)} /></td>
                <td data-label={t('count.missing')} class="num"><CountValue c={columnCount(c.counts.missing[i] as number)} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {all.length > SHOWN && <p class="small quiet">{t('place.more', { n: all.length - SHOWN })}</p>}
    </Dialog>
  );
}
