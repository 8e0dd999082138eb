// SPDX-License-Identifier: AGPL-3.0-or-later
// A count as it is read: a number, or the word and texture for what is not one.
import type { Count } from '../gen/api';
import { formatNumber } from '../lib/format';
import { look, t } from '../lib/i18n';
import { Gap } from './icon';

export function CountValue({ c }: { c: Count | undefined }) {
  if (typeof c === 'number') return <>{formatNumber(c, look.value.lang)}</>;
  const state = c ?? 'not_collected';
  return (
    <span class="cv">
      <Gap name={state} />
      {t(`state.${state}`)}
    </span>
  );
}
