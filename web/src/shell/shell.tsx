// SPDX-License-Identifier: AGPL-3.0-or-later
// Top bar, rail, page.  The page's own heading gets the focus when one arrives, so that a screen reader begins there.
import { useEffect, useRef, useState } from 'preact/hooks';
import { offline } from '../lib/api';
import { t } from '../lib/i18n';
import { arrivals, match, path } from '../lib/router';
import { session } from '../lib/session';
import { Icon } from '../ui/icon';
import { Keys } from './keys';
import { Lazy } from './lazy';
import { mayOpen, pages } from './pages';
import { Rail } from './rail';
import { Top } from './top';

function find(p: string) {
  for (const page of pages) {
    const params = match(page.pattern, p);
    if (params) return { page, params };
  }
  return undefined;
}

function NotHere({ why }: { why: 'missing' | 'forbidden' }) {
  return (
    <div class="empty">
      <h1 tabIndex={-1}>{t(`page.${why}`)}</h1>
      <p>{t(`page.${why}.detail`)}</p>
      <a class="btn" href="/">
        {t('page.home')}
      </a>
    </div>
  );
}

/* The page may still be on its way: the region has the focus until its heading is there, unless the reader went on meanwhile. */
function focusHeading(main: HTMLElement): () => void {
  main.focus();
  const old = main.querySelector('h1');
  const take = (): boolean => {
    const h1 = main.querySelector<HTMLElement>('h1');
    if (!h1 || h1 === old) return false;
    if (document.activeElement === main || document.activeElement === document.body) h1.focus();
    return true;
  };
  const watch = new MutationObserver(() => take() && watch.disconnect());
  watch.observe(main, { childList: true, subtree: true });
  const late = setTimeout(() => {
    watch.disconnect();
    if (document.activeElement === main) (old?.isConnected ? old : main).focus();
  }, 5000);
  return () => {
    watch.disconnect();
    clearTimeout(late);
  };
}

export function Shell() {
  const [railOpen, setRailOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const found = find(path.value);
  const name = found ? found.page.name : 'missing';

  useEffect(() => {
    setRailOpen(false);
    if (arrivals.value === 0) return;
    scrollTo(0, 0);
    return main.current ? focusHeading(main.current) : undefined;
  }, [arrivals.value]);

  return (
    <>
      <a class="skip" href="#main" onClick={(e) => (e.preventDefault(), main.current?.focus())}>
        {t('shell.skip')}
      </a>
      {session.value?.exercise && (
        <svg class="exline" preserveAspectRatio="none" aria-hidden="true">
          <path d="M0 1.5H8000" stroke="currentColor" stroke-width="3" stroke-dasharray="12 8" />
        </svg>
      )}
      <div class="shell">
        <Top toggleRail={() => setRailOpen(!railOpen)} railOpen={railOpen} />
        <Rail open={railOpen} />
        <main id="main" tabIndex={-1} ref={main}>
          {offline.value && (
            <div class="banner warn" role="alert">
              <Icon name="cut" />
              <div>
                <b>{t('offline.title')}</b> {t('offline.kept')}
              </div>
            </div>
          )}
          {!found ? (
            <NotHere why="missing" />
          ) : !mayOpen(found.page) ? (
            <NotHere why="forbidden" />
          ) : (
            <Lazy load={found.page.load} params={found.params} name={name} />
          )}
        </main>
      </div>
      <Keys />
    </>
  );
}
