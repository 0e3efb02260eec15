// Scaled dot-product attention (Vaswani et al. 2017): softmax(q·kᵀ·scale + mask)·v, composed from matmul and softmax.
// Must not know: heads, projections, modules.

import { isFloat } from '../engine/ir/dtype.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { dropout as drop } from './dropout.js';
import { arange } from './creation.js';
import { where } from './functions.js';
import { ArgumentError, DTypeError, ShapeError } from '../engine/ir/errors.js';
import { formatShape } from '../engine/ir/shape.js';
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
  /**
   * A query looks at keys up to its own position, both counted from the first one, whatever their numbers are (PyTorch's convention).
   * Default false.
   */
  readonly isCausal?: boolean;
  /** Probability of dropout on the weights. Default 0. */
  readonly dropout?: number;
  /** Default 1/√E. */
  readonly scale?: number;
  /** Scores stay between −softcap and softcap: softcap · tanh(score / softcap), before any mask (Gemma 2, 2024). Default: as they are. */
  readonly softcap?: number;
  /**
   * Grouped-query attention (Ainslie et al. 2023): queries [..., heads, L, E] with keys and values of fewer heads, which divide theirs; each
   * of those serves as many neighbouring heads of queries. Default false.
   */
  readonly enableGqa?: boolean;
}

const ATTENTION_OPTIONS: OptionNames<AttentionOptions> = {
  mask: true,
  isCausal: true,
  dropout: true,
  scale: true,
  softcap: true,
  enableGqa: true,
};

// finite, so that a row of nothing else has a softmax and a gradient
const LOWEST = -3.4028234663852886e38;

/** The weights [..., L, S] of values for queries [..., L, E] and keys [..., S, E], before dropout. */
export function attentionWeights(query: Tensor, key: Tensor, options: AttentionOptions = {}): Tensor {
  checkOptions('attentionWeights', options, ATTENTION_OPTIONS);
  const { mask, isCausal = false, scale = 1 / Math.sqrt(query.shape[query.rank - 1]), softcap } = options;
  if (!Number.isFinite(scale)) throw new ArgumentError(`scaledDotProductAttention: scale is ${scale}.`);
  if (softcap !== undefined && !(softcap > 0 && Number.isFinite(softcap)))
    throw new ArgumentError(`scaledDotProductAttention: softcap is ${softcap}. Use a number above 0, or leave it out.`);
  const scaled = query.mul(scale);
  let scores =
    options.enableGqa === true
      ? inGroups(scaled, key, 'the key', (q, k) => q.matmul(k.transpose(-2, -1)) as Tensor)
      : scaled.matmul(key.transpose(-2, -1));
  if (softcap !== undefined) scores = scores.div(softcap).tanh().mul(softcap);
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

/** The means of the values [..., S, V] by weights [..., L, S]. */
export function weighted(weights: Tensor, value: Tensor, enableGqa = false): Tensor {
  return enableGqa
    ? inGroups(weights, value, 'the value', (w, v) => w.matmul(v) as Tensor)
    : (weights.matmul(value) as Tensor);
}

/**
 * A product for each head of the first factor with that of the second which serves it: heads come in groups, and a head of the second is
 * seen by all of a group.
 */
function inGroups(first: Tensor, second: Tensor, what: string, product: (a: Tensor, b: Tensor) => Tensor): Tensor {
  const [rank, { shape }] = [first.rank, first];
  const [heads, kept] = [shape[rank - 3], second.shape[second.rank - 3]];
  if (rank < 3 || second.rank < 3 || kept === 0 || heads % kept !== 0)
    throw new ShapeError(
      `scaledDotProductAttention: enableGqa needs heads of ${what} that divide those of the query, [..., heads, length, width]: ${formatShape(shape)} and ${formatShape(second.shape)}`,
      [shape, second.shape],
    );
  const grouped: Shape = [...shape.slice(0, -3), kept, heads / kept, ...shape.slice(-2)];
  const all = product(first.reshape(grouped) as Tensor, second.unsqueeze(-3) as Tensor);
  return all.reshape([...all.shape.slice(0, -4), heads, ...all.shape.slice(-2)] as Shape) as Tensor;
}

/**
 * query [..., L, E], key [..., S, E], value [..., S, V] → [..., L, V]: for each query the mean of the values, weighted by the
 * softmax of its products with the keys. From 16 M scores on (one head, 4096 queries and keys) these are computed block by
 * block, forward and backward, and never stored. PyTorch: F.scaled_dot_product_attention.
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions & { readonly enableGqa: true },
): Tensor;
export function scaledDotProductAttention<Q extends Shape, K extends Shape, V extends Shape>(
  query: Tensor<Q>,
  key: Tensor<K> & MatMulArg<Q, Transpose<K, -2, -1>>,
  value: Tensor<V> & MatMulArg<MatMul<Q, Transpose<K, -2, -1>>, V>,
  options?: AttentionOptions,
): Tensor<MatMul<MatMul<Q, Transpose<K, -2, -1>>, V>>;
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): Tensor {
  checkTensor(query, 'scaledDotProductAttention', 'the query');
  checkTensor(key, 'scaledDotProductAttention', 'the key');
  checkTensor(value, 'scaledDotProductAttention', 'the value');
  checkOptions('scaledDotProductAttention', options, ATTENTION_OPTIONS);
  const weights = attentionWeights(query, key, options);
  return weighted(drop(weights, options.dropout ?? 0), value, options.enableGqa);
}
