// Rotary positions (Su et al. 2021): pairs of features of queries and keys are turned by angles that grow with the position, so that their
// products depend on the distance alone. As transformers has it, feature i goes with feature i + D/2.

import { cat } from '../../tensor/functions.js';
import { tensor } from '../../tensor/creation.js';
import type { FloatDType } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Ids } from './blocks.js';
import { inDType } from './dtype.js';
import { type RopeScaling, dynamicExponents, scaledFrequencies } from './rope-scaling.js';

/** Cosines and sines of the angles, [positions, D / 2], or [B, 1, positions, D / 2] where texts have positions of their own. */
export interface Turns {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

export interface RotaryOptions {
  /** Features of a head. */
  readonly width: number;
  readonly theta: number;
  readonly scaling: RopeScaling | undefined;
  /** Longest sequence of the training. */
  readonly length: number;
}

export class Rotary {
  private readonly frequencies: Tensor;
  private readonly amplitude: number;
  /** How the frequencies change beyond `length` positions. */
  private readonly growth: { readonly factor: number; readonly length: number; readonly exponents: Tensor } | undefined;

  constructor({ width, theta, scaling, length }: RotaryOptions) {
    const row = (numbers: Float64Array): Tensor => tensor(numbers, { shape: [1, width / 2], dtype: 'float32' });
    const { frequencies, amplitude } = scaledFrequencies(width, theta, scaling);
    this.frequencies = row(frequencies);
    this.amplitude = amplitude;
    if (scaling?.ropeType === 'dynamic')
      this.growth = { factor: scaling.factor, length, exponents: row(dynamicExponents(width)) };
  }

  /** Of positions [n] or [B, n]; in float32, whatever the model's dtype: positions are large. */
  at(positions: Ids, dtype: FloatDType): Turns {
    const numbers: Tensor = positions.to('float32');
    const column: Tensor = numbers.reshape([positions.size, 1]);
    const angles: Tensor = column.mul(this.grown(numbers));
    const [batch, count] = positions.rank === 2 ? positions.shape : [0, positions.size];
    const shape = batch > 0 ? [batch, 1, count, angles.shape[1]] : [count, angles.shape[1]];
    const of = (x: Tensor): Tensor => {
      const louder: Tensor = this.amplitude === 1 ? x : x.mul(this.amplitude);
      return inDType(louder.reshape(shape), dtype);
    };
    return { cos: of(angles.cos()), sin: of(angles.sin()) };
  }

  /** With more positions than those of the training the base grows: each frequency falls, the lowest ones most. */
  private grown(positions: Tensor): Tensor {
    const { growth } = this;
    if (growth === undefined) return this.frequencies;
    const { factor, length, exponents } = growth;
    const count: Tensor = positions.amax().add(1).maximum(length).reshape([1, 1]);
    const scale: Tensor = count.mul(factor / length).sub(factor - 1);
    return this.frequencies.mul(exponents.mul(scale.log()).exp());
  }
}

/** x [B, heads, T, D], turned. */
export function turned(x: Tensor, { cos, sin }: Turns): Tensor {
  const [a, b]: readonly Tensor[] = x.chunk(2, -1);
  const left: Tensor = a.mul(cos).sub(b.mul(sin));
  const right: Tensor = b.mul(cos).add(a.mul(sin));
  return cat([left, right], -1);
}
