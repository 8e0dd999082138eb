// SPDX-License-Identifier: AGPL-3.0-or-later
// The mock's codebooks: those of data/codebooks, read as far as labels, parents and notes.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), '../../data/codebooks');

function parse(text, books) {
  let book;
  let value;
  for (const line of text.split('\n')) {
    const m = /^(\s*)(\w+) ?(.*)$/.exec(line);
    if (!m || line.startsWith('#')) continue;
    const [, indent, key, rest] = m;
    if (!indent && key === 'codebook') books.push((book = { name: rest, version: '', values: [] }));
    else if (!indent && key === 'version' && book) book.version = rest;
    else if (!indent && key === 'value' && book) book.values.push((value = { code: rest, labels: {} }));
    else if (indent && value) {
      if (['en', 'ar', 'th'].includes(key)) value.labels[key] = rest;
      else if (key === 'parent' || key === 'note') value[key] = rest;
    }
  }
}

const books = [];
if (existsSync(folder)) for (const f of readdirSync(folder).sort()) if (f.endsWith('.txt')) parse(readFileSync(join(folder, f), 'utf8'), books);

export const booksOf = (lang) =>
  books.map((b) => ({ name: b.name, version: b.version, values: b.values.map(({ labels, ...v }) => ({ ...v, label: labels[lang] ?? labels.en ?? v.code })) }));
