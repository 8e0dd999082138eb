// SPDX-License-Identifier: AGPL-3.0-or-later
// A labelled field with hint and error, tied together for those who hear the page.
import { cloneElement, type ComponentChildren, type VNode } from 'preact';
import { useId, useState } from 'preact/hooks';
import { t } from '../lib/i18n';
import { Icon } from './icon';

interface FieldProps {
  label: ComponentChildren;
  hint?: ComponentChildren;
  error?: string;
  optional?: boolean;
  children: VNode<any>;
}

export function Field({ label, hint, error, optional, children }: FieldProps) {
  const id = useId();
  const described = [hint ? `${id}-hint` : '', error ? `${id}-err` : ''].filter(Boolean).join(' ');
  return (
    <div class="field">
      <label for={id}>
        {label}
        {optional && <span class="opt-note"> · {t('field.optional')}</span>}
      </label>
      {cloneElement(children, { id, 'aria-describedby': described || undefined, 'aria-invalid': error ? 'true' : undefined })}
      {hint && (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {error && (
        <span class="err" id={`${id}-err`}>
          <Icon name="warn" />
          {error}
        </span>
      )}
    </div>
  );
}

interface PasswordProps {
  id?: string;
  value: string;
  onValue: (v: string) => void;
  autocomplete: string;
  'aria-describedby'?: string;
  'aria-invalid'?: 'true';
}

/* A password that can be looked at: long ones are typed wrong less often. */
export function Password({ value, onValue, autocomplete, ...aria }: PasswordProps) {
  const [shown, show] = useState(false);
  return (
    <div class="pw">
      <input
        {...aria}
        class="in"
        // Both kinds take the same attributes; the types of the two do not know it.
        type={(shown ? 'text' : 'password') as 'password'}
        autocomplete={autocomplete}
        autocapitalize="none"
        spellcheck={false}
        required
        maxLength={1024}
        value={value}
        onInput={(e) => onValue(e.currentTarget.value)}
      />
      <button type="button" class="btn bare small" aria-pressed={shown} onClick={() => show(!shown)}>
        {shown ? t('field.hide') : t('field.show')}
      </button>
    </div>
  );
}
