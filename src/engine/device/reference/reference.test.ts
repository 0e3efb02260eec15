// Values of the reference device that are known from elsewhere: published test vectors, C and PyTorch semantics,
// NumPy results computed by hand. What the other devices are compared with must itself be right.
import { describe, expect, test } from 'vitest';
import { cases, makeData, makeLeaves } from '../../../../test/operators/cases.js';
import { evaluateOn, prepare } from '../../../../test/operators/run.js';
import {
  argsort,
  binary,
  cast,
  constant,
  conv,
  convInput,
  cumsum,
  gather,
  iota,
  leaf,
  matmul,
  random,
  reduce,
  reshape,
  scatterAdd,
  unary,
  where,
  window,
} from '../../ir/build.js';
import { IndexError, InternalError } from '../../ir/errors.js';
import type { Node } from '../../ir/node.js';
import { COMPILER_OPS, OP_CLASS } from '../../ir/op.js';
import { topologicalOrder } from '../../ir/node.js';
import { createStorage } from '../../ir/storage.js';
import { ReferenceDevice } from './device.js';
import { erf, threefry2x32 } from './special.js';

const device = new ReferenceDevice();

/** The numbers of build(inputs), inputs being lists of float32 or int32. */
async function value(
  inputs: readonly (readonly number[])[],
  build: (x: Node[]) => Node,
  dtype: 'float32' | 'int32' = 'float32',
): Promise<number[]> {
  const leaves = makeLeaves(
    inputs.map((x) => ({ shape: [x.length], dtype, domain: 'normal' })),
    'reference',
  );
  const [result] = await evaluateOn(device, [build(leaves)], leaves, inputs);
  return Array.from(result);
}

test('every operator has a row', () => {
  const used = new Set(
    cases.flatMap((row) => topologicalOrder([row.build(makeLeaves(row.inputs, 'reference'))])).map((node) => node.op),
  );
  const made: readonly string[] = COMPILER_OPS;
  expect(Object.keys(OP_CLASS).filter((op) => !used.has(op as never) && !made.includes(op))).toEqual([]);
});

test.each(cases.map((row) => [row.name, row] as const))('runs: %s', async (_, row) => {
  const leaves = makeLeaves(row.inputs, 'reference');
  const node = row.build(leaves);
  const [result] = await evaluateOn(device, [node], leaves, makeData(row));
  expect(result.length).toBe(node.size);
});

describe('special functions', () => {
  // To 16 digits, from tables (DLMF 7.23, Abramowitz and Stegun 7.1).
  test.each([
    [0, 0],
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [1.5, 0.9661051464753108],
    [2, 0.9953222650189527],
    [2.5, 0.999593047982555],
    [3, 0.9999779095030014],
    [4, 0.9999999845827421],
    [7, 1],
    [Infinity, 1],
  ])('erf %f', (x, expected) => {
    expect(Math.abs(erf(x) - expected)).toBeLessThan(5e-16);
    expect(erf(-x)).toBe(-erf(x));
  });

  test('erf of NaN and tiny numbers', () => {
    expect(erf(NaN)).toBeNaN();
    expect(erf(1e-300)).toBeCloseTo((1e-300 * 2) / Math.sqrt(Math.PI), 310);
  });

  test('threefry2x32, 20 rounds: vectors of Random123', () => {
    const hex = (x: number): string => (x >>> 0).toString(16).padStart(8, '0');
    expect(hex(threefry2x32(0, 0, 0, 0))).toBe('6b200159');
    expect(hex(threefry2x32(-1, -1, -1, -1))).toBe('1cb996fc');
    expect(hex(threefry2x32(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3))).toBe('c4923a9c');
  });
});

describe('maps', () => {
  test('round goes half to even', async () => {
    expect(await value([[0.5, 1.5, 2.5, -0.5, -1.5, 0.49999999999999994, 2.7]], ([x]) => unary('round', x))).toEqual([
      0, 2, 2, -0, -2, 0, 3,
    ]);
  });

  test('mod has the sign of the divisor', async () => {
    const build = ([a, b]: Node[]): Node => binary('mod', a, b);
    expect(
      await value(
        [
          [5, -5, 5, -5, 5.5, 1],
          [3, 3, -3, -3, -2, 0],
        ],
        build,
      ),
    ).toEqual([2, 1, -1, -2, -0.5, NaN]);
    expect(
      await value(
        [
          [5, -5, 5, -5, 7, -2147483648],
          [3, 3, -3, -3, 0, -1],
        ],
        build,
        'int32',
      ),
    ).toEqual([2, 1, -1, -2, 0, 0]);
  });

  test('idiv floors, and gives 0 for a divisor of 0', async () => {
    const build = ([a, b]: Node[]): Node => binary('idiv', a, b);
    expect(
      await value(
        [
          [7, -7, 7, -7, 7, -2147483648],
          [2, 2, -2, -2, 0, -1],
        ],
        build,
        'int32',
      ),
    ).toEqual([3, -4, -4, 3, 0, -2147483648]);
  });

  test('int32 wraps', async () => {
    const [max, min] = [2147483647, -2147483648];
    expect(
      await value(
        [
          [max, min],
          [1, -1],
        ],
        ([a, b]) => binary('add', a, b),
        'int32',
      ),
    ).toEqual([min, max]);
    expect(
      await value(
        [
          [65537, max],
          [65537, max],
        ],
        ([a, b]) => binary('mul', a, b),
        'int32',
      ),
    ).toEqual([131073, 1]);
    expect(await value([[min]], ([a]) => unary('abs', a), 'int32')).toEqual([min]);
  });

  test('shifts take the count modulo 32; zeros come in on both sides', async () => {
    expect(
      await value(
        [
          [-1, -1, 1],
          [28, 32, 31],
        ],
        ([a, b]) => binary('shr', a, b),
        'int32',
      ),
    ).toEqual([15, -1, 0]);
    expect(
      await value(
        [
          [-1, 3, 1],
          [4, 32, 31],
        ],
        ([a, b]) => binary('shl', a, b),
        'int32',
      ),
    ).toEqual([-16, 3, -2147483648]);
  });

  test('pow as in C', async () => {
    const build = ([a, b]: Node[]): Node => binary('pow', a, b);
    expect(
      await value(
        [
          [1, 1, -1, 0, 0, -8, NaN],
          [NaN, Infinity, -Infinity, 0, -1, 1 / 3, 0],
        ],
        build,
      ),
    ).toEqual([1, 1, 1, 1, Infinity, NaN, 1]);
  });

  test('NaN passes through max, min and relu; its sign is 0, as PyTorch; comparisons are false', async () => {
    expect(
      await value(
        [
          [NaN, 1],
          [1, NaN],
        ],
        ([a, b]) => binary('max', a, b),
      ),
    ).toEqual([NaN, NaN]);
    expect(await value([[NaN, -1]], ([a]) => unary('relu', a))).toEqual([NaN, 0]);
    expect(await value([[NaN, -3, 0]], ([a]) => unary('sign', a))).toEqual([0, -1, 0]);
    expect(await value([[NaN]], ([a]) => cast(binary('le', a, a), 'float32'))).toEqual([0]);
    expect(await value([[NaN]], ([a]) => cast(binary('ne', a, a), 'float32'))).toEqual([1]);
  });

  test('cast to int32 truncates and saturates', async () => {
    expect(await value([[1.9, -1.9, 3e9, -3e9, Infinity, NaN]], ([x]) => cast(x, 'int32'))).toEqual([
      1, -1, 2147483647, -2147483648, 2147483647, 0,
    ]);
    expect(await value([], () => cast(constant(3e9) as Node, 'int32'))).toEqual([2147483647]);
    expect(await value([], () => cast(constant(-Infinity) as Node, 'int32'))).toEqual([-2147483648]);
    expect(await value([[0.5, 0, NaN]], ([x]) => cast(cast(x, 'bool'), 'float32'))).toEqual([1, 0, 1]);
  });

  test('float32 is not rounded', async () => {
    expect(await value([[0.1]], ([x]) => x)).toEqual([0.1]);
  });

  test('random: key (seed, offset), counter (flat index, 0)', async () => {
    const number = (x: number): Node => reshape(cast(constant(x) as Node, 'int32'), []);
    expect(await value([], () => random(number(5), number(7), [2, 2]))).toEqual(
      [0, 1, 2, 3].map((i) => threefry2x32(5, 7, i, 0)),
    );
  });
});

describe('arrays', () => {
  test('argsort is stable, NaN is the largest', async () => {
    const x = [2, NaN, 1, 2, NaN, -Infinity];
    expect(await value([x], ([a]) => argsort(a, 0, false))).toEqual([5, 2, 0, 3, 1, 4]);
    expect(await value([x], ([a]) => argsort(a, 0, true))).toEqual([1, 4, 0, 3, 2, 5]);
  });

  test('reductions', async () => {
    expect(await value([[1, NaN, 3]], ([x]) => reduce('reduceMax', x, [0]))).toEqual([NaN]);
    expect(await value([[1, 2, 3, 4]], ([x]) => reduce('prod', reshape(x, [2, 2]), [0]))).toEqual([3, 8]);
    expect(await value([[1, 2, 3]], ([x]) => cumsum(x, 0))).toEqual([1, 3, 6]);
    expect(await value([[-5, -7]], ([x]) => reduce('reduceMax', x, [0]), 'int32')).toEqual([-5]);
  });

  test('window', async () => {
    const spec = { size: [2], stride: [2], dilation: [1], lo: [1], hi: [0] };
    expect(await value([[1, 2, 3]], ([x]) => window(x, spec))).toEqual([0, 1, 2, 3]);
  });

  test('matmul and convolution by hand', async () => {
    const a = ([x, y]: Node[]): Node => matmul(reshape(x, [2, 2]), reshape(y, [2, 1]));
    expect(
      await value(
        [
          [1, 2, 3, 4],
          [5, 6],
        ],
        a,
      ),
    ).toEqual([17, 39]);
    const spec = { stride: [2], dilation: [1], lo: [1], hi: [0], groups: 1 };
    const c = ([x, w]: Node[]): Node => conv(reshape(x, [1, 1, 4]), reshape(w, [1, 1, 3]), spec);
    expect(
      await value(
        [
          [1, 2, 3, 4],
          [10, 20, 30],
        ],
        c,
      ),
    ).toEqual([80, 200]); // [0 1 2], [2 3 4]
    const t = ([y, w]: Node[]): Node => convInput(reshape(y, [1, 1, 2]), reshape(w, [1, 1, 3]), spec, [4]);
    expect(
      await value(
        [
          [1, 2],
          [10, 20, 30],
        ],
        t,
      ),
    ).toEqual([20, 30 + 20, 40, 60]);
  });

  test('an index out of range says which', async () => {
    const x = [1, 2, 3, 4, 5];
    const at = (...index: number[]): Node => gatherIndex(index);
    await expect(value([x], ([a]) => gather(a, 0, at(7)))).rejects.toEqual(
      new IndexError('gather: index 7 is out of range for dimension 0 with size 5. Use 0 to 4.', 7, 5),
    );
    await expect(value([x], ([a]) => gather(a, 0, at(-1)))).rejects.toThrow(IndexError);
    await expect(value([x, [1]], ([a, b]) => scatterAdd(a, 0, at(5), b))).rejects.toThrow(
      'scatterAdd: index 5 is out of range for dimension 0 with size 5.',
    );
  });
});

/** A constant index without an input. */
function gatherIndex([index]: number[]): Node {
  return reshape(cast(constant(index) as Node, 'int32'), [1]);
}

describe('device', () => {
  test('assigned outputs are written after everything has been computed', async () => {
    const buffers = [
      [1, 2],
      [3, 4],
    ].map((data) => {
      const buffer = device.allocate(2, 'float32', 'x');
      device.upload(buffer, data, 'float32');
      return buffer;
    });
    const [a, b] = makeLeaves(
      [
        { shape: [2], dtype: 'float32', domain: 'normal' },
        { shape: [2], dtype: 'float32', domain: 'normal' },
      ],
      'reference',
    );
    const outputs = [
      { node: b, assign: 0 },
      { node: a, assign: 1 },
    ];
    const swap = device.compile({ nodes: [a, b], inputs: [a, b], scalars: [], outputs });
    swap.run(buffers, [], buffers);
    expect([...(await device.download(buffers[0], 2, 'float32'))]).toEqual([3, 4]);
    expect([...(await device.download(buffers[1], 2, 'float32'))]).toEqual([1, 2]);
    for (const buffer of buffers) device.free(buffer);
  });

  test('downloads have the dtype’s array type', async () => {
    const x = leaf(createStorage('reference', 'float32', [2], 2, null)) as Node;
    const outputs = [x, cast(x, 'int32'), cast(x, 'bool'), where(cast(x, 'bool'), x, x)];
    const results = await prepare(device, outputs, [x]).run([[0, 2.5]]);
    expect(results.map((r) => r.constructor.name)).toEqual([
      'Float64Array',
      'Int32Array',
      'Uint8Array',
      'Float64Array',
    ]);
    expect(await value([], () => iota(3))).toEqual([0, 1, 2]);
  });

  test('memory is counted, and freed buffers are refused', () => {
    const own = new ReferenceDevice();
    const buffer = own.allocate(10, 'float32', 'x');
    expect(own.memory()).toMatchObject({ usedBytes: 80, peakBytes: 80, buffers: 1 });
    own.free(buffer);
    expect(own.memory()).toMatchObject({ usedBytes: 0, peakBytes: 80, buffers: 0 });
    expect(() => own.free(buffer)).toThrow(InternalError);
  });
});
