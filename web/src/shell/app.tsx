// SPDX-License-Identifier: AGPL-3.0-or-later
// The whole: log-in while nobody is logged in, else shell and page; over both, a second log-in when a session ended.
import { useEffect, useState } from 'preact/hooks';
import { offline, sessionEnded } from '../lib/api';
import { look, t } from '../lib/i18n';
import { applyLook } from '../lib/look';
import { navigate, path } from '../lib/router';
import { session, startSession } from '../lib/session';
import { Textures } from '../ui/icon';
import { Voice } from '../ui/say';
import { Lazy } from './lazy';
import { homeOf } from './pages';
import { Shell } from './shell';

const loadLogin = () => import('../pages/login');

function NoNode() {
  const [busy, setBusy] = useState(false);
  const again = () => {
    setBusy(true);
    void startSession()
      .catch(() => undefined)
      .finally(() => setBusy(false));
  };
  return (
    <main class="empty">
      <h1>{t('offline.title')}</h1>
      <p>{t('offline.start')}</p>
      <button type="button" class="btn primary" disabled={busy} onClick={again}>
        {t('action.again')}
      </button>
    </main>
  );
}

export function App() {
  const s = session.value;
  // Language and theme of the system may change while the page is open.
  useEffect(() => {
    const follow = () => applyLook(look.value);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', follow);
    return () => dark.removeEventListener('change', follow);
  }, []);
  useEffect(() => {
    if (s?.state === 'open' && path.value === '/') navigate(homeOf(), 'replace');
  }, [s?.state, path.value]);

  return (
    <>
      <Textures />
      <Voice />
      {s === undefined ? offline.value ? <NoNode /> : null : s?.state === 'open' ? <Shell /> : <Lazy load={loadLogin} params={{}} />}
      {sessionEnded.value && s?.state === 'open' && <Lazy load={() => import('../pages/relogin')} params={{}} />}
    </>
  );
}
