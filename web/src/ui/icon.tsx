// SPDX-License-Identifier: AGPL-3.0-or-later
// Icons on a 16-step grid, drawn in the colour of the text; and the three textures that stand for what is not a number.

const shapes = {
  report: 'M2 13.5h12M4 11V7.5M8 11V3M12 11V5.5',
  protect: 'M8 1.8 13 3.600v4.200c0 3-2.2 5.2-5 6.4-2.8-1.2-5-3.4-5-6.400V3.600zM8 5.500v5M5.5 8h5',
  custody: 'M4 7.500h8v6H4zM5.5 7.500V5a2.5 2.5 0 0 1 5 0v2.500M8 10v1.5',
  accounts: 'M6 7.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM1.5 13.500c.3-2.6 2-4 4.5-4s4.2 1.4 4.5 4M11 7.300a2.2 2.2 0 0 0 0-4.300M12.3 9.800c1.3.6 2 1.9 2.2 3.7',
  overview: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM2 8h12M8 2c2 2 2.6 4 2.6 6S10 12 8 14c-2-2-2.6-4-2.6-6S6 4 8 2z',
  list: 'M5.5 4H14M5.5 8H14M5.5 12H14M2 4h.6M2 8h.6M2 12h.6',
  form: 'M3 2.500h7l3 3v8H3zM10 2.500v3h3M5.5 8.500h5M5.5 11h5',
  imports: 'M8 2v8M4.8 7 8 10.2 11.2 7M2.5 11v2.500h11V11',
  exports: 'M8 10.500v-8M4.8 5.5 8 2.300l3.2 3.200M2.5 11v2.500h11V11',
  ledger: 'M3.5 2.500h9v11h-9zM6 2.500v11M8 5.500h2.500M8 8h2.5',
  agencies: 'M2.5 13.500h11M3.5 13.500V6L8 3l4.5 3v7.500M6 8v3M8 8v3M10 8v3',
  search: 'M7 2.500a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.5 10.5 14 14',
  globe: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM2 8h12M8 2c2 2 2.6 4 2.6 6S10 12 8 14c-2-2-2.6-4-2.6-6S6 4 8 2z',
  theme: 'M8 2.500a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 2.500v11M8 5l3.6-.8M8 8h5.400M8 11l3.6.8',
  menu: 'M2.5 4.500h11M2.5 8h11M2.5 11.500h11',
  close: 'm4 4 8 8M12 4l-8 8',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  down: 'm4 6 4 4 4-4',
  up: 'm4 10 4-4 4 4',
  next: 'm6 3.5 4.5 4.500L6 12.5',
  prev: 'M10 3.5 5.5 8l4.5 4.5',
  check: 'm3 8.5 3.3 3.300L13 5',
  info: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 7.300v3.700M8 5v.1',
  warn: 'M8 2.5 14.2 13.500H1.800zM8 6.500v3.200M8 11.500v.1',
  table: 'M2 3h12v10H2zM2 6.500h12M2 9.800h12M6.5 6.500V13',
  print: 'M4.5 6V2.500h7V6M4.5 11.500H2.500V6h11v5.500h-2M4.5 9.500h7v4h-7z',
  undo: 'M3 6.500h7a3.5 3.5 0 0 1 0 7H6M5.8 3.5 2.8 6.500l3 3',
  lock: 'M4 7.500h8v6H4zM5.5 7.500V5a2.5 2.5 0 0 1 5 0v2.5',
  leave: 'M9 2.500H3v11h6M6.5 8H14M11.5 5.5 14 8l-2.5 2.5',
  key: 'M5.5 7.500a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM7.7 8.3 13.5 2.500M11 5l2 2',
  user: 'M8 8a2.8 2.8 0 1 0 0-5.600A2.8 2.8 0 0 0 8 8zM2.5 14c.4-2.9 2.5-4.5 5.5-4.500s5.1 1.6 5.5 4.5',
  cut: 'M3 3l10 10M6 2.500a11 11 0 0 1 7.5 3.200M2.5 5.700l1.7-1.400M4.8 8.300l1.5-1.100M10.8 8a6 6 0 0 1 .5.400M8 12.500v.1',
  clock: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 4.500V8l2.5 1.5',
  dot: 'M8 6.500a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3z',
  keyboard: 'M1.5 4h13v8h-13zM4 6.500h.1M6.7 6.500h.1M9.3 6.500h.1M12 6.500h.1M4.5 9.500h7',
  edit: 'M3 13l.6-2.800L10.8 3l2.2 2.2-7.2 7.200zM9.3 4.500l2.2 2.2',
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name, turns, label }: { name: IconName; turns?: boolean; label?: string }) {
  return (
    <svg class={turns ? 'i turns' : 'i'} viewBox="0 0 16 16" {...(label ? { role: 'img', 'aria-label': label } : { 'aria-hidden': true })}>
      <path d={shapes[name]} />
    </svg>
  );
}

export function Brand() {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6">
      <path d="M3 9h5v8H3zM3 9V7.500h5V9" />
      <path d="M18.5 6.5 22 17h-7z" stroke-linejoin="round" />
      <path class="buoy" d="M11.5 3v2.500M11.5 8v2.500M11.5 13v2.500M11.5 18v2.5" stroke-width="2" />
      <path d="M1.5 20.500h8M13.5 20.500h9" />
    </svg>
  );
}

export type GapName = 'unknown' | 'not_collected' | 'withheld';

/* Once on a page: what fill="url(#gap-...)" refers to. Dots: asked, nobody could say. Slanting: not collected. Level: withheld. */
export function Textures() {
  return (
    <svg width="0" height="0" class="vh" aria-hidden="true">
      <defs>
        <pattern id="gap-unknown" width="5" height="5" patternUnits="userSpaceOnUse">
          <circle cx="1.5" cy="1.5" r=".95" fill="var(--ink-3)" />
          <circle cx="4" cy="4" r=".95" fill="var(--ink-3)" />
        </pattern>
        <pattern id="gap-not_collected" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <path d="M0 0V5" stroke="var(--ink-3)" stroke-width="1.5" />
        </pattern>
        <pattern id="gap-withheld" width="4" height="4" patternUnits="userSpaceOnUse">
          <path d="M0 1H4" stroke="var(--ink-3)" stroke-width="1.2" />
        </pattern>
      </defs>
    </svg>
  );
}

export function Gap({ name }: { name: GapName }) {
  return (
    <svg class="swatch" viewBox="0 0 14 14" aria-hidden="true">
      <rect x=".5" y=".5" width="13" height="13" fill={`url(#gap-${name})`} stroke="var(--ink-3)" stroke-dasharray={name === 'unknown' ? '2 2' : undefined} />
    </svg>
  );
}
