// SPDX-License-Identifier: AGPL-3.0-or-later
// The figures above the map. Each carries its own gap; none is the sum of others.
import { formatNumber } from '../lib/format';
import { look, t } from '../lib/i18n';
import { Gap, type GapName } from '../ui/icon';
import type { Measure } from './columns';
import type { Result, Sum } from './cross';

/* The largest gap of a measure, in words. */
function GapLine({ s }: { s: Sum }) {
  const gaps: GapName[] = ['unknown', 'not_collected', 'withheld'];
  const [worst] = gaps.map((g) => ({ g, n: s[g] })).sort((a, b) => b.n - a.n);
  if (!worst || worst.n === 0) return <dd class="g">{t('kpi.complete')}</dd>;
  const others = s.unknown + s.not_collected + s.withheld - worst.n;
  return (
    <dd class="g">
      <Gap name={worst.g} />
      <span>{others ? t(`kpi.gap_more.${worst.g}`, { n: worst.n }) : t(`kpi.gap.${worst.g}`, { n: worst.n })}</span>
    </dd>
  );
}

function Figure({ m, s }: { m: Measure; s: Sum }) {
  return (
    <div>
      <dt>{t(`count.${m}`)}</dt>
      <dd>
        {s.counted ? formatNumber(s.sum, look.value.lang) : t('figure.no_total')}
        {s.counted > 0 && <small>{t(`kpi.unit.${m}`)}</small>}
      </dd>
      <GapLine s={s} />
    </div>
  );
}

export function Kpi({ result }: { result: Result }) {
  const lang = look.value.lang;
  const off = result.n - result.withPosition;
  return (
    <dl class="kpi">
      <div>
        <dt>{t('count.incidents')}</dt>
        <dd>
          {formatNumber(result.n, lang)}
          <small>{t('kpi.unit.incidents')}</small>
        </dd>
        <dd class="g">{off ? t('kpi.no_position', { n: off }) : result.vaguePosition ? t('kpi.vague', { n: result.vaguePosition }) : t('kpi.all_placed')}</dd>
      </div>
      {(['dead', 'missing', 'survivors', 'persons'] as Measure[]).map((m) => (
        <Figure m={m} s={result.totals[m]} />
      ))}
    </dl>
  );
}
