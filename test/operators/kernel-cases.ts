// Rows for reductions, cumsum, argsort, matmul and the convolutions, and for the compositions that devices fuse
// (softmax, layer norm, cross entropy).

import {
  add,
  argsort,
  binary,
  concat,
  constant,
  conv,
  convInput,
  convWeight,
  cumsum,
  div,
  expand,
  gather,
  matmul,
  mul,
  neg,
  permute,
  reduce,
  reshape,
  running,
  sub,
  sum,
  transposeLast,
  unary,
} from '../../src/engine/ir/build.js';
import type { Node } from '../../src/engine/ir/node.js';
import type { ConvSpec } from '../../src/engine/ir/op.js';
import type { Shape } from '../../src/engine/ir/shape.js';
import { extreme } from '../../src/tensor/reductions.js';
import { type OperatorCase, f, i, row } from './case.js';

const SPECIAL = [1, NaN, Infinity, -Infinity, 0, 2, -3] as const;
const square = (x: Node): Node => mul(x, x);

const REDUCTIONS: readonly [Shape, readonly number[]][] = [
  [[1], [0]],
  [[3], [0]],
  [[17], [0]],
  [[33], [0]],
  [[2, 3], [0]],
  [[2, 3], [1]],
  [
    [2, 3],
    [0, 1],
  ],
  [[3, 17, 2], [1]],
  [
    [2, 3, 4],
    [0, 2],
  ],
  [[17, 33], [0]],
  [[17, 33], [1]],
  [[0, 3], [1]],
  [
    [2, 1, 3],
    [1, 2],
  ],
];

const reductionCases = (): OperatorCase[] => [
  ...(['sum', 'prod', 'reduceMax', 'reduceMin', 'reduceFmax'] as const).flatMap((op) => [
    ...REDUCTIONS.map(([shape, axes]) => {
      const domain = op === 'sum' ? 'normal' : op === 'prod' ? [0.9, -1.1, 1.2, 0.8, 1.05] : 'spaced';
      return row(
        `${op} [${shape.join()}] over ${axes.join()}`,
        [f(shape, domain)],
        ([x]) => square(reduce(op, x, axes)),
        { tolerance: 1e-5 },
      );
    }),
    row(`${op} of a transposed view`, [f([3, 5], 'spaced')], ([x]) => reduce(op, permute(x, [1, 0]), [0]), {
      tolerance: 1e-5,
    }),
    row(`${op} of an expanded view`, [f([3, 1], 'positive')], ([x]) => reduce(op, expand(x, [3, 4]), [0]), {
      tolerance: 1e-5,
      derivatives: op === 'sum' || op === 'prod' ? 2 : 1,
    }),
    row(`${op} of a map`, [f([3, 17], 'spaced')], ([x]) => reduce(op, unary('atan', x), [1]), { tolerance: 1e-5 }),
    row(
      `${op} with NaN and infinities`,
      [f([4, 3], [1, NaN, 2, Infinity, 0, 1, -Infinity, 3, 1, 5, -5, 0])],
      ([x]) => reduce(op, x, [1]),
      { derivatives: 0 },
    ),
    row(
      `${op} of long rows with NaN`,
      [f([3, 40], [1, NaN, -2, 0.5, 1.5, -0.25, 2, -1])],
      ([x]) => reduce(op, x, [1]),
      { derivatives: 0 },
    ),
    row(`${op} of NaN alone`, [f([2, 33], [NaN])], ([x]) => reduce(op, x, [1]), { derivatives: 0 }),
    row(`${op} of int32`, [i([5, 17])], ([x]) => reduce(op, x, [1]), { derivatives: 0 }),
    row(
      `${op} of int32 that overflows`,
      [i([3, 4], [2147483647, -3, 65536, 65537, -2147483648, 5, 7])],
      ([x]) => reduce(op, x, [0]),
      { derivatives: 0 },
    ),
  ]),
  row('sum over nothing', [f([0, 3])], ([x]) => sum(x, [0])),
  row('prod over nothing', [f([0, 3])], ([x]) => reduce('prod', x, [0])),
  row('prod with one zero', [f([5], [2, 0, 3, -1, 0.5])], ([x]) => reduce('prod', x, [0])),
  row('prod with two zeros', [f([5], [2, 0, 3, 0, 0.5])], ([x]) => reduce('prod', x, [0])),
  row('prod of three axes', [f([2, 3, 2], [0.9, 1.1, -1.2, 0, 1.3])], ([x]) => reduce('prod', x, [0, 1, 2])),
];

/** All running results of real numbers, one after the other. */
const runningOf = (x: Node, axis: number): Node =>
  concat(
    (['mul', 'max', 'min', 'logaddexp'] as const).map((op) => running(op, x, axis)),
    0,
  );

const scanCases = (): OperatorCase[] => [
  ...(
    [
      [[5], 0],
      [[1], 0],
      [[0], 0],
      [[3, 17], 1],
      [[17, 3], 0],
      [[2, 3, 4], 1],
      [[2, 33], 1],
    ] as const
  ).flatMap(([shape, axis]) => [
    row(`cumsum [${shape.join()}] along ${axis}`, [f(shape)], ([x]) => square(cumsum(x, axis)), { tolerance: 1e-5 }),
    ...[false, true].map((descending) =>
      row(
        `argsort [${shape.join()}] along ${axis}${descending ? ' descending' : ''}`,
        [f(shape, 'spaced')],
        ([x]) => argsort(x, axis, descending),
        { derivatives: 0 },
      ),
    ),
  ]),
  // Along an axis that is not the last: vectors of columns, blocks of them, what is left, and parts of a long axis.
  ...(
    [
      [70, 3, 35],
      [2, 9, 150],
      [130, 67],
    ] as const
  ).map((shape) =>
    row(`cumsum [${shape.join()}] of columns`, [f(shape)], ([x]) => cumsum(x, shape.length - 2), {
      tolerance: 1e-5,
      derivatives: 0,
    }),
  ),
  row('running [3,67] along 1', [f([3, 67], 'unit')], ([x]) => runningOf(x, 1), { tolerance: 1e-5, derivatives: 0 }),
  row('running [67,35] along 0', [f([67, 35], 'unit')], ([x]) => runningOf(x, 0), { tolerance: 1e-5, derivatives: 0 }),
  row('running of what is not finite', [f([4, 5, 18], SPECIAL)], ([x]) => runningOf(x, 1), { derivatives: 0 }),
  row('running of ties', [f([19, 18], [2, 1, 2, 0, -1])], ([x]) => runningOf(x, 0), { derivatives: 0 }),
  ...(['mul', 'max', 'min'] as const).map((op) =>
    row(`running ${op} of int32`, [i([7, 17])], ([x]) => concat([running(op, x, 0), running(op, x, 1)], 0), {
      derivatives: 0,
    }),
  ),
  // Long enough to be sorted by digits, with what is not finite, both zeros and ties.
  ...[false, true].flatMap((descending) => [
    row(
      `argsort by digits${descending ? ' descending' : ''}`,
      [f([2, 700], [...SPECIAL, -0, 0.25, -2])],
      ([x]) => argsort(x, 1, descending),
      { derivatives: 0 },
    ),
    row(
      `argsort of int32 by digits${descending ? ' descending' : ''}`,
      [i([600], [5, -7, 0x7fffffff, 70000, -0x80000000, 0, -300])],
      ([x]) => argsort(x, 0, descending),
      { derivatives: 0 },
    ),
  ]),
  row('cumsum of int32', [i([2, 17])], ([x]) => cumsum(x, 1), { derivatives: 0 }),
  row('cumsum of a transposed view', [f([3, 5])], ([x]) => cumsum(permute(x, [1, 0]), 1), { tolerance: 1e-5 }),
  ...[false, true].flatMap((descending) => [
    row(
      `argsort with ties${descending ? ' descending' : ''}`,
      [f([33], [2, 1, 2, 0, 1])],
      ([x]) => argsort(x, 0, descending),
      { derivatives: 0 },
    ),
    row(
      `argsort with NaN${descending ? ' descending' : ''}`,
      [f([9], [2, NaN, -Infinity, Infinity, 0, NaN, -0, 1, 2])],
      ([x]) => argsort(x, 0, descending),
      { derivatives: 0 },
    ),
    row(`argsort of int32${descending ? ' descending' : ''}`, [i([3, 17])], ([x]) => argsort(x, 1, descending), {
      derivatives: 0,
    }),
  ]),
  row('sort by gather', [f([2, 7], 'spaced')], ([x]) => square(gather(x, 1, argsort(x, 1, false)))),
];

const MATMULS: readonly [Shape, Shape][] = [
  [
    [1, 1],
    [1, 1],
  ],
  [
    [2, 3],
    [3, 4],
  ],
  [
    [1, 17],
    [17, 3],
  ],
  [
    [17, 3],
    [3, 1],
  ],
  [
    [33, 17],
    [17, 33],
  ],
  [
    [5, 1],
    [1, 7],
  ],
  [
    [0, 3],
    [3, 2],
  ],
  [
    [2, 0],
    [0, 3],
  ],
  [
    [2, 3],
    [3, 0],
  ],
  [
    [2, 3, 4],
    [2, 4, 5],
  ],
  [
    [2, 3, 4],
    [4, 5],
  ],
  [
    [3, 4],
    [2, 4, 5],
  ],
  [
    [2, 1, 3, 4],
    [3, 4, 2],
  ],
  [
    [1, 2, 3],
    [4, 3, 2],
  ],
  [
    [2, 3, 4],
    [1, 4, 2],
  ],
  [
    [0, 2, 3],
    [3, 2],
  ],
  [
    [16, 64],
    [64, 48],
  ],
];

const matmulCases = (): OperatorCase[] => [
  ...MATMULS.map(([a, b]) =>
    row(`matmul [${a.join()}] [${b.join()}]`, [f(a), f(b)], ([x, y]) => matmul(x, y), { tolerance: 2e-5 }),
  ),
  row('matmul aᵀ b', [f([17, 5]), f([17, 3])], ([x, y]) => matmul(transposeLast(x), y), { tolerance: 2e-5 }),
  row('matmul a bᵀ', [f([5, 17]), f([3, 17])], ([x, y]) => matmul(x, transposeLast(y)), { tolerance: 2e-5 }),
  row('matmul aᵀ bᵀ', [f([17, 5]), f([3, 17])], ([x, y]) => matmul(transposeLast(x), transposeLast(y)), {
    tolerance: 2e-5,
  }),
  row('matmul a aᵀ', [f([3, 5])], ([x]) => matmul(x, transposeLast(x)), { tolerance: 2e-5 }),
  row('matmul batched a bᵀ', [f([2, 3, 5]), f([2, 4, 5])], ([x, y]) => matmul(x, transposeLast(y)), {
    tolerance: 2e-5,
  }),
  row(
    'matmul of heads',
    [f([2, 3, 2, 4]), f([2, 3, 2, 4])],
    ([x, y]) => matmul(permute(x, [0, 2, 1, 3]), permute(y, [0, 2, 3, 1])),
    { tolerance: 2e-5 },
  ),
  row(
    'matmul, bias, activation',
    [f([5, 17]), f([17, 3]), f([3])],
    ([x, w, c]) => unary('tanh', add(matmul(x, w), c)),
    { tolerance: 2e-5 },
  ),
  row(
    'matmul with NaN and infinity',
    [f([2, 3], [1, NaN, 0, 1, 2, 3]), f([3, 2], [1, Infinity, 2, 0, 1, 1])],
    ([x, y]) => matmul(x, y),
    { derivatives: 0 },
  ),
];

interface ConvRow {
  readonly name: string;
  readonly x: Shape;
  readonly w: Shape;
  readonly spec: Partial<ConvSpec>;
}

const CONVS: readonly ConvRow[] = [
  { name: '1d', x: [2, 3, 7], w: [4, 3, 3], spec: {} },
  { name: '1d stride 2 padded', x: [1, 2, 8], w: [3, 2, 3], spec: { stride: [2], lo: [1], hi: [1] } },
  { name: '1d causal dilated', x: [2, 2, 9], w: [2, 2, 2], spec: { dilation: [3], lo: [3] } },
  { name: '1d groups', x: [2, 4, 5], w: [6, 2, 3], spec: { groups: 2 } },
  { name: '2d', x: [2, 3, 5, 4], w: [2, 3, 3, 3], spec: {} },
  { name: '2d 1x1', x: [2, 3, 3, 3], w: [4, 3, 1, 1], spec: {} },
  { name: '2d same padding', x: [2, 2, 4, 4], w: [3, 2, 3, 3], spec: { lo: [1, 1], hi: [1, 1] } },
  { name: '2d stride 2', x: [1, 2, 6, 7], w: [2, 2, 3, 3], spec: { stride: [2, 2], lo: [1, 1], hi: [1, 1] } },
  { name: '2d stride 2 that leaves rows', x: [1, 2, 6, 8], w: [2, 2, 3, 3], spec: { stride: [2, 2] } },
  { name: '2d dilation', x: [1, 2, 7, 7], w: [2, 2, 3, 3], spec: { dilation: [2, 2], lo: [2, 2], hi: [2, 2] } },
  { name: '2d asymmetric', x: [1, 2, 5, 5], w: [2, 2, 2, 3], spec: { stride: [1, 2], lo: [1, 0], hi: [0, 2] } },
  { name: '2d negative hi', x: [1, 2, 6, 6], w: [2, 2, 2, 2], spec: { stride: [2, 2], hi: [-1, 0] } },
  { name: '2d groups', x: [2, 4, 4, 4], w: [4, 2, 3, 3], spec: { groups: 2, lo: [1, 1], hi: [1, 1] } },
  { name: '2d depth-wise', x: [2, 3, 5, 5], w: [3, 1, 3, 3], spec: { groups: 3, lo: [1, 1], hi: [1, 1] } },
  {
    name: '2d depth-wise multiplier',
    x: [1, 3, 4, 4],
    w: [6, 1, 3, 3],
    spec: { groups: 3, stride: [2, 2], lo: [1, 1], hi: [1, 1] },
  },
  // Vectors of four, and of sixteen, of which only the first lies within one image.
  {
    name: '2d depth-wise stride 2, narrow images',
    x: [2, 3, 5, 5],
    w: [3, 1, 3, 3],
    spec: { groups: 3, stride: [2, 2], lo: [1, 1], hi: [1, 1] },
  },
  {
    name: '2d depth-wise stride 2, wide images',
    x: [2, 2, 9, 12],
    w: [2, 1, 3, 3],
    spec: { groups: 2, stride: [2, 2], lo: [1, 1], hi: [1, 1] },
  },
  // Vectors of four, and of sixteen, whose last element lies in the padding.
  {
    name: '2d stride 2, vectors that end in the padding',
    x: [1, 3, 5, 24],
    w: [5, 3, 1, 2],
    spec: { stride: [2, 2], lo: [2, 1], hi: [2, 0] },
  },
  {
    name: '2d stride 2, wide vectors that end in the padding',
    x: [1, 3, 5, 96],
    w: [5, 3, 1, 2],
    spec: { stride: [2, 2], lo: [2, 1], hi: [2, 0] },
  },
  { name: '2d wide', x: [2, 17, 9, 9], w: [33, 17, 3, 3], spec: { lo: [1, 1], hi: [1, 1] } },
  { name: '2d rows that end within vectors', x: [1, 9, 14, 14], w: [13, 9, 3, 3], spec: { lo: [1, 1], hi: [1, 1] } },
  { name: '2d images that end within vectors', x: [3, 4, 7, 7], w: [5, 4, 3, 3], spec: { lo: [1, 1], hi: [1, 1] } },
  { name: '2d rows far beyond a buffer', x: [1, 1, 3, 300], w: [2, 1, 3, 3], spec: { lo: [1, 1], hi: [1, 1] } },
  { name: '2d one window', x: [3, 4, 5, 5], w: [6, 4, 5, 5], spec: {} },
  { name: '2d one window, groups', x: [3, 4, 5, 4], w: [6, 2, 5, 4], spec: { groups: 2 } },
  { name: '3d', x: [1, 2, 3, 4, 3], w: [2, 2, 2, 2, 2], spec: { lo: [0, 1, 0], hi: [0, 0, 1], stride: [1, 2, 1] } },
  { name: 'empty batch', x: [0, 2, 4], w: [3, 2, 3], spec: {} },
];

function convCases(): OperatorCase[] {
  return CONVS.flatMap(({ name, x, w, spec: given }) => {
    const [sizes, kernel] = [x.slice(2), w.slice(2)];
    const fill = (value: number): number[] => sizes.map(() => value);
    const spec: ConvSpec = { stride: fill(1), dilation: fill(1), lo: fill(0), hi: fill(0), groups: 1, ...given };
    const out = sizes.map(
      (n, d) =>
        Math.floor((n + (spec.lo[d] + spec.hi[d]) - spec.dilation[d] * (kernel[d] - 1) - 1) / spec.stride[d]) + 1,
    );
    const y = [x[0], w[0], ...out];
    return [
      row(`conv ${name}`, [f(x), f(w)], ([u, v]) => conv(u, v, spec), { tolerance: 2e-5 }),
      row(`convInput ${name}`, [f(y), f(w)], ([u, v]) => convInput(u, v, spec, sizes), { tolerance: 2e-5 }),
      row(`convWeight ${name}`, [f(x), f(y)], ([u, v]) => convWeight(u, v, spec, kernel), { tolerance: 2e-5 }),
    ];
  });
}

const lit = (value: number): Node => constant(value) as Node;

function softmax(x: Node): Node {
  const e = unary('exp', sub(x, reduce('reduceMax', x, [1])));
  return div(e, sum(e, [1]));
}

function logSoftmax(x: Node): Node {
  const shifted = sub(x, reduce('reduceMax', x, [1]));
  return sub(shifted, unary('log', sum(unary('exp', shifted), [1])));
}

function layerNorm(x: Node): Node {
  const centred = sub(x, mul(sum(x, [1]), lit(1 / x.shape[1])));
  const variance = mul(sum(square(centred), [1]), lit(1 / x.shape[1]));
  return div(centred, unary('sqrt', add(variance, lit(1e-5))));
}

function gelu(x: Node): Node {
  return mul(mul(x, lit(0.5)), add(lit(1), unary('erf', mul(x, lit(Math.SQRT1_2)))));
}

const SHORT_ROWS: readonly Shape[] = [
  [4, 2],
  [17, 3],
  [4, 1, 2],
  [2, 9, 4],
];

const composedCases = (): OperatorCase[] => [
  row('softmax', [f([3, 17])], ([x]) => softmax(x), { tolerance: 1e-5 }),
  row('log softmax', [f([3, 17])], ([x]) => logSoftmax(x), { tolerance: 1e-5 }),
  row(
    'cross entropy',
    [f([3, 5]), i([3, 1], { below: 5 })],
    ([x, at]) => neg(sum(gather(logSoftmax(x), 1, at), [0, 1])),
    { tolerance: 1e-5 },
  ),
  // Rows shorter than a vector are reduced a lane each, and the gather finds its positions in a vector.
  ...SHORT_ROWS.map((shape) =>
    row(`largest of rows ${shape.join('×')}`, [f(shape, 'spaced')], ([x]) =>
      square(extreme('reduceMax', 'max', x, -1, false).values),
    ),
  ),
  row('layer norm', [f([3, 17])], ([x]) => layerNorm(x), { tolerance: 1e-4 }),
  row('gelu', [f([33])], ([x]) => gelu(x)),
  row('embedding', [f([5, 3]), i([4], { below: 5 })], ([x, at]) =>
    square(gather(x, 0, expand(reshape(at, [4, 1]), [4, 3]))),
  ),
  row('attention', [f([3, 4]), f([5, 4]), f([5, 2])], ([q, k, v]) => matmul(softmax(matmul(q, transposeLast(k))), v), {
    tolerance: 1e-5,
  }),
  row('residual block', [f([3, 5]), f([5, 5])], ([x, w]) => add(x, gelu(matmul(layerNorm(x), w))), { tolerance: 1e-4 }),
  row('gated halves', [f([3, 4]), f([3, 2])], ([x, y]) => mul(concat([unary('sigmoid', y), unary('tanh', y)], 1), x)),
  row('hypot by max', [f([7], 'positive'), f([7], 'unit')], ([x, y]) =>
    unary('sqrt', binary('max', add(square(x), square(y)), lit(1e-3))),
  ),
];

export const kernelCases = (): OperatorCase[] => [
  ...reductionCases(),
  ...scanCases(),
  ...matmulCases(),
  ...convCases(),
  ...composedCases(),
];
