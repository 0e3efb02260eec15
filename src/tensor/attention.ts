// Scaled dot-product attention (Vaswani et al. 2017): softmax(q·kᵀ·scale + mask)·v, composed from matmul and softmax.
// Must not know: heads, projections, modules.

import { isFloat } from '../engine/ir/dtype.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { dropout as drop } from './dropout.js';
import { arange } from './creation.js';
import { where } from './functions.js';
import { ArgumentError, DTypeError } from '../engine/ir/errors.js';
import type { MatMul, MatMulArg } from './shape-types/matmul.js';
import type { Transpose } from './shape-types/movement.js';
import type { Shape } from './shape-types/shape.js';
import { type AnyTensor, type Tensor, checkTensor } from './tensor.js';

export interface AttentionOptions {
  /**
   * [L, S], or anything that broadcasts to [..., L, S]. bool: true where a query may look (PyTorch's convention for this
   * function); float32: added to the scores, −Infinity where it must not. A query that may look nowhere gives 0.
   */
  readonly mask?: AnyTensor;
  /** A query looks at keys up to its own position. Default false. */
  readonly isCausal?: boolean;
  /** Probability of dropout on the weights. Default 0. */
  readonly dropout?: number;
  /** Default 1/√E. */
  readonly scale?: number;
}

const ATTENTION_OPTIONS: OptionNames<AttentionOptions> = { mask: true, isCausal: true, dropout: true, scale: true };

// finite, so that a row of nothing else has a softmax and a gradient
const LOWEST = -3.4028234663852886e38;

/** The weights [..., L, S] of values for queries [..., L, E] and keys [..., S, E], before dropout. */
export function attentionWeights(query: Tensor, key: Tensor, options: AttentionOptions = {}): Tensor {
  checkOptions('attentionWeights', options, ATTENTION_OPTIONS);
  const { mask, isCausal = false, scale = 1 / Math.sqrt(query.shape[query.rank - 1]) } = options;
  if (!Number.isFinite(scale)) throw new ArgumentError(`scaledDotProductAttention: scale is ${scale}.`);
  let scores = query.mul(scale).matmul(key.transpose(-2, -1));
  const [length, keys] = scores.shape.slice(-2);
  let allowed: AnyTensor | undefined;
  if (mask?.dtype === 'bool') allowed = mask;
  else if (mask !== undefined && isFloat(mask.dtype)) scores = scores.add(mask as Tensor).maximum(LOWEST);
  else if (mask !== undefined) {
    throw new DTypeError(`scaledDotProductAttention: mask is ${mask.dtype}. Use bool, or float32 to add.`, [
      mask.dtype,
    ]);
  }
  if (isCausal) {
    const past = arange(keys)
      .reshape([1, keys])
      .le(arange(length).reshape([length, 1]));
    allowed = allowed === undefined ? past : allowed.logicalAnd(past);
  }
  const masked = allowed === undefined ? scores : where(allowed as Tensor<Shape, 'bool'>, scores, LOWEST);
  const weights = masked.softmax(-1);
  // Causal rows have at least one key; a mask may leave none.
  if (mask?.dtype === 'bool') return where(allowed as Tensor<Shape, 'bool'>, weights, 0);
  if (mask === undefined) return weights;
  const mayLook = mask.detach().gt(-Infinity);
  const looks = allowed === undefined ? mayLook : mayLook.logicalAnd(allowed);
  return where(looks, weights, 0);
}

/**
 * query [..., L, E], key [..., S, E], value [..., S, V] → [..., L, V]: for each query the mean of the values, weighted by the
 * softmax of its products with the keys. From 16 M scores on (one head, 4096 queries and keys) these are computed block by
 * block, forward and backward, and never stored. PyTorch: F.scaled_dot_product_attention.
 */
export function scaledDotProductAttention<Q extends Shape, K extends Shape, V extends Shape>(
  query: Tensor<Q>,
  key: Tensor<K> & MatMulArg<Q, Transpose<K, -2, -1>>,
  value: Tensor<V> & MatMulArg<MatMul<Q, Transpose<K, -2, -1>>, V>,
  options: AttentionOptions = {},
): Tensor<MatMul<MatMul<Q, Transpose<K, -2, -1>>, V>> {
  checkTensor(query, 'scaledDotProductAttention', 'the query');
  checkTensor(key, 'scaledDotProductAttention', 'the key');
  checkTensor(value, 'scaledDotProductAttention', 'the value');
  checkOptions('scaledDotProductAttention', options, ATTENTION_OPTIONS);
  const weights = attentionWeights(query, key, options);
  return drop(weights, options.dropout ?? 0).matmul(value);
}
