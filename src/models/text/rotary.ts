// Rotary positions (Su et al. 2021): pairs of features of queries and keys are turned by angles that grow with the position, so that their
// products depend on the distance alone. As transformers has it, feature i goes with feature i + D/2.

import { cat } from '../../tensor/functions.js';
import { tensor } from '../../tensor/creation.js';
import { ArgumentError, type FloatDType, checkChoice, checkNumber } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Ids } from './blocks.js';
import { inDType } from './dtype.js';

/** How angles are scaled for texts longer than those of the training. Names and meaning are transformers'. */
export type RopeScaling =
  | { readonly ropeType: 'linear'; readonly factor: number }
  | {
      readonly ropeType: 'llama3';
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalMaxPositionEmbeddings: number;
    };

const LLAMA3 = ['lowFreqFactor', 'highFreqFactor', 'originalMaxPositionEmbeddings'] as const;

/** Radians a position, for each pair of features. */
function frequencies(width: number, theta: number, scaling: RopeScaling | undefined): Float64Array {
  const plain = Float64Array.from({ length: width / 2 }, (_, i) => theta ** ((-2 * i) / width));
  if (scaling === undefined) return plain;
  checkChoice('Llama', 'ropeScaling.ropeType', scaling.ropeType, ['linear', 'llama3']);
  const { factor } = scaling;
  if (scaling.ropeType === 'llama3') for (const key of LLAMA3) checkNumber('Llama', `ropeScaling.${key}`, scaling[key]);
  if (!(factor >= 1)) throw new ArgumentError(`Llama: ropeScaling.factor is ${factor}. Use a number from 1 on.`);
  if (scaling.ropeType === 'linear') return plain.map((f) => f / factor);
  const { lowFreqFactor: low, highFreqFactor: high, originalMaxPositionEmbeddings: length } = scaling;
  return plain.map((f) => {
    const turns = (length * f) / (2 * Math.PI); // in a text of the training
    const share = Math.min(1, Math.max(0, (turns - low) / (high - low)));
    return ((1 - share) * f) / factor + share * f;
  });
}

/** Cosines and sines of the angles, [positions, D / 2]. */
export interface Turns {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

export class Rotary {
  private readonly frequencies: Tensor;

  constructor(width: number, theta: number, scaling: RopeScaling | undefined) {
    if (width % 2 !== 0) throw new ArgumentError(`Llama: headDim is ${width}. Use an even number.`);
    this.frequencies = tensor(frequencies(width, theta, scaling), { shape: [1, width / 2], dtype: 'float32' });
  }

  /** In float32, whatever the model's dtype: positions are large. */
  at(positions: Ids, dtype: FloatDType): Turns {
    const column: Tensor = positions.to('float32').reshape([positions.size, 1]);
    const angles: Tensor = column.mul(this.frequencies);
    return { cos: inDType(angles.cos(), dtype), sin: inDType(angles.sin(), dtype) };
  }
}

/** x [B, heads, T, D], turned. */
export function turned(x: Tensor, { cos, sin }: Turns): Tensor {
  const [a, b]: readonly Tensor[] = x.chunk(2, -1);
  const left: Tensor = a.mul(cos).sub(b.mul(sin));
  const right: Tensor = b.mul(cos).add(a.mul(sin));
  return cat([left, right], -1);
}
