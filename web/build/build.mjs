// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * Builds web/dist: index.html, /assets/* with content-hash names, and beside
 * each file its .gz and .br, so that the node compresses nothing when serving.
 * Fails when what the first page needs weighs more than the budget.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';
import { generate, web } from './gen.mjs';
import { catalogues } from './messages.mjs';
import { checkBudget } from './budget.mjs';

const dist = join(web, 'dist');
const assets = join(dist, 'assets');

export const bundling = {
  absWorkingDir: web,
  bundle: true,
  format: 'esm',
  target: ['es2020', 'chrome90', 'firefox90', 'safari15'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  loader: { '.map': 'file', '.woff2': 'file', '.svg': 'file' },
  plugins: [catalogues],
  legalComments: 'none',
  logLevel: 'warning',
};

const naming = { minify: true, metafile: true, entryNames: '[name]-[hash]', outdir: assets };

async function bundle() {
  const pages = await esbuild.build({
    ...bundling,
    ...naming,
    entryPoints: { main: 'src/main.tsx' },
    publicPath: '/assets',
    splitting: true,
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
  });
  // Not a module: it must run before the first paint.
  const early = await esbuild.build({ ...bundling, ...naming, format: 'iife', entryPoints: { early: 'src/early.ts' } });
  return { outputs: { ...pages.metafile.outputs, ...early.metafile.outputs } };
}

function outputOf(meta, entry, ext) {
  const found = Object.entries(meta.outputs).find(([name, o]) => o.entryPoint === entry && name.endsWith(ext));
  if (!found) throw new Error(`${entry} made no ${ext}`);
  return found;
}

const address = (output) => output.replace(/^dist/, '');

/* The icon is copied by hand: nothing in the program names it. */
function icon() {
  const bytes = readFileSync(join(web, 'src/icon.svg'));
  const name = `icon-${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}.svg`;
  writeFileSync(join(assets, name), bytes);
  return `/assets/${name}`;
}

function index(meta) {
  const [main, info] = outputOf(meta, 'src/main.tsx', '.js');
  const [early] = outputOf(meta, 'src/early.ts', '.js');
  const fonts = Object.keys(meta.outputs).filter((o) => /noto-sans-latin-(400|600)-normal/.test(o));
  const html = readFileSync(join(web, 'src/index.html'), 'utf8');
  const fill = {
    icon: icon(),
    early: address(early),
    style: address(info.cssBundle),
    main: address(main),
    fonts: fonts.map((f) => `<link rel="preload" as="font" type="font/woff2" crossorigin href="${address(f)}">`).join('\n'),
  };
  writeFileSync(join(dist, 'index.html'), html.replace(/\{(\w+)\}/g, (all, key) => fill[key] ?? all));
}

function compress(folder) {
  for (const e of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, e.name);
    if (e.isDirectory()) compress(path);
    else if (!/\.(woff2|gz|br)$/.test(e.name)) {
      const bytes = readFileSync(path);
      writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
      writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
    }
  }
}

generate();
rmSync(dist, { recursive: true, force: true });
mkdirSync(assets, { recursive: true });
const metafile = await bundle();
index(metafile);
compress(dist);
process.exitCode = checkBudget(metafile, dist) ? 0 : 1;
