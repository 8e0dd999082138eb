// SPDX-License-Identifier: AGPL-3.0-or-later
// What the browser tests share: Debian's Chromium, a session, screenshots, axe.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(join(here, '../../web/package.json'));
const { chromium } = require('playwright-core');
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
export const artefacts = join(here, 'artefacts');
mkdirSync(artefacts, { recursive: true });

export const SIZES = { 360: [360, 780], 1024: [1024, 768], 1440: [1440, 900], '4k': [3840, 2160] };

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', '--force-color-profile=srgb'],
  });
}

/* A context that keeps count of what must not happen: requests elsewhere, errors in the console. */
export async function open(browser, base, { size = '1440', theme = 'light', lang = 'en', ...more } = {}) {
  const [width, height] = SIZES[size];
  const context = await browser.newContext({ viewport: { width, height }, locale: lang, reducedMotion: 'reduce', ...more });
  await context.addInitScript(([th, la]) => {
    localStorage['fairway.theme'] ??= th;
    localStorage['fairway.lang'] ??= la;
  }, [theme, lang]);
  const page = await context.newPage();
  const faults = [];
  const origin = new URL(base).origin;
  page.on('request', (r) => {
    const u = r.url();
    if (!u.startsWith(origin) && !u.startsWith('data:') && !u.startsWith('blob:')) faults.push(`request left the node: ${u}`);
  });
  page.on('pageerror', (e) => faults.push(`error in the page: ${e.message}`));
  page.on('console', (m) => {
    // An answer of 401 or 404 is part of many scenarios; the browser reports it as an error.
    if (m.type() === 'error' && !/status of (4\d\d|503)|ERR_CONNECTION|ERR_INTERNET/.test(m.text())) faults.push(`console: ${m.text()}`);
  });
  return { context, page, faults, base };
}

/* RFC 6238, for real nodes; the mock takes 123456. */
export function totp(secret, at = Date.now()) {
  const bits = [...secret.replace(/[\s=]/g, '').toUpperCase()].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const o = mac[19] & 15;
  return String((mac.readUInt32BE(o) & 0x7fffffff) % 1e6).padStart(6, '0');
}

export const PASSWORD = 'fairway-exercise';

/* An open page of an account, with the faults it had counted; closed and checked by done(). */
export async function as(t, account, options = {}) {
  const s = await open(t.browser, t.base, options);
  await logIn(s.page, t.base, { account, password: PASSWORD, at: options.at });
  return {
    ...s,
    go: async (path) => {
      await s.page.goto(t.base + path);
      await settled(s.page);
    },
    done: async () => {
      assert.deepEqual(s.faults, []);
      await s.context.close();
    },
  };
}

export const text = (page, selector) => page.locator(selector).first().innerText();
/* Numbers as shown, without what groups their digits. */
export const number = (s) => Number(String(s).replace(/[\u202f\u00a0,\s]/g, '').replace('\u2212', '-').match(/-?\d+/)?.[0]);

export async function logIn(page, base, who) {
  await page.goto(`${base}${who.at ?? '/'}`);
  await page.locator('input[autocomplete="username"]').fill(who.account);
  await page.locator('input[autocomplete="current-password"]').fill(who.password);
  await page.keyboard.press('Enter');
  const code = page.locator('input[autocomplete="one-time-code"]');
  const shell = page.locator('.shell');
  await code.or(shell).first().waitFor();
  if (await code.count()) {
    await code.fill(who.secret ? totp(who.secret) : '123456');
    await page.keyboard.press('Enter');
  }
  await shell.waitFor();
}

/* The page is where it will stay: nothing on its way, fonts there. */
export async function settled(page) {
  await page.waitForLoadState('networkidle');
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(450);
}

export async function shot(page, name, { full = false } = {}) {
  await page.screenshot({ path: join(artefacts, `${name}.png`), fullPage: full, animations: 'disabled' });
}

export async function axe(page) {
  // Playwright's own channel evaluates outside of the page's policy, so the policy stays on.
  await page.evaluate(axeSource);
  const found = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], rules: { 'target-size': { enabled: true } } }),
  );
  return found.violations.map((v) => `${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(' | ')}${v.nodes.length > 3 ? ` and ${v.nodes.length - 3} more` : ''}: ${v.help}`);
}

/* Nothing may be wider than the window. */
export const sideways = (page) => page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth));

/* The address as the page itself has it now. page.url() follows by a message of its own, which a busy machine delivers late. */
export const address = async (page) => new URL(await page.evaluate(() => location.href));
