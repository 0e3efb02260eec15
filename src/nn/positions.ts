// Positions of a sequence's elements, added to what stands there: attention alone does not see order.
//   x [..., T, E] in, the same shape out.

import { tensor } from '../tensor/creation.js';
import { ArgumentError, ShapeError, formatShape } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import * as init from './init.js';
import { Layer, checkCount, checkLast } from './layer.js';
import { Parameter } from './parameter.js';
import type { LayerNormFn } from './shape-types/last-dimension.js';

/**
 * Shape `[length, dim]`; at position p, feature 2i is sin(p / 10000^(2i/dim)) and feature 2i + 1 the cosine of the same angle
 * (Vaswani et al. 2017). dim is even.
 */
export function sinusoidalEncoding<const T extends number, const E extends number>(length: T, dim: E): Tensor<[T, E]> {
  return encode(length, dim, 'float32');
}

function encode<const T extends number, const E extends number>(
  length: T,
  dim: E,
  dtype: Tensor['dtype'],
): Tensor<[T, E]> {
  checkCount(length, 1, 'sinusoidalEncoding: length');
  checkCount(dim, 2, 'sinusoidalEncoding: dim');
  if (dim % 2 !== 0) throw new ArgumentError(`sinusoidalEncoding: dim is ${dim}. Use an even number.`);
  const numbers = Float64Array.from({ length: length * dim }, (_, k) => {
    const [position, feature] = [Math.floor(k / dim), k % dim];
    const angle = position / 10000 ** ((feature - (feature % 2)) / dim);
    return feature % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  });
  return tensor(numbers, { shape: [length, dim], dtype });
}

function checkLength(name: string, x: Tensor, most: number): number {
  if (x.rank < 2) throw new ShapeError(`${name}: input ${formatShape(x.shape)}: needs [..., T, E]`, [x.shape]);
  const length = x.shape[x.rank - 2];
  if (length > most)
    throw new ShapeError(`${name}: input ${formatShape(x.shape)}: ${length} positions, at most ${most}`, [x.shape]);
  return length;
}

/** x [..., T, dim] plus the sinusoidal encoding of positions 0 … T − 1, for any T; nothing is learned. */
export class SinusoidalPositions<const E extends number> extends Layer<LayerNormFn<E, 'SinusoidalPositions', 'dim'>> {
  readonly dim: E;
  /** The encoding of the last length: sequences of one length come one after the other. */
  private encoding: Tensor | undefined;

  constructor(dim: E) {
    super();
    checkCount(dim, 2, 'SinusoidalPositions: dim');
    if (dim % 2 !== 0) throw new ArgumentError(`SinusoidalPositions: dim is ${dim}. Use an even number.`);
    this.dim = dim;
  }

  protected compute(x: Tensor): Tensor {
    checkLast('SinusoidalPositions', x.shape, this.dim, 'dim');
    const length = checkLength('SinusoidalPositions', x, Infinity);
    let { encoding } = this;
    if (encoding?.shape[0] !== length || encoding.device !== x.device || encoding.dtype !== x.dtype)
      this.encoding = encoding = encode<number, number>(length, this.dim, x.dtype);
    return x.add(encoding);
  }

  protected override describe(): string {
    return `${this.dim}`;
  }
}

/** x [..., T, dim] plus the first T rows of a learned table: weight [maxLength, dim] starts normal with variance 0.02². */
export class LearnedPositions<const E extends number> extends Layer<LayerNormFn<E, 'LearnedPositions', 'dim'>> {
  readonly weight: Parameter<[number, E]>;

  constructor(maxLength: number, dim: E) {
    super();
    checkCount(maxLength, 1, 'LearnedPositions: maxLength');
    checkCount(dim, 1, 'LearnedPositions: dim');
    this.weight = new Parameter<[number, E]>(init.normal([maxLength, dim], 0, 0.02));
  }

  protected compute(x: Tensor): Tensor {
    const [most, dim] = this.weight.shape;
    checkLast('LearnedPositions', x.shape, dim, 'dim');
    const length = checkLength('LearnedPositions', x, most);
    return x.add(this.weight.slice(0, 0, length));
  }

  protected override describe(): string {
    return this.weight.shape.join(', ');
  }
}
