// Additive attention: the first attention of neural translation, scores from a small network instead of a product.

import { checkOptions, DTypeError, formatShape, type Shape, ShapeError } from '../tensor/library.js';
import { where } from '../tensor/functions.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';
import { checkCount, checkLast } from './layer.js';
import { Linear } from './linear.js';
import { Module } from './module.js';
import type { LastArg } from './shape-types/last-dimension.js';

/** [N, L, Q] with values [N, S, V] → [N, L, V]. */
type Attended<S extends Shape, V extends Shape> = S extends readonly [
  infer N extends number,
  infer L extends number,
  number,
]
  ? V extends readonly [number, number, infer Size extends number]
    ? [N, L, Size]
    : [N, L, number]
  : number[];

/** [N, L, Q] with keys [N, S, K] → [N, L, S]. */
type Scores<S extends Shape, T extends Shape> = S extends readonly [
  infer N extends number,
  infer L extends number,
  number,
]
  ? T extends readonly [number, infer Keys extends number, number]
    ? [N, L, Keys]
    : [N, L, number]
  : number[];

/**
 * `forward(query, keys, { values?, mask? })` → `[context, weights]`: query [N, L, queryDim], keys [N, S, keyDim], values [N, S, V]
 * (the keys unless given) → context [N, L, V], weights [N, L, S] = softmax of v·tanh(W_q·query + W_k·key). mask [N, S] or
 * [N, L, S] is true where a query may look; a query that may look nowhere gives 0. Bahdanau et al. 2015.
 */
export class AdditiveAttention<const Q extends number = number, const K extends number = number> extends Module {
  readonly queryProj: Linear<Q, number>;
  readonly keyProj: Linear<K, number>;
  readonly score: Linear<number, 1>;

  constructor(queryDim: Q, keyDim: K, hiddenDim: number) {
    super();
    checkCount(queryDim, 1, 'AdditiveAttention: queryDim');
    checkCount(keyDim, 1, 'AdditiveAttention: keyDim');
    checkCount(hiddenDim, 1, 'AdditiveAttention: hiddenDim');
    this.queryProj = new Linear(queryDim, hiddenDim, { bias: false });
    this.keyProj = new Linear(keyDim, hiddenDim);
    this.score = new Linear(hiddenDim, 1, { bias: false });
  }

  forward<S extends Shape, T extends Shape, V extends Shape = T>(
    query: Tensor<S> & LastArg<'AdditiveAttention: query', S, Q, 'queryDim'>,
    keys: Tensor<T> & LastArg<'AdditiveAttention: keys', T, K, 'keyDim'>,
    options: { readonly values?: Tensor<V>; readonly mask?: AnyTensor } = {},
  ): [context: Tensor<Attended<S, V>>, weights: Tensor<Scores<S, T>>] {
    checkTensor(query, this.constructor.name, 'the query');
    checkTensor(keys, this.constructor.name, 'the keys');
    checkOptions('AdditiveAttention', options, { values: true, mask: true });
    const { values, mask } = options;
    const [q, k] = [query, keys];
    return this.attend(q, k, values ?? keys, mask);
  }

  private attend(query: Tensor, keys: Tensor, values: Tensor, mask: AnyTensor | undefined): [Tensor, Tensor] {
    for (const [name, x] of Object.entries({ query, keys, values })) {
      if (x.rank !== 3 || x.shape[0] !== query.shape[0] || (name === 'values' && x.shape[1] !== keys.shape[1])) {
        throw new ShapeError(
          `AdditiveAttention: query ${formatShape(query.shape)}, keys ${formatShape(keys.shape)}, values ${formatShape(values.shape)}: needs [N, L, Q], [N, S, K], [N, S, V]`,
          [query.shape, keys.shape, values.shape],
        );
      }
    }
    checkLast('AdditiveAttention: query', query.shape, this.queryProj.weight.shape[1], 'queryDim');
    checkLast('AdditiveAttention: keys', keys.shape, this.keyProj.weight.shape[1], 'keyDim');
    const wanted = this.queryProj.forward(query).unsqueeze(2); // [N, L, 1, hidden]
    const offered = this.keyProj.forward(keys).unsqueeze(1); // [N, 1, S, hidden]
    let scores = this.score.forward(wanted.add(offered).tanh()).squeeze(-1);
    const allowed = mask === undefined ? undefined : allowedBy(mask, scores);
    // Where all keys are forbidden the scores are alike, and the weights 0.
    if (allowed !== undefined) scores = where(allowed, scores, LOWEST);
    const soft = scores.softmax(-1);
    const weights = allowed === undefined ? soft : where(allowed, soft, 0);
    return [weights.matmul(values), weights];
  }

  protected override describe(): string {
    const [hidden, queryDim] = this.queryProj.weight.shape;
    return `${queryDim}, ${this.keyProj.weight.shape[1]}, ${hidden}`;
  }
}

/** Finite, so that a row of nothing else has a softmax and a gradient. */
const LOWEST = -3.4028234663852886e38;

/** [N, L or 1, S] */
function allowedBy(mask: AnyTensor, scores: Tensor): Tensor<Shape, 'bool'> {
  if (mask.dtype !== 'bool')
    throw new DTypeError(`AdditiveAttention: mask is ${mask.dtype}. Use bool, true where a query may look.`, [
      mask.dtype,
    ]);
  const [batch, , keys] = scores.shape;
  if ((mask.rank !== 2 && mask.rank !== 3) || mask.shape[0] !== batch || mask.shape[mask.rank - 1] !== keys)
    throw new ShapeError(`AdditiveAttention: mask ${formatShape(mask.shape)}: needs [N, S] or [N, L, S]`, [mask.shape]);
  return (mask.rank === 2 ? mask.unsqueeze(1) : mask) as Tensor<Shape, 'bool'>;
}
