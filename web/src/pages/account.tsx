// SPDX-License-Identifier: AGPL-3.0-or-later
// One's own account: sessions, password, second factor, and what one may do where.
import { useEffect, useState } from 'preact/hooks';
import type { OwnSessions } from '../gen/api';
import { del, get } from '../lib/api';
import { formatTime } from '../lib/format';
import { look, t } from '../lib/i18n';
import { permissions, session } from '../lib/session';
import { Dialog } from '../ui/dialog';
import { ErrorBox, say } from '../ui/say';
import { useAct, useLoad } from '../ui/use';
import { Enrol, PasswordForm } from './gates';

function Sessions() {
  const lang = look.value.lang;
  const { data, error, again } = useLoad((signal) => get<OwnSessions>('/api/account/sessions', undefined, { signal }), []);
  const act = useAct();
  const end = (id: string) =>
    void act.run(async () => {
      await del(`/api/account/sessions/${id}`);
      say(t('account.session_ended'));
      again();
    });
  return (
    <section class="stack tight">
      <h2>{t('account.sessions')}</h2>
      <p class="quiet small">{t('account.sessions.why')}</p>
      <ErrorBox error={error ?? act.error} again={again} />
      <div class="tablebox" tabIndex={0} role="region" aria-label={t('account.sessions')}>
        <table class="cards">
          <thead>
            <tr>
              <th scope="col">{t('account.agent')}</th>
              <th scope="col">{t('account.address')}</th>
              <th scope="col">{t('account.started')}</th>
              <th scope="col">{t('account.last')}</th>
              <th scope="col">{t('accounts.acts')}</th>
            </tr>
          </thead>
          <tbody>
            {data?.sessions.map((s) => (
              <tr>
                <th scope="row" class="wrap">{s.agent}</th>
                <td data-label={t('account.address')}>{s.address}</td>
                <td data-label={t('account.started')}>{formatTime(s.started, lang)}</td>
                <td data-label={t('account.last')}>{formatTime(s.last, lang)}</td>
                <td>
                  {s.current ? (
                    <span class="badge accent">{t('account.this_one')}</span>
                  ) : (
                    <button type="button" class="btn small" disabled={act.busy} onClick={() => end(s.id)}>{t('account.end')}</button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

export default function AccountPage() {
  const s = session.value;
  const lang = look.value.lang;
  const [open, setOpen] = useState<'password' | 'factor' | undefined>();
  useEffect(() => {
    document.title = `${t('nav.account')} · Fairway`;
  });
  if (!s) return null;
  const close = () => setOpen(undefined);
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{t('nav.account')}</h1>
        <span class="sub">{s.display} · {s.account} · {s.agency}</span>
      </div>
      <div class="pad">
        <section class="stack tight">
          <h2>{t('account.credentials')}</h2>
          <p class="row">
            <button type="button" class="btn" onClick={() => setOpen('password')}>{t('account.password')}</button>
            <button type="button" class="btn" onClick={() => setOpen('factor')}>{t('account.factor')}</button>
          </p>
          <p class="small">{t('account.id')}: <span class="mono ltr">{s.account_id}</span></p>
          <p class="small quiet">{t('account.until', { idle: formatTime(s.idle_until, lang), end: formatTime(s.expires, lang) })}</p>
        </section>
        <Sessions />
        <section class="stack tight">
          <h2>{t('account.may')}</h2>
          {s.vaults.length === 0 && <p class="quiet">{t('account.may_nothing')}</p>}
          <dl class="facts">
            {Object.entries(permissions.value).map(([v, set]) => (
              <div>
                <dt>{t(`vault.${v}`)}</dt>
                <dd class="small">{[...set].map((p) => t(`perm.${p.replace(/^(strategic|operational|protection|house)\./, 'any.')}`)).join('; ')}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
      {open === 'password' && (
        <Dialog title={t('account.password')} onClose={close}>
          <PasswordForm done={() => (close(), say(t('account.password_set')))} />
        </Dialog>
      )}
      {open === 'factor' && (
        <Dialog title={t('account.factor')} onClose={close}>
          <p>{t('account.factor.why')}</p>
          <Enrol done={() => (close(), say(t('account.factor_set')))} />
        </Dialog>
      )}
    </>
  );
}
