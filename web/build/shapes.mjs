// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * The shape of an incident report, read from src/tbl/shapes.tbl, for the form
 * and the page that show it: so neither can lack a field that the node takes.
 * Of each shape reached from NewIncident: its fields in their order.
 */
const LINE = /^\s+(\w+)\s+(.+?)\s+(?:"([^"]*)")\s*$/;
const PLAIN = ['string', 'int', 'real', 'bool', 'uuid', 'time', 'date', 'count'];

function parseField(name, rest, words) {
  const parts = rest.split(/\s+/);
  const f = { name, words };
  let type = parts.shift();
  if (type === 'code' || type === 'enum') {
    const arg = parts.shift() ?? '';
    f.type = type;
    if (arg.endsWith('[]')) f.many = true;
    if (type === 'code') f.book = arg.replace('[]', '');
    else f.choices = arg.replace('[]', '').split('|');
  } else {
    if (type.endsWith('[]')) {
      f.many = true;
      type = type.slice(0, -2);
    }
    if (PLAIN.includes(type)) f.type = type;
    else Object.assign(f, { type: 'shape', shape: type });
  }
  for (const p of parts) {
    const m = /^(-?[\d.]+)\.\.(-?\d+(?:\.\d+)?)$/.exec(p.replace(/(\d)\.\.(-?\d)/, '$1..$2'));
    if (m) {
      f.min = Number(m[1]);
      f.max = Number(m[2]);
    } else if (p === 'required') f.required = true;
  }
  return f;
}

export function shapesOf(text, roots) {
  const all = {};
  let at;
  for (const line of text.split('\n')) {
    if (/^\s*#/.test(line)) continue;
    const head = /^shape (\w+) "([^"]*)"/.exec(line);
    if (head) {
      all[head[1]] = at = { words: head[2], fields: [] };
      continue;
    }
    const m = LINE.exec(line);
    if (m && at) at.fields.push(parseField(m[1], m[2], m[3]));
  }
  const out = {};
  const visit = (name) => {
    if (out[name] || !all[name]) return;
    out[name] = all[name];
    for (const f of all[name].fields) if (f.shape) visit(f.shape);
  };
  roots.forEach(visit);
  return out;
}
