// SPDX-License-Identifier: AGPL-3.0-or-later
// One import: its progress while it runs, its report when it has ended.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Import } from '../gen/api';
import { get, post, raw } from '../lib/api';
import { formatBytes, formatNumber, formatTime } from '../lib/format';
import { look, t } from '../lib/i18n';
import { fileName, saveBlob } from '../lib/save';
import type { PageProps } from '../shell/pages';
import { Icon } from '../ui/icon';
import { announce, ErrorBox } from '../ui/say';
import { useAct } from '../ui/use';
import { ImportState } from './imports';

const moving = (i: Import): boolean => i.state === 'receiving' || i.state === 'queued' || i.state === 'running';

/* Looks again, less often the longer it takes; stops when the import has ended or the page is left. */
function useImport(id: string) {
  const [i, set] = useState<Import | undefined>();
  const [error, setError] = useState<unknown>();
  const [round, setRound] = useState(0);
  const before = useRef<string | undefined>(undefined);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = new AbortController();
    let wait = 500;
    const look = async () => {
      try {
        const now = await get<Import>(`/api/report/imports/${id}`, undefined, { signal: stop.signal });
        set(now);
        setError(undefined);
        if (before.current && before.current !== now.state) announce(t(`import.state.${now.state}`));
        before.current = now.state;
        if (!moving(now)) return;
        wait = Math.min(3000, wait * 1.2);
      } catch (e) {
        if (stop.signal.aborted) return;
        setError(e);
        wait = 5000;
      }
      timer = setTimeout(() => void look(), wait);
    };
    void look();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [id, round]);
  return { i, error, again: () => setRound((n) => n + 1) };
}

function Figures({ i }: { i: Import }) {
  const lang = look.value.lang;
  const parts: [string, number][] = [
    ['rows', i.rows],
    ['added', i.added],
    ['changed', i.changed],
    ['same', i.same],
    ['flagged', i.flagged],
    ['refused', i.refused],
  ];
  return (
    <dl class="facts figures">
      {parts.map(([name, n]) => (
        <div>
          <dt>{t(`import.${name}`)}</dt>
          <dd>{formatNumber(n, lang)}</dd>
          <dd class="hint">{t(`import.${name}.hint`)}</dd>
        </div>
      ))}
    </dl>
  );
}

function Problems({ i }: { i: Import }) {
  const lang = look.value.lang;
  if (!i.problems.length) return null;
  return (
    <>
      <h2>{t('import.problems')}</h2>
      <div class="tablebox" tabIndex={0} role="region" aria-label={t('import.problems')}>
        <table class="cards">
          <thead>
            <tr>
              <th scope="col" class="num">{t('import.row')}</th>
              <th scope="col">{t('import.column')}</th>
              <th scope="col">{t('import.expected')}</th>
              <th scope="col">{t('import.became')}</th>
            </tr>
          </thead>
          <tbody>
            {i.problems.map((p) => (
              <tr>
                <td data-label={t('import.row')} class="num">{formatNumber(p.row, lang)}</td>
                <td data-label={t('import.column')}>{p.column}</td>
                <td data-label={t('import.expected')} class="wrap">{p.text}</td>
                <td data-label={t('import.became')}>
                  <span class={p.stops ? 'badge danger' : 'badge warn'}>{p.stops ? t('import.was_refused') : t('import.was_taken')}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {i.refused + i.flagged > i.problems.length && <p class="small quiet">{t('import.more_problems')}</p>}
    </>
  );
}

export default function ImportPage({ params }: PageProps) {
  const id = params.id ?? '';
  const lang = look.value.lang;
  const { i, error, again } = useImport(id);
  const act = useAct();
  useEffect(() => {
    document.title = `${i ? `${t(`import.state.${i.state}`)}: ${i.file}` : t('nav.import')} · Fairway`;
  }, [i]);
  const cancel = () => void act.run(async () => void (await post<Import>(`/api/report/imports/${id}/cancel`))).then(again);
  const refused = () =>
    void act.run(async () => {
      const r = await raw('GET', `/api/report/imports/${id}/refused`);
      saveBlob(await r.blob(), `${fileName('refused', i?.file.replace(/\.\w+$/, '') ?? '')}.csv`);
    });
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1} class="wrap">{i?.file ?? t('nav.import')}</h1>
        {i && <ImportState s={i.state} />}
        <span class="acts">
          <a class="btn" href="/report/imports">{t('import.all')}</a>
          {i && moving(i) && (
            <button type="button" class="btn danger" disabled={act.busy} onClick={cancel}>
              {t('import.stop')}
            </button>
          )}
        </span>
      </div>
      <div class="pad">
        <ErrorBox error={error} again={again} />
        <ErrorBox error={act.error} />
        {i && moving(i) && (
          <div class="stack tight">
            <progress class="progress" max={Math.max(1, i.bytes)} value={i.bytes_read} aria-label={t('import.progress')} />
            <p class="quiet">
              {formatBytes(i.bytes_read, lang)} / {formatBytes(i.bytes, lang)} · {t('import.leave')}
            </p>
          </div>
        )}
        {i?.state === 'failed' && (
          <div class="banner danger boxed" role="alert">
            <Icon name="warn" />
            <div>
              <b>{t('import.failed')}</b>
              <p>{i.message}</p>
            </div>
          </div>
        )}
        {i?.state === 'cancelled' && <p>{t('import.cancelled')}</p>}
        {i && (i.rows > 0 || i.state === 'done') && <Figures i={i} />}
        {i && i.refused > 0 && !moving(i) && (
          <p>
            <button type="button" class="btn" disabled={act.busy} onClick={refused}>
              <Icon name="imports" />
              {t('import.download_refused', { n: i.refused })}
            </button>
          </p>
        )}
        {i && i.state === 'done' && i.added + i.changed > 0 && (
          <p>
            <a class="btn primary" href="/report">{t('import.see_map')}</a>
          </p>
        )}
        {i && <Problems i={i} />}
        {i && (
          <p class="small quiet">
            {i.layout && <>{t('import.layout', { layout: i.layout })} · </>}
            {formatTime(i.started, lang)}
            {i.ended && <> – {formatTime(i.ended, lang)}</>}
          </p>
        )}
      </div>
    </>
  );
}
