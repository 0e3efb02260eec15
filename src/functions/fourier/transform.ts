// The discrete Fourier transform along one axis, as a graph: each stage of the plan is one product with a small matrix and one
// multiplication by twiddle factors. Complex numbers are pairs in the last axis. The gradient is that of the parts, which is a transform
// of the same cost.
// Input: nodes. Output: nodes. Not here: arguments as users give them.

import * as build from '../../engine/ir/build.js';
import type { Node } from '../../engine/ir/node.js';
import { sizeOf } from '../../engine/ir/shape.js';
import { tensor } from '../../tensor/creation.js';
import { type Chirp, type Parts, type Stage, chirpOf, stageMatrix, stagesOf, twiddles } from './plan.js';

export interface Transform {
  readonly axis: number;
  /** −1 forward, 1 backward: that of the exponent. */
  readonly sign: 1 | -1;
  readonly scale: number;
  /** Real numbers in, as [...] instead of [..., 2]. */
  readonly isReal?: boolean;
  /** Only the real parts of the results, as [...] instead of [..., 2]. */
  readonly toReal?: boolean;
  /** Only so many results, the first ones. */
  readonly wanted?: number;
}

/** Arrays of late: a network asks for the same lengths in every step. */
const recent = new Map<string, unknown>();
const MOST_RECENT = 64;

function remembered<T>(key: string, make: () => T): T {
  const known = recent.get(key);
  if (known !== undefined) return known as T; // of this key, so of this type
  if (recent.size >= MOST_RECENT) recent.clear();
  const made = make();
  recent.set(key, made);
  return made;
}

function arrayLike(x: Node, values: Float64Array, shape: readonly number[]): Node {
  const { dtype, device } = x;
  return tensor(values, { shape, dtype, device }).node;
}

/** x [..., n, ...] of real numbers, or [..., n, ..., 2], transformed along `axis`. */
export function transform(x: Node, of: Transform): Node {
  const n = x.shape[of.axis];
  const stages = stagesOf(n);
  return stages === undefined ? byConvolution(x, of) : byStages(x, of, stages);
}

// ---------------------------------------------------------------- stages

/**
 * Digits of the position, from the fastest: (d₁ … dₜ) of the results so far. Numbers are kept as [lead, rest, inner, d₁ … dₜ₋₁, parts, dₜ], the
 * way the products leave them; each stage takes another digit from `rest`, and digits are put in order at the end.
 */
function byStages(x: Node, of: Transform, stages: readonly number[]): Node {
  const { axis, sign, isReal = false, toReal = false } = of;
  const n = x.shape[axis];
  const wanted = of.wanted ?? n;
  const outer = x.shape.slice(0, axis);
  const after = isReal ? x.shape.slice(axis + 1) : x.shape.slice(axis + 1, -1);
  const [lead, inner] = [sizeOf(outer), sizeOf(after)];
  let parts: Parts = isReal ? 1 : 2;
  let rest = n;
  let digits: number[] = [];
  // the parts of a given number stand beside each other
  let y = build.reshape(x, [lead, n, inner, parts, 1]);
  stages.forEach((radix, i) => {
    const isLast = i === stages.length - 1;
    rest /= radix;
    const to: Parts = isLast && toReal ? 1 : 2;
    const done = sizeOf(digits);
    const few = isLast ? Math.min(radix, Math.ceil(wanted / done)) : radix;
    const stage: Stage = { radix, from: parts, to, wanted: few, sign, scale: isLast ? of.scale : 1 };
    const matrix = remembered(`matrix ${JSON.stringify(stage)}`, () => stageMatrix(stage));
    // [lead, radix, rest, inner, d…, parts, d] → [lead, rest, inner, d…, d, parts, radix]
    const apart = build.reshape(y, [lead, radix, rest, inner, ...digits.slice(0, -1), parts, digits.at(-1) ?? 1]);
    const last = apart.shape.length - 1;
    const between = apart.shape.map((_, k) => k).slice(4, last - 1);
    const rows = build.permute(apart, [0, 2, 3, ...between, last, last - 1, 1]);
    const flat = build.reshape(rows, [lead * rest * inner * done, parts * radix]);
    const product = build.matmul(flat, arrayLike(x, matrix, [parts * radix, to * few]));
    y = build.reshape(product, [lead, rest, inner, ...digits, to, few]);
    if (!isLast) y = turned(y, rest, radix, sign);
    digits = [...digits, few];
    parts = to;
  });
  // [lead, 1, inner, d₁ …, parts, dₜ] → [lead, dₜ … d₁, inner, parts]
  const count = digits.length;
  const order = digits.map((_, k) => (k === 0 ? 4 + count - 1 : 3 + (count - 1 - k)));
  const sorted = build.permute(y, [0, 1, ...order, 2, 3 + count - 1]);
  const all = build.reshape(sorted, [lead, sizeOf(digits), inner, parts]);
  const some = sizeOf(digits) === wanted ? all : build.sliceAxis(all, 1, 0, wanted);
  return build.reshape(some, [...outer, wanted, ...after, ...(parts === 2 ? [2] : [])]);
}

/** y [lead, rest, inner, …, 2, radix] times the twiddle factors of its position and result. */
function turned(y: Node, rest: number, radix: number, sign: 1 | -1): Node {
  const { cos, sin } = remembered(`twiddles ${rest} ${radix} ${sign}`, () => twiddles(rest, radix, sign));
  const rank = y.shape.length;
  const column = Array.from({ length: rank }, (_, i) => (i === 1 ? rest : i === rank - 1 ? radix : 1));
  const swapped = build.flip(y, [rank - 2]);
  const signs = arrayLike(y, Float64Array.of(-1, 1), [2, 1]);
  const across = build.mul(build.mul(swapped, signs), arrayLike(y, sin, column));
  return build.add(build.mul(y, arrayLike(y, cos, column)), across);
}

// ---------------------------------------------------------------- convolution

/** Complex numbers [..., 2] as the products of pairs; shapes broadcast. */
export function product(a: Node, b: Node): Node {
  const axis = a.shape.length - 1;
  const real = (z: Node): Node => build.sliceAxis(z, z.shape.length - 1, 0, 1);
  const imaginary = (z: Node): Node => build.sliceAxis(z, z.shape.length - 1, 1, 2);
  const [p, q, r, s] = [real(a), imaginary(a), real(b), imaginary(b)];
  const parts = [build.sub(build.mul(p, r), build.mul(q, s)), build.add(build.mul(p, s), build.mul(q, r))];
  return build.concat(parts, Math.max(axis, b.shape.length - 1));
}

function byConvolution(x: Node, of: Transform): Node {
  const { axis, sign, scale, isReal = false, toReal = false } = of;
  const n = x.shape[axis];
  const wanted = of.wanted ?? n;
  const { length, chirp, filter }: Chirp = remembered(`chirp ${n} ${sign}`, () => chirpOf(n, sign));
  const pairs = isReal ? pairsOf(x) : x;
  const rank = pairs.shape.length;
  const column = (count: number): number[] => pairs.shape.map((_, i) => (i === axis ? count : i === rank - 1 ? 2 : 1));
  const turns = arrayLike(x, chirp, column(n));
  const wide = padEnd(product(pairs, turns), axis, length);
  const convolved = transform(
    product(transform(wide, { axis, sign: -1, scale: 1 }), arrayLike(x, filter, column(length))),
    { axis, sign: 1, scale: scale / length, wanted },
  );
  const y = product(convolved, build.sliceAxis(turns, axis, 0, wanted));
  return toReal ? build.reshape(build.sliceAxis(y, rank - 1, 0, 1), y.shape.slice(0, -1)) : y;
}

/** Real numbers as complex ones. */
export function pairsOf(x: Node): Node {
  const column = build.reshape(x, [...x.shape, 1]);
  return build.concat([column, build.filled(0, column.shape, x.dtype)], x.shape.length);
}

/** Zeros behind, up to a size. */
export function padEnd(x: Node, axis: number, size: number): Node {
  const missing = size - x.shape[axis];
  if (missing === 0) return x;
  return build.concat([x, build.filled(0, x.shape.with(axis, missing), x.dtype)], axis);
}
