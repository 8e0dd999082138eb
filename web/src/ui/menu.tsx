// SPDX-License-Identifier: AGPL-3.0-or-later
// A button that opens a menu: arrow keys move, Escape closes and gives the focus back.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface MenuItem {
  label: ComponentChildren;
  act?: () => void;
  href?: string;
  /* Of a choice: whether it is the present one. */
  checked?: boolean;
  lang?: string;
}

interface Props {
  label: string;
  class?: string;
  children: ComponentChildren;
  items: (MenuItem | { note: ComponentChildren })[];
  start?: boolean;
}

export function Menu(p: Props) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLSpanElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useLayoutEffect(() => {
    if (!open) return;
    box.current?.querySelector<HTMLElement>('[role^="menuitem"]')?.focus();
    const away = (e: Event) => {
      if (!box.current?.contains(e.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', away);
    return () => document.removeEventListener('pointerdown', away);
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };

  const onKey = (e: KeyboardEvent) => {
    if (!open) return;
    const all = [...(box.current?.querySelectorAll<HTMLElement>('[role^="menuitem"]') ?? [])];
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[e.key];
    if (to !== undefined) {
      e.preventDefault();
      all[(to + all.length) % all.length]?.focus();
    } else if (e.key === 'Escape') {
      e.stopPropagation();
      close();
    } else if (e.key === 'Tab') setOpen(false);
  };

  const choose = (item: MenuItem) => () => {
    close();
    item.act?.();
  };

  return (
    <span class="menu" ref={box} onKeyDown={onKey}>
      <button ref={button} type="button" class={p.class ?? 'tool'} aria-haspopup="menu" aria-expanded={open} aria-label={p.label} title={p.label} onClick={() => setOpen(!open)}>
        {p.children}
      </button>
      {open && (
        <div class={p.start ? 'pop start' : 'pop'} role="menu" aria-label={p.label}>
          {p.items.map((item) =>
            'note' in item ? (
              <div class="note" role="none">
                {item.note}
              </div>
            ) : item.href ? (
              <a class="item" role="menuitem" tabIndex={-1} href={item.href} onClick={() => setOpen(false)}>
                {item.label}
              </a>
            ) : (
              <button
                type="button"
                class="item"
                tabIndex={-1}
                lang={item.lang}
                role={item.checked === undefined ? 'menuitem' : 'menuitemradio'}
                aria-checked={item.checked}
                onClick={choose(item)}
              >
                {item.label}
              </button>
            ),
          )}
        </div>
      )}
    </span>
  );
}
