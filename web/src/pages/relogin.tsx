// SPDX-License-Identifier: AGPL-3.0-or-later
// The session ended while a page was open: log in again over it. The page and what was typed stay as they are.
import { useState } from 'preact/hooks';
import { sessionRenewed } from '../lib/api';
import { t } from '../lib/i18n';
import { pendingState, session } from '../lib/session';
import { Dialog } from '../ui/dialog';
import { FactorForm, LoginForm } from './gates';

export default function Relogin() {
  const [account] = useState(session.value?.account ?? '');
  const leave = () => {
    sessionRenewed(false);
    location.assign('/');
  };
  return (
    <Dialog
      title={t('relogin.title')}
      actions={
        <button type="button" class="btn" onClick={leave}>
          {t('relogin.leave')}
        </button>
      }
    >
      <p>{t('relogin.why')}</p>
      {pendingState.value === 'second_factor' ? <FactorForm /> : <LoginForm account={account} />}
    </Dialog>
  );
}
