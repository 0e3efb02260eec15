// Discrete Fourier transforms. Complex numbers are pairs in the last dimension, [..., 2], which `dim` does not count: dim −1 of a complex
// tensor [3, 8, 2] has size 8. All are differentiable, of any length; names, options and normalisation are those of torch.fft.

import { checkChoice, checkGiven, checkList, checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { type Shape, formatShape, normalizeDim } from '../engine/ir/shape.js';
import { type AnyTensor, type Tensor, wrap } from '../tensor/tensor.js';
import { conjugate, pairsNode } from './complex.js';
import { padEnd, transform } from './fourier/transform.js';
import { floatOf } from './operands.js';

export type FourierNorm = 'backward' | 'ortho' | 'forward';

export interface FourierOptions {
  /** The length of the transform: the input is cut or filled up with zeros. Default: its size, or what the inverse has. */
  readonly n?: number;
  /** Default −1, the last one (without the pairs of a complex input). */
  readonly dim?: number;
  /** Which transform is divided by n: 'backward' (the default), 'forward', or both by √n: 'ortho'. */
  readonly norm?: FourierNorm;
}

const FOURIER_OPTIONS: OptionNames<FourierOptions> = { n: true, dim: true, norm: true };

export interface FourierNOptions {
  /** The lengths of the transforms, one for each of `dim`, or of as many last dimensions. */
  readonly s?: readonly number[];
  /** Default: all, without the pairs of a complex input; the last two of those in two dimensions. */
  readonly dim?: readonly number[];
  /** Which transforms are divided by their lengths: 'backward' (the default), 'forward', or both by the root: 'ortho'. */
  readonly norm?: FourierNorm;
}

const FOURIER_N_OPTIONS: OptionNames<FourierNOptions> = { s: true, dim: true, norm: true };

type Sign = 1 | -1;

function scaleOf(n: number, sign: Sign, norm: FourierNorm): number {
  if (norm === 'ortho') return 1 / Math.sqrt(n);
  return (norm === 'forward') === (sign === -1) ? 1 / n : 1;
}

/** The other direction's name for the same division. */
const OPPOSITE: Readonly<Record<FourierNorm, FourierNorm>> = {
  backward: 'forward',
  forward: 'backward',
  ortho: 'ortho',
};

/** The size along an axis made n. */
function resized(x: Node, axis: number, n: number): Node {
  return x.shape[axis] > n ? build.sliceAxis(x, axis, 0, n) : padEnd(x, axis, n);
}

interface Given {
  readonly axis: number;
  readonly n: number | undefined;
  readonly norm: FourierNorm;
}

/** Options of a transform of x, whose own dimensions are `rank`. */
function given(op: string, rank: number, options: FourierOptions | undefined): Given {
  checkOptions(op, options, FOURIER_OPTIONS);
  const { n, dim = -1, norm = 'backward' } = options ?? {};
  checkGiven((name, what, value) => checkWhole(name, what, value, 1), op, { n });
  checkChoice(op, 'norm', norm, ['backward', 'ortho', 'forward']);
  if (rank === 0) throw new ShapeError(`${op}: a number has no dimension to transform.`, []);
  return { axis: normalizeDim(dim, rank, op), n, norm };
}

function checkLength(op: string, n: number, shape: Shape): void {
  if (n >= 1) return;
  throw new ShapeError(`${op}: input ${formatShape(shape)} has no elements to transform along that dimension`, [shape]);
}

// ---------------------------------------------------------------- on nodes

function complexToComplex(op: string, x: Node, { axis, n, norm }: Given, sign: Sign): Node {
  const length = n ?? x.shape[axis];
  checkLength(op, length, x.shape);
  return transform(resized(x, axis, length), { axis, sign, scale: scaleOf(length, sign, norm) });
}

/** The first half, from which the rest follows. */
function realToComplex(op: string, x: Node, { axis, n, norm }: Given): Node {
  const length = n ?? x.shape[axis];
  checkLength(op, length, x.shape);
  const wanted = Math.floor(length / 2) + 1;
  const scale = scaleOf(length, -1, norm);
  return transform(resized(x, axis, length), { axis, sign: -1, scale, isReal: true, wanted });
}

/** From the first half of numbers whose others are the conjugates. */
function complexToReal(op: string, x: Node, { axis, n, norm }: Given): Node {
  const length = n ?? 2 * (x.shape[axis] - 1);
  checkLength(op, length, x.shape);
  const half = resized(x, axis, Math.floor(length / 2) + 1);
  const mirrored = Math.ceil(length / 2) - 1;
  const others = (): Node => build.flip(conjugate(build.sliceAxis(half, axis, 1, 1 + mirrored)), [axis]);
  const whole = mirrored > 0 ? build.concat([half, others()], axis) : half;
  return transform(whole, { axis, sign: 1, scale: scaleOf(length, 1, norm), toReal: true });
}

// ---------------------------------------------------------------- one dimension

type Length<S extends Shape, O> = O extends { readonly n: number } ? number[] : S;

/**
 * The discrete Fourier transform of complex [..., n, 2]: X[k] = Σ x[j]·e^(−2πi·jk/n). For real numbers rfft is half the work.
 * PyTorch: torch.fft.fft.
 */
export function fft<S extends Shape, const O extends FourierOptions = {}>(
  x: Tensor<S, DType>,
  options?: O,
): Tensor<Length<S, O>> {
  const node = pairsNode('fft', x);
  return wrap(complexToComplex('fft', node, given('fft', node.shape.length - 1, options), -1));
}

/** The inverse of fft, of complex [..., n, 2]. PyTorch: torch.fft.ifft. */
export function ifft<S extends Shape, const O extends FourierOptions = {}>(
  x: Tensor<S, DType>,
  options?: O,
): Tensor<Length<S, O>> {
  const node = pairsNode('ifft', x);
  return wrap(complexToComplex('ifft', node, given('ifft', node.shape.length - 1, options), 1));
}

/** The Fourier transform of real numbers [..., n] → [..., ⌊n/2⌋ + 1, 2]: the first half, whose conjugates the rest is. PyTorch: torch.fft.rfft. */
export function rfft(x: AnyTensor, options?: FourierOptions): Tensor<number[]> {
  const node = floatOf(x, 'rfft');
  return wrap(realToComplex('rfft', node, given('rfft', node.shape.length, options)));
}

/** The inverse of rfft: complex [..., ⌊n/2⌋ + 1, 2] → real [..., n]. An odd n has to be given. PyTorch: torch.fft.irfft. */
export function irfft(x: AnyTensor, options?: FourierOptions): Tensor<number[]> {
  const node = pairsNode('irfft', x);
  return wrap(complexToReal('irfft', node, given('irfft', node.shape.length - 1, options)));
}

/** The Fourier transform, which is real, of a signal of which complex [..., ⌊n/2⌋ + 1, 2] is the first half and its conjugates the rest. PyTorch: torch.fft.hfft. */
export function hfft(x: AnyTensor, options?: FourierOptions): Tensor<number[]> {
  const node = pairsNode('hfft', x);
  const all = given('hfft', node.shape.length - 1, options);
  return wrap(complexToReal('hfft', conjugate(node), { ...all, norm: OPPOSITE[all.norm] }));
}

/** The inverse of hfft: real [..., n] → complex [..., ⌊n/2⌋ + 1, 2]. PyTorch: torch.fft.ihfft. */
export function ihfft(x: AnyTensor, options?: FourierOptions): Tensor<number[]> {
  const node = floatOf(x, 'ihfft');
  const all = given('ihfft', node.shape.length, options);
  return wrap(conjugate(realToComplex('ihfft', node, { ...all, norm: OPPOSITE[all.norm] })));
}

// ---------------------------------------------------------------- several dimensions

/** The dimensions, each with its length. `fallback` are those without `dim` and `s`. */
function givenDims(
  op: string,
  rank: number,
  options: FourierNOptions | undefined,
  fallback: readonly number[] | undefined,
): readonly Given[] {
  checkOptions(op, options, FOURIER_N_OPTIONS);
  const { s, norm = 'backward' } = options ?? {};
  if (s !== undefined) checkList(op, 's', s, 'lengths');
  if (options?.dim !== undefined) checkList(op, 'dim', options.dim, 'dimensions');
  const last = (count: number): number[] => Array.from({ length: count }, (_, i) => i - count);
  const dims = options?.dim ?? fallback ?? last(s?.length ?? rank);
  if (s !== undefined && s.length !== dims.length)
    throw new ArgumentError(`${op}: ${s.length} lengths for ${dims.length} dimensions. Give one for each.`);
  const axes = dims.map((dim, i) => given(op, rank, { dim, norm, ...(s !== undefined && { n: s[i] }) }));
  if (new Set(axes.map(({ axis }) => axis)).size !== axes.length)
    throw new ArgumentError(`${op}: dim [${dims.join(', ')}] has a dimension twice. Give each one once.`);
  return axes;
}

const LAST_TWO = [-2, -1];

function complexN(
  op: string,
  x: AnyTensor,
  options: FourierNOptions | undefined,
  sign: Sign,
  two: boolean,
): Tensor<number[]> {
  const node = pairsNode(op, x);
  const axes = givenDims(op, node.shape.length - 1, options, two ? LAST_TWO : undefined);
  return wrap(axes.reduce((y, all) => complexToComplex(op, y, all, sign), node));
}

/** Real along the last of the dimensions, then complex along the others; `opposite` are the conjugates, divided the other way. */
function realN(
  op: string,
  x: AnyTensor,
  options: FourierNOptions | undefined,
  opposite: boolean,
  two: boolean,
): Tensor<number[]> {
  const node = floatOf(x, op);
  const axes = givenDims(op, node.shape.length, options, two ? LAST_TWO : undefined);
  const last = axes.at(-1);
  if (last === undefined) throw new ArgumentError(`${op}: no dimensions. Give at least one.`);
  const half = opposite
    ? conjugate(realToComplex(op, node, { ...last, norm: OPPOSITE[last.norm] }))
    : realToComplex(op, node, last);
  return wrap(axes.slice(0, -1).reduce((y, all) => complexToComplex(op, y, all, opposite ? 1 : -1), half));
}

/** Complex along all of the dimensions but the last, along which the result is real. */
function toRealN(
  op: string,
  x: AnyTensor,
  options: FourierNOptions | undefined,
  opposite: boolean,
  two: boolean,
): Tensor<number[]> {
  const node = pairsNode(op, x);
  const axes = givenDims(op, node.shape.length - 1, options, two ? LAST_TWO : undefined);
  const last = axes.at(-1);
  if (last === undefined) throw new ArgumentError(`${op}: no dimensions. Give at least one.`);
  const others = axes.slice(0, -1).reduce((y, all) => complexToComplex(op, y, all, opposite ? -1 : 1), node);
  if (!opposite) return wrap(complexToReal(op, others, last));
  return wrap(complexToReal(op, conjugate(others), { ...last, norm: OPPOSITE[last.norm] }));
}

/** fft along the last two dimensions of complex [..., h, w, 2], or two others. PyTorch: torch.fft.fft2. */
export function fft2(x: AnyTensor, options?: FourierNOptions): Tensor<number[]> {
  return complexN('fft2', x, options, -1, true);
}

/** The inverse of fft2. PyTorch: torch.fft.ifft2. */
export function ifft2(x: AnyTensor, options?: FourierNOptions): Tensor<number[]> {
  return complexN('ifft2', x, options, 1, true);
}

/** fft along several dimensions, by default all. PyTorch: torch.fft.fftn. */
export function fftn(x: AnyTensor, options?: FourierNOptions): Tensor<number[]> {
  return complexN('fftn', x, options, -1, false);
}

/** The inverse of fftn. PyTorch: torch.fft.ifftn. */
export function ifftn(x: AnyTensor, options?: FourierNOptions): Tensor<number[]> {
  return complexN('ifftn', x, options, 1, false);
}

/** rfft along the last of two dimensions and fft along the other: real [..., h, w] → [..., h, ⌊w/2⌋ + 1, 2]. PyTorch: torch.fft.rfft2. */
export function rfft2(x: AnyTensor, options?: FourierNOptions): Tensor<number[]> {
  return realN('rfft2', x, options, false, true);
}

/** The inverse of rfft2; an odd width has to be given as `s`. PyTorch: torch.fft.irfft2. */
export function irfft2(x: AnyTensor, options?: FourierNOptions): Tensor<number[]> {
  return toRealN('irfft2', x, options, false, true);
}

/** rfft along the last of several dimensions, by default all, and fft along the others. PyTorch: torch.fft.rfftn. */
export function rfftn(x: AnyTensor, options?: FourierNOptions): Tensor<number[]> {
  return realN('rfftn', x, options, false, false);
}

/** The inverse of rfftn; an odd last size has to be given as `s`. PyTorch: torch.fft.irfftn. */
export function irfftn(x: AnyTensor, options?: FourierNOptions): Tensor<number[]> {
  return toRealN('irfftn', x, options, false, false);
}

/** hfft along the last of two dimensions and fft along the other. PyTorch: torch.fft.hfft2. */
export function hfft2(x: AnyTensor, options?: FourierNOptions): Tensor<number[]> {
  return toRealN('hfft2', x, options, true, true);
}

/** The inverse of hfft2. PyTorch: torch.fft.ihfft2. */
export function ihfft2(x: AnyTensor, options?: FourierNOptions): Tensor<number[]> {
  return realN('ihfft2', x, options, true, true);
}

/** hfft along the last of several dimensions, by default all, and fft along the others. PyTorch: torch.fft.hfftn. */
export function hfftn(x: AnyTensor, options?: FourierNOptions): Tensor<number[]> {
  return toRealN('hfftn', x, options, true, false);
}

/** The inverse of hfftn. PyTorch: torch.fft.ihfftn. */
export function ihfftn(x: AnyTensor, options?: FourierNOptions): Tensor<number[]> {
  return realN('ihfftn', x, options, true, false);
}
