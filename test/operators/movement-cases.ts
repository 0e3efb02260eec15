// Rows for movement: reshape, permute, expand, pad, slice, concat, window and fold, gather and scatterAdd.
// Each is linear, so the gradient is exact; products with another movement keep second derivatives from being zero.

import {
  concat,
  expand,
  flip,
  fold,
  gather,
  mul,
  pad,
  permute,
  reshape,
  scatterAdd,
  scatterCombine,
  slice,
  sliceAxis,
  unary,
  window,
} from '../../src/engine/ir/build.js';
import type { Node } from '../../src/engine/ir/node.js';
import type { WindowSpec } from '../../src/engine/ir/op.js';
import type { Shape } from '../../src/engine/ir/shape.js';
import { type OperatorCase, b, f, i, row } from './case.js';

const square = (x: Node): Node => mul(x, x);

const reshapes: readonly [Shape, Shape][] = [
  [[6], [2, 3]],
  [[2, 3], [6]],
  [
    [2, 3, 5],
    [3, 10],
  ],
  [[1], []],
  [[], [1, 1]],
  [
    [0, 3],
    [5, 0],
  ],
  [
    [3, 1, 5],
    [3, 5],
  ],
  [[33], [3, 11]],
];
const permutes: readonly [Shape, readonly number[]][] = [
  [
    [2, 3],
    [1, 0],
  ],
  [
    [2, 3, 5],
    [2, 0, 1],
  ],
  [
    [2, 3, 5],
    [0, 2, 1],
  ],
  [
    [17, 33],
    [1, 0],
  ],
  [
    [1, 3, 1, 2],
    [3, 2, 1, 0],
  ],
  [
    [0, 3],
    [1, 0],
  ],
];
const expands: readonly [Shape, Shape][] = [
  [[], [5]],
  [[1], [0]],
  [
    [3, 1],
    [3, 5],
  ],
  [[3], [2, 3]],
  [
    [1, 3, 1],
    [2, 2, 3, 5],
  ],
  [
    [17, 1],
    [17, 33],
  ],
];
const pads: readonly [Shape, readonly number[], readonly number[]][] = [
  [[3], [1], [2]],
  [
    [2, 3],
    [0, 2],
    [1, 0],
  ],
  [[0], [2], [1]],
  [
    [2, 3, 3],
    [0, 1, 1],
    [0, 1, 1],
  ],
  [
    [17, 33],
    [3, 0],
    [0, 5],
  ],
];
const slices: readonly [Shape, readonly number[], readonly number[], readonly number[]][] = [
  [[7], [1], [3], [1]],
  [[7], [0], [4], [2]],
  [[7], [6], [7], [-1]],
  [[7], [5], [2], [-3]],
  [[7], [6], [1], [5]],
  [[7], [3], [0], [1]],
  [
    [4, 6],
    [1, 5],
    [2, 3],
    [2, -2],
  ],
  [
    [4, 6],
    [3, 0],
    [4, 6],
    [-1, 1],
  ],
  [
    [17, 33],
    [1, 2],
    [8, 10],
    [2, 3],
  ],
  [
    [3, 1],
    [0, 0],
    [3, 1],
    [1, -1],
  ],
  [[9], [7], [3], [-2]],
  [
    [2, 10, 3],
    [0, 1, 1],
    [2, 3, 2],
    [1, 4, 1],
  ],
];

const simpleCases = (): OperatorCase[] => [
  ...reshapes.map(([from, to]) =>
    row(`reshape [${from.join()}] to [${to.join()}]`, [f(from)], ([x]) => square(reshape(x, to))),
  ),
  row('reshape of a transposed view', [f([3, 5])], ([x]) => reshape(permute(x, [1, 0]), [3, 5])),
  ...permutes.map(([shape, axes]) =>
    row(`permute [${shape.join()}] by ${axes.join()}`, [f(shape)], ([x]) => square(permute(x, axes))),
  ),
  row('permute of int32', [i([3, 5])], ([x]) => permute(x, [1, 0]), { derivatives: 0 }),
  ...expands.map(([from, to]) =>
    row(`expand [${from.join()}] to [${to.join()}]`, [f(from)], ([x]) => square(expand(x, to))),
  ),
  ...pads.map(([shape, lo, hi]) =>
    row(`pad [${shape.join()}] by ${lo.join()} and ${hi.join()}`, [f(shape)], ([x]) => square(pad(x, lo, hi))),
  ),
  row('pad of bool', [b([3])], ([x]) => pad(x, [1], [1]), { derivatives: 0 }),
  row('pad of a map', [f([3])], ([x]) => pad(unary('cos', x), [1], [1])),
  ...slices.map(([shape, start, size, step]) =>
    row(`slice [${shape.join()}] from ${start.join()} size ${size.join()} step ${step.join()}`, [f(shape)], ([x]) =>
      square(slice(x, start, size, step)),
    ),
  ),
  row('flip', [f([3, 5]), f([3, 5])], ([x, y]) => mul(flip(x, [0, 1]), y)),
  row('slice of a pad', [f([5])], ([x]) => square(sliceAxis(pad(x, [2], [2]), 0, 1, 6))),
];

const concatCases = (): OperatorCase[] => [
  row('concat of vectors', [f([3]), f([1]), f([17])], (parts) => square(concat(parts, 0))),
  row('concat along axis 1', [f([2, 3]), f([2, 5])], (parts) => square(concat(parts, 1))),
  row('concat with an empty part', [f([0, 3]), f([2, 3]), f([0, 3])], (parts) => square(concat(parts, 0))),
  row('concat of one tensor twice', [f([2, 3])], ([x]) => square(concat([x, x], 1))),
  row('concat of transposed views', [f([3, 2]), f([3, 4])], ([x, y]) =>
    concat([permute(x, [1, 0]), permute(y, [1, 0])], 0),
  ),
  row('concat of int32', [i([3]), i([5])], (parts) => concat(parts, 0), { derivatives: 0 }),
  row('concat of maps', [f([3]), f([5])], ([x, y]) => concat([unary('exp', x), unary('tanh', y)], 0)),
];

interface WindowRow {
  readonly name: string;
  readonly shape: Shape;
  readonly spec: WindowSpec;
}

const windows: readonly WindowRow[] = [
  { name: '1d', shape: [7], spec: { size: [3], stride: [1], dilation: [1], lo: [0], hi: [0] } },
  { name: '1d stride 2 padded', shape: [2, 7], spec: { size: [3], stride: [2], dilation: [1], lo: [1], hi: [1] } },
  { name: '1d dilated', shape: [2, 9], spec: { size: [3], stride: [1], dilation: [2], lo: [2], hi: [1] } },
  {
    name: '1d stride beyond the kernel',
    shape: [10],
    spec: { size: [2], stride: [4], dilation: [1], lo: [0], hi: [0] },
  },
  { name: '2d', shape: [2, 4, 5], spec: { size: [2, 3], stride: [1, 1], dilation: [1, 1], lo: [0, 0], hi: [0, 0] } },
  {
    name: '2d pooling',
    shape: [2, 3, 6, 6],
    spec: { size: [2, 2], stride: [2, 2], dilation: [1, 1], lo: [0, 0], hi: [0, 0] },
  },
  {
    name: '2d asymmetric',
    shape: [1, 5, 6],
    spec: { size: [3, 2], stride: [2, 1], dilation: [1, 2], lo: [2, 0], hi: [0, 1] },
  },
  {
    name: '2d negative hi',
    shape: [6, 7],
    spec: { size: [2, 2], stride: [2, 2], dilation: [1, 1], lo: [0, 0], hi: [0, -1] },
  },
  {
    name: '3d',
    shape: [3, 4, 3],
    spec: { size: [2, 2, 2], stride: [1, 2, 1], dilation: [1, 1, 1], lo: [0, 0, 1], hi: [0, 0, 0] },
  },
  { name: 'empty batch', shape: [0, 4], spec: { size: [2], stride: [1], dilation: [1], lo: [0], hi: [0] } },
];

const windowCases = (): OperatorCase[] =>
  windows.flatMap(({ name, shape, spec }) => {
    const output = shape.slice(shape.length - spec.size.length);
    const lead = shape.slice(0, shape.length - spec.size.length);
    const counts = spec.size.map(
      (k, d) => Math.floor((output[d] + spec.lo[d] + spec.hi[d] - spec.dilation[d] * (k - 1) - 1) / spec.stride[d]) + 1,
    );
    return [
      row(`window ${name}`, [f(shape)], ([x]) => square(window(x, spec))),
      row(`fold ${name}`, [f([...lead, ...counts, ...spec.size])], ([x]) => square(fold(x, spec, output))),
    ];
  });

const gathers: readonly [string, Shape, number, Shape][] = [
  ['vector', [5], 0, [3]],
  ['vector, one index', [5], 0, [1]],
  ['more indices than elements', [3], 0, [17]],
  ['along axis 0', [5, 3], 0, [4, 3]],
  ['along axis 1', [3, 5], 1, [3, 2]],
  ['one index per row', [3, 17], 1, [3, 1]],
  ['index smaller elsewhere', [5, 4], 0, [2, 3]],
  ['one index, smaller elsewhere', [5, 4], 0, [1, 3]],
  ['no index', [5, 3], 0, [0, 3]],
  ['rank 3', [2, 5, 3], 1, [2, 7, 3]],
];

const indexedCases = (): OperatorCase[] =>
  gathers.flatMap(([name, shape, axis, index]) => [
    row(`gather ${name}`, [f(shape), i(index, { below: shape[axis] })], ([x, at]) => square(gather(x, axis, at))),
    row(`scatterAdd ${name}`, [f(shape), i(index, { below: shape[axis] }), f(index)], ([x, at, y]) =>
      square(scatterAdd(x, axis, at, y)),
    ),
  ]);

const integerCases = (): OperatorCase[] => [
  row('gather of int32', [i([5]), i([3], { below: 5 })], ([x, at]) => gather(x, 0, at), { derivatives: 0 }),
  ...(['max', 'min', 'mul', 'set'] as const).flatMap((combine) => [
    row(
      `scatter with ${combine}`,
      [f([5, 9]), i([12, 9], { below: 5 }), f([12, 9])],
      ([x, at, y]) => scatterCombine(combine, x, 0, at, y),
      { derivatives: 0 },
    ),
    row(
      `scatter along the last axis with ${combine}, of int32`,
      [i([3, 7]), i([3, 40], { below: 7 }), i([3, 40])],
      ([x, at, y]) => scatterCombine(combine, x, 1, at, y),
      { derivatives: 0 },
    ),
    row(
      `scatter of many with ${combine}`,
      [f([3]), i([6000], { below: 3 }), f([6000], [1, -1, 0.5, 2, -2])],
      ([x, at, y]) => scatterCombine(combine, x, 0, at, y),
      { derivatives: 0 },
    ),
  ]),
  row('scatterAdd of int32', [i([5]), i([17], { below: 5 }), i([17])], ([x, at, y]) => scatterAdd(x, 0, at, y), {
    derivatives: 0,
  }),
  row('gather of NaN', [f([3], [NaN, 1, Infinity]), i([3], [2, 0, 1])], ([x, at]) => gather(x, 0, at), {
    derivatives: 0,
  }),
  row('gather from a transposed view', [f([3, 5]), i([2, 3], { below: 5 })], ([x, at]) =>
    square(gather(permute(x, [1, 0]), 0, at)),
  ),
];

export const movementCases = (): OperatorCase[] => [
  ...simpleCases(),
  ...concatCases(),
  ...windowCases(),
  ...indexedCases(),
  ...integerCases(),
];
