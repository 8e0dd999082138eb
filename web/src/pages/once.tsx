// SPDX-License-Identifier: AGPL-3.0-or-later
// A password shown once, to be handed over; the account must set its own at the first log-in.
import { useState } from 'preact/hooks';
import { t } from '../lib/i18n';
import { Dialog } from '../ui/dialog';

export function OncePassword({ account, password, onClose }: { account: string; password: string; onClose: () => void }) {
  const [kept, setKept] = useState(false);
  return (
    <Dialog
      title={t('once.title', { account })}
      actions={
        <button type="button" class="btn primary" disabled={!kept} onClick={onClose}>
          {t('action.close')}
        </button>
      }
    >
      <p>{t('once.why')}</p>
      <p class="once ltr">{password}</p>
      <label class="opt">
        <input type="checkbox" checked={kept} onChange={(e) => setKept(e.currentTarget.checked)} />
        {t('once.kept')}
      </label>
    </Dialog>
  );
}
