// Receptive fields: which input positions one output position depends on, layer upon layer.
//   A window says it for one module: `size` positions, `stride` apart from those of the next output position, beginning at
//   `start` for output position 0 (negative where that is padding). All per spatial dimension.
// Source: the recurrence of Araujo et al. 2019, "Computing receptive fields of convolutional neural networks".

import { ArgumentError } from '../tensor/library.js';

export interface ReceptiveField {
  /** Positions that one output position depends on, for each dimension; Infinity for the whole input. */
  readonly size: readonly number[];
  /** Input positions between two neighbouring output positions. */
  readonly stride: readonly number[];
  /** The first position that output position 0 depends on; negative in the padding. */
  readonly start: readonly number[];
}

/** One position depends on itself alone, in any number of dimensions. */
export const POINT: ReceptiveField = { size: [1], stride: [1], start: [0] };

/** Every position depends on all of them. */
export const WHOLE: ReceptiveField = { size: [Infinity], stride: [1], start: [-Infinity] };

/** A list for one dimension stands for any number. */
function sameRank(a: readonly number[], b: readonly number[]): [readonly number[], readonly number[]] {
  const rank = Math.max(a.length, b.length);
  const widen = (list: readonly number[]): readonly number[] =>
    list.length === 1 ? new Array<number>(rank).fill(list[0]) : list;
  const wide = [widen(a), widen(b)] as const;
  if (wide[0].length !== wide[1].length)
    throw new ArgumentError(`receptiveField: a layer of ${a.length} dimensions is followed by one of ${b.length}.`);
  return [...wide];
}

function zip(a: readonly number[], b: readonly number[], f: (x: number, y: number) => number): number[] {
  const [x, y] = sameRank(a, b);
  return x.map((n, i) => f(n, y[i]));
}

/** `second` behind `first`. */
export function follow(first: ReceptiveField, second: ReceptiveField): ReceptiveField {
  const reach = zip(second.size, first.stride, (size, stride) => (size - 1) * stride);
  return {
    size: zip(first.size, reach, (a, b) => a + b),
    stride: zip(first.stride, second.stride, (a, b) => a * b),
    start: zip(
      first.start,
      zip(second.start, first.stride, (start, stride) => (start === 0 ? 0 : start * stride)),
      (a, b) => a + b,
    ),
  };
}

/** Two ways from one input to one output, such as a residual block's. */
export function join(a: ReceptiveField, b: ReceptiveField): ReceptiveField {
  const [one, other] = sameRank(a.stride, b.stride);
  if (one.some((stride, i) => stride !== other[i])) {
    throw new ArgumentError(
      `receptiveField: branches with strides [${one.join(', ')}] and [${other.join(', ')}] do not meet.`,
    );
  }
  const start = zip(a.start, b.start, Math.min);
  const ends = zip(zip(a.start, a.size, last), zip(b.start, b.size, last), Math.max);
  return { size: zip(ends, start, (end, begin) => end - begin + 1), stride: one, start };
}

const last = (start: number, size: number): number => (size === Infinity ? Infinity : start + size - 1);
