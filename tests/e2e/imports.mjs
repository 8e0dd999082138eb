// SPDX-License-Identifier: AGPL-3.0-or-later
// Files of reports.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { as, axe, settled, shot } from './lib.mjs';

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September'];

/* Invented rows under the header of the published files; one latitude that there is none of, one count that is none. */
export function file(rows) {
  const head = '"Main ID","Incident ID","Incident Type","Region of Incident","Incident Date","Incident Year",Month,"Number of Dead","Minimum Estimated Number of Missing","Total Number of Dead and Missing","Number of Survivors","Number of Females","Number of Males","Number of Children","Country of Origin","Region of Origin","Cause of Death","Country of Incident","Migration Route","Location of Incident",Coordinates,"UNSD Geographical Grouping","Information Source",URL,"Source Quality"';
  const lines = [head];
  for (let i = 0; i < rows; i++) {
    const lat = i === 5 ? '95.1' : (30 + (i % 40) / 10).toFixed(1);
    lines.push(`2031.MMP${String(90000 + i)},2031.MMP${String(90000 + i)},Incident,Mediterranean,2031-0${1 + (i % 9)}-1${i % 9},2031,${MONTHS[i % 9]},${i === 9 ? 'many' : i % 4},${i % 7 || ''},,,,,,Unknown,Unknown,Drowning,Libya,Central Mediterranean,Invented place ${i},"${lat}, 13.1",Uncategorized,Invented gazette,,2`);
  }
  return Buffer.from(lines.join('\r\n') + '\r\n');
}

async function good(t) {
  const s = await as(t, 'reporter');
  await s.go('/report/imports');
  const { page } = s;
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Choose a file' }).click()]);
  await chooser.setFiles({ name: 'invented.csv', mimeType: 'text/csv', buffer: file(300) });
  await page.waitForURL(/imports\/[0-9a-f-]{36}$/);
  const address = page.url();
  await page.getByRole('heading', { level: 1, name: 'invented.csv' }).waitFor();
  await shot(page, 'import-running');
  // It can be left and found again.
  await page.getByRole('link', { name: 'All imports' }).click();
  await page.getByRole('link', { name: 'invented.csv' }).first().click();
  await page.waitForURL(address);
  await page.locator('.head').getByText('done', { exact: true }).waitFor({ timeout: 60_000 });
  await settled(page);
  await shot(page, 'import-done');
  assert.deepEqual(await axe(page), []);
  assert.ok((await page.getByRole('table').locator('tbody tr').count()) > 0, 'problems are named by row');
  const [d] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: /refused row/ }).click()]);
  assert.match(readFileSync(await d.path(), 'utf8'), /Main ID/);
  await s.done();
}

async function drop(t) {
  const s = await as(t, 'reporter');
  await s.go('/report/imports');
  const { page } = s;
  const data = await page.evaluateHandle(() => {
    const d = new DataTransfer();
    d.items.add(new File(['nothing,that,is\n1,2,3\n'], 'strange.csv'));
    return d;
  });
  await page.dispatchEvent('.drop', 'dragover', { dataTransfer: data });
  await page.dispatchEvent('.drop', 'drop', { dataTransfer: data });
  await page.waitForURL(/imports\/[0-9a-f-]{36}$/);
  await page.getByRole('alert').waitFor({ timeout: 60_000 });
  await settled(page);
  await shot(page, 'import-failed');
  assert.match(await page.getByRole('alert').innerText(), /failed/i);
  await s.done();
}

export const scenarios = [
  ['a file goes in; it is left and found again; its problems and refused rows', good],
  ['a dropped file of no known layout fails with words', drop],
];
