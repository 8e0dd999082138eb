// SPDX-License-Identifier: AGPL-3.0-or-later
// What the page says besides its content: for screen readers (live region), for the eye (a line that goes), and for errors.
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { ApiError } from '../lib/api';
import { hasMessage, t } from '../lib/i18n';
import { Icon } from './icon';

const polite = signal('');
const toast = signal('');
let timer: ReturnType<typeof setTimeout> | undefined;

/* Heard, not seen. */
export function announce(text: string): void {
  polite.value = polite.value === text ? `${text}\u00a0` : text;
}

/* Seen for a while, and heard. */
export function say(text: string): void {
  announce(text);
  toast.value = text;
  clearTimeout(timer);
  timer = setTimeout(() => (toast.value = ''), 6000);
}

export function Voice() {
  return (
    <>
      <div class="vh" role="status" aria-live="polite">
        {polite.value}
      </div>
      {toast.value && (
        <div class="toast" aria-hidden="true">
          {toast.value}
        </div>
      )}
    </>
  );
}

/* An error in words: the catalogue's own for what it knows, the node's for the rest. */
export function errorWords(e: unknown): { title: string; detail: string; place?: string } {
  if (e instanceof ApiError) {
    const { code, detail, title, place } = e.problem;
    const known = hasMessage(`error.${code}`);
    const wait = e.retryAfter ? t('error.wait', { n: e.retryAfter }) : '';
    return {
      title: known ? t(`error.${code}`) : title || t('error.unexpected'),
      detail: [detail || (hasMessage(`error.${code}.detail`) ? t(`error.${code}.detail`) : ''), wait].filter(Boolean).join(' '),
      place,
    };
  }
  return { title: t('error.unexpected'), detail: e instanceof Error ? e.message : String(e) };
}

interface BoxProps {
  error: unknown;
  again?: () => void;
  children?: ComponentChildren;
  /* Words for an answer of this status that are better here than the node's general ones. */
  on?: Partial<Record<number, string>>;
}

export function ErrorBox({ error, again, children, on }: BoxProps) {
  if (!error) return null;
  const own = error instanceof ApiError ? on?.[error.status] : undefined;
  const w = own ? { title: t(own), detail: [t(`${own}.detail`), error instanceof ApiError && error.retryAfter ? t('error.wait', { n: error.retryAfter }) : ''].join(' ').trim(), place: undefined } : errorWords(error);
  return (
    <div class="banner danger boxed" role="alert">
      <Icon name="warn" />
      <div class="prose">
        <p>
          <b>{w.title}</b>
        </p>
        {w.place && <p class="small">{t('error.place', { place: w.place })}</p>}
        {w.detail && <p>{w.detail}</p>}
        {children}
        {again && (
          <p>
            <button type="button" class="btn small" onClick={again}>
              {t('action.again')}
            </button>
          </p>
        )}
      </div>
    </div>
  );
}
