// SPDX-License-Identifier: AGPL-3.0-or-later
// Reports, imports, exports and referrals of the mock.
import { asCount, dateOf, uuidOf } from './data.mjs';
import { booksOf } from './mockbooks.mjs';
import { now, uuid } from './mockstate.mjs';

const rowOf = (x) => ({
  id: uuidOf(x.id), number: x.number, from: dateOf(x), version: 1, synthetic: true, doubts: x.precision < 3 ? 1 : 0, status: x.status, type: 'entry_attempt', country: x.country || undefined, route: x.route || undefined,
  cause: x.cause || undefined, means: x.means || undefined, place: x.lat === null ? undefined : `Invented place ${x.number.slice(-3)}`, lat: x.lat === null ? undefined : x.lat / 1e4,
  lon: x.lon === null ? undefined : x.lon / 1e4, precision: ['unknown', 'exact', 'near', 'area'][x.place], dead: asCount(x.dead), missing: asCount(x.missing), survivors: asCount(x.survivors), persons: asCount(x.persons),
});

function filtered(c) {
  const q = c.query;
  const lists = Object.fromEntries(['route', 'country', 'cause', 'means', 'status'].map((k) => [k, q[k]?.split(',')]));
  return c.state.incidents.filter((x) => {
    const d = x.day === null ? '' : new Date(x.day * 864e5).toISOString().slice(0, 10);
    if (q.from && (!d || d < q.from)) return false;
    if (q.to && (!d || d > q.to)) return false;
    return Object.entries(lists).every(([k, want]) => !want || want.includes(x[k] || '-'));
  });
}

const SORTS = { date: (x) => x.day ?? -1e9, dead: (x) => x.dead, missing: (x) => x.missing };

function sorted(list, sort = '-date') {
  const key = SORTS[sort.replace('-', '')] ?? SORTS.date;
  const sign = sort.startsWith('-') ? -1 : 1;
  return [...list].sort((a, b) => sign * (key(a) - key(b)) || (a.id < b.id ? -1 : 1));
}

const find = (c) => {
  const x = c.state.incidents.find((i) => uuidOf(i.id) === c.params.id);
  if (!x) throw new c.Refusal(404, 'No such report, or not one of your agency.');
  return x;
};

function incidentOf(c, x) {
  const own = c.state.bodies.get(x.id);
  const versions = c.state.versions.get(x.id) ?? [{ version: 1, at: '2026-05-02T07:40:00Z', by: c.state.byName('reporter').id, status: x.status, reason: 'imported' }];
  const latest = versions[0].version;
  const row = rowOf(x);
  const base = own ?? {
    synthetic: true, number: x.number, type: row.type, form: 'single', when: { from: row.from }, place: { country: row.country, text: row.place, lat: row.lat, lon: row.lon, precision: row.precision },
    journey: { route: row.route }, origins: [{ country: 'SDN', presumed: true }],
    counts: { dead: row.dead, missing: row.missing, survivors: row.survivors, persons: row.persons, female: 'unknown', children: 'unknown' }, counts_are: 'minimum',
    harm: { causes: row.cause ? [row.cause] : [], cause_text: 'as the source wrote it (invented)' }, means: row.means ? [{ kind: row.means, number: 1, persons: row.persons }] : undefined,
    people: [{ sex: 'female', age: 'adult', count: 2, nationality: 'SDN' }, { sex: 'male', age: 'child', count: 'unknown', unaccompanied: 'unknown' }],
    confidence: { reliability: 'B', credibility: '2' }, sources: [{ kind: 'media', title: 'Invented gazette', date: row.from }],
  };
  const wanted = Number(c.query?.version ?? latest);
  const v = versions.find((y) => y.version === wanted) ?? versions[0];
  return {
    ...base, ...(v.body ?? {}), id: row.id, owner: c.state.agencies[0].id, version: v.version, latest, versions: versions.map(({ body: _, ...y }) => y), at: v.at, author: v.by, status: v.status,
    provenance: { system: 'MMP (exercise)', source_id: `X.${x.number}`, attribution: 'Invented source, for exercises', file: 'exercise.csv', row: 12, layout: 'mmp-1', doubts: row.doubts ? [{ field: 'when.from', code: 'date_partial', text: row.from }] : [] },
    personal: typeof row.persons === 'number' && row.persons < 5, number: row.number, synthetic: true,
  };
}

function write(c, x, body) {
  const by = c.session.account;
  const versions = c.state.versions.get(x.id) ?? [{ version: 1, at: '2026-05-02T07:40:00Z', by: c.state.byName('reporter').id, status: x.status, reason: 'imported', body: undefined }];
  c.state.versions.set(x.id, [{ version: versions[0].version + 1, at: now(), by, status: body.status ?? 'submitted', reason: 'corrected', body }, ...versions]);
}

const exporters = {
  csv: (rows) => ['number,from,country,route,dead,missing', ...rows.map((r) => [r.number, r.from, r.country, r.route, r.dead, r.missing].join(','))].join('\r\n'),
  geojson: (rows) => JSON.stringify({ type: 'FeatureCollection', features: rows.map((r) => ({ type: 'Feature', geometry: r.lat === undefined ? null : { type: 'Point', coordinates: [r.lon, r.lat] }, properties: r })) }),
  jsonl: (rows) => rows.map((r) => JSON.stringify(r)).join('\n'),
};

/* An import moves on by itself, a quarter at each look. */
function step(i) {
  if (i.state === 'running' || i.state === 'queued') {
    i.state = 'running';
    i.bytes_read = Math.min(i.bytes, i.bytes_read + Math.ceil(i.bytes / 4));
    i.rows = Math.round((i.bytes_read / i.bytes) * i.total);
    i.added = Math.round(i.rows * 0.9);
    i.same = i.rows - i.added - Math.min(3, i.rows);
    i.refused = Math.min(2, i.rows);
    i.flagged = Math.min(5, i.rows);
    if (i.bytes_read >= i.bytes) Object.assign(i, { state: 'done', ended: now(), problems: PROBLEMS });
  }
  const { total: _, ...shown } = i;
  return shown;
}

const PROBLEMS = [
  { row: 14, column: 'Incident Date', text: 'Expected a date as 2014-01-06; found "0.0". The report was taken with its year only.', stops: false },
  { row: 57, column: 'Coordinates', text: 'Expected latitude and longitude; found "91.2, 10.1": a latitude lies between -90 and 90.', stops: true },
  { row: 203, column: 'Number of Survivors', text: 'A negative count (-1) was kept as it was.', stops: false },
  { row: 811, column: 'Main ID', text: 'Empty. Without a number of its source the row cannot be told from others.', stops: true },
];

export const report = {
  list_codebooks: (c) => ({ body: { codebooks: booksOf(c.query.lang ?? 'en') } }),
  see_overview: (c) => ({ body: c.state.overview }),
  see_summary: (c) => ({ body: { incidents: filtered(c).length, excluded: c.state.incidents.length - filtered(c).length, totals: [] } }),
  list_incidents(c) {
    const hits = sorted(filtered(c), c.query.sort);
    const at = Number(c.query.after ?? 0);
    const limit = Number(c.query.limit ?? 50);
    return { body: { incidents: hits.slice(at, at + limit).map(rowOf), next: at + limit < hits.length ? String(at + limit) : undefined, total: hits.length, excluded: c.state.incidents.length - hits.length } };
  },
  see_incident: (c) => ({ body: incidentOf(c, find(c)) }),
  write_incident(c) {
    if (!c.body.type) throw new c.Refusal(422, 'The kind of event is missing.', undefined, 'type');
    const x = { ...c.state.incidents[0], id: uuid().replaceAll('-', ''), number: c.body.number ?? `X-2026-N${c.state.incidents.length}`, status: c.body.status ?? 'submitted' };
    c.state.incidents.unshift(x);
    c.state.bodies.set(x.id, c.body);
    return { status: 201, body: incidentOf(c, x) };
  },
  correct_incident(c) {
    const x = find(c);
    const latest = c.state.versions.get(x.id)?.[0].version ?? 1;
    if (c.body.based_on !== undefined && c.body.based_on !== latest) throw new c.Refusal(409, `Somebody has written version ${latest} meanwhile.`);
    write(c, x, c.body);
    return { body: incidentOf({ ...c, query: {} }, x) };
  },
  refer_person(c) {
    find(c);
    const id = uuid();
    const receipt = `P-${1000 + c.state.referrals.length}`;
    c.state.referrals.unshift({ id, receipt, at: now(), incident: c.params.id, ...c.body });
    return { status: 202, body: { id } };
  },
  list_handed_over: (c) => ({ body: { handed_over: c.state.referrals.filter((r) => r.incident === c.params.id).map(({ id, receipt }) => ({ id, receipt })) } }),
  list_referrals: (c) => ({ body: { referrals: c.state.referrals.map(({ incident: _, ...r }) => r) } }),
  export_incidents(c) {
    if (!c.purpose) throw new c.Refusal(422, 'A purpose is needed.', undefined, 'purpose');
    return { type: 'application/octet-stream', body: exporters[c.query.format](filtered(c).map(rowOf)) };
  },
  list_imports: (c) => ({ body: { imports: c.state.imports.map(({ total: _, ...i }) => i) } }),
  start_import(c) {
    const lines = c.raw.toString('latin1').split('\n').length;
    const bad = !/Main ID/.test(c.raw.toString('latin1').slice(0, 400));
    const i = { id: uuid(), file: c.query.file, layout: bad ? undefined : 'mmp-1', state: bad ? 'failed' : 'queued', bytes: c.raw.length, bytes_read: 0, rows: 0, added: 0, changed: 0, same: 0, refused: 0, flagged: 0, started: now(), message: bad ? 'Row 1: no layout has this header. Nothing was taken; the file is not kept.' : undefined, problems: [], total: lines };
    c.state.imports.unshift(i);
    return { status: 202, body: (({ total: _, ...x }) => x)(i) };
  },
  see_import(c) {
    const i = c.state.imports.find((x) => x.id === c.params.id);
    if (!i) throw new c.Refusal(404);
    return { body: step(i) };
  },
  cancel_import(c) {
    const i = c.state.imports.find((x) => x.id === c.params.id);
    if (!i) throw new c.Refusal(404);
    if (i.state === 'done') throw new c.Refusal(409, 'It is finished already.');
    Object.assign(i, { state: 'cancelled', ended: now() });
    return { body: step(i) };
  },
  see_refused: () => ({ type: 'text/csv', body: 'row,reason,Main ID\r\n57,latitude out of range,X\r\n' }),
};
