// SPDX-License-Identifier: AGPL-3.0-or-later
// The overview: figures agree with each other, filters cross, the address holds them, figures can be taken away.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { address, as, number, settled, shot, text } from './lib.mjs';

const counted = async (page) => number(await text(page, '[data-testid="counted"]'));
const leftOut = async (page) => number((await text(page, '[data-testid="counted"]')).split(/leave out/)[1]);
const circles = async (page) => {
  const all = await page.locator('.cl').evaluateAll((els) => els.map((e) => e.getAttribute('aria-label')));
  return all.reduce((n, label) => n + number(label), 0);
};
const panel = (page, name) => page.getByRole('region', { name, exact: true });

async function agrees(t) {
  const s = await as(t, 'focal.point');
  await s.go('/report');
  const { page } = s;
  const n = await counted(page);
  const note = await page.locator('.kpi dd.g').first().innerText();
  const off = /position/.test(note) ? number(note) : 0;
  assert.equal((await circles(page)) + off, n, 'circles and what has no position make the count');
  await panel(page, 'Means').getByRole('button', { name: /more$/ }).click();
  const means = await panel(page, 'Means').locator('.rows .num').allInnerTexts();
  assert.equal(means.reduce((a, b) => a + number(b), 0), n, 'the means make the count');
  await s.done();
}

async function crosses(t) {
  const s = await as(t, 'focal.point');
  await s.go('/report');
  const { page } = s;
  const all = await counted(page);
  const routes = panel(page, 'Routes');
  const first = routes.locator('.rows button').first();
  const want = number(await first.locator('.num').innerText());
  await first.click();
  assert.equal(await counted(page), want, 'a route leaves what its row said');
  assert.equal(await leftOut(page), all - want);
  assert.equal(await first.getAttribute('aria-pressed'), 'true');
  assert.ok((await address(page)).searchParams.get('route'), 'the filter stands in the address');
  assert.equal(number(await routes.locator('.rows button').nth(1).locator('.num').innerText()) > 0, true, 'the others can still be chosen');
  await page.goBack();
  assert.equal(await counted(page), all, 'Back takes it away');
  await page.goForward();
  assert.equal(await counted(page), want);
  await page.reload();
  await settled(page);
  assert.equal(await counted(page), want, 'the address can be shared');
  await page.getByRole('button', { name: 'Clear all' }).click();
  assert.equal(await counted(page), all);
  await s.done();
}

/* "Reports by month": the bars are as fine as the data's span allows. */
async function bandTitle(page) {
  const name = await page.getByRole('button', { name: /^Reports by \w+: show the table$/ }).getAttribute('aria-label');
  return name.replace(/: show the table$/, '');
}

async function band(t) {
  const s = await as(t, 'focal.point');
  await s.go('/report');
  const { page } = s;
  const all = await counted(page);
  const box = await page.locator('.time').boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + 30);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.45, box.y + 30, { steps: 6 });
  const during = await counted(page);
  assert.ok(during < all, 'everything follows while dragging');
  assert.equal((await address(page)).searchParams.get('from'), null, 'the address waits for the end');
  await page.mouse.move(box.x + box.width * 0.6, box.y + 30, { steps: 6 });
  await page.mouse.up();
  const u = await address(page);
  const from = String(u.searchParams.get('from'));
  const begins = (await bandTitle(page)).endsWith('week') ? new Date(from).getUTCDay() === 1 : /^\d{4}-\d\d-01$/.test(from);
  assert.ok(begins, `ends snap to bars: ${u.search}`);
  const dragged = await counted(page);
  assert.ok(dragged >= during && dragged < all, 'more with each step, never all'); // equal where nothing happened meanwhile
  await page.getByLabel('from').fill('2020');
  await page.keyboard.press('Enter');
  await page.getByLabel('to', { exact: true }).fill('2021-06');
  await page.keyboard.press('Enter');
  const q = (await address(page)).searchParams;
  assert.deepEqual([q.get('from'), q.get('to')], ['2020-01-01', '2021-06-30'], 'a typed year begins, a typed month ends');
  await page.getByLabel('from').fill('2020-13');
  assert.equal(await page.getByLabel('from').getAttribute('aria-invalid'), 'true');
  await shot(page, 'overview-band');
  await s.done();
}

async function map(t) {
  const s = await as(t, 'focal.point');
  await s.go('/report');
  const { page } = s;
  const before = await page.locator('.cl').count();
  const sum = await circles(page);
  const largest = page.locator('.cl text').first();
  await largest.click({ force: true });
  await settled(page);
  assert.ok((await page.locator('.cl').count()) > before, 'a closer look parts the circles');
  assert.equal(await circles(page), sum, 'and loses none');
  assert.match((await address(page)).searchParams.get('at'), /^-?[\d.]+,-?[\d.]+,[\d.]+$/, 'the view stands in the address');
  await shot(page, 'overview-closer');
  const box = await page.locator('.mapbox').boundingBox();
  await page.mouse.move(box.x + 200, box.y + 200);
  await page.mouse.down();
  await page.mouse.move(box.x + 300, box.y + 240, { steps: 5 });
  await page.mouse.up();
  assert.equal(await circles(page), sum);
  for (let i = 0; i < 14; i++) await page.getByRole('button', { name: 'Closer' }).click();
  await settled(page);
  assert.equal(await circles(page), sum, 'at the closest look too');
  await page.getByRole('button', { name: 'All incidents' }).click();
  await settled(page);
  assert.equal(await circles(page), sum);
  await s.done();
}

async function download(page, act) {
  const [d] = await Promise.all([page.waitForEvent('download'), act()]);
  return { name: d.suggestedFilename(), bytes: readFileSync(await d.path()) };
}

async function figures(t) {
  const s = await as(t, 'focal.point');
  await s.go('/report?from=2020-01-01');
  const { page } = s;
  for (const title of ['Map of incidents', await bandTitle(page), 'Routes']) {
    await page.getByRole('button', { name: `${title}: show the table` }).click();
    await page.getByRole('dialog', { name: title }).locator('tbody tr').nth(3).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    for (const kind of ['PNG', 'SVG', 'CSV']) {
      await page.getByRole('button', { name: `${title}: save` }).click();
      const f = await download(page, () => page.getByRole('menuitem', { name: kind }).click());
      assert.ok(f.name.endsWith(`.${kind.toLowerCase()}`), f.name);
      if (kind === 'PNG') assert.equal(f.bytes.subarray(1, 4).toString(), 'PNG');
      else assert.match(f.bytes.toString(), /EXERCISE/, 'a figure says that its data is invented');
      if (kind === 'SVG') assert.doesNotMatch(f.bytes.toString(), /var\(--/, 'a figure carries its own looks');
      if (kind === 'SVG') assert.match(f.bytes.toString(), /1 Jan 2020/, 'and its filters');
    }
  }
  await s.done();
}

async function exports(t) {
  const s = await as(t, 'analyst');
  await s.go('/report?route=central_mediterranean');
  const { page } = s;
  await page.getByRole('button', { name: 'Export' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Export' }).click();
  assert.ok(await dialog.isVisible(), 'nothing leaves without a purpose');
  await dialog.getByLabel('For what').selectOption('statistics');
  await dialog.getByText('GeoJSON').click();
  await shot(page, 'overview-export');
  const f = await download(page, () => dialog.getByRole('button', { name: 'Export' }).click());
  assert.match(f.name, /exercise\.geojson$/);
  const json = JSON.parse(f.bytes.toString());
  assert.equal(json.features.length, await counted(page), 'the file holds what the page counts');
  const other = await as(t, 'reporter');
  await other.go('/report');
  assert.equal(await other.page.getByRole('button', { name: 'Export' }).count(), 0, 'who may not export is not shown how');
  await other.done();
  await s.done();
}

async function place(t) {
  const s = await as(t, 'focal.point');
  await s.go('/report');
  const { page } = s;
  for (let i = 0; i < 12; i++) await page.getByRole('button', { name: 'Closer' }).click();
  await settled(page);
  const one = page.locator('.cl.one').first();
  await one.focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  await dialog.getByRole('link').first().click();
  await page.waitForURL(/\/report\/incidents\/[0-9a-f-]{36}$/);
  await page.getByRole('heading', { level: 1 }).waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);
  await s.done();
}

export const scenarios = [
  ['circles, panels and total agree', agrees],
  ['a filter crosses to all panels, stands in the address, Back works', crosses],
  ['the time band by mouse and by typing', band],
  ['the map parts its circles and never hides a count', map],
  ['each figure has its table and can be saved', figures],
  ['an export needs a purpose and a permission', exports, 'mock'],
  ['from a dot on the map to its report', place],
];
