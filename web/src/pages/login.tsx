// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * The way in: account and password, then whatever the session still owes - a
 * second factor, a new password, the enrolment of a factor - until it is open.
 * A refused answer empties nothing but the code that was refused.
 */
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../lib/i18n';
import { navigate, path } from '../lib/router';
import { logOut, readAgain, session } from '../lib/session';
import { Brand } from '../ui/icon';
import { Exercise, Language, ThemeChoice } from '../shell/top';
import { Enrol, FactorForm, LoginForm, PasswordForm } from './gates';

function Step() {
  const s = session.value;
  if (!s) return <LoginForm />;
  if (s.state === 'second_factor') return <FactorForm />;
  if (s.state === 'change_password') return <PasswordForm forced />;
  if (s.state === 'enrol') return <Enrol forced done={() => void readAgain()} />;
  return null;
}

export default function Login() {
  const s = session.value;
  const heading = useRef<HTMLHeadingElement>(null);
  const state = s?.state ?? 'login';
  useEffect(() => {
    if (state !== 'login') heading.current?.focus();
  }, [state]);
  useEffect(() => {
    document.title = `${t(`gate.${state}`)} · Fairway`;
  });
  return (
    <div class="gate">
      <aside class="who" aria-label="Fairway">
        <span class="brand">
          <Brand />
          <span>Fairway</span>
        </span>
        <p class="words">
          <b>{t('gate.words.title')}</b>
          {t('gate.words')}
        </p>
        {s?.exercise && (
          <p>
            <Exercise />
          </p>
        )}
        <small class="long">{t('gate.small')}</small>
      </aside>
      <main>
        <div class="tools">
          <Language />
          <ThemeChoice />
        </div>
        <h1 ref={heading} tabIndex={-1}>
          {t(`gate.${state}`)}
        </h1>
        <Step />
        {s && (
          <p class="small quiet">
            {t('gate.as', { account: s.account })}{' '}
            <button
              type="button"
              class="btn bare small"
              onClick={() => {
                if (path.value !== '/') navigate('/', 'replace');
                void logOut();
              }}
            >
              {t('gate.other')}
            </button>
          </p>
        )}
      </main>
    </div>
  );
}
