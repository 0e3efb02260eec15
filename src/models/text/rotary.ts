// Rotary positions (Su et al. 2021): pairs of features of queries and keys are turned by angles that grow with the position, so that their
// products depend on the distance alone. As transformers has it, feature i goes with feature i + D/2.

import { cat, where } from '../../tensor/functions.js';
import { tensor } from '../../tensor/creation.js';
import type { FloatDType } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Ids } from './blocks.js';
import { inDType } from './dtype.js';
import { type RopeScaling, dynamicExponents, longFrequencies, scaledFrequencies } from './rope-scaling.js';

/** Cosines and sines of the angles, [positions, D / 2], or [B, 1, positions, D / 2] where texts have positions of their own. */
export interface Turns {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

export interface RotaryOptions {
  /** Features of a head that are turned. */
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
  /** Those of texts of more than `length` positions. */
  private readonly long: { readonly frequencies: Tensor; readonly length: number } | undefined;

  constructor({ width, theta, scaling, length }: RotaryOptions) {
    const row = (numbers: Float64Array): Tensor => tensor(numbers, { shape: [1, width / 2], dtype: 'float32' });
    const { frequencies, amplitude } = scaledFrequencies(width, theta, scaling);
    this.frequencies = row(frequencies);
    this.amplitude = amplitude;
    if (scaling?.ropeType === 'dynamic')
      this.growth = { factor: scaling.factor, length, exponents: row(dynamicExponents(width)) };
    if (scaling?.ropeType === 'longrope') {
      const { originalMaxPositionEmbeddings } = scaling;
      this.long = { frequencies: row(longFrequencies(width, theta, scaling)), length: originalMaxPositionEmbeddings };
    }
  }

  /**
   * Of positions [n] or [B, n]; in float32, whatever the model's dtype: positions are large. How long the texts are is told by the largest one, or
   * by `reach` [1], if that is larger.
   */
  at(positions: Ids, dtype: FloatDType, reach?: Ids): Turns {
    const numbers: Tensor = positions.to('float32');
    const column: Tensor = numbers.reshape([positions.size, 1]);
    const angles: Tensor = column.mul(this.grown(numbers, reach?.to('float32')));
    const [batch, count] = positions.rank === 2 ? positions.shape : [0, positions.size];
    const shape = batch > 0 ? [batch, 1, count, angles.shape[1]] : [count, angles.shape[1]];
    const of = (x: Tensor): Tensor => {
      const louder: Tensor = this.amplitude === 1 ? x : x.mul(this.amplitude);
      return inDType(louder.reshape(shape), dtype);
    };
    return { cos: of(angles.cos()), sin: of(angles.sin()) };
  }

  /** With more positions than those of the training the base grows: each frequency falls, the lowest ones most; or there are others. */
  private grown(positions: Tensor, reach: Tensor | undefined): Tensor {
    const { growth, long } = this;
    if (growth === undefined && long === undefined) return this.frequencies;
    const own: Tensor = positions.amax().reshape([1, 1]);
    const last: Tensor = reach === undefined ? own : own.maximum(reach.reshape([1, 1]));
    if (long !== undefined) {
      const chosen: Tensor = where(last.ge(long.length), long.frequencies, this.frequencies);
      return chosen;
    }
    const { factor, length, exponents } = growth!;
    const scale: Tensor = last
      .add(1)
      .maximum(length)
      .mul(factor / length)
      .sub(factor - 1);
    return this.frequencies.mul(exponents.mul(scale.log()).exp());
  }
}

/** x [B, heads, T, D], turned; of more features than there are angles for, the last ones stay. */
export function turned(x: Tensor, { cos, sin }: Turns): Tensor {
  const width = 2 * cos.shape[cos.rank - 1];
  const [first, ...rest]: readonly Tensor[] =
    width === x.shape[3] ? [x] : [x.slice(-1, 0, width), x.slice(-1, width, x.shape[3])];
  const [a, b]: readonly Tensor[] = first.chunk(2, -1);
  const left: Tensor = a.mul(cos).sub(b.mul(sin));
  const right: Tensor = b.mul(cos).add(a.mul(sin));
  return cat([left, right, ...rest], -1);
}
