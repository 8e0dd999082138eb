// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * Message catalogues: src/messages/LANG.txt, lines "key = text".
 *
 *   # comment
 *   list.count = {n} reports
 *   list.count[one] = {n} report
 *
 * KEY[CATEGORY] holds the wording for a plural category of the language
 * (zero, one, two, few, many); plain KEY is "other".  A line that begins with
 * white space goes on with the text before it.  import x from 'x.txt' gives
 * an object of strings.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export function parseCatalogue(text, file = 'catalogue') {
  const out = {};
  let last;
  text.split('\n').forEach((line, at) => {
    if (/^\s*(#|$)/.test(line)) return;
    if (/^\s/.test(line) && last) {
      out[last] += ' ' + line.trim();
      return;
    }
    const m = /^([a-z0-9_.]+(?:\[(?:zero|one|two|few|many)\])?)\s*=\s*(.*?)\s*$/.exec(line);
    if (!m) throw new Error(`${file}:${at + 1}: expected "key = text"`);
    if (m[1] in out) throw new Error(`${file}:${at + 1}: ${m[1]} is there twice`);
    last = m[1];
    out[last] = m[2];
  });
  return out;
}

export const catalogues = {
  name: 'catalogues',
  setup(build) {
    build.onLoad({ filter: /src\/messages\/\w+\.txt$/ }, (args) => ({
      contents: JSON.stringify(parseCatalogue(readFileSync(args.path, 'utf8'), args.path)),
      loader: 'json',
    }));
    // data/countries.txt as one string of pairs, AFAFGALALB...: five letters a country.
    build.onResolve({ filter: /countries\.txt\?pairs$/ }, (args) => ({ path: join(args.resolveDir, args.path.replace('?pairs', '')), namespace: 'pairs' }));
    build.onLoad({ filter: /.*/, namespace: 'pairs' }, (args) => {
      const rows = readFileSync(args.path, 'utf8').split('\n').map((line) => line.split(' '));
      const pairs = rows.filter((r) => /^\d{3}$/.test(r[0])).map((r) => r[1] + r[2]);
      return { contents: `export default ${JSON.stringify(pairs.join(''))}`, loader: 'js' };
    });
  },
};
