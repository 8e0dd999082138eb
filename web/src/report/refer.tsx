// SPDX-License-Identifier: AGPL-3.0-or-later
// Handing a person in need over to protection. What becomes of it is never shown here: only a receipt comes back.
import { useState } from 'preact/hooks';
import type { HandedOver, NewReferral } from '../gen/api';
import { post } from '../lib/api';
import { useCodebooks, valuesOf } from '../lib/codes';
import { t } from '../lib/i18n';
import { Dialog } from '../ui/dialog';
import { Field } from '../ui/field';
import { ErrorBox, say } from '../ui/say';
import { useAct } from '../ui/use';

const URGENCY = ['now', 'today', 'later'] as const;

export function ReferDialog({ id, onClose, onDone }: { id: string; onClose: () => void; onDone: () => void }) {
  useCodebooks();
  const [needs, setNeeds] = useState<string[]>([]);
  const [urgency, setUrgency] = useState<NewReferral['urgency']>('today');
  const [note, setNote] = useState('');
  const [tried, setTried] = useState(false);
  const { busy, error, run } = useAct();
  const toggle = (code: string) => setNeeds(needs.includes(code) ? needs.filter((n) => n !== code) : [...needs, code]);
  const submit = (e: Event) => {
    e.preventDefault();
    setTried(true);
    if (!needs.length) return;
    void run(async () => {
      const body: NewReferral = { needs, urgency, ...(note.trim() ? { note: note.trim() } : {}) };
      await post<HandedOver>(`/api/report/incidents/${id}/referrals`, body);
      say(t('refer.sent'));
    }).then((ok) => ok && onDone());
  };
  return (
    <Dialog title={t('refer.title')} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <p>{t('refer.why')}</p>
        <fieldset class="stack tight">
          <legend class="label">{t('refer.needs')}</legend>
          {tried && !needs.length && <span class="err" role="alert">{t('refer.needs.none')}</span>}
          <div class="cols tight">
            {valuesOf('need').map((v) => (
              <label class="opt">
                <input type="checkbox" checked={needs.includes(v.code)} onChange={() => toggle(v.code)} />
                {v.label}
              </label>
            ))}
          </div>
        </fieldset>
        <fieldset class="row">
          <legend class="label">{t('refer.urgency')}</legend>
          {URGENCY.map((u) => (
            <label class="opt">
              <input type="radio" name="urgency" checked={urgency === u} onChange={() => setUrgency(u)} />
              {t(`urgency.${u}`)}
            </label>
          ))}
        </fieldset>
        <Field label={t('refer.note')} hint={t('refer.note.hint')} optional>
          <textarea class="in" maxLength={2000} value={note} onInput={(e) => setNote(e.currentTarget.value)} />
        </Field>
        <ErrorBox error={error} />
        <div class="row">
          <button class="btn protect" disabled={busy}>
            {busy ? t('action.wait') : t('refer.hand_over')}
          </button>
          <button type="button" class="btn" onClick={onClose}>
            {t('action.cancel')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
