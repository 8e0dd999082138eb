// SPDX-License-Identifier: AGPL-3.0-or-later
// Agencies of the State, to which accounts and reports belong.
import { useEffect, useState } from 'preact/hooks';
import type { Agencies, Agency } from '../gen/api';
import { get, post } from '../lib/api';
import { t } from '../lib/i18n';
import { mayIn } from '../lib/session';
import { Field } from '../ui/field';
import { ErrorBox, say } from '../ui/say';
import { useAct, useLoad } from '../ui/use';

function NewAgency({ onMade }: { onMade: () => void }) {
  const [code, setCode] = useState('');
  const [name, setName] = useState('');
  const { busy, error, run } = useAct();
  const bad = code !== '' && !/^[A-Za-z0-9][A-Za-z0-9-]{0,31}$/.test(code);
  const submit = (e: Event) => {
    e.preventDefault();
    if (bad) return;
    void run(async () => {
      const made = await post<Agency>('/api/agencies', { code, name: name.trim() });
      say(t('agencies.made', { name: made.name }));
      setCode('');
      setName('');
      onMade();
    });
  };
  return (
    <form class="stack" onSubmit={submit}>
      <h2>{t('agencies.new')}</h2>
      <ErrorBox error={error} />
      <div class="cols">
        <Field label={t('agencies.code')} hint={t('agencies.code.hint')} error={bad ? t('agencies.code.hint') : ''}>
          <input class="in" autocomplete="off" required maxLength={32} value={code} onInput={(e) => setCode(e.currentTarget.value)} />
        </Field>
        <Field label={t('agencies.name')}>
          <input class="in" autocomplete="off" required maxLength={200} value={name} onInput={(e) => setName(e.currentTarget.value)} />
        </Field>
      </div>
      <p>
        <button class="btn primary" disabled={busy}>{busy ? t('action.wait') : t('agencies.make')}</button>
      </p>
    </form>
  );
}

export default function AgenciesPage() {
  const { data, error, again } = useLoad((signal) => get<Agencies>('/api/agencies', undefined, { signal }), []);
  useEffect(() => {
    document.title = `${t('nav.agencies')} · Fairway`;
  });
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{t('nav.agencies')}</h1>
        {data && <span class="sub">{t('agencies.sub', { n: data.agencies.length })}</span>}
      </div>
      <div class="pad">
        <ErrorBox error={error} again={again} />
        {data && (
          <div class="tablebox" tabIndex={0} role="region" aria-label={t('nav.agencies')}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{t('agencies.code')}</th>
                  <th scope="col">{t('agencies.name')}</th>
                </tr>
              </thead>
              <tbody>
                {data.agencies.map((a) => (
                  <tr data-row>
                    <th scope="row">{a.code}</th>
                    <td>{a.name}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        {mayIn('house', 'accounts.manage') && <NewAgency onMade={again} />}
      </div>
    </>
  );
}
