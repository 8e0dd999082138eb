// SPDX-License-Identifier: AGPL-3.0-or-later
// The filters as the address holds them; the same names as the node's routes take.
import { COUNTED, DIMS, type Counted, type Dim } from './columns';
import { dateOfDay, dayOfDate } from './days';
import type { Query } from '../lib/api';

export interface Filter {
  from: number | undefined;
  to: number | undefined;
  codes: Record<Dim, string[]>;
  counted: Counted;
}

const CODE = /^[\w.:/-]{1,60}$/;

function list(v: string | null): string[] {
  return [...new Set((v ?? '').split(',').filter((c) => CODE.test(c)))].slice(0, 100);
}

export function readFilter(q: URLSearchParams): Filter {
  let from = dayOfDate(q.get('from') ?? '');
  let to = dayOfDate(q.get('to') ?? '');
  if (from !== undefined && to !== undefined && from > to) [from, to] = [to, from];
  return {
    from,
    to,
    codes: { route: list(q.get('route')), country: list(q.get('country')), cause: list(q.get('cause')), means: list(q.get('means')) },
    counted: COUNTED.find((m) => m === q.get('count')) ?? 'incidents',
  };
}

/* What the filter adds to an address; undefined takes the name out. */
export function filterQuery(f: Filter): Record<string, string | undefined> {
  return {
    from: f.from === undefined ? undefined : dateOfDay(f.from),
    to: f.to === undefined ? undefined : dateOfDay(f.to),
    route: f.codes.route.join(',') || undefined,
    country: f.codes.country.join(',') || undefined,
    cause: f.codes.cause.join(',') || undefined,
    means: f.codes.means.join(',') || undefined,
    count: f.counted === 'incidents' ? undefined : f.counted,
  };
}

/* For the node: without what only the page knows. */
export function apiQuery(f: Filter): Query {
  const { count: _, ...rest } = filterQuery(f);
  return rest;
}

export function isEmpty(f: Filter): boolean {
  return f.from === undefined && f.to === undefined && DIMS.every((d) => f.codes[d].length === 0);
}

export function toggle(f: Filter, dim: Dim, code: string): Filter {
  const now = f.codes[dim];
  const codes = now.includes(code) ? now.filter((c) => c !== code) : [...now, code];
  return { ...f, codes: { ...f.codes, [dim]: codes } };
}

export function without(f: Filter, what: Dim | 'date'): Filter {
  if (what === 'date') return { ...f, from: undefined, to: undefined };
  return { ...f, codes: { ...f.codes, [what]: [] } };
}
