// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * What has been typed into a form and not yet sent.  It stays in the memory of
 * this page: through other pages, through a second log-in, never on the
 * computer's disk, since a report about few persons is personal data though it
 * names nobody, and the next user of a desk must not find it.  What is to
 * outlive the page is kept as a draft on the node.
 */
import type { Rec } from './record';

export interface Draft {
  rec: Rec;
  changed: boolean;
}

const drafts = new Map<string, Draft>();

export const draftOf = (key: string): Draft | undefined => drafts.get(key);
export const keepDraft = (key: string, rec: Rec): void => void drafts.set(key, { rec, changed: true });
export const dropDraft = (key: string): void => void drafts.delete(key);
export const anyDraft = (): boolean => [...drafts.values()].some((d) => d.changed);

addEventListener('beforeunload', (e) => {
  if (anyDraft()) e.preventDefault();
});
