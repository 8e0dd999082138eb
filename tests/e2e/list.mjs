// SPDX-License-Identifier: AGPL-3.0-or-later
// The list: counts, order, pages, filters.
import assert from 'node:assert/strict';
import { address, as, number, settled, text } from './lib.mjs';

async function list(t) {
  const s = await as(t, 'focal.point');
  await s.go('/report/incidents?limit=25');
  const { page } = s;
  const total = number(await text(page, '[data-testid="counted"]'));
  assert.equal(await page.locator('[data-row]').count(), 25);
  const first = await page.locator('[data-open]').first().innerText();
  await page.getByRole('link', { name: 'Next page' }).click();
  await settled(page);
  assert.notEqual(await page.locator('[data-open]').first().innerText(), first);
  assert.ok((await address(page)).searchParams.get('after'));
  await page.goBack();
  await settled(page);
  assert.equal(await page.locator('[data-open]').first().innerText(), first, 'Back leads to the same page of the list');
  await page.getByRole('button', { name: 'Dead' }).click();
  await settled(page);
  assert.equal(await page.locator('th[aria-sort]').getAttribute('aria-sort'), 'descending');
  const dead = (await page.locator('[data-row] td:nth-child(7)').allInnerTexts()).map(number).filter((n) => !Number.isNaN(n));
  assert.deepEqual(dead, [...dead].sort((a, b) => b - a), 'the largest first');
  await page.getByLabel('Filter by Routes').selectOption('central_mediterranean');
  await settled(page);
  const fewer = number(await text(page, '[data-testid="counted"]'));
  assert.ok(fewer < total);
  const out = number((await text(page, '[data-testid="counted"]')).split('leave out')[1]);
  assert.equal(fewer + out, total, 'what passes and what is left out make all');
  await page.getByRole('link', { name: 'Overview' }).last().click();
  await settled(page);
  assert.equal(number(await text(page, '[data-testid="counted"]')), fewer, 'the overview holds the same filter');
  await s.done();
}

async function nothing(t) {
  const s = await as(t, 'focal.point');
  await s.go('/report/incidents?from=1990-01-01&to=1990-12-31');
  await s.page.getByText('No report passes the filters').waitFor();
  await s.done();
}

export const scenarios = [
  ['order, pages, filters, counts', list],
  ['an empty list says what to do', nothing],
];
