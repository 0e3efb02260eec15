// A table of numbers as a picture: a square for each, the darker the larger, with names of rows and columns. SVG text.

import {
  ArgumentError,
  type OptionNames,
  checkList,
  checkNeededOptions,
  checkNumbers,
  checkText,
} from '../../tensor/library.js';
import { escapeMarkup } from './svg.js';

export interface HeatMapOptions {
  /** Names from top to bottom, and from left to right. */
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly title?: string;
}

const HEAT_MAP_OPTIONS: OptionNames<HeatMapOptions> = { rows: true, columns: true, title: true };

const CELL = 22;
const CHARACTER = 7;
const MARGIN = 12;

/**
 * A table of numbers as SVG, white for 0 and dark for the largest; what is below 0 is white. Made for attention: a row for each token that is
 * written, a column for each that is read.
 *
 *     writeFileSync('attention.svg', heatMapSvg(weights, { rows: ['a', 'man'], columns: ['ein', 'Mann'] }));
 */
export function heatMapSvg(values: readonly (readonly number[])[], options: HeatMapOptions): string {
  const call = 'heatMapSvg';
  checkList(call, 'the values', values, 'rows of numbers');
  checkNeededOptions(call, options, HEAT_MAP_OPTIONS, "{ rows: ['a'], columns: ['b'] }");
  const { rows, columns, title = '' } = options;
  for (const [name, list] of Object.entries({ rows, columns })) {
    checkList(call, name, list, 'names');
    list.forEach((text, i) => checkText(call, `${name}: name ${i}`, text));
  }
  checkText(call, 'title', title);
  if (values.length !== rows.length)
    throw new ArgumentError(`${call}: ${values.length} rows of values, ${rows.length} names. Give one for each.`);
  values.forEach((row, i) => {
    checkNumbers(call, `row ${i}`, row);
    if (row.length !== columns.length)
      throw new ArgumentError(`${call}: row ${i} has ${row.length} values, there are ${columns.length} columns.`);
  });
  const most = values.reduce((m, row) => row.reduce((n, v) => (v > n ? v : n), m), 0);
  const room = (names: readonly string[]): number =>
    MARGIN + CHARACTER * names.reduce((longest, { length }) => Math.max(longest, length), 1);
  const [left, top] = [room(rows), room(columns) + (title === '' ? 0 : 24)];
  const width = Math.max(left + CELL * columns.length + MARGIN, 2 * MARGIN + CHARACTER * title.length);
  const height = top + CELL * rows.length + MARGIN;
  const cells = values.flatMap((row, i) =>
    row.map((value, j) => {
      const share = most > 0 ? Math.min(Math.max(value / most, 0), 1) : 0;
      const place = `x="${left + j * CELL}" y="${top + i * CELL}" width="${CELL - 1}" height="${CELL - 1}"`;
      return `<rect ${place} fill="${shade(share)}"><title>${Number(value.toFixed(3))}</title></rect>`;
    }),
  );
  const rowNames = rows.map(
    (name, i) => `<text x="${left - 6}" y="${top + (i + 0.68) * CELL}" text-anchor="end">${escapeMarkup(name)}</text>`,
  );
  const columnNames = columns.map((name, j) => {
    const [x, y] = [left + (j + 0.68) * CELL, top - 6];
    return `<text x="${x}" y="${y}" transform="rotate(-90 ${x} ${y})">${escapeMarkup(name)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...(title === ''
      ? []
      : [`<text x="${MARGIN}" y="18" font-size="14" font-weight="bold">${escapeMarkup(title)}</text>`]),
    ...cells,
    ...rowNames,
    ...columnNames,
    '</svg>\n',
  ].join('\n');
}

/** From near white to dark blue. */
function shade(share: number): string {
  const mix = (light: number, dark: number): number => Math.round(light + (dark - light) * share);
  return `rgb(${mix(243, 8)} ${mix(246, 48)} ${mix(250, 107)})`;
}
