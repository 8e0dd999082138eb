// SPDX-License-Identifier: AGPL-3.0-or-later
// Beside each figure: the table behind it, and the figure as a file.
import { useState } from 'preact/hooks';
import { t } from '../lib/i18n';
import { csv, fileName, saveBlob, type Cell } from '../lib/save';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icon';
import { Menu } from '../ui/menu';
import { errorWords, say } from '../ui/say';
import { caption, composeSvg, pngBlob, svgBlob, type FigureParts } from './figure';

export interface Sheet {
  head: string[];
  /* Which columns hold numbers. */
  numeric: boolean[];
  rows: Cell[][];
  /* As shown, where that differs from the plain cell. */
  shown?: (row: number, col: number) => preact.ComponentChildren;
  note?: string;
}

interface Props {
  title: string;
  filters: string;
  sheet: () => Sheet;
  /* What goes into the picture; none: only the table. */
  picture?: () => Omit<FigureParts, 'title' | 'lines'> | undefined;
}

function saveSheet(title: string, sheet: Sheet, filters: string): void {
  const notes = caption(filters).map((line): Cell[] => [line]);
  saveBlob(csv([sheet.head, ...sheet.rows, [], ...notes]), `${fileName('fairway', title)}.csv`);
}

export function SheetTable({ sheet, label }: { sheet: Sheet; label: string }) {
  return (
    <div class="tablebox" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {sheet.head.map((h, i) => (
              <th scope="col" class={sheet.numeric[i] ? 'num' : undefined}>
                {h}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sheet.rows.map((r, y) => (
            <tr>
              {r.map((c, x) => {
                const content = sheet.shown?.(y, x) ?? c;
                return x === 0 ? <th scope="row">{content}</th> : <td class={sheet.numeric[x] ? 'num' : undefined}>{content}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {sheet.rows.length === 0 && <p class="quiet">{t('figure.nothing')}</p>}
    </div>
  );
}

export function FigureMenu(p: Props) {
  const [open, setOpen] = useState(false);
  const save = (kind: 'png' | 'svg') => async () => {
    try {
      const parts = p.picture?.();
      if (!parts) return;
      const svg = composeSvg({ ...parts, title: p.title, lines: caption(p.filters) });
      saveBlob(kind === 'svg' ? svgBlob(svg) : await pngBlob(svg), `${fileName('fairway', p.title)}.${kind}`);
    } catch (e) {
      say(errorWords(e).title);
    }
  };
  const table = open ? p.sheet() : undefined;
  return (
    <span class="figmenu">
      <button type="button" class="tlink" aria-label={t('figure.table', { title: p.title })} title={t('figure.table.short')} onClick={() => setOpen(true)}>
        <Icon name="table" />
      </button>
      <Menu
        class="tlink"
        label={t('figure.save', { title: p.title })}
        items={[
          ...(p.picture ? [{ label: 'PNG', act: () => void save('png')() }, { label: 'SVG', act: () => void save('svg')() }] : []),
          { label: 'CSV', act: () => saveSheet(p.title, p.sheet(), p.filters) },
        ]}
      >
        <Icon name="imports" />
      </Menu>
      {table && (
        <Dialog
          wide
          title={p.title}
          onClose={() => setOpen(false)}
          actions={
            <button type="button" class="btn" onClick={() => saveSheet(p.title, table, p.filters)}>
              <Icon name="imports" />
              CSV
            </button>
          }
        >
          {p.filters && <p class="small quiet">{p.filters}</p>}
          {table.note && <p class="small">{table.note}</p>}
          <SheetTable sheet={table} label={p.title} />
        </Dialog>
      )}
    </span>
  );
}
