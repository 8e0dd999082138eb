// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * Addresses.  The path names the page, the query holds its filters; both are
 * signals.  A click on a link inside the node changes them without a new load;
 * everything else (another button, a modifier, a download) is the browser's.
 */
import { batch, signal } from '@preact/signals';

export const path = signal(location.pathname);
export const query = signal(new URLSearchParams(location.search));
/* Rises with every step to another page, not with a change of filters: the shell moves the focus then. */
export const arrivals = signal(0);

let guard: (() => boolean) | undefined;

/* Ask before leaving: returns false to stay. */
export function setLeaveGuard(fn: (() => boolean) | undefined): void {
  guard = fn;
}

function read(): void {
  batch(() => {
    const changed = path.value !== location.pathname;
    path.value = location.pathname;
    query.value = new URLSearchParams(location.search);
    if (changed) arrivals.value++;
  });
}

export function navigate(to: string, how: 'push' | 'replace' = 'push'): void {
  const url = new URL(to, location.href);
  if (url.pathname !== location.pathname && guard && !guard()) return;
  if (url.href === location.href) return;
  history[how === 'push' ? 'pushState' : 'replaceState'](null, '', url);
  read();
}

/* Change some of the query, keep the rest; empty and undefined take a name out. */
export function setQuery(changes: Record<string, string | undefined>, how: 'push' | 'replace' = 'push'): void {
  const q = new URLSearchParams(location.search);
  for (const [k, v] of Object.entries(changes)) {
    if (v) q.set(k, v);
    else q.delete(k);
  }
  navigate(withQuery(location.pathname, q), how);
}

/* Commas stay readable in an address. */
export function withQuery(p: string, q: URLSearchParams): string {
  const s = q.toString().replace(/%2C/g, ',').replace(/%3A/g, ':');
  return s ? `${p}?${s}` : p;
}

function onClick(e: MouseEvent): void {
  if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
  const a = (e.target as Element | null)?.closest?.('a[href]') as HTMLAnchorElement | null;
  if (!a || a.target || a.hasAttribute('download') || a.origin !== location.origin) return;
  if (a.pathname.startsWith('/api/') || a.pathname.startsWith('/assets/')) return;
  if (a.hash && a.pathname === location.pathname && a.search === location.search) return;
  e.preventDefault();
  navigate(a.href);
}

export function startRouter(): void {
  addEventListener('popstate', read);
  document.addEventListener('click', onClick);
}

/* "/report/incidents/:id" against a path: the parts, or undefined. */
export function match(pattern: string, p: string): Record<string, string> | undefined {
  const want = pattern.split('/');
  const have = p.replace(/\/+$/, '').split('/');
  if (want.length !== have.length) return undefined;
  const out: Record<string, string> = {};
  for (let i = 0; i < want.length; i++) {
    const w = want[i] ?? '';
    const h = have[i] ?? '';
    if (w.startsWith(':') && /^[\w.-]+$/.test(h)) out[w.slice(1)] = h;
    else if (w !== h) return undefined;
  }
  return out;
}
