// SPDX-License-Identifier: AGPL-3.0-or-later
// The workspaces that this account may enter, and no others.
import { t } from '../lib/i18n';
import { path } from '../lib/router';
import { Icon, type IconName } from '../ui/icon';
import { pagesOf, workspaces } from './pages';

const icons: Record<string, IconName> = {
  overview: 'overview', list: 'list', form: 'form', imports: 'imports', referrals: 'protect', accounts: 'accounts', agencies: 'agencies',
};

function iconOf(page: string): IconName {
  return icons[page] ?? (page.startsWith('ledger') ? 'ledger' : 'key');
}

export function Rail({ open }: { open: boolean }) {
  const here = path.value.replace(/\/+$/, '');
  return (
    <nav id="rail" class={open ? 'rail open' : 'rail'} aria-label={t('shell.workspaces')}>
      {workspaces.map((w) => {
        const own = pagesOf(w.name);
        if (!own.length) return null;
        return (
          <>
            <div class={`ws ${w.name}`}>
              <Icon name={w.icon} />
              <span class="tx">{t(`workspace.${w.name}`)}</span>
            </div>
            <ul aria-label={t(`workspace.${w.name}`)}>
              {own.map((p) => (
                <li>
                  <a href={p.pattern} aria-current={here === p.pattern ? 'page' : undefined} title={t(`nav.${p.name}`)}>
                    <Icon name={iconOf(p.name)} />
                    <span class="tx">{t(`nav.${p.name}`)}</span>
                  </a>
                </li>
              ))}
            </ul>
          </>
        );
      })}
      <div class="foot">{t('shell.foot')}</div>
    </nav>
  );
}
