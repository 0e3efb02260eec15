// Charts as lines of text: curves of Braille dots, two by four to a character, and a letter on each curve now and then, so
// that they can be told apart without colour.

import { type Chart, type Series, isJoined, thinOut, xAxisOf, yAxisOf } from './chart.js';
import { largest } from '../../tensor/extremes.js';

export interface TextOptions {
  /** Width of everything, in characters. */
  readonly columns: number;
  /** Height of the curves, in lines. Default 14. */
  readonly rows?: number;
  /** Colours a piece of a curve. */
  readonly paint?: (text: string, colour: number) => string;
}

const BRAILLE = 0x2800;
/** The bit of each dot, [row][column]. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
];
/** In the legend, for what has no letters on it. */
const SIGNS: Partial<Record<Series['look'], string>> = { faint: '⠒⠒', dots: '⠂', points: '⠂', crosses: '×' };
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Characters between two letters of a curve. */
const LETTER_EVERY = 12;
/** Ends of the axis outside which dots are not worth drawing. */
const NEAR = 1e-9;

/** A chart with its title, axes and legend. */
export function chartText(chart: Chart, { columns, rows = 14, paint = (text) => text }: TextOptions): string[] {
  const { title, xLabel, series, log } = chart;
  const yAxis = yAxisOf(chart, Math.max(2, Math.floor(rows / 3)));
  const gutter = Math.max(3, largest(yAxis.ticks.map(({ label }) => label.length))) + 1;
  const width = Math.max(8, columns - gutter - 2);
  const xAxis = xAxisOf(chart, Math.max(2, Math.floor(width / 10)));
  const canvas = new Canvas(width, rows);
  const placed = series.map((one) => {
    const { x, y } = isJoined(one) ? thinOut(one, 4 * width) : one;
    return x.map((value, i) => [xAxis.place(value), yAxis.place(y[i])] as const);
  });
  placed.forEach((points, i) => canvas.curve(points, series[i].colour, isJoined(series[i])));
  placed.forEach((points, i) => {
    if (series[i].look === 'crosses') canvas.marks(points, '×', series[i].colour);
    else if (series[i].look === 'solid' || series[i].look === 'dashed')
      canvas.letters(points, LETTERS[i % LETTERS.length], series[i].colour, i);
  });
  const labels = new Map(yAxis.ticks.map(({ at, label }) => [canvas.row(yAxis.place(at)), label]));
  const lines = [`${title} by ${xLabel}${log ? ', logarithmic' : ''}`];
  for (let row = 0; row < rows; row++) {
    const label = labels.get(row);
    lines.push(
      `${(label ?? '').padStart(gutter)} ${label === undefined ? '│' : '┤'}${canvas.line(row, paint)}`.trimEnd(),
    );
  }
  lines.push(`${' '.repeat(gutter)} └${'─'.repeat(width)}`);
  lines.push(
    tickLine(
      xAxis.ticks.map(({ at, label }) => [xAxis.place(at), label]),
      width,
      gutter + 2,
    ),
  );
  const legend = series.map(({ name, look, colour }, i) =>
    paint(`${SIGNS[look] ?? LETTERS[i % LETTERS.length]} ${name}`, colour),
  );
  const plain = series.map(({ name, look }) => name.length + 1 + (SIGNS[look] ?? 'A').length);
  return [...lines, ...wrap(legend, plain, columns - gutter - 2).map((line) => ' '.repeat(gutter + 2) + line)];
}

/** Whether a place of an axis, from 0 to 1, is on the canvas; NaN and infinities are not. */
const isInside = (place: number): boolean => place > -NEAR && place < 1 + NEAR;

class Canvas {
  private readonly cells: { dots: number; letter: string; colour: number }[][];
  private readonly columns: number;
  private readonly rows: number;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.cells = Array.from({ length: rows }, () =>
      Array.from({ length: columns }, () => ({ dots: 0, letter: '', colour: 0 })),
    );
  }

  /** The line on which a place of the y axis lies. */
  row(place: number): number {
    return Math.min(this.rows - 1, Math.max(0, Math.round((1 - place) * (this.rows * 4 - 1)) >> 2));
  }

  curve(points: readonly (readonly [number, number])[], colour: number, isJoined: boolean): void {
    let before: readonly [number, number] | undefined;
    for (const [x, y] of points) {
      if (!isInside(x) || !isInside(y)) {
        before = undefined;
        continue;
      }
      const at = [Math.round(x * (this.columns * 2 - 1)), Math.round((1 - y) * (this.rows * 4 - 1))] as const;
      const from = before ?? at;
      const steps = Math.max(1, Math.abs(at[0] - from[0]), Math.abs(at[1] - from[1]));
      for (let i = 0; i <= steps; i++) {
        const share = i / steps;
        this.dot(
          Math.round(from[0] + (at[0] - from[0]) * share),
          Math.round(from[1] + (at[1] - from[1]) * share),
          colour,
        );
      }
      before = isJoined ? at : undefined;
    }
  }

  private dot(column: number, row: number, colour: number): void {
    const cell = this.cells[row >> 2]?.[column >> 1];
    if (cell === undefined) return;
    cell.dots |= DOTS[row & 3][column & 1];
    cell.colour = colour;
  }

  /** Puts the letter of a curve on some of its points, those of different curves at different places. */
  letters(points: readonly (readonly [number, number])[], letter: string, colour: number, number: number): void {
    const finite = points.filter(([x, y]) => isInside(x) && Number.isFinite(y));
    let next = finite.length > 1 ? (number * 4) % LETTER_EVERY : 0;
    finite.forEach(([x, y], i) => {
      const column = Math.min(this.columns - 1, Math.round(x * (this.columns * 2 - 1)) >> 1);
      if (column < next && i < finite.length - 1) return;
      const cell = this.cells[this.row(y)][column];
      if (cell.letter !== '') return;
      cell.letter = letter;
      cell.colour = colour;
      next = column + LETTER_EVERY;
    });
  }

  /** Puts a sign on every point. */
  marks(points: readonly (readonly [number, number])[], sign: string, colour: number): void {
    for (const [x, y] of points) {
      if (!isInside(x) || !isInside(y)) continue;
      const cell = this.cells[this.row(y)][Math.min(this.columns - 1, Math.round(x * (this.columns * 2 - 1)) >> 1)];
      cell.letter = sign;
      cell.colour = colour;
    }
  }

  line(row: number, paint: (text: string, colour: number) => string): string {
    return this.cells[row]
      .map(({ dots, letter, colour }) => {
        if (letter !== '') return paint(letter, colour);
        return dots === 0 ? ' ' : paint(String.fromCodePoint(BRAILLE + dots), colour);
      })
      .join('');
  }
}

/** Labels below the axis, centred where there is room. */
function tickLine(ticks: readonly (readonly [number, string])[], width: number, indent: number): string {
  let line = '';
  for (const [place, label] of ticks) {
    const middle = Math.round(place * (width - 1) - (label.length - 1) / 2);
    const start = Math.min(Math.max(0, middle), width - label.length);
    if (line !== '' && start < line.length + 1) continue;
    line = line.padEnd(start) + label;
  }
  return ' '.repeat(indent) + line;
}

/** Entries next to each other, three blanks apart, in lines no longer than `columns`; `lengths` are without colours. */
function wrap(entries: readonly string[], lengths: readonly number[], columns: number): string[] {
  const lines: string[] = [];
  let used = Infinity;
  entries.forEach((entry, i) => {
    if (used + 3 + lengths[i] > columns) {
      lines.push(entry);
      used = lengths[i];
    } else {
      lines[lines.length - 1] += `   ${entry}`;
      used += 3 + lengths[i];
    }
  });
  return lines;
}
