// SPDX-License-Identifier: AGPL-3.0-or-later
// The little of a browser that the modules under test touch when they are loaded. Import this first.
const g = globalThis as unknown as Record<string, unknown>;
g.localStorage ??= { getItem: () => null, setItem: () => undefined };
g.matchMedia ??= () => ({ matches: false, addEventListener: () => undefined });
g.addEventListener ??= () => undefined;
g.location ??= new URL('http://127.0.0.1/report');
g.document ??= { documentElement: { dataset: {}, lang: 'en', dir: 'ltr' } };
if (!('navigator' in globalThis)) g.navigator = { languages: ['en'] };

/* The same numbers for the same seed. */
export function randomFrom(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
