// SPDX-License-Identifier: AGPL-3.0-or-later
// A report to be read: block by block, single values as facts, lists as tables, empty blocks with what is said of them.
import type { Count } from '../gen/api';
import { t } from '../lib/i18n';
import { CountValue } from '../ui/count';
import { Gap, type GapName } from '../ui/icon';
import { BLOCKS, fieldLabel, fieldsOf, isBlank, showValue, type FieldSpec, type Rec, type Value } from './record';

function Shown({ f, v }: { f: FieldSpec; v: Value }) {
  if (f.type === 'count') return <CountValue c={v as Count} />;
  const text = showValue(f, v);
  if (f.name === 'url' && /^https?:\/\//.test(text)) {
    // Following it would tell the outside who reads here: it is shown, to be copied.
    return <span class="ltr wrap">{text}</span>;
  }
  return <>{text}</>;
}

function Facts({ shape, rec }: { shape: string; rec: Rec }) {
  const plain = fieldsOf(shape).filter((f) => f.type !== 'shape' && !isBlank(rec[f.name]));
  if (!plain.length) return null;
  return (
    <dl class="facts">
      {plain.map((f) => (
        <div class={f.type === 'string' && (f.max ?? 0) > 300 ? 'wide' : undefined}>
          <dt>{fieldLabel(shape, f)}</dt>
          <dd>
            <Shown f={f} v={rec[f.name]} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/* A list of like records as a table of the columns that any of them fills. */
function Lines({ shape, rows, title }: { shape: string; rows: Rec[]; title: string }) {
  const columns = fieldsOf(shape).filter((f) => rows.some((r) => !isBlank(r[f.name])));
  return (
    <div class="tablebox" tabIndex={0} role="region" aria-label={t('incident.table', { name: title })}>
      <table class="cards">
        <thead>
          <tr>
            {columns.map((f) => (
              <th scope="col" class={f.type === 'count' || f.type === 'int' ? 'num' : undefined}>
                {fieldLabel(shape, f)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((r) => (
            <tr>
              {columns.map((f) => (
                <td class={f.type === 'count' || f.type === 'int' ? 'num' : 'wrap'} data-label={fieldLabel(shape, f)}>
                  <Shown f={f} v={r[f.name]} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Nested({ shape, rec, title }: { shape: string; rec: Rec; title?: string }) {
  const nested = fieldsOf(shape).filter((f) => f.type === 'shape' && !isBlank(rec[f.name]));
  return (
    <>
      {title && <h3>{title}</h3>}
      <Facts shape={shape} rec={rec} />
      {nested.map((f) => {
        const v = rec[f.name];
        const name = fieldLabel(shape, f);
        return Array.isArray(v) ? (
          <>
            <h4>{name}</h4>
            <Lines shape={f.shape ?? ''} rows={v as Rec[]} title={name} />
          </>
        ) : (
          <Nested shape={f.shape ?? ''} rec={v as Rec} title={name} />
        );
      })}
    </>
  );
}

function emptyState(rec: Rec, field: string): GapName {
  const said = (rec.empty as Rec | undefined)?.[field];
  return said === 'unknown' || said === 'withheld' ? said : 'not_collected';
}

export function Blocks({ rec }: { rec: Rec }) {
  return (
    <>
      {BLOCKS.map((b) => {
        const specs = b.fields.map((n) => fieldsOf('NewIncident').find((f) => f.name === n)).filter((f): f is FieldSpec => !!f && f.name !== 'number' && f.name !== 'synthetic');
        const plain: Rec = {};
        for (const f of specs) if (f.type !== 'shape') plain[f.name] = rec[f.name];
        const filled = specs.filter((f) => !isBlank(rec[f.name]));
        return (
          <section class="block" id={`b-${b.name}`} aria-label={t(`block.${b.name}`)}>
            <header>
              <h2>{t(`block.${b.name}`)}</h2>
            </header>
            <div class="stack tight">
              {filled.length === 0 && (
                <p class="cv">
                  <Gap name={emptyState(rec, b.name)} />
                  {t(`state.${emptyState(rec, b.name)}`)}
                </p>
              )}
              <Facts shape="NewIncident" rec={plain} />
              {filled
                .filter((f) => f.type === 'shape')
                .map((f) => {
                  const v = rec[f.name];
                  const name = fieldLabel('NewIncident', f);
                  const many = filled.length > 1;
                  return Array.isArray(v) ? (
                    <>
                      {many && <h3>{name}</h3>}
                      <Lines shape={f.shape ?? ''} rows={v as Rec[]} title={name} />
                    </>
                  ) : (
                    <Nested shape={f.shape ?? ''} rec={v as Rec} title={many && !['when', 'counts'].includes(f.name) ? name : undefined} />
                  );
                })}
            </div>
          </section>
        );
      })}
    </>
  );
}
