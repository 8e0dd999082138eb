// SPDX-License-Identifier: AGPL-3.0-or-later
// What the mock keeps: accounts, sessions, grants, incidents, imports, ledgers; all in memory, all invented.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeIncidents, makeOverview, randomFrom } from './data.mjs';

const here = dirname(fileURLToPath(import.meta.url));
export const PASSWORD = 'fairway-exercise';

function rolesOf(text) {
  const out = new Map();
  for (const line of text.split('\n')) {
    const m = /^role\s+(\w+)\s+(\w+)\s+"([^"]*)"\s*:\s*(.+)$/.exec(line);
    if (m) out.set(m[1], { vault: m[2], words: m[3], permissions: m[4].trim().split(/\s+/) });
  }
  return out;
}

const seeded = randomFrom(11);
export const uuid = () => {
  const h = Array.from({ length: 32 }, () => Math.floor(seeded() * 16).toString(16)).join('');
  return `0191${h.slice(4, 8)}-${h.slice(8, 12)}-7${h.slice(13, 16)}-8${h.slice(17, 20)}-${h.slice(20, 32)}`;
};
export const now = () => new Date().toISOString();

/* Those of an exercise node as "fairway init --exercise" makes it, and four that owe something at log-in or hold everything. */
const ACCOUNTS = [
  ['administrator', 'Amira Example', ['administrator']],
  ['custodian.house', 'Boon Example', ['house_custodian']],
  ['reporter', 'Carla Example', ['reporter']],
  ['focal.point', 'Dewi Example', ['focal_point']],
  ['analyst', 'Emre Example', ['analyst']],
  ['strategic.auditor', 'Farah Example', ['strategic_auditor']],
  ['custodian.strategic', 'Goran Example', ['strategic_custodian']],
  ['operational.auditor', 'Hana Example', ['operational_auditor']],
  ['custodian.operational', 'Idris Example', ['operational_custodian']],
  ['protection.officer', 'Jana Example', ['protection_officer']],
  ['protection.auditor', 'Kofi Example', ['protection_auditor']],
  ['custodian.protection.1', 'Lina Example', ['protection_custodian']],
  ['custodian.protection.2', 'Mateo Example', ['protection_custodian']],
  ['all', 'Nour Example', ['focal_point', 'strategic_custodian', 'operational_custodian', 'protection_custodian', 'protection_officer', 'administrator', 'house_custodian']],
  ['factor', 'Oksana Example', ['analyst']],
  ['fresh', 'Piet Example', ['reporter']],
  ['nobody', 'Quinn Example', []],
];

function ledgerOf(account) {
  const events = ['session.open', 'incident.read', 'incident.list', 'incident.export', 'grant.give', 'import.end', 'incident.write'];
  return Array.from({ length: 130 }, (_, i) => ({ id: uuid(), position: 129 - i, at: new Date(Date.now() - i * 731_000).toISOString(), event: events[i % events.length], account, purpose: i % 7 === 3 ? 'statistics' : undefined, route: 'list_incidents', subjects: (i * 7) % 50, erased: i % 41 === 40 }));
}

export function makeState(n) {
  const roles = rolesOf(readFileSync(join(here, '../../src/tbl/access.tbl'), 'utf8'));
  const agency = { id: uuid(), code: 'CG', name: 'Coast guard (exercise)' };
  const agencies = [agency, { id: uuid(), code: 'MOI', name: 'Ministry of the interior (exercise)' }];
  const accounts = ACCOUNTS.map(([account, display]) => ({ id: uuid(), account, display, agency: agency.name, state: account === 'fresh' ? 'fresh' : 'active', made: '2026-01-05T08:00:00Z', password: PASSWORD, factor: account === 'factor' }));
  const byName = (name) => accounts.find((a) => a.account === name);
  const custodian = byName('custodian.house');
  const grants = ACCOUNTS.flatMap(([account, , names]) => names.map((role) => ({ id: uuid(), account_id: byName(account).id, account, role, vault: roles.get(role).vault, since: '2026-01-06T09:00:00Z', by: custodian.id })));
  const incidents = makeIncidents(n);
  return {
    roles, agencies, accounts, grants, incidents, byName,
    pending: [], imports: [], referrals: [], versions: new Map(), bodies: new Map(),
    overview: makeOverview(incidents),
    sessions: new Map(),
    ledgers: Object.fromEntries(['strategic', 'operational', 'protection', 'house'].map((v) => [v, ledgerOf(custodian.id)])),
    newToken: () => randomBytes(32).toString('base64url'),
    vaultsOf: (id) => [...new Set(grants.filter((g) => g.account_id === id).map((g) => g.vault))],
    permissionsOf: (id, vault) => [...new Set(grants.filter((g) => g.account_id === id && g.vault === vault).flatMap((g) => roles.get(g.role).permissions))],
  };
}
