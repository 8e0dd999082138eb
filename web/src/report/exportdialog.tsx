// SPDX-License-Identifier: AGPL-3.0-or-later
// Taking data out: the form of the file, and for what. The purpose goes into the ledger with the reading.
import { useState } from 'preact/hooks';
import { raw } from '../lib/api';
import { formatBytes } from '../lib/format';
import { look, t } from '../lib/i18n';
import { fileName, saveBlob } from '../lib/save';
import { session } from '../lib/session';
import { PURPOSES } from '../lib/purposes';
import { Dialog } from '../ui/dialog';
import { Field } from '../ui/field';
import { ErrorBox } from '../ui/say';
import { useAct } from '../ui/use';
import { apiQuery, type Filter } from './filter';
import { filterWords } from './filterbar';

const FORMATS = ['csv', 'geojson', 'jsonl'] as const;

/* The body as it comes, so that a long export shows that it runs. */
async function readAll(r: Response, onBytes: (n: number) => void): Promise<Blob> {
  const reader = r.body?.getReader();
  if (!reader) return r.blob();
  const parts: BlobPart[] = [];
  let n = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value as BlobPart);
    n += value.length;
    onBytes(n);
  }
  return new Blob(parts, { type: r.headers.get('Content-Type') ?? 'application/octet-stream' });
}

export function ExportDialog({ f, status, n, onClose }: { f: Filter; status?: string; n: number; onClose: () => void }) {
  const [format, setFormat] = useState<(typeof FORMATS)[number]>('csv');
  const [purpose, setPurpose] = useState('');
  const [bytes, setBytes] = useState(0);
  const { busy, error, run } = useAct();
  const submit = (e: Event) => {
    e.preventDefault();
    void run(async () => {
      setBytes(0);
      const r = await raw('GET', '/api/report/export', { query: { ...apiQuery(f), status: status || undefined, format }, purpose });
      const day = new Date().toISOString().slice(0, 10);
      saveBlob(await readAll(r, setBytes), `${fileName('fairway-incidents', day, session.value?.exercise ? 'exercise' : '')}.${format}`);
    }).then((ok) => ok && onClose());
  };
  return (
    <Dialog title={t('export.title', { n })} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <p class="small quiet">{filterWords(f)}</p>
        <fieldset class="stack tight">
          <legend class="label">{t('export.format')}</legend>
          {FORMATS.map((x) => (
            <label class="opt">
              <input type="radio" name="format" value={x} checked={format === x} onChange={() => setFormat(x)} />
              <span>
                {t(`export.${x}`)}
                <span class="hint">{t(`export.${x}.hint`)}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <Field label={t('export.purpose')} hint={t('export.purpose.hint')}>
          <select class="in" required value={purpose} onChange={(e) => setPurpose(e.currentTarget.value)}>
            <option value="">{t('export.choose')}</option>
            {PURPOSES.map((p) => (
              <option value={p}>{t(`purpose.${p}`)}</option>
            ))}
          </select>
        </Field>
        <ErrorBox error={error} />
        <div class="row">
          <button class="btn primary" disabled={busy}>
            {busy ? t('export.running', { size: formatBytes(bytes, look.value.lang) }) : t('export.go')}
          </button>
          <button type="button" class="btn" onClick={onClose}>
            {t('action.cancel')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
