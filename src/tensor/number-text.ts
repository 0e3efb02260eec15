// The numbers of a tensor as text, as NumPy's str() writes an array: eight digits behind the point at most, columns that are
// aligned, scientific notation where sizes differ much, the middle of large arrays left out.
//   Numbers in row-major order, shape and dtype in; lines of text out.
// Must not know: tensors, devices.

import type { DType } from '../engine/ir/dtype.js';
import type { Shape } from '../engine/ir/shape.js';

/** NumPy's print options. */
const PRECISION = 8;
const THRESHOLD = 1000;
const EDGE_ITEMS = 3;
const LINE_WIDTH = 75;

type Format = (value: number) => string;

/** As NumPy prints an array of these numbers; a single number stands alone. */
export function numberText(data: ArrayLike<number>, shape: Shape, dtype: DType): string {
  if (shape.length === 0) return scalarText(data[0], dtype);
  if (data.length === 0) return '[]';
  const isSummarised = data.length > THRESHOLD;
  const format = formatOf(isSummarised ? edgesOf(data, shape) : data, dtype);
  return arrayText(data, shape, isSummarised, format);
}

function scalarText(value: number, dtype: DType): string {
  if (dtype === 'bool') return value === 0 ? 'False' : 'True';
  if (dtype === 'int32') return String(value);
  if (!Number.isFinite(value)) return specialText(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) return scientific(value).replace('.e', 'e');
  const text = positional(value);
  return text.endsWith('.') ? `${text}0` : text;
}

// ---------------------------------------------------------------- one format for all elements

function formatOf(data: ArrayLike<number>, dtype: DType): Format {
  if (dtype === 'bool') return (value) => (value === 0 ? 'False' : ' True');
  if (dtype === 'int32') {
    const width = longest(Array.from(data, String));
    return (value) => String(value).padStart(width);
  }
  return floatFormat(data);
}

function floatFormat(data: ArrayLike<number>): Format {
  const finite = Array.from(data).filter((v) => Number.isFinite(v));
  const sizes = finite.filter((v) => v !== 0).map((v) => Math.abs(v));
  const [most, least] = sizes.reduce(([a, b], v) => [Math.max(a, v), Math.min(b, v)], [0, Infinity]);
  const isScientific = sizes.length > 0 && (most >= 1e8 || least < 1e-4 || most / least > 1000);
  const special = longest(
    Array.from(data)
      .filter((v) => !Number.isFinite(v))
      .map(specialText),
  );
  if (isScientific) return scientificFormat(finite, special);
  const parts = finite.map((v) => positional(v).split('.'));
  const right = longest(parts.map(([, fraction]) => fraction));
  // A number that is not finite takes the place of the point and what is behind it, too.
  const left = Math.max(longest(parts.map(([whole]) => whole)), special - right - 1);
  return (value) => {
    if (!Number.isFinite(value)) return specialText(value).padStart(left + right + 1);
    const [whole, fraction] = positional(value).split('.');
    return `${whole.padStart(left)}.${fraction.padEnd(right)}`;
  };
}

function scientificFormat(finite: readonly number[], special: number): Format {
  const parts = finite.map((v) => scientific(v).split(/[.e]/));
  const digits = longest(parts.map(([, fraction]) => fraction));
  const behind = digits + longest(parts.map(([, , exponent]) => exponent)) + 1;
  const left = Math.max(longest(parts.map(([whole]) => whole)), special - behind - 1);
  return (value) => {
    if (!Number.isFinite(value)) return specialText(value).padStart(left + behind + 1);
    const [whole, fraction, exponent] = scientific(value).split(/[.e]/);
    return `${whole.padStart(left)}.${fraction.padEnd(digits, '0')}e${exponent}`;
  };
}

function specialText(value: number): string {
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

/** The fewest digits that tell a float32 from its neighbours, as d.ddde±x. */
function shortest(value: number): string {
  for (let digits = 0; digits < 8; digits++) {
    const text = value.toExponential(digits);
    if (Math.fround(Number(text)) === Math.fround(value)) return text;
  }
  return value.toExponential(8);
}

/** Whole part, point, and at most eight digits without zeros at the end: `1.`, `0.25`. */
function positional(value: number): string {
  const [mantissa, exponent] = shortest(value).split('e');
  const digits = (mantissa.split('.')[1] ?? '').length - Number(exponent);
  const text = digits > PRECISION ? value.toFixed(PRECISION) : fixed(mantissa, Number(exponent));
  const [whole, fraction = ''] = text.split('.');
  return `${Object.is(value, -0) ? '-0' : whole}.${fraction.replace(/0+$/, '')}`;
}

/** A mantissa with its exponent, written out. */
function fixed(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith('-') ? '-' : '';
  const digits = mantissa.replaceAll(/[-.]/g, '');
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${digits.slice(exponent + 1)}`;
}

/** `1.e+00`, `2.5e-07`: exponents have two digits at least. */
function scientific(value: number): string {
  const [mantissa, exponent] = shortest(value).split('e');
  const [whole, fraction = ''] = mantissa.split('.');
  const size = String(Math.abs(Number(exponent))).padStart(2, '0');
  return `${Object.is(value, -0) ? '-0' : whole}.${fraction}e${exponent.startsWith('-') ? '-' : '+'}${size}`;
}

const longest = (texts: readonly string[]): number => texts.reduce((most, text) => Math.max(most, text.length), 0);

// ---------------------------------------------------------------- brackets and lines

/** The elements that are shown of an array whose middle is left out. */
function edgesOf(data: ArrayLike<number>, shape: Shape): number[] {
  const out: number[] = [];
  const walk = (dim: number, at: number): void => {
    if (dim === shape.length) return void out.push(data[at]);
    for (const i of shownOf(shape[dim], true)) if (i !== undefined) walk(dim + 1, at * shape[dim] + i);
  };
  walk(0, 0);
  return out;
}

/** The positions of an axis that are shown; undefined for those left out between them. */
function shownOf(size: number, isSummarised: boolean): (number | undefined)[] {
  if (!isSummarised || size <= 2 * EDGE_ITEMS) return Array.from({ length: size }, (_, i) => i);
  const edge = Array.from({ length: EDGE_ITEMS }, (_, i) => i);
  return [...edge, undefined, ...edge.map((i) => size - EDGE_ITEMS + i)];
}

function arrayText(data: ArrayLike<number>, shape: Shape, isSummarised: boolean, format: Format): string {
  const walk = (dim: number, at: number, indent: string, width: number): string => {
    const items = shownOf(shape[dim], isSummarised);
    const place = (i: number): number => at * shape[dim] + i;
    if (dim === shape.length - 1)
      return `[${row(
        items.map((i) => (i === undefined ? '...' : format(data[place(i)]))),
        indent,
        width,
      )}]`;
    const between = '\n'.repeat(shape.length - dim - 1);
    const inner = items.map((i) => (i === undefined ? '...' : walk(dim + 1, place(i), `${indent} `, width - 1)));
    return `[${inner.join(`${between}${indent}`)}]`;
  };
  return walk(0, 0, ' ', LINE_WIDTH);
}

/** Words in lines of `width`; the last one leaves room for the bracket that the width has been told of. */
function row(words: readonly string[], indent: string, width: number): string {
  let [text, line] = ['', indent];
  words.forEach((word, i) => {
    const room = i === words.length - 1 ? width : width - 1;
    if (line.length + word.length > room && line.length > indent.length) {
      text += `${line.trimEnd()}\n`;
      line = indent;
    }
    line += i === words.length - 1 ? word : `${word} `;
  });
  return (text + line).slice(indent.length);
}
