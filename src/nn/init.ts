// Starting values of parameters, computed on the host: no kernel has to be compiled to make a model, and the numbers are
// the same on every device. The stream continues the generator that `manualSeed` seeds: each call is one draw. They are made
// when somebody needs them: a model whose weights are loaded has none made, and building one takes no memory.
//   Each initialiser takes a shape and gives a tensor; init-in-place.ts has the same for parameters that are there.
// Names, gains and fan rules are those of torch.nn.init.

import { fromHostLater } from '../tensor/from-host.js';
import { type HostRandom, nextStream } from '../tensor/host-random.js';
import { checkNumber } from './layer.js';
import {
  ArgumentError,
  defaultDType,
  checkOptions,
  checkShape,
  formatShape,
  type OptionNames,
  type Shape,
  sizeOf,
} from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';

/** The numbers that `write` puts into zeros; made when they are needed. `write` does the same at each call. */
function stored<const S extends Shape>(shape: S, write: (data: Float32Array) => void): Tensor<S> {
  const size = sizeOf(shape);
  const make = (): Float32Array => {
    const data = new Float32Array(size);
    write(data);
    return data;
  };
  return fromHostLater(make, shape, defaultDType()) as Tensor<S>;
}

/** Every element from one call of `draw`. */
function drawn<const S extends Shape>(shape: S, draw: (random: HostRandom) => number): Tensor<S> {
  const stream = nextStream();
  return stored(shape, (data) => {
    const random = stream();
    for (let i = 0; i < data.length; i++) data[i] = draw(random);
  });
}

function checkStd(name: string, std: number): void {
  if (!(std >= 0 && std < Infinity)) throw new ArgumentError(`${name}: std is ${std}. Use a number of at least 0.`);
}

// ---------------------------------------------------------------- fixed values

/** PyTorch: nn.init.constant_. */
export function constant<const S extends Shape>(shape: S, value: number): Tensor<S> {
  checkShape(shape, 'constant');
  checkNumber(value, 'constant: the value');
  return stored(shape, (data) => data.fill(value));
}

export function zeros<const S extends Shape>(shape: S): Tensor<S> {
  return constant(shape, 0);
}

export function ones<const S extends Shape>(shape: S): Tensor<S> {
  return constant(shape, 1);
}

/** Ones on the diagonal of [rows, columns]: a linear layer that hands on its input. PyTorch: nn.init.eye_. */
export function eye<const S extends Shape>(shape: S): Tensor<S> {
  checkShape(shape, 'eye');
  if (shape.length !== 2)
    throw new ArgumentError(`eye: ${formatShape(shape)} is not a matrix. Use a shape of 2 dimensions.`);
  const [rows, columns] = shape;
  return stored(shape, (data) => {
    for (let i = 0; i < Math.min(rows, columns); i++) data[i * columns + i] = 1;
  });
}

/**
 * For a convolution's weight [out, in, …kernel]: 1 in the middle of kernel (i, i), so that as many channels as there are on both sides are
 * handed on, in each of `groups` groups. PyTorch: nn.init.dirac_.
 */
export function dirac<const S extends Shape>(shape: S, groups = 1): Tensor<S> {
  checkShape(shape, 'dirac');
  if (shape.length < 3 || shape.length > 5)
    throw new ArgumentError(`dirac: ${formatShape(shape)} is no kernel of a convolution. Use 3, 4 or 5 dimensions.`);
  const [out, channels, ...kernel] = shape;
  if (!Number.isInteger(groups) || groups < 1 || out % groups !== 0)
    throw new ArgumentError(`dirac: ${groups} groups do not divide ${out} output channels.`);
  const middle = kernel.reduce((at, size) => at * size + Math.floor(size / 2), 0);
  return stored(shape, (data) => {
    for (let o = 0; o < out; o++) {
      const channel = o % (out / groups);
      if (channel < channels) data[(o * channels + channel) * sizeOf(kernel) + middle] = 1;
    }
  });
}

// ---------------------------------------------------------------- random values

/** Uniform in [low, high). PyTorch: nn.init.uniform_. */
export function uniform<const S extends Shape>(shape: S, low = 0, high = 1): Tensor<S> {
  checkShape(shape, 'uniform');
  if (!(low <= high)) throw new ArgumentError(`uniform: low ${low} is above high ${high}. Exchange them.`);
  return drawn(shape, (random) => random.between(low, high));
}

/** PyTorch: nn.init.normal_. */
export function normal<const S extends Shape>(shape: S, mean = 0, std = 1): Tensor<S> {
  checkShape(shape, 'normal');
  checkStd('normal', std);
  return drawn(shape, (random) => mean + std * random.normal());
}

/**
 * Normal, with values outside [low, high] (−2 and 2 unless given; not in units of std) drawn again. PyTorch:
 * nn.init.trunc_normal_.
 */
export function truncNormal<const S extends Shape>(shape: S, mean = 0, std = 1, low = -2, high = 2): Tensor<S> {
  checkShape(shape, 'truncNormal');
  checkStd('truncNormal', std);
  if (!(low < high)) throw new ArgumentError(`truncNormal: low ${low} is not below high ${high}.`);
  if (std === 0) return constant(shape, Math.min(high, Math.max(low, mean)));
  const [from, to] = [(low - mean) / std, (high - mean) / std];
  const draw = from + to < 0 ? truncated(-to, -from) : truncated(from, to);
  const sign = from + to < 0 ? -1 : 1;
  return drawn(shape, (random) => Math.min(high, Math.max(low, mean + std * sign * draw(random))));
}

/**
 * Standard normal within [from, to], |from| ≤ |to|, by the rejection that accepts at least every fourth draw (Robert 1995): from the normal
 * itself, an exponential in the tail, or uniform where the interval is short.
 */
function truncated(from: number, to: number): (random: HostRandom) => number {
  const until = (propose: (random: HostRandom) => number, accept: (x: number, random: HostRandom) => boolean) => {
    return (random: HostRandom): number => {
      for (;;) {
        const x = propose(random);
        if (x >= from && x <= to && accept(x, random)) return x;
      }
    };
  };
  const nearest = Math.max(0, from);
  const rate = (nearest + Math.sqrt(nearest * nearest + 4)) / 2;
  if (to - from < (from < 0.5 ? 1.5 : 2 / rate)) {
    return until(
      (random) => random.between(from, to),
      (x, random) => random.uniform() < Math.exp((nearest * nearest - x * x) / 2),
    );
  }
  if (from < 0.5)
    return until(
      (random) => random.normal(),
      () => true,
    );
  return until(
    (random) => from - Math.log(1 - random.uniform()) / rate,
    (x, random) => random.uniform() < Math.exp(-((x - rate) ** 2) / 2),
  );
}

/**
 * [rows, columns], normal with mean 0 and the given std (0.01 unless given), but for a part `sparsity` of each column, rounded up, that is 0
 * (Martens 2010). PyTorch: nn.init.sparse_.
 */
export function sparse<const S extends Shape>(shape: S, sparsity: number, std = 0.01): Tensor<S> {
  checkShape(shape, 'sparse');
  if (shape.length !== 2)
    throw new ArgumentError(`sparse: ${formatShape(shape)} is not a matrix. Use a shape of 2 dimensions.`);
  if (!(sparsity >= 0 && sparsity <= 1))
    throw new ArgumentError(`sparse: sparsity is ${sparsity}. Use a number from 0 to 1.`);
  checkStd('sparse', std);
  const [rows, columns] = shape;
  const stream = nextStream();
  return stored(shape, (data) => {
    const random = stream();
    for (let i = 0; i < data.length; i++) data[i] = std * random.normal();
    const empty = Math.ceil(sparsity * rows);
    const order = Int32Array.from({ length: rows }, (_, i) => i);
    for (let column = 0; column < columns; column++) {
      for (const row of random.shuffle(order).subarray(0, empty)) data[row * columns + column] = 0;
    }
  });
}

/**
 * A random orthogonal matrix times `gain`: rows of [rows, columns] (dimensions from the second on count as one) are
 * orthonormal where there are at most as many as columns, else the columns are (Saxe et al. 2014). PyTorch: nn.init.orthogonal_.
 */
export function orthogonal<const S extends Shape>(shape: S, gain = 1): Tensor<S> {
  checkShape(shape, 'orthogonal');
  if (shape.length < 2)
    throw new ArgumentError(`orthogonal: ${formatShape(shape)} has fewer than 2 dimensions. Use uniform or normal.`);
  const [rows, columns] = [shape[0], sizeOf(shape.slice(1))];
  const [count, length] = rows <= columns ? [rows, columns] : [columns, rows];
  const stream = nextStream();
  return stored(shape, (data) => {
    const vectors = orthonormal(count, length, stream());
    vectors.forEach((vector, k) => {
      vector.forEach((v, i) => (data[rows <= columns ? k * columns + i : i * columns + k] = gain * v));
    });
  });
}

/** By Gram and Schmidt, twice: once leaves errors where vectors were nearly parallel. */
function orthonormal(count: number, length: number, random: HostRandom): Float64Array[] {
  const vectors: Float64Array[] = [];
  while (vectors.length < count) {
    const vector = Float64Array.from({ length }, () => random.normal());
    for (const other of [...vectors, ...vectors]) {
      const along = dot(vector, other);
      for (let i = 0; i < length; i++) vector[i] -= along * other[i];
    }
    const size = Math.sqrt(dot(vector, vector));
    if (size < 1e-8) continue;
    vectors.push(vector.map((v) => v / size));
  }
  return vectors;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

// ---------------------------------------------------------------- scaled by fans and gain

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

/**
 * By how much a nonlinearity shrinks the standard deviation, inverted: 1 for 'linear' and 'sigmoid', 5/3 for 'tanh', √2 for 'relu',
 * √(2/(1 + slope²)) for 'leakyRelu', 3/4 for 'selu'. PyTorch: nn.init.calculate_gain.
 */
export function calculateGain(nonlinearity: Nonlinearity, slope = 0.01): number {
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
        `calculateGain: nonlinearity '${String(nonlinearity)}' is not known. Use 'linear', 'sigmoid', 'tanh', 'relu', 'leakyRelu' or 'selu'.`,
      );
  }
}

export interface KaimingOptions {
  /** Keep the variance forwards ('fanIn') or backwards ('fanOut'). Default 'fanIn'. */
  readonly mode?: 'fanIn' | 'fanOut';
  /** What follows the layer. Default 'leakyRelu'. */
  readonly nonlinearity?: Nonlinearity;
  /** Slope of leakyRelu for negative inputs; 0 is relu. Default 0. PyTorch: a. */
  readonly slope?: number;
}

const KAIMING_OPTIONS: OptionNames<KaimingOptions> = { mode: true, nonlinearity: true, slope: true };

function kaimingStd(name: string, shape: Shape, options: KaimingOptions): number {
  const { mode = 'fanIn', nonlinearity = 'leakyRelu', slope = 0 } = options;
  if (mode !== 'fanIn' && mode !== 'fanOut')
    throw new ArgumentError(`${name}: mode '${String(mode)}' is not known. Use 'fanIn' or 'fanOut'.`);
  return calculateGain(nonlinearity, slope) / Math.sqrt(fans(shape)[mode]);
}

/** Uniform with standard deviation gain/√fan (He et al. 2015). PyTorch: nn.init.kaiming_uniform_. */
export function kaimingUniform<const S extends Shape>(shape: S, options: KaimingOptions = {}): Tensor<S> {
  checkShape(shape, 'kaimingUniform');
  checkOptions('kaimingUniform', options, KAIMING_OPTIONS);
  const bound = Math.sqrt(3) * kaimingStd('kaimingUniform', shape, options);
  return uniform(shape, -bound, bound);
}

/** Normal with standard deviation gain/√fan (He et al. 2015). PyTorch: nn.init.kaiming_normal_. */
export function kaimingNormal<const S extends Shape>(shape: S, options: KaimingOptions = {}): Tensor<S> {
  checkShape(shape, 'kaimingNormal');
  checkOptions('kaimingNormal', options, KAIMING_OPTIONS);
  return normal(shape, 0, kaimingStd('kaimingNormal', shape, options));
}

/** Uniform with variance gain²·2/(fanIn + fanOut) (Glorot and Bengio 2010). PyTorch: nn.init.xavier_uniform_. */
export function xavierUniform<const S extends Shape>(shape: S, gain = 1): Tensor<S> {
  checkShape(shape, 'xavierUniform');
  const { fanIn, fanOut } = fans(shape);
  const bound = Math.abs(gain) * Math.sqrt(6 / (fanIn + fanOut));
  return uniform(shape, -bound, bound);
}

/** Normal with variance gain²·2/(fanIn + fanOut) (Glorot and Bengio 2010). PyTorch: nn.init.xavier_normal_. */
export function xavierNormal<const S extends Shape>(shape: S, gain = 1): Tensor<S> {
  checkShape(shape, 'xavierNormal');
  const { fanIn, fanOut } = fans(shape);
  return normal(shape, 0, Math.abs(gain) * Math.sqrt(2 / (fanIn + fanOut)));
}
