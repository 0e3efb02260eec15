// Digits from text: one grid a line, 64 numbers from 0 (paper) to 16 (ink), row by row; a 65th number is the label.
// Numbers are separated by commas, semicolons, tabs or blanks. Empty lines and lines that begin with # are skipped, and
// so is a first line without any number (a header).

import { CliError } from './errors.js';

const PIXELS = 64;
const INK = 16;
const CLASSES = 10;

export interface Grids {
  /** 64 numbers for each grid, one grid after the other. */
  readonly pixels: Float32Array;
  readonly count: number;
  /** Where each grid stood, counted from 1. */
  readonly lines: readonly number[];
  /** undefined where the line has no label. */
  readonly labels: readonly (number | undefined)[];
}

/** Reads the whole text; the first fault ends it with an error that names `source` and the line. */
export function parseGrids(text: string, source: string): Grids {
  const values: number[] = [];
  const lines: number[] = [];
  const labels: (number | undefined)[] = [];
  let isFirst = true;
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const fields = line.replace(/[,;]$/, '').split(/\s*[,;]\s*|\s+/);
    const isHeader = isFirst && fields.every((field) => Number.isNaN(numberOf(field)));
    isFirst = false;
    if (isHeader) continue;
    const fault = (what: string) => new CliError(`${source}, line ${index + 1}: ${what}`);
    if (fields.length !== PIXELS && fields.length !== PIXELS + 1) {
      throw fault(
        `${fields.length} value${fields.length === 1 ? '' : 's'}. A line has 64 (8x8 pixels), or 65 with the label at the end.`,
      );
    }
    const numbers = fields.map(numberOf);
    for (let i = 0; i < PIXELS; i++) {
      if (Number.isNaN(numbers[i])) throw fault(`value ${i + 1} is ${quote(fields[i])}, not a number.`);
      if (!(numbers[i] >= 0 && numbers[i] <= INK))
        throw fault(`value ${i + 1} is ${fields[i]}. Pixels go from 0 (paper) to ${INK} (ink).`);
      values.push(numbers[i]);
    }
    const label = fields.length > PIXELS ? numbers[PIXELS] : undefined;
    if (label !== undefined && !(Number.isInteger(label) && label >= 0 && label < CLASSES)) {
      throw fault(`the label (value 65) is ${quote(fields[PIXELS])}. Use a digit from 0 to 9.`);
    }
    lines.push(index + 1);
    labels.push(label);
  }
  if (lines.length === 0) throw new CliError(`${source} holds no grid. A line has 64 numbers from 0 to ${INK}.`);
  return { pixels: Float32Array.from(values), count: lines.length, lines, labels };
}

function numberOf(field: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(field) ? Number(field) : NaN;
}

function quote(field: string): string {
  return field === '' ? 'empty' : `'${field.length > 20 ? `${field.slice(0, 20)}…` : field}'`;
}
