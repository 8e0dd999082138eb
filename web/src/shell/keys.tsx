// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * Keys that work on every page: "/" searches, "?" shows this list, j/k/Enter
 * walk a list (its rows carry data-row, the link to open data-open), g then a
 * letter goes to a page.  None acts while something is being typed.
 */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { t } from '../lib/i18n';
import { navigate } from '../lib/router';
import { Dialog } from '../ui/dialog';
import { mayOpen, pages } from './pages';

export const helpOpen = signal(false);

const GO: Record<string, string> = { o: 'overview', l: 'list', n: 'form', i: 'imports' };

const typing = (el: Element | null): boolean => !!el?.closest('input, textarea, select, [contenteditable="true"]');

function moveRow(step: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')];
  if (!rows.length) return;
  const at = rows.findIndex((r) => r.classList.contains('here'));
  const to = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + step))];
  rows.forEach((r) => r.classList.toggle('here', r === to));
  to?.querySelector<HTMLElement>('[data-open]')?.focus({ preventScroll: true });
  to?.scrollIntoView({ block: 'nearest' });
}

let goPressed = 0;

function onKey(e: KeyboardEvent): void {
  if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || document.querySelector('dialog[open]')) return;
  if (typing(document.activeElement)) return;
  const go = GO[e.key];
  if (goPressed && Date.now() - goPressed < 1500 && go) {
    const page = pages.find((p) => p.name === go);
    goPressed = 0;
    if (page && mayOpen(page)) navigate(page.pattern);
    return;
  }
  goPressed = e.key === 'g' ? Date.now() : 0;
  if (e.key === '/') {
    const box = document.getElementById('search');
    if (!box) return;
    e.preventDefault();
    box.focus();
  } else if (e.key === '?') helpOpen.value = true;
  else if (e.key === 'j') moveRow(1);
  else if (e.key === 'k') moveRow(-1);
}

const LINES: [string[], string][] = [
  [['/'], 'keys.search'],
  [['j', 'k'], 'keys.rows'],
  [['Enter'], 'keys.open'],
  [['g', 'o'], 'keys.overview'],
  [['g', 'l'], 'keys.list'],
  [['g', 'n'], 'keys.form'],
  [['g', 'i'], 'keys.imports'],
  [['+', '−', '0'], 'keys.zoom'],
  [['←', '→', '↑', '↓'], 'keys.move'],
  [['Esc'], 'keys.close'],
  [['?'], 'keys.help'],
];

export function Keys() {
  useEffect(() => {
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  if (!helpOpen.value) return null;
  return (
    <Dialog title={t('keys.title')} onClose={() => (helpOpen.value = false)}>
      <dl class="keys">
        {LINES.map(([keys, words]) => (
          <>
            <dt>
              {keys.map((k) => (
                <>
                  <kbd>{k}</kbd>{' '}
                </>
              ))}
            </dt>
            <dd>{t(words)}</dd>
          </>
        ))}
      </dl>
    </Dialog>
  );
}
