// SPDX-License-Identifier: AGPL-3.0-or-later
// Referrals handed over to protection. Nothing of this page shows anywhere else, and nothing can be exported from it.
import { useEffect } from 'preact/hooks';
import type { Referrals } from '../gen/api';
import { get } from '../lib/api';
import { formatTime } from '../lib/format';
import { hasMessage, look, t } from '../lib/i18n';
import { Icon } from '../ui/icon';
import { ErrorBox } from '../ui/say';
import { useLoad } from '../ui/use';

/* The codebooks belong to the strategic vault, which this account may not enter; needs have words of their own here. */
const needWords = (code: string): string => (hasMessage(`need.${code}`) ? t(`need.${code}`) : code.replace(/_/g, ' '));

export default function ReferralsPage() {
  const lang = look.value.lang;
  const { data, error, again } = useLoad((signal) => get<Referrals>('/api/protection/referrals', undefined, { signal }), []);
  useEffect(() => {
    document.title = `${t('nav.referrals')} · Fairway`;
  });
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{t('nav.referrals')}</h1>
        {data && <span class="sub">{t('referrals.sub', { n: data.referrals.length })}</span>}
        <span class="acts">
          <button type="button" class="btn" onClick={again}>{t('action.refresh')}</button>
        </span>
      </div>
      <div class="protectline">
        <h2>
          <Icon name="protect" />
          {t('referrals.title')}
        </h2>
        <p>{t('referrals.why')}</p>
      </div>
      {error ? (
        <div class="pad">
          <ErrorBox error={error} again={again} />
        </div>
      ) : null}
      {data && data.referrals.length === 0 && (
        <div class="empty">
          <h2>{t('referrals.none')}</h2>
          <p>{t('referrals.none.detail')}</p>
        </div>
      )}
      {data && data.referrals.length > 0 && (
        <div class="sheet tablebox" tabIndex={0} role="region" aria-label={t('nav.referrals')}>
          <table class="cards">
            <thead>
              <tr>
                <th scope="col">{t('referrals.receipt')}</th>
                <th scope="col">{t('refer.urgency')}</th>
                <th scope="col">{t('refer.needs')}</th>
                <th scope="col">{t('referrals.note')}</th>
                <th scope="col">{t('referrals.at')}</th>
              </tr>
            </thead>
            <tbody>
              {data.referrals.map((r) => (
                <tr data-row>
                  <th scope="row" class="nowrap">{r.receipt}</th>
                  <td data-label={t('refer.urgency')}>
                    <span class={r.urgency === 'now' ? 'badge protect' : 'badge'}>{hasMessage(`urgency.${r.urgency}`) ? t(`urgency.${r.urgency}`) : r.urgency}</span>
                  </td>
                  <td data-label={t('refer.needs')}>{r.needs.map(needWords).join(', ')}</td>
                  <td data-label={t('referrals.note')} class="wrap">{r.note}</td>
                  <td data-label={t('referrals.at')} class="nowrap">{formatTime(r.at, lang)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
