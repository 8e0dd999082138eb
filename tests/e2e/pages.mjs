// SPDX-License-Identifier: AGPL-3.0-or-later
// Every page in light and dark, left to right and right to left: axe finds nothing, nothing is wider than the window.
import assert from 'node:assert/strict';
import { as, axe, open, settled, shot, sideways } from './lib.mjs';

async function someIncident(s, t) {
  const r = await s.page.request.get(`${t.base}/api/report/incidents?limit=1`);
  return (await r.json()).incidents[0].id;
}

const PAGES = [
  ['overview', 'focal.point', '/report'],
  ['overview-filtered', 'analyst', '/report?route=central_mediterranean,andaman&from=2019-01-01&to=2023-12-31&count=dead'],
  ['list', 'focal.point', '/report/incidents?route=central_mediterranean'],
  ['incident', 'focal.point', async (s, t) => `/report/incidents/${await someIncident(s, t)}`],
  ['form', 'reporter', '/report/new'],
  ['imports', 'reporter', '/report/imports'],
  ['referrals', 'protection.officer', '/protect'],
  ['custody', 'custodian.protection.1', '/custody/protection'],
  ['ledger', 'strategic.auditor', '/ledger/strategic'],
  ['accounts', 'administrator', '/admin/accounts'],
  ['agencies', 'administrator', '/admin/agencies'],
  ['account', 'analyst', '/account'],
  ['forbidden', 'analyst', '/admin/accounts'],
  ['missing', 'analyst', '/no/such/page'],
];

const LOOKS = [
  { name: 'light', size: '1440', theme: 'light', lang: 'en' },
  { name: 'dark-360', size: '360', theme: 'dark', lang: 'en' },
  { name: 'ar-dark', size: '1440', theme: 'dark', lang: 'ar' },
  { name: 'th-sun-1024', size: '1024', theme: 'sun', lang: 'th' },
];

async function look(t, [name, account, path], l) {
  const s = await as(t, account, l);
  await s.go(typeof path === 'string' ? path : await path(s, t));
  assert.equal(await s.page.evaluate(() => document.documentElement.dir), l.lang === 'ar' ? 'rtl' : 'ltr');
  await shot(s.page, `${name}-${l.name}`);
  assert.deepEqual(await axe(s.page), []);
  assert.equal(await sideways(s.page), 0, 'nothing is wider than the window');
  await s.done();
}

async function gate(t) {
  for (const l of [...LOOKS, { name: '4k', size: '4k', theme: 'light', lang: 'en' }]) {
    const s = await open(t.browser, t.base, l);
    await s.page.goto(t.base);
    await settled(s.page);
    await shot(s.page, `gate-${l.name}`);
    assert.deepEqual(await axe(s.page), []);
    assert.equal(await sideways(s.page), 0);
    assert.deepEqual(s.faults, []);
    await s.context.close();
  }
}

async function sizes(t) {
  for (const [size, theme, lang] of [['360', 'light', 'ar'], ['1024', 'light', 'en'], ['1024', 'dark', 'ar'], ['4k', 'light', 'en'], ['4k', 'dark', 'ar']]) {
    const s = await as(t, 'focal.point', { size, theme, lang });
    await s.go('/report');
    await shot(s.page, `overview-${size}-${lang}-${theme}`, { full: size === '360' });
    assert.equal(await sideways(s.page), 0, `${size} ${lang}`);
    await s.done();
  }
}

/* On paper and in the system's own colours. */
async function paper(t) {
  const s = await as(t, 'focal.point');
  await s.go('/report?route=central_mediterranean');
  await s.page.emulateMedia({ media: 'print', colorScheme: 'light' });
  await s.page.waitForTimeout(300);
  await shot(s.page, 'overview-print', { full: true });
  assert.equal(await s.page.locator('.rail').isVisible(), false, 'no screen furniture on paper');
  await s.page.emulateMedia({ media: 'screen', forcedColors: 'active' });
  await s.page.waitForTimeout(300);
  await shot(s.page, 'overview-forced-colours');
  assert.deepEqual(await axe(s.page), []);
  await s.done();
}

/* The document itself holds no script and no style, as the policy wants it. */
async function plain(t) {
  const s = await open(t.browser, t.base);
  const r = await s.page.request.get(`${t.base}/report`);
  const html = await r.text();
  assert.doesNotMatch(html, /<style|style=|<script>|onclick/);
  const policy = r.headers()['content-security-policy'];
  for (const want of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "require-trusted-types-for 'script'"]) assert.ok(policy.includes(want), want);
  for (const m of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
    const a = await s.page.request.get(t.base + m[1]);
    assert.equal(a.status(), 200, m[1]);
    assert.match(a.headers()['cache-control'] ?? '', /immutable/, m[1]);
  }
  await s.context.close();
}

const REAL = ['referrals', 'custody', 'ledger', 'accounts', 'agencies', 'account', 'forbidden', 'missing', 'overview', 'list', 'incident', 'form', 'imports'];

export const scenarios = [
  ['log-in', gate],
  ['the document holds no script and no style', plain],
  ...PAGES.flatMap((p) => LOOKS.map((l) => [`${p[0]}, ${l.name}`, (t) => look(t, p, l), REAL.includes(p[0]) ? '' : 'mock'])),
  ['the overview from 360 pixels to 4K', sizes],
  ['on paper and in forced colours', paper],
];
