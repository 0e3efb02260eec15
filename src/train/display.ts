// Values as a notebook shows them: tensors as tables or pictures, charts as SVG, anything else as its text. Strings and bytes come out, so
// that any notebook, page or file can take them.
// Must not know: notebooks, but for the name by which Deno's asks a value for its pictures.

import { type HostImage, contactSheet } from '../data/index.js';
import { toBase64 } from '../io/base64.js';
import { encodePng } from '../io/png.js';
import {
  ArgumentError,
  DTypeError,
  type OptionNames,
  ShapeError,
  checkChoice,
  checkOptions,
  checkWhole,
  formatShape,
} from '../tensor/library.js';
import { type AnyTensor, Tensor, checkTensor } from '../tensor/tensor.js';
import type { Chart } from './plot/chart.js';
import { chartSvg, escapeMarkup } from './plot/svg.js';

export interface HtmlOptions {
  /** Numbers in a table, or a picture. Default: numbers. */
  readonly as?: 'numbers' | 'picture';
}

export interface PngOptions {
  /** Pixels of the picture for one of the tensor, each way. Default: as many as make it about 64 wide. */
  readonly scale?: number;
  /** Pictures a row, for several. Default: about as many as rows. */
  readonly columns?: number;
}

const HTML: OptionNames<HtmlOptions> = { as: true };
const PNG: OptionNames<PngOptions> = { scale: true, columns: true };

/** Rows, columns and matrices of a table; what is beyond is an ellipsis. */
const [MOST_ROWS, MOST_COLUMNS, MOST_MATRICES] = [12, 12, 4];

/**
 * A value as HTML: a tensor as a table of numbers on the colours of their size (or as a picture), charts (`learningCurves`,
 * `convergenceChart`, …) as SVG, everything else as its text.
 *
 *     const html = await toHtml(tensor([[1, 2], [3, 4]]));
 */
export async function toHtml(value: unknown, options: HtmlOptions = {}): Promise<string> {
  const call = 'toHtml';
  checkOptions(call, options, HTML);
  const { as = 'numbers' } = options;
  checkChoice(call, 'as', as, ['numbers', 'picture']);
  if (value instanceof Tensor) {
    if (as === 'numbers') return await tableOf(value);
    return `<img alt="${formatShape(value.shape)}" src="data:image/png;base64,${toBase64(await pictureOf(call, value, {}))}">`;
  }
  if (as === 'picture') checkTensor(value as AnyTensor, call);
  if (isChart(value)) return chartSvg([value]);
  if (Array.isArray(value) && value.length > 0 && value.every(isChart)) return chartSvg(value);
  return `<pre>${escapeMarkup(textOf(value))}</pre>`;
}

const isChart = (value: unknown): value is Chart =>
  typeof value === 'object' && value !== null && 'series' in value && 'title' in value && Array.isArray(value.series);

/** A value's own text, or its JSON: what console.log would tell of a plain object is no part of the language. */
function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const own = Symbol.for('nodejs.util.inspect.custom');
  if (own in value && typeof value[own] === 'function') return String(value[own](0, {}));
  const text = String(value);
  return text.startsWith('[object ') || Array.isArray(value) ? (JSON.stringify(value, null, 2) ?? text) : text;
}

async function tableOf(x: AnyTensor): Promise<string> {
  const { shape } = x;
  const numbers = Array.from(await x.data(), Number);
  const title = `<caption style="text-align:left">${x.dtype} ${escapeMarkup(formatShape(shape))}</caption>`;
  const [rows, columns] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  const count = rows * columns === 0 ? 0 : numbers.length / (rows * columns);
  const finite = numbers.filter(Number.isFinite);
  const most = finite.reduce((m, v) => Math.max(m, Math.abs(v)), 0) || 1;
  const parts: string[] = [];
  for (let k = 0; k < Math.min(count, MOST_MATRICES); k++) {
    const matrix = numbers.slice(k * rows * columns, (k + 1) * rows * columns);
    const name = count > 1 ? `<tr><th colspan="${columns}" style="text-align:left">${placeOf(k, shape)}</th></tr>` : '';
    parts.push(`<tbody>${name}${rowsOf(matrix, rows, columns, most)}</tbody>`);
  }
  const more = count > MOST_MATRICES ? `<tbody><tr><td>… ${count - MOST_MATRICES} more</td></tr></tbody>` : '';
  return `<table style="border-collapse:collapse;font-variant-numeric:tabular-nums">${title}${parts.join('')}${more}</table>`;
}

/** Where the k-th matrix stands in the axes before the last two. */
function placeOf(k: number, shape: readonly number[]): string {
  const place: number[] = [];
  for (const size of shape.slice(0, -2).toReversed()) {
    place.unshift(k % size);
    k = Math.floor(k / size);
  }
  return `[${place.join(', ')}]`;
}

function rowsOf(matrix: readonly number[], rows: number, columns: number, most: number): string {
  const cell = (value: number): string => {
    // Orange above 0, blue below, stronger with the size; transparent, for light pages and dark ones.
    const strength = Number.isFinite(value) ? (0.55 * Math.abs(value)) / most : 0;
    const colour = value < 0 ? '36,116,200' : '232,120,42';
    return `<td style="padding:2px 8px;text-align:right;background:rgba(${colour},${strength.toFixed(3)})">${short(value)}</td>`;
  };
  const dots = '<td style="padding:2px 8px">…</td>';
  const lines = Array.from({ length: Math.min(rows, MOST_ROWS) }, (_, i) => {
    const row = matrix.slice(i * columns, i * columns + Math.min(columns, MOST_COLUMNS));
    return `<tr>${row.map(cell).join('')}${columns > MOST_COLUMNS ? dots : ''}</tr>`;
  });
  return lines.join('') + (rows > MOST_ROWS ? `<tr>${dots}</tr>` : '');
}

const short = (value: number): string =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));

/**
 * A tensor [H, W], [1 or 3, H, W], or several of those [N, 1 or 3, H, W] side by side, as the bytes of a PNG file. Floats from 0 to 1 (what
 * is outside is cut off), or whole numbers from 0 to 255.
 *
 *     await writeFile('digits.png', await toPng(images));
 */
export async function toPng(x: AnyTensor, options: PngOptions = {}): Promise<Uint8Array> {
  checkTensor(x, 'toPng');
  checkOptions('toPng', options, PNG);
  for (const name of ['scale', 'columns'] as const)
    if (options[name] !== undefined) checkWhole('toPng', name, options[name], 1);
  return await pictureOf('toPng', x, options);
}

async function pictureOf(call: string, x: AnyTensor, options: PngOptions): Promise<Uint8Array> {
  const { shape, dtype } = x;
  const [height = 0, width = 0] = shape.slice(-2);
  const channels = shape.length >= 3 ? shape[shape.length - 3] : 1;
  const isPicture = shape.length >= 2 && shape.length <= 4 && (channels === 1 || channels === 3) && x.size > 0;
  if (!isPicture)
    throw new ShapeError(
      `${call}: ${formatShape(shape)} is no picture: need [H, W], [1 or 3, H, W] or [N, 1 or 3, H, W].`,
      [shape],
    );
  if (dtype === 'bool') throw new DTypeError(`${call}: the tensor is bool. Convert with to('float32').`, ['bool']);
  const isBytes = dtype === 'int32' || dtype === 'uint8';
  const numbers = await x.data();
  const size = channels * height * width;
  const images = Array.from({ length: x.size / size }, (_, k): HostImage => {
    const own = Array.from(numbers.subarray(k * size, (k + 1) * size), Number);
    const data = isBytes ? Uint8Array.from(own, (v) => Math.max(0, Math.min(255, v))) : Float32Array.from(own);
    return { data, shape: [channels, height, width] };
  });
  return encodePng(contactSheet(images, { gap: images.length > 1 ? 4 : 0, ...options }));
}

/** What a notebook shows of a value: text by the kind of each. */
export interface Displayed {
  readonly 'text/html': string;
  readonly 'text/plain': string;
}

/**
 * A value for Deno's notebooks, which show what the last line of a cell is: `display(curves)`. Other notebooks and pages take `toHtml`.
 */
export function display(value: unknown, options: HtmlOptions = {}): object {
  checkOptions('display', options, HTML);
  if (value === undefined)
    throw new ArgumentError('display: there is no value. Give a tensor, charts, or anything with a text.');
  const show = async (): Promise<Displayed> => ({
    'text/html': await toHtml(value, options),
    'text/plain': value instanceof Tensor ? `${value.dtype} ${formatShape(value.shape)}` : textOf(value),
  });
  return { [Symbol.for('Jupyter.display')]: show };
}
