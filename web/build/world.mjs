// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * The world's outlines, projected once, at build time.
 *
 * The page pans and zooms by moving a plane, so a country's outline in the
 * plane never changes: it is computed here, as relative SVG path data in whole
 * steps of a plane WIDTH steps wide, and the browser gets it ready to draw.
 * It needs no projection library and draws before any other data is there.
 * The projection is Mercator: its angles are true at every place and zoom,
 * which sea routes need; no area is read off this map.  src/map/plane.ts holds
 * the same two formulas for the points.
 *
 * Form of the file, one country a line:
 *   CODE TAB X TAB Y TAB SIZE TAB PATH
 * CODE is ISO 3166 alpha-2, or "-" where there is none; X, Y where a label may
 * stand, SIZE the square root of the area in steps.  First line: "width WIDTH".
 */
import { geoArea, geoMercator, geoPath } from 'd3-geo';
import { feature } from 'topojson-client';

function codesOf(text) {
  const codes = new Map();
  for (const line of text.split('\n')) {
    const [numeric, alpha2] = line.split(' ');
    if (/^\d{3}$/.test(numeric)) codes.set(numeric, alpha2);
  }
  return codes;
}

/* A projection stream that rounds to whole steps and writes relative moves. */
class Path {
  out = '';
  ring = [];
  polygonStart() {}
  polygonEnd() {}
  lineStart() { this.ring = []; }
  point(x, y) {
    const px = Math.round(x);
    const py = Math.round(y);
    const n = this.ring.length;
    if (n && this.ring[n - 2] === px && this.ring[n - 1] === py) return;
    this.ring.push(px, py);
  }
  lineEnd() {
    const r = this.ring;
    if (r.length < 6) return;
    let [x, y] = r;
    let s = `M${x} ${y}l`;
    for (let i = 2; i < r.length; i += 2) {
      const dx = r[i] - x;
      const dy = r[i + 1] - y;
      s += (i > 2 && dx >= 0 ? ' ' : '') + dx + (dy >= 0 ? ' ' : '') + dy;
      x = r[i];
      y = r[i + 1];
    }
    this.out += s + 'z';
  }
}

/* The largest ring's middle is a better place for a name than the middle of all islands. */
function largest(geometry) {
  if (geometry.type !== 'MultiPolygon') return geometry;
  const parts = geometry.coordinates.map((coordinates) => ({ type: 'Polygon', coordinates }));
  return parts.reduce((a, b) => (geoArea(b) > geoArea(a) ? b : a));
}

export function makeWorld(topology, codesText, width) {
  const codes = codesOf(codesText);
  const projection = geoMercator().scale(width / (2 * Math.PI)).translate([width / 2, width / 2]).precision(0);
  const lines = [`width ${width}`];
  for (const f of feature(topology, topology.objects.countries).features) {
    if (f.id === '010') continue; // the southern ice lies outside the frame
    const sink = new Path();
    const stream = projection.stream(sink);
    const path = geoPath(projection);
    const rings = f.geometry.type === 'Polygon' ? [f.geometry.coordinates] : f.geometry.coordinates;
    for (const polygon of rings) {
      stream.polygonStart();
      for (const ring of polygon) {
        stream.lineStart();
        for (const [lon, lat] of ring.slice(0, -1)) stream.point(lon, Math.max(-84, Math.min(84, lat)));
        stream.lineEnd();
      }
      stream.polygonEnd();
    }
    const main = largest(f.geometry);
    const [x, y] = path.centroid(main);
    if (!sink.out) continue;
    lines.push([codes.get(String(f.id)) ?? '-', Math.round(x), Math.round(y), Math.round(Math.sqrt(path.area(main))), sink.out].join('\t'));
  }
  return lines.join('\n') + '\n';
}
