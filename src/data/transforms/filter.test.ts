// Image filters: the example of the lecture on convolutions, each kernel on pictures whose answer is known.
import { expect, test } from 'vitest';
import { ShapeError } from '../../tensor/library.js';
import { functional as F } from './index.js';

const image = (rows: number[][]) => ({
  data: Float32Array.from(rows.flat()),
  shape: [1, rows.length, rows[0].length] as const,
});
const rowsOf = ({ data, shape }: { data: Float32Array; shape: readonly number[] }) =>
  Array.from({ length: shape[1] }, (_, i) => [...data.subarray(i * shape[2], (i + 1) * shape[2])]);

/** The image of 5 × 5 pixels that the lecture filters. */
const LECTURE = image([
  [-5, 3, 2, -5, 3],
  [4, 3, 2, 1, -3],
  [1, 0, 3, 3, 5],
  [-2, 0, 1, 4, 4],
  [5, 6, 7, 9, -1],
]);

test('the lecture: sharpening 5 × 5 gives 3 × 3, a 1 × 1 kernel scales', () => {
  // upper left: 5·3 − 3 − 4 − 2 − 0 = 6, and so on by hand
  expect(rowsOf(F.filter2d(LECTURE, F.kernels.sharpen, { padding: 'valid' }))).toEqual([
    [6, 1, 8],
    [-7, 9, 2],
    [-5, -9, 3],
  ]);
  expect(F.filter2d(LECTURE, [[2]])).toEqual({ data: LECTURE.data.map((v) => 2 * v), shape: [1, 5, 5] });
});

test('edges: zero on flat ground, an answer where brightness changes', () => {
  const step = image(Array.from({ length: 4 }, () => [0, 0, 1, 1, 1]));
  expect(rowsOf(F.filter2d(step, F.kernels.edge, { padding: 'edge' }))[0]).toEqual([0, -3, 3, 0, 0]);
  // dark to bright: the kernels weigh the left side positively
  expect(rowsOf(F.filter2d(step, F.kernels.sobel, { padding: 'edge' }))[1]).toEqual([0, -4, -4, 0, 0]);
  expect(rowsOf(F.filter2d(step, F.kernels.scharr, { padding: 'edge' }))[1]).toEqual([0, -16, -16, 0, 0]);
  const across = F.filter2d(step, F.transposeKernel(F.kernels.sobel), { padding: 'edge' });
  expect(across.data.every((v) => v === 0)).toBe(true);
});

test('means: box and Gaussian keep flat ground, spread a point by their weights', () => {
  const flat = image(Array.from({ length: 4 }, () => [7, 7, 7, 7]));
  for (const kernel of [F.kernels.box, F.kernels.gaussian, F.kernels.sharpen, F.gaussianKernel(5, 1.3)]) {
    const out = F.filter2d(flat, kernel, { padding: 'symmetric' });
    for (const value of out.data) expect(value).toBeCloseTo(7, 5);
  }
  const point = image([
    [0, 0, 0],
    [0, 16, 0],
    [0, 0, 0],
  ]);
  expect(rowsOf(F.filter2d(point, F.kernels.gaussian))).toEqual([
    [1, 2, 1],
    [2, 4, 2],
    [1, 2, 1],
  ]);
});

test('channels are filtered one by one, kernels need not be square, sizes that do not fit are refused', () => {
  const two = { data: Uint8Array.of(1, 2, 3, 4, 5, 6), shape: [2, 1, 3] } as const;
  expect([...F.filter2d(two, [[1, 10]], { padding: 'valid' }).data]).toEqual([21, 32, 54, 65]);
  expect(F.filter2d(two, [[1, 10]]).shape).toEqual([2, 1, 3]);
  expect(() => F.filter2d(two, F.kernels.box, { padding: 'valid' })).toThrow(
    'filter2d: a kernel of 3 × 3 does not fit into 1 × 3.',
  );
  expect(() => F.filter2d(two, [[1], [1, 2]])).toThrow(ShapeError);
});
