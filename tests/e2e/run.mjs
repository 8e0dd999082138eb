// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * Browser tests.  run.mjs [--base URL] [--only TEXT] [--skip FILE]
 *
 * Without --base a mock node (web/dev/mock.mjs) is started and everything
 * runs; with it the scenarios run that a real exercise node can answer, with
 * its own accounts.  Prints TAP; screenshots go to tests/e2e/artefacts.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startMock } from '../../web/dev/mock.mjs';
import { launch } from './lib.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const arg = (name) => {
  const i = process.argv.indexOf(name);
  return i > 0 ? process.argv[i + 1] : undefined;
};
const FILES = ['gate', 'pages', 'overview', 'keyboard', 'list', 'incident', 'form', 'imports', 'custody', 'states'];

function skipAll(why) {
  console.log(`1..0 # SKIP ${why}`);
  process.exit(0);
}

if (!existsSync(join(here, '../../web/dist/index.html'))) skipAll('the pages are not built: tools/build_web');
if (!existsSync(process.env.CHROMIUM ?? '/usr/bin/chromium')) skipAll('no Chromium on this machine: apt install chromium');

const only = arg('--only');
const skip = arg('--skip');
const base = arg('--base');
const mock = base ? undefined : await startMock({ incidents: 3000, quiet: true });
const node = { base: base ?? mock.base, mock };
const browser = await launch();
let failed = 0;
let n = 0;
try {
  for (const file of FILES.filter((f) => f !== skip)) {
    const { scenarios } = await import(`./${file}.mjs`);
    for (const [name, fn, needs = ''] of scenarios) {
      const full = `${file}: ${name}`;
      if (only && !full.includes(only)) continue;
      n++;
      if (base && needs === 'mock') {
        console.log(`ok ${n} - ${full} # SKIP needs the mock node`);
        continue;
      }
      const begin = Date.now();
      try {
        await fn({ browser, ...node });
        console.log(`ok ${n} - ${full} # ${((Date.now() - begin) / 1000).toFixed(1)} s`);
      } catch (e) {
        failed++;
        console.log(`not ok ${n} - ${full}`);
        for (const line of String(e?.stack ?? e).split('\n').slice(0, 24)) console.log(`# ${line}`);
      }
    }
  }
} finally {
  await browser.close();
  mock?.server.close();
}
console.log(`1..${n}`);
process.exit(failed ? 1 : 0);
