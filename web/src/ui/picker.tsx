// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * A value of a codebook, found by typing: the combobox of the ARIA patterns.
 * Every word typed must begin a word of the label, the code, or a broader
 * value; so "fish 15" finds "Fishing vessel, under 15 m".
 */
import { useId, useRef, useState } from 'preact/hooks';
import type { CodeValue } from '../gen/api';
import { bookVersion, label, pathOf, useCodebooks, valuesOf } from '../lib/codes';
import { t } from '../lib/i18n';
import { Icon } from './icon';

/* Without accents and Arabic vowel signs; Thai vowels are letters and stay. */
const fold = (s: string): string => s.normalize('NFD').replace(/[\u0300-\u036f\u064b-\u0652]/g, '').toLowerCase();

export function matches(words: string[], text: string): boolean {
  const parts = fold(text).split(/[^\p{L}\p{N}]+/u);
  // Scripts without spaces between words are searched inside.
  return words.every((w) => parts.some((p) => p.startsWith(w)) || (/[^\u0000-\u024f]/.test(w) && fold(text).includes(w)));
}

export function search(book: string, typed: string, values = valuesOf(book)): CodeValue[] {
  const words = fold(typed).split(/\s+/).filter(Boolean);
  if (!words.length) return values;
  return values.filter((v) => matches(words, `${label(book, v.code)} ${v.code} ${pathOf(book, v.code).join(' ')}`));
}

interface Base {
  book: string;
  id?: string;
  'aria-describedby'?: string;
  'aria-invalid'?: 'true';
}

interface OneProps extends Base {
  value: string | undefined;
  onValue: (code: string | undefined) => void;
  placeholder?: string;
}

export function Picker({ book, value, onValue, placeholder, ...aria }: OneProps) {
  useCodebooks();
  const list = useId();
  const [typed, setTyped] = useState<string | undefined>();
  const [at, setAt] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const open = typed !== undefined;
  const found = open ? search(book, typed === label(book, value) ? '' : typed) : [];
  const shown = found.slice(0, 100);

  const choose = (v: CodeValue | undefined) => {
    setTyped(undefined);
    onValue(v?.code);
  };
  const leave = () => {
    // What was typed and not taken is not kept: a code is chosen, never guessed.
    if (typed === '') onValue(undefined);
    setTyped(undefined);
  };
  const onKey = (e: KeyboardEvent) => {
    if (!open && (e.key === 'ArrowDown' || e.key === 'Enter')) {
      setTyped('');
      setAt(0);
    } else if (e.key === 'ArrowDown') setAt(Math.min(shown.length - 1, at + 1));
    else if (e.key === 'ArrowUp') setAt(Math.max(0, at - 1));
    else if (e.key === 'Enter' && open) choose(shown[at]);
    else if (e.key === 'Escape' && open) {
      e.stopPropagation();
      setTyped(undefined);
    } else return;
    e.preventDefault();
    requestAnimationFrame(() => box.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' }));
  };

  return (
    <div class="picker" ref={box}>
      <input
        {...aria}
        class="in"
        role="combobox"
        aria-expanded={open}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={open && shown[at] ? `${list}-${at}` : undefined}
        autocomplete="off"
        spellcheck={false}
        placeholder={placeholder ?? t('picker.type')}
        value={typed ?? label(book, value)}
        onInput={(e) => (setTyped(e.currentTarget.value), setAt(0))}
        onFocus={(e) => e.currentTarget.select()}
        onClick={() => open || (setTyped(''), setAt(0))}
        onBlur={leave}
        onKeyDown={onKey}
      />
      <ul class="list" role="listbox" id={list} hidden={!open} aria-label={t('picker.values')}>
        {shown.map((v, i) => (
          <li
            key={v.code}
            id={`${list}-${i}`}
            role="option"
            aria-selected={i === at}
            onPointerDown={(e) => {
              e.preventDefault();
              choose(v);
            }}
          >
            <span>{label(book, v.code)}</span>
            <span class="up">{pathOf(book, v.code).join(' › ')}</span>
            {i === at && v.note && <span class="hint">{v.note}</span>}
          </li>
        ))}
        <li role="option" aria-disabled="true" aria-selected="false" class="hint">
          <span>{shown.length ? t('picker.found', { n: found.length }) : t('picker.nothing')}</span>
          <span class="up">{t('picker.book', { version: bookVersion(book) })}</span>
        </li>
      </ul>
    </div>
  );
}

interface ManyProps extends Base {
  value: string[];
  onValue: (codes: string[]) => void;
}

export function PickMany({ book, value, onValue, ...aria }: ManyProps) {
  return (
    <div>
      <div class="picked">
        {value.map((code) => (
          <span class="chip">
            <b>{label(book, code)}</b>
            <button type="button" aria-label={t('filter.remove', { name: label(book, code) })} onClick={() => onValue(value.filter((c) => c !== code))}>
              <Icon name="close" />
            </button>
          </span>
        ))}
      </div>
      <Picker {...aria} key={value.join()} book={book} value={undefined} placeholder={t('picker.add')} onValue={(c) => c && !value.includes(c) && onValue([...value, c])} />
    </div>
  );
}
