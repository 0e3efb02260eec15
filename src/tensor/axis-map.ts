// A linear map along one dimension in which each element of the result takes a few of the input: resampling. Elements are
// looked up, not multiplied by a matrix that is mostly 0, so that a NaN or ∞ reaches its neighbours alone, and the work grows
// with the size of an image and not with its square. The gradient is the transposed map, of the same kind.
// Input: for each element of the result, what it takes. Output: tensors. Not here: where the weights come from.

import { customOp } from './custom-op.js';
import { tensor } from './creation.js';
import { where } from './functions.js';
import type { Tensor } from './tensor.js';

/** An element of the input, and how much of it. */
export type Source = readonly [index: number, weight: number];

/** Up to here an element's sources are terms of one expression; a longer sum is a loop of its own. */
const MOST_TERMS = 10;

/** The k-th source of each element, or several sources one after the other. */
interface Term {
  readonly at: Int32Array;
  readonly weights: Float64Array;
  /** Where there are that many sources; undefined if there are everywhere. */
  readonly isThere: Uint8Array | undefined;
  readonly isWeighted: boolean;
}

export class AxisMap {
  readonly from: number;
  /** What each element of the result is a sum of. */
  readonly sources: readonly (readonly Source[])[];
  /** A sum of all of it, or what is to be added up along an axis of `count`. */
  private summands: { readonly count: number; readonly terms: readonly Term[] } | undefined;
  private turned: AxisMap | undefined;

  constructor(from: number, sources: readonly (readonly Source[])[]) {
    this.from = from;
    this.sources = sources;
  }

  get to(): number {
    return this.sources.length;
  }

  transposed(): AxisMap {
    if (this.turned !== undefined) return this.turned;
    const sources = Array.from({ length: this.from }, (): Source[] => []);
    this.sources.forEach((list, i) => list.forEach(([index, weight]) => sources[index].push([i, weight])));
    this.turned = new AxisMap(this.to, sources);
    return this.turned;
  }

  get sum(): { readonly count: number; readonly terms: readonly Term[] } {
    if (this.summands !== undefined) return this.summands;
    const count = Math.max(1, ...this.sources.map((list) => list.length));
    const all = Array.from({ length: count }, (_, k) => k);
    const terms = count <= MOST_TERMS ? all.map((k) => this.term([k])) : [this.term(all)];
    this.summands = { count, terms };
    return this.summands;
  }

  private term(which: readonly number[]): Term {
    const taken = which.flatMap((k) => this.sources.map((list): Source | undefined => list[k]));
    return {
      at: Int32Array.from(taken, (source) => source?.[0] ?? 0),
      weights: Float64Array.from(taken, (source) => source?.[1] ?? 0),
      isThere: taken.includes(undefined) ? Uint8Array.from(taken, (s) => (s === undefined ? 0 : 1)) : undefined,
      isWeighted: taken.some((source) => source !== undefined && source[1] !== 1),
    };
  }
}

/** Maps of several dimensions of one tensor. */
export type AxisMaps = readonly (readonly [axis: number, map: AxisMap])[];

function transpose(maps: AxisMaps): AxisMaps {
  return maps.map(([axis, map]) => [axis, map.transposed()]);
}

/** Each map along its axis of x; the gradient goes through those that `back` gives. `name` is the operator's in a graph. */
export function mapAxes(name: string, x: Tensor, maps: AxisMaps, back = (): AxisMaps => transpose(maps)): Tensor {
  const apply = customOp({
    name,
    forward: (_, input: Tensor) => cheapestFirst(maps).reduce((y, [axis, map]) => along(y, axis, map), input),
    backward: (_, g: Tensor) => [mapAxes(name, g, back(), () => maps)],
  });
  return apply(x);
}

/** What makes an image smaller comes first; else the rows come last, where whole vectors are looked up. */
function cheapestFirst(maps: AxisMaps): AxisMaps {
  const growth = (map: AxisMap): number => Math.max(map.to / Math.max(map.from, 1), 1);
  return maps.toSorted(([i, a], [j, b]) => growth(a) - growth(b) || j - i);
}

function along(x: Tensor, axis: number, map: AxisMap): Tensor {
  const { count, terms } = map.sum;
  const parts = terms.map((term) => take(x, axis, term));
  if (count === terms.length) return parts.reduce((sum, part) => sum.add(part));
  const shape = [...x.shape.slice(0, axis), count, map.to, ...x.shape.slice(axis + 1)];
  return parts[0].reshape(shape).sum(axis);
}

function take(x: Tensor, axis: number, { at, weights, isThere, isWeighted }: Term): Tensor {
  const { device, dtype } = x;
  const shape = x.shape.map((_, i) => (i === axis ? at.length : 1));
  let part = x.indexSelect(axis, tensor(at, { shape: [at.length], device }));
  // Some have fewer sources: what is looked up in vain is not multiplied by 0, since it may be NaN.
  if (isThere !== undefined) part = where(tensor(isThere, { shape, device, dtype: 'bool' }), part, 0);
  return isWeighted ? part.mul(tensor(weights, { shape, device, dtype })) : part;
}
