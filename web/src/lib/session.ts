// SPDX-License-Identifier: AGPL-3.0-or-later
// Who is logged in, and what the account may do in each vault.
import { signal } from '@preact/signals';
import type { OwnPermissions, SessionState } from '../gen/api';
import { ApiError, del, get, post, sessionEnded, sessionRenewed, setCsrf } from './api';

/* undefined: not asked yet; null: nobody is logged in. */
export const session = signal<SessionState | null | undefined>(undefined);
export const permissions = signal<Record<string, ReadonlySet<string>>>({});
/* During a second log-in over an open page: what the new session still owes. */
export const pendingState = signal<SessionState['state'] | undefined>(undefined);

export function may(permission: string): boolean {
  return Object.values(permissions.value).some((p) => p.has(permission));
}

export function mayIn(vault: string, permission: string): boolean {
  return permissions.value[vault]?.has(permission) ?? false;
}

async function readPermissions(s: SessionState): Promise<void> {
  const answers = await Promise.all(
    s.vaults.map((v) => get<OwnPermissions>(`/api/${v}/me`).catch(() => ({ vault: v, permissions: [] }))),
  );
  const all: Record<string, ReadonlySet<string>> = {};
  for (const a of answers) all[a.vault] = new Set(a.permissions);
  permissions.value = all;
}

export async function take(s: SessionState): Promise<void> {
  const other = session.value && session.value.account_id !== s.account_id;
  setCsrf(s.csrf);
  if (sessionEnded.value && s.state !== 'open') {
    // The page below stays; only its dialog goes on.
    pendingState.value = s.state;
    if (s.state !== 'second_factor') location.assign('/');
    return;
  }
  pendingState.value = undefined;
  if (s.state === 'open') await readPermissions(s);
  if (other) location.reload(); // what is on the page belongs to somebody else
  session.value = s;
  if (s.state === 'open') sessionRenewed(true);
}

/* Asks the node where the session stands. */
export async function startSession(): Promise<void> {
  try {
    await take(await get<SessionState>('/api/session', undefined, { asIs: true }));
  } catch (e) {
    if (!(e instanceof ApiError)) throw e;
    if (e.status !== 401 && e.status !== 403) throw e;
    session.value = null;
  }
}

export const logIn = (account: string, password: string): Promise<void> =>
  post<SessionState>('/api/session', { account, password }, { asIs: true }).then(take);

export const giveFactor = (code: string): Promise<void> =>
  post<SessionState>('/api/session/factor', { code }, { asIs: true }).then(take);

export const changePassword = (old: string, fresh: string): Promise<void> =>
  post<SessionState>('/api/account/password', { old, new: fresh }, { asIs: true }).then(take);

export const readAgain = (): Promise<void> => get<SessionState>('/api/session', undefined, { asIs: true }).then(take);

export async function logOut(): Promise<void> {
  await del('/api/session', { asIs: true }).catch((e: unknown) => {
    if (!(e instanceof ApiError) || e.status !== 401) throw e;
  });
  // A new document: nothing of this account stays in the memory of the page.
  location.assign('/');
}
