// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * Invented incidents, the same for the same seed: places along sea and land
 * routes, counts in all four states, dates of every precision, a time of which
 * nothing is held.  No place, person or event is real.
 */
const ROUTES = [
  ['central_mediterranean', 'Central Mediterranean', 'sea', [[34.5, 13.2, 2.2], [36.8, 11.2, 1.5]], ['LBY', 'TUN', 'ITA', '']],
  ['western_mediterranean', 'Western Mediterranean', 'sea', [[36, -3.4, 1.3]], ['MAR', 'DZA', 'ESP', '']],
  ['eastern_mediterranean', 'Eastern Mediterranean', 'sea', [[37.6, 26.6, 1.6]], ['GRC', 'TUR', '']],
  ['western_africa_atlantic', 'Western Africa and Atlantic to the Canary Islands', 'sea', [[26.5, -15.4, 2.4], [18.4, -17.3, 2.5]], ['ESP', 'MRT', 'SEN', '']],
  ['sahara', 'Sahara crossing', 'land', [[22.3, 12.5, 4], [20.5, 25, 3]], ['NER', 'LBY', 'DZA', 'SDN', 'TCD']],
  ['horn_yemen', 'Horn of Africa to Yemen', 'sea', [[12, 43.6, 1.3], [14.6, 47, 2.2]], ['DJI', 'YEM', 'SOM']],
  ['andaman', 'Bay of Bengal and Andaman Sea', 'sea', [[13.5, 94.5, 3], [5.8, 96.5, 1.6]], ['MMR', 'BGD', 'THA', 'IDN', '']],
  ['us_mexico', 'Border of Mexico and the United States', 'land', [[31.8, -110.6, 1.6], [27.6, -99, 1.4]], ['MEX', 'USA']],
  ['darien', 'Darién', 'land', [[8.2, -77.4, 0.5]], ['PAN', 'COL']],
  ['caribbean_us', 'Caribbean to the United States', 'sea', [[20.6, -74.6, 2.2], [18.5, -67.6, 0.9]], ['HTI', 'DOM', 'CUB', '']],
  ['iran_turkiye', 'Iran to Türkiye', 'land', [[38.6, 44.4, 0.8]], ['IRN', 'TUR']],
  ['afghanistan_iran', 'Afghanistan to Iran', 'land', [[30.9, 61.6, 1.4]], ['AFG', 'IRN', 'PAK']],
  ['channel', 'Mainland Europe to the United Kingdom', 'sea', [[50.9, 1.6, 0.3]], ['FRA', 'GBR', '']],
  ['western_balkans', 'Western Balkans', 'land', [[43.7, 20.4, 1.8]], ['SRB', 'BIH', 'MKD', 'HRV']],
];
export const CAUSES = [['drowning', 'Drowning'], ['environment', 'Harsh conditions, lack of shelter, food or water'], ['transport', 'Vehicle accident or hazardous transport'], ['violence', 'Violence'], ['sickness', 'Sickness, lack of health care'], ['accident', 'Other accident'], ['mixed_unknown', 'Mixed or unknown']];
export const MEANS = [['wooden_boat', 'Wooden boat'], ['inflatable', 'Inflatable boat'], ['fishing_vessel', 'Fishing vessel'], ['lorry', 'Lorry'], ['car', 'Car'], ['on_foot', 'On foot'], ['freight_train', 'Freight train']];
const U = -1000001;
const NC = -1000002;
const W = -1000003;
export const ROUTE_CODES = ROUTES.map(([code, label]) => [code, label]);

export function randomFrom(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const hex = (r, n) => Array.from({ length: n }, () => Math.floor(r() * 16).toString(16)).join('');

function countOf(r, mean, unknown, notCollected, withheld) {
  const x = r();
  if (x < unknown) return U;
  if (x < unknown + notCollected) return NC;
  if (x < unknown + notCollected + withheld) return W;
  return r() < 0.25 ? 0 : Math.max(1, Math.round(-Math.log(1 - r()) * mean));
}

function incident(r, i) {
  const none = r() < 0.08;
  const at = Math.floor(r() ** 1.5 * ROUTES.length);
  const [code, , mode, spots, countries] = ROUTES[at];
  const [lat, lon, spread] = spots[Math.floor(r() * spots.length)];
  const gauss = () => (r() + r() + r() + r() - 2) * spread;
  // 2015-01-01 to 2026-10-31, and nothing from May to December 2025: a gap of the source, not a quiet year.
  let day = 16436 + Math.floor(r() ** 0.8 * 4322);
  if (day >= 20209 && day < 20454) day -= 1200;
  const px = r();
  const precision = px < 0.008 ? 0 : px < 0.02 ? 1 : px < 0.06 ? 2 : 3;
  if (precision === 1) day = Math.floor(Date.UTC(new Date(day * 864e5).getUTCFullYear(), 0, 1) / 864e5);
  if (precision === 2) day = Math.floor(Date.UTC(new Date(day * 864e5).getUTCFullYear(), new Date(day * 864e5).getUTCMonth(), 1) / 864e5);
  const nowhere = r() < 0.02;
  const place = nowhere ? 0 : r() < 0.55 ? 1 : r() < 0.7 ? 2 : 3;
  const country = countries[Math.floor(r() * countries.length)];
  const cause = mode === 'sea' ? (r() < 0.8 ? 0 : 6) : Math.floor(r() * CAUSES.length);
  return {
    id: `0190${hex(r, 8)}7${hex(r, 3)}8${hex(r, 15)}`,
    number: `X-${new Date(day * 864e5).getUTCFullYear()}-${String(i + 1).padStart(5, '0')}`,
    day: precision === 0 ? null : day,
    precision,
    lat: nowhere ? null : Math.round((lat + gauss()) * 1e4),
    lon: nowhere ? null : Math.round((lon + gauss() * 1.3) * 1e4),
    place,
    route: none ? '' : code,
    country,
    cause: r() < 0.05 ? '' : CAUSES[cause][0],
    means: r() < 0.3 ? '' : MEANS[mode === 'sea' ? Math.floor(r() * 3) : 3 + Math.floor(r() * 4)][0],
    dead: countOf(r, 4, 0.04, 0.02, 0.004),
    missing: countOf(r, 7, 0.3, 0.25, 0),
    survivors: countOf(r, 22, 0.2, 0.55, 0.01),
    persons: countOf(r, 40, 0.15, 0.6, 0.02),
    status: ['submitted', 'verified', 'validated', 'shared'][Math.floor(r() * 4)],
  };
}

export function makeIncidents(n, seed = 7) {
  const r = randomFrom(seed);
  return Array.from({ length: n }, (_, i) => incident(r, i));
}

export function makeOverview(all) {
  const codes = (key) => [...new Set(all.map((x) => x[key]).filter(Boolean))].sort();
  const routes = codes('route');
  const countries = codes('country');
  const causes = codes('cause');
  const means = codes('means');
  const col = (key) => all.map((x) => x[key]);
  const index = (list, key) => all.map((x) => list.indexOf(x[key]));
  return {
    version: 1, n: all.length, left_out: 0, id: col('id'), day: col('day'), precision: col('precision'), lat: col('lat'), lon: col('lon'), place: col('place'),
    route: index(routes, 'route'), country: index(countries, 'country'), cause: index(causes, 'cause'), means: index(means, 'means'),
    dead: col('dead'), missing: col('missing'), survivors: col('survivors'), persons: col('persons'), routes, countries, causes, means_codes: means,
  };
}

const word = { [U]: 'unknown', [NC]: 'not_collected', [W]: 'withheld' };
export const asCount = (v) => word[v] ?? v;
export const dateOf = (x) => (x.day === null ? '' : new Date(x.day * 864e5).toISOString().slice(0, [0, 4, 7, 10][x.precision]));
export const uuidOf = (h) => h.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
