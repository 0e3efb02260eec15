// Images from text: one image a line, all its numbers from 0 (paper, black) to the largest, channel by channel and row by
// row; one more number is the label. Numbers are separated by commas, semicolons, tabs or blanks. Empty lines and lines that
// begin with # are skipped, and so is a first line without any number (a header).

import { CliError } from '../errors.js';
import { readNumber } from '../number-text.js';

/** What the numbers of a line mean. */
export interface ImageFormat {
  /** Pictures are drawings, which are cut out and laid into the middle, `margin` pixels from the edge. */
  readonly drawing?: { readonly margin: number };
  /** Channels, height, width. */
  readonly shape: readonly [number, number, number];
  /** The largest pixel value. */
  readonly most: number;
  readonly classes: number;
}

export interface Images {
  /** From 0 to 1, one image after the other. */
  readonly pixels: Float32Array;
  readonly count: number;
  /** What to call each image: the number of its line, its place in the file, or the file's name. */
  readonly names: readonly string[];
  /** Whether it is one drawing or photograph, rather than a list of numbers. */
  readonly isPicture?: boolean;
  /** undefined where there is no label. */
  readonly labels: readonly (number | undefined)[];
}

/** Reads the whole text; the first fault ends it with an error that names `source` and the line. */
export function parseImages(text: string, source: string, format: ImageFormat): Images {
  const [channels, height, width] = format.shape;
  const size = channels * height * width;
  const what = `${channels > 1 ? `${channels}x` : ''}${height}x${width} pixels`;
  const pixels: number[] = [];
  const names: string[] = [];
  const labels: (number | undefined)[] = [];
  let isFirst = true;
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const fields = line.replace(/[,;]$/, '').split(/\s*[,;]\s*|\s+/);
    const isHeader = isFirst && fields.every((field) => Number.isNaN(readNumber(field)));
    isFirst = false;
    if (isHeader) continue;
    const fault = (reason: string) => new CliError(`${source}, line ${index + 1}: ${reason}`);
    if (fields.length !== size && fields.length !== size + 1) {
      throw fault(
        `${fields.length} value${fields.length === 1 ? '' : 's'}. A line has ${size} (${what}), or ${size + 1} with the label at the end.`,
      );
    }
    const numbers = fields.map(readNumber);
    for (let i = 0; i < size; i++) pixels.push(readPixel(numbers[i], fields[i], i, format.most, fault));
    names.push(`${index + 1}`);
    labels.push(
      fields.length > size ? readLabel(numbers[size], fields[size], size + 1, format.classes, fault) : undefined,
    );
  }
  if (names.length === 0)
    throw new CliError(`${source} holds no image. A line has ${size} numbers from 0 to ${format.most}.`);
  return { pixels: Float32Array.from(pixels), count: names.length, names, labels };
}

type Fault = (reason: string) => CliError;

function readPixel(value: number, field: string, index: number, most: number, fault: Fault): number {
  if (Number.isNaN(value)) throw fault(`value ${index + 1} is ${quote(field)}, not a number.`);
  if (!(value >= 0 && value <= most)) throw fault(`value ${index + 1} is ${field}. Pixels go from 0 to ${most}.`);
  return value / most;
}

function readLabel(label: number, field: string, place: number, classes: number, fault: Fault): number {
  if (Number.isInteger(label) && label >= 0 && label < classes) return label;
  throw fault(`the label (value ${place}) is ${quote(field)}. Use a class from 0 to ${classes - 1}.`);
}

function quote(field: string): string {
  return field === '' ? 'empty' : `'${field.length > 20 ? `${field.slice(0, 20)}…` : field}'`;
}
