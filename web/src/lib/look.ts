// SPDX-License-Identifier: AGPL-3.0-or-later
// Theme and language of the page: kept in this browser, since neither says anything about a person.

export type Theme = 'system' | 'light' | 'dark' | 'sun';
export type Lang = 'en' | 'ar' | 'th';
export interface Look {
  theme: Theme;
  lang: Lang;
}

export const THEMES: readonly Theme[] = ['system', 'light', 'dark', 'sun'];
export const LANGS: readonly Lang[] = ['en', 'ar', 'th'];
export const LANG_NAMES: Record<Lang, string> = { en: 'English', ar: 'العربية', th: 'ไทย' };
const RIGHT_TO_LEFT: readonly string[] = ['ar', 'fa', 'ur', 'ps', 'he'];

export function isRightToLeft(lang: string): boolean {
  return RIGHT_TO_LEFT.includes(lang.split('-')[0] ?? '');
}

/* The first of the wanted languages that there is a catalogue for. */
export function pickLang(wanted: readonly string[]): Lang {
  for (const w of wanted) {
    const base = w.toLowerCase().split('-')[0];
    const found = LANGS.find((l) => l === base);
    if (found) return found;
  }
  return 'en';
}

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage is forbidden: defaults do
  }
}

export function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    /* forbidden or full: the choice holds for this page only */
  }
}

export function lookAtStart(): Look {
  const theme = THEMES.find((t) => t === stored('fairway.theme')) ?? 'system';
  const lang = LANGS.find((l) => l === stored('fairway.lang')) ?? pickLang(navigator.languages ?? []);
  return { theme, lang };
}

export function concreteTheme(theme: Theme): 'light' | 'dark' | 'sun' {
  if (theme !== 'system') return theme;
  if (matchMedia('(prefers-contrast: more)').matches) return 'sun';
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

export function applyLook(look: Look): void {
  const root = document.documentElement;
  root.dataset.theme = concreteTheme(look.theme);
  root.lang = look.lang;
  root.dir = isRightToLeft(look.lang) ? 'rtl' : 'ltr';
}
