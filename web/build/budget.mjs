// SPDX-License-Identifier: AGPL-3.0-or-later
// What the first page weighs: everything that loads before the overview stands with its map, Latin letters included.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const BUDGET = 150_000;
const FIRST_PAGES = ['src/main.tsx', 'src/pages/login.tsx', 'src/report/overview.tsx'];

function closure(meta, entries) {
  const seen = new Set();
  const visit = (name) => {
    if (seen.has(name)) return;
    seen.add(name);
    const o = meta.outputs[name];
    if (o.cssBundle) seen.add(o.cssBundle);
    for (const i of o.imports) if (i.kind === 'import-statement') visit(i.path);
  };
  for (const [name, o] of Object.entries(meta.outputs)) if (entries.includes(o.entryPoint)) visit(name);
  return seen;
}

export function checkBudget(meta, dist) {
  const names = closure(meta, [...FIRST_PAGES, 'src/early.ts']);
  for (const name of Object.keys(meta.outputs)) {
    if (/noto-sans-latin-(400|600)-normal|world-110m/.test(name)) names.add(name);
  }
  const files = [join(dist, 'index.html'), ...[...names].map((n) => join(dist, n.replace(/^dist\//, '')))];
  let gz = 0;
  let br = 0;
  const rows = files.map((file) => {
    const size = (suffix) => {
      try {
        return statSync(file + suffix).size;
      } catch {
        return readFileSync(file).length;
      }
    };
    const row = { file: file.slice(dist.length + 1), gz: size('.gz'), br: size('.br') };
    gz += row.gz;
    br += row.br;
    return row;
  });
  if (process.env.FAIRWAY_SIZES) for (const r of rows.sort((a, b) => b.gz - a.gz)) console.log(String(r.gz).padStart(7), String(r.br).padStart(7), r.file);
  console.log(`first page: ${(gz / 1000).toFixed(1)} kB with gzip, ${(br / 1000).toFixed(1)} kB with brotli, of ${BUDGET / 1000} kB`);
  writeFileSync(join(dist, '.first-page.json'), `${JSON.stringify({ gzip_bytes: gz, brotli_bytes: br })}\n`); // for bench/node
  if (gz > BUDGET) console.error('The first page is too heavy: load more of it later, or take something out.');
  return gz <= BUDGET;
}
