// SPDX-License-Identifier: AGPL-3.0-or-later
// ISO 3166 alpha-3, which records carry, to alpha-2, which names and outlines carry.
import pairs from '../../data/countries.txt?pairs';

const byThree = new Map<string, string>();
for (let i = 0; i < pairs.length; i += 5) byThree.set(pairs.slice(i + 2, i + 5), pairs.slice(i, i + 2));

export const alpha2 = (alpha3: string): string => byThree.get(alpha3) ?? alpha3;
