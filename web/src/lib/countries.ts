// SPDX-License-Identifier: AGPL-3.0-or-later
// ISO 3166 alpha-3, which records carry, to alpha-2, which names and outlines carry.
import { localeTag } from './format';
import pairs from '../../data/countries.txt?pairs';

const byThree = new Map<string, string>();
for (let i = 0; i < pairs.length; i += 5) byThree.set(pairs.slice(i + 2, i + 5), pairs.slice(i, i + 2));

export const alpha2 = (alpha3: string): string => byThree.get(alpha3) ?? alpha3;

const namers = new Map<string, Intl.DisplayNames>();

/* In the reader's language, as the browser knows it, by alpha-2; "" if it does not. */
export function countryName(code: string, lang: string): string {
  if (!/^[A-Z]{2}$/.test(code)) return '';
  let n = namers.get(lang);
  if (!n) namers.set(lang, (n = new Intl.DisplayNames([localeTag(lang)], { type: 'region', style: 'short', fallback: 'none' })));
  return n.of(code) ?? '';
}
