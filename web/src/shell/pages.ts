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

export const pages: Page[] = [
  { name: 'overview', pattern: '/report', load: () => import('../report/overview'), vault: 'strategic', needs: ['report.read', 'report.read_all'], workspace: 'report' },
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
