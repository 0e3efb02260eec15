// Slopes where there is none, or more than one: what PyTorch gives, explicitly.
import { describe, expect, test } from 'vitest';
import { makeLeaves } from '../../../test/operators/case.js';
import { evaluateOn } from '../../../test/operators/run.js';
import { ReferenceDevice } from '../device/reference/device.js';
import { binary, constant, filled, mul, reduce, reshape, scalar, sum, unary } from '../ir/build.js';
import type { Node } from '../ir/node.js';
import { gradient } from './backward.js';

const device = new ReferenceDevice();
type Vector = readonly number[];
const total = (x: Node): Node => reshape(sum(x, [...x.shape.keys()]), []);
const ones = (x: Node): Node => filled(1, x.shape, 'float32');

/** Gradients, of order 1 or higher, of Σ build(inputs) to each input. */
async function slopes(inputs: readonly Vector[], build: (x: readonly Node[]) => Node, order = 1): Promise<number[][]> {
  const leaves = makeLeaves(
    inputs.map((x) => ({ shape: [x.length], dtype: 'float32', domain: 'normal' })),
    'reference',
  );
  let value = build(leaves);
  for (let k = 1; k < order; k++) value = total(gradient([value], [ones(value)], [leaves[0]])[0]!);
  const gradients = gradient([value], [ones(value)], leaves).map((g, i) => g ?? filled(0, leaves[i].shape, 'float32'));
  return (await evaluateOn(device, gradients, leaves, inputs)).map((g) => Array.from(g, (x) => x + 0)); // no −0
}

describe('one operand', () => {
  test.each([
    ['relu', [-1, 0, -0, 2], [0, 0, 0, 1]],
    ['abs', [-1, 0, 2], [-1, 0, 1]],
    ['sign', [-1, 0, 2], [0, 0, 0]],
    ['floor', [-1, 0.5, 2], [0, 0, 0]],
    ['ceil', [-1, 0.5, 2], [0, 0, 0]],
    ['round', [-0.5, 0.5, 2], [0, 0, 0]],
    ['trunc', [-1, 0.5, 2], [0, 0, 0]],
    ['sqrt', [0, 4], [Infinity, 0.25]],
    ['log', [0, 2], [Infinity, 0.5]],
    ['recip', [0, 2], [-Infinity, -0.25]],
  ] as const)('%s', async (op, x, expected) => {
    expect(await slopes([x], ([a]) => unary(op, a))).toEqual([expected]);
  });
});

describe('two operands', () => {
  test.each([
    ['max', [1, 2, 3], [2, 2, 2], [0, 0.5, 1], [1, 0.5, 0]],
    ['min', [1, 2, 3], [2, 2, 2], [1, 0.5, 0], [0, 0.5, 1]],
    ['mod', [5, -5, 5.5], [3, 3, -2], [1, 1, 1], [-1, 2, 3]],
    ['pow', [0, 0, 0, 2], [2, 1, 0, 3], [0, 1, 0, 12], [0, 0, 0, 8 * Math.log(2)]],
    ['pow', [-2, -2], [2, 3], [-4, 12], [NaN, NaN]],
  ] as const)('%s %j %j', async (op, x, y, toX, toY) => {
    const [dx, dy] = await slopes([x, y], ([a, b]) => binary(op, a, b));
    expect(dx).toEqual(toX);
    expect(dy).toEqual(toY);
  });

  test('pow with a number as exponent, at 0, to third order', async () => {
    const cube = ([x]: readonly Node[]): Node => binary('pow', x, scalar(3));
    expect(await slopes([[0, 2]], cube, 1)).toEqual([[0, 12]]);
    expect(await slopes([[0, 2]], cube, 2)).toEqual([[0, 12]]);
    expect(await slopes([[0, 2]], cube, 3)).toEqual([[6, 6]]);
    expect(await slopes([[0, 2]], cube, 4)).toEqual([[0, 0]]);
  });

  test('pow with a structural exponent', async () => {
    expect(await slopes([[0, 2]], ([x]) => binary('pow', x, constant(2) as Node), 2)).toEqual([[2, 2]]);
    expect(await slopes([[4, 2]], ([x]) => binary('pow', x, constant(-1) as Node))).toEqual([[-1 / 16, -0.25]]);
  });
});

describe('reductions', () => {
  test.each([
    ['reduceMax', [1, 3, 3, 2], [0, 0.5, 0.5, 0]],
    ['reduceMin', [1, 1, 1, 2], [1 / 3, 1 / 3, 1 / 3, 0]],
    ['prod', [2, 3, 4], [12, 8, 6]],
    ['prod', [2, 0, 4], [0, 8, 0]],
    ['prod', [2, 0, 0], [0, 0, 0]],
  ] as const)('%s of %j', async (op, x, expected) => {
    expect(await slopes([x], ([a]) => reduce(op, a, [0]))).toEqual([expected]);
  });

  test('second derivative of prod with zeros', async () => {
    // Σᵢ ∂p/∂xᵢ differentiated: for xᵢ the sum over j of the products without i and j.
    expect(await slopes([[2, 0, 0]], ([a]) => reduce('prod', a, [0]), 2)).toEqual([[0, 2, 2]]);
  });
});

test('a slope that is 0 by structure stays 0 below, where the operand has slope Infinity', async () => {
  expect(await slopes([[0, 1]], ([x]) => unary('floor', unary('sqrt', x)))).toEqual([[0, 0]]);
});

test('where stops what it does not choose', async () => {
  const safe = ([x]: readonly Node[]): Node => mul(x, unary('relu', x));
  expect(await slopes([[-2, 0, 3]], safe)).toEqual([[0, 0, 6]]);
});
