// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * The incident report as its shape says: fields, their words, their values as
 * shown.  Form, page and comparison all walk this one description, which is
 * made from src/tbl/shapes.tbl.
 */
import shapes from '../gen/shapes.json';
import { label } from '../lib/codes';
import { formatDate, formatNumber, formatTime } from '../lib/format';
import { hasMessage, look, t } from '../lib/i18n';

export interface FieldSpec {
  name: string;
  words: string;
  type: 'string' | 'int' | 'real' | 'bool' | 'uuid' | 'time' | 'date' | 'count' | 'code' | 'enum' | 'shape';
  many?: boolean;
  book?: string;
  choices?: string[];
  shape?: string;
  min?: number;
  max?: number;
  required?: boolean;
}

export type Value = string | number | boolean | undefined | Value[] | { [k: string]: Value };
export type Rec = { [k: string]: Value };

const all = shapes as unknown as Record<string, { words: string; fields: FieldSpec[] }>;

export const fieldsOf = (shape: string): FieldSpec[] => all[shape]?.fields ?? [];
export const fieldOf = (shape: string, name: string): FieldSpec | undefined => fieldsOf(shape).find((f) => f.name === name);

/* A short name for a field; the table's own words where they are short enough to be one. */
export function fieldLabel(shape: string, f: FieldSpec): string {
  const key = `f.${shape.toLowerCase()}.${f.name}`;
  return hasMessage(key) ? t(key) : f.words;
}

/* What must be known to fill a field rightly, where its label does not say it. */
export function fieldHint(shape: string, f: FieldSpec): string {
  const key = `h.${shape.toLowerCase()}.${f.name}`;
  return hasMessage(key) ? t(key) : '';
}

export function choiceLabel(choice: string): string {
  const key = `choice.${choice}`;
  return hasMessage(key) ? t(key) : choice.replace(/_/g, ' ');
}

/* The blocks of the report in the order of a story; each is one or more fields of NewIncident. */
export const BLOCKS: { name: string; fields: string[] }[] = [
  { name: 'event', fields: ['type', 'form', 'outcome', 'manner', 'severity', 'when'] },
  { name: 'place', fields: ['place'] },
  { name: 'counts', fields: ['counts', 'counts_are'] },
  { name: 'people', fields: ['people', 'origins'] },
  { name: 'harm', fields: ['harm'] },
  { name: 'journey', fields: ['journey'] },
  { name: 'means', fields: ['means'] },
  { name: 'detection', fields: ['detection'] },
  { name: 'facilitation', fields: ['facilitation', 'facilitators'] },
  { name: 'documents', fields: ['documents'] },
  { name: 'fees', fields: ['fees'] },
  { name: 'response', fields: ['response'] },
  { name: 'confidence', fields: ['confidence', 'sources', 'impact'] },
  { name: 'handling', fields: ['handling', 'links', 'number', 'synthetic'] },
  { name: 'text', fields: ['text'] },
];

/* A plain value in words. */
export function showValue(f: FieldSpec, v: Value): string {
  const lang = look.value.lang;
  if (v === undefined || v === null) return '';
  if (Array.isArray(v)) return v.map((x) => showValue({ ...f, many: false }, x)).join(', ');
  switch (f.type) {
    case 'code':
      return label(f.book ?? '', String(v));
    case 'enum':
      return choiceLabel(String(v));
    case 'date':
      return formatDate(String(v), lang, t('date.unknown'));
    case 'time':
      return formatTime(String(v), lang);
    case 'bool':
      return v ? t('answer.yes') : t('answer.no');
    case 'count':
      return typeof v === 'number' ? formatNumber(v, lang) : t(`state.${String(v)}`);
    case 'int':
    case 'real':
      return typeof v === 'number' ? (f.name === 'lat' || f.name === 'lon' ? v.toFixed(4) : formatNumber(v, lang)) : String(v);
    default:
      return String(v);
  }
}

export const isBlank = (v: Value): boolean =>
  v === undefined || v === null || v === '' || (Array.isArray(v) && v.length === 0) || (typeof v === 'object' && !Array.isArray(v) && Object.values(v).every(isBlank));

/* Without what was left empty: an absent field means "not collected", an empty string would claim more. */
export function pruned(v: Value): Value {
  if (Array.isArray(v)) return v.map(pruned).filter((x) => !isBlank(x));
  if (v && typeof v === 'object') {
    const out: Rec = {};
    for (const [k, x] of Object.entries(v)) {
      const p = pruned(x);
      if (!isBlank(p)) out[k] = p;
    }
    return out;
  }
  return v;
}

export interface FlatField {
  path: string;
  label: string;
  text: string;
}

/* All values with their places, for a comparison. */
export function flatten(shape: string, rec: Rec, path = '', words = ''): FlatField[] {
  const out: FlatField[] = [];
  for (const f of fieldsOf(shape)) {
    const v = rec[f.name];
    if (isBlank(v) || (shape === 'NewIncident' && (f.name === 'based_on' || f.name === 'status'))) continue;
    const at = path ? `${path}.${f.name}` : f.name;
    const name = words ? `${words} › ${fieldLabel(shape, f)}` : fieldLabel(shape, f);
    if (f.type === 'shape' && f.shape) {
      if (Array.isArray(v)) v.forEach((x, i) => out.push(...flatten(f.shape ?? '', x as Rec, `${at}.${i}`, `${name} ${i + 1}`)));
      else out.push(...flatten(f.shape, v as Rec, at, name));
    } else out.push({ path: at, label: name, text: showValue(f, v) });
  }
  return out;
}

export interface Difference {
  label: string;
  before: string;
  after: string;
}

export function differences(before: Rec, after: Rec): Difference[] {
  const a = flatten('NewIncident', before);
  const b = flatten('NewIncident', after);
  const byPath = new Map(b.map((x) => [x.path, x]));
  const seen = new Set(a.map((x) => x.path));
  const out: Difference[] = [];
  for (const x of a) {
    const y = byPath.get(x.path);
    if (!y || y.text !== x.text) out.push({ label: x.label, before: x.text, after: y?.text ?? '' });
  }
  for (const y of b) if (!seen.has(y.path)) out.push({ label: y.label, before: '', after: y.text });
  return out;
}
