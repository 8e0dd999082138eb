// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * Messages.  t('key', {n: 5}) gives a string; tr('key', {b: <b>5</b>}) gives
 * pieces that hold nodes.  A key that the language lacks falls back to English
 * and is counted (missing).  {n} chooses the plural and is grouped as the
 * language groups; other numbers are grouped too.
 */
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import english from '../messages/en.txt';
import { formatNumber } from './format';
import { applyLook, lookAtStart, store, type Lang, type Look, type Theme } from './look';

type Catalogue = Record<string, string>;
export type Params = Record<string, string | number>;

const catalogues: Partial<Record<Lang, Catalogue>> = { en: english };
export const look = signal<Look>(lookAtStart());
/* Keys asked for and not found in the present language, each counted once. */
export const missing = new Set<string>();

async function load(lang: Lang): Promise<void> {
  if (catalogues[lang]) return;
  if (lang === 'ar') catalogues.ar = (await import('../messages/ar.txt')).default;
  if (lang === 'th') catalogues.th = (await import('../messages/th.txt')).default;
}

export async function startMessages(): Promise<void> {
  await load(look.value.lang).catch(() => undefined); // no line to the node: English is here already
  applyLook(look.value);
}

export async function setLang(lang: Lang): Promise<void> {
  await load(lang);
  store('fairway.lang', lang);
  missing.clear();
  look.value = { ...look.value, lang };
  applyLook(look.value);
}

export function setTheme(theme: Theme): void {
  store('fairway.theme', theme);
  look.value = { ...look.value, theme };
  applyLook(look.value);
}

function lookUp(lang: Lang, key: string, n: number | undefined): string | undefined {
  const c = catalogues[lang];
  if (!c) return undefined;
  if (n !== undefined) {
    const one = c[`${key}[${new Intl.PluralRules(lang).select(n)}]`];
    if (one !== undefined) return one;
  }
  return c[key];
}

function template(key: string, n: number | undefined): string {
  const lang = look.value.lang;
  const own = lookUp(lang, key, n);
  if (own !== undefined) return own;
  missing.add(key);
  return lookUp('en', key, n) ?? key;
}

export function hasMessage(key: string): boolean {
  return key in english;
}

export function t(key: string, params: Params = {}): string {
  const n = typeof params.n === 'number' ? params.n : undefined;
  return template(key, n).replace(/\{(\w+)\}/g, (all, name: string) => {
    const v = params[name];
    if (v === undefined) return all;
    return typeof v === 'number' ? formatNumber(v, look.value.lang) : v;
  });
}

export function tr(key: string, params: Record<string, ComponentChildren>, n?: number): ComponentChildren[] {
  return template(key, n)
    .split(/(\{\w+\})/)
    .map((piece) => {
      const m = /^\{(\w+)\}$/.exec(piece);
      return m && m[1] !== undefined && m[1] in params ? params[m[1]] : piece;
    });
}
