// SPDX-License-Identifier: AGPL-3.0-or-later
// What is made before the bundler runs: TypeScript types from the tables, and the world's outlines.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shapesOf } from './shapes.mjs';
import { makeWorld } from './world.mjs';

export const web = join(dirname(fileURLToPath(import.meta.url)), '..');
const gen = join(web, 'src/gen');

function types() {
  const tool = join(web, '../tools/mkts.py');
  const run = spawnSync('python3', [tool, join(gen, 'api.ts')], { stdio: 'inherit' });
  if (run.status !== 0) throw new Error('tools/mkts.py failed');
}

function world(detail, width) {
  const out = join(gen, `world-${detail}.map`);
  const from = join(web, `node_modules/world-atlas/countries-${detail}.json`);
  const codes = join(web, 'data/countries.txt');
  const newest = Math.max(...[from, codes, join(web, 'build/world.mjs')].map((f) => statSync(f).mtimeMs));
  if (existsSync(out) && statSync(out).mtimeMs >= newest) return;
  const made = makeWorld(JSON.parse(readFileSync(from, 'utf8')), readFileSync(codes, 'utf8'), width);
  writeFileSync(out, made);
}

function shapes() {
  const text = readFileSync(join(web, '../src/tbl/shapes.tbl'), 'utf8');
  writeFileSync(join(gen, 'shapes.json'), JSON.stringify(shapesOf(text, ['NewIncident', 'Provenance'])));
}

export function generate() {
  mkdirSync(gen, { recursive: true });
  types();
  shapes();
  world('110m', 8192);
  world('50m', 65536);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) generate();
