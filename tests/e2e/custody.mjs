// SPDX-License-Identifier: AGPL-3.0-or-later
// Administrators and custodians.
import assert from 'node:assert/strict';
import { as, axe, open, PASSWORD, settled, shot } from './lib.mjs';

const stamp = Date.now().toString(36);

async function accounts(t) {
  const s = await as(t, 'administrator');
  await s.go('/admin/agencies');
  const { page } = s;
  await page.getByLabel('Short code').fill(`P-${stamp}`);
  await page.getByLabel('Name', { exact: true }).fill('Port police (invented)');
  await page.getByRole('button', { name: 'Make the agency' }).click();
  await page.getByRole('rowheader', { name: `P-${stamp}` }).waitFor();
  await page.getByRole('link', { name: 'Accounts' }).click();
  await page.getByRole('button', { name: 'New account' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Account').fill(`new.${stamp}`);
  await dialog.getByLabel('Name to show').fill('Rosa Example');
  await dialog.getByLabel('Agency').selectOption({ label: 'Port police (invented)' });
  await dialog.getByRole('button', { name: 'Make the account' }).click();
  const once = page.getByRole('dialog', { name: /Password for/ });
  await once.waitFor();
  const password = await once.locator('.once').innerText();
  assert.ok(password.length >= 12);
  await shot(page, 'account-once');
  await once.getByRole('checkbox').check();
  await once.getByRole('button', { name: 'Close' }).last().click();
  const row = page.getByRole('row', { name: new RegExp(`new\\.${stamp}`) });
  await row.getByRole('button', { name: /^Lock/ }).click();
  await row.getByText('locked').waitFor();
  await row.getByRole('button', { name: /^Unlock/ }).click();
  await row.getByText('not yet used').waitFor();
  assert.equal(await page.getByRole('row', { name: /focal\.point/ }).getByRole('button', { name: /Reset/ }).count(), 0, 'an administrator resets nobody who holds a role');
  await settled(page);
  await shot(page, 'accounts');
  await s.done();
  // The new account must set a password of its own.
  const n = await open(t.browser, t.base);
  await n.page.goto(t.base);
  await n.page.fill('input[autocomplete="username"]', `new.${stamp}`);
  await n.page.fill('input[autocomplete="current-password"]', password);
  await n.page.keyboard.press('Enter');
  await n.page.getByRole('heading', { name: 'Set a password of your own' }).waitFor();
  await n.context.close();
}

async function grant(t) {
  const s = await as(t, 'custodian.strategic');
  const { page } = s;
  await page.waitForURL(/\/custody\/strategic$/);
  await page.getByLabel('Account name or id').fill('analyst');
  await page.locator('form', { hasText: 'Give a role' }).getByLabel('Role').selectOption('reporter');
  await page.getByRole('button', { name: 'Give the role' }).click();
  const row = page.getByRole('row', { name: /analyst.*Reporting officer/ });
  await row.waitFor();
  await settled(page);
  await shot(page, 'custody-strategic');
  await row.getByRole('button').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take away' }).click();
  await row.waitFor({ state: 'detached' });
  await s.done();
}

async function twoPersons(t) {
  const idOf = async (account) => {
    const s = await as(t, account, { at: '/account' });
    const id = await s.page.locator('.mono.ltr').first().innerText();
    await s.done();
    return id;
  };
  const id = await idOf('reporter');
  const one = await as(t, 'custodian.protection.1', { at: '/custody/protection' });
  await one.page.getByLabel('Account name or id').fill(id);
  await one.page.locator('form', { hasText: 'Give a role' }).getByLabel('Role').selectOption('protection_auditor');
  await one.page.getByRole('button', { name: 'Give the role' }).click();
  await one.page.getByText('Waits for a second custodian').first().waitFor();
  assert.equal(await one.page.getByRole('button', { name: 'Agree' }).count(), 0, 'whoever asked cannot agree');
  await settled(one.page);
  await shot(one.page, 'custody-pending');
  assert.deepEqual(await axe(one.page), []);
  await one.done();
  const two = await as(t, 'custodian.protection.2', { at: '/custody/protection' });
  await two.page.getByRole('button', { name: 'Agree' }).first().click();
  const row = two.page.getByRole('row', { name: /reporter.*Auditor/ });
  await row.waitFor();
  await row.getByRole('button').click();
  await two.page.getByRole('dialog').getByRole('button', { name: 'Take away' }).click();
  await two.page.getByRole('dialog').waitFor({ state: 'detached' });
  await two.done();
}

async function ledger(t) {
  const s = await as(t, 'strategic.auditor');
  const { page } = s;
  await page.waitForURL(/\/ledger\/strategic$/);
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Verify now' }).click();
  await page.getByText('The ledger verifies').waitFor();
  await shot(page, 'ledger-verified');
  await page.keyboard.press('Escape');
  assert.deepEqual(await axe(page), []);
  await s.done();
}

async function sessions(t) {
  const one = await as(t, 'operational.auditor', { at: '/account' });
  const two = await as(t, 'operational.auditor', { at: '/account' });
  await two.page.getByRole('button', { name: 'End', exact: true }).first().click();
  await two.page.getByRole('button', { name: 'End', exact: true }).waitFor({ state: 'detached' });
  await one.page.reload();
  await one.page.locator('input[autocomplete="username"]').waitFor();
  await two.page.getByRole('button', { name: 'Change the password' }).click();
  const fields = two.page.getByRole('dialog').locator('.pw input');
  await fields.nth(0).fill(PASSWORD);
  await fields.nth(1).fill(PASSWORD);
  await fields.nth(2).fill(PASSWORD);
  await two.page.keyboard.press('Enter');
  await two.page.getByText('This is the password you have now').waitFor();
  await two.done();
  await one.context.close();
}

export const scenarios = [
  ['an agency and an account are made, locked, unlocked', accounts],
  ['a custodian gives a role and takes it away', grant],
  ['in Protect a second custodian must agree', twoPersons],
  ['a ledger is read and verified', ledger],
  ["one's own sessions", sessions],
];
