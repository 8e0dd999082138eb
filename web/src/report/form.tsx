// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * Writing and correcting a report: one page, a section a block, all fields of
 * the shape reachable, the checks beside it.  What is typed stays in memory
 * (drafts.ts) until it is sent or thrown away.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Incident } from '../gen/api';
import { ApiError, get, post, put } from '../lib/api';
import { useCodebooks } from '../lib/codes';
import { t } from '../lib/i18n';
import { navigate } from '../lib/router';
import type { PageProps } from '../shell/pages';
import { PickMap } from '../map/pick';
import { Field } from '../ui/field';
import { Icon } from '../ui/icon';
import { ErrorBox, say } from '../ui/say';
import { useAct, useLoad } from '../ui/use';
import { session } from '../lib/session';
import { checkReport, parsePosition, type Findings } from './checks';
import { draftOf, dropDraft, keepDraft } from './drafts';
import { FieldGroup, FormField, Lines, setIn } from './fields';
import { FormAside } from './formaside';
import { BLOCKS, fieldOf, fieldsOf, isBlank, pruned, type FieldSpec, type Rec, type Value } from './record';

/* Open from the beginning; the others as they are needed. */
const FIRST = ['event', 'place', 'counts', 'harm', 'means', 'text'];
const STATES = ['unknown', 'not_collected', 'withheld'] as const;

/* One line for a position, beside the map and the two numbers. */
function Position({ place, onPlace }: { place: Rec; onPlace: (p: Rec) => void }) {
  const [text, setText] = useState('');
  const parsed = parsePosition(text);
  const set = (lat: number, lon: number) => onPlace({ ...place, lat, lon });
  const axis = (name: string) => {
    const f = fieldOf('Place', name);
    return f && <FormField key={name} shape="Place" f={f} value={place[name]} onValue={(v) => onPlace(setIn(place, name, v))} />;
  };
  return (
    <div class="where">
      <PickMap lat={place.lat as number | undefined} lon={place.lon as number | undefined} onPick={set} />
      <div class="stack tight">
      <Field label={t('form.position')} hint={t('form.position.hint')} error={text && !parsed ? t('form.position.bad') : ''}>
        <input
          class="in ltr"
          autocomplete="off"
          value={text}
          onInput={(e) => {
            const s = e.currentTarget.value;
            setText(s);
            const p = parsePosition(s);
            if (p) set(p.lat, p.lon);
          }}
        />
      </Field>
      <div class="cols">
        {axis('lat')}
        {axis('lon')}
      </div>
      </div>
    </div>
  );
}

/* What is said of an empty list: nobody could say, nobody asked, or it is not given. */
function EmptyState({ field, rec, onRec }: { field: string; rec: Rec; onRec: (r: Rec) => void }) {
  const empty = (rec.empty as Rec | undefined) ?? {};
  const put = (v: string) => {
    const next = setIn(empty, field, v === 'not_collected' ? undefined : v);
    onRec(setIn(rec, 'empty', Object.keys(next).length ? next : undefined));
  };
  return (
    <Field label={t('form.empty')}>
      <select class="in" value={String(empty[field] ?? 'not_collected')} onChange={(e) => put(e.currentTarget.value)}>
        {STATES.map((s) => (
          <option value={s}>{t(`state.${s}`)}</option>
        ))}
      </select>
    </Field>
  );
}

function Block({ name, fields, rec, onRec, errors }: { name: string; fields: string[]; rec: Rec; onRec: (r: Rec) => void; errors: Record<string, string> }) {
  const specs = fields.map((n) => fieldOf('NewIncident', n)).filter((f): f is FieldSpec => !!f);
  const plain = specs.filter((f) => f.type !== 'shape');
  const states = fieldsOf('BlockStates').map((f) => f.name);
  const put = (n: string) => (v: Value) => onRec(setIn(rec, n, v));
  const [open, setOpen] = useState(() => FIRST.includes(name) || fields.some((n) => n !== 'synthetic' && !isBlank(rec[n])));
  if (!open) {
    return (
      <section class="block shut" id={`b-${name}`} aria-label={t(`block.${name}`)}>
        <header>
          <h2>{t(`block.${name}`)}</h2>
        </header>
        <button type="button" aria-expanded="false" onClick={() => setOpen(true)}>
          <span>
            {t(`block.${name}.hint`)} <span class="faint">{t('form.shut')}</span>
          </span>
          <Icon name="down" />
        </button>
      </section>
    );
  }
  return (
    <section class="block" id={`b-${name}`} aria-label={t(`block.${name}`)}>
      <header>
        <h2>{t(`block.${name}`)}</h2>
        <p>{t(`block.${name}.hint`)}</p>
      </header>
      <div class="stack">
        <div class={name === 'text' ? undefined : 'cols'}>
          {plain.map((f) => (
            <FormField key={f.name} shape="NewIncident" f={f} value={rec[f.name]} error={errors[f.name]} onValue={put(f.name)} />
          ))}
        </div>
        {specs
          .filter((f) => f.type === 'shape')
          .map((f) => {
            if (f.many) {
              const rows = (rec[f.name] as Rec[] | undefined) ?? [];
              return (
                <>
                  <Lines key={f.name} shape="NewIncident" f={f} rows={rows} errors={errors} path={f.name} bare={specs.length === 1} onRows={(r) => put(f.name)(r.length ? r : undefined)} />
                  {rows.length === 0 && states.includes(f.name) && <EmptyState field={f.name} rec={rec} onRec={onRec} />}
                </>
              );
            }
            const own = (rec[f.name] as Rec | undefined) ?? {};
            const store = (r: Rec) => put(f.name)(Object.keys(r).length ? r : undefined);
            return (
              <>
                {f.name === 'place' && <Position place={own} onPlace={store} />}
                <FieldGroup key={f.name} shape={f.shape ?? ''} rec={own} errors={errors} path={`${f.name}.`} onRec={store} skip={f.name === 'place' ? ['lat', 'lon'] : []} title={specs.length > 1 && !['when', 'counts'].includes(f.name) ? t(`block.${f.name}`) : undefined} />
              </>
            );
          })}
      </div>
    </section>
  );
}

/* A correction starts from what stands there, without what only the node writes. */
function bodyOf(i: Incident): Rec {
  const names = new Set(fieldsOf('NewIncident').map((f) => f.name));
  const out: Rec = {};
  for (const [k, v] of Object.entries(i as unknown as Rec)) if (names.has(k)) out[k] = v;
  delete out.status;
  return { ...out, based_on: i.version };
}

function wordsOf(found: Findings): Record<string, string> {
  const out: Record<string, string> = {};
  for (const f of found.stops) out[f.field] = t(f.key, f.params);
  return out;
}

function Form({ id, start }: { id: string | undefined; start: Rec }) {
  useCodebooks();
  const key = id ?? 'new';
  const [rec, setRec] = useState<Rec>(() => draftOf(key)?.rec ?? start);
  const [tried, setTried] = useState(false);
  const { busy, error, run } = useAct();
  const top = useRef<HTMLDivElement>(null);
  const put = (r: Rec) => {
    setRec(r);
    keepDraft(key, r);
  };
  const found = checkReport(rec);
  const errors = tried ? wordsOf(found) : {};
  const send = (status: 'draft' | 'submitted') => {
    setTried(true);
    if (found.stops.length) {
      const first = found.stops[0];
      document.getElementById(`b-${first?.block}`)?.scrollIntoView({ block: 'start' });
      say(t('form.stopped', { n: found.stops.length }));
      return;
    }
    void run(async () => {
      const body = { ...(pruned(rec) as Rec), status, when: pruned(rec.when ?? {}), place: pruned(rec.place ?? {}) };
      const made = id ? await put2(id, body) : await post<Incident>('/api/report/incidents', body);
      dropDraft(key);
      say(t(status === 'draft' ? 'form.kept' : 'form.sent', { number: made.number }));
      navigate(`/report/incidents/${made.id}`);
    }).then((ok) => ok || top.current?.scrollIntoView({ block: 'start' }));
  };
  const throwAway = () => {
    dropDraft(key);
    navigate(id ? `/report/incidents/${id}` : '/report/incidents');
  };
  const stale = error instanceof ApiError && error.status === 409;
  const onKey = (e: KeyboardEvent) => {
    if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      send('submitted');
    }
  };
  return (
    <div onKeyDown={onKey}>
      <div class="head" ref={top}>
        <h1 tabIndex={-1}>{id ? t('nav.correct') : t('nav.form')}</h1>
        <span class="sub">{id ? String(rec.number ?? '') : t('form.kept_here')}</span>
        <span class="acts">
          <button type="button" class="btn" onClick={throwAway}>
            {t('form.throw')}
          </button>
          <button type="button" class="btn" disabled={busy} onClick={() => send('draft')}>
            {t('form.draft')}
          </button>
          <button type="button" class="btn primary" disabled={busy} onClick={() => send('submitted')}>
            {busy ? t('action.wait') : id ? t('form.send_correction') : t('form.send')} <kbd aria-hidden="true">Ctrl ↵</kbd>
          </button>
        </span>
      </div>
      {error ? (
        <div class="pad">
          <ErrorBox error={error}>
            <p>{t('form.nothing_lost')}</p>
            {stale && (
              <p>
                <a href={`/report/incidents/${id}`}>{t('form.see_newest')}</a>
              </p>
            )}
          </ErrorBox>
        </div>
      ) : null}
      <div class="form">
        <nav class="formnav" aria-label={t('form.blocks')}>
          {BLOCKS.map((b) => {
            const bad = tried && found.stops.some((f) => f.block === b.name);
            const filled = b.fields.some((n) => n !== 'synthetic' && !isBlank(rec[n]));
            return (
              <a href={`#b-${b.name}`} class={bad ? 'bad' : undefined}>
                {t(`block.${b.name}`)}
                <Icon name={bad ? 'warn' : filled ? 'check' : 'dot'} label={bad ? t('form.block_bad') : filled ? t('form.block_filled') : t('form.block_empty')} />
              </a>
            );
          })}
        </nav>
        <div>
          {BLOCKS.map((b) => (
            <Block key={b.name} name={b.name} fields={b.fields} rec={rec} onRec={put} errors={errors} />
          ))}
        </div>
        <FormAside rec={rec} found={found} />
      </div>
    </div>
  );
}

const put2 = (id: string, body: Rec): Promise<Incident> => put<Incident>(`/api/report/incidents/${id}`, body);

export default function FormPage({ params }: PageProps) {
  const id = params.id;
  const { data, error, again } = useLoad(async (signal) => (id ? bodyOf(await get<Incident>(`/api/report/incidents/${id}`, undefined, { signal })) : (session.value?.exercise ? { synthetic: true } : {})) as Rec, [id]);
  useEffect(() => {
    document.title = `${id ? t('nav.correct') : t('nav.form')} · Fairway`;
  });
  if (error) {
    return (
      <div class="pad">
        <h1 tabIndex={-1}>{t('nav.form')}</h1>
        <ErrorBox error={error} again={again} />
      </div>
    );
  }
  return data ? <Form id={id} start={data} /> : <p class="pad quiet">{t('action.wait')}</p>;
}
