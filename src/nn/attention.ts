// Multi-head attention: projections of queries, keys and values, attention in each head, a projection of the result.
//   The attention itself is src/tensor/attention.ts.

import { attentionWeights, scaledDotProductAttention, weighted } from '../tensor/attention.js';
import { checkProbability, dropout } from '../tensor/dropout.js';
import { cat, where } from '../tensor/functions.js';
import {
  ArgumentError,
  checkOptions,
  DTypeError,
  formatShape,
  type OptionNames,
  sameShape,
  type Shape,
  ShapeError,
} from '../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';
import { arange, ones, zeros } from '../tensor/creation.js';
import * as init from './init.js';
import { checkCount, checkFloat, checkLast } from './layer.js';
import { Linear } from './linear.js';
import { Module } from './module.js';
import { Parameter } from './parameter.js';
import type { Exact, OptionOf } from '../tensor/shape-types/options.js';
import type { LastArg } from './shape-types/last-dimension.js';

export interface MultiheadAttentionOptions {
  /** Probability of dropout on the attention weights, in training. Default 0. */
  readonly dropout?: number;
  /** Default true. */
  readonly bias?: boolean;
  /** Features of the keys and of the values. Default: embedDim. */
  readonly kdim?: number;
  readonly vdim?: number;
  /**
   * Heads of keys and values, which divide numHeads: each serves a group of heads of queries (grouped-query attention; 1 is multi-query
   * attention). Default numHeads.
   */
  readonly kvHeads?: number;
  /** One more key and value behind those given, which are learned. Default false. */
  readonly addBiasKv?: boolean;
  /** One more key and value behind all others, which are zeros. Default false. */
  readonly addZeroAttn?: boolean;
  /** Inputs are [N, L, E] instead of [L, N, E]. Default false. */
  readonly batchFirst?: boolean;
}

const MULTIHEAD_ATTENTION_OPTIONS: OptionNames<MultiheadAttentionOptions> = {
  dropout: true,
  bias: true,
  kdim: true,
  vdim: true,
  kvHeads: true,
  addBiasKv: true,
  addZeroAttn: true,
  batchFirst: true,
};

export interface MultiheadAttentionArguments {
  /** [N, S], or [S] without a batch. bool: true where a key is padding and ignored; float32: added to its scores. */
  readonly keyPaddingMask?: AnyTensor;
  /** [L, S] or [N · heads, L, S]. bool: true where a query must not look; float32: added to the scores. */
  readonly attnMask?: AnyTensor;
  /** A query looks at keys up to its own position, without a mask having to be made. Default false. */
  readonly isCausal?: boolean;
  /** Return the weights too. Default true. */
  readonly needWeights?: boolean;
  /** The mean of the weights over the heads, [N, L, S], instead of each head's, [N, heads, L, S]. Default true. */
  readonly averageAttnWeights?: boolean;
}

const MULTIHEAD_ATTENTION_ARGUMENTS: OptionNames<MultiheadAttentionArguments> = {
  keyPaddingMask: true,
  attnMask: true,
  isCausal: true,
  needWeights: true,
  averageAttnWeights: true,
};

/**
 * `forward(query, key, value)` → `[output, weights]`: query [L, N, embedDim], key [S, N, kdim], value [S, N, vdim] (batch
 * first if asked for, or no batch) → output [L, N, embedDim], weights [N, L, S]. Masks as PyTorch's: true forbids; a
 * query to which masks forbid every key gives the output bias; keys that `addBiasKv` and `addZeroAttn` add are forbidden to nobody, and
 * are columns of the weights. in_proj_weight [3 · embedDim, embedDim] starts Xavier uniform, bias_k and bias_v [1, 1, embedDim] Xavier
 * normal, biases at 0. With fewer `kvHeads`, keys and values have kvHeads / numHeads · embedDim rows. PyTorch: nn.MultiheadAttention
 * (Vaswani et al. 2017).
 */
export class MultiheadAttention<const E extends number, const O extends MultiheadAttentionOptions = {}> extends Module {
  readonly inProjWeight: Parameter | undefined;
  readonly qProjWeight: Parameter | undefined;
  readonly kProjWeight: Parameter | undefined;
  readonly vProjWeight: Parameter | undefined;
  readonly inProjBias: Parameter | undefined;
  readonly biasK: Parameter | undefined;
  readonly biasV: Parameter | undefined;
  readonly outProj: Linear<E, E>;
  readonly embedDim: E;
  readonly numHeads: number;
  readonly kdim: number;
  readonly vdim: number;
  readonly kvHeads: number;
  readonly addZeroAttn: boolean;
  readonly dropout: number;
  readonly batchFirst: boolean;

  constructor(embedDim: E, numHeads: number, options?: O & Exact<O, MultiheadAttentionOptions>) {
    checkOptions(new.target.name, options, MULTIHEAD_ATTENTION_OPTIONS);
    super();
    const given: MultiheadAttentionOptions = options ?? {};
    const { dropout: p = 0, bias = true, kdim = embedDim, vdim = embedDim, batchFirst = false } = given;
    const { kvHeads = numHeads, addBiasKv = false, addZeroAttn = false } = given;
    checkCount(embedDim, 1, 'MultiheadAttention: embedDim');
    checkCount(numHeads, 1, 'MultiheadAttention: numHeads');
    checkCount(kdim, 1, 'MultiheadAttention: kdim');
    checkCount(vdim, 1, 'MultiheadAttention: vdim');
    checkProbability(p, 'MultiheadAttention: dropout');
    if (embedDim % numHeads !== 0)
      throw new ArgumentError(`MultiheadAttention: ${numHeads} heads do not divide embedDim ${embedDim}.`);
    checkCount(kvHeads, 1, 'MultiheadAttention: kvHeads');
    if (numHeads % kvHeads !== 0)
      throw new ArgumentError(`MultiheadAttention: kvHeads ${kvHeads} do not divide the ${numHeads} heads.`);
    const narrow = (embedDim / numHeads) * kvHeads;
    if (kdim === embedDim && vdim === embedDim) {
      this.inProjWeight = new Parameter(init.xavierUniform([embedDim + 2 * narrow, embedDim]));
    } else {
      this.qProjWeight = new Parameter(init.xavierUniform([embedDim, embedDim]));
      this.kProjWeight = new Parameter(init.xavierUniform([narrow, kdim]));
      this.vProjWeight = new Parameter(init.xavierUniform([narrow, vdim]));
    }
    this.inProjBias = bias ? new Parameter(init.constant([embedDim + 2 * narrow], 0)) : undefined;
    this.biasK = addBiasKv ? new Parameter(init.xavierNormal([1, 1, narrow])) : undefined;
    this.biasV = addBiasKv ? new Parameter(init.xavierNormal([1, 1, narrow])) : undefined;
    this.outProj = new Linear(embedDim, embedDim, { bias });
    if (this.outProj.bias !== undefined) this.outProj.bias.assign_(init.zeros([embedDim]));
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.kdim = kdim;
    this.vdim = vdim;
    this.kvHeads = kvHeads;
    this.addZeroAttn = addZeroAttn;
    this.dropout = p;
    this.batchFirst = batchFirst;
  }

  forward<Q extends Shape, K extends Shape, V extends Shape>(
    query: Tensor<Q> & LastArg<'MultiheadAttention: query', Q, E, 'embedDim'>,
    key: Tensor<K> & LastArg<'MultiheadAttention: key', K, OptionOf<O, 'kdim', E, number>, 'kdim'>,
    value: Tensor<V> & LastArg<'MultiheadAttention: value', V, OptionOf<O, 'vdim', E, number>, 'vdim'>,
    options: MultiheadAttentionArguments = {},
  ): [output: Tensor<Q>, weights: Tensor | undefined] {
    checkTensor(query, this.constructor.name, 'the query');
    checkTensor(key, this.constructor.name, 'the key');
    checkTensor(value, this.constructor.name, 'the value');
    checkOptions('MultiheadAttention', options, MULTIHEAD_ATTENTION_ARGUMENTS);
    const { needWeights = true, averageAttnWeights = true, isCausal = false } = options;
    const inputs = [query, key, value] as Tensor[];
    this.check(inputs);
    const unbatched = query.rank === 2;
    const batchFirst = inputs.map(
      (x) => (unbatched ? x.unsqueeze(0) : this.batchFirst ? x : x.transpose(0, 1)) as Tensor,
    );
    checkLengths(batchFirst, inputs);
    const [queries, keys, values] = this.project(batchFirst);
    const q = this.split(queries, this.numHeads);
    const k = this.extended(keys, this.biasK);
    const v = this.extended(values, this.biasV);
    const sizes = [q.shape[0], q.shape[2], keys.shape[1]];
    const given = this.mask(options, sizes, unbatched);
    const added = k.shape[2] - keys.shape[1];
    const mask = added === 0 ? given : withAdded(given, isCausal, sizes, added);
    const p = this.training ? this.dropout : 0;
    const how = { mask, isCausal: isCausal && added === 0, enableGqa: this.kvHeads !== this.numHeads };
    let [heads, weights]: [Tensor, Tensor | undefined] = [q, undefined];
    if (needWeights) {
      weights = dropout(attentionWeights(q, k, how), p);
      heads = weighted(weights, v, how.enableGqa);
      if (averageAttnWeights) weights = weights.mean(1) as Tensor;
      if (unbatched) weights = weights.squeeze(0) as Tensor;
    } else heads = scaledDotProductAttention(q, k, v, { ...how, dropout: p }) as Tensor;
    const [batch, , length] = q.shape;
    // (N, heads, L, E / heads) → (N, L, E)
    const joined = heads.transpose(1, 2).reshape([batch, length, this.embedDim] as Shape) as Tensor;
    const output = (this.outProj as Linear<number, number>).forward(joined) as Tensor;
    const shaped = unbatched ? output.squeeze(0) : this.batchFirst ? output : output.transpose(0, 1);
    return [shaped as unknown as Tensor<Q>, weights]; // the width of the values is the queries': outProj
  }

  private check([query, key, value]: readonly Tensor[]): void {
    const sizes = { query: this.embedDim, key: this.kdim, value: this.vdim };
    const names = { query: 'embedDim', key: 'kdim', value: 'vdim' };
    for (const [name, x] of Object.entries({ query, key, value }) as [keyof typeof sizes, Tensor][]) {
      if (x.rank !== query.rank || (x.rank !== 2 && x.rank !== 3)) {
        throw new ShapeError(
          `MultiheadAttention: ${name} ${formatShape(x.shape)}: query, key and value need 3 dimensions, or 2 without a batch`,
          [x.shape],
        );
      }
      checkFloat(`MultiheadAttention: ${name}`, x);
      checkLast(`MultiheadAttention: ${name}`, x.shape, sizes[name], names[name]);
    }
  }

  /** Projected queries, keys and values, each [N, length, its heads · width]; in one product where they come from one tensor. */
  private project([query, key, value]: readonly Tensor[]): Tensor[] {
    const { inProjWeight, inProjBias, embedDim } = this;
    const narrow = this.width * this.kvHeads;
    const sizes = [embedDim, narrow, narrow];
    if (inProjWeight !== undefined && query.node === key.node && key.node === value.node) {
      return affine(query, inProjWeight, inProjBias).split(sizes, -1);
    }
    const weights =
      inProjWeight === undefined
        ? [this.qProjWeight, this.kProjWeight, this.vProjWeight]
        : inProjWeight.split(sizes, 0);
    const biases = inProjBias === undefined ? [] : inProjBias.split(sizes, 0);
    return [query, key, value].map((x, i) => affine(x, weights[i] as Tensor, biases[i]));
  }

  /** Features of a head. */
  private get width(): number {
    return this.embedDim / this.numHeads;
  }

  /** (N, L, heads · width) → (N, heads, L, width) */
  private split(x: Tensor, heads: number): Tensor {
    const [batch, length] = x.shape;
    return x.reshape([batch, length, heads, this.width] as Shape).transpose(1, 2);
  }

  /** Keys or values in heads, with those behind them that belong to the module. */
  private extended(x: Tensor, bias: Parameter | undefined): Tensor {
    const [batch, , features] = x.shape;
    const parts = bias === undefined ? [x] : [x, bias.expand([batch, 1, features] as Shape) as Tensor];
    if (this.addZeroAttn) parts.push(zeros([batch, 1, features] as Shape, { dtype: x.dtype }) as Tensor);
    return this.split(parts.length === 1 ? x : (cat(parts, 1) as Tensor), this.kvHeads);
  }

  /** Both masks as one, in the sense of attention: true allows, and [N or 1, heads or 1, L or 1, S]. */
  private mask(
    options: MultiheadAttentionArguments,
    [batch, length, keys]: readonly number[],
    unbatched: boolean,
  ): AnyTensor | undefined {
    const { attnMask, keyPaddingMask } = options;
    for (const [name, mask] of Object.entries({ attnMask, keyPaddingMask })) {
      if (mask !== undefined && mask.dtype === 'int32')
        throw new DTypeError(`MultiheadAttention: ${name} is int32. Use bool, or float32 to add.`, ['int32']);
    }
    const wanted = unbatched ? [keys] : [batch, keys];
    if (keyPaddingMask !== undefined && !sameShape(keyPaddingMask.shape, wanted)) {
      throw new ShapeError(
        `MultiheadAttention: keyPaddingMask ${formatShape(keyPaddingMask.shape)}: needs ${unbatched ? '[S]' : '[N, S]'}, here ${formatShape(wanted)}`,
        [keyPaddingMask.shape],
      );
    }
    const each = [batch * this.numHeads, length, keys];
    if (attnMask !== undefined && !sameShape(attnMask.shape, attnMask.rank === 2 ? each.slice(1) : each)) {
      throw new ShapeError(
        `MultiheadAttention: attnMask ${formatShape(attnMask.shape)}: needs [L, S] or [N · heads, L, S], here ${formatShape(each.slice(1))} or ${formatShape(each)}`,
        [attnMask.shape],
      );
    }
    const padding = keyPaddingMask?.reshape([unbatched ? 1 : batch, 1, 1, -1] as Shape);
    const among =
      attnMask?.rank === 3 ? attnMask.reshape([batch, this.numHeads, ...attnMask.shape.slice(1)] as Shape) : attnMask;
    const given = [padding, among].filter((mask) => mask !== undefined);
    if (given.every((mask) => mask.dtype === 'bool')) {
      if (given.length === 0) return undefined;
      return given.reduce((a, b) => a.logicalOr(b)).logicalNot();
    }
    return given.map(scoresOf).reduce((a, b) => a.add(b));
  }

  protected override describe(): string {
    return `${this.embedDim}, ${this.numHeads}`;
  }
}

/** Throws unless [N, L, …] of the three have one batch, and keys and values one length. */
function checkLengths([query, key, value]: readonly Tensor[], given: readonly Tensor[]): void {
  const batches = new Set([query.shape[0], key.shape[0], value.shape[0]]);
  if (batches.size === 1 && key.shape[1] === value.shape[1]) return;
  const [q, k, v] = given.map(({ shape }) => formatShape(shape));
  throw new ShapeError(
    `MultiheadAttention: query ${q}, key ${k}, value ${v}: batches, or lengths of key and value, differ`,
    given.map(({ shape }) => shape),
  );
}

/** The mask for keys of which the last ones were added, and are open to every query. */
function withAdded(
  given: AnyTensor | undefined,
  isCausal: boolean,
  [, length, keys]: readonly number[],
  added: number,
): AnyTensor | undefined {
  const past = arange(keys)
    .reshape([1, keys])
    .le(arange(length).reshape([length, 1])) as AnyTensor;
  let mask = given;
  if (isCausal && mask === undefined) mask = past;
  else if (isCausal && mask?.dtype === 'bool') mask = mask.logicalAnd(past);
  else if (isCausal && mask !== undefined) mask = where(past as Tensor<Shape, 'bool'>, mask as Tensor, -Infinity);
  if (mask === undefined) return undefined;
  const shape: Shape = [...mask.shape.slice(0, -1), added];
  const open = mask.dtype === 'bool' ? ones(shape).gt(0) : zeros(shape, { dtype: mask.dtype as 'float32' });
  return cat([mask, open as AnyTensor], -1);
}

/** What a forbidding mask adds to scores. */
function scoresOf(mask: AnyTensor): Tensor {
  return mask.dtype === 'bool' ? where(mask as Tensor<Shape, 'bool'>, -Infinity, 0) : (mask as Tensor);
}

function affine(x: Tensor, weight: Tensor, bias: Tensor | undefined): Tensor {
  const y = x.matmul(weight.transpose(0, 1));
  return bias === undefined ? y : y.add(bias);
}
