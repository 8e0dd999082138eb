// SPDX-License-Identifier: AGPL-3.0-or-later
// One report: every block, its versions, where it came from, and what the node noticed.
import { useEffect, useState } from 'preact/hooks';
import type { HandedOverList, Incident } from '../gen/api';
import { get } from '../lib/api';
import { label, useCodebooks } from '../lib/codes';
import { formatDate, formatNumber, formatTime } from '../lib/format';
import { look, t } from '../lib/i18n';
import { query } from '../lib/router';
import { mayIn } from '../lib/session';
import type { PageProps } from '../shell/pages';
import { Icon } from '../ui/icon';
import { ErrorBox } from '../ui/say';
import { useLoad } from '../ui/use';
import { Blocks } from './blocks';
import { Compare } from './compare';
import { StatusBadge } from './list';
import { fieldLabel, fieldsOf, showValue, type Rec } from './record';
import { ReferDialog } from './refer';

function Versions({ i }: { i: Incident }) {
  const lang = look.value.lang;
  const base = `/report/incidents/${i.id}`;
  return (
    <section>
      <h2>{t('incident.versions')}</h2>
      <ol class="steps">
        {i.versions.map((v, at) => {
          const older = i.versions[at + 1];
          return (
            <li>
              <Icon name={v.version === i.version ? 'check' : 'dot'} />
              <div>
                <a href={v.version === i.latest ? base : `${base}?version=${v.version}`} aria-current={v.version === i.version ? 'true' : undefined}>
                  {t('incident.version', { version: formatNumber(v.version, lang) })}
                </a>{' '}
                <span class="small quiet">
                  {formatTime(v.at, lang)} · {t(`reason.${v.reason ?? 'written'}`)}
                </span>
                {older && (
                  <div class="small">
                    <a href={`${base}?version=${v.version}&with=${older.version}`}>{t('incident.compare', { version: formatNumber(older.version, lang) })}</a>
                  </div>
                )}
              </div>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function Provenance({ i }: { i: Incident }) {
  const p = i.provenance;
  const shown = fieldsOf('Provenance').filter((f) => !['doubts', 'import', 'attribution'].includes(f.name) && p[f.name as keyof typeof p] !== undefined);
  return (
    <section>
      <h2>{t('incident.provenance')}</h2>
      {shown.length === 0 && <p class="small quiet">{t('incident.written_here')}</p>}
      <dl class="facts">
        {shown.map((f) => (
          <div>
            <dt>{fieldLabel('Provenance', f)}</dt>
            <dd class={f.type === 'int' ? undefined : 'wrap'}>{f.name === 'system' ? label('system', p.system) : showValue(f, (p as unknown as Rec)[f.name])}</dd>
          </div>
        ))}
      </dl>
      {p.import && mayIn('strategic', 'report.import') && (
        <p>
          <a href={`/report/imports/${p.import}`}>{t('incident.its_import')}</a>
        </p>
      )}
      {p.attribution && <p class="small">{t('incident.attribution', { text: p.attribution })}</p>}
    </section>
  );
}

function Doubts({ i }: { i: Incident }) {
  const doubts = i.provenance.doubts ?? [];
  if (!doubts.length) return null;
  return (
    <section>
      <h2>{t('incident.doubts')}</h2>
      <p class="small quiet">{t('incident.doubts.why')}</p>
      <ul class="steps">
        {doubts.map((d) => (
          <li>
            <Icon name="warn" />
            <div>
              <b>{label('doubt', d.code)}</b> <span class="small quiet mono">{d.field}</span>
              <div class="small wrap">“{d.text}”</div>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function HandedOver({ id, round }: { id: string; round: number }) {
  const { data } = useLoad((signal) => get<HandedOverList>(`/api/report/incidents/${id}/referrals`, undefined, { signal }), [id, round]);
  if (!data?.handed_over.length) return null;
  return (
    <section class="protectline">
      <h2>
        <Icon name="protect" />
        {t('refer.done')}
      </h2>
      <ul>
        {data.handed_over.map((h) => (
          <li class="small">{h.receipt ? t('refer.receipt', { receipt: h.receipt }) : t('refer.under_way')}</li>
        ))}
      </ul>
    </section>
  );
}

export default function IncidentPage({ params }: PageProps) {
  useCodebooks();
  const id = params.id ?? '';
  const lang = look.value.lang;
  const version = query.value.get('version') ?? undefined;
  const other = query.value.get('with') ?? undefined;
  const [referring, setReferring] = useState(false);
  const [round, setRound] = useState(0);
  const { data: i, error, again } = useLoad((signal) => get<Incident>(`/api/report/incidents/${id}`, { version }, { signal }), [id, version]);
  useEffect(() => {
    document.title = `${i?.number ?? t('nav.incident')} · Fairway`;
  }, [i]);
  if (error) {
    return (
      <div class="pad">
        <h1 tabIndex={-1}>{t('nav.incident')}</h1>
        <ErrorBox error={error} again={again} />
        <p>
          <a href="/report/incidents">{t('incident.to_list')}</a>
        </p>
      </div>
    );
  }
  if (!i) return <p class="pad quiet">{t('action.wait')}</p>;
  const old = i.version !== i.latest;
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{i.number}</h1>
        <span class="sub">{formatDate(i.when.from ?? '', lang, t('date.unknown'))}</span>
        <StatusBadge s={i.status} />
        {i.synthetic && <span class="badge warn">{t('incident.synthetic')}</span>}
        {i.personal && (
          <span class="badge" title={t('incident.personal.why')}>
            <Icon name="lock" />
            {t('incident.personal')}
          </span>
        )}
        <span class="acts">
          {mayIn('strategic', 'report.refer') && (
            <button type="button" class="btn protect" onClick={() => setReferring(true)}>
              <Icon name="protect" />
              {t('refer.go')}
            </button>
          )}
          {mayIn('strategic', 'report.write') && !old && (
            <a class="btn" href={`/report/incidents/${i.id}/correct`}>
              <Icon name="edit" />
              {t('incident.correct')}
            </a>
          )}
          <button type="button" class="btn" onClick={() => print()}>
            <Icon name="print" />
            {t('action.print')}
          </button>
        </span>
      </div>
      {old && (
        <div class="banner warn" role="status">
          <Icon name="clock" />
          <div>
            {t('incident.old', { version: formatNumber(i.version, lang) })} <a href={`/report/incidents/${i.id}`}>{t('incident.newest')}</a>
          </div>
        </div>
      )}
      <div class="doc">
        <article>{other ? <Compare id={i.id} i={i} other={Number(other)} /> : <Blocks rec={i as unknown as Rec} />}</article>
        <aside aria-label={t('incident.about')}>
          {mayIn('strategic', 'report.refer') && <HandedOver id={i.id} round={round} />}
          <Doubts i={i} />
          <Versions i={i} />
          <Provenance i={i} />
        </aside>
      </div>
      {referring && (
        <ReferDialog
          id={i.id}
          onClose={() => setReferring(false)}
          onDone={() => {
            setReferring(false);
            setRound(round + 1);
          }}
        />
      )}
    </>
  );
}
