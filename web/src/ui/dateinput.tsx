// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * A date as it is written between States: 2026, 2026-11 or 2026-11-25.  The
 * browser's own date field follows the computer's country, where 03/04 may be
 * March or April; this one is the same everywhere and takes a date that is
 * known by month or year only.
 */
import { useEffect, useState } from 'preact/hooks';
import { t } from '../lib/i18n';

const FORM = /^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$/;

/* "" or a date that exists; undefined for anything else. Also takes 2026/11/25 and 2026.11.25. */
export function parseDate(text: string): string | undefined {
  const s = text.trim().replace(/[/.]/g, '-').replace(/-(\d)(?=-|$)/g, '-0$1');
  if (s === '') return '';
  if (!FORM.test(s)) return undefined;
  if (s.length === 10 && new Date(`${s}T00:00:00Z`).toISOString().slice(0, 10) !== s) return undefined;
  return s;
}

interface Props {
  value: string;
  onValue: (v: string) => void;
  id?: string;
  label?: string;
  placeholder?: string;
  'aria-describedby'?: string;
  'aria-invalid'?: 'true';
}

export function DateInput({ value, onValue, label, placeholder, ...aria }: Props) {
  const [text, setText] = useState(value);
  const bad = parseDate(text) === undefined;
  useEffect(() => setText(value), [value]);
  const leave = () => {
    const d = parseDate(text);
    if (d !== undefined && d !== value) onValue(d);
  };
  return (
    <input
      {...aria}
      class="in ltr"
      inputMode="numeric"
      autocomplete="off"
      maxLength={10}
      placeholder={placeholder ?? t('date.form')}
      aria-label={label}
      aria-invalid={bad ? 'true' : aria['aria-invalid']}
      title={bad ? t('date.bad') : t('date.form_hint')}
      value={text}
      onInput={(e) => setText(e.currentTarget.value)}
      onBlur={leave}
      onKeyDown={(e) => e.key === 'Enter' && leave()}
    />
  );
}
