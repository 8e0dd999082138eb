// SPDX-License-Identifier: AGPL-3.0-or-later
// Writing a report.
import assert from 'node:assert/strict';
import { as, axe, settled, shot } from './lib.mjs';

async function pick(page, label, typed, option) {
  const input = page.getByRole('combobox', { name: label, exact: true }).first();
  await input.click();
  await input.fill(typed);
  await page.getByRole('option', { name: option }).first().waitFor();
  await page.keyboard.press('Enter');
}

async function write(t) {
  const s = await as(t, 'reporter');
  await s.go('/report/new');
  const { page } = s;
  await page.getByRole('button', { name: /Send to review/ }).click();
  assert.ok(page.url().endsWith('/report/new'), 'a report that lacks what it must have does not go');
  await page.getByText('the kind of event is missing').first().waitFor();
  await shot(page, 'form-stopped');
  await pick(page, 'Kind of event', 'att', /Attempted irregular entry/);
  await page.getByLabel('First day').fill('2026-11');
  await page.getByLabel('First day').blur();
  await page.getByRole('textbox', { name: 'Position' }).fill('6°24′N 96°12′E');
  assert.equal(await page.getByLabel('Latitude').inputValue(), '6.4');
  await pick(page, 'How exact', 'near', /Near/);
  await pick(page, 'Country', 'indo', /Indonesia/);
  const count = (name) => page.locator('.field', { has: page.locator('label', { hasText: new RegExp(`^${name}$`) }) });
  await count('Persons encountered').getByRole('textbox').fill('34');
  await count('Children alone').getByRole('button').click();
  await page.getByRole('menuitemradio', { name: 'unknown' }).click();
  await count('Persons with a disability').getByRole('button').click();
  await page.getByRole('menuitemradio', { name: 'withheld' }).click();
  await page.locator('#b-people').getByRole('button', { name: /Not opened/ }).click();
  await page.getByRole('button', { name: 'Add: Persons alike' }).click();
  const line = page.getByRole('group', { name: 'Persons alike 1' });
  await line.locator('.field', { has: page.locator('label', { hasText: /^How many$/ }) }).getByRole('textbox').fill('36');
  await page.getByText('the lines make 36, the total says 34').first().waitFor();
  await page.getByRole('button', { name: 'Add: Means of transport' }).click();
  await pick(page, 'Kind', 'fishing', /Fishing vessel/);
  await settled(page);
  await shot(page, 'form-filled', { full: true });
  assert.deepEqual(await axe(page), []);
  await page.getByRole('button', { name: /Send to review/ }).click();
  await page.waitForURL(/incidents\/[0-9a-f-]{36}$/);
  await page.getByText('Fishing vessel').first().waitFor();
  assert.ok(await page.getByText('Nov 2026').count(), 'a date known by month stays one');
  assert.equal(await page.getByText('withheld').count() > 0, true);
  await s.done();
}

async function leave(t) {
  const s = await as(t, 'reporter');
  await s.go('/report/new');
  const { page } = s;
  await page.getByLabel('Place in words').fill('Half a report');
  await page.getByRole('link', { name: 'Incidents' }).click();
  await page.locator('[data-row]').first().waitFor();
  await page.goBack();
  await page.getByLabel('Place in words').waitFor();
  assert.equal(await page.getByLabel('Place in words').inputValue(), 'Half a report');
  await page.getByRole('button', { name: 'Throw away' }).click();
  await page.getByRole('link', { name: 'New report' }).first().click();
  assert.equal(await page.getByLabel('Place in words').inputValue(), '');
  await s.done();
}

export const scenarios = [
  ['checked while written, sent, read again', write],
  ['left and found again, then thrown away', leave],
];
