// SPDX-License-Identifier: AGPL-3.0-or-later
// The top bar: search within the open vault, the exercise mark, node and State, language, theme, account.
import { useState } from 'preact/hooks';
import { look, setLang, setTheme, t } from '../lib/i18n';
import { LANGS, LANG_NAMES, THEMES } from '../lib/look';
import { path } from '../lib/router';
import { logOut, mayIn, session } from '../lib/session';
import { Brand, Icon } from '../ui/icon';
import { Menu } from '../ui/menu';
import { say, errorWords } from '../ui/say';
import { Search } from './search';

export function Language() {
  const now = look.value.lang;
  return (
    <Menu label={`${t('shell.language')}: ${LANG_NAMES[now]}`} items={LANGS.map((l) => ({ label: LANG_NAMES[l], lang: l, checked: l === now, act: () => void setLang(l) }))}>
      <Icon name="globe" />
      <span class="langname">{LANG_NAMES[now]}</span>
    </Menu>
  );
}

export function ThemeChoice() {
  const now = look.value.theme;
  return (
    <Menu label={t('shell.theme')} items={THEMES.map((x) => ({ label: t(`theme.${x}`), checked: x === now, act: () => setTheme(x) }))}>
      <Icon name="theme" />
    </Menu>
  );
}

export function Exercise() {
  return (
    <span class="exercise">
      <Icon name="info" />
      {t('shell.exercise')}
      <span class="long">{t('shell.exercise.long')}</span>
    </span>
  );
}

/* Only where there is something to find: search stays within the vault whose page is open. */
function searchable(p: string): boolean {
  return p.startsWith('/report') && mayIn('strategic', 'report.read');
}

function Account() {
  const s = session.value;
  if (!s) return null;
  const initials = (s.display || s.account).split(/\s+/).map((w) => w[0] ?? '').join('').slice(0, 2).toUpperCase();
  const leave = () => void logOut().catch((e: unknown) => say(errorWords(e).title));
  return (
    <Menu
      label={t('shell.account', { name: s.display || s.account })}
      items={[
        { note: <><b>{s.display || s.account}</b><br />{s.account} · {s.agency}</> },
        { label: <><Icon name="user" />{t('nav.account')}</>, href: '/account' },
        { label: <><Icon name="leave" turns />{t('shell.logout')}</>, act: leave },
      ]}
    >
      <span class="avatar" data-initials={initials} />
    </Menu>
  );
}

export function Top({ toggleRail, railOpen }: { toggleRail: () => void; railOpen: boolean }) {
  const s = session.value;
  const [searching, setSearching] = useState(false);
  const search = searchable(path.value);
  return (
    <header class="top">
      <button type="button" class="tool navtoggle" aria-expanded={railOpen} aria-controls="rail" aria-label={t('shell.workspaces')} onClick={toggleRail}>
        <Icon name="menu" />
      </button>
      <a class="brand" href="/" aria-label={t('shell.home')}>
        <Brand />
        <span>Fairway</span>
      </a>
      {search && <Search open={searching} close={() => setSearching(false)} />}
      <span class="grow" />
      {s?.exercise && <Exercise />}
      {s && (
        <span class="node">
          <b>{s.node_name}</b>
          <span>{[s.node_state, s.agency].filter(Boolean).join(', ')}</span>
        </span>
      )}
      <span class="tools">
        {search && (
          <button type="button" class="tool navtoggle" aria-label={t('shell.search')} onClick={() => setSearching(true)}>
            <Icon name="search" />
          </button>
        )}
        <Language />
        <ThemeChoice />
        <Account />
      </span>
    </header>
  );
}
