// SPDX-License-Identifier: AGPL-3.0-or-later
// Log-in, accounts, custody and ledgers of the mock.
import { now, uuid } from './mockstate.mjs';

const FACTOR = '123456';
const RECOVERY = ['k3mq-8tzd', 'p9xw-4hcn', 'v7rb-2gyf', 'd5js-6ela'];
/* A square that looks like a QR code; the real one comes from the node. */
function fakeQr(size) {
  let d = '';
  for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) if ((x * x * 7 + y * 13 + x * y * 5) % 11 < 5) d += `M${x} ${y}h1v1h-1z`;
  return d;
}

const stateOf = (c, s) => {
  const a = c.state.accounts.find((x) => x.id === s.account);
  return {
    state: s.state, csrf: s.csrf, account: a.account, account_id: a.id, display: a.display, agency: a.agency,
    node_name: 'Node Meridian 2', node_state: 'Exercise State', exercise: true, vaults: s.state === 'open' ? c.state.vaultsOf(a.id) : [],
    idle_until: new Date(Date.now() + 18e5).toISOString(), expires: new Date(Date.now() + 36e6).toISOString(),
  };
};

const publicOf = (c, a) => ({ id: a.id, account: a.account, display: a.display, agency: a.agency, state: a.state, vaults: c.state.vaultsOf(a.id), made: a.made });
const accountOf = (c) => {
  const a = c.state.accounts.find((x) => x.id === c.params.id);
  if (!a) throw new c.Refusal(404);
  return a;
};
const done = (c, id, state = 'done', more = {}) => ({ body: { state, id, ...more } });
const needsTwo = (c) => c.vault === 'protection';

function act(c, kind, account_id, role, apply) {
  if (!needsTwo(c)) return apply();
  const p = { id: uuid(), kind, account_id, role, by: c.session.account, at: now(), vault: c.vault, apply };
  c.state.pending.push(p);
  return done(c, p.id, 'pending');
}

const PASS = () => `pine-${Math.floor(Math.random() * 9000 + 1000)}-lantern-harbour`;

export const house = {
  open_session(c) {
    const a = c.state.byName(c.body.account);
    if (!a || a.password !== c.body.password || a.state === 'locked') throw new c.Refusal(401, 'Account or password is wrong.');
    const token = c.state.newToken();
    const s = { id: uuid(), account: a.id, csrf: c.state.newToken(), state: a.state === 'fresh' ? 'change_password' : a.factor ? 'second_factor' : 'open', started: now(), token };
    c.state.sessions.set(token, s);
    return { body: stateOf(c, s), headers: { 'Set-Cookie': `fairway_session=${token}; HttpOnly; SameSite=Strict; Path=/` } };
  },
  see_session: (c) => ({ body: stateOf(c, c.session) }),
  close_session(c) {
    c.state.sessions.delete(c.session.token);
    return { status: 204, headers: { 'Set-Cookie': 'fairway_session=; Path=/; Max-Age=0' } };
  },
  give_factor(c) {
    if (c.body.code !== FACTOR && !RECOVERY.includes(c.body.code)) throw new c.Refusal(401, 'The code is wrong, or was used before.');
    c.session.state = 'open';
    return { body: stateOf(c, c.session) };
  },
  list_sessions: (c) => ({ body: { sessions: [...c.state.sessions.values()].filter((s) => s.account === c.session.account).map((s) => ({ id: s.id, current: s === c.session, started: s.started, last: now(), address: '127.0.0.1', agent: 'Chromium on a desk (exercise)' })) } }),
  revoke_session(c) {
    for (const [token, s] of c.state.sessions) if (s.id === c.params.id && s.account === c.session.account) return c.state.sessions.delete(token), { status: 204 };
    throw new c.Refusal(404);
  },
  change_password(c) {
    const a = c.state.accounts.find((x) => x.id === c.session.account);
    if (c.body.old !== a.password) throw new c.Refusal(403, 'The present password is wrong.');
    a.password = c.body.new;
    if (a.state === 'fresh') a.state = 'active';
    for (const [t, s] of c.state.sessions) if (s.account === a.id && s !== c.session) c.state.sessions.delete(t);
    if (c.session.state === 'change_password') c.session.state = a.factor ? 'open' : 'enrol';
    return { body: stateOf(c, c.session) };
  },
  enrol_factor: () => ({ body: { secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', uri: 'otpauth://totp/Fairway:exercise?secret=JBSWY3DPEHPK3PXP', qr: fakeQr(33), size: 33 } }),
  confirm_factor(c) {
    if (c.body.code !== FACTOR) throw new c.Refusal(422, 'The code does not belong to the secret, or the clocks differ by more than a minute.');
    c.state.accounts.find((x) => x.id === c.session.account).factor = true;
    c.session.state = 'open';
    return { body: { recovery_codes: RECOVERY } };
  },
  list_agencies: (c) => ({ body: { agencies: c.state.agencies } }),
  make_agency(c) {
    if (c.state.agencies.some((a) => a.code === c.body.code)) throw new c.Refusal(409, 'An agency with this code is there already.', undefined, 'code');
    const a = { id: uuid(), ...c.body };
    c.state.agencies.push(a);
    return { status: 201, body: a };
  },
  list_accounts: (c) => ({ body: { accounts: c.state.accounts.map((a) => publicOf(c, a)) } }),
  make_account(c) {
    if (c.state.byName(c.body.account)) throw new c.Refusal(409, 'An account of this name is there already.', undefined, 'account');
    const agency = c.state.agencies.find((x) => x.id === c.body.agency);
    const a = { id: uuid(), account: c.body.account, display: c.body.display, agency: agency?.name ?? '', state: 'fresh', made: now(), password: PASS(), factor: false };
    c.state.accounts.push(a);
    return { status: 201, body: { id: a.id, account: a.account, password: a.password } };
  },
  lock_account(c) {
    const a = accountOf(c);
    Object.assign(a, { before: a.state, state: 'locked' });
    return { body: publicOf(c, a) };
  },
  unlock_account(c) {
    const a = accountOf(c);
    a.state = a.before ?? 'active';
    return { body: publicOf(c, a) };
  },
  reset_account(c) {
    const a = accountOf(c);
    if (c.state.vaultsOf(a.id).length) throw new c.Refusal(403, 'The account holds a role in a vault: only that vault\'s custodian resets it.');
    Object.assign(a, { password: PASS(), state: 'fresh', factor: false });
    return { body: { id: a.id, account: a.account, password: a.password } };
  },
  see_own_permissions: (c) => ({ body: { vault: c.vault, permissions: c.state.permissionsOf(c.session.account, c.vault) } }),
  list_grants: (c) => ({ body: { grants: c.state.grants.filter((g) => g.vault === c.vault).map(({ vault: _, ...g }) => g), pending: c.state.pending.filter((p) => p.vault === c.vault).map(({ vault: _, apply: __, ...p }) => p) } }),
  make_grant(c) {
    const a = c.state.accounts.find((x) => x.id === c.body.account_id || x.account === c.body.account);
    if (!a) throw new c.Refusal(404);
    if (c.state.roles.get(c.body.role)?.vault !== c.vault) throw new c.Refusal(422, 'Not a role of this vault.', undefined, 'role');
    if (c.state.grants.some((g) => g.account_id === a.id && g.role === c.body.role)) throw new c.Refusal(409, 'The account holds this role already.');
    return act(c, 'grant', a.id, c.body.role, () => {
      const g = { id: uuid(), account_id: a.id, account: a.account, role: c.body.role, vault: c.vault, since: now(), by: c.session.account };
      c.state.grants.push(g);
      return done(c, g.id);
    });
  },
  end_grant(c) {
    const g = c.state.grants.find((x) => x.id === c.params.id && x.vault === c.vault);
    if (!g) throw new c.Refusal(404);
    const same = c.state.grants.filter((x) => x.role === g.role && /custodian/.test(g.role));
    if (same.length === 1) throw new c.Refusal(409, 'This is the last custodian of the vault.');
    c.state.grants.splice(c.state.grants.indexOf(g), 1);
    return done(c, g.id);
  },
  make_reset: (c) => act(c, 'reset', c.body.account_id, undefined, () => done(c, uuid(), 'done', { password: PASS() })),
  agree_act(c) {
    const p = c.state.pending.find((x) => x.id === c.params.id);
    if (!p) throw new c.Refusal(404);
    if (p.by === c.session.account) throw new c.Refusal(409, 'Whoever asked cannot agree as well.');
    c.state.pending.splice(c.state.pending.indexOf(p), 1);
    return p.apply();
  },
  refuse_act(c) {
    const i = c.state.pending.findIndex((x) => x.id === c.params.id);
    if (i < 0) throw new c.Refusal(404);
    c.state.pending.splice(i, 1);
    return { status: 204 };
  },
  read_ledger(c) {
    const all = c.state.ledgers[c.vault].filter((e) => !c.query.event || e.event === c.query.event);
    const at = Number(c.query.after ?? 0);
    return { body: { entries: all.slice(at, at + 50), next: at + 50 < all.length ? String(at + 50) : undefined, origin: `meridian-2.exercise/${c.vault}`, size: all.length, root: 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=', vkey: `meridian-2.exercise/${c.vault}+00000000+AX`, checkpoint: `meridian-2.exercise/${c.vault}\n${all.length}\nq83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=\n` } };
  },
  verify_ledger: (c) => ({ body: { verified: true, words: 'every entry and every checkpoint verifies', entries: c.state.ledgers[c.vault].length, waiting: 0, erased: 3, checkpoints: 12, tail_lost: false } }),
};
