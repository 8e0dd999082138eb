// SPDX-License-Identifier: AGPL-3.0-or-later
// The ledger of a vault: who did what, when, for what purpose; and its check from the first entry.
import { useEffect, useState } from 'preact/hooks';
import type { LedgerEntry, LedgerPage as Page, LedgerVerdict, Vault } from '../gen/api';
import { get, post } from '../lib/api';
import { formatNumber, formatTime } from '../lib/format';
import { hasMessage, look, t } from '../lib/i18n';
import { path, query, setQuery, withQuery } from '../lib/router';
import { saveBlob } from '../lib/save';
import { Dialog } from '../ui/dialog';
import { Field } from '../ui/field';
import { Icon } from '../ui/icon';
import { ErrorBox } from '../ui/say';
import { useAct, useLoad } from '../ui/use';

const eventWords = (code: string): string => (hasMessage(`event.${code}`) ? t(`event.${code}`) : code);
const purposeWords = (code: string | undefined): string => (code ? (hasMessage(`purpose.${code}`) ? t(`purpose.${code}`) : code) : '');

function Verify({ vault, onClose }: { vault: Vault; onClose: () => void }) {
  const [outside, setOutside] = useState('');
  const [verdict, setVerdict] = useState<LedgerVerdict | undefined>();
  const { busy, error, run } = useAct();
  const submit = (e: Event) => {
    e.preventDefault();
    void run(async () => setVerdict(await post<LedgerVerdict>(`/api/${vault}/ledger/verify`, outside.trim() ? { outside: outside.trim() + '\n' } : {})));
  };
  const lang = look.value.lang;
  return (
    <Dialog title={t('ledger.verify')} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <p>{t('ledger.verify.why')}</p>
        <Field label={t('ledger.outside')} hint={t('ledger.outside.hint')} optional>
          <textarea class="in mono ltr" spellcheck={false} value={outside} onInput={(e) => setOutside(e.currentTarget.value)} />
        </Field>
        <ErrorBox error={error} />
        {verdict && (
          <div class={verdict.verified ? 'banner ok boxed' : 'banner danger boxed'} role="alert">
            <Icon name={verdict.verified ? 'check' : 'warn'} />
            <div>
              <b>{t(verdict.verified ? 'ledger.good' : 'ledger.bad')}</b>
              <p>{verdict.words}</p>
              <p class="small">{t('ledger.counts', { n: verdict.entries, waiting: formatNumber(verdict.waiting, lang), erased: formatNumber(verdict.erased, lang), checkpoints: formatNumber(verdict.checkpoints, lang) })}</p>
            </div>
          </div>
        )}
        <div class="row">
          <button class="btn primary" disabled={busy}>{busy ? t('action.wait') : t('ledger.verify_go')}</button>
          <button type="button" class="btn" onClick={onClose}>{t('action.close')}</button>
        </div>
      </form>
    </Dialog>
  );
}

function Entry({ e }: { e: LedgerEntry }) {
  const lang = look.value.lang;
  return (
    <tr data-row>
      <td data-label={t('ledger.position')} class="num">{e.position === undefined ? <span class="faint">{t('ledger.young')}</span> : formatNumber(e.position, lang)}</td>
      <td data-label={t('ledger.at')} class="nowrap">{formatTime(e.at, lang)}</td>
      <th scope="row">
        {eventWords(e.event)}
        {e.erased && <span class="badge warn">{t('ledger.erased')}</span>}
      </th>
      <td data-label={t('ledger.who')} class="mono small ltr" title={e.account}>{e.account?.slice(0, 8)}</td>
      <td data-label={t('export.purpose')}>{purposeWords(e.purpose)}</td>
      <td data-label={t('ledger.subjects')} class="num">{formatNumber(e.subjects, lang)}</td>
      <td data-label={t('ledger.route')} class="small">{e.route}</td>
    </tr>
  );
}

export default function LedgerPage() {
  const vault = path.value.split('/')[2] as Vault;
  const lang = look.value.lang;
  const q = query.value;
  const event = q.get('event') ?? '';
  const [checking, setChecking] = useState(false);
  const { data, error, again } = useLoad((signal) => get<Page>(`/api/${vault}/ledger`, { after: q.get('after') ?? undefined, event: event || undefined }, { signal }), [vault, q.toString()]);
  const title = t(`nav.ledger_${vault}`);
  useEffect(() => {
    document.title = `${title} · Fairway`;
  });
  const next = new URLSearchParams(q);
  if (data?.next) next.set('after', data.next);
  const events = [...new Set([...(data?.entries.map((e) => e.event) ?? []), ...(event ? [event] : [])])].sort();
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{title}</h1>
        {data && <span class="sub">{t('ledger.sub', { n: data.size })}</span>}
        <span class="acts">
          {data?.checkpoint && (
            <button type="button" class="btn" onClick={() => saveBlob(new Blob([data.checkpoint ?? ''], { type: 'text/plain' }), `checkpoint-${vault}-${data.size}.txt`)}>
              <Icon name="imports" />
              {t('ledger.checkpoint')}
            </button>
          )}
          <button type="button" class="btn primary" onClick={() => setChecking(true)}>{t('ledger.verify')}</button>
        </span>
      </div>
      <div class="bar">
        <label class="counted">
          {t('ledger.event')}
          <select class="in" value={event} onChange={(e) => setQuery({ event: e.currentTarget.value || undefined, after: undefined })}>
            <option value="">{t('ledger.every')}</option>
            {events.map((x) => <option value={x}>{eventWords(x)}</option>)}
          </select>
        </label>
        {data && (
          <span class="small quiet wrap">
            {t('ledger.root')} <span class="mono ltr">{data.root}</span>
          </span>
        )}
      </div>
      {error ? (
        <div class="pad">
          <ErrorBox error={error} again={again} />
        </div>
      ) : null}
      {data && data.entries.length === 0 && (
        <div class="empty">
          <p>{t('ledger.none')}</p>
        </div>
      )}
      {data && data.entries.length > 0 && (
        <div class="sheet tablebox" tabIndex={0} role="region" aria-label={title}>
          <table class="cards">
            <thead>
              <tr>
                <th scope="col" class="num">{t('ledger.position')}</th>
                <th scope="col">{t('ledger.at')}</th>
                <th scope="col">{t('ledger.event')}</th>
                <th scope="col">{t('ledger.who')}</th>
                <th scope="col">{t('export.purpose')}</th>
                <th scope="col" class="num">{t('ledger.subjects')}</th>
                <th scope="col">{t('ledger.route')}</th>
              </tr>
            </thead>
            <tbody>
              {data.entries.map((e) => (
                <Entry key={e.id} e={e} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <nav class="bar pager" aria-label={t('list.pages')}>
        {q.get('after') && <a class="btn" href={withQuery(path.value, new URLSearchParams(event ? { event } : {}))}>{t('list.first')}</a>}
        {data?.next && <a class="btn" href={withQuery(path.value, next)}>{t('list.next')}</a>}
        <span class="small quiet">{data ? t('ledger.origin', { origin: data.origin, size: formatNumber(data.size, lang) }) : ''}</span>
      </nav>
      {checking && <Verify vault={vault} onClose={() => setChecking(false)} />}
    </>
  );
}
