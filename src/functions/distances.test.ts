// Distances where they are 0 or nearly so, by both ways of computing them, and what is refused. Values: test/composed.test.ts.
import { describe, expect, test } from 'vitest';
import {
  type AnyTensor,
  cdist,
  manualSeed,
  matrixNorm,
  pdist,
  rand,
  setDevice,
  tensor,
  vectorNorm,
  zeros,
} from '../index.js';

const list = async (t: AnyTensor): Promise<number[]> => [...(await t.data())].map(Number);

describe.each(['reference', 'cpu'])('on %s', (device) => {
  test.each([1, 2, 3, Infinity])('the gradient is finite where the distance is 0, p = %d', async (p) => {
    setDevice(device);
    for (const computeMode of ['use_mm_for_euclid_dist', 'donot_use_mm_for_euclid_dist'] as const) {
      const x = tensor([[1, 2], [1, 2], [3, -1]], { requiresGrad: true }); // prettier-ignore
      const d = cdist(x, x, { p, computeMode });
      const distances = await list(d);
      expect([0, 4, 8].map((i) => distances[i])).toEqual([0, 0, 0]);
      d.sum().backward();
      const gradient = await list(x.grad!);
      expect(gradient.every((g) => Number.isFinite(g))).toBe(true);
      expect(gradient.slice(0, 2)).toEqual(gradient.slice(2, 4));
    }
  });

  test('both ways give the same distances and gradients, of points far from the origin, too', async () => {
    setDevice(device);
    manualSeed(0);
    const data = await list(rand([40 * 5]));
    const results: number[][] = [];
    for (const computeMode of ['use_mm_for_euclid_dist', 'donot_use_mm_for_euclid_dist'] as const) {
      const far = (from: number, to: number) =>
        tensor(
          Float32Array.from(data.slice(from * 5, to * 5), (v) => Math.round(v * 64) / 64 + 100),
          {
            shape: [to - from, 5],
            requiresGrad: true,
          },
        );
      const [a, b] = [far(0, 30), far(30, 40)];
      const d = cdist(a, b, { computeMode });
      d.square().sum().add(d.sum()).backward();
      results.push([...(await list(d)), ...(await list(a.grad!)), ...(await list(b.grad!))]);
    }
    results[0].forEach((v, i) => expect(v).toBeCloseTo(results[1][i], 3));
  });
});

test('what is refused', () => {
  const x = zeros([2, 3]);
  const wrong: [() => unknown, string][] = [
    [() => cdist(x, zeros([2, 2])), 'cdist: [2, 3] x [2, 2]: needs [.., P, M] and [.., R, M] of the same M'],
    [() => cdist(x, x, { p: -1 }), 'cdist: p is -1. Use a number of at least 0, or Infinity.'],
    [() => cdist(x, x, { computeMode: 'quick' as never }), "cdist: computeMode is 'quick'."],
    [() => pdist(zeros([2])), 'pdist: points [2]: needs [n, M]'],
    [() => matrixNorm(x, 3 as never), "matrixNorm: ord is 3. Use 'fro', 'nuc', 1, -1, 2, -2, Infinity or -Infinity."],
    [() => matrixNorm(zeros([3])), 'matrixNorm: [3] is not a matrix, nor a batch of them'],
    [() => vectorNorm(zeros([0]), -1), 'vectorNorm: [0] has no elements to reduce'],
  ];
  for (const [run, message] of wrong) expect(run).toThrow(message);
});
