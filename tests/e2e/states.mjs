// SPDX-License-Identifier: AGPL-3.0-or-later
// When things are not as they should be: no line, errors, nothing there, other languages on the way.
import assert from 'node:assert/strict';
import { as, axe, settled, shot } from './lib.mjs';

async function offline(t) {
  const s = await as(t, 'focal.point');
  await s.go('/report/incidents');
  const { page } = s;
  await s.context.setOffline(true);
  await page.getByRole('button', { name: 'Dead' }).click();
  await page.getByText('The node does not answer').first().waitFor();
  await shot(page, 'offline');
  assert.deepEqual(await axe(page), []);
  await s.context.setOffline(false);
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('[data-row]').first().waitFor();
  assert.equal(await page.getByText('The node does not answer').count(), 0, 'the mark goes when the line is back');
  await s.context.close();
}

async function errors(t) {
  const s = await as(t, 'focal.point');
  const { page } = s;
  await page.route('**/api/report/overview', (r) => r.fulfill({ status: 503, contentType: 'application/problem+json', headers: { 'Retry-After': '7' }, body: JSON.stringify({ type: '/problems/busy', title: 'Busy', status: 503, code: 'FW_EBUSY', detail: 'The vault is being backed up.' }) }));
  await s.go('/report');
  const alert = page.getByRole('alert');
  await alert.waitFor();
  assert.match(await alert.innerText(), /backed up/);
  assert.match(await alert.innerText(), /7 seconds/);
  await shot(page, 'error');
  await page.unroute('**/api/report/overview');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('.mapbox').waitFor();
  await s.go('/report/incidents/01900000-0000-7000-8000-000000000000');
  await page.getByRole('alert').waitFor();
  await s.context.close();
}

async function empty(t) {
  const s = await as(t, 'reporter');
  const { page } = s;
  await page.route('**/api/report/overview', (r) => r.fulfill({ json: { version: 0, n: 0, left_out: 0, id: [], day: [], precision: [], lat: [], lon: [], place: [], route: [], country: [], cause: [], means: [], dead: [], missing: [], survivors: [], persons: [], routes: [], countries: [], causes: [], means_codes: [] } }));
  await s.go('/report');
  await page.getByRole('link', { name: 'Import a file' }).waitFor();
  await shot(page, 'empty');
  assert.deepEqual(await axe(page), []);
  await s.done();
}

async function language(t) {
  const s = await as(t, 'focal.point');
  await s.go('/report?route=andaman');
  const { page } = s;
  await page.getByRole('button', { name: 'Language' }).click();
  await page.getByRole('menuitemradio', { name: 'العربية' }).click();
  await page.locator('html[dir="rtl"]').waitFor();
  await page.getByRole('heading', { level: 1, name: 'نظرة عامة' }).waitFor();
  assert.match(page.url(), /route=andaman/, 'filters stay');
  const rail = await page.locator('.rail').boundingBox();
  assert.ok(rail.x > 700, 'the rail stands at the right');
  const time = await page.locator('.time').evaluate((e) => getComputedStyle(e).direction);
  assert.equal(time, 'ltr', 'time runs from left to right');
  await page.getByRole('button', { name: 'اللغة' }).click();
  await page.getByRole('menuitemradio', { name: 'ไทย' }).click();
  await page.locator('html[lang="th"][dir="ltr"]').waitFor();
  await page.getByRole('button', { name: 'หน้าตา' }).click();
  await page.getByRole('menuitemradio', { name: 'มืด' }).click();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await page.reload();
  await page.locator('html[lang="th"]').waitFor();
  await settled(page);
  await s.done();
}

async function exercise(t) {
  for (const [account, at] of [['focal.point', '/report'], ['administrator', '/admin/accounts'], ['protection.officer', '/protect'], ['analyst', '/account']]) {
    const s = await as(t, account, { at });
    assert.ok(await s.page.locator('.exercise').isVisible(), at);
    assert.ok(await s.page.locator('.exline').isVisible(), at);
    await s.done();
  }
}

async function walls(t) {
  const s = await as(t, 'protection.officer');
  const rail = await s.page.locator('.rail').innerText();
  assert.match(rail, /Protect/);
  assert.doesNotMatch(rail, /Overview|Accounts|Custody/, 'only the workspaces that the account may enter');
  await s.go('/report');
  await s.page.getByText('not open to your account').waitFor();
  await s.done();
}

export const scenarios = [
  ['no line: what is there stays, and it comes back', offline],
  ['errors say what happened and what to do', errors],
  ['an empty node says what to do first', empty],
  ['language and theme change in place', language],
  ['the exercise mark stands on every page', exercise],
  ['the rail shows what one may enter and no more', walls],
];
