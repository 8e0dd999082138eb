// SPDX-License-Identifier: AGPL-3.0-or-later
// A modal dialog on the native element: focus stays in it, Escape closes it, and the focus goes back to where it was.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { t } from '../lib/i18n';
import { Icon } from './icon';

interface Props {
  title: string;
  onClose?: () => void;
  wide?: boolean;
  children: ComponentChildren;
  actions?: ComponentChildren;
}

export function Dialog({ title, onClose, wide, children, actions }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const d = ref.current;
    const before = document.activeElement as HTMLElement | null;
    if (d && !d.open) d.showModal();
    return () => {
      d?.close();
      before?.focus?.();
    };
  }, []);
  const cancel = (e: Event) => {
    e.preventDefault();
    onClose?.();
  };
  return (
    <dialog ref={ref} class={wide ? 'wide' : undefined} aria-labelledby={id} onCancel={cancel}>
      <header>
        <h2 id={id}>{title}</h2>
        {onClose && (
          <button type="button" class="tool" aria-label={t('action.close')} title={t('action.close')} onClick={onClose}>
            <Icon name="close" />
          </button>
        )}
      </header>
      <div class="body">{children}</div>
      {actions && <footer>{actions}</footer>}
    </dialog>
  );
}
