// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * Search within the open vault.  It finds what the page already knows: routes,
 * countries, causes, means, pages, and a report by its id.  What is typed goes
 * neither into an address nor to the node, since somebody will type a name.
 */
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { label, pathOf, useCodebooks, valuesOf } from '../lib/codes';
import { t } from '../lib/i18n';
import { navigate } from '../lib/router';
import { Icon } from '../ui/icon';
import { search as searchBook, matches } from '../ui/picker';
import { mayOpen, pages } from './pages';

interface Found {
  kind: string;
  text: string;
  more: string;
  href: string;
}

const BOOKS = ['route', 'country', 'cause', 'means'] as const;
const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

export function find(typed: string): Found[] {
  const text = typed.trim();
  if (!text) return [];
  if (UUID.test(text)) {
    const id = text.replace(/-/g, '').toLowerCase().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    return [{ kind: t('nav.incident'), text: id, more: '', href: `/report/incidents/${id}` }];
  }
  const out: Found[] = [];
  for (const book of BOOKS) {
    if (!valuesOf(book).length) continue;
    for (const v of searchBook(book, text).slice(0, 6)) {
      out.push({ kind: t(`panel.${book}`), text: label(book, v.code), more: pathOf(book, v.code).join(' › '), href: `/report?${book}=${v.code}` });
    }
  }
  const words = text.toLowerCase().split(/\s+/);
  for (const p of pages) {
    const name = t(`nav.${p.name}`);
    if (p.workspace && mayOpen(p) && matches(words, name)) out.push({ kind: t(`workspace.${p.workspace}`), text: name, more: '', href: p.pattern });
  }
  return out.slice(0, 14);
}

export function Search({ open, close }: { open: boolean; close: () => void }) {
  useCodebooks();
  const list = useId();
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  useEffect(() => {
    if (open) input.current?.focus();
  }, [open]);
  const found = find(typed);
  const go = (f: Found | undefined) => {
    if (!f) return;
    setTyped('');
    close();
    input.current?.blur();
    navigate(f.href);
  };
  const onKey = (e: KeyboardEvent) => {
    if (e.key === 'ArrowDown') setAt(Math.min(found.length - 1, at + 1));
    else if (e.key === 'ArrowUp') setAt(Math.max(0, at - 1));
    else if (e.key === 'Enter') go(found[at]);
    else if (e.key === 'Escape') {
      setTyped('');
      close();
      input.current?.blur();
    } else return;
    e.preventDefault();
  };
  const shown = typed.trim() !== '';
  return (
    <div class={open ? 'search open' : 'search'} role="search">
      <Icon name="search" />
      <input
        ref={input}
        id="search"
        type="text"
        role="combobox"
        maxLength={200}
        autocomplete="off"
        spellcheck={false}
        aria-label={t('shell.search')}
        placeholder={t('shell.search')}
        aria-expanded={shown}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={found[at] ? `${list}-${at}` : undefined}
        value={typed}
        onInput={(e) => (setTyped(e.currentTarget.value), setAt(0))}
        onKeyDown={onKey}
        onBlur={() => (setTyped(''), close())}
      />
      <kbd aria-hidden="true">/</kbd>
      <ul class="found" id={list} role="listbox" aria-label={t('shell.search.results')} hidden={!shown}>
        {found.map((f, i) => (
          <li
            key={f.href}
            id={`${list}-${i}`}
            role="option"
            aria-selected={i === at}
            onPointerDown={(e) => {
              e.preventDefault();
              go(f);
            }}
          >
            <span>{f.text}</span>
            <span class="up">{f.more || f.kind}</span>
          </li>
        ))}
        {found.length === 0 && (
          <li role="option" aria-disabled="true" aria-selected="false">
            <span class="small quiet">{t('shell.search.none')}</span>
          </li>
        )}
      </ul>
    </div>
  );
}
