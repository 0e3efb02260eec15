// The cases of O2: operators that memory bounds, on tensors that no cache holds. `bytes` are what has to be read and written at least;
// tools/parity/operator_speed.py measures the same in PyTorch, under the same names.

import { uniform } from './hash.mjs';

export const [ROWS, COLUMNS] = [8192, 1024];
const SIZE = ROWS * COLUMNS;
const ARRAY = 4 * SIZE;
const IMAGES = [32, 64, 64, 64];

/** Cases of a build of the library: name, inputs, function, bytes. */
export function operatorCases(n) {
  const real = (shape = [ROWS, COLUMNS], seed = 1, k = 1) =>
    n.tensor(
      uniform(
        seed,
        shape.reduce((a, b) => a * b, 1),
        k,
      ),
      { shape },
    );
  const whole = (shape, limit, seed = 7) =>
    n.tensor(
      Int32Array.from(
        uniform(
          seed,
          shape.reduce((a, b) => a * b, 1),
        ),
        (v) => Math.floor(((v + 1) / 2) * limit),
      ),
      { shape },
    );
  const mask = () =>
    n.tensor(
      Uint8Array.from(uniform(9, SIZE), (v) => (v > 0 ? 1 : 0)),
      { shape: [ROWS, COLUMNS], dtype: 'bool' },
    );
  const x = () => real();
  const two = () => [real(), real(undefined, 2)];
  const row = () => real([COLUMNS], 3);
  const images = () => real(IMAGES);

  const unary = Object.entries({
    neg: (t) => t.neg(),
    relu: (t) => t.relu(),
    'mul by a number': (t) => t.mul(1.5),
    clamp: (t) => t.clamp(-0.5, 0.5),
    square: (t) => t.square(),
    sqrt: (t) => t.abs().sqrt(),
    exp: (t) => t.exp(),
    log: (t) => t.abs().log(),
    sin: (t) => t.sin(),
    tanh: (t) => t.tanh(),
    sigmoid: (t) => t.sigmoid(),
    gelu: (t) => t.gelu(),
    dropout: (t) => n.dropout(t, 0.1),
    'softmax, rows': (t) => t.softmax(1),
    'softmax, columns': (t) => t.softmax(0),
    'log softmax, rows': (t) => t.logSoftmax(1),
    'cumsum, rows': (t) => t.cumsum(1),
    'cumsum, columns': (t) => t.cumsum(0),
    transpose: (t) => t.transpose(0, 1),
    'flip, rows': (t) => t.flip(1),
    'flip, columns': (t) => t.flip(0),
    roll: (t) => t.roll(100, 1),
    tril: (t) => t.tril(),
    diff: (t) => n.diff(t, { dim: 1 }),
  }).map(([name, fn]) => ({ name, fn, inputs: () => [x()], bytes: 2 * ARRAY }));

  const reductions = Object.entries({
    'sum, all': (t) => t.sum(),
    'sum, rows': (t) => t.sum(1),
    'sum, columns': (t) => t.sum(0),
    'mean, rows': (t) => t.mean(1),
    'var, rows': (t) => t.var(1),
    'norm, all': (t) => t.norm(),
    'max, rows': (t) => t.amax(1),
    'max, columns': (t) => t.amax(0),
    'argmax, rows': (t) => t.argmax(1),
    'argmax, columns': (t) => t.argmax(0),
    'logsumexp, rows': (t) => t.logsumexp(1),
    'any above': (t) => t.gt(2).any(),
  }).map(([name, fn]) => ({ name, fn, inputs: () => [x()], bytes: ARRAY }));

  return [
    ...unary,
    { name: 'add', fn: (a, b) => a.add(b), inputs: two, bytes: 3 * ARRAY },
    { name: 'div', fn: (a, b) => a.div(b), inputs: two, bytes: 3 * ARRAY },
    { name: 'maximum', fn: (a, b) => a.maximum(b), inputs: two, bytes: 3 * ARRAY },
    { name: 'lerp', fn: (a, b) => a.lerp(b, 0.3), inputs: two, bytes: 3 * ARRAY },
    { name: 'add a row', fn: (a, b) => a.add(b), inputs: () => [x(), row()], bytes: 2 * ARRAY },
    { name: 'mul by a column', fn: (a, b) => a.mul(b), inputs: () => [x(), real([ROWS, 1], 3)], bytes: 2 * ARRAY },
    { name: 'outer product', fn: (a, b) => a.mul(b), inputs: () => [real([ROWS, 1], 3), row()], bytes: ARRAY },
    { name: 'greater', fn: (a, b) => a.gt(b), inputs: two, bytes: 2 * ARRAY + SIZE },
    { name: 'equal', fn: (a, b) => a.eq(b), inputs: two, bytes: 2 * ARRAY + SIZE },
    { name: 'where', fn: (m, a, b) => n.where(m, a, b), inputs: () => [mask(), ...two()], bytes: 3 * ARRAY + SIZE },
    { name: 'masked fill', fn: (m, a) => a.maskedFill(m, 0), inputs: () => [mask(), x()], bytes: 2 * ARRAY + SIZE },
    { name: 'float32 to int32', fn: (a) => a.to('int32'), inputs: () => [x()], bytes: 2 * ARRAY },
    { name: 'float32 to float64', fn: (a) => a.to('float64'), inputs: () => [x()], bytes: 3 * ARRAY },
    { name: 'float32 to bfloat16', fn: (a) => a.to('bfloat16'), inputs: () => [x()], bytes: 1.5 * ARRAY },
    { name: 'bool to float32', fn: (m) => m.to('float32'), inputs: () => [mask()], bytes: ARRAY + SIZE },
    {
      name: 'and of int32',
      fn: (a, b) => n.bitwiseAnd(a, b),
      inputs: () => [whole([ROWS, COLUMNS], 1000), whole([ROWS, COLUMNS], 1000, 8)],
      bytes: 3 * ARRAY,
    },
    ...reductions,
    { name: 'sum, channels', fn: (t) => t.sum([0, 2, 3]), inputs: () => [images()], bytes: ARRAY },
    { name: 'sum, middle', fn: (t) => t.sum(1), inputs: () => [real([512, 16, 1024])], bytes: ARRAY + ARRAY / 16 },
    {
      name: 'layer norm',
      fn: (t, w, b) => {
        const centred = t.sub(t.mean(-1, { keepdim: true }));
        return centred
          .mul(centred.square().mean(-1, { keepdim: true }).add(1e-5).rsqrt())
          .mul(w)
          .add(b);
      },
      inputs: () => [x(), row(), real([COLUMNS], 4)],
      bytes: 2 * ARRAY,
    },
    { name: 'cat, rows', fn: (a, b) => n.cat([a, b], 0), inputs: two, bytes: 4 * ARRAY },
    { name: 'cat, columns', fn: (a, b) => n.cat([a, b], 1), inputs: two, bytes: 4 * ARRAY },
    { name: 'stack, last', fn: (a, b) => n.stack([a, b], -1), inputs: two, bytes: 4 * ARRAY },
    { name: 'permute NCHW to NHWC', fn: (t) => t.permute([0, 2, 3, 1]), inputs: () => [images()], bytes: 2 * ARRAY },
    { name: 'every second column', fn: (t) => t.slice(1, 0, undefined, 2), inputs: () => [x()], bytes: 1.5 * ARRAY },
    {
      name: 'pad',
      fn: (t) =>
        t.pad([
          [1, 1],
          [1, 1],
        ]),
      inputs: () => [images()],
      bytes: ARRAY + (ARRAY * 66 * 66) / 4096,
    },
    {
      name: 'pad, reflect',
      fn: (t) =>
        n.pad(
          t,
          [
            [1, 1],
            [1, 1],
          ],
          { mode: 'reflect' },
        ),
      inputs: () => [images()],
      bytes: ARRAY + (ARRAY * 66 * 66) / 4096,
    },
    { name: 'repeat', fn: (t) => t.repeat([2, 2]), inputs: () => [real([ROWS / 2, COLUMNS / 2])], bytes: 1.25 * ARRAY },
    {
      name: 'repeat interleave',
      fn: (t) => n.repeatInterleave(t, 2, 1),
      inputs: () => [real([ROWS, COLUMNS / 2])],
      bytes: 1.5 * ARRAY,
    },
    { name: 'one-hot', fn: (i) => i.oneHot(COLUMNS), inputs: () => [whole([ROWS], COLUMNS)], bytes: ARRAY },
    {
      name: 'embedding of rows',
      fn: (t, i) => t.indexSelect(0, i),
      inputs: () => [x(), whole([ROWS], ROWS)],
      bytes: 2 * ARRAY,
    },
    {
      name: 'gather, rows',
      fn: (t, i) => t.gather(1, i),
      inputs: () => [x(), whole([ROWS, COLUMNS], COLUMNS)],
      bytes: 3 * ARRAY,
    },
    {
      name: 'gather, columns',
      fn: (t, i) => t.gather(0, i),
      inputs: () => [real([256, COLUMNS]), whole([ROWS, COLUMNS], 256)],
      bytes: 2 * ARRAY,
    },
    {
      name: 'scatter-add of rows',
      fn: (t, i, s) => n.indexAdd(t, 0, i, s),
      inputs: () => [real([1024, COLUMNS]), whole([ROWS], 1024), x()],
      bytes: ARRAY + ARRAY / 4,
    },
    {
      name: 'scatter-add',
      fn: (t, i, s) => t.scatterAdd(1, i, s),
      inputs: () => [x(), whole([ROWS, COLUMNS], COLUMNS), real(undefined, 2)],
      bytes: 4 * ARRAY,
    },
    {
      name: 'scatter',
      fn: (t, i, s) => n.scatter(t, 1, i, s),
      inputs: () => [x(), whole([ROWS, COLUMNS], COLUMNS), real(undefined, 2)],
      bytes: 4 * ARRAY,
    },
    { name: 'max pool 2 × 2', fn: (t) => n.maxPool2d(t, 2), inputs: () => [images()], bytes: 1.25 * ARRAY },
    { name: 'mean pool 2 × 2', fn: (t) => n.avgPool2d(t, 2), inputs: () => [images()], bytes: 1.25 * ARRAY },
    {
      name: 'nearest, twice as large',
      fn: (t) => n.interpolate(t, { scaleFactor: 2 }),
      inputs: () => [real([32, 64, 32, 32])],
      bytes: 1.25 * ARRAY,
    },
    { name: 'sort, rows', apart: true, fn: (t) => t.sort(1).values, inputs: () => [x()], bytes: 2 * ARRAY },
    { name: 'top 10 of rows', apart: true, fn: (t) => t.topk(10, 1).values, inputs: () => [x()], bytes: ARRAY },
  ];
}
