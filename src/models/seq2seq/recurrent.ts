// Recurrent halves of a translator: an encoder that reads a text both ways, and a decoder with additive attention (Bahdanau et al. 2015). As in
// Google's system (Wu et al. 2016) the attention asks with the states of a first recurrent layer, and what it finds goes into the second one:
// so the attention of all positions is one product when an answer is learned.

import { AdditiveAttention, Buffer, Dropout, GRU, Module } from '../../nn/index.js';
import { zeros } from '../../tensor/creation.js';
import { cat } from '../../tensor/functions.js';
import { ArgumentError, type FloatDType } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Block, type Ids, type Mask, type Table, checkIds, linear } from '../text/blocks.js';
import { EncoderDecoderCache, type KeyValueCache, repeatedTo } from '../text/cache.js';
import { dtypeOf } from '../text/dtype.js';
import { type DecoderMemory, type SequenceDecoder, checkMemory, seenOf } from './decoder.js';

export interface RecurrentSizes {
  /** Features of a token. */
  readonly width: number;
  /** Of each recurrent layer. */
  readonly hidden: number;
  readonly dropout: number;
  readonly contextLength: number;
}

type OneWay = GRU<number, number, { batchFirst: true }>;
type BothWays = GRU<number, number, { batchFirst: true; bidirectional: true }>;

/** Ids int32 [B, S] → features [B, S, 2 · hidden]: a bidirectional GRU, each text up to its own end. */
export class RecurrentTextEncoder extends Module {
  readonly tokens: Table;
  readonly gru: BothWays;
  readonly dropout: Dropout;

  constructor(tokens: Table, { width, hidden, dropout }: RecurrentSizes) {
    super();
    this.tokens = tokens;
    this.gru = new GRU(width, hidden, { batchFirst: true, bidirectional: true });
    this.dropout = new Dropout(dropout);
  }

  forward(ids: Ids, mask: Mask | undefined): Tensor {
    checkIds('RecurrentTextEncoder', ids);
    const x: Tensor = this.dropout.forward(this.tokens.forward(ids));
    const lengths = mask?.to('int32').sum(1).reshape([ids.shape[0]]);
    const [features] = this.gru.forward(x, undefined, lengths === undefined ? {} : { lengths });
    return this.dropout.forward(features);
  }
}

/** States of both layers, [1, B, hidden], and what the answers are about. */
class RecurrentCache extends EncoderDecoderCache {
  readonly states: readonly Buffer<readonly number[]>[];
  readonly memory: Buffer<readonly number[]>;

  constructor(batch: number, hidden: number, [length, sourceLength, width]: readonly number[], dtype: FloatDType) {
    super(0, [batch, 1, length, 1], sourceLength, dtype);
    this.states = [0, 1].map(() => new Buffer<readonly number[]>(zeros([1, batch, hidden])));
    this.memory = new Buffer<readonly number[]>(zeros([batch, sourceLength, width]));
    this.to(dtype);
  }

  override reorder(rows: Ids): void {
    for (const state of this.states) state.assign_(state.indexSelect(1, rows.reshape([rows.size])));
  }
}

interface Pass {
  readonly logits: Tensor;
  /** [B, T, S] */
  readonly weights: Tensor;
  readonly states: readonly [lower: Tensor, upper: Tensor];
}

/** Ids int32 [B, T] and features [B, S, features] → logits [B, T, vocabulary]. */
export class RecurrentTextDecoder extends Module implements SequenceDecoder {
  readonly tokens: Table;
  readonly lower: OneWay;
  readonly additive: AdditiveAttention;
  readonly upper: OneWay;
  readonly start: Block;
  readonly out: Block;
  readonly dropout: Dropout;
  readonly contextLength: number;
  private readonly hidden: number;
  private readonly features: number;

  constructor(tokens: Table, features: number, { width, hidden, dropout, contextLength }: RecurrentSizes) {
    super();
    this.tokens = tokens;
    this.lower = new GRU(width, hidden, { batchFirst: true });
    this.additive = new AdditiveAttention<number, number>(hidden, features, hidden);
    this.upper = new GRU(hidden + features, hidden, { batchFirst: true });
    this.start = linear(features, 2 * hidden);
    this.out = linear(hidden + features, width);
    this.dropout = new Dropout(dropout);
    this.contextLength = contextLength;
    this.hidden = hidden;
    this.features = features;
  }

  forward(ids: Ids, memory: DecoderMemory): Tensor {
    this.check('forward', ids, memory);
    return this.pass(ids, memory, this.firstStates(memory)).logits;
  }

  attention(ids: Ids, memory: DecoderMemory): Tensor {
    this.check('attention', ids, memory);
    return this.pass(ids, memory, this.firstStates(memory)).weights;
  }

  newCache(batch: number, length: number, sourceLength: number): EncoderDecoderCache {
    return new RecurrentCache(batch, this.hidden, [length, sourceLength, this.features], dtypeOf(this));
  }

  remember(memory: DecoderMemory, cache: EncoderDecoderCache): void {
    const { states, memory: kept, sourceMask } = recurrent(cache);
    const { features, mask } = memory;
    kept.assign_(repeatedTo(features, kept.shape));
    sourceMask.assign_(seenOf(mask, sourceMask.shape));
    for (const [i, state] of this.firstStates(memory).entries()) {
      const rows: Tensor = state.reshape([state.shape[1], this.hidden]);
      const [, batch] = states[i].shape;
      states[i].assign_(repeatedTo(rows, [batch, this.hidden]).reshape([1, batch, this.hidden]));
    }
  }

  step(ids: Ids, _: Ids, cache: KeyValueCache): Tensor {
    const { states, memory, sourceMask } = recurrent(cache);
    const mask: Mask = sourceMask.ne(0);
    const pass = this.pass(ids, { features: memory, mask }, [states[0], states[1]]);
    const count = ids.shape[1];
    for (const [i, state] of pass.states.entries()) states[i].assign_(state);
    return pass.logits.select(1, count - 1);
  }

  /** tanh of a linear layer over the mean of what there is. */
  private firstStates({ features, mask }: DecoderMemory): [lower: Tensor, upper: Tensor] {
    const [batch, length] = features.shape;
    let mean: Tensor = features.mean(1);
    if (mask !== undefined) {
      const shares: Tensor = mask.to('float32').reshape([batch, length, 1]);
      const total: Tensor = shares.sum(1);
      mean = features.mul(shares).sum(1).div(total.clamp(1));
    }
    const [lower, upper] = this.start.forward(mean).tanh().chunk(2, 1);
    return [lower.unsqueeze(0), upper.unsqueeze(0)];
  }

  private pass(ids: Ids, { features, mask }: DecoderMemory, [h1, h2]: readonly [Tensor, Tensor]): Pass {
    const x: Tensor = this.dropout.forward(this.tokens.forward(ids));
    const [asking, lower]: Tensor[] = this.lower.forward(x, h1);
    const [found, weights] = this.additive.forward(asking, features, mask === undefined ? {} : { mask });
    const context: Tensor = found;
    const [told, upper]: Tensor[] = this.upper.forward(this.dropout.forward(cat([asking, context], 2)), h2);
    const narrow: Tensor = this.out.forward(cat([told, context], 2)).tanh();
    const table: Tensor = this.tokens.weight.transpose(0, 1);
    return { logits: this.dropout.forward(narrow).matmul(table), weights, states: [lower, upper] };
  }

  private check(call: string, ids: Ids, memory: DecoderMemory): void {
    checkIds(`RecurrentTextDecoder.${call}`, ids, this.contextLength);
    checkMemory(`RecurrentTextDecoder.${call}`, ids, memory, this.features);
  }
}

function recurrent(cache: KeyValueCache): RecurrentCache {
  if (cache instanceof RecurrentCache) return cache;
  throw new ArgumentError('step: the cache is not this decoder’s. Make it with newAnswerCache.');
}
