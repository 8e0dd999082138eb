// SPDX-License-Identifier: AGPL-3.0-or-later
// The form's fields, one kind of input for each type of the table of shapes.
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { Count } from '../gen/api';
import { t } from '../lib/i18n';
import { CountInput } from '../ui/countinput';
import { DateInput } from '../ui/dateinput';
import { Field } from '../ui/field';
import { Icon } from '../ui/icon';
import { Picker, PickMany } from '../ui/picker';
import { choiceLabel, fieldHint, fieldLabel, fieldsOf, type FieldSpec, type Rec, type Value } from './record';

interface FieldProps {
  shape: string;
  f: FieldSpec;
  value: Value;
  onValue: (v: Value) => void;
  error?: string;
}

/* A number as text until it is one, so that "-", "1." and a slip of the finger are not lost. */
function NumberInput({ f, value, onValue, ...aria }: { f: FieldSpec; value: Value; onValue: (v: Value) => void }) {
  const [text, setText] = useState(value === undefined ? '' : String(value));
  const n = Number(text.replace(',', '.'));
  const bad = text.trim() !== '' && (!Number.isFinite(n) || (f.type === 'int' && !Number.isInteger(n)) || (f.min !== undefined && n < f.min) || (f.max !== undefined && n > f.max));
  const shown = typeof value === 'number' && n !== value && !bad ? String(value) : text;
  return (
    <input
      {...aria}
      class="in num"
      inputMode="decimal"
      autocomplete="off"
      value={shown}
      aria-invalid={bad ? 'true' : undefined}
      title={bad ? t('field.range', { min: f.min ?? 0, max: f.max ?? 0 }) : undefined}
      onInput={(e) => {
        const s = e.currentTarget.value;
        setText(s);
        const v = Number(s.replace(',', '.'));
        onValue(s.trim() === '' || !Number.isFinite(v) ? undefined : v);
      }}
    />
  );
}

/* An instant in UTC: the clock of the sea and of the ledger. */
function TimeInput({ value, onValue, ...aria }: { value: Value; onValue: (v: Value) => void }) {
  const [text, setText] = useState(value ? String(value).slice(0, 16).replace('T', ' ') : '');
  const m = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)$/.exec(text.trim());
  const good = m && !Number.isNaN(Date.parse(`${m[1]}T${m[2]}:00Z`));
  return (
    <input
      {...aria}
      class="in ltr"
      placeholder={t('time.form')}
      autocomplete="off"
      maxLength={16}
      value={text}
      aria-invalid={text && !good ? 'true' : undefined}
      onInput={(e) => {
        const s = e.currentTarget.value;
        setText(s);
        const n = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)$/.exec(s.trim());
        onValue(n ? `${n[1]}T${n[2]}:00Z` : undefined);
      }}
    />
  );
}

function inputOf(p: FieldProps): VNode<any> {
  const { f, value, onValue } = p;
  switch (f.type) {
    case 'code':
      return f.many ? (
        <PickMany book={f.book ?? ''} value={(value as string[] | undefined) ?? []} onValue={(v) => onValue(v.length ? v : undefined)} />
      ) : (
        <Picker book={f.book ?? ''} value={value as string | undefined} onValue={onValue} />
      );
    case 'enum':
      return (
        <select class="in" value={String(value ?? '')} onChange={(e) => onValue(e.currentTarget.value || undefined)}>
          <option value="">{t('field.not_said')}</option>
          {f.choices?.map((c) => (
            <option value={c}>{choiceLabel(c)}</option>
          ))}
        </select>
      );
    case 'bool':
      return (
        <select class="in" value={value === undefined ? '' : value ? 'yes' : 'no'} onChange={(e) => onValue(e.currentTarget.value === '' ? undefined : e.currentTarget.value === 'yes')}>
          <option value="">{t('field.not_said')}</option>
          <option value="yes">{t('answer.yes')}</option>
          <option value="no">{t('answer.no')}</option>
        </select>
      );
    case 'count':
      return <CountInput label={fieldLabel(p.shape, f)} value={value as Count | undefined} onValue={onValue} />;
    case 'date':
      return <DateInput value={String(value ?? '')} onValue={(v) => onValue(v || undefined)} />;
    case 'time':
      return <TimeInput value={value} onValue={onValue} />;
    case 'int':
    case 'real':
      return <NumberInput f={f} value={value} onValue={onValue} />;
    default:
      return (f.max ?? 0) > 300 ? (
        <textarea class="in" maxLength={f.max} value={String(value ?? '')} onInput={(e) => onValue(e.currentTarget.value || undefined)} />
      ) : (
        <input class="in" autocomplete="off" maxLength={f.max} value={String(value ?? '')} onInput={(e) => onValue(e.currentTarget.value || undefined)} />
      );
  }
}

export function FormField(p: FieldProps) {
  return (
    <Field label={fieldLabel(p.shape, p.f)} hint={fieldHint(p.shape, p.f)} error={p.error}>
      {inputOf(p)}
    </Field>
  );
}

interface GroupProps {
  shape: string;
  rec: Rec;
  onRec: (r: Rec) => void;
  /* Errors by path below this record. */
  errors: Record<string, string>;
  path: string;
  skip?: string[];
  title?: string;
}

export const setIn = (rec: Rec, name: string, v: Value): Rec => {
  const { [name]: _, ...rest } = rec;
  return v === undefined ? rest : { ...rest, [name]: v };
};

/* All fields of a shape; nested shapes beneath their heading, lists as lines that can be added and taken away. */
export function FieldGroup({ shape, rec, onRec, errors, path, skip = [], title }: GroupProps) {
  const fields = fieldsOf(shape).filter((f) => !skip.includes(f.name));
  const plain = fields.filter((f) => f.type !== 'shape');
  const nested = fields.filter((f) => f.type === 'shape');
  const long = (f: FieldSpec) => f.type === 'string' && (f.max ?? 0) > 300;
  return (
    <>
      {title && <h3>{title}</h3>}
      <div class="cols">
        {plain.filter((f) => !long(f)).map((f) => (
          <FormField key={f.name} shape={shape} f={f} value={rec[f.name]} error={errors[`${path}${f.name}`]} onValue={(v) => onRec(setIn(rec, f.name, v))} />
        ))}
      </div>
      {plain.filter(long).map((f) => (
        <FormField key={f.name} shape={shape} f={f} value={rec[f.name]} error={errors[`${path}${f.name}`]} onValue={(v) => onRec(setIn(rec, f.name, v))} />
      ))}
      {nested.map((f) =>
        f.many ? (
          <Lines key={f.name} shape={shape} f={f} rows={(rec[f.name] as Rec[] | undefined) ?? []} errors={errors} path={`${path}${f.name}`} onRows={(rows) => onRec(setIn(rec, f.name, rows.length ? rows : undefined))} />
        ) : (
          <FieldGroup key={f.name} shape={f.shape ?? ''} title={fieldLabel(shape, f)} rec={(rec[f.name] as Rec | undefined) ?? {}} errors={errors} path={`${path}${f.name}.`} onRec={(r) => onRec(setIn(rec, f.name, Object.keys(r).length ? r : undefined))} />
        ),
      )}
    </>
  );
}

interface LinesProps {
  shape: string;
  f: FieldSpec;
  rows: Rec[];
  onRows: (rows: Rec[]) => void;
  errors: Record<string, string>;
  path: string;
  /* Without a heading of its own: the block's says it. */
  bare?: boolean;
}

export function Lines({ shape, f, rows, onRows, errors, path, bare }: LinesProps) {
  const name = fieldLabel(shape, f);
  const replace = (i: number, r: Rec) => onRows(rows.map((x, j) => (j === i ? r : x)));
  return (
    <div class="stack tight" role="group" aria-label={name}>
      {!bare && <h3>{name}</h3>}
      {rows.map((r, i) => (
        <div class="line" role="group" aria-label={`${name} ${i + 1}`}>
          <div class="stack tight">
            <FieldGroup shape={f.shape ?? ''} rec={r} errors={errors} path={`${path}.${i}.`} onRec={(x) => replace(i, x)} />
          </div>
          <button type="button" class="btn icon" aria-label={t('form.remove', { name: `${name} ${i + 1}` })} title={t('form.remove', { name: `${name} ${i + 1}` })} onClick={() => onRows(rows.filter((_, j) => j !== i))}>
            <Icon name="close" />
          </button>
        </div>
      ))}
      {rows.length < (f.max ?? 200) && (
        <button type="button" class="btn small start" onClick={() => onRows([...rows, {}])}>
          <Icon name="plus" />
          {t('form.add', { name })}
        </button>
      )}
    </div>
  );
}
