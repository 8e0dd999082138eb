// SPDX-License-Identifier: AGPL-3.0-or-later
// Accounts: made, locked, unlocked, reset. An administrator gives no role, and resets none that holds one.
import { useEffect, useState } from 'preact/hooks';
import type { Account, Accounts, Agencies, NewAccountMade } from '../gen/api';
import { get, post } from '../lib/api';
import { formatTime } from '../lib/format';
import { look, t } from '../lib/i18n';
import { mayIn } from '../lib/session';
import { Dialog } from '../ui/dialog';
import { Field } from '../ui/field';
import { Icon } from '../ui/icon';
import { ErrorBox, say } from '../ui/say';
import { useAct, useLoad } from '../ui/use';
import { OncePassword } from './once';

function NewAccount({ onClose, onMade }: { onClose: () => void; onMade: (a: NewAccountMade) => void }) {
  const [account, setAccount] = useState('');
  const [display, setDisplay] = useState('');
  const [agency, setAgency] = useState('');
  const agencies = useLoad((signal) => get<Agencies>('/api/agencies', undefined, { signal }), []);
  const { busy, error, run } = useAct();
  const bad = account !== '' && !/^[a-z0-9][a-z0-9.-]{1,63}$/.test(account);
  const submit = (e: Event) => {
    e.preventDefault();
    if (bad) return;
    void run(async () => onMade(await post<NewAccountMade>('/api/accounts', { account, display: display.trim(), agency })));
  };
  return (
    <Dialog title={t('accounts.new')} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <ErrorBox error={error ?? agencies.error} />
        <Field label={t('accounts.account')} hint={t('accounts.account.hint')} error={bad ? t('accounts.account.bad') : ''}>
          <input class="in" autocomplete="off" autocapitalize="none" spellcheck={false} required minLength={2} maxLength={64} value={account} onInput={(e) => setAccount(e.currentTarget.value)} />
        </Field>
        <Field label={t('accounts.display')}>
          <input class="in" autocomplete="off" required maxLength={200} value={display} onInput={(e) => setDisplay(e.currentTarget.value)} />
        </Field>
        <Field label={t('accounts.agency')}>
          <select class="in" required value={agency} onChange={(e) => setAgency(e.currentTarget.value)}>
            <option value="">{t('export.choose')}</option>
            {agencies.data?.agencies.map((a) => <option value={a.id}>{a.name}</option>)}
          </select>
        </Field>
        <p class="small quiet">{t('accounts.no_role')}</p>
        <div class="row">
          <button class="btn primary" disabled={busy}>{busy ? t('action.wait') : t('accounts.make')}</button>
          <button type="button" class="btn" onClick={onClose}>{t('action.cancel')}</button>
        </div>
      </form>
    </Dialog>
  );
}

function Row({ a, onDo, busy }: { a: Account; onDo: (what: 'lock' | 'unlock' | 'reset', a: Account) => void; busy: boolean }) {
  const manage = mayIn('house', 'accounts.manage');
  return (
    <tr data-row>
      <th scope="row">
        {a.account}
        <div class="small quiet">{a.display}</div>
      </th>
      <td data-label={t('accounts.agency')}>{a.agency}</td>
      <td data-label={t('list.status')}>
        <span class={a.state === 'locked' ? 'badge danger' : a.state === 'fresh' ? 'badge warn' : 'badge'}>{t(`account.state.${a.state}`)}</span>
      </td>
      <td data-label={t('accounts.vaults')}>{a.vaults.length ? a.vaults.map((v) => t(`vault.${v}`)).join(', ') : <span class="faint">{t('accounts.no_vault')}</span>}</td>
      <td data-label={t('accounts.made')} class="nowrap">{formatTime(a.made, look.value.lang)}</td>
      {manage && (
        <td>
          <span class="row">
            <button type="button" class="btn small" disabled={busy} onClick={() => onDo(a.state === 'locked' ? 'unlock' : 'lock', a)}>
              {a.state === 'locked' ? t('accounts.unlock') : t('accounts.lock')}
              <span class="vh"> {a.account}</span>
            </button>
            {a.vaults.length === 0 ? (
              <button type="button" class="btn small" disabled={busy} onClick={() => onDo('reset', a)}>
                {t('accounts.reset')}
                <span class="vh"> {a.account}</span>
              </button>
            ) : (
              <span class="small faint">{t('accounts.reset_by_custodian')}</span>
            )}
          </span>
        </td>
      )}
    </tr>
  );
}

export default function AccountsPage() {
  const { data, error, again } = useLoad((signal) => get<Accounts>('/api/accounts', undefined, { signal }), []);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<NewAccountMade | undefined>();
  const [filter, setFilter] = useState('');
  const act = useAct();
  const manage = mayIn('house', 'accounts.manage');
  useEffect(() => {
    document.title = `${t('nav.accounts')} · Fairway`;
  });
  const onDo = (what: 'lock' | 'unlock' | 'reset', a: Account) =>
    void act.run(async () => {
      const r = await post<Account | NewAccountMade>(`/api/accounts/${a.id}/${what}`);
      if ('password' in r) setMade(r);
      else say(t(`accounts.done.${what}`, { account: a.account }));
      again();
    });
  const f = filter.trim().toLowerCase();
  const shown = data?.accounts.filter((a) => !f || `${a.account} ${a.display} ${a.agency}`.toLowerCase().includes(f)) ?? [];
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{t('nav.accounts')}</h1>
        {data && <span class="sub">{t('accounts.sub', { n: shown.length })} {t('overview.out', { n: data.accounts.length - shown.length })}</span>}
        {manage && (
          <span class="acts">
            <button type="button" class="btn primary" onClick={() => setMaking(true)}>
              <Icon name="plus" />
              {t('accounts.new')}
            </button>
          </span>
        )}
      </div>
      <div class="bar">
        <label class="counted">
          {t('accounts.find')}
          <input class="in" type="search" autocomplete="off" value={filter} onInput={(e) => setFilter(e.currentTarget.value)} />
        </label>
      </div>
      {error || act.error ? (
        <div class="pad">
          <ErrorBox error={error} again={again} />
          <ErrorBox error={act.error} />
        </div>
      ) : null}
      {data && (
        <div class="sheet tablebox" tabIndex={0} role="region" aria-label={t('nav.accounts')}>
          <table class="cards">
            <thead>
              <tr>
                <th scope="col">{t('accounts.account')}</th>
                <th scope="col">{t('accounts.agency')}</th>
                <th scope="col">{t('list.status')}</th>
                <th scope="col">{t('accounts.vaults')}</th>
                <th scope="col">{t('accounts.made')}</th>
                {manage && <th scope="col">{t('accounts.acts')}</th>}
              </tr>
            </thead>
            <tbody>
              {shown.map((a) => (
                <Row key={a.id} a={a} onDo={onDo} busy={act.busy} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {making && (
        <NewAccount
          onClose={() => setMaking(false)}
          onMade={(m) => {
            setMaking(false);
            setMade(m);
            again();
          }}
        />
      )}
      {made && <OncePassword account={made.account} password={made.password} onClose={() => setMade(undefined)} />}
    </>
  );
}
