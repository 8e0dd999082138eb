// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * A vault's custodian: who holds which role, acts that wait for a second
 * custodian, resets.  One page for each vault, since nobody is custodian of
 * "the node".
 */
import { useEffect, useState } from 'preact/hooks';
import { roles, type Account, type Accounts, type ActDone, type Grant, type Grants, type PendingAct, type Role, type Vault } from '../gen/api';
import { del, get, post } from '../lib/api';
import { formatTime } from '../lib/format';
import { look, t } from '../lib/i18n';
import { path } from '../lib/router';
import { mayIn, session } from '../lib/session';
import { Dialog } from '../ui/dialog';
import { Field } from '../ui/field';
import { Icon } from '../ui/icon';
import { ErrorBox, say } from '../ui/say';
import { useAct, useLoad } from '../ui/use';
import { OncePassword } from './once';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/* Chosen where one may see accounts, else typed: the name, or the id that the person reads from the own account's page. */
function AccountField({ value, onValue, known }: { value: string; onValue: (id: string) => void; known: Account[] | undefined }) {
  if (known) {
    return (
      <Field label={t('accounts.account')}>
        <select class="in" required value={value} onChange={(e) => onValue(e.currentTarget.value)}>
          <option value="">{t('export.choose')}</option>
          {known.map((a) => <option value={a.id}>{`${a.account} · ${a.display} · ${a.agency}`}</option>)}
        </select>
      </Field>
    );
  }
  return (
    <Field label={t('custody.who')} hint={t('custody.who.hint')}>
      <input class="in ltr" autocomplete="off" autocapitalize="none" spellcheck={false} required maxLength={64} value={value} onInput={(e) => onValue(e.currentTarget.value.trim())} />
    </Field>
  );
}

type Made = (d: ActDone, account: string) => void;

function GrantForm({ vault, known, onDone }: { vault: Vault; known: Account[] | undefined; onDone: Made }) {
  const own = (Object.keys(roles) as Role[]).filter((r) => roles[r].vault === vault);
  const [account, setAccount] = useState('');
  const [role, setRole] = useState('');
  const { busy, error, run } = useAct();
  const submit = (e: Event) => {
    e.preventDefault();
    void run(async () => {
      onDone(await post<ActDone>(`/api/${vault}/grants`, { ...(UUID.test(account) ? { account_id: account } : { account }), role }), '');
      setAccount('');
      setRole('');
    });
  };
  return (
    <form class="stack tight" onSubmit={submit}>
      <h2>{t('custody.give')}</h2>
      <ErrorBox error={error} />
      <div class="cols">
        <AccountField value={account} onValue={setAccount} known={known} />
        <Field label={t('custody.role')}>
          <select class="in" required value={role} onChange={(e) => setRole(e.currentTarget.value)}>
            <option value="">{t('export.choose')}</option>
            {own.map((r) => <option value={r}>{t(`role.${r}`)}</option>)}
          </select>
        </Field>
      </div>
      {vault === 'protection' && <p class="small quiet">{t('custody.two')}</p>}
      <p>
        <button class="btn primary" disabled={busy}>{busy ? t('action.wait') : t('custody.give_it')}</button>
      </p>
    </form>
  );
}

function ResetForm({ vault, grants, onDone }: { vault: Vault; grants: Grant[]; onDone: Made }) {
  const holders = new Map(grants.map((g) => [g.account_id, g.account]));
  const [account, setAccount] = useState('');
  const { busy, error, run } = useAct();
  const submit = (e: Event) => {
    e.preventDefault();
    void run(async () => {
      onDone(await post<ActDone>(`/api/${vault}/resets`, { account_id: account }), holders.get(account) ?? '');
      setAccount('');
    });
  };
  return (
    <form class="stack tight" onSubmit={submit}>
      <h2>{t('custody.reset')}</h2>
      <p class="small quiet">{t('custody.reset.why')}</p>
      <ErrorBox error={error} />
      <div class="cols">
        <Field label={t('accounts.account')}>
          <select class="in" required value={account} onChange={(e) => setAccount(e.currentTarget.value)}>
            <option value="">{t('export.choose')}</option>
            {[...holders].map(([id, name]) => <option value={id}>{name}</option>)}
          </select>
        </Field>
      </div>
      <p>
        <button class="btn" disabled={busy}>{busy ? t('action.wait') : t('custody.reset_it')}</button>
      </p>
    </form>
  );
}

function Pending({ vault, acts, names, onDone, again }: { vault: Vault; acts: PendingAct[]; names: Map<string, string>; onDone: Made; again: () => void }) {
  const { busy, error, run } = useAct();
  const me = session.value?.account_id;
  const name = (id: string) => names.get(id) ?? `${id.slice(0, 8)}…`;
  const agree = (p: PendingAct) => void run(async () => onDone(await post<ActDone>(`/api/${vault}/acts/${p.id}/agree`), name(p.account_id)));
  const refuse = (p: PendingAct) =>
    void run(async () => {
      await post(`/api/${vault}/acts/${p.id}/refuse`);
      say(t('custody.refused'));
      again();
    });
  return (
    <section class="stack tight">
      <h2>{t('custody.pending')}</h2>
      <ErrorBox error={error} />
      <ul class="stack tight">
        {acts.map((p) => (
          <li class="banner warn boxed">
            <Icon name="clock" />
            <div>
              <b>{t(`act.${p.kind}`, { account: name(p.account_id), role: p.role ? t(`role.${p.role}`) : '' })}</b>
              <p class="small">{t('custody.asked', { by: name(p.by), at: formatTime(p.at, look.value.lang) })}</p>
              <p class="row">
                {p.by === me ? (
                  <span class="small">{t('custody.own')}</span>
                ) : (
                  <button type="button" class="btn small primary" disabled={busy} onClick={() => agree(p)}>{t('custody.agree')}</button>
                )}
                <button type="button" class="btn small" disabled={busy} onClick={() => refuse(p)}>{p.by === me ? t('custody.take_back') : t('custody.refuse')}</button>
              </p>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function GrantTable({ grants, onEnd }: { grants: Grant[]; onEnd: (g: Grant) => void }) {
  return (
    <div class="tablebox" tabIndex={0} role="region" aria-label={t('custody.held')}>
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">{t('accounts.account')}</th>
            <th scope="col">{t('custody.role')}</th>
            <th scope="col">{t('custody.since')}</th>
            <th scope="col">{t('accounts.acts')}</th>
          </tr>
        </thead>
        <tbody>
          {grants.map((g) => (
            <tr data-row>
              <th scope="row">{g.account}</th>
              <td data-label={t('custody.role')}>{t(`role.${g.role}`)}</td>
              <td data-label={t('custody.since')} class="nowrap">{formatTime(g.since, look.value.lang)}</td>
              <td>
                <button type="button" class="btn small" onClick={() => onEnd(g)}>
                  {t('custody.end')}
                  <span class="vh"> {g.account}, {t(`role.${g.role}`)}</span>
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export default function CustodyPage() {
  const vault = path.value.split('/')[2] as Vault;
  const { data, error, again } = useLoad((signal) => get<Grants>(`/api/${vault}/grants`, undefined, { signal }), [vault]);
  const seesAccounts = mayIn('house', 'accounts.read');
  const accounts = useLoad((signal) => (seesAccounts ? get<Accounts>('/api/accounts', undefined, { signal }) : Promise.resolve(undefined)), [seesAccounts]);
  const [ending, setEnding] = useState<Grant | undefined>();
  const [secret, setSecret] = useState<{ account: string; password: string } | undefined>();
  const end = useAct();
  const title = t(`nav.custody_${vault}`);
  useEffect(() => {
    document.title = `${title} · Fairway`;
  });
  const names = new Map([...(data?.grants ?? []).map((g): [string, string] => [g.account_id, g.account]), ...(accounts.data?.accounts ?? []).map((a): [string, string] => [a.id, a.account])]);
  const done: Made = (d, account) => {
    if (d.password) setSecret({ account, password: d.password });
    else say(t(d.state === 'pending' ? 'custody.waits' : 'custody.done'));
    again();
  };
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{title}</h1>
        {data && <span class="sub">{t('custody.sub', { n: data.grants.length })}</span>}
      </div>
      <div class="pad">
        <ErrorBox error={error} again={again} />
        {data && data.pending.length > 0 && <Pending vault={vault} acts={data.pending} names={names} onDone={done} again={again} />}
        {data && (
          <section class="stack tight">
            <h2>{t('custody.held')}</h2>
            <GrantTable grants={data.grants} onEnd={setEnding} />
          </section>
        )}
        {data && <GrantForm vault={vault} known={accounts.data?.accounts} onDone={done} />}
        {data && <ResetForm vault={vault} grants={data.grants} onDone={done} />}
      </div>
      {ending && (
        <Dialog
          title={t('custody.end_title')}
          onClose={() => setEnding(undefined)}
          actions={
            <>
              <button type="button" class="btn" onClick={() => setEnding(undefined)}>{t('action.cancel')}</button>
              <button
                type="button"
                class="btn danger"
                disabled={end.busy}
                onClick={() =>
                  void end.run(async () => {
                    done(await del<ActDone>(`/api/${vault}/grants/${ending.id}`), ending.account);
                    setEnding(undefined);
                  })
                }
              >
                {t('custody.end')}
              </button>
            </>
          }
        >
          <ErrorBox error={end.error} />
          <p>{t('custody.end_why', { account: ending.account, role: t(`role.${ending.role}`) })}</p>
        </Dialog>
      )}
      {secret && <OncePassword account={secret.account} password={secret.password} onClose={() => setSecret(undefined)} />}
    </>
  );
}
