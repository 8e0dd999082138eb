// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * Every page: its address, the permission that opens it, where it stands in
 * the rail.  A page without a place in the rail is reached from another.
 */
import type { ComponentType } from 'preact';
import type { IconName } from '../ui/icon';
import { mayIn, session } from '../lib/session';

export interface PageProps {
  params: Record<string, string>;
}
type Loader = () => Promise<{ default: ComponentType<PageProps> }>;

export interface Page {
  name: string;
  pattern: string;
  load: Loader;
  /* Any of these in the vault opens it; nothing: every open session. */
  vault?: string;
  needs?: string[];
  workspace?: string;
}

export interface Workspace {
  name: string;
  icon: IconName;
}

export const workspaces: Workspace[] = [
  { name: 'report', icon: 'report' },
  { name: 'protect', icon: 'protect' },
  { name: 'custody', icon: 'custody' },
  { name: 'admin', icon: 'accounts' },
];

const VAULTS = ['strategic', 'operational', 'protection', 'house'];

export const pages: Page[] = [
  { name: 'overview', pattern: '/report', load: () => import('../report/overview'), vault: 'strategic', needs: ['report.read', 'report.read_all'], workspace: 'report' },
  { name: 'list', pattern: '/report/incidents', load: () => import('../report/list'), vault: 'strategic', needs: ['report.read', 'report.read_all'], workspace: 'report' },
  { name: 'form', pattern: '/report/new', load: () => import('../report/form'), vault: 'strategic', needs: ['report.write'], workspace: 'report' },
  { name: 'correct', pattern: '/report/incidents/:id/correct', load: () => import('../report/form'), vault: 'strategic', needs: ['report.write'] },
  { name: 'incident', pattern: '/report/incidents/:id', load: () => import('../report/incident'), vault: 'strategic', needs: ['report.read', 'report.read_all'] },
  { name: 'imports', pattern: '/report/imports', load: () => import('../report/imports'), vault: 'strategic', needs: ['report.import'], workspace: 'report' },
  { name: 'import', pattern: '/report/imports/:id', load: () => import('../report/import'), vault: 'strategic', needs: ['report.import'] },
  { name: 'referrals', pattern: '/protect', load: () => import('../pages/referrals'), vault: 'protection', needs: ['referral.read'], workspace: 'protect' },
  ...VAULTS.map((v): Page => ({ name: `custody_${v}`, pattern: `/custody/${v}`, load: () => import('../pages/custody'), vault: v, needs: [`${v}.custody`], workspace: 'custody' })),
  ...VAULTS.map((v): Page => ({ name: `ledger_${v}`, pattern: `/ledger/${v}`, load: () => import('../pages/ledger'), vault: v, needs: [`${v}.ledger`], workspace: 'custody' })),
  { name: 'accounts', pattern: '/admin/accounts', load: () => import('../pages/accounts'), vault: 'house', needs: ['accounts.read'], workspace: 'admin' },
  { name: 'agencies', pattern: '/admin/agencies', load: () => import('../pages/agencies'), vault: 'house', needs: ['accounts.read'], workspace: 'admin' },
  { name: 'account', pattern: '/account', load: () => import('../pages/account') },
];

export function mayOpen(p: Page): boolean {
  const vault = p.vault;
  if (!session.value) return false;
  if (!p.needs || !vault) return true;
  return p.needs.some((n) => mayIn(vault, n));
}

export function pagesOf(workspace: string): Page[] {
  return pages.filter((p) => p.workspace === workspace && mayOpen(p));
}

/* Where an account begins: the first page of the first workspace it may enter. */
export function homeOf(): string {
  for (const w of workspaces) {
    const first = pagesOf(w.name)[0];
    if (first) return first.pattern;
  }
  return '/account';
}
