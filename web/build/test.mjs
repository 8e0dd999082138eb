// SPDX-License-Identifier: AGPL-3.0-or-later
// Tests of the pages' pure modules: bundled for node, run by node's own test runner.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

if (!existsSync(join(dirname(fileURLToPath(import.meta.url)), '../node_modules/esbuild'))) {
  console.log('The npm packages are not there (tools/build_web fetches them): skipped.');
  process.exit(77);
}
const esbuild = await import('esbuild');
const { generate, web } = await import('./gen.mjs');
const { catalogues } = await import('./messages.mjs');

generate();
const out = mkdtempSync(join(tmpdir(), 'fairway-web-test-'));
try {
  const tests = readdirSync(join(web, 'test')).filter((f) => f.endsWith('.test.ts'));
  await esbuild.build({
    absWorkingDir: web,
    entryPoints: tests.map((f) => join('test', f)),
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node18',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    loader: { '.map': 'file' },
    plugins: [catalogues],
    define: { 'process.env.FAIRWAY_WEB': JSON.stringify(web) },
    logLevel: 'warning',
  });
  const files = readdirSync(out).filter((f) => f.endsWith('.mjs')).map((f) => join(out, f));
  const run = spawnSync(process.execPath, ['--test', ...files], { stdio: 'inherit' });
  process.exitCode = run.status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
