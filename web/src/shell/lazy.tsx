// SPDX-License-Identifier: AGPL-3.0-or-later
// A page whose code comes when it is wanted.
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../lib/i18n';
import { ErrorBox } from '../ui/say';
import type { PageProps } from './pages';

type Loader = () => Promise<{ default: ComponentType<PageProps> }>;

const loaded = new Map<string, ComponentType<PageProps>>();

export function Lazy({ load, params, name }: { load: Loader; params: Record<string, string>; name?: string }) {
  const [page, setPage] = useState<{ for: string; is: ComponentType<PageProps> } | undefined>();
  const [error, setError] = useState<unknown>();
  const [round, setRound] = useState(0);
  const key = name ?? load.toString();
  useEffect(() => {
    let live = true;
    setError(undefined);
    load().then(
      (m) => {
        loaded.set(key, m.default);
        if (live) setPage({ for: key, is: m.default });
      },
      (e: unknown) => live && setError(e),
    );
    return () => {
      live = false;
    };
  }, [key, round]);
  if (error) {
    return (
      <div class="pad">
        <ErrorBox error={error} again={() => setRound((n) => n + 1)}>
          <p>{t('error.page_not_loaded')}</p>
        </ErrorBox>
      </div>
    );
  }
  const Page = page?.for === key ? page.is : loaded.get(key);
  return Page ? <Page key={key + JSON.stringify(params)} params={params} /> : null;
}
