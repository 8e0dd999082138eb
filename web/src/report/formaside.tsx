// SPDX-License-Identifier: AGPL-3.0-or-later
// Beside the form: what would stop it, what is worth a look, what it will count as.
import type { Count } from '../gen/api';
import { t } from '../lib/i18n';
import { CountValue } from '../ui/count';
import { Icon } from '../ui/icon';
import type { Finding, Findings } from './checks';
import { fieldLabel, fieldsOf, type Rec } from './record';

function List({ found, icon }: { found: Finding[]; icon: 'warn' | 'info' }) {
  return (
    <ul class="steps">
      {found.map((f) => (
        <li>
          <Icon name={icon} />
          <span class="small">
            <a href={`#b-${f.block}`}>{t(`block.${f.block}`)}</a>: {t(f.key, f.params)}
          </span>
        </li>
      ))}
    </ul>
  );
}

export function FormAside({ rec, found }: { rec: Rec; found: Findings }) {
  const counts = (rec.counts ?? {}) as Record<string, Count | undefined>;
  return (
    <aside aria-label={t('form.aside')}>
      <section aria-live="polite">
        <h2>{t('form.before')}</h2>
        {found.stops.length ? <List found={found.stops} icon="warn" /> : <p class="small">{t('form.ready')}</p>}
        {found.doubts.length > 0 && (
          <>
            <h2>{t('form.look')}</h2>
            <List found={found.doubts} icon="info" />
          </>
        )}
      </section>
      <section>
        <h2>{t('form.counts_as')}</h2>
        <table>
          <tbody>
            {fieldsOf('Counts').map((f) => (
              <tr>
                <td class="small">{fieldLabel('Counts', f)}</td>
                <td class="num">
                  <CountValue c={counts[f.name]} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        <p class="small quiet">{t('form.protected')}</p>
      </section>
    </aside>
  );
}
