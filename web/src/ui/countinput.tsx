// SPDX-License-Identifier: AGPL-3.0-or-later
// A count in its four states. A field that nobody touched says "not collected", never zero.
import { useState } from 'preact/hooks';
import type { Count } from '../gen/api';
import { countState, type CountState } from '../lib/format';
import { t } from '../lib/i18n';
import { Gap, Icon } from './icon';
import { Menu } from './menu';

const STATES: CountState[] = ['number', 'unknown', 'not_collected', 'withheld'];

const mark = (s: CountState) => (s === 'number' ? <span class="one" /> : <Gap name={s} />);

interface Props {
  value: Count | undefined;
  onValue: (v: Count | undefined) => void;
  label: string;
  id?: string;
  'aria-describedby'?: string;
  'aria-invalid'?: 'true';
}

export function CountInput({ value, onValue, label, ...aria }: Props) {
  // Between choosing "number" and typing one there is no value yet.
  const [waiting, setWaiting] = useState(false);
  const state = waiting && value === undefined ? 'number' : countState(value);
  const choose = (s: CountState) => {
    setWaiting(s === 'number');
    onValue(s === 'number' || s === 'not_collected' ? undefined : s);
  };
  const type = (text: string) => {
    const digits = text.replace(/[^\d]/g, '').slice(0, 9);
    setWaiting(true);
    onValue(digits === '' ? undefined : Number(digits));
  };
  return (
    <div class="count">
      {state === 'number' || state === 'not_collected' ? (
        <input
          {...aria}
          class={state === 'number' ? 'in num' : 'in num nc'}
          inputMode="numeric"
          autocomplete="off"
          placeholder={state === 'number' ? '' : t('state.not_collected')}
          value={typeof value === 'number' ? String(value) : ''}
          onInput={(e) => type(e.currentTarget.value)}
        />
      ) : (
        <span class="state" id={aria.id} role="img" aria-label={t(`state.${state}`)}>
          <svg aria-hidden="true">
            <rect width="100%" height="100%" fill={`url(#gap-${state})`} opacity=".6" />
          </svg>
          <span>{t(`state.${state}`)}</span>
        </span>
      )}
      <Menu
        class="in statebtn"
        label={t('count.state', { name: label })}
        items={STATES.map((s) => ({
          label: (
            <>
              {mark(s)}
              {t(`state.${s}`)}
            </>
          ),
          checked: s === state,
          act: () => choose(s),
        }))}
      >
        {mark(state)}
        <Icon name="down" />
      </Menu>
    </div>
  );
}
