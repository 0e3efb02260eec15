// Every rule, first and second derivative, against central differences in float64 on the reference device.
import { expect, test } from 'vitest';
import { cases, makeData, makeLeaves } from '../../../test/operators/cases.js';
import { generator } from '../../../test/operators/case.js';
import { type Prepared, prepare } from '../../../test/operators/run.js';
import { ReferenceDevice } from '../device/reference/device.js';
import { add, filled, leaf, mul, reshape, sum } from '../ir/build.js';
import type { Node } from '../ir/node.js';
import { createStorage } from '../ir/storage.js';
import { gradient } from './backward.js';

const device = new ReferenceDevice();
const H = 1e-6;

function weightsLike(node: Node): Node {
  return leaf(createStorage('reference', 'float32', node.shape, node.size, null)) as Node;
}

const total = (x: Node): Node => reshape(sum(x, [...x.shape.keys()]), []);
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((s, x, i) => s + x * b[i], 0);

/** Directions to differentiate along: each float element of few, random ones of many. */
function directions(
  points: readonly Float64Array[],
  isFloat: readonly boolean[],
  next: () => number,
): Float64Array[][] {
  const count = points.reduce((n, p, i) => n + (isFloat[i] ? p.length : 0), 0);
  const zeros = (): Float64Array[] => points.map((p) => new Float64Array(p.length));
  if (count > 12) {
    const random = (): Float64Array[] => points.map((p, i) => p.map(() => (isFloat[i] ? 2 * next() - 1 : 0)));
    return [random(), random(), random()];
  }
  return points.flatMap((p, i) =>
    Array.from({ length: isFloat[i] ? p.length : 0 }, (_, k) => {
      const all = zeros();
      all[i][k] = 1;
      return all;
    }),
  );
}

/** Σ gradients · direction against (f(x + h d) − f(x − h d)) / 2h, where f and the gradients are prepared graphs. */
async function compare(
  f: Prepared,
  gradients: Prepared,
  points: readonly Float64Array[],
  isFloat: readonly boolean[],
  next: () => number,
): Promise<number> {
  const found = await gradients.run(points);
  let worst = 0;
  for (const d of directions(points, isFloat, next)) {
    const at = async (h: number): Promise<number> =>
      (await f.run(points.map((p, i) => p.map((x, k) => x + h * d[i][k]))))[0][0];
    const expected = ((await at(H)) - (await at(-H))) / (2 * H);
    const actual = found.reduce((s, g, i) => s + dot(g, d[i]), 0);
    worst = Math.max(worst, Math.abs(actual - expected) / Math.max(1, Math.abs(expected)));
    if (Number.isNaN(actual)) worst = Infinity;
  }
  return worst;
}

const rows = cases.filter((row) => row.derivatives > 0);

test.each(rows.map((row) => [row.name, row] as const))('%s', async (_, row) => {
  const inputs = makeLeaves(row.inputs, 'reference');
  const data = makeData(row);
  const next = generator(row.name);
  const output = row.build(inputs);
  const seed = weightsLike(output);
  const seedData = Float64Array.from({ length: seed.size }, () => 2 * next() - 1);

  // First derivative: f = Σ seed · output; its gradient to inputs and seed.
  const leaves = [...inputs, seed];
  const points = [...data, seedData];
  const isFloat = leaves.map((node) => node.dtype === 'float32');
  const floats = leaves.filter((node) => node.dtype === 'float32');
  const value = total(mul(seed, output));
  const first = gradient([output], [seed], inputs).map((g, i) => g ?? zerosLike(inputs[i]));
  inputs.forEach((node, i) => expect(first[i].shape, 'gradient shape').toEqual(node.shape));
  const f = prepare(device, [value], leaves);
  const df = prepare(device, [...first, output], leaves); // the gradient to the seed is the output
  expect(await compare(f, df, points, isFloat, next), 'first derivative').toBeLessThan(1e-7);
  if (row.derivatives < 2) return;

  // Second derivative: e = Σ direction · gradient, differentiated again.
  const weights = first.filter((_g, i) => isFloat[i]).map(weightsLike);
  const weightData = weights.map((w) => Float64Array.from({ length: w.size }, () => 2 * next() - 1));
  const along = first.filter((_g, i) => isFloat[i]).map((g, i) => total(mul(g, weights[i])));
  const e = along.reduce(add);
  const one = weightsLike(e);
  const second = gradient([e], [one], floats);
  const all = [...leaves, ...weights, one];
  const ones = Float64Array.of(1);
  const de = prepare(
    device,
    leaves.map((node) => second[floats.indexOf(node)] ?? zerosLike(node)),
    all,
  );
  const ef = prepare(device, [e], all);
  const fixed = {
    run: (p: readonly ArrayLike<number>[]) => ef.run([...p, ...weightData, ones]),
    executable: ef.executable,
  };
  const dfixed = {
    run: (p: readonly ArrayLike<number>[]) => de.run([...p, ...weightData, ones]),
    executable: de.executable,
  };
  expect(await compare(fixed, dfixed, points, isFloat, next), 'second derivative').toBeLessThan(1e-6);
});

function zerosLike(node: Node): Node {
  return filled(0, node.shape, 'float32');
}
