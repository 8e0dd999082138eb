// SPDX-License-Identifier: AGPL-3.0-or-later
// The forms of log-in, used by the log-in page, the second log-in over a page, and one's own account.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { FactorConfirmed, FactorEnrol } from '../gen/api';
import { post } from '../lib/api';
import { t } from '../lib/i18n';
import { changePassword, giveFactor, logIn } from '../lib/session';
import { Field, Password } from '../ui/field';
import { ErrorBox } from '../ui/say';
import { useAct } from '../ui/use';

export function LoginForm({ account: known }: { account?: string }) {
  const [account, setAccount] = useState(known ?? '');
  const [password, setPassword] = useState('');
  const first = useRef<HTMLInputElement>(null);
  const { busy, error, run } = useAct();
  useEffect(() => {
    if (!known) first.current?.focus();
  }, []);
  const submit = (e: Event) => {
    e.preventDefault();
    void run(() => logIn(account.trim(), password));
  };
  return (
    <form onSubmit={submit}>
      <ErrorBox error={error} on={{ 401: 'login.wrong' }} />
      <Field label={t('login.account')}>
        <input
          ref={first}
          class="in"
          name="account"
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          required
          maxLength={64}
          readOnly={known !== undefined}
          value={account}
          onInput={(e) => setAccount(e.currentTarget.value)}
        />
      </Field>
      <Field label={t('login.password')}>
        <Password value={password} onValue={setPassword} autocomplete="current-password" />
      </Field>
      <button class="btn primary" disabled={busy}>
        {busy ? t('action.wait') : t('login.go')}
      </button>
      <p class="small quiet">{t('login.forgotten')}</p>
    </form>
  );
}

export function FactorForm() {
  const [code, setCode] = useState('');
  const [recovery, setRecovery] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const { busy, error, run, clear } = useAct();
  useEffect(() => input.current?.focus(), [recovery]);
  const submit = (e: Event) => {
    e.preventDefault();
    void run(() => giveFactor(code.replace(/\s+/g, ''))).then((ok) => {
      if (!ok) input.current?.select();
    });
  };
  return (
    <form onSubmit={submit}>
      <ErrorBox error={error} on={{ 401: 'factor.wrong' }} />
      <Field label={recovery ? t('factor.recovery') : t('factor.code')} hint={recovery ? t('factor.recovery.hint') : t('factor.code.hint')}>
        <input
          ref={input}
          class={recovery ? 'in mono' : 'in code'}
          autocomplete="one-time-code"
          inputMode={recovery ? 'text' : 'numeric'}
          required
          minLength={6}
          maxLength={32}
          value={code}
          onInput={(e) => setCode(e.currentTarget.value)}
        />
      </Field>
      <button class="btn primary" disabled={busy}>
        {busy ? t('action.wait') : t('factor.go')}
      </button>
      <p>
        <button type="button" class="btn bare small" onClick={() => (setRecovery(!recovery), setCode(''), clear())}>
          {recovery ? t('factor.use_code') : t('factor.use_recovery')}
        </button>
      </p>
    </form>
  );
}

export const SHORTEST = 12;

export function PasswordForm({ forced, done }: { forced?: boolean; done?: () => void }) {
  const [old, setOld] = useState('');
  const [fresh, setFresh] = useState('');
  const [again, setAgain] = useState('');
  const [tried, setTried] = useState(false);
  const { busy, error, run } = useAct();
  const short = [...fresh].length < SHORTEST ? t('password.short', { n: SHORTEST }) : '';
  const same = fresh !== '' && fresh === old ? t('password.same') : '';
  const differs = again !== fresh ? t('password.differs') : '';
  const submit = (e: Event) => {
    e.preventDefault();
    setTried(true);
    if (short || same || differs) return;
    void run(() => changePassword(old, fresh)).then((ok) => ok && done?.());
  };
  return (
    <form onSubmit={submit} class="stack">
      {forced && <p class="prose">{t('password.why')}</p>}
      <ErrorBox error={error} />
      <Field label={forced ? t('password.given') : t('password.old')}>
        <Password value={old} onValue={setOld} autocomplete="current-password" />
      </Field>
      <Field label={t('password.new')} hint={t('password.hint', { n: SHORTEST })} error={tried ? short || same : ''}>
        <Password value={fresh} onValue={setFresh} autocomplete="new-password" />
      </Field>
      <Field label={t('password.again')} error={tried ? differs : ''}>
        <Password value={again} onValue={setAgain} autocomplete="new-password" />
      </Field>
      <button class="btn primary" disabled={busy}>
        {busy ? t('action.wait') : t('password.go')}
      </button>
    </form>
  );
}

function Codes({ codes, done }: { codes: string[]; done: () => void }) {
  const [kept, setKept] = useState(false);
  return (
    <div class="box stack">
      <p>{t('enrol.codes.why')}</p>
      <ul class="codes ltr">
        {codes.map((c) => (
          <li>{c}</li>
        ))}
      </ul>
      <label class="opt">
        <input type="checkbox" checked={kept} onChange={(e) => setKept(e.currentTarget.checked)} />
        {t('enrol.codes.kept')}
      </label>
      <button type="button" class="btn primary" disabled={!kept} onClick={done}>
        {t('enrol.done')}
      </button>
    </div>
  );
}

export function Enrol({ forced, done }: { forced?: boolean; done: () => void }) {
  const [begun, setBegun] = useState<FactorEnrol>();
  const [codes, setCodes] = useState<string[]>();
  const [code, setCode] = useState('');
  const begin = useAct();
  const confirm = useAct();
  const start = () => void begin.run(async () => setBegun(await post<FactorEnrol>('/api/account/factor', undefined, { asIs: true })));
  useEffect(start, []);
  const submit = (e: Event) => {
    e.preventDefault();
    void confirm.run(async () => {
      const made = await post<FactorConfirmed>('/api/account/factor/confirm', { code: code.replace(/\s+/g, '') }, { asIs: true });
      setCodes(made.recovery_codes);
    });
  };
  if (codes) return <Codes codes={codes} done={done} />;
  if (!begun) return begin.error ? <ErrorBox error={begin.error} again={start} /> : <p class="quiet">{t('action.wait')}</p>;
  const side = begun.size + 8;
  return (
    <form onSubmit={submit} class="stack">
      {forced && <p class="prose">{t('enrol.why')}</p>}
      <p>{t('enrol.scan')}</p>
      <svg class="qr" viewBox={`-4 -4 ${side} ${side}`} role="img" aria-label={t('enrol.qr')} shape-rendering="crispEdges">
        <path d={begun.qr} />
      </svg>
      <details>
        <summary>{t('enrol.type')}</summary>
        <p class="once ltr">{begun.secret.replace(/(.{4})/g, '$1 ').trim()}</p>
      </details>
      {confirm.error ? <ErrorBox error={confirm.error} /> : null}
      <Field label={t('factor.code')} hint={t('enrol.code.hint')}>
        <input class="in code" inputMode="numeric" autocomplete="one-time-code" required minLength={6} maxLength={8} value={code} onInput={(e) => setCode(e.currentTarget.value)} />
      </Field>
      <button class="btn primary" disabled={confirm.busy}>
        {confirm.busy ? t('action.wait') : t('enrol.go')}
      </button>
    </form>
  );
}
