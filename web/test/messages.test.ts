// SPDX-License-Identifier: AGPL-3.0-or-later
import './env';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import ar from '../src/messages/ar.txt';
import en from '../src/messages/en.txt';
import th from '../src/messages/th.txt';
import { missing, t } from '../src/lib/i18n';
import { parseCatalogue } from '../build/messages.mjs';

const web = process.env.FAIRWAY_WEB as string;
const plain = (key: string): string => key.replace(/\[\w+\]$/, '');

function sources(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((e) => {
    const path = join(dir, e.name);
    if (e.isDirectory()) return e.name === 'gen' ? [] : sources(path);
    return /\.tsx?$/.test(e.name) ? [path] : [];
  });
}

test('every message that the program names is there in English', () => {
  const lacking: string[] = [];
  for (const file of sources(join(web, 'src'))) {
    if (file.endsWith('i18n.ts')) continue; // its own explanation
    for (const m of readFileSync(file, 'utf8').matchAll(/\btr?\(\s*'([^']+)'/g)) if (!(m[1] as string in en)) lacking.push(`${file}: ${m[1]}`);
  }
  assert.deepEqual(lacking, []);
});

/* What a language must have whole: the way in, the shell, the overview, the words for what is not a number. */
const WHOLE = /^(action|answer|date|state|shell|theme|workspace|nav|page|error|offline|gate|login|factor|password|enrol|relogin|keys|count|figure|kpi|overview|filter|map|legend|band|unit|panel|harm|place|export|purpose|field|list|status)\./;

for (const [lang, own] of [['ar', ar], ['th', th]] as const) {
  test(`${lang}: shell, log-in and overview are whole; the rest falls back to English and is counted`, () => {
    const wanted = [...new Set(Object.keys(en).map(plain))];
    const lacking = wanted.filter((k) => !(k in own));
    assert.deepEqual(lacking.filter((k) => WHOLE.test(k)), []);
    console.log(`# ${lang}: ${wanted.length - lacking.length} of ${wanted.length} messages; ${lacking.length} fall back to English`);
  });
  test(`${lang}: nothing that English lacks, and the same places to fill in`, () => {
    for (const [key, text] of Object.entries(own)) {
      const original = (en as Record<string, string>)[key] ?? (en as Record<string, string>)[plain(key)];
      assert.ok(original, key);
      const holes = (s: string) => [...new Set(s.match(/\{\w+\}/g) ?? [])].sort();
      // A plural may name its number in a word.
      const own2 = holes(text);
      const want = holes(original).filter((h) => !(h === '{n}' && key.includes('[') && !own2.includes(h)));
      assert.deepEqual(own2, want, `${lang} ${key}`);
    }
  });
}

test('a missing message shows its key and is counted', () => {
  assert.equal(t('no.such.message'), 'no.such.message');
  assert.ok(missing.has('no.such.message'));
});

test('plurals and numbers', () => {
  assert.equal(t('count.reports_n', { n: 1 }), '1 report');
  assert.equal(t('count.reports_n', { n: 10120 }), '10\u202f120 reports');
});

test('the form of a catalogue', () => {
  assert.deepEqual(parseCatalogue('# c\na.b = x y\n  z\na.b[one] = w\n\n'), { 'a.b': 'x y z', 'a.b[one]': 'w' });
  assert.throws(() => parseCatalogue('a.b = 1\na.b = 2\n'), /twice/);
  assert.throws(() => parseCatalogue('nonsense\n'), /expected/);
});

test('words: people are never called illegal, and nobody is called a hit', () => {
  for (const [key, text] of Object.entries(en)) assert.doesNotMatch(text, /\billegals?\b|\bhits?\b/i, key);
});
