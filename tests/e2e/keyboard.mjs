// SPDX-License-Identifier: AGPL-3.0-or-later
// Everything without a mouse.
import assert from 'node:assert/strict';
import { number, open, PASSWORD, settled, text } from './lib.mjs';

const focused = (page) => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent?.trim() ?? '');
const counted = async (page) => number(await text(page, '[data-testid="counted"]'));

/* Presses Tab until the focus is where it should be. */
async function tabTo(page, re, most = 60) {
  for (let i = 0; i < most; i++) {
    await page.keyboard.press('Tab');
    if (re.test(await focused(page))) return;
  }
  assert.fail(`Tab never came to ${re}; it is at ${await focused(page)}`);
}

async function whole(t) {
  const s = await open(t.browser, t.base);
  const { page } = s;
  await page.goto(`${t.base}/`);
  await page.locator('input[autocomplete="username"]').waitFor();
  await page.keyboard.type('focal.point');
  await page.keyboard.press('Tab');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await page.locator('.shell').waitFor();
  await settled(page);
  // The first Tab of a page offers to skip the rail.
  await page.reload();
  await settled(page);
  await page.keyboard.press('Tab');
  assert.match(await focused(page), /Skip to the content/);
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'main');

  // The map: closer, to its circles, to a neighbour.
  await tabTo(page, /^Map of/);
  const before = await page.locator('.cl').count();
  await page.keyboard.press('+');
  await page.keyboard.press('+');
  await settled(page);
  assert.notEqual(await page.locator('.cl').count(), before);
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('0');
  await settled(page);
  await page.keyboard.press('Tab');
  assert.match(await focused(page), /incident/);
  const first = await focused(page);
  for (const key of ['ArrowRight', 'ArrowLeft', 'ArrowDown', 'ArrowUp']) await page.keyboard.press(key);
  assert.ok(await page.evaluate(() => document.activeElement?.classList.contains('cl')), 'the focus stays among the circles');
  assert.ok(first);

  // The time band by keys.
  const all = await counted(page);
  await tabTo(page, /Beginning of the period/);
  for (let i = 0; i < 3; i++) await page.keyboard.press('PageUp');
  const later = await counted(page);
  assert.ok(later < all);
  await page.keyboard.press('Escape');
  assert.equal(await counted(page), all);

  // A panel's row.
  await tabTo(page, /Central Mediterranean|^[A-Z].*\d/);
  await page.keyboard.press('Space');
  assert.ok((await counted(page)) < all);

  // Find, without a request: the slash, a few letters, Enter.
  await page.evaluate(() => document.activeElement?.blur?.());
  const asked = [];
  page.on('request', (r) => asked.push(r.url()));
  await page.keyboard.press('/');
  await page.keyboard.type('anda');
  await page.getByRole('option', { name: /Andaman/ }).first().waitFor();
  assert.deepEqual(asked.filter((u) => u.includes('anda')), [], 'what is typed is not sent');
  await page.keyboard.press('Enter');
  await page.waitForURL(/route=andaman/);

  // Keys help, and away again with the focus where it was.
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });

  // The list: g l, j j k, Enter.
  await page.keyboard.press('g');
  await page.keyboard.press('l');
  await page.waitForURL(/\/report\/incidents/);
  await page.locator('[data-row]').first().waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1', 'a new page begins at its heading');
  for (const key of ['j', 'j', 'k']) await page.keyboard.press(key);
  const number2 = await page.locator('[data-row].here [data-open]').innerText();
  assert.equal(number2, await page.locator('[data-row] [data-open]').first().innerText());
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: number2 }).waitFor();
  await page.goBack();
  await page.locator('[data-row]').first().waitFor();

  // The account menu by arrows.
  await page.getByRole('button', { name: /^Account/ }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menu').waitFor();
  assert.match(await focused(page), /Your account/);
  await page.keyboard.press('ArrowDown');
  assert.match(await focused(page), /Log out/);
  await page.keyboard.press('Enter');
  await page.locator('input[autocomplete="username"]').waitFor();
  assert.deepEqual(s.faults, []);
  await s.context.close();
}

export const scenarios = [['log in, look, filter, find, open, log out: keys only', whole]];
