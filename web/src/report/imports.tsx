// SPDX-License-Identifier: AGPL-3.0-or-later
// Handing files in, and the imports there were. A running one can be left: its page finds it again.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Import, Imports } from '../gen/api';
import { get, upload } from '../lib/api';
import { formatBytes, formatNumber, formatTime } from '../lib/format';
import { look, t } from '../lib/i18n';
import { navigate } from '../lib/router';
import { Icon } from '../ui/icon';
import { ErrorBox } from '../ui/say';
import { useLoad } from '../ui/use';

/* The node's own limit is not known here; this one only spares a hopeless upload. */
const LARGEST = 4_000_000_000;

export function ImportState({ s }: { s: Import['state'] }) {
  const kind = s === 'done' ? 'accent' : s === 'failed' ? 'danger' : s === 'cancelled' ? 'warn' : '';
  return <span class={`badge ${kind}`}>{t(`import.state.${s}`)}</span>;
}

function Drop({ onFile, busy }: { onFile: (f: File) => void; busy: boolean }) {
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const onDrop = (e: DragEvent) => {
    e.preventDefault();
    setOver(false);
    const f = e.dataTransfer?.files[0];
    if (f && !busy) onFile(f);
  };
  return (
    <div
      class={over ? 'drop over' : 'drop'}
      onDragOver={(e) => (e.preventDefault(), setOver(true))}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
    >
      <Icon name="imports" />
      <p>
        <b>{t('import.drop')}</b>
      </p>
      <p class="small quiet">{t('import.layouts')}</p>
      <input
        ref={input}
        type="file"
        hidden
        accept=".csv,.gz,.jsonl,.ndjson,.json"
        onChange={(e) => {
          const f = e.currentTarget.files?.[0];
          if (f) onFile(f);
          e.currentTarget.value = '';
        }}
      />
      <button type="button" class="btn primary" disabled={busy} onClick={() => input.current?.click()}>
        {t('import.choose')}
      </button>
    </div>
  );
}

interface Sending {
  name: string;
  size: number;
  sent: number;
  stop: AbortController;
}

export default function ImportsPage() {
  const lang = look.value.lang;
  const { data, error, again } = useLoad((signal) => get<Imports>('/api/report/imports', undefined, { signal }), []);
  const [sending, setSending] = useState<Sending | undefined>();
  const [failed, setFailed] = useState<unknown>();
  useEffect(() => {
    document.title = `${t('nav.imports')} · Fairway`;
  });
  // A half-sent file is worth asking about; a whole one is the node's.
  useEffect(() => {
    if (!sending) return;
    const ask = (e: BeforeUnloadEvent) => e.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [!!sending]);

  const send = async (f: File) => {
    setFailed(undefined);
    if (f.size > LARGEST || f.size === 0) {
      setFailed(new Error(t(f.size ? 'import.too_large' : 'import.empty_file')));
      return;
    }
    const stop = new AbortController();
    setSending({ name: f.name, size: f.size, sent: 0, stop });
    try {
      const made = await upload<Import>('/api/report/imports', f, { file: f.name.slice(0, 255) }, (sent) => setSending({ name: f.name, size: f.size, sent, stop }), stop.signal);
      navigate(`/report/imports/${made.id}`);
    } catch (e) {
      if (!stop.signal.aborted) setFailed(e);
    } finally {
      setSending(undefined);
    }
  };

  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{t('nav.imports')}</h1>
        <span class="sub">{t('import.sub')}</span>
      </div>
      <div class="pad">
        {failed ? (
          <ErrorBox error={failed}>
            <p>{t('import.nothing_kept')}</p>
          </ErrorBox>
        ) : null}
        {sending ? (
          <div class="stack tight" role="status">
            <p>
              {t('import.sending', { file: sending.name })} {formatBytes(sending.sent, lang)} / {formatBytes(sending.size, lang)}
            </p>
            <progress class="progress" max={sending.size} value={sending.sent} aria-label={t('import.sending', { file: sending.name })} />
            <p>
              <button type="button" class="btn small" onClick={() => sending.stop.abort()}>
                {t('action.cancel')}
              </button>
            </p>
          </div>
        ) : (
          <Drop busy={false} onFile={(f) => void send(f)} />
        )}
        <h2>{t('import.earlier')}</h2>
        <ErrorBox error={error} again={again} />
        {data && data.imports.length === 0 && <p class="quiet">{t('import.none')}</p>}
        {data && data.imports.length > 0 && (
          <div class="tablebox" tabIndex={0} role="region" aria-label={t('import.earlier')}>
            <table class="cards">
              <thead>
                <tr>
                  <th scope="col">{t('import.file')}</th>
                  <th scope="col">{t('import.when')}</th>
                  <th scope="col">{t('list.status')}</th>
                  <th scope="col" class="num">{t('import.rows')}</th>
                  <th scope="col" class="num">{t('import.added')}</th>
                  <th scope="col" class="num">{t('import.refused')}</th>
                </tr>
              </thead>
              <tbody>
                {data.imports.map((i) => (
                  <tr data-row class="go">
                    <th scope="row" class="wrap">
                      <a data-open href={`/report/imports/${i.id}`}>{i.file}</a>
                    </th>
                    <td data-label={t('import.when')}>{formatTime(i.started, lang)}</td>
                    <td data-label={t('list.status')}><ImportState s={i.state} /></td>
                    <td data-label={t('import.rows')} class="num">{formatNumber(i.rows, lang)}</td>
                    <td data-label={t('import.added')} class="num">{formatNumber(i.added, lang)}</td>
                    <td data-label={t('import.refused')} class="num">{formatNumber(i.refused, lang)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </div>
    </>
  );
}
