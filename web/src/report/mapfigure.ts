// SPDX-License-Identifier: AGPL-3.0-or-later
// The map as SVG for a file, and the table behind the map: each circle, with what it holds.
import { t } from '../lib/i18n';
import { latOf, lonOf } from '../map/plane';
import type { MapPicture } from '../map/map';
import { copyFigure, type FigureParts } from './figure';
import type { Sheet } from './figuremenu';

const SVG = 'http://www.w3.org/2000/svg';

function el(name: string, attrs: Record<string, string | number>): SVGElement {
  const e = document.createElementNS(SVG, name) as SVGElement;
  for (const [k, v] of Object.entries(attrs)) e.setAttribute(k, String(v));
  return e;
}

export function mapParts(p: MapPicture): Omit<FigureParts, 'title' | 'lines'> {
  const s = getComputedStyle(document.documentElement);
  const colour = (name: string) => s.getPropertyValue(name).trim();
  const body: SVGElement[] = [el('rect', { width: p.width, height: p.height, fill: colour('--m-sea') })];
  if (p.world) {
    const scale = p.view.k / p.world.width;
    const land = el('g', { transform: `translate(${p.view.tx} ${p.view.ty}) scale(${scale})`, stroke: colour('--m-border'), 'stroke-width': 0.8 / scale });
    for (const c of p.world.countries) land.append(el('path', { d: c.d, fill: colour(p.chosen.has(c.code) ? '--m-on' : '--m-land') }));
    body.push(land);
  }
  const over = document.querySelector<SVGSVGElement>('.mapbox .over');
  if (over) body.push(copyFigure(over));
  return { width: p.width, height: p.height, body };
}

export function mapSheet(p: MapPicture | undefined): Sheet {
  const clusters = [...(p?.clusters ?? [])].sort((a, b) => b.n - a.n);
  return {
    head: [t('figure.latitude'), t('figure.longitude'), t('figure.reports'), t('figure.about'), t('figure.lives')],
    numeric: [true, true, true, true, false],
    rows: clusters.map((c) => [latOf(c.y).toFixed(2), lonOf(c.x).toFixed(2), c.n, c.vague, c.lives ? t('answer.yes') : t('answer.no')]),
    note: t('map.table_note'),
  };
}
