// Starting values of parameters, computed on the host: no kernel has to be compiled to make a model, and the numbers are
// the same on every device. The stream continues the generator that `manualSeed` seeds: each call is one draw.

import { tensor } from '../tensor/creation.js';
import { ArgumentError, type Shape, formatShape, sizeOf } from '../tensor/library.js';
import { nextHostRandom } from '../tensor/host-random.js';
import type { Tensor } from '../tensor/tensor.js';

function stored<const S extends Shape>(data: Float32Array, shape: S): Tensor<S> {
  return tensor(data as never, { shape, dtype: 'float32' }) as unknown as Tensor<S>;
}

export function constant<const S extends Shape>(shape: S, value: number): Tensor<S> {
  return stored(new Float32Array(sizeOf(shape)).fill(value), shape);
}

/** Uniform in [low, high). */
export function uniform<const S extends Shape>(shape: S, low = 0, high = 1): Tensor<S> {
  const random = nextHostRandom();
  const data = new Float32Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = random.between(low, high);
  return stored(data, shape);
}

export function normal<const S extends Shape>(shape: S, mean = 0, std = 1): Tensor<S> {
  const random = nextHostRandom();
  const data = new Float32Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = mean + std * random.normal();
  return stored(data, shape);
}

/** Inputs and outputs of one unit of a weight [out, in, …kernel]. */
export function fans(shape: Shape): { readonly fanIn: number; readonly fanOut: number } {
  if (shape.length < 2)
    throw new ArgumentError(
      `init: ${formatShape(shape)} has fewer than 2 dimensions, so it has no fan-in. Use uniform or normal.`,
    );
  const kernel = sizeOf(shape.slice(2));
  return { fanIn: shape[1] * kernel, fanOut: shape[0] * kernel };
}

export type Nonlinearity = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu' | 'selu';

/** By how much a nonlinearity shrinks the standard deviation, inverted. `slope` is leakyRelu's. */
export function gain(nonlinearity: Nonlinearity, slope = 0.01): number {
  switch (nonlinearity) {
    case 'linear':
    case 'sigmoid':
      return 1;
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.SQRT2;
    case 'leakyRelu':
      return Math.sqrt(2 / (1 + slope * slope));
    case 'selu':
      return 3 / 4;
    default:
      throw new ArgumentError(
        `gain: nonlinearity '${String(nonlinearity)}' is not known. Use 'linear', 'sigmoid', 'tanh', 'relu', 'leakyRelu' or 'selu'.`,
      );
  }
}

export interface KaimingOptions {
  readonly mode?: 'fanIn' | 'fanOut';
  readonly nonlinearity?: Nonlinearity;
  /** Slope of leakyRelu for negative inputs. */
  readonly slope?: number;
}

function kaimingStd(shape: Shape, { mode = 'fanIn', nonlinearity = 'relu', slope = 0 }: KaimingOptions): number {
  return gain(nonlinearity, slope) / Math.sqrt(fans(shape)[mode]);
}

/** PyTorch: nn.init.kaiming_uniform_, here with the gain of relu unless told otherwise. */
export function kaimingUniform<const S extends Shape>(shape: S, options: KaimingOptions = {}): Tensor<S> {
  const bound = Math.sqrt(3) * kaimingStd(shape, options);
  return uniform(shape, -bound, bound);
}

export function kaimingNormal<const S extends Shape>(shape: S, options: KaimingOptions = {}): Tensor<S> {
  return normal(shape, 0, kaimingStd(shape, options));
}

export function xavierUniform<const S extends Shape>(shape: S, scale = 1): Tensor<S> {
  const { fanIn, fanOut } = fans(shape);
  const bound = scale * Math.sqrt(6 / (fanIn + fanOut));
  return uniform(shape, -bound, bound);
}

export function xavierNormal<const S extends Shape>(shape: S, scale = 1): Tensor<S> {
  const { fanIn, fanOut } = fans(shape);
  return normal(shape, 0, scale * Math.sqrt(2 / (fanIn + fanOut)));
}
