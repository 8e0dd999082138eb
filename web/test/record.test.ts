// SPDX-License-Identifier: AGPL-3.0-or-later
import './env';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkReport } from '../src/report/checks';
import { BLOCKS, differences, fieldsOf, flatten, pruned, type Rec } from '../src/report/record';
import { matches } from '../src/ui/picker';

test('every field that the node takes is reachable in the form', () => {
  const shown = new Set(BLOCKS.flatMap((b) => b.fields));
  const own = ['based_on', 'status', 'empty']; // the form sets these itself
  for (const f of fieldsOf('NewIncident')) assert.ok(shown.has(f.name) || own.includes(f.name), f.name);
  for (const n of shown) assert.ok(fieldsOf('NewIncident').some((f) => f.name === n), n);
});

test('every field has a type that the form has an input for', () => {
  const visit = (shape: string, seen: Set<string>) => {
    if (seen.has(shape)) return;
    seen.add(shape);
    const fields = fieldsOf(shape);
    assert.ok(fields.length > 0, shape);
    for (const f of fields) {
      assert.ok(['string', 'int', 'real', 'bool', 'uuid', 'time', 'date', 'count', 'code', 'enum', 'shape'].includes(f.type), `${shape}.${f.name} ${f.type}`);
      if (f.type === 'code') assert.ok(f.book, f.name);
      if (f.type === 'enum') assert.ok((f.choices?.length ?? 0) > 1, f.name);
      if (f.shape) visit(f.shape, seen);
    }
  };
  visit('NewIncident', new Set());
});

test('what was left empty is not sent', () => {
  assert.deepEqual(pruned({ a: '', b: [], c: { d: undefined, e: '' }, f: 0, g: false, h: [{}, { i: 1 }] } as Rec), { f: 0, g: false, h: [{ i: 1 }] });
});

test('two versions: what differs, field by field', () => {
  const before: Rec = { type: 'border_entry', counts: { dead: 3, missing: 'unknown' }, means: [{ kind: 'raft' }] };
  const after: Rec = { type: 'border_entry', counts: { dead: 4, missing: 'unknown', injured: 1 }, means: [] };
  const d = differences(before, after);
  assert.equal(d.length, 3);
  assert.deepEqual(d.map((x) => [x.before, x.after]), [['3', '4'], ['raft', ''], ['', '1']]);
  assert.equal(differences(before, before).length, 0);
  assert.ok(flatten('NewIncident', before).length >= 4);
});

test('checks: what stops a report and what only deserves a look', () => {
  const keys = (rec: Rec) => {
    const f = checkReport(rec, '2026-11-25');
    return { stops: f.stops.map((x) => x.key), doubts: f.doubts.map((x) => x.key) };
  };
  const good: Rec = { type: 'border_entry', when: { from: '2026-11' }, place: { country: 'THA' }, counts: { persons: 10 } };
  assert.deepEqual(keys(good), { stops: [], doubts: [] });
  assert.deepEqual(keys({}).stops, ['check.no_type', 'check.no_place']);
  assert.ok(keys({ ...good, when: { from: '2027' } }).stops.includes('check.future'));
  assert.ok(keys({ ...good, when: { from: '2026-05-02', to: '2026-05-01' } }).stops.includes('check.order'));
  assert.deepEqual(keys({ ...good, when: { from: '2026-05-02', to: '2026-05' } }).stops, [], 'a month may hold the day');
  assert.ok(keys({ ...good, place: { lat: 5 } }).stops.includes('check.half_position'));
  assert.ok(keys({ ...good, people: [{ count: 4 }, { count: 7 }] }).doubts.includes('check.people_sum'));
  assert.deepEqual(keys({ ...good, people: [{ count: 4 }, { count: 'unknown' }] }).doubts, [], 'an unknown part makes an unknown whole');
  assert.ok(keys({ ...good, counts: { persons: 10, dead: 1 } }).doubts.includes('check.no_cause'));
  assert.ok(keys({ ...good, counts: { persons: 3, children: 4 } }).doubts.includes('check.part_larger'));
  assert.ok(keys({ ...good, text: 'a man named Omar' }).doubts.includes('check.name'));
  assert.ok(!keys({ ...good, text: 'The boat left at night.' }).doubts.includes('check.name'));
});

test('a picker finds by the beginnings of words, whatever the accents; inside words where a script has no spaces', () => {
  assert.ok(matches(['dari'], 'Darién'));
  assert.ok(matches(['fish', '15'], 'Fishing vessel, under 15 m'));
  assert.ok(!matches(['ish'], 'Fishing vessel'));
  assert.ok(matches(['เรือ'], 'ทางเรือประมง'));
});
