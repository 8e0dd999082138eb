// SPDX-License-Identifier: AGPL-3.0-or-later
// The way in and out.
import assert from 'node:assert/strict';
import { as, open, PASSWORD, settled, shot, text } from './lib.mjs';

const ACCOUNT = 'input[autocomplete="username"]';
const SECRET = 'input[autocomplete="current-password"]';

async function wrongThenRight(t) {
  const s = await open(t.browser, t.base);
  const { page } = s;
  await page.goto(`${t.base}/`);
  await page.fill(ACCOUNT, 'analyst');
  await page.fill(SECRET, 'not the password at all');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  assert.match(await text(page, '[role="alert"]'), /wrong/i);
  assert.equal(await page.inputValue(ACCOUNT), 'analyst', 'what was typed stays');
  assert.equal(await page.inputValue(SECRET), 'not the password at all');
  await shot(page, 'gate-wrong');
  await page.fill(SECRET, PASSWORD);
  await page.keyboard.press('Enter');
  await page.locator('.shell').waitFor();
  const cookies = await s.context.cookies();
  const c = cookies.find((x) => x.name === 'fairway_session');
  assert.ok(c?.httpOnly && c.sameSite === 'Strict', 'the session cookie is HttpOnly and SameSite=Strict');
  assert.equal(await page.evaluate(() => document.cookie), '', 'no script sees it');
  await page.getByRole('button', { name: /^Account/ }).click();
  await page.getByRole('menuitem', { name: 'Log out' }).click();
  await page.locator(ACCOUNT).waitFor();
  const r = await page.request.get(`${t.base}/api/session`, { headers: { Cookie: `fairway_session=${c.value}` } });
  assert.equal(r.status(), 401, 'the old token opens nothing');
  assert.deepEqual(s.faults, []);
  await s.context.close();
}

async function deepLink(t) {
  const s = await as(t, 'focal.point', { at: '/report/imports' });
  await s.page.getByRole('heading', { level: 1, name: 'Import' }).waitFor();
  assert.equal(new URL(s.page.url()).pathname, '/report/imports', 'log-in leads where one wanted to go');
  await s.done();
}

async function factor(t) {
  const s = await open(t.browser, t.base);
  const { page } = s;
  await page.goto(`${t.base}/`);
  await page.fill(ACCOUNT, 'factor');
  await page.fill(SECRET, PASSWORD);
  await page.keyboard.press('Enter');
  const code = page.locator('input[autocomplete="one-time-code"]');
  await code.fill('000000');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  await shot(page, 'gate-factor');
  await page.getByRole('button', { name: /recovery/ }).click();
  await code.fill('k3mq-8tzd');
  await page.keyboard.press('Enter');
  await page.locator('.shell').waitFor();
  await s.context.close();
}

async function fresh(t) {
  const s = await open(t.browser, t.base);
  const { page } = s;
  await page.goto(`${t.base}/`);
  await page.fill(ACCOUNT, 'fresh');
  await page.fill(SECRET, PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Set a password of your own' }).waitFor();
  const fields = page.locator('.pw input');
  await fields.nth(0).fill(PASSWORD);
  await fields.nth(1).fill('short');
  await fields.nth(2).fill('shorter');
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('.err').count(), 2, 'each fault stands at its field');
  await shot(page, 'gate-password');
  await fields.nth(1).fill('harbour lantern pine tree');
  await fields.nth(2).fill('harbour lantern pine tree');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Set up a second factor' }).waitFor();
  await page.locator('svg.qr path').waitFor({ state: 'attached' });
  await settled(page);
  await shot(page, 'gate-enrol');
  await page.locator('input[autocomplete="one-time-code"]').fill('123456');
  await page.keyboard.press('Enter');
  const go = page.getByRole('button', { name: 'Go on' });
  await go.waitFor();
  assert.ok(await go.isDisabled(), 'the codes must be kept first');
  assert.equal(await page.locator('.codes li').count(), 4);
  await page.getByRole('checkbox').check();
  await shot(page, 'gate-codes');
  await go.click();
  await page.locator('.shell').waitFor();
  await s.context.close();
}

async function ends(t) {
  const s = await as(t, 'reporter', { at: '/report/new' });
  const { page } = s;
  const words = page.getByLabel('What no field could hold');
  await words.fill('A long observation that must not be lost.');
  await page.getByLabel('Country', { exact: true }).first().click();
  // The session ends elsewhere while the form is open.
  for (const token of t.mock.state.sessions.keys()) t.mock.state.sessions.delete(token);
  await page.getByRole('link', { name: 'Import' }).click();
  await page.getByRole('dialog').waitFor();
  await shot(page, 'gate-relogin');
  await page.getByRole('dialog').locator(SECRET).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByRole('heading', { level: 1, name: 'Import' }).waitFor();
  await page.getByText('None yet').or(page.getByRole('table')).first().waitFor();
  await page.getByRole('link', { name: 'New report' }).click();
  assert.equal(await words.inputValue(), 'A long observation that must not be lost.');
  assert.equal(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]).includes('observation')), false, 'nothing typed lies on the disk');
  await s.context.close();
}

export const scenarios = [
  ['a wrong password keeps what was typed; log-out ends the session', wrongThenRight],
  ['log-in leads to the address that was asked for', deepLink],
  ['second factor, and a recovery code in its place', factor, 'mock'],
  ['a fresh account sets a password and enrols a device', fresh, 'mock'],
  ['a session that ends under an open form loses nothing', ends, 'mock'],
];
