// Rows for maps: unary, binary, where, cast, and leaves. Sizes 0, 1, 3, 17, 33; broadcast and transposed operands;
// special values (zeros, infinities, NaN) forward only.

import {
  binary,
  bitcast,
  cast,
  constant,
  custom,
  detach,
  expand,
  filled,
  iota,
  mul,
  permute,
  random,
  reshape,
  scalar,
  unary,
  where,
} from '../../src/engine/ir/build.js';
import type { Node } from '../../src/engine/ir/node.js';
import type { BinaryOp, UnaryOp } from '../../src/engine/ir/op.js';
import type { Shape } from '../../src/engine/ir/shape.js';
import { type Domain, type Input, type OperatorCase, b, f, i, row } from './case.js';

export const SPECIAL = [
  0,
  -0,
  1,
  -1,
  NaN,
  Infinity,
  -Infinity,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  1e-30,
  88,
  -88,
  100,
  -100,
  3,
];
export const SPECIAL_INT = [0, 1, -1, 3, -3, 7, -7, 2147483647, -2147483648, 65536];

const SHAPES: readonly Shape[] = [[], [1], [0], [3], [17], [33], [2, 3], [3, 17], [3, 0], [2, 3, 5]];

const transposed = (x: Node): Node =>
  permute(
    x,
    x.shape.map((_, axis) => x.shape.length - 1 - axis),
  );

/** Domain, tolerance and orders of derivative of each unary operator on floats. */
const UNARY: Partial<Record<UnaryOp, [Domain, number?]>> = {
  neg: ['normal'],
  recip: ['positive'],
  exp: ['normal'],
  expm1: ['normal'],
  log: ['positive'],
  log1p: ['unit', 4e-6],
  log2: ['positive'],
  log10: ['positive'],
  sqrt: ['positive'],
  sin: ['normal'],
  cos: ['normal'],
  tan: ['unit'],
  sinh: ['normal'],
  cosh: ['normal'],
  tanh: ['normal'],
  asin: ['unit', 4e-6],
  acos: ['unit', 4e-6],
  atan: ['normal'],
  erf: ['normal'],
  sigmoid: ['normal'],
  relu: ['spaced'],
  abs: ['spaced'],
  sign: ['spaced'],
  floor: ['spaced'],
  ceil: ['spaced'],
  round: ['spaced'],
  trunc: ['spaced'],
};

function unaryCases(): OperatorCase[] {
  return Object.entries(UNARY).flatMap(([name, [domain, tolerance]]) => {
    const op = name as UnaryOp;
    const build = ([x]: readonly Node[]): Node => unary(op, x);
    return [
      ...SHAPES.map((shape) => row(`${op} [${shape.join()}]`, [f(shape, domain)], build, { tolerance })),
      row(`${op} of a transposed view`, [f([3, 5], domain)], ([x]) => unary(op, transposed(x)), { tolerance }),
      row(`${op} of special values`, [f([SPECIAL.length], SPECIAL)], build, { derivatives: 0, tolerance }),
    ];
  });
}

const INT_UNARY: readonly UnaryOp[] = ['neg', 'relu', 'abs', 'sign', 'not'];

const integerUnaryCases = (): OperatorCase[] => [
  ...INT_UNARY.flatMap((op) => [
    row(`${op} of int32`, [i([33])], ([x]) => unary(op, x), { derivatives: 0 }),
    row(`${op} of special int32`, [i([10], SPECIAL_INT)], ([x]) => unary(op, x), { derivatives: 0 }),
  ]),
  row('not of bool', [b([17])], ([x]) => unary('not', x), { derivatives: 0 }),
];

/** Shapes of both operands. */
const PAIRS: readonly [Shape, Shape][] = [
  [[], []],
  [[1], [1]],
  [[0], [0]],
  [[17], [17]],
  [
    [2, 3],
    [2, 3],
  ],
  [[3, 5], []],
  [[], [3]],
  [[3, 5], [5]],
  [
    [3, 1],
    [1, 5],
  ],
  [
    [2, 1, 3],
    [4, 1],
  ],
  [
    [1, 3],
    [0, 3],
  ],
  [
    [33, 1],
    [33, 17],
  ],
];

const FLOAT_BINARY: Partial<Record<BinaryOp, [Domain, Domain, number?]>> = {
  add: ['normal', 'normal'],
  sub: ['normal', 'normal'],
  mul: ['normal', 'normal'],
  div: ['normal', 'positive'],
  pow: ['positive', 'normal', 2e-5],
};

function binaryCases(): OperatorCase[] {
  const grid = SPECIAL.flatMap((x) => SPECIAL.map((y) => [x, y]));
  const left = f(
    [grid.length],
    grid.map(([x]) => x),
  );
  const right = f(
    [grid.length],
    grid.map(([, y]) => y),
  );
  const floats = Object.entries(FLOAT_BINARY).flatMap(([name, [x, y, tolerance]]) => {
    const op = name as BinaryOp;
    return [
      ...PAIRS.map(([p, q]) =>
        row(`${op} [${p.join()}] [${q.join()}]`, [f(p, x), f(q, y)], ([u, v]) => binary(op, u, v), { tolerance }),
      ),
      row(`${op} with a transposed view`, [f([3, 5], x), f([5, 3], y)], ([u, v]) => binary(op, u, transposed(v)), {
        tolerance,
      }),
      row(`${op} of one operand twice`, [f([7], 'positive')], ([u]) => binary(op, u, u), { tolerance }),
    ];
  });
  const special = (
    ['add', 'sub', 'mul', 'div', 'pow', 'mod', 'idiv', 'max', 'min', 'eq', 'ne', 'lt', 'le'] as const
  ).map((op) =>
    row(`${op} of special values`, [left, right], ([u, v]) => binary(op, u, v), { derivatives: 0, tolerance: 2e-5 }),
  );
  const kinked = (['max', 'min', 'mod'] as const).flatMap((op) =>
    PAIRS.map(([p, q]) => {
      const divisor: Domain = op === 'mod' ? [0.7, -1.1, 2.3] : [0.1, 1.05, -0.4];
      return row(`${op} [${p.join()}] [${q.join()}]`, [f(p, 'spaced'), f(q, divisor)], ([u, v]) => binary(op, u, v), {
        tolerance: 1e-5,
      });
    }),
  );
  const comparisons = (['eq', 'ne', 'lt', 'le'] as const).flatMap((op) => [
    ...PAIRS.map(([p, q]) =>
      row(`${op} [${p.join()}] [${q.join()}]`, [f(p, [1, 2, 3]), f(q, [3, 2])], ([u, v]) => binary(op, u, v), {
        derivatives: 0,
      }),
    ),
    row(`${op} of int32`, [i([10], SPECIAL_INT), i([7, 1], SPECIAL_INT)], ([u, v]) => binary(op, u, v), {
      derivatives: 0,
    }),
    row(`${op} of bool`, [b([17]), b([17])], ([u, v]) => binary(op, u, v), { derivatives: 0 }),
  ]);
  return [...floats, ...special, ...kinked, ...comparisons];
}

function integerBinaryCases(): OperatorCase[] {
  const arithmetic = (['add', 'sub', 'mul', 'mod', 'idiv', 'max', 'min', 'and', 'or', 'xor'] as const).flatMap((op) => [
    row(`${op} of special int32`, [i([10], SPECIAL_INT), i([10, 1], SPECIAL_INT)], ([u, v]) => binary(op, u, v), {
      derivatives: 0,
    }),
    row(`${op} of int32 [3,17] [17]`, [i([3, 17]), i([17])], ([u, v]) => binary(op, u, v), { derivatives: 0 }),
  ]);
  const shifts = (['shl', 'shr'] as const).map((op) =>
    row(`${op} of int32`, [i([10], SPECIAL_INT), i([5, 1], [0, 1, 7, 16, 31])], ([u, v]) => binary(op, u, v), {
      derivatives: 0,
    }),
  );
  const logic = (['and', 'or', 'xor', 'max', 'min'] as const).map((op) =>
    row(`${op} of bool`, [b([33]), b([3, 1])], ([u, v]) => binary(op, u, v), { derivatives: 0 }),
  );
  return [...arithmetic, ...shifts, ...logic];
}

const whereInputs = (c: Shape, x: Shape, y: Shape): Input[] => [b(c), f(x), f(y)];

const otherCases = (): OperatorCase[] => [
  ...(
    [
      [
        [3, 5],
        [3, 5],
        [3, 5],
      ],
      [[3, 1], [5], [3, 5]],
      [[17], [], []],
      [[0], [0], [1]],
      [[5], [3, 1], [1]],
    ] as const
  ).map(([c, x, y]) =>
    row(`where [${c.join()}] [${x.join()}] [${y.join()}]`, whereInputs(c, x, y), ([k, u, v]) => where(k, u, v)),
  ),
  row('where of int32', [b([17]), i([17]), i([1])], ([k, u, v]) => where(k, u, v), { derivatives: 0 }),
  row('where hides NaN', [f([9], [1, NaN, -1])], ([x]) => where(binary('eq', x, x), x, filled(0, [], 'float32')), {
    derivatives: 0,
  }),
  row('cast float32 to int32', [f([33], 'spaced')], ([x]) => cast(x, 'int32'), { derivatives: 0 }),
  row('cast special values to int32', [f([22], [...SPECIAL, 3e9, -3e9, 2147483648, 1e30])], ([x]) => cast(x, 'int32'), {
    derivatives: 0,
  }),
  row('cast special values to bool', [f([18], SPECIAL)], ([x]) => cast(x, 'bool'), { derivatives: 0 }),
  row('cast int32 to float32', [i([17])], ([x]) => cast(x, 'float32'), { derivatives: 0 }),
  row('cast int32 to bool', [i([17])], ([x]) => cast(x, 'bool'), { derivatives: 0 }),
  row('cast bool to float32', [b([17])], ([x]) => cast(x, 'float32'), { derivatives: 0 }),
  row('cast bool to int32', [b([17])], ([x]) => cast(x, 'int32'), { derivatives: 0 }),
  row('cast of a constant saturates', [], () => cast(constant(Infinity) as Node, 'int32'), { derivatives: 0 }),
  row(
    'bitcast to int32',
    [
      f(
        [18],
        SPECIAL.filter((x) => !Number.isNaN(x)),
      ),
    ],
    ([x]) => bitcast(x, 'int32'),
    { derivatives: 0 },
  ),
  row('bitcast to float32', [i([3], [1065353216, -1082130432, 2139095040])], ([x]) => bitcast(x, 'float32'), {
    derivatives: 0,
  }),
  row('iota', [], () => iota(33), { derivatives: 0 }),
  row('iota of nothing', [], () => iota(0), { derivatives: 0 }),
  row('constant, broadcast', [], () => expand(constant(0.25) as Node, [3, 5]), { derivatives: 0 }),
  row('scalar as factor', [f([17])], ([x]) => mul(x, scalar(0.3))),
  row('random', [i([], [42]), i([], [-7])], ([seed, offset]) => random(seed, offset, [3, 17]), { derivatives: 0 }),
  row('random of one', [i([], [0]), i([], [0])], ([seed, offset]) => random(seed, offset, []), { derivatives: 0 }),
  row('detach', [f([5])], ([x]) => mul(x, detach(x)), { derivatives: 0 }),
  row('custom square', [f([5])], ([x]) => customSquare(x)),
  row('a chain of maps', [f([17]), f([3, 1])], ([x, y]) =>
    unary('tanh', mul(unary('sigmoid', x), unary('sin', reshape(y, [3, 1])))),
  ),
];

/** x² with a derivative of its own. */
function customSquare(x: Node): Node {
  const backward = (g: unknown): Node[] => [mul(g as Node, mul(constant(2) as Node, x))];
  return custom(mul(x, x), [x], { name: 'square', backward });
}

export const mapCases = (): OperatorCase[] => [
  ...unaryCases(),
  ...integerUnaryCases(),
  ...binaryCases(),
  ...integerBinaryCases(),
  ...otherCases(),
];
