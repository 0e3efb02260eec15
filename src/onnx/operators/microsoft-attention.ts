// Attention as onnxruntime fuses it (com.microsoft): with projections, masks of several forms, caches, rotary positions.

import { cat, where } from '../../tensor/functions.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { allocate } from '../host/array.js';
import { fromHeads, inHeads, repeatHeads, turned } from './attention.js';
import type { Call, Operators, Result } from './operator.js';
import { asInt, integerProduct } from './quantised.js';

type Mask = Tensor<readonly number[], 'bool'>;

function counted(call: Call, n: number, isColumn: boolean): Tensor {
  const list = allocate('int32', isColumn ? [n, 1] : [1, n]);
  for (let i = 0; i < n; i++) list.data[i] = i;
  return call.made(list);
}

/** Query i of L, the last ones of S, looks at keys up to its own. */
function causal(call: Call, length: number, keys: number, window = -1): Mask {
  const rows: Tensor = counted(call, length, true).add(keys - length);
  const columns = counted(call, keys, false);
  const past = columns.le(rows);
  return window < 0 ? past : past.logicalAnd(rows.sub(columns).lt(window));
}

interface Heads {
  /** [N, heads, L, E], [N, heads, S, E], [N, heads, S, V] */
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
}

interface Masks {
  /** Keys that may be looked at; others get the filter value. */
  readonly allowed?: Mask | undefined;
  readonly bias?: Tensor | undefined;
  readonly isCausal: boolean;
  readonly window?: number;
}

/** softmax(q·kᵀ·scale, masked)·v: [N, heads, L, V] */
function attended(call: Call, { query, key, value }: Heads, { allowed, bias, isCausal, window }: Masks): Tensor {
  const filter = call.float('mask_filter_value', -10000);
  const scale = call.float('scale', 0) || 1 / Math.sqrt(query.shape[3]);
  const softcap = call.float('softcap', 0);
  const raw: Tensor = query.mul(scale).matmul(key.transpose(-1, -2));
  let scores: Tensor =
    softcap > 0
      ? raw
          .mul(1 / softcap)
          .tanh()
          .mul(softcap)
      : raw;
  if (allowed !== undefined) scores = scores.add(where(allowed, 0, filter).to(scores.dtype) as AnyTensor as Tensor);
  if (bias !== undefined) scores = scores.add(bias);
  if (isCausal) scores = where(causal(call, query.shape[2], key.shape[2], window), scores, -3.4028234663852886e38);
  return scores.softmax(-1).matmul(value);
}

/** A mask as onnxruntime takes it: lengths [N], [N, S], [N, L, S], or [N, 1, M, M] of which the last rows count. */
function maskOf(call: Call, i: number, length: number, keys: number): Mask | undefined {
  if (!call.has(i)) return undefined;
  const mask = asInt(call.tensor(i));
  const shape = mask.shape;
  if (shape.length === 1) {
    // of ends alone, or of ends and begins
    const n = call.shape(0)[0];
    const ends: Tensor = mask.slice(0, 0, n).reshape([n, 1, 1, 1]);
    const inside = counted(call, keys, false).lt(ends);
    if (shape[0] < 2 * n) return inside;
    const begins: Tensor = mask.slice(0, n, 2 * n).reshape([n, 1, 1, 1]);
    return inside.logicalAnd(counted(call, keys, false).ge(begins));
  }
  if (shape.length === 2) return mask.reshape([shape[0], 1, 1, shape[1]]).gt(0);
  if (shape.length === 3) return mask.unsqueeze(1).gt(0);
  return mask
    .slice(2, keys - length, keys)
    .slice(3, 0, keys)
    .gt(0);
}

/** Attention over projections that were made: with a past [2, N, heads, P, E], which is given back longer. */
function selfAttention(
  call: Call,
  projected: Tensor,
  maskAt: number,
  pastAt: number,
  biasAt: number | undefined,
): Result[] {
  const heads = call.int('num_heads');
  const width = projected.shape[2];
  const sizes = call.ints('qkv_hidden_sizes') ?? [width / 3, width / 3, width / 3];
  const [q, k, v]: Tensor[] = projected.split([...sizes], 2);
  if (call.flag('do_rotary'))
    return call.fail('do_rotary is not there: export the model with rotary positions as operators of their own');
  let [key, value] = [inHeads(k, heads), inHeads(v, heads)];
  if (call.has(pastAt)) {
    const past = call.tensor(pastAt);
    key = cat([past.select(0, 0), key], 2);
    value = cat([past.select(0, 1), value], 2);
  }
  const query = inHeads(q, heads);
  const made = attended(
    call,
    { query, key, value },
    {
      allowed: maskOf(call, maskAt, query.shape[2], key.shape[2]),
      bias: biasAt === undefined ? undefined : call.maybe(biasAt),
      isCausal: call.flag('unidirectional'),
    },
  );
  const present = call.wants(1) ? cat([key.unsqueeze(0), value.unsqueeze(0)], 0) : undefined;
  return [fromHeads(made), present];
}

function attention(call: Call): Result[] {
  const made: Tensor = call.tensor(0).matmul(call.tensor(1));
  const projected: Tensor = call.has(2) ? made.add(call.tensor(2)) : made;
  return selfAttention(call, projected, 3, 4, 5);
}

function quantisedAttention(call: Call): Result[] {
  const less = (i: number, zero: number): Tensor =>
    call.has(zero) ? asInt(call.tensor(i)).sub(asInt(call.tensor(zero))) : asInt(call.tensor(i));
  const scale: Tensor = call.tensor(3).mul(call.tensor(4));
  const projected: Tensor = integerProduct(less(0, 6), less(1, 7)).to('float32').mul(scale).add(call.tensor(2));
  return selfAttention(call, projected, 5, 8, undefined);
}

/** Query, key and value apart, packed together, or from a cache; the projection's bias, if there is one, is of all three. */
function multiHead(call: Call): Result[] {
  const heads = call.int('num_heads');
  const given = call.tensor(0);
  const biases = (width: number, valueWidth: number): (Tensor | undefined)[] =>
    call.has(3) ? call.tensor(3).split([width, width, valueWidth], 0) : [undefined, undefined, undefined];
  let [query, key, value]: Tensor[] = [given, given, given];
  if (given.rank === 5) {
    // [N, L, heads, 3, E]
    const part = (i: number): Tensor => given.select(3, i).permute([0, 2, 1, 3]);
    [query, key, value] = [part(0), part(1), part(2)];
  } else {
    const width = given.shape[2];
    const isPacked = call.rank(1) === 5;
    const isCached = call.rank(1) === 4;
    const valueWidth = isPacked || isCached || !call.has(2) ? width : call.shape(2)[2];
    const [qb, kb, vb] = biases(width, valueWidth);
    const shifted = (x: Tensor, bias: Tensor | undefined): Tensor => (bias === undefined ? x : x.add(bias));
    query = inHeads(shifted(given, qb), heads);
    if (isPacked) {
      const both = call.tensor(1);
      const part = (i: number): Tensor => both.select(3, i).permute([0, 2, 1, 3]);
      [key, value] = [part(0), part(1)];
    } else if (isCached) [key, value] = [call.tensor(1), call.tensor(2)];
    else [key, value] = [inHeads(shifted(call.tensor(1), kb), heads), inHeads(shifted(call.tensor(2), vb), heads)];
  }
  if (call.has(6)) key = cat([call.tensor(6), key], 2);
  if (call.has(7)) value = cat([call.tensor(7), value], 2);
  const made = attended(
    call,
    { query, key, value },
    {
      allowed: maskOf(call, 4, query.shape[2], key.shape[2]),
      bias: call.maybe(5),
      isCausal: call.flag('unidirectional'),
    },
  );
  return [fromHeads(made), key, value];
}

/** Causal attention with fewer heads of keys than of queries, a cache that grows, and rotary positions. */
function groupQuery(call: Call): Result[] {
  const [heads, kept] = [call.int('num_heads'), call.int('kv_num_heads')];
  const given = call.tensor(0);
  const isPacked = !call.has(1);
  const width = isPacked ? given.shape[2] / (heads + 2 * kept) : given.shape[2] / heads;
  const parts: Tensor[] = isPacked
    ? given.split([heads * width, kept * width, kept * width], 2)
    : [given, call.tensor(1), call.tensor(2)];
  let [query, key, value] = [inHeads(parts[0], heads), inHeads(parts[1], kept), inHeads(parts[2], kept)];
  const length = query.shape[2];
  const total = call.number(6);
  const before = total - length;
  if (call.flag('do_rotary')) {
    const table = (i: number): Tensor => {
      const rows: Tensor = call.tensor(i).slice(0, before, total);
      return rows.reshape([1, 1, length, rows.shape[1]]);
    };
    const [cos, sin] = [table(7), table(8)];
    const count = 2 * cos.shape[3];
    const isInterleaved = call.flag('rotary_interleaved');
    query = turned(query, cos, sin, count, isInterleaved, false);
    key = turned(key, cos, sin, count, isInterleaved, false);
  }
  if (call.has(3) && before > 0) {
    key = cat([call.tensor(3).slice(2, 0, before), key], 2);
    value = cat([call.tensor(4).slice(2, 0, before), value], 2);
  }
  const times = heads / kept;
  // sequences of a batch may have ended before
  const ends: Tensor = asInt(call.tensor(5)).add(1);
  const n = given.shape[0];
  const isThere = counted(call, total, false).lt(ends.reshape([n, 1, 1, 1]));
  const made = attended(
    call,
    { query, key: repeatHeads(key, times), value: repeatHeads(value, times) },
    {
      allowed: n > 1 ? isThere : undefined,
      bias: call.maybe(10),
      isCausal: call.flag('causal', true),
      window: call.int('local_window_size', -1),
    },
  );
  return [fromHeads(made), key, value];
}

/** Rotary positions, with the inputs in another order than the standard's. */
function rotated(call: Call): AnyTensor {
  const given = call.tensor(0);
  const isFlat = given.rank === 3;
  const [cos, sin] = [call.tensor(2), call.tensor(3)];
  const count = call.int('rotary_embedding_dim', 0) || 2 * cos.shape[1];
  const heads = isFlat ? call.int('num_heads', 0) || given.shape[2] / (2 * cos.shape[1]) : given.shape[1];
  const x = isFlat ? inHeads(given, heads) : given;
  const [n, , length] = x.shape;
  const positions = asInt(call.tensor(1));
  // one number is where the sequence begins
  const index: Tensor =
    positions.size === 1
      ? counted(call, length, false).add(positions.reshape([])).expand([n, length])
      : positions.reshape([n, length]);
  const rows = (table: Tensor): Tensor =>
    table.indexSelect(0, index.to('int32').reshape([n * length])).reshape([n, 1, length, table.shape[1]]);
  return turned(x, rows(cos), rows(sin), count, call.flag('interleaved'), isFlat);
}

export const MICROSOFT_ATTENTION: Operators = {
  'com.microsoft::Attention': { inputs: [2, 7], weights: [1, 2], settings: [3], run: attention },
  'com.microsoft::QAttention': { inputs: [5, 9], settings: [3, 4, 5, 6, 7], run: quantisedAttention },
  'com.microsoft::MultiHeadAttention': { inputs: [1, 10], weights: [3], settings: [4], run: multiHead },
  'com.microsoft::GroupQueryAttention': { inputs: [7, 17], settings: [5, 6, 7, 8], run: groupQuery },
  'com.microsoft::RotaryEmbedding': { inputs: [4, 4], settings: [1], run: rotated },
};
