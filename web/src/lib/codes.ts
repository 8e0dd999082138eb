// SPDX-License-Identifier: AGPL-3.0-or-later
// Codebooks: fetched once for a language; a code without a label is shown as it is.
import { signal } from '@preact/signals';
import type { Codebook, Codebooks, CodeValue } from '../gen/api';
import { get } from './api';
import { alpha2, countryName } from './countries';
import { look } from './i18n';

interface Book {
  version: string;
  values: CodeValue[];
  byCode: Map<string, CodeValue>;
}

const books = signal<{ lang: string; all: Map<string, Book> } | undefined>(undefined);
let asked = '';

function take(lang: string, list: Codebook[]): void {
  const all = new Map<string, Book>();
  for (const b of list) {
    if (b.name === 'country' && lang !== 'en') b.values = b.values.map((v) => ({ ...v, label: countryName(alpha2(v.code), lang) || v.label }));
    all.set(b.name, { version: b.version, values: b.values, byCode: new Map(b.values.map((v) => [v.code, v])) });
  }
  books.value = { lang, all };
}

/* Call while rendering: asks the node when the language has none yet. */
export function useCodebooks(): boolean {
  const lang = look.value.lang;
  const now = books.value;
  if (now?.lang !== lang && asked !== lang) {
    asked = lang;
    get<Codebooks>('/api/report/codebooks', { lang }).then(
      (c) => take(lang, c.codebooks),
      () => (asked = ''), // codes stand for themselves until the node answers
    );
  }
  return now !== undefined;
}

export function label(book: string, code: string | undefined): string {
  if (!code) return '';
  return books.value?.all.get(book)?.byCode.get(code)?.label || code;
}

export function valuesOf(book: string): CodeValue[] {
  return books.value?.all.get(book)?.values ?? [];
}

export function bookVersion(book: string): string {
  return books.value?.all.get(book)?.version ?? '';
}

/* "Sea > Vessels > Fishing": the broader values, broadest first. */
export function pathOf(book: string, code: string): string[] {
  const by = books.value?.all.get(book)?.byCode;
  const out: string[] = [];
  let at = by?.get(code)?.parent;
  while (at && out.length < 6) {
    out.unshift(by?.get(at)?.label ?? at);
    at = by?.get(at)?.parent;
  }
  return out;
}
