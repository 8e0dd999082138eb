// SPDX-License-Identifier: AGPL-3.0-or-later
// One report: corrected, its versions compared, a person referred to protection.
import assert from 'node:assert/strict';
import { as, axe, settled, shot } from './lib.mjs';

async function openFirst(s) {
  await s.go('/report/incidents?limit=25');
  await s.page.locator('[data-open]').nth(3).click();
  await s.page.waitForURL(/incidents\/[0-9a-f-]{36}$/);
  await settled(s.page);
}

async function correct(t) {
  const s = await as(t, 'focal.point');
  await openFirst(s);
  const { page } = s;
  const address = page.url();
  await page.getByRole('link', { name: 'Correct', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Correct a report' }).waitFor();
  await settled(page);
  const dead = page.locator('.field', { has: page.locator('label', { hasText: /^Dead$/ }) });
  await dead.getByRole('button').click();
  await page.getByRole('menuitemradio', { name: 'Number' }).click();
  await dead.getByRole('textbox').fill('17');
  await page.getByLabel('Place in words').fill('Invented bay, corrected');
  await shot(page, 'form-correct', { full: true });
  await page.getByRole('button', { name: /Send the correction/ }).click();
  await page.waitForURL(address);
  await page.getByText('Invented bay, corrected').waitFor();
  await page.getByRole('link', { name: /compare with/ }).first().click();
  await page.getByRole('heading', { name: /What changed/ }).waitFor();
  await settled(page);
  await shot(page, 'incident-compare');
  const rows = await page.locator('.diffs tbody tr').allInnerTexts();
  assert.ok(rows.some((r) => r.includes('17')), rows.join('\n'));
  assert.ok(rows.some((r) => r.includes('Invented bay, corrected')));
  assert.deepEqual(await axe(page), []);
  await page.getByRole('link', { name: 'Version 1', exact: true }).click();
  await page.getByText('there is a newer one').waitFor();
  await s.done();
}

async function stale(t) {
  const one = await as(t, 'focal.point');
  await openFirst(one);
  const other = await as(t, 'focal.point', { at: new URL(one.page.url()).pathname });
  for (const s of [one, other]) {
    await s.page.getByRole('link', { name: 'Correct', exact: true }).click();
    await s.page.getByLabel('Place in words').fill(s === one ? 'First hand' : 'Second hand');
  }
  await one.page.getByRole('button', { name: /Send the correction/ }).click();
  await one.page.getByText('First hand').waitFor();
  await other.page.getByRole('button', { name: /Send the correction/ }).click();
  await other.page.getByText('What you typed is still here').waitFor();
  assert.equal(await other.page.getByLabel('Place in words').inputValue(), 'Second hand', 'a late correction overwrites nothing and loses nothing');
  await one.done();
  await other.context.close();
}

async function refer(t) {
  const s = await as(t, 'reporter');
  await s.go('/report/incidents');
  const { page } = s;
  await page.locator('[data-open]').first().click();
  await page.getByRole('button', { name: 'Refer to protection' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Hand over' }).click();
  await dialog.getByText('Name at least one need').waitFor();
  await dialog.getByLabel('Child alone').check();
  await dialog.getByLabel('now').check();
  await dialog.getByLabel(/For the protection officer/).fill('Waits at the post with an officer (invented).');
  await shot(page, 'incident-refer');
  await dialog.getByRole('button', { name: 'Hand over' }).click();
  await page.getByText('Handed over to protection').waitFor();
  await settled(page);
  assert.equal(await page.getByText('Waits at the post').count(), 0, 'nothing of the referral shows where it came from');
  await shot(page, 'incident-handed-over');
  await s.done();
  const p = await as(t, 'protection.officer');
  await p.page.waitForURL(/\/protect$/);
  const row = p.page.getByText('Waits at the post with an officer (invented).').first();
  for (let i = 0; i < 20 && !(await row.count()); i++) {
    await p.page.waitForTimeout(500);
    await p.page.getByRole('button', { name: 'Look again' }).click();
  }
  await row.waitFor();
  await settled(p.page);
  await shot(p.page, 'referrals');
  assert.deepEqual(await axe(p.page), []);
  await p.done();
}

/* What would run if any page took text for markup, script, a style or an address. */
async function text(t) {
  const nasty = `<img src=x onerror="window.ran=1"><script>window.ran=1</script>"'\`{{ran}} javascript:window.ran=1`;
  const s = await as(t, 'focal.point');
  await s.go('/report/incidents');
  const { page } = s;
  const id = await page.evaluate(async (nasty) => {
    const { csrf } = await (await fetch('/api/session')).json();
    const books = (await (await fetch('/api/report/codebooks?lang=en')).json()).codebooks;
    const code = (book) => books.find((b) => b.name === book).values[0].code;
    const body = {
      type: code('incident_type'), number: 'T"><b>1', when: { from: '2026-01-02' }, place: { text: nasty, crossing: nasty, section: nasty },
      harm: { causes: [code('cause')], cause_text: nasty }, detection: { by: nasty, evasion: nasty }, facilitation: { state: code('facilitation'), text: nasty },
      sources: [{ title: nasty, url: 'javascript:window.ran=1' }], handling: { caveat: nasty }, text: nasty,
    };
    const r = await fetch('/api/report/incidents', { method: 'POST', headers: { 'content-type': 'application/json', 'x-fairway-csrf': csrf }, body: JSON.stringify(body) });
    if (r.status !== 201) throw new Error(await r.text());
    return (await r.json()).id;
  }, nasty);
  await s.go(`/report/incidents/${id}`);
  await settled(page);
  assert.ok((await page.getByText(nasty, { exact: true }).count()) > 0, 'it stands there as it was typed');
  assert.equal(await page.locator('a[href^="javascript"], main img[src="x"]').count(), 0, 'it is no address and no element');
  await s.go('/report/incidents');
  await settled(page);
  await s.go(`/report/incidents/${id}/correct`);
  await settled(page);
  assert.equal(await page.evaluate(() => window.ran), undefined, 'nothing of it ran');
  await s.done();
}

export const scenarios = [
  ['what was typed is text wherever it is shown', text],
  ['a correction makes a version; two versions side by side', correct],
  ['a correction of an old version overwrites nothing', stale],
  ['a person in need is handed over; only a receipt comes back', refer],
];
