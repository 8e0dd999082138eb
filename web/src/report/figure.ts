// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * A figure as a file.  The SVG on the page gets its looks from the style
 * sheet; a file must carry them itself, so each element's computed looks are
 * written onto the copy.  Beneath stand the words without which a figure lies:
 * what was counted, which filters held, when, from which node, and whether the
 * data is invented.
 */
import { session } from '../lib/session';
import { t } from '../lib/i18n';
import { formatTime } from '../lib/format';
import { look } from '../lib/i18n';

const SVG = 'http://www.w3.org/2000/svg';
const LOOKS = ['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linejoin', 'opacity', 'font-size', 'font-weight', 'font-style', 'text-anchor', 'paint-order', 'visibility', 'display'];

function copyLooks(from: Element, to: Element): void {
  const s = getComputedStyle(from);
  for (const name of LOOKS) {
    const v = s.getPropertyValue(name);
    if (v) to.setAttribute(name, v);
  }
  to.removeAttribute('class');
  for (let i = 0; i < from.children.length; i++) {
    const a = from.children[i];
    const b = to.children[i];
    if (a && b) copyLooks(a, b);
  }
}

function text(words: string, x: number, y: number, weight = '400', size = 12): SVGTextElement {
  const el = document.createElementNS(SVG, 'text');
  el.setAttribute('x', String(x));
  el.setAttribute('y', String(y));
  el.setAttribute('font-size', String(size));
  el.setAttribute('font-weight', weight);
  el.textContent = words;
  return el;
}

/* The words beneath a figure. */
export function caption(filters: string): string[] {
  const s = session.value;
  const lines = [filters, t('figure.made', { node: s?.node_name ?? '', time: formatTime(new Date().toISOString(), look.value.lang) })];
  if (s?.exercise) lines.push(t('figure.exercise'));
  return lines.filter(Boolean);
}

export interface FigureParts {
  title: string;
  lines: string[];
  width: number;
  height: number;
  /* Elements already carrying their looks, placed from 0, 0. */
  body: SVGElement[];
}

export function composeSvg(p: FigureParts): SVGSVGElement {
  const s = getComputedStyle(document.documentElement);
  const ink = s.getPropertyValue('--ink').trim();
  const out = document.createElementNS(SVG, 'svg');
  const top = 40;
  const height = top + p.height + 16 + p.lines.length * 16;
  const width = Math.max(p.width, 360) + 24;
  out.setAttribute('xmlns', SVG);
  out.setAttribute('viewBox', `0 0 ${width} ${height}`);
  out.setAttribute('width', String(width));
  out.setAttribute('height', String(height));
  out.setAttribute('font-family', '"Noto Sans", sans-serif');
  const ground = document.createElementNS(SVG, 'rect');
  ground.setAttribute('width', '100%');
  ground.setAttribute('height', '100%');
  ground.setAttribute('fill', s.getPropertyValue('--bg').trim());
  out.append(ground);
  const defs = document.getElementById('gap-unknown')?.closest('defs');
  if (defs) {
    const copy = defs.cloneNode(true) as Element;
    copyLooks(defs, copy);
    out.append(copy);
  }
  const words = document.createElementNS(SVG, 'g');
  words.setAttribute('fill', ink);
  words.append(text(p.title, 12, 25, '600', 16));
  p.lines.forEach((line, i) => words.append(text(line, 12, top + p.height + 22 + i * 16)));
  const g = document.createElementNS(SVG, 'g');
  g.setAttribute('transform', `translate(12 ${top})`);
  const clip = document.createElementNS(SVG, 'svg');
  clip.setAttribute('width', String(p.width));
  clip.setAttribute('height', String(p.height));
  clip.setAttribute('overflow', 'hidden');
  clip.append(...p.body);
  g.append(clip);
  out.append(g, words);
  return out;
}

/* A copy of an element of the page that looks the same anywhere. */
export function copyFigure(el: SVGElement): SVGElement {
  const copy = el.cloneNode(true) as SVGElement;
  copyLooks(el, copy);
  return copy;
}

export function svgBlob(svg: SVGSVGElement): Blob {
  return new Blob([new XMLSerializer().serializeToString(svg)], { type: 'image/svg+xml' });
}

export async function pngBlob(svg: SVGSVGElement, scale = 2): Promise<Blob> {
  const w = Number(svg.getAttribute('width'));
  const h = Number(svg.getAttribute('height'));
  const img = new Image();
  img.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;
  await img.decode();
  const canvas = document.createElement('canvas');
  canvas.width = w * scale;
  canvas.height = h * scale;
  canvas.getContext('2d')?.drawImage(img, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => canvas.toBlob((b) => (b ? resolve(b) : reject(new Error('png'))), 'image/png'));
}
