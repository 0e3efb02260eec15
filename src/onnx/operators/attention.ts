// Attention and what stands around it: rotary positions, caches, gates, linear attention.

import { cat, where } from '../../tensor/functions.js';
import { zeros } from '../../tensor/creation.js';
import { convolve } from '../../tensor/spatial.js';
import { silu } from '../../nn/functional.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { allocate } from '../host/array.js';
import type { Call, Operators, Result } from './operator.js';

type Mask = Tensor<readonly number[], 'bool'>;

/** [N, L, heads · E] → [N, heads, L, E] */
export function inHeads(x: Tensor, heads: number): Tensor {
  const [n, length, width] = x.shape;
  const apart: Tensor = x.reshape([n, length, heads, width / heads]);
  return apart.permute([0, 2, 1, 3]);
}

/** [N, heads, L, E] → [N, L, heads · E] */
export function fromHeads(x: Tensor): Tensor {
  const [n, heads, length, width] = x.shape;
  const moved: Tensor = x.permute([0, 2, 1, 3]);
  return moved.reshape([n, length, heads * width]);
}

/** Each head so many times, one after the other. */
export function repeatHeads(x: Tensor, times: number): Tensor {
  if (times === 1) return x;
  const [n, heads, length, width] = x.shape;
  const apart: Tensor = x.reshape([n, heads, 1, length, width]);
  const wide: Tensor = apart.expand([n, heads, times, length, width]);
  return wide.reshape([n, heads * times, length, width]);
}

/** 0, 1, … along the last dimension or the one before. */
function places(call: Call, n: number, isColumn: boolean): Tensor {
  const list = allocate('int32', isColumn ? [n, 1] : [1, n]);
  for (let i = 0; i < n; i++) list.data[i] = i;
  return call.made(list);
}

const both = (a: Mask | undefined, b: Mask): Mask => (a === undefined ? b : a.logicalAnd(b));

/** Which key [S] a query [L] may look at, by its place alone. */
function allowedByPlace(call: Call, length: number, keys: number, past: number): Mask | undefined {
  const [left, right] = [call.int('left_window_size', -1), call.int('right_window_size', -1)];
  const isCausal = call.flag('is_causal');
  if (!isCausal && left < 0 && right < 0) return undefined;
  const columns = places(call, keys, false);
  let rows: Tensor = places(call, length, true);
  if (call.has(6)) {
    const ends = call.tensor(6).to('int32') as AnyTensor as Tensor;
    rows = rows.add(ends.sub(length).reshape([ends.size, 1, 1, 1]));
  } else rows = rows.add(past);
  let allowed: Mask | undefined;
  if (isCausal) allowed = columns.le(rows);
  if (left >= 0) allowed = both(allowed, rows.sub(columns).le(left));
  if (right >= 0) allowed = both(allowed, columns.sub(rows).le(right));
  return allowed;
}

function attention(call: Call): Result[] {
  const isFlat = call.rank(0) === 3;
  let [query, key, value] = [call.tensor(0), call.tensor(1), call.tensor(2)];
  const { dtype } = query;
  if (isFlat) {
    query = inHeads(query, call.int('q_num_heads'));
    key = inHeads(key, call.int('kv_num_heads'));
    value = inHeads(value, call.int('kv_num_heads'));
  }
  const past = call.has(4) ? call.shape(4)[2] : 0;
  if (call.has(4)) key = cat([call.tensor(4), key], 2);
  if (call.has(5)) value = cat([call.tensor(5), value], 2);
  const presents: Result[] = [key, value];
  const times = query.shape[1] / key.shape[1];
  const [keys, values] = [repeatHeads(key, times), repeatHeads(value, times)];
  const scale = call.float('scale', 1 / Math.sqrt(query.shape[3]));
  const [length, count] = [query.shape[2], keys.shape[2]];
  const wide = (t: Tensor): Tensor =>
    dtype === ('float16' as string) || dtype === ('bfloat16' as string) ? t.to('float32') : t;
  const raw: Tensor = wide(query)
    .mul(Math.sqrt(scale))
    .matmul(wide(keys).mul(Math.sqrt(scale)).transpose(-2, -1));
  const limit = call.float('softcap', 0);
  const mode = call.int('qk_matmul_output_mode', 0);
  const capped: Tensor =
    limit > 0
      ? raw
          .mul(1 / limit)
          .tanh()
          .mul(limit)
      : raw;

  let allowed = allowedByPlace(call, length, count, past);
  let bias: Tensor | undefined;
  if (call.has(3)) {
    const given = call.tensor(3);
    const missing = count - given.shape[given.rank - 1];
    const pairs = given.shape.map((_, i): [number, number] => (i === given.rank - 1 ? [0, missing] : [0, 0]));
    if (call.type(3) === 'bool') {
      const padded = missing > 0 ? given.to('int32').pad(pairs).to('bool') : given.to('bool');
      allowed = both(allowed, padded);
    } else bias = wide(missing > 0 ? given.pad(pairs, -Infinity) : given);
  }
  if (call.has(6)) {
    const ends = call.tensor(6).to('int32');
    const isThere = places(call, count, false).lt(ends.reshape([ends.size, 1, 1, 1]));
    allowed = both(allowed, isThere);
  }
  const biased: Tensor = bias === undefined ? capped : capped.add(bias);
  const masked: Tensor = allowed === undefined ? biased : where(allowed, biased, -Infinity);
  // a query that may look nowhere gives 0
  const most: Tensor = masked.amax(-1, { keepdim: true });
  const safe: Tensor = where(most.eq(-Infinity), 0, most);
  const powers: Tensor = masked.sub(safe.detach()).exp();
  const total: Tensor = powers.sum(-1, { keepdim: true });
  const weights: Tensor = powers.div(total.add(total.eq(0).to(total.dtype)));
  const made: Tensor = weights.matmul(wide(values)).to(dtype);
  const scores = [raw, capped, masked, weights][mode] ?? raw;
  return [isFlat ? fromHeads(made) : made, ...presents, scores.to(dtype)];
}

/** Pairs of elements turned by the angle of their position (Su et al. 2021). */
function rotated(call: Call): AnyTensor {
  const given = call.tensor(0);
  const isFlat = given.rank === 3;
  const x = isFlat ? inHeads(given, call.int('num_heads')) : given;
  const [n, , length, width] = x.shape;
  const count = call.int('rotary_embedding_dim', 0) || width;
  const half = count / 2;
  const tableOf = (i: number): Tensor => {
    const table = call.tensor(i);
    if (!call.has(3)) return table.reshape([table.shape[0], 1, length, half]);
    const positions = call
      .tensor(3)
      .to('int32')
      .reshape([n * length]);
    return table.indexSelect(0, positions).reshape([n, 1, length, half]);
  };
  return turned(x, tableOf(1), tableOf(2), count, call.flag('interleaved'), isFlat);
}

/** x [N, heads, L, E] by cos and sin [N or 1, 1, L, count / 2]; the rest of E stays. */
export function turned(
  x: Tensor,
  cos: Tensor,
  sin: Tensor,
  count: number,
  isInterleaved: boolean,
  isFlat: boolean,
): Tensor {
  const width = x.shape[3];
  const part: Tensor = count === width ? x : x.slice(3, 0, count);
  const half = count / 2;
  const pairs: Tensor = isInterleaved ? part.reshape([...x.shape.slice(0, 3), half, 2]) : part;
  const [a, b]: Tensor[] = isInterleaved
    ? [pairs.select(4, 0), pairs.select(4, 1)]
    : [part.slice(3, 0, half), part.slice(3, half, count)];
  const [real, imaginary]: Tensor[] = [a.mul(cos).sub(b.mul(sin)), a.mul(sin).add(b.mul(cos))];
  const joined: Tensor = isInterleaved
    ? cat([real.unsqueeze(4), imaginary.unsqueeze(4)], 4).reshape(part.shape)
    : cat([real, imaginary], 3);
  const whole: Tensor = count === width ? joined : cat([joined, x.slice(3, count)], 3);
  return isFlat ? fromHeads(whole) : whole;
}

/** New rows of a cache, from a position on that each sequence has of its own. */
function cached(call: Call): AnyTensor {
  const [cache, update] = [call.tensor(0), call.tensor(1)];
  const axis = call.axis(call.int('axis', -2));
  const [size, length] = [cache.shape[axis], update.shape[axis]];
  const isCircular = call.text('mode', 'linear') === 'circular';
  const rows = allocate(
    'int32',
    update.shape.map((_, i) => (i === axis ? length : 1)),
  );
  for (let i = 0; i < length; i++) rows.data[i] = i;
  let at: Tensor = call.made(rows);
  if (call.has(2)) {
    const begins = call.tensor(2).to('int32') as AnyTensor as Tensor;
    at = at.add(begins.reshape(update.shape.map((n, i) => (i === 0 ? n : 1))));
  }
  if (isCircular) at = at.remainder(size);
  // which new row each place of the cache gets: written as a sum of rows that are 1 at one place
  const index = at.to('int32').expand(update.shape);
  const hit: Tensor = zeros(cache.shape, { dtype: cache.dtype }).scatterAdd(axis, index, update.mul(0).add(1));
  const values: Tensor = zeros(cache.shape, { dtype: cache.dtype }).scatterAdd(axis, index, update);
  return where(hit.gt(0), values, cache);
}

/** A causal depth-wise convolution that goes on where the last one has stopped. */
function causalConvolution(call: Call): Result[] {
  const [x, w] = [call.tensor(0), call.tensor(1)];
  const [n, channels] = x.shape;
  const reach = w.shape[2] - 1;
  const past: Tensor = call.has(3) ? call.tensor(3) : zeros([n, channels, reach], { dtype: x.dtype });
  const all: Tensor = cat([past, x], 2);
  const options = { stride: [1], dilation: [1], lo: [0], hi: [0], groups: channels };
  const made = convolve(all, w, call.maybe(2), options);
  const activation = call.text('activation', 'none');
  return [activation === 'none' ? made : silu(made), all.slice(2, all.shape[2] - reach)];
}

/** Attention without a softmax: a state [N, heads, K, V] that every step adds to, lets fade and corrects. */
function linearAttention(call: Call): Result[] {
  const [heads, kept] = [call.int('q_num_heads'), call.int('kv_num_heads')];
  const rule = call.text('update_rule', 'gated_delta');
  const { dtype } = call.tensor(0);
  const wide = (i: number): Tensor => call.tensor(i).to('float32');
  const query = inHeads(wide(0), heads);
  const [key, value] = [inHeads(wide(1), kept), inHeads(wide(2), kept)];
  const [n, , length, size] = key.shape;
  const width = value.shape[3];
  const stateType = call.has(3) ? call.type(3) : call.type(0);
  let state: Tensor = call.has(3) ? wide(3) : zeros([n, kept, size, width]);
  const decay = rule.startsWith('gated') ? inHeads(wide(4), kept).exp() : undefined;
  const beta = rule.endsWith('delta') ? inHeads(wide(5), call.shape(5)[2]) : undefined;
  const scale = call.float('scale', 0) || 1 / Math.sqrt(size);
  const step = (x: Tensor, t: number): Tensor => x.slice(2, t, t + 1); // [N, heads, 1, E]
  const rows: Tensor[] = [];
  for (let t = 0; t < length; t++) {
    const [k, now] = [step(key, t), step(value, t)];
    if (decay !== undefined) state = state.mul(step(decay, t).transpose(2, 3));
    const added: Tensor = beta === undefined ? now : now.sub(k.matmul(state)).mul(step(beta, t));
    state = state.add(k.transpose(2, 3).matmul(added));
    rows.push(
      step(query, t)
        .mul(scale)
        .matmul(repeatHeads(state, heads / kept)),
    );
  }
  const made: Tensor = cat(rows, 2);
  return [fromHeads(made).to(dtype), call.as(state.to(call.environment.dtypeOf(stateType)), stateType)];
}

export const ATTENTION: Operators = {
  Attention: { inputs: [3, 7], settings: [3, 6], run: attention },
  RotaryEmbedding: { inputs: [3, 4], settings: [3], run: rotated },
  TensorScatter: { inputs: [2, 3], settings: [2], run: cached },
  CausalConvWithState: { inputs: [2, 4], weights: [1, 2], run: causalConvolution },
  LinearAttention: { inputs: [3, 6], run: linearAttention },
  SwiGLU: {
    inputs: [2, 2],
    run: (call) => {
      const a = call.tensor(0);
      return a.mul(a.mul(call.float('alpha', 1)).sigmoid()).mul(call.tensor(1));
    },
  },
};
