// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * Cross-filtering.  Each incident has a byte; each filter owns a bit of it that
 * says "fails this one".  A changed filter rewrites its bit in one pass; then
 * one more pass counts everything: what fails nothing counts everywhere, what
 * fails exactly one filter counts in that filter's own panel, so that the panel
 * shows what else could be chosen.
 */
import { binOf, neededPrecision, type Bins } from './days';
import { DIMS, MEASURES, NO_DAY, type Columns, type Counted, type Dim, type Measure } from './columns';
import { NOT_COLLECTED, UNKNOWN, WITHHELD } from '../lib/format';

const BIT = { date: 1, route: 2, country: 4, cause: 8, means: 16 } as const;

export interface Sum {
  sum: number;
  counted: number;
  unknown: number;
  not_collected: number;
  withheld: number;
}

export interface Group {
  /* By index + 1 of the code, 0 for none: reports, sum of the measure, reports that give no number. */
  n: Int32Array;
  sum: Float64Array;
  gap: Int32Array;
}

export interface Band extends Group {
  /* Reports in the bin without any filter: a bin without one is a gap in the data, not a zero. */
  held: Int32Array;
  lives: Uint8Array;
  /* Reports that pass the other filters, but whose date is too vague for a bin. */
  vague: number;
  undated: number;
}

export interface Result {
  n: number;
  totals: Record<Measure, Sum>;
  dims: Record<Dim, Group>;
  band: Band;
  withPosition: number;
  vaguePosition: number;
}

const makeGroup = (size: number): Group => ({ n: new Int32Array(size), sum: new Float64Array(size), gap: new Int32Array(size) });

export class Cross {
  readonly fail: Uint8Array;
  private readonly bin: Int32Array;
  private readonly held: Int32Array;

  constructor(
    readonly c: Columns,
    readonly bins: Bins,
  ) {
    this.fail = new Uint8Array(c.n);
    this.bin = new Int32Array(c.n);
    this.held = new Int32Array(bins.count);
    const needed = neededPrecision[bins.unit];
    for (let i = 0; i < c.n; i++) {
      const day = c.day[i] as number;
      const b = day !== NO_DAY && (c.precision[i] as number) >= needed ? binOf(bins, day) : -1;
      this.bin[i] = b;
      if (b >= 0) this.held[b] = (this.held[b] as number) + 1;
    }
  }

  /* Days, both included; undefined leaves that side open. */
  setRange(from: number | undefined, to: number | undefined): void {
    const { fail, c } = this;
    const off = from === undefined && to === undefined;
    const lo = from ?? -Infinity;
    const hi = to ?? Infinity;
    for (let i = 0; i < c.n; i++) {
      const d = c.day[i] as number;
      const ok = off || (d !== NO_DAY && d >= lo && d <= hi);
      fail[i] = ok ? (fail[i] as number) & ~BIT.date : (fail[i] as number) | BIT.date;
    }
  }

  /* Codes that pass; "-" stands for none; an empty list lets everything through. */
  setCodes(dim: Dim, codes: readonly string[]): void {
    const { fail, c } = this;
    const bit = BIT[dim];
    const at = c.at[dim];
    const pass = new Uint8Array(c.codes[dim].length + 1);
    if (!codes.length) pass.fill(1);
    for (const code of codes) {
      const i = code === '-' ? 0 : c.codes[dim].indexOf(code) + 1;
      if (i > 0 || code === '-') pass[i] = 1;
    }
    for (let i = 0; i < c.n; i++) {
      fail[i] = pass[at[i] as number] ? (fail[i] as number) & ~bit : (fail[i] as number) | bit;
    }
  }

  private totalOf(m: Measure): Sum {
    const { fail } = this;
    const v = this.c.counts[m];
    let sum = 0;
    let counted = 0;
    let unknown = 0;
    let notCollected = 0;
    let withheld = 0;
    for (let i = 0; i < fail.length; i++) {
      if (fail[i] !== 0) continue;
      const x = v[i] as number;
      if (x > UNKNOWN) {
        sum += x;
        counted++;
      } else if (x === UNKNOWN) unknown++;
      else if (x === NOT_COLLECTED) notCollected++;
      else if (x === WITHHELD) withheld++;
    }
    return { sum, counted, unknown, not_collected: notCollected, withheld };
  }

  private groupOf(keys: Uint16Array, size: number, bit: number, values: Int32Array | undefined): Group {
    const { fail } = this;
    const g = makeGroup(size);
    const others = ~bit;
    for (let i = 0; i < fail.length; i++) {
      if (((fail[i] as number) & others) !== 0) continue;
      const at = keys[i] as number;
      (g.n[at] as number)++;
      if (!values) continue;
      const x = values[i] as number;
      if (x > UNKNOWN) g.sum[at] = (g.sum[at] as number) + x;
      else (g.gap[at] as number)++;
    }
    return g;
  }

  private bandOf(values: Int32Array | undefined): Band {
    const { fail, bin, c } = this;
    const g = makeGroup(this.bins.count);
    const lives = new Uint8Array(this.bins.count);
    const { dead, missing } = c.counts;
    let vague = 0;
    let undated = 0;
    for (let i = 0; i < fail.length; i++) {
      if (((fail[i] as number) & ~BIT.date) !== 0) continue;
      const b = bin[i] as number;
      if (b < 0) {
        if (c.day[i] === NO_DAY || c.precision[i] === 0) undated++;
        else vague++;
        continue;
      }
      (g.n[b] as number)++;
      if ((dead[i] as number) > 0 || (missing[i] as number) > 0) lives[b] = 1;
      if (!values) continue;
      const x = values[i] as number;
      if (x > UNKNOWN) g.sum[b] = (g.sum[b] as number) + x;
      else (g.gap[b] as number)++;
    }
    return { ...g, held: this.held, lives, vague, undated };
  }

  count(counted: Counted): Result {
    const { c, fail } = this;
    const values = counted === 'incidents' ? undefined : c.counts[counted];
    let n = 0;
    let withPosition = 0;
    let vaguePosition = 0;
    for (let i = 0; i < fail.length; i++) {
      if (fail[i] !== 0) continue;
      n++;
      const place = c.place[i] as number;
      if (place === 0) continue;
      withPosition++;
      if (place !== 1) vaguePosition++;
    }
    const totals = {} as Record<Measure, Sum>;
    for (const m of MEASURES) totals[m] = this.totalOf(m);
    const dims = {} as Record<Dim, Group>;
    for (const d of DIMS) dims[d] = this.groupOf(c.at[d], c.codes[d].length + 1, BIT[d], values);
    return { n, totals, dims, band: this.bandOf(values), withPosition, vaguePosition };
  }
}
